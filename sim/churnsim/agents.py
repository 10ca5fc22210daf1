"""The agents engine: every customer acts for itself, in plain Python, Mesa's way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from churnsim.engine.departures import VARIETY, explain, luck_change, tally, weigh
from churnsim.engine.state import N_BARRIERS, N_TERMS
from churnsim.mechanisms.rule import interpreted

if TYPE_CHECKING:
    from churnsim.model import ChurnModel

_explain = interpreted(explain)
_luck_change = interpreted(luck_change)
_weigh = interpreted(weigh)
_tally = interpreted(tally)


class Agents:
    """The executable specification: the stages of `Customer`, one customer after another.

    Attributes
    ----------
    activation : {'shuffle_do', 'do'}
        How Mesa activates the customers; no result depends on it.
    """

    def __init__(self, activation: str = "shuffle_do") -> None:
        self.activation = activation

    def _stage(self, model: ChurnModel, name: str) -> None:
        """Let every customer act through one stage."""
        # The random numbers' integer arithmetic wraps around on purpose.
        with np.errstate(over="ignore"):
            getattr(model.customers, self.activation)(name)

    def approach(self, model: ChurnModel) -> None:
        """Run the phase of contacts and offers."""
        self._stage(model, "approach")

    def take_stock(self, model: ChurnModel) -> None:
        """Let the tick leave its marks on dealings."""
        self._stage(model, "take_stock")

    def pass_on(self, model: ChurnModel) -> None:
        """Let referrals be heard."""
        self._stage(model, "pass_on")

    def choose(self, model: ChurnModel) -> None:
        """Run the choice phase."""
        self._stage(model, "decide")

    def explain(self, model: ChurnModel) -> None:
        """Explain this tick's departures."""
        columns, rows = model.columns, model.active_customers
        provider = columns.provider[:rows]
        gone = (columns.following[:rows] != provider) & (provider > 0) & (columns.exit[:rows] == 0)
        leavers = np.flatnonzero(gone)
        sets = model.batch.parameter_set[0, columns.anchor_row[leavers]]
        for then in np.unique(sets):
            mine = leavers[sets == then]
            primary, shares, _, barriers = self.itemise(model, 0, mine, int(then))
            for d, row in enumerate(mine):
                left = int(columns.provider[row])
                _tally(model.counters, left, primary[d], shares[d], barriers[d], model.market.money_unit)
                if model.deals:
                    model.dealings.lost_for[row] = primary[d]

    def itemise(self, model: ChurnModel, place: int, leavers: np.ndarray, then: int) -> tuple[np.ndarray, ...]:
        """Explain departures one by one; as `churnsim.engine.compiled.Compiled.itemise`."""
        primary = np.empty(leavers.size, np.int64)
        shares = np.empty((leavers.size, N_TERMS), np.float32)
        terms = np.empty((leavers.size, N_TERMS), np.float32)
        barriers = np.empty((leavers.size, N_BARRIERS), np.float32)
        before = model.parameter_sets[then]
        with np.errstate(over="ignore"):
            for d, row in enumerate(leavers):
                now, market = model.parameters, model.market
                _explain(model.columns, model.dealings, now, before, market, row, terms[d], barriers[d])
                primary[d] = _weigh(model.customers[int(row)].margin(), terms[d], shares[d])
                terms[d, VARIETY] = _luck_change(model.columns, model.parameters, before, model.market, row)
        return primary, shares, terms, barriers

    def serve(self, model: ChurnModel) -> None:
        """Run the service phase."""
        self._stage(model, "live_through")

    def listen(self, model: ChurnModel) -> None:
        """Run the word-of-mouth phase."""
        self._stage(model, "listen")

    def count(self, model: ChurnModel) -> None:
        """Take the census."""
        self._stage(model, "be_counted")

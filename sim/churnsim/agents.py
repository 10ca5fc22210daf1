"""The agents engine: every customer acts for itself, in plain Python, Mesa's way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.customers import Customer, gumbel, uniform
from churnsim.engine.census import count
from churnsim.engine.departures import N_BARRIERS, N_TERMS, explain, weigh
from churnsim.mechanisms.rule import interpreted

if TYPE_CHECKING:
    from churnsim.model import ChurnModel

_explain = interpreted(explain)
_weigh = interpreted(weigh)
_count = interpreted(count)


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

    def choose(self, model: ChurnModel) -> None:
        """Run the choice phase."""
        self._stage(model, "decide")

    def explain(self, model: ChurnModel, leavers: np.ndarray, then: Any) -> tuple[np.ndarray, ...]:
        """Explain the departures of the given rows, whose anchors lie in ticks with parameters `then`."""
        primary = np.empty(leavers.size, np.int64)
        shares = np.empty((leavers.size, N_TERMS), np.float32)
        terms = np.empty((leavers.size, N_TERMS), np.float32)
        barriers = np.empty((leavers.size, N_BARRIERS), np.float32)
        with np.errstate(over="ignore"):
            for d, row in enumerate(leavers):
                margin = _explain(
                    model.columns, model.parameters, then, model.history, model.market, row, terms[d], barriers[d]
                )
                if model.customer_class.value_of is not Customer.value_of:
                    margin = self._margin(model, int(row))
                primary[d] = _weigh(margin, terms[d], shares[d])
        return primary, shares, terms, barriers

    def _margin(self, model: ChurnModel, row: int) -> np.float32:
        """Return by how much the option taken was the better one, by a subclass's own rule of value.

        Where it was not better, nothing of what is known explains the choice: infinitely much luck.
        """
        customer = model.customers[row]
        keys = model.market.option_keys[model.market.row]
        taken, left = int(customer.following), int(customer.provider)
        luck = gumbel(uniform(keys[taken], customer.id)) - gumbel(uniform(keys[left], customer.id))
        margin = customer.value_of(taken) - customer.value_of(left) + model.parameters.noise * luck
        return margin if margin > 0 else np.float32(np.inf)

    def serve(self, model: ChurnModel) -> None:
        """Run the service phase."""
        self._stage(model, "live_through")

    def listen(self, model: ChurnModel) -> None:
        """Run the word-of-mouth phase."""
        self._stage(model, "listen")

    def count(self, model: ChurnModel) -> None:
        """Take the census."""
        _count(
            model.columns,
            model.parameters,
            model.market.open,
            model.money_scale,
            model.counters,
            0,
            model.active_customers,
        )

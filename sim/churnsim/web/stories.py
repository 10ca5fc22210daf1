"""One customer's story: every tick of it, every departure with its exact causes, and what holds the customer now.

The run is repeated with one customer followed. The repetition is the run itself, since luck belongs to the
customer: following one changes nothing for anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.causes import CAUSE_NAMES, ENABLERS, N_VALUE_CAUSES
from churnsim.lock_in import DRIVERS, RESISTANCES, holds
from churnsim.model import ChurnModel
from churnsim.recorder import INVOLUNTARY
from churnsim.web.watching import GONE_FOR_GOOD, sample

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

SMALLEST = 0.5
"""Amounts of money below this are left out of a story."""


class Followed(ChurnModel):
    """A model that keeps a diary of one customer.

    Parameters
    ----------
    config, rng
        As for `ChurnModel`.
    row
        The customer's row.
    """

    def __init__(self, config: Scenario, rng: int, row: int) -> None:
        self.followed = row
        self.diary: list[dict[str, Any]] = []
        self.departed: list[dict[str, Any]] = []
        super().__init__(config, rng=rng)

    def explain_departures(self) -> None:
        """Explain departures, the followed customer's in full."""
        super().explain_departures()
        row, columns = self.followed, self.columns
        if self.tick < 1:
            return
        left, taken, kind = int(columns.provider[row]), int(columns.following[row]), int(columns.exit[row])
        self.diary.append({"tick": self.tick, "bought": int(columns.choice[row])})
        if kind and left:
            cause = CAUSE_NAMES[N_VALUE_CAUSES + [int(exit) for exit in INVOLUNTARY].index(kind)]
            self.departed.append({"tick": self.tick, "from": left, "to": taken, "cause": cause, "parts": []})
        elif left and taken != left:
            self.departed.append({"tick": self.tick, "from": left, "to": taken, **self._reasons(row, left, taken)})
        elif not kind and taken != left:
            self.departed.append({"tick": self.tick, "from": left, "to": taken, "cause": None, "parts": []})
        if kind in GONE_FOR_GOOD:
            self.diary[-1]["new"] = True

    def _reasons(self, row: int, left: int, taken: int) -> dict[str, Any]:
        """Return a departure's causes in money, and which single one of them decided it."""
        then = int(self.batch.parameter_set[0, self.columns.anchor_row[row]])
        primary, shares, terms, barriers = (
            part[0] for part in self.engine.itemise(self, 0, np.array([row], np.int64), then)
        )
        customer = self.customer_class(self, row)
        options = {left, taken, 0, *(j + 1 for j in range(len(self.firms)) if self.market.open[j])}
        with np.errstate(over="ignore"):  # hashes wrap around
            utility = {option: float(customer.utility_of(option)) for option in options}
        margin = utility[taken] - utility[left]
        rest = max((utility[option] - utility[left] for option in options - {left, taken}), default=-1.0)
        parts = []
        for m in np.argsort(-shares, kind="stable"):
            if shares[m] <= 0:
                break
            name, money = CAUSE_NAMES[m], float(terms[m])
            # Without what the rival has done, a third option may still have been better than staying.
            elsewhere = self._of_rival(name) and rest > 0
            decisive = name != "variety" and money > margin and not elsewhere
            parts.append({"cause": name, "share": float(shares[m]), "money": money, "decisive": decisive})
        worn = {name: float(money) for name, money in zip(ENABLERS, barriers, strict=True) if money >= SMALLEST}
        return {"cause": CAUSE_NAMES[int(primary)], "parts": parts, "margin": margin, "enablers": worn}

    @staticmethod
    def _of_rival(cause: str) -> bool:
        """Return whether a cause is something that became better elsewhere."""
        return cause.startswith("rival_") or cause in ("outside_offer", "technology")

    def note(self) -> None:
        """Write how the customer stands at the end of the tick."""
        row, columns = self.followed, self.columns
        provider = int(columns.provider[row])
        entry = self.diary[-1] if self.diary else {"tick": self.tick, "bought": -1}
        if not self.diary:
            self.diary.append(entry)
        entry |= {
            "provider": provider,
            "tenure": int(columns.tenure[row]),
            "satisfaction": float(columns.satisfaction[row]),
            "attachment": float(columns.attachment[provider - 1, row]) if provider else None,
        }


def story_of(scenario: Scenario, seed: int, dot: int, tick: int) -> dict[str, Any]:
    """Return the story of one of the customers that are drawn.

    Parameters
    ----------
    scenario, seed
        The run.
    dot
        Place of the customer in the sample.
    tick
        Tick at which to say what holds the customer.

    Returns
    -------
    dict
        ``customer`` (id), ``traits``, ``diary`` (one entry per tick), ``moves`` (of the customer, with causes), and
        ``holds``: drivers and resistances in money against the best alternative, or None for a customer of no firm.
    """
    row = int(sample(scenario.customers.count)[dot])
    with Followed(scenario, seed, row) as model:
        model.note()
        held = _held(model, row) if tick == model.tick else None
        traits = _traits(model, row) if tick == model.tick else {}
        while model.tick < scenario.horizon:
            model.step_once()
            model.note()
            if model.tick == tick:
                held, traits = _held(model, row), _traits(model, row)
        return {
            "customer": int(model.columns.id[row]),
            "traits": traits,
            "diary": model.diary,
            "moves": model.departed,
            "holds": held,
        }


def _traits(model: Followed, row: int) -> dict[str, float]:
    """Return what a customer is like."""
    names = ("opportunity", "quality_value", "price_weight", "switching_cost")
    return {name: float(getattr(model.columns, name)[row]) for name in names}


def _held(model: Followed, row: int) -> dict[str, Any] | None:
    """Return what holds a customer at this moment."""
    frame = holds(model).customers
    mine = frame[frame["customer"] == int(model.columns.id[row])]
    if mine.empty:
        return None
    one = mine.iloc[0]
    return {
        "alternative": str(one["alternative"]),
        "held": str(one["held"]),
        "margin": float(one["margin"]),
        "drivers": {name: float(one[name]) for name in DRIVERS},
        "resistances": {name: float(one[name]) for name in RESISTANCES},
    }

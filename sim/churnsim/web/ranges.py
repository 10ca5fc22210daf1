"""From where to where a lever reaches, and in which steps.

The plausible ranges of amounts of money are declared in the money of the hotels of the course. A scenario with other
prices, or with a value of its own beyond them, gets a range around its own value instead.
"""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from churnsim.declarations import Declaration
    from churnsim.scenario import Scenario

STEPS = 100
"""Steps of a lever across a plausible range, about; around a scenario's own value a step is a part of it as small."""

AROUND = 3
"""A range around a scenario's own value goes from this part of it to this multiple; our choice."""

SAME_MONEY = 2
"""Prices that differ from the declared one by less than this factor leave the plausible ranges as they are."""


def money_of(scenario: Scenario) -> float:
    """Return a scenario's mean list price as a multiple of the declared one; 1 where it is about the same, or nothing.

    Parameters
    ----------
    scenario
        Whose firms' list prices are looked at; those of 0 are no prices.
    """
    from churnsim.config.firms import Firm

    prices = [firm.price for firm in scenario.firms.values() if firm.price > 0]
    if not prices:
        return 1.0
    ratio = float(sum(prices) / len(prices) / Firm.model_fields["price"].default)
    return 1.0 if 1 / SAME_MONEY < ratio < SAME_MONEY else ratio


def reach(said: Declaration, value: float | None, money: float, *, whole: bool = False) -> dict[str, Any] | None:
    """Return a lever's ``low``, ``high`` and ``step``, and ``own``: whether it reaches around the scenario's own value.

    Parameters
    ----------
    said
        Declaration of its parameter.
    value
        What holds in the scenario.
    money
        What `money_of` says.
    whole
        Whether only whole numbers are values.

    Returns
    -------
    dict or None
        None where neither the declaration nor the scenario says how far the lever could reach.
    """
    low, high = said.plausible or (said.low, said.high)
    if low is None or high is None or (said.plausible is None and high > 1):
        return None
    if said.unit.startswith("currency"):
        # A value at an end, unless that is nothing, leaves no room on one side.
        at_end = value is not None and value != 0 and not low < value < high
        if money != 1 or at_end:
            return _around(said, value, low * money, high * money, whole=whole)
    if value is not None:
        low, high = min(low, value), max(high, value)
    return {"low": low, "high": high, "step": 1 if whole else step_between(low, high), "own": False}


def _around(said: Declaration, value: float | None, low: float, high: float, *, whole: bool) -> dict[str, Any]:
    """Return a range around a value; around nothing, the plausible range in the scenario's money."""
    size = abs(value or 0)
    if value and low > 0:
        low, high = value / AROUND, value * AROUND
    elif low < 0:
        low, high = min(low, -AROUND * size), max(high, AROUND * size)
    else:
        low, high = 0.0, max(high, AROUND * size)
    step = _near(max(size, (high - low) / AROUND) / STEPS)
    step = max(1.0, step) if whole else step
    coarse = 5 * step
    low, high = floor(low / coarse + 1e-9) * coarse, ceil(high / coarse - 1e-9) * coarse
    least, most = (low if said.low is None else said.low), (high if said.high is None else said.high)
    return {"low": _exact(max(low, least)), "high": _exact(min(high, most)), "step": _exact(step), "own": True}


def step_between(low: float, high: float) -> float:
    """Return a round step of which there are about a hundred between two bounds."""
    if high <= low:
        return 1.0
    size = 10.0 ** floor(log10((high - low) / STEPS))
    step = next(size * factor for factor in (1, 2, 5, 10) if (high - low) / (size * factor) <= STEPS)
    return _exact(step)


def _near(size: float) -> float:
    """Return the round step that is nearest to a size."""
    power = 10.0 ** floor(log10(size))
    return min((power * factor for factor in (1, 2, 5, 10)), key=lambda step: abs(log10(step / size)))


def _exact(value: float) -> float:
    """Return a number without the digits that products of powers of ten leave behind."""
    return float(f"{value:.6g}")

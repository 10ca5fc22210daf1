"""A study that a reader can run to learn which assumptions a report's answer hangs on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from churnsim.declarations import Declaration, defaults, walk
from churnsim.tables import parameters

if TYPE_CHECKING:
    from churnsim.report.answers import Findings
    from churnsim.scenario import Scenario

ASSUMPTIONS = (
    "customers.choice.noise", "customers.choice.outside_value", "customers.taste.sd", "customers.quality_value.mean",
    "customers.switching_cost.mean", "customers.transaction_cost.mean", "customers.reference_price.weight",
    "customers.experience.crowding", "customers.belief.learning", "customers.satisfaction.loss_aversion",
    "customers.attention.satisfaction", "customers.attachment.value", "customers.attachment.growth",
    "customers.sunk_cost.weight", "customers.word_of_mouth.contacts",
)  # fmt: skip
"""What a first study varies: those of the screening of the two hotels that speak of customers in general."""

SAMPLES, REPLICATIONS = 100, 4
"""Combinations, and runs of each: enough for swings and for finding where an answer turns; our assumption."""

AROUND = (0.5, 1.5)
"""Range of a value without a published one, times itself; our assumption, as in the study two_hotels_sobol12."""

INSIDE = 0.1
"""Part of a range that must lie on either side of the scenario's own value; our assumption."""


def suggestion(found: Findings) -> dict[str, Any] | None:
    """Return a study of the report's answer as plain data, or None where a file cannot say what was compared.

    It varies `ASSUMPTIONS` within their plausible ranges, runs the baseline and the scenario in the foreground at every
    point with the same luck, and keeps the profit of the report's firm, or its share where that is not known.
    """
    folder = found.result.folder
    if folder is None or not found.others:
        return None
    changes = _changes(found.scenarios[found.baseline], found.first)
    if changes is None:
        return None
    factors = {}
    base = found.scenarios[found.baseline]
    usual, scale = defaults(base), _scale(base)
    for path, value, declared in walk(base):
        if path not in ASSUMPTIONS or isinstance(value, (bool, str)) or not value:
            continue
        low, high = plausible(float(value), usual[path], declared, scale)
        whole = isinstance(value, int)
        factors[path] = {"integers": [round(low), round(high)]} if whole else {"uniform": [low, high]}
    if not factors:
        return None
    file = (folder / "scenarios" / f"{found.baseline}.yaml").resolve()
    return {
        "scenario": os.path.relpath(file),
        "arms": {found.baseline: {}, found.main: changes},
        "baseline": found.baseline,
        "factors": factors,
        "design": "lhs",
        "samples": SAMPLES,
        "replications": REPLICATIONS,
        "outcomes": {"profit" if found.earns else "share": f"{found.goal}.{found.firm}"},
    }


def plausible(value: float, usual: Any, declared: Declaration | None, scale: float) -> tuple[float, float]:
    """Return the range of a value in a study: its declared plausible one, in the scenario's own money.

    Parameters
    ----------
    value, usual
        What the scenario has, and the declared default; plausible ranges are those of defaults.
    declared
        The value's declaration; without a plausible range it is varied by `AROUND`.
    scale
        How many times larger than those of the defaults the scenario's amounts of money are.

    Returns
    -------
    tuple of float
        Low and high end, with the value well inside but where a hard bound is near.
    """
    if declared is None or declared.plausible is None:
        low, high = sorted(_rounded(value * times) for times in AROUND)
        return low, high
    low, high = declared.plausible
    known = usual if isinstance(usual, (int, float)) and usual else None
    if known is not None and (declared.unit.startswith("currency") or not _well_inside(value, low, high)):
        times = value / known
    else:
        times = scale if declared.unit.startswith("currency") else 1.0
    if times > 0:
        low, high = low * times, high * times
    if value != usual and not _well_inside(value, low, high):
        room = (high - low) / 4
        low, high = min(low, value - room), max(high, value + room)
    low, high = _rounded(low), _rounded(high)
    if declared.low is not None:
        low = max(low, declared.low)
    return low, high if declared.high is None else min(high, declared.high)


def _well_inside(value: float, low: float, high: float) -> bool:
    """Return whether a value lies in a range, and not at its ends."""
    room = INSIDE * (high - low)
    return low + room <= value <= high - room


def _rounded(value: float) -> float:
    """Round to three figures."""
    return float(f"{value:.3g}")


def _scale(scenario: Scenario) -> float:
    """Return how many times larger a scenario's amounts of money are than those of the defaults."""
    usual = type(scenario.customers).model_fields["quality_value"].get_default(call_default_factory=True)
    scale = scenario.customers.quality_value.mean_value / usual.mean_value
    return float(scale) if scale > 0 else 1.0


def _changes(base: Scenario, other: Scenario) -> dict[str, Any] | None:
    """Return what makes one scenario of another by dotted path, strategies as a whole; None where paths cannot say."""
    if base.moves != other.moves or set(base.firms) != set(other.firms):
        return None
    before, after = parameters(base), parameters(other)
    changes: dict[str, Any] = {}
    for path in dict.fromkeys([*before, *after]):
        if before.get(path) == after.get(path) or path.startswith("seed"):
            continue
        head = path.split(".")
        if head[0] == "firms" and head[2] == "strategy":
            changes[".".join(head[:3])] = other.firms[head[1]].strategy.model_dump(mode="json")
        elif path in before and path in after:
            changes[path] = after[path]
        else:
            return None
    return changes

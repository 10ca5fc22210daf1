"""A study that a reader can run to learn which assumptions a report's answer hangs on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from churnsim.declarations import walk
from churnsim.report.quantities import PROFIT
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


def suggestion(found: Findings) -> dict[str, Any] | None:
    """Return a study of the report's answer as plain data, or None where a file cannot say what was compared.

    It varies `ASSUMPTIONS` within their plausible ranges, runs the baseline and the scenario in the foreground at every
    point with the same luck, and keeps the profit of the report's firm.
    """
    folder = found.result.folder
    if folder is None or not found.others:
        return None
    changes = _changes(found.scenarios[found.baseline], found.first)
    if changes is None:
        return None
    factors = {}
    for path, value, declared in walk(found.scenarios[found.baseline]):
        if path not in ASSUMPTIONS or isinstance(value, (bool, str)) or not value:
            continue
        plausible = declared.plausible if declared is not None else None
        low, high = plausible or sorted(round(float(value) * times, 6) for times in AROUND)
        whole = isinstance(value, int)
        factors[path] = {"integers": [round(low), round(high)]} if whole else {"uniform": [low, high]}
    if not factors:
        return None
    base = (folder / "scenarios" / f"{found.baseline}.yaml").resolve()
    return {
        "scenario": os.path.relpath(base),
        "arms": {found.baseline: {}, found.main: changes},
        "baseline": found.baseline,
        "factors": factors,
        "design": "lhs",
        "samples": SAMPLES,
        "replications": REPLICATIONS,
        "outcomes": {"profit": f"{PROFIT}.{found.firm}"},
    }


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

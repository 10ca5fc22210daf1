"""What a scenario must be like for its parameters to be fitted to a kind of data."""

from __future__ import annotations

from typing import Any

from churnsim.calibration.errors import DataError, refuse
from churnsim.config.errors import ScenarioError
from churnsim.config.shape import ROOT, thawed
from churnsim.scenario import Scenario, build

NEEDED: dict[str, dict[str, bool]] = {
    "retention": {"calendar": True},
    "events": {"switching_cost": True, "taste": True, "involuntary": True},
    "panel": {"switching_cost": True, "taste": True, "attachment": True, "reference_price": True},
}
"""Mechanisms that carry the fitted parameters, by kind of data; all others must be off."""

HARMLESS = ("budget", "crowding", "quality_erosion", "insolvency", "sizes")
"""Mechanisms that may be on as well: they change no choice where one firm sells at its list price, or none at all."""


def check_base(scenario: Scenario, kind: str) -> None:
    """Refuse a scenario whose mechanisms would act on the choices beside those that are fitted.

    Raises
    ------
    DataError
        Naming every mechanism that is on and must be off, or the other way round.
    """
    needed = NEEDED[kind]
    off = [name for name in needed if not getattr(scenario.mechanisms, name)]
    on = [
        name
        for name in type(scenario.mechanisms).model_fields
        if getattr(scenario.mechanisms, name) and name not in needed and name not in HARMLESS
    ]
    problems: list[tuple[str, dict[str, Any]]] = []
    base = {"scenario": scenario.id, "base": f"calibration_{kind}"}
    if on:
        problems.append(("base_on", {**base, "names": ", ".join(on)}))
    if off:
        problems.append(("base_off", {**base, "names": ", ".join(off)}))
    if kind != "panel" and len(scenario.firms) != 1:
        problems.append(("base_firms", {**base, "count": len(scenario.firms)}))
    if problems:
        raise DataError(problems)
    if scenario.moves:
        raise refuse("base_moves", **base)


def rebuilt(scenario: Scenario, **parts: Any) -> Scenario:
    """Return a scenario in which whole parts (arms, claims, firms) are others."""
    changed, problems = build({**thawed(ROOT, scenario), **parts})
    if changed is None:
        raise ScenarioError(problems)
    return changed

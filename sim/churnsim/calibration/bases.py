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

OPTIONAL = {"events": ("rhythm",)}
"""Mechanisms whose parameters are fitted where the data ask for them."""

NAMED = 3
"""Mechanisms that are named where several must be off."""


def check_base(scenario: Scenario, kind: str) -> None:
    """Refuse a scenario whose mechanisms would act on the choices beside those that are fitted.

    Raises
    ------
    DataError
        Naming the format that the scenario is made for, if there is one; else mechanisms that are on and must be off,
        or the other way round, and what to start from.
    """
    base = {"scenario": scenario.id, "kind": kind, "base": f"calibration_{kind}"}
    problems = _problems(scenario, kind)
    if problems:
        # Whoever mistook the format is told that, not what would have to change for the wrong one.
        others = [other for other in NEEDED if other != kind and not _problems(scenario, other)]
        if others:
            raise refuse("base_other", **base, other=others[0])
        raise DataError([(key, {**base, **values}) for key, values in problems])
    if scenario.moves:
        raise refuse("base_moves", **base)


def _problems(scenario: Scenario, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return what keeps a scenario from being fitted to a kind of data."""
    needed, mechanisms = NEEDED[kind], scenario.mechanisms
    off = [name for name in needed if not getattr(mechanisms, name)]
    on = [
        name
        for name in type(mechanisms).model_fields
        if getattr(mechanisms, name) and name not in (*needed, *OPTIONAL.get(kind, ()), *HARMLESS)
    ]
    problems: list[tuple[str, dict[str, Any]]] = []
    if on or off:
        key = "base_both" if on and off else "base_on" if on else "base_off"
        problems.append((key, {"on": ", ".join(on[:NAMED]), "off": ", ".join(off)}))
    elif kind != "panel" and len(scenario.firms) != 1:
        problems.append(("base_firms", {"count": len(scenario.firms)}))
    return problems


def rebuilt(scenario: Scenario, **parts: Any) -> Scenario:
    """Return a scenario in which whole parts (arms, claims, firms) are others."""
    changed, problems = build({**thawed(ROOT, scenario), **parts})
    if changed is None:
        raise ScenarioError(problems)
    return changed

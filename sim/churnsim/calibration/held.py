"""Parameters that a fit leaves alone: what the scenario says of them is taken as known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np

from churnsim.calibration.errors import DataError, Problems, refuse
from churnsim.config.distributions import Beta, Lognormal
from churnsim.config.errors import ScenarioError, nearest
from churnsim.scenario import Scenario

CHOOSABLE = {
    "retention": ("customers.opportunity.a", "customers.calendar.trend", "customers.calendar.anniversary"),
    "panel": (
        "customers.price_weight.mean",
        "customers.price_weight.cv",
        "customers.taste.sd",
        "customers.attachment.value",
        "customers.attachment.growth",
        "customers.switching_cost",
        "customers.reference_price.weight",
        "customers.reference_price.adaptation",
    ),
    "events": (
        "customers.opportunity.a",
        "customers.taste.sd",
        "customers.switching_cost.mean",
        "customers.switching_cost.cv",
        "customers.hazards.lapse",
        "customers.rhythm.stages",
    ),
}
"""Parameters that may be fitted or not, by kind of data."""

ALWAYS = {
    "retention": ("customers.opportunity.b",),
    "panel": (),
    "events": ("customers.opportunity.b", "customers.choice.outside_value"),
}
"""Those that are fitted whatever is asked for: levels, which are the data's own."""

UNCHANGING = ("customers.calendar.trend", "customers.calendar.anniversary")
"""Those that are none where they are held: a calendar that is not fitted is the same all the time."""

MONEY = (
    "customers.price_weight.mean",
    "customers.taste.sd",
    "customers.attachment.value",
    "customers.switching_cost",
    "customers.switching_cost.mean",
)
"""What is measured by the noise of choice."""

REST = {"a": {"dist": "beta", "b": 1}, "mean": {"dist": "lognormal", "cv": 1}, "cv": {"dist": "lognormal", "mean": 1}}
"""What else a distribution needs that has one of these parameters."""

IDLE = {
    "customers.attachment.growth": "customers.attachment.value",
    "customers.reference_price.adaptation": "customers.reference_price.weight",
}
"""Parameters that move nothing where another is held at 0: they are then held as well."""

ALIKE = 1e4
"""First shape of a beta distribution that stands for customers who do not differ."""


def held_values(
    base: Scenario,
    kind: str,
    parameters: Collection[str] | None = None,
    hold: Mapping[str, float | None] | Collection[str] | None = None,
) -> dict[str, float]:
    """Return what is not to be fitted, by dotted path, money in units of the scenario's noise of choice.

    Parameters
    ----------
    base
        The scenario, whose values are taken.
    kind
        Kind of data.
    parameters
        What is to be fitted; everything where None.
    hold
        What is not, where `parameters` are not named: for each path its value in the scenario's units (None: the
        scenario's own); or paths as the command line has them, ``PATH`` or ``PATH=NUMBER``.

    Raises
    ------
    DataError
        For both at once; for names that are no parameters of this kind of data, with the nearest that are; for values
        that a scenario may not have; for a scenario without the noise by which money is measured.
    """
    if parameters is not None and hold is not None:
        raise refuse("parameters_and_hold")
    problems: Problems = []
    if parameters is not None:
        fitted = dict.fromkeys([parameters] if isinstance(parameters, str) else parameters)
        problems += _wrong_names(fitted, kind, (*CHOOSABLE[kind], *ALWAYS[kind]))
        held: dict[str, float | None] = {path: None for path in CHOOSABLE[kind] if path not in fitted}
    elif hold is None:
        return {}
    else:
        words = [hold] if isinstance(hold, str) else hold
        named = dict(words) if isinstance(words, Mapping) else _written(words, problems)
        problems += _wrong_names(named, kind, CHOOSABLE[kind])
        idle = [path for path, other in IDLE.items() if named.get(other) == 0 and path not in named]
        held = {path: named.get(path) for path in CHOOSABLE[kind] if path in named or path in idle}
        problems += [wrong for path, value in held.items() if value is not None for wrong in _wrong(base, path, value)]
    noise = base.customers.choice.noise
    if kind != "retention" and held and noise == 0:
        problems.append(("held_without_noise", {"held": next(iter(held))}))
    if problems:
        raise DataError(problems)
    return {
        path: float(_own(base, path) if value is None else value) / (noise if path in MONEY else 1)
        for path, value in held.items()
    }


def always_fitted(kind: str, parameters: Collection[str] | None) -> list[str]:
    """Return which of the parameters that are named to be fitted would be fitted anyway."""
    return [path for path in dict.fromkeys(parameters or ()) if path in ALWAYS[kind]]


def _written(words: Collection[str], problems: Problems) -> dict[str, float | None]:
    """Return what words like ``PATH`` and ``PATH=NUMBER`` hold, and note those that are none or name one again."""
    named: dict[str, float | None] = {}
    for word in words:
        path, equals, number = (part.strip() for part in word.partition("="))
        if path in named:
            problems.append(("held_twice", {"path": path}))
        try:
            named[path] = float(number) if equals else None
        except ValueError:
            named[path] = None
            problems.append(("held_written", {"found": word}))
    return named


def _of(path: str) -> str:
    """Return a path without what all of them begin with."""
    return path.removeprefix("customers.")


def _wrong_names(names: Iterable[str], kind: str, known: Collection[str]) -> Problems:
    """Return what is wrong with names that are none of those known; which there are, is told once, at the end."""
    problems: Problems = []
    for name in names:
        if name in known:
            continue
        near = nearest(_of(name), [_of(one) for one in known])
        if name in ALWAYS[kind]:
            problems.append(("never_held", {"found": name}))
        elif near is None:
            problems.append(("no_parameter", {"found": name, "kind": kind}))
        else:
            problems.append(("no_parameter_near", {"found": name, "kind": kind, "near": f"customers.{near}"}))
    if problems:
        problems.append(("parameters", {"kind": kind, "known": ", ".join(CHOOSABLE[kind])}))
    return problems


def _wrong(base: Scenario, path: str, value: object) -> Problems:
    """Return what is wrong with the value at which a parameter is to be held, if a scenario may not have it."""
    if path in UNCHANGING:
        return [("held_calendar", {"path": path})]
    if isinstance(value, bool) or not isinstance(value, Real):
        return [("held_value", {"path": path, "found": value})]
    group, _, part = path.rpartition(".")
    try:
        base.set({group: {**REST[part], part: value}} if part in REST else {path: value})
    except ScenarioError as error:
        return [("held_outside", {"problem": problem}) for problem in error.errors]
    return []


def _own(base: Scenario, path: str) -> float:
    """Return what a scenario says of a parameter, in its own units."""
    customers = base.customers
    match _of(path):
        case "opportunity.a":
            return customers.opportunity.a if isinstance(customers.opportunity, Beta) else ALIKE
        case "calendar.trend" | "calendar.anniversary":
            return 1.0
        case "price_weight.mean":
            return customers.price_weight.mean_value
        case "price_weight.cv":
            return customers.price_weight.cv if isinstance(customers.price_weight, Lognormal) else 0.0
        case "taste.sd":
            return customers.taste.sd
        case "attachment.value":
            return customers.attachment.value
        case "attachment.growth":
            return customers.attachment.growth
        case "switching_cost" | "switching_cost.mean":
            return customers.switching_cost.mean_value
        case "switching_cost.cv":
            return customers.switching_cost.cv if isinstance(customers.switching_cost, Lognormal) else 0.0
        case "reference_price.weight":
            return customers.reference_price.weight
        case "reference_price.adaptation":
            return customers.reference_price.adaptation
        case "hazards.lapse":
            return customers.hazards.lapse
        case "rhythm.stages":
            return customers.rhythm.stages if base.mechanisms.rhythm else 1
    raise KeyError(path)


@dataclass(frozen=True)
class Holding:
    """Places of a vector of parameters that are known, or follow from others, and are not searched for.

    Attributes
    ----------
    rules : tuple of (int, callable)
        Place, and what stands there given the whole vector; in this order.
    """

    rules: tuple[tuple[int, Callable[[np.ndarray], float]], ...] = ()

    def free(self, size: int) -> np.ndarray:
        """Return the places that remain to be searched for."""
        return np.setdiff1d(np.arange(size), [place for place, _ in self.rules])

    def fill(self, x: np.ndarray) -> np.ndarray:
        """Return the vector with what is known in its places."""
        x = x.copy()
        for place, rule in self.rules:
            x[place] = rule(x)
        return x

    def pulled(self, x: np.ndarray, slope: np.ndarray, step: float = 1e-6) -> np.ndarray:
        """Return a function's slope by the free places, from its slope by all: what follows from them moves along."""
        free = self.free(x.size)
        if not self.rules:
            return slope
        moves = step * np.eye(x.size)[free]
        return np.array([slope @ (self.fill(x + move) - self.fill(x - move)) for move in moves]) / (2 * step)


def logarithm(value: float) -> float:
    """Return a logarithm, of nothing that of next to nothing."""
    return float(np.log(max(value, 1e-4)))


def constant(place: int, value: float) -> tuple[int, Callable[[np.ndarray], float]]:
    """Return the rule that a place has one value."""
    return place, lambda _: value

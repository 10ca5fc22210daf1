"""Parameters that a fit leaves alone: what the scenario says of them is taken as known."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from churnsim.calibration.errors import refuse
from churnsim.config.distributions import Beta, Lognormal
from churnsim.config.errors import nearest
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
    ),
}
"""Parameters that may be fitted or not, by kind of data."""

ALWAYS = {
    "retention": ("customers.opportunity.b",),
    "panel": (),
    "events": ("customers.opportunity.b", "customers.choice.outside_value"),
}
"""Those that are fitted whatever is asked for: levels, which are the data's own."""

ALIKE = 1e4
"""First shape of a beta distribution that stands for customers who do not differ."""


def held_values(base: Scenario, kind: str, parameters: Collection[str] | None) -> dict[str, float]:
    """Return what is not to be fitted, by dotted path, money in units of the scenario's noise of choice.

    Parameters
    ----------
    base
        The scenario, whose values are taken.
    kind
        Kind of data.
    parameters
        What is to be fitted; everything where None.

    Raises
    ------
    DataError
        For a name that is no parameter of this kind of data, with the nearest that is; for a scenario without the noise
        by which money is measured.
    """
    if parameters is None:
        return {}
    if isinstance(parameters, str):
        parameters = [parameters]
    known = (*CHOOSABLE[kind], *ALWAYS[kind])
    for name in parameters:
        if name not in known:
            # What all of them begin with makes no name like another.
            near = nearest(name.removeprefix("customers."), [one.removeprefix("customers.") for one in known])
            near = near and f"customers.{near}"
            raise refuse(
                "no_parameter" if near is None else "no_parameter_near",
                found=name, kind=kind, near=near, known=", ".join(CHOOSABLE[kind]),
            )  # fmt: skip
    held = [path for path in CHOOSABLE[kind] if path not in parameters]
    if kind != "retention" and held and base.customers.choice.noise == 0:
        raise refuse("held_without_noise", held=held[0])
    return {path: _value(base, path) for path in held}


def _value(base: Scenario, path: str) -> float:
    """Return what a scenario says of a parameter."""
    customers = base.customers
    noise = customers.choice.noise
    match path.removeprefix("customers."):
        case "opportunity.a":
            return customers.opportunity.a if isinstance(customers.opportunity, Beta) else ALIKE
        case "calendar.trend" | "calendar.anniversary":
            return 1.0  # a calendar that is not fitted is the same all the time
        case "price_weight.mean":
            return customers.price_weight.mean_value / noise
        case "price_weight.cv":
            return customers.price_weight.cv if isinstance(customers.price_weight, Lognormal) else 0.0
        case "taste.sd":
            return customers.taste.sd / noise
        case "attachment.value":
            return customers.attachment.value / noise
        case "attachment.growth":
            return customers.attachment.growth
        case "switching_cost" | "switching_cost.mean":
            return customers.switching_cost.mean_value / noise
        case "switching_cost.cv":
            return customers.switching_cost.cv if isinstance(customers.switching_cost, Lognormal) else 0.0
        case "reference_price.weight":
            return customers.reference_price.weight
        case "reference_price.adaptation":
            return customers.reference_price.adaptation
        case "hazards.lapse":
            return customers.hazards.lapse
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

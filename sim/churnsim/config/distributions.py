"""Distributions of customer traits, as a scenario file states them.

A trait is a number (the same for everybody) or a mapping that names its
distribution, such as ``{dist: lognormal, mean: 110, cv: 0.5}``.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Tag, model_validator

from churnsim.declarations import AS_TRAIT, Record, declared


class Constant(Record):
    """The same value for every customer."""

    dist: Literal["constant"] = "constant"
    value: float = declared(en="Value", zh="取值", unit=AS_TRAIT)

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can occur."""
        return self.value, self.value

    @property
    def mean_value(self) -> float:
        """Expected value."""
        return self.value


CUT = 4
"""Standard deviations at which a normal trait is cut off, as in `mechanisms.traits` (assumed)."""


class Normal(Record):
    """Normal distribution, cut off at 4 standard deviations."""

    dist: Literal["normal"]
    mean: float = declared(en="Mean", zh="均值", unit=AS_TRAIT)
    sd: float = declared(en="Standard deviation", zh="标准差", unit=AS_TRAIT, low=0)

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can occur."""
        return self.mean - CUT * self.sd, self.mean + CUT * self.sd

    @property
    def mean_value(self) -> float:
        """Expected value."""
        return self.mean


class Lognormal(Record):
    """Lognormal distribution, by its mean and coefficient of variation."""

    dist: Literal["lognormal"]
    mean: float = declared(en="Mean", zh="均值", unit=AS_TRAIT, low=0)
    cv: float = declared(en="Coefficient of variation", zh="变异系数", low=0, high=10)

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can occur."""
        return (self.mean, self.mean) if self.cv == 0 else (0.0, math.inf)

    @property
    def mean_value(self) -> float:
        """Expected value."""
        return self.mean


class Beta(Record):
    """Beta distribution on 0 to 1."""

    dist: Literal["beta"]
    a: float = declared(en="First shape", zh="形状参数 a", low=1e-3, high=1e6)
    b: float = declared(en="Second shape", zh="形状参数 b", low=1e-3, high=1e6)

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can occur."""
        return 0.0, 1.0

    @property
    def mean_value(self) -> float:
        """Expected value."""
        return self.a / (self.a + self.b)


class Uniform(Record):
    """Uniform distribution between two values."""

    dist: Literal["uniform"]
    low: float = declared(en="Lowest value", zh="下限", unit=AS_TRAIT)
    high: float = declared(en="Highest value", zh="上限", unit=AS_TRAIT)

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        """Refuse an empty range."""
        if self.low > self.high:
            raise ValueError(f"low ({self.low:g}) must not exceed high ({self.high:g})")
        return self

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can occur."""
        return self.low, self.high

    @property
    def mean_value(self) -> float:
        """Expected value."""
        return (self.low + self.high) / 2


def _from_number(value: Any) -> Any:
    """Read a plain number as a constant, and a mapping without `dist` as one too."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return {"dist": "constant", "value": value}
    if isinstance(value, dict) and "dist" not in value and "value" in value:
        return {"dist": "constant", **value}
    return value


def _kind(value: Any) -> str | None:
    """Name of the distribution, for the discriminated union."""
    return value.get("dist") if isinstance(value, dict) else getattr(value, "dist", None)


Distribution = Annotated[
    Annotated[Constant, Tag("constant")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[Lognormal, Tag("lognormal")]
    | Annotated[Beta, Tag("beta")]
    | Annotated[Uniform, Tag("uniform")],
    Discriminator(_kind),
    BeforeValidator(_from_number),
]
"""A trait's distribution: a number, or ``{dist: ...}`` with its parameters."""

KINDS = (Constant, Normal, Lognormal, Beta, Uniform)

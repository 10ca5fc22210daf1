"""What a study varies: one factor per dotted path, as levels or as a distribution."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from churnsim.declarations import Record

CUT = 4.0
"""Standard deviations at which a normal factor is cut off, as normal traits of customers are (assumed)."""

FORMS = ("levels", "uniform", "log_uniform", "normal", "triangular", "integers")
"""Ways of saying which values a factor takes; a factor has exactly one."""

Pair = tuple[float, float]


class Factor(Record):
    """One thing that a study varies.

    Exactly one of the six forms is given.

    Attributes
    ----------
    levels : tuple or None
        The values themselves: numbers, texts, switches, or mappings (a strategy with its parameters).
    uniform, log_uniform : (low, high) or None
        Continuous between two numbers; evenly spread, or evenly in the logarithm.
    normal : (mean, sd) or None
        Normal, cut off at 4 standard deviations, or at `low` and `high` where they are nearer.
    triangular : (low, mode, high) or None
        Triangular.
    integers : (low, high) or None
        Whole numbers, both ends included, equally likely.
    low, high : float or None
        Bounds of a normal factor.
    group : str or None
        Factors of one group move together in designs that know groups.
    kind : {'lever', 'uncertainty'} or None
        What somebody chooses, or what nobody knows.
    when : str or None
        Condition on other factors (and on ``arm``) under which the factor is set at all.
    also : tuple of str
        Further dotted paths that take the same value: the capacity of both hotels, say.
    """

    levels: tuple[Any, ...] | None = None
    uniform: Pair | None = None
    log_uniform: Pair | None = None
    normal: Pair | None = None
    triangular: tuple[float, float, float] | None = None
    integers: tuple[int, int] | None = None
    low: float | None = None
    high: float | None = None
    group: str | None = Field(default=None, min_length=1)
    kind: Literal["lever", "uncertainty"] | None = None
    when: str | None = None
    also: tuple[str, ...] = ()

    @field_validator("also", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        """Take a single path, too."""
        return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value

    @field_validator("levels", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        """Take any sequence of levels, arrays too."""
        if isinstance(value, (str, Mapping)) or not hasattr(value, "__iter__"):
            return value
        return tuple(item.item() if hasattr(item, "item") else item for item in value)

    @model_validator(mode="after")
    def _makes_sense(self) -> Factor:
        """Refuse a factor without values, or whose numbers contradict each other."""
        given = [form for form in FORMS if getattr(self, form) is not None]
        if len(given) != 1:
            raise PydanticCustomError("factor_forms", "one form", {"forms": ", ".join(FORMS), "given": len(given)})
        numbers = [x for x in (*self._numbers(), self.low, self.high) if x is not None]
        if not all(math.isfinite(x) for x in numbers):
            raise PydanticCustomError("factor_finite", "finite", {"form": self.form})
        if (self.low is not None or self.high is not None) and self.form != "normal":
            raise PydanticCustomError("factor_bounds", "bounds", {"form": self.form})
        if self.levels is not None:
            if not self.levels:
                raise PydanticCustomError("factor_empty", "no levels", {})
        elif not self._ordered():
            raise PydanticCustomError("factor_order", "order", {"form": self.form, "values": _listed(self._numbers())})
        return self

    def _numbers(self) -> tuple[float, ...]:
        """Return the numbers of a distribution, none for levels."""
        return () if self.levels is not None else getattr(self, self.form)

    def _ordered(self) -> bool:
        """Tell whether a distribution's numbers make a range."""
        numbers = self._numbers()
        if self.form == "normal":
            return numbers[1] > 0 and self.bounds[0] < self.bounds[1]
        if self.form == "triangular":
            return numbers[0] <= numbers[1] <= numbers[2] and numbers[0] < numbers[2]
        return numbers[0] < numbers[1] and (self.form != "log_uniform" or numbers[0] > 0)

    @property
    def form(self) -> str:
        """Which of `FORMS` it has."""
        return next(form for form in FORMS if getattr(self, form) is not None)

    @property
    def is_discrete(self) -> bool:
        """Whether it takes a fixed list of values."""
        return self.form in ("levels", "integers")

    @property
    def is_number(self) -> bool:
        """Whether all its values are numbers."""
        return self.levels is None or all(_is_number(level) for level in self.levels)

    @property
    def values(self) -> tuple[Any, ...]:
        """All values of a discrete factor, in order; none of a continuous one."""
        if self.levels is not None:
            return self.levels
        return tuple(range(self.integers[0], self.integers[1] + 1)) if self.integers is not None else ()

    @property
    def bounds(self) -> Pair:
        """Lowest and highest value, ``(nan, nan)`` for levels that are no numbers."""
        if self.levels is not None:
            return (min(self.levels), max(self.levels)) if self.is_number else (math.nan, math.nan)
        if self.normal is not None:
            mean, sd = self.normal
            low, high = mean - CUT * sd, mean + CUT * sd
            return max(low, low if self.low is None else self.low), min(high, high if self.high is None else self.high)
        numbers = self._numbers()
        return numbers[0], numbers[-1]

    def from_unit(self, u: np.ndarray) -> np.ndarray:
        """Return the values for positions in [0, 1): the inverse of the cumulative distribution.

        Parameters
        ----------
        u : (n,) float64
            Positions.

        Returns
        -------
        (n,) float64, int64 or object
            Whole numbers for `integers`, floats for distributions; `levels` as they are.
        """
        u = np.asarray(u, dtype=np.float64)
        if self.is_discrete:
            count = len(self.levels) if self.levels is not None else self.integers[1] - self.integers[0] + 1  # type: ignore[index]
            places = np.minimum((u * count).astype(np.int64), count - 1)
            return places + self.integers[0] if self.integers is not None else self.column(places)
        if self.uniform is not None:
            low, high = self.uniform
            return low + u * (high - low)
        if self.log_uniform is not None:
            low, high = (math.log(bound) for bound in self.log_uniform)
            return np.clip(np.exp(low + u * (high - low)), *self.log_uniform)
        return self._normal(u) if self.normal is not None else self._triangular(u)

    def column(self, places: np.ndarray) -> np.ndarray:
        """Return levels by their places: numbers as an array of numbers, anything else as objects."""
        assert self.levels is not None
        if self.is_number:
            return np.array(self.levels)[places]
        known = np.empty(len(self.levels), dtype=object)
        known[:] = self.levels
        return known[places]

    def _normal(self, u: np.ndarray) -> np.ndarray:
        """Cut-off normal: positions are spread over the part of the distribution within the bounds."""
        from scipy.special import ndtr, ndtri

        mean, sd = self.normal  # type: ignore[misc]
        low, high = self.bounds
        below, above = ndtr((low - mean) / sd), ndtr((high - mean) / sd)
        return np.clip(mean + sd * ndtri(below + u * (above - below)), low, high)

    def _triangular(self, u: np.ndarray) -> np.ndarray:
        """Triangular, by its two branches (Kotz & van Dorp 2004, ch. 1; recalled)."""
        low, mode, high = self.triangular  # type: ignore[misc]
        turn = (mode - low) / (high - low)
        rising = low + np.sqrt(u * (high - low) * (mode - low))
        falling = high - np.sqrt((1 - u) * (high - low) * (high - mode))
        return np.where(u < turn, rising, falling)


def label(value: Any) -> Any:
    """Return a value as it stands in tables: a mapping by its name, or as JSON where that does not tell all."""
    if isinstance(value, Mapping):
        return value["name"] if set(value) == {"name"} else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return json.dumps(value) if isinstance(value, (list, tuple)) else value


def _is_number(value: Any) -> bool:
    """Whether a level is a number; true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _listed(numbers: tuple[float, ...]) -> str:
    """Return numbers in brackets."""
    return "[" + ", ".join(f"{x:g}" for x in numbers) + "]"

"""What an input may be, and what is said when it is something else."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = float | Floats
"""A number where numbers went in, an array where arrays did."""

FINITE = "(-inf, inf)"
NOT_NEGATIVE = "[0, inf)"
POSITIVE = "(0, inf)"
SHARE = "[0, 1]"


def within(where: str, name: str, value: ArrayLike, allowed: str) -> Floats:
    """Return a value as an array of floats, all of them in an interval such as ``[0, 1)``.

    NaN lies in no interval.
    """
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{where}: {name} is {value!r}; it must be numbers in {allowed}") from None
    low, high = (float(end) for end in allowed[1:-1].split(","))
    above = numbers >= low if allowed[0] == "[" else numbers > low
    below = numbers <= high if allowed[-1] == "]" else numbers < high
    if not np.all(above & below):
        found = np.atleast_1d(numbers)[~np.atleast_1d(above & below)][0]
        raise ValueError(f"{where}: {name} is {found:g}; it must lie in {allowed}")
    return numbers


def whole(where: str, name: str, value: int, least: int) -> int:
    """Return a count, which must be a whole number and no less than `least`."""
    if value != int(value) or value < least:
        raise ValueError(f"{where}: {name} is {value}; it must be a whole number of at least {least}")
    return int(value)


def some(where: str, name: str, value: ArrayLike, allowed: str) -> Floats:
    """Return a list of at least one number, all of them in an interval; more axes may stand before."""
    numbers = within(where, name, value, allowed)
    if numbers.ndim == 0 or numbers.shape[-1] == 0:
        raise ValueError(f"{where}: {name} must be a list of at least one number in {allowed}")
    return numbers


def proportions(where: str, name: str, value: ArrayLike) -> Floats:
    """Return weights divided by their sum over the last axis."""
    weights = some(where, name, value, NOT_NEGATIVE)
    totals = weights.sum(axis=-1, keepdims=True)
    if not np.all(totals > 0):
        raise ValueError(f"{where}: {name} are all 0; at least one must be positive")
    return weights / totals


def same_length(where: str, first: str, a: Floats, second: str, b: Floats) -> None:
    """Refuse two lists whose last axes differ in length."""
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"{where}: {a.shape[-1]} {first} and {b.shape[-1]} {second}; there must be as many of each")

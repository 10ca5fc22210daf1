"""What households like and remember: parameters on their own scales, and memory that follows from purchases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from churnsim.calibration.formats import Panel

LOSS_AVERSION = 2.0
"""Weight of losses against the reference price, times that of gains (Hardie, Johnson & Fader 1993; not fitted)."""

SHARED = (
    "price", "price_spread", "taste", "attachment", "memory", "switching", "reference", "adaptation", "display",
    "feature",
)  # fmt: skip
"""Parameters beside those of brands: logarithms, log-odds (memory, adaptation), or as they are (`POSITIVE`, shown)."""

LOGARITHMIC = ("price", "price_spread", "taste", "reference")

POSITIVE = ("attachment", "switching")
"""Not logarithms, so that there may be none of either."""


@dataclass(frozen=True)
class Values:
    """Parameters on their own scales, in units of choice noise at the mean price.

    Attributes
    ----------
    worth, trend, taste : (brands,) float64
        What a brand is worth at the end of the data, by how much that grew over the data, standard deviation of tastes.
    price, price_spread, attachment, memory, switching, reference, adaptation, display, feature : float
        As in `SHARED`.
    """

    worth: np.ndarray
    trend: np.ndarray
    taste: np.ndarray
    price: float
    price_spread: float
    attachment: float
    memory: float
    switching: float
    reference: float
    adaptation: float
    display: float
    feature: float


def unpack(x: np.ndarray, base: int) -> Values:
    """Return the parameters that a point of the posterior stands for."""
    brands = (x.size - len(SHARED) + 2) // 3
    others = [k for k in range(brands) if k != base]
    worth, trend = np.zeros(brands), np.zeros(brands)
    worth[others], trend[others] = x[: brands - 1], x[brands - 1 : 2 * brands - 2]
    raw = dict(zip(SHARED, x[3 * brands - 2 :], strict=True))
    taste = np.exp(raw.pop("taste") + x[2 * brands - 2 : 3 * brands - 2])
    shared = {name: float(np.exp(value) if name in LOGARITHMIC else value) for name, value in raw.items()}
    shared |= {name: float(special.expit(raw[name])) for name in ("memory", "adaptation")}
    return Values(worth, trend, taste, **shared)


@dataclass(frozen=True)
class Households:
    """What households are like when the data end, in units of choice noise and of the mean price.

    Attributes
    ----------
    taste, attachment, reference : (households, brands) float64
        Tastes, attachment and reference prices.
    weight : (households,) float64
        Price weights.
    last : (households,) int64
        Brand bought last.
    """

    taste: np.ndarray
    weight: np.ndarray
    attachment: np.ndarray
    reference: np.ndarray
    last: np.ndarray


@dataclass(frozen=True)
class Memory:
    """What households remember on each occasion, given how fast memory adapts.

    Attributes
    ----------
    attachment, reference : (rows, brands) float64
        Attachment, and reference price in units of the mean price.
    elsewhere : (rows, brands) float64
        1 where the brand is not the one bought last; 0 for all on a first occasion.
    after_attachment, after_reference : (households, brands) float64
        Both after the last occasion.
    last : (households,) int64
        Brand bought last.
    """

    attachment: np.ndarray
    reference: np.ndarray
    elsewhere: np.ndarray
    after_attachment: np.ndarray
    after_reference: np.ndarray
    last: np.ndarray


def remember(panel: Panel, price: np.ndarray, memory: float, adaptation: float) -> Memory:
    """Follow every household through its occasions (rows in order of household and occasion)."""
    rows, brands = price.shape
    starts = np.flatnonzero(np.diff(panel.household, prepend=-1))
    length = np.diff(np.append(starts, rows))
    count = starts.size
    attached, reference = np.zeros((rows, brands)), np.empty((rows, brands))
    elsewhere = np.zeros((rows, brands))
    level, used, last = np.zeros((count, brands)), price[starts].copy(), np.full(count, -1)
    for step in range(int(length.max())):
        on = np.flatnonzero(length > step)
        row = starts[on] + step
        attached[row], reference[row] = level[on], used[on]
        if step:
            elsewhere[row] = 1.0
            elsewhere[row, last[on]] = 0.0
        last[on] = panel.choice[row]
        level[on] *= 1 - memory
        level[on, last[on]] += memory
        used[on] += adaptation * (price[row] - used[on])
    return Memory(attached, reference, elsewhere, level, used, last)


def bought_usually(value: np.ndarray) -> np.ndarray:
    """Return how often households buy each brand at such values: logit."""
    odds = np.exp(value - value.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


def transaction(gain: np.ndarray) -> np.ndarray:
    """Return a gain against the reference price as it is felt (E5), before its weight."""
    return np.where(gain >= 0, gain, LOSS_AVERSION * gain)

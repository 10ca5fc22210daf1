"""Bootstrap as matrix products: multinomial weights once, every statistic a ratio of weighted means."""

from __future__ import annotations

import numpy as np

RESAMPLES = 1000
"""Resamples: enough for the ends of a 95 % interval to move by about 3 % of its width; our assumption."""


def drawn(generator: np.random.Generator, n: int, resamples: int) -> np.ndarray:
    """Return how often each of n is drawn when n are drawn with replacement, ``(resamples, n) float64``."""
    places = generator.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, np.newaxis]
    # Counting draws is several times faster than drawing counts.
    return np.bincount(places.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def weighted_means(columns: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted means of columns in which NaN means that a block has no value.

    Parameters
    ----------
    columns : (n, q) float64
    weight : (k, n) float64

    Returns
    -------
    (k, q) float64
        NaN where none of the blocks drawn has a value.
    """
    known = np.isfinite(columns)
    total = weight @ np.where(known, columns, 0.0)
    if known.all():
        return total / weight.sum(axis=1, keepdims=True)
    drawn = weight @ known
    return np.divide(total, drawn, out=np.full_like(total, np.nan), where=drawn > 0)


def percentile(resampled: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of percentile intervals over the first axis, without the resamples that have no value."""
    tail = (1 - confidence) / 2
    ends = np.full((2, *resampled.shape[1:]), np.nan)
    known = np.isfinite(resampled).any(axis=0)
    if known.any():
        ends[:, known] = np.nanquantile(resampled[:, known], (tail, 1 - tail), axis=0)
    return ends[0], ends[1]

r"""Intervals of ratios of two means: Student's t after Fieller, from lots of data that are independent of each other.

A ratio of estimates is neither normal nor unbiased, and a bootstrap of few lots inherits both faults. But for any
candidate :math:`\theta` the number :math:`top - \theta\,bottom` is a plain mean, with expectation zero if the candidate
is the truth. The interval is all candidates that Student's t test of that mean does not refuse (Fieller 1954, J. R.
Stat. Soc. B 16, 175-185, recalled): the roots of a quadratic. Where the bottom itself cannot be told from zero, no
candidate beyond some point is refused, and the interval says so by reaching to the end of what the ratio can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Source:
    """One source of uncertainty: what each of its independent lots adds to the means.

    Attributes
    ----------
    top, bottom : (k, q) float64
        By how much lot and ratio; the sums of squares over lots are the variances of the means.
    degrees : int
        Of freedom.
    """

    top: np.ndarray
    bottom: np.ndarray
    degrees: int


def lots(columns: np.ndarray, number: int) -> np.ndarray:
    """Return what each lot of rows adds to the columns' means, scaled to the means' standard errors.

    Parameters
    ----------
    columns : (n, q) float64
        Rows that are dealt to lots in turn: the first to the first lot, the next to the second, and so on. NaN where a
        row has no value.
    number
        Of lots, each independent of the others; at most n.

    Returns
    -------
    (number, q) float64
        Products of two columns, summed over lots, are the covariance of their means.
    """
    known = np.isfinite(columns)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, columns, 0.0).sum(axis=0) / count
    apart = np.where(known, columns - mean, 0.0) / count
    out = np.zeros((number, columns.shape[1]))
    np.add.at(out, np.arange(len(columns)) % number, apart)
    return out * np.sqrt(number / (number - 1))


def left_out(without: np.ndarray) -> np.ndarray:
    """Return the jackknife's scatter of a statistic from its values with each replication left out in turn.

    Parameters
    ----------
    without : (m, q) float64

    Returns
    -------
    (m, q) float64
        Of the scale of `lots` (Efron & Stein 1981, doi:10.1214/aos/1176345462).
    """
    m = len(without)
    return (without - without.mean(axis=0)) * np.sqrt((m - 1) / m)


def fieller(
    top: np.ndarray, bottom: np.ndarray, sources: Sequence[Source], confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the intervals of ratios that are known to be between 0 and 1.

    Parameters
    ----------
    top, bottom : (q,) float64
        Means; the bottoms are above zero.
    sources
        Their uncertainty, one source independent of the other.
    confidence
        Of the intervals.

    Returns
    -------
    low, high : (q,) float64
        Nothing is cut off at 0 and 1 as long as the bottom can be told from zero. Where it cannot, the interval is what
        the test leaves of the range from 0 to 1.
    """
    from scipy.special import stdtrit

    ratio = top / bottom
    parts = np.array([((s.top - ratio * s.bottom) ** 2).sum(axis=0) for s in sources])
    degrees = np.array([s.degrees for s in sources], dtype=np.float64)[:, np.newaxis]
    with np.errstate(invalid="ignore", divide="ignore"):
        # Several sources: the degrees of freedom of Satterthwaite (1946, doi:10.2307/3002019).
        shared = parts.sum(axis=0) ** 2 / (parts**2 / degrees).sum(axis=0)
    t = stdtrit(np.where(np.isfinite(shared), shared, degrees.min()), 0.5 + confidence / 2)
    a = bottom**2 - t**2 * sum((s.bottom**2).sum(axis=0) for s in sources)
    b = top * bottom - t**2 * sum((s.top * s.bottom).sum(axis=0) for s in sources)
    c = top**2 - t**2 * sum((s.top**2).sum(axis=0) for s in sources)
    root = np.sqrt(np.maximum(b**2 - a * c, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = np.sort([(b - root) / a, (b + root) / a], axis=0)
    low, high = ends[0], ends[1]
    # With a <= 0 what is *between* the roots is refused, if they are real at all.
    open_ended = a <= 0
    gap = open_ended & (b**2 > a * c) & np.isfinite(ends).all(axis=0)
    least, most = np.minimum(ratio, 0.0), np.maximum(ratio, 1.0)
    low = np.where(open_ended, np.where(gap & (ends[0] < least) & (least < ends[1]), ends[1], least), low)
    high = np.where(open_ended, np.where(gap & (ends[0] < most) & (most < ends[1]), ends[0], most), high)
    # What is exactly zero, block by block, is zero whatever it is divided by.
    nothing = (top == 0) & (c == 0)
    return np.where(nothing, 0.0, low), np.where(nothing, 0.0, high)

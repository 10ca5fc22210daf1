"""Comparisons under common random numbers: two arms, replication by replication.

Arms of a study meet the same customers with the same luck, so what is compared is not two means but the mean of the
differences, whose variance is often several times smaller. How many times is printed (the *gain*): where it is below
1, sharing luck did harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnsim.studies.intervals import Interval, interval, is_proportion, wilson

_ROUNDING = 1e-12
"""Spread of differences, as a share of the values, that is rounding and no difference."""


@dataclass(frozen=True)
class Difference:
    """How one arm differs from another in one outcome, paired by replication.

    Attributes
    ----------
    mean : float
        Ours less the other's, in the outcome's unit.
    low, high : float
        Confidence interval of the mean difference; NaN with one pair.
    method : str
        ``t``, ``skew`` (t corrected for skewed differences), ``newcombe`` (proportions) or ``same`` (all differences
        are one number).
    p_value : float
        Of the paired t test of no difference (exact sign test for proportions).
    better, worse, pairs : int
        Pairs in which ours is the better, the worse (by the direction asked for), and pairs in all.
    within : float or None
        Probability that the mean difference is smaller than the indifference, where one is given.
    ahead : float or None
        Probability that ours is better by more than the indifference.
    gain : float
        By how much sharing luck divides the variance of the difference; NaN where the difference does not vary.
    """

    mean: float
    low: float
    high: float
    method: str
    p_value: float
    better: int
    worse: int
    pairs: int
    within: float | None
    ahead: float | None
    gain: float


def paired(
    ours: np.ndarray,
    other: np.ndarray,
    *,
    more_is_better: bool = True,
    confidence: float = 0.95,
    indifference: float | None = None,
) -> Difference:
    """Compare two arms.

    Parameters
    ----------
    ours, other : (n,) float
        Outcomes per replication, in the same order of replications. Pairs of which one is missing are left out.
    more_is_better
        Direction of the outcome.
    confidence
        Of the interval.
    indifference
        Smallest difference that matters, in the outcome's unit.

    Returns
    -------
    Difference
    """
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"pairs need as many values on either side, not {a.shape} and {b.shape}")
    there = np.isfinite(a) & np.isfinite(b)
    a, b = a[there], b[there]
    gaps = a - b
    n = gaps.size
    if n and np.ptp(gaps) <= _ROUNDING * max(np.abs(a).max(), np.abs(b).max()):
        gaps = np.full(n, gaps.mean())
    if n == 0:
        return Difference(np.nan, np.nan, np.nan, "t", np.nan, 0, 0, 0, None, None, np.nan)
    binary = is_proportion(np.concatenate([a, b]))
    found = _interval(a, b, gaps, binary, confidence)
    good = gaps if more_is_better else -gaps
    spread = float(gaps.var(ddof=1)) if n > 1 and np.ptp(gaps) > 0 else 0.0
    alone = float(a.var(ddof=1) + b.var(ddof=1)) if n > 1 else np.nan
    within, ahead = _zone(good, indifference)
    return Difference(
        mean=float(gaps.mean()),
        low=found.low,
        high=found.high,
        method=found.method,
        p_value=_p_value(gaps, binary),
        better=int((good > 0).sum()),
        worse=int((good < 0).sum()),
        pairs=n,
        within=within,
        ahead=ahead,
        gain=alone / spread if spread > 0 else np.nan,
    )


def newcombe(ours: np.ndarray, other: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Return Newcombe's interval of a difference of paired proportions.

    Method 10 of Newcombe (1998, Stat. Med. 17, 2635-2650; recalled): Wilson's intervals of both, squared and added,
    less what their correlation takes away. Unlike t it has a width where all pairs agree.
    """
    n = ours.size
    both, first = float((ours * other).sum()), float((ours * (1 - other)).sum())
    second, none = float(((1 - ours) * other).sum()), float(((1 - ours) * (1 - other)).sum())
    p, q = (both + first) / n, (both + second) / n
    (l1, u1), (l2, u2) = wilson(both + first, n, confidence), wilson(both + second, n, confidence)
    product = (both + first) * (second + none) * (both + second) * (first + none)
    phi = 0.0
    if product > 0:
        numerator = both * none - first * second
        # The continuity correction of a positive correlation that Newcombe advises.
        phi = max(numerator - n / 2, 0.0) / np.sqrt(product) if numerator > 0 else numerator / np.sqrt(product)
    down = np.sqrt(max((p - l1) ** 2 - 2 * phi * (p - l1) * (u2 - q) + (u2 - q) ** 2, 0.0))
    up = np.sqrt(max((u1 - p) ** 2 - 2 * phi * (u1 - p) * (q - l2) + (q - l2) ** 2, 0.0))
    return p - q - float(down), p - q + float(up)


def _interval(a: np.ndarray, b: np.ndarray, gaps: np.ndarray, binary: bool, confidence: float) -> Interval:
    """Choose the interval that the differences call for."""
    n, mean = gaps.size, float(gaps.mean())
    if n < 2:
        return Interval(mean, np.nan, np.nan, "t", n)
    if binary:
        return Interval(mean, *newcombe(a, b, confidence), "newcombe", n)
    if np.ptp(gaps) == 0:
        return Interval(mean, mean, mean, "same", n)
    return interval(gaps, confidence)


def _p_value(gaps: np.ndarray, binary: bool) -> float:
    """Return the two-sided p value of no difference."""
    from scipy.special import bdtr, stdtr

    n = gaps.size
    if n < 2:
        return np.nan
    if binary:
        ups, downs = int((gaps > 0).sum()), int((gaps < 0).sum())
        return min(1.0, 2 * float(bdtr(min(ups, downs), ups + downs, 0.5))) if ups + downs else 1.0
    spread = gaps.std(ddof=1)
    if spread == 0:
        return 1.0 if gaps.mean() == 0 else 0.0
    return float(2 * stdtr(n - 1, -abs(gaps.mean()) / spread * np.sqrt(n)))


def _zone(good: np.ndarray, indifference: float | None) -> tuple[float | None, float | None]:
    """Return the probabilities that the mean difference is within the indifference, and above it.

    By Student's t around the mean: the posterior of a normal mean when nothing was known before.
    """
    from scipy.special import stdtr

    if indifference is None or good.size < 2:
        return None, None
    n, mean = good.size, float(good.mean())
    error = float(good.std(ddof=1)) / np.sqrt(n)
    if error == 0:
        return float(abs(mean) < indifference), float(mean >= indifference)
    upper, lower = ((edge - mean) / error for edge in (indifference, -indifference))
    return float(stdtr(n - 1, upper) - stdtr(n - 1, lower)), float(1 - stdtr(n - 1, upper))

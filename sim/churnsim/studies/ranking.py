"""Many arms: which may be the best, and which differ from a baseline, with the price of many looks paid.

Picking the arm with the highest mean and testing it against the rest finds "the best" in pure luck. What can be said is
which arms are *not* the best (the others are the subset that contains it), how far each is from the best of the others,
and which differ from a baseline after Holm's correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from churnsim.studies.bootstrap import drawn
from churnsim.studies.problems import StudyDataError
from churnsim.studies.statistics import Difference, paired

RESAMPLES = 2000
"""Resamples for the probability of being best."""


@dataclass(frozen=True)
class Ranking:
    """Arms in the order of their means, the best first.

    Attributes
    ----------
    arms : tuple of str
    means : (k,) float64
        In the outcome's unit.
    candidates : (k,) bool
        Whether the arm may be the best: together they contain it with the confidence asked for (all-pairwise screening
        with paired variances and Bonferroni; Nelson, Swann, Goldsman & Song 2001, doi:10.1287/opre.49.6.950.10019).
    gap_low, gap_high : (k,) float64
        Interval of the mean less that of the best of the others (multiple comparisons with the best; Hsu 1984; with
        common random numbers Nelson & Matejcik 1995, doi:10.1287/mnsc.41.12.1935); in the outcome's unit, and positive
        where the arm is better, whichever direction is.
    best : (k,) float64
        Share of joint resamples of the replications in which the arm has the best mean.
    confidence : float
    replications : int
        In which all arms have a value.
    """

    arms: tuple[str, ...]
    means: np.ndarray
    candidates: np.ndarray
    gap_low: np.ndarray
    gap_high: np.ndarray
    best: np.ndarray
    confidence: float
    replications: int


def rank(
    values: np.ndarray,
    arms: Sequence[str],
    *,
    more_is_better: bool = True,
    confidence: float = 0.95,
    seed: int = 0,
) -> Ranking:
    """Rank arms that were run with common random numbers.

    Parameters
    ----------
    values : (R, k) float
        Outcome per replication and arm; replications in which an arm is missing are left out.
    arms
        Names of the k arms.
    more_is_better, confidence
        Direction and confidence.
    seed
        Of the bootstrap.

    Raises
    ------
    StudyDataError
        If there are fewer than two arms or two whole replications.
    """
    from scipy.special import stdtrit

    table = np.asarray(values, dtype=np.float64)
    table = table[np.isfinite(table).all(axis=1)]
    n, k = table.shape
    if k < 2:
        raise StudyDataError("one_arm", {"found": arms[0] if len(arms) else ""})
    if n < 2:
        raise StudyDataError("few_replications", {"found": n, "least": 2})
    good = table if more_is_better else -table
    order = np.argsort(-good.mean(axis=0), kind="stable")
    good = good[:, order]
    gaps = good[:, :, np.newaxis] - good[:, np.newaxis, :]
    mean_gap = gaps.mean(axis=0)
    # The best is compared with k - 1 others; those comparisons are all that has to hold at once.
    margin = float(stdtrit(n - 1, 1 - (1 - confidence) / (k - 1))) * gaps.std(axis=0, ddof=1) / np.sqrt(n)
    others = ~np.eye(k, dtype=bool)
    candidates: np.ndarray = ((mean_gap >= -margin) | ~others).all(axis=1)
    upper = np.where(others, mean_gap + margin, np.inf).min(axis=1)
    lower = np.array([_lower(mean_gap, margin, candidates, i) for i in range(k)])
    generator = np.random.default_rng([seed, n, k])
    means = drawn(generator, n, RESAMPLES) @ good
    # Equal means share a first place: an arm compared with itself is the best in half of the cases, not in all.
    first = means == means.max(axis=1, keepdims=True)
    return Ranking(
        arms=tuple(arms[i] for i in order),
        means=table.mean(axis=0)[order],
        candidates=candidates,
        gap_low=np.minimum(lower, 0.0),
        gap_high=np.maximum(upper, 0.0),
        best=(first / first.sum(axis=1, keepdims=True)).mean(axis=0),
        confidence=confidence,
        replications=n,
    )


def against(
    values: np.ndarray,
    arms: Sequence[str],
    baseline: str,
    *,
    more_is_better: bool = True,
    confidence: float = 0.95,
    indifference: float | None = None,
) -> dict[str, tuple[Difference, float]]:
    """Compare every arm with a baseline.

    Parameters
    ----------
    values, arms
        As for `rank`.
    baseline
        One of the arms.
    more_is_better, confidence, indifference
        As for `churnsim.studies.statistics.paired`.

    Returns
    -------
    dict
        Per other arm its difference and its p value after Holm's correction (Holm 1979, recalled): the chance of even
        one false finding among all of them stays at the level that the p value is held against.
    """
    place = list(arms).index(baseline)
    found = {
        arm: paired(
            values[:, i], values[:, place],
            more_is_better=more_is_better, confidence=confidence, indifference=indifference,
        )
        for i, arm in enumerate(arms)
        if i != place
    }  # fmt: skip
    corrected = holm(np.array([difference.p_value for difference in found.values()]))
    return {arm: (difference, float(p)) for (arm, difference), p in zip(found.items(), corrected, strict=True)}


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p values corrected for their number by Holm's step-down method; missing ones stay missing."""
    p = np.asarray(p_values, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    out = np.full(p.shape, np.nan)
    out[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1.0)
    return out


def _lower(mean_gap: np.ndarray, margin: np.ndarray, candidates: np.ndarray, i: int) -> float:
    """Return how far an arm is at worst behind the best of the others, of which only candidates can be the best."""
    rivals = [j for j in np.flatnonzero(candidates) if j != i]
    return float(min(mean_gap[i, j] - margin[i, j] for j in rivals)) if rivals else 0.0

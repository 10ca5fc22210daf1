"""How far an outcome swings from a factor's lowest to its highest values: what tornado diagrams show, of any design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from churnsim.studies.given import noise_share
from churnsim.studies.intervals import Interval, student
from churnsim.studies.missing import refuse_many

ENDS = 0.2
"""Share of the rows that stand for the low, and the high, end of a factor of many values; our assumption."""

FEW_VALUES = 12
"""Values up to which a factor counts as one of levels, and its ends are the first and the last one; our assumption."""


@dataclass(frozen=True)
class Swings:
    """Mean outcome at either end of every factor, over all values of the others.

    Attributes
    ----------
    factors : tuple of str
    ends : tuple of (object, object)
        What stands for the low and the high end: two levels, or the means of the lowest and highest fifth.
    at_low, at_high : (D,) float64
        Mean outcomes.
    swing, low, high : (D,) float64
        ``at_high`` less ``at_low``, with its interval; of a grid run once there is none.
    sampled : bool
        Whether the intervals cover the choice of rows too.
    mean : float
        Of all runs.
    noise : float
        Share of a single run's variance that is luck; NaN with one replication.
    replications, runs, missing : int
    """

    factors: tuple[str, ...]
    ends: tuple[tuple[Any, Any], ...]
    at_low: np.ndarray
    at_high: np.ndarray
    swing: np.ndarray
    low: np.ndarray
    high: np.ndarray
    sampled: bool
    mean: float
    noise: float
    replications: int
    runs: int
    missing: int

    @property
    def inert(self) -> np.ndarray:
        """Which swings cannot be told from zero, ``(D,) bool``."""
        return ~((self.low > 0) | (self.high < 0))


def swings(
    values: np.ndarray, columns: Mapping[str, Sequence[Any] | np.ndarray], *, sampled: bool, confidence: float = 0.95
) -> Swings:
    """Return how far the outcome swings with every factor.

    Parameters
    ----------
    values : (m, n) float64
        Outcome per replication and design row; NaN where a run failed. The rows of a replication are compared with
        each other only, so that seeds which they share cancel.
    columns
        Per factor its value in each of the n rows: numbers, or levels in the order of their first appearance.
    sampled
        Whether the rows are a sample of independent points, and intervals cover their choice besides luck. A grid is no
        sample: its intervals are over replications.
    confidence
        Of the intervals.
    """
    table = np.asarray(values, dtype=np.float64)
    refuse_many(table)
    ends, at_low, at_high, gaps = [], [], [], []
    for column in columns.values():
        end, is_low, is_high = _ends(column)
        lows, highs = np.nanmean(table[:, is_low], axis=1), np.nanmean(table[:, is_high], axis=1)
        ends.append(end)
        at_low.append(float(lows.mean()))
        at_high.append(float(highs.mean()))
        gaps.append(_of_rows(table, is_low, is_high, confidence) if sampled else student(highs - lows, confidence))
    return Swings(
        factors=tuple(columns),
        ends=tuple(ends),
        at_low=np.array(at_low),
        at_high=np.array(at_high),
        swing=np.array([gap.value for gap in gaps]),
        low=np.array([gap.low for gap in gaps]),
        high=np.array([gap.high for gap in gaps]),
        sampled=sampled,
        mean=float(np.nanmean(table)),
        noise=noise_share(table)[0],
        replications=len(table),
        runs=table.size,
        missing=int(np.isnan(table).sum()),
    )


def _of_rows(table: np.ndarray, is_low: np.ndarray, is_high: np.ndarray, confidence: float) -> Interval:
    """Return the interval of a swing from how much the rows at either end differ: by their luck, too."""
    from scipy.special import ndtri

    means = np.nanmean(table, axis=0)
    ends = [means[rows] for rows in (is_high, is_low)]
    gap = float(np.nanmean(ends[0]) - np.nanmean(ends[1]))
    error = np.sqrt(sum(np.nanvar(end, ddof=1) / np.isfinite(end).sum() for end in ends))
    half = float(ndtri(0.5 + confidence / 2) * error)
    return Interval(gap, gap - half, gap + half, "normal", len(table))


def _ends(column: Sequence[Any] | np.ndarray) -> tuple[tuple[Any, Any], np.ndarray, np.ndarray]:
    """Return what stands for a factor's ends, and which rows are at the low and at the high one."""
    values = np.asarray(column)
    if values.dtype.kind not in "iuf":
        names = list(dict.fromkeys(column))
        return (
            (names[0], names[-1]),
            np.array([v == names[0] for v in column]),
            np.array([v == names[-1] for v in column]),
        )
    distinct = np.unique(values)
    if len(distinct) <= FEW_VALUES:
        return (distinct[0].item(), distinct[-1].item()), values == distinct[0], values == distinct[-1]
    count = max(1, round(ENDS * len(values)))
    order = np.argsort(values, kind="stable")
    is_low, is_high = np.zeros(len(values), bool), np.zeros(len(values), bool)
    is_low[order[:count]], is_high[order[-count:]] = True, True
    return (float(values[is_low].mean()), float(values[is_high].mean())), is_low, is_high

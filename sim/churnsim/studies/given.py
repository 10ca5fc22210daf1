"""What SALib's analyses of given data, and FAST, can say of a noisy simulation: on means over replications.

None of these separates luck from factors: what noise is left in the means counts as unexplained (first-order indices
come out too small) or as interaction (FAST's total ones too large). How much is left is said beside them. Their
intervals come from drawing replications, or rows, anew, where that is sound; SALib's own are not used (those of FAST
are known not to be intervals of it at all, SALib issue 649).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from churnsim.studies import salib
from churnsim.studies.bootstrap import percentile
from churnsim.studies.designs import FAST_HARMONICS
from churnsim.studies.missing import refuse_many
from churnsim.studies.problems import StudyDataError

Of = Callable[[np.ndarray], np.ndarray]
"""From a mean outcome, or from rows, to indices."""

RBD_HARMONICS = 10
"""Harmonics that RBD-FAST sums: SALib's choice (Tarantola, Gatelli & Mara 2006, doi:10.1016/j.ress.2005.06.003)."""

PAWN_SLICES = 10
"""Slices of each factor's range; Pianosi & Wagener (2018, doi:10.1016/j.envsoft.2018.07.019)."""

LEAST_REPLICATIONS = 5
"""Replications from which drawing them anew says something of the noise; our assumption."""

RESAMPLES = 200
"""Resamples: each is a whole analysis."""

LEAST_ROWS = 50
"""Rows below which a given-data analysis is refused; our assumption (RBD-FAST's 10 harmonics need more than 20)."""


@dataclass(frozen=True)
class SeedAveraged:
    """Indices of one outcome, worked out from means over replications.

    Attributes
    ----------
    method : str
        ``fast``, ``rbd_fast`` or ``pawn``.
    factors : tuple of str
    indices : dict of str to (3, D) float64
        By name (``S1``, ``ST``; PAWN's ``median`` and ``maximum``) value, low and high; NaN where there is no interval.
    covers : str
        What the intervals cover: ``noise`` (replications were drawn anew), ``sample`` (rows were) or ``nothing``.
    noise : float
        Share of a single run's variance that is luck; NaN with one replication.
    left : float
        Share of the means' variance that is still luck.
    baseline : (3,) float64 or None
        PAWN's median index of an inert factor: 0 to say, but never 0 in a sample.
    replications, runs, missing : int
    """

    method: str
    factors: tuple[str, ...]
    indices: dict[str, np.ndarray]
    covers: str
    noise: float
    left: float
    replications: int
    runs: int
    missing: int
    baseline: np.ndarray | None = field(default=None)


def fast_indices(
    values: np.ndarray, factors: Sequence[str], *, confidence: float = 0.95, seed: int = 0, resamples: int = RESAMPLES
) -> SeedAveraged:
    """Return FAST's first-order and total indices.

    Parameters
    ----------
    values : (m, n) float64
        Outcome per replication and design row, in the order of the ``fast`` design. Nothing may be missing in all
        replications of a row: the method needs every point of its curves.
    factors
        Names in the order of the curves.
    confidence, seed, resamples
        Of the intervals, which cover the noise alone: a search curve has no sample to draw anew.
    """
    from SALib.analyze import fast

    means, noise, left = _averaged(values)
    if not np.isfinite(means).all():
        raise StudyDataError("curve_broken", {"count": int((~np.isfinite(means)).sum())})
    problem = salib.problem_of(factors)

    def of(y: np.ndarray) -> np.ndarray:
        """Return S1 and ST of a mean outcome."""
        # Two resamples, since SALib computes intervals whether or not anybody wants them.
        found = salib.analyse(fast.analyze, problem, y, M=FAST_HARMONICS, num_resamples=2, seed=seed)
        return np.stack([found["S1"], found["ST"]]).astype(np.float64)

    point = of(means)
    low, high = _over_replications(values, of, point, confidence, seed, resamples)
    return SeedAveraged(
        "fast", tuple(factors), {name: np.stack([point[i], low[i], high[i]]) for i, name in enumerate(("S1", "ST"))},
        "noise" if np.isfinite(low).any() else "nothing", noise, left, len(values), values.size,
        int(np.isnan(values).sum()),
    )  # fmt: skip


def sample_indices(
    method: str,
    values: np.ndarray,
    points: np.ndarray,
    factors: Sequence[str],
    *,
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> SeedAveraged:
    """Return the indices of any sample, such as a Latin hypercube, by a method that asks for no design of its own.

    Parameters
    ----------
    method
        ``rbd_fast``: first-order indices by RBD-FAST. ``pawn``: how far a factor moves the whole distribution of the
        outcome; ``baseline`` is then the median index of a factor that does nothing, from outcomes in shuffled order,
        and an index within it is no finding.
    values : (m, n) float64
        Outcome per replication and row; NaN where a run failed.
    points : (n, d) float64
        Positions in the unit cube.
    factors
        Names of the d factors.
    confidence, seed, resamples
        Of the intervals, which cover the choice of rows. RBD-FAST's come from drawing half of the rows without
        replacement: with replacement, doubled rows would count as a pattern. PAWN's come from drawing rows anew.
    """
    means, noise, left = _averaged(values)
    means, points = _complete(means, points)
    of = {"rbd_fast": _rbd_fast, "pawn": _pawn_of}[method]
    indices, baseline = of(means, points, salib.problem_of(factors), confidence, seed, resamples)
    return SeedAveraged(
        method, tuple(factors), indices, "sample", noise, left, len(values), values.size, int(np.isnan(values).sum()),
        baseline,
    )  # fmt: skip


Found = tuple[dict[str, np.ndarray], np.ndarray | None]
"""Indices by name, with their intervals; and the index of an inert factor where there is one."""


def _rbd_fast(
    means: np.ndarray, points: np.ndarray, problem: dict[str, Any], confidence: float, seed: int, resamples: int
) -> Found:
    """Return first-order indices by RBD-FAST, with intervals from halves of the rows."""
    from SALib.analyze import rbd_fast

    def of(rows: np.ndarray) -> np.ndarray:
        """Return S1 from some rows."""
        found = salib.analyse(
            rbd_fast.analyze, problem, points[rows], means[rows], M=RBD_HARMONICS, num_resamples=2, seed=seed
        )
        return found["S1"].astype(np.float64)

    n = len(means)
    point = of(np.arange(n))
    low, high = _from_halves(of, point, n, confidence, seed, resamples)
    return {"S1": np.stack([point, low, high])}, None


def _pawn_of(
    means: np.ndarray, points: np.ndarray, problem: dict[str, Any], confidence: float, seed: int, resamples: int
) -> Found:
    """Return PAWN's indices, with intervals from rows drawn anew, and the median index of an inert factor."""
    from scipy.special import ndtri

    salib.checked_output(means)
    n = len(means)
    slices = _slices(points)
    generator = np.random.default_rng([seed, n])
    point = _pawn(means, slices)
    drawn, still = [], []
    for _ in range(resamples):
        rows = generator.integers(n, size=n)
        drawn.append(_pawn(means[rows], slices[rows]))
        still.append(_pawn(generator.permutation(means), slices)[0])
    # The spread of the resamples is that of the index; their centre is not, since doubled rows look like a pattern.
    half = float(ndtri(0.5 + confidence / 2)) * np.nanstd(np.array(drawn), axis=0, ddof=1)
    low, high = np.clip(point - half, 0, 1), np.clip(point + half, 0, 1)
    tail = (1 - confidence) / 2
    indices = {name: np.stack([point[i], low[i], high[i]]) for i, name in enumerate(("median", "maximum"))}
    return indices, np.array([np.mean(still), *np.quantile(still, (tail, 1 - tail))])


def _slices(points: np.ndarray) -> np.ndarray:
    """Return in which of a factor's slices of equal size each row is, ``(n, d) int``; the largest value is in none."""
    edges = np.quantile(points, np.arange(PAWN_SLICES + 1) / PAWN_SLICES, axis=0)
    places = [np.searchsorted(edges[:, j], points[:, j], side="right") - 1 for j in range(points.shape[1])]
    return np.stack(places, axis=1)


def _pawn(y: np.ndarray, slices: np.ndarray) -> np.ndarray:
    """Return median and maximum over slices of the Kolmogorov-Smirnov distance from the whole, ``(2, d)``.

    The index of Pianosi & Wagener (2015, doi:10.1016/j.envsoft.2015.01.004), all slices of a factor at once.
    """
    order = np.argsort(y, kind="stable")
    ordered = y[order]
    # Among equal values only the last step of a distribution function counts.
    last = np.append(ordered[1:] != ordered[:-1], True)
    whole = (np.arange(len(y)) + 1)[last] / len(y)
    found = np.full((2, slices.shape[1]), np.nan)
    for j in range(slices.shape[1]):
        member = slices[order, j, np.newaxis] == np.arange(PAWN_SLICES)
        steps = np.cumsum(member, axis=0)
        size = steps[-1]
        there = size > 0
        distance = np.abs(steps[last][:, there] / size[there] - whole[:, np.newaxis]).max(axis=0)
        found[:, j] = np.median(distance), distance.max()
    return found


def noise_share(values: np.ndarray) -> tuple[float, float]:
    """Return which share of a single run's variance is luck, and which of the means' over replications still is.

    Parameters
    ----------
    values : (m, n) float64
        Outcome per replication and design row; NaN where a run failed.

    Returns
    -------
    share, left : float
        NaN with one replication (analysis of variance, two-way for what rows share).
    """
    known = np.isfinite(values)
    count = known.sum(axis=0)
    usable = count > 1
    if usable.sum() < 2:
        return np.nan, np.nan
    table = values[:, usable]
    means = np.nanmean(table, axis=0)
    within = float(np.nanvar(table, axis=0, ddof=1).mean())
    of_means = float(means.var(ddof=1))
    # Luck that all rows share (common random numbers) moves their means together, and explains no difference.
    apart = table - means
    apart = apart - np.nanmean(apart, axis=1, keepdims=True)
    degrees = (usable.sum() - 1) * (1 - 1 / len(values)) * np.isfinite(table).sum() / usable.sum()
    still = float(np.nansum(apart**2)) / degrees * float(np.mean(1 / count[usable]))
    between = of_means - still
    whole = between + within
    share = within / whole if whole > 0 else np.nan
    return float(share), float(min(still / of_means, 1.0)) if of_means > 0 else np.nan


def _averaged(values: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return means over replications, and how much of what is luck."""
    refuse_many(values)
    known = np.isfinite(values)
    count = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    means = np.divide(sums, count, out=np.full(count.shape, np.nan), where=count > 0)
    return means, *noise_share(values)


def _complete(means: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that have a mean; refuse too few."""
    there = np.isfinite(means)
    if there.sum() < LEAST_ROWS:
        raise StudyDataError("few_rows", {"found": int(there.sum()), "least": LEAST_ROWS})
    return means[there], points[there]


def _over_replications(
    values: np.ndarray, of: Of, point: np.ndarray, confidence: float, seed: int, resamples: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval from drawing replications anew, or NaN where they are too few."""
    m = len(values)
    if m < LEAST_REPLICATIONS:
        return np.full_like(point, np.nan), np.full_like(point, np.nan)
    generator = np.random.default_rng([seed, m])
    drawn = []
    for _ in range(resamples):
        means = np.nanmean(values[generator.integers(m, size=m)], axis=0)
        if np.isfinite(means).all() and np.ptp(means) > 0:
            drawn.append(of(means))
    return percentile(np.array(drawn), confidence)


def _from_halves(
    of: Of, point: np.ndarray, n: int, confidence: float, seed: int, resamples: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a normal interval from halves of the rows: their spread, less sqrt(2) for being halves of a finite lot.

    A half drawn without replacement differs from the whole by as much as the whole from the truth (half-sampling).
    """
    from scipy.special import ndtri

    generator = np.random.default_rng([seed, n])
    gaps = np.array([of(np.sort(generator.permutation(n)[: n // 2])) - point for _ in range(resamples)])
    half = float(ndtri(0.5 + confidence / 2)) * np.sqrt((gaps**2).mean(axis=0))
    return point - half, point + half

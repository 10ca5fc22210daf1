r"""Sobol' indices of a noisy simulation: products across replications, so that noise cancels instead of adding up.

Averaging replications is not enough: what is left of the noise makes every factor look important, inert ones too (an
inert factor had a total index of 0.14 after averaging 8 replications, and 0.55 without averaging). Here no value is
ever multiplied by itself. Every product takes its two sides from *different* replications and is averaged over all
pairs of them, which makes every variance in the formulas that of the expected outcome:

.. math::
    cross(P, Q) = \frac{\sum_r P_r \sum_r Q_r - \sum_r P_r Q_r}{m (m - 1)}

    V = E[cross(A, A) + cross(B, B)] / 2 - cross(E[A, B], E[A, B])

    S_j = E[cross(B, AB_j - A)] / V \qquad T_j = E[cross(A - AB_j, A - AB_j)] / 2 V

    noise\ share = 1 - V / V_{one\ run}

The expectations are over base points (*blocks*), which come from several Sobol' sequences, each scrambled on its own:
what differs between those is the error, and one sequence alone does not show it (it can be ten times smaller than that
of random points, and three times larger). Intervals are Student's t after Fieller (`churnsim.studies.ratios`).

First-order indices are Saltelli's (Saltelli et al. 2010, doi:10.1016/j.cpc.2009.09.018), total ones Jansen's (Jansen
1999, doi:10.1016/S0010-4655(98)00154-4), second-order ones Saltelli's (2002, doi:10.1016/S0010-4655(02)00280-1);
without noise they are the numbers that SALib gives. With the same seeds within a block (common random numbers) an
inert factor is exactly 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from churnsim.studies.bootstrap import RESAMPLES, drawn, weighted_means
from churnsim.studies.designs import SEQUENCES
from churnsim.studies.missing import refuse_many
from churnsim.studies.problems import StudyDataError
from churnsim.studies.products import cross, mean_of
from churnsim.studies.ratios import Source, fieller, left_out, lots
from churnsim.studies.signs import told_from_nothing

if TYPE_CHECKING:
    import pandas as pd

SEED_SPECIFIC = "seed-specific, noise not separated"
"""What is written beside indices from one replication."""

LEAST_BLOCKS = 8
"""Blocks with which an interval means anything at all; our assumption."""

LEAST_COMMON = 3
"""Replications from which luck that all blocks share can be told: the jackknife leaves one out, and two make a pair."""

_SURE = 4.0
"""Standard errors at which the next study's variance is told from zero in 98 % of cases: t and two more."""


@dataclass(frozen=True)
class SobolIndices:
    """Sobol' indices of one outcome.

    Attributes
    ----------
    factors : tuple of str
        Factors or groups, in the order of the columns.
    first, total : dict of str to (D,) float64
        ``value``, ``low``, ``high`` of the first-order and total indices.
    second : dict of str to (D, D) float64, or None
        The same of second-order indices, above the diagonal.
    told : (D,) bool
        Whether the factor does anything, by a test of signs (`churnsim.studies.signs`); with one replication, whether
        the interval of its total index is above zero.
    top : (D,) float64
        Share of resamples in which the factor's total index is the largest: how sure its first place is.
    noise : (3,) float64
        Share of a single run's variance that is luck, and its interval; NaN with one replication.
    bounds : dict of str to (D, 2) float64, or None
        Where runs failed: first and total indices if every failed run had had whichever of the lowest and highest
        outcome seen moves the index most.
    variance : float
        Of the expected outcome over the factors' ranges, in the outcome's unit squared.
    blocks, replications, runs, missing : int
        What there was, and how many runs had no value.
    enough : int or None
        Where the variance itself cannot be told from luck, and intervals reach to 0 or 1: blocks with which it could.
    covers_luck : bool
        Whether intervals cover the luck that all blocks share, where they share it.
    label : str or None
        `SEED_SPECIFIC` with one replication.
    """

    factors: tuple[str, ...]
    first: dict[str, np.ndarray]
    total: dict[str, np.ndarray]
    second: dict[str, np.ndarray] | None
    told: np.ndarray
    top: np.ndarray
    noise: np.ndarray
    bounds: dict[str, np.ndarray] | None
    variance: float
    blocks: int
    replications: int
    runs: int
    missing: int
    enough: int | None
    covers_luck: bool
    label: str | None = field(default=None)

    @property
    def inert(self) -> np.ndarray:
        """Which factors cannot be told from ones that do nothing, ``(D,) bool``."""
        return ~self.told


@dataclass(frozen=True)
class _Parts:
    """Per block what the indices are ratios of; NaN where replications are missing."""

    columns: np.ndarray  # (N, q): mean of each replication, variance part, one-run square, S1 x D, ST x D, V2 pairs
    replications: int
    dimensions: int
    second: bool

    @property
    def means(self) -> np.ndarray:
        """Means over blocks, ``(q,)``."""
        return weighted_means(self.columns, np.ones((1, len(self.columns))))[0]


def sobol_indices(
    values: np.ndarray,
    factors: Sequence[str],
    *,
    second_order: bool = False,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    sequences: int | None = SEQUENCES,
    luck: Literal["block", "common"] = "block",
) -> SobolIndices:
    """Return the Sobol' indices of one outcome.

    Parameters
    ----------
    values : (m, N, C) float64
        Outcome per replication, block and column, columns as in `churnsim.studies.designs`: A, AB_1 … AB_D, B, and with
        second order BA_1 … BA_D. NaN where a run failed.
    factors
        Names of the D factors or groups.
    second_order
        Whether the columns BA are there.
    confidence
        Of the intervals.
    resamples, seed
        Of the bootstrap that says how sure the first place is.
    sequences
        Number of independent sequences that blocks are dealt from in turn; None if every block is independent.
    luck
        Whether replications of different blocks are different luck (``block``), or all blocks meet the same
        (``common``): then replications are drawn anew in the intervals, too.

    Returns
    -------
    SobolIndices

    Raises
    ------
    StudyDataError
        If more than 5 % of the runs have no value, there are fewer than 8 blocks, an outcome is infinite or constant,
        or the shape does not fit the factors.
    """
    table = np.asarray(values, dtype=np.float64)
    d = len(factors)
    wanted = 2 * d + 2 if second_order else d + 2
    if table.ndim != 3 or table.shape[2] != wanted:
        raise StudyDataError("columns", {"found": table.shape[-1], "wanted": wanted, "factors": d})
    refuse_many(table)
    m, n, _ = table.shape
    if n < LEAST_BLOCKS:
        raise StudyDataError("few_blocks", {"found": n, "least": LEAST_BLOCKS})
    centre = np.nanmean(table)
    # A replication of which nothing is known has no part in anything.
    y = (table - centre)[np.isfinite(table).any(axis=(1, 2))]
    number = min(sequences or n, n)
    parts = _parts(y, d, second_order)
    top, bottom = _fractions(parts, parts.means)
    if not bottom[0] > 0:
        # All of the spread is noise, as far as can be told: there is no variance to divide among factors.
        raise StudyDataError("only_noise" if np.nanvar(table) > 0 else "constant", {"value": float(centre)})
    sources = [_between_lots(parts, number)]
    covers_luck = luck == "block" or len(y) >= LEAST_COMMON
    if luck == "common" and covers_luck:
        sources.append(_between_replications(y, d, second_order))
    low, high = fieller(top, bottom, sources, confidence)
    value = top / bottom
    first, total = slice(0, d), slice(d, 2 * d)
    second = None
    if second_order:
        ends = (("value", value), ("low", low), ("high", high))
        second = {name: _matrix(row[2 * d : -1], d) for name, row in ends}
    missing = int(np.isnan(table).sum())
    return SobolIndices(
        factors=tuple(factors),
        first={"value": value[first], "low": low[first], "high": high[first]},
        total={"value": value[total], "low": low[total], "high": high[total]},
        second=second,
        told=_told(table, d, confidence) if m > 1 else low[total] > 0,
        top=_leads(parts, number, resamples, seed),
        noise=np.array([value[-1], low[-1], high[-1]]) if m > 1 else np.full(3, np.nan),
        bounds=_bounds(y, bottom[0], d) if missing else None,
        variance=float(bottom[0]),
        blocks=n,
        replications=m,
        runs=table.size,
        missing=missing,
        enough=_enough(float(bottom[0]), sources, n, confidence),
        covers_luck=covers_luck,
        label=SEED_SPECIFIC if m == 1 else None,
    )


def convergence(
    values: np.ndarray, factors: Sequence[str], *, second_order: bool = False, steps: int = 5, **options: object
) -> pd.DataFrame:
    """Return the indices from the first blocks alone, for growing numbers of them.

    Parameters
    ----------
    values, factors, second_order
        As for `sobol_indices`.
    steps
        How many numbers of blocks, each twice the one before: beginnings of Sobol' sequences are themselves some.
    options
        Passed on.

    Returns
    -------
    pandas.DataFrame
        blocks, runs, factor, index (``S1`` or ``ST``), value, low, high.
    """
    import pandas as pd

    table = np.asarray(values, dtype=np.float64)
    n = table.shape[1]
    counts = [count for count in (n >> back for back in reversed(range(steps))) if count >= LEAST_BLOCKS]
    rows = []
    for count in counts:
        try:
            found = sobol_indices(table[:, :count], factors, second_order=second_order, **options)  # type: ignore[arg-type]
        except StudyDataError:
            if count == n:
                raise
            continue
        for index, numbers in (("S1", found.first), ("ST", found.total)):
            for j, factor in enumerate(found.factors):
                rows.append(
                    (count, found.runs, factor, index, *(float(numbers[k][j]) for k in ("value", "low", "high")))
                )
    return pd.DataFrame(rows, columns=["blocks", "runs", "factor", "index", "value", "low", "high"])


def _parts(y: np.ndarray, d: int, second: bool) -> _Parts:
    """Work out per block what the indices are ratios of, from centred outcomes (m, N, C)."""
    a, ab, b = y[:, :, 0], y[:, :, 1 : d + 1], y[:, :, d + 1]
    gap = ab - a[:, :, np.newaxis]
    columns = [
        mean_of(np.stack([a, b])).T,
        ((cross(a, a) + cross(b, b)) / 2)[:, np.newaxis],
        mean_of(np.concatenate([a**2, b**2]))[:, np.newaxis],
        cross(np.broadcast_to(b[:, :, np.newaxis], gap.shape), gap),
        cross(gap, gap) / 2,
    ]
    if second:
        ba = y[:, :, d + 2 :]
        base = cross(a, b)[:, np.newaxis]
        i, j = np.triu_indices(d, 1)
        columns.append(cross(ba[:, :, i], ab[:, :, j]) - base)
    return _Parts(np.concatenate(columns, axis=1), len(y), d, second)


def _fractions(parts: _Parts, means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return tops and bottoms of S1 x D, ST x D, second-order indices of pairs, and the share of luck."""
    m = parts.replications
    # The square of the mean, too, takes its sides from different replications.
    return _combined(parts, means[m:], float(cross(means[:m], means[:m])))


def _combined(parts: _Parts, sums: np.ndarray, square: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put tops and bottoms together from means of columns, or from what some blocks add to them."""
    d = parts.dimensions
    variance, one_run = sums[..., 0] - square, sums[..., 1] - square
    indices = sums[..., 2:]
    tops = [indices[..., : 2 * d]]
    if parts.second:
        i, j = np.triu_indices(d, 1)
        tops.append(indices[..., 2 * d :] - indices[..., i] - indices[..., j])
    top = np.concatenate([*tops, (one_run - variance)[..., np.newaxis]], axis=-1)
    bottom = np.repeat(variance[..., np.newaxis], top.shape[-1], axis=-1)
    bottom[..., -1] = one_run
    return top, bottom


def _between_lots(parts: _Parts, number: int) -> Source:
    """Return the scatter of tops and bottoms between independent lots of blocks."""
    m, means, apart = parts.replications, parts.means, lots(parts.columns, number)
    # The square of the mean moves with each replication's mean by twice the mean of the others.
    others = means[:m] if m == 1 else (means[:m].sum() - means[:m]) / (m * (m - 1))
    top, bottom = _combined(parts, apart[:, m:], 2 * apart[:, :m] @ others)
    return Source(top, bottom, number - 1)


def _between_replications(y: np.ndarray, d: int, second: bool) -> Source:
    """Return the scatter of tops and bottoms between replications that all blocks share."""
    without = [_parts(np.delete(y, r, axis=0), d, second) for r in range(len(y))]
    pairs = [_fractions(parts, parts.means) for parts in without]
    top, bottom = (left_out(np.array([pair[side] for pair in pairs])) for side in (0, 1))
    return Source(top, bottom, len(y) - 1)


def _told(table: np.ndarray, d: int, confidence: float) -> np.ndarray:
    """Return which factors' steps do anything."""
    steps = table[:, :, 1 : d + 1] - table[:, :, :1]
    return told_from_nothing(steps, float(np.nanmax(np.abs(table))), confidence)


def _leads(parts: _Parts, number: int, resamples: int, seed: int) -> np.ndarray:
    """Return in which share of resamples of the lots each factor has the largest total index."""
    d, n = parts.dimensions, len(parts.columns)
    totals = parts.columns[:, parts.replications + 2 + d :][:, :d]
    known = np.isfinite(totals)
    sums, counts = np.zeros((2, number, d))
    lot = np.arange(n) % number
    np.add.at(sums, lot, np.where(known, totals, 0.0))
    np.add.at(counts, lot, known)
    generator = np.random.default_rng([seed, n])
    weight = drawn(generator, number, resamples)
    leads = np.argmax((weight @ sums) / np.maximum(weight @ counts, 1), axis=1)
    return np.bincount(leads, minlength=d) / len(leads)


def _enough(variance: float, sources: Sequence[Source], blocks: int, confidence: float) -> int | None:
    """Return how many blocks would tell the variance from zero, as a power of two; None where these do."""
    from scipy.special import stdtrit

    error = np.sqrt(sum((source.bottom[:, 0] ** 2).sum() for source in sources))
    if variance > error * stdtrit(min(source.degrees for source in sources), 0.5 + confidence / 2):
        return None
    return 1 << int(np.ceil(np.log2(blocks * (_SURE * error / variance) ** 2)))


def _matrix(pairs: np.ndarray, d: int) -> np.ndarray:
    """Return second-order indices of pairs as a matrix, NaN on and below the diagonal."""
    out = np.full((d, d), np.nan)
    out[np.triu_indices(d, 1)] = pairs
    return out


def _bounds(y: np.ndarray, variance: float, d: int) -> dict[str, np.ndarray]:
    """Return where the indices could be if failed runs had had the most misleading outcome seen.

    A difference that is missing is set to zero or to the whole range, with the sign that moves the index most; the
    variance stays as estimated.
    """
    low, high = np.nanmin(y), np.nanmax(y)
    a, ab, b = y[:, :, :1], y[:, :, 1 : d + 1], y[:, :, d + 1 : d + 2]
    gap = np.broadcast_to(ab - a, ab.shape)
    lost, reach = np.isnan(gap), high - low
    sign = np.where(mean_of(np.where(lost, np.nan, gap)) < 0, -1.0, 1.0)
    ends = {}
    for name, fill in (("low", 0.0), ("high", 1.0)):
        filled = np.where(lost, fill * reach * sign, gap)
        ends[name] = np.nanmean(cross(filled, filled), axis=0) / (2 * variance)
    # The other side of a first-order product: B, and a missing B is at the end of the range that moves it most.
    side = np.where(mean_of(b) < 0, -1.0, 1.0)
    whole_b = np.where(np.isnan(b), np.where(side < 0, low, high), b)
    firsts = {}
    for name, fill in (("low", -1.0), ("high", 1.0)):
        filled = np.where(lost, fill * reach * side, gap)
        firsts[name] = np.nanmean(cross(np.broadcast_to(whole_b, filled.shape), filled), axis=0) / variance
    return {
        "S1": np.stack([firsts["low"], firsts["high"]], axis=1),
        "ST": np.stack([ends["low"], ends["high"]], axis=1),
    }

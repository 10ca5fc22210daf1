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

The expectations are over base points (*blocks*). First-order indices are Saltelli's (Saltelli et al. 2010,
doi:10.1016/j.cpc.2009.09.018), total ones Jansen's (Jansen 1999, doi:10.1016/S0010-4655(98)00154-4), second-order ones
Saltelli's (2002, doi:10.1016/S0010-4655(02)00280-1); without noise they are the numbers that SALib gives. With the same
seeds within a block (common random numbers) an inert factor is exactly 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from churnsim.studies.bootstrap import RESAMPLES, percentile, weighted_means, weights
from churnsim.studies.missing import refuse_many
from churnsim.studies.problems import StudyDataError

if TYPE_CHECKING:
    import pandas as pd

SEED_SPECIFIC = "seed-specific, noise not separated"
"""What is written beside indices from one replication."""

LEAST_BLOCKS = 8
"""Blocks with which an interval means anything at all; our assumption."""


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
    label : str or None
        `SEED_SPECIFIC` with one replication.
    """

    factors: tuple[str, ...]
    first: dict[str, np.ndarray]
    total: dict[str, np.ndarray]
    second: dict[str, np.ndarray] | None
    top: np.ndarray
    noise: np.ndarray
    bounds: dict[str, np.ndarray] | None
    variance: float
    blocks: int
    replications: int
    runs: int
    missing: int
    label: str | None = field(default=None)

    @property
    def inert(self) -> np.ndarray:
        """Which factors' total index cannot be told from zero, ``(D,) bool``."""
        return ~(self.total["low"] > 0)


@dataclass(frozen=True)
class _Parts:
    """Per block what the indices are ratios of; NaN where replications are missing."""

    columns: np.ndarray  # (N, q): mean of each replication, variance part, one-run square, S1 x D, ST x D, V2 pairs
    replications: int
    dimensions: int
    second: bool


def sobol_indices(
    values: np.ndarray,
    factors: Sequence[str],
    *,
    second_order: bool = False,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
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
        Of the bootstrap over blocks.

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
    parts = _parts(table - centre, d, second_order)
    point = _ratios(weighted_means(parts.columns, np.ones((1, n))), parts)[0]
    if not point[0] > 0:
        # All of the spread is noise, as far as can be told: there is no variance to divide among factors.
        raise StudyDataError("only_noise" if np.nanvar(table) > 0 else "constant", {"value": float(centre)})
    drawn = np.concatenate([_ratios(weighted_means(parts.columns, w), parts) for w in weights(n, resamples, seed)])
    low, high = percentile(drawn, confidence)
    first, total = slice(2, 2 + d), slice(2 + d, 2 + 2 * d)
    second = None
    if second_order:
        second = {name: _matrix(row[2 + 2 * d :], d) for name, row in (("value", point), ("low", low), ("high", high))}
    leads = np.argmax(np.nan_to_num(drawn[:, total], nan=-np.inf), axis=1)
    missing = int(np.isnan(table).sum())
    return SobolIndices(
        factors=tuple(factors),
        first={"value": point[first], "low": low[first], "high": high[first]},
        total={"value": point[total], "low": low[total], "high": high[total]},
        second=second,
        top=np.bincount(leads, minlength=d) / len(leads),
        noise=np.array([point[1], low[1], high[1]]) if m > 1 else np.full(3, np.nan),
        bounds=_bounds(table - centre, point[0], d) if missing else None,
        variance=float(point[0]),
        blocks=n,
        replications=m,
        runs=table.size,
        missing=missing,
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
        How many numbers of blocks, each twice the one before: the beginning of a Sobol' sequence is itself one.
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


def cross(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return the mean of products over pairs of different replications; with one replication the plain product.

    Parameters
    ----------
    p, q : (m, …) float64
        NaN where a replication is missing.

    Returns
    -------
    (…) float64
        NaN where no pair is left.
    """
    if len(p) == 1:
        return p[0] * q[0]
    has_p, has_q = np.isfinite(p), np.isfinite(q)
    p, q = np.where(has_p, p, 0.0), np.where(has_q, q, 0.0)
    pairs = has_p.sum(axis=0) * has_q.sum(axis=0) - (has_p & has_q).sum(axis=0)
    total = p.sum(axis=0) * q.sum(axis=0) - (p * q).sum(axis=0)
    return np.divide(total, pairs, out=np.full(total.shape, np.nan), where=pairs > 0)


def _parts(y: np.ndarray, d: int, second: bool) -> _Parts:
    """Work out per block what the indices are ratios of, from centred outcomes (m, N, C)."""
    a, ab, b = y[:, :, 0], y[:, :, 1 : d + 1], y[:, :, d + 1]
    gap = ab - a[:, :, np.newaxis]
    columns = [
        _mean_of(np.stack([a, b])).T,
        ((cross(a, a) + cross(b, b)) / 2)[:, np.newaxis],
        _mean_of(np.concatenate([a**2, b**2]))[:, np.newaxis],
        cross(np.broadcast_to(b[:, :, np.newaxis], gap.shape), gap),
        cross(gap, gap) / 2,
    ]
    if second:
        ba = y[:, :, d + 2 :]
        base = cross(a, b)[:, np.newaxis]
        i, j = np.triu_indices(d, 1)
        columns.append(cross(ba[:, :, i], ab[:, :, j]) - base)
    return _Parts(np.concatenate(columns, axis=1), len(y), d, second)


def _mean_of(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is there; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.divide(np.where(known, values, 0.0).sum(axis=0), count, out=np.full(count.shape, np.nan), where=count > 0)


def _ratios(means: np.ndarray, parts: _Parts) -> np.ndarray:
    """Return, per resample, variance, noise share, S1 x D, ST x D and second-order indices of pairs."""
    d, m = parts.dimensions, parts.replications
    # The square of the mean, too, takes its sides from different replications.
    square = cross(means[:, :m].T, means[:, :m].T)
    means = means[:, m:]
    variance = means[:, 0] - square
    one_run = means[:, 1] - square
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 1 - variance / one_run
        usable = np.where(variance > 0, variance, np.nan)[:, np.newaxis]
        indices = means[:, 2:] / usable
    out = [variance[:, np.newaxis], share[:, np.newaxis], indices[:, : 2 * d]]
    if parts.second:
        i, j = np.triu_indices(d, 1)
        out.append(indices[:, 2 * d :] - indices[:, i] - indices[:, j])
    return np.concatenate(out, axis=1)


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
    sign = np.where(_mean_of(np.where(lost, np.nan, gap)) < 0, -1.0, 1.0)
    ends = {}
    for name, fill in (("low", 0.0), ("high", 1.0)):
        filled = np.where(lost, fill * reach * sign, gap)
        ends[name] = np.nanmean(cross(filled, filled), axis=0) / (2 * variance)
    # The other side of a first-order product: B, and a missing B is at the end of the range that moves it most.
    side = np.where(_mean_of(b) < 0, -1.0, 1.0)
    whole_b = np.where(np.isnan(b), np.where(side < 0, low, high), b)
    firsts = {}
    for name, fill in (("low", -1.0), ("high", 1.0)):
        filled = np.where(lost, fill * reach * side, gap)
        firsts[name] = np.nanmean(cross(np.broadcast_to(whole_b, filled.shape), filled), axis=0) / variance
    return {
        "S1": np.stack([firsts["low"], firsts["high"]], axis=1),
        "ST": np.stack([ends["low"], ends["high"]], axis=1),
    }

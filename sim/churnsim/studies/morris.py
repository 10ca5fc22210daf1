"""Morris' screening of a noisy simulation: elementary effects, the noise floor under them, and what is above it.

The mean absolute effect mu* of a factor that does nothing is not zero in a noisy simulation: the mean of absolute
values of pure noise is positive, and in one measured case was as large as that of a real factor. So mu* is
shown next to the *noise floor*, the mu* that luck alone would give, and beside it the mean *squared* effect, which
products across replications estimate without bias (`churnsim.studies.products`). Whether a factor does anything at
all is told by a test of signs (`churnsim.studies.signs`). Intervals are Student's t over trajectories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from churnsim.studies.designs import SEQUENCES
from churnsim.studies.given import noise_share
from churnsim.studies.missing import refuse_many
from churnsim.studies.problems import StudyDataError
from churnsim.studies.products import cross
from churnsim.studies.ratios import lots
from churnsim.studies.signs import told_from_nothing
from churnsim.studies.sobol import SEED_SPECIFIC

LEAST_TRAJECTORIES = 4
"""Trajectories below which no interval is given; Morris (1991) used 4."""

_HALF_NORMAL = np.sqrt(2 / np.pi)
"""Mean of the absolute value of a standard normal number."""


@dataclass(frozen=True)
class MorrisEffects:
    """Elementary effects of one outcome, in its unit per whole range of the factor.

    Attributes
    ----------
    factors : tuple of str
        Factors or groups.
    mu, mu_star, sigma : (D,) float64
        Mean, mean absolute value and standard deviation over trajectories of the effects averaged over replications
        (Morris 1991, doi:10.1080/00401706.1991.10484804; Campolongo et al. 2007, doi:10.1016/j.envsoft.2006.10.004).
        ``mu`` and ``sigma`` of a group of several factors are NaN: its members move in different directions.
    mu_star_low, mu_star_high : (D,) float64
        Interval of mu*.
    noise_floor : (D,) float64
        mu* that luck alone would give with as many replications; NaN with one.
    squared, squared_low, squared_high : (D,) float64
        Mean squared effect without the noise's part, and its interval; NaN with one replication.
    spread : (D,) float64
        sigma without the noise's part: what is left is interaction or curvature; NaN with one replication.
    noise : float
        Share of the variance of a single run, over the trajectories' points, that is luck; NaN with one replication.
    told : (D,) bool
        Whether the factor does anything; with one replication, whether it had any effect at all.
    trajectories, replications, runs, missing : int
        What there was.
    label : str or None
        `SEED_SPECIFIC` with one replication.
    """

    factors: tuple[str, ...]
    mu: np.ndarray
    mu_star: np.ndarray
    mu_star_low: np.ndarray
    mu_star_high: np.ndarray
    sigma: np.ndarray
    noise_floor: np.ndarray
    squared: np.ndarray
    squared_low: np.ndarray
    squared_high: np.ndarray
    spread: np.ndarray
    noise: float
    told: np.ndarray
    trajectories: int
    replications: int
    runs: int
    missing: int
    label: str | None

    @property
    def inert(self) -> np.ndarray:
        """Which factors cannot be told from ones that do nothing, ``(D,) bool``."""
        return ~self.told


def elementary_effects(values: np.ndarray, points: np.ndarray, groups: Sequence[str] | None = None) -> np.ndarray:
    """Return the elementary effects.

    Parameters
    ----------
    values : (m, N, C) float64
        Outcome per replication, trajectory and step; NaN where a run failed.
    points : (N, C, D) float64
        Positions in the unit cube, with one factor or group moving per step. In a radial design each step is from the
        first point, in Morris' from the one before; which it is can be seen.
    groups
        Per dimension its group, if any.

    Returns
    -------
    (m, N, G) float64
        Change of the outcome per unit of the cube, in the order of factors or groups; NaN where a run is missing.
    """
    radial = _is_radial(points)
    before = np.broadcast_to(points[:, :1], points[:, 1:].shape) if radial else points[:, :-1]
    outcome_before = values[:, :, :1] if radial else values[:, :, :-1]
    step = points[:, 1:] - before
    names = [str(i) for i in range(points.shape[2])] if groups is None else list(groups)
    order = list(dict.fromkeys(names))
    moved = np.abs(step) > 0
    member = np.array([[name == one for name in names] for one in order])
    # (N, steps, G): whether anything of the group moved.
    touched = (moved[:, :, np.newaxis, :] & member).any(axis=-1)
    if not (touched.sum(axis=2) == 1).all() or not (touched.sum(axis=1) == 1).all():
        raise StudyDataError("not_morris", {})
    which = touched.argmax(axis=1)
    alone = member.sum(axis=1) == 1
    change = values[:, :, 1:] - outcome_before
    size = np.where(
        alone[np.newaxis, np.newaxis, :],
        np.einsum("nsd,gd->nsg", step, member),
        np.abs(step[:, :, np.newaxis, :] * member).max(axis=-1),
    )
    rows = np.arange(len(points))[:, np.newaxis]
    groups_at = np.arange(len(order))[np.newaxis]
    return change[:, rows, which] / size[rows, which, groups_at]


def morris_effects(
    values: np.ndarray,
    points: np.ndarray,
    factors: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> MorrisEffects:
    """Return Morris' measures of one outcome.

    Parameters
    ----------
    values, points, groups
        As for `elementary_effects`.
    factors
        Names of the factors; the groups' names take their place where there are groups.
    confidence
        Of the intervals, and of what is called to do something.

    Raises
    ------
    StudyDataError
        If more than 5 % of the runs have no value, there are fewer than 4 trajectories, or an outcome is infinite.
    """
    from scipy.special import stdtrit

    table = np.asarray(values, dtype=np.float64)
    refuse_many(table)
    m, n, _ = table.shape
    if n < LEAST_TRAJECTORIES:
        raise StudyDataError("few_blocks", {"found": n, "least": LEAST_TRAJECTORIES})
    effects = elementary_effects(table, points, groups)
    names = tuple(factors) if groups is None else tuple(dict.fromkeys(groups))
    single = (
        np.ones(len(names), dtype=bool) if groups is None else np.array([list(groups).count(g) == 1 for g in names])
    )
    known = np.isfinite(effects)
    count = known.sum(axis=0)
    sums = np.where(known, effects, 0.0).sum(axis=0)
    means = np.divide(sums, count, out=np.full(count.shape, np.nan), where=count > 0)
    absolute = np.abs(means)
    squares = cross(effects, effects) if m > 1 else np.full(means.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = np.nansum((effects - means) ** 2, axis=0) / (count - 1)
        error = np.sqrt(within / count) / _small_sample(count)
    d = len(names)
    usable = np.isfinite(means).sum(axis=0)
    mu = np.nanmean(means, axis=0)
    squared = np.nanmean(squares, axis=0) if m > 1 else np.full(d, np.nan)
    # Mean over pairs of different trajectories: the square of mu without the noise's part.
    mu_squared = (np.nansum(means, axis=0) ** 2 - np.nansum(means**2, axis=0)) / (usable * (usable - 1))
    mu_star = np.nanmean(absolute, axis=0)
    # Radial blocks start from points that are dealt from independent sequences, trajectories from points of their own.
    number = min(SEQUENCES, n) if _is_radial(points) else n
    error_star, error_squared = (np.sqrt((lots(column, number) ** 2).sum(axis=0)) for column in (absolute, squares))
    t = float(stdtrit(number - 1, 0.5 + confidence / 2))
    return MorrisEffects(
        factors=names,
        mu=np.where(single, mu, np.nan),
        mu_star=mu_star,
        mu_star_low=mu_star - t * error_star,
        mu_star_high=mu_star + t * error_star,
        sigma=np.where(single, np.nanstd(means, axis=0, ddof=1), np.nan),
        noise_floor=_HALF_NORMAL * np.nanmean(error, axis=0) if m > 1 else np.full(d, np.nan),
        squared=squared,
        squared_low=squared - t * error_squared,
        squared_high=squared + t * error_squared,
        spread=np.where(single, np.sqrt(np.maximum(squared - mu_squared, 0.0)), np.nan),
        noise=noise_share(table.reshape(m, -1))[0],
        told=told_from_nothing(effects, float(np.nanmax(np.abs(table))), confidence) if m > 1 else mu_star > 0,
        trajectories=n,
        replications=m,
        runs=table.size,
        missing=int(np.isnan(table).sum()),
        label=SEED_SPECIFIC if m == 1 else None,
    )


def _small_sample(n: np.ndarray) -> np.ndarray:
    """Return by how much the standard deviation of n normal values is too small on average (the constant c4)."""
    from scipy.special import gammaln

    n = np.maximum(n, 2)
    return np.sqrt(2 / (n - 1)) * np.exp(gammaln(n / 2) - gammaln((n - 1) / 2))


def _is_radial(points: np.ndarray) -> bool:
    """Tell whether every step starts from the block's first point."""
    if points.shape[1] < 3:
        return False
    return bool((np.abs(points[:, 2] - points[:, 1]) > 0).sum() > (np.abs(points[:, 2] - points[:, 0]) > 0).sum())

"""What single periods of a retention table show beyond the trend: shocks that pass, fade or stay.

In the logarithm of the hazard a period lies off the trend by ``e_t = u_t + f_t + l_t``: a shock u that is gone a period
later, one that fades, ``f_t = rho f_{t-1} + noise``, and a level that stays where it has come to, ``l_t = l_{t-1} +
noise`` (structural time series, Harvey 1989, recalled). Most noise is small and some is large: each piece has a
variance of its own, after Student's t (Durbin & Koopman 2012, recalled), so that a month in which a contract ends does
not make every month look uncertain, and a new regime is told from restlessness. Which of the three a table shows is
often open; forecasts average over what remains possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import linalg

PASSING = (0.0, 0.05, 0.12, 0.3)
"""Standard deviations of shocks that are gone a period later, in logarithms of the hazard, among which data choose."""

FADING = (0.0, 0.1, 0.3, 0.8)
"""Standard deviations, in the long run, of shocks that fade."""

PERSISTENCE = (0.5, 0.8, 0.95)
"""Shares of a fading shock that are left one period later."""

STEPS = (0.0, 0.03, 0.08, 0.2)
"""Standard deviations of a period's step of the level that stays."""

SCALE = 0.15
"""Scale of the half-Cauchy priors of the standard deviations of passing and fading shocks (assumed)."""

STAYS = 0.5
"""Probability, before any data, that the level moves; the sizes of its steps are then equally likely (assumed)."""

TAIL = 1.0
"""Degrees of freedom of Student's t (assumed)."""

PARTS = 3
"""Parts of a shock: what passes, what fades, what stays."""

ADAPTED = 12
"""Rounds in which the variances of single pieces are sought."""

MARKED = 1.0
"""Variance, before any data, of an anniversary's effect on the logarithm of the hazard (assumed)."""

HARDLY = 1e-10
"""Variance that is put in the place of none, so that matrices can be inverted."""

NEWTON, NEAR = 30, 1e-9
"""Rounds of Newton's method at most, and the step at which it stops."""

FULL = -0.02
"""Logarithm of the highest hazard that a shock may lead to."""


@dataclass(frozen=True)
class Shocks:
    """How single periods deviate from the trend, in the logarithm of the hazard.

    Attributes
    ----------
    passing : float
        Variance of those that pass at once.
    fading : float
        Variance of those that fade, in the long run.
    persistence : float
        Share of them that is left a period later.
    step : float
        Variance of a period's step of the level that stays.
    """

    passing: float = 0.0
    fading: float = 0.0
    persistence: float = 0.0
    step: float = 0.0

    @property
    def none(self) -> bool:
        """Whether nothing but chance is there."""
        return self.passing + self.fading + self.step == 0

    @property
    def log_prior(self) -> float:
        """Logarithm of the prior: half-Cauchy in the shocks' standard deviations (Gelman 2006), even in the steps."""
        moves = np.log(STAYS / (len(STEPS) - 1)) if self.step > 0 else np.log(1 - STAYS)
        return float(moves - np.log1p(self.passing / SCALE**2) - np.log1p(self.fading / SCALE**2))

    def noise(self, periods: int) -> np.ndarray:
        """Return (PARTS, periods) variances of the pieces; the fading part starts settled, the level at 0."""
        new = np.empty((PARTS, periods))
        new[0], new[1], new[2] = self.passing, self.fading * (1 - self.persistence**2), self.step
        new[1, :1], new[2, :1] = self.fading, 0.0
        return new

    def carried(self, periods: int) -> np.ndarray:
        """Return (PARTS, periods, periods) what a piece of one period (column) is worth in another (row)."""
        t = np.arange(periods)
        since = np.maximum(t[:, None] - t, 0)
        later = t[:, None] >= t
        return np.stack([np.eye(periods), self.persistence**since * later, later.astype(float)])

    def covariance(self, loose: np.ndarray) -> np.ndarray:
        """Return (periods, periods) covariances of the shocks.

        Parameters
        ----------
        loose : (PARTS, periods)
            By how much each piece's variance exceeds the usual.
        """
        carried = self.carried(loose.shape[1])
        return ((carried * (self.noise(loose.shape[1]) * loose)[:, None]) @ carried.swapaxes(1, 2)).sum(0)

    def paths(self, off: np.ndarray, chance: np.ndarray, loose: np.ndarray, luck: np.random.Generator) -> np.ndarray:
        """Return (draws, PARTS, periods) shocks given what the periods show.

        Matheron's rule: shocks out of nothing, corrected by what they miss of the data (Journel & Huijbregts 1978).

        Parameters
        ----------
        off : (draws, periods)
            By how much the logarithms of the hazards lie off each draw's trend.
        chance : (periods,)
            Their variances by chance.
        loose : (PARTS, periods)
            As for `covariance`.
        luck
            Where the random numbers come from.
        """
        draws, periods = off.shape
        noise, carried = self.noise(periods) * loose, self.carried(periods)
        pieces = np.sqrt(noise) * luck.standard_normal((draws, PARTS, periods))
        path = np.einsum("pts,dps->dpt", carried, pieces)
        missed = off - path.sum(1) - np.sqrt(chance) * luck.standard_normal((draws, periods))
        inner = linalg.cho_factor(self.covariance(loose) + np.diag(chance + HARDLY))
        each = (carried * noise[:, None]) @ carried.swapaxes(1, 2)
        return path + np.einsum("pts,sd->dpt", each, linalg.cho_solve(inner, missed.T))

    def ahead(self, last: np.ndarray, loose: np.ndarray, periods: int, luck: np.random.Generator) -> np.ndarray:
        """Return (draws, periods) shocks of the future: exceptions come as often as they did.

        Parameters
        ----------
        last : (draws, PARTS)
            Shocks of the last period seen.
        loose : (PARTS, seen)
            As for `covariance`.
        periods
            How far.
        luck
            Where the random numbers come from.
        """
        draws = last.shape[0]
        sizes = np.sqrt([self.passing, self.fading * (1 - self.persistence**2), self.step])
        fading, level = last[:, 1], last[:, 2]
        path = np.empty((draws, periods))
        for t in range(periods):
            like = luck.integers(0, loose.shape[1], draws)
            new = sizes * np.sqrt(loose[:, like].T) * luck.standard_normal((draws, PARTS))
            fading, level = self.persistence * fading + new[:, 1], level + new[:, 2]
            path[:, t] = new[:, 0] + fading + level
        return path


def candidates() -> list[Shocks]:
    """Return the shocks that are tried."""
    fading = [(0.0, 0.0), *product(FADING[1:], PERSISTENCE)]
    return [Shocks(brief**2, size**2, rho, step**2) for step in STEPS for size, rho in fading for brief in PASSING]


def exceptional(shocks: Shocks, loose: np.ndarray) -> float:
    """Return the logarithm of the prior of the pieces' variances, 0 where all are as usual."""
    used = shocks.noise(loose.shape[1]) > 0
    return float(TAIL / 2 * (-np.log(loose) - 1 / loose + 1)[used].sum())


def scores(
    off: np.ndarray, chance: np.ndarray, tried: Sequence[Shocks], mark: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return how well several kinds of shocks explain normal data, each with the best variances of single pieces.

    The variances are sought by the EM algorithm for Student's t; the score is the logarithm of the likelihood and of
    the variances' prior.

    Parameters
    ----------
    off, chance : (periods,)
        By how much each period lies off the trend, and the variance of that by chance.
    tried
        The shocks.
    mark : (periods,), optional
        Something that explains `off` in proportion, with a factor that has a variance of `MARKED` beforehand.

    Returns
    -------
    score : (tried,)
    loose : (tried, PARTS, periods)
    """
    periods = off.size
    noise = np.stack([shocks.noise(periods) for shocks in tried])
    used = noise > 0
    rho = np.array([shocks.persistence or 1.0 for shocks in tried])[:, None]
    t = np.arange(periods)
    faded = rho**t  # what a shock of the first period is worth later
    kept, least = rho[:, :, None] ** np.abs(t[:, None] - t), np.minimum(t[:, None], t)
    plain = np.diag(chance + HARDLY) + (0 if mark is None else MARKED * np.outer(mark, mark))

    def covariance(piece: np.ndarray) -> np.ndarray:
        """Return (tried, periods, periods) covariances of what is seen, from the variances of the pieces."""
        spread = piece[:, 1].copy()
        for k in range(1, periods):
            spread[:, k] += rho[:, 0] ** 2 * spread[:, k - 1]
        total = kept * spread[:, least] + np.cumsum(piece[:, 2], axis=1)[:, least] + plain
        total[:, t, t] += piece[:, 0]
        return total

    loose = np.ones(noise.shape)
    for _ in range(ADAPTED):
        piece = noise * loose
        inverse = np.linalg.inv(covariance(piece))
        pull = inverse @ off
        worn = _later(_later(inverse * faded[:, :, None] * faded[:, None], 1), 2)[:, t, t] / faded**2
        told = np.stack([inverse[:, t, t], worn, _later(_later(inverse, 1), 2)[:, t, t]], axis=1)
        mean = piece * np.stack([pull, _later(pull * faded, 1) / faded, _later(pull, 1)], axis=1)
        square = mean**2 + np.maximum(piece - piece**2 * told, 0.0)
        loose = np.where(used, (TAIL + square / np.where(used, noise, 1.0)) / (TAIL + 1), 1.0)
    total = covariance(noise * loose)
    pulled = np.linalg.solve(total, np.broadcast_to(off[:, None], (len(tried), periods, 1)))[..., 0]
    score = -0.5 * (np.linalg.slogdet(total)[1] + pulled @ off)
    return score + [exceptional(shocks, one) for shocks, one in zip(tried, loose, strict=True)], loose


def _later(values: np.ndarray, axis: int) -> np.ndarray:
    """Return sums over a period and all later ones."""
    return np.flip(np.cumsum(np.flip(values, axis), axis), axis)


@dataclass(frozen=True)
class Seen:
    """What one table shows of its shocks: Laplace's approximation around the most likely ones.

    Attributes
    ----------
    value : float
        Logarithm of the likelihood, integrated over the shocks.
    shocks : (periods,) float64
        Most likely shocks.
    off, chance : (periods,) float64
        The normal data that would say the same: by how much each period lies off, and the variance by chance.
    """

    value: float
    shocks: np.ndarray
    off: np.ndarray
    chance: np.ndarray


def seen(
    lost: np.ndarray, at_risk: np.ndarray, hazard: np.ndarray, total: np.ndarray | None, start: np.ndarray
) -> Seen:
    """Integrate a binomial likelihood over normal shocks by Laplace's method (Rasmussen & Williams 2006, section 3.4).

    Parameters
    ----------
    lost, at_risk, hazard : (periods,)
        The table, and the trend's hazards.
    total : (periods, periods) or None
        Covariances of the shocks; None if there are none.
    start : (periods,)
        Where to look first.
    """
    level = np.log(np.clip(hazard, 1e-12, np.exp(FULL)))
    stayed = at_risk - lost

    def likelihood(shock: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the log-likelihood, its slope, and the information expected of each period."""
        log = np.minimum(level + shock, FULL)
        p = np.exp(log)
        value = float((lost * log + stayed * np.log1p(-p)).sum())
        return value, lost - stayed * p / (1 - p), np.maximum(at_risk * p / (1 - p), 1e-9)

    if total is None:
        value, slope, weight = likelihood(np.zeros(level.size))
        return Seen(value, np.zeros(level.size), slope / weight, 1 / weight)
    shock, eye = start, np.eye(level.size)
    _, slope, weight = likelihood(shock)
    for _ in range(NEWTON):
        root = np.sqrt(weight)
        inner = linalg.cho_factor(eye + root[:, None] * total * root, lower=True, check_finite=False)
        b = weight * shock + slope
        dual = b - root * linalg.cho_solve(inner, root * (total @ b), check_finite=False)
        step = np.clip(total @ dual - shock, -1.0, 1.0)
        shock = shock + step
        value, slope, weight = likelihood(shock)
        if np.abs(step).max() < NEAR:
            break
    value -= 0.5 * float(dual @ shock) + float(np.log(np.diag(inner[0])).sum())
    return Seen(value, shock, shock + slope / weight, 1 / weight)

"""Draws from a posterior that is no parabola, by importance sampling that learns (Cornuet, Marin, Mira & Robert 2012).

Where few data speak of many parameters a posterior is curved and has long tails: draws from the normal approximation
around its mode miss those, however they are weighed, because none of them lies there. So proposals come in rounds, from
Student's t: the first around the mode, each later one with the mean and the covariance of what the rounds before it
found. All proposals are weighed against the mixture of all rounds (deterministic mixture, Veach & Guibas 1995,
recalled).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import special

from churnsim.calibration.steps import Steps
from churnsim.compiling import cores

FREEDOM = 5.0
"""Degrees of freedom of the proposals: tails that reach further than a posterior's."""

WIDER = 1.5
"""By how much variances of proposals exceed those of the normal approximation, and later those that were found: a
posterior's curved arms are found from outside."""

FEWEST = 6
"""Draws' worth, for every parameter, that means and covariances are learnt from; where fewer count, weights are made
more even until there are so many (tempering)."""


ENOUGH = 200
"""Draws' worth that is enough (assumed): as many draws are kept."""


RESCUE = 3
"""Rounds that follow where all those before them have not found enough: one as wide as the prior, which reaches what
the mode's surroundings do not, and two that learn from it."""


MOST_THREADS = 4
"""Threads at most (assumed): of a large log each needs some 200 MB."""


@dataclass(frozen=True)
class Weighed:
    """Values with weights, which together stand for a posterior.

    Attributes
    ----------
    values : (draws, n) float64
        In the units of the prior.
    log_weight : (draws,) float64
        Logarithms of their weights; their mean is how likely the data are, but for what all models have in common.
    best : (n,) float64
        The value at which the density is highest.
    gain : float
        By how much its logarithm is higher there than at the mode: next to nothing, if that is one.
    """

    values: np.ndarray
    log_weight: np.ndarray
    best: np.ndarray
    gain: float

    @property
    def log_evidence(self) -> float:
        """Logarithm of how likely the data are."""
        return float(special.logsumexp(self.log_weight) - np.log(self.log_weight.size))

    @property
    def worth(self) -> float:
        """How many equally likely draws they are worth (Kong 1992, recalled)."""
        return worth(np.exp(self.log_weight - self.log_weight.max()))


def worth(weight: np.ndarray) -> float:
    """Return how many equal draws weighed ones are worth."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def sample(
    log_posterior: Callable[[np.ndarray], float],
    prior: np.ndarray,
    mode: np.ndarray,
    covariance: np.ndarray,
    rounds: tuple[int, int],
    size: int,
    luck: np.random.Generator,
    steps: Steps,
) -> Weighed:
    """Draw from a posterior.

    Parameters
    ----------
    log_posterior
        Logarithm of a (n,) value's density, up to a constant; called for every proposal, in several threads at once
        (array operations on large arrays do not wait for each other).
    prior
        Mean of the prior, (n,), whose standard deviations are 1.
    mode, covariance
        The normal approximation: (n,) and (n, n), positive definite.
    rounds, size
        How often at least, and at most, while the draws are worth fewer than `ENOUGH`; how many at a time (even).
    luck
        Where the random numbers come from.
    steps
        Who is told of every proposal.
    """

    def heights_of(proposed: np.ndarray) -> list[float]:
        """Return the logarithms of their densities, in their order."""
        found = []
        for height in threads.map(log_posterior, proposed):
            found.append(height)
            steps.one()
        return found

    n = mode.size
    centre, root = mode, np.linalg.cholesky(WIDER * covariance)
    proposals: list[tuple[np.ndarray, np.ndarray]] = []
    values, heights = np.empty((0, n)), np.empty(0)
    log_weight = heights
    with ThreadPoolExecutor(min(cores(), MOST_THREADS)) as threads:
        for k in range(rounds[1] + RESCUE):
            if k >= rounds[0] and worth(np.exp(log_weight - log_weight.max())) >= ENOUGH:
                break
            if k == rounds[1]:
                centre, root = prior, np.eye(n)
            elif k > 0:
                weight = _even(log_weight, FEWEST * n)
                centre = weight @ values
                off = values - centre
                # A little of the prior's unit variance, lest a direction in which the draws agree is lost.
                root = np.linalg.cholesky(WIDER * (off * weight[:, None]).T @ off + 1e-6 * np.eye(n))
            proposals.append((centre, root))
            half = luck.standard_normal((size // 2, n)) / np.sqrt(luck.chisquare(FREEDOM, (size // 2, 1)) / FREEDOM)
            proposed = centre + np.concatenate([half, -half]) @ root.T
            values = np.concatenate([values, proposed])
            heights = np.concatenate([heights, heights_of(proposed)])
            mixed = special.logsumexp([_log_density(values, *one) for one in proposals], axis=0) - np.log(k + 1)
            log_weight = heights - mixed
    return Weighed(values, log_weight, values[np.argmax(heights)], float(heights.max() - log_posterior(mode)))


def _log_density(values: np.ndarray, centre: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return the logarithm of Student's t density with a location and a root of its scale."""
    n = centre.size
    square = (np.linalg.solve(root, (values - centre).T) ** 2).sum(0)
    level = special.gammaln((FREEDOM + n) / 2) - special.gammaln(FREEDOM / 2) - n / 2 * np.log(FREEDOM * np.pi)
    return level - np.log(np.diag(root)).sum() - (FREEDOM + n) / 2 * np.log1p(square / FREEDOM)


def _even(log_weight: np.ndarray, least: float) -> np.ndarray:
    """Return weights that sum to 1, raised to the highest power up to 1 at which they are worth so many draws."""
    relative = log_weight - log_weight.max()
    low, power = 0.0, 1.0
    if worth(np.exp(relative)) < least:
        high = 1.0
        while high - low > 1e-3:
            middle = (low + high) / 2
            enough = worth(np.exp(middle * relative)) >= least
            low, high = (middle, high) if enough else (low, middle)
        power = low
    weight = np.exp(power * relative)
    return weight / weight.sum()

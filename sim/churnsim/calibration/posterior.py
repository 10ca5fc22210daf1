"""What the data say of parameters: the posterior by Laplace's method, and which parameters they cannot tell apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from churnsim.calibration.errors import Warned

TOGETHER = 0.9
"""Posterior correlation from which two parameters count as not told apart (assumed)."""

UNINFORMED = 0.8
"""Posterior over prior standard deviation from which the data count as silent about a parameter (assumed)."""

MANY = 3
"""Parameters that the data are silent about which are told one by one; more are told together."""


@dataclass(frozen=True)
class Posterior:
    """A normal approximation of what is known about parameters on unbounded scales.

    Attributes
    ----------
    names : tuple of str
        Parameters, as people know them.
    mode : (n,) float64
        Most likely values.
    covariance : (n, n) float64
        Inverse of the curvature there.
    prior_sd : (n,) float64
        Standard deviations before any data.
    """

    names: tuple[str, ...]
    mode: np.ndarray
    covariance: np.ndarray
    prior_sd: np.ndarray

    def sample(self, draws: int, seed: int) -> np.ndarray:
        """Return (draws, n) values, in pairs that lie opposite each other, so that their mean is the mode."""
        root = _root(self.covariance)
        half = np.random.default_rng(seed).standard_normal(((draws + 1) // 2, self.mode.size)) @ root.T
        known = np.diag(self.covariance) == 0
        return np.where(known, self.mode, self.mode + np.concatenate([half, -half])[:draws])

    def warnings(self) -> list[Warned]:
        """Return which pairs the data cannot tell apart, and of which parameters they say next to nothing."""
        sd = np.sqrt(np.diag(self.covariance))
        told: list[Warned] = []
        silent = sd > UNINFORMED * self.prior_sd
        for i in np.flatnonzero(silent):
            told.append({"key": "uninformed", "parameter": self.names[i], "share": float(sd[i] / self.prior_sd[i])})
        with np.errstate(divide="ignore", invalid="ignore"):
            together = np.nan_to_num(self.covariance / np.outer(sd, sd))
        for i, j in zip(*np.triu_indices(sd.size, 1), strict=True):
            if abs(together[i, j]) >= TOGETHER and not (silent[i] or silent[j]):
                pair = {"first": self.names[i], "second": self.names[j], "correlation": float(together[i, j])}
                told.append({"key": "not_told_apart", **pair})
        return told


def summed_up(told: Sequence[Warned], paths: Mapping[str, str]) -> list[Warned]:
    """Return the warnings of a posterior with parameters by their paths, and many silent ones as one warning."""
    named = [
        {key: paths.get(value, value) if isinstance(value, str) else value for key, value in one.items()}
        for one in told
    ]
    silent = [one for one in named if one["key"] == "uninformed"]
    if len(silent) <= MANY:
        return named
    parameters, share = ", ".join(one["parameter"] for one in silent), min(one["share"] for one in silent)
    together = {"key": "uninformed_many", "parameters": parameters, "share": share}
    return [together, *(one for one in named if one["key"] != "uninformed")]


def _root(covariance: np.ndarray) -> np.ndarray:
    """Return a matrix whose product with its transpose is the covariance, negative directions left out."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return vectors * np.sqrt(np.clip(values, 0, None))


def curvature(gradient: Callable[[np.ndarray], np.ndarray], at: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Return the matrix of second derivatives by central differences of a gradient."""
    n = at.size
    found = np.empty((n, n))
    for i in range(n):
        move = np.zeros(n)
        move[i] = step
        found[i] = (gradient(at + move) - gradient(at - move)) / (2 * step)
    return (found + found.T) / 2


def covariance_of(information: np.ndarray, prior_sd: np.ndarray) -> np.ndarray:
    """Return the inverse of the information; directions without any have the prior's, never more.

    Parameters
    ----------
    information : (n, n)
        Curvature of minus the log posterior, prior included.
    prior_sd : (n,)
        Standard deviations of the prior, which bound the answer.
    """
    scaled = information * np.outer(prior_sd, prior_sd)
    values, vectors = np.linalg.eigh((scaled + scaled.T) / 2)
    # Where the surface is flat or bends the wrong way the prior's own curvature, 1 in this scale, remains.
    inverse = (vectors / np.maximum(values, 1.0)) @ vectors.T
    return inverse * np.outer(prior_sd, prior_sd)


def differences(
    function: Callable[[np.ndarray], float], step: float = 1e-4, *, central: bool = True
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function's gradient by differences; one-sided ones are good enough to search with."""

    def gradient(at: np.ndarray) -> np.ndarray:
        found = np.empty(at.size)
        base = None if central else function(at)
        for i in range(at.size):
            move = np.zeros(at.size)
            move[i] = step
            if base is None:
                found[i] = (function(at + move) - function(at - move)) / (2 * step)
            else:
                found[i] = (function(at + move) - base) / step
        return found

    return gradient


def interval(values: np.ndarray, level: float = 0.95) -> dict[str, float]:
    """Return mean and central interval of a sample, whatever is not a number left out; the mean lies within."""
    values = values[~np.isnan(values)]
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    mean = float(np.mean(values))
    return {"mean": mean, "low": min(float(low), mean), "high": max(float(high), mean)}


def interval_around(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the central 95 % of a sample along its first axis, widened to its mean where a few outliers carry that."""
    low, high = np.quantile(values, [0.025, 0.975], axis=0)
    return np.minimum(low, values.mean(0)), np.maximum(high, values.mean(0))

r"""Hazards that differ between customers and change with time: what a retention table consists of in this model.

Customer i of a cohort leaves in period t with probability ``min(1, lambda_i w_t)`` (`customers.opportunity` times
`customers.calendar.weights`, everything else off), so that with ``lambda ~ Beta(a, b)`` and constant weights the cohort
is the shifted-beta-geometric (A6; Fader & Hardie 2007). The weights are

    ``w_t = (t^c - (t - 1)^c) exp(k [t in anniversary] + e_t)``:

a trend of hazards with tenure in the form of the discrete Weibull (after Fader, Hardie, Liu, Davin & Steenburgh 2018,
recalled), a contract's calendar where the table shows one, and shocks e_t of single periods (`shocks`).
"""

from __future__ import annotations

import numpy as np
from scipy import special

GRID = np.linspace(-15.0, 9.0, 121)
"""Log-odds of a hazard at which the mixture over customers is evaluated."""


def shapes(mean: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a and b of the Beta distribution from the log-odds of its mean, and its spread, -log a.

    How much customers differ is measured by a because that hardly depends on how long a period is: what halves a
    period halves every hazard, doubles b, and leaves a.
    """
    odds = np.exp(np.asarray(mean, np.float64))
    # Both must stay below what a scenario allows; where b would not, customers differ a little more.
    a = np.clip(np.exp(-np.asarray(spread, np.float64)), 1e-3, np.minimum(1e6, 1e6 * odds))
    return np.maximum(a, 1e-3), np.clip(a / odds, 1e-3, 1e6)


def trend(periods: np.ndarray, log_c: np.ndarray | float) -> np.ndarray:
    """Return t^c - (t - 1)^c for every period."""
    c = np.exp(np.asarray(log_c, np.float64))[..., None]
    return periods**c - (periods - 1.0) ** c


def mixture(a: np.ndarray | float, b: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return hazards and the share of customers at each: Beta(a, b) on a grid of log-odds, both tails in one point.

    The grid is moved a little, so that its mean is that of the distribution however narrow that is.

    Shapes
    ------
    hazards (..., nodes), shares (..., nodes) for `a`, `b` of shape (...).
    """
    a, b = np.asarray(a)[..., None], np.asarray(b)[..., None]
    edges, nodes = special.expit((GRID[1:] + GRID[:-1]) / 2), special.expit(GRID)
    shares = np.diff(special.betainc(a, b, edges), axis=-1, prepend=0.0, append=1.0)
    mean = (shares * nodes).sum(-1, keepdims=True)
    return np.minimum(nodes * (a / (a + b) / mean), 1.0), shares


def hazards(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return (..., periods) hazards of those still there.

    Parameters
    ----------
    a, b : (...)
        Shapes of the hazards' distribution.
    weights : (..., periods)
        Trend, calendar and shocks, from period 1 on.
    """
    nodes, share = mixture(a, b)
    struck = np.minimum(1.0, weights[..., None] * nodes[..., None, :])
    there = np.ones(struck.shape)
    there[..., 1:, :] = np.cumprod(1 - struck[..., :-1, :], axis=-2)
    there *= share[..., None, :]
    return (there * struck).sum(-1) / np.maximum(there.sum(-1), 1e-300)


def usual(a: np.ndarray, b: np.ndarray, weights: np.ndarray, happened: np.ndarray) -> np.ndarray:
    """Return (..., periods) hazards that those still there would have without the shock of the period itself.

    Who is still there follows from what happened, whatever part of that is called a shock.

    Parameters
    ----------
    a, b : (...)
        Shapes of the hazards' distribution.
    weights : (..., periods)
        Trend and calendar, from period 1 on.
    happened : (periods,)
        Logarithm of each period's hazard; nan where it is the usual one.
    """
    nodes, there = mixture(a, b)
    plain = np.empty(weights.shape)
    for t, log in enumerate(happened):
        level = np.minimum(1.0, weights[..., t, None] * nodes)
        plain[..., t] = (there * level).sum(-1) / np.maximum(there.sum(-1), 1e-300)
        if log == log:
            level *= (np.exp(log) / np.maximum(plain[..., t], 1e-300))[..., None]
        there = there * np.maximum(1.0 - level, 0.0)
    return plain

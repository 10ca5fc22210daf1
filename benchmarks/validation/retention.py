"""Yardsticks for retention tables: sBG, beta-discrete-Weibull, hold the last hazard.

Each returns S(1) ... S(periods) for one segment's `at_risk` and `lost` from period 1 on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize, special


def _fitted(curve: Callable[..., np.ndarray], at_risk: np.ndarray, lost: np.ndarray, size: int) -> np.ndarray:
    """Return the parameters (logarithms) that make the table's losses most likely."""

    def cost(q: np.ndarray) -> float:
        left = np.concatenate([[1.0], curve(lost.size, *np.exp(q))])
        hazard = np.clip(1 - left[1:] / np.maximum(left[:-1], 1e-300), 1e-12, 1 - 1e-12)
        return -float((lost * np.log(hazard) + (at_risk - lost) * np.log1p(-hazard)).sum())

    rate = np.log(max(lost.sum(), 0.5) / at_risk.sum())
    starts = [np.array([0.0, -rate, 0.0]), np.array([-1.0, 0.5, 0.3]), np.array([0.0, 0.0, 0.0])]
    options = {"maxiter": 3000, "xatol": 1e-5, "fatol": 1e-7}
    found = [optimize.minimize(cost, start[:size], method="Nelder-Mead", options=options) for start in starts]
    return np.exp(min(found, key=lambda one: one.fun).x)


def _sbg(periods: int, alpha: float, beta: float) -> np.ndarray:
    """Return B(alpha, beta + t) / B(alpha, beta) (Fader & Hardie 2007)."""
    t = np.arange(1, periods + 1)
    return np.exp(special.betaln(alpha, beta + t) - special.betaln(alpha, beta))


def _bdw(periods: int, alpha: float, beta: float, c: float) -> np.ndarray:
    """Return B(alpha, beta + t^c) / B(alpha, beta) (Fader, Hardie, Liu, Davin & Steenburgh 2018)."""
    t = np.arange(1, periods + 1.0) ** min(c, 20.0)
    return np.exp(special.betaln(alpha, beta + t) - special.betaln(alpha, beta))


def sbg(at_risk: np.ndarray, lost: np.ndarray, periods: int) -> np.ndarray:
    """Fit and extend the shifted-beta-geometric."""
    return _sbg(periods, *_fitted(_sbg, at_risk, lost, 2))


def beta_discrete_weibull(at_risk: np.ndarray, lost: np.ndarray, periods: int) -> np.ndarray:
    """Fit and extend the beta-discrete-Weibull."""
    return _bdw(periods, *_fitted(_bdw, at_risk, lost, 3))


def hold_last_hazard(at_risk: np.ndarray, lost: np.ndarray, periods: int) -> np.ndarray:
    """Extend the table with its last period's hazard."""
    hazard = lost / at_risk
    return np.cumprod(1 - np.concatenate([hazard, np.full(periods - hazard.size, hazard[-1])]))

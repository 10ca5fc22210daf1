"""How long customers stay: retention by tenure, and the survivor curve it makes."""

from __future__ import annotations

import numpy as np


def retention_by_tenure(at_risk: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Return the share of customers with a tenure who stay one tick more; NaN where there are none.

    Parameters
    ----------
    at_risk, lost : (..., K) array
        Customers with 0, 1, ... K - 1 ticks behind them at the start of a tick, and how many of them are gone
        at its end.
    """
    at_risk, lost = np.asarray(at_risk, np.float64), np.asarray(lost, np.float64)
    return 1 - lost / np.where(at_risk > 0, at_risk, np.nan)


def survivor_curve(at_risk: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Return the share of customers who reach each tenure (product-limit estimate, Kaplan & Meier 1958).

    ``S(n)`` is the product of the retention rates of the tenures below n. A customer who joins has one tick of tenure
    when the next one begins, so nobody need be at risk at tenure 0: a tenure that nobody has loses nobody there, and
    after the last one anybody has the curve is unknown.

    Parameters
    ----------
    at_risk, lost : (..., K) array
        As `retention_by_tenure`.

    Returns
    -------
    (..., K + 1) float64
        S(0) = 1 to S(K); NaN beyond the longest tenure seen, and everywhere where there is none.
    """
    rates = retention_by_tenure(at_risk, lost)
    later = np.flip(np.logical_or.accumulate(np.flip(~np.isnan(rates), -1), -1), -1)
    curve = np.cumprod(np.where(np.isnan(rates), 1, rates), axis=-1)
    start = np.where(later[..., :1], 1.0, np.nan)
    return np.concatenate([start, np.where(later, curve, np.nan)], axis=-1)

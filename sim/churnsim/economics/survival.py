"""How long customers stay: survivor curves, retention by tenure, and rates of other lengths of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from churnsim.economics.checks import (
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Floats,
    Numbers,
    same_length,
    some,
    whole,
    within,
)

MONTHS = 12


def retention_by_tenure(at_risk: ArrayLike, lost: ArrayLike) -> Floats:
    """Return the share of customers who stay on at each tenure, ``1 - lost / at risk``, (..., tenures).

    `at_risk` customers who reached the tenure and were still observed, `lost` those of them who left at
    it. NaN where nobody was at risk: nothing is known there. Kaplan & Meier 1958.
    """
    where = "retention_by_tenure"
    exposed = some(where, "at_risk", at_risk, NOT_NEGATIVE)
    left = some(where, "lost", lost, NOT_NEGATIVE)
    same_length(where, "values of at_risk", exposed, "of lost", left)
    if np.any(left > exposed):
        first = int(np.argwhere(left > exposed)[0][-1])
        raise ValueError(f"{where}: more lost than at risk at position {first}; lost must lie in [0, at_risk]")
    stayed = np.full(np.broadcast_shapes(exposed.shape, left.shape), np.nan)
    return np.divide(exposed - left, exposed, out=stayed, where=exposed > 0)


def survivor_curve(at_risk: ArrayLike, lost: ArrayLike) -> Floats:
    """Return the share of customers still there after each tenure, (..., tenures + 1) from S(0) = 1.

    The product-limit estimate, ``prod (1 - lost / at risk)``, which customers who are still there when
    observation ends do not bias. A tenure at which nobody was at risk loses nobody: in the model's tables a
    customer who joins has one tick of tenure when the next begins, and nobody is at risk at 0. NaN beyond the
    longest tenure at which anybody was. Kaplan & Meier 1958.
    """
    rates = retention_by_tenure(at_risk, lost)
    known = ~np.isnan(rates)
    later = np.flip(np.logical_or.accumulate(np.flip(known, -1), -1), -1)
    curve = np.where(later, np.cumprod(np.where(known, rates, 1), axis=-1), np.nan)
    return np.concatenate([np.where(later[..., :1], 1.0, np.nan), curve], axis=-1)


def sbg_retention(alpha: ArrayLike, beta: ArrayLike, tenure: ArrayLike) -> Numbers:
    """Return retention at a tenure, ``(beta + t - 1) / (alpha + beta + t - 1)``, from t = 1.

    Shifted-beta-geometric: each customer's churn is constant, Beta(alpha, beta) over customers. Retention
    rises with tenure because those likely to leave have left. Fader & Hardie 2007; A6, E26.
    """
    a, b = within("sbg_retention", "alpha", alpha, POSITIVE), within("sbg_retention", "beta", beta, POSITIVE)
    t = within("sbg_retention", "tenure", tenure, "[1, inf)")
    return (b + t - 1) / (a + b + t - 1)


def sbg_survivor_curve(alpha: ArrayLike, beta: ArrayLike, ticks: int) -> Floats:
    """Return ``S(t) = B(alpha, beta + t) / B(alpha, beta)`` for t = 0 ... `ticks`, (..., ticks + 1).

    The product of `sbg_retention`. Fader & Hardie 2007; A6.
    """
    tenures = np.arange(1, whole("sbg_survivor_curve", "ticks", ticks, 1) + 1)
    a = within("sbg_survivor_curve", "alpha", alpha, POSITIVE)[..., np.newaxis]
    b = within("sbg_survivor_curve", "beta", beta, POSITIVE)[..., np.newaxis]
    retention = np.asarray(sbg_retention(a, b, tenures))
    return np.cumprod(np.insert(retention, 0, 1.0, axis=-1), axis=-1, dtype=np.float64)


def monthly_rate(annual: ArrayLike) -> Numbers:
    """Return the monthly rate of loss that makes an annual one, ``1 - (1 - x)^(1/12)``.

    25 % a year is 2.37 % a month (V8), not a twelfth of it.
    """
    return 1 - (1 - within("monthly_rate", "annual", annual, SHARE)) ** (1 / MONTHS)


def annual_rate(monthly: ArrayLike) -> Numbers:
    """Return the annual rate of loss that a monthly one makes, ``1 - (1 - x)^12``."""
    return 1 - (1 - within("annual_rate", "monthly", monthly, SHARE)) ** MONTHS

"""How many customers a firm must win, and how a market fills by word of mouth."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from churnsim.economics.checks import NOT_NEGATIVE, SHARE, Floats, Numbers, within


def required_new_customers(customers: ArrayLike, growth: ArrayLike, repurchase: ArrayLike) -> Numbers:
    """Return how many customers must be won to grow, ``N (1 + g - rho)``.

    `growth` g is the wanted one and `repurchase` rho the share of the N customers who buy again. Negative
    where more stay than are wanted. Course S61 (brands X and Z), A13.
    """
    n = within("required_new_customers", "customers", customers, NOT_NEGATIVE)
    g = within("required_new_customers", "growth", growth, "[-1, inf)")
    # Term by term: the three products are whole numbers in the course, their sum is then exact.
    return n + n * g - n * within("required_new_customers", "repurchase", repurchase, SHARE)


def leaky_bucket_gap(lost: ArrayLike, acquisition_cost: ArrayLike, retention_cost: ArrayLike) -> Numbers:
    """Return what replacing lost customers costs more than keeping them, ``lost (CAC - CRC)``, in money per tick.

    Either way the number of customers stays the same. Costs are per customer won and per customer kept.
    Negative where keeping is the dearer. Course S80 (100 lost and 100 won a week), A14.
    """
    gone = within("leaky_bucket_gap", "lost", lost, NOT_NEGATIVE)
    won = within("leaky_bucket_gap", "acquisition_cost", acquisition_cost, NOT_NEGATIVE)
    return gone * (won - within("leaky_bucket_gap", "retention_cost", retention_cost, NOT_NEGATIVE))


def bass_adopters(time: ArrayLike, innovation: ArrayLike, imitation: ArrayLike, start: ArrayLike = 0.0) -> Numbers:
    """Return the share of the market that has adopted by a time, in ticks: F(t) of `bass_rate`.

    ``F = (a - b e) / (a + c e)`` with ``e = exp(-(p + q) t)``, ``a = p + q F0``, ``b = p (1 - F0)`` and
    ``c = q (1 - F0)``. `start` F0 is the share at time 0; without innovation p somebody must have begun,
    and the curve is the logistic one of word of mouth alone. Bass 1969; A16.
    """
    where = "bass_adopters"
    t = within(where, "time", time, NOT_NEGATIVE)
    p, q, first = _bass(where, innovation, imitation, start)
    a, others = p + q * first, 1 - first
    if np.any(a <= 0):
        raise ValueError(f"{where}: innovation + imitation x start is 0, so nobody ever adopts; it must be positive")
    e = np.exp(-(p + q) * t)
    return (a - p * others * e) / (a + q * others * e)


def bass_rate(adopters: ArrayLike, innovation: ArrayLike, imitation: ArrayLike) -> Numbers:
    """Return the share of the market that adopts per tick, ``dF/dt = (p + q F) (1 - F)`` (Bass 1969; A16)."""
    p, q, F = _bass("bass_rate", innovation, imitation, adopters, "adopters")
    return (p + q * F) * (1 - F)


def _bass(
    where: str, innovation: ArrayLike, imitation: ArrayLike, share: ArrayLike, name: str = "start"
) -> tuple[Floats, Floats, Floats]:
    """Return the checked coefficients p and q, both per tick, and the share that has adopted."""
    p = within(where, "innovation", innovation, NOT_NEGATIVE)
    return p, within(where, "imitation", imitation, NOT_NEGATIVE), within(where, name, share, SHARE)

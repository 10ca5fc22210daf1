"""What a stay is like, and what it does to belief, expectation and satisfaction (E7-E10)."""

from __future__ import annotations

from churnsim.mechanisms.arithmetic import HALF, ONE, ZERO, clip, positive
from churnsim.mechanisms.rule import rule


@rule
def crowding(load, capacity, strength):
    """Return the quality lost to crowding, ``kappa_c [load / capacity - 1]^+`` (E7)."""
    return strength * positive(load / capacity - ONE)


@rule
def experience(quality, crowd, noise, luck):
    """Return the quality experienced in one stay, ``q - crowding + sigma z``, within 0 and 1 (E7)."""
    return clip(quality - crowd + noise * luck, ZERO, ONE)


@rule
def learn(belief, signal, rate):
    """Return a belief moved towards a signal by exponential smoothing (E8)."""
    return belief + rate * (signal - belief)


@rule
def expectation(expected, experienced, up, down):
    """Return the expectation after a stay; it rises faster than it falls (E9).

    Boulding, Kalra, Staelin & Zeithaml 1993; the ratchet is the course's.
    """
    rate = up if experienced > expected else down
    return expected + rate * (experienced - expected)


@rule
def spillover(expected, best_known, rate):
    """Return the expectation pulled up by the best firm known (E9)."""
    return expected + rate * positive(best_known - expected)


@rule
def stay_satisfaction(experienced, expected, market_mean, disconfirmation, loss_aversion, performance):
    """Return the satisfaction with one stay, 0 to 1 (E10).

    ``1/2 + b_d d (lambda_s if d < 0) + b_x (x - market mean)`` with ``d = x - E``. Oliver 1980;
    Anderson & Sullivan 1993: falling short weighs more than exceeding.
    """
    gap = experienced - expected
    felt = disconfirmation * gap * (loss_aversion if gap < ZERO else ONE)
    return clip(HALF + felt + performance * (experienced - market_mean), ZERO, ONE)

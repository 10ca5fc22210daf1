"""Who refers others (E20; course S72)."""

from __future__ import annotations

import numpy as np

from churnsim.mechanisms.arithmetic import ONE, ZERO, exp
from churnsim.mechanisms.rule import rule

UNCONDITIONAL, FOR_MONEY, FOR_FAVOURS, FOR_FRIENDS = np.uint8(0), np.uint8(1), np.uint8(2), np.uint8(3)


@rule
def willingness(kind, reward, scale, favoured, satisfaction):
    """Return how willing a referrer of a kind is, 0 to 1 (course S72: four types; the forms are ours).

    The unconditional always; those who want money, ``1 - exp(-reward / scale)``; those who want favours, when they
    are looked after; friends, as far as they are satisfied.
    """
    if kind == FOR_MONEY:
        return ONE - exp(-reward / scale)
    if kind == FOR_FAVOURS:
        return ONE if favoured else ZERO
    if kind == FOR_FRIENDS:
        return satisfaction
    return ONE


@rule
def suited(taste, tilt, level):
    """Return how many times the usual chance somebody is told of a firm, by his taste for it: ``exp(m tau / sd + b)``.

    `tilt` is ``m / sd`` per money, and `level` the ``b`` that makes the mean 1 over the population: ``-m^2 / 2``, or
    more where chances would exceed 1 (`churnsim.parameters.level_of_matching`). The tastes of those told are the
    population's, shifted by ``m sd`` (exponential tilting; the form is ours).
    """
    return exp(tilt * taste + level)


@rule
def referring(rate, attachment, satisfaction, sociability, willing, care):
    """Return the probability of referring somebody this tick, ``rho A S x sociability x willingness x care`` (E20)."""
    chance = rate * attachment * satisfaction * sociability * willing * care
    return chance if chance < ONE else ONE

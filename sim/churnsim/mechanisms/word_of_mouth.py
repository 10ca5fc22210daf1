"""Who tells about a stay, how many hear it, and how far they believe it (E19)."""

from __future__ import annotations

import numpy as np

from churnsim.mechanisms.arithmetic import HALF, ONE, TWO, exp
from churnsim.mechanisms.rule import rule

MOST_TOLD = 64  # longest list of people told that is told apart; P(more) is below 1e-15 at a mean of 9


@rule
def telling(satisfaction, base, extreme):
    """Return the probability of telling about a stay, ``pi0 + 2 pi1 |S - 1/2|``, at most 1 (E19)."""
    chance = base + extreme * TWO * np.abs(satisfaction - HALF)
    return chance if chance < ONE else ONE


@rule
def people_told(luck, mean):
    """Return the number of people told: the Poisson quantile of `luck` (TARP: 9-10 when dissatisfied)."""
    chance = exp(-mean)
    reached = chance
    told = 0
    while luck > reached and told < MOST_TOLD:
        told += 1
        chance = chance * mean / np.float32(told)
        reached = reached + chance
    return told


@rule
def hears(luck, told, contacts):
    """Return whether one of a teller's acquaintances is among the people told."""
    return luck * np.float32(contacts) < np.float32(told)

"""How many people are told, from a table: the distribution is the same for everybody, so it is worked out once."""

from __future__ import annotations

import numpy as np

from churnsim.engine.kernel import kernel
from churnsim.mechanisms.arithmetic import exp
from churnsim.mechanisms.rule import part


@part
def rungs(ladder, mean):
    """Fill `ladder` with the distribution function of the number of people told, from 0 on, at a mean.

    The numbers that `churnsim.mechanisms.word_of_mouth.people_told` runs through, in the same steps.
    """
    chance = exp(-mean)
    reached = chance
    for told in range(ladder.size):
        ladder[told] = reached
        chance = chance * mean / np.float32(told + 1)
        reached = reached + chance


@part
def climbed(luck, ladder):
    """Return the number of people told: the rungs below the luck."""
    told = 0
    while told < ladder.size and luck > ladder[told]:
        told += 1
    return told


@kernel
def build_ladders(ladders, dissatisfied, satisfied):
    """Fill a market's two ladders, for a mean of people told by the dissatisfied and one by the satisfied."""
    rungs(ladders[0], dissatisfied)
    rungs(ladders[1], satisfied)

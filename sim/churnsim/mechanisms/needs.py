"""What customers come to want: less price after attention to it, something new, other attributes (E32-E34)."""

from __future__ import annotations

import numpy as np

from churnsim.mechanisms.arithmetic import HALF, ONE, ZERO, exp
from churnsim.mechanisms.rule import rule


@rule
def sensitised(level, exposed, growth, decay):
    """Return the price weight that promotions have added, after one tick (E32; Mela, Gupta & Lehmann 1997)."""
    return level - decay * level + (growth if exposed else ZERO)


@rule
def sensitivity_term(level, weight, dearer, attachment, offset):
    """Return what an added price weight takes off a firm's value, in money (E32, E33).

    ``-s omega (p - p') (1 - o A)``, p' what the customer is used to pay. Differences in price count for more (Mela,
    Gupta & Lehmann 1997: the response to price grows), while usual prices cost nobody's goodwill; attachment offsets
    it (Umashankar, Bhagwat & Kumar 2017).

    Parameters
    ----------
    level
        Price weight that promotions have added.
    weight
        Price weight of the customer.
    dearer
        Price less what the customer is used to pay, in money.
    attachment
        Attachment to the firm, 0 to 1.
    offset
        Share of the added weight that full attachment offsets.
    """
    return -level * weight * dearer * (ONE - offset * attachment)


@rule
def filled_up(stock, ahead):
    """Return the purchases that fill a stock up to `ahead` (Blattberg, Eppen & Lieberman 1981)."""
    return ahead - stock if stock < ahead else ZERO


@rule
def come_so_far(stages_on, chance, stages):
    """Return the probability that a need comes so many stages closer in a tick, or more.

    Each of n stages may pass, with the chance p of a need in a tick: their number is binomial, and p again where there
    is one only. With more of them gaps between needs vary less (Erlang gaps: Chatfield & Goodhardt 1973, recalled).

    Parameters
    ----------
    stages_on
        How many are missing, 1 at least.
    chance
        Chance of a need in a tick without stages.
    stages
        How many there are from one need to the next.
    """
    total = ZERO
    for passed in range(stages, stages_on - 1, -1):
        term = ONE
        for k in range(stages):  # of the stages that pass, with their number of ways, and those that do not
            term = term * (chance * np.float32(stages - k) / np.float32(k + 1) if k < passed else ONE - chance)
        total = total + term
    return total


@rule
def boredom(value, tenure, time):
    """Return the worth of a change to somebody who seeks variety, ``v (1 - exp(-tenure / T))``, in money."""
    return value * (ONE - exp(-tenure / time))


@rule
def attribute_value(satisfaction, sharpness, core, process, benefit):
    """Return the quality that counts: three attributes weighed by satisfaction (E34; course S55).

    Weights are ``softmax(-b (S - c)**2)`` with centres 0 for the core, 1/2 for the process and 1 for the benefit: the
    dissatisfied look at the core, the neutral at the process, the satisfied at what the firm does for their goals.
    """
    a = exp(-sharpness * satisfaction * satisfaction)
    b = exp(-sharpness * (satisfaction - HALF) * (satisfaction - HALF))
    c = exp(-sharpness * (satisfaction - ONE) * (satisfaction - ONE))
    return (a * core + b * process + c * benefit) / (a + b + c)


@rule
def stage_of(age, length, stages):
    """Return the stage of a need that lasts `length` ticks, from 0."""
    stage = np.int64(age) * np.int64(stages) // np.int64(length)
    return stage if stage < stages else stages - 1

"""When service fails, who speaks up, and what recovery mends (E22, E23)."""

from __future__ import annotations

import numpy as np

from churnsim.mechanisms.arithmetic import HALF, ONE, TWO, ZERO, clip, logistic
from churnsim.mechanisms.rule import rule

USUAL_GAP = np.float32(0.26)  # 1 less the quality at which a failure has its usual probability


@rule
def failure_chance(quality, rate):
    """Return the probability that the core of a stay fails, ``rate (1 - q) / .26`` (E22)."""
    return clip(rate * (ONE - quality) / USUAL_GAP, ZERO, ONE)


@rule
def encounter_chance(courtesy, morale, rate):
    """Return the probability that an encounter goes wrong: `rate` where courtesy and morale are one half.

    Uncaring, impolite, unresponsive staff (Keaveney 1995); the form is ours.
    """
    return clip(rate * TWO * (ONE - HALF * (courtesy + morale)), ZERO, ONE)


@rule
def complains(base, hope, success, attached, attachment, added):
    """Return the probability of complaining, ``logistic(v0 + v1 P(success) + v2 A + ...)`` (E22).

    Hirschman 1970: voice where it is likely to help, and out of loyalty; else silence and exit. Singh 1988.
    """
    return logistic(base + hope * success + attached * attachment + added)


@rule
def mended(heard, distributive, compensation, interactional, courtesy, procedural, speed):
    """Return the share of a loss that recovery mends, at most 1 (E23).

    ``heard + d comp + i courtesy + p speed``: distributive, interactional and procedural justice (Tax, Brown &
    Chandrashekaran 1998; Smith, Bolton & Wagner 1999).
    """
    share = heard + distributive * compensation + interactional * courtesy + procedural * speed
    return share if share < ONE else ONE


@rule
def forgiven(loss, attachment, tolerance):
    """Return the loss that remains for somebody so attached: loyal customers tolerate an error (course S48)."""
    return loss * (ONE - tolerance * attachment)

"""Splitting a departure over its causes (docs/model.md, attribution).

When a customer leaves firm c for option k, the change of ``U_k - U_c`` since the last active
choice of c is a sum of changes of single terms. The value is linear in them, so the Shapley
value of each is just its own change, whatever the order.
"""

from __future__ import annotations

import numpy as np

from churnsim.mechanisms.arithmetic import ZERO, positive
from churnsim.mechanisms.rule import rule

FLAT = np.float32(1e-5)  # a belief that moved less than this gives no reliable slope in single precision


@rule
def chord(value_now, value_then, belief_now, belief_then, slope_above_floor):
    """Return the slope by which a change of belief became a change of value, in money.

    The value of a belief is bent at the core floor; along the chord its parts still add up.
    """
    change = belief_now - belief_then
    if -FLAT < change < FLAT:
        return slope_above_floor
    return (value_now - value_then) / change


@rule
def share(change, positive_total):
    """Return the share of one term in all the terms that spoke for leaving."""
    return positive(change) / positive_total if positive_total > ZERO else ZERO

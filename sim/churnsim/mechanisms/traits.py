"""How a customer's traits follow from a uniform number."""

from __future__ import annotations

import numpy as np

from churnsim.mechanisms.arithmetic import HALF, ZERO, clip, exp, normal
from churnsim.mechanisms.rule import rule

CONSTANT = 0
NORMAL = 1
LOGNORMAL = 2
UNIFORM = 3
TABLE = 4
CUT = np.float32(4)  # a normal trait is cut off at this many standard deviations, so that it has bounds (assumed)


@rule
def trait(u, kind, centre, spread, table):
    """Return the quantile `u` of a trait's distribution.

    Parameters
    ----------
    u
        A uniform number.
    kind
        One of the constants of this module.
    centre, spread
        Constant: value, -. Normal: mean, standard deviation (cut off at 4). Lognormal: mean, standard deviation
        of the logarithm. Uniform: low, width. Table: -, -.
    table : (cells + 1,) float32
        Quantiles at equal steps of probability, interpolated between.
    """
    if kind == NORMAL:
        return centre + spread * clip(normal(u), -CUT, CUT)
    if kind == LOGNORMAL:
        # The mean stands outside, so that scaling money by a power of two scales the trait exactly.
        return centre * exp(spread * normal(u) - HALF * spread * spread)
    if kind == UNIFORM:
        return centre + spread * u
    if kind == TABLE:
        position = u * np.float32(table.size - 1)
        cell = np.int64(position)
        low = table[cell]
        return low + (position - np.float32(cell)) * (table[cell + 1] - low)
    return centre + ZERO

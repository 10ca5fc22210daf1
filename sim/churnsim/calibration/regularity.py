"""Whether customers buy at more even gaps than chance would have it.

Of two gaps in a row that together take s ticks the first is, where occasions come by chance, as likely 1 as 2 ... or
s - 1 ticks long, whatever the customer's rate; absences make one of the two long. So if gaps halve their sum more often
than that, they are more regular than chance (the idea of Wheat & Morrison 1990, recalled, in whole ticks).
"""

from __future__ import annotations

import numpy as np

from churnsim.calibration.formats import Events
from churnsim.calibration.recorded import Ticks

SURE = 4.0
"""Standard errors from which gaps count as more regular than chance (assumed)."""


def more_even(events: Events, ticks: Ticks) -> bool:
    """Return whether gaps are surely more even than chance alone would have them.

    Every gap is in one pair at most, so that pairs know nothing of each other.
    """
    bought = np.unique(np.column_stack([events.customer, ticks.of]), axis=0)
    who, tick = bought[:, 0], bought[:, 1]
    place = np.arange(who.size) - np.searchsorted(who, who)  # of a purchase in its customer's row
    first = np.flatnonzero((place % 2 == 0) & (np.append(who[2:], [-1, -1])[: who.size] == who))
    whole = tick[first + 2] - tick[first]
    kept = whole > 2
    first, whole = first[kept], whole[kept].astype(np.float64)
    off = (tick[first + 1] - tick[first] - whole / 2) ** 2
    several = (whole - 1) ** 2  # values that the first gap may have, squared
    usual, scatter = (several - 1) / 12, (several - 1) * (3 * several - 7) / 240
    sure = np.sqrt((scatter / usual**2 - 1).sum())
    return bool((off / usual - 1).sum() < -SURE * sure)

"""How finely a log's purchases are recorded: what a tick of its scenario is.

Days as a rule. Bills that go out once a month, or a panel that is asked once a quarter, have nothing in between: a
customer who pays every month is silent for thirty days on end, which in days would look like an absence and in months
is none. There a tick is what the purchases are recorded by, as in the beta-geometric/beta-Bernoulli model of occasions
that come at fixed times (Fader, Hardie & Shang 2010, recalled).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnsim.calibration.formats import WEEK, Events

DAYS_OF_DAILY_TICKS = 1100
"""Days up to which a tick is a day where purchases may be on any; beyond it is a week."""

NAMES = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "quarter": 365.25 / 4, "year": 365.25}
"""Ticks that a scenario knows, in days."""

UNEVEN = {"year": 1.5, "quarter": 2.5, "month": 2.5}
"""Days by which purchases may lie off where even months, quarters and years would have them; longest first."""

SELDOM = 1e-4
"""Probability up to which it is no coincidence that all days lie where they do (assumed)."""


@dataclass(frozen=True)
class Ticks:
    """A log's purchases by tick.

    Attributes
    ----------
    name : str
        What a scenario calls such a tick, or what comes nearest.
    days : float
        Length of a tick.
    of : (purchases,) int64
        Tick of each purchase, from 0 on.
    count : int
        Ticks observed.
    """

    name: str
    days: float
    of: np.ndarray
    count: int


def week_of(tick: int, days: float) -> int:
    """Return the week, from 0 on, in which a tick of so many days begins."""
    return int(tick * days + 1e-9) // WEEK


def ticks_of(events: Events) -> Ticks:
    """Return a log's purchases by what they are recorded by: days, weeks of a log of years, or something longer."""
    days = recorded_by(np.unique(events.day))
    if days is not None:
        of = np.rint(events.day / days).astype(np.int64)
        return Ticks(_nearest(days), days, of, int(of.max()) + 1)
    if events.days <= DAYS_OF_DAILY_TICKS:
        return Ticks("day", 1.0, events.day, events.days)
    return Ticks("week", float(WEEK), events.day // WEEK, -(-events.days // WEEK))


def recorded_by(days: np.ndarray) -> float | None:
    """Return how many days lie between the days on which there are purchases at all; None where they may be on any.

    Parameters
    ----------
    days : (n,) int64
        Different days, sorted, the first of them 0.
    """
    common = int(np.gcd.reduce(days)) if days.size > 1 else 1
    if common > 1 and _is_no_coincidence(1 / common, days.size):
        return float(common)
    for name, uneven in UNEVEN.items():
        length = NAMES[name]
        off = np.abs(days - length * np.rint(days / length)).max()
        if off <= uneven and _is_no_coincidence((2 * uneven + 1) / length, days.size):
            return length
    return None


def _is_no_coincidence(chance: float, count: int) -> bool:
    """Return whether so many days hardly lie where they do by chance, each with that probability but the first."""
    return chance ** (count - 1) <= SELDOM


def in_ticks(hazard: float, tick: str, days: float) -> float:
    """Return the hazard of ticks of so many days at which as many are lost as at a hazard of ticks of some name."""
    return float(-np.expm1(np.log1p(-min(hazard, 1 - 1e-12)) * days / NAMES[tick]))


def _nearest(days: float) -> str:
    """Return the name of the tick whose length is nearest, as a ratio."""
    return min(NAMES, key=lambda name: abs(np.log(days / NAMES[name])))

"""A contract's calendar in a retention table: periods near every multiple of a cycle in which more customers leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from churnsim.calibration.shocks import candidates, scores

OFFSETS = ((0,), (0, 1), (-1, 0), (-1, 0, 1))
"""Windows around an anniversary that are tried."""

PROOF = 6.0
"""By how much a calendar must raise twice the log-likelihood beyond what the number of those tried costs (assumed)."""


@dataclass(frozen=True)
class Calendar:
    """Periods in which a contract lets customers go: those near every multiple of a cycle.

    Attributes
    ----------
    cycle : int
        Periods from one anniversary to the next.
    offsets : sequence of int
        Periods around each that belong to it.
    """

    cycle: int
    offsets: Sequence[int]

    def marks(self, periods: np.ndarray) -> np.ndarray:
        """Return 1 for periods that belong to an anniversary, else 0."""
        marked = np.zeros(periods.shape)
        for offset in self.offsets:
            marked[((periods - offset) % self.cycle == 0) & (periods - offset > 0)] = 1.0
        return marked


def find_calendar(tables: Sequence[tuple[int, np.ndarray, np.ndarray]]) -> Calendar | None:
    """Return the calendar that the residuals show, if one does so beyond doubt: it must have come round twice.

    Parameters
    ----------
    tables
        By segment: first period, residuals in logarithms, variances by chance.
    """
    last = max(first + off.size - 1 for first, off, _ in tables)
    tried: list[tuple[float, Calendar]] = []
    for cycle in range(3, last // 2 + 1):
        for offsets in OFFSETS:
            if len(offsets) * 2 < cycle:
                calendar = Calendar(cycle, offsets)
                tried.append((_contrast(calendar, tables), calendar))
    if not tried:
        return None
    gain, best = max(tried, key=lambda one: (one[0], -one[1].cycle, -len(one[1].offsets)))
    rows = sum(off.size for _, off, _ in tables)
    needed = PROOF + np.log(rows) + 2 * np.log(len(tried))
    return best if gain > needed and _gain(best, tables) > needed else None


def _contrast(calendar: Calendar, tables: Sequence[tuple[int, np.ndarray, np.ndarray]]) -> float:
    """Return how far anniversaries lie above other periods (chi-square), 0 unless most of them stand out upwards.

    The yardstick is the spread of most periods, which a few peaks do not widen.
    """
    top = bottom = 0.0
    rounds: dict[int, list[float]] = {}
    for first, off, chance in tables:
        periods = np.arange(first, first + off.size)
        marks = calendar.marks(periods)
        typical = (np.median(np.abs(off - np.median(off))) / 0.6745) ** 2  # a normal variance, from its quartiles
        weight = 1.0 / (chance + typical + 0.01)
        middle = off - np.average(off, weights=weight)
        share = np.average(marks, weights=weight)
        top += float((weight * (marks - share) * middle).sum())
        bottom += float((weight * (marks - share) ** 2).sum())
        for period, value in zip(periods[marks > 0], middle[marks > 0], strict=True):
            rounds.setdefault(round(period / calendar.cycle), []).append(float(value))
    up = [np.mean(values) > 0 for values in rounds.values()]
    if bottom <= 0 or len(rounds) < 2 or np.mean(up) < 0.7:
        return 0.0
    return top**2 / bottom if top > 0 else 0.0


def _gain(calendar: Calendar, tables: Sequence[tuple[int, np.ndarray, np.ndarray]]) -> float:
    """Return by how much a calendar raises twice the log-likelihood, the best shocks sought with and without it."""
    tried = candidates()
    without = added = np.array([shocks.log_prior for shocks in tried])
    for first, off, chance in tables:
        marks = calendar.marks(np.arange(first, first + off.size))
        without = without + scores(off, chance, tried)[0]
        added = added + scores(off, chance, tried, marks)[0]
    return 2 * float(added.max() - without.max())

"""What a log says of each customer: the gaps between his purchases, and the silence after the last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from churnsim.calibration.formats import Events
from churnsim.calibration.recorded import Ticks


@dataclass(frozen=True)
class Histories:
    """What the likelihood needs of customers: the gaps between their purchases, and the silence at the end, in ticks.

    Attributes
    ----------
    gaps : (n, longest) sparse matrix
        How often each gap occurs; column g is a gap of g + 1 ticks.
    silence : (n,) int64
        Ticks since the last purchase.
    ticks : int
        How long the log is.
    """

    gaps: sparse.csr_matrix
    silence: np.ndarray
    ticks: int

    @property
    def repeats(self) -> np.ndarray:
        """Repeat purchases of each customer."""
        return np.asarray(self.gaps.sum(1)).ravel()

    @property
    def count(self) -> int:
        """Number of customers."""
        return self.silence.size

    def part(self, rows: np.ndarray) -> Histories:
        """Return some of the customers."""
        return Histories(self.gaps[rows], self.silence[rows], self.ticks)


def histories_of(events: Events, ticks: Ticks) -> Histories:
    """Return what the likelihood needs, by tick; purchases of one tick are one."""
    bought = np.unique(np.column_stack([events.customer, ticks.of]), axis=0)
    who, tick = bought[:, 0], bought[:, 1]
    again = np.flatnonzero(who[1:] == who[:-1]) + 1
    gap = tick[again] - tick[again - 1]
    last = np.zeros(len(events.ids), np.int64)
    np.maximum.at(last, who, tick)
    shape = (len(events.ids), int(gap.max()) if gap.size else 1)
    gaps = sparse.csr_matrix((np.ones(gap.size, np.float32), (who[again], gap - 1)), shape=shape)
    return Histories(gaps, ticks.count - 1 - last, ticks.count)


def distinct(histories: Histories) -> tuple[Histories, np.ndarray]:
    """Return the different histories, and how often each occurs."""
    gaps = histories.gaps
    kinds: dict[tuple[object, ...], list[int]] = {}
    for i in range(histories.count):
        part = slice(gaps.indptr[i], gaps.indptr[i + 1])
        key = (int(histories.silence[i]), gaps.indices[part].tobytes(), gaps.data[part].tobytes())
        kinds.setdefault(key, []).append(i)
    rows = np.array([same[0] for same in kinds.values()])
    return histories.part(rows), np.array([len(same) for same in kinds.values()], float)

"""What is still to be done, handed out in batches that take about a quarter of a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from churnsim.studies.plan import Cell
from churnsim.studies.work import Answer, Job, do

BATCH_SECONDS = 0.25
"""What a batch should take: long against handing it over, short against waiting for it."""
FIRST_BATCH = 8
"""Runs of a batch while nobody knows how long they take."""
MOST_AT_ONCE = 2048
"""Runs of a batch at most."""
PATIENCE = 50.0
"""Unless told otherwise a run may take so many times as long as the slowest one so far …"""
LEAST_PATIENCE, FIRST_PATIENCE = 300.0, 3600.0
"""… but at least so many seconds, and at the beginning, when nothing is known, so many."""


def patience(timeout: float | None, slowest: float | None) -> float:
    """Return how many seconds a run may take: what was asked for, or what the slowest run so far suggests."""
    if timeout is not None:
        return timeout
    return FIRST_PATIENCE if slowest is None else max(LEAST_PATIENCE, PATIENCE * slowest)


class Queue:
    """Cells that wait to be run.

    Parameters
    ----------
    cells
        What is to be run, in order.
    shares
        Among how many workers the work is divided: the last batches are small, so that nobody waits for one.
    least
        Runs of a batch at least, while there are so many: markets that advance side by side cost little more than one.
    """

    def __init__(self, cells: Iterator[Cell], total: int, shares: int = 1, least: int = 1) -> None:
        self._cells = cells
        self._front: deque[Cell] = deque()
        self.left = total
        self.shares = shares
        self.least = least
        self.stopped = False
        self.mean_seconds: float | None = None

    def take(self) -> list[Cell]:
        """Return the next batch; nothing where there is no more, or where it was stopped."""
        if self.stopped:
            return []
        if self.mean_seconds is None:
            wanted = FIRST_BATCH
        else:
            wanted = int(BATCH_SECONDS / max(self.mean_seconds, 1e-6))
        wanted = max(1, min(max(wanted, self.least), MOST_AT_ONCE, -(-self.left // self.shares)))
        batch: list[Cell] = []
        while wanted > 0:
            cell = self._front.popleft() if self._front else next(self._cells, None)
            if cell is None:
                self.left = 0
                break
            if len(cell.runs) > wanted:
                self._front.appendleft(cell.of(cell.runs[wanted:]))
                cell = cell.of(cell.runs[:wanted])
            batch.append(cell)
            wanted -= len(cell.runs)
            self.left = max(0, self.left - len(cell.runs))
        return batch

    def give_back(self, cell: Cell) -> None:
        """Put runs back in front: they were handed out and never begun."""
        self._front.appendleft(cell)
        self.left += len(cell.runs)

    def learn(self, runs: int, seconds: float) -> None:
        """Note how long some runs took on a worker."""
        if runs:
            mean = seconds / runs
            self.mean_seconds = mean if self.mean_seconds is None else 0.7 * self.mean_seconds + 0.3 * mean


class Executor(Protocol):
    """Whatever does the runs: this process, a pool, a cluster.

    Attributes
    ----------
    job : Job
        What is run.
    workers : int
        Batches at a time.
    """

    job: Job
    workers: int

    def run(self, queue: Queue) -> Iterator[list[Answer]]:
        """Do everything in the queue and yield how runs ended; stop handing out once the queue is stopped."""
        ...

    def close(self) -> None:
        """End everything that was started."""
        ...


class Here:
    """Does runs in this process, one batch after the other: for debugging, teaching, and where there is one core."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.workers = 1

    def run(self, queue: Queue) -> Iterator[list[Answer]]:
        """Do everything in the queue."""
        while batch := queue.take():
            start = time.perf_counter()
            yield from do(self.job, batch)
            queue.learn(sum(len(cell.runs) for cell in batch), time.perf_counter() - start)

    def close(self) -> None:
        """There is nothing to end."""

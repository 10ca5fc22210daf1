"""What a study will take, found out from a few runs before it begins."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from churnsim.studies.campaign import compile_once
from churnsim.studies.plan import Plan
from churnsim.studies.rounds import wanted
from churnsim.studies.work import OK, Answer, Job, do
from churnsim.studies.writing import ROW_BYTES

PILOT_CELLS, PILOT_RUNS = 6, 4
"""Cells, evenly over the plan, and runs of each that the pilot does."""
START_SECONDS = 4.0
"""What starting workers takes (measured on two cores)."""


@dataclass(frozen=True)
class Estimate:
    """What a study will take.

    Attributes
    ----------
    least, most : int
        Runs; they differ where the number of replications is found out while running.
    seconds_per_run : float
        Of one worker.
    seconds : float
        Of all runs, with all workers; of the most runs.
    size : int
        Bytes on disk.
    failed : list of Answer
        Runs of the pilot that failed.
    """

    least: int
    most: int
    seconds_per_run: float
    seconds: float
    size: int
    failed: list[Answer]


def estimate(plan: Plan, job: Job, mine: np.ndarray, done: int, workers: int) -> Estimate:
    """Do a few runs and tell what all of them will take.

    Parameters
    ----------
    mine : (cells,) bool
        The cells that are to be run.
    done
        Runs that are done already.
    workers
        Runs at a time.
    """
    if job.function is None:
        compile_once()
    cells = np.flatnonzero(mine)
    places = np.unique(np.linspace(0, len(cells) - 1, PILOT_CELLS).round().astype(int))
    some = np.zeros(plan.cells, np.int64)
    some[cells[places]] = min(PILOT_RUNS, plan.replications)
    work = list(plan.work(wanted(some, plan.replications)))
    for _ in do(job, [work[0].of(work[0].runs[:1])]):
        pass  # the first is slow: compiled code is loaded
    start = time.perf_counter()
    answers = [answer for found in do(job, work) for answer in found]
    each = (time.perf_counter() - start) / len(answers)
    asked = plan.study.replications
    least, most = len(cells) * asked.min, len(cells) * asked.max
    left = max(0, most - done)
    seconds = left * each / max(1, workers) + (START_SECONDS if workers and left else 0.0)
    size = most * (ROW_BYTES + 8 * job.width)
    return Estimate(least, most, each, seconds, size, [answer for answer in answers if answer.status != OK])

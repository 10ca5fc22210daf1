"""Doing the runs of a store that are still to be done: supervised, until nothing is left or somebody asks to stop."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from churnsim.studies.dispatch import Executor, Here, Queue
from churnsim.studies.errors import DiskFullError, StoreError
from churnsim.studies.interrupts import Stopper, stoppable
from churnsim.studies.reuse import known_in, take_over, try_again
from churnsim.studies.work import Answer, Job
from churnsim.studies.writing import OF_THE_MACHINE, SPARE, Writer, megabytes

Progress = Callable[[int, int], None]
"""Called with (runs done, runs in all), first with what was done before."""
Notice = Callable[[str, dict[str, Any]], None]
"""Called with a code of ``study.notice.*`` and what its text needs."""


@dataclass(frozen=True)
class Means:
    """With what runs are done.

    Attributes
    ----------
    jobs : int or None
        Worker processes; 0 does everything in this process, None takes one per core.
    dask : str, int or None
        Address of a Dask scheduler, or a number of Dask workers to start on this machine, instead.
    timeout : float or None
        Seconds that a run may take; None finds a limit by itself.
    """

    jobs: int | None = None
    dask: str | int | None = None
    timeout: float | None = None

    @property
    def is_here(self) -> bool:
        """Whether runs are done in this process."""
        return self.jobs == 0 and self.dask is None

    def executor(self, job: Job) -> Executor:
        """Return what does the runs."""
        from churnsim.running import cores

        if self.dask is not None:
            from churnsim.studies.cluster import Cluster

            return Cluster(job, self.dask, self.timeout)
        jobs = cores() if self.jobs is None else self.jobs
        if jobs < 0:
            raise ValueError("jobs must be 0 (in this process) or more")
        if jobs == 0:
            return Here(job)
        if job.function is None:
            compile_once()
        from churnsim.studies.pool import Pool

        return Pool(job, jobs, self.timeout)


class Campaign:
    """One store, and what does its runs; use it in a ``with`` block, at whose end everything is closed.

    Parameters
    ----------
    writer
        The store.
    job
        What workers need to know.
    means
        With what runs are done; nothing is started before there is something to do.

    Attributes
    ----------
    made : int
        Runs that have ended since the campaign began.
    """

    def __init__(self, writer: Writer, job: Job, means: Means) -> None:
        self.writer, self.job, self.means = writer, job, means
        self.made = 0
        self._executor: Executor | None = None
        self._again: int | None = None
        """A stored run that is done again first, to see that new ones may stand beside it."""
        self._stack = ExitStack()
        self._stopper = Stopper()

    def __enter__(self) -> Campaign:
        self._stack.callback(self.writer.close)
        self._stack.callback(self._end)
        self._stopper = self._stack.enter_context(stoppable())
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    def _end(self) -> None:
        """End everything that was started."""
        if self._executor is not None:
            self._executor.close()

    @property
    def is_stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stopper.asked

    def do(self, wanted: np.ndarray, report: Progress, reuse: Iterable[str] = ()) -> None:
        """Do what is left of some runs.

        Parameters
        ----------
        wanted : (runs,) bool
            The runs of the plan that are wanted, done or not.
        report
            Called with how many of them are done.
        reuse
            Folders of other stores to take finished runs from.
        """
        writer = self.writer
        left = wanted & (writer.states == 0)
        if left.any() and self._executor is None:
            self._check_room(int(left.sum()))
            try_again(writer, self.job)
        known = writer.rescued | (known_in(reuse) if left.any() and self._executor is None else {})
        if known and left.any():
            take_over(writer, self.job, writer.plan.work(left), known)
            left &= writer.states == 0
        if left.any():
            if self._executor is None:
                self._executor = self.means.executor(self.job)
                self._again = writer.first_done()
            self._run(self._executor, wanted, left, report)
        else:
            report(int(wanted.sum()), int(wanted.sum()))

    def _run(self, executor: Executor, wanted: np.ndarray, left: np.ndarray, report: Progress) -> None:
        """Do the runs that are left, and see that each of them ends in exactly one state."""
        writer, stopper = self.writer, self._stopper
        total, planned = int(wanted.sum()), int(left.sum())
        done = total - planned
        report(done, total)
        first = [] if self._again is None else [writer.plan.cell(self._again)]
        work, size = chain(first, writer.plan.work(left)), planned + len(first)
        queue = stopper.queue = Queue(work, size, executor.workers, executor.job.side_by_side)
        queue.stopped = stopper.asked
        answered = 0
        held: list[Answer] = []
        for some in executor.run(queue):
            held += [answer for answer in some if answer.number != self._again]
            for answer in some:
                if answer.number == self._again:
                    self._compare(answer)
            if self._again is not None:
                continue  # nothing is stored before it is known to fit
            answers, held = held, []
            writer.add(answers)
            answered += len(answers)
            self.made += len(answers)
            report(done + answered, total)
            if stopper.asked:
                queue.stopped = True
        writer.commit()
        pending = int((left & (writer.states == 0)).sum())
        if planned != answered + pending or (pending and not stopper.asked):
            raise AssertionError(f"of {planned} runs {answered} have ended and {pending} have not")

    def _compare(self, answer: Answer) -> None:
        """Compare the stored run that was done again; raise StoreError where it is not what is stored."""
        self._again = None
        if answer.status in OF_THE_MACHINE or answer.values == self.writer.stored(answer.number):
            return
        details = {"folder": self.writer.folder, "number": answer.number}
        raise StoreError("not_repeatable", **details)

    def _check_room(self, runs: int) -> None:
        """Refuse to begin what cannot be finished for lack of room."""
        needed = self.writer.bytes_for(runs)
        free = shutil.disk_usage(self.writer.folder).free
        if free < needed + SPARE:
            details = {"free": megabytes(free), "needed": megabytes(needed + SPARE)}
            raise DiskFullError("no_room", folder=self.writer.folder, **details)


def compile_once() -> None:
    """Compile the model here, where it has not been, rather than in every worker at the same time."""
    from churnsim.config.loading import load
    from churnsim.engine.kernel import LONGEST, warm
    from churnsim.running import run

    if not warm(*LONGEST):
        run(load("two_hotels").set({"customers.count": 20, "horizon": 1, "burn_in": 0}), [1], progress=False)


def warned(code: str, details: dict[str, Any]) -> None:
    """Tell a Python user what was found in the folder."""
    import warnings

    from churnsim.i18n import text

    warnings.warn(text(f"study.notice.{code}", "en", **details), stacklevel=4)

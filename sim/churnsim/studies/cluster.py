"""Runs on a Dask cluster: the same batches and the same function as on one machine; the store stays here.

A batch is one task, so that the scheduler is not what everything waits for. Dask itself moves the tasks of a worker
that dies to another; a batch that has ended several workers is taken apart, and a run that does so alone is blamed.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from churnsim.studies.dispatch import Queue, patience
from churnsim.studies.errors import StoreError
from churnsim.studies.keys import environment, model_hash
from churnsim.studies.plan import Cell
from churnsim.studies.starting import quiet_start
from churnsim.studies.work import CRASHED, OK, Answer, Job, do
from churnsim.studies.worker import read_job, write_job

CONNECT_SECONDS = 30
"""How long to wait for a scheduler."""
AHEAD = 2
"""Batches per worker that are handed out: one to do, one to have at hand."""


class OtherModelError(Exception):
    """A worker has another version of the model."""


def run_batch(about: bytes, cells: list[Cell], limit: float) -> tuple[list[Answer], float]:
    """Do a batch on a Dask worker.

    Parameters
    ----------
    about
        The job, as `churnsim.studies.worker.write_job` wrote it.
    cells
        What is to be done.
    limit
        Seconds after which this worker is ended if the batch has not ended; Dask starts another.

    Returns
    -------
    answers, seconds
    """
    job = _job(about)
    clock = threading.Timer(limit, os._exit, (1,))
    clock.daemon = True
    clock.start()
    try:
        start = time.perf_counter()
        here = json.dumps(environment(), sort_keys=True)
        answers = [answer._replace(environment=here) for some in do(job, cells) for answer in some]
        return answers, time.perf_counter() - start
    finally:
        clock.cancel()


@lru_cache(maxsize=4)
def _job(about: bytes) -> Job:
    """Return the job, after seeing that this machine has the same model."""
    job: Job = read_job(about)
    if model_hash(job.modules, job.function) != job.model:
        raise OtherModelError("a worker has another version of churnsim, or of the study's function, than this process")
    return job


class Cluster:
    """A Dask cluster: one that runs already, or some workers on this machine.

    Parameters
    ----------
    job
        What workers need to know.
    where
        Address of a scheduler, or a number of workers to start here.
    timeout
        Seconds that a run may take; None finds a limit by itself.

    Raises
    ------
    StoreError
        If Dask is not installed, or no scheduler answers.
    """

    def __init__(self, job: Job, where: str | int, timeout: float | None = None) -> None:
        try:
            import distributed
        except ImportError:
            raise StoreError("no_dask") from None
        self.job = job
        self.about = write_job(job)
        self.timeout = timeout
        self.slowest: float | None = None
        self.local: Any = None
        try:
            with quiet_start():
                if isinstance(where, int):
                    self.local = distributed.LocalCluster(
                        n_workers=where, threads_per_worker=1, processes=True, dashboard_address=None
                    )
                self.client: Any = distributed.Client(self.local or where, timeout=CONNECT_SECONDS)
        except (OSError, ValueError, TimeoutError) as error:
            raise StoreError("dask", address=where, reason=str(error) or type(error).__name__) from None
        self.workers = max(1, sum(self.client.nthreads().values()))

    def run(self, queue: Queue) -> Iterator[list[Answer]]:
        """Do everything in the queue and yield how runs ended."""
        from distributed import as_completed

        self.alone: deque[Cell] = deque()
        flying: dict[Any, list[Cell]] = {}
        finished = as_completed()
        self._hand_out(queue, flying, finished)
        while flying:
            future = next(finished)
            yield from self._taken(future, flying.pop(future.key), queue)
            future.release()
            self._hand_out(queue, flying, finished)

    def _hand_out(self, queue: Queue, flying: dict[Any, list[Cell]], finished: Any) -> None:
        """Submit batches until every worker has one at hand."""
        workers = queue.shares = max(1, sum(self.client.nthreads().values()))
        while len(flying) < AHEAD * workers:
            if self.alone and not queue.stopped:
                batch = [self.alone.popleft()]
            elif not (batch := queue.take()):
                return
            limit = patience(self.timeout, self.slowest)
            future = self.client.submit(run_batch, self.about, batch, limit, pure=False, retries=2)
            flying[future.key] = batch
            finished.add(future)

    def _taken(self, future: Any, batch: list[Cell], queue: Queue) -> Iterator[list[Answer]]:
        """Return a batch's answers; where it has none, take it apart or blame the one run in it."""
        error: Any = None
        if future.status == "finished":
            try:
                answers, seconds = future.result()
            except Exception as lost:  # with its worker, before it was fetched; doing it again has gone wrong
                error = lost
            else:
                queue.learn(len(answers), seconds)
                self.slowest = max([self.slowest or 0.0, *(a.seconds for a in answers if a.status == OK)])
                yield answers
                return
        elif future.status == "error":
            error = future.exception()
        if error is None or "Cancelled" in type(error).__name__:  # lost, with the scheduler's memory of it
            for cell in batch:
                queue.give_back(cell)
            return
        if type(error).__name__ != "KilledWorker":
            raise StoreError("worker", reason=f"{type(error).__name__}: {error}")
        singles = [cell.of([run]) for cell in batch for run in cell.runs]
        if len(singles) > 1:
            self.alone.extend(singles)
            return
        number = singles[0].runs[0][0]
        yield [Answer(number, CRASHED, message="the run ended several workers, or did not end in time")]

    def close(self) -> None:
        """Let go of the cluster; end it where it was started here."""
        self.client.close()
        if self.local is not None:
            self.local.close()

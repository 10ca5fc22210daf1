"""A supervised pool of worker processes: whatever a run does, the others go on.

A worker says before each run that it begins. If it dies, or does not answer in time, what it had begun is suspected
and done again alone; what it had not begun is done by others, without blame. A run is only blamed for what it did
alone. Nothing is lost and nothing is counted twice: what was handed out is checked against what came back.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from churnsim.studies.dispatch import Queue, patience
from churnsim.studies.errors import StoreError
from churnsim.studies.plan import Cell
from churnsim.studies.starting import quiet_start
from churnsim.studies.work import CRASHED, TIMEOUT, Answer, Job
from churnsim.studies.worker import ANSWERS, BEGIN, CANNOT, END, READY, main, write_job

ATTEMPTS = 4
"""Times a run may end its worker before it is left alone: the first may be somebody else's doing."""
PRELOADED = ("churnsim.studies.pool", "churnsim.studies.work", "churnsim.studies.functions")
"""What workers are forked with, so that one that takes the place of another begins at once."""
LOOK = 0.1
"""Seconds between looks at clocks."""
GAP = 2.0
"""If a look comes so many seconds late, this process was stopped, and no worker is blamed for the time."""
START_FAILURES = 3
"""Workers that may fail to start, one after the other, before the pool gives up."""


class Pool:
    """Worker processes on this machine.

    Parameters
    ----------
    job
        What workers need to know.
    jobs
        Workers.
    timeout
        Seconds that a run may take; None finds a limit by itself.
    memory
        Bytes that the runs of one worker may take; None divides the machine's among the workers.
    """

    def __init__(self, job: Job, jobs: int, timeout: float | None = None, memory: int | None = None) -> None:
        kinds = multiprocessing.get_all_start_methods()
        self.context: Any = multiprocessing.get_context("forkserver" if "forkserver" in kinds else "spawn")
        self.about = write_job(job)
        self.preload = [*PRELOADED, *(["churnsim.studies.preload"] if job.function is None else [])]
        self.job, self.workers = job, jobs
        self.timeout = timeout
        self.memory = memory if memory is not None else _share_of_memory(jobs)
        self.slowest: float | None = None
        self.alone: deque[tuple[Cell, int]] = deque()
        self.processes: list[_Worker] = []
        self.failed_starts = 0
        self.restarts = 0

    # ------------------------------------------------------------------ the loop

    def run(self, queue: Queue) -> Iterator[list[Answer]]:
        """Do everything in the queue and yield how runs ended."""
        last_look = time.monotonic()
        while True:
            self._hand_out(queue)
            busy = [worker for worker in self.processes if worker.busy]
            if not busy and (queue.stopped or not (queue.left or self.alone)):
                return
            self._wait()
            now = time.monotonic()
            if now - last_look > GAP + LOOK:
                for worker in busy:
                    worker.limit += now - last_look
            last_look = now
            for worker in list(self.processes):
                yield from self._hear(worker, queue)
                if worker.has_moved():
                    worker.limit = time.monotonic() + patience(self.timeout, self.slowest)
            for worker in list(self.processes):
                if worker.is_dead:
                    yield from self._bury(worker, queue)
                elif worker.todo and now > worker.limit:
                    yield from self._end_late(worker, queue)

    def _hand_out(self, queue: Queue) -> None:
        """Give every idle worker something to do; start workers while there is more to do than there are."""
        while True:
            worker = next((worker for worker in self.processes if worker.is_idle), None)
            if worker is None and (len(self.processes) >= self.workers or not self._is_work_left(queue)):
                return
            if worker is None:
                self.processes.append(self._started())
                continue
            if self.alone and not queue.stopped:
                cell, attempts = self.alone.popleft()
                worker.give([cell], attempts, patience(self.timeout, self.slowest))
            elif batch := queue.take():
                worker.give(batch, 0, patience(self.timeout, self.slowest))
            else:
                return

    def _is_work_left(self, queue: Queue) -> bool:
        """Whether anything waits to be handed out."""
        starting = sum(not worker.ready for worker in self.processes)
        return not queue.stopped and queue.left + len(self.alone) > starting

    def _wait(self) -> None:
        """Wait until a worker says something or dies, or for a moment."""
        handles: list[Any] = [worker.connection for worker in self.processes]
        wait([*handles, *(worker.process.sentinel for worker in self.processes)], timeout=LOOK)

    def _hear(self, worker: _Worker, queue: Queue) -> Iterator[list[Answer]]:
        """Take everything a worker has said."""
        try:
            while worker.connection.poll():
                what, told = worker.connection.recv()
                if what == BEGIN:
                    worker.several = told
                    worker.limit = time.monotonic() + patience(self.timeout, self.slowest)
                elif what == ANSWERS:
                    yield self._answers(worker, told)
                elif what == END:
                    queue.learn(worker.given, told)
                    worker.finish()
                elif what == READY:
                    worker.ready = True
                    self.failed_starts = 0
                elif what == CANNOT:
                    raise StoreError("worker", reason=told)
        except (EOFError, OSError):
            worker.lost = True

    def _answers(self, worker: _Worker, answers: list[Answer]) -> list[Answer]:
        """Strike off what is done."""
        for answer in answers:
            if worker.todo.pop(answer.number, None) is None:
                raise AssertionError(f"run {answer.number} was answered without being asked for")
            if answer.status == "ok":
                self.slowest = max(self.slowest or 0.0, answer.seconds)
        return [answer._replace(attempts=worker.attempts + 1) for answer in answers] if worker.attempts else answers

    # ------------------------------------------------------------------ what goes wrong

    def _bury(self, worker: _Worker, queue: Queue) -> Iterator[list[Answer]]:
        """Divide what a dead worker leaves into suspects and bystanders."""
        self.processes.remove(worker)
        worker.end()
        if not worker.ready:
            self.failed_starts += 1
            if self.failed_starts >= START_FAILURES * self.workers:
                raise StoreError("worker", reason=_death(worker.process.exitcode))
        self.restarts += 1
        reason = f"the worker process ended: {_death(worker.process.exitcode)}"
        yield from self._blame(worker, queue, CRASHED, reason)

    def _end_late(self, worker: _Worker, queue: Queue) -> Iterator[list[Answer]]:
        """End a worker that does not come to an end, unless it was stopped from outside."""
        if _is_stopped(worker.process.pid):
            worker.limit = time.monotonic() + patience(self.timeout, self.slowest)
            return
        worker.process.kill()
        worker.process.join()
        yield from self._hear(worker, queue)  # it may have answered in the last moment
        self.processes.remove(worker)
        worker.end()
        self.restarts += 1
        yield from self._blame(worker, queue, TIMEOUT, f"the run did not end within {worker.patience:g} seconds")

    def _blame(self, worker: _Worker, queue: Queue, status: str, reason: str) -> Iterator[list[Answer]]:
        """Let suspects be done alone; blame a run that was alone, for good where it has had its chances."""
        suspects = [number for number in worker.current if number in worker.todo]
        for number, (cell, seed) in list(worker.todo.items()):
            single = cell.of([(number, seed)])
            if number not in suspects:
                queue.give_back(single)
            elif len(suspects) > 1:
                self.alone.append((single, 0))
            elif status == TIMEOUT or worker.attempts + 1 >= ATTEMPTS:
                yield [Answer(number, status, message=reason, attempts=worker.attempts + 1)]
            else:
                self.alone.append((single, worker.attempts + 1))
        worker.todo.clear()

    # ------------------------------------------------------------------ processes

    def _started(self) -> _Worker:
        """Start a worker."""
        with quiet_start():
            if hasattr(self.context, "set_forkserver_preload"):
                self.context.set_forkserver_preload(self.preload)
            ours, theirs = self.context.Pipe()
            marker = self.context.RawArray("q", 1)
            process = self.context.Process(target=_begin, args=(theirs, self.about, marker, self.memory), daemon=True)
            process.start()
        theirs.close()
        return _Worker(process, ours, marker)

    def close(self) -> None:
        """End all workers, at once."""
        for worker in self.processes:
            worker.process.kill()
        for worker in self.processes:
            worker.end()
        self.processes.clear()


class _Worker:
    """One worker process, as the pool sees it.

    Attributes
    ----------
    todo : dict
        What was handed out and not answered: by number, the cell and the seed.
    marker
        Shared memory in which it notes the run that it begins.
    several : list of int
        The runs that it has last said to begin together.
    attempts : int
        How often the run in hand has ended a worker before.
    limit : float
        When it is late.
    """

    def __init__(self, process: Any, connection: Connection, marker: Any) -> None:
        self.process, self.connection, self.marker = process, connection, marker
        self.seen = 0
        self.todo: dict[int, tuple[Cell, int]] = {}
        self.several: list[int] = []
        self.attempts = self.given = 0
        self.patience = self.limit = 0.0
        self.ready = self.busy = self.lost = False

    @property
    def is_idle(self) -> bool:
        """Whether it waits for something to do."""
        return self.ready and not self.busy and not self.lost

    @property
    def is_dead(self) -> bool:
        """Whether it has ended."""
        return self.lost or self.process.exitcode is not None

    @property
    def current(self) -> list[int]:
        """The runs that it has last begun."""
        return [self.marker[0] - 1] if self.marker[0] else self.several

    def has_moved(self) -> bool:
        """Tell whether it has begun another run since this was last asked."""
        before, self.seen = self.seen, self.marker[0]
        return before != self.seen

    def give(self, cells: list[Cell], attempts: int, patience: float) -> None:
        """Hand a batch over."""
        self.todo = {number: (cell, seed) for cell in cells for number, seed in cell.runs}
        self.given, self.attempts, self.several, self.busy = len(self.todo), attempts, [], True
        self.patience = patience
        self.limit = time.monotonic() + patience
        try:
            self.connection.send(cells)
        except OSError:
            self.lost = True

    def finish(self) -> None:
        """Note that the batch is done; everything in it must have been answered."""
        if self.todo:
            raise AssertionError(f"{len(self.todo)} runs were handed out and not answered")
        self.busy, self.several, self.attempts = False, [], 0

    def end(self) -> None:
        """Wait for the end of the process and let go of it."""
        if self.process.exitcode is None:
            self.process.kill()
        self.process.join()
        self.connection.close()


def _begin(connection: Connection, about: bytes, marker: Any, memory: int | None) -> None:
    """Begin to work, in the new process."""
    parent = multiprocessing.parent_process()
    main(connection, about, marker, parent.sentinel if parent is not None else None, memory)


def _death(code: int | None) -> str:
    """Say how a process ended."""
    if code is None:
        return "no answer"
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"{name} (often: too little memory)" if name == "SIGKILL" else name


def _is_stopped(pid: int | None) -> bool:
    """Whether a process was stopped from outside (and can go on), where the system tells."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] in ("T", "t")


def _share_of_memory(jobs: int) -> int | None:
    """Return what each of some workers may take: nine tenths of the memory there is, divided; None if unknown."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        total = min(total, int(limit)) if limit.isdigit() else total
    except OSError:
        pass
    return int(0.9 * total / jobs)

"""A worker process: takes batches from a pipe, does them, and says before each run that it begins."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

READY, CANNOT, BEGIN, ANSWERS, END = range(5)
"""What a worker says: it can begin; it cannot, and why; runs begin; runs have ended; the batch is done."""


def main(connection: Connection, about: bytes, marker: Any, parent: Any, memory: int | None) -> None:
    """Work until the pipe closes.

    Parameters
    ----------
    connection
        Where batches come from and answers go to.
    about
        The pickled `churnsim.studies.work.Job`, with what has to be imported before it can be read.
    marker
        Shared memory for the number of the run that begins, plus one; 0 where several begin, which the pipe then tells.
    parent
        Handle that becomes ready when the parent process has ended.
    memory
        Bytes that runs may take, or None.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _silence()
    if memory is not None:
        limit_memory(memory)
    try:
        job = read_job(about)
    except BaseException as error:
        connection.send((CANNOT, "".join(traceback.format_exception_only(error)).strip()))
        return
    from churnsim.studies.work import do

    def begin(numbers: list[int]) -> None:
        marker[0] = numbers[0] + 1 if len(numbers) == 1 else 0
        if len(numbers) > 1:
            connection.send((BEGIN, numbers))

    try:
        connection.send((READY, None))
        while True:
            cells = connection.recv()
            start = time.perf_counter()
            for answers in do(job, cells, begin):
                connection.send((ANSWERS, answers))
            marker[0] = 0
            connection.send((END, time.perf_counter() - start))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def read_job(about: bytes) -> Any:
    """Return a job that `write_job` wrote, after importing what its scenarios need."""
    import importlib

    path, modules, job = pickle.loads(about)
    sys.path += [folder for folder in path if folder not in sys.path]
    for module in modules:
        importlib.import_module(module)
    return pickle.loads(job)


def write_job(job: Any) -> bytes:
    """Return a job as bytes for another process."""
    path = [os.path.abspath(folder) for folder in sys.path]
    return pickle.dumps((path, job.modules, pickle.dumps(job)))


def _end_with(parent: Any) -> None:
    """End this process when its parent has ended, whatever it is doing."""
    wait([parent])
    os._exit(1)


def _silence() -> None:
    """Let what runs print lead nowhere: it would tear up the progress, and may be any amount."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def limit_memory(more: int) -> None:
    """Let this process take so many more bytes and no more; a run that wants more fails alone."""
    try:
        import resource

        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except (ImportError, OSError):
        return
    data = next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData")), 0)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = data + more
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))

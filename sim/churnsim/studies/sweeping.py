"""Running a study: what is planned, less what is done, into a store."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from churnsim.studies.checks import checked_plan
from churnsim.studies.dispatch import Executor, Here, Queue
from churnsim.studies.errors import DiskFullError, Interrupted, StoreError
from churnsim.studies.interrupts import Stopper, stoppable
from churnsim.studies.keys import model_hash
from churnsim.studies.plan import Plan
from churnsim.studies.reuse import take_over, try_again
from churnsim.studies.rounds import rounds_of
from churnsim.studies.store import Store
from churnsim.studies.study import Study, load_study
from churnsim.studies.work import Job
from churnsim.studies.writing import SPARE, Writer, megabytes

Progress = Callable[[int, int], None]
"""Called with (runs done, runs in all), first with what was done before."""
Notice = Callable[[str, dict[str, Any]], None]
"""Called with a code of ``study.notice.*`` and what its text needs."""


def sweep(
    study: Study | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    progress: bool | Progress | None = None,
    *,
    dask: str | int | None = None,
    shard: tuple[int, int] | None = None,
    timeout: float | None = None,
    notice: Notice | None = None,
) -> Store:
    """Run a study, or what is left of it, and return its store.

    Parameters
    ----------
    study
        A study, the name of a published one, or a file.
    out
        Folder of the store; by default ``results/NAME-ID`` in the current folder.
    jobs
        Worker processes; 0 runs everything in this process. By default one per core.
    progress
        True shows a bar, False shows nothing, a function is called with (done, total); None shows a bar in a
        terminal or notebook only.
    dask
        Address of a Dask scheduler, or a number of Dask workers to start on this machine, instead of `jobs`.
    shard
        ``(i, n)`` runs the i-th of n parts, each into a folder of its own; see `churnsim.studies.merging`.
    timeout
        Seconds that a run may take; by default 50 times the slowest so far, and at least five minutes.
    notice
        Called with what the user should know about an earlier store in the folder; by default a warning.

    Returns
    -------
    Store
        Everything that has run, now and earlier. Runs that failed are in it with their cause; they end nothing.

    Raises
    ------
    StudyError
        If something is wrong with the study; nothing was run.
    StoreError
        If the store belongs to another study, or somebody else is writing to it, or the disk is full.
    Interrupted
        If it was asked to stop; everything that was finished is kept.
    """
    if not isinstance(study, Study):
        study = load_study(study)
    plan = checked_plan(study)
    job = job_of(study)
    if jobs != 0 or dask is not None:
        refuse_main(job)
    folder = Path(out) if out is not None else default_folder(study, shard)
    from churnsim.provenance import provenance
    from churnsim.running import reporter

    writer = Writer(folder, plan, model=job.model, modules=job.modules, about=provenance())
    executor: Executor | None = None
    try:
        for code, details in writer.notices:
            (notice or _warn)(code, details)
        with stoppable() as stopper, reporter(progress) as report:
            for wanted in rounds_of(writer, part_of(plan, shard)):
                writer.ask(int(wanted.sum()))
                left = wanted & (writer.states == 0)
                if left.any() and executor is None:
                    _check_room(writer, int(left.sum()))
                    try_again(writer, job)
                    take_over(writer, job, plan.work(left), study.reuse if study.reuse else ())
                    left &= writer.states == 0
                    executor = executor_for(job, jobs, dask, timeout, int(left.sum()))
                if executor is not None:
                    _run(writer, executor, wanted, left, report, stopper)
                else:
                    report(int(wanted.sum()), int(wanted.sum()))
                if stopper.asked:
                    break
    finally:
        if executor is not None:
            executor.close()
        writer.close()
    if stopper.asked:
        raise Interrupted(folder)
    return Store.open(folder)


def _run(
    writer: Writer, executor: Executor, wanted: np.ndarray, left: np.ndarray, report: Progress, stopper: Stopper
) -> None:
    """Do the runs that are left, and see that each of them ends in exactly one state."""
    total, planned = int(wanted.sum()), int(left.sum())
    done = total - planned
    report(done, total)
    queue = stopper.queue = Queue(writer.plan.work(left), planned, executor.workers, executor.job.side_by_side)
    answered = 0
    for answers in executor.run(queue):
        writer.add(answers)
        answered += len(answers)
        report(done + answered, total)
        if stopper.asked:
            queue.stopped = True
    writer.commit()
    pending = int((left & (writer.states == 0)).sum())
    if planned != answered + pending or (pending and not stopper.asked):
        raise AssertionError(f"of {planned} runs {answered} have ended and {pending} have not")


def part_of(plan: Plan, shard: tuple[int, int] | None) -> np.ndarray:
    """Return which cells belong to a part, ``(cells,) bool``."""
    if shard is None:
        return np.ones(plan.cells, bool)
    part, parts = shard
    if not 1 <= part <= parts:
        raise ValueError(f"shard {part}/{parts}: the first of {parts} parts is 1/{parts}, the last {parts}/{parts}")
    return np.arange(plan.cells) % parts == part - 1


def executor_for(job: Job, jobs: int | None, dask: str | int | None, timeout: float | None, runs: int) -> Executor:
    """Return what does the runs."""
    from churnsim.running import cores

    if dask is not None:
        from churnsim.studies.cluster import Cluster

        return Cluster(job, dask, timeout)
    if jobs is None:
        jobs = cores()
    if jobs < 0:
        raise ValueError("jobs must be 0 (in this process) or more")
    if jobs == 0:
        return Here(job)
    if job.function is None:
        compile_once()
    from churnsim.studies.pool import Pool

    return Pool(job, max(1, min(jobs, runs)), timeout)


def compile_once() -> None:
    """Compile the model here, where it has not been, rather than in every worker at the same time."""
    from churnsim.config.loading import load
    from churnsim.engine.kernel import warm
    from churnsim.running import run

    if not warm():
        run(load("two_hotels").set({"customers.count": 20, "horizon": 1, "burn_in": 0}), [1], progress=False)


def job_of(study: Study) -> Job:
    """Return what workers need to know of a study."""
    modules = modules_of(study)
    outside = tuple(name for name in modules if name != "__main__")
    model = model_hash(outside, study.function)
    return Job(
        study.arm_names, tuple(study.bases.values()), study.kept, model, study.function, dict(study.set), modules
    )


def modules_of(study: Study) -> tuple[str, ...]:
    """Return the modules outside the package that define the strategies a study uses."""
    states = [state for base in study.bases.values() for state in base.states]
    used = {type(firm.strategy).__module__ for state in states for firm in state.firms.values()}
    return tuple(sorted(name for name in used if not name.startswith("churnsim.")))


def refuse_main(job: Job) -> None:
    """Refuse strategies that worker processes cannot find."""
    if "__main__" not in job.modules:
        return
    firms = (firm for base in job.bases for state in base.states for firm in state.firms.values())
    found = next(type(firm.strategy).__name__ for firm in firms if type(firm.strategy).__module__ == "__main__")
    raise StoreError("main_strategy", found=found)


def default_folder(study: Study, shard: tuple[int, int] | None = None) -> Path:
    """Return where a study's store goes unless told otherwise."""
    slug = re.sub(r"[^\w-]+", "_", study.name).strip("_") or "study"
    part = "" if shard is None else f"-part-{shard[0]}-of-{shard[1]}"
    return Path("results") / f"{slug}-{study.id_hash}{part}"


def _check_room(writer: Writer, runs: int) -> None:
    """Refuse to begin what cannot be finished for lack of room."""
    needed = writer.bytes_for(runs)
    free = shutil.disk_usage(writer.folder).free
    if free < needed + SPARE:
        details = {"free": megabytes(free), "needed": megabytes(needed + SPARE)}
        raise DiskFullError("no_room", folder=writer.folder, **details)


def _warn(code: str, details: dict[str, Any]) -> None:
    """Tell a Python user what was found in the folder."""
    import warnings

    from churnsim.i18n import text

    warnings.warn(text(f"study.notice.{code}", "en", **details), stacklevel=3)

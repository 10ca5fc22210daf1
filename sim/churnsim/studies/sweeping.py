"""Running a study: what is planned, less what is done, into a store."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from churnsim.studies.campaign import Campaign, Means, Notice, Progress, warned
from churnsim.studies.checks import checked_plan
from churnsim.studies.errors import Interrupted
from churnsim.studies.keys import model_hash
from churnsim.studies.plan import Plan
from churnsim.studies.rounds import rounds_of
from churnsim.studies.sources import MAIN, modules_of, refuse_main
from churnsim.studies.store import Store
from churnsim.studies.study import Study, load_study
from churnsim.studies.work import Job
from churnsim.studies.writing import Writer


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
    job, means = job_of(study), Means(jobs, dask, timeout)
    if not means.is_here:
        refuse_main(job.modules)
    folder = Path(out) if out is not None else default_folder(study, shard)
    from churnsim.provenance import provenance
    from churnsim.running import reporter

    writer = Writer(folder, plan, model=job.model, modules=job.modules, about=provenance())
    with Campaign(writer, job, means) as campaign:
        for code, details in writer.notices:
            (notice or warned)(code, details)
        with reporter(progress) as report:
            for wanted in rounds_of(writer, part_of(plan, shard)):
                writer.ask(int(wanted.sum()))
                campaign.do(wanted, report, study.reuse)
                if campaign.is_stopped:
                    break
    if campaign.is_stopped:
        raise Interrupted(folder)
    return Store.open(folder)


def part_of(plan: Plan, shard: tuple[int, int] | None) -> np.ndarray:
    """Return which cells belong to a part, ``(cells,) bool``."""
    if shard is None:
        return np.ones(plan.cells, bool)
    part, parts = shard
    if not 1 <= part <= parts:
        raise ValueError(f"shard {part}/{parts}: the first of {parts} parts is 1/{parts}, the last {parts}/{parts}")
    return np.arange(plan.cells) % parts == part - 1


def job_of(study: Study) -> Job:
    """Return what workers need to know of a study."""
    modules = modules_of(study)
    outside = tuple(name for name in modules if name != MAIN)
    model = model_hash(outside, study.function)
    return Job(
        study.arm_names, tuple(study.bases.values()), study.kept, model, study.function, dict(study.set), modules
    )


def default_folder(study: Study, shard: tuple[int, int] | None = None) -> Path:
    """Return where a study's store goes unless told otherwise."""
    slug = re.sub(r"[^\w-]+", "_", study.name).strip("_") or "study"
    part = "" if shard is None else f"-part-{shard[0]}-of-{shard[1]}"
    return Path("results") / f"{slug}-{study.id_hash}{part}"

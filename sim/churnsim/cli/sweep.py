"""``churnsim sweep``: run a study, or what is left of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.cli.session import PARTLY_FAILED, BadInputError, Session, command, helped
from churnsim.cli.study_options import Dask, DaskLocal, Jobs, Out, Timeout, at_work, noticed, one_way, print_causes
from churnsim.i18n import number

if TYPE_CHECKING:
    from churnsim.studies.store import Store
    from churnsim.studies.study import Study

LINE_SECONDS = 30
"""Outside a terminal there is a line at least so often."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "sweep")(sweep)


def sweep(
    session: Session,
    study: Annotated[str, typer.Argument(metavar="STUDY", help=helped("study"), show_default=False)],
    out: Out = None,
    jobs: Jobs = None,
    dask: Dask = None,
    dask_local: DaskLocal = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=helped("dry_run"))] = False,
    shard: Annotated[str | None, typer.Option("--shard", metavar="I/N", help=helped("shard"))] = None,
    timeout: Timeout = None,
) -> None:
    """Run a study."""
    from churnsim.studies.study import load_study
    from churnsim.studies.sweeping import default_folder
    from churnsim.studies.sweeping import sweep as run_study

    where = one_way(session, jobs, dask, dask_local)
    part = _part(session, shard)
    asked = load_study(study, lang=session.lang)
    folder = out or default_folder(asked, part)
    if dry_run:
        _estimate(session, asked, folder, jobs if dask_local is None else dask_local, part)
        return
    if not session.quiet:
        session.print(_heading(session, asked), style="bold")
    with at_work(session, folder), _progress(session) as report:
        store = run_study(
            asked, folder, jobs, report, dask=where, shard=part, timeout=timeout, notice=noticed(session)
        )  # fmt: skip
    with store:
        _end(session, store, folder)


def _end(session: Session, store: Store, folder: Path) -> None:
    """Print what came of it."""
    counts = store.counts()
    if not session.quiet:
        session.print(session.say("sweep.done", **{name: number(value) for name, value in counts.items()}))
    if counts["failed"]:
        print_causes(session, store.failures())
    if not session.quiet:
        session.print(session.say("sweep.saved", folder=folder), style="dim")
        session.print(session.say("sweep.next", folder=folder), style="dim")
    if session.json:
        session.emit({**counts, "out": str(folder)})
    if counts["failed"]:
        raise typer.Exit(PARTLY_FAILED)


def _heading(session: Session, study: Study) -> str:
    """Return the line above everything: what is run."""
    from churnsim.studies.checks import checked_plan

    plan = checked_plan(study)
    asked = study.replications
    times = number(asked.max) if asked.min == asked.max else f"{number(asked.min)}-{number(asked.max)}"
    return session.say(
        "sweep.heading",
        study=study.name,
        design=study.design,
        points=session.count("point", len(plan.points)),
        arms=session.count("arm", len(plan.arms)),
        replications=session.count("replication", asked.max, n=times),
    )


def _part(session: Session, shard: str | None) -> tuple[int, int] | None:
    """Return the part that ``i/n`` names."""
    if shard is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", shard)
    part = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= part[0] <= part[1]:
        raise BadInputError(session.say("sweep.shard", written=shard))
    return part


def _estimate(session: Session, study: Study, folder: Path, jobs: int | None, part: tuple[int, int] | None) -> None:
    """Print what a study would take, after a few runs that are not kept."""
    from churnsim.running import cores
    from churnsim.studies.checks import checked_plan
    from churnsim.studies.database import file_of
    from churnsim.studies.estimating import estimate
    from churnsim.studies.store import Store
    from churnsim.studies.sweeping import job_of, part_of

    plan = checked_plan(study)
    counts = {"done": 0, "failed": 0}
    if file_of(folder).is_file():
        with Store.open(folder) as store:
            counts = store.counts()
    workers = cores() if jobs is None else jobs
    found = estimate(plan, job_of(study), part_of(plan, part), counts["done"] + counts["failed"], workers)
    first = {"arm": plan.arms[0], "seed": int(plan.seeds([0])[0]), **plan.points.changes(0, plan.arms[0])}
    session.print(_heading(session, study), style="bold")
    runs = number(found.most) if found.least == found.most else f"{number(found.least)}-{number(found.most)}"
    session.print(
        session.say(
            "sweep.dry", runs=runs, done=number(counts["done"]), time=duration(found.seconds), workers=number(workers),
            each=f"{1000 * found.seconds_per_run:.3g}", size=f"{found.size / 2**20:,.1f}", folder=folder,
        )
    )  # fmt: skip
    session.print(session.say("sweep.first", run=", ".join(f"{name}={value}" for name, value in first.items())))
    for answer in found.failed[:3]:
        session.warn(session.say("sweep.pilot_failed", run=answer.number, reason=answer.message))
    if session.json:
        session.emit(
            {
                "runs": found.most, "done": counts["done"], "failed": counts["failed"], "out": str(folder),
                "points": len(plan.points), "arms": list(plan.arms), "replications": plan.replications,
                "seconds": found.seconds, "seconds_per_run": found.seconds_per_run, "bytes": found.size, "first": first,
            }
        )  # fmt: skip


def duration(seconds: float) -> str:
    """Return a time as hours, minutes and seconds."""
    whole = max(0, round(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


@contextmanager
def _progress(session: Session) -> Iterator[Callable[[int, int], None] | bool]:
    """Provide what shows how far the runs are, with the time to go: a bar in a terminal, lines elsewhere."""
    if session.quiet:
        yield False
        return
    from churnsim.cli.progress import note_compiling
    from churnsim.engine.kernel import LONGEST

    note_compiling(session, LONGEST)
    console = session.console(error=True)
    if not console.is_terminal:
        yield _lines(session)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        MofNCompleteColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
        TextColumn(session.say("sweep.to_go")), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(session.say("run.runs"), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(session: Session) -> Callable[[int, int], None]:
    """Return a function that prints a line per tenth, and at least twice a minute."""
    begun = last = time.monotonic()
    first: int | None = None
    tenths = -1

    def report(done: int, total: int) -> None:
        nonlocal first, tenths, last
        first = done if first is None else first
        now = time.monotonic()
        if 10 * done // max(total, 1) <= tenths and now - last < LINE_SECONDS:
            return
        tenths, last = 10 * done // max(total, 1), now
        to_go = "–" if done == first else duration((now - begun) / (done - first) * (total - done))
        about: dict[str, Any] = {"done": number(done), "total": session.count("run", total), "to_go": to_go}
        percent = 100 * done // max(total, 1)
        session.note(session.say("sweep.progress", time=time.strftime("%H:%M:%S"), percent=percent, **about))

    return report

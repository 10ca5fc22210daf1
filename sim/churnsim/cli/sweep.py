"""``churnsim sweep``: run a study, or what is left of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.cli.session import INTERRUPTED, PARTLY_FAILED, BadInputError, Session, command, helped
from churnsim.i18n import number, text

if TYPE_CHECKING:
    from churnsim.studies.store import Store
    from churnsim.studies.study import Study

DISK_FULL = 75
"""Exit code where there is no room: a temporary failure, by the convention of sysexits.h."""
MOST_CAUSES = 8
"""Causes of failures that are listed."""
LINE_SECONDS = 30
"""Outside a terminal there is a line at least so often."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "sweep")(sweep)


def sweep(
    session: Session,
    study: Annotated[str, typer.Argument(help=helped("study"), show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help=helped("store_out"))] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", min=0, help=helped("workers"))] = None,
    dask: Annotated[str | None, typer.Option("--dask", metavar="ADDRESS", help=helped("dask"))] = None,
    dask_local: Annotated[int | None, typer.Option("--dask-local", min=1, help=helped("dask_local"))] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=helped("dry_run"))] = False,
    shard: Annotated[str | None, typer.Option("--shard", metavar="I/N", help=helped("shard"))] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", min=0.01, help=helped("timeout"))] = None,
) -> None:
    """Run a study."""
    from churnsim.studies.errors import DiskFullError, Interrupted, StoreError
    from churnsim.studies.study import load_study
    from churnsim.studies.sweeping import default_folder
    from churnsim.studies.sweeping import sweep as run_study

    if sum(option is not None for option in (jobs, dask, dask_local)) > 1:
        raise BadInputError(session.say("sweep.one_way"))
    part = _part(session, shard)
    asked = load_study(study, lang=session.lang)
    folder = out or default_folder(asked, part)
    if dry_run:
        _estimate(session, asked, folder, jobs if dask_local is None else dask_local, part)
        return
    if not session.quiet:
        session.print(_heading(session, asked), style="bold")
    try:
        with _progress(session) as report:
            store = run_study(
                asked, folder, jobs, report, dask=dask or dask_local, shard=part, timeout=timeout,
                notice=lambda code, details: session.warn(text(f"study.notice.{code}", session.lang, **details)),
            )  # fmt: skip
    except KeyboardInterrupt as interrupt:
        key = "sweep.stopped" if isinstance(interrupt, Interrupted) else "sweep.dropped"
        session.note("\n" + session.say(key, folder=folder))
        raise typer.Exit(INTERRUPTED) from None
    except DiskFullError as error:
        session.note(error.told(session.lang), style="red")
        raise typer.Exit(DISK_FULL) from None
    except StoreError as error:
        raise BadInputError(error.told(session.lang)) from None
    with store:
        _end(session, store, folder)


def _end(session: Session, store: Store, folder: Path) -> None:
    """Print what came of it."""
    counts = store.counts()
    if not session.quiet:
        session.print(session.say("sweep.done", **{name: number(value) for name, value in counts.items()}))
    if counts["failed"]:
        print_causes(session, store)
    if not session.quiet:
        session.print(session.say("sweep.saved", folder=folder), style="dim")
        session.print(session.say("sweep.next", folder=folder), style="dim")
    if session.json:
        session.emit({**counts, "out": str(folder)})
    if counts["failed"]:
        raise typer.Exit(PARTLY_FAILED)


def print_causes(session: Session, store: Store) -> None:
    """Print why runs failed: each cause once, with how often, an example, and the command that repeats it."""
    from rich.table import Table
    from rich.text import Text

    frame = store.failures()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("runs", "status", "cause", "example"):
        table.add_column(
            session.say(f"sweep.column.{name}"), overflow="fold", justify="right" if name == "runs" else "left"
        )
    groups = frame.groupby(["status", "message"], sort=False)
    shown = sorted(groups, key=lambda item: -len(item[1]))
    for (status, message), group in shown[:MOST_CAUSES]:
        first = group.iloc[0]
        settings = [f"{path}={first[path]}" for path in store.plan.points.columns if first[path] == first[path]]
        where = ", ".join(
            [*([str(first["arm"])] if len(store.plan.arms) > 1 else []), *settings, f"seed {first['seed']}"]
        )
        said = text(f"study.status.{status}", session.lang)
        cells = (number(len(group)), said, str(message).strip() or "–", f"{where}\n{first['command']}")
        table.add_row(*(Text(cell) for cell in cells))
    session.note("")
    session.console(error=True).print(table)
    if len(shown) > MOST_CAUSES:
        session.note(session.say("sweep.more_causes", n=number(len(shown) - MOST_CAUSES)))


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

"""What the commands of studies share: their options, and how they end when their runs go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from churnsim.cli.session import INTERRUPTED, PARTLY_FAILED, BadInputError, FailedError, Session, helped
from churnsim.i18n import number, text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from churnsim.studies.problems import StudyDataError
    from churnsim.studies.store import Store
    from churnsim.studies.study import Study

Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help=helped("store_out"))]
Jobs = Annotated[int | None, typer.Option("--jobs", metavar="K", min=0, help=helped("workers"))]
Dask = Annotated[str | None, typer.Option("--dask", metavar="ADDRESS", help=helped("dask"))]
DaskLocal = Annotated[int | None, typer.Option("--dask-local", metavar="N", min=1, help=helped("dask_local"))]
Timeout = Annotated[float | None, typer.Option("--timeout", metavar="SECONDS", min=0.01, help=helped("timeout"))]
Plot = Annotated[Path | None, typer.Option("--plot", metavar="DIR", help=helped("plot"))]
WithoutRuns = Annotated[bool, typer.Option("--dry-run", help=helped("study_dry_run"))]
StudyOrStore = Annotated[str, typer.Argument(metavar="STUDY|STORE", help=helped("study_or_store"), show_default=False)]
Confidence = Annotated[float, typer.Option("--confidence", metavar="SHARE", help=helped("confidence"))]

DISK_FULL = 75
"""Exit code where there is no room: a temporary failure, by the convention of sysexits.h."""
MOST_CAUSES = 8
"""Causes of failures that are listed."""


def one_way(session: Session, jobs: int | None, dask: str | None, dask_local: int | None) -> str | int | None:
    """Return where Dask does the runs, None where it does not; refuse several ways at once."""
    if sum(option is not None for option in (jobs, dask, dask_local)) > 1:
        raise BadInputError(session.say("sweep.one_way"))
    asked = dask if dask is not None else dask_local
    if asked is not None and find_spec("distributed") is None:
        raise BadInputError(text("study.store.no_dask", session.lang))
    return asked


def check_confidence(session: Session, confidence: float) -> None:
    """Refuse a confidence that is none."""
    if not 0.5 <= confidence < 1:
        raise BadInputError(session.say("sensitivity.confidence", found=confidence))


def check_folders(session: Session, *folders: Path | None) -> None:
    """Refuse folders that cannot be written to, before anything runs."""
    from churnsim.cli.folders import why_not_writable

    for folder in folders:
        problem = None if folder is None else why_not_writable(folder)
        if problem is not None:
            raise BadInputError(session.say("run.out_not_writable", folder=folder, reason=problem))


def noticed(session: Session) -> Callable[[str, dict[str, Any]], None]:
    """Return what tells of an earlier store in the folder."""
    return lambda code, details: session.warn(text(f"study.notice.{code}", session.lang, **details))


@contextmanager
def at_work(session: Session, folder: Path) -> Iterator[None]:
    """Do runs in the block; end the command with the right code where they are stopped or cannot go on."""
    from churnsim.studies.errors import DiskFullError, Interrupted, StoreError

    try:
        yield
    except KeyboardInterrupt as interrupt:
        key = "sweep.stopped" if isinstance(interrupt, Interrupted) else "sweep.dropped"
        session.note("\n" + session.say(key, folder=folder))
        raise typer.Exit(INTERRUPTED) from None
    except DiskFullError as error:
        session.note(error.told(session.lang), style="red")
        raise typer.Exit(DISK_FULL) from None
    except StoreError as error:
        raise BadInputError(error.told(session.lang)) from None


@contextmanager
def saving(session: Session, folder: Path) -> Iterator[None]:
    """Write files in the block; end the command where they cannot be written."""
    from churnsim.cli.folders import reason

    try:
        yield
    except OSError as error:
        raise FailedError(session.say("run.not_saved", folder=folder, path=folder, reason=reason(error))) from None


def refused(session: Session, error: StudyDataError) -> NoReturn:
    """End the command with what is wrong with the numbers; exit code 3 where too many runs failed."""
    from churnsim.studies.missing import NoAnswerError

    outcome = error.details.get("outcome")
    message = error.told(session.lang)
    if outcome is not None:
        message = f"{outcome}: {message}"
    failures = error.failures if isinstance(error, NoAnswerError) else None
    if error.code == "many_missing" or failures is not None:
        if failures is not None:
            print_causes(session, failures)
        session.note(message, style="red")
        raise typer.Exit(PARTLY_FAILED) from None
    raise BadInputError(message) from None


def store_of(
    session: Session, study: str, out: Path | None, jobs: int | None, check: Callable[[Study], object]
) -> Store:
    """Return a store by its folder, or that of a study after running what is left of it.

    Parameters
    ----------
    check
        Called with the study before anything is drawn or run; raises what makes the answer impossible.
    """
    from churnsim.studies.database import FILE
    from churnsim.studies.reading import read_study
    from churnsim.studies.store import Store

    place = Path(study)
    if (place / FILE).is_file() or place.name == FILE:
        return Store.open(place)
    if place.is_dir():
        raise BadInputError(session.say("sensitivity.no_store", folder=place))
    return run_study(session, read_study(study, session.lang, check), out, jobs)


def run_study(session: Session, study: Study, out: Path | None, jobs: int | None) -> Store:
    """Run what is left of a study."""
    from churnsim.cli.progress import shown
    from churnsim.studies.sweeping import default_folder, sweep

    folder = out or default_folder(study)
    with at_work(session, folder), shown(session) as report:
        return sweep(study, folder, jobs, report, notice=noticed(session))


@contextmanager
def analysing(session: Session) -> Iterator[None]:
    """Analyse a store in the block; end the command where it cannot be opened, or its numbers allow no answer."""
    from churnsim.studies.errors import DiskFullError, StoreError
    from churnsim.studies.problems import StudyDataError

    try:
        yield
    except StudyDataError as error:
        refused(session, error)
    except DiskFullError:
        raise  # `at_work` knows what to do
    except StoreError as error:
        raise BadInputError(error.told(session.lang)) from None


ABOUT = ("row", "arm", "replication", "seed", "status", "message", "details", "attempts", "seconds", "command")
"""Columns of a table of failures that are no settings."""


def print_causes(session: Session, frame: pd.DataFrame) -> None:
    """Print why runs failed: each cause once, with how often, an example, and the command that repeats it.

    Parameters
    ----------
    frame
        As `churnsim.studies.store.Store.failures` has it.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("runs", "status", "cause", "example"):
        table.add_column(session.say(f"sweep.column.{name}"), justify="right" if name == "runs" else "left")
    groups = frame.groupby(["status", "message"], sort=False)
    shown = sorted(groups, key=lambda item: -len(item[1]))
    paths = [path for path in frame.columns if path not in ABOUT]
    for (status, message), group in shown[:MOST_CAUSES]:
        first = group.iloc[0]
        settings = [f"{path}={first[path]}" for path in paths if first[path] is not None and first[path] == first[path]]
        arm = [str(first["arm"])] if len(frame["arm"].cat.categories) > 1 else []
        where = ", ".join([*arm, *settings, f"seed {first['seed']}"])
        said = text(f"study.status.{status}", session.lang)
        cells = (number(len(group)), said, str(message).strip() or "–", f"{where}\n{first['command']}")
        table.add_row(*(Text(cell) for cell in cells))
    session.note("")
    session.print(table, error=True)
    if len(shown) > MOST_CAUSES:
        session.note(session.say("sweep.more_causes", n=number(len(shown) - MOST_CAUSES)))


def save_figures(session: Session, folder: Path, axes: dict[str, Axes]) -> list[str]:
    """Write figures as PNG and return their files' names."""
    import re

    from churnsim.plots.style import figure_of, png

    files = {re.sub(r"[^\w.-]+", "_", name).strip("_") + ".png": ax for name, ax in axes.items()}
    with saving(session, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file, ax in files.items():
            (folder / file).write_bytes(png(figure_of(ax)))
    return list(files)


def print_files(session: Session, folder: Path, files: list[str], plot: Path | None, figures: list[str]) -> None:
    """Print what was written."""
    if session.quiet:
        return
    session.print(session.say("tournament.saved", folder=f"{folder}/", files=" ".join(files)))
    if figures:
        session.print(session.say("tournament.figures", folder=f"{plot}/", files=" ".join(figures)))

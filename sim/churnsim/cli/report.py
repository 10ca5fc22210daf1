"""``churnsim report``: write a page, a workbook and slides on saved results."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnsim.cli.folders import reason, why_no_file
from churnsim.cli.session import BadInputError, FailedError, Session, command, helped

if TYPE_CHECKING:
    from churnsim.results import Result
    from churnsim.studies.store import Store

PAGE = Path("report.html")


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "report")(report)


def report(
    session: Session,
    results: Annotated[list[Path], typer.Argument(metavar="RESULT", help=helped("report_results"), show_default=False)],
    out: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help=helped("report_out"))] = PAGE,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", metavar="FILE", help=helped("xlsx"))] = None,
    pptx: Annotated[Path | None, typer.Option("--pptx", metavar="FILE", help=helped("pptx"))] = None,
    firm: Annotated[str | None, typer.Option("--firm", metavar="FIRM", help=helped("report_firm"))] = None,
    baseline: Annotated[str | None, typer.Option("--baseline", metavar="NAME", help=helped("report_baseline"))] = None,
    scenario: Annotated[str | None, typer.Option("--scenario", metavar="NAME", help=helped("report_scenario"))] = None,
) -> None:
    """Write a report on saved results."""
    files = [file for file in (out, xlsx, pptx) if file is not None]
    _check_files(session, files)
    _check_folders(session, results)
    # What draws is imported when everything that was typed is known to make sense: it takes seconds.
    from churnsim.report import MissingExtraError, findings, merged, page, slides, workbook
    from churnsim.report.needs import needed

    runs = [folder for folder in results if not _is_study(folder)]
    studies = [_study(session, folder) for folder in results if _is_study(folder)]
    opened = [_opened(session, folder) for folder in runs]
    try:
        # What is missing is said before anything is worked out.
        for wanted, module, package in ((xlsx, "xlsxwriter", "xlsxwriter"), (pptx, "pptx", "python-pptx")):
            if wanted is not None:
                needed(module, package)
    except MissingExtraError as error:
        raise BadInputError(session.say("report.missing", package=error.package, extra=error.extra)) from None
    try:
        found = findings(merged(opened), lang=session.lang, firm=firm, baseline=baseline, scenario=scenario,
                         studies=studies)  # fmt: skip
    except ValueError as error:
        raise BadInputError(str(error)) from None
    again = f"churnsim run --from {shlex.quote(os.path.relpath(runs[0]))}" if len(opened) == 1 else None
    try:
        out.write_text(page(found, command=again), encoding="utf-8")
        for file, write in ((xlsx, workbook), (pptx, slides)):
            if file is not None:
                write(found, file)
    except OSError as error:
        path = getattr(error, "filename", None) or out
        raise FailedError(session.say("report.not_written", file=path, reason=reason(error))) from None
    if not session.quiet:
        session.print(found.answer(), style="bold")
        for file in files:
            session.print(session.say("report.written", file=file, size=f"{file.stat().st_size / 1024:.0f} kB"))
        if xlsx is not None:
            session.print(session.say("report.next", file=shlex.quote(str(xlsx))), style="dim")
    if session.json:
        session.emit({"answer": found.answer(), "files": [str(file) for file in files]})


def _check_files(session: Session, files: list[Path]) -> None:
    """Refuse, before anything is read, files that cannot be written or are named twice."""
    for place, file in enumerate(files):
        if file in files[:place]:
            raise BadInputError(session.say("report.same", file=file))
        problem = why_no_file(file)
        if problem is not None:
            raise BadInputError(session.say("report.not_written", file=file, reason=problem))


def _check_folders(session: Session, folders: list[Path]) -> None:
    """Refuse folders that hold neither a result nor a study, and studies without a result."""
    for folder in folders:
        if not _is_study(folder) and not (folder / "run.json").is_file():
            raise BadInputError(session.say("report.no_result", folder=folder))
    if all(map(_is_study, folders)):
        raise BadInputError(session.say("report.no_run"))


def _is_study(folder: Path) -> bool:
    """Whether a folder holds the runs of a study."""
    from churnsim.studies.database import FILE

    return (folder / FILE).is_file()


def _study(session: Session, folder: Path) -> Store:
    """Open a study's store; one without a market or without factors says nothing about a report."""
    from churnsim.studies.errors import StoreError
    from churnsim.studies.problems import StudyDataError
    from churnsim.studies.sensitivity import check
    from churnsim.studies.store import Store

    try:
        store = Store.open(folder)
        check(store.study)
    except (StoreError, StudyDataError) as error:
        raise BadInputError(f"{folder}: {error.told(session.lang)}") from None
    return store


def _opened(session: Session, folder: Path) -> Result:
    """Open a saved result."""
    import churnsim as cs
    from churnsim.storage import ResultFolderError

    try:
        return cs.open(folder)
    except ResultFolderError as error:
        raise BadInputError(str(error)) from None

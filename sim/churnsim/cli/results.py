"""``churnsim results``: what studies have run: list, show, export, repeat one run, merge parts, clear up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.cli.session import FAILED, BadInputError, FailedError, Session, command, helped
from churnsim.i18n import number, text

if TYPE_CHECKING:
    from churnsim.studies.store import Store

Place = Annotated[Path, typer.Argument(metavar="STORE", help=helped("store"), show_default=False)]


USUAL = Path("results")
"""Where stores go unless told otherwise."""


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help=helped("results"), no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(group, name="results", short_help=helped("results"))
    for name, function in (
        ("list", list_stores), ("show", show), ("export", export), ("rerun", rerun), ("merge", merge), ("gc", gc),
    ):  # fmt: skip
        command(group, name, f"results_{name}")(function)


def list_stores(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=helped("stores_in"))] = USUAL,
) -> None:
    """List the stores in a folder."""
    from rich.table import Table
    from rich.text import Text

    check_stores(session, folder)
    found = [_about(session, file) for file in sorted(folder.glob("*/study.sqlite"))]
    if session.json:
        session.emit({"stores": found})
        return
    if not found:
        session.note(session.say("results.none", folder=folder))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("study", "done", "runs", "failed", "size", "changed", "out"):
        right = name in ("done", "runs", "failed", "size")
        table.add_column(session.say(f"results.column.{name}"), justify="right" if right else "left", overflow="fold")
    for store in found:
        if "error" in store:
            table.add_row(*[Text(""), Text("–"), Text("–"), Text("–"), Text("–"), Text("–"), Text(store["error"])])
            continue
        counts = [number(store[name]) for name in ("done", "runs", "failed")]
        size = f"{store['bytes'] / 2**20:,.1f} MB"
        table.add_row(*(Text(cell) for cell in (store["study"], *counts, size, store["changed"], store["out"])))
    session.print(table)


def check_stores(session: Session, folder: Path) -> None:
    """Refuse a folder that does not exist, unless it is the usual one, which the first study makes."""
    if not folder.is_dir() and (folder.exists() or folder != USUAL):
        raise BadInputError(session.say("results.no_folder", folder=folder))


def _about(session: Session, file: Path) -> dict[str, Any]:
    """Return a line on one store; what cannot be read says why."""
    from churnsim.studies.errors import StoreError
    from churnsim.studies.store import Store

    try:
        with Store.open(file) as store:
            status = file.stat()
            changed = time.strftime("%Y-%m-%d %H:%M", time.localtime(status.st_mtime))
            about = {"study": store.meta["name"], "id": store.meta["id"][:8], **store.counts()}
            return {**about, "bytes": status.st_size, "changed": changed, "out": str(file.parent)}
    except StoreError as error:
        return {"out": str(file.parent), "error": error.told(session.lang)}


def show(session: Session, place: Place) -> None:
    """Show what a store holds: the study, how far it is, means of the outcomes by arm, and what failed."""
    import numpy as np
    from rich.table import Table
    from rich.text import Text

    from churnsim.cli.study_options import print_causes

    with _opened(session, place) as store:
        study, counts, frame = store.study, store.counts(), store.frame()
        names = list(study.outcomes)
        means = frame.groupby("arm", observed=True)[names].agg(["mean", "std", "count"])
        columns = ("mean", "sd", "runs")
        answer = {
            "study": study.name, "id": store.meta["id"][:8], **counts, "out": str(store.folder),
            "about": store.about, "definition": study.definition(),
            "outcomes": {
                str(arm): {
                    name: dict(zip(columns, means.loc[arm, name].to_list(), strict=True)) for name in names
                }
                for arm in means.index
            },
        }  # fmt: skip
        if session.json:
            session.emit(answer)
            return
        session.print(f"{study.name}  {store.meta['id'][:8]}", style="bold")
        if study.question:
            session.print(study.question[session.lang])
        session.print(session.say("sweep.done", **{name: number(value) for name, value in counts.items()}))
        about = store.about
        session.print(
            session.say(
                "results.made", version=about["churnsim"], commit=((about.get("git") or {}).get("commit") or "–")[:10],
                python=about["python"], platform=about["platform"],
            ),
            style="dim",
        )  # fmt: skip
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(session.say("results.column.arm"))
        table.add_column(session.say("results.column.outcome"), overflow="fold")
        for name in ("mean", "sd", "runs"):
            table.add_column(session.say(f"results.column.{name}"), justify="right")
        for arm in means.index:
            for name in names:
                mean, sd, runs = means.loc[arm, name]
                cells = [f"{value:.5g}" if np.isfinite(value) else "–" for value in (mean, sd)]
                table.add_row(Text(str(arm)), Text(name), *cells, number(int(runs)))
        session.print(table)
        session.print(session.say("results.over", rows=number(len(store.plan.points))), style="dim")
        if counts["failed"]:
            print_causes(session, store.failures())


def export(
    session: Session,
    place: Place,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help=helped("export_csv"))] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", metavar="FILE", help=helped("export_parquet"))] = None,
) -> None:
    """Write one row per run as CSV or Parquet."""
    from churnsim.cli.folders import reason, why_no_file
    from churnsim.studies.export import write_csv, write_parquet

    if csv is None and parquet is None:
        raise BadInputError(session.say("results.which_format"))
    for file in (csv, parquet):
        problem = None if file is None else why_no_file(file)
        if problem is not None:
            raise BadInputError(session.say("results.not_written", file=file, reason=problem))
    rows = 0
    with _opened(session, place) as store:
        for file, write in ((csv, write_csv), (parquet, write_parquet)):
            if file is None:
                continue
            try:
                rows = write(store, file)
            except OSError as error:
                raise FailedError(session.say("results.not_written", file=file, reason=reason(error))) from None
            if not session.quiet:
                session.print(session.say("results.written", rows=number(rows), file=file))
    if session.json:
        session.emit({"rows": rows, "csv": csv and str(csv), "parquet": parquet and str(parquet)})


def rerun(
    session: Session,
    place: Place,
    run: Annotated[int, typer.Argument(metavar="RUN", min=0, help=helped("rerun_run"), show_default=False)],
) -> None:
    """Do one run again in this process, showing everything that goes wrong; nothing is written."""
    from churnsim.studies.errors import StoreError
    from churnsim.studies.repeating import repeat

    with _opened(session, place) as store:
        try:
            answer, same = repeat(store, run)
        except StoreError as error:
            raise BadInputError(error.told(session.lang)) from None
        values = store.named_values(answer.values) if answer.values else {}
    if not session.quiet:
        for name, value in values.items():
            session.print(f"{name} = {value!r}")
        if answer.message:
            session.print(
                session.joined([text(f"study.status.{answer.status}", session.lang), answer.message], "colon"),
                style="red",
            )
        if answer.details:
            session.print(answer.details.rstrip())
        if same is not None:
            session.print(session.say("results.same" if same else "results.other"))
    if session.json:
        session.emit({"run": run, "status": answer.status, "message": answer.message, "outcomes": values, "same": same})
    if answer.message or same is False:
        raise typer.Exit(FAILED)


def merge(
    session: Session,
    parts: Annotated[list[Path], typer.Argument(metavar="STORE", help=helped("merge_parts"), show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help=helped("merge_out"))],
) -> None:
    """Put parts of a study that were run apart into one store."""
    from churnsim.studies.errors import StoreError
    from churnsim.studies.merging import merge as put_together

    try:
        with put_together(parts, out) as store:
            counts = store.counts()
    except StoreError as error:
        raise BadInputError(error.told(session.lang)) from None
    if not session.quiet:
        session.print(session.say("sweep.done", **{name: number(value) for name, value in counts.items()}))
        session.print(session.say("sweep.saved", folder=out), style="dim")
    if session.json:
        session.emit({**counts, "out": str(out)})


def gc(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=helped("stores_in"))] = USUAL,
    yes: Annotated[bool, typer.Option("--yes", help=helped("gc_yes"))] = False,
) -> None:
    """Delete what sweeps have put aside: runs of earlier versions of the model, and damaged stores."""
    check_stores(session, folder)
    files = sorted({*folder.glob("*/study-*.sqlite"), *folder.glob("*/study.damaged-*.sqlite*")})
    freed = sum(file.stat().st_size for file in files)
    if yes:
        for file in files:
            file.unlink()
    if not session.quiet:
        for file in files:
            session.print(str(file))
        key = "results.nothing_aside" if not files else "results.deleted" if yes else "results.would_delete"
        session.print(session.say(key, n=number(len(files)), size=f"{freed / 2**20:,.1f} MB", folder=folder))
    if session.json:
        session.emit({"files": [str(file) for file in files], "bytes": freed, "deleted": yes})


@contextmanager
def _opened(session: Session, place: Path) -> Iterator[Store]:
    """Open a store, or say why it cannot be opened."""
    from churnsim.studies.errors import StoreError
    from churnsim.studies.store import Store

    try:
        with Store.open(place) as store:
            yield store
    except StoreError as error:
        raise BadInputError(error.told(session.lang)) from None

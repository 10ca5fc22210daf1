"""``churnsim reproduce``: make a published study's table and figures again, and compare with what was published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.cli.session import FAILED, PARTLY_FAILED, BadInputError, Session, command, helped
from churnsim.cli.study_options import Jobs, analysing, check_folders, run_study, save_figures, saving

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from churnsim.studies.published import Agreement
    from churnsim.studies.store import Store


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "reproduce")(reproduce)


def reproduce(
    session: Session,
    studies: Annotated[list[str], typer.Argument(metavar="STUDY", help=helped("reproduce_study"), show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help=helped("reproduce_out"))] = None,
    jobs: Jobs = None,
    publish: Annotated[Path | None, typer.Option("--publish", metavar="DIR", help=helped("publish"))] = None,
) -> None:
    """Make a published study's table and figures again."""
    from churnsim.studies.study import load_study
    from churnsim.studies.sweeping import default_folder

    if out is not None and len(studies) > 1:
        raise BadInputError(session.say("reproduce.one_folder"))
    check_folders(session, publish)
    # All are read before the first is run: a mistake in the last one costs no waiting.
    asked = [load_study(name, session.lang) for name in studies]
    answers = []
    for study in asked:
        folder = out or default_folder(study, None)
        with analysing(session), run_study(session, study, folder, jobs) as store:
            answers.append(_answer(session, store, folder, publish))
    if session.json:
        session.emit(answers[0] if len(answers) == 1 else {"studies": answers})
    if any(answer["failed"] for answer in answers):
        raise typer.Exit(PARTLY_FAILED)
    if any(answer["same"] is False for answer in answers):
        raise typer.Exit(FAILED)


def _answer(session: Session, store: Store, folder: Path, publish: Path | None) -> dict[str, Any]:
    """Write a study's table and figures, print what came of them, and return it."""
    from churnsim.studies.published import agreement, as_csv, published_file, table_of

    study = store.study
    if not session.quiet and study.question is not None:
        session.print(study.question[session.lang], style="bold")
    table = table_of(store)
    figures = _figures(session, store, publish or folder / "figures")
    file = (publish or folder) / ("table.csv" if publish is None else f"{study.name}.csv")
    with saving(session, folder):
        file.write_text(as_csv(table), encoding="utf-8")
    reference = published_file(study.name)
    found = None if reference is None else agreement(table, reference)
    if not session.quiet:
        session.print(session.say("reproduce.wrote", table=file, figures=", ".join(figures) or "–"))
        session.print(_verdict(session, found), style=None if found is None or not found.different else "red")
    counts = store.counts()
    return {
        "study": study.name, "out": str(folder), "table": str(file), "figures": figures, "failed": counts["failed"],
        "same": None if found is None else not found.different,
        "cells": None if found is None else found.cells, "different": None if found is None else found.different,
    }  # fmt: skip


def _verdict(session: Session, found: Agreement | None) -> str:
    """Return how the table agrees with the published one."""
    if found is None:
        return session.say("reproduce.nothing_published")
    key = "reproduce.same" if not found.different else "reproduce.differs"
    return session.say(key, cells=found.cells, different=found.different, furthest=f"{found.furthest:.1g}")


def _figures(session: Session, store: Store, folder: Path) -> list[str]:
    """Draw a study's figures and return their files."""
    study = store.study
    axes = {}
    for place, figure in enumerate(study.figures, 1):
        suffix = "" if len(study.figures) == 1 else f"-{place}"
        axes[f"{study.name}{suffix}"] = _drawn(store, figure, session.lang)
    return save_figures(session, folder, axes)


def _drawn(store: Store, figure: Any, lang: str) -> Axes:
    """Draw one figure."""
    from churnsim import plots
    from churnsim.studies.published import figure_frame

    if figure.kind == "sensitivity":
        from churnsim.studies.figure_frames import sensitivity_frame
        from churnsim.studies.sensitivity import Analysis

        found = Analysis(store).of(figure.outcome)
        draw = {"morris": plots.morris_plane, "swings": plots.tornado}.get(found.method, plots.index_bars)
        return draw(sensitivity_frame(found), lang=lang)
    if figure.kind == "spread":
        from churnsim.studies.comparing import compare
        from churnsim.studies.figure_frames import spread_frame

        return plots.seed_spread(spread_frame(compare(store, figure.outcome)), lang=lang)
    frame = figure_frame(store, figure, lang)
    return (plots.response if figure.kind == "response" else plots.phase_map)(frame, lang=lang)

"""``churnsim sensitivity``: which factors an outcome depends on, with luck told apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from churnsim.cli.session import PARTLY_FAILED, BadInputError, FailedError, Session, command, helped

if TYPE_CHECKING:
    from churnsim.studies.indices import Sensitivity
    from churnsim.studies.problems import StudyDataError
    from churnsim.studies.screening import Screened
    from churnsim.studies.sensitivity import Analysis
    from churnsim.studies.store import Store
    from churnsim.studies.study import Study


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "sensitivity")(sensitivity)


def sensitivity(
    session: Session,
    study: Annotated[str, typer.Argument(metavar="STUDY|STORE", help=helped("sensitivity_study"), show_default=False)],
    outcomes: Annotated[list[str] | None, typer.Option("--outcome", metavar="NAME", help=helped("outcome"))] = None,
    method: Annotated[str | None, typer.Option("--method", help=helped("sensitivity_method"))] = None,
    arm: Annotated[str | None, typer.Option("--arm", help=helped("sensitivity_arm"))] = None,
    confidence: Annotated[float, typer.Option("--confidence", help=helped("confidence"))] = 0.95,
    screen: Annotated[bool, typer.Option("--screen", help=helped("screen"))] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help=helped("sensitivity_out"))] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", min=0, help=helped("jobs"))] = None,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="DIR", help=helped("sensitivity_plot"))] = None,
) -> None:
    """Say which factors outcomes depend on."""
    from churnsim.cli import sensitivity_answers as answers
    from churnsim.studies.errors import StoreError
    from churnsim.studies.problems import StudyDataError
    from churnsim.studies.sensitivity import Analysis, check

    if not 0.5 <= confidence < 1:
        raise BadInputError(session.say("sensitivity.confidence", found=confidence))
    check_folder(session, plot)
    try:
        screened = None
        if screen:
            reduced, screened = _screened(session, study, outcomes, arm, out, jobs)
            if reduced is None:
                answers.print_screening(session, screened)
                if session.json:
                    session.emit({"method": "morris", "factors": {}, "screening": answers.screening_json(screened)})
                return
            store = reduced
        else:
            store = store_of(session, study, out, jobs, lambda asked: check(asked, outcomes, method, arm))
        analysis = Analysis(store, arm)
        found = analysis.all(outcomes or None, method, confidence=confidence)
    except StudyDataError as error:
        refused(session, error)
    except StoreError as error:
        raise BadInputError(error.told(session.lang)) from None
    if not session.quiet:
        if screened is not None:
            answers.print_screening(session, screened)
        for one in found:
            answers.print_sensitivity(session, one)
    if plot is not None:
        _draw(session, analysis, found, plot)
    if session.json:
        extra: dict[str, Any] = {"out": str(store.folder)}
        if screened is not None:
            extra["screening"] = answers.screening_json(screened)
        parts = [one.as_json() for one in found]
        session.emit({**(parts[0] if len(parts) == 1 else {"outcomes": parts}), **extra})


def store_of(
    session: Session, study: str, out: Path | None, jobs: int | None, check: Callable[[Study], object]
) -> Store:
    """Return a store by its folder, or that of a study after running what is left of it.

    Parameters
    ----------
    check
        Called with the study before anything is run; raises what makes the answer impossible.
    """
    from churnsim.studies.database import FILE
    from churnsim.studies.store import Store
    from churnsim.studies.study import load_study

    place = Path(study)
    if (place / FILE).is_file() or place.name == FILE:
        return Store.open(place)
    if place.is_dir():
        raise BadInputError(session.say("sensitivity.no_store", folder=place))
    asked = load_study(study, session.lang)
    check(asked)
    return run_study(session, asked, out, jobs)


def run_study(session: Session, study: Study, out: Path | None, jobs: int | None) -> Store:
    """Run what is left of a study."""
    from churnsim.cli.progress import shown
    from churnsim.i18n import text
    from churnsim.studies.sweeping import sweep

    def notice(code: str, details: dict[str, Any]) -> None:
        """Tell of an earlier store in the folder."""
        session.warn(text(f"study.notice.{code}", session.lang, **details))

    with shown(session) as report:
        return sweep(study, out, jobs, report, notice=notice)


def check_folder(session: Session, folder: Path | None) -> None:
    """Refuse a folder for figures that cannot be written to, before anything runs."""
    from churnsim.cli.folders import why_not_writable

    problem = None if folder is None else why_not_writable(folder)
    if problem is not None:
        raise BadInputError(session.say("run.out_not_writable", folder=folder, reason=problem))


def refused(session: Session, error: StudyDataError) -> NoReturn:
    """End the command with what is wrong with the numbers; exit code 3 where too many runs failed."""
    outcome = error.details.get("outcome")
    message = error.told(session.lang)
    if outcome is not None:
        message = f"{outcome}: {message}"
    if error.code == "many_missing":
        session.note(message, style="red")
        raise typer.Exit(PARTLY_FAILED) from None
    raise BadInputError(message) from None


def save_figure(session: Session, folder: Path, name: str, ax: Any) -> str:
    """Write a figure as PNG and return its name."""
    import re

    from churnsim.cli.folders import reason
    from churnsim.plots.style import figure_of, png

    file = re.sub(r"[^\w.-]+", "_", name).strip("_") + ".png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(png(figure_of(ax)))
    except OSError as error:
        raise FailedError(session.say("run.not_saved", folder=folder, path=folder, reason=reason(error))) from None
    return file


def _screened(
    session: Session, name: str, outcomes: list[str] | None, arm: str | None, out: Path | None, jobs: int | None
) -> tuple[Store | None, Screened]:
    """Run the screening, then what it leaves of the study; return the store of that, None where nothing is left."""
    from churnsim.studies.screening import screened, screening_of
    from churnsim.studies.sensitivity import Analysis, check
    from churnsim.studies.study import load_study

    study = load_study(name, session.lang)
    check(study, outcomes, None, arm)
    first = screening_of(study)
    with run_study(session, first, None if out is None else out / "screening", jobs) as store:
        found = Analysis(store, arm).all(outcomes or None)
    answer = screened(study, found, first)
    if answer.study is None:
        return None, answer
    return run_study(session, answer.study, None if out is None else out / "screened", jobs), answer


def _draw(session: Session, analysis: Analysis, found: list[Sensitivity], folder: Path) -> None:
    """Write the figures that belong to the answers."""
    from churnsim import plots
    from churnsim.studies.figure_frames import lines_frame, sensitivity_frame

    drawn: dict[str, Any] = {}
    for one in found:
        draw = {"morris": plots.morris_plane, "swings": plots.tornado}.get(one.method, plots.index_bars)
        drawn[f"{one.method}-{one.outcome}"] = draw(sensitivity_frame(one), lang=session.lang)
        if one.method == "sobol":
            settling = analysis.convergence(one.outcome, confidence=one.confidence).assign(outcome=one.outcome)
            drawn[f"convergence-{one.outcome}"] = plots.index_convergence(settling, lang=session.lang)
            swings = analysis.of(one.outcome, "swings", confidence=one.confidence)
            drawn[f"tornado-{one.outcome}"] = plots.tornado(sensitivity_frame(swings), lang=session.lang)
        if analysis.study.design in ("sobol", "lhs") and len(analysis.study.factors) > 1:
            lines = lines_frame(analysis, one.outcome)
            drawn[f"parallel-{one.outcome}"] = plots.parallel_coordinates(lines, lang=session.lang)
    asked = {one.outcome for one in found}
    for measure, ticks in analysis.families().items():
        if found[0].method in plots.WITH_INDICES and len(asked & set(ticks.values())) > 1:
            frame = analysis.over_time(measure, found[0].method, confidence=found[0].confidence)
            drawn[f"over-time-{measure}"] = plots.indices_over_time(frame.assign(measure=measure), lang=session.lang)
    files = [save_figure(session, folder, name, ax) for name, ax in drawn.items()]
    if not session.quiet:
        session.print(session.say("sensitivity.figures", folder=f"{folder}/", files=" ".join(files)))

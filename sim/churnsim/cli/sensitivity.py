"""``churnsim sensitivity``: which factors an outcome depends on, with luck told apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.cli.session import Session, command, helped
from churnsim.cli.study_options import (
    Confidence,
    Jobs,
    Out,
    Plot,
    StudyOrStore,
    analysing,
    check_confidence,
    check_folders,
    run_study,
    save_figures,
    store_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.studies.indices import Sensitivity
    from churnsim.studies.screening import Screened
    from churnsim.studies.sensitivity import Analysis
    from churnsim.studies.store import Store


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "sensitivity")(sensitivity)


def sensitivity(
    session: Session,
    study: StudyOrStore,
    outcomes: Annotated[list[str] | None, typer.Option("--outcome", metavar="NAME", help=helped("outcome"))] = None,
    method: Annotated[str | None, typer.Option("--method", metavar="NAME", help=helped("sensitivity_method"))] = None,
    arm: Annotated[str | None, typer.Option("--arm", metavar="ARM", help=helped("sensitivity_arm"))] = None,
    confidence: Confidence = 0.95,
    screen: Annotated[bool, typer.Option("--screen", help=helped("screen"))] = False,
    out: Out = None,
    jobs: Jobs = None,
    plot: Plot = None,
) -> None:
    """Say which factors outcomes depend on."""
    check_confidence(session, confidence)
    check_folders(session, plot)
    from churnsim.cli import sensitivity_answers as answers
    from churnsim.studies.sensitivity import Analysis, check

    with analysing(session):
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


def _screened(
    session: Session, name: str, outcomes: list[str] | None, arm: str | None, out: Path | None, jobs: int | None
) -> tuple[Store | None, Screened]:
    """Run the screening, then what it leaves of the study; return the store of that, None where nothing is left."""
    from churnsim.studies.reading import read_study
    from churnsim.studies.screening import screened, screening_of
    from churnsim.studies.sensitivity import Analysis, check

    study = read_study(name, session.lang, lambda asked: check(asked, outcomes, None, arm))
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
    from churnsim.studies.comparing import measure_in
    from churnsim.studies.figure_frames import lines_frame, sensitivity_frame
    from churnsim.studies.labels import label_of, outcome_label

    study, lang = analysis.study, session.lang
    market = next(iter(study.bases.values()), None)
    names = {path: label_of(market, path, lang) if market is not None else path for path in study.factors}
    about = None if market is None else plots.About(market.tick, market.currency)

    def told(frame: pd.DataFrame, outcome: str) -> pd.DataFrame:
        """Call factors and outcome by the names that people read."""
        said = frame.assign(outcome=outcome_label(market, outcome, study.outcomes[outcome], lang))
        return said.assign(factor=said["factor"].map(lambda path: names.get(path, path))) if "factor" in said else said

    drawn: dict[str, Any] = {}
    for one in found:
        frame = told(sensitivity_frame(one), one.outcome)
        measure = measure_in(study.outcomes[one.outcome]) if market is not None else None
        unit: dict[str, Any] = {"measure": measure, "about": about}
        if one.method in ("morris", "swings"):
            draw = plots.morris_plane if one.method == "morris" else plots.tornado
            drawn[f"{one.method}-{one.outcome}"] = draw(frame, lang=lang, **unit)
        else:
            drawn[f"{one.method}-{one.outcome}"] = plots.index_bars(frame, lang=lang)
        if one.method == "sobol":
            settling = told(analysis.convergence(one.outcome, confidence=one.confidence), one.outcome)
            drawn[f"convergence-{one.outcome}"] = plots.index_convergence(settling, lang=lang)
            swings = told(sensitivity_frame(analysis.of(one.outcome, "swings", confidence=one.confidence)), one.outcome)
            drawn[f"tornado-{one.outcome}"] = plots.tornado(swings, lang=lang, **unit)
        if study.design in ("sobol", "lhs") and len(study.factors) > 1:
            lines = told(lines_frame(analysis, one.outcome), one.outcome).rename(columns=names)
            drawn[f"parallel-{one.outcome}"] = plots.parallel_coordinates(lines, lang=lang)
    asked = {one.outcome for one in found}
    for measure, ticks in analysis.families().items():
        if found[0].method in plots.WITH_INDICES and len(asked & set(ticks.values())) > 1:
            frame = analysis.over_time(measure, found[0].method, confidence=found[0].confidence)
            frame["factor"] = frame["factor"].map(lambda path: names.get(path, path))
            said = outcome_label(market, measure, measure, lang)
            drawn[f"over-time-{measure}"] = plots.indices_over_time(frame.assign(measure=said), lang=lang)
    files = save_figures(session, folder, drawn)
    if not session.quiet:
        session.print(session.say("sensitivity.figures", folder=f"{folder}/", files=" ".join(files)))

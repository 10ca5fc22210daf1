"""``churnsim compare``: arms, levels or points of a study side by side, paired by replication."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnsim.cli.session import BadInputError, Session, command, helped
from churnsim.cli.study_options import (
    Confidence,
    Jobs,
    Out,
    Plot,
    StudyOrStore,
    analysing,
    check_confidence,
    check_folders,
    save_figures,
    store_of,
)

if TYPE_CHECKING:
    from churnsim.studies.comparing import Comparison
    from churnsim.studies.store import Store
    from churnsim.studies.study import Study

POOR_GAIN = 1.0
"""Below it sharing luck between alternatives did harm."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "compare")(compare)


def compare(
    session: Session,
    study: StudyOrStore,
    outcome: Annotated[str | None, typer.Option("--outcome", metavar="NAME", help=helped("compare_outcome"))] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="arm|FACTOR|point", help=helped("compare_by"))] = None,
    baseline: Annotated[str | None, typer.Option("--baseline", metavar="NAME", help=helped("compare_baseline"))] = None,
    direction: Annotated[
        str | None, typer.Option("--better", metavar="more|less", help=helped("compare_better"))
    ] = None,
    indifference: Annotated[
        float | None, typer.Option("--indifference", metavar="VALUE", help=helped("indifference"))
    ] = None,
    threshold: Annotated[float | None, typer.Option("--threshold", metavar="VALUE", help=helped("threshold"))] = None,
    confidence: Confidence = 0.95,
    out: Out = None,
    jobs: Jobs = None,
    plot: Plot = None,
) -> None:
    """Compare the alternatives of a study."""
    from churnsim.studies import comparing

    check_confidence(session, confidence)
    if direction not in (None, "more", "less"):
        raise BadInputError(session.say("compare.direction", found=direction))
    if indifference is not None and not indifference > 0:
        raise BadInputError(session.say("compare.indifference", found=indifference))
    check_folders(session, plot)
    with analysing(session):
        store = store_of(
            session, study, out, jobs, lambda asked: comparing.check(asked, outcome or next(iter(asked.outcomes)), by)
        )
        found = comparing.compare(
            store,
            next(iter(store.study.outcomes)) if outcome is None else outcome,
            by=by,
            baseline=baseline,
            more_is_better=None if direction is None else direction == "more",
            indifference=indifference,
            threshold=threshold,
            confidence=confidence,
        )
    if not session.quiet:
        _print(session, found, _unit(session, store, found.outcome))
    if plot is not None:
        _draw(session, store, found, plot)
    if session.json:
        session.emit({**found.as_json(), "out": str(store.folder)})


def _draw(session: Session, store: Store, found: Comparison, folder: Path) -> None:
    """Write the figures: how the replications spread, and of a grid of two factors who wins where."""
    from churnsim import plots
    from churnsim.dealing_measures import PER_FIRM
    from churnsim.studies.comparing import measure_in
    from churnsim.studies.figure_frames import phase_factors, phase_frame, rivals, spread_frame
    from churnsim.studies.labels import label_of, outcome_label

    study, lang = store.study, session.lang
    market = next(iter(study.bases.values()), None)
    written = study.outcomes[found.outcome]
    measure, about = (measure_in(written), plots.About(market.tick, market.currency)) if market else (None, None)
    spread = spread_frame(found).assign(outcome=outcome_label(market, found.outcome, written, lang))
    names = _names(study, lang)
    spread["alternative"] = spread["alternative"].map(lambda name: names.get(name, name))
    axes = {f"spread-{found.outcome}": plots.seed_spread(spread, measure=measure, about=about, lang=lang)}
    if phase_factors(store) and (len(store.plan.arms) > 1 or len(rivals(store, found.outcome)) > 1):
        frame = phase_frame(store, found.outcome, more_is_better=found.more_is_better, confidence=found.confidence)
        if market is not None:
            for axis in ("x_name", "y_name"):
                frame[axis] = frame[axis].map(lambda path: label_of(market, path, lang))
            frame["winner"] = frame["winner"].map(lambda name: names.get(name, name))
            if len(store.plan.arms) > 1:
                frame["outcome"] = spread["outcome"].iloc[0]
            elif measure in PER_FIRM:
                frame["outcome"] = PER_FIRM[measure].label[lang]  # firms compete in it
        axes[f"map-{found.outcome}"] = plots.phase_map(frame, lang=lang)
    files = save_figures(session, folder, axes)
    if not session.quiet:
        session.print(session.say("sensitivity.figures", folder=f"{folder}/", files=" ".join(files)))


def _names(study: Study, lang: str) -> dict[str, str]:
    """Return how people call a study's firms, and its arms where each has a title of its own."""
    from churnsim.scenario import BASE_ARM

    bases = study.bases
    firms = {name: firm.name[lang] for base in bases.values() for name, firm in base.firms.items()}
    titles = {name: str((base.case if name == BASE_ARM else base.title)[lang]) for name, base in bases.items()}
    own = len(bases) > 1 and len(set(titles.values())) == len(titles)
    return {**firms, **titles} if own else firms


def _unit(session: Session, store: Store, outcome: str) -> str:
    """Return the unit of an outcome in brackets, empty where it is more than a measure of one firm."""
    from churnsim.dealing_measures import PER_FIRM
    from churnsim.i18n import text
    from churnsim.plots import About
    from churnsim.studies.comparing import measure_in

    measure = PER_FIRM.get(measure_in(store.study.outcomes[outcome]))
    if measure is None or store.study.function is not None:
        return ""
    if measure.unit == "1":
        said = session.say("compare.share") if measure.is_rate else text("unit.index", session.lang)
    else:
        market = next(iter(store.study.bases.values()))
        about = About(market.tick, market.currency)
        words = {"currency": about.currency_name(session.lang), "per": about.per_tick(session.lang)}
        said = text(f"unit.{measure.unit}", session.lang, **words)
    return session.say("compare.unit", unit=said)


def _print(session: Session, found: Comparison, unit: str) -> None:
    """Print the alternatives, the best first, and how they differ from the baseline."""
    from rich.table import Table

    from churnsim.cli.sensitivity_answers import between, figures
    from churnsim.i18n import percent

    ranking = found.ranking
    session.print("")
    session.print(
        session.say(
            "compare.heading", outcome=found.outcome, unit=unit, n=len(found.alternatives),
            replications=session.count("replication", ranking.replications),
            direction=session.say("compare.more" if found.more_is_better else "compare.less"),
        ),
        style="bold",
    )  # fmt: skip
    table = Table(box=None, header_style="bold", pad_edge=False)
    names = ["alternative", "mean", "difference", "better_in", "p", "best", "gain"]
    if found.indifference is not None:
        names.insert(5, "within")
    words = {"baseline": found.baseline, "confidence": percent(found.confidence)}
    for name in names:
        said = session.say(f"compare.column.{name}", indifference=figures(found.indifference or 0.0), **words)
        table.add_column(said, justify="left" if name == "alternative" else "right")
    for i, name in enumerate(ranking.arms):
        estimate = found.estimates[name]
        cells = {"alternative": name, "mean": between(estimate.value, estimate.low, estimate.high, figures)}
        cells["best"] = percent(float(ranking.best[i])) if ranking.candidates[i] else "–"
        if name in found.differences:
            gap, corrected = found.differences[name]
            cells |= {
                "difference": between(gap.mean, gap.low, gap.high, figures),
                "better_in": session.say("compare.of", n=gap.better, of=gap.pairs),
                "p": f"{corrected:.2g}" if corrected >= 0.001 else "<0.001",
                "within": "–" if gap.within is None else percent(gap.within),
                "gain": figures(gap.gain),
            }
        else:
            cells["difference"] = session.say("compare.baseline")
        table.add_row(*(cells.get(column, "") for column in names), style=None if ranking.candidates[i] else "dim")
    session.print(table)
    candidates = [name for name, may in zip(ranking.arms, ranking.candidates, strict=True) if may]
    key = "compare.one_best" if len(candidates) == 1 else "compare.subset"
    session.print(session.say("compare.notes", baseline=found.baseline), style="dim")
    session.print("")
    session.print(session.say(key, names=", ".join(candidates), outcome=found.outcome, confidence=words["confidence"]))
    needed = found.needed()
    if needed is not None:
        runs = session.count("run", needed)
        session.print(session.say("compare.needed", runs=runs, indifference=figures(found.indifference or 0.0)))
    if any(gap.gain < POOR_GAIN for gap, _ in found.differences.values()):
        session.warn(session.say("compare.poor_gain"))
    if found.failed:
        session.print(session.say("compare.failed", runs=session.count("run", found.failed)))
    if found.robustness is not None:
        _print_robustness(session, found)


def _print_robustness(session: Session, found: Comparison) -> None:
    """Print how the alternatives fare over the points of what else is varied."""
    from rich.table import Table

    from churnsim.cli.sensitivity_answers import figures
    from churnsim.i18n import percent

    assert found.robustness is not None
    session.print("")
    session.print(session.say("compare.robustness"), style="bold")
    table = Table(box=None, header_style="bold", pad_edge=False)
    columns = [name for name in found.robustness.columns if name != "arm"]
    table.add_column(session.say("compare.column.alternative"))
    for name in columns:
        table.add_column(session.say(f"compare.robust.{name}"), justify="right")
    for row in found.robustness.to_dict("records"):
        write = [percent(row[name]) if name in ("wins", "mastered") else figures(row[name]) for name in columns]
        table.add_row(row["arm"], *write)
    session.print(table)

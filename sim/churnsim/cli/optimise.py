"""``churnsim optimise``: a firm's best plan over uncertain futures, what it is worth, and when the answer flips."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.cli.session import PARTLY_FAILED, Session, command, helped
from churnsim.cli.study_options import (
    Dask,
    DaskLocal,
    Jobs,
    Out,
    Plot,
    Timeout,
    WithoutRuns,
    analysing,
    at_work,
    check_folders,
    noticed,
    one_way,
    print_causes,
    print_files,
    save_figures,
    saving,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from churnsim.studies.optimisation import Optimisation
    from churnsim.studies.optimum import Judged, Optimum

ANSWER = "optimise.json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "optimise")(optimise)


def optimise(
    session: Session,
    study: Annotated[str, typer.Argument(metavar="STUDY", help=helped("optimise_study"), show_default=False)],
    out: Out = None,
    jobs: Jobs = None,
    dask: Dask = None,
    dask_local: DaskLocal = None,
    timeout: Timeout = None,
    dry_run: WithoutRuns = False,
    plot: Plot = None,
) -> None:
    """Search for the best plan and show what it is worth."""
    from churnsim.studies.optimisation import Optimisation
    from churnsim.studies.reading import read_record
    from churnsim.studies.sweeping import default_folder

    where = one_way(session, jobs, dask, dask_local)
    asked = read_record(study, Optimisation, session.lang)
    folder = out or default_folder(asked.study)
    check_folders(session, folder, plot)
    # What searches is imported when the study is known to make sense: it takes seconds.
    from churnsim.cli.progress import shown
    from churnsim.studies.optimise import kept_in
    from churnsim.studies.optimise import optimise as searched
    from churnsim.studies.optimum import as_json
    from churnsim.studies.plain import write_json

    with analysing(session):
        kept = kept_in(asked, folder)
    if not session.quiet:
        _print_plan(session, asked)
        if kept:
            session.print(session.say("optimise.kept", runs=session.count("run", kept), folder=folder))
    if dry_run:
        if session.json:
            session.emit({"study": asked.name, "runs": asked.most_runs, "done": kept, "out": str(folder)})
        return
    with at_work(session, folder), analysing(session), shown(session) as report:
        answer = searched(asked, folder, jobs, report, dask=where, timeout=timeout, notice=noticed(session))
    data = as_json(answer)
    files = [ANSWER]
    with saving(session, folder):
        write_json(data, folder / ANSWER)
        if answer.flips is not None:
            answer.flips.to_csv(folder / "futures.csv", index=False)
            files.append("futures.csv")
    figures = [] if plot is None else save_figures(session, plot, _drawn(session, answer))
    if not session.quiet:
        print_answer(session, answer)
    if answer.failures is not None:
        print_causes(session, answer.failures)
        session.note(session.say("optimise.failed", lost=answer.lost, fresh=asked.search.fresh))
    print_files(session, folder, files, plot, figures)
    if session.json:
        session.emit({**data, "out": str(folder)})
    if answer.failures is not None:
        raise typer.Exit(PARTLY_FAILED)


def _print_plan(session: Session, asked: Optimisation) -> None:
    """Say what is searched."""
    title = asked.title[session.lang] if asked.title else asked.name
    firm = asked.market.firms[asked.firm].name[session.lang]
    session.print(session.say("optimise.heading", name=title, firm=firm, levers=len(asked.levers),
                              uncertain=len(asked.futures)), style="bold")  # fmt: skip
    effort = asked.search
    session.print(
        session.say(
            "optimise.effort", candidates=effort.population * effort.generations, futures=effort.futures,
            finalists=effort.finalists, fresh=effort.fresh, runs=session.count("run", asked.most_runs),
        )
    )  # fmt: skip


def print_answer(session: Session, answer: Optimum) -> None:
    """Print the plans, how they compare, what the search promised, and when the answer flips."""
    from churnsim.i18n import percent
    from churnsim.studies.optimisation import NOTHING, OWN

    study = answer.study
    session.print("")
    several = len(answer.front) > 1
    for place, one in enumerate(answer.front):
        assert one.plan is not None
        session.print(session.say("optimise.plan_of", n=place + 1) if several else session.say("optimise.best"),
                      style="bold")  # fmt: skip
        for name, value in one.plan.items():
            session.print("  " + session.joined([label_of(study, name, session.lang), _value(value)], "colon"))
        for name in study.objectives:
            write = writer(study, name, session.lang)
            told = one.objectives[name]
            session.print("  " + session.say("optimise.worth", objective=name, value=write(told.value),
                                             low=write(told.low), high=write(told.high)))  # fmt: skip
            for other in (NOTHING, OWN):
                gain, share = one.gains[other][name]
                session.print("    " + session.say(
                    "optimise.against", other=session.say(f"optimise.{other}"), gain=write(gain.value),
                    low=write(gain.low), high=write(gain.high), share=percent(share)), style="dim")  # fmt: skip
            real = one.gains[NOTHING][name][0].value
            session.print("    " + session.say("optimise.optimism", promised=write(one.promised[name]),
                                               real=write(real)), style="dim")  # fmt: skip
        for text, held in one.fulfilled.items():
            session.print("  " + session.say("optimise.required", text=text, share=percent(held.value),
                                             low=percent(held.low), high=percent(held.high)))  # fmt: skip
    _print_others(session, answer)
    session.print("")
    session.print(session.joined([session.say("tournament.answer"), sentence(session, answer)], "colon"), style="bold")
    if answer.flip is not None:
        session.print(flip_sentence(session, answer), style="bold")
        _print_limits(session, answer)
    elif study.discover is not None:
        session.print(session.say("optimise.flip_lost"), style="red")
    session.print("")


def _print_others(session: Session, answer: Optimum) -> None:
    """Print what doing nothing and the scenario's own plan are worth."""
    for other, one in answer.others.items():
        told = []
        for name in answer.study.objectives:
            write, value = writer(answer.study, name, session.lang), one.objectives[name]
            told.append(session.say("optimise.worth", objective=name, value=write(value.value), low=write(value.low),
                                    high=write(value.high)))  # fmt: skip
        session.print(session.joined([session.say(f"optimise.{other}"), session.joined(told, "semicolon")], "colon"))


def sentence(session: Session, answer: Optimum) -> str:
    """Return the answer in a sentence: whether the best plan beats doing nothing."""
    name = next(iter(answer.study.objectives))
    write = writer(answer.study, name, session.lang)
    gain, _ = answer.best.gains["nothing"][name]
    own, _ = answer.best.gains["own"][name]
    first = "better" if gain.low > 0 else "worse" if gain.high < 0 else "equal"
    second = "own_better" if own.low > 0 else "own_worse" if own.high < 0 else "own_equal"
    said = " ".join(
        session.say(f"optimise.{key}", gain=write(abs(told.value))) for key, told in ((first, gain), (second, own))
    )
    return said if len(answer.study.objectives) == 1 else f"({name}) {said}"


def flip_sentence(session: Session, answer: Optimum) -> str:
    """Return what must be true for the answer to flip."""
    from churnsim.i18n import percent

    flip, study = answer.flip, answer.study
    assert flip is not None and study.discover is not None
    other = session.say(f"optimise.{study.discover.against}")
    if flip.base in (0, 1):
        return session.say("optimise.always" if flip.base else "optimise.never", other=other)
    if not flip.found:
        return session.say("optimise.no_box", other=other, share=percent(flip.base))
    limits = session.say("optimise.and").join(limit_text(session, study, limit) for limit in flip.chosen.limits)
    return session.say("optimise.flips", other=other, share=percent(flip.base), limits=limits,
                       density=percent(flip.honest), coverage=percent(flip.chosen.coverage))  # fmt: skip


def limit_text(session: Session, study: Optimisation, limit: Any) -> str:
    """Return one side condition in words."""
    name = label_of(study, limit.name, session.lang)
    if limit.kept is not None:
        return session.joined([name, session.joined(map(str, limit.kept), "enumeration")], "colon")
    if limit.low is not None and limit.high is not None:
        return session.say("optimise.between", name=name, low=_value(limit.low), high=_value(limit.high))
    if limit.low is not None:
        return session.say("optimise.above", name=name, low=_value(limit.low))
    return session.say("optimise.below", name=name, high=_value(limit.high))


def _print_limits(session: Session, answer: Optimum) -> None:
    """Print how sure the limits are."""
    from churnsim.i18n import percent

    assert answer.flip is not None
    for limit in answer.flip.chosen.limits if answer.flip.found else ():
        chance = f"{limit.quasi_p:.2g}" if limit.quasi_p >= 1e-3 else "< 0.001"
        session.print("  " + session.say("optimise.limit", text=limit_text(session, answer.study, limit),
                                         chance=chance, share=percent(limit.reproduced)), style="dim")  # fmt: skip


def label_of(study: Optimisation, name: str, lang: str) -> str:
    """Return how people call a lever or an uncertain factor."""
    from churnsim.studies.labels import label_of as labelled

    return labelled(study.market, name, lang)


def _value(value: Any) -> str:
    """Return a lever's value to be read."""
    from churnsim.cli.verify import plain

    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return plain(float(f"{value:.3g}"))


def writer(study: Optimisation, objective: str, lang: str) -> Callable[[float], str]:
    """Return how values of an objective are written."""
    from churnsim.cli.verify import plain
    from churnsim.dealing_measures import PER_FIRM
    from churnsim.i18n import money, percent

    measures = [PER_FIRM.get(term.measure) for term in study.outcomes[list(study.objectives).index(objective)].terms]
    if measures and all(one is not None and one.unit.startswith("currency") for one in measures):
        return lambda value: money(value, study.market.currency, lang)
    if measures and all(one is not None and one.is_rate for one in measures):
        return lambda value: percent(value, 1)
    return plain


def _drawn(session: Session, answer: Optimum) -> dict[str, Axes]:
    """Draw the front, and how well the futures in which the answer flips are told apart; return figures by name."""
    from churnsim.plots import About
    from churnsim.plots import optimisation as pictures
    from churnsim.studies.comparing import measure_in
    from churnsim.studies.labels import outcome_label
    from churnsim.studies.optimum import front_frame

    study, lang = answer.study, session.lang
    axes: dict[str, Axes] = {}
    market = study.market
    said = {name: outcome_label(market, name, text, lang) for name, text in study.objectives.items()}
    measures = {name: measure for name, text in study.objectives.items() if (measure := measure_in(text))}
    about = About(market.tick, market.currency)
    if len(study.objectives) > 1:
        axes["front"] = pictures.front(
            front_frame(answer), list(study.objectives)[:2], labels=said, measures=measures, about=about, lang=lang
        )
    else:
        rows, name = gain_rows(session, answer), next(iter(study.objectives))
        rows["objective"] = said[name]
        axes["gain"] = pictures.gains(rows, measure=measures.get(name), about=about, lang=lang)
    if answer.flip is not None and answer.flips is not None:
        axes["tradeoff"] = pictures.tradeoff(answer.flip.frame(), answer.flip.base, lang=lang)
        labels = {name: label_of(study, name, lang) for name in study.futures}
        if len(answer.flips.select_dtypes("number").columns) > 2:  # two factors, and how often the plan is worse
            axes["box"] = pictures.box(answer.flips, answer.flip.chosen.limits, labels, lang=lang)
    return axes


def gain_rows(session: Session, answer: Optimum) -> Any:
    """Return what the best plan gains over the two others, for a figure: other, mean, low, high, promised."""
    import pandas as pd

    best: Judged = answer.best
    name = next(iter(answer.study.objectives))
    rows = [
        {"other": session.say(f"optimise.{other}"), "mean": gains[name][0].value, "low": gains[name][0].low,
         "high": gains[name][0].high, "promised": best.promised[name] if other == "nothing" else float("nan"),
         "objective": name}
        for other, gains in best.gains.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)

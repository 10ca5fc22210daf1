"""``churnsim lesson``: show a lesson, let its reader predict, run it, and check its claims."""

from __future__ import annotations

import string
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.cli.session import FAILED, BadInputError, Session, command, helped

if TYPE_CHECKING:
    from churnsim.lessons import Experiment, Lesson

SHOWN_SEEDS, CHECKED_SEEDS = "20", "200"
ALL = "all"
WIDTH = 100
"""Columns over which prose is set."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "lesson")(lesson)


def lesson(
    session: Session,
    name: Annotated[str | None, typer.Argument(metavar="ID|all", help=helped("lesson_id"), show_default=False)] = None,
    check: Annotated[bool, typer.Option("--check", help=helped("lesson_check"))] = False,
    seeds: Annotated[str | None, typer.Option("--seeds", metavar="N|A-B", help=helped("seeds_lesson"))] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", metavar="K", min=1, help=helped("jobs"))] = None,
) -> None:
    """Show a lesson, or check its claims."""
    from churnsim.cli.options import read_seeds
    from churnsim.config.errors import ScenarioError
    from churnsim.lessons import lesson_ids, load_lesson

    numbers = read_seeds(session, seeds or (CHECKED_SEEDS if check else SHOWN_SEEDS))
    names = lesson_ids() if name in (None, ALL) else [str(name)]
    try:
        lessons = [load_lesson(each) for each in names]
        for each in lessons:
            for experiment in each.experiments:
                _ = experiment.plan
    except ScenarioError as error:
        if name and error.errors[0].code == "no_lesson":
            raise unknown_lesson(session, name) from None
        raise ScenarioError(error.errors, error.sources, session.lang) from None
    if check:
        _check(session, lessons, numbers, jobs)
    elif name is None:
        _list(session, lessons)
    else:
        answers = [_shown(session, each, numbers, jobs) for each in lessons]
        if session.json:
            session.emit({"lessons": answers})


def unknown_lesson(session: Session, name: str) -> BadInputError:
    """Return what tells that there is no such lesson, and which there are."""
    from churnsim.config.errors import nearest
    from churnsim.lessons import lesson_ids

    near = nearest(name, lesson_ids())
    said = session.say("lesson.near", near=near) if near else ""
    return BadInputError(session.say("lesson.unknown", name=name, near=said, names=", ".join(lesson_ids())))


def _list(session: Session, lessons: Sequence[Lesson]) -> None:
    """List the lessons."""
    from rich.table import Table

    lang = session.lang
    if session.json:
        session.emit({"lessons": [_about(each, lang) for each in lessons]})
        return
    table = Table.grid(padding=(0, 2), pad_edge=False)
    for column in range(4):
        table.add_column(justify="right" if column == 0 else "left", no_wrap=column < 2)
    for each in lessons:
        minutes = session.say("lesson.minutes", n=each.teacher.minutes)
        table.add_row(str(each.number), each.id, each.title[lang], minutes)
    session.print(table)


def _about(each: Lesson, lang: str) -> dict[str, Any]:
    """Return what a lesson is, as plain data."""
    prediction = each.prediction
    return {
        "id": each.id,
        "number": each.number,
        "title": each.title[lang],
        "question": each.question[lang],
        "prediction": {
            "prompt": prediction.prompt[lang],
            "options": [{"id": option.id, "text": option.text[lang]} for option in prediction.options],
            "answer": prediction.answer,
        },
        "claims": [{"id": claim.id, "text": claim.text[lang]} for one in each.experiments for claim in one.plan.claims],
    }


def _shown(session: Session, each: Lesson, seeds: list[int], jobs: int | None) -> dict[str, Any]:
    """Print a lesson from question to teacher's notes, with its runs; return it as plain data."""
    lang, say = session.lang, session.say
    if not session.quiet:
        session.print(say("lesson.heading", number=each.number, title=each.title[lang]), style="bold")
    _prose(session, "lesson.course", each.course[lang])
    _prose(session, "lesson.question", each.question[lang])
    bet = _predicted(session, each)
    parts = [_played(session, each, experiment, seeds, jobs, bet) for experiment in each.experiments]
    _prose(session, "lesson.explain", each.explanation[lang])
    for key in ("say", "ask", "caution"):
        _prose(session, f"lesson.{key}", getattr(each.teacher, key)[lang])
    if not session.quiet:
        session.print("")
        session.prose(say("lesson.limits"), "dim", width=WIDTH)
        session.print(say("lesson.next", id=each.id, scenario=each.main.scenario), style="dim")
    return {**_about(each, lang), "experiments": parts}


def _prose(session: Session, key: str, words: str) -> None:
    """Print a heading and a paragraph that is broken to a readable width."""
    if session.quiet:
        return
    session.print("")
    session.print(session.say(key), style="bold")
    session.prose(words, lead="  ", width=WIDTH)


def _predicted(session: Session, each: Lesson) -> str | None:
    """Print the prediction; ask for an answer where somebody sits at a terminal, and return its id."""
    if session.quiet:
        return None
    lang, prediction = session.lang, each.prediction
    letters = string.ascii_lowercase[: len(prediction.options)]
    _prose(session, "lesson.predict", prediction.prompt[lang])
    for letter, option in zip(letters, prediction.options, strict=True):
        session.prose(option.text[lang], lead=f"    {letter}  ", width=WIDTH)
    if session.json or not (sys.stdin.isatty() and session.console().is_terminal):
        return None
    while True:
        try:
            said = (
                session.console().input(f"  {session.say('lesson.bet', letters=', '.join(letters))} ").strip().lower()
            )
        except EOFError:
            return None
        if not said:
            return None
        if said in letters:
            chosen = prediction.options[letters.index(said)]
            session.prose(session.say("lesson.your", text=chosen.text[lang]), lead="  ", width=WIDTH)
            return chosen.id


def _played(
    session: Session, each: Lesson, experiment: Experiment, seeds: list[int], jobs: int | None, bet: str | None
) -> dict[str, Any]:
    """Run one experiment of a lesson and print what is compared; return it as plain data."""
    from rich.table import Table

    from churnsim.cli.options import name_seeds
    from churnsim.cli.progress import shown
    from churnsim.i18n import percent, text
    from churnsim.lessons import chosen, compared, written
    from churnsim.lessons.checking import runs

    lang, plan = session.lang, experiment.plan
    title = experiment.title[lang] if experiment.title else plan.title[lang]
    if not session.quiet:
        session.print("")
        session.print(session.say("lesson.run", title=title), style="bold")
        about = session.say(
            "lesson.scenario",
            scenario=experiment.scenario,
            customers=session.count("customer", plan.customers.count),
            ticks=session.ticks(plan.tick, plan.horizon),
            seeds=session.count("seed", len(seeds), n=name_seeds(seeds)),
        )
        session.prose(about, lead="  ", width=WIDTH)
        arms = text("plot.flags_joined", lang).join(title[lang] for title in experiment.titles().values())
        session.prose(session.say("lesson.arms", arms=arms), lead="  ", width=WIDTH)
    with shown(session) as report:
        result = runs(each, experiment, seeds, jobs=jobs, progress=report)
    rows = compared(experiment, result)
    table = Table.grid(padding=(0, 2), pad_edge=False)
    for row in rows:
        mean, low, high = (written(row[name], row["unit"], plan.currency, lang) for name in ("mean", "low", "high"))
        table.add_row(
            f"  {row['label'][lang]}", mean, f"({low} \N{HORIZONTAL ELLIPSIS} {high})" if len(seeds) > 1 else ""
        )
    answer: dict[str, Any] = {}
    if not session.quiet:
        session.print(table)
        if len(seeds) > 1:
            said = session.say("lesson.brackets", runs=session.count("run", len(seeds)))
            session.prose(said, "dim", lead="  ", width=WIDTH)
    if experiment is each.main:
        fractions = chosen(each, result)
        best = max(fractions, key=fractions.__getitem__)
        answer = {"right": fractions}
        if not session.quiet:
            _answered(session, each, best, percent(fractions[best]), bet)
    plain = [{**row, "label": row["label"][lang]} for row in rows]
    return {"scenario": experiment.scenario, "title": title, "table": plain, **answer}


def _answered(session: Session, each: Lesson, best: str, share: str, bet: str | None) -> None:
    """Print which answer came true, and whether that was the reader's."""
    session.print("")
    session.print(session.say("lesson.answer"), style="bold")
    said = session.say("lesson.right", share=share, text=each.prediction.option(best).text[session.lang])
    session.prose(said, lead="  ", width=WIDTH)
    if bet is not None:
        session.prose(session.say("lesson.you_right" if bet == best else "lesson.you_wrong"), lead="  ", width=WIDTH)


def _check(session: Session, lessons: Sequence[Lesson], seeds: list[int], jobs: int | None) -> None:
    """Check the claims of lessons, print the verdicts, and leave with an exit code that tells them."""
    from churnsim.cli.options import name_seeds
    from churnsim.cli.progress import shown
    from churnsim.cli.verify import print_claim
    from churnsim.lessons import check

    said = session.count("seed", len(seeds), n=name_seeds(seeds))
    answers: list[dict[str, Any]] = []
    for each in lessons:
        reported = {claim.id for one in each.experiments for claim in one.plan.claims if claim.is_only_reported}
        if not session.quiet:
            claims = session.count("claim", sum(len(one.plan.claims) for one in each.experiments))
            heading = session.say(
                "lesson.checked", id=each.id, title=each.title[session.lang], claims=claims, seeds=said
            )
            session.print(heading, style="bold")
        with shown(session) as report:
            verdicts = check(each, seeds, lang=session.lang, jobs=jobs, progress=report)
        for verdict in verdicts:
            if not session.quiet or not verdict["holds"]:
                print_claim(session, verdict, runs=len(seeds), reported=verdict["id"] in reported)
        answers.append({"id": each.id, "claims": verdicts})
    held = [verdict["holds"] for answer in answers for verdict in answer["claims"]]
    if session.json:
        session.emit({"lessons": answers})
    elif not session.quiet:
        named = session.count("lesson", len(lessons))
        session.print(session.say("lesson.sum", held=sum(held), all=len(held), lessons=named, seeds=said), style="bold")
    if not all(held):
        raise typer.Exit(FAILED)

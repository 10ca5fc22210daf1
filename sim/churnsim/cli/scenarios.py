"""``churnsim list``, ``show``, ``new`` and ``check``: what there is to run, and what it says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from churnsim.cli.folders import reason, why_no_file
from churnsim.cli.session import BAD_INPUT, BadInputError, Session, command, helped
from churnsim.i18n import text

if TYPE_CHECKING:
    from rich.table import Table

    from churnsim.cli.parameters import Parameter
    from churnsim.config.errors import Problem
    from churnsim.config.scenario import Move
    from churnsim.scenario import Scenario


STARTING_POINT = "two_hotels"
"""Scenario that a new one starts from where nothing else is said."""


MOST_TOLD = 3
"""Changed values that the question of a scenario from a workbook names."""

TABLE_WIDTH = 120
"""Columns that a table of parameters needs; on narrower terminals each has lines of its own."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "list")(list_all)
    command(app, "show")(show)
    command(app, "new")(new)
    command(app, "check")(check)


def list_all(session: Session) -> None:
    """List scenarios, strategies and measures, with one line each."""
    import churnsim as cs

    lang = session.lang
    plans = [cs.load(name) for name in cs.builtin_names()]
    listed = {
        "scenarios": [{"id": p.id, "title": p.title[lang], "about": p.question[lang]} for p in plans],
        "studies": _studies(lang),
        "strategies": [{"id": name, "about": _first_line(cls)} for name, cls in sorted(cs.STRATEGIES.items())],
        "firm_measures": _measures("firm", lang),
        "market_measures": _measures("market", lang),
        "ledger_measures": _measures("ledger", lang),
    }
    if session.json:
        session.emit(listed)
        return
    for kind, rows in listed.items():
        session.print(session.say(f"list.{kind}"), style="bold")
        session.print(_grid(rows))
        session.print("")


def _studies(lang: str) -> list[dict[str, str]]:
    """Return the published studies."""
    from churnsim.config.yaml_lines import read_source
    from churnsim.studies.library import study_folder, study_names

    listed = []
    for name in study_names():
        data = read_source(study_folder() / f"{name}.yaml", name).data  # type: ignore[operator]
        listed.append({"id": name, "title": data["title"][lang], "about": data["question"][lang]})
    return listed


def show(
    session: Session,
    scenario: Annotated[
        str | None, typer.Argument(metavar="SCENARIO", help=helped("scenario"), show_default=False)
    ] = None,
    diff: Annotated[str | None, typer.Option("--diff", metavar="OTHER", help=helped("diff"))] = None,
    schema: Annotated[bool, typer.Option("--schema", help=helped("schema"))] = False,
) -> None:
    """Show everything a scenario says."""
    import churnsim as cs
    from churnsim.cli.parameters import differences, parameters
    from churnsim.config.schema import scenario_schema

    if schema:
        # A schema is for editors: it is JSON whether or not --json is given.
        session.emit(scenario_schema())
        return
    if scenario is None:
        raise BadInputError(session.say("show.which"))
    plan = cs.load(scenario, lang=session.lang)
    if diff is not None:
        other = cs.load(diff, lang=session.lang)
        pairs = differences(plan, other)
        if session.json:
            found = [{"path": path, "value": mine, "other": theirs} for path, mine, theirs in pairs]
            session.emit({"scenario": plan.id, "other": other.id, "differences": found})
        else:
            _print_differences(session, plan, other, pairs)
        return
    rows = list(parameters(plan, session.lang))
    if session.json:
        session.emit(_as_json(plan, rows, session.lang))
    else:
        _print_scenario(session, plan, rows)


def new(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help=helped("new_name"), show_default=False)],
    source: Annotated[str | None, typer.Option("--from", metavar="SCENARIO", help=helped("new_from"))] = None,
    inputs: Annotated[Path | None, typer.Option("--inputs", metavar="FILE.xlsx", help=helped("inputs"))] = None,
) -> None:
    """Write a scenario file to start from."""
    import churnsim as cs
    from churnsim.cli.template import template

    stem = Path(name).stem if name.endswith((".yaml", ".yml")) else Path(name).name
    if not re.fullmatch(r"[a-z][a-z0-9_]*", stem):
        raise BadInputError(session.say("new.name", name=stem))
    if stem in cs.builtin_names():
        raise BadInputError(session.say("new.builtin", name=stem))
    target = Path(name) if name.endswith((".yaml", ".yml")) else Path(f"{name}.yaml")
    problem = why_no_file(target)
    if problem is not None:
        raise BadInputError(session.say("new.not_written", file=target, reason=problem))
    if target.exists():
        raise BadInputError(session.say("new.exists", file=target))
    if inputs is not None:
        written = _from_workbook(session, inputs, source, stem)
    else:
        base = source or STARTING_POINT
        written = template(stem, base, cs.load(base, lang=session.lang), session)
    try:
        target.write_text(written, encoding="utf-8")
    except OSError as error:
        raise BadInputError(session.say("new.not_written", file=target, reason=reason(error))) from None
    if session.json:
        session.emit({"file": str(target)})
    else:
        session.print(session.say("new.written", file=shlex.quote(str(target))))


def _from_workbook(session: Session, file: Path, name: str | None, stem: str) -> str:
    """Return a scenario of a report's workbook as a file, with the values that were changed there."""
    from churnsim.config.errors import ScenarioError
    from churnsim.report.needs import MissingExtraError
    from churnsim.report.reading import WorkbookError, cells_in, scenarios_in
    from churnsim.scenario import BASE_ARM

    try:
        found = scenarios_in(file)
    except MissingExtraError as error:
        raise BadInputError(session.say("report.missing", package=error.package, extra=error.extra)) from None
    except WorkbookError as error:
        raise BadInputError(session.say("new.inputs_unreadable", file=file, reason=error)) from None
    edited = [each for each, (_, changes) in found.items() if changes]
    if name is None and len(edited) > 1:
        raise BadInputError(session.say("new.inputs_several", names=", ".join(edited)))
    if name is None:
        # A changed column wins; otherwise the scenario itself, or what the report has in the foreground.
        name = edited[0] if edited else BASE_ARM if BASE_ARM in found else list(found)[:2][-1]
    if name not in found:
        raise BadInputError(session.say("new.inputs_column", name=name, names=", ".join(found)))
    scenario, changes = found[name]
    try:
        changed = scenario.set(changes)
    except ScenarioError as error:
        places = cells_in(file, name)
        problems = [_in_its_cell(session, file, problem, places) for problem in error.errors]
        raise ScenarioError(problems, error.sources, session.lang) from None
    if not session.quiet:
        session.note(session.say("new.inputs_changed", n=len(changes), name=name))
    told = _told(scenario, stem, changes) if changes else {}
    return changed.named(stem).model_copy(update={"id": stem, **told}).to_yaml()


def _in_its_cell(session: Session, file: Path, problem: Problem, places: Mapping[str, tuple[str, str]]) -> Problem:
    """Return a problem with the cell of the workbook that it is in, which may hold a part of what is wrong."""
    whole = (path for path in places if path == problem.path or path.startswith(f"{problem.path}."))
    place = places.get(problem.path) or places.get(next(whole, ""))
    if place is None:
        return replace(problem, file=str(file))
    return replace(problem, file=session.say("new.inputs_place", file=file, sheet=place[0], cell=place[1]))


def _told(scenario: Scenario, stem: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return title and question of a scenario that was changed in a workbook, which the old ones no longer fit."""
    from churnsim.i18n import LANGUAGES
    from churnsim.studies.labels import label_of
    from churnsim.tables import parameters

    before = parameters(scenario)
    title, question = {}, {}
    for lang in LANGUAGES:
        said = text("cli.semicolon", lang).join(
            text("cli.new.inputs_change", lang, what=label_of(scenario, path, lang), now=value, before=before.get(path))
            for path, value in list(changes.items())[:MOST_TOLD]
        )
        more = len(changes) - MOST_TOLD
        said += text("cli.new.inputs_more", lang, n=more) if more > 0 else ""
        title[lang] = text("cli.new.inputs_title", lang, title=scenario.title[lang], name=stem.replace("_", " "))
        question[lang] = text("cli.new.inputs_question", lang, changes=said)
    kind = type(scenario.title)
    return {"title": kind(**title), "question": kind(**question)}


def check(
    session: Session,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help=helped("files"), show_default=False)],
) -> None:
    """Check scenario files and report everything that is wrong."""
    import churnsim as cs

    answers = []
    for file in files:
        try:
            plan = cs.load(file, lang=session.lang)
        except cs.ScenarioError as error:
            answers.append({"file": file, "errors": [problem.as_dict(session.lang) for problem in error.errors]})
            session.note(error.render(session.lang))
        else:
            answers.append({"file": file, "errors": []})
            if not session.quiet:
                session.print(session.say("check.fine", file=file, scenario=plan.id))
    if session.json:
        session.emit({"files": answers})
    if any(answer["errors"] for answer in answers):
        raise typer.Exit(BAD_INPUT)


def _measures(scope: Literal["firm", "market", "ledger"], lang: str) -> list[dict[str, str]]:
    """Return the measures of one scope as plain data."""
    from churnsim.metrics import measures

    return [
        {"id": name, "title": measure.label[lang], "unit": measure.unit, "about": measure.formula}
        for name, measure in measures(scope).items()
    ]


def _first_line(thing: Any) -> str:
    """Return the first line of a docstring."""
    return (thing.__doc__ or "").strip().partition("\n")[0]


def _grid(rows: list[dict[str, str]]) -> Any:
    """Lay out dictionaries of texts as a table without lines."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2), pad_edge=False)
    for column in rows[0]:
        table.add_column(no_wrap=column == "id", overflow="fold")
    for row in rows:
        table.add_row(*(f"  {cell}" if i == 0 else cell for i, cell in enumerate(row.values())))
    return table


def _print_scenario(session: Session, plan: Scenario, rows: list[Parameter]) -> None:
    """Print a scenario: what it asks, every value, its moves, arms, claims and sources."""
    from churnsim.cli.parameters import shown, source_of
    from churnsim.config.units import in_its_trade, unit_told

    lang = session.lang
    session.print(f"{plan.title[lang]}  [{plan.id}]  {plan.id_hash}", style="bold")
    session.print(plan.question[lang])
    session.print("")
    if session.console().width < TABLE_WIDTH:
        for row in rows:
            session.print(
                f"{row.path}  {shown(row.raw, digits=6)}  {unit_told(row.unit, plan, lang)}",
                style="bold" if row.given else None,
            )
            source = source_of(row, session.lang)
            label = in_its_trade(row.label, plan)
            about = f"{label} ({session.say(row.origin_key)}; {source})" if source else label
            session.print(f"      {about}", style="dim")
    else:
        session.print(_parameter_table(session, plan, rows))
    _print_list(session, "show.moves", [_move_line(session, plan, move) for move in plan.moves])
    controls = {True: f" ({session.say('show.control')})", False: ""}
    _print_list(session, "show.arms", [f"{n}: {a.title[lang]}{controls[a.control]}" for n, a in plan.arms.items()])
    _print_list(session, "show.claims", [f"{claim.id}: {claim.text[lang]}" for claim in plan.claims])
    _print_list(session, "show.sources", [source[lang] for source in plan.sources])


def _parameter_table(session: Session, plan: Scenario, rows: list[Parameter]) -> Table:
    """Return every value with its unit, meaning, origin and source, side by side."""
    from rich.table import Table

    from churnsim.cli.parameters import shown, source_of
    from churnsim.config.units import in_its_trade, unit_told

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left")
    for column in ("path", "value", "unit", "label", "origin", "source"):
        table.add_column(session.say(f"show.{column}"), overflow="fold", no_wrap=column in ("path", "value"))
    for row in rows:
        style = "bold" if row.given else None
        unit = unit_told(row.unit, plan, session.lang)
        told = (in_its_trade(row.label, plan), session.say(row.origin_key), source_of(row, session.lang))
        table.add_row(row.path, shown(row.raw, digits=6), unit, *told, style=style)
    return table


def _print_list(session: Session, key: str, lines: list[str]) -> None:
    """Print a heading and what stands below it, if anything does."""
    if lines:
        session.print("")
        session.print(session.say(key), style="bold")
        for line in lines:
            session.print(f"  {line}")


def _move_line(session: Session, plan: Scenario, move: Move) -> str:
    """Return a move in one line."""
    changes = "  ".join(f"{path} = {value}" for path, value in move.changes.items())
    tick = text(f"tick.{plan.tick}.name", session.lang).lower()
    note = f"  ({move.note[session.lang]})" if move.note else ""
    return session.say("show.move", tick=tick, number=move.tick, changes=changes) + note


def _print_differences(session: Session, plan: Scenario, other: Scenario, pairs: list[tuple[str, Any, Any]]) -> None:
    """Print the values in which two scenarios differ."""
    from rich.table import Table

    if not pairs:
        session.print(session.say("show.same", scenario=plan.id, other=other.id))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in (session.say("show.path"), plan.id, other.id):
        table.add_column(column, overflow="fold")
    for path, mine, theirs in pairs:
        table.add_row(path, *(session.say("show.absent") if value is None else str(value) for value in (mine, theirs)))
    session.print(table)


def _as_json(plan: Scenario, rows: list[Parameter], lang: str) -> dict[str, Any]:
    """Return a scenario as the JSON answer of ``churnsim show``."""
    return {
        "scenario": plan.id,
        "id": plan.id_hash,
        "title": plan.title[lang],
        "question": plan.question[lang],
        "parameters": [row.as_dict() for row in rows],
        "moves": [{"tick": move.tick, "changes": move.changes} for move in plan.moves],
        "arms": [{"id": n, "title": arm.title[lang], "control": arm.control} for n, arm in plan.arms.items()],
        "claims": [{"id": claim.id, "text": claim.text[lang]} for claim in plan.claims],
        "sources": [source[lang] for source in plan.sources],
    }

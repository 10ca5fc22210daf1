"""``churnsim concepts``: the concepts of the course, with what embodies and checks each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer

from churnsim.cli.session import Session, command

if TYPE_CHECKING:
    from churnsim.concepts import Concept


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "concepts")(concepts)


def concepts(session: Session) -> None:
    """List the concepts of the course."""
    from churnsim.concepts import load_concepts

    found = load_concepts()
    complete = sum(not concept.problems() for concept in found)
    if session.json:
        rows = [_as_json(concept, session.lang) for concept in found]
        session.emit({"concepts": rows, "complete": complete, "of": len(found)})
        return
    for section, members in itertools.groupby(found, key=lambda concept: concept.section):
        session.print(f"{section.id} {section.title[session.lang]}", style="bold")
        session.print(_table(session, members))
        session.print("")
    session.print(session.say("concepts.complete", n=complete, of=len(found)))


def _as_json(concept: Concept, lang: str) -> dict[str, Any]:
    """Return a concept as plain data."""
    return {
        "id": concept.id,
        "section": concept.section.id,
        "name": concept.name[lang],
        "says": concept.says[lang],
        "embodied": [str(reference) for reference in concept.embodied],
        "checked": [str(reference) for reference in concept.checked],
        "planned": [str(reference) for reference in concept.planned],
        "reason": None if concept.reason is None else concept.reason[lang],
        "complete": not concept.problems(),
    }


def _table(session: Session, members: Iterable[Concept]) -> Any:
    """Lay out the concepts of one section."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for column in ("id", "name", "embodied", "checked"):
        table.add_column(session.say(f"concepts.{column}"), no_wrap=column == "id", overflow="fold")
    for concept in members:
        embodied = [str(reference) for reference in concept.embodied]
        checked = [str(reference) for reference in concept.checked]
        for reference in concept.planned:
            (checked if reference.checks else embodied).append(session.say("concepts.planned", what=reference))
        if concept.reason is not None:
            key = "concepts.partly" if concept.is_simulated else "concepts.reason"
            embodied.append(session.say(key, why=concept.reason[session.lang]))
        table.add_row(concept.id, concept.name[session.lang], "\n".join(embodied), "\n".join(checked))
    return table

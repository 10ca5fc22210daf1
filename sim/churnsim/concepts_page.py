"""The page of concepts, made of the catalogue: ``python -m churnsim.concepts_page docs/concepts.md``."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable
from pathlib import Path

from churnsim.concepts import Concept, load_concepts
from churnsim.references import Reference

ROOT = "../"
"""From the page to the root of the source tree."""

SHORT = ("churnsim.mechanisms.", "churnsim.", "tests/")
"""What a reference's name begins with and a reader can do without."""


def page() -> str:
    """Return the page as Markdown."""
    concepts = load_concepts()
    parts = [_introduction(concepts)]
    for section, members in itertools.groupby(concepts, key=lambda concept: concept.section):
        rows = "\n".join(_row(concept) for concept in members)
        parts.append(
            f"## {section.id} {section.title.en} {section.title.zh}\n\n"
            "| id | concept | the course says | embodied by | checked by |\n|---|---|---|---|---|\n"
            f"{rows}\n"
        )
    return "\n".join(parts)


def _introduction(concepts: tuple[Concept, ...]) -> str:
    """Return what stands above the tables; the counts are those of the catalogue."""
    complete = [concept for concept in concepts if not concept.problems()]
    text_only = [concept for concept in concepts if not concept.is_simulated]
    lines = [
        "# Concepts 概念",
        "",
        "<!-- Made by `make docs` from sim/churnsim/data/concepts.yaml; edit that file, not this one. -->",
        "",
        f"**{len(complete)} of {len(concepts)}** concepts of the course are accounted for: each names what embodies it",
        "in the simulation and the test or claim that checks it, and `tests/test_concepts.py` looks every name up.",
        f"{len(text_only)} of them are text only and say why; a detail of some others is left out for a given reason.",
        "Two anecdotes of the course stand for no concept and are left out altogether: a quotation of Covey and the",
        "forecasting of Lei Feng caps. The numbers are the course's own; some of them contradict each other, so that",
        "scenarios carry them as presets and claims and the rules of the model do not. `churnsim concepts` prints the",
        "list in English or Chinese.",
        "",
    ]
    if len(complete) < len(concepts):
        lines += ["*Planned* marks what does not exist yet.", ""]
    return "\n".join(lines)


def _row(concept: Concept) -> str:
    """Return one concept's line of a table."""
    cells = [concept.id, f"{concept.name.en} {concept.name.zh}", concept.says.en]
    for role in ("embodied", "checked"):
        cell = _listed(getattr(concept, role))
        planned = _listed(reference for reference in concept.planned if reference.checks == (role == "checked"))
        cells.append("<br>".join(part for part in (cell, planned and f"*planned:*<br>{planned}") if part))
    if concept.reason is not None:
        what = "In part only" if concept.is_simulated else "Not simulated"
        cells[-2] = "<br>".join(part for part in (cells[-2], f"*{what}:* {concept.reason.en}") if part)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') or '–' for cell in cells)} |"


def _listed(references: Iterable[Reference]) -> str:
    """Return references below each other."""
    return "<br>".join(_linked(reference) for reference in references)


def _linked(reference: Reference) -> str:
    """Return a reference as a link to its file, where there is one."""
    name = reference.name
    for beginning in SHORT:
        name = name.removeprefix(beginning)
    shown = f"{reference.kind} `{name.replace('.py::', '::')}`"
    file = reference.file()
    return f"[{shown}]({ROOT}{file})" if file else shown


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")

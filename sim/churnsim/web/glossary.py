"""The course's concepts as the pages show them: what the course says, and where a visitor can see each of them here."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from churnsim.concepts import load_concepts
from churnsim.config.loading import builtin_names
from churnsim.i18n import LANGUAGES, has_text, text
from churnsim.lessons import lesson_ids, load_lesson
from churnsim.studies.labels import label_of
from churnsim.web.catalogue import Catalogue, levers

if TYPE_CHECKING:
    from churnsim.references import Reference

SCENARIO = "two_hotels"
"""Whose levers tell what parameters and mechanisms are called."""

LEVEL = "basic"
"""Stands for any of the relationship levels."""


@cache
def glossary() -> list[dict[str, Any]]:
    """Return every concept, in the catalogue's order.

    Returns
    -------
    list of dict
        ``id``, ``section`` (id and title), ``name``, ``says``, ``reason`` (why it is not simulated, or None), ``of``
        (what embodies it, as ``kind:name``, so that a page finds the concepts of what it shows), ``shown`` (those that
        have a name for visitors: ``kind`` and ``label``) and ``lessons`` (ids). Texts are in both languages.
    """
    lessons: dict[str, list[str]] = {}
    for lesson in map(load_lesson, lesson_ids()):
        for concept in lesson.concepts:
            lessons.setdefault(concept, []).append(lesson.id)
    labels = _labels()
    return [
        {
            "id": concept.id,
            "section": {"id": concept.section.id, "title": concept.section.title.model_dump()},
            "name": concept.name.model_dump(),
            "says": concept.says.model_dump(),
            "reason": concept.reason and concept.reason.model_dump(),
            "of": [str(reference) for reference in concept.embodied],
            "shown": [
                {"kind": reference.kind, "name": reference.name, "label": label}
                for reference in concept.embodied
                if (label := _label(reference, labels))
            ],
            "lessons": lessons.get(concept.id, []),
        }
        for concept in load_concepts()
    ]


def _labels() -> dict[str, dict[str, str]]:
    """Return what parameters and mechanisms are called, by reference; a firm's are those of any firm."""
    scenario = Catalogue().scenario(SCENARIO)
    found = {}
    for lever in levers(scenario):
        path, owner = lever["path"], lever["owner"]
        path = path.replace(f"firms.{owner}.", "firms.*.", 1)
        kind, name = ("mechanism", path.removeprefix("mechanisms.")) if owner == "mechanisms" else ("parameter", path)
        found[f"{kind}:{name}"] = dict(lever["label"])
    return found


def _label(reference: Reference, labels: dict[str, dict[str, str]]) -> dict[str, str] | None:
    """Return what a part of the model is called in both languages; None for what has a name in the code only."""
    if reference.kind == "scenario":
        return Catalogue().scenario(reference.name).title.model_dump() if reference.name in builtin_names() else None
    # A lever of an action is the setting of a firm that bears its name.
    known = f"parameter:firms.*.{reference.name}" if reference.kind == "lever" else str(reference)
    if known in labels:
        return labels[known]
    if reference.kind == "parameter":
        path = reference.name.replace("relationship_levels.*", f"relationship_levels.{LEVEL}")
        told = {lang: label_of(Catalogue().scenario(SCENARIO), path, lang) for lang in LANGUAGES}
        return told if path not in told.values() else None
    for key in (f"{reference.kind}.{reference.name}", f"{reference.kind}.firm.{reference.name}"):
        if has_text(key):
            return {lang: text(key, lang) for lang in LANGUAGES}
    return None

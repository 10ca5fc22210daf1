"""The concepts of the course: what the course says, what embodies each one here, and what checks it.

They are listed in ``data/concepts.yaml``; every reference there is looked up in the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from churnsim.config.firms import Text
from churnsim.config.yaml_lines import read_source
from churnsim.references import Reference

NOT_SIMULATED = frozenset({"S64", "S117"})
"""Concepts that are nothing but text: a reason stands for what would embody and check them."""
PARTLY_SIMULATED = frozenset({"S93", "S114", "S116"})
"""Concepts of which a detail is left out: a reason stands beside what embodies and checks the rest."""

KEYS = ("name", "says", "embodied", "checked", "planned", "reason")
ROLES = ("embodied", "checked")


@dataclass(frozen=True)
class Section:
    """A part of the catalogue of concepts."""

    id: str
    title: Text


@dataclass(frozen=True)
class Concept:
    """One concept of the course.

    Attributes
    ----------
    id : str
        ``S1`` to ``S117``.
    section : Section
        Where it stands in the catalogue.
    name : Text
        In both languages.
    says : Text
        What the course says, in a sentence; its numbers are the course's own.
    embodied : tuple of Reference
        What the concept is in the simulation.
    checked : tuple of Reference
        Tests and claims that show that it works.
    planned : tuple of Reference
        What will embody or check it and does not exist yet.
    reason : Text or None
        Why it, or a detail of it, is not simulated.
    """

    id: str
    section: Section
    name: Text
    says: Text
    embodied: tuple[Reference, ...] = ()
    checked: tuple[Reference, ...] = ()
    planned: tuple[Reference, ...] = ()
    reason: Text | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether the concept is more than text."""
        return self.id not in NOT_SIMULATED

    def problems(self) -> list[str]:
        """Return everything that is missing or leads nowhere; empty where the concept is complete."""
        found = [f"{text} has nothing in {lang}" for text in ("name", "says") for lang in self._blank(text)]
        for role in ROLES:
            references = getattr(self, role)
            found += [problem for reference in references if (problem := reference.problem())]
            found += [
                f"{reference}: a {reference.kind} does not stand under '{role}'"
                for reference in references
                if reference.checks != (role == "checked")
            ]
            if self.is_simulated and not references:
                found.append(f"nothing is {role}")
        for reference in self.planned:
            state = "planned" if reference.problem() else "planned, and exists by now: no longer only planned"
            found.append(f"{reference}: {state}")
        if self.reason is not None and self.id not in NOT_SIMULATED | PARTLY_SIMULATED:
            found.append("a reason does not stand for what embodies and checks it")
        if self.reason is None and not self.is_simulated:
            found.append("no reason why it is not simulated")
        return [f"{self.id} {self.name.en}: {problem}" for problem in found]

    def _blank(self, attribute: str) -> list[str]:
        """Languages in which a text is empty."""
        return [language for language in ("en", "zh") if not getattr(self, attribute)[language].strip()]


@cache
def load_concepts() -> tuple[Concept, ...]:
    """Return every concept, in the catalogue's order.

    Raises
    ------
    ScenarioError
        If the file is not YAML, or has a key twice.
    ValueError
        If an entry is not what a concept is made of.
    """
    file = Path(str(resources.files("churnsim") / "data" / "concepts.yaml"))
    concepts = []
    for section_id, part in read_source(file, file.name).data.items():
        section = Section(section_id, Text(**part["title"]))
        concepts += [_concept(key, section, entry) for key, entry in part["concepts"].items()]
    return tuple(concepts)


def _concept(key: str, section: Section, entry: dict[str, Any]) -> Concept:
    """Read one entry."""
    unknown = [name for name in entry if name not in KEYS]
    if unknown:
        raise ValueError(f"{key}: unknown {', '.join(unknown)} ({', '.join(KEYS)})")
    planned = entry.get("planned", {})
    return Concept(
        id=key,
        section=section,
        name=Text(**entry["name"]),
        says=Text(**entry["says"]),
        embodied=_references(entry.get("embodied", ())),
        checked=_references(entry.get("checked", ())),
        planned=tuple(reference for role in ROLES for reference in _references(planned.get(role, ()))),
        reason=Text(**entry["reason"]) if "reason" in entry else None,
    )


def _references(written: list[str] | tuple[str, ...]) -> tuple[Reference, ...]:
    """Read a list of references."""
    return tuple(Reference.read(item) for item in written)

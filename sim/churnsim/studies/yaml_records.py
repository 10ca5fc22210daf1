"""Records read from YAML files, and everything wrong with such a file with its line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from churnsim.config.errors import Keys, Problem, ScenarioError, nearest
from churnsim.config.loading import AT_KEY, SUFFIXES
from churnsim.config.yaml_lines import Source, read_source
from churnsim.studies.errors import StudyError, StudyProblem
from churnsim.studies.library import study_folder, study_names
from churnsim.studies.translating import translated

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

R = TypeVar("R", bound=BaseModel)


def read_record(path: str | os.PathLike[str], record: type[R], lang: str | None = None) -> R:
    """Read a file into a record.

    Parameters
    ----------
    path
        YAML file, or the name of a published study; ``name`` is the file's own where it gives none.
    record
        What it describes. If it has a method ``check``, this is called and may raise ScenarioError; if it has
        ``places``, these say which setting a finding of the whole record is about.
    lang
        Language of the error.

    Raises
    ------
    StudyError
        With every problem and its line.
    """
    file = _found(path)
    source = read_source(file, file.name if file != Path(path).expanduser() else os.fspath(path))
    source.data.setdefault("name", file.stem)
    scenario = source.data.get("scenario")
    if isinstance(scenario, str) and scenario.lower().endswith(SUFFIXES):
        source.data["scenario"] = str(file.resolve().parent / Path(scenario).expanduser())
    with _placed(source, lang):
        try:
            made = record.model_validate(source.data)
        except ValidationError as error:
            places = getattr(record, "places", {})
            found = (
                problem if problem.keys else replace(problem, keys=places.get(problem.code, ()))
                for problem in translated(error, record)
            )
            raise StudyError(list(found)) from None
        check = getattr(made, "check", None)
        if check is not None:
            check()
    return made


def _found(path: str | os.PathLike[str]) -> Path:
    """Return the file that a name stands for: a published study's, or its own."""
    text = os.fspath(path)
    named = not text.lower().endswith(SUFFIXES) and "/" not in text and os.sep not in text
    if not named or Path(text).is_file():
        return Path(path).expanduser()
    folder, names = study_folder(), study_names()
    if folder is None or text not in names:
        details = {"found": text, "near": nearest(text, names), "options": names}
        raise StudyError([StudyProblem("no_study", (), details)])
    return folder / f"{text}.yaml"


@contextmanager
def _placed(source: Source, lang: str | None) -> Iterator[None]:
    """Give problems their line in the file."""
    try:
        yield
    except ScenarioError as error:
        problems = [problem if problem.file else _located(problem, source) for problem in error.errors]
        problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
        raise StudyError(problems, {source.file: source.text, **error.sources}, lang or error.lang) from None


def _located(problem: Problem, source: Source) -> Problem:
    """Return a problem with the line of the nearest part of the file that it is about."""
    first, second = (source.keys, source.values) if problem.code in AT_KEY else (source.values, source.keys)
    for depth in range(len(problem.keys), 0, -1):
        for places in (first, second):
            place = places.get(problem.keys[:depth])
            if place is not None:
                return replace(problem, file=place.file, line=place.line, column=place.column)
    return replace(problem, file=source.file, line=1, column=1)


@contextmanager
def about(*keys: str | int) -> Iterator[None]:
    """Point what is wrong with a scenario inside the block at a place of the file that asked for it."""
    try:
        yield
    except ScenarioError as error:
        problems = [
            problem
            if problem.file is not None and problem.line is not None
            else replace(problem, keys=_kept(keys, problem))
            for problem in error.errors
        ]
        raise StudyError(problems, error.sources, error.lang) from None


def market_of(scenario: Scenario | str, settings: Mapping[str, Any]) -> Scenario:
    """Return a scenario with a file's settings, without arms and claims; problems point at ``scenario`` and ``set``."""
    from churnsim.config.loading import load

    with about("scenario"):
        loaded = load(scenario) if isinstance(scenario, str) else scenario
    with about("set"):
        changed = loaded.set(settings)
    return changed.model_copy(update={"arms": {}, "claims": ()})


def _kept(keys: Keys, problem: Problem) -> Keys:
    """Return the place, and below it the part of a strategy that the problem is about."""
    if "strategy" in problem.keys:
        return (*keys, *problem.keys[problem.keys.index("strategy") + 1 :])
    dotted: tuple[Any, ...] = tuple(key for key in problem.keys if isinstance(key, str) and "." in key)
    return (*keys, *dotted[-1:]) if dotted[-1:] != keys[-1:] else keys

"""Reading the files of studies, tournaments and searches: every problem with its line and column."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from churnsim.config.errors import Keys, Problem, ScenarioError, nearest, shown
from churnsim.config.loading import AT_KEY, SUFFIXES
from churnsim.config.yaml_lines import Source, read_source
from churnsim.studies.errors import StudyError, StudyProblem
from churnsim.studies.library import study_folder, study_names
from churnsim.studies.study import Study
from churnsim.studies.translating import translated

KINDS = {"tournament": {"strategies"}, "optimise": {"levers"}, "sweep": {"outcomes", "factors", "design"}}
"""What tells files of different commands apart: keys that those of the others do not have."""
OF_STUDIES = frozenset({"fixed_length", "many_points", "factor_forms"})
"""Problems of studies that are about a key rather than about its value."""

R = TypeVar("R", bound=BaseModel)


def read_study(
    name_or_path: str | os.PathLike[str], lang: str | None = None, first: Callable[[Study], object] | None = None
) -> Study:
    """Read a study; see `read_record`."""
    return read_record(name_or_path, Study, lang, first)


def read_record(
    name_or_path: str | os.PathLike[str],
    record: type[R],
    lang: str | None = None,
    first: Callable[[R], object] | None = None,
) -> R:
    """Read a file into what it describes.

    Parameters
    ----------
    name_or_path
        Name of a published study, or path of a ``.yaml`` file; what gives itself no name goes by the file's.
    record
        `Study`, `churnsim.studies.tournament.Tournament` or `churnsim.studies.optimisation.Optimisation`: a record with
        ``command`` (which command takes such files), ``places`` (which setting a finding of the whole record is about)
        and ``check``, which raises ScenarioError.
    lang
        Language of the error, ``en`` or ``zh``.
    first
        Called with the record before it is checked, which may take seconds (the points of a design are drawn): raises
        what makes an answer impossible.

    Raises
    ------
    StudyError
        With every problem of the file at once, and its line and column.
    """
    try:
        path, name = _find(name_or_path)
        return _read(path, name, record, first)
    except ScenarioError as error:
        told = StudyError(error.errors, error.sources, lang or error.lang)
        told.ending = StudyError.endings[record.command]  # type: ignore[attr-defined]
        raise told from None


def _find(name: str | os.PathLike[str]) -> tuple[Path, str]:
    """Return the file that a name stands for, and how to call it in problems."""
    text = os.fspath(name)
    is_name = isinstance(name, str) and not text.lower().endswith(SUFFIXES) and "/" not in text and os.sep not in text
    if is_name and not Path(text).is_file():
        names = study_names()
        if text in names:
            return study_folder() / f"{text}.yaml", f"{text}.yaml"  # type: ignore[operator]
        details = {"found": text, "near": nearest(text, names), "options": names}
        raise StudyError([StudyProblem("no_study", (), details)])
    return Path(text).expanduser(), text


def _read(path: Path, name: str, record: type[R], first: Callable[[R], object] | None) -> R:
    """Read and check one file."""
    source = read_source(path, name)
    wanted: str = record.command  # type: ignore[attr-defined]
    kind = next((command for command, keys in KINDS.items() if keys & set(source.data)), wanted)
    if kind != wanted:
        called = path.stem if path.parent == study_folder() else name
        raise StudyError([StudyProblem("other_command", (), {"found": called, "command": kind})])
    try:
        data = _with_files(dict(source.data), path.resolve().parent)
        made = _made(record, {"name": _name_of(path), **{str(key): value for key, value in data.items()}})
        if first is not None:
            first(made)
        made.check()  # type: ignore[attr-defined]
        return made
    except ScenarioError as error:
        problems, sources = error.errors, error.sources
    placed = [problem if problem.line is not None else _located(problem, source) for problem in problems]
    placed.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
    placed = list({(problem.line, problem.column, problem.message): problem for problem in placed}.values())
    raise StudyError(placed, {**sources, name: source.text})


def _made(record: type[R], data: dict[str, Any]) -> R:
    """Return the record; raise StudyError with everything that is wrong with it."""
    made, problems = _tried(record, data)
    if made is not None:
        return made
    # What is wrong with the whole is only looked at once every setting is readable: leave out those that are not.
    broken = {str(problem.keys[0]) for problem in problems if problem.keys}
    _, rest = _tried(record, {key: value for key, value in data.items() if key not in broken})
    raise StudyError([*problems, *(one for one in rest if one.keys and str(one.keys[0]) not in broken)])


def _tried(record: type[R], data: dict[str, Any]) -> tuple[R | None, list[Problem]]:
    """Return the record, or None and what is wrong with it, each finding at the setting that it is about."""
    try:
        return record(**data), []
    except ValidationError as error:
        places = getattr(record, "places", {})
        found = translated(error, record)
        return None, [one if one.keys else replace(one, keys=places.get(one.code, ())) for one in found]
    except StudyError as error:
        return None, error.errors


def _name_of(path: Path) -> str:
    """Return a study's name by its file's."""
    return re.sub(r"[^\w-]+", "_", path.stem).strip("_") or "study"


def _with_files(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Find scenario files beside the study, and put the points of a design file in the place of its name."""
    scenario = data.get("scenario")
    if isinstance(scenario, str):
        data["scenario"] = _beside(scenario, folder)
    elif isinstance(scenario, list):
        data["scenario"] = [_beside(item, folder) if isinstance(item, str) else item for item in scenario]
    design = data.get("design")
    if isinstance(design, Mapping):
        if set(design) != {"file"} or not isinstance(design["file"], str):
            raise StudyError([StudyProblem("design_file", ("design",), {"found": shown(design)})])
        data |= _from_table(folder / Path(design["file"]).expanduser(), data.get("factors"))
    return data


def _beside(name: str, folder: Path) -> str:
    """Return a scenario file's path as seen from the study's folder; names stay names."""
    head, slash, arm = name.rpartition("/")
    file, tail = (head, slash + arm) if slash and arm.isidentifier() else (name, "")
    if not file.lower().endswith(SUFFIXES):
        return name
    return f"{folder / Path(file).expanduser()}{tail}"


def _from_table(path: Path, factors: Any) -> dict[str, Any]:
    """Return a design and its factors as a CSV file lists them: one column per dotted path, one row per point."""
    at: Keys = ("design", "file")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StudyError([StudyProblem("unreadable", at, {"reason": reason})]) from None
    if len(rows) < 2:
        raise StudyError([StudyProblem("design_empty", at, {"found": path.name})])
    names = [cell.strip() for cell in rows[0]]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            details = {"found": len(row), "wanted": len(names), "row": number}
            raise StudyError([StudyProblem("design_row", at, details)])
    known = factors if isinstance(factors, Mapping) else {}
    for name in known:
        if name not in names:
            told: dict[str, Any] = {"found": name, "near": nearest(str(name), names), "options": tuple(names)}
            raise StudyError([StudyProblem("design_column", ("factors", name), told)])
    made = {}
    for place, name in enumerate(names):
        kept = {key: known[name][key] for key in ("group", "kind", "when") if key in (known.get(name) or {})}
        made[name] = {"levels": [_cell(row[place]) for row in rows[1:]], **kept}
    return {"design": "list", "factors": made}


def _cell(text: str) -> Any:
    """Return a cell as a number or a switch where it is one, else as a text."""
    text = text.strip()
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)


def _located(problem: Problem, source: Source) -> Problem:
    """Give a problem the file, line and column of what it is about."""
    at_key = problem.code in AT_KEY or problem.code in OF_STUDIES
    first, second = (source.keys, source.values) if at_key else (source.values, source.keys)
    for depth in range(len(problem.keys), 0, -1):
        for places in (first, second):
            for keys in _ways(problem.keys[:depth], source):
                if keys in places:
                    place = places[keys]
                    return replace(problem, file=place.file, line=place.line, column=place.column)
        # Of what is missing or only implied, the group that it belongs to is shown by its name.
        first, second = source.keys, source.values
    return replace(problem, file=source.file, line=1, column=1)


def _ways(keys: Keys, source: Source) -> list[Keys]:
    """Return the places in a file that keys may stand for: outcomes and arms may be listed."""
    if len(keys) == 2 and keys[0] in ("outcomes", "arms") and isinstance(source.data.get(keys[0]), list):
        listed = [str(item).strip() for item in source.data[keys[0]]]
        if keys[1] in listed:
            return [(keys[0], listed.index(str(keys[1])))]
    return [keys]

"""Loading a scenario file: `extends`, validation, and every problem with its line."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from churnsim.config.errors import Keys, Problem, ScenarioError, nearest, shown
from churnsim.config.library import builtin_folder, builtin_names
from churnsim.config.paths import replaces
from churnsim.config.shape import ROOT, Kind, child
from churnsim.config.yaml_lines import Place, Source, read_source
from churnsim.scenario import Scenario, build

SUFFIXES = (".yaml", ".yml")
REMOVABLE = ("firms", "arms")
"""Named parts that a child drops from its parent by giving them nothing."""


class ScenarioWarning(UserWarning):
    """Something inherited was left out because it no longer fits."""


@dataclass
class _Draft:
    """A file with its parents merged in, before validation.

    `keys` and `values` say where each key and value stands, `own` names the top-level
    parts that the file itself writes, `own_arms` its own arms, `inherited` the names of
    the firms and arms of what it extends.
    """

    name: str
    data: dict[str, Any]
    sources: dict[str, str]
    keys: dict[Keys, Place]
    values: dict[Keys, Place]
    own: set[str]
    own_arms: set[str]
    has_parent: bool
    inherited: dict[str, tuple[str, ...]] = field(default_factory=dict)


def load(name_or_path: str | os.PathLike[str], lang: str | None = None) -> Scenario:
    """Read a scenario.

    Parameters
    ----------
    name_or_path
        Name of a built-in scenario, or path of a ``.yaml`` file.
    lang
        Language of the error, ``en`` or ``zh``.

    Raises
    ------
    ScenarioError
        With every problem of the file at once.
    """
    try:
        draft = _draft(*_find(name_or_path, None), seen=())
        return _scenario(draft)
    except ScenarioError as error:
        if lang is None or lang == error.lang:
            raise
        raise ScenarioError(error.errors, error.sources, lang) from None


def check_file(path: str | os.PathLike[str]) -> ScenarioError | None:
    """Return everything that is wrong with a scenario file, or None if it is fine."""
    try:
        load(path)
    except ScenarioError as error:
        return error
    return None


def _find(name: str | os.PathLike[str], beside: Path | None) -> tuple[Path, str]:
    """Return the file that a name stands for, and how to call it in problems."""
    text = os.fspath(name)
    if isinstance(name, str) and not text.lower().endswith(SUFFIXES) and "/" not in text and os.sep not in text:
        if text in builtin_names():
            return builtin_folder() / f"{text}.yaml", f"{text}.yaml"  # type: ignore[operator]
        if not Path(text).is_file():
            names = builtin_names()
            raise ScenarioError(
                [Problem("no_builtin", (), {"found": text, "near": nearest(text, names), "options": names})]
            )
    path = Path(text).expanduser()
    if beside is not None and not path.is_absolute():
        path = beside / path
        text = str(path)
    return path, text


def _draft(path: Path, name: str, seen: tuple[Path, ...]) -> _Draft:
    """Read a file and what it extends."""
    source = read_source(path, name)
    data = source.data
    own_arms = set(data.get("arms") or ()) if isinstance(data.get("arms"), dict) else set()
    data.setdefault("id", _id_from(path))
    if "extends" not in data:
        own = set(data)
        return _Draft(name, data, {name: source.text}, source.keys, source.values, own, own_arms, has_parent=False)
    parent = data.pop("extends")
    place = (source.keys if parent is None else source.values)[("extends",)]
    if not isinstance(parent, str):
        raise _located_error(Problem("text", ("extends",), {"found": shown(parent)}), place, source)
    try:
        parent_path, parent_name = _find(parent, path.resolve().parent)
    except ScenarioError as error:
        raise _located_error(replace(error.errors[0], keys=("extends",)), place, source) from None
    chain = (*seen, path.resolve())
    if parent_path.resolve() in chain:
        names = " -> ".join(part.name for part in (*chain, parent_path))
        raise _located_error(Problem("extends_cycle", ("extends",), {"chain": names}), place, source)
    if not parent_path.is_file():
        raise _located_error(Problem("no_file", ("extends",), {}), place, source)
    base = _draft(parent_path, parent_name, chain)
    # What the parent itself is called beside its arms says nothing of a file that differs from it.
    base.data.pop("case_title", None)
    merged = _merged(ROOT, base.data, data, (), source.blank)
    replaced = _replaced(base.data, data)
    return _Draft(
        name,
        merged,
        {**base.sources, name: source.text},
        {**_without(base.keys, replaced), **source.keys},
        {**_without(base.values, replaced), **source.values},
        set(data),
        own_arms,
        has_parent=True,
        inherited={part: _names(base.data.get(part)) for part in REMOVABLE},
    )


def _names(part: Any) -> tuple[str, ...]:
    """Names of the firms or arms that a scenario has."""
    return tuple(str(name) for name in part) if isinstance(part, Mapping) else ()


def _located_error(problem: Problem, place: Place, source: Source) -> ScenarioError:
    """One problem at a known place."""
    at = replace(problem, file=place.file, line=place.line, column=place.column)
    return ScenarioError([at], {source.file: source.text})


def _id_from(path: Path) -> str:
    """Make an identifier of a file's name, for a file that gives none."""
    text = re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_")
    return text if re.match(r"[a-z]", text) else f"scenario_{text}".rstrip("_")


def _merged(kind: Kind | None, base: Any, new: Any, at: Keys, blank: set[Keys]) -> Any:
    """Return the parent's value with what the child says about it.

    Mappings are merged, everything else is replaced: lists, texts, distributions, and
    strategies that give their name. Nothing in the place of a firm or an arm drops it;
    any other heading with nothing behind it (`blank`) says nothing.
    """
    if new is None and at in blank and kind is not None and kind.form in ("record", "mapping", "list"):
        return base
    if not isinstance(new, Mapping) or kind is None or replaces(kind, new):
        return new
    if kind.form == "strategy" and isinstance(base, str):
        base = {"name": base}
    if not isinstance(base, Mapping):
        return new
    result = dict(base)
    for key, value in new.items():
        if value is None and len(at) == 1 and at[0] in REMOVABLE and key in base:
            del result[key]
        elif key in base and at != ("arms",):
            result[key] = _merged(child(kind, base, key), base[key], value, (*at, key), blank)
        else:
            result[key] = value
    return result


def _replaced(base: Mapping[str, Any], new: Mapping[str, Any]) -> set[Keys]:
    """Keys of the parts that the child writes anew, so that the parent's lines no longer count."""
    return {(key,) for key, value in new.items() if key in base and not isinstance(value, Mapping)} | {
        ("arms", name) for name in (new.get("arms") or {}) if isinstance(new.get("arms"), Mapping)
    }


def _without(places: Mapping[Keys, Place], gone: set[Keys]) -> dict[Keys, Place]:
    """Places that are not below any of the given keys."""
    return {keys: place for keys, place in places.items() if not any(keys[: len(top)] == top for top in gone)}


def _scenario(draft: _Draft) -> Scenario:
    """Validate a draft: the scenario itself, its moves, its arms, its claims."""
    if draft.has_parent and "moves" not in draft.own:
        _crop_moves(draft.data)
    scenario, problems = build(draft.data)
    checked = scenario or _repaired(draft.data, problems)
    left_out: list[str] = []
    if checked is not None:
        checked = _with_arms_checked(checked, draft, problems, left_out)
        checked = _with_claims_checked(checked, draft, problems, left_out)
    if problems:
        placed = (_located(_explained(problem, draft), draft) for problem in problems)
        raise ScenarioError(sorted(placed, key=_order), draft.sources)
    if left_out:
        message = f"{draft.name}: left out what no longer fits the scenario it extends: {', '.join(left_out)}"
        warnings.warn(message, ScenarioWarning, stacklevel=3)
    return checked  # type: ignore[return-value]


def _crop_moves(data: dict[str, Any]) -> None:
    """Leave out inherited moves that a shorter horizon no longer reaches."""
    horizon, moves = data.get("horizon"), data.get("moves")
    if isinstance(horizon, int) and isinstance(moves, list):
        data["moves"] = [move for move in moves if not _later(move, horizon)]


def _later(move: Any, horizon: int) -> bool:
    """Whether a move happens after the horizon."""
    tick = move.get("tick") if isinstance(move, dict) else None
    return isinstance(tick, int) and tick > horizon


def _with_arms_checked(scenario: Scenario, draft: _Draft, problems: list[Problem], left_out: list[str]) -> Scenario:
    """Build every arm: note problems of the file's own arms, and leave out inherited ones that do not fit."""
    known = [problem.keys for problem in problems]
    kept = {}
    for name, arm in scenario.arms.items():
        _, found = scenario.build_arm(name)
        if found and draft.has_parent and name not in draft.own_arms:
            left_out.append(f"arm {name}")
            continue
        kept[name] = arm
        problems += [problem for problem in found if not _follows(problem, known)]
    return scenario.model_copy(update={"arms": kept}) if len(kept) < len(scenario.arms) else scenario


def _with_claims_checked(scenario: Scenario, draft: _Draft, problems: list[Problem], left_out: list[str]) -> Scenario:
    """Read every claim: note problems of the file's own claims, and leave out inherited ones that do not fit."""
    from churnsim.claims import claim_problems

    found = claim_problems(scenario)
    if not draft.has_parent or "claims" in draft.own:
        known = [problem.keys for problem in problems]
        problems += [problem for problem in found if not _follows(problem, known)]
        return scenario
    misfits = {problem.keys[1] for problem in found}
    left_out += [f"claim {claim.id}" for index, claim in enumerate(scenario.claims) if index in misfits]
    kept = tuple(claim for index, claim in enumerate(scenario.claims) if index not in misfits)
    return scenario.model_copy(update={"claims": kept}) if misfits else scenario


# ---------------------------------------------------------------------- finding everything at once

STAND_INS: dict[str, Any] = {
    "id": "x", "title": "x", "question": "x", "sources": ["x"], "name": "x", "text": "x", "tick": 1,
}  # fmt: skip
"""What takes the place of something missing while the rest of the file is looked at."""

ITEMS: dict[str, Any] = {
    "moves": {"tick": 1, "changes": {"mechanisms.insolvency": True}},
    "claims": {"text": "x", "estimate": "0"},
    "sources": "x",
}
"""What takes the place of a faulty item, so that the others keep their numbers."""


def _repaired(data: dict[str, Any], problems: list[Problem]) -> Scenario | None:
    """Return the scenario without its faulty settings, so that its moves, arms and claims can be looked at too.

    What is found about moves on the way is added to `problems`.
    """
    known = [problem.keys for problem in problems]
    fresh = list(problems)
    for _ in range(3):
        for problem in fresh:
            data = _without_fault(data, problem)
        scenario, found = build(data)
        if scenario is not None:
            return scenario
        fresh = found
        problems += [
            problem
            for problem in found
            if problem.keys[:1] in (("moves",), ("arms",), ("claims",)) and not _follows(problem, known)
        ]
    return None


def _without_fault(data: Any, problem: Problem) -> Any:
    """Return the data without the setting that a problem points at."""
    if problem.code == "missing":
        name = problem.keys[-1]
        return _edited(data, problem.keys, STAND_INS[name]) if name in STAND_INS else _edited(data, problem.keys[:-1])
    keys: list[Any] = []
    below = data
    for key in problem.keys:
        if isinstance(below, list) and isinstance(key, int):
            keys.append(key)
            break  # a faulty item of a list goes as a whole
        if not isinstance(below, dict) or key not in below:
            break
        keys.append(key)
        below = below[key]
    if not keys:
        return data
    stand_in = ITEMS.get(keys[-2]) if len(keys) > 1 and isinstance(keys[-1], int) else None
    if keys[:1] == ["claims"] and stand_in:
        stand_in = {**stand_in, "id": f"faulty {keys[-1]}"}
    return _edited(data, tuple(keys) if stand_in or isinstance(keys[-1], str) else tuple(keys[:-1]), stand_in)


def _edited(data: Any, keys: Keys, value: Any = None) -> Any:
    """Return nested data with the value at `keys` replaced, or removed where it is None."""
    if not keys:
        return data if value is None else value
    key, *rest = keys
    if isinstance(data, list) and isinstance(key, int):
        inner = _edited(data[key], tuple(rest), value) if rest else value
        return [*data[:key], inner, *data[key + 1 :]]
    if not isinstance(data, dict):
        return data
    if rest:
        return {**data, key: _edited(data.get(key, {}), tuple(rest), value)}
    return {name: item for name, item in data.items() if name != key} | ({} if value is None else {key: value})


def _follows(problem: Problem, known: list[Keys]) -> bool:
    """Whether a problem is only there because a faulty setting was taken out."""
    target = str(problem.keys[-1]) if problem.keys else ""
    if problem.keys in known:
        return True
    for keys in known:
        path = ".".join(map(str, keys))
        if (
            target == path
            or target.startswith(f"{path}.")
            or (problem.code == "no_firm" and keys == ("firms", problem.details["found"]))
        ):
            return True
        if keys[:1] == ("firms",) and keys[2:3] == ("strategy",) and ".strategy" in target:
            return True
    return False


# ---------------------------------------------------------------------- placing problems

AT_KEY = frozenset(
    {
        "unknown", "no_firm", "single", "missing", "name", "identifier", "reserved", "fixed", "drawn_once", "group",
        "not_set", "no_change", "rule", "firm_count",
    }
)  # fmt: skip
"""Problems that are about a key rather than about its value."""


def _explained(problem: Problem, draft: _Draft) -> Problem:
    """Tell a new firm or arm that lacks something from a misspelt one of what the file extends."""
    part = problem.keys[0] if problem.keys else None
    if len(problem.keys) < 2 or part not in REMOVABLE or not draft.has_parent:
        return problem
    name, names = str(problem.keys[1]), draft.inherited[str(part)]
    if name in names:
        return problem
    details = {"near": nearest(name, names), "options": names}
    if problem.code == "mapping" and len(problem.keys) == 2 and problem.details.get("found") == "nothing":
        return replace(problem, code="no_firm" if part == "firms" else "no_arm", details={"found": name, **details})
    if problem.code == "missing" and problem.keys == ("firms", name, "name"):
        return replace(problem, details={**problem.details, **details, "hint": "new_firm"})
    return problem


def _located(problem: Problem, draft: _Draft) -> Problem:
    """Give a problem the file, line and column of what it is about."""
    first, second = (draft.keys, draft.values) if problem.code in AT_KEY else (draft.values, draft.keys)
    for keys in _ways_to_write(problem.keys, problem.code):
        for places in (draft.values,) if keys[-1:] == ("firm",) else (first, second):
            if keys in places:
                return _placed(problem, places[keys])
    for depth in range(len(problem.keys) - 1, 0, -1):
        for places in (draft.keys, draft.values):
            if problem.keys[:depth] in places:
                return _placed(problem, places[problem.keys[:depth]])
    return replace(problem, file=problem.file or draft.name, line=1, column=1)


def _ways_to_write(keys: Keys, code: str) -> list[Keys]:
    """Keys under which a file may have written what a problem is about; moves have a flat and a short form."""
    ways = [keys]
    if not keys or not isinstance(keys[-1], str):
        return ways
    *above, last = keys
    parts = str(last).split(".")
    if parts[0] == "firms" and len(parts) > 2:
        if code == "no_firm":
            ways.append((*above, "firm"))
        ways.append((*above, ".".join(parts[2:])))
    return [*ways, (*above, "changes", last)]


def _placed(problem: Problem, place: Place) -> Problem:
    """Return a problem at a place."""
    return replace(problem, file=place.file, line=place.line, column=place.column)


def _order(problem: Problem) -> tuple[str, int, int]:
    """Order of problems: as in the file."""
    return problem.file or "", problem.line or 0, problem.column or 0

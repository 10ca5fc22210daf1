"""Dotted paths into a scenario: reading, writing, and what a move may write.

Writing copies only the branch that changes: everything else stays the validated
record it was, so that building a variant costs little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from churnsim.config.distributions import KINDS
from churnsim.config.errors import Keys, Problem, nearest
from churnsim.config.shape import ROOT, Kind, child, record_of, settings_of, thawed
from churnsim.declarations import Record

OWN_DOOR: dict[str, str] = {"moves": ".move()", "arms": "the scenario file", "claims": "the scenario file"}
"""Parts of a scenario that a dotted path does not reach, and how they are changed instead."""

DRAWN_ONCE: frozenset[str] = frozenset(
    {
        "customers.count", "customers.growth", "customers.opportunity", "customers.quality_value",
        "customers.price_weight", "customers.switching_cost", "customers.transaction_cost", "customers.taste.sd",
        "customers.taste.homophily", "customers.belief.initial_sd", "customers.attachment.initial",
        "customers.word_of_mouth.contacts", "customers.word_of_mouth.rewired", "mechanisms.taste",
    }
)  # fmt: skip
"""What is drawn when the run starts: traits, the network of acquaintances, the first state."""

MOVABLE: tuple[str, ...] = ("firms", "mechanisms", "customers")
FIXED: frozenset[str] = frozenset({"customers.inactivity"})
"""What else holds for the whole run."""
FIXED_OF_FIRM: tuple[str, ...] = ("name", "initial_share", "cash")


def written(root: Any, changes: Mapping[str, Any], problems: list[Problem], at: Keys = ()) -> Any:
    """Return `root` with the changes made, as something that validates to a scenario.

    Parameters
    ----------
    root
        A scenario record, or what an earlier call returned.
    changes
        New values by dotted path; a mapping given for a group changes what it names.
    problems
        Collects paths that lead nowhere.
    at
        Where the changes stand in the file, for the problems.
    """
    for path in sorted(changes, key=str):  # a strategy before its parameters
        root = _write(ROOT, root, str(path).split("."), changes[path], (), problems, (*at, path))
    return root


def _write(kind: Kind, value: Any, keys: list[str], new: Any, done: Keys, problems: list[Problem], at: Keys) -> Any:
    """Write one value below `value`; `done` are the keys that led here."""
    if not keys:
        return _replace(kind, value, new, done, problems, at)
    key, *rest = keys
    if not done and key in OWN_DOOR:
        problems.append(Problem("not_set", at, {"found": key, "instead": OWN_DOOR[key]}))
        return value
    below = child(kind, value, key) if key in settings_of(kind, value) else None
    if below is None:
        problems.append(unknown(kind, value, key, done, at))
        return value
    branch = thawed(kind, value)
    branch[key] = _write(below, branch.get(key), rest, new, (*done, key), problems, at)
    return branch


def _replace(kind: Kind, value: Any, new: Any, done: Keys, problems: list[Problem], at: Keys) -> Any:
    """Put `new` in the place of `value`, or merge it where it is a mapping that says only what differs."""
    if not isinstance(new, Mapping) or replaces(kind, new):
        return new
    for key, item in new.items():
        value = _write(kind, value, str(key).split("."), item, done, problems, at)
    return value


def replaces(kind: Kind, new: Mapping[str, Any]) -> bool:
    """Return whether a mapping stands for the whole setting rather than for what differs."""
    if kind.form == "distribution":
        return "dist" in new or set(new) == {"value"}
    return "name" in new if kind.form == "strategy" else kind.form in ("leaf", "list")


OTHER_WORDS = {"title": "name", "label": "name"}
"""Settings that are called otherwise elsewhere: a scenario and an arm have a title, a firm has a name."""


def unknown(kind: Kind, value: Any, key: str, done: Keys, at: Keys, extra: Iterable[str] = ()) -> Problem:
    """Return the problem of a key that leads nowhere, with what would."""
    options = (*settings_of(kind, value), *extra)
    if done == ("firms",):
        return Problem("no_firm", at, {"found": key, "near": nearest(key, options), "options": options})
    if not options:
        return Problem("single", at, {"parent": ".".join(map(str, done))})
    meant = OTHER_WORDS.get(key, "")
    near = meant if meant in options else nearest(key, options)
    details: dict[str, Any] = {"found": key, "near": near, "options": options}
    if done:
        details["owner"] = owner(kind, value, done)
    return Problem("unknown", at, details)


def owner(kind: Kind, value: Any, done: Keys) -> str:
    """Return how to call the setting that something stands in."""
    record = record_of(kind, value)
    if kind.form == "strategy" and record is not None:
        return f"strategy {record.model_fields['name'].default}"
    return Problem("", done).path


def read(root: Any, path: str) -> Any:
    """Return the value at a dotted path; raise KeyError where there is none."""
    kind, value = ROOT, root
    for key in path.split("."):
        below = child(kind, value, key) if key in settings_of(kind, value) else None
        if below is None:
            raise KeyError(path)
        kind, value = below, thawed(kind, value)[key]
    return value


def plain(value: Any) -> Any:
    """Return a setting's value without records: numbers, texts, lists and dicts."""
    if isinstance(value, Record):
        return value.model_dump(mode="json")
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def immovable(root: Any, path: str, at: Keys) -> Problem | None:
    """Return why a move may not write a path, or None where it may (or where the path leads nowhere)."""
    keys = path.split(".")
    try:
        value = read(root, path)
    except KeyError:
        return None
    if keys[0] in OWN_DOOR:
        return Problem("not_set", at, {"found": path, "instead": OWN_DOOR[keys[0]]})
    if path in FIXED or keys[0] not in MOVABLE or (keys[0] == "firms" and len(keys) > 2 and keys[2] in FIXED_OF_FIRM):
        return Problem("fixed", at, {"found": path})
    if any(".".join(keys[:depth]) in DRAWN_ONCE for depth in range(1, len(keys) + 1)):
        return Problem("drawn_once", at, {"found": path})
    if isinstance(value, dict) or (isinstance(value, Record) and not _is_one_setting(value)):
        names = tuple(value) if isinstance(value, dict) else tuple(type(value).model_fields)
        return Problem("group", at, {"found": path, "options": names})
    return None


def _is_one_setting(value: Record) -> bool:
    """Whether a record is one setting to its user: a strategy or a distribution."""
    return isinstance(value, KINDS) or "decide" in dir(type(value))

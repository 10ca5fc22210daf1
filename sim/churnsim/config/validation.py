"""From plain data to problems in plain words: reading percentages, and translating what pydantic finds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from churnsim.config.errors import Keys, Problem, nearest, shown
from churnsim.config.firms import Text
from churnsim.config.paths import owner, unknown
from churnsim.config.scenario import MAX_FIRMS
from churnsim.config.shape import DISTRIBUTIONS, ROOT, Kind, child, record_of, thawed
from churnsim.declarations import Record
from churnsim.strategies import REGISTRY

PERCENT = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*[%\uff05]\s*")
NO_CHANGE_RULE = "a move changes at least one parameter"
"""Rule of a move that has a message of its own."""
FIRM_NAME_RULE = "firm name "
"""Beginning of a rule of the records that `prepared` tells with its place."""


class Percentage(float):
    """A share that was written as a percentage; validation turns it into a plain number."""


def prepared(kind: Kind, value: Any, problems: list[Problem], at: Keys = ()) -> Any:
    """Return the value with percentages as shares; note what pydantic would let pass.

    Validated records are left alone, so that only what is new is looked at.
    """
    if isinstance(value, Record) or value is None:
        return value
    if kind.form == "leaf":
        return _prepared_leaf(kind, value, problems, at)
    if kind.form == "distribution" and not isinstance(value, Mapping):
        return _prepared_leaf(Kind("leaf", annotation=float, about=kind.about), value, problems, at)
    if kind.form == "list" and isinstance(value, (list, tuple)):
        item = Kind("record", kind.record) if kind.record else Kind("leaf", annotation=kind.annotation)
        return tuple(prepared(item, each, problems, (*at, index)) for index, each in enumerate(value))
    if not isinstance(value, Mapping):
        return value
    if kind.form == "distribution" and _is_partial(kind, value):
        value = {**kind.default.model_dump(), **value}
    if kind.form == "mapping" and at and at[-1] in ("firms", "arms"):
        _check_names(value, problems, at)
    result = {}
    for key, item in value.items():
        below = child(kind, value, key) if isinstance(key, str) else None
        if item is None and kind.form == "record" and below and below.form in ("record", "mapping", "list"):
            continue  # a heading with nothing below it says nothing
        result[key] = prepared(below, item, problems, (*at, key)) if below else item
    return result


def _is_partial(kind: Kind, value: Mapping[str, Any]) -> bool:
    """Whether a mapping gives parameters of the default distribution without naming it."""
    return (
        "dist" not in value and isinstance(kind.default, Record) and set(value) <= set(type(kind.default).model_fields)
    )


def _prepared_leaf(kind: Kind, value: Any, problems: list[Problem], at: Keys) -> Any:
    """Read one single value."""
    if hasattr(value, "item") and not isinstance(value, (str, Mapping)):
        value = value.item()  # numpy scalars of experiment designs
    if not kind.is_number:
        return value
    percent = PERCENT.fullmatch(value) if isinstance(value, str) else None
    if percent:
        if not kind.takes_percentage:
            problems.append(Problem("percent", at, {"unit": kind.about.unit if kind.about else "1"}))
        return Percentage(float(percent[1]) / 100)
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        problems.append(Problem("whole" if kind.is_whole else "number", at, {"found": shown(value), **_bounds(kind)}))
        return 0
    return value


def _check_names(value: Mapping[str, Any], problems: list[Problem], at: Keys) -> None:
    """Names of firms and arms stand in paths, expressions and file names."""
    for name in value:
        if not str(name).isidentifier():
            problems.append(Problem("identifier", (*at, name), {"found": name}))
        elif name == ("outside" if at[-1] == "firms" else "case"):
            problems.append(Problem("reserved", (*at, name), {"found": name}))


def _bounds(kind: Kind) -> dict[str, Any]:
    """Range and unit of a setting, for a message."""
    about = kind.about
    return {"low": about.low, "high": about.high, "unit": about.unit} if about else {}


def translated(error: ValidationError, data: Any) -> list[Problem]:
    """Return what pydantic found, in plain words and with plain places.

    Parameters
    ----------
    error
        What validating `data` as a scenario raised.
    data
        What was validated: nested dicts, lists and records.
    """
    problems: dict[Keys, Problem] = {}
    for item in error.errors(include_url=False):
        if item["msg"].removeprefix("Value error, ").startswith(FIRM_NAME_RULE):
            continue
        keys, parent, parent_value, kind = _place(item["loc"], data)
        problem = _problem(item, keys, parent, parent_value, kind)
        problems.setdefault(problem.keys, problem)
    return list(problems.values())


def _place(loc: tuple[Any, ...], data: Any) -> tuple[Keys, Kind, Any, Kind | None]:
    """Follow pydantic's location; return keys, the parent's kind and value, and the setting's kind."""
    keys: list[Any] = []
    kind: Kind | None = ROOT
    value, parent, parent_value = data, ROOT, data
    for part in loc:
        if kind is not None and kind.form == "distribution" and part in DISTRIBUTIONS:
            continue  # pydantic names the member of the union it tried
        if isinstance(part, str) and part.startswith("["):
            continue
        keys.append(part)
        if kind is None:
            continue
        parent, parent_value = kind, value
        if kind.form == "list":
            kind = Kind("record", kind.record) if kind.record else Kind("leaf", annotation=kind.annotation)
            value = value[part] if isinstance(value, (list, tuple)) and part < len(value) else None
        else:
            below = thawed(kind, value)
            kind, value = child(kind, value, part), below.get(part)
    return tuple(keys), parent, parent_value, kind


NUMBER_TYPES = {"float_type", "float_parsing", "finite_number"}
WHOLE_TYPES = {"int_type", "int_parsing", "int_from_float", "int_parsing_size"}
RANGE_TYPES = {"greater_than_equal", "less_than_equal", "greater_than", "less_than"}
MAPPING_TYPES = {"model_type", "dict_type", "model_attributes_type", "mapping_type"}


def _problem(item: Any, keys: Keys, parent: Kind, parent_value: Any, kind: Kind | None) -> Problem:
    """Put one finding of pydantic in plain words."""
    what, value = item["type"], item["input"]
    found = f"{100 * value:g}%" if isinstance(value, Percentage) else shown(value)
    if parent.record is Text and isinstance(parent_value, Mapping) and not set(Text.model_fields) & set(parent_value):
        return Problem("both_languages", keys[:-1], {"found": shown(parent_value)})
    if what == "extra_forbidden":
        return unknown(parent, parent_value, str(keys[-1]), keys[:-1], keys)
    if what == "missing":
        of = {"owner": owner(parent, parent_value, keys[:-1])} if keys[1:] else {}
        return Problem("missing", keys, {"found": keys[-1], **of})
    if what in NUMBER_TYPES:
        return Problem("number", keys, {"found": found, **(_bounds(kind) if kind else {})})
    if what in WHOLE_TYPES:
        return Problem("whole", keys, {"found": found, **(_bounds(kind) if kind else {})})
    if what in RANGE_TYPES:
        return Problem("range", keys, {"found": found, **_range_details(value, kind)})
    if what == "literal_error":
        options = kind.choices if kind and kind.choices else ("service", "relationship")
        details = {"what": "value", "found": value, "near": nearest(value, options), "options": options}
        return Problem("option", keys, details)
    if what in ("union_tag_invalid", "union_tag_not_found"):
        return _distribution_problem(value, keys)
    if kind is not None and kind.form == "strategy" and record_of(kind, value) is None:
        return _strategy_problem(value, keys)
    if what in MAPPING_TYPES and kind is not None and kind.record is Text:
        return Problem("both_languages", keys, {"found": found})
    simple = {
        "bool_type": "switch", "bool_parsing": "switch", "tuple_type": "list", "string_type": "text",
        **dict.fromkeys(MAPPING_TYPES, "mapping"),
    }  # fmt: skip
    if what in simple:
        return Problem(simple[what], keys, {"found": found})
    if what == "string_pattern_mismatch":
        return Problem("currency" if keys[-1] == "currency" else "name", keys, {"found": value})
    if what in ("too_short", "too_long") and keys == ("firms",):
        return Problem("firm_count", keys, {"found": len(value), "high": MAX_FIRMS})
    reason = item["msg"].removeprefix("Value error, ")
    if reason == NO_CHANGE_RULE:
        return Problem("no_change", keys)
    return Problem("rule", _mentioned(keys, kind, value, reason), {"reason": reason})


def _range_details(value: Any, kind: Kind | None) -> dict[str, Any]:
    """Return the allowed range; and where a share is allowed and a percentage seems meant, what it would be."""
    details = _bounds(kind) if kind else {}
    high = details.get("high")
    if isinstance(value, Percentage):
        return details
    if isinstance(value, (int, float)) and high is not None and 0 < high <= 1 and 1 < value <= 100 * high:
        details["percent"] = value
    return details


def _distribution_problem(value: Any, keys: Keys) -> Problem:
    """Tell of a trait that is neither a number nor a known distribution."""
    if isinstance(value, Mapping) and "dist" in value:
        name = str(value["dist"])
        options = tuple(DISTRIBUTIONS)
        details = {"what": "distribution", "found": name, "near": nearest(name, options), "options": options}
        return Problem("option", (*keys, "dist"), details)
    details = {"found": shown(value), "options": tuple(DISTRIBUTIONS)}
    return Problem("distribution", keys, details)


def _strategy_problem(value: Any, keys: Keys) -> Problem:
    """Tell of a strategy that is not one, is unknown, or contradicts itself."""
    name = value.get("name") if isinstance(value, Mapping) else value
    options = tuple(sorted(REGISTRY))
    if not isinstance(name, str):
        return Problem("strategy", keys, {"found": shown(value), "options": options})
    details = {"what": "strategy", "found": name, "near": nearest(name, options), "options": options}
    return Problem("option", (*keys, "name") if isinstance(value, Mapping) else keys, details)


def _mentioned(keys: Keys, kind: Kind | None, value: Any, reason: str) -> Keys:
    """Point at the first setting that a rule's text names, rather than at its group."""
    record = record_of(kind, value) if kind else None
    if record is None:
        return keys
    words = re.findall(r"[a-z_]+", reason)
    return next(((*keys, word) for word in words if word in record.model_fields), keys)

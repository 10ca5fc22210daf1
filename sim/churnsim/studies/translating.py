"""What pydantic finds wrong with a study, as problems in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from churnsim.config.errors import Keys, nearest, shown
from churnsim.studies.errors import StudyProblem

SIMPLE = {
    "int_type": "whole", "int_parsing": "whole", "int_from_float": "whole", "float_type": "number",
    "float_parsing": "number", "finite_number": "number", "bool_type": "switch", "bool_parsing": "switch",
    "string_type": "text", "tuple_type": "list", "list_type": "list", "dict_type": "mapping", "model_type": "mapping",
    "model_attributes_type": "mapping", "mapping_type": "mapping",
}  # fmt: skip
RANGES = {"greater_than_equal": "ge", "less_than_equal": "le", "greater_than": "gt", "less_than": "lt"}
OF_FACTOR = {
    "factor_twice": "levels",
    "study_levels": None,
}
"""Findings of the whole study that are about one factor, and about which part of it."""
SEVERAL = "study_several"
"""Type of the error that stands for several findings of a whole record."""

ABOUT = {
    "study_samples": "design", "study_no_samples": "samples", "study_second_order": "second_order",
    "study_constraints": "constraints", "study_no_factors": "design", "study_function": "function",
    "study_function_arms": "arms", "study_lengths": "design",
}  # fmt: skip
"""Findings of the whole study and the setting that they point at."""


def translated(error: ValidationError, record: type[BaseModel]) -> list[StudyProblem]:
    """Return everything that pydantic found, one problem per place."""
    problems: dict[Keys, StudyProblem] = {}
    for item in (one for found in error.errors(include_url=False) for one in _parts(found)):
        problem = _problem(item, record)
        problems.setdefault((problem.code, *problem.keys) if not problem.keys else problem.keys, problem)
    return list(problems.values())


def together(findings: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Raise everything that a record's own check has found, code and details, as the one error that pydantic takes."""
    found = list(findings)
    if found:
        raise PydanticCustomError(SEVERAL, "several findings", {"findings": found})


def _parts(item: Any) -> list[Any]:
    """Return a finding, or the several that `together` has made one of."""
    if item["type"] != SEVERAL:
        return [item]
    return [{**item, "type": code, "ctx": details, "msg": code} for code, details in item["ctx"]["findings"]]


def _problem(item: Any, record: type[BaseModel]) -> StudyProblem:
    """Put one finding in plain words."""
    what, keys, value, context = item["type"], tuple(item["loc"]), item["input"], item.get("ctx") or {}
    if what == "extra_forbidden":
        options = _fields(record, keys)
        found = str(keys[-1])
        return StudyProblem("unknown", keys, {"found": found, "near": nearest(found, options), "options": options})
    if what == "missing" and isinstance(keys[-1], int):
        return StudyProblem("length", keys[:-1], {"found": len(value), "wanted": 3 if "triangular" in keys else 2})
    if what == "missing":
        return StudyProblem("missing", keys, {"found": keys[-1]})
    if what in SIMPLE:
        return StudyProblem(SIMPLE[what], keys, {"found": shown(value)})
    if what in RANGES:
        bound = context.get(RANGES[what])
        side = "low" if RANGES[what].startswith("g") else "high"
        return StudyProblem("range", keys, {"found": shown(value), side: bound})
    if what == "literal_error":
        options = _choices(record, keys)
        details = {"what": "value", "found": value, "near": nearest(str(value), options), "options": options}
        return StudyProblem("option", keys, details)
    if what == "too_short" and keys == ("outcomes",):
        return StudyProblem("study_no_outcomes", keys)
    if what == "too_long":
        return StudyProblem("length", keys, {"found": len(value), "wanted": context.get("max_length")})
    if what == "replications_range":
        return StudyProblem("range", keys, {"found": context["found"], "low": 1, "high": context["high"]})
    if what in OF_FACTOR:
        part = OF_FACTOR[what]
        return StudyProblem(what, ("factors", context["path"], *([part] if part else [])), dict(context))
    if what == "study_stop_outcome":
        options = tuple(context["options"].split(", "))
        details = {"found": context["found"], "near": nearest(context["found"], options), "options": options}
        return StudyProblem(what, ("replications", "outcome"), details)
    if what in ABOUT:
        return StudyProblem(what, (ABOUT[what],), dict(context))
    reason = item["msg"].removeprefix("Value error, ")
    return StudyProblem(what if what.startswith(("factor_", "study_", "replications_", "figure_")) else "rule", keys,
                        {**context, "reason": reason})  # fmt: skip


def _record_at(record: type[BaseModel], keys: Keys) -> type[BaseModel]:
    """Return the record that a place lies in."""
    from churnsim.studies.factors import Factor
    from churnsim.studies.figures import Figure
    from churnsim.studies.study import Replications

    if len(keys) < 2:
        return record
    if keys[0] in ("factors", "levers", "futures"):
        return Factor if len(keys) > 2 else record
    if keys[0] == "figures":
        return Figure if len(keys) > 2 else record
    if keys[0] == "replications":
        return Replications
    field = record.model_fields.get(str(keys[0]))
    inner = () if field is None else (field.annotation, *get_args(field.annotation))
    return next((part for part in inner if isinstance(part, type) and issubclass(part, BaseModel)), record)


def _fields(record: type[BaseModel], keys: Keys) -> tuple[str, ...]:
    """Return the settings there are where an unknown one was found."""
    return tuple(_record_at(record, keys).model_fields)


def _choices(record: type[BaseModel], keys: Keys) -> tuple[str, ...]:
    """Return what a setting with a fixed list of values may be."""
    from churnsim.config.shape import kind_of_field

    fields = _record_at(record, keys).model_fields
    return tuple(map(str, kind_of_field(fields[str(keys[-1])]).choices)) if str(keys[-1]) in fields else ()

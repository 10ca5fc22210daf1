"""What lies where in a scenario: the kind of every setting, read off the records themselves."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from churnsim.config.distributions import KINDS, Constant
from churnsim.config.scenario import ScenarioRecord
from churnsim.declarations import Declaration, Record, declaration, of_trait
from churnsim.strategies import REGISTRY, Strategy

DISTRIBUTIONS: dict[str, type[Record]] = {get_args(kind.model_fields["dist"].annotation)[0]: kind for kind in KINDS}
"""Every distribution by its name in a file."""


RELATIVE_UNITS = ("1", "per tick", "per stay")
"""Units of shares and rates."""


@dataclass(frozen=True)
class Kind:
    """The kind of one setting.

    Attributes
    ----------
    form : str
        ``record`` (named settings), ``mapping`` (names of the user's choice),
        ``list``, ``distribution``, ``strategy``, or ``leaf`` (a single value).
    record : type of Record or None
        What a record is, or what a mapping's or a list's items are.
    annotation : Any
        Type of a leaf.
    about : Declaration or None
        What is known about the setting.
    default : Any
        Its default, where that is a record.
    """

    form: str
    record: type[Record] | None = None
    annotation: Any = None
    about: Declaration | None = None
    default: Any = None

    @property
    def is_number(self) -> bool:
        """Whether a leaf holds a number."""
        return self.form == "leaf" and bool({int, float} & set(_members(self.annotation)))

    @property
    def is_whole(self) -> bool:
        """Whether a leaf holds a whole number."""
        members = _members(self.annotation)
        return self.form == "leaf" and int in members and float not in members

    @property
    def choices(self) -> tuple[str, ...]:
        """What a leaf may be, where that is a fixed list."""
        for member in _members(self.annotation):
            if get_origin(member) is Literal:
                return get_args(member)
        return ()

    @property
    def takes_percentage(self) -> bool:
        """Whether a number may be written as a percentage: shares and rates, not money or counts."""
        unit = self.about.unit if self.about else "1"
        return self.is_number and not self.is_whole and (unit in RELATIVE_UNITS or unit.startswith("share"))


ROOT = Kind("record", ScenarioRecord)


def _members(annotation: Any) -> tuple[Any, ...]:
    """Members of a union, or the type itself."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(
            get_args(member)[0] if get_origin(member) is Annotated else member for member in get_args(annotation)
        )
    return (annotation,)


def kind_of_field(field: FieldInfo) -> Kind:
    """Return the kind of a record's field."""
    annotation, about = field.annotation, declaration(field) or _bare_bounds(field)
    if isinstance(annotation, type) and issubclass(annotation, Strategy):
        return Kind("strategy", about=about)
    members = [member for member in _members(annotation) if isinstance(member, type) and issubclass(member, Record)]
    if any(member is Constant for member in members):
        return Kind("distribution", about=about, default=field.default)
    if members:
        return Kind("record", members[0], about=about)
    args = get_args(annotation)
    if get_origin(annotation) is dict and isinstance(args[1], type) and issubclass(args[1], Record):
        return Kind("mapping", args[1], about=about)
    if get_origin(annotation) is tuple:
        item = args[0] if isinstance(args[0], type) and issubclass(args[0], Record) else None
        return Kind("list", item, args[0], about)
    return Kind("leaf", annotation=annotation, about=about)


def _bare_bounds(field: FieldInfo) -> Declaration | None:
    """Bounds of a field that is no parameter and has no declaration."""
    low = next((item.ge for item in field.metadata if hasattr(item, "ge")), None)
    high = next((item.le for item in field.metadata if hasattr(item, "le")), None)
    return None if low is None and high is None else Declaration({}, "1", "", low, high)


def record_of(kind: Kind, value: Any) -> type[Record] | None:
    """Return the record type that describes `value`, or None where it has no named settings."""
    if isinstance(value, Record):
        return type(value)
    if kind.form == "distribution":
        return DISTRIBUTIONS.get(value.get("dist", "constant")) if isinstance(value, Mapping) else Constant
    if kind.form == "strategy":
        name = value.get("name") if isinstance(value, Mapping) else value
        return REGISTRY.get(name) if isinstance(name, str) else None
    return kind.record if kind.form == "record" else None


def settings_of(kind: Kind, value: Any) -> tuple[str, ...]:
    """Return the names that may stand directly below a setting."""
    if kind.form == "mapping":
        return tuple(value or ())
    record = record_of(kind, value)
    return tuple(record.model_fields) if record else ()


def child(kind: Kind, value: Any, key: str) -> Kind | None:
    """Return the kind of what stands below `key`, or None where nothing may stand there."""
    if kind.form == "mapping":
        return Kind("record", kind.record)
    record = record_of(kind, value)
    if record is None or key not in record.model_fields:
        return None
    below = kind_of_field(record.model_fields[key])
    return replace(below, about=of_trait(below.about, kind.about)) if kind.form == "distribution" else below


def thawed(kind: Kind, value: Any) -> dict[str, Any]:
    """Return one level of a setting as a dict that may be changed."""
    if isinstance(value, Record):
        return {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return dict(value)
    if kind.form == "strategy" and isinstance(value, str):
        return {"name": value}
    if kind.form == "distribution" and isinstance(value, (int, float)):
        return {"dist": "constant", "value": value}
    return {}

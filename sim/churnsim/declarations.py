"""How a parameter is declared: once, with everything anybody will ask about it.

A declaration gives a parameter its default, unit, hard bounds, plausible range,
labels in English and Chinese, and the source of its number. Validation, error
messages, documentation, ``churnsim show``, JSON Schema and experiment designs
all read this one declaration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

ASSUMED = "assumed"
"""Source of every number that is ours and nobody else's."""


class Record(BaseModel):
    """Base of everything that is configured: immutable, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


@dataclass(frozen=True)
class Declaration:
    """What is known about one parameter besides its value.

    Attributes
    ----------
    label : dict of str to str
        Short name, by language (``en``, ``zh``).
    unit : str
        Unit of the value; ``currency`` stands for the scenario's own currency,
        ``1`` for a pure number.
    source : str
        Where the default comes from; ``assumed`` where it is ours.
    low, high : float or None
        Hard bounds, both inclusive; outside them the model has no meaning.
    plausible : tuple of float or None
        Range in which published values lie, for sliders and sensitivity designs.
    """

    label: dict[str, str]
    unit: str
    source: str
    low: float | None = None
    high: float | None = None
    plausible: tuple[float, float] | None = None


def declared(
    default: Any = ...,
    *,
    en: str,
    zh: str,
    unit: str = "1",
    source: str = ASSUMED,
    low: float | None = None,
    high: float | None = None,
    plausible: tuple[float, float] | None = None,
    factory: Any = None,
) -> Any:
    """Declare a parameter; the result is a pydantic field.

    Parameters
    ----------
    default
        Default value; ``...`` makes the parameter required.
    en, zh
        Label in English and Chinese.
    unit
        Unit of the value, ``1`` for a pure number, ``currency`` for money.
    source
        Where the default comes from.
    low, high
        Hard bounds (inclusive), checked on numbers by pydantic.
    plausible
        Range of published or sensible values; must lie within the bounds.
    factory
        Zero-argument callable that makes the default, instead of `default`.
    """
    about = Declaration({"en": en, "zh": zh}, unit, source, low, high, plausible)
    kwargs: dict[str, Any] = {"title": en, "json_schema_extra": {"unit": unit, "source": source, "zh": zh}}
    # A distribution is not a number: its bounds are checked where it is used.
    if not isinstance(default, BaseModel):
        kwargs |= {"ge": low, "le": high}
    if factory is not None:
        kwargs["default_factory"] = factory
    else:
        kwargs["default"] = default
    field: FieldInfo = Field(**kwargs)
    field.metadata.append(about)
    return field


AS_TRAIT = "as the trait"
"""Unit of a distribution's parameter that has the unit of what is distributed."""


def of_trait(about: Declaration | None, trait: Declaration | None) -> Declaration | None:
    """Return a declaration with the unit of the trait that it belongs to, where it has no unit of its own."""
    if about is None or about.unit != AS_TRAIT:
        return about
    return replace(about, unit="1" if trait is None else trait.unit)


def declaration(field: FieldInfo) -> Declaration | None:
    """Return the declaration that a pydantic field carries, if it carries one."""
    return next((item for item in field.metadata if isinstance(item, Declaration)), None)


def walk(record: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any, Declaration | None]]:
    """Yield ``(dotted path, value, declaration)`` of every parameter below a record.

    Mappings are entered by their keys, so a firm's price is ``firms.eton.price``.
    """
    yield from _walk_record(record, prefix, None)


def _walk_record(
    record: BaseModel, prefix: str, trait: Declaration | None
) -> Iterator[tuple[str, Any, Declaration | None]]:
    """Yield what lies below a record, which may be the distribution of a trait."""
    for name, field in type(record).model_fields.items():
        yield from _walk_value(getattr(record, name), f"{prefix}{name}", of_trait(declaration(field), trait))


def _walk_value(value: Any, path: str, about: Declaration | None) -> Iterator[tuple[str, Any, Declaration | None]]:
    """Yield one value, or what lies below it."""
    if isinstance(value, BaseModel):
        yield from _walk_record(value, f"{path}.", about)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _walk_value(item, f"{path}.{key}", about)
    else:
        yield path, value, about


REQUIRED = object()
"""Stands for the default of a parameter that has none."""


def defaults(record: BaseModel) -> dict[str, Any]:
    """Return the declared default of every parameter below a record by dotted path; `REQUIRED` where there is none.

    What a mapping or a choice of records holds (a firm, a strategy, a distribution) has the defaults of the record that
    is there, unless the default is a record of the same kind: then what that one says.
    """
    return dict(_usual_record(record, REQUIRED, ""))


def _usual_record(record: BaseModel, usual: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the defaults of what lies below a record."""
    for name, field in type(record).model_fields.items():
        if type(usual) is type(record):
            other = getattr(usual, name)
        else:
            other = REQUIRED if field.is_required() else field.get_default(call_default_factory=True)
        yield from _usual_value(getattr(record, name), other, f"{prefix}{name}")


def _usual_value(value: Any, usual: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the default of one value, or of what lies below it."""
    if isinstance(value, BaseModel):
        yield from _usual_record(value, usual, f"{path}.")
    elif isinstance(value, dict):
        known = usual if isinstance(usual, dict) else {}
        for key, item in value.items():
            yield from _usual_value(item, known.get(key, REQUIRED), f"{path}.{key}")
    else:
        yield path, usual

"""Look up texts by key."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

LANGUAGES: tuple[str, ...] = ("en", "zh")
FORMS = re.compile(r"\{(\w+)\|([^|{}]*)\|([^|{}]*)(?:\|([^|{}]*))?\}")
"""Words in one form for one thing, in another for several and, where a third is given, in that for none."""


@cache
def _table(language: str) -> dict[str, str]:
    """Read one language's files into dotted keys."""
    if language not in LANGUAGES:
        raise ValueError(f"unknown language '{language}' ({', '.join(LANGUAGES)})")
    table: dict[str, str] = {}

    def flatten(node: dict, prefix: str) -> None:
        for key, value in node.items():
            if isinstance(value, dict):
                flatten(value, f"{prefix}{key}.")
            else:
                table[prefix + key] = value

    parts = sorted((files("churnsim.i18n") / language).iterdir(), key=lambda part: part.name)
    for part in parts:
        if part.name.endswith(".json"):
            flatten(json.loads(part.read_text(encoding="utf-8")), "")
    return table


def keys(language: str = "en") -> tuple[str, ...]:
    """Return every key of one language, in the order of its files."""
    return tuple(_table(language))


def has_text(key: str) -> bool:
    """Tell whether a key exists."""
    return key in _table("en")


def text(key: str, lang: str = "en", **values: object) -> str:
    """Return the text of a key with its placeholders filled in.

    Parameters
    ----------
    key
        Dotted key, such as ``plot.share.title``.
    lang
        ``en`` or ``zh``.
    values
        What stands for the ``{placeholders}`` of the text. ``{n|run|runs}`` is the first word where ``n`` is 1, else
        the second; of three words the third stands where ``n`` is 0. ``#`` in such a word is the number.
    """
    table = _table(lang)
    if key not in table:
        raise KeyError(f"no text '{key}' in {lang}")
    if not values:
        return table[key]
    return FORMS.sub(lambda form: _form(form, str(values[form[1]])), table[key]).format(**values)


def _form(form: re.Match[str], number: str) -> str:
    """Return the form of a word that goes with a number."""
    none = form[3] if form[4] is None else form[4]
    return {"0": none, "1": form[2]}.get(number, form[3]).replace("#", number)

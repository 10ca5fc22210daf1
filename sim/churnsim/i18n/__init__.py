"""Every text that a user sees, in English and Chinese, and how numbers are written.

The texts are in ``en/*.json`` and ``zh/*.json``, a file per part of the program; both have the same keys.
"""

from __future__ import annotations

from churnsim.i18n.numbers import count, digits_in, money, money_digits, money_unit, number, percent, scaled_currency
from churnsim.i18n.texts import LANGUAGES, has_text, keys, text

__all__ = [
    "LANGUAGES",
    "count",
    "digits_in",
    "has_text",
    "keys",
    "money",
    "money_digits",
    "money_unit",
    "number",
    "percent",
    "scaled_currency",
    "text",
]

"""Every text that a user sees, in English and Chinese, and how numbers are written.

The texts are in ``en/*.json`` and ``zh/*.json``, a file per part of the program; both have the same keys.
"""

from __future__ import annotations

from churnsim.i18n.numbers import count, money, money_unit, number, percent
from churnsim.i18n.texts import LANGUAGES, has_text, keys, text

__all__ = ["LANGUAGES", "count", "has_text", "keys", "money", "money_unit", "number", "percent", "text"]

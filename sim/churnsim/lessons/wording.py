"""How the values of a lesson's table are written."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from churnsim.i18n import money, number, percent, text

if TYPE_CHECKING:
    from churnsim.lessons.records import Unit

SMALL = 10
"""Below this a plain number has a digit behind its point."""


def written(value: float, unit: Unit, currency: str = "CNY", lang: str = "en") -> str:
    """Return a value of a table as text.

    Parameters
    ----------
    value
        The value; a share for ``percent`` and ``points``.
    unit
        How it is written.
    currency
        Of the scenario, for ``money``.
    lang
        ``en`` or ``zh``.
    """
    if unit == "money":
        return money(value, currency, lang)
    if unit == "percent":
        return percent(value, 1 if abs(value) < 0.2 else 0)
    if unit == "points":
        return text("lesson.points", lang, value=number(100 * value, 2))
    if unit == "index":
        return number(value, 2)
    return number(value, 1 if math.isfinite(value) and abs(value) < SMALL else 0)

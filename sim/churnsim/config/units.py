"""Units in the reader's language, and in the words of the scenario's trade."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from churnsim.config.messages import UNITS_ZH

if TYPE_CHECKING:
    from churnsim.config.scenario import ScenarioRecord

HOTEL = re.compile("hotel|酒店|宾馆|旅馆", re.IGNORECASE)
"""Words by which a scenario says that what it sells is a stay."""

PURCHASES = (
    (re.compile(r"\bstays\b"), "purchases"), (re.compile(r"\bstay\b"), "purchase"),
    (re.compile("次入住"), "次购买"), (re.compile("入住"), "购买"),
)  # fmt: skip
"""What a stay is called where no hotel is spoken of."""


def sells_stays(scenario: ScenarioRecord) -> bool:
    """Return whether a scenario calls itself, its question or one of its firms a hotel."""
    said = [scenario.id, scenario.name]
    for told in (scenario.title, scenario.question, *(firm.name for firm in scenario.firms.values())):
        said += [told.en, told.zh]
    return any(HOTEL.search(words) for words in said)


def in_its_trade(words: str, scenario: ScenarioRecord) -> str:
    """Return a unit or a label in the words of the scenario's trade: a stay is a purchase outside hotels."""
    if sells_stays(scenario):
        return words
    for stay, purchase in PURCHASES:
        words = stay.sub(purchase, words)
    return words


def unit_told(unit: str, scenario: ScenarioRecord, lang: str) -> str:
    """Return a declared unit in the reader's language and in the words of the scenario's trade."""
    return in_its_trade(UNITS_ZH.get(unit, unit) if lang == "zh" else unit, scenario)

"""From what a scenario says of a firm's dealings to the engine's numbers, and what is measured of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from churnsim.config import conduct as families
from churnsim.config.firms import Firm as FirmConfig
from churnsim.config.mechanisms import Mechanisms
from churnsim.declarations import Declaration, Record, declaration
from churnsim.engine.conduct import Conduct
from churnsim.engine.levers import ELITE_SHARE, FACTS, IMAGE, LEVERS, MORALE, OFFER_KINDS, PROGRAMMES, TECHNOLOGY

SCALES = (
    "staff.pay_scale", "reminders.scale", "card.club_scale", "card.perks_scale", "listening.scale",
    "advertising.scale", "innovation.scale", "responsibility.scale",
)  # fmt: skip
"""Parameters that say how much money has 63 % of its full effect, in the order of the programmes."""

SWITCHES: tuple[tuple[str, ...], ...] = (
    ("employees",), ("reminders",), ("loyalty_card",), ("loyalty_card",), ("listening", "life_cycle"),
    ("acquisition",), ("innovation",), ("ethics",),
)  # fmt: skip
"""The mechanisms that each programme serves, in their order; it works while one of them is on."""

NATURE = {
    "usual_morale": "staff.usual_morale", "morale_speed": "staff.adjustment", "strain": "staff.strain",
    "quit_rate": "staff.quitting", "attrition": "staff.attrition", "progress": "innovation.rate",
    "image_speed": "responsibility.recovery", "fit_speed": "listening.speed", "fit_drift": "listening.drift",
}  # fmt: skip
"""Columns of the conduct that a parameter fills as it is."""

if not len(SCALES) == len(SWITCHES) == len(PROGRAMMES):
    raise AssertionError("every programme has a scale and a switch")


def _fields() -> dict[str, tuple[str, str]]:
    """Return the group and the field of every lever and fact, by its name in the engine."""
    found: dict[str, tuple[str, str]] = {}
    for group, field in FirmConfig.model_fields.items():
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, Record) and kind.__module__ == families.__name__:
            found |= {f"{group}_{name}": (group, name) for name in kind.model_fields}
    return found


FIELDS = _fields()
"""Group and field of every parameter of a firm's dealings, by the name ``group_field``."""


def about(lever: str) -> Declaration:
    """Return the declaration of a lever of dealings."""
    group, name = FIELDS[lever]
    record: Any = FirmConfig.model_fields[group].annotation
    found = declaration(record.model_fields[name])
    if found is None:
        raise KeyError(lever)
    return found


def number_of(value: Any) -> float:
    """Return a lever's value as a number: a kind of offer by its place, a truth value as 0 or 1."""
    return float(OFFER_KINDS.index(value)) if isinstance(value, str) else float(value)


def parameter(firm: Record, path: str) -> float:
    """Return a parameter of a firm by group and field, as a number."""
    group, name = path.split(".")
    return number_of(getattr(getattr(firm, group), name))


def read_conduct(conduct: Conduct, r: int, j: int, firm: FirmConfig) -> None:
    """Take what a scenario says of firm `j` of market `r` at present; leaps and scandals happen as they are raised."""
    for place, name in enumerate((*LEVERS, *FACTS)):
        conduct.listed[r, j, place] = parameter(firm, ".".join(FIELDS[name]))
    for place, path in enumerate(SCALES):
        conduct.scales[r, j, place] = parameter(firm, path)
    for column, path in NATURE.items():
        getattr(conduct, column)[r, j] = parameter(firm, path)
    conduct.stocks[r, j, TECHNOLOGY] += firm.innovation.level - conduct.technology_level[r, j]
    conduct.technology_level[r, j] = firm.innovation.level
    conduct.stocks[r, j, IMAGE] -= firm.responsibility.scandal - conduct.scandal[r, j]
    conduct.scandal[r, j] = firm.responsibility.scandal


def open_conduct(conduct: Conduct, r: int, customers: np.ndarray) -> None:
    """Open the dealings of market `r`: levers as listed, staff in its usual mood, a fair share of the elite.

    `customers` (J,) per market customer.
    """
    conduct.levers[r] = conduct.listed[r]
    conduct.stocks[r, :, MORALE] = conduct.usual_morale[r]
    conduct.elite[r] = customers * conduct.listed[r, :, ELITE_SHARE]


def programmes_on(on: Mechanisms) -> np.ndarray:
    """Return whether the mechanism of each programme is on."""
    return np.array([any(getattr(on, name) for name in names) for names in SWITCHES])

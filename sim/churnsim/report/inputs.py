"""What went into a result: moves, what differs between the scenarios, and every value with its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from churnsim.declarations import walk
from churnsim.i18n import text
from churnsim.report.answers import strategy_name
from churnsim.tables import parameters

if TYPE_CHECKING:
    from churnsim.report.answers import Findings
    from churnsim.scenario import Scenario


@dataclass(frozen=True)
class Input:
    """One value that went into the runs.

    Attributes
    ----------
    path : str
        Dotted path.
    label, unit, source : str
        What it is, in the report's language; empty where it has no declaration.
    values : tuple
        One per scenario, in order; None where a scenario has no such value.
    """

    path: str
    label: str
    unit: str
    source: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        """Whether the scenarios differ in it."""
        return len(set(map(str, self.values))) > 1


def inputs(found: Findings) -> list[Input]:
    """Return every input of the report's scenarios, in the order in which they are declared."""
    from churnsim.config.messages import UNITS_ZH

    lang = found.lang
    about: dict[str, tuple[str, str, str]] = {}
    values = []
    for scenario in found.scenarios.values():
        values.append(parameters(scenario))
        for path, _, declared in walk(scenario):
            if declared is not None and path not in about:
                unit = UNITS_ZH.get(declared.unit, declared.unit) if lang == "zh" else declared.unit
                about[path] = (declared.label.get(lang, ""), "" if declared.unit == "1" else unit, declared.source)
    paths = list(dict.fromkeys(path for each in values for path in each))
    return [
        Input(path, *about.get(path, ("", "", "")), tuple(each.get(path) for each in values))
        for path in paths
        if not path.startswith("seed")
    ]


def deeds(found: Findings) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return per scenario what its firms do: each firm's strategy, then the moves with their ticks."""
    rows = []
    for name, scenario in found.scenarios.items():
        done = [(firm.name[found.lang], _strategy(firm, found.lang)) for firm in scenario.firms.values()]
        done += list(_moves(scenario, found.lang))
        rows.append((found.title(name), done))
    return rows


def _strategy(firm: Any, lang: str) -> str:
    """Return a firm's strategy with its parameters."""
    own = firm.strategy.model_dump(exclude={"name"})
    said = [
        f"{key.replace('_', ' ')} {value}"
        for key, value in own.items()
        if isinstance(value, (int, float, str)) and value
    ]
    name = strategy_name(firm.strategy.name, lang)
    return f"{name} ({', '.join(said)})" if said else name


def _moves(scenario: Scenario, lang: str) -> Iterator[tuple[str, str]]:
    """Return when something changes and what."""
    tick = text(f"tick.{scenario.tick}.name", lang)
    for move in scenario.moves:
        changes = ", ".join(f"{path} = {value}" for path, value in move.changes.items())
        note = f"{move.note[lang]}: " if move.note is not None else ""
        yield f"{tick} {move.tick}", note + changes

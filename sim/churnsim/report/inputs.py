"""What went into a result: moves, what differs between the scenarios, and every value with its source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from churnsim.config.messages import UNITS_ZH
from churnsim.declarations import walk
from churnsim.i18n import has_text, text
from churnsim.i18n.sources import source_told
from churnsim.studies.labels import label_of
from churnsim.tables import parameters

if TYPE_CHECKING:
    from churnsim.config.scenario import Move
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
    about: dict[str, tuple[str, str, str]] = {}
    values = []
    for scenario in found.scenarios.values():
        values.append(parameters(scenario))
        for path, _, declared in walk(scenario):
            if declared is not None and path not in about:
                given = declared.source
                source = found.say("assumed") if given == "assumed" else source_told(given, found.lang)
                about[path] = (label(found, path, scenario), _unit(declared.unit, scenario, found.lang), source)
            elif path not in about and (said := label(found, path, scenario)):
                about[path] = (said, "", "")
    paths = list(dict.fromkeys(path for each in values for path in each))
    return [
        Input(path, *about.get(path, ("", "", "")), tuple(each.get(path) for each in values))
        for path in paths
        if not path.startswith("seed")
    ]


def of_every_firm(found: Findings, values: Sequence[Input]) -> list[Input]:
    """Return inputs with those that are the same for every firm as one, ``firms.*.price``."""
    firms = list(dict.fromkeys(firm for scenario in found.scenarios.values() for firm in scenario.firms))
    known = {each.path: each for each in values}
    merged, done = [], set()
    for each in values:
        head, _, rest = each.path.partition(".")
        firm, _, tail = rest.partition(".")
        same = [known.get(f"firms.{other}.{tail}") for other in firms]
        if head != "firms" or not tail or len(firms) < 2 or any(other is None for other in same):
            merged.append(each)
        elif len({(other.values, other.unit, other.source) for other in same if other is not None}) > 1:
            merged.append(each)
        elif tail not in done:
            done.add(tail)
            own = found.firm_name(firm) + found.say("colon")
            merged.append(replace(each, path=f"firms.*.{tail}", label=each.label.removeprefix(own)))
    return merged


def label(found: Findings, path: str, scenario: Scenario) -> str:
    """Return what an input is called in the report's language; nothing where it has no name but its path."""
    if path.endswith(".strategy.name"):
        return found.say("strategy_of", firm=scenario.firms[path.split(".")[1]].name[found.lang])
    said = label_of(scenario, path, found.lang)
    if said != path:
        return f"{said}{found.say('comma')}{found.say('distribution')}" if path.endswith(".dist") else said
    known = path.replace(".", "_")
    return found.say(f"field.{known}") if has_text(f"report.field.{known}") else ""


def shown(found: Findings, path: str, value: Any) -> str:
    """Write an input's value for people: names of choices in the report's language."""
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return found.say("choice.true" if value else "choice.false")
    if isinstance(value, str):
        if path.endswith("strategy.name"):
            return strategy_name(value, found.lang)
        return found.say(f"choice.{value}") if has_text(f"report.choice.{value}") else value
    return f"{value:g}" if isinstance(value, float) else str(value)


def strategy_name(name: str, lang: str) -> str:
    """Return a strategy's name for people; a user's own has only its own."""
    return text(f"strategy.{name}", lang) if has_text(f"strategy.{name}") else name


def deeds(found: Findings) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what the firms do in the scenarios told of at length: strategies, then the moves with their ticks."""
    rows = []
    for name in found.drawn:
        scenario = found.scenarios[name]
        done = [(firm.name[found.lang], _strategy(found, scenario, firm)) for firm in scenario.firms.values()]
        done += list(moves(found, scenario, scenario.moves))
        rows.append((found.title(name), done))
    return rows


def _strategy(found: Findings, scenario: Scenario, firm: Any) -> str:
    """Return a firm's strategy with its parameters, by the names that they are declared with."""
    said = []
    for path, value, declared in walk(firm.strategy):
        if declared is None or not value or not isinstance(value, (int, float, str)):
            continue
        unit = f" {_unit(declared.unit, scenario, found.lang)}" if declared.unit not in ("1", "tick") else ""
        said.append(f"{declared.label[found.lang]} {shown(found, path, value)}{unit}")
    name = strategy_name(firm.strategy.name, found.lang)
    return found.say("strategy_with", name=name, details=found.say("semicolon").join(said)) if said else name


def moves(found: Findings, scenario: Scenario, dated: Sequence[Move]) -> Iterator[tuple[str, str]]:
    """Return when something changes and what, of some moves of a scenario."""
    tick = text(f"tick.{scenario.tick}.name", found.lang)
    for move in dated:
        changes = found.say("semicolon").join(
            f"{label(found, path, scenario) or path} {shown(found, path, value)}"
            for path, value in move.changes.items()
        )
        note = f"{move.note[found.lang]}{found.say('colon')}" if move.note is not None else ""
        yield found.say("tick_at", tick=tick, number=move.tick), note + changes


def _unit(unit: str, scenario: Scenario, lang: str) -> str:
    """Write a unit in the report's language, with the scenario's own currency and tick; pure numbers have none."""
    if unit == "1":
        return ""
    tick, key = text(f"tick.{scenario.tick}.name", lang), f"currency.{scenario.currency}"
    currency = text(key, lang) if has_text(key) else scenario.currency
    if lang == "zh":
        return UNITS_ZH.get(unit, unit).replace("货币", currency).replace("期", tick)
    many = text(f"tick.{scenario.tick}.plural", lang).lower()
    return re.sub(r"\btick\b", tick.lower(), re.sub(r"\bticks\b", many, unit.replace("currency", currency)))

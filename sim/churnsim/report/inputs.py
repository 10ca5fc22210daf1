"""What went into a result: moves, what differs between the scenarios, and every value with its source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from churnsim.config.messages import UNITS_ZH
from churnsim.config.units import in_its_trade, unit_told
from churnsim.declarations import REQUIRED, Declaration, defaults, walk
from churnsim.i18n import has_text, percent, text
from churnsim.i18n.sources import source_told
from churnsim.report.quantities import TINY
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
        What it is, in the report's language; empty where it has no declaration. The source is that of the declared
        default only where the scenarios have that default.
    share_of : str
        What the value is a share of; empty where it is none.
    values : tuple
        One per scenario, in order; None where a scenario has no such value.
    """

    path: str
    label: str
    unit: str
    source: str
    share_of: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        """Whether the scenarios differ in it."""
        return len(set(map(str, self.values))) > 1


def inputs(found: Findings) -> list[Input]:
    """Return every input of the report's scenarios, in the order in which they are declared."""
    about: dict[str, tuple[str, str]] = {}
    declared: dict[str, Declaration] = {}
    values, usual = [], []
    for scenario in found.scenarios.values():
        values.append(parameters(scenario))
        usual.append(defaults(scenario))
        for path, _, known in walk(scenario):
            if path not in values[-1] or path in declared:
                continue
            if known is not None:
                declared[path] = known
                about[path] = (label(found, path, scenario), _unit(known.unit, scenario, found.lang))
            elif path not in about and (said := label(found, path, scenario)):
                about[path] = (said, "")
    paths = list(dict.fromkeys(path for each in values for path in each))
    return [
        Input(
            path, *about.get(path, ("", "")), _source(found, path, declared.get(path), values, usual),
            share_of(declared[path].unit, found.lang) if path in declared else "",
            tuple(each.get(path) for each in values),
        )
        for path in paths
        if not path.startswith("seed")
    ]  # fmt: skip


def _source(
    found: Findings, path: str, declared: Declaration | None, values: Sequence[Mapping[str, Any]],
    usual: Sequence[Mapping[str, Any]],
) -> str:  # fmt: skip
    """Say where a value comes from: of the default what its declaration says, of others that they are set."""
    if declared is None:
        return ""
    told = found.say("assumed") if declared.source == "assumed" else source_told(declared.source, found.lang)
    pairs = zip(values, usual, strict=True)
    set_here = [_is_set(own[path], given.get(path, REQUIRED)) for own, given in pairs if path in own]
    if all(set_here):
        return found.say("set_here")
    return found.say("set_in_some", source=told) if any(set_here) else told


def _is_set(value: Any, usual: Any) -> bool:
    """Return whether a value is another than the declared default; lists are compared as the texts that inputs are."""
    if isinstance(usual, (tuple, list)):
        return str(value) != ", ".join(map(str, usual))
    return bool(usual is REQUIRED or value != usual)


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
    if re.fullmatch(r"firms\.\w+\.strategy(\.name)?", path):
        return found.say("strategy_of", firm=scenario.firms[path.split(".")[1]].name[found.lang])
    said = label_of(scenario, path, found.lang)
    if said != path:
        said = _in_its_ticks(in_its_trade(said, scenario), scenario, found.lang)
        return f"{said}{found.say('comma')}{found.say('distribution')}" if path.endswith(".dist") else said
    known = path.replace(".", "_")
    return found.say(f"field.{known}") if has_text(f"report.field.{known}") else ""


def shown(found: Findings, path: str, value: Any) -> str:
    """Write an input's value for people: names of choices in the report's language."""
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return found.say("choice.true" if value else "choice.false")
    if isinstance(value, Mapping):  # a strategy that a move sets with its parameters
        name = strategy_name(str(value.get("name", "")), found.lang)
        words = (f"{key} {shown(found, key, one)}" for key, one in value.items() if key != "name")
        details = found.say("semicolon").join(words)
        return found.say("strategy_with", name=name, details=details) if details else name
    if isinstance(value, str):
        if path.endswith(("strategy.name", ".strategy")):
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
        about = small(_in_its_ticks(in_its_trade(declared.label[found.lang], scenario), scenario, found.lang))
        said.append(told(found, scenario, about, declared.unit, shown(found, path, value), value))
    name = strategy_name(firm.strategy.name, found.lang)
    return found.say("strategy_with", name=name, details=found.say("semicolon").join(said)) if said else name


def told(
    found: Findings, scenario: Scenario, about: str, unit: str, written: str, value: Any, *, mark: str | None = None
) -> str:  # fmt: skip
    """Write what a value is within a sentence: "depth of the cut: 20 % of the list price".

    Parameters
    ----------
    found, scenario
        The report, and the scenario that has the value.
    about, unit
        Label in the report's language, and the unit as it is declared.
    written, value
        The value for people, and as it is.
    mark
        What stands between label and value; a colon unless said.
    """
    tick = text(f"tick.{scenario.tick}.name", found.lang)
    if unit == "tick" and value is not None:
        said = found.say("tick_at", tick=tick, number=written) if found.lang == "zh" else written
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and (whole := share_of(unit, found.lang)):
        said = found.say("share_of", share=in_percent(value), whole=whole)
    else:
        words = _unit(unit, scenario, found.lang)
        said = f"{written} {words}" if words and value is not None else written
    return f"{about}{found.say('colon') if mark is None else mark}{said}"


def small(words: str) -> str:
    """Write a label as it stands within a sentence."""
    return words[:1].lower() + words[1:]


def share_of(unit: str, lang: str) -> str:
    """Return what a declared unit is a share of, in the report's language; empty where it is none."""
    if not unit.startswith("share of "):
        return ""
    return UNITS_ZH.get(unit, unit).removesuffix("的比例") if lang == "zh" else unit.removeprefix("share of ")


def in_percent(value: float) -> str:
    """Write a share as per cent with the digits that it has, up to two."""
    digits = next((digits for digits in (0, 1) if abs(round(100 * value, digits) - 100 * value) < TINY), 2)
    return percent(value, digits)


def moves(
    found: Findings, scenario: Scenario, dated: Sequence[Move], *, brief: bool = False
) -> Iterator[tuple[str, str]]:
    """Return when something changes and what, of some moves of a scenario; in brief a move's own note says it."""
    tick = text(f"tick.{scenario.tick}.name", found.lang)
    for move in dated:
        changes = found.say("semicolon").join(
            f"{label(found, path, scenario) or path} {shown(found, path, value)}"
            for path, value in move.changes.items()
        )
        note = f"{move.note[found.lang]}{found.say('colon')}" if move.note is not None else ""
        what = move.note[found.lang] if brief and move.note is not None else note + changes
        yield found.say("tick_at", tick=tick, number=move.tick), what


def _unit(unit: str, scenario: Scenario, lang: str) -> str:
    """Write a unit in the report's language, with the scenario's own currency and tick; pure numbers have none."""
    if unit == "1":
        return ""
    tick, key = text(f"tick.{scenario.tick}.name", lang), f"currency.{scenario.currency}"
    currency = text(key, lang) if has_text(key) else scenario.currency
    said = unit_told(unit, scenario, lang)
    if lang == "zh":
        return said.replace("货币", currency).replace("期", tick)
    return _in_its_ticks(said.replace("currency", currency), scenario, lang)


def _in_its_ticks(words: str, scenario: Scenario, lang: str) -> str:
    """Say month for tick, or whatever a tick of the scenario is; Chinese labels have no such word."""
    if lang == "zh":
        return words
    one, many = text(f"tick.{scenario.tick}.name", lang), text(f"tick.{scenario.tick}.plural", lang)
    for tick, said in (("tick", one.lower()), ("ticks", many.lower()), ("Tick", one), ("Ticks", many.capitalize())):
        words = re.sub(rf"\b{tick}\b", said, words)
    return words

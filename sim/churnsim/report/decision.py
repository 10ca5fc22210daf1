"""Whose decision a report is about: which scenarios are a firm's choices, and which are worlds that it finds itself in.

A scenario is split in two: what the firm does itself (its own settings, strategy and moves), and everything else, which
it cannot choose: rivals, customers, mechanisms. Scenarios that agree in everything else are choices in the same world,
and only their differences say what a choice is worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from churnsim.tables import parameters

if TYPE_CHECKING:
    from churnsim.results import Result
    from churnsim.scenario import Scenario

Facts = frozenset[tuple[str, str]]
"""Values by dotted path, as texts; those of a move with its tick."""


@dataclass(frozen=True)
class World:
    """Scenarios that differ in nothing but what one firm does.

    Attributes
    ----------
    names : tuple of str
        The scenarios; the one that the others are compared with first.
    is_choice : bool
        Whether the firm does different things in them.
    """

    names: tuple[str, ...]
    is_choice: bool


@dataclass(frozen=True)
class Decision:
    """A firm's choices in a result.

    Attributes
    ----------
    firm : str
        The firm that the report is about.
    baseline, main : str
        What is compared, the scenario in the foreground last.
    worlds : tuple of World
        That of the scenario in the foreground first, then those in which the firm has a choice, too, then the others.
    references : dict of str to str
        By scenario: the one that it is compared with. In the same world their difference is what the choice is worth,
        elsewhere what the world makes of the same conduct. Scenarios that nothing is comparable to are absent.
    is_choice : bool
        Whether baseline and foreground differ in what the firm does, and in nothing else.
    one_baseline : bool
        Whether everything is compared with the baseline: because somebody asked for it, or there is no choice.
    firms : tuple of str
        All firms that have a choice somewhere in the result.
    """

    firm: str
    baseline: str
    main: str
    worlds: tuple[World, ...]
    references: Mapping[str, str]
    is_choice: bool
    one_baseline: bool
    firms: tuple[str, ...]


def conduct(scenario: Scenario, firm: str) -> Facts:
    """Return what a firm does in a scenario: its own settings, strategy and moves."""
    return frozenset(fact for fact in _facts(scenario) if _is_of(fact[0], firm))


def world(scenario: Scenario, firm: str) -> Facts:
    """Return everything in a scenario that is not for the firm to choose."""
    return frozenset(fact for fact in _facts(scenario) if not _is_of(fact[0], firm))


def decided(
    result: Result, *, firm: str | None = None, baseline: str | None = None, main: str | None = None
) -> Decision:
    """Find out what the choice is.

    Parameters
    ----------
    result
        Runs of one or several scenarios.
    firm
        Whose choice it is; by default the first firm that has one in the world of the scenario that is named (or comes
        first), else the first that has one anywhere, else the first.
    baseline, main
        Scenario that all others are compared with, and the one in the foreground. By default both are of one world:
        that of the one that is named, else the first in which the firm has a choice. The baseline is then the
        scenario in which the firm does nothing, else a control arm, else the first. Where the firm has no choice
        there it is another scenario with the same conduct as the one that was named, else the scenario in which
        nobody acts, else a control arm, else the first.

    Raises
    ------
    ValueError
        If there is no such firm or scenario, or the baseline is the scenario in the foreground.
    """
    scenarios = result.scenarios
    named = [result.scenario_name(name) for name in (main, baseline) if name is not None]
    start = named[0] if named else next(iter(scenarios))
    firms = tuple(scenarios[start].firms)
    if firm is not None and firm not in firms:
        raise ValueError(f"unknown firm '{firm}' ({', '.join(firms)})")
    controls = _controls(scenarios)
    worlds = {one: _worlds(scenarios, one, controls) for one in firms}
    deciding = tuple(one for one in firms if any(each.is_choice for each in worlds[one]))
    if firm is None:
        here = [one for one in firms if any(start in each.names and each.is_choice for each in worlds[one])]
        firm = next(iter([*here, *deciding, *firms]))
    # A scenario that was named decides on the world, if the firm has a choice there.
    about = sorted(worlds[firm], key=lambda each: (not each.is_choice, not (named and start in each.names)))
    first, fixed = about[0], baseline is not None
    if not first.is_choice or (named and start not in first.names):
        first = World(tuple(scenarios), False)
        base = named[-1] if fixed else _alike(scenarios, firm, main and named[0]) or _usual(scenarios, controls)
    else:
        base = named[-1] if fixed else first.names[0]
    base, main = _pair(result, first, base, named[0] if main is not None else None, fixed=fixed)
    ordered = _ordered(about, main)
    same = world(scenarios[main], firm) == world(scenarios[base], firm)
    is_choice = same and conduct(scenarios[main], firm) != conduct(scenarios[base], firm)
    everything = {name: base for name in scenarios if name != base}
    one = fixed or not is_choice
    references = everything if one else _references(scenarios, firm, ordered, base, main)
    return Decision(firm, base, main, ordered, references, is_choice, one, deciding)


def _pair(result: Result, first: World, base: str, main: str | None, *, fixed: bool) -> tuple[str, str]:
    """Return baseline and foreground; a foreground that would be the baseline is compared with another one."""
    names = list(result.scenarios)
    if main is not None and main == base and not fixed:
        base = next((name for name in [*first.names, *names] if name != main), main)
    if main is None:
        main = next((name for name in [*first.names, *names] if name != base), base)
    if main == base and len(names) > 1:
        raise ValueError(f"'{main}' cannot be compared with itself; name another baseline ({', '.join(names)})")
    return base, main


@lru_cache(maxsize=64)
def _facts(scenario: Scenario) -> list[tuple[str, str]]:
    """Return every value of a scenario by dotted path, those of moves with their ticks."""
    facts = [(path, str(value)) for path, value in parameters(scenario).items() if not path.startswith("seed")]
    moved = [(path, f"{value}@{move.tick}") for move in scenario.moves for path, value in move.changes.items()]
    return facts + moved


def _is_of(path: str, firm: str) -> bool:
    """Tell whether a value is a firm's own."""
    return path.startswith(f"firms.{firm}.")


def _worlds(scenarios: Mapping[str, Scenario], firm: str, controls: set[str]) -> list[World]:
    """Return a firm's worlds in order of appearance, in each the scenario first that others are compared with."""
    groups: dict[Facts, list[str]] = {}
    for name, scenario in scenarios.items():
        groups.setdefault(world(scenario, firm), []).append(name)
    found = []
    for names in groups.values():
        first = min(names, key=lambda name: (not _is_idle(scenarios[name], firm), name not in controls))
        ordered = (first, *(name for name in names if name != first))
        found.append(World(ordered, len({conduct(scenarios[name], firm) for name in names}) > 1))
    return found


def _ordered(worlds: list[World], main: str) -> tuple[World, ...]:
    """Return worlds as a report tells of them."""
    return tuple(sorted(worlds, key=lambda each: (main not in each.names, not each.is_choice)))


def _references(
    scenarios: Mapping[str, Scenario], firm: str, worlds: tuple[World, ...], base: str, main: str
) -> dict[str, str]:
    """Return what every scenario is compared with."""
    conducts = {name: conduct(scenario, firm) for name, scenario in scenarios.items()}
    here = [main, *worlds[0].names]
    found = {}
    for each in worlds:
        like_base = [name for name in each.names if conducts[name] == conducts[base]]
        first = base if base in each.names else (like_base or list(each.names))[0]
        for name in each.names:
            if name != first and each.is_choice:
                found[name] = first
            elif base not in each.names and not each.is_choice:
                alike = next((other for other in here if conducts[other] == conducts[name]), None)
                if alike is not None:
                    found[name] = alike
    return found


def _alike(scenarios: Mapping[str, Scenario], firm: str, main: str | None) -> str | None:
    """Return a scenario in which a firm does what it does in the foreground, in another world."""
    if main is None:
        return None
    same = (name for name in scenarios if conduct(scenarios[name], firm) == conduct(scenarios[main], firm))
    return next((name for name in same if name != main), None)


def _usual(scenarios: Mapping[str, Scenario], controls: set[str]) -> str:
    """Return the scenario in which nobody acts, else a control arm, else the first."""
    for name, scenario in scenarios.items():
        if all(_is_idle(scenario, firm) for firm in scenario.firms) and not scenario.moves:
            return name
    return next((name for name in scenarios if name in controls), next(iter(scenarios)))


def _is_idle(scenario: Scenario, firm: str) -> bool:
    """Tell whether a firm does nothing: no strategy, and no moves of its own."""
    moved = any(_is_of(path, firm) for move in scenario.moves for path in move.changes)
    return scenario.firms[firm].strategy.name == "passive" and not moved


def _controls(scenarios: Mapping[str, Scenario]) -> set[str]:
    """Return which scenarios are control arms: of a case that was run as well, else of the built-in scenario."""
    from churnsim.config.loading import builtin_names, load

    # A case knows its arms; they themselves no longer know what they are arms of.
    arms = {scenario.id: scenario.arms for scenario in scenarios.values() if scenario.arms}
    missing = {scenario.id for scenario in scenarios.values()} - set(arms)
    arms |= {known: load(known).arms for known in missing.intersection(builtin_names())}
    own = {name: arms.get(scenario.id, {}).get(name) for name, scenario in scenarios.items()}
    return {name for name, arm in own.items() if arm is not None and arm.control}

"""What scenarios are called as choices and as worlds: what a firm does in them, and how the rest differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churnsim.i18n import number
from churnsim.report.choices import choices
from churnsim.report.decision import Facts, conduct, world
from churnsim.report.inputs import label, moves, shown, small, strategy_name, told
from churnsim.studies.labels import unit_of

if TYPE_CHECKING:
    from churnsim.report.answers import Findings

MOST_NAMED = 3
"""Things in which two scenarios differ that are named; of more only the number is told."""


def plan(found: Findings, name: str) -> str:
    """Return what the report's firm does in a scenario, so that it can be told from its other choices there.

    That is its strategy, with whatever sets it apart from other scenarios with the same strategy; where that says
    nothing or too much it is the scenario's title.
    """
    firm, scenarios = found.firm, found.scenarios
    rivals = next((each.names for each in found.decision.worlds if name in each.names), ())
    mine = conduct(scenarios[name], firm)
    others = [other for other in {*rivals, found.baseline, found.main} if conduct(scenarios[other], firm) != mine]
    strategy = scenarios[name].firms[firm].strategy.name
    said = strategy_name(strategy, found.lang)
    alike = [other for other in others if scenarios[other].firms[firm].strategy.name == strategy]
    details: dict[str, None] = {}
    for other in alike:
        details |= dict.fromkeys(_own_words(found, name, other))
    if len(details) > MOST_NAMED:
        return found.title(name)
    whole = found.say("strategy_with", name=said, details=found.say("semicolon").join(details)) if details else said
    return (
        whole if not alike or details or any(_own_words(found, other, name) for other in alike) else found.title(name)
    )


def circumstances(found: Findings, name: str, other: str) -> str:
    """Return in what a scenario's world differs from another's, for the report's firm; empty where in nothing."""
    firm = found.firm
    words = [*_strategies(found, name, other, but=firm), *_values(found, name, other, own=False)]
    words += _dated(found, name, other, own=False)
    return _listed(found, words)


def rivals(found: Findings, name: str) -> str:
    """Return what the other firms do in a scenario."""
    scenario = found.scenarios[name]
    words = [_does(found, name, firm) for firm in scenario.firms if firm != found.firm]
    return _listed(found, words)


def scope(found: Findings) -> list[str]:
    """Return whose decision it is and between what, in sentences; nothing where a single scenario was run."""
    if not found.others:
        return []
    firm = found.firm_name(found.firm)
    names: dict[str, object] = {"firm": firm, "main": found.title(found.main), "baseline": found.title(found.baseline)}
    if not found.decision.is_choice:
        words = circumstances(found, found.main, found.baseline)
        return [found.say("scope.none" if words else "scope.same", **names, words=words)]
    names |= {"plan": found.called(found.main), "other": found.called(found.baseline)}
    between = [name for name in found.scenarios if name in choices(found.decision)]
    if not between:
        said = [found.say("scope.choice", **names)]
    else:
        listed = found.say("semicolon").join(_as_choice(found, name) for name in between)
        said = [found.say("scope.choices", firm=firm, n=number(len(between)), choices=listed)]
    around = rivals(found, found.main)
    if around:
        said.append(found.say("scope.rivals", rivals=around))
    deciding = [firm for firm in found.decision.firms if firm != found.firm]
    if deciding:
        listed = found.say("comma").join(map(found.firm_name, deciding))
        said.append(found.say("scope.other_firms", firms=listed, option=f"--firm {deciding[0]}"))
    return said


def _as_choice(found: Findings, name: str) -> str:
    """Return what a choice is called, and the scenario's title where that says something else."""
    called, title = found.called(name), found.title(name)
    return (
        found.say("quoted", name=called) if called == title else found.say("scope.as_choice", plan=called, title=title)
    )


def elsewhere(found: Findings) -> list[str]:
    """Return what the same choice is worth in other worlds that were run, a sentence each."""
    said: list[str] = []
    if found.decision.one_baseline:
        return said
    wanted, refused = (conduct(found.scenarios[name], found.firm) for name in (found.main, found.baseline))
    for name, reference in found.decision.references.items():
        gap, scenarios = found.differences[name, found.firm, found.goal], found.scenarios
        here = name in found.decision.worlds[0].names
        if here or conduct(scenarios[name], found.firm) != wanted:
            continue
        if conduct(scenarios[reference], found.firm) != refused:
            continue
        mean, low, high = (found.change(found.goal, value, gap.largest) for value in (gap.mean, gap.low, gap.high))
        facts = {"world": circumstances(found, name, found.main), "gap": mean, "low": low, "high": high}
        said.append(found.say("elsewhere" if gap.sign else "elsewhere_same", **facts))
    return said


def deviation(found: Findings, name: str) -> str:
    """Return the scenario that another is most like among those told of at length, and in what it differs from it."""
    facts = {one: _facts(found, one) for one in (name, *found.drawn)}
    near = min(found.drawn, key=lambda other: len(facts[name] ^ facts[other]))
    words = [*_strategies(found, name, near), *_values(found, name, near, own=None)]
    words += _dated(found, name, near, own=None)
    return found.say("deviation", near=found.title(near), words=found.say("semicolon").join(words))


def _facts(found: Findings, name: str) -> Facts:
    """Return everything that is said in a scenario."""
    scenario = found.scenarios[name]
    return world(scenario, found.firm) | conduct(scenario, found.firm)


def _own_words(found: Findings, name: str, other: str) -> list[str]:
    """Return what a firm does in one scenario and not in another with the same strategy."""
    return [*_values(found, name, other, own=True), *_dated(found, name, other, own=True)]


def _listed(found: Findings, words: list[str]) -> str:
    """Return the first of many words, and how many there are besides."""
    more = len(words) - MOST_NAMED
    kept = words if more <= 1 else [*words[:MOST_NAMED], found.say("and_more", n=more)]
    return found.say("semicolon").join(kept)


def _does(found: Findings, name: str, firm: str) -> str:
    """Return "Eton: price cut"."""
    one = found.scenarios[name].firms[firm]
    return f"{one.name[found.lang]}{found.say('colon')}{strategy_name(one.strategy.name, found.lang)}"


def _strategies(found: Findings, name: str, other: str, but: str = "") -> list[str]:
    """Return the strategies of firms that follow another one there."""
    mine, theirs = (found.scenarios[one].firms for one in (name, other))
    changed = (
        firm
        for firm in mine
        if firm != but and firm in theirs and mine[firm].strategy.name != theirs[firm].strategy.name
    )
    return [_does(found, name, firm) for firm in changed]


def _values(found: Findings, name: str, other: str, *, own: bool | None) -> list[str]:
    """Return values that differ: the firm's own, all but those, or all; not the parameters of another strategy."""
    scenario, prefix = found.scenarios[name], f"firms.{found.firm}."
    places = [list(found.scenarios).index(one) for one in (name, other)]
    new = [
        f"firms.{firm}.strategy."
        for firm, one in scenario.firms.items()
        if firm in found.scenarios[other].firms
        and one.strategy.name != found.scenarios[other].firms[firm].strategy.name
    ]
    said = []
    for each in found.inputs:
        value, before = (each.values[place] for place in places)
        if str(value) == str(before) or any(each.path.startswith(one) for one in new):
            continue
        # What a firm does is told of; what it leaves is told where others are compared with it.
        if (own is None or each.path.startswith(prefix) == own) and not (own and value in (None, 0, False)):
            called, unit = label(found, each.path, scenario) or each.path, unit_of(scenario, each.path) or "1"
            if own:
                called = called.removeprefix(f"{found.firm_name(found.firm)}{found.say('colon')}")
            # A label that begins with a firm's name has a colon already.
            named = each.path.startswith("firms.") and not own
            said.append(
                told(
                    found, scenario, called if named else small(called), unit, shown(found, each.path, value), value,
                    mark=" " if named else None,
                )
            )  # fmt: skip
    return said


def _dated(found: Findings, name: str, other: str, *, own: bool | None) -> list[str]:
    """Return what changes on the way in one scenario and not in another."""
    scenario, prefix = found.scenarios[name], f"firms.{found.firm}."
    known = found.scenarios[other].moves
    fresh = [
        move for move in scenario.moves
        if move not in known and (own is None or any(path.startswith(prefix) for path in move.changes) == own)
    ]  # fmt: skip
    return [f"{when}{found.say('colon')}{what}" for when, what in moves(found, scenario, fresh, brief=True)]

"""Firms that had to close: which, in which scenarios, in how many of the runs, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from churnsim.i18n import number, text

if TYPE_CHECKING:
    from churnsim.report.answers import Findings

CLOSED = "insolvent"
"""Event of a firm that has no money left."""

MOST_TOLD = 4
"""Scenarios that a sentence names; of more only the number is told."""


@dataclass(frozen=True)
class Closing:
    """How often a firm closed in a scenario, and in which tick in the middle one of those runs."""

    runs: int
    tick: int


def closings(found: Findings) -> dict[tuple[str, str], Closing]:
    """Return every firm that closed in any run, by scenario and firm, in the order of the report's scenarios."""
    events = found.result.events
    closed = events[(events["event"] == CLOSED) & (events["tick"] > 0)]
    middle = closed.groupby(["scenario", "firm"], observed=True)["tick"].agg(["size", "median"])
    known = {(str(keys[0]), str(keys[1])): row for keys, row in middle.iterrows()}
    return {
        (name, firm): Closing(int(known[name, firm]["size"]), int(known[name, firm]["median"]))
        for name, scenario in found.scenarios.items()
        for firm in scenario.firms
        if (name, firm) in known
    }


def told(found: Findings) -> list[str]:
    """Say of every firm that closed where it did, how often and when; the report's own firm first."""
    said = []
    firms = dict.fromkeys(firm for _, firm in found.closings)
    tick = text(f"tick.{found.first.tick}.name", found.lang)
    for firm in sorted(firms, key=lambda one: one != found.firm):
        places = [(name, each) for (name, one), each in found.closings.items() if one == firm]
        words = [
            found.say(
                "closing.where", scenario=found.called(name), n=number(each.runs), runs=number(found.runs),
                tick=tick.lower(), at=number(each.tick),
            )
            for name, each in places[:MOST_TOLD]
        ]  # fmt: skip
        if len(places) > MOST_TOLD:
            words.append(found.say("and_more", n=number(len(places) - MOST_TOLD)))
        where = found.say("semicolon").join(words)
        said.append(found.say("closing.firm", firm=found.firm_name(firm), where=where))
    return said


def often(found: Findings, scenario: str, firm: str) -> str:
    """Write how often a firm closed in a scenario; nothing where it never did."""
    each = found.closings.get((scenario, firm))
    return found.say("closing.cell", n=number(each.runs), runs=number(found.runs)) if each else ""

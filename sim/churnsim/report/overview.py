"""The table of the first page: every scenario once, in its world, with what its firm earns and how that differs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from churnsim.i18n import number, text
from churnsim.i18n.numbers import MINUS
from churnsim.report.closings import often
from churnsim.report.plans import circumstances, plan, rivals
from churnsim.report.quantities import PROFIT

if TYPE_CHECKING:
    from churnsim.report.answers import Findings

MOST_RIVALS = 3
"""Other firms whose profit has room beside their share."""


@dataclass(frozen=True)
class Cell:
    """One measure of one scenario as texts: value, spread of the runs; difference, its interval, whether it is told."""

    value: str
    spread: str = ""
    change: str = ""
    interval: str = ""
    told: bool = False


@dataclass(frozen=True)
class Row:
    """One scenario.

    Attributes
    ----------
    name, title : str
        In the result, and for people.
    plan : str
        What the firm does in it; empty where it has no choice.
    against : str
        What it is compared with, where that is not said above it.
    cells : tuple of Cell
        By measure, in the order of `churnsim.report.quantities.kpis`.
    better : str
        In how many runs the firm did better.
    compared_with, main : bool
        Whether others of its world are compared with it; whether it is in the foreground.
    """

    name: str
    title: str
    plan: str
    against: str
    cells: tuple[Cell, ...]
    better: str
    compared_with: bool
    main: bool


@dataclass(frozen=True)
class Section:
    """Scenarios that stand together, under a heading that says why; no heading where they simply follow."""

    heading: str
    rows: tuple[Row, ...]


def sections(found: Findings) -> list[Section]:
    """Return the scenarios of a report world by world: those in which its firm has a choice first."""
    decision = found.decision
    if decision.one_baseline:
        return [Section("", tuple(_row(found, name) for name in found.scenarios))]
    firm = found.firm_name(found.firm)
    made: list[Section] = []
    rest: list[str] = []
    for place, world in enumerate(decision.worlds):
        if not world.is_choice:
            rest += world.names
            continue
        if place:
            heading = found.say("overview.choice_if", world=circumstances(found, world.names[0], found.main))
        else:
            others = rivals(found, found.main)
            heading = found.say("overview.choice_while" if others else "overview.choice", firm=firm, rivals=others)
        first = next(name for name in world.names if name not in decision.references)
        names = [first, *(name for name in found.scenarios if name in world.names and name != first)]
        made.append(Section(heading, tuple(_row(found, name, planned=True) for name in names)))
    if rest:
        known = {decision.references.get(name) for name in rest}
        alike = next(iter(known)) if len(known) == 1 else None
        heading = found.say("overview.worlds")
        if alike is not None:
            heading = found.say("overview.worlds_against", other=found.title(alike))
        made.append(Section(heading, tuple(_row(found, name, told=alike is None) for name in rest)))
    return made


def heads(found: Findings) -> list[str]:
    """Return the heads of the measures' columns, each with when it is measured."""
    said = []
    for measure, averaged in found.kpis:
        when = found.last_ticks if averaged else found.say("end")
        said.append(f"{text(f'measure.firm.{measure}', found.lang)}{found.say('comma')}{when}")
    return said


def others(found: Findings) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Return a table of the other firms: heads, and per scenario its title and values; empty where there are none.

    Beside the first value of a firm that closed it says how often that was.
    """
    firms = [firm for firm in found.first.firms if firm != found.firm]
    shown = [measure for measure, _ in found.kpis if measure != "churn"]
    measures = sorted(shown, key=lambda measure: measure == PROFIT)[: 2 if len(firms) <= MOST_RIVALS else 1]
    columns = [(firm, measure) for firm in firms for measure in measures]
    head = [
        f"{found.firm_name(firm)}{found.say('comma')}{text(f'measure.firm.{measure}', found.lang)}"
        for firm, measure in columns
    ]
    rows = []
    for name in found.scenarios:
        cells = []
        for firm, measure in columns:
            value = found.values.get((name, firm, measure))
            closed = often(found, name, firm) if measure == measures[0] else ""
            cells.append(Cell(found.written(measure, value.mean) if value else "", closed))
        rows.append((found.title(name), cells))
    return head, rows


def between(low: str, high: str) -> str:
    """Write an interval, with a unit that both ends share only once: at the first amount, or not at all beside it."""
    parts = [re.fullmatch(rf"([+{MINUS}]?)(\D*?)([\d.\s]*\d)(\D*)", said) for said in (low, high)]
    if all(parts) and len({(part[2], part[4]) for part in parts if part}) == 1:
        low, high = (part[1] + part[3] for part in parts if part)
    return f"{low}\N{NO-BREAK SPACE}\N{HORIZONTAL ELLIPSIS}\N{NO-BREAK SPACE}{high}"


def _row(found: Findings, name: str, *, planned: bool = False, told: bool = False) -> Row:
    """Return a scenario's row."""
    reference = found.decision.references.get(name)
    gap = found.differences.get((name, found.firm, found.goal))
    return Row(
        name=name,
        title=found.title(name),
        plan=plan(found, name) if planned else "",
        against=found.say("overview.against", other=found.title(reference)) if told and reference else "",
        cells=tuple(_cells(found, name)),
        better=found.say("overview.of", n=number(gap.better_in), runs=number(gap.runs))
        if gap is not None and gap.better_in is not None
        else "",
        compared_with=name in found.decision.references.values() and reference is None,
        main=name == found.main,
    )


def _cells(found: Findings, name: str) -> Iterator[Cell]:
    """Return a scenario's measures as texts."""
    for measure, _ in found.kpis:
        key = (name, found.firm, measure)
        value, gap = found.values.get(key), found.differences.get(key)
        if value is None:
            yield Cell("")
            continue
        spread = between(*(found.written(measure, end) for end in (value.low, value.high)))
        if gap is None:
            yield Cell(found.written(measure, value.mean), spread)
            continue
        ends = (found.change(measure, end, gap.largest) for end in (gap.low, gap.high))
        change = found.change(measure, gap.mean, gap.largest)
        yield Cell(found.written(measure, value.mean), spread, change, between(*ends), bool(gap.sign))

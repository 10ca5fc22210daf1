"""The numbers of a report: values with their spread, differences paired by seed, departures, profit and loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.causes import CAUSES
from churnsim.i18n import money_unit
from churnsim.results.html import LAST_TICKS
from churnsim.results.knowledge import knows, share_of

if TYPE_CHECKING:
    from churnsim.results import Result

IN_A_YEAR = {"week": 52, "month": 12, "quarter": 4, "year": 1}
"""Ticks of a year."""

PROFIT = "cumulative_profit"
MONEY = ("revenue", "stays", "service_cost", "relationship_cost", "dealing_cost", "profit")
TINY = 1e-9


@dataclass(frozen=True)
class Figure:
    """A number with its spread: mean, and 5 and 95 % of the runs or the 95 % interval of a mean."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """How a scenario differs from another in one measure of one firm, paired by seed.

    Attributes
    ----------
    mean, low, high : float
        Mean difference with its 95 % t interval.
    better_in : int or None
        Runs in which the scenario was better for the firm; None where neither direction is.
    runs : int
        Runs compared.
    """

    mean: float
    low: float
    high: float
    better_in: int | None
    runs: int

    @property
    def largest(self) -> float:
        """Return the end of the interval that is farther from zero, which decides the unit of both."""
        return max(abs(self.low), abs(self.high)) if math.isfinite(self.low) else abs(self.mean)

    @property
    def sign(self) -> int:
        """Return 1 or -1 where the interval lies on one side of zero, else 0."""
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            return 0
        return 1 if self.low > TINY else -1 if self.high < -TINY else 0


def kpis(result: Result) -> tuple[tuple[str, bool], ...]:
    """Return the measures of the answer's table, and whether each is averaged over the last ticks or taken at the end.

    The first is what choices are judged by: what the firm earns, or its share where that is not known.
    """
    earns = ((PROFIT, False),) if knows(result, PROFIT) else ()
    return (*earns, (share_of(result), True), ("churn", True))


def window(result: Result, averaged: bool) -> int | tuple[int, int]:
    """Return the last tick, or the last ticks."""
    end = result.horizon
    return (max(1, end - LAST_TICKS + 1), end) if averaged else end


def values(result: Result) -> dict[tuple[str, str, str], Figure]:
    """Return every value of the answer's table."""
    found = {}
    for measure, averaged in kpis(result):
        for row in result.summary(at=[window(result, averaged)], measures=[measure]).itertuples():
            found[str(row.scenario), str(row.firm), measure] = Figure(float(row.mean), float(row.low), float(row.high))
    return found


def differences(result: Result, references: Mapping[str, str]) -> dict[tuple[str, str, str], Difference]:
    """Return every difference to the scenario that another is compared with, by `references`."""
    found: dict[tuple[str, str, str], Difference] = {}
    for reference in dict.fromkeys(references.values()):
        for measure, averaged in kpis(result):
            for row in result.diff(reference, measure, at=window(result, averaged)).itertuples():
                if references.get(str(row.scenario)) != reference:
                    continue
                won = None if row.better_in is None or row.better_in != row.better_in else int(row.better_in)
                gap = Difference(float(row.mean), float(row.low), float(row.high), won, int(row.runs))
                found[str(row.scenario), str(row.firm), measure] = gap
    return found


def departures(result: Result) -> dict[tuple[str, str], dict[str, Any]]:
    """Return shares of departures in play by class and by cause, all runs together."""
    frame = result.causes[result.causes["tick"] > 0]
    sums = frame.groupby(["scenario", "firm", "cause"], observed=True)["primary"].sum()
    courses = {cause.name: cause.course for cause in CAUSES}
    found = {}
    for (scenario, firm), counts in sums.groupby(level=[0, 1], observed=True):
        counts = counts.droplevel([0, 1])
        total = float(counts.sum())
        shares = {str(name): float(count) / (total or 1) for name, count in counts.items()}
        classes = dict.fromkeys(dict.fromkeys(courses.values()), 0.0)
        for name, share in shares.items():
            classes[courses[name]] += share
        ordered = dict(sorted(((n, s) for n, s in shares.items() if s > 0), key=lambda item: -item[1]))
        found[str(scenario), str(firm)] = {"total": total / len(result.seeds), "classes": classes, "causes": ordered}
    return found


def money_format(largest: float, lang: str) -> str:
    """Return the number format of Excel and PowerPoint that writes amounts in the unit of the largest of them.

    A format can only drop thousands; the point that makes ten thousands of them is written into the number.
    """
    unit = money_unit(largest, lang)[1]
    formats = {"k": '#,##0,"k"', "M": '0.0,,"M"', "B": '0.0,,,"B"', "万": '0\\.0,"万"', "亿": '0\\.00,,"亿"'}
    return formats.get(unit, "#,##0")


def profit_and_loss(result: Result) -> dict[tuple[str, str], dict[str, float]]:
    """Return profit and loss over play, mean of the runs."""
    ticks = result.ticks
    names = [name for name in MONEY if name in ticks.columns]
    sums = ticks[ticks["tick"] > 0].groupby(["scenario", "firm"], observed=True)[names].sum() / len(result.seeds)
    found = {}
    for keys, row in sums.iterrows():
        parts = {name: float(np.nan_to_num(row[name])) for name in names}
        programmes = parts.get("dealing_cost", 0.0)
        spent = parts["service_cost"] + parts["relationship_cost"] + programmes
        found[str(keys[0]), str(keys[1])] = {
            "revenue": parts["revenue"],
            "sales": parts["revenue"] - parts["profit"] - spent,
            "service": parts["service_cost"],
            "relationship": parts["relationship_cost"],
            "programmes": programmes,
            "profit": parts["profit"],
        }
    return found

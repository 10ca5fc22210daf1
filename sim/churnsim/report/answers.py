"""What a result says, as numbers and sentences: the one source of page, workbook and slides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.causes import CAUSES
from churnsim.i18n import has_text, money, number, percent, text
from churnsim.results.html import FEW_SEEDS, LAST_TICKS

if TYPE_CHECKING:
    from churnsim.results import Result
    from churnsim.scenario import Scenario

KPIS: tuple[tuple[str, bool], ...] = (("share", True), ("churn", True), ("cumulative_profit", False))
"""Measures of the answer's table, and whether they are averaged over the last ticks rather than taken at the end."""

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
    """How a scenario differs from the baseline in one measure of one firm, paired by seed.

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
    def sign(self) -> int:
        """Return 1 or -1 where the interval lies on one side of zero, else 0."""
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            return 0
        return 1 if self.low > TINY else -1 if self.high < -TINY else 0


@dataclass(frozen=True)
class Findings:
    """Everything that a report says.

    Attributes
    ----------
    result : Result
    lang : str
    firm : str
        The firm that the report is about.
    baseline, main : str
        Scenario that others are compared with, and the one in the foreground.
    values : dict
        By (scenario, firm, measure): `Figure` over the runs.
    differences : dict
        By (scenario, firm, measure): `Difference` to the baseline.
    causes : dict
        By (scenario, firm): share of the departures per class of the course, and the causes by share.
    money : dict
        By (scenario, firm): profit and loss over play, mean of the runs, in money.
    """

    result: Result
    lang: str
    firm: str
    baseline: str
    main: str
    values: dict[tuple[str, str, str], Figure]
    differences: dict[tuple[str, str, str], Difference]
    causes: dict[tuple[str, str], dict[str, Any]]
    money: dict[tuple[str, str], dict[str, float]]

    @property
    def scenarios(self) -> dict[str, Scenario]:
        """Scenarios by name, the baseline first."""
        own = self.result.scenarios
        return {self.baseline: own[self.baseline], **{name: one for name, one in own.items() if name != self.baseline}}

    @property
    def others(self) -> list[str]:
        """Names of the scenarios that are compared with the baseline."""
        return [name for name in self.scenarios if name != self.baseline]

    @property
    def first(self) -> Scenario:
        """The scenario in the foreground."""
        return self.result.scenarios[self.main]

    @property
    def runs(self) -> int:
        """Runs per scenario."""
        return len(self.result.seeds)

    def title(self, name: str) -> str:
        """Return a scenario's display name, which tells it from the others."""
        from churnsim.plots.accessor import about

        return about(self.result).scenario(name, self.lang)

    def firm_name(self, firm: str) -> str:
        """Return a firm's display name."""
        for scenario in self.result.scenarios.values():
            if firm in scenario.firms:
                return scenario.firms[firm].name[self.lang]
        return firm

    def say(self, key: str, **values: object) -> str:
        """Return a text of the report."""
        return text(f"report.{key}", self.lang, **values)

    def cash(self, value: float, like: float | None = None) -> str:
        """Write an amount of money."""
        return money(value, self.first.currency, self.lang, like=like)

    def written(self, measure: str, value: float) -> str:
        """Write a value of a measure of the answer's table."""
        if measure == PROFIT:
            return self.cash(value)
        return percent(value, 1)

    def change(self, measure: str, value: float) -> str:
        """Write a difference in a measure, with its sign; shares in percentage points."""
        if measure == PROFIT:
            said = self.cash(value)
        else:
            said = self.say("points", value=number(100 * value, 1))
        return f"+{said}" if value > 0 else said

    @property
    def period(self) -> str:
        """Return "96 months"."""
        return self.say(
            "period", n=number(self.result.horizon), ticks=text(f"tick.{self.first.tick}.plural", self.lang)
        )

    # ------------------------------------------------------------------ sentences

    def answer(self) -> str:
        """Return the answer in one sentence, with its interval."""
        if not self.others:
            profit, share = (self.values[self.main, self.firm, measure] for measure in (PROFIT, "share"))
            return self.say(
                "answer_single", firm=self.firm_name(self.firm), period=self.period, share=percent(share.mean),
                share_low=percent(share.low), share_high=percent(share.high), profit=self.cash(profit.mean),
                low=self.cash(profit.low), high=self.cash(profit.high), runs=number(self.runs),
            )  # fmt: skip
        gap = self.differences[self.main, self.firm, PROFIT]
        key = {1: "answer_more", -1: "answer_less", 0: "answer_same"}[gap.sign]
        return self.say(
            key, firm=self.firm_name(self.firm), main=self.title(self.main), baseline=self.title(self.baseline),
            period=self.period, gap=self.cash(abs(gap.mean)), low=self.cash(min(abs(gap.low), abs(gap.high))),
            high=self.cash(max(abs(gap.low), abs(gap.high))), signed_low=self.cash(gap.low),
            signed_high=self.cash(gap.high), better=number(gap.better_in or 0), runs=number(gap.runs),
        )  # fmt: skip

    def supports(self) -> list[str]:
        """Return the sentences that stand behind the answer: share, churn, and the reason for leaving."""
        said = []
        name = self.firm_name(self.firm)
        for measure, _ in KPIS:
            if measure == PROFIT:
                continue
            value = self.values[self.main, self.firm, measure]
            label = text(f"measure.firm.{measure}", self.lang)
            line = self.say(
                "support", firm=name, label=label, value=self.written(measure, value.mean),
                low=self.written(measure, value.low), high=self.written(measure, value.high),
            )  # fmt: skip
            gap = self.differences.get((self.main, self.firm, measure))
            if gap is not None:
                key = "against" if gap.sign else "against_same"
                line += self.say(
                    key, change=self.change(measure, gap.mean), low=self.change(measure, gap.low),
                    high=self.change(measure, gap.high), baseline=self.title(self.baseline),
                )  # fmt: skip
            said.append(line + self.say("stop"))
        said.append(self.reason(self.main))
        return said

    def reason(self, scenario: str) -> str:
        """Return why customers leave the firm, in a sentence."""
        found = self.causes[scenario, self.firm]
        if not found["total"]:
            return self.say("nobody_left", firm=self.firm_name(self.firm))
        course = found["classes"]
        top = max(course, key=course.__getitem__)
        caused = {name: share for name, share in course.items() if name != "customer"}
        second = max(caused, key=caused.__getitem__)
        said = self.say(
            "reason",
            firm=self.firm_name(self.firm),
            top=text(f"taxonomy.course.{top}", self.lang),
            share=percent(course[top]),
        )
        if second != top:
            second_name = text(f"taxonomy.course.{second}", self.lang)
            said += self.say("reason_second", second=second_name, share=percent(course[second]))
        return said + self.say("stop")

    def break_even(self) -> str | None:
        """Return from when on the main scenario has earned more than the baseline, in a sentence; None without one."""
        if not self.others:
            return None
        ticks = self.result.ticks
        rows = ticks[(ticks["firm"] == self.firm) & (ticks["tick"] > 0)]
        means = rows.groupby(["scenario", "tick"], observed=True)[PROFIT].mean()
        gap = (means.loc[self.main] - means.loc[self.baseline]).dropna()
        ahead = gap[gap <= 0]
        tick = text(f"tick.{self.first.tick}.name", self.lang)
        names = {"main": self.title(self.main), "baseline": self.title(self.baseline), "tick": tick}
        if gap.empty or (gap.iloc[-1] <= 0):
            return self.say("break_even_never", **names)
        at = int(ahead.index.max()) + 1 if len(ahead) else int(gap.index.min())
        return self.say("break_even", at=at, **names)

    def certainty(self) -> list[str]:
        """Return how far the differences can be trusted, in sentences."""
        said = [self.say("sure_runs", runs=number(self.runs))]
        if self.runs < FEW_SEEDS:
            said.append(text("warning.one_seed" if self.runs == 1 else "warning.few_seeds", self.lang, runs=self.runs))
        for name in self.others:
            gap = self.differences[name, self.firm, PROFIT]
            key = "sure_yes" if gap.sign else "sure_no"
            said.append(
                self.say(
                    key, scenario=self.title(name), baseline=self.title(self.baseline),
                    gap=self.change(PROFIT, gap.mean),
                    low=self.change(PROFIT, gap.low), high=self.change(PROFIT, gap.high), runs=number(gap.runs),
                    better=number(gap.better_in or 0),
                )
            )  # fmt: skip
        return said


def findings(
    result: Result,
    *,
    lang: str = "en",
    firm: str | None = None,
    baseline: str | None = None,
    scenario: str | None = None,
) -> Findings:
    """Work out what a report says.

    Parameters
    ----------
    result
        Runs of one or several scenarios.
    lang
        ``en`` or ``zh``.
    firm
        The firm that the report is about; by default the first one.
    baseline
        Scenario that the others are compared with; by default the one in which nobody does anything (every
        firm follows the strategy ``passive`` and nothing moves), else a control arm, else the first.
    scenario
        The one in the foreground; by default the first that is not the baseline.

    Raises
    ------
    ValueError
        If there is no such firm or scenario, or the baseline is the scenario in the foreground.
    """
    names = list(result.scenarios)
    baseline = result.scenario_name(baseline) if baseline is not None else _baseline(result)
    main = (
        result.scenario_name(scenario) if scenario is not None else next((n for n in names if n != baseline), baseline)
    )
    if main == baseline and len(names) > 1:
        raise ValueError(f"'{main}' cannot be compared with itself; name another baseline ({', '.join(names)})")
    firms = list(result.scenarios[main].firms)
    firm = firm or firms[0]
    if firm not in firms:
        raise ValueError(f"unknown firm '{firm}' ({', '.join(firms)})")
    return Findings(
        result,
        lang,
        firm,
        baseline,
        main,
        _values(result),
        _differences(result, baseline),
        _causes(result),
        _money(result),
    )


def _baseline(result: Result) -> str:
    """Return the scenario in which nobody acts, else a control of the scenario that it is an arm of, else the first."""
    for name, scenario in result.scenarios.items():
        if not scenario.moves and all(firm.strategy.name == "passive" for firm in scenario.firms.values()):
            return name
    return next((name for name in result.scenarios if _is_control(result, name)), next(iter(result.scenarios)))


def _is_control(result: Result, name: str) -> bool:
    """Tell whether a scenario is a control arm of a built-in scenario."""
    from churnsim.config.errors import ScenarioError
    from churnsim.config.loading import load

    try:
        arms = load(result.scenarios[name].id).arms
    except ScenarioError:
        return False  # not a built-in one: nobody knows its arms
    return name in arms and arms[name].control


def _window(result: Result, averaged: bool) -> int | tuple[int, int]:
    """Return the last tick, or the last ticks."""
    end = result.horizon
    return (max(1, end - LAST_TICKS + 1), end) if averaged else end


def _values(result: Result) -> dict[tuple[str, str, str], Figure]:
    """Return every value of the answer's table."""
    found = {}
    for measure, averaged in KPIS:
        for row in result.summary(at=[_window(result, averaged)], measures=[measure]).itertuples():
            found[str(row.scenario), str(row.firm), measure] = Figure(float(row.mean), float(row.low), float(row.high))
    return found


def _differences(result: Result, baseline: str) -> dict[tuple[str, str, str], Difference]:
    """Return every difference to the baseline."""
    found: dict[tuple[str, str, str], Difference] = {}
    if len(result.scenarios) < 2:
        return found
    for measure, averaged in KPIS:
        for row in result.diff(baseline, measure, at=_window(result, averaged)).itertuples():
            won = None if row.better_in is None or row.better_in != row.better_in else int(row.better_in)
            gap = Difference(float(row.mean), float(row.low), float(row.high), won, int(row.runs))
            found[str(row.scenario), str(row.firm), measure] = gap
    return found


def _causes(result: Result) -> dict[tuple[str, str], dict[str, Any]]:
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


def _money(result: Result) -> dict[tuple[str, str], dict[str, float]]:
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


def strategy_name(name: str, lang: str) -> str:
    """Return a strategy's name for people; a user's own has only its own."""
    return text(f"strategy.{name}", lang) if has_text(f"strategy.{name}") else name

"""What a result says, as numbers and sentences: the one source of page, workbook and slides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from churnsim.config.loading import builtin_names, load
from churnsim.i18n import money, number, percent, text
from churnsim.report.certainty import certainty
from churnsim.report.choices import Ranking, choices, headline, ranking
from churnsim.report.closings import Closing, closings
from churnsim.report.closings import told as told_of_closings
from churnsim.report.decision import Decision, decided
from churnsim.report.inputs import Input, inputs
from churnsim.report.plans import elsewhere, plan
from churnsim.report.quantities import (
    PROFIT,
    Difference,
    Figure,
    departures,
    differences,
    kpis,
    profit_and_loss,
    values,
)
from churnsim.results.html import LAST_TICKS
from churnsim.results.knowledge import only_leaves
from churnsim.scenario import BASE_ARM

if TYPE_CHECKING:
    from churnsim.lock_in import Holds
    from churnsim.plots import About
    from churnsim.report.doubts import Doubt
    from churnsim.results import Result
    from churnsim.scenario import Scenario
    from churnsim.studies.store import Store

MOST_DRAWN = 4
"""Scenarios that figures and long texts show; with more of them nobody can tell one line from another."""

MOST_LINES = 6
"""Lines of an editable chart of all firms; with more of them it shows the report's firm alone."""

MOST_HELD = 20_000
"""Customers of the run that is repeated to see what holds them; a larger market is repeated smaller."""

LEAST = 0.005
"""Share of departures below which a kind of reason rounds to none."""


@dataclass(frozen=True)
class Findings:
    """Everything that a report says.

    Attributes
    ----------
    result : Result
    lang : str
    decision : Decision
        Whose choice it is, what is compared with what, and what only the world differs in.
    values : dict
        By (scenario, firm, measure): `Figure` over the runs.
    differences : dict
        By (scenario, firm, measure): `Difference` to what the scenario is compared with.
    causes : dict
        By (scenario, firm): share of the departures per class of the course, and the causes by share.
    money : dict
        By (scenario, firm): profit and loss over play, mean of the runs, in money.
    studies : tuple of Store
        Finished studies that say which assumptions the answer hangs on.
    """

    result: Result
    lang: str
    decision: Decision
    values: dict[tuple[str, str, str], Figure]
    differences: dict[tuple[str, str, str], Difference]
    causes: dict[tuple[str, str], dict[str, Any]]
    money: dict[tuple[str, str], dict[str, float]]
    studies: tuple[Store, ...] = ()

    @cached_property
    def held(self) -> Holds:
        """What holds the customers at the end of one run of the foremost scenario, which is repeated for it."""
        from churnsim.lock_in import holds
        from churnsim.model import ChurnModel

        scenario = self.first
        if scenario.customers.count > MOST_HELD:
            scenario = scenario.set({"customers.count": MOST_HELD})
        model = ChurnModel(scenario, rng=self.result.seeds[0])
        while model.tick < scenario.horizon:
            model.step()
        return holds(model)

    @cached_property
    def kpis(self) -> tuple[tuple[str, bool], ...]:
        """Measures of the answer's table, and whether they are averaged over the last ticks."""
        return kpis(self.result)

    @property
    def goal(self) -> str:
        """The measure that choices are judged by: profit to date, or the firm's share where that is not known."""
        return self.kpis[0][0]

    @property
    def earns(self) -> bool:
        """Whether it is known what firms earn."""
        return self.goal == PROFIT

    @property
    def is_cohort(self) -> bool:
        """Whether nobody ever buys in the foreground: there are neither shares of purchases nor reasons to show."""
        return only_leaves(self.result, self.main)

    @cached_property
    def ranking(self) -> Ranking | None:
        """Which of the firm's choices is the best; None where it has not more than two in its world."""
        names = choices(self.decision)
        return ranking(self.result, self.firm, names) if names else None

    @cached_property
    def closings(self) -> dict[tuple[str, str], Closing]:
        """Firms that had to close, by scenario and firm."""
        return closings(self)

    @cached_property
    def doubts(self) -> list[Doubt]:
        """What the studies say of the answer."""
        from churnsim.report.doubts import doubts

        return doubts(self)

    @property
    def firm(self) -> str:
        """The firm that the report is about."""
        return self.decision.firm

    @property
    def baseline(self) -> str:
        """The scenario that the one in the foreground is compared with."""
        return self.decision.baseline

    @property
    def main(self) -> str:
        """The scenario in the foreground."""
        return self.decision.main

    @cached_property
    def scenarios(self) -> dict[str, Scenario]:
        """Scenarios by name: the baseline, the one in the foreground, then world by world."""
        own = self.result.scenarios
        told = [self.baseline, self.main, *(name for world in self.decision.worlds for name in world.names)]
        return {name: own[name] for name in dict.fromkeys(told)}

    @property
    def drawn(self) -> list[str]:
        """Names of the scenarios that figures and long texts show; the workbook has all."""
        return list(self.scenarios)[:MOST_DRAWN]

    @property
    def lines(self) -> list[tuple[int, int, str, str]]:
        """Lines of an editable chart: place of the dash, place of the colour, scenario and firm.

        All firms of the scenarios that are drawn; where that is too much, the report's firm, a colour per scenario.
        """
        drawn = [(number, name, list(self.scenarios[name].firms)) for number, name in enumerate(self.drawn)]
        if sum(len(firms) for _, _, firms in drawn) <= MOST_LINES:
            return [(number, place, name, firm) for number, name, firms in drawn for place, firm in enumerate(firms)]
        return [(number, number, name, self.firm) for number, name, firms in drawn if self.firm in firms]

    @property
    def others(self) -> list[str]:
        """Names of the scenarios that are not the baseline."""
        return [name for name in self.scenarios if name != self.baseline]

    @property
    def first(self) -> Scenario:
        """The scenario in the foreground."""
        return self.result.scenarios[self.main]

    @property
    def heading(self) -> str:
        """What the report is called: the title of the whole rather than that of an arm."""
        known = self.result.scenarios
        whole = next((known[n] for n in known if n.endswith(BASE_ARM) and known[n].id == self.first.id), self.first)
        return str(whole.title[self.lang])

    @cached_property
    def question(self) -> str:
        """The scenario's question; with a word of caution where it was asked of other settings than these."""
        first = self.first
        asked = first.question[self.lang]
        if first.id not in builtin_names():
            return asked
        told = load(first.id)
        arms = [told.arm(name) for name in told.arm_names]
        alike = {"customers.count": first.customers.count, "horizon": first.horizon}
        if any(arm.key == first.key or arm.set(alike).key == first.key for arm in arms):
            return asked
        return self.say("asked_of_others", question=asked)

    @cached_property
    def inputs(self) -> list[Input]:
        """Every input of the scenarios."""
        return inputs(self)

    @cached_property
    def about(self) -> About:
        """Names, units and flags for figures."""
        from churnsim.plots.accessor import about

        return about(self.result)

    @property
    def runs(self) -> int:
        """Runs per scenario."""
        return len(self.result.seeds)

    def title(self, name: str) -> str:
        """Return a scenario's display name, which tells it from the others."""
        return self.about.scenario(name, self.lang)

    def called(self, name: str) -> str:
        """Return what a scenario is called in sentences: as a choice, what the firm does in it; else its title."""
        if not self.decision.is_choice or name not in self.decision.worlds[0].names:
            return self.title(name)
        said = plan(self, name)
        same = [other for other in self.decision.worlds[0].names if plan(self, other) == said]
        return said if len(same) == 1 else self.title(name)

    def firm_name(self, firm: str) -> str:
        """Return a firm's display name."""
        for scenario in self.result.scenarios.values():
            if firm in scenario.firms:
                return scenario.firms[firm].name[self.lang]
        return firm

    def say(self, key: str, **values: object) -> str:
        """Return a text of the report."""
        return text(f"report.{key}", self.lang, **values)

    def judged(self, key: str, **values: object) -> str:
        """Return a sentence about what choices are judged by: what the firm earns, or its share."""
        if self.earns:
            return self.say(key, **values)
        label = text(f"measure.firm.{self.goal}", self.lang)
        return self.say(f"of_share.{key}", label=label, last=self.last_ticks, **values)

    def cash(self, value: float, like: float | None = None, digits: int | None = None) -> str:
        """Write an amount of money, in the unit of `like` where it is read together with others."""
        if not value:
            digits, like = 0, 0.0  # nothing is nothing in every unit
        return money(value, self.first.currency, self.lang, digits, like=like)

    def written(self, measure: str, value: float) -> str:
        """Write a value of a measure of the answer's table."""
        if measure == PROFIT:
            return self.cash(value)
        return percent(value, 1)

    def change(self, measure: str, value: float, like: float | None = None) -> str:
        """Write a difference in a measure, with its sign."""
        said = self.size(measure, value, like)
        return f"+{said}" if value > 0 else said

    def size(self, measure: str, value: float, like: float | None = None) -> str:
        """Write how large a difference is: of shares in percentage points, of money in the unit of `like`."""
        return self.cash(value, like) if measure == PROFIT else self.say("points", value=number(100 * value, 1))

    @property
    def period(self) -> str:
        """Return "96 months"."""
        return self.say(
            "period", n=number(self.result.horizon), ticks=text(f"tick.{self.first.tick}.plural", self.lang)
        )

    @property
    def last_ticks(self) -> str:
        """Return "last 12 months", over which shares and churn are averaged."""
        ticks = text(f"tick.{self.first.tick}.plural", self.lang)
        return self.say("last", n=number(min(LAST_TICKS, self.result.horizon)), ticks=ticks)

    # ------------------------------------------------------------------ sentences

    def answer(self) -> str:
        """Return the answer with its interval: of two choices in one sentence, of more which of them is the best."""
        rank = self.ranking
        if rank is not None:
            said = headline(self, rank)
            told = {rank.best, rank.second if rank.best == self.baseline else self.baseline}
            if self.main in told:
                return said
            return said + ("" if self.lang == "zh" else " ") + self._of_pair()
        if not self.others:
            measure = next(measure for measure, _ in self.kpis if measure != PROFIT)
            share, goal = self.values[self.main, self.firm, measure], self.values[self.main, self.firm, self.goal]
            return self.judged(
                "answer_single", firm=self.firm_name(self.firm), period=self.period, share=percent(share.mean),
                share_low=percent(share.low), share_high=percent(share.high), profit=self.cash(goal.mean),
                low=self.cash(goal.low), high=self.cash(goal.high), runs=number(self.runs),
            )  # fmt: skip
        return self._of_pair()

    def _of_pair(self) -> str:
        """Return how the scenario in the foreground differs from the baseline in what choices are judged by."""
        gap = self.differences[self.main, self.firm, self.goal]
        key = {1: "answer_more", -1: "answer_less", 0: "answer_same"}[gap.sign]

        def size(value: float, like: float | None = None) -> str:
            return self.size(self.goal, value, like)

        return self.judged(
            key, firm=self.firm_name(self.firm), main=self.called(self.main), baseline=self.called(self.baseline),
            period=self.period, gap=size(abs(gap.mean)),
            low=size(min(abs(gap.low), abs(gap.high)), gap.mean),
            high=size(max(abs(gap.low), abs(gap.high)), gap.mean), signed_low=size(gap.low, gap.largest),
            signed_high=size(gap.high, gap.largest), better=number(gap.better_in or 0), runs=number(gap.runs),
        )  # fmt: skip

    def supports(self) -> list[str]:
        """Return the sentences that stand behind the answer: who closed, share, churn, and the reason for leaving."""
        said = told_of_closings(self)
        name = self.firm_name(self.firm)
        for measure, _ in self.kpis:
            if measure == PROFIT or (measure == self.goal and not self.others):
                continue  # the answer has said it
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
                    high=self.change(measure, gap.high), baseline=self.called(self.baseline),
                )  # fmt: skip
            said.append(line + self.say("stop"))
        reason = [] if self.is_cohort else [self.reason(self.main)]
        unknown = [] if self.earns else [self.say(f"unknown_money.{self.first.money}")]
        return [*said, *reason, *elsewhere(self), *unknown]

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
        if second != top and course[second] >= LEAST:
            second_name = text(f"taxonomy.course.{second}", self.lang)
            said += self.say("reason_second", second=second_name, share=percent(course[second]))
        return said + self.say("stop")

    def break_even(self) -> str | None:
        """Return from when on the main scenario has earned more than the baseline, in a sentence; None without one."""
        if not self.others or not self.earns:
            return None
        ticks = self.result.ticks
        rows = ticks[(ticks["firm"] == self.firm) & (ticks["tick"] > 0)]
        means = rows.groupby(["scenario", "tick"], observed=True)[PROFIT].mean()
        gap = (means.loc[self.main] - means.loc[self.baseline]).dropna()
        ahead = gap[gap <= 0]
        tick = text(f"tick.{self.first.tick}.name", self.lang)
        names = {"main": self.called(self.main), "baseline": self.called(self.baseline), "tick": tick.lower()}
        if gap.empty or (gap.iloc[-1] <= 0):
            return self.say("break_even_never", **names)
        at = int(ahead.index.max()) + 1 if len(ahead) else int(gap.index.min())
        return self.say("break_even", at=at, **names)

    def certainty(self) -> list[str]:
        """Return how far the differences can be trusted, in sentences."""
        return certainty(self)


def findings(
    result: Result,
    *,
    lang: str = "en",
    firm: str | None = None,
    baseline: str | None = None,
    scenario: str | None = None,
    studies: Sequence[Store] = (),
) -> Findings:
    """Work out what a report says.

    Parameters
    ----------
    result
        Runs of one or several scenarios.
    lang
        ``en`` or ``zh``.
    firm, baseline, scenario
        The firm that the report is about, the scenario that all others are compared with, and the one in the
        foreground; what they are by default is told by `churnsim.report.decision.decided`, but that of more than two
        choices the best is in the foreground, or the next best where the baseline is the best.
    studies
        Stores of finished studies that say which assumptions the answer hangs on.

    Raises
    ------
    ValueError
        If there is no such firm or scenario, or the baseline is the scenario in the foreground.
    """
    found = decided(result, firm=firm, baseline=baseline, main=scenario)
    names = choices(found)
    if names and scenario is None:
        ranked = ranking(result, found.firm, names).names
        best = next(name for name in ranked if name != found.baseline)
        found = decided(result, firm=found.firm, baseline=found.baseline if baseline else None, main=best)
    return Findings(
        result,
        lang,
        found,
        values(result),
        differences(result, found.references),
        departures(result),
        profit_and_loss(result),
        tuple(studies),
    )

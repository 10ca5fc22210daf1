"""What studies say about a report's answer: which assumptions it hangs on, and where it would turn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.dealing_measures import PER_FIRM
from churnsim.i18n import number, percent, text
from churnsim.report.quantities import PROFIT
from churnsim.studies.discovery import Limit, discover
from churnsim.studies.figure_frames import sensitivity_frame
from churnsim.studies.labels import label_of
from churnsim.studies.problems import StudyDataError
from churnsim.studies.sensitivity import METHODS, Analysis
from churnsim.tables import parameters

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.report.answers import Findings
    from churnsim.studies.indices import Sensitivity
    from churnsim.studies.store import Store

MOST_OUTCOMES = 2
"""Outcomes of a study that a report shows: those about its firm, profit first."""

NAMED = 3
"""Assumptions that a sentence names."""

FEW_POINTS = 20
"""Points below which nobody can say where an answer turns; see `churnsim.studies.discovery.discover`."""

NOTABLE = 1.5
"""How many times more often than in all the answer must turn under a condition for that to be told; our assumption."""

SIMPLE = re.compile(r"(?P<measure>\w+)\.(?P<firm>\w+)(?:@[-\d]+)?")
"""An outcome that is one measure of one firm."""

ORDER = (PROFIT, "profit", "share", "churn")


@dataclass(frozen=True)
class Doubt:
    """What one study says about one outcome.

    Attributes
    ----------
    name : str
        Of the figure.
    study, outcome : str
        What they are called.
    measure : str or None
        Firm measure that the outcome, or a difference of it, is.
    method : str
        Method of the figure, one of `churnsim.studies.sensitivity.METHODS`; empty where the numbers allow none.
    frame : DataFrame or None
        What the figure shows, with factors and outcome under the names that people read.
    said : tuple of str
        Sentences: what it hangs on, and where it turns.
    """

    name: str
    study: str
    outcome: str
    measure: str | None
    method: str
    frame: pd.DataFrame | None
    said: tuple[str, ...]


class Gap(Analysis):
    """A study's outcomes as differences between two of its arms, paired by point and replication."""

    def __init__(self, store: Store, arm: str, baseline: str) -> None:
        super().__init__(store, arm)
        self._baseline = Analysis(store, baseline)

    def values(self, outcome: str) -> np.ndarray:
        """Return the outcome in the arm less that in the baseline, ``(replications, design rows)``."""
        ours, theirs = super().values(outcome), self._baseline.values(outcome)
        common = min(len(ours), len(theirs))
        return ours[:common] - theirs[:common]


def doubts(found: Findings) -> list[Doubt]:
    """Return what the studies of a report say about its answer, in the order of the studies.

    Where a study has run the report's baseline and the scenario in the foreground as arms, it is asked about the
    difference between them; otherwise about its outcomes as they are.
    """
    answers = []
    for place, store in enumerate(found.studies):
        for rank, outcome in enumerate(_outcomes(found, store)):
            answers.append(_Question(found, store, outcome).answer(f"doubt_{place + 1}_{rank + 1}"))
    return answers


def _outcomes(found: Findings, store: Store) -> list[str]:
    """Return the outcomes that a report shows: measures of its firm in `ORDER`, else what names it, else the first."""

    def rank(name: str) -> tuple[int, int]:
        written = store.study.outcomes[name]
        simple = SIMPLE.fullmatch(written.strip())
        if simple and simple["firm"] == found.firm:
            return 0, ORDER.index(simple["measure"]) if simple["measure"] in ORDER else len(ORDER)
        return (1, 0) if re.search(rf"\b{re.escape(found.firm)}\b", written) else (2, 0)

    return sorted(store.study.outcomes, key=rank)[:MOST_OUTCOMES]


class _Question:
    """One outcome of one study, asked what it hangs on and where it turns."""

    def __init__(self, found: Findings, store: Store, outcome: str) -> None:
        self.found, self.store, self.outcome = found, store, outcome
        arms = store.plan.arms
        self.paired = bool(found.others) and {found.main, found.baseline} <= set(arms)
        self.arm = found.main if found.main in arms else None
        self._simple = SIMPLE.fullmatch(store.study.outcomes[outcome].strip())

    @property
    def label(self) -> str:
        """Return what the outcome is called."""
        found, simple = self.found, self._simple
        said = self.outcome
        if simple and simple["measure"] in PER_FIRM and simple["firm"] in found.first.firms:
            label, firm = PER_FIRM[simple["measure"]].label[found.lang], found.firm_name(simple["firm"])
            said = found.say("doubt.measure", label=label, firm=firm)
        if not self.paired:
            return said
        return found.say("doubt.gap", outcome=said, main=found.title(found.main), baseline=found.title(found.baseline))

    @cached_property
    def names(self) -> dict[str, str]:
        """Return what the factors are called, by path."""
        bases = self.store.study.bases
        if not bases:
            return {path: path for path in self.store.study.factors}
        base = next(iter(bases.values()))
        return {path: label_of(base, path, self.found.lang) for path in self.store.study.factors}

    def answer(self, name: str) -> Doubt:
        """Return what the study says."""
        found, study = self.found, self.store.study
        title = study.title[found.lang] if study.title is not None else study.name
        measure = self._simple["measure"] if self._simple else None
        try:
            analysis = Gap(self.store, found.main, found.baseline) if self.paired else Analysis(self.store, self.arm)
            usual = METHODS[study.design]
            method = "swings" if "swings" in usual and usual[0] != "sobol" else usual[0]
            sensitivity = analysis.of(self.outcome, method)
        except StudyDataError as error:
            return Doubt(name, title, self.label, measure, "", None, (error.told(found.lang),))
        frame = sensitivity_frame(sensitivity)
        frame["factor"] = frame["factor"].map(lambda path: self.names.get(path, path))
        frame["outcome"] = self.label
        said = (*self._market(), *self._elsewhere(analysis), self._depends(sensitivity), *self._turns(analysis))
        return Doubt(name, title, self.label, measure, method, frame, said)

    def _market(self) -> tuple[str, ...]:
        """Say where the study looked at another market than the report: fewer customers, or a shorter time."""
        found, base = self.found, next(iter(self.store.study.bases.values()), None)
        first = found.first
        if base is None or (base.customers.count, base.horizon) == (first.customers.count, first.horizon):
            return ()
        ticks = text(f"tick.{base.tick}.plural", found.lang)
        period = found.say("period", n=number(base.horizon), ticks=ticks)
        return (found.say("doubt.market", customers=number(base.customers.count), period=period,
                          own=number(first.customers.count), over=found.period),)  # fmt: skip

    def _outside(self, analysis: Analysis) -> tuple[str, ...]:
        """Return the factors whose values in the study do not reach from below to above those of the report's runs."""
        rows = analysis.independent()
        wanted = [parameters(self.found.scenarios[name]) for name in {self.found.main, self.found.baseline}]
        outside = []
        for path in analysis.study.factors:
            told = analysis.points.labels(path, rows)
            values = [own[path] for own in wanted if _is_number(own.get(path))]
            if len(told) and all(map(_is_number, told)) and any(not min(told) <= one <= max(told) for one in values):
                outside.append(path)
        return tuple(outside)

    def _elsewhere(self, analysis: Analysis) -> tuple[str, ...]:
        """Say which values of the report's runs lie outside of what the study looked at."""
        paths = self._outside(analysis)
        if not paths:
            return ()
        names = [self.names.get(path, path) for path in paths[:NAMED]]
        more = len(paths) - len(names)
        names += [self.found.say("and_more", n=number(more))] if more else []
        return (self.found.say("doubt.outside", names=self.found.say("semicolon").join(names)),)

    def _depends(self, answer: Sensitivity) -> str:
        """Say which assumptions the outcome hangs on most."""
        found = self.found
        order = [j for j in np.argsort(-answer.importance, kind="stable") if not answer.inert[j]]
        if not order:
            return found.say("doubt.on_nothing", outcome=self.label, n=number(len(answer.factors)))
        names = [self.names.get(answer.factors[j], answer.factors[j]) for j in order[:NAMED]]
        said = found.say("doubt.depends", outcome=self.label, names=found.say("semicolon").join(names))
        idle = len(answer.factors) - len(order)
        if not idle:
            return said
        return said + found.say("doubt.idle", n=number(len(answer.factors)), idle=number(idle))

    def _turns(self, analysis: Analysis) -> tuple[str, ...]:
        """Say how often the answer is the opposite, and what must be true for that."""
        written = self.store.study.outcomes[self.outcome]
        if not self.paired and "-" not in re.sub(r"@\S+", "", written):
            return ()  # no difference between anything: it cannot change its sign in a way that means something
        found, rows = self.found, analysis.independent()
        values = analysis.values(self.outcome)[:, rows]
        known = np.isfinite(values).any(axis=0)
        values, rows = values[:, known], rows[known]
        sign = self._sign(values)
        # Runs without a difference count half: they speak for neither side.
        against = np.nanmean(np.where(np.isnan(values), np.nan, (np.sign(values) * -sign + 1) / 2), axis=0)
        share = float(against.mean())
        key = "positive" if sign > 0 else "negative"
        facts = {
            "outcome": self.label, "points": number(len(rows)), "share": percent(share), "same": percent(1 - share),
            "side": found.say(f"doubt.{key}"),
        }  # fmt: skip
        if not against.any():
            return (found.say("doubt.never", **facts),)
        said = found.say("doubt.turns", **facts)
        if len(rows) < FEW_POINTS:
            return (said,)
        # Where the report's runs lie outside of a range nobody can say at which of its values their answer turns.
        outside = self._outside(analysis)
        columns = {path: analysis.points.labels(path, rows) for path in analysis.study.factors if path not in outside}
        if not columns:
            return (said,)
        where = discover(columns, against)
        if not where.found or where.honest < NOTABLE * where.base:
            return (said, found.say("doubt.nowhere"))
        limits = found.say("doubt.and").join(self._limit(limit, columns) for limit in where.chosen.limits)
        return (said, found.say("doubt.where", limits=limits, density=percent(where.honest), share=facts["share"]))

    def _sign(self, values: np.ndarray) -> int:
        """Return the side on which the report's answer is; where it has none, that of the study's mean."""
        simple = self._simple
        if self.paired and simple:
            gap = self.found.differences.get((self.found.main, simple["firm"], simple["measure"]))
            if gap is not None and gap.sign:
                return gap.sign
        return 1 if np.nanmean(values) >= 0 else -1

    def _limit(self, limit: Limit, columns: Mapping[str, Any]) -> str:
        """Write one condition."""
        from churnsim.plots.indices import end_words

        say, name = self.found.say, self.names.get(limit.name, limit.name)
        if limit.kept is not None:
            return say("doubt.is", name=name, values=say("doubt.or").join(map(str, limit.kept)))
        span = float(np.ptp(np.asarray(columns[limit.name], dtype=np.float64)))
        low, high = (None if end is None else end_words(end, span) for end in (limit.low, limit.high))
        if low is not None and high is not None:
            return say("doubt.between", name=name, low=low, high=high)
        return say("doubt.least", name=name, low=low) if low is not None else say("doubt.most", name=name, high=high)


def _is_number(value: Any) -> bool:
    """Return whether a value of a factor is a number rather than a choice."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))

"""Which of several choices is the best for a firm, by how much, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from churnsim.i18n import number
from churnsim.report.quantities import TINY, Difference, kpis, window

if TYPE_CHECKING:
    from churnsim.report.answers import Findings
    from churnsim.report.decision import Decision
    from churnsim.results import Result

LEAST = 3
"""Choices from which on it is said which is the best of them; of two the difference says it."""


@dataclass(frozen=True)
class Ranking:
    """Choices of one world by what the firm earns, or by its share where that is not known.

    Attributes
    ----------
    names : tuple of str
        The scenarios, the best first.
    first_in : int
        Runs in which the best did as well as any other.
    runs : int
        Runs compared.
    behind : mapping of str to Difference
        By every other scenario: how much better the best does, paired by seed.
    """

    names: tuple[str, ...]
    first_in: int
    runs: int
    behind: Mapping[str, Difference]

    @property
    def best(self) -> str:
        """The scenario in which the firm does best, by the mean."""
        return self.names[0]

    @property
    def second(self) -> str:
        """The next best."""
        return self.names[1]

    @property
    def equals(self) -> tuple[str, ...]:
        """Scenarios that cannot be told from the best: the interval of the difference contains zero."""
        return tuple(name for name in self.names[1:] if not self.behind[name].sign)


def choices(decision: Decision) -> tuple[str, ...]:
    """Return the scenarios that the report's firm chooses between; empty where there are fewer than `LEAST`."""
    names = decision.worlds[0].names
    return names if decision.is_choice and len(names) >= LEAST else ()


def ranking(result: Result, firm: str, names: tuple[str, ...]) -> Ranking:
    """Rank scenarios by what choices are judged by, over the runs that all of them have."""
    from scipy.special import stdtrit

    measure, averaged = kpis(result)[0]
    at = window(result, averaged)
    first, end = at if isinstance(at, tuple) else (at, at)
    ticks = result.ticks
    last = ticks[ticks["tick"].between(first, end) & (ticks["firm"] == firm) & ticks["scenario"].isin(names)]
    rows = last.astype({"scenario": object})
    table = rows.pivot_table(index="seed", columns="scenario", values=measure, aggfunc="mean").dropna()
    means = table.mean()
    ordered = tuple(sorted(names, key=lambda name: -float(means[name])))
    best, runs = table[ordered[0]], len(table)

    def lead(other: pd.Series) -> Difference:
        """Return how much better the best does than another."""
        gap = (best - other).to_numpy()
        half = float(stdtrit(runs - 1, 0.975) * gap.std(ddof=1) / math.sqrt(runs)) if runs > 1 else math.nan
        return Difference(float(gap.mean()), gap.mean() - half, gap.mean() + half, int((gap > 0).sum()), runs)

    behind = {name: lead(table[name]) for name in ordered[1:]}
    return Ranking(ordered, int(np.sum(best >= table.max(axis=1) - TINY)), runs, behind)


def headline(found: Findings, rank: Ranking) -> str:
    """Say which choice is the best, by how much against the baseline, and how sure it is that it is the best."""
    say, best, baseline = found.judged, rank.best, found.baseline
    facts = {
        "firm": found.firm_name(found.firm), "period": found.period, "n": number(len(rank.names)),
        "best": found.called(best), "first": number(rank.first_in), "runs": number(rank.runs),
        "baseline": found.called(baseline),
    }  # fmt: skip
    if rank.equals:
        quoted = (found.say("quoted", name=found.called(name)) for name in (best, *rank.equals))
        facts["names"] = found.say("and").join(quoted)
        said = [say("best_equal", second=found.called(rank.second), **facts, **_lead(found, rank, rank.second))]
    elif best == baseline:
        said = [say("best_baseline", second=found.called(rank.second), **facts, **_lead(found, rank, rank.second))]
    else:
        said = [say("best_clear", **facts, **_lead(found, rank, baseline))]
        if rank.second != baseline:
            said.append(found.say("best_next", second=found.called(rank.second), **_lead(found, rank, rank.second)))
    if rank.equals and baseline != best and baseline not in rank.equals:
        said.append(say("best_against", **facts, **_lead(found, rank, baseline)))
    return ("" if found.lang == "zh" else " ").join(said)


def _lead(found: Findings, rank: Ranking, other: str) -> dict[str, str]:
    """Return how much better the best does than another, as texts."""
    gap = rank.behind[other]
    low, high = (found.size(found.goal, end, gap.largest) for end in (gap.low, gap.high))
    return {"gap": found.size(found.goal, gap.mean, gap.largest), "low": low, "high": high}

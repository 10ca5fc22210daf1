"""Comparing what a study ran side by side: its arms, the levels of one factor, or its design points."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.studies.intervals import Interval, interval
from churnsim.studies.missing import refuse_many
from churnsim.studies.problems import StudyDataError, known
from churnsim.studies.ranking import Ranking, against, rank
from churnsim.studies.robustness import robustness
from churnsim.studies.statistics import Difference
from churnsim.studies.stopping import stein

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.studies.store import Store
    from churnsim.studies.study import Study

MOST_ALTERNATIVES = 60
"""Alternatives that are compared at most: with more of them a table of all is no answer; our assumption."""

_MEASURE = re.compile(r"(?P<measure>\w+)\.(?P<firm>\w+)(@[\d-]+)?")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Alternatives compared in one outcome, under common random numbers.

    Attributes
    ----------
    outcome : str
    by : str
        What the alternatives are: ``arm``, the dotted path of a factor, or ``point``.
    alternatives : tuple of str
        In the study's order.
    baseline : str
        The one that the others are compared with.
    more_is_better : bool
    values : (R, k) float64
        Outcome per replication and alternative, averaged over what else is varied.
    estimates : dict of str to Interval
        Mean of every alternative with its interval.
    differences : dict of str to (Difference, float)
        Per other alternative: less the baseline, and the p value after Holm's correction.
    ranking : Ranking
    robustness : pandas.DataFrame or None
        Where factors are varied beside the alternatives: how they fare over those points.
    indifference : float or None
    failed : int
        Runs without a value.
    """

    outcome: str
    by: str
    alternatives: tuple[str, ...]
    baseline: str
    more_is_better: bool
    values: np.ndarray
    estimates: dict[str, Interval]
    differences: dict[str, tuple[Difference, float]]
    ranking: Ranking
    robustness: pd.DataFrame | None
    indifference: float | None
    confidence: float
    failed: int

    def needed(self) -> int | None:
        """Return the replications that tell every difference to within the indifference; None without one."""
        if self.indifference is None:
            return None
        base = self.values[:, self.alternatives.index(self.baseline)]
        gaps = (self.values - base[:, np.newaxis]).T
        return max(stein(gap, self.indifference, self.confidence) for gap in gaps)

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as ``churnsim compare --json`` prints it."""
        order = {name: i for i, name in enumerate(self.ranking.arms)}
        table = {}
        for name in self.alternatives:
            i, estimate = order[name], self.estimates[name]
            entry: dict[str, Any] = {
                "mean": estimate.value, "low": estimate.low, "high": estimate.high, "interval": estimate.method,
                "rank": i + 1, "may_be_best": bool(self.ranking.candidates[i]),
                "probability_best": float(self.ranking.best[i]),
                "from_best_low": float(self.ranking.gap_low[i]), "from_best_high": float(self.ranking.gap_high[i]),
            }  # fmt: skip
            if name in self.differences:
                found, corrected = self.differences[name]
                entry["difference"] = {
                    "mean": found.mean, "low": found.low, "high": found.high, "interval": found.method,
                    "p": found.p_value, "p_corrected": corrected, "better_in": found.better, "worse_in": found.worse,
                    "pairs": found.pairs, "within_indifference": found.within, "better_by_more": found.ahead,
                    "gain": found.gain,
                }  # fmt: skip
            table[name] = entry
        out: dict[str, Any] = {
            "outcome": self.outcome, "by": self.by, "baseline": self.baseline,
            "direction": "more" if self.more_is_better else "less", "replications": self.ranking.replications,
            "confidence": self.confidence, "indifference": self.indifference, "needed": self.needed(),
            "failed": self.failed,
            "alternatives": table,
        }  # fmt: skip
        if self.robustness is not None:
            rows = self.robustness.to_dict("records")
            out["robustness"] = {row.pop("arm"): row for row in rows}
        return out


def compare(
    store: Store,
    outcome: str,
    *,
    by: str | None = None,
    baseline: str | None = None,
    more_is_better: bool | None = None,
    indifference: float | None = None,
    threshold: float | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare the alternatives of a study in one outcome.

    Parameters
    ----------
    store
        Where the runs are.
    outcome
        Its name.
    by
        ``arm``, the path of a factor of few levels, or ``point``; by default arms where there are several, else the
        only factor, else points.
    baseline
        One of the alternatives; by default the study's own, else the first.
    more_is_better
        Direction; by default that of the measure.
    indifference, threshold
        Smallest difference that matters, and outcome from which a point counts as mastered, in the outcome's unit.
    confidence, seed
        Of intervals and bootstrap.

    Raises
    ------
    StudyDataError
        If there is no such outcome or baseline, fewer than two alternatives or replications, or more than 5 % of the
        runs have no value.
    """
    store.check_design()
    by = check(store.study, outcome, by)
    table, names = _table(store, outcome, by)
    if len(names) < 2:
        raise StudyDataError("one_arm", {"found": names[0]})
    if len(names) > MOST_ALTERNATIVES:
        raise StudyDataError("many_alternatives", {"found": len(names), "most": MOST_ALTERNATIVES, "by": by})
    refuse_many(table)
    if baseline is None:
        baseline = store.study.baseline if by == "arm" and store.study.baseline else names[0]
    known("baseline", baseline, names)
    more = _direction(outcome, store) if more_is_better is None else more_is_better
    worlds = table.shape[1]
    with np.errstate(invalid="ignore"):
        # A replication in which some world is missing compares other worlds than the rest: it is left out.
        per_replication = table.mean(axis=1)
    ranking = rank(per_replication, names, more_is_better=more, confidence=confidence, seed=seed)
    return Comparison(
        outcome=outcome,
        by=by,
        alternatives=tuple(names),
        baseline=baseline,
        more_is_better=more,
        values=per_replication,
        estimates={name: interval(per_replication[:, i], confidence) for i, name in enumerate(names)},
        differences=against(
            per_replication, names, baseline, more_is_better=more, confidence=confidence, indifference=indifference
        ),
        ranking=ranking,
        robustness=robustness(table, names, more_is_better=more, threshold=threshold) if worlds > 1 else None,
        indifference=indifference,
        confidence=confidence,
        failed=int(np.isnan(table).sum()),
    )


def check(study: Study, outcome: str, by: str | None = None) -> str:
    """Return what the alternatives of a study are; refuse a question that it cannot answer, before anything is run.

    Raises
    ------
    StudyDataError
        If there is no such outcome or factor, or the levels of a factor are not comparable.
    """
    known("outcome", outcome, study.outcomes)
    if by is None:
        if len(study.arm_names) > 1:
            return "arm"
        return next(iter(study.factors)) if len(study.factors) == 1 and study.design == "grid" else "point"
    known("by", by, ["arm", *study.factors, "point"])
    if by not in ("arm", "point") and study.design != "grid":
        raise StudyDataError("by_not_grid", {"found": by, "design": study.design})
    return by


def _table(store: Store, outcome: str, by: str) -> tuple[np.ndarray, list[str]]:
    """Return an outcome per replication, world and alternative, and the alternatives' names."""
    plan, frame = store.plan, store.frame()
    if not len(frame):
        raise StudyDataError("unfinished", {"pending": len(plan), "runs": len(plan)})
    replications = int(frame.groupby(["row", "arm"], observed=True)["replication"].max().min())
    frame = frame[frame["replication"] <= replications]
    arms, rows = len(plan.arms), len(plan.points)
    full = np.full((replications, rows, arms), np.nan)
    full[frame["replication"] - 1, frame["row"], frame["arm"].cat.codes] = frame[outcome]
    if by == "arm":
        return full, list(plan.arms)
    if by == "point":
        labels = [[_short(plan.points.labels(path)[row]) for path in plan.points.columns] for row in range(rows)]
        return full.transpose(0, 2, 1), [", ".join(parts) or "point" for parts in labels]
    values = np.array([_short(value) for value in plan.points.labels(by)], dtype=object)
    names = list(dict.fromkeys(values))
    members = [np.flatnonzero(values == name) for name in names]
    if len({len(member) for member in members}) > 1:
        # Constraints have taken other points from some levels than from others.
        raise StudyDataError("by_not_grid", {"found": by, "design": store.study.design})
    # In a grid every level meets the same combinations of the other factors, in the same order.
    return np.stack([full[:, member].reshape(replications, -1) for member in members], axis=2), names


def _short(value: Any) -> str:
    """Write a factor's value as the name of an alternative."""
    return f"{value:g}" if isinstance(value, (int, float, np.number)) and not isinstance(value, bool) else str(value)


def _direction(outcome: str, store: Store) -> bool:
    """Tell whether more of an outcome is better: what its measure says, more where it says nothing."""
    from churnsim.dealing_measures import PER_FIRM

    measure = PER_FIRM.get(measure_in(store.study.outcomes[outcome]))
    return measure is None or measure.better != "less"


def measure_in(text: str) -> str:
    """Return the measure of an outcome that is one measure of one firm, in a window or not; else an empty text."""
    match = _MEASURE.fullmatch(text.strip())
    return match["measure"] if match else ""

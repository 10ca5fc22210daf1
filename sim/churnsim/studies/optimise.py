"""Finding a firm's best plan, and being honest about it.

Every candidate faces the same futures with the same luck. The best of many candidates still owes part of its lead to
those futures (the winner's curse), so finalists are compared on fresh ones, and the winner is measured on yet others,
which no choice has seen. What the search promised beyond that is reported as its optimism.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from churnsim.running import reporter
from churnsim.studies.bench import Bench, kept_of
from churnsim.studies.campaign import Means, Notice, Progress
from churnsim.studies.discovery import Discovery, discover
from churnsim.studies.errors import StudyError, StudyProblem
from churnsim.studies.intervals import Interval, student, wilson
from churnsim.studies.missing import MOST_MISSING, NoAnswerError
from churnsim.studies.optimisation import KIND, NOTHING, OWN, Optimisation, Plan
from churnsim.studies.optimum import Judged, Optimum
from churnsim.studies.search import DifferentialEvolution, Nsga, nondominated, spread_out

REFUSED = 1e15
"""Worth of a plan that is not allowed; the less it breaks, the less of this, so that searches find their way."""
WORST = 0.2
RESAMPLES = 1000

Future = tuple[Plan, int]
"""What is uncertain, and a seed."""


class _Trial:
    """The study at work: its runs, and what plans are worth in them."""

    def __init__(self, study: Optimisation, bench: Bench, report: Progress) -> None:
        self.study, self.bench, self.report = study, bench, report
        self.names = list(study.objectives)
        self.signs = study.signs
        self.done = 0
        self.failed = False
        self.total = study.most_runs

    def futures(self, count: int, part: int, replications: int = 1) -> list[Future]:
        """Return futures spread evenly over what is uncertain; another part has others, and other seeds."""
        from scipy.stats import qmc

        study = self.study
        first = 1 + (study.search.seed * 8 + part) * 10_000_000
        if study.futures:
            rng = np.random.default_rng([study.search.seed, part])
            points = qmc.LatinHypercube(len(study.futures), rng=rng).random(count)
        else:
            points = np.zeros((count, 0))
        known = [study.future(point) for point in points]
        return [(known[i], first + i * replications + r) for i in range(count) for r in range(replications)]

    def outcomes(self, plans: Sequence[Plan | str], futures: Sequence[Future]) -> np.ndarray:
        """Return the outcomes of plans, ``(plans, futures, outcomes)``; missing where a run has failed."""
        tasks = [(self.study.setup(plan, future), seed) for plan in plans for future, seed in futures]
        start = self.done
        values = self.bench.values(tasks, lambda done, total: self.report(min(start + done, self.total), self.total))
        self.done += len(tasks)
        self.failed = self.failed or bool(np.isnan(values).any())
        return values.reshape(len(plans), len(futures), -1)

    def worth(self, values: np.ndarray) -> np.ndarray:
        """Return what plans are worth, ``(plans, objectives)``, small is good; from `outcomes`."""
        aims = values[..., : len(self.names)] * self.signs
        if self.study.robust == "mean":
            return aims.mean(axis=1)
        return _worst_fifth(aims)

    def broken(self, values: np.ndarray) -> np.ndarray:
        """Return by how much plans miss what is required, ``(plans,)``."""
        out = np.zeros(len(values))
        for place, one in enumerate(self.study.required):
            held = one.holds(values[..., len(self.names) + place]).mean(axis=1)
            out += np.clip(one.share - held, 0, None)
        return out

    def judged(self, values: np.ndarray, plan: Plan | None) -> Judged:
        """Measure one plan by its outcomes ``(futures, outcomes)``."""
        objectives = {
            name: self._interval(values[:, k] * self.signs[k], self.signs[k]) for k, name in enumerate(self.names)
        }
        fulfilled = {}
        for place, (text, one) in enumerate(zip(self.study.require, self.study.required, strict=True)):
            held = one.holds(values[:, len(self.names) + place])
            low, high = wilson(float(held.sum()), len(held))
            fulfilled[text] = Interval(float(held.mean()), low, high, "wilson", len(held))
        return Judged(plan, objectives, fulfilled)

    def gains(self, own: np.ndarray, other: np.ndarray) -> dict[str, tuple[Interval, float]]:
        """Return by how much one plan is better than another, objective by objective, paired by future."""
        out = {}
        for k, name in enumerate(self.names):
            pair = np.stack([own[:, k], other[:, k]]) * self.signs[k]
            ahead = float((pair[0] < pair[1]).mean())
            if self.study.robust == "mean":
                out[name] = student(pair[1] - pair[0]), ahead
            else:
                out[name] = _resampled(pair, lambda rows: _worst_fifth(rows[1]) - _worst_fifth(rows[0])), ahead
        return out

    def _interval(self, aims: np.ndarray, sign: float) -> Interval:
        """Return what a plan is worth in one objective, in its own direction."""
        told = student(aims) if self.study.robust == "mean" else _resampled(
            aims[np.newaxis], lambda rows: _worst_fifth(rows[0])
        )  # fmt: skip
        ends = sorted((told.low * sign, told.high * sign))
        return Interval(told.value * sign, ends[0], ends[1], told.method, told.runs)


def _worst_fifth(aims: np.ndarray) -> np.ndarray:
    """Return the mean of the largest fifth along the axis of futures (the last of one or two, else the second)."""
    axis = 1 if aims.ndim == 3 else aims.ndim - 1
    count = max(1, int(np.ceil(WORST * aims.shape[axis])))
    ranked = np.sort(aims, axis=axis)
    return np.take(ranked, range(aims.shape[axis] - count, aims.shape[axis]), axis=axis).mean(axis=axis)


def _resampled(rows: np.ndarray, statistic: Callable[[np.ndarray], Any]) -> Interval:
    """Return a statistic of paired rows with its percentile interval over resampled futures."""
    rng = np.random.default_rng(0)
    count = rows.shape[1]
    drawn = [float(statistic(rows[:, rng.integers(count, size=count)])) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(statistic(rows)), float(low), float(high), "bootstrap", count)


def kept_in(study: Optimisation, out: Path) -> int:
    """Return how many runs of a search its folder has already; makes no folder."""
    return kept_of(study.study, KIND, out)


def optimise(
    study: Optimisation,
    out: str | Path | None = None,
    jobs: int | None = None,
    progress: bool | Progress | None = None,
    *,
    dask: str | int | None = None,
    timeout: float | None = None,
    notice: Notice | None = None,
) -> Optimum:
    """Look for the best plan; what has been run before is not run again, so that a stopped search goes on.

    Parameters
    ----------
    study
        What is asked.
    out
        Folder that keeps the runs; None keeps none.
    jobs, progress, dask, timeout, notice
        As of `churnsim.studies.sweeping.sweep`; the runs of the progress include remembered ones.

    Raises
    ------
    StudyError
        If the study does not fit the scenario, or no plan fulfils what is required.
    NoAnswerError
        If so many runs have failed that no plan can be measured.
    """
    study.check()
    with (
        Bench(study.study, KIND, study.choices, out, Means(jobs, dask, timeout), notice) as bench,
        reporter(progress) as report,
    ):
        try:
            return _optimised(_Trial(study, bench, report))
        except NoAnswerError as error:
            error.failures = bench.failures()
            raise


def _optimised(trial: _Trial) -> Optimum:
    """Search, compare the finalists anew, measure the winner."""
    study, effort = trial.study, trial.study.search
    known, history = _searched(trial)
    fine = [(plan, worth) for plan, worth in known.values() if worth[0] < REFUSED]
    if not fine:
        if trial.failed:
            raise NoAnswerError("no_plan")
        refused = StudyError([StudyProblem("study_no_plan", ("require" if study.require else "constraints",))])
        refused.ending = "optimise.runs_kept"
        raise refused
    worths = np.array([worth for _, worth in fine])
    if len(trial.names) == 1:
        places = np.argsort(worths[:, 0], kind="stable")[: effort.finalists]
    else:
        front = np.flatnonzero(nondominated(worths))
        places = front[spread_out(worths[front], effort.finalists)]
    plans: list[Plan] = [fine[place][0] for place in places]
    if len(trial.names) == 1:
        again = trial.outcomes(plans, trial.futures(effort.fresh, part=1))
        order = np.where(trial.broken(again) > 0, REFUSED * (1 + trial.broken(again)), trial.worth(again)[:, 0])
        order[_has_gaps(again)] = np.inf
        if np.isinf(order).all():
            raise NoAnswerError("no_plan")
        plans = [plans[int(np.argmin(order))]]
    promised = _promised(trial, plans)
    # Nothing has been chosen by these futures.
    last = trial.outcomes([*plans, NOTHING, OWN], trial.futures(effort.fresh, part=2))
    measured = np.isnan(last).any(axis=2).mean(axis=1) <= MOST_MISSING
    if not measured[-2:].all() or not measured[:-2].any():
        raise NoAnswerError("no_plan")
    whole = ~np.isnan(last[measured]).any(axis=(0, 2))
    kept = np.flatnonzero(measured[:-2])
    found, nothing, own = last[kept].compress(whole, axis=1), last[-2, whole], last[-1, whole]
    real = trial.worth(found)
    best = np.flatnonzero(nondominated(real))
    best = best[np.argsort(real[best, 0], kind="stable")]
    judged = []
    for place in best:
        base = trial.judged(found[place], plans[kept[place]])
        said = {name: float(promised[kept[place], k]) for k, name in enumerate(trial.names)}
        gains = {NOTHING: trial.gains(found[place], nothing), OWN: trial.gains(found[place], own)}
        judged.append(Judged(base.plan, base.objectives, base.fulfilled, said, gains))
    others = {NOTHING: trial.judged(nothing, None), OWN: trial.judged(own, None)}
    flip, flips = _flipped(trial, plans[kept[best[0]]])
    failures = trial.bench.failures() if trial.failed else None
    lost = int((~whole).sum())
    return Optimum(study, judged, others, history, len(known), trial.bench.made, lost, failures, flip, flips)


def _has_gaps(values: np.ndarray) -> np.ndarray:
    """Return which plans have failed in some future, ``(plans,) bool``; from `_Trial.outcomes`."""
    return np.isnan(values).any(axis=(1, 2))


def _promised(trial: _Trial, plans: list[Plan]) -> np.ndarray:
    """Return how much better than doing nothing the search said that plans are, ``(plans, objectives)``."""
    values = trial.outcomes([*plans, NOTHING], trial.futures(trial.study.search.futures, part=0))
    whole = ~np.isnan(values).any(axis=(0, 2))
    if not whole.any():
        raise NoAnswerError("no_plan")
    worth = trial.worth(values.compress(whole, axis=1))
    return worth[-1] - worth[:-1]


def _searched(trial: _Trial) -> tuple[dict[str, tuple[Plan, np.ndarray]], list[float]]:
    """Search; return every plan looked at with what it is worth, and the best worth after each generation.

    A plan of which a run has failed is refused, as one that is not allowed: it must not win by failing where it is bad.
    """
    study, effort = trial.study, trial.study.search
    futures = trial.futures(effort.futures, part=0)
    aims = len(trial.names)
    search = (
        DifferentialEvolution(len(study.levers), effort.population, effort.seed)
        if aims == 1
        else Nsga(len(study.levers), effort.population, effort.seed, aims)
    )
    known: dict[str, tuple[Plan, np.ndarray]] = {}
    history: list[float] = []
    for _ in range(effort.generations):
        plans = [study.plan(point) for point in search.ask()]
        keys = [json.dumps(plan, sort_keys=True) for plan in plans]
        fresh = {key: plan for key, plan in zip(keys, plans, strict=True) if key not in known}
        allowed = {key: plan for key, plan in fresh.items() if study.allowed(plan)}
        known |= {key: (plan, np.full(aims, 2 * REFUSED)) for key, plan in fresh.items() if key not in allowed}
        if allowed:
            values = trial.outcomes(list(allowed.values()), futures)
            broken, worth = trial.broken(values), trial.worth(values)
            worth = np.where(broken[:, np.newaxis] > 0, REFUSED * (1 + broken[:, np.newaxis]), worth)
            worth[_has_gaps(values)] = 2 * REFUSED
            known |= {key: (allowed[key], worth[i]) for i, key in enumerate(allowed)}
        search.tell(np.array([known[key][1] for key in keys]))
        best = min(float(worth[0]) for _, worth in known.values())
        history.append(best * trial.signs[0] if best < REFUSED else np.nan)
        trial.done = len(history) * effort.population * effort.futures
    return known, history


def _flipped(trial: _Trial, plan: Plan) -> tuple[Discovery | None, pd.DataFrame | None]:
    """Look for the futures in which the best plan is worse than the other one, by the first objective.

    Replications in which either has failed do not count; nothing is found where more than 5 % have.
    """
    doubt = trial.study.discover
    if doubt is None:
        return None, None
    futures = trial.futures(doubt.futures, part=3, replications=doubt.replications)
    other = NOTHING if doubt.against == NOTHING else OWN
    values = trial.outcomes([plan, other], futures)
    known = ~np.isnan(values).any(axis=(0, 2)).reshape(doubt.futures, doubt.replications)
    if 1 - known.mean() > MOST_MISSING:
        return None, None
    values = values[..., 0] * trial.signs[0]
    worse = (values[0] > values[1]).reshape(known.shape)
    there = known.any(axis=1)
    share = (worse & known).sum(axis=1)[there] / known.sum(axis=1)[there]
    points = [future for (future, _), is_there in zip(futures[:: doubt.replications], there, strict=True) if is_there]
    columns = {name: [_told(future[name]) for future in points] for name in trial.study.futures}
    table = pd.DataFrame({**columns, "worse": share})
    return discover({name: table[name].to_numpy() for name in columns}, share, trial.study.search.seed), table


def _told(value: Any) -> Any:
    """Return a value as it stands in tables."""
    from churnsim.studies.factors import label

    return label(value)

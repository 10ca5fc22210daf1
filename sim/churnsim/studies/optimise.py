"""Finding a firm's best plan, and being honest about it.

Every candidate faces the same futures with the same luck. The best of many candidates still owes part of its lead to
those futures (the winner's curse), so finalists are compared on fresh ones, and the winner is measured on yet others,
which no choice has seen. What the search promised beyond that is reported as its optimism.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from churnsim.studies.discovery import Discovery, discover, tidy
from churnsim.studies.errors import StudyError, StudyProblem
from churnsim.studies.evaluations import Evaluations
from churnsim.studies.intervals import Interval, student, wilson
from churnsim.studies.optimisation import NOTHING, OWN, Optimisation, Plan
from churnsim.studies.search import DifferentialEvolution, Nsga, nondominated, spread_out

FILE = "optimise.sqlite"
REFUSED = 1e15
"""Worth of a plan that is not allowed; the less it breaks, the less of this, so that searches find their way."""
WORST = 0.2
RESAMPLES = 1000

Report = Callable[[int, int], None]
Future = tuple[Plan, int]
"""What is uncertain, and a seed."""


@dataclass(frozen=True, eq=False)
class Judged:
    """A plan as measured on futures that played no part in choosing it.

    Attributes
    ----------
    plan : dict or None
        Value of every lever; None of the scenario's own plan and of doing nothing.
    objectives : dict of str to Interval
        What it is worth, with 95 % intervals.
    fulfilled : dict of str to Interval
        Share of runs in which each requirement holds.
    promised : dict of str to float
        How much better than doing nothing the search said that the plan is; what it really gains is in `gains`, and the
        difference is the search's optimism. Empty where nothing was searched.
    gains : dict of str to (dict of str to (Interval, float))
        By other plan and objective: the paired difference in favour of this one, and the share of futures with one.
    """

    plan: Plan | None
    objectives: dict[str, Interval]
    fulfilled: dict[str, Interval]
    promised: dict[str, float] = field(default_factory=dict)
    gains: dict[str, dict[str, tuple[Interval, float]]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Optimum:
    """The answer of a search.

    Attributes
    ----------
    study : Optimisation
        What was asked.
    front : list of Judged
        The best plan; with several objectives, the plans that no other one beats in all of them.
    others : dict of str to Judged
        Doing nothing (``nothing``) and the scenario's own plan (``own``).
    history : list of float
        Best worth so far after each generation, of the first objective.
    candidates, runs : int
        Different plans looked at, and runs made by this call.
    flip : Discovery or None
        In which futures the answer flips.
    flips : pandas.DataFrame or None
        The futures looked at: one column per uncertain factor, and ``worse``, the share of replications in which the
        best plan is worse than the other.
    """

    study: Optimisation
    front: list[Judged]
    others: dict[str, Judged]
    history: list[float]
    candidates: int
    runs: int
    flip: Discovery | None = None
    flips: pd.DataFrame | None = None

    @property
    def best(self) -> Judged:
        """The plan that is best in the first objective."""
        return self.front[0]


class _Trial:
    """The study at work: its runs, and what plans are worth in them."""

    def __init__(self, study: Optimisation, runs: Evaluations, report: Report) -> None:
        self.study, self.runs, self.report = study, runs, report
        self.names = list(study.objectives)
        self.signs = study.signs
        self.done = 0
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

    def outcomes(self, plans: Sequence[Plan | str | None], futures: Sequence[Future]) -> np.ndarray:
        """Return the outcomes of plans, ``(plans, futures, outcomes)``."""
        tasks = []
        for plan in plans:
            for future, seed in futures:
                made = self.study.passive(future) if plan == NOTHING else self.study.with_plan(plan, future)  # type: ignore[arg-type]
                tasks.append((made, seed))
        start = self.done
        values = self.runs.values(tasks, lambda done, total: self.report(min(start + done, self.total), self.total))
        self.done += len(tasks)
        if not np.isfinite(values).all():
            raise StudyError([StudyProblem("study_outcome_missing", ("maximise",))])
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


def optimise(
    study: Optimisation, out: Path | None = None, jobs: int | None = None, progress: Report | None = None
) -> Optimum:
    """Look for the best plan; what has been run before is not run again, so that a stopped search goes on.

    Parameters
    ----------
    study
        What is asked.
    out
        Folder that keeps the runs; None keeps none.
    jobs
        Batches of runs at a time.
    progress
        Called with the runs behind it, remembered ones included, and the runs in all.

    Raises
    ------
    StudyError
        If the study does not fit the scenario, or no plan fulfils what is required.
    """
    study.check()
    runs = Evaluations(study.outcomes, None if out is None else out / FILE, jobs)
    try:
        return _optimised(_Trial(study, runs, progress or (lambda done, total: None)))
    finally:
        runs.close()


def _optimised(trial: _Trial) -> Optimum:
    """Search, compare the finalists anew, measure the winner."""
    study, effort = trial.study, trial.study.search
    known, history = _searched(trial)
    fine = [(plan, worth) for plan, worth in known.values() if worth[0] < REFUSED]
    if not fine:
        raise StudyError([StudyProblem("study_no_plan", ("require" if study.require else "constraints",))])
    worths = np.array([worth for _, worth in fine])
    if len(trial.names) == 1:
        places = np.argsort(worths[:, 0], kind="stable")[: effort.finalists]
    else:
        front = np.flatnonzero(nondominated(worths))
        places = front[spread_out(worths[front], effort.finalists)]
    plans: list[Plan] = [fine[place][0] for place in places]
    said = worths[places]
    if len(trial.names) == 1:
        again = trial.outcomes(plans, trial.futures(effort.fresh, part=1))
        order = np.where(trial.broken(again) > 0, REFUSED * (1 + trial.broken(again)), trial.worth(again)[:, 0])
        winner = int(np.argmin(order))
        plans, said = [plans[winner]], said[winner : winner + 1]
    idle = trial.worth(trial.outcomes([NOTHING], trial.futures(effort.futures, part=0)))[0]
    # Nothing has been chosen by these futures.
    last = trial.outcomes([*plans, NOTHING, None], trial.futures(effort.fresh, part=2))
    found, nothing, own = last[: len(plans)], last[-2], last[-1]
    real = trial.worth(found)
    kept = np.flatnonzero(nondominated(real))
    kept = kept[np.argsort(real[kept, 0], kind="stable")]
    judged = []
    for place in kept:
        base = trial.judged(found[place], plans[place])
        promised = {name: float(idle[k] - said[place, k]) for k, name in enumerate(trial.names)}
        gains = {NOTHING: trial.gains(found[place], nothing), OWN: trial.gains(found[place], own)}
        judged.append(Judged(base.plan, base.objectives, base.fulfilled, promised, gains))
    others = {NOTHING: trial.judged(nothing, None), OWN: trial.judged(own, None)}
    flip, flips = _flipped(trial, judged[0].plan)
    return Optimum(study, judged, others, history, len(known), trial.runs.made, flip, flips)


def _searched(trial: _Trial) -> tuple[dict[str, tuple[Plan, np.ndarray]], list[float]]:
    """Search; return every plan looked at with what it is worth, and the best worth after each generation."""
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
            known |= {key: (allowed[key], worth[i]) for i, key in enumerate(allowed)}
        search.tell(np.array([known[key][1] for key in keys]))
        best = min(float(worth[0]) for _, worth in known.values())
        history.append(best * trial.signs[0] if best < REFUSED else np.nan)
        trial.done = len(history) * effort.population * effort.futures
    return known, history


def _flipped(trial: _Trial, plan: Plan | None) -> tuple[Discovery | None, pd.DataFrame | None]:
    """Look for the futures in which the best plan is worse than the other one, by the first objective."""
    doubt = trial.study.discover
    if doubt is None:
        return None, None
    futures = trial.futures(doubt.futures, part=3, replications=doubt.replications)
    other = NOTHING if doubt.against == NOTHING else None
    values = trial.outcomes([plan, other], futures)[..., 0] * trial.signs[0]
    worse = (values[0] > values[1]).reshape(doubt.futures, doubt.replications).mean(axis=1)
    known = [future for future, _ in futures[:: doubt.replications]]
    columns = {name: [_told(future[name]) for future in known] for name in trial.study.futures}
    table = pd.DataFrame({**columns, "worse": worse})
    return discover({name: table[name].to_numpy() for name in columns}, worse, trial.study.search.seed), table


def _told(value: Any) -> Any:
    """Return a value as it stands in tables."""
    from churnsim.studies.factors import label

    return label(value)


def front_frame(answer: Optimum) -> pd.DataFrame:
    """Return one row per plan: kind (``front``, ``nothing``, ``own``), and per objective mean, low and high."""
    plans = [("front", one) for one in answer.front] + list(answer.others.items())
    return pd.DataFrame([
        {"kind": kind}
        | {name: value.value for name, value in one.objectives.items()}
        | {f"{name}_low": value.low for name, value in one.objectives.items()}
        | {f"{name}_high": value.high for name, value in one.objectives.items()}
        for kind, one in plans
    ])  # fmt: skip


def as_json(answer: Optimum) -> dict[str, Any]:
    """Return an answer as plain data."""
    study = answer.study
    return {
        "study": study.name,
        "firm": study.firm,
        "objectives": {name: "maximise" if name in study.maximise else "minimise" for name in study.objectives},
        "robust": study.robust,
        "best": _plan_json(answer.best),
        "front": [_plan_json(one) for one in answer.front],
        "others": {name: _plan_json(one) for name, one in answer.others.items()},
        "search": {"candidates": answer.candidates, "best_by_generation": answer.history},
        "discovery": None if answer.flip is None else {
            "against": study.discover.against if study.discover else None,
            "share_worse": answer.flip.base,
            "found": answer.flip.found,
            "limits": tidy(answer.flip.chosen.limits),
            "coverage": answer.flip.chosen.coverage,
            "density": answer.flip.chosen.density,
            "mass": answer.flip.chosen.mass,
            "honest_density": answer.flip.honest,
        },
    }  # fmt: skip


def _plan_json(one: Judged) -> dict[str, Any]:
    """Return a plan and what it is worth as plain data."""

    def told(interval: Interval) -> dict[str, float]:
        return {"mean": interval.value, "low": interval.low, "high": interval.high}

    out: dict[str, Any] = {"objectives": {name: told(value) for name, value in one.objectives.items()}}
    if one.fulfilled:
        out["required"] = {text: told(value) for text, value in one.fulfilled.items()}
    if one.plan is not None:
        out["plan"] = one.plan
        out["against"] = {
            other: {name: {**told(gain), "better_in": share} for name, (gain, share) in gains.items()}
            for other, gains in one.gains.items()
        }
        real = one.gains[NOTHING]
        out["optimism"] = {
            name: {"promised": value, "real": real[name][0].value, "optimism": value - real[name][0].value}
            for name, value in one.promised.items()
        }
    return out

"""What a search has found: plans as measured on futures that played no part in choosing them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from churnsim.studies.discovery import Discovery, tidy
from churnsim.studies.intervals import Interval
from churnsim.studies.optimisation import NOTHING, Optimisation, Plan


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
    lost : int
        Futures that the measured plans are not compared in, since a run has failed there.
    failures : pandas.DataFrame or None
        The runs that have failed, as `churnsim.studies.store.Store.failures` has them; None if none has.
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
    lost: int = 0
    failures: pd.DataFrame | None = None
    flip: Discovery | None = None
    flips: pd.DataFrame | None = None

    @property
    def best(self) -> Judged:
        """The plan that is best in the first objective."""
        return self.front[0]


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

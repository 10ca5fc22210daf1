"""Retention tables as scenarios: one arm per segment, and survival of simulated cohorts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from churnsim.calibration.bases import rebuilt
from churnsim.calibration.errors import refuse
from churnsim.calibration.fitted import DRAWS, Fitted, intervals, name_for
from churnsim.calibration.formats import Segment
from churnsim.calibration.posterior import Warned, interval_around
from churnsim.calibration.retention import RetentionFit, fit_retention, shapes, trend
from churnsim.calibration.shocks import Calendar, Shocks
from churnsim.scenario import BASE_ARM, Scenario

LONGEST = 366
"""Periods that a calendar holds."""

COHORTS = 50
"""Draws from the posterior of which each has a cohort of its own."""

CUSTOMERS, CUSTOMER_TICKS = 8000, 10_000_000
"""Customers of a cohort, and what all cohorts together may cost, in customer-ticks."""

SMALL = 8
"""Customers lost below which a segment counts as small (assumed)."""

MOST_WEIGHT = 1000.0
"""Bound of a calendar's weights."""


def weights_of(log_c: np.ndarray, effect: np.ndarray, shocks: np.ndarray, calendar: Calendar | None) -> np.ndarray:
    """Return (draws, periods) weights of the calendar.

    Parameters
    ----------
    log_c, effect : (draws,)
        Logarithms of the trend and of an anniversary's factor.
    shocks : (draws, periods)
        Logarithms of the factors of single periods.
    calendar
        Where the anniversaries are.
    """
    periods = np.arange(1, shocks.shape[1] + 1)
    weights = trend(periods, log_c) * np.exp(shocks)
    if calendar is not None:
        weights = weights * np.exp(np.outer(effect, calendar.marks(periods)))
    return np.minimum(weights, MOST_WEIGHT)


def fitted_retention(base: Scenario, segments: tuple[Segment, ...], seed: int) -> Fitted:
    """Calibrate a scenario to retention tables.

    Parameters
    ----------
    base
        As `scenarios/calibration_retention.yaml`.
    segments
        The tables.
    seed
        Seed of the posterior's draws.
    """
    longest = max(segment.last for segment in segments)
    if longest > LONGEST:
        raise refuse("too_long", found=longest, high=LONGEST)
    found = fit_retention(segments)
    draws = found.posterior.sample(DRAWS, seed)
    count = len(segments)
    effect = draws[:, 3 * count] if found.calendar is not None else np.zeros(DRAWS)
    taken: set[str] = set()
    arms = [BASE_ARM, *(name_for(segment.name, taken, "segment") for segment in segments[1:])]
    tables, changes = [], []
    for g, segment in enumerate(segments):
        a, b = shapes(draws[:, 3 * g], draws[:, 3 * g + 1])
        tables.append(
            pd.DataFrame(
                {"segment": segment.name, "draw": np.arange(DRAWS), "customers.opportunity.a": a,
                 "customers.opportunity.b": b, "trend": np.exp(draws[:, 3 * g + 2]), "anniversary": np.exp(effect)}
            )
        )  # fmt: skip
        mode = found.posterior.mode
        a, b = shapes(mode[3 * g], mode[3 * g + 1])
        shocks = _most_likely_shocks(found, g)
        level = mode[3 * count] if found.calendar is not None else 0.0
        weights = weights_of(mode[3 * g + 2 : 3 * g + 3], np.array([level]), shocks[None], found.calendar)[0]
        changes.append(
            {
                "customers.opportunity": {"dist": "beta", "a": float(a), "b": float(b)},
                "customers.calendar.weights": [round(float(weight), 6) for weight in weights],
            }
        )
    posterior = pd.concat(tables, ignore_index=True)
    scenario = _scenario(base, segments, arms, changes, longest)
    parameters: dict[str, dict[str, float]] = {}
    for arm, table in zip(arms, tables, strict=True):
        prefix = "" if arm == BASE_ARM else f"arms.{arm}.set."
        named = table.rename(
            columns={"trend": "customers.calendar.trend", "anniversary": "customers.calendar.anniversary"}
        )
        skip = ("draw", "segment", *(("customers.calendar.anniversary",) if found.calendar is None else ()))
        parameters |= {f"{prefix}{path}": value for path, value in intervals(named, skip).items()}
    facts = {
        "segments": {
            segment.name: {"arm": arm, "first": segment.first, "off": off.tolist(), "chance": chance.tolist()}
            for segment, arm, (off, chance) in zip(segments, arms, found.residuals, strict=True)
        },
        "shocks": asdict(found.shocks),
        "calendar": found.fit["calendar"],
        "seed": seed,
    }
    return Fitted(scenario, "retention", parameters, found.fit, _warnings(found), posterior, facts)


def _most_likely_shocks(found: RetentionFit, g: int) -> np.ndarray:
    """Return the mean shocks of one segment, from period 1 to its last."""
    segment, (off, chance) = found.segments[g], found.residuals[g]
    luck = np.random.default_rng(0)
    path = found.shocks.paths(off, chance, off.size, 400, luck).mean(0) if found.shocks.total else np.zeros(off.size)
    return np.concatenate([np.zeros(segment.first - 1), path])


def _scenario(
    base: Scenario, segments: tuple[Segment, ...], arms: list[str], changes: list[dict[str, Any]], longest: int
) -> Scenario:
    """Return the base with the first segment's values, and the others as arms."""
    settled = base.set({"horizon": longest, "burn_in": 0, **changes[0]})
    others = {
        arm: {"title": {"en": segment.name, "zh": segment.name}, "set": change}
        for segment, arm, change in list(zip(segments, arms, changes, strict=True))[1:]
    }
    return rebuilt(settled, arms=others, claims=())


def _warnings(found: RetentionFit) -> list[Warned]:
    """Return what to be careful about."""
    told = found.posterior.warnings()
    for segment in found.segments:
        if segment.lost.sum() < SMALL:
            told.append({"key": "few_lost", "segment": segment.name, "lost": f"{segment.lost.sum():g}"})
        if segment.lost.size < 3:
            told.append({"key": "few_periods", "segment": segment.name, "periods": int(segment.lost.size)})
    if found.shocks.total > 0:
        told.append({"key": "shocks", "percent": f"{100 * np.expm1(np.sqrt(found.shocks.total)):.0f}"})
    if found.calendar is not None:
        told.append({"key": "calendar", "cycle": found.calendar.cycle})
    for period, factor in found.spikes:
        told.append({"key": "spike", "period": period, "factor": f"{factor:.1f}"})
    return told


def predict_retention(fitted: Fitted, periods: int, *, jobs: int | None = None) -> dict[str, Any]:
    """Simulate cohorts forward and return who is left.

    Every draw from the posterior has a cohort of its own in the real engine, with its own future shocks.

    Parameters
    ----------
    fitted
        From `fitted_retention`.
    periods
        How far: S(1) ... S(periods).
    jobs
        Runs at a time.

    Returns
    -------
    dict
        ``{"segments": {name: {"S", "low", "high"}}}``; the intervals (95 %) are those of the parameters and the shocks,
        not of chance among a few customers.
    """
    from churnsim.calibration.cohorts import survivors

    if not 1 <= periods <= LONGEST:
        raise refuse("periods", found=periods, high=LONGEST)
    facts = fitted.facts
    calendar = (
        None if facts["calendar"] is None else Calendar(facts["calendar"]["cycle"], tuple(facts["calendar"]["offsets"]))
    )
    shocks = Shocks(**facts["shocks"])
    names = list(facts["segments"])
    customers = int(min(CUSTOMERS, max(200, CUSTOMER_TICKS // (COHORTS * periods * len(names)))))
    bare = rebuilt(fitted.scenario, arms={}, claims=())
    firm = next(iter(bare.firms))
    answer = {}
    for place, name in enumerate(names):
        about = facts["segments"][name]
        table = fitted.posterior[fitted.posterior["segment"].astype(str) == name]
        # Draws lie opposite each other across the middle of the table (Posterior.sample): take whole pairs.
        table = table.iloc[[*range(COHORTS // 2), *range(len(table) // 2, len(table) // 2 + COHORTS // 2)]]
        luck = np.random.default_rng([facts["seed"], place])
        path = np.zeros((COHORTS, periods))
        if shocks.total > 0:
            skipped = about["first"] - 1
            ahead = shocks.paths(
                np.array(about["off"]), np.array(about["chance"]), max(periods - skipped, 0), COHORTS, luck
            )
            path[:, skipped:] = ahead[:, : periods - skipped]
        weights = weights_of(np.log(table["trend"].to_numpy()), np.log(table["anniversary"].to_numpy()), path, calendar)
        plans = [
            bare.set(
                {
                    "horizon": periods,
                    "customers.count": customers,
                    "customers.opportunity": {"dist": "beta", "a": float(row[0]), "b": float(row[1])},
                    "customers.calendar.weights": weights[k].tolist(),
                }
            ).named(f"draw_{k}")
            for k, row in enumerate(table[["customers.opportunity.a", "customers.opportunity.b"]].to_numpy())
        ]
        left = survivors(plans, firm, first_seed=1 + COHORTS * place, jobs=jobs) / customers
        low, high = interval_around(left)
        answer[name] = {"S": left.mean(0).tolist(), "low": low.tolist(), "high": high.tolist()}
    return {"segments": answer}

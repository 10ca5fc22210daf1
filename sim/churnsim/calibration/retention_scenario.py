"""Retention tables as scenarios: one arm per segment, and survival of simulated cohorts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from churnsim.calibration.bases import rebuilt
from churnsim.calibration.calendars import Calendar
from churnsim.calibration.errors import Warned
from churnsim.calibration.fitted import DRAWS, Fitted, intervals, name_for
from churnsim.calibration.formats import MOST_PERIODS, Segment
from churnsim.calibration.hazards import hazards as hazard_rates
from churnsim.calibration.hazards import shapes, trend
from churnsim.calibration.posterior import interval_around
from churnsim.calibration.retention import RetentionFit, fit_retention
from churnsim.calibration.shocks import Shocks
from churnsim.scenario import BASE_ARM, Scenario

COHORTS = DRAWS
"""Draws from the posterior of which each has a cohort of its own: of fifty the mean survival was up to a point off."""

CUSTOMERS, CUSTOMER_TICKS = 2000, 10_000_000
"""Customers of a cohort, and what all cohorts together may cost, in customer-ticks."""

SMALL = 8
"""Customers lost below which a segment counts as small (assumed)."""

SHORT = 3
"""Periods below which a table shows no shocks, and not whether customers differ or hazards change (assumed)."""

FEWEST = 10
"""Draws from which a parameter is summarised over those in which it is there (assumed)."""

MANY = 3
"""Warnings of one kind that are told each by itself."""

LIKELY = 0.5
"""Probability from which it is told that the level of losses does not come back."""

KINDS = ("passing", "fading", "level")
"""Parts of a shock, in the order of `shocks`."""

REACH, AHEAD = 2, 24
"""Length of the scenario's calendar, in lengths of the data, and periods that it goes on after them at least: it begins
anew after that (assumed)."""

HELD = {"customers.opportunity.a": "customers_differ", "customers.calendar.trend": "hazards_change"}
"""Diagnostics that say nothing where a parameter is not fitted."""

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


def fitted_retention(
    base: Scenario, segments: tuple[Segment, ...], seed: int, held: Mapping[str, float] | None = None
) -> Fitted:
    """Calibrate a scenario to retention tables.

    Parameters
    ----------
    base
        As `scenarios/calibration_retention.yaml`.
    segments
        The tables.
    seed
        Seed of the posterior's draws.
    held
        What is not fitted, as `held_values` returns it.
    """
    held = held or {}
    longest = max(segment.last for segment in segments)
    ahead = min(MOST_PERIODS, max(REACH * longest, longest + AHEAD))
    found = fit_retention(segments, held)
    structure, draws = found.draws(DRAWS, seed)
    count, best = len(segments), found.structures[0]
    taken: set[str] = set()
    arms = [BASE_ARM, *(name_for(segment.name, taken, "segment") for segment in segments[1:])]
    tables, likeliest = [], []
    changes: list[dict[str, Any]] = []
    for g, segment in enumerate(segments):
        own = draws[g]
        effect = own[:, 3 * count] if found.calendar is not None else np.zeros(DRAWS)
        a, b = shapes(own[:, 3 * g], own[:, 3 * g + 1])
        tables.append(
            pd.DataFrame(
                {"segment": segment.name, "draw": np.arange(DRAWS), "customers.opportunity.a": a,
                 "customers.opportunity.b": b, "trend": np.exp(own[:, 3 * g + 2]), "anniversary": np.exp(effect),
                 "structure": structure}
            )
        )  # fmt: skip
        mode = best.posterior.mode
        a, b = shapes(mode[3 * g], mode[3 * g + 1])
        shocks = np.concatenate([np.zeros(segment.first - 1), best.tables[g].shocks])
        level = mode[3 * count] if found.calendar is not None else 0.0
        changes.append({"customers.opportunity": {"dist": "beta", "a": float(a), "b": float(b)}})
        likeliest.append((mode[3 * g + 2 : 3 * g + 3], np.array([level]), shocks))
    posterior = pd.concat(tables, ignore_index=True)
    parameters: dict[str, dict[str, float]] = {}
    for arm, table in zip(arms, tables, strict=True):
        prefix = "" if arm == BASE_ARM else f"arms.{arm}.set."
        named = table.rename(
            columns={"trend": "customers.calendar.trend", "anniversary": "customers.calendar.anniversary"}
        )
        named = _where_there(named, structure, found)
        skip = ("draw", "segment", "structure", *held)
        skip = (*skip, *(("customers.calendar.anniversary",) if found.calendar is None else ()))
        parameters |= {f"{prefix}{path}": value for path, value in intervals(named, skip).items()}
    facts = {
        "segments": {segment.name: {"arm": arm} for segment, arm in zip(segments, arms, strict=True)},
        "structures": [
            {
                "form": asdict(one.form),
                "shocks": asdict(one.shocks),
                "weight": one.weight,
                "loose": [loose.tolist() for loose in one.loose],
            }
            for one in found.structures
        ],
        "calendar": found.fit["calendar"],
        "seed": seed,
    }
    states = _states(found, structure, draws, seed)
    for g, (change, (trend_, level_, shocks)) in enumerate(zip(changes, likeliest, strict=True)):
        # After the data come the shocks that are expected: what is left of those that fade, and moves that stay.
        later = _shock_paths(facts, tables[g], states, g, ahead)[:, shocks.size :].mean(0)
        path = np.concatenate([shocks, later])[None]
        weights = weights_of(trend_, level_, path, found.calendar)[0]
        change["customers.calendar.weights"] = [round(float(weight), 6) for weight in weights]
    scenario = _scenario(base, segments, arms, changes, longest)
    fit = found.fit | ({"held": dict(held)} if held else {})
    for name, told in HELD.items():
        if name in held:
            del fit[told]
    return Fitted(scenario, "retention", parameters, fit, _warnings(found), posterior, facts, states)


def _where_there(table: pd.DataFrame, structure: np.ndarray, found: RetentionFit) -> pd.DataFrame:
    """Return draws with what tells of no difference, or no change, left out: how likely that is, is told by itself."""
    forms = [one.form for one in found.structures]
    table = table.copy()
    for columns, there in (
        (["customers.opportunity.a", "customers.opportunity.b"], [form.differ for form in forms]),
        (["customers.calendar.trend"], [form.change for form in forms]),
    ):
        kept = np.array(there)[structure]
        if kept.sum() >= FEWEST:
            table.loc[~kept, columns] = np.nan
    return table


def _states(found: RetentionFit, structure: np.ndarray, draws: np.ndarray, seed: int) -> pd.DataFrame:
    """Return the shocks of every period of the data, for the draws that forecasts use."""
    kept, parts = np.arange(COHORTS), []
    for g, segment in enumerate(found.segments):
        for k in np.unique(structure[kept]):
            rows = kept[structure[kept] == k]
            path = found.shocks(g, int(k), draws[g, rows], np.random.default_rng([seed, g, int(k)]))
            periods = np.arange(segment.first, segment.last + 1)
            parts.append(
                pd.DataFrame(
                    {"segment": segment.name, "draw": np.repeat(rows, periods.size),
                     "period": np.tile(periods, rows.size), "passing": path[:, 0].ravel(),
                     "fading": path[:, 1].ravel(), "level": path[:, 2].ravel()}
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _scenario(
    base: Scenario, segments: tuple[Segment, ...], arms: list[str], changes: list[dict[str, Any]], longest: int
) -> Scenario:
    """Return the base with the first segment's values, and the others as arms."""
    settled = base.set({"horizon": longest, "burn_in": 0, **changes[0]})
    others = {
        arm: {"title": {"en": segment.name, "zh": segment.name}, "set": change}
        for segment, arm, change in list(zip(segments, arms, changes, strict=True))[1:]
    }
    # With several segments the case is the first of them.
    name = {"en": segments[0].name, "zh": segments[0].name}
    return rebuilt(settled, arms=others, claims=(), **({"case_title": name} if others else {}))


def _warnings(found: RetentionFit) -> list[Warned]:
    """Return what to be careful about."""
    told = found.posterior.warnings()
    apart = [one for one in told if one["key"] == "not_told_apart"]
    if len(apart) > MANY:  # of many segments not each by itself
        told = [one for one in told if one["key"] != "not_told_apart"]
        told.append({"key": "segments_not_told_apart", "count": len(apart), "total": len(found.segments)})
    if not all(segment.is_whole for segment in found.segments):
        told.append({"key": "fractions"})
    kinds: dict[str, list[Warned]] = {}
    for segment in found.segments:
        about: dict[str, Warned | None] = {
            "few_lost": {"lost": f"{segment.lost.sum():g}"} if segment.lost.sum() < SMALL else None,
            "few_periods": {"periods": int(segment.lost.size)} if segment.lost.size < SHORT else None,
            "late": {"first": segment.first, "before": segment.first - 1} if segment.first > 1 else None,
            "all_lost": {"period": segment.last} if segment.lost[-1] == segment.at_risk[-1] else None,
        }
        for key, values in about.items():
            if values is not None:
                kinds.setdefault(key, []).append({"key": key, "segment": segment.name, **values})
    for alike in kinds.values():
        told += alike[:MANY]
        if len(alike) > MANY:  # the others by their names only
            names = ", ".join(one["segment"] for one in alike[MANY:])
            told.append({"key": "more_segments", "count": len(alike) - MANY, "segments": names})
    return told + (_of_shocks(found) if any(one.lost.size >= SHORT for one in found.segments) else [])


def _of_shocks(found: RetentionFit) -> list[Warned]:
    """Return what to be careful about where single periods, or the level, lie off the trend."""
    told: list[Warned] = []
    best = found.structures[0].shocks
    if best.passing + best.fading > 0:
        told.append({"key": "shocks", "percent": f"{100 * np.expm1(np.sqrt(best.passing + best.fading)):.0f}"})
    if found.fit["level_stays"] > LIKELY:
        told.append({"key": "level", "percent": f"{100 * np.expm1(found.fit['step_sd']):.0f}"})
    if found.calendar is not None:
        told.append({"key": "calendar", "cycle": found.calendar.cycle})
    for period, factor in found.spikes:
        told.append({"key": "spike", "period": period, "factor": f"{factor:.1f}"})
    return told


def futures(fitted: Fitted, place: int, periods: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return parameters and (draws, periods) weights of the calendar of one segment's cohorts.

    Parameters
    ----------
    fitted
        From `fitted_retention`.
    place
        Which segment.
    periods
        From period 1 on.
    """
    facts = fitted.facts
    name = list(facts["segments"])[place]
    table = fitted.posterior[fitted.posterior["segment"] == name].iloc[:COHORTS]
    path = _shock_paths(facts, table, fitted.states, place, periods)
    calendar = None if facts["calendar"] is None else Calendar(**facts["calendar"])
    trends, effects = np.log(table["trend"].to_numpy()), np.log(table["anniversary"].to_numpy())
    return table, weights_of(trends, effects, path[:, :periods], calendar)


def _shock_paths(
    facts: dict[str, Any], table: pd.DataFrame, states: pd.DataFrame, place: int, periods: int
) -> np.ndarray:
    """Return (draws, periods or more) shocks of one segment: those of the data, then simulated ones."""
    name = list(facts["segments"])[place]
    past = states[states["segment"] == name].sort_values(["draw", "period"])
    first, last = int(past["period"].min()), int(past["period"].max())
    shocks = past[list(KINDS)].to_numpy().reshape(COHORTS, last - first + 1, len(KINDS))
    path = np.zeros((COHORTS, max(periods, last)))
    path[:, first - 1 : last] = shocks.sum(2)
    structure = table["structure"].to_numpy()
    for k in np.unique(structure):
        about, rows = facts["structures"][k], structure == k
        luck = np.random.default_rng([facts["seed"], place, int(k), 1])
        kind, loose = Shocks(**about["shocks"]), np.array(about["loose"][place])
        path[rows, last:] = kind.ahead(shocks[rows, -1], loose, path.shape[1] - last, luck)
    return path


def retention_design(fitted: Fitted) -> pd.DataFrame:
    """Return the draws as points of a study: the first segment's customers, and their calendar with future shocks."""
    weights = fitted.scenario.customers.calendar.weights
    table, calendars = futures(fitted, 0, len(weights))
    own = table[["customers.opportunity.a", "customers.opportunity.b"]]
    written = [" ".join(f"{weight:.6g}" for weight in row) for row in calendars]
    return own.assign(**{"customers.calendar.weights": written})


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
        not of chance among a few customers. ``data_periods``: first and last of the periods that each was fitted to.
    """
    from churnsim.calibration.cohorts import survivors

    facts = fitted.facts
    names = list(facts["segments"])
    customers = int(min(CUSTOMERS, max(200, CUSTOMER_TICKS // (COHORTS * periods * len(names)))))
    bare = rebuilt(fitted.scenario, arms={}, claims=())
    firm = next(iter(bare.firms))
    cohort = bare.set({"horizon": periods, "customers.count": customers})
    answer: dict[str, dict[str, list[float]]] = {}
    for place, name in enumerate(names):
        table, weights = futures(fitted, place, periods)
        hazards = table[["customers.opportunity.a", "customers.opportunity.b"]].to_numpy()
        means = hazards[:, 0] / hazards.sum(1)  # every customer's own hazard is put in its place
        plans = [
            cohort.set({"customers.opportunity": float(mean), "customers.calendar.weights": weight.tolist()})
            for mean, weight in zip(means, weights, strict=True)
        ]
        left = survivors(plans, hazards, firm, first_seed=1 + COHORTS * place, jobs=jobs) / customers
        mean = left.mean(0)
        # What is expected of each draw's cohort leaves out the chance of its being small.
        low, high = interval_around(np.cumprod(1 - hazard_rates(hazards[:, 0], hazards[:, 1], weights), axis=1))
        low, high = np.minimum(low, mean), np.maximum(high, mean)
        answer[name] = {"S": mean.tolist(), "low": low.tolist(), "high": high.tolist()}
    seen = fitted.states.groupby("segment")["period"].agg(["min", "max"])
    return {"segments": answer, "data_periods": {name: seen.loc[name].tolist() for name in names}}

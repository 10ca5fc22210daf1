"""Logs of purchases as scenarios: the customers themselves, each with what his history says of him, live on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from churnsim.calibration.bases import rebuilt
from churnsim.calibration.errors import Warned
from churnsim.calibration.events import FIT_STEPS, STAGES, EventsFit, fit_events, states
from churnsim.calibration.fitted import DRAWS, Fitted, held_as, intervals
from churnsim.calibration.formats import WEEK, Events
from churnsim.calibration.posterior import interval_around, summed_up
from churnsim.calibration.recorded import Ticks, in_ticks, ticks_of, week_of
from churnsim.calibration.renewal import cost_variance, outside_value, shapes
from churnsim.calibration.steps import Progress, Steps
from churnsim.scenario import Scenario

STATES, FEWEST, MOST = 150_000, 4, 50
"""States of customers that are kept, all draws together, and the bounds of how many draws that is."""

SIMULATED = 20_000
"""Customers of a log, at most, that a forecast simulates; the rest are like them."""

FEW_DRAWS = 40
"""Independent draws' worth below which intervals are told to be rough (assumed)."""

FEW = 30
"""Customers, and repeat purchases, below which a log counts as small (assumed)."""


LAPSE = "customers.hazards.lapse"

PATHS = {
    "mean_rate": "customers.opportunity",
    "rate_shape": "customers.opportunity.a",
    "leaving": "customers.choice.outside_value",
    "taste_sd": "customers.taste.sd",
    "switching_cost": "customers.switching_cost.mean",
    "switching_spread": "customers.switching_cost.cv",
    "lapse": LAPSE,
}
"""What of the scenario a parameter is about."""


def fitted_events(
    base: Scenario, events: Events, seed: int, progress: Progress | None = None, held: Mapping[str, float] | None = None
) -> Fitted:
    """Calibrate a scenario to a log of purchases.

    Parameters
    ----------
    base
        As `scenarios/calibration_events.yaml`.
    events
        The log.
    seed
        Seed of the posterior's draws.
    progress
        Who is told how far it is.
    held
        What is not fitted, as `held_values` returns it.
    """
    held = dict(held or {})
    kept = _kept(min(len(events.ids), SIMULATED))
    steps = Steps(progress, FIT_STEPS + len(kept))
    ticks = ticks_of(events)
    if LAPSE in held:  # a hazard in the scenario's ticks, which need not be the log's
        held[LAPSE] = in_ticks(held[LAPSE], base.tick, ticks.days)
    if STAGES in held:
        held[STAGES] = int(held[STAGES])
    found = fit_events(events, ticks, seed, steps, held)
    draws = found.draws
    posterior = pd.DataFrame({"draw": np.arange(DRAWS)} | _columns(draws) | dict(held))
    mode = found.structures[0].posterior.mode
    changes = _changes(mode, held) | {
        "tick": ticks.name,
        "burn_in": 0,
        "horizon": ticks.count,
        "customers.count": len(events.ids),
        "customers.choice.noise": 1,
        "customers.hazards.natural": 0,
        "customers.hazards.credit": 0,
        "mechanisms.rhythm": found.stages > 1,
        STAGES: found.stages,
    }
    changes |= _money(base, events)
    scenario = rebuilt(base, arms={}, claims=()).set(changes)
    repeats = int(found.histories.repeats.sum())
    days = len(events.day) - len(events.ids)
    facts = {
        "days": events.days,
        "tick_days": ticks.days,
        "ticks": ticks.count,
        "stages": found.stages,
        "customers": len(events.ids),
        "observed": _weekly(events).tolist(),
        "purchases_per_tick": days / repeats if repeats else 1.0,
        "seed": seed,
    }
    return Fitted(
        scenario, "events", intervals(posterior, ("draw", *held)),
        _diagnostics(found, events, ticks, held) | held_as(posterior, held), _warnings(found, events), posterior, facts,
        _states(found, draws, seed, steps),
    )  # fmt: skip


def _columns(draws: np.ndarray) -> dict[str, np.ndarray]:
    """Return the scenario's values by dotted path, one per draw of the parameters."""
    forms = np.array([shapes(x) for x in draws])
    variance = cost_variance(draws)
    return {
        "customers.opportunity.a": forms[:, 0],
        "customers.opportunity.b": forms[:, 1],
        "customers.choice.outside_value": np.array([outside_value(x) for x in draws]),
        "customers.taste.sd": np.exp(draws[:, 3]),
        "customers.switching_cost.mean": np.exp(draws[:, 4] + variance / 2),
        "customers.switching_cost.cv": np.sqrt(np.expm1(variance)),
        "customers.hazards.lapse": special.expit(draws[:, 5]),
    }


def _changes(x: np.ndarray, held: Mapping[str, float]) -> dict[str, Any]:
    """Return what one draw of the parameters, and what was held, set in the scenario."""
    values = {path: float(value[0]) for path, value in _columns(x[None]).items()} | dict(held)
    for trait, dist in (("opportunity", "beta"), ("switching_cost", "lognormal")):
        prefix = f"customers.{trait}."
        own = {path.removeprefix(prefix): values.pop(path) for path in list(values) if path.startswith(prefix)}
        values |= {f"customers.{trait}": {"dist": dist, **own}}  # type: ignore[dict-item]
    return values


def _money(base: Scenario, events: Events) -> dict[str, Any]:
    """Return price and sizes of customers from what they spend, where the log says so.

    The price is that of the average purchase, so that revenue comes out right where those who buy often spend more; the
    spread between customers is what is left of that of their means when chance within them is taken off.
    """
    if events.spend is None or not events.spend.sum() > 0:
        return {}
    firm = next(iter(base.firms))
    log = pd.DataFrame({"customer": events.customer, "spend": events.spend})
    groups = log.groupby("customer")["spend"]
    mean, size = groups.mean(), groups.size()
    within = float(groups.var().mean()) if (size > 1).any() else 0.0
    between = max(float(mean.var()) - within * float((1 / size).mean()), 0.0) if len(mean) > 1 else 0.0
    typical = float(log["spend"].mean())
    return {
        "money": "known" if base.money == "known" else "prices",
        # Price moves no choice here: its weight is 0.
        "customers.price_weight": 0,
        f"firms.{firm}.price": typical,
        "customers.size": {"dist": "lognormal", "mean": 1, "cv": min(float(np.sqrt(between)) / typical, 10.0)},
        "mechanisms.sizes": True,
    }


def _weekly(events: Events) -> np.ndarray:
    """Return cumulative repeat purchases at the end of each week of the data."""
    first = np.full(len(events.ids), np.iinfo(np.int64).max)
    np.minimum.at(first, events.customer, events.day)
    repeat = events.day > first[events.customer]
    return np.cumsum(np.bincount(events.day[repeat] // WEEK, minlength=-(-events.days // WEEK)))


def _kept(customers: int) -> range:
    """Return which draws of the parameters states of so many customers are kept for."""
    return range(int(np.clip(STATES // customers, FEWEST, MOST)))


def _states(found: EventsFit, draws: np.ndarray, seed: int, steps: Steps) -> pd.DataFrame:
    """Return what every customer is like at the end of the data, for some draws of the parameters."""
    count = found.histories.count
    rows = np.arange(count)
    if count > SIMULATED:
        rows = np.sort(np.random.default_rng([seed, 1]).choice(count, SIMULATED, replace=False))
    seen = found.histories.part(rows)
    tables = []
    for k in _kept(rows.size):
        one = states(draws[k], seen, found.stages, np.random.default_rng([seed, 2, k]))
        tables.append(
            pd.DataFrame(
                {
                    "draw": np.int32(k),
                    "customer": rows.astype(np.int32),
                    "opportunity": one.rate.astype(np.float32),
                    "taste": one.taste.astype(np.float32),
                    "switching_cost": one.cost.astype(np.float32),
                    "customer_still": one.there,
                    "stage": one.stage.astype(np.uint8),
                }
            )
        )
        steps.one()
    return pd.concat(tables, ignore_index=True)


def _diagnostics(found: EventsFit, events: Events, ticks: Ticks, held: Mapping[str, float]) -> dict[str, Any]:
    """Return how the fit looks."""
    repeats = found.histories.repeats
    return {
        "log_likelihood": found.structures[0].log_likelihood,
        **({} if LAPSE in held else {"lapses": found.lapses}),
        "draws_worth": found.worth,
        "customers": int(repeats.size),
        "customers_looked_at": int(found.customers),
        "repeat_purchases": int(repeats.sum()),
        "never_repeated": float((repeats == 0).mean()),
        "days_per_tick": ticks.days,
        "stages": found.stages,
        "merged_purchases": events.merged,
    }


def _warnings(found: EventsFit, events: Events) -> list[Warned]:
    """Return what to be careful about."""
    told = summed_up(found.structures[0].posterior.warnings(), PATHS)
    repeats = int(found.histories.repeats.sum())
    if found.worth < FEW_DRAWS:
        told.append({"key": "few_draws", "count": f"{found.worth:.0f}"})
    if found.histories.count < FEW:
        told.append({"key": "few_customers", "count": found.histories.count})
    if repeats < FEW:
        told.append({"key": "few_repeats", "count": repeats})
    if events.merged:
        told.append({"key": "merged", "count": events.merged})
    if events.zones > 1:
        told.append({"key": "zones", "count": events.zones})
    return told


def predict_events(fitted: Fitted, weeks: int, progress: Progress | None = None) -> dict[str, Any]:
    """Let the customers of the log live on in the real engine and count what they buy.

    Parameters
    ----------
    fitted
        From `fitted_events`.
    weeks
        Weeks from the start of the data, of which those that the data cover to their end are the data's own.
    progress
        Who is told how far it is.

    Returns
    -------
    dict
        ``cumulative_repeats`` of each week with ``low`` and ``high`` (95 %, chance included), ``share_active``: share
        of the customers who buy after the data's end, with ``share_active_low`` and ``share_active_high``; None
        where no week lies there.
    """
    facts, table = fitted.facts, fitted.states
    seen = np.array(facts["observed"], float)
    whole = whole_weeks(facts)
    known = seen[: min(weeks, whole)].tolist()
    ahead = weeks - whole
    if ahead <= 0:
        return {
            "cumulative_repeats": known, "share_active": None, "low": known, "high": known, "data_weeks": whole,
        }  # fmt: skip
    bought, active = _lived_on(fitted, ahead, Steps(progress, ahead))
    share = facts["customers"] / table["customer"].nunique()
    paths = seen[-1] + np.cumsum(bought, axis=1) * share * facts["purchases_per_tick"]
    low, high = interval_around(paths)
    bounds = interval_around(active)
    return {
        "cumulative_repeats": [*known, *paths.mean(0).tolist()],
        "share_active": float(active.mean()),
        "low": [*known, *low.tolist()],
        "high": [*known, *high.tolist()],
        "share_active_low": float(bounds[0]),
        "share_active_high": float(bounds[1]),
        "data_weeks": whole,
    }


def whole_weeks(facts: dict[str, Any]) -> int:
    """Return how many weeks the data cover to their end; of one in which they break off the rest is forecast."""
    return min(week_of(facts["ticks"], facts["tick_days"]), len(facts["observed"]))


def _lived_on(fitted: Fitted, ahead: int, steps: Steps) -> tuple[np.ndarray, np.ndarray]:
    """Run the customers on for some weeks; return (draws, weeks) purchases and (draws,) shares who bought at all."""
    from churnsim.engine.compiled import Compiled
    from churnsim.markets import Markets

    table, facts = fitted.states, fitted.facts
    draws = table["draw"].unique()
    each = len(table) // draws.size
    known, first = whole_weeks(facts), facts["ticks"]
    weeks: list[int] = []  # ahead, in which each tick lies
    while (week := week_of(first + len(weeks), facts["tick_days"])) < known + ahead:
        weeks.append(max(week - known, 0))
    base = fitted.scenario
    posterior = fitted.posterior.set_index("draw")
    plans = [
        base.set(
            {
                "horizon": max(len(weeks), 1),
                "customers.count": each,
                "customers.hazards.lapse": float(posterior.loc[draw, "customers.hazards.lapse"]),
                "customers.choice.outside_value": float(posterior.loc[draw, "customers.choice.outside_value"]),
                "mechanisms.sizes": False,
            }
        )
        for draw in draws
    ]
    markets = Markets(plans, [fitted.facts["seed"] + k for k in range(draws.size)], engine=Compiled())
    columns = markets.columns
    columns.opportunity[...] = table["opportunity"].to_numpy()
    columns.taste[0] = table["taste"].to_numpy()
    columns.switching_cost[...] = table["switching_cost"].to_numpy()
    columns.provider[...] = table["customer_still"].to_numpy().astype(np.int8)
    if base.mechanisms.rhythm:
        markets.dealings.stage[...] = table["stage"].to_numpy()
    bought = np.zeros((draws.size, ahead))
    active = np.zeros(len(table), bool)
    for week in weeks:
        markets.step_once()
        buys = columns.choice[: len(table)] == 1
        active |= buys
        bought[:, week] += buys.reshape(draws.size, each).sum(1)
        steps.reach(week)
    steps.reach(ahead)
    return bought, active.reshape(draws.size, each).mean(1)

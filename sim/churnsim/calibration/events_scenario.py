"""Logs of purchases as scenarios: the customers themselves, each with what his history says of him, live on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from churnsim.calibration.bases import rebuilt
from churnsim.calibration.errors import refuse
from churnsim.calibration.events import EventsFit, fit_events, shapes, states
from churnsim.calibration.fitted import DRAWS, Fitted, intervals
from churnsim.calibration.formats import WEEK, Events
from churnsim.calibration.posterior import Warned, interval_around
from churnsim.scenario import Scenario

DAYS_OF_DAILY_TICKS = 1100
"""Days up to which a tick is a day; beyond it is a week."""

STATES, FEWEST, MOST = 150_000, 4, 50
"""States of customers that are kept, all draws together, and the bounds of how many draws that is."""

SIMULATED = 20_000
"""Customers of a log, at most, that a forecast simulates; the rest are like them."""

LONGEST = 520
"""Weeks, at most, of a forecast."""

FEW = 30
"""Repeat purchases below which a log counts as short (assumed)."""


def fitted_events(base: Scenario, events: Events, seed: int) -> Fitted:
    """Calibrate a scenario to a log of purchases.

    Parameters
    ----------
    base
        As `scenarios/calibration_events.yaml`.
    events
        The log.
    seed
        Seed of the posterior's draws.
    """
    step = 1 if events.days <= DAYS_OF_DAILY_TICKS else WEEK
    found = fit_events(events, step, seed)
    draws = found.posterior.sample(DRAWS, seed)
    forms = np.array([shapes(x) for x in draws])
    posterior = pd.DataFrame(
        {
            "draw": np.arange(DRAWS),
            "customers.opportunity.a": forms[:, 0],
            "customers.opportunity.b": forms[:, 1],
            "customers.choice.outside_value": np.exp(draws[:, 4]) + draws[:, 2],
            "customers.taste.sd": np.exp(draws[:, 3]),
            "customers.switching_cost": np.exp(draws[:, 4]),
            "customers.hazards.lapse": special.expit(draws[:, 5]),
        }
    )
    mode = found.posterior.mode
    changes = _changes(mode) | {
        "tick": "day" if step == 1 else "week",
        "burn_in": 0,
        "horizon": -(-events.days // step),
        "customers.count": len(events.ids),
        "customers.choice.noise": 1,
        "customers.hazards.natural": 0,
        "customers.hazards.credit": 0,
    }
    changes |= _money(base, events)
    scenario = rebuilt(base, arms={}, claims=()).set(changes)
    repeats = int(found.histories.repeats.sum())
    days = len(events.day) - len(events.ids)
    facts = {
        "days": events.days,
        "step": step,
        "customers": len(events.ids),
        "observed": _weekly(events).tolist(),
        "purchases_per_tick": days / repeats if repeats else 1.0,
        "seed": seed,
    }
    return Fitted(
        scenario, "events", intervals(posterior), _diagnostics(found, events), _warnings(found, events), posterior,
        facts, _states(found, draws, seed),
    )  # fmt: skip


def _changes(x: np.ndarray) -> dict[str, Any]:
    """Return the scenario's values for one draw of the parameters."""
    a, b = shapes(x)
    return {
        "customers.opportunity": {"dist": "beta", "a": a, "b": b},
        "customers.choice.outside_value": float(np.exp(x[4]) + x[2]),
        "customers.taste.sd": float(np.exp(x[3])),
        "customers.switching_cost": float(np.exp(x[4])),
        "customers.hazards.lapse": float(special.expit(x[5])),
    }


def _money(base: Scenario, events: Events) -> dict[str, Any]:
    """Return price and sizes of customers from what they spend, where the log says so.

    The spread between customers is what is left of that of their means when chance within them is taken off.
    """
    if events.spend is None or not events.spend.sum() > 0:
        return {}
    firm = next(iter(base.firms))
    log = pd.DataFrame({"customer": events.customer, "spend": events.spend})
    groups = log.groupby("customer")["spend"]
    mean, size = groups.mean(), groups.size()
    within = float(groups.var().mean()) if (size > 1).any() else 0.0
    between = max(float(mean.var()) - within * float((1 / size).mean()), 0.0) if len(mean) > 1 else 0.0
    typical = float(mean.mean())
    return {
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


def _states(found: EventsFit, draws: np.ndarray, seed: int) -> pd.DataFrame:
    """Return what every customer is like at the end of the data, for some draws of the parameters."""
    count = found.histories.count
    rows = np.arange(count)
    if count > SIMULATED:
        rows = np.sort(np.random.default_rng([seed, 1]).choice(count, SIMULATED, replace=False))
    seen = found.histories.part(rows)
    tables = []
    pairs = int(np.clip(STATES // rows.size, FEWEST, MOST)) // 2
    for k in [*range(pairs), *range(DRAWS // 2, DRAWS // 2 + pairs)]:
        rate, taste, alive = states(draws[k], seen, np.random.default_rng([seed, 2, k]))
        tables.append(
            pd.DataFrame(
                {
                    "draw": np.int32(k),
                    "customer": rows.astype(np.int32),
                    "opportunity": rate.astype(np.float32),
                    "taste": taste.astype(np.float32),
                    "customer_still": alive,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _diagnostics(found: EventsFit, events: Events) -> dict[str, Any]:
    """Return how the fit looks."""
    repeats = found.histories.repeats
    return {
        "log_likelihood": found.log_likelihood,
        "customers": int(repeats.size),
        "customers_looked_at": int(found.customers),
        "repeat_purchases": int(repeats.sum()),
        "never_repeated": float((repeats == 0).mean()),
        "days_per_tick": found.step,
        "merged_purchases": events.merged,
    }


def _warnings(found: EventsFit, events: Events) -> list[Warned]:
    """Return what to be careful about."""
    told = found.posterior.warnings()
    repeats = int(found.histories.repeats.sum())
    if repeats < FEW:
        told.append({"key": "few_repeats", "count": repeats})
    if events.merged:
        told.append({"key": "merged", "count": events.merged})
    if events.zones > 1:
        told.append({"key": "zones", "count": events.zones})
    return told


def predict_events(fitted: Fitted, weeks: int) -> dict[str, Any]:
    """Let the customers of the log live on in the real engine and count what they buy.

    Parameters
    ----------
    fitted
        From `fitted_events`.
    weeks
        Weeks from the start of the data, of which those that the data cover are the data's own.

    Returns
    -------
    dict
        ``cumulative_repeats`` of each week with ``low`` and ``high`` (95 %, chance included), ``share_active``: share
        of the customers who buy after the data's end, with ``share_active_low`` and ``share_active_high``; None
        where no week lies there.
    """
    facts, table = fitted.facts, fitted.states
    if not 1 <= weeks <= LONGEST:
        raise refuse("weeks", found=weeks, high=LONGEST)
    seen = np.array(facts["observed"], float)
    known = seen[:weeks].tolist()
    ahead = weeks - seen.size
    if ahead <= 0:
        return {
            "cumulative_repeats": known, "share_active": None, "low": known, "high": known, "data_weeks": int(seen.size)
        }  # fmt: skip
    bought, active = _lived_on(fitted, ahead)
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
        "data_weeks": int(seen.size),
    }


def _lived_on(fitted: Fitted, ahead: int) -> tuple[np.ndarray, np.ndarray]:
    """Run the customers on for some weeks; return (draws, weeks) purchases and (draws,) shares who bought at all."""
    from churnsim.engine.compiled import Compiled
    from churnsim.markets import Markets

    table, step = fitted.states, fitted.facts["step"]
    draws = table["draw"].unique()
    each = len(table) // draws.size
    ticks = WEEK // step
    base = fitted.scenario
    posterior = fitted.posterior.set_index("draw")
    plans = [
        base.set(
            {
                "horizon": ahead * ticks,
                "customers.count": each,
                "customers.hazards.lapse": float(posterior.loc[draw, "customers.hazards.lapse"]),
                "customers.switching_cost": float(posterior.loc[draw, "customers.switching_cost"]),
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
    columns.provider[...] = table["customer_still"].to_numpy().astype(np.int8)
    bought = np.zeros((draws.size, ahead))
    active = np.zeros(len(table), bool)
    for week in range(ahead):
        for _ in range(ticks):
            markets.step_once()
            buys = columns.choice[: len(table)] == 1
            active |= buys
            bought[:, week] += buys.reshape(draws.size, each).sum(1)
    return bought, active.reshape(draws.size, each).mean(1)

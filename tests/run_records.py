"""Made-up run records with the shape of real ones, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from churnsim.causes import CAUSE_NAMES, ENABLERS
from churnsim.metrics import FIRM_MEASURES, MARKET_MEASURES
from churnsim.records import RunRecord
from churnsim.scenario import Scenario

FIRMS = ("nanyuan", "eton")


def two_hotels(**changes: object) -> Scenario:
    """A scenario of two hotels, with arms and a move, short unless told otherwise."""
    data = {
        "id": "two_hotels",
        "title": {"en": "Eton cuts its price, Nanyuan invests in relationships", "zh": "伊顿降价,南苑投资客户关系"},
        "question": {"en": "Who has more guests in the end?", "zh": "最后谁的客人更多?"},
        "sources": ["made up for tests"],
        "burn_in": 3,
        "horizon": 10,
        "firms": {
            "nanyuan": {
                "name": {"en": "Nanyuan", "zh": "南苑大酒店"},
                "strategy": {"name": "relationship_investment"},
            },
            "eton": {
                "name": {"en": "Eton", "zh": "伊顿酒店"},
                "strategy": {"name": "price_cut", "depth": 0.25, "restore": 19},
            },
        },
        "moves": [{"tick": 4, "firms.eton.service": 60}],
        "arms": {
            "both_passive": {
                "title": {"en": "Control: nobody does anything", "zh": "对照:双方都不采取行动"},
                "control": True,
                "set": {"firms.nanyuan.strategy": "passive", "firms.eton.strategy": "passive"},
            },
        },
    }
    return Scenario.model_validate({**data, **changes})


def record(scenario: Scenario, seed: int, *, departures: bool = False, firms: Sequence[str] | None = None) -> RunRecord:
    """One made-up run: shares that surge and fade, noise by seed, rare causes, a few NaN."""
    firms = tuple(firms or scenario.firms)
    J, C = len(firms), len(CAUSE_NAMES)
    rng = np.random.default_rng([seed, *scenario.name.encode()])
    ticks = np.arange(1 - scenario.burn_in, scenario.horizon + 1)
    T = len(ticks)
    play = np.clip(ticks / max(scenario.horizon, 1), 0, 1)[:, None]
    sign = np.where(np.arange(J) == 0, 1.0, -1.0)
    active = scenario.name != "both_passive"
    luck = rng.normal(0, 1, (T, J)).cumsum(0) * 0.002
    surge = np.where(ticks[:, None] > 0, np.exp(-6 * play) * 0.16 - 0.05, 0)
    share = np.clip(0.3 + luck - active * sign * surge, 0.01, 0.9)
    measures = {name: rng.uniform(0, 1, (T, J)) for name in FIRM_MEASURES}
    profit = (40_000 * (active * sign * 0.4 + 0.6) + rng.normal(0, 6000, (T, J))) * np.where(ticks[:, None] > 0, 1, 0.9)
    churn = 0.11 - active * sign * 0.015 * play + rng.normal(0, 0.004, (T, J))
    measures |= {
        "share": share,
        "customers": np.round(6000 * share),
        "churn": churn,
        "retention": 1 - churn,
        "profit": profit,
        "cumulative_profit": np.where(ticks[:, None] > 0, profit, 0).cumsum(0),
        "quality": 0.74 - 0.25 * play * (sign < 0) * active + luck,
        "satisfaction": 0.55 + 0.1 * play * sign * active + luck,
        "attachment": 0.2 + 0.25 * play * (sign > 0) * active + luck,
        "price": np.broadcast_to(300.0, (T, J)).copy(),
    }
    measures["satisfaction"][1, 0] = np.nan
    weights = np.zeros(C)
    weights[:14] = 0.4, 1.2, 3, 1, 0.3, 2, 2.2, 0.2, 1, 0.1, 0.3, 0.8, 0.6, 1.5
    weights[[CAUSE_NAMES.index(name) for name in ("natural", "lapse", "credit")]] = 0.3, 0.3, 0.1
    primary = rng.poisson(weights * (1 + play[..., None]) * 6, (T, J, C))
    flows = rng.integers(0, 40, (T, J + 1, J + 1))
    return RunRecord(
        scenario=scenario.name,
        seed=seed,
        ticks=ticks,
        firms=firms,
        measures=measures,
        market={name: rng.uniform(0, 1, T) for name in MARKET_MEASURES},
        primary=primary,
        shares=primary + 0.0,
        labels=primary * 2,
        enablers=rng.uniform(0, 100, (T, J, len(ENABLERS))),
        flows=flows,
        events=[(2, firms[-1], "first_shortfall", 120.5)] if seed % 2 else [],
        departures=_departures(firms, seed) if departures else None,
    )


def records(scenarios: Sequence[Scenario], seeds: Sequence[int], **kwargs: object) -> list[RunRecord]:
    """Made-up runs of every scenario and seed."""
    return [record(scenario, seed, **kwargs) for scenario in scenarios for seed in seeds]


def _departures(firms: Sequence[str], seed: int) -> pd.DataFrame:
    """Three departures in the shape that the engine reports them."""
    frame = pd.DataFrame(
        {
            "tick": [1, 1, 2],
            "customer": [seed, 7, 9],
            "from": [firms[0], firms[-1], firms[0]],
            "to": [firms[-1], "outside", "outside"],
            "primary": ["rival_price", "natural", "core_quality"],
        }
    )
    return frame.assign(**{name: 0.0 for name in (*CAUSE_NAMES, *ENABLERS)})

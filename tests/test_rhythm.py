"""Needs that arise in a rhythm: as many as by chance alone, at more even gaps (Chatfield & Goodhardt 1973)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from churnsim import load
from churnsim.engine.compiled import Compiled
from churnsim.markets import Markets

CHANCE = 0.1


def purchases(stages: int, customers: int = 4_000, ticks: int = 120, **changes) -> np.ndarray:
    """Return (ticks, customers) whether each buys, of customers who always come back to the only firm."""
    plan = load("calibration_events").set(
        {
            "mechanisms.rhythm": True, "customers.rhythm.stages": stages, "customers.opportunity": CHANCE,
            "customers.count": customers, "horizon": ticks, "burn_in": 0, "customers.choice.outside_value": -1e6,
            **changes,
        }
    )  # fmt: skip
    markets = Markets([plan], [1], engine=Compiled())
    bought = np.empty((ticks, customers), bool)
    for tick in range(ticks):
        markets.step_once()
        bought[tick] = markets.columns.choice[:customers] == 1
    return bought


@pytest.mark.parametrize("stages", [1, 2, 5])
def test_first_purchases_and_gaps_have_their_exact_distributions(stages):
    """A gap is a sum of geometric stages: n ticks and a negative binomial number more."""
    bought = purchases(stages)
    gap = stats.nbinom(stages, stages * CHANCE)
    first = np.argmax(bought, axis=0)[bought.any(0)]
    after = [np.flatnonzero(column)[1:2] - np.flatnonzero(column)[:1] for column in bought.T]
    second = np.concatenate(after)
    # Whoever is there at first is in any of the stages, each as likely: `k` of them and `k` ticks at least to go.
    waiting = np.mean([stats.nbinom.pmf(np.arange(80) - k + 1, k, stages * CHANCE) for k in range(1, stages + 1)], 0)
    for found, expected in ((first, waiting), (second - stages, gap.pmf(np.arange(80)))):
        seen = np.bincount(found, minlength=80)[:40] / bought.shape[1]
        error = np.sqrt(expected[:40] * (1 - expected[:40]) / bought.shape[1])
        # Gaps that end late are cut off by the horizon; after 40 ticks of 120 hardly any are.
        assert np.abs((seen - expected[:40]) / np.maximum(error, 1e-9))[expected[:40] > 1e-3].max() < 4.5


@pytest.mark.parametrize("stages", [2, 6])
def test_as_many_needs_arise_as_by_chance_alone(stages):
    each = purchases(stages).sum(0)
    error = each.std(ddof=1) / each.size**0.5
    assert abs(each.mean() - 120 * CHANCE) < 4 * error
    assert each.var() < purchases(1).sum(0).var() / stages * 1.5


def test_a_tick_brings_a_need_one_stage_closer_at_most():
    bought = purchases(3, customers=50, ticks=30, **{"customers.opportunity": 0.9})
    assert (bought.sum(0) == 10).all()
    assert (np.diff(np.argwhere(bought.T)[:, 1].reshape(50, 10)) == 3).all()


def test_a_season_moves_the_stages():
    calendar = {"mechanisms.calendar": True, "customers.calendar.weights": [0.5, 1.5]}
    bought = purchases(1, **calendar)
    even = purchases(3, **calendar)
    assert bought[1::2].sum() / bought[::2].sum() == pytest.approx(3, rel=0.1)
    # With three stages a need still arises in a tick that brings the last one; its odds are those of the season.
    assert even[1::2].sum() / even[::2].sum() == pytest.approx(3, rel=0.1)

"""Needs that arise in a rhythm: as many as by chance alone, at more even gaps (Chatfield & Goodhardt 1973)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from churnsim import ScenarioError, load
from churnsim.engine.compiled import Compiled
from churnsim.markets import Markets
from churnsim.mechanisms import needs

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


def waits(stages: int, ticks: int) -> np.ndarray:
    """Return (stages, ticks) probabilities of waiting 1 ... `ticks` ticks, from each number of stages behind on.

    The sum of binomial numbers first reaches what is missing: P(sum of t - 1 < missing) - P(sum of t < missing).
    """
    t = np.arange(ticks + 1)
    missing = stages - np.arange(stages)
    still = stats.binom.cdf(missing[:, None] - 1, stages * t, CHANCE)
    return still[:, :-1] - still[:, 1:]


@pytest.mark.parametrize("stages", [1, 2, 5])
def test_first_purchases_and_gaps_have_their_exact_distributions(stages):
    bought = purchases(stages)
    expected = waits(stages, 60)
    first = np.argmax(bought, axis=0)
    later = bought.copy()
    later[first, np.arange(first.size)] = False
    gap = np.argmax(later, axis=0) - first
    # Whoever is there at first is in any of the stages, each as likely.
    for found, chance in ((first + 1, expected.mean(0)), (gap, expected[0])):
        seen = np.bincount(np.clip(found, 0, 61), minlength=62)[1:61] / found.size
        often = chance > 1e-3
        error = np.sqrt(chance * (1 - chance) / found.size)
        assert (np.abs(seen - chance)[often] < 4.5 * error[often]).all()


@pytest.mark.parametrize("stages", [2, 6])
def test_needs_are_as_many_as_by_chance_alone_and_more_even(stages):
    each = purchases(stages).sum(0)
    gap = waits(stages, 200)[0] @ np.arange(1, 201)
    assert 1 / CHANCE < gap < 1.06 / CHANCE  # but for stages that would go beyond the need
    assert abs(each.mean() - 120 / gap) < 4 * each.std(ddof=1) / each.size**0.5 + 0.5 / gap  # the first is in between
    assert each.var() < purchases(1).sum(0).var() / stages * 1.5


def test_who_always_has_an_occasion_needs_something_every_tick():
    assert purchases(3, customers=50, ticks=30, **{"customers.opportunity": 1})[1:].all()


def test_a_season_moves_the_stages():
    calendar = {"mechanisms.calendar": True, "customers.calendar.weights": [0.5, 1.5]}
    bought, even = purchases(1, **calendar), purchases(3, **calendar)
    assert bought[1::2].sum() / bought[::2].sum() == pytest.approx(3, rel=0.1)
    # A need still arises in the tick that brings its last stage, most of which pass in season.
    assert even[1::2].sum() / even[::2].sum() == pytest.approx(3, rel=0.15)


def test_rules_give_the_binomial_tail():
    for stages in (1, 2, 7, 20):
        for chance in (0.0, 0.03, 0.5, 1.0):
            for missing in range(1, stages + 1):
                tail = needs.come_so_far(missing, np.float32(chance), stages)
                assert tail == pytest.approx(stats.binom.sf(missing - 1, stages, chance), rel=1e-5, abs=1e-12)


@pytest.mark.parametrize(("value", "said"), [(0, "between 1 and 20"), (21, "between 1 and 20"), (2.5, "whole number")])
def test_stages_are_a_whole_number_from_1_to_20(value, said):
    with pytest.raises(ScenarioError, match=said):
        load("two_hotels").set({"customers.rhythm.stages": value})


def test_scenarios_without_a_rhythm_are_what_they_were():
    """Runs that are kept are found again: what is off does not count, and neither do its parameters."""
    base = load("two_hotels")
    assert base.set({"customers.rhythm.stages": 5}).key == base.key
    on = base.set({"mechanisms.rhythm": True})
    assert len({base.key, on.key, on.set({"customers.rhythm.stages": 5}).key}) == 3

"""Logs of customers whose needs arise in a rhythm: found where it is there, and forecast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import churnsim as cs
from calibration_data import expected_purchases, log_of_the_model
from churnsim.calibration.bases import check_base
from churnsim.calibration.events_scenario import _lived_on
from churnsim.calibration.files import open_fitted
from churnsim.calibration.formats import read_events
from churnsim.calibration.held import held_values
from churnsim.calibration.recorded import ticks_of
from churnsim.calibration.regularity import more_even
from churnsim.calibration.renewal import NEVER
from churnsim.calibration.steps import Steps

TRUTH = np.array([-1.7, 0.7, -2.0, -0.3, 1.0, NEVER, -0.7])
SEEN, DAYS, STAGES = 70, 105, 2


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    """All purchases of customers with needs in two stages."""
    path = tmp_path_factory.mktemp("rhythm") / "all.csv"
    log_of_the_model(path, TRUTH, 150, DAYS, np.random.default_rng(4), STAGES)
    return path


@pytest.fixture(scope="module")
def fitted(log) -> Path:
    """A scenario calibrated to the first weeks of them."""
    everything = pd.read_csv(log)
    everything[everything["day"] < SEEN].to_csv(log.with_name("seen.csv"), index=False)
    cs.fit("calibration_events", log.with_name("seen.csv"), "events", out=log.with_name("mine.yaml"))
    return log.with_name("mine.yaml")


def gaps_of(path: Path, gap, luck: np.random.Generator, customers: int = 300) -> None:
    """Write purchases at such gaps."""
    days = [(i, int(day)) for i in range(customers) for day in np.cumsum(gap(luck, 12)) if day < 150]
    pd.DataFrame(days, columns=["id", "day"]).to_csv(path, index=False)


@pytest.mark.parametrize(
    ("gap", "even"),
    [
        (lambda luck, n: luck.geometric(luck.beta(2, 30), n), False),
        (lambda luck, n: np.where(luck.random(n) < 0.2, 40, luck.geometric(0.3, n)), False),  # in bursts
        (lambda luck, n: np.ceil(luck.gamma(2, luck.uniform(3, 9), n)), True),
        (lambda luck, n: luck.integers(28, 33, n), True),
    ],
)
def test_gaps_more_even_than_chance_are_told_from_others(tmp_path, gap, even):
    gaps_of(tmp_path / "e.csv", gap, np.random.default_rng(1))
    events = read_events(tmp_path / "e.csv")
    assert more_even(events, ticks_of(events)) == even


def test_few_customers_say_nothing_about_a_rhythm(tmp_path):
    gaps_of(tmp_path / "e.csv", lambda luck, n: np.ceil(luck.gamma(2, 6, n)), np.random.default_rng(1), 3)
    events = read_events(tmp_path / "e.csv")
    assert not more_even(events, ticks_of(events))


def test_a_rhythm_is_found_and_forecast(log, fitted):
    mine = open_fitted(fitted)
    assert mine.scenario.mechanisms.rhythm
    assert mine.scenario.customers.rhythm.stages == mine.fit["stages"] == STAGES
    forecast = cs.predict(fitted, weeks=DAYS // 7)
    everything = pd.read_csv(log)
    new = everything["id"].isin(everything[everything["day"] < SEEN]["id"])
    repeats = int(new.sum()) - everything[new]["id"].nunique()
    assert forecast["low"][-1] <= repeats <= forecast["high"][-1]
    assert forecast["high"][-1] - forecast["low"][-1] < 0.4 * (repeats - forecast["low"][SEEN // 7 - 1])


def test_customers_buy_as_often_as_the_rule_of_the_likelihood_says(fitted):
    """Purchases in the engine against the recursion over whereabouts and stages, customer by customer."""
    mine = open_fitted(fitted)
    weeks = 4
    bought = _lived_on(mine, weeks, Steps())[0].sum(1)
    expected = expected_purchases(mine, weeks)
    off = bought - expected
    assert abs(off.mean()) < 4 * off.std() / off.size**0.5
    assert np.mean(expected) > 100
    assert set(mine.states["stage"]) == set(range(STAGES))


def test_a_rhythm_can_be_held_and_a_fitted_one_is_a_start(fitted):
    """Chance alone makes even gaps unlikely; who starts from a scenario with a rhythm may hold that."""
    data = fitted.with_name("seen.csv")
    none = cs.fit("calibration_events", data, "events", hold={"customers.rhythm.stages": 1})
    assert not none.scenario.mechanisms.rhythm
    assert none.fit["held"] == {"customers.rhythm.stages": 1}
    assert none.fit["log_likelihood"] < open_fitted(fitted).fit["log_likelihood"] - 20
    base = cs.load(str(fitted))
    check_base(base, "events")
    assert held_values(base, "events", hold=["customers.rhythm.stages"]) == {"customers.rhythm.stages": STAGES}
    assert held_values(cs.load("calibration_events"), "events", hold=["customers.rhythm.stages"]) == {
        "customers.rhythm.stages": 1
    }


@pytest.mark.parametrize("stages", [0, 2.5, 21])
def test_held_stages_are_such_as_a_scenario_may_have(fitted, stages):
    with pytest.raises(cs.DataError, match=r"rhythm\.stages"):
        cs.fit("calibration_events", fitted.with_name("seen.csv"), "events", hold={"customers.rhythm.stages": stages})

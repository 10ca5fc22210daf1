"""What a log's purchases are recorded by decides what a tick of its scenario is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import churnsim as cs
from churnsim.calibration.formats import read_events
from churnsim.calibration.recorded import recorded_by, ticks_of, week_of


def log_of(days, customers: int = 40) -> pd.DataFrame:
    """Return a log in which there are purchases on each of these days."""
    days = np.asarray(days)
    return pd.DataFrame({"id": np.arange(days.size) % customers, "day": days})


def starts_of(freq: str, count: int, first: str = "2021-03-01") -> pd.DatetimeIndex:
    """Return so many first (or last) days of months, quarters or years."""
    return pd.date_range(first, periods=count, freq=freq)


@pytest.mark.parametrize(
    ("days", "name", "length"),
    [
        (np.arange(200), "day", 1),
        (7 * np.arange(30), "week", 7),
        (14 * np.arange(12), "week", 14),
        (30 * np.arange(12), "month", 30),
        (starts_of("MS", 18), "month", 365.25 / 12),
        (starts_of("ME", 18), "month", 365.25 / 12),
        (starts_of("QS", 10), "quarter", 365.25 / 4),
        (starts_of("YS", 9), "year", 365.25),
        (365 * np.arange(6), "year", 365),
        (3 + 5 * np.arange(400), "week", 5),
    ],
)
def test_a_tick_is_what_purchases_are_recorded_by(days, name, length):
    log = read_events(log_of(days if not isinstance(days, pd.DatetimeIndex) else days.strftime("%Y-%m-%d")))
    ticks = ticks_of(log)
    assert (ticks.name, ticks.days) == (name, pytest.approx(length))
    if length > 1:
        assert np.unique(ticks.of).tolist() == list(range(len(days)))
        assert ticks.count == len(days)


def test_a_long_log_of_days_is_taken_by_weeks():
    luck = np.random.default_rng(1)
    ticks = ticks_of(read_events(log_of(luck.integers(0, 1500, 400))))
    assert (ticks.name, ticks.days) == ("week", 7)


def test_few_days_that_lie_evenly_by_chance_are_days():
    assert recorded_by(np.array([0, 7])) is None
    assert recorded_by(np.array([0, 14, 21])) is None  # one in 49 by chance
    assert recorded_by(np.array([0])) is None
    assert recorded_by(np.array([0, 31, 59, 90])) is None
    luck = np.random.default_rng(2)
    assert all(recorded_by(np.append(0, np.unique(luck.integers(1, 300, 6)))) is None for _ in range(300))


def test_one_purchase_between_makes_days_of_months():
    months = 30 * np.arange(12)
    assert recorded_by(months) == 30
    assert recorded_by(np.sort(np.append(months, 44))) is None


def test_purchases_of_a_tick_are_in_the_week_in_which_it_begins():
    assert [week_of(k, 30) for k in range(4)] == [0, 4, 8, 12]
    assert [week_of(k, 1) for k in (0, 6, 7, 13, 14)] == [0, 0, 1, 1, 2]
    month = 365.25 / 12
    starts = (starts_of("MS", 25) - pd.Timestamp("2021-03-01")).days.to_numpy()
    assert max(abs(week_of(k, month) - day // 7) for k, day in enumerate(starts)) <= 1


def bills(luck: np.random.Generator, customers: int, months: int) -> pd.DataFrame:
    """Return who pays in which month (beta-geometric/beta-Bernoulli, Fader, Hardie & Shang 2010, recalled)."""
    pays = luck.beta(6, 2, customers)
    last = luck.geometric(luck.beta(0.8, 8, customers))
    rows = [
        (i, 30 * month)
        for i in range(customers)
        for month in range(min(months, int(last[i]) + 1))
        if month == 0 or luck.random() < pays[i]
    ]
    return pd.DataFrame(rows, columns=["id", "day"])


def test_a_log_of_months_is_forecast_by_months():
    log = bills(np.random.default_rng(4), 300, 24)
    seen = log[log["day"] < 30 * 14]
    fitted = cs.fit("calibration_events", seen, "events")
    assert fitted.scenario.tick == "month"
    assert fitted.fit["days_per_tick"] == 30
    weeks = 30 * 24 // 7 + 1
    forecast = cs.predict(fitted, weeks=weeks)
    repeats = len(log) - log["id"].nunique()
    assert forecast["low"][-1] < repeats < forecast["high"][-1]
    assert forecast["cumulative_repeats"][-1] == pytest.approx(repeats, rel=0.06)
    # Nothing is bought between two months.
    path = np.diff(forecast["cumulative_repeats"][forecast["data_weeks"] - 1 :])
    assert (path == 0).mean() == pytest.approx(1 - 7 / 30, abs=0.1)

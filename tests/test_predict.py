"""Forecasts of calibrated scenarios: by the model's own rules, in the shapes that are promised."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import churnsim as cs
from calibration_data import expected_purchases, panel_table, purchase_log, retention_table
from churnsim.calibration.events_scenario import _lived_on
from churnsim.calibration.files import open_fitted
from churnsim.calibration.free_run import free_run
from churnsim.calibration.steps import Steps
from churnsim.randomness import Stream, name_code, stream_key, uniforms

DATA = os.environ.get("CHURNSIM_DATA")
real_data = pytest.mark.skipif(not DATA, reason="CHURNSIM_DATA names no folder with the real data sets")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Make one calibrated scenario of each kind in a folder."""
    folder = tmp_path_factory.mktemp("fitted")
    tables = [
        retention_table(folder / "r.csv", 0.7, 1.2, 7, 2000, 1, segment="plain"),
        retention_table(folder / "r.csv", 0.5, 6.0, 7, 2000, 2, segment="gold card"),
    ]
    pd.concat(tables).to_csv(folder / "r.csv", index=False)
    cs.fit("calibration_retention", folder / "r.csv", "retention", out=folder / "r.yaml")
    table = panel_table(folder / "all.csv", 60, 12, 3, 1, shown=True)
    table[table["occ"] <= 8].to_csv(folder / "p.csv", index=False)
    # As a user may have it: shuffled, without choices, and with a household that is new.
    later = table[table["occ"] > 8].drop(columns="choice")
    new = later[later["hh"] == "h3"].assign(hh="new")
    pd.concat([later, new]).sample(frac=1, random_state=1).to_csv(folder / "marketing.csv", index=False)
    cs.fit("calibration_panel", folder / "p.csv", "panel", out=folder / "p.yaml")
    purchase_log(folder / "e.csv", 250, 98, 1, spend=True)
    cs.fit("calibration_events", folder / "e.csv", "events", out=folder / "e.yaml")
    return folder


def test_free_run_is_the_engine_bit_for_bit():
    """Where prices are the same for everybody both can run; choices and what is remembered agree exactly."""
    ticks, seed = 12, 3
    scenario = cs.load("calibration_panel").set({"customers.count": 200, "horizon": ticks})
    for tick, price in ((3, 36.0), (4, 48.0), (7, 30.0)):
        scenario = scenario.move(tick, {"firms.large.price": price})
    with cs.ChurnModel(scenario, rng=seed) as model:
        columns = model.columns
        theta, belief = columns.quality_value.copy(), columns.belief.copy()
        taste, weight = columns.taste.T.copy(), columns.price_weight.copy()
        attached, reference = columns.attachment.T.copy(), columns.reference.T.copy()
        engine, prices = [], []
        for _ in range(ticks):
            model.step()
            engine.append(columns.choice.astype(int) - 1)
            prices.append(model.market.price.copy())
        names, ids = list(scenario.firms), columns.id.copy()
        after_attached, after_reference = columns.attachment.T.copy(), columns.reference.T.copy()
    count, firms = ids.size, len(names)
    luck = np.empty((count, ticks, firms), np.float32)
    for k, name in enumerate(names):
        for t in range(ticks):
            luck[:, t, k] = uniforms(stream_key(seed, Stream.OPTION, t + 1, name_code(name)), ids)
    price = np.broadcast_to(np.array(prices, np.float32), (count, ticks, firms))
    worth = np.broadcast_to((theta * belief).T[:, None, :], luck.shape)
    customers = scenario.customers
    last, choice = np.full(count, -1), np.empty(count * ticks, np.int64)
    free_run(
        np.repeat(np.arange(count), ticks), luck.reshape(-1, firms), np.ascontiguousarray(worth).reshape(-1, firms),
        np.ascontiguousarray(price).reshape(-1, firms), taste, weight, attached, reference, last,
        np.float32(customers.choice.noise), np.float32(customers.attachment.value),
        np.float32(customers.attachment.growth), np.float32(12), np.float32(customers.reference_price.weight),
        np.float32(customers.reference_price.loss_aversion), np.float32(customers.reference_price.adaptation), choice,
    )  # fmt: skip
    np.testing.assert_array_equal(choice.reshape(count, ticks), np.array(engine).T)
    np.testing.assert_array_equal(attached, after_attached)
    np.testing.assert_array_equal(reference, after_reference)
    assert len(set(choice)) == firms


def test_survival_is_that_of_the_fitted_hazards(made):
    answer = cs.predict(made / "r.yaml", periods=12)
    table = pd.read_csv(made / "r.csv")
    assert list(answer["segments"]) == ["plain", "gold card"]
    for name, segment in answer["segments"].items():
        left, low, high = (np.array(segment[key]) for key in ("S", "low", "high"))
        assert left.shape == (12,)
        assert (np.diff(left) <= 0).all()
        assert (low <= left).all()
        assert (left <= high).all()
        rows = table[table["segment"] == name]
        seen = np.cumprod(1 - rows["lost"] / rows["at_risk"]).to_numpy()
        np.testing.assert_allclose(left[:7], seen, atol=4 * np.sqrt(0.25 / 2000))


def test_intervals_of_survival_are_as_wide_however_far_one_looks(tmp_path):
    """A forecast of many periods takes smaller cohorts; what is not known of the customers stays the same."""
    left = 1e6 * np.concatenate([[1.0], np.cumprod(1 - 1 / (7 + np.arange(8)))])  # hazards Beta(1, 6), nobody's luck
    rows = {"segment": "all", "period": np.arange(1, 9), "at_risk": left[:-1].round(), "lost": -np.diff(left).round()}
    fitted = cs.fit("calibration_retention", pd.DataFrame(rows), "retention")
    short, long = (cs.predict(fitted, periods=periods)["segments"]["all"] for periods in (6, 300))
    for one in (short, long):
        assert one["low"][5] <= left[6] / 1e6 <= one["high"][5]
        assert one["high"][5] - one["low"][5] < 0.02  # the mean of simulated cohorts is a little off


def test_households_choose_on_in_the_order_of_the_file(made, tmp_path):
    answer = cs.predict(made / "p.yaml", marketing=made / "marketing.csv", replications=20, out=tmp_path / "c.csv")
    marketing = pd.read_csv(made / "marketing.csv")
    choices = pd.read_csv(tmp_path / "c.csv")
    assert list(choices.columns) == ["rep", "hh", "occ", "choice"]
    for rep in (1, 20):
        one = choices[choices["rep"] == rep].reset_index(drop=True)
        pd.testing.assert_frame_equal(one[["hh", "occ"]], marketing[["hh", "occ"]])
    assert set(answer["shares"]) == set(answer["brands"]) == {"b0", "b1", "b2"}
    assert sum(answer["shares"].values()) == pytest.approx(1)
    np.testing.assert_allclose(np.sum(answer["switching"], 1), 1, atol=1e-9)
    true = pd.read_csv(made / "all.csv").query("occ > 8")
    for brand, (low, high) in answer["intervals"]["shares"].items():
        assert low - 0.03 <= (true["choice"] == brand).mean() <= high + 0.03
    again = cs.predict(made / "p.yaml", marketing=made / "marketing.csv", replications=20)
    assert again == answer


def test_of_households_that_choose_once_no_repeat_rate_is_told(made):
    once = pd.read_csv(made / "marketing.csv").drop_duplicates("hh")
    answer = cs.predict(made / "p.yaml", marketing=once, replications=3)
    assert np.isnan([answer["repeat_rate"], *answer["intervals"]["repeat_rate"]]).all()
    assert np.array(answer["intervals"]["switching"]).tolist() == np.zeros((3, 3, 2)).tolist()


def test_a_dearer_brand_is_bought_less(made, tmp_path):
    marketing = pd.read_csv(made / "marketing.csv")
    marketing["price_b0"] *= 1.5
    marketing.to_csv(tmp_path / "dear.csv", index=False)
    before = cs.predict(made / "p.yaml", marketing=made / "marketing.csv", replications=20)["shares"]
    after = cs.predict(made / "p.yaml", marketing=tmp_path / "dear.csv", replications=20)["shares"]
    assert after["b0"] < before["b0"] - 0.05


def test_customers_of_a_log_live_on(made):
    answer = cs.predict(made / "e.yaml", weeks=26)
    repeats = np.array(answer["cumulative_repeats"])
    log = pd.read_csv(made / "e.csv")
    later = log[log["day"] > log.groupby("id")["day"].transform("min")]
    seen = [int((later["day"] < 7 * week).sum()) for week in range(1, 15)]
    assert repeats[:14].tolist() == seen
    assert (np.diff(repeats) >= 0).all()
    assert len(answer["low"]) == len(answer["high"]) == 26
    assert (np.array(answer["low"]) <= repeats).all()
    assert (repeats <= np.array(answer["high"])).all()
    assert 0 < answer["share_active_low"] <= answer["share_active"] <= answer["share_active_high"] < 1


def test_customers_of_a_log_buy_as_often_as_the_rule_of_the_likelihood_says(made):
    """Purchases in the engine against the recursion over whereabouts, for every draw what its customers are like."""
    fitted = open_fitted(made / "e.yaml")
    bought = _lived_on(fitted, 8, Steps())[0].sum(1)
    expected = expected_purchases(fitted, 8)
    off = bought - expected
    assert abs(off.mean()) < 4 * off.std() / off.size**0.5
    assert np.mean(expected) > 100


def test_weeks_that_the_data_cover_need_no_simulation(made):
    answer = cs.predict(made / "e.yaml", weeks=10)
    assert answer["share_active"] is None
    assert answer["cumulative_repeats"] == answer["low"]


def test_of_a_week_in_which_a_log_breaks_off_the_rest_is_forecast(made):
    """Three days of the fourteenth week are missing; without them its count would be too low, however sure it looks."""
    fitted = open_fitted(made / "e.yaml")
    assert fitted.facts["ticks"] == 98
    seen = fitted.facts["observed"]
    answer = cs.predict(replace(fitted, facts={**fitted.facts, "ticks": 95}), weeks=14)
    assert answer["data_weeks"] == 13 and answer["cumulative_repeats"][:13] == seen[:13]
    assert seen[13] <= answer["low"][13] < answer["cumulative_repeats"][13] < answer["high"][13]
    week = seen[13] - seen[12]
    assert 0 < answer["cumulative_repeats"][13] - seen[13] < week
    assert answer["share_active"] > 0


def test_forecast_of_a_log_covers_what_comes(tmp_path):
    """The last third of a log made by like rules lies within the interval."""
    purchase_log(tmp_path / "all.csv", 400, 150, 8)
    log = pd.read_csv(tmp_path / "all.csv")
    log[log["day"] < 98].to_csv(tmp_path / "e.csv", index=False)
    fitted = cs.fit("calibration_events", tmp_path / "e.csv", "events")
    answer = cs.predict(fitted, weeks=21)
    true = log[(log["day"] < 147) & log["id"].isin(log[log["day"] < 98]["id"])]
    repeats = len(true) - true["id"].nunique()
    assert answer["low"][-1] <= repeats <= answer["high"][-1]
    active = true[true["day"] >= 98]["id"].nunique() / fitted.facts["customers"]
    assert abs(answer["share_active"] - active) < 0.06


def test_twelve_brands_are_all_forecast_though_the_scenario_holds_eight(tmp_path):
    table = panel_table(tmp_path / "p.csv", 20, 4, 12, 1)
    fitted = cs.fit("calibration_panel", tmp_path / "p.csv", "panel", out=tmp_path / "p.yaml")
    assert len(fitted.scenario.firms) == 8
    assert "many_brands" in {warning["key"] for warning in fitted.warned}
    answer = cs.predict(tmp_path / "p.yaml", marketing=table.assign(occ=table["occ"] + 4), replications=4)
    assert len(answer["shares"]) == len(answer["switching"]) == 12


def test_commands(made, cli, monkeypatch):
    monkeypatch.chdir(made)
    retention = cli("predict", "r.yaml", "--format", "retention", "--periods", 9, "--json")
    assert (retention.code, len(retention.json["segments"]["plain"]["S"])) == (0, 9)
    words = ("--marketing", "marketing.csv", "--replications", 5, "--out", "choices.csv")
    panel = cli("predict", "p.yaml", "--format", "panel", *words, "--json")
    assert panel.code == 0
    assert {"shares", "repeat_rate", "switching", "brands"} <= set(panel.json)
    assert len(pd.read_csv("choices.csv")) == 5 * len(pd.read_csv("marketing.csv"))
    events = cli("predict", "e.yaml", "--format", "events", "--weeks", 20, "--json")
    assert {"cumulative_repeats", "share_active", "low", "high"} <= set(events.json)
    assert "nothing is forecast" not in events.err
    seen = cli("predict", "e.yaml", "--format", "events", "--weeks", 14)
    assert (seen.code, "nothing is forecast: the data cover 14 weeks" in seen.err) == (0, True)
    assert "compiling" not in seen.err
    printed = cli("predict", "r.yaml", "--periods", 3).out
    assert printed.count("Periods 1 to 7 are those of the data: what stands here is S as fitted, not as counted.") == 2
    assert retention.json["data_periods"] == {"plain": [1, 7], "gold card": [1, 7]}
    assert "b0" in cli("predict", "p.yaml", *words, "--lang", "zh").out
    assert "20" in cli("predict", "e.yaml", "--weeks", 20).out
    for bad in (
        ("r.yaml", "--format", "events", "--weeks", 3),
        ("r.yaml",),
        ("r.yaml", "--periods", 0),
        ("r.yaml", "--periods", 3, "--replications", 100),
        ("e.yaml", "--weeks", 3, "--replications", 7),
        ("none.yaml", "--periods", 3),
        ("p.yaml", "--marketing", "r.csv"),
        ("p.yaml", "--marketing", "marketing.csv", "--replications", 0),
        ("p.yaml", "--marketing", "marketing.csv", "--out", "nowhere/c.csv"),
        ("e.yaml", "--weeks", 100000),
    ):
        answer = cli("predict", *bad)
        assert answer.code == 2, bad
        assert "Traceback" not in answer.err
    for other in ("p.fit.json", "p.csv"):
        answer = cli("predict", other, "--periods", 3)
        assert (answer.code, len(answer.err.splitlines())) == (2, 1)
        assert "is no calibrated scenario" in answer.err
    (made / "lonely.yaml").write_text((made / "r.yaml").read_text())
    assert "churnsim fit calibration_retention" in cli("predict", "lonely.yaml", "--periods", 3).err
    (made / "lonely.fit.json").write_text((made / "r.fit.json").read_text())
    assert "lonely.posterior.csv" in cli("predict", "lonely.yaml", "--periods", 3).err


@real_data
def test_subscriptions_are_forecast_better_than_by_the_sbg(tmp_path):
    """Fader & Hardie's two segments, years 1-7: years 8-12 within 2 % on average (the sBG is 2.8 % and 1.5 % off)."""
    curves = pd.read_csv(Path(str(DATA)) / "subscription_retention_fader_hardie.csv")
    parts = []
    for name in ("high_end", "regular"):
        left = curves[f"{name}_pct"].to_numpy() * 10
        parts.append(pd.DataFrame({"segment": name, "period": curves["year"][1:], "at_risk": left[:-1], "lost": -np.diff(left)}))  # fmt: skip # noqa: E501
    table = pd.concat(parts)
    table[table["period"] <= 7].to_csv(tmp_path / "r.csv", index=False)
    answer = cs.predict(cs.fit("calibration_retention", tmp_path / "r.csv", "retention"), periods=12)
    for name in ("high_end", "regular"):
        true = curves[f"{name}_pct"].to_numpy()[8:] / 100
        left = np.array(answer["segments"][name]["S"])[7:]
        assert np.mean(np.abs(left - true) / true) < 0.02

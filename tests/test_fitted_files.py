"""The files of a calibrated scenario: what studies make of its draws, and what is refused rather than lost or mixed."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import churnsim as cs
from calibration_data import panel_table, purchase_log, retention_table
from churnsim.calibration.errors import DataError
from churnsim.calibration.files import beside, open_fitted


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Calibrate a scenario to each kind of data, in a folder."""
    folder = tmp_path_factory.mktemp("fitted")
    retention_table(folder / "r.csv", 0.7, 1.2, 10, 3000, 1, trend=1.2)
    panel_table(folder / "p.csv", 30, 8, 3, 1)
    purchase_log(folder / "e.csv", 40, 100, 1)
    for kind, name in (("retention", "r"), ("panel", "p"), ("events", "e")):
        cs.fit(f"calibration_{kind}", folder / f"{name}.csv", kind, out=folder / f"{name}.yaml")
    return folder


@pytest.fixture
def copied(made, tmp_path):
    """Return a folder with files of one's own."""
    shutil.copytree(made, tmp_path / "own")
    return tmp_path / "own"


def test_a_calibrated_scenario_knows_no_money_but_what_the_data_say(made):
    log = pd.read_csv(made / "e.csv")
    assert {name: open_fitted(made / f"{name}.yaml").scenario.money for name in "rpe"} == {
        "r": "unknown", "p": "prices", "e": "unknown",
    }  # fmt: skip
    spent = log.assign(spend=10.0)
    assert cs.fit("calibration_events", spent, "events").scenario.money == "prices"
    # Whoever has put costs into the scenario says that they are known, and it stays so.
    shop = cs.load("calibration_events").set({"money": "known", "firms.shop.unit_cost": 4})
    assert cs.fit(shop, spent, "events").scenario.money == "known"


def test_segments_are_called_by_their_names_and_the_whole_by_its_file(tmp_path):
    file = tmp_path / "r.csv"
    table = pd.concat(
        [retention_table(file, 0.7, 1.2, 6, 900, k, segment=name) for k, name in ((1, "old"), (2, "new"))]
    )
    scenario = cs.fit("calibration_retention", table, "retention").scenario
    assert scenario.title.en == "Calibrated to DataFrame"
    assert [scenario.case.en, *(arm.title.en for arm in scenario.arms.values())] == ["old", "new"]


def test_segments_keep_their_names_whatever_these_look_like(tmp_path):
    names = ["007", "NA", "1.0", "True"]
    tables = [retention_table(tmp_path / "r.csv", 0.7, 1.2, 4, 500, k, segment=name) for k, name in enumerate(names)]
    cs.fit("calibration_retention", pd.concat(tables), "retention", out=tmp_path / "f.yaml")
    answer = cs.predict(tmp_path / "f.yaml", periods=6)
    assert list(answer["segments"]) == names
    assert answer["data_periods"] == {name: [1, 4] for name in names}


# ---------------------------------------------------------------------- draws as points of a study


def test_a_study_of_the_draws_is_as_uncertain_as_the_forecast(made):
    """Trend and shocks vary with the customers: with them held, survival is several times as uncertain."""
    from churnsim.studies.sweeping import sweep

    study = made / "left.yaml"
    study.write_text(
        "scenario: r.yaml\ndesign: {file: r.design.csv}\nreplications: 1\n"
        "set: {horizon: 16, customers.count: 4000}\noutcomes: [customer_share.seller@16]\n",
        encoding="utf-8",
    )
    found = sweep(study, made / "left", 0, False).frame()["customer_share.seller@16"]
    (told,) = cs.predict(made / "r.yaml", periods=16)["segments"].values()
    low, high = np.quantile(found, [0.025, 0.975])
    assert found.mean() == pytest.approx(told["S"][15], rel=0.03)
    assert 0.7 < (high - low) / (told["high"][15] - told["low"][15]) < 1.8


def test_every_point_is_one_that_the_scenario_can_be_set_to(made):
    for name in "rpe":
        fitted = open_fitted(made / f"{name}.yaml")
        design = pd.read_csv(made / f"{name}.design.csv")
        assert len(design) == fitted.posterior["draw"].nunique() and "draw" not in design
        for _, row in design.iloc[[0, -1]].iterrows():
            fitted.scenario.set(row.to_dict())


def test_draws_beyond_what_a_scenario_may_have_stand_at_its_bound(made):
    fitted = open_fitted(made / "p.yaml")
    far = fitted.posterior.assign(**{"customers.reference_price.weight": 7.2, "customers.price_weight.mean": 130.0})
    point = replace(fitted, posterior=far).design().iloc[0].to_dict()
    customers = fitted.scenario.set(point).customers
    assert (customers.reference_price.weight, customers.price_weight.mean_value) == (5, 100)


def test_brands_are_worth_in_a_point_what_they_are_in_its_draw(made):
    fitted, design = open_fitted(made / "p.yaml"), pd.read_csv(made / "p.design.csv")
    plan = fitted.scenario
    names = list(plan.firms)
    scale = plan.firms[names[0]].quality.scale
    quality = 1 - np.exp(-design[[f"firms.{name}.service" for name in names]].to_numpy() / scale)
    worth = design[["customers.quality_value"]].to_numpy() * quality
    drawn = fitted.posterior[[f"worth.{name}" for name in names]].to_numpy()
    np.testing.assert_allclose(worth - worth[:, :1], drawn - drawn[:, :1], atol=1e-9 * plan.customers.choice.noise)
    np.testing.assert_array_equal(design["customers.attachment.decay"], design["customers.attachment.growth"])


def test_a_calendar_goes_on_after_the_data(made):
    """Hazards that rise with tenure go on rising: a longer run does not begin them anew."""
    weights = open_fitted(made / "r.yaml").scenario.customers.calendar.weights
    assert len(weights) == 10 + 24 and min(weights[10:]) > np.mean(weights[:5])


# ---------------------------------------------------------------------- what a scenario says of itself


def test_a_calibrated_scenario_says_what_it_was_fitted_to(made):
    for name in "rpe":
        plan = cs.load(made / f"{name}.yaml")
        assert plan.id == name and plan.title.zh == f"按 {name}.csv 校准"
        assert all(f"{name}.csv" in source.en for source in plan.sources)
        assert len(repr(open_fitted(made / f"{name}.yaml"))) < 100


# ---------------------------------------------------------------------- nothing is lost


def test_a_scenario_that_fit_did_not_write_is_not_written_over(copied, cli, monkeypatch):
    monkeypatch.chdir(copied)
    (copied / "own.yaml").write_text("id: own\nextends: calibration_retention\ntick: month\n", encoding="utf-8")
    before = (copied / "own.yaml").read_bytes()
    for base in ("own.yaml", "calibration_retention"):
        answer = cli("fit", base, "--data", "r.csv", "--format", "retention", "--out", "own.yaml")
        assert answer.code == 2 and "own.yaml is there already and was not written by fit; give --out" in answer.err
    assert (copied / "own.yaml").read_bytes() == before and not (copied / "own.fit.json").exists()
    (copied / "empty.yaml").touch()
    for out in ("empty.yaml", "r.yaml"):  # nothing is lost, or what an earlier fit made
        assert cli("fit", "own.yaml", "--data", "r.csv", "--format", "retention", "--out", out).code == 0


def test_a_forecast_is_not_written_over_what_it_needs(copied, cli, monkeypatch):
    monkeypatch.chdir(copied)
    rows = pd.read_csv("p.csv")
    rows.assign(occ=rows["occ"] + 8).to_csv("next.csv", index=False)
    panel = ("predict", "p.yaml", "--marketing", "next.csv", "--replications", 2, "--out")
    for words, said in (
        (("predict", "r.yaml", "--periods", 3, "--out", "r.yaml"), "its name must end in .csv"),
        (("predict", "r.yaml", "--periods", 3, "--out", "r.posterior.csv"), "is read by the forecast, and would be"),
        ((*panel, "next.csv"), "give --out another name"),
        ((*panel, "a.parquet"), "its name must end in .csv"),
    ):
        answer = cli(*words)
        assert answer.code == 2 and said in answer.err
    assert cli("predict", "r.yaml", "--periods", 3).code == 0
    assert len(pd.read_csv("next.csv")) == len(rows)


# ---------------------------------------------------------------------- nothing is mixed


def test_files_of_different_fits_are_told(copied):
    """A posterior beside the facts of another fit, as a process that was killed may leave it."""
    retention_table(copied / "other.csv", 0.9, 1.5, 10, 3000, 2)
    cs.fit("calibration_retention", copied / "other.csv", "retention", out=copied / "other.yaml")
    for place in (0, 3):
        kept = beside(copied / "r.yaml")[place].read_bytes()
        shutil.copy(beside(copied / "other.yaml")[place], beside(copied / "r.yaml")[place])
        with pytest.raises(DataError, match="are not of the same fit"):
            open_fitted(copied / "r.yaml")
        beside(copied / "r.yaml")[place].write_bytes(kept)
    open_fitted(copied / "r.yaml")


def test_drafts_of_killed_processes_are_taken_away(copied):
    (copied / ".r.posterior.csv.999999999").touch()
    (copied / f".r.posterior.csv.{os.getppid()}").touch()  # that one lives
    cs.fit("calibration_retention", copied / "r.csv", "retention", out=copied / "r.yaml")
    assert [file.name for file in copied.glob(".*")] == [f".r.posterior.csv.{os.getppid()}"]


def test_a_scenario_that_was_edited_since_says_so_in_a_forecast(copied):
    text = (copied / "r.yaml").read_text(encoding="utf-8")
    assert cs.predict(copied / "r.yaml", periods=3)["warnings"] == []
    for old, new, told in (
        ("title:", "# kept well\ntitle:", False), ("horizon: 10", "horizon: 12", False), ("a: ", "a: 1", True)
    ):  # fmt: skip
        assert old in text
        (copied / "r.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
        warnings = cs.predict(copied / "r.yaml", periods=3)["warnings"]
        assert [one.startswith("The scenario has been changed since") for one in warnings] == [True] * told


def test_brands_cost_next_to_nothing_whatever_they_are_worth(tmp_path):
    table = panel_table(tmp_path / "p.csv", 40, 8, 3, 3)
    fitted = cs.fit("calibration_panel", table, "panel")
    for firm in fitted.scenario.firms.values():
        assert firm.service < 1e-3 * firm.price
    known = fitted.scenario.set({"money": "known"})
    ticks = cs.run(known, seeds=range(2), progress=False).ticks
    assert ticks["profit"].to_numpy() == pytest.approx(ticks["revenue"].to_numpy(), rel=2e-3, abs=1e-6)


def test_prices_in_a_small_unit_of_money_are_as_good_as_others(tmp_path):
    """Whoever counts in cents, or in a currency of large numbers, gets the same forecast."""
    table = panel_table(tmp_path / "p.csv", 12, 5, 2, 4)
    small = table.assign(price_b0=table["price_b0"] * 2**12, price_b1=table["price_b1"] * 2**12)
    shares = []
    for data in (table, small):
        fitted = cs.fit("calibration_panel", data, "panel", out=tmp_path / "f.yaml")
        assert cs.run(fitted.scenario, seeds=range(1), progress=False).ticks["share"].notna().all()
        shares.append(cs.predict(fitted, marketing=data.assign(occ=data["occ"] + 9), replications=20)["shares"])
    assert shares[0] == pytest.approx(shares[1], abs=0.02)


def test_a_price_in_another_unit_is_told(tmp_path):
    table = panel_table(tmp_path / "p.csv", 30, 6, 3, 4)
    fitted = cs.fit("calibration_panel", table, "panel")
    future = table.assign(occ=table["occ"] + 100)
    assert not [
        one for one in cs.predict(fitted, marketing=future, replications=2)["warnings"] if "another unit" in one
    ]
    brand = next(name for name in table if name.startswith("price_")).removeprefix("price_")
    cents = future.assign(**{f"price_{brand}": 100 * future[f"price_{brand}"]})
    warnings = cs.predict(fitted, marketing=cents, replications=2)["warnings"]
    assert sum(f"Prices of {brand}" in one and "another unit" in one for one in warnings) == 1


def test_the_price_of_a_log_is_that_of_the_average_purchase(tmp_path):
    """Who buys often spends ten times as much here."""
    purchase_log(tmp_path / "e.csv", 60, 90, 3)
    log = pd.read_csv(tmp_path / "e.csv")
    often = log.groupby("id")["day"].transform("size") > log.groupby("id")["day"].size().median()
    log["spend"] = np.where(often, 100.0, 10.0)
    fitted = cs.fit("calibration_events", log, "events")
    bought = log.drop_duplicates(["id", "day"])
    assert fitted.scenario.firms["shop"].price == pytest.approx(log["spend"].sum() / len(bought))


def test_a_study_of_money_that_nobody_knows_is_refused(tmp_path):
    from churnsim.studies.checks import checked_plan
    from churnsim.studies.errors import StudyError
    from churnsim.studies.study import Study

    fitted = cs.fit("calibration_panel", panel_table(tmp_path / "p.csv", 30, 6, 3, 4), "panel").scenario
    firm = next(iter(fitted.firms))
    checked_plan(Study(scenario=fitted, outcomes=[f"share.{firm}", f"revenue.{firm}"], replications=1))
    with pytest.raises(StudyError, match="money is not known"):
        checked_plan(Study(scenario=fitted, outcomes=[f"profit.{firm}"], replications=1))

"""Parameters that a fit leaves alone stay what the scenario says; the others are fitted as if those were known."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import churnsim as cs
from calibration_data import log_of_the_model, panel_of_the_model, retention_table
from churnsim.calibration.errors import DataError
from churnsim.calibration.held import ALWAYS, CHOOSABLE, Holding, constant
from churnsim.calibration.households import SHARED
from churnsim.calibration.posterior import differences
from churnsim.calibration.renewal import NEVER

BRANDS = 3


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Small data of every kind, made by the model itself."""
    folder = tmp_path_factory.mktemp("data")
    files = {kind: folder / f"{kind}.csv" for kind in CHOOSABLE}
    retention_table(files["retention"], 0.7, 3.0, 6, 2000, 1)
    luck = np.random.default_rng(3)
    shared = {"price": np.log(2.5), "price_spread": -1.0, "taste": 0.0, "attachment": 1.0, "memory": -1.5,
              "switching": 0.5, "reference": -1.6, "adaptation": -1.0, "display": 0.5, "feature": 0.5}  # fmt: skip
    brands = [-0.4, -0.8, 0.0, 0.0, *np.zeros(BRANDS)]
    panel_of_the_model(files["panel"], np.array([*brands, *(shared[name] for name in SHARED)]), 60, 10, luck)
    log_of_the_model(files["events"], np.array([-2.5, 0.0, -2.0, 0.0, 1.0, NEVER, -0.4]), 100, 60, luck)
    return files


def test_a_function_of_what_is_free_has_the_slope_that_differences_give():
    holding = Holding((constant(0, 2.0), (2, lambda x: 1.0 - np.exp(x[1]) / 2)))
    weights = np.array([[2.0, 0.3, 0.1, 0.0], [0.3, 1.0, 0.2, 0.4], [0.1, 0.2, 3.0, 0.0], [0.0, 0.4, 0.0, 1.0]])
    x = holding.fill(np.array([9.0, 0.3, 9.0, -0.7]))
    assert x.tolist() == pytest.approx([2.0, 0.3, 1 - np.exp(0.3) / 2, -0.7])

    def of_free(z: np.ndarray) -> float:
        filled = holding.fill(np.array([0.0, z[0], 0.0, z[1]]))
        return float(filled @ weights @ filled)

    free = holding.free(4)
    assert free.tolist() == [1, 3]
    assert holding.pulled(x, 2 * weights @ x) == pytest.approx(differences(of_free)(x[free]), rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "parameters", "values"),
    [
        ("retention", ["customers.opportunity.a"], {}),
        ("retention", ["customers.calendar.trend"], {"customers.opportunity": {"dist": "beta", "a": 2.0, "b": 9.0}}),
        (
            "panel",
            ["customers.price_weight.mean", "customers.switching_cost"],
            {"customers.taste.sd": 30.0, "customers.attachment.value": 20.0},
        ),
        ("panel", ["customers.attachment.value"], {"customers.taste.sd": 0.0, "customers.switching_cost": 0.0}),
        (
            "events",
            ["customers.taste.sd"],
            {"customers.switching_cost": {"dist": "lognormal", "mean": 3.0, "cv": 0.5}, "customers.hazards.lapse": 0.0},
        ),
        ("events", ["customers.switching_cost.cv", "customers.hazards.lapse"], {"customers.switching_cost": 4.0}),
    ],
)
def test_what_is_not_named_stays_as_in_the_scenario(data, kind, parameters, values):
    base = cs.load(f"calibration_{kind}").set(values)
    fitted = cs.fit(base, data[kind], kind, parameters=parameters)
    held = fitted.fit["held"]
    assert set(held) == set(CHOOSABLE[kind]) - set(parameters)
    assert not set(held) & set(fitted.parameters)
    assert set(parameters) <= set(fitted.parameters)
    # Money is measured by the noise of choice, which a fit sets anew.
    noise = fitted.scenario.customers.choice.noise / (base.customers.choice.noise or 1)
    for path, value in values.items():
        for part in [path] if not isinstance(value, dict) else [f"{path}.{key}" for key in value if key != "dist"]:
            if part in held:
                number = value if not isinstance(value, dict) else value[part.rpartition(".")[2]]
                money = part.endswith(("taste.sd", "attachment.value", "switching_cost", "switching_cost.mean"))
                assert held[part] == pytest.approx(number * (noise if money else 1), rel=1e-12, abs=1e-12)
    for table in (fitted.posterior, fitted.design()):
        for path in set(held) & set(table):
            assert table[path].to_numpy() == pytest.approx(held[path], rel=1e-9)
    assert fitted.posterior[[name for name in parameters if name in fitted.posterior]].std().gt(0).all()


def test_all_named_is_the_same_as_none_named(data):
    for kind in ("retention", "panel"):
        every = cs.fit(f"calibration_{kind}", data[kind], kind, parameters=[*CHOOSABLE[kind], *ALWAYS[kind]])
        none = cs.fit(f"calibration_{kind}", data[kind], kind)
        pd.testing.assert_frame_equal(every.posterior, none.posterior)
        assert "held" not in every.fit


def test_a_constant_calendar_leaves_the_shifted_beta_geometric(data):
    fitted = cs.fit("calibration_retention", data["retention"], "retention", parameters=["customers.opportunity.a"])
    assert set(fitted.posterior["trend"]) == {1.0}
    assert "hazards_change" not in fitted.fit  # nothing was found: it was said
    a = fitted.parameters["customers.opportunity.a"]
    assert a["low"] < 0.7 < a["high"]


def test_what_is_held_wrongly_makes_the_data_less_likely(data):
    free = cs.fit("calibration_panel", data["panel"], "panel").fit["log_likelihood"]
    base = cs.load("calibration_panel").set({"customers.attachment.value": 0, "customers.switching_cost": 0})
    others = [name for name in CHOOSABLE["panel"] if not name.startswith(("customers.attachment", "customers.swit"))]
    assert cs.fit(base, data["panel"], "panel", parameters=others).fit["log_likelihood"] < free


def test_a_forecast_keeps_what_was_held(data, tmp_path):
    out = tmp_path / "mine.yaml"
    base = cs.load("calibration_panel").set({"customers.attachment.value": 0, "customers.switching_cost": 0})
    cs.fit(base, data["panel"], "panel", parameters=["customers.taste.sd"], out=out)
    future = pd.read_csv(data["panel"])
    future["occ"] += 100
    future.to_csv(tmp_path / "future.csv", index=False)
    forecast = cs.predict(out, marketing=tmp_path / "future.csv", replications=20)
    # Tastes without memory: runs are as long as chance makes them.
    assert forecast["run_ratio"] == pytest.approx(1, abs=0.05)
    assert cs.load(str(out)).customers.attachment.value == 0


def test_unknown_parameters_are_refused_with_the_nearest(data, cli, tmp_path):
    with pytest.raises(DataError, match=r"did you mean customers\.taste\.sd"):
        cs.fit("calibration_panel", data["panel"], "panel", parameters=["customers.tast.sd"])
    with pytest.raises(DataError) as error:
        cs.fit("calibration_panel", data["panel"], "panel", parameters="customers.opportunity.a")
    assert "customers.opportunity.a is no parameter" in str(error.value)
    assert "did you mean" not in str(error.value)
    silent = cs.load("calibration_panel").set({"customers.choice.noise": 0})
    with pytest.raises(DataError, match="noise is 0"):
        cs.fit(silent, data["panel"], "panel", parameters=["customers.taste.sd"])
    answer = cli("fit", "calibration_events", "--data", str(data["events"]), "--format", "events", "--out", "x.yaml",
                 "--parameter", "customers.attachment.value")  # fmt: skip
    assert answer.code == 2
    assert "customers.attachment.value is no parameter that is fitted to events data" in answer.err
    assert not (tmp_path / "x.yaml").exists()


def test_the_command_fits_what_is_named(data, cli):
    answer = cli("fit", "calibration_retention", "--data", str(data["retention"]), "--format", "retention", "--out",
                 "r.yaml", "--parameter", "customers.opportunity.a", "--json")  # fmt: skip
    told = json.loads(answer.out)
    assert set(told["parameters"]) == {"customers.opportunity.a", "customers.opportunity.b"}
    assert told["fit"]["held"]["customers.calendar.trend"] == 1
    assert "customers.calendar.trend 1" in answer.err
    assert "in any case" not in answer.err


def test_a_level_that_is_named_is_told_to_be_fitted_anyway(data, cli):
    words = ("fit", "calibration_retention", "--data", str(data["retention"]), "--format", "retention", "--out")
    names = ("customers.opportunity.a", "customers.opportunity.b")
    answer = cli(*words, "r.yaml", *(word for name in names for word in ("--parameter", name)))
    assert answer.code == 0
    assert "customers.opportunity.b: fitted in any case, named or not" in answer.err


def test_holding_one_is_naming_all_others(data):
    held = "customers.switching_cost"
    others = [name for name in CHOOSABLE["panel"] if name != held]
    base = cs.load("calibration_panel").set({held: 20})
    one = cs.fit(base, data["panel"], "panel", hold=[held])
    pd.testing.assert_frame_equal(one.posterior, cs.fit(base, data["panel"], "panel", parameters=others).posterior)
    # With its value the scenario's own does not matter.
    valued = cs.fit("calibration_panel", data["panel"], "panel", hold={held: 20})
    pd.testing.assert_frame_equal(one.posterior, valued.posterior)
    noise = valued.scenario.customers.choice.noise / base.customers.choice.noise
    assert valued.scenario.customers.switching_cost.mean_value == pytest.approx(20 * noise)


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        ({"customers.attachment.growth": 1.5}, "customers.attachment.growth: must be between 0 and 1"),
        ({"customers.price_weight.cv": 11}, "customers.price_weight.cv: must be between 0 and 10"),
        ({"customers.taste.sd": float("nan")}, "customers.taste.sd: must be a number"),
        ({"customers.switching_cost": {"dist": "beta"}}, "customers.switching_cost is held at a number"),
        (["customers.taste.sdd"], "did you mean customers.taste.sd"),
    ],
)
def test_what_cannot_be_held_is_refused(data, hold, said):
    with pytest.raises(DataError) as error:
        cs.fit("calibration_panel", data["panel"], "panel", hold=hold)
    assert said in str(error.value)


def test_all_that_is_held_or_named_wrongly_is_told_in_one_round(data, cli):
    words = ("fit", "calibration_panel", "--data", str(data["panel"]), "--format", "panel", "--out", "p.yaml")
    wrong = {
        "customers.tast.sd=1": "customers.tast.sd is no parameter that is fitted to panel data; did you mean",
        "prices": "prices is no parameter that is fitted to panel data",
        "customers.taste.sd=x": "--hold is written PATH or PATH=NUMBER, not 'customers.taste.sd=x'",
        "customers.attachment.value=-3": "customers.attachment.value: must be between 0",
        "customers.attachment.growth=1.5": "customers.attachment.growth: must be between 0 and 1",
    }
    answer = cli(*words, *(word for hold in wrong for word in ("--hold", hold)))
    assert answer.code == 2
    assert all(said in answer.err for said in wrong.values())
    assert answer.err.count("parameters that may be fitted to panel data or held: ") == 1
    chinese = cli(*words, "--hold", "customers.attachment.value=-3", "--lang", "zh").err
    assert "固定的 customers.attachment.value: 必须在 0 与" in chinese
    with pytest.raises(DataError) as error:
        cs.fit("calibration_panel", data["panel"], "panel", parameters=["customers.tast.sd", "prices"])
    assert [key for key, _ in error.value.problems] == ["no_parameter_near", "no_parameter", "parameters"]


def test_what_moves_nothing_is_not_fitted(data):
    hold = {"customers.attachment.value": 0, "customers.reference_price.weight": 0.2}
    fitted = cs.fit("calibration_panel", data["panel"], "panel", hold=hold)
    assert set(fitted.fit["held"]) == {*hold, "customers.attachment.growth"}
    assert "customers.attachment.growth" not in fitted.parameters
    assert not any("attachment" in warning for warning in fitted.warnings)


def test_levels_and_calendars_are_held_at_no_value(data):
    for hold, said in (
        (["customers.opportunity.b"], "customers.opportunity.b is always fitted"),
        ({"customers.calendar.trend": 2.0}, "it is held without a value"),
    ):
        with pytest.raises(DataError) as error:
            cs.fit("calibration_retention", data["retention"], "retention", hold=hold)
        assert said in str(error.value)
    with pytest.raises(DataError, match=r"\(parameters\) or what to hold \(hold\), not both"):
        cs.fit("calibration_retention", data["retention"], "retention", parameters=[], hold=[])


def test_the_command_holds_what_it_is_told(data, cli, tmp_path):
    words = (
        "fit",
        "calibration_retention",
        "--data",
        str(data["retention"]),
        "--format",
        "retention",
        "--out",
        "r.yaml",
    )
    told = json.loads(cli(*words, "--hold", "customers.opportunity.a=0.9", "--json").out)
    assert told["fit"]["held"] == {"customers.opportunity.a": 0.9}
    answer = cli(*words, "--hold", "customers.opportunity.a=x")
    assert answer.code == 2
    assert "--hold is written PATH or PATH=NUMBER, not 'customers.opportunity.a=x'" in answer.err
    both = cli(*words, "--hold", "customers.opportunity.a", "--parameter", "customers.calendar.trend")
    assert both.code == 2
    assert "(--parameter) or what to hold (--hold), not both" in both.err


def test_a_hazard_that_is_held_is_that_of_the_scenarios_tick(tmp_path):
    """Of a log that is recorded by weeks a tick is a week: as many lapse in it as in seven days."""
    log_of_the_model(
        tmp_path / "d.csv", np.array([-1.5, 0.0, -2.0, 0.0, 1.0, NEVER, -0.4]), 80, 60, np.random.default_rng(1)
    )
    log = pd.read_csv(tmp_path / "d.csv")
    log["day"] *= 7
    fitted = cs.fit("calibration_events", log, "events", hold={"customers.hazards.lapse": 0.001})
    assert fitted.scenario.tick == "week"
    assert fitted.scenario.customers.hazards.lapse == pytest.approx(1 - (1 - 0.001) ** 7)
    assert fitted.fit["held"]["customers.hazards.lapse"] == pytest.approx(1 - (1 - 0.001) ** 7)
    assert "lapses" not in fitted.fit


def test_the_command_tells_units_of_what_is_held_and_refuses_it_twice(data, cli):
    words = ("fit", "calibration_panel", "--data", str(data["panel"]), "--format", "panel", "--out", "p.yaml")
    told = cli(*words, "--hold", "customers.price_weight.mean=7").err
    assert "customers.choice.noise: 50 in calibration_panel" in told
    twice = cli(*words, "--hold", "customers.taste.sd=7", "--hold", "customers.taste.sd=8")
    assert twice.code == 2
    assert "customers.taste.sd is held twice" in twice.err

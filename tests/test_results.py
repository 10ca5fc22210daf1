"""Results: tables from records, what they say in sum, and how they are kept."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import churnsim as cs
from churnsim import storage
from churnsim.causes import CAUSE_NAMES, ENABLERS, N_VALUE_CAUSES, taxonomy
from churnsim.metrics import FIRM_MEASURES, MARKET_MEASURES
from churnsim.results import Result, ResultFolderError
from run_records import record, records, two_hotels

SEEDS = (4, 0, 7)


@pytest.fixture(scope="module")
def arms():
    case = two_hotels().arm("case")
    return [case, two_hotels().arm("both_passive")]


@pytest.fixture(scope="module")
def runs(arms):
    return records(arms, SEEDS)


@pytest.fixture(scope="module")
def result(arms, runs):
    return Result.from_records(arms, runs, engine="compiled")


def rows(frame, **where):
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return frame


# ---------------------------------------------------------------------- tables


def test_ticks_hold_every_cell_of_every_record(result, runs):
    assert list(result.ticks.columns) == ["scenario", "seed", "tick", "firm", *FIRM_MEASURES]
    assert len(result.ticks) == sum(len(run.ticks) * len(run.firms) for run in runs)
    for run in runs:
        mine = rows(result.ticks, scenario=run.scenario, seed=run.seed)
        for j, firm in enumerate(run.firms):
            own = rows(mine, firm=firm)
            assert own["tick"].tolist() == run.ticks.tolist()
            for name in FIRM_MEASURES:
                np.testing.assert_array_equal(own[name].to_numpy(), run.measures[name][:, j])


def test_market_holds_every_cell(result, runs):
    assert list(result.market.columns) == ["scenario", "seed", "tick", *MARKET_MEASURES]
    for run in runs:
        own = rows(result.market, scenario=run.scenario, seed=run.seed)
        for name in MARKET_MEASURES:
            np.testing.assert_array_equal(own[name].to_numpy(), run.market[name])


def test_causes_hold_every_cell_and_class(result, runs):
    run = runs[-1]
    frame = rows(result.causes, scenario=run.scenario, seed=run.seed, firm="eton", cause="rival_price")
    c = CAUSE_NAMES.index("rival_price")
    assert frame["primary"].tolist() == run.primary[:, 1, c].tolist()
    assert frame["labels"].tolist() == run.labels[:, 1, c].tolist()
    assert frame["share"].tolist() == run.shares[:, 1, c].tolist()
    for name in ("course", "course_type", "keaveney"):
        assert set(frame[name]) == {taxonomy(name)["rival_price"]}
    assert result.causes["primary"].sum() == sum(run.primary.sum() for run in runs)


def test_enablers_hold_every_cell(result, runs):
    run = runs[0]
    frame = rows(result.enablers, scenario=run.scenario, seed=run.seed, firm="nanyuan", enabler=ENABLERS[2])
    np.testing.assert_array_equal(frame["money"].to_numpy(), run.enablers[:, 0, 2])


def test_flows_hold_who_moved(result, runs):
    run = runs[1]
    own = rows(result.flows, scenario=run.scenario, seed=run.seed)
    assert rows(own, **{"from": "eton", "to": "outside"})["count"].tolist() == run.flows[:, 2, 0].tolist()
    assert rows(own, **{"from": "outside", "to": "nanyuan"})["count"].tolist() == run.flows[:, 0, 1].tolist()
    assert not (own["from"].astype(str) == own["to"].astype(str)).any()
    assert own["count"].sum() == run.flows.sum() - np.trace(run.flows, axis1=1, axis2=2).sum()


def test_events(result):
    assert result.events["seed"].tolist() == [7, 7]
    assert result.events[["tick", "firm", "event", "value"]].iloc[0].tolist() == [2, "eton", "first_shortfall", 120.5]
    assert Result.from_records([two_hotels()], [record(two_hotels(), 0)]).events.empty


def test_runs_have_every_parameter_by_path(result, arms):
    frame = result.runs
    assert len(frame) == len(arms) * len(SEEDS)
    assert frame["seed"].tolist() == [*SEEDS, *SEEDS]
    assert frame["id_hash"].tolist() == [arm.id_hash for arm in arms for _ in SEEDS]
    assert set(frame["version"]) == {cs.__version__}
    assert frame["firms.eton.price"].tolist() == [300.0] * 6
    assert frame["firms.eton.strategy.name"].tolist() == ["price_cut"] * 3 + ["passive"] * 3
    assert frame["firms.eton.strategy.depth"].fillna(-1).tolist() == [0.25] * 3 + [-1] * 3
    assert frame["mechanisms.budget"].dtype == bool
    assert frame["horizon"].dtype == np.int64
    assert frame["firms.eton.budget.priority"].iloc[0] == "service, relationship"
    assert not [name for name in frame if name.startswith(("title", "question", "arms", "firms.eton.name"))]


def test_names_are_categoricals_in_the_given_order(result):
    assert list(result.ticks["scenario"].cat.categories) == ["case", "both_passive"]
    assert list(result.ticks["firm"].cat.categories) == ["nanyuan", "eton"]
    assert list(result.causes["cause"].cat.categories) == list(CAUSE_NAMES)
    assert len(result.ticks.query("firm == 'eton' and tick > 0")) == 2 * len(SEEDS) * 10


def test_seeds_units_and_horizon(result):
    assert result.seeds == list(SEEDS)
    assert result.units["profit"] == "CNY" and result.units["price"] == "CNY per stay" and result.units["share"] == "1"
    assert result.horizon == 10


def test_departures_of_every_run(arms):
    result = Result.from_records(arms, records(arms, SEEDS, departures=True))
    assert list(result.departures.columns[:6]) == ["scenario", "seed", "tick", "customer", "from", "to"]
    assert len(result.departures) == 3 * 2 * len(SEEDS)
    assert rows(result.departures, scenario="both_passive")["seed"].tolist() == [s for s in SEEDS for _ in range(3)]
    assert set(result.departures["to"]) == {"eton", "outside"}


def test_there_are_no_departures_unless_kept(result):
    assert result.departures is None


def test_scenarios_may_have_different_firms_and_lengths():
    one = two_hotels()
    other = two_hotels(id="three", horizon=6, moves=[], firms={
        "eton": {"name": "Eton"}, "grand": {"name": "Grand"}, "nanyuan": {"name": "Nanyuan"},
    })  # fmt: skip
    result = Result.from_records([one, other], [record(one, 1), record(other, 1)])
    assert list(result.ticks["firm"].cat.categories) == ["nanyuan", "eton", "grand"]
    run = record(other, 1)
    own = rows(result.ticks, scenario="three", firm="nanyuan")
    np.testing.assert_array_equal(own["profit"].to_numpy(), run.measures["profit"][:, 2])
    moved = rows(result.flows, **{"scenario": "three", "from": "grand", "to": "eton"})
    assert moved["count"].tolist() == run.flows[:, 2, 1].tolist()
    assert result.summary()["scenario"].nunique() == 2


def test_records_must_fit_the_scenarios(arms, runs):
    with pytest.raises(ValueError, match="both_passive"):
        Result.from_records(arms[:1], runs)
    with pytest.raises(ValueError, match="same scenario and seed"):
        Result.from_records(arms, [*runs, runs[0]])
    with pytest.raises(ValueError, match="same name"):
        Result.from_records([arms[0], arms[0]], [])


def test_five_hundred_runs_are_assembled_in_time():
    case = two_hotels(burn_in=36, horizon=96, arms={})
    arms = [case.named(f"arm {i}") for i in range(10)]
    made = {seed: record(case, seed) for seed in range(5)}
    many = [
        type(made[0])(**{**vars(made[seed % 5]), "scenario": arm.name, "seed": seed})
        for arm in arms
        for seed in range(50)
    ]
    start = time.perf_counter()
    result = Result.from_records(arms, many)
    assert len(result.ticks) == 132_000
    assert len(result.market) and len(result.runs) == 500
    # The goal is well under 2 s; the limit allows for a machine that is busy with other tests.
    assert time.perf_counter() - start < 4


def test_tables_may_be_asked_for_by_several_threads(arms, runs):
    result = Result.from_records(arms, runs)
    with ThreadPoolExecutor(4) as pool:
        frames = list(pool.map(lambda _: result.causes, range(8)))
    assert all(frame.equals(frames[0]) for frame in frames)


# ---------------------------------------------------------------------- in sum


def test_summary_is_mean_and_percentiles_of_the_runs(result, runs):
    frame = result.summary(at=[4, 10], measures=["share", "profit"])
    assert list(frame.columns) == ["scenario", "tick", "over", "firm", "measure", "unit", "mean", "low", "high", "runs"]
    assert len(frame) == 2 * 2 * 2 * 2
    row = rows(frame, scenario="both_passive", firm="eton", measure="share", tick=4).iloc[0]
    values = [run.measures["share"][list(run.ticks).index(4), 1] for run in runs if run.scenario == "both_passive"]
    assert row["mean"] == pytest.approx(np.mean(values))
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.percentile(values, [5, 95])))
    assert row["runs"] == len(SEEDS)


def test_summary_of_a_window_is_of_each_runs_mean(result, runs):
    row = rows(result.summary(at=[(4, 9)], measures=["churn"]), scenario="case", firm="eton").iloc[0]
    values = [run.measures["churn"][(run.ticks >= 4) & (run.ticks <= 9), 1].mean() for run in runs[:3]]
    assert row["mean"] == pytest.approx(np.mean(values))
    assert (row["tick"], row["over"]) == (9, 6)


def test_summary_takes_the_last_tick_and_all_measures_by_default(result):
    frame = result.summary()
    assert set(frame["tick"]) == {10}
    assert set(frame["measure"]) == set(FIRM_MEASURES)


def test_summary_leaves_out_missing_values(result):
    row = rows(result.summary(at=-1, measures="satisfaction"), scenario="case", firm="nanyuan").iloc[0]
    assert row["runs"] == 0 and np.isnan(row["mean"]) and np.isnan(row["low"])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"at": [97]}, "tick 97 is not in the result; ticks run from -2 to 10"),
        ({"at": [(5, 12)]}, "tick 5-12 is not in the result"),
        ({"measures": ["shar"]}, "unknown measure 'shar'; did you mean 'share'?"),
    ],
)
def test_summary_says_what_is_wrong(result, call, said):
    with pytest.raises(ValueError) as error:
        result.summary(**call)
    assert said in str(error.value)


def test_diff_is_paired_by_seed(result, runs):
    frame = result.diff("both_passive", "profit", at=10)
    assert frame["scenario"].tolist() == ["case", "case"]
    gaps = np.array(
        [a.measures["profit"][-1, 0] - b.measures["profit"][-1, 0] for a, b in zip(runs[:3], runs[3:], strict=True)]
    )
    row = rows(frame, firm="nanyuan").iloc[0]
    low, high = stats.t.interval(0.95, 2, gaps.mean(), stats.sem(gaps))
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((gaps.mean(), low, high))
    assert (row["better_in"], row["runs"], row["statistic"]) == ((gaps > 0).sum(), 3, "at 10")


def test_diff_of_the_whole_of_play_sums_money_and_averages_rates(result, runs):
    money = rows(result.diff("both_passive"), firm="eton").iloc[0]
    total = [run.measures["profit"][run.ticks > 0, 1].sum() for run in runs]
    assert money["mean"] == pytest.approx(np.subtract(total[:3], total[3:]).mean())
    assert money["statistic"] == "sum 1-10"
    assert result.diff("both_passive", "churn")["statistic"].iloc[0] == "mean 1-10"
    assert result.diff("both_passive", "cash")["statistic"].iloc[0] == "at 10"


def test_less_churn_is_better(result):
    churn = result.diff("both_passive", "churn", at=10).set_index("firm")
    assert churn.loc["nanyuan", "mean"] < 0 and churn.loc["nanyuan", "better_in"] == 3
    assert churn.loc["eton", "mean"] > 0 and churn.loc["eton", "better_in"] == 0
    assert result.diff("both_passive", "price")["better_in"].isna().all()


def test_diff_of_one_seed_has_no_interval(arms):
    frame = Result.from_records(arms, records(arms, [3])).diff("case")
    assert frame["mean"].notna().all() and frame["low"].isna().all()


def test_diff_needs_a_known_baseline(result):
    with pytest.raises(ValueError, match="unknown scenario 'passive'; did you mean 'both_passive'"):
        result.diff("passive")


def test_main_cause_is_of_the_voluntary_departures(result, runs):
    counts = sum(run.primary[run.ticks > 0, 1, :N_VALUE_CAUSES].sum(axis=0) for run in runs[:3])
    cause, share = result.main_cause("case", "eton")
    assert cause == CAUSE_NAMES[counts.argmax()]
    assert share == pytest.approx(counts.max() / counts.sum())
    early = sum(run.primary[(run.ticks >= 2) & (run.ticks <= 3), 1, :N_VALUE_CAUSES].sum(axis=0) for run in runs[:3])
    assert result.main_cause("case", "eton", ticks=(2, 3))[1] == pytest.approx(early.max() / early.sum())


def test_no_cause_where_nobody_left():
    run = record(two_hotels(), 1)
    run.primary[...] = 0
    cause, share = Result.from_records([two_hotels()], [run]).main_cause(firm="eton")
    assert cause is None and np.isnan(share)


# ---------------------------------------------------------------------- kept


def test_opened_is_equal_to_saved(result, tmp_path):
    folder = result.save(tmp_path / "hotels")
    again = cs.open(folder)
    assert again == result
    assert again.scenarios == result.scenarios
    assert again.seeds == result.seeds and again.units == result.units
    assert again.provenance == result.provenance
    for name in set(storage.TABLES) - set(storage.OPTIONAL):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(result, name))
    pd.testing.assert_frame_equal(again.summary(), result.summary())


def test_departures_are_kept(arms, tmp_path):
    result = Result.from_records(arms, records(arms, SEEDS, departures=True))
    again = cs.open(result.save(tmp_path / "hotels"))
    pd.testing.assert_frame_equal(again.departures, result.departures)
    assert again == result


def test_results_differ_where_a_number_does(arms, runs, result):
    other = records(arms, SEEDS)
    other[0].measures["share"][3, 1] += 1e-15
    assert Result.from_records(arms, other) != result
    assert Result.from_records(arms, records(arms, SEEDS)) == result
    assert result != "a result"


def test_the_same_content_is_the_same_bytes(arms, tmp_path):
    folders = [Result.from_records(arms, records(arms, SEEDS)).save(tmp_path / name) for name in ("a", "b")]
    names = sorted(path.relative_to(folders[0]) for path in folders[0].rglob("*") if path.is_file())
    assert len(names) == 11
    for name in names:
        if name.name != "run.json":
            assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_a_folder_holds_what_others_read(result, tmp_path):
    folder = result.save(tmp_path / "deep" / "hotels")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["causes.parquet", "enablers.parquet", "events.parquet", "flows.parquet", "market.parquet", "run.json",
         "runs.parquet", "scenarios", "summary.csv", "ticks.parquet"]
    )  # fmt: skip
    assert (folder / "summary.csv").read_bytes().startswith(b"\xef\xbb\xbfscenario,tick,")
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert run["seeds"] == list(SEEDS)
    assert [entry["name"] for entry in run["scenarios"]] == ["case", "both_passive"]
    assert run["engine"] == "compiled" and run["churnsim"] == cs.__version__
    assert {"python", "platform", "git", "packages", "created", "units"} <= run.keys()
    assert {"numpy", "numba", "mesa", "pandas"} <= run["packages"].keys()
    assert str(tmp_path) not in json.dumps(run)
    plain = pd.read_parquet(folder / "ticks.parquet")
    assert plain["share"].tolist() == result.ticks["share"].tolist()


def test_an_earlier_result_is_replaced_and_other_files_stay(arms, result, tmp_path):
    folder = result.save(tmp_path / "hotels")
    (folder / "my_notes.txt").write_text("keep")
    other = Result.from_records(arms[:1], records(arms[:1], [1]))
    other.save(folder)
    assert cs.open(folder) == other
    assert (folder / "my_notes.txt").read_text() == "keep"
    assert [path.name for path in tmp_path.iterdir()] == ["hotels"]


def test_what_is_not_a_result_is_never_overwritten(result, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ResultFolderError, match="nothing was overwritten"):
        result.save(tmp_path)
    (tmp_path / "run.json").write_text('{"other": "tool"}')
    with pytest.raises(ResultFolderError, match="not a churnsim result"):
        result.save(tmp_path)
    with pytest.raises(ResultFolderError, match="is a file"):
        result.save(tmp_path / "thesis.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.json", "thesis.txt"]


def test_an_empty_folder_is_used(result, tmp_path):
    (tmp_path / "empty").mkdir()
    assert cs.open(result.save(tmp_path / "empty")) == result


def test_a_failed_save_leaves_the_earlier_result(result, arms, tmp_path, monkeypatch):
    folder = result.save(tmp_path / "hotels")

    def full(frame, file):
        raise OSError("disk full")

    monkeypatch.setattr(storage, "write_table", full)
    with pytest.raises(OSError, match="disk full"):
        Result.from_records(arms[:1], records(arms[:1], [1])).save(folder)
    assert cs.open(folder) == result
    assert [path.name for path in tmp_path.iterdir()] == ["hotels"]


def test_names_that_are_no_file_names(tmp_path):
    case = two_hotels(arms={})
    arms = [case.named(name) for name in ("Eton does both", "Eton/does:both", "伊顿", "南苑", "con ")]
    result = Result.from_records(arms, records(arms, [1]))
    again = cs.open(result.save(tmp_path / "hotels"))
    assert again == result
    assert list(again.scenarios) == [arm.name for arm in arms]
    assert again.scenarios == result.scenarios


def test_opening_says_what_is_wrong(result, tmp_path):
    with pytest.raises(ResultFolderError, match=r"not a churnsim result \(no run.json\)"):
        cs.open(tmp_path)
    folder = result.save(tmp_path / "hotels")
    (folder / "ticks.parquet").unlink()
    with pytest.raises(ResultFolderError, match="not a whole result, ticks missing"):
        cs.open(folder)


def test_an_edited_scenario_is_noticed(result, tmp_path):
    folder = result.save(tmp_path / "hotels")
    file = folder / "scenarios" / "case.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("price: 300", "price: 310", 1), encoding="utf-8")
    with pytest.raises(ResultFolderError, match="changed after the run"):
        cs.open(folder)


def test_tables_can_be_read_without_the_users_strategy(tmp_path):
    from churnsim.strategies import REGISTRY

    class Undercut(cs.Strategy):
        name: Literal["undercut_test"] = "undercut_test"

        def decide(self, view):
            return cs.Action()

    mine = two_hotels(arms={}, claims=[]).set({"firms.eton.strategy": "undercut_test"})
    scenarios = [mine.named("mine"), two_hotels(arms={}, claims=[]).named("theirs")]
    saved = Result.from_records(scenarios, records(scenarios, SEEDS))
    folder = saved.save(tmp_path / "own")
    known = REGISTRY.pop("undercut_test")
    try:
        again = cs.open(folder)
        assert again == saved and again.seeds == list(SEEDS) and again.horizon == 10
        pd.testing.assert_frame_equal(again.summary(), saved.summary())
        pd.testing.assert_frame_equal(again.diff("theirs"), saved.diff("theirs"))
        pd.testing.assert_frame_equal(again.causes, saved.causes)
        assert again.main_cause("mine", "eton") == saved.main_cause("mine", "eton")
        assert repr(again) == "Result(mine, theirs; 6 runs, 10 ticks)"
        assert "undercut_test" in again._repr_html_()
        with pytest.raises(cs.ScenarioError, match=r"strategy 'undercut_test' is not known .* import the module"):
            _ = again.scenarios
    finally:
        REGISTRY["undercut_test"] = known
    try:
        assert again.scenarios == saved.scenarios
    finally:
        del REGISTRY["undercut_test"]


def test_a_name_is_not_a_scenario():
    for given in ("two_hotels", ["two_hotels"]):
        with pytest.raises(TypeError, match=r"load it first: cs.load\('two_hotels'\)"):
            cs.run(given, seeds=[1])


def test_diff_of_one_scenario_says_so(arms):
    with pytest.raises(ValueError, match="holds only 'case'"):
        Result.from_records(arms[:1], records(arms[:1], SEEDS)).diff("case")


def test_a_failed_run_names_itself_and_keeps_its_cause(monkeypatch):
    from churnsim import running

    def fail(*args, **kwargs):
        raise KeyError("price")

    monkeypatch.setattr(running, "simulate", fail)
    with pytest.raises(cs.RunError, match="'two_hotels' with seed 3 failed: KeyError: 'price'") as caught:
        cs.run(cs.load("two_hotels"), seeds=[3], progress=False)
    assert isinstance(caught.value.__cause__, KeyError) and caught.value.cause is caught.value.__cause__


def test_a_later_format_is_refused(result, tmp_path):
    folder = result.save(tmp_path / "hotels")
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps({**run, "format_version": 99}), encoding="utf-8")
    with pytest.raises(ResultFolderError, match="written in format 99"):
        cs.open(folder)


# ---------------------------------------------------------------------- shown


def test_html_warns_about_few_seeds_and_needs_nothing_from_outside(arms, runs):
    html = Result.from_records(arms, runs)._repr_html_()
    assert "3 seeds" in html and 'role="alert"' in html
    assert html.count("<svg") == 2 and html.count("<polyline") == 4
    assert "http" not in html and "<script" not in html and "not saved yet" in html


def test_html_of_many_seeds_has_no_warning(arms):
    html = Result.from_records(arms, records(arms, range(30)))._repr_html_()
    assert 'role="alert"' not in html and "seeds 0-29" in html


def test_html_escapes_names():
    case = two_hotels(arms={}).named("<b>bold</b>")
    assert "<b>bold" not in Result.from_records([case], [record(case, 1)])._repr_html_()


def test_repr(result):
    assert repr(result) == "Result(case, both_passive; 6 runs, 10 months)"

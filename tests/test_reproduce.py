"""Published studies: their tables, figures, and whether they come out again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from churnsim import plots
from churnsim.studies import published
from churnsim.studies.errors import StudyError
from churnsim.studies.figures import Figure
from churnsim.studies.library import study_folder, study_names
from churnsim.studies.problems import StudyDataError
from churnsim.studies.study import Study, load_study
from churnsim.studies.sweeping import sweep

TESTS = {
    "beats Eton | 胜过伊顿": "ours[case] - theirs[case]",
    "beats nothing | 胜过不作为": "ours[case] - ours[passive]",
}

STUDY = """
scenario: two_hotels
set: {customers.count: 60, burn_in: 4, horizon: 8}
arms: {case: {}, passive: {firms.nanyuan.strategy: passive}}
baseline: passive
factors:
  firms.eton.strategy.depth: {levels: [0.1, 0.3]}
  firms.nanyuan.capacity: {levels: [0.1, 0.3], also: firms.eton.capacity}
replications: 3
outcomes: {ours: cumulative_profit.nanyuan, theirs: cumulative_profit.eton}
figures:
  - {kind: response, outcome: ours, x: firms.eton.strategy.depth}
  - {kind: spread, outcome: ours}
  - {kind: sensitivity, outcome: ours}
  - {kind: map, outcome: ours, x: firms.eton.strategy.depth, y: firms.nanyuan.capacity}
  - kind: verdicts
    title: {en: Who wins, zh: 谁胜}
    x: firms.eton.strategy.depth
    y: firms.nanyuan.capacity
    tests:
      beats Eton | 胜过伊顿: ours[case] - theirs[case]
      beats nothing | 胜过不作为: ours[case] - ours[passive]
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduce")
    (folder / "small.yaml").write_text(STUDY, encoding="utf-8")
    with sweep(folder / "small.yaml", out=folder / "store", jobs=0, progress=False) as found:
        yield found


def test_a_factor_takes_others_along(store):
    scenario = store.scenario(0)
    assert scenario.firms["nanyuan"].capacity == scenario.firms["eton"].capacity == 0.1
    assert store.scenario(len(store.plan) - 1).firms["eton"].capacity == 0.3


@pytest.mark.parametrize(
    ("also", "said"),
    [("firms.eton.capacty", "capacity"), ("firms.eton.price", "is a factor itself")],
)
def test_what_is_taken_along_is_checked(also, said):
    study = Study(
        scenario="two_hotels",
        factors={"firms.nanyuan.capacity": {"levels": [0.1], "also": also}, "firms.eton.price": {"levels": [300]}},
        outcomes=["share.eton"],
    )
    with pytest.raises(StudyError, match=said):
        sweep(study, out="never", jobs=0, progress=False)


def test_the_table_is_what_pandas_makes_of_the_runs(store):
    table, runs = published.table_of(store), store.frame()
    assert len(table) == 2 * 4 * 2
    row = table[(table["arm"] == "case") & (table["outcome"] == "ours")].iloc[0]
    point = runs[(runs["row"] == 0)].pivot(index="replication", columns="arm", values="ours")
    assert row["mean"] == pytest.approx(point["case"].mean(), rel=1e-12)
    assert row["difference"] == pytest.approx((point["case"] - point["passive"]).mean(), rel=1e-12)
    assert row["difference_low"] < row["difference"] < row["difference_high"]
    assert table.loc[table["arm"] == "passive", "difference"].isna().all()


def test_agreement_finds_what_differs(store, tmp_path):
    table = published.table_of(store)
    file = tmp_path / "small.csv"
    file.write_text(published.as_csv(table), encoding="utf-8")
    assert published.agreement(table, file).different == 0
    other = table.copy()
    other.loc[3, "mean"] *= 1.01
    found = published.agreement(other, file)
    assert (found.different, round(found.furthest, 3)) == (1, 0.01)
    with pytest.raises(StudyDataError, match=r"small\.csv"):
        published.agreement(table.iloc[1:], file)
    with pytest.raises(StudyDataError, match=r"small\.csv"):
        published.agreement(table.assign(arm="other"), file)


def test_effects_in_another_order_are_compared_one_by_one(tmp_path):
    table = pd.DataFrame(
        {"factor": ["a", "b", "c"], "index": "mu_star", "value": [3.5, 2.0, 1.0], "inert": [False, False, True]}
    )
    file = tmp_path / "effects.csv"
    file.write_text(published.as_csv(table), encoding="utf-8")
    other = table.assign(value=[3.5, 1.0, 1.5]).sort_values("value", ascending=False)
    found = published.agreement(other, file)
    assert (found.different, round(found.furthest, 3)) == (2, 0.5)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_verdicts_say_which_tests_hold(store, lang):
    figure = store.study.figures[-1]
    frame = published.figure_frame(store, figure, lang)
    runs = store.frame().pivot_table(index=["row", "replication"], columns="arm", values=["ours", "theirs"])
    means = runs.groupby(level="row").mean()
    words = [said.split(" | ")[lang == "zh"] for said in TESTS]
    for row, said in enumerate(frame["winner"]):
        beaten = means.loc[row, ("ours", "case")] > means.loc[row, ("theirs", "case")]
        better = means.loc[row, ("ours", "case")] > means.loc[row, ("ours", "passive")]
        assert [word in said for word in words] == [beaten, better]
    assert frame["title"].unique().tolist() == [figure.title[lang]]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("place", [0, 3, 4])
def test_figures_are_drawn(store, place, lang):
    figure = store.study.figures[place]
    frame = published.figure_frame(store, figure, lang)
    ax = (plots.response if figure.kind == "response" else plots.phase_map)(frame, lang=lang)
    assert plots.png(ax.figure).startswith(b"\x89PNG")


def test_one_arm_one_line_and_levels_that_are_words():
    frame = pd.DataFrame(
        {"x": ["basic", "proactive"], "series": "case", "mean": [1.0, 2.0], "low": [0.5, 1.5], "high": [1.5, 2.5],
         "x_name": "level", "series_name": "", "outcome": "profit", "runs": 3}
    )  # fmt: skip
    ax = plots.response(frame)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["basic", "proactive"]
    assert len(ax.get_lines()) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "response", "outcome": "ours"}, "also needs: x"),
        ({"kind": "verdicts", "x": "a", "y": "b", "tests": {"wins": "ours - theirs"}}, "not a contrast"),
    ],
)
def test_a_figure_that_says_too_little_is_refused(given, said):
    with pytest.raises(StudyError, match=said):
        Study(scenario="two_hotels", outcomes=["share.eton"], figures=[given])


def test_the_command_writes_and_compares(cli, tmp_path, monkeypatch):
    (tmp_path / "small.yaml").write_text(STUDY, encoding="utf-8")
    first = cli("reproduce", "small.yaml", "--out", "store", "--jobs", 0, "--publish", "mine", "--json")
    assert first.code == 0, first.err
    assert first.json["same"] is None
    assert sorted(path.suffix for path in (tmp_path / "mine").iterdir()) == [".csv", *[".png"] * 5]
    monkeypatch.setattr(published, "study_folder", lambda: tmp_path)
    (tmp_path / "published").mkdir()
    kept = tmp_path / "published" / "small.csv"
    kept.write_bytes((tmp_path / "mine" / "small.csv").read_bytes())
    again = cli("reproduce", "small.yaml", "--out", "store", "--jobs", 0, "--json")
    assert (again.code, again.json["same"], again.json["different"]) == (0, True, 0)
    table = pd.read_csv(kept)
    table.loc[0, "mean"] += 1
    table.to_csv(kept, index=False)
    other = cli("reproduce", "small.yaml", "--out", "store", "--jobs", 0)
    assert other.code == 1
    assert "1 of " in other.out


SWEPT = [name for name in study_names() if not name.startswith(("tournament", "optimise"))]


def test_there_are_ten_published_studies():
    assert len(study_names()) >= 12
    assert len(SWEPT) >= 10


@pytest.mark.parametrize("name", SWEPT)
def test_published_studies_say_what_they_ask_and_show(name):
    study = load_study(name)
    assert study.question is not None and study.title is not None
    assert study.figures
    for figure in study.figures:
        assert figure.outcome is None or figure.outcome in study.outcomes
        assert {figure.x, figure.y, figure.series} - {None} <= set(study.factors)
    file = published.published_file(name)
    if file is not None:
        table = pd.read_csv(file)
        assert set(table["outcome"]) == set(study.outcomes)


@pytest.mark.parametrize("name", SWEPT)
def test_a_published_point_comes_out_again(name, tmp_path):
    """One point of the published table is run again; the rest is for `churnsim reproduce`."""
    file = published.published_file(name)
    study = load_study(name)
    if file is None or study.design != "grid":
        pytest.skip("nothing is published of single points")
    table = pd.read_csv(file)
    first = {path: factor.levels[:1] for path, factor in study.factors.items()}
    small = study.with_(
        factors={path: study.factors[path].model_copy(update={"levels": first[path]}) for path in first}
    )
    with sweep(small, out=tmp_path / "store", jobs=0, progress=False) as done:
        ours = published.table_of(done)
    for row in ours.itertuples():
        same = (table["arm"] == row.arm) & (table["outcome"] == row.outcome)
        for path in study.factors:
            value = first[path][0]
            known = table[path].isna() if pd.isna(ours.loc[row.Index, path]) else table[path] == value
            same &= known
        assert same.any()
        assert np.allclose(table.loc[same, "mean"].iloc[0], row.mean, rtol=1e-6, equal_nan=True)


def test_figures_need_a_kind():
    with pytest.raises(ValueError, match="kind"):
        Figure(kind="pie")


def test_the_folder_holds_tables_only_of_studies_that_exist():
    folder = study_folder() / "published"
    assert {path.stem for path in folder.glob("*.csv")} <= set(study_names())

"""Studies as files and objects: factors, designs, outcomes, conditions, and what is refused, where."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import churnsim as cs
from churnsim.expressions import ExpressionError
from churnsim.i18n import keys
from churnsim.studies.checks import checked_plan
from churnsim.studies.conditions import read_condition
from churnsim.studies.errors import StudyError
from churnsim.studies.factors import Factor
from churnsim.studies.outcomes import lasting_lead, read_outcome
from churnsim.studies.plan import Plan
from churnsim.studies.study import Study, load_study
from run_records import record, two_hotels

PLAIN = "scenario: two_hotels\noutcomes: [share.eton]\n"


def function_study(**more: object) -> Study:
    """A study of a function, which needs no scenario."""
    about = {"function": "study_functions:sums", "outcomes": ["total", "first"], "factors": {"a": {"levels": [1, 2]}}}
    return Study(**{**about, **more})


# ---------------------------------------------------------------------- factors

U = np.linspace(0, 1, 20_001)[:-1]


@pytest.mark.parametrize(
    ("factor", "distribution"),
    [
        (Factor(uniform=(2, 6)), stats.uniform(2, 4)),
        (Factor(log_uniform=(0.1, 10)), stats.loguniform(0.1, 10)),
        (Factor(normal=(5, 2)), stats.truncnorm(-4, 4, 5, 2)),
        (Factor(normal=(5, 2), low=4, high=9), stats.truncnorm(-0.5, 2, 5, 2)),
        (Factor(triangular=(1, 2, 5)), stats.triang(0.25, 1, 4)),
        (Factor(triangular=(1, 1, 5)), stats.triang(0, 1, 4)),
    ],
    ids=lambda value: getattr(value, "form", ""),
)
def test_from_unit_is_the_inverse_distribution(factor, distribution):
    values = factor.from_unit(U)
    assert np.allclose(values[1:], distribution.ppf(U[1:]), rtol=1e-9, atol=1e-9)
    low, high = factor.bounds
    assert low <= values.min() and values.max() <= high
    assert np.isfinite(factor.from_unit(np.array([0.0, np.nextafter(1, 0)]))).all()


@given(st.floats(0, 1, exclude_max=True))
def test_discrete_factors_take_each_value_equally_often(u):
    assert Factor(integers=(3, 5)).from_unit(np.array([u]))[0] == 3 + int(u * 3)
    assert Factor(levels=["a", {"name": "b", "x": 1}]).from_unit(np.array([u]))[0] == (
        "a" if u < 0.5 else {"name": "b", "x": 1}
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"levels": [1], "uniform": [0, 1]}, {"uniform": [1, 1]}, {"log_uniform": [0, 1]}, {"normal": [0, 0]},
        {"triangular": [0, 2, 1]}, {"integers": [3, 1]}, {"levels": []}, {"uniform": [0, 1], "low": 0},
        {"uniform": [0, float("inf")]}, {"normal": [0, 1], "low": 9}, {"uniform": [0]}, {"unifrom": [0, 1]},
    ],
)  # fmt: skip
def test_senseless_factors_are_refused(wrong):
    with pytest.raises(StudyError) as error:
        function_study(factors={"a": wrong}, design="lhs", samples=3)
    assert error.value.errors[0].keys[:2] == ("factors", "a")


# ---------------------------------------------------------------------- conditions and outcomes


def test_conditions():
    columns = {"a.b": np.array([1, 2, 3]), "s": np.array(["x", {"name": "y", "depth": 1}, "z"], dtype=object)}
    assert read_condition("a.b * 2 > 3").holds(columns, 3).tolist() == [False, True, True]
    assert read_condition("s == 'y' or a.b < 2").holds(columns, 3).tolist() == [True, True, False]
    assert read_condition("not 1 < a.b <= 2").holds(columns, 3).tolist() == [True, False, True]
    assert read_condition("s > 3").holds(columns, 3).tolist() == [False, False, False]
    assert read_condition("a.b > 0 and s != 'z'").names == {"a.b", "s"}


@pytest.mark.parametrize("wrong", ["a", "a +", "f(a) > 1", "__import__('os')", "a[0] > 1", "(a > 1) + 1 > 0",
                                   "a > 1 or a",
                                   "a is 1", "lambda: 1", "a > " + "(" * 400 + "1" + ")" * 400])  # fmt: skip
def test_what_is_no_condition(wrong):
    with pytest.raises(ExpressionError):
        read_condition(wrong)


def test_outcomes_are_read_off_a_record():
    run = record(two_hotels(), seed=3)
    share, row = run.measures["share"], {tick: place for place, tick in enumerate(run.ticks)}

    def value(text):
        return read_outcome(text, 10).of(run)

    assert value("share.eton") == share[row[10], 1]
    assert value("share.eton@4-6") == pytest.approx(share[row[4] : row[6] + 1, 1].mean())
    assert value("max(share.eton@1-10) - share.nanyuan") == share[row[1] :, 1].max() - share[row[10], 0]
    assert value("loss.price.eton@2") == run.primary[row[2], 1, 0] or value("loss.price.eton@2") >= 0
    assert value("outside_share.market@-2-0") == pytest.approx(run.market["outside_share"][:3].mean())
    assert value("long_run(share.eton)").tolist() == share[row[1] :, 1].tolist()
    assert value("crossover(share.eton, share.nanyuan)") == lasting_lead(share[row[1] :, 1], share[row[1] :, 0])


def test_lasting_lead():
    def lead(first):
        return lasting_lead(np.array(first, float), np.zeros(len(first)))

    assert lead([1, 1, 1]) == 1
    assert lead([-1, 1, 1]) == 2
    assert lead([1, -1, 1]) == 3
    assert lead([1, 1, 0]) == 4  # never for good within three ticks
    assert lead([1, np.nan, 1]) == 3


@pytest.mark.parametrize("wrong", ["share.eton > 1", "3", "long_run(share.eton@3)", "crossover(share.eton)", "share",
                                   "share.eton[both_passive]", "long_run(max(share.eton@1-3))"])  # fmt: skip
def test_what_is_no_outcome(wrong):
    with pytest.raises(ExpressionError):
        read_outcome(wrong, 10)


# ---------------------------------------------------------------------- files


def problems(write, text):
    """Everything wrong with a study file, as (line, column, message)."""
    with pytest.raises(StudyError) as error:
        load_study(write(text))
    assert error.value.render("zh") != error.value.render("en")
    return [(problem.line, problem.column, problem.message) for problem in error.value.errors]


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        (PLAIN + "factors:\n  firms.eton.prise: {levels: [1]}\n", 4, 3, "unknown setting 'prise'"),
        (PLAIN + "factors:\n  firms.eton.strategy.depth: {levels: [0.1, 25]}\n", 4, 45, "between 0 and 1"),
        (PLAIN + "factors:\n  horizon: {levels: [10, 20]}\n", 4, 3, "windows"),
        (PLAIN + "factors:\n  firms.eton.price: {uniform: [1, 2]}\n", 4, 21, "needs levels"),
        (PLAIN + "factor: {}\n", 3, 1, "unknown setting 'factor'"),
        (PLAIN + "design: sobl\n", 3, 9, "unknown value 'sobl'"),
        (PLAIN + "design: sobol\n", 3, 9, "needs samples"),
        (PLAIN + "samples: 3\n", 3, 10, "takes no samples"),
        (PLAIN + "set: {customers.cuont: 3}\n", 3, 7, "unknown setting 'cuont'"),
        (PLAIN + "arms: [case, both_pasive]\n", 3, 14, "no arm 'both_pasive'"),
        (PLAIN + "arms: {a: {firms.eton.price: free}}\n", 3, 30, "must be a number"),
        (PLAIN + "baseline: nobody\n", 3, 11, "no arm 'nobody'"),
        (PLAIN + "replications: 0\n", 3, 15, "at least 1|between 1"),
        (PLAIN + "replications: {min: 2, max: 9}\n", 3, 15, "half_width"),
        (PLAIN + "constraints: ['firms.eton.prize > 3']\n", 3, 15, "neither a factor"),
        (PLAIN + "design: {file: nowhere.csv}\n", 3, 16, "No such file"),
        ("scenario: two_hotel\noutcomes: [share.eton]\n", 1, 11, "no built-in scenario"),
        ("scenario: two_hotels\noutcomes: [share.eton, shar.eton]\n", 2, 24, "unknown measure 'shar'"),
        ("scenario: two_hotels\noutcomes: [share.etno]\n", 2, 12, "no firm 'etno'"),
        ("scenario: two_hotels\noutcomes: [share.eton@97]\n", 2, 12, "outside the run"),
        ("scenario: two_hotels\noutcomes: []\n", 2, 11, "at least one outcome"),
        ("outcomes: [share.eton]\n", 1, 1, "either a scenario or a function"),
        ("function: nowhere:f\noutcomes: [y]\n", 1, 11, "cannot find the function"),
    ],
)  # fmt: skip
def test_problems_have_their_place(write, text, line, column, says):
    import re

    found = problems(write, text)
    assert any((line, column) == (at, col) and re.search(says, message) for at, col, message in found), found


def test_a_point_that_is_no_scenario_is_found_before_anything_runs(write):
    text = PLAIN + (
        "factors:\n  firms.eton.strategy.restore: {levels: [10, 19]}\n  firms.eton.strategy.start: {levels: [1, 20]}\n"
    )
    found = problems(write, text)
    assert "restore (10) must come after start (20)" in found[0][2]
    allowed = load_study(write(text + "constraints: firms.eton.strategy.restore > firms.eton.strategy.start\n"))
    assert len(checked_plan(allowed).points) == 2


def test_a_path_that_one_arm_lacks(write):
    text = PLAIN + "arms: [case, nanyuan_passive]\nfactors:\n  firms.nanyuan.strategy.training: {levels: [1, 2]WHEN}\n"
    assert "arm nanyuan_passive" in problems(write, text.replace("WHEN", ""))[0][2]
    study = load_study(write(text.replace("WHEN", ", when: arm == 'case'")))
    points = checked_plan(study).points
    assert points.changes(0, "case") == {"firms.nanyuan.strategy.training": 1}
    assert points.changes(0, "nanyuan_passive") == {}


def test_a_design_file(write, tmp_path):
    (tmp_path / "d.csv").write_text("firms.eton.price,firms.eton.strategy\n220,passive\n240,harvest\n")
    study = load_study(write(PLAIN + "design: {file: d.csv}\nfactors:\n  firms.eton.price: {kind: lever}\n"))
    assert study.points.changes(1, "case") == {"firms.eton.price": 240, "firms.eton.strategy": "harvest"}
    assert study.factors["firms.eton.price"].kind == "lever"
    (tmp_path / "d.csv").write_text("firms.eton.price,firms.eton.strategy\n220\n")
    assert "row 2 has 1 cell;" in problems(write, PLAIN + "design: {file: d.csv}\n")[0][2]


def test_scenarios_and_arms_by_several_ways():
    def arms(**about):
        return tuple(Study(outcomes=["share.eton"], **about).bases)

    assert arms(scenario="two_hotels") == ("case",)
    assert arms(scenario="two_hotels/both_passive") == ("both_passive",)
    assert arms(scenario=["two_hotels/case", "two_hotels/both_passive"]) == ("case", "both_passive")
    assert arms(scenario="two_hotels", arms={"case": None, "dear": {"firms.eton.price": 350}}) == ("case", "dear")
    study = Study(
        scenario=cs.load("two_hotels"), arms=["both_passive"], set={"customers.count": 50}, outcomes=["share.eton"]
    )
    base = study.bases["both_passive"]
    assert (
        base.customers.count == 50
        and base.key == cs.load("two_hotels").set({"customers.count": 50}).arm("both_passive").key
    )


# ---------------------------------------------------------------------- points and plans


def test_the_grid_and_its_order():
    study = function_study(factors={"a": {"levels": [1, 2]}, "b": {"integers": [5, 7]}}, constraints="a + b != 7")
    points = study.points
    assert [tuple(points.changes(row, "case").values()) for row in range(len(points))] == [
        (1, 5),
        (1, 7),
        (2, 6),
        (2, 7),
    ]
    assert points.block.tolist() == [0, 1, 2, 3]
    with pytest.raises(StudyError):
        _ = function_study(constraints="a > 2").points


def test_designs_with_samples_keep_blocks_and_columns():
    factors = {"a": {"uniform": [0, 1], "group": "g"}, "b": {"uniform": [0, 1], "group": "g"}, "c": {"uniform": [0, 1]}}
    study = function_study(factors=factors, design="sobol", samples=4)
    assert study.groups == ("g", "g", "c") and study.shares_luck == "block"
    points = study.points
    assert len(points) == 4 * (2 + 2) and points.column[:4].tolist() == [0, 1, 2, 3]
    plan = Plan(study.with_(replications=2))
    seeds = plan.seeds(np.arange(len(plan))).reshape(2, 4, 4)
    assert (seeds == seeds[:, :, :1]).all(), "one seed in a block"
    assert len(np.unique(seeds[:, :, 0])) == 8, "and another one in every block and replication"
    common = Plan(study.with_(replications=2, seeds="common"))
    assert np.unique(common.seeds(np.arange(len(common)))).tolist() == [1, 2]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 7), st.integers(1, 5), st.data())
def test_numbers_and_places_are_inverse(levels, replications, data):
    plan = Plan(function_study(factors={"a": {"integers": [1, levels + 1]}}, replications=replications))
    numbers = np.arange(len(plan))
    assert np.array_equal(plan.number(*plan.place(numbers)), numbers)
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=len(plan), max_size=len(plan))))
    done = sorted(number for cell in plan.work(wanted) for number, _ in cell.runs)
    assert done == np.flatnonzero(wanted).tolist(), "every wanted run is in exactly one cell"
    more = Plan(function_study(factors={"a": {"integers": [1, levels + 1]}}, replications=replications + 3))
    assert np.array_equal(more.seeds(numbers), plan.seeds(numbers)), "more replications change no seed"


def test_a_million_runs_are_planned_in_little_memory():
    import tracemalloc

    factors = {name: {"integers": [0, 9]} for name in "abcde"} | {name: {"levels": [0.5]} for name in "fghijkl"}
    study = function_study(factors=factors)
    tracemalloc.start()
    plan = Plan(study.with_(replications=10))
    wanted = np.ones(len(plan), bool)
    first = next(iter(plan.work(wanted)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(plan) == 1_000_000 and len(first.runs) == 10
    assert peak < 100e6


# ---------------------------------------------------------------------- identity


def test_what_changes_the_identity_of_a_study():
    study = Study(scenario="two_hotels", factors={"firms.eton.price": {"levels": [220, 240]}}, outcomes=["share.eton"])
    assert study.with_(replications=9, name="other", question="?").key == study.key
    assert study.with_(scenario=cs.load("two_hotels")).key == study.key
    for change in (
        {"outcomes": ["share.nanyuan"]}, {"factors": {"firms.eton.price": {"levels": [220, 241]}}}, {"first_seed": 0},
        {"set": {"customers.count": 50}}, {"arms": ["both_passive"]}, {"seeds": "block"},
    ):  # fmt: skip
        assert study.with_(**change).key != study.key, change


def test_texts_are_there_in_both_languages():
    assert {key for key in keys("en") if key.startswith("study.")} == {
        key for key in keys("zh") if key.startswith("study.")
    }
    assert json.dumps(sorted(key for key in keys("en") if key.startswith("study.store.")))

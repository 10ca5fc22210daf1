"""Comparisons, rankings, stopping rules and steady states: error rates measured, not believed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from churnsim.studies.intervals import interval, is_proportion, skewed, skewness, student, wilson
from churnsim.studies.problems import StudyDataError
from churnsim.studies.ranking import against, holm, rank
from churnsim.studies.robustness import robustness
from churnsim.studies.statistics import paired
from churnsim.studies.stopping import PILOT, PILOT_SKEWED, StoppingRule, stein
from churnsim.studies.warmup import mser5, steady_state

OUTCOMES = {
    "normal": (lambda g, n: g.normal(size=n), 0.0, 1.0, "mean"),
    "lognormal": (lambda g, n: g.lognormal(size=n), np.exp(0.5), np.sqrt((np.e - 1) * np.e), "mean"),
    "one in ten": (lambda g, n: (g.random(n) < 0.1) * 1.0, 0.1, 0.3, "proportion"),
}


# ---------------------------------------------------------------- intervals


def test_wilson_gives_the_published_numbers():
    """Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for (successes, n), (low, high) in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_student_gives_the_textbook_number():
    found = student(np.array([1.0, 2.0, 3.0, 4.0]))
    assert (found.low, found.high) == pytest.approx((2.5 - 2.0542, 2.5 + 2.0542), abs=1e-3)
    assert np.isnan(student(np.array([1.0])).low)


def test_an_interval_suits_its_values():
    generator = np.random.default_rng(0)
    assert interval(generator.normal(size=40)).method == "t"
    assert interval(generator.lognormal(size=40)).method == "skew"
    assert interval(np.zeros(40), kind="proportion").high > 0.05
    assert interval(np.array([])).runs == 0
    assert is_proportion(np.array([0.0, 1.0, np.nan])) and not is_proportion(np.array([0.0, 0.5]))
    assert skewness(np.full(10, 2.0)) == 0.0
    assert skewed(np.full(5, 2.0)).half_width == 0


def test_the_skewed_interval_covers_more_than_students():
    """1 000 samples of 30 lognormal values (standard error .7 points at 95 %)."""
    generator = np.random.default_rng(1)
    mean = np.exp(0.5)
    covered = np.zeros(2)
    for _ in range(1000):
        values = generator.lognormal(size=30)
        covered += [found.low <= mean <= found.high for found in (student(values), skewed(values))]
    assert covered[1] / 1000 >= 0.90 > covered[0] / 1000 + 0.01


# ---------------------------------------------------------------- pairs


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_a_scenario_does_not_differ_from_itself(shared):
    """Fault 19: A against A, with and without common random numbers, 1 000 times; "different" in at most 5 %."""
    generator = np.random.default_rng(2)
    wrong = 0
    for _ in range(1000):
        luck = generator.normal(size=20)
        a, b = (shared * luck + np.sqrt(1 - shared**2) * generator.normal(size=20) for _ in range(2))
        found = paired(a, b)
        wrong += not found.low <= 0 <= found.high
    assert wrong / 1000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_a_pair_says_what_there_is_to_say():
    generator = np.random.default_rng(3)
    luck = generator.normal(size=50)
    base = luck + 0.2 * generator.normal(size=50)
    found = paired(base + 0.5, base, indifference=0.1)
    assert found.method == "same" and found.low == found.high == pytest.approx(0.5)
    assert (found.better, found.worse, found.pairs, found.within, found.ahead) == (50, 0, 50, 0.0, 1.0)
    better = paired(luck + 0.3 + 0.2 * generator.normal(size=50), base, indifference=0.1)
    assert better.low < 0.3 < better.high and better.p_value < 0.001
    assert better.gain == pytest.approx(1.04 / 0.04, rel=0.5)
    assert better.ahead > 0.99 > 0.01 > better.within
    less = paired(luck + 0.3 + 0.2 * generator.normal(size=50), base, more_is_better=False)
    assert less.better < less.worse and less.ahead is None
    harmful = paired(luck, -luck + 0.2 * generator.normal(size=50))
    assert harmful.gain < 1
    holes = paired(np.array([1.0, np.nan, 2.0]), np.array([0.0, 1.0, np.nan]))
    assert holes.pairs == 1 and np.isnan(holes.low)
    assert paired(np.array([]), np.array([])).pairs == 0
    with pytest.raises(ValueError, match="as many"):
        paired(base, base[:-1])


def test_differences_of_proportions_have_a_width_even_where_all_agree():
    same = np.zeros(30)
    found = paired(same, same)
    assert found.method == "newcombe" and found.low < 0 < found.high and found.p_value == 1.0
    # Newcombe (1998), example: 12, 9, 2, 21 of 44 pairs; method 10 gives .0562 to .3290 (recalled to two digits).
    both, first, second, none = 12, 9, 2, 21
    a = np.repeat([1.0, 1.0, 0.0, 0.0], [both, first, second, none])
    b = np.repeat([1.0, 0.0, 1.0, 0.0], [both, first, second, none])
    found = paired(a, b)
    assert found.mean == pytest.approx(7 / 44)
    assert (found.low, found.high) == pytest.approx((0.02, 0.29), abs=0.04)


# ---------------------------------------------------------------- many arms


def arms_of(generator, means, n=30):
    return generator.normal(size=(n, 1)) + 0.7 * generator.normal(size=(n, len(means))) + means


@pytest.mark.parametrize("means", [(0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0.3), (0.5, 0.4, 0.3, 0, 0, 0)])
def test_the_subset_contains_the_best_and_gaps_cover(means):
    """100 studies of six arms; the promise is 95 % (standard error 2.2 points)."""
    generator, names = np.random.default_rng(4), list("abcdef")
    held, covered = 0, 0
    for _ in range(100):
        found = rank(arms_of(generator, np.array(means)), names)
        place = found.arms.index(names[int(np.argmax(means))])
        held += found.candidates[place]
        truth = np.array([means[names.index(arm)] for arm in found.arms])
        gaps = np.array([truth[i] - np.delete(truth, i).max() for i in range(6)])
        covered += bool(((found.gap_low <= gaps + 1e-12) & (gaps <= found.gap_high + 1e-12)).all())
    assert held / 100 >= 0.95 - 3 * 0.022
    assert covered / 100 >= 0.95 - 3 * 0.022


def test_ranking_finds_a_clear_winner_and_forgives_missing_runs():
    values = arms_of(np.random.default_rng(5), np.array([0.0, 3.0, 0.0]))
    values[3, 0] = np.nan
    found = rank(values, ["a", "b", "c"])
    assert found.arms[0] == "b" and found.candidates.tolist() == [True, False, False]
    assert found.best[0] == 1.0 and found.replications == 29
    assert found.gap_low[0] >= 0 and found.gap_high[1] == 0
    assert rank(values, ["a", "b", "c"], more_is_better=False).arms[-1] == "b"
    twin = rank(np.repeat(values[:, :1], 2, axis=1), ["a", "again"])
    assert twin.candidates.all() and twin.best.tolist() == [0.5, 0.5]
    with pytest.raises(StudyDataError, match="takes two"):
        rank(values[:, :1], ["a"])
    with pytest.raises(StudyDataError, match="too few"):
        rank(values[:1], ["a", "b", "c"])


def test_holm_pays_for_many_looks():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, np.nan, 0.03])), [0.03, 0.06, np.nan, 0.06])
    generator = np.random.default_rng(6)
    wrong = 0
    for _ in range(400):
        found = against(arms_of(generator, np.zeros(6)), list("abcdef"), "a")
        wrong += any(p < 0.05 for _, p in found.values())
    assert wrong / 400 <= 0.05 + 3 * 0.011


def test_robustness_of_a_table_worked_out_by_hand():
    table = np.array([[10.0, 6.0], [2.0, 5.0], [3.0, 4.0]])
    frame = robustness(table, ["bold", "steady"], threshold=4).set_index("arm")
    assert frame.loc["bold"].to_dict() == pytest.approx(
        {"worst": 2, "best_world": 10, "laplace": 5, "hurwicz": 6, "regret_max": 3, "regret_90": 2.6,
         "wins": 1 / 3, "mastered": 1 / 3}
    )  # fmt: skip
    assert frame.loc["steady", "regret_max"] == 4 and frame.loc["steady", "mastered"] == 1
    less = robustness(table, ["bold", "steady"], more_is_better=False, threshold=4).set_index("arm")
    assert less.loc["bold", "worst"] == 10 and less.loc["bold", "wins"] == pytest.approx(2 / 3)
    holes = robustness(np.stack([table, table * np.nan]), ["bold", "steady"])
    assert holes["laplace"].tolist() == [5, 5]


# ---------------------------------------------------------------- how many runs


def studies(name, repeats, batch):
    """Coverage and mean runs of studies that stop by the rule at a half-width of .2 standard deviations."""
    draw, mean, spread, kind = OUTCOMES[name]
    rule, generator = StoppingRule(0.2 * spread, kind=kind), np.random.default_rng(7)
    covered, runs = 0, []
    for _ in range(repeats):
        values, n = draw(generator, 1000), PILOT
        while not (found := rule.decide(values[:n])).stop:
            n += batch
        assert found.reached
        covered += found.interval.low <= mean <= found.interval.high
        runs.append(n)
    return covered / repeats, np.mean(runs)


@pytest.mark.parametrize(("name", "least"), [("normal", 0.93), ("lognormal", 0.90), ("one in ten", 0.90)])
def test_the_stopping_rule_covers_what_it_promises(name, least):
    """Fault 20, the fast version: 120 studies, judged with three standard errors."""
    covered, runs = studies(name, 120, 10)
    assert covered >= least - 3 * np.sqrt(least * (1 - least) / 120)
    assert 80 < runs < 170


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("normal", 0.93), ("lognormal", 0.90), ("one in ten", 0.90)])
def test_the_stopping_rule_covers_in_800_studies(name, least):
    assert studies(name, 800, 1)[0] >= least


def test_the_rule_decides_by_values_not_by_batches():
    values = np.random.default_rng(8).normal(size=400)
    rule = StoppingRule(0.2, most=150)
    first = next(n for n in range(2, 400) if rule.decide(values[:n]).stop)
    assert first >= PILOT + rule.look_ahead
    before = rule.decide(values[: first - 1])
    assert not before.stop and before.needed >= first
    never = StoppingRule(0.01, most=150).decide(values[:150])
    assert never.stop and not never.reached
    skewed_values = np.random.default_rng(8).lognormal(size=400)
    assert next(n for n in range(2, 400) if StoppingRule(9.0).decide(skewed_values[:n]).stop) >= PILOT_SKEWED
    relative = StoppingRule(0.1, relative=True)
    assert relative.decide(100 + values[:60]).reached
    holes = np.where(np.arange(400) % 2, values, np.nan)
    assert rule.decide(holes).runs == 150 or rule.decide(holes).runs == 200


def test_two_stages_cover():
    """Stein's rule is exact for normal outcomes: 400 studies (standard error 1.1 points)."""
    generator, covered = np.random.default_rng(9), 0
    for _ in range(400):
        values = generator.normal(size=2000)
        found = student(values[: stein(values[:30], 0.2)])
        covered += found.low <= 0 <= found.high
    assert covered / 400 >= 0.95 - 3 * 0.011
    pilot = generator.normal(size=30)
    with pytest.raises(ValueError, match="two"):
        stein(pilot[:1], 0.2)
    with pytest.raises(ValueError, match="above 0"):
        stein(pilot, 0.0)


# ---------------------------------------------------------------- steady state


def transients(generator, tau, runs=20, ticks=1000):
    """AR(0.9) series with an exponential transient of 3 standard deviations."""
    from scipy.signal import lfilter

    series = lfilter([1], [1, -0.9], generator.normal(size=(runs, ticks + 100)), axis=1)[:, 100:] * np.sqrt(1 - 0.81)
    return series - (3 * np.exp(-np.arange(ticks) / tau) if tau else 0)


@pytest.mark.parametrize(("tau", "low", "high"), [(0, 0.0, 0.07), (20, 0.0, 0.12), (400, 0.95, 1.0)])
def test_steady_states_are_told_from_transients(tau, low, high):
    """Fault 21: 100 studies; three standard errors of the false alarms are allowed for."""
    generator = np.random.default_rng(10)
    found = [steady_state(transients(generator, tau)) for _ in range(100)]
    unsteady = np.mean([not state.steady for state in found])
    slack = 3 * np.sqrt(0.07 * 0.93 / 100)
    assert low - 1e-9 <= unsteady <= high + slack
    if tau == 20:
        assert 20 <= np.mean([state.cut for state in found]) <= 120


def test_warm_up_is_cut_where_it_ends():
    series = np.concatenate([np.linspace(5, 0, 50), np.zeros(250)]) + 0.01 * np.random.default_rng(11).normal(size=300)
    assert 40 <= mser5(series) <= 60
    runs = series + 0.05 * np.random.default_rng(12).normal(size=(8, 300))
    found = steady_state(runs)
    assert found.steady and found.reason == "steady"
    assert steady_state(runs[:, :20]).reason == "short"
    assert steady_state(runs[:3]).reason == "few_runs"
    assert steady_state(runs + np.linspace(0, 5, 300)).reason in ("drift", "late")
    assert steady_state(np.ones((6, 60))).steady


# ---------------------------------------------------------------- the command


@pytest.fixture
def arms(tmp_path):
    """A study of four levels, two of which differ by nothing but luck that they share."""
    study = {
        "function": "churnsim.studies.known_answers:linear", "factors": {"x1": {"levels": [0, 0.05, 2]}},
        "set": {"noise": 1.0, "x0": 0}, "replications": 30, "outcomes": ["noisy"],
    }  # fmt: skip
    (tmp_path / "study.yaml").write_text(json.dumps(study), encoding="utf-8")
    return "study.yaml"


def test_compare_tells_arms_apart_and_says_how_sure(cli, arms, tmp_path):
    said = cli("compare", arms, "--json", "--jobs", 0, "--indifference", 0.1).json
    table = said["alternatives"]
    assert list(table) == ["0", "0.05", "2"] and said["baseline"] == "0"
    assert said["needed"] == 30  # the levels differ by constants: nothing more to learn
    assert table["2"]["rank"] == 1 and table["2"]["may_be_best"] and not table["0"]["may_be_best"]
    assert table["2"]["difference"]["mean"] == pytest.approx(2)
    assert table["0.05"]["difference"]["within_indifference"] == 1.0
    assert table["0.05"]["difference"]["better_in"] == 30
    for lang in ("en", "zh"):
        told = cli("compare", arms, "--lang", lang, "--plot", "figures")
        assert told.code == 0 and "2" in told.out
    assert (tmp_path / "figures" / "spread-noisy.png").stat().st_size > 5000
    less = cli("compare", arms, "--json", "--better", "less", "--baseline", "2").json
    assert less["alternatives"]["0"]["rank"] == 1 and less["direction"] == "less"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--outcome", "y"], "unknown outcome"),
        (["--by", "x2"], "nothing to compare by 'x2'"),
        (["--baseline", "7"], "unknown baseline"),
        (["--better", "most"], "more or less"),
        (["--indifference", "0"], "above 0"),
    ],
)
def test_comparisons_that_cannot_be_made_say_why(cli, arms, words, said):
    answer = cli("compare", arms, "--jobs", 0, *words)
    assert answer.code == 2 and said in answer.err

"""Sensitivity under noise: estimators against known answers and SALib, and the whole chain from the study file."""

from __future__ import annotations

import json

import numpy as np
import pytest
from SALib.analyze import morris as salib_morris
from SALib.analyze import pawn as salib_pawn
from SALib.analyze import sobol as salib_sobol

from churnsim.studies import salib
from churnsim.studies.designs import unit_design
from churnsim.studies.effects import swings
from churnsim.studies.given import fast_indices, noise_share, sample_indices
from churnsim.studies.indices import Sensitivity
from churnsim.studies.known_answers import (
    SOBOL_G,
    interactions_indices,
    ishigami,
    ishigami_indices,
    linear_indices,
    luck,
    sobol_g,
    sobol_g_indices,
)
from churnsim.studies.morris import morris_effects
from churnsim.studies.problems import StudyDataError
from churnsim.studies.products import cross
from churnsim.studies.sensitivity import Analysis
from churnsim.studies.sobol import SEED_SPECIFIC, convergence, sobol_indices
from churnsim.studies.store import Store
from churnsim.studies.study import Study
from churnsim.studies.sweeping import sweep

ISHIGAMI, NAMES = ishigami_indices(), ("x1", "x2", "x3", "idle", "still")
TRUE_S1, TRUE_ST = np.append(ISHIGAMI["S1"], [0, 0]), np.append(ISHIGAMI["ST"], [0, 0])


def surface(points):
    """Ishigami's function of the first three columns of unit points."""
    x = -np.pi + 2 * np.pi * points
    return np.sin(x[..., 0]) + 7 * np.sin(x[..., 1]) ** 2 + 0.1 * x[..., 2] ** 4 * np.sin(x[..., 0])


def noisy(n, seed, *, replications=2, shared, sd=1.0, second_order=False):
    """Outcomes (m, n, C) with as much luck as signal; luck is shared within a block, or every run's own."""
    design = unit_design("sobol", 5, n, seed, second_order=second_order)
    y = surface(design.points).reshape(n, -1)
    generator = np.random.default_rng([seed, 7])
    size = (replications, n, 1 if shared else y.shape[1])
    return y + sd * np.sqrt(float(ISHIGAMI["variance"])) * generator.normal(size=size)


# ---------------------------------------------------------------- known answers


def test_the_known_answers_are_what_their_functions_do():
    assert ishigami({"x1": np.pi / 2, "x2": np.pi / 2, "x3": 0.0}, 1)["y"] == pytest.approx(8.0)
    middle = {f"x{i + 1}": 0.5 for i in range(8)}
    assert sobol_g(middle, 1)["y"] == pytest.approx(np.prod([a / (1 + a) for a in SOBOL_G]))
    grid = np.random.default_rng(0).random((200_000, 8))
    value = np.prod((np.abs(4 * grid - 2) + SOBOL_G) / (1 + np.array(SOBOL_G)), axis=1)
    assert value.var() == pytest.approx(float(sobol_g_indices()["variance"]), rel=0.02)
    assert surface(grid).var() == pytest.approx(float(ISHIGAMI["variance"]), rel=0.02)
    assert linear_indices({"x1": 1.0, "x2": 1.0}) == {"x1": 0.2, "x2": 0.8}
    drawn = np.array([luck(seed) for seed in range(20_000)])
    assert abs(drawn.mean()) < 4 / np.sqrt(20_000) and abs(drawn.std() - 1) < 4 / np.sqrt(40_000)


# ---------------------------------------------------------------- Sobol


@pytest.mark.parametrize("second_order", [False, True])
@pytest.mark.parametrize("replications", [1, 2, 5])
def test_without_noise_indices_are_salibs(replications, second_order):
    design = unit_design("sobol", 4, 256, 3, second_order=second_order)
    y = surface(design.points).reshape(256, -1)
    ours = sobol_indices(np.repeat(y[np.newaxis], replications, 0), list("abcd"), second_order=second_order)
    order = [*range(5), *range(6, 10), 5] if second_order else range(6)
    theirs = salib.analyse(
        salib_sobol.analyze, salib.problem_of(list("abcd")), y[:, order].ravel(), seed=1, calc_second_order=second_order
    )
    np.testing.assert_allclose(ours.first["value"], theirs["S1"], atol=1e-12)
    np.testing.assert_allclose(ours.total["value"], theirs["ST"], atol=1e-12)
    if second_order:
        np.testing.assert_allclose(ours.second["value"], theirs["S2"], atol=1e-12)
        assert ours.second["low"][0, 2] > 0  # x1 and x3 interact, nothing else does
        assert ours.second["low"][0, 1] < 0 < ours.second["high"][0, 1]
    # Intervals that take points for random are of the same size; ours know how even they are.
    random = sobol_indices(
        np.repeat(y[np.newaxis], replications, 0), list("abcd"), second_order=second_order, sequences=None
    )
    half, known = ((one.total["high"] - one.total["low"])[:3] / 2 for one in (random, ours))
    np.testing.assert_allclose(half, theirs["ST_conf"][:3], rtol=0.3)
    assert (known < half).all()


def test_an_inert_factor_is_exactly_zero_where_luck_is_shared():
    found = sobol_indices(noisy(64, 1, shared=True), NAMES)
    assert (found.total["value"][3:] == 0).all() and (found.total["high"][3:] == 0).all()
    assert found.inert.tolist() == [False, False, False, True, True]


def coverage(repeats, n, *, shared):
    """How often intervals of S1, ST (by factor) and the share of luck cover, who is told from zero, and estimates."""
    s1, st, share, told, estimates = [], [], [], [], []
    for seed in range(repeats):
        found = sobol_indices(noisy(n, seed, shared=shared), NAMES, resamples=1)
        s1.append((found.first["low"] <= TRUE_S1) & (found.first["high"] >= TRUE_S1))
        st.append((found.total["low"] <= TRUE_ST) & (found.total["high"] >= TRUE_ST))
        share.append(found.noise[1] <= 0.5 <= found.noise[2])
        told.append(found.told)
        estimates.append([*found.total["value"], found.noise[0]])
    return *(np.mean(part, axis=0) for part in (s1, st, share, told)), np.array(estimates)


@pytest.mark.parametrize("shared", [False, True])
def test_intervals_cover_and_inert_factors_stay_silent(shared):
    """Fault 18, the fast version: 40 studies, pooled over factors; the slow one holds every factor to 92-98 %."""
    s1, st, share, told, estimates = coverage(40, 64, shared=shared)
    assert s1[:3].mean() > 0.88 and st[:3].mean() > 0.88 and share > 0.75
    assert told[3:].mean() <= (0 if shared else 0.12) and (told[:3] > (0.95 if shared else 0.3)).all()
    error = estimates.std(axis=0, ddof=1) / np.sqrt(len(estimates))
    assert (np.abs(estimates.mean(axis=0) - [*TRUE_ST, 0.5]) <= 4 * error + 1e-12).all()


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("samples", [64, 256])
def test_intervals_cover_and_inert_factors_stay_silent_in_400_studies(samples, shared):
    """Fault 18, cell by cell: 92-98 %, give or take 2.6 standard errors of 400 studies."""
    studies = 400
    s1, st, share, told, estimates = coverage(studies, samples, shared=shared)
    cells = np.concatenate([s1[:3], st[:3], [share]] if shared else [s1, st, [share]])
    least, most = (edge + sign * 2.6 * np.sqrt(edge * (1 - edge) / studies) for edge, sign in ((0.92, -1), (0.98, 1)))
    assert ((least <= cells) & (cells <= most)).all(), cells
    # Where luck is shared, a factor that does nothing is exactly zero.
    assert told[3:].mean() <= (0 if shared else 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / (2 * studies)))
    error = estimates.std(axis=0, ddof=1) / np.sqrt(studies)
    assert (np.abs(estimates.mean(axis=0) - [*TRUE_ST, 0.5]) <= (3.5 if samples > 64 else 6) * error + 1e-12).all()


def test_where_luck_drowns_the_factors_the_answer_says_so():
    found = sobol_indices(noisy(64, 3, shared=False, sd=3.0), NAMES)
    assert found.enough > 64
    assert (found.total["low"] <= TRUE_ST).all() and (found.total["high"] >= TRUE_ST).all()
    notes = dict(Sensitivity("sobol", "y", "base", found, 0, 0.95).notes())
    assert notes["drowned"] == {"blocks": 64, "enough": found.enough}
    # What it asks for does.
    assert sobol_indices(noisy(found.enough, 4, shared=False, sd=3.0), NAMES).enough is None
    assert sobol_indices(noisy(256, 1, shared=False), NAMES).enough is None


def test_luck_that_all_points_share_widens_intervals_or_is_said_to_be_left_out():
    y = noisy(128, 1, shared=False, sd=0.0)[0]
    design = unit_design("sobol", 5, 128, 1).points.reshape(*y.shape, 5)
    generator = np.random.default_rng(0)
    covered = {"block": [], "common": []}
    for _ in range(30):
        # In half of its variance luck turns the first factor round: five replications know little of that.
        values = y + 5 * generator.normal(size=(5, 1, 1)) * np.sqrt(12) * (design[..., 0] - 0.5)
        for luck_is, hits in covered.items():
            found = sobol_indices(values, NAMES, luck=luck_is, resamples=1)
            hits.append((found.total["low"] <= TRUE_ST)[:3] & (found.total["high"] >= TRUE_ST)[:3])
            assert found.covers_luck
    assert np.mean(covered["block"]) < 0.75 < 0.9 < np.mean(covered["common"])
    two = sobol_indices(noisy(64, 1, shared=True), NAMES, luck="common")
    assert not two.covers_luck
    assert "same_luck" in dict(Sensitivity("sobol", "y", "base", two, 0, 0.95).notes())


def test_one_replication_is_labelled():
    found = sobol_indices(noisy(64, 1, replications=1, shared=True), NAMES)
    assert found.label == SEED_SPECIFIC and np.isnan(found.noise).all()


def test_cross_is_the_mean_over_pairs_and_copes_with_gaps():
    generator = np.random.default_rng(0)
    p, q = generator.normal(size=(2, 4, 6))
    pairs = [(r, s) for r in range(4) for s in range(4) if r != s]
    np.testing.assert_allclose(cross(p, q), np.mean([p[r] * q[s] for r, s in pairs], axis=0), atol=1e-14)
    p[1, 2] = np.nan
    kept = [(r, s) for r, s in pairs if r != 1]
    assert cross(p, q)[2] == pytest.approx(np.mean([p[r, 2] * q[s, 2] for r, s in kept]))
    p[:3, 4] = np.nan
    q[:3, 4] = np.nan
    assert np.isnan(cross(p, q)[4])


def test_failed_runs_are_left_out_counted_bounded_and_refused_when_many():
    """Fault 5: 3 % of the runs fail at random."""
    whole = noisy(256, 3, replications=3, shared=True)
    holes = whole.copy()
    holes[np.random.default_rng(1).random(holes.shape) < 0.03] = np.nan
    clean, found = sobol_indices(whole, NAMES), sobol_indices(holes, NAMES)
    assert found.missing == int(np.isnan(holes).sum()) > 0
    assert ((found.total["low"] <= clean.total["value"] + 1e-12) & (found.total["high"] >= clean.total["value"])).all()
    for index, values in (("S1", found.first), ("ST", found.total)):
        low, high = found.bounds[index].T
        assert (low <= values["value"] + 0.02).all() and (high >= values["value"]).all() and (high > low).all()
    assert clean.bounds is None
    holes[np.random.default_rng(2).random(holes.shape) < 0.05] = np.nan
    with pytest.raises(StudyDataError, match="without bias"):
        sobol_indices(holes, NAMES)


def test_numbers_that_explain_nothing_are_refused():
    with pytest.raises(StudyDataError, match="nothing to explain"):
        sobol_indices(np.ones((2, 16, 7)), NAMES)
    luck_alone = np.random.default_rng(1).normal(size=(64, 7))
    with pytest.raises(StudyDataError, match="can be told from luck"):
        sobol_indices(np.stack([luck_alone, -luck_alone]), NAMES)
    values = noisy(16, 1, shared=True)
    with pytest.raises(StudyDataError, match="do not fit"):
        sobol_indices(values, NAMES[:3])
    with pytest.raises(StudyDataError, match="too few"):
        sobol_indices(values[:, :4], NAMES)
    values[1, 2, 3] = np.inf
    with pytest.raises(StudyDataError, match="replication 2, design row 3, 4"):
        sobol_indices(values, NAMES)


def test_convergence_ends_with_the_whole_study():
    values = noisy(128, 2, shared=True)
    frame = convergence(values, NAMES, seed=4)
    assert sorted(frame["blocks"].unique()) == [8, 16, 32, 64, 128]
    last = frame[(frame["blocks"] == 128) & (frame["index"] == "ST")]
    np.testing.assert_array_equal(last["value"], sobol_indices(values, NAMES, seed=4).total["value"])


# ---------------------------------------------------------------- Morris


@pytest.mark.parametrize("groups", [None, ["g", "h", "g"]])
def test_without_noise_morris_is_salibs(groups):
    design = unit_design("morris", 3, 20, 0, groups=groups)
    points = design.points.reshape(20, -1, 3)
    y = surface(points)
    ours = morris_effects(np.stack([y, y]), points, list("abc"), groups=groups)
    theirs = salib.analyse(
        salib_morris.analyze, salib.problem_of(list("abc"), groups), design.points, y.ravel(), seed=1
    )
    # SALib counts the last level as exactly 1, here it is the largest number below.
    np.testing.assert_allclose(ours.mu_star, theirs["mu_star"], rtol=1e-12)
    np.testing.assert_allclose(ours.sigma, theirs["sigma"], rtol=1e-12)
    np.testing.assert_allclose(ours.noise_floor, 0, atol=1e-12)
    if groups is None:
        np.testing.assert_allclose(ours.mu, theirs["mu"], atol=1e-12)


def morris_study(seed, replications=4, sd=2.0):
    design = unit_design("morris", 5, 20, seed)
    points = design.points.reshape(20, -1, 5)
    y = surface(points)
    return points, y + sd * np.random.default_rng([seed, 1]).normal(size=(replications, *y.shape))


def test_morris_tells_effects_from_noise():
    flagged, floor, star = [], [], []
    for seed in range(60):
        points, values = morris_study(seed)
        found = morris_effects(values, points, NAMES)
        flagged.append(~found.inert)
        floor.append(found.noise_floor[3:])
        star.append(found.mu_star[3:])
    flagged = np.mean(flagged, axis=0)
    assert (flagged[:3] > 0.95).all()
    assert flagged[3:].mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 120)
    # What an inert factor shows is the noise floor.
    assert np.mean(star) == pytest.approx(np.mean(floor), rel=0.05)


def test_morris_intervals_cover():
    """Student's t over 12 trajectories, 150 studies: 95 %, give or take three standard errors and some skewness."""
    # The mean squared effect of an average over all of the grid, from many trajectories without luck.
    design = unit_design("morris", 5, 4000, 99)
    points = design.points.reshape(4000, -1, 5)
    truth = morris_effects(np.stack([surface(points)] * 2), points, NAMES).squared
    covered = []
    for seed in range(150):
        points = unit_design("morris", 5, 12, seed).points.reshape(12, -1, 5)
        values = surface(points) + np.random.default_rng([seed, 2]).normal(size=(2, 12, 6))
        found = morris_effects(values, points, NAMES)
        covered.append((found.squared_low <= truth) & (truth <= found.squared_high))
    assert 0.87 <= np.mean(covered) <= 0.98


def test_morris_copes_with_failed_runs_and_one_replication():
    points, values = morris_study(1)
    values[0, 3, 2] = np.nan
    found = morris_effects(values, points, NAMES)
    assert found.missing == 1 and np.isfinite(found.mu_star).all()
    once = morris_effects(values[1:2], points, NAMES)
    assert once.label == SEED_SPECIFIC and np.isnan(once.noise_floor).all()
    with pytest.raises(StudyDataError, match="no trajectories"):
        morris_effects(values, np.random.default_rng(0).random(points.shape), NAMES)


# ---------------------------------------------------------------- given data and FAST


def test_fast_finds_the_known_answer_and_needs_every_point():
    design = unit_design("fast", 3, 257, 0)
    y = surface(design.points)
    found = fast_indices(np.stack([y, y]), list("abc"))
    np.testing.assert_allclose(found.indices["S1"][0], ISHIGAMI["S1"], atol=0.03)
    np.testing.assert_allclose(found.indices["ST"][0], ISHIGAMI["ST"], atol=0.06)
    assert found.covers == "nothing"
    values = y + np.random.default_rng(0).normal(size=(6, len(y)))
    assert fast_indices(values, list("abc"), resamples=20).covers == "noise"
    values[:, 5] = np.nan
    with pytest.raises(StudyDataError, match="every point"):
        fast_indices(values, list("abc"), resamples=20)


def test_rbd_fast_and_pawn_order_the_factors():
    design = unit_design("lhs", 4, 600, 0)
    values = surface(design.points) + np.random.default_rng(0).normal(size=(4, 600))
    found = sample_indices("rbd_fast", values, design.points, list("abcd"), resamples=60)
    s1 = found.indices["S1"]
    truth = np.append(ISHIGAMI["S1"], 0) * (1 - found.left)
    assert ((s1[1] <= truth) & (truth <= s1[2])).all()
    ranked = sample_indices("pawn", values, design.points, list("abcd"), resamples=40)
    median = ranked.indices["median"][0]
    assert median[1] > median[0] > ranked.baseline[2] >= median[3]
    theirs = salib.analyse(
        salib_pawn.analyze, salib.problem_of(list("abcd")), design.points, values.mean(axis=0), seed=1, S=10
    )
    np.testing.assert_allclose(median, theirs["median"], atol=1e-12)
    with pytest.raises(StudyDataError, match="too few"):
        sample_indices("pawn", values[:, :40], design.points[:40], list("abcd"))


@pytest.mark.parametrize("shared", [False, True])
def test_noise_share_of_plain_samples(shared):
    y = surface(unit_design("lhs", 3, 400, 0).points)
    generator = np.random.default_rng(1)
    found = [noise_share(y + 3 * generator.normal(size=(20, 1 if shared else 400))) for _ in range(20)]
    share, left = np.mean(found, axis=0)
    # Shared luck is 20 numbers per study: three standard errors of 20 studies.
    assert share == pytest.approx(9 / (9 + y.var()), abs=0.06 if shared else 0.01)
    # Luck that all rows share moves no row against another.
    assert left == pytest.approx(0 if shared else (9 / 20) / (9 / 20 + y.var()), abs=0.01)


def test_swings_of_a_grid_are_exact_and_of_a_sample_cover():
    low, high = np.repeat([0.0, 1.0], 2), np.tile([0.0, 1.0], 2)
    values = 3 * low + np.random.default_rng(0).normal(size=(10, 1))
    found = swings(np.broadcast_to(values, (10, 4)) + 3 * low * 0, {"a": low, "b": high}, sampled=False)
    np.testing.assert_allclose(found.swing, [3, 0], atol=1e-12)
    assert found.inert.tolist() == [False, True]
    covered = []
    for seed in range(200):
        points = np.random.default_rng(seed).random((200, 2))
        y = points[:, 0] + np.random.default_rng([seed, 1]).normal(size=(2, 200))
        one = swings(y, {"a": points[:, 0], "b": points[:, 1]}, sampled=True)
        covered.append((one.low <= [0.8, 0.0]) & (one.high >= [0.8, 0.0]))
    assert 0.9 <= np.mean(covered) <= 0.99


# ---------------------------------------------------------------- the whole chain


def known(function, outcomes, **changes):
    """A study of a known answer."""
    pi = float(np.pi)
    spans = {
        "ishigami": {name: {"uniform": [-pi, pi]} for name in ("x1", "x2", "x3")} | {"idle": {"uniform": [0, 1]}},
        "sobol_g": {f"x{i}": {"uniform": [0, 1]} for i in range(1, 6)},
        "linear": {f"x{i}": {"uniform": [0, 1]} for i in range(4)},
        "interactions": {f"x{i}": {"uniform": [-1, 1]} for i in range(5)},
    }
    return Study(**{
        "function": f"churnsim.studies.known_answers:{function}", "factors": spans[function], "design": "sobol",
        "samples": 128, "replications": 2, "outcomes": outcomes, "name": function, **changes,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("function", "truth"),
    [
        ("ishigami", np.append(ISHIGAMI["ST"], 0)),
        ("sobol_g", sobol_g_indices(5)["ST"]),
        ("linear", np.array([0, 1, 4, 9]) / 14),
        ("interactions", np.append(0, interactions_indices()["ST"])),
    ],
)
def test_known_answers_through_the_whole_chain(function, truth, tmp_path):
    """Study, sweep, store, analysis (fault 18): within the stated intervals, with and without noise."""
    # As much luck as makes a fifth of the variance.
    spread = {"ishigami": 1.86, "sobol_g": 0.35, "linear": 0.54, "interactions": 0.1}[function]
    store = sweep(known(function, ["y", "noisy"], set={"noise": spread}), tmp_path / "store", jobs=0)
    for outcome in ("y", "noisy"):
        found = Analysis(store).of(outcome).answer
        # Some factor's interval misses by a little in every fourth study.
        slack = 0.25 * (found.total["high"] - found.total["low"])
        assert ((found.total["low"] - slack <= truth) & (truth <= found.total["high"] + slack)).all()
        assert (found.inert == (truth == 0)).all()
    assert found.noise[0] == pytest.approx(0.2, abs=0.08)


@pytest.mark.slow
def test_intervals_cover_through_the_whole_chain(tmp_path):
    """Fault 18: 60 study files of their own points and luck, from the sweep to the indices."""
    truth, covered, told, share = np.append(ISHIGAMI["ST"], 0), [], [], []
    for number in range(60):
        study = known(
            "ishigami", ["noisy"], set={"noise": 1.86}, samples=64, design_seed=number, first_seed=1 + 100 * number
        )
        found = Analysis(sweep(study, tmp_path / str(number), jobs=0)).of("noisy").answer
        covered.append(((found.total["low"] <= truth) & (truth <= found.total["high"]))[:3])
        told.append(found.told)
        share.append(found.noise[1] <= 0.2 <= found.noise[2])
    # Factors of one study are not independent: as if they were one number, 2.6 standard errors of 60.
    slack = 2.6 * np.sqrt(0.92 * 0.08 / 60)
    assert np.mean(covered) >= 0.92 - slack and np.mean(share) >= 0.92 - slack
    assert np.mean(told, axis=0)[:3].min() > 0.8 and not np.any(told, axis=0)[3]


def test_points_of_another_version_are_analysed_with_a_warning(tmp_path, monkeypatch):
    """A store keeps its points; intervals of points from one sequence cannot be sure, and that is said."""
    store = sweep(known("linear", ["y"], samples=32), tmp_path / "store", jobs=0)
    assert "other_points" not in dict(Analysis(store).of("y").notes())
    monkeypatch.setattr("churnsim.studies.designs.SEQUENCES", 1)
    with Store.open(tmp_path / "store") as again:
        assert "other_points" in dict(Analysis(again).of("y").notes())


def test_sensitivity_runs_the_study_and_answers_in_the_agreed_shape(cli, tmp_path):
    (tmp_path / "study.yaml").write_text(
        json.dumps(known("linear", ["y", "noisy"], samples=64).definition()), encoding="utf-8"
    )
    answer = cli("sensitivity", "study.yaml", "--outcome", "noisy", "--json", "--jobs", 0)
    assert answer.code == 0, answer.err
    said = answer.json
    assert said["method"] == "sobol" and said["outcome"] == "noisy"
    assert set(said["factors"]) == {"x0", "x1", "x2", "x3"}
    assert set(said["factors"]["x3"]) >= {"S1", "S1_conf", "ST", "ST_conf"}
    assert said["factors"]["x0"]["inert"] and not said["factors"]["x3"]["inert"]
    # Luck has variance 1, the factors 14/12.
    assert said["noise_share"] == pytest.approx(12 / 26, abs=0.15)
    again = cli("sensitivity", said["out"], "--outcome", "noisy", "--json")
    assert again.json == said
    for lang, word in (("en", "not told from zero"), ("zh", "与零无法区分")):
        told = cli("sensitivity", said["out"], "--lang", lang)
        assert told.code == 0 and word in told.out and "x3" in told.out
    both = cli("sensitivity", said["out"], "--json").json
    assert [part["outcome"] for part in both["outcomes"]] == ["y", "noisy"]


def test_screening_spends_the_runs_on_what_matters(cli, tmp_path):
    study = known("sobol_g", ["noisy"], set={"noise": 0.2}, samples=64)
    factors = {f"x{i}": {"uniform": [0, 1]} for i in range(1, 9)}
    (tmp_path / "study.yaml").write_text(json.dumps({**study.definition(), "factors": factors}), encoding="utf-8")
    said = cli("sensitivity", "study.yaml", "--screen", "--json", "--jobs", 0).json
    assert said["screening"]["left_out"] == ["x5", "x6", "x7", "x8"]
    assert list(said["factors"]) == ["x1", "x2", "x3", "x4"] == said["screening"]["kept"]
    assert said["screening"]["runs"] < said["screening"]["runs_without"]


def test_failed_runs_in_the_chain(tmp_path, cli):
    """Faults 5 and 10: what fails is reported, and too much of it refuses an answer."""
    (tmp_path / "failing.py").write_text(
        "def some(factors, seed):\n"
        "    if seed % 40 == 0: raise RuntimeError('unlucky')\n"
        "    return {'y': factors['x1']}\n"
        "def many(factors, seed):\n"
        "    return {'y': float('nan') if seed % 5 == 0 else factors['x1']}\n",
        encoding="utf-8",
    )
    about = known("linear", ["y"], samples=64, seeds="common", replications=40)
    for name, code in (("some", 0), ("many", 3)):
        data = {**about.definition(), "function": f"failing:{name}"}
        (tmp_path / f"{name}.yaml").write_text(json.dumps(data), encoding="utf-8")
        answer = cli("sensitivity", f"{name}.yaml", "--json", "--jobs", 0)
        assert answer.code == code, answer.err
        if code == 0:
            said = answer.json
            assert said["failed"] == 64 * 6 and "failed_bounds" in said["notes"]
            assert said["factors"]["x1"]["ST_low"] <= 1 <= said["factors"]["x1"]["ST_high"]
            assert set(said["factors"]["x1"]) >= {"ST_bounds", "S1_bounds"}
        else:
            assert "%" in answer.err and not answer.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--outcome", "nois"], "did you mean 'noisy'"),
        (["--method", "fast"], "does not go with a sobol design"),
        (["--arm", "other"], "unknown arm"),
        (["--confidence", "95"], "between 0.5 and 1"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused_before_anything_runs(words, said, cli, tmp_path):
    (tmp_path / "study.yaml").write_text(json.dumps(known("linear", ["y", "noisy"]).definition()), encoding="utf-8")
    answer = cli("sensitivity", "study.yaml", *words)
    assert answer.code == 2 and said in answer.err
    assert not (tmp_path / "results").exists()


def test_an_unfinished_study_says_so(tmp_path, cli):
    (tmp_path / "empty").mkdir()
    answer = cli("sensitivity", "empty")
    assert answer.code == 2 and "no study was run" in answer.err


@pytest.mark.parametrize(
    ("design", "changes", "method"),
    [
        ("morris", {"samples": 8}, "morris"),
        ("radial", {"samples": 8}, "morris"),
        ("fast", {"samples": 65}, "fast"),
        ("lhs", {"samples": 100}, "rbd_fast"),
        ("fractional", {"samples": None}, "swings"),
        ("sobol", {"samples": 64, "second_order": True}, "sobol"),
    ],
)
def test_every_design_has_its_analysis(design, changes, method, tmp_path):
    store = sweep(known("linear", ["noisy"], design=design, **changes), tmp_path / "store", jobs=0)
    found = Analysis(store).of("noisy")
    assert found.method == method
    assert found.factors[int(np.argmax(found.importance))] == "x3"
    assert set(found.frame()["factor"]) == {"x0", "x1", "x2", "x3"}
    assert json.dumps(found.as_json(), default=float)

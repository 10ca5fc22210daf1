"""Designs on the unit cube, and the guard at SALib's door."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from SALib.analyze import delta, fast, pawn, sobol
from SALib.sample import sobol as saltelli

from churnsim.i18n import LANGUAGES
from churnsim.studies import salib
from churnsim.studies.designs import DESIGNS, SEQUENCES, rows_of, unit_design
from churnsim.studies.problems import StudyDataError

SAMPLES = {"fast": 70}


def made(kind, dimensions, seed=0, **options):
    return unit_design(kind, dimensions, SAMPLES.get(kind, 8), seed, **options)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("kind", sorted(DESIGNS))
def test_every_design_keeps_its_promises(kind, dimensions):
    design = made(kind, dimensions)
    assert design.points.shape == (rows_of(kind, dimensions, SAMPLES.get(kind, 8)), dimensions)
    assert design.points.dtype == np.float64
    assert design.points.min() >= 0 and design.points.max() < 1
    assert len(design.block) == len(design.column) == len(design.points)
    # A block and a column name one row each, but where every row is its own block.
    assert len({*zip(design.block.tolist(), design.column.tolist(), strict=True)}) == len(design.points)
    with pytest.raises(ValueError, match="read-only"):
        design.points[0, 0] = 0.5


@pytest.mark.parametrize("kind", sorted(set(DESIGNS) - {"fractional"}))
def test_a_seed_is_a_seed_and_zero_is_one(kind):
    assert np.array_equal(made(kind, 3, 0).points, made(kind, 3, 0).points)
    assert not np.array_equal(made(kind, 3, 0).points, made(kind, 3, 1).points)
    assert salib.seed_of(0) > 0
    assert len({salib.seed_of(seed) for seed in range(1000)}) == 1000


@pytest.mark.parametrize("second_order", [False, True])
@pytest.mark.parametrize("groups", [None, ["g", "h", "g", "i"]])
def test_sobol_points_have_saltellis_pattern(groups, second_order):
    design = made("sobol", 4, 5, groups=groups, second_order=second_order)
    problem = salib.problem_of(list("abcd"), groups)
    theirs = salib.sample(saltelli.sample, problem, 8, seed=5, calc_second_order=second_order).reshape(8, -1, 4)
    parts = 4 if groups is None else 3
    if second_order:  # A, AB, BA, B there; A, AB, B, BA here
        theirs = theirs[:, [*range(parts + 1), 2 * parts + 1, *range(parts + 1, 2 * parts + 1)]]
    ours = design.points.reshape(theirs.shape)
    for part in (0, parts + 1):
        # What is A's there is A's here, column by column, and what is B's is B's.
        np.testing.assert_array_equal(ours == ours[:, [part]], theirs == theirs[:, [part]])


def test_blocks_come_from_even_sequences_in_turn_and_the_first_half_is_a_design():
    design = made_of(128)
    for k in range(SEQUENCES):
        one = design[k::SEQUENCES]
        for j in range(one.shape[1]):
            assert sorted((one[:, j] * len(one)).astype(int)) == list(range(len(one)))
    np.testing.assert_array_equal(made_of(64), design[:64])
    # Scrambled on their own: the sequences' first points are as far apart as random ones.
    assert len({tuple(row) for row in np.round(design[:SEQUENCES], 6)}) == SEQUENCES
    np.testing.assert_array_equal(made_of(24), design[:24])


def made_of(samples):
    """The points A and B of a Sobol design of two factors, side by side."""
    points = unit_design("sobol", 2, samples, 3).points.reshape(samples, 4, 2)
    return np.concatenate([points[:, 0], points[:, 3]], axis=1)


@pytest.mark.parametrize("kind", ["morris", "radial"])
def test_one_factor_moves_in_a_step(kind):
    points = made(kind, 5).points.reshape(8, 6, 5)
    before = points[:, :-1] if kind == "morris" else points[:, :1]
    moved = np.abs(points[:, 1:] - before) > 0
    assert (moved.sum(axis=2) == 1).all() and (moved.sum(axis=1) == 1).all()


def test_morris_levels_off_the_ends_suit_distributions_without_bounds():
    inside = made("morris", 3, ends=False).points
    assert set(np.unique(inside)) <= {0.125, 0.375, 0.625, 0.875}
    assert np.unique(made("morris", 3).points).max() > 0.99


def test_latin_hypercube_hits_every_part_once():
    points = made("lhs", 4).points
    assert (np.sort((points * 8).astype(int), axis=0) == np.arange(8)[:, np.newaxis]).all()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "dimensions", "samples", "options", "said"),
    [
        ("sobl", 3, 8, {}, "sobol"),
        ("lhs", 3, 8, {"level": 4}, "level"),
        ("morris", 3, 8, {"levels": 5}, "5"),
        ("fast", 3, 64, {}, "65"),
        ("sobol", 0, 8, {}, "sobol"),
        ("lhs", 3, 8, {"groups": ["a", "a", "b"]}, "morris"),
        ("sobol", 3, 8, {"groups": ["a", "b"]}, "3"),
        ("sobol", 3, 8, {"groups": ["a", "a", "a"]}, "a"),
    ],
)
def test_designs_that_cannot_be_made_say_why(kind, dimensions, samples, options, said, lang):
    with pytest.raises(StudyDataError) as caught:
        unit_design(kind, dimensions, samples, 0, **options)
    assert said in caught.value.told(lang)


# ---------------------------------------------------------------- the guard at SALib's door


def ishigami_run():
    design = made("sobol", 3)
    return design, np.random.default_rng(0).normal(size=len(design.points))


def test_one_missing_value_never_reaches_salib_and_is_named():
    """SALib 1.6 answers one NaN with indices of exactly zero (fault 11)."""
    _, y = ishigami_run()
    y[17] = np.nan
    raw = salib.problem_of(list("abc"))
    with salib.untouched():
        trap = sobol.analyze(dict(raw), y.copy(), calc_second_order=False)
    assert (trap["ST"] == 0).all()  # the day this fails, the trap is gone
    runs = [f"run {i}" for i in range(len(y))]
    with pytest.raises(StudyDataError, match="run 17 has the value nan"):
        salib.analyse(sobol.analyze, raw, y, seed=0, runs=runs, calc_second_order=False)
    y[17] = np.inf
    with pytest.raises(StudyDataError, match="row 18 has the value inf"):
        salib.analyse(sobol.analyze, raw, y, seed=0, calc_second_order=False)


def test_a_constant_outcome_and_inputs_of_other_outputs_are_refused():
    design, y = ishigami_run()
    problem = salib.problem_of(list("abc"))
    with pytest.raises(StudyDataError, match="nothing to explain"):
        salib.analyse(sobol.analyze, problem, np.full(len(y), 3.0), seed=0)
    with pytest.raises(StudyDataError, match="do not belong"):
        salib.analyse(pawn.analyze, problem, design.points[:-1], y, seed=0)


def test_the_callers_problem_random_state_and_warnings_stay_as_they_were():
    design, y = ishigami_run()
    problem = salib.problem_of(list("abc"))
    before, written, filters = dict(problem), warnings.formatwarning, list(warnings.filters)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    salib.analyse(pawn.analyze, problem, design.points, y, seed=3)
    salib.analyse(delta.analyze, problem, design.points, y, seed=3, num_resamples=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # FAST warns of its own intervals
        salib.analyse(fast.analyze, problem, np.sin(np.arange(195.0)), seed=3)
    assert problem == before
    assert warnings.formatwarning is written and warnings.filters == filters
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_the_same_seed_gives_the_same_intervals():
    """SALib takes ``seed=0`` for no seed at all."""
    _, y = ishigami_run()
    problem = salib.problem_of(list("abc"))
    first, second = (
        salib.analyse(sobol.analyze, problem, y, seed=0, calc_second_order=False)["ST_conf"] for _ in range(2)
    )
    assert np.array_equal(first, second)

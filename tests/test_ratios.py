"""Fieller's intervals and the test of signs, against what can be worked out otherwise."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from churnsim.studies.ratios import Source, fieller, left_out, lots
from churnsim.studies.signs import LEVEL, told_from_nothing


def test_a_ratio_to_a_constant_has_students_interval():
    x = np.random.default_rng(0).normal(1, 1, size=(16, 3))
    source = Source(lots(x, 16), np.zeros((16, 3)), 15)
    low, high = fieller(x.mean(axis=0), np.full(3, 2.0), [source], 0.9)
    half = stats.t.ppf(0.95, 15) * stats.sem(x, axis=0) / 2
    np.testing.assert_allclose([low, high], [x.mean(axis=0) / 2 - half, x.mean(axis=0) / 2 + half])


def test_the_ends_are_candidates_that_the_t_test_just_refuses():
    generator = np.random.default_rng(1)
    bottom = generator.normal(3, 1, size=(64, 1))
    top = 0.4 * bottom + generator.normal(size=(64, 1))
    sources = [Source(lots(top, 8), lots(bottom, 8), 7)]
    low, high = fieller(top.mean(axis=0), bottom.mean(axis=0), sources, 0.95)
    for end in (low, high):
        by_lot = (top - end * bottom).reshape(8, 8).mean(axis=0)  # rows are dealt in turn
        assert stats.ttest_1samp(by_lot, 0).pvalue == pytest.approx(0.05)


def test_a_bottom_that_may_be_zero_opens_the_interval_to_the_end_of_the_range():
    generator = np.random.default_rng(2)
    bottom = generator.normal(0.1, 3, size=(16, 2))
    top = np.column_stack([np.full(16, 0.05) + generator.normal(0, 0.001, 16), generator.normal(0, 3, 16)])
    low, high = fieller(
        np.array([0.05, 0.01]), np.array([0.1, 0.1]), [Source(lots(top, 16), lots(bottom, 16), 15)], 0.95
    )
    # A top far from zero over a bottom that may be anything small: only what is too near to zero is refused.
    assert 0 < low[0] < 0.5 and high[0] == 1
    assert low[1] == 0 and high[1] == 1
    # What is zero in every row is zero, whatever it is divided by.
    nothing = fieller(np.zeros(1), np.array([0.1]), [Source(np.zeros((16, 1)), lots(bottom[:, :1], 16), 15)], 0.95)
    assert [end.item() for end in nothing] == [0, 0]


def test_lots_know_of_rows_without_a_value_and_of_uneven_numbers():
    x = np.random.default_rng(3).normal(size=(4000, 1))
    assert np.sqrt((lots(x, 10) ** 2).sum()) == pytest.approx(1 / np.sqrt(4000), rel=0.7)
    holes = x.copy()
    holes[::50] = np.nan
    np.testing.assert_allclose(lots(holes, 7).sum(), 0, atol=1e-12)
    errors = [np.sqrt((lots(np.random.default_rng(seed).normal(size=(203, 1)), 16) ** 2).sum()) for seed in range(300)]
    assert np.mean(np.square(errors)) == pytest.approx(1 / 203, rel=0.15)


def test_two_sources_share_degrees_of_freedom_and_the_jackknife_finds_a_mean_s_error():
    x = np.random.default_rng(4).normal(size=(6, 1))
    without = np.array([np.delete(x, r, axis=0).mean(axis=0) for r in range(6)])
    assert np.sqrt((left_out(without) ** 2).sum()) == pytest.approx(stats.sem(x[:, 0]))
    one = Source(np.full((6, 1), 0.1), np.zeros((6, 1)), 5)
    alone, both = (fieller(np.ones(1), np.full(1, 2.0), sources, 0.95) for sources in ([one], [one, one]))
    ratio = np.sqrt(2) * stats.t.ppf(0.975, 10) / stats.t.ppf(0.975, 5)
    assert (both[1] - both[0]) / (alone[1] - alone[0]) == pytest.approx(ratio)


@pytest.mark.parametrize("replications", [2, 3, 6])
@pytest.mark.parametrize("skewed", [False, True])
def test_factors_that_do_nothing_are_told_in_at_most_five_percent(replications, skewed):
    generator = np.random.default_rng(replications)
    size = (replications, 20, 4000)
    luck = generator.lognormal(size=(2, *size)) if skewed else generator.normal(size=(2, *size))
    told = told_from_nothing(luck[0] - luck[1], 10.0, 0.95)
    assert 0.02 <= told.mean() <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 4000)
    real = told_from_nothing(luck[0] - luck[1] + 5, 10.0, 0.95)
    assert real.mean() > 0.95


def test_the_edge_is_near_that_of_all_tosses_of_signs():
    """With 4 blocks of 3 replications all 4 096 tosses can be gone through: some 4 % of them are beyond the edge."""
    tosses = np.array(list(itertools.product((-1, 1), repeat=12))).reshape(-1, 3, 4)
    told = []
    for seed in range(20):
        x = np.random.default_rng(seed).normal(size=(3, 4))
        told.append(told_from_nothing(np.moveaxis(tosses * x, 0, -1), 1.0, 0.95).mean())
    assert max(told) < 0.08 and np.mean(told) == pytest.approx(LEVEL * 0.05, abs=0.01)


def test_without_luck_in_the_differences_whatever_is_not_zero_is_told():
    steps = np.zeros((2, 20, 3))
    steps[:, 4, 1] = 1e-6
    steps[:, :, 2] = 1e-15  # rounding
    steps[0, 3, 0] = np.nan
    assert told_from_nothing(steps, 1.0, 0.95).tolist() == [False, True, False]

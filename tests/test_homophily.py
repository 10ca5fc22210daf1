"""Acquaintances of like tastes (E3): spread kept, correlation as stated, strangers with nothing in common."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy import stats

from churnsim import ChurnModel, load
from churnsim.engine.hearsay import acquaintance

SD = 70
SOME = 120_000
"""Customers: neighbours are alike, so that there are far fewer of them apart from each other."""


def market(**settings):
    """Return a market without burn-in whose first customers have just been drawn."""
    quiet = {"customers.count": SOME, "burn_in": 0, "horizon": 12, "customers.taste.sd": SD}
    scenario = load("two_hotels").arm("both_passive").set({**quiet, **settings})
    return ChurnModel(scenario, rng=1)


def alike(taste, others) -> tuple[float, float]:
    """Return how the tastes of all correlate with those of others on average over ties, and its standard error.

    Parameters
    ----------
    taste : (firms, customers) float32
    others : list of (customers,) int64
        Acquaintances, tie by tie.
    """
    products = np.mean([taste.astype(float) * taste[:, known] for known in others], axis=0) / SD**2
    # Neighbours' products are alike: the error is that of stretches which have next to nobody in common.
    stretches = products[:, : products.shape[1] // 1000 * 1000].reshape(-1, 1000).mean(axis=1)
    return float(stretches.mean()), float(stretches.std(ddof=1) / np.sqrt(stretches.size))


def near(contacts: int, customers: int):
    """Return everybody's acquaintances in a ring without ties that lead far away, tie by tie."""
    some = np.arange(customers)
    return [(some + (n // 2 + 1 if n % 2 == 0 else -(n // 2 + 1))) % customers for n in range(contacts)]


@numba.njit
def ties_of(key, contacts, rewired, customers):
    """Return everybody's acquaintances as the engine has them, (contacts, customers)."""
    out = np.empty((contacts, customers), np.int64)
    for n in range(contacts):
        for who in range(customers):
            out[n, who] = acquaintance(key, np.uint32(who), n, rewired, customers)
    return out


@pytest.mark.parametrize("contacts", [1, 3, 8])
@pytest.mark.parametrize("homophily", [0.3, 0.9])
def test_tastes_of_acquaintances_correlate_as_stated(homophily, contacts):
    settings = {"customers.taste.homophily": homophily, "customers.word_of_mouth.contacts": contacts}
    taste = market(**settings).columns.taste
    found, error = alike(taste, near(contacts, SOME))
    assert error < 0.02
    assert abs(found - homophily) < 4 * error


def test_the_ring_is_the_network():
    """It is that of stories and referrals, but for the ties that are rewired."""
    model = market(**{"customers.count": 1_000, "customers.taste.homophily": 0.5})
    ties = ties_of(model.batch.network_key[0], 8, np.float32(0.3), 1_000)
    assert 0.66 < (ties == np.array(near(8, 1_000))).mean() < 0.74


def test_far_acquaintances_are_strangers():
    taste = market(**{"customers.taste.homophily": 0.9}).columns.taste
    found, error = alike(taste, [(np.arange(SOME) + away) % SOME for away in (40, 60_000)])
    assert abs(found) < 4 * error


def test_the_spread_of_tastes_stays():
    """Tastes are normal with the stated spread, whoever resembles whom: told from people who share no circle."""
    model = market(**{"customers.taste.homophily": 0.9})
    circle = model.config.customers.circle
    assert circle == 40
    for taste in model.columns.taste:
        apart = taste[::circle]
        assert stats.kstest(apart, stats.norm(0, SD).cdf).pvalue > 1e-4
        spreads = [taste[begin::circle].std() for begin in range(circle)]
        assert np.mean(spreads) == pytest.approx(SD, rel=4 / np.sqrt(2 * apart.size))


def test_tastes_for_different_firms_are_apart():
    first, second = market(**{"customers.taste.homophily": 0.9}).columns.taste
    apart = np.corrcoef(first[::40], second[::40])[0, 1]
    assert abs(apart) < 4 / np.sqrt(SOME / 40)


def test_without_homophily_tastes_are_everybodys_own():
    """The limit of ever less homophily is none: one's own part of the taste is the same draw."""
    none, hardly = (market(**{"customers.taste.homophily": value}).columns for value in (0, 1e-10))
    np.testing.assert_allclose(hardly.taste, none.taste, atol=SD * 1e-4)
    assert not np.array_equal(hardly.taste, none.taste)
    for name in none._fields:
        if "taste" not in name:
            np.testing.assert_array_equal(getattr(none, name), getattr(hardly, name), err_msg=name)


def test_who_takes_a_place_resembles_those_around_it():
    """Newcomers who replace those who leave have tastes of their own, and the circle's."""
    model = market(**{"customers.taste.homophily": 0.6, "customers.hazards.natural": 0.5})
    before = model.columns.taste.copy()
    model.run(3)
    taste = model.columns.taste
    assert (taste != before).mean() > 0.8
    found, error = alike(taste, near(8, SOME))
    assert abs(found - 0.6) < 4 * error


def test_latecomers_resemble_those_who_came_before():
    """They know those who came just before them, twice as far to one side, and are a little less alike."""
    model = market(**{"customers.count": 40_000, "customers.taste.homophily": 0.6, "customers.growth": 0.2})
    model.run(8)
    taste = model.columns.taste[:, : model.active_customers]
    late = taste[:, 40_000:]
    assert late.shape[1] > 100_000
    some = np.arange(late.shape[1])
    found, error = alike(late, [np.maximum(some - n - 1, 0) for n in range(8)])
    expected = 0.6 * (1 - 4.5 / 40) / (1 - 2.5 / 40)
    assert abs(found - expected) < 4 * error
    assert late.std() == pytest.approx(SD, rel=0.03)


def test_homophily_is_nothing_where_tastes_are_switched_off():
    for changes in ({"mechanisms.taste": False}, {"customers.taste.sd": 0}):
        taste = market(**{"customers.count": 100, "customers.taste.homophily": 0.5, **changes}).columns.taste
        assert not taste.any()

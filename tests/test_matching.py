"""Referrers who pick whom the firm suits (E20): as many referrals as without, to people of another taste."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from churnsim import ChurnModel, load
from churnsim.engine.dealings.state import PLACE
from churnsim.mechanisms.referral import suited
from churnsim.parameters import customs_of, level_of_matching

SD = 70
SOME = 200_000


def over_tastes(f) -> float:
    """Return the mean of a function of a standard normal number."""
    return integrate.quad(lambda z: f(z) * stats.norm.pdf(z), -12, 12, points=range(-11, 12), limit=1000)[0]


def times(z, matching, contacts):
    """Return how many times the usual chance somebody hears whose taste is z standard deviations up."""
    return np.minimum(contacts, np.exp(matching * z + level_of_matching(matching, contacts)))


@pytest.mark.parametrize("contacts", [1, 2, 8, 64])
@pytest.mark.parametrize("matching", [0.3, 1, 2])
def test_the_number_of_referrals_stays(matching, contacts):
    """Within the cap and beyond it: nobody hears more often than always, and everybody once on average."""
    assert over_tastes(lambda z: times(z, matching, contacts)) == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("matching", [0.1, 0.5, 1])
def test_tastes_shift_by_as_many_standard_deviations(matching):
    """Exponential tilting moves a normal by m sd; what the cap takes from it has a closed form, too."""
    level = level_of_matching(matching, 10**6)
    assert level == pytest.approx(-(matching**2) / 2, abs=1e-9)
    assert over_tastes(lambda z: z * times(z, matching, 10**6)) == pytest.approx(matching, abs=1e-7)
    capped = (np.log(8) - level_of_matching(matching, 8)) / matching
    shift = matching * (1 - 8 * stats.norm.sf(capped))
    assert over_tastes(lambda z: z * times(z, matching, 8)) == pytest.approx(shift, abs=1e-7)
    assert 0.95 * matching < shift <= matching


def test_without_matching_everybody_hears_alike():
    customs = customs_of(
        load("referral_2000").set({"customers.referral.matching": 0}).customers, load("two_hotels").mechanisms
    )
    assert customs["referral_tilt"] == customs["referral_level"] == 0
    assert suited(np.float32(-123.4), customs["referral_tilt"], customs["referral_level"]) == 1


@pytest.mark.parametrize("off", [{"mechanisms.taste": False}, {"customers.taste.sd": 0}])
def test_where_tastes_are_off_the_firm_suits_all_alike(off):
    scenario = load("referral_2000").set({"customers.referral.matching": 1, **off})
    customs = customs_of(scenario.customers, scenario.mechanisms)
    assert customs["referral_tilt"] == customs["referral_level"] == 0


def told(matching, contacts):
    """Let everybody refer everybody to the own firm, once.

    Returns
    -------
    share of customers with each firm, referrals to it per customer who is elsewhere, and tastes of those who heard.
    """
    settings = {
        "customers.count": SOME, "burn_in": 0, "horizon": 1, "customers.taste.sd": SD, "mechanisms.referral": True,
        "customers.referral.matching": matching, "customers.word_of_mouth.contacts": contacts,
        "customers.belief.initial_sd": 0, "firms.nanyuan.service": 60, "firms.eton.service": 20,
    }  # fmt: skip
    model = ChurnModel(load("two_hotels").arm("both_passive").set(settings), rng=1)
    columns = model.columns
    model.dealings.refers[:] = 1
    model.batch.quality[:] = 0.95
    before = columns.belief.copy()
    model.engine.pass_on(model)
    heard = columns.belief != before
    rows = []
    for j in range(2):
        elsewhere = columns.provider != j + 1
        assert not heard[j, ~elsewhere].any()
        count = model.totals.counted[0, j, PLACE["referrals"]] / elsewhere.sum()
        rows.append((1 - elsewhere.mean(), count, columns.taste[j, heard[j]] / SD))
    return rows


@pytest.mark.parametrize(("matching", "contacts"), [(0, 8), (0.5, 8), (1, 8), (1, 2)])
def test_who_is_told_is_whom_the_firm_suits(matching, contacts):
    """Referrals in the market: as many, and to people whose tastes are those of the closed form."""
    for share, count, tastes in told(matching, contacts):
        listeners = (1 - share) * SOME
        assert abs(count - share) < 4 * np.sqrt(2 * share / listeners)

        def hears(z, share=share):
            return 1 - (1 - share * times(z, matching, contacts) / contacts) ** contacts

        expected = over_tastes(lambda z: z * hears(z)) / over_tastes(hears)
        assert abs(tastes.mean() - expected) < 4 / np.sqrt(tastes.size)
        assert (expected > 0.2) == (matching > 0)

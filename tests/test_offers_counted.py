"""What customers are used to pay follows offers (E5): exact paths, and an offer that counts in full is a price cut."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from churnsim import ChurnModel, load
from churnsim.engine.dealings import offers
from churnsim.engine.dealings.state import OFFER, REFERENCE_TERM, allocate_dealings
from churnsim.engine.levers import APOLOGY, BUNDLE, PRICE_CUT, RELATION, UPGRADE
from churnsim.lock_in import worth_of
from churnsim.mechanisms.rule import interpreted

PRICE, WORTH, LAST = 300, 30, 6
"""List price, worth of the offer, and the last tick in which it holds: it is made in tick 1 for another five."""

SETTLED = {
    "customers.count": 500, "burn_in": 0, "horizon": 12, "customers.opportunity": 1, "customers.switching_cost": 1e6,
    "customers.hazards": {"natural": 0, "lapse": 0, "credit": 0}, "customers.attention.contact": 0,
    "firms.nanyuan.price": PRICE, "firms.nanyuan.initial_share": 0.5, "firms.eton.initial_share": 0.5,
    "mechanisms.crowding": False, "mechanisms.budget": False,
    "mechanisms.insolvency": False, "mechanisms.save_offers": True, "customers.offers.price_life": LAST - 1,
    "firms.nanyuan.save": {"worth": WORTH, "threshold": 1, "precision": 1, "coverage": 0},
}  # fmt: skip
"""Customers who buy in every tick, and never leave."""


class Watched(ChurnModel):
    """A market in which it is noted what Nanyuan is worth to everybody at the time of choice."""

    def choose(self):
        everybody = np.arange(self.columns.id.size)
        drivers = worth_of(self.columns, self.dealings, self.parameters, self.market, 1, everybody)
        self.worth = drivers.sum(axis=0)
        super().choose()


def offered(**changes):
    """Return a model in which everybody is offered something by Nanyuan in tick 1, once, and its customers' rows."""
    scenario = load("two_hotels").arm("both_passive").set({**SETTLED, **changes})
    scenario = scenario.move(1, {"firms.nanyuan.save.coverage": 1}).move(2, {"firms.nanyuan.save.coverage": 0})
    model = Watched(scenario, rng=1)
    rows = np.flatnonzero(model.columns.provider == 1)
    assert rows.size > 100
    return model, rows


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_a_constant_offer_gives_a_geometric_path(share):
    """Reference prices move towards the price less what counts of the offer, and back after its end (A8)."""
    model, rows = offered(**{"customers.offers.counted": share})
    a = model.config.customers.reference_price.adaptation
    expected = PRICE
    for tick in range(1, 13):
        model.step()
        expected += a * (PRICE - (share * WORTH if tick <= LAST else 0) - expected)
        np.testing.assert_allclose(model.columns.reference[0, rows], expected, rtol=1e-6)
        if tick == LAST:
            assert expected == pytest.approx(PRICE - share * WORTH * (1 - (1 - a) ** LAST))
    assert (model.columns.provider[rows] == 1).all()


def test_a_discount_that_was_granted_counts_for_good():
    bargaining = {
        "mechanisms.bargaining": True, "customers.power": {"share": 1, "threat": 1, "demand": 0.2},
        "firms.nanyuan.bargaining.concession": 0.2, "customers.offers.counted": 0.5, "firms.nanyuan.save.worth": 0,
    }  # fmt: skip
    model, rows = offered(**bargaining)
    model.run()
    a = model.config.customers.reference_price.adaptation
    expected = PRICE * (1 - 0.5 * 0.2 * (1 - (1 - a) ** 12))
    np.testing.assert_allclose(model.columns.reference[0, rows], expected, rtol=1e-6)


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_an_offer_is_a_gain_while_it_holds_and_a_loss_after_its_end(share):
    """The loss is that of E5: eta lambda times what customers have got used to, of the list price."""
    model, rows = offered(**{"customers.offers.counted": share})
    settings = model.config.customers.reference_price
    a, eta, loss_aversion = settings.adaptation, settings.weight, settings.loss_aversion
    for tick in range(1, LAST + 2):
        reference = model.columns.reference[0, rows].astype(float)
        model.step()
        terms = model.dealings.terms[:, 0, rows]
        list_price = eta * loss_aversion * (reference - PRICE)
        felt = terms[REFERENCE_TERM] + list_price
        if tick <= LAST:
            np.testing.assert_allclose(felt, eta * share * WORTH * (1 - a) ** (tick - 1), rtol=1e-3)
            np.testing.assert_array_equal(terms[OFFER], WORTH)
        else:
            np.testing.assert_allclose(felt, -eta * loss_aversion * share * WORTH * (1 - (1 - a) ** LAST), rtol=1e-3)
            assert not terms[[REFERENCE_TERM, OFFER]].any()


def test_an_offer_that_counts_in_full_is_a_price_cut():
    """What the firm is worth, what is usual, and who looks around are those of a lower list price, tick by tick."""
    offer, rows = offered(**{"customers.offers.counted": 1})
    scenario = load("two_hotels").arm("both_passive").set(SETTLED)
    cut = scenario.move(1, firm="nanyuan", price=PRICE - WORTH).move(LAST + 1, firm="nanyuan", price=PRICE)
    cheaper = Watched(cut, rng=1)
    looking = []
    for _ in range(12):
        offer.step()
        cheaper.step()
        np.testing.assert_allclose(offer.columns.reference[0, rows], cheaper.columns.reference[0, rows], rtol=1e-6)
        np.testing.assert_array_equal(offer.columns.looked[rows], cheaper.columns.looked[rows])
        np.testing.assert_allclose(offer.worth[rows], cheaper.worth[rows], rtol=0, atol=2e-3)
        looking.append(offer.columns.looked[rows].mean())
    assert looking[LAST] > looking[LAST - 1] + 0.02, "the end of an offer makes customers look around"


@pytest.mark.parametrize(
    ("kind", "off"), [(PRICE_CUT, 40), (BUNDLE, 40), (UPGRADE, 0), (APOLOGY, 0), (RELATION, 0)], ids=str
)
def test_only_what_lowers_the_price_counts(kind, off):
    """A bundle is a price cut and an upgrade of the same worth; how well an offer fits does not change what is paid."""
    dealings = allocate_dealings(1, 2)
    ways = SimpleNamespace(offers_price_life=2, offers_upgrade_life=12, offers_amends=np.float32(0.5))
    dealings.offer_off[0] = 7
    interpreted(offers.offer)(dealings, ways, 0, 1, kind, np.float32(40), np.float32(1.5))
    assert dealings.offer_off[0] == off

"""What is bought ahead is borrowed, promotions move slopes, demands are met up to a limit, customers are reviewed."""

from __future__ import annotations

import numpy as np
import pytest

from churnsim import load
from churnsim.causes import CAUSE_NAMES
from churnsim.engine.dealings.state import OFFER, PLACE, SENSITIVITY
from churnsim.markets import PHASES
from churnsim.model import ChurnModel, simulate
from test_dealings import same_measures, short

NEEDED = {
    "customers.count": 800, "customers.choice.outside_value": -10_000, "mechanisms.involuntary": False, "horizon": 40,
}  # fmt: skip
"""Nobody stays away and nobody is replaced: what is needed is the same whatever firms do."""


def promotion(**changes):
    """Three months of promotion in a market in which everybody needs what they need."""
    return load("promotion_effects").set({**NEEDED, "mechanisms.stockpiling": True, **changes})


@pytest.mark.parametrize(("use", "ahead"), [(1, 1), (1, 2.5), (0.5, 1), (0.25, 0.5)])
def test_what_is_bought_ahead_is_missing_later(use, ahead):
    """In every tick sales to date exceed those without stocks by exactly what is at home: nothing is lost or made."""
    with_stocks = ChurnModel(promotion(**{"customers.stock.use": use, "customers.stock.ahead": ahead}), rng=1)
    without = ChurnModel(promotion(**{"customers.stock.ahead": 0}), rng=1)
    peak = 0.0
    for _ in range(52):
        with_stocks.step()
        without.step()
        more = with_stocks.recorder.record().dealings["volume"].sum()
        more -= without.recorder.record().dealings["volume"].sum()
        held = with_stocks.dealings.stock.astype(float).sum()
        assert more == held
        peak = max(peak, held)
    assert peak > 200
    assert held < (0.1 if use >= 0.5 else 0.6) * peak


def test_stocks_that_nobody_heeds_are_never_paid_back():
    """The other limit: where no need is met from the stock, all that was bought ahead stays extra sales."""
    unheeded, without = (
        simulate(promotion(**{"customers.stock.use": 0, "customers.stock.ahead": ahead}), 1).dealings["volume"]
        for ahead in (1, 0)
    )
    more = (unheeded - without).sum(axis=1).cumsum()
    assert more[-1] == more[-37] > 300


def test_who_is_supplied_does_not_shop_between_promotions():
    """Where stocks are heeded in full, nobody with a whole purchase at home buys while no firm promotes."""
    model = ChurnModel(promotion(**{"customers.stock.use": 1, "customers.stock.ahead": 2}), rng=1)
    seen = 0
    for tick in range(1, 12):
        supplied = model.dealings.stock >= 1
        model.step()
        if tick > 3:
            assert (model.columns.choice[supplied] < 0).all()
            seen += supplied.sum()
    assert seen > 1000


SPOILT = {
    "mechanisms.promotion_sensitivity": True, "customers.promotion.growth": 0.2, "horizon": 10,
    "firms.nanyuan.strategy": {"name": "price_cut", "depth": 0, "promotion": True},
}  # fmt: skip
"""Nanyuan announces promotions all the time, and charges its usual price."""


def test_usual_prices_cost_the_spoilt_nothing():
    """However much price weighs, at the prices that customers are used to nobody does anything else."""
    spoilt = ChurnModel(short(**SPOILT), rng=4)
    record = spoilt.run()
    assert np.median(spoilt.dealings.sensitised) > 1
    assert same_measures(record, simulate(short(**{**SPOILT, "mechanisms.promotion_sensitivity": False}), 4))


def test_the_slope_in_price_grows_by_what_promotions_have_added():
    """A yuan between two firms weighs omega (1 + s (1 - o A)) instead of omega, and the dearer one loses."""
    plan = short(**SPOILT, **{"customers.promotion.offset": 0.5}).move(8, firm="nanyuan", price=330)
    model = ChurnModel(plan, rng=4)
    for _ in range(7):
        model.step()
    columns, dealings = model.columns, model.dealings
    added = dealings.sensitised.astype(float).copy()
    usual = columns.reference.astype(float).mean(axis=0)
    offset = 1 - 0.5 * columns.attachment.astype(float)
    model.tick += 1
    for phase in PHASES[:5]:
        getattr(model, phase)()
    price = np.array([330, 300])[:, np.newaxis]
    wanted = -added * (price - usual) * offset
    np.testing.assert_allclose(dealings.terms[SENSITIVITY], wanted, rtol=1e-4, atol=1e-3)
    there = added > 0  # not the newcomers of the last tick
    assert (dealings.terms[SENSITIVITY, 0] < dealings.terms[SENSITIVITY, 1])[there].all()
    assert np.median(added) > 1


@pytest.mark.parametrize("limit", [0, 0.025, 0.1, 0.2])
def test_a_demand_is_met_up_to_the_limit(limit):
    """What is granted is the smaller of demand and limit; anger and wakefulness are the share that is refused."""
    demand, anger = 0.1, 150
    on = {"mechanisms.bargaining": True, "customers.power.share": 1, "customers.power.threat": 1, "burn_in": 0}
    firms = {f"firms.{firm}.bargaining.concession": limit for firm in ("nanyuan", "eton")}
    model = ChurnModel(short(**on, **firms), rng=1)
    held = model.columns.provider > 0
    refused = max(1 - limit / demand, 0)
    for again in (False, True):  # who was granted a part threatens again, who was granted all does not
        model.tick += 1
        for phase in PHASES[:5]:
            getattr(model, phase)()
        np.testing.assert_allclose(model.dealings.discount[held], min(limit, demand), rtol=1e-6)
        np.testing.assert_allclose(model.dealings.stirred[held], refused, atol=1e-6)
        threats = model.counters.counted[:, PLACE["threats"]].sum()
        assert threats == (0 if again and not refused else held.sum())
    home = model.columns.provider[held] - 1
    granted = model.dealings.discount[held] * 300
    term = model.dealings.terms[OFFER, home, np.flatnonzero(held)]
    np.testing.assert_allclose(term, granted - refused * anger, rtol=1e-5)


def test_a_review_finds_the_bad_among_present_customers_and_nobody_else():
    """Where nobody is mistaken, one look at everybody leaves no bad debtor with the firm and every good customer."""
    on = {
        "mechanisms.screening": True, "customers.credit.bad": 0.3, "customers.credit.default": 0,
        "customers.credit.detected": 1, "customers.credit.false_alarm": 0, "mechanisms.involuntary": False,
        "firms.nanyuan.screening.strictness": 1, "firms.nanyuan.screening.cost": 5, "burn_in": 0, "horizon": 2,
    }  # fmt: skip
    blind, seeing = (ChurnModel(short(**on, **{"firms.nanyuan.screening.review": share}), rng=1) for share in (0, 1))
    for model in (blind, seeing):
        model.run()
    bad = [model.dealings.bad_debtor[model.columns.provider == 1] for model in (blind, seeing)]
    assert bad[0].sum() > 100
    assert bad[1].sum() == 0
    credit = CAUSE_NAMES.index("credit")
    dropped = seeing.recorder.record().primary[:, :, credit]
    assert dropped[:, 0].sum() > 100
    assert dropped[:, 1].sum() == blind.recorder.record().primary[:, :, credit].sum() == 0
    good = [int((model.dealings.defaulted[~model.dealings.bad_debtor] != 0).sum()) for model in (blind, seeing)]
    assert good == [0, 0]

"""The exact limits of stocks, memories, value and the course's arithmetic (A7-A14, A18) on both engines.

Closed forms are written down here once more, apart from `churnsim.economics`. What follows from rules alone is exact
but for rounding in single precision; what depends on luck is within 4 standard errors.
"""

from __future__ import annotations

import numpy as np
import pytest

from churnsim import ChurnModel, Scenario, load
from churnsim.ledger import accounts
from limit_checks import ENGINES, near, near_mean
from test_dealings import ALL_ON, BUSY

# ---------------------------------------------------------------------- stocks and memories


@pytest.mark.parametrize("engine", ENGINES)
def test_a7_quality_stock(engine):
    model = ChurnModel(load("quality_limit"), rng=1, engine=engine)
    start, limit = (1 - np.exp(-money / 60) for money in (80, 40))
    assert start == pytest.approx(0.7364, abs=5e-5)
    for tick in range(1, 25):
        model.step()
        assert model.books.quality[0, 0] == pytest.approx(limit + (start - limit) * 0.9**tick, rel=1e-9)
    assert np.log(2) / -np.log(0.9) == pytest.approx(6.6, abs=0.05)


@pytest.mark.parametrize("engine", ENGINES)
def test_a8_memories_are_geometric(engine):
    """Everybody stays every tick at constant quality and price: three memories approach them at their own rates."""
    scenario = (
        load("quality_limit")
        .arm("held")
        .set(
            {
                "mechanisms.learning": True, "mechanisms.expectation": True, "mechanisms.reference_price": True,
                "customers.experience.noise": 0, "customers.expectation.spillover": 0,
            }
        )
    )  # fmt: skip
    model = ChurnModel(scenario, rng=1, engine=engine)
    quality, price = float(model.books.quality[0, 0]), 300.0
    customers = scenario.customers
    model.customers.set("belief", 0.2)
    model.customers.set("reference", 500.0)
    high = np.arange(100) % 2 == 0
    model.columns.expectation[:] = np.where(high, 0.95, 0.1)
    for tick in range(1, 13):
        model.step()

        def path(start, limit, rate, tick=tick):
            return limit + (start - limit) * (1 - rate) ** tick

        columns = model.columns
        np.testing.assert_allclose(columns.belief[0], path(0.2, quality, customers.belief.learning), rtol=1e-5)
        adapted = path(500, price, customers.reference_price.adaptation)
        np.testing.assert_allclose(columns.reference[0], adapted, rtol=1e-5)
        np.testing.assert_allclose(
            columns.expectation,
            np.where(
                high, path(0.95, quality, customers.expectation.down), path(0.1, quality, customers.expectation.up)
            ),
            rtol=1e-5,
        )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("arm", "contact"), [("case", 0.4), ("partnership", 1.0), ("apart", 0.0)])
def test_a9_attachment_goes_to_its_fixed_point(engine, arm, contact):
    """Constant contact and a satisfaction of 1/2: geometrically from .2 to the fixed point, or to nothing without."""
    model = ChurnModel(load("attachment_limit").arm(arm).set({"customers.count": 20}), rng=1, engine=engine)
    gain, loss = 0.2 * contact * (0.5 - 0.3), 0.03 * (1 - contact)
    limit = gain / (gain + loss)
    for tick in range(1, 49):
        model.step()
        expected = limit + (0.2 - limit) * (1 - gain - loss) ** tick
        np.testing.assert_allclose(model.columns.attachment[0], expected, rtol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("period", [1, 3, 24])
def test_a10_sunk_stock_is_a_sawtooth(engine, period):
    """A payment every T ticks; in the first 24 ticks a period of 24 is one payment alone, F (1 - d)^t."""
    scenario = load("quality_limit").arm("held").set(
        {
            "customers.count": 20, "customers.sunk_cost": {"price_share": 0.3, "decay": 0.35},
            "customers.calendar.weights": [1] + [0] * (period - 1),
            "mechanisms.sunk_cost": True, "mechanisms.calendar": True,
        }
    )  # fmt: skip
    model = ChurnModel(scenario, rng=1, engine=engine)
    paid, kept = 0.3 * 300, 1 - 0.35
    for tick in range(1, 25):
        model.step()
        payments = (tick - 1) // period + 1
        peak = paid * (1 - kept ** (period * payments)) / (1 - kept**period)
        np.testing.assert_allclose(model.columns.sunk, peak * kept ** ((tick - 1) % period), rtol=1e-5)
    assert period == 24 or peak == pytest.approx(paid / (1 - kept**period), rel=1e-3)


# ---------------------------------------------------------------------- what customers are worth

DISCOUNT = 0.12
COHORT = {"compiled": 40_000, "agents": 60}


def value(retention: float, engine: str) -> np.ndarray:
    """Return what each customer of a constant retention earns, discounted, by the ledger."""
    scenario = load("quality_limit").arm("control").set(
        {
            "customers.count": COHORT[engine], "horizon": 60, "ledger": True, "discount": DISCOUNT,
            "mechanisms.involuntary": True, "customers.hazards": {"natural": 1 - retention, "lapse": 0, "credit": 0},
        }
    )  # fmt: skip
    model = ChurnModel(scenario, rng=6, engine=engine)
    model.run()
    found = accounts(model)
    found = found[found["entered"] == 0]["margin"].to_numpy()
    assert len(found) == COHORT[engine]
    return found


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("retention", "elasticity"), [(0.7, 2.67), (0.8, 3.50), (0.9, 5.09), (0.95, 6.59)])
def test_a11_lifetime_value_in_the_books(engine, retention, elasticity):
    """Value is m r / (1 + d - r), and its elasticity (1 + d) / (1 + d - r), by a step of 2 % with the same luck."""
    margin = 300 - 90 - 80

    def expected(r):
        return margin * r / (1 + DISCOUNT - r)

    assert (1 + DISCOUNT) / (1 + DISCOUNT - retention) == pytest.approx(elasticity, abs=0.005)
    low, high = (value(retention * factor, engine) for factor in (0.98, 1.02))
    for found, factor in ((low, 0.98), (high, 1.02)):
        near_mean(found, expected(retention * factor))
        if engine == "compiled":
            with pytest.raises(AssertionError):
                near_mean(found, expected(1.01 * retention * factor))
    step = np.log(1.02 / 0.98)
    # The error of a logarithm of two means, customer by customer.
    each = high / high.mean() - low / low.mean()
    slope = np.log(expected(retention * 1.02) / expected(retention * 0.98)) / step
    found = np.log(high.mean() / low.mean()) / step
    assert abs(found - slope) <= 4 * each.std() / np.sqrt(each.size) / step
    assert slope == pytest.approx(elasticity, rel=0.02), "the step is small enough"


# ---------------------------------------------------------------------- the course's arithmetic


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rate", [1.0, 3 / 7])
def test_a12_advertising_and_referral_cost_what_the_course_says(engine, rate):
    """700 a customer by advertising; looked after at 300, whoever brings one other brings him for 300, 3/7 for 700."""
    people, reach = {"compiled": (1_000_000, 0.05), "agents": (5_000, 0.1)}[engine]
    scenario = load("bass_limit").set(
        {
            "customers.count": people, "horizon": 3,
            "customers.acquisition": {"innovation": 0, "imitation": 0, "advertising": reach},
            # Only those who are looked after refer, once each, and to one acquaintance on average.
            "customers.referral": {"rate": rate, "sociability": 0, "types": [0, 0, 1, 0], "care": 1},
            "customers.attachment": {"growth": 0, "decay": 0}, "customers.satisfaction.adjustment": 0,
            "mechanisms.attachment": True, "mechanisms.referral": True,
            "firms.seller.advertising": {"spend": 700 * reach, "scale": 0.1}, "firms.seller.referral.care_cost": 300,
        }
    )  # fmt: skip
    scenario = scenario.move(2, {"firms.seller.advertising.spend": 0, "firms.seller.referral.care": 0.4})
    model = ChurnModel(scenario.move(3, {"firms.seller.referral.care": 0}), rng=1, engine=engine)
    model.step()
    model.customers.set("attachment", 1)
    model.customers.set("satisfaction", 1)
    model.step()
    model.step()
    record = model.recorder.record()
    counted = {name: record.dealings[name][-3:, 0] for name in ("dealing_cost", "referrals", "won_new")}
    won, strangers = counted["won_new"][0], 1 - counted["won_new"][0] / people
    spent, care, nothing = counted["dealing_cost"]
    assert spent == pytest.approx(700 * reach * people, rel=1e-6)
    near(won / people, reach, people)
    cared = care / 300
    near(cared / won, 0.4, won)
    assert nothing == 0
    # Eight acquaintances hear of it with a chance of an eighth each.
    brought, wanted = counted["referrals"][1], cared * rate * strangers
    spread = np.sqrt(cared * (rate * (7 / 8 + 1) - rate**2))
    assert abs(brought - wanted) <= 4 * spread
    assert care / brought == pytest.approx(300 / rate / strangers, rel=4.5 * spread / wanted)
    if rate == 1:

        def average(strangers):
            return (700 + 0.4 * 300) / (1 + 0.4 * strangers)

        assert average(1) == pytest.approx(585.71, abs=0.005)
        assert (spent + care) / (won + brought) == pytest.approx(average(strangers), rel=4 * np.sqrt(2 / won))
        assert 0.97 * brought <= counted["won_new"][2] <= brought, "some are referred twice"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("kept", "needed"), [(1.0, (0, 10, 20)), (0.30, (70, 80, 90)), (0.66, (34, 44, 54))])
def test_a13_growth_is_what_is_won_less_what_is_lost(engine, kept, needed):
    """A firm that wins N (1 + g - rho) customers grows by g, whoever they are; per 100 it had, the course's numbers."""
    people = {"compiled": 400_000, "agents": 2_000}[engine]
    had = people // 10
    for growth, new in zip((0.0, 0.1, 0.2), needed, strict=True):
        assert 100 * (1 + growth - kept) == pytest.approx(new)
        won = had * new / 100
        reach = won / (people - had)
        scenario = load("bass_limit").set(
            {
                "customers.count": people, "horizon": 1, "firms.seller.initial_share": 0.1,
                "customers.acquisition": {"innovation": reach, "imitation": 0},
                "customers.hazards": {"natural": 0, "lapse": 1 - kept, "credit": 0}, "mechanisms.involuntary": True,
            }
        )  # fmt: skip
        model = ChurnModel(scenario, rng=3, engine=engine)
        before = int((model.columns.provider == 1).sum())
        model.step()
        after = int((model.columns.provider == 1).sum())
        record = model.recorder.record()
        joined, lost = (int(record.measures[name][-1, 0]) for name in ("joined", "lost"))
        assert after == before + joined - lost
        near(lost / before, 1 - kept, before)
        near(joined / (people - before), reach, people - before)
        # Luck decides who is a customer from the start, who of these stays, and who of the others comes.
        spread = people * 0.09 * (kept - reach) ** 2
        spread += had * kept * (1 - kept) + (people - had) * reach * (1 - reach)
        assert abs(after - (1 + growth) * had) <= 4 * np.sqrt(spread)


def check_leak(base: Scenario, engine: str) -> None:
    """With as many customers, whoever replaces 2 % a week earns .02 N (CAC - CRC) less than whoever keeps them."""
    count, weeks = {"compiled": (51_000, 26), "agents": (204, 16)}[engine]
    records = [
        ChurnModel(base.arm(arm).set({"customers.count": count, "horizon": weeks}), rng=2, engine=engine).run()
        for arm in ("case", "keeps")
    ]
    # Offers that were made before tick 1 cost the keeping firm something in ticks 1 and 2.
    settled = records[0].ticks > 2
    profits, customers = ([record.measures[name][settled, 0] for record in records] for name in ("profit", "customers"))
    near_mean(profits[1] - profits[0], 0.02 * (count / 1.02) * (300 - 60))
    for held in customers:
        near(held.mean() / count, 1 / 1.02, count)


@pytest.mark.parametrize("engine", ENGINES)
def test_a14_a_leak_costs_the_gap_between_winning_and_keeping(engine):
    check_leak(load("leaky_bucket"), engine)


@pytest.mark.parametrize(
    "change",
    [
        {"firms.shop.win_back.contact_cost": 280 * 1.05},
        {"firms.shop.win_back.worth": 20},
        {"customers.hazards.lapse": 0.02 * 1.05},
    ],
)
def test_a_leak_that_is_a_few_per_cent_off_does_not_pass(change):
    with pytest.raises(AssertionError):
        check_leak(load("leaky_bucket").set(change), "compiled")


# ---------------------------------------------------------------------- conservation


@pytest.mark.parametrize("engine", ENGINES)
def test_a18_heads_cash_and_causes_are_conserved(engine):
    """With every mechanism at work: customers, money, and the causes of all departures add up."""
    count = {"compiled": 4_000, "agents": 240}[engine]
    scenario = load("two_hotels").arm("case").set({**ALL_ON, **BUSY, "customers.count": count})
    record = ChurnModel(scenario, rng=2, engine=engine).run()
    m, d = record.measures, record.dealings
    np.testing.assert_array_equal(np.diff(m["customers"], axis=0), (m["joined"] - m["lost"])[1:])
    np.testing.assert_array_equal(record.market["customers"], count)
    np.testing.assert_array_equal(record.flows[:, 1:, :].sum(axis=2), m["lost"])
    np.testing.assert_array_equal(record.flows[:, :, 1:].sum(axis=1), m["joined"])
    assert m["lost"].sum() > 300
    np.testing.assert_array_equal(record.primary.sum(axis=2), m["lost"])
    np.testing.assert_allclose(record.shares.sum(axis=2), m["lost"], rtol=1e-5, atol=1e-3)
    firms = scenario.firms.values()
    costs = np.array([firm.unit_cost for firm in firms]) * d["volume"]
    costs += np.array([firm.fixed_cost for firm in firms]) * count * m["open"]
    costs += m["service_cost"] + m["relationship_cost"] + d["dealing_cost"]
    np.testing.assert_allclose(m["profit"], m["revenue"] - costs, rtol=1e-9, atol=1e-6)
    play = np.flatnonzero(record.ticks > 0)
    np.testing.assert_allclose(m["cash"][play] - m["cash"][play - 1], m["profit"][play], rtol=1e-9, atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_a18_points_are_conserved(engine):
    """What customers hold is what was credited less what was redeemed, where nobody leaves and nothing expires."""
    count = {"compiled": 500, "agents": 100}[engine]
    scenario = load("tesco_card").set(
        {"customers.count": count, "customers.loyalty_card.expiry": 0, "mechanisms.involuntary": False, "horizon": 24}
    )
    model = ChurnModel(scenario, rng=2, engine=engine)
    record = model.run()
    credited, redeemed = (record.dealings[name][:, 0].sum() for name in ("points_earned", "points_redeemed"))
    assert redeemed > 0
    assert model.dealings.points[0].sum() == pytest.approx(credited - redeemed, rel=1e-4)

"""What must hold in any run: conservation, accounts, budgets, switches, closure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from churnsim import load
from churnsim.causes import CAUSE_NAMES
from churnsim.engine.state import bytes_per_customer
from churnsim.model import ChurnModel, simulate


@pytest.fixture(scope="module")
def small():
    """Return the case at a size for tests."""
    return load("two_hotels").arm("case").set({"customers.count": 800, "burn_in": 12, "horizon": 24})


@pytest.fixture(scope="module")
def record(small):
    """Return one run of it."""
    return simulate(small, 7)


def test_rows_are_numbered_as_promised(record):
    """Burn-in rows have negative ticks; then come tick 0 and one row per tick of play."""
    np.testing.assert_array_equal(record.ticks, np.arange(-11, 25))


def test_heads_are_conserved(record):
    """Customers are somewhere, and change place only through the flows."""
    heads = record.measures["customers"]
    np.testing.assert_array_equal(record.market["customers"], 800)
    joined, lost = record.measures["joined"], record.measures["lost"]
    np.testing.assert_array_equal(np.diff(heads, axis=0), (joined - lost)[1:])
    np.testing.assert_array_equal(record.flows[:, 1:, :].sum(axis=2), lost)
    np.testing.assert_array_equal(record.flows[:, :, 1:].sum(axis=1), joined)


def test_shares_sum_to_one(record):
    """Every purchase occasion is somebody's."""
    total = record.measures["share"].sum(axis=1) + record.market["outside_share"]
    np.testing.assert_allclose(total, 1, rtol=1e-12)
    types = (
        sum(record.measures[f"{kind}_loyal"] for kind in ("true", "spurious", "latent")) + record.measures["not_loyal"]
    )
    np.testing.assert_allclose(types, 1, rtol=1e-12)
    np.testing.assert_allclose(record.measures["churn"] + record.measures["retention"], 1, rtol=1e-12)


def test_accounts_close(small, record):
    """Profit is what the books say, and cash moves by profit from tick 1 on."""
    m = record.measures
    firms = list(small.firms.values())
    fixed = np.array([firm.fixed_cost for firm in firms]) * 800
    unit = np.array([firm.unit_cost for firm in firms])
    profit = m["revenue"] - unit * m["stays"] - m["service_cost"] - m["relationship_cost"] - fixed
    np.testing.assert_allclose(m["profit"], profit, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(m["revenue"], m["price"] * m["stays"], rtol=1e-12)
    np.testing.assert_allclose(m["service_cost"], (m["service"] + m["training"]) * m["stays"], rtol=1e-9)
    play = record.ticks >= 1
    start = np.array([firm.cash for firm in firms]) * 800
    np.testing.assert_allclose(m["cash"][play], start + np.cumsum(m["profit"][play], axis=0), rtol=1e-9)
    np.testing.assert_allclose(m["cash"][~play], np.tile(start, (12, 1)), rtol=1e-12)
    np.testing.assert_allclose(m["cumulative_profit"][play], np.cumsum(m["profit"][play], axis=0), rtol=1e-9)


def test_the_budget_binds_and_reports_what_it_refused(small):
    """A firm without money serves worse than it wishes; without the limit it never does."""
    poor = small.set({"firms.eton.cash": 0, "firms.eton.fixed_cost": 30})
    bound, free = simulate(poor, 3), simulate(poor.set({"mechanisms.budget": False}), 3)
    eton = 1
    play = (bound.ticks >= 1) & (bound.measures["open"][:, eton] == 1)
    assert (bound.measures["shortfall"][play, eton] > 0).all()
    assert (bound.measures["service"][play, eton] < 80).all()
    assert (free.measures["shortfall"] == 0).all()
    assert (free.measures["service"][:, eton] == 80).all()
    assert ("eton", "first_shortfall") in {(firm, event) for _, firm, event, _ in bound.events}
    last = np.flatnonzero(play)[-1]
    assert bound.measures["quality"][last, eton] < free.measures["quality"][last, eton]


def test_priority_decides_who_goes_short(small):
    """What stands first in the queue is funded first, as long as there is money for it."""
    poor = {"firms.nanyuan.cash": 0, "firms.nanyuan.fixed_cost": 20, "mechanisms.insolvency": False}
    service_first = simulate(small.set(poor), 3)
    turned = simulate(small.set({**poor, "firms.nanyuan.budget.priority": ["relationship", "service"]}), 3)
    first = service_first.ticks == 1
    wished = 85
    assert service_first.measures["contacts"][first, 0] < 1
    assert turned.measures["contacts"][first, 0] == 1
    assert turned.measures["service"][first, 0] + turned.measures["training"][first, 0] < wished
    play = service_first.ticks >= 1
    assert turned.measures["contacts"][play, 0].mean() > service_first.measures["contacts"][play, 0].mean()
    assert turned.measures["service"][play, 0].mean() < service_first.measures["service"][play, 0].mean()


def test_an_insolvent_firm_closes_and_its_customers_are_labelled(small):
    """Debt beyond the limit is an event: the firm closes and everybody it had is let go as such."""
    broke = small.set({"firms.eton.fixed_cost": 60, "firms.eton.cash": 0})
    record = simulate(broke, 3)
    closed = [tick for tick, firm, event, _ in record.events if (firm, event) == ("eton", "insolvent")]
    assert len(closed) == 1
    row = int(np.flatnonzero(record.ticks == closed[0])[0])
    eton = 1
    assert record.measures["customers"][row, eton] > 0
    assert record.measures["customers"][row + 1, eton] == 0
    assert record.primary[row + 1, eton, CAUSE_NAMES.index("closure")] == pytest.approx(
        record.measures["customers"][row, eton], abs=3
    )
    assert (record.measures["stays"][row + 1 :, eton] == 0).all()
    assert (record.measures["open"][row:, eton] == 0).all()
    assert (record.measures["profit"][row + 1 :, eton] == 0).all()
    assert np.isnan(record.measures["satisfaction"][row + 1, eton])
    kept = simulate(broke.set({"mechanisms.insolvency": False}), 3)
    assert not [event for event in kept.events if event[2] == "insolvent"]


SWITCHES = [
    ("budget", "firms.eton.budget.cash_use", 0.9),
    ("crowding", "customers.experience.crowding", 2.0),
    ("quality_erosion", "firms.eton.quality.adjustment", 0.5),
    ("reference_price", "customers.reference_price.weight", 1.0),
    ("reference_price", "customers.reference_price.loss_aversion", 3.0),
    ("price_cue", "customers.price_cue.strength", 0.15),
    ("learning", "customers.belief.learning", 0.5),
    ("expectation", "customers.expectation.up", 0.6),
    ("expectation", "customers.expectation.spillover", 0.1),
    ("attention", "customers.attention.base", -1.0),
    ("attention", "customers.attention.contact", 3.0),
    ("taste", "customers.taste.sd", 140),
    ("attachment", "customers.attachment.value", 300),
    ("attachment", "customers.attachment.growth", 0.05),
    ("sunk_cost", "customers.sunk_cost.weight", 0.9),
    ("switching_cost", "customers.switching_cost.mean", 220),
    ("transaction_cost", "customers.transaction_cost.mean", 90),
    ("termination", "firms.eton.contract.fee", 500),
    ("word_of_mouth", "customers.word_of_mouth.weight", 0.2),
    ("word_of_mouth", "customers.word_of_mouth.tell_base", 0.6),
    ("involuntary", "customers.hazards.lapse", 0.05),
    ("insolvency", "firms.eton.budget.insolvency", 0.0),
]


@pytest.mark.parametrize(("switch", "path", "value"), SWITCHES)
def test_a_mechanism_that_is_off_vanishes(small, switch, path, value):
    """Off, its parameters have no effect on anything; on, they do."""
    base = small.set({"firms.eton.contract.length": 6, "firms.eton.contract.fee": 60, "firms.eton.cash": 4})
    base = base.set({"firms.eton.strategy.restore": 10})

    def runs(on: bool):
        one = base.set({f"mechanisms.{switch}": on})
        return simulate(one, 5), simulate(one.set({path: value}), 5)

    def same(a, b) -> bool:
        return all(np.array_equal(a.measures[name], b.measures[name], equal_nan=True) for name in ("share", "churn", "profit", "satisfaction", "customers"))  # fmt: skip # noqa: E501

    assert same(*runs(False))
    assert not same(*runs(True))


def test_growth_brings_newcomers(small):
    """A growing market has the size it should, and newcomers without history."""
    record = simulate(small.set({"customers.growth": 0.02}), 1)
    size = record.market["customers"]
    np.testing.assert_array_equal(size[record.ticks <= 0], 800)
    assert size[-1] == int(800 * 1.02**24)
    assert record.market["newcomers"][record.ticks >= 1].sum() >= size[-1] - 800


def test_state_fits_in_200_bytes():
    """The state of one customer of two firms is small."""
    assert bytes_per_customer(2) <= 200


def test_stepping_past_the_horizon_goes_on(small):
    """A Mesa user may step as long as they like, with the same past."""
    model = ChurnModel(small.set({"horizon": 5}), rng=7)
    for _ in range(24):
        model.step()
    longer, whole = model.recorder.record(), simulate(small, 7)
    np.testing.assert_array_equal(longer.measures["share"], whole.measures["share"])


def test_the_schedule_is_the_documented_one():
    """The model description lists the phases in the order in which the code runs them."""
    import inspect
    import re
    from pathlib import Path

    body = inspect.getsource(ChurnModel.step_once).split('"""')[-1]
    in_code = [name for name in re.findall(r"self\.(\w+)\(\)", body)]
    text = (Path(__file__).parent.parent / "docs" / "model.md").read_text(encoding="utf-8")
    section = text.split("## Process overview and scheduling")[1].split("\n## ")[0]
    assert re.findall(r"`ChurnModel\.(\w+)`", section) == in_code


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    price=st.floats(150, 450),
    service=st.floats(0, 150),
    noise=st.floats(0, 300),
    switching=st.floats(0, 400),
    seed=st.integers(0, 2**62),
)
def test_any_parameters_keep_the_books_in_order(small, price, service, noise, switching, seed):
    """Whatever is allowed runs, stays finite, and conserves heads and shares."""
    scenario = small.set(
        {
            "customers.count": 200,
            "burn_in": 3,
            "horizon": 6,
            "firms.eton.price": price,
            "firms.eton.service": service,
            "customers.choice.noise": noise,
            "customers.switching_cost.mean": switching,
        }
    )
    record = simulate(scenario, seed)
    assert record.flows.min() >= 0
    np.testing.assert_array_equal(record.primary.sum(axis=2), record.measures["lost"])
    for name in ("profit", "cash", "quality", "price", "service"):
        assert np.isfinite(record.measures[name]).all()
    quality = record.measures["quality"]
    assert ((quality >= 0) & (quality <= 1)).all()
    for name in ("satisfaction", "expectation", "belief", "attachment"):
        column = record.measures[name]
        assert np.nanmin(column) >= 0
        assert np.nanmax(column) <= 1.2  # an expectation of a cheap unknown may carry a price cue


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**62), rise=st.floats(30, 120))
def test_charging_more_never_wins_customers(small, seed, rise):
    """Signs: under common luck, Eton's stays fall when its price rises, and Nanyuan's do not."""
    base = small.set({"customers.count": 400, "burn_in": 6, "horizon": 4}).arm("case")
    a = simulate(base, seed)
    b = simulate(base.move(1, firm="eton", price=225 + rise), seed)
    play = a.ticks >= 1
    assert b.measures["stays"][play, 1].sum() < a.measures["stays"][play, 1].sum()
    assert b.measures["stays"][play, 0].sum() >= a.measures["stays"][play, 0].sum()


def test_a_closed_firm_has_no_life_of_its_own(small):
    """Closed, a firm spends, wishes and earns nothing, and has neither price nor quality."""
    broke = small.set({"firms.eton.cash": -60, "firms.eton.relationship": "partnership"})
    record = simulate(broke, 3)
    eton = 1
    closed = next(tick for tick, _, event, _ in record.events if event == "insolvent")
    after = record.ticks > closed
    for name in ("profit", "relationship_cost", "service_cost", "shortfall", "revenue", "stays"):
        assert (record.measures[name][after, eton] == 0).all(), name
    for name in ("price", "service", "contacts", "quality", "crowding"):
        assert np.isnan(record.measures[name][after, eton]).all(), name
    assert (record.measures["spurious_loyal"][after, 0] == 0).mean() > 0.9


def test_credit_is_there_to_be_used(small):
    """A firm closes for debt beyond its credit line and the limit, not for using the line."""
    debts = {"firms.eton.fixed_cost": 25, "firms.eton.cash": 10}
    without, with_line = simulate(small.set(debts), 3), simulate(small.set({**debts, "firms.eton.credit": 1000}), 3)
    assert any(event == "insolvent" for _, _, event, _ in without.events)
    assert not any(event == "insolvent" for _, _, event, _ in with_line.events)


def test_a_growing_market_does_not_know_its_horizon(small):
    """How long a run will last changes nothing of what happens first, growth and hearsay included."""
    growing = small.set({"customers.growth": 0.03, "customers.count": 400})
    short, long = simulate(growing.set({"horizon": 8}), 2), simulate(growing, 2)
    for name, column in short.measures.items():
        np.testing.assert_array_equal(column, long.measures[name][: len(column)], err_msg=name)


def test_the_first_customers_do_not_depend_on_the_burn_in(small):
    """A longer burn-in means other histories, not other people."""
    a, b = (ChurnModel(small.set({"burn_in": n}), rng=5).columns for n in (0, 4))
    same = a.taste[0] == b.taste[0]
    assert same.mean() > 0.97  # some have left for good meanwhile
    np.testing.assert_array_equal(a.quality_value[same], b.quality_value[same])


def test_contract_terms_bind_those_who_signed_them(small):
    """A move of contract terms reaches new contracts; nobody is locked in by what they never signed."""
    base = small.set({"horizon": 10})
    locked = base.move(4, {"firms.nanyuan.contract.length": 24, "firms.nanyuan.contract.fee": 1e6})
    a, b = simulate(base, 3), simulate(locked, 3)
    at = a.ticks == 4
    assert b.measures["lost"][at, 0] == a.measures["lost"][at, 0]
    later = a.ticks > 6
    assert b.measures["lost"][later, 0].sum() < a.measures["lost"][later, 0].sum()

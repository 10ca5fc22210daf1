"""What customers are worth and could be worth, and what holds them."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import churnsim as cs
from churnsim.engine import valuation
from churnsim.ledger import accounts
from churnsim.lock_in import DRIVERS, HELD, RESISTANCES
from churnsim.mechanisms.rule import interpreted
from churnsim.model import ChurnModel

HOTELS = cs.load("two_hotels").arm("case").set({"customers.count": 400, "burn_in": 6, "horizon": 12})
TREATMENTS = {
    "contact": {"firms.nanyuan.relationship": "partnership"},
    "cheap": {"firms.nanyuan.price": 270},
}


# ---------------------------------------------------------------------- the value matrix

added_to = interpreted(valuation.added_to)


@pytest.fixture(scope="module")
def matrix():
    return cs.value_matrix(HOTELS, TREATMENTS, "nanyuan", seed=5)


def test_every_clv_is_that_of_a_run_of_its_own(matrix):
    """The same seed is the same people with the same luck, whatever the firm does to them."""
    start = ChurnModel(HOTELS, rng=5)
    rows = start.columns.provider == 1
    who = matrix.customers["customer"].to_numpy()
    np.testing.assert_array_equal(who, start.columns.id[rows])
    worlds = {"clv": HOTELS, **{name: HOTELS.move(1, changes) for name, changes in TREATMENTS.items()}}
    for name, world in worlds.items():
        model = ChurnModel(world.set({"ledger": True}), rng=5)
        model.run()
        frame = accounts(model)
        mine = frame[(frame["firm"] == "nanyuan") & (frame["entered"] == 0)].set_index("customer")["margin"]
        np.testing.assert_array_equal(matrix.customers[name].to_numpy(), mine.loc[who].to_numpy())


def test_potential_is_the_best_gain(matrix):
    frame = matrix.customers
    gains = frame[list(TREATMENTS)].sub(frame["clv"], axis=0)
    np.testing.assert_allclose(frame["potential"], gains.max(axis=1))
    expected = gains.idxmax(axis=1).where(frame["potential"] > 0, "nothing")
    assert frame["best"].tolist() == expected.tolist()
    assert set(frame["best"]) == {"nothing", *TREATMENTS}
    assert matrix.negative == (frame["clv"] < 0).mean() > 0


def test_cells_are_cut_at_the_medians(matrix):
    frame, cells = matrix.customers, matrix.cells
    assert matrix.cuts == (frame["clv"].median(), frame["potential"].median())
    assert ((frame["value"] == "high") == (frame["clv"] >= matrix.cuts[0])).all()
    assert cells["customers"].sum() == len(frame) and cells["share"].sum() == pytest.approx(1)
    for cell in cells.itertuples():
        here = frame[(frame["value"] == cell.value) & (frame["growth"] == cell.growth)]
        assert cell.customers == len(here)
        assert cell.clv == pytest.approx(here["clv"].mean())
        assert cell.potential == pytest.approx(here["potential"].mean())
        means = here[list(TREATMENTS)].mean() - here["clv"].mean()
        assert cell.best == (means.idxmax() if means.max() > 0 else "nothing")


def test_given_cuts_and_a_whole_scenario_as_a_treatment():
    same = cs.value_matrix(HOTELS, {"nothing_new": HOTELS.named("other")}, "eton", 5, cuts=(200, 1))
    assert same.cuts == (200, 1)
    assert (same.customers["potential"] == 0).all() and (same.customers["best"] == "nothing").all()
    low = same.cells[same.cells["growth"] == "low"]
    assert low["customers"].sum() == len(same.customers)
    high = same.cells[same.cells["growth"] == "high"]
    assert (high["customers"] == 0).all() and high["clv"].isna().all()


def test_clv_of_those_who_always_stay_is_an_annuity():
    """Nobody leaves and everybody buys each tick: margin x (1 - (1 + d)^-T) / d, less the relationship work."""
    off = dict.fromkeys((f"mechanisms.{name}" for name in type(HOTELS.mechanisms).model_fields), False)
    plan = HOTELS.set(
        {**off, "customers.opportunity": 1, "customers.choice": {"noise": 0, "outside_value": -1e6},
         "customers.belief.initial_sd": 0, "firms.eton.strategy": "passive", "firms.nanyuan.strategy": "passive"}
    )  # fmt: skip
    found = cs.value_matrix(plan, {"contact": {"firms.nanyuan.relationship": "proactive"}}, "nanyuan", 1, discount=0.03)
    firm, d, ticks = plan.firms["nanyuan"], 0.03, plan.horizon
    annuity = (1 - (1 + d) ** -ticks) / d
    margin = firm.price - firm.unit_cost - firm.service - firm.training
    np.testing.assert_allclose(found.customers["clv"], margin * annuity)
    cost = plan.relationship_levels["proactive"].cost
    np.testing.assert_allclose(found.customers["potential"], -cost * annuity)
    assert found.negative == 0 and set(found.cells["best"]) == {"nothing"}


def test_what_cannot_be_asked():
    with pytest.raises(ValueError, match=r"no firm 'grand' .*nanyuan, eton"):
        cs.value_matrix(HOTELS, TREATMENTS, "grand", 1)
    with pytest.raises(ValueError, match="at least one treatment"):
        cs.value_matrix(HOTELS, {}, "eton", 1)


def test_customers_not_worth_keeping():
    """Where looking after everybody alike costs more than some bring, these are worth less than nothing (S88)."""
    unlike = HOTELS.set({"mechanisms.sizes": True, "mechanisms.budget": False, "firms.nanyuan.strategy": "passive"})
    dear = unlike.set({"firms.nanyuan.relationship": "partnership"})
    found = cs.value_matrix(dear, {"no_more": {"firms.nanyuan.relationship": "basic"}}, "nanyuan", 1)
    frame = found.customers
    unworthy = frame["clv"] < 0
    assert 0.05 < found.negative == unworthy.mean() < 0.6
    # Not to have them is worth more than to have them, and looking after nobody would at least make them cost nothing.
    assert frame.loc[~unworthy, "clv"].sum() > frame["clv"].sum()
    assert (frame.loc[unworthy, "no_more"] >= 0).all()
    assert cs.value_matrix(unlike, TREATMENTS, "nanyuan", 1).negative == 0, "nobody costs anything here"


# ---------------------------------------------------------------------- love or lock-in


@pytest.fixture(scope="module")
def model() -> ChurnModel:
    terms = {f"firms.{firm}.contract": {"length": 6, "fee": 80} for firm in HOTELS.firms}
    model = ChurnModel(HOTELS.set({**terms, "customers.belief.initial_sd": 0.3}), rng=2)
    model.run(8)
    return model


@pytest.fixture(scope="module")
def held(model):
    return cs.holds(model)


def test_terms_are_those_of_the_decision(model, held):
    """Against the plain rules of `Customer`, with all costs and, on a copy without any, with none."""
    free = copy.deepcopy(model)
    for name in ("switching_cost", "transaction_cost", "sunk"):
        getattr(free.columns, name)[...] = 0
    free.market.contract_fee[...] = 0
    options = range(len(model.firms) + 1)
    rows = {int(who): row for row, who in enumerate(model.columns.id)}
    assert len(held.customers) == (model.columns.provider > 0).sum()
    for one in held.customers.itertuples():
        customer, careless = model.customers[rows[one.customer]], free.customers[rows[one.customer]]
        mine = int(customer.provider)
        assert one.firm == model.firms[mine - 1].name
        others = [option for option in options if option != mine]
        worth = {option: careless.value_of(option) for option in options}
        assert one.free == pytest.approx(worth[mine] - max(worth[option] for option in others), abs=1e-3)
        best = max(others, key=worth.__getitem__)
        assert one.alternative == (model.firms[best - 1].name if best else "outside")
        margin = customer.value_of(mine) - max(customer.value_of(option) for option in others)
        assert one.margin == pytest.approx(margin, abs=1e-3)
        assert one.held == ("love" if one.free >= 0 else "lock_in" if one.margin >= 0 else "leaving")
        assert sum(getattr(one, name) for name in DRIVERS) == pytest.approx(one.free, abs=1e-3)
        costs = sum(getattr(one, name) for name in RESISTANCES)
        resisted = customer.value_of(mine) - customer.value_of(best) - one.free
        assert costs == pytest.approx(resisted, abs=1e-3)


def test_everything_that_holds_is_there(held):
    for name in (*DRIVERS, *RESISTANCES):
        assert (held.customers[name] != 0).any() == (name not in ("dealings", "card")), name
    assert set(held.customers["held"]) == set(HELD)


def test_points_and_other_dealings_hold_too():
    """The margin is that of the decision, with points as a resistance and all else of dealings as a driver."""
    changes = {
        "customers.count": 150, "burn_in": 8, "mechanisms.loyalty_card": True, "mechanisms.ethics": True,
        "mechanisms.acquisition": True, "customers.acquisition.known": 0.6, "customers.ethics.kindred": 0.5,
        "firms.nanyuan.card.points": 0.1, "firms.eton.responsibility.kinship": 1,
    }  # fmt: skip
    model = cs.ChurnModel(cs.load("two_hotels").set(changes), rng=2)
    held = cs.holds(model).customers
    assert (held["dealings"] != 0).any()
    assert (held["card"] != 0).any()
    rows = {int(who): row for row, who in enumerate(model.columns.id)}
    nothing = np.float32(0)
    for one in held.itertuples():
        row = rows[one.customer]
        customer = model.customers[row]
        worth = [customer.value_of(k) + added_to(nothing, model.dealings, row, k) for k in range(3)]
        mine = int(customer.provider)
        assert one.margin == pytest.approx(worth.pop(mine) - max(worth), abs=1e-3)


def test_shares_by_firm(held):
    for row in held.firms.itertuples():
        mine = held.customers[held.customers["firm"] == row.firm]
        assert row.customers == len(mine) > 50
        assert row.love + row.lock_in + row.leaving == pytest.approx(1)
        assert row.lock_in == pytest.approx((mine["held"] == "lock_in").mean())
        assert row.switching_cost == pytest.approx(mine["switching_cost"].mean(), rel=1e-5)


def test_without_resistances_nobody_is_locked_in():
    off = {f"mechanisms.{name}": False for name in (*RESISTANCES[:3], "termination")}
    found = cs.holds(ChurnModel(HOTELS.set(off), rng=2))
    assert (found.firms["lock_in"] == 0).all() and found.firms["leaving"].max() > 0
    assert (found.customers[list(RESISTANCES)] == 0).all(axis=None)
    dear = cs.holds(ChurnModel(HOTELS.set({"customers.switching_cost": 1e6}), rng=2))
    assert (dear.firms["leaving"] == 0).all() and dear.firms["lock_in"].max() > 0


MEASURES = {
    "price": ({"firms.nanyuan.price": 290}, {"surplus", "reference"}),
    "service": ({"firms.nanyuan.service": 120}, {"surplus"}),
    "relationship": ({"firms.nanyuan.relationship": "partnership"}, {"attachment"}),
    "club": ({"firms.nanyuan.card.club": 10}, {"attachment"}),
    "points": ({"firms.nanyuan.card.points": 0.1}, {"card"}),
    "contract": ({"firms.nanyuan.contract.length": 12, "firms.nanyuan.contract.fee": 200}, {"termination"}),
    "special treatment": (
        {f"firms.nanyuan.save.{name}": 1 for name in ("coverage", "threshold", "precision")},
        {"dealings"},
    ),
    "help with needs": ({"firms.nanyuan.listening.spend": 50}, {"dealings"}),
}
"""What a firm may do to keep customers, and the component of what holds them that it is about (course S95): obstacles
to rivals (price, service, contract), trust (relationship, club), needs (help, special treatment), barriers (points,
contract)."""

FELT_AFTER = {"contract": 6, "points": 2}
"""Ticks until a measure is felt, where it takes more than one: who signs a contract is bound, and points are earned."""


@pytest.mark.parametrize("measure", MEASURES)
def test_each_lever_moves_its_own_component(measure):
    """One tick after a measure was taken its own component has moved for those who are there, and hardly any other."""
    changes, own = MEASURES[measure]
    on = {f"mechanisms.{name}": True for name in ("loyalty_card", "save_offers", "life_cycle")}
    off = {f"mechanisms.{name}": False for name in ("budget", "price_cue", "crowding", "word_of_mouth")}
    base = cs.load("two_hotels").arm("both_passive").set({**on, **off, "customers.count": 3000, "burn_in": 6})
    found = []
    for plan in (base, base.move(1, changes)):
        model = ChurnModel(plan, rng=4)
        model.run(FELT_AFTER.get(measure, 1))
        held = cs.holds(model).customers
        found.append(held[held["firm"] == "nanyuan"].set_index("customer"))
    before, after = found
    both = before.index.intersection(after.index)
    both = both[(before.loc[both, "alternative"] == after.loc[both, "alternative"]).to_numpy()]
    assert len(both) > 300
    terms = [*DRIVERS, *RESISTANCES]
    moved = (after.loc[both, terms] - before.loc[both, terms]).abs().mean()
    assert (moved[list(own)] > 0).all()
    rest = moved.drop(list(own))
    assert rest.max() < 0.15 * moved[list(own)].sum(), moved


def test_a_model_before_its_first_tick_and_one_without_customers():
    fresh = cs.holds(ChurnModel(HOTELS.set({"burn_in": 0}), rng=1))
    assert len(fresh.customers) > 200
    empty = HOTELS.set({"burn_in": 0, "firms.eton.initial_share": 0, "firms.nanyuan.initial_share": 0})
    nobody = cs.holds(ChurnModel(empty, rng=1))
    assert nobody.customers.empty and nobody.firms["customers"].tolist() == [0, 0]

"""Every strategy keeps the contract; each does what it says."""

from __future__ import annotations

import copy
import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from churnsim import ChurnModel, load, simulate
from churnsim.config.firms import LEVELS
from churnsim.declarations import declaration
from churnsim.firms import StrategyError
from churnsim.randomness import firm_luck
from churnsim.strategies import (
    REGISTRY,
    Action,
    Mixed,
    Passive,
    PriceCut,
    Random,
    RelationshipInvestment,
    ServiceQuality,
    Strategy,
    View,
    read_strategy,
)

BUILT_IN = sorted(name for name, cls in REGISTRY.items() if cls.__module__.startswith("churnsim."))

VIEW = View(
    tick=1, price=300.0, service=80.0, training=0.0, relationship="basic", relationship_budget=None, last_price=300.0,
    last_relationship="basic", unit_cost=90.0, fixed_cost=13.3, cash=50.0, credit=0.0, customers=0.3, stays=0.15,
    expected_stays=0.15, capacity=0.14, share=0.3, churn=0.1, quality=0.74, profit=5.0, rival_prices=(300.0,),
    luck=(0.2, 0.4, 0.6, 0.8),
)  # fmt: skip
MONEY = (
    "price", "service", "training", "relationship_budget", "last_price", "unit_cost", "fixed_cost", "cash", "credit",
    "profit", "rival_prices",
)  # fmt: skip

shares = st.floats(0, 1)
money = st.just(0.0) | st.floats(0.01, 1000)  # no subnormal numbers: eight times their rounding is another
views = st.builds(
    View, tick=st.integers(1, 200), price=money, service=money, training=money, relationship=st.sampled_from(LEVELS),
    relationship_budget=st.none() | money, last_price=money, last_relationship=st.sampled_from(LEVELS),
    unit_cost=money, fixed_cost=money, cash=st.floats(-1000, 1000), credit=money, customers=shares, stays=shares,
    expected_stays=shares, capacity=shares, share=shares, churn=shares, quality=shares, profit=st.floats(-1000, 1000),
    rival_prices=st.lists(money, max_size=7).map(tuple), luck=st.tuples(*[st.floats(2**-24, 1 - 2**-24)] * 4),
)  # fmt: skip
properties = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def at(tick: int, **changes) -> View:
    """Return the default view in another tick."""
    return dataclasses.replace(VIEW, tick=tick, **changes)


def in_force(action: Action, view: View) -> dict[str, object]:
    """Return the levers that hold after an action: its own, or the list's."""
    names = ("price", "service", "training", "relationship", "relationship_budget")
    return {n: getattr(view, n) if getattr(action, n) is None else getattr(action, n) for n in names}


def check(action: Action) -> None:
    """Assert that an action is one that a firm can carry out."""
    assert isinstance(action, Action)
    for lever in ("price", "service", "training", "relationship_budget"):
        value = getattr(action, lever)
        assert value is None or (isinstance(value, (int, float)) and math.isfinite(value) and value >= 0), lever
    assert action.relationship is None or action.relationship in LEVELS
    assert isinstance(action.promotion, bool)


def extremes(cls: type[Strategy]) -> list[Strategy]:
    """Return the strategy with each of its numbers at either bound."""
    found = [cls()]
    for name, field in cls.model_fields.items():
        about = declaration(field)
        if about is None or about.low is None:
            continue
        for value in (about.low, about.high):
            number = int(value) if field.annotation in (int, int | None) else value
            try:
                found.append(cls(**{name: number}))
            except ValidationError as error:
                # The bound contradicts another default; then the message must say which.
                assert "must come after" in str(error)
    return found


# ------------------------------------------------------------------ the contract


def test_there_are_strategies():
    assert len(BUILT_IN) >= 6
    assert {"passive", "random"} <= set(BUILT_IN), "the controls"


@pytest.fixture(scope="module")
def tiny():
    """Return a market small enough for every strategy."""
    return load("two_hotels").arm("both_passive").set({"customers.count": 60, "burn_in": 1, "horizon": 3})


@pytest.mark.parametrize("name", BUILT_IN)
class TestContract:
    """What every strategy in the registry keeps to."""

    def test_defaults_and_name(self, name):
        strategy = REGISTRY[name]()
        assert strategy.name == name
        assert read_strategy(name) == strategy == read_strategy({"name": name})
        check(strategy.decide(VIEW))

    def test_decide_is_pure(self, name):
        @properties
        @given(views)
        def body(view):
            strategy = REGISTRY[name]()
            seen, own = copy.deepcopy(view), strategy.model_dump()
            action = strategy.decide(view)
            check(action)
            strategy.decide(dataclasses.replace(view, tick=view.tick + 5, price=1.0))
            assert strategy.decide(view) == action == REGISTRY[name]().decide(copy.deepcopy(view))
            assert view == seen
            assert strategy.model_dump() == own

        body()

    def test_is_frozen_and_strict(self, name):
        strategy = REGISTRY[name]()
        with pytest.raises(ValidationError, match="frozen"):
            strategy.name = "other"
        with pytest.raises(ValidationError, match="nonsense"):
            read_strategy({"name": name, "nonsense": 1})
        with pytest.raises(ValidationError):
            REGISTRY[name](name="other")

    def test_round_trip(self, name):
        for strategy in extremes(REGISTRY[name]):
            text = json.dumps(strategy.model_dump(mode="json"))
            assert read_strategy(json.loads(text)) == strategy

    def test_parameters_are_declared(self, name):
        for field_name, field in REGISTRY[name].model_fields.items():
            if field_name == "name":
                continue
            about = declaration(field)
            assert about is not None, f"{field_name} is not declared"
            assert about.label["en"].strip() and about.label["zh"].strip()
            assert not about.label["zh"].isascii()
            assert about.unit and about.source
            if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
                assert about.low is not None and about.high is not None, f"{field_name} has no bounds"
                assert about.low <= field.default <= about.high
            if about.plausible:
                assert about.low <= about.plausible[0] < about.plausible[1] <= about.high

    def test_docstring_lists_names(self, name):
        doc = REGISTRY[name].__doc__
        assert "Names: " in doc
        assert doc.strip().splitlines()[0].endswith(".")

    def test_runs_in_a_market_at_its_bounds_too(self, name, tiny):
        for strategy in extremes(REGISTRY[name]):
            record = simulate(tiny.set({"firms.eton.strategy": strategy.model_dump()}), 1)
            assert record.ticks[-1] == 3
            trades = record.measures["open"] == 1  # a firm that gives everything away may have to close
            for measure in ("price", "quality", "profit", "cash", "share", "contacts"):
                assert np.isfinite(record.measures[measure][trades]).all(), (strategy, measure)

    def test_money_times_eight(self, name):
        @properties
        @given(views)
        def body(view):
            def scaled(value):
                return None if value is None else tuple(8 * x for x in value) if isinstance(value, tuple) else 8 * value

            rich = dataclasses.replace(view, **{field: scaled(getattr(view, field)) for field in MONEY})
            cls = REGISTRY[name]
            own = {
                field_name: scaled(getattr(cls(), field_name))
                for field_name, field in cls.model_fields.items()
                if (about := declaration(field)) and about.unit.startswith("currency")
            }
            plain, richer = in_force(cls().decide(view), view), in_force(cls(**own).decide(rich), rich)
            assert richer.pop("relationship") == plain.pop("relationship")
            assert richer == {lever: scaled(value) for lever, value in plain.items()}

        body()


def test_money_of_the_view_is_all_of_its_money():
    """The list above names every field of the view that is an amount."""
    others = {
        "tick", "relationship", "last_relationship", "customers", "stays", "expected_stays", "capacity", "share",
        "churn", "quality", "luck",
    }  # fmt: skip
    assert set(MONEY) | others == {field.name for field in dataclasses.fields(View)}


# ------------------------------------------------------------------ reading and registering


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("price_cutt", "unknown strategy 'price_cutt'; did you mean 'price_cut'?"),
        ({"name": "relationshp_investment"}, "did you mean 'relationship_investment'?"),
        ("zzz", "unknown strategy 'zzz' (mixed, passive"),
        (3, "a strategy is a name, or a mapping with a name and parameters"),
        ({"depth": 0.2}, "a strategy is a name, or a mapping with a name and parameters"),
        (None, "a strategy is a name"),
    ],
)
def test_unknown_strategies(value, message):
    with pytest.raises(ValueError) as caught:
        read_strategy(value)
    assert message in str(caught.value)


def test_defining_a_strategy_registers_it(tiny):
    """A user's class is found by its name at once, and used by a scenario."""
    try:

        class Undercut(Strategy):
            """Ask one per cent less than the cheapest rival did.

            Names: undercutting.
            """

            name: str = "undercut_in_test"

            def decide(self, view: View) -> Action:
                return Action(price=0.99 * min(view.rival_prices, default=view.price))

        scenario = tiny.set({"firms.eton.strategy": "undercut_in_test", "firms.nanyuan.price": 200})
        np.testing.assert_allclose(simulate(scenario, 1).measures["price"][-3:, 1], 198)
        with pytest.raises(TypeError, match="two strategies are named 'undercut_in_test'"):

            class Other(Strategy):
                name: str = "undercut_in_test"

    finally:
        REGISTRY.pop("undercut_in_test", None)
    with pytest.raises(TypeError, match="Nameless needs a default for 'name'"):

        class Nameless(Strategy):
            pass

    assert sorted(name for name, cls in REGISTRY.items() if cls.__module__.startswith("churnsim.")) == BUILT_IN


# ------------------------------------------------------------------ what each does


def test_passive_keeps_the_list():
    assert Passive().decide(VIEW) == Action()


def test_price_cut_runs_from_start_until_restore():
    """25 % off from the first tick to the one before the price returns; a label if announced."""
    cut = PriceCut(depth=0.25, start=3, restore=6)
    prices = [in_force(cut.decide(at(tick)), VIEW)["price"] for tick in range(1, 9)]
    assert prices == [300, 300, 225, 225, 225, 300, 300, 300]
    assert [in_force(PriceCut().decide(at(tick)), VIEW)["price"] for tick in (1, 500)] == [225, 225]
    announced = PriceCut(promotion=True, restore=4)
    assert [announced.decide(at(tick)).promotion for tick in (3, 4)] == [True, False]
    assert in_force(cut.decide(at(3)), VIEW) == {**in_force(Action(), VIEW), "price": 225}


@pytest.mark.parametrize(("start", "restore"), [(5, 5), (5, 3)])
def test_a_cut_lasts_at_least_a_tick(start, restore):
    with pytest.raises(ValidationError, match=rf"restore \({restore}\) must come after start \({start}\)"):
        PriceCut(start=start, restore=restore)


def test_relationship_investment_adds_training_and_contacts():
    """The list price stands; training comes on top of the list's, the level replaces it."""
    invest = RelationshipInvestment(level="partnership", training=5, budget=3, start=2)
    view = at(2, training=4.0)
    assert invest.decide(at(1)) == Action()
    assert in_force(invest.decide(view), view) == {
        **in_force(Action(), view), "training": 9, "relationship": "partnership", "relationship_budget": 3,
    }  # fmt: skip


def test_service_quality_adds_service_money():
    assert in_force(ServiceQuality(extra=20).decide(VIEW), VIEW) == {**in_force(Action(), VIEW), "service": 100}
    assert ServiceQuality(start=4).decide(at(3)) == Action()


def test_mixed_pulls_three_levers():
    mixed = Mixed(depth=0.1, level="accountable", extra=5, start=4)
    assert mixed.decide(at(3)) == Action()
    assert in_force(mixed.decide(at(4)), VIEW) == {
        **in_force(Action(), VIEW), "price": 270, "service": 85, "relationship": "accountable",
    }  # fmt: skip


def test_random_draws_at_reviews_only():
    """Uniform prices around the list and every level, redrawn every six ticks; in between nothing moves."""
    strategy = Random(price_spread=0.3, every=6)
    assert [tick for tick in range(1, 20) if strategy.decide(at(tick, last_price=1.0)).price != 1] == [1, 7, 13, 19]
    held = strategy.decide(at(8, last_price=333.0, last_relationship="partnership"))
    assert (held.price, held.relationship) == (333, "partnership")
    drawn = [strategy.decide(at(1, luck=firm_luck(1, tick, "eton"))) for tick in range(3000)]
    prices = np.array([action.price for action in drawn]) / 300
    assert 0.7 < prices.min() < 0.71 and 1.29 < prices.max() < 1.3
    assert abs(prices.mean() - 1) < 4 * 0.6 / np.sqrt(12 * prices.size)
    counts = np.array([sum(action.relationship == level for action in drawn) for level in LEVELS])
    assert np.abs(counts - 600).max() < 4.5 * np.sqrt(3000 * 0.2 * 0.8)
    high = np.array([LEVELS.index(action.relationship) for action in drawn])
    assert abs(np.corrcoef(prices, high)[0, 1]) < 4 / np.sqrt(3000), "price and level are drawn apart"


# ------------------------------------------------------------------ in a market


def run_with(tiny, **strategies):
    """Return the measures of a short run with the given strategies."""
    changes = {f"firms.{firm}.strategy": strategy for firm, strategy in strategies.items()}
    return simulate(tiny.set({"horizon": 12, "customers.count": 200, **changes}), 2)


def test_levers_reach_the_market(tiny):
    """What a strategy decides is what the recorder sees, from tick 1 on."""
    record = run_with(
        tiny,
        eton={"name": "price_cut", "depth": 0.2, "start": 4, "restore": 9},
        nanyuan={"name": "relationship_investment", "level": "partnership", "training": 5},
    )
    play = record.ticks >= 1
    m = {name: column[play] for name, column in record.measures.items()}
    assert m["price"][:, 1].tolist() == [300] * 3 + [240] * 5 + [300] * 4
    assert m["price"][:, 0].tolist() == [300] * 12
    assert m["contacts"][0, 0] == pytest.approx(2) and (m["contacts"][:, 1] == 0).all()
    np.testing.assert_allclose(m["training"][0], [5, 0])
    before = {name: column[~play] for name, column in record.measures.items()}
    assert (before["contacts"] == 0).all() and (before["price"] == 300).all(), "burn-in follows the list"


def test_service_money_becomes_quality(tiny):
    better, same = (run_with(tiny, eton=s).measures["quality"][:, 1] for s in ("service_quality", "passive"))
    assert better[0] == same[0], "tick 0 is before the strategy"
    assert (np.diff(better) > 0).all()
    assert better[-1] > same[-1] + 0.03


def test_two_random_firms_draw_apart(tiny):
    """Each firm has luck of its own, the same whether or not its rival draws too."""
    both = run_with(tiny, eton="random", nanyuan="random").measures["price"][1:]
    alone = run_with(tiny, eton="random").measures["price"][1:]
    np.testing.assert_array_equal(both[:, 1], alone[:, 1])
    assert [len(set(both[:6, 0])), len(set(both[6:, 0])), len(set(both[:, 0]))] == [1, 1, 2]
    assert (both[:, 0] != both[:, 1]).all()


def test_a_strategy_sees_only_its_own_books(tiny):
    """The view's numbers are the firm's own, per market customer; of rivals it holds prices only."""
    model = ChurnModel(tiny.set({"firms.nanyuan.price": 280}), rng=1)
    model.step()
    nanyuan, eton = model.firms
    view = eton.view()
    record = model.recorder.record()
    count = tiny.customers.count
    assert view.rival_prices == (280,)
    assert view.price == view.last_price == 300
    assert view.customers == (model.columns.provider == 2).sum() / count
    assert view.stays == (model.columns.choice == 2).sum() / count
    assert view.profit * count == pytest.approx(record.measures["profit"][-1, 1])
    assert view.cash * count == pytest.approx(record.measures["cash"][-1, 1])
    assert (view.share, view.churn, view.quality) == tuple(
        record.measures[name][-1, 1] for name in ("share", "churn", "quality")
    )
    assert view.luck == firm_luck(1, 1, "eton") != nanyuan.view().luck
    with pytest.raises(dataclasses.FrozenInstanceError):
        view.cash = 1e9


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "must return an Action, not NoneType"),
        (Action(price=-50), "price must be between 0 and"),
        (Action(service=float("nan")), "service must be between 0 and"),
        (Action(price=1e40), "price must be between 0 and"),
        (Action(relationship="super"), "relationship must be one of"),
        (Action(relationship_budget="much"), "relationship_budget must be between"),
    ],
)
def test_an_impossible_action_is_named_with_firm_and_tick(returned, message):
    """What a strategy may not do stops the run, with the strategy, the firm and the tick."""
    unheard = f"unheard_{abs(hash(message + repr(returned)))}"
    kind = type(
        "Unheard", (Strategy,), {"__annotations__": {"name": str}, "name": unheard, "decide": lambda s, v: returned}
    )
    try:
        case = load("two_hotels").arm("case").set({"customers.count": 20, "burn_in": 0, "horizon": 2})
        odd = case.set({"firms.eton.strategy": unheard})
        with pytest.raises(StrategyError, match=rf"strategy '{unheard}' of firm 'eton', tick 1: .*{message}"):
            ChurnModel(odd, rng=1).step()
    finally:
        REGISTRY.pop(kind.model_fields["name"].default)

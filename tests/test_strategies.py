"""Every strategy keeps the contract; each does what it says."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from churnsim import ChurnModel, Scenario, load, run, simulate
from churnsim.config.firms import LEVELS
from churnsim.config.mechanisms import DEALINGS
from churnsim.dealings import about as about_dealings
from churnsim.decisions import what_is_wrong
from churnsim.declarations import Record, declaration
from churnsim.engine.compiled import Compiled
from churnsim.firms import StrategyError
from churnsim.markets import Markets
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
from churnsim.strategies.base import DEALINGS_LEVERS
from churnsim.strategies.best_reply import best_price
from churnsim.strategies.timing import Programme
from conftest import ROOT

BUILT_IN = sorted(name for name, cls in REGISTRY.items() if cls.__module__.startswith("churnsim."))

VIEW = View(
    tick=1, price=300.0, service=80.0, training=0.0, relationship="basic", relationship_budget=None, last_price=300.0,
    last_relationship="basic", unit_cost=90.0, fixed_cost=13.3, cash=50.0, credit=0.0, customers=0.3, stays=0.15,
    expected_stays=0.15, capacity=0.14, share=0.3, churn=0.1, quality=0.74, profit=5.0, satisfaction=0.6,
    rival_prices=(300.0,), rival_shares=(0.3,), rival_levels=("basic",), rival_promotions=(False,),
    luck=(0.2, 0.4, 0.6, 0.8),
)  # fmt: skip
MONEY = (
    "price", "service", "training", "relationship_budget", "last_price", "unit_cost", "fixed_cost", "cash", "credit",
    "profit", "rival_prices",
)  # fmt: skip

shares = st.floats(0, 1)
money = st.just(0.0) | st.floats(0.01, 1000)  # no subnormal numbers: eight times their rounding is another
rivals = st.lists(st.tuples(money, shares, st.sampled_from(LEVELS), st.booleans()), max_size=7)


def with_rivals(view: View, found: list) -> View:
    """Return a view of a market with the given rivals."""
    columns = tuple(zip(*found, strict=True)) or ((), (), (), ())
    names = ("rival_prices", "rival_shares", "rival_levels", "rival_promotions")
    return dataclasses.replace(view, **dict(zip(names, columns, strict=True)), memory={})


views = st.builds(with_rivals, st.builds(
    View, tick=st.integers(1, 200), price=money, service=money, training=money, relationship=st.sampled_from(LEVELS),
    relationship_budget=st.none() | money, last_price=money, last_relationship=st.sampled_from(LEVELS),
    unit_cost=money, fixed_cost=money, cash=st.floats(-1000, 1000), credit=money, customers=shares, stays=shares,
    expected_stays=shares, capacity=shares, share=shares, churn=shares, quality=shares, profit=st.floats(-1000, 1000),
    satisfaction=shares, rival_prices=st.just(()), rival_shares=st.just(()), rival_levels=st.just(()),
    rival_promotions=st.just(()), luck=st.tuples(*[st.floats(2**-24, 1 - 2**-24)] * 4), memory=st.just({}),
), rivals)  # fmt: skip
properties = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def at(tick: int, **changes) -> View:
    """Return the default view in another tick, with an empty memory."""
    return dataclasses.replace(VIEW, tick=tick, **{"memory": {}, **changes})


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
    assert what_is_wrong(action) is None
    for lever in DEALINGS_LEVERS:
        assert not isinstance(getattr(action, lever), np.generic), lever


def same_notes(one: dict, other: dict) -> bool:
    """Return whether two memories hold the same."""
    return set(one) == set(other) and all(np.array_equal(one[name], other[name]) for name in one)


def is_money(lever: str) -> bool:
    """Return whether a lever is an amount of money."""
    if lever in DEALINGS_LEVERS:
        return about_dealings(lever).unit.startswith("currency")
    return lever in ("price", "service", "training", "relationship_budget", "contract_fee")


def times_eight(value):
    """Return money times eight."""
    return None if value is None else tuple(8 * x for x in value) if isinstance(value, tuple) else 8 * value


def enriched(strategy):
    """Return a strategy whose amounts of money are eight times as large, those of its members included."""
    values = {}
    for name, field in type(strategy).model_fields.items():
        value, about = getattr(strategy, name), declaration(field)
        if isinstance(value, Record):
            values[name] = enriched(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], Record):
            values[name] = tuple(enriched(member) for member in value)
        elif about and about.unit.startswith("currency"):
            values[name] = times_eight(value)
    return strategy.model_copy(update=values)


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
    assert len(BUILT_IN) >= 43
    assert {"passive", "random"} <= set(BUILT_IN), "the controls"
    section = (
        (ROOT / "docs/scenarios.md").read_text(encoding="utf-8").partition("## Strategies")[2].partition("\n## ")[0]
    )
    table = "".join(line for line in section.splitlines() if line.startswith("|"))
    assert sorted(re.findall(r"`(\w+)`", table)) == BUILT_IN, "the guide lists them all"


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
            first, own = copy.deepcopy(view), strategy.model_dump()
            for step in range(3):  # what it decides follows from the view and its notes alone
                seen = dataclasses.replace(view, tick=view.tick + step)
                before, twin = copy.deepcopy(seen), copy.deepcopy(seen)
                action = strategy.decide(seen)
                check(action)
                strategy.decide(dataclasses.replace(copy.deepcopy(seen), tick=view.tick + 5, price=1.0))
                assert strategy.decide(copy.deepcopy(before)) == action == REGISTRY[name]().decide(twin)
                assert same_notes(seen.memory, twin.memory)
                assert dataclasses.replace(seen, memory={}) == dataclasses.replace(before, memory={})
            assert dataclasses.replace(view, tick=first.tick, memory={}) == first
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
        assert "Names (recalled): " in doc
        assert doc.strip().splitlines()[0].endswith(".")
        words = doc.partition("Names (recalled): ")[2]
        ours = name in ("passive", "portfolio")  # what needs no reference, or has one of another kind
        assert ours or re.search(r"[A-Z][a-z]+[^.]* (19|20)\d\d", words), "no reference"

    def test_runs_in_a_market_at_its_bounds_too(self, name, tiny):
        tried = extremes(REGISTRY[name])
        plans = [tiny.set({"firms.eton.strategy": strategy.model_dump()}) for strategy in tried]
        records = Markets(plans, [1] * len(plans), engine=Compiled()).run_to_horizon()
        for strategy, record in zip(tried, records, strict=True):
            assert record.ticks[-1] == 3
            trades = record.measures["open"] == 1  # a firm that gives everything away may have to close
            for measure in ("price", "quality", "profit", "cash", "share", "contacts"):
                assert np.isfinite(record.measures[measure][trades]).all(), (strategy, measure)

    def test_money_times_eight(self, name):
        @properties
        @given(views)
        def body(view):
            rich = dataclasses.replace(view, **{field: times_eight(getattr(view, field)) for field in MONEY}, memory={})
            poor, richer = REGISTRY[name](), enriched(REGISTRY[name]())
            for step in range(4):
                here, there = (dataclasses.replace(one, tick=view.tick + step) for one in (view, rich))
                plain, more = poor.decide(here), richer.decide(there)
                for lever in Action.__dataclass_fields__:
                    expected = getattr(plain, lever)
                    assert getattr(more, lever) == (times_eight(expected) if is_money(lever) else expected), lever

        body()


def test_money_of_the_view_is_all_of_its_money():
    """The list above names every field of the view that is an amount."""
    others = {
        "tick", "relationship", "last_relationship", "customers", "stays", "expected_stays", "capacity", "share",
        "churn", "quality", "luck", "satisfaction", "rival_shares", "rival_levels", "rival_promotions", "memory",
    }  # fmt: skip
    assert set(MONEY) | others == {field.name for field in dataclasses.fields(View)}


# ------------------------------------------------------------------ reading and registering


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("price_cutt", "unknown strategy 'price_cutt'; did you mean 'price_cut'?"),
        ({"name": "relationshp_investment"}, "did you mean 'relationship_investment'?"),
        ("zzz", "unknown strategy 'zzz' (account_management, advertising"),
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


# ------------------------------------------------------------------ programmes, splits and mixtures

PROGRAMMES = [name for name in BUILT_IN if issubclass(REGISTRY[name], Programme)]


@pytest.mark.parametrize("name", PROGRAMMES)
def test_a_programme_sets_its_levers_from_its_start(name):
    """Every parameter is the lever of its name, within the lever's own bounds and in its unit."""
    strategy = REGISTRY[name](start=3)
    assert strategy.decide(at(2)) == Action()
    action = strategy.decide(at(3))
    assert action != Action()
    for lever, parameter in strategy.levers().items():
        assert getattr(action, lever) == getattr(strategy, parameter)
        mine, theirs = declaration(type(strategy).model_fields[parameter]), about_dealings(lever)
        assert (mine.unit, mine.low, mine.high) == (theirs.unit, theirs.low, theirs.high), lever


def test_every_lever_of_dealings_has_a_strategy():
    pulled = {lever for name in BUILT_IN for lever, value in vars(REGISTRY[name]().decide(VIEW)).items() if value}
    assert set(DEALINGS_LEVERS) - pulled <= {
        "recovery_guarantee", "card_club", "card_perks", "screening_review",
    }, "0 by default"  # fmt: skip


@pytest.mark.parametrize("acquisition", [0, 0.1, 0.5, 1])
@pytest.mark.parametrize("parts", [{}, {"reminders": 0, "club": 1, "relationship": 0.2}, {"club": 0}])
def test_a_budget_is_spent_however_it_is_split(acquisition, parts):
    """Advertising per market customer and the rest per own customer come to the budget."""
    action = REGISTRY["budget_split"](budget=2, acquisition=acquisition, **parts).decide(at(1, customers=0.4))
    kept = action.reminders_spend + action.card_club + action.relationship_budget
    assert action.advertising_spend + 0.4 * kept == pytest.approx(2)
    assert action.advertising_spend == pytest.approx(2 * acquisition)


@pytest.mark.parametrize("mixture", ["portfolio", "lottery"])
@pytest.mark.parametrize("name", [name for name in BUILT_IN if name not in ("portfolio", "lottery")])
def test_a_mixture_of_one_is_that_strategy(name, mixture):
    alone = REGISTRY[name]()
    mixed = read_strategy({"name": mixture, "members": [{"strategy": name, "weight": 0.3}]})
    mine, theirs = {}, {}
    for tick in range(1, 12):
        seen = {"share": 0.2 + 0.01 * tick, "profit": float(tick % 5), "customers": 0.03 * tick}
        expected = alone.decide(at(tick, memory=mine, **seen))
        assert mixed.decide(at(tick, memory=theirs, **seen)) == expected
    assert same_notes({f"0.{name}": note for name, note in mine.items()}, {k: v for k, v in theirs.items() if "." in k})


def test_a_portfolio_combines_what_its_members_wish():
    """What one moves goes where it wishes; what two move to the weighted mean; the heaviest picks the level."""
    members = [
        {"strategy": {"name": "price_cut", "depth": 0.4}, "weight": 1},
        {"strategy": {"name": "mixed", "depth": 0, "level": "accountable", "extra": 8}, "weight": 3},
        {"strategy": {"name": "relationship_investment", "level": "partnership"}, "weight": 2},
    ]
    action = read_strategy({"name": "portfolio", "members": members}).decide(VIEW)
    assert action.price == pytest.approx((180 + 3 * 300) / 4)
    assert (action.service, action.training, action.relationship) == (88, 5, "accountable")


def test_a_lottery_draws_by_weight():
    """One draw for good, or one every few ticks; chances in proportion to the weights."""
    members = [{"strategy": "price_cut", "weight": 3}, "service_quality"]

    def drawn(every, seed):
        lottery, memory = read_strategy({"name": "lottery", "members": members, "every": every}), {}
        return [
            lottery.decide(at(tick, luck=firm_luck(seed, tick, "eton"), memory=memory)).price is not None
            for tick in range(1, 13)
        ]

    once = np.array([drawn(0, seed) for seed in range(400)])
    assert (once == once[:, :1]).all()
    assert abs(once[:, 0].mean() - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 400)
    often = np.array([drawn(4, seed) for seed in range(400)])
    assert (often[:, :4] == often[:, :1]).all() and (often[:, 4:8] == often[:, 4:5]).all()
    assert abs(np.corrcoef(often[:, 0], often[:, 4])[0, 1]) < 4 / np.sqrt(400)
    assert abs(often[:, 8].mean() - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 400)


def test_a_mixture_names_at_least_one():
    with pytest.raises(ValidationError, match="members must name at least one strategy"):
        read_strategy({"name": "portfolio", "members": []})


def test_a_mixture_with_a_strategy_for_one_market_is_one():
    """A member that is not written for arrays makes the whole be asked market by market."""
    try:

        class Plain(Strategy):
            name: str = "plain_in_test"

            def decide(self, view: View) -> Action:
                return Action(price=200 if view.share > 0 else 300)

        mixed = read_strategy({"name": "portfolio", "members": ["plain_in_test", "harvest"]})
        assert not mixed.for_arrays and read_strategy("portfolio").for_arrays
        plan = load("two_hotels").arm("both_passive").set({"customers.count": 40, "burn_in": 1, "horizon": 2})
        with pytest.warns(UserWarning, match="Portfolio is not written for arrays"):
            run(plan.set({"firms.eton.strategy": mixed}), seeds=range(2), jobs=1, progress=False)
    finally:
        REGISTRY.pop("plain_in_test", None)


# ------------------------------------------------------------------ promotions and answers to rivals


def test_high_low_promotes_in_turn():
    strategy = REGISTRY["high_low"](period=4, lasting=2)
    prices = [in_force(strategy.decide(at(tick)), VIEW)["price"] for tick in range(1, 9)]
    assert prices == [240, 240, 300, 300] * 2
    assert REGISTRY["high_low"]().decide(at(1)).promotion and not REGISTRY["high_low"]().decide(at(2)).promotion


def test_tit_for_tat_copies():
    """It cuts in the tick after a cut, as deep as the rival did, and forgives as soon as the rival does."""
    rival = [300.0, 300.0, 240.0, 240.0, 300.0, 210.0, 300.0]
    decide = REGISTRY["tit_for_tat"]().decide
    found = [in_force(decide(at(tick, rival_prices=(price,))), VIEW)["price"] for tick, price in enumerate(rival, 1)]
    assert found == rival
    fixed = REGISTRY["tit_for_tat"](depth=0.1, usual=400, trigger=0.1)
    assert fixed.decide(at(1, rival_prices=(350.0,))).price == 270
    assert fixed.decide(at(1, rival_prices=(370.0,))).price is None
    lenient = REGISTRY["tit_for_tat"](forgiveness=0.3)
    assert lenient.decide(at(1, rival_prices=(200.0,))).price is None, "luck of 0.2 forgives"


def test_grim_trigger_never_forgives():
    """One cut, and it punishes for ever; with an end to the punishment, peace returns."""
    rival = [300, 240, 300, 300, 300, 300]

    def prices(**settings):
        strategy, memory = REGISTRY["grim_trigger"](depth=0.2, **settings), {}
        return [
            in_force(strategy.decide(at(tick, rival_prices=(float(price),), memory=memory)), VIEW)["price"]
            for tick, price in enumerate(rival, 1)
        ]

    assert prices() == [300, 240, 240, 240, 240, 240]
    assert prices(lasting=3) == [300, 240, 240, 240, 300, 300]


def test_match_rival_answers_promotions():
    match = REGISTRY["match_rival"]()
    assert match.decide(at(1, rival_prices=(320.0, 250.0))).price == 250
    assert match.decide(at(1, rival_prices=(295.0,))).price is None, "too small a gap"
    assert match.decide(at(1, rival_prices=(20.0,))).price == 90, "not below cost"
    picky = REGISTRY["match_rival"](promotions_only=True, response=0.5)
    assert picky.decide(at(1, rival_prices=(250.0,))).price is None
    assert picky.decide(at(1, rival_prices=(250.0,), rival_promotions=(True,))).price == 275


def test_undercut_follows_its_leader():
    rivals = {"rival_prices": (280.0, 250.0, 310.0), "rival_shares": (0.3, 0.1, math.nan)}
    rivals |= {"rival_levels": ("basic",) * 3, "rival_promotions": (False,) * 3}
    for leader, price in (("cheapest", 225), ("largest", 252), ("dearest", 279)):
        assert REGISTRY["undercut"](leader=leader, gap=0.1).decide(at(1, **rivals)).price == pytest.approx(price)
    assert REGISTRY["undercut"](margin=0.5).decide(at(1, **rivals)).price == pytest.approx(1.5 * 170)
    assert REGISTRY["undercut"](gap=-0.5).decide(at(1, **rivals)).price == 300, "not above the list"


def test_imitation_copies_the_best():
    """Price and level of whoever did better than oneself and all others; nobody's if oneself did best."""
    rivals = {
        "rival_prices": (200.0, 280.0), "rival_shares": (0.35, 0.32), "rival_levels": ("basic", "partnership"),
        "rival_promotions": (False, False),
    }  # fmt: skip
    by_profit, by_share = (REGISTRY["imitate_best"](by=by) for by in ("profit", "share"))
    own = {"share": 0.25, "last_price": 300.0, "last_relationship": "proactive"}
    copied = by_profit.decide(at(1, **rivals, **own))
    assert (copied.price, copied.relationship) == (280, "partnership")
    copied = by_share.decide(at(1, **rivals, **own))
    assert (copied.price, copied.relationship) == (200, "basic")
    kept = by_profit.decide(at(1, **rivals, **{**own, "share": 0.4}))
    assert (kept.price, kept.relationship) == (300, "proactive")
    between = by_profit.decide(at(3, **rivals, **own))
    assert (between.price, between.relationship) == (300, "proactive"), "no review"


# ------------------------------------------------------------------ harvest and rules of thumb


def test_harvest_raises_the_price_with_the_base():
    prices = [REGISTRY["harvest"](slope=2).decide(at(1, customers=n)).price for n in (0.0, 0.25, 0.3, 0.35, 0.9)]
    assert prices == pytest.approx([240, 270, 300, 330, 390])


def test_invest_then_harvest():
    strategy = REGISTRY["invest_then_harvest"](depth=0.2, until=4, markup=0.1, ramp=3)
    prices = [strategy.decide(at(tick)).price for tick in range(1, 8)]
    assert prices == pytest.approx([240, 240, 240, 270, 300, 330, 330])
    with pytest.raises(ValidationError, match=r"until \(5\) must come after start \(5\)"):
        REGISTRY["invest_then_harvest"](start=5, until=5)


def test_rules_of_thumb():
    """Cost plus a mark-up; towards the share aimed at; the price that would bring the profit aimed at."""
    assert REGISTRY["cost_plus"](markup=0.5, full=False).decide(VIEW).price == pytest.approx(255)
    assert REGISTRY["cost_plus"](markup=0).decide(VIEW).price == pytest.approx(170 + 13.3 / 0.15)
    assert REGISTRY["cost_plus"]().decide(at(2, last_price=222.0)).price == 222, "kept until the next review"
    share = REGISTRY["target_share"](target=0.4, gain=0.5)
    assert share.decide(VIEW).price == pytest.approx(300 * 0.95)
    assert share.decide(at(1, share=0.6)).price == pytest.approx(330)
    assert share.decide(at(1, share=math.nan)).price == 300
    profit = REGISTRY["target_profit"](target=5, speed=1)
    price = profit.decide(VIEW).price
    assert (price - 170) * VIEW.expected_stays - VIEW.fixed_cost == pytest.approx(5)


def test_a_target_is_reached(tiny):
    """Feedback on the price brings the share where it should be."""
    plan = tiny.set({"customers.count": 4000, "horizon": 60, "firms.nanyuan.cash": 500, "firms.eton.cash": 500})
    aims = {"name": "target_share", "target": 0.4, "gain": 1}
    record = simulate(plan.set({"firms.eton.strategy": aims}), 1)
    assert record.measures["share"][-24:, 1].mean() == pytest.approx(0.4, abs=0.02)


# ------------------------------------------------------------------ learning


def toy(name, profit_of, ticks=400, **settings):
    """Let a strategy learn in a market where profit follows from price and level alone; return all actions."""
    strategy, memory, profit, actions = REGISTRY[name](**settings), {}, 0.0, []
    price, level = VIEW.price, VIEW.relationship
    for tick in range(1, ticks + 1):
        luck = firm_luck(3, tick, "eton")
        seen = at(tick, profit=profit, memory=memory, last_price=price, last_relationship=level, luck=luck)
        action = strategy.decide(seen)
        actions.append(action)
        price = VIEW.price if action.price is None else action.price
        level = action.relationship or VIEW.relationship
        profit = profit_of(price, level, tick)
    return actions


@pytest.mark.parametrize("name", ["epsilon_greedy", "ucb"])
def test_bandits_find_the_better_arm(name):
    """Whichever item pays best is what they come to, although rewards are noisy."""
    noise = np.random.default_rng(1).normal(0, 1, 500)
    for best in ((255, "basic"), (345, "proactive"), (300, "basic")):

        def profit(price, level, tick, best=best):
            return 10 - abs(price - best[0]) / 15 - 2 * (level != best[1]) + noise[tick]

        actions = toy(name, profit)
        late = [(round(action.price), action.relationship) for action in actions[-120:]]
        assert late.count(best) > 80
        assert len({(round(action.price), action.relationship) for action in actions[:18]}) == 6, "all are tried first"
        assert actions[0] == actions[1] == actions[2], "an item stays in force until the next review"


def test_bandits_choose_among_prices_alone():
    actions = toy("ucb", lambda price, level, tick: -abs(price - 255), levels=(), prices=2)
    assert {action.relationship for action in actions} == {None}
    assert round(actions[-1].price) == 255
    assert {action.price for action in toy("ucb", lambda *_: 1.0, 5, levels=(), prices=1)} == {300}


def test_q_learning_learns_what_pays():
    """Against a rival that does not move, the best price of the grid; the same luck, the same life."""
    actions = toy("q_learning", lambda price, level, tick: -((price - 330) ** 2) / 900, 1500, every=1, patience=0.5)
    assert [round(action.price) for action in actions[-50:]].count(330) > 45
    again = toy("q_learning", lambda price, level, tick: -((price - 330) ** 2) / 900, 1500, every=1, patience=0.5)
    assert again == actions


def test_best_price_solves_its_equation():
    """p = c + mu / (1 - s(p)), from any odds and any price at which they hold."""
    for odds in (1e-6, 0.1, 1.0, 9.0, 1e6):
        for price in (1.0, 100.0, 240.0, 5000.0):
            p = best_price(odds, price, 90.0, 75.0)
            at_p = odds * math.exp(-(p - price) / 75) if (price - p) / 75 < 700 else math.inf
            assert p == pytest.approx(90 + 75 * (1 + at_p), rel=1e-9)
    assert best_price(math.exp(2), 90.0, 90.0, 75.0) == pytest.approx(90 + 75 * 2), "x + ln x = 1 is 1"


@pytest.mark.parametrize("name", ["myopic_best_reply", "fictitious_play"])
def test_best_replies_reach_the_bertrand_price(name):
    """Two that reply best to each other end at p = c + mu / (1 - s) = 240, wherever they began."""
    plan = load("bertrand_limit").set({"horizon": 200, "customers.count": 10_000})
    strategy = {"name": name, "every": 1}
    for first, second in ((180, 360), (300, 300)):
        prices = {"firms.first.price": first, "firms.second.price": second}
        record = simulate(plan.set({**prices, "firms.first.strategy": strategy, "firms.second.strategy": strategy}), 1)
        late = record.measures["price"][-20:]
        assert abs(late.mean() - 240) < 2, late.mean()
        assert np.abs(late - 240).max() < 12


# ------------------------------------------------------------------ what a firm remembers and knows

LEARNERS = {"firms.eton.strategy": {"name": "q_learning", "every": 1}, "firms.nanyuan.strategy": "fictitious_play"}


def memories(model):
    """Return what all firms remember, in plain numbers."""
    return [{name: np.asarray(note).tolist() for name, note in notes.items()} for notes in model.decisions.memory[0]]


def test_memory_is_a_branchs_own(tiny):
    """A copy takes the notes along and shares none of them; so does a pickle."""
    model = ChurnModel(tiny.set({**LEARNERS, "horizon": 12}), rng=1)
    model.run(4)
    before = memories(model)
    model.datacollector = None
    branches = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    assert all(memories(branch) == before for branch in branches)
    model.run(3)
    assert memories(model) != before
    for branch in branches:
        assert memories(branch) == before
        branch.run(3)
        assert memories(branch) == memories(model)


def test_looking_does_not_write(tiny):
    """A view handed out is a copy: what one does to its memory is not remembered."""
    model = ChurnModel(tiny.set(LEARNERS), rng=1)
    model.run(2)
    before = memories(model)
    for firm in model.firms:
        view = firm.view()
        firm.config.strategy.decide(view)
        view.memory.clear()
    assert memories(model) == before


def test_a_move_that_changes_the_strategy_clears_the_memory(tiny):
    plan = tiny.set({**LEARNERS, "horizon": 12})
    plan = plan.move(5, {"firms.eton.strategy.decay": 0.5}).move(6, {"firms.eton.service": 70})
    model = ChurnModel(plan, rng=1)
    reviews = [(model.run(1), model.decisions.memory[0][1]["reviews"])[1] for _ in range(8)]
    assert reviews == [1, 2, 3, 4, 1, 2, 3, 4]
    assert model.decisions.memory[0][0]["ticks"][0] == 8, "the rival's own notes stay"


def test_a_strategy_may_keep_anything(tiny):
    """Texts, numbers, lists and arrays come back as they were, in a batch too."""
    try:

        class Keeper(Strategy):
            name: str = "keeper_in_test"

            def decide(self, view: View) -> Action:
                assert view.memory == ({} if view.tick == 1 else {"text": "x", "list": [1, 2], "tick": view.tick - 1})
                view.memory.update(text="x", list=[1, 2], tick=view.tick)
                return Action()

        plan = tiny.set({"firms.eton.strategy": "keeper_in_test"})
        Markets([plan, plan], [1, 2], engine=Compiled()).run_to_horizon()
    finally:
        REGISTRY.pop("keeper_in_test", None)


def test_what_is_seen_of_rivals(tiny):
    """Open rivals by name, with last tick's prices, shares, levels and promotions."""
    two = tiny.set(
        {"firms.nanyuan.strategy": {"name": "high_low", "depth": 0.1}, "firms.nanyuan.relationship": "reactive"}
    ).set({"horizon": 6})
    third = {"name": "Third", "opens": 3, "price": 250, "initial_share": 0}
    content = two.model_dump(mode="json")
    plan = Scenario.model_validate({**content, "firms": {**content["firms"], "a_third": third}})
    model = ChurnModel(plan, rng=1)
    model.run(1)
    eton = model.firms[list(plan.firms).index("eton")]
    nanyuan = model.firms[list(plan.firms).index("nanyuan")]
    view = eton.view()
    assert (view.rival_prices, view.rival_levels, view.rival_promotions) == ((270,), ("reactive",), (True,))
    assert view.rival_shares == (nanyuan.share,)
    model.run(2)
    assert eton.view().rival_prices == (250, 300), "by name, once it is open"
    assert len(eton.view().rival_shares) == len(eton.view().rival_levels) == 2


def test_an_audit_makes_the_estimate_better(tiny):
    """The error of what a firm hears of its customers' satisfaction shrinks with research, to nothing (course S77)."""
    errors = {}
    for research in (0, 0.5, 1):
        found = []
        for seed in range(40):
            model = ChurnModel(tiny.set({"firms.eton.research": research, "horizon": 5}), rng=seed)
            for _ in range(5):
                model.step()
                truth = model.recorder.measures["satisfaction"][0, model.recorder.rows - 1, 1]
                found.append(model.firms[1].view().satisfaction - truth)
        errors[research] = np.array(found)
    assert np.abs(errors[1]).max() == 0
    assert abs(errors[0].mean()) < 4 * errors[0].std() / np.sqrt(200)
    assert errors[0].std() == pytest.approx(0.2 / np.sqrt(3), rel=0.2)
    np.testing.assert_allclose(errors[0.5], errors[0] / 2, atol=1e-12)


def test_the_survey_is_drawn_apart_from_what_strategies_draw():
    """Its error is independent of each of the firm's other uniform numbers."""
    luck = np.array([firm_luck(1, tick, "eton") for tick in range(4000)])
    drawn = luck.sum(axis=1) % 1
    assert abs(drawn.mean() - 0.5) < 4 / np.sqrt(12 * 4000)
    for n in range(4):
        assert abs(np.corrcoef(drawn, luck[:, n])[0, 1]) < 4 / np.sqrt(4000)


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


@pytest.fixture(scope="module")
def busy():
    """Return a market in which everything that programmes are about happens, and money is no matter."""
    return load("two_hotels").arm("both_passive").set(
        {
            **{f"mechanisms.{name}": True for name in DEALINGS}, "mechanisms.budget": False,
            "customers.count": 400, "burn_in": 4, "horizon": 10, "customers.hazards.lapse": 0.03,
            "customers.failure.rate": 0.4, "customers.failure.encounter": 0.2, "customers.referral.rate": 0.5,
            "customers.acquisition.known": 0.5, "customers.credit.bad": 0.3, "customers.power.threat": 0.4,
            "customers.power.share": 0.5, "customers.buying_centre.leaves": 0.2,
        }
    )  # fmt: skip


def test_every_strategy_changes_the_market(busy):
    """With its mechanisms on, whoever follows a strategy lives another life than whoever keeps the list."""
    names = [name for name in BUILT_IN if name != "passive"]
    cut = {"firms.nanyuan.strategy": {"name": "price_cut", "depth": 0.2, "start": 2}}
    plans = [busy.set(cut), busy.set(cut)] + [busy.set({**cut, "firms.eton.strategy": name}) for name in names]
    still, again, *others = Markets(plans, [1] * len(plans), engine=Compiled()).run_to_horizon()

    def same(one, other):
        return all(np.array_equal(column, other.measures[n], equal_nan=True) for n, column in one.measures.items())

    assert same(still, again)
    assert [name for name, record in zip(names, others, strict=True) if same(still, record)] == []


def test_matched_offers_win_back_more(busy):
    """An offer that fits the cause of leaving brings more of the lost back than one that does not (course S87)."""
    returned = {}
    for matched in (False, True):
        strategy = {"name": "win_back", "matched": matched, "kind": "relation", "ordinary": 0.9, "small": 0.9}
        plan = busy.set({"firms.eton.strategy": strategy, "customers.count": 4000, "horizon": 12})
        returned[matched] = sum(simulate(plan, seed).measures["returned"][-12:, 1].sum() for seed in range(3))
    assert returned[True] > 1.02 * returned[False]


@pytest.mark.parametrize("learner", ["epsilon_greedy", "q_learning", "fictitious_play", "grim_trigger", "lottery"])
def test_both_engines_serve_firms_that_learn(tiny, learner):
    """Decisions are outside the engines: with either, the same bits."""
    plan = tiny.set({"firms.eton.strategy": learner, "firms.nanyuan.strategy": "high_low", "horizon": 8})
    one, other = (ChurnModel(plan, rng=1, engine=engine).run() for engine in ("compiled", "agents"))
    for name, column in one.measures.items():
        np.testing.assert_array_equal(column, other.measures[name], err_msg=name)


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

"""Markets that run side by side in one batch live exactly as they would alone."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
import pytest

import churnsim as cs
from churnsim.declarations import declared
from churnsim.engine.books import crowd, publish, settle_books
from churnsim.engine.census import count
from churnsim.engine.choice import choose
from churnsim.engine.compiled import Compiled
from churnsim.engine.hearsay import listen
from churnsim.engine.population import populate
from churnsim.engine.service import serve
from churnsim.markets import Markets, alike
from churnsim.model import simulate
from churnsim.running import BATCH_ROWS, batches_of
from churnsim.strategies import REGISTRY, Action, Strategy, View, combined
from test_equivalence import same_record

FEW_TIES = {"customers.word_of_mouth.contacts": 3, "customers.word_of_mouth.rewired": 0.5}
SMALL = cs.load("two_hotels").arm("case").set({"customers.count": 300, "burn_in": 6, "horizon": 14})


class Undercut(Strategy):
    """Charge a little less than the cheapest rival: plain Python, one market at a time."""

    name: Literal["undercut_in_a_test"] = "undercut_in_a_test"
    step: float = declared(5, en="Step", zh="幅度", low=0, high=100)

    def decide(self, view: View) -> Action:
        """Undercut, but not below cost."""
        cheapest = min(view.rival_prices, default=view.price)
        return Action(price=max(cheapest - self.step, view.unit_cost + view.service))


@pytest.fixture(scope="module", autouse=True)
def only_here():
    """Take the test's own strategy out of the registry again."""
    yield
    REGISTRY.pop("undercut_in_a_test", None)


def variety():
    """Return markets that differ in everything a batch may hold."""
    deep = SMALL.set({"firms.eton.strategy.depth": 0.4, "firms.eton.strategy.restore": 9, "customers.choice.noise": 60})
    other = SMALL.set({"firms.eton.strategy": "random", "firms.nanyuan.strategy": "mixed", "customers.count": 211})
    growing = SMALL.set(
        {"customers.growth": 0.02, **FEW_TIES, "firms.eton.contract.length": 3, "firms.eton.contract.fee": 90}
    )
    failing = SMALL.set(
        {"firms.eton.cash": 0, "firms.eton.fixed_cost": 60, "firms.nanyuan.strategy": "service_quality"}
    )
    moved = SMALL.move(4, {"mechanisms.word_of_mouth": False}).move(7, firm="nanyuan", price=250, relationship_budget=1)
    own = SMALL.set({"firms.nanyuan.strategy": Undercut(step=3)})
    tiny = SMALL.set({"customers.count": 5})
    return [SMALL, deep, other, growing, failing, moved, own, tiny, SMALL, deep.set({"firms.eton.strategy.depth": 0.1})]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_equals_its_markets_alone(threads):
    """Scenarios, sizes, moves, growth, closures and strategies of all kinds: the same bits in a batch as alone."""
    scenarios, seeds = variety(), [3, 3, 5, 0, 2**63 - 1, 7, 1, 4, 9, 3]
    together = Markets(scenarios, seeds, engine=Compiled(threads)).run_to_horizon()
    for scenario, seed, record in zip(scenarios, seeds, together, strict=True):
        alone = simulate(scenario, seed)
        same_record(alone, record)
        assert (alone.seed, alone.firms, alone.events) == (record.seed, record.firms, record.events)
    assert any(event[2] == "insolvent" for event in together[4].events)


def learners():
    """Return markets with firms that learn: of many kinds, opening late, closing, changed by moves."""
    content = SMALL.model_dump(mode="json")
    third = {"name": "Third", "opens": 3, "initial_share": 0, "strategy": {"name": "ucb", "every": 1}}
    three = cs.Scenario.model_validate({**content, "firms": {**content["firms"], "third": third}})
    three = three.set({"firms.eton.strategy": "imitate_best", "firms.nanyuan.strategy": "fictitious_play"})
    curious = three.set({"firms.eton.strategy": {"name": "q_learning", "every": 1}})
    poor = {"firms.nanyuan.cash": 0, "firms.nanyuan.fixed_cost": 60}
    failing = curious.set({**poor, "firms.nanyuan.strategy": "undercut"})
    lottery = {"name": "lottery", "every": 4, "members": ["tit_for_tat", "grim_trigger", "myopic_best_reply"]}
    return [
        three,
        three.set({"firms.third.opens": 6, "firms.nanyuan.strategy.recency": 0.3, "firms.eton.research": 1}),
        curious,
        curious.set({"firms.eton.strategy.learning": 0.6}).move(5, {"firms.eton.strategy.decay": 1}),
        curious.move(4, {"firms.eton.strategy": "harvest"}).move(8, {"firms.eton.strategy": "q_learning"}),
        failing,
        three.set({"firms.nanyuan.strategy": lottery}),
        three.set({"firms.nanyuan.strategy": {**lottery, "every": 0}, "firms.third.strategy.prices": 2}),
        three.set({"firms.nanyuan.strategy": {"name": "portfolio", "members": ["ucb", "match_rival"]}}),
        three.set({"firms.nanyuan.strategy": Undercut(step=2), "firms.third.opens": 0}),
        curious,
    ]


def test_firms_that_learn_live_the_same_in_a_batch():
    """Each remembers its own life, whoever shares its calls, and whenever firms open, close or change their ways."""
    scenarios, seeds = learners(), [3, 3, 5, 5, 5, 7, 1, 4, 9, 3, 6]
    markets = Markets(scenarios, seeds, engine=Compiled())
    together = markets.run_to_horizon()
    for r, (scenario, seed, record) in enumerate(zip(scenarios, seeds, together, strict=True)):
        model = cs.ChurnModel(scenario, rng=seed)
        same_record(model.run(), record)
        for mine, theirs in zip(model.decisions.memory[0], markets.decisions.memory[r], strict=True):
            assert set(mine) == set(theirs)
            for name, note in mine.items():
                np.testing.assert_array_equal(note, theirs[name])
    assert any(event[2] == "insolvent" for event in together[5].events)
    assert len({record.measures["price"].tobytes() for record in together}) == len(together)


def test_the_order_of_firms_is_nothing_to_strategies():
    """Listing the firms the other way round changes no number."""
    for scenario in learners()[:2] + learners()[8:9]:
        content = scenario.model_dump(mode="json")
        turned = cs.Scenario.model_validate({**content, "firms": dict(reversed(content["firms"].items()))})
        one, other = simulate(scenario, 2), simulate(turned, 2)
        for name, column in one.measures.items():
            np.testing.assert_array_equal(column, other.measures[name][:, ::-1], err_msg=name)


def test_one_market_and_many_use_the_same_compiled_code():
    """A second specialisation would be a second silent minute of compiling."""
    kernels = (choose, serve, listen, count, crowd, settle_books, publish, populate)
    before = [len(kernel.signatures) for kernel in kernels]  # other tests may have called them with other types
    Markets([SMALL, SMALL], [1, 2], engine=Compiled())
    simulate(SMALL, 1, threads=2)
    for kernel, known in zip(kernels, before, strict=True):
        assert len(kernel.signatures) <= max(known, 1), kernel


def test_departures_are_kept_in_a_batch_too():
    together = Markets([SMALL, SMALL], [1, 2], engine=Compiled(), departures=True).run_to_horizon()
    for seed, record in zip((1, 2), together, strict=True):
        alone = simulate(SMALL, seed, departures=True).departures
        assert len(alone) > 20
        assert alone.equals(record.departures)


def test_run_gives_the_same_in_any_batch(monkeypatch):
    """What `run` returns does not depend on how runs are put together."""
    scenarios = [SMALL.named("a"), SMALL.set({"horizon": 11}).named("b"), SMALL.set({"customers.count": 90}).named("c")]
    frames = []
    for rows, jobs in ((BATCH_ROWS, 1), (400, 2), (1, 1)):
        monkeypatch.setattr("churnsim.running.BATCH_ROWS", rows)
        frames.append(cs.run(scenarios, seeds=range(4), jobs=jobs, progress=False).ticks)
    assert frames[0].equals(frames[1])
    assert frames[0].equals(frames[2])


def test_batches_hold_what_is_alike_and_fits():
    scenarios = [SMALL, SMALL.set({"horizon": 9}), SMALL, SMALL.set({"customers.count": BATCH_ROWS}), SMALL]
    assert batches_of(scenarios, 1) == [[0, 2], [1], [3], [4]]
    assert alike(SMALL) != alike(scenarios[1])
    many = batches_of([SMALL] * 1000, 2)
    assert sorted(place for batch in many for place in batch) == list(range(1000))
    assert len(many) >= 4
    with pytest.raises(ValueError, match="same number of firms, burn-in ticks and ticks"):
        Markets(scenarios[:2], [1, 2], engine=Compiled())


def test_a_strategy_for_one_market_at_a_time_works_and_is_named():
    """A user's own scalar strategy runs in a batch, more slowly, and the run says so."""
    scenario = SMALL.set({"firms.nanyuan.strategy": Undercut()})
    with pytest.warns(UserWarning, match="Undercut is not written for arrays"):
        runs = cs.run(scenario, seeds=range(3), jobs=1, progress=False)
    price = runs.ticks.query("firm == 'nanyuan' and tick == 5 and seed == 1")["price"].item()
    assert price == simulate(scenario, 1).measures["price"][10, 0]


def test_a_failure_names_its_run():
    class Broken(Undercut):
        name: Literal["broken_in_a_test"] = "broken_in_a_test"

        def decide(self, view: View) -> Action:
            return Action(price=-1 if view.tick == 3 and self.step == 7 else None)

    try:
        plans = [SMALL.set({"firms.eton.strategy": Broken(step=step)}).named(f"step {step}") for step in (1, 7, 2)]
        with (
            pytest.warns(UserWarning),
            pytest.raises(cs.RunError, match=r"'step 7' with seed 6 failed: .*tick 3: price"),
        ):
            cs.run(plans, seeds=[6], jobs=1, progress=False)
    finally:
        REGISTRY.pop("broken_in_a_test", None)


def test_a_condition_on_arrays_is_explained():
    class Careless(Undercut):
        name: Literal["careless_in_a_test"] = "careless_in_a_test"
        arrays: ClassVar[bool] = True

        def decide(self, view: View) -> Action:
            return Action(price=250 if view.share > 0.3 else None)

    try:
        plan = SMALL.set({"firms.eton.strategy": Careless()})
        with pytest.raises(
            cs.RunError, match=r"'careless_in_a_test' of firm 'eton', tick 1: ValueError.*strategies.where"
        ):
            cs.run(plan, seeds=range(2), jobs=1, progress=False)
    finally:
        REGISTRY.pop("careless_in_a_test", None)


# ------------------------------------------------------------------ strategies on arrays


def views(count: int):
    """Return the views of one firm in `count` markets, and the same as one view of arrays, tick by tick."""
    rng = np.random.default_rng(8)
    for tick in (1, 2, 3, 4, 6, 7, 9, 10, 13, 16, 19):
        numbers = {name: rng.uniform(0.1, 300, count) for name in (
            "price", "service", "training", "last_price", "unit_cost", "fixed_cost", "cash", "credit", "customers",
            "stays", "expected_stays", "capacity", "profit",
        )} | {name: rng.uniform(0, 1, count) for name in ("share", "churn", "quality", "satisfaction")}  # fmt: skip
        numbers["share"][tick % count] = np.nan
        levels = np.array(["basic", "proactive", "partnership"])[rng.integers(0, 3, (2, count))]
        budgets = np.where(rng.random(count) < 0.5, np.nan, 2.0)
        rivals, luck = rng.uniform(100, 300, (2, count)), rng.random((4, count))
        ranks, shares = np.array(["basic", "reactive"])[rng.integers(0, 2, (2, count))], rng.uniform(0, 0.5, (2, count))
        announced = rng.random((2, count)) < 0.5
        arrays = View(
            tick=tick, relationship=levels[0], last_relationship=levels[1], relationship_budget=budgets,
            rival_prices=tuple(rivals), rival_shares=tuple(shares), rival_levels=tuple(ranks),
            rival_promotions=tuple(announced), luck=tuple(luck), **numbers,
        )  # fmt: skip
        singles = [
            View(
                tick=tick, relationship=str(levels[0, r]), last_relationship=str(levels[1, r]),
                relationship_budget=None if np.isnan(budgets[r]) else float(budgets[r]),
                rival_prices=tuple(rivals[:, r].tolist()), rival_shares=tuple(shares[:, r].tolist()),
                rival_levels=tuple(ranks[:, r].tolist()), rival_promotions=tuple(announced[:, r].tolist()),
                luck=tuple(luck[:, r].tolist()),
                **{name: float(column[r]) for name, column in numbers.items()},
            )
            for r in range(count)
        ]  # fmt: skip
        yield arrays, singles


PARAMETERS = {
    "passive": [{}, {}],
    "random": [{"every": 6, "price_spread": 0.2}, {"every": 3, "price_spread": 0.4}],
    "mixed": [{"start": 5}, {"depth": 0.3, "level": "basic"}],
    "price_cut": [{"depth": 0.1, "start": 2}, {"restore": 6, "promotion": True}],
    "service_quality": [{"extra": 3}, {"start": 7}],
    "relationship_investment": [{"level": "reactive", "budget": 1.5}, {"start": 6, "training": 9}],
    "loyalty_card": [{"points": 0.1}, {"club": 4, "perks": 30, "start": 4}],
    "contract": [{"discount": 0.1}, {"length": 24, "fee": 10, "start": 3, "discount": 0.2, "discount_ticks": 2}],
    "bundle": [{}, {"discount": 0.2, "length": 3, "start": 6}],
    "recovery": [{}, {"speed": 0.3, "guarantee": 2, "start": 9}],
    "reminder": [{}, {"spend": 3, "start": 7}],
    "credit_screen": [{}, {"strictness": 0.1, "start": 7}],
    "win_back": [{"kind": "apology", "matched": False}, {"key": 0.1, "start": 7}],
    "save_offers": [{}, {"coverage": 1, "start": 2}],
    "referral_programme": [{"targeted": False}, {"reward": 9, "start": 2}],
    "advertising": [{"period": 6, "lasting": 2}, {"spend": 9, "start": 3}],
    "employee_care": [{}, {"pay": 1, "start": 6}],
    "promise": [{}, {"level": 0.3, "start": 6}],
    "needs_listening": [{}, {"spend": 9, "start": 6}],
    "innovation": [{}, {"spend": 9, "start": 6}],
    "responsibility": [{}, {"spend": 9, "start": 6}],
    "favours": [{}, {"coverage": 0.5, "worth": 40, "start": 6}],
    "service_tiers": [{}, {"tilt": 0.4, "start": 6}],
    "account_management": [{"coverage": 2}, {"alarm": 0, "start": 6}],
    "concession": [{}, {"concession": 0.2, "start": 6}],
    "budget_split": [
        {"acquisition": 0.2, "level": "basic"},
        {"budget": 7, "club": 0, "reminders": 0, "relationship": 0},
    ],
    "portfolio": [
        {"members": [{"strategy": "harvest", "weight": 0.3}, {"strategy": "ucb"}, "mixed", "contract"]},
        {
            "members": [
                "harvest",
                {"strategy": {"name": "ucb", "every": 2}, "weight": 3},
                {"strategy": {"name": "mixed", "start": 7}},
                {"strategy": {"name": "contract", "start": 3, "discount": 0.1}},
            ]
        },
    ],
    "lottery": [
        {"members": ["passive", "price_cut", "win_back", "grim_trigger"], "every": 3},
        {"members": ["passive", {"strategy": "price_cut", "weight": 4}, "win_back", "grim_trigger"]},
    ],
    "high_low": [{"period": 3, "lasting": 2}, {"promotion": False, "start": 2}],
    "match_rival": [{"promotions_only": True}, {"response": 0.5, "trigger": 0.2}],
    "tit_for_tat": [{"depth": 0.2}, {"usual": 250, "forgiveness": 0.4}],
    "grim_trigger": [{"lasting": 3, "usual": 200}, {"trigger": 0.3, "start": 4}],
    "undercut": [{"leader": "largest", "margin": 0.2}, {"gap": -0.1, "above_list": True, "leader": "dearest"}],
    "imitate_best": [{"by": "share", "inertia": 0.4}, {"relationship": False, "every": 2}],
    "harvest": [{"slope": 3}, {"base": 0.6, "most": 0.1, "start": 3}],
    "invest_then_harvest": [{"until": 4}, {"start": 3, "until": 7, "ramp": 7}],
    "cost_plus": [{"full": False}, {"markup": 0.1, "highest": 1.5, "every": 2}],
    "target_share": [{"target": 0.2}, {"gain": 3, "most": 0.2, "every": 2}],
    "target_profit": [{"target": 2}, {"speed": 0.1, "every": 2}],
    "epsilon_greedy": [{"epsilon": 0.5, "every": 1}, {"recency": 0.3, "lowest": 0.5, "start": 3}],
    "ucb": [{"every": 1}, {"optimism": 2, "highest": 2, "start": 3}],
    "q_learning": [{"every": 1}, {"learning": 0.5, "decay": 1, "start": 3, "every": 2}],
    "myopic_best_reply": [{}, {"noise": 30, "inertia": 0.5, "every": 1, "highest": 1.2}],
    "fictitious_play": [{}, {"recency": 0.4, "every": 1, "noise": 150}],
}
BUILT_IN = sorted(name for name, kind in REGISTRY.items() if kind.__module__.startswith("churnsim."))


def test_every_built_in_strategy_decides_for_batches():
    assert BUILT_IN == sorted(PARAMETERS)
    assert all(REGISTRY[name].arrays for name in BUILT_IN)


def wishes(action: Action, r: int | None) -> dict[str, object]:
    """Return what an action wishes in one market; NaN and an empty text say as little as None."""
    found = {}
    for lever in Action.__dataclass_fields__:
        value = getattr(action, lever)
        if r is not None and isinstance(value, np.ndarray):
            value = value[r].item()
        found[lever] = None if value == "" or (isinstance(value, float) and np.isnan(value)) else value
    return found


@pytest.mark.parametrize("name", BUILT_IN)
def test_deciding_for_many_is_deciding_for_each(name):
    """A built-in strategy wishes and remembers the same in a batch as in each market alone, with its own parameters."""
    one, other = (REGISTRY[name].model_validate({"name": name, **values}) for values in PARAMETERS[name])
    assert one.alike() == other.alike()
    members = [one, other, other, one, one, other]
    for strategies in (members, [one] * len(members)):
        kept, notes = {}, [{} for _ in members]
        for arrays, singles in views(len(members)):
            action = combined(strategies).decide(replace(arrays, memory=kept))
            for r, (strategy, view) in enumerate(zip(strategies, singles, strict=True)):
                alone = strategy.decide(replace(view, memory=notes[r]))
                assert wishes(action, r) == wishes(alone, None), (arrays.tick, r)
                assert set(kept) == set(notes[r])
                for note, value in kept.items():
                    np.testing.assert_array_equal(value[r], notes[r][note])


def test_a_user_may_write_for_arrays():
    """`arrays = True` is all it takes; parameters that differ between markets are then arrays."""

    class Vectorised(Strategy):
        name: Literal["vectorised_in_a_test"] = "vectorised_in_a_test"
        arrays: ClassVar[bool] = True
        factor: float = declared(0.9, en="Factor", zh="系数", low=0, high=2)
        calls: ClassVar[list[int]] = []

        def decide(self, view: View) -> Action:
            self.calls.append(np.size(view.price))
            return Action(price=view.price * self.factor)

    try:
        plans = [SMALL.set({"firms.eton.strategy": Vectorised(factor=f)}).named(f"{f}") for f in (0.9, 0.95)]
        runs = cs.run(plans, seeds=range(2), jobs=1, progress=False)
        prices = runs.ticks.query("firm == 'eton' and tick == 3").groupby("scenario", observed=True)["price"].unique()
        assert [float(price[0]) for price in prices[["0.9", "0.95"]]] == [270, 285]
        assert set(Vectorised.calls) == {4}
    finally:
        REGISTRY.pop("vectorised_in_a_test", None)

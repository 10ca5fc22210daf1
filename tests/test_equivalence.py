"""Both engines, any order, any number of threads, any permutation: the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from churnsim import load
from churnsim.agents import Agents
from churnsim.model import ChurnModel, simulate


@pytest.fixture(scope="module")
def busy():
    """A small market in which every mechanism is at work, with contracts, growth and moves."""
    return (
        load("two_hotels")
        .arm("case")
        .set(
            {
                "customers.count": 250,
                "customers.growth": 0.01,
                "burn_in": 8,
                "horizon": 12,
                "firms.eton.contract.length": 3,
                "firms.eton.contract.fee": 100,
                "firms.eton.cash": 2,
                "customers.hazards.natural": 0.02,
                "customers.hazards.lapse": 0.02,
                "customers.taste.homophily": 0.5,
            }
        )
        .move(5, {"mechanisms.switching_cost": False})
        .move(7, firm="nanyuan", price=280)
    )


def same_state(a: ChurnModel, b: ChurnModel, rows_b: np.ndarray | slice = slice(None)) -> None:
    """Assert that two models hold the same customers, those of `b` taken in another order."""
    for name in a.columns._fields:
        x, y = getattr(a.columns, name), getattr(b.columns, name)
        np.testing.assert_array_equal(x, y[..., rows_b], err_msg=name)


def same_record(a, b, ticks: slice = slice(None)) -> None:
    """Assert that two records are equal to the last bit."""
    for group in ("measures", "market"):
        for name, column in getattr(a, group).items():
            np.testing.assert_array_equal(column[ticks], getattr(b, group)[name][ticks], err_msg=name)
    for name in ("primary", "shares", "labels", "enablers", "flows"):
        np.testing.assert_array_equal(getattr(a, name)[ticks], getattr(b, name)[ticks], err_msg=name)


@pytest.mark.parametrize(("activation", "shuffle_seed"), [("do", 0), ("shuffle_do", 1), ("shuffle_do", 2)])
def test_engines_agree_bit_for_bit(busy, activation, shuffle_seed):
    """Twenty ticks of the executable specification equal the kernels, in any order of activation."""
    compiled = ChurnModel(busy, rng=3)
    compiled.run()
    model = ChurnModel.__new__(ChurnModel)
    model._engine = staticmethod(lambda *_: Agents(activation))
    ChurnModel.__init__(model, busy, rng=3, engine="agents")
    model.random.seed(shuffle_seed)
    model.run()
    assert compiled.tick == model.tick == 12
    same_state(compiled, model)
    same_record(compiled.recorder.record(), model.recorder.record())


def test_threads_do_not_matter():
    """One and two threads give the same record."""
    scenario = load("two_hotels").arm("case").set({"customers.count": 9000, "burn_in": 4, "horizon": 6})
    same_record(simulate(scenario, 5, threads=1), simulate(scenario, 5, threads=2))


def test_adding_a_customer_changes_nobody_elses_history():
    """With crowding, word of mouth and budgets off, the others live the same lives."""
    alone = {
        "mechanisms.crowding": False,
        "mechanisms.word_of_mouth": False,
        "mechanisms.budget": False,
        "customers.satisfaction.performance": 0,
        "burn_in": 6,
        "horizon": 10,
    }
    scenario = load("two_hotels").arm("case").set(alone)
    few, more = (ChurnModel(scenario.set({"customers.count": n}), rng=4) for n in (400, 401))
    few.run()
    more.run()
    for name in few.columns._fields:
        np.testing.assert_array_equal(getattr(few.columns, name), getattr(more.columns, name)[..., :400], err_msg=name)


def test_a_move_leaves_the_past_alone():
    """What happens at tick 6 changes no bit of any earlier tick, and some later one."""
    scenario = load("two_hotels").arm("case").set({"customers.count": 600, "burn_in": 4, "horizon": 9})
    before, after = simulate(scenario, 1), simulate(scenario.move(6, firm="nanyuan", price=200), 1)
    past = before.ticks < 6
    same_record(before, after, past)
    assert (before.measures["price"][~past, 0] != after.measures["price"][~past, 0]).all()
    assert not np.array_equal(before.flows[~past], after.flows[~past])


def test_a_move_that_changes_nothing_changes_nothing():
    """Branching as such has no effect."""
    scenario = load("two_hotels").arm("case").set({"customers.count": 600, "burn_in": 4, "horizon": 9})
    same_record(simulate(scenario, 1), simulate(scenario.move(5, firm="nanyuan", unit_cost=90), 1))


def test_seed_zero_is_a_seed():
    """Seed 0 is reproducible and differs from seed 1 and from the scenario's default."""
    scenario = load("two_hotels").arm("case").set({"customers.count": 400, "burn_in": 2, "horizon": 3})
    zero, again, one = simulate(scenario, 0), simulate(scenario, 0), simulate(scenario, 1)
    same_record(zero, again)
    assert not np.array_equal(zero.flows, one.flows)
    assert ChurnModel(scenario, rng=0).seed == 0


def test_arms_share_their_luck_until_they_differ():
    """Two strategies meet the same customers: burn-in is the same to the last bit."""
    base = load("two_hotels").set({"customers.count": 600, "burn_in": 5, "horizon": 3})
    case, control = simulate(base.arm("case"), 9), simulate(base.arm("both_passive"), 9)
    same_record(case, control, case.ticks <= 0)
    assert not np.array_equal(case.flows, control.flows)

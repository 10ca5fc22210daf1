"""The C twin: an independent re-implementation that the engine must equal, bit for bit."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from churnsim import load
from churnsim.causes import CAUSE_NAMES
from churnsim.config.mechanisms import Mechanisms
from churnsim.scenario import Scenario
from conftest import ROOT

sys.path.insert(0, str(ROOT))

from benchmarks.twins import c_twin

needs_compiler = pytest.mark.skipif(
    c_twin.compiler() is None, reason="no C compiler: neither $CC nor gcc, cc or clang is there"
)

SIZE = {"customers.count": 500, "burn_in": 8, "horizon": 14}


def two_hotels(**changes) -> Scenario:
    """The default arm in a small market and a short run."""
    return load("two_hotels").arm("case").set({**SIZE, **changes})


def three_hotels(**changes) -> Scenario:
    """Three firms with contracts, a price that is restored, a dear relationship and many involuntary exits."""
    changes = {
        "firms.eton.contract.length": 4,
        "firms.eton.contract.fee": 120,
        "firms.nanyuan.contract.length": 2,
        "firms.nanyuan.contract.fee": 40,
        "firms.eton.strategy.restore": 7,
        "firms.eton.strategy.promotion": True,
        "firms.eton.cash": 1,
        "customers.hazards.natural": 0.03,
        "customers.hazards.lapse": 0.02,
        "customers.hazards.credit": 0.02,
        "customers.word_of_mouth.weight": 0.1,
        **changes,
    }
    data = load("two_hotels").arm("case").set({**SIZE, **changes}).model_dump()
    third = {
        **data["firms"]["nanyuan"],
        "name": "Third",
        "price": 280.1,
        "initial_share": 0.2,
        "relationship": "reactive",
        "strategy": {"name": "price_cut", "depth": 0.1, "start": 3},
        "budget": {"priority": ("relationship", "service")},
    }
    # Not in the order of names, by which first customers are dealt out.
    firms = {"zeta": third, **data["firms"]}
    return Scenario.model_validate({**data, "arms": {}, "claims": (), "firms": firms})


def engine(scenario: Scenario, seed: int):
    """Run the model's own engine."""
    from churnsim.model import simulate

    return simulate(scenario, seed)


def assert_equal(scenario: Scenario, seed: int):
    """Assert that the twin's record is the engine's to the last bit, and return it."""
    theirs = engine(scenario, seed)
    with c_twin.CTwin(scenario, seed, exact=True) as twin:
        mine = twin.run()
    assert mine.firms == theirs.firms
    np.testing.assert_array_equal(mine.ticks, theirs.ticks)
    for name in ("flows", "primary", "labels", "shares", "enablers"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name), err_msg=name)
    for group in ("measures", "market"):
        ours, found = getattr(mine, group), getattr(theirs, group)
        assert list(ours) == list(found)
        for name, column in found.items():
            np.testing.assert_array_equal(ours[name], column, err_msg=name)
    return mine


@needs_compiler
@pytest.mark.parametrize("seed", [0, 1, 2, 2**63 - 1])
def test_two_hotels_bit_for_bit(seed):
    record = assert_equal(two_hotels(), seed)
    assert record.primary.sum(axis=(0, 1))[:3].sum() > 0, "no departure was a firm's fault"


@needs_compiler
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_hotels_bit_for_bit(seed):
    record = assert_equal(three_hotels(), seed)
    causes = dict(zip(CAUSE_NAMES, record.primary.sum(axis=(0, 1)), strict=True))
    known = (*CAUSE_NAMES[:5], "rival_price", "rival_promotion", "variety", "natural", "lapse", "credit")
    assert min(causes[name] for name in known) > 0, "this market should know nearly every cause"
    assert (record.enablers[..., [0, 3]].sum(axis=(0, 1)) != 0).all()


@needs_compiler
@pytest.mark.parametrize("name", list(Mechanisms.model_fields))
def test_a_mechanism_that_is_off(name):
    """Python's part: the neutral value of every mechanism is the engine's."""
    short = {"customers.count": 300, "burn_in": 2, "horizon": 8, f"mechanisms.{name}": False}
    assert_equal(three_hotels(**short), 5)


@needs_compiler
def test_firms_that_close():
    """Bankrupt hotels let their customers go, and have no price or quality any more."""
    poor = {"firms.eton.cash": -20, "firms.eton.budget.insolvency": 0, "firms.nanyuan.cash": -35}
    record = assert_equal(three_hotels(**poor), 1)
    assert record.measures["open"][-1].sum() < 3
    assert record.primary[..., CAUSE_NAMES.index("closure")].sum() > 0


@needs_compiler
@pytest.mark.parametrize("count", [1, 3, 400])
def test_other_traits_and_networks(count):
    """Every kind of distribution; more acquaintances than customers; a steep floor; no burn-in."""
    changes = {
        "customers.count": count,
        "customers.opportunity": {"dist": "uniform", "low": 0.2, "high": 0.9},
        "customers.quality_value": {"dist": "normal", "mean": 400, "sd": 60},
        "customers.price_weight": {"dist": "beta", "a": 3, "b": 2},
        "customers.switching_cost": 80,
        "customers.word_of_mouth.contacts": 11,
        "customers.experience.core_floor": 0.7,
        "burn_in": 0,
    }
    assert_equal(three_hotels(**changes), 4)


@needs_compiler
def test_steps_add_up():
    scenario = two_hotels()
    whole, parts = (c_twin.CTwin(scenario, 3, exact=True) for _ in range(2))
    assert (whole.tick, len(whole.record().ticks)) == (0, 8)
    whole.step(14)
    for ticks in (1, 5, 0, 8):
        parts.step(ticks)
    np.testing.assert_array_equal(whole.record().flows, parts.record().flows)
    np.testing.assert_array_equal(whole.record().measures["cash"], parts.record().measures["cash"])
    with pytest.raises(ValueError, match="beyond the horizon"):
        whole.step()


@needs_compiler
def test_the_fast_build_agrees_statistically():
    """Shares and churn of every tick lie within one standard error of the engine's.

    The standard error is that of a market of this size with luck of its own. Both meet the same luck, so they
    differ only where rounding tips a customer's decision, and by what follows from it.
    """
    scenario = two_hotels(**{"customers.count": 20_000, "burn_in": 4, "horizon": 16})
    for seed in range(3):
        theirs = engine(scenario, seed)
        with c_twin.CTwin(scenario, seed) as twin:
            mine = twin.run()
        for name, cases in (
            ("share", theirs.market["occasions"][:, None]),
            ("churn", theirs.measures["customers"]),
        ):
            rate = theirs.measures[name]
            error = np.sqrt(rate * (1 - rate) / cases)
            assert (np.abs(mine.measures[name] - rate) < error).all(), name


def test_what_is_not_covered_is_refused():
    scenario = two_hotels()
    refused = {
        "dated moves": scenario.move(3, firm="eton", price=250),
        "growth": scenario.set({"customers.growth": 0.01}),
        "strategy 'mixed'": scenario.set({"firms.eton.strategy": "mixed"}),
    }
    for reason, other in refused.items():
        with pytest.raises(ValueError, match=reason):
            c_twin.CTwin(other, 1)


def test_without_a_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", "no-such-compiler -m64")
    assert c_twin.compiler() is None
    with pytest.raises(RuntimeError, match="no C compiler"):
        c_twin.compile_twin(tmp_path / "churn.so", 2)

"""The NumPy twin and the engine: two programs written apart from each other agree to the last bit."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from churnsim import load
from conftest import ROOT

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.twins.numpy_twin import NumpyTwin


@pytest.fixture(scope="module")
def hotels():
    """The two hotels, small and short."""
    return load("two_hotels").arm("case").set({"customers.count": 500, "burn_in": 8, "horizon": 14})


@pytest.fixture(scope="module")
def crowded(hotels):
    """Three firms under contract with every strategy, a cut that ends, many exits, and too little money for one."""
    firms = {name: firm.model_dump() for name, firm in hotels.firms.items()}
    firms["eton"]["strategy"] |= {"start": 2, "restore": 7, "promotion": True}
    firms["eton"] |= {"contract": {"length": 4, "fee": 120}, "initial_share": 0.25}
    firms["nanyuan"] |= {"relationship_budget": 3, "cash": 5, "credit": 4, "initial_share": 0.25}
    firms["nanyuan"]["contract"] = {"length": 6, "fee": 60}
    firms["inn"] = firms["eton"] | {
        "name": "Inn", "strategy": "passive", "relationship": "reactive", "price": 240, "cash": 0, "initial_share": 0.3
    }  # fmt: skip
    # Debt closes the inn in play, and its customers are let go.
    firms["inn"] |= {"fixed_cost": 40, "budget": firms["eton"]["budget"] | {"insolvency": 1}}
    data = hotels.set(
        {
            "customers.count": 400,
            "customers.hazards.natural": 0.03,
            "customers.hazards.lapse": 0.02,
            "customers.hazards.credit": 0.02,
            "customers.experience.core_floor": 0.6,
            "customers.word_of_mouth.contacts": 5,
            "customers.price_weight": {"dist": "uniform", "low": 0.8, "high": 1.2},
            "customers.switching_cost": {"dist": "normal", "mean": 110, "sd": 25},
        }
    ).model_dump()
    return type(hotels).model_validate({**data, "firms": firms})


def run_twin(scenario, seed: int, **how):
    """Return the twin's record of a whole run."""
    twin = NumpyTwin(scenario, seed, **how)
    twin.step(scenario.horizon)
    return twin.record()


def run_engine(scenario, seed: int):
    """Return the engine's record of a whole run."""
    from churnsim.model import simulate

    return simulate(scenario, seed)


def assert_same(twin, engine) -> None:
    """Assert that two records are equal to the last bit, names and types included."""
    assert twin.firms == engine.firms
    np.testing.assert_array_equal(twin.ticks, engine.ticks)
    for name in ("primary", "labels", "flows", "shares", "enablers"):
        a, b = getattr(twin, name), getattr(engine, name)
        assert a.dtype == b.dtype, name
        np.testing.assert_array_equal(a, b, err_msg=name)
    for group in ("measures", "market"):
        a, b = getattr(twin, group), getattr(engine, group)
        assert set(a) == set(b), group
        for name in a:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name, strict=True)
    assert sorted(twin.events) == sorted(engine.events)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_hotels_agree_bit_for_bit(hotels, seed):
    """Every flow, cause, label, share, enabler, measure and event of the case is the same."""
    assert_same(run_twin(hotels, seed, exact=True), run_engine(hotels, seed))


@pytest.mark.parametrize("seed", [3, 4])
def test_three_firms_under_contract_agree_bit_for_bit(crowded, seed):
    """So it is with contracts, a restored price, a promotion, short money, closure and a core floor that binds."""
    record = run_engine(crowded, seed)
    assert_same(run_twin(crowded, seed, exact=True), record)
    # What the scenario is for has happened: a closure, exits of every kind, departures of many causes, barriers.
    assert {"insolvent", "first_shortfall"} <= {name for _, _, name, _ in record.events}
    assert (record.primary.sum(axis=(0, 1))[-5:-1] > 0).all()
    assert np.count_nonzero(record.primary.sum(axis=(0, 1))) >= 10
    assert record.enablers[:, :, 3].any() and (record.measures["contacts"] % 1 > 0).any()


SWITCHES = (
    "budget", "crowding", "quality_erosion", "reference_price", "price_cue", "learning", "expectation", "attention",
    "taste", "attachment", "sunk_cost", "switching_cost", "transaction_cost", "termination", "word_of_mouth",
    "involuntary", "insolvency",
)  # fmt: skip


@pytest.mark.parametrize("off", [SWITCHES[::2], SWITCHES[1::2]])
def test_switches_mean_the_same(crowded, off):
    """With half of the mechanisms off, and with the other half, the records are equal."""
    scenario = crowded.set({f"mechanisms.{name}": False for name in off})
    assert_same(run_twin(scenario, 5, exact=True), run_engine(scenario, 5))


def test_slices_do_not_matter(hotels):
    """Slices of any size give the same record."""
    assert_same(run_twin(hotels, 6, exact=True, chunk=97), run_twin(hotels, 6, exact=True))


COMPARED = ("share", "customers", "churn", "satisfaction", "attachment", "belief", "cash", "returned", "lost_pool")


def summary(records) -> np.ndarray:
    """Return measures of each firm in the last 6 ticks, and its departures by cause in play: one row per record."""
    return np.array(
        [
            np.concatenate([
                *(record.measures[name][-6:].mean(axis=0) for name in COMPARED),
                record.shares[record.ticks > 0].sum(axis=0).ravel(),
            ])
            for record in records
        ]
    )  # fmt: skip


def test_numpys_own_functions_change_nothing_but_rounding(hotels):
    """Means over 6 seeds agree: within 4 standard errors with other luck, and 0.01 of one with the same luck."""
    scenario = hotels.set({"customers.count": 10_000})
    engines = [run_engine(scenario, seed) for seed in range(6)]
    same, other = ([run_twin(scenario, seed) for seed in seeds] for seeds in (range(6), range(6, 12)))
    # With the same luck, only a choice that hangs on the last bit of a logarithm can differ.
    moved = sum(int(engine.flows.sum()) for engine in engines)
    differ = sum(int(np.abs(a.flows - b.flows).sum()) for a, b in zip(same, engines, strict=True))
    assert differ < moved / 10_000
    same, other, engines = summary(same), summary(other), summary(engines)
    error = engines.std(axis=0, ddof=1) / np.sqrt(len(engines))
    assert (np.abs(same.mean(axis=0) - engines.mean(axis=0)) <= error / 100).all()
    error = np.hypot(error, other.std(axis=0, ddof=1) / np.sqrt(len(other)))
    assert (np.abs(other.mean(axis=0) - engines.mean(axis=0)) <= 4 * error).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"customers.growth": 0.01}, "growing market"),
        ({"firms.eton.strategy": "random"}, "strategies"),
    ],
)
def test_what_the_twin_does_not_cover_is_refused(hotels, changes, words):
    """A scenario that uses what the twin lacks is refused by name."""
    with pytest.raises(ValueError, match=words):
        NumpyTwin(hotels.set(changes), 1)
    with pytest.raises(ValueError, match="moves"):
        NumpyTwin(hotels.move(3, firm="eton", price=250), 1)
    with pytest.raises(ValueError, match="horizon"):
        NumpyTwin(hotels.set({"customers.count": 50}), 1).step(15)

"""The limits that are symmetries of the model (A17, A19-A21), on both engines, with every mechanism at work."""

from __future__ import annotations

import numpy as np
import pytest

from churnsim import ChurnModel, Scenario, load
from churnsim.dealing_measures import PER_FIRM
from churnsim.declarations import walk
from limit_checks import ENGINES
from test_dealings import ALL_ON, BUSY, same_counts, same_dealings
from test_equivalence import same_record, same_state

LIVELY = (
    load("two_hotels")
    .arm("case")
    .set({**ALL_ON, **BUSY, "customers.taste.homophily": 0.5})
    .move(2, {"firms.nanyuan.responsibility.scandal": 0.8, "firms.eton.innovation.level": 1})
)
SIZES = {"compiled": {"customers.count": 700}, "agents": {"customers.count": 120, "burn_in": 3, "horizon": 8}}


def lively(engine: str) -> Scenario:
    """Return a market in which everything happens, at a size for an engine."""
    return LIVELY.set(SIZES[engine])


# ---------------------------------------------------------------------- A17: symmetry


@pytest.mark.parametrize("engine", ENGINES)
def test_a17_relabelling_firms_permutes_results(engine):
    """Luck is drawn by a firm's name: listing firms in another order moves every number with its firm, to the bit."""
    scenario = lively(engine)
    swapped = scenario.model_copy(update={"firms": dict(reversed(scenario.firms.items()))})
    a, b = (
        ChurnModel(one, rng=2, engine=engine).run()
        for one in (scenario, type(scenario).model_validate(swapped.model_dump()))
    )
    assert a.firms == tuple(reversed(b.firms))
    for group in ("measures", "dealings"):
        for name, column in getattr(a, group).items():
            np.testing.assert_array_equal(column, getattr(b, group)[name][:, ::-1], err_msg=name)
    np.testing.assert_array_equal(a.primary, b.primary[:, ::-1])


def lead_of_the_first(scenario: Scenario, engine: str) -> np.ndarray:
    """Return by how much the first firm's share exceeds the mean of the others', by seed."""
    size, seeds = {"compiled": (1_500, 40), "agents": (100, 8)}[engine]
    scenario = scenario.set({"customers.count": size, "burn_in": 4, "horizon": 8})
    shares = [
        ChurnModel(scenario, rng=seed, engine=engine).run().measures["share"][-8:].mean(axis=0)
        for seed in range(1, seeds + 1)
    ]
    return np.array([share[0] - share[1:].mean() for share in shares])


def errors_from_zero(sample: np.ndarray) -> float:
    """Return by how many standard errors the mean of a sample differs from zero."""
    return abs(sample.mean()) / (sample.std(ddof=1) / np.sqrt(sample.size))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("arm", ["case", "all_cut"])
def test_a17_identical_firms_have_equal_shares(engine, arm):
    assert errors_from_zero(lead_of_the_first(load("symmetry").arm(arm), engine)) <= 4


def test_a17_a_firm_that_is_little_better_is_found():
    """Firms are not alike where the first costs 2 % less."""
    first = load("symmetry").set({"firms.first.price": 294})
    assert errors_from_zero(lead_of_the_first(first, "compiled")) > 4


# ---------------------------------------------------------------------- A19: money


def in_another_currency(scenario: Scenario, factor: float) -> Scenario:
    """Return a scenario in which everything that is declared as money is multiplied."""
    money = {
        path: value * factor
        for path, value, about in walk(scenario)
        if about is not None and about.unit.startswith("currency") and isinstance(value, (int, float))
    }
    assert len(money) > 80
    return scenario.set(money)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("factor", [8, 10])
def test_a19_another_currency_changes_nothing(engine, factor):
    """By eight no bit of behaviour changes; by ten amounts are rounded otherwise, and no choice hangs on that."""
    base = lively(engine).set({"customers.count": min(240, SIZES[engine]["customers.count"])})
    plain, rich = (ChurnModel(one, rng=6, engine=engine).run() for one in (base, in_another_currency(base, factor)))
    np.testing.assert_array_equal(plain.flows, rich.flows)
    for group in ("measures", "dealings"):
        for name, column in getattr(plain, group).items():
            times = factor if PER_FIRM[name].unit.startswith("currency") else 1
            tolerance = 0 if factor == 8 else 2e-5
            found = getattr(rich, group)[name]
            np.testing.assert_allclose(found, column * times, rtol=tolerance, atol=tolerance * times, err_msg=name)
    if factor == 8:
        np.testing.assert_array_equal(plain.shares, rich.shares)
        np.testing.assert_array_equal(plain.enablers * 8, rich.enablers)


# ---------------------------------------------------------------------- A20: the order of customers


@pytest.mark.parametrize("engine", ENGINES)
def test_a20_permuting_customers_permutes_results(engine):
    """Rows in another order hold the same customers, and every sum is the same."""
    scenario = lively(engine)
    count = scenario.customers.count
    order = np.random.default_rng(0).permutation(count)
    straight = ChurnModel(scenario, rng=2, engine=engine)
    permuted = ChurnModel(scenario, rng=2, engine=engine, order=order)
    records = straight.run(), permuted.run()
    same_record(*records)
    same_counts(*records)
    same_state(straight, permuted, np.argsort(order))
    same_dealings(straight, permuted, np.argsort(order))


# ---------------------------------------------------------------------- A21: ablation


@pytest.mark.parametrize("engine", ENGINES)
def test_a21_sobol_index_is_zero(engine):
    """Total Sobol indices: a parameter of a mechanism that is off has none at all; the same one when it is on does."""
    from SALib.analyze import sobol
    from SALib.sample import sobol as design

    names = ["firms.eton.price", "customers.attachment.value"]
    problem = {"num_vars": 2, "names": names, "bounds": [[260, 340], [50, 300]]}
    rows = design.sample(problem, 4, calc_second_order=False, seed=1)
    market = load("two_hotels").set(
        {"customers.count": {"compiled": 200, "agents": 60}[engine], "burn_in": 2, "horizon": 6}
    )
    total = {}
    for on in (False, True):
        base = market.set({"mechanisms.attachment": on})
        shares = []
        for row in rows:
            model = ChurnModel(base.set(dict(zip(names, row.tolist(), strict=True))), rng=1, engine=engine)
            shares.append(float(model.run().measures["share"][-6:, 0].mean()))
        total[on] = sobol.analyze(problem, np.array(shares), calc_second_order=False, seed=1)["ST"]
    assert total[False][1] == 0
    assert total[True][1] > 0
    assert total[False][0] > 0

"""The exact limits A1-A21 on the real model, and the index that says where each is checked.

Closed forms are written down here once more, apart from `churnsim.economics`; customers in a tick are independent, so
tolerances are 4 binomial standard errors.
"""

from __future__ import annotations

import ast
from functools import cache

import numpy as np
import pytest
from benchmarks.targets.limits import LIMITS
from scipy.optimize import brentq
from scipy.special import beta as beta_function

from churnsim import ChurnModel, load
from churnsim.ledger import accounts
from conftest import ROOT

SIZES = {"compiled": 20_000, "agents": 150}
ENGINES = tuple(SIZES)
NOBODY = -1


def near(found: float, expected: float, n: float) -> None:
    """Check that a share of `n` independent customers is within 4 standard errors of a probability."""
    assert abs(found - expected) <= 4 * np.sqrt(expected * (1 - expected) / n), (found, expected, n)


# ---------------------------------------------------------------------- the index


def test_every_limit_has_its_checks():
    """All 21 are there, in order; every test and claim that the index names exists."""
    assert [limit.id for limit in LIMITS] == [f"A{n}" for n in range(1, 22)]
    functions: dict[str, set[str]] = {}
    for limit in LIMITS:
        assert limit.tests, limit.id
        for reference in limit.tests:
            file, _, name = reference.partition("::")
            if file not in functions:
                tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
                functions[file] = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert name in functions[file], reference
        for reference in limit.claims:
            scenario, _, claim = reference.partition("#")
            assert claim in {said.id for said in load(scenario).claims}, reference


# ---------------------------------------------------------------------- logit and inertia

WEIGHTS = np.exp([-0.8, -1.0, -1.5])
INERTIA = np.exp(1.3)


def stationary() -> tuple[np.ndarray, np.ndarray]:
    """Return stationary shares and repeat rates of the logit with inertia, by brute force from its matrix."""
    chances = np.tile(WEIGHTS, (3, 1)) * np.where(np.eye(3), INERTIA, 1)
    chances /= chances.sum(axis=1, keepdims=True)
    return np.linalg.matrix_power(chances, 500)[0], np.diag(chances)


@cache
def settled(engine: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return provider and tenure in the steady state of the logit with inertia, and what is bought in the next tick."""
    scenario = load("inertia_limit").set({"customers.count": SIZES[engine], "burn_in": 70})
    model = ChurnModel(scenario, rng=4, engine=engine)
    provider, tenure = model.columns.provider.copy(), model.columns.tenure.copy()
    model.step()
    return provider, tenure, model.columns.choice


@pytest.mark.parametrize("engine", ENGINES)
def test_a1_logit_shares(engine):
    scenario = load("inertia_limit").arm("no_inertia").set({"customers.count": SIZES[engine], "burn_in": 2})
    model = ChurnModel(scenario, rng=3, engine=engine)
    model.step()
    choice = model.columns.choice[model.columns.choice != NOBODY]
    for j, expected in enumerate(WEIGHTS / WEIGHTS.sum()):
        near((choice == j + 1).mean(), expected, choice.size)


@pytest.mark.parametrize("engine", ENGINES)
def test_a2_inertia_shares_and_repeat_rates(engine):
    shares, repeats = stationary()
    # The closed form of the stationary shares (detailed balance) is the matrix's.
    closed = WEIGHTS * (WEIGHTS.sum() + (INERTIA - 1) * WEIGHTS)
    np.testing.assert_allclose(closed / closed.sum(), shares, rtol=1e-12)
    np.testing.assert_allclose(shares, [0.4757, 0.3517, 0.1726], atol=5e-5)
    before, _, choice = settled(engine)
    for j in range(3):
        near((before == j + 1).mean(), shares[j], before.size)
        mine = (choice != NOBODY) & (before == j + 1)
        near((choice[mine] == j + 1).mean(), repeats[j], mine.sum())


@pytest.mark.parametrize("engine", ENGINES)
def test_a3_tenure_is_geometric(engine):
    """Whoever leaves with a constant probability h has been there for 1 / h ticks on average."""
    _, repeats = stationary()
    provider, tenures, _ = settled(engine)
    for j, repeat in enumerate(repeats):
        hazard = 0.5 * (1 - repeat)
        tenure = tenures[provider == j + 1]
        error = np.sqrt(1 - hazard) / hazard / np.sqrt(tenure.size)
        assert abs(tenure.mean() - 1 / hazard) <= 4 * error
        near((tenure > 5).mean(), (1 - hazard) ** 5, tenure.size)


# ---------------------------------------------------------------------- prices

COST, NOISE = 90.0, 75.0


def logit_price(firms: int, outside: float | None) -> tuple[float, float]:
    """Return the symmetric equilibrium price p = c + mu / (1 - s) and share; `outside` is its value less the firms'."""

    def share(price: float) -> float:
        away = 0.0 if outside is None else np.exp((outside + price) / NOISE)
        return 1 / (firms + away)

    price = brentq(lambda p: p - COST - NOISE / (1 - share(p)), COST, 1_000)
    return price, share(price)


@pytest.mark.parametrize(("firms", "outside", "known"), [(2, None, 240), (3, None, 202.5), (2, -270.0, 215.55)])
def test_a4_bertrand_price(firms, outside, known):
    """At the closed-form price shares are equal, and a unilateral step up or down earns what the logit says: less."""
    price, share = logit_price(firms, outside)
    assert price == pytest.approx(known, abs=0.005)
    scenario = load("bertrand_limit" if firms == 2 else "inertia_limit").set(
        {
            "customers.count": 40_000, "customers.opportunity": 1, "customers.choice.noise": NOISE, "burn_in": 0,
            "customers.choice.outside_value": -1e6 if outside is None else outside, "mechanisms.switching_cost": False,
        }
    )  # fmt: skip
    scenario = scenario.set({f"firms.{name}.price": price for name in scenario.firms})
    earned = {step: profits(scenario, price + step) for step in (-24.0, 0.0, 24.0)}
    near((earned[0.0] > 0).mean(), share, 40_000)
    for step in (-24.0, 24.0):
        others = (firms - 1) + (0 if outside is None else np.exp((outside + price) / NOISE))
        won = 1 / (1 + others * np.exp(step / NOISE))
        expected = (price + step - COST) * won - (price - COST) * share
        gain = earned[step] - earned[0.0]
        assert expected < 0
        assert abs(gain.mean() - expected) <= 4 * gain.std() / np.sqrt(gain.size)


def profits(scenario, price: float) -> np.ndarray:
    """Return what each customer earns the first firm in tick 1 if it alone charges a price."""
    first = next(iter(scenario.firms))
    model = ChurnModel(scenario.set({f"firms.{first}.price": price}), rng=5)
    model.step()
    return np.where(model.columns.choice == 1, price - COST, 0.0)


@pytest.mark.parametrize(("kappa", "multiple"), [(0.0, 2.0), (0.5, 2.13), (1.0, 2.54), (2.0, 4.76)])
def test_a5_myopic_markup_with_inertia(kappa, multiple):
    """Each firm has half of the customers; the price at which one tick's profit is stationary is the closed form's."""
    stays = 1 / (1 + np.exp(-kappa))
    markup = 0.5 / (stays * (1 - stays))
    assert markup == pytest.approx(multiple, abs=0.005)
    price = COST + markup * NOISE
    scenario = load("bertrand_limit").set(
        {
            "customers.count": 40_000, "customers.switching_cost": kappa * NOISE, "mechanisms.switching_cost": True,
            "firms.first.price": price, "firms.second.price": price,
        }
    )  # fmt: skip

    def demand(step: float) -> float:
        lead = np.array([kappa, -kappa]) - step / NOISE
        return float(0.5 * (1 / (1 + np.exp(-lead))).sum())

    step = 6.0
    up, down = profits(scenario, price + step), profits(scenario, price - step)
    near((up > 0).mean(), demand(step), up.size)
    slope = (up - down) / (2 * step)
    # Central difference of the closed form: zero but for terms of third order.
    expected = ((price + step - COST) * demand(step) - (price - step - COST) * demand(-step)) / (2 * step)
    assert abs(expected) < 0.005
    assert abs(slope.mean() - expected) <= 4 * slope.std() / np.sqrt(slope.size)


# ---------------------------------------------------------------------- survival, stocks and memories


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("arm", "a", "b", "last"), [("case", 0.668, 3.806, 0.378), ("regular", 0.704, 1.182, 0.170)])
def test_a6_sbg_survival(engine, arm, a, b, last):
    """Within a beta's numerical table, survivors of each year are the ratio of beta functions."""
    scenario = load("sbg_cohort").arm(arm).set({"customers.count": SIZES[engine]})
    model = ChurnModel(scenario, rng=2, engine=engine)
    for year in range(1, 13):
        model.step()
        expected = beta_function(a, b + year) / beta_function(a, b)
        near((model.columns.provider == 1).mean(), expected, SIZES[engine])
    assert expected == pytest.approx(last, abs=5e-4)


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


@pytest.mark.parametrize("retention", [0.7, 0.9])
def test_a11_lifetime_value_in_the_books(retention):
    """What a customer of constant retention earns, discounted by 12 % a tick, is m r / (1 + d - r) in the ledger."""
    scenario = load("quality_limit").arm("control").set(
        {
            "customers.count": 8_000, "horizon": 80, "ledger": True, "discount": 0.12,
            "mechanisms.involuntary": True, "customers.hazards": {"natural": 1 - retention, "lapse": 0, "credit": 0},
        }
    )  # fmt: skip
    model = ChurnModel(scenario, rng=6)
    model.run()
    found = accounts(model)
    value = found.loc[found["entered"] == 0, "margin"]
    assert len(value) == 8_000
    margin = 300 - 90 - 80
    assert abs(value.mean() - margin * retention / (1.12 - retention)) <= 4 * value.std() / np.sqrt(len(value))


def test_a18_points_are_conserved():
    """What customers hold is what was credited less what was redeemed, where nobody leaves and nothing expires."""
    scenario = load("tesco_card").set(
        {"customers.count": 500, "customers.loyalty_card.expiry": 0, "mechanisms.involuntary": False, "horizon": 24}
    )
    model = ChurnModel(scenario, rng=2)
    record = model.run()
    credited, redeemed = (record.dealings[name][:, 0].sum() for name in ("points_earned", "points_redeemed"))
    assert redeemed > 0
    assert model.dealings.points[0].sum() == pytest.approx(credited - redeemed, rel=1e-4)


def test_a21_sobol_index_is_zero():
    """Total Sobol indices: a parameter of a mechanism that is off has none at all; the same one when it is on does."""
    from SALib.analyze import sobol
    from SALib.sample import sobol as design

    names = ["firms.eton.price", "customers.attachment.value"]
    problem = {"num_vars": 2, "names": names, "bounds": [[260, 340], [50, 300]]}
    rows = design.sample(problem, 4, calc_second_order=False, seed=1)
    market = load("two_hotels").set({"customers.count": 200, "burn_in": 2, "horizon": 6})
    total = {}
    for on in (False, True):
        base = market.set({"mechanisms.attachment": on})
        shares = []
        for row in rows:
            model = ChurnModel(base.set(dict(zip(names, row.tolist(), strict=True))), rng=1)
            shares.append(float(model.run().measures["share"][-6:, 0].mean()))
        total[on] = sobol.analyze(problem, np.array(shares), calc_second_order=False, seed=1)["ST"]
    assert total[False][1] == 0
    assert total[True][1] > 0
    assert total[False][0] > 0

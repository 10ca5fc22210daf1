"""The exact limits of choice and survival (A1-A3, A6, A16) on both engines, and the index that says where each is.

Closed forms are written down here once more, apart from `churnsim.economics`; tolerances are 4 standard errors. That
they are narrow enough is tested too: a model that is off by a few per cent does not pass.
"""

from __future__ import annotations

import ast
import itertools
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pytest
from benchmarks.targets.limits import LIMITS
from scipy.integrate import solve_ivp
from scipy.special import beta as beta_function

from churnsim import ChurnModel, Scenario, load
from conftest import ROOT
from limit_checks import ENGINES, NOBODY, near, near_mean

SIZES = {"compiled": 200_000, "agents": 150}

# ---------------------------------------------------------------------- the index


def test_every_limit_has_its_checks():
    """All 21 are there, in order; every test and claim that the index names exists, and one runs on both engines."""
    assert [limit.id for limit in LIMITS] == [f"A{n}" for n in range(1, 22)]
    functions: dict[str, dict[str, set[str]]] = {}
    for limit in LIMITS:
        engines = False
        for reference in limit.tests:
            file, _, name = reference.partition("::")
            if file not in functions:
                tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
                functions[file] = {
                    node.name: {argument.arg for argument in node.args.args}
                    for node in tree.body
                    if isinstance(node, ast.FunctionDef)
                }
            assert name in functions[file], reference
            engines |= "engine" in functions[file][name]
        assert engines, limit.id
        for reference in limit.claims:
            scenario, _, claim = reference.partition("#")
            assert claim in {said.id for said in load(scenario).claims}, reference


# ---------------------------------------------------------------------- logit and inertia

WEIGHTS = np.exp([-0.8, -1.0, -1.5])
KAPPA = 1.3
OPPORTUNITY = 0.5

LOGIT = load("inertia_limit").arm("no_inertia")
INERTIA = load("inertia_limit")


def transitions(kappa: float) -> np.ndarray:
    """Return the chances of choosing each firm on an occasion, by the firm one is with."""
    chances = np.tile(WEIGHTS, (3, 1)) * np.where(np.eye(3), np.exp(kappa), 1)
    return chances / chances.sum(axis=1, keepdims=True)


def stationary(kappa: float) -> np.ndarray:
    """Return the stationary shares of the logit with inertia: detailed balance."""
    shares = WEIGHTS * (WEIGHTS.sum() + np.expm1(kappa) * WEIGHTS)
    return shares / shares.sum()


class Watched(NamedTuple):
    """What customers did tick by tick, from the steady state on."""

    before: np.ndarray  # (ticks, customers), firm they were with
    choice: np.ndarray  # (ticks, customers), firm they chose, or `NOBODY`
    tenure: np.ndarray  # (customers,), in the steady state


@lru_cache(maxsize=2)
def watched(scenario: Scenario, engine: str) -> Watched:
    """Return what customers do in some ticks after the burn-in of a market."""
    ticks = {"compiled": 10, "agents": 60}[engine]
    scenario = scenario.set({"customers.count": SIZES[engine], "burn_in": 70, "horizon": ticks})
    model = ChurnModel(scenario, rng=4, engine=engine)
    tenure, before, choice = model.columns.tenure.copy(), [], []
    for _ in range(ticks):
        before.append(model.columns.provider.copy())
        model.step()
        choice.append(model.columns.choice.copy())
    return Watched(np.array(before), np.array(choice), tenure)


def check_logit(scenario: Scenario, engine: str) -> None:
    """A1: without inertia every occasion is a draw with the logit's shares."""
    scenario = scenario.set({"customers.count": {"compiled": 1_000_000, "agents": 2_000}[engine], "burn_in": 2})
    model = ChurnModel(scenario, rng=3, engine=engine)
    model.step()
    choice = model.columns.choice[model.columns.choice != NOBODY]
    for j, expected in enumerate(WEIGHTS / WEIGHTS.sum()):
        near((choice == j + 1).mean(), expected, choice.size)


def check_inertia(scenario: Scenario, engine: str) -> None:
    """A2 and the first half of A3: repeat rates, stationary shares, opportunities and churn."""
    before, choice, _ = watched(scenario, engine)
    repeats, shares = np.diag(transitions(KAPPA)), stationary(KAPPA)
    asked = choice != NOBODY
    near(asked.mean(), OPPORTUNITY, asked.size)
    for j in range(3):
        # Everybody's share of ticks with the firm: customers are independent, their ticks are not.
        near_mean((before == j + 1).mean(axis=0), shares[j])
        # What is chosen depends on the past through the present firm alone, so occasions are independent draws.
        mine = before == j + 1
        near((choice[mine & asked] == j + 1).mean(), repeats[j], (mine & asked).sum())
        left = mine & asked & (choice != j + 1)
        near(left.sum() / mine.sum(), OPPORTUNITY * (1 - repeats[j]), mine.sum())


def check_tenure(scenario: Scenario, engine: str) -> None:
    """A3: whoever leaves with a constant probability h has been there for 1 / h ticks on average, geometrically."""
    before, _, tenures = watched(scenario, engine)
    for j, repeat in enumerate(np.diag(transitions(KAPPA))):
        hazard = OPPORTUNITY * (1 - repeat)
        tenure = tenures[before[0] == j + 1]
        assert abs(tenure.mean() - 1 / hazard) <= 4 * np.sqrt(1 - hazard) / hazard / np.sqrt(tenure.size)
        for ticks in (1, 3, 5, 10):
            near((tenure > ticks).mean(), (1 - hazard) ** ticks, tenure.size)


@pytest.mark.parametrize("engine", ENGINES)
def test_a1_logit_shares(engine):
    check_logit(LOGIT, engine)


def test_a2_closed_form_of_the_stationary_shares():
    """Detailed balance gives what a power of the matrix gives; with unlimited inertia shares are as w squared."""
    for kappa in (0, 0.5, KAPPA, 4):
        powers = np.linalg.matrix_power(transitions(kappa), 5_000)
        np.testing.assert_allclose(powers, np.tile(stationary(kappa), (3, 1)), rtol=1e-9)
    np.testing.assert_allclose(stationary(KAPPA), [0.4757, 0.3517, 0.1726], atol=5e-5)
    np.testing.assert_allclose(np.diag(transitions(KAPPA)), [0.736, 0.667, 0.500], atol=5e-4)
    np.testing.assert_allclose(stationary(30), WEIGHTS**2 / (WEIGHTS**2).sum(), rtol=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
def test_a2_inertia_shares_and_repeat_rates(engine):
    check_inertia(INERTIA, engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_a3_tenure_is_geometric(engine):
    check_tenure(INERTIA, engine)


# ---------------------------------------------------------------------- survival of a cohort

COHORTS = {"case": (0.668, 3.806), "regular": (0.704, 1.182)}
"""Arms of `sbg_cohort`, and the beta distributions of Fader & Hardie 2007."""

PUBLISHED = {
    "case": [85.1, 74.7, 67.0, 61.0, 56.2, 52.2, 48.9, 46.0, 43.6, 41.4, 39.5, 37.8],
    "regular": [62.7, 47.4, 38.8, 33.2, 29.2, 26.2, 23.9, 22.0, 20.4, 19.1, 18.0, 17.0],
}


def check_survival(scenario: Scenario, engine: str, arm: str) -> None:
    """A6: survivors of each year are a ratio of beta functions, and who has stayed t years stays on at the rate r_t."""
    a, b = COHORTS[arm]
    count = {"compiled": 200_000, "agents": 1_500}[engine]
    model = ChurnModel(scenario.set({"customers.count": count}), rng=2, engine=engine)
    there = count
    for year, published in enumerate(PUBLISHED[arm], start=1):
        model.step()
        left = int((model.columns.provider == 1).sum())
        expected = beta_function(a, b + year) / beta_function(a, b)
        assert 100 * expected == pytest.approx(published, abs=0.051)
        near(left / count, expected, count)
        near(left / there, (b + year - 1) / (a + b + year - 1), there)
        there = left


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("arm", COHORTS)
def test_a6_sbg_survival(engine, arm):
    check_survival(load("sbg_cohort").arm(arm), engine, arm)


# ---------------------------------------------------------------------- diffusion

INNOVATION, IMITATION = 0.02, 0.1


def users_by_month(scenario: Scenario, engine: str, count: int) -> list[int]:
    """Return how many of some customers are users after each month, from none on."""
    model = ChurnModel(scenario.set({"customers.count": count}), rng=1, engine=engine)
    users = [0]
    for _ in range(36):
        model.step()
        users.append(int((model.columns.provider == 1).sum()))
    return users


def check_diffusion(scenario: Scenario, engine: str) -> None:
    """A16: of those who are no users yet, p + q F become users in a tick, in each and over all."""
    count = {"compiled": 100_000, "agents": 150}[engine]
    deviation, spread = 0.0, 0.0
    for before, after in itertools.pairwise(users_by_month(scenario, engine, count)):
        chance, strangers = INNOVATION + IMITATION * before / count, count - before
        near((after - before) / strangers, chance, strangers)
        deviation += after - before - chance * strangers
        spread += chance * (1 - chance) * strangers
    assert abs(deviation) <= 4 * np.sqrt(spread)


@pytest.mark.parametrize("engine", ENGINES)
def test_a16_diffusion_of_bass(engine):
    check_diffusion(load("bass_limit"), engine)


def test_a16_many_customers_follow_the_equation():
    """10 000 customers lie within 2 % of the equation in continuous time, solved numerically."""
    found = np.array(users_by_month(load("bass_limit"), "compiled", 10_000)) / 10_000

    def slope(_, users):
        return (INNOVATION + IMITATION * users) * (1 - users)

    solved = solve_ivp(slope, (0, 36), [0], t_eval=np.arange(37), rtol=1e-8)
    assert np.sqrt(np.mean((found - solved.y[0]) ** 2)) < 0.02


# ---------------------------------------------------------------------- could these checks fail?


@pytest.mark.parametrize(
    ("check", "scenario", "change"),
    [
        (check_logit, LOGIT, {"customers.choice.noise": 1.05}),
        (check_logit, LOGIT, {"firms.first.price": 0.8 * 1.03}),
        (check_inertia, INERTIA, {"customers.switching_cost": 1.3 * 1.03}),
        (check_inertia, INERTIA, {"customers.opportunity": 0.5 * 1.03}),
        (check_inertia, INERTIA, {"firms.third.price": 1.5 * 1.03}),
        (check_tenure, INERTIA, {"customers.opportunity": 0.5 * 1.03}),
        (check_tenure, INERTIA, {"customers.switching_cost": 1.3 * 1.03}),
        (check_diffusion, load("bass_limit"), {"customers.acquisition.innovation": 0.02 * 1.05}),
        (check_diffusion, load("bass_limit"), {"customers.acquisition.imitation": 0.1 * 1.05}),
    ],
)
def test_a_model_that_is_a_few_per_cent_off_does_not_pass(check, scenario, change):
    with pytest.raises(AssertionError):
        check(scenario.set(change), "compiled")


@pytest.mark.parametrize("arm", COHORTS)
@pytest.mark.parametrize("parameter", ["a", "b"])
def test_a_cohort_that_is_a_few_per_cent_off_does_not_pass(arm, parameter):
    a, b = COHORTS[arm]
    off = {"dist": "beta", "a": a * 1.03 if parameter == "a" else a, "b": b * 1.03 if parameter == "b" else b}
    with pytest.raises(AssertionError):
        check_survival(load("sbg_cohort").arm(arm).set({"customers.opportunity": off}), "compiled", arm)

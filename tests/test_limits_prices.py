"""The exact limits of prices (A4, A5) and of what is forgone (A15), on both engines.

What one firm earns in one tick is compared with the logit's demand, written down here once more: at the closed form's
price it must be stationary. Tolerances are 4 standard errors; that they are narrow enough is tested too.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from churnsim import ChurnModel, Scenario, load
from limit_checks import ENGINES, NOBODY, near, near_mean

COST, NOISE = 90.0, 75.0
COUNTS = {"compiled": 400_000, "agents": 1_000}
NOWHERE = -1e6

MARKETS = [(2, None, 240), (3, None, 202.5), (2, -270.0, 215.55)]
"""Firms, outside value less the firms', and the known equilibrium price."""

INERTIAS = [(0.0, 2.0), (0.5, 2.13), (1.0, 2.54), (2.0, 4.76)]
"""Switching cost and markup, both in units of the noise."""


def earned(scenario: Scenario, price: float, engine: str) -> np.ndarray:
    """Return what each customer earns the first firm in tick 1 if it alone charges a price."""
    first = next(iter(scenario.firms))
    settings = {"customers.count": COUNTS[engine], f"firms.{first}.price": price}
    model = ChurnModel(scenario.set(settings), rng=5, engine=engine)
    model.step()
    return np.where(model.columns.choice == 1, price - COST, 0.0)


# ---------------------------------------------------------------------- Bertrand competition


def logit_price(firms: int, outside: float | None) -> tuple[float, float]:
    """Return the symmetric equilibrium price p = c + mu / (1 - s) and share."""

    def share(price: float) -> float:
        away = 0.0 if outside is None else np.exp((outside + price) / NOISE)
        return 1 / (firms + away)

    price = brentq(lambda p: p - COST - NOISE / (1 - share(p)), COST, 1_000)
    return price, share(price)


def oligopoly(firms: int, outside: float | None, price: float) -> Scenario:
    """Return a market of two or three like firms without any mechanism."""
    scenario = load("bertrand_limit" if firms == 2 else "inertia_limit").set(
        {
            "customers.opportunity": 1, "customers.choice.noise": NOISE, "burn_in": 0,
            "customers.choice.outside_value": NOWHERE if outside is None else outside,
            "mechanisms.switching_cost": False,
        }
    )  # fmt: skip
    return scenario.set({f"firms.{name}.price": price for name in scenario.firms})


def check_bertrand(engine: str, firms: int, outside: float | None, noise: float = NOISE, dearer: float = 0) -> None:
    """At the closed form's price shares are equal, and a step up or down of one firm earns what the logit says: less.

    `noise` and `dearer` are what the model has and charges; the closed form's are fixed.
    """
    price, share = logit_price(firms, outside)
    scenario = oligopoly(firms, outside, price + dearer).set({"customers.choice.noise": noise})
    profit = {step: earned(scenario, price + dearer + step, engine) for step in (-24.0, -6.0, 0.0, 6.0, 24.0)}
    near((profit[0.0] > 0).mean(), share, COUNTS[engine])

    def expected(step: float) -> float:
        others = (firms - 1) + (0 if outside is None else np.exp((outside + price) / NOISE))
        return (price + step - COST) / (1 + others * np.exp(step / NOISE))

    for step in (-24.0, 24.0):
        assert expected(step) < expected(0)
        near_mean(profit[step] - profit[0.0], expected(step) - expected(0))
    near_mean((profit[6.0] - profit[-6.0]) / 12, (expected(6) - expected(-6)) / 12)
    assert abs(expected(6) - expected(-6)) / 12 < 0.005, "stationary but for terms of third order"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("firms", "outside", "known"), MARKETS)
def test_a4_bertrand_price(engine, firms, outside, known):
    price, share = logit_price(firms, outside)
    assert price == pytest.approx(known, abs=0.005)
    if outside is not None:
        assert share == pytest.approx(0.4026, abs=5e-5)
    check_bertrand(engine, firms, outside)


# ---------------------------------------------------------------------- myopic markup with inertia


def check_myopic(engine: str, kappa: float, inertia: float, dearer: float = 1) -> None:
    """Each firm has half of the customers; at the closed form's price the profit of one tick is stationary.

    `inertia` and `dearer` are the switching cost that the model has, and the markup over that of the closed form.
    """
    stays = 1 / (1 + np.exp(-kappa))
    price = COST + dearer * 0.5 / (stays * (1 - stays)) * NOISE
    scenario = load("bertrand_limit").set(
        {
            "customers.switching_cost": inertia * NOISE, "mechanisms.switching_cost": True,
            "firms.first.price": price, "firms.second.price": price,
        }
    )  # fmt: skip

    def demand(step: float) -> float:
        lead = np.array([kappa, -kappa]) - step / NOISE
        return float(0.5 * (1 / (1 + np.exp(-lead))).sum())

    step = 6.0
    up, down = (earned(scenario, price + change, engine) for change in (step, -step))
    near((up > 0).mean(), demand(step), up.size)
    markup = 0.5 / (stays * (1 - stays)) * NOISE
    slope = ((markup + step) * demand(step) - (markup - step) * demand(-step)) / (2 * step)
    assert abs(slope) < 0.005, "zero but for terms of third order"
    near_mean((up - down) / (2 * step), slope)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("kappa", "multiple"), INERTIAS)
def test_a5_myopic_markup_with_inertia(engine, kappa, multiple):
    stays = 1 / (1 + np.exp(-kappa))
    assert 0.5 / (stays * (1 - stays)) == pytest.approx(multiple, abs=0.005)
    check_myopic(engine, kappa, kappa)


# ---------------------------------------------------------------------- opportunity cost

FORGONE = 180.0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("gain", "true_gain"), [(450.0, 270.0), (150.0, -30.0)])
def test_a15_what_is_forgone_is_counted_once(engine, gain, true_gain):
    """Without noise everybody takes what gains more than is forgone; with it the odds tell the gain less the cost."""
    level = 1_000.0  # values are prices below a level that changes no choice
    scenario = load("bertrand_limit").set(
        {
            "customers.count": COUNTS[engine], "customers.choice.outside_value": FORGONE - level,
            "firms.first.price": level - gain, "firms.second.price": 1e6,
        }
    )  # fmt: skip
    for noise in (0.0, 100.0):
        model = ChurnModel(scenario.set({"customers.choice.noise": noise}), rng=1, engine=engine)
        model.step()
        bought = (model.columns.choice == 1).mean()
        if noise:
            near(bought, 1 / (1 + np.exp(-true_gain / noise)), COUNTS[engine])
        else:
            assert bought == (true_gain > 0)
        assert (model.columns.choice != NOBODY).all()


# ---------------------------------------------------------------------- could these checks fail?


@pytest.mark.parametrize(("firms", "outside", "known"), MARKETS)
@pytest.mark.parametrize("change", [{"noise": 1.05 * NOISE}, {"dearer": 6.0}])
def test_competition_that_is_a_few_per_cent_off_does_not_pass(firms, outside, known, change):
    with pytest.raises(AssertionError):
        check_bertrand("compiled", firms, outside, **change)


@pytest.mark.parametrize("kappa", [0.5, 1.0, 2.0])
def test_inertia_that_is_a_few_per_cent_off_does_not_pass(kappa):
    with pytest.raises(AssertionError):
        check_myopic("compiled", kappa, kappa + 0.15)
    with pytest.raises(AssertionError):
        check_myopic("compiled", kappa, kappa, dearer=1.05)

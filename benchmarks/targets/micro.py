"""Numbers of single customers that no table of a result has: regressions, duplications, elasticities of value."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import spearmanr

import churnsim as cs
from churnsim import ChurnModel, Scenario, load
from churnsim.causes import CAUSE_NAMES, LABEL_SHARE, N_VALUE_CAUSES, taxonomy
from churnsim.engine.state import OUTSIDE, one_of
from churnsim.ground_truth.hazard import hazard_of
from churnsim.ledger import accounts
from churnsim.lock_in import resistances
from churnsim.model import simulate

KEAVENEY = {
    "core_service_failure": 44, "encounter_failure": 34, "pricing": 30, "inconvenience": 21,
    "response_to_failure": 17, "competition": 10, "ethics": 7, "involuntary": 6,
}  # fmt: skip
"""Share of respondents who mention each category, % (Keaveney 1995, recalled)."""

DISCOUNT = 0.12
"""Discount rate per year (course)."""

YEAR = 12
"""Ticks of `double_jeopardy` in a year."""

BRANDS = 5
"""Its brands; the sixth option is all others together."""

NEAR = 0.1
"""Distance from expectation within which the slopes of satisfaction are compared."""


# ---------------------------------------------------------------------- V1: reasons for switching


class Incidents(NamedTuple):
    """Departures of a market of services."""

    shares: dict[str, np.ndarray]  # share of each category in every chosen departure
    forced: int  # departures that nobody chose


def services(seed: int) -> Scenario:
    """Return a market of services in which all that Keaveney's respondents speak of may happen.

    How much of it happens is assumed, and drawn anew for each seed: between half and twice the middle.
    """
    draws = np.random.default_rng(seed)

    def about(middle: float) -> float:
        return middle * float(np.exp2(draws.uniform(-1, 1)))

    base = load("two_hotels").arm("both_passive").set(
        {
            "customers.count": 3_000, "horizon": 36, "mechanisms.failure": True, "mechanisms.ethics": True,
            "customers.failure": {"rate": about(0.08), "encounter": about(0.08)},
            "customers.hazards": {"natural": about(0.001), "lapse": about(0.001), "credit": about(0.0005)},
        }
    )  # fmt: skip
    rise, scandal = 1 + about(0.05), about(0.5)
    for tick, firm, change in (
        (7, "nanyuan", {"price": 300 * rise}), (10, "eton", {"price": 300 * rise}),
        (13, "nanyuan", {"responsibility.scandal": scandal}), (19, "eton", {"price": 300 * rise**2}),
        (25, "nanyuan", {"price": 300 * rise**2}), (28, "eton", {"responsibility.scandal": scandal}),
    ):  # fmt: skip
        base = base.move(tick, {f"firms.{firm}.{path}": value for path, value in change.items()})
    return base


@cache
def incidents(seed: int) -> Incidents:
    """Return the departures of a market of services, by Keaveney's categories."""
    record = simulate(services(seed), seed, departures=True)
    of = taxonomy("keaveney")
    lines = record.departures
    assert lines is not None
    lines = lines[lines["tick"] > 0]
    shares = {
        category: np.sum([lines[cause] for cause in CAUSE_NAMES[:N_VALUE_CAUSES] if of[cause] == category], axis=0)
        for category in KEAVENEY
        if category != "involuntary"
    }
    return Incidents(shares, int(record.primary[record.ticks > 0][:, :, N_VALUE_CAUSES:].sum()))


def reasons(seed: int, least: float = LABEL_SHARE) -> tuple[dict[str, float], float]:
    """Return the share of incidents that mention each category, %, and the share of those that mention several.

    A category is mentioned where its causes together have at least the share `least` of a departure. Departures
    without any are none of Keaveney's: nobody was at fault, and nothing happened that one could tell.
    """
    shares, forced = incidents(seed)
    named = {category: found >= least for category, found in shares.items()}
    count = np.sum(list(named.values()), axis=0)
    total = int((count > 0).sum()) + forced
    share = {category: 100 * float(found.sum()) / total for category, found in named.items()}
    return {**share, "involuntary": 100 * forced / total}, float((count > 1).sum()) / total


def keaveney_untold(seed: int) -> float:
    """Return the share of departures for which no category is a reason."""
    shares, forced = incidents(seed)
    told = np.any([found >= LABEL_SHARE for found in shares.values()], axis=0)
    return 1 - float(told.sum() + forced) / (told.size + forced)


def keaveney_order(seed: int) -> float:
    """Return the rank correlation of mentions with Keaveney's."""
    share, _ = reasons(seed)
    return float(spearmanr([share[name] for name in KEAVENEY], list(KEAVENEY.values())).statistic)


def keaveney_core(seed: int) -> float:
    """Return by how many points core service failure leads the next category."""
    share, _ = reasons(seed)
    return share["core_service_failure"] - max(value for name, value in share.items() if name != "core_service_failure")


def keaveney_several(least: float = LABEL_SHARE) -> Callable[[int], float]:
    """Return what measures the share of incidents with more than one reason."""
    return lambda seed: reasons(seed, least)[1]


def mentioned(category: str) -> Callable[[int], float]:
    """Return what measures the share of incidents that mention a category, %."""
    return lambda seed: reasons(seed)[0][category]


# ---------------------------------------------------------------------- V2: satisfaction under lock-in


def locked_in_odds(seed: int) -> float:
    """Return the odds of buying again, completely over merely satisfied, where moving is next to impossible.

    Of all makes, which are alike, and over so many buyers that some leave nevertheless.
    """
    record = simulate(load("us_cars").arm("lock_in").set({"customers.count": 1_000_000}), seed)
    rounds = (record.ticks >= 4) & (record.ticks <= 10)
    odds = []
    for level in (4, 5):
        stayed, asked = (record.dealings[f"{what}_level_{level}"][rounds].sum() for what in ("repeats", "occasions"))
        odds.append(float(stayed / (asked - stayed)))
    return odds[1] / odds[0]


# ---------------------------------------------------------------------- V4: what explains the intention to stay


@cache
def intention_fit(seed: int) -> tuple[float, float]:
    """Return R² of the intention to stay on switching costs and on satisfaction, two passive hotels at tick 0."""
    model = ChurnModel(load("two_hotels").arm("both_passive").set({"customers.count": 5_000}), rng=seed)
    rows = np.flatnonzero(model.columns.provider > 0)
    market = one_of(model.batch, 0)
    common = (model.columns, model.dealings, model.parameters)
    intention = hazard_of(*common, None, market, rows).intention
    costs = resistances(*common, market, OUTSIDE, rows).sum(axis=0)
    satisfaction = model.columns.satisfaction[rows]
    return _r2(costs, intention), _r2(satisfaction, intention)


def _r2(x: np.ndarray, y: np.ndarray) -> float:
    """Return the share of variance that a straight line explains."""
    return float(np.corrcoef(x, y)[0, 1] ** 2)


def costs_over_satisfaction(seed: int) -> float:
    """Return how much more variance switching costs explain than satisfaction."""
    costs, satisfaction = intention_fit(seed)
    return costs - satisfaction


# ---------------------------------------------------------------------- V5, V6: what retention is worth


@cache
def cohort(retention: float, seed: int, ticks: int = 120) -> tuple[float, float]:
    """Return mean discounted margin and mean number of purchases of customers who stay with a constant probability."""
    scenario = load("quality_limit").arm("control").set(
        {
            "customers.count": 5_000, "horizon": ticks, "ledger": True, "discount": DISCOUNT,
            "mechanisms.involuntary": True, "customers.hazards": {"natural": 1 - retention, "lapse": 0, "credit": 0},
        }
    )  # fmt: skip
    model = ChurnModel(scenario, rng=seed)
    model.run()
    found = accounts(model)
    mine = found[found["entered"] == 0]
    return float(mine["margin"].mean()), float(mine["purchases"].mean())


def value_gain(before: float, after: float) -> Any:
    """Return a function of a seed: by what share the value of a customer rises with retention."""
    return lambda seed: cohort(after, seed)[0] / cohort(before, seed)[0] - 1


def life_ratio(seed: int) -> float:
    """Return how many times as long customers stay at 95 % as at 90 % retention, the first year counted."""
    return (1 + cohort(0.95, seed)[1]) / (1 + cohort(0.9, seed)[1])


def purchases_gain(seed: int) -> float:
    """Return by what share undiscounted margins rise when defection falls from 10 to 5 %."""
    return cohort(0.95, seed)[1] / cohort(0.9, seed)[1] - 1


def retention_elasticity(retention: float) -> Any:
    """Return a function of a seed: the elasticity of value to retention, by steps of 2 % with the same luck."""

    def measured(seed: int) -> float:
        low, high = (cohort(round(retention * factor, 6), seed, 60)[0] for factor in (0.98, 1.02))
        return float(np.log(high / low) / np.log(1.02 / 0.98))

    return measured


# ---------------------------------------------------------------------- V11: prices across hotels


def price_correlation(measure: str, arm: str = "case") -> Callable[[int], float]:
    """Return what correlates a measure of the hotels of `hotel_inelastic` with their prices, over two years."""

    def measured(seed: int) -> float:
        record = simulate(load("hotel_inelastic").arm(arm), seed)
        play = record.ticks > 0
        prices, found = (record.measures[name][play].mean(axis=0) for name in ("price", measure))
        return float(np.corrcoef(prices, found)[0, 1])

    return measured


# ---------------------------------------------------------------------- V12, V13: brands


def defection_by_share(seed: int) -> float:
    """Return R² of the brands' defection on their share, five brands and all others together."""
    record = simulate(load("double_jeopardy"), seed)
    play = record.ticks > 0
    share, churn = (record.measures[name][play].mean(axis=0) for name in ("share", "churn"))
    return _r2(share, churn)


@cache
def bought(arm: str, ticks: int, seed: int) -> np.ndarray:
    """Return how often everybody bought each of the five brands of `double_jeopardy`, (brands, customers)."""
    settings = {"customers.count": 20_000, "ledger": True, "horizon": ticks}
    model = ChurnModel(load("double_jeopardy").arm(arm).set(settings), rng=seed)
    model.run()
    assert model.ledger is not None
    return np.asarray(model.ledger.persons()["purchases"][:BRANDS])


def penetration(brand: int) -> Callable[[int], float]:
    """Return what measures the share of customers who buy a brand in a year."""
    return lambda seed: float((bought("case", YEAR, seed)[brand] > 0).mean())


def of_buyers(brand: int, seed: int) -> float:
    """Return how often a brand is bought in a year by those who buy it."""
    purchases = bought("case", YEAR, seed)[brand]
    return float(purchases.sum() / (purchases > 0).sum())


def duplication(arm: str, seed: int) -> float:
    """Return the largest relative deviation of b(X|Y) / b(X) from its mean over all pairs of brands, in half a year."""
    buys = bought(arm, YEAR // 2, seed) > 0
    ratios = [
        (buys[x] & buys[y]).sum() / buys[y].sum() / buys[x].mean()
        for x in range(BRANDS)
        for y in range(BRANDS)
        if x != y
    ]
    return float(np.abs(np.array(ratios) / np.mean(ratios) - 1).max())


# ---------------------------------------------------------------------- V17: recovery


def pleased_by_recovery(seed: int) -> float:
    """Return by how much more those are satisfied whose failure was mended than those who had none.

    Everybody is alike in the preset, so that luck changes nothing. What is drawn anew for each seed, over their
    plausible ranges, are the two sizes on which the answer hangs: what a failure displeases, and how far recovery
    more than mends that.
    """
    draws = np.random.default_rng(seed)
    sizes = {"displeasure": float(draws.uniform(0.05, 0.3)), "paradox": float(draws.uniform(1, 1.6))}
    base = load("complaint_table").set({"customers.failure": sizes, "customers.count": 500})
    mended, unhurt = (simulate(base.arm(arm), seed) for arm in ("all_mended", "no_failure"))
    now = mended.ticks == 0
    return float((mended.measures["satisfaction"] - unhurt.measures["satisfaction"])[now][0, 0])


# ---------------------------------------------------------------------- V18: asymmetry of satisfaction


def asymmetry(seed: int) -> float:
    """Return the slope of satisfaction with a stay below expectation, relative to that above, over real stays.

    What a stay was like and how it pleased follow from how belief and satisfaction moved; both slopes are fitted
    within `NEAR` of the expectation, where satisfaction is not yet at either end of its scale.
    """
    model = ChurnModel(load("two_hotels").arm("both_passive").set({"customers.count": 20_000}), rng=seed)
    customers = model.config.customers
    names = ("provider", "belief", "satisfaction", "expectation")
    before = {name: getattr(model.columns, name).copy() for name in names}
    model.step()
    rows = np.flatnonzero((model.columns.choice == before["provider"]) & (before["provider"] > 0))
    home = before["provider"][rows] - 1
    then, now = before["belief"][home, rows], model.columns.belief[home, rows]
    gap = then + (now - then) / customers.belief.learning - before["expectation"][rows]
    then, now = before["satisfaction"][rows], model.columns.satisfaction[rows]
    pleased = then + (now - then) / customers.satisfaction.adjustment
    below, above = ((gap > -NEAR) & (gap < 0), (gap > 0) & (gap < NEAR))
    slopes = [np.polyfit(gap[part], pleased[part], 1)[0] for part in (below, above)]
    return float(slopes[0] / slopes[1])


# ---------------------------------------------------------------------- V19: whom to contact


@cache
def woken(seed: int) -> dict[str, float]:
    """Return the scores of the example's models where a treatment wakes sleeping customers."""
    path = Path(__file__).parents[2] / "examples" / "score_models.py"
    spec = importlib.util.spec_from_file_location("score_models", path)
    assert spec is not None and spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    base = load("relationship_levels").arm("basic").set(
        {
            "customers.count": 30_000, "relationship_levels.reactive.contacts": 2, "customers.attention.contact": 1,
            "seed": seed,
        }
    )  # fmt: skip
    texts = {"texts": base.move(13, firm="firm", relationship="reactive")}
    with tempfile.TemporaryDirectory() as folder:
        return example.score(cs.generate(base, f"{folder}/data", treatments=texts).out)


def texts_effect(seed: int) -> float:
    """Return by how many points of the label texts to everybody lower churn."""
    return 100 * woken(seed)["mean_true_effect"]


def uplift_over_risk(seed: int) -> float:
    """Return how much more a fifth of customers gains if chosen by a T-learner than if chosen by risk, in points."""
    return 100 * (woken(seed)["uplift_at_20_t_learner"] - woken(seed)["uplift_at_20_by_risk"])


# ---------------------------------------------------------------------- V20, V24: prices


STEP = 8.0
"""Step of price with which the slope of profit is measured, in yuan."""


@cache
def committed_price(switching: float, seed: int) -> float:
    """Return the price of two firms that each commit to the constant price that is best against the other's.

    Each counts its profits of ten years, discounted by 2 % a month. The price is where a small step of one firm alone
    no longer pays, found by bisection on runs with the same luck.

    Parameters
    ----------
    switching
        Switching cost in units of the noise.
    seed
        Seed of all luck.
    """
    market = load("bertrand_limit").set(
        {
            "customers.count": 5_000, "horizon": 120, "mechanisms.switching_cost": switching > 0,
            "customers.switching_cost": 75 * switching,
        }
    )  # fmt: skip
    weights = 1.02 ** -np.arange(1.0, 121)

    def worth(own: float, rival: float) -> float:
        record = simulate(market.set({"firms.first.price": own, "firms.second.price": rival}), seed)
        return float(weights @ record.measures["profit"][:, 0])

    low, high = 100.0, 700.0
    while high - low > 2:
        price = (low + high) / 2
        if worth(price + STEP, price) > worth(price - STEP, price):
            low = price
        else:
            high = price
    return (low + high) / 2


def price_at(switching: float) -> Any:
    """Return a function of a seed: the price at a switching cost relative to that without one."""
    return lambda seed: committed_price(switching, seed) / committed_price(0.0, seed)


def price_elasticity(first: int, last: int, price: float = 270) -> Any:
    """Return a function of a seed: the elasticity of a hotel's stays to its own price, from 300 to another.

    Parameters
    ----------
    first, last
        Ticks over which stays are added up.
    price
        The other price.
    """

    def measured(seed: int) -> float:
        base = load("two_hotels").arm("both_passive").set({"customers.count": 5_000, "horizon": 24})
        other = base.move(1, firm="eton", price=price)
        stays = [
            simulate(one, seed).measures["stays"][base.burn_in + first - 1 : base.burn_in + last, 1].sum()
            for one in (base, other)
        ]
        return float(np.log(stays[1] / stays[0]) / np.log(price / 300))

    return measured

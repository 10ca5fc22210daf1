"""Data made by known rules, written as users would bring them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special, stats

from churnsim.calibration.fitted import Fitted
from churnsim.calibration.households import LOSS_AVERSION, unpack


def retention_table(
    path: Path, a: float, b: float, periods: int, customers: int, seed: int, trend: float = 1.0, segment: str = "all"
) -> pd.DataFrame:
    """Write a cohort whose hazards are Beta(a, b) and change with tenure."""
    luck = np.random.default_rng(seed)
    hazard = luck.beta(a, b, customers)
    rows = []
    for period in range(1, periods + 1):
        weight = period**trend - (period - 1) ** trend
        leaves = luck.random(hazard.size) < hazard * weight
        rows.append((segment, period, hazard.size, int(leaves.sum())))
        hazard = hazard[~leaves]
    table = pd.DataFrame(rows, columns=["segment", "period", "at_risk", "lost"])
    table.to_csv(path, index=False)
    return table


def purchase_log(path: Path, customers: int, days: int, seed: int, *, leave: float = 0.1, spend: bool = False) -> None:
    """Write purchases of customers with Beta rates who leave for good with a fixed probability per occasion."""
    luck = np.random.default_rng(seed)
    rate = luck.beta(1.0, 25.0, customers)
    rows = []
    for i in range(customers):
        start = int(luck.integers(0, 14))
        rows.append((f"c{i}", start))
        for day in range(start + 1, days):
            if luck.random() < rate[i]:
                if luck.random() < leave:
                    break
                rows.append((f"c{i}", day))
    log = pd.DataFrame(rows, columns=["id", "day"])
    if spend:
        log["spend"] = luck.lognormal(3, 0.5, len(log)).round(2)
    log.to_csv(path, index=False)


def panel_table(
    path: Path, households: int, occasions: int, brands: int, seed: int, *, sensitivity: float = 3.0,
    taste: float = 1.0, switching: float = 0.5, shown: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Write choices of households with normal tastes and a switching cost, in units of choice noise."""
    luck = np.random.default_rng(seed)
    worth = np.linspace(0.5, -0.5, brands)
    rows = []
    for i in range(households):
        liking, last = luck.normal(0, taste, brands), None
        for occasion in range(1, occasions + 1):
            price = luck.choice([1.6, 2.0, 2.2], brands)
            display = (luck.random(brands) < 0.1).astype(float)
            value = worth + liking - sensitivity * price / 1.93 + (1.0 * display if shown else 0)
            if last is not None:
                value = value - switching * (np.arange(brands) != last)
            last = int((value + luck.gumbel(size=brands)).argmax())
            rows.append((f"h{i}", occasion, f"b{last}", *price, *(display if shown else ())))
    names = [f"price_b{k}" for k in range(brands)] + ([f"disp_b{k}" for k in range(brands)] if shown else [])
    table = pd.DataFrame(rows, columns=["hh", "occ", "choice", *names])
    table.to_csv(path, index=False)
    return table


def log_of_the_model(
    path: Path, x: np.ndarray, customers: int, days: int, luck: np.random.Generator, stages: int = 1
) -> None:
    """Write purchases by the rule of `churnsim.calibration.renewal`, day by day, for one draw of its parameters."""
    mean, a = special.expit(x[0]), np.exp(x[1])
    rate = luck.beta(a, a * (1 - mean) / mean, customers)
    taste = np.exp(x[3]) * luck.standard_normal(customers)
    cost = np.exp(x[4] + np.exp(x[6]) * luck.standard_normal(customers))
    away = x[2] + np.exp(x[4])
    leaves, returns = special.expit(away - cost - taste), special.expit(taste - away - cost)
    start, there = luck.integers(0, 14, customers), np.ones(customers, bool)
    rows = [(i, int(day)) for i, day in enumerate(start)]
    behind = np.zeros(customers, int)
    for day in range(1, days):
        on = start < day
        lapses = on & there & (luck.random(customers) < special.expit(x[5]))
        # Who lapses is elsewhere, and may come back like anybody else there.
        behind += on * (luck.random(customers) < rate if stages == 1 else luck.binomial(stages, rate))
        due, behind = behind >= stages, np.where(behind >= stages, 0, behind)
        occasion = on & ~lapses & due
        moves = luck.random(customers) < np.where(there, leaves, returns)
        buys = occasion & (there != moves)
        rows += [(int(i), day) for i in np.flatnonzero(buys)]
        there = np.where(lapses, False, np.where(occasion, there != moves, there))
    pd.DataFrame(rows, columns=["id", "day"]).to_csv(path, index=False)


def panel_of_the_model(path: Path, x: np.ndarray, households: int, occasions: int, luck: np.random.Generator) -> None:
    """Write choices by the rule of `churnsim.calibration.panel`, the most bought of b0 ... being b0, prices near 1."""
    one = unpack(x, 0)
    brands = one.worth.size
    rows = []
    for i in range(households):
        prices = luck.choice([0.8, 1.0, 1.1], (occasions, brands), p=[0.3, 0.4, 0.3]) * luck.normal(
            1, 0.05, (occasions, 1)
        )
        taste = one.taste * luck.standard_normal(brands)
        weight = one.price * np.exp(one.price_spread * luck.standard_normal() - one.price_spread**2 / 2)
        usual = special.softmax(one.worth - one.trend + taste - weight * 0.97)
        attached, reference, last = usual.copy(), prices[0].copy(), -1
        for t, price in enumerate(prices):
            display, feature = luck.random((2, brands)) < 0.15
            gain = reference - price
            value = one.worth + ((t + 0.5) / occasions - 1) * one.trend + taste - weight * price
            value += one.reference * np.where(gain >= 0, gain, LOSS_AVERSION * gain) + one.attachment * attached
            # What was bought last before the data is known as a probability only.
            value += one.switching * (usual if last < 0 else np.arange(brands) == last)
            value += one.display * display + one.feature * feature
            last = int((value + luck.gumbel(size=brands)).argmax())
            attached *= 1 - one.memory
            attached[last] += one.memory
            reference += one.adaptation * (price - reference)
            rows.append((f"h{i}", t + 1, f"b{last}", *price, *display * 1, *feature * 1))
    names = [f"{kind}_b{k}" for kind in ("price", "disp", "feat") for k in range(brands)]
    pd.DataFrame(rows, columns=["hh", "occ", "choice", *names]).to_csv(path, index=False)


def expected_purchases(fitted: Fitted, weeks: int) -> np.ndarray:
    """Return (draws,) purchases that the rule of the likelihood expects of a log's customers in so many weeks of days.

    Where each may be, and how many stages of the next need may be behind, are followed day by day.
    """
    stages = fitted.facts["stages"]
    expected = []
    for draw, table in fitted.states.groupby("draw", sort=False):
        one = fitted.posterior.loc[draw]
        away, lapse = one["customers.choice.outside_value"], one["customers.hazards.lapse"]
        rate, taste, cost = (table[name].to_numpy(float) for name in ("opportunity", "taste", "switching_cost"))
        leaves, returns = special.expit(away - cost - taste), special.expit(taste - away - cost)
        passes = stats.binom.pmf(np.arange(stages + 1)[:, None], stages, rate)
        state = np.zeros((2, stages, len(table)))
        state[1 - table["customer_still"].to_numpy(int), table["stage"].to_numpy(int), np.arange(len(table))] = 1
        buys = 0.0
        for _ in range(7 * weeks):
            then = np.zeros_like(state)
            for stage in range(stages):
                for passed, chance in enumerate(passes):
                    there, elsewhere = state[:, stage] * chance
                    if stage + passed < stages:
                        then[:, stage + passed] += (1 - lapse) * there, lapse * there + elsewhere
                        continue
                    gone = lapse * there + (1 - lapse) * leaves * there + (1 - returns) * elsewhere
                    here = (1 - lapse) * (1 - leaves) * there + returns * elsewhere
                    then[:, 0] += here, gone
                    buys += here.sum()
            state = then
        expected.append(buys)
    return np.array(expected)

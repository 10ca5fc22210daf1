"""Data made by known rules, written as users would bring them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


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

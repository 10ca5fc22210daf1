"""Forecasts of choice panels: the households of the panel, with what they like and remember, choose on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from churnsim.calibration.errors import Warned
from churnsim.calibration.fitted import Fitted
from churnsim.calibration.formats import Panel
from churnsim.calibration.households import LOSS_AVERSION, bought_usually
from churnsim.calibration.sequences import repeat_rate, run_ratio, shares_of, switching
from churnsim.calibration.steps import Progress, Steps

FAR = 2.0
"""Factor by which future prices may lie outside those of the data before it is told (assumed)."""


def predict_panel(
    fitted: Fitted, marketing: Panel, replications: int, progress: Progress | None = None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Let households choose on under given prices.

    Every replication takes a draw of the parameters with what each household likes and remembers given its own
    purchases; households that are not in the data are drawn from the population.

    Parameters
    ----------
    fitted
        From `churnsim.calibration.panel_scenario.fitted_panel`.
    marketing
        Prices, displays and features; choices, if there are any, are not looked at.
    replications
        How often the future is simulated.
    progress
        Who is told how far it is.

    Returns
    -------
    answer, choices
        Shares, repeat rate, switching matrix (rows: from) with 95 % intervals over replications, run ratio, how many
        households go on and how many are new; and one row per replication and occasion, in the order of the marketing
        file.
    """
    from churnsim.calibration.free_run import free_run

    brands = list(marketing.brands)
    states, facts = fitted.states, fitted.facts
    assert states is not None
    draws = states["draw"].unique()
    known = {str(name): i for i, name in enumerate(facts["households"])}
    place = np.array([known.get(name, -1) for name in marketing.households])
    first = np.flatnonzero(np.diff(marketing.household, prepend=-1))
    posterior = fitted.posterior.set_index("draw")
    money = facts["mean_price"]
    count, rows = len(brands), marketing.household.size
    choices = np.empty((replications, rows), np.int64)
    price = marketing.price.astype(np.float32)
    steps = Steps(progress, replications)
    for rep in range(replications):
        draw = draws[_spread(rep, draws.size)]
        values = posterior.loc[draw]
        luck = np.random.default_rng([facts["seed"], 5, rep])
        table = states[states["draw"] == draw].set_index("household")
        worth, spreads = (
            np.array([values[f"{kind}.{name}"] for name in facts["firms"]]) for kind in ("worth", "taste")
        )
        taste, attached, reference, weight, last = _begin(
            table, place, values, price, first, money, luck, worth, spreads
        )
        shown = worth + values["display"] * marketing.display + values["feature"] * marketing.feature
        free_run(
            marketing.household, luck.random((rows, count), np.float32).clip(2.0**-24, 1 - 2.0**-24),
            shown.astype(np.float32), price, taste, weight, attached, reference, last, np.float32(money),
            np.float32(values["customers.attachment.value"]), np.float32(values["customers.attachment.growth"]),
            np.float32(values["customers.switching_cost"]), np.float32(values["customers.reference_price.weight"]),
            np.float32(LOSS_AVERSION), np.float32(values["customers.reference_price.adaptation"]), choices[rep],
        )  # fmt: skip
        steps.one()
    homes = {"known": int((place >= 0).sum()), "new": int((place < 0).sum())}
    answer = {
        **_summary(marketing, choices),
        "households": homes,
        "warnings": [*marketing.doubts, *_far(fitted, marketing)],
    }
    return answer, _table(marketing, choices)


def _spread(rep: int, draws: int) -> int:
    """Return which draw a replication takes: the two of a pair, which lie opposite each other, one after the other."""
    pair, side = divmod(rep, 2)
    return (pair % (draws // 2)) + side * (draws // 2)


def _begin(
    table: pd.DataFrame,
    place: np.ndarray,
    values: pd.Series,
    price: np.ndarray,
    first: np.ndarray,
    money: float,
    luck: np.random.Generator,
    worth: np.ndarray,
    spreads: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return tastes, attachment, reference prices, price weights and last brands that households begin with."""
    homes, count = place.size, spreads.size
    cv = values["customers.price_weight.cv"]
    spread = np.sqrt(np.log1p(cv**2))
    taste = (spreads * luck.standard_normal((homes, count))).astype(np.float32)
    weight = (values["customers.price_weight.mean"] * np.exp(luck.normal(-(spread**2) / 2, spread, homes))).astype(
        np.float32
    )
    # A new household, too, has bought before: it is attached to what it buys at usual prices.
    usual = (worth + taste - weight[:, None] * price.mean(0)) / money
    attached, reference = bought_usually(usual).astype(np.float32), price[first].copy()
    last = (np.cumsum(attached, 1) < luck.random((homes, 1))).sum(1).clip(max=count - 1)
    there = place >= 0
    if there.any():
        kept = table.loc[place[there]]
        taste[there] = kept[[f"taste_{j}" for j in range(count)]].to_numpy(np.float32)
        attached[there] = kept[[f"attachment_{j}" for j in range(count)]].to_numpy(np.float32)
        reference[there] = kept[[f"reference_{j}" for j in range(count)]].to_numpy(np.float32)
        weight[there] = kept["price_weight"].to_numpy(np.float32)
        last[there] = kept["last"].to_numpy(np.int64)
    return taste, attached, reference, weight, last


def _far(fitted: Fitted, marketing: Panel) -> list[Warned]:
    """Return which brands have prices far from those of the data: another unit, or what nothing is known of."""
    told: list[Warned] = []
    for brand, low, high, prices in zip(marketing.brands, *fitted.facts["price_range"], marketing.price.T, strict=True):
        if prices.min() < low / FAR or prices.max() > high * FAR:
            values = {"low": prices.min(), "high": prices.max(), "seen_low": low, "seen_high": high}
            told.append({"key": "far_prices", "brand": brand, **{name: f"{value:g}" for name, value in values.items()}})
    return told


def _summary(marketing: Panel, choices: np.ndarray) -> dict[str, Any]:
    """Return what the replications say in sum."""
    count, home = len(marketing.brands), marketing.household
    shares = np.array([shares_of(choice, count) for choice in choices])
    repeats = np.array([repeat_rate(home, choice) for choice in choices])
    matrices = np.array([switching(home, choice, count) for choice in choices])
    runs = np.array([run_ratio(home, choice) for choice in choices])

    def bounds(values: np.ndarray) -> list[Any]:
        """Return 2.5 and 97.5 % points; NaN where there is no case."""
        return np.quantile(values, [0.025, 0.975], axis=0).T.tolist()

    return {
        "shares": dict(zip(marketing.brands, shares.mean(0).tolist(), strict=True)),
        "repeat_rate": float(_mean(repeats)),
        "switching": np.nan_to_num(_mean(matrices)).tolist(),
        "brands": list(marketing.brands),
        "run_ratio": float(_mean(runs)),
        "intervals": {
            "shares": dict(zip(marketing.brands, bounds(shares), strict=True)),
            "repeat_rate": bounds(repeats),
            # A row without a case is one of transitions that never come up.
            "switching": np.stack(np.quantile(np.nan_to_num(matrices), [0.025, 0.975], axis=0), -1).tolist(),
            "run_ratio": bounds(runs),
        },
        "replications": len(choices),
    }


def _mean(values: np.ndarray) -> Any:
    """Return the mean over replications that have a case; NaN where none has."""
    some = np.isfinite(values)
    return np.where(some.any(0), np.where(some, values, 0).sum(0) / np.maximum(some.sum(0), 1), np.nan)


def _table(marketing: Panel, choices: np.ndarray) -> pd.DataFrame:
    """Return the choices as ``rep, hh, occ, choice`` in the order of the marketing file."""
    back = np.argsort(marketing.order, kind="stable")
    names = np.array(marketing.households, object)[marketing.household][back]
    occasion = marketing.occasion[back].astype(np.int64)
    brands = np.array(marketing.brands, object)
    replications = len(choices)
    return pd.DataFrame(
        {
            "rep": np.repeat(np.arange(1, replications + 1), back.size),
            "hh": np.tile(names, replications),
            "occ": np.tile(occasion, replications),
            "choice": brands[choices[:, back].ravel()],
        }
    )

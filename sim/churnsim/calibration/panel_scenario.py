"""Choice panels as scenarios: a market of brands, and the households of the panel with what they like and remember."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from churnsim.calibration.bases import rebuilt
from churnsim.calibration.errors import refuse
from churnsim.calibration.fitted import DRAWS, Fitted, intervals, name_for
from churnsim.calibration.formats import Panel
from churnsim.calibration.households import LOSS_AVERSION, bought_usually, unpack
from churnsim.calibration.likelihood import Likelihood
from churnsim.calibration.panel import PanelFit, fit_panel, households_of
from churnsim.calibration.posterior import Warned
from churnsim.calibration.sequences import repeat_rate, run_ratio, shares_of, switching
from churnsim.config.scenario import MAX_FIRMS
from churnsim.scenario import Scenario

STATES, FEWEST, MOST = 120_000, 10, 50
"""States of households that are kept, all draws together, and the bounds of how many draws that is."""

BLOCK_ROWS = 8_000
"""Occasions whose households are drawn at a time."""

HARDLY = 0.1
"""Price weight, in units of choice noise at the mean price, below which prices change no choice (assumed)."""

MOST_REPLICATIONS = 10_000
BURN_IN = 12
"""Occasions before the results begin: the scenario's customers, too, have bought before (assumed)."""

SERVICE_SCALE = 60.0
LOW, HIGH = 0.05, 0.95
"""Qualities of the brands least and most worth; money for service follows from them (E27)."""

OTHERS = "others"

KINDS = ("worth", "trend", "taste")
"""What the posterior has of every brand: worth when the data end, its growth over the data, spread of tastes."""


def fitted_panel(base: Scenario, panel: Panel, seed: int) -> Fitted:
    """Calibrate a scenario to a panel.

    Parameters
    ----------
    base
        As `scenarios/calibration_panel.yaml`.
    panel
        The choices.
    seed
        Seed of simulated tastes and of the posterior's draws.
    """
    found = fit_panel(panel, seed)
    draws = found.sample(DRAWS, seed)
    names = _firm_names(panel)
    columns: dict[str, Any] = {"draw": np.arange(DRAWS)}
    scaled = [_scaled(found, x) for x in draws]
    for kind in KINDS:
        columns |= {f"{kind}.{name}": [one[kind][k] for one in scaled] for k, name in enumerate(names)}
    columns |= {path: [one[path] for one in scaled] for path in scaled[0] if path not in KINDS}
    posterior = pd.DataFrame(columns)
    scenario = _scenario(base, panel, found, names)
    facts = {
        "brands": list(panel.brands),
        "firms": names,
        "households": list(panel.households),
        "mean_price": found.mean_price,
        "seed": seed,
    }
    return Fitted(
        scenario, "panel", intervals(posterior), _diagnostics(found), _warnings(found), posterior, facts,
        _states(found, draws, seed),
    )  # fmt: skip


def _firm_names(panel: Panel) -> list[str]:
    """Return an identifier for every brand."""
    taken: set[str] = set()
    return [name_for(brand, taken, "brand") for brand in panel.brands]


def _scaled(found: PanelFit, x: np.ndarray) -> dict[str, Any]:
    """Return one draw of the parameters in money, by the scenario's paths; brands' worth and what is shown apart."""
    money, one = found.mean_price, unpack(x, found.base)
    return {
        "worth": one.worth * money,
        "trend": one.trend * money,
        "taste": one.taste * money,
        "customers.price_weight.mean": one.price,
        "customers.price_weight.cv": float(np.sqrt(np.expm1(min(one.price_spread**2, 4.6)))),
        # The scenario has one spread for all brands.
        "customers.taste.sd": float(np.sqrt(np.mean(one.taste**2))) * money,
        "customers.attachment.value": one.attachment * money,
        "customers.attachment.growth": one.memory,
        "customers.switching_cost": one.switching * money,
        "customers.reference_price.weight": one.reference,
        "customers.reference_price.adaptation": one.adaptation,
        "display": one.display * money,
        "feature": one.feature * money,
    }


def _scenario(base: Scenario, panel: Panel, found: PanelFit, names: list[str]) -> Scenario:
    """Return the base with the panel's brands as firms at their mean prices.

    The engine knows eight firms; of more brands those least bought become one firm, as likely to be bought as they
    are together.
    """
    values = _scaled(found, found.posterior.mode)
    bought = np.bincount(panel.choice, minlength=len(names))
    price = panel.price.mean(0)
    worth = values["worth"]
    kept = list(range(len(names)))
    firms: list[tuple[str, str, float, float]] = []
    if len(names) > MAX_FIRMS:
        order = np.argsort(-bought, kind="stable")
        kept, rest = sorted(order[: MAX_FIRMS - 1].tolist()), order[MAX_FIRMS - 1 :]
        net = (worth - values["customers.price_weight.mean"] * price)[rest] / found.mean_price
        together = float(np.log(np.exp(net - net.max()).sum()) + net.max()) * found.mean_price
        mean = float(price[rest].mean())
        taken = set(names)
        firms.append(
            (name_for(OTHERS, taken, "brand"), OTHERS, mean, together + values["customers.price_weight.mean"] * mean)
        )
    firms = [(names[k], panel.brands[k], float(price[k]), float(worth[k])) for k in kept] + firms
    low, high = min(firm[3] for firm in firms), max(firm[3] for firm in firms)
    value = max((high - low) / (HIGH - LOW), 1e-6 * found.mean_price)
    template = {"unit_cost": 0, "fixed_cost": 0, "cash": 0, "initial_share": 0, "quality": {"scale": SERVICE_SCALE}}
    records = {
        name: {
            **template,
            "name": {"en": brand, "zh": brand},
            "price": cost,
            "service": -SERVICE_SCALE * float(np.log1p(-(LOW + (amount - low) / value))),
        }
        for name, brand, cost, amount in firms
    }
    changes = {path: value for path, value in values.items() if path.startswith("customers.")}
    changes["customers.attachment.decay"] = values["customers.attachment.growth"]
    changes["customers.price_weight"] = {
        "dist": "lognormal",
        "mean": changes.pop("customers.price_weight.mean"),
        "cv": changes.pop("customers.price_weight.cv"),
    }
    attachment = {"floor": 0, "initial": 0, "stay_intensity": 1, "contact_intensity": 0}
    changes |= {f"customers.attachment.{name}": number for name, number in attachment.items()}
    changes |= {
        "customers.choice.noise": found.mean_price,
        "customers.choice.outside_value": -1e6 * found.mean_price,
        "customers.quality_value": value,
        "customers.opportunity": 1,
        "customers.reference_price.loss_aversion": LOSS_AVERSION,
        "customers.reference_price.seen_only": 1,
        "customers.satisfaction.neutral": 1,
        "customers.satisfaction.adjustment": 0,
        "customers.experience.core_floor": 0,
        "customers.experience.noise": 0,
        "customers.belief.initial_sd": 0,
        "burn_in": BURN_IN,
    }
    return rebuilt(base, firms=records, arms={}, claims=()).set(changes)


def _states(found: PanelFit, draws: np.ndarray, seed: int) -> pd.DataFrame:
    """Return what every household likes and remembers at the end of the data, for some draws of the parameters."""
    panel, money = found.panel, found.mean_price
    count, brands = len(panel.households), len(panel.brands)
    pairs = int(np.clip(STATES // count, FEWEST, MOST)) // 2
    tables: list[pd.DataFrame] = []
    for rows in _blocks(panel):
        part = households_of(panel, rows)
        target = Likelihood(part, money, found.base, seed)
        target.adapt(found.posterior.mode)
        who = np.unique(part.household)
        for k in [*range(pairs), *range(DRAWS // 2, DRAWS // 2 + pairs)]:
            luck = np.random.default_rng([seed, 4, k, int(who[0])])
            home = target.households(draws[k], luck)
            table = {"draw": np.full(who.size, k, np.int32), "household": who.astype(np.int32)}
            table |= {"price_weight": home.weight.astype(np.float32), "last": home.last.astype(np.int16)}
            for j in range(brands):
                table[f"taste_{j}"] = (home.taste[:, j] * money).astype(np.float32)
                table[f"attachment_{j}"] = home.attachment[:, j].astype(np.float32)
                table[f"reference_{j}"] = (home.reference[:, j] * money).astype(np.float32)
            tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True).sort_values(["draw", "household"], ignore_index=True)


def _blocks(panel: Panel) -> list[np.ndarray]:
    """Return masks of rows: whole households, so many rows at a time."""
    starts = np.flatnonzero(np.diff(panel.household, prepend=-1))
    block = starts // BLOCK_ROWS
    of_row = block[np.cumsum(np.diff(panel.household, prepend=-1) != 0) - 1]
    return [of_row == b for b in np.unique(block)]


def _diagnostics(found: PanelFit) -> dict[str, Any]:
    """Return how the fit looks."""
    panel = found.panel
    return {
        "log_likelihood": found.log_likelihood,
        "rho_squared": 1 - found.log_likelihood / found.null_log_likelihood,
        "households": len(panel.households),
        "occasions": int(panel.choice.size),
        "occasions_looked_at": found.occasions,
        "shares": dict(zip(panel.brands, shares_of(panel.choice, len(panel.brands)).tolist(), strict=True)),
        "repeat_rate": repeat_rate(panel.household, panel.choice),
        "run_ratio": run_ratio(panel.household, panel.choice),
    }


def _warnings(found: PanelFit) -> list[Warned]:
    """Return what to be careful about."""
    # A trend's prior is narrow, and few panels say more: that alone is no warning.
    told = [one for one in found.posterior.warnings() if not str(one.get("parameter", "")).endswith(": trend")]
    panel = found.panel
    bought = np.bincount(panel.choice, minlength=len(panel.brands))
    for brand, times in zip(panel.brands, bought, strict=True):
        if times == 0:
            told.append({"key": "never_bought", "brand": brand})
    if len(panel.brands) > MAX_FIRMS:
        told.append({"key": "many_brands", "count": len(panel.brands), "kept": MAX_FIRMS - 1})
    if (np.bincount(panel.household) < 2).all():
        told.append({"key": "one_occasion"})
    flat = [brand for brand, column in zip(panel.brands, panel.price.T, strict=True) if np.ptp(column) == 0]
    if flat:
        told.append({"key": "flat_price", "brands": ", ".join(flat)})
    if found.posterior.mode[found.posterior.names.index("price")] < np.log(HARDLY):
        told.append({"key": "price_does_not_count"})
    return told


def predict_panel(fitted: Fitted, marketing: Panel, replications: int) -> tuple[dict[str, Any], pd.DataFrame]:
    """Let households choose on under given prices.

    Every replication takes a draw of the parameters with what each household likes and remembers given its own
    purchases; households that are not in the data are drawn from the population.

    Parameters
    ----------
    fitted
        From `fitted_panel`.
    marketing
        Prices, displays and features; choices, if there are any, are not looked at.
    replications
        How often the future is simulated.

    Returns
    -------
    answer, choices
        Shares, repeat rate, switching matrix (rows: from) with 95 % intervals over replications, run ratio; and one
        row per replication and occasion, in the order of the marketing file.
    """
    from churnsim.calibration.free_run import free_run

    if not 1 <= replications <= MOST_REPLICATIONS:
        raise refuse("replications", found=replications, high=MOST_REPLICATIONS)
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
    return _summary(marketing, choices), _table(marketing, choices)


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
    taste = spreads * luck.standard_normal((homes, count)).astype(np.float32)
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


def _summary(marketing: Panel, choices: np.ndarray) -> dict[str, Any]:
    """Return what the replications say in sum."""
    count, home = len(marketing.brands), marketing.household
    shares = np.array([shares_of(choice, count) for choice in choices])
    repeats = np.array([repeat_rate(home, choice) for choice in choices])
    matrices = np.array([switching(home, choice, count) for choice in choices])
    runs = np.array([run_ratio(home, choice) for choice in choices])

    def bounds(values: np.ndarray) -> list[Any]:
        """Return 2.5 and 97.5 % points; a replication without a case says nothing."""
        return np.stack([_quantile(values, 0.025), _quantile(values, 0.975)], -1).tolist()

    return {
        "shares": dict(zip(marketing.brands, shares.mean(0).tolist(), strict=True)),
        "repeat_rate": float(_mean(repeats)),
        "switching": np.nan_to_num(_mean(matrices)).tolist(),
        "brands": list(marketing.brands),
        "run_ratio": float(_mean(runs)),
        "intervals": {
            "shares": dict(zip(marketing.brands, bounds(shares), strict=True)),
            "repeat_rate": bounds(repeats),
            "switching": bounds(matrices),
            "run_ratio": bounds(runs),
        },
        "replications": len(choices),
    }


def _mean(values: np.ndarray) -> Any:
    """Return the mean over replications that have a case; NaN where none has."""
    some = np.isfinite(values)
    return np.where(some.any(0), np.where(some, values, 0).sum(0) / np.maximum(some.sum(0), 1), np.nan)


def _quantile(values: np.ndarray, share: float) -> np.ndarray:
    """Return a quantile over replications; NaN counts as 0, like a transition that never comes up."""
    return np.quantile(np.nan_to_num(values), share, axis=0)


def _table(marketing: Panel, choices: np.ndarray) -> pd.DataFrame:
    """Return the choices as ``rep, hh, occ, choice`` in the order of the marketing file."""
    back = np.argsort(marketing.order, kind="stable")
    names = np.array(marketing.households, object)[marketing.household][back]
    occasion = marketing.occasion[back]
    if (occasion == np.floor(occasion)).all():
        occasion = occasion.astype(np.int64)
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


def save_choices(choices: pd.DataFrame, path: str | Path) -> None:
    """Write simulated choices as CSV; the file takes its place when it is complete."""
    target = Path(path)
    draft = target.with_name(f".{target.name}.draft")
    try:
        choices.to_csv(draft, index=False)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise refuse("not_written", file=path, reason=error.strerror or str(error)) from None

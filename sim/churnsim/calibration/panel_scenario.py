"""Choice panels as scenarios: a market of brands, and the households of the panel with what they like and remember."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from churnsim.calibration.bases import rebuilt
from churnsim.calibration.errors import Warned
from churnsim.calibration.fitted import DRAWS, Fitted, held_as, intervals, name_for
from churnsim.calibration.formats import Panel
from churnsim.calibration.held import MONEY
from churnsim.calibration.households import LOSS_AVERSION, unpack
from churnsim.calibration.likelihood import Likelihood
from churnsim.calibration.panel import PanelFit, fit_panel, fit_steps, households_of
from churnsim.calibration.posterior import summed_up
from churnsim.calibration.sequences import repeat_rate, run_ratio, shares_of
from churnsim.calibration.steps import Progress, Steps
from churnsim.config.customers import Customers, ReferencePrice
from churnsim.config.scenario import MAX_FIRMS
from churnsim.declarations import declaration
from churnsim.scenario import Scenario

STATES, FEWEST, MOST = 120_000, 10, 50
"""States of households that are kept, all draws together, and the bounds of how many draws that is."""

BLOCK_ROWS = 8_000
"""Occasions whose households are drawn at a time."""

HARDLY = 0.1
"""Price weight, in units of choice noise at the mean price, below which prices change no choice (assumed)."""

FEW = 20
"""Households below which what differs between them is mostly assumed (assumed)."""

BURN_IN = 12
"""Occasions before the results begin: the scenario's customers, too, have bought before (assumed)."""

SERVICE_SCALE = 1e-4
"""Money for service, in units of the mean price, that buys 63 % of full quality: brands are told apart by what they are
worth, and that must cost them next to nothing, so that costs can be set afterwards (assumed)."""

LOW, HIGH = 0.05, 0.95
"""Qualities of the brands least and most worth; money for service follows from them (E27)."""

NEVER, MOST_MONEY = 1e6, 1e9
"""How bad it is to buy nothing, in units of the mean price, and as much money as a scenario may hold."""

OTHERS = "others"

PATHS = {
    "price": "customers.price_weight.mean",
    "price_spread": "customers.price_weight.cv",
    "taste": "customers.taste.sd",
    "attachment": "customers.attachment.value",
    "memory": "customers.attachment.growth",
    "switching": "customers.switching_cost",
    "reference": "customers.reference_price.weight",
    "adaptation": "customers.reference_price.adaptation",
}
"""Columns of the posterior by parameter."""

BOUNDED = {
    "customers.price_weight.mean": Customers.model_fields["price_weight"],
    "customers.reference_price.weight": ReferencePrice.model_fields["weight"],
}
"""Parameters of which a draw may lie beyond what a scenario may have, with where that is declared."""

KINDS = ("worth", "trend", "taste")
"""What the posterior has of every brand: worth when the data end, its growth over the data, spread of tastes."""


def fitted_panel(
    base: Scenario, panel: Panel, seed: int, progress: Progress | None = None, held: Mapping[str, float] | None = None
) -> Fitted:
    """Calibrate a scenario to a panel.

    Parameters
    ----------
    base
        As `scenarios/calibration_panel.yaml`.
    panel
        The choices.
    seed
        Seed of simulated tastes and of the posterior's draws.
    progress
        Who is told how far it is.
    held
        What is not fitted, as `held_values` returns it.
    """
    held = held or {}
    blocks = _blocks(panel)
    steps = Steps(progress, fit_steps(panel) + len(blocks))
    found = fit_panel(panel, seed, steps, held)
    draws = found.sample(DRAWS, seed)
    names = _firm_names(panel)
    columns: dict[str, Any] = {"draw": np.arange(DRAWS)}
    scaled = [_scaled(found, x) for x in draws]
    for kind in KINDS:
        columns |= {f"{kind}.{name}": [one[kind][k] for one in scaled] for k, name in enumerate(names)}
    columns |= {path: [one[path] for one in scaled] for path in scaled[0] if path not in KINDS}
    # The noise of choice is made to be the mean price.
    known = {path: value * (found.mean_price if path in MONEY else 1) for path, value in held.items()}
    posterior = pd.DataFrame(columns | known)
    # With tastes held at none no brand has a spread of its own.
    alike = [f"taste.{name}" for name in names] if held.get("customers.taste.sd") == 0 else []
    market = _market(panel, names)
    values = _scaled(found, found.posterior.mode) | known
    scenario = _scenario(base, panel, found, values, market)
    facts: dict[str, Any] = {
        "brands": list(panel.brands),
        "firms": names,
        "households": list(panel.households),
        "last": panel.occasion[np.append(np.diff(panel.household) > 0, True)].astype(int).tolist(),
        "shown": list(panel.shown),
        "mean_price": found.mean_price,
        "price_range": [panel.price.min(0).tolist(), panel.price.max(0).tolist()],
        "market": market,
        "seed": seed,
    }
    return Fitted(
        scenario, "panel", intervals(posterior, ("draw", *_never_shown(panel), *held, *alike)),
        _diagnostics(found) | held_as(posterior, held), _warnings(found), posterior, facts,
        _states(found, draws, seed, blocks, steps),
    )  # fmt: skip


def _never_shown(panel: Panel) -> list[str]:
    """Return which of display and feature the panel has not: what is known of them is what was assumed."""
    return [name for name in ("display", "feature") if not getattr(panel, name).any()]


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


def _market(panel: Panel, names: list[str]) -> dict[str, Any]:
    """Return which brands are firms of the scenario, and at which mean prices.

    The engine knows eight firms; of more brands those least bought become one firm.

    Returns
    -------
    dict
        ``prices`` of all brands; ``kept``, places of those that are firms, ``rest``, those of the others;
        ``firms``, the names of the firms, and ``titles``, what they are called.
    """
    kept, rest = list(range(len(names))), []
    firms, titles = list(names), list(panel.brands)
    if len(names) > MAX_FIRMS:
        order = np.argsort(-np.bincount(panel.choice, minlength=len(names)), kind="stable")
        kept, rest = sorted(order[: MAX_FIRMS - 1].tolist()), order[MAX_FIRMS - 1 :].tolist()
        firms = [*(names[k] for k in kept), name_for(OTHERS, set(names), "brand")]
        titles = [*(panel.brands[k] for k in kept), OTHERS]
    return {"prices": panel.price.mean(0).tolist(), "kept": kept, "rest": rest, "firms": firms, "titles": titles}


def _most(path: str) -> float:
    """Return the highest value of a parameter that a scenario may have."""
    about = declaration(BOUNDED[path])
    assert about is not None and about.high is not None
    return about.high


def _worth_settings(worth: np.ndarray, price_weight: float, market: dict[str, Any], money: float) -> dict[str, float]:
    """Return by dotted path what makes the firms of a market worth what their brands are.

    Several brands in one firm are as likely to be bought as they are together.
    """
    price, rest = np.array(market["prices"]), market["rest"]
    amounts = [float(worth[k]) for k in market["kept"]]
    if rest:
        net = (worth - price_weight * price)[rest] / money
        together = float(np.log(np.exp(net - net.max()).sum()) + net.max()) * money
        amounts.append(together + price_weight * float(price[rest].mean()))
    low, high = min(amounts), max(amounts)
    value = max((high - low) / (HIGH - LOW), 1e-6 * money)
    services = {
        f"firms.{name}.service": -SERVICE_SCALE * money * float(np.log1p(-(LOW + (amount - low) / value)))
        for name, amount in zip(market["firms"], amounts, strict=True)
    }
    return {"customers.quality_value": value, **services}


def panel_design(fitted: Fitted) -> pd.DataFrame:
    """Return the draws as points of a study: everything that the scenario says of customers, and the brands' worth."""
    table, facts = fitted.posterior, fitted.facts
    market, money = facts["market"], facts["mean_price"]
    worth = table[[f"worth.{name}" for name in facts["firms"]]].to_numpy()
    own = table[[name for name in table if str(name).startswith("customers.")]].copy()
    own["customers.attachment.decay"] = own["customers.attachment.growth"]
    for path in BOUNDED:
        own[path] = own[path].clip(upper=_most(path))
    weights = own["customers.price_weight.mean"]
    brands = [_worth_settings(row, weight, market, money) for row, weight in zip(worth, weights, strict=True)]
    return pd.concat([own, pd.DataFrame(brands, index=own.index)], axis=1)


def _scenario(
    base: Scenario, panel: Panel, found: PanelFit, values: dict[str, Any], market: dict[str, Any]
) -> Scenario:
    """Return the base with the panel's brands as firms at their mean prices."""
    settings = _worth_settings(values["worth"], values["customers.price_weight.mean"], market, found.mean_price)
    quality = {"scale": SERVICE_SCALE * found.mean_price}
    template = {"quality": quality, "unit_cost": 0, "fixed_cost": 0, "cash": 0, "initial_share": 0}
    price = np.array(market["prices"])
    costs = [*price[market["kept"]].tolist(), *([float(price[market["rest"]].mean())] if market["rest"] else [])]
    records = {
        name: {
            **template,
            "name": {"en": title, "zh": title},
            "price": cost,
            "service": settings[f"firms.{name}.service"],
        }
        for name, title, cost in zip(market["firms"], market["titles"], costs, strict=True)
    }
    changes = {path: value for path, value in values.items() if path.startswith("customers.")}
    changes |= {path: min(changes[path], _most(path)) for path in BOUNDED}
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
        "customers.choice.outside_value": -min(NEVER * found.mean_price, MOST_MONEY),
        "customers.quality_value": settings["customers.quality_value"],
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
    # Of what these brands cost a panel says nothing, whatever the base's did.
    return rebuilt(base, firms=records, arms={}, claims=(), money="prices").set(changes)


def _states(found: PanelFit, draws: np.ndarray, seed: int, blocks: list[np.ndarray], steps: Steps) -> pd.DataFrame:
    """Return what every household likes and remembers at the end of the data, for some draws of the parameters."""
    panel, money = found.panel, found.mean_price
    count, brands = len(panel.households), len(panel.brands)
    pairs = int(np.clip(STATES // count, FEWEST, MOST)) // 2
    tables: list[pd.DataFrame] = []
    for rows in blocks:
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
        steps.one()
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
        "compared_with": panel.brands[found.base],
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
    panel, unseen = found.panel, _never_shown(found.panel)
    # A trend's prior is narrow, and few panels say more: that alone is no warning. Nor is what the panel never had.
    told = [
        one
        for one in found.spreads.warnings()
        if not str(one.get("parameter", "")).endswith(": trend")
        and one.get("parameter") not in unseen
        # The common spread is made of the brands': that they go together is arithmetic.
        and not (str(one.get("first", "")).endswith(": taste") and one.get("second") == "taste")
    ]
    firms = zip(panel.brands, _firm_names(panel), strict=True)
    told = summed_up(told, PATHS | {f"{brand}: {kind}": f"{kind}.{firm}" for brand, firm in firms for kind in KINDS})
    if len(panel.households) < FEW:
        told.append({"key": "few_households", "count": len(panel.households)})
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
    told += panel.doubts
    free = int((panel.price == 0).sum())
    if free:
        told.append({"key": "free", "count": free})
    if found.posterior.mode[found.posterior.names.index("price")] < np.log(HARDLY):
        told.append({"key": "price_does_not_count"})
    return told

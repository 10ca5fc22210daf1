"""What becomes of the customers whom a campaign or a referral brings, followed one by one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from churnsim import ChurnModel, Scenario, load
from churnsim.ledger import accounts
from churnsim.model import simulate

CAMPAIGN = (1, 2)
"""Ticks in which the offers of `win_back_offers` can be taken up."""

JOINED_BY = 6
"""Last tick in which customers whose value is compared joined."""

LIFE = 48
"""Ticks over which their margins are added up."""


# ---------------------------------------------------------------------- V14: to whom one sells


@cache
def sold(seed: int) -> dict[str, float]:
    """Return which share of each group buys from the operator within the two months of the campaign.

    Groups: existing customers, lost customers who were made an offer, and those who never bought there.
    """
    model = ChurnModel(load("win_back_offers"), rng=seed)
    columns, dealings, operator = model.columns, model.dealings, 1
    customers = columns.provider == operator
    prospects = (columns.known & 1 == 0) & ~customers
    lost = (dealings.lost_from == operator) & ~customers
    asked, bought = np.zeros_like(lost), np.zeros_like(lost)
    for _ in CAMPAIGN:
        model.step()
        asked |= dealings.offer_from == operator
        bought |= columns.choice == operator
    groups = {"existing": customers, "lost": lost & asked, "prospects": prospects}
    return {name: float(bought[group].mean()) for name, group in groups.items()}


def sold_to_existing(seed: int) -> float:
    """Return the share of existing customers who buy."""
    return sold(seed)["existing"]


def sold_to_lost(seed: int) -> float:
    """Return the share of lost customers with an offer who buy."""
    return sold(seed)["lost"]


def sold_to_prospects(seed: int) -> float:
    """Return the share of prospects who buy."""
    return sold(seed)["prospects"]


# ---------------------------------------------------------------------- V15: what winning pays


@cache
def returns(seed: int) -> dict[str, float]:
    """Return what winning back and advertising to strangers earn over 16 months, per unit of money spent.

    Both spend the same money in month 1. In favour of advertising, nobody hears of the operator in any other way.
    """
    strangers = {
        "mechanisms.acquisition": True, "customers.acquisition": {"known": 0, "innovation": 0, "imitation": 0},
    }  # fmt: skip
    base = load("win_back_offers")
    plain, asked = (base.arm(arm).set(strangers) for arm in ("nobody_asked", "case"))
    profit, spent = {}, {}

    def follow(name: str, scenario: Scenario) -> None:
        record = simulate(scenario, seed)
        played = record.ticks > 0
        profit[name] = float(record.measures["profit"][played, 0].sum())
        spent[name] = float(record.dealings["dealing_cost"][played, 0].sum())

    follow("none", plain)
    follow("win_back", asked)
    each = (spent["win_back"] - spent["none"]) / plain.customers.count
    advertised = plain.move(1, {"firms.operator.advertising.spend": each})
    follow("advertising", advertised.move(2, {"firms.operator.advertising.spend": 0}))
    return {
        name: (profit[name] - profit["none"]) / (spent[name] - spent["none"]) for name in ("win_back", "advertising")
    }


def return_on(campaign: str) -> Callable[[int], float]:
    """Return what measures the profit of a campaign over its cost."""
    return lambda seed: returns(seed)[campaign]


def return_lead(seed: int) -> float:
    """Return by how much winning back returns more than advertising."""
    return returns(seed)["win_back"] - returns(seed)["advertising"]


# ---------------------------------------------------------------------- V16: how long the regained stay


@cache
def second_life(arm: str, seed: int) -> float:
    """Return the mean second tenure, up to the last tick, of those whom the first month of the campaign brings back."""
    model = ChurnModel(load("win_back_offers").arm(arm), rng=seed)
    columns, dealings, operator = model.columns, model.dealings, 1
    lost = (dealings.lost_from == operator) & (columns.provider != operator)
    model.step()
    regained = lost & (columns.provider == operator) & (dealings.offer_from == operator)
    there, life = regained.copy(), np.zeros(lost.size)
    while model.tick < model.horizon:
        model.step()
        there &= columns.provider == operator
        life += there
    return float(life[regained].mean())


def upgrade_less_price(seed: int) -> float:
    """Return by how many months an upgrade keeps the regained longer than a lower price."""
    return second_life("plain_upgrade", seed) - second_life("plain_price", seed)


def upgrade_less_bundle(seed: int) -> float:
    """Return by how many months an upgrade keeps the regained longer than both together."""
    return second_life("plain_upgrade", seed) - second_life("plain_bundle", seed)


def price_less_bundle(seed: int) -> float:
    """Return by how many months a lower price keeps the regained longer than both together."""
    return second_life("plain_price", seed) - second_life("plain_bundle", seed)


# ---------------------------------------------------------------------- V21: what the referred are worth


class Won(NamedTuple):
    """Who joined the shop for the first time by `JOINED_BY`, and all customers of tick 0."""

    joined: dict[int, bool]  # id: by referral?
    margins: dict[int, float]  # at the shop over `LIFE` ticks
    tastes: dict[int, float]  # for the shop, money


@cache
def _won(arm: str, seed: int) -> Won:
    """Follow the customers whom an arm of `referral_2000` wins."""
    model = ChurnModel(load("referral_2000").arm(arm).set({"ledger": True, "horizon": LIFE}), rng=seed)
    columns, dealings, shop = model.columns, model.dealings, 1
    tastes = dict(zip(columns.id.tolist(), columns.taste[shop - 1].tolist(), strict=True))
    ever = columns.known & 1 == 1
    joined: dict[int, bool] = {}
    while model.tick < LIFE:
        model.step()
        new = (columns.provider == shop) & ~ever
        ever |= new
        if model.tick <= JOINED_BY:
            joined.update(zip(columns.id[new].tolist(), dealings.referred[new].tolist(), strict=True))
    table = accounts(model)
    first = table[table["entered"] == 0]
    return Won(joined, dict(zip(first["customer"], first["margin"], strict=True)), tastes)


def _compared(of: Callable[[Won], dict[int, float]], seed: int) -> tuple[float, float]:
    """Return the mean of something over customers won by referral, and over those won by advertising alone.

    The latter join where there is advertising, and do not where there is neither, under the same luck.
    """
    referrals, advertising, anyhow = (_won(arm, seed) for arm in ("random", "ads", "none"))
    referred = [of(referrals)[customer] for customer, came_by_referral in referrals.joined.items() if came_by_referral]
    advertised = [of(advertising)[customer] for customer in advertising.joined if customer not in anyhow.joined]
    return float(np.mean(referred)), float(np.mean(advertised))


def referred_value(seed: int) -> float:
    """Return the margin of customers won by referral over that of customers won by advertising alone."""
    referred, advertised = _compared(lambda won: won.margins, seed)
    return referred / advertised


def referred_taste(seed: int) -> float:
    """Return by how much more, in money, the referred like the shop than those won by advertising alone."""
    referred, advertised = _compared(lambda won: won.tastes, seed)
    return referred - advertised


def worth_of_taste(seed: int) -> float:
    """Return by which share of itself the margin of those won by advertising rises per 10 money of taste."""
    won = _won("ads", seed)
    taste = np.array([won.tastes[customer] for customer in won.joined])
    margin = np.array([won.margins[customer] for customer in won.joined])
    return float(10 * np.polyfit(taste, margin, 1)[0] / margin.mean())

"""Offers to those who have left, who seem about to, or who threaten to; one offer is in force at a time."""

from __future__ import annotations

import numpy as np

from churnsim.causes import REMEDIES
from churnsim.engine.dealings.state import (
    CORE_FAILURE,
    ENCOUNTER_FAILURE,
    OFFERING,
    PLACE,
    RESPONSE,
    SAVE,
    SIGNAL,
    THREAT,
)
from churnsim.engine.levers import (
    APOLOGY,
    BACK_KEY,
    BACK_KIND,
    BACK_MATCHED,
    BACK_ORDINARY,
    BACK_SMALL,
    BACK_WORTH,
    BUNDLE,
    CONCESSION,
    KEY_SHARE,
    OFFER_COST,
    PRICE_CUT,
    RELATION,
    SAVE_COST,
    SAVE_COVERAGE,
    SAVE_PRECISION,
    SAVE_THRESHOLD,
    SAVE_WORTH,
    SMALL_SHARE,
    UPGRADE,
    WINDOW,
    WORTHLESS_SHARE,
)
from churnsim.engine.state import SCALE
from churnsim.mechanisms.arithmetic import HALF, ONE, TWO, ZERO
from churnsim.mechanisms.offers import conceded
from churnsim.mechanisms.rule import part
from churnsim.randomness import uniform

COST = PLACE["cost"]
OFFERS, SAVE_OFFERS, THREATS = PLACE["offers"], PLACE["save_offers"], PLACE["threats"]


@part
def charge(counters, j, place, money, money_unit):
    """Add an amount of money to a count of firm `j`."""
    counters.counted[j, place] += np.int64(np.rint(np.float64(money) / money_unit * SCALE))


@part
def let_offers_run(dealings, i):
    """Let an offer in force run out."""
    if dealings.offer_from[i] > 0:
        dealings.offer_left[i] = np.int16(dealings.offer_left[i] - 1)
        if dealings.offer_left[i] < 0:
            dealings.offer_from[i] = np.int8(0)


@part
def offer(dealings, customs, i, option, kind, money, fits):
    """Make an offer of some money to customer `i`, worth `fits` times as much; only one is in force at a time."""
    life = customs.offers_upgrade_life if kind == UPGRADE else customs.offers_price_life
    twice = TWO if kind == BUNDLE else ONE
    paid = kind != APOLOGY and kind != RELATION
    dealings.offer_from[i] = np.int8(option)
    dealings.offer_left[i] = np.int16(life)
    dealings.offer_worth[i] = twice * (fits * money) if paid else ZERO
    dealings.offer_off[i] = money if kind == PRICE_CUT or kind == BUNDLE else ZERO  # an upgrade lowers no price
    if not paid:
        mend(dealings, customs, i, option - 1)


@part
def taken_off(dealings, customs, market, i, j, provider):
    """Return what of offers in force customer `i` counts as taken off firm `j`'s price, in money (E5).

    `provider` is the one at the tick's start, from whom a powerful customer may have a discount.
    """
    off = dealings.offer_off[i] if dealings.offer_from[i] == j + 1 else ZERO
    if provider == j + 1:
        off = off + dealings.discount[i] * market.price[j]
    return customs.offers_counted * off


@part
def soothe(dealings, i, j, left):
    """Let a share of the grievances against firm `j` remain."""
    for plane in (CORE_FAILURE, ENCOUNTER_FAILURE, RESPONSE):
        dealings.terms[plane, j, i] = dealings.terms[plane, j, i] * left


@part
def mend(dealings, customs, i, j):
    """Let an apology or a personal approach take the sting out of old failures."""
    soothe(dealings, i, j, ONE - customs.offers_amends)


@part
def win_back(columns, dealings, parameters, customs, market, counters, i, provider):
    """Let the firm left last make an offer (E24); return by how much that stirs the customer, in log-odds."""
    lost = np.int64(dealings.lost_from[i])
    if lost == 0 or lost == provider or dealings.lost_since[i] == 0:
        return ZERO
    j = lost - 1
    if not market.open[j] or np.float32(dealings.lost_since[i]) > market.conduct[j, WINDOW]:
        return ZERO
    if (np.int64(dealings.defaulted[i]) >> j) & 1 == 1:
        return ZERO  # nobody wants a bad debtor back
    rank = dealings.rank[i]
    coverage = market.conduct[j, BACK_ORDINARY]
    if rank >= ONE - market.conduct[j, KEY_SHARE]:
        coverage = market.conduct[j, BACK_KEY]
    elif rank < market.conduct[j, WORTHLESS_SHARE]:
        coverage = ZERO
    elif rank < market.conduct[j, WORTHLESS_SHARE] + market.conduct[j, SMALL_SHARE]:
        coverage = market.conduct[j, BACK_SMALL]
    if uniform(market.firm_keys[j, OFFERING], columns.id[i]) >= coverage:
        return ZERO
    remedy = REMEDIES[dealings.lost_for[i]]
    kind = np.int64(market.conduct[j, BACK_KIND])
    if market.conduct[j, BACK_MATCHED] > ZERO:
        kind = remedy
    fits = customs.offers_fitting if kind == remedy else customs.offers_unfitting
    worth = market.conduct[j, BACK_WORTH]
    offer(dealings, customs, i, lost, kind, worth, fits)
    if kind == APOLOGY or kind == RELATION:
        # The money goes into flowers and visits instead of into a discount.
        bond = customs.offers_rekindled * fits
        columns.attachment[j, i] = columns.attachment[j, i] + bond * (ONE - columns.attachment[j, i])
        dealings.offer_cost[i] = ZERO
        charge(counters, j, COST, worth, market.money_unit)
    else:
        dealings.offer_cost[i] = TWO * worth if kind == BUNDLE else worth
    counters.counted[j, OFFERS] += 1
    charge(counters, j, COST, market.conduct[j, OFFER_COST], market.money_unit)
    price = market.price[j]
    return parameters.trigger_cut * (dealings.offer_worth[i] / price if price > ZERO else ZERO)


@part
def save(columns, dealings, parameters, customs, market, counters, i, provider):
    """Let the provider approach a customer who seems at risk; return by how much that wakes it, in log-odds."""
    home = provider - 1
    coverage = market.conduct[home, SAVE_COVERAGE]
    if coverage <= ZERO or dealings.offer_from[i] > 0:
        return ZERO
    who = columns.id[i]
    at_risk = columns.satisfaction[i] < market.conduct[home, SAVE_THRESHOLD]
    signal = uniform(market.deal_keys[SIGNAL], who)
    precision = market.conduct[home, SAVE_PRECISION]
    # The rest of the warnings is a coin's.
    seems = at_risk if signal < precision else signal < precision + HALF * (ONE - precision)
    if not seems or uniform(market.deal_keys[SAVE], who) >= coverage:
        return ZERO
    offer(dealings, customs, i, provider, PRICE_CUT, market.conduct[home, SAVE_WORTH], ONE)
    dealings.offer_cost[i] = market.conduct[home, SAVE_WORTH]
    mend(dealings, customs, i, home)
    counters.counted[home, SAVE_OFFERS] += 1
    charge(counters, home, COST, market.conduct[home, SAVE_COST], market.money_unit)
    return parameters.trigger_contact


@part
def bargain(columns, dealings, customs, market, counters, i, provider):
    """Let a powerful customer threaten to leave (course S10); return by how much what is refused stirs it, in log-odds.

    The firm concedes what is demanded, up to its limit, and for good. Whatever of the demand it leaves open is answered
    by that share of the anger, and may be demanded again.
    """
    if dealings.discount[i] >= customs.power_demand or dealings.rank[i] < ONE - customs.power_share:
        return ZERO
    if uniform(market.deal_keys[THREAT], columns.id[i]) >= customs.power_threat:
        return ZERO
    home = provider - 1
    counters.counted[home, THREATS] += 1
    dealings.discount[i] = conceded(dealings.discount[i], customs.power_demand, market.conduct[home, CONCESSION])
    refused = ONE - dealings.discount[i] / customs.power_demand
    if refused <= ZERO:
        return ZERO
    dealings.offer_from[i] = np.int8(provider)
    dealings.offer_left[i] = np.int16(0)
    dealings.offer_worth[i] = -customs.power_anger * refused
    dealings.offer_off[i] = ZERO
    dealings.offer_cost[i] = ZERO
    return refused

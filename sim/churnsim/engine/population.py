"""Making customers: the first population, and the newcomers who replace those who leave for good."""

from __future__ import annotations

import numpy as np

from churnsim.engine.batches import market_of, traits_at
from churnsim.engine.kernel import kernel
from churnsim.mechanisms.arithmetic import ONE, ZERO, clip, normal
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.traits import trait
from churnsim.randomness import uniform


@part
def taste_of_circle(key, who, circle, customers):
    """Return the sum of what the `circle` places up to id `who` add to its taste, each of them N(0, 1).

    Two customers whose places are d apart have ``circle - d`` of the places in common. The first `customers` ids
    stand in a ring, and those who come later in a line that begins where it was opened, as they do for
    `churnsim.engine.hearsay.acquaintance`.
    """
    total = ZERO
    for back in range(circle):
        place = np.int64(who) - back
        total += normal(uniform(key, np.uint32(place if place >= 0 else place + customers)))
    return total


@part
def settle(columns, traits, market, i):
    """Make row `i` a customer without any history, with traits drawn for its id and this tick."""
    who = columns.id[i]
    keys = market.trait_keys
    columns.opportunity[i] = clip(
        trait(uniform(keys[0], who), traits.kind[0], traits.centre[0], traits.spread[0], traits.table[0]), ZERO, ONE
    )
    columns.quality_value[i] = trait(
        uniform(keys[1], who), traits.kind[1], traits.centre[1], traits.spread[1], traits.table[1]
    )
    columns.price_weight[i] = trait(
        uniform(keys[2], who), traits.kind[2], traits.centre[2], traits.spread[2], traits.table[2]
    )
    columns.switching_cost[i] = trait(
        uniform(keys[3], who), traits.kind[3], traits.centre[3], traits.spread[3], traits.table[3]
    )
    columns.transaction_cost[i] = trait(
        uniform(keys[4], who), traits.kind[4], traits.centre[4], traits.spread[4], traits.table[4]
    )
    columns.provider[i] = 0
    columns.tenure[i] = 0
    columns.known[i] = 0
    columns.lost_at_start[i] = 0
    columns.expectation[i] = ZERO
    columns.satisfaction[i] = traits.neutral
    columns.sunk[i] = ZERO
    for j in range(market.price.size):
        taste = traits.taste_sd * normal(uniform(market.taste_keys[j], who))
        if traits.circle > 0:
            taste += traits.circle_sd * taste_of_circle(market.circle_keys[j], who, traits.circle, market.ring)
        columns.taste[j, i] = taste
        drawn = traits.belief_mean[j] + traits.belief_sd * normal(uniform(market.belief_keys[j], who))
        columns.belief[j, i] = clip(drawn, ZERO, ONE)
        columns.belief_crowding[j, i] = ZERO
        columns.belief_word[j, i] = ZERO
        columns.attachment[j, i] = ZERO
        columns.reference[j, i] = market.price[j]


@part
def core_of(columns, i, j):
    """Return what customer `i` believes of firm `j`'s quality apart from crowding and hearsay."""
    return columns.belief[j, i] - columns.belief_crowding[j, i] - columns.belief_word[j, i]


@part
def anchor(columns, row, i):
    """Remember what customer `i` knows on taking up with a firm: the anchor of a later attribution."""
    columns.anchor_row[i] = row
    provider = np.int64(columns.provider[i])
    columns.anchor_crowding[i] = columns.belief_crowding[provider - 1, i] if provider > 0 else ZERO
    columns.anchor_word[i] = columns.belief_word[provider - 1, i] if provider > 0 else ZERO
    columns.kept_attachment[i] = columns.attachment[provider - 1, i] if provider > 0 else ZERO
    columns.kept_core[i] = core_of(columns, i, provider - 1) if provider > 0 else ZERO
    for j in range(columns.belief.shape[0]):
        columns.anchor_belief[j, i] = columns.belief[j, i]
        columns.anchor_attachment[j, i] = columns.attachment[j, i]
        columns.anchor_reference[j, i] = columns.reference[j, i]


@kernel
def populate(columns, traits, markets, providers, provider_keys, shares, order, spans):
    """Make new customers in every span, some of them already with a firm.

    `shares` (R, J) is the cumulative share of customers over the firms in `order` (R, J); who belongs to which
    is a draw per id. Without `providers` everybody begins outside.
    """
    for s in range(spans.shape[0]):
        r = spans[s, 0]
        market = market_of(markets, r)
        drawn_from = traits_at(traits, market.trait_set)
        for i in range(spans[s, 1], spans[s, 2]):
            settle(columns, drawn_from, market, i)
            drawn = uniform(provider_keys[r], columns.id[i])
            for n in range(shares.shape[1]):
                if providers and drawn < shares[r, n]:
                    j = order[r, n]
                    columns.provider[i] = np.int8(j + 1)
                    columns.known[i] = np.uint8(1 << j)
                    columns.attachment[j, i] = drawn_from.attachment
                    columns.expectation[i] = columns.belief[j, i]
                    break
            anchor(columns, market.row, i)
            columns.following[i] = columns.provider[i]

"""The word-of-mouth phase: everybody hears what some acquaintances tell of this tick's stays."""

from __future__ import annotations

import numpy as np

from churnsim.engine.batches import market_of, parameters_at
from churnsim.engine.kernel import kernel
from churnsim.engine.tiles import TILE, listed, stack
from churnsim.mechanisms.experience import learn
from churnsim.mechanisms.rule import rule
from churnsim.mechanisms.word_of_mouth import hears
from churnsim.randomness import below, uniform

# Odd constants that keep apart the keys of a customer's ties, and of what is drawn for each.
TIE_STEP = np.uint64(0x632BE59BD9B4E019)
TARGET_STEP = np.uint64(0xD1342543DE82EF95)

BITS = 8
"""Ties per byte of the table of far ties."""


@rule
def tie_key(network_key, n):
    """Return the key of everybody's `n`-th tie."""
    return network_key + np.uint64(n + 1) * TIE_STEP


@rule
def far_acquaintance(key, who, customers):
    """Return the id at the other end of a rewired tie: anybody, or for latecomers anybody before them."""
    return below(key ^ TARGET_STEP, who, np.int64(who) if np.int64(who) >= customers else customers)


@rule
def acquaintance(network_key, who, n, rewired, customers):
    """Return the id of the `n`-th acquaintance of id `who` in a small world.

    The first `customers` ids stand in a ring in which each knows the nearest on both sides, some ties
    rewired to anybody (Watts & Strogatz 1998), computed where it is needed instead of stored. Ties
    point one way. Those who come later as the market grows know those who came just before them.
    """
    key = tie_key(network_key, n)
    if uniform(key, who) < rewired:
        return far_acquaintance(key, who, customers)
    if np.int64(who) >= customers:
        return max(np.int64(who) - n - 1, 0)
    step = n // 2 + 1
    return (np.int64(who) + (step if n % 2 == 0 else customers - step % customers)) % customers


@rule
def hear(columns, parameters, market, i, teller, n):
    """Let row `i` hear the story of row `teller`, its `n`-th acquaintance, if it is among those who are told."""
    if hears(uniform(market.hearing_keys[n], columns.id[i]), columns.told[teller], parameters.word_contacts):
        j = np.int64(columns.choice[teller]) - 1
        old = columns.belief[j, i]
        new = learn(old, columns.told_quality[teller], parameters.word_weight)
        columns.belief[j, i] = new
        columns.belief_word[j, i] += new - old


@rule
def near_tellers(speaks, told, start, customers, n):
    """Find whose neighbour in the ring tells something: `n` neighbours from place `start` on, wrapping around."""
    below_zero = min(max(-start, 0), n)
    beyond = max(min(customers - start, n), below_zero)
    for k in range(below_zero):
        speaks[k] = told[start + customers + k] > 0
    straight = told[start + below_zero : start + beyond]
    target = speaks[below_zero:beyond]
    for k in range(beyond - below_zero):
        target[k] = straight[k] > 0
    for k in range(beyond, n):
        speaks[k] = told[start - customers + k] > 0


@rule
def listen_in_ring(columns, far, parameters, market, low, n):
    """Let `n` customers from row `low` on, all of the ring and each in the place of its id, hear what is told."""
    first = market.first
    told = columns.told[first : first + market.ring]
    speaks = stack(TILE, np.bool_)
    mask = stack(TILE, np.bool_)
    rows = stack(TILE, np.int64)
    for tie in range(parameters.word_contacts):
        step = tie // 2 + 1
        apart = step if tie % 2 == 0 else -step
        leads_far = far[tie // BITS, low : low + n]
        bit = np.uint8(1 << (tie % BITS))
        near_tellers(speaks, told, low - first + apart, market.ring, n)
        for k in range(n):
            mask[k] = speaks[k] & ((leads_far[k] & bit) == 0)
        for m in range(listed(mask, rows, n)):
            i = low + rows[m]
            place = i - first + apart
            place += market.ring if place < 0 else (-market.ring if place >= market.ring else 0)
            hear(columns, parameters, market, i, first + place, tie)
        for k in range(n):
            mask[k] = (leads_far[k] & bit) != 0
        key = tie_key(market.network_key, tie)
        for m in range(listed(mask, rows, n)):
            i = low + rows[m]
            teller = first + far_acquaintance(key, columns.id[i], market.ring)
            if columns.told[teller] > 0 and teller != i:
                hear(columns, parameters, market, i, teller, tie)


@rule
def listen_anywhere(columns, row_of, parameters, market, low, n):
    """Let `n` customers from row `low` on hear what is told, wherever they and their acquaintances stand."""
    for i in range(low, low + n):
        who = columns.id[i]
        for tie in range(parameters.word_contacts):
            known = acquaintance(market.network_key, who, tie, market.rewired, market.ring)
            teller = np.int64(row_of[known]) if row_of.size else market.first + known
            if columns.told[teller] > 0 and teller != i:
                hear(columns, parameters, market, i, teller, tie)


@kernel
def find_far_ties(columns, far, markets, spans):
    """Fill `far` (bytes, rows): bit n % 8 of byte n // 8 says whether a row's tie n is rewired."""
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        for group in range(far.shape[0]):
            for i in range(spans[s, 1], spans[s, 2]):
                found = 0
                for b in range(BITS):
                    key = tie_key(market.network_key, group * BITS + b)
                    found |= np.int64(uniform(key, columns.id[i]) < market.rewired) << b
                far[group, i] = np.uint8(found)


@kernel
def listen(columns, far, row_of, sets, markets, spans):
    """Let everybody hear this tick's stories and move their beliefs.

    Reads only what was told in the service phase, so the order of rows cannot matter.
    `row_of` gives the row of an id; empty where every id stands in its own row. Other arguments as for `choose`.
    """
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        parameters = parameters_at(sets, market.parameter_set[market.row])
        reach = parameters.word_contacts // 2 + 1
        for low in range(spans[s, 1], spans[s, 2], TILE):
            n = min(TILE, spans[s, 2] - low)
            if row_of.size == 0 and low + n <= market.first + market.ring and reach < market.ring:
                listen_in_ring(columns, far, parameters, market, low, n)
            else:
                listen_anywhere(columns, row_of, parameters, market, low, n)

"""The word-of-mouth phase: everybody hears what some acquaintances tell of this tick's stays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from churnsim.engine.batches import market_of, parameters_at
from churnsim.engine.kernel import kernel
from churnsim.engine.state import Columns, Market
from churnsim.engine.tiles import TILE, listed, stack
from churnsim.mechanisms.experience import learn
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.word_of_mouth import hears
from churnsim.randomness import below, uniform

# Odd constants that keep apart the keys of a customer's ties, and of what is drawn for each.
TIE_STEP = np.uint64(0x632BE59BD9B4E019)
TARGET_STEP = np.uint64(0xD1342543DE82EF95)

BITS = 8
"""Ties per byte of the table of far ties."""

WIDE = TILE + 128
"""Places in and beside a tile where acquaintances near by may stand: at most 64 ties reach 33 places on both sides."""


class Ties(NamedTuple):
    """Ties that lead far away; they stay as they are, so they are listed once."""

    far: np.ndarray  # uint8 (bytes, rows), a bit per tie
    groups: np.int64  # ties per customer
    first_tile: np.ndarray  # int64, number of each market's first tile
    begin: np.ndarray  # int64, where the list of each tile and tie begins
    listener: np.ndarray  # uint16, place in the tile
    teller: np.ndarray  # uint32, place in the market


@part
def tie_key(network_key, n):
    """Return the key of everybody's `n`-th tie."""
    return network_key + np.uint64(n + 1) * TIE_STEP


@part
def far_acquaintance(key, who, customers):
    """Return the id at the other end of a rewired tie: anybody, or for latecomers anybody before them."""
    return below(key ^ TARGET_STEP, who, np.int64(who) if np.int64(who) >= customers else customers)


@part
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


@part
def hear(columns, parameters, market, i, teller, n):
    """Let row `i` hear the story of row `teller`, its `n`-th acquaintance, if it is among those who are told."""
    if hears(uniform(market.hearing_keys[n], columns.id[i]), columns.told[teller], parameters.word_contacts):
        j = np.int64(columns.choice[teller]) - 1
        old = columns.belief[j, i]
        new = learn(old, columns.told_quality[teller], parameters.word_weight)
        columns.belief[j, i] = new
        columns.belief_word[j, i] += new - old


@part
def find_speakers(speaks, told, start, ring, n):
    """Find who tells something: `n` places of the ring from `start` on, which may lie beyond either end."""
    below_zero = min(max(-start, 0), n)
    beyond = max(min(ring - start, n), below_zero)
    for k in range(below_zero):
        speaks[k] = told[start + ring + k] > 0
    straight = told[start + below_zero : start + beyond]
    target = speaks[below_zero:beyond]
    for k in range(beyond - below_zero):
        target[k] = straight[k] > 0
    for k in range(beyond, n):
        speaks[k] = told[start - ring + k] > 0


@part
def listen_in_ring(columns, ties, parameters, market, tile, low, n):
    """Let `n` customers from row `low` on, all of the ring and each in the place of its id, hear what is told.

    Few speak, so the speakers near by are listed once; tie by tie, each of them finds its listener.
    """
    first, ring = market.first, market.ring
    told = columns.told[first : first + ring]
    far = ties.far
    speaks = stack(WIDE, np.bool_)
    speakers = stack(WIDE, np.int64)
    reach = parameters.word_contacts // 2 + 1
    start = low - first - reach
    find_speakers(speaks, told, start, ring, n + 2 * reach)
    found = listed(speaks, speakers, n + 2 * reach)
    for tie in range(parameters.word_contacts):
        step = tie // 2 + 1
        apart = step if tie % 2 == 0 else -step
        bit = np.uint8(1 << (tie % BITS))
        leads_far = far[tie // BITS, low : low + n]
        for m in range(found):
            place = start + speakers[m]
            k = place - apart - (low - first)
            if 0 <= k < n and leads_far[k] & bit == 0:
                place += ring if place < 0 else (-ring if place >= ring else 0)
                hear(columns, parameters, market, low + k, first + place, tie)
        cell = tile * ties.groups + tie
        for m in range(ties.begin[cell], ties.begin[cell + 1]):
            i, teller = low + np.int64(ties.listener[m]), first + np.int64(ties.teller[m])
            if columns.told[teller] > 0 and teller != i:
                hear(columns, parameters, market, i, teller, tie)


@part
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
def mark_far_ties(columns, far, markets, spans):
    """Fill `far` (bytes, rows): bit n % 8 of byte n // 8 says whether a row's tie n is rewired."""
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        for group in range(far.shape[0]):
            for i in range(spans[s, 1], spans[s, 2]):
                found = 0
                for b in range(BITS):
                    key = tie_key(market.network_key, group * BITS + b)
                    found |= int(uniform(key, columns.id[i]) < market.rewired) << b
                far[group, i] = np.uint8(found)


@kernel
def follow_far_ties(columns, ties, markets, spans):
    """List every far tie of the ring: who listens (place in the tile) to whom (place in the market), tile by tile."""
    m = 0
    cell = 0
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        for low in range(spans[s, 1], spans[s, 2], TILE):
            for tie in range(ties.groups):
                ties.begin[cell] = m
                cell += 1
                bit = np.uint8(1 << (tie % BITS))
                key = tie_key(market.network_key, tie)
                for i in range(low, min(low + TILE, spans[s, 2])):
                    if ties.far[tie // BITS, i] & bit and i - market.first < market.ring:
                        ties.listener[m] = np.uint16(i - low)
                        ties.teller[m] = np.uint32(far_acquaintance(key, columns.id[i], market.ring))
                        m += 1
    ties.begin[cell] = m


def find_ties(columns: Columns, markets: Market, spans: np.ndarray, contacts: int) -> Ties:
    """Return the ties of every market's network that lead far away.

    Parameters
    ----------
    columns
        The customers, with their ids.
    markets
        The markets, with the keys of their networks.
    spans : (R, 3) int64
        Market, first row and last row (excluded) of each; rows set aside for newcomers included.
    contacts
        Acquaintances per customer, at most.
    """
    far = np.zeros((-(-contacts // BITS), columns.id.size), np.uint8)
    mark_far_ties(columns, far, markets, spans)
    if contacts % BITS:
        far[-1] &= np.uint8((1 << contacts % BITS) - 1)
    tiles = -(-(spans[:, 2] - spans[:, 1]) // TILE)
    number = int(np.bitwise_count(far).sum())
    ties = Ties(
        far=far,
        groups=np.int64(contacts),
        first_tile=np.cumsum(tiles) - tiles,
        begin=np.zeros(int(tiles.sum()) * contacts + 1, np.int64),
        listener=np.zeros(number, np.uint16),
        teller=np.zeros(number, np.uint32),
    )
    follow_far_ties(columns, ties, markets, spans)
    return ties


@kernel
def listen(columns, ties, row_of, sets, markets, spans):
    """Let everybody hear this tick's stories and move their beliefs.

    Reads only what was told in the service phase, so the order of rows cannot matter.
    `row_of` gives the row of an id; empty where every id stands in its own row. Other arguments as for `choose`.
    """
    for s in range(spans.shape[0]):
        r = spans[s, 0]
        market = market_of(markets, r)
        parameters = parameters_at(sets, market.parameter_set[market.row])
        in_place = row_of.size == 0 and parameters.word_contacts < market.ring
        for low in range(spans[s, 1], spans[s, 2], TILE):
            n = min(TILE, spans[s, 2] - low)
            if in_place and low + n <= market.first + market.ring:
                tile = ties.first_tile[r] + (low - market.first) // TILE
                listen_in_ring(columns, ties, parameters, market, tile, low, n)
            else:
                listen_anywhere(columns, row_of, parameters, market, low, n)

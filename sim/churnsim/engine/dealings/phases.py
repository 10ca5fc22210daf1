"""Dealings as phases of a tick: loops over customers that call the rules of one customer."""

from __future__ import annotations

import numpy as np

from churnsim.engine.batches import counters_of, market_of, parameters_at, traits_at
from churnsim.engine.dealings.aftermath import take_stock as take_stock_of
from churnsim.engine.dealings.approach import approach as approach_one
from churnsim.engine.dealings.people import introduce
from churnsim.engine.dealings.state import PLACE
from churnsim.engine.hearsay import acquaintance
from churnsim.engine.kernel import kernel
from churnsim.mechanisms.experience import learn
from churnsim.mechanisms.referral import suited
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.word_of_mouth import hears
from churnsim.randomness import uniform

REFERRALS = PLACE["referrals"]
REFERRAL_STEP = np.uint64(0x9FB21C651E98DF25)
"""Keeps the luck of hearing a referral apart from that of hearing a story."""


@kernel
def begin(columns, dealings, traits, customs, markets, first, spans):
    """Make everybody in the spans somebody without dealings so far."""
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        drawn_from = traits_at(traits, market.trait_set)
        ways = customs[market.customs_set]
        for i in range(spans[s, 1], spans[s, 2]):
            introduce(columns, dealings, drawn_from, ways, market, i, first)


@kernel
def approach(columns, dealings, sets, customs, markets, counters, spans):
    """Let firms, employees and the calendar reach everybody; arguments as for `churnsim.engine.choice.choose`."""
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        counted = counters_of(counters, s)
        parameters = parameters_at(sets, market.parameter_set[market.row])
        ways = customs[market.customs_set]
        for i in range(spans[s, 1], spans[s, 2]):
            approach_one(columns, dealings, parameters, ways, market, counted, i)


@kernel
def take_stock(columns, dealings, traits, sets, customs, markets, counters, spans):
    """Let the tick leave its marks on everybody; arguments as for `churnsim.engine.choice.choose`."""
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        counted = counters_of(counters, s)
        parameters = parameters_at(sets, market.parameter_set[market.row])
        drawn_from = traits_at(traits, market.trait_set)
        ways = customs[market.customs_set]
        for i in range(spans[s, 1], spans[s, 2]):
            take_stock_of(columns, dealings, drawn_from, parameters, ways, market, counted, i)


@part
def hear_referrals(columns, dealings, row_of, parameters, customs, market, counters, i):
    """Let customer `i` hear from acquaintances who refer others to their firm (E20).

    Reads of others only what nobody changes while people talk.
    """
    who = columns.id[i]
    for n in range(parameters.word_contacts):
        friend = np.int64(acquaintance(market.network_key, who, n, market.rewired, market.ring))
        teller = np.int64(row_of[friend]) if row_of.size else market.first + friend
        if dealings.refers[teller] == 0 or teller == i:
            continue
        option = np.int64(columns.provider[teller])
        if option == 0 or np.int64(columns.provider[i]) == option:
            continue
        j = option - 1
        told = suited(columns.taste[j, i], customs.referral_tilt, customs.referral_level)
        if not hears(uniform(market.hearing_keys[n] ^ REFERRAL_STEP, who), told, parameters.word_contacts):
            continue
        counters.counted[j, REFERRALS] += 1
        dealings.aware[i] = np.uint8(np.int64(dealings.aware[i]) | 1 << j)
        if (np.int64(columns.known[i]) >> j) & 1 == 0:
            dealings.invited[i] = np.int8(option)
        old = columns.belief[j, i]
        new = learn(old, market.quality[j] - market.crowding[j], customs.referral_trust)
        columns.belief[j, i] = new
        columns.belief_word[j, i] = columns.belief_word[j, i] + (new - old)


@kernel
def pass_on(columns, dealings, row_of, sets, customs, markets, counters, spans):
    """Let everybody hear this tick's referrals; arguments as for `churnsim.engine.hearsay.listen`."""
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        counted = counters_of(counters, s)
        parameters = parameters_at(sets, market.parameter_set[market.row])
        ways = customs[market.customs_set]
        if ways.on_referral:
            for i in range(spans[s, 1], spans[s, 2]):
                hear_referrals(columns, dealings, row_of, parameters, ways, market, counted, i)

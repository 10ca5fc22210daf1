"""The service phase: stays, contacts, and what they do to each customer."""

from __future__ import annotations

import numpy as np

from churnsim.engine.batches import counters_of, market_of, parameters_at, traits_at
from churnsim.engine.choice import find_contacts
from churnsim.engine.kernel import kernel
from churnsim.engine.population import anchor, settle
from churnsim.engine.state import SCALE
from churnsim.engine.tiles import TILE, draw, fill, find_places, listed, pack, select, stack, store
from churnsim.mechanisms.arithmetic import HALF, ONE, ZERO, clip, normal
from churnsim.mechanisms.attachment import attachment, contact_effect
from churnsim.mechanisms.experience import (
    expectation,
    experience,
    learn,
    spillover,
    stay_satisfaction,
)
from churnsim.mechanisms.involuntary import NATURAL
from churnsim.mechanisms.memory import reference_price, sunk_cost
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.word_of_mouth import climbed, telling
from churnsim.randomness import uniform

IN_UNITS = np.float32(SCALE)
LONGEST = 32767
"""Longest tenure that is counted."""


@part
def move_house(columns, parameters, market, i, following):
    """Make option `following` the provider of customer `i`, who was elsewhere."""
    columns.provider[i] = np.int8(following)
    columns.tenure[i] = 0
    columns.sunk[i] = ZERO
    columns.satisfaction[i] = parameters.neutral
    if following > 0:
        j = following - 1
        bit = np.uint8(1 << j)
        cue = ZERO if columns.known[i] & bit else market.cue[j]
        columns.expectation[i] = clip(columns.belief[j, i] + cue, ZERO, ONE)
        columns.known[i] |= bit
        columns.lost_at_start[i] &= ~bit


@part
def deliver_stays(columns, parameters, market, counters, places, low, n):
    """Let those who bought stay: experience, belief, expectation, satisfaction, and whom they tell (E7-E10, E19)."""
    high = low + n
    choice = columns.choice[low:high]
    bought = stack(TILE, np.bool_)
    guests = stack(TILE, np.int64)
    packed = stack(TILE, np.uint64)
    luck = stack(TILE, np.float32)
    felt = stack(TILE, np.float32)
    quality = stack(TILE, np.float32)
    crowd = stack(TILE, np.float32)
    belief = stack(TILE, np.float32)
    crowded = stack(TILE, np.float32)
    word = stack(TILE, np.float32)
    expected = stack(TILE, np.float32)
    satisfaction = stack(TILE, np.float32)
    for k in range(n):
        bought[k] = choice[k] > 0
    found = listed(bought, guests, n)
    pack(packed, places, guests, found)
    for k in range(found):
        i = low + guests[k]
        j = np.int64(columns.choice[i]) - 1
        quality[k] = market.quality[j]
        crowd[k] = market.crowding[j]
        belief[k] = columns.belief[j, i]
        crowded[k] = columns.belief_crowding[j, i]
        word[k] = columns.belief_word[j, i]
        expected[k] = columns.expectation[i]
        satisfaction[k] = columns.satisfaction[i]
    draw(luck, market.experience_key, packed, found)
    for k in range(found):
        felt[k] = experience(quality[k], crowd[k], parameters.experience_noise, normal(luck[k]))
    for k in range(found):
        pleased = stay_satisfaction(
            felt[k],
            expected[k],
            market.market_mean,
            parameters.disconfirmation,
            parameters.satisfaction_loss,
            parameters.performance,
        )
        satisfaction[k] = learn(satisfaction[k], pleased, parameters.satisfaction_rate)
        expected[k] = expectation(expected[k], felt[k], parameters.expectation_up, parameters.expectation_down)
        belief[k] = learn(belief[k], felt[k], parameters.learning)
        crowded[k] = learn(crowded[k], -crowd[k], parameters.learning)
        word[k] = learn(word[k], ZERO, parameters.learning)
    delivered = np.int64(0)
    for k in range(found):
        delivered += np.int64(np.int32(felt[k] * IN_UNITS))
    counters.stays_quality[0] += delivered
    for k in range(found):
        i = low + guests[k]
        j = np.int64(columns.choice[i]) - 1
        columns.belief[j, i] = belief[k]
        columns.belief_crowding[j, i] = crowded[k]
        columns.belief_word[j, i] = word[k]
        columns.expectation[i] = expected[k]
        columns.satisfaction[i] = satisfaction[k]
    if parameters.tell_base > ZERO or parameters.tell_extreme > ZERO:
        draw(luck, market.telling_key, packed, found)
        for k in range(found):
            bought[k] = luck[k] < telling(satisfaction[k], parameters.tell_base, parameters.tell_extreme)
        tellers = stack(TILE, np.int64)
        for m in range(listed(bought, tellers, found)):
            k = tellers[m]
            i = low + guests[k]
            ladder = market.told_ladders[0 if satisfaction[k] < HALF else 1]
            columns.told[i] = np.uint8(climbed(uniform(market.audience_key, columns.id[i]), ladder))
            columns.told_quality[i] = felt[k]


@part
def remember_payments(columns, parameters, market, low, n):
    """Let payments sink in (E15)."""
    high = low + n
    choice = columns.choice[low:high]
    sunk = columns.sunk[low:high]
    payment = stack(TILE, np.float32)
    fill(payment, ZERO, n)
    for j in range(market.price.size):
        paid = parameters.sunk_share * market.price[j]
        for k in range(n):
            payment[k] = select(choice[k] == j + 1, paid, payment[k])
    for k in range(n):
        sunk[k] = sunk_cost(sunk[k], parameters.sunk_decay, payment[k])


@part
def grow_attached(columns, parameters, market, before, places, low, n):
    """Let attachment grow with contact or fade in separation (E13, E14)."""
    high = low + n
    choice = columns.choice[low:high]
    following = columns.following[low:high]
    satisfaction = columns.satisfaction[low:high]
    contacts = stack(TILE, np.float32)
    effect = stack(TILE, np.float32)
    grown = stack(TILE, np.float32)
    contacted = find_contacts(contacts, before, market, places, n)
    for j in range(market.price.size):
        fill(effect, ZERO, n)
        if contacted and market.contacts[j] > ZERO:
            for k in range(n):
                felt = contact_effect(contacts[k], market.richness[j], parameters.satiation)
                effect[k] = select(before[k] == j + 1, parameters.contact_intensity * felt, ZERO)
        level = columns.attachment[j, low:high]
        for k in range(n):
            intensity = select(choice[k] == j + 1, parameters.stay_intensity, ZERO) + effect[k]
            # Nothing grows towards a firm that the customer is not with.
            growth = select(following[k] == j + 1, parameters.attachment_growth, ZERO)
            grown[k] = attachment(
                level[k],
                intensity,
                satisfaction[k],
                growth,
                parameters.attachment_floor,
                parameters.attachment_decay,
            )
        store(level, grown, n)


@part
def remember_prices(columns, parameters, market, low, n):
    """Let reference prices follow the prices seen (E5)."""
    high = low + n
    choice = columns.choice[low:high]
    moved = stack(TILE, np.float32)
    seen = parameters.reference_rate * parameters.reference_seen
    for j in range(market.price.size):
        reference = columns.reference[j, low:high]
        price = market.price[j]
        for k in range(n):
            rate = select(choice[k] == j + 1, parameters.reference_rate, seen)
            moved[k] = reference_price(reference[k], price, rate)
        store(reference, moved, n)


@part
def look_up(columns, parameters, market, low, n):
    """Let the best firm known pull expectations up (E9), and a tick of tenure pass."""
    high = low + n
    following = columns.following[low:high]
    if parameters.expectation_spill > ZERO:
        best = stack(TILE, np.float32)
        expected = columns.expectation[low:high]
        fill(best, ZERO, n)
        for j in range(market.price.size):
            if market.open[j]:
                belief = columns.belief[j, low:high]
                for k in range(n):
                    best[k] = select(belief[k] > best[k], belief[k], best[k])
        for k in range(n):
            raised = spillover(expected[k], best[k], parameters.expectation_spill)
            best[k] = select(following[k] > 0, raised, expected[k])
        store(expected, best, n)
    tenure = columns.tenure[low:high]
    for k in range(n):
        tenure[k] = np.int16(tenure[k] + ((following[k] > 0) & (tenure[k] < LONGEST)))


@part
def serve_tile(columns, traits, parameters, market, counters, low, n):
    """Deliver this tick's stays and contacts to `n` customers from row `low` on."""
    high = low + n
    provider = columns.provider[low:high]
    following = columns.following[low:high]
    leaving = columns.exit[low:high]
    places = stack(TILE, np.uint64)
    before = stack(TILE, np.int8)
    mask = stack(TILE, np.bool_)
    rows = stack(TILE, np.int64)
    find_places(places, columns.id[low:high], n)
    fill(columns.told[low:high], np.uint8(0), n)
    for k in range(n):
        before[k] = provider[k]
        mask[k] = following[k] != provider[k]
    for m in range(listed(mask, rows, n)):
        i = low + rows[m]
        move_house(columns, parameters, market, i, np.int64(columns.following[i]))
        anchor(columns, market.row, i)
    deliver_stays(columns, parameters, market, counters, places, low, n)
    remember_payments(columns, parameters, market, low, n)
    grow_attached(columns, parameters, market, before, places, low, n)
    remember_prices(columns, parameters, market, low, n)
    look_up(columns, parameters, market, low, n)
    for k in range(n):
        mask[k] = leaving[k] == NATURAL
    for m in range(listed(mask, rows, n)):
        settle(columns, traits, market, low + rows[m])
        anchor(columns, market.row, low + rows[m])


@kernel
def serve(columns, traits, sets, markets, counters, spans):
    """Deliver this tick's stays and contacts and update what they leave behind; arguments as for `choose`."""
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        counted = counters_of(counters, s)
        parameters = parameters_at(sets, market.parameter_set[market.row])
        newcomers = traits_at(traits, market.trait_set)
        for low in range(spans[s, 1], spans[s, 2], TILE):
            serve_tile(columns, newcomers, parameters, market, counted, low, min(TILE, spans[s, 2] - low))

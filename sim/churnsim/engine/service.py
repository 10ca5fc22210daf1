"""The service phase: stays, contacts, and what they do to each customer."""

from __future__ import annotations

import numpy as np

from churnsim.engine.batches import counters_of, market_of, parameters_at, traits_at
from churnsim.engine.choice import find_contacts
from churnsim.engine.kernel import kernel
from churnsim.engine.ladders import climbed
from churnsim.engine.population import anchor, settle
from churnsim.engine.state import SCALE
from churnsim.engine.tiles import (
    TILE,
    draw,
    fetch,
    fill,
    find_places,
    listed,
    option_of,
    pack,
    select,
    stack,
    store,
    total,
)
from churnsim.mechanisms.arithmetic import HALF, ONE, ZERO, clip, normal
from churnsim.mechanisms.attachment import attachment, contact_effect, contacts_received, receive
from churnsim.mechanisms.experience import (
    expectation,
    experience,
    learn,
    spillover,
    stay_satisfaction,
)
from churnsim.mechanisms.involuntary import gone_for_good
from churnsim.mechanisms.memory import reference_price, sunk_cost
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.word_of_mouth import telling
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
def find_felt(felt, guests, found, choice, parameters, market, places, n):
    """Find what this tick's stays feel like to the `found` customers listed in `guests` (E7)."""
    packed = stack(TILE, np.uint64)
    luck = stack(TILE, np.float32)
    there = stack(TILE, np.float32)
    fill(there, ZERO, n)
    pack(packed, places, guests, found)
    draw(luck, market.experience_key, packed, found)
    for k in range(found):
        luck[k] = normal(luck[k])
    fill(felt, ZERO, n)
    for k in range(found):
        felt[guests[k]] = luck[k]
    for j in range(market.price.size):
        mine = option_of(j)
        for k in range(n):
            like_this = experience(market.quality[j], market.crowding[j], parameters.experience_noise, felt[k])
            there[k] = select(choice[k] == mine, like_this, there[k])
    store(felt, there, n)


@part
def deliver_stays(columns, parameters, market, counters, places, low, n):
    """Let those who bought stay: experience, satisfaction, expectation, belief, and whom they tell (E7-E10, E19)."""
    high = low + n
    choice = columns.choice[low:high]
    satisfaction = columns.satisfaction[low:high]
    expected = columns.expectation[low:high]
    stays = stack(TILE, np.bool_)
    guests = stack(TILE, np.int64)
    felt = stack(TILE, np.float32)
    units = stack(TILE, np.int32)
    rate = stack(TILE, np.float32)
    for k in range(n):
        stays[k] = choice[k] > 0
    found = listed(stays, guests, n)
    find_felt(felt, guests, found, choice, parameters, market, places, n)
    for k in range(n):
        units[k] = np.int32(felt[k] * IN_UNITS)
    counters.stays_quality[0] += total(units, stays, n)
    for k in range(n):
        pleased = stay_satisfaction(
            felt[k],
            expected[k],
            market.market_mean,
            parameters.disconfirmation,
            parameters.satisfaction_loss,
            parameters.performance,
        )
        moved = learn(satisfaction[k], pleased, parameters.satisfaction_rate)
        satisfaction[k] = select(stays[k], moved, satisfaction[k])
    for k in range(n):
        moved = expectation(expected[k], felt[k], parameters.expectation_up, parameters.expectation_down)
        expected[k] = select(stays[k], moved, expected[k])
    for j in range(market.price.size):
        belief = columns.belief[j, low:high]
        crowded = columns.belief_crowding[j, low:high]
        word = columns.belief_word[j, low:high]
        mine = option_of(j)
        # Those who stayed elsewhere learn at rate 0, which changes no bit.
        for k in range(n):
            rate[k] = select(choice[k] == mine, parameters.learning, ZERO)
        for k in range(n):
            belief[k] = learn(belief[k], felt[k], rate[k])
        for k in range(n):
            crowded[k] = learn(crowded[k], -market.crowding[j], rate[k])
        for k in range(n):
            word[k] = learn(word[k], ZERO, rate[k])
        keep_core(columns, felt, rate, parameters, market, j, low, n)
    if parameters.tell_base > ZERO or parameters.tell_extreme > ZERO:
        tell(columns, parameters, market, felt, guests, found, places, low)


@part
def keep_core(columns, felt, rate, parameters, market, j, low, n):
    """Let those who stayed with firm `j` learn what they would have, had it kept its best quality since they joined.

    `felt` is what the stays were like, `rate` the rate of learning, 0 for those who stayed elsewhere.
    """
    kept = columns.kept_core[low : low + n]
    joined = columns.anchor_row[low : low + n]
    crowding = market.crowding[j]
    if not market.worsened[j]:
        for k in range(n):
            kept[k] = learn(kept[k], felt[k] + crowding, rate[k])
        return
    for k in range(n):
        if rate[k] > ZERO:
            missing = market.best_quality[joined[k], j] - market.quality[j]
            kept[k] = learn(kept[k], clip(felt[k] + missing, ZERO, ONE) + crowding, rate[k])


@part
def tell(columns, parameters, market, felt, guests, found, places, low):
    """Decide how many people hear of the stays of the `found` customers listed in `guests` (E19)."""
    packed = stack(TILE, np.uint64)
    luck = stack(TILE, np.float32)
    satisfaction = stack(TILE, np.float32)
    tells = stack(TILE, np.bool_)
    tellers = stack(TILE, np.int64)
    pack(packed, places, guests, found)
    draw(luck, market.telling_key, packed, found)
    for k in range(found):
        satisfaction[k] = columns.satisfaction[low + guests[k]]
    for k in range(found):
        tells[k] = luck[k] < telling(satisfaction[k], parameters.tell_base, parameters.tell_extreme)
    for m in range(listed(tells, tellers, found)):
        k = tellers[m]
        i = low + guests[k]
        ladder = market.told_ladders[0 if satisfaction[k] < HALF else 1]
        columns.told[i] = np.uint8(climbed(uniform(market.audience_key, columns.id[i]), ladder))
        columns.told_quality[i] = felt[guests[k]]


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
        mine = option_of(j)
        for k in range(n):
            payment[k] = select(choice[k] == mine, paid, payment[k])
    for k in range(n):
        sunk[k] = sunk_cost(sunk[k], parameters.sunk_decay, payment[k])


@part
def keep_attached(columns, dealings, effect, parameters, market, before, j, places, low, n):
    """Let attachment to firm `j` grow as it would have, had the firm kept its best relationship work.

    `effect` is what its contacts have done. What else adds to attachment counts here too; what takes of it does not.
    """
    high = low + n
    choice = columns.choice[low:high]
    following = columns.following[low:high]
    satisfaction = columns.satisfaction[low:high]
    level = columns.attachment[j, low:high]
    kept = columns.kept_attachment[low:high]
    mine = option_of(j)
    if market.slackened[j]:
        luck = stack(TILE, np.float32)
        draw(luck, market.contact_key, places, n)
        for k in range(n):
            if before[k] == mine and following[k] == mine:
                best = market.best_work[columns.anchor_row[low + k], j]
                contacts = contacts_received(market.contacts_then[best, j], luck[k])
                felt = contact_effect(contacts, market.richness_then[best, j], parameters.satiation)
                effect[k] = parameters.contact_intensity * felt
                if dealings.chance.size > 0:
                    effect[k] = receive(effect[k], dealings.receptive[low + k], parameters.contact_intensity)
    for k in range(n):
        grown = attachment(
            kept[k],
            select(choice[k] == mine, parameters.stay_intensity, ZERO) + effect[k],
            satisfaction[k],
            parameters.attachment_growth,
            parameters.attachment_floor,
            parameters.attachment_decay,
        )
        grown = select(level[k] > grown, level[k], grown)
        kept[k] = select(following[k] == mine, grown, kept[k])


@part
def grow_attached(columns, dealings, parameters, market, before, places, low, n):
    """Let attachment grow with contact or fade in separation (E13, E14)."""
    high = low + n
    choice = columns.choice[low:high]
    following = columns.following[low:high]
    satisfaction = columns.satisfaction[low:high]
    contacts = stack(TILE, np.float32)
    effect = stack(TILE, np.float32)
    contacted = find_contacts(contacts, before, market, places, n)
    for j in range(market.price.size):
        fill(effect, ZERO, n)
        mine = option_of(j)
        if contacted and market.contacts[j] > ZERO:
            for k in range(n):
                felt = contact_effect(contacts[k], market.richness[j], parameters.satiation)
                effect[k] = select(before[k] == mine, parameters.contact_intensity * felt, ZERO)
            if dealings.chance.size > 0:
                for k in range(n):
                    effect[k] = receive(effect[k], dealings.receptive[low + k], parameters.contact_intensity)
        level = columns.attachment[j, low:high]
        for k in range(n):
            intensity = select(choice[k] == mine, parameters.stay_intensity, ZERO) + effect[k]
            # Nothing grows towards a firm that the customer is not with.
            growth = select(following[k] == mine, parameters.attachment_growth, ZERO)
            level[k] = attachment(
                level[k],
                intensity,
                satisfaction[k],
                growth,
                parameters.attachment_floor,
                parameters.attachment_decay,
            )
        keep_attached(columns, dealings, effect, parameters, market, before, j, places, low, n)


@part
def remember_prices(columns, parameters, market, low, n):
    """Let reference prices follow the prices seen (E5)."""
    high = low + n
    choice = columns.choice[low:high]
    seen = parameters.reference_rate * parameters.reference_seen
    for j in range(market.price.size):
        reference = columns.reference[j, low:high]
        price = market.price[j]
        mine = option_of(j)
        for k in range(n):
            rate = select(choice[k] == mine, parameters.reference_rate, seen)
            reference[k] = reference_price(reference[k], price, rate)


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
            expected[k] = select(following[k] > 0, raised, expected[k])
    tenure = columns.tenure[low:high]
    for k in range(n):
        tenure[k] = np.int16(tenure[k] + ((following[k] > 0) & (tenure[k] < LONGEST)))


@part
def serve_tile(columns, dealings, traits, parameters, market, counters, low, n):
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
    moved = listed(mask, rows, n)
    for m in range(moved):
        fetch(columns.anchor_row, low + rows[m])
        fetch(columns.anchor_belief, (0, low + rows[m]))
    for m in range(moved):
        i = low + rows[m]
        move_house(columns, parameters, market, i, np.int64(columns.following[i]))
        anchor(columns, market.row, i)
    deliver_stays(columns, parameters, market, counters, places, low, n)
    remember_payments(columns, parameters, market, low, n)
    grow_attached(columns, dealings, parameters, market, before, places, low, n)
    remember_prices(columns, parameters, market, low, n)
    look_up(columns, parameters, market, low, n)
    for k in range(n):
        mask[k] = gone_for_good(leaving[k])
    for m in range(listed(mask, rows, n)):
        settle(columns, traits, market, low + rows[m])
        anchor(columns, market.row, low + rows[m])


@kernel
def serve(columns, dealings, traits, sets, markets, counters, spans):
    """Deliver this tick's stays and contacts and update what they leave behind; arguments as for `choose`."""
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        counted = counters_of(counters, s)
        parameters = parameters_at(sets, market.parameter_set[market.row])
        newcomers = traits_at(traits, market.trait_set)
        for low in range(spans[s, 1], spans[s, 2], TILE):
            n = min(TILE, spans[s, 2] - low)
            serve_tile(columns, dealings, newcomers, parameters, market, counted, low, n)

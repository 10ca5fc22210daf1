"""The service phase: stays, contacts, and what they do to each customer."""

from __future__ import annotations

import numpy as np

from churnsim.engine.choice import contacts_received
from churnsim.engine.kernel import kernel
from churnsim.engine.population import anchor, settle
from churnsim.engine.state import SCALE
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
from churnsim.mechanisms.rule import rule
from churnsim.mechanisms.word_of_mouth import people_told, telling
from churnsim.randomness import uniform


@rule
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


@rule
def stay(columns, parameters, market, i, j):
    """Let customer `i` stay with firm `j`: experience, belief, expectation, satisfaction; return the experience."""
    who = columns.id[i]
    felt = experience(
        market.quality[j], market.crowding[j], parameters.experience_noise, normal(uniform(market.experience_key, who))
    )
    columns.belief[j, i] = learn(columns.belief[j, i], felt, parameters.learning)
    columns.belief_crowding[j, i] = learn(columns.belief_crowding[j, i], -market.crowding[j], parameters.learning)
    columns.belief_word[j, i] = learn(columns.belief_word[j, i], ZERO, parameters.learning)
    pleased = stay_satisfaction(
        felt,
        columns.expectation[i],
        market.market_mean,
        parameters.disconfirmation,
        parameters.satisfaction_loss,
        parameters.performance,
    )
    columns.satisfaction[i] = learn(columns.satisfaction[i], pleased, parameters.satisfaction_rate)
    columns.expectation[i] = expectation(
        columns.expectation[i], felt, parameters.expectation_up, parameters.expectation_down
    )
    return felt


@rule
def tell(columns, parameters, market, i, felt):
    """Decide how many people customer `i` tells about a stay that felt like `felt`."""
    who = columns.id[i]
    satisfaction = columns.satisfaction[i]
    if uniform(market.telling_key, who) < telling(satisfaction, parameters.tell_base, parameters.tell_extreme):
        mean = parameters.told_dissatisfied if satisfaction < HALF else parameters.told_satisfied
        columns.told[i] = np.uint8(people_told(uniform(market.audience_key, who), mean))
        columns.told_quality[i] = felt


@kernel
def serve(columns, traits, parameters, market, counters, low, high):
    """Deliver this tick's stays and contacts to rows `low` to `high` and update what they leave behind."""
    firms = market.price.size
    for i in range(low, high):
        columns.told[i] = 0
        if columns.exit[i] == NATURAL:
            settle(columns, traits, market, i)
            anchor(columns, market.row, i)
            continue
        provider = np.int64(columns.provider[i])
        following = np.int64(columns.following[i])
        bought = np.int64(columns.choice[i])
        contacted = ZERO
        if provider > 0:
            contacted = contacts_received(market, provider - 1, columns.id[i])
        if following != provider:
            move_house(columns, parameters, market, i, following)
            anchor(columns, market.row, i)
        payment = ZERO
        if bought > 0:
            payment = parameters.sunk_share * market.price[bought - 1]
            felt = stay(columns, parameters, market, i, bought - 1)
            counters.stays_quality[0] += np.int64(np.float64(felt) * SCALE)
            tell(columns, parameters, market, i, felt)
        columns.sunk[i] = sunk_cost(columns.sunk[i], parameters.sunk_decay, payment)
        best = ZERO
        for j in range(firms):
            intensity = ZERO
            if bought == j + 1:
                intensity = intensity + parameters.stay_intensity
            if provider == j + 1:
                effect = contact_effect(contacted, market.richness[j], parameters.satiation)
                intensity = intensity + parameters.contact_intensity * effect
            # Nothing grows towards a firm that the customer is not with.
            growth = parameters.attachment_growth if following == j + 1 else ZERO
            columns.attachment[j, i] = attachment(
                columns.attachment[j, i],
                intensity,
                columns.satisfaction[i],
                growth,
                parameters.attachment_floor,
                parameters.attachment_decay,
            )
            rate = parameters.reference_rate
            if bought != j + 1:
                rate = rate * parameters.reference_seen
            columns.reference[j, i] = reference_price(columns.reference[j, i], market.price[j], rate)
            if market.open[j]:
                best = max(best, columns.belief[j, i])
        if following > 0:
            columns.expectation[i] = spillover(columns.expectation[i], best, parameters.expectation_spill)
            if columns.tenure[i] < 32767:
                columns.tenure[i] += 1

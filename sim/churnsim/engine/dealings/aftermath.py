"""After the service phase: payments and points, failures and complaints, memory, referral, and the counts of it all."""

from __future__ import annotations

import numpy as np

from churnsim.causes import N_VALUE_CAUSES
from churnsim.engine.dealings.counting import count_occasion, count_stage, count_told
from churnsim.engine.dealings.credit import review, screen
from churnsim.engine.dealings.offers import charge, taken_off
from churnsim.engine.dealings.people import introduce, persons_known
from churnsim.engine.dealings.state import (
    AUDIENCE,
    CARING,
    CORE_FAILURE,
    DEFAULTING,
    ENCOUNTER,
    ENCOUNTER_FAILURE,
    FAILURE,
    FAVOUR,
    N_PLANES,
    PLACE,
    PRECEDENT,
    REFERRAL,
    RESPONSE,
    SETTLEMENT,
    SEVERITY,
    SPEEDINESS,
    SUGGESTION,
    VOICE,
)
from churnsim.engine.dealings.stock import come_closer, fill_basket, promoted, use_up
from churnsim.engine.levers import (
    CARE,
    CARE_COST,
    CLUB,
    COMPENSATION,
    CONSISTENCY,
    COURTESY,
    COVERAGE,
    FAVOUR_WORTH,
    FAVOURS,
    GUARANTEE,
    HANDLING,
    MORALE,
    POINTS_RATE,
    PREPAYMENT,
    PROMISE,
    RESOLUTION,
    REWARD,
    REWARD_AT,
    SPEED,
    TARGETED,
    TILT,
)
from churnsim.engine.state import NO_PURCHASE, SCALE
from churnsim.mechanisms.arithmetic import HALF, ONE, TWO, ZERO, clip
from churnsim.mechanisms.attachment import contacts_received, obliged
from churnsim.mechanisms.failure import complains, encounter_chance, failure_chance, forgiven, mended
from churnsim.mechanisms.involuntary import NONE, gone_for_good
from churnsim.mechanisms.needs import sensitised
from churnsim.mechanisms.referral import referring, willingness
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.word_of_mouth import people_told
from churnsim.randomness import uniform

VOLUME, VOLUME_PAID, COST = PLACE["volume"], PLACE["volume_paid"], PLACE["cost"]
CORE_FAILURES, ENCOUNTER_FAILURES = PLACE["core_failures"], PLACE["encounter_failures"]
MAJOR_FAILURES, COMPLAINTS = PLACE["major_failures"], PLACE["complaints"]
SETTLED, SETTLED_AT_ONCE, PAID_BACK = PLACE["settled"], PLACE["settled_at_once"], PLACE["compensation"]
EARNED, REDEEMED, OFFERS_TAKEN = PLACE["points_earned"], PLACE["points_redeemed"], PLACE["offers_taken"]
SECOND_ENDED, SECOND_TENURE = PLACE["second_ended"], PLACE["second_tenure"]
REFERRED_JOINED, REFERRED_LOST = PLACE["referred_joined"], PLACE["referred_lost"]
BAD_DEBT, CONCEDED, STOCKED = PLACE["bad_debt"], PLACE["conceded"], PLACE["stocked"]
SUGGESTIONS, FAVOURS_DONE, REFERRERS = PLACE["suggestions"], PLACE["favours"], PLACE["referrers"]

LONGEST = np.int64(32000)
WHOLE = np.float64(SCALE)
TARGET_GAIN = np.float32(1.3)
"""Brings targeted care to about the number of people that random care reaches: the mean of (sociability x
satisfaction) squared is near .77 at the default spread and a satisfaction near .65 (assumed)."""


@part
def share_of_one(counters, j, place, amount):
    """Add a number of units to a count of firm `j`, in 1 / SCALE."""
    counters.counted[j, place] += np.int64(np.rint(np.float64(amount) * WHOLE))


@part
def take_stock(columns, dealings, traits, parameters, customs, market, counters, i):
    """Let the tick leave its marks on customer `i`, and count them."""
    if gone_for_good(columns.exit[i]):
        part_with(dealings, counters, i)
        introduce(columns, dealings, traits, customs, market, i, False)
        count_stage(columns, dealings, customs, market, counters, i)
        return
    before, provider = np.int64(dealings.before[i]), np.int64(columns.provider[i])
    choice = np.int64(columns.choice[i])
    count_occasion(columns, dealings, market, counters, i, before, choice)
    if customs.offers_counted > ZERO:
        get_used_to_offers(columns, dealings, parameters, customs, market, i, before, choice)
    if choice != NO_PURCHASE:  # the last failure has had its say
        dealings.pending[i] = np.uint8(0)
        dealings.upset[i] = ZERO
    if provider != before:
        if before > 0:
            part_with(dealings, counters, i)
            dealings.lost_from[i] = np.int8(before)
            dealings.lost_since[i] = np.int16(0)
            if columns.exit[i] != NONE:
                dealings.lost_for[i] = np.uint8(N_VALUE_CAUSES - 1 + np.int64(columns.exit[i]))
        take_up(columns, dealings, customs, market, counters, i, before, provider)
    if provider != np.int64(dealings.lost_from[i]):
        dealings.lost_since[i] = np.int16(min(np.int64(dealings.lost_since[i]) + 1, LONGEST))
    if customs.on_stockpiling and columns.exit[i] == NONE:
        use_up(columns, dealings, customs, market, i)
    if customs.on_rhythm:
        come_closer(columns, dealings, customs, market, i)
    if choice > 0:
        pay(columns, dealings, customs, market, counters, i, choice - 1)
        if customs.on_failure:
            suffer(columns, dealings, parameters, customs, market, counters, i, choice - 1)
        if customs.on_service_tiers:
            feel_rank(columns, dealings, parameters, market, i, choice - 1)
        dealings.visits[i] = np.int16(min(np.int64(dealings.visits[i]) + 1, LONGEST))
    remember(columns, dealings, customs, market, counters, i, before, provider)
    count_told(columns, counters, i, choice)
    count_stage(columns, dealings, customs, market, counters, i)


@part
def get_used_to_offers(columns, dealings, parameters, customs, market, i, before, choice):
    """Take offers off the prices towards which customer `i`'s reference prices have just moved (E5)."""
    for j in range(market.price.size):
        rate = parameters.reference_rate * (ONE if choice == j + 1 else parameters.reference_seen)
        off = taken_off(dealings, customs, market, i, j, before)
        columns.reference[j, i] = columns.reference[j, i] - rate * off


@part
def part_with(dealings, counters, i):
    """Count the end of a second lifetime, or of one that a referral began."""
    before = np.int64(dealings.before[i])
    if before == 0:
        return
    if dealings.second[i]:
        counters.counted[before - 1, SECOND_ENDED] += 1
        counters.counted[before - 1, SECOND_TENURE] += np.int64(dealings.spell[i])
        dealings.second[i] = False
    if dealings.referred[i]:
        counters.counted[before - 1, REFERRED_LOST] += 1
        dealings.referred[i] = False


@part
def take_up(columns, dealings, customs, market, counters, i, before, provider):
    """Let dealings with a new provider begin, on what was known when it was chosen."""
    dealings.visits[i] = np.int16(0)
    dealings.helped[i] = np.int16(0)
    dealings.discount[i] = ZERO
    dealings.upset[i] = ZERO
    dealings.pending[i] = np.uint8(0)
    dealings.silence[i] = np.int16(0)
    dealings.favoured[i] = ZERO
    for plane in range(N_PLANES + 1):
        for j in range(market.price.size):
            dealings.anchor_terms[plane, j, i] = dealings.terms[plane, j, i]
    if provider == 0:
        return
    j = provider - 1
    bit = 1 << j
    returns = np.int64(dealings.knew[i]) & bit != 0
    dealings.second[i] = returns
    dealings.aware[i] = np.uint8(np.int64(dealings.aware[i]) | bit)
    dealings.met[i] = np.uint8(np.int64(dealings.persons[i]) & np.int64(persons_known(market.conduct[j, COVERAGE])))
    if returns and np.int64(dealings.offer_from[i]) == provider:
        counters.counted[j, OFFERS_TAKEN] += 1
    if customs.on_referral and np.int64(dealings.invited[i]) == provider and not returns:
        counters.counted[j, REFERRED_JOINED] += 1
        charge(counters, j, COST, market.conduct[j, REWARD], market.money_unit)
        dealings.referred[i] = True
        bond = customs.referral_bond
        columns.attachment[j, i] = columns.attachment[j, i] + bond * (ONE - columns.attachment[j, i])
    if np.int64(dealings.invited[i]) == provider:
        dealings.invited[i] = np.int8(0)
    if customs.on_screening and not returns:
        screen(market, counters, j)
    if customs.on_promises and not returns:
        columns.expectation[i] = clip(columns.expectation[i] + market.conduct[j, PROMISE], ZERO, ONE)


@part
def pay(columns, dealings, customs, market, counters, i, j):
    """Let a purchase be paid, and points be earned and redeemed."""
    price, size = market.price[j], dealings.size[i]
    amount = size
    if customs.on_stockpiling:
        ahead = fill_basket(dealings, customs, market, i, j)
        amount = size * dealings.basket[i]
        share_of_one(counters, j, STOCKED, size * ahead)
    share_of_one(counters, j, VOLUME, amount)
    conceded = dealings.discount[i] if customs.on_bargaining else ZERO
    share_of_one(counters, j, VOLUME_PAID, amount * (ONE - conceded))
    if conceded > ZERO:
        charge(counters, j, CONCEDED, amount * conceded * price, market.money_unit)
    if dealings.offer_from[i] == j + 1:
        charge(counters, j, COST, dealings.offer_cost[i] * amount, market.money_unit)
    if customs.on_loyalty_card:
        earned = market.conduct[j, POINTS_RATE] * price * amount
        points = dealings.points[j, i] + earned
        reward = market.conduct[j, REWARD_AT]
        charge(counters, j, EARNED, earned, market.money_unit)
        if points >= reward:
            rewards = np.floor(points / reward)
            points = points - rewards * reward
            charge(counters, j, REDEEMED, rewards * reward, market.money_unit)
            charge(counters, j, COST, rewards * reward, market.money_unit)
        dealings.points[j, i] = points
    if customs.on_screening and dealings.bad_debtor[i]:
        if uniform(market.deal_keys[DEFAULTING], columns.id[i]) < customs.credit_default:
            owed = amount * price * (ONE - market.conduct[j, PREPAYMENT])
            charge(counters, j, BAD_DEBT, owed, market.money_unit)
            charge(counters, j, COST, owed, market.money_unit)
            dealings.defaulted[i] = np.uint8(np.int64(dealings.defaulted[i]) | 1 << j)


@part
def suffer(columns, dealings, parameters, customs, market, counters, i, j):
    """Let a stay fail, the customer speak up or not, and the firm mend it or not (E22, E23)."""
    who = columns.id[i]
    keys = market.deal_keys
    quality = market.quality[j] - market.crowding[j]
    core = uniform(keys[FAILURE], who) < failure_chance(quality, customs.failure_rate)
    courtesy, morale = market.conduct[j, COURTESY], HALF
    if customs.on_employees:
        morale = market.stocks[j, MORALE]
    rude = uniform(keys[ENCOUNTER], who) < encounter_chance(courtesy, morale, customs.failure_encounter)
    if not core and not rude:
        return
    plane = CORE_FAILURE if core else ENCOUNTER_FAILURE
    counters.counted[j, CORE_FAILURES if core else ENCOUNTER_FAILURES] += 1
    major = uniform(keys[SEVERITY], who) < customs.failure_major
    if major:
        counters.counted[j, MAJOR_FAILURES] += 1
    attached = columns.attachment[j, i]
    loss = forgiven(
        customs.failure_major_loss if major else customs.failure_minor_loss, attached, customs.failure_tolerance
    )
    guarantee = market.conduct[j, GUARANTEE]
    added = (customs.failure_voice_major if major else ZERO) + (
        customs.failure_voice_guarantee if guarantee > ZERO else ZERO
    )
    chance = complains(
        customs.failure_voice,
        customs.failure_voice_hope,
        market.conduct[j, RESOLUTION],
        customs.failure_voice_attachment,
        attached,
        added,
    )
    share, cell = ZERO, 0
    spoke = uniform(keys[VOICE], who) < chance
    settled = spoke and uniform(keys[SETTLEMENT], who) < market.conduct[j, RESOLUTION]
    at_once = settled and uniform(keys[SPEEDINESS], who) < market.conduct[j, SPEED]
    if spoke:
        counters.counted[j, COMPLAINTS] += 1
        cell = 3 if at_once else (2 if settled else 1)
        share = answered(customs, market, keys, who, j, major, settled, at_once, guarantee)
        effort = HALF * (courtesy + (ONE if at_once else ZERO))
        charge(counters, j, COST, market.conduct[j, HANDLING] * effort, market.money_unit)
    if settled:
        counters.counted[j, SETTLED] += 1
        counters.counted[j, SETTLED_AT_ONCE] += np.int64(at_once)
        paid = (market.conduct[j, COMPENSATION] + guarantee) * market.price[j] * dealings.size[i]
        charge(counters, j, PAID_BACK, paid, market.money_unit)
        charge(counters, j, COST, paid, market.money_unit)
    elif spoke:
        # Whoever is not answered feels that the signal was lost (E13).
        columns.attachment[j, i] = columns.attachment[j, i] * (ONE - customs.failure_ignored)
    left = ONE - share
    where = RESPONSE if spoke else plane
    dealings.terms[where, j, i] = dealings.terms[where, j, i] - loss * left
    weight = TWO if major else ONE
    lost = customs.failure_displeasure * weight * (ONE - customs.failure_paradox * share)
    columns.satisfaction[i] = clip(columns.satisfaction[i] - lost, ZERO, ONE)
    columns.attachment[j, i] = columns.attachment[j, i] * (ONE - customs.failure_estrangement * weight * left)
    dealings.upset[i] = customs.failure_trigger * left
    dealings.pending[i] = np.uint8(1 + cell + (4 if major else 0))
    if parameters.word_weight > ZERO and left > HALF:
        columns.told[i] = np.uint8(people_told(uniform(keys[AUDIENCE], who), parameters.told_dissatisfied))
        columns.told_quality[i] = clip(quality - customs.failure_warning, ZERO, ONE)


@part
def answered(customs, market, keys, who, j, major, settled, at_once, guarantee):
    """Return the share of the loss that the answer to a complaint mends."""
    heard = customs.failure_heard_1 if major else customs.failure_heard_0
    if not settled:
        return heard
    # Where like cases are not treated alike, the procedure is not felt to be fair, however fast.
    fair = uniform(keys[PRECEDENT], who) < market.conduct[j, CONSISTENCY]
    compensated = market.conduct[j, COMPENSATION] + guarantee
    return mended(
        heard,
        customs.failure_distributive_1 if major else customs.failure_distributive_0,
        compensated if compensated < ONE else ONE,
        customs.failure_interactional_1 if major else customs.failure_interactional_0,
        market.conduct[j, COURTESY],
        customs.failure_procedural_1 if major else customs.failure_procedural_0,
        ONE if at_once and fair else ZERO,
    )


@part
def feel_rank(columns, dealings, parameters, market, i, j):
    """Let a stay be better for the large and worse for the small where service follows value (course S19, S90)."""
    felt = market.conduct[j, TILT] * (dealings.rank[i] - HALF)
    columns.belief[j, i] = clip(columns.belief[j, i] + parameters.learning * felt, ZERO, ONE)
    moved = parameters.satisfaction_rate * (parameters.performance + parameters.disconfirmation) * felt
    columns.satisfaction[i] = clip(columns.satisfaction[i] + moved, ZERO, ONE)
    columns.expectation[i] = clip(columns.expectation[i] + parameters.expectation_up * felt, ZERO, ONE)


@part
def remember(columns, dealings, customs, market, counters, i, before, provider):
    """Let contacts, promotions, clubs and stocks leave their traces, and decide who refers and who suggests."""
    who = columns.id[i]
    if customs.on_promotion_sensitivity:
        dealings.sensitised[i] = sensitised(
            dealings.sensitised[i], promoted(market), customs.promotion_growth, customs.promotion_decay
        )
    if customs.on_contact_fatigue:
        received = ZERO
        if before > 0:
            received = contacts_received(market.contacts[before - 1], uniform(market.contact_key, who))
        dealings.recent[i] = dealings.recent[i] * (ONE - customs.fatigue_fading) + received
    if customs.on_loyalty_card:
        for j in range(market.price.size):
            if provider != j + 1:
                dealings.points[j, i] = dealings.points[j, i] * (ONE - customs.loyalty_card_expiry)
            elif market.conduct[j, CLUB] > ZERO:
                grown = customs.loyalty_card_belonging * market.conduct[j, CLUB]
                columns.attachment[j, i] = columns.attachment[j, i] + grown * (ONE - columns.attachment[j, i])
    dealings.refers[i] = np.uint8(0)
    if customs.on_favours:
        dealings.favoured[i] = dealings.favoured[i] * (ONE - customs.reciprocity_fading)
        if provider > 0 and provider == before:
            favour(columns, dealings, customs, market, counters, i, provider - 1)
    if provider > 0:
        if customs.on_screening and provider == before:
            review(columns, dealings, customs, market, counters, i, provider - 1)
        if customs.on_referral:
            refer(columns, dealings, customs, market, counters, i, provider - 1)
        if customs.on_listening:
            if uniform(market.deal_keys[SUGGESTION], who) < customs.fit_suggestions:
                counters.counted[provider - 1, SUGGESTIONS] += 1


@part
def favour(columns, dealings, customs, market, counters, i, j):
    """Let firm `j` do its customer a favour that was not to be expected (course S66)."""
    if uniform(market.deal_keys[FAVOUR], columns.id[i]) >= market.conduct[j, FAVOURS]:
        return
    worth = market.conduct[j, FAVOUR_WORTH]
    columns.attachment[j, i] = obliged(
        columns.attachment[j, i], worth, customs.reciprocity_scale, dealings.favoured[i], customs.reciprocity_bond
    )
    dealings.favoured[i] = dealings.favoured[i] + ONE
    counters.counted[j, FAVOURS_DONE] += 1
    charge(counters, j, COST, worth, market.money_unit)


@part
def refer(columns, dealings, customs, market, counters, i, j):
    """Decide whether a customer of firm `j` refers somebody (E20)."""
    who = columns.id[i]
    care = market.conduct[j, CARE]
    liked = columns.satisfaction[i]
    cared = False
    if care > ZERO:
        # Targeting picks by who is well connected and satisfied: about as many people as without it where spread and
        # satisfaction are usual, fewer where customers are less satisfied.
        luck = uniform(market.deal_keys[CARING], who)
        good = dealings.sociability[i] * liked
        cared = luck < care
        if market.conduct[j, TARGETED] > ZERO:
            chance = care * good * good * TARGET_GAIN
            cared = luck < chance
        if cared:
            charge(counters, j, COST, market.conduct[j, CARE_COST], market.money_unit)
    willing = willingness(dealings.referrer[i], market.conduct[j, REWARD], customs.referral_reward_scale, cared, liked)
    chance = referring(
        customs.referral_rate,
        columns.attachment[j, i],
        liked,
        dealings.sociability[i],
        willing,
        customs.referral_care if cared else ONE,
    )
    refers = uniform(market.deal_keys[REFERRAL], who) < chance
    dealings.refers[i] = np.uint8(refers)
    counters.counted[j, REFERRERS] += np.int64(refers)

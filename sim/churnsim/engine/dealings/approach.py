"""Before the choice: what reaches a customer, and what dealings make each firm worth to it."""

from __future__ import annotations

import numpy as np

from churnsim.engine.dealings.credit import suspicion
from churnsim.engine.dealings.offers import bargain, charge, let_offers_run, save, soothe, taken_off, win_back
from churnsim.engine.dealings.people import persons_known
from churnsim.engine.dealings.state import (
    ASSIGNMENT,
    AWARENESS,
    CARD,
    DESTINATION,
    ETHICS_TERM,
    NEED,
    NOVELTY,
    OFFER,
    ORDER,
    PERSON_1,
    PLACE,
    PRODUCT,
    QUITTING,
    REFERENCE_TERM,
    REPLACED_1,
    SCREEN,
    SENSITIVITY,
    STAFF_TIES,
    TECHNOLOGY_TERM,
)
from churnsim.engine.dealings.stock import shopping
from churnsim.engine.levers import (
    ADVERTISE,
    ALARM,
    COURTESY,
    COVERAGE,
    ELITE_SHARE,
    ENQUIRY_COST,
    FIT,
    IMAGE,
    KINSHIP,
    KNOWN_SHARE,
    LISTEN,
    PERKS,
    PREPAYMENT,
    PROMISE,
    QUIT_HAZARD,
    REMIND,
    REWARD_AT,
    STAFF,
    TECHNOLOGY,
)
from churnsim.mechanisms.acquisition import becomes_aware
from churnsim.mechanisms.arithmetic import ONE, ZERO
from churnsim.mechanisms.attachment import receptiveness
from churnsim.mechanisms.attention import price_above
from churnsim.mechanisms.involuntary import CREDIT, LAPSE, NEED_END, NONE, involuntary_exit
from churnsim.mechanisms.loyalty_card import points_worth
from churnsim.mechanisms.needs import attribute_value, boredom, sensitivity_term, stage_of
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.value import transaction_utility
from churnsim.randomness import below, uniform

COST = PLACE["cost"]
OFFERS, SAVE_OFFERS = PLACE["offers"], PLACE["save_offers"]
REACHED, THREATS = PLACE["reached"], PLACE["threats"]
ORDERS_LOST, LAPSES_PREVENTED = PLACE["orders_lost"], PLACE["lapses_prevented"]
LEFT_WITH_EMPLOYEE, NEEDS_MET = PLACE["left_with_employee"], PLACE["needs_met"]
PERSONS = 3
LONGEST = np.int16(32000)


@part
def approach(columns, dealings, parameters, customs, market, counters, i):
    """Let firms, employees and the calendar reach customer `i` before it chooses.

    Writes of the customer's own rows only; everything is read as it stood at the tick's start.
    """
    provider = np.int64(columns.provider[i])
    dealings.before[i] = np.int8(provider)
    dealings.spell[i] = columns.tenure[i]
    dealings.knew[i] = columns.known[i]
    dealings.content[i] = columns.satisfaction[i]
    if customs.on_employees:
        follow_employees(columns, dealings, parameters, customs, market, counters, i, provider)
    if customs.on_life_cycle:
        grow_older(columns, dealings, customs, market, counters, i, provider)
    if customs.on_buying_centre:
        answer(columns, dealings, customs, market, counters, i, provider)
    if customs.on_acquisition:
        get_about(columns, dealings, customs, market, counters, i)
    let_offers_run(dealings, i)
    stirred = dealings.upset[i]
    if customs.on_win_back:
        stirred = stirred + win_back(columns, dealings, parameters, customs, market, counters, i, provider)
    if customs.on_save_offers and provider > 0:
        stirred = stirred + save(columns, dealings, parameters, customs, market, counters, i, provider)
    if customs.on_bargaining and provider > 0:
        stirred = stirred + bargain(columns, dealings, customs, market, counters, i, provider)
    if customs.on_commitment and provider > 0:
        stirred = stirred - customs.commitment_resistance * columns.attachment[provider - 1, i]
    if customs.offers_counted > ZERO and provider > 0:
        stirred = stirred - spared(columns, dealings, parameters, customs, market, i, provider)
    dealings.stirred[i] = stirred
    dealings.receptive[i] = ONE
    if customs.on_contact_fatigue:
        dealings.receptive[i] = receptiveness(
            dealings.recent[i], customs.fatigue_limit, dealings.bonded[i], customs.fatigue_bond
        )
    dealings.chance[i] = shopping(columns, dealings, customs, market, i)
    dealings.leaving[i] = exit_of(columns, dealings, parameters, customs, market, counters, i, provider)
    value_dealings(columns, dealings, parameters, customs, market, i, provider)


@part
def spared(columns, dealings, parameters, customs, market, i, provider):
    """Return by how much an offer in force keeps the provider's price from stirring customer `i`, in log-odds."""
    home = provider - 1
    price, reference = market.price[home], columns.reference[home, i]
    paid = price - taken_off(dealings, customs, market, i, home, provider)
    return parameters.trigger_rise * (price_above(price, reference) - price_above(paid, reference))


@part
def exit_of(columns, dealings, parameters, customs, market, counters, i, provider):
    """Return the involuntary exit of the tick (E25), with reminders, ended needs, debts and silence."""
    who = columns.id[i]
    luck = uniform(market.involuntary_key, who)
    natural, lapse, credit = parameters.hazard_natural, parameters.hazard_lapse, parameters.hazard_credit
    is_open = provider == 0 or market.open[provider - 1]
    if customs.on_screening:
        credit = ZERO  # who does not pay is told apart below
    if customs.on_reminders and provider > 0:
        reminded = lapse * (ONE - market.conduct[provider - 1, REMIND])
        if luck >= natural + reminded and luck < natural + lapse:
            counters.counted[provider - 1, LAPSES_PREVENTED] += 1
            luck = ONE  # no exit at all; bad debts keep their own part of the luck
    kind = involuntary_exit(luck, natural, lapse, credit, provider > 0, is_open)
    if kind == NONE and customs.on_life_cycle and dealings.age[i] >= customs.life_cycle_length:
        kind = NEED_END
    if kind == NONE and customs.on_screening and provider > 0:
        if (dealings.defaulted[i] >> (provider - 1)) & 1 == 1:
            kind = CREDIT
    if kind == NONE and customs.on_buying_centre and provider > 0 and dealings.silence[i] > 0:
        wants = uniform(market.opportunity_key, who) < dealings.chance[i]
        if wants and uniform(market.deal_keys[ORDER], who) < customs.buying_centre_lost:
            counters.counted[provider - 1, ORDERS_LOST] += 1
            kind = LAPSE
    return kind


@part
def follow_employees(columns, dealings, parameters, customs, market, counters, i, provider):
    """Let the attachment that belongs to an employee go with the employee who quits (E28)."""
    who = columns.id[i]
    fades = ONE - parameters.attachment_decay
    for j in range(market.price.size):
        dealings.terms[STAFF_TIES, j, i] = dealings.terms[STAFF_TIES, j, i] * fades
    if provider == 0:
        return
    home = provider - 1
    staff = np.int64(market.conduct[home, STAFF])
    employee = np.uint32(below(market.firm_keys[home, ASSIGNMENT], who, staff))
    if uniform(market.firm_keys[home, QUITTING], employee) >= market.stocks[home, QUIT_HAZARD]:
        return
    taken = customs.employees_owned * columns.attachment[home, i]
    columns.attachment[home, i] = columns.attachment[home, i] - taken
    dealings.terms[STAFF_TIES, home, i] = dealings.terms[STAFF_TIES, home, i] - taken
    counters.counted[home, LEFT_WITH_EMPLOYEE] += 1
    rivals = market.price.size - 1
    goes = uniform(market.firm_keys[home, DESTINATION], employee)
    if rivals > 0 and goes < customs.employees_joins_rival:
        nth = min(np.int64(goes / customs.employees_joins_rival * np.float32(rivals)), rivals - 1)
        rival = nth + 1 if nth >= home else nth
        if market.open[rival]:
            brought = customs.employees_carried * taken * (ONE - columns.attachment[rival, i])
            columns.attachment[rival, i] = columns.attachment[rival, i] + brought
            dealings.terms[STAFF_TIES, rival, i] = dealings.terms[STAFF_TIES, rival, i] + brought


@part
def grow_older(columns, dealings, customs, market, counters, i, provider):
    """Let the need go on, and the provider find out what its stage needs (course S100, S101)."""
    age = dealings.age[i]
    dealings.age[i] = np.int16(age + 1) if age < LONGEST else age
    stage = stage_of(age, customs.life_cycle_length, customs.life_cycle_stages)
    if provider > 0 and dealings.helped[i] != stage + 1:
        listens = market.conduct[provider - 1, LISTEN]
        if uniform(market.deal_keys[NEED], columns.id[i]) < listens:
            dealings.helped[i] = np.int16(stage + 1)
            counters.counted[provider - 1, NEEDS_MET] += 1


@part
def answer(columns, dealings, customs, market, counters, i, provider):
    """Let contact persons leave and be replaced, and the provider answer, or fall silent (course S21, S94)."""
    who = columns.id[i]
    persons, met = np.int64(dealings.persons[i]), np.int64(dealings.met[i])
    for n in range(PERSONS):
        bit = 1 << n
        if persons & bit:
            if uniform(market.deal_keys[PERSON_1 + n], who) < customs.buying_centre_leaves:
                persons &= ~bit
                met &= ~bit
        elif uniform(market.deal_keys[REPLACED_1 + n], who) < customs.buying_centre_replaced:
            persons |= bit
    if provider > 0:
        home = provider - 1
        coverage = market.conduct[home, COVERAGE]
        known = np.int64(persons_known(coverage))
        alarm = market.conduct[home, ALARM]
        somebody = (met & persons) != 0
        alarmed = alarm > ZERO and np.float32(dealings.silence[i]) >= alarm
        if somebody or alarmed:
            # Whoever is met introduces the others, as far as the firm looks after them.
            met = persons & known
            if alarmed and met == 0:
                met = persons
        silent = (met & persons) == 0
        waited = np.int64(dealings.silence[i]) + 1
        dealings.silence[i] = np.int16(min(waited, np.int64(LONGEST))) if silent else np.int16(0)
        charge(counters, home, COST, market.conduct[home, ENQUIRY_COST] * coverage, market.money_unit)
    dealings.persons[i], dealings.met[i] = np.uint8(persons), np.uint8(met)


@part
def get_about(columns, dealings, customs, market, counters, i):
    """Let firms become known (E21)."""
    who = columns.id[i]
    aware = np.int64(dealings.aware[i])
    for j in range(market.price.size):
        if market.open[j] and (aware >> j) & 1 == 0:
            chance = becomes_aware(
                customs.acquisition_innovation,
                customs.acquisition_imitation,
                market.stocks[j, KNOWN_SHARE],
                market.conduct[j, ADVERTISE],
                customs.acquisition_advertising,
            )
            if uniform(market.firm_keys[j, AWARENESS], who) < chance:
                aware |= 1 << j
                counters.counted[j, REACHED] += 1
    dealings.aware[i] = np.uint8(aware)


@part
def value_dealings(columns, dealings, parameters, customs, market, i, provider):
    """Work out what dealings add to each firm's value, in money, and which firms cannot be chosen."""
    who = columns.id[i]
    barred = np.int64(dealings.defaulted[i]) if customs.on_screening else 0
    if customs.on_acquisition:
        barred |= ~np.int64(dealings.aware[i])
    for j in range(market.price.size):
        mine = provider == j + 1
        price, attached = market.price[j], columns.attachment[j, i]
        paid = price - taken_off(dealings, customs, market, i, j, provider)
        dealings.terms[REFERENCE_TERM, j, i] = ZERO
        if paid != price:
            reference, gain, loss = columns.reference[j, i], parameters.gain_weight, parameters.loss_aversion
            dealings.terms[REFERENCE_TERM, j, i] = transaction_utility(
                reference, paid, gain, loss
            ) - transaction_utility(reference, price, gain, loss)
        if customs.on_promotion_sensitivity:
            dealings.terms[SENSITIVITY, j, i] = sensitivity_term(
                dealings.sensitised[i],
                columns.price_weight[i],
                dearer_than_usual(columns, market, i, paid),
                attached,
                customs.promotion_offset,
            )
        if customs.on_innovation:
            dealings.terms[TECHNOLOGY_TERM, j, i] = dealings.technology_value[i] * market.stocks[j, TECHNOLOGY]
        if customs.on_ethics:
            kinship = customs.ethics_kinship * market.conduct[j, KINSHIP] if dealings.kindred[i] else ZERO
            dealings.terms[ETHICS_TERM, j, i] = dealings.ethics_value[i] * market.stocks[j, IMAGE] + kinship
        if customs.on_failure:
            soothe(dealings, i, j, ONE - customs.failure_forgetting)
        if customs.on_loyalty_card:
            worth = points_worth(
                dealings.points[j, i],
                market.conduct[j, REWARD_AT],
                customs.loyalty_card_weight,
                customs.loyalty_card_pressure,
            )
            elite = dealings.rank[i] >= ONE - market.conduct[j, ELITE_SHARE]
            dealings.terms[CARD, j, i] = worth + (
                customs.loyalty_card_perks * market.conduct[j, PERKS] if elite else ZERO
            )
        special = dealings.offer_worth[i] if dealings.offer_from[i] == j + 1 else ZERO
        if mine:
            special = special + dealings.discount[i] * columns.price_weight[i] * price
        if customs.on_screening:
            special = special - customs.credit_friction * market.conduct[j, PREPAYMENT] * price
            if uniform(market.firm_keys[j, SCREEN], who) < suspicion(dealings, customs, market, i, j):
                barred |= 1 << j
        dealings.terms[OFFER, j, i] = special
        dealings.terms[PRODUCT, j, i] = product_term(columns, dealings, customs, market, i, j, mine)
        if customs.on_variety:
            tired = boredom(dealings.novelty_value[i], np.float32(columns.tenure[i]), customs.variety_time)
            dealings.terms[NOVELTY, j, i] = -tired if mine else ZERO
        if mine:
            barred &= ~(1 << j)
    dealings.barred[i] = np.uint8(barred & 255)


@part
def dearer_than_usual(columns, market, i, price):
    """Return by how much a price exceeds what customer `i` is used to pay, in money.

    What is usual is the mean of its reference prices at the open firms. Sums are made in double precision, where they
    are exact, so that the order of firms does not matter and the usual price is worth exactly nothing.
    """
    total, trading = np.float64(0), 0
    for k in range(market.price.size):
        if market.open[k]:
            total = total + np.float64(price) - np.float64(columns.reference[k, i])
            trading += 1
    return np.float32(total / trading) if trading > 0 else ZERO


@part
def product_term(columns, dealings, customs, market, i, j, mine):
    """Return what fit, promises and the attributes that count add to firm `j`'s product, in money."""
    theta = columns.quality_value[i]
    worth = ZERO
    if customs.on_listening:
        worth = worth + customs.fit_value * market.stocks[j, FIT]
    if customs.on_promises and (columns.known[i] >> j) & 1 == 0:
        worth = worth + theta * market.conduct[j, PROMISE]
    if customs.on_life_cycle and mine and dealings.helped[i] > 0:
        stage = stage_of(dealings.age[i] - 1, customs.life_cycle_length, customs.life_cycle_stages)
        if dealings.helped[i] == stage + 1:
            worth = worth + customs.life_cycle_help
    if customs.on_attribute_weights:
        belief = columns.belief[j, i]
        counts = attribute_value(
            columns.satisfaction[i],
            customs.attributes_sharpness,
            belief,
            market.conduct[j, COURTESY],
            market.stocks[j, FIT],
        )
        worth = worth + theta * (counts - belief)
    return worth

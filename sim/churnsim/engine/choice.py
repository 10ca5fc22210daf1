"""The choice phase: involuntary exits, purchase occasions, attention, and choice."""

from __future__ import annotations

import numpy as np

from churnsim.engine.kernel import kernel
from churnsim.engine.state import NO_PURCHASE
from churnsim.mechanisms.arithmetic import ZERO, gumbel
from churnsim.mechanisms.attention import attention, price_above, price_below
from churnsim.mechanisms.involuntary import NATURAL, NONE, involuntary_exit
from churnsim.mechanisms.rule import rule
from churnsim.mechanisms.value import (
    cue_value,
    firm_value,
    moving_cost,
    quality_value,
    termination_barrier,
    transaction_utility,
)
from churnsim.randomness import uniform


@rule
def contacts_received(market, firm, who):
    """Return how many contacts a firm's customer receives this tick; the fraction is a matter of luck."""
    whole = np.floor(market.contacts[firm])
    extra = uniform(market.contact_key, who) < market.contacts[firm] - whole
    return whole + np.float32(extra)


@rule
def stirred(columns, parameters, market, i, provider):
    """Return the sum of the triggers that stir customer `i` this tick, in log-odds (E11)."""
    triggers = ZERO
    deepest = ZERO
    for j in range(market.price.size):
        if provider == j + 1:
            triggers = triggers + parameters.trigger_rise * price_above(market.price[j], columns.reference[j, i])
            length = parameters.termination_on * market.contract_length[columns.anchor_row[i], j]
            if length > ZERO and np.float32(columns.tenure[i]) == length:
                triggers = triggers + parameters.trigger_expiry
            if contacts_received(market, j, columns.id[i]) > ZERO:
                triggers = triggers + parameters.trigger_contact
        elif market.open[j]:
            deepest = max(deepest, price_below(market.price[j], columns.reference[j, i]))
    return triggers + parameters.trigger_cut * deepest


@rule
def option_value(columns, parameters, market, i, provider, option):
    """Return what `option` is worth to customer `i`, less the cost of taking it, in money (docs/model.md, decision)."""
    if option == 0:
        value = parameters.outside_value
    else:
        j = option - 1
        known = (columns.known[i] >> j) & 1 == 1
        value = firm_value(
            quality_value(columns.belief[j, i], columns.quality_value[i], parameters.core_floor),
            market.price[j],
            columns.price_weight[i],
            transaction_utility(
                columns.reference[j, i], market.price[j], parameters.gain_weight, parameters.loss_aversion
            ),
            columns.attachment[j, i],
            parameters.attachment_value,
            columns.taste[j, i],
            cue_value(market.cue[j], columns.quality_value[i], known),
        )
    if option == provider:
        return value + parameters.sunk_weight * columns.sunk[i] if provider > 0 else value
    barrier = ZERO
    if provider > 0:
        left = provider - 1
        signed = columns.anchor_row[i]  # a contract has the terms of the tick in which it was signed
        barrier = parameters.termination_on * termination_barrier(
            market.contract_fee[signed, left], market.contract_length[signed, left], np.float32(columns.tenure[i])
        )
    known = option > 0 and (columns.known[i] >> (option - 1)) & 1 == 1
    return value - moving_cost(
        parameters.switching_on * columns.switching_cost[i],
        parameters.transaction_on * columns.transaction_cost[i],
        barrier,
        provider > 0,
        option > 0,
        known,
    )


@rule
def best_option(columns, parameters, market, i, provider):
    """Return the option of highest utility; a tie goes to the present one, then to the first."""
    who = columns.id[i]
    best = provider
    highest = option_value(columns, parameters, market, i, provider, provider) + parameters.noise * gumbel(
        uniform(market.option_keys[market.row, provider], who)
    )
    for option in range(market.price.size + 1):
        if option == provider or (option > 0 and not market.open[option - 1]):
            continue
        utility = option_value(columns, parameters, market, i, provider, option) + parameters.noise * gumbel(
            uniform(market.option_keys[market.row, option], who)
        )
        if utility > highest:
            highest = utility
            best = option
    return best


@kernel
def choose(columns, parameters, market, counters, low, high):
    """Let the customers of rows `low` to `high` stay, defect, leave the market or come back.

    Reads the state at the tick's start; writes `choice`, `following` and `exit` only.
    """
    for i in range(low, high):
        who = columns.id[i]
        provider = np.int64(columns.provider[i])
        leaving = involuntary_exit(
            uniform(market.involuntary_key, who),
            parameters.hazard_natural,
            parameters.hazard_lapse,
            parameters.hazard_credit,
            provider > 0,
            provider == 0 or market.open[provider - 1],
        )
        choice = np.int64(NO_PURCHASE)
        following = provider
        if leaving != NONE:
            following = np.int64(0)
            counters.exits[provider, leaving] += 1
        elif uniform(market.opportunity_key, who) < columns.opportunity[i]:
            looks = not parameters.attention_on or uniform(market.attention_key, who) < attention(
                columns.satisfaction[i],
                parameters.attention_base,
                parameters.attention_slope,
                stirred(columns, parameters, market, i, provider),
            )
            if looks:
                following = best_option(columns, parameters, market, i, provider)
            choice = following
            counters.purchases[choice] += 1
        columns.choice[i] = np.int8(choice)
        columns.following[i] = np.int8(following)
        columns.exit[i] = np.uint8(leaving)
        if following != provider:
            counters.flows[provider, following] += 1
            if following > 0:
                bit = 1 << (following - 1)
                if columns.known[i] & bit:
                    counters.returned[following - 1] += 1
                if columns.lost_at_start[i] & bit:
                    counters.cohort_returned[following - 1] += 1
        elif leaving == NATURAL:
            counters.flows[provider, following] += 1

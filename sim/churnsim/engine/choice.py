"""The choice phase: involuntary exits, purchase occasions, attention, choice, and why firms are left."""

from __future__ import annotations

import numpy as np

from churnsim.engine.batches import counters_of, market_of, parameters_at
from churnsim.engine.departures import account_for, fetch_reasons
from churnsim.engine.kernel import kernel
from churnsim.engine.state import NO_PURCHASE
from churnsim.engine.tiles import (
    TILE,
    draw,
    fetch_ahead,
    fill,
    find_places,
    listed,
    number,
    option_of,
    pack,
    select,
    stack,
    store,
)
from churnsim.engine.valuation import dealt_value
from churnsim.mechanisms.arithmetic import ZERO, gumbel
from churnsim.mechanisms.attachment import contacts_received
from churnsim.mechanisms.attention import attention, price_above, price_below, triggers
from churnsim.mechanisms.involuntary import NONE, gone_for_good, involuntary_exit
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.value import (
    cue_value,
    firm_value,
    moving_cost,
    quality_value,
    termination_barrier,
    transaction_utility,
)

BELOW_ALL = -np.float32(np.inf)


@part
def find_exits(leaving, provider, parameters, market, places, n):
    """Find which involuntary exit befalls each customer (E25)."""
    luck = stack(TILE, np.float32)
    served = stack(TILE, np.bool_)
    draw(luck, market.involuntary_key, places, n)
    fill(served, True, n)
    for j in range(market.price.size):
        if not market.open[j]:
            mine = option_of(j)
            for k in range(n):
                served[k] = served[k] & (provider[k] != mine)
    for k in range(n):
        leaving[k] = involuntary_exit(
            luck[k],
            parameters.hazard_natural,
            parameters.hazard_lapse,
            parameters.hazard_credit,
            provider[k] > 0,
            served[k],
        )


@part
def find_contacts(contacts, provider, market, places, n):
    """Find how many contacts each firm's customers receive this tick; return whether there are any."""
    luck = stack(TILE, np.float32)
    fill(contacts, ZERO, n)
    some, drawn = False, False
    for j in range(market.price.size):
        wished = market.contacts[j]
        if wished > ZERO:
            some = True
            if wished > np.floor(wished) and not drawn:
                draw(luck, market.contact_key, places, n)
                drawn = True
            mine = option_of(j)
            for k in range(n):
                received = contacts_received(wished, luck[k])
                contacts[k] = select(provider[k] == mine, received, contacts[k])
    return some


@part
def find_barriers(barrier, provider, columns, parameters, market, low, n):
    """Find what each customer would pay for leaving a running contract (E18)."""
    fill(barrier, ZERO, n)
    if market.contracts and parameters.termination_on > ZERO:
        signed = columns.anchor_row[low : low + n]  # a contract has the terms of the tick in which it was signed
        tenure = columns.tenure[low : low + n]
        for k in range(n):
            if provider[k] > 0:
                left = np.int64(provider[k]) - 1
                barrier[k] = parameters.termination_on * termination_barrier(
                    market.contract_fee[signed[k], left],
                    market.contract_length[signed[k], left],
                    np.float32(tenure[k]),
                )


@part
def find_triggers(stirred, provider, columns, parameters, market, places, low, n):
    """Find what has stirred each customer this tick, in log-odds (E11)."""
    rise = stack(TILE, np.float32)
    deepest = stack(TILE, np.float32)
    expired = stack(TILE, np.bool_)
    contacts = stack(TILE, np.float32)
    fill(rise, ZERO, n)
    fill(deepest, ZERO, n)
    fill(expired, False, n)
    for j in range(market.price.size):
        reference = columns.reference[j, low : low + n]
        price = market.price[j]
        is_open = market.open[j]
        own = option_of(j)
        for k in range(n):
            mine = provider[k] == own
            rise[k] = select(mine, price_above(price, reference[k]), rise[k])
            below = price_below(price, reference[k])
            deepest[k] = select(is_open & (not mine) & (below > deepest[k]), below, deepest[k])
    if market.contracts and parameters.termination_on > ZERO:
        signed = columns.anchor_row[low : low + n]
        tenure = columns.tenure[low : low + n]
        for k in range(n):
            if provider[k] > 0:
                length = market.contract_length[signed[k], np.int64(provider[k]) - 1]
                expired[k] = length > ZERO and np.float32(tenure[k]) == length
    find_contacts(contacts, provider, market, places, n)
    for k in range(n):
        stirred[k] = triggers(
            rise[k],
            expired[k],
            contacts[k] > ZERO,
            deepest[k],
            parameters.trigger_rise,
            parameters.trigger_expiry,
            parameters.trigger_contact,
            parameters.trigger_cut,
        )


@part
def add_dealings(noise, dealings, j, looking, found, low):
    """Add to the luck with firm `j` what dealings make it worth; a firm that cannot be chosen is worth nothing."""
    for k in range(found):
        i = low + looking[k]
        noise[looking[k]] = noise[looking[k]] + dealt_value(dealings, i, j)


@part
def find_best(best, margin, looking, found, provider, columns, dealings, parameters, market, places, low, n):
    """Find the option of highest utility for each customer; a tie goes to the present one, then to the first.

    `margin` becomes by how much it is better than the present one. Luck is drawn for the `found` customers
    listed in `looking` only; for the others the answer means nothing.
    """
    barrier = stack(TILE, np.float32)
    highest = stack(TILE, np.float32)
    present = stack(TILE, np.float32)
    noise = stack(TILE, np.float32)
    packed = stack(TILE, np.uint64)
    luck = stack(TILE, np.float32)
    find_barriers(barrier, provider, columns, parameters, market, low, n)
    pack(packed, places, looking, found)
    store(best, provider, n)
    fill(highest, BELOW_ALL, n)
    fill(noise, ZERO, n)
    for option in range(market.price.size + 1):
        if option > 0 and not market.open[option - 1]:
            continue
        draw(luck, market.option_keys[market.row, option], packed, found)
        for k in range(found):
            luck[k] = parameters.noise * gumbel(luck[k])
        for k in range(found):
            noise[looking[k]] = luck[k]
        if option > 0 and dealings.chance.size > 0:
            add_dealings(noise, dealings, option - 1, looking, found, low)
        if option == 0:
            outside_utilities(best, highest, present, noise, barrier, provider, columns, parameters, low, n)
        else:
            firm_utilities(
                best, highest, present, noise, barrier, provider, columns, parameters, market, option - 1, low, n
            )
    for k in range(n):
        margin[k] = highest[k] - present[k]


@part
def better(utility, highest, option, provider):
    """Return whether an option takes the lead over those before it."""
    return (utility > highest) | ((utility == highest) & (option == provider))


@part
def outside_utilities(best, highest, present, noise, barrier, provider, columns, parameters, low, n):
    """Compare staying away with the options so far."""
    switching = columns.switching_cost[low : low + n]
    transaction = columns.transaction_cost[low : low + n]
    for k in range(n):
        moves = parameters.outside_value - moving_cost(
            parameters.switching_on * switching[k],
            parameters.transaction_on * transaction[k],
            barrier[k],
            provider[k] > 0,
            False,
            False,
            False,  # who is with a firm is no newcomer
        )
        utility = select(provider[k] == 0, parameters.outside_value, moves) + noise[k]
        leads = better(utility, highest[k], np.int8(0), provider[k])
        present[k] = utility
        highest[k] = select(leads, utility, highest[k])
        best[k] = select(leads, np.int8(0), best[k])


@part
def firm_utilities(best, highest, present, noise, barrier, provider, columns, parameters, market, j, low, n):
    """Compare firm `j` with the options so far."""
    option = option_of(j)
    high = low + n
    experienced = columns.known[low:high]
    theta = columns.quality_value[low:high]
    weight = columns.price_weight[low:high]
    switching = columns.switching_cost[low:high]
    transaction = columns.transaction_cost[low:high]
    sunk = columns.sunk[low:high]
    belief = columns.belief[j, low:high]
    reference = columns.reference[j, low:high]
    attachment = columns.attachment[j, low:high]
    taste = columns.taste[j, low:high]
    price = market.price[j]
    cue = market.cue[j]
    bit = np.uint8(1 << j)
    for k in range(n):
        known = (experienced[k] & bit) != 0
        value = firm_value(
            quality_value(belief[k], theta[k], parameters.core_floor),
            price,
            weight[k],
            transaction_utility(reference[k], price, parameters.gain_weight, parameters.loss_aversion),
            attachment[k],
            parameters.attachment_value,
            taste[k],
            cue_value(cue, theta[k], known),
        )
        stays = value + parameters.sunk_weight * sunk[k]
        moves = value - moving_cost(
            parameters.switching_on * switching[k],
            parameters.transaction_on * transaction[k],
            barrier[k],
            provider[k] > 0,
            True,
            known,
            experienced[k] == 0,
        )
        utility = select(provider[k] == option, stays, moves) + noise[k]
        leads = better(utility, highest[k], option, provider[k])
        present[k] = select(provider[k] == option, utility, present[k])
        highest[k] = select(leads, utility, highest[k])
        best[k] = select(leads, option, best[k])


@part
def fetch_choice(columns, row):
    """Ask for what the choice of the customers from `row` on reads."""
    fetch_ahead(columns.id, row)
    fetch_ahead(columns.opportunity, row)
    fetch_ahead(columns.satisfaction, row)
    fetch_ahead(columns.quality_value, row)
    fetch_ahead(columns.price_weight, row)
    fetch_ahead(columns.switching_cost, row)
    fetch_ahead(columns.transaction_cost, row)
    fetch_ahead(columns.sunk, row)
    for j in range(columns.belief.shape[0]):
        fetch_ahead(columns.reference[j], row)
        fetch_ahead(columns.belief[j], row)
        fetch_ahead(columns.attachment[j], row)
        fetch_ahead(columns.taste[j], row)


@part
def choose_tile(columns, dealings, sets, parameters, market, counters, low, n):
    """Let `n` customers from row `low` on stay, defect, leave the market or come back; explain who leaves a firm."""
    high = low + n
    provider = columns.provider[low:high]
    opportunity = columns.opportunity[low:high]
    places = stack(TILE, np.uint64)
    luck = stack(TILE, np.float32)
    leaving = stack(TILE, np.uint8)
    occasion = stack(TILE, np.bool_)
    looks = stack(TILE, np.bool_)
    rows = stack(TILE, np.int64)
    best = stack(TILE, np.int8)
    choice = stack(TILE, np.int8)
    following = stack(TILE, np.int8)
    margin = stack(TILE, np.float32)
    fetch_choice(columns, high)
    find_places(places, columns.id[low:high], n)
    chance = opportunity
    if dealings.chance.size > 0:
        store(leaving, dealings.leaving[low:high], n)
        chance = dealings.chance[low:high]
    else:
        find_exits(leaving, provider, parameters, market, places, n)
    draw(luck, market.opportunity_key, places, n)
    for k in range(n):
        occasion[k] = (leaving[k] == NONE) & (luck[k] < chance[k])
        looks[k] = occasion[k]
    if parameters.attention_on:
        stirred = stack(TILE, np.float32)
        satisfaction = columns.satisfaction[low:high]
        find_triggers(stirred, provider, columns, parameters, market, places, low, n)
        if dealings.chance.size > 0:
            for k in range(n):
                stirred[k] = stirred[k] + dealings.stirred[low + k]
        draw(luck, market.attention_key, places, n)
        for k in range(n):
            chance = attention(satisfaction[k], parameters.attention_base, parameters.attention_slope, stirred[k])
            looks[k] = looks[k] & (luck[k] < chance)
    found = listed(looks, rows, n)
    find_best(best, margin, rows, found, provider, columns, dealings, parameters, market, places, low, n)
    store(columns.looked[low:high], looks, n)
    for k in range(n):
        taken = select(looks[k], best[k], provider[k])
        choice[k] = select(occasion[k], taken, np.int8(NO_PURCHASE))
        following[k] = select(leaving[k] != NONE, np.int8(0), select(occasion[k], taken, provider[k]))
    for option in range(market.price.size + 1):
        bought = np.int8(option)
        for k in range(n):
            looks[k] = choice[k] == bought
        counters.purchases[option] += number(looks, n)
    store(columns.choice[low:high], choice, n)
    store(columns.following[low:high], following, n)
    store(columns.exit[low:high], leaving, n)
    for k in range(n):
        looks[k] = (following[k] != provider[k]) | (leaving[k] != NONE)
    moved = listed(looks, rows, n)
    for m in range(moved):
        fetch_reasons(columns, low + rows[m])
    for m in range(moved):
        i = low + rows[m]
        count_move(columns, counters, i)
        if leaving[rows[m]] == NONE and provider[rows[m]] > 0:
            account_for(columns, dealings, sets, parameters, market, counters, i, margin[rows[m]])


@part
def count_move(columns, counters, i):
    """Count the move of customer `i`, who leaves somewhere or something."""
    provider = np.int64(columns.provider[i])
    following = np.int64(columns.following[i])
    leaving = columns.exit[i]
    if leaving != NONE:
        counters.exits[provider, leaving] += 1
    if following != provider or gone_for_good(leaving):
        counters.flows[provider, following] += 1
    if following > 0 and following != provider:
        bit = 1 << (following - 1)
        if columns.known[i] & bit:
            counters.returned[following - 1] += 1
        if columns.lost_at_start[i] & bit:
            counters.cohort_returned[following - 1] += 1


@kernel
def choose(columns, dealings, sets, markets, counters, spans):
    """Let the customers of every span stay, defect, leave the market or come back, and explain departures.

    Reads the state at the tick's start; writes `choice`, `looked`, `following` and `exit` only. `spans` (s, 3) int64
    are market, first row and last row (excluded) of each; span s counts in place s of `counters`.
    """
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        counted = counters_of(counters, s)
        parameters = parameters_at(sets, market.parameter_set[market.row])
        for low in range(spans[s, 1], spans[s, 2], TILE):
            n = min(TILE, spans[s, 2] - low)
            choose_tile(columns, dealings, sets, parameters, market, counted, low, n)

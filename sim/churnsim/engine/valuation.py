"""What an option is worth to one customer, and why it was chosen: for the few whose choice is looked into."""

from __future__ import annotations

import numpy as np

from churnsim.engine.dealings.state import N_PLANES
from churnsim.mechanisms.arithmetic import ZERO, gumbel
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.value import (
    cue_value,
    firm_value,
    moving_cost,
    quality_value,
    termination_barrier,
    transaction_utility,
)
from churnsim.randomness import uniform

NOTHING = -np.float32(np.inf)
"""Worth of what cannot be chosen."""


@part
def option_value(columns, parameters, market, i, provider, option, barrier):
    """Return what `option` is worth to customer `i`, less the cost of taking it, in money (docs/model.md, decision).

    `barrier` is what leaving the present contract costs.
    """
    known = False
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
    stays = value + parameters.sunk_weight * columns.sunk[i] if provider > 0 else value
    moves = value - moving_cost(
        parameters.switching_on * columns.switching_cost[i],
        parameters.transaction_on * columns.transaction_cost[i],
        barrier,
        provider > 0,
        option > 0,
        known,
        columns.known[i] == 0,
    )
    return stays if option == provider else moves


@part
def barrier_of(columns, parameters, market, i):
    """Return what leaving the running contract, if any, would cost customer `i` (E18)."""
    provider = np.int64(columns.provider[i])
    if provider == 0:
        return ZERO
    signed = columns.anchor_row[i]  # a contract has the terms of the tick in which it was signed
    return parameters.termination_on * termination_barrier(
        market.contract_fee[signed, provider - 1],
        market.contract_length[signed, provider - 1],
        np.float32(columns.tenure[i]),
    )


@part
def dealt_value(dealings, i, j):
    """Return what dealings make firm `j` worth to customer `i`, in money; nothing at all if it cannot be chosen."""
    if (np.int64(dealings.barred[i]) >> j) & 1 == 1:
        return NOTHING
    worth = ZERO
    for plane in range(N_PLANES):
        worth = worth + dealings.terms[plane, j, i]
    return worth


@part
def added_to(luck, dealings, i, option):
    """Return the luck with an option together with what dealings make it worth, in money."""
    if option > 0 and dealings.chance.size > 0:
        return luck + dealt_value(dealings, i, option - 1)
    return luck


@part
def luck_of(columns, parameters, market, row, i, option):
    """Return the luck of customer `i` with an option in the tick of a history row, in money (E1)."""
    return parameters.noise * gumbel(uniform(market.option_keys[row, option], columns.id[i]))


@part
def margin_over(columns, dealings, parameters, market, i, taken, other):
    """Return by how much the option that customer `i` takes is better than another this tick, luck included, in money.

    The other may be the one that is left.
    """
    left = np.int64(columns.provider[i])
    barrier = barrier_of(columns, parameters, market, i)
    best = option_value(columns, parameters, market, i, left, taken, barrier)
    luck = luck_of(columns, parameters, market, market.row, i, taken)
    best = best + added_to(luck, dealings, i, taken)
    worth = option_value(columns, parameters, market, i, left, other, barrier)
    luck = luck_of(columns, parameters, market, market.row, i, other)
    return best - (worth + added_to(luck, dealings, i, other))

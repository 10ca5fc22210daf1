"""The attribution of departures: a sparse pass over the few customers who chose to leave.

A departure is explained against the moment when the customer took up with the firm. Had
nothing become worse since (at the firm, or better at the option taken), would the same customer,
with the same luck of this tick, have stayed? If so, what became worse is why, each change by its
share. If not, the departure is the customer's own wish for something else. Why this rule and
not the share of the luck itself: docs/decisions/0004-attribution.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from churnsim.engine.choice import option_value
from churnsim.engine.kernel import kernel
from churnsim.mechanisms.arithmetic import ONE, ZERO, gumbel, positive
from churnsim.mechanisms.attribution import chord, share
from churnsim.mechanisms.rule import rule
from churnsim.mechanisms.value import cue_value, quality_value, termination_barrier, transaction_utility
from churnsim.randomness import uniform

# Places of the terms; the order of churnsim.causes.CAUSES and ENABLERS.
PRICE, REFERENCE, CORE, CROWDING, WORD, NEGLECT = range(6)
RIVAL_PRICE, RIVAL_PROMOTION, RIVAL_REFERENCE, RIVAL_CUE, RIVAL_WORD, RIVAL_ATTACHMENT = range(6, 12)
OUTSIDE_OFFER, VARIETY = 12, 13
N_TERMS = 14
SUNK, SWITCHING, TRANSACTION, TERMINATION = range(4)
N_BARRIERS = 4


class History(NamedTuple):
    """What firms did in every tick so far, by history row."""

    price: np.ndarray  # float32 (rows, J), money
    cue: np.ndarray  # float32 (rows, J)
    promotion: np.ndarray  # bool (rows, J)
    contract_length: np.ndarray  # float32 (rows, J), ticks
    contract_fee: np.ndarray  # float32 (rows, J), money


@rule
def explain(columns, now, then, history, market, i, terms, barriers):
    """Split the departure of customer `i` into its terms, in money, and return its margin.

    Writes, for each term, by how much it moved ``U_k - U_c`` since the customer took up with c,
    where k is the option taken and c the firm left. Terms and barriers add up to the whole change.
    The margin is ``U_k - U_c`` itself, by which the option taken was the better one.

    Parameters
    ----------
    columns
        State at the tick's start, with the choice made.
    now, then
        Parameters in force in this tick and in the tick of the anchor.
    history
        What firms did, by history row.
    market
        What holds for all customers in this tick.
    i
        The customer's row.
    terms : (N_TERMS,) float32
        Written: the causes' terms.
    barriers : (N_BARRIERS,) float32
        Written: the enablers' terms.
    """
    who = columns.id[i]
    row = market.row
    option_keys = market.option_keys
    base = np.int64(columns.anchor_row[i])
    left = np.int64(columns.provider[i])
    c = left - 1
    taken = np.int64(columns.following[i])
    weight = columns.price_weight[i]
    theta = columns.quality_value[i]
    for m in range(N_TERMS):
        terms[m] = ZERO
    # The firm that is left: what became worse speaks for leaving.
    terms[PRICE] = weight * (history.price[row, c] - history.price[base, c])
    terms[REFERENCE] = transaction_utility(
        columns.anchor_reference[c, i], history.price[base, c], then.gain_weight, then.loss_aversion
    ) - transaction_utility(columns.reference[c, i], history.price[row, c], now.gain_weight, now.loss_aversion)
    value_now = quality_value(columns.belief[c, i], theta, now.core_floor)
    value_then = quality_value(columns.anchor_belief[c, i], theta, then.core_floor)
    slope = chord(value_now, value_then, columns.belief[c, i], columns.anchor_belief[c, i], theta)
    terms[CROWDING] = -slope * (columns.belief_crowding[c, i] - columns.anchor_crowding[c, i])
    terms[WORD] = -slope * (columns.belief_word[c, i] - columns.anchor_word[c, i])
    terms[CORE] = (value_then - value_now) - terms[CROWDING] - terms[WORD]
    terms[NEGLECT] = (
        then.attachment_value * columns.anchor_attachment[c, i] - now.attachment_value * columns.attachment[c, i]
    )
    # The option that is taken: what became better speaks for leaving.
    known = False
    if taken > 0:
        k = taken - 1
        known = (columns.known[i] >> k) & 1 == 1
        cheaper = -weight * (history.price[row, k] - history.price[base, k])
        gain = transaction_utility(
            columns.reference[k, i], history.price[row, k], now.gain_weight, now.loss_aversion
        ) - transaction_utility(
            columns.anchor_reference[k, i], history.price[base, k], then.gain_weight, then.loss_aversion
        )
        if history.promotion[row, k]:
            terms[RIVAL_PROMOTION] = cheaper + gain
        else:
            terms[RIVAL_PRICE] = cheaper
            terms[RIVAL_REFERENCE] = gain
        terms[RIVAL_CUE] = cue_value(history.cue[row, k] - history.cue[base, k], theta, known)
        # Away from the rival, only hearsay can have changed what is believed of it.
        terms[RIVAL_WORD] = quality_value(columns.belief[k, i], theta, now.core_floor) - quality_value(
            columns.anchor_belief[k, i], theta, then.core_floor
        )
        terms[RIVAL_ATTACHMENT] = (
            now.attachment_value * columns.attachment[k, i] - then.attachment_value * columns.anchor_attachment[k, i]
        )
    else:
        terms[OUTSIDE_OFFER] = now.outside_value - then.outside_value
    luck = now.noise * (gumbel(uniform(option_keys[row, taken], who)) - gumbel(uniform(option_keys[row, left], who)))
    terms[VARIETY] = luck - then.noise * (
        gumbel(uniform(option_keys[base, taken], who)) - gumbel(uniform(option_keys[base, left], who))
    )
    # Barriers: what held the customer and no longer does.
    barriers[SUNK] = then.sunk_weight * columns.anchor_sunk[i] - now.sunk_weight * columns.sunk[i]
    barriers[SWITCHING] = (then.switching_on - now.switching_on) * columns.switching_cost[i]
    barriers[TRANSACTION] = ZERO
    if taken > 0 and not known:
        barriers[TRANSACTION] = (then.transaction_on - now.transaction_on) * columns.transaction_cost[i]
    tenure = np.float32(columns.tenure[i])
    # A customer anchored on joining had no tenure yet, and a whole contract ahead.
    tenure_then = max(tenure - np.float32(row - base), ZERO)
    fee = history.contract_fee[base, c]
    length = history.contract_length[base, c]
    barriers[TERMINATION] = then.termination_on * termination_barrier(
        fee, length, tenure_then
    ) - now.termination_on * termination_barrier(fee, length, tenure)
    better = option_value(columns, now, market, i, left, taken) - option_value(columns, now, market, i, left, left)
    return better + luck


@rule
def weigh(margin, terms, shares):
    """Turn terms into shares that sum to 1; return the place of the largest.

    Only what speaks for leaving counts, and only if without it the customer would have stayed:
    if it exceeds the margin. Otherwise the departure is the customer's own wish: variety.
    """
    total = ZERO
    for m in range(N_TERMS):
        if m != VARIETY:
            total = total + positive(terms[m])
    caused = total > margin
    for m in range(N_TERMS):
        shares[m] = share(terms[m], total) if caused else ZERO
    shares[VARIETY] = ZERO if caused else ONE
    primary = VARIETY
    for m in range(N_TERMS):
        if shares[m] > shares[primary]:
            primary = m
    return primary


@kernel
def attribute(columns, now, then, history, market, leavers, primary, shares, terms, barriers):
    """Explain every departure in `leavers` (rows), writing one line of each output per departure."""
    for d in range(leavers.size):
        margin = explain(columns, now, then, history, market, leavers[d], terms[d], barriers[d])
        primary[d] = weigh(margin, terms[d], shares[d])

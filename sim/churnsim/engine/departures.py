"""The attribution of departures: a sparse pass over the few customers who chose to leave.

A departure is explained against the moment when the customer took up with the firm, and against the best that the firm
has been since. Had nothing become worse (at the firm, or better at the option taken), would the same customer, with
the same luck of this tick, have stayed? If so, what became worse is why, each change by its share. If not, the
departure is the customer's own wish for something else. Why this rule and not the share of the luck itself:
docs/decisions/0004-attribution.md; why the best since and not only the day of joining: 0009-the-best-since.md.
"""

from __future__ import annotations

import numpy as np

from churnsim.causes import LABEL_SHARE
from churnsim.engine.batches import market_of, parameters_at
from churnsim.engine.dealings.state import CARD, N_PLANES, STAFF_TIES
from churnsim.engine.kernel import kernel
from churnsim.engine.state import N_BARRIERS, N_TERMS, SCALE
from churnsim.engine.tiles import fetch, stack
from churnsim.engine.valuation import barrier_of, luck_of, margin_over
from churnsim.mechanisms.arithmetic import ONE, ZERO, positive
from churnsim.mechanisms.attribution import chord, share
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.value import cue_value, quality_value, termination_barrier, transaction_utility

# Places of the terms; the order of churnsim.causes.CAUSES and ENABLERS.
PRICE, REFERENCE, CORE, CROWDING, WORD, NEGLECT = range(6)
RIVAL_PRICE, RIVAL_PROMOTION, RIVAL_REFERENCE, RIVAL_CUE, RIVAL_WORD, RIVAL_ATTACHMENT = range(6, 12)
OUTSIDE_OFFER, VARIETY = 12, 13
FAILED, RUDE, RESPONDED, ETHICS, PRODUCT_WORSE, TERMS, EMPLOYEE = range(14, 21)
TECHNOLOGY, RIVAL_PRODUCT, RIVAL_OFFER, RIVAL_IMAGE, NEW_TASTE = range(21, 26)
SUNK, SWITCHING, TRANSACTION, TERMINATION, CARD_HELD = range(5)

OWN_CAUSE = (PRICE, TECHNOLOGY, ETHICS, FAILED, RUDE, RESPONDED, VARIETY, TERMS, PRODUCT_WORSE, NEW_TASTE, REFERENCE)
"""Cause by plane of `dealings.state.PLANES` where the firm that is left has become worth less; a card is a barrier."""

RIVAL_CAUSE = (
    RIVAL_PRICE, TECHNOLOGY, RIVAL_IMAGE, RIVAL_PRODUCT, RIVAL_PRODUCT, RIVAL_PRODUCT, RIVAL_OFFER, RIVAL_OFFER,
    RIVAL_PRODUCT, NEW_TASTE, RIVAL_REFERENCE,
)  # fmt: skip
"""The same where the firm that is taken has become worth more."""

NAMED = np.float32(LABEL_SHARE)
WHOLE_SHARE = np.int64(SCALE)


@part
def explain_dealings(dealings, now, i, c, taken, entered, terms, barriers):
    """Add what dealings have changed since customer `i` took up with firm `c`, in money, to terms and barriers.

    `entered` says that the firm taken did not exist then; what its dealings are worth is a part of its whole worth.
    """
    k = taken - 1
    for plane in range(N_PLANES):
        worse = dealings.anchor_terms[plane, c, i] - dealings.terms[plane, c, i]
        if plane == CARD:
            barriers[CARD_HELD] += worse
        else:
            terms[OWN_CAUSE[plane]] += worse
        if taken > 0:
            better = dealings.terms[plane, k, i] - (ZERO if entered else dealings.anchor_terms[plane, k, i])
            terms[RIVAL_CAUSE[plane]] += better
            if entered:
                terms[RIVAL_PRODUCT] -= better
    # Whose doing it is that attachment is less here and more there.
    gone = dealings.anchor_terms[STAFF_TIES, c, i] - dealings.terms[STAFF_TIES, c, i]
    terms[EMPLOYEE] += now.attachment_value * gone
    terms[NEGLECT] -= now.attachment_value * gone
    if taken > 0:
        brought = dealings.terms[STAFF_TIES, k, i] - (ZERO if entered else dealings.anchor_terms[STAFF_TIES, k, i])
        terms[EMPLOYEE] += now.attachment_value * brought
        terms[RIVAL_PRODUCT if entered else RIVAL_ATTACHMENT] -= now.attachment_value * brought


@part
def explain(columns, dealings, now, then, market, i, terms, barriers):
    """Split the departure of customer `i` into its terms, in money.

    Writes, for each term, by how much it moved ``U_k - U_c`` since the customer took up with c, or since c was at its
    best, where k is the option taken and c the firm left. Terms, barriers and the change of luck (`luck_change`), which
    has the place of variety and is left at 0 here, add up to the whole change. A firm taken that did not exist then
    is measured by its whole worth against staying away, luck included.

    Parameters
    ----------
    columns, dealings
        State at the tick's start, with the choice made.
    now, then
        Parameters in force in this tick and in the tick of the anchor.
    market
        What holds for all customers in this tick, and what firms did in every tick.
    i
        The customer's row.
    terms : (N_TERMS,) float32
        Written: the causes' terms.
    barriers : (N_BARRIERS,) float32
        Written: the enablers' terms.
    """
    row = market.row
    base = np.int64(columns.anchor_row[i])
    left = np.int64(columns.provider[i])
    c = left - 1
    taken = np.int64(columns.following[i])
    weight = columns.price_weight[i]
    theta = columns.quality_value[i]
    for m in range(N_TERMS):
        terms[m] = ZERO
    # The firm that is left: what became worse speaks for leaving.
    terms[PRICE] = weight * (market.prices[row, c] - market.prices[base, c])
    terms[REFERENCE] = transaction_utility(
        columns.anchor_reference[c, i], market.prices[base, c], then.gain_weight, then.loss_aversion
    ) - transaction_utility(columns.reference[c, i], market.prices[row, c], now.gain_weight, now.loss_aversion)
    value_now = quality_value(columns.belief[c, i], theta, now.core_floor)
    # Quality and attachment: as on joining, or as they would be had the firm kept the best it has been since.
    used_to = columns.anchor_belief[c, i]
    kept = columns.kept_core[i] + columns.anchor_crowding[i] + columns.anchor_word[i]
    used_to = kept if kept > used_to else used_to
    value_then = quality_value(used_to, theta, then.core_floor)
    slope = chord(value_now, value_then, columns.belief[c, i], used_to, theta)
    terms[CROWDING] = -slope * (columns.belief_crowding[c, i] - columns.anchor_crowding[i])
    terms[WORD] = -slope * (columns.belief_word[c, i] - columns.anchor_word[i])
    terms[CORE] = (value_then - value_now) - terms[CROWDING] - terms[WORD]
    attached = columns.anchor_attachment[c, i]
    attached = columns.kept_attachment[i] if columns.kept_attachment[i] > attached else attached
    terms[NEGLECT] = then.attachment_value * attached - now.attachment_value * columns.attachment[c, i]
    # The option that is taken: what became better speaks for leaving.
    known = False
    entered = False
    if taken > 0:
        k = taken - 1
        known = (columns.known[i] >> k) & 1 == 1
        entered = base < market.opened[k]
    if entered:
        # There was no such firm. In its place there was nothing, which is what it is measured by.
        terms[RIVAL_PRODUCT] = margin_over(columns, dealings, now, market, i, taken, 0)
    elif taken > 0:
        cheaper = -weight * (market.prices[row, k] - market.prices[base, k])
        gain = transaction_utility(
            columns.reference[k, i], market.prices[row, k], now.gain_weight, now.loss_aversion
        ) - transaction_utility(
            columns.anchor_reference[k, i], market.prices[base, k], then.gain_weight, then.loss_aversion
        )
        if market.promotions[row, k]:
            terms[RIVAL_PROMOTION] = cheaper + gain
        else:
            terms[RIVAL_PRICE] = cheaper
            terms[RIVAL_REFERENCE] = gain
        terms[RIVAL_CUE] = cue_value(market.cues[row, k] - market.cues[base, k], theta, known)
        # Away from the rival, only hearsay can have changed what is believed of it.
        terms[RIVAL_WORD] = quality_value(columns.belief[k, i], theta, now.core_floor) - quality_value(
            columns.anchor_belief[k, i], theta, then.core_floor
        )
        terms[RIVAL_ATTACHMENT] = (
            now.attachment_value * columns.attachment[k, i] - then.attachment_value * columns.anchor_attachment[k, i]
        )
    else:
        terms[OUTSIDE_OFFER] = now.outside_value - then.outside_value
    # Barriers: what held the customer and no longer does.
    barriers[SUNK] = -now.sunk_weight * columns.sunk[i]  # nothing was sunk on joining
    barriers[SWITCHING] = (then.switching_on - now.switching_on) * columns.switching_cost[i]
    barriers[TRANSACTION] = ZERO
    if taken > 0 and not known:
        barriers[TRANSACTION] = (then.transaction_on - now.transaction_on) * columns.transaction_cost[i]
    # A customer had a whole contract ahead on joining.
    fee = market.contract_fee[base, c]
    length = market.contract_length[base, c]
    barriers[TERMINATION] = then.termination_on * termination_barrier(fee, length, ZERO) - barrier_of(
        columns, now, market, i
    )
    barriers[CARD_HELD] = ZERO
    if dealings.chance.size > 0:
        explain_dealings(dealings, now, i, c, taken, entered, terms, barriers)


@part
def luck_change(columns, now, then, market, i):
    """Return by how much luck moved ``U_k - U_c`` of departing customer `i` since taking up with c, in money."""
    base, left, taken = columns.anchor_row[i], np.int64(columns.provider[i]), np.int64(columns.following[i])
    luck = luck_of(columns, now, market, market.row, i, taken) - luck_of(columns, now, market, market.row, i, left)
    return luck - (luck_of(columns, then, market, base, i, taken) - luck_of(columns, then, market, base, i, left))


@part
def weigh(margin, terms, shares):
    """Turn terms into shares that sum to 1; return the place of the largest.

    `margin` is by how much the option taken was the better one, more than 0. Only what speaks for leaving counts,
    and only if without it the customer would have stayed: if it exceeds the margin. Otherwise the departure is the
    customer's own wish: variety.
    """
    total = ZERO
    for m in range(N_TERMS):
        total = total + positive(terms[m])
    if total > margin:
        primary, largest = 0, ZERO
        for m in range(N_TERMS):
            shares[m] = share(terms[m], total)
            leads = shares[m] > largest
            primary = m if leads else primary
            largest = shares[m] if leads else largest
        return primary
    for m in range(N_TERMS):
        shares[m] = ZERO
    shares[VARIETY] = ONE
    return VARIETY


@part
def tally(counters, left, primary, shares, barriers, money_unit):
    """Add one explained departure from option `left` to the counters, in whole numbers."""
    j = left - 1
    counters.primary[j, primary] += 1
    if primary == VARIETY:
        counters.labels[j, VARIETY] += 1
        counters.shares[j, VARIETY] += WHOLE_SHARE
    else:
        for m in range(N_TERMS):
            counters.labels[j, m] += np.int64(shares[m] >= NAMED)
            counters.shares[j, m] += np.int64(np.rint(np.float64(shares[m]) * SCALE))
    for m in range(N_BARRIERS):
        if barriers[m] != ZERO:
            counters.barriers[j, m] += np.int64(np.rint(np.float64(barriers[m]) / money_unit * SCALE))


@part
def fetch_reasons(columns, i):
    """Ask for what only the explanation of a departure reads of customer `i`."""
    home = max(np.int64(columns.provider[i]) - 1, 0)
    fetch(columns.anchor_row, i)
    fetch(columns.anchor_belief, (0, i))
    fetch(columns.belief_crowding, (home, i))
    fetch(columns.belief_word, (home, i))


@part
def account_for(columns, dealings, sets, now, market, counters, i, margin):
    """Explain the departure of customer `i` and add it to the counters."""
    terms = stack(N_TERMS, np.float32)
    shares = stack(N_TERMS, np.float32)
    barriers = stack(N_BARRIERS, np.float32)
    then = parameters_at(sets, market.parameter_set[columns.anchor_row[i]])
    explain(columns, dealings, now, then, market, i, terms, barriers)
    primary = weigh(margin, terms, shares)
    if dealings.chance.size > 0:
        dealings.lost_for[i] = np.uint8(primary)
    tally(counters, np.int64(columns.provider[i]), primary, shares, barriers, market.money_unit)


@kernel
def itemise(columns, dealings, sets, then, markets, place, leavers, primary, shares, terms, barriers):
    """Explain the departures in `leavers` (rows) of market `place`, one line of each output per departure.

    `then` is the set of parameters in force when they joined. The place of variety among the terms gets the change
    of luck, so that terms and barriers add up to the change of utility.
    """
    market = market_of(markets, place)
    now = parameters_at(sets, market.parameter_set[market.row])
    before = parameters_at(sets, then)
    for d in range(leavers.size):
        i = leavers[d]
        explain(columns, dealings, now, before, market, i, terms[d], barriers[d])
        left, taken = np.int64(columns.provider[i]), np.int64(columns.following[i])
        margin = margin_over(columns, dealings, now, market, i, taken, left)
        primary[d] = weigh(margin, terms[d], shares[d])
        terms[d, VARIETY] = luck_change(columns, now, before, market, i)

"""The census: sums over each firm's customers at the end of a tick."""

from __future__ import annotations

import numpy as np

from churnsim.engine.batches import counters_of, market_of, parameters_at
from churnsim.engine.kernel import kernel
from churnsim.engine.state import SCALE
from churnsim.engine.tiles import TILE, number, option_of, select, stack, total
from churnsim.mechanisms.arithmetic import ZERO
from churnsim.mechanisms.rule import part

REPEAT_TENURE = 3
"""Ticks with one provider from which a customer counts as behaviourally loyal (assumed)."""

TRUE_LOYAL, SPURIOUS_LOYAL, LATENT_LOYAL, NOT_LOYAL = range(4)

IN_UNITS = np.float32(SCALE)
NOTHING = -np.float32(np.inf)
ROUNDER = 6755399441055744.0
"""1.5 * 2**52: adding it to a double puts the whole part into the lowest bits."""

ROUNDER_BITS = np.float64(ROUNDER).view(np.int64)


@part
def attitude(attachment, attachment_value, belief, quality_value, taste):
    """Return the liking of a firm apart from its price and from barriers, in money."""
    return attachment_value * attachment + quality_value * belief + taste


@part
def loyalty_type(relative_attitude, tenure):
    """Return the loyalty type of a customer (Dick & Basu 1994).

    Relative attitude (liking of the provider less that of the best rival) by repeat patronage.
    """
    likes = relative_attitude > 0
    if tenure >= REPEAT_TENURE:
        return TRUE_LOYAL if likes else SPURIOUS_LOYAL
    return LATENT_LOYAL if likes else NOT_LOYAL


@part
def whole(value):
    """Return the whole part of a double from 0 to 2**51, as int64; there is no vector instruction for it."""
    nearest = (value + ROUNDER) - ROUNDER
    nearest = nearest - 1.0 if nearest > value else nearest
    return np.float64(nearest + ROUNDER).view(np.int64) - ROUNDER_BITS


@part
def count_loyalty(columns, parameters, market, counters, low, n):
    """Count loyalty types: liking of the provider against the best open rival, by tenure."""
    high = low + n
    provider = columns.provider[low:high]
    tenure = columns.tenure[low:high]
    theta = columns.quality_value[low:high]
    own = stack(TILE, np.float32)
    best = stack(TILE, np.float32)
    kind = stack(TILE, np.int8)
    mask = stack(TILE, np.bool_)
    for k in range(n):
        own[k] = ZERO
        best[k] = NOTHING
    for j in range(market.price.size):
        attachment = columns.attachment[j, low:high]
        belief = columns.belief[j, low:high]
        taste = columns.taste[j, low:high]
        is_open = market.open[j]
        option = option_of(j)
        for k in range(n):
            liking = attitude(attachment[k], parameters.attachment_value, belief[k], theta[k], taste[k])
            mine = provider[k] == option
            own[k] = select(mine, liking, own[k])
            best[k] = select(is_open & (not mine) & (liking > best[k]), liking, best[k])
    for k in range(n):
        kind[k] = np.int8(loyalty_type(own[k] - best[k], tenure[k]))
    for j in range(market.price.size):
        option = option_of(j)
        for loyalty in range(4):
            found = np.int8(loyalty)
            for k in range(n):
                mask[k] = (provider[k] == option) & (kind[k] == found)
            counters.loyalty[j, loyalty] += number(mask, n)


@part
def count_tile(columns, parameters, market, counters, low, n):
    """Add `n` customers from row `low` on to the census."""
    high = low + n
    provider = columns.provider[low:high]
    known = columns.known[low:high]
    satisfaction = columns.satisfaction[low:high]
    expectation = columns.expectation[low:high]
    units = stack(TILE, np.int32)
    mask = stack(TILE, np.bool_)
    scale = SCALE / market.money_unit
    for k in range(n):
        mask[k] = provider[k] == 0
    counters.heads[0] += number(mask, n)
    for j in range(market.price.size):
        bit = np.uint8(1 << j)
        option = option_of(j)
        for k in range(n):
            mask[k] = ((known[k] & bit) != 0) & (provider[k] != option)
        counters.lost_pool[j] += number(mask, n)
        for k in range(n):
            mask[k] = provider[k] == option
        counters.heads[j + 1] += number(mask, n)
        for k in range(n):
            units[k] = np.int32(satisfaction[k] * IN_UNITS)
        counters.satisfaction[j] += total(units, mask, n)
        for k in range(n):
            units[k] = np.int32(expectation[k] * IN_UNITS)
        counters.expectation[j] += total(units, mask, n)
        attachment = columns.attachment[j, low:high]
        for k in range(n):
            units[k] = np.int32(attachment[k] * IN_UNITS)
        counters.attachment[j] += total(units, mask, n)
        belief = columns.belief[j, low:high]
        for k in range(n):
            units[k] = np.int32(belief[k] * IN_UNITS)
        counters.belief[j] += total(units, mask, n)
        reference = columns.reference[j, low:high]
        money = np.int64(0)
        for k in range(n):
            money += select(mask[k], whole(np.float64(reference[k]) * scale), np.int64(0))
        counters.reference[j] += money
    count_loyalty(columns, parameters, market, counters, low, n)


@kernel
def count(columns, sets, markets, counters, spans):
    """Take the census of every span; arguments as for `churnsim.engine.choice.choose`.

    Rivals that have closed are nobody's alternative.
    """
    for s in range(spans.shape[0]):
        market = market_of(markets, spans[s, 0])
        counted = counters_of(counters, s)
        parameters = parameters_at(sets, market.parameter_set[market.row])
        for low in range(spans[s, 1], spans[s, 2], TILE):
            count_tile(columns, parameters, market, counted, low, min(TILE, spans[s, 2] - low))

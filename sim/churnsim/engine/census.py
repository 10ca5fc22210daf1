"""The census: sums over each firm's customers at the end of a tick."""

from __future__ import annotations

import numpy as np

from churnsim.engine.kernel import kernel
from churnsim.engine.state import SCALE
from churnsim.mechanisms.rule import rule

REPEAT_TENURE = 3
"""Ticks with one provider from which a customer counts as behaviourally loyal (assumed)."""

TRUE_LOYAL, SPURIOUS_LOYAL, LATENT_LOYAL, NOT_LOYAL = range(4)


@rule
def attitude(attachment, attachment_value, belief, quality_value, taste):
    """Return the liking of a firm apart from its price and from barriers, in money."""
    return attachment_value * attachment + quality_value * belief + taste


@rule
def loyalty_type(relative_attitude, tenure):
    """Return the loyalty type of a customer (Dick & Basu 1994).

    Relative attitude (liking of the provider less that of the best rival) by repeat patronage.
    """
    likes = relative_attitude > 0
    if tenure >= REPEAT_TENURE:
        return TRUE_LOYAL if likes else SPURIOUS_LOYAL
    return LATENT_LOYAL if likes else NOT_LOYAL


@kernel
def count(columns, parameters, is_open, money_scale, counters, low, high):
    """Add rows `low` to `high` to the census; `money_scale` is units of the money counters per currency.

    Rivals that have closed (`is_open`, per firm) are nobody's alternative.
    """
    firms = columns.belief.shape[0]
    for i in range(low, high):
        provider = np.int64(columns.provider[i])
        counters.heads[provider] += 1
        for j in range(firms):
            if (columns.known[i] >> j) & 1 and provider != j + 1:
                counters.lost_pool[j] += 1
        if provider == 0:
            continue
        home = provider - 1
        counters.satisfaction[home] += np.int64(np.float64(columns.satisfaction[i]) * SCALE)
        counters.expectation[home] += np.int64(np.float64(columns.expectation[i]) * SCALE)
        counters.attachment[home] += np.int64(np.float64(columns.attachment[home, i]) * SCALE)
        counters.belief[home] += np.int64(np.float64(columns.belief[home, i]) * SCALE)
        counters.reference[home] += np.int64(np.float64(columns.reference[home, i]) * money_scale)
        own = attitude(
            columns.attachment[home, i],
            parameters.attachment_value,
            columns.belief[home, i],
            columns.quality_value[i],
            columns.taste[home, i],
        )
        best = -np.float32(np.inf)
        for j in range(firms):
            if j != home and is_open[j]:
                best = max(
                    best,
                    attitude(
                        columns.attachment[j, i],
                        parameters.attachment_value,
                        columns.belief[j, i],
                        columns.quality_value[i],
                        columns.taste[j, i],
                    ),
                )
        counters.loyalty[home, loyalty_type(own - best, columns.tenure[i])] += 1

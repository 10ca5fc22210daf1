"""Credit: whom a firm takes for a bad debtor, at the door and when it looks its customers over again (course S8)."""

from __future__ import annotations

import numpy as np

from churnsim.engine.dealings.offers import charge
from churnsim.engine.dealings.state import PLACE, REVIEWING
from churnsim.engine.levers import REVIEW, SCREEN_COST, STRICTNESS
from churnsim.mechanisms.rule import part
from churnsim.randomness import uniform

COST = PLACE["cost"]


@part
def suspicion(dealings, customs, market, i, j):
    """Return the probability that firm `j`'s screening takes customer `i` for a bad debtor."""
    found = customs.credit_detected if dealings.bad_debtor[i] else customs.credit_false_alarm
    return found * market.conduct[j, STRICTNESS]


@part
def screen(market, counters, j):
    """Let firm `j` pay for screening somebody once."""
    charge(counters, j, COST, market.conduct[j, SCREEN_COST] * market.conduct[j, STRICTNESS], market.money_unit)


@part
def review(columns, dealings, customs, market, counters, i, j):
    """Let firm `j` look at its customer `i` again, and have done with whom it takes for a bad debtor.

    Behavioural scoring (Thomas 2000): as good and as bad at telling bad debtors as screening at the door, whatever the
    customer has paid so far. Whoever is found out is dropped in the next tick, like one who has not paid.
    """
    luck = uniform(market.deal_keys[REVIEWING], columns.id[i])
    rate = market.conduct[j, REVIEW]
    if luck >= rate:
        return
    screen(market, counters, j)
    if luck < rate * suspicion(dealings, customs, market, i, j):
        dealings.defaulted[i] = np.uint8(np.int64(dealings.defaulted[i]) | 1 << j)

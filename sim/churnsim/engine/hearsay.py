"""The word-of-mouth phase: everybody hears what some acquaintances tell of this tick's stays."""

from __future__ import annotations

import numpy as np

from churnsim.engine.kernel import kernel
from churnsim.mechanisms.experience import learn
from churnsim.mechanisms.rule import rule
from churnsim.mechanisms.word_of_mouth import hears
from churnsim.randomness import below, uniform

# Odd constants that keep apart the keys of a customer's ties, and of what is drawn for each.
TIE_STEP = np.uint64(0x632BE59BD9B4E019)
TARGET_STEP = np.uint64(0xD1342543DE82EF95)


@rule
def acquaintance(network_key, who, n, rewired, customers):
    """Return the id of the `n`-th acquaintance of id `who` in a small world.

    The first `customers` ids stand in a ring in which each knows the nearest on both sides, some ties
    rewired to anybody (Watts & Strogatz 1998), computed where it is needed instead of stored. Ties
    point one way. Those who come later as the market grows know those who came just before them.
    """
    late = np.int64(who) >= customers
    key = network_key + np.uint64(n + 1) * TIE_STEP
    if uniform(key, who) < rewired:
        return below(key ^ TARGET_STEP, who, np.int64(who) if late else customers)
    if late:
        return max(np.int64(who) - n - 1, 0)
    step = n // 2 + 1
    return (np.int64(who) + (step if n % 2 == 0 else customers - step % customers)) % customers


@kernel
def listen(columns, parameters, market, rewired, customers, row_of, low, high):
    """Let rows `low` to `high` hear this tick's stories and move their beliefs.

    Reads only what was told in the service phase, so the order of rows cannot matter.
    `row_of` gives the row of an id; empty where every id stands in its own row.
    """
    for i in range(low, high):
        who = columns.id[i]
        for n in range(parameters.word_contacts):
            teller = acquaintance(market.network_key, who, n, rewired, customers)
            row = np.int64(row_of[teller]) if row_of.size else teller
            if columns.told[row] == 0 or row == i:
                continue
            if hears(uniform(market.hearing_keys[n], who), columns.told[row], parameters.word_contacts):
                j = np.int64(columns.choice[row]) - 1
                before = columns.belief[j, i]
                after = learn(before, columns.told_quality[row], parameters.word_weight)
                columns.belief[j, i] = after
                columns.belief_word[j, i] += after - before

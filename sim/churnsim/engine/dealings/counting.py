"""What is counted of a customer's dealings in a tick: occasions, talk, and where the customer stands with each firm."""

from __future__ import annotations

import numpy as np

from churnsim.engine.dealings.state import BINS, PLACE, RUNGS
from churnsim.engine.levers import ELITE_SHARE
from churnsim.engine.state import NO_PURCHASE
from churnsim.mechanisms.arithmetic import HALF, ONE
from churnsim.mechanisms.rule import part

OCCASIONS, REPEATS = PLACE["occasions_level_1"], PLACE["repeats_level_1"]
CELL, CELL_STAYED = PLACE["failed_minor_silent"], PLACE["kept_minor_silent"]
SUSPECTS, RUNG = PLACE["suspects"], PLACE["rung_1"]
ELITE = PLACE["elite"]
TRIES_NEW, WON_NEW, TRIES_OWN, WON_OWN = PLACE["tries_new"], PLACE["won_new"], PLACE["tries_own"], PLACE["won_own"]
REFUSED_BAD, REFUSED_GOOD = PLACE["refused_bad"], PLACE["refused_good"]
REFERRED_CUSTOMERS, AWARE = PLACE["referred_customers"], PLACE["aware"]
TOLD_BAD, TOLD_GOOD = PLACE["told_bad"], PLACE["told_good"]

REPEAT_VISITS, CLIENT_VISITS = 2, 6
"""Purchases in a row from which somebody is a repeat customer, and a client (course S57; numbers assumed)."""

ADVOCATE_FROM, PARTNER_FROM = np.float32(0.5), np.float32(0.8)
"""Attachment from which a client is an advocate, and a partner (assumed)."""

RUNGS_FROM = (
    np.float32(0.15), np.float32(0.3), np.float32(0.45), np.float32(0.6), np.float32(0.75), np.float32(0.9),
)  # fmt: skip
"""Attachment from which a customer wants more of the relationship, recommends, resists rivals, pays a premium,
develops together, invests (course S58: the order of the rungs; equal steps assumed)."""


@part
def count_occasion(columns, dealings, market, counters, i, before, choice):
    """Count what an occasion to buy came to: by satisfaction, after a failure, for known firms and new ones."""
    if choice == NO_PURCHASE:
        return
    if before > 0:
        home = before - 1
        level = min(int(dealings.content[i] * np.float32(BINS)), BINS - 1)
        stayed = np.int64(choice == before)
        counters.counted[home, OCCASIONS + level] += 1
        counters.counted[home, REPEATS + level] += stayed
        counters.counted[home, TRIES_OWN] += 1
        counters.counted[home, WON_OWN] += stayed
        if dealings.pending[i] > 0:
            cell = np.int64(dealings.pending[i]) - 1
            counters.counted[home, CELL + cell] += 1
            counters.counted[home, CELL_STAYED + cell] += stayed
    knew, barred = np.int64(dealings.knew[i]), np.int64(dealings.barred[i])
    for j in range(market.price.size):
        if market.open[j] and ((knew | barred) >> j) & 1 == 0:
            counters.counted[j, TRIES_NEW] += 1
            counters.counted[j, WON_NEW] += np.int64(choice == j + 1)


@part
def count_told(columns, counters, i, choice):
    """Count who tells others good or bad things."""
    if choice > 0 and columns.told[i] > 0:
        bad = columns.satisfaction[i] < HALF
        counters.counted[choice - 1, TOLD_BAD if bad else TOLD_GOOD] += 1


@part
def count_stage(columns, dealings, customs, market, counters, i):
    """Count where a customer stands with each firm: the development ladder, and the rungs of loyalty."""
    provider, known, aware = np.int64(columns.provider[i]), np.int64(columns.known[i]), np.int64(dealings.aware[i])
    barred = np.int64(dealings.barred[i])
    for j in range(market.price.size):
        heard = (aware >> j) & 1 == 1 or not customs.on_acquisition
        counters.counted[j, AWARE] += np.int64(heard)
        stage = 1 if heard else 0
        if provider == j + 1:
            stage = stage_with(columns, dealings, i, j)
        elif (known >> j) & 1 == 1:
            stage = 7
        counters.counted[j, SUSPECTS + stage] += 1
        if customs.on_screening and heard and (barred >> j) & 1 == 1 and provider != j + 1:
            counters.counted[j, REFUSED_BAD if dealings.bad_debtor[i] else REFUSED_GOOD] += 1
    if provider > 0:
        for rung in range(RUNGS):
            counters.counted[provider - 1, RUNG + rung] += np.int64(
                columns.attachment[provider - 1, i] >= RUNGS_FROM[rung]
            )
        counters.counted[provider - 1, REFERRED_CUSTOMERS] += np.int64(dealings.referred[i])
        elite = dealings.rank[i] >= ONE - market.conduct[provider - 1, ELITE_SHARE]
        counters.counted[provider - 1, ELITE] += np.int64(elite)


@part
def stage_with(columns, dealings, i, j):
    """Return the stage of the development ladder of a customer of firm `j` (course S57)."""
    visits, attached = np.int64(dealings.visits[i]), columns.attachment[j, i]
    if visits >= CLIENT_VISITS:
        return 6 if attached >= PARTNER_FROM else (5 if attached >= ADVOCATE_FROM else 4)
    return 3 if visits >= REPEAT_VISITS else 2

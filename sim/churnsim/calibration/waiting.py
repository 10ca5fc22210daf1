"""What follows a purchase, tick by tick: at the shop or elsewhere, and how many stages nearer the next need.

Nodes are independent of each other; they are gone through in tiles that stay in the processor's nearest cache.
"""

from __future__ import annotations

import numpy as np

from churnsim.engine.kernel import kernel
from churnsim.engine.tiles import fill, stack
from churnsim.mechanisms.rule import part

MOST = 20
"""Stages at most, as many as a scenario may have."""

TILE = 128
"""Nodes at a time."""

ROOM = MOST * TILE

LEAST = 1e-37
"""What stands for a probability of nothing where its logarithm is taken: single precision hardly has less."""


@part
def hand_over(found, into, n):
    """Write probabilities, `LEAST` at least."""
    for m in range(n):
        into[m] = max(found[m], LEAST)


@part
def begin(stages, n, there, away):
    """Let `n` nodes be at the shop, right after a purchase."""
    for s in range(stages):
        fill(there[s * TILE : s * TILE + n], 1.0 if s == 0 else 0.0, n)
        fill(away[s * TILE : s * TILE + n], 0.0, n)


@part
def advance(lapse, passes, due, leave, back, low, n, there, away, bought):
    """Let a tick pass for `n` nodes from `low` on; find their probabilities of a purchase in it.

    `there` and `away` have the probabilities of being there, or elsewhere, without a purchase so far and with so many
    stages behind, a tile for each number of stages.
    """
    at_shop, elsewhere, stays = stack(TILE, np.float64), stack(TILE, np.float64), stack(TILE, np.float64)
    remains = stack(TILE, np.float64)
    fill(at_shop, 0.0, n)
    fill(elsewhere, 0.0, n)
    for s in range(due.shape[0] - 1, -1, -1):
        here, gone = there[s * TILE : s * TILE + n], away[s * TILE : s * TILE + n]
        chance, none = due[s, low : low + n], passes[0, low : low + n]
        for m in range(n):
            at_shop[m] += chance[m] * here[m]
            elsewhere[m] += chance[m] * gone[m]
            stays[m] = none[m] * here[m]
            remains[m] = none[m] * gone[m]
        for passed in range(1, s + 1):
            before = (s - passed) * TILE
            here, gone, some = there[before : before + n], away[before : before + n], passes[passed, low : low + n]
            for m in range(n):
                stays[m] += some[m] * here[m]
                remains[m] += some[m] * gone[m]
        here, gone = there[s * TILE : s * TILE + n], away[s * TILE : s * TILE + n]
        for m in range(n):
            here[m] = (1.0 - lapse) * stays[m]
            gone[m] = remains[m] + lapse * stays[m]
    # Who has an occasion begins anew, wherever it leads; of those there some lapse first.
    leaves, comes, gone = leave[low : low + n], back[low : low + n], away[:n]
    for m in range(n):
        gone[m] += (lapse + (1.0 - lapse) * leaves[m]) * at_shop[m] + (1.0 - comes[m]) * elsewhere[m]
        bought[m] = (1.0 - lapse) * (1.0 - leaves[m]) * at_shop[m] + comes[m] * elsewhere[m]


@kernel
def follow(lapse, passes, due, leave, back, bought, silent):
    """Follow customers from a purchase on.

    Parameters
    ----------
    lapse : float64
        Hazard of lapsing.
    passes : (stages + 1, nodes) float64
        Probability that so many stages pass in a tick.
    due : (stages, nodes) float64
        Probability of a need in a tick with so many stages behind.
    leave, back : (nodes,) float64
        Probabilities of going elsewhere on an occasion, and of coming back on one.
    bought : (ticks, nodes) float
        The answer: probability of the next purchase right after so many ticks of silence, or `LEAST`.
    silent : (ticks + 1, nodes) float
        The answer: probability of so many ticks of silence, or `LEAST`.
    """
    there, away = stack(ROOM, np.float64), stack(ROOM, np.float64)
    found = stack(TILE, np.float64)
    stages = due.shape[0]
    for low in range(0, leave.size, TILE):
        n = min(TILE, leave.size - low)
        begin(stages, n, there, away)
        for tick in range(silent.shape[0]):
            fill(found, 0.0, n)
            for s in range(stages):
                here, gone = there[s * TILE : s * TILE + n], away[s * TILE : s * TILE + n]
                for m in range(n):
                    found[m] += here[m] + gone[m]
            hand_over(found, silent[tick, low : low + n], n)
            if tick < bought.shape[0]:
                advance(lapse, passes, due, leave, back, low, n, there, away, found)
                hand_over(found, bought[tick, low : low + n], n)


@kernel
def wait(lapse, passes, due, leave, back, silence, where):
    """Let customers be silent: find where each is then, and how near the next need is.

    Parameters
    ----------
    lapse, passes, due, leave, back
        As for `follow`, of (n,) customers.
    silence : (n,) int64
        Ticks since the last purchase.
    where : (2, stages, n) float64
        The answer: probabilities of being there, and elsewhere, with so many stages behind.
    """
    there, away = stack(ROOM, np.float64), stack(ROOM, np.float64)
    bought = stack(TILE, np.float64)
    stages = due.shape[0]
    for i in range(silence.size):
        begin(stages, 1, there, away)
        for _ in range(silence[i]):
            advance(lapse, passes, due, leave, back, i, 1, there, away, bought)
            for s in range(stages):
                there[s * TILE] /= 1.0 - bought[0]
                away[s * TILE] /= 1.0 - bought[0]
        for s in range(stages):
            where[0, s, i] = there[s * TILE]
            where[1, s, i] = away[s * TILE]

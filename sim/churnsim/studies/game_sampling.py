"""How sure conclusions are about games whose payoffs are means over replications.

Replications are resampled together for all cells, since they are paired: the same seed is the same customers with the
same luck in every cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from churnsim.studies.evolution import alpha_rank
from churnsim.studies.games import (
    Equilibrium,
    best_replies,
    equilibria,
    regrets,
    symmetric_equilibria,
    undominated,
)
from churnsim.studies.intervals import student

RESAMPLES = 400
"""Bootstrap samples; a probability of .5 is then known to about .05."""

SMALL = 5
"""Strategies that survive elimination up to which resamples look for mixed equilibria too."""

RARE = 0.05
"""Probability from which an equilibrium that the means do not have is mentioned."""

Supports = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Supported:
    """An equilibrium and how it stands up to resampling.

    Attributes
    ----------
    supports : tuple of tuple of int
        Strategies that are played at all, by player.
    equilibrium : Equilibrium or None
        That of the mean payoffs; None where only resamples have it.
    probability : float or None
        Share of resamples that have an equilibrium with these supports; None where resamples look for pure ones alone.
    regret : (2,) float64
        Mean over the resamples of the largest gain from deviating, and its 95th percentile; in the unit of the payoffs.
    """

    supports: Supports
    equilibrium: Equilibrium | None
    probability: float | None
    regret: np.ndarray


@dataclass(frozen=True)
class Doubt:
    """A best reply that more replications would settle.

    Attributes
    ----------
    player : int
        Whose reply.
    others : tuple of int
        Strategy of every player; the player's own is its best reply by the means.
    rival : int
        The strategy that comes next.
    gap : (3,) float64
        Mean paired difference between the two, and its 95 % interval.
    probability : float
        Share of resamples in which the best one is the best.
    needed : int or None
        Replications in all after which the interval should exclude 0; None where the two do not differ at all.
    """

    player: int
    others: tuple[int, ...]
    rival: int
    gap: np.ndarray
    probability: float
    needed: int | None


@dataclass(frozen=True)
class Certainty:
    """What resampling says about a game.

    Attributes
    ----------
    equilibria : list of Supported
        Those of the means first, then others that resamples have, the likeliest first.
    best : (n, s_1, ..., s_n) float64
        Share of resamples in which a strategy is a best reply.
    ranks : (n, s_max, s_max) float64
        Probability that a player's strategy has a rank in alpha-rank, first rank first; NaN where there is none.
    mass : list of (3, s_i) float64
        Mass of each strategy in alpha-rank: by the means, 2.5 % and 97.5 % of the resamples.
    mixed_too : bool
        Whether the resamples looked for mixed equilibria.
    """

    equilibria: list[Supported]
    best: np.ndarray
    ranks: np.ndarray
    mass: list[np.ndarray]
    mixed_too: bool


def resamples(samples: np.ndarray, count: int, seed: int) -> Iterator[np.ndarray]:
    """Yield mean payoffs of replications drawn with replacement, the same for every cell.

    Parameters
    ----------
    samples : (R, n, s_1, ..., s_n) float64
        Payoffs by replication.
    count
        How many.
    seed
        Of the drawing.
    """
    rng = np.random.default_rng(seed)
    runs = len(samples)
    flat = samples.reshape(runs, -1)
    for _ in range(count):
        weights = np.bincount(rng.integers(runs, size=runs), minlength=runs) / runs
        yield (flat * weights[:, np.newaxis]).sum(axis=0).reshape(samples.shape[1:])


def solutions(payoffs: np.ndarray, symmetric: bool, most: int | None = None) -> list[Equilibrium]:
    """Return the equilibria of a game by the best method there is for its size; see `equilibria`.

    Parameters
    ----------
    payoffs
        Of the game.
    symmetric
        Whether players may be exchanged; mixed equilibria in which all do the same are then always found.
    most
        Strategies up to which all supports of two players are tried; by default as many as `equilibria` takes.
    """
    found = equilibria(payoffs) if most is None else equilibria(payoffs, most)
    if symmetric and payoffs.shape[0] == 2:
        known = [one.supports for one in found]
        kept = undominated(payoffs)[0]
        if len(kept) <= (12 if most is None else 2 * most):
            inner = symmetric_equilibria(payoffs[:, kept[:, np.newaxis], kept])
            for one in inner:
                mix = np.zeros(payoffs.shape[1])
                mix[kept] = one.profile[0]
                whole = Equilibrium((mix, mix), one.values, one.regret)
                if whole.supports not in known:
                    found.append(whole)
    return found


def certainty(samples: np.ndarray, symmetric: bool = False, count: int | None = None, seed: int = 0) -> Certainty:
    """Resample the replications of a game and count what comes out.

    Parameters
    ----------
    samples : (R, n, s_1, ..., s_n) float64
        Payoffs by replication, paired by seed.
    symmetric
        Whether players may be exchanged.
    count
        Resamples; by default `RESAMPLES`.
    seed
        Of the drawing.
    """
    count = count or RESAMPLES
    means = samples.mean(axis=0)
    found = solutions(means, symmetric)
    sizes = means.shape[1:]
    mixed_too = len(sizes) == 2 and max(map(len, undominated(means))) <= SMALL
    seen: dict[Supports, int] = {}
    gains = np.zeros((count, len(found)))
    best = np.zeros(means.shape)
    ranks = np.full((len(sizes), max(sizes), max(sizes)), np.nan)
    masses: list[list[np.ndarray]] = [[] for _ in sizes]
    for draw, payoffs in enumerate(resamples(samples, count, seed)):
        for supports in {one.supports for one in solutions(payoffs, symmetric, SMALL)}:
            seen[supports] = seen.get(supports, 0) + 1
        gains[draw] = [regrets(payoffs, one.profile).max() for one in found]
        best += best_replies(payoffs)
        for player, marginal in enumerate(_marginals(alpha_rank(payoffs))):
            masses[player].append(marginal)
    for player, size in enumerate(sizes):
        table = np.array(masses[player])
        order = np.argsort(-table, axis=1, kind="stable")
        ranks[player, :size, :size] = [(order == s).mean(axis=0) for s in range(size)]
    own = _marginals(alpha_rank(means))
    mass = [np.vstack([own[i], np.percentile(np.array(masses[i]), [2.5, 97.5], axis=0)]) for i in range(len(sizes))]
    out = [
        Supported(
            one.supports,
            one,
            seen.pop(one.supports, 0) / count if one.is_pure or mixed_too else None,
            np.array([gains[:, k].mean(), np.percentile(gains[:, k], 95)]),
        )
        for k, one in enumerate(found)
    ]
    others = sorted(((n / count, s) for s, n in seen.items() if n / count >= RARE), reverse=True)
    out += [Supported(s, None, p, np.full(2, np.nan)) for p, s in others]
    return Certainty(out, best / count, ranks, mass, mixed_too)


def _marginals(masses: np.ndarray) -> list[np.ndarray]:
    """Return the mass of each player's strategies, rounded so that equal ones rank in the order of the strategies."""
    axes = range(masses.ndim)
    return [np.round(masses.sum(axis=tuple(a for a in axes if a != player)), 9) for player in axes]


def doubts(samples: np.ndarray, best: np.ndarray, most: int = 5) -> list[Doubt]:
    """Return the best replies that are least certain, those on which equilibria turn first.

    Parameters
    ----------
    samples : (R, n, s_1, ..., s_n) float64
        Payoffs by replication.
    best : (n, s_1, ..., s_n) float64
        Share of resamples in which a strategy is a best reply.
    most
        How many to return at most.
    """
    means = samples.mean(axis=0)
    out = []
    for player in range(means.shape[0]):
        if means.shape[player + 1] < 2:
            continue
        order = np.argsort(-means[player], axis=player, kind="stable")
        first = np.take(order, [0], axis=player)
        chance = np.take_along_axis(best[player], first, axis=player)
        for cell in np.argwhere(chance < 1 - RARE / 2):
            at = tuple(int(i) for i in cell)
            top = int(first[at])
            others = (*at[:player], top, *at[player + 1 :])
            rival = int(order[(*at[:player], 1, *at[player + 1 :])])
            top_cell: Any = (slice(None), player, *others)
            rival_cell: Any = (slice(None), player, *at[:player], rival, *at[player + 1 :])
            paired = samples[top_cell] - samples[rival_cell]
            out.append(_doubt(player, others, rival, paired, float(chance[at])))
    out.sort(key=lambda doubt: (-_weight(best, doubt), doubt.probability))
    return out[:most]


def _weight(best: np.ndarray, doubt: Doubt) -> float:
    """Return how likely it is that the others' strategies answer the doubtful one: whether it matters to equilibria."""
    chance = 1.0
    for player in range(best.shape[0]):
        if player != doubt.player:
            places = (doubt.others, (*doubt.others[: doubt.player], doubt.rival, *doubt.others[doubt.player + 1 :]))
            chance *= max(float(best[(player, *place)]) for place in places)
    return round(chance, 2)


def _doubt(player: int, others: tuple[int, ...], rival: int, paired: np.ndarray, probability: float) -> Doubt:
    """Describe one doubtful best reply by the paired differences between the two best strategies."""
    told = student(paired)
    spread = float(paired.std(ddof=1)) if len(paired) > 1 else np.nan
    needed = None
    if told.value and np.isfinite(spread):
        needed = max(len(paired) + 1, int(np.ceil((1.96 * spread / told.value) ** 2)) + 2)
    return Doubt(player, others, rival, np.array([told.value, told.low, told.high]), probability, needed)

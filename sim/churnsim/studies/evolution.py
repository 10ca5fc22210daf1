"""What becomes of strategies when what pays spreads: replicator dynamics and alpha-rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnsim.studies.games import Equilibrium, Profile, checked, expected, regrets, scaled

STEP = 0.25
"""Step of the Runge-Kutta method, in time units of payoffs that span 0 to 1."""

NEAR = 1e-3
"""Gain from deviating, as a share of the range of payoffs, below which a rest point counts as an equilibrium."""

POPULATION = 50
"""Individuals of a population in alpha-rank; it sets the weight of ties alone (Omidshafiei et al. 2019)."""

MUTATION = 1e-6
"""Chance of a losing move relative to a winning one in alpha-rank's limit of strong selection (Rowland et al. 2019)."""


@dataclass(frozen=True)
class Attractor:
    """Where replicator dynamics settle.

    Attributes
    ----------
    equilibrium : Equilibrium
        The rest point, which is one.
    basin : float
        Share of the starting points that lead there.
    """

    equilibrium: Equilibrium
    basin: float


def trajectory(payoffs: np.ndarray, start: Profile, ticks: int = 400, step: float = STEP) -> list[np.ndarray]:
    """Follow replicator dynamics: the share of a strategy grows by what it earns above the mean.

    dx/dt = x (f - mean f) for every player's population (Taylor & Jonker 1978; for several populations Weibull 1995,
    ch. 5, recalled), with payoffs scaled to 0..1; Runge-Kutta of fourth order on logarithms, so that shares stay
    positive.

    Parameters
    ----------
    payoffs
        Of the game.
    start
        Shares to begin with; a share of zero stays zero.
    ticks
        Steps to take.
    step
        Time of a step.

    Returns
    -------
    list of (ticks + 1, s_i) float64
        By player.
    """
    unit = scaled(checked(payoffs))
    starts = [np.asarray(mix, dtype=np.float64)[np.newaxis] for mix in start]
    courses = _follow(unit, starts, ticks, step, keep=True)
    return [np.concatenate(course) for course in zip(*courses, strict=True)]


def attractors(
    payoffs: np.ndarray, starts: int = 200, ticks: int = 4000, seed: int = 0, symmetric: bool = False
) -> tuple[list[Attractor], float]:
    """Return the equilibria that replicator dynamics lead to, and the share of starts that lead to none.

    Parameters
    ----------
    payoffs
        Of the game.
    starts
        Starting points, spread evenly over all mixes.
    ticks
        Steps at most.
    seed
        Of the starting points.
    symmetric
        Whether all players begin with the same mix, as one population would.
    """
    unit = scaled(checked(payoffs))
    rng = np.random.default_rng(seed)
    sizes = unit.shape[1:]
    if symmetric:
        shared = rng.dirichlet(np.ones(sizes[0]), size=starts)
        begin = [shared for _ in sizes]
    else:
        begin = [rng.dirichlet(np.ones(size), size=starts) for size in sizes]
    ends = _follow(unit, begin, ticks, STEP, keep=False)[-1]
    found: list[tuple[Profile, int]] = []
    lost = 0
    for row in range(starts):
        profile = _cleaned(tuple(mix[row] for mix in ends))
        if regrets(unit, profile).max() > NEAR:
            lost += 1
            continue
        for place, (known, count) in enumerate(found):
            if all(np.abs(a - b).max() < 0.02 for a, b in zip(known, profile, strict=True)):
                found[place] = known, count + 1
                break
        else:
            found.append((profile, 1))
    found.sort(key=lambda item: -item[1])
    return [
        Attractor(
            Equilibrium(p, expected(payoffs, p), float(max(regrets(unit, p).max(), 0.0)), exact=False), n / starts
        )
        for p, n in found
    ], lost / starts


def _cleaned(profile: Profile) -> Profile:
    """Drop shares that are on their way to zero."""
    kept = [np.where(mix < 1e-3, 0.0, mix) for mix in profile]
    return tuple(mix / mix.sum() for mix in kept)


def _follow(unit: np.ndarray, starts: list[np.ndarray], ticks: int, step: float, keep: bool) -> list[list[np.ndarray]]:
    """Follow the dynamics from many starts at once; return the shares after each step, or after the last alone."""
    with np.errstate(divide="ignore"):
        logs = [np.log(mix) for mix in starts]

    def growth(at: list[np.ndarray]) -> list[np.ndarray]:
        shares = [_softmax(log) for log in at]
        return [_earned(unit, shares, player) for player in range(len(shares))]

    def moved(by: list[np.ndarray], time: float) -> list[np.ndarray]:
        return [log + time * change for log, change in zip(logs, by, strict=True)]

    out = [[_softmax(log) for log in logs]]
    for _ in range(ticks):
        k1 = growth(logs)
        k2 = growth(moved(k1, step / 2))
        k3 = growth(moved(k2, step / 2))
        k4 = growth(moved(k3, step))
        logs = [log + step / 6 * (a + 2 * b + 2 * c + d) for log, a, b, c, d in zip(logs, k1, k2, k3, k4, strict=True)]
        logs = [log - log.max(axis=1, keepdims=True) for log in logs]
        if keep:
            out.append([_softmax(log) for log in logs])
    return out if keep else [[_softmax(log) for log in logs]]


def _softmax(log: np.ndarray) -> np.ndarray:
    """Return shares from their logarithms, row by row."""
    raw = np.exp(log - log.max(axis=1, keepdims=True))
    return raw / raw.sum(axis=1, keepdims=True)


def _earned(unit: np.ndarray, shares: list[np.ndarray], player: int) -> np.ndarray:
    """Return what each strategy of a player earns, for many mixes of the others at once, ``(m, s_player)``."""
    values = np.broadcast_to(unit[player], (len(shares[0]), *unit[player].shape))
    for other in range(len(shares)):
        if other != player:
            shape = [len(shares[0]), *[-1 if axis == other else 1 for axis in range(len(shares))]]
            values = (values * shares[other].reshape(shape)).sum(axis=other + 1, keepdims=True)
    return values.reshape(len(shares[0]), -1)


# ---------------------------------------------------------------------- alpha-rank


def alpha_rank(payoffs: np.ndarray, population: int = POPULATION, mutation: float = MUTATION) -> np.ndarray:
    """Return how often each profile of pure strategies is visited in the long run.

    Omidshafiei et al. 2019 (doi:10.1038/s41598-019-45619-9), one population per player, in the limit of strong
    selection with a small chance of losing moves (Rowland et al. 2019, NeurIPS; both recalled): one player at a time
    tries another strategy and takes it on if it pays more, with probability 1/m if it pays the same.

    Parameters
    ----------
    payoffs
        Of the game.
    population
        m above.
    mutation
        Chance of a move that pays less.

    Returns
    -------
    (s_1, ..., s_n) float64
        Stationary distribution; the mass of each player's strategy is its sum over the other axes.
    """
    unit = scaled(checked(payoffs))
    sizes = unit.shape[1:]
    cells = np.asarray(np.indices(sizes)).reshape(len(sizes), -1)
    count = cells.shape[1]
    chain = np.zeros((count, count))
    share = 1.0 / max(sum(size - 1 for size in sizes), 1)
    places: np.ndarray = np.arange(count)
    for player, size in enumerate(sizes):
        own = unit[player].reshape(-1)
        for strategy in range(size):
            other = cells.copy()
            other[player] = strategy
            target = np.asarray(np.ravel_multi_index(tuple(other), sizes))
            gap = own[target] - own
            rate = np.where(gap > 1e-12, 1.0, np.where(gap < -1e-12, mutation, 1.0 / population))
            moving = target != places
            chain[places[moving], target[moving]] += share * rate[moving]
    return stationary(chain).reshape(sizes)


def stationary(rates: np.ndarray) -> np.ndarray:
    """Return the stationary distribution of an irreducible chain; only what is off the diagonal counts.

    Without subtractions, so that small probabilities are as exact as large ones (Grassmann, Taksar & Heyman 1985,
    recalled).
    """
    work = np.array(rates, dtype=np.float64)
    size = len(work)
    for last in range(size - 1, 0, -1):
        work[:last, last] /= work[last, :last].sum()
        work[:last, :last] += work[:last, last, np.newaxis] * work[last, :last]
    out = np.zeros(size)
    out[0] = 1.0
    for state in range(1, size):
        out[state] = (out[:state] * work[:state, state]).sum()
    return out / out.sum()

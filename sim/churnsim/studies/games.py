"""Games in normal form: best replies, equilibria, dominance. Pure functions of arrays.

Payoffs are one array ``(n, s_1, ..., s_n)``: who is paid, then the strategy of every player. A *profile* is one
mixed strategy per player, each ``(s_i,)`` and summing to one. Whatever is returned as an equilibrium has been checked:
nobody gains by another strategy (`regrets`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Profile = tuple[np.ndarray, ...]

TOLERANCE = 1e-9
"""Gain from another strategy, as a share of the player's range of payoffs, up to which it counts as none."""

MOST_EXACT = 12
"""Strategies of a player up to which all supports of a game of two are tried."""

_CHUNK = 200_000
"""Pairs of supports solved at a time."""


@dataclass(frozen=True)
class Equilibrium:
    """A profile from which nobody gains by deviating alone.

    Attributes
    ----------
    profile : tuple of (s_i,) float64
        Probability of every strategy, by player.
    values : (n,) float64
        Expected payoff of every player.
    regret : float
        Largest gain from deviating, as a share of the player's range of payoffs.
    exact : bool
        Whether it comes from solving equations rather than from following a dynamic to its rest point.
    """

    profile: Profile
    values: np.ndarray
    regret: float
    exact: bool = True

    @property
    def supports(self) -> tuple[tuple[int, ...], ...]:
        """Strategies that are played at all, by player."""
        return tuple(tuple(int(i) for i in np.flatnonzero(p > TOLERANCE)) for p in self.profile)

    @property
    def is_pure(self) -> bool:
        """Whether nobody randomises."""
        return all(len(support) == 1 for support in self.supports)


def checked(payoffs: np.ndarray) -> np.ndarray:
    """Return payoffs as float64; raise ValueError where they are no game."""
    payoffs = np.asarray(payoffs, dtype=np.float64)
    if payoffs.ndim < 3 or payoffs.ndim != payoffs.shape[0] + 1:
        raise ValueError(f"payoffs of n players have the shape (n, s_1, ..., s_n), not {payoffs.shape}")
    if not payoffs.size or not np.isfinite(payoffs).all():
        raise ValueError("every payoff of a game is a finite number")
    return payoffs


def scaled(payoffs: np.ndarray) -> np.ndarray:
    """Return payoffs from 0 to 1, player by player; equilibria stay the same."""
    axes = tuple(range(1, payoffs.ndim))
    low = payoffs.min(axis=axes, keepdims=True)
    span = payoffs.max(axis=axes, keepdims=True) - low
    return (payoffs - low) / np.where(span > 0, span, 1.0)


def replies(payoffs: np.ndarray, profile: Profile, player: int) -> np.ndarray:
    """Return what each strategy earns a player against the others' mixed strategies, ``(s_player,)``."""
    values = payoffs[player]
    for other in reversed(range(len(profile))):
        if other != player:
            weights = profile[other].reshape([-1 if axis == other else 1 for axis in range(values.ndim)])
            values = (values * weights).sum(axis=other, keepdims=True)
    return values.reshape(-1)


def regrets(payoffs: np.ndarray, profile: Profile) -> np.ndarray:
    """Return how much each player would gain by its best strategy, ``(n,)``, in the unit of the payoffs."""
    gains = []
    for player, own in enumerate(profile):
        earned = replies(payoffs, profile, player)
        gains.append(earned.max() - (own * earned).sum())
    return np.array(gains)


def expected(payoffs: np.ndarray, profile: Profile) -> np.ndarray:
    """Return every player's expected payoff, ``(n,)``."""
    return np.array([(own * replies(payoffs, profile, i)).sum() for i, own in enumerate(profile)])


def best_replies(payoffs: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """Return where each player's strategy is a best reply to the others', ``(n, s_1, ..., s_n) bool``; ties count."""
    unit = scaled(payoffs)
    return np.array(
        [unit[i] >= unit[i].max(axis=i, keepdims=True) - tolerance for i in range(payoffs.shape[0])], dtype=bool
    )


def pure_equilibria(payoffs: np.ndarray) -> list[tuple[int, ...]]:
    """Return all equilibria without randomising, as one strategy per player."""
    return [tuple(int(i) for i in cell) for cell in np.argwhere(best_replies(payoffs).all(axis=0))]


def is_symmetric(payoffs: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Return whether players may be exchanged: what counts is what one plays, not who one is."""
    players = payoffs.shape[0]
    if len(set(payoffs.shape[1:])) != 1:
        return False
    span = float(payoffs.max() - payoffs.min()) or 1.0
    for i, j in itertools.combinations(range(players), 2):
        swapped = np.swapaxes(payoffs, i + 1, j + 1)
        order = list(range(players))
        order[i], order[j] = j, i
        if np.abs(swapped[order] - payoffs).max() > tolerance * span:
            return False
    return True


def pure(strategies: Sequence[int], sizes: Sequence[int]) -> Profile:
    """Return pure strategies as a profile."""
    return tuple(np.eye(size)[strategy] for strategy, size in zip(strategies, sizes, strict=True))


def equilibria(payoffs: np.ndarray, most: int = MOST_EXACT) -> list[Equilibrium]:
    """Return the equilibria that there are, pure ones first.

    Two players: every equilibrium of supports of equal size, which are all where the game is not degenerate
    (`is_degenerate`), for up to `most` strategies each once strictly dominated ones are gone. More
    players or strategies: all pure ones; mixed ones are then found by `churnsim.studies.evolution.attractors`.

    Parameters
    ----------
    payoffs
        Of the game.
    most
        Strategies of a player, the dominated left out, up to which mixed equilibria of two players are looked for.

    Raises
    ------
    ValueError
        If the payoffs are no game.
    """
    payoffs = checked(payoffs)
    sizes = payoffs.shape[1:]
    profiles = [pure(cell, sizes) for cell in pure_equilibria(payoffs)]
    if len(sizes) == 2:
        kept = undominated(payoffs)
        if max(map(len, kept)) <= most:
            unit = scaled(payoffs)[:, kept[0][:, np.newaxis], kept[1]]
            profiles += [_spread(pair, kept, sizes) for pair in _mixed(unit[0], unit[1])]
    return _verified(payoffs, profiles)


def symmetric_equilibria(payoffs: np.ndarray) -> list[Equilibrium]:
    """Return the equilibria of a symmetric game of two in which both play the same, for up to `MOST_EXACT` strategies.

    Every support is tried: on it, all strategies earn the same against the mix. One always exists (Nash 1951).
    """
    payoffs = checked(payoffs)
    unit = scaled(payoffs)[0]
    size = len(unit)
    if size > MOST_EXACT:
        raise ValueError(f"at most {MOST_EXACT} strategies; {size} given")
    profiles: list[Profile] = []
    for count in range(1, size + 1):
        supports = np.array(list(itertools.combinations(range(size), count)))
        mixes = _indifferent(unit[supports[:, :, np.newaxis], supports[:, np.newaxis, :]])
        for support, mix in zip(supports, mixes, strict=True):
            if np.isfinite(mix).all() and mix.min() > TOLERANCE:
                own = np.zeros(size)
                own[support] = mix
                profiles.append((own, own))
    return _verified(payoffs, profiles)


def _indifferent(matrices: np.ndarray) -> np.ndarray:
    """Return, for square payoff matrices ``(m, k, k)``, the mixes against which all rows earn the same, ``(m, k)``.

    A mix that is not unique, or does not exist, is NaN.
    """
    m, k, _ = matrices.shape
    bordered = np.zeros((m, k + 1, k + 1))
    bordered[:, :k, :k] = matrices
    bordered[:, :k, k] = -1.0
    bordered[:, k, :k] = 1.0
    right = np.zeros((m, k + 1, 1))
    right[:, k] = 1.0
    try:
        return np.linalg.solve(bordered, right)[:, :k, 0]
    except np.linalg.LinAlgError:  # one without a unique mix spoils the lot
        out = np.full((m, k), np.nan)
        fine = np.abs(np.linalg.det(bordered)) > 1e-14
        for i in np.flatnonzero(fine):
            try:
                out[i] = np.linalg.solve(bordered[i], right[i])[:k, 0]
            except np.linalg.LinAlgError:
                continue
        return out


def _mixed(A: np.ndarray, B: np.ndarray) -> list[Profile]:
    """Return the candidates of two players over all pairs of supports of the same size, 2 and more.

    Support enumeration (Dickhaut & Kaplan 1991; von Stengel 2002, recalled): the other's mix makes all
    strategies of one's own support earn the same. Only what is a best reply for the first player goes on.
    """
    found: list[Profile] = []
    for count in range(2, min(A.shape) + 1):
        rows = np.array(list(itertools.combinations(range(A.shape[0]), count)))
        columns = np.array(list(itertools.combinations(range(A.shape[1]), count)))
        step = max(1, _CHUNK // len(columns))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            pairs = np.stack(np.meshgrid(np.arange(len(some)), np.arange(len(columns)), indexing="ij"), -1)
            rows_in, columns_in = some[pairs[..., 0].ravel()], columns[pairs[..., 1].ravel()]
            y = _indifferent(A[rows_in[:, :, np.newaxis], columns_in[:, np.newaxis, :]])
            fine = np.isfinite(y).all(axis=1) & (y.min(axis=1) > TOLERANCE)
            rows_in, columns_in, y = rows_in[fine], columns_in[fine], y[fine]
            earned = (A[:, columns_in] * y).sum(axis=2).T if len(y) else np.zeros((0, len(A)))
            own = np.take_along_axis(earned, rows_in, axis=1).max(axis=1) if len(y) else np.zeros(0)
            best = earned.max(axis=1) <= own + 1e-7 if len(y) else np.zeros(0, bool)
            rows_in, columns_in, y = rows_in[best], columns_in[best], y[best]
            if not len(y):
                continue
            x = _indifferent(np.swapaxes(B[rows_in[:, :, np.newaxis], columns_in[:, np.newaxis, :]], 1, 2))
            for i, j, p, q in zip(rows_in, columns_in, x, y, strict=True):
                if np.isfinite(p).all() and p.min() > TOLERANCE:
                    first, second = np.zeros(A.shape[0]), np.zeros(A.shape[1])
                    first[i], second[j] = p, q
                    found.append((first, second))
    return found


def _spread(profile: Profile, kept: Sequence[np.ndarray], sizes: Sequence[int]) -> Profile:
    """Return a profile over the kept strategies as one over all."""
    out = []
    for mix, places, size in zip(profile, kept, sizes, strict=True):
        full = np.zeros(size)
        full[places] = mix
        out.append(full)
    return tuple(out)


def _verified(payoffs: np.ndarray, profiles: Sequence[Profile]) -> list[Equilibrium]:
    """Keep the profiles from which nobody gains by deviating, each once."""
    out: list[Equilibrium] = []
    unit = scaled(payoffs)
    for profile in profiles:
        profile = tuple(np.clip(mix, 0.0, None) / np.clip(mix, 0.0, None).sum() for mix in profile)
        regret = float(regrets(unit, profile).max())
        if regret > 1e-8 or any(_same(profile, known.profile) for known in out):
            continue
        out.append(Equilibrium(profile, expected(payoffs, profile), max(regret, 0.0)))
    return out


def _same(first: Profile, second: Profile, tolerance: float = 1e-6) -> bool:
    """Whether two profiles are equal but for rounding."""
    return all(np.abs(a - b).max() <= tolerance for a, b in zip(first, second, strict=True))


def is_degenerate(payoffs: np.ndarray) -> bool:
    """Return whether a game of two has pure strategies with several best replies, so that equilibria may form lines."""
    return bool(
        (
            best_replies(payoffs).sum(axis=tuple(range(1, payoffs.ndim)))
            > payoffs[0].size / np.array(payoffs.shape[1:])
        ).any()
    )


# ---------------------------------------------------------------------- dominance


@dataclass(frozen=True)
class Dominated:
    """A strategy that another one beats whatever the rest do.

    Attributes
    ----------
    player, strategy : int
        Whose, and which.
    by : (s_player,) float64
        The strategy that is better, pure or mixed.
    round : int
        In which round of iterated elimination it goes, from 1.
    """

    player: int
    strategy: int
    by: np.ndarray
    round: int


def dominated(payoffs: np.ndarray, *, weak: bool = False, mixed: bool = True) -> list[Dominated]:
    """Return what iterated elimination takes away, round by round.

    Parameters
    ----------
    payoffs
        Of the game.
    weak
        Whether being never better and sometimes worse is enough. What iterated weak dominance leaves depends on the
        order; here all weakly dominated strategies of a round go together. A mixed dominator is then not looked for.
    mixed
        Whether a mix of strategies may dominate (a linear programme each), not only another strategy.
    """
    unit = scaled(checked(payoffs))
    kept = [np.arange(size) for size in unit.shape[1:]]
    gone: list[Dominated] = []
    for turn in itertools.count(1):
        going = []
        for player in range(len(kept)):
            table = np.moveaxis(unit[player][np.ix_(*kept)], player, 0).reshape(len(kept[player]), -1)
            for place in range(len(table)):
                by = _dominator(table, place, weak=weak, mixed=mixed and not weak)
                if by is not None:
                    full = np.zeros(unit.shape[player + 1])
                    full[kept[player]] = by
                    going.append(Dominated(player, int(kept[player][place]), full, turn))
        if not going:
            return gone
        gone += going
        for player in range(len(kept)):
            leaving = [one.strategy for one in going if one.player == player]
            kept[player] = kept[player][~np.isin(kept[player], leaving)]
    return gone


def undominated(payoffs: np.ndarray) -> list[np.ndarray]:
    """Return what iterated elimination of strategies that another pure one strictly dominates leaves, by player."""
    gone = dominated(payoffs, mixed=False)
    return [
        np.array([s for s in range(size) if not any(d.player == i and d.strategy == s for d in gone)])
        for i, size in enumerate(payoffs.shape[1:])
    ]


def _dominator(table: np.ndarray, place: int, *, weak: bool, mixed: bool) -> np.ndarray | None:
    """Return a mix of the rows of a table that dominates one of them, or None.

    Parameters
    ----------
    table : (s, m)
        Payoffs of own strategies against everything that the others may do.
    """
    gaps = table - table[place]
    better = (gaps >= 0).all(axis=1) & (gaps > TOLERANCE).any(axis=1) if weak else (gaps > TOLERANCE).all(axis=1)
    if better.any():
        return np.eye(len(table))[int(np.argmax(np.where(better, gaps.min(axis=1), -np.inf)))]
    if not mixed or len(table) < 3:
        return None
    from scipy.optimize import linprog

    # Largest margin by which a mix beats the row in every column: max e with sum_r p_r gap[r, c] >= e.
    count, columns = table.shape
    answer = linprog(
        np.r_[np.zeros(count), -1.0],
        A_ub=np.c_[-gaps.T, np.ones(columns)],
        b_ub=np.zeros(columns),
        A_eq=[[*np.ones(count), 0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * count + [(None, None)],
    )
    return answer.x[:count] if answer.status == 0 and answer.x[-1] > 1e-7 else None

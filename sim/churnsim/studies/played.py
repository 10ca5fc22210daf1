"""A game that was played in simulated markets: payoffs by replication, and what they say with how much certainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from churnsim.studies.evolution import Attractor, attractors, trajectory
from churnsim.studies.game_sampling import Certainty, Doubt, Supported, certainty, doubts
from churnsim.studies.games import (
    MOST_EXACT,
    Dominated,
    Equilibrium,
    Profile,
    best_replies,
    dominated,
    expected,
    is_degenerate,
    undominated,
)
from churnsim.studies.gaps import Losses
from churnsim.studies.intervals import Interval, student


@dataclass(frozen=True, eq=False)
class Played:
    """The game at one level of what is varied.

    Attributes
    ----------
    players, labels : tuple of str
        Firms and strategies.
    level : object
        Value of what is varied; None where nothing is.
    samples : (R, n, s, ..., s) float64
        Payoff of every player in every combination, by replication.
    symmetric : bool
        Whether the market makes no difference between the players; each combination was then run once.
    losses : Losses or None
        What failed runs have taken away; None where none of this game's has failed.
    """

    players: tuple[str, ...]
    labels: tuple[str, ...]
    level: Any
    samples: np.ndarray
    symmetric: bool
    losses: Losses | None = None

    @cached_property
    def means(self) -> np.ndarray:
        """Mean payoffs, ``(n, s, ..., s)``."""
        return self.samples.mean(axis=0)

    @cached_property
    def certainty(self) -> Certainty:
        """Equilibria, best replies and ranks with their probabilities."""
        return certainty(self.samples, self.symmetric)

    @cached_property
    def doubts(self) -> list[Doubt]:
        """Where more replications would settle something; of players that may be exchanged, the first one's."""
        found = doubts(self.samples, self.certainty.best, most=10)
        return [doubt for doubt in found if doubt.player == 0 or not self.symmetric][:5]

    @cached_property
    def dominated(self) -> list[Dominated]:
        """What iterated elimination of strictly dominated strategies takes away, by the means."""
        return dominated(self.means)

    @cached_property
    def weakly(self) -> list[Dominated]:
        """The same of weakly dominated strategies, which depends on the order."""
        return dominated(self.means, weak=True)

    @cached_property
    def attractors(self) -> tuple[list[Attractor], float]:
        """Where replicator dynamics lead, and the share of starts from which they lead nowhere."""
        return attractors(self.means, ticks=1500, symmetric=self.symmetric)

    @cached_property
    def equilibria(self) -> list[Supported]:
        """Equilibria of the mean payoffs, the best supported first; where not all are found, attractors too."""
        found = [one for one in self.certainty.equilibria if one.equilibrium is not None]
        if not self.is_exhaustive:
            known = {one.supports for one in found}
            found += [
                Supported(a.equilibrium.supports, a.equilibrium, None, np.full(2, np.nan))
                for a in self.attractors[0]
                if a.equilibrium.supports not in known
            ]
        order = {True: 0, False: 1}
        return sorted(found, key=lambda one: (order[one.probability is not None], -(one.probability or 0)))

    @cached_property
    def twins(self) -> dict[str, str]:
        """Strategies that did in every run what an earlier one does, and which: their mechanism may be off."""
        count, found = len(self.labels), {}
        for late in range(count):
            for early in range(late):
                if all(
                    np.array_equal(np.take(self.samples, late, axis), np.take(self.samples, early, axis))
                    for axis in range(2, self.samples.ndim)
                ):
                    found[self.labels[late]] = self.labels[early]
                    break
        return found

    @cached_property
    def is_exhaustive(self) -> bool:
        """Whether mixed equilibria are enumerated: two players, and not too many strategies."""
        return len(self.players) == 2 and max(map(len, undominated(self.means))) <= MOST_EXACT

    @property
    def is_degenerate(self) -> bool:
        """Whether some strategy has several best replies, so that there may be more equilibria than are listed."""
        return is_degenerate(self.means)

    @property
    def pure_cells(self) -> list[tuple[str, ...]]:
        """Equilibria in which nobody randomises, by the strategies' labels."""
        return [
            tuple(self.labels[support[0]] for support in one.supports)
            for one in self.equilibria
            if one.equilibrium is not None and one.equilibrium.is_pure
        ]

    def earned(self, profile: Profile) -> list[Interval]:
        """Return what each player earns in a profile, with 95 % intervals over replications."""
        rows = np.array([expected(sample, profile) for sample in self.samples])
        return [student(column) for column in rows.T]

    def payoff(self, player: int, cell: tuple[int, ...]) -> Interval:
        """Return one player's payoff in one combination."""
        at: Any = (slice(None), player, *cell)
        return student(self.samples[at])

    def better_for_all(self, equilibrium: Equilibrium) -> tuple[tuple[int, ...], list[Interval]] | None:
        """Return a combination in which every player earns more than in an equilibrium, and how much more.

        Of those whose 95 % intervals of the paired gains all lie above 0, the one whose smallest gain is the largest;
        None where there is none, so that the equilibrium is no dilemma.
        """
        base = np.array([expected(sample, equilibrium.profile) for sample in self.samples])
        axes = (...,) + (np.newaxis,) * len(self.players)
        gains = self.samples - base[axes]
        least = gains.mean(axis=0).min(axis=0)
        for place in np.argsort(-least, axis=None, kind="stable"):
            cell = tuple(int(i) for i in np.unravel_index(place, least.shape))
            if least[cell] <= 0:
                return None
            told = [student(gains[(slice(None), player, *cell)]) for player in range(len(self.players))]
            if all(one.low > 0 for one in told):
                return cell, told
        return None

    def trajectories(self, starts: int = 12, ticks: int = 300) -> pd.DataFrame:
        """Return replicator dynamics from an even mix and from mixes in which one strategy has most of the market.

        Returns
        -------
        pandas.DataFrame
            start, step, player, strategy, share.
        """
        size = len(self.labels)
        mixes = [np.full(size, 1 / size)]
        mixes += [np.where(np.arange(size) == k, 0.7, 0.3 / (size - 1)) for k in range(min(size, starts - 1))]
        rows = []
        for number, mix in enumerate(mixes):
            courses = trajectory(self.means, (mix,) * len(self.players), ticks)
            for player, course in zip(self.players, courses, strict=True):
                for k, name in enumerate(self.labels):
                    rows.append(pd.DataFrame({
                        "start": number, "step": np.arange(ticks + 1), "player": player, "strategy": name,
                        "share": course[:, k],
                    }))  # fmt: skip
        return pd.concat(rows, ignore_index=True)

    def frame(self) -> pd.DataFrame:
        """Return one row per combination and player.

        Returns
        -------
        pandas.DataFrame
            level, player, one column per player with the label of its strategy (named after the firm), mean, low,
            high (95 % interval), runs, best (whether the strategy is a best reply by the means), chance (share of
            resamples in which it is).
        """
        best = best_replies(self.means)
        rows = []
        for cell in np.ndindex(self.means.shape[1:]):
            for player, firm in enumerate(self.players):
                told = self.payoff(player, cell)
                place: Any = (player, *cell)
                rows.append(
                    {"level": self.level, "player": firm}
                    | {name: self.labels[i] for name, i in zip(self.players, cell, strict=True)}
                    | {
                        "mean": told.value, "low": told.low, "high": told.high, "runs": told.runs,
                        "best": bool(best[place]), "chance": float(self.certainty.best[place]),
                    }
                )  # fmt: skip
        return pd.DataFrame(rows)


def path(games: Sequence[Played]) -> pd.DataFrame:
    """Return how probable each equilibrium is at every level of what varies.

    Returns
    -------
    pandas.DataFrame
        level, equilibrium (strategies by player, joined), probability (share of resamples; where they look for pure
        ones alone, NaN of a mixed one).
    """
    rows: dict[tuple[Any, str], float] = {}
    for game in games:
        for one in game.certainty.equilibria:
            words = " / ".join(" + ".join(game.labels[k] for k in support) for support in one.supports)
            rows[(game.level, words)] = np.nan if one.probability is None else one.probability
    names = dict.fromkeys(name for _, name in rows)
    return pd.DataFrame(
        [
            {"level": game.level, "equilibrium": name, "probability": rows.get((game.level, name), 0.0)}
            for game in games
            for name in names
        ]
    )

"""Learning which item of a small menu pays: prices times relationship levels, judged by one's own profit."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.arithmetic import Notes, each
from churnsim.strategies.base import Action, Strategy, View
from churnsim.strategies.timing import Reviewed


def at_position(luck: Any, count: Any) -> Any:
    """Return a place from 0 to `count` - 1 for each uniform number, every place as likely as any other."""
    import numpy as np

    return np.minimum((luck * count).astype(np.int64), count - 1)


class Earned:
    """Own profit per tick since the last review, and whose doing it was.

    Parameters
    ----------
    notes
        The firm's notes.
    due : (n,) bool
        Where this is a tick of review.

    Attributes
    ----------
    arm : (n,) int
        Item of the menu in force in the last tick; -1 before the first choice.
    reward : (n,) float
        Mean profit per tick while it was in force.
    known : (n,) bool
        Where a review has a reward to learn from.
    """

    def __init__(self, notes: Notes, due: Any) -> None:
        import numpy as np

        self.notes, self.due = notes, due
        self.arm = notes.read("arm", -1)
        acting = self.arm >= 0
        self._sum = notes.read("earned", 0.0) + np.where(acting, notes.column(notes.view.profit), 0.0)
        self._ticks = notes.read("ticks", 0) + acting
        self.known = due & (self._ticks > 0)
        self.reward = self._sum / np.maximum(self._ticks, 1)

    def choose(self, arm: Any) -> Any:
        """Put an item in force where this is a review; return what is in force everywhere."""
        import numpy as np

        arm = np.where(self.due, arm, self.arm)
        self.notes.keep(arm=arm, earned=np.where(self.due, 0.0, self._sum), ticks=np.where(self.due, 0, self._ticks))
        return arm


class Menu(Reviewed):
    """A menu of prices and relationship levels, tried out in turn."""

    prices: int = declared(3, en="Prices on the menu", zh="备选价格数", unit="prices", low=1, high=25, plausible=(2, 7))
    lowest: float = declared(
        0.85, en="Lowest price", zh="最低备选价格", unit="share of the list price", low=0, high=10, plausible=(0.6, 1)
    )
    highest: float = declared(
        1.15, en="Highest price", zh="最高备选价格", unit="share of the list price", low=0, high=10,
        plausible=(1, 1.5),
    )  # fmt: skip
    levels: tuple[Literal["basic", "reactive", "accountable", "proactive", "partnership"], ...] = declared(
        ("basic", "proactive"), en="Relationship levels on the menu (none: as listed)", zh="备选关系层级"
    )
    recency: float = declared(
        0, en="Weight of the latest reward (0: all count alike)", zh="最新收益权重", low=0, high=1,
        plausible=(0, 0.5), source="Sutton & Barto 2018: a constant step where the world changes; assumed",
    )  # fmt: skip

    def alike(self) -> tuple[Any, ...]:
        """Return what must be the same in one call: the size of the menu and its levels."""
        return (type(self), self.prices, self.levels)

    def scores(self, count: Any, mean: Any, view: View) -> Any:
        """Return how attractive each item is, (n, items); every item has been tried."""
        raise NotImplementedError

    def exploring(self, notes: Notes) -> Any:
        """Return where an item is drawn at random instead, (n,) bool."""
        import numpy as np

        return np.zeros(notes.count, np.bool_)

    def decide(self, view: View) -> Action:
        """Learn from the profit since the last review; try what has not been tried, then what scores highest."""
        import numpy as np

        notes = Notes(view)
        earned = Earned(notes, notes.column(self.due(view)))
        items = self.prices * max(len(self.levels), 1)
        count, mean = notes.read("count", 0, (items,)), notes.read("mean", 0.0, (items,))
        rows, arm = np.arange(notes.count), np.maximum(earned.arm, 0)
        count[rows, arm] += earned.known
        recency = notes.column(self.recency)
        step = np.where((recency > 0) & (count[rows, arm] > 1), recency, 1 / np.maximum(count[rows, arm], 1))
        mean[rows, arm] += np.where(earned.known, step * (earned.reward - mean[rows, arm]), 0.0)
        notes.keep(count=count, mean=mean)
        fresh = (count == 0).sum(axis=1)
        luck = notes.column(view.luck[1])
        by_age = np.argsort(count > 0, axis=1, kind="stable")  # what has not been tried comes first
        untried = by_age[rows, at_position(luck, np.maximum(fresh, 1))]
        tried = np.where(self.exploring(notes), at_position(luck, items), np.argmax(self.scores(count, mean, view), 1))
        return self._action(notes, earned.choose(np.where(fresh > 0, untried, tried)))

    def _action(self, notes: Notes, arm: Any) -> Action:
        """Return the levers of the items in force; the list's before the first choice."""
        import numpy as np

        view, kinds = notes.view, max(len(self.levels), 1)
        chosen = arm >= 0
        place = (arm // kinds) / max(self.prices - 1, 1) if self.prices > 1 else np.full(notes.count, 0.5)
        factor = notes.column(self.lowest) * (1 - place) + notes.column(self.highest) * place
        price = np.where(chosen, notes.column(view.price) * factor, np.nan)
        levels = np.where(chosen, np.array([*self.levels, ""])[arm % kinds], "") if self.levels else None
        return Action(price=notes.answer(price), relationship=None if levels is None else notes.answer(levels))


class EpsilonGreedy(Menu, Strategy):
    """Mostly do what has earned most so far; now and then try something at random.

    Names (recalled): epsilon-greedy bandit (Robbins 1952; Sutton & Barto 2018), market experimentation (Rothschild
    1974).
    """

    name: Literal["epsilon_greedy"] = "epsilon_greedy"
    arrays: ClassVar[bool] = True
    epsilon: float = declared(
        0.1, en="Chance of trying something at random", zh="探索概率", low=0, high=1, plausible=(0, 0.3),
        source="Sutton & Barto 2018",
    )  # fmt: skip

    def scores(self, count: Any, mean: Any, view: View) -> Any:
        """Return the mean rewards."""
        return mean

    def exploring(self, notes: Notes) -> Any:
        """Return where chance says so."""
        return notes.column(notes.view.luck[0]) < notes.column(self.epsilon)


class UpperConfidenceBound(Menu, Strategy):
    """Do what may be best, given how seldom it has been tried.

    The bonus is measured against the spread of the mean rewards, so that it does not depend on the currency.

    Names (recalled): UCB bandit (Auer, Cesa-Bianchi & Fischer 2002); pricing with bandits (Misra, Schwartz &
    Abernethy 2019).
    """

    name: Literal["ucb"] = "ucb"
    arrays: ClassVar[bool] = True
    optimism: float = declared(
        0.5, en="Weight of what is not known", zh="乐观系数", low=0, high=100, plausible=(0.1, 2),
        source="sqrt(2) is UCB1 for rewards between 0 and 1; assumed",
    )  # fmt: skip

    def scores(self, count: Any, mean: Any, view: View) -> Any:
        """Return the mean rewards and the bonus."""
        import numpy as np

        trials = each(_log, count.sum(axis=1))
        spread = mean.max(axis=1) - mean.min(axis=1)
        weight = (np.broadcast_to(np.asarray(self.optimism), spread.shape) * spread)[:, np.newaxis]
        return mean + weight * np.sqrt(trials[:, np.newaxis] / np.maximum(count, 1))


def _log(number: float) -> float:
    """Return the logarithm of a number of trials."""
    import math

    return math.log(max(number, 1))

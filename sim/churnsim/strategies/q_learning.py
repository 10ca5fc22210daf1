"""Learning by reinforcement what to charge after which prices."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.arithmetic import Notes, each
from churnsim.strategies.base import Action, Strategy, View
from churnsim.strategies.menu import Earned, at_position
from churnsim.strategies.timing import Reviewed


class QLearning(Reviewed, Strategy):
    """Learn by trial and error what each price is worth after what oneself and the cheapest rival charged last.

    Against one rival this is the algorithm of Calvano et al., except that all values begin at what the first profit
    would be worth for ever. Luck is the firm's own and the same in every repetition. Their firms learn for hundreds of
    thousands of periods; in a hundred ticks it is a beginner.

    Names (recalled): Q-learning (Watkins & Dayan 1992), algorithmic pricing and collusion (Calvano, Calzolari,
    Denicolo & Pastorello 2020).
    """

    name: Literal["q_learning"] = "q_learning"
    arrays: ClassVar[bool] = True
    prices: int = declared(
        5, en="Prices on the grid", zh="价格格点数", unit="prices", low=2, high=15, plausible=(3, 15),
        source="Calvano et al. 2020: 15; fewer, because fewer ticks",
    )  # fmt: skip
    lowest: float = declared(
        0.8, en="Lowest price", zh="最低价格", unit="share of the list price", low=0, high=10, plausible=(0.6, 1)
    )
    highest: float = declared(
        1.2, en="Highest price", zh="最高价格", unit="share of the list price", low=0, high=10, plausible=(1, 1.5)
    )
    learning: float = declared(
        0.15, en="Learning rate", zh="学习率", low=0, high=1, plausible=(0.05, 0.4), source="Calvano et al. 2020"
    )
    patience: float = declared(
        0.95, en="Weight of the next period", zh="折现因子", low=0, high=0.9999, plausible=(0.8, 0.99),
        source="Calvano et al. 2020",
    )  # fmt: skip
    decay: float = declared(
        0.05, en="Decline of exploration", zh="探索衰减率", unit="per review", low=0, high=100, plausible=(0.005, 0.2),
        source="Calvano et al. 2020 (form): exp(-decay t); size assumed",
    )  # fmt: skip

    def alike(self) -> tuple[Any, ...]:
        """Return what must be the same in one call: the size of the grid."""
        return (type(self), self.prices)

    def decide(self, view: View) -> Action:
        """At a review, learn from the profit since the last one, and choose a price for the state that it led to."""
        import numpy as np

        notes, size = Notes(view), self.prices
        due = notes.column(self.due(view))
        earned = Earned(notes, due)
        patience = notes.column(self.patience)
        worth = notes.column(view.profit) / (1 - patience)
        q = notes.read("q", worth[:, np.newaxis, np.newaxis], (size * size, size))
        state, reviews = notes.read("state", 0), notes.read("reviews", 0)
        rows, arm = np.arange(notes.count), np.maximum(earned.arm, 0)
        now = np.where(earned.arm >= 0, arm, self._nearest(notes, view.last_price)) * size + self._rival(notes)
        target = earned.reward + patience * q[rows, now].max(axis=1)
        move = notes.column(self.learning) * (target - q[rows, state, arm])
        q[rows, state, arm] += np.where(earned.known, move, 0.0)
        explore = notes.column(view.luck[0]) < each(_still_curious, notes.column(self.decay), reviews)
        chosen = np.where(explore, at_position(notes.column(view.luck[1]), size), np.argmax(q[rows, now], axis=1))
        notes.keep(q=q, state=np.where(due, now, state), reviews=reviews + due)
        arm = earned.choose(chosen)
        place = arm / (size - 1)
        factor = notes.column(self.lowest) * (1 - place) + notes.column(self.highest) * place
        return Action(price=notes.answer(np.where(arm >= 0, notes.column(view.price) * factor, np.nan)))

    def _rival(self, notes: Notes) -> Any:
        """Return the place on the own grid that is nearest to the cheapest rival's last price."""
        import numpy as np

        view = notes.view
        prices = view.rival_prices or (view.last_price,)
        return self._nearest(notes, np.min([notes.column(price) for price in prices], axis=0))

    def _nearest(self, notes: Notes, price: Any) -> Any:
        """Return the place on the grid nearest to a price."""
        import numpy as np

        listed, low = notes.column(notes.view.price), notes.column(self.lowest)
        width = (notes.column(self.highest) - low) * listed
        place = (notes.column(price) - low * listed) / np.where(width > 0, width, 1.0)
        place = np.where(width > 0, np.clip(place, 0.0, 1.0), 0.0)
        return np.rint(place * (self.prices - 1)).astype(np.int64)


def _still_curious(decay: float, reviews: float) -> float:
    """Return the chance of exploring."""
    return math.exp(-decay * reviews)

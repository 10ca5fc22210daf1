"""Controls: doing nothing, and doing anything."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Action, Strategy, View, where

LEVELS = ("basic", "reactive", "accountable", "proactive", "partnership")
"""The relationship levels, as in `churnsim.config.firms`."""


class Passive(Strategy):
    """Keep to the list: the control that every strategy must be compared with.

    Names (recalled): status quo, business as usual.
    """

    name: Literal["passive"] = "passive"
    arrays: ClassVar[bool] = True

    def decide(self, view: View) -> Action:
        """Change nothing."""
        return Action()


class Random(Strategy):
    """Draw price and relationship level at random every few ticks: the null model.

    Names (recalled): zero-intelligence firm (Gode & Sunder 1993).
    """

    name: Literal["random"] = "random"
    arrays: ClassVar[bool] = True
    price_spread: float = declared(
        0.3, en="Largest relative price change", zh="最大价格变动幅度", low=0, high=1, plausible=(0, 0.4)
    )
    every: int = declared(6, en="Ticks between draws", zh="调整间隔", unit="ticks", low=1, high=1000, plausible=(1, 12))

    def decide(self, view: View) -> Action:
        """Draw new levers at a review tick; keep the last ones otherwise."""
        review = (view.tick - 1) % self.every == 0
        price, level, *_ = view.luck
        drawn = view.price * (1 + self.price_spread * (2 * price - 1))
        return Action(
            price=where(review, drawn, view.last_price),
            relationship=where(review, level_at(level), view.last_relationship),
        )


def level_at(luck: Any) -> Any:
    """Return the relationship level that a uniform number stands for, each as likely as any other."""
    if not hasattr(luck, "shape"):
        return LEVELS[int(luck * len(LEVELS))]
    import numpy as np

    return np.array(LEVELS)[(luck * len(LEVELS)).astype(int)]

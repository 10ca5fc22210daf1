"""Controls: doing nothing, and doing anything."""

from __future__ import annotations

from typing import Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Action, Strategy, View


class Passive(Strategy):
    """Keep to the list: the control that every strategy must be compared with.

    Names: status quo, business as usual.
    """

    name: Literal["passive"] = "passive"

    def decide(self, view: View) -> Action:
        """Change nothing."""
        return Action()


class Random(Strategy):
    """Draw price and relationship level at random every few ticks: the null model.

    Names: zero-intelligence firm (Gode & Sunder 1993).
    """

    name: Literal["random"] = "random"
    price_spread: float = declared(
        0.3, en="Largest relative price change", zh="最大价格变动幅度", low=0, high=1, plausible=(0, 0.4)
    )
    every: int = declared(6, en="Ticks between draws", zh="调整间隔", unit="ticks", low=1, high=1000, plausible=(1, 12))

    def decide(self, view: View) -> Action:
        """Draw new levers at a review tick; keep the last ones otherwise."""
        if (view.tick - 1) % self.every:
            return Action(price=view.last_price, relationship=view.last_relationship)
        price, level, *_ = view.luck
        levels = ("basic", "reactive", "accountable", "proactive", "partnership")
        return Action(
            price=view.price * (1 + self.price_spread * (2 * price - 1)),
            relationship=levels[int(level * len(levels))],
        )

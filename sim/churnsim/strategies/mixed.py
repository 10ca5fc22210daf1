"""Strategies that pull several levers at once."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Action, Strategy, View, where


class Mixed(Strategy):
    """A moderate price cut together with relationship work and service money.

    Names (recalled): hybrid strategy (Faulkner & Bowman 1992); the course's "combine the options".
    """

    name: Literal["mixed"] = "mixed"
    arrays: ClassVar[bool] = True
    depth: float = declared(
        0.10, en="Depth of the price cut", zh="降价幅度", unit="share of the list price", low=0, high=1,
        plausible=(0, 0.4),
    )  # fmt: skip
    level: Literal["basic", "reactive", "accountable", "proactive", "partnership"] = declared(
        "accountable", en="Relationship level", zh="关系层级"
    )
    extra: float = declared(
        5, en="Service money on top of the list", zh="额外服务投入", unit="currency per stay", low=0, high=1e8,
        plausible=(0, 60),
    )  # fmt: skip
    start: int = declared(1, en="First tick", zh="开始时间", unit="tick", low=1, high=100_000)

    def decide(self, view: View) -> Action:
        """Cut, contact and serve."""
        begun = view.tick >= self.start
        return Action(
            price=where(begun, view.price * (1 - self.depth), None),
            service=where(begun, view.service + self.extra, None),
            relationship=where(begun, self.level, None),
        )

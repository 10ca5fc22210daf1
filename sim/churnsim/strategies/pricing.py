"""Strategies that use the price."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import model_validator

from churnsim.declarations import declared
from churnsim.strategies.base import Action, Strategy, View, where


class PriceCut(Strategy):
    """Cut the list price, for ever or until a tick at which it is restored.

    Names (recalled): penetration pricing (without `restore`), temporary promotion (with it); Eton's way in the
    course's case of two hotels. Blattberg & Neslin 1990.
    """

    name: Literal["price_cut"] = "price_cut"
    arrays: ClassVar[bool] = True
    depth: float = declared(
        0.25, en="Depth of the cut", zh="降价幅度", unit="share of the list price", low=0, high=1,
        plausible=(0.05, 0.4), source="prototype of the two-hotel case",
    )  # fmt: skip
    start: int = declared(1, en="First tick of the cut", zh="降价开始", unit="tick", low=1, high=100_000)
    restore: int | None = declared(
        None, en="Tick in which the list price returns", zh="恢复原价", unit="tick", low=1, high=100_000
    )
    promotion: bool = declared(
        False, en="Announced as temporary", zh="是否作为限时促销",
        source="a label that attribution, stocks and price sensitivity go by",
    )  # fmt: skip

    @model_validator(mode="after")
    def _restore_after_start(self) -> PriceCut:
        """Refuse a cut that ends before it begins."""
        if self.restore is not None and self.restore <= self.start:
            raise ValueError(f"restore ({self.restore}) must come after start ({self.start})")
        return self

    def decide(self, view: View) -> Action:
        """Charge the list price less the cut while it lasts."""
        restored = view.tick >= (math.inf if self.restore is None else self.restore)
        running = where(restored, False, view.tick >= self.start)
        return Action(
            price=where(running, view.price * (1 - self.depth), None),
            promotion=where(running, self.promotion, False),
        )

"""Strategies that invest in quality."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Action, Strategy, View, where


class ServiceQuality(Strategy):
    """Spend more money on every stay.

    Names (recalled): quality leadership; return on quality (Rust, Zahorik & Keiningham 1995).
    """

    name: Literal["service_quality"] = "service_quality"
    arrays: ClassVar[bool] = True
    extra: float = declared(
        20, en="Service money on top of the list", zh="额外服务投入", unit="currency per stay", low=0, high=1e8,
        plausible=(0, 60),
    )  # fmt: skip
    start: int = declared(1, en="First tick", zh="开始时间", unit="tick", low=1, high=100_000)

    def decide(self, view: View) -> Action:
        """Keep the list price; add to the service money."""
        return Action(service=where(view.tick >= self.start, view.service + self.extra, None))

"""Strategies that invest in the relationship."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Action, Strategy, View, where


class RelationshipInvestment(Strategy):
    """Raise the relationship level and train the staff.

    Names: relationship marketing (Berry 1983; De Wulf, Odekerken-Schröder & Iacobucci
    2001), Nanyuan's way in the course's case of two hotels.
    """

    name: Literal["relationship_investment"] = "relationship_investment"
    arrays: ClassVar[bool] = True
    level: Literal["basic", "reactive", "accountable", "proactive", "partnership"] = declared(
        "proactive", en="Relationship level", zh="关系层级", source="docs/model.md: the level of the two-hotel case"
    )
    budget: float | None = declared(
        None, en="Money at most (none: as listed)", zh="预算上限",
        unit="currency per customer and tick", low=0, high=1e9, plausible=(0, 12),
    )  # fmt: skip
    training: float = declared(
        5, en="Staff training", zh="员工培训投入", unit="currency per stay", low=0, high=1e8, plausible=(0, 25),
        source="prototype of the two-hotel case",
    )  # fmt: skip
    start: int = declared(1, en="First tick", zh="开始时间", unit="tick", low=1, high=100_000)

    def decide(self, view: View) -> Action:
        """Keep the list price; spend on contacts and staff."""
        begun = view.tick >= self.start
        return Action(
            training=where(begun, view.training + self.training, None),
            relationship=where(begun, self.level, None),
            relationship_budget=where(begun, self.budget, None),
        )

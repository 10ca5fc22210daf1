"""Strategies that invest in the relationship: by steady work, or by favours that nobody expected."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Action, Strategy, View, where
from churnsim.strategies.timing import Programme


class RelationshipInvestment(Strategy):
    """Raise the relationship level and train the staff.

    Names (recalled): relationship marketing (Berry 1983; De Wulf, Odekerken-Schröder & Iacobucci 2001), Nanyuan's
    way in the course's case of two hotels.
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


class UnexpectedFavours(Programme, Strategy):
    """Do customers favours that they did not expect.

    Names (recalled): surprise and delight, reciprocity. Gouldner 1960; Regan 1971; course S66. Needs the mechanism
    ``favours``.
    """

    name: Literal["favours"] = "favours"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "favours"
    coverage: float = declared(
        0.1, en="Customers who get an unexpected favour", zh="意外恩惠覆盖率", unit="per tick", low=0, high=1,
        plausible=(0, 0.3), source="course S66; size assumed",
    )  # fmt: skip
    worth: float = declared(
        20, en="Worth and cost of a favour", zh="单次恩惠价值", unit="currency", low=0, high=1e9, plausible=(5, 100),
        source="assumed",
    )  # fmt: skip

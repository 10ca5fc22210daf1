"""Strategies that divide a given sum."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.arithmetic import larger, ratio
from churnsim.strategies.base import Action, Strategy, View, where
from churnsim.strategies.timing import Started

FEWEST = 0.01
"""Customers, per market customer, over whom the money for keeping customers is spread at least."""


class BudgetSplit(Started, Strategy):
    """Divide a budget between winning customers and keeping them.

    What is for winning becomes advertising; what is for keeping becomes reminders, clubs and relationship work, in
    proportion to their parts. Relationship work takes no more money than its level costs.

    Names (recalled): acquisition against retention, customer equity test (Blattberg & Deighton 1996). Reinartz,
    Thomas & Kumar 2005. Advertising needs the mechanism ``acquisition``, reminders ``reminders``, clubs
    ``loyalty_card``.
    """

    name: Literal["budget_split"] = "budget_split"
    arrays: ClassVar[bool] = True
    budget: float = declared(
        2, en="Budget", zh="总预算", unit="currency per market customer and tick", low=0, high=1e7, plausible=(0, 10)
    )
    acquisition: float = declared(
        0.5, en="Share for winning customers", zh="获客预算占比", low=0, high=1, plausible=(0, 1),
        source="the course: 5 to 10 times as dear as keeping; what the best share is, is the question",
    )  # fmt: skip
    reminders: float = declared(0.2, en="Part of reminders in keeping", zh="提醒权重", low=0, high=1, plausible=(0, 1))
    club: float = declared(0.3, en="Part of clubs in keeping", zh="俱乐部权重", low=0, high=1, plausible=(0, 1))
    relationship: float = declared(
        0.5, en="Part of relationship work in keeping", zh="关系维护权重", low=0, high=1, plausible=(0, 1)
    )
    level: Literal["basic", "reactive", "accountable", "proactive", "partnership"] = declared(
        "partnership", en="Relationship level", zh="关系层级"
    )

    def decide(self, view: View) -> Action:
        """Spend the budget, whatever the split; without parts all that is for keeping goes to relationship work."""
        begun = self.begun(view)
        parts = self.reminders + self.club + self.relationship
        each = self.budget * (1 - self.acquisition) / larger(view.customers, FEWEST)
        return Action(
            advertising_spend=where(begun, self.budget * self.acquisition, None),
            reminders_spend=where(begun, each * ratio(self.reminders, parts), None),
            card_club=where(begun, each * ratio(self.club, parts), None),
            relationship=where(begun, self.level, None),
            relationship_budget=where(begun, each * ratio(self.relationship, parts, 1.0), None),
        )

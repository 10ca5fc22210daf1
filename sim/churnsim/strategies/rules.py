"""Rules of thumb for prices: cost plus, a target for the share, a target for profit."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.arithmetic import known, larger, within
from churnsim.strategies.base import Action, Strategy, View, where
from churnsim.strategies.timing import Reviewed

LEAST_LOAD = 0.2
"""Part of capacity over which fixed cost is spread at least, so that an empty house does not price itself out."""


def spread(view: View, amount: Any) -> Any:
    """Return an amount per expected stay."""
    return amount / larger(view.expected_stays, larger(LEAST_LOAD * view.capacity, 1e-9))


class CostPlus(Reviewed, Strategy):
    """Charge the cost of a stay and a mark-up.

    Names (recalled): cost-plus, mark-up or full-cost pricing. Hall & Hitch 1939.
    """

    name: Literal["cost_plus"] = "cost_plus"
    arrays: ClassVar[bool] = True
    markup: float = declared(
        0.2, en="Mark-up", zh="加成率", unit="share of the cost", low=0, high=10, plausible=(0.05, 1)
    )
    full: bool = declared(
        True, en="Fixed cost is spread over expected stays", zh="是否分摊固定成本", source="Hall & Hitch 1939"
    )
    highest: float = declared(
        2, en="Highest price", zh="最高价格", unit="times the list price", low=0, high=10, plausible=(1, 3)
    )

    def decide(self, view: View) -> Action:
        """Work the price out at a review, and keep it until the next."""
        cost = view.unit_cost + view.service + view.training + where(self.full, spread(view, view.fixed_cost), 0.0)
        price = within(cost * (1 + self.markup), 0.0, self.highest * view.price)
        return Action(price=where(self.begun(view), where(self.due(view), price, view.last_price), None))


class TargetShare(Reviewed, Strategy):
    """Move the price until the share is what it should be: up when it is above, down when it is below.

    Names (recalled): market-share goal, competitor orientation (Armstrong & Collopy 1996; Anterasian, Graham &
    Money 1996), integral control.
    """

    name: Literal["target_share"] = "target_share"
    arrays: ClassVar[bool] = True
    target: float = declared(
        0.35, en="Share of purchase occasions aimed at", zh="目标占有率", low=0, high=1, plausible=(0.1, 0.6)
    )
    gain: float = declared(
        0.3, en="Relative move of the price per unit of share missed", zh="调整力度", low=0, high=10, plausible=(0, 1)
    )
    most: float = declared(
        0.5, en="Farthest from the list price", zh="最大偏离幅度", unit="share of the list price", low=0, high=1,
        plausible=(0.1, 0.5),
    )  # fmt: skip

    def decide(self, view: View) -> Action:
        """Correct the last price at a review."""
        missed = known(view.share, self.target) - self.target
        price = within(view.last_price * (1 + self.gain * missed), view.unit_cost, view.price * (1 + self.most))
        price = larger(price, view.price * (1 - self.most))
        return Action(price=where(self.begun(view), where(self.due(view), price, view.last_price), None))


class TargetProfit(Reviewed, Strategy):
    """Charge what would bring the profit aimed at if as many came as are expected.

    Names (recalled): target-return pricing. Lanzillotti 1958.
    """

    name: Literal["target_profit"] = "target_profit"
    arrays: ClassVar[bool] = True
    target: float = declared(
        8, en="Profit aimed at", zh="目标利润", unit="currency per market customer and tick", low=-1e6, high=1e6,
        plausible=(0, 20),
    )  # fmt: skip
    speed: float = declared(
        0.5, en="Part of the way to that price in one review", zh="调整速度", low=0, high=1, plausible=(0.1, 1)
    )
    most: float = declared(
        0.5, en="Farthest from the list price", zh="最大偏离幅度", unit="share of the list price", low=0, high=1,
        plausible=(0.1, 0.5),
    )  # fmt: skip

    def decide(self, view: View) -> Action:
        """Move towards the price that would do."""
        wanted = view.unit_cost + view.service + view.training + spread(view, view.fixed_cost + self.target)
        price = view.last_price + self.speed * (wanted - view.last_price)
        price = within(price, view.price * (1 - self.most), view.price * (1 + self.most))
        return Action(price=where(self.begun(view), where(self.due(view), price, view.last_price), None))

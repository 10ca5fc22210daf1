"""Strategies that look at what rivals do and do likewise, or a little less."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.arithmetic import known, larger, smaller
from churnsim.strategies.base import Action, Strategy, View, where
from churnsim.strategies.timing import Reviewed, Started


class Undercut(Started, Strategy):
    """Follow a rival's price at a distance.

    Names (recalled): undercutting, price leader and follower (Stackelberg 1934), Edgeworth cycles (Maskin & Tirole
    1988) when two do it.
    """

    name: Literal["undercut"] = "undercut"
    arrays: ClassVar[bool] = True
    gap: float = declared(
        0.02, en="How far below the rival", zh="低于对手幅度", unit="share of the rival's price", low=-1, high=1,
        plausible=(-0.1, 0.1), source="negative: above; assumed",
    )  # fmt: skip
    leader: Literal["cheapest", "dearest", "largest"] = declared("cheapest", en="Rival to follow", zh="跟随对象")
    margin: float = declared(
        0, en="Least margin over cost", zh="最低加成率", unit="share of the cost", low=0, high=10, plausible=(0, 0.3)
    )
    above_list: bool = declared(False, en="May go above the own list price", zh="可否高于标价")

    def decide(self, view: View) -> Action:
        """Charge the leader's last price less the gap, but at least the cost."""
        if not view.rival_prices:
            return Action()
        cost = view.unit_cost + view.service + view.training
        price = larger(self._leading(view) * (1 - self.gap), cost * (1 + self.margin))
        price = where(self.above_list, price, smaller(price, view.price))
        return Action(price=where(self.begun(view), price, None))

    def _leading(self, view: View) -> Any:
        """Return the last price of the rival to follow."""
        lowest = highest = of_largest = view.rival_prices[0]
        most = known(view.rival_shares[0], 0.0)
        for price, seen in zip(view.rival_prices[1:], view.rival_shares[1:], strict=True):
            share = known(seen, 0.0)
            lowest, highest = smaller(lowest, price), larger(highest, price)
            of_largest, most = where(share > most, price, of_largest), larger(most, share)
        followed = where(self.leader == "dearest", highest, lowest)  # type: ignore[comparison-overlap, unused-ignore]
        return where(self.leader == "largest", of_largest, followed)


class ImitateBest(Reviewed, Strategy):
    """At a review, copy the price and the relationship level of the rival that did better than oneself and all others.

    Success is the share of purchase occasions, or an outsider's guess at profit: share times price less one's own cost.

    Names (recalled): imitate the best (Alchian 1950; Vega-Redondo 1997; Schlag 1998), benchmarking, competitive
    parity.
    """

    name: Literal["imitate_best"] = "imitate_best"
    arrays: ClassVar[bool] = True
    by: Literal["profit", "share"] = declared("profit", en="What counts as success", zh="成功标准")
    price: bool = declared(True, en="Copies the price", zh="模仿价格")
    relationship: bool = declared(True, en="Copies the relationship level", zh="模仿关系层级")
    inertia: float = declared(
        0, en="How much of the old price is kept", zh="价格惯性", low=0, high=1, plausible=(0, 0.8)
    )

    def decide(self, view: View) -> Action:
        """Follow the best at a review; keep what one did otherwise."""
        price, level = view.last_price, view.last_relationship
        best = self._success(view, view.share, view.last_price)
        for cost, share, rank in zip(view.rival_prices, view.rival_shares, view.rival_levels, strict=True):
            success = self._success(view, share, cost)
            better = success > best
            price, level, best = where(better, cost, price), where(better, rank, level), larger(success, best)
        due, begun = self.due(view), self.begun(view)
        price = view.last_price * self.inertia + price * (1 - self.inertia)
        return Action(
            price=where(begun & self.price, where(due, price, view.last_price), None),
            relationship=where(begun & self.relationship, where(due, level, view.last_relationship), None),
        )

    def _success(self, view: View, share: Any, price: Any) -> Any:
        """Return how well a firm with this share and price did."""
        share = known(share, 0.0)
        return where(self.by == "share", share, share * (price - view.unit_cost))

"""Strategies that build a customer base and live off it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from churnsim.declarations import declared
from churnsim.strategies.arithmetic import smaller, within
from churnsim.strategies.base import Action, Strategy, View, where
from churnsim.strategies.timing import Started


class Harvest(Started, Strategy):
    """Raise the price as the customer base grows; lower it as the base shrinks.

    Names (recalled): harvesting against investing (Beggs & Klemperer 1992; Klemperer 1995).
    """

    name: Literal["harvest"] = "harvest"
    arrays: ClassVar[bool] = True
    base: float = declared(
        0.3, en="Customer base at which the list price holds", zh="基准客户占比", unit="share of the market", low=0,
        high=1, plausible=(0.1, 0.6), source="calibrated equilibrium of the two hotels",
    )  # fmt: skip
    slope: float = declared(
        1, en="Rise of the price per unit of customer base", zh="涨价斜率", unit="share of the list price", low=0,
        high=100, plausible=(0, 3),
    )  # fmt: skip
    most: float = declared(
        0.3, en="Largest rise", zh="最大涨幅", unit="share of the list price", low=0, high=10, plausible=(0, 0.5)
    )
    least: float = declared(
        0.2, en="Largest cut", zh="最大降幅", unit="share of the list price", low=0, high=1, plausible=(0, 0.4)
    )

    def decide(self, view: View) -> Action:
        """Price by the customers there are."""
        change = within(self.slope * (view.customers - self.base), -self.least, self.most)
        return Action(price=where(self.begun(view), view.price * (1 + change), None))


class InvestThenHarvest(Started, Strategy):
    """Sell cheaply until customers are tied, then raise the price step by step.

    Names (recalled): penetration pricing (Dean 1950), bargains then rip-offs (Klemperer 1987; Farrell & Klemperer
    2007), introductory offer; the harvest of switching costs.
    """

    name: Literal["invest_then_harvest"] = "invest_then_harvest"
    arrays: ClassVar[bool] = True
    depth: float = declared(
        0.25, en="Depth of the introductory cut", zh="渗透期降价幅度", unit="share of the list price", low=0, high=1,
        plausible=(0.05, 0.4),
    )  # fmt: skip
    until: int = declared(
        13, en="First tick of the harvest", zh="收割开始", unit="tick", low=2, high=100_000, plausible=(4, 25)
    )
    markup: float = declared(
        0.1, en="Final rise above the list price", zh="收割期涨幅", unit="share of the list price", low=0, high=10,
        plausible=(0, 0.4),
    )  # fmt: skip
    ramp: int = declared(
        3, en="Ticks that the rise takes", zh="涨价过渡期", unit="ticks", low=1, high=1000, plausible=(1, 12)
    )

    @model_validator(mode="after")
    def _harvest_after_start(self) -> InvestThenHarvest:
        """Refuse a harvest before the sowing."""
        if self.until <= self.start:
            raise ValueError(f"until ({self.until}) must come after start ({self.start})")
        return self

    def decide(self, view: View) -> Action:
        """Cut, then rise."""
        low, high = view.price * (1 - self.depth), view.price * (1 + self.markup)
        risen = smaller((view.tick - self.until + 1) / self.ramp, 1.0)
        price = where(view.tick < self.until, low, where(risen < 1, low + (high - low) * risen, high))
        return Action(price=where(self.begun(view), price, None))

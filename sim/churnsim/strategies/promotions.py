"""Strategies of promotion, and of answering a rival's."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.arithmetic import Notes, each, larger, smaller
from churnsim.strategies.base import Action, Strategy, View, where
from churnsim.strategies.timing import Started


class HighLow(Started, Strategy):
    """Alternate between the list price and short announced promotions.

    Names (recalled): Hi-Lo pricing, against every-day low price; a model of sales. Varian 1980; Blattberg & Neslin
    1990.
    """

    name: Literal["high_low"] = "high_low"
    arrays: ClassVar[bool] = True
    depth: float = declared(
        0.2, en="Depth of a promotion", zh="促销幅度", unit="share of the list price", low=0, high=1,
        plausible=(0.05, 0.4),
    )  # fmt: skip
    period: int = declared(
        6, en="Ticks from one promotion to the next", zh="促销周期", unit="ticks", low=1, high=1000, plausible=(2, 12)
    )
    lasting: int = declared(
        1, en="Ticks that a promotion lasts", zh="促销时长", unit="ticks", low=1, high=1000, plausible=(1, 3)
    )
    promotion: bool = declared(
        True, en="Announced as temporary", zh="是否作为限时促销",
        source="a label that attribution, stocks and price sensitivity go by",
    )  # fmt: skip

    def decide(self, view: View) -> Action:
        """Cut while a promotion runs."""
        running = self.begun(view) & ((view.tick - self.start) % self.period < self.lasting)
        return Action(
            price=where(running, view.price * (1 - self.depth), None),
            promotion=where(running, self.promotion, False),
        )


def cheapest(view: View) -> Any:
    """Return the lowest price a rival charged in the last tick; the own list price where there is no rival."""
    lowest = view.rival_prices[0] if view.rival_prices else view.price
    for price in view.rival_prices[1:]:
        lowest = smaller(lowest, price)
    return lowest


def announced(view: View) -> Any:
    """Return whether any rival had announced a promotion in the last tick."""
    found: Any = False
    for promotion in view.rival_promotions:
        found = found | promotion
    return found


def _usual(usual: float | None, listed: float) -> float:
    """Return the price from which cuts are measured."""
    return listed if usual is None or usual != usual else usual


class MatchRival(Started, Strategy):
    """Answer a rival's lower price with one of one's own while it lasts.

    Names (recalled): price matching, low-price guarantee, countermeasure to a promotion. Salop 1986; Hess &
    Gerstner 1991; course S14.
    """

    name: Literal["match_rival"] = "match_rival"
    arrays: ClassVar[bool] = True
    response: float = declared(
        1, en="Share of the gap that is closed", zh="跟进比例", low=0, high=1, plausible=(0.3, 1), source="1 matches"
    )
    trigger: float = declared(
        0.03, en="Smallest gap that is answered", zh="触发幅度", unit="share of the list price", low=0, high=1,
        plausible=(0, 0.1),
    )  # fmt: skip
    promotions_only: bool = declared(
        False, en="Only announced promotions are answered", zh="仅应对限时促销", source="course S14: countermeasure"
    )

    def decide(self, view: View) -> Action:
        """Go down towards the cheapest rival, but not below what a stay costs."""
        lowest = cheapest(view)
        noticed = where(self.promotions_only, announced(view), True)
        answers = self.begun(view) & noticed & (lowest < view.price * (1 - self.trigger))
        price = larger(view.price - self.response * (view.price - lowest), view.unit_cost)
        answers = answers & (price < view.price)
        return Action(price=where(answers, price, None), promotion=where(answers, True, False))


class Provoked(Started):
    """The part of a strategy that waits for a rival's cut."""

    trigger: float = declared(
        0.03, en="Smallest cut that is answered", zh="触发幅度", unit="share of the usual price", low=0, high=1,
        plausible=(0, 0.1),
    )  # fmt: skip
    usual: float | None = declared(
        None, en="Rival's usual price (none: the own list price)", zh="对手常规价格", unit="currency per stay", low=0,
        high=1e9, plausible=(200, 400),
    )  # fmt: skip

    def provoked(self, view: View) -> Any:
        """Return whether the cheapest rival was by more than the trigger below its usual price last tick."""
        return self.begun(view) & (cheapest(view) < each(_usual, self.usual, view.price) * (1 - self.trigger))


class TitForTat(Provoked, Strategy):
    """Cut the price if a rival did in the last tick; otherwise charge the list price.

    Names (recalled): tit for tat (Axelrod & Hamilton 1981; Axelrod 1984), generous tit for tat (Nowak & Sigmund
    1992).
    """

    name: Literal["tit_for_tat"] = "tit_for_tat"
    arrays: ClassVar[bool] = True
    depth: float | None = declared(
        None, en="Depth of the answer (none: as deep as the rival's)", zh="跟随降价幅度",
        unit="share of the list price", low=0, high=1, plausible=(0.05, 0.4),
    )  # fmt: skip
    forgiveness: float = declared(
        0, en="Chance of overlooking a cut", zh="宽恕概率", low=0, high=1, plausible=(0, 0.3),
        source="Nowak & Sigmund 1992: 1/3 in their game",
    )  # fmt: skip

    def decide(self, view: View) -> Action:
        """Do to rivals as they did."""
        cut = self.provoked(view) & (view.luck[0] >= self.forgiveness)
        price = each(_answer, self.depth, view.price, cheapest(view))
        cut = cut & (price < view.price)
        return Action(price=where(cut, price, None), promotion=where(cut, True, False))


def _answer(depth: float | None, listed: float, lowest: float) -> float:
    """Return the price that answers a rival's."""
    return lowest if depth is None or depth != depth else listed * (1 - depth)


class GrimTrigger(Provoked, Strategy):
    """Keep the list price until a rival breaks the peace, then punish for ever or for a while.

    Names (recalled): grim trigger (Friedman 1971), trigger strategy with finite punishment (Green & Porter 1984).
    """

    name: Literal["grim_trigger"] = "grim_trigger"
    arrays: ClassVar[bool] = True
    depth: float = declared(
        0.25, en="Depth of the punishment", zh="惩罚降价幅度", unit="share of the list price", low=0, high=1,
        plausible=(0.05, 0.4),
    )  # fmt: skip
    lasting: int | None = declared(
        None, en="Ticks of punishment (none: for ever)", zh="惩罚时长", unit="ticks", low=1, high=100_000,
        plausible=(3, 24), source="Green & Porter 1984",
    )  # fmt: skip

    def decide(self, view: View) -> Action:
        """Punish from the tick after a cut until the end of the punishment."""
        import numpy as np

        notes = Notes(view)
        until = notes.read("until", 0.0)
        peace = view.tick >= until
        broken = notes.column(self.provoked(view)) & peace
        lasting = notes.column(each(_end, self.lasting, view.tick))
        until = np.where(broken, lasting, until)
        notes.keep(until=until)
        punishing = view.tick < until
        price = notes.answer(np.where(punishing, notes.column(view.price * (1 - self.depth)), np.nan))
        return Action(price=price, promotion=False)


def _end(lasting: float | None, tick: int) -> float:
    """Return the first tick after a punishment that begins now."""
    return float("inf") if lasting is None or lasting != lasting else tick + lasting

"""Strategies that reward loyalty."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Strategy
from churnsim.strategies.timing import Programme


class LoyaltyCard(Programme, Strategy):
    """Give points, run clubs and look after an elite.

    Names (recalled): loyalty programme, frequency reward, customer club; the course's Tesco and Suning cards.
    Dowling & Uncles 1997; Sharp & Sharp 1997; Lewis 2004. Needs the mechanism ``loyalty_card``.
    """

    name: Literal["loyalty_card"] = "loyalty_card"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "card"
    points: float = declared(
        0.03, en="Points", zh="积分返还率", unit="share of the price", low=0, high=1, plausible=(0, 0.1),
        source="course S102; size assumed",
    )  # fmt: skip
    club: float = declared(
        0, en="Clubs and events", zh="会员俱乐部投入", unit="currency per customer and tick", low=0, high=1e9,
        plausible=(0, 10), source="course S102: niche clubs",
    )  # fmt: skip
    perks: float = declared(
        0, en="Perks of the elite", zh="顶级会员礼遇", unit="currency per elite customer and tick", low=0, high=1e9,
        plausible=(0, 200), source="course S103, S104",
    )  # fmt: skip

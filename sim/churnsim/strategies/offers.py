"""Strategies that make offers to customers who are lost or about to be."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Strategy
from churnsim.strategies.timing import Programme

OFFERS = Literal["price", "upgrade", "bundle", "apology", "relation"]
"""Kinds of offer, as in `churnsim.config.conduct`."""


class WinBackOffers(Programme, Strategy):
    """Approach lost customers: key ones with all might, ordinary ones within reason, small ones if it comes cheap.

    Names (recalled): win-back, regain management, customer reacquisition. Stauss & Friege 1999; Thomas, Blattberg &
    Fox 2004; Homburg, Hoyer & Stock 2007; Kumar, Bhagwat & Zhang 2015; course S87. Needs the mechanism
    ``win_back``.
    """

    name: Literal["win_back"] = "win_back"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "win_back"
    key: float = declared(
        0.9, en="Key customers approached", zh="重点客户赢回力度", unit="per tick", low=0, high=1, plausible=(0, 1),
        source="course S87: utmost; size assumed",
    )  # fmt: skip
    ordinary: float = declared(
        0.4, en="Ordinary customers approached", zh="普通客户赢回力度", unit="per tick", low=0, high=1,
        plausible=(0, 1), source="course S87: try; size assumed",
    )  # fmt: skip
    small: float = declared(
        0.05, en="Small customers approached", zh="小客户赢回力度", unit="per tick", low=0, high=1, plausible=(0, 1),
        source="course S87: opportunistic; size assumed",
    )  # fmt: skip
    worth: float = declared(
        60, en="Worth of an offer", zh="赢回优惠价值", unit="currency", low=0, high=1e9, plausible=(20, 150)
    )
    kind: OFFERS = declared("price", en="Kind of offer", zh="赢回方式", source="Kumar, Bhagwat & Zhang 2015")
    matched: bool = declared(
        True, en="Offer fits the cause of leaving", zh="对症下药", source="course S87: investigate, fit the remedy"
    )


class SaveOffers(Programme, Strategy):
    """Approach customers who seem about to leave, before they do.

    Names (recalled): proactive retention, churn prevention, save desk. Neslin et al. 2006; Ascarza, Iyengar &
    Schleicher 2016; Ascarza 2018; course S99. Needs the mechanism ``save_offers``.
    """

    name: Literal["save_offers"] = "save_offers"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "save"
    coverage: float = declared(
        0.3, en="Customers at risk approached", zh="风险客户挽留力度", unit="per tick", low=0, high=1,
        plausible=(0, 1), source="course S99; size assumed",
    )  # fmt: skip
    worth: float = declared(
        40, en="Worth of an offer", zh="挽留优惠价值", unit="currency", low=0, high=1e9, plausible=(10, 150)
    )
    threshold: float = declared(
        0.4, en="Satisfaction below which a customer is at risk", zh="风险满意度阈值", low=0, high=1,
        plausible=(0.2, 0.6),
    )  # fmt: skip
    precision: float = declared(
        0.7, en="Precision of the warning", zh="预警准确度", low=0, high=1, plausible=(0, 1),
        source="0 picks anybody, 1 exactly those at risk; assumed",
    )  # fmt: skip

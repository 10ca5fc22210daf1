"""Strategies that treat customers by what they are worth."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Strategy
from churnsim.strategies.timing import Programme


class ServiceTiers(Programme, Strategy):
    """Serve large customers better than small ones.

    Names (recalled): customer pyramid, customer prioritisation, service tiering. Zeithaml, Rust & Lemon 2001;
    Homburg, Droll & Totzek 2008; course S19, S90. Needs the mechanism ``service_tiers``.
    """

    name: Literal["service_tiers"] = "service_tiers"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "tiers"
    tilt: float = declared(
        0.2, en="Quality moved from the smallest to the largest customer", zh="服务向大客户倾斜程度", low=0, high=1,
        plausible=(0, 0.4), source="course S19, S90; size assumed",
    )  # fmt: skip


class AccountManagement(Programme, Strategy):
    """Know everybody who has a say at a business customer, and ask when it falls silent.

    Names (recalled): key account management, multiplex ties, buying centre (Webster & Wind 1972). Homburg, Workman
    & Jensen 2002; course S21, S94. Needs the mechanism ``buying_centre``.
    """

    name: Literal["account_management"] = "account_management"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "enquiries"
    coverage: int = declared(
        3, en="Contact persons known at a customer", zh="联系人覆盖数", unit="persons", low=1, high=3,
        plausible=(1, 3), source="course S94: decider, recommender, influencer",
    )  # fmt: skip
    alarm: int = declared(
        2, en="Silence after which somebody asks (0: nobody does)", zh="静默报警时限", unit="ticks", low=0,
        high=1000, plausible=(0, 6), source="course S21; size assumed",
    )  # fmt: skip


class Concession(Programme, Strategy):
    """Grant a discount to the powerful who threaten to leave.

    Names (recalled): retention discount, bargaining, countervailing power (Galbraith 1952). Nash 1950; course S10,
    S114. Needs the mechanism ``bargaining``.
    """

    name: Literal["concession"] = "concession"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "bargaining"
    concession: float = declared(
        0.1, en="Largest discount granted", zh="最大让价幅度", unit="share of the price", low=0, high=1,
        plausible=(0, 0.2), source="course S10; size assumed",
    )  # fmt: skip

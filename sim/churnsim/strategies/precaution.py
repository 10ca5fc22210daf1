"""Strategies against losses that nobody wished."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Strategy
from churnsim.strategies.timing import Programme


class Reminder(Programme, Strategy):
    """Remind customers of what would lapse.

    Names (recalled): business reminder, renewal notice, dunning. Karlan, McConnell, Mullainathan & Zinman 2016;
    course S7. Needs the mechanism ``reminders``.
    """

    name: Literal["reminder"] = "reminder"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "reminders"
    spend: float = declared(
        1, en="Reminders", zh="业务提醒投入", unit="currency per customer and tick", low=0, high=1e9,
        plausible=(0, 5), source="course S7; size assumed",
    )  # fmt: skip


class CreditScreen(Programme, Strategy):
    """Look newcomers over, and present customers again, and let them pay a part ahead.

    Names (recalled): credit scoring, screening, prepayment, deposit; behavioural scoring of present customers.
    Stiglitz & Weiss 1981; Thomas 2000; course S8. Needs the mechanism ``screening``.
    """

    name: Literal["credit_screen"] = "credit_screen"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "screening"
    strictness: float = declared(
        0.5, en="Strictness of screening", zh="信用筛查严格度", low=0, high=1, plausible=(0, 1),
        source="course S8; size assumed",
    )  # fmt: skip
    prepayment: float = declared(
        0.2, en="Share of the price paid ahead", zh="预付款比例", low=0, high=1, plausible=(0, 1),
        source="course S8; size assumed",
    )  # fmt: skip
    review: float = declared(
        0, en="Present customers whose credit is looked at again", zh="在册客户信用复查率", unit="per tick", low=0,
        high=1, plausible=(0, 0.2), source="behavioural scoring, Thomas 2000; size assumed",
    )  # fmt: skip

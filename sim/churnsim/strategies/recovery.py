"""Strategies for when something has gone wrong."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Strategy
from churnsim.strategies.timing import Programme


class ServiceRecovery(Programme, Strategy):
    """Settle complaints: how many, how fast, with how much money and courtesy, and with what guarantee.

    Speed is empowerment: cases that the person in front of the customer may settle at once.

    Names (recalled): service recovery, complaint management, empowerment, service guarantee. Tax, Brown &
    Chandrashekaran 1998; Smith, Bolton & Wagner 1999; Bowen & Lawler 1992; Hart 1988. Needs the mechanism
    ``failure``.
    """

    name: Literal["recovery"] = "recovery"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "recovery"
    resolution: float = declared(
        0.9, en="Complaints that are settled", zh="投诉解决率", low=0, high=1, plausible=(0.5, 1)
    )
    speed: float = declared(
        0.8, en="Settled at once by staff who may decide", zh="授权当场解决比例", low=0, high=1, plausible=(0, 1),
        source="course S75: no delay; size assumed",
    )  # fmt: skip
    compensation: float = declared(
        0.3, en="Compensation", zh="赔偿比例", unit="share of the price", low=0, high=1, plausible=(0, 0.5)
    )
    courtesy: float = declared(
        0.9, en="Apology and listening", zh="道歉与倾听", low=0, high=1, plausible=(0, 1), source="course S73, S74"
    )
    consistency: float = declared(
        0.9, en="Like cases treated alike", zh="处理一致性", low=0, high=1, plausible=(0.5, 1), source="course S73"
    )
    guarantee: float = declared(
        0, en="Guarantee: paid back per justified complaint", zh="服务保证赔付倍数", unit="times the price", low=0,
        high=10, plausible=(0, 2), source="course S76: double refund is 2",
    )  # fmt: skip

"""Strategies that win customers."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Action, Strategy, View, where
from churnsim.strategies.timing import Programme, Started


class ReferralProgramme(Programme, Strategy):
    """Reward those who bring others, and look after those likely to.

    Names (recalled): customer referral programme, member-get-member. Biyalogorsky, Gerstner & Libai 2001; Schmitt,
    Skiera & Van den Bulte 2011; course S72, S83. Needs the mechanism ``referral``.
    """

    name: Literal["referral_programme"] = "referral_programme"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "referral"
    reward: float = declared(
        60, en="Reward per customer referred", zh="推荐奖励", unit="currency", low=0, high=1e9, plausible=(0, 300),
        source="course S72, S83; size assumed",
    )  # fmt: skip
    care: float = declared(
        0.1, en="Customers looked after as referrers", zh="推荐客户维护比例", low=0, high=1, plausible=(0, 0.5),
        source="course S83: 800 of 2000 is 0.4",
    )  # fmt: skip
    targeted: bool = declared(
        True, en="Well-connected, satisfied customers are chosen", zh="是否挑选推荐客户", source="course S72"
    )


class AdvertisingSpending(Started, Strategy):
    """Advertise, evenly or in bursts.

    Names (recalled): advertising, pulsing or flighting (with ``period``). Nerlove & Arrow 1962; Naik, Mantrala &
    Sawyer 1998; course S84. Needs the mechanism ``acquisition``.
    """

    name: Literal["advertising"] = "advertising"
    arrays: ClassVar[bool] = True
    spend: float = declared(
        5, en="Advertising while it runs", zh="广告投入", unit="currency per market customer and tick", low=0,
        high=1e9, plausible=(0, 20), source="course S84; size assumed",
    )  # fmt: skip
    period: int = declared(
        1, en="Ticks from one burst to the next", zh="投放周期", unit="ticks", low=1, high=1000, plausible=(1, 12)
    )
    lasting: int = declared(
        1, en="Ticks that a burst lasts", zh="每次投放时长", unit="ticks", low=1, high=1000, plausible=(1, 12)
    )

    def decide(self, view: View) -> Action:
        """Advertise during bursts, and not at all between them."""
        running = (view.tick - self.start) % self.period < self.lasting
        begun = self.begun(view)
        return Action(advertising_spend=where(begun, where(running, self.spend, 0.0), None))

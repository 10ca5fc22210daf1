"""Strategies that bind customers by terms."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Action, Strategy, View, where
from churnsim.strategies.timing import Started


class ContractTerms(Started, Strategy):
    """Bind new customers for a term, with a fee for leaving early, against a lower price at first if wished.

    Names (recalled): lock-in, minimum term, early termination fee, bargain against commitment. Klemperer 1987;
    Farrell & Klemperer 2007. Needs the mechanism ``termination``.
    """

    name: Literal["contract"] = "contract"
    arrays: ClassVar[bool] = True
    length: int = declared(
        12, en="Contract length", zh="合同期", unit="ticks", low=0, high=1200, plausible=(0, 24), source="E18"
    )
    fee: float = declared(
        300, en="Fee for leaving on the first day", zh="违约金", unit="currency", low=0, high=1e9,
        plausible=(0, 600), source="E18: one month's price",
    )  # fmt: skip
    discount: float = declared(
        0, en="Entry discount", zh="签约优惠幅度", unit="share of the list price", low=0, high=1, plausible=(0, 0.3)
    )
    discount_ticks: int = declared(
        6, en="How long the entry price is offered", zh="签约优惠时长", unit="ticks", low=1, high=100_000,
        plausible=(1, 24),
    )  # fmt: skip

    def decide(self, view: View) -> Action:
        """Offer the terms from the start on, and the entry price for a while."""
        begun = self.begun(view)
        entry = begun & (view.tick < self.start + self.discount_ticks) & (self.discount > 0)
        return Action(
            price=where(entry, view.price * (1 - self.discount), None),
            contract_length=where(begun, self.length, None),
            contract_fee=where(begun, self.fee, None),
        )


class Bundle(Started, Strategy):
    """Sell several things as one: a lower price for all of it, points and a term that end together.

    Names (recalled): bundling, multi-product discount, "the more they buy, the harder to leave". Adams & Yellen
    1976; Stremersch & Tellis 2002. Points need the mechanism ``loyalty_card``, the term ``termination``.
    """

    name: Literal["bundle"] = "bundle"
    arrays: ClassVar[bool] = True
    discount: float = declared(
        0.08, en="Discount on the bundle", zh="捆绑优惠幅度", unit="share of the list price", low=0, high=1,
        plausible=(0, 0.3),
    )  # fmt: skip
    points: float = declared(
        0.03, en="Points", zh="积分返还率", unit="share of the price", low=0, high=1, plausible=(0, 0.1)
    )
    perks: float = declared(
        0, en="Perks of the elite", zh="顶级会员礼遇", unit="currency per elite customer and tick", low=0, high=1e9,
        plausible=(0, 200),
    )  # fmt: skip
    length: int = declared(6, en="Term", zh="捆绑期限", unit="ticks", low=0, high=1200, plausible=(0, 24))
    fee: float = declared(
        100, en="Worth lost on breaking the bundle up", zh="拆分损失", unit="currency", low=0, high=1e9,
        plausible=(0, 600),
    )  # fmt: skip

    def decide(self, view: View) -> Action:
        """Offer the bundle from the start on."""
        begun = self.begun(view)
        return Action(
            price=where(begun, view.price * (1 - self.discount), None),
            card_points=where(begun, self.points, None),
            card_perks=where(begun, self.perks, None),
            contract_length=where(begun, self.length, None),
            contract_fee=where(begun, self.fee, None),
        )

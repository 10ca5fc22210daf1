"""Strategies that begin with the firm itself: its staff, its ears, its word, its products, its conscience."""

from __future__ import annotations

from typing import ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.base import Action, Strategy, View, where
from churnsim.strategies.timing import Programme, Started


class EmployeeCare(Started, Strategy):
    """Pay and train employees better, so that they stay and serve well.

    Names (recalled): internal marketing, service-profit chain. Berry 1981; Heskett et al. 1994; Palmatier, Scheer &
    Steenkamp 2007; course S97. Pay needs the mechanism ``employees``.
    """

    name: Literal["employee_care"] = "employee_care"
    arrays: ClassVar[bool] = True
    pay: float = declared(
        10, en="Pay and care above the usual", zh="高于行业的薪酬与关怀", unit="currency per stay", low=0, high=1e8,
        plausible=(0, 30), source="course S97; size assumed",
    )  # fmt: skip
    training: float = declared(
        5, en="Staff training on top of the list", zh="额外员工培训投入", unit="currency per stay", low=0, high=1e8,
        plausible=(0, 25), source="prototype of the two-hotel case",
    )  # fmt: skip

    def decide(self, view: View) -> Action:
        """Pay and train."""
        begun = self.begun(view)
        return Action(
            staff_pay=where(begun, self.pay, None), training=where(begun, view.training + self.training, None)
        )


class NeedsListening(Programme, Strategy):
    """Listen to suggestions, complaints and changed needs, and let the offer follow them.

    Names (recalled): market orientation, voice of the customer. Kohli & Jaworski 1990; Griffin & Hauser 1993;
    course S100, S105, S106. Needs the mechanism ``listening``.
    """

    name: Literal["needs_listening"] = "needs_listening"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "listening"
    spend: float = declared(
        2, en="Listening", zh="倾听投入", unit="currency per customer and tick", low=0, high=1e9, plausible=(0, 10),
        source="course S106; size assumed",
    )  # fmt: skip


class PromiseLevel(Programme, Strategy):
    """Promise more than there is.

    Names (recalled): over-promising, expectation management (at 0). Boulding, Kalra, Staelin & Zeithaml 1993;
    Kopalle & Lehmann 2006; course S108. Needs the mechanism ``promises``.
    """

    name: Literal["promise"] = "promise"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "promise"
    level: float = declared(
        0.15, en="Quality promised above the quality there is", zh="承诺超出实际的程度", low=0, high=1,
        plausible=(0, 0.3), source="course S108; size assumed",
    )  # fmt: skip


class InnovationSpending(Programme, Strategy):
    """Spend on research and development.

    Names (recalled): innovation, product leadership. Treacy & Wiersema 1993; course S11-S13. Needs the mechanism
    ``innovation``.
    """

    name: Literal["innovation"] = "innovation"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "innovation"
    spend: float = declared(
        3, en="Research and development", zh="研发投入", unit="currency per market customer and tick", low=0,
        high=1e9, plausible=(0, 10), source="course S11; size assumed",
    )  # fmt: skip


class SocialResponsibility(Programme, Strategy):
    """Spend on the public good.

    Names (recalled): corporate social responsibility, CSR. Sen & Bhattacharya 2001; Luo & Bhattacharya 2006; course
    S15. Needs the mechanism ``ethics``.
    """

    name: Literal["responsibility"] = "responsibility"
    arrays: ClassVar[bool] = True
    group: ClassVar[str] = "responsibility"
    spend: float = declared(
        1, en="Social responsibility", zh="社会责任投入", unit="currency per market customer and tick", low=0,
        high=1e9, plausible=(0, 5), source="course S15; size assumed",
    )  # fmt: skip

"""A customer's stages of dealings beyond the stay, which only happen where a market has any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from churnsim.engine.dealings import aftermath, phases
from churnsim.engine.dealings import approach as before
from churnsim.mechanisms import attachment
from churnsim.mechanisms.rule import interpreted

if TYPE_CHECKING:
    import numpy as np

    from churnsim.model import ChurnModel

approach = interpreted(before.approach)
take_stock = interpreted(aftermath.take_stock)
hear_referrals = interpreted(phases.hear_referrals)
receive = interpreted(attachment.receive)


class Dealer:
    """The part of a `churnsim.customers.Customer` that deals with firms beyond the stay.

    The rules are those of `churnsim.engine.dealings`, interpreted (docs/decisions/0008-dealings.md).
    """

    if TYPE_CHECKING:
        model: ChurnModel
        row: int
        opportunity: Any

    def approach(self) -> None:
        """Be reached by firms, employees and the calendar, before the choice."""
        m = self.model
        approach(m.columns, m.dealings, m.parameters, m.customs_in_force, m.market, m.counters, self.row)

    def take_stock(self) -> None:
        """Let the tick leave its marks on dealings: points, failures, complaints, referral."""
        m = self.model
        ways = m.customs_in_force
        take_stock(m.columns, m.dealings, m.traits, m.parameters, ways, m.market, m.counters, self.row)

    def pass_on(self) -> None:
        """Hear from acquaintances who refer others to their firm."""
        m = self.model
        ways = m.customs_in_force
        hear_referrals(m.columns, m.dealings, m.row_of, m.parameters, ways, m.market, m.counters, self.row)

    def chance(self) -> np.float32:
        """Return the probability of a purchase occasion this tick."""
        return self.model.dealings.chance[self.row] if self.model.deals else self.opportunity

    def received(self, felt: np.float32) -> np.float32:
        """Return the contact intensity that reaches this customer of what a firm's contacts usually do."""
        if not self.model.deals:
            return felt
        return receive(felt, self.model.dealings.receptive[self.row], self.model.parameters.contact_intensity)

    def stirred_by_dealings(self, stirred: np.float32) -> np.float32:
        """Return what has stirred this customer, failures and offers included, in log-odds."""
        return stirred + self.model.dealings.stirred[self.row] if self.model.deals else stirred

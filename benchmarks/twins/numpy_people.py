"""The market of the NumPy twin: its firms and customers as arrays, and what every phase asks of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import numpy_luck as luck
from .numpy_firm import TwinFirm
from .numpy_luck import FIRST_BIRTH, Functions, code_of, key_of, uniform
from .numpy_record import Record
from .numpy_rules import rules_of

F = np.float32
ZERO, HALF, ONE, TWO = F(0), F(0.5), F(1), F(2)
NONE, NATURAL, LAPSE, CREDIT, CLOSURE = range(5)


def pick(column: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the entries of a column, or of one column per firm, in some rows."""
    # All rows exist, and not having NumPy make sure of that saves a quarter of the time.
    return column.take(rows, axis=-1, mode="clip")


class People:
    """Firms and customers, and the tick they live in.

    Options are numbered from 0, the outside; firm j is option j + 1. Columns have one entry per customer, or one row
    per firm; a customer's row is also the id that all luck follows.

    Parameters
    ----------
    scenario, seed, exact, chunk
        As for `NumpyTwin`.
    """

    def __init__(self, scenario: Any, seed: int, exact: bool, chunk: int) -> None:
        customers, on = scenario.customers, scenario.mechanisms
        if scenario.moves:
            raise ValueError("the twin does not cover dated moves")
        if customers.growth:
            raise ValueError("the twin does not cover a growing market")
        if customers.taste.homophily:
            raise ValueError("the twin does not cover acquaintances of like tastes")
        if scenario.mechanisms.dealings:
            raise ValueError("the twin does not cover dealings beyond the stay")
        if not 2 <= len(scenario.firms) <= 8:
            raise ValueError(f"the twin covers 2 to 8 firms, not {len(scenario.firms)}")
        self.scenario, self.seed, self.on, self.chunk = scenario, seed, on, chunk
        self.rules, self.functions = rules_of(customers, on), Functions(exact)
        opportunity = customers.opportunity.mean_value
        self.firms = [
            TwinFirm(name, firm, scenario.relationship_levels, opportunity) for name, firm in scenario.firms.items()
        ]
        self.codes = [code_of(firm.name) for firm in self.firms]
        self.first_beliefs = [F(firm.quality) for firm in self.firms]
        self.told_table = {
            mean: self.functions.poisson(F(mean))
            for mean in (customers.word_of_mouth.told_when_dissatisfied, customers.word_of_mouth.told_when_satisfied)
        }
        self.tick = -scenario.burn_in
        rows = scenario.burn_in + scenario.horizon + 1
        # History by tick; of quality and relationship work the best from each tick on.
        self.price, self.cue, self.contacted, self.richness, self.best_quality = (
            np.zeros((rows, len(self.firms)), F) for _ in range(5)
        )
        self.best_work = np.zeros((rows, len(self.firms)), np.int64)
        self.contract = [  # length and fee of each firm, as they enter the value and as they stand
            (F(firm.config.contract.length), F(firm.config.contract.fee) if on.termination else ZERO)
            for firm in self.firms
        ]
        self.market_mean = math.fsum(firm.quality for firm in self.firms) / len(self.firms)
        self.books = Record(self)
        self._populate(customers.count)

    # ------------------------------------------------------------------ firms

    def _manage(self) -> None:
        """Let firms decide, fund and renew, and publish what holds for all customers this tick."""
        for firm in self.firms:
            if firm.open:
                firm.decide(self.tick)
        for firm in self.firms:
            firm.fund(self.on.budget)
            if firm.open and self.on.quality_erosion:
                firm.renew()
        self._publish()

    def _publish(self) -> None:
        """Set prices, cues and contacts in single precision, and the tick's keys."""
        firms, on = self.firms, self.on
        row = self.row = self.tick + self.scenario.burn_in
        prices = [firm.price for firm in firms if firm.open]
        mean = math.fsum(prices) / len(prices) if prices else 0.0
        strength = self.scenario.customers.price_cue.strength if on.price_cue and mean > 0 else 0.0
        self.price[row] = [firm.price for firm in firms]
        self.cue[row] = [strength * (firm.price - mean) / (mean or 1.0) for firm in firms]
        self.open = [firm.open for firm in firms]
        self.contacts = [F(firm.contacts) if firm.open else ZERO for firm in firms]
        self.contacted[row], self.best_work[row] = self.contacts, row
        self.richness[row] = [firm.richness for firm in firms]
        self.best_quality[row] = [firm.quality for firm in firms]
        np.maximum(self.best_quality[:row], self.best_quality[row], out=self.best_quality[:row])
        every, work = np.arange(len(firms)), self.contacted[: row + 1] * self.richness[: row + 1]
        best = self.best_work[:row]
        np.copyto(best, row, where=work[best, every] <= work[row])
        # A reference price of 0 needs care, but only if something was ever free.
        self.was_free = not self.price[: row + 1].all()
        self.keys = {
            stream: key_of(self.seed, stream, self.tick)
            for stream in (luck.INVOLUNTARY, luck.OPPORTUNITY, luck.CONTACT, luck.ATTENTION, luck.EXPERIENCE,
                           luck.TELLING, luck.AUDIENCE)
        }  # fmt: skip
        parts = (0, *self.codes)
        self.option_keys = np.array([key_of(self.seed, luck.OPTION, self.tick, part) for part in parts])[:, None]
        contacts = self.scenario.customers.word_of_mouth.contacts
        self.hearing_keys = np.array([key_of(self.seed, luck.HEARING, self.tick, n) for n in range(contacts)])

    # ------------------------------------------------------------------ making customers

    def _populate(self, size: int) -> None:
        """Make the first customers, some of them already with a firm."""
        J, every = len(self.firms), np.arange(size)
        self.size, self.salt = size, luck.salts(every)
        # Belief, attachment and reference price are remembered together at joining.
        self.mind, self.anchor = np.zeros((3, J, size), F), np.zeros((3, J, size), F)
        self.belief, self.attachment, self.reference = self.mind
        self.anchor_belief, self.anchor_attachment, self.anchor_reference = self.anchor
        self.scratch = np.empty((J, min(self.chunk, size)), F)
        self.crowding_part, self.word_part, self.taste = (np.zeros((J, size), F) for _ in range(3))
        self.anchor_crowding, self.anchor_word = np.zeros(size, F), np.zeros(size, F)
        self.anchor_row = np.zeros(size, np.int32)
        self.stranger = np.ones((J, size), F)  # 1 until the customer has been with the firm
        self.lost_at_start = np.zeros((J, size), np.bool_)
        for name in (*luck.TRAITS, "expectation", "satisfaction", "sunk", "kept_attachment", "kept_core"):
            setattr(self, name, np.zeros(size, F))
        self.provider, self.following, self.choice = (np.zeros(size, np.int8) for _ in range(3))
        if self.on.word_of_mouth:
            spread = self.scenario.customers.word_of_mouth
            self.network = luck.listeners(self.seed, size, spread.contacts, F(spread.rewired))
        self._publish()
        self._settle(every, FIRST_BIRTH)
        # By name, so that the order in which the scenario lists its firms does not matter.
        order = sorted(range(J), key=lambda j: self.firms[j].name)
        shares = np.cumsum([self.firms[j].config.initial_share for j in order]).astype(F)
        place = np.searchsorted(shares, uniform(key_of(self.seed, luck.INITIAL_PROVIDER), self.salt), side="right")
        initial = self.scenario.customers.attachment.initial if self.on.attachment else 0
        for n, j in enumerate(order):
            rows = np.flatnonzero(place == n)
            self.provider[rows] = j + 1
            self.stranger[j, rows] = ZERO
            self.attachment[j, rows] = F(initial)
            self.expectation[rows] = self.belief[j, rows]
            self.kept_attachment[rows], self.kept_core[rows] = F(initial), self.belief[j, rows]
        self.anchor[:] = self.mind

    def _settle(self, rows: np.ndarray, born: int) -> None:
        """Make customers without any history, with traits drawn for their ids and a tick."""
        f, customers = self.functions, self.scenario.customers
        keys = [key_of(self.seed, stream, born) for stream in luck.TRAITS.values()]
        keys += [key_of(self.seed, stream, born, code) for stream in (luck.TASTE, luck.BELIEF) for code in self.codes]
        # All draws at once: newcomers are so few that the number of calls is what costs.
        u = uniform(np.array(keys)[:, None], self.salt[rows])
        z = f.normal(u.reshape(-1)).reshape(u.shape)
        for m, name in enumerate(luck.TRAITS):
            drawn = f.trait(getattr(customers, name), u[m], z[m])
            getattr(self, name)[rows] = np.clip(drawn, ZERO, ONE) if name == "opportunity" else drawn
        tastes, beliefs = z[len(luck.TRAITS) :].reshape(2, len(self.firms), -1)
        self.provider[rows] = 0
        self.satisfaction[rows] = self.rules.neutral
        self.sunk[rows] = ZERO
        taste_sd, belief_sd = F(customers.taste.sd if self.on.taste else 0), F(customers.belief.initial_sd)
        for j in range(len(self.firms)):
            self.taste[j, rows] = taste_sd * tastes[j]
            self.belief[j, rows] = np.clip(self.first_beliefs[j] + belief_sd * beliefs[j], ZERO, ONE)
            self.crowding_part[j, rows] = self.word_part[j, rows] = self.attachment[j, rows] = ZERO
            self.reference[j, rows] = self.price[self.row, j]
            self.stranger[j, rows] = ONE
            self.lost_at_start[j, rows] = False

    # ------------------------------------------------------------------ what several phases ask

    def _contacts(self, j: int, salt: np.ndarray) -> tuple[np.float32, np.ndarray | None]:
        """Return how many contacts all customers of a firm receive, and who receives one more."""
        whole = np.floor(self.contacts[j])
        fraction = self.contacts[j] - whole
        return whole, uniform(self.keys[luck.CONTACT], salt) < fraction if fraction > 0 else None

    def _tenure(self, rows: np.ndarray) -> np.ndarray:
        """Return ticks with the provider; the first customers' begin with the first tick that is lived."""
        return (self.row - np.maximum(pick(self.anchor_row, rows), 1)).astype(F)

    def _gain(self, reference: np.ndarray, price: Any) -> np.ndarray:
        """Return the gain or loss against reference prices (E5); losses weigh at least as much as gains."""
        gain = reference - price
        return np.minimum(gain, self.rules.loss_aversion * gain) * self.rules.gain_weight

    def _barrier(self, c: int, tenure: np.ndarray) -> np.ndarray:
        """Return what is still due on leaving firm `c` (E18)."""
        length, fee = self.contract[c]
        return fee * np.maximum(length - tenure, ZERO) / max(length, ONE)

"""A customer as Mesa sees one: a view of one row, and the rules of behaviour in plain Python.

`Customer` is the executable specification of the model. ``engine="agents"`` runs it, one
customer at a time in any order; the compiled kernels of `churnsim.engine` do the same with
arrays and agree with it bit for bit. To change behaviour, subclass `Customer`, override a
method, and pass the class to `churnsim.ChurnModel`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from churnsim.dealer import Dealer
from churnsim.engine import census, hearsay, population, valuation
from churnsim.engine.state import NO_PURCHASE, OUTSIDE, SCALE
from churnsim.mechanisms import arithmetic, involuntary, memory, value, word_of_mouth
from churnsim.mechanisms import attachment as attachments
from churnsim.mechanisms import attention as attentions
from churnsim.mechanisms import experience as experiences
from churnsim.mechanisms.arithmetic import HALF, ONE, ZERO
from churnsim.mechanisms.rule import interpreted
from churnsim.randomness import uniform as draw
from churnsim.rows import Row

if TYPE_CHECKING:
    from churnsim.model import ChurnModel

uniform = interpreted(draw)
gumbel = interpreted(arithmetic.gumbel)
normal = interpreted(arithmetic.normal)
clip = interpreted(arithmetic.clip)
price_above = interpreted(attentions.price_above)
price_below = interpreted(attentions.price_below)
triggers = interpreted(attentions.triggers)
attention = interpreted(attentions.attention)
quality_value = interpreted(value.quality_value)
transaction_utility = interpreted(value.transaction_utility)
cue_value = interpreted(value.cue_value)
firm_value = interpreted(value.firm_value)
termination_barrier = interpreted(value.termination_barrier)
moving_cost = interpreted(value.moving_cost)
experience = interpreted(experiences.experience)
learn = interpreted(experiences.learn)
expectation = interpreted(experiences.expectation)
spillover = interpreted(experiences.spillover)
stay_satisfaction = interpreted(experiences.stay_satisfaction)
contacts_received = interpreted(attachments.contacts_received)
contact_effect = interpreted(attachments.contact_effect)
attachment = interpreted(attachments.attachment)
reference_price = interpreted(memory.reference_price)
sunk_cost = interpreted(memory.sunk_cost)
telling = interpreted(word_of_mouth.telling)
people_told = interpreted(word_of_mouth.people_told)
hears = interpreted(word_of_mouth.hears)
involuntary_exit = interpreted(involuntary.involuntary_exit)
gone_for_good = interpreted(involuntary.gone_for_good)
added_to = interpreted(valuation.added_to)
settle = interpreted(population.settle)
anchor = interpreted(population.anchor)
acquaintance = interpreted(hearsay.acquaintance)
attitude = interpreted(census.attitude)
loyalty_type = interpreted(census.loyalty_type)

FIRST_UNIQUE_ID = 1_000_000_000
"""Mesa numbers registered agents from 1; customers, who are not registered, begin here."""

STAGES = ("approach", "decide", "live_through", "take_stock", "listen", "pass_on", "be_counted")
"""The methods a customer acts through in one tick; everybody finishes one before anybody begins the next."""


class Customer(Row, Dealer, mesa.Agent):
    """One customer: a view of a row of the population's arrays.

    Views are made when asked for and hold no state of their own; two views of one row are equal.
    Every column of `churnsim.engine.state.Columns` is an attribute, a number or, where there
    is one per firm, an array over firms.
    """

    # A view is not registered with the model: registration would cost 800 bytes each.
    def __init__(self, model: ChurnModel, row: int) -> None:
        self.model = model
        self.row = row
        self.pos = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("model", "row", "pos") and not hasattr(type(self), name):
            raise AttributeError(f"a customer has no '{name}': a view keeps no state of its own, only columns last")
        super().__setattr__(name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Customer) and other.model is self.model and other.row == self.row

    def __hash__(self) -> int:
        return hash((id(self.model), self.row))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @property
    def unique_id(self) -> int:
        """Who this is among all agents: `FIRST_UNIQUE_ID` plus `id`, which all luck follows."""
        return FIRST_UNIQUE_ID + int(self.id)

    @unique_id.setter
    def unique_id(self, value: int) -> None:
        raise AttributeError("a customer's id is fixed")

    @property
    def random(self) -> Any:
        """Mesa's generator of the model; no rule of behaviour uses it."""
        return self.model.random

    @property
    def rng(self) -> Any:
        """NumPy generator of the model; no rule of behaviour uses it."""
        return self.model.rng

    @property
    def firm(self) -> Any:
        """The firm this customer is with, or None."""
        provider = int(self.provider)
        return None if provider == OUTSIDE else self.model.firms[provider - 1]

    def remove(self) -> None:
        """Refuse: customers leave through the model's own exits, which replace them."""
        raise NotImplementedError("customers leave the market through hazards.natural, not through remove()")

    def step(self) -> None:
        """Refuse: a tick has three stages with firms between them; `ChurnModel.step` calls each."""
        raise NotImplementedError(f"customers act in stages {STAGES}; call ChurnModel.step()")

    def knows(self, option: int) -> bool:
        """Return whether this customer has ever been with the firm of `option`."""
        return option > 0 and bool((int(self.known) >> (option - 1)) & 1)

    # ------------------------------------------------------------------ stage 1: decide

    def decide(self) -> None:
        """Stay, defect, leave the market or come back; nothing else changes yet."""
        market, counters = self.model.market, self.model.counters
        provider = int(self.provider)
        exit = self.exits()
        choice, following, looks = NO_PURCHASE, provider, False
        if exit != involuntary.NONE:
            following = OUTSIDE
            counters.exits[provider, exit] += 1
        elif uniform(market.opportunity_key, self.id) < self.chance():
            looks = self.looks_around()
            choice = following = self.best_option() if looks else provider
            counters.purchases[choice] += 1
        self.exit, self.choice, self.looked, self.following = exit, choice, looks, following
        if following != provider or gone_for_good(exit):
            counters.flows[provider, following] += 1
        if following not in (provider, OUTSIDE):
            counters.returned[following - 1] += self.knows(following)
            counters.cohort_returned[following - 1] += (int(self.lost_at_start) >> (following - 1)) & 1

    def exits(self) -> int:
        """Return the involuntary exit that befalls this customer this tick (E25)."""
        if self.model.deals:
            return self.model.dealings.leaving[self.row]
        market, p = self.model.market, self.model.parameters
        firm = self.firm
        return involuntary_exit(
            uniform(market.involuntary_key, self.id),
            p.hazard_natural,
            p.hazard_lapse,
            p.hazard_credit,
            firm is not None,
            firm is None or firm.open,
        )

    def looks_around(self) -> bool:
        """Return whether this customer compares at all on this occasion (E11)."""
        market, p = self.model.market, self.model.parameters
        if not p.attention_on:
            return True
        chance = attention(self.satisfaction, p.attention_base, p.attention_slope, self.triggers())
        return bool(uniform(market.attention_key, self.id) < chance)

    def triggers(self) -> np.float32:
        """Return the sum of what has stirred this customer, in log-odds (E11)."""
        market, p = self.model.market, self.model.parameters
        provider = int(self.provider)
        rise, expired, deepest = ZERO, False, ZERO
        for j in range(market.price.size):
            if provider == j + 1:
                rise = price_above(market.price[j], self.reference[j])
                length = p.termination_on * market.contract_length[self.anchor_row, j]
                expired = length > ZERO and np.float32(self.tenure) == length
            elif market.open[j]:
                deepest = max(deepest, price_below(market.price[j], self.reference[j]))
        stirred = triggers(
            rise,
            expired,
            self.contacts_received() > ZERO,
            deepest,
            p.trigger_rise,
            p.trigger_expiry,
            p.trigger_contact,
            p.trigger_cut,
        )
        return self.stirred_by_dealings(stirred)

    def contacts_received(self) -> np.float32:
        """Return how many contacts the firm makes with this customer this tick (E14)."""
        market = self.model.market
        if self.provider == OUTSIDE:
            return ZERO
        return contacts_received(market.contacts[self.provider - 1], uniform(market.contact_key, self.id))

    def value_of(self, option: int) -> np.float32:
        """Return what an option is worth, less what it costs to take it, in money (E1, E4-E6, E13, E15-E18)."""
        market, p = self.model.market, self.model.parameters
        provider = int(self.provider)
        worth = p.outside_value
        if option != OUTSIDE:
            j = option - 1
            worth = firm_value(
                quality_value(self.belief[j], self.quality_value, p.core_floor),
                market.price[j],
                self.price_weight,
                transaction_utility(self.reference[j], market.price[j], p.gain_weight, p.loss_aversion),
                self.attachment[j],
                p.attachment_value,
                self.taste[j],
                cue_value(market.cue[j], self.quality_value, self.knows(option)),
            )
        if option == provider:
            return worth if provider == OUTSIDE else worth + p.sunk_weight * self.sunk
        barrier = ZERO
        if provider != OUTSIDE:
            j = provider - 1
            signed = self.anchor_row  # a contract has the terms of the tick in which it was signed
            barrier = p.termination_on * termination_barrier(
                market.contract_fee[signed, j], market.contract_length[signed, j], np.float32(self.tenure)
            )
        return worth - moving_cost(
            p.switching_on * self.switching_cost,
            p.transaction_on * self.transaction_cost,
            barrier,
            provider != OUTSIDE,
            option != OUTSIDE,
            self.knows(option),
            self.known == 0,
        )

    def best_option(self) -> int:
        """Return the option of highest utility; a tie goes to the present one, then to the first (E1)."""
        provider = int(self.provider)
        best, highest = provider, self.utility_of(provider)
        for option in range(self.model.market.price.size + 1):
            if option == provider or (option != OUTSIDE and not self.model.market.open[option - 1]):
                continue
            if (candidate := self.utility_of(option)) > highest:
                best, highest = option, candidate
        return best

    def utility_of(self, option: int) -> np.float32:
        """Return what an option is worth this tick, luck included, in money (E1)."""
        market, p = self.model.market, self.model.parameters
        luck = p.noise * gumbel(uniform(market.option_keys[market.row, option], self.id))
        return self.value_of(option) + added_to(luck, self.model.dealings, self.row, option)

    def margin(self) -> np.float32:
        """Return by how much the option taken is better than the present one, in money.

        Where it is not (an overridden rule chose it), nothing of what is known explains the choice: infinitely
        much luck.
        """
        margin = self.utility_of(int(self.following)) - self.utility_of(int(self.provider))
        return margin if margin > 0 else np.float32(np.inf)

    # ------------------------------------------------------------------ stage 2: live through the tick

    def live_through(self) -> None:
        """Carry out the decision: move, stay, be contacted; learn, feel and remember."""
        model = self.model
        market, p = model.market, model.parameters
        self.told = 0
        if gone_for_good(self.exit):
            settle(model.columns, model.traits, market, self.row)
            anchor(model.columns, market.row, self.row)
            return
        provider, following, bought = int(self.provider), int(self.following), int(self.choice)
        contacts = self.contacts_received()
        if following != provider:
            self.move_to(following)
            anchor(model.columns, market.row, self.row)
        payment = ZERO
        if bought > OUTSIDE:
            payment = p.sunk_share * market.price[bought - 1]
            felt = self.stay_at(bought - 1)
            model.counters.stays_quality[0] += int(float(felt) * SCALE)
            self.tell(felt)
        self.sunk = sunk_cost(self.sunk, p.sunk_decay, payment)
        for j in range(market.price.size):
            self.feel_for(j, provider, following, bought, contacts)
            rate = p.reference_rate if bought == j + 1 else p.reference_rate * p.reference_seen
            self.reference[j] = reference_price(self.reference[j], market.price[j], rate)
        if following != OUTSIDE:
            self.expectation = spillover(self.expectation, self.best_known(), p.expectation_spill)
            self.tenure = min(int(self.tenure) + 1, 32767)

    def best_known(self) -> np.float32:
        """Return the best quality that this customer believes any open firm to have."""
        best = ZERO
        for j, is_open in enumerate(self.model.market.open):
            if is_open:
                best = max(best, self.belief[j])
        return best

    def move_to(self, option: int) -> None:
        """Leave the present provider for another option."""
        market, p = self.model.market, self.model.parameters
        self.provider, self.tenure, self.sunk, self.satisfaction = option, 0, ZERO, p.neutral
        if option != OUTSIDE:
            j = option - 1
            cue = ZERO if self.knows(option) else market.cue[j]
            self.expectation = clip(self.belief[j] + cue, ZERO, ONE)
            self.known = int(self.known) | 1 << j
            self.lost_at_start = int(self.lost_at_start) & ~(1 << j)

    def stay_at(self, j: int) -> np.float32:
        """Stay with firm `j`; return what the stay was like (E7-E10)."""
        market, p = self.model.market, self.model.parameters
        luck = normal(uniform(market.experience_key, self.id))
        felt = experience(market.quality[j], market.crowding[j], p.experience_noise, luck)
        self.belief[j] = learn(self.belief[j], felt, p.learning)
        self.belief_crowding[j] = learn(self.belief_crowding[j], -market.crowding[j], p.learning)
        self.belief_word[j] = learn(self.belief_word[j], ZERO, p.learning)
        missing = market.best_quality[self.anchor_row, j] - market.quality[j] if market.worsened[j] else ZERO
        kept = clip(felt + missing, ZERO, ONE) + market.crowding[j]
        self.kept_core = learn(self.kept_core, kept, p.learning)
        pleased = stay_satisfaction(
            felt, self.expectation, market.market_mean, p.disconfirmation, p.satisfaction_loss, p.performance
        )
        self.satisfaction = learn(self.satisfaction, pleased, p.satisfaction_rate)
        self.expectation = expectation(self.expectation, felt, p.expectation_up, p.expectation_down)
        return felt

    def tell(self, felt: np.float32) -> None:
        """Decide how many people hear of a stay (E19)."""
        market, p = self.model.market, self.model.parameters
        if uniform(market.telling_key, self.id) < telling(self.satisfaction, p.tell_base, p.tell_extreme):
            mean = p.told_dissatisfied if self.satisfaction < HALF else p.told_satisfied
            self.told = people_told(uniform(market.audience_key, self.id), mean)
            self.told_quality = felt

    def feel_for(self, j: int, provider: int, following: int, bought: int, contacts: np.float32) -> None:
        """Let the attachment to firm `j` grow with contact or fade in separation (E13)."""
        market, p = self.model.market, self.model.parameters
        intensity = ZERO
        if bought == j + 1:
            intensity = intensity + p.stay_intensity
        if provider == j + 1:
            felt = p.contact_intensity * contact_effect(contacts, market.richness[j], p.satiation)
            intensity = intensity + self.received(felt)
        growth = p.attachment_growth if following == j + 1 else ZERO
        self.attachment[j] = attachment(
            self.attachment[j], intensity, self.satisfaction, growth, p.attachment_floor, p.attachment_decay
        )
        if following == j + 1:
            if provider == following and market.slackened[j]:
                intensity = self.best_intensity(j, bought)
            kept = attachment(
                self.kept_attachment, intensity, self.satisfaction, growth, p.attachment_floor, p.attachment_decay
            )
            self.kept_attachment = max(kept, self.attachment[j])

    def best_intensity(self, j: int, bought: int) -> np.float32:
        """Return the contact intensity of this tick, had firm `j` kept its best work since the customer joined."""
        market, p = self.model.market, self.model.parameters
        best = market.best_work[self.anchor_row, j]
        contacts = contacts_received(market.contacts_then[best, j], uniform(market.contact_key, self.id))
        felt = p.contact_intensity * contact_effect(contacts, market.richness_then[best, j], p.satiation)
        return (p.stay_intensity if bought == j + 1 else ZERO) + self.received(felt)

    # ------------------------------------------------------------------ stage 3: listen

    def listen(self) -> None:
        """Hear what acquaintances tell of this tick's stays, and believe some of it (E19)."""
        model = self.model
        market, p, network, columns = model.market, model.parameters, model.network, model.columns
        for n in range(int(p.word_contacts)):
            teller = acquaintance(market.network_key, self.id, n, network.rewired, network.customers)
            row = int(network.row_of[teller]) if network.row_of.size else int(teller)
            told = columns.told[row]
            if told == 0 or row == self.row:
                continue
            if hears(uniform(market.hearing_keys[n], self.id), told, p.word_contacts):
                j = int(columns.choice[row]) - 1
                before = self.belief[j]
                after = learn(before, columns.told_quality[row], p.word_weight)
                self.belief[j] = after
                self.belief_word[j] = self.belief_word[j] + (after - before)

    # ------------------------------------------------------------------ stage 4: be counted

    def be_counted(self) -> None:
        """Add this customer to the census."""
        model = self.model
        counters, market = model.counters, model.market
        provider = int(self.provider)
        counters.heads[provider] += 1
        for j in range(market.price.size):
            counters.lost_pool[j] += self.knows(j + 1) and provider != j + 1
        if provider == OUTSIDE:
            return
        home = provider - 1
        for name in ("satisfaction", "expectation"):
            getattr(counters, name)[home] += int(float(getattr(self, name)) * SCALE)
        for name in ("attachment", "belief"):
            getattr(counters, name)[home] += int(float(getattr(self, name)[home]) * SCALE)
        counters.reference[home] += int(float(self.reference[home]) * (SCALE / float(market.money_unit)))
        rivals = [self.liking(j) for j in range(market.price.size) if j != home and market.open[j]]
        best = max(rivals, default=-np.float32(np.inf))
        counters.loyalty[home, loyalty_type(self.liking(home) - best, self.tenure)] += 1

    def liking(self, j: int) -> np.float32:
        """Return the liking of firm `j` apart from its price and from barriers, in money."""
        value = self.model.parameters.attachment_value
        return attitude(self.attachment[j], value, self.belief[j], self.quality_value, self.taste[j])

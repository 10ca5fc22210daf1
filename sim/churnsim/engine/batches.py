"""One market out of a batch, as kernels see it."""

from __future__ import annotations

from churnsim.engine.state import Counters, Market, Parameters, Traits
from churnsim.mechanisms.rule import part


@part
def market_of(markets, r):
    """Return market `r` of a batch."""
    m = markets
    return Market(
        m.row[r], m.parameter_set[r], m.trait_set[r], m.first[r], m.active[r], m.ring[r], m.open[r], m.opened[r],
        m.price[r], m.cue[r], m.contacts[r], m.richness[r], m.prices[r], m.cues[r], m.promotions[r],
        m.contacts_then[r], m.richness_then[r], m.best_work[r], m.best_quality[r], m.slackened[r], m.worsened[r],
        m.contract_length[r], m.contract_fee[r], m.contracts[r], m.quality[r], m.crowding[r], m.market_mean[r],
        m.money_unit[r], m.rewired[r], m.told_ladders[r], m.involuntary_key[r], m.opportunity_key[r], m.contact_key[r],
        m.attention_key[r], m.experience_key[r], m.telling_key[r], m.audience_key[r], m.network_key[r],
        m.option_keys[r], m.hearing_keys[r], m.trait_keys[r], m.taste_keys[r], m.circle_keys[r], m.belief_keys[r],
        m.customs_set[r], m.conduct[r], m.stocks[r], m.season[r], m.deal_keys[r], m.firm_keys[r], m.birth_keys[r],
    )  # fmt: skip


@part
def counters_of(counters, s):
    """Return the counters of one place in a batch."""
    c = counters
    return Counters(
        c.flows[s], c.exits[s], c.purchases[s], c.returned[s], c.cohort_returned[s], c.stays_quality[s], c.heads[s],
        c.satisfaction[s], c.expectation[s], c.attachment[s], c.belief[s], c.reference[s], c.loyalty[s],
        c.lost_pool[s], c.primary[s], c.labels[s], c.shares[s], c.barriers[s], c.counted[s],
    )  # fmt: skip


@part
def traits_at(traits, k):
    """Return one set of traits of a batch."""
    t = traits
    return Traits(
        t.kind[k], t.centre[k], t.spread[k], t.table[k], t.taste_sd[k], t.circle_sd[k], t.circle[k],
        t.belief_sd[k], t.belief_mean[k], t.attachment[k], t.neutral[k],
    )  # fmt: skip


@part
def parameters_at(sets, k):
    """Return one set of parameters as plain numbers, which loops can keep in registers."""
    p = sets[k]
    return Parameters(
        p.noise, p.outside_value, p.gain_weight, p.loss_aversion, p.reference_rate, p.reference_seen,
        p.experience_noise, p.core_floor, p.learning, p.expectation_up, p.expectation_down, p.expectation_spill,
        p.disconfirmation, p.satisfaction_loss, p.performance, p.satisfaction_rate, p.neutral, p.attention_on,
        p.attention_base, p.attention_slope, p.trigger_rise, p.trigger_cut, p.trigger_expiry, p.trigger_contact,
        p.attachment_value, p.attachment_growth, p.attachment_decay, p.attachment_floor, p.stay_intensity,
        p.contact_intensity, p.satiation, p.sunk_weight, p.sunk_decay, p.sunk_share, p.switching_on,
        p.transaction_on, p.termination_on, p.hazard_natural, p.hazard_lapse, p.hazard_credit, p.word_contacts,
        p.word_weight, p.tell_base, p.tell_extreme, p.told_dissatisfied, p.told_satisfied,
    )  # fmt: skip

"""One market out of a batch, as kernels see it."""

from __future__ import annotations

from churnsim.engine.state import Counters, Market, Traits
from churnsim.mechanisms.rule import rule


@rule
def market_of(markets, r):
    """Return market `r` of a batch."""
    m = markets
    return Market(
        m.row[r], m.parameter_set[r], m.trait_set[r], m.first[r], m.active[r], m.ring[r], m.open[r], m.price[r],
        m.cue[r], m.contacts[r], m.richness[r], m.prices[r], m.cues[r], m.promotions[r], m.contract_length[r],
        m.contract_fee[r], m.contracts[r], m.quality[r], m.crowding[r], m.market_mean[r], m.money_unit[r],
        m.rewired[r], m.involuntary_key[r], m.opportunity_key[r], m.contact_key[r], m.attention_key[r],
        m.experience_key[r], m.telling_key[r], m.audience_key[r], m.network_key[r], m.option_keys[r],
        m.hearing_keys[r], m.trait_keys[r], m.taste_keys[r], m.belief_keys[r],
    )  # fmt: skip


@rule
def counters_of(counters, s):
    """Return the counters of one place in a batch."""
    c = counters
    return Counters(
        c.flows[s], c.exits[s], c.purchases[s], c.returned[s], c.cohort_returned[s], c.stays_quality[s], c.heads[s],
        c.satisfaction[s], c.expectation[s], c.attachment[s], c.belief[s], c.reference[s], c.loyalty[s],
        c.lost_pool[s], c.primary[s], c.labels[s], c.shares[s], c.barriers[s],
    )  # fmt: skip


@rule
def traits_at(traits, k):
    """Return one set of traits of a batch."""
    t = traits
    return Traits(
        t.kind[k], t.centre[k], t.spread[k], t.table[k], t.taste_sd[k], t.belief_sd[k], t.belief_mean[k],
        t.attachment[k], t.neutral[k],
    )  # fmt: skip

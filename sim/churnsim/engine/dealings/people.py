"""Who customers are in their dealings: traits drawn for newcomers, and what the newly arrived remember."""

from __future__ import annotations

import numpy as np

from churnsim.engine.dealings.state import (
    AGE,
    BONDED,
    CREDIT_TYPE,
    ETHICAL,
    KINDRED,
    KNOWS,
    N_PLANES,
    REFERRER,
    SEEKING,
    SIZE,
    SOCIABILITY,
    STAGE,
    TECH,
)
from churnsim.engine.levers import COVERAGE
from churnsim.mechanisms.arithmetic import HALF, ONE, ZERO
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.traits import LOGNORMAL, trait
from churnsim.randomness import uniform

SIZE_TRAIT = 5
"""Place of the size among the traits that have a distribution."""

EVERYBODY_IN_PLACE = np.uint8(7)
"""All three contact persons."""


@part
def spread_around_one(luck, spread, table):
    """Return a lognormal number of mean 1; `spread` is the standard deviation of its logarithm."""
    return trait(luck, LOGNORMAL, ONE, spread, table)


@part
def introduce(columns, dealings, traits, customs, market, i, first):
    """Make customer `i` somebody without dealings so far; `first` if it is there from the beginning."""
    who = columns.id[i]
    keys = market.birth_keys
    none = traits.table[0]
    luck = uniform(keys[SIZE], who)
    dealings.size[i] = ONE
    dealings.rank[i] = HALF
    if customs.on_sizes:
        kind, centre, spread = traits.kind[SIZE_TRAIT], traits.centre[SIZE_TRAIT], traits.spread[SIZE_TRAIT]
        dealings.size[i] = trait(luck, kind, centre, spread, traits.table[SIZE_TRAIT])
        dealings.rank[i] = luck
    dealings.sociability[i] = spread_around_one(uniform(keys[SOCIABILITY], who), customs.sociability_sd, none)
    dealings.technology_value[i] = customs.technology_value * spread_around_one(
        uniform(keys[TECH], who), customs.technology_sd, none
    )
    dealings.ethics_value[i] = customs.ethics_value if uniform(keys[ETHICAL], who) < customs.ethics_share else ZERO
    dealings.novelty_value[i] = customs.variety_value if uniform(keys[SEEKING], who) < customs.variety_share else ZERO
    dealings.kindred[i] = uniform(keys[KINDRED], who) < customs.ethics_kindred
    dealings.bonded[i] = uniform(keys[BONDED], who) < customs.fatigue_bonded
    dealings.bad_debtor[i] = uniform(keys[CREDIT_TYPE], who) < customs.credit_bad
    drawn = uniform(keys[REFERRER], who)
    kind_of_referrer = 0
    for bound in (customs.referral_types_0, customs.referral_types_1, customs.referral_types_2):
        drawn = drawn - bound
        kind_of_referrer += 1 if drawn >= ZERO else 0
    dealings.referrer[i] = np.uint8(kind_of_referrer)
    # Who is there from the beginning is somewhere in the course of the need already.
    begun = uniform(keys[AGE], who) * np.float32(customs.life_cycle_length)
    dealings.age[i] = np.int16(begun) if first else np.int16(0)
    dealings.stage[i] = np.uint8(0)
    if customs.on_rhythm:  # whoever comes has needed such things before: any stage is as likely
        stage = np.int64(uniform(keys[STAGE], who) * np.float32(customs.rhythm_stages))
        dealings.stage[i] = np.uint8(min(stage, customs.rhythm_stages - 1))
    provider = np.int64(columns.provider[i])
    dealings.before[i] = np.int8(provider)
    dealings.spell[i] = np.int16(0)
    dealings.knew[i] = columns.known[i]
    dealings.content[i] = columns.satisfaction[i]
    dealings.leaving[i] = np.uint8(0)
    dealings.chance[i] = columns.opportunity[i]
    dealings.stirred[i] = ZERO
    dealings.receptive[i] = ONE
    dealings.barred[i] = np.uint8(0)
    aware = np.int64(columns.known[i])
    for j in range(market.price.size):
        if uniform(market.firm_keys[j, KNOWS], who) < customs.acquisition_known and first:
            aware |= 1 << j
        dealings.points[j, i] = ZERO
        for plane in range(N_PLANES + 1):
            dealings.terms[plane, j, i] = ZERO
            dealings.anchor_terms[plane, j, i] = ZERO
    dealings.aware[i] = np.uint8(aware)
    dealings.sensitised[i] = ZERO
    dealings.upset[i] = ZERO
    dealings.pending[i] = np.uint8(0)
    dealings.discount[i] = ZERO
    dealings.offer_from[i] = np.int8(0)
    dealings.offer_worth[i] = ZERO
    dealings.offer_off[i] = ZERO
    dealings.offer_left[i] = np.int16(0)
    dealings.offer_cost[i] = ZERO
    dealings.lost_from[i] = np.int8(0)
    dealings.lost_for[i] = np.uint8(0)
    dealings.lost_since[i] = np.int16(0)
    dealings.second[i] = False
    dealings.visits[i] = np.int16(0)
    dealings.stock[i] = ZERO
    dealings.basket[i] = ZERO
    dealings.recent[i] = ZERO
    dealings.favoured[i] = ZERO
    dealings.helped[i] = np.int16(0)
    dealings.defaulted[i] = np.uint8(0)
    dealings.persons[i] = EVERYBODY_IN_PLACE
    dealings.met[i] = EVERYBODY_IN_PLACE
    if provider > 0:
        dealings.met[i] = persons_known(market.conduct[provider - 1, COVERAGE])
    dealings.silence[i] = np.int16(0)
    dealings.refers[i] = np.uint8(0)
    dealings.invited[i] = np.int8(0)
    dealings.referred[i] = False


@part
def persons_known(coverage):
    """Return the bits of the contact persons whom a firm knows, the decider first."""
    return np.uint8((1 << np.int64(coverage)) - 1)

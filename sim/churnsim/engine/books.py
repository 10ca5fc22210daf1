"""Firms as arrays: their levers, stocks and accounts in every market of a batch, in double precision.

Money and counts are held per market customer, so that behaviour does not depend on the size
of the market; the recorder multiplies them out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from churnsim.engine.dealings.state import N_FIRM_STREAMS, N_STREAMS, N_TRAIT_STREAMS
from churnsim.engine.kernel import kernel
from churnsim.engine.levers import N_CONDUCT, N_STOCKS
from churnsim.engine.state import Market
from churnsim.mechanisms import firm as rules
from churnsim.mechanisms.experience import crowding
from churnsim.mechanisms.rule import part
from churnsim.mechanisms.word_of_mouth import MOST_TOLD
from churnsim.randomness import Stream, key_of, uniform

LEVELS = 5
"""Levels of relationship work."""

FIRST_BIRTH = -1_000_000
"""Tick under which the traits of the first customers are drawn; no run reaches it."""

LUCK = 4
"""Uniform numbers that a firm gets each tick."""


def compiled(function: Any) -> Any:
    """Return a plain function compiled, to be called by kernels."""
    return part(function)


quality_bought = compiled(rules.quality_bought)
quality_after = compiled(rules.quality_after)
expected_stays = compiled(rules.expected_stays)
spendable = compiled(rules.spendable)
funded = compiled(rules.funded)


class Books(NamedTuple):
    """State of every firm of every market; arrays are float64 (R, J) unless said otherwise."""

    # The list: what holds where a strategy says nothing, and what a firm cannot choose.
    list_price: np.ndarray
    list_service: np.ndarray
    list_training: np.ndarray
    list_level: np.ndarray  # int64
    list_budget: np.ndarray  # NaN: as much as the level costs
    unit_cost: np.ndarray
    fixed_cost: np.ndarray
    capacity: np.ndarray
    credit: np.ndarray
    quality_scale: np.ndarray
    quality_speed: np.ndarray
    cash_use: np.ndarray
    memory: np.ndarray
    insolvency: np.ndarray
    service_first: np.ndarray  # bool
    list_contract_length: np.ndarray
    list_contract_fee: np.ndarray
    level_contacts: np.ndarray  # (R, LEVELS)
    level_richness: np.ndarray  # (R, LEVELS)
    level_cost: np.ndarray  # (R, LEVELS)
    # Levers in force; service and training as funded.
    price: np.ndarray
    promotion: np.ndarray  # bool
    service: np.ndarray
    training: np.ndarray
    level: np.ndarray  # int64
    budget: np.ndarray  # NaN: as much as the level costs
    contract_length: np.ndarray
    contract_fee: np.ndarray
    contacts: np.ndarray
    richness: np.ndarray
    # Stocks and last tick's outcome.
    open: np.ndarray  # bool
    quality: np.ndarray
    cash: np.ndarray
    cumulative_profit: np.ndarray
    expected: np.ndarray
    customers: np.ndarray
    stays: np.ndarray
    share: np.ndarray
    churn: np.ndarray
    crowding: np.ndarray
    # The account of this tick.
    revenue: np.ndarray
    unit_cost_paid: np.ndarray
    service_cost: np.ndarray
    relationship_cost: np.ndarray
    programme_cost: np.ndarray
    dealing_cost: np.ndarray
    volume: np.ndarray  # what was sold, in average purchases; where dealings tell it from stays
    volume_paid: np.ndarray  # the same, less what was conceded
    left: np.ndarray  # money left after service and relationship work
    fixed_cost_paid: np.ndarray
    profit: np.ndarray
    shortfall: np.ndarray
    # Uniform numbers of this tick, (R, J, LUCK).
    luck: np.ndarray


class Rules(NamedTuple):
    """What a scenario switches on for its firms and their market; one entry per market."""

    size: np.ndarray  # float64, customers at the beginning
    budget: np.ndarray  # bool, whether the budget binds
    insolvency: np.ndarray  # bool, whether debt can close a firm
    erosion: np.ndarray  # bool, whether quality follows spending
    crowding: np.ndarray  # float32, strength
    cue: np.ndarray  # float64, strength of the price as a cue to quality
    memory: np.ndarray  # float64, weight of the last tick in the market's mean experience
    word_contacts: np.ndarray  # int64
    dealings: np.ndarray  # bool, whether there are dealings beyond the stay
    employees: np.ndarray  # bool, whether morale bears on quality


_WHOLE = {"list_level": np.int64, "level": np.int64, "service_first": np.bool_, "promotion": np.bool_, "open": np.bool_}


def open_books(markets: int, firms: int) -> Books:
    """Return zeroed books."""
    shapes = {"luck": (markets, firms, LUCK)} | {
        f"level_{name}": (markets, LEVELS) for name in ("contacts", "richness", "cost")
    }
    return Books(
        **{name: np.zeros(shapes.get(name, (markets, firms)), _WHOLE.get(name, np.float64)) for name in Books._fields}
    )


def new_rules(markets: int) -> Rules:
    """Return zeroed rules."""
    types = {
        "budget": np.bool_, "insolvency": np.bool_, "erosion": np.bool_, "crowding": np.float32,
        "word_contacts": np.int64, "dealings": np.bool_, "employees": np.bool_,
    }  # fmt: skip
    return Rules(**{name: np.zeros(markets, types.get(name, np.float64)) for name in Rules._fields})


def new_markets(markets: int, firms: int, rows: int, ties: int) -> Market:
    """Return zeroed conditions of a batch of markets, with room for `rows` ticks of history."""
    per_row = {
        "prices", "cues", "promotions", "contract_length", "contract_fee", "contacts_then", "richness_then",
        "best_work", "best_quality",
    }  # fmt: skip
    per_firm = {
        "open", "opened", "slackened", "worsened", "price", "cue", "contacts", "richness", "quality", "crowding",
        "taste_keys", "circle_keys", "belief_keys",
    }  # fmt: skip
    shapes = {
        "parameter_set": (rows,), "option_keys": (rows, firms + 1), "hearing_keys": (ties,), "trait_keys": (6,),
        "told_ladders": (2, MOST_TOLD), "conduct": (firms, N_CONDUCT), "stocks": (firms, N_STOCKS),
        "deal_keys": (N_STREAMS,), "firm_keys": (firms, N_FIRM_STREAMS), "birth_keys": (N_TRAIT_STREAMS,),
        **dict.fromkeys(per_row, (rows, firms)), **dict.fromkeys(per_firm, (firms,)),
    }  # fmt: skip
    kinds = {
        **dict.fromkeys(
            ("row", "parameter_set", "trait_set", "customs_set", "first", "active", "ring", "opened", "best_work"),
            np.int64,
        ),
        **dict.fromkeys(("open", "promotions", "contracts", "slackened", "worsened"), np.bool_),
        "money_unit": np.float64,
    }
    return Market(
        **{
            name: np.zeros(
                (markets, *shapes.get(name, ())),
                np.uint64 if name.endswith(("_key", "_keys")) else kinds.get(name, np.float32),
            )
            for name in Market._fields
        }
    )


@kernel
def draw_luck(books, seeds, codes, tick):
    """Draw the uniform numbers of every firm for a tick; `codes` (R, J) are codes of the firms' names."""
    for r in range(seeds.size):
        for j in range(codes.shape[1]):
            key = key_of(seeds[r], np.int64(Stream.FIRM), tick, codes[r, j])
            for n in range(LUCK):
                books.luck[r, j, n] = uniform(key, np.uint32(n))


@kernel
def fund(books, rules):
    """Let every budget decide how much of the wishes comes true (E29); keep what was refused as shortfall."""
    for r in range(rules.size.size):
        for j in range(books.price.shape[1]):
            if not books.open[r, j]:
                books.service[r, j] = 0.0
                books.training[r, j] = 0.0
                books.contacts[r, j] = 0.0
                books.relationship_cost[r, j] = 0.0
                books.shortfall[r, j] = 0.0
                books.left[r, j] = 0.0
                continue
            cost = books.level_cost[r, books.level[r, j]]
            spend = books.budget[r, j] if books.budget[r, j] < cost else cost
            part = spend / cost if cost > 0 else 1.0
            service_wish = (books.service[r, j] + books.training[r, j]) * books.expected[r, j]
            relationship_wish = spend * books.customers[r, j]
            service, relationship, available = 1.0, 1.0, 0.0
            if rules.budget[r]:
                available = spendable(
                    books.price[r, j] - books.unit_cost[r, j],
                    books.expected[r, j],
                    books.fixed_cost[r, j],
                    books.cash[r, j],
                    books.credit[r, j],
                    books.cash_use[r, j],
                )
                if books.service_first[r, j]:
                    service, available = funded(service_wish, available)
                    relationship, available = funded(relationship_wish, available)
                else:
                    relationship, available = funded(relationship_wish, available)
                    service, available = funded(service_wish, available)
            books.left[r, j] = available
            books.service[r, j] *= service
            books.training[r, j] *= service
            books.contacts[r, j] = books.level_contacts[r, books.level[r, j]] * part * relationship
            books.richness[r, j] = books.level_richness[r, books.level[r, j]]
            books.relationship_cost[r, j] = relationship_wish * relationship
            books.shortfall[r, j] = service_wish * (1 - service) + relationship_wish * (1 - relationship)


@kernel
def renew(books, rules, morale):
    """Let quality follow this tick's service money (E27), and staff morale where it bears on quality (E28).

    `morale` (R, J) is by how much morale multiplies the quality that money buys.
    """
    for r in range(rules.size.size):
        for j in range(books.price.shape[1]):
            if books.open[r, j] and rules.erosion[r]:
                target = quality_bought(books.service[r, j] + books.training[r, j], books.quality_scale[r, j])
                if rules.employees[r]:
                    target = min(target * morale[r, j], 1.0)
                books.quality[r, j] = quality_after(books.quality[r, j], target, books.quality_speed[r, j])


@part
def publish_keys(markets, r, seed, codes, tick, row, ties):
    """Set the keys of market `r`'s random numbers for a tick."""
    nothing = np.uint64(0)
    markets.involuntary_key[r] = key_of(seed, np.int64(Stream.INVOLUNTARY), tick, nothing)
    markets.opportunity_key[r] = key_of(seed, np.int64(Stream.OPPORTUNITY), tick, nothing)
    markets.contact_key[r] = key_of(seed, np.int64(Stream.CONTACT), tick, nothing)
    markets.attention_key[r] = key_of(seed, np.int64(Stream.ATTENTION), tick, nothing)
    markets.experience_key[r] = key_of(seed, np.int64(Stream.EXPERIENCE), tick, nothing)
    markets.telling_key[r] = key_of(seed, np.int64(Stream.TELLING), tick, nothing)
    markets.audience_key[r] = key_of(seed, np.int64(Stream.AUDIENCE), tick, nothing)
    markets.network_key[r] = key_of(seed, np.int64(Stream.NETWORK), 0, nothing)
    for n in range(ties):
        markets.hearing_keys[r, n] = key_of(seed, np.int64(Stream.HEARING), tick, np.uint64(n))
    # The first customers are the same people however long the burn-in.
    born = FIRST_BIRTH if row == 0 else tick
    markets.trait_keys[r, 0] = key_of(seed, np.int64(Stream.TRAIT_OPPORTUNITY), born, nothing)
    markets.trait_keys[r, 1] = key_of(seed, np.int64(Stream.TRAIT_QUALITY_VALUE), born, nothing)
    markets.trait_keys[r, 2] = key_of(seed, np.int64(Stream.TRAIT_PRICE_WEIGHT), born, nothing)
    markets.trait_keys[r, 3] = key_of(seed, np.int64(Stream.TRAIT_SWITCHING_COST), born, nothing)
    markets.trait_keys[r, 4] = key_of(seed, np.int64(Stream.TRAIT_TRANSACTION_COST), born, nothing)
    markets.trait_keys[r, 5] = key_of(seed, np.int64(Stream.TRAIT_SIZE), born, nothing)
    markets.option_keys[r, row, 0] = key_of(seed, np.int64(Stream.OPTION), tick, nothing)
    for j in range(codes.size):
        markets.option_keys[r, row, j + 1] = key_of(seed, np.int64(Stream.OPTION), tick, codes[j])
        markets.taste_keys[r, j] = key_of(seed, np.int64(Stream.TRAIT_TASTE), born, codes[j])
        # The circle of an acquaintance stays, whoever takes a place in it.
        markets.circle_keys[r, j] = key_of(seed, np.int64(Stream.TASTE_OF_CIRCLE), 0, codes[j])
        markets.belief_keys[r, j] = key_of(seed, np.int64(Stream.TRAIT_BELIEF), born, codes[j])


@part
def keep_best(markets, r, row, j):
    """Keep the best that firm `j` of market `r` has been from each row of history on."""
    contacts, richness = markets.contacts_then[r, :, j], markets.richness_then[r, :, j]
    best_work, best_quality = markets.best_work[r, :, j], markets.best_quality[r, :, j]
    contacts[row], richness[row] = markets.contacts[r, j], markets.richness[r, j]
    best_work[row], best_quality[row] = row, markets.quality[r, j]
    work, quality = contacts[row] * richness[row], markets.quality[r, j]
    markets.slackened[r, j] = markets.worsened[r, j] = False
    for then in range(row):
        best = best_work[then]
        if contacts[best] * richness[best] > work:
            markets.slackened[r, j] = True
        else:
            best_work[then] = row
        if best_quality[then] > quality:
            markets.worsened[r, j] = True
        else:
            best_quality[then] = quality


@kernel
def publish(markets, books, rules, seeds, codes, by_name, tick, row):
    """Publish what holds for all customers of every market in a tick, and keep it as history.

    `by_name` (R, J) lists the firms by name, so that no sum depends on the order of the scenario.
    """
    for r in range(seeds.size):
        markets.row[r] = row
        total, trading = 0.0, 0
        for m in range(by_name.shape[1]):
            j = by_name[r, m]
            if books.open[r, j]:
                total += books.price[r, j]
                trading += 1
        mean = total / trading if trading else 0.0
        strength = rules.cue[r] if mean > 0 else 0.0
        for j in range(by_name.shape[1]):
            price = books.price[r, j]
            markets.open[r, j] = books.open[r, j]
            markets.price[r, j] = np.float32(price)
            markets.cue[r, j] = np.float32(strength * (price - mean) / (mean if mean > 0 else 1.0))
            markets.contacts[r, j] = np.float32(books.contacts[r, j] if books.open[r, j] else 0.0)
            markets.richness[r, j] = np.float32(books.richness[r, j])
            markets.quality[r, j] = np.float32(books.quality[r, j])
            markets.crowding[r, j] = np.float32(0)
            markets.prices[r, row, j] = markets.price[r, j]
            markets.cues[r, row, j] = markets.cue[r, j]
            markets.promotions[r, row, j] = books.promotion[r, j]
            markets.contract_length[r, row, j] = np.float32(books.contract_length[r, j])
            markets.contract_fee[r, row, j] = np.float32(books.contract_fee[r, j])
            if books.contract_length[r, j] > 0:
                markets.contracts[r] = True
            keep_best(markets, r, row, j)
        publish_keys(markets, r, seeds[r], codes[r], tick, row, rules.word_contacts[r])


@kernel
def crowd(markets, books, rules, counters):
    """Let full houses crowd (E7), from this tick's purchases."""
    for r in range(rules.size.size):
        for j in range(books.price.shape[1]):
            load = np.float32(np.float64(counters.purchases[r, j + 1]) / rules.size[r])
            felt = crowding(load, np.float32(books.capacity[r, j]), rules.crowding[r])
            markets.crowding[r, j] = felt
            books.crowding[r, j] = np.float64(felt)


@kernel
def settle_books(books, rules, counters, tick, failed):
    """Close the tick's books; before tick 1 the owners take the profit and cash stands still.

    Sets `failed` (R, J) where debt closes a firm.
    """
    for r in range(rules.size.size):
        for j in range(books.price.shape[1]):
            stays = np.float64(counters.purchases[r, j + 1]) / rules.size[r]
            failed[r, j] = False
            sold, paid = stays, stays
            if rules.dealings[r]:
                sold, paid = books.volume[r, j], books.volume_paid[r, j]
            books.revenue[r, j] = books.price[r, j] * paid
            books.unit_cost_paid[r, j] = books.unit_cost[r, j] * sold
            books.service_cost[r, j] = (books.service[r, j] + books.training[r, j]) * stays
            books.fixed_cost_paid[r, j] = books.fixed_cost[r, j] if books.open[r, j] else 0.0
            books.profit[r, j] = (
                books.revenue[r, j]
                - books.unit_cost_paid[r, j]
                - books.service_cost[r, j]
                - books.relationship_cost[r, j]
                - books.dealing_cost[r, j]
                - books.fixed_cost_paid[r, j]
            )
            books.expected[r, j] = expected_stays(books.expected[r, j], stays, books.memory[r, j])
            books.stays[r, j] = stays
            if tick >= 1:
                books.cash[r, j] += books.profit[r, j]
                books.cumulative_profit[r, j] += books.profit[r, j]
                limit = books.credit[r, j] + books.insolvency[r, j] * books.fixed_cost[r, j]
                if rules.budget[r] and rules.insolvency[r] and books.open[r, j] and books.cash[r, j] < -limit:
                    books.open[r, j] = False
                    failed[r, j] = True

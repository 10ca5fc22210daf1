"""Taking a market's numbers from its scenario: at the beginning, and again whenever a move has changed it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.config.firms import LEVELS
from churnsim.dealings import open_conduct, programmes_on, read_conduct
from churnsim.engine.ladders import build_ladders
from churnsim.engine.state import Traits, stacked
from churnsim.mechanisms.firm import quality_bought
from churnsim.parameters import customs_of, customs_stacked, parameters_of, traits_of

if TYPE_CHECKING:
    from churnsim.markets import Markets
    from churnsim.scenario import Scenario


def read_market(markets: Markets, r: int) -> None:
    """Take market `r`'s numbers from its scenario as it is now."""
    config = markets.configs[r]
    on, customers, batch = config.mechanisms, config.customers, markets.batch
    parameters = parameters_of(customers, on)
    if parameters not in markets.numbers:
        markets.numbers[parameters] = len(markets.parameter_sets)
        markets.parameter_sets.append(parameters)
        markets.sets = stacked(markets.parameter_sets)
    markets.current[r] = markets.numbers[parameters]
    build_ladders(batch.told_ladders[r], parameters.told_dissatisfied, parameters.told_satisfied)
    batch.trait_set[r] = _trait_set(markets, config)
    rules = markets.rules
    rules.size[r] = customers.count
    rules.budget[r], rules.insolvency[r], rules.erosion[r] = on.budget, on.insolvency, on.quality_erosion
    rules.crowding[r] = customers.experience.crowding if on.crowding else 0
    rules.cue[r] = customers.price_cue.strength if on.price_cue else 0
    rules.memory[r] = customers.experience.market_memory
    rules.word_contacts[r] = customers.word_of_mouth.contacts
    books = markets.books
    for k, level in enumerate(LEVELS):
        work = config.relationship_levels[level]
        books.level_contacts[r, k], books.level_richness[r, k] = work.contacts, work.richness
        books.level_cost[r, k] = work.cost
    for j, firm in enumerate(config.firms.values()):
        listed = {
            "list_price": firm.price, "list_service": firm.service, "list_training": firm.training,
            "list_level": LEVELS.index(firm.relationship),
            "list_budget": math.nan if firm.relationship_budget is None else firm.relationship_budget,
            "unit_cost": firm.unit_cost, "fixed_cost": firm.fixed_cost, "capacity": firm.capacity,
            "credit": firm.credit, "quality_scale": firm.quality.scale, "quality_speed": firm.quality.adjustment,
            "cash_use": firm.budget.cash_use, "memory": firm.budget.memory, "insolvency": firm.budget.insolvency,
            "service_first": firm.budget.priority[0] == "service", "list_contract_length": firm.contract.length,
            "list_contract_fee": firm.contract.fee,
        }  # fmt: skip
        for name, value in listed.items():
            getattr(books, name)[r, j] = value
    if markets.deals:
        _read_dealings(markets, r, config)


def _read_dealings(markets: Markets, r: int, config: Scenario) -> None:
    """Take market `r`'s numbers of dealings beyond the stay."""
    on = config.mechanisms
    # A market stays one with dealings when a move switches them all off: what they have left behind must be read.
    markets.rules.dealings[r], markets.rules.employees[r] = True, on.employees
    markets.seasons[r] = config.customers.calendar.weights
    markets.conduct.programmes[r] = programmes_on(on)
    for j, firm in enumerate(config.firms.values()):
        read_conduct(markets.conduct, r, j, firm)
    values = customs_of(config.customers, on)
    key = ("customs", *values.values())
    if key not in markets.numbers:
        markets.numbers[key] = len(markets.all_customs)
        markets.all_customs.append(values)
        markets.customs = customs_stacked(markets.all_customs)
    markets.batch.customs_set[r] = markets.numbers[key]


def _trait_set(markets: Markets, config: Scenario) -> int:
    """Return the number of a market's set of distributions, adding it if it is new."""
    traits = traits_of(config)
    key = ("traits", *(np.asarray(part).tobytes() for part in traits))
    if key not in markets.numbers:
        markets.numbers[key] = len(markets.all_traits)
        markets.all_traits.append(traits)
        columns: Any = (np.stack(parts) for parts in zip(*markets.all_traits, strict=True))
        markets.trait_sets = Traits(*columns)
    return markets.numbers[key]


def open_market(markets: Markets, r: int) -> None:
    """Open market `r`'s firms: their stocks before the first tick."""
    books, config = markets.books, markets.configs[r]
    opportunity = markets.bases[r].customers.opportunity.mean_value
    for j, firm in enumerate(config.firms.values()):
        start = {
            "price": firm.price, "service": firm.service, "training": firm.training,
            "level": books.list_level[r, j], "budget": books.list_budget[r, j],
            "quality": quality_bought(firm.service + firm.training, firm.quality.scale), "cash": firm.cash,
            "expected": firm.initial_share * opportunity, "stays": firm.initial_share * opportunity,
            "open": firm.opens == 0, "customers": firm.initial_share, "contract_length": firm.contract.length,
            "contract_fee": firm.contract.fee,
        }  # fmt: skip
        for name, value in start.items():
            getattr(books, name)[r, j] = value
    if markets.deals:
        open_conduct(markets.conduct, r, books.customers[r])
    markets.batch.money_unit[r] = books.list_price[r].max() or 1.0
    markets.batch.rewired[r] = markets.bases[r].customers.word_of_mouth.rewired

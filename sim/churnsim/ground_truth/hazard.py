"""The true hazard: each customer's own probability of leaving in a tick, given the state before the choice.

Given what a customer knows, feels and owes when the choice phase of a tick begins, chance decides in four steps: an
involuntary exit, a purchase occasion, attention, and Gumbel luck with every option. The probability of leaving
is the product of the steps in closed form (McFadden 1974 for the last; docs/model.md, choice and attention). It is
the model's, not an estimate: no other information about the customer could predict the departure better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from churnsim.engine.dealings.state import Dealings
from churnsim.engine.levers import REMIND
from churnsim.engine.state import OUTSIDE, Columns, Market, Parameters
from churnsim.lock_in import resistances, worth_of

CHUNK = 1 << 16
"""Customers at a time: what is computed of them stays within a few megabytes."""


@dataclass(frozen=True)
class Hazard:
    """Probabilities of some customers of a firm in a tick, each (n,) float64.

    Attributes
    ----------
    involuntary
        Of leaving the firm without choosing to.
    occasion
        Of a purchase occasion, given no such exit.
    attention
        Of looking around on an occasion.
    stays
        Of choosing the present firm again when looking around.
    """

    involuntary: np.ndarray
    occasion: np.ndarray
    attention: np.ndarray
    stays: np.ndarray

    @property
    def voluntary(self) -> np.ndarray:
        """Probability of leaving by choice."""
        return (1 - self.involuntary) * self.occasion * self.attention * (1 - self.stays)

    @property
    def total(self) -> np.ndarray:
        """Probability of leaving, for whatever reason."""
        return self.involuntary + self.voluntary

    @property
    def intention(self) -> np.ndarray:
        """Repurchase intention: probability of buying from the present firm again on an occasion."""
        return 1 - self.attention * (1 - self.stays)


def hazard_of(
    columns: Columns, dealings: Dealings, parameters: Parameters, customs: Any, market: Market, rows: np.ndarray
) -> Hazard:
    """Return the true hazards of customers of firms, before the choice phase of a tick.

    Parameters
    ----------
    columns, dealings
        State when the choice phase begins: what reaches customers first (employees, offers) has reached them.
    parameters, customs
        Numbers of the rules in force; `customs` is None where there are no dealings beyond the stay.
    market
        What holds for all customers in the tick.
    rows : (n,) int64
        Customers, all of them with a firm.
    """
    parts = [
        _hazard_of(columns, dealings, parameters, customs, market, rows[low : low + CHUNK])
        for low in range(0, rows.size, CHUNK)
    ]
    if not parts:
        return Hazard(*(np.empty(0) for _ in range(4)))
    names = ("involuntary", "occasion", "attention", "stays")
    return Hazard(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _hazard_of(
    columns: Columns, dealings: Dealings, parameters: Parameters, customs: Any, market: Market, rows: np.ndarray
) -> Hazard:
    """Return the hazards of a chunk of customers."""
    chance = (dealings.chance if customs is not None else columns.opportunity)[rows].astype(np.float64)
    involuntary, occasion = _exits(columns, dealings, parameters, customs, market, rows, np.minimum(chance, 1))
    return Hazard(
        involuntary,
        occasion,
        _attention(columns, dealings, parameters, customs, market, rows),
        _stays(columns, dealings, parameters, market, rows),
    )


def _exits(
    columns: Columns,
    dealings: Dealings,
    parameters: Parameters,
    customs: Any,
    market: Market,
    rows: np.ndarray,
    chance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of an involuntary exit (E25), and of an occasion given none."""
    home = columns.provider[rows].astype(np.intp) - 1
    natural, lapse, credit = (
        float(h) for h in (parameters.hazard_natural, parameters.hazard_lapse, parameters.hazard_credit)
    )
    leaving = np.full(rows.size, natural + lapse + credit)
    occasion = chance
    if customs is not None:
        credit = 0.0 if customs.on_screening else credit
        leaving = np.full(rows.size, natural + lapse + credit)
        if customs.on_reminders:
            reminded = lapse * (1 - market.conduct[home, REMIND].astype(np.float64))
            # Luck between the two lapses is spent on being reminded and makes nobody a bad debtor.
            leaving = natural + reminded + np.maximum(reminded + credit - lapse, 0)
    leaving = np.where(market.open[home], np.minimum(leaving, 1), 1.0)
    if customs is not None:
        if customs.on_life_cycle:
            leaving = np.where(dealings.age[rows] >= customs.life_cycle_length, 1.0, leaving)
        if customs.on_screening:
            leaving = np.where((dealings.defaulted[rows] >> home) & 1 == 1, 1.0, leaving)
        if customs.on_buying_centre:
            # An order that nobody is there to take is lost; what is left of the occasions are the others.
            lost = np.where(dealings.silence[rows] > 0, chance * float(customs.buying_centre_lost), 0.0)
            leaving = leaving + (1 - leaving) * lost
            occasion = (chance - lost) / np.where(lost < 1, 1 - lost, 1)
    return leaving, occasion


def _attention(
    columns: Columns, dealings: Dealings, parameters: Parameters, customs: Any, market: Market, rows: np.ndarray
) -> np.ndarray:
    """Return the probability of looking around on an occasion (E11), over whether a contact comes."""
    if not parameters.attention_on:
        return np.ones(rows.size)
    home = columns.provider[rows].astype(np.intp) - 1
    reference = columns.reference[:, rows].astype(np.float64)
    price = market.price.astype(np.float64)[:, np.newaxis]
    apart = np.divide(price - reference, reference, out=np.zeros_like(reference), where=reference > 0)
    me = np.arange(rows.size)
    own = apart[home, me]
    apart[~market.open] = 0
    apart[home, me] = 0
    stirred = float(parameters.trigger_rise) * np.maximum(own, 0)
    stirred += float(parameters.trigger_cut) * np.maximum(-apart, 0).max(axis=0)
    if market.contracts and parameters.termination_on > 0:
        length = market.contract_length[columns.anchor_row[rows], home]
        ended = (length > 0) & (columns.tenure[rows] == length)
        stirred += np.where(ended, float(parameters.trigger_expiry), 0)
    if customs is not None:
        stirred += dealings.stirred[rows]
    asleep = float(parameters.attention_base) - float(parameters.attention_slope) * (
        columns.satisfaction[rows].astype(np.float64) - 0.5
    )
    contacted = np.minimum(market.contacts[home].astype(np.float64), 1)
    with_contact = _logistic(asleep + stirred + float(parameters.trigger_contact))
    return contacted * with_contact + (1 - contacted) * _logistic(asleep + stirred)


def _stays(
    columns: Columns, dealings: Dealings, parameters: Parameters, market: Market, rows: np.ndarray
) -> np.ndarray:
    """Return the logit probability of the present firm among all that can be chosen (E1)."""
    provider = columns.provider[rows].astype(np.intp)
    gain = np.full((market.price.size + 1, rows.size), -np.inf)
    own = np.empty(rows.size)
    for option in range(market.price.size + 1):
        worth = worth_of(columns, dealings, parameters, market, option, rows).sum(axis=0, dtype=np.float64)
        own = np.where(provider == option, worth, own)
        if option != OUTSIDE and not market.open[option - 1]:
            continue
        cost = resistances(columns, dealings, parameters, market, option, rows).sum(axis=0, dtype=np.float64)
        gain[option] = worth - cost
        if option != OUTSIDE and dealings.chance.size:
            gain[option, (dealings.barred[rows] >> (option - 1)) & 1 == 1] = -np.inf
    gain -= own
    gain[provider, np.arange(rows.size)] = -np.inf
    if parameters.noise <= 0:
        return (gain.max(axis=0) <= 0).astype(np.float64)  # a tie goes to the present firm
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(gain / float(parameters.noise)).sum(axis=0))


def _logistic(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x))."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))

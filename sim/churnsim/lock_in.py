"""Love or lock-in: what holds each customer at this moment, in money against the best alternative.

The drivers of staying are what the firm is worth more than the alternative: consumer surplus, attachment, taste and
the reference price (course S39-S41). The resistances are what leaving would cost: switching, transaction and sunk
cost and the termination barrier (course S42-S46). The terms are those of the decision (`churnsim.mechanisms.value`),
for whole arrays; luck and attention, which come and go, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from churnsim.engine.dealings.state import CARD, N_PLANES, Dealings
from churnsim.engine.state import OUTSIDE, Columns, Market, Parameters, one_of

if TYPE_CHECKING:
    from churnsim.model import ChurnModel

DRIVERS = ("surplus", "attachment", "taste", "reference", "cue", "dealings")
"""Terms of an option's worth: theta q gate(q) - omega p; kappa A; tau; gain or loss against the reference price; what
the price says of quality to the inexperienced; what dealings beyond the stay add, but for points. Staying away is
worth the outside value, all of it surplus."""

RESISTANCES = ("switching_cost", "transaction_cost", "sunk_cost", "termination", "card")
"""What leaving for the alternative would cost; ``card`` is points and perks that would be left behind."""

HELD = ("love", "lock_in", "leaving")
"""Would stay without any resistance; stays only because of them; would leave even so."""


@dataclass(frozen=True)
class Holds:
    """What holds the customers of every firm.

    Attributes
    ----------
    customers : pandas.DataFrame
        One row per customer of a firm: customer (id), firm, alternative (the option worth most to the customer, costs
        of moving apart), the `DRIVERS` against it and their sum ``free``, the `RESISTANCES`, ``margin`` (by how much
        staying beats the best option once all costs are counted), and ``held`` (one of `HELD`). Money in the
        scenario's currency.
    firms : pandas.DataFrame
        Per firm: customers, the share held by each of `HELD`, and the mean of every driver and resistance.
    """

    customers: pd.DataFrame
    firms: pd.DataFrame


def worth_of(
    columns: Columns, dealings: Dealings, parameters: Parameters, market: Market, option: int, rows: np.ndarray
) -> np.ndarray:
    """Return what an option is worth to customers before any cost of moving, term by term.

    Parameters
    ----------
    columns, dealings, parameters, market
        State, numbers of the rules, and conditions of the tick.
    option
        0 for staying away, else a firm's number plus 1.
    rows : (n,) int64
        The customers.

    Returns
    -------
    (len(DRIVERS), n) float32
    """
    terms = np.zeros((len(DRIVERS), rows.size), np.float32)
    if option == OUTSIDE:
        terms[0] = parameters.outside_value
        return terms
    j = option - 1
    belief, theta, price = columns.belief[j, rows], columns.quality_value[rows], market.price[j]
    floor = parameters.core_floor
    gate = np.where(belief >= floor, np.float32(1), np.maximum(belief, 0) / (floor if floor > 0 else np.float32(1)))
    gain = columns.reference[j, rows] - price
    terms[0] = theta * belief * gate - columns.price_weight[rows] * price
    terms[1] = parameters.attachment_value * columns.attachment[j, rows]
    terms[2] = columns.taste[j, rows]
    terms[3] = parameters.gain_weight * np.where(gain >= 0, gain, parameters.loss_aversion * gain)
    terms[4] = np.where(_knows(columns, option, rows), np.float32(0), theta * market.cue[j])
    if dealings.chance.size:
        terms[5] = sum(dealings.terms[plane, j, rows] for plane in range(N_PLANES) if plane != CARD)
    return terms


def _knows(columns: Columns, option: int, rows: np.ndarray) -> np.ndarray:
    """Return who has ever been with the firm of an option."""
    return (columns.known[rows] >> (option - 1)) & 1 == 1


def resistances(
    columns: Columns, dealings: Dealings, parameters: Parameters, market: Market, option: int, rows: np.ndarray
) -> np.ndarray:
    """Return what it costs customers of firms to leave for an option, (len(RESISTANCES), n) float32, in money."""
    home = columns.provider[rows].astype(np.intp) - 1
    signed = columns.anchor_row[rows]  # a contract has the terms of the tick in which it was signed
    length, fee = market.contract_length[signed, home], market.contract_fee[signed, home]
    left = length - columns.tenure[rows].astype(np.float32)
    barrier = np.where(left > 0, fee * left / np.where(length > 0, length, 1), 0)
    card = np.zeros(rows.size, np.float32)
    if dealings.chance.size:
        card = dealings.terms[CARD, home, rows]
        if option != OUTSIDE:
            card = card - dealings.terms[CARD, option - 1, rows]
    first = option != OUTSIDE and ~_knows(columns, option, rows)
    return np.stack(
        [
            parameters.switching_on * columns.switching_cost[rows],
            np.where(first, parameters.transaction_on * columns.transaction_cost[rows], 0),
            parameters.sunk_weight * columns.sunk[rows],
            parameters.termination_on * barrier,
            card,
        ]
    ).astype(np.float32)


def holds(model: ChurnModel) -> Holds:
    """Tell love from lock-in for the customers of every firm, at the end of the tick that the model stands at.

    Parameters
    ----------
    model
        A model; it is not changed.
    """
    columns, parameters, market = model.columns, model.parameters, one_of(model.batch, 0)
    rows = np.flatnonzero(columns.provider[: model.active_customers] > 0)
    provider = columns.provider[rows].astype(np.intp)
    options = [OUTSIDE, *(j + 1 for j in range(market.price.size) if market.open[j])]
    # Whoever is with a firm that has just closed is with it until the next tick.
    every = range(market.price.size + 1)
    dealings = model.dealings
    worth = np.stack([worth_of(columns, dealings, parameters, market, option, rows) for option in every])
    costs = np.stack([resistances(columns, dealings, parameters, market, option, rows) for option in every])
    total, cost = worth.sum(axis=1), costs.sum(axis=1)
    me = np.arange(rows.size)
    rivals = np.full(total.shape, -np.inf)
    for option in options:
        shut = provider == option
        if option != OUTSIDE and dealings.chance.size:
            shut = shut | ((dealings.barred[rows] >> (option - 1)) & 1 == 1)
        rivals[option] = np.where(shut, -np.inf, total[option])
    alternative = rivals.argmax(axis=0)
    drivers = worth[provider, :, me] - worth[alternative, :, me]
    resisted = costs[alternative, :, me]
    free = drivers.sum(axis=1)
    margin = total[provider, me] - (rivals - cost).max(axis=0)
    held = np.select([free >= 0, margin >= 0], [0, 1], 2)
    names = ["outside", *model.firm_names[0]]
    frame = pd.DataFrame(
        {
            "customer": columns.id[rows],
            "firm": pd.Categorical.from_codes(provider - 1, names[1:]),
            "alternative": pd.Categorical.from_codes(alternative, names),
            **dict(zip(DRIVERS, drivers.T, strict=True)),
            "free": free,
            **dict(zip(RESISTANCES, resisted.T, strict=True)),
            "margin": margin.astype(np.float32),
            "held": pd.Categorical.from_codes(held, list(HELD)),
        }
    )
    return Holds(frame, _by_firm(frame))


def _by_firm(frame: pd.DataFrame) -> pd.DataFrame:
    """Return customers, shares by what holds them, and mean drivers and resistances, per firm."""
    firms = frame.groupby("firm", observed=False)
    means = firms[[*DRIVERS, "free", *RESISTANCES, "margin"]].mean()
    shares = {name: (frame["held"] == name).groupby(frame["firm"], observed=False).mean() for name in HELD}
    return pd.DataFrame({"customers": firms.size(), **shares}).join(means).reset_index()

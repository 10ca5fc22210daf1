"""Prices: what a room earns, how demand answers, what a price cut must bring, and what was forgone."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from churnsim.economics.checks import FINITE, NOT_NEGATIVE, POSITIVE, SHARE, Numbers, within


def occupancy(sold: ArrayLike, available: ArrayLike) -> Numbers:
    """Return the share of rooms that are sold, room nights sold / room nights available (STR glossary)."""
    return _part("occupancy", sold, available)


def adr(room_revenue: ArrayLike, sold: ArrayLike) -> Numbers:
    """Return the average daily rate, room revenue / room nights sold, in money (STR glossary)."""
    revenue = within("adr", "room_revenue", room_revenue, NOT_NEGATIVE)
    return revenue / within("adr", "sold", sold, POSITIVE)


def revpar(room_revenue: ArrayLike, available: ArrayLike) -> Numbers:
    """Return revenue per available room, room revenue / room nights available, in money.

    The same as `adr` x `occupancy`. STR glossary; Enz, Canina & Lomanno 2009 (V11).
    """
    revenue = within("revpar", "room_revenue", room_revenue, NOT_NEGATIVE)
    return revenue / within("revpar", "available", available, POSITIVE)


def arc_elasticity(
    price_before: ArrayLike, price_after: ArrayLike, quantity_before: ArrayLike, quantity_after: ArrayLike
) -> Numbers:
    """Return the price elasticity between two points, in per cent per per cent.

    Both changes are relative to the midpoint, so that the way back has the same elasticity. Allen 1934.
    """
    where = "arc_elasticity"
    p0 = within(where, "price_before", price_before, POSITIVE)
    p1 = within(where, "price_after", price_after, POSITIVE)
    q0 = within(where, "quantity_before", quantity_before, NOT_NEGATIVE)
    q1 = within(where, "quantity_after", quantity_after, NOT_NEGATIVE)
    if np.any(p0 == p1):
        raise ValueError(f"{where}: price_before and price_after are the same; they must differ")
    if np.any(q0 + q1 == 0):
        raise ValueError(f"{where}: quantity_before and quantity_after are both 0; at least one must be positive")
    return (q1 - q0) / (q1 + q0) * (p1 + p0) / (p1 - p0)


def break_even_sales_rise(price: ArrayLike, variable_cost: ArrayLike, cut: ArrayLike) -> Numbers:
    """Return by what share sales must rise for a price cut to leave profit as it was.

    ``cut / (price - variable cost - cut)``; all three in money per unit. Nagle 1987 (break-even sales
    change).
    """
    where = "break_even_sales_rise"
    margin = within(where, "price", price, POSITIVE) - within(where, "variable_cost", variable_cost, NOT_NEGATIVE)
    lower = within(where, "cut", cut, NOT_NEGATIVE)
    if np.any(lower >= margin):
        raise ValueError(f"{where}: cut takes the whole margin; it must lie in [0, price - variable_cost)")
    return lower / (margin - lower)


def deposit_interest(deposit: ArrayLike, rate: ArrayLike, tax: ArrayLike = 0.0) -> Numbers:
    """Return the interest that is left of a deposit after tax on it, ``deposit x rate x (1 - tax)``, in money.

    Course S44: its 180 on 10 000 at 2.25 % is 225 less a tax of 20 %, as China's was until 2007 (derived).
    """
    where = "deposit_interest"
    earned = within(where, "deposit", deposit, NOT_NEGATIVE) * within(where, "rate", rate, NOT_NEGATIVE)
    return earned * (1 - within(where, "tax", tax, SHARE))


def opportunity_cost(alternatives: ArrayLike) -> Numbers:
    """Return the gain of the best of the alternatives forgone, (..., alternatives), in money (course S44).

    A measure only: a choice that compares its options has counted it already.
    """
    gains = np.atleast_1d(within("opportunity_cost", "alternatives", alternatives, FINITE))
    if gains.shape[-1] == 0:
        raise ValueError("opportunity_cost: alternatives is empty; it must have at least one gain")
    return gains.max(axis=-1)


def true_gain(gain: ArrayLike, alternatives: ArrayLike) -> Numbers:
    """Return a gain less its `opportunity_cost`, in money (course S44, A15)."""
    return within("true_gain", "gain", gain, FINITE) - opportunity_cost(alternatives)


def _part(where: str, sold: ArrayLike, available: ArrayLike) -> Numbers:
    """Return sold / available, where no more can be sold than there is."""
    rooms = within(where, "available", available, POSITIVE)
    nights = within(where, "sold", sold, NOT_NEGATIVE)
    if np.any(nights > rooms):
        raise ValueError(f"{where}: sold is more than available; it must lie in [0, available]")
    return nights / rooms

"""What past payments leave behind: the reference price and sunk cost (E5, E15)."""

from __future__ import annotations

from churnsim.mechanisms.rule import rule


@rule
def reference_price(reference, price, rate):
    """Return the reference price moved towards the price seen, ``r + a (p - r)`` (E5), in money."""
    return reference + rate * (price - reference)


@rule
def sunk_cost(stock, decay, payment):
    """Return the stock of payments that still feels invested (E15), in money.

    ``(1 - delta) K + payment``: payment depreciation, Gourville & Soman 1998.
    """
    return stock - decay * stock + payment

"""Whether a customer looks around at all (E11)."""

from __future__ import annotations

from churnsim.mechanisms.arithmetic import HALF, ZERO, logistic
from churnsim.mechanisms.rule import rule


@rule
def price_above(price, reference):
    """Return by how much a price exceeds what the customer is used to, as a share of the latter."""
    return (price - reference) / reference if price > reference and reference > ZERO else ZERO


@rule
def price_below(price, reference):
    """Return by how much a price falls short of what the customer is used to, as a share of the latter."""
    return (reference - price) / reference if price < reference and reference > ZERO else ZERO


@rule
def triggers(rise, expired, contacted, deepest, rise_weight, expiry_weight, contact_weight, cut_weight):
    """Return the sum of what has stirred a customer this tick, in log-odds (E11; after Roos 1999).

    Parameters
    ----------
    rise
        By how much the own price exceeds the reference price, as a share of it.
    expired
        Whether a contract has just ended.
    contacted
        Whether the firm has been in touch, which can wake a sleeping customer (Ascarza et al. 2016).
    deepest
        By how much the cheapest rival's price falls short of its reference price, as a share of it.
    rise_weight, expiry_weight, contact_weight, cut_weight
        Weights of the four, in log-odds.
    """
    stirred = rise_weight * rise
    stirred = stirred + (expiry_weight if expired else ZERO)
    stirred = stirred + (contact_weight if contacted else ZERO)
    return stirred + cut_weight * deepest


@rule
def attention(satisfaction, base, slope, triggers):
    """Return the probability of looking around, ``logistic(a0 - a1 (S - 1/2) + triggers)``.

    Two-stage inertia after Hortaçsu, Madanizadeh & Puller (2017); triggers after Roos (1999).

    Parameters
    ----------
    satisfaction
        Satisfaction with the present firm, 0 to 1.
    base, slope
        ``a0`` and ``a1``, in log-odds.
    triggers
        Sum of what has stirred the customer this tick, in log-odds.
    """
    return logistic(base - slope * (satisfaction - HALF) + triggers)

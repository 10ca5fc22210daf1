"""Indices and bands of satisfaction, loyalty and a customer's worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnsim.economics.checks import NOT_NEGATIVE, SHARE, Floats, Numbers, proportions, same_length, some, within

Levels: TypeAlias = int | NDArray[np.intp]

SATISFACTION_CUTS = (0.2, 0.4, 0.6, 0.8)
"""Where the course's five levels of satisfaction begin (S33); it gives no cuts, equal ones are assumed."""

REPURCHASE_LOW, REPURCHASE_HIGH = 0.3, 0.7
"""At most the first is a low probability of repurchase, at least the second a high one (course S33)."""

RECOMMENDATION_CUTS = (1 / 3, 2 / 3)
"""Where the course's three levels of recommending begin (S33); equal ones are assumed."""


def satisfaction_index(scores: ArrayLike, weights: ArrayLike) -> Numbers:
    """Return the weighted mean of the scores of several items, ``sum w s`` (course S31).

    `scores` (..., items) within 0 and 1; `weights` (..., items) are divided by their sum.
    """
    return _weighted("satisfaction_index", scores, weights)


def satisfaction_level(satisfaction: ArrayLike) -> Levels:
    """Return the level of satisfaction, 1 (very dissatisfied) to 5 (very satisfied) (course S33)."""
    share = within("satisfaction_level", "satisfaction", satisfaction, SHARE)
    return np.searchsorted(SATISFACTION_CUTS, share, side="right") + 1


def repurchase_level(probability: ArrayLike) -> Levels:
    """Return the level of repurchase: 1 up to 30 %, 2 between, 3 from 70 % (course S33)."""
    p = within("repurchase_level", "probability", probability, SHARE)
    return 1 + (p > REPURCHASE_LOW).astype(np.intp) + (p >= REPURCHASE_HIGH)


def recommendation_level(probability: ArrayLike) -> Levels:
    """Return the level of recommending, 1 (would not) to 3 (would) (course S33)."""
    p = within("recommendation_level", "probability", probability, SHARE)
    return np.searchsorted(RECOMMENDATION_CUTS, p, side="right") + 1


def loyalty_composite(
    satisfaction: ArrayLike,
    initiative: ArrayLike,
    repurchase: ArrayLike,
    recommendation: ArrayLike,
    resistance: ArrayLike,
    weights: ArrayLike = (1, 1, 1, 1, 1),
) -> Numbers:
    """Return loyalty as the weighted mean of its five components (course S34), within 0 and 1.

    Overall satisfaction, initiative, the will to buy again, the will to recommend and resistance to
    switching, each within 0 and 1. The course names no weights; equal ones are assumed.
    """
    parts = {
        "satisfaction": satisfaction,
        "initiative": initiative,
        "repurchase": repurchase,
        "recommendation": recommendation,
        "resistance": resistance,
    }
    return _weighted("loyalty_composite", _items("loyalty_composite", parts), weights)


def customer_score(
    trading: ArrayLike,
    earnings: ArrayLike,
    safety: ArrayLike,
    growth: ArrayLike,
    cooperation: ArrayLike,
    weights: ArrayLike = (1, 1, 1, 1, 1),
) -> Numbers:
    """Return a business customer's score by the five criteria of the course (S89), within 0 and 1.

    Trading (how much it buys), earnings (its yield), safety (its credit), growth and cooperation, each
    scored within 0 and 1. The course names no weights; equal ones are assumed.
    """
    parts = {"trading": trading, "earnings": earnings, "safety": safety, "growth": growth, "cooperation": cooperation}
    return _weighted("customer_score", _items("customer_score", parts), weights)


def customer_class(score: ArrayLike, support_from: float, reward_from: float) -> Levels:
    """Return what to do with a customer of a score: 1 eliminate, 2 support, 3 reward (course S89).

    The course gives no cuts; they are the reader's.
    """
    share = within("customer_class", "score", score, SHARE)
    low = float(within("customer_class", "support_from", support_from, SHARE))
    high = float(within("customer_class", "reward_from", reward_from, f"[{low!r}, 1]"))
    return np.searchsorted((low, high), share, side="right") + 1


ACCOUNTS = ("underperformer", "commodity buyer", "partner", "most valuable")
"""Cells of the matrix of business customers, from low on the ladder and dear to high on it and cheap (course S86)."""


def account_matrix(
    rung: ArrayLike, cost_to_serve: ArrayLike, high_from: float = 4, dear_from: float | None = None
) -> NDArray[np.str_]:
    """Return the cell of each business customer: its place on the loyalty ladder against what it costs to serve (S86).

    High and cheap is most valuable, high and dear a partner, low and cheap a commodity buyer, low and dear an
    underperformer.

    Parameters
    ----------
    rung : (n,)
        Rungs of the loyalty ladder climbed, 0 to 6 (course S58).
    cost_to_serve : (n,)
        What each customer costs, in money, or per unit of its revenue.
    high_from
        First rung that is high: 4, pays a premium (assumed; the course gives no cut).
    dear_from
        Cost from which a customer is dear; by default above the median.

    Returns
    -------
    (n,) array of str
        Names out of `ACCOUNTS`.
    """
    where = "account_matrix"
    climbed = some(where, "rung", rung, "[0, 6]")
    cost = some(where, "cost_to_serve", cost_to_serve, NOT_NEGATIVE)
    same_length(where, "rungs", climbed, "costs to serve", cost)
    cut = float(within(where, "high_from", high_from, "[0, 6]"))
    dear = cost > np.median(cost) if dear_from is None else cost >= within(where, "dear_from", dear_from, NOT_NEGATIVE)
    return np.array(ACCOUNTS)[2 * (climbed >= cut) + ~dear]


def _items(where: str, parts: Mapping[str, ArrayLike]) -> Floats:
    """Put components, by their name, side by side on a new last axis."""
    return np.stack(np.broadcast_arrays(*(within(where, *part, SHARE) for part in parts.items())), axis=-1)


def _weighted(where: str, scores: ArrayLike, weights: ArrayLike) -> Numbers:
    """Return the weighted mean of scores over the last axis."""
    items, shares = some(where, "scores", scores, SHARE), proportions(where, "weights", weights)
    same_length(where, "scores", items, "weights", shares)
    return (items * shares).sum(axis=-1)

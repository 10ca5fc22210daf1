"""How purchases are spread over customers: what share of them the best few make (course S35, S36)."""

from __future__ import annotations

import numpy as np

PERCENTS = 100
"""Points of a concentration curve: the best 1, 2, ... 100 % of the customers."""

SORTED_BY = ("money", "purchases")
"""What the best customers are the best by."""


def best(customers: np.ndarray | int) -> np.ndarray:
    """Return how many customers the best 1 ... 100 % are, (..., 100) int64; a part of a customer counts as one."""
    return -(-np.asarray(customers)[..., np.newaxis] * np.arange(1, PERCENTS + 1) // PERCENTS)


def concentration(money: np.ndarray, purchases: np.ndarray) -> np.ndarray:
    """Return the shares of money and of purchases that the best 1 ... 100 % of a firm's buyers make.

    Parameters
    ----------
    money, purchases : (n,) array
        Of every customer who has bought.

    Returns
    -------
    (2, 100, 2) float64
        By what the buyers are sorted (`SORTED_BY`), per cent of the buyers, and share (of money, of purchases). NaN
        without buyers. Ties are broken by the other amount, so the order of the customers does not matter.
    """
    if not money.size:
        return np.full((2, PERCENTS, 2), np.nan)
    last = best(money.size) - 1
    amounts = np.stack([money, purchases], axis=1).astype(np.float64)
    shares = []
    for first, second in ((0, 1), (1, 0)):
        order = np.lexsort((-amounts[:, second], -amounts[:, first]))
        running = amounts[order].cumsum(axis=0)
        total = running[-1]
        shares.append(running[last] / np.where(total > 0, total, np.nan))
    return np.stack(shares)

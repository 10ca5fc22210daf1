"""Rates, tastes and switching costs at which a mixture over the customers of a log is evaluated.

Along log-odds of rates stand even nodes, weighed by the density (the trapezoid rule, whose error vanishes exponentially
where an integrand is smooth and as wide as nodes are apart; Trefethen & Weideman 2014, recalled). At each of them stand
kinds of customers by taste and switching cost, on a Fibonacci lattice: no two share a taste or a cost (lattice rules,
Sloan & Joe 1994, recalled). How many there are depends on what a log can tell of such a customer: whoever hardly ever
has an occasion may be of any kind, whoever has fifty shows his. The lattices of neighbouring rates are shifted against
each other, so that customers whose rate lies between two of them are compared with the kinds of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

RATES = np.linspace(-11.0, 7.0, 49)
"""Log-odds of an occasion in a tick at the nodes."""

STEP = float(RATES[1] - RATES[0])

LEVELS = ((0.1, 3), (0.5, 8), (3.0, 34), (12.0, 89), (np.inf, 233))
"""Kinds of customers by how many occasions, at most, they are expected to have in a log: as many as slopes of the
log-likelihood need (docs/decisions/0014-calibration.md)."""

BEFORE = {3: 2, 8: 5, 34: 21, 89: 55, 233: 144}
"""The Fibonacci number before each number of kinds: what makes them a lattice."""

SHIFT = (np.sqrt(5.0) - 1) / 2
"""By what share of its kinds a lattice is shifted against that of the next lower rate."""

NARROW = 1e-3
"""Sum of densities at the nodes below which all rates lie between two of them."""


@dataclass(frozen=True)
class Grid:
    """A grid for logs of some length: arrays (nodes,), rate after rate.

    Attributes
    ----------
    rate : int64
        Place of a node's rate in `RATES`.
    taste, cost : float64
        Taste and logarithm of the switching cost, in standard deviations.
    share : float64
        Share of this kind among the customers of this rate.
    """

    rate: np.ndarray
    taste: np.ndarray
    cost: np.ndarray
    share: np.ndarray

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, ticks: int) -> Grid:
        """Return the grid for logs of so many ticks."""
        occasions = special.expit(RATES) * ticks
        counts = [next(kinds for most, kinds in LEVELS if each <= most) for each in occasions]
        lattices = [_lattice(kinds, int(kinds * (place * SHIFT % 1))) for place, kinds in enumerate(counts)]
        taste, cost = np.concatenate(lattices, axis=1)
        return cls(np.repeat(np.arange(RATES.size), counts), taste, cost, np.repeat(1 / np.array(counts), counts))


def _lattice(kinds: int, shift: int) -> np.ndarray:
    """Return (2, kinds) tastes and costs: normal quantiles of even parts, with a standard deviation of 1."""
    normal = special.ndtri((np.arange(kinds) + 0.5) / kinds)
    normal /= normal.std()
    return np.stack([normal, normal[(np.arange(kinds) * BEFORE[kinds] + shift) % kinds]])


def rate_shares(a: float, b: float) -> np.ndarray:
    """Return (rates,) shares of customers by rate, where rates are Beta(a, b).

    Shares of cells around the nodes would spread rates by what a cell is wide. Whoever lies beyond the nodes is at the
    last of them.
    """
    log = -special.betaln(a, b) - a * np.logaddexp(0, -RATES) - b * np.logaddexp(0, RATES)
    share = np.exp(log) * STEP
    share[0] += special.betainc(a, b, special.expit(RATES[0] - STEP / 2))
    share[-1] += special.betaincc(a, b, special.expit(RATES[-1] + STEP / 2))
    total = float(share.sum())
    # All rates alike, between two nodes: the nearest has them.
    return share / total if total > NARROW else np.eye(RATES.size)[np.abs(RATES - np.log(a / b)).argmin()]

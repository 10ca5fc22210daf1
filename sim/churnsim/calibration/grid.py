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

LOWEST, HIGHEST, NODES = -11.0, 7.0, 49
"""Log-odds of an occasion in a tick at the first node and the last, and how many there are."""

LEVELS = ((0.1, 3), (0.5, 8), (3.0, 34), (12.0, 89), (np.inf, 233))
"""Kinds of customers by how many occasions, at most, they are expected to have in a log: as many as slopes of the
log-likelihood need (docs/decisions/0014-calibration.md)."""

FIBONACCI = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233)
"""How many kinds make a lattice; the number before is what it is made with."""

SHIFT = (np.sqrt(5.0) - 1) / 2
"""By what share of its kinds a lattice is shifted against that of the next lower rate."""

NARROW = 1e-3
"""Sum of densities at the nodes below which all rates lie between two of them."""


@dataclass(frozen=True)
class Grid:
    """A grid for logs of some length: arrays (nodes,), rate after rate.

    Attributes
    ----------
    rates : (rates,) float64
        Log-odds of an occasion in a tick, evenly apart.
    rate : int64
        Place of a node's rate in `rates`.
    taste, cost : float64
        Taste and logarithm of the switching cost, in standard deviations.
    share : float64
        Share of this kind among the customers of this rate.
    """

    rates: np.ndarray
    rate: np.ndarray
    taste: np.ndarray
    cost: np.ndarray
    share: np.ndarray

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, ticks: int, stages: int) -> Grid:
        """Return the grid for logs of so many ticks, where needs go through so many stages.

        Even gaps tell a customer's rate more exactly, by the root of the number of stages: so much closer do rates lie,
        with the fewer kinds at each.
        """
        finer = int(np.ceil(np.sqrt(stages)))
        rates = np.linspace(LOWEST, HIGHEST, (NODES - 1) * finer + 1)
        wanted = [next(kinds for most, kinds in LEVELS if each <= most) for each in special.expit(rates) * ticks]
        counts = [next(kinds for kinds in FIBONACCI[2:] if kinds * finer >= each) for each in wanted]
        lattices = [_lattice(kinds, int(kinds * (place * SHIFT % 1))) for place, kinds in enumerate(counts)]
        taste, cost = np.concatenate(lattices, axis=1)
        return cls(
            rates, np.repeat(np.arange(rates.size), counts), taste, cost, np.repeat(1 / np.array(counts), counts)
        )

    @property
    def step(self) -> float:
        """How far apart the rates lie."""
        return float(self.rates[1] - self.rates[0])


def _lattice(kinds: int, shift: int) -> np.ndarray:
    """Return (2, kinds) tastes and costs: normal quantiles of even parts, with a standard deviation of 1."""
    normal = special.ndtri((np.arange(kinds) + 0.5) / kinds)
    normal /= normal.std()
    before = FIBONACCI[FIBONACCI.index(kinds) - 1]
    return np.stack([normal, normal[(np.arange(kinds) * before + shift) % kinds]])


def rate_shares(a: float, b: float, rates: np.ndarray) -> np.ndarray:
    """Return (rates,) shares of customers by rate, where rates are Beta(a, b).

    Shares of cells around the nodes would spread rates by what a cell is wide. Whoever lies beyond the nodes is at the
    last of them.
    """
    step = rates[1] - rates[0]
    log = -special.betaln(a, b) - a * np.logaddexp(0, -rates) - b * np.logaddexp(0, rates)
    share = np.exp(log) * step
    share[0] += special.betainc(a, b, special.expit(rates[0] - step / 2))
    share[-1] += special.betaincc(a, b, special.expit(rates[-1] + step / 2))
    total = float(share.sum())
    # All rates alike, between two nodes: the nearest has them.
    return share / total if total > NARROW else np.eye(rates.size)[np.abs(rates - np.log(a / b)).argmin()]

"""The likelihood of a choice panel, simulated over what households could be like.

Logit given tastes and price weights, averaged over draws of them (Train 2009, chapters 6, 9 and 10). The draws of a
household come half from the population and half from around what its own purchases say, each weighted by how much more
likely the population makes it than the mixture (defensive importance sampling, Hesterberg 1995, recalled): few of those
that the population could have sent are like a household with a long history.

Households have bought before the data begin (the initial conditions of Heckman 1981, recalled): what they remember of
that is taken to be how often they would buy each brand at usual prices, given what they like.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from churnsim.calibration.formats import Panel
from churnsim.calibration.households import (
    SHARED,
    Households,
    Memory,
    Values,
    bought_usually,
    remember,
    transaction,
    unpack,
)
from churnsim.engine.kernel import kernel

DRAWS = 128
"""Simulated tastes per household: with 32, twelve brands seem to differ less in taste than they do."""

NARROWEST = 0.15
"""Narrowest that a household's own draws lie, in standard deviations of the population (assumed)."""

ROUNDS = 3
"""How often a household's own draws are moved to where the last ones were most likely."""


@kernel
def _usual(price, worth, own, omega):
    """Fill in (row 2 of `own`) how often a household with tastes in row 0 buys each brand at usual prices."""
    top, total = np.float32(-np.inf), np.float32(0.0)
    for k in range(worth.size):
        own[2, k] = worth[k] + own[0, k] - omega * price[k]
        top = max(top, own[2, k])
    for k in range(worth.size):
        own[2, k] = np.exp(own[2, k] - top)
        total += own[2, k]
    for k in range(worth.size):
        own[2, k] /= total


@kernel
def simulate(
    starts, choice, price, fixed, before, usual, worth, taste, weight, offset, spread, level, cv, with_slopes,
    odds, own, share, common, pull, slopes,
):  # fmt: skip
    """Return the simulated log-likelihood, and fill in weights of draws and slopes.

    Parameters
    ----------
    starts : (households + 1,) int64
        First row of every household, and the end of the last.
    choice : (rows,) int64
        Brands bought.
    price, fixed : (rows, brands) float32
        Prices, and what all draws of a household share of a brand's value.
    before : (rows,) float32
        Value of what a household remembers from before the data, for a brand that it always bought.
    usual, worth : (brands,) float32
        Usual prices, and worth to everybody.
    taste : (households, draws, brands) float32
        Tastes in standard deviations.
    weight : (households, draws) float32
        Logarithms of price weights in standard deviations.
    offset : (households, draws) float32
        Logarithm of how much a draw counts before any purchase.
    spread : (brands,) float32
        Standard deviations of tastes.
    level, cv : float32
        Mean price weight, and standard deviation of its logarithm.
    with_slopes : bool
        Whether `common` and `slopes` are wanted.
    odds : (rows of the longest household, draws, brands) float32
    own : (4, brands) float32
        Room to work in.
    share : (households, draws) float64
        The answer: posterior weights of draws; they add up to 1 for a household.
    common : (rows, brands) float64
        The answer: slope by the value of every brand on every occasion.
    pull : (rows,) float64
        The answer: slope by `before`.
    slopes : (2 * brands + 2,) float64
        The answer: slopes by the logarithms of spreads, of `level` and of `cv`, and by `worth` as far as it goes
        through what was bought before the data.
    """
    draws, brands = taste.shape[1], taste.shape[2]
    found = 0.0
    slopes[:] = 0.0
    for i in range(starts.size - 1):
        begin, end = starts[i], starts[i + 1]
        highest = -np.inf
        for r in range(draws):
            omega = level * np.exp(cv * weight[i, r] - cv * cv * np.float32(0.5))
            for k in range(brands):
                own[0, k] = spread[k] * taste[i, r, k]
            log = np.float64(offset[i, r])
            _usual(usual, worth, own, omega)
            for n in range(begin, end):
                top = np.float32(-np.inf)
                for k in range(brands):
                    value = fixed[n, k] + own[0, k] - omega * price[n, k] + before[n] * own[2, k]
                    odds[n - begin, r, k] = value
                    top = max(top, value)
                log += odds[n - begin, r, choice[n]] - top
                total = np.float32(0.0)
                for k in range(brands):
                    value = np.exp(odds[n - begin, r, k] - top)
                    odds[n - begin, r, k] = value
                    total += value
                log -= np.log(total)
                for k in range(brands):
                    odds[n - begin, r, k] /= total
            share[i, r] = log
            highest = max(highest, log)
        whole = 0.0
        for r in range(draws):
            share[i, r] = np.exp(share[i, r] - highest)
            whole += share[i, r]
        found += highest + np.log(whole / draws)
        for r in range(draws):
            share[i, r] /= whole
        if not with_slopes:
            continue
        for n in range(begin, end):
            pull[n] = 0.0
            for k in range(brands):
                common[n, k] = 0.0
            common[n, choice[n]] = 1.0
        for r in range(draws):
            part = np.float32(share[i, r])
            if part < np.float32(1e-7):
                continue
            omega = level * np.exp(cv * weight[i, r] - cv * cv * np.float32(0.5))
            for k in range(brands):
                own[1, k] = 0.0
                own[0, k] = spread[k] * taste[i, r, k]
                own[3, k] = 0.0
            _usual(usual, worth, own, omega)
            paid = np.float32(0.0)
            for n in range(begin, end):
                pulled = own[2, choice[n]]
                for k in range(brands):
                    pulled -= odds[n - begin, r, k] * own[2, k]
                    own[3, k] -= before[n] * odds[n - begin, r, k]
                own[3, choice[n]] += before[n]
                pull[n] += part * pulled
                for k in range(brands):
                    odd = odds[n - begin, r, k]
                    common[n, k] -= part * odd
                    own[1, k] -= odd
                    paid -= odd * price[n, k]
                own[1, choice[n]] += np.float32(1.0)
                paid += price[n, choice[n]]
            mean = np.float32(0.0)
            for k in range(brands):
                mean += own[3, k] * own[2, k]
            for k in range(brands):
                more = own[2, k] * (own[3, k] - mean)
                slopes[k] += part * (own[1, k] + more) * own[0, k]
                slopes[brands + 2 + k] += part * more
                paid += more * usual[k]
            slopes[brands] -= part * paid * omega
            slopes[brands + 1] -= part * paid * omega * cv * (weight[i, r] - cv)
    return found


class Likelihood:
    """Simulated log-likelihood of a panel, with gradient.

    Parameters
    ----------
    panel
        The choices.
    mean_price
        What prices are divided by.
    base
        The brand whose worth is 0.
    seed
        Seed of the quasi-random tastes.
    """

    def __init__(self, panel: Panel, mean_price: float, base: int, seed: int) -> None:
        self.panel, self.base, self.seed = panel, base, seed
        self.price = panel.price / mean_price
        rows, self.brands = self.price.shape
        self.starts = np.append(np.flatnonzero(np.diff(panel.household, prepend=-1)), rows)
        size = np.diff(self.starts)
        self.count = size.size
        self.place = np.arange(rows) - np.repeat(self.starts[:-1], size)
        self.clock = (self.place + 0.5) / np.repeat(size, size) - 1
        self.usual = self.price.mean(0).astype(np.float32)
        self.draws = DRAWS
        self.points, self.offset = self._points(0), np.zeros((self.count, self.draws), np.float32)
        self.others = [k for k in range(self.brands) if k != base]
        self._single = self.price.astype(np.float32)
        self._odds = np.empty((int(size.max()), self.draws, self.brands), np.float32)
        self._own = np.empty((4, self.brands), np.float32)

    def _points(self, time: int) -> np.ndarray:
        """Return (households, draws, brands + 1) standard normal numbers, others each time."""
        luck = np.random.default_rng([self.seed, time])
        # One even set of points, shifted for every household by luck of its own (Cranley & Patterson 1976).
        points = stats.qmc.Sobol(self.brands + 1, seed=luck).random(self.draws)
        points = (points + luck.random((self.count, 1, self.brands + 1))) % 1.0
        return stats.norm.ppf(np.clip(points, 1e-6, 1 - 1e-6)).astype(np.float32)

    def fixed(self, one: Values, memory: Memory) -> np.ndarray:
        """Return (rows, brands) of the value that all simulated households share."""
        value = one.worth + self.clock[:, None] * one.trend
        value += one.attachment * memory.attachment - one.switching * memory.elsewhere
        value += one.reference * transaction(memory.reference - self.price)
        return value + one.display * self.panel.display + one.feature * self.panel.feature

    def evaluate(self, x: np.ndarray, *, gradient: bool = True) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the log-likelihood, its gradient, and (households, draws) posterior weights of simulated tastes."""
        one, brands = unpack(x, self.base), self.brands
        memory = remember(self.panel, self.price, one.memory, one.adaptation)
        # What a household remembers from before the data is what it likes: attachment to how often it would buy.
        fade, first = (1 - one.memory) ** self.place, self.place == 0
        before = one.attachment * fade + one.switching * first
        share, common = np.empty((self.count, self.draws)), np.empty(self.price.shape)
        pull, own = np.empty(self.place.size), np.empty(2 * brands + 2)
        found = simulate(
            self.starts, self.panel.choice, self._single, self.fixed(one, memory).astype(np.float32),
            before.astype(np.float32), self.usual, (one.worth - one.trend).astype(np.float32),
            self.points[:, :, :brands], self.points[:, :, brands], self.offset, one.taste.astype(np.float32),
            np.float32(one.price), np.float32(one.price_spread), gradient,
            self._odds, self._own, share, common, pull, own,
        )  # fmt: skip
        if not gradient:
            return found, np.empty(0), share
        step, odds = 1e-4, one.memory * (1 - one.memory)
        moved = remember(self.panel, self.price, one.memory + step, one.adaptation + step)
        gain = transaction(memory.reference - self.price)
        eased = (transaction(moved.reference - self.price) - gain) / step
        grown = (moved.attachment - memory.attachment) / step
        faded = (pull * self.place * (1 - one.memory) ** np.maximum(self.place - 1, 0)).sum()
        liked = own[:brands]
        slope = {
            "price": own[brands],
            "price_spread": own[brands + 1],
            "taste": liked.sum(),
            "attachment": (common * memory.attachment).sum() + (pull * fade).sum(),
            "memory": one.attachment * odds * ((common * grown).sum() - faded),
            "switching": pull[first].sum() - (common * memory.elsewhere).sum(),
            "reference": one.reference * (common * gain).sum(),
            "adaptation": one.reference * one.adaptation * (1 - one.adaptation) * (common * eased).sum(),
            "display": (common * self.panel.display).sum(),
            "feature": (common * self.panel.feature).sum(),
        }
        worth, trend = common.sum(0) + own[brands + 2 :], self.clock @ common - own[brands + 2 :]
        return found, np.array([*worth[self.others], *trend[self.others], *liked, *(slope[n] for n in SHARED)]), share

    def adapt(self, x: np.ndarray) -> None:
        """Draw half of every household's tastes and price weights anew, from around what its purchases say of them."""
        half = self.draws // 2
        for time in range(1, ROUNDS + 1):
            # Numbers that have not shown yet where they lie well, or the likelihood would come out too low.
            normal = self._points(time)
            share = self.evaluate(x, gradient=False)[2][:, :, None]
            centre = (share * self.points).sum(1, keepdims=True)
            sd = np.sqrt((share * (self.points - centre) ** 2).sum(1, keepdims=True) + NARROWEST**2)
            points = normal.copy()
            points[:, half:] = centre + sd * normal[:, half:]
            closer = 0.5 * (points**2 - ((points - centre) / sd) ** 2).sum(2) - np.log(sd).sum(2)
            self.points = points.astype(np.float32)
            self.offset = (np.log(2) - np.logaddexp(0, closer)).astype(np.float32)

    def households(self, x: np.ndarray, luck: np.random.Generator) -> Households:
        """Draw what every household is like, given its purchases and the parameters."""
        one = unpack(x, self.base)
        share = np.cumsum(self.evaluate(x, gradient=False)[2], axis=1)
        pick = (share < luck.random((self.count, 1))).sum(1).clip(max=self.draws - 1)
        points = self.points[np.arange(self.count), pick]
        taste = one.taste * points[:, : self.brands]
        weight = one.price * np.exp(one.price_spread * points[:, self.brands] - one.price_spread**2 / 2)
        memory = remember(self.panel, self.price, one.memory, one.adaptation)
        left = (1 - one.memory) ** np.diff(self.starts)
        history = left[:, None] * bought_usually(one.worth - one.trend + taste - weight[:, None] * self.usual)
        return Households(taste, weight, memory.after_attachment + history, memory.after_reference, memory.last)

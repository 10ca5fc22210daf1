r"""Choice panels: households that differ, and remember what they bought.

The model's own rule, one occasion after another, money in units of the mean price (`customers.choice.noise`):

    ``V_k = worth_k - omega_i p_k + TU(r_ik - p_k) + kappa A_ik + tau_ik - SW [k not bought last] + display, feature``

with tastes ``tau_ik ~ N(0, sd_k)`` (E3), price weights ``omega_i`` lognormal (E2), attachment that grows by g of what
is missing with every purchase of the brand and fades by g with every other (E13 with growth = decay = g, satisfaction
and contact intensity 1: the loyalty variable of Guadagni & Little 1983 is this case), a switching cost (E16) and
reference prices that follow the prices seen (E5). Tastes and memory tell heterogeneity from state dependence apart
(Heckman 1981); households begin without a history, as in the engine.

Likelihood: simulated over quasi-random households (Train 2009, chapters 6, 9 and 10), logit given tastes and weights.
Everything a household remembers follows from its own purchases, so it is data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from churnsim.calibration.formats import Panel
from churnsim.calibration.posterior import Posterior, covariance_of, curvature, most_likely

FIT_ROWS = 16_000
"""Occasions, at most, that the likelihood looks at: whole households, chosen at random."""

ELEMENTS, FEWEST, MOST = 4_000_000, 32, 128
"""Size of the arrays that the likelihood works with, and the bounds of simulated tastes per household."""

LOSS_AVERSION = 2.0
"""Weight of losses against the reference price, times that of gains (Hardie, Johnson & Fader 1993; not fitted)."""

SHARED = (
    "price", "price_spread", "taste", "attachment", "memory", "switching", "reference", "adaptation", "display",
    "feature",
)  # fmt: skip
"""Parameters beside the brands' worth: logarithms but for memory and adaptation (log-odds) and the last two."""

LOGARITHMIC = ("price", "price_spread", "taste", "attachment", "switching", "reference")

CENTRE = (np.log(2.0), np.log(0.4), 0.0, np.log(0.7), special.logit(0.2), np.log(0.4), np.log(0.2), special.logit(0.3), 0.5, 0.5)  # fmt: skip # noqa: E501
PRIOR_SD = (1.0, 0.7, 1.0, 1.2, 1.0, 1.2, 1.0, 1.0, 1.5, 1.5)
"""Prior of `SHARED`: price elasticities near 2 (Bijmolt et al. 2005), carry-over .8 (Guadagni & Little 1983, recalled),
the rest of the size of the choice noise with room for factors of 3 to 10 (assumed)."""

SPREAD_SD = 0.5
"""Prior standard deviation of the logarithm of a brand's spread of tastes over the common one (assumed)."""

WORTH_SD = 3.0
"""Prior standard deviation of a brand's worth against the brand most bought, in units of choice noise (assumed)."""

BOUNDS = ((-5.0, 4.5), (-4.0, 0.7), (-4.0, 2.0), (-5.0, 3.0), (-4.0, 3.0), (-5.0, 3.0), (-5.0, 2.0), (-4.0, 3.0), (-6.0, 8.0), (-6.0, 8.0))  # fmt: skip # noqa: E501


@dataclass(frozen=True)
class Memory:
    """What households remember on each occasion, given how fast memory adapts.

    Attributes
    ----------
    attachment, reference : (rows, brands) float64
        Attachment, and reference price in units of the mean price.
    elsewhere : (rows, brands) float64
        1 where the brand is not the one bought last; 0 for all on a first occasion.
    after_attachment, after_reference : (households, brands) float64
        Both after the last occasion.
    last : (households,) int64
        Brand bought last.
    """

    attachment: np.ndarray
    reference: np.ndarray
    elsewhere: np.ndarray
    after_attachment: np.ndarray
    after_reference: np.ndarray
    last: np.ndarray


def remember(panel: Panel, price: np.ndarray, memory: float, adaptation: float) -> Memory:
    """Follow every household through its occasions (rows in order of household and occasion)."""
    rows, brands = price.shape
    starts = np.flatnonzero(np.diff(panel.household, prepend=-1))
    length = np.diff(np.append(starts, rows))
    count = starts.size
    attached, reference = np.zeros((rows, brands)), np.empty((rows, brands))
    elsewhere = np.zeros((rows, brands))
    level, used, last = np.zeros((count, brands)), price[starts].copy(), np.full(count, -1)
    for step in range(int(length.max())):
        on = np.flatnonzero(length > step)
        row = starts[on] + step
        attached[row], reference[row] = level[on], used[on]
        if step:
            elsewhere[row] = 1.0
            elsewhere[row, last[on]] = 0.0
        last[on] = panel.choice[row]
        level[on] *= 1 - memory
        level[on, last[on]] += memory
        used[on] += adaptation * (price[row] - used[on])
    return Memory(attached, reference, elsewhere, level, used, last)


@dataclass(frozen=True)
class PanelFit:
    """What a panel says.

    Attributes
    ----------
    panel : Panel
        All of it.
    posterior : Posterior
        Of the worth of every brand but the one most bought, the spread of tastes of every brand over the common one,
        and `SHARED`.
    base : int
        The brand most bought, whose worth is 0.
    mean_price : float
        In the file's money; all prices are divided by it.
    log_likelihood, null_log_likelihood : float
        At the mode, and of choices with equal probability.
    occasions : int
        How many the likelihood looked at.
    target : Likelihood
        The likelihood, to draw households with.
    """

    panel: Panel
    posterior: Posterior
    base: int
    mean_price: float
    log_likelihood: float
    null_log_likelihood: float
    occasions: int


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
        self.panel, self.base = panel, base
        self.price = panel.price / mean_price
        rows, brands = self.price.shape
        self.starts = np.flatnonzero(np.diff(panel.household, prepend=-1))
        self.count = self.starts.size
        self.place = np.cumsum(np.diff(panel.household, prepend=-1) != 0) - 1
        self.draws = int(np.clip(ELEMENTS // (rows * brands), FEWEST, MOST))
        self.draws = 1 << (self.draws.bit_length() - 1)
        luck = np.random.default_rng(seed)
        # One even set of points, shifted for every household by luck of its own (Cranley & Patterson 1976).
        points = stats.qmc.Sobol(brands + 1, seed=luck).random(self.draws)
        points = (points + luck.random((self.count, 1, brands + 1))) % 1.0
        normal = stats.norm.ppf(np.clip(points, 1e-6, 1 - 1e-6)).astype(np.float32)
        self.taste, self.weight = (
            np.ascontiguousarray(normal[:, :, :brands]),
            np.ascontiguousarray(normal[:, :, brands]),
        )
        self.chosen = np.zeros((rows, brands), np.float32)
        self.chosen[np.arange(rows), panel.choice] = 1
        self.others = [k for k in range(brands) if k != base]

    def unpack(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
        """Return worth and spread of tastes of every brand, and the shared parameters on their own scales."""
        brands = self.price.shape[1]
        worth = np.zeros(brands)
        worth[self.others] = x[: brands - 1]
        raw = dict(zip(SHARED, x[2 * brands - 1 :], strict=True))
        values = {name: float(np.exp(value)) if name in LOGARITHMIC else float(value) for name, value in raw.items()}
        values |= {name: float(special.expit(raw[name])) for name in ("memory", "adaptation")}
        return worth, np.exp(raw["taste"] + x[brands - 1 : 2 * brands - 1]), values

    def fixed(self, worth: np.ndarray, values: dict[str, float], memory: Memory) -> np.ndarray:
        """Return (rows, brands) of the value that all simulated households share."""
        value = worth + values["attachment"] * memory.attachment - values["switching"] * memory.elsewhere
        value = value + values["reference"] * transaction(memory.reference - self.price)
        return value + values["display"] * self.panel.display + values["feature"] * self.panel.feature

    def evaluate(self, x: np.ndarray, *, gradient: bool = True) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the log-likelihood, its gradient, and (households, draws) posterior weights of simulated tastes."""
        worth, spreads, values = self.unpack(x)
        memory = remember(self.panel, self.price, values["memory"], values["adaptation"])
        spread = values["price_spread"]
        omega = np.exp(np.float32(spread) * self.weight - np.float32(spread**2 / 2)) * np.float32(values["price"])
        price = self.price.astype(np.float32)
        value = (spreads.astype(np.float32) * self.taste)[self.place]
        value += self.fixed(worth, values, memory).astype(np.float32)[:, None, :]
        value -= omega[self.place][:, :, None] * price[:, None, :]
        value -= value.max(2, keepdims=True)
        chosen = np.take_along_axis(value, self.panel.choice[:, None, None], axis=2)[:, :, 0]
        odds = np.exp(value, out=value)
        total = odds.sum(2)
        each = (chosen - np.log(total)).astype(np.float64)
        log = np.add.reduceat(each, self.starts, axis=0)
        level = log.max(1, keepdims=True)
        share = np.exp(log - level)
        found = float((level[:, 0] + np.log(share.mean(1))).sum())
        share /= share.sum(1, keepdims=True)
        if not gradient:
            return found, np.empty(0), share
        weight = share.astype(np.float32)[self.place]
        odds /= total[:, :, None]
        off = (self.chosen[:, None, :] - odds) * weight[:, :, None]
        common = off.sum(1).astype(np.float64)
        slope = dict.fromkeys(SHARED, 0.0)
        per_household = np.add.reduceat(off, self.starts, axis=0)
        liked = spreads * (per_household * self.taste).sum((0, 1), dtype=np.float64)
        slope["taste"] = float(liked.sum())
        paid = np.einsum("nrj,nj->nr", off, price, optimize=True)
        by_household = np.add.reduceat(paid, self.starts, axis=0)
        slope["price"] = -float((by_household * omega).sum(dtype=np.float64))
        slope["price_spread"] = -spread * float((by_household * omega * (self.weight - spread)).sum(dtype=np.float64))
        slope["attachment"] = values["attachment"] * float((common * memory.attachment).sum())
        slope["switching"] = -values["switching"] * float((common * memory.elsewhere).sum())
        gain = transaction(memory.reference - self.price)
        slope["reference"] = values["reference"] * float((common * gain).sum())
        slope["display"] = float((common * self.panel.display).sum())
        slope["feature"] = float((common * self.panel.feature).sum())
        step = 1e-4
        moved = remember(self.panel, self.price, values["memory"] + step, values["adaptation"] + step)
        grown = (moved.attachment - memory.attachment) / step
        slope["memory"] = (
            values["attachment"] * float((common * grown).sum()) * values["memory"] * (1 - values["memory"])
        )
        eased = (transaction(moved.reference - self.price) - gain) / step
        slope["adaptation"] = values["reference"] * float((common * eased).sum())
        slope["adaptation"] *= values["adaptation"] * (1 - values["adaptation"])
        return found, np.array([*common.sum(0)[self.others], *liked, *slope.values()]), share


def transaction(gain: np.ndarray) -> np.ndarray:
    """Return a gain against the reference price as it is felt (E5), before its weight."""
    return np.where(gain >= 0, gain, LOSS_AVERSION * gain)


def fit_panel(panel: Panel, seed: int) -> PanelFit:
    """Fit a panel.

    Parameters
    ----------
    panel
        As `read_panel` returns it.
    seed
        Seed of simulated tastes, and of the choice of households where the panel is long.
    """
    mean_price = float(panel.price[panel.price > 0].mean()) if (panel.price > 0).any() else 1.0
    bought = np.bincount(panel.choice, minlength=len(panel.brands))
    base = int(np.argmax(bought))
    looked_at = part_of(panel, FIT_ROWS, seed)
    target = Likelihood(looked_at, mean_price, base, seed)
    # A brand nobody bought is taken to have been bought half a time.
    worth = np.log((bought + 0.5) / (bought[base] + 0.5))[target.others]
    brands = len(panel.brands)
    centre = np.array([*np.zeros(2 * brands - 1), *CENTRE])
    sd = np.array([*np.full(brands - 1, WORTH_SD), *np.full(brands, SPREAD_SD), *PRIOR_SD])

    def cost(x: np.ndarray) -> float:
        """Return minus the log posterior."""
        return -target.evaluate(x, gradient=False)[0] + 0.5 * float((((x - centre) / sd) ** 2).sum())

    def slope(x: np.ndarray) -> np.ndarray:
        """Return its gradient."""
        return -target.evaluate(x)[1] + (x - centre) / sd**2

    start = np.array([*worth, *np.zeros(brands), *CENTRE])
    bounds = [(-12.0, 12.0)] * worth.size + [(-2.0, 2.0)] * brands + list(BOUNDS)
    mode = most_likely(cost, slope, [start], bounds, steps=60)
    named = (f"{panel.brands[k]}: worth" for k in target.others), (f"{brand}: taste" for brand in panel.brands)
    names = (*named[0], *named[1], *SHARED)
    posterior = Posterior(names, mode, covariance_of(curvature(slope, mode), sd), sd)
    found = target.evaluate(mode, gradient=False)[0]
    rows = looked_at.choice.size
    return PanelFit(panel, posterior, base, mean_price, found, -rows * float(np.log(len(panel.brands))), rows)


def part_of(panel: Panel, rows: int, seed: int) -> Panel:
    """Return whole households, chosen at random, with about so many occasions; all, where there are no more."""
    if panel.choice.size <= rows:
        return panel
    order = np.random.default_rng([seed, 3]).permutation(len(panel.households))
    size = np.bincount(panel.household, minlength=len(panel.households))
    kept = order[np.cumsum(size[order]) <= rows]
    return households_of(panel, np.isin(panel.household, kept))


def households_of(panel: Panel, mask: np.ndarray) -> Panel:
    """Return the rows of a mask that takes whole households."""
    return Panel(
        panel.brands, panel.households, panel.household[mask], panel.occasion[mask], panel.choice[mask],
        panel.price[mask], panel.display[mask], panel.feature[mask], panel.order[mask],
    )  # fmt: skip

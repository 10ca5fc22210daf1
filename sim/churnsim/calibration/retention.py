r"""Retention tables: hazards that differ between customers and change with time.

The model's own rule, with everything but the seasons off: customer i of a cohort has an occasion to leave in tick t
with probability ``min(1, lambda_i w_t)`` (`customers.opportunity` times `customers.calendar.weights`) and then leaves,
so that with ``lambda ~ Beta(a, b)`` and constant weights the cohort is the shifted-beta-geometric (A6; Fader & Hardie
2007). The weights are

    ``w_t = (t^c - (t - 1)^c) exp(k [t in anniversary] + e_t)``:

a trend of hazards with tenure in the form of the discrete Weibull (after Fader, Hardie, Liu, Davin & Steenburgh 2018,
recalled), a contract's calendar where the table shows one, and shocks e_t of single periods that fade at rate rho.

Likelihood: of those at risk in a period a binomial number is lost, with the hazard of those still there. Periods are
weighed down by the shocks' variance, and those that lie far off by Student's t (4 degrees of freedom), so that one
spike does not bend the trend. Segments share a prior of trend and spread, which matters where a table is short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from churnsim.calibration.formats import Segment
from churnsim.calibration.posterior import Posterior, covariance_of, curvature, most_likely
from churnsim.calibration.shocks import Calendar, Shocks, find_calendar, find_shocks

GRID = np.linspace(-15.0, 9.0, 121)
"""Log-odds of a hazard at which the mixture over customers is evaluated."""

TREND_SD = 0.5
"""Prior standard deviation of log c: c between .37 and 2.7 (assumed)."""

MEAN_SD = 2.0
"""Prior standard deviation of the mean hazard's log-odds, around the table's own (assumed)."""

SPREAD, SPREAD_SD = -1.5, 1.5
"""Prior mean and standard deviation of the log-odds of 1 / (a + b + 1), the spread of hazards (assumed)."""

TREND_APART, SPREAD_APART = 0.25, 0.75
"""How far segments differ in trend and spread (assumed)."""

CALENDAR_SD = 1.0
"""Prior standard deviation of the logarithm of an anniversary's effect (assumed)."""

ROUNDS = 4
"""Times that weights of periods and fit are adapted to each other."""

SPIKE, FAR = 2.0, 4.0
"""Factor, and standard errors, from which a single period is told as a spike (assumed)."""

TAIL = 4.0
"""Degrees of freedom of Student's t."""

BOUNDS = ((-14.0, 3.0), (-9.0, 5.0), (-2.0, 2.0))
"""Bounds of a mean hazard's log-odds, a spread's log-odds and a trend's logarithm."""


@dataclass(frozen=True)
class RetentionFit:
    """What retention tables say.

    Attributes
    ----------
    segments : tuple of Segment
        The tables.
    posterior : Posterior
        Of, by segment, log-odds of the mean hazard, log-odds of the spread, log of the trend; then log of the
        anniversary's effect where there is one; then the segments' common spread and trend.
    calendar : Calendar or None
        The contract's calendar.
    shocks : Shocks
        How much single periods vary beyond the trend.
    residuals : list of pairs of (periods,) float64
        By segment: logarithm of lost over expected, and its variance by chance.
    fit : dict
        Diagnostics.
    """

    segments: tuple[Segment, ...]
    posterior: Posterior
    calendar: Calendar | None
    shocks: Shocks
    residuals: list[tuple[np.ndarray, np.ndarray]]
    fit: dict[str, Any]

    @property
    def spikes(self) -> list[tuple[int, float]]:
        """Periods, without those of the calendar, that lie far above the trend, and by what factor."""
        found = []
        for segment, (off, chance) in zip(self.segments, self.residuals, strict=True):
            periods = np.arange(segment.first, segment.last + 1)
            marked = self.calendar.marks(periods) if self.calendar is not None else np.zeros(periods.size)
            far = (off > np.log(SPIKE)) & (off > FAR * np.sqrt(chance)) & (marked == 0)
            found += [(int(period), float(np.exp(x))) for period, x in zip(periods[far], off[far], strict=True)]
        return found


def shapes(mean: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a and b of the Beta distribution from the log-odds of its mean and of its spread."""
    size = np.exp(-np.asarray(spread, np.float64))  # a + b
    share = special.expit(mean)
    return np.clip(share * size, 1e-3, 1e6), np.clip((1 - share) * size, 1e-3, 1e6)


def trend(periods: np.ndarray, log_c: np.ndarray | float) -> np.ndarray:
    """Return t^c - (t - 1)^c for every period."""
    c = np.exp(np.asarray(log_c, np.float64))[..., None]
    return periods**c - (periods - 1.0) ** c


def mixture(a: np.ndarray | float, b: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return hazards and the share of customers at each: Beta(a, b) on a grid of log-odds, both tails in one point.

    Shapes
    ------
    hazards (nodes,), shares (..., nodes) for `a`, `b` of shape (...).
    """
    edges = special.expit((GRID[1:] + GRID[:-1]) / 2)
    below = special.betainc(np.asarray(a)[..., None], np.asarray(b)[..., None], edges)
    shares = np.diff(below, axis=-1, prepend=0.0, append=1.0)
    return special.expit(GRID), shares


def hazards(
    a: np.ndarray, b: np.ndarray, weights: np.ndarray, shocks: np.ndarray, first: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the hazard of those still there in each period, without and with the period's own shock.

    Parameters
    ----------
    a, b : (...)
        Shapes of the hazards' distribution.
    weights : (..., periods)
        Trend and calendar, from period 1 on.
    shocks : (..., periods)
        Logarithms of the factors of single periods.
    first
        First period that is wanted.
    """
    nodes, share = mixture(a, b)
    level = np.minimum(1.0, weights[..., None] * nodes)
    struck = np.minimum(1.0, (weights * np.exp(shocks))[..., None] * nodes)
    there = np.ones(struck.shape)
    there[..., 1:, :] = np.cumprod(1 - struck[..., :-1, :], axis=-2)
    there *= share[..., None, :]
    left = np.maximum(there.sum(-1), 1e-300)
    plain, hit = (there * level).sum(-1) / left, (there * struck).sum(-1) / left
    return plain[..., first - 1 :], hit[..., first - 1 :]


class _Objective:
    """Minus the log posterior of all segments, with gradient by blocks: a segment's data know its own parameters."""

    def __init__(self, segments: tuple[Segment, ...], calendar: Calendar | None) -> None:
        self.segments, self.calendar = segments, calendar
        self.count = len(segments)
        self.shared = 3 * self.count  # where the anniversary's effect stands, if there is one
        self.common = self.shared + (calendar is not None)  # where the common spread and trend stand
        self.size = self.common + 2
        lost = sum(float(segment.lost.sum()) for segment in segments) + 0.5
        risk = sum(float(segment.at_risk.sum()) for segment in segments) + 1.0
        self.pooled = float(special.logit(min(lost / risk, 0.95)))
        self.shocks = [np.zeros(segment.last) for segment in segments]
        self.weights = [np.ones(segment.lost.size) for segment in segments]

    @property
    def prior_sd(self) -> np.ndarray:
        """Standard deviations of the prior; of a segment's spread and trend those of the common ones and its own."""
        own = [MEAN_SD, np.hypot(SPREAD_SD, SPREAD_APART), np.hypot(TREND_SD, TREND_APART)]
        calendar = [CALENDAR_SD] if self.calendar is not None else []
        return np.array(own * self.count + calendar + [SPREAD_SD, TREND_SD])

    def start(self) -> np.ndarray:
        """Return where the search begins."""
        return np.array([self.pooled, SPREAD, 0.0] * self.count + [0.0] * (self.size - self.shared - 2) + [SPREAD, 0.0])

    def expected(self, g: int, own: np.ndarray, effect: float) -> np.ndarray:
        """Return the hazards of one segment."""
        segment = self.segments[g]
        periods = np.arange(1, segment.last + 1)
        weights = trend(periods, own[2])
        if self.calendar is not None:
            weights = weights * np.exp(effect * self.calendar.marks(periods))
        return hazards(*shapes(own[0], own[1]), weights, self.shocks[g], segment.first)[0]

    def data(self, g: int, own: np.ndarray, effect: float) -> float:
        """Return minus the weighed log-likelihood of one segment."""
        segment = self.segments[g]
        hazard = np.clip(self.expected(g, own, effect), 1e-12, 1 - 1e-12)
        each = segment.lost * np.log(hazard) + (segment.at_risk - segment.lost) * np.log1p(-hazard)
        return -float((self.weights[g] * each).sum())

    def prior(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return minus the log prior and its gradient."""
        own = x[: self.shared].reshape(self.count, 3)
        common = x[self.common :]
        off = (own - [self.pooled, *common]) / [MEAN_SD, SPREAD_APART, TREND_APART]
        above = (common - [SPREAD, 0.0]) / [SPREAD_SD, TREND_SD]
        value = 0.5 * float((off**2).sum() + (above**2).sum())
        slope = np.zeros(self.size)
        slope[: self.shared] = (off / [MEAN_SD, SPREAD_APART, TREND_APART]).ravel()
        slope[self.common :] = above / [SPREAD_SD, TREND_SD] - (off / [1, SPREAD_APART, TREND_APART]).sum(0)[1:]
        if self.calendar is not None:
            value += 0.5 * float(x[self.shared] / CALENDAR_SD) ** 2
            slope[self.shared] = x[self.shared] / CALENDAR_SD**2
        return value, slope

    def value(self, x: np.ndarray) -> float:
        """Return minus the log posterior."""
        own = x[: self.shared].reshape(self.count, 3)
        effect = float(x[self.shared]) if self.calendar is not None else 0.0
        return self.prior(x)[0] + sum(self.data(g, own[g], effect) for g in range(self.count))

    def gradient(self, x: np.ndarray, step: float = 1e-4) -> np.ndarray:
        """Return its gradient."""
        slope = self.prior(x)[1]
        effect = float(x[self.shared]) if self.calendar is not None else 0.0
        for g in range(self.count):
            own = x[3 * g : 3 * g + 3]
            for i in range(3):
                move = np.zeros(3)
                move[i] = step
                slope[3 * g + i] += (self.data(g, own + move, effect) - self.data(g, own - move, effect)) / (2 * step)
            if self.calendar is not None:
                rise = self.data(g, own, effect + step) - self.data(g, own, effect - step)
                slope[self.shared] += rise / (2 * step)
        return slope

    def residuals(self, x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return, by segment, the logarithm of lost over expected and its variance by chance."""
        effect = float(x[self.shared]) if self.calendar is not None else 0.0
        found = []
        for g, segment in enumerate(self.segments):
            hazard = np.clip(self.expected(g, x[3 * g : 3 * g + 3], effect), 1e-12, 1 - 1e-12)
            expected = segment.at_risk * hazard
            off = np.log((segment.lost + 0.5) / (expected + 0.5))
            found.append((off, np.maximum(1 - hazard, 0.05) / (expected + 0.5)))
        return found

    def adapt(self, x: np.ndarray, shocks: Shocks) -> None:
        """Weigh periods by how much chance and how much a shock of their own explains, and remember the shocks."""
        for g, (off, chance) in enumerate(self.residuals(x)):
            doubt = (TAIL + 1) / (TAIL + off**2 / (chance + shocks.total))
            own = shocks.total / np.minimum(doubt, 1.0)
            self.weights[g] = chance / (chance + own) if shocks.total > 0 else np.minimum(doubt, 1.0)
            self.shocks[g] = np.zeros(self.segments[g].last)
            self.shocks[g][self.segments[g].first - 1 :] = off * own / (chance + own)


def fit_retention(segments: tuple[Segment, ...]) -> RetentionFit:
    """Fit retention tables.

    Parameters
    ----------
    segments
        As `read_retention` returns them.
    """
    target, mode, shocks = _settled(segments, None, None)
    pairs = zip(segments, target.residuals(mode), strict=True)
    calendar = find_calendar([(segment.first, *pair) for segment, pair in pairs], shocks)
    if calendar is not None:
        start = np.insert(mode, target.shared, np.log(2.0))
        target, mode, shocks = _settled(segments, calendar, start)
    sd = target.prior_sd
    posterior = Posterior(_names(segments, calendar), mode, covariance_of(curvature(target.gradient, mode), sd), sd)
    residuals = target.residuals(mode)
    misfit = sum(float((off**2 / chance).sum()) for off, chance in residuals)
    periods = sum(segment.lost.size for segment in segments)
    effect = float(mode[target.shared]) if calendar is not None else 0.0
    diagnostics = {
        "log_likelihood": -sum(target.data(g, mode[3 * g : 3 * g + 3], effect) for g in range(len(segments))),
        "periods": periods,
        "misfit": misfit / max(periods - 3 * len(segments), 1),
        "worst_period_off": float(max(np.abs(off).max() for off, _ in residuals)),
        "shock_sd": float(np.sqrt(shocks.variance)),
        "passing_shock_sd": float(np.sqrt(shocks.passing)),
        "shock_persistence": shocks.persistence,
        "calendar": None if calendar is None else {"cycle": calendar.cycle, "offsets": list(calendar.offsets)},
    }  # fmt: skip
    return RetentionFit(segments, posterior, calendar, shocks, residuals, diagnostics)


def _settled(
    segments: tuple[Segment, ...], calendar: Calendar | None, start: np.ndarray | None
) -> tuple[_Objective, np.ndarray, Shocks]:
    """Return the fit in which parameters, shocks and weights of periods agree."""
    target = _Objective(segments, calendar)
    bounds = [*BOUNDS * target.count, *[(-5.0, 5.0)] * (calendar is not None), *BOUNDS[1:]]
    at = target.start() if start is None else start
    shocks = Shocks(0.0, 0.0)
    for _ in range(ROUNDS):
        at = most_likely(target.value, target.gradient, [at], bounds)
        shocks = find_shocks(target.residuals(at))
        target.adapt(at, shocks)
    return target, most_likely(target.value, target.gradient, [at], bounds), shocks


def _names(segments: tuple[Segment, ...], calendar: Calendar | None) -> tuple[str, ...]:
    """Return the names of the parameters in the order of the posterior."""
    names = [f"{segment.name}: {part}" for segment in segments for part in ("mean_hazard", "spread", "trend")]
    return (*names, *(["anniversary"] if calendar is not None else []), "spread", "trend")

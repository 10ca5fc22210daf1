"""The most likely hazards of retention tables under a given form of the trend and given shocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from churnsim.calibration.calendars import Calendar
from churnsim.calibration.formats import Segment
from churnsim.calibration.hazards import shapes, trend, usual
from churnsim.calibration.posterior import covariance_of
from churnsim.calibration.shocks import FULL, Seen, Shocks, seen

TREND_SD = 0.8
"""Prior standard deviation of log c: c between .2 and 5 (assumed)."""

MEAN_SD = 2.0
"""Prior standard deviation of the mean hazard's log-odds, around the table's own (assumed)."""

SPREAD, SPREAD_SD = 0.4, 2.0
"""Prior mean and standard deviation of -log a, the spread of hazards (assumed; a of .67, as Fader & Hardie 2007)."""

TREND_APART, SPREAD_APART = 0.4, 0.75
"""How far segments differ in trend and spread (assumed)."""

CALENDAR_SD = 1.0
"""Prior standard deviation of the logarithm of an anniversary's effect (assumed)."""

SEARCH, CLOSE = 40, 1e-5
"""Steps of the search for the most likely parameters at most, and the step at which it stops."""

BOUNDS = ((-14.0, 3.0), (-5.0, 5.0), (-2.0, 2.0))
"""Bounds of a mean hazard's log-odds, a spread and a trend's logarithm."""

ALIKE = -5.0
"""Spread where customers do not differ: hazards within some eight per cent of each other."""


SELDOM = {"differ": 0.1, "change": 0.05}
"""Probability, before any data, that customers do not differ at all, and that hazards do not change with tenure at all.

Neither is ever quite true (assumed), but a short table that shows nothing else is forecast best as if it were.
"""


@dataclass(frozen=True)
class Form:
    """What of the trend is there at all.

    Attributes
    ----------
    differ : bool
        Whether customers differ.
    change : bool
        Whether a customer's hazard changes with tenure.
    """

    differ: bool = True
    change: bool = True

    @property
    def log_prior(self) -> float:
        """Logarithm of the probability before any data."""
        there = {"differ": self.differ, "change": self.change}
        return float(sum(np.log(1 - SELDOM[part] if there[part] else SELDOM[part]) for part in SELDOM))


FORMS = (Form(), Form(change=False), Form(differ=False), Form(differ=False, change=False))
"""Beta-discrete-Weibull, shifted-beta-geometric, discrete Weibull, and one constant hazard; the fullest first."""


class Search:
    """The most likely parameters of all segments under given shocks.

    Around the present parameters the binomial table is replaced by the normal data that say the same (`seen`), to which
    the parameters are fitted by least squares in the metric of shocks and chance (Gauss-Newton, damped).

    Parameters
    ----------
    segments
        The tables.
    calendar
        The contract's calendar, if there is one.
    form
        What of the trend is there.
    spread
        The spread of hazards, where it is known and not searched for.
    """

    def __init__(
        self, segments: tuple[Segment, ...], calendar: Calendar | None, form: Form, spread: float | None = None
    ) -> None:
        self.segments, self.calendar, self.form, self.spread = segments, calendar, form, spread
        self.count = len(segments)
        self.shared = 3 * self.count  # where the anniversary's effect stands, if there is one
        self.common = self.shared + (calendar is not None)  # where the common spread and trend stand
        self.size = self.common + 2
        lost = sum(float(segment.lost.sum()) for segment in segments) + 0.5
        risk = sum(float(segment.at_risk.sum()) for segment in segments) + 1.0
        self.pooled = float(special.logit(min(lost / risk, 0.95)))
        self.happened = [np.full(segment.last, np.nan) for segment in segments]
        self.shocks = [np.zeros(segment.lost.size) for segment in segments]
        self.total: list[np.ndarray | None] = [None] * self.count
        self.low, self.high = np.array([*BOUNDS * self.count, *[(-5.0, 5.0)] * (calendar is not None), *BOUNDS[1:]]).T
        differ = form.differ and spread is None
        own = [True, differ, form.change]
        self.free = np.array([*own * self.count, *[True] * (calendar is not None), differ, form.change])

    def under(self, shocks: Shocks, loose: list[np.ndarray]) -> Search:
        """Return the same search under other shocks."""
        other = Search(self.segments, self.calendar, self.form, self.spread)
        other.happened, other.shocks = list(self.happened), list(self.shocks)
        if not shocks.none:
            other.total = [shocks.covariance(one) for one in loose]
        return other

    @property
    def prior_sd(self) -> np.ndarray:
        """Standard deviations of the prior; of a segment's spread and trend those of the common ones and its own."""
        own = [MEAN_SD, np.hypot(SPREAD_SD, SPREAD_APART), np.hypot(TREND_SD, TREND_APART)]
        calendar = [CALENDAR_SD] if self.calendar is not None else []
        return np.array(own * self.count + calendar + [SPREAD_SD, TREND_SD])

    def start(self) -> np.ndarray:
        """Return where the search begins."""
        spread = ALIKE if not self.form.differ else SPREAD if self.spread is None else self.spread
        return np.array([self.pooled, spread, 0.0] * self.count + [0.0] * (self.size - self.shared - 2) + [spread, 0.0])

    def reduced(self, x: np.ndarray) -> np.ndarray:
        """Return parameters with those that the form does not have at what stands for none."""
        return np.where(self.free, x, self.start())

    def expected(self, g: int, x: np.ndarray) -> np.ndarray:
        """Return the hazards of one segment without the periods' own shocks; (..., periods) for x of (..., n)."""
        segment = self.segments[g]
        periods = np.arange(1, segment.last + 1)
        weights = trend(periods, x[..., 3 * g + 2])
        if self.calendar is not None:
            weights = weights * np.exp(x[..., self.shared, None] * self.calendar.marks(periods))
        plain = usual(*shapes(x[..., 3 * g], x[..., 3 * g + 1]), weights, self.happened[g])
        return plain[..., segment.first - 1 :]

    def tables(self, x: np.ndarray) -> tuple[Seen, ...]:
        """Return what every segment's table says: how likely it is, and its shocks."""
        return tuple(
            seen(segment.lost, segment.at_risk, self.expected(g, x), self.total[g], self.shocks[g])
            for g, segment in enumerate(self.segments)
        )

    def value(self, x: np.ndarray, tables: tuple[Seen, ...]) -> float:
        """Return minus the log posterior."""
        off = ((x - self._middle(x)) / self._apart())[self.free]
        return 0.5 * float((off**2).sum()) - sum(table.value for table in tables)

    def covariance(self, x: np.ndarray, tables: tuple[Seen, ...]) -> tuple[np.ndarray, float]:
        """Return covariances of the parameters, and by how much their prior shrinks, as the logarithm of volumes."""
        free = np.ix_(self.free, self.free)
        covariance = np.zeros((self.size, self.size))
        covariance[free] = covariance_of(self.curvature(x, tables)[1][free], self.prior_sd[self.free])
        shrunk = np.linalg.slogdet(covariance[free])[1] / 2 - np.log(self._apart()[self.free]).sum()
        return covariance, float(shrunk)

    def _middle(self, x: np.ndarray) -> np.ndarray:
        """Return where the prior expects each parameter, given the common ones."""
        spread, log_c = x[self.common :]
        effect = [0.0] * (self.calendar is not None)
        return np.array([self.pooled, spread, log_c] * self.count + [*effect, SPREAD, 0.0])

    def _apart(self) -> np.ndarray:
        """Return by how much each may lie off."""
        effect = [CALENDAR_SD] * (self.calendar is not None)
        return np.array([MEAN_SD, SPREAD_APART, TREND_APART] * self.count + [*effect, SPREAD_SD, TREND_SD])

    def curvature(self, x: np.ndarray, tables: tuple[Seen, ...], step: float = 1e-4) -> tuple[np.ndarray, np.ndarray]:
        """Return slope and curvature of minus the log posterior."""
        lean = np.eye(self.size)  # of what the prior looks at
        lean[np.arange(1, self.shared, 3), self.common] = lean[np.arange(2, self.shared, 3), self.common + 1] = -1.0
        lean /= self._apart()[:, None]
        slope, bend = lean.T @ ((x - self._middle(x)) / self._apart()), lean.T @ lean
        for g, table in enumerate(tables):
            places = np.array([3 * g, 3 * g + 1, 3 * g + 2, *([self.shared] if self.calendar is not None else [])])
            moves = np.zeros((places.size, self.size))
            moves[np.arange(places.size), places] = step
            logs = np.log(np.maximum(self.expected(g, np.concatenate([x + moves, x - moves])), 1e-300))
            by = (logs[: places.size] - logs[places.size :]) / (2 * step)
            total = np.diag(table.chance) if self.total[g] is None else self.total[g] + np.diag(table.chance)
            pulled = np.linalg.solve(total, np.column_stack([table.off, by.T]))
            slope[places] -= by @ pulled[:, 0]
            bend[np.ix_(places, places)] += by @ pulled[:, 1:]
        return slope, bend

    def mode(self, x: np.ndarray) -> np.ndarray:
        """Return the most likely parameters (Levenberg 1944)."""
        tables = self.tables(x)
        value, damp, free = self.value(x, tables), 1e-3, np.ix_(self.free, self.free)
        slope, bend = self.curvature(x, tables)
        for _ in range(SEARCH):
            move = np.zeros(self.size)
            own = bend[free]
            move[self.free] = np.linalg.solve(own + damp * np.diag(np.diag(own)), -slope[self.free])
            there = np.clip(x + np.clip(move, -1.5, 1.5), self.low, self.high)
            found = self.tables(there)
            new = self.value(there, found)
            if new < value + 1e-9:
                done = np.abs(there - x).max() < CLOSE
                x, value, damp = there, new, damp / 5
                if done:
                    break
                slope, bend = self.curvature(x, found)
            elif damp > 1e6:
                break
            else:
                damp *= 8
        return x

    def remember(self, x: np.ndarray) -> None:
        """Remember what most likely happened: it decides who is left."""
        for g, (segment, table) in enumerate(zip(self.segments, self.tables(x), strict=True)):
            self.shocks[g] = table.shocks
            if self.total[g] is not None:
                log = np.log(np.maximum(self.expected(g, x), 1e-300)) + table.shocks
                self.happened[g] = np.concatenate([np.full(segment.first - 1, np.nan), np.minimum(log, FULL)])

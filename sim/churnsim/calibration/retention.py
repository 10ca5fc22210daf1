"""Retention tables: the most likely hazards, and what remains possible.

Likelihood: of those at risk in a period a binomial number is lost, with the hazard of those still there (`hazards`),
integrated over the periods' shocks (`shocks`). Segments share a prior of trend and spread, which matters where a table
is short. What kind of shocks there are decides how far the trend can be trusted; several kinds are fitted and weighed
by how likely each makes the table (Bayesian model averaging, Hoeting et al. 1999, recalled).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from churnsim.calibration.calendars import Calendar, find_calendar
from churnsim.calibration.formats import Segment
from churnsim.calibration.hazards import shapes, trend, usual
from churnsim.calibration.posterior import Posterior, covariance_of
from churnsim.calibration.shocks import FULL, PARTS, Seen, Shocks, candidates, exceptional, scores, seen

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

ROUNDS = 2
"""Times that shocks and parameters are adapted to each other."""

FIRST = Shocks(passing=0.01, fading=0.09, persistence=0.5)
"""Shocks with which the search begins."""

SEARCH, CLOSE = 40, 1e-5
"""Steps of the search for the most likely parameters at most, and the step at which it stops."""

SPIKE, FAR, AROUND = 2.0, 4.0, 4
"""Factor, and standard errors, from which a period is told as a spike, and periods either side it is compared with."""

GOLDEN, SILVER = (5**0.5 - 1) / 2, 2**0.5 - 1
"""Multiples of either, modulo 1, are spread evenly however many there are (Weyl 1916, recalled)."""

PROPOSED = 600
"""Draws among which those that are kept are chosen."""

BOUNDS = ((-14.0, 3.0), (-5.0, 5.0), (-2.0, 2.0))
"""Bounds of a mean hazard's log-odds, a spread and a trend's logarithm."""


@dataclass(frozen=True)
class Structure:
    """One answer to what shocks there are, and what the parameters are if it is right.

    Attributes
    ----------
    shocks : Shocks
        Their sizes.
    loose : tuple of (PARTS, periods) float64
        By segment: by how much the variance of each piece of a shock exceeds the usual.
    posterior : Posterior
        Of the parameters.
    tables : tuple of Seen
        What each segment shows.
    happened : tuple of (last,) float64
        By segment: logarithm of the hazard of each period from 1 on; nan where nothing but the trend is known.
    weight : float
        Its probability.
    """

    shocks: Shocks
    loose: tuple[np.ndarray, ...]
    posterior: Posterior
    tables: tuple[Seen, ...]
    happened: tuple[np.ndarray, ...]
    weight: float


@dataclass(frozen=True)
class RetentionFit:
    """What retention tables say.

    Attributes
    ----------
    segments : tuple of Segment
        The tables.
    structures : tuple of Structure
        What remains possible, the most likely first. Parameters are, by segment, log-odds of the mean hazard, the
        spread, log of the trend; then log of the anniversary's effect where there is one; then the segments'
        common spread and trend.
    calendar : Calendar or None
        The contract's calendar.
    fit : dict
        Diagnostics.
    spikes : tuple of (int, float)
        Periods, without those of the calendar, that lie far above the trend, and by what factor.
    """

    segments: tuple[Segment, ...]
    structures: tuple[Structure, ...]
    calendar: Calendar | None
    fit: dict[str, Any]
    spikes: tuple[tuple[int, float], ...]

    @property
    def posterior(self) -> Posterior:
        """Of the parameters under the most likely structure."""
        return self.structures[0].posterior

    def draws(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Sample the posterior, structures averaged over.

        Laplace's approximation proposes; what is kept is chosen by how much more likely the table is than that
        approximation says (sampling importance resampling, Rubin 1987), segment by segment. The first so many
        draws are a fair sample, whatever their number.

        Returns
        -------
        structure : (count,) int64
        parameters : (segments, count, n) float64
            The whole vector for every segment, of which its own part is chosen for it.
        """
        edges = np.cumsum([one.weight for one in self.structures])
        order = np.arange(count) + 0.5
        which = np.minimum(np.searchsorted(edges, order * GOLDEN % 1.0), edges.size - 1)
        values = np.empty((len(self.segments), count, self.posterior.mode.size))
        for k in range(edges.size):
            rows = np.flatnonzero(which == k)
            if not rows.size:
                continue
            proposed = self.structures[k].posterior.sample(PROPOSED, seed + k)
            for g in range(len(self.segments)):
                # Sorted by trend, so that equal steps through the weights are a stratified sample.
                by_trend = np.argsort(proposed[:, 3 * g + 2], kind="stable")
                heights = np.cumsum(special.softmax(self._told(g, k, proposed[by_trend])))
                steps = (np.argsort(np.argsort(order[: rows.size] * SILVER % 1.0)) + 0.5) / rows.size
                chosen = np.minimum(np.searchsorted(heights, steps), PROPOSED - 1)
                values[g, rows] = proposed[by_trend][chosen]
        return which, values

    def _told(self, g: int, k: int, draws: np.ndarray) -> np.ndarray:
        """Return by how much a segment's log-likelihood exceeds what Laplace's approximation says of it."""
        one = self.structures[k]
        search = self._search(k)
        mode, step = one.posterior.mode, 1e-4
        places = [3 * g, 3 * g + 1, 3 * g + 2, *([search.shared] if self.calendar is not None else [])]
        moves = step * np.eye(mode.size)[places]
        every = np.concatenate([mode[None], mode + moves, mode - moves, draws])
        logs = np.log(np.maximum(search.expected(g, every), 1e-300))
        base, at, n = logs[0], logs[1 + 2 * len(places) :], len(places)
        slope = (logs[1 : 1 + n] - logs[1 + n : 1 + 2 * n]) / (2 * step)
        table = one.tables[g]
        total = one.shocks.covariance(one.loose[g]) + np.diag(table.chance)
        exact, linear = table.off - (at - base), table.off - (draws - mode)[:, places] @ slope
        pulled = np.linalg.solve(total, np.concatenate([exact, linear]).T).T
        squares = (np.concatenate([exact, linear]) * pulled).sum(1)
        return (squares[len(draws) :] - squares[: len(draws)]) / 2

    def _search(self, k: int) -> _Search:
        """Return what knows the hazards under one structure."""
        search = _Search(self.segments, self.calendar)
        search.happened = list(self.structures[k].happened)
        return search

    def shocks(self, g: int, k: int, draws: np.ndarray, luck: np.random.Generator) -> np.ndarray:
        """Return (draws, PARTS, periods) shocks of a segment's periods, given parameters.

        Parameters
        ----------
        g, k
            Which segment and which structure.
        draws : (draws, n)
            Parameters drawn from that structure.
        luck
            Where the random numbers come from.
        """
        one = self.structures[k]
        if one.shocks.none:
            return np.zeros((len(draws), PARTS, self.segments[g].lost.size))
        search = self._search(k)
        own, most_likely = search.expected(g, draws), search.expected(g, one.posterior.mode)
        off = one.tables[g].off + np.log(np.maximum(most_likely, 1e-300)) - np.log(np.maximum(own, 1e-300))
        return one.shocks.paths(off, one.tables[g].chance, one.loose[g], luck)


class _Search:
    """The most likely parameters of all segments under given shocks.

    Around the present parameters the binomial table is replaced by the normal data that say the same (`seen`), to which
    the parameters are fitted by least squares in the metric of shocks and chance (Gauss-Newton, damped).
    """

    def __init__(self, segments: tuple[Segment, ...], calendar: Calendar | None) -> None:
        self.segments, self.calendar = segments, calendar
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

    def under(self, shocks: Shocks, loose: list[np.ndarray]) -> _Search:
        """Return the same search under other shocks."""
        other = _Search(self.segments, self.calendar)
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
        return np.array([self.pooled, SPREAD, 0.0] * self.count + [0.0] * (self.size - self.shared - 2) + [SPREAD, 0.0])

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
        off = (x - self._middle(x)) / self._apart()
        return 0.5 * float((off**2).sum()) - sum(table.value for table in tables)

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
        value, damp = self.value(x, tables), 1e-3
        slope, bend = self.curvature(x, tables)
        for _ in range(SEARCH):
            move = np.linalg.solve(bend + damp * np.diag(np.diag(bend)), -slope)
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


def fit_retention(segments: tuple[Segment, ...]) -> RetentionFit:
    """Fit retention tables.

    Parameters
    ----------
    segments
        As `read_retention` returns them.
    """
    structures = _structures(segments, None, None)
    pairs = zip(segments, structures[0].tables, strict=True)
    calendar = find_calendar([(segment.first, table.off, table.chance) for segment, table in pairs])
    if calendar is not None:
        start = np.insert(structures[0].posterior.mode, 3 * len(segments), np.log(2.0))
        structures = _structures(segments, calendar, start)
    best = structures[0]
    misfit = sum(float((table.off**2 / table.chance).sum()) for table in best.tables)
    periods = sum(segment.lost.size for segment in segments)
    share = np.array([one.weight for one in structures])
    diagnostics = {
        "log_likelihood": sum(table.value for table in best.tables),
        "periods": periods,
        "misfit": misfit / max(periods - 3 * len(segments), 1),
        "worst_period_off": float(max(np.abs(table.off).max() for table in best.tables)),
        "passing_shock_sd": float(np.sqrt(share @ [one.shocks.passing for one in structures])),
        "shock_sd": float(np.sqrt(share @ [one.shocks.fading for one in structures])),
        "shock_persistence": best.shocks.persistence,
        "step_sd": float(np.sqrt(share @ [one.shocks.step for one in structures])),
        "level_stays": float(share @ [one.shocks.step > 0 for one in structures]),
        "calendar": None if calendar is None else {"cycle": calendar.cycle, "offsets": list(calendar.offsets)},
    }
    return RetentionFit(segments, structures, calendar, diagnostics, _spikes(segments, best.tables, calendar))


def _structures(
    segments: tuple[Segment, ...], calendar: Calendar | None, start: np.ndarray | None
) -> tuple[Structure, ...]:
    """Return what shocks are possible, with the parameters that belong to each, the most likely first.

    For every size of the lasting steps, the best of the other shocks is sought; the answers are weighed by how likely
    they make the table (Laplace's method).
    """
    first = _Search(segments, calendar)
    first = first.under(FIRST, [np.ones((PARTS, segment.lost.size)) for segment in segments])
    at = first.mode(first.start() if start is None else start)
    first.remember(at)
    tried = candidates()
    found: list[tuple[float, Structure]] = []
    for step in sorted({shocks.step for shocks in tried}):
        alike = [shocks for shocks in tried if shocks.step == step]
        prior = np.array([shocks.log_prior for shocks in alike])
        search, mode = first, at
        for _ in range(ROUNDS):
            judged = [scores(table.off, table.chance, alike) for table in search.tables(mode)]
            best = int(np.argmax(prior + sum(score for score, _ in judged)))
            shocks, loose = alike[best], [each[best] for _, each in judged]
            search = search.under(shocks, loose)
            mode = search.mode(mode)
            search.remember(mode)
        tables = search.tables(mode)
        odd = sum(exceptional(shocks, one) for one in loose)
        sd = search.prior_sd
        covariance = covariance_of(search.curvature(mode, tables)[1], sd)
        evidence = shocks.log_prior + odd - search.value(mode, tables) + np.linalg.slogdet(covariance)[1] / 2
        posterior = Posterior(_names(segments, calendar), mode, covariance, sd)
        found.append((float(evidence), Structure(shocks, tuple(loose), posterior, tables, tuple(search.happened), 0.0)))
    weight = special.softmax([evidence for evidence, _ in found])
    return tuple(replace(found[k][1], weight=float(weight[k])) for k in np.argsort(-weight, kind="stable"))


def _spikes(
    segments: tuple[Segment, ...], tables: tuple[Seen, ...], calendar: Calendar | None
) -> tuple[tuple[int, float], ...]:
    """Return periods, without those of the calendar, that lie far above the periods around them, and by what factor."""
    found = []
    for segment, table in zip(segments, tables, strict=True):
        periods = np.arange(segment.first, segment.last + 1)
        marked = calendar.marks(periods) if calendar is not None else np.zeros(periods.size)
        around = np.array([np.median(table.off[max(k - AROUND, 0) : k + AROUND + 1]) for k in range(periods.size)])
        above = table.off - around
        far = (above > np.log(SPIKE)) & (above > FAR * np.sqrt(table.chance)) & (marked == 0)
        found += [(int(period), float(np.exp(x))) for period, x in zip(periods[far], above[far], strict=True)]
    return tuple(found)


def _names(segments: tuple[Segment, ...], calendar: Calendar | None) -> tuple[str, ...]:
    """Return the names of the parameters in the order of the posterior."""
    names = [f"{segment.name}: {part}" for segment in segments for part in ("mean_hazard", "spread", "trend")]
    return (*names, *(["anniversary"] if calendar is not None else []), "spread", "trend")

"""Retention tables: the most likely hazards, and what remains possible.

Likelihood: of those at risk in a period a binomial number is lost, with the hazard of those still there (`hazards`),
integrated over the periods' shocks (`shocks`). Segments share a prior of trend and spread, which matters where a table
is short. What kind of shocks there are decides how far the trend can be trusted, and a short table hardly tells
customers who differ from hazards that fall: several structures are fitted and weighed by how likely each makes the
table (Bayesian model averaging, Hoeting et al. 1999, recalled).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from churnsim.calibration.calendars import Calendar, find_calendar
from churnsim.calibration.formats import Segment
from churnsim.calibration.posterior import Posterior
from churnsim.calibration.searching import FORMS, Form, Search
from churnsim.calibration.shocks import PARTS, Seen, Shocks, candidates, exceptional, scores

ROUNDS = 2
"""Times that shocks and parameters are adapted to each other."""

FIRST = Shocks(passing=0.01, fading=0.09, persistence=0.5)
"""Shocks with which the search begins."""

SPIKE, FAR, AROUND = 2.0, 4.0, 4
"""Factor, and standard errors, from which a period is told as a spike, and periods either side it is compared with."""

GOLDEN, SILVER = (5**0.5 - 1) / 2, 2**0.5 - 1
"""Multiples of either, modulo 1, are spread evenly however many there are (Weyl 1916, recalled)."""

PROPOSED = 600
"""Draws among which those that are kept are chosen."""

HOPELESS = 6.0
"""Logarithm of the odds from which a form is left alone once it has lost under one kind of shocks."""


@dataclass(frozen=True)
class Structure:
    """One answer to what trend and what shocks there are, and what the parameters are if it is right.

    Attributes
    ----------
    form : Form
        What of the trend is there.
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

    form: Form
    shocks: Shocks
    loose: tuple[np.ndarray, ...]
    posterior: Posterior
    tables: tuple[Seen, ...]
    happened: tuple[np.ndarray, ...]
    weight: float


@dataclass(frozen=True)
class Held:
    """What of the hazards is not fitted.

    Attributes
    ----------
    spread : float or None
        The spread of hazards, where it is known.
    trend, anniversary : bool
        Whether hazards change with tenure, and with the contract, in no way that would have to be found.
    """

    spread: float | None = None
    trend: bool = False
    anniversary: bool = False

    @classmethod
    def of(cls, held: Mapping[str, float]) -> Held:
        """Return it from values by dotted path, as `held_values` has them."""
        a = held.get("customers.opportunity.a")
        calendar = ("customers.calendar.trend" in held, "customers.calendar.anniversary" in held)
        return cls(None if a is None else -float(np.log(a)), *calendar)

    @property
    def forms(self) -> tuple[Form, ...]:
        """What of the trend may be there, the fullest first."""
        return tuple(
            form for form in FORMS if (form.differ or self.spread is None) and not (form.change and self.trend)
        )


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
    held : Held
        What was not fitted.
    """

    segments: tuple[Segment, ...]
    structures: tuple[Structure, ...]
    calendar: Calendar | None
    fit: dict[str, Any]
    spikes: tuple[tuple[int, float], ...]
    held: Held

    @property
    def posterior(self) -> Posterior:
        """Of the parameters under the most likely structure in which all that may be there are."""
        return next(one for one in self.structures if one.form == self.held.forms[0]).posterior

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
        values = np.empty((len(self.segments), count, self.structures[0].posterior.mode.size))
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

    def _search(self, k: int) -> Search:
        """Return what knows the hazards under one structure."""
        search = Search(self.segments, self.calendar, self.structures[k].form, self.held.spread)
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


def fit_retention(segments: tuple[Segment, ...], held: Mapping[str, float] | None = None) -> RetentionFit:
    """Fit retention tables.

    Parameters
    ----------
    segments
        As `read_retention` returns them.
    held
        What is not fitted, as `held_values` returns it.
    """
    known = Held.of(held or {})
    structures = _structures(segments, None, None, known)
    pairs = zip(segments, structures[0].tables, strict=True)
    calendar = None
    if not known.anniversary:
        calendar = find_calendar([(segment.first, table.off, table.chance) for segment, table in pairs])
    if calendar is not None:
        start = np.insert(structures[0].posterior.mode, 3 * len(segments), np.log(2.0))
        structures = _structures(segments, calendar, start, known)
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
        "customers_differ": float(share @ [one.form.differ for one in structures]),
        "hazards_change": float(share @ [one.form.change for one in structures]),
        "calendar": None if calendar is None else {"cycle": calendar.cycle, "offsets": list(calendar.offsets)},
    }
    spikes = _spikes(segments, best.tables, calendar)
    return RetentionFit(segments, structures, calendar, diagnostics, spikes, known)


def _structures(
    segments: tuple[Segment, ...], calendar: Calendar | None, start: np.ndarray | None, held: Held
) -> tuple[Structure, ...]:
    """Return what trends and shocks are possible, with the parameters that belong to each, the most likely first.

    For every form of the trend and every size of the lasting steps, the best of the other shocks is sought; the
    answers are weighed by how likely they make the table (Laplace's method). A form that has lost under the steps that
    suit the fullest one is left alone.
    """
    steps: dict[float, list[Shocks]] = {}
    for shocks in candidates():
        steps.setdefault(shocks.step, []).append(shocks)
    found: list[tuple[float, Structure]] = []
    for form in held.forms:
        first = Search(segments, calendar, form, held.spread)
        first = first.under(FIRST, [np.ones((PARTS, segment.lost.size)) for segment in segments])
        at = first.mode(first.start() if start is None else first.reduced(start))
        first.remember(at)
        if not found:
            found = [_structure(first, at, alike) for alike in steps.values()]
            continue
        best, winner = max(found, key=lambda one: one[0])
        tried = _structure(first, at, steps[winner.shocks.step])
        found.append(tried)
        if tried[0] > best - HOPELESS:
            found += [_structure(first, at, alike) for step, alike in steps.items() if step != winner.shocks.step]
    weight = special.softmax([evidence for evidence, _ in found])
    return tuple(replace(found[k][1], weight=float(weight[k])) for k in np.argsort(-weight, kind="stable"))


def _structure(first: Search, at: np.ndarray, alike: list[Shocks]) -> tuple[float, Structure]:
    """Return the best of some kinds of shocks with its parameters, and the logarithm of how likely it makes the table.

    Parameters
    ----------
    first, at
        A search under other shocks, and the most likely parameters there.
    alike
        The kinds of shocks, with steps of one size.
    """
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
    covariance, shrunk = search.covariance(mode, tables)
    odd = sum(exceptional(shocks, one) for one in loose)
    evidence = first.form.log_prior + shocks.log_prior + odd - search.value(mode, tables) + shrunk
    posterior = Posterior(_names(first.segments, first.calendar), mode, covariance, search.prior_sd)
    structure = Structure(first.form, shocks, tuple(loose), posterior, tables, tuple(search.happened), 0.0)
    return float(evidence), structure


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

"""What single periods of a retention table show beyond the trend: lasting shocks, and a contract's calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PERSISTENCE = (0.3, 0.6, 0.8, 0.9, 0.97)
"""Shares of a shock that are left one period later, among which the likelihood chooses."""

PASSING = (0.0, 0.05, 0.1, 0.2, 0.35, 0.6)
"""Standard deviations of shocks that are gone a period later, among which it chooses."""

SIZES = (0.0, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.9, 1.3)
"""Standard deviations of shocks, in logarithms of the hazard, among which it chooses."""

SCALE = 0.3
"""Scale of the half-normal prior of that standard deviation (assumed)."""

CAP = 3.0
"""Standard deviations at which an extreme residual is cut before the variance is judged."""

OFFSETS = ((0,), (0, 1), (-1, 0), (-1, 0, 1))
"""Windows around an anniversary that are tried."""

PROOF = 6.0
"""By how much a calendar must raise twice the log-likelihood beyond what the number of those tried costs (assumed)."""


@dataclass(frozen=True)
class Shocks:
    """Deviations of single periods from the trend, in the logarithm of the hazard: AR(1), and such as pass at once.

    Attributes
    ----------
    variance : float
        Of the lasting shocks, in the long run.
    persistence : float
        Share of them that is left a period later.
    passing : float
        Variance of the others.
    """

    variance: float
    persistence: float
    passing: float = 0.0

    @property
    def total(self) -> float:
        """Variance of both together."""
        return self.variance + self.passing

    def paths(
        self, off: np.ndarray, chance: np.ndarray, periods: int, draws: int, luck: np.random.Generator
    ) -> np.ndarray:
        """Return (draws, periods + ahead) shocks given the residuals of the first periods.

        Forward filtering, backward sampling (Carter & Kohn 1994), then simulated ahead.

        Parameters
        ----------
        off, chance : (seen,)
            Residuals in logarithms and their variances by chance.
        periods
            Periods wanted in all.
        draws
            How many paths.
        luck
            Where the random numbers come from.
        """
        seen = min(off.size, periods)
        rho, noise = self.persistence, self.variance * (1 - self.persistence**2)
        chance = np.asarray(chance, float)
        unseen = chance + self.passing
        mean, var = np.zeros(seen), np.zeros(seen)
        before, spread = 0.0, self.variance
        for t in range(seen):
            gain = spread / (spread + unseen[t]) if spread > 0 else 0.0
            mean[t], var[t] = before + gain * (off[t] - before), (1 - gain) * spread
            before, spread = rho * mean[t], rho**2 * var[t] + noise
        z = luck.standard_normal((draws, periods))
        path = np.zeros((draws, periods))
        if seen:
            path[:, seen - 1] = mean[-1] + np.sqrt(var[-1]) * z[:, seen - 1]
        for t in range(seen - 2, -1, -1):
            total = rho**2 * var[t] + noise
            gain = rho * var[t] / total if total > 0 else 0.0
            centre = mean[t] + gain * (path[:, t + 1] - rho * mean[t])
            path[:, t] = centre + np.sqrt(max(var[t] - gain * rho * var[t], 0.0)) * z[:, t]
        for t in range(seen, periods):
            last = path[:, t - 1] if t else 0.0
            path[:, t] = rho * last + np.sqrt(noise if t else self.variance) * z[:, t]
        if self.passing > 0:
            brief = np.sqrt(self.passing) * luck.standard_normal((draws, periods))
            share = self.passing / unseen[:seen]
            brief[:, :seen] *= np.sqrt(1 - share)
            path[:, :seen] += share * (off[:seen] - path[:, :seen])
            path += brief
        return path


def find_shocks(residuals: Sequence[tuple[np.ndarray, np.ndarray]]) -> Shocks:
    """Return size and persistence of shocks that the residuals of all segments make most likely."""
    cut = []
    for off, chance in residuals:
        far = CAP * np.sqrt(chance + np.median(off**2) / 0.455)  # median of chi-square with 1 degree of freedom
        cut.append((np.clip(off, -far, far), chance))
    best, answer = -np.inf, Shocks(0.0, 0.0)
    for brief in PASSING:
        for size in SIZES:
            for rho in PERSISTENCE if size > 0 else (0.0,):
                score = -0.5 * (size**2 + brief**2) / SCALE**2 + np.log(1.0 - rho**2) / 2
                score += sum(_filtered(off, chance + brief**2, size**2, rho) for off, chance in cut)
                if score > best + 0.5:  # a further parameter must earn its place
                    best, answer = score, Shocks(size**2, rho, brief**2)
    return answer


def _filtered(off: np.ndarray, chance: np.ndarray, variance: float, rho: float) -> float:
    """Return the log-likelihood of one segment's residuals under AR(1) shocks seen with chance (Kalman 1960)."""
    total, before, spread = 0.0, 0.0, variance
    for x, v in zip(off, chance, strict=True):
        s = spread + v
        total -= 0.5 * (np.log(s) + (x - before) ** 2 / s)
        gain = spread / s
        mean, var = before + gain * (x - before), (1 - gain) * spread
        before, spread = rho * mean, rho**2 * var + variance * (1 - rho**2)
    return total


@dataclass(frozen=True)
class Calendar:
    """Periods in which a contract lets customers go: those near every multiple of a cycle.

    Attributes
    ----------
    cycle : int
        Periods from one anniversary to the next.
    offsets : tuple of int
        Periods around each that belong to it.
    """

    cycle: int
    offsets: tuple[int, ...]

    def marks(self, periods: np.ndarray) -> np.ndarray:
        """Return 1 for periods that belong to an anniversary, else 0."""
        marked = np.zeros(periods.shape)
        for offset in self.offsets:
            marked[((periods - offset) % self.cycle == 0) & (periods - offset > 0)] = 1.0
        return marked


def find_calendar(tables: Sequence[tuple[int, np.ndarray, np.ndarray]], shocks: Shocks) -> Calendar | None:
    """Return the calendar that the residuals show, if one does so beyond doubt: it must have come round twice.

    Parameters
    ----------
    tables
        By segment: first period, residuals in logarithms, variances by chance.
    shocks
        How much single periods vary anyway.
    """
    last = max(first + off.size - 1 for first, off, _ in tables)
    tried: list[tuple[float, Calendar]] = []
    for cycle in range(3, last // 2 + 1):
        for offsets in OFFSETS:
            if len(offsets) * 2 < cycle:
                calendar = Calendar(cycle, offsets)
                tried.append((_gain(calendar, tables, shocks), calendar))
    if not tried:
        return None
    gain, best = max(tried, key=lambda one: (one[0], -one[1].cycle, -len(one[1].offsets)))
    rows = sum(off.size for _, off, _ in tables)
    return best if gain > PROOF + np.log(rows) + 2 * np.log(len(tried)) else None


def _gain(calendar: Calendar, tables: Sequence[tuple[int, np.ndarray, np.ndarray]], shocks: Shocks) -> float:
    """Return by how much a calendar raises twice the log-likelihood, 0 unless most anniversaries stand out upwards."""
    top = bottom = 0.0
    rounds: dict[int, list[float]] = {}
    for first, off, chance in tables:
        periods = np.arange(first, first + off.size)
        marks = calendar.marks(periods)
        weight = 1.0 / (chance + shocks.total + 0.01)
        middle = off - np.average(off, weights=weight)
        share = np.average(marks, weights=weight)
        top += float((weight * (marks - share) * middle).sum())
        bottom += float((weight * (marks - share) ** 2).sum())
        for period, value in zip(periods[marks > 0], middle[marks > 0], strict=True):
            rounds.setdefault(round(period / calendar.cycle), []).append(float(value))
    up = [np.mean(values) > 0 for values in rounds.values()]
    if bottom <= 0 or len(rounds) < 2 or np.mean(up) < 0.7:
        return 0.0
    return top**2 / bottom if top > 0 else 0.0

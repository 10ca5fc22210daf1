"""What a log of purchases says: customers with rates of their own, who leave without a word and may come back.

The likelihood is that of `churnsim.calibration.renewal`; whether anybody lapses is averaged over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special

from churnsim.calibration.fitted import DRAWS
from churnsim.calibration.formats import Events
from churnsim.calibration.histories import Histories, distinct, histories_of
from churnsim.calibration.posterior import Posterior, covariance_of, curvature
from churnsim.calibration.renewal import (
    COSTS,
    KINDS,
    LAPSE,
    NAMES,
    NEVER,
    RATES,
    TASTES,
    Rules,
    likelihood,
    log_likelihood,
    weights,
)
from churnsim.calibration.steps import Steps

FIT_CUSTOMERS = 4000
"""Customers, at most, that the likelihood looks at: a random part of a longer log says as much as is needed."""

PROPOSALS, WIDER, FEWEST = 240, 1.25, 0.1
"""Draws from Laplace's approximations, so much wider, that are weighed; share of them that a structure has at least."""

STEPS = 60
"""Steps of the search for the most likely parameters, at most."""

SEARCH_STEPS = STEPS + 2 * len(NAMES)
FIT_STEPS = 2 * SEARCH_STEPS + PROPOSALS
"""Steps of a fit: for each structure those of the search, and slopes around what it finds; then proposals."""

BLOCK = 4000
"""Customers whose states are drawn at a time."""

BOUNDS = ((-13.0, 2.0), (-4.0, 4.0), (-9.0, 4.0), (-4.0, 1.5), (-2.0, 3.0), (-16.0, 0.0), (-3.0, 0.7))


@dataclass(frozen=True)
class Structure:
    """One answer to whether anybody lapses.

    Attributes
    ----------
    posterior : Posterior
        Of the parameters `NAMES`.
    weight : float
        How likely it is by Laplace's approximation of its marginal likelihood; both were as likely before the data.
    log_likelihood : float
        At the mode, of the customers looked at.
    """

    posterior: Posterior
    weight: float
    log_likelihood: float


@dataclass(frozen=True)
class EventsFit:
    """What a log of purchases says.

    Attributes
    ----------
    structures : tuple of Structure
        Likeliest first.
    draws : (DRAWS, n) float64
        From the posterior of the parameters, of both structures.
    histories : Histories
        Of all customers.
    step : int
        Days of a tick.
    customers : int
        How many the likelihood looked at.
    """

    structures: tuple[Structure, ...]
    draws: np.ndarray
    histories: Histories
    step: int
    customers: int

    @property
    def lapses(self) -> float:
        """Probability that there are customers who lapse."""
        return float((self.draws[:, LAPSE] > NEVER).mean())


def fit_events(events: Events, step: int, seed: int, steps: Steps | None = None) -> EventsFit:
    """Fit a log of purchases, with and without customers who lapse.

    Parameters
    ----------
    events
        As `read_events` returns them.
    step
        Days of a tick.
    seed
        Seed of the choice of customers, where there are more than `FIT_CUSTOMERS`.
    steps
        Who is told how far it is: `FIT_STEPS` at most.
    """
    steps = Steps() if steps is None else steps
    everybody = histories_of(events, step)
    looked_at = everybody
    if everybody.count > FIT_CUSTOMERS:
        luck = np.random.default_rng(seed)
        looked_at = everybody.part(np.sort(luck.choice(everybody.count, FIT_CUSTOMERS, replace=False)))
    target = _Target.of(*distinct(looked_at))
    everything = np.arange(len(NAMES))
    found = [target.search(target.centre, everything, steps)]
    steps.reach(SEARCH_STEPS)
    start = found[0].posterior.mode.copy()
    start[LAPSE] = NEVER
    found.append(target.search(start, everything[everything != LAPSE], steps))
    odds = np.exp([one.weight - max(each.weight for each in found) for one in found])
    told = [replace(one, weight=float(odd / odds.sum())) for one, odd in zip(found, odds, strict=True)]
    steps.reach(2 * SEARCH_STEPS)
    structures = tuple(sorted(told, key=lambda one: -one.weight))
    return EventsFit(structures, target.draws(structures, seed, steps), everybody, step, looked_at.count)


@dataclass(frozen=True)
class _Target:
    """A log's likelihood with a prior."""

    seen: Histories
    times: np.ndarray
    centre: np.ndarray
    sd: np.ndarray

    @classmethod
    def of(cls, seen: Histories, times: np.ndarray) -> _Target:
        """Return it for histories, of which each occurs so many times."""
        ticks = seen.silence + seen.gaps @ (np.arange(seen.gaps.shape[1]) + 1.0)
        rate = (float((times * seen.repeats).sum()) + 0.5) / (float((times * ticks).sum()) + 1.0)
        span = max(float(ticks.max()), 2.0)
        # Rates near the mean of what was seen, leaving on an eighth of occasions, switching costs of nearly three times
        # the noise that differ by a factor of two, lapses about once in three spans; all with room for factors of 3 to
        # 7 (assumed).
        lapse = special.logit(1 / (3 * span))
        centre = np.array([special.logit(min(rate, 0.9)), np.log(0.7), -2.0, 0.0, 1.0, lapse, np.log(0.7)])
        return cls(seen, times, centre, np.array([2.0, 1.0, 1.5, 0.5, 0.7, 1.5, 0.7]))

    def search(self, start: np.ndarray, free: np.ndarray, steps: Steps) -> Structure:
        """Return what is likely if only some parameters are free; its weight is a logarithm, free of common terms."""
        centre, sd = self.centre[free], self.sd[free]

        def cost(z: np.ndarray) -> tuple[float, np.ndarray]:
            """Return minus the log posterior and its gradient, parameters in standard deviations of the prior."""
            x = start.copy()
            x[free] = z * sd
            value, gradient = likelihood(x, self.seen, self.times)
            off = z - centre / sd
            return -value + 0.5 * float(off @ off), -gradient[free] * sd + off

        def slope(z: np.ndarray) -> np.ndarray:
            """Return the gradient alone."""
            steps.one()
            return cost(z)[1]

        bounds = np.array(BOUNDS)[free] / sd[:, None]
        options = {"maxiter": STEPS}
        found = optimize.minimize(
            cost, start[free] / sd, jac=True, method="L-BFGS-B", bounds=bounds, options=options, callback=steps.one
        )
        information = curvature(slope, found.x, 1e-2)
        mode, covariance, prior = start.copy(), np.zeros((start.size, start.size)), np.zeros(start.size)
        mode[free], prior[free] = found.x * sd, sd
        # In standard deviations of the prior, where no direction is less certain than 1.
        covariance[np.ix_(free, free)] = covariance_of(information, np.ones(free.size)) * np.outer(sd, sd)
        values = np.linalg.eigvalsh(information)
        evidence = -float(found.fun) - 0.5 * float(np.log(np.maximum(values, 1.0)).sum())
        posterior = Posterior(NAMES, mode, covariance, prior)
        return Structure(posterior, evidence, likelihood(mode, self.seen, self.times)[0])

    def draws(self, structures: tuple[Structure, ...], seed: int, steps: Steps) -> np.ndarray:
        """Return (DRAWS, n) values of the parameters, drawn from both structures by sampling importance resampling.

        The surface is no parabola, and how likely a structure is depends on its tails (Rubin 1987, recalled).
        """
        luck = np.random.default_rng([seed, 3])
        values, logs = [], []
        for one in structures:
            free = np.flatnonzero(one.posterior.prior_sd)
            sd, mode = self.sd[free], one.posterior.mode[free]
            spread, axes = np.linalg.eigh(one.posterior.covariance[np.ix_(free, free)] / np.outer(sd, sd))
            root = WIDER * axes * np.sqrt(spread)
            share = FEWEST + (1 - 2 * FEWEST) * one.weight
            half = luck.standard_normal((round(PROPOSALS * share / 2), free.size))
            for normal in np.concatenate([half, -half]):
                x = one.posterior.mode.copy()
                x[free] = mode + sd * (root @ normal)
                off = (x[free] - self.centre[free]) / sd
                value = float(self.times @ log_likelihood(x, self.seen)) - 0.5 * float(off @ off)
                # Normalising constants of prior and proposal cancel but for the volume of the latter.
                volume = free.size * np.log(WIDER) + 0.5 * float(np.log(spread).sum())
                logs.append(value + 0.5 * float(normal @ normal) + volume - np.log(share))
                values.append(x)
                steps.one()
        weight = np.exp(np.array(logs) - max(logs))
        ends = np.cumsum(weight / weight.sum())
        kept = np.searchsorted(ends, (np.arange(DRAWS) + luck.random()) / DRAWS).clip(max=ends.size - 1)
        return np.array(values)[luck.permutation(kept)]


@dataclass(frozen=True)
class States:
    """What customers are like when the data end: arrays (customers,), money in units of choice noise.

    Attributes
    ----------
    rate, taste, cost : float64
        Probability of an occasion in a tick, taste, switching cost.
    there : bool
        Whether he is there still.
    """

    rate: np.ndarray
    taste: np.ndarray
    cost: np.ndarray
    there: np.ndarray


def states(x: np.ndarray, seen: Histories, luck: np.random.Generator) -> States:
    """Draw what every customer is like, given his history.

    Parameters
    ----------
    x
        One draw of the parameters.
    seen
        The histories.
    luck
        Where the random numbers come from.
    """
    rules = Rules.of(x)
    nodes, still = [], []
    for low in range(0, seen.count, BLOCK):
        part = seen.part(np.arange(low, min(low + BLOCK, seen.count)))
        _, joint, there = weights(rules, part)
        node = _drawn(joint, luck)
        still.append(luck.random(node.size) < there[part.silence, node])
        nodes.append(rules.node[node])
    rate, kind = np.divmod(np.concatenate(nodes), KINDS)
    # Within the cell of the grid every rate is as likely as any other.
    odds = RATES[rate] + (luck.random(rate.size) - 0.5) * (RATES[1] - RATES[0])
    taste, cost = np.exp(x[3]) * TASTES[kind], np.exp(x[4] + np.exp(x[6]) * COSTS[kind])
    return States(special.expit(odds), taste, cost, np.concatenate(still))


def _drawn(weights: np.ndarray, luck: np.random.Generator) -> np.ndarray:
    """Draw one column per row, with probabilities proportional to the weights."""
    heights = np.cumsum(weights, axis=1)
    return (heights < luck.random((weights.shape[0], 1)) * heights[:, -1:]).sum(1)

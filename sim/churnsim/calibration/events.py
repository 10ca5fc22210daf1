"""What a log of purchases says: customers with rates of their own, who leave without a word and may come back.

The likelihood is that of `churnsim.calibration.renewal`; whether anybody lapses is averaged over. Where gaps are more
even than chance has them, needs arise in a rhythm of two stages, if that makes the log likelier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import optimize, special

from churnsim.calibration.fitted import DRAWS
from churnsim.calibration.formats import Events
from churnsim.calibration.grid import Grid
from churnsim.calibration.held import Holding, constant, logarithm
from churnsim.calibration.histories import Histories, distinct, histories_of
from churnsim.calibration.importance import RESCUE, Weighed, sample
from churnsim.calibration.posterior import Posterior, covariance_of, curvature
from churnsim.calibration.recorded import Ticks
from churnsim.calibration.regularity import more_even
from churnsim.calibration.renewal import (
    LAPSE,
    NAMES,
    NEVER,
    Rules,
    cost_variance,
    likelihood,
    log_likelihood,
    switching_costs,
    weights,
)
from churnsim.calibration.steps import Steps

FIT_CUSTOMERS = 4000
"""Customers, at most, that the likelihood looks at: a random part of a longer log says as much as is needed."""

ROUNDS, PROPOSALS = (6, 8), 240
"""Rounds of proposals that are weighed, fewest and most, and proposals of each structure in a round."""

RESTARTS, HIGHER = 2, 1.0
"""Searches that begin anew where the draws have found a place so much likelier, as a logarithm, than the mode."""

STEPS = 60
"""Steps of the search for the most likely parameters, at most."""

SEARCH_STEPS = STEPS + 2 * len(NAMES)
STRUCTURE_STEPS = SEARCH_STEPS + (ROUNDS[1] + RESCUE) * PROPOSALS
RHYTHM_CUSTOMERS, RHYTHM_SEARCH = 400, 15
"""Customers, at most, that tell whether needs have a rhythm (a few hundred leave no doubt), and steps of each of two
searches for that, at most."""

RHYTHM_STEPS = 2 * RHYTHM_SEARCH
FIT_STEPS = RHYTHM_STEPS + 2 * STRUCTURE_STEPS
"""Steps of a fit: of the searches for a rhythm, of which most logs need none; for each structure those of the search,
and slopes around what it finds; then proposals."""

BLOCK = 4000
"""Customers whose states are drawn at a time."""

STAGES = "customers.rhythm.stages"

BOUNDS = ((-13.0, 6.0), (-4.0, 4.0), (-9.0, 4.0), (-4.0, 1.5), (-2.0, 3.0), (-16.0, 0.0), (-3.0, 0.7))


@dataclass(frozen=True)
class Structure:
    """One answer to whether anybody lapses.

    Attributes
    ----------
    posterior : Posterior
        Of the parameters `NAMES`.
    weight : float
        How likely it is; both were as likely before the data.
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
    customers : int
        How many the likelihood looked at.
    worth : float
        How many independent draws `draws` are worth.
    stages : int
        From one need to the next; 1 where they come by chance.
    """

    structures: tuple[Structure, ...]
    draws: np.ndarray
    histories: Histories
    customers: int
    worth: float
    stages: int

    @property
    def lapses(self) -> float:
        """Probability that there are customers who lapse."""
        return float((self.draws[:, LAPSE] > NEVER).mean())


def _holding(held: Mapping[str, float]) -> Holding:
    """Return what is held, by dotted path and in units of the noise of choice, in the places of `NAMES`."""
    rules = []
    for path, value in held.items():
        match path.removeprefix("customers."):
            case "opportunity.a":
                rules.append(constant(1, logarithm(value)))
            case "taste.sd":
                rules.append(constant(3, logarithm(value)))
            case "switching_cost.cv":
                rules.append(constant(6, logarithm(float(np.sqrt(np.log1p(value**2))))))
            case "hazards.lapse":
                rules.append(constant(LAPSE, float(special.logit(value)) if value > 0 else NEVER))
    if "customers.switching_cost.mean" in held:  # last, since the median follows from it and the spread
        rules.append((4, partial(_median, logarithm(held["customers.switching_cost.mean"]))))
    return Holding(tuple(rules))


def _median(log_mean: float, x: np.ndarray) -> float:
    """Return the logarithm of the median switching cost from that of the mean and the spread."""
    return log_mean - float(cost_variance(x)) / 2


def fit_events(
    events: Events, ticks: Ticks, seed: int, steps: Steps | None = None, held: Mapping[str, float] | None = None
) -> EventsFit:
    """Fit a log of purchases, with and without customers who lapse.

    Parameters
    ----------
    events
        As `read_events` returns them.
    ticks
        When they are, as `ticks_of` returns it.
    seed
        Seed of the choice of customers, where there are more than `FIT_CUSTOMERS`.
    steps
        Who is told how far it is: `FIT_STEPS` at most.
    held
        What is not fitted, as `held_values` returns it.
    """
    steps = Steps() if steps is None else steps
    everybody = histories_of(events, ticks)
    looked_at = everybody
    if everybody.count > FIT_CUSTOMERS:
        luck = np.random.default_rng(seed)
        looked_at = everybody.part(np.sort(luck.choice(everybody.count, FIT_CUSTOMERS, replace=False)))
    held = held or {}
    known = _holding(held)
    stages = _rhythm(events, ticks, looked_at, known, held, steps)
    target = replace(_Target.of(*distinct(looked_at)), stages=stages)
    steps.reach(RHYTHM_STEPS)
    nobody = Holding((*known.rules, constant(LAPSE, NEVER)))
    found: list[Structure] = []
    weighed: list[Weighed] = []
    for holding in (known, nobody) if LAPSE in known.free(len(NAMES)) else (known,):
        start, begun = found[0].posterior.mode if found else target.centre, RHYTHM_STEPS + len(found) * STRUCTURE_STEPS
        for attempt in range(1 + RESTARTS):
            one = target.search(start, holding, steps)
            steps.reach(max(steps.done, begun + SEARCH_STEPS))
            luck = np.random.default_rng([seed, 3, len(found) + 1])
            drawn = target.weighed(one.posterior, holding, luck, steps)
            start = drawn.best
            if drawn.gain < HIGHER or attempt == RESTARTS:
                break
        found.append(one)
        weighed.append(drawn)
        steps.reach(max(steps.done, begun + STRUCTURE_STEPS))
    steps.reach(FIT_STEPS)
    weight = special.softmax([one.log_evidence for one in weighed])
    told = [replace(one, weight=float(each)) for one, each in zip(found, weight, strict=True)]
    draws = _chosen(weighed, np.random.default_rng([seed, 3]))
    return EventsFit(
        tuple(sorted(told, key=lambda one: -one.weight)),
        draws,
        everybody,
        looked_at.count,
        float(sum(one.worth * each for one, each in zip(weighed, weight, strict=True))),
        target.stages,
    )


def _rhythm(
    events: Events, ticks: Ticks, seen: Histories, holding: Holding, held: Mapping[str, float], steps: Steps
) -> int:
    """Return how many stages needs go through: one or two, unless it is held."""
    if STAGES in held:
        return int(held[STAGES])
    if not more_even(events, ticks):
        return 1
    if seen.count > RHYTHM_CUSTOMERS:
        seen = seen.part(np.linspace(0, seen.count - 1, RHYTHM_CUSTOMERS).astype(np.int64))
    target = _Target.of(*distinct(seen))
    return max((1, 2), key=lambda stages: replace(target, stages=stages).height(holding, steps))


def _chosen(weighed: Sequence[Weighed], luck: np.random.Generator) -> np.ndarray:
    """Return (DRAWS, n) values of the parameters, chosen from those of all structures by their weights."""
    values = np.concatenate([one.values for one in weighed])
    weight = special.softmax(np.concatenate([one.log_weight for one in weighed]))
    kept = np.searchsorted(np.cumsum(weight), (np.arange(DRAWS) + luck.random()) / DRAWS)
    return values[luck.permutation(kept.clip(max=weight.size - 1))]


@dataclass(frozen=True)
class _Target:
    """A log's likelihood with a prior."""

    seen: Histories
    times: np.ndarray
    centre: np.ndarray
    sd: np.ndarray
    stages: int = 1

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

    def _filled(self, base: np.ndarray, holding: Holding, z: np.ndarray) -> np.ndarray:
        """Return all parameters, the free ones from units of the prior, with what is held in its places."""
        free = holding.free(base.size)
        x = base.copy()
        x[free] = z * self.sd[free]
        return holding.fill(x)

    def told(self, x: np.ndarray) -> float:
        """Return the log-likelihood."""
        return float(self.times @ log_likelihood(x, self.seen, self.stages))

    def cost(self, z: np.ndarray, base: np.ndarray, holding: Holding) -> tuple[float, np.ndarray]:
        """Return minus the log posterior and its gradient, free parameters in standard deviations of the prior."""
        free = holding.free(base.size)
        x = self._filled(base, holding, z)
        value, gradient = likelihood(x, self.seen, self.times, self.stages)
        off = z - self.centre[free] / self.sd[free]
        return -value + 0.5 * float(off @ off), -holding.pulled(x, gradient) * self.sd[free] + off

    def mode(self, start: np.ndarray, holding: Holding, most: int, steps: Steps) -> np.ndarray:
        """Return the most likely parameters, searched for in so many steps at most."""
        free = holding.free(start.size)
        sd = self.sd[free]
        found = optimize.minimize(
            self.cost, start[free] / sd, (start, holding), jac=True, method="L-BFGS-B",
            bounds=np.array(BOUNDS)[free] / sd[:, None], options={"maxiter": most}, callback=steps.one,
        )  # fmt: skip
        return self._filled(start, holding, found.x)

    def height(self, holding: Holding, steps: Steps) -> float:
        """Return about how high the logarithm of the density is at most."""
        mode = self.mode(self.centre, holding, RHYTHM_SEARCH, steps)
        off = (mode - self.centre) / self.sd
        return self.told(mode) - 0.5 * float(off @ off)

    def search(self, start: np.ndarray, holding: Holding, steps: Steps) -> Structure:
        """Return what is most likely if only some parameters are free; how likely it is remains to be found."""
        free = holding.free(start.size)
        sd = self.sd[free]

        def slope(z: np.ndarray) -> np.ndarray:
            """Return the gradient alone."""
            steps.one()
            return self.cost(z, start, holding)[1]

        mode = self.mode(start, holding, STEPS, steps)
        information = curvature(slope, mode[free] / sd, 1e-2)
        covariance, prior = np.zeros((start.size, start.size)), np.zeros(start.size)
        prior[free] = sd
        # In standard deviations of the prior, where no direction is less certain than 1.
        covariance[np.ix_(free, free)] = covariance_of(information, np.ones(free.size)) * np.outer(sd, sd)
        posterior = Posterior(NAMES, mode, covariance, prior)
        return Structure(posterior, 0.0, self.told(mode))

    def weighed(self, found: Posterior, holding: Holding, luck: np.random.Generator, steps: Steps) -> Weighed:
        """Return values of all parameters drawn from the posterior whose normal approximation is given."""
        free = holding.free(found.mode.size)
        sd, centre = self.sd[free], self.centre[free]

        filled = partial(self._filled, found.mode, holding)

        def log_posterior(z: np.ndarray) -> float:
            """Return the logarithm of the posterior density."""
            off = z - centre / sd
            return self.told(filled(z)) - 0.5 * float(off @ off) - free.size / 2 * np.log(2 * np.pi)

        covariance = found.covariance[np.ix_(free, free)] / np.outer(sd, sd)
        drawn = sample(log_posterior, centre / sd, found.mode[free] / sd, covariance, ROUNDS, PROPOSALS, luck, steps)
        return replace(drawn, values=np.array([filled(z) for z in drawn.values]), best=filled(drawn.best))


@dataclass(frozen=True)
class States:
    """What customers are like when the data end: arrays (customers,), money in units of choice noise.

    Attributes
    ----------
    rate, taste, cost : float64
        Probability of an occasion in a tick, taste, switching cost.
    there : bool
        Whether he is there still.
    stage : int64
        Stages that his next need has behind it.
    """

    rate: np.ndarray
    taste: np.ndarray
    cost: np.ndarray
    there: np.ndarray
    stage: np.ndarray


def states(x: np.ndarray, seen: Histories, stages: int, luck: np.random.Generator) -> States:
    """Draw what every customer is like, given his history.

    Parameters
    ----------
    x
        One draw of the parameters.
    seen
        The histories.
    stages
        From one need to the next.
    luck
        Where the random numbers come from.
    """
    grid = Grid.of(seen.ticks, stages)
    rules = Rules.of(x, grid, stages)
    nodes, at = [], []
    for low in range(0, seen.count, BLOCK):
        part = seen.part(np.arange(low, min(low + BLOCK, seen.count)))
        node = _drawn(weights(rules, part)[1], luck)
        at.append(_drawn(rules.waited(node, part.silence).reshape(2 * stages, -1).T, luck))
        nodes.append(rules.node[node])
    node, where = np.concatenate(nodes), np.concatenate(at)
    # Within the cell of the grid every rate is as likely as any other.
    odds = grid.rates[grid.rate[node]] + (luck.random(node.size) - 0.5) * grid.step
    taste, cost = np.exp(x[3]) * grid.taste[node], switching_costs(x, grid)[node]
    return States(special.expit(odds), taste, cost, where < stages, where % stages)


def _drawn(weights: np.ndarray, luck: np.random.Generator) -> np.ndarray:
    """Draw one column per row, with probabilities proportional to the weights."""
    heights = np.cumsum(weights, axis=1)
    return (heights < luck.random((weights.shape[0], 1)) * heights[:, -1:]).sum(1)

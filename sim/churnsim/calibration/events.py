r"""Logs of purchases: rates that differ between customers, who leave without a word and may come back.

The model's own rule, with everything else off. In each tick a customer of the shop lapses with hazard h
(`customers.hazards.lapse`), else has an occasion with probability ``lambda_i ~ Beta(a, b)`` (`customers.opportunity`).
On an occasion he goes elsewhere with probability ``p_i = logistic(v - c - tau_i)``, else buys; who is elsewhere comes
back on an occasion with probability ``q_i = logistic(tau_i - v - c)``. This is the logit choice (E1) with taste
``tau_i ~ N(0, sd)`` (E3), value v of staying away and switching cost c (E16), money in units of choice noise. With a
switching cost that nobody overcomes it is a relative of the BG/NBD (Fader, Hardie & Lee 2005) and, with h, of the
Pareto/NBD (Schmittlein, Morrison & Colombo 1987), in which nobody returns.

After a purchase everybody is at the shop, so purchases renew the process. With ``s = (1 - h)(1 - lambda)``,
``l = h + (1 - h) lambda p`` and ``w = 1 - lambda q`` somebody is still there after k silent ticks with probability
``s^k``, elsewhere with ``l (w^k - s^k) / (w - s)``; the next purchase follows with probability
``(1 - h) lambda (1 - p)`` from there and ``lambda q`` from elsewhere. The likelihood is the product over a customer's
gaps and the silence after the last one, integrated over lambda and tau on a grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, sparse, special

from churnsim.calibration.formats import Events
from churnsim.calibration.posterior import Posterior, covariance_of, curvature, differences

RATES = np.linspace(-13.0, 3.0, 89)
"""Log-odds of an occasion at which the mixture over customers is evaluated."""

TASTES = np.linspace(-2.8, 2.8, 7)
"""Tastes, in standard deviations."""

FIT_CUSTOMERS = 4000
"""Customers, at most, that the likelihood looks at: a random part of a longer log says as much as is needed."""

NAMES = ("mean_rate", "rate_shape", "leaving", "taste_sd", "switching_cost", "lapse")
"""Parameters: log-odds of the mean rate, log a, log-odds of leaving v - c, log sd, log c, log-odds of h."""

NEGLIGIBLE = 1e-10
"""Share of customers at a node below which it is left out."""

STEPS = 60
"""Steps of the search for the most likely parameters."""

BLOCK = 4000
"""Customers whose states are drawn at a time."""

BOUNDS = ((-13.0, 2.0), (-4.0, 4.0), (-9.0, 4.0), (-4.0, 1.5), (-2.0, 3.0), (-16.0, 0.0))


@dataclass(frozen=True)
class Histories:
    """What the likelihood needs of customers: the gaps between their purchases, and the silence at the end, in ticks.

    Attributes
    ----------
    gaps : (n, longest) sparse matrix
        How often each gap occurs; column g is a gap of g + 1 ticks.
    silence : (n,) int64
        Ticks since the last purchase.
    """

    gaps: sparse.csr_matrix
    silence: np.ndarray

    @property
    def repeats(self) -> np.ndarray:
        """Repeat purchases of each customer."""
        return np.asarray(self.gaps.sum(1)).ravel()

    @property
    def count(self) -> int:
        """Number of customers."""
        return self.silence.size

    def part(self, rows: np.ndarray) -> Histories:
        """Return some of the customers."""
        return Histories(self.gaps[rows], self.silence[rows])


@dataclass(frozen=True)
class EventsFit:
    """What a log of purchases says.

    Attributes
    ----------
    posterior : Posterior
        Of the parameters `NAMES`.
    histories : Histories
        Of all customers.
    step : int
        Days of a tick.
    log_likelihood : float
        At the mode, of the customers looked at.
    customers : int
        How many those are.
    """

    posterior: Posterior
    histories: Histories
    step: int
    log_likelihood: float
    customers: int


def histories_of(events: Events, step: int) -> Histories:
    """Return what the likelihood needs, in ticks of `step` days."""
    bought = np.unique(np.column_stack([events.customer, events.day // step]), axis=0)
    who, tick = bought[:, 0], bought[:, 1]
    again = np.flatnonzero(who[1:] == who[:-1]) + 1
    gap = tick[again] - tick[again - 1]
    last = np.zeros(len(events.ids), np.int64)
    np.maximum.at(last, who, tick)
    end = -(-events.days // step)
    shape = (len(events.ids), int(gap.max()) if gap.size else 1)
    return Histories(sparse.csr_matrix((np.ones(gap.size), (who[again], gap - 1)), shape=shape), end - 1 - last)


def shapes(x: np.ndarray) -> tuple[float, float]:
    """Return a and b of the Beta distribution of occasions."""
    rate, a = special.expit(x[0]), np.exp(x[1])
    return float(np.clip(a, 1e-3, 1e6)), float(np.clip(a * (1 - rate) / rate, 1e-3, 1e6))


@dataclass(frozen=True)
class _Rules:
    """One draw of the parameters at every node of the grid (a rate and a taste) that counts: arrays (nodes,).

    `node` is a node's place in the whole grid, rate after rate.
    """

    node: np.ndarray
    share: np.ndarray
    there: np.ndarray
    leaves: np.ndarray
    away: np.ndarray
    buys: np.ndarray
    returns: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, node: np.ndarray | None = None) -> _Rules:
        """Return the rules for parameters `NAMES`, at some nodes or at all that count."""
        a, b = shapes(x)
        rate = special.expit(RATES)[:, None]
        edges = special.betainc(a, b, special.expit((RATES[1:] + RATES[:-1]) / 2))
        taste = np.exp(-(TASTES**2) / 2)
        share = np.outer(np.diff(edges, prepend=0.0, append=1.0), taste / taste.sum())
        liking, cost, h = np.exp(x[3]) * TASTES, np.exp(x[4]), special.expit(x[5])
        leave, back = special.expit(x[2] - liking), special.expit(liking - x[2] - 2 * cost)
        there = np.broadcast_to((1 - h) * (1 - rate), share.shape)
        parts = (share, there, h + (1 - h) * rate * leave, 1 - rate * back, (1 - h) * rate * (1 - leave), rate * back)
        node = np.flatnonzero(share > NEGLIGIBLE) if node is None else node
        return cls(node, *(part.ravel()[node] for part in parts))

    def silent(self, ticks: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (ticks + 1, nodes) probability of being there still, or elsewhere, after 0 ... `ticks` of silence."""
        there, away = np.ones((2, ticks + 1, self.there.size))
        # Where both fade alike the limit is k s^(k - 1): moving them a hair apart comes to the same.
        rate = np.where(np.abs(self.away - self.there) < 1e-7, self.there * (1 - 1e-6), self.away)
        there[1:] = self.there
        away[1:] = rate
        np.multiply.accumulate(there, 0, out=there)
        np.multiply.accumulate(away, 0, out=away)
        return there, self.leaves * ((away - there) / (rate - self.there))


def weights(rules: _Rules, seen: Histories) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what histories say of the grid's nodes.

    Returns
    -------
    level : (n,)
        Logarithm taken out of `joint`.
    joint : (n, nodes)
        Weight of each rate and taste with the whole history.
    there : (ticks + 1, nodes)
        Share of that weight in which the customer is there still, by ticks of silence.
    """
    longest = seen.gaps.shape[1]
    there, away = rules.silent(max(longest, int(seen.silence.max())))
    each = np.log(np.maximum(there[:longest] * rules.buys + away[:longest] * rules.returns, 1e-300))
    log = seen.gaps @ each + np.log(np.maximum(rules.share, 1e-300))
    level = log.max(1)
    silent = there + away
    log -= level[:, None]
    joint = np.exp(log, out=log)
    joint *= silent[seen.silence]
    return level, joint, there / np.maximum(silent, 1e-300)


def log_likelihood(x: np.ndarray, seen: Histories) -> np.ndarray:
    """Return the log-likelihood of every customer."""
    level, joint, _ = weights(_Rules.of(x), seen)
    return level + np.log(np.maximum(joint.sum(1), 1e-300))


def likelihood(x: np.ndarray, seen: Histories, times: np.ndarray, step: float = 1e-4) -> tuple[float, np.ndarray]:
    """Return the log-likelihood, customers counted `times`, and its gradient.

    Fisher's identity: the gradient is that of the complete data's log-likelihood, on average over what the histories
    say of each customer's rate and taste. So the histories are looked at once, and only the grid is moved.
    """
    rules = _Rules.of(x)
    level, joint, _ = weights(rules, seen)
    each = np.maximum(joint.sum(1), 1e-300)
    value = float(times @ (level + np.log(each)))
    joint *= (times / each)[:, None]
    gaps = np.flatnonzero(np.diff(seen.gaps.tocsc().indptr))
    ends, place = np.unique(seen.silence, return_inverse=True)
    by_end = sparse.csr_matrix((np.ones(place.size), (place, np.arange(place.size))), shape=(ends.size, place.size))
    share, gap, end = joint.sum(0), seen.gaps[:, gaps].T @ joint, by_end @ joint

    def complete(y: np.ndarray) -> float:
        """Return the complete data's log-likelihood, with each customer spread over the grid as `x` says."""
        moved = _Rules.of(y, rules.node)
        there, away = moved.silent(int(max(gaps.max(initial=0), ends.max())))
        bought = np.log(np.maximum(there[gaps] * moved.buys + away[gaps] * moved.returns, 1e-300))
        silent = np.log(np.maximum(there[ends] + away[ends], 1e-300))
        return float(share @ np.log(np.maximum(moved.share, 1e-300)) + (gap * bought).sum() + (end * silent).sum())

    return value, differences(complete, step)(x)


def fit_events(events: Events, step: int, seed: int) -> EventsFit:
    """Fit a log of purchases.

    Parameters
    ----------
    events
        As `read_events` returns them.
    step
        Days of a tick.
    seed
        Seed of the choice of customers, where there are more than `FIT_CUSTOMERS`.
    """
    everybody = histories_of(events, step)
    looked_at = everybody
    if everybody.count > FIT_CUSTOMERS:
        luck = np.random.default_rng(seed)
        looked_at = everybody.part(np.sort(luck.choice(everybody.count, FIT_CUSTOMERS, replace=False)))
    seen, times = _distinct(looked_at)
    ticks = seen.silence + seen.gaps @ (np.arange(seen.gaps.shape[1]) + 1.0)
    rate = (float((times * seen.repeats).sum()) + 0.5) / (float((times * ticks).sum()) + 1.0)
    span = max(float(ticks.max()), 2.0)
    # Rates near the mean of what was seen, leaving on an eighth of occasions, switching costs of nearly three times the
    # noise, lapses about once in three spans; all with room for factors of 3 to 7 (assumed).
    centre = np.array([special.logit(min(rate, 0.9)), np.log(0.7), -2.0, 0.0, 1.0, special.logit(1 / (3 * span))])
    sd = np.array([2.0, 1.0, 1.5, 0.5, 0.7, 1.5])

    def slope(x: np.ndarray) -> np.ndarray:
        """Return the gradient of minus the log posterior."""
        return -likelihood(x, seen, times)[1] + (x - centre) / sd**2

    def cost(z: np.ndarray) -> tuple[float, np.ndarray]:
        """Return minus the log posterior and its gradient, parameters in standard deviations of the prior."""
        value, gradient = likelihood(z * sd, seen, times)
        off = z - centre / sd
        return -value + 0.5 * float(off @ off), -gradient * sd + off

    bounds = np.array(BOUNDS) / sd[:, None]
    found = optimize.minimize(cost, centre / sd, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS})
    mode = found.x * sd
    posterior = Posterior(NAMES, mode, covariance_of(curvature(slope, mode, 1e-2), sd), sd)
    return EventsFit(posterior, everybody, step, likelihood(mode, seen, times)[0], looked_at.count)


def _distinct(histories: Histories) -> tuple[Histories, np.ndarray]:
    """Return the different histories, and how often each occurs."""
    gaps = histories.gaps
    kinds: dict[tuple[object, ...], list[int]] = {}
    for i in range(histories.count):
        part = slice(gaps.indptr[i], gaps.indptr[i + 1])
        key = (int(histories.silence[i]), gaps.indices[part].tobytes(), gaps.data[part].tobytes())
        kinds.setdefault(key, []).append(i)
    rows = np.array([same[0] for same in kinds.values()])
    return histories.part(rows), np.array([len(same) for same in kinds.values()], float)


def states(x: np.ndarray, seen: Histories, luck: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw, for every customer, rate, taste (money in units of noise) and whether he is there still, given his history.

    Parameters
    ----------
    x
        One draw of the parameters.
    seen
        The histories.
    luck
        Where the random numbers come from.
    """
    rules = _Rules.of(x)
    rates, tastes, alive = [], [], []
    for low in range(0, seen.count, BLOCK):
        part = seen.part(np.arange(low, min(low + BLOCK, seen.count)))
        _, joint, still = weights(rules, part)
        node = _drawn(joint, luck)
        rate, taste = np.divmod(rules.node[node], TASTES.size)
        alive.append(luck.random(node.size) < still[part.silence, node])
        # Within the cell of the grid every value is as likely as any other.
        rates.append(RATES[rate] + (luck.random(node.size) - 0.5) * (RATES[1] - RATES[0]))
        tastes.append(TASTES[taste] + (luck.random(node.size) - 0.5) * (TASTES[1] - TASTES[0]))
    return special.expit(np.concatenate(rates)), np.exp(x[3]) * np.concatenate(tastes), np.concatenate(alive)


def _drawn(weights: np.ndarray, luck: np.random.Generator) -> np.ndarray:
    """Draw one column per row, with probabilities proportional to the weights."""
    heights = np.cumsum(weights, axis=1)
    return (heights < luck.random((weights.shape[0], 1)) * heights[:, -1:]).sum(1)

r"""Purchases as a renewal process: the likelihood of a log.

The model's own rule, with everything else off. In each tick a customer of the shop lapses with hazard h
(`customers.hazards.lapse`), else has an occasion with probability ``lambda_i ~ Beta(a, b)`` (`customers.opportunity`).
On an occasion he goes elsewhere with probability ``p_i = logistic(v - c_i - tau_i)``, else buys; who is elsewhere comes
back on an occasion with probability ``q_i = logistic(tau_i - v - c_i)``. This is the logit choice (E1) with taste
``tau_i ~ N(0, sd)`` (E3), value v of staying away and switching cost c_i (E16, lognormal), money in units of choice
noise. Some come and go, others stay where they are: with one switching cost for all, a log that has seen few silences
end says that none does. With a switching cost that nobody overcomes it is a relative of the BG/NBD (Fader, Hardie & Lee
2005) and, with h, of the Pareto/NBD (Schmittlein, Morrison & Colombo 1987), in which nobody returns.

After a purchase everybody is at the shop, so purchases renew the process. With ``s = (1 - h)(1 - lambda)``,
``l = h + (1 - h) lambda p`` and ``w = 1 - lambda q`` somebody is still there after k silent ticks with probability
``s^k``, elsewhere with ``l (w^k - s^k) / (w - s)``; the next purchase follows with probability
``(1 - h) lambda (1 - p)`` from there and ``lambda q`` from elsewhere. The likelihood is the product over a customer's
gaps and the silence after the last one, integrated over lambda, tau and c on a grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from churnsim.calibration.grid import RATES, Grid, rate_shares
from churnsim.calibration.histories import Histories

NAMES = ("mean_rate", "rate_shape", "leaving", "taste_sd", "switching_cost", "lapse", "switching_spread")
"""Parameters: log-odds of the mean rate, log a, log-odds of leaving v - c with the median c, log sd of tastes, log c,
log-odds of h, logarithm of the standard deviation of log c_i."""

LAPSE = NAMES.index("lapse")
NEVER = -40.0
"""Log-odds of lapsing that stand for nobody does."""

TINY = 1e-300
"""What stands for a probability of 0 where its logarithm is taken."""

NEGLIGIBLE = 1e-10
"""Share of customers at a node below which it is left out."""


def shapes(x: np.ndarray) -> tuple[float, float]:
    """Return a and b of the Beta distribution of occasions."""
    rate, a = special.expit(x[0]), np.exp(x[1])
    return float(np.clip(a, 1e-3, 1e6)), float(np.clip(a * (1 - rate) / rate, 1e-3, 1e6))


def outside_value(x: np.ndarray) -> float:
    """Return v, the value of staying away."""
    return float(np.exp(x[4]) + x[2])


def cost_variance(x: np.ndarray) -> np.ndarray:
    """Return the variance of the logarithms of switching costs, at most that of a coefficient of variation of 10."""
    return np.minimum(np.exp(2 * x[..., 6]), 4.6)


def switching_costs(x: np.ndarray, grid: Grid) -> np.ndarray:
    """Return (nodes,) switching costs; beyond what nobody overcomes they are all the same."""
    return np.exp(np.minimum(x[4] + np.exp(x[6]) * grid.cost, 50.0))


@dataclass(frozen=True)
class Rules:
    """One draw of the parameters at every node of the grid (a rate and a kind) that counts: arrays (nodes,).

    `node` is a node's place in the whole grid.
    """

    node: np.ndarray
    share: np.ndarray
    there: np.ndarray
    leaves: np.ndarray
    away: np.ndarray
    buys: np.ndarray
    returns: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, grid: Grid, node: np.ndarray | None = None) -> Rules:
        """Return the rules for parameters `NAMES`, at some nodes or at all that count."""
        share = rate_shares(*shapes(x))[grid.rate] * grid.share
        rate = special.expit(RATES)[grid.rate]
        h, away = special.expit(x[5]), outside_value(x)
        liking, cost = np.exp(x[3]) * grid.taste, switching_costs(x, grid)
        leave, back = special.expit(away - cost - liking), special.expit(liking - away - cost)
        there = (1 - h) * (1 - rate)
        parts = (share, there, h + (1 - h) * rate * leave, 1 - rate * back, (1 - h) * rate * (1 - leave), rate * back)
        node = np.flatnonzero(share > NEGLIGIBLE) if node is None else node
        return cls(node, *(part[node] for part in parts))

    @property
    def apart(self) -> np.ndarray:
        """Share of those elsewhere whose silence lasts a tick; moved a hair off that of those there.

        Where both fade alike the limit of `silent` is k s^(k - 1), and this comes to the same.
        """
        return np.where(np.abs(self.away - self.there) < 1e-7, self.there * (1 - 1e-6), self.away)

    def silent(self, ticks: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (ticks + 1, nodes) probability of being there still, or elsewhere, after 0 ... `ticks` of silence."""
        k, apart = np.arange(ticks + 1.0)[:, None], self.apart
        # Where everybody lapses at once, nobody is there a tick later: its logarithm times no ticks must be 0.
        there, away = (k * np.log(np.maximum(part, TINY)) for part in (self.there, apart))
        # In place: fresh arrays of this size come from the system page by page, which takes longer than to fill them.
        np.exp(there, out=there)
        np.exp(away, out=away)
        away -= there
        away /= apart - self.there
        away *= self.leaves
        return there, away


def weights(rules: Rules, seen: Histories) -> tuple[np.ndarray, np.ndarray]:
    """Return what histories say of the grid's nodes.

    In single precision, which is several times as fast and moves the log-likelihood of a thousand customers by 1e-5.

    Returns
    -------
    level : (n,)
        Logarithm taken out of `joint`.
    joint : (n, nodes)
        Weight of each node with the whole history.
    """
    longest = seen.gaps.shape[1]
    there, away = rules.silent(max(longest, int(seen.silence.max())))
    bought = there[:longest] * rules.buys
    bought += away[:longest] * rules.returns
    log = seen.gaps @ _logarithm(bought)
    there += away
    there *= rules.share
    log += _logarithm(there)[seen.silence]
    level = log.max(1)
    log -= level[:, None]
    return level.astype(np.float64), np.exp(log, out=log)


def _logarithm(probability: np.ndarray) -> np.ndarray:
    """Return logarithms in single precision, of nothing that of next to nothing; the probabilities are overwritten."""
    np.maximum(probability, TINY, out=probability)
    return np.log(probability, out=probability).astype(np.float32)


def still_there(rules: Rules, silence: np.ndarray) -> np.ndarray:
    """Return (ticks + 1, nodes) probability that somebody who has been silent for 0 ... ticks is at the shop still."""
    there, away = rules.silent(int(silence.max()))
    return there / np.maximum(there + away, TINY)


def log_likelihood(x: np.ndarray, seen: Histories) -> np.ndarray:
    """Return the log-likelihood of every customer."""
    level, joint = weights(Rules.of(x, Grid.of(seen.ticks)), seen)
    return level + np.log(np.maximum(joint.sum(1, dtype=np.float64), TINY))


def likelihood(x: np.ndarray, seen: Histories, times: np.ndarray, step: float = 1e-4) -> tuple[float, np.ndarray]:
    """Return the log-likelihood, customers counted `times`, and its gradient.

    Fisher's identity: the gradient is that of the complete data's log-likelihood, on average over what the histories
    say of each customer's rate and kind. Slopes by the rules of each node are exact; how the rules follow from the
    parameters is differentiated by differences, which cost nothing there.
    """
    grid = Grid.of(seen.ticks)
    rules = Rules.of(x, grid)
    level, joint = weights(rules, seen)
    each = np.maximum(joint.sum(1, dtype=np.float64), TINY)
    value = float(times @ (level + np.log(each)))
    joint *= (times / each)[:, None]
    by_rule = _by_rule(rules, seen, joint)

    def moved(i: int) -> float:
        """Return the slope by one parameter."""
        move = np.zeros(x.size)
        move[i] = step
        up, down = Rules.of(x + move, grid, rules.node), Rules.of(x - move, grid, rules.node)
        return sum(
            float(slope @ (getattr(up, name) - getattr(down, name))) / (2 * step) for name, slope in by_rule.items()
        )

    return value, np.array([moved(i) for i in range(x.size)])


def _by_rule(rules: Rules, seen: Histories, joint: np.ndarray) -> dict[str, np.ndarray]:
    """Return the slopes of the complete data's log-likelihood by the rules of every node.

    Parameters
    ----------
    rules, seen
        As in `weights`.
    joint : (n, nodes)
        How much each history counts at each node.
    """
    gaps = np.flatnonzero(np.diff(seen.gaps.tocsc().indptr))
    ends, place = np.unique(seen.silence, return_inverse=True)
    by_end = sparse.csr_matrix((np.ones(place.size), (place, np.arange(place.size))), shape=(ends.size, place.size))
    ticks = np.unique(np.concatenate([gaps, ends]))
    there, away = (part[ticks] for part in rules.silent(int(ticks.max())))
    # Of the logarithms of the probabilities of a purchase after a gap, and of silence until the end.
    at_gap, at_end = np.searchsorted(ticks, gaps), np.searchsorted(ticks, ends)
    bought = there[at_gap] * rules.buys + away[at_gap] * rules.returns
    counted = (seen.gaps[:, gaps].T @ joint) / np.maximum(bought, TINY)
    by_there, by_away = np.zeros_like(there), np.zeros_like(there)
    by_there[at_gap], by_away[at_gap] = counted * rules.buys, counted * rules.returns
    ended = (by_end @ joint) / np.maximum(there[at_end] + away[at_end], TINY)
    by_there[at_end] += ended
    by_away[at_end] += ended
    # Both follow from s and w: s^k, and l (w^k - s^k) / (w - s).
    k, s, w = ticks[:, None], rules.there, rules.apart
    ratio = away / np.maximum(rules.leaves, TINY)
    s_slope, w_slope = k * there / s, k * (ratio * (w - s) + there) / w
    return {
        "share": joint.sum(0) / np.maximum(rules.share, TINY),
        "buys": (counted * there[at_gap]).sum(0),
        "returns": (counted * away[at_gap]).sum(0),
        "leaves": (by_away * ratio).sum(0),
        "there": (by_there * s_slope + by_away * rules.leaves * (ratio - s_slope) / (w - s)).sum(0),
        "away": (by_away * rules.leaves * (w_slope - ratio) / (w - s)).sum(0),
    }

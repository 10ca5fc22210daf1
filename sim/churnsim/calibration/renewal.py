r"""Purchases as a renewal process: the likelihood of a log.

The model's own rule, with everything else off. In each tick a customer of the shop lapses with hazard h
(`customers.hazards.lapse`), else has an occasion with probability ``lambda_i ~ Beta(a, b)`` (`customers.opportunity`).
On an occasion he goes elsewhere with probability ``p_i = logistic(v - c_i - tau_i)``, else buys; who is elsewhere comes
back on an occasion with probability ``q_i = logistic(tau_i - v - c_i)``. This is the logit choice (E1) with taste
``tau_i ~ N(0, sd)`` (E3), value v of staying away and switching cost c_i (E16, lognormal), money in units of choice
noise. Some come and go, others stay where they are: with one switching cost for all, a log that has seen few silences
end says that none does. With a switching cost that nobody overcomes it is a relative of the BG/NBD (Fader, Hardie & Lee
2005) and, with h, of the Pareto/NBD (Schmittlein, Morrison & Colombo 1987), in which nobody returns.

After a purchase everybody is at the shop, so purchases renew the process. The likelihood is the product over a
customer's gaps and the silence after the last one, integrated over lambda, tau and c on a grid. What follows a purchase
is gone through tick by tick (`churnsim.calibration.waiting`).

Occasions come by chance, or in a rhythm (`customers.rhythm.stages`, n of them): in each tick a customer, wherever he
is, comes a binomial number of stages closer to a need (n and ``lambda_i``), and has an occasion with the last one. Gaps
between occasions are then Erlang's in discrete time (Chatfield & Goodhardt 1973, recalled; of customers who may leave:
Platzer & Reutterer 2016, recalled).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse, special, stats

from churnsim.calibration.grid import Grid, rate_shares
from churnsim.calibration.histories import Histories
from churnsim.calibration.waiting import follow, wait

NAMES = ("mean_rate", "rate_shape", "leaving", "taste_sd", "switching_cost", "lapse", "switching_spread")
"""Parameters: log-odds of the mean rate, log a, log-odds of leaving v - c with the median c, log sd of tastes, log c,
log-odds of h, logarithm of the standard deviation of log c_i."""

LAPSE = NAMES.index("lapse")
OF_RATES = (NAMES.index("mean_rate"), NAMES.index("rate_shape"))
"""Those that say how many customers have which rate, and nothing else."""

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

    Attributes
    ----------
    node
        Place in the whole grid.
    share
        Share of all customers.
    lapse : float
        Hazard of lapsing, the same everywhere.
    passes : (stages + 1, nodes)
        Probability that so many of the stages from one need to the next pass in a tick.
    leave, back
        Probabilities of going elsewhere on an occasion, and of coming back on one.
    """

    node: np.ndarray
    share: np.ndarray
    lapse: float
    passes: np.ndarray
    leave: np.ndarray
    back: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, grid: Grid, stages: int, node: np.ndarray | None = None) -> Rules:
        """Return the rules for parameters `NAMES`, at some nodes or at all that count."""
        share = rate_shares(*shapes(x), grid.rates)[grid.rate] * grid.share
        node = np.flatnonzero(share > NEGLIGIBLE) if node is None else node
        away = outside_value(x)
        liking, cost = np.exp(x[3]) * grid.taste[node], switching_costs(x, grid)[node]
        passes = stats.binom.pmf(np.arange(stages + 1)[:, None], stages, special.expit(grid.rates))
        passes = np.ascontiguousarray(passes[:, grid.rate[node]])
        leave, back = special.expit(away - cost - liking), special.expit(liking - away - cost)
        return cls(node, share[node], float(special.expit(x[5])), passes, leave, back)

    @property
    def due(self) -> np.ndarray:
        """Return (stages, nodes) probabilities of a need in a tick with so many stages behind."""
        return np.cumsum(self.passes[:0:-1], axis=0)

    def course(self, longest: int, silence: int, precision: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
        """Return what follows a purchase; a probability of nothing is next to nothing.

        Returns
        -------
        bought : (longest, nodes)
            Probability of the next one after a gap of 1 ... `longest` ticks.
        silent : (silence + 1, nodes)
            Probability of none within 0 ... `silence` ticks.
        """
        bought: np.ndarray = np.empty((longest, self.node.size), precision)
        silent: np.ndarray = np.empty((max(longest, silence) + 1, self.node.size), precision)
        follow(self.lapse, self.passes, self.due, self.leave, self.back, bought, silent)
        return bought, silent[: silence + 1]

    def waited(self, at: np.ndarray, silence: np.ndarray) -> np.ndarray:
        """Return (2, stages, n) probabilities of where customers are at last, and how near their next need is.

        Parameters
        ----------
        at : (n,)
            Places of the customers' nodes among those of the rules.
        silence : (n,) int64
            Ticks since each bought last.
        """
        where = np.empty((2, len(self.passes) - 1, at.size))
        passes, due = (np.ascontiguousarray(part[:, at]) for part in (self.passes, self.due))
        wait(self.lapse, passes, due, self.leave[at], self.back[at], silence, where)
        return where


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
    bought, silent = rules.course(seen.gaps.shape[1], int(seen.silence.max()), np.float32)
    log = seen.gaps @ np.log(bought, out=bought)
    np.log(silent, out=silent)
    silent += np.log(rules.share).astype(np.float32)
    log += silent[seen.silence]
    level = log.max(1)
    log -= level[:, None]
    return level.astype(np.float64), np.exp(log, out=log)


def log_likelihood(x: np.ndarray, seen: Histories, stages: int) -> np.ndarray:
    """Return the log-likelihood of every customer."""
    level, joint = weights(Rules.of(x, Grid.of(seen.ticks, stages), stages), seen)
    return level + np.log(np.maximum(joint.sum(1, dtype=np.float64), TINY))


def likelihood(
    x: np.ndarray, seen: Histories, times: np.ndarray, stages: int, step: float = 1e-4
) -> tuple[float, np.ndarray]:
    """Return the log-likelihood, customers counted `times`, and its gradient.

    Fisher's identity: the gradient is that of the complete data's log-likelihood, on average over what the histories
    say of each customer's rate and kind. What the rules of a node make likely is differentiated by differences, which
    cost little there.
    """
    grid = Grid.of(seen.ticks, stages)
    rules = Rules.of(x, grid, stages)
    level, joint = weights(rules, seen)
    each = np.maximum(joint.sum(1, dtype=np.float64), TINY)
    value = float(times @ (level + np.log(each)))
    joint *= (times / each)[:, None]
    # How often each gap, and each silence until the end, counts at each node.
    gaps = np.flatnonzero(np.diff(seen.gaps.tocsc().indptr))
    ends, place = np.unique(seen.silence, return_inverse=True)
    by_end = sparse.csr_matrix((np.ones(place.size), (place, np.arange(place.size))), shape=(ends.size, place.size))
    bought, silent = rules.course(seen.gaps.shape[1], int(ends[-1]))
    counted = (seen.gaps[:, gaps].T @ joint) / bought[gaps]
    ended = (by_end @ joint) / silent[ends]
    held = joint.sum(0) / np.maximum(rules.share, TINY)

    def told(i: int, by: float) -> float:
        """Return the sum that changes with one parameter as the complete data's log-likelihood does."""
        y = x.copy()
        y[i] += by
        there = Rules.of(y, grid, stages, rules.node)
        if i in OF_RATES:
            return float(held @ there.share)
        bought, silent = there.course(seen.gaps.shape[1], int(ends[-1]))
        return float(np.vdot(counted, bought[gaps]) + np.vdot(ended, silent[ends]))

    return value, np.array([(told(i, step) - told(i, -step)) / (2 * step) for i in range(x.size)])

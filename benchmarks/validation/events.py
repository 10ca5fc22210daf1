"""Yardsticks for logs of purchases: BG/NBD and Pareto/NBD, from their papers.

Time in weeks from each customer's first purchase; x repeat purchases, the last at t_x, observed until T.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special

from churnsim.calibration.formats import WEEK, Events


def summary(log: Events) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, t_x and T of every customer of a log."""
    days = pd.Series(log.day).groupby(log.customer)
    first = days.min().to_numpy()
    return days.size().to_numpy() - 1.0, (days.max().to_numpy() - first) / WEEK, (log.days - 1 - first) / WEEK


def in_days(cost: float, x: np.ndarray) -> float:
    """Return the log-likelihood in days of a cost in weeks: the density of each repeat purchase is per day then."""
    return -cost - float(x.sum()) * np.log(WEEK)


@dataclass(frozen=True)
class Forecast:
    """What a model says of the future: cumulative repeats of each week, and the share of customers who buy at all.

    `log_likelihood` is that of the purchases seen, with time in days.
    """

    cumulative: np.ndarray
    share_active: float
    log_likelihood: float


def bg_nbd(x: np.ndarray, t_x: np.ndarray, T: np.ndarray, weeks: int) -> tuple[np.ndarray, Forecast]:
    """Fit the BG/NBD (Fader, Hardie & Lee 2005, equation 6) and forecast `weeks` ahead by simulating the customers.

    Rates are gamma (r, alpha); after each repeat purchase a customer is gone with probability p, beta (a, b).
    """

    def cost(q: np.ndarray) -> float:
        r, alpha, a, b = np.exp(q)
        first = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
        alive = special.betaln(a, b + x) - special.betaln(a, b) - (r + x) * np.log(alpha + T)
        gone = np.full(x.size, -np.inf)
        some = x > 0
        gone[some] = (
            special.betaln(a + 1, b + x[some] - 1) - special.betaln(a, b) - (r + x[some]) * np.log(alpha + t_x[some])
        )
        return -float((first + np.logaddexp(alive, gone)).sum())

    found = optimize.minimize(cost, np.zeros(4), method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-5})
    r, alpha, a, b = np.exp(found.x)
    # Probability of being there still (Fader, Hardie & Lee 2008, note), then customers drawn from their posteriors.
    odds = np.where(x > 0, a / np.maximum(b + x - 1, 1e-9) * ((alpha + T) / (alpha + t_x)) ** (r + x), 0.0)
    luck = np.random.default_rng(1)
    copies = 60
    bought = np.zeros(weeks)
    active = 0.0
    for _ in range(copies):
        there = luck.random(x.size) < 1 / (1 + odds)
        rate = luck.gamma(r + x, 1 / (alpha + T))
        leave = luck.beta(a, b + x)
        some = np.zeros(x.size, bool)
        for week in range(weeks):
            n = luck.poisson(rate) * there
            # The number of purchases until one is the last is geometric.
            last = luck.geometric(np.maximum(leave, 1e-12))
            made = np.minimum(n, last)
            there &= n < last
            bought[week] += made.sum()
            some |= made > 0
        active += some.mean()
    return np.exp(found.x), Forecast(np.cumsum(bought) / copies, active / copies, in_days(found.fun, x))


def pareto_nbd(x: np.ndarray, t_x: np.ndarray, T: np.ndarray, weeks: int) -> tuple[np.ndarray, Forecast]:
    """Fit the Pareto/NBD (Schmittlein, Morrison & Colombo 1987) and forecast by simulating the customers.

    Rates are gamma (r, alpha), lifetimes exponential with rates gamma (s, beta). The likelihood is integrated over both
    rates on a grid of their quantiles' logarithms, which avoids the hypergeometric function.
    """
    u = np.linspace(-9, 3, 61)
    lam, mu = np.exp(u)[:, None], np.exp(u)[None, :]
    kinds, times = np.unique(np.column_stack([x, t_x, T]), axis=0, return_counts=True)
    kx, kt, kT = (kinds[:, i, None, None] for i in range(3))
    both = lam + mu
    # lambda^x [ lambda e^{-(lambda+mu)T} + mu e^{-(lambda+mu)t} ] / (lambda+mu)
    likelihood = np.exp(kx * np.log(lam) - both * kt) * (lam * np.exp(-both * (kT - kt)) + mu) / both

    def weights(q: np.ndarray) -> np.ndarray:
        r, alpha, s, beta = np.exp(q)
        f = np.exp(r * np.log(alpha) + r * u - alpha * np.exp(u) - special.gammaln(r)) * (u[1] - u[0])
        g = np.exp(s * np.log(beta) + s * u - beta * np.exp(u) - special.gammaln(s)) * (u[1] - u[0])
        # What lies below the grid never buys, or never leaves.
        f[0] += special.gammainc(r, alpha * np.exp(u[0]))
        g[0] += special.gammainc(s, beta * np.exp(u[0]))
        return np.outer(f, g)

    flat = likelihood.reshape(len(kinds), -1)

    def cost(q: np.ndarray) -> float:
        return -float((times * np.log(flat @ weights(q).ravel() + 1e-300)).sum())

    found = optimize.minimize(cost, [-0.6, 2.3, -0.5, 2.5], method="Nelder-Mead", options={"maxiter": 600})
    posterior = flat * weights(found.x).ravel()
    posterior /= posterior.sum(1, keepdims=True)
    silence = np.exp(-both * (kT - kt))
    alive = (both * silence / (lam * silence + mu)).reshape(len(kinds), -1)
    rate, death = np.broadcast_to(lam, both.shape).ravel(), np.broadcast_to(mu, both.shape).ravel()
    ends = np.arange(weeks + 1.0)
    life = rate / death * -np.expm1(-np.outer(ends[1:], death))
    cumulative = np.array([(times * ((posterior * alive) @ life[w])).sum() for w in range(weeks)])
    silent = (death + rate * np.exp(-(rate + death) * weeks)) / (rate + death)
    active = float((times * ((posterior * alive) @ (1 - silent))).sum() / times.sum())
    return np.exp(found.x), Forecast(cumulative, active, in_days(found.fun, x))

r"""Choice panels: households that differ, and remember what they bought.

The model's own rule, one occasion after another, money in units of the mean price (`customers.choice.noise`):

    ``V_k = worth_k - omega_i p_k + TU(r_ik - p_k) + kappa A_ik + tau_ik - SW [k not bought last] + display, feature``

with tastes ``tau_ik ~ N(0, sd_k)`` (E3), price weights ``omega_i`` lognormal (E2), attachment that grows by g of what
is missing with every purchase of the brand and fades by g with every other (E13 with growth = decay = g, satisfaction
and contact intensity 1: the loyalty variable of Guadagni & Little 1983 is this case), a switching cost (E16) and
reference prices that follow the prices seen (E5). Tastes and memory tell heterogeneity from state dependence apart
(Heckman 1981); what households remember from before the data is what they like (`likelihood`).

Likelihood: simulated over quasi-random households (Train 2009, chapters 6, 9 and 10), logit given tastes and weights.
Everything a household remembers follows from its own purchases, so it is data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import optimize, special

from churnsim.calibration.formats import Panel
from churnsim.calibration.held import Holding, constant, logarithm
from churnsim.calibration.households import POSITIVE, SHARED
from churnsim.calibration.likelihood import Likelihood
from churnsim.calibration.posterior import Posterior, covariance_of, curvature
from churnsim.calibration.steps import Steps

FIT_ROWS = 16_000
"""Occasions, at most, that the likelihood looks at: whole households, chosen at random."""

CENTRE = (np.log(2.0), np.log(0.4), 0.0, 0.0, special.logit(0.2), 0.0, np.log(0.2), special.logit(0.3), 0.5, 0.5)
PRIOR_SD = (1.0, 0.7, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.5, 1.5)
"""Prior of `SHARED`: price elasticities near 2 (Bijmolt et al. 2005), carry-over .8 (Guadagni & Little 1983, recalled),
half normal attachment and switching cost, none at all being likeliest, the rest of the size of the choice noise with
room for factors of 3 to 10 (assumed)."""

START = (*CENTRE[:3], 0.7, CENTRE[4], 0.4, *CENTRE[6:])
"""Where the search for the most likely `SHARED` begins."""

SPREAD_SD = 0.5
"""Prior standard deviation of the logarithm of a brand's spread of tastes over the common one (assumed)."""

WORTH_SD = 3.0
"""Prior standard deviation of a brand's worth against the brand most bought, in units of choice noise (assumed)."""

TREND_SD = 0.25
"""Prior standard deviation of how much a brand's worth against the brand most bought grows over the data (assumed)."""

STEPS = (15, 15, 20, 40)
"""Steps of the search between which every household's tastes are drawn anew."""

BOUNDS = ((-5.0, 4.5), (-4.0, 0.7), (-4.0, 2.0), (0.0, 20.0), (-4.0, 3.0), (0.0, 20.0), (-5.0, 2.0), (-4.0, 3.0), (-6.0, 8.0), (-6.0, 8.0))  # fmt: skip # noqa: E501


@dataclass(frozen=True)
class PanelFit:
    """What a panel says.

    Attributes
    ----------
    panel : Panel
        All of it.
    posterior : Posterior
        Of worth and trend of every brand but the one most bought, the spread of tastes of every brand over the common
        one, and `SHARED`.
    base : int
        The brand most bought, whose worth is 0.
    mean_price : float
        In the file's money; all prices are divided by it.
    log_likelihood, null_log_likelihood : float
        At the mode, and of choices with equal probability.
    occasions : int
        How many the likelihood looked at.
    holding : Holding
        What was not fitted.
    """

    panel: Panel
    posterior: Posterior
    base: int
    mean_price: float
    log_likelihood: float
    null_log_likelihood: float
    occasions: int
    holding: Holding

    @property
    def spreads(self) -> Posterior:
        """The posterior with every brand's spread of tastes in the place of how far it lies off the common one.

        However well the spreads are known, what is off and what is common are not told apart.
        """
        brands, known = len(self.panel.brands), self.posterior
        lean = np.eye(known.mode.size)
        lean[2 * brands - 2 : 3 * brands - 2, known.names.index("taste")] = 1
        covariance = lean @ known.covariance @ lean.T
        before = np.sqrt(lean @ known.prior_sd**2)
        return replace(known, mode=lean @ known.mode, covariance=covariance, prior_sd=before)

    def sample(self, draws: int, seed: int) -> np.ndarray:
        """Return (draws, n) values from the posterior."""
        found = self.posterior.sample(draws, seed)
        places = [self.posterior.names.index(name) for name in POSITIVE]
        found[:, places] = np.maximum(found[:, places], 0)
        return np.array([self.holding.fill(x) for x in found]) if self.holding.rules else found


def fit_steps(panel: Panel) -> int:
    """Return the steps of a fit: of the search, at most, and slopes around what it finds."""
    return sum(STEPS) + 2 * (3 * len(panel.brands) - 2 + len(SHARED))


def _holding(held: Mapping[str, float], brands: int, mean_price: float) -> Holding:
    """Return what is held in the places of the parameters.

    Parameters
    ----------
    held
        By dotted path, in units of the noise of choice.
    brands
        How many there are.
    mean_price
        What the noise of choice is made to be.
    """
    first = 3 * brands - 2
    own = np.arange(first - brands, first)  # a brand's spread of tastes over the common one
    place = {name: first + k for k, name in enumerate(SHARED)}
    rules = []
    for path, value in held.items():
        match path.removeprefix("customers."):
            case "price_weight.mean":
                rules.append(constant(place["price"], logarithm(value * mean_price)))
            case "price_weight.cv":
                rules.append(constant(place["price_spread"], logarithm(float(np.sqrt(np.log1p(value**2))))))
            case "taste.sd":
                if value == 0:
                    rules += [constant(int(k), 0.0) for k in own]
                # The scenario's spread is the brands' root mean square.
                rules.append((place["taste"], partial(_common_spread, logarithm(value), own)))
            case "attachment.value":
                rules.append(constant(place["attachment"], value))
            case "attachment.growth":
                rules.append(constant(place["memory"], _log_odds(value)))
            case "switching_cost":
                rules.append(constant(place["switching"], value))
            case "reference_price.weight":
                rules.append(constant(place["reference"], logarithm(value)))
            case "reference_price.adaptation":
                rules.append(constant(place["adaptation"], _log_odds(value)))
    return Holding(tuple(rules))


def _common_spread(log: float, own: np.ndarray, x: np.ndarray) -> float:
    """Return the logarithm of the common spread of tastes, from that of the root mean square and brands' own."""
    return log - float(np.log(np.mean(np.exp(2 * x[own])))) / 2


def _log_odds(share: float) -> float:
    """Return log-odds, of none or all those of next to none or all."""
    return float(special.logit(np.clip(share, 1e-6, 1 - 1e-6)))


def fit_panel(panel: Panel, seed: int, steps: Steps | None = None, held: Mapping[str, float] | None = None) -> PanelFit:
    """Fit a panel.

    Parameters
    ----------
    panel
        As `read_panel` returns it.
    seed
        Seed of simulated tastes, and of the choice of households where the panel is long.
    steps
        Who is told how far it is: `fit_steps` at most.
    held
        What is not fitted, as `held_values` returns it.
    """
    steps = Steps() if steps is None else steps
    mean_price = float(panel.price[panel.price > 0].mean()) if (panel.price > 0).any() else 1.0
    bought = np.bincount(panel.choice, minlength=len(panel.brands))
    base = int(np.argmax(bought))
    looked_at = part_of(panel, FIT_ROWS, seed)
    target = Likelihood(looked_at, mean_price, base, seed)
    # A brand nobody bought is taken to have been bought half a time.
    worth = np.log((bought + 0.5) / (bought[base] + 0.5))[target.others]
    brands, others = len(panel.brands), len(panel.brands) - 1
    centre = np.array([*np.zeros(2 * others + brands), *CENTRE])
    sd = np.array([*np.full(others, WORTH_SD), *np.full(others, TREND_SD), *np.full(brands, SPREAD_SD), *PRIOR_SD])
    holding = _holding(held or {}, brands, mean_price)
    free = holding.free(centre.size)
    bounds = np.array([(-12.0, 12.0)] * others + [(-2.0, 2.0)] * (others + brands) + list(BOUNDS))[free]
    mode = holding.fill(np.array([*worth, *np.zeros(others + brands), *START]))

    def filled(z: np.ndarray) -> np.ndarray:
        """Return all parameters from the free ones."""
        x = mode.copy()
        x[free] = z
        return holding.fill(x)

    def cost(z: np.ndarray) -> tuple[float, np.ndarray]:
        """Return minus the log posterior, with its gradient."""
        x = filled(z)
        found, slope, _ = target.evaluate(x)
        off = ((x - centre) / sd)[free]
        return 0.5 * float((off**2).sum()) - found, off / sd[free] - holding.pulled(x, slope)

    for k, most in enumerate(STEPS):
        # Before every search: few draws of many tastes make it seem that there are none.
        target.adapt(mode)
        found = optimize.minimize(
            cost, mode[free], jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": most}, callback=steps.one
        )
        mode = filled(found.x)
        steps.reach(sum(STEPS[: k + 1]))
    target.adapt(mode)
    named = [f"{panel.brands[k]}: {kind}" for kind in ("worth", "trend") for k in target.others]
    names = (*named, *(f"{brand}: taste" for brand in panel.brands), *SHARED)

    def slope(z: np.ndarray) -> np.ndarray:
        """Return the gradient of minus the log posterior."""
        steps.one()
        return cost(z)[1]

    information, here = curvature(slope, mode[free]), cost(mode[free])[1]
    for k in np.flatnonzero(np.isin(free, [names.index(name) for name in POSITIVE])).tolist():
        # Where none is likeliest the density falls off as an exponential one from there.
        information[k, k] += max(here[k], 0) ** 2 if mode[free[k]] <= 0 else 0
    covariance = np.zeros((mode.size, mode.size))
    covariance[np.ix_(free, free)] = covariance_of(information, sd[free])
    posterior = Posterior(names, mode, covariance, sd)
    likely = target.evaluate(mode, gradient=False)[0]
    rows = looked_at.choice.size
    none = -rows * float(np.log(len(panel.brands)))
    return PanelFit(panel, posterior, base, mean_price, likely, none, rows, holding)


def part_of(panel: Panel, rows: int, seed: int) -> Panel:
    """Return whole households, chosen at random, with about so many occasions; all, where there are no more."""
    if panel.choice.size <= rows:
        return panel
    order = np.random.default_rng([seed, 3]).permutation(len(panel.households))
    size = np.bincount(panel.household, minlength=len(panel.households))
    kept = order[np.cumsum(size[order]) <= rows]
    return households_of(panel, np.isin(panel.household, kept))


def households_of(panel: Panel, mask: np.ndarray) -> Panel:
    """Return the rows of a mask that takes whole households."""
    return Panel(
        panel.brands, panel.households, panel.household[mask], panel.occasion[mask], panel.choice[mask],
        panel.price[mask], panel.display[mask], panel.feature[mask], panel.order[mask], panel.shown,
    )  # fmt: skip

"""How much of the sales how few of the customers make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from churnsim.economics.checks import NOT_NEGATIVE, SHARE, Floats, Numbers, proportions, some, within
from churnsim.economics.presets import ARPU_GOTONE, SpendBand

DECILES = 10

# Sums of many floats miss a share of the total by less than this.
ROUNDING = 1e-12


def lognormal_top_share(top: ArrayLike, sigma: ArrayLike) -> Numbers:
    """Return the share of sales of the `top` share of customers, ``Phi(sigma + Phi^-1(top))``.

    Spending is lognormal with `sigma` in log units; its mean does not matter. Aitchison & Brown 1957;
    course S35 and S36.
    """
    from scipy.special import ndtr, ndtri

    share = within("lognormal_top_share", "top", top, SHARE)
    return ndtr(within("lognormal_top_share", "sigma", sigma, NOT_NEGATIVE) + ndtri(share))


def lognormal_customers_for_share(share: ArrayLike, sigma: ArrayLike) -> Numbers:
    """Return the smallest share of customers that makes a share of sales, ``Phi(Phi^-1(share) - sigma)``.

    The inverse of `lognormal_top_share`; course S36.
    """
    from scipy.special import ndtr, ndtri

    sales = within("lognormal_customers_for_share", "share", share, SHARE)
    return ndtr(ndtri(sales) - within("lognormal_customers_for_share", "sigma", sigma, NOT_NEGATIVE))


def lognormal_sigma(top: ArrayLike, share: ArrayLike) -> Numbers:
    """Return the sigma at which the `top` share of customers makes a `share` of sales.

    ``Phi^-1(share) - Phi^-1(top)``, in log units. Contradiction C2: 80/20 and 10/1 need different ones.
    """
    from scipy.special import ndtri

    customers = within("lognormal_sigma", "top", top, "(0, 1)")
    sales = within("lognormal_sigma", "share", share, "(0, 1)")
    if np.any(sales < customers):
        raise ValueError("lognormal_sigma: share is less than top; the best customers make at least their own share")
    return ndtri(sales) - ndtri(customers)


def decile_shares(sales: ArrayLike) -> Floats:
    """Return the share of sales of each tenth of the customers, (10,), the best tenth first (course S35).

    `sales` (n,) per customer. A customer on the border of two tenths counts in both, in proportion.
    """
    edges = np.linspace(0, 1, DECILES + 1)
    return np.diff(_concentration("decile_shares", sales, edges))


def top_share(sales: ArrayLike, top: ArrayLike) -> Numbers:
    """Return the share of sales of the best `top` share of customers (course S35, S36).

    `sales` (n,) per customer. A customer on the border counts in proportion.
    """
    return _concentration("top_share", sales, within("top_share", "top", top, SHARE))


def customers_for_share(sales: ArrayLike, share: ArrayLike) -> Numbers:
    """Return the smallest share of customers, whole ones, who together make a `share` of sales (course S36).

    `sales` (n,) per customer.
    """
    wanted = within("customers_for_share", "share", share, SHARE)
    curve = _curve("customers_for_share", sales)
    return np.searchsorted(curve, wanted - ROUNDING) / (len(curve) - 1)


def band_probabilities(bands: Sequence[SpendBand] = ARPU_GOTONE) -> Floats:
    """Return the probability of each band of spending, (bands,), which sum to 1.

    Published percentages are rounded and may sum to something else: they are divided by their sum (C7).
    """
    return proportions("band_probabilities", "percentages", [band.percentage for band in bands])


def _curve(where: str, sales: ArrayLike) -> Floats:
    """Return the share of sales of the best k customers, for k = 0 ... n."""
    each = some(where, "sales", sales, NOT_NEGATIVE)
    if each.ndim != 1:
        raise ValueError(f"{where}: sales has {each.ndim} axes; it must be one list of customers")
    best = np.sort(proportions(where, "sales", each))[::-1]
    curve = np.concatenate([[0.0], np.cumsum(best)])
    curve[-1] = 1.0
    return np.minimum(curve, 1.0)


def _concentration(where: str, sales: ArrayLike, top: Floats) -> Floats:
    """Read the concentration curve, a Lorenz curve from above, at shares of the customers."""
    curve = _curve(where, sales)
    return np.interp(top, np.linspace(0, 1, len(curve)), curve)

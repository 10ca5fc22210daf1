"""What a customer is worth over a lifetime, and what more retention adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from churnsim.economics.checks import (
    FINITE,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Floats,
    Numbers,
    same_length,
    some,
    whole,
    within,
)

FirstMargin = Literal["excluded", "included"]
"""Whether the margin of the tick in which the customer is won counts; the literature has both."""

# A matrix typed with rounded probabilities may miss 1 by this much in a row.
ROW_TOLERANCE = 1e-6


def clv(
    margin: ArrayLike, retention: ArrayLike, discount: ArrayLike, first_margin: FirstMargin = "excluded"
) -> Numbers:
    """Return customer lifetime value, ``m r / (1 + d - r)``, in money.

    ``m (1 + d) / (1 + d - r)`` with the first margin included, which is m more. `margin` m in money per
    tick (negative for customers who cost more than they bring), `retention` r and `discount` d per tick,
    all constant. Gupta, Lehmann & Stuart 2004; E31, A11.
    """
    m = within("clv", "margin", margin, FINITE)
    r = within("clv", "retention", retention, SHARE)
    d = within("clv", "discount", discount, NOT_NEGATIVE)
    if np.any(1 + d - r <= 0):
        raise ValueError("clv: retention is 1 and discount 0, which has no end; one of retention < 1, discount > 0")
    return m * (1 + d if _counts_first("clv", first_margin) else r) / (1 + d - r)


def expected_lifetime(retention: ArrayLike) -> Numbers:
    """Return the mean number of ticks that a customer stays, ``1 / (1 - r)``, the first one counted (A11)."""
    return 1 / (1 - within("expected_lifetime", "retention", retention, "[0, 1)"))


def retention_elasticity(retention: ArrayLike, discount: ArrayLike) -> Numbers:
    """Return the elasticity of `clv` to retention, ``(1 + d) / (1 + d - r)``, in per cent per per cent.

    For the value without the first margin; with it, the elasticity is 1 less. Gupta, Lehmann & Stuart
    2004 find 3 to 7 (V6, A11).
    """
    return clv(1.0, retention, discount, "included")


def survival_clv(
    survival: ArrayLike, margins: ArrayLike, discount: ArrayLike, first_margin: FirstMargin = "included"
) -> Numbers:
    """Return the value of a customer with a survivor curve, ``sum_t S(t) m_t / (1 + d)^t``, in money.

    `survival` (..., ticks) from S(0), the tick in which the customer is won; `margins` one for each tick
    of the curve, or one number. What comes after the last tick is worth nothing. Fader & Hardie 2010.
    """
    curve = some("survival_clv", "survival", survival, SHARE)
    m = within("survival_clv", "margins", margins, FINITE)
    d = within("survival_clv", "discount", discount, NOT_NEGATIVE)
    if np.any(np.diff(curve, axis=-1) > 0):
        raise ValueError("survival_clv: survival rises; a survivor curve falls or stays level from tick to tick")
    if m.ndim:
        same_length("survival_clv", "margins", m, "ticks of survival", curve)
    worth = curve * m / (1 + d[..., np.newaxis]) ** np.arange(curve.shape[-1])
    return worth[..., 0 if _counts_first("survival_clv", first_margin) else 1 :].sum(axis=-1)


def switching_clv(
    start: ArrayLike,
    switching: ArrayLike,
    margins: ArrayLike,
    discount: ArrayLike,
    ticks: int | None = None,
    first_margin: FirstMargin = "included",
) -> Floats:
    """Return what customers who switch between brands are worth to each brand, (..., brands) in money.

    ``sum_t (a M^t)_j m_j / (1 + d)^t``: who leaves may come back, unlike in `clv`. Rust, Lemon & Zeithaml
    2004; E31.

    Parameters
    ----------
    start : (..., brands)
        Probability a of each brand in tick 0, per customer.
    switching : (brands, brands)
        Probability M of moving from the brand of the row to that of the column within a tick.
    margins : (brands,) or one number
        Money that a customer brings to each brand in a tick.
    discount
        Per tick; positive where `ticks` is None.
    ticks
        Number of ticks that count, tick 0 among them; None for all there will ever be.
    first_margin
        Whether tick 0 counts.
    """
    where = "switching_clv"
    a, M = some(where, "start", start, SHARE), some(where, "switching", switching, SHARE)
    m = within(where, "margins", margins, FINITE)
    d = float(within(where, "discount", discount, NOT_NEGATIVE if ticks is not None else POSITIVE))
    if M.ndim != 2 or M.shape[0] != M.shape[1]:
        raise ValueError(f"{where}: switching has shape {M.shape}; it must have one row and one column per brand")
    same_length(where, "brands in start", a, "in switching", M)
    for name, rows in (("start", a), ("switching", M)):
        off = rows.sum(axis=-1)
        if np.any(np.abs(off - 1) > ROW_TOLERANCE):
            raise ValueError(f"{where}: a row of {name} sums to {off.flat[np.abs(off - 1).argmax()]:g}; it must be 1")
    kernel = M / (1 + d)
    if ticks is None:
        present = a @ np.linalg.inv(np.eye(len(M)) - kernel)
    else:
        # Term by term: without a discount the sum has no closed form, as M has the eigenvalue 1.
        present, now = np.zeros_like(a), a
        for _ in range(whole(where, "ticks", ticks, 1)):
            present, now = present + now, now @ kernel
    return (present if _counts_first(where, first_margin) else present - a) * m


def customer_equity(values: ArrayLike, customers: ArrayLike = 1.0) -> float:
    """Return customer equity, the sum of lifetime values over all customers, in money.

    `customers` is how many have each value. Blattberg & Deighton 1996; Rust, Lemon & Zeithaml 2004.
    """
    worth = within("customer_equity", "values", values, FINITE)
    return float(np.sum(worth * within("customer_equity", "customers", customers, NOT_NEGATIVE)))


def retention_profit_effect(
    retention: ArrayLike, increase: ArrayLike, discount: ArrayLike = 0.0, first_margin: FirstMargin = "included"
) -> Numbers:
    """Return by what share a customer's value changes when retention rises, ``CLV(r + x) / CLV(r) - 1``.

    `increase` x is a share: .05 is five points. Reichheld & Sasser 1990 publish .25 to .85 for five
    points (V5), the course .60 (S63). This is a thought experiment on the present value of *one customer*,
    at no cost of the better retention and with all else the same; it is no forecast of a firm's profit
    (critique: Sharp, *How Brands Grow*, 2010).
    """
    where = "retention_profit_effect"
    r, x = within(where, "retention", retention, "(0, 1)"), within(where, "increase", increase, "[-1, 1]")
    d = within(where, "discount", discount, NOT_NEGATIVE)
    better = within(where, "retention + increase", r + x, SHARE)
    return clv(1.0, better, d, first_margin) / clv(1.0, r, d, first_margin) - 1


@dataclass(frozen=True)
class ProfitLayers:
    """Where the profit on a lasting customer comes from, per year; arrays (years + 1,) in money.

    Attributes
    ----------
    acquisition : Floats
        Minus the cost of winning the customer, in year 0.
    base : Floats
        Profit of the first year, again in every year.
    revenue_growth : Floats
        More bought than in year 1, at the margin of year 1.
    cost_saving : Floats
        Lower unit cost than in year 1, on what is bought now.
    referral : Floats
        Value of the customers referred.
    price_premium : Floats
        Higher price than in year 1, on what is bought now.
    """

    acquisition: Floats
    base: Floats
    revenue_growth: Floats
    cost_saving: Floats
    referral: Floats
    price_premium: Floats

    @property
    def total(self) -> Floats:
        """Profit on the customer per year, the sum of the layers."""
        layers = (self.base, self.revenue_growth, self.cost_saving, self.referral, self.price_premium)
        return np.sum(layers, axis=0) + self.acquisition


def profit_layers(
    acquisition_cost: float,
    quantity: ArrayLike,
    price: ArrayLike,
    unit_cost: ArrayLike,
    referral_value: ArrayLike = 0.0,
) -> ProfitLayers:
    """Split the yearly profit on a customer, ``n (p - c) + referral``, into the layers of loyalty.

    `quantity` n (years,) bought in each year from year 1; `price` p, `unit_cost` c and `referral_value` one
    for each year or one for all. Growth is valued at the margin of year 1, savings and premium at the
    quantity of the year, so that the layers leave no rest. Reichheld & Sasser 1990; course S60.
    """
    where = "profit_layers"
    n = some(where, "quantity", quantity, NOT_NEGATIVE)
    if n.ndim != 1:
        raise ValueError(f"{where}: quantity has {n.ndim} axes; it must be one list of years")
    won = float(within(where, "acquisition_cost", acquisition_cost, NOT_NEGATIVE))
    yearly = []
    for name, value in (("price", price), ("unit_cost", unit_cost), ("referral_value", referral_value)):
        numbers = within(where, name, value, NOT_NEGATIVE)
        if numbers.ndim:
            same_length(where, f"values of {name}", numbers, "of quantity", n)
        yearly.append(np.broadcast_to(numbers, n.shape))
    p, c, referral = yearly
    margin = p[0] - c[0]

    def from_year_1(layer: Floats) -> Floats:
        """Put year 0, in which nothing was bought, before a layer."""
        return np.concatenate([[0.0], layer])

    return ProfitLayers(
        acquisition=np.concatenate([[-won], np.zeros(len(n))]),
        base=from_year_1(np.full(len(n), n[0] * margin)),
        revenue_growth=from_year_1((n - n[0]) * margin),
        cost_saving=from_year_1(n * (c[0] - c)),
        referral=from_year_1(referral),
        price_premium=from_year_1(n * (p - p[0])),
    )


def _counts_first(where: str, first_margin: str) -> bool:
    """Tell whether the first margin counts."""
    if first_margin not in ("excluded", "included"):
        raise ValueError(f"{where}: first_margin is {first_margin!r}; it must be 'excluded' or 'included'")
    return first_margin == "included"

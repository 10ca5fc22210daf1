"""What it takes to win customers: funnels, costs per sale and per customer, and referral."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from churnsim.economics.checks import NOT_NEGATIVE, POSITIVE, SHARE, Floats, Numbers, some, within


def funnel_conversion(stage_rates: ArrayLike) -> Numbers:
    """Return the share of prospects who buy: the product of the stages' rates, (..., stages) (course S112)."""
    return np.prod(some("funnel_conversion", "stage_rates", stage_rates, SHARE), axis=-1)


def funnel_heads(prospects: ArrayLike, stage_rates: ArrayLike) -> Floats:
    """Return how many people there are in the funnel after each stage, (..., stages + 1) from the prospects.

    Course S112.
    """
    people = within("funnel_heads", "prospects", prospects, NOT_NEGATIVE)[..., np.newaxis]
    rates = some("funnel_heads", "stage_rates", stage_rates, SHARE)
    return people * np.cumprod(np.insert(rates, 0, 1.0, axis=-1), axis=-1)


def cost_per_sale(cost_per_contact: ArrayLike, success: ArrayLike) -> Numbers:
    """Return what one sale costs, cost per contact / share of contacts that succeed, in money (course S79)."""
    cost = within("cost_per_sale", "cost_per_contact", cost_per_contact, NOT_NEGATIVE)
    return cost / within("cost_per_sale", "success", success, "(0, 1]")


def cost_per_sale_ratio(
    cost_new: ArrayLike, success_new: ArrayLike, cost_existing: ArrayLike, success_existing: ArrayLike
) -> Numbers:
    """Return how many times a sale to a new customer costs what one to an existing customer costs.

    Costs are per contact. Per *sale*, so not to be compared with `acquisition_retention_ratio`, which is
    per customer won and per customer kept (course S79, contradiction C1).
    """
    existing = within("cost_per_sale_ratio", "cost_existing", cost_existing, POSITIVE)
    return cost_per_sale(cost_new, success_new) / cost_per_sale(existing, success_existing)


def acquisition_retention_ratio(acquisition_cost: ArrayLike, retention_cost: ArrayLike) -> Numbers:
    """Return the cost of winning a customer / the cost of keeping one (course S78)."""
    won = within("acquisition_retention_ratio", "acquisition_cost", acquisition_cost, NOT_NEGATIVE)
    return won / within("acquisition_retention_ratio", "retention_cost", retention_cost, POSITIVE)


def unit_cost(
    operating: ArrayLike,
    commission: ArrayLike,
    promotion: ArrayLike,
    customers: ArrayLike,
    maintenance: ArrayLike = 0.0,
) -> Numbers:
    """Return the cost per customer, in money: (operating + commission + promotion + maintenance) / customers.

    The course's first formula (S82) has no maintenance term; its second one does.
    """
    parts = {"operating": operating, "commission": commission, "promotion": promotion, "maintenance": maintenance}
    spent = np.zeros(())
    for name, part in parts.items():
        spent = spent + within("unit_cost", name, part, NOT_NEGATIVE)
    return spent / within("unit_cost", "customers", customers, POSITIVE)


def new_customer_value(purchases: ArrayLike, ticket: ArrayLike, margin: ArrayLike) -> Numbers:
    """Return what a new customer brings, purchases x money per purchase x margin share, in money (course S81)."""
    bought = within("new_customer_value", "purchases", purchases, NOT_NEGATIVE)
    spent = within("new_customer_value", "ticket", ticket, NOT_NEGATIVE)
    return bought * spent * within("new_customer_value", "margin", margin, "(-inf, 1]")


@dataclass(frozen=True)
class ReferralProgramme:
    """What looking after some customers, so that they bring others, comes to (course S83).

    Attributes
    ----------
    acquisition_spend : float
        Money spent on winning the first customers.
    acquisition_cost : float
        Money per customer won that way.
    maintenance_spend : float
        Money spent on looking after the chosen ones.
    referred : float
        Customers whom these bring.
    cost_per_referred : float
        Money per customer referred; infinite where nobody is.
    customers : float
        Customers won either way.
    spend : float
        All the money spent.
    average_cost : float
        Money per customer won either way.
    break_even_referrals : float
        Referrals per maintained customer at which one referred customer costs what one won directly does;
        infinite where winning customers directly is free.
    """

    acquisition_spend: float
    acquisition_cost: float
    maintenance_spend: float
    referred: float
    cost_per_referred: float
    customers: float
    spend: float
    average_cost: float
    break_even_referrals: float


def referral_programme(
    advertising: float,
    events: float,
    customers: float,
    maintained: float,
    maintenance_per_customer: float,
    referrals_per_maintained: float = 1.0,
) -> ReferralProgramme:
    """Work out the cost of winning `customers` by advertising and events, then more through some of them.

    `maintained` of them are looked after at `maintenance_per_customer` and bring `referrals_per_maintained`
    customers each. Money in one currency. Course S83 (the example of 2000 customers), A12.
    """
    where = "referral_programme"
    won = float(within(where, "customers", customers, POSITIVE))
    chosen = float(within(where, "maintained", maintained, f"(0, {won!r}]"))
    spent = float(
        within(where, "advertising", advertising, NOT_NEGATIVE) + within(where, "events", events, NOT_NEGATIVE)
    )
    each = float(within(where, "maintenance_per_customer", maintenance_per_customer, NOT_NEGATIVE))
    referred = chosen * float(within(where, "referrals_per_maintained", referrals_per_maintained, NOT_NEGATIVE))
    cost, maintenance = spent / won, chosen * each
    return ReferralProgramme(
        acquisition_spend=spent,
        acquisition_cost=cost,
        maintenance_spend=maintenance,
        referred=referred,
        cost_per_referred=maintenance / referred if referred else math.inf,
        customers=won + referred,
        spend=spent + maintenance,
        average_cost=(spent + maintenance) / (won + referred),
        break_even_referrals=each / cost if cost else math.inf,
    )

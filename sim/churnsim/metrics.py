"""What is measured: one declaration per measure, with its unit, formula and source.

Tables, plots, claims, documentation and studies all read this catalogue. A measure
is taken once a tick: ``per_tick`` measures count or sum what happened within the
tick, ``at_end`` measures are the state when the tick is over. A "stay" is one
purchase; money totals are for the whole simulated market.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from churnsim.i18n import LANGUAGES, text

Scope = Literal["firm", "market", "ledger"]
Kind = Literal["per_tick", "at_end"]
Per = Literal["tick", "tenure", "percent"]
Money = Literal["known", "prices", "unknown"]
"""What is known of a scenario's money: everything, prices but no costs, or nothing."""

COURSE = "course"
DICK_BASU = "Dick & Basu 1994"


@dataclass(frozen=True)
class Measure:
    """One thing that every run measures.

    Attributes
    ----------
    name : str
        Column name in ``Result.ticks`` (scope ``firm``) or ``Result.market``.
    scope : {'firm', 'market', 'ledger'}
        Measured per firm, once for the market, or per firm by its ledger, where one is kept.
    kind : {'per_tick', 'at_end'}
        Happened within the tick, or state at its end.
    unit : str
        ``1`` for shares and rates, ``currency`` for money of the whole market in one
        tick, otherwise in words.
    formula : str
        Definition, in words and symbols.
    source : str
        Where the definition comes from.
    better : {'more', 'less'} or None
        What a firm would rather see; None where neither is better as such.
    per : {'tick', 'tenure', 'percent'}
        What the number after the @ of a claim counts: ticks, ticks of tenure, or the best so many per cent of buyers.
    """

    name: str
    scope: Scope
    kind: Kind
    unit: str
    formula: str
    source: str
    better: Literal["more", "less"] | None = None
    per: Per = "tick"

    @property
    def label(self) -> dict[str, str]:
        """Short name, by language."""
        return {language: text(f"measure.{self.scope}.{self.name}", language) for language in LANGUAGES}

    @property
    def is_rate(self) -> bool:
        """Whether the measure is a share or rate of something, shown in per cent."""
        return self.unit == "1" and self.name not in INDICES

    def is_known(self, money: Money) -> bool:
        """Whether the measure means something where so much is known of money."""
        if money == "known" or not self.unit.startswith("currency"):
            return True
        return money == "prices" and self.name in OF_PRICES


INDICES = frozenset(
    {
        "satisfaction",
        "expectation",
        "attachment",
        "belief",
        "quality",
        "crowding",
        "open",
        "experience",
        "morale",
        "technology",
        "image",
        "fit",
    }
)
"""Pure numbers between 0 and 1 that are not a share of anything."""

OF_PRICES = frozenset({"price", "reference_price", "revenue"})
"""Amounts of money that say nothing of costs."""


def _catalogue(*measures: Measure) -> dict[str, Measure]:
    """Key measures by their name."""
    return {measure.name: measure for measure in measures}


FIRM_MEASURES: dict[str, Measure] = _catalogue(
    Measure("share", "firm", "per_tick", "1", "stays at the firm / purchase occasions", COURSE + " S27", "more"),
    Measure("customers", "firm", "at_end", "customers", "customers whose provider is the firm", COURSE + " S1", "more"),
    Measure("customer_share", "firm", "at_end", "1", "customers / customers in the market", COURSE + " S27", "more"),
    Measure("stays", "firm", "per_tick", "stays", "purchases made at the firm", COURSE + " S28", "more"),
    Measure("joined", "firm", "per_tick", "customers", "customers who came to the firm", COURSE + " S57", "more"),
    Measure(
        "lost", "firm", "per_tick", "customers",
        "customers who left the firm, for a rival, for nobody, or the market", COURSE + " S1", "less",
    ),
    Measure("churn", "firm", "per_tick", "1", "lost / customers at the start of the tick", COURSE + " S24", "less"),
    Measure("retention", "firm", "per_tick", "1", "1 - churn", COURSE + " S25", "more"),
    Measure(
        "returned", "firm", "per_tick", "customers", "joined customers who had been with the firm before",
        "Stauss & Friege 1999 (regained customers)", "more",
    ),
    Measure(
        "cohort_returned", "firm", "per_tick", "customers",
        "customers the firm had lost by tick 0 who come back for the first time", "docs/model.md T9", "more",
    ),
    Measure(
        "lost_pool", "firm", "at_end", "customers", "former customers in the market who are not with the firm",
        COURSE + " S57 (ex-customers)", "less",
    ),
    Measure("satisfaction", "firm", "at_end", "1", "mean S over the firm's customers", "Oliver 1980, E10", "more"),
    Measure(
        "expectation", "firm", "at_end", "1", "mean E over the firm's customers",
        "Boulding, Kalra, Staelin & Zeithaml 1993, E9",
    ),
    Measure(
        "attachment", "firm", "at_end", "1", "mean A for the firm over its customers",
        "course; Thomson, MacInnis & Park 2005, E13", "more",
    ),
    Measure(
        "belief", "firm", "at_end", "1", "mean believed quality of the firm over its customers",
        "Erdem & Keane 1996, E8", "more",
    ),
    Measure(
        "reference_price", "firm", "at_end", "currency per stay",
        "mean reference price for the firm over its customers", "Kalyanaram & Winer 1995, E5",
    ),
    Measure("quality", "firm", "at_end", "1", "stock of core quality q", "Nerlove & Arrow 1962, E27", "more"),
    Measure(
        "crowding", "firm", "per_tick", "1", "quality lost to crowding, kappa_c [stays / capacity - 1]^+",
        "docs/model.md E7", "less",
    ),
    Measure("price", "firm", "per_tick", "currency per stay", "price charged", COURSE + " S40"),
    Measure(
        "service", "firm", "per_tick", "currency per stay", "service money that the budget funded", "docs/model.md E29"
    ),
    Measure(
        "training", "firm", "per_tick", "currency per stay", "training money that the budget funded",
        "docs/model.md E29",
    ),
    Measure(
        "contacts", "firm", "per_tick", "contacts per customer", "relationship contacts that the budget funded",
        "docs/model.md E14, E29",
    ),
    Measure(
        "relationship_cost", "firm", "per_tick", "currency", "money spent on relationship work", COURSE + " S28"
    ),
    Measure("service_cost", "firm", "per_tick", "currency", "(service + training) x stays", COURSE + " S28"),
    Measure("revenue", "firm", "per_tick", "currency", "price x stays", COURSE + " S28", "more"),
    Measure(
        "profit", "firm", "per_tick", "currency",
        "revenue - unit cost x stays - fixed cost - service cost - relationship cost", COURSE + " S28", "more",
    ),
    Measure(
        "cumulative_profit", "firm", "at_end", "currency", "sum of profit over ticks 1 to now; 0 during burn-in",
        COURSE + " S28", "more",
    ),
    Measure("cash", "firm", "at_end", "currency", "cash in hand; negative is debt", "docs/model.md E29", "more"),
    Measure(
        "shortfall", "firm", "per_tick", "currency", "money asked for and not funded", "docs/model.md E29", "less"
    ),
    Measure(
        "true_loyal", "firm", "at_end", "1", "share of customers with high relative attitude who buy repeatedly",
        DICK_BASU, "more",
    ),
    Measure(
        "spurious_loyal", "firm", "at_end", "1", "share of customers with low relative attitude who buy repeatedly",
        DICK_BASU,
    ),
    Measure(
        "latent_loyal", "firm", "at_end", "1",
        "share of customers with high relative attitude who do not buy repeatedly", DICK_BASU,
    ),
    Measure(
        "not_loyal", "firm", "at_end", "1",
        "share of customers with low relative attitude who do not buy repeatedly", DICK_BASU, "less",
    ),
    Measure("open", "firm", "at_end", "1", "1 while the firm trades, 0 once it has closed", "docs/model.md", "more"),
)  # fmt: skip
"""Measures taken per firm, in the order of the columns of ``Result.ticks``."""

MARKET_MEASURES: dict[str, Measure] = _catalogue(
    Measure("occasions", "market", "per_tick", "occasions", "customers with a purchase occasion", "docs/model.md"),
    Measure("outside_share", "market", "per_tick", "1", "occasions spent at no firm / occasions", "McFadden 1974, E1"),
    Measure("customers", "market", "at_end", "customers", "customers in the market", COURSE + " S27"),
    Measure("experience", "market", "at_end", "1", "running mean of experienced quality", "docs/model.md E10"),
    Measure("newcomers", "market", "per_tick", "customers", "customers new to the market", "docs/model.md"),
)
"""Measures taken once for the market, in the order of the columns of ``Result.market``."""

LEDGER_MEASURES: dict[str, Measure] = _catalogue(
    Measure(
        "survival", "ledger", "at_end", "1",
        "share of customers who reach a tenure: product of the retention rates of all shorter ones",
        "Kaplan & Meier 1958", "more", "tenure",
    ),
    Measure(
        "tenure_retention", "ledger", "at_end", "1",
        "1 - lost / customers with that tenure at the start of a tick, over ticks 1 to the horizon",
        "Fader & Hardie 2007", "more", "tenure",
    ),
    Measure(
        "top_money", "ledger", "at_end", "1", "share of money that the buyers who spend most bring",
        COURSE + " S35, S36", None, "percent",
    ),
    Measure(
        "top_purchases", "ledger", "at_end", "1", "share of purchases that the buyers who buy most make",
        COURSE + " S35, S36", None, "percent",
    ),
    Measure(
        "flagged", "ledger", "at_end", "customers",
        "former buyers who have not bought for customers.inactivity ticks", COURSE + " S22", "less",
    ),
    Measure(
        "false_alarm_rate", "ledger", "at_end", "1", "flagged who are with the firm still / flagged", COURSE + " S22",
        "less",
    ),
)  # fmt: skip
"""What a ledger measures per firm (``ledger: true``); claims may speak of it."""

MEASURES: dict[str, Measure] = {**MARKET_MEASURES, **FIRM_MEASURES}
"""Every measure by name; ``customers``, which both scopes have, is the firm's here."""


def measures(scope: Scope) -> dict[str, Measure]:
    """Return the measures of one scope, by name."""
    return {"firm": FIRM_MEASURES, "market": MARKET_MEASURES, "ledger": LEDGER_MEASURES}[scope]

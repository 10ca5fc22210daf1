"""What is measured of dealings beyond the stay, where a scenario has any; as `churnsim.metrics`."""

from __future__ import annotations

from churnsim.metrics import FIRM_MEASURES, Measure

DEALING_MEASURES: dict[str, Measure] = {
    name: Measure(name, "firm", kind, unit, formula, source, better)  # type: ignore[arg-type]
    for name, kind, unit, formula, source, better in (
        ("volume", "per_tick", "purchases", "purchases weighted by size", "course S28", "more"),
        (
            "volume_paid", "per_tick", "purchases", "volume less what was conceded to powerful customers",
            "course S10", "more",
        ),
        (
            "cost", "per_tick", "currency", "compensation, rewards, offers, screening, care and bad debt of the tick",
            "course S28", "less",
        ),
        ("core_failures", "per_tick", "stays", "stays whose core failed", "E22", "less"),
        ("encounter_failures", "per_tick", "stays", "stays in which an encounter went wrong", "E22", "less"),
        ("major_failures", "per_tick", "stays", "failures that were major", "E22", "less"),
        (
            "complaints", "per_tick", "complaints", "failures after which the customer spoke up",
            "E22; Hirschman 1970", None,
        ),
        ("settled", "per_tick", "complaints", "complaints that were settled", "E23", "more"),
        ("settled_at_once", "per_tick", "complaints", "complaints that were settled at once", "E23", "more"),
        (
            "compensation", "per_tick", "currency", "money paid back to those who complained",
            "E23; course S75, S76", "less",
        ),
        (
            "failed_minor_silent", "per_tick", "occasions", "next occasions after a minor failure, not complained",
            "TARP; course S67-S69", None,
        ),
        (
            "failed_minor_in_vain", "per_tick", "occasions", "next occasions after a minor failure, complained in vain",
            "TARP; course S67-S69", None,
        ),
        (
            "failed_minor_settled", "per_tick", "occasions", "next occasions after a minor failure, settled",
            "TARP; course S67-S69", None,
        ),
        (
            "failed_minor_settled_at_once", "per_tick", "occasions", "next occasions after a minor failure, settled at once",
            "TARP; course S67-S69", None,
        ),
        (
            "failed_major_silent", "per_tick", "occasions", "next occasions after a major failure, not complained",
            "TARP; course S67-S69", None,
        ),
        (
            "failed_major_in_vain", "per_tick", "occasions", "next occasions after a major failure, complained in vain",
            "TARP; course S67-S69", None,
        ),
        (
            "failed_major_settled", "per_tick", "occasions", "next occasions after a major failure, settled",
            "TARP; course S67-S69", None,
        ),
        (
            "failed_major_settled_at_once", "per_tick", "occasions", "next occasions after a major failure, settled at once",
            "TARP; course S67-S69", None,
        ),
        (
            "kept_minor_silent", "per_tick", "occasions", "of these, occasions on which the customer stayed",
            "TARP; course S67-S69", "more",
        ),
        (
            "kept_minor_in_vain", "per_tick", "occasions", "of these, occasions on which the customer stayed",
            "TARP; course S67-S69", "more",
        ),
        (
            "kept_minor_settled", "per_tick", "occasions", "of these, occasions on which the customer stayed",
            "TARP; course S67-S69", "more",
        ),
        (
            "kept_minor_settled_at_once", "per_tick", "occasions", "of these, occasions on which the customer stayed",
            "TARP; course S67-S69", "more",
        ),
        (
            "kept_major_silent", "per_tick", "occasions", "of these, occasions on which the customer stayed",
            "TARP; course S67-S69", "more",
        ),
        (
            "kept_major_in_vain", "per_tick", "occasions", "of these, occasions on which the customer stayed",
            "TARP; course S67-S69", "more",
        ),
        (
            "kept_major_settled", "per_tick", "occasions", "of these, occasions on which the customer stayed",
            "TARP; course S67-S69", "more",
        ),
        (
            "kept_major_settled_at_once", "per_tick", "occasions", "of these, occasions on which the customer stayed",
            "TARP; course S67-S69", "more",
        ),
        (
            "occasions_level_1", "per_tick", "occasions", "occasions of own customers who were very dissatisfied before (0 to 0.2)",
            "course S33", None,
        ),
        (
            "occasions_level_2", "per_tick", "occasions", "occasions of own customers who were dissatisfied before (0.2 to 0.4)",
            "course S33", None,
        ),
        (
            "occasions_level_3", "per_tick", "occasions", "occasions of own customers who were neutral before (0.4 to 0.6)",
            "course S33", None,
        ),
        (
            "occasions_level_4", "per_tick", "occasions", "occasions of own customers who were satisfied before (0.6 to 0.8)",
            "course S33", None,
        ),
        (
            "occasions_level_5", "per_tick", "occasions", "occasions of own customers who were completely satisfied before (0.8 to 1)",
            "course S33", None,
        ),
        (
            "repeats_level_1", "per_tick", "occasions", "of these, occasions on which they bought again",
            "course S33; Jones & Sasser 1995", "more",
        ),
        (
            "repeats_level_2", "per_tick", "occasions", "of these, occasions on which they bought again",
            "course S33; Jones & Sasser 1995", "more",
        ),
        (
            "repeats_level_3", "per_tick", "occasions", "of these, occasions on which they bought again",
            "course S33; Jones & Sasser 1995", "more",
        ),
        (
            "repeats_level_4", "per_tick", "occasions", "of these, occasions on which they bought again",
            "course S33; Jones & Sasser 1995", "more",
        ),
        (
            "repeats_level_5", "per_tick", "occasions", "of these, occasions on which they bought again",
            "course S33; Jones & Sasser 1995", "more",
        ),
        ("suspects", "at_end", "customers", "people who do not know the firm", "course S57", None),
        ("prospects", "at_end", "customers", "people who know the firm and have never bought", "course S57", None),
        ("first_time", "at_end", "customers", "customers with at most one purchase in a row", "course S57", "more"),
        ("repeat", "at_end", "customers", "customers with 2 to 5 purchases in a row", "course S57", "more"),
        (
            "clients", "at_end", "customers", "customers with 6 or more purchases in a row, attachment below .5",
            "course S57 (numbers assumed)", "more",
        ),
        (
            "advocates", "at_end", "customers", "clients with an attachment of .5 to .8",
            "course S57 (numbers assumed)", "more",
        ),
        (
            "partners", "at_end", "customers", "clients with an attachment of .8 or more",
            "course S57 (numbers assumed)", "more",
        ),
        ("former", "at_end", "customers", "customers of the past who are elsewhere", "course S57", "less"),
        (
            "rung_1", "at_end", "customers", "customers with an attachment of 0.15 or more: wants more of the relationship",
            "course S58 (order; steps assumed)", "more",
        ),
        (
            "rung_2", "at_end", "customers", "customers with an attachment of 0.3 or more: recommends",
            "course S58 (order; steps assumed)", "more",
        ),
        (
            "rung_3", "at_end", "customers", "customers with an attachment of 0.45 or more: resists rivals",
            "course S58 (order; steps assumed)", "more",
        ),
        (
            "rung_4", "at_end", "customers", "customers with an attachment of 0.6 or more: pays a premium",
            "course S58 (order; steps assumed)", "more",
        ),
        (
            "rung_5", "at_end", "customers", "customers with an attachment of 0.75 or more: develops together",
            "course S58 (order; steps assumed)", "more",
        ),
        (
            "rung_6", "at_end", "customers", "customers with an attachment of 0.9 or more: invests in the firm",
            "course S58 (order; steps assumed)", "more",
        ),
        ("points_earned", "per_tick", "currency", "points given, by their face value", "course S102", None),
        ("points_redeemed", "per_tick", "currency", "rewards paid out", "course S102", None),
        ("offers", "per_tick", "offers", "win-back offers made", "E24", None),
        (
            "offers_taken", "per_tick", "customers", "former customers who came back on an offer",
            "E24; Stauss & Friege 1999", "more",
        ),
        ("second_ended", "per_tick", "customers", "regained customers who left again", "E24", None),
        ("second_tenure", "per_tick", "ticks", "tenures of these, summed", "E24; Kumar, Bhagwat & Zhang 2015", "more"),
        ("save_offers", "per_tick", "offers", "offers made to customers at risk", "course S99", None),
        ("referrals", "per_tick", "customers", "people who heard a referral", "E20", "more"),
        ("referred_joined", "per_tick", "customers", "new customers who came by referral", "E20", "more"),
        (
            "referred_customers", "at_end", "customers", "customers who came by referral",
            "E20; Schmitt, Skiera & Van den Bulte 2011", "more",
        ),
        ("referred_lost", "per_tick", "customers", "customers who had come by referral and left", "E20", "less"),
        ("reached", "per_tick", "customers", "people to whom the firm became known by itself", "E21", "more"),
        ("aware", "at_end", "customers", "people who know the firm", "E21", "more"),
        ("bad_debt", "per_tick", "currency", "purchases not paid for", "course S8", "less"),
        ("refused_bad", "at_end", "customers", "bad debtors whom screening keeps out", "course S8", "more"),
        ("refused_good", "at_end", "customers", "good customers whom screening keeps out", "course S8", "less"),
        ("threats", "per_tick", "customers", "powerful customers who threatened to leave", "course S10", "less"),
        ("conceded", "per_tick", "currency", "discounts conceded to powerful customers", "course S10", "less"),
        ("orders_lost", "per_tick", "orders", "orders lost while nobody answered", "course S21", "less"),
        ("suggestions", "per_tick", "customers", "customers who suggested something", "course S106, S109", "more"),
        (
            "needs_met", "per_tick", "customers", "customers whose changed need was found out",
            "course S100, S101", "more",
        ),
        ("left_with_employee", "per_tick", "customers", "customers whose employee quit", "E28; course S98", "less"),
        ("lapses_prevented", "per_tick", "customers", "customers whom a reminder kept", "course S7", "more"),
        ("told_bad", "per_tick", "customers", "dissatisfied customers who told others", "E19; course S70", "less"),
        ("told_good", "per_tick", "customers", "satisfied customers who told others", "E19; course S71", "more"),
        (
            "tries_new", "per_tick", "occasions", "occasions of people who could choose the firm and never had",
            "course S79", None,
        ),
        ("won_new", "per_tick", "occasions", "of these, occasions on which they chose it", "course S79", "more"),
        ("tries_own", "per_tick", "occasions", "occasions of own customers", "course S79", None),
        ("won_own", "per_tick", "occasions", "of these, occasions on which they stayed", "course S79", "more"),
        ("stocked", "per_tick", "purchases", "purchases brought forward under a promotion", "course S38", "less"),
        ("morale", "at_end", "1", "staff morale", "E28; Heskett et al. 1994", "more"),
        ("technology", "at_end", "1", "technology of what is offered", "course S13", "more"),
        ("image", "at_end", "1", "image: 0 is spotless and ordinary, below 0 after scandals", "course S15", "more"),
        ("fit", "at_end", "1", "how well the offer fits the customers' business", "course S106", "more"),
        ("quit_hazard", "at_end", "1", "probability that an employee quits", "E28", "less"),
        ("dealing_cost", "per_tick", "currency", "programmes funded and cost of events", "docs/model.md E29", "less"),
    )
}  # fmt: skip
"""Measures taken per firm where a scenario has dealings beyond the stay; further columns of ``Result.ticks``."""

PER_FIRM: dict[str, Measure] = {**FIRM_MEASURES, **DEALING_MEASURES}
"""Every measure that a firm may have."""

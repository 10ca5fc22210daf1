"""The exact limits that the model must reproduce, and where each is checked.

Every limit is checked on the real model with mechanisms switched off, on both engines; where one is arithmetic of the
course, on `churnsim.economics` too. `tests/test_limits.py` looks every
reference up.
"""

from __future__ import annotations

from typing import NamedTuple


class Limit(NamedTuple):
    """One limit: what it says, and the tests (``file::function``) and claims (``scenario#claim``) that check it."""

    id: str
    name: str
    formula: str
    tests: tuple[str, ...]
    claims: tuple[str, ...] = ()


LIMITS: tuple[Limit, ...] = (
    Limit(
        "A1",
        "Logit shares without dynamics",
        "s_k = w_k / Σ w, w = e^(V/μ)",
        ("test_limits.py::test_a1_logit_shares",),
        ("inertia_limit#A1",),
    ),
    Limit(
        "A2",
        "Logit with inertia: stationary shares and repeat rates",
        "π_j ∝ w_j (W + (e^κ − 1) w_j)",
        (
            "test_limits.py::test_a2_closed_form_of_the_stationary_shares",
            "test_limits.py::test_a2_inertia_shares_and_repeat_rates",
            "test_ground_truth.py::test_hazards_of_the_logit_with_inertia_are_the_closed_form",
        ),
        ("inertia_limit#A2_shares",),
    ),
    Limit(
        "A3",
        "Churn per tick and geometric tenure",
        "churn = λ (1 − r), mean tenure 1 / (λ (1 − r))",
        ("test_limits.py::test_a3_tenure_is_geometric",),
        ("inertia_limit#A3_churn",),
    ),
    Limit(
        "A4",
        "Logit price competition, with and without an outside option",
        "p = c + μ / (1 − s)",
        ("test_limits_prices.py::test_a4_bertrand_price",),
        ("bertrand_limit#A4_symmetric", "bertrand_limit#A4_cutting", "bertrand_limit#A4_raising"),
    ),
    Limit(
        "A5",
        "Myopic markup with inertia, duopoly",
        "p − c = μ / (2 σ(κ) (1 − σ(κ)))",
        ("test_limits_prices.py::test_a5_myopic_markup_with_inertia",),
    ),
    Limit(
        "A6",
        "Shifted-beta-geometric survival",
        "S(t) = B(α, β + t) / B(α, β)",
        ("test_limits.py::test_a6_sbg_survival", "test_economics.py::test_sbg_is_the_published_curve"),
        ("sbg_cohort#A6_high_end", "sbg_cohort#A6_regular"),
    ),
    Limit(
        "A7",
        "Stock of quality",
        "q_t = q* + (q_0 − q*) (1 − δ)^t, q* = 1 − e^(−s / s0)",
        ("test_limits_books.py::test_a7_quality_stock", "test_mechanisms.py::test_quality_stock_a7"),
        ("quality_limit#A7_path",),
    ),
    Limit(
        "A8",
        "Belief, reference price and expectation under constant input",
        "y_t = x + (y_0 − x) (1 − a)^t",
        (
            "test_limits_books.py::test_a8_memories_are_geometric",
            "test_mechanisms.py::test_constant_input_gives_a_geometric_path_a8",
        ),
    ),
    Limit(
        "A9",
        "Fixed point of attachment",
        "A* = g / (g + δ (1 − u)), g = γ u (S − S̲)",
        (
            "test_limits_books.py::test_a9_attachment_goes_to_its_fixed_point",
            "test_signatures.py::test_attachment_in_the_market_follows_its_closed_form",
            "test_mechanisms.py::test_attachment_path_and_fixed_point_a9",
        ),
        (
            "attachment_limit#A9_stays",
            "attachment_limit#A9_contact",
        ),
    ),
    Limit(
        "A10",
        "Sunk stock",
        "K_t = F (1 − δ)^t; periodic: F / (1 − (1 − δ)^T)",
        (
            "test_limits_books.py::test_a10_sunk_stock_is_a_sawtooth",
            "test_signatures.py::test_sunk_cost_is_the_depreciated_sum_of_own_payments",
            "test_mechanisms.py::test_sunk_cost_is_a_sawtooth_under_a_periodic_fee_a10",
        ),
    ),
    Limit(
        "A11",
        "Customer equity and its elasticity",
        "CLV = m r / (1 + d − r), d ln CLV / d ln r = (1 + d) / (1 + d − r)",
        (
            "test_limits_books.py::test_a11_lifetime_value_in_the_books",
            "test_economics.py::test_elasticity_of_value_to_retention",
        ),
    ),
    Limit(
        "A12",
        "Referral arithmetic of 2 000 customers",
        "700, 300, 585.71; break-even .4286",
        (
            "test_limits_books.py::test_a12_advertising_and_referral_cost_what_the_course_says",
            "test_economics.py::test_referral_example_of_2000_customers",
        ),
        ("referral_2000#S83_break_even",),
    ),
    Limit(
        "A13",
        "Growth by repurchase",
        "new = N (1 + g − ρ)",
        (
            "test_limits_books.py::test_a13_growth_is_what_is_won_less_what_is_lost",
            "test_economics.py::test_new_customers_for_growth",
        ),
        ("brand_xz_growth#S61_growth",),
    ),
    Limit(
        "A14",
        "Leaky bucket",
        "gap = lost × (CAC − CRC) per week",
        (
            "test_limits_books.py::test_a14_a_leak_costs_the_gap_between_winning_and_keeping",
            "test_economics.py::test_leaky_bucket",
        ),
        ("leaky_bucket#A14",),
    ),
    Limit(
        "A15",
        "True gain with opportunity cost",
        "450 − 180 = 270; 150 − 180 = −30",
        (
            "test_limits_prices.py::test_a15_what_is_forgone_is_counted_once",
            "test_economics.py::test_true_gain_of_the_course",
        ),
    ),
    Limit(
        "A16",
        "Bass diffusion",
        "dF/dt = (p + q F) (1 − F)",
        (
            "test_limits.py::test_a16_diffusion_of_bass",
            "test_limits.py::test_a16_many_customers_follow_the_equation",
            "test_economics.py::test_bass_solves_its_equation",
        ),
        ("bass_limit#A16_closed_form",),
    ),
    Limit(
        "A17",
        "Symmetry and relabelling",
        "identical firms have equal shares; swapped names swap numbers exactly",
        (
            "test_limits_invariance.py::test_a17_identical_firms_have_equal_shares",
            "test_limits_invariance.py::test_a17_relabelling_firms_permutes_results",
            "test_batches.py::test_the_order_of_firms_is_nothing_to_strategies",
        ),
        ("symmetry#A17_passive",),
    ),
    Limit(
        "A18",
        "Conservation",
        "heads, cash, points, contacts; shares of causes sum to 1, causes to all departures",
        (
            "test_model.py::test_heads_are_conserved",
            "test_model.py::test_accounts_close",
            "test_limits_books.py::test_a18_heads_cash_and_causes_are_conserved",
            "test_limits_books.py::test_a18_points_are_conserved",
            "test_attribution.py::test_shares_sum_to_one_and_counts_agree",
            "test_ground_truth.py::test_transactions_are_the_revenue_of_the_books",
            "test_ground_truth.py::test_complaints_and_contacts_are_those_of_the_model",
        ),
    ),
    Limit(
        "A19",
        "Homogeneity in money",
        "all money × 10: the same paths",
        ("test_limits_invariance.py::test_a19_another_currency_changes_nothing",),
    ),
    Limit(
        "A20",
        "Invariance to the order of customers",
        "permuted customers, permuted results",
        (
            "test_limits_invariance.py::test_a20_permuting_customers_permutes_results",
            "test_equivalence.py::test_engines_agree_bit_for_bit",
        ),
    ),
    Limit(
        "A21",
        "Ablation",
        "what a mechanism owns has no effect at all where it is off",
        (
            "test_parameters.py::test_a_mechanism_that_is_off_has_no_parameters",
            "test_dealings.py::test_off_has_no_effect_on_any_measure",
            "test_limits_invariance.py::test_a21_sobol_index_is_zero",
        ),
    ),
)
"""The 21 limits, in order."""

"""The arithmetic of the course and of the CRM literature.

The course's own numbers (domain notes A5-A16, S30-S112) are the expected values here and stand nowhere in
the code.
"""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from churnsim.economics import acquisition, concentration, growth, lifetime, loyalty, presets, pricing, survival
from churnsim.economics.acquisition import (
    acquisition_retention_ratio,
    cost_per_sale,
    cost_per_sale_ratio,
    funnel_conversion,
    funnel_heads,
    new_customer_value,
    referral_programme,
    unit_cost,
)
from churnsim.economics.concentration import (
    band_probabilities,
    customers_for_share,
    decile_shares,
    lognormal_customers_for_share,
    lognormal_sigma,
    lognormal_top_share,
    top_share,
)
from churnsim.economics.growth import bass_adopters, bass_rate, leaky_bucket_gap, required_new_customers
from churnsim.economics.lifetime import (
    clv,
    customer_equity,
    expected_lifetime,
    profit_layers,
    retention_elasticity,
    retention_profit_effect,
    survival_clv,
    switching_clv,
)
from churnsim.economics.loyalty import (
    account_matrix,
    customer_class,
    customer_score,
    loyalty_composite,
    recommendation_level,
    repurchase_level,
    satisfaction_index,
    satisfaction_level,
)
from churnsim.economics.pricing import (
    adr,
    arc_elasticity,
    break_even_sales_rise,
    deposit_interest,
    occupancy,
    opportunity_cost,
    revpar,
    true_gain,
)
from churnsim.economics.survival import (
    annual_rate,
    monthly_rate,
    retention_by_tenure,
    sbg_retention,
    sbg_survivor_curve,
    survivor_curve,
)

PARTS = (acquisition, concentration, growth, lifetime, loyalty, pricing, survival)
FUNCTIONS = [
    function
    for part in PARTS
    for name, function in inspect.getmembers(part, inspect.isfunction)
    if function.__module__ == part.__name__ and not name.startswith("_")
]

properties = settings(max_examples=60, deadline=None, derandomize=True, database=None)
share = st.floats(0, 1)
inner = st.floats(0.01, 0.99)
discount = st.floats(0.001, 0.5)
money = st.floats(0, 1e6)


def exactly(value: float) -> object:
    """Return a value that another must equal but for the last bits of a float."""
    return pytest.approx(value, rel=1e-14, abs=1e-14)


# Lifetime value


def test_elasticity_of_value_to_retention():
    assert retention_elasticity([0.7, 0.8, 0.9, 0.95], 0.12) == pytest.approx([2.67, 3.50, 5.09, 6.59], abs=0.005)
    within_3_and_7 = retention_elasticity(np.linspace(0.75, 0.95, 9), 0.12)
    assert np.all((within_3_and_7 >= 3) & (within_3_and_7 <= 7))


def test_undiscounted_life_doubles_from_10_to_20_years():
    assert expected_lifetime([0.9, 0.95]) == pytest.approx([10, 20], rel=1e-13)
    assert retention_profit_effect(0.9, 0.05) == pytest.approx(1, rel=1e-13)


def test_value_by_hand():
    assert clv(100, 0.8, 0.12) == exactly(100 * 0.8 / 0.32)
    assert clv(100, 0.8, 0.12, "included") == exactly(100 * 1.12 / 0.32)
    assert clv(-5, 0.5, 0.0) == -5


@properties
@given(margin=st.floats(-1e4, 1e4), r=share, d=discount)
def test_the_two_conventions_differ_by_one_margin(margin, r, d):
    difference = clv(margin, r, d, "included") - clv(margin, r, d, "excluded")
    assert difference == pytest.approx(margin, rel=1e-9, abs=1e-9)


@properties
@given(r=inner, d=discount, first=st.sampled_from(["excluded", "included"]))
def test_elasticity_is_the_derivative(r, d, first):
    step = 1e-6
    slope = (np.log(clv(1, r * (1 + step), d, first)) - np.log(clv(1, r * (1 - step), d, first))) / (2 * step)
    assert slope == pytest.approx(retention_elasticity(r, d) - (first == "included"), rel=1e-4, abs=1e-6)


@properties
@given(r=st.floats(0, 0.9), d=discount, margin=money, first=st.sampled_from(["excluded", "included"]))
def test_constant_retention_makes_the_geometric_value(r, d, margin, first):
    curve = r ** np.arange(400.0)
    assert survival_clv(curve, margin, d, first) == pytest.approx(clv(margin, r, d, first), rel=1e-9, abs=1e-9)


@properties
@given(r=share, d=discount, margin=money, first=st.sampled_from(["excluded", "included"]))
def test_customers_who_never_come_back_make_the_geometric_value(r, d, margin, first):
    value = switching_clv([1, 0], [[r, 1 - r], [0, 1]], [margin, 0], d, first_margin=first)
    assert value == pytest.approx([clv(margin, r, d, first), 0], rel=1e-9, abs=1e-9)


def test_switching_by_hand():
    moves, margins = [[0.7, 0.3], [0.4, 0.6]], [10, 20]
    first, second = [10, 0], [7, 6]
    third = [(0.7 * 0.7 + 0.3 * 0.4) * 10, (0.7 * 0.3 + 0.3 * 0.6) * 20]
    assert switching_clv([1, 0], moves, margins, 0.0, ticks=3) == pytest.approx(np.sum([first, second, third], axis=0))
    discounted = np.array(first) + np.array(second) / 1.1
    assert switching_clv([1, 0], moves, margins, 0.1, ticks=2) == pytest.approx(discounted)
    assert switching_clv([1, 0], moves, margins, 0.1, ticks=2, first_margin="excluded") == pytest.approx(
        np.array(second) / 1.1
    )
    long = switching_clv(np.eye(2), moves, margins, 0.1, ticks=600)
    assert long.shape == (2, 2) and switching_clv(np.eye(2), moves, margins, 0.1) == pytest.approx(long)


@properties
@given(d=discount, p=inner, q=inner)
def test_equal_margins_are_worth_the_same_whoever_gets_them(d, p, q):
    total = switching_clv([0.5, 0.5], [[p, 1 - p], [q, 1 - q]], 3.0, d).sum()
    assert total == pytest.approx(clv(3.0, 1.0, d, "included"), rel=1e-9)


def test_equity_is_the_sum():
    assert customer_equity([10, -4, 6]) == 12
    assert customer_equity([10, 2], [3, 100]) == 230


def test_profit_layers_by_hand():
    layers = profit_layers(80, [10, 12], [5, 6], [3, 2], [0, 4])
    assert list(layers.acquisition) == [-80, 0, 0]
    assert list(layers.base) == [0, 20, 20]
    assert list(layers.revenue_growth) == [0, 0, 4]
    assert list(layers.cost_saving) == [0, 0, 12]
    assert list(layers.price_premium) == [0, 0, 12]
    assert list(layers.referral) == [0, 0, 4]
    assert list(layers.total) == [-80, 20, 52]


years = arrays(float, 6, elements=st.floats(0, 1e3))


@properties
@given(won=money, n=years, p=years, c=years, referral=years)
def test_profit_layers_sum_to_the_profit(won, n, p, c, referral):
    layers = profit_layers(won, n, p, c, referral)
    assert layers.total[0] == -won
    assert layers.total[1:] == pytest.approx(n * (p - c) + referral, rel=1e-9, abs=1e-6)


# Survival


def test_survivor_curve_by_hand():
    at_risk, lost = [10, 6, 4], [2, 0, 1]  # two customers of tenure 1 were no longer observed
    assert retention_by_tenure(at_risk, lost) == exactly([0.8, 1, 0.75])
    assert survivor_curve(at_risk, lost) == exactly([1, 0.8, 0.8, 0.6])


def test_nothing_is_known_where_nobody_was_at_risk():
    assert np.isnan(survivor_curve([4, 0, 0], [1, 0, 0])).tolist() == [False, False, True, True]


@st.composite
def losses(draw):
    """Draw customers at risk, falling with tenure, and those lost."""
    at_risk = np.sort(draw(arrays(int, draw(st.integers(1, 20)), elements=st.integers(1, 500))))[::-1]
    shares = draw(arrays(float, len(at_risk), elements=share))
    return at_risk, np.floor(at_risk * shares)


@properties
@given(losses())
def test_survivor_curve_falls_from_one(drawn):
    curve = survivor_curve(*drawn)
    assert curve[0] == 1 and np.all(np.diff(curve) <= 0) and np.all((curve >= 0) & (curve <= 1))


@properties
@given(st.lists(st.integers(0, 50), min_size=1, max_size=12))
def test_without_censoring_the_curve_is_the_share_left(lost):
    at_risk = np.cumsum(lost[::-1])[::-1] + 7
    assert survivor_curve(at_risk, lost)[1:] == pytest.approx((at_risk - lost) / at_risk[0])


@pytest.mark.parametrize(
    ("alpha", "beta", "expected"),
    [
        (0.668, 3.806, "85.1 74.7 67.0 61.0 56.2 52.2 48.9 46.0 43.6 41.4 39.5 37.8"),
        (0.704, 1.182, "62.7 47.4 38.8 33.2 29.2 26.2 23.9 22.0 20.4 19.1 18.0 17.0"),
    ],
    ids=["High-End", "Regular"],
)
def test_sbg_is_the_published_curve(alpha, beta, expected):
    curve = sbg_survivor_curve(alpha, beta, 12)
    assert curve[0] == 1
    assert 100 * curve[1:] == pytest.approx([float(x) for x in expected.split()], abs=0.0501)


@properties
@given(alpha=st.floats(0.1, 20), beta=st.floats(0.1, 20))
def test_sbg_is_a_ratio_of_beta_functions(alpha, beta):
    from scipy.special import betaln

    ticks = np.arange(31)
    assert sbg_survivor_curve(alpha, beta, 30) == pytest.approx(
        np.exp(betaln(alpha, beta + ticks) - betaln(alpha, beta))
    )
    assert np.all(np.diff(sbg_retention(alpha, beta, ticks[1:])) > 0)


def test_sbg_takes_many_segments():
    curves = sbg_survivor_curve([0.668, 0.704], [3.806, 1.182], 5)
    assert curves.shape == (2, 6) and np.array_equal(curves[1], sbg_survivor_curve(0.704, 1.182, 5))


def test_25_per_cent_a_year_is_2_37_a_month():
    assert 100 * monthly_rate(0.25) == pytest.approx(2.37, abs=0.005)
    assert list(monthly_rate([0, 1])) == [0, 1]


@properties
@given(st.floats(0, 0.999))
def test_rates_convert_back(x):
    assert annual_rate(monthly_rate(x)) == pytest.approx(x, abs=1e-12)


# Acquisition


def test_referral_example_of_2000_customers():
    found = referral_programme(700_000, 700_000, 2000, maintained=800, maintenance_per_customer=300)
    assert found.acquisition_spend == 1_400_000
    assert found.acquisition_cost == 700
    assert found.maintenance_spend == 240_000
    assert found.referred == 800
    assert found.cost_per_referred == 300
    assert found.customers == 2800
    assert found.spend == 1_640_000
    assert found.average_cost == 1_640_000 / 2800
    assert round(found.average_cost, 2) == 585.71
    assert found.break_even_referrals == 3 / 7


@properties
@given(ads=st.floats(1, 1e6), events=money, customers=st.integers(1, 10_000), part=inner, each=st.floats(1, 1e4))
def test_at_break_even_a_referred_customer_costs_what_a_bought_one_does(ads, events, customers, part, each):
    plan = referral_programme(ads, events, customers, part * customers, each)
    even = referral_programme(ads, events, customers, part * customers, each, plan.break_even_referrals)
    assert even.cost_per_referred == pytest.approx(plan.acquisition_cost, rel=1e-9)
    assert even.average_cost == pytest.approx(plan.acquisition_cost, rel=1e-9)


def test_referral_without_referrals_or_without_cost():
    assert referral_programme(10, 0, 5, 2, 3, 0).cost_per_referred == math.inf
    assert referral_programme(0, 0, 5, 2, 3).break_even_referrals == math.inf


def test_a_sale_to_a_new_customer_costs_20_times_as_much():
    course = presets.FUNNEL_COURSE
    ratio = cost_per_sale_ratio(course.cost_new, course.success_new, course.cost_existing, course.success_existing)
    assert ratio == 20
    assert cost_per_sale(6, 0.15) == 40 and cost_per_sale(1, 0.5) == 2
    low, high = presets.CAC_RATIO
    assert (low, high) == (5, 10) and not low <= ratio <= high  # C1
    assert acquisition_retention_ratio([500, 1000], 100).tolist() == [low, high]


def test_unit_cost_with_and_without_maintenance():
    assert unit_cost(200_000, 500_000, 700_000, 2000) == 700
    assert unit_cost(200_000, 500_000, 700_000, 2800, maintenance=240_000) == 1_640_000 / 2800


def test_new_customer_value():
    assert new_customer_value(1, 20_000, 0.25) == 5000
    assert new_customer_value([1, 4], 20_000, 0.25).tolist() == [5000, 20_000]


@properties
@given(st.lists(share, min_size=1, max_size=6), st.floats(0, 1e5))
def test_the_last_heads_of_a_funnel_are_its_conversion(rates, prospects):
    heads = funnel_heads(prospects, rates)
    assert len(heads) == len(rates) + 1 and heads[0] == prospects and np.all(np.diff(heads) <= 0)
    assert heads[-1] == pytest.approx(prospects * funnel_conversion(rates))


def test_funnel_by_hand():
    assert funnel_conversion([0.5, 0.25, 0.5]) == 0.0625
    assert funnel_heads([1600, 16], [0.5, 0.25]).tolist() == [[1600, 800, 200], [16, 8, 2]]


# Growth


@pytest.mark.parametrize(
    ("target", "new"), [(0.0, [0, 70, 34]), (0.1, [10, 80, 44]), (0.2, [20, 90, 54])], ids=["0 %", "10 %", "20 %"]
)
def test_new_customers_for_growth(target, new):
    assert required_new_customers(100, target, [1.0, 0.30, 0.66]).tolist() == new


def test_leaky_bucket():
    assert leaky_bucket_gap(100, 500, 80) == 42_000
    assert leaky_bucket_gap(100, 80, 80) == 0


def test_bass_by_hand():
    assert bass_adopters(0, 0.03, 0.38) == 0
    p, q = 0.03, 0.38
    e = math.exp(-(p + q) * 5)
    assert bass_adopters(5, p, q) == exactly((1 - e) / (1 + q / p * e))
    assert bass_adopters(1e6, p, q) == 1
    assert bass_adopters(7, 0, 0.5, 0.01) == exactly(1 / (1 + 99 * math.exp(-3.5)))


@properties
@given(p=st.floats(0, 0.1), q=st.floats(0.01, 0.9), start=st.floats(0.001, 0.9), t=st.floats(0.1, 40))
def test_bass_solves_its_equation(p, q, start, t):
    assert bass_adopters(0, p, q, start) == pytest.approx(start)
    step = 1e-4
    slope = (bass_adopters(t + step, p, q, start) - bass_adopters(t - step, p, q, start)) / (2 * step)
    assert slope == pytest.approx(bass_rate(bass_adopters(t, p, q, start), p, q), rel=1e-5, abs=1e-9)


# Loyalty


def test_satisfaction_index():
    assert satisfaction_index([0.9, 0.6, 0.3], [0.5, 0.3, 0.2]) == exactly(0.69)
    assert satisfaction_index([[0.9, 0.5], [0, 1]], [3, 1]) == exactly([0.8, 0.25])


def test_bands():
    assert satisfaction_level([0, 0.19, 0.2, 0.5, 0.79, 0.8, 1]).tolist() == [1, 1, 2, 3, 4, 5, 5]
    assert repurchase_level([0, 0.3, 0.31, 0.69, 0.7, 1]).tolist() == [1, 1, 2, 2, 3, 3]
    assert recommendation_level([0, 0.5, 1]).tolist() == [1, 2, 3]
    assert satisfaction_level(0.5) == 3 and repurchase_level(0.7) == 3 and recommendation_level(0.1) == 1


@properties
@given(st.lists(share, min_size=5, max_size=5), st.lists(st.floats(0.01, 5), min_size=5, max_size=5))
def test_composites_lie_between_their_parts(parts, weights):
    for composite in (loyalty_composite, customer_score):
        assert composite(*parts) == pytest.approx(np.mean(parts))
        assert min(parts) - 1e-12 <= composite(*parts, weights=weights) <= max(parts) + 1e-12


def test_composites_take_many_customers():
    assert loyalty_composite([1, 0], 1, 1, 1, 1) == exactly([1, 0.8])


def test_customer_class():
    assert customer_class([0.2, 0.4, 0.7, 0.9], support_from=0.4, reward_from=0.8).tolist() == [1, 2, 2, 3]


def test_account_matrix():
    """Ladder against cost to serve (course S86)."""
    cells = account_matrix([6, 5, 1, 0], [10, 90, 20, 80], dear_from=50)
    assert cells.tolist() == ["most valuable", "partner", "commodity buyer", "underperformer"]
    # Without a cut the dearer half is dear, whatever the unit.
    assert account_matrix([6, 5, 1, 0], [10, 90, 20, 80]).tolist() == cells.tolist()
    assert account_matrix([6, 5, 1, 0], [0.1, 0.9, 0.2, 0.8]).tolist() == cells.tolist()
    assert account_matrix([4, 3.9], [1, 1], dear_from=2).tolist() == ["most valuable", "commodity buyer"]
    assert account_matrix([3], [5], high_from=3, dear_from=5).tolist() == ["partner"]
    for wrong, said in (((([7]), [1]), "rung"), (([1], [-1]), "cost_to_serve"), (([1, 2], [1]), "costs to serve")):
        with pytest.raises(ValueError, match=f"account_matrix.*{said}"):
            account_matrix(*wrong)


# Concentration


def test_top_shares_of_the_presets():
    assert 100 * lognormal_top_share([0.01, 0.10], presets.SIGMA_SPEND) == pytest.approx([10.1, 40.8], abs=0.051)
    assert 100 * lognormal_top_share([0.01, 0.10, 0.20], 1.045) == pytest.approx([10, 40.6, 58.1], abs=0.051)
    assert 100 * lognormal_top_share([0.20, 0.10, 0.01], presets.SIGMA_PARETO_80_20) == pytest.approx(
        [80, 65.6, 26], abs=0.1
    )


def test_sigma_for_a_wanted_top_share():
    assert lognormal_sigma([0.01, 0.20], [0.10, 0.80]) == pytest.approx([1.045, presets.SIGMA_PARETO_80_20], abs=0.0005)
    assert lognormal_customers_for_share(0.10, presets.SIGMA_SPEND) == pytest.approx(0.01, abs=0.0002)


@properties
@given(top=inner, sigma=st.floats(0, 3))
def test_top_share_and_its_two_inverses(top, sigma):
    made = lognormal_top_share(top, sigma)
    assert made >= top - 1e-12
    if made < 1 - 1e-9:  # beyond, the share no longer tells what it came from
        assert lognormal_customers_for_share(made, sigma) == pytest.approx(top, abs=1e-6)
        assert lognormal_sigma(top, max(made, top)) == pytest.approx(sigma, abs=1e-5)


def test_top_share_is_that_of_drawn_customers():
    spend = np.random.default_rng(7).lognormal(0, 1.05, 400_000)
    assert top_share(spend, [0.01, 0.1]) == pytest.approx(lognormal_top_share([0.01, 0.1], 1.05), abs=0.005)


sales = arrays(float, st.integers(1, 60), elements=st.floats(0, 1e4)).filter(lambda x: x.sum() > 1e-3)


@properties
@given(sales)
def test_decile_shares_sum_to_one_and_fall(each):
    table = decile_shares(each)
    assert table.shape == (10,)
    assert table.sum() == pytest.approx(1, abs=1e-12)
    assert np.all(np.diff(table) <= 1e-9)
    assert np.cumsum(table) == pytest.approx(top_share(each, np.linspace(0.1, 1, 10)), abs=1e-9)


@properties
@given(each=sales, wanted=share)
def test_customers_for_a_share_are_just_enough(each, wanted):
    n = round(customers_for_share(each, wanted) * len(each))
    best = np.sort(each)[::-1]
    assert best[:n].sum() >= (wanted - 1e-9) * each.sum()
    assert n == 0 or best[: n - 1].sum() <= (wanted + 1e-9) * each.sum()


def test_deciles_by_hand():
    each = [40, 20, 10, 10, 5, 5, 4, 3, 2, 1]
    assert decile_shares(each) == exactly([0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01])
    assert top_share(each, 0.05) == exactly(0.2)
    assert customers_for_share(each, [0, 0.4, 0.41, 1]).tolist() == [0, 0.1, 0.2, 1]
    assert customers_for_share([5, 0, 0, 0], 1) == 0.25


def test_bands_of_spending_are_normalised():
    published = [28.6, 45.4, 19.8, 4.1, 1.5, 0.7]
    assert [band.percentage for band in presets.ARPU_GOTONE] == published
    assert sum(published) == pytest.approx(100.1)
    assert band_probabilities().sum() == exactly(1)
    assert band_probabilities() == pytest.approx(np.array(published) / 100.1)
    bands = presets.ARPU_GOTONE
    assert bands[0].low == 0 and bands[-1].high == math.inf
    assert [band.high for band in bands[:-1]] == [band.low for band in bands[1:]]


def test_complaint_table_has_the_courses_cells():
    table = presets.COMPLAINT_REPURCHASE
    assert list(table["minor"].values()) == [0.37, 0.46, 0.70, 0.95]
    assert list(table["major"].values()) == [0.09, 0.19, 0.54, 0.82]
    assert 1 - table["major"]["silent"] == 0.91
    with pytest.raises(TypeError):
        table["minor"]["silent"] = 1


# Pricing


def test_true_gain_of_the_course():
    other = deposit_interest(10_000, 0.0225, tax=0.20)
    assert other == 180
    assert true_gain([450, 150], other).tolist() == [270, -30]
    assert true_gain(450, [180, 100]) == 270
    assert opportunity_cost([[3, 9], [5, 1]]).tolist() == [9, 5]


def test_rooms_by_hand():
    assert occupancy(80, 100) == 0.8
    assert adr(24_000, 80) == 300
    assert revpar(24_000, 100) == 240


@properties
@given(available=st.floats(1, 1e4), part=inner, price=st.floats(1, 1e4))
def test_revpar_is_adr_times_occupancy(available, part, price):
    sold = part * available
    revenue = price * sold
    assert revpar(revenue, available) == pytest.approx(adr(revenue, sold) * occupancy(sold, available))


def test_arc_elasticity():
    assert arc_elasticity(12, 8, 40, 60) == exactly(-1)
    assert arc_elasticity([12, 10], [8, 12], [40, 5], [60, 5]) == exactly([-1, 0])


@properties
@given(*[st.floats(1, 100)] * 2, *[st.floats(200, 300)] * 2)
def test_arc_elasticity_is_the_same_both_ways(p0, q0, p1, q1):
    assert arc_elasticity(p0, p1, q0, q1) == pytest.approx(arc_elasticity(p1, p0, q1, q0))


@properties
@given(cost=st.floats(0, 100), margin=st.floats(1, 100), part=st.floats(0, 0.95), sold=st.floats(1, 1e4))
def test_break_even_leaves_profit_as_it_was(cost, margin, part, sold):
    cut = part * margin
    more = sold * (1 + break_even_sales_rise(cost + margin, cost, cut))
    assert more * (margin - cut) == pytest.approx(sold * margin, rel=1e-9)


def test_break_even_by_hand():
    assert break_even_sales_rise(300, 90, 60) == exactly(0.4)


# Input that cannot be


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clv(1, 1.2, 0.1), r"clv: retention is 1.2; it must lie in \[0, 1\]"),
        (lambda: clv(1, [0.5, -0.1], 0.1), r"clv: retention is -0.1; it must lie in \[0, 1\]"),
        (lambda: clv(math.nan, 0.5, 0.1), r"clv: margin is nan"),
        (lambda: clv("much", 0.5, 0.1), r"clv: margin is 'much'; it must be numbers in \(-inf, inf\)"),
        (lambda: clv(1, 1, 0), "clv: retention is 1 and discount 0, which has no end"),
        (lambda: clv(1, 0.5, 0.1, "both"), "first_margin is 'both'; it must be 'excluded' or 'included'"),
        (lambda: expected_lifetime(1), r"retention is 1; it must lie in \[0, 1\)"),
        (lambda: survival_clv([1, 0.5, 0.6], 1, 0.1), "survival rises"),
        (lambda: survival_clv([1, 0.5], [1, 2, 3], 0.1), "3 margins and 2 ticks of survival"),
        (lambda: survival_clv(1, 1, 0.1), r"survival must be a list of at least one number in \[0, 1\]"),
        (lambda: switching_clv([1, 0], [[1, 0]], 1, 0.1), r"switching has shape \(1, 2\)"),
        (lambda: switching_clv([1, 0], [[0.5, 0.4], [0, 1]], 1, 0.1), "a row of switching sums to 0.9; it must be 1"),
        (lambda: switching_clv([0.6, 0.6], np.eye(2), 1, 0.1), "a row of start sums to 1.2"),
        (lambda: switching_clv([1], np.eye(2), 1, 0.1), "1 brands in start and 2 in switching"),
        (lambda: switching_clv([1, 0], np.eye(2), 1, 0), r"discount is 0; it must lie in \(0, inf\)"),
        (lambda: switching_clv([1, 0], np.eye(2), 1, 0, 0), "ticks is 0; it must be a whole number of at least 1"),
        (lambda: retention_profit_effect(0.97, 0.05), r"retention \+ increase is 1.02; it must lie in \[0, 1\]"),
        (lambda: profit_layers(1, [[1]], 1, 1), "quantity has 2 axes"),
        (lambda: profit_layers(1, [1, 2], [1, 2, 3], 1), "3 values of price and 2 of quantity"),
        (
            lambda: survivor_curve([5, 3], [1, 4]),
            r"more lost than at risk at position 1; lost must lie in \[0, at_risk\]",
        ),
        (lambda: survivor_curve([5, 3], [1]), "2 values of at_risk and 1 of lost"),
        (lambda: sbg_survivor_curve(1, 0, 3), r"beta is 0; it must lie in \(0, inf\)"),
        (lambda: sbg_survivor_curve(1, 1, 2.5), "ticks is 2.5; it must be a whole number of at least 1"),
        (lambda: sbg_retention(1, 1, 0), r"tenure is 0; it must lie in \[1, inf\)"),
        (lambda: monthly_rate(25), r"annual is 25; it must lie in \[0, 1\]"),
        (lambda: funnel_conversion([]), "stage_rates must be a list of at least one number"),
        (lambda: cost_per_sale(6, 0), r"success is 0; it must lie in \(0, 1\]"),
        (lambda: unit_cost(1, 1, -1, 1), r"promotion is -1; it must lie in \[0, inf\)"),
        (lambda: referral_programme(1, 1, 10, 11, 1), r"maintained is 11; it must lie in \(0, 10.0\]"),
        (lambda: required_new_customers(100, 0.1, 66), r"repurchase is 66; it must lie in \[0, 1\]"),
        (lambda: bass_adopters(1, 0, 0.4), "nobody ever adopts"),
        (lambda: satisfaction_index([0.5, 0.5], [0, 0]), "weights are all 0; at least one must be positive"),
        (lambda: satisfaction_index([0.5, 0.5], [1, 1, 1]), "2 scores and 3 weights"),
        (lambda: loyalty_composite(0.5, 0.5, 0.5, 7, 0.5), r"loyalty_composite: recommendation is 7"),
        (lambda: customer_class(0.5, 0.6, 0.4), r"reward_from is 0.4; it must lie in \[0.6, 1\]"),
        (lambda: lognormal_sigma(0.2, 0.1), "share is less than top"),
        (lambda: decile_shares([0, 0]), "sales are all 0"),
        (lambda: decile_shares([[1, 2]]), "sales has 2 axes"),
        (lambda: occupancy(11, 10), r"sold is more than available; it must lie in \[0, available\]"),
        (lambda: arc_elasticity(5, 5, 1, 2), "price_before and price_after are the same"),
        (lambda: arc_elasticity(5, 6, 0, 0), "quantity_before and quantity_after are both 0"),
        (lambda: break_even_sales_rise(10, 4, 6), r"cut takes the whole margin; it must lie in \[0, price"),
        (lambda: opportunity_cost([]), "alternatives is empty"),
    ],
)
def test_impossible_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_every_function_says_where_it_comes_from(function):
    assert function.__doc__ and function.__doc__.startswith(("Return ", "Split ", "Work out "))
    assert "return" in function.__annotations__


def test_numbers_in_numbers_out():
    for value in (clv(1, 0.5, 0.1), survival_clv([1, 0.5], 1, 0.1), top_share([1, 2], 0.5), bass_adopters(1, 0.1, 0.1)):
        assert isinstance(value, float)
    assert clv(np.ones((3, 1)), [0.5, 0.6], 0.1).shape == (3, 2)

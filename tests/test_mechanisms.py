"""The rules: their closed forms, their signs and limits, and compiled = interpreted, bit for bit."""

from __future__ import annotations

import importlib
import itertools
import math
import pkgutil
from collections.abc import Callable
from functools import cache

import numba
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special, stats

import churnsim.mechanisms
from churnsim.mechanisms import arithmetic, involuntary, traits
from churnsim.mechanisms.attachment import attachment, contact_effect, obliged
from churnsim.mechanisms.attention import attention, price_above, price_below
from churnsim.mechanisms.attribution import chord, share
from churnsim.mechanisms.experience import crowding, expectation, experience, learn, spillover, stay_satisfaction
from churnsim.mechanisms.failure import forgiven, mended
from churnsim.mechanisms.firm import expected_stays, funded, quality_after, quality_bought, spendable
from churnsim.mechanisms.memory import reference_price, sunk_cost
from churnsim.mechanisms.rule import interpreted
from churnsim.mechanisms.value import (
    core_gate,
    cue_value,
    firm_value,
    moving_cost,
    quality_value,
    termination_barrier,
    transaction_utility,
)
from churnsim.mechanisms.word_of_mouth import hears, people_told, telling
from churnsim.randomness import Stream, stream_key, uniforms

F = np.float32
ULP = 2.0**-23
DRAWS = 400


# ------------------------------------------------------------------ compiled and interpreted


def collected() -> dict[str, Callable]:
    """Return every rule of the package of mechanisms, by its dotted name."""
    rules = {}
    for info in pkgutil.iter_modules(churnsim.mechanisms.__path__):
        module = importlib.import_module(f"churnsim.mechanisms.{info.name}")
        for name, value in vars(module).items():
            if hasattr(value, "py_func") and value.py_func.__module__ == module.__name__:
                rules[f"{info.name}.{name}"] = value
    return rules


def edged(values: np.ndarray, *edges: float) -> np.ndarray:
    """Return single-precision values, some of them replaced by edge cases."""
    rng = np.random.default_rng(values.size)
    out = values.astype(F)
    places = rng.random(out.size) < 0.3
    if edges:
        out[places] = rng.choice(np.array(edges, F), places.sum())
    return out


KINDS: dict[str, Callable[[np.random.Generator], list]] = {
    "unit": lambda r: list(edged(r.random(DRAWS), 0, 1, 0.5)),
    "luck": lambda r: list(edged((r.integers(0, 2**23, DRAWS) + 0.5) * 2.0**-23, 2.0**-24, 1 - 2.0**-24)),
    "money": lambda r: list(edged(r.lognormal(4, 2, DRAWS), 0, 300)),
    "amount": lambda r: list(edged(r.normal(0, 200, DRAWS), 0)),
    "positive": lambda r: list(edged(r.lognormal(0, 2, DRAWS), 0.01, 1)),
    "factor": lambda r: list(edged(1 + r.exponential(1, DRAWS), 1, 2)),
    "exponent": lambda r: list(edged(r.normal(0, 40, DRAWS), 0, -87, -88, 88, 89, 1e30, -1e30)),
    "logodds": lambda r: list(edged(r.normal(0, 4, DRAWS), 0)),
    "normal": lambda r: list(r.normal(0, 1, DRAWS).astype(F)),
    "few": lambda r: list(r.integers(0, 5, DRAWS).astype(F)),
    "ticks": lambda r: list(r.integers(0, 24, DRAWS).astype(F)),
    "hazard": lambda r: list(edged(r.random(DRAWS) * 0.3, 0)),
    "flag": lambda r: [bool(x) for x in r.random(DRAWS) < 0.5],
    "people": lambda r: list(edged(r.random(DRAWS) * 64, 0, 4.5, 9, 64)),
    "told": lambda r: list(r.integers(0, 65, DRAWS).astype(np.uint8)),
    "contacts": lambda r: list(r.integers(1, 65, DRAWS)),
    "kind": lambda r: list(r.integers(0, 5, DRAWS)),
    "exit": lambda r: list(r.integers(0, 6, DRAWS).astype(np.uint8)),
    "age": lambda r: list(r.integers(0, 80, DRAWS).astype(np.int16)),
    "length": lambda r: list(r.integers(1, 60, DRAWS)),
    "stages": lambda r: list(r.integers(1, 12, DRAWS)),
    "referrer": lambda r: list(r.integers(0, 4, DRAWS).astype(np.uint8)),
    "table": lambda r: [np.sort(r.random(33)).astype(F) for _ in range(DRAWS)],
}
"""Generators of arguments, by what they mean."""

ARGUMENTS = {
    "acquisition.becomes_aware": "hazard hazard unit unit unit",
    "arithmetic.clip": "amount unit money",
    "arithmetic.positive": "amount",
    "arithmetic.exp": "exponent",
    "arithmetic.log": "positive",
    "arithmetic.logistic": "exponent",
    "arithmetic.gumbel": "luck",
    "arithmetic.normal": "luck",
    "attachment.contacts_received": "people luck",
    "attachment.contact_effect": "few unit positive",
    "attachment.attachment": "unit unit unit unit unit unit",
    "attachment.receive": "unit positive unit",
    "attachment.receptiveness": "positive positive flag factor",
    "attachment.obliged": "unit money positive positive unit",
    "attention.price_above": "money money",
    "attention.price_below": "money money",
    "attention.triggers": "unit flag flag unit logodds logodds logodds logodds",
    "attention.attention": "unit logodds positive logodds",
    "attribution.chord": "money money unit unit money",
    "attribution.share": "amount money",
    "experience.crowding": "positive positive unit",
    "experience.experience": "unit unit unit normal",
    "experience.learn": "unit unit unit",
    "experience.expectation": "unit unit unit unit",
    "experience.spillover": "unit unit unit",
    "experience.stay_satisfaction": "unit unit unit positive factor positive",
    "failure.complains": "logodds positive unit logodds unit logodds",
    "failure.encounter_chance": "unit unit unit",
    "failure.failure_chance": "unit unit",
    "failure.forgiven": "money unit unit",
    "failure.mended": "unit unit unit unit unit unit unit",
    "involuntary.gone_for_good": "exit",
    "involuntary.involuntary_exit": "luck hazard hazard hazard flag flag",
    "loyalty_card.points_worth": "money positive unit positive",
    "memory.reference_price": "money money unit",
    "memory.sunk_cost": "money unit money",
    "needs.attribute_value": "unit positive unit unit unit",
    "needs.boredom": "money ticks positive",
    "needs.come_so_far": "stages unit stages",
    "needs.sensitised": "unit flag unit unit",
    "needs.filled_up": "positive positive",
    "needs.sensitivity_term": "unit positive amount unit unit",
    "needs.stage_of": "age length stages",
    "offers.conceded": "unit unit unit",
    "referral.referring": "unit unit unit positive unit factor",
    "referral.suited": "amount unit amount",
    "referral.willingness": "referrer money positive flag unit",
    "traits.trait": "luck kind money positive table",
    "value.core_gate": "unit unit",
    "value.quality_value": "unit money unit",
    "value.transaction_utility": "money money unit factor",
    "value.cue_value": "amount money flag",
    "value.termination_barrier": "money ticks ticks",
    "value.firm_value": "money money positive amount unit money amount amount",
    "value.moving_cost": "money money money flag flag flag flag",
    "word_of_mouth.telling": "unit unit unit",
    "word_of_mouth.people_told": "luck people",
    "word_of_mouth.hears": "luck told contacts",
}
"""Kinds of every rule's arguments; a rule without an entry fails below."""


KINDS_OF_RESULT = (np.float32, bool, np.bool_, np.uint8, np.int64, int)


def test_every_rule_is_tested():
    """A rule that is added needs arguments here; one that is gone needs none."""
    assert len(ARGUMENTS) > 30
    assert set(collected()) == set(ARGUMENTS)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_compiled_and_interpreted_agree_bit_for_bit(name):
    """A rule gives the same bits both ways, and never leaves single precision."""
    rule = collected()[name]
    plain = interpreted(rule)
    rng = np.random.default_rng(20)
    arguments = list(zip(*(KINDS[kind](rng) for kind in ARGUMENTS[name].split()), strict=True))
    assert len(arguments) == DRAWS
    results = set()
    for values in arguments:
        with np.errstate(over="ignore"):
            fast, slow = rule(*values), plain(*values)
        assert isinstance(slow, KINDS_OF_RESULT), f"{type(slow)} from plain Python"
        assert F(fast).tobytes() == F(slow).tobytes(), (values, fast, slow)
        results.add(float(fast))
    assert len(results) > 1
    returned = {str(signature.return_type) for signature in rule.nopython_signatures}
    assert returned <= {"float32", "bool", "int64", "uint8"}, returned


# ------------------------------------------------------------------ elementary functions


@cache
def over(rule) -> Callable[[np.ndarray], np.ndarray]:
    """Return a rule of one argument as a compiled loop over an array."""

    @numba.njit
    def loop(x):
        out = np.empty(x.size, np.float32)
        for i in range(x.size):
            out[i] = rule(x[i])
        return out

    return loop


def quantile_grid() -> np.ndarray:
    """Return uniform numbers that can be drawn: all in the tails, some in between."""
    n = np.unique(np.r_[np.arange(30_000), np.arange(0, 2**23, 29), 2**23 - 1 - np.arange(30_000)])
    return ((n + 0.5) * 2.0**-23).astype(F)


def test_exp():
    """Within an ulp of the truth from -87 to 88, flat beyond."""
    x = np.r_[np.linspace(-87, 88, 500_001), np.linspace(-1, 1, 200_001), 0].astype(F)
    np.testing.assert_allclose(over(arithmetic.exp)(x), np.exp(x.astype(float)), rtol=1e-7)
    beyond = over(arithmetic.exp)(np.array([-88, -1e30, -np.inf, 89, 1e30, np.inf], F)).astype(float)
    np.testing.assert_allclose(beyond, np.exp([-87.0] * 3 + [88.0] * 3), rtol=1e-7)


def test_log():
    """Within an ulp of the truth over all normal numbers, also next to 1 where the truth is near 0."""
    every = np.r_[np.arange(0x00800000, 0x7F800000, 5003), np.arange(0x3F7F0000, 0x3F810000, 3), 0x7F7FFFFF]
    x = every.astype(np.uint32).view(F)
    np.testing.assert_allclose(over(arithmetic.log)(x), np.log(x.astype(float)), rtol=1e-7)
    assert arithmetic.log(F(1)) == 0


def test_logistic():
    """The logistic function, to the limits of single precision."""
    x = np.linspace(-80, 100, 300_001).astype(F)
    np.testing.assert_allclose(over(arithmetic.logistic)(x), special.expit(x.astype(float)), rtol=3e-7)


def test_normal_quantile():
    """The normal quantile over everything that can be drawn: rising, antisymmetric, right to 1e-6."""
    u = quantile_grid()
    z = over(arithmetic.normal)(u)
    np.testing.assert_allclose(z, special.ndtri(u.astype(float)), rtol=4e-7, atol=0)
    assert (np.diff(z) > 0).all()
    np.testing.assert_array_equal(z[:30_000], -z[::-1][:30_000])


def test_gumbel_quantile():
    """The Gumbel quantile over everything that can be drawn: rising and right to the last bits."""
    u = quantile_grid()
    g = over(arithmetic.gumbel)(u)
    truth = -np.log(-np.log(u.astype(float)))
    assert (np.abs(g - truth) <= 2e-7 * np.maximum(1, np.abs(truth))).all()
    assert (np.diff(g) >= 0).all()


def test_drawn_shocks_have_their_moments():
    """Gumbel and normal shocks of 200 000 customers: means and spreads within 4 standard errors."""
    u = uniforms(stream_key(1, Stream.OPTION, 1), np.arange(200_000))
    g, z = (over(rule)(u).astype(float) for rule in (arithmetic.gumbel, arithmetic.normal))
    assert abs(g.mean() - np.euler_gamma) < 4 * np.pi / np.sqrt(6 * u.size)
    assert abs(g.var() - np.pi**2 / 6) < 4 * np.sqrt(4.4 * np.pi**4 / 36 / u.size)  # kurtosis 5.4
    assert abs(z.mean()) < 4 / np.sqrt(u.size)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / u.size)


SIGMA = math.sqrt(math.log(1.25))  # of the logarithm, at a coefficient of variation of 1/2


@pytest.mark.parametrize(
    ("kind", "centre", "spread", "truth"),
    [
        (traits.NORMAL, 300, 70, stats.norm(300, 70)),
        (traits.LOGNORMAL, 110, SIGMA, stats.lognorm(SIGMA, scale=110 / math.sqrt(1.25))),
        (traits.UNIFORM, 20, 200, stats.uniform(20, 200)),
    ],
)  # fmt: skip
def test_traits_are_quantiles_of_their_distribution(kind, centre, spread, truth):
    """The quantile function, rising in the uniform number; the lognormal by mean and coefficient of variation."""
    empty = np.zeros(2, F)
    u = quantile_grid()[::97]
    values = np.array([traits.trait(x, kind, F(centre), F(spread), empty) for x in u])
    expected = truth.ppf(u.astype(float))
    if kind == traits.NORMAL:
        expected = np.clip(expected, centre - 4 * spread, centre + 4 * spread)
    np.testing.assert_allclose(values, expected, rtol=3e-6, atol=3e-6 * truth.std())
    if kind == traits.LOGNORMAL:
        assert truth.mean() == pytest.approx(110)
        assert truth.std() == pytest.approx(55)


def test_a_table_of_quantiles_is_interpolated():
    """At its own steps the table is exact, between them linear, and both ends are inside."""
    table = np.array([0, 1, 4, 9, 16], F)
    at = [0.25, 0.5, 0.75, 0.125, 0.9, 2.0**-24, 1 - 2.0**-24]
    values = [traits.trait(F(u), traits.TABLE, F(0), F(0), table) for u in at]
    np.testing.assert_allclose(values, np.interp(at, [0, 0.25, 0.5, 0.75, 1], table), rtol=1e-5)


# ------------------------------------------------------------------ closed forms


def iterate(rule, value, steps: int) -> np.ndarray:
    """Return the path of `value` under a rule, its start first, in the precision of the start."""
    path = [value]
    for _ in range(steps):
        path.append(type(value)(rule(path[-1])))
    return np.array(path, float)


def test_quality_stock_a7():
    """q_t = q* + (q0 - q*)(1 - d)^t with q* = 1 - exp(-s / s0); 80 of 60 buys .7364, half-life 6.6 ticks."""
    target = quality_bought(80, 60)
    assert target == pytest.approx(0.7364, abs=5e-5)
    t = np.arange(61)
    for start in (0, 0.3, 1):
        path = iterate(lambda q: quality_after(q, target, 0.1), float(start), 60)
        np.testing.assert_allclose(path, target + (start - target) * 0.9**t, rtol=1e-12)
    assert math.log(2) / -math.log(0.9) == pytest.approx(6.6, abs=0.05)
    gap = np.abs(iterate(lambda q: quality_after(q, target, 0.1), 0.0, 7) - target)
    assert gap[7] < gap[0] / 2 < gap[6]
    assert quality_bought(0, 60) == 0


@pytest.mark.parametrize("rate", [0.02, 0.15, 0.3, 1])
def test_constant_input_gives_a_geometric_path_a8(rate):
    """Belief, reference price and expectation close a constant share of the gap every time."""
    t = np.arange(41)
    for rule, start, aim in (
        (lambda x: learn(x, F(0.9), F(rate)), 0.2, 0.9),
        (lambda x: reference_price(x, F(225), F(rate)), 300, 225),
        (lambda x: expectation(x, F(0.9), F(rate), F(0)), 0.2, 0.9),
        (lambda x: expectation(x, F(0.1), F(0), F(rate)), 0.8, 0.1),
        (lambda x: spillover(x, F(0.9), F(rate)), 0.2, 0.9),
    ):
        path = iterate(rule, F(start), 40)
        np.testing.assert_allclose(path, aim + (start - aim) * (1 - rate) ** t, rtol=0, atol=8 * ULP * abs(start + aim))
    assert expectation(F(0.2), F(0.9), F(0), F(1)) == F(0.2)
    assert expectation(F(0.9), F(0.2), F(1), F(0)) == F(0.9)
    assert spillover(F(0.9), F(0.2), F(1)) == F(0.9)


def test_expected_stays_are_smoothed():
    """The budget's memory is geometric too: weight .5 is half of the last tick and half of the past."""
    path = iterate(lambda x: expected_stays(x, 100, 0.5), 20.0, 10)
    np.testing.assert_allclose(path, 100 - 80 * 0.5 ** np.arange(11), rtol=1e-12)


@pytest.mark.parametrize("intensity", [0, 0.2, 0.4, 0.76, 1])
@pytest.mark.parametrize("satisfaction", [0.1, 0.3, 0.5, 0.9])
def test_attachment_path_and_fixed_point_a9(intensity, satisfaction):
    """A_t goes to g / (g + d (1 - u)), g = growth u [S - floor]^+; without contact it decays as (1 - d)^t."""
    growth, floor, decay = 0.15, 0.3, 0.03
    g = growth * intensity * max(satisfaction - floor, 0)
    loss = decay * (1 - intensity)
    for start in (0, 0.2, 1):
        path = iterate(
            lambda a: attachment(a, F(intensity), F(satisfaction), F(growth), F(floor), F(decay)), F(start), 300
        )
        limit = g / (g + loss) if g + loss > 0 else start
        expected = limit + (start - limit) * (1 - g - loss) ** np.arange(301)
        np.testing.assert_allclose(path, expected, atol=3e-6)
        if intensity == 0:
            np.testing.assert_allclose(path, start * 0.97 ** np.arange(301), atol=1e-6)


def test_a_second_equal_favour_does_less():
    """An unexpected favour obliges, a greater one more; the next like it less, until the first is forgotten (S66)."""
    scale, bond = F(30), F(0.1)
    once = obliged(F(0.2), F(20), scale, F(0), bond)
    assert once == pytest.approx(0.2 + 0.1 * (1 - math.exp(-20 / 30)) * 0.8, rel=1e-6)
    assert F(0.2) < obliged(F(0.2), F(10), scale, F(0), bond) < once < obliged(F(0.2), F(40), scale, F(0), bond)
    gains = [obliged(F(0.2), F(20), scale, F(n), bond) - F(0.2) for n in range(6)]
    np.testing.assert_allclose(gains, gains[0] / (1 + np.arange(6)), rtol=1e-5)
    # Even from where the first has left it: what is missing to 1 has shrunk too.
    assert obliged(once, F(20), scale, F(1), bond) - once < once - F(0.2)
    assert obliged(F(0.2), F(0), scale, F(0), bond) == F(0.2)
    assert obliged(F(1), F(1e6), scale, F(0), F(1)) == 1


@pytest.mark.parametrize("tolerance", [0.2, 0.4, 0.8])
def test_the_attached_tolerate_a_failure(tolerance):
    """The loss that remains falls linearly in attachment, by the share `tolerance` at most (course S48)."""
    remains = [forgiven(F(90), F(a), F(tolerance)) for a in np.linspace(0, 1, 11)]
    np.testing.assert_allclose(remains, 90 * (1 - tolerance * np.linspace(0, 1, 11)), rtol=1e-5)
    assert (np.diff(remains) < 0).all()
    assert forgiven(F(90), F(1), F(0)) == 90


def test_an_apology_before_the_inquiry_counts():
    """Courtesy mends by itself, whatever is paid and however fast; rudeness mends nothing (course S74).

    Being there first, listening and apologising before asking are the interactional justice of Tax, Brown &
    Chandrashekaran 1998, beside compensation (distributive) and speed (procedural).
    """

    def share(courtesy, compensation, speed, interactional=0.3):
        numbers = (0.1, 0.3, compensation, interactional, courtesy, 0.4, speed)
        return mended(*(F(number) for number in numbers))

    for compensation, speed in itertools.product((0, 0.3, 0.5), (0, 1)):
        rude, polite = share(0, compensation, speed), share(1, compensation, speed)
        assert polite - rude == pytest.approx(min(0.3, 1 - rude), abs=1e-6)
        assert share(1, compensation, speed, 0) == pytest.approx(rude)
    # An apology that costs nothing is worth as much as the whole price paid back without a word.
    assert share(1, 0, 0) == pytest.approx(share(0, 1, 0))


def test_sunk_cost_after_one_payment_a10():
    """K_t = F (1 - d)^t: half of a payment is forgotten after 1.6 ticks."""
    path = iterate(lambda k: sunk_cost(k, F(0.35), F(0)), F(300), 20)
    np.testing.assert_allclose(path, 300 * 0.65 ** np.arange(21), rtol=20 * ULP)


@pytest.mark.parametrize("period", [1, 3, 12])
def test_sunk_cost_is_a_sawtooth_under_a_periodic_fee_a10(period):
    """A fee every T ticks: peaks at F / (1 - (1 - d)^T), falling geometrically in between."""
    stock, path = F(0), []
    for tick in range(40 * period):
        stock = F(sunk_cost(stock, F(0.35), F(300) if tick % period == 0 else F(0)))
        path.append(stock)
    peak = 300 / (1 - 0.65**period)
    np.testing.assert_allclose(path[-period:], peak * 0.65 ** np.arange(period), rtol=1e-5)


# ------------------------------------------------------------------ word of mouth


def test_people_told_is_the_poisson_quantile():
    """Against scipy's quantile at 20 000 probabilities; single precision may tie at a step's very edge."""
    u = quantile_grid()[::17].astype(float)
    for mean in (0, 0.3, 4.5, 9, 20):
        told = np.array([people_told(F(x), F(mean)) for x in u])
        ahead, behind = (stats.poisson.ppf(np.clip(u + e, 1e-12, 1 - 1e-9), mean) for e in (4e-7, -4e-7))
        assert ((told <= ahead) & (told >= behind)).all()
    assert people_told(F(1 - 2.0**-24), F(64)) <= 64


def test_dissatisfied_tell_nine_people():
    """Mean 9 and variance 9 over 20 000 customers, within 3 standard errors."""
    u = uniforms(stream_key(1, Stream.AUDIENCE, 1), np.arange(20_000))
    told = np.array([people_told(x, F(9)) for x in u])
    assert abs(told.mean() - 9) < 3 * 3 / np.sqrt(told.size)
    assert abs(told.var() - 9) < 3 * np.sqrt((9 + 2 * 81) / told.size)


@pytest.mark.parametrize(("told", "contacts", "chance"), [(0, 8, 0), (3, 8, 3 / 8), (8, 8, 1), (20, 8, 1), (1, 1, 1)])
def test_each_acquaintance_hears_with_the_share_of_people_told(told, contacts, chance):
    """Somebody who tells 3 of 8 acquaintances reaches each with probability 3/8."""
    u = uniforms(stream_key(1, Stream.HEARING, 1), np.arange(20_000))
    heard = np.mean([hears(x, np.uint8(told), contacts) for x in u])
    assert abs(heard - chance) <= 4 * np.sqrt(chance * (1 - chance) / u.size)


# ------------------------------------------------------------------ involuntary exits


def test_involuntary_exits_split_the_unit_interval():
    """Hazards exclude each other, in order; who is with nobody can only leave the market."""
    u = uniforms(stream_key(1, Stream.INVOLUNTARY, 1), np.arange(40_000))
    hazards = F(0.1), F(0.2), F(0.05)
    kinds = involuntary.NATURAL, involuntary.LAPSE, involuntary.CREDIT

    def frequencies(with_firm: bool, open_: bool) -> np.ndarray:
        exits = [involuntary.involuntary_exit(x, *hazards, with_firm, open_) for x in u]
        return np.bincount(exits, minlength=5) / u.size

    error = 4 * np.sqrt(0.25 / u.size)
    client, outsider, orphan = frequencies(True, True), frequencies(False, True), frequencies(True, False)
    np.testing.assert_allclose(client[list(kinds)], hazards, atol=error)
    assert client[involuntary.CLOSURE] == 0
    assert outsider[involuntary.NATURAL] == client[involuntary.NATURAL]
    assert outsider[list(kinds[1:])].sum() == outsider[involuntary.CLOSURE] == 0
    assert orphan[involuntary.NATURAL] + orphan[involuntary.CLOSURE] == 1
    assert orphan[involuntary.NATURAL] == client[involuntary.NATURAL]


# ------------------------------------------------------------------ signs and limits

properties = settings(max_examples=300, deadline=None, derandomize=True, database=None)


def numbers(low: float, high: float) -> st.SearchStrategy:
    """Single-precision numbers between two limits."""
    return st.floats(float(F(low)), float(F(high)), width=32, allow_subnormal=False).map(F)


unit = numbers(0, 1)
price = numbers(1, 10_000)
flags = st.booleans()


@properties
@given(unit, unit, numbers(-5, 5), numbers(0, 10), numbers(0, 3), numbers(0, 3))
def test_attention_falls_in_satisfaction_and_rises_with_triggers(a, b, base, slope, low, high):
    low, high, a, b = *sorted((low, high)), *sorted((a, b))
    content, unhappy = attention(b, base, slope, low), attention(a, base, slope, low)
    assert 0 <= content <= 1
    assert content <= unhappy * (1 + 2 * ULP)
    assert attention(a, base, slope, low) <= attention(a, base, slope, high) * (1 + 2 * ULP)
    if slope * (b - a) > 1e-4 * (1 + abs(base)) and abs(base) + slope < 10:
        assert content < unhappy
    assert attention(F(0.5), base, slope, F(0)) == arithmetic.logistic(base)


@properties
@given(price, price, unit, numbers(1, 10))
def test_losses_against_the_reference_weigh_more_than_gains(reference, step, weight, aversion):
    assume(step < reference)
    gain = transaction_utility(reference, reference - step, weight, aversion)
    loss = transaction_utility(reference, reference + step, weight, aversion)
    assert loss <= 0 <= gain
    assert -loss >= gain * (1 - 1e-3) - 1e-2  # the step itself is rounded
    assert transaction_utility(reference, reference, weight, aversion) == 0
    for one, other, factor in ((gain, step, 1.0), (-loss, step, float(aversion))):
        assert one == pytest.approx(float(weight) * factor * float(other), rel=1e-2, abs=1e-2)


def test_loss_aversion_is_the_ratio_of_slopes():
    """At 300, the default: ten off is worth 5, ten on costs 10."""
    assert transaction_utility(F(300), F(290), F(0.5), F(2)) == 5
    assert transaction_utility(F(300), F(310), F(0.5), F(2)) == -10


@properties
@given(price, price)
def test_a_price_is_above_or_below_what_one_is_used_to(now, used):
    above, below = price_above(now, used), price_below(now, used)
    assert above >= 0 <= below <= 1
    assert above == 0 or below == 0
    assert (above > 0) == (now > used)
    assert (below > 0) == (now < used)
    assert above - below == pytest.approx((float(now) - float(used)) / float(used), rel=1e-3, abs=1e-6)
    assert price_above(now, F(0)) == price_below(now, F(0)) == 0


@properties
@given(unit, unit, numbers(0.01, 1), numbers(0, 1000))
def test_core_quality_gates_everything(a, b, floor, theta):
    a, b = sorted((a, b))
    assert 0 <= core_gate(a, floor) <= core_gate(b, floor) <= 1
    assert (core_gate(a, floor) == 1) == (a >= floor)
    assert core_gate(F(0), floor) == 0
    assert core_gate(a, F(0)) == 1
    assert quality_value(a, theta, floor) <= quality_value(b, theta, floor) <= theta * b * (1 + ULP)
    if a >= floor:
        assert quality_value(a, theta, floor) == theta * a


@properties
@given(st.integers(0, 30).map(F), unit, unit, numbers(0.01, 100))
def test_contact_effect_is_a_share_that_grows_with_richness(n, poor, rich, satiation):
    poor, rich = sorted((poor, rich))
    assert 0 <= contact_effect(n, poor, satiation) <= contact_effect(n, rich, satiation) <= 1
    assert contact_effect(F(0), rich, satiation) == 0
    assert contact_effect(F(1), rich, satiation) == rich
    if n >= 1 and satiation >= 1:
        fewer, more = contact_effect(n, rich, satiation), contact_effect(n + F(1), rich, satiation)
        assert more >= fewer * (1 - 2 * ULP)
        assert more - fewer <= rich + 1e-6


@properties
@given(unit, unit, unit, unit, unit, unit, unit)
def test_attachment_stays_a_share_and_has_the_right_signs(level, intensity, stronger, sad, glad, growth, decay):
    (intensity, stronger), (sad, glad) = sorted((intensity, stronger)), sorted((sad, glad))
    floor = F(0.3)
    after = attachment(level, intensity, sad, growth, floor, decay)
    assert -1e-7 <= after <= 1 + 1e-6
    assert after <= attachment(level, stronger, sad, growth, floor, decay) + 3e-7
    assert after <= attachment(level, intensity, glad, growth, floor, decay) + 3e-7
    assert attachment(level, F(0), glad, growth, floor, decay) == pytest.approx(level * (1 - decay), abs=3e-7)
    if sad <= floor:
        assert after <= level


@properties
@given(unit, unit, unit, numbers(0.1, 3), numbers(1, 10))
def test_falling_short_weighs_more_than_exceeding(expected, gap, mean, weight, aversion):
    """Away from the limits of the scale, and apart from absolute performance, the slopes' ratio is the aversion."""
    gap = F(gap * F(0.49) / (weight * aversion))
    assume(0.001 < gap <= min(expected, 1 - expected))
    better, worse = (stay_satisfaction(expected + g, expected, mean, weight, aversion, F(0)) - 0.5 for g in (gap, -gap))
    assert worse < 0 < better
    assert -worse >= better * aversion * (1 - 1e-3)
    assert -worse == pytest.approx(better * float(aversion), rel=1e-2)


def test_default_asymmetry_of_satisfaction():
    """V18: with absolute performance counted in, the slope below is still over 1.3 times the slope above."""
    at = [stay_satisfaction(F(0.7 + d), F(0.7), F(0.7), F(1.5), F(2), F(1)) for d in (-0.05, 0, 0.05)]
    assert (at[1] - at[0]) / (at[2] - at[1]) == pytest.approx(4 / 2.5, rel=1e-4)
    assert at[1] == 0.5


@properties
@given(unit, unit, unit, unit, unit, numbers(0, 5), numbers(1, 5), numbers(0, 5))
def test_satisfaction_signs(low, high, expected, more, mean, gap, aversion, performance):
    (low, high), (expected, more) = sorted((low, high)), sorted((expected, more))
    weights = gap, aversion, performance
    felt = stay_satisfaction(low, expected, mean, *weights)
    assert 0 <= felt <= stay_satisfaction(high, expected, mean, *weights) + 1e-6 <= 1 + 1e-6
    assert stay_satisfaction(low, more, mean, *weights) <= felt + 1e-6


@properties
@given(unit, unit, unit, unit, unit)
def test_expectations_move_towards_experience_and_up_with_rivals(expected, felt, up, down, rate):
    after = expectation(expected, felt, up, down)
    low, high = sorted((expected, felt))
    assert low - 1e-7 <= after <= high + 1e-7
    assert expected <= spillover(expected, felt, rate) <= max(expected, felt) + 1e-7
    assert low - 1e-7 <= learn(expected, felt, rate) <= high + 1e-7


@properties
@given(numbers(0, 5), numbers(0.01, 5), numbers(0, 1), unit, numbers(-4, 4), numbers(0, 0.3))
def test_crowding_only_hurts_above_capacity(load, capacity, strength, quality, luck, noise):
    crowd = F(crowding(load, capacity, strength))
    assert crowd >= 0
    assert crowd == 0 or load > capacity
    assert crowding(F(2) * capacity, capacity, strength) == pytest.approx(strength)
    felt = experience(quality, crowd, noise, luck)
    assert 0 <= felt <= experience(quality, F(0), noise, luck) <= 1


@properties
@given(numbers(0, 1000), st.integers(0, 60), st.integers(0, 80))
def test_termination_barrier_is_a_calendar(fee, length, tenure):
    """The whole fee on the first day, nothing from the end on, a straight line in between."""
    barrier = termination_barrier(fee, F(length), F(tenure))
    left = max(length - tenure, 0)
    assert barrier == pytest.approx(float(fee) * left / max(length, 1), rel=1e-6)
    assert (barrier == 0) == (left == 0 or fee == 0)


def test_who_pays_which_cost_of_moving():
    """Switching cost on moves but a newcomer's; transaction cost on first contracts; barrier on leaving a firm."""
    for from_firm, to_firm, known, newcomer in itertools.product((False, True), repeat=4):
        expected = (0 if newcomer else 100) + (10 if from_firm else 0) + (1 if to_firm and not known else 0)
        assert moving_cost(F(100), F(1), F(10), from_firm, to_firm, known, newcomer) == expected


def test_value_of_a_firm():
    """Every term enters once, with its sign, in money."""
    terms = dict(
        quality=300, price=200, price_weight=1.5, gain=-20, attachment=0.5, attachment_value=80, taste=7, cue=3
    )
    assert firm_value(*map(F, terms.values())) == 300 - 1.5 * 200 - 20 + 0.5 * 80 + 7 + 3
    assert cue_value(F(0.1), F(400), False) == F(0.1) * F(400)
    assert cue_value(F(0.1), F(400), True) == 0


@properties
@given(unit, unit, unit)
def test_the_extremes_talk_most(base, extreme, distance):
    half = F(0.5)
    chance = telling(half + distance * half, base, extreme)
    assert 0 <= base * (1 - ULP) <= chance <= 1
    assert chance == pytest.approx(telling(half - distance * half, base, extreme), abs=3e-7)
    assert telling(half, base, extreme) == base
    assert telling(F(1), base, extreme) == pytest.approx(min(float(base) + float(extreme), 1))


@properties
@given(numbers(-500, 500), numbers(-500, 500), unit, unit, numbers(0, 500))
def test_chords_add_up(now, then, belief_now, belief_then, slope):
    """The slope along the chord turns the change of belief into the whole change of value."""
    found = chord(now, then, belief_now, belief_then, slope)
    if abs(float(belief_now) - float(belief_then)) > 1e-4:
        assert float(found) * (float(belief_now) - float(belief_then)) == pytest.approx(
            float(now) - float(then), rel=1e-5, abs=1e-3
        )
    if belief_now == belief_then:
        assert found == slope


@properties
@given(st.lists(numbers(-300, 300), min_size=1, max_size=14))
def test_shares_of_causes_sum_to_one(changes):
    total = sum((x for x in changes if x > 0), start=F(0))
    shares = [share(x, total) for x in changes]
    assert all((s > 0) == (x > 0) for s, x in zip(shares, changes, strict=True) if abs(x) > 1e-30)
    assert sum(map(float, shares)) == pytest.approx(1 if total > 0 else 0, abs=1e-5)


# ------------------------------------------------------------------ money of a firm

amounts = st.floats(0, 1e6, allow_subnormal=False)


def shares_of(wishes, available):
    """Return what share of each wish is funded, first priority first."""
    shares = []
    for wish in wishes:
        share, available = funded(wish, available)
        shares.append(share)
    return shares


@properties
@given(st.lists(amounts, min_size=1, max_size=5), amounts)
def test_funded_never_overspends_and_respects_priority(wishes, available):
    shares = shares_of(wishes, available)
    spent = [part * wish for part, wish in zip(shares, wishes, strict=True)]
    slack = 1e-12 * (available + sum(wishes))
    assert all(0 <= part <= 1 for part in shares)
    assert sum(spent) <= available + slack
    for n, part in enumerate(shares):
        left = available - sum(spent[:n])
        if part < 1:
            assert sum(spent) >= available - slack, "money is left while a wish goes short"
            assert sum(spent[n + 1 :]) <= slack, "a later wish is paid for before an earlier one is"
        else:
            assert wishes[n] <= left + slack


def test_funded_in_order():
    """The first in the queue is paid first, the next gets what is left."""
    assert shares_of([60, 60, 0], 90) == [1, 0.5, 1]
    assert shares_of([60, 60], 0) == [0, 0]
    assert shares_of([0, 0], 0) == [1, 1]


@properties
@given(st.floats(-500, 500), amounts, amounts, st.floats(-1e6, 1e6), amounts, st.floats(0, 1))
def test_spendable_money(margin, stays, fixed, cash, credit, use):
    """Never negative; fixed cost comes first; cash and credit are used in part."""
    money = spendable(margin, stays, fixed, cash, credit, use)
    assert money >= 0
    assert money <= max(margin * stays, 0) + max(cash + credit, 0)
    if margin * stays <= fixed:
        assert money == use * max(cash + credit, 0)
    if cash + credit <= 0:
        assert money == max(margin * stays - fixed, 0)
    assert spendable(margin, stays, fixed, cash + 1, credit, use) >= money
    assert spendable(margin, stays, fixed + 1, cash, credit, use) <= money

"""Random numbers: the same however they are computed, and as good as independent."""

from __future__ import annotations

import itertools

import numba
import numpy as np
import pytest
from scipy import stats

from churnsim.engine.hearsay import acquaintance
from churnsim.mechanisms.rule import interpreted
from churnsim.randomness import (
    GOLDEN,
    MASK,
    MIX_1,
    MIX_2,
    Stream,
    below,
    bits,
    firm_luck,
    mix,
    name_code,
    stream_key,
    uniform,
    uniforms,
)

ACTIVE = [stream for stream in Stream if stream is not Stream.FIRM]


def unmix(value: int) -> int:
    """Undo `mix`, so that a key can be found for any bits wanted."""
    for shift, factor in ((31, MIX_2), (27, MIX_1), (30, 1)):
        shifted = value
        for _ in range(64 // shift + 1):
            shifted = value ^ (shifted >> shift)
        value = shifted * pow(factor, -1, 1 << 64) & MASK
    return value


def by_hand(key: int, who: int) -> np.float32:
    """Compute `uniform` with Python's whole numbers."""
    return np.float32(((mix((int(key) + int(who) * GOLDEN) & MASK) >> 41) + 0.5) * 2.0**-23)


def limit(n: int, tests: int) -> float:
    """Return a correlation of `n` pairs that the largest of `tests` exceeds once in ten thousand times."""
    return float(stats.norm.isf(1e-4 / 2 / tests) / np.sqrt(n))


def test_mix_is_the_finaliser_of_splitmix64():
    """Reference outputs of SplitMix64 with seed 1234567 (Vigna's C code)."""
    expected = [
        6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821,
    ]  # fmt: skip
    assert [mix((1234567 + (n + 1) * GOLDEN) & MASK) for n in range(5)] == expected
    assert all(unmix(mix(value)) == value for value in (0, 1, GOLDEN, MASK))


def test_compiled_interpreted_and_array_draws_are_the_same():
    """One customer's draw has the same bits in a kernel, in plain Python and in an array."""
    rng = np.random.default_rng(1)
    plain_uniform, plain_below, plain_bits = (interpreted(rule) for rule in (uniform, below, bits))
    for key in rng.integers(0, 2**64, 8, np.uint64):
        ids = np.r_[0, 1, 2, 2**31, 2**32 - 1, rng.integers(0, 2**32, 40)].astype(np.uint32)
        drawn = uniforms(key, ids)
        assert drawn.dtype == np.float32
        for who, u in zip(ids, drawn, strict=True):
            with np.errstate(over="ignore"):
                assert u == uniform(key, who) == plain_uniform(key, who) == by_hand(key, who)
                assert uniform(key, np.int64(who)) == u
                assert below(key, who, 1000) == plain_below(key, who, 1000)
                scrambled = mix((int(key) + int(who) * GOLDEN) & MASK)
                assert bits(key, who) == plain_bits(key, who) == scrambled
                assert below(key, who, 2**31) == scrambled >> 33


@pytest.mark.parametrize(("pattern", "lowest"), [(0, True), (MASK, False)])
def test_extreme_bits_stay_inside_the_open_interval(pattern, lowest):
    """Neither 0 nor 1 is ever drawn, and no index falls off the end."""
    key, who = np.uint64(unmix(pattern)), np.uint32(0)
    assert uniform(key, who) == (2.0**-24 if lowest else 1 - 2.0**-24)
    for count in (1, 2, 7, 10_000_019):
        assert below(key, who, count) == (0 if lowest else count - 1)


@pytest.mark.parametrize("stream", Stream)
def test_draws_are_uniform(stream):
    """Chi-square on 1024 cells, and Kolmogorov-Smirnov, over 120 000 neighbouring ids."""
    for seed, tick in ((0, 1), (1, 1), (1, -35)):
        u = uniforms(stream_key(seed, stream, tick), np.arange(120_000))
        counts = np.bincount((u * 1024).astype(int), minlength=1024)
        assert stats.chisquare(counts).pvalue > 1e-5
        assert stats.kstest(u[::4], "uniform").pvalue > 1e-5


def test_no_two_keys_share_their_luck():
    """Across streams, ticks and seeds, the same ids' numbers are uncorrelated."""
    n = 16_384
    keys = [
        stream_key(seed, stream, tick)
        for seed, tick in ((0, 0), (0, 1), (1, 0), (1, 1), (2, -1), (2**63 - 1, 96))
        for stream in ACTIVE
    ]
    keys += [stream_key(7, Stream.OPTION, 5, part) for part in range(8)]
    keys += [stream_key(7, Stream.OPTION, tick, name_code("eton")) for tick in range(-20, 20)]
    rows = np.array([uniforms(key, np.arange(n)) for key in keys], np.float64)
    correlation = np.corrcoef(rows)[np.triu_indices(len(keys), 1)]
    assert np.abs(correlation).max() < limit(n, correlation.size)
    # Luck in the tails matters most: whoever is in the top tenth under one key is not under another.
    joint = (rows > 0.9).astype(float)
    together = (joint @ joint.T / n)[np.triu_indices(len(keys), 1)]
    assert np.abs(together - 0.01).max() < stats.norm.isf(1e-4 / 2 / together.size) * np.sqrt(0.01 * 0.99 / n)


def test_neighbours_do_not_share_their_luck():
    """Ids side by side are uncorrelated at every small distance, and jointly uniform."""
    n = 200_000
    for stream, tick in ((Stream.OPTION, 1), (Stream.TRAIT_TASTE, -36), (Stream.ATTENTION, 96)):
        u = uniforms(stream_key(3, stream, tick), np.arange(n)).astype(np.float64)
        lags = [1, 2, 3, 4, 8, 16, 1000, 1024, 65_536]
        found = [abs(np.corrcoef(u[:-lag], u[lag:])[0, 1]) for lag in lags]
        assert max(found) < limit(n - max(lags), 3 * len(lags))
        cells = (u * 32).astype(int)
        pairs = np.bincount(cells[:-1:2] * 32 + cells[1::2], minlength=1024)
        assert stats.chisquare(pairs).pvalue > 1e-5
        runs = np.diff(np.flatnonzero(np.r_[True, np.diff(u > 0.5)]))
        lengths = np.bincount(np.minimum(runs, 12))[1:]
        geometric = np.r_[0.5 ** np.arange(1, 12), 0.5**11] * runs.size
        assert stats.chisquare(lengths, geometric).pvalue > 1e-5


def test_a_customers_ticks_are_independent():
    """One customer's draws over ticks are uncorrelated and uniform, customer by customer."""
    rows = np.array(
        [uniforms(stream_key(11, Stream.OPPORTUNITY, tick), np.arange(500)) for tick in range(-40, 160)], np.float64
    )
    centred = rows - rows.mean(axis=0)
    lagged = (centred[1:] * centred[:-1]).sum() / (centred**2).sum()
    assert abs(lagged + 1 / len(rows)) < 4 / np.sqrt(rows.size)
    assert stats.kstest(rows.mean(axis=0), stats.norm(0.5, np.sqrt(1 / 12 / len(rows))).cdf).pvalue > 1e-3


def test_mix_avalanches():
    """Each input bit flips each output bit in half of the cases."""
    rng = np.random.default_rng(0)
    values = [int(v) for v in rng.integers(0, 2**64, 1500, np.uint64)]
    before = np.array([mix(v) for v in values], np.uint64)
    powers = np.uint64(1) << np.arange(64, dtype=np.uint64)
    flipped = np.empty((64, 64))
    for bit in range(64):
        change = before ^ np.array([mix(v ^ (1 << bit)) for v in values], np.uint64)
        flipped[bit] = ((change[:, None] & powers) != 0).mean(axis=0)
    assert np.abs(flipped - 0.5).max() < stats.norm.isf(1e-4 / 2 / flipped.size) * 0.5 / np.sqrt(len(values))


def test_keys_are_all_different():
    """Seed 0, negative ticks and neighbouring parts all count; no two keys meet."""
    keys = {
        int(stream_key(seed, stream, tick, part))
        for seed, stream, tick, part in itertools.product(
            (0, 1, 2, 3, 2**32, 2**63 - 1), Stream, range(-36, 97), (0, 1, 2, name_code("eton"))
        )
    }
    assert len(keys) == 6 * len(Stream) * 133 * 4
    assert not np.array_equal(*(uniforms(stream_key(s, Stream.OPTION), np.arange(9)) for s in (0, 1)))


def test_names_have_codes_of_their_own():
    """Similar names, in any script, have different codes, the same on every machine."""
    names = ["eton", "Eton", "etons", "eton ", "", "南苑", "nanyuan", "outside", *(f"firm{n}" for n in range(500))]
    assert len({name_code(name) for name in names}) == len(names)
    assert name_code("eton") == 15508620933326998679
    assert name_code("nanyuan") == 10851445063182171457


def test_golden_values():
    """Results are reproducible for ever: these numbers may change only with a line in the changelog."""
    assert int(stream_key(0, Stream.OPTION)) == 6283979259779196135
    assert int(stream_key(1, Stream.ATTENTION, 5)) == 4101233288104335532
    assert int(stream_key(1, Stream.OPTION, -35, name_code("eton"))) == 14438898274822570806
    drawn = uniforms(stream_key(1, Stream.OPTION, 8, name_code("nanyuan")), np.array([0, 1, 2, 5999]))
    assert drawn.view(np.uint32).tolist() == [1055425590, 1060888899, 1049778162, 1051104982]
    assert firm_luck(1, 7, "eton") == (0.46408718824386597, 0.5263274312019348, 0.8421047329902649, 0.10791510343551636)


def test_streams_keep_their_numbers():
    """The numbers are part of every result; a new stream gets a new one."""
    assert len(Stream.__members__) == len({int(stream) for stream in Stream})
    assert {
        "OPPORTUNITY": 1, "ATTENTION": 2, "OPTION": 3, "EXPERIENCE": 4, "CONTACT": 5, "INVOLUNTARY": 6, "TELLING": 7,
        "AUDIENCE": 8, "HEARING": 9, "NETWORK": 10, "TRAIT_OPPORTUNITY": 20, "TRAIT_QUALITY_VALUE": 21,
        "TRAIT_PRICE_WEIGHT": 22, "TRAIT_SWITCHING_COST": 23, "TRAIT_TRANSACTION_COST": 24, "TRAIT_TASTE": 25,
        "TRAIT_BELIEF": 26, "INITIAL_PROVIDER": 27, "FIRM": 40,
    }.items() <= {name: int(stream) for name, stream in Stream.__members__.items()}.items()  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 3, 10, 6000])
def test_below_is_uniform(count):
    """Whole numbers below a bound are equally likely and reach both ends."""
    key = stream_key(2, Stream.NETWORK, count)
    drawn = np.array([below(key, np.uint32(who), count) for who in range(30_000)])
    assert drawn.min() >= 0 and drawn.max() < count
    cells = np.bincount(drawn * min(count, 500) // count, minlength=min(count, 500))
    assert count == 1 or stats.chisquare(cells).pvalue > 1e-5


def test_nobodys_draw_depends_on_the_others():
    """More customers, fewer, in another order or another integer type: everybody keeps their number."""
    key = stream_key(4, Stream.EXPERIENCE, 3)
    everybody = uniforms(key, np.arange(5000))
    order = np.random.default_rng(0).permutation(5000)
    np.testing.assert_array_equal(uniforms(key, np.arange(17)), everybody[:17])
    np.testing.assert_array_equal(uniforms(key, np.arange(5001))[:-1], everybody)
    np.testing.assert_array_equal(uniforms(key, order.astype(np.uint32)), everybody[order])
    np.testing.assert_array_equal(uniforms(key, np.arange(5000)[::7]), everybody[::7])


def test_a_firms_luck_is_its_own():
    """Four independent uniform numbers per firm and tick, that no other firm's presence can change."""
    luck = np.array([[firm_luck(5, tick, name) for tick in range(400)] for name in ("eton", "nanyuan", "third")])
    assert stats.kstest(luck.ravel(), "uniform").pvalue > 1e-4
    series = luck.transpose(0, 2, 1).reshape(12, 400)
    correlation = np.corrcoef(series)[np.triu_indices(12, 1)]
    assert np.abs(correlation).max() < limit(400, correlation.size)
    assert firm_luck(5, 0, "eton") == tuple(luck[0, 0])


@numba.njit
def ties(key, n, rewired, customers):
    """Return everybody's acquaintances, (customers, n)."""
    out = np.empty((customers, n), np.int64)
    for who in range(customers):
        for k in range(n):
            out[who, k] = acquaintance(key, np.uint32(who), k, rewired, customers)
    return out


@pytest.fixture(scope="module")
def network():
    """Return eight acquaintances of 20 000 customers without and with rewiring."""
    key = stream_key(1, Stream.NETWORK)
    return [ties(key, 8, np.float32(rewired), 20_000) for rewired in (0, 0.3, 1)]


def test_without_rewiring_everybody_knows_their_neighbours(network):
    """Four on each side of the ring, across its seam, and never oneself."""
    distance = (network[0] - np.arange(20_000)[:, None] + 10_000) % 20_000 - 10_000
    np.testing.assert_array_equal(np.sort(distance, axis=1), np.tile([-4, -3, -2, -1, 1, 2, 3, 4], (20_000, 1)))
    small = ties(stream_key(1, Stream.NETWORK), 8, np.float32(0), 3)
    assert small.min() >= 0 and small.max() < 3


def test_rewired_ties_reach_everybody_alike(network):
    """Each tie is rewired with the probability asked for, to a customer who may be anybody."""
    near, some, all_far = network
    rewired = (some != near).mean(axis=0)
    np.testing.assert_allclose(rewired, 0.3, atol=4 * np.sqrt(0.3 * 0.7 / 20_000))
    for column in all_far.T:
        assert stats.chisquare(np.bincount(column // 200, minlength=100)).pvalue > 1e-5
    correlation = np.corrcoef(all_far.T)[np.triu_indices(8, 1)]
    assert np.abs(correlation).max() < limit(20_000, correlation.size)


def test_whom_a_tie_reaches_does_not_hang_on_the_other_ties(network):
    """Among those with two rewired ties in a row, the first still reaches everybody alike."""
    near, some, _ = network
    far = some != near
    for k in range(7):
        reached = some[far[:, k] & far[:, k + 1], k]
        assert stats.chisquare(np.bincount(reached // 1000, minlength=20)).pvalue > 1e-5

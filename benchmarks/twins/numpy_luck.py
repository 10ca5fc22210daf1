"""Luck of the NumPy twin: counter-based uniform numbers, and what whole arrays of them become.

Written from docs/model.md ("Random numbers"), not from the engine: nothing of `churnsim` is used here.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import betaincinv

F = np.float32
WORD = (1 << 64) - 1
GOLDEN, MIX_1, MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
TIE_STEP, TARGET_STEP = 0x632BE59BD9B4E019, 0xD1342543DE82EF95
FIRST_BIRTH = -1_000_000
MOST_TIES = 64

OPPORTUNITY, ATTENTION, OPTION, EXPERIENCE, CONTACT, INVOLUNTARY, TELLING, AUDIENCE, HEARING, NETWORK = range(1, 11)
TRAITS = {
    "opportunity": 20, "quality_value": 21, "price_weight": 22, "switching_cost": 23, "transaction_cost": 24
}  # fmt: skip
TASTE, BELIEF, INITIAL_PROVIDER = 25, 26, 27

_SHIFT_1, _SHIFT_2, _SHIFT_3, _TOP, _HIGH = (np.uint64(bits) for bits in (30, 27, 31, 41, 32))
_MIX_1, _MIX_2 = np.uint64(MIX_1), np.uint64(MIX_2)
_HALF, _ONE, _UNIT = F(0.5), F(1), F(2.0**-23)

# ---------------------------------------------------------------------- keys and uniform numbers


def scramble(value: int) -> int:
    """Return 64 bits scrambled into 64 bits (finaliser of SplitMix64)."""
    value = ((value ^ (value >> 30)) * MIX_1) & WORD
    value = ((value ^ (value >> 27)) * MIX_2) & WORD
    return value ^ (value >> 31)


def key_of(seed: int, stream: int, tick: int = 0, part: int = 0) -> np.uint64:
    """Return the key of a stream in a tick; `part` tells apart what shares the stream."""
    key = scramble((seed + GOLDEN) & WORD)
    key = scramble((key + stream * GOLDEN) & WORD)
    key = scramble((key + (tick & WORD) * MIX_1) & WORD)
    return np.uint64(scramble((key + part) & WORD))


def code_of(name: str) -> int:
    """Return the 64-bit code of a firm's name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def salts(ids: np.ndarray) -> np.ndarray:
    """Return what ids add to a key: computed once, used in every draw."""
    return ids.astype(np.uint64) * np.uint64(GOLDEN)


def _scrambled(key: Any, salt: np.ndarray) -> np.ndarray:
    """Return 64 random bits but for the last xor-shift, which only touches the low 33."""
    z = key + salt
    t = z >> _SHIFT_1
    np.bitwise_xor(z, t, out=z)
    np.multiply(z, _MIX_1, out=z)
    np.right_shift(z, _SHIFT_2, out=t)
    np.bitwise_xor(z, t, out=z)
    np.multiply(z, _MIX_2, out=z)
    return z


def uniform(key: Any, salt: np.ndarray) -> np.ndarray:
    """Return float32 numbers strictly between 0 and 1, one per salt (or per pair, where keys broadcast)."""
    z = _scrambled(key, salt)
    np.right_shift(z, _TOP, out=z)
    # Signed and 32 bits wide, because that conversion to float is one instruction.
    u = z.astype(np.int32).astype(F)
    np.add(u, _HALF, out=u)
    np.multiply(u, _UNIT, out=u)
    return u


def below(key: Any, salt: np.ndarray, count: int) -> np.ndarray:
    """Return whole numbers from 0 to `count` - 1, one per salt."""
    z = _scrambled(key, salt)
    z ^= z >> _SHIFT_3
    return (((z >> _HIGH) * np.uint64(count)) >> _HIGH).astype(np.int64)


def listeners(seed: int, customers: int, contacts: int, rewired: np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Return a small world as seen by those who tell: who is acquainted with them, and by which of their ties.

    The listeners of customer t are entries ``start[t]`` to ``start[t + 1]``. Few tell in a tick, so this is read much
    less than everybody's acquaintances would be.

    Returns
    -------
    start : (customers + 1,) int64
    entries : (entries,) int64
        Listener * MOST_TIES + number of the tie: one array, because what costs is to fetch them from memory.
    """
    who = np.arange(customers)
    salt, network = salts(who), int(key_of(seed, NETWORK))
    teller = np.empty((contacts, customers), np.int64)
    for n in range(contacts):
        key = (network + (n + 1) * TIE_STEP) & WORD
        step = n // 2 + 1
        teller[n] = (who + (step if n % 2 == 0 else customers - step % customers)) % customers
        far = np.flatnonzero(uniform(np.uint64(key), salt) < rewired)
        teller[n, far] = below(np.uint64(key ^ TARGET_STEP), salt[far], customers)
    tie, listener = np.nonzero(teller != who)  # nobody listens to oneself
    teller = teller[tie, listener]
    order = np.argsort(teller, kind="stable")
    start = np.concatenate(([0], np.cumsum(np.bincount(teller, minlength=customers))))
    return start, (listener * MOST_TIES + tie)[order]


# ---------------------------------------------------------------------- elementary functions


def _horner(x: np.ndarray, first: float, *rest: float) -> np.ndarray:
    """Return a polynomial, highest power first, in float32."""
    y = F(first) * x
    for coefficient in rest[:-1]:
        y += F(coefficient)
        y *= x
    y += F(rest[-1])
    return y


def exp_exact(x: np.ndarray) -> np.ndarray:
    """Return the model's exponential (Cephes, single precision)."""
    x = np.clip(x, F(-87), F(88))
    n = (x * F(1.44269504088896341) + F(12582912)) - F(12582912)
    x = x - n * F(0.693359375)
    x = x - n * F(-2.12194440e-4)
    y = _horner(x, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
    y = y * (x * x) + x + _ONE
    return y * ((n.astype(np.int32) + np.int32(127)) << np.int32(23)).view(F)


def log_exact(x: np.ndarray) -> np.ndarray:
    """Return the model's logarithm (Cephes, single precision) of positive normal numbers."""
    bits = x.view(np.int32)
    exponent = ((bits >> np.int32(23)) - np.int32(126)).astype(F)
    m = ((bits & np.int32(0x7FFFFF)) | np.int32(0x3F000000)).view(F)
    small = m < F(0.707106781186547524)
    exponent = np.where(small, exponent - _ONE, exponent)
    m = np.where(small, m + m - _ONE, m - _ONE)
    z = m * m
    y = _horner(
        m, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
        2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )  # fmt: skip
    y = y * m * z + exponent * F(-2.12194440e-4) - _HALF * z
    return m + y + exponent * F(0.693359375)


_CENTRE = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
)  # fmt: skip
_TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
    1.00167406, 2.83297682,
)  # fmt: skip


@lru_cache
def _beta_quantiles(a: float, b: float) -> np.ndarray:
    """Return the quantiles of a beta distribution at 4096 equal steps: newcomers need them in every tick."""
    return betaincinv(a, b, np.linspace(0, 1, 4097)).astype(F)


class Functions:
    """The elementary functions of one run: NumPy's own, or the model's to the last bit.

    Parameters
    ----------
    exact
        Whether exponential and logarithm are the model's polynomials.
    """

    def __init__(self, exact: bool) -> None:
        self.exp: Any = exp_exact if exact else np.exp
        self.log: Any = log_exact if exact else np.log

    def logistic(self, x: np.ndarray) -> np.ndarray:
        """Return 1 / (1 + exp(-x)); `x` is overwritten."""
        y = self.exp(np.negative(x, out=x))
        np.add(y, _ONE, out=y)
        return np.divide(_ONE, y, out=y)

    def gumbel(self, u: np.ndarray) -> np.ndarray:
        """Return standard Gumbel quantiles; `u` is overwritten."""
        y = self.log(u)
        y = self.log(np.negative(y, out=y))
        return np.negative(y, out=y)

    def normal(self, u: np.ndarray) -> np.ndarray:
        """Return standard normal quantiles (Giles 2010)."""
        x = u + u
        x -= _ONE
        w = _ONE - x
        w *= _ONE + x
        w = self.log(w)
        np.negative(w, out=w)
        y = _horner(w - F(2.5), *_CENTRE)
        # Three in a thousand lie where the other polynomial holds.
        tail = np.flatnonzero(w >= F(5))
        if tail.size:
            y[tail] = _horner(np.sqrt(w[tail]) - F(3), *_TAIL)
        x *= F(1.41421356237309515)
        y *= x
        return y

    def trait(self, distribution: Any, u: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return the quantiles `u` of a trait's distribution, a record of `churnsim.config.distributions`.

        Parameters
        ----------
        distribution
            The trait's distribution.
        u, z : (m,) float32
            Uniform numbers, and the standard normal quantiles of them.
        """
        d = distribution
        if d.dist == "normal":
            return F(d.mean) + F(d.sd) * np.clip(z, F(-4), F(4))
        if d.dist == "lognormal":
            spread = F(math.sqrt(math.log1p(d.cv**2)))
            return F(d.mean) * self.exp(spread * z - _HALF * spread * spread)
        if d.dist == "uniform":
            return F(d.low) + F(d.high - d.low) * u
        if d.dist == "beta":
            table = _beta_quantiles(d.a, d.b)
            position = u * F(table.size - 1)
            cell = position.astype(np.int64)
            low = table[cell]
            return low + (position - cell.astype(F)) * (table[cell + 1] - low)
        return np.full(u.shape, F(d.value))

    def poisson(self, mean: np.float32) -> np.ndarray:
        """Return the cumulative probabilities of 0 ... 63; a quantile is the number of them below the luck."""
        chance = self.exp(np.array([-mean], F))
        reached = [chance[0]]
        for told in range(1, 64):
            chance = chance * mean / F(told)
            reached.append(reached[-1] + chance[0])
        return np.array(reached, F)

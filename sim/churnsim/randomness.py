"""Named streams of stateless random numbers: (seed, stream, tick, id) -> uniform.

There is no generator object and nothing is consumed. A draw is a pure function of
the seed, the purpose it serves, the tick, and who it concerns, so adding a customer,
a firm's decision, a thread or a probe changes nobody else's luck, and two strategies
meet the same customers with the same shocks (common random numbers).

The function is the finaliser of SplitMix64 (Steele, Lea & Flood 2014, with the
constants of Stafford's variant 13) applied to ``key + id * golden ratio``, where the key
is itself a hash of seed, stream, tick and, where needed, a name.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Any

import numba
import numpy as np

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB


class Stream(IntEnum):
    """Purposes of random numbers; the values are part of every result, so never renumber."""

    OPPORTUNITY = 1
    ATTENTION = 2
    OPTION = 3
    EXPERIENCE = 4
    CONTACT = 5
    INVOLUNTARY = 6
    TELLING = 7
    AUDIENCE = 8
    HEARING = 9
    NETWORK = 10
    TRAIT_OPPORTUNITY = 20
    TRAIT_QUALITY_VALUE = 21
    TRAIT_PRICE_WEIGHT = 22
    TRAIT_SWITCHING_COST = 23
    TRAIT_TRANSACTION_COST = 24
    TRAIT_TASTE = 25
    TRAIT_BELIEF = 26
    INITIAL_PROVIDER = 27
    TRAIT_SIZE = 28
    TASTE_OF_CIRCLE = 29
    FIRM = 40
    # The first of three families, each numbered on in the order of its list in engine/dealings/state.py.
    DEALINGS = 100
    DEALINGS_OF_FIRM = 200
    DEALINGS_TRAIT = 300


def mix(value: int) -> int:
    """Scramble 64 bits into 64 bits (SplitMix64 finaliser)."""
    value = ((value ^ (value >> 30)) * MIX_1) & MASK
    value = ((value ^ (value >> 27)) * MIX_2) & MASK
    return value ^ (value >> 31)


def name_code(name: str) -> int:
    """Return a 64-bit code of a name, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def stream_key(seed: int, stream: Stream, tick: int = 0, part: int = 0) -> np.uint64:
    """Return the key of one stream in one tick.

    Parameters
    ----------
    seed
        The run's seed; 0 is a seed like any other.
    stream
        What the numbers are for.
    tick
        Tick they belong to (negative in burn-in).
    part
        Further distinction, such as the code of a firm's name.
    """
    key = mix((seed + GOLDEN) & MASK)
    key = mix((key + int(stream) * GOLDEN) & MASK)
    key = mix((key + (tick & MASK) * MIX_1) & MASK)
    return np.uint64(mix((key + part) & MASK))


_options: Any = {"forceinline": True, "_nrt": False, "error_model": "numpy"}
scalar: Any = numba.njit(**_options)

_GOLDEN = np.uint64(GOLDEN)
_MIX_1 = np.uint64(MIX_1)
_MIX_2 = np.uint64(MIX_2)
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_TOP = np.uint64(41)
_HIGH = np.uint64(32)
_HALF = np.float32(0.5)
_UNIT = np.float32(2.0**-23)


@scalar
def scramble(value):
    """Scramble 64 bits into 64 bits: `mix`, compiled."""
    value = (value ^ (value >> _SHIFTS[0])) * _MIX_1
    value = (value ^ (value >> _SHIFTS[1])) * _MIX_2
    return value ^ (value >> _SHIFTS[2])


@scalar
def scramble_top(value):
    """Return a number whose upper 31 bits are those of `scramble`; the last step would change lower ones only."""
    value = (value ^ (value >> _SHIFTS[0])) * _MIX_1
    return (value ^ (value >> _SHIFTS[1])) * _MIX_2


@scalar
def place(who):
    """Return where an id stands in every stream: ``id * golden ratio``."""
    return np.uint64(who) * _GOLDEN


@scalar
def bits(key, who):
    """Return the 64 random bits of one id under one key."""
    return scramble(key + place(who))


@scalar
def unit(value):
    """Return the uniform number that the upper 23 of 64 random bits stand for: float32, strictly between 0 and 1."""
    # By way of 32 bits: there is no vector instruction from 64-bit integers to floats.
    return (np.float32(np.int32(value >> _TOP)) + _HALF) * _UNIT


@scalar
def uniform(key, who):
    """Return the uniform number of one id under one key: float32, strictly between 0 and 1."""
    return unit(scramble_top(key + place(who)))


@scalar
def key_of(seed, stream, tick, part):
    """Return `stream_key`, compiled; `seed` and `part` are uint64."""
    key = scramble(seed + _GOLDEN)
    key = scramble(key + np.uint64(stream) * _GOLDEN)
    key = scramble(key + np.uint64(np.int64(tick)) * _MIX_1)
    return scramble(key + part)


@scalar
def below(key, who, count):
    """Return a whole number from 0 to `count` - 1 for one id under one key."""
    return np.int64(((bits(key, who) >> _HIGH) * np.uint64(count)) >> _HIGH)


def uniforms(key: np.uint64, ids: np.ndarray) -> np.ndarray:
    """Return the uniform numbers of many ids under one key.

    Parameters
    ----------
    key
        From `stream_key`.
    ids : (n,) unsigned integers
        Whom the numbers concern.

    Returns
    -------
    (n,) float32
        Numbers strictly between 0 and 1, with 23 random bits.
    """
    return _fill(key, np.ascontiguousarray(ids, np.uint64))


@numba.njit
def _fill(key, ids):
    """Return `uniform` of every id."""
    out = np.empty(ids.size, np.float32)
    for i in range(ids.size):
        out[i] = uniform(key, ids[i])
    return out


def firm_luck(seed: int, tick: int, firm: str) -> tuple[float, float, float, float]:
    """Return four uniform numbers for one firm in one tick."""
    a, b, c, d = uniforms(stream_key(seed, Stream.FIRM, tick, name_code(firm)), np.arange(4, dtype=np.uint32))
    return float(a), float(b), float(c), float(d)

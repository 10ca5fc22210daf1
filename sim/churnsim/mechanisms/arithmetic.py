"""Elementary functions in single precision, written out so that every machine agrees.

The C library's ``exp`` and ``log`` differ between platforms in their last bit, and calls
to them keep a loop from being vectorised. These polynomials are within a few units in the
last place, and are the definition of the model in both engines.

Sources: exponential and logarithm follow the reductions and coefficients of Moshier,
Cephes Mathematical Library (single precision); the normal quantile uses Giles (2010),
"Approximating the erfinv function", GPU Computing Gems, table for single precision.
"""

from __future__ import annotations

import numpy as np

from churnsim.mechanisms.rule import rule

ZERO = np.float32(0)
HALF = np.float32(0.5)
ONE = np.float32(1)
TWO = np.float32(2)

EXP_LOW = np.float32(-87)  # below it exp() would be subnormal
EXP_HIGH = np.float32(88)  # above it exp() would overflow
LOG2_E = np.float32(1.44269504088896341)
ROUNDER = np.float32(12582912)  # 1.5 * 2**23: adding and subtracting it rounds to an integer
LN2_HIGH = np.float32(0.693359375)  # ln 2 in two parts, so that the product with it is exact
LN2_LOW = np.float32(-2.12194440e-4)
E5 = np.float32(1.9875691500e-4)
E4 = np.float32(1.3981999507e-3)
E3 = np.float32(8.3334519073e-3)
E2 = np.float32(4.1665795894e-2)
E1 = np.float32(1.6666665459e-1)
E0 = np.float32(5.0000001201e-1)

SQRT_HALF = np.float32(0.707106781186547524)
L8 = np.float32(7.0376836292e-2)
L7 = np.float32(-1.1514610310e-1)
L6 = np.float32(1.1676998740e-1)
L5 = np.float32(-1.2420140846e-1)
L4 = np.float32(1.4249322787e-1)
L3 = np.float32(-1.6668057665e-1)
L2 = np.float32(2.0000714765e-1)
L1 = np.float32(-2.4999993993e-1)
L0 = np.float32(3.3333331174e-1)

SQRT_2 = np.float32(1.41421356237309515)
TAIL = np.float32(5)  # where Giles's central polynomial gives way to the one of the tails
CENTRE_SHIFT = np.float32(2.5)
TAIL_SHIFT = np.float32(3)
C8 = np.float32(2.81022636e-08)
C7 = np.float32(3.43273939e-07)
C6 = np.float32(-3.5233877e-06)
C5 = np.float32(-4.39150654e-06)
C4 = np.float32(0.00021858087)
C3 = np.float32(-0.00125372503)
C2 = np.float32(-0.00417768164)
C1 = np.float32(0.246640727)
C0 = np.float32(1.50140941)
T8 = np.float32(-0.000200214257)
T7 = np.float32(0.000100950558)
T6 = np.float32(0.00134934322)
T5 = np.float32(-0.00367342844)
T4 = np.float32(0.00573950773)
T3 = np.float32(-0.0076224613)
T2 = np.float32(0.00943887047)
T1 = np.float32(1.00167406)
T0 = np.float32(2.83297682)


@rule
def clip(x, low, high):
    """Return `x` moved into the range from `low` to `high`."""
    return low if x < low else (high if x > high else x)


@rule
def positive(x):
    """Return the positive part of `x`."""
    return x if x > ZERO else ZERO


@rule
def exp(x):
    """Return e to the power `x`, for `x` clipped to -87 ... 88 (relative error below 2e-7)."""
    x = clip(x, EXP_LOW, EXP_HIGH)
    n = (x * LOG2_E + ROUNDER) - ROUNDER
    x = x - n * LN2_HIGH
    x = x - n * LN2_LOW
    y = ((((E5 * x + E4) * x + E3) * x + E2) * x + E1) * x + E0
    y = y * (x * x) + x + ONE
    power = np.int32((np.int32(n) + 127) << 23).view(np.float32)  # 2**n, from the bits of a float
    return y * power


@rule
def log(x):
    """Return the natural logarithm of a positive normal number (relative error below 2e-7)."""
    bits = np.float32(x).view(np.int32)
    exponent = np.float32((bits >> 23) - 126)
    m = np.int32((bits & 0x7FFFFF) | 0x3F000000).view(np.float32)  # mantissa as a float in 0.5 ... 1
    small = m < SQRT_HALF
    exponent = exponent - ONE if small else exponent
    m = m + m - ONE if small else m - ONE
    z = m * m
    y = (((((((L8 * m + L7) * m + L6) * m + L5) * m + L4) * m + L3) * m + L2) * m + L1) * m + L0
    y = y * m * z + exponent * LN2_LOW - HALF * z
    return m + y + exponent * LN2_HIGH


@rule
def logistic(x):
    """Return 1 / (1 + exp(-x))."""
    return ONE / (ONE + exp(-x))


@rule
def gumbel(u):
    """Return the standard Gumbel quantile of `u`, strictly between 0 and 1."""
    return -log(-log(u))


@rule
def normal(u):
    """Return the standard normal quantile of `u`, strictly between 0 and 1 (Giles 2010)."""
    x = u + u - ONE
    w = -log((ONE - x) * (ONE + x))
    centre = w - CENTRE_SHIFT
    a = (((((((C8 * centre + C7) * centre + C6) * centre + C5) * centre + C4) * centre + C3) * centre + C2) * centre + C1) * centre + C0  # fmt: skip # noqa: E501
    tail = np.sqrt(w) - TAIL_SHIFT
    b = (((((((T8 * tail + T7) * tail + T6) * tail + T5) * tail + T4) * tail + T3) * tail + T2) * tail + T1) * tail + T0
    return SQRT_2 * x * (a if w < TAIL else b)

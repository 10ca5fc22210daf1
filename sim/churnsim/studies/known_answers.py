"""Functions whose sensitivities are known: what a study's chain can be checked against, from the file to the table.

Each can be named in a study file in the place of a scenario (``function: churnsim.studies.known_answers:ishigami``). It
takes its factors by name and the run's seed, and returns outcomes by name: ``y``, and ``noisy``, which is ``y`` and
normal luck drawn from the seed, with standard deviation ``noise``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from churnsim.randomness import MASK, mix, name_code

ISHIGAMI = (7.0, 0.1)
"""The usual constants of the Ishigami function (Ishigami & Homma 1990, doi:10.1109/ISUMA.1990.151285)."""

SOBOL_G = (0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0)
"""The usual constants of Sobol's G function: from essential to negligible (Saltelli & Sobol' 1995, recalled)."""


def ishigami(factors: Mapping[str, float], seed: int) -> dict[str, float]:
    """Return sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1, each factor uniform on [-pi, pi]; further factors are inert."""
    a, b = ISHIGAMI
    x1, x2, x3 = (factors[name] for name in ("x1", "x2", "x3"))
    return _with_luck(math.sin(x1) + a * math.sin(x2) ** 2 + b * x3**4 * math.sin(x1), factors, seed)


def sobol_g(factors: Mapping[str, float], seed: int) -> dict[str, float]:
    """Return the product of (|4 x_i - 2| + a_i) / (1 + a_i), for x1 to x8 uniform on [0, 1]."""
    terms = ((abs(4 * x - 2), SOBOL_G[number - 1]) for number, x in _numbered(factors))
    return _with_luck(math.prod((x + a) / (1 + a) for x, a in terms), factors, seed)


def linear(factors: Mapping[str, float], seed: int) -> dict[str, float]:
    """Return x1 + 2 x2 + 3 x3 and so on: each factor times the number in its name; x0 is inert."""
    return _with_luck(float(sum(number * x for number, x in _numbered(factors))), factors, seed)


def interactions(factors: Mapping[str, float], seed: int) -> dict[str, float]:
    """Return x1 x2 x3 + x4 / 6, each uniform on [-1, 1]: the first three factors do nothing alone."""
    x1, x2, x3, x4 = (factors[f"x{number}"] for number in range(1, 5))
    return _with_luck(x1 * x2 * x3 + x4 / 6, factors, seed)


def _numbered(factors: Mapping[str, float]) -> list[tuple[int, float]]:
    """Return the factors called x and a number, with that number."""
    return [(int(name[1:]), value) for name, value in factors.items() if name[:1] == "x" and name[1:].isdigit()]


def _with_luck(y: float, factors: Mapping[str, float], seed: int) -> dict[str, float]:
    """Return a value as it is, and with luck of standard deviation ``noise`` (1 where that is not set)."""
    return {"y": y, "noisy": y + factors.get("noise", 1.0) * luck(seed)}


def luck(seed: int) -> float:
    """Return a standard normal number that is a function of the seed alone (Box & Muller 1958)."""
    first, second = (((mix((seed + name_code(part)) & MASK) >> 11) + 0.5) * 2.0**-53 for part in ("radius", "angle"))
    return math.sqrt(-2 * math.log(first)) * math.cos(2 * math.pi * second)


def ishigami_indices() -> dict[str, np.ndarray]:
    """Return the Ishigami function's S1 and ST of x1, x2, x3, and its variance."""
    a, b = ISHIGAMI
    v1 = 0.5 * (1 + b * math.pi**4 / 5) ** 2
    v2 = a**2 / 8
    v13 = b**2 * math.pi**8 * (1 / 18 - 1 / 50)
    total = v1 + v2 + v13
    return {
        "S1": np.array([v1, v2, 0.0]) / total,
        "ST": np.array([v1 + v13, v2, v13]) / total,
        "variance": np.array(total),
    }


def sobol_g_indices(dimensions: int = 8) -> dict[str, np.ndarray]:
    """Return the G function's S1 and ST, and its variance."""
    parts = np.array([1 / (3 * (1 + a) ** 2) for a in SOBOL_G[:dimensions]])
    total = np.prod(1 + parts) - 1
    others = np.array([np.prod(np.delete(1 + parts, i)) for i in range(dimensions)])
    return {"S1": parts / total, "ST": parts * others / total, "variance": np.array(total)}


def interactions_indices() -> dict[str, np.ndarray]:
    """Return the S1 and ST of x1 to x4 in the function of interactions, and its variance."""
    return {
        "S1": np.array([0, 0, 0, 0.2]),
        "ST": np.array([0.8, 0.8, 0.8, 0.2]),
        "variance": np.array(1 / 27 + 1 / 108),
    }


def linear_indices(variances: Mapping[str, float]) -> dict[str, float]:
    """Return the linear function's indices (S1 is ST) for factors with these variances."""
    parts = {name: number**2 * variance for name, variance in variances.items() for number in [int(name[1:])]}
    total = sum(parts.values())
    return {name: part / total for name, part in parts.items()}

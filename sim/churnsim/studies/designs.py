"""Designs: which points of the unit cube are run, and which of them share their luck.

A design knows nothing of factors, only of dimensions. Each row has a *block* and a *column*: runs of one
block and one replication have the same seed, so that what differs within a block is the factors' doing (common
random numbers), and the column says which part of the block's pattern the row is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from churnsim.studies import salib
from churnsim.studies.problems import StudyDataError
from churnsim.studies.problems import known as known_name

_BELOW_ONE = np.nextafter(1.0, 0.0)
FAST_HARMONICS = 4
"""Harmonics that FAST sums; the usual choice (Saltelli, Tarantola & Chan 1999, doi:10.1080/00401706.1999.10485594)."""
SEQUENCES = 16
"""Sobol' sequences, scrambled independently, that blocks are dealt from in turn: intervals are about the differences
between them. Our choice: with 8 Student's t costs a ninth of an interval's width more, with 32 each sequence is half as
long and the points less even."""
MORRIS_LEVELS = 4
"""Levels of Morris' grid; the usual choice (Morris 1991, doi:10.1080/00401706.1991.10484804)."""


@dataclass(frozen=True)
class Design:
    """Points of the unit cube in the order in which they are analysed.

    Attributes
    ----------
    kind : str
        One of `DESIGNS`.
    points : (n, d) float64
        In [0, 1).
    block : (n,) int64
        Rows with the same number share their seeds, replication by replication.
    column : (n,) int64
        Place in the block. Sobol: 0 is A, 1 … G are AB of each factor (or group), G + 1 is B, and with second order
        G + 2 … 2 G + 1 are BA of each. Morris and radial: number of the step, 0 being the start. FAST: place on the
        curve. Otherwise 0.
    groups : tuple of str or None
        Per dimension, the group that moves together.
    """

    kind: str
    points: np.ndarray
    block: np.ndarray
    column: np.ndarray
    groups: tuple[str, ...] | None = None


def unit_design(
    kind: str, dimensions: int, samples: int, seed: int, groups: Sequence[str] | None = None, **options: Any
) -> Design:
    """Return a design on the unit cube; the same arguments give the same points everywhere.

    Parameters
    ----------
    kind
        ``lhs`` (n rows; also what RBD-FAST and PAWN take), ``sobol`` (n (D + 2) rows), ``morris`` and ``radial``
        (n (D + 1) rows), ``fast`` (n D rows), ``fractional`` (two levels, resolution IV, as many rows as it takes).
    dimensions
        Number of factors.
    samples
        Rows, blocks, trajectories or points per curve; of no matter to ``fractional``.
    seed
        Of the design; 0 is a seed like any other.
    groups
        Per dimension the name of its group, for ``sobol``, ``morris`` and nothing else.
    options
        ``second_order`` (bool) of ``sobol``; ``levels`` (even) of ``morris``; ``ends`` (bool, default True) of
        ``morris``: whether the outermost levels are the ends 0 and 1 of the cube or, for factors without bounds, half
        a step inside them.

    Raises
    ------
    StudyDataError
        If kind, groups or options do not exist or do not go together, or samples are too few.
    """
    known_name("design", kind, DESIGNS)
    make, known, least = DESIGNS[kind]
    for option in options:
        known_name("option", option, known, design=kind)
    if dimensions < 1:
        raise StudyDataError("no_factors", {"design": kind})
    if samples < least:
        raise StudyDataError("few_samples", {"design": kind, "found": samples, "least": least})
    if groups is not None:
        _check_groups(kind, dimensions, groups)
    points, block, column = make(dimensions, samples, seed, groups=groups, **options)
    points = np.clip(np.ascontiguousarray(points, dtype=np.float64), 0.0, _BELOW_ONE)
    numbers = (np.asarray(block, dtype=np.int64), np.asarray(column, dtype=np.int64))
    for array in (points, *numbers):
        array.setflags(write=False)
    return Design(kind, points, *numbers, None if groups is None else tuple(groups))


def rows_of(
    kind: str, dimensions: int, samples: int, groups: Sequence[str] | None = None, *, second_order: bool = False
) -> int:
    """Return how many rows a design has, without making it."""
    parts = dimensions if groups is None else len(set(groups))
    if kind == "fractional":
        return 2 * _power_above(dimensions)
    per_sample = {"sobol": (2 if second_order else 1) * parts + 2, "morris": parts + 1, "radial": dimensions + 1}
    return samples * {**per_sample, "fast": dimensions, "lhs": 1}[kind]


def _check_groups(kind: str, dimensions: int, groups: Sequence[str]) -> None:
    """Refuse groups that the design has no use for, or that are too few."""
    if kind not in ("sobol", "morris"):
        raise StudyDataError("no_groups", {"design": kind})
    if len(groups) != dimensions:
        raise StudyDataError("group_count", {"found": len(groups), "wanted": dimensions})
    if len(set(groups)) < 2:
        raise StudyDataError("one_group", {"found": groups[0]})


def _lhs(dimensions: int, samples: int, seed: int, groups: Sequence[str] | None) -> tuple:
    """Latin hypercube: each factor's range is cut into as many parts as there are rows, and each part hit once."""
    from SALib.sample import latin

    points = salib.sample(latin.sample, _factors(dimensions), samples, seed=seed)
    return points, np.arange(samples), np.zeros(samples)


def _sobol(dimensions: int, samples: int, seed: int, groups: Sequence[str] | None, second_order: bool = False) -> tuple:
    """Saltelli's pattern over scrambled Sobol' sequences (Saltelli 2002, doi:10.1016/S0010-4655(02)00280-1)."""
    base = _evenly(2 * dimensions, samples, seed)
    a, b = base[:, :dimensions], base[:, dimensions:]
    names = [str(i) for i in range(dimensions)] if groups is None else list(groups)
    moved = [np.array([name == one for name in names]) for one in dict.fromkeys(names)]
    columns = [a, *(np.where(these, b, a) for these in moved), b]
    if second_order:
        columns += [np.where(these, a, b) for these in moved]
    return _patterned(np.stack(columns, axis=1))


def _morris(
    dimensions: int,
    samples: int,
    seed: int,
    groups: Sequence[str] | None,
    levels: int = MORRIS_LEVELS,
    ends: bool = True,
) -> tuple:
    """Trajectories in which each factor, or group, moves once by half the grid."""
    from SALib.sample import morris

    if levels < 2 or levels % 2:
        raise StudyDataError("odd_levels", {"found": levels})
    problem = _factors(dimensions, groups)
    points = salib.sample(morris.sample, problem, samples, num_levels=levels, seed=seed)
    if not ends:
        points = (np.rint(points * (levels - 1)) + 0.5) / levels
    return _patterned(points.reshape(samples, -1, dimensions))


def _radial(dimensions: int, samples: int, seed: int, groups: Sequence[str] | None) -> tuple:
    """One factor at a time around base points of a Sobol' sequence (Campolongo, Saltelli & Cariboni 2011)."""
    # Of SALib's two radial samplers one ignores its seed and the other draws its base points by plain Monte Carlo.
    base = _evenly(2 * dimensions, samples, seed)
    start, other = base[:, :dimensions], base[:, dimensions:]
    moved = np.eye(dimensions, dtype=bool)
    return _patterned(np.stack([start, *(np.where(these, other, start) for these in moved)], axis=1))


def _evenly(dimensions: int, samples: int, seed: int) -> np.ndarray:
    """Return base points from independently scrambled Sobol' sequences in turn, ``(samples, dimensions)``.

    Several randomisations of one point set show its error, which one does not (Owen 1997, doi:10.1214/aos/1031594731).
    The first half of the points is the design of half as many samples.
    """
    from scipy.stats import qmc

    longest = -(-samples // SEQUENCES)
    with salib.untouched():
        sequences = [
            qmc.Sobol(d=dimensions, scramble=True, seed=np.random.default_rng([salib.seed_of(seed), k])).random(longest)
            for k in range(SEQUENCES)
        ]
    return np.stack(sequences, axis=1).reshape(-1, dimensions)[:samples]


def _fast(dimensions: int, samples: int, seed: int, groups: Sequence[str] | None) -> tuple:
    """One search curve per factor, on which that factor goes round fastest (extended FAST)."""
    from SALib.sample import fast_sampler

    points = salib.sample(fast_sampler.sample, _factors(dimensions), samples, M=FAST_HARMONICS, seed=seed)
    return points, np.repeat(np.arange(dimensions), samples), np.tile(np.arange(samples), dimensions)


def _fractional(dimensions: int, samples: int, seed: int, groups: Sequence[str] | None) -> tuple:
    """Two-level fractional factorial of resolution IV: a Hadamard matrix and its mirror image."""
    from SALib.sample import ff

    signs = salib.sample(ff.sample, _factors(dimensions), seed=seed)[:, :dimensions]
    points = (signs > 0.5).astype(np.float64)
    return points, np.zeros(len(points)), np.arange(len(points))


def _factors(dimensions: int, groups: Sequence[str] | None = None) -> dict[str, Any]:
    """Return SALib's problem for numbered factors."""
    return salib.problem_of([f"x{i + 1}" for i in range(dimensions)], groups)


def _patterned(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points of shape (blocks, width, d) as rows with their block and column."""
    blocks, width, dimensions = points.shape
    return (
        points.reshape(-1, dimensions),
        np.repeat(np.arange(blocks), width),
        np.tile(np.arange(width), blocks),
    )


def _power_above(dimensions: int) -> int:
    """Return the smallest power of two that is not below the number of factors, as a fractional design needs."""
    return 1 << (dimensions - 1).bit_length()


DESIGNS: dict[str, tuple[Callable[..., tuple], tuple[str, ...], int]] = {
    "lhs": (_lhs, (), 1),
    "sobol": (_sobol, ("second_order",), 2),
    "morris": (_morris, ("levels", "ends"), 2),
    "radial": (_radial, (), 2),
    "fast": (_fast, (), 4 * FAST_HARMONICS**2 + 1),
    "fractional": (_fractional, (), 0),
}
"""By name: how it is made, which options it takes, and the fewest samples."""

"""How often the intervals of Sobol' indices cover the truth: ``python -m benchmarks.coverage``.

Many studies of functions of known answer, each with its own design and luck, go through the estimators that
``churnsim sensitivity`` uses (`churnsim.studies.designs.unit_design`, `churnsim.studies.sobol.sobol_indices`). A cell
is a function, kind of luck, share of luck, number of samples and of replications; factors are counted singly. Prints
a table of the least and the most; ``--write`` also puts it into ``docs/sensitivity.md``. Ten minutes of a core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from churnsim.studies.designs import unit_design
from churnsim.studies.known_answers import (
    ISHIGAMI,
    SOBOL_G,
    interactions_indices,
    ishigami_indices,
    linear_indices,
    sobol_g_indices,
)
from churnsim.studies.problems import StudyDataError
from churnsim.studies.sobol import sobol_indices

PAGE = Path(__file__).resolve().parents[1] / "docs" / "sensitivity.md"
BEGIN, END = "<!-- table: python -m benchmarks.coverage --write -->", "<!-- end of table -->"

SAMPLES = (32, 64, 128, 256)
REPLICATIONS = (2, 5)
SHARES = (0.2, 0.5, 0.8)
STUDIES = 600
KINDS = ("own", "shared", "acting")
"""Luck of every run's own; shared by the runs of a block and added; shared, half of it acting through factor 1."""


@dataclass(frozen=True)
class World:
    """A function of known answer, on the unit cube; its last factors are inert.

    Attributes
    ----------
    surface : callable
        From points (…, D) to outcomes.
    first, total : (D,) float64
        Indices.
    variance : float
    """

    surface: Callable[[np.ndarray], np.ndarray]
    first: np.ndarray
    total: np.ndarray
    variance: float

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the factors."""
        return tuple(f"x{j + 1}" for j in range(len(self.total)))


def ishigami(points: np.ndarray) -> np.ndarray:
    """Return Ishigami's function of the first three columns of unit points."""
    a, b = ISHIGAMI
    x = np.pi * (2 * points - 1)
    return np.sin(x[..., 0]) * (1 + b * x[..., 2] ** 4) + a * np.sin(x[..., 1]) ** 2


def sobol_g(points: np.ndarray) -> np.ndarray:
    """Return Sobol's G function of all columns."""
    a = np.array(SOBOL_G[: points.shape[-1]])
    return np.prod((np.abs(4 * points - 2) + a) / (1 + a), axis=-1)


def linear(points: np.ndarray) -> np.ndarray:
    """Return x1 + 2 x2 + 3 x3."""
    return points[..., 0] + 2 * points[..., 1] + 3 * points[..., 2]


def interactions(points: np.ndarray) -> np.ndarray:
    """Return x1 x2 x3 + x4 / 6 on the cube from -1 to 1."""
    x = 2 * points - 1
    return x[..., 0] * x[..., 1] * x[..., 2] + x[..., 3] / 6


def _world(surface: Callable[[np.ndarray], np.ndarray], known: dict[str, np.ndarray], inert: int = 0) -> World:
    """Return a world of known indices and so many inert factors more."""
    idle = np.zeros(inert)
    return World(surface, np.append(known["S1"], idle), np.append(known["ST"], idle), float(known["variance"]))


_LINEAR = np.array(list(linear_indices(dict.fromkeys(("x1", "x2", "x3"), 1 / 12)).values()))
WORLDS = {
    "ishigami": _world(ishigami, ishigami_indices(), 1),
    "sobol_g": _world(sobol_g, sobol_g_indices(5)),
    "linear": _world(linear, {"S1": _LINEAR, "ST": _LINEAR, "variance": np.array(14 / 12)}, 1),
    "interactions": _world(interactions, interactions_indices(), 1),
}


@dataclass(frozen=True)
class Cell:
    """What the studies of a cell found.

    Attributes
    ----------
    about : tuple
        Function, kind and share of luck, samples, replications.
    first, total : (D,) float64
        Share of studies whose interval covers the truth; NaN where an index is exactly zero in every study.
    share : float
        The same of the share of luck.
    luck : float
        Mean estimate of the share of luck.
    flagged : (D,) float64
        Share of studies in which the factor was told from zero.
    drowned : float
        Share of studies that said that luck drowns the factors.
    refused : float
        Share of studies without an answer.
    """

    about: tuple[str, str, float, int, int]
    first: np.ndarray
    total: np.ndarray
    share: float
    luck: float
    flagged: np.ndarray
    drowned: float
    refused: float

    @property
    def inert(self) -> np.ndarray:
        """Which factors do nothing."""
        return WORLDS[self.about[0]].total == 0


def designs(world: World, samples: int, studies: int) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes without luck, and where the first factor is between -1 and 1, each ``(studies, N, C)``."""
    d = len(world.factors)
    outcomes, places = np.empty((2, studies, samples, d + 2))
    for study in range(studies):
        points = unit_design("sobol", d, samples, study).points.reshape(samples, d + 2, d)
        outcomes[study], places[study] = world.surface(points), 2 * points[..., 0] - 1
    return outcomes, places


def with_luck(
    y: np.ndarray, place: np.ndarray, kind: str, spread: float, replications: int, generator: np.random.Generator
) -> np.ndarray:
    """Return an outcome of one study ``(N, C)`` with luck of standard deviation ``spread``, ``(m, N, C)``."""
    blocks = (replications, len(y), 1)
    if kind == "own":
        return y + spread * generator.standard_normal((replications, *y.shape))
    if kind == "shared":
        return y + spread * generator.standard_normal(blocks)
    # Half of the variance is a push that the first factor turns round: it is what the factor is worth that differs.
    push = generator.standard_normal(blocks) + np.sqrt(3) * place * generator.standard_normal(blocks)
    return y + spread * np.sqrt(0.5) * push


def cell(name: str, kind: str, share: float, replications: int, outcomes: np.ndarray, places: np.ndarray) -> Cell:
    """Return what the studies of a cell found."""
    world, (studies, samples, _) = WORLDS[name], outcomes.shape
    spread = np.sqrt(world.variance * share / (1 - share))
    generator = np.random.default_rng([samples, replications, round(100 * share), KINDS.index(kind)])
    covered, flagged, luck, drowned = [], [], [], 0
    for y, place in zip(outcomes, places, strict=True):
        values = with_luck(y, place, kind, spread, replications, generator)
        try:
            found = sobol_indices(values, world.factors, resamples=1)
        except StudyDataError:
            continue
        low = np.concatenate([found.first["low"], found.total["low"], found.noise[1:2]])
        high = np.concatenate([found.first["high"], found.total["high"], found.noise[2:]])
        truth = np.concatenate([world.first, world.total, [share]])
        covered.append((low <= truth) & (truth <= high))
        flagged.append(~found.inert)
        luck.append(found.noise[0])
        drowned += found.enough is not None
    d, counted = len(world.factors), np.mean(covered, axis=0)
    exact = np.append(kind != "own", False)[[0] * d] & (world.total == 0)
    return Cell(
        (name, kind, share, samples, replications),
        np.where(exact, np.nan, counted[:d]), np.where(exact, np.nan, counted[d : 2 * d]), float(counted[-1]),
        float(np.mean(luck)), np.mean(flagged, axis=0), drowned / studies, 1 - len(covered) / studies,
    )  # fmt: skip


def cells(name: str, samples: int, studies: int) -> Iterator[Cell]:
    """Yield every cell of a function and a number of samples."""
    outcomes, places = designs(WORLDS[name], samples, studies)
    for kind, share, replications in product(KINDS, SHARES, REPLICATIONS):
        yield cell(name, kind, share, replications, outcomes, places)


def row(name: str, samples: int, found: list[Cell]) -> str:
    """Return the line of a function and a number of samples."""
    first, total = (np.concatenate([getattr(one, part) for one in found]) for part in ("first", "total"))
    shares = np.array([one.share for one in found])
    off = max((one.luck - one.about[2] for one in found), key=abs)
    # Where luck is shared a factor that does nothing is exactly zero, and never flagged.
    inert = np.concatenate([one.flagged[one.inert & np.isfinite(one.total)] for one in found])
    told = [_span(first), _span(total), _span(shares), f"{100 * off:+.1f}"]
    told.append(f"**{100 * inert.mean():.1f}** – {100 * inert.max():.1f} %" if inert.size else "–")
    told.append(f"{100 * max(one.drowned + one.refused for one in found):.0f} %")
    return f"| {samples} | {name} | {' | '.join(told)} |"


def _span(shares: np.ndarray) -> str:
    """Write the least, the mean and the most of some shares."""
    low, mean, high = (100 * f(shares) for f in (np.nanmin, np.nanmean, np.nanmax))
    return f"{low:.1f} – **{mean:.1f}** – {high:.1f} %"


HEAD = "\n".join(
    (
        "| samples | function | S1 covered, least – mean – most | ST covered | share of luck covered"
        " | its error, points | inert flagged, mean – most | drowned, at most |",
        "|---|---|---|---|---|---|---|---|",
    )
)


def main() -> None:
    """Print the table, write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES, help=f"studies per cell; {STUDIES}")
    parser.add_argument("--samples", type=int, nargs="+", default=SAMPLES, help="numbers of samples")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    parser.add_argument("--all", action="store_true", help="print every cell, too")
    options = parser.parse_args()
    lines = [HEAD]
    print(HEAD, flush=True)
    for samples, name in product(options.samples, WORLDS):
        found = []
        for one in cells(name, samples, options.studies):
            found.append(one)
            if options.all:
                told = [np.round(100 * part, 1) for part in (one.first, one.total, one.share, one.luck, one.flagged)]
                print(*one.about, *told, f"drowned {one.drowned:.3f} refused {one.refused:.3f}", file=sys.stderr)
        lines.append(row(name, samples, found))
        print(lines[-1], flush=True)
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        table = "\n".join(lines)
        PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()

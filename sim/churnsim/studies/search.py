"""Ask and tell: searches that propose points of the unit cube by generations and are told what they are worth.

Every search here is told the same futures for every point (common random numbers), so that it looks at a fixed function
rather than at luck; what luck is left in that function is paid back by `churnsim.studies.optimise`, which evaluates the
finalists anew. All of them are to be made small.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

STEP, CROSS = 0.7, 0.9
"""Scale of differences and chance of crossing over (Storn & Price 1997: .5 to 1, and .9 where factors interact)."""


class Search(Protocol):
    """What every search does."""

    def ask(self) -> np.ndarray:
        """Return the points to look at next, ``(points, factors)``, each coordinate from 0 to below 1."""

    def tell(self, values: np.ndarray) -> None:
        """Take what they are worth, ``(points, objectives)``; very much where a point is not allowed."""


class DifferentialEvolution:
    """One objective: differential evolution (Storn & Price 1997, doi:10.1023/A:1008202821328; recalled).

    Of the kind "rand to best". It asks for a whole generation at a time, as batches of markets need; compares only
    within pairs of parent and child, so that scale and outliers do not matter; and takes levels and whole numbers as
    steps of the cube.

    Parameters
    ----------
    factors
        Number of factors.
    population
        Points of a generation.
    seed
        Of all its choices.
    """

    def __init__(self, factors: int, population: int, seed: int) -> None:
        from scipy.stats import qmc

        self._rng = np.random.default_rng(seed)
        self.points = qmc.LatinHypercube(factors, rng=self._rng).random(max(population, 5))
        self.values: np.ndarray | None = None
        self._asked = self.points

    def ask(self) -> np.ndarray:
        """Return the first generation, then children of the last."""
        if self.values is None:
            return self._asked
        count, factors = self.points.shape
        best = self.points[int(np.argmin(self.values))]
        children = np.empty_like(self.points)
        for i in range(count):
            others = self._rng.choice(np.delete(np.arange(count), i), 3, replace=False)
            a, b, c = self.points[others]
            mutant = a + self._rng.uniform() * (best - a) + STEP * (b - c)
            taken = self._rng.uniform(size=factors) < CROSS
            taken[self._rng.integers(factors)] = True
            children[i] = np.where(taken, mutant, self.points[i])
        # What leaves the cube comes back from its wall, at a random depth between the wall and the parent.
        depth = self._rng.uniform(size=children.shape)
        children = np.where(children < 0, depth * self.points, children)
        children = np.where(children >= 1, self.points + depth * (1 - self.points), children)
        self._asked = np.clip(children, 0.0, np.nextafter(1.0, 0.0))
        return self._asked

    def tell(self, values: np.ndarray) -> None:
        """Let each child take its parent's place unless it is worse."""
        values = values[:, 0]
        if self.values is None:
            self.values = values
            return
        better = values <= self.values
        self.points = np.where(better[:, np.newaxis], self._asked, self.points)
        self.values = np.where(better, values, self.values)


class Nsga:
    """Several objectives: NSGA-II (Deb et al. 2002, doi:10.1109/4235.996017) as pymoo has it.

    Parameters are those of `DifferentialEvolution`, and the number of objectives.
    """

    def __init__(self, factors: int, population: int, seed: int, objectives: int) -> None:
        from pymoo.algorithms.moo.nsga2 import NSGA2
        from pymoo.core.problem import Problem

        class Cube(Problem):
            """The unit cube; what points are worth is told from outside."""

            def _evaluate(self, x: Any, out: Any, *args: Any, **kwargs: Any) -> None:
                raise AssertionError("points are evaluated outside")

        self._algorithm = NSGA2(pop_size=population)
        cube = Cube(n_var=factors, n_obj=objectives, xl=0.0, xu=np.nextafter(1.0, 0.0))
        self._algorithm.setup(cube, termination=("n_gen", 1_000_000), seed=seed, verbose=False)
        self._asked: Any = None

    def ask(self) -> np.ndarray:
        """Return the next generation."""
        self._asked = self._algorithm.ask()
        return np.asarray(self._asked.get("X"), dtype=np.float64)

    def tell(self, values: np.ndarray) -> None:
        """Hand over what the points are worth."""
        from pymoo.core.evaluator import Evaluator
        from pymoo.problems.static import StaticProblem

        Evaluator().eval(StaticProblem(self._algorithm.problem, F=values), self._asked)
        self._algorithm.tell(infills=self._asked)


def nondominated(values: np.ndarray) -> np.ndarray:
    """Return which points no other point beats in everything, ``(n,) bool``; of equal ones the first.

    Parameters
    ----------
    values : (n, objectives) float64
        All to be made small.
    """
    count = len(values)
    kept = np.ones(count, dtype=bool)
    for i in range(count):
        no_worse = (values <= values[i]).all(axis=1)
        better = (values < values[i]).any(axis=1)
        twin = no_worse & ~better & (np.arange(count) < i)
        kept[i] = np.isfinite(values[i]).all() and not (no_worse & better).any() and not twin.any()
    return kept


def spread_out(values: np.ndarray, most: int) -> np.ndarray:
    """Return places of at most so many points that span a front: its ends, then always the one farthest from these."""
    low, high = values.min(axis=0), values.max(axis=0)
    unit = (values - low) / np.where(high > low, high - low, 1.0)
    picked = list(dict.fromkeys(int(place) for place in unit.argmin(axis=0)))[:most]
    while len(picked) < min(most, len(values)):
        gaps = np.abs(unit[:, np.newaxis] - unit[picked]).sum(axis=2).min(axis=1)
        gaps[picked] = -1
        picked.append(int(gaps.argmax()))
    return np.array(sorted(picked, key=lambda place: tuple(values[place])))

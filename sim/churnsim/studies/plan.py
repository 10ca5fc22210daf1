"""The plan of a study: which run has which number, point, arm, replication and seed.

Runs are numbered replication by replication, so that more replications are more numbers behind the others. Nothing
is listed: everything about a run follows from its number, and a plan of millions of runs takes no more memory than
its points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.studies.points import Points
from churnsim.studies.study import MOST_REPLICATIONS, Study

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

BLOCK_SHIFT = MOST_REPLICATIONS.bit_length()
"""Seeds of one block lie this many bits from those of the next: no two blocks share one."""


@dataclass(frozen=True)
class Cell:
    """Runs of one point in one arm: one scenario, several seeds.

    Attributes
    ----------
    arm : int
        Place of the arm.
    changes : dict
        What the point sets, by dotted path.
    runs : list of (int, int)
        Number and seed of each run.
    moves : tuple of dict
        Dated changes besides: ``tick`` and values by dotted path.
    source : str
        Hash of the modules outside the package that this cell runs and the arms do not; empty where there are none.
    """

    arm: int
    changes: dict[str, Any]
    runs: list[tuple[int, int]]
    moves: tuple[dict[str, Any], ...] = ()
    source: str = ""

    def of(self, runs: list[tuple[int, int]]) -> Cell:
        """Return some of its runs."""
        return replace(self, runs=runs)

    def made(self, base: Scenario) -> Scenario:
        """Return the arm's scenario with everything that is changed, at once and later."""
        scenario = base.set(self.changes) if self.changes else base
        for move in self.moves:
            scenario = scenario.move(move["tick"], {path: value for path, value in move.items() if path != "tick"})
        return scenario


class Plan:
    """All runs of a study.

    Parameters
    ----------
    study
        What is planned.

    Attributes
    ----------
    arms : tuple of str
        The arms, in order.
    replications : int
        Most runs per point and arm.
    kind : str
        What kind of study it is of, by the command that runs it.
    """

    kind: str = "sweep"

    def __init__(self, study: Study, points: Points | None = None) -> None:
        self.study = study
        self._points = study.points if points is None else points
        self.arms = study.arm_names
        self.replications = study.replications.max

    @property
    def points(self) -> Points:
        """The design."""
        return self._points

    @property
    def cells(self) -> int:
        """Pairs of a point and an arm."""
        return len(self.points) * len(self.arms)

    def __len__(self) -> int:
        return self.cells * self.replications

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what a store keeps of the design, by name."""
        points = self.points
        factors = {f"factor {path}": column for path, column in points.columns.items()}
        return {"block": np.asarray(points.block), "column": np.asarray(points.column), **factors}

    @property
    def last(self) -> int | None:
        """Highest number of a run; None where the plan does not know it beforehand."""
        return len(self) - 1

    @cached_property
    def own_blocks(self) -> bool:
        """Whether each block of the design has seeds of its own."""
        return self.study.shares_luck == "block"

    def place(self, numbers: Any) -> tuple[Any, Any, Any]:
        """Return point, arm and replication (from 0) of runs by their numbers."""
        replication, cell = np.divmod(numbers, self.cells)
        point, arm = np.divmod(cell, len(self.arms))
        return point, arm, replication

    def number(self, point: Any, arm: Any, replication: Any) -> Any:
        """Return the number of runs: the inverse of `place`."""
        return (replication * len(self.points) + point) * len(self.arms) + arm

    def seeds(self, numbers: Any) -> np.ndarray:
        """Return the seeds of runs by their numbers, int64."""
        point, _, replication = self.place(np.asarray(numbers, dtype=np.int64))
        seeds = self.study.first_seed + replication
        if self.own_blocks:
            seeds = seeds + (self.points.block[point] << BLOCK_SHIFT)
        return seeds

    def work(self, wanted: np.ndarray) -> Iterator[Cell]:
        """Yield what is to be run, cell by cell.

        Parameters
        ----------
        wanted : (runs,) bool
            Whether each run of the plan is to be done.
        """
        by_cell = wanted.reshape(-1, self.cells)
        for cell in np.flatnonzero(by_cell.any(axis=0)):
            numbers = np.flatnonzero(by_cell[:, cell]) * self.cells + cell
            point, arm = divmod(int(cell), len(self.arms))
            seeds = self.seeds(numbers)
            runs = list(zip(numbers.tolist(), seeds.tolist(), strict=True))
            yield Cell(arm, self.points.changes(point, self.arms[arm]), runs)

    def cell(self, number: int) -> Cell:
        """Return the one run with a number."""
        wanted = np.zeros(len(self), bool)
        wanted[number] = True
        (cell,) = self.work(wanted)
        return cell

    def rounds(self, replications: int) -> np.ndarray:
        """Return which runs the first so many replications are, ``(runs,) bool``."""
        wanted = np.zeros(len(self), bool)
        wanted[: self.cells * min(replications, self.replications)] = True
        return wanted

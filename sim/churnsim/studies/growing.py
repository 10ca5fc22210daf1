"""A plan that grows: runs that are asked for one lot after another, since what comes next depends on what came out.

A sweep knows all its runs beforehand (`churnsim.studies.plan`). A tournament gets another strategy, and a search asks
for a generation, looks, and asks for the next. Here a run is numbered when it is first asked for; asked for again, it
is the same run. What each run is stands in the store beside the runs, and is there before any of them begins.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from churnsim.studies.database import damaged
from churnsim.studies.factors import label
from churnsim.studies.plan import Cell, Plan
from churnsim.studies.points import Points
from churnsim.studies.study import Study

MOVES = "moves"
"""Column of what changes later."""


@dataclass(frozen=True)
class Setup:
    """What a run is besides its seed.

    Attributes
    ----------
    arm : str
        The scenario that it is made from.
    changes : dict
        What is set, by dotted path, as plain data.
    moves : tuple of dict
        Dated changes: ``tick`` and values by dotted path.
    source : str
        Hash of the modules outside the package that it runs and the arms do not; empty where there are none.
    """

    arm: str
    changes: dict[str, Any] = field(default_factory=dict)
    moves: tuple[dict[str, Any], ...] = ()
    source: str = ""

    @cached_property
    def text(self) -> str:
        """The whole as one text, the same for the same content."""
        content = [self.arm, self.changes, list(self.moves), self.source]
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @classmethod
    def of(cls, text: str) -> Setup:
        """Read what `text` wrote."""
        arm, changes, moves, source = json.loads(text)
        return cls(arm, changes, tuple(moves), source)


Task = tuple[Setup, int]
"""A run that is asked for: what it is, and its seed."""


class GrowingPlan(Plan):
    """The runs that have been asked for so far.

    Parameters
    ----------
    study
        Arms and outcomes; its design is not used.
    kind
        The command that asks: ``tournament`` or ``optimise``.
    """

    def __init__(self, study: Study, kind: str) -> None:
        self.study = study
        self.kind = kind
        self.arms = study.arm_names
        self._empty()

    def _empty(self) -> None:
        """Forget everything."""
        self.setups: list[Setup] = []
        self.tasks: list[tuple[int, int]] = []
        """Per run the place of its setup, and its seed."""
        self._places: dict[str, int] = {}
        self._numbers: dict[tuple[int, int], int] = {}
        self._times: list[int] = []
        self._replications: list[int] = []
        self._saved = (0, 0)

    def __len__(self) -> int:
        return len(self.tasks)

    @property
    def cells(self) -> int:
        """Different setups."""
        return len(self.setups)

    @property
    def last(self) -> int | None:
        """Return None: a store may have runs that were not asked for yet."""
        return None

    @property
    def points(self) -> Points:
        """The setups as the points of a design: one column per path that any of them sets."""
        return _Setups(self.study, self.setups)

    def ask(self, tasks: Iterable[Task]) -> np.ndarray:
        """Return the numbers of runs, int64; those that are new get the next ones."""
        return np.array([self._number(setup, seed) for setup, seed in tasks], np.int64)

    def known(self, tasks: Iterable[Task]) -> list[int | None]:
        """Return the numbers of runs, None where a run was never asked for."""
        return [self._numbers.get((self._places.get(setup.text, -1), seed)) for setup, seed in tasks]

    def _number(self, setup: Setup, seed: int) -> int:
        """Return a run's number, a new one where it is new."""
        place = self._places.setdefault(setup.text, len(self.setups))
        if place == len(self.setups):
            self.setups.append(setup)
            self._times.append(0)
        if (place, seed) not in self._numbers:
            self._numbers[place, seed] = len(self.tasks)
            self.tasks.append((place, seed))
            self._replications.append(self._times[place])
            self._times[place] += 1
        return self._numbers[place, seed]

    def place(self, numbers: Any) -> tuple[Any, Any, Any]:
        """Return setup, arm and replication (from 0, in the order of asking) of runs by their numbers."""
        if np.ndim(numbers) == 0:
            setup = self.tasks[int(numbers)][0]
            return setup, self.arms.index(self.setups[setup].arm), self._replications[int(numbers)]
        wanted = np.asarray(numbers, np.int64).tolist()
        setups = [self.tasks[number][0] for number in wanted]
        of_setup = [self.arms.index(setup.arm) for setup in self.setups]
        replications = [self._replications[number] for number in wanted]
        arms = [of_setup[setup] for setup in setups]
        return np.array(setups, np.int64), np.array(arms, np.int64), np.array(replications, np.int64)

    def seeds(self, numbers: Any) -> np.ndarray:
        """Return the seeds of runs by their numbers, int64."""
        return np.array([self.tasks[number][1] for number in np.asarray(numbers, np.int64).tolist()], np.int64)

    def work(self, wanted: np.ndarray) -> Iterator[Cell]:
        """Yield what is to be run, setup by setup."""
        by_setup: dict[int, list[tuple[int, int]]] = {}
        for number in np.flatnonzero(wanted).tolist():
            place, seed = self.tasks[number]
            by_setup.setdefault(place, []).append((number, seed))
        for place, runs in by_setup.items():
            setup = self.setups[place]
            yield Cell(self.arms.index(setup.arm), setup.changes, runs, setup.moves, setup.source)

    # ------------------------------------------------------------------ in the store

    def arrays(self) -> dict[str, np.ndarray]:
        """Return nothing: what the runs are is added as they are asked for."""
        return {}

    def load(self, connection: sqlite3.Connection, file: Path) -> None:
        """Become what a store has; raise StoreError where that is not what was written."""
        self._empty()
        try:
            setups = connection.execute("SELECT id, text, crc FROM setup ORDER BY id").fetchall()
            tasks = connection.execute("SELECT number, setup, seed, crc FROM task ORDER BY number").fetchall()
        except sqlite3.DatabaseError as error:
            raise damaged(file, error) from None
        known = {}
        for place, text, crc in setups:
            if zlib.crc32(text.encode()) != crc:
                raise damaged(file, f"checksum of setup {place}")
            known[place] = Setup.of(text)
        for number, place, seed, crc in tasks:
            whole = zlib.crc32(f"{number} {place} {seed}".encode()) == crc and place in known
            if not whole or self._number(known[place], seed) != number:
                raise damaged(file, f"checksum of task {number}")
        self._saved = (len(self.setups), len(self.tasks))

    def save(self, connection: sqlite3.Connection) -> None:
        """Write what has been asked for since this was last called; the caller commits."""
        setups, tasks = self._saved
        new = [(place, self.setups[place].text) for place in range(setups, len(self.setups))]
        connection.executemany(
            "INSERT INTO setup VALUES (?, ?, ?)", [(place, text, zlib.crc32(text.encode())) for place, text in new]
        )
        connection.executemany(
            "INSERT INTO task VALUES (?, ?, ?, ?)",
            [
                (number, place, seed, zlib.crc32(f"{number} {place} {seed}".encode()))
                for number, (place, seed) in enumerate(self.tasks[tasks:], start=tasks)
            ],
        )
        self._saved = (len(self.setups), len(self.tasks))


class _Setups(Points):
    """Setups as points: what is set, by path, and the moves in a column of their own."""

    def __init__(self, study: Study, setups: Sequence[Setup]) -> None:
        self.setups = list(setups)
        count = len(self.setups)
        paths = dict.fromkeys(path for setup in self.setups for path in setup.changes)
        columns = {path: _column([setup.changes.get(path) for setup in self.setups]) for path in paths}
        if any(setup.moves for setup in self.setups):
            columns[MOVES] = _column([list(setup.moves) or None for setup in self.setups])
        super().__init__(study, columns, np.arange(count), np.zeros(count, np.int64))

    def values(self, path: str, rows: Any = slice(None)) -> np.ndarray:
        """Return what is set at a path; missing where nothing is."""
        return self.columns[path][rows]

    labels = values

    def unset(self, path: str, arm: str) -> None:
        """Return None: what a setup does not set is missing in its column."""
        return None

    def changes(self, point: int, arm: str) -> dict[str, Any]:
        """Return what a setup sets, by dotted path."""
        return dict(self.setups[point].changes)


def _column(values: list[Any]) -> np.ndarray:
    """Return values as they stand in tables: numbers where all are numbers, else texts and numbers."""
    if all(value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in values):
        if all(isinstance(value, int) for value in values):
            return np.array(values, np.int64)
        return np.array([np.nan if value is None else value for value in values], np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = [None if value is None else label(value) for value in values]
    return column

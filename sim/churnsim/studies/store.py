"""A store: everything a study has run so far, in one SQLite file.

Reading works while a sweep is writing, and needs nothing but the file: the definition of the study, its scenarios and
its design are in it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.scenario import Scenario, build
from churnsim.studies.database import checksum, connect, damaged, file_of, inspect, load_arrays, meta_of
from churnsim.studies.errors import StoreError
from churnsim.studies.growing import GrowingPlan
from churnsim.studies.plan import Plan
from churnsim.studies.points import Points
from churnsim.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

PENDING, DONE, FAILED = 0, 1, 2
"""What is known of a run."""
AT_ONCE = 20_000
"""Rows that are read at a time."""


class Store:
    """What a study has run, read-only.

    Attributes
    ----------
    folder : Path
        The study's folder.
    study : Study
        The study, with the scenarios as they were when it was run.
    plan : Plan
        Its runs.
    about : dict
        When, by which version and commit, on which machine.
    """

    def __init__(self, place: str | Path) -> None:
        self.file = file_of(place)
        self.folder = self.file.parent
        self.connection = connect(self.file, write=False)
        inspect(self.connection, self.file)
        self.meta = meta_of(self.connection)
        check_format(self.meta, self.file)

    @classmethod
    def open(cls, place: str | Path) -> Store:
        """Open a store.

        Parameters
        ----------
        place
            The study's folder, or the database in it.

        Raises
        ------
        StoreError
            If there is none, or it is damaged.
        """
        return cls(place)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    # ------------------------------------------------------------------ what was planned

    @cached_property
    def study(self) -> Study:
        """The study, with the scenarios as they were when it was run."""
        return study_of(self.meta)

    @property
    def kind(self) -> str:
        """The command whose runs these are: ``sweep``, ``tournament`` or ``optimise``."""
        return self.meta.get("kind", Plan.kind)

    @cached_property
    def plan(self) -> Plan:
        """The study's runs."""
        if self.kind != Plan.kind:
            growing = GrowingPlan(self.study, self.kind)
            growing.load(self.connection, self.file)
            return growing
        arrays = load_arrays(self.connection, self.file)
        block, column = arrays.pop("block"), arrays.pop("column")
        columns = {name.removeprefix("factor "): array for name, array in arrays.items()}
        ordered = {path: columns[path] for path in self.study.factors}
        return Plan(self.study, Points(self.study, ordered, block, column))

    @cached_property
    def design(self) -> pd.DataFrame:
        """The design: row, block, column, and every factor's value."""
        import pandas as pd

        points = self.plan.points
        columns = {"row": np.arange(len(points)), "block": points.block, "column": points.column}
        return pd.DataFrame({**columns, **{path: points.labels(path) for path in points.columns}})

    def check_design(self) -> None:
        """Raise StoreError where the runs follow no design, so that no analysis of a design applies."""
        if self.kind != Plan.kind:
            raise StoreError("other_kind", folder=self.folder, kind=self.kind)

    @property
    def about(self) -> dict[str, Any]:
        """When, by which version and commit, on which machine."""
        return json.loads(self.meta["about"])

    def scenario(self, number: int) -> Scenario:
        """Return the scenario of a run, as it was run.

        Parameters
        ----------
        number
            The run's number: the index of `frame`.
        """
        cell = self.plan.cell(int(number))
        return cell.made(self.study.bases[self.plan.arms[cell.arm]])

    def named_values(self, values: bytes) -> dict[str, float | list[float]]:
        """Return what a run stored, by outcome: a number, or a course where settling is found out afterwards."""
        numbers, named = np.frombuffer(values), {}
        for outcome in self.study.kept:
            part, numbers = numbers[: outcome.width].tolist(), numbers[outcome.width :]
            named[outcome.name] = part[0] if outcome.form != "long_run" else part
        return named

    # ------------------------------------------------------------------ what was run

    def rows(self) -> Iterator[tuple[np.ndarray, list[tuple[Any, ...]]]]:
        """Yield the runs in order, some thousand at a time: numbers, and (ok, key, y, seconds, attempts, environment).

        Raises
        ------
        StoreError
            If a row is not what was written.
        """
        cursor = self.connection.execute(
            "SELECT number, ok, key, y, seconds, attempts, environment, crc FROM run ORDER BY number"
        )
        while True:
            try:
                rows = cursor.fetchmany(AT_ONCE)
            except sqlite3.DatabaseError as error:
                raise damaged(self.file, error) from None
            if not rows:
                return
            for row in rows:
                if checksum(row[0], row[2], row[3]) != row[7]:
                    raise damaged(self.file, f"checksum of run {row[0]}")
            yield np.array([row[0] for row in rows], np.int64), [row[1:7] for row in rows]

    def states(self) -> np.ndarray:
        """Return what is known of every run of the plan, ``(runs,) uint8``: `PENDING`, `DONE` or `FAILED`."""
        states = np.zeros(len(self.plan), np.uint8)
        for number, ok in self.connection.execute("SELECT number, ok FROM run"):
            if number < len(states):
                states[number] = DONE if ok else FAILED
        return states

    def counts(self) -> dict[str, int]:
        """Return how many runs were asked for, are done, and have failed."""
        total = dict(self.connection.execute("SELECT ok, count(*) FROM run GROUP BY ok"))
        return {"runs": int(self.meta["asked"]), "done": total.get(1, 0), "failed": total.get(0, 0)}

    def frame(self) -> pd.DataFrame:
        """Return one row per run that has ended, sorted by design row, arm and replication.

        Returns
        -------
        pandas.DataFrame
            Indexed by the run's number: run (its key), row, arm, replication (from 1), seed, every factor, every
            outcome, status (``ok`` or why it failed). Outcomes of failed runs, and factors that do not apply, are
            missing.
        """
        from churnsim.studies.export import frame_of

        return frame_of(self)

    def failures(self) -> pd.DataFrame:
        """Return one row per failed run: what it was, why it failed, and the command that repeats it."""
        from churnsim.studies.export import failures_of

        return failures_of(self)

    def __repr__(self) -> str:
        counts = self.counts()
        return f"Store({self.folder}: {counts['done']} of {counts['runs']} runs, {counts['failed']} failed)"

    __str__ = __repr__


def check_format(meta: dict[str, str], file: Path) -> None:
    """Refuse a database that is no store, or of another format."""
    from churnsim.studies.database import FORMAT_VERSION

    if "definition" not in meta:
        raise StoreError("none", folder=file.parent)
    if meta.get("format") != str(FORMAT_VERSION):
        raise StoreError("format", file=file, found=meta.get("format"), wanted=FORMAT_VERSION)


def study_of(meta: dict[str, str]) -> Study:
    """Return the study that a store's own words describe."""
    import importlib

    for module in json.loads(meta["modules"]):
        importlib.import_module(module)
    study = Study(**json.loads(meta["definition"]))
    bases = {}
    for name, data in json.loads(meta["arms"]).items():
        scenario, problems = build(data)
        if scenario is None:
            from churnsim.config.errors import ScenarioError

            raise ScenarioError(problems)
        bases[name] = scenario
    study._cache["bases"] = bases
    return study


def open_store(place: str | Path) -> Store:
    """Open a study's store: its folder, or the database in it; see `Store.open`."""
    return Store.open(place)

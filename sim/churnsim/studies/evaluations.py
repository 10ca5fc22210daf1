"""Runs that are asked for one lot after another, and remembered: what has been seen need not be run again.

A sweep knows all its runs beforehand (`churnsim.studies.plan`); an optimiser asks for some, looks, and asks for more.
Every run is remembered by what it is (scenario, seed, outcomes, model), in memory and in a file where there is one.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.studies.errors import StoreError
from churnsim.studies.keys import model_hash

if TYPE_CHECKING:
    from churnsim.records import RunRecord
    from churnsim.scenario import Scenario
    from churnsim.studies.outcomes import Outcome

Task = tuple["Scenario", int]
LOT = 512
"""Runs handed out at a time: what is done of them is in the file before the next begin."""


class Evaluations:
    """Outcomes of runs, each made once.

    Parameters
    ----------
    outcomes
        What is kept of every run.
    file
        SQLite file that remembers runs beyond this process; None forgets them with it.
    jobs
        Batches at a time; by default the machine's cores.

    Raises
    ------
    StoreError
        If the file is something else, or damaged.
    """

    def __init__(self, outcomes: Sequence[Outcome], file: Path | None = None, jobs: int | None = None) -> None:
        self.outcomes = tuple(outcomes)
        self.width = sum(outcome.width for outcome in outcomes)
        self.jobs = jobs
        self.known: dict[bytes, np.ndarray] = {}
        self.made = 0
        """Runs that were really run."""
        self._base = hashlib.blake2b(
            json.dumps([model_hash(), [outcome.text for outcome in self.outcomes]]).encode(), digest_size=16
        )
        self._file = None if file is None else _opened(file)
        if self._file is not None:
            rows = self._file.execute("SELECT key, y FROM evaluation").fetchall()
            self.known = {key: np.frombuffer(y, "<f8") for key, y in rows}

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def missing(self, tasks: Sequence[Task]) -> list[Task]:
        """Return the runs that have not been made, each once."""
        wanted = {self.key(*task): task for task in tasks}
        return [task for key, task in wanted.items() if key not in self.known]

    def key(self, scenario: Scenario, seed: int) -> bytes:
        """Return what a run is remembered by."""
        full = self._base.copy()
        full.update(f"{scenario.key} {seed}".encode())
        return full.digest()

    def values(self, tasks: Sequence[Task], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        """Return the outcomes of runs, ``(runs, width) float64``; makes those that are missing.

        Parameters
        ----------
        tasks
            Scenarios and seeds.
        progress
            Called with the runs made and the runs to make; not at all if there are none.

        Raises
        ------
        RunError
            If a run fails; what was made before is remembered.
        StoreError
            If the file takes no more.
        """
        todo = self.missing(tasks)
        report = progress or (lambda done, total: None)
        if todo:
            report(0, len(todo))
        # In lots of many seeds of few scenarios, as they come: a lot's records are gone before the next is made.
        for start in range(0, len(todo), LOT):
            lot = todo[start : start + LOT]
            self._make(lot, lambda done, start=start: report(start + done, len(todo)))  # type: ignore[misc]
        return np.array([self.known[self.key(*task)] for task in tasks]).reshape(len(tasks), self.width)

    def _make(self, lot: list[Task], report: Callable[[int], None]) -> None:
        """Run a lot, batch by batch; remember each batch as soon as it is there."""
        from churnsim.running import RunError, batches_of, cores

        jobs = self.jobs or cores()
        batches = batches_of([scenario for scenario, _ in lot], jobs)
        done = 0
        pool = ThreadPoolExecutor(max_workers=min(jobs, len(batches)), thread_name_prefix="churnsim")
        try:
            futures: dict[Future[np.ndarray], list[int]] = {
                pool.submit(self._run, [lot[place] for place in batch]): batch for batch in batches
            }
            pending = set(futures)
            while pending:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in sorted(finished, key=futures.__getitem__):
                    places = futures[future]
                    error = future.exception()
                    if error is not None:
                        scenario, seed = lot[places[getattr(error, "churnsim_market", 0)]]
                        raise RunError(scenario.name, seed, error) from error
                    self._remember([lot[place] for place in places], future.result())
                    done += len(places)
                    report(done)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, tasks: Sequence[Task]) -> np.ndarray:
        """Run one batch side by side; return what is kept, one row per run."""
        from churnsim.engine.compiled import Compiled
        from churnsim.markets import Markets

        scenarios, seeds = zip(*tasks, strict=True)
        records: list[RunRecord] = Markets(scenarios, seeds, engine=Compiled()).run_to_horizon()
        return np.array([np.concatenate([outcome.of(record) for outcome in self.outcomes]) for record in records])

    def _remember(self, tasks: Sequence[Task], rows: np.ndarray) -> None:
        """Keep the outcomes of a batch."""
        keys = [self.key(*task) for task in tasks]
        if self._file is not None:
            pairs = [(key, row.astype("<f8").tobytes()) for key, row in zip(keys, rows, strict=True)]
            try:
                with self._file:
                    self._file.executemany("INSERT OR IGNORE INTO evaluation VALUES (?, ?)", pairs)
            except sqlite3.Error as error:  # a full disk, say
                raise StoreError("not_remembered", reason=error) from None
        self.known.update(zip(keys, rows, strict=True))
        self.made += len(keys)


def _opened(file: Path) -> Any:
    """Open or make the file of remembered runs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        # One thread writes at a time: the one that asked for the runs.
        store = sqlite3.connect(file, timeout=30)
        store.execute("PRAGMA journal_mode=WAL")
        store.execute("PRAGMA synchronous=NORMAL")
        with store:
            store.execute("CREATE TABLE IF NOT EXISTS evaluation (key BLOB PRIMARY KEY, y BLOB NOT NULL)")
    except sqlite3.DatabaseError as error:
        raise StoreError("not_evaluations", file=file, reason=error) from None
    return store

"""Writing a store: one writer, batches of rows, and nothing lost that was committed."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from churnsim.studies import database, salvage
from churnsim.studies.database import checksum, connect, inspect, meta_of, set_meta, verify
from churnsim.studies.errors import DiskFullError, StoreError
from churnsim.studies.growing import GrowingPlan
from churnsim.studies.keys import environment
from churnsim.studies.lock import Lock
from churnsim.studies.plan import Plan
from churnsim.studies.store import DONE, FAILED, check_format
from churnsim.studies.work import CRASHED, MEMORY, OK, TIMEOUT, Answer

COMMIT_ROWS, COMMIT_SECONDS = 2000, 0.5
"""Rows and seconds after which what was added is committed."""
SPARE = 16 * 2**20
"""Bytes of the disk that are left free."""
ROW_BYTES = 110
"""Bytes of a stored run besides its outcomes (measured)."""
OF_THE_MACHINE = (CRASHED, TIMEOUT, MEMORY)
"""Failures that another machine or another hour may not have: they are tried again when a sweep is resumed."""
CHANGED = "not_repeatable"
"""Status of a run that gave other numbers when it was done again."""


class Writer:
    """The one writer of a store.

    Parameters
    ----------
    folder
        The study's folder; made where it does not exist.
    plan
        What is run.
    model, modules, about
        What the store says of itself besides.

    Attributes
    ----------
    states : (runs,) uint8
        What is known of every run.
    notices : list of (str, dict)
        What its user should know: codes of ``study.notice.*`` and what the texts need.
    rescued : dict of bytes to (bytes, float)
        Outcomes and seconds of runs of a damaged store, by key, where only their keys say what they are.
    """

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        *,
        model: str,
        modules: tuple[str, ...] = (),
        about: dict[str, Any] | None = None,
    ) -> None:
        self.folder, self.plan = folder, plan
        self.file = folder / database.FILE
        self.notices: list[tuple[str, dict[str, Any]]] = []
        self.rescued: dict[bytes, tuple[bytes, float]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.lock = Lock(folder)
            self.lock.take()
        except OSError as error:
            raise _cannot_write(folder, error) from None
        try:
            self._open(model, modules, about or {})
        except BaseException:
            self.lock.release()
            raise

    def _open(self, model: str, modules: tuple[str, ...], about: dict[str, Any]) -> None:
        """Open what is there already, or begin."""
        study = self.plan.study
        rows: list[tuple[Any, ...]] = []
        try:
            try:
                self.connection, meta = self._connected()
            except StoreError as error:
                if error.code != "damaged":
                    raise
                aside = salvage.put_aside(self.file)
                rows = salvage.whole_rows(aside, study.key, model, self.plan.last)
                self.notices.append(("salvaged", {"file": aside, "rows": len(rows)}))
                self.connection, meta = self._connected()
            if meta and meta["model"] != model and meta["id"] == study.key:
                self._put_aside(meta["model"])
                self.connection, meta = self._connected()
        except (sqlite3.OperationalError, OSError) as error:
            raise _cannot_write(self.folder, error) from None
        if meta and (meta["id"], meta.get("kind", Plan.kind)) != (study.key, self.plan.kind):
            self.connection.close()
            code = "other_study" if self.plan.kind == Plan.kind else "other_game"
            raise StoreError(code, folder=self.folder, found=meta["name"], id=meta["id"][:8])
        with self._safe():
            self.connection.execute("BEGIN IMMEDIATE")
            if not meta:
                self._begin(model, about)
            known = json.loads(meta["modules"]) if meta else []
            set_meta(
                self.connection,
                definition=json.dumps(study.definition(), ensure_ascii=False, default=str),
                modules=json.dumps(sorted({*known, *modules})),
            )
            self.environment = self.environment_of(json.dumps(environment(), sort_keys=True))
            if isinstance(self.plan, GrowingPlan):
                self.rescued = {row[1]: (row[2], row[3]) for row in rows}
            else:
                self._take_over(rows)
            self.connection.execute("COMMIT")
        self.states = np.zeros(len(self.plan), np.uint8)
        self._read_states()
        self._pending: list[tuple[Answer, int]] = []
        self._since = time.monotonic()

    def _connected(self) -> tuple[sqlite3.Connection, dict[str, str]]:
        """Open the database, see that it is whole, and return it with what it says of itself."""
        connection = None
        try:
            connection = connect(self.file, write=True)
            inspect(connection, self.file)
            meta = meta_of(connection)
            if meta:
                check_format(meta, self.file)
                verify(connection, self.file)
            if isinstance(self.plan, GrowingPlan):
                self.plan.load(connection, self.file)
            return connection, meta
        except BaseException as error:
            # An open connection would look after its log by name, whatever has that name by then.
            if connection is not None:
                connection.close()
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                raise database.damaged(self.file, error) from None
            raise

    def _put_aside(self, old: str) -> None:
        """Put the runs of another version of the model out of the way: they are not those of this version."""
        _gather(self.connection)
        self.connection.close()
        aside = self.folder / f"study-{old[:8]}.sqlite"
        self.file.replace(aside)
        self.notices.append(("other_model", {"file": aside}))

    def _begin(self, model: str, about: dict[str, Any]) -> None:
        """Write what a new store says of itself."""
        study = self.plan.study
        arms = {name: base.model_dump(mode="json") for name, base in study.bases.items()}
        set_meta(
            self.connection,
            format=str(database.FORMAT_VERSION),
            id=study.key,
            name=study.name,
            model=model,
            asked="0",
            kind=self.plan.kind,
            arms=json.dumps(arms, ensure_ascii=False),
            about=json.dumps(about, ensure_ascii=False),
        )
        for column, array in self.plan.arrays().items():
            database.save_array(self.connection, column, array)

    def _take_over(self, rows: list[tuple[Any, ...]]) -> None:
        """Write what was whole in a damaged store."""
        here = json.dumps(environment(), sort_keys=True)
        for number, key, values, seconds, attempts, details in rows:
            row = (number, 1, key, values, seconds, attempts, self.environment_of(details or here))
            self.connection.execute(
                "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, checksum(number, key, values))
            )

    def environment_of(self, details: str) -> int:
        """Return the number of an environment, after noting it."""
        self.connection.execute("INSERT OR IGNORE INTO environment (details) VALUES (?)", (details,))
        return self.connection.execute("SELECT id FROM environment WHERE details = ?", (details,)).fetchone()[0]

    def stored(self, number: int) -> bytes | None:
        """Return the outcomes of a finished run, None where it is not finished."""
        if self.states[number] != DONE:
            return None
        waiting = next((answer.values for answer, _ in self._pending if answer.number == number), None)
        if waiting is not None:
            return waiting
        row = self.connection.execute("SELECT y FROM run WHERE number = ? AND ok", (number,)).fetchone()
        return row[0] if row else None

    def first_done(self) -> int | None:
        """Return the first finished run of this environment, None where there is none."""
        query = "SELECT min(number) FROM run WHERE ok AND environment = ?"
        return self.connection.execute(query, (self.environment,)).fetchone()[0]

    def other_environments(self) -> list[tuple[int, str]]:
        """Return the environments of stored runs that are not this one, and have not been compared with it."""
        noted = [row[0] for row in self.connection.execute("SELECT what FROM event")]
        known = self.connection.execute("SELECT id, details FROM environment ORDER BY id").fetchall()
        return [
            (number, details)
            for number, details in known
            if number != self.environment
            and not any(
                text.startswith(f"environment {number}:") and text.endswith(f" in environment {self.environment}")
                for text in noted
            )
        ]

    def values(self, outcome: str, replications: int) -> np.ndarray:
        """Return an outcome of the first replications, ``(replications, cells)``; missing where not done."""
        self.commit()
        place = 0
        for kept in self.plan.study.kept:
            if kept.name == outcome:
                break
            place += kept.width
        table = np.full(replications * self.plan.cells, np.nan)
        query = "SELECT number, substr(y, ?, 8) FROM run WHERE ok AND number < ?"
        for number, value in self.connection.execute(query, (8 * place + 1, len(table))):
            table[number] = np.frombuffer(value)[0]
        return table.reshape(replications, self.plan.cells)

    def _read_states(self) -> None:
        """Note which runs are done; those that failed for the machine's sake are to be done again."""
        query = (
            "SELECT run.number, ok, status FROM run LEFT JOIN failure USING (number) "
            "LEFT JOIN cause ON cause.id = failure.cause"
        )
        for number, ok, status in self.connection.execute(query):
            if number < len(self.states) and status not in OF_THE_MACHINE:
                self.states[number] = DONE if ok else FAILED

    # ------------------------------------------------------------------ adding

    def extend(self) -> None:
        """Note the runs that a growing plan has got since this was last called, before any of them begins."""
        assert isinstance(self.plan, GrowingPlan)
        with self._safe():
            self.connection.execute("BEGIN IMMEDIATE")
            self.plan.save(self.connection)
            self.connection.execute("COMMIT")
        more = np.zeros(len(self.plan) - len(self.states), np.uint8)
        self.states = np.concatenate([self.states, more])

    def outcomes(self, numbers: np.ndarray) -> np.ndarray:
        """Return everything that is kept of some runs, ``(runs, width)``; missing where a run has failed."""
        self.commit()
        table = np.full((len(numbers), sum(outcome.width for outcome in self.plan.study.kept)), np.nan)
        for row, number in enumerate(numbers.tolist()):
            stored = self.stored(number)
            if stored is not None:
                table[row] = np.frombuffer(stored)
        return table

    def add(self, answers: Iterable[Answer]) -> None:
        """Add how runs ended; what is added is committed after half a second, or some thousand rows.

        Raises
        ------
        DiskFullError
            If there is no room; what was committed before is kept.
        """
        for given in answers:
            answer = given if self.states[given.number] == 0 else self._compared(given)
            if answer is None:
                continue
            self.states[answer.number] = DONE if answer.status == OK else FAILED
            where = self.environment if not answer.environment else self.environment_of(answer.environment)
            self._pending.append((answer, where))
            # Within a large batch too, so that a disk that fills up loses little.
            if len(self._pending) >= COMMIT_ROWS:
                self.commit()
        if time.monotonic() - self._since >= COMMIT_SECONDS:
            self.commit()

    def _compared(self, answer: Answer) -> Answer | None:
        """Compare a run that is known already with what is stored; None where it is the same."""
        self.commit()
        row = self.connection.execute("SELECT ok, y FROM run WHERE number = ?", (answer.number,)).fetchone()
        if row is None or answer.status != OK or not row[0] or row[1] == answer.values:
            return None
        message = "the run gave other numbers when it was done again"
        return Answer(answer.number, CHANGED, answer.key, b"", answer.seconds, message)

    def commit(self) -> None:
        """Write what was added, all of it or nothing."""
        rows, self._pending = self._pending, []
        self._since = time.monotonic()
        if not rows:
            return
        with self._safe():
            if shutil.disk_usage(self.folder).free < SPARE:
                raise OSError(errno.ENOSPC, "no space left")
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany(
                "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (a.number, int(a.status == OK), a.key, a.values, a.seconds, a.attempts, where,
                     checksum(a.number, a.key, a.values))
                    for a, where in rows
                ],
            )  # fmt: skip
            self._write_failures([answer for answer, _ in rows])
            self.connection.execute("COMMIT")

    def _write_failures(self, rows: list[Answer]) -> None:
        """Write why runs failed; the same text is kept once."""
        good = [(answer.number,) for answer in rows if answer.status == OK]
        self.connection.executemany("DELETE FROM failure WHERE number = ?", good)
        for answer in rows:
            if answer.status == OK:
                continue
            texts = (answer.status, answer.message, answer.details)
            self.connection.execute("INSERT OR IGNORE INTO cause (status, message, details) VALUES (?, ?, ?)", texts)
            self.connection.execute(
                "INSERT OR REPLACE INTO failure "
                "SELECT ?, id FROM cause WHERE status = ? AND message = ? AND details = ?",
                (answer.number, *texts),
            )

    def ask(self, runs: int) -> None:
        """Note how many runs are wanted, done or not."""
        with self._safe():
            set_meta(self.connection, asked=str(runs))

    def note(self, what: str) -> None:
        """Keep a line on what happened."""
        with self._safe():
            at = time.strftime("%Y-%m-%dT%H:%M:%S%z")
            self.connection.execute("INSERT INTO event VALUES (?, ?)", (at, what))

    @contextmanager
    def _safe(self) -> Iterator[None]:
        """Undo what the block has begun where it cannot be finished, and say why in plain words."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            with suppress(sqlite3.Error):
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
            if "full" in str(error) or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFullError(
                    "disk_full", folder=self.folder, needed=megabytes(self.bytes_for(int((self.states == 0).sum())))
                ) from None
            raise _cannot_write(self.folder, error) from None

    def bytes_for(self, runs: int) -> int:
        """Return about how many bytes some runs will take."""
        return runs * (ROW_BYTES + 8 * sum(outcome.width for outcome in self.plan.study.kept))

    def close(self) -> None:
        """Commit, put everything into the one file, and give the lock back."""
        try:
            self.commit()
        finally:
            # Where somebody is reading, or the disk is full, the log stays beside the file, which is as good.
            with suppress(sqlite3.Error):
                _gather(self.connection)
            self.connection.close()
            self.lock.release()

    def abandon(self) -> None:
        """Close without writing what was not committed."""
        self._pending = []
        self.close()


def _gather(connection: sqlite3.Connection) -> None:
    """Put everything into the one file."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode=DELETE")


def _cannot_write(folder: Path, error: Exception) -> StoreError:
    """Return why a folder cannot be written to."""
    return StoreError("not_writable", folder=folder, reason=getattr(error, "strerror", None) or str(error))


def megabytes(size: int) -> str:
    """Write a size."""
    return f"{max(size, 1) / 2**20:,.1f} MB"

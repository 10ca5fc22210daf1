"""A damaged store: kept under another name, and what is whole in it taken over."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from churnsim.studies.database import checksum

STEP = 500
"""Rows that are read at a time; where one cannot be read, the rows around it are read one by one."""


def put_aside(file: Path) -> Path:
    """Rename a damaged database, with its log, and return its new name."""
    number = 1
    while (aside := file.with_name(f"{file.stem}.damaged-{number}{file.suffix}")).exists():
        number += 1
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            Path(f"{file}{suffix}").replace(f"{aside}{suffix}")
    return aside


def whole_rows(file: Path, study: str, model: str, last: int | None) -> list[tuple[Any, ...]]:
    """Return the finished runs of a damaged database whose checksums hold.

    Parameters
    ----------
    file
        The database, put aside.
    study, model
        What the database must say it is of; one that does not say so any more has nothing to take over.
    last
        Highest number of a run; None asks the database.

    Returns
    -------
    list of (number, key, y, seconds, attempts, environment's details or None)
    """
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        meta = dict(connection.execute("SELECT name, value FROM meta WHERE name IN ('id', 'model')"))
        if meta != {"id": study, "model": model}:
            return []
        if last is None:
            (last,) = connection.execute("SELECT coalesce(max(number), -1) FROM run").fetchone()
        rows: list[tuple[Any, ...]] = []
        for first in range(0, last + 1, STEP):
            rows += _between(connection, first, min(first + STEP - 1, last))
        environments = _environments(connection)
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return []
    finally:
        connection.close()
    return [(*row[:5], environments.get(row[5])) for row in rows if checksum(row[0], row[1], row[2]) == row[6]]


def _between(connection: sqlite3.Connection, first: int, last: int) -> list[tuple[Any, ...]]:
    """Return the finished runs between two numbers, as far as they can be read."""
    query = (
        "SELECT number, key, y, seconds, attempts, environment, crc FROM run WHERE ok AND number BETWEEN ? AND ? "
        "AND typeof(key) = 'blob' AND typeof(y) = 'blob' AND typeof(crc) = 'integer'"
    )
    try:
        return connection.execute(query, (first, last)).fetchall()
    except sqlite3.DatabaseError:
        if first == last:
            return []
        middle = (first + last) // 2
        return _between(connection, first, middle) + _between(connection, middle + 1, last)


def _environments(connection: sqlite3.Connection) -> dict[int, str]:
    """Return the environments that a damaged database still names."""
    with suppress(sqlite3.DatabaseError):
        return dict(connection.execute("SELECT id, details FROM environment"))
    return {}

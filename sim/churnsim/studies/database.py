"""The SQLite file of a store: its tables, how it is opened, and how a damaged one is noticed."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from churnsim.studies.errors import StoreError

FILE = "study.sqlite"
FORMAT_VERSION = 1

TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS design (name TEXT PRIMARY KEY, kind TEXT NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS environment (id INTEGER PRIMARY KEY, details TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS run (
    number INTEGER PRIMARY KEY, ok INTEGER NOT NULL, key BLOB NOT NULL, y BLOB NOT NULL, seconds REAL NOT NULL,
    attempts INTEGER NOT NULL, environment INTEGER NOT NULL, crc INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS cause (
    id INTEGER PRIMARY KEY, status TEXT NOT NULL, message TEXT NOT NULL, details TEXT NOT NULL,
    UNIQUE (status, message, details)
);
CREATE TABLE IF NOT EXISTS failure (number INTEGER PRIMARY KEY, cause INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS event (at TEXT NOT NULL, what TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS setup (id INTEGER PRIMARY KEY, text TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS task (
    number INTEGER PRIMARY KEY, setup INTEGER NOT NULL, seed INTEGER NOT NULL, crc INTEGER NOT NULL
);
"""
"""One row per run, whose number is its place in the plan; what failed shares the texts of its cause. Where the plan
grows, `setup` and `task` say what each run is."""

NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "lustre", "gpfs", "beegfs", "ceph", "fuse.sshfs",
                     "afs", "panfs", "glusterfs", "fuse.glusterfs"})  # fmt: skip
"""File systems that do not share memory between machines, which SQLite's write-ahead log needs."""


def file_of(place: str | Path) -> Path:
    """Return the database of a store, given its folder or the file itself."""
    path = Path(place)
    return path / FILE if path.is_dir() or path.suffix != ".sqlite" else path


def connect(file: Path, *, write: bool) -> sqlite3.Connection:
    """Open the database; raise StoreError where there is none.

    Parameters
    ----------
    file
        The database; made where `write` and it does not exist.
    write
        Whether to write: with a write-ahead log, or a plain journal on a network file system.
    """
    if write:
        connection = sqlite3.connect(file, isolation_level=None, timeout=30, check_same_thread=False)
        mode = "DELETE" if file_system(file.parent) in NETWORK else "WAL"
        try:
            connection.execute(f"PRAGMA journal_mode={mode}")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(TABLES)
        except sqlite3.Error:
            connection.close()
            raise
        return connection
    if not file.is_file():
        raise StoreError("none", folder=file.parent)
    try:
        connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=30)
        connection.execute("SELECT count(*) FROM meta").fetchone()
        return connection
    except sqlite3.DatabaseError as error:
        if "readonly" not in str(error) and "unable to open" not in str(error):
            raise damaged(file, error) from None
        # A log that was left behind in a folder that cannot be written to: read what the file itself holds.
        return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)


def damaged(file: Path, reason: object) -> StoreError:
    """Return the error of a database that is not as it was written."""
    return StoreError("damaged", file=file, reason=reason)


def inspect(connection: sqlite3.Connection, file: Path) -> None:
    """Raise StoreError where pages of the database are not what they were."""
    try:
        found = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.DatabaseError as error:
        raise damaged(file, error) from None
    if found != ["ok"]:
        raise damaged(file, "; ".join(map(str, found)))


def verify(connection: sqlite3.Connection, file: Path) -> None:
    """Raise StoreError where a run is not what was written, though its page can be read."""
    try:
        for number, key, values, crc in connection.execute("SELECT number, key, y, crc FROM run"):
            if checksum(number, key, values) != crc:
                raise damaged(file, f"checksum of run {number}")
    except (sqlite3.DatabaseError, TypeError) as error:
        raise damaged(file, error) from None


def checksum(number: int, key: bytes, values: bytes) -> int:
    """Return what a row's checksum must be."""
    return zlib.crc32(values, zlib.crc32(key, number & 0xFFFFFFFF))


def save_array(connection: sqlite3.Connection, name: str, array: np.ndarray) -> None:
    """Keep an array of numbers under a name."""
    array = np.ascontiguousarray(array)
    kind = array.dtype.newbyteorder("<").str
    data = array.astype(kind).tobytes()
    connection.execute("INSERT OR REPLACE INTO design VALUES (?, ?, ?, ?)", (name, kind, data, zlib.crc32(data)))


def load_arrays(connection: sqlite3.Connection, file: Path) -> dict[str, np.ndarray]:
    """Return every array that was kept, by name."""
    arrays = {}
    for name, kind, data, crc in connection.execute("SELECT name, kind, data, crc FROM design"):
        if zlib.crc32(data) != crc:
            raise damaged(file, f"checksum of the design's column {name}")
        arrays[name] = np.frombuffer(data, dtype=np.dtype(kind)).astype(np.dtype(kind).newbyteorder("="))
    return arrays


def meta_of(connection: sqlite3.Connection) -> dict[str, str]:
    """Return what the store says of itself."""
    return dict(connection.execute("SELECT name, value FROM meta"))


def set_meta(connection: sqlite3.Connection, **values: Any) -> None:
    """Write what the store says of itself."""
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))


def file_system(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Return the type of the file system that a folder lies on, where the system tells; else an empty text."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    place = folder.resolve().as_posix()
    best, kind = "", ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5:
            continue
        point = fields[4].replace("\\040", " ")
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, after.split(" ")[0]
    return kind

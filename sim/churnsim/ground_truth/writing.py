"""Writing tables piece by piece, and a folder that is there whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from churnsim.ground_truth.tables import TABLES, TRUTH

FORMAT = "churnsim-data"
FORMAT_VERSION = 1
ABOUT_FILE = "data.json"
ROWS_PER_GROUP = 1 << 18
"""Rows of a row group: what a table holds in memory before it is written."""


class Writers:
    """One Parquet file per table; rows come in pieces and leave in row groups of `ROWS_PER_GROUP`."""

    def __init__(self, folder: Path) -> None:
        (folder / TRUTH).mkdir()
        self.rows = {table.title: 0 for table in TABLES}
        self._schemas = {table.name: table.schema for table in TABLES}
        self._titles = {table.name: table.title for table in TABLES}
        self._files = {
            table.name: pq.ParquetWriter(folder / table.path, table.schema, compression="zstd") for table in TABLES
        }
        self._held: dict[str, list[Any]] = {table.name: [] for table in TABLES}

    def add(self, table: str, columns: dict[str, Any]) -> None:
        """Add rows to a table: every column, in the table's order, as NumPy or Arrow arrays."""
        schema = self._schemas[table]
        if list(columns) != schema.names:
            raise AssertionError(f"{table}: {list(columns)} are not its columns")
        arrays = [
            column if isinstance(column, pa.Array) else pa.array(column, field.type, from_pandas=False)
            for column, field in zip(columns.values(), schema, strict=True)
        ]
        piece = pa.Table.from_arrays(arrays, schema=schema)
        if not piece.num_rows:
            return
        self.rows[self._titles[table]] += piece.num_rows
        self._held[table].append(piece)
        if sum(held.num_rows for held in self._held[table]) >= ROWS_PER_GROUP:
            self._flush(table)

    def _flush(self, table: str, *, rest: bool = False) -> None:
        """Write whole row groups, and keep what is over unless it is the rest."""
        held = pa.concat_tables(self._held[table]).combine_chunks()
        whole = held.num_rows if rest else held.num_rows // ROWS_PER_GROUP * ROWS_PER_GROUP
        self._files[table].write_table(held.slice(0, whole), row_group_size=ROWS_PER_GROUP)
        over = held.slice(whole)
        self._held[table] = [over] if over.num_rows else []

    def __enter__(self) -> Writers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, file in self._files.items():
            if kind is None and self._held[name]:
                self._flush(name, rest=True)
            file.close()


@contextmanager
def draft_of(target: Path) -> Iterator[Path]:
    """Provide a hidden folder beside `target` that takes its place at the end; nothing is left where it fails."""
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        draft.chmod(0o755)
        yield draft
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
            target.rename(old / target.name)
            draft.rename(target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def is_ours(folder: Path) -> bool:
    """Return whether data may be written to a folder: it is free, empty, or holds nothing but earlier data."""
    if not folder.exists():
        return True
    if not folder.is_dir():
        return False
    ours = {ABOUT_FILE, "schema.json", TRUTH, *(table.path for table in TABLES if not table.truth)}
    found = {entry.name for entry in folder.iterdir()}
    return not found or (ABOUT_FILE in found and found <= ours)


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Write plain data to be read by people and programs."""
    file.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")

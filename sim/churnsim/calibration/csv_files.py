"""A CSV file as rows of text, with the line that each begins in, or a clear word on why it is none."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from churnsim.calibration.errors import DataError, Problems, refuse
from churnsim.config.errors import nearest

SEPARATORS = (",", ";", "\t")

SIGNATURES = (
    (b"PK\x03\x04", "workbook"), (b"\xd0\xcf\x11\xe0", "workbook"), (b"PAR1", "parquet"), (b"\x1f\x8b", "packed"),
)  # fmt: skip
"""First bytes of files that are often given in the place of a CSV file, and what is said of them."""

UNPACKED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}
"""By suffix: how a compressed file is unpacked; a zip archive has a function of its own."""


@dataclass(frozen=True)
class Rows:
    """The rows of a file.

    Attributes
    ----------
    names : list of str
        Names of the columns, without spaces around; empty where a column has none.
    cells : list of list of str
        One list per row that is not blank, as long as `names`.
    lines : list of int
        Line of the file, from 1, that each row begins in.
    separator : str
        What separates the columns.
    """

    names: list[str]
    cells: list[list[str]]
    lines: list[int]
    separator: str


def read_rows(path: Path) -> Rows:
    """Read a CSV file: UTF-8, columns separated by commas, semicolons or tabs, compressed where its name says so.

    Raises
    ------
    DataError
        If it is no such file: where in it, and what would be right.
    """
    text = _decoded(path, _content(path))
    head = next((line for line in text.splitlines() if line.strip()), "")
    if not head:
        raise refuse("empty_file", file=path)
    separator = max(SEPARATORS, key=head.count)
    names: list[str] = []
    rows = Rows(names, [], [], separator)
    problems: Problems = []
    # As spreadsheets write them, fields may hold line breaks: the reader knows in which line a row begins.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    line, named, head_line = 1, 0, 1
    try:
        for cells in reader:
            if not "".join(cells).strip():
                pass
            elif not names:
                names += [cell.strip() for cell in cells]
                named, head_line = _size(names), line
            else:
                if len(cells) != len(names):
                    # Fields that are empty at the end of a row, or of the header, are nothing: spreadsheets write such.
                    size = _size(cells)
                    if size > len(names) or len(cells) < named:
                        key = "long_row" if size > len(names) else "short_row"
                        values = {"count": max(size, min(len(cells), named)), "wanted": len(names)}
                        problems.append((key, {"file": f"{path}:{line}", **values}))
                    cells = (cells + [""] * len(names))[: len(names)]
                rows.cells.append(cells)
                rows.lines.append(line)
            line = reader.line_num + 1
    except csv.Error:
        raise refuse("not_csv", file=f"{path}:{line}") from None
    if problems and len(problems) == len(rows.cells) and all(key == "long_row" for key, _ in problems):
        first = {"line": rows.lines[0], "count": problems[0][1]["count"], "wanted": len(names)}
        raise refuse("short_header", file=f"{path}:{head_line}", **first)
    if problems:
        raise DataError(problems)
    return rows


def _size(cells: list[str]) -> int:
    """Return how many fields a row has, without empty ones at its end."""
    return next((size for size in range(len(cells), 0, -1) if cells[size - 1].strip()), 0)


def no_file(path: Path) -> DataError:
    """Return the error for a file that is not there, with one of like name beside it."""
    folder = path.absolute().parent
    near = nearest(path.name, (file.name for file in folder.iterdir())) if folder.is_dir() else None
    return refuse("no_file" if near is None else "no_file_near", file=path, near=near)


def _content(path: Path) -> bytes:
    """Return the bytes of a file, unpacked."""
    if path.is_dir():
        raise refuse("is_folder", file=path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise no_file(path) from None
    except OSError as error:
        raise refuse("not_read", file=path, reason=error.strerror or str(error)) from None
    suffix = path.suffix.lower()
    try:
        if suffix == ".zip":
            raw = _from_zip(path, raw)
        elif suffix in UNPACKED:
            raw = UNPACKED[suffix](raw)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile):
        raise refuse("not_unpacked", file=path, suffix=suffix) from None
    for first, key in SIGNATURES:
        if raw.startswith(first):
            raise refuse(key, file=path)
    return raw


def _from_zip(path: Path, raw: bytes) -> bytes:
    """Return the one file in a zip archive."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise refuse("many_in_zip", file=path, count=len(names))
        return archive.read(names[0])


def _decoded(path: Path, raw: bytes) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark."""
    try:
        found = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refuse("not_utf8", file=f"{path}:{line}") from None
    if "\0" in found:  # UTF-16 without a mark, or no text at all
        line = found.count("\n", 0, found.index("\0")) + 1
        raise refuse("not_utf8", file=f"{path}:{line}")
    return found

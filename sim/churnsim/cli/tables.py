"""Tables that fit where they are shown without ever breaking a number."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

NARROWEST = 12
"""Cells that a column of words keeps while there is another column to narrow."""

LONGEST = 28
"""Cells up to which a word is only broken where there is no other way."""

SMALLEST = 4
"""Cells below which words are not broken any further."""

WIDE = ("W", "F")
"""Widths of characters between which a line may be broken: Chinese ones, and the marks between them."""

NO_BREAK = "\N{NO-BREAK SPACE}"

INDENT = 2
"""Cells by which the values of a row stand in where a table does not fit and rows become lists."""

CLOSING = "，。；：、！？）”’》」』】…%"
"""Marks that begin no line."""

OPENING = "（“‘《「『【"
"""Marks that end no line."""


def fitted(table: Table, console: Console, colon: str = ": ") -> list[Table | Text]:
    """Return a table as it can be printed: as it is where there is room, else with words wrapped, else row by row.

    Columns of words are narrowed first; then cells are broken between numbers, never within one. Where that is not
    enough either, every row becomes a list of its values.

    Parameters
    ----------
    table
        A table without lines, of texts.
    console
        Where it is to be printed.
    colon
        What stands between a head and its value in a list.
    """
    columns = [_Words.of(column, table.show_header) for column in table.columns]
    room = console.width - (_natural(table, console) - sum(column.natural for column in columns))
    if sum(column.natural for column in columns) <= room:
        return [table]
    widths = _widths(columns, room)
    return (
        _rows_as_lists(table, columns, console.width, colon) if widths is None else [_narrowed(table, columns, widths)]
    )


def wrapped(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` cells, at spaces and between Chinese characters.

    Words without figures that are longer than a line are broken; numbers never are, so that a line may be too long.
    """
    lines: list[str] = []
    for part in text.split("\n"):
        line = ""
        for piece in _pieces(part):
            joined = line + piece
            if line.strip() and cell_len(joined.rstrip(" ")) > width:
                lines.append(line.rstrip(" "))
                joined = piece.lstrip(" ")
            while cell_len(joined.rstrip(" ")) > width and not _has_figure(joined):
                head = _head(joined, width)
                lines.append(head)
                joined = joined[len(head) :]
            line = joined
        lines.append(line.rstrip(" "))
    return lines


@dataclass(frozen=True)
class _Words:
    """A column's texts, and how wide they are.

    Attributes
    ----------
    head : str
        Empty where the table has no heads.
    cells : tuple of str
    right : bool
        Whether it is a column of numbers.
    natural, body, whole, least : int
        Cells that everything takes on one line; that everything but the head takes so; that the longest word takes;
        that the longest piece takes which must not be broken.
    """

    head: str
    cells: tuple[str, ...]
    right: bool
    natural: int
    body: int
    whole: int
    least: int

    @classmethod
    def of(cls, column: Column, has_head: bool) -> _Words:
        """Measure a column."""
        head = _plain(column.header) if has_head else ""
        cells = tuple(_plain(cell) for cell in column.cells)
        body = max((_longest_line(cell) for cell in cells), default=0)
        pieces = [piece.strip(" ") for text in (head, *cells) for line in text.split("\n") for piece in _pieces(line)]
        whole = max((min(LONGEST, cell_len(piece)) for piece in pieces), default=0)
        least = max((_unbreakable(piece) for piece in pieces), default=0)
        natural = max(_longest_line(head), body)
        return cls(head, cells, column.justify == "right", natural, body, max(whole, least), least)


def _widths(columns: list[_Words], room: int) -> list[int] | None:
    """Return the width of every column; None where numbers would have to be broken."""
    widths = [column.natural for column in columns]
    if sum(column.least for column in columns) > room:
        return None
    heads = [max(column.body, column.whole) if column.right else column.natural for column in columns]
    words = [
        width if column.right else max(column.whole, min(column.natural, NARROWEST))
        for column, width in zip(columns, heads, strict=True)
    ]
    numbers = [column.whole if column.right else width for column, width in zip(columns, words, strict=True)]
    least = [column.least for column in columns]
    # Heads of numbers are wrapped first, then words, then cells between their numbers, then words as far as it goes.
    for floors in (heads, words, numbers, least):
        while sum(widths) > room:
            spare = [width - floor for width, floor in zip(widths, floors, strict=True)]
            widest = max(range(len(widths)), key=lambda i: (spare[i] > 0, widths[i]))
            if spare[widest] <= 0:
                break
            widths[widest] -= 1
    return widths


def _narrowed(table: Table, columns: list[_Words], widths: list[int]) -> Table:
    """Return the table with every text wrapped to its column's width."""
    narrow = Table(
        box=table.box, pad_edge=table.pad_edge, padding=table.padding, show_header=table.show_header,
        header_style=table.header_style, collapse_padding=table.collapse_padding,
    )  # fmt: skip
    for old, column, width in zip(table.columns, columns, widths, strict=True):
        narrow.add_column("\n".join(wrapped(column.head, width)), justify=old.justify, no_wrap=True)
    for place, row in enumerate(table.rows):
        cells = ("\n".join(wrapped(column.cells[place], width)) for column, width in zip(columns, widths, strict=True))
        narrow.add_row(*(Text(cell) for cell in cells), style=row.style)
    return narrow


def _rows_as_lists(table: Table, columns: list[_Words], width: int, colon: str) -> list[Table | Text]:
    """Return every row as a text: what stands first, then the other values, each on lines of its own."""
    said: list[Table | Text] = []
    for place, row in enumerate(table.rows):
        lines = wrapped(columns[0].cells[place].strip(), width)
        for column in columns[1:]:
            head, cell = (" ".join(text.split("\n")).strip(" ") for text in (column.head, column.cells[place]))
            if cell:
                told = f"{head}{colon}{cell}" if head else cell
                lines += [" " * INDENT + line for line in wrapped(told, width - INDENT)]
        said.append(Text("\n".join(lines), style=row.style or ""))
    return said


def _natural(table: Table, console: Console) -> int:
    """Return the width that a table would like to have."""
    return console.measure(table, options=console.options.update(max_width=1_000_000)).maximum


def _plain(cell: Any) -> str:
    """Return a cell as a text without styles."""
    return cell.plain if isinstance(cell, Text) else str(cell)


def _longest_line(text: str) -> int:
    """Return the width of a text's longest line."""
    return max(cell_len(line) for line in text.split("\n"))


def _pieces(line: str) -> list[str]:
    """Return what a line may be broken between: words with the space before them, and single Chinese characters."""
    pieces: list[str] = []
    for word in re.findall(r" *[^ ]+(?: %[^ ]*)?", line):
        start = 0
        for i in range(1, len(word)):
            before, after = word[i - 1], word[i]
            wide = unicodedata.east_asian_width(before) in WIDE or unicodedata.east_asian_width(after) in WIDE
            # A figure stays with its unit: 12个, ¥310 万.
            joined = before.isdigit() or after.isdigit() or before == NO_BREAK
            if wide and not joined and after not in CLOSING and before not in OPENING and word[start:i].strip(" "):
                pieces.append(word[start:i])
                start = i
        pieces.append(word[start:])
    return pieces


def _has_figure(text: str) -> bool:
    """Return whether a text has a figure in it."""
    return any(char.isdigit() for char in text)


def _unbreakable(piece: str) -> int:
    """Return the cells that a piece takes at least."""
    return cell_len(piece) if _has_figure(piece) else min(cell_len(piece), SMALLEST)


def _head(text: str, width: int) -> str:
    """Return as much of a text as there is room for, at least one character."""
    end = 1
    while end < len(text) and cell_len(text[: end + 1]) <= width:
        end += 1
    return text[:end]

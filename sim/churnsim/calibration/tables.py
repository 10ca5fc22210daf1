"""A table of data as text, column by column, that gathers everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from churnsim.calibration.csv_files import read_rows
from churnsim.calibration.errors import DataError, Problems, Warned, refuse
from churnsim.config.errors import nearest, plain_number

SYNONYMS = {
    "segment": ("cohort", "group"),
    "period": ("tenure", "time", "t", "year", "month"),
    "at_risk": ("n", "customers", "start"),
    "lost": ("events", "churned", "churn", "deaths"),
    "hh": ("household", "id", "panelist"),
    "occ": ("occasion", "trip", "week", "t"),
    "choice": ("brand", "chosen"),
    "id": ("customer", "customer_id", "cust"),
    "day": ("date", "t", "time"),
}
"""What other programs call these columns; named in the error where one is missing."""

NOBODY = ("na", "n/a", "#n/a", "nan", "null", "none")
"""What other programs write where a name is missing."""

SWITCHES = {"true": "1", "false": "0"}
"""How programs write whether there was something."""

GROUPED = re.compile(r"-?[1-9]\d{0,2}([.,]\d{3})+")
"""A number that may have separators between its thousands."""

FLOAT = r"-?\d+\.0+"
"""A whole number as programs write it that keep it as a fraction."""

EXACT = 1e-6
"""By how much a count may miss a whole number: what rounding in binary fractions leaves."""


class Table:
    """A file as text, column by column, that gathers what is wrong with it.

    Parameters
    ----------
    path
        The file, or the table itself.
    """

    def __init__(self, path: str | Path | pd.DataFrame) -> None:
        self.problems: Problems = []
        self.doubts: list[Warned] = []
        self.lines: np.ndarray
        if isinstance(path, pd.DataFrame):
            self.path, self.commas, self.is_file = "DataFrame", False, False
            names = [str(name).strip() for name in path.columns]
            self.lines = np.fromiter(path.index, object, len(path))
            frame = pd.DataFrame({j: _as_text(path.iloc[:, j]) for j in range(len(names))}, dtype=object)
        else:
            rows = read_rows(Path(path))
            # Where columns are not separated by commas, a comma may be the decimal point, as spreadsheets write it.
            self.path, self.commas, self.is_file = str(path), rows.separator != ",", True
            names, self.lines = rows.names, np.array(rows.lines, np.int64)
            frame = pd.DataFrame(rows.cells, columns=range(len(names)), dtype=object)
        for name in dict.fromkeys(name for name in names if name and names.count(name) > 1):
            self.say("column_twice", column=name)
        if self.is_file and len(names) == 1:
            self.say("one_column", column=names[0])
        self.check()
        if not len(frame):
            raise refuse("no_rows", file=self.path)
        frame = frame.apply(lambda column: column.str.strip())
        frame.columns = names
        kept = (frame != "").any(axis=1).to_numpy(bool)
        self.frame, self.lines = frame[kept].reset_index(drop=True), self.lines[kept]
        if not len(self.frame):
            raise refuse("no_rows", file=self.path)

    def say(self, key: str, row: int | None = None, **values: Any) -> None:
        """Note a problem, of one row or of the whole file."""
        if row is not None:
            values["alike"] = values.get("column", "")
        self.problems.append((key, {"file": self.path if row is None else self.place(row), **values}))

    def place(self, row: int) -> str:
        """Return where a row is: file and line, or the row of a frame."""
        return f"{self.path}:{self.lines[row]}" if self.is_file else f"{self.path}.loc[{self.lines[row]!r}]"

    def check(self) -> None:
        """Raise what has been noted so far."""
        if self.problems:
            raise DataError(self.problems)

    def doubt(self, key: str, **values: Any) -> None:
        """Note what can be read, but may not be meant."""
        self.doubts.append({"key": key, **values})

    def need(self, *names: str, used: Iterable[str] = (), key: str | None = "no_column") -> set[str]:
        """Note which of these columns the file lacks.

        Parameters
        ----------
        names
            The columns.
        used
            Other columns that are what they are called; they are not suggested, nor is one suggested twice.
        key
            What is said of one that no other resembles; nothing where this is None.

        Returns
        -------
        set of str
            Columns that were suggested.
        """
        taken: set[str] = {*names, *used}
        suggested: set[str] = set()
        for name in names:
            if name not in self.frame:
                free = [column for column in self.frame.columns if column and column not in taken | suggested]
                near = nearest(name, free) or _synonym(name, free)
                found = ", ".join(column for column in self.frame.columns if column)
                if near is None:
                    if key is not None:
                        self.say(key, column=name, found=found)
                else:
                    suggested.add(near)
                    self.say("no_column_near", column=name, near=near, found=found)
        return suggested

    def text(self, name: str) -> pd.Series:
        """Return a column as it is written; empty where the file lacks it."""
        if name in self.frame:
            return self.frame[name]
        return pd.Series([""] * len(self.frame), dtype=object)

    def blank(self, name: str) -> pd.Series:
        """Return where a column says that there is nothing; nowhere where the file lacks it."""
        if name in self.frame:
            return self.frame[name].str.lower().isin(("", *NOBODY))
        return pd.Series(False, index=self.frame.index)

    def words(self, name: str) -> np.ndarray:
        """Return a column of names and note which are empty."""
        values = self.text(name).to_numpy(object)
        if name in self.frame:
            for row in np.flatnonzero(values == ""):
                self.say("empty", int(row), column=name)
        return values

    def names(self, name: str) -> np.ndarray:
        """Return a column that says who: as `words`, but nobody is called NA, and 7.0 is who is called 7 elsewhere."""
        values = self.words(name)
        for row in np.flatnonzero(pd.Series(values, dtype=object).str.lower().isin(NOBODY)):
            self.say("nobody_named", int(row), column=name, found=values[row])
        if pd.Series(values).str.fullmatch(FLOAT).all():
            values = np.array([str(value).partition(".")[0] for value in values], object)
        return values

    def numbers(
        self, name: str, *, low: float = 0.0, high: float = np.inf, whole: bool = False, count: bool = False
    ) -> np.ndarray:
        """Return a column of finite numbers; nan, and a note, where there is something else.

        Parameters
        ----------
        name
            The column.
        low, high
            What is allowed.
        whole
            Whether only whole numbers are.
        count
            Whether these count customers, so that ``1.000`` may be a thousand of them.
        """
        written = self.text(name)
        if name not in self.frame:
            return np.full(len(written), np.nan)
        commas = self.commas and _decimal_commas(written)
        points = written.str.replace(",", ".", regex=False) if commas else written
        points = points.mask(points.str.fullmatch("true|false", case=False), points.str.lower().map(SWITCHES))
        values = pd.to_numeric(points, errors="coerce").to_numpy(np.float64, copy=True)
        fine = np.isfinite(values)
        # Where decimals may have commas: a thousand periods, or one? And a price of 1,234?
        grouped = written.str.fullmatch(GROUPED).to_numpy(bool)
        thousands = whole or count or (commas and bool((grouped | ~written.str.contains(",", regex=False)).all()))
        unclear = fine & grouped & (self.commas and thousands)
        for row in np.flatnonzero(~fine):
            self._say_no_number(int(row), name, written.iloc[row])
        for row in np.flatnonzero(unclear):
            self.say("grouped", int(row), column=name, found=written.iloc[row])
        fine &= ~unclear
        outside = fine & ((values < low) | (values > high))
        for row in np.flatnonzero(outside):
            bounds = {"low": plain_number(low), "high": plain_number(high)}
            key = "too_low" if high == np.inf else "outside"
            self.say(key, int(row), column=name, found=written.iloc[row], **bounds)
        fine &= ~outside
        if whole or count:
            near = np.rint(values)
            broken = fine & (np.abs(values - near) > EXACT * np.maximum(np.abs(values), 1))
            values = np.where(broken, values, near)
        if whole:
            for row in np.flatnonzero(broken):
                self.say("not_whole", int(row), column=name, found=written.iloc[row])
            fine &= ~broken
        values[~fine] = np.nan
        return values

    def _say_no_number(self, row: int, name: str, found: str) -> None:
        """Note a cell that is no number."""
        key = "empty" if not found else "not_plain" if any(letter.isdigit() for letter in found) else "not_number"
        self.say(key, row, column=name, found=found)


def _as_text(column: pd.Series) -> pd.Series:
    """Return a column of a frame as a file would have it: 7 where pandas keeps 7.0, nothing where it knows nothing."""

    def told(value: Any) -> str:
        """Return one cell."""
        if isinstance(value, (bool, np.bool_)):
            return str(int(value))
        if isinstance(value, (float, np.floating)) and float(value).is_integer():
            return str(int(value))
        return str(value)

    known = column.notna().to_numpy(bool)
    cells = [told(value) if there else "" for value, there in zip(column.astype(object), known, strict=True)]
    return pd.Series(cells, dtype=object)


def _synonym(name: str, columns: list[str]) -> str | None:
    """Return a column that other programs' files have in the place of one of ours."""
    others = SYNONYMS.get(name, ())
    exact = (column for column in columns if column.lower() in others)
    return next(exact, next((column for column in columns if nearest(column.lower(), others)), None))


def _decimal_commas(written: pd.Series) -> bool:
    """Return whether numbers are written with a decimal comma: there are commas, one a number, and no points."""
    commas = written.str.count(",")
    return bool((commas == 1).any() and (commas <= 1).all() and not written.str.contains(".", regex=False).any())

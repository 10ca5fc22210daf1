"""The three kinds of data files: how they are read, and everything that is wrong with one at once.

A file is a CSV table with a header (comma, semicolon or tab; compressed where its name says so). Columns are known by
name, in any order; others are ignored.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from churnsim.calibration.errors import DataError, refuse
from churnsim.config.errors import nearest

Format = Literal["retention", "panel", "events"]
FORMATS: tuple[str, ...] = ("retention", "panel", "events")

FEWEST_BRANDS, MOST_BRANDS = 2, 12
TEXT = "utf-8-sig"
WEEK = 7
"""Days."""

RECENT, CERTAIN = 28, 5.0
"""Days by which a log's pace is judged, and purchases missing at it that mean the log has ended (assumed)."""

MOST_DAYS = 18_262
"""Days that a log may span: fifty years."""

TIMESTAMP = r"^(?P<date>\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)? ?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?$"
"""A date as ISO 8601 has it, perhaps with a time of day and its distance from UTC."""

ROUNDING = 1.0
"""Customers by which a table may miss its own balance because it was rounded."""

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

Problems = list[tuple[str, dict[str, Any]]]


def check_format(format: str) -> None:
    """Refuse an unknown kind of data."""
    if format not in FORMATS:
        near = nearest(format, FORMATS)
        raise refuse("format" if near is None else "format_near", found=format, near=near)


@dataclass(frozen=True)
class Segment:
    """One segment's retention table.

    Attributes
    ----------
    name : str
        As in the file.
    first : int
        First period of the table; a period is a tick of the scenario.
    at_risk, lost : (periods,) float64
        Customers at the start of each period, and those of them who left in it.
    """

    name: str
    first: int
    at_risk: np.ndarray
    lost: np.ndarray

    @property
    def last(self) -> int:
        """Last period of the table."""
        return self.first + self.lost.size - 1


@dataclass(frozen=True)
class Panel:
    """Choices of households on dated occasions, ordered by household and occasion.

    Attributes
    ----------
    brands : tuple of str
        As in the file's columns ``price_<brand>``, in their order.
    households : tuple of str
        Names, in order of first appearance.
    household, occasion : (rows,)
        Position of the household, and the occasion's number.
    choice : (rows,) int64
        Position of the brand bought; -1 where the file does not say.
    price, display, feature : (rows, brands) float64
        What was offered.
    order : (rows,) int64
        For each row its place in the file.
    """

    brands: tuple[str, ...]
    households: tuple[str, ...]
    household: np.ndarray
    occasion: np.ndarray
    choice: np.ndarray
    price: np.ndarray
    display: np.ndarray
    feature: np.ndarray
    order: np.ndarray


@dataclass(frozen=True)
class Events:
    """Purchases of customers by day.

    Attributes
    ----------
    ids : tuple of str
        Customers.
    customer, day : (purchases,) int64
        Who bought, and when: days since the first day of the file. Purchases on one day are one.
    spend : (purchases,) float64 or None
        Money spent that day, where the file says.
    days : int
        Days observed: whole weeks from the first purchase of the file to its last, or to the last itself where so many
        buy that silence until the end of the week means that the file ends there.
    merged : int
        Purchases that were counted with another one of the same day.
    zones : int
        Time zones named in the file.
    """

    ids: tuple[str, ...]
    customer: np.ndarray
    day: np.ndarray
    spend: np.ndarray | None
    days: int
    merged: int
    zones: int = 0


class Table:
    """A file as text, column by column, that gathers what is wrong with it.

    Parameters
    ----------
    path
        The file, or the table itself.
    """

    def __init__(self, path: str | Path | pd.DataFrame) -> None:
        self.problems: Problems = []
        if isinstance(path, pd.DataFrame):
            self.path, self.comma = Path("DataFrame"), False
            self.frame = path.astype(object).where(path.notna(), "").astype(str)
            names = pd.Series([str(name).strip() for name in path.columns], dtype=object)
        else:
            self.path = Path(path)
            names = self._read()
        for name in names[names.duplicated() & (names != "")].unique():
            self.say("column_twice", column=name)
        self.check()
        self.frame.columns = [str(name).strip() for name in self.frame.columns]
        self.lines = np.arange(len(self.frame)) + 2
        blank = (self.frame.apply(lambda column: column.str.strip()) == "").all(axis=1).to_numpy(bool)
        self.frame, self.lines = self.frame[~blank].reset_index(drop=True), self.lines[~blank]
        if not len(self.frame):
            raise refuse("no_rows", file=self.path)

    def _read(self) -> pd.Series:
        """Read the file, and return the names of its columns as they stand there."""
        try:
            head = pd.read_csv(
                self.path, header=None, nrows=1, dtype=str, sep="\0", encoding=TEXT, engine="python",
                quoting=csv.QUOTE_NONE,
            )  # fmt: skip
            separator = _separator(str(head.iloc[0, 0]))
            self.frame = pd.read_csv(
                self.path, dtype=str, sep=separator, encoding=TEXT, keep_default_na=False, skip_blank_lines=False,
                index_col=False,
            )  # fmt: skip
        except FileNotFoundError:
            raise refuse("no_file", file=self.path) from None
        except UnicodeError:
            raise refuse("not_utf8", file=self.path) from None
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else ""
            raise refuse("not_csv", file=self.path, reason=reason) from None
        self.comma = separator != ","
        return pd.Series([name.strip() for name in next(csv.reader([str(head.iloc[0, 0])], delimiter=separator))])

    def say(self, key: str, row: int | None = None, **values: Any) -> None:
        """Note a problem, of one row or of the whole file."""
        place = str(self.path) if row is None else f"{self.path}:{self.lines[row]}"
        self.problems.append((key, {"file": place, **values}))

    def check(self) -> None:
        """Raise what has been noted so far."""
        if self.problems:
            raise DataError(self.problems)

    def need(self, *names: str) -> None:
        """Note which of these columns the file lacks."""
        for name in names:
            if name not in self.frame:
                near = nearest(name, self.frame.columns) or _synonym(name, list(self.frame.columns))
                found = ", ".join(self.frame.columns)
                if near is None:
                    self.say("no_column", column=name, found=found)
                else:
                    self.say("no_column_near", column=name, near=near, found=found)

    def text(self, name: str) -> pd.Series:
        """Return a column as it is written; empty where the file lacks it."""
        if name in self.frame:
            return self.frame[name].str.strip()
        return pd.Series([""] * len(self.frame), dtype=object)

    def words(self, name: str) -> np.ndarray:
        """Return a column of names and note which are empty."""
        values = self.text(name).to_numpy(object)
        if name in self.frame:
            for row in np.flatnonzero(values == ""):
                self.say("empty", int(row), column=name)
        return values

    def numbers(self, name: str, *, low: float = 0.0, whole: bool = False) -> np.ndarray:
        """Return a column of finite numbers from `low` on; nan, and a note, where there is something else."""
        written = self.text(name)
        # Where columns are not separated by commas, a comma may be the decimal point, as spreadsheets write it.
        points = written.str.replace(",", ".", regex=False) if self.comma and _decimal_commas(written) else written
        values = pd.to_numeric(points, errors="coerce").to_numpy(np.float64, copy=True)
        if name not in self.frame:
            return values
        bad = ~np.isfinite(values)
        for row in np.flatnonzero(bad):
            self.say("not_number", int(row), column=name, found=written.iloc[row])
        below = values < low
        for row in np.flatnonzero(below & ~bad):
            self.say("too_low", int(row), column=name, found=written.iloc[row], low=f"{low:g}")
        broken = (values != np.floor(values)) & ~bad & ~below if whole else np.zeros(bad.size, bool)
        for row in np.flatnonzero(broken):
            self.say("not_whole", int(row), column=name, found=written.iloc[row])
        values[bad | below | broken] = np.nan
        return values


def _synonym(name: str, columns: list[str]) -> str | None:
    """Return a column that other programs' files have in the place of one of ours."""
    return next((column for column in columns if column.lower() in SYNONYMS.get(name, ())), None)


def _decimal_commas(written: pd.Series) -> bool:
    """Return whether numbers are written with a decimal comma: there are commas, one a number, and no points."""
    commas = written.str.count(",")
    return bool((commas == 1).any() and (commas <= 1).all() and not written.str.contains(".", regex=False).any())


def _separator(head: str) -> str:
    """Return what separates the columns of a file with this first line."""
    return max((",", ";", "\t"), key=head.count)


def read_retention(path: str | Path | pd.DataFrame) -> tuple[Segment, ...]:
    """Read a retention table: ``segment, period, at_risk, lost``.

    Customers may also leave the table uncounted (censored), so `at_risk` may fall by more than was lost.
    """
    table = Table(path)
    table.need("segment", "period", "at_risk", "lost")
    names = table.words("segment")
    period = table.numbers("period", whole=True)
    at_risk, lost = table.numbers("at_risk"), table.numbers("lost")
    for row in np.flatnonzero(lost > at_risk):
        table.say("lost_more", int(row), lost=f"{lost[row]:g}", at_risk=f"{at_risk[row]:g}")
    segments = []
    for name in dict.fromkeys(names[names != ""]):
        rows = np.flatnonzero((names == name) & np.isfinite(period))
        whole = rows.size == (names == name).sum()  # what a broken row left open is not told as a mistake of its own
        rows = rows[np.argsort(period[rows], kind="stable")]
        for before, row in pairwise(rows):
            step, left = period[row] - period[before], at_risk[before] - lost[before]
            if step == 0:
                table.say("twice", int(row), what=f"segment {name}, period {period[row]:g}", line=table.lines[before])
            elif step > 1 and whole:
                table.say("gap", int(row), segment=name, before=f"{period[before]:g}", after=f"{period[row]:g}")
            elif step == 1 and at_risk[row] > left + ROUNDING:
                table.say("grows", int(row), segment=name, found=f"{at_risk[row]:g}", left=f"{left:g}")
        if not rows.size:
            continue
        if period[rows[0]] == 0 and lost[rows[0]] == 0 and rows.size > 1:
            rows = rows[1:]  # period 0 is the start: nobody has had time to leave
        if at_risk[rows].sum() == 0:
            table.say("nobody", segment=name)
        kept = rows[at_risk[rows] > 0]
        first = int(period[rows[0]])
        if first < 1:
            table.say("period_0", int(rows[0]), segment=name)
        segments.append(Segment(str(name), first, at_risk[kept], lost[kept]))
    table.check()
    return tuple(segments)


def read_panel(path: str | Path | pd.DataFrame, brands: tuple[str, ...] | None = None) -> Panel:
    """Read a choice panel: ``hh, occ, choice, price_<brand> ...``, optionally ``disp_<brand>``, ``feat_<brand>``.

    Parameters
    ----------
    path
        The file.
    brands
        The brands that must be on offer; ``choice`` is then not needed. By default those of the file.
    """
    table = Table(path)
    offered = tuple(name.removeprefix("price_") for name in table.frame.columns if name.startswith("price_"))
    if brands is None:
        table.need("hh", "occ", "choice")
        if not FEWEST_BRANDS <= len(offered) <= MOST_BRANDS:
            table.say("brands", count=len(offered), low=FEWEST_BRANDS, high=MOST_BRANDS)
    else:
        table.need("hh", "occ", *(f"price_{brand}" for brand in brands))
        for brand in offered:
            if brand not in brands:
                table.say("unknown_brand_column", brand=brand, brands=", ".join(brands))
    names = tuple(brands or offered)
    home = table.words("hh")
    occasion = table.numbers("occ")
    price = np.array([table.numbers(f"price_{brand}") for brand in names]).reshape(len(names), len(home)).T
    shown = {}
    for kind in ("disp", "feat"):
        shown[kind] = np.zeros_like(price)
        for name in table.frame.columns:
            if name.startswith(f"{kind}_") and name.removeprefix(f"{kind}_") not in names:
                near = nearest(name.removeprefix(f"{kind}_"), names)
                table.say("unknown_brand_column", brand=name, brands=", ".join(names) if near is None else near)
        for j, brand in enumerate(names):
            if f"{kind}_{brand}" in table.frame:
                shown[kind][:, j] = table.numbers(f"{kind}_{brand}")
    choice = np.full(len(home), -1)
    if brands is None and names:
        bought = table.words("choice")
        places = {brand: j for j, brand in enumerate(names)}
        for row, brand in enumerate(bought):
            if brand in places:
                choice[row] = places[brand]
            elif brand:
                near = nearest(str(brand), names)
                table.say("unknown_brand", row, found=brand, brands=", ".join(names) if near is None else near)
    households = tuple(dict.fromkeys(str(name) for name in home))
    places = {name: i for i, name in enumerate(households)}
    household = np.array([places[str(name)] for name in home])
    order = np.lexsort((occasion, household))
    same = (np.diff(household[order]) == 0) & (np.diff(occasion[order]) == 0)
    for k in np.flatnonzero(same):
        first, again = sorted((int(order[k]), int(order[k + 1])))
        if home[again]:
            table.say("twice", again, what=f"hh {home[again]}, occ {occasion[again]:g}", line=table.lines[first])
    table.check()
    return Panel(
        names, households, household[order], occasion[order], choice[order], price[order], shown["disp"][order],
        shown["feat"][order], order,
    )  # fmt: skip


def read_events(path: str | Path | pd.DataFrame) -> Events:
    """Read a log of purchases: ``id, day``, optionally ``spend``.

    A day is a number, or a date (YYYY-MM-DD or YYYYMMDD) with or without a time. A time of day and its zone change
    nothing: the day is that of whoever wrote it down.
    """
    table = Table(path)
    table.need("id", "day")
    names = table.words("id")
    money = table.numbers("spend") if "spend" in table.frame else None
    day, zones = _days(table)
    if day.size and np.nanmax(day, initial=0.0) - np.nanmin(day, initial=np.inf) > MOST_DAYS:
        table.say("long_log", days=f"{np.nanmax(day) - np.nanmin(day):.0f}", high=MOST_DAYS)
    table.check()
    log = pd.DataFrame({"id": names.astype(str), "day": (day - day.min()).astype(np.int64)})
    log["spend"] = 0.0 if money is None else money
    kept = log.groupby(["id", "day"], sort=False, as_index=False)["spend"].sum()
    ids = tuple(dict.fromkeys(kept["id"]))
    customer = kept["id"].map({name: i for i, name in enumerate(ids)}).to_numpy(np.int64)
    last = int(kept["day"].max())
    days = WEEK * (last // WEEK + 1)
    if (kept["day"] > last - RECENT).sum() / min(RECENT, last + 1) * (days - last - 1) > CERTAIN:
        days = last + 1
    spend = None if money is None else kept["spend"].to_numpy(np.float64)
    return Events(ids, customer, kept["day"].to_numpy(np.int64), spend, days, len(log) - len(kept), zones)


def _days(table: Table) -> tuple[np.ndarray, int]:
    """Return the column of days, counted from anywhere, and how many time zones are written in it."""
    written = table.text("day")
    compact = written.str.fullmatch(r"(19|20)\d{6}")
    if compact.all() and len(written):
        dates, zones = pd.to_datetime(written, format="%Y%m%d", errors="coerce"), 0
    elif pd.to_numeric(written, errors="coerce").notna().any() or "day" not in table.frame:
        return np.floor(table.numbers("day")), 0
    else:
        parts = written.str.extract(TIMESTAMP)
        dates = pd.to_datetime(parts["date"], format="%Y-%m-%d", errors="coerce")
        zones = parts["zone"].nunique()
    for row in np.flatnonzero(dates.isna()):
        table.say("not_day", int(row), found=written.iloc[row])
    return (dates - dates.min()).dt.days.to_numpy(np.float64), zones

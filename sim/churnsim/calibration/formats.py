"""The three kinds of data files: how they are read, and everything that is wrong with one at once.

A file is a CSV table with a header (comma, semicolon or tab; compressed where its name says so). Columns are known by
name, in any order; others are ignored. Nor does the order of rows say anything: households and customers are put in
order of their names. Only segments stand as they first appear, because the first is the scenario itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from churnsim.calibration.errors import Warned, refuse
from churnsim.calibration.tables import Table
from churnsim.config.errors import nearest

Format = Literal["retention", "panel", "events"]
FORMATS: tuple[str, ...] = ("retention", "panel", "events")

FEWEST_BRANDS, MOST_BRANDS = 2, 12
WEEK = 7
"""Days."""

RECENT, CERTAIN = 28, 5.0
"""Days by which a log's pace is judged, and purchases missing at it that mean the log has ended (assumed)."""

MOST_PERIODS = 366
"""Periods that a calendar holds."""

MOST_OCCASIONS = 1e12
"""Highest number of an occasion: a date with its minute still is one."""

MOST_PRICE, MOST_SPENT = 1e7, 1e9
"""Money that a price, and a purchase, may be: what brands are worth must be money that a scenario may hold."""

MOST_DAYS = 18_262
"""Days that a log may span: fifty years."""

TIMESTAMP = r"^(?P<date>\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)? ?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?$"
"""A date as ISO 8601 has it, perhaps with a time of day and its distance from UTC."""

CALENDAR = r"(19|20)\d{2}(-\d{2}){0,2}"
"""A year, month or day, which are no periods."""

ROUNDING = 1.0
"""Customers by which a table may miss its own balance because it was rounded."""

RARE = 10
"""How many times as often a brand is written as one without a price that may be a slip for it (assumed)."""

SHOWN = ("disp", "feat")
"""What may be told of a brand beside its price."""


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

    @property
    def is_whole(self) -> bool:
        """Whether customers were counted: all numbers are whole."""
        counts = np.concatenate([self.at_risk, self.lost])
        return bool((counts == np.rint(counts)).all())


@dataclass(frozen=True)
class Panel:
    """Choices of households on dated occasions, ordered by household and occasion.

    Attributes
    ----------
    brands : tuple of str
        As in the file's columns ``price_<brand>``, in their order.
    households : tuple of str
        Names, in order.
    household, occasion : (rows,)
        Position of the household, and the occasion's number.
    choice : (rows,) int64
        Position of the brand bought; -1 where the file does not say.
    price, display, feature : (rows, brands) float64
        What was offered.
    order : (rows,) int64
        For each row its place in the file.
    shown : tuple of str
        Which of `SHOWN` the file tells of.
    doubts : tuple of Warned
        What could be read, but may not be meant.
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
    shown: tuple[str, ...] = SHOWN
    doubts: tuple[Warned, ...] = ()


@dataclass(frozen=True)
class Events:
    """Purchases of customers by day.

    Attributes
    ----------
    ids : tuple of str
        Customers, in order.
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


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return different names in an order that is theirs, not a file's: letters as letters, digits as numbers."""

    def key(name: str) -> list[tuple[int, int, str]]:
        """Return what to sort by: c2 comes before c10."""
        parts = re.split(r"([0-9]+)", name)
        return [(0, int(part), part) if part.isdecimal() and part.isascii() else (1, 0, part) for part in parts if part]

    return tuple(sorted(set(names), key=key))


def read_retention(path: str | Path | pd.DataFrame) -> tuple[Segment, ...]:
    """Read a retention table: ``segment, period, at_risk, lost``.

    Customers may also leave the table uncounted (censored), so `at_risk` may fall by more than was lost.
    """
    table = Table(path)
    table.need("segment", "period", "at_risk", "lost")
    names = table.words("segment")
    period = table.numbers("period", high=MOST_PERIODS, whole=True)
    if table.text("period").str.fullmatch(CALENDAR).any():
        table.say("dated_period")
    at_risk, lost = table.numbers("at_risk", count=True), table.numbers("lost", count=True)
    # Whoever counted the lost wrong is told that; nothing else follows from it than that they were some.
    more = lost > at_risk
    for row in np.flatnonzero(more):
        table.say("lost_more", int(row), lost=f"{lost[row]:g}", at_risk=f"{at_risk[row]:g}")
    left = at_risk - np.where(more, 0, lost)
    segments = []
    for name in dict.fromkeys(names[names != ""]):
        rows = np.flatnonzero((names == name) & np.isfinite(period))
        whole = rows.size == (names == name).sum()  # what a broken row left open is not told as a mistake of its own
        rows = rows[np.argsort(period[rows], kind="stable")]
        once = np.unique(period[rows]).size == rows.size  # of several cohorts in one nobody knows who follows whom
        for before, row in pairwise(rows):
            step = period[row] - period[before]
            if step == 0:
                what = {"segment": name, "period": f"{period[row]:g}"}
                table.say("period_twice", int(row), line=table.lines[before], **what)
            elif step > 1 and whole:
                table.say("gap", int(row), segment=name, before=f"{period[before]:g}", after=f"{period[row]:g}")
            elif step == 1 and once and at_risk[row] > left[before] + ROUNDING:
                table.say("grows", int(row), segment=name, found=f"{at_risk[row]:g}", left=f"{left[before]:g}")
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


def read_panel(path: str | Path | pd.DataFrame) -> Panel:
    """Read a choice panel: ``hh, occ, choice, price_<brand> ...``, optionally ``disp_<brand>``, ``feat_<brand>``."""
    table = Table(path)
    brands = _brands(table, "price")
    table.need("hh", "occ", "choice", used=_of_brands(brands))
    if not FEWEST_BRANDS <= len(brands) <= MOST_BRANDS:
        found = ", ".join(name for name in table.frame.columns if name)
        table.say("brands", count=len(brands), low=FEWEST_BRANDS, high=MOST_BRANDS, found=found)
    strange = _strange_brands(table, brands)
    kinds = [kind for kind in SHOWN if set(_brands(table, kind)) & set(brands)]
    _doubt_unshown(table, brands, kinds, "not_all_shown")
    return _panel(table, brands, kinds, _chosen(table, brands, strange), {})


def read_marketing(
    path: str | Path | pd.DataFrame, brands: tuple[str, ...], shown: Iterable[str], last: Mapping[str, int]
) -> Panel:
    """Read future occasions of a panel: as `read_panel`, but that ``choice`` is not looked at.

    Parameters
    ----------
    path
        The file.
    brands
        The brands that are on offer.
    shown
        Which of `SHOWN` the panel had, so that they are missed where they are not here.
    last
        By household: its last occasion in the panel; those here should lie after it.
    """
    table = Table(path)
    offered = _of_brands(brands)
    suggested = table.need("hh", "occ", *(f"price_{brand}" for brand in brands), used=offered)
    kinds = [kind for kind in SHOWN if kind in shown or set(_brands(table, kind)) & set(brands)]
    # A name that is nearly that of such a column is a slip; none at all may be meant.
    for kind in kinds:
        columns = [f"{kind}_{brand}" for brand in brands]
        suggested |= table.need(*columns, used=offered | suggested, key=None)
        _doubt_unshown(table, brands, [kind], "shown_before" if kind in shown else "not_all_shown")
    for name in table.frame.columns:
        kind, _, brand = name.partition("_")
        if kind in ("price", *SHOWN) and brand and brand not in brands and name not in suggested:
            table.say("not_in_panel", column=name, brands=", ".join(brands))
    return _panel(table, brands, kinds, np.full(len(table.frame), -1), last)


def _brands(table: Table, kind: str) -> tuple[str, ...]:
    """Return the brands that a table has a column ``price_<brand>`` (or another kind) of."""
    names = (name.removeprefix(f"{kind}_") for name in table.frame.columns if name.startswith(f"{kind}_"))
    return tuple(name for name in names if name)


def _doubt_unshown(table: Table, brands: tuple[str, ...], kinds: Iterable[str], key: str) -> None:
    """Note which brands have no column of a kind: they count as never displayed, or never featured."""
    for kind in kinds:
        missing = [f"{kind}_{brand}" for brand in brands if f"{kind}_{brand}" not in table.frame]
        if missing:
            table.doubt(key, columns=", ".join(missing))


def _of_brands(brands: Iterable[str]) -> set[str]:
    """Return the columns that a panel of these brands may have."""
    return {f"{kind}_{brand}" for brand in brands for kind in ("price", *SHOWN)}


def _strange_brands(table: Table, brands: tuple[str, ...]) -> set[str]:
    """Note, once for each, brands that are displayed or featured but have no price; return them."""
    strange: set[str] = set()
    for kind in SHOWN:
        there = _brands(table, kind)
        for brand in there:
            if brand not in brands and brand not in strange:
                strange.add(brand)
                near = nearest(brand, [name for name in brands if name not in there])
                key = "unknown_brand_column" if near is None else "unknown_brand_column_near"
                table.say(key, column=f"{kind}_{brand}", brand=brand, near=f"{kind}_{near}")
    return strange


def _chosen(table: Table, brands: tuple[str, ...], strange: set[str]) -> np.ndarray:
    """Return the positions of the brands bought, and note brands that have no price, each once.

    Of what is `strange` it is known already, and so is that prices are missing where none is there.
    """
    bought = table.words("choice")
    places = {brand: j for j, brand in enumerate(brands)}
    choice = np.array([places.get(brand, -1) for brand in bought], np.int64)
    times = pd.Series(bought[bought != ""], dtype=object).value_counts()
    for brand in dict.fromkeys(bought[(choice < 0) & (bought != "")]):
        if brand in strange or not brands:
            continue
        near = next((one for one in brands if one.lower() == str(brand).lower()), None) or nearest(str(brand), brands)
        if str(brand).removeprefix("price_") in brands:
            key, near = "choice_is_column", str(brand).removeprefix("price_")
        elif near is not None and (near not in times or RARE * times[brand] <= times[near]):
            key = "unknown_brand_near"
        else:
            key = "unknown_brand"
        row = int(np.flatnonzero(bought == brand)[0])
        table.say(key, row, found=brand, near=near, count=int(times[brand]), brands=", ".join(brands))
    return choice


def _panel(
    table: Table, brands: tuple[str, ...], kinds: list[str], choice: np.ndarray, last: Mapping[str, int]
) -> Panel:
    """Read households, occasions and what is offered, and return a panel in order.

    Parameters
    ----------
    table
        The file.
    brands
        Those on offer.
    kinds
        Which of `SHOWN` it has.
    choice
        Positions of the brands bought.
    last
        By household: after which occasion those here should lie.
    """
    home, occasion = table.names("hh"), table.numbers("occ", high=MOST_OCCASIONS, whole=True)

    if table.text("occ").str.fullmatch(TIMESTAMP).any():
        table.say("dated_occ")
    columns = [f"price_{brand}" for brand in brands]
    price = np.array([table.numbers(name, high=MOST_PRICE) for name in columns]).reshape(len(brands), len(home)).T
    if any(table.blank(name).any() for name in columns):
        table.say("no_price")
    # How much of a display or feature there was: nothing, something or all.
    shown = {kind: np.zeros_like(price) for kind in SHOWN}
    for kind in kinds:
        for j, brand in enumerate(brands):
            if f"{kind}_{brand}" in table.frame:
                shown[kind][:, j] = table.numbers(f"{kind}_{brand}", high=1.0)
    seen = occasion <= np.array([last.get(str(name), -np.inf) for name in home])
    if seen.any():
        row = int(np.flatnonzero(seen)[0])
        where = {"line": table.place(row), "household": str(home[row]), "occ": f"{occasion[row]:g}"}
        table.doubt("seen_before", count=int(seen.sum()), last=f"{last[str(home[row])]:g}", **where)
    households = in_order(str(name) for name in home)
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
        brands, households, household[order], occasion[order], choice[order], price[order], shown["disp"][order],
        shown["feat"][order], order, tuple(kinds), tuple(table.doubts),
    )  # fmt: skip


def read_events(path: str | Path | pd.DataFrame) -> Events:
    """Read a log of purchases: ``id, day``, optionally ``spend``.

    A day is a number, or a date (YYYY-MM-DD or YYYYMMDD) with or without a time. A time of day and its zone change
    nothing: the day is that of whoever wrote it down.
    """
    table = Table(path)
    table.need("id", "day", used=["spend"])
    names = table.names("id")
    money = table.numbers("spend", high=MOST_SPENT) if "spend" in table.frame else None
    if money is not None and (table.blank("spend") | table.text("spend").str.startswith("-")).any():
        table.say("no_spend")
    day, zones = _days(table)
    if np.isfinite(day).any() and np.nanmax(day) - np.nanmin(day) > MOST_DAYS:
        far = int(np.nanargmax(np.abs(day - np.nanmedian(day))))
        reach = f"{np.nanmax(day) - np.nanmin(day):.0f}"
        table.say("long_log", far, found=table.text("day").iloc[far], days=reach, high=MOST_DAYS)
    table.check()
    ids = in_order(str(name) for name in names)
    places = {name: i for i, name in enumerate(ids)}
    customer = np.array([places[str(name)] for name in names], np.int64)
    log = pd.DataFrame({"customer": customer, "day": (day - day.min()).astype(np.int64)})
    log["spend"] = 0.0 if money is None else money
    # Even the sum of what was spent on a day depends, in its last digit, on the order.
    log = log.sort_values(["customer", "day", "spend"])
    kept = log.groupby(["customer", "day"], sort=False, as_index=False)["spend"].sum()
    last = int(kept["day"].max())
    days = WEEK * (last // WEEK + 1)
    if (kept["day"] > last - RECENT).sum() / min(RECENT, last + 1) * (days - last - 1) > CERTAIN:
        days = last + 1
    spend = None if money is None else kept["spend"].to_numpy(np.float64)
    columns = kept["customer"].to_numpy(np.int64), kept["day"].to_numpy(np.int64)
    return Events(ids, *columns, spend, days, len(log) - len(kept), zones)


def _days(table: Table) -> tuple[np.ndarray, int]:
    """Return the column of days, counted from anywhere, and how many time zones are written in it.

    What most of them are, all are meant to be: numbers or dates.
    """
    written = table.text("day")
    compact, dated = written.str.fullmatch(r"(19|20)\d{6}"), written.str.match(TIMESTAMP)
    numbers = pd.to_numeric(written, errors="coerce").notna() & ~compact
    most = max((numbers, compact, dated), key=lambda one: one.sum())
    if "day" not in table.frame or (most is numbers and numbers.any()):
        return np.floor(table.numbers("day")), 0
    parts = written.str.extract(TIMESTAMP)
    form, text = (
        ("%Y%m%d", written.where(compact)) if most is compact and compact.any() else ("%Y-%m-%d", parts["date"])
    )
    dates, zones = pd.to_datetime(text, format=form, errors="coerce"), parts["zone"].nunique()
    key = "not_date" if most.any() else "not_day"
    for row in np.flatnonzero(dates.isna()):
        found = written.iloc[row]
        table.say(key if found else "empty", int(row), column="day", found=found)
    return (dates - dates.min()).dt.days.to_numpy(np.float64), zones

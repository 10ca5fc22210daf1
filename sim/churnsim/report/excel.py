"""The report as an Excel workbook: numbers as numbers, native charts, and inputs that can be read again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnsim.causes import CAUSES
from churnsim.i18n import text
from churnsim.report.answers import Findings
from churnsim.report.html_page import provenance
from churnsim.report.inputs import deeds
from churnsim.report.needs import needed
from churnsim.report.plans import scope
from churnsim.report.quantities import IN_A_YEAR, PROFIT, money_format
from churnsim.report.verdicts import verdicts
from churnsim.results.knowledge import share_of

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

SCENARIOS_SHEET = "churnsim"
"""Hidden sheet with the scenarios themselves, so that inputs can be read from the workbook alone."""

CELL = 30_000
"""Characters of a scenario that go into one cell; Excel allows 32 767."""

CHART_COLUMNS = (0, 5)
"""Columns at which the charts of the first sheet begin."""

A4 = 9
"""Excel's number for the size of paper."""

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
LAST_COLUMN, LINE = 11, 190
"""Last column of the table on the first sheet, and letters that fit over its width."""

NOTE = 100
"""Letters of a line of notes."""

WIDEST = 50
"""Letters that a column shows at most."""

PER_CENT, MONEY_FORMAT, PLAIN = "0.0%", "#,##0", "General"


def workbook(found: Findings, path: Path) -> None:
    """Write the report as a workbook.

    Parameters
    ----------
    found
        What the report says.
    path
        The file.

    Raises
    ------
    MissingExtraError
        If the extra ``office`` is not installed.
    """
    xlsxwriter = needed("xlsxwriter", "xlsxwriter")
    # Texts that begin with = are texts; numbers that are not there are empty cells.
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "nan_inf_to_errors": False}) as book:
        book.set_properties({"title": found.heading, "comments": found.say("limits")})
        sheets = _Sheets(book, found)
        sheets.summary()
        sheets.ticks()
        sheets.causes()
        sheets.inputs()
        sheets.notes()
        sheets.scenarios()


class _Sheets:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Workbook, found: Findings) -> None:
        self.book, self.found = book, found
        self.head = book.add_format({"bold": True, "bottom": 2, "text_wrap": True, "valign": "bottom"})
        self.right = book.add_format(
            {"bold": True, "bottom": 2, "text_wrap": True, "valign": "bottom", "align": "right"}
        )
        self.unit = book.add_format({"italic": True, "font_color": "#555555"})
        self.unit_right = book.add_format({"italic": True, "font_color": "#555555", "align": "right"})
        self.bold = book.add_format({"bold": True})
        self.wrap = book.add_format({"text_wrap": True, "valign": "top"})
        self.title = book.add_format({"bold": True, "font_size": 14})
        # Beside a column of numbers, which end where this one begins.
        self.indented = book.add_format({"indent": 1})
        self.editable = book.add_format({"bg_color": "#FFF8E1", "border": 1, "border_color": "#D9D9D9"})
        self.formats = {
            kind: book.add_format({"num_format": kind}) for kind in (PER_CENT, MONEY_FORMAT, "0.000", "0.0")
        }

        # A difference has a sign; one of shares is in points, which Excel has no number format for.
        self.changes = [book.add_format({"num_format": kind}) for kind in ("+0.0%;-0.0%;0.0%", "+#,##0;-#,##0;0")]

    def _sheet(self, key: str) -> Worksheet:
        """Add a sheet under its name in the report's language; printed, it is as wide as a page."""
        sheet = self.book.add_worksheet(self.found.say(f"sheet.{key}"))
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&R&P / &N")
        return sheet

    def _format(self, measure: str) -> Format:
        """Return how a measure is shown."""
        kind = MONEY_FORMAT if measure in (PROFIT, "profit", "revenue", "customers", "lost", "joined") else PER_CENT
        return self.formats["0.000" if measure == "quality" else kind]

    def summary(self) -> None:
        """Write the answer and its table, with the charts of share and profit."""
        found, sheet = self.found, self._sheet("summary")
        sheet.write_string(0, 0, found.heading, self.title)
        # Sentences run over the width of the table, in rows as high as they need.
        bold = self.book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        said = [found.answer(), *scope(found), *found.supports()]
        for row, line in enumerate(said, 1):
            sheet.merge_range(row, 0, row, LAST_COLUMN, line, bold if row == 1 else self.wrap)
            sheet.set_row(row, 15 * _lines(line, LINE))
        top = 2 + len(said)
        names = (
            "measure", "firm", "scenario", "mean", "low", "high", "gap", "gap_low", "gap_high", "better", "runs",
            "against",
        )  # fmt: skip
        heads = [found.say("firm") if name == "firm" else found.say(f"xlsx.{name}") for name in names]
        for column, head in enumerate(heads):
            sheet.write_string(top, column, head, self.head if column < 3 else self.right)
        row = top + 1
        for measure, _ in found.kpis:
            for firm in found.first.firms:
                for name in found.scenarios:
                    value = found.values.get((name, firm, measure))
                    if value is None:
                        continue
                    labels = (text(f"measure.firm.{measure}", found.lang), found.firm_name(firm), found.title(name))
                    for column, label in enumerate(labels):
                        sheet.write_string(row, column, label)
                    gap = found.differences.get((name, firm, measure))
                    numbers = [value.mean, value.low, value.high]
                    numbers += [gap.mean, gap.low, gap.high] if gap else []
                    for column, number in enumerate(numbers, 3):
                        look = self._format(measure) if column < 6 else self.changes[measure == PROFIT]
                        self._number(sheet, row, column, number, look)
                    if gap is not None:
                        if gap.better_in is not None:
                            sheet.write_number(row, 9, gap.better_in)
                        sheet.write_number(row, 10, gap.runs)
                        sheet.write_string(row, 11, found.title(found.decision.references[name]), self.indented)
                    row += 1
        sheet.set_row(top, 46)
        sheet.freeze_panes(top + 1, 3)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 22)
        sheet.set_column(2, 2, _width(map(found.title, found.scenarios)))
        sheet.set_column(3, 10, 14)
        sheet.set_column(11, 11, _width(map(found.title, found.scenarios)))
        self.below = row + 1
        self.front = sheet

    def ticks(self) -> None:
        """Write shares, churn, customers and profit over time, a row per tick; put charts on the first sheet."""
        found, sheet = self.found, self._sheet("ticks")
        tick = text(f"tick.{found.first.tick}.name", found.lang)
        frame = found.result.ticks
        frame = frame[frame["tick"] >= 0]
        share = share_of(found.result)
        measures = [share, "churn", "customers", "quality", *(("profit", PROFIT) if found.earns else ())]
        means = frame.groupby(["scenario", "firm", "tick"], observed=True)[measures].mean()
        ticks = sorted(frame["tick"].unique())
        sheet.write_string(0, 0, tick, self.head)
        sheet.write_string(1, 0, "", self.unit)
        for row, at in enumerate(ticks, 2):
            sheet.write_number(row, 0, int(at))
        places: dict[tuple[str, str, str], int] = {}
        column = 1
        for measure in measures:
            for name in found.scenarios:
                for firm in found.result.scenarios[name].firms:
                    label = text(f"measure.firm.{measure}", found.lang)
                    sheet.write_string(0, column, f"{label}\n{found.firm_name(firm)}\n{found.title(name)}", self.right)
                    sheet.write_string(1, column, self._unit(measure), self.unit_right)
                    curve = means.loc[(name, firm)][measure]
                    for row, at in enumerate(ticks, 2):
                        self._number(sheet, row, column, curve.get(at), self._format(measure))
                    places[measure, name, firm] = column
                    column += 1
        sheet.freeze_panes(2, 1)
        sheet.repeat_rows(0, 1)
        sheet.set_column(0, 0, 8)
        sheet.set_column(1, column, 15)
        sheet.set_row(0, 62)
        charts = {share: f"chart_{share}", PROFIT: "chart_profit"}
        for offset, (measure, key) in enumerate((one, key) for one, key in charts.items() if one in measures):
            chart = self.book.add_chart({"type": "line"})
            for number, place, name, firm in found.lines:
                at = places[measure, name, firm]
                chart.add_series(
                    {
                        "name": f"{found.firm_name(firm)}{found.say('comma')}{found.title(name)}",
                        "categories": [sheet.get_name(), 2, 0, len(ticks) + 1, 0],
                        "values": [sheet.get_name(), 2, at, len(ticks) + 1, at],
                        "line": {
                            "color": COLORS[place % len(COLORS)], "width": 2,
                            "dash_type": ("dash", "solid", "round_dot", "long_dash")[number % 4],
                        },
                    }
                )  # fmt: skip
            chart.set_title({"name": found.say(f"xlsx.{key}"), "name_font": {"size": 12}})
            year = IN_A_YEAR.get(found.first.tick, 1)
            chart.set_x_axis(
                {
                    "name": tick,
                    "interval_unit": year,
                    "interval_tick": year,
                    "label_position": "low",
                }
            )
            if measure == share:
                axis: dict[str, Any] = {"num_format": "0%", "min": 0}
            else:
                largest = float(np.nanmax(np.abs(means[PROFIT].to_numpy(dtype=np.float64))))
                currency = found.about.currency_name(found.lang)
                axis = {"num_format": money_format(largest, found.lang), "name": currency}
            chart.set_y_axis({**axis, "major_gridlines": {"visible": True, "line": {"color": "#E6E6E6"}}})
            chart.set_legend({"position": "bottom"})
            chart.set_size({"width": 640, "height": 380})
            self.front.insert_chart(self.below, CHART_COLUMNS[offset], chart, {"x_offset": 4})

    def causes(self) -> None:
        """Write departures by cause per scenario and firm, with a chart of the report's firm."""
        found, sheet = self.found, self._sheet("causes")
        heads = [found.say("xlsx.scenario"), found.say("firm")]
        heads += [found.say(f"xlsx.{name}") for name in ("class", "cause", "departures", "share")]
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, self.head)
        courses = {cause.name: cause.course for cause in CAUSES}
        row, charted = 1, None
        for name in found.scenarios:
            for firm in found.result.scenarios[name].firms:
                left = found.causes.get((name, firm))
                first = row
                for cause, share in (left["causes"] if left else {}).items():
                    for column, said in enumerate(
                        (
                            found.title(name), found.firm_name(firm),
                            text(f"taxonomy.course.{courses[cause]}", found.lang),
                            text(f"cause.{cause}", found.lang),
                        )
                    ):  # fmt: skip
                        sheet.write_string(row, column, said)
                    sheet.write_number(row, 4, share * left["total"], self.formats["0.0"])  # type: ignore[index]
                    sheet.write_number(row, 5, share, self.formats[PER_CENT])
                    row += 1
                if (name, firm) == (found.main, found.firm) and row > first:
                    charted = (first, row - 1)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.autofilter(0, 0, max(row - 1, 1), 5)
        sheet.set_column(0, 3, 24)
        sheet.set_column(4, 5, 18)
        if charted:
            chart = self.book.add_chart({"type": "bar"})
            chart.add_series(
                {
                    "name": found.say("xlsx.departures"),
                    "categories": [sheet.get_name(), charted[0], 3, charted[1], 3],
                    "values": [sheet.get_name(), charted[0], 4, charted[1], 4],
                    "fill": {"color": COLORS[1]},
                    "data_labels": {"value": True, "num_format": "0"},
                }
            )
            chart.set_title(
                {"name": found.say("xlsx.chart_causes", firm=found.firm_name(found.firm)), "name_font": {"size": 12}}
            )
            chart.set_y_axis({"reverse": True})
            chart.set_x_axis({"major_gridlines": {"visible": False}, "num_format": "0"})
            chart.set_legend({"none": True})
            chart.set_size({"width": 620, "height": 420})
            sheet.insert_chart(1, 7, chart)

    def inputs(self) -> None:
        """Write every input, a column per scenario, so that it can be changed and read again."""
        found, sheet = self.found, self._sheet("inputs")
        sheet.write_string(0, 0, found.say("xlsx.inputs_note"), self.bold)
        heads = [found.say("xlsx.path"), found.say("meaning"), found.say("unit"), *found.scenarios, found.say("source")]
        for column, head in enumerate(heads):
            sheet.write_string(1, column, head, self.head)
        sheet.write_string(1, len(heads) - 1, heads[-1], self.book.add_format({"bold": True, "bottom": 2, "indent": 1}))
        rows = found.inputs
        for row, each in enumerate(sorted(rows, key=lambda one: not one.differs), 2):
            for column, said in enumerate((each.path, each.label, each.unit)):
                sheet.write_string(row, column, said)
            for column, value in enumerate(each.values, 3):
                self._value(sheet, row, column, value)
            sheet.write_string(row, 3 + len(each.values), each.source, self.indented)
        sheet.freeze_panes(2, 1)
        sheet.repeat_rows(1)
        sheet.autofilter(1, 0, 1 + len(rows), len(heads) - 1)
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, 1, _width(each.label for each in rows))
        sheet.set_column(2, 2, _width(each.unit for each in rows))
        for column, name in enumerate(found.scenarios):
            values = (str(each.values[column]) for each in rows)
            sheet.set_column(3 + column, 3 + column, _width([name, *values]))
        sheet.set_column(3 + len(found.scenarios), 3 + len(found.scenarios), 60)

    def notes(self) -> None:
        """Write what was compared, how sure it is, what is claimed, and where it all comes from."""
        found, sheet = self.found, self._sheet("notes")
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, NOTE + 10)
        lines: list[tuple[str, str]] = [(found.say("block.compared"), "")]
        for title, done in deeds(found):
            lines += [(title, ""), *done]
        lines += [("", ""), (found.say("block.sure"), ""), *(("", line) for line in found.certainty())]
        told = verdicts(found)
        lines += [(found.say(one.key), f"{one.text} ({one.evidence})") for one in told.claims]
        lines += [("", line) for line in told.remarks(found)]
        lines += [("", line) for one in found.doubts for line in one.said]
        lines += [("", ""), (found.say("block.method"), found.say("limits")), ("", found.say("method"))]
        lines += provenance(found)
        lines += [(found.say("sources"), ""), *(("", source[found.lang]) for source in found.first.sources)]
        key_look = self.book.add_format({"bold": True, "valign": "top"})
        for row, (key, said) in enumerate(lines):
            sheet.write_string(row, 0, key, key_look)
            sheet.write_string(row, 1, said, self.wrap)
            sheet.set_row(row, 15 * _lines(said, NOTE))

    def scenarios(self) -> None:
        """Keep the scenarios themselves on a hidden sheet: name, and the file in pieces."""
        sheet = self.book.add_worksheet(SCENARIOS_SHEET)
        for row, (name, scenario) in enumerate(self.found.scenarios.items()):
            sheet.write_string(row, 0, name)
            written = scenario.to_yaml()
            for column, start in enumerate(range(0, len(written), CELL), 1):
                sheet.write_string(row, column, written[start : start + CELL])
        sheet.hide()
        self.front.activate()

    def _unit(self, measure: str) -> str:
        """Return the unit that stands under a head."""
        found = self.found
        if measure in (PROFIT, "profit"):
            return found.say("xlsx.currency", code=found.first.currency)
        if measure == "churn":
            return f"% {text(f'tick.{found.first.tick}.per', found.lang)}"
        return "" if measure == "customers" else "0-1" if measure == "quality" else "%"

    @staticmethod
    def _number(sheet: Worksheet, row: int, column: int, value: Any, look: Format) -> None:
        """Write a number, or an empty cell where there is none."""
        if value is None or pd.isna(value):
            sheet.write_blank(row, column, None, look)
        else:
            sheet.write_number(row, column, float(value), look)

    def _value(self, sheet: Worksheet, row: int, column: int, value: Any) -> None:
        """Write an input as what it is."""
        if value is None:
            return
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value, self.editable)
        elif isinstance(value, (int, float)):
            sheet.write_number(row, column, value, self.editable)
        else:
            sheet.write_string(row, column, re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", str(value)), self.editable)


def _letters(said: str) -> int:
    """Return the width of a text in Latin letters."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in said)


def _lines(said: str, room: int) -> int:
    """Return how many lines of so many letters a text takes."""
    return max(1, -(-_letters(said) // room))


def _width(texts: Iterable[str]) -> int:
    """Return the width of a column that shows its texts whole, up to `WIDEST`."""
    return min(WIDEST, max((_letters(said) for said in texts), default=0) + 2)

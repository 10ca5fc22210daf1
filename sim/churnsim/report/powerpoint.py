"""The report as slides with native charts that can be edited, and speaker notes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.i18n import text
from churnsim.report.answers import PROFIT, Findings
from churnsim.report.html_page import money_rows
from churnsim.report.needs import needed

if TYPE_CHECKING:
    from pptx.slide import Slide

COLORS = ("0072B2", "D55E00", "009E73", "CC79A7", "56B4E9", "E69F00")
FONT = {"en": "Calibri", "zh": "Microsoft YaHei"}
MOST_POINTS = 60
"""Points of a line in a chart; longer runs are drawn every few ticks."""

MOST_CAUSES = 8
FEW_LINES = 4
"""Sentences up to which a slide has room for large letters."""


def slides(found: Findings, path: Path) -> None:
    """Write the report as six slides.

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
    pptx = needed("pptx", "python-pptx")
    deck = _Deck(pptx.Presentation(), found)
    deck.answer()
    deck.lines("share", "slide.share", "figure.share")
    deck.lines(PROFIT, "slide.profit", "figure.profit")
    deck.reasons()
    deck.money()
    deck.sure()
    deck.presentation.core_properties.title = found.first.title[found.lang]
    deck.presentation.core_properties.author = "churnsim"
    deck.presentation.save(str(path))


class _Deck:
    """Writes the slides of one presentation."""

    def __init__(self, presentation: Any, found: Findings) -> None:
        from pptx.util import Inches

        self.presentation, self.found = presentation, found
        presentation.slide_width, presentation.slide_height = Inches(13.333), Inches(7.5)

    def answer(self) -> None:
        """Show the question, the answer, and what stands behind it."""
        found = self.found
        slide = self._slide(found.first.title[found.lang], found.answer())
        self._texts(slide, [found.first.question[found.lang]], top=1.35, height=1.1, size=18, color="555555")
        self._texts(slide, [found.answer()], top=2.5, height=1.7, size=28, bold=True)
        self._texts(slide, found.supports(), top=4.35, height=2.4, size=18, bullets=True)

    def lines(self, measure: str, title: str, caption: str) -> None:
        """Draw a measure in every scenario as a line chart."""
        from pptx.chart.data import CategoryChartData
        from pptx.enum.chart import XL_CHART_TYPE

        found = self.found
        firm, main = found.firm_name(found.firm), found.title(found.main)
        slide = self._slide(found.say(title), found.say(caption, firm=firm, main=main))
        frame = found.result.ticks
        frame = frame[frame["tick"] >= 0]
        means = frame.groupby(["scenario", "firm", "tick"], observed=True)[measure].mean()
        step = -(-found.result.horizon // MOST_POINTS)
        ticks = [int(at) for at in sorted(frame["tick"].unique()) if at % step == 0]
        data = CategoryChartData(number_format="0%" if measure == "share" else "#,##0")
        data.categories = [str(at) for at in ticks]
        looks = []
        for number, name in enumerate(found.scenarios):
            for place, one in enumerate(found.result.scenarios[name].firms):
                curve = means.loc[(name, one)].reindex(ticks)
                data.add_series(
                    f"{found.firm_name(one)}, {found.title(name)}", [None if np.isnan(v) else float(v) for v in curve]
                )
                looks.append((COLORS[place % len(COLORS)], number))
        chart = self._chart(slide, XL_CHART_TYPE.LINE, data)
        self._line_looks(chart, looks)
        axis = chart.value_axis
        axis.tick_labels.number_format = "0%" if measure == "share" else "#,##0"
        axis.tick_labels.number_format_is_linked = False
        if measure == "share":
            axis.minimum_scale = 0
        chart.category_axis.has_title = True
        chart.category_axis.axis_title.text_frame.text = text(f"tick.{found.first.tick}.name", found.lang)
        chart.category_axis.tick_labels.font.size = self._points(12)

    def reasons(self) -> None:
        """Draw why customers leave as a bar chart."""
        from pptx.chart.data import CategoryChartData
        from pptx.enum.chart import XL_CHART_TYPE

        found = self.found
        firm = found.firm_name(found.firm)
        slide = self._slide(
            found.say("slide.why", firm=firm), "\n".join(found.reason(name) for name in found.scenarios)
        )
        names = list(found.causes[found.main, found.firm]["causes"])[:MOST_CAUSES]
        if not names:  # nobody left: a chart needs something to show
            self._texts(slide, [found.reason(found.main)], top=1.4, height=1, size=24)
            return
        data = CategoryChartData(number_format="0.0%")
        data.categories = [text(f"cause.{name}", found.lang) for name in names]
        for scenario in found.scenarios:
            shares = found.causes.get((scenario, found.firm), {"causes": {}})["causes"]
            data.add_series(found.title(scenario), [float(shares.get(name, 0.0)) for name in names])
        chart = self._chart(slide, XL_CHART_TYPE.BAR_CLUSTERED, data)
        chart.category_axis.reverse_order = True
        chart.value_axis.visible = False
        chart.value_axis.has_major_gridlines = False
        for place, plot_series in enumerate(chart.plots[0].series):
            plot_series.format.fill.solid()
            plot_series.format.fill.fore_color.rgb = self._rgb(
                "999999" if place == 0 and found.others else COLORS[place % 6]
            )
        chart.plots[0].has_data_labels = True
        chart.plots[0].data_labels.number_format = "0%"
        chart.plots[0].data_labels.number_format_is_linked = False
        chart.plots[0].data_labels.font.size = self._points(12)

    def money(self) -> None:
        """Show profit and loss as a table."""
        from pptx.util import Inches

        found = self.found
        firm = found.firm_name(found.firm)
        even = found.break_even()
        caption = found.say("money_caption", firm=firm, period=found.period)
        slide = self._slide(found.say("slide.money", firm=firm), f"{caption}. {even or ''}".strip())
        rows = money_rows(found)
        names = list(found.scenarios)
        shape = slide.shapes.add_table(
            len(rows) + 1, len(names) + 1, Inches(0.6), Inches(1.5), Inches(12.1), Inches(0.55 * (len(rows) + 1))
        )
        table = shape.table
        cells = [["", *map(found.title, names)], *([row["label"], *row["cells"]] for row in rows)]
        for y, line in enumerate(cells):
            for x, said in enumerate(line):
                self._cell(table.cell(y, x), said, bold=y in (0, len(cells) - 1), right=x > 0)
        if even:
            self._texts(slide, [even], top=1.7 + 0.55 * (len(rows) + 1), height=1, size=20)

    def sure(self) -> None:
        """Say how far the answer can be trusted, and what it is not."""
        found = self.found
        slide = self._slide(found.say("slide.sure"), found.say("method"))
        said = found.certainty()
        self._texts(slide, said, top=1.4, height=3.6, size=18 if len(said) <= FEW_LINES else 13, bullets=True)
        self._texts(slide, [found.say("flip"), found.say("limits")], top=5.2, height=1.8, size=16, color="555555")

    # ------------------------------------------------------------------ parts of a slide

    def _slide(self, title: str, notes: str) -> Slide:
        """Add a slide with a title and speaker notes."""
        from pptx.util import Inches

        slide = self.presentation.slides.add_slide(self.presentation.slide_layouts[5])
        head = slide.shapes.title
        head.left, head.top, head.width, head.height = Inches(0.6), Inches(0.35), Inches(12.1), Inches(0.9)
        head.text_frame.text = title
        self._style(head.text_frame.paragraphs[0], 30, bold=True)
        slide.notes_slide.notes_text_frame.text = notes
        return slide

    def _texts(
        self, slide: Slide, lines: list[str], *, top: float, height: float, size: int, bold: bool = False,
        color: str = "1A1A1A", bullets: bool = False,
    ) -> None:  # fmt: skip
        """Add a box of paragraphs over the whole width."""
        from pptx.util import Inches

        frame = slide.shapes.add_textbox(Inches(0.6), Inches(top), Inches(12.1), Inches(height)).text_frame
        frame.word_wrap = True
        for place, line in enumerate(lines):
            paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
            paragraph.text = f"\N{BULLET} {line}" if bullets else line
            paragraph.space_after = self._points(6)
            self._style(paragraph, size, bold=bold, color=color)

    def _chart(self, slide: Slide, kind: Any, data: Any) -> Any:
        """Add a native chart under the title."""
        from pptx.enum.chart import XL_LEGEND_POSITION
        from pptx.util import Inches

        frame: Any = slide.shapes.add_chart(kind, Inches(0.6), Inches(1.35), Inches(12.1), Inches(5.8), data)
        chart = frame.chart
        chart.has_title = False
        chart.has_legend = True
        chart.legend.position = XL_LEGEND_POSITION.BOTTOM
        chart.legend.include_in_layout = False
        chart.font.size = self._points(14)
        chart.font.name = FONT[self.found.lang]
        return chart

    def _line_looks(self, chart: Any, looks: list[tuple[str, int]]) -> None:
        """Give firms their colours and scenarios their dashes."""
        from pptx.enum.dml import MSO_LINE

        dashes = (MSO_LINE.DASH, MSO_LINE.SOLID, MSO_LINE.ROUND_DOT, MSO_LINE.LONG_DASH)
        several = bool(self.found.others)
        for series, (color, number) in zip(chart.plots[0].series, looks, strict=True):
            series.smooth = False
            series.format.line.color.rgb = self._rgb(color)
            series.format.line.width = self._points(2.25)
            series.format.line.dash_style = dashes[number % 4] if several else MSO_LINE.SOLID

    def _cell(self, cell: Any, said: str, *, bold: bool, right: bool) -> None:
        """Write a cell of a table."""
        from pptx.enum.text import PP_ALIGN

        cell.text_frame.text = said
        paragraph = cell.text_frame.paragraphs[0]
        paragraph.alignment = PP_ALIGN.RIGHT if right else PP_ALIGN.LEFT
        paragraph.font.size, paragraph.font.bold, paragraph.font.name = self._points(16), bold, FONT[self.found.lang]

    def _style(self, paragraph: Any, size: int, *, bold: bool = False, color: str = "1A1A1A") -> None:
        """Set a paragraph's font."""
        from pptx.enum.text import PP_ALIGN

        paragraph.alignment = PP_ALIGN.LEFT
        font = paragraph.font
        font.size, font.bold, font.name, font.color.rgb = (
            self._points(size),
            bold,
            FONT[self.found.lang],
            self._rgb(color),
        )

    @staticmethod
    def _points(size: float) -> Any:
        """Return a length in points."""
        from pptx.util import Pt

        return Pt(size)

    @staticmethod
    def _rgb(color: str) -> Any:
        """Return a colour."""
        from pptx.dml.color import RGBColor

        return RGBColor.from_string(color)

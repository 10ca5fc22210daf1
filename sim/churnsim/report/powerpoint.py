"""The report as slides with native charts that can be edited, and speaker notes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.i18n import text
from churnsim.plots.accessor import about
from churnsim.report.answers import Findings
from churnsim.report.html_page import money_rows
from churnsim.report.needs import needed
from churnsim.report.quantities import IN_A_YEAR, PROFIT, money_format

if TYPE_CHECKING:
    from pptx.slide import Slide

COLORS = ("0072B2", "D55E00", "009E73", "CC79A7", "56B4E9", "E69F00")
FONT = {"en": "Calibri", "zh": "Microsoft YaHei"}
MOST_POINTS = 36
"""Points of a line in a chart, so that there is room for every label; longer runs are drawn every few ticks."""

MOST_CAUSES = 6
MOST_LABELS = 12
"""Labels along an axis at most, about."""

LANGUAGE_TAG = {"en": "en-US", "zh": "zh-CN"}
MOST_LINES = 9
"""Sentences that a slide has room for."""

FEW_LINES = 5
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
    deck.lines("share", "figure.share")
    deck.lines(PROFIT, "figure.profit")
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
        # One box, so that nothing runs into anything else whatever the fonts of the reader's machine.
        frame = self._texts(slide, [found.question], top=1.35, height=5.7, size=18, color="555555")
        self._paragraph(frame, found.answer(), 26, bold=True, before=16)
        for line in found.supports():
            self._paragraph(frame, line, 18, before=8, bullet=True)

    def _headline(self, measure: str) -> str:
        """Say how a measure of the report's firm ends, and how it does in the baseline."""
        found = self.found
        name = "profit" if measure == PROFIT else measure
        values = [found.values.get((scenario, found.firm, measure)) for scenario in (found.main, found.baseline)]
        said = [found.written(measure, value.mean) if value is not None else "" for value in values]
        return found.say(
            f"slide.{name}_than" if found.others and all(said) else f"slide.{name}", firm=found.firm_name(found.firm),
            value=said[0], other=said[1], baseline=found.title(found.baseline), period=found.period,
        )  # fmt: skip

    def lines(self, measure: str, caption: str) -> None:
        """Draw a measure in every scenario as a line chart."""
        from pptx.chart.data import CategoryChartData
        from pptx.enum.chart import XL_CHART_TYPE

        found = self.found
        firm, main = found.firm_name(found.firm), found.title(found.main)
        slide = self._slide(self._headline(measure), found.say(caption, firm=firm, main=main))
        frame = found.result.ticks
        frame = frame[frame["tick"] >= 0]
        means = frame.groupby(["scenario", "firm", "tick"], observed=True)[measure].mean()
        step = -(-found.result.horizon // MOST_POINTS)
        ticks = [int(at) for at in sorted(frame["tick"].unique()) if at % step == 0]
        largest = float(np.nanmax(np.abs(means.to_numpy(dtype=np.float64))))
        shown = "0%" if measure == "share" else money_format(largest, found.lang)
        data = CategoryChartData(number_format="0%" if measure == "share" else "#,##0")
        data.categories = [str(at) for at in ticks]
        looks = []
        for number, name in enumerate(found.scenarios):
            for place, one in enumerate(found.result.scenarios[name].firms):
                curve = means.loc[(name, one)].reindex(ticks)
                data.add_series(
                    f"{found.firm_name(one)}{found.say('comma')}{found.title(name)}",
                    [None if np.isnan(v) else float(v) for v in curve],
                )
                looks.append((COLORS[place % len(COLORS)], number))
        chart = self._chart(slide, XL_CHART_TYPE.LINE, data)
        self._line_looks(chart, looks)
        axis = chart.value_axis
        axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = shown, False
        if measure == "share":
            axis.minimum_scale = 0
        from pptx.enum.chart import XL_TICK_LABEL_POSITION

        currency = about(found.result).currency_name(found.lang)
        unit = found.say("slide.axis_share" if measure == "share" else "slide.axis_profit", currency=currency)
        self._axis_title(axis, unit)
        self._axis_title(chart.category_axis, text(f"tick.{found.first.tick}.name", found.lang))
        chart.category_axis.tick_labels.font.size = self._points(12)
        chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
        years = IN_A_YEAR.get(found.first.tick, 1) / step
        self._every(chart.category_axis, max(1, round(years * max(1, round(len(ticks) / years / MOST_LABELS)))))
        axis.major_gridlines.format.line.color.rgb = self._rgb("E6E6E6")

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
        chart.plots[0].gap_width, chart.plots[0].overlap = 45, 0
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
                cell = table.cell(y, x)
                self._cell(cell, said, bold=y in (0, len(cells) - 1), right=x > 0)
                cell.fill.solid()
                cell.fill.fore_color.rgb = self._rgb("0072B2" if y == 0 else "F4F7FA" if y % 2 == 0 else "FFFFFF")
        if even:
            self._texts(slide, [even], top=1.7 + 0.55 * (len(rows) + 1), height=1, size=20)

    def sure(self) -> None:
        """Say how far the answer can be trusted, and what it is not."""
        found = self.found
        slide = self._slide(found.say("slide.sure"), found.say("method"))
        said = found.certainty()
        asked = [line for one in found.doubts for line in one.said] or [found.say("doubt.none")]
        asked = asked[: max(1, MOST_LINES - len(said))]
        size = 18 if len(said) + len(asked) <= FEW_LINES else 13
        frame = self._texts(slide, said, top=1.4, height=5.7, size=size, bullets=True)
        self._paragraph(frame, found.say("doubt.heading"), size, bold=True, before=10)
        for line in asked:
            self._paragraph(frame, line, size, bullet=True)
        self._paragraph(frame, found.say("limits"), min(size, 16), color="555555", before=10)

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
    ) -> Any:  # fmt: skip
        """Add a box of paragraphs over the whole width; return its text frame."""
        from pptx.util import Inches

        frame = slide.shapes.add_textbox(Inches(0.6), Inches(top), Inches(12.1), Inches(height)).text_frame
        frame.word_wrap = True
        for line in lines:
            self._paragraph(frame, line, size, bold=bold, color=color, bullet=bullets)
        return frame

    def _paragraph(
        self, frame: Any, line: str, size: int, *, bold: bool = False, color: str = "1A1A1A", before: int = 0,
        bullet: bool = False,
    ) -> None:  # fmt: skip
        """Add a paragraph to a box."""
        paragraph = frame.paragraphs[0] if not frame.text else frame.add_paragraph()
        paragraph.text = f"\N{BULLET} {line}" if bullet else line
        paragraph.space_before, paragraph.space_after = self._points(before), self._points(6)
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
        self._font(chart.font)
        return chart

    def _axis_title(self, axis: Any, said: str) -> None:
        """Write what an axis shows."""
        axis.has_title = True
        axis.axis_title.text_frame.text = said
        paragraph = axis.axis_title.text_frame.paragraphs[0]
        paragraph.font.size, paragraph.font.bold = self._points(12), False
        self._font(paragraph.font)

    @staticmethod
    def _every(axis: Any, step: int) -> None:
        """Write only every so many labels and marks of a category axis, which python-pptx has no word for."""
        from pptx.oxml.ns import qn

        element = axis._element
        after = element.find(qn("c:noMultiLvlLbl"))
        for name in ("c:tickLblSkip", "c:tickMarkSkip"):
            skip = element.makeelement(qn(name), {"val": str(step)})
            if after is None:
                element.append(skip)
            else:
                after.addprevious(skip)

    def _font(self, font: Any) -> None:
        """Name the font, for Chinese letters as well: PowerPoint looks those up under a name of their own."""
        from pptx.oxml.ns import qn

        family = FONT[self.found.lang]
        font.name = family
        properties = font._element
        properties.set("lang", LANGUAGE_TAG[self.found.lang])
        for old in properties.findall(qn("a:ea")):
            properties.remove(old)
        latin = properties.find(qn("a:latin"))
        latin.addnext(latin.makeelement(qn("a:ea"), {"typeface": family}))

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
        paragraph.font.size, paragraph.font.bold = self._points(16), bold
        self._font(paragraph.font)

    def _style(self, paragraph: Any, size: int, *, bold: bool = False, color: str = "1A1A1A") -> None:
        """Set a paragraph's font."""
        from pptx.enum.text import PP_ALIGN

        paragraph.alignment = PP_ALIGN.LEFT
        font = paragraph.font
        font.size, font.bold, font.color.rgb = self._points(size), bold, self._rgb(color)
        self._font(font)

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

"""Slides, boxes of text, tables and native charts: what the slides of a report are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pptx.slide import Slide

    from churnsim.report.answers import Findings

FONT = {"en": "Calibri", "zh": "Microsoft YaHei"}
LANGUAGE_TAG = {"en": "en-US", "zh": "zh-CN"}

MOST_ROWS = 13
"""Rows of a table that a slide has room for, besides its heads."""

WIDTH, ROW = 12.1, 0.4
"""Width of a table, and height of its rows where nothing is wrapped, in inches."""

FILLS = {"heads": "0072B2", "head": "DCE9F2", "main": "F4F7FA", "": "FFFFFF"}
"""Colours of rows: heads of the columns, headings within a table, the scenario in the foreground, all others."""


class Deck:
    """A presentation in the making."""

    def __init__(self, presentation: Any, found: Findings) -> None:
        from pptx.util import Inches

        self.presentation, self.found = presentation, found
        presentation.slide_width, presentation.slide_height = Inches(13.333), Inches(7.5)

    def _tables(
        self, title: str, notes: str, head: list[str], lines: list[tuple[list[str], str]], *, first: float,
        wide: Mapping[int, float] | None = None, below: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Show a table, on as many slides as its rows need; `first` is the width of its first column in inches."""
        from pptx.util import Inches

        parts = _parted(lines)
        for part, shown in enumerate(parts):
            mark = f" ({part + 1}/{len(parts)})" if len(parts) > 1 else ""
            slide = self._slide(title + mark, notes)
            height = ROW * (len(shown) + 1)
            frame = slide.shapes.add_table(
                len(shown) + 1, len(head), Inches(0.6), Inches(1.4), Inches(WIDTH), Inches(height)
            )
            table = frame.table
            fixed = {0: first, **(wide or {})}
            rest = (WIDTH - sum(fixed.values())) / (len(head) - len(fixed))
            for x in range(len(head)):
                table.columns[x].width = Inches(fixed.get(x, rest))
            for y, (cells, kind) in enumerate([(head, "heads"), *shown]):
                table.rows[y].height = Inches(ROW)
                for x, said in enumerate(cells):
                    cell = table.cell(y, x)
                    self._cell(cell, said, bold=bool(kind), right=x > 0)
                    cell.fill.solid()
                    cell.fill.fore_color.rgb = self._rgb(FILLS[kind])
                if kind == "head":
                    table.cell(y, 0).merge(table.cell(y, len(cells) - 1))
            if part == len(parts) - 1 and below:
                self._texts(slide, list(below), top=1.6 + height, height=0.8, size=18)

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
        paragraph.font.size, paragraph.font.bold = self._points(12), bold
        cell.margin_left = cell.margin_right = self._points(4)
        cell.margin_top = cell.margin_bottom = self._points(2)
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


def _parted(lines: Sequence[tuple[list[str], str]]) -> list[list[tuple[list[str], str]]]:
    """Return the rows of a table slide by slide: about as many on each, and no heading at the end of one."""
    slides = -(-len(lines) // MOST_ROWS)
    each = -(-len(lines) // slides)
    parts: list[list[tuple[list[str], str]]] = [[]]
    for line in lines:
        if len(parts[-1]) >= each:
            ending = [parts[-1].pop()] if parts[-1][-1][1] == "head" else []
            parts.append(ending)
        parts[-1].append(line)
    return parts

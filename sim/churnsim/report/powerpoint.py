"""The report as slides with native charts that can be edited, and speaker notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from churnsim.i18n import text
from churnsim.report.answers import Findings
from churnsim.report.deck import Deck
from churnsim.report.html_page import money_rows
from churnsim.report.needs import needed
from churnsim.report.overview import heads, sections
from churnsim.report.plans import scope
from churnsim.report.quantities import IN_A_YEAR, PROFIT, money_format
from churnsim.results.knowledge import share_of

COLORS = ("0072B2", "D55E00", "009E73", "CC79A7", "56B4E9", "E69F00")
MOST_POINTS = 36
"""Points of a line in a chart, so that there is room for every label; longer runs are drawn every few ticks."""

TOLD = 2
"""Scenarios that the first slide says everything of; with more there is a table of all."""

MOST_CAUSES = 6
MOST_LABELS = 12
"""Labels along an axis at most, about."""

MOST_LINES = 9
"""Sentences that a slide has room for."""

FEW_LINES, SOME_LINES = 5, 7
"""Sentences up to which a slide has room for large letters, and for rather large ones."""


def slides(found: Findings, path: Path) -> None:
    """Write the report as six slides; with many scenarios tables take more, and of unknown money there are none.

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
    if len(found.scenarios) > TOLD:
        deck.glance()
    share = share_of(found.result)
    deck.lines(share, f"figure.{share}")
    if found.earns:
        deck.lines(PROFIT, "figure.profit")
    if not found.is_cohort:
        deck.reasons()
    if found.earns:
        deck.money()
    deck.sure()
    deck.presentation.core_properties.title = found.heading
    deck.presentation.core_properties.author = "churnsim"
    deck.presentation.save(str(path))


class _Deck(Deck):
    """Writes the slides of a report."""

    def answer(self) -> None:
        """Show the question, the answer, and what stands behind it."""
        found = self.found
        slide = self._slide(found.heading, found.answer())
        # One box, so that nothing runs into anything else whatever the fonts of the reader's machine.
        said = ("" if found.lang == "zh" else " ").join(scope(found)[:2])
        supports = found.supports()
        size = 18 if len(supports) <= FEW_LINES - 1 else 16
        frame = self._texts(slide, [found.question], top=1.25, height=5.9, size=16, color="555555")
        self._paragraph(frame, found.answer(), 24 if found.ranking is None else 20, bold=True, before=10)
        if said:
            self._paragraph(frame, said, 16, color="555555")
        for line in supports:
            self._paragraph(frame, line, size, before=4, bullet=True)

    def glance(self) -> None:
        """Show every scenario in a table, world by world."""
        found = self.found
        heads_of = heads(found)
        head = [found.say("overview.scenario"), heads_of[0], found.say("overview.difference"),
                found.say("overview.better"), *heads_of[1:]]  # fmt: skip
        lines: list[tuple[list[str], str]] = []
        for section in sections(found):
            if section.heading:
                lines.append(([section.heading, *[""] * (len(head) - 1)], "head"))
            for row in section.rows:
                name = found.say("strategy_with", name=row.plan, details=row.title) if row.plan else row.title
                goal, *rest = row.cells
                gap = f"{goal.change} ({goal.interval})" if goal.change else ""
                if row.compared_with:
                    gap = found.say("overview.compared")
                cells = [name, goal.value, gap, row.better, *(cell.value for cell in rest)]
                lines.append((cells, "main" if row.main else ""))
        firm = found.firm_name(found.firm)
        caption = found.say("kpi_caption", firm=firm, runs=found.runs)
        self._tables(found.say("slide.glance", firm=firm), caption, head, lines, first=4.1, wide={2: 2.6, 3: 1.5})

    def _headline(self, measure: str) -> str:
        """Say how a measure of the report's firm ends, and how it does in the baseline."""
        found = self.found
        name = "profit" if measure == PROFIT else measure
        values = [found.values.get((scenario, found.firm, measure)) for scenario in (found.main, found.baseline)]
        said = [found.written(measure, value.mean) if value is not None else "" for value in values]
        return found.say(
            f"slide.{name}_than" if found.others and all(said) else f"slide.{name}", firm=found.firm_name(found.firm),
            value=said[0], other=said[1], baseline=found.called(found.baseline), period=found.period,
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
        frame = frame[frame["scenario"].isin(found.drawn)]
        means = frame.groupby(["scenario", "firm", "tick"], observed=True)[measure].mean()
        step = -(-found.result.horizon // MOST_POINTS)
        ticks = [int(at) for at in sorted(frame["tick"].unique()) if at % step == 0]
        largest = float(np.nanmax(np.abs(means.to_numpy(dtype=np.float64))))
        shown = "#,##0" if measure == PROFIT else "0%"
        data = CategoryChartData(number_format=shown)
        data.categories = [str(at) for at in ticks]
        looks = []
        for number, place, name, one in found.lines:
            curve = means.loc[(name, one)].reindex(ticks)
            data.add_series(
                f"{found.firm_name(one)}{found.say('comma')}{found.title(name)}",
                [None if np.isnan(v) else float(v) for v in curve],
            )
            looks.append((COLORS[place % len(COLORS)], number))
        chart = self._chart(slide, XL_CHART_TYPE.LINE, data)
        self._line_looks(chart, looks)
        axis = chart.value_axis
        axis.tick_labels.number_format_is_linked = False
        axis.tick_labels.number_format = money_format(largest, found.lang) if measure == PROFIT else shown
        if measure != PROFIT:
            axis.minimum_scale = 0
        from pptx.enum.chart import XL_TICK_LABEL_POSITION

        currency = found.about.currency_name(found.lang)
        name = "profit" if measure == PROFIT else measure
        unit = found.say(f"slide.axis_{name}", currency=currency)
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
        slide = self._slide(found.say("slide.why", firm=firm), "\n".join(found.reason(name) for name in found.drawn))
        names = list(found.causes[found.main, found.firm]["causes"])[:MOST_CAUSES]
        if not names:  # nobody left: a chart needs something to show
            self._texts(slide, [found.reason(found.main)], top=1.4, height=1, size=24)
            return
        data = CategoryChartData(number_format="0.0%")
        data.categories = [text(f"cause.{name}", found.lang) for name in names]
        for scenario in found.drawn:
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
        """Show profit and loss as a table, a row per scenario."""
        found = self.found
        firm = found.firm_name(found.firm)
        even = found.break_even()
        caption = found.say("money_caption", firm=firm, period=found.period)
        head, rows = money_rows(found)
        lines = [([row["title"], *row["cells"]], "main" if row["main"] else "") for row in rows]
        heads_of = [found.say("overview.scenario"), *head]
        title, notes = found.say("slide.money", firm=firm), f"{caption}. {even or ''}".strip()
        self._tables(title, notes, heads_of, lines, first=3.6, below=[even] if even else [])

    def sure(self) -> None:
        """Say how far the answer can be trusted, and what it is not."""
        found = self.found
        slide = self._slide(found.say("slide.sure"), found.say("method"))
        said = found.certainty()
        asked = [line for one in found.doubts for line in one.said] or [found.say("doubt.none")]
        asked = asked[: max(1, MOST_LINES - len(said))]
        count = len(said) + len(asked)
        size = 18 if count <= FEW_LINES else 16 if count <= SOME_LINES else 13
        frame = self._texts(slide, said, top=1.4, height=5.7, size=size, bullets=True)
        self._paragraph(frame, found.say("doubt.heading"), size, bold=True, before=10)
        for line in asked:
            self._paragraph(frame, line, size, bullet=True)
        self._paragraph(frame, found.say("limits"), min(size, 16), color="555555", before=10)

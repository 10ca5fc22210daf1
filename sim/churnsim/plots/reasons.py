"""Why customers leave: causes over time, and in sum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from churnsim.causes import CAUSES, TAXONOMIES
from churnsim.i18n import number, percent, text
from churnsim.plots import layout
from churnsim.plots.fans import firms_of, only_scenario
from churnsim.plots.fonts import usable_language
from churnsim.plots.style import (
    COLORS,
    INK,
    MUTED,
    NEUTRAL,
    About,
    clean,
    figure_of,
    font,
    new_axes,
    new_figure,
    tick_axis,
)

CLASS_COLORS = {
    "fault": "#D55E00",
    "competitive": "#0072B2",
    "customer": "#009E73",
    "passive": "#CC79A7",
    "natural": "#8C8C8C",
}
"""One colour per class of the course, the same in every figure."""

HATCHES = {"fault": "", "competitive": "//", "customer": "..", "passive": "\\\\", "natural": ""}
"""Patterns, which say the same as the colours."""

DOT = " \N{MIDDLE DOT} "
MOST_BARS = 36
SUMMARY_BARS = 8


def causes(
    frame: pd.DataFrame,
    *,
    firm: str | None = None,
    by: str = "course",
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw why customers left one firm over time: a bar per period, stacked by class of the primary cause.

    Parameters
    ----------
    frame
        Rows of ``Result.causes`` of one scenario.
    firm
        Whose customers; by default the first firm's.
    by
        Taxonomy: ``course``, ``course_type`` or ``keaveney``.
    ax, lang, about
        As for `fan`.
    """
    lang, about = usable_language(lang), about or About()
    own = ax is None
    ax = new_axes() if ax is None else ax
    firm = _firm(frame, firm)
    if own:
        layout.margins(figure_of(ax), top=80, right=16, left=44)
    _stack(ax, frame, firm, by, about, lang)
    taken = _legend(ax, by, _classes(frame, by), lang)
    said = _caption(frame, about, lang, firm)
    taken = layout.head(ax, _title(about, lang), said, lang, above=taken)
    if own:
        layout.margins(figure_of(ax), top=taken + 10, right=16, left=44)
    return ax


def cause_summary(
    frame: pd.DataFrame,
    *,
    firm: str | None = None,
    by: str = "cause",
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw which causes the departures of play had, as shares: one bar per cause, most frequent on top.

    Parameters are those of `causes`; `by` may also be ``cause``.
    """
    lang, about = usable_language(lang), about or About()
    own = ax is None
    ax = new_axes() if ax is None else ax
    firm = _firm(frame, firm)
    _bars(ax, frame, firm, by, lang)
    if own:
        left = _names_room(ax, lang)
        layout.margins(figure_of(ax), top=64, right=40, left=left, bottom=24)
    span = text(
        "plot.summary_caption", lang, tick=text(f"tick.{about.tick}.name", lang), first=1,
        last=int(frame["tick"].max()), runs=frame["seed"].nunique(),
    )  # fmt: skip
    parts = (about.firm(firm, lang), about.scenario(only_scenario(frame), lang), span)
    layout.head(ax, text("plot.summary_title", lang), DOT.join(parts), lang)
    return ax


def causes_and_summary(
    frame: pd.DataFrame, *, by: str = "course", lang: str = "en", about: About | None = None
) -> tuple[Axes, ...]:
    """Draw `causes` and `cause_summary` side by side in a new figure, one row per firm."""
    lang, about = usable_language(lang), about or About()
    firms = firms_of(frame)
    figure = new_figure((9.0, 1.3 + 3.1 * len(firms)))
    grid = figure.add_gridspec(len(firms), 2, width_ratios=(1.75, 1))
    axes: list[Axes] = []
    for row, firm in enumerate(firms):
        # The same scale in every row, so that the firms can be compared.
        left = new_axes(figure, (grid[row, 0],), **({"sharey": axes[0]} if axes else {}))
        right = new_axes(figure, (grid[row, 1],))
        _stack(left, frame, firm, by, about, lang)
        _bars(right, frame, firm, "cause", lang, by)
        axes += [left, right]
    room = max(_names_room(ax, lang) for ax in axes[1::2])
    above = layout.figure_head(figure, _title(about, lang), _caption(frame, about, lang), lang)
    layout.margins(figure, top=above + 46, right=44, left=48, between=room + 16, rows=72)
    for ax, firm in zip(axes[::2], firms, strict=True):
        legend = _legend(ax, by, _classes(frame, by), lang) if ax is axes[0] else 0
        layout.head(ax, about.firm(firm, lang), "", lang, size=10.5, above=legend)
    for ax in axes[1::2]:
        layout.head(ax, text("plot.summary_title", lang), "", lang, size=10.5)
    for ax in axes[:-2:2]:
        ax.set_xlabel("")
    return tuple(axes)


def _firm(frame: pd.DataFrame, firm: str | None) -> str:
    """Return the firm to show."""
    firms = firms_of(frame)
    if firm is not None and firm not in firms:
        raise ValueError(f"unknown firm '{firm}' ({', '.join(firms)})")
    return firm or firms[0]


def _classes(frame: pd.DataFrame, by: str) -> list[str]:
    """Return the classes of a taxonomy that occur in play, in the catalogue's order."""
    if by not in TAXONOMIES:
        raise ValueError(f"unknown taxonomy '{by}' ({', '.join(TAXONOMIES)})")
    played = frame[frame["tick"] > 0].groupby(by, observed=True)["primary"].sum()
    return [name for name in frame[by].cat.categories if played.get(name, 0) > 0]


def _look(by: str, name: str, classes: list[str]) -> dict[str, Any]:
    """Return colour and pattern of a class."""
    if by == "course":
        return {"facecolor": CLASS_COLORS[name], "hatch": HATCHES[name]}
    place = classes.index(name)
    return {
        "facecolor": COLORS[place] if place < 6 else NEUTRAL,
        "hatch": ("", "//", "..", "\\\\", "xx", "||")[place % 6],
    }


def _stack(ax: Axes, frame: pd.DataFrame, firm: str, by: str, about: About, lang: str) -> None:
    """Draw the stacked bars: mean departures per tick of a period."""
    only_scenario(frame)
    classes = _classes(frame, by)
    played = frame[(frame["tick"] > 0) & (frame["firm"] == firm)]
    last = int(frame["tick"].max())
    width = bar_width(last)
    runs = played["seed"].nunique()
    period = (played["tick"] - 1) // width
    sums = played.groupby([period, played[by]], observed=True)["primary"].sum().unstack(fill_value=0)
    starts = sums.index.to_numpy() * width
    ends = np.minimum(starts + width, last)
    bottom = np.zeros(len(sums))
    for name in classes:
        if name not in sums:
            continue
        heights = sums[name].to_numpy() / runs / (ends - starts)
        ax.bar(
            starts + 0.5, heights, ends - starts, bottom, align="edge", edgecolor="white", linewidth=0.6,
            **_look(by, name, classes),
        )  # fmt: skip
        bottom += heights
    tick_axis(ax, 0, last, about, lang)
    ax.yaxis.set_major_formatter(lambda value, _: number(value, 0 if float(value).is_integer() else 1))
    clean(ax, lang)


def _bars(ax: Axes, frame: pd.DataFrame, firm: str, by: str, lang: str, colors: str = "course") -> None:
    """Draw the horizontal bars: each cause's share of the firm's departures in play."""
    played = frame[(frame["tick"] > 0) & (frame["firm"] == firm)]
    sums = played.groupby(by, observed=True)["primary"].sum()
    sums = sums[sums > 0].sort_values(ascending=False, kind="stable")
    total = sums.sum()
    shown = sums.iloc[:SUMMARY_BARS]
    rest = total - shown.sum()
    key = "cause" if by == "cause" else f"taxonomy.{by}"
    names = [text(f"{key}.{name}", lang) for name in shown.index]
    values = [value / total for value in shown]
    looks = [_cause_look(frame, name, colors) if by == "cause" else _look(by, name, _classes(frame, by))
             for name in shown.index]  # fmt: skip
    if rest:
        names.append(text("plot.other", lang))
        values.append(rest / total)
        looks.append({"facecolor": NEUTRAL, "hatch": ""})
    if not total:
        ax.text(0.5, 0.5, text("plot.nobody_left", lang), transform=ax.transAxes, ha="center", color=MUTED,
                fontproperties=font(lang))  # fmt: skip
    for place, (value, look) in enumerate(zip(values, looks, strict=True)):
        ax.barh(place, value, height=0.7, edgecolor="white", linewidth=0.6, **look)
        ax.annotate(
            percent(value) if value >= 0.005 else "<1\N{NO-BREAK SPACE}%", (value, place), (4, 0),
            textcoords="offset points", va="center", fontproperties=font(lang, 9), color=INK,
        )  # fmt: skip
    ax.set_ylim(max(len(values), 4) - 0.4, -0.6)
    ax.set_xlim(0, max(values, default=1))
    ax.set_yticks(range(len(names)), names)
    ax.set_xticks([])
    clean(ax, lang)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.spines["left"].set_visible(True)
    ax.spines["left"].set_color(MUTED)
    for label in ax.get_yticklabels():
        label.set_color(INK)


def _cause_look(frame: pd.DataFrame, cause: str, colors: str) -> dict[str, Any]:
    """Return colour and pattern of a cause: those of its class."""
    classes = _classes(frame, colors)
    return _look(colors, next(getattr(item, colors) for item in CAUSES if item.name == cause), classes)


def _names_room(ax: Axes, lang: str) -> float:
    """Return the room that the bars' names need, in points."""
    names = [label.get_text() for label in ax.get_yticklabels()]
    return max((layout.extent(ax, name, font(lang, 9)) for name in names), default=20.0) + 12


def _legend(ax: Axes, by: str, classes: list[str], lang: str) -> float:
    """Write the key to the colours in one row over the axes; return the points it takes."""
    if not classes:
        return 0.0
    patches = [
        Patch(edgecolor="white", linewidth=0.6, label=text(f"taxonomy.{by}.{name}", lang), **_look(by, name, classes))
        for name in classes
    ]
    ax.legend(
        handles=patches, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=len(patches), frameon=False,
        handlelength=1.2, handleheight=0.9, columnspacing=1.4, handletextpad=0.5, borderpad=0, prop=font(lang, 9),
        labelcolor=INK,
    )  # fmt: skip
    return 17.0


def _title(about: About, lang: str) -> str:
    """Return what the bars show, with the unit."""
    return text("plot.causes_title", lang, unit=text("plot.causes_unit", lang, per=about.per_tick(lang)))


def _caption(frame: pd.DataFrame, about: About, lang: str, firm: str | None = None) -> str:
    """Return firm, scenario, and what a bar over time stands for."""
    runs, width = frame["seed"].nunique(), bar_width(int(frame["tick"].max()))
    parts = [about.firm(firm, lang)] if firm else []
    parts.append(about.scenario(only_scenario(frame), lang))
    key = "plot.causes_caption" if width > 1 else "plot.causes_caption_one"
    parts.append(text(key, lang, runs=runs, width=width, ticks=text(f"tick.{about.tick}.plural", lang)))
    return DOT.join(parts)


def bar_width(horizon: int) -> int:
    """Return how many ticks a bar covers: a divisor of twelve where that makes few enough bars."""
    return next((width for width in (1, 2, 3, 4, 6, 12) if horizon / width <= MOST_BARS), -(-horizon // MOST_BARS))

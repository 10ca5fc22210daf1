"""What kind of churn a firm has: the course's classes and the causes in them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from churnsim.causes import CAUSES
from churnsim.i18n import percent, text
from churnsim.plots import layout
from churnsim.plots.fans import firms_of, only_scenario
from churnsim.plots.fonts import usable_language
from churnsim.plots.reasons import CLASS_COLORS, HATCHES
from churnsim.plots.style import AXIS, INK, About, figure_of, font, new_axes

LEAST_SHOWN = 0.003
"""Share of the departures below which causes of a class share a place."""

NOTHING = 0.0005
"""Share of the departures that would be written as none."""

CLASS_AT, CAUSE_AT, WIDE = 0.0, 0.62, 0.38
"""Where the bars of classes and causes stand, and their width, as shares of the axes."""

Label = tuple[float, str]


def taxonomy(
    frame: pd.DataFrame,
    *,
    firm: str | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw a firm's departures as a tree: the course's classes on the left, their causes on the right.

    Parameters
    ----------
    frame
        Rows of ``Result.causes`` of one scenario; primary causes of play, all runs together.
    firm
        Whose customers; by default the first firm's.
    ax, lang, about
        As for `churnsim.plots.fan`.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    firm = firm or firms_of(frame)[0]
    played = frame[(frame["tick"] > 0) & (frame["firm"] == firm)]
    sums = played.groupby("cause", observed=True)["primary"].sum()
    shares = sums / (sums.sum() or 1)
    left: list[Label] = []
    right: list[Label] = []
    upper = 1.0
    for name in dict.fromkeys(cause.course for cause in CAUSES):
        members = shares.reindex([cause.name for cause in CAUSES if cause.course == name]).fillna(0)
        members = members[members > 0].sort_values(ascending=False, kind="stable")
        height = float(members.sum())
        if height < NOTHING:
            continue
        look: dict[str, Any] = {
            "facecolor": CLASS_COLORS[name],
            "hatch": HATCHES[name],
            "edgecolor": "white",
            "linewidth": 0.8,
        }
        ax.bar(CLASS_AT, height, WIDE, upper - height, align="edge", **look)
        left.append((upper - height / 2, f"{text(f'taxonomy.course.{name}', lang)}  {percent(height, 1)}"))
        for y in (upper, upper - height):
            ax.plot([CLASS_AT + WIDE, CAUSE_AT], [y, y], color=AXIS, linewidth=0.6)
        rest = float(members[members < LEAST_SHOWN].sum())
        parts = [(text(f"cause.{cause}", lang), float(part)) for cause, part in members.items() if part >= LEAST_SHOWN]
        for said, part in [*parts, *([(text("plot.other", lang), rest)] if rest >= NOTHING else [])]:
            ax.bar(CAUSE_AT, part, WIDE, upper - part, align="edge", alpha=0.7, **look)
            right.append((upper - part / 2, f"{said}  {percent(part, 1)}"))
            upper -= part
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_axis_off()
    parts_said = (about.firm(firm, lang), about.scenario(only_scenario(frame), lang))
    caption = " · ".join([*parts_said, text("plot.mean_of", lang, runs=frame["seed"].nunique())])
    rooms = [
        max((layout.extent(ax, said, font(lang, 9)) for _, said in side), default=0) + 30 for side in (left, right)
    ]
    if own:
        layout.margins(figure_of(ax), top=60, left=rooms[0], right=rooms[1], bottom=16)
    _beside(ax, left, 0, lang)
    _beside(ax, right, 1, lang)
    layout.finish(ax, own, text("plot.taxonomy_title", lang), caption, lang, left=rooms[0], right=rooms[1], bottom=16)
    return ax


def _beside(ax: Axes, labels: list[Label], side: int, lang: str) -> None:
    """Write names beside the bars of one side, moved apart where they would overlap."""
    high = layout.height_of(ax)
    wanted = [y * high for y, _ in labels]
    away = 1 if side else -1
    for (y, said), want, place in zip(labels, wanted, layout.apart(wanted, 12.5, high), strict=True):
        moved = abs(place - want) > 3
        leader = {"arrowstyle": "-", "color": AXIS, "lw": 0.7, "shrinkA": 1, "shrinkB": 1, "relpos": (1 - side, 0.5)}
        ax.annotate(
            said, (side, y), (away * (20 if moved else 6), place - want), xycoords="axes fraction",
            textcoords="offset points", ha="left" if side else "right", va="center", fontproperties=font(lang, 9),
            color=INK, annotation_clip=False, arrowprops=leader if moved else None,
        )  # fmt: skip

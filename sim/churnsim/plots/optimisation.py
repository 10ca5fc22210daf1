"""Figures of a search for the best plan: the front, what the plan gains, and the futures in which the answer flips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from churnsim.i18n import number, text
from churnsim.plots import layout
from churnsim.plots.fonts import usable_language
from churnsim.plots.indices import tick_writer
from churnsim.plots.style import (
    AXIS,
    COLORS,
    GRID,
    INK,
    MUTED,
    NEUTRAL,
    About,
    clean,
    figure_of,
    font,
    new_axes,
    new_figure,
)


def front(
    frame: pd.DataFrame,
    objectives: Sequence[str],
    *,
    labels: Mapping[str, str] | None = None,
    measures: Mapping[str, str] | None = None,
    about: About | None = None,
    ax: Axes | None = None,
    lang: str = "en",
) -> Axes:
    """Draw plans that no other one beats in both objectives, with 95 % intervals, beside two simple plans.

    Parameters
    ----------
    frame
        As `churnsim.studies.optimise.front_frame` returns it: kind (``front``, ``nothing``, ``own``), and per objective
        its mean, ``NAME_low`` and ``NAME_high``.
    objectives
        The two on the axes, horizontal first.
    labels
        How objectives are called, by name.
    measures
        Firm measure that an objective is, by name, where it is one: it gives the axis its unit.
    about
        Currency.
    ax
        Where to draw; by default a figure of its own.
    lang
        ``en`` or ``zh``.
    """
    lang = usable_language(lang)
    mine = ax is None
    ax = new_axes(new_figure((8.4, 5.6))) if ax is None else ax
    x, y = objectives
    best = frame[frame["kind"] == "front"].sort_values(x)
    ax.plot(best[x], best[y], color=COLORS[0], linewidth=1, alpha=0.5, zorder=2)
    others = []
    for kind, color, mark in (("front", COLORS[0], "o"), ("own", COLORS[1], "s"), ("nothing", INK, "D")):
        part = frame[frame["kind"] == kind]
        for _, row in part.iterrows():
            ax.plot([row[f"{x}_low"], row[f"{x}_high"]], [row[y]] * 2, color=color, linewidth=1.2, alpha=0.6, zorder=2)
            ax.plot([row[x]] * 2, [row[f"{y}_low"], row[f"{y}_high"]], color=color, linewidth=1.2, alpha=0.6, zorder=2)
        ax.plot(part[x], part[y], mark, color=color, markersize=7, markeredgecolor="white", zorder=3)
        if kind != "front":
            others.append((kind, part, color))
    _plain_axes(ax, lang)
    for name, axis in ((x, ax.xaxis), (y, ax.yaxis)):
        _in_unit(axis, frame[name], (measures or {}).get(name), about, lang)
    ax.margins(x=0.12)
    for kind, part, color in others:
        for _, row in part.iterrows():
            ax.annotate(text(f"optimise_plot.{kind}", lang), (row[x], row[y]), (7, 6), textcoords="offset points",
                        fontproperties=font(lang, 9, "bold"), color=color)  # fmt: skip
    said = labels or {}
    ax.set_xlabel(said.get(x, x), fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    ax.set_ylabel(said.get(y, y), fontproperties=font(lang, 9.5), color=MUTED, labelpad=10)
    _head(ax, text("optimise_plot.front_title", lang), text("optimise_plot.front_caption", lang), lang, mine, left=96)
    return ax


def gains(
    frame: pd.DataFrame,
    *,
    measure: str | None = None,
    about: About | None = None,
    ax: Axes | None = None,
    lang: str = "en",
) -> Axes:
    """Draw what the best plan gains over others, with 95 % intervals, and what the search had promised.

    Parameters
    ----------
    frame
        other, mean, low, high, promised (NaN where nothing was), objective.
    measure, about
        As for `churnsim.plots.tornado`.
    ax
        Where to draw; by default a figure of its own.
    lang
        ``en`` or ``zh``.
    """
    lang = usable_language(lang)
    mine = ax is None
    ax = new_axes(new_figure((8.4, 2.9))) if ax is None else ax
    for place, (_, row) in enumerate(frame.iterrows()):
        ax.plot([row["low"], row["high"]], [place] * 2, color=COLORS[0], linewidth=3, solid_capstyle="round", zorder=3)
        ax.plot(row["mean"], place, "o", color=COLORS[0], markersize=9, markeredgecolor="white", zorder=4)
        if np.isfinite(row["promised"]):
            ax.plot(row["promised"], place, "D", color="white", markeredgecolor=COLORS[1], markersize=8, zorder=4)
    ax.set_yticks(range(len(frame)), list(frame["other"]))
    ax.set_ylim(len(frame) - 0.4, -0.6)
    _plain_axes(ax, lang, ("x",))
    _in_unit(ax.xaxis, frame[["low", "high", "promised"]], measure, about, lang)
    ax.grid(visible=False, axis="y")
    ax.axvline(0, color=AXIS, linewidth=1, zorder=1)
    ax.set_xlabel(str(frame["objective"].iloc[0]), fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    wide = max(layout.extent(ax, str(word), font(lang, 9)) for word in frame["other"])
    _head(ax, text("optimise_plot.gain_title", lang), text("optimise_plot.gain_caption", lang), lang, mine,
          left=wide + 26)  # fmt: skip
    return ax


def tradeoff(frame: pd.DataFrame, base: float, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Draw coverage against density of every box that a scenario discovery looked at.

    Parameters
    ----------
    frame
        As ``Discovery.frame`` returns it: coverage, density, limits, chosen.
    base
        Density of all points together.
    ax
        Where to draw; by default a figure of its own.
    lang
        ``en`` or ``zh``.
    """
    lang = usable_language(lang)
    mine = ax is None
    ax = new_axes(new_figure((7.2, 4.8))) if ax is None else ax
    path, chosen = frame[~frame["chosen"]], frame[frame["chosen"]]
    # The last one was made by pasting, not by the next peel.
    ax.plot(path["coverage"][:-1], path["density"][:-1], color=COLORS[0], linewidth=1.2, zorder=2)
    ax.plot(path["coverage"], path["density"], "o", color=COLORS[0], markersize=4.5, zorder=3)
    ax.plot(chosen["coverage"], chosen["density"], "o", markersize=12, markerfacecolor="none",
            markeredgecolor=COLORS[1], markeredgewidth=2.4, zorder=4)  # fmt: skip
    ax.axhline(base, color=AXIS, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    ax.set_xlim(0, 1.03)
    ax.set_ylim(0, min(1.03, max(0.1, 1.15 * float(frame["density"].max()))))
    clean(ax, lang)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(100 * value)}\N{NO-BREAK SPACE}%"))
    ax.set_xlabel(text("optimise_plot.coverage", lang), fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    ax.set_ylabel(text("optimise_plot.density", lang), fontproperties=font(lang, 9.5), color=MUTED)
    _head(ax, text("optimise_plot.tradeoff_title", lang), text("optimise_plot.tradeoff_caption", lang), lang, mine,
          left=66)  # fmt: skip
    return ax


def box(
    points: pd.DataFrame,
    limits: Sequence[Any],
    labels: Mapping[str, str],
    *,
    ax: Axes | None = None,
    lang: str = "en",
) -> Axes:
    """Draw the two factors that limit a box most, every future as a dot, and the box.

    Parameters
    ----------
    points
        One column per factor, and ``worse``: the share of replications in which the plan is worse.
    limits
        Limits of the box (`churnsim.studies.discovery.Limit`); may be none.
    labels
        Of the factors.
    ax
        Where to draw; by default a figure of its own.
    lang
        ``en`` or ``zh``.
    """
    lang = usable_language(lang)
    mine = ax is None
    ax = new_axes(new_figure((7.6, 5.4))) if ax is None else ax
    numeric = [name for name in labels if pd.api.types.is_numeric_dtype(points[name])]
    ranked = sorted(
        (limit for limit in limits if limit.name in numeric), key=lambda limit: (limit.quasi_p, limit.name)
    )  # fmt: skip
    chosen = [limit.name for limit in ranked]
    x, y = [*chosen, *(name for name in numeric if name not in chosen)][:2]
    shown = ax.scatter(points[x], points[y], c=points["worse"], cmap="cividis_r", vmin=0, vmax=1, s=34,
                       edgecolors=MUTED, linewidths=0.6, zorder=3)  # fmt: skip
    clean(ax, lang)
    ends = {name: (float(points[name].min()), float(points[name].max())) for name in (x, y)}
    edges = {}
    for name in (x, y):
        one = next((limit for limit in ranked if limit.name == name), None)
        pad = 0.03 * (ends[name][1] - ends[name][0])
        edges[name] = (
            ends[name][0] - pad if one is None or one.low is None else one.low,
            ends[name][1] + pad if one is None or one.high is None else one.high,
        )
    if ranked:
        ax.add_patch(Rectangle((edges[x][0], edges[y][0]), edges[x][1] - edges[x][0], edges[y][1] - edges[y][0],
                               fill=False, edgecolor=COLORS[1], linewidth=2.2, zorder=4))  # fmt: skip
    ax.set_xlabel(labels[x], fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    ax.set_ylabel(labels[y], fontproperties=font(lang, 9.5), color=MUTED)
    bar = figure_of(ax).colorbar(shown, ax=ax, shrink=0.7, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(100 * value)}\N{NO-BREAK SPACE}%"))
    bar.ax.tick_params(colors=MUTED, length=0)
    for word in bar.ax.get_yticklabels():
        word.set_fontproperties(font(lang, 8.5))
    rest = len(ranked) - sum(name in (x, y) for name in chosen)
    more = text("optimise_plot.box_more", lang, n=rest) if rest > 0 else ""
    key = "optimise_plot.box_caption" if ranked else "optimise_plot.no_box_caption"
    _head(ax, text("optimise_plot.box_title", lang), text(key, lang) + more, lang, mine, left=70, beyond=40)
    return ax


def _plain_axes(ax: Axes, lang: str, names: Sequence[str] = ("x", "y")) -> None:
    """Give the named axes plain numbers with thin groups."""
    clean(ax, lang)
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    for name in names:
        axis = ax.xaxis if name == "x" else ax.yaxis
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(
            FuncFormatter(lambda value, _: number(value, 0 if abs(value) >= 10 or not value else 2))
        )
    ax.tick_params(colors=MUTED, color=NEUTRAL)


def _in_unit(axis: Axis, values: Any, measure: str | None, about: About | None, lang: str) -> None:
    """Write an axis in the unit of a measure, where it shows one."""
    if measure is not None:
        largest = float(np.nanmax(np.abs(np.asarray(values, dtype=np.float64))))
        axis.set_major_formatter(tick_writer(largest, axis, measure, about, lang))


def _head(ax: Axes, title: str, caption: str, lang: str, mine: bool, left: float, beyond: float = 0) -> None:
    """Write title and caption, and give the axes their room."""
    if mine:
        layout.margins(figure_of(ax), top=64, right=22, left=left, bottom=50)
    taken = layout.head(ax, title, caption, lang, beyond=beyond)
    if mine:
        layout.margins(figure_of(ax), top=taken + 12, right=22, left=left, bottom=50)

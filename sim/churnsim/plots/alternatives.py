"""Figures of alternatives: luck or strategy, who wins where, and which combinations are best."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from churnsim.i18n import number, percent, text
from churnsim.plots import layout
from churnsim.plots.fonts import usable_language
from churnsim.plots.indices import axis_words, end_words, finish_rows, rows_axes, tick_writer, writer
from churnsim.plots.style import AXIS, COLORS, INK, MUTED, NEUTRAL, About, clean, figure_of, font, new_axes, new_figure

PAIRED = 6
"""Alternatives up to which the replications are joined by lines: of more it is a thicket."""


def seed_spread(
    frame: pd.DataFrame,
    *,
    measure: str | None = None,
    about: About | None = None,
    ax: Axes | None = None,
    lang: str = "en",
) -> Axes:
    """Draw every replication of every alternative as a dot, with the median: how much is luck, how much the choice.

    Parameters
    ----------
    frame
        From `churnsim.studies.figure_frames.spread_frame`: alternative, replication, value, may_be_best, outcome;
        alternatives in the order to draw.
    measure, about
        As for `churnsim.plots.tornado`.
    ax
        Where to draw; by default a figure of its own.
    lang
        ``en`` or ``zh``.
    """
    lang = usable_language(lang)
    names = list(dict.fromkeys(frame["alternative"]))
    ax, own = rows_axes(ax, len(names))
    wide = frame.pivot(index="replication", columns="alternative", values="value")[names].dropna()
    # The same replication lies at the same height everywhere, so that its line is straight where luck is shared.
    rank = np.argsort(np.argsort(wide[names[0]].to_numpy()))
    height = 0.5 * (rank / max(len(wide) - 1, 1) - 0.5)
    if len(names) <= PAIRED:
        for values, shift in zip(wide.to_numpy(), height, strict=True):
            ax.plot(values, np.arange(len(names)) + shift, color=NEUTRAL, linewidth=0.5, alpha=0.6, zorder=1.5)
    write = writer(list(wide.to_numpy().ravel()), measure, about, lang)
    widest = 0.0
    best = frame.groupby("alternative", sort=False)["may_be_best"].first()
    for i, name in enumerate(names):
        color = COLORS[0] if best[name] else MUTED
        values = wide[name].to_numpy()
        ax.plot(values, i + height, "o", color=color, markersize=3.2, alpha=0.65, markeredgewidth=0, zorder=2)
        median = float(np.median(values))
        ax.plot([median, median], [i - 0.34, i + 0.34], color=INK, linewidth=2, zorder=3)
        ax.annotate(
            write(median), (1, i), (10, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
            fontproperties=font(lang, 9, "bold"), color=color, annotation_clip=False,
        )  # fmt: skip
        widest = max(widest, layout.extent(ax, write(median), font(lang, 9, "bold")))
    largest = float(np.abs(wide.to_numpy()).max())
    ax.xaxis.set_major_formatter(tick_writer(largest, ax.xaxis, measure, about, lang))
    title = text("plot.sensitivity.title.spread", lang, outcome=frame["outcome"].iloc[0])
    said = text("plot.sensitivity.spread", lang, runs=number(len(wide)))
    finish_rows(ax, own, names, {name for name in names if not best[name]}, title, said, lang, beside=widest + 22)
    return ax


def phase_map(frame: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Draw who wins over two factors; where that is not sure, the field is hatched.

    Parameters
    ----------
    frame
        From `churnsim.studies.figure_frames.phase_frame` or `churnsim.studies.published.figure_frame`: x, y, x_name,
        y_name, winner, sure, outcome; a title in ``title``, where it has one of its own.
    ax, lang
        As for `seed_spread`.
    """
    lang = usable_language(lang)
    own = ax is None
    ax = new_axes(new_figure((8.0, 6.0))) if ax is None else ax
    xs, ys = (list(dict.fromkeys(frame[axis].tolist())) for axis in ("x", "y"))
    if all(isinstance(v, (int, float)) for v in (*xs, *ys)):
        xs, ys = sorted(xs), sorted(ys)
    found = set(frame["winner"])
    known = list(frame["winner"].cat.categories) if hasattr(frame["winner"], "cat") else sorted(found)
    colors = {name: COLORS[i % len(COLORS)] for i, name in enumerate(known)}
    winners = [name for name in known if name in found]
    for row in frame.itertuples():
        place = (xs.index(row.x) - 0.5, ys.index(row.y) - 0.5)
        ax.add_patch(
            Rectangle(
                place, 1, 1, facecolor=colors[row.winner], alpha=0.75 if row.sure else 0.35, linewidth=0.8,
                edgecolor="white", hatch=None if row.sure else "///", zorder=2,
            )
        )  # fmt: skip
    ax.set_xlim(-0.5, len(xs) - 0.5)
    ax.set_ylim(-0.5, len(ys) - 0.5)
    told, told_y = (axis_words(frame, axis, lang) for axis in ("x", "y"))
    ax.set_xticks(range(len(xs)), labels=[told(value) for value in xs])
    ax.set_yticks(range(len(ys)), labels=[told_y(value) for value in ys])
    clean(ax, lang)
    ax.grid(visible=False)
    ax.set_xlabel(frame["x_name"].iloc[0], fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    ax.set_ylabel(frame["y_name"].iloc[0], fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    handles = [Patch(facecolor=colors[name], alpha=0.75, label=name) for name in winners]
    words = list(winners)
    if not frame["sure"].all():
        unsure = text("plot.sensitivity.unsure", lang)
        handles.append(Patch(facecolor="white", edgecolor=MUTED, hatch="///", label=unsure))
        words.append(unsure)
    legend = ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, prop=font(lang, 9), borderaxespad=0
    )
    room = max(layout.extent(ax, said, font(lang, 9)) for said in words) + 52
    legend.set_zorder(4)
    left = max(layout.extent(ax, told_y(value), font(lang, 9)) for value in ys) + 36
    if own:
        layout.margins(figure_of(ax), top=70, right=room, left=left, bottom=48)
    title = frame["title"].iloc[0] if "title" in frame else None
    title = title or text("plot.sensitivity.title.map", lang, outcome=frame["outcome"].iloc[0])
    share = text("plot.sensitivity.map", lang, share=percent(float(frame["sure"].mean())))
    taken = layout.head(ax, title, share, lang, beyond=room - 20 if own else 0)
    if own:
        layout.margins(figure_of(ax), top=taken + 10, right=room, left=left, bottom=48)
    return ax


def parallel_coordinates(frame: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Draw every design row as a line through its factors' values, the best tenth in colour.

    Parameters
    ----------
    frame
        From `churnsim.studies.figure_frames.lines_frame`: one column per factor, value, top, outcome.
    ax, lang
        As for `seed_spread`.
    """
    lang = usable_language(lang)
    factors = [name for name in frame.columns if name not in ("value", "top", "outcome")]
    own = ax is None
    ax = new_axes(new_figure((max(9.0, 1.0 * len(factors) + 2), 5.2))) if ax is None else ax
    axes = [*factors, "value"]
    scaled, ends = [], []
    for name in axes:
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column):
            levels = list(dict.fromkeys(column))
            column = column.map({level: i for i, level in enumerate(levels)})
            ends.append((str(levels[0]), str(levels[-1])))
        else:
            low, high = float(column.min()), float(column.max())
            write = writer([low, high])
            span = None if name == "value" else high - low
            ends.append((write(low), write(high)) if span is None else (end_words(low, span), end_words(high, span)))
        scaled.append(
            ((column - column.min()) / (float(column.max() - column.min()) or 1.0)).to_numpy(dtype=np.float64)
        )
    lines = np.stack(scaled, axis=1)
    where = np.arange(len(axes))
    top = frame["top"].to_numpy()
    for rows, color, alpha, width in ((~top, NEUTRAL, 0.35, 0.6), (top, COLORS[1], 0.75, 1.1)):
        for line in lines[rows]:
            ax.plot(where, line, color=color, alpha=alpha, linewidth=width, zorder=2 if color == NEUTRAL else 3)
    for x, (bottom_words, top_words) in enumerate(ends):
        ax.axvline(x, color=AXIS, linewidth=0.9, zorder=3.5)
        for y, words, shift, align in ((0, bottom_words, -4, "top"), (1, top_words, 4, "bottom")):
            ax.annotate(words, (x, y), (0, shift), textcoords="offset points", ha="center", va=align,
                        fontproperties=font(lang, 8.5), color=MUTED, zorder=4, annotation_clip=False)  # fmt: skip
    ax.set_xlim(-0.35, len(axes) - 0.65)
    ax.set_ylim(-0.08, 1.08)
    clean(ax, lang)
    ax.grid(visible=False)
    ax.set_yticks([])
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    outcome = str(frame["outcome"].iloc[0])
    names = [*factors, outcome]
    slanted = max(layout.extent(ax, name, font(lang, 9)) for name in names) > 620 / len(names)
    ax.set_xticks(where, labels=names, rotation=25 if slanted else 0, ha="right" if slanted else "center")
    for label, name in zip(ax.get_xticklabels(), names, strict=True):
        label.set_fontproperties(font(lang, 9, "bold" if name == outcome else "normal"))
        label.set_color(INK)
    ax.spines["bottom"].set_visible(False)
    longest = max(layout.extent(ax, name, font(lang, 9)) for name in names)
    first = layout.extent(ax, names[0], font(lang, 9))
    bottom, left = (0.46 * longest + 26, max(30.0, 0.91 * first - 12)) if slanted else (34, first / 2 + 8)
    if own:
        layout.margins(figure_of(ax), top=70, right=40, left=left, bottom=bottom)
    title = text("plot.sensitivity.title.parallel", lang, outcome=outcome)
    said = text("plot.sensitivity.parallel", lang, rows=number(len(frame)), top=number(int(top.sum())))
    taken = layout.head(ax, title, said, lang)
    if own:
        layout.margins(figure_of(ax), top=taken + 10, right=40, left=left, bottom=bottom)
    return ax

"""How an outcome answers to a factor: lines with their intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from churnsim.i18n import number, text
from churnsim.plots import layout
from churnsim.plots.fonts import usable_language
from churnsim.plots.indices import axis_words, tick_writer
from churnsim.plots.style import AXIS, COLORS, DASHES, MUTED, About, clean, figure_of, font, new_axes


def response(frame: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Draw an outcome along a factor, a line per alternative, with the 95 % interval of its mean.

    Parameters
    ----------
    frame
        From `churnsim.studies.published.figure_frame`: x, series, mean, low, high, x_name, series_name, outcome, runs;
        units of the factors (x_unit, series_unit), measure and currency, where they are known.
    ax
        Where to draw; by default a figure of its own.
    lang
        ``en`` or ``zh``.
    """
    lang = usable_language(lang)
    own = ax is None
    ax = new_axes() if ax is None else ax
    xs = list(dict.fromkeys(frame["x"].tolist()))
    numeric = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in xs)
    places = {x: x if numeric else i for i, x in enumerate(sorted(xs) if numeric else xs)}
    several = frame["series"].nunique() > 1
    told, told_series = (axis_words(frame, axis, lang) for axis in ("x", "series"))
    labels = []
    for i, (name, line) in enumerate(frame.groupby("series", sort=False, observed=True)):
        color, dash = COLORS[i % len(COLORS)], DASHES[i % len(DASHES)]
        at = np.array([places[x] for x in line["x"]], dtype=np.float64)
        order = np.argsort(at)
        ax.fill_between(at[order], line["low"].to_numpy()[order], line["high"].to_numpy()[order], color=color,
                        alpha=0.15, linewidth=0, zorder=2)  # fmt: skip
        means = line["mean"].to_numpy()[order]
        ax.plot(at[order], means, color=color, linestyle=dash, linewidth=2, marker="o", markersize=4, zorder=3)
        if several:
            prefix = f"{frame['series_name'].iloc[0]} " if frame["series_name"].iloc[0] else ""
            labels.append(layout.EndLabel(float(means[-1]), f"{prefix}{told_series(name)}", color))
    low, high = float(frame["low"].min()), float(frame["high"].max())
    if low < 0 < high:
        ax.axhline(0, color=AXIS, linewidth=0.8, zorder=1)
    ax.margins(x=0.02, y=0.08)
    ax.set_xticks(list(places.values()), labels=[told(x) for x in places])
    measure, currency = (str(frame[name].iloc[0]) if name in frame else "" for name in ("measure", "currency"))
    ax.yaxis.set_major_formatter(
        tick_writer(max(abs(low), abs(high)), ax.yaxis, measure, About(currency=currency), lang)
    )
    clean(ax, lang)
    ax.set_xlabel(frame["x_name"].iloc[0], fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    left = layout.tick_room(ax, lang)
    right = layout.label_room(ax, labels, lang) + 6 if labels else 18
    if own:
        layout.margins(figure_of(ax), top=80, right=right, left=left)
    caption = text("plot.response.band", lang, runs=number(int(frame["runs"].iloc[0])))
    taken = layout.head(ax, frame["outcome"].iloc[0], caption, lang, beyond=right - 10 if own else 0)
    if own:
        layout.margins(figure_of(ax), top=taken + 10, right=right, left=left)
    if labels:
        layout.end_labels(ax, labels, lang)
    _thin(ax, lang)
    return ax


def _thin(ax: Axes, lang: str) -> None:
    """Leave out the words of levels that would lie on those of the level before; the last level keeps its own."""
    box, (first, last) = ax.get_window_extent(), ax.get_xlim()
    points = box.width * 72 / figure_of(ax).dpi / (last - first)
    places, words = ax.get_xticks(), [label.get_text() for label in ax.get_xticklabels()]
    half = [layout.extent(ax, said, font(lang, 9)) / 2 + 2 for said in words]
    free, kept = np.inf, list(words)
    for k in sorted(range(len(words)), key=lambda k: -places[k]):
        at = places[k] * points
        if at + half[k] > free:
            kept[k] = ""
        else:
            free = at - half[k]
    ax.set_xticks(places, labels=kept)

"""Lines over time with their spread over runs: one measure per firm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from churnsim.i18n import text
from churnsim.plots import layout
from churnsim.plots.fonts import usable_language
from churnsim.plots.style import (
    COLORS,
    DASHES,
    About,
    clean,
    figure_of,
    measure_of,
    new_axes,
    new_figure,
    tick_axis,
    unit,
    value_axis,
    written,
)

Center = Literal["median", "mean"]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SMALL = 9.0
"""Size of the names at line ends where there are several panels."""

BURN_IN_SHOWN = 12
"""Ticks of burn-in that figures show, so that the start can be seen to be level."""


def fan(
    frame: pd.DataFrame,
    measure: str = "share",
    *,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
    burn_in: int = BURN_IN_SHOWN,
    center: Center = "median",
) -> Axes:
    """Draw a measure of every firm over time: its middle, 50 % band and 90 % band of the runs.

    Parameters
    ----------
    frame
        Rows of ``Result.ticks`` of one scenario: seed, tick, firm, and `measure`.
    measure
        Name of a firm measure.
    ax
        Where to draw; by default a figure of its own.
    lang
        ``en`` or ``zh``.
    about
        Display names, units and flags.
    burn_in
        Ticks of burn-in to show.
    center
        What the line is: the runs' ``median``, or their ``mean``, where a table of means stands beside the figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    lang, about = usable_language(lang), about or About()
    what, scenario = measure_of(measure), only_scenario(frame)
    own = ax is None
    ax = new_axes() if ax is None else ax
    labels = _draw(ax, frame, measure, about, lang, burn_in, center)
    value_axis(ax, what, about, lang)
    clean(ax, lang)
    left, right = layout.tick_room(ax, lang), layout.label_room(ax, labels, lang) + 6
    if own:
        layout.margins(figure_of(ax), top=80, right=right, left=left)
    marks = [(tick, words[lang]) for tick, words in about.flags.get(scenario, ())]
    taken = layout.flags(ax, marks, lang)
    beyond = right - 10 if own else 0
    taken = layout.head(
        ax, title(measure, about, lang), caption(frame, about, lang, center), lang, above=taken, beyond=beyond
    )  # fmt: skip
    if own:
        layout.margins(figure_of(ax), top=taken + 10, right=right, left=left)
    layout.end_labels(ax, labels, lang)
    return ax


def panels(
    frame: pd.DataFrame,
    measures: Sequence[str],
    *,
    lang: str = "en",
    about: About | None = None,
    burn_in: int = BURN_IN_SHOWN,
) -> tuple[Axes, ...]:
    """Draw several measures of one scenario side by side in a new figure, each as `fan` does."""
    lang, about = usable_language(lang), about or About()
    figure = new_figure((4.8 * len(measures) + 0.4, 4.6))
    axes = [new_axes(figure, (1, len(measures), i + 1)) for i in range(len(measures))]
    labels = []
    for ax, measure in zip(axes, measures, strict=True):
        labels.append(_draw(ax, frame, measure, about, lang, burn_in))
        value_axis(ax, measure_of(measure), about, lang)
        clean(ax, lang)
    room = max(layout.label_room(ax, names, lang, SMALL) for ax, names in zip(axes, labels, strict=True))
    left = max(layout.tick_room(ax, lang) for ax in axes)
    whole = text("plot.and", lang).join(measure_of(measure).label[lang] for measure in measures)
    above = layout.figure_head(figure, whole, caption(frame, about, lang), lang)
    layout.margins(figure, top=above + 40, right=room + 6, left=left, between=room + left)
    heads = [
        layout.head(ax, title(measure, about, lang), "", lang, size=11, beyond=room)
        for ax, measure in zip(axes, measures, strict=True)
    ]
    layout.margins(figure, top=above + max(heads) + 8, right=room + 6, left=left, between=room + left)
    for ax, names in zip(axes, labels, strict=True):
        layout.end_labels(ax, names, lang, SMALL)
    return tuple(axes)


def compare(
    frame: pd.DataFrame,
    measure: str = "share",
    *,
    lang: str = "en",
    about: About | None = None,
    burn_in: int = BURN_IN_SHOWN,
    center: Center = "median",
    columns: int = 3,
) -> tuple[Axes, ...]:
    """Draw a measure in every scenario of the frame, side by side on the same scale.

    Parameters are those of `fan`; the figure is always a new one, with up to `columns` panels in a row: three for a
    screen, two where it must be read on paper.
    """
    lang, about = usable_language(lang), about or About()
    names = [name for name in frame["scenario"].cat.categories if (frame["scenario"] == name).any()]
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure((max(9.0, 4.1 * columns), 1.1 + 2.9 * rows))
    axes: list[Axes] = []
    for i in range(len(names)):
        shared = {"sharex": axes[0], "sharey": axes[0]} if axes else {}
        axes.append(new_axes(figure, (rows, columns, i + 1), **shared))
    labels = [
        _draw(ax, frame[frame["scenario"] == name], measure, about, lang, burn_in, center)
        for name, ax in zip(names, axes, strict=True)
    ]
    # Only now: the panels share one scale, which must span them all.
    for ax in axes:
        value_axis(ax, measure_of(measure), about, lang)
        clean(ax, lang)
    room = max(layout.label_room(ax, ends, lang, SMALL) for ax, ends in zip(axes, labels, strict=True))
    above = layout.figure_head(figure, title(measure, about, lang), spread(frame, lang, center), lang)
    left = layout.tick_room(axes[0], lang)
    layout.margins(figure, top=above + 40, right=room + 6, left=left, between=room + left, rows=76)
    heads = [
        layout.head(ax, about.scenario(name, lang), "", lang, size=10, beyond=room - 8)
        for name, ax in zip(names, axes, strict=True)
    ]
    layout.margins(
        figure, top=above + max(heads) + 8, right=room + 6, left=left, between=room + left, rows=max(heads) + 34
    )
    for i, (ax, ends) in enumerate(zip(axes, labels, strict=True)):
        if i + columns < len(names):
            ax.set_xlabel("")
        layout.end_labels(ax, ends, lang, SMALL)
    return tuple(axes)


def title(measure: str, about: About, lang: str) -> str:
    """Return what a figure of a measure shows, with its unit."""
    what = measure_of(measure)
    return text("plot.title", lang, measure=what.label[lang], unit=unit(what, about, lang))


def caption(frame: pd.DataFrame, about: About, lang: str, center: Center = "median") -> str:
    """Return the scenario's name and what line and bands are."""
    return f"{about.scenario(only_scenario(frame), lang)} \N{MIDDLE DOT} {spread(frame, lang, center)}"


def spread(frame: pd.DataFrame, lang: str, center: Center = "median") -> str:
    """Return what line and bands are."""
    runs = frame["seed"].nunique()
    if runs == 1:
        return text("plot.one_run", lang)
    return text("plot.band" if center == "median" else "plot.band_mean", lang, runs=runs)


def only_scenario(frame: pd.DataFrame) -> str:
    """Return the frame's scenario, of which there must be one."""
    names = frame["scenario"].unique()
    if len(names) != 1:
        raise ValueError(f"one scenario at a time; the table has {len(names)}: {', '.join(map(str, names))}")
    return str(names[0])


def firms_of(frame: pd.DataFrame) -> list[str]:
    """Return the firms in the scenario's order."""
    present = set(frame["firm"].unique())
    return [firm for firm in frame["firm"].cat.categories if firm in present]


def quantiles(frame: pd.DataFrame, measure: str, center: Center = "median") -> pd.DataFrame:
    """Return the `QUANTILES` of a measure over seeds and its ``middle``: one row per tick, of one firm."""
    wide = frame.pivot(index="tick", columns="seed", values=measure).sort_index()
    values = wide.to_numpy()
    known = ~np.isnan(values).all(axis=1)
    out = np.full((len(QUANTILES), len(wide)), np.nan)
    if known.any():
        out[:, known] = np.nanquantile(values[known], QUANTILES, axis=1)
    bands = pd.DataFrame(out.T, index=wide.index, columns=list(QUANTILES))
    bands["middle"] = bands[0.5] if center == "median" else wide.mean(axis=1)
    return bands


def _draw(
    ax: Axes, frame: pd.DataFrame, measure: str, about: About, lang: str, burn_in: int, center: Center = "median"
) -> list[layout.EndLabel]:
    """Draw every firm's fan and the time axis; return the names for the line ends."""
    first = max(int(frame["tick"].min()), 0 if measure == "cumulative_profit" else -burn_in)
    frame = frame[frame["tick"] >= first]
    write = written(measure_of(measure), about, lang)
    labels = []
    for firm in firms_of(frame):
        # A firm keeps its colour where another one is absent.
        number = frame["firm"].cat.categories.get_loc(firm)
        bands = quantiles(frame[frame["firm"] == firm], measure, center)
        color, dash = COLORS[number % len(COLORS)], DASHES[number % len(DASHES)]
        if frame["seed"].nunique() > 1:
            ax.fill_between(bands.index, bands[0.05], bands[0.95], color=color, alpha=0.13, linewidth=0, zorder=2)
            ax.fill_between(bands.index, bands[0.25], bands[0.75], color=color, alpha=0.22, linewidth=0, zorder=2.1)
        ax.plot(bands.index, bands["middle"], color=color, linestyle=dash, linewidth=2, zorder=3)
        known = bands["middle"].dropna()
        if len(known):
            end = float(known.iloc[-1])
            labels.append(layout.EndLabel(end, f"{about.firm(firm, lang)}  {write(end)}", color))
    tick_axis(ax, first, int(frame["tick"].max()), about, lang)
    return labels

"""Figures of sensitivity: which factors matter, how sure that is, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from churnsim.dealing_measures import PER_FIRM
from churnsim.i18n import has_text, money, money_digits, number, percent, text
from churnsim.plots import layout
from churnsim.plots.fonts import usable_language
from churnsim.plots.style import (
    AXIS,
    COLORS,
    DASHES,
    GRID,
    INK,
    MUTED,
    NEUTRAL,
    About,
    clean,
    figure_of,
    font,
    money_ticks,
    new_axes,
    new_figure,
)

WITH_INDICES = ("sobol", "fast", "rbd_fast")
"""Methods whose indices are shares of a variance, and can be followed over time."""

SHOWN = 6
"""Factors with a colour of their own; the others are grey."""

ROW = 0.46
"""Height of a factor's row, inches."""

LIGHT = "#9CC9E6"
"""A lighter blue, for what is counted together with others."""


def index_bars(frame: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Draw indices as bars with their intervals, a row per factor, and the share of luck below.

    Parameters
    ----------
    frame
        From `churnsim.studies.figure_frames.sensitivity_frame`: factor, index, value, low, high, inert, outcome,
        method, runs, confidence, noise_share; factors in the order to draw.
    ax
        Where to draw; by default a figure of its own.
    lang
        ``en`` or ``zh``.
    """
    lang = usable_language(lang)
    factors, indices = list(dict.fromkeys(frame["factor"])), list(dict.fromkeys(frame["index"]))
    method, share = frame["method"].iloc[0], float(frame["noise_share"].iloc[0])
    shows_luck = method == "sobol" and np.isfinite(share)
    ax, own = rows_axes(ax, len(factors) + shows_luck)
    height = 0.72 / len(indices)
    colors = [COLORS[0]] if len(indices) == 1 else [COLORS[0], LIGHT]
    for i, factor in enumerate(factors):
        for k, index in enumerate(indices):
            row = frame[(frame["factor"] == factor) & (frame["index"] == index)].iloc[0]
            y = i - 0.36 + height * (k + 0.5)
            color = NEUTRAL if row["inert"] else colors[k]
            ax.barh(y, max(row["value"], 0.0), height * 0.92, color=color, zorder=2)
            _whisker(ax, y, row["low"], row["high"])
            _beside(ax, max(row["value"], row["high"] if np.isfinite(row["high"]) else 0.0, 0.0), y,
                    f"{_words(index, lang)} {number(row['value'], 2)}", lang)  # fmt: skip
    names = [*factors, text("plot.sensitivity.luck", lang)] if shows_luck else factors
    if shows_luck:
        ax.barh(
            len(factors), max(share, 0.0), 0.5, color="white", edgecolor=MUTED, hatch="////", linewidth=0.8, zorder=2
        )
        _beside(
            ax, max(share, 0.0), len(factors), text("plot.sensitivity.luck_share", lang, share=percent(share)), lang
        )
        ax.axhline(len(factors) - 0.5, color=AXIS, linewidth=0.8)
    low = float(np.nanmin(np.append(frame["low"], 0.0)))
    high = float(np.nanmax([*frame["value"], *frame["high"].dropna(), share if shows_luck else 0.0]))
    ax.set_xlim(min(low, 0.0) * 1.05, high * 1.02 + 0.02)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 1 if high > 0.4 else 2)))
    finish_rows(ax, own, names, _muted(frame, factors), _title(frame, lang), _caption(frame, lang), lang, beside=92)
    return ax


def tornado(
    frame: pd.DataFrame,
    *,
    measure: str | None = None,
    about: About | None = None,
    ax: Axes | None = None,
    lang: str = "en",
) -> Axes:
    """Draw how far the outcome swings between either end of every factor, the widest on top.

    Parameters
    ----------
    frame
        From `churnsim.studies.figure_frames.sensitivity_frame`: factor, at_low, at_high, end_low, end_high, mean,
        swing, low, high, inert, outcome, runs, confidence.
    measure
        Firm measure that the outcome, or a difference of it, is: shares are written in per cent, money in its currency.
    about
        Currency.
    ax, lang
        As for `index_bars`.
    """
    lang = usable_language(lang)
    factors = list(frame["factor"])
    ax, own = rows_axes(ax, len(factors))
    mean = float(frame["mean"].iloc[0])
    write = writer([*frame["at_low"], *frame["at_high"]], measure, about, lang)
    widest = 0.0
    for i, row in enumerate(frame.itertuples()):
        for at, color in ((row.at_low, COLORS[0]), (row.at_high, COLORS[1])):
            ax.barh(i, at - mean, 0.62, left=mean, color=NEUTRAL if row.inert else color, zorder=2)
        ends = sorted([(row.at_low, 0, row.end_low), (row.at_high, 1, row.end_high)], key=lambda end: end[:2])
        for (at, _, end), shift, align in zip(ends, (-4, 4), ("right", "left"), strict=True):
            # Both ends may lie on one side of the mean: the nearer one is then written beyond the mean.
            place = min(at, mean) if shift < 0 else max(at, mean)
            ax.annotate(
                end_words(end), (place, i), (shift, 0), textcoords="offset points", va="center", ha=align,
                fontproperties=font(lang, 9), color=MUTED, zorder=4,
            )  # fmt: skip
        if np.isfinite(row.low):
            said = f"{write(row.swing)} [{write(row.low)}, {write(row.high)}]"
        else:
            said = write(row.swing)
        ax.annotate(
            said, (1, i), (10, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
            fontproperties=font(lang, 9), color=INK, annotation_clip=False,
        )  # fmt: skip
        widest = max(widest, layout.extent(ax, said, font(lang, 9)))
    ax.axvline(mean, color=INK, linewidth=0.9, zorder=3)
    low, high = frame[["at_low", "at_high"]].min().min(), frame[["at_low", "at_high"]].max().max()
    # Room for the ends' names on either side.
    room = 0.16 * (high - low or 1.0)
    ax.set_xlim(low - room, high + room)
    ax.xaxis.set_major_formatter(tick_writer(max(abs(low), abs(high)), ax.xaxis, measure, about, lang))
    title = text("plot.sensitivity.title.swings", lang, outcome=frame["outcome"].iloc[0])
    finish_rows(ax, own, factors, _muted(frame, factors), title, _caption(frame, lang, ends=True), lang,
                beside=widest + 20)  # fmt: skip
    return ax


NAMED = 8
"""Dots of Morris' plane with a name: of many factors, those with the largest effects."""


def morris_plane(
    frame: pd.DataFrame,
    *,
    measure: str | None = None,
    about: About | None = None,
    ax: Axes | None = None,
    lang: str = "en",
) -> Axes:
    """Draw Morris' plane: mean absolute effect against spread of the effects, with what luck alone would give.

    Parameters
    ----------
    frame
        From `churnsim.studies.figure_frames.sensitivity_frame`: factor, mu_star, low, high, sigma, noise_floor, inert,
        outcome, runs, confidence.
    measure, about
        As for `tornado`.
    ax, lang
        As for `index_bars`.
    """
    lang = usable_language(lang)
    own = ax is None
    ax = new_axes(new_figure((8.2, 5.4))) if ax is None else ax
    right = float(np.nanmax(frame["high"])) * 1.18 or 1.0
    top = float(np.nanmax([*frame["sigma"].fillna(0), 0.2 * right])) * 1.15
    ax.set_xlim(0, right)
    ax.set_ylim(0, top)
    if own:
        layout.margins(figure_of(ax), top=70, right=24, left=64, bottom=50)
    floor = float(frame["noise_floor"].max())
    if floor > 1e-9 * right:
        ax.axvspan(0, floor, color=GRID, alpha=0.7, linewidth=0, zorder=0.5)
        ax.annotate(
            text("plot.sensitivity.floor", lang), (floor, 1), (4, -4), xycoords=("data", "axes fraction"),
            textcoords="offset points", va="top", fontproperties=font(lang, 9), color=MUTED,
        )  # fmt: skip
    ax.plot([0, max(right, top)], [0, max(right, top)], color=AXIS, linewidth=0.8, linestyle=layout.DOTTED, zorder=1)
    named = set(frame["factor"]) if len(frame) <= NAMED else set(frame.nlargest(NAMED, "mu_star")["factor"])
    taken: list[tuple[float, float]] = []
    per_x, per_y = layout.width_of(ax) / right, layout.height_of(ax) / top
    for row in frame.itertuples():
        sigma = 0.0 if np.isnan(row.sigma) else row.sigma
        ax.plot([row.low, row.high], [sigma, sigma], color=NEUTRAL if row.inert else COLORS[0], linewidth=1.2, zorder=2)
        ax.plot(
            row.mu_star, sigma, "o", markersize=7, zorder=3, color="white" if row.inert else COLORS[0],
            markeredgecolor=MUTED if row.inert else COLORS[0], clip_on=False,
        )  # fmt: skip
        if row.factor not in named:
            continue
        x, y = row.mu_star * per_x, sigma * per_y + 10
        while any(abs(x - a) < 120 and abs(y - b) < 12 for a, b in taken):
            y += 12
        taken.append((x, y))
        ax.annotate(
            row.factor, (row.mu_star, sigma), (0, y - sigma * per_y), textcoords="offset points", va="center",
            ha="left" if x < 60 else "right" if x > layout.width_of(ax) - 90 else "center",
            fontproperties=font(lang, 9), color=MUTED if row.inert else INK, zorder=4,
            # A name that had to give way is tied to its dot.
            arrowprops={"arrowstyle": "-", "color": AXIS, "linewidth": 0.7, "shrinkB": 4}
            if y > sigma * per_y + 10 else None,
        )  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(tick_writer(max(right, top), axis, measure, about, lang))
    clean(ax, lang)
    ax.set_xlabel(text("plot.sensitivity.mu_star", lang), fontproperties=font(lang, 9.5), color=MUTED)
    ax.set_ylabel(text("plot.sensitivity.sigma", lang), fontproperties=font(lang, 9.5), color=MUTED)
    taken_above = layout.head(ax, _title(frame, lang), _caption(frame, lang), lang)
    if own:
        layout.margins(figure_of(ax), top=taken_above + 10, right=24, left=layout.tick_room(ax, lang) + 22, bottom=50)
    return ax


def index_convergence(frame: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Draw how total indices settle as the number of samples doubles.

    Parameters
    ----------
    frame
        From `churnsim.studies.sobol.convergence`, with a column ``outcome``.
    ax, lang
        As for `index_bars`.
    """
    lang = usable_language(lang)
    total = frame[frame["index"] == "ST"]
    counts = sorted(total["blocks"].unique())
    own = ax is None
    ax = new_axes() if ax is None else ax
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(counts))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    title = text("plot.sensitivity.title.convergence", lang, outcome=frame["outcome"].iloc[0])
    label = text("plot.sensitivity.blocks", lang)
    _lines(ax, own, total, "blocks", title, text("plot.sensitivity.converging", lang), label, lang)
    return ax


def indices_over_time(frame: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en") -> Axes:
    """Draw how the leading index of every factor changes from tick to tick.

    Parameters
    ----------
    frame
        From `churnsim.studies.sensitivity.Analysis.over_time`, with a column ``measure``.
    ax, lang
        As for `index_bars`.
    """
    lang = usable_language(lang)
    index = "ST" if (frame["index"] == "ST").any() else "S1"
    rows = frame[frame["index"] == index]
    own = ax is None
    ax = new_axes() if ax is None else ax
    ax.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    title = text("plot.sensitivity.title.over_time", lang, outcome=frame["measure"].iloc[0], index=_words(index, lang))
    _lines(ax, own, rows, "tick", title, text("plot.sensitivity.band", lang), text("plot.sensitivity.tick", lang), lang)
    return ax


def _lines(
    ax: Axes, own: bool, rows: pd.DataFrame, along: str, title: str, caption: str, label: str, lang: str
) -> None:
    """Draw an index per factor along an axis, with its interval; the most important factors in colour."""
    last = rows.groupby("factor", sort=False)["value"].max().sort_values(ascending=False)
    labels = []
    for rank, factor in enumerate(last.index):
        line = rows[rows["factor"] == factor].sort_values(along)
        color, dash = (COLORS[rank], DASHES[rank]) if rank < SHOWN else (NEUTRAL, "-")
        if rank < SHOWN:
            ax.fill_between(line[along], line["low"], line["high"], color=color, alpha=0.13, linewidth=0, zorder=2)
            labels.append(layout.EndLabel(float(line["value"].iloc[-1]), factor, color))
        ax.plot(line[along], line["value"], color=color, linestyle=dash, linewidth=2 if rank < SHOWN else 1, zorder=3,
                marker="o", markersize=3.5)  # fmt: skip
    first, end = rows[along].min(), rows[along].max()
    pad = 0.02 * (end - first) if ax.get_xscale() == "linear" else 0.0
    ax.set_xlim(first - pad, end + pad) if first < end else None
    low = min(0.0, float(rows[rows["factor"].isin(last.index[:SHOWN])]["low"].min()))
    high = float(rows[rows["factor"].isin(last.index[:SHOWN])][["value", "high"]].max().max())
    ax.set_ylim(max(low, -0.3) * 1.05, min(high, 1.6) * 1.05 or 1.0)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 1 if high > 0.5 else 2)))
    ax.axhline(0, color=AXIS, linewidth=0.8, zorder=1)
    clean(ax, lang)
    ax.set_xlabel(label, fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    left, right = layout.tick_room(ax, lang), layout.label_room(ax, labels, lang) + 6
    if own:
        layout.margins(figure_of(ax), top=80, right=right, left=left)
    taken = layout.head(ax, title, caption, lang, beyond=right - 10 if own else 0)
    if own:
        layout.margins(figure_of(ax), top=taken + 10, right=right, left=left)
    layout.end_labels(ax, labels, lang)


def rows_axes(ax: Axes | None, rows: int) -> tuple[Axes, bool]:
    """Return axes for so many rows, the first on top, and whether they have a figure of their own."""
    own = ax is None
    ax = new_axes(new_figure((9.0, 1.7 + ROW * max(rows, 3)))) if ax is None else ax
    ax.set_ylim(rows - 0.5, -0.5)
    return ax, own


def finish_rows(
    ax: Axes, own: bool, names: Sequence[str], muted: set[str], title: str, caption: str, lang: str, *, beside: float
) -> None:
    """Write names of rows, title and caption; `beside` points are kept free on the right."""
    clean(ax, lang)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
    ax.set_yticks(range(len(names)), labels=list(names))
    for label, name in zip(ax.get_yticklabels(), names, strict=True):
        label.set_fontproperties(font(lang, 9.5))
        label.set_color(MUTED if name in muted else INK)
    left = max(layout.extent(ax, name, font(lang, 9.5)) for name in names) + 26
    if own:
        layout.margins(figure_of(ax), top=70, right=beside, left=left, bottom=34)
    taken = layout.head(ax, title, caption, lang, beyond=beside - 12 if own else 0)
    if own:
        layout.margins(figure_of(ax), top=taken + 10, right=beside, left=left, bottom=34)


def _whisker(ax: Axes, y: float, low: float, high: float) -> None:
    """Draw an interval."""
    if np.isfinite(low) and np.isfinite(high):
        ax.plot([low, high], [y, y], color=INK, linewidth=1.1, zorder=3, solid_capstyle="butt")


def _beside(ax: Axes, x: float, y: float, words: str, lang: str) -> None:
    """Write a value behind its bar."""
    ax.annotate(
        words, (x, y), (5, 0), textcoords="offset points", va="center", fontproperties=font(lang, 9), color=MUTED,
        annotation_clip=False,
    )  # fmt: skip


def _muted(frame: pd.DataFrame, factors: Sequence[str]) -> set[str]:
    """Return the factors that cannot be told from zero."""
    inert = frame.groupby("factor", sort=False)["inert"].first()
    return {factor for factor in factors if inert[factor]}


def _words(index: str, lang: str) -> str:
    """Return how an index is called in a figure."""
    key = f"plot.sensitivity.index.{index}"
    return text(key, lang) if has_text(key) else index


def _title(frame: pd.DataFrame, lang: str) -> str:
    """Return what a figure of a method answers."""
    return text(f"plot.sensitivity.title.{frame['method'].iloc[0]}", lang, outcome=frame["outcome"].iloc[0])


def _caption(frame: pd.DataFrame, lang: str, *, ends: bool = False) -> str:
    """Return what intervals, grey and ends are."""
    said = text(
        "plot.sensitivity.ends" if ends else "plot.sensitivity.caption", lang,
        runs=number(frame["runs"].iloc[0]), confidence=percent(float(frame["confidence"].iloc[0])),
    )  # fmt: skip
    parts = [said]
    if frame["method"].iloc[0] == "sobol":
        parts.append(text("plot.sensitivity.shares", lang))
    if frame["inert"].any():
        parts.append(text("plot.sensitivity.grey", lang))
    return f" {chr(0xB7)} ".join(parts)


def writer(
    values: Sequence[float], measure: str | None = None, about: About | None = None, lang: str = "en"
) -> Callable[[float], str]:
    """Return how numbers of this size are written: three figures of the largest, and thousands and millions short.

    Those of a `measure` have its unit: money its currency, shares per cent.
    """
    largest = max((abs(v) for v in values if np.isfinite(v)), default=1.0)
    what = PER_FIRM.get(measure or "")
    if what is not None and what.unit.startswith("currency"):
        currency, digits = (about or About()).currency, money_digits(largest, lang)
        return lambda value: money(value, currency, lang, digits, like=largest)
    if what is not None and what.is_rate:
        return lambda value: percent(value, 1)
    size, unit = _size(largest)
    digits = int(np.clip(2 - np.floor(np.log10(largest / size or 1.0)), 0, 6))
    return lambda value: number(value / size, digits) + unit


def tick_writer(
    largest: float, axis: Axis | None = None, measure: str | None = None, about: About | None = None, lang: str = "en"
) -> FuncFormatter:
    """Return how the ticks of an axis up to some value are written: with as many digits as each needs."""
    what = PER_FIRM.get(measure or "")
    if axis is not None and what is not None and what.unit.startswith("currency"):
        return money_ticks(axis, (about or About()).currency, lang)
    size, unit = (0.01, "\N{NO-BREAK SPACE}%") if what is not None and what.is_rate else _size(largest)

    def write(value: float, _: int | None) -> str:
        scaled = value / size
        digits = next(
            d for d in range(7) if d == 6 or abs(scaled - round(scaled, d)) < 1e-9 * max(largest / size, 1e-3)
        )
        return number(scaled, digits) + (unit if scaled else "")

    return FuncFormatter(write)


def _size(largest: float) -> tuple[float, str]:
    """Return the unit in which numbers up to some size are written."""
    return next(((size, unit) for size, unit in ((1e6, "M"), (1e3, "k")) if largest >= 10 * size), (1.0, ""))


def axis_words(frame: pd.DataFrame, axis: str, lang: str) -> Callable[[object], str]:
    """Return how the values of a factor are written: with its unit, where a column ``x_unit`` says which it is."""
    unit, currency = (str(frame[name].iloc[0]) if name in frame else "" for name in (f"{axis}_unit", "currency"))
    return lambda value: end_words(value, unit=unit, currency=currency, lang=lang)


def end_words(value: object, span: float | None = None, unit: str = "", currency: str = "CNY", lang: str = "en") -> str:
    """Write a factor's value: numbers with three figures, or with as many as its whole span needs.

    A share of something is written in per cent, an amount with its currency.
    """
    if not isinstance(value, (int, float, np.number)) or isinstance(value, bool):
        return str(value)
    if unit.startswith("share"):
        return f"{end_words(100 * float(value))}\N{NO-BREAK SPACE}%"
    if unit.startswith("currency"):
        digits = len(end_words(abs(float(value))).partition(".")[2])
        return money(float(value), currency, lang, digits, like=1.0)
    size = abs(float(value)) if span is None else span
    digits = int(np.clip(2 - np.floor(np.log10(size)), 0, 6)) if size else 0
    whole, point, rest = number(float(value), digits).partition(".")
    return whole + (point + rest).rstrip("0").rstrip(".")

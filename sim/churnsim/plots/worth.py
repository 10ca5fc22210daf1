"""What customers are worth: how it is spread, what the best bring, and the value matrix."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from churnsim.i18n import money, number, percent, text
from churnsim.plots import layout
from churnsim.plots.fonts import usable_language
from churnsim.plots.style import (
    AXIS,
    COLORS,
    DASHES,
    INK,
    MUTED,
    NEUTRAL,
    About,
    clean,
    font,
    measure_of,
    money_ticks,
    new_axes,
    value_axis,
)

MARKED = (1, 10, 20)
"""Per cent of the customers at which the concentration curve is read off."""

DOTS = 500
"""Customers that the value matrix shows, at most."""

MARKERS = ("o", "^", "s", "D", "v", "P", "X")
"""Shapes of treatments' dots, which say the same as their colours."""


def pareto(frame: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en", about: About | None = None) -> Axes:
    """Draw what share of the sales the best customers bring, read off at the best 1, 10 and 20 per cent.

    Parameters
    ----------
    frame
        Rows of ``Result.concentration`` of one or several scenarios; a line per scenario and firm, mean of the runs.
    ax, lang, about
        As for `churnsim.plots.fan`.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    money_rows = frame[frame["by"] == "money"]
    means = money_rows.groupby(["scenario", "firm", "percent"], observed=True)["share_of_money"].mean().dropna()
    groups = list(dict.fromkeys((name, firm) for name, firm, _ in means.index))
    several = len({name for name, _ in groups}) > 1
    ax.plot([0, 100], [0, 1], color=AXIS, linestyle=(0, (2, 2)), linewidth=1)
    for place, (name, firm) in enumerate(groups):
        curve = means.loc[(name, firm)]
        color = COLORS[place % len(COLORS)]
        ax.plot([0, *curve.index], [0, *curve], color=color, linestyle=DASHES[place % len(DASHES)], linewidth=2)
        said = about.scenario(name, lang) if several else about.firm(firm, lang)
        read = text("plot.comma", lang).join(
            text("plot.pareto_point", lang, best=at, share=percent(curve.loc[at])) for at in MARKED
        )
        for at in MARKED:
            ax.plot([at], [curve.loc[at]], marker="o", markersize=4.5, color=color)
        ax.annotate(
            text("plot.pareto_read", lang, name=said, points=read), (0.97, 0.06 + 0.075 * (len(groups) - 1 - place)),
            xycoords="axes fraction", ha="right", fontproperties=font(lang, 9, "bold"), color=color,
        )  # fmt: skip
    ax.set_xlim(0, 100)
    ax.set_ylim(0, 1.02)
    value_axis(ax, measure_of("share"), about, lang)
    ax.xaxis.set_major_formatter(lambda value, _: number(value))
    ax.set_xlabel(text("plot.best_percent", lang), fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    clean(ax, lang)
    caption = text("plot.pareto_caption", lang, runs=frame["seed"].nunique())
    if not several:
        caption = f"{about.scenario(groups[0][0], lang)} · {caption}"
    layout.finish(ax, own, text("plot.pareto_title", lang), caption, lang)
    return ax


def value_histogram(
    frame: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en", about: About | None = None
) -> Axes:
    """Draw how customers differ in what they are worth, those not worth keeping apart.

    Parameters
    ----------
    frame
        Table ``customers`` of `churnsim.value_matrix`.
    ax, lang, about
        As for `churnsim.plots.fan`.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    worth = frame["clv"].to_numpy()
    edges = np.histogram_bin_edges(worth, bins=30)
    # Zero is an edge, so that no bar stands on both sides of it.
    edges = np.unique(np.append(edges, 0.0)) if worth.min() < 0 < worth.max() else edges
    counts, _ = np.histogram(worth, edges)
    below = edges[1:] <= 0
    for mask, color, hatch in ((below, "#D55E00", "//"), (~below, "#0072B2", "")):
        ax.bar(
            edges[:-1][mask], counts[mask] / len(worth), np.diff(edges)[mask], align="edge", color=color, hatch=hatch,
            edgecolor="white", linewidth=0.6,
        )  # fmt: skip
    mean = float(worth.mean())
    ax.axvline(mean, color=INK, linewidth=1, linestyle=(0, (4, 2)))
    ax.annotate(
        text("plot.mean_worth", lang, value=money(mean, about.currency, lang)), (mean, 0.94), (6, 0),
        xycoords=("data", "axes fraction"), textcoords="offset points", fontproperties=font(lang, 9), color=INK,
    )  # fmt: skip
    ax.xaxis.set_major_formatter(money_ticks(ax.xaxis, about.currency, lang))
    value_axis(ax, measure_of("share"), about, lang)
    ax.set_xlabel(text("plot.worth", lang), fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    clean(ax, lang)
    caption = text(
        "plot.worth_caption", lang, customers=number(len(worth)), negative=percent(float((worth < 0).mean()), 1)
    )
    layout.finish(ax, own, text("plot.worth_title", lang), caption, lang)
    return ax


def value_matrix(
    frame: pd.DataFrame,
    cuts: tuple[float, float] | None = None,
    *,
    treatments: Mapping[str, Mapping[str, str]] | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw the value matrix: a dot per customer by what he is worth and what he could be, and the share of each cell.

    Parameters
    ----------
    frame
        Table ``customers`` of `churnsim.value_matrix`.
    cuts
        Where value and growth are cut, in money; by default the medians.
    treatments
        What the treatments are called, by name and language; others go by their names.
    ax, lang, about
        As for `churnsim.plots.fan`.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    across, up = cuts or (float(frame["clv"].median()), float(frame["potential"].median()))
    step = -(-len(frame) // DOTS)
    some = frame.sort_values("customer").iloc[::step]
    treated, known = list(frame["best"].cat.categories), treatments or {}
    for place, name in enumerate(treated):
        rows = some[some["best"] == name]
        color = NEUTRAL if place == 0 else COLORS[(place - 1) % len(COLORS)]
        mark = MARKERS[place % len(MARKERS)]
        ax.scatter(rows["clv"], rows["potential"], s=15, marker=mark, color=color, alpha=0.65, linewidth=0)
        said = (
            text("plot.nothing", lang) if place == 0 else known[name][lang] if name in known else name.replace("_", " ")
        )
        ax.scatter([], [], s=24, marker=mark, color=color, label=said)
    ax.axvline(across, color=AXIS, linewidth=1)
    ax.axhline(up, color=AXIS, linewidth=1)
    shares = pd.crosstab(frame["growth"], frame["value"], normalize=True)
    for growth, y, where in (("low", 0.02, "bottom"), ("high", 0.9, "top")):
        for value, x, side in (("low", 0.02, "left"), ("high", 0.72, "left")):
            share = float(shares.get(value, {}).get(growth, 0))
            said = f"{text(f'plot.matrix.{value}_{growth}', lang)}  {percent(share)}"
            ax.annotate(
                said, (x, y), xycoords="axes fraction", ha=side, va=where, fontproperties=font(lang, 9, "bold"),
                color=INK,
            )  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(money_ticks(axis, about.currency, lang))
    clean(ax, lang)
    ax.set_xlabel(text("plot.worth", lang), fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=len(treated), frameon=False,
        handletextpad=0.2, columnspacing=1.4, borderpad=0, prop=font(lang, 9), labelcolor=INK,
    )  # fmt: skip
    caption = text("plot.matrix_caption", lang, dots=number(len(some)), customers=number(len(frame)))
    layout.finish(ax, own, text("plot.matrix_title", lang), caption, lang, above=17)
    return ax

"""From where to where: the leaky bucket, and who switches to whom."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from churnsim.i18n import number, text
from churnsim.plots import layout
from churnsim.plots.fans import firms_of, only_scenario
from churnsim.plots.fonts import usable_language
from churnsim.plots.style import (
    COLORS,
    NEUTRAL,
    About,
    clean,
    font,
    measure_of,
    new_axes,
    readable,
    tick_axis,
    value_axis,
)

OUTSIDE = "outside"
GAP = 0.04
"""Room between the places of a Sankey diagram, as a share of its height."""

BAR = 0.035
"""Width of the bars at both sides, as a share of the width."""

WON, LOST = "#0072B2", "#D55E00"


def bucket(
    frame: pd.DataFrame,
    *,
    firm: str | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw a firm as a leaky bucket: customers it has, and all that it has won and lost since play began.

    Parameters
    ----------
    frame
        Rows of ``Result.ticks`` of one scenario; means over the runs are drawn.
    firm
        Which; by default the first.
    ax, lang, about
        As for `churnsim.plots.fan`.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    firm = firm or firms_of(frame)[0]
    rows = frame[(frame["firm"] == firm) & (frame["tick"] >= 0)]
    means = rows.groupby("tick")[["customers", "joined", "lost"]].mean()
    flow = means[["joined", "lost"]].copy()
    flow.loc[flow.index <= 0] = 0.0
    flow = flow.cumsum()
    lines = (
        ("won", flow["joined"], WON, (0, (5, 2)), 1.8),
        ("gone", flow["lost"], LOST, (0, (1.5, 1.5)), 1.8),
        ("level", means["customers"], "#1A1A1A", "-", 2.6),
    )
    labels = []
    for name, line, color, dash, width in lines:
        ax.plot(means.index, line, color=color, linestyle=dash, linewidth=width)
        labels.append(
            layout.EndLabel(
                float(line.iloc[-1]), f"{text(f'plot.bucket.{name}', lang)}  {number(line.iloc[-1])}", color
            )
        )
    low, high = np.minimum(flow["joined"], flow["lost"]), np.maximum(flow["joined"], flow["lost"])
    ax.fill_between(means.index, low, high, color=NEUTRAL, alpha=0.35, linewidth=0)
    tick_axis(ax, 0, int(means.index.max()), about, lang)
    value_axis(ax, measure_of("customers"), about, lang)
    clean(ax, lang)
    parts = (
        about.firm(firm, lang),
        about.scenario(only_scenario(frame), lang),
        text("plot.mean_of", lang, runs=frame["seed"].nunique()),
    )
    layout.finish(ax, own, text("plot.bucket_title", lang), " · ".join(parts), lang, labels=labels)
    return ax


def switching(
    frame: pd.DataFrame,
    *,
    ticks: tuple[int, int] | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw who switched to whom as a Sankey diagram: from the left to the right, as wide as customers are many.

    Parameters
    ----------
    frame
        Rows of ``Result.flows`` of one scenario.
    ticks
        First and last tick; by default the whole of play.
    ax, lang, about
        As for `churnsim.plots.fan`.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    scenario, runs = only_scenario(frame), frame["seed"].nunique()
    first, last = ticks or (1, int(frame["tick"].max()))
    rows = frame[frame["tick"].between(first, last)]
    counts = rows.groupby(["from", "to"], observed=True)["count"].sum() / runs
    counts = counts[counts > 0]
    places = [str(name) for name in frame["from"].cat.categories if name != OUTSIDE]
    places = [name for name in (*places, OUTSIDE) if name in {*rows["from"].unique(), *rows["to"].unique()}]
    total = float(counts.sum()) or 1.0
    room = 1 - GAP * (len(places) - 1)
    colors = {name: NEUTRAL if name == OUTSIDE else COLORS[i % len(COLORS)] for i, name in enumerate(places)}
    tops = {side: _bars(ax, places, counts, side, total, room, colors, about, lang) for side in ("from", "to")}
    for origin in places:
        for target in places:
            size = float(counts.get((origin, target), 0)) * room / total
            if not size:
                continue
            left, right = tops["from"][origin], tops["to"][target]
            tops["from"][origin] -= size
            tops["to"][target] -= size
            ax.add_patch(PathPatch(_ribbon(left, right, size), facecolor=colors[origin], alpha=0.4, linewidth=0))
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.02, 1.06)
    ax.set_axis_off()
    for x, key, side in ((0, "from", "left"), (1, "to", "right")):
        ax.annotate(
            text(f"plot.switching.{key}", lang), (x, 1.015), fontproperties=font(lang, 9, "bold"), ha=side, va="bottom"
        )
    tick = text(f"tick.{about.tick}.name", lang)
    caption = text(
        "plot.switching_caption",
        lang,
        scenario=about.scenario(scenario, lang),
        tick=tick,
        first=first,
        last=last,
        runs=runs,
    )
    widest = max(
        layout.extent(ax, f"{about.firm(n, lang)}  {number(total)}", font(lang, 9)) for n in places if n != OUTSIDE
    )
    layout.finish(
        ax, own, text("plot.switching_title", lang), caption, lang, left=widest + 22, right=widest + 22, bottom=14
    )
    return ax


def _bars(
    ax: Axes, places: list[str], counts: pd.Series, side: str, total: float, room: float, colors: dict[str, str],
    about: About, lang: str,
) -> dict[str, float]:  # fmt: skip
    """Draw the bars of one side with their names; return their upper ends."""
    sums = counts.groupby(level=side, observed=True).sum()
    upper, tops = 1.0, {}
    for name in places:
        size = float(sums.get(name, 0)) * room / total
        x = 0 if side == "from" else 1 - BAR
        ax.bar(x, size, BAR, upper - size, align="edge", color=colors[name], linewidth=0)
        named = text("outside", lang) if name == OUTSIDE else about.firm(name, lang)
        ax.annotate(
            f"{named}  {number(sums.get(name, 0))}", (0 if side == "from" else 1, upper - size / 2),
            (-6 if side == "from" else 6, 0), textcoords="offset points", ha="right" if side == "from" else "left",
            va="center", fontproperties=font(lang, 9), color=readable(colors[name]), annotation_clip=False,
        )  # fmt: skip
        tops[name] = upper
        upper -= size + GAP
    return tops


def _ribbon(left: float, right: float, size: float) -> Path:
    """Return a band of a given width from the left side to the right."""
    a, b, middle = BAR, 1 - BAR, 0.5
    points = [
        (a, left), (middle, left), (middle, right), (b, right),
        (b, right - size), (middle, right - size), (middle, left - size), (a, left - size), (a, left),
    ]  # fmt: skip
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return Path(points, codes)

"""What a move changed: the new future in full, the old one as its ghost; and the path of a firm's spiral."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from churnsim.i18n import number, percent, text
from churnsim.plots import layout
from churnsim.plots.fans import BURN_IN_SHOWN, Center, firms_of, only_scenario, quantiles, title
from churnsim.plots.fonts import usable_language
from churnsim.plots.style import (
    AXIS,
    COLORS,
    DASHES,
    INK,
    MUTED,
    SIZE,
    About,
    clean,
    font,
    measure_of,
    new_axes,
    new_figure,
    tick_axis,
    value_axis,
    written,
)

GHOST = "#8C8C8C"
MARKS = 12
"""Ticks between the dots on a spiral."""


def ghost(
    frame: pd.DataFrame,
    measure: str = "share",
    *,
    firm: str | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
    burn_in: int = BURN_IN_SHOWN,
    center: Center = "median",
    height: float = SIZE[1],
    names: tuple[str, str] | None = None,
) -> Axes:
    """Draw what a change made of a measure: its fan, and dashed grey the middle without the change.

    Parameters
    ----------
    frame
        Rows of ``Result.ticks`` of two scenarios: the baseline first, in the order of the categories.
    measure
        Name of a firm measure.
    firm
        Whose; by default the first firm's.
    ax, lang, about, burn_in, center
        As for `churnsim.plots.fan`.
    height
        Of a new figure, in inches.
    names
        What baseline and scenario are called at the ends of the lines; without and with the change unless said.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes(new_figure((SIZE[0], height))) if ax is None else ax
    before, after = two_scenarios(frame)
    firm = firm or firms_of(frame)[0]
    what = measure_of(measure)
    write = written(what, about, lang)
    first = max(int(frame["tick"].min()), 0 if measure == "cumulative_profit" else -burn_in)
    rows = frame[(frame["firm"] == firm) & (frame["tick"] >= first)]
    color = COLORS[frame["firm"].cat.categories.get_loc(firm) % len(COLORS)]
    labels = []
    old = quantiles(rows[rows["scenario"] == before], measure, center)["middle"]
    new = quantiles(rows[rows["scenario"] == after], measure, center)
    if frame["seed"].nunique() > 1:
        ax.fill_between(new.index, new[0.05], new[0.95], color=color, alpha=0.15, linewidth=0)
        ax.fill_between(new.index, new[0.25], new[0.75], color=color, alpha=0.22, linewidth=0)
    ax.plot(old.index, old, color=GHOST, linestyle=(0, (5, 2)), linewidth=1.6)
    ax.plot(new.index, new["middle"], color=color, linewidth=2.2)
    old_name, new_name = names or (text("plot.before", lang), text("plot.after", lang))
    for said, line, shade in ((new_name, new["middle"], color), (old_name, old, GHOST)):
        known = line.dropna()
        if len(known):
            end = float(known.iloc[-1])
            labels.append(layout.EndLabel(end, f"{said}  {write(end)}", shade))
    tick_axis(ax, first, int(frame["tick"].max()), about, lang)
    value_axis(ax, what, about, lang)
    clean(ax, lang)
    caption = text(
        "plot.ghost_caption", lang, firm=about.firm(firm, lang), after=about.scenario(after, lang),
        before=about.scenario(before, lang), runs=frame["seed"].nunique(), center=text(f"plot.{center}", lang),
    )  # fmt: skip
    layout.finish(ax, own, title(measure, about, lang), caption, lang, labels=labels)
    return ax


def spiral(frame: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en", about: About | None = None) -> Axes:
    """Draw the path of every firm through service quality and market share, a dot every twelve ticks.

    Parameters
    ----------
    frame
        Rows of ``Result.ticks`` of one scenario; means over the runs are drawn, as running means of twelve ticks.
    ax, lang, about
        As for `churnsim.plots.fan`.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    scenario = only_scenario(frame)
    share = measure_of("share")
    for firm in firms_of(frame):
        place = frame["firm"].cat.categories.get_loc(firm)
        color = COLORS[place % len(COLORS)]
        rows = frame[(frame["firm"] == firm) & (frame["tick"] >= 1 - MARKS) & (frame["open"] > 0)]
        path = rows.groupby("tick")[["quality", "share"]].mean().rolling(MARKS, min_periods=1).mean()
        path = path[path.index >= 0]
        if path.empty:
            continue
        ax.plot(path["quality"], path["share"], color=color, linestyle=DASHES[place % len(DASHES)], linewidth=1.6)
        dots = path[path.index % MARKS == 0]
        ax.scatter(dots["quality"], dots["share"], s=22, color=color, zorder=3)
        ax.scatter(path["quality"].iloc[:1], path["share"].iloc[:1], s=70, facecolor="white", edgecolor=color, zorder=4)
        start, end = path.index[0], path.index[-1]
        said = f"{about.firm(firm, lang)}  {percent(path['share'].iloc[-1])}"
        for at, words, weight in ((start, number(start), "normal"), (end, f"{said} ({number(end)})", "bold")):
            ax.annotate(
                words, (path["quality"].loc[at], path["share"].loc[at]), (6, 7 if at == start else -13),
                textcoords="offset points", fontproperties=font(lang, 9, weight),
                color=MUTED if weight == "normal" else INK,
            )  # fmt: skip
    value_axis(ax, share, about, lang)
    ax.margins(x=0.18, y=0.12)
    ax.autoscale_view()
    ax.set_ylim(0)
    ax.xaxis.set_major_formatter(lambda value, _: number(value, 2))
    label = title("quality", about, lang)
    ax.set_xlabel(label, fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    ax.set_ylabel(title("share", about, lang), fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    clean(ax, lang)
    ax.grid(axis="x", color=AXIS, alpha=0.2, linewidth=0.8)
    caption = text(
        "plot.spiral_caption", lang, scenario=about.scenario(scenario, lang), runs=frame["seed"].nunique(),
        ticks=text(f"tick.{about.tick}.plural", lang),
    )  # fmt: skip
    layout.finish(
        ax, own, text("plot.spiral_title", lang), caption, lang, right=60, left=layout.tick_room(ax, lang) + 18
    )
    return ax


def two_scenarios(frame: pd.DataFrame) -> tuple[str, str]:
    """Return the frame's two scenarios, the baseline first; complain where there are not two."""
    present = set(frame["scenario"].unique())
    names = [str(name) for name in frame["scenario"].cat.categories if name in present]
    if len(names) != 2:
        raise ValueError(f"two scenarios are compared, the baseline first; the table has {len(names)}")
    return names[0], names[1]

"""From a baseline to a scenario in steps: which causes explain the churn, and where the money went."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from churnsim.causes import CAUSES
from churnsim.i18n import money, money_digits, money_unit, number, text
from churnsim.plots import layout
from churnsim.plots.fans import firms_of
from churnsim.plots.fonts import usable_language
from churnsim.plots.ghosts import two_scenarios
from churnsim.plots.reasons import CLASS_COLORS
from churnsim.plots.style import AXIS, INK, NEUTRAL, About, clean, font, new_axes

MOST_STEPS = 7
UP, DOWN = "#0072B2", "#D55E00"
MONEY_STEPS = ("price", "volume", "stays", "service", "relationship", "programmes")


LEAST_SHOWN = 0.05
"""Share of the unit of money below which a step is written as nothing."""


def cause_waterfall(
    frame: pd.DataFrame,
    *,
    firm: str | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
    names: tuple[str, str] | None = None,
) -> Axes:
    """Draw how a firm's departures change from a baseline to a scenario, cause by cause.

    Parameters
    ----------
    frame
        Rows of ``Result.causes`` of two scenarios, the baseline first in the order of the categories. Departures are
        those of play, split exactly over their causes (``share``), mean of the runs.
    firm
        Whose customers; by default the first firm's.
    ax, lang, about
        As for `churnsim.plots.fan`.
    names
        What baseline and scenario are called at their bars; without and with the change unless said.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    before, after = two_scenarios(frame)
    firm = firm or firms_of(frame)[0]
    rows = frame[(frame["tick"] > 0) & (frame["firm"] == firm)]
    sums = rows.groupby(["scenario", "cause"], observed=False)["share"].sum() / rows["seed"].nunique()
    change = (sums.loc[after] - sums.loc[before]).astype(float)
    order = change.abs().sort_values(ascending=False, kind="stable").index
    shown = [name for name in order[:MOST_STEPS] if abs(change[name]) > 0.005 * max(sums.loc[before].sum(), 1)]
    rest = float(change.drop(shown).sum())
    classes = {cause.name: cause.course for cause in CAUSES}
    steps = [(text(f"cause.{name}", lang), float(change[name]), CLASS_COLORS[classes[name]]) for name in shown]
    steps.append((text("plot.other", lang), rest, NEUTRAL))
    ends = [(about.scenario(name, lang), float(sums.loc[name].sum())) for name in (before, after)]
    caption = text(
        "plot.waterfall_caption" if names is None else "plot.waterfall_named", lang, firm=about.firm(firm, lang),
        before=ends[0][0], after=ends[1][0], runs=frame["seed"].nunique(),
    )  # fmt: skip
    first, last = names or (text("plot.before", lang), text("plot.after", lang))
    _waterfall(ax, [(first, ends[0][1]), (last, ends[1][1])], steps, number, lang)
    _finished(ax, own, text("plot.cause_waterfall_title", lang), caption, lang)
    return ax


def profit_waterfall(
    frame: pd.DataFrame,
    *,
    firm: str | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
    names: tuple[str, str] | None = None,
) -> Axes:
    """Draw where a firm's profit over play comes from, step by step from a baseline to a scenario.

    The steps add up exactly: `price` is the change of the price times the scenario's stays, `volume` the change of
    stays times the baseline's price; the others are changes of cost (unit and fixed cost of the stays, service,
    relationship work, programmes).

    Parameters
    ----------
    frame
        Rows of ``Result.ticks`` of two scenarios, the baseline first in the order of the categories; paired by seed.
    firm, ax, lang, about, names
        As for `cause_waterfall`.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    before, after = two_scenarios(frame)
    firm = firm or firms_of(frame)[0]
    steps, ends = money_steps(frame, firm, before, after)
    named = [
        (text(f"plot.money.{name}", lang), value, UP if value >= 0 else DOWN)
        for name, value in steps.items()
        if value or name in ("price", "volume")
    ]
    like = max(abs(value) for value in (*ends, *steps.values()))
    caption = text(
        "plot.waterfall_caption" if names is None else "plot.waterfall_named", lang, firm=about.firm(firm, lang),
        before=about.scenario(before, lang), after=about.scenario(after, lang), runs=frame["seed"].nunique(),
    )  # fmt: skip
    bars = list(zip(names or (text("plot.before", lang), text("plot.after", lang)), ends, strict=True))
    size = money_unit(like, lang)[0]

    def write(value: float) -> str:
        """Write an amount in the unit of the largest; what that would call nothing is nothing."""
        if abs(value) < LEAST_SHOWN * size:
            return money(0, about.currency, lang, 0, like=0)
        return money(value, about.currency, lang, money_digits(like, lang), like=like)

    _waterfall(ax, bars, named, write, lang)
    _finished(ax, own, text("plot.profit_waterfall_title", lang), caption, lang)
    return ax


def money_steps(
    frame: pd.DataFrame, firm: str, before: str, after: str
) -> tuple[dict[str, float], tuple[float, float]]:
    """Return the steps of `profit_waterfall` by name, and the profits of both scenarios; means of the runs."""
    columns = ["revenue", "stays", "service_cost", "relationship_cost", "profit"]
    columns += ["dealing_cost"] if "dealing_cost" in frame else []
    rows = frame[(frame["firm"] == firm) & (frame["tick"] > 0)]
    old, new = (
        rows[rows["scenario"] == name].set_index(["seed", "tick"])[columns].fillna(0) for name in (before, after)
    )
    old, new = old.align(new, join="inner", axis=0)
    runs = max(1, len(set(old.index.get_level_values("seed"))))

    def price(table: pd.DataFrame, other: pd.DataFrame) -> np.ndarray:
        """Return what a stay brings; what it brings in the other scenario where there are none."""
        own, rival = (
            np.where(t["stays"] > 0, t["revenue"] / t["stays"].where(t["stays"] > 0, 1), np.nan) for t in (table, other)
        )
        return np.nan_to_num(np.where(np.isnan(own), rival, own))

    def rest(table: pd.DataFrame) -> pd.Series:
        """Return cost of the stays: unit and fixed cost."""
        spent = table["service_cost"] + table["relationship_cost"] + table.get("dealing_cost", 0)
        return table["revenue"] - table["profit"] - spent

    paid, would = price(new, old), price(old, new)
    found = {
        "price": ((paid - would) * new["stays"]).sum(),
        "volume": (would * (new["stays"] - old["stays"])).sum(),
        "stays": -(rest(new) - rest(old)).sum(),
        "service": -(new["service_cost"] - old["service_cost"]).sum(),
        "relationship": -(new["relationship_cost"] - old["relationship_cost"]).sum(),
        "programmes": -(new.get("dealing_cost", 0) - old.get("dealing_cost", 0)).sum()
        if "dealing_cost" in new
        else 0.0,
    }
    ends = (float(old["profit"].sum()) / runs, float(new["profit"].sum()) / runs)
    return {name: float(value) / runs for name, value in found.items()}, ends


def _waterfall(
    ax: Axes, ends: Sequence[tuple[str, float]], steps: Sequence[tuple[str, float, str]],
    write: Callable[[float], str], lang: str,
) -> None:  # fmt: skip
    """Draw the first bar, the steps that hang on each other, and the last bar, from top to bottom."""
    level, rows = ends[0][1], [(ends[0][0], 0.0, ends[0][1], AXIS, "")]
    for name, change, color in steps:
        rows.append((name, level, change, color, "" if change >= 0 else "//"))
        level += change
    rows.append((ends[1][0], 0.0, ends[1][1], AXIS, ""))
    reached = [0.0]
    for place, (_, start, change, color, hatch) in enumerate(rows):
        ax.barh(place, change, 0.64, start, color=color, hatch=hatch, edgecolor="white", linewidth=0.6)
        end = start + change
        reached += [start, end]
        if place + 1 < len(rows):
            ax.plot([end, end], [place + 0.32, place + 0.68], color=AXIS, linewidth=0.8)
        whole = place in (0, len(rows) - 1)
        said = write(change)
        said = f"+{said}" if change > 0 and not whole and said != write(0) else said
        ax.annotate(
            said, (max(start, end) if change >= 0 or whole else min(start, end), place),
            (4 if change >= 0 or whole else -4, 0), textcoords="offset points", va="center",
            ha="left" if change >= 0 or whole else "right", fontproperties=font(lang, 9), color=INK, zorder=4,
            # The line at zero must not run through an amount.
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip
    low, high = min(reached), max(reached)
    room = (high - low or 1) * 0.17
    ax.set_xlim(low - room if low < 0 else 0, high + room)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
    ax.set_xticks([])
    if low < 0:
        ax.axvline(0, color=AXIS, linewidth=0.9)


def _finished(ax: Axes, own: bool, title: str, caption: str, lang: str) -> None:
    """Give a waterfall its look and texts."""
    clean(ax, lang)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    for label in ax.get_yticklabels():
        label.set_color(INK)
    names = [label.get_text() for label in ax.get_yticklabels()]
    left = max(layout.extent(ax, name, font(lang, 9)) for name in names) + 14
    layout.finish(ax, own, title, caption, lang, left=left, right=24, bottom=16)

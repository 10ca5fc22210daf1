"""Parts of a whole over time: who has the market, and what kind of loyalty a firm's customers have."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from churnsim.i18n import percent, text
from churnsim.plots import layout
from churnsim.plots.fans import firms_of, only_scenario
from churnsim.plots.fonts import usable_language
from churnsim.plots.style import COLORS, NEUTRAL, About, clean, measure_of, new_axes, tick_axis, value_axis

LOYALTIES = {"true_loyal": "#0072B2", "latent_loyal": "#56B4E9", "spurious_loyal": "#E69F00", "not_loyal": "#BDBDBD"}
"""Kinds of loyalty of Dick & Basu (1994) with their colours, the firmest at the bottom."""

PATTERNS = ("", "//", "..", "\\\\", "xx", "--", "||", "++")
"""Patterns of areas and bars, which say the same as the colours."""


def ribbons(frame: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en", about: About | None = None) -> Axes:
    """Draw who has the market: every firm's share of the purchase occasions, stacked, mean of the runs.

    Parameters
    ----------
    frame
        Rows of ``Result.ticks`` of one scenario.
    ax, lang, about
        As for `churnsim.plots.fan`.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    only_scenario(frame)
    firms = firms_of(frame)
    play = frame[frame["tick"] >= 0]
    means = play.groupby(["tick", "firm"], observed=True)["share"].mean().unstack().reindex(columns=firms).fillna(0)
    parts = [*(means[firm].to_numpy() for firm in firms), np.clip(1 - means.sum(axis=1).to_numpy(), 0, 1)]
    names = [*(about.firm(firm, lang) for firm in firms), text("outside", lang)]
    colors = [*(COLORS[frame["firm"].cat.categories.get_loc(firm) % len(COLORS)] for firm in firms), NEUTRAL]
    labels = _stacked(ax, means.index.to_numpy(), parts, names, colors)
    return _finished(ax, own, frame, labels, "share", text("plot.ribbons_title", lang), about, lang)


def loyalty_types(
    frame: pd.DataFrame,
    *,
    firm: str | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw what kind of loyalty a firm's customers have (Dick & Basu 1994), as shares of them over time.

    Parameters
    ----------
    frame
        Rows of ``Result.ticks`` of one scenario.
    firm
        Whose customers; by default the first firm's.
    ax, lang, about
        As for `churnsim.plots.fan`.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    only_scenario(frame)
    firm = firm or firms_of(frame)[0]
    play = frame[(frame["tick"] >= 0) & (frame["firm"] == firm)]
    means = play.groupby("tick")[list(LOYALTIES)].mean()
    names = [measure_of(name).label[lang] for name in LOYALTIES]
    parts = [means[name].to_numpy() for name in LOYALTIES]
    labels = _stacked(ax, means.index.to_numpy(), parts, names, list(LOYALTIES.values()))
    title = text("plot.loyalty_title", lang, firm=about.firm(firm, lang))
    return _finished(ax, own, frame, labels, "true_loyal", title, about, lang)


def _stacked(
    ax: Axes, ticks: np.ndarray, parts: list[np.ndarray], names: list[str], colors: list[str]
) -> list[layout.EndLabel]:
    """Draw areas on top of each other; return their names with the last values, at the middle of their ends."""
    bottom = np.zeros(len(ticks))
    labels = []
    for place, (part, name, color) in enumerate(zip(parts, names, colors, strict=True)):
        part = np.nan_to_num(part)
        ax.fill_between(
            ticks, bottom, bottom + part, facecolor=color, alpha=0.75, edgecolor="white", linewidth=0.8,
            hatch=PATTERNS[place % len(PATTERNS)],
        )  # fmt: skip
        if part[-1] >= 0.005:
            labels.append(layout.EndLabel(float(bottom[-1] + part[-1] / 2), f"{name}  {percent(part[-1])}", color))
        bottom = bottom + part
    return labels


def _finished(
    ax: Axes, own: bool, frame: pd.DataFrame, labels: list[layout.EndLabel], measure: str, title: str, about: About,
    lang: str,
) -> Axes:  # fmt: skip
    """Give stacked areas their axes and texts."""
    tick_axis(ax, 0, int(frame["tick"].max()), about, lang)
    ax.set_ylim(0, 1)
    value_axis(ax, measure_of(measure), about, lang)
    ax.set_ylim(0, 1)
    clean(ax, lang)
    caption = (
        f"{about.scenario(only_scenario(frame), lang)} · {text('plot.mean_of', lang, runs=frame['seed'].nunique())}"
    )
    layout.finish(ax, own, title, caption, lang, labels=labels)
    return ax

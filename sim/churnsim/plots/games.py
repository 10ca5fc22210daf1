"""Figures of games: payoffs with best replies, how equilibria move, what spreads when success is imitated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from churnsim.dealing_measures import PER_FIRM
from churnsim.i18n import has_text, money_digits, money_unit, number, scaled_currency, text
from churnsim.plots import layout
from churnsim.plots.fonts import usable_language
from churnsim.plots.style import (
    AXIS,
    COLORS,
    DASHES,
    INK,
    MUTED,
    About,
    clean,
    figure_of,
    font,
    new_axes,
    new_figure,
)

SURE = 0.95
"""Share of resamples from which a best reply goes without hatching."""
DARK = 0.55
"""Brightness of a cell's colour below which its number is written in white."""


def payoffs(
    frame: pd.DataFrame,
    player: str | None = None,
    *,
    marks: Sequence[tuple[str, ...]] = (),
    measure: str = "cumulative_profit",
    names: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw what one of two players earns: own strategies down, the other's across.

    Parameters
    ----------
    frame
        Rows of ``Played.frame`` of one game of two.
    player
        Whose payoffs; by default the first player's.
    marks
        Equilibria, as strategies in the order of the players: they get a dot.
    measure
        What the payoff is.
    names
        How strategies are called, by label; by default by their names, and labels that are none as they are.
    ax
        Where to draw; by default a figure of its own.
    lang
        ``en`` or ``zh``.
    about
        Display names and currency.
    """
    lang, about = usable_language(lang), about or About()
    players = list(dict.fromkeys(frame["player"]))
    player = player or players[0]
    rival = next(name for name in players if name != player)
    own = frame[frame["player"] == player]
    labels = list(dict.fromkeys(own[players[0]]))
    count = len(labels)
    tables = {
        name: own.pivot(index=player, columns=rival, values=name).loc[labels, labels].to_numpy()
        for name in ("mean", "best", "chance")
    }
    means = tables["mean"].astype(float)
    size, unit, digits = _unit(measure, means, about, lang)
    mine = ax is None
    if ax is None:
        figure = new_figure((3.6 + 0.86 * count, 2.5 + 0.5 * count))
        ax = new_axes(figure)
    scale = Normalize(means.min(), means.max() if means.max() > means.min() else means.min() + 1)
    ax.imshow(means, cmap="cividis", norm=scale, aspect="auto")
    for i in range(count):
        for j in range(count):
            color = colormaps["cividis"](scale(means[i, j]))
            bright = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
            ink = INK if bright > DARK else "white"
            ax.text(j, i, number(means[i, j] / size, digits), ha="center", va="center", color=ink,
                    fontproperties=font(lang, 9), zorder=4,
                    # Hatching must not run through the number.
                    bbox={"facecolor": color, "edgecolor": "none", "pad": 1.5})  # fmt: skip
            if tables["best"][i, j]:
                unsure = float(tables["chance"][i, j]) < SURE
                ax.add_patch(Rectangle((j - 0.46, i - 0.44), 0.92, 0.88, fill=False, edgecolor=COLORS[1],
                                       linewidth=2.2, hatch="////" if unsure else None, zorder=3))  # fmt: skip
            pair = (labels[i], labels[j]) if player == players[0] else (labels[j], labels[i])
            if pair in marks:
                ax.plot(j + 0.36, i - 0.3, "o", color=COLORS[1], markeredgecolor="white", markersize=7, zorder=5)
    said = [_named(label, lang, names) for label in labels]
    turned = max(map(len, said)) > 5
    ax.set_xticks(range(count), said)
    for word in ax.get_xticklabels() if turned else ():
        word.set(rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(count), said)
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0, colors=MUTED)
    for word in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        word.set_fontproperties(font(lang, 9))
    ax.set_xlabel(text("game.rival_plays", lang, player=about.firm(rival, lang)), fontproperties=font(lang, 9.5),
                  color=MUTED)  # fmt: skip
    ax.set_ylabel(text("game.rival_plays", lang, player=about.firm(player, lang)), fontproperties=font(lang, 9.5),
                  color=MUTED)  # fmt: skip
    label = _measure_name(measure, lang)
    title = text("game.matrix_title", lang, player=about.firm(player, lang), measure=label, unit=unit)
    more = text("game.equilibrium_mark", lang) if marks else ""
    caption = text("game.matrix_caption", lang, runs=int(own["runs"].max()), more=more)
    if mine:
        widest = max(layout.extent(ax, word, font(lang, 9)) for word in said)
        layout.margins(figure_of(ax), top=70, right=14, left=widest + 40, bottom=(0.65 * widest if turned else 12) + 46)
        taken = layout.head(ax, title, caption, lang)
        layout.margins(
            figure_of(ax), top=taken + 8, right=14, left=widest + 40, bottom=(0.65 * widest if turned else 12) + 46
        )
    else:
        layout.head(ax, title, caption, lang)
    return ax


def equilibrium_path(
    frame: pd.DataFrame,
    name: str,
    *,
    runs: int,
    names: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    lang: str = "en",
) -> Axes:
    """Draw how probable each equilibrium is at every level of what varies.

    Parameters
    ----------
    frame
        As `churnsim.studies.played.path` returns it: level, equilibrium, probability.
    name
        What varies: label of the horizontal axis.
    runs
        Replications of a cell.
    names
        As for `payoffs`.
    ax
        Where to draw; by default a figure of its own.
    lang
        ``en`` or ``zh``.
    """
    lang = usable_language(lang)
    mine = ax is None
    ax = new_axes(new_figure((9.0, 4.6))) if ax is None else ax
    levels = list(dict.fromkeys(frame["level"]))
    numbers = all(isinstance(level, (int, float)) and not isinstance(level, bool) for level in levels)
    places = levels if numbers else list(range(len(levels)))
    words = list(dict.fromkeys(frame["equilibrium"]))
    means = frame.groupby("equilibrium", sort=False)["probability"].max()
    words = sorted(words, key=lambda word: -float(np.nan_to_num(means[word], nan=-1)))[:6]
    labels = []
    for k, word in enumerate(words):
        part = frame[frame["equilibrium"] == word].set_index("level")["probability"].reindex(levels).to_numpy(float)
        color, dash = COLORS[k], DASHES[k]
        ax.plot(places, part, color=color, linestyle=dash, marker="o", markersize=5, linewidth=2, zorder=3)
        known = part[np.isfinite(part)]
        if known.size:
            labels.append(layout.EndLabel(float(known[-1]), _profile(word, lang, names), color))
    ax.set_ylim(-0.03, 1.05)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(100 * value)}\N{NO-BREAK SPACE}%"))
    ax.set_xticks(places, [number(level, 0 if float(level).is_integer() else 2) if numbers else str(level)
                           for level in levels])  # fmt: skip
    ax.set_xlabel(name, fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    ax.set_ylabel(text("game.path_axis", lang), fontproperties=font(lang, 9.5), color=MUTED)
    clean(ax, lang)
    title = text("game.path_title", lang, path=name)
    caption = text("game.path_caption", lang, runs=runs)
    right = layout.label_room(ax, labels, lang) + 8
    if mine:
        layout.margins(figure_of(ax), top=60, right=right, left=72)
    taken = layout.head(ax, title, caption, lang, beyond=right - 12 if mine else 0)
    if mine:
        layout.margins(figure_of(ax), top=taken + 10, right=right, left=72)
    layout.end_labels(ax, labels, lang)
    return ax


def replicator(
    frame: pd.DataFrame,
    player: str | None = None,
    *,
    names: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw how shares of strategies change when what pays is imitated.

    Parameters
    ----------
    frame
        Rows of ``Played.trajectories``: start, step, player, strategy, share.
    player
        Whose strategies; by default the first player's.
    names
        As for `payoffs`.
    ax
        Where to draw; by default a figure of its own.
    lang
        ``en`` or ``zh``.
    about
        Display names.
    """
    lang, about = usable_language(lang), about or About()
    player = player or str(frame["player"].iloc[0])
    frame = frame[frame["player"] == player]
    mine = ax is None
    ax = new_axes() if ax is None else ax
    strategies = list(dict.fromkeys(frame["strategy"]))
    steps = np.sort(frame["step"].unique())
    labels = []
    for k, name in enumerate(strategies):
        color, dash = COLORS[k % len(COLORS)], DASHES[k % len(DASHES)]
        for start, part in frame[frame["strategy"] == name].groupby("start"):
            first = start == 0
            ax.plot(part["step"] / 4, part["share"], color=color, linestyle=dash, linewidth=2.4 if first else 0.9,
                    alpha=1 if first else 0.45, zorder=3 if first else 2)  # fmt: skip
            if first:
                labels.append(layout.EndLabel(float(part["share"].iloc[-1]), _named(name, lang, names), color))
    ax.set_xlim(0, steps[-1] / 4)
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(100 * value)}\N{NO-BREAK SPACE}%"))
    ax.set_xlabel(text("game.time_axis", lang), fontproperties=font(lang, 9.5), color=MUTED, labelpad=6)
    ax.set_ylabel(text("game.replicator_axis", lang), fontproperties=font(lang, 9.5), color=MUTED)
    clean(ax, lang)
    ax.spines["left"].set_visible(False)
    ax.spines["bottom"].set_color(AXIS)
    title = text("game.replicator_title", lang, player=about.firm(player, lang))
    caption = text("game.replicator_caption", lang, starts=frame["start"].nunique())
    right = layout.label_room(ax, labels, lang) + 8
    if mine:
        layout.margins(figure_of(ax), top=60, right=right, left=72)
    taken = layout.head(ax, title, caption, lang, beyond=right - 12 if mine else 0)
    if mine:
        layout.margins(figure_of(ax), top=taken + 10, right=right, left=72)
    layout.end_labels(ax, labels, lang)
    return ax


def _named(label: str, lang: str, names: Mapping[str, str] | None) -> str:
    """Return how a strategy is called."""
    if names is not None:
        return names.get(label, label)
    key = f"strategy.{label}"
    return text(key, lang) if has_text(key) else label


def _profile(words: str, lang: str, names: Mapping[str, str] | None) -> str:
    """Return an equilibrium with the strategies' names."""
    sides = (side.split(" + ") for side in words.split(" / "))
    return " / ".join(" + ".join(_named(name, lang, names) for name in side) for side in sides)


def _measure_name(measure: str, lang: str) -> str:
    """Return a measure's label with its window."""
    name, at, window = measure.partition("@")
    return (PER_FIRM[name].label[lang] if name in PER_FIRM else name) + (f" {at}{window}" if window else "")


def _unit(measure: str, values: np.ndarray, about: About, lang: str) -> tuple[float, str, int]:
    """Return what payoffs are divided by, the unit's name, and the digits to show."""
    what = PER_FIRM.get(measure.partition("@")[0])
    most = float(np.abs(values).max())
    if what is not None and what.unit.startswith("currency"):
        size, word = money_unit(most, lang)
        return size, scaled_currency(word, about.currency_name(lang), lang), money_digits(most, lang)
    if what is not None and what.is_rate:
        return 0.01, "%", 1
    return 1.0, what.unit if what is not None else "", 2

"""Whom a firm has: how long customers stay, how far they have come, what holds them, and how satisfied they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from churnsim.economics.survival import survivor_curve
from churnsim.i18n import number, percent, text
from churnsim.plots import layout
from churnsim.plots.areas import PATTERNS
from churnsim.plots.fans import firms_of, only_scenario
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

RISK_TICKS = 6
"""Tenures at which the table under survival curves says how many are at risk."""

LEAST_AT_RISK = 0.02
"""The curves end where fewer customers than this share of the most frequent tenure are left to tell from."""

LADDER = ("suspects", "prospects", "first_time", "repeat", "clients", "advocates", "partners")
"""Stages of the loyalty ladder, from the bottom."""

CUT_SATISFIED, CUT_LOYAL = 3.5, 0.5
"""Between level 3 and 4 of five, and half: where the quadrants meet (assumed)."""

SHOWN_MONEY = 0.5
"""Terms with a mean below this, in money, are left out of the balance."""


def survival(
    frame: pd.DataFrame,
    *,
    firms: Sequence[str] | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw how long customers stay (Kaplan & Meier 1958), with a table of those at risk.

    Parameters
    ----------
    frame
        Rows of ``Result.tenure`` of one or several scenarios; the runs are pooled.
    firms
        Which firms; by default all. A line is drawn per scenario and firm.
    ax, lang, about
        As for `churnsim.plots.fan`.
    """
    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    shown = list(firms or firms_of(frame))
    groups = [
        (name, firm) for name in frame["scenario"].cat.categories for firm in shown
        if ((frame["scenario"] == name) & (frame["firm"] == firm)).any()
    ]  # fmt: skip
    several = len({name for name, _ in groups}) > 1
    labels, lines, longest, first = [], [], 1, 10**9
    for place, (name, firm) in enumerate(groups):
        rows = frame[(frame["scenario"] == name) & (frame["firm"] == firm)]
        sums = rows.groupby("tenure")[["at_risk", "lost"]].sum().sort_index()
        sums = sums[sums["at_risk"] >= max(1.0, LEAST_AT_RISK * sums["at_risk"].max())]
        curve = survivor_curve(sums["at_risk"].to_numpy(), sums["lost"].to_numpy())[:-1]
        color = COLORS[place % len(COLORS)]
        ax.step(sums.index, curve, where="post", color=color, linestyle=DASHES[place % len(DASHES)], linewidth=2)
        said = about.scenario(name, lang) if several else about.firm(firm, lang)
        if several and len(shown) > 1:
            said = text("plot.comma", lang).join([about.firm(firm, lang), said])
        labels.append(layout.EndLabel(float(curve[-1]), f"{said}  {percent(curve[-1])}", color))
        lines.append((said, sums["at_risk"] / frame["seed"].nunique(), color))
        longest, first = max(longest, int(sums.index.max())), min(first, int(sums.index.min()))
    ax.set_xlim(first, longest)
    ax.set_ylim(0, 1.02)
    value_axis(ax, measure_of("share"), about, lang)
    label = text("plot.tenure", lang, ticks=text(f"tick.{about.tick}.plural", lang))
    ax.set_xlabel(label, fontproperties=font(lang, 9.5), color=MUTED, labelpad=4)
    clean(ax, lang)
    left = max(layout.extent(ax, said, font(lang, 9)) for said, _, _ in lines) + 34
    _at_risk(ax, lines, (first, longest), lang)
    caption = text("plot.survival_caption", lang, runs=frame["seed"].nunique())
    if not several:
        caption = f"{about.scenario(groups[0][0], lang)} · {caption}"
    layout.finish(
        ax, own, text("plot.survival_title", lang), caption, lang, labels=labels,
        left=max(left, layout.tick_room(ax, lang)), bottom=62 + 12 * len(lines),
    )  # fmt: skip
    return ax


def _at_risk(ax: Axes, lines: list[tuple[str, pd.Series, str]], span: tuple[int, int], lang: str) -> None:
    """Write how many customers have a tenure, per run, under the axis."""
    places = np.unique(np.linspace(*span, RISK_TICKS).round().astype(int))
    ax.annotate(
        text("plot.at_risk", lang), (0, 0), (0, -40), xycoords="axes fraction", textcoords="offset points",
        fontproperties=font(lang, 9, "bold"), color=MUTED, annotation_clip=False,
    )  # fmt: skip
    for row, (said, counts, _) in enumerate(lines):
        down = -53 - 12 * row
        ax.annotate(
            said, (0, 0), (-26, down), xycoords="axes fraction", textcoords="offset points", ha="right",
            fontproperties=font(lang, 9), color=MUTED, annotation_clip=False,
        )  # fmt: skip
        for at in places:
            ax.annotate(
                number(float(counts.get(at, 0))), (at, 0), (0, down), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="center", fontproperties=font(lang, 9), color=INK, annotation_clip=False,
            )  # fmt: skip


def ladder(
    frame: pd.DataFrame,
    *,
    firm: str | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw a firm's loyalty ladder at the last tick: people on each stage, and what part has come further.

    Parameters
    ----------
    frame
        Rows of ``Result.ticks`` of one scenario with dealings beyond the stay.
    firm
        Which; by default the first.
    ax, lang, about
        As for `churnsim.plots.fan`.

    Raises
    ------
    ValueError
        If the scenario has no dealings, and therefore counts no stages.
    """
    lang, about = usable_language(lang), about or About()
    if LADDER[0] not in frame or frame[LADDER[0]].isna().all():
        raise ValueError("this scenario has no dealings beyond the stay, so nobody counts the stages of its customers")
    own, ax = ax is None, new_axes() if ax is None else ax
    firm = firm or firms_of(frame)[0]
    last = int(frame["tick"].max())
    rows = frame[(frame["firm"] == firm) & (frame["tick"] == last)]
    heads = [float(rows[name].mean()) for name in LADDER]
    further = np.cumsum(heads[::-1])[::-1]
    widest = max(heads) or 1.0
    for place, (name, count) in enumerate(zip(LADDER, heads, strict=True)):
        color = "#0072B2" if place >= 2 else NEUTRAL
        ax.barh(place, count, 0.7, -count / 2, color=color, alpha=0.35 + 0.09 * place, edgecolor="white")
        said, bold = f"{measure_of(name).label[lang]}  {number(count)}", font(lang, 9, "bold")
        inside = layout.extent(ax, said, bold) + 8 < count / (1.44 * widest) * layout.width_of(ax) or not count
        ax.annotate(
            said, (0 if inside else count / 2, place), (0 if inside else 5, 0), textcoords="offset points",
            ha="center" if inside else "left", va="center", fontproperties=bold, color=INK,
        )  # fmt: skip
        if place:
            share = further[place] / further[place - 1] if further[place - 1] else 0.0
            ax.annotate(
                text("plot.come_further", lang, share=percent(share)), (1, place - 0.5),
                xycoords=("axes fraction", "data"), ha="right", va="center", fontproperties=font(lang, 9),
                color=MUTED,
            )  # fmt: skip
    ax.set_xlim(-widest * 0.72, widest * 0.72)
    ax.set_ylim(-0.6, len(LADDER) - 0.4)
    ax.set_axis_off()
    tick = text(f"tick.{about.tick}.name", lang)
    parts = (
        about.firm(firm, lang), about.scenario(only_scenario(frame), lang),
        text("plot.at_tick", lang, tick=tick, number=last), text("plot.mean_of", lang, runs=frame["seed"].nunique()),
    )  # fmt: skip
    layout.finish(ax, own, text("plot.ladder_title", lang), " · ".join(parts), lang, left=20, right=20, bottom=12)
    return ax


def balance(frame: pd.DataFrame, *, ax: Axes | None = None, lang: str = "en", about: About | None = None) -> Axes:
    """Draw what holds each firm's customers: drivers and resistances, in money against the best alternative.

    Parameters
    ----------
    frame
        Table ``firms`` of `churnsim.holds`. What speaks for leaving stands left of zero.
    ax, lang, about
        As for `churnsim.plots.fan`.
    """
    from churnsim.lock_in import DRIVERS, RESISTANCES

    lang, about = usable_language(lang), about or About()
    own, ax = ax is None, new_axes() if ax is None else ax
    terms = [name for name in (*DRIVERS, *RESISTANCES) if (frame[name].abs() >= SHOWN_MONEY).any()]
    looks = {name: (COLORS[place % len(COLORS)], PATTERNS[place % len(PATTERNS)]) for place, name in enumerate(terms)}
    for row, (_, firm) in enumerate(frame.iterrows()):
        ends = {1: 0.0, -1: 0.0}
        for name in terms:
            value = float(firm[name])
            sign = 1 if value >= 0 else -1
            color, hatch = looks[name]
            ax.barh(row, value, 0.5, ends[sign], color=color, hatch=hatch, edgecolor="white", linewidth=0.6,
                    label=text(f"plot.hold.{name}", lang) if row == 0 else None)  # fmt: skip
            ends[sign] += value
        held = text(
            "plot.held",
            lang,
            love=percent(firm["love"]),
            lock_in=percent(firm["lock_in"]),
            leaving=percent(firm["leaving"]),
        )
        ax.annotate(
            held,
            (0, row - 0.38),
            (2, 0),
            textcoords="offset points",
            va="center",
            fontproperties=font(lang, 9),
            color=MUTED,
        )
    ax.axvline(0, color=AXIS, linewidth=1)
    ax.set_yticks(range(len(frame)), [about.firm(str(name), lang) for name in frame["firm"]])
    ax.set_ylim(len(frame) - 0.4, -0.6)
    ax.xaxis.set_major_formatter(money_ticks(ax.xaxis, about.currency, lang))
    clean(ax, lang)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color=AXIS, alpha=0.2)
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=4, frameon=False, prop=font(lang, 9), handlelength=1.3,
        columnspacing=1.3,
    )  # fmt: skip
    names = max(layout.extent(ax, label.get_text(), font(lang, 9)) for label in ax.get_yticklabels())
    layout.finish(
        ax, own, text("plot.balance_title", lang), text("plot.balance_caption", lang), lang, left=names + 16,
        bottom=34 + 16 * (-(-len(terms) // 4)),
    )  # fmt: skip
    return ax


def satisfied_loyal(
    frame: pd.DataFrame,
    *,
    firm: str | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    about: About | None = None,
) -> Axes:
    """Draw how many buy again by how satisfied they were (Jones & Sasser 1995), with their four kinds of customer.

    Parameters
    ----------
    frame
        Rows of ``Result.ticks`` of one or several scenarios with dealings beyond the stay, whose purchases are counted
        by level of satisfaction. A line is drawn per scenario; a dot is as large as its level is frequent.
    firm
        Which; by default the first.
    ax, lang, about
        As for `churnsim.plots.fan`.

    Raises
    ------
    ValueError
        If no scenario has dealings.
    """
    lang, about = usable_language(lang), about or About()
    if "occasions_level_1" not in frame or frame["occasions_level_1"].isna().all():
        raise ValueError("no scenario here has dealings beyond the stay, so nobody counts purchases by satisfaction")
    own, ax = ax is None, new_axes() if ax is None else ax
    firm = firm or firms_of(frame)[0]
    rows = frame[(frame["firm"] == firm) & (frame["tick"] > 0)]
    levels = np.arange(1, 6)
    labels = []
    present = [name for name in frame["scenario"].cat.categories if (rows["scenario"] == name).any()]
    for place, name in enumerate(present):
        sums = rows[rows["scenario"] == name].sum(numeric_only=True)
        occasions = np.array([sums[f"occasions_level_{level}"] for level in levels])
        repeats = np.array([sums[f"repeats_level_{level}"] for level in levels])
        known = occasions > 0
        rate = repeats[known] / occasions[known]
        color = COLORS[place % len(COLORS)]
        ax.plot(levels[known], rate, color=color, linestyle=DASHES[place % len(DASHES)], linewidth=1.8)
        ax.scatter(
            levels[known], rate, s=12 + 420 * occasions[known] / occasions.sum(), color=color, alpha=0.55, zorder=3
        )
        labels.append(layout.EndLabel(float(rate[-1]), about.scenario(name, lang), color))
    ax.axvline(CUT_SATISFIED, color=AXIS, linewidth=0.9)
    ax.axhline(CUT_LOYAL, color=AXIS, linewidth=0.9)
    for kind, x, y in (
        ("hostage", 0.52, 1.04),
        ("loyalist", 3.58, 1.04),
        ("defector", 0.52, 0.02),
        ("mercenary", 3.58, 0.02),
    ):
        ax.annotate(
            text(f"plot.kind.{kind}", lang), (x, y), fontproperties=font(lang, 9, "bold"), color=MUTED, va="bottom"
        )
    ax.set_xlim(0.45, 5.4)
    ax.set_ylim(0, 1.12)
    value_axis(ax, measure_of("share"), about, lang)
    ax.set_ylim(0, 1.12)
    ax.set_xticks(levels, [text(f"plot.level.{level}", lang) for level in levels])
    clean(ax, lang)
    caption = text("plot.satisfied_caption", lang, firm=about.firm(firm, lang), runs=frame["seed"].nunique())
    layout.finish(ax, own, text("plot.satisfied_title", lang), caption, lang, labels=labels)
    return ax

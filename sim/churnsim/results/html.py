"""How a result looks in a notebook: one table, one small picture, no outside files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from churnsim.i18n import money, percent, text
from churnsim.results.knowledge import knows, share_of

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.results import Result

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#333333", "#999999")
DASHES = ("", "5 2", "6 2 1.5 2", "1.5 1.5", "9 2", "3 1.5 1 1.5")
WIDTH, HEIGHT = 240, 60
FEW_SEEDS = 30
"""Below this many seeds a result says so."""

LAST_TICKS = 12
"""Ticks over which churn is averaged."""

PROFIT = "cumulative_profit"


def result_html(result: Result, lang: str = "en") -> str:
    """Return a result as HTML: what it is, a summary per scenario and firm, and curves of share.

    Parameters
    ----------
    result
        Any result.
    lang
        ``en`` or ``zh``.
    """
    runs = len(result.seeds)
    saved = text("result.saved", lang, folder=result.folder) if result.folder else text("result.not_saved", lang)
    parts = [f"<p><b>{escape(_heading(result, lang))}</b></p>"]
    if runs < FEW_SEEDS:
        parts.append(f'<p role="alert">⚠ {escape(few_seeds(runs, lang))}</p>')
    parts += [_table(result, lang), f"<p>{escape(text('result.brackets', lang, runs=runs))} · {escape(saved)}</p>"]
    return "<div>" + "".join(parts) + "</div>"


def unreadable_html(result: Result, reason: str) -> str:
    """Return a result whose scenarios cannot be read: what it is, why, and a summary of its tables.

    Parameters
    ----------
    result
        The result.
    reason
        Why its scenarios cannot be read.
    """
    table = result.summary(measures=["share", "churn", "cumulative_profit"]).to_html(index=False)
    return f'<div><p><b>{escape(repr(result))}</b></p><p role="alert">⚠ {escape(reason)}</p>{table}</div>'


def few_seeds(runs: int, lang: str = "en") -> str:
    """Return the warning that so few seeds deserve."""
    return text("warning.one_seed", lang) if runs == 1 else text("warning.few_seeds", lang, runs=runs)


def _heading(result: Result, lang: str) -> str:
    """Return how many scenarios, runs and ticks there are."""
    seeds = result.seeds
    whole = len(seeds) > 1 and seeds == list(range(seeds[0], seeds[-1] + 1))
    said = f"{seeds[0]}-{seeds[-1]}" if whole else ", ".join(map(str, seeds[:6])) + (" …" if len(seeds) > 6 else "")
    tick = next(iter(result.scenarios.values())).tick
    key = "result.heading_one" if len(result.scenarios) == 1 else "result.heading"
    return text(
        key, lang, scenarios=len(result.scenarios), runs=len(result.runs), seeds=said, horizon=result.horizon,
        ticks=text(f"tick.{tick}.plural", lang),
    )  # fmt: skip


def _table(result: Result, lang: str) -> str:
    """Return the summary: a row per scenario and firm."""
    end = result.horizon
    last = (max(1, end - LAST_TICKS + 1), end)
    share, earns = share_of(result), knows(result, PROFIT)
    measures = [share, PROFIT] if earns else [share]
    at_end = result.summary(at=end, measures=measures).set_index(["scenario", "firm", "measure"])
    late = result.summary(at=[last], measures=["churn"]).set_index(["scenario", "firm"])
    tick = text(f"tick.{next(iter(result.scenarios.values())).tick}.name", lang)
    head = [
        text("result.scenario", lang), text("result.firm", lang), f"{_label(share, lang)}, {tick} {end}",
        f"{_label('churn', lang)}, {tick} {last[0]}-{last[1]}", *([_label(PROFIT, lang)] if earns else []),
        text("result.main_cause", lang), text("result.share_curve", lang),
    ]  # fmt: skip
    rows = []
    for name, scenario in result.scenarios.items():
        for place, (firm, settings) in enumerate(scenario.firms.items()):
            cause, part = result.main_cause(name, firm)
            cells = [
                escape(name) if place == 0 else "",
                f'<span style="color:{COLORS[place % len(COLORS)]}">■</span> {escape(settings.name[lang])}',
                _ranged(at_end.loc[(name, firm, share)], percent),
                _ranged(late.loc[(name, firm)], partial(percent, digits=1)),
                *(
                    [_ranged(at_end.loc[(name, firm, PROFIT)], partial(money, currency=scenario.currency, lang=lang))]
                    if earns
                    else []
                ),
                f"{escape(text(f'cause.{cause}', lang))} {percent(part)}" if cause else "",
            ]
            row = "".join(f"<td>{cell}</td>" for cell in cells)
            if place == 0:
                row += f'<td rowspan="{len(scenario.firms)}">{_sparkline(result, name, share, lang)}</td>'
            rows.append(f"<tr>{row}</tr>")
    titles = "".join(f"<th>{escape(words)}</th>" for words in head)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _label(measure: str, lang: str) -> str:
    """Return a measure's label."""
    return text(f"measure.firm.{measure}", lang)


def _ranged(row: pd.Series, write: Callable[[float], str]) -> str:
    """Return "36 % (35 % to 37 %)"."""
    return f"{write(row['mean'])} ({write(row['low'])} … {write(row['high'])})"


def _sparkline(result: Result, scenario: str, share: str, lang: str) -> str:
    """Return mean shares in play as a small inline SVG."""
    frame = result.ticks
    frame = frame[(frame["scenario"] == scenario) & (frame["tick"] >= 0)]
    means = frame.groupby(["firm", "tick"], observed=True)[share].mean()
    top = max(float(means.max()), 1e-9) * 1.05
    lines = []
    for place, firm in enumerate(result.scenarios[scenario].firms):
        curve = means.loc[firm].dropna()
        span = max(int(curve.index.max()), 1) if len(curve) else 1
        points = " ".join(f"{WIDTH * t / span:.1f},{HEIGHT - HEIGHT * v / top:.1f}" for t, v in curve.items())
        lines.append(
            f'<polyline points="{points}" fill="none" stroke="{COLORS[place % len(COLORS)]}" stroke-width="1.6" '
            f'stroke-dasharray="{DASHES[place % len(DASHES)]}"/>'
        )
    alt = escape(f"{text('result.share_curve', lang)}: {scenario}", quote=True)
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{alt}">'
        f'<line x1="0" y1="{HEIGHT}" x2="{WIDTH}" y2="{HEIGHT}" stroke="#8C8C8C"/>{"".join(lines)}</svg>'
    )

"""The figures of a report, each with what it shows in a sentence and the numbers behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd

from churnsim import plots
from churnsim.i18n import text
from churnsim.plots.style import figure_of
from churnsim.report.captions import stated
from churnsim.report.quantities import PROFIT
from churnsim.results.knowledge import share_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from churnsim.report.answers import Findings
    from churnsim.report.doubts import Doubt

DRAWN: dict[str, Callable[..., Axes]] = {"swings": plots.tornado, "morris": plots.morris_plane}
"""How the methods of studies are drawn; all others as bars."""

BESIDE_THE_ANSWER = 3.7
"""Height of the answer's figure in inches, at which the answer to a few scenarios fits on one page."""

IN_A_ROW = 2
"""Panels in a row: so many can be read when the figure is as wide as a sheet of A4."""

MOST_LETTERS = 28
"""Latin letters of a choice's name in a figure; its caption has the whole name."""


@dataclass(frozen=True)
class Drawing:
    """A figure of the report.

    Attributes
    ----------
    name : str
        For file names and links.
    svg : str
        The picture, as an element to stand inside a page.
    caption : str
        What it shows.
    data : str
        The numbers behind it, as the address of a CSV file that the page itself holds.
    """

    name: str
    svg: str
    caption: str
    data: str


def drawings(found: Findings, letters: plots.Letters) -> dict[str, list[Drawing]]:
    """Return the figures of the report by the block that they belong to; those of doubts by their own names.

    Parameters
    ----------
    found
        What the report says.
    letters
        Where the outlines of the figures' letters are kept, which the page must hold once.
    """
    made: dict[str, list[Drawing]] = {}
    names = {
        "firm": found.firm_name(found.firm), "main": found.called(found.main),
        "baseline": found.called(found.baseline),
    }  # fmt: skip
    for block, name, draw, frame in _wanted(found):
        ax = draw()
        said = found.say(f"figure.{name}", label=text(f"measure.firm.{found.goal}", found.lang), **names)
        caption = ("" if found.lang == "zh" else " ").join([said, *stated(found, name)])
        picture = Drawing(name, plots.svg(figure_of(ax), letters), caption, csv_address(frame))
        made.setdefault(block, []).append(picture)
    for doubt in found.doubts:
        if doubt.frame is None:
            continue
        if doubt.method in DRAWN:
            named = {"measure": doubt.measure, "about": found.about}
            ax = DRAWN[doubt.method](doubt.frame, lang=found.lang, **named)
        else:
            ax = plots.index_bars(doubt.frame, lang=found.lang)
        picture = Drawing(doubt.name, plots.svg(figure_of(ax), letters), _how(found, doubt), csv_address(doubt.frame))
        made.setdefault(doubt.name, []).append(picture)
    return made


def _how(found: Findings, doubt: Doubt) -> str:
    """Say what the figure of a study shows."""
    method = doubt.method if doubt.method in DRAWN else "indices"
    return found.say(f"doubt.figure.{method}", outcome=doubt.outcome)


def _wanted(found: Findings) -> Iterator[tuple[str, str, Callable[[], Axes], pd.DataFrame]]:
    """Return block, name, how to draw, and numbers of every figure that this result has the data for."""
    result, lang, firm, main = found.result, found.lang, found.firm, found.main
    plot, several = result.plot, bool(found.others)
    own = {"lang": lang, "firm": firm}
    names = (_short(found.called(found.baseline)), _short(found.called(main)))
    pair: dict[str, Any] = {"baseline": found.baseline, "scenario": main, "names": names}
    ticks = result.ticks
    # The baseline comes first everywhere, and lines are means, as the tables' numbers are.
    ordered = ticks[ticks["scenario"].isin(found.drawn)]
    ordered = ordered.assign(scenario=ordered["scenario"].cat.set_categories(found.drawn))
    share, earns = share_of(result), found.earns
    shares, profits = (_by_tick(found, ordered, [name]) for name in (share, PROFIT))
    foreground = ticks[ticks["scenario"] == main]
    named: dict[str, Any] = {"lang": lang, "about": found.about, "center": "mean", "columns": IN_A_ROW}
    if several:
        pair_of_firm = ticks[ticks["scenario"].isin([main, found.baseline]) & (ticks["firm"] == firm)]
        both = _by_tick(found, pair_of_firm, [found.goal])
        small: dict[str, Any] = {"center": "mean", "height": BESIDE_THE_ANSWER}
        ghost = "ghost_profit" if earns else "ghost_share"
        yield "answer", ghost, lambda: plot.ghost(found.goal, **pair, **own, **small), both
        yield "time", share, lambda: plots.compare(ordered, share, **named)[0], shares
        if earns:
            yield "time", "profit", lambda: plots.compare(ordered, PROFIT, **named)[0], profits
    else:
        yield "answer", share, lambda: plot.fan(share, scenario=main, lang=lang, center="mean"), shares
        if earns:
            yield "time", "profit", lambda: plot.profit(scenario=main, lang=lang, center="mean"), profits
    if found.is_cohort:
        return
    yield "time", "ribbons", lambda: plot.ribbons(scenario=main, lang=lang), _by_tick(found, foreground, ["share"])
    causes = _departures(result.causes)
    somebody_left = bool(found.causes[main, firm]["total"])
    every = ("causes", "causes", lambda: plot.causes_and_summary(scenario=main, lang=lang)[0], causes)
    # That of many firms is as high as a page: the others fill the page on which the part begins.
    is_long = len(found.first.firms) > IN_A_ROW
    if somebody_left:
        yield from () if is_long else (every,)
        yield from _of_causes(found, causes)
    if several and (somebody_left or found.causes[found.baseline, firm]["total"]):
        yield "causes", "cause_waterfall", lambda: plot.cause_waterfall(**pair, **own), causes
    if somebody_left and is_long:
        yield every
    if several and earns:
        yield "money", "profit_waterfall", lambda: plot.profit_waterfall(**pair, **own), _sums(result.ticks)
    loyal = ["true_loyal", "latent_loyal", "spurious_loyal", "not_loyal"]
    kinds = _by_tick(found, foreground[foreground["firm"] == firm], loyal)
    yield "customers", "loyalty", lambda: plot.loyalty_types(scenario=main, **own), kinds
    if found.first.money == "known":  # what holds customers is told in money
        held = found.held.firms
        yield "customers", "balance", lambda: plots.balance(held, lang=lang, about=found.about), held
    if result.tenure is not None:
        yield "customers", "survival", lambda: plot.survival(scenario=main, lang=lang), result.tenure
        yield "customers", "pareto", lambda: plot.pareto(scenario=main, lang=lang), result.concentration
    if "suspects" in result.ticks and not result.ticks["suspects"].isna().all():
        last = result.ticks[result.ticks["tick"] == result.horizon]
        yield "customers", "ladder", lambda: plot.ladder(scenario=main, **own), last


def _of_causes(found: Findings, causes: pd.DataFrame) -> Iterator[tuple[str, str, Callable[[], Axes], pd.DataFrame]]:
    """Return the figures of why customers left the firm and where they went in the main scenario."""
    plot, lang, main = found.result.plot, found.lang, found.main
    yield "causes", "taxonomy", lambda: plot.taxonomy(scenario=main, firm=found.firm, lang=lang), causes
    switches = _switches(found.result.flows)
    yield "causes", "switching", lambda: plot.switching(scenario=main, lang=lang), switches


def _short(name: str) -> str:
    """Return a name that has room at the end of a line in a figure."""
    room = MOST_LETTERS if name.isascii() else MOST_LETTERS // 2
    return name if len(name) <= room else f"{name[: room - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def csv_address(frame: pd.DataFrame) -> str:
    """Return a table as a data address; with the mark by which Excel knows UTF-8."""
    content = "\N{ZERO WIDTH NO-BREAK SPACE}" + frame.to_csv(index=False, lineterminator="\r\n", float_format="%.5g")
    return "data:text/csv;charset=utf-8," + quote(content, safe=" ,;:.-/()'")


def _by_tick(found: Findings, ticks: pd.DataFrame, measures: list[str]) -> pd.DataFrame:
    """Return mean, 5 and 95 % of the runs, a row per tick, and columns named for people."""
    groups = ticks[ticks["tick"] >= 0].groupby(["scenario", "firm", "tick"], observed=True)[measures]
    parts = {"": groups.mean(), "5 %": groups.quantile(0.05), "95 %": groups.quantile(0.95)}
    columns = {}
    for measure in measures:
        label = text(f"measure.firm.{measure}", found.lang)
        for scenario, firm in dict.fromkeys(zip(*(parts[""].index.get_level_values(n) for n in (0, 1)), strict=True)):
            head = found.say("comma").join((label, found.firm_name(firm), found.title(scenario)))
            for said, table in parts.items():
                columns[f"{head} {said}".strip()] = table.loc[(scenario, firm), measure]
    tick = text(f"tick.{found.first.tick}.name", found.lang)
    return pd.DataFrame(columns).rename_axis(tick).reset_index()


def _departures(causes: pd.DataFrame) -> pd.DataFrame:
    """Return departures of play per scenario, firm and cause, mean of the runs."""
    rows = causes[causes["tick"] > 0]
    keys = ["scenario", "firm", "course", "cause"]
    sums = rows.groupby(keys, observed=True)[["primary", "share"]].sum() / causes["seed"].nunique()
    return sums[sums["share"] > 0].reset_index()


def _switches(flows: pd.DataFrame) -> pd.DataFrame:
    """Return who switched to whom in play, mean of the runs."""
    rows = flows[flows["tick"] > 0]
    sums = rows.groupby(["scenario", "from", "to"], observed=True)["count"].sum() / flows["seed"].nunique()
    return sums.reset_index()


def _sums(ticks: pd.DataFrame) -> pd.DataFrame:
    """Return sums of money over play, mean of the runs."""
    names = [
        n for n in ("revenue", "stays", "service_cost", "relationship_cost", "dealing_cost", "profit") if n in ticks
    ]
    rows = ticks[ticks["tick"] > 0]
    return (rows.groupby(["scenario", "firm"], observed=True)[names].sum() / ticks["seed"].nunique()).reset_index()

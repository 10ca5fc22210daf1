"""The figures of a report, each with what it shows in a sentence and the numbers behind it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from churnsim import plots
from churnsim.plots.accessor import about
from churnsim.plots.style import figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from churnsim.lock_in import Holds
    from churnsim.report.answers import Findings

MOST_HELD = 20_000
"""Customers of the run that is repeated to see what holds them; a larger market is repeated smaller."""


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


def drawings(found: Findings) -> dict[str, list[Drawing]]:
    """Return the figures of the report by the block that they belong to.

    Parameters
    ----------
    found
        What the report says.
    """
    made: dict[str, list[Drawing]] = {}
    for block, name, draw, frame in _wanted(found):
        ax = draw()
        caption = found.say(f"figure.{name}", firm=found.firm_name(found.firm), main=found.title(found.main))
        picture = Drawing(name, plots.svg(figure_of(ax)), caption, csv_address(frame))
        made.setdefault(block, []).append(picture)
    return made


def _wanted(found: Findings) -> Iterator[tuple[str, str, Callable[[], Axes], pd.DataFrame]]:
    """Return block, name, how to draw, and numbers of every figure that this result has the data for."""
    result, lang, firm, main = found.result, found.lang, found.firm, found.main
    plot, several = result.plot, bool(found.others)
    own = {"lang": lang, "firm": firm}
    pair = {"baseline": found.baseline, "scenario": main}
    shares, profits = (_by_tick(result.ticks, [name]) for name in ("share", "cumulative_profit"))
    if several:
        yield "answer", "ghost_profit", lambda: plot.ghost("cumulative_profit", **pair, **own), profits
        yield "time", "share", lambda: plot.compare("share", lang=lang)[0], shares
        yield "time", "profit", lambda: plot.compare("cumulative_profit", lang=lang)[0], profits
    else:
        yield "answer", "share", lambda: plot.share(scenario=main, lang=lang), shares
        yield "time", "profit", lambda: plot.profit(scenario=main, lang=lang), profits
    yield "time", "ribbons", lambda: plot.ribbons(scenario=main, lang=lang), shares
    causes = _departures(result.causes)
    somebody_left = bool(found.causes[main, firm]["total"])
    if somebody_left:
        yield from _of_causes(found, causes)
    if several and (somebody_left or found.causes[found.baseline, firm]["total"]):
        yield "causes", "cause_waterfall", lambda: plot.cause_waterfall(**pair, **own), causes
    if several:
        yield "money", "profit_waterfall", lambda: plot.profit_waterfall(**pair, **own), _sums(result.ticks)
    kinds = _by_tick(result.ticks, ["true_loyal", "latent_loyal", "spurious_loyal", "not_loyal"])
    yield "customers", "loyalty", lambda: plot.loyalty_types(scenario=main, **own), kinds
    held = held_customers(found).firms
    yield "customers", "balance", lambda: plots.balance(held, lang=lang, about=about(result)), held
    if result.tenure is not None:
        yield "customers", "survival", lambda: plot.survival(scenario=main, lang=lang), result.tenure
        yield "customers", "pareto", lambda: plot.pareto(scenario=main, lang=lang), result.concentration
    if "suspects" in result.ticks and not result.ticks["suspects"].isna().all():
        last = result.ticks[result.ticks["tick"] == result.horizon]
        yield "customers", "ladder", lambda: plot.ladder(scenario=main, **own), last


def _of_causes(found: Findings, causes: pd.DataFrame) -> Iterator[tuple[str, str, Callable[[], Axes], pd.DataFrame]]:
    """Return the figures of who left and why in the main scenario."""
    plot, lang, main = found.result.plot, found.lang, found.main
    yield "causes", "causes", lambda: plot.causes_and_summary(scenario=main, lang=lang)[0], causes
    yield "causes", "taxonomy", lambda: plot.taxonomy(scenario=main, firm=found.firm, lang=lang), causes
    switches = _switches(found.result.flows)
    yield "causes", "switching", lambda: plot.switching(scenario=main, lang=lang), switches


def held_customers(found: Findings) -> Holds:
    """Return what holds the customers at the end of one run of the main scenario, which is repeated for it."""
    from churnsim.lock_in import holds
    from churnsim.model import ChurnModel

    scenario = found.first
    if scenario.customers.count > MOST_HELD:
        scenario = scenario.set({"customers.count": MOST_HELD})
    model = ChurnModel(scenario, rng=found.result.seeds[0])
    while model.tick < scenario.horizon:
        model.step()
    return holds(model)


def csv_address(frame: pd.DataFrame) -> str:
    """Return a table as a data address; with the mark by which Excel knows UTF-8."""
    content = "\N{ZERO WIDTH NO-BREAK SPACE}" + frame.to_csv(index=False, lineterminator="\r\n", float_format="%.5g")
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(content.encode()).decode()


def _by_tick(ticks: pd.DataFrame, measures: list[str]) -> pd.DataFrame:
    """Return mean, 5 and 95 % of the runs per scenario, firm and tick."""
    groups = ticks[ticks["tick"] >= 0].groupby(["scenario", "firm", "tick"], observed=True)[measures]
    low, high = groups.quantile(0.05), groups.quantile(0.95)
    joined = groups.mean().join(low.add_suffix("_5")).join(high.add_suffix("_95"))
    return joined.reset_index()


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

"""What ``churnsim run`` prints: how the firms of every arm fare, with intervals over the runs."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import churnsim
from churnsim.causes import CAUSE_NAMES, N_VALUE_CAUSES
from churnsim.cli.leads import lead_change
from churnsim.cli.options import name_seeds
from churnsim.i18n import has_text, money, number, percent, text
from churnsim.i18n.numbers import MINUS, NO_VALUE
from churnsim.results.knowledge import only_leaves
from churnsim.scenario import BASE_ARM

if TYPE_CHECKING:
    from churnsim.cli.session import Session
    from churnsim.results import Result
    from churnsim.scenario import Scenario

ENOUGH_SEEDS = 30
"""With fewer runs the table comes with a warning."""

EARLY_TICK = 24
"""The earlier of the two ticks at which shares are shown (two years of the hotels)."""

LAST_TICKS = 12
"""Ticks at the end over which churn is averaged (a year of the hotels)."""

MONEY = ("cumulative_profit", "cash")
"""Rows of money, where it is known."""


def folder_name(scenarios: Sequence[Scenario], seeds: Sequence[int]) -> str:
    """Return the name of the result's folder: the scenario's id, and a hash of all that decides the numbers."""
    return f"{scenarios[0].id}-{result_id(scenarios, seeds)}"


def result_id(scenarios: Sequence[Scenario], seeds: Sequence[int]) -> str:
    """Return six hex digits that stand for scenarios, seeds and version."""
    parts = [churnsim.__version__, *(f"{s.name}={s.key}" for s in scenarios), *map(str, seeds)]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=3).hexdigest()


def heading(session: Session, scenarios: Sequence[Scenario], seeds: Sequence[int]) -> str:
    """Return the line above the table: what is run."""
    first = scenarios[0]
    return session.say(
        "run.heading",
        scenario=first.id,
        firms=session.count("firm", len(first.firms)),
        customers=session.count("customer", first.customers.count),
        horizon=session.ticks(first.tick, first.horizon),
        seeds=session.count("seed", len(seeds), n=name_seeds(seeds)),
        version=churnsim.__version__,
    )


def print_comparison(session: Session, result: Result, shown: str | None) -> None:
    """Print one table per arm, a column per firm.

    Parameters
    ----------
    shown
        What was run as it was typed, for ``churnsim show``; None where that was a saved result.
    """
    for name, scenario in result.scenarios.items():
        session.print("")
        title = scenario.case_title if name == BASE_ARM and len(result.scenarios) > 1 else None
        session.print(f"{(title or scenario.title)[session.lang]}  [{name}]", style="bold")
        session.print(_table(session, result, scenario))
        outside = _outside(session, result, scenario)
        if outside is not None:
            session.prose(outside)
        if len(scenario.firms) > 1:
            lead = lead_change(session, result, name)
            if lead is not None:
                session.prose(lead)
    session.print("")
    runs = session.count("run", len(result.seeds))
    markets = [scenario for name, scenario in result.scenarios.items() if not only_leaves(result, name)]
    if not markets:
        session.prose(session.say("run.cohort", runs=runs))
    else:
        for known in dict.fromkeys(scenario.money for scenario in markets if scenario.money != "known"):
            session.prose(session.say(f"run.money_{known}"))
        session.prose(session.say("run.brackets", runs=runs, variety=text("cause.variety", session.lang)))
    if shown is not None:
        session.print(session.say("run.assumptions", scenario=shlex.quote(shown)))
    if len(result.seeds) < ENOUGH_SEEDS:
        key = "warning.one_seed" if len(result.seeds) == 1 else "warning.few_seeds"
        session.warn(text(key, session.lang, runs=len(result.seeds)))


def print_repeated(session: Session, saved: Result, again: Result) -> bool:
    """Say whether a repeated result has the same tables as the saved one, and return that."""
    then = saved.provenance.get("churnsim")
    if then != churnsim.__version__:
        session.warn(session.say("run.other_version", then=then, now=churnsim.__version__))
    if saved == again:
        session.note(session.say("run.identical"))
        return True
    tables = ("ticks", "market", "causes", "enablers", "flows", "events")
    differing = [name for name in tables if not getattr(saved, name).equals(getattr(again, name))]
    session.warn(session.say("run.differs", tables=", ".join(differing)))
    return False


def print_endings(session: Session, folder: Path, typed: str | None, *, written: bool) -> None:
    """Say where the result is, and what could come next with what was typed."""
    if session.quiet:
        if not session.json:
            session.print(str(folder))
        return
    if written:
        _print_saved(session, folder)
    quoted = shlex.quote(str(folder))
    if typed is None:
        session.print(session.say("run.next_repeat", folder=quoted))
    else:
        session.print(session.say("run.next", folder=quoted, scenario=typed))


def _print_saved(session: Session, folder: Path) -> None:
    """Say what was written where."""
    session.print(session.say("run.saved", folder=f"{folder}/", files="summary.csv *.parquet scenarios/ run.json"))
    figures = sorted((folder / "figures").glob("*.png"))
    if figures:
        names = " ".join(file.name for file in figures)
        session.print(session.say("run.figures", folder=f"{folder}/figures/", files=names))


def as_json(result: Result, folder: Path) -> dict[str, Any]:
    """Return the answer of ``churnsim run --json``: every measure at the horizon, per arm and firm."""
    arms: dict[str, Any] = {
        name: {
            "firms": {firm: {} for firm in scenario.firms},
            "causes": {firm: _cause_shares(result, name, firm) for firm in scenario.firms},
        }
        for name, scenario in result.scenarios.items()
    }
    for row in result.summary().itertuples():
        numbers = {"mean": row.mean, "low": row.low, "high": row.high}
        arms[row.scenario]["firms"][row.firm][row.measure] = numbers
    return {
        "scenario": _first(result).id,
        "id": result_id(list(result.scenarios.values()), result.seeds),
        "arms": arms,
        "out": str(folder),
    }


def _first(result: Result) -> Scenario:
    """Return the first scenario of a result."""
    return next(iter(result.scenarios.values()))


def _table(session: Session, result: Result, scenario: Scenario) -> Any:
    """Return an arm's table."""
    from rich.table import Table

    lang, end = session.lang, scenario.horizon
    early = _early(end)
    late = (max(1, end - LAST_TICKS + 1), end)
    tick = text(f"tick.{scenario.tick}.name", lang).lower()
    last = session.say("run.last_ticks", count=session.ticks(scenario.tick, late[1] - late[0] + 1))
    final = session.say("run.at_tick", tick=tick, number=end)

    def cash(value: float) -> str:
        return money(value, scenario.currency, lang)

    # Where nobody ever buys there is a cohort that only leaves: no market and no reasons to compare.
    cohort = only_leaves(result, scenario.name)
    share = "customer_share" if cohort else "share"
    places: Callable[[float], str] = (lambda value: percent(value, 1)) if cohort else percent
    rows: list[tuple[str, str, int | tuple[int, int], Callable[[float], str]]] = [
        (share, session.say("run.at_tick", tick=tick, number=early), early, places),
        (share, final, end, places),
        ("churn", last, late, lambda value: percent(value, 1)),
    ]
    if not cohort:
        rows.append(("quality", final, end, lambda value: number(value, 2)))
        rows += [(name, final, end, cash) for name in MONEY if scenario.knows(name)]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for head in ("", "", *(firm.name[lang] for firm in scenario.firms.values())):
        table.add_column(head)
    table.add_row("", "", *(_strategy(session, firm.strategy.name) for firm in scenario.firms.values()), style="dim")
    written = None
    for measure, when, window, write in rows:
        spread = result.summary(at=window, measures=measure)
        values = {row["firm"]: row for row in spread[spread["scenario"] == scenario.name].to_dict("records")}
        label = "" if measure == written else text(f"measure.firm.{measure}", lang)
        table.add_row(label, when, *(_spread(values[firm], write) for firm in scenario.firms))
        written = measure
    asked = ((session.say("run.main_reason"), "", ""), ("", session.say("run.apart"), "variety"))
    for label, when, apart in () if cohort else asked:
        reasons = (_reason(session, result, scenario.name, firm, apart) for firm in scenario.firms)
        table.add_row(label, when, *reasons)
    closures = [_closure(session, result, scenario, firm) for firm in scenario.firms]
    if any(closures):
        table.add_row(session.say("run.closed"), "", *(closure or NO_VALUE for closure in closures))
    return table


def _outside(session: Session, result: Result, scenario: Scenario) -> str | None:
    """Return what is missing from the firms' shares: purchases at no firm; None where nobody ever buys anywhere."""
    if only_leaves(result, scenario.name):
        return None
    end, tick = scenario.horizon, text(f"tick.{scenario.tick}.name", session.lang).lower()
    market = result.market[result.market["scenario"] == scenario.name]
    said = []
    for when in dict.fromkeys((_early(end), end)):
        values = market.loc[market["tick"] == when, "outside_share"].dropna()
        if len(values):
            spread = {"mean": values.mean(), "low": values.quantile(0.05), "high": values.quantile(0.95)}
            at = session.say("run.at_tick", tick=tick, number=when)
            said.append(session.say("run.outside_at", when=at, share=_spread(spread, percent)))
    return session.say("run.outside", shares=session.joined(said)) if said else None


def _early(end: int) -> int:
    """Return the earlier of the two ticks at which shares are shown."""
    return EARLY_TICK if end > EARLY_TICK else max(1, end // 4)


def _closure(session: Session, result: Result, scenario: Scenario, firm: str) -> str:
    """Return in how many runs a firm closed, and when; nothing if it never did."""
    ticks = result.ticks
    rows = ticks[(ticks["scenario"] == scenario.name) & (ticks["firm"] == firm) & (ticks["open"] == 0)]
    closed = rows.groupby("seed")["tick"].min()
    if closed.empty:
        return ""
    return session.say(
        "run.closed_in",
        closed=len(closed),
        total=session.count("run", len(result.seeds)),
        tick=text(f"tick.{scenario.tick}.name", session.lang).lower(),
        median=number(closed.median()),
    )


def _strategy(session: Session, name: str) -> str:
    """Return a strategy's name for people; a user's own strategy has only its own."""
    return text(f"strategy.{name}", session.lang) if has_text(f"strategy.{name}") else name


def _reason(session: Session, result: Result, scenario: str, firm: str, apart: str) -> str:
    """Return the main cause of a firm's voluntary losses (one cause apart), with its share of them."""
    shares = _cause_shares(result, scenario, firm)
    chosen = {cause: shares.get(cause, 0.0) for cause in CAUSE_NAMES[:N_VALUE_CAUSES] if cause != apart}
    total = sum(chosen.values())
    if not total:
        return text("plot.nobody_left", session.lang)
    cause = max(chosen, key=chosen.__getitem__)
    return f"{text(f'cause.{cause}', session.lang)} {percent(chosen[cause] / total)}"


def _spread(row: Mapping[str, Any], write: Callable[[float], str]) -> str:
    """Return a mean with its 5-95 % range as text: ``36 %  (35–37)``, units only once where they are the same."""
    texts = [write(row[name]) for name in ("mean", "low", "high")]
    if len(set(texts)) == 1:
        return texts[0]
    parts = [re.fullmatch(rf"({MINUS}?)(\D*?)([\d.\s]*\d)(\D*)", text) for text in texts]
    if all(parts) and len({(part[2], part[4]) for part in parts if part}) == 1:
        texts[1:] = [part[1] + part[3] for part in parts[1:] if part]
    dash = " \N{EN DASH} " if MINUS in texts[1] + texts[2] else "\N{EN DASH}"
    return f"{texts[0]}  ({texts[1]}{dash}{texts[2]})"


def _cause_shares(result: Result, scenario: str, firm: str) -> dict[str, float]:
    """Return each primary cause's share of a firm's departures in play, over all runs."""
    causes = result.causes
    rows = causes[(causes["scenario"] == scenario) & (causes["firm"] == firm) & (causes["tick"] > 0)]
    counts = rows.groupby("cause", observed=False)["primary"].sum()
    total = counts.sum()
    return {str(cause): float(count / total) for cause, count in counts.items()} if total else {}

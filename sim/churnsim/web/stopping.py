"""What would stop this: which change of a firm's levers would have kept a customer, or how many of those who left.

Nothing here is an estimate. The market is run again from the tick before the change, with the same customers and the
same luck; a customer counts as kept where the same customer, in that other run, does not leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.config.errors import ScenarioError
from churnsim.config.firms import LEVELS
from churnsim.i18n import number
from churnsim.markets import alike
from churnsim.web.asks import Ask, RefusalError
from churnsim.web.catalogue import levers
from churnsim.web.watching import sample

if TYPE_CHECKING:
    from churnsim.scenario import Scenario
    from churnsim.web.limits import Limits
    from churnsim.web.runs import Pool
    from churnsim.web.watching import Watched

PRICE_STEPS = (0.05, 0.1, 0.2)
"""Parts of the price in force by which it is cut, and by which it is raised, one after the other; our choice.

A higher price may keep customers where it thins a crowd, pays for service, or is taken for a sign of quality."""

MORE_ROOM = (0.1, 0.25, 0.5)
"""Parts by which a firm's capacity is extended, where being crowded matters; our choice. The model charges nothing."""

RISES = (0.25, 0.5, 1.0)
"""How far towards the end of its plausible range another lever of money is moved; our choice."""

EARLIER = (0, 6, 12)
"""Ticks before a customer's departure at which a change is tried, the latest first; our choice."""

STAYS = 6
"""Ticks after the old departure through which a customer has to stay to count as kept, not merely delayed."""

WINDOW = 12
"""Ticks over which departures from a firm are counted: those of the page's panel of causes."""

GROUPS = frozenset(
    {"recovery", "staff", "reminders", "card", "save", "innovation", "responsibility", "listening", "bargaining"}
)
"""Groups of levers that can hold a customer, tried at the far end of their plausible range where they are in use."""

TRIES = 40
"""About how many changes are tried, each over as many ticks as `EARLIER` and `STAYS` come to; for what is granted."""

TICKS = max(EARLIER) + STAYS + 1
"""Ticks of one such run."""

SMALLER = 20_000
"""Customers of the market that stands for one too large; their number decides how finely counts are told, no more."""

NOT_TRIED = ("_scale", ".scale", "_cost", ".cost", ".count", ".adjustment", ".handling", ".precision", ".scandal")
"""Ends of levers that say how the world works, not what the firm does."""


@dataclass(frozen=True)
class Remedy:
    """One change of one lever.

    Attributes
    ----------
    path : str
    before, value : object
        What holds, and what is tried instead.
    """

    path: str
    before: Any
    value: Any


def remedies(market: Watched, scenario: Scenario, firm: str) -> Iterator[list[Remedy]]:
    """Yield what a firm could do, lever by lever and way by way, each from the smallest change up.

    Parameters
    ----------
    market
        The single market as it stands before the change: prices and levels are those in force, whoever set them.
    scenario
        What holds in that tick.
    firm
        Id of the firm.
    """
    j = list(scenario.firms).index(firm)
    books, prefix = market.books, f"firms.{firm}."
    force = {"price": books.price[0, j], "service": books.service[0, j], "training": books.training[0, j]}
    for lever in levers(scenario):
        path = lever["path"]
        if lever["owner"] != firm or not path.startswith(prefix) or ".strategy" in path:
            continue
        name = path.removeprefix(prefix)
        if name == "price":
            now = float(force[name])
            yield [Remedy(path, now, _rounded(now * (1 - step))) for step in PRICE_STEPS]
            yield [Remedy(path, now, _rounded(now * (1 + step))) for step in PRICE_STEPS]
        elif name in ("service", "training"):
            now = float(force[name])
            yield [Remedy(path, now, value) for part in RISES if (value := _towards(now, lever["high"], part)) > now]
        elif name == "relationship":
            level = int(books.level[0, j])
            yield [Remedy(path, LEVELS[level], other) for other in LEVELS[level + 1 :]]
        elif name == "capacity" and scenario.mechanisms.crowding:
            now = float(books.capacity[0, j])
            yield [Remedy(path, now, _rounded(now * (1 + more))) for more in MORE_ROOM]
        elif lever["group"] in GROUPS and lever["works"] and _is_deed(lever) and lever["value"] < lever["high"]:
            yield [Remedy(path, lever["value"], lever["high"])]


def _is_deed(lever: dict[str, Any]) -> bool:
    """Return whether a lever of a group is what the firm does, more of which is more."""
    return lever["kind"] == "number" and lever["value"] is not None and not lever["path"].endswith(NOT_TRIED)


def _towards(now: float, end: float, part: float) -> float:
    """Return a value on the way to the end of a range; beyond it there is nothing to try."""
    return _rounded(now + part * (end - now)) if end > now else now


def _rounded(value: float) -> float:
    """Return an amount of money as a person would set it: three significant digits."""
    return float(f"{value:.3g}")


def most_customers(limits: Limits) -> int:
    """Return of how many customers every change can be tried in the time of the longest run that is granted."""
    return limits.work // (TRIES * TICKS)


def check_customers(ask: Ask, limits: Limits) -> None:
    """Refuse to look for one customer's remedies in a market too large: no other market has this customer."""
    count, most = ask.scenario.customers.count, most_customers(limits)
    if count > most:
        told = {"count": number(count), "most": number(most), "work": number(limits.work)}
        raise RefusalError(422, "stop_size", tries=TRIES, ticks=TICKS, **told)


def manageable(ask: Ask, limits: Limits) -> Ask:
    """Return a run in which every change can be tried: itself, or a smaller market of the same composition."""
    if ask.scenario.customers.count <= most_customers(limits):
        return ask
    return Ask(ask.scenario.set({"customers.count": min(SMALLER, most_customers(limits))}), ask.seed)


def kept_by(pool: Pool, ask: Ask, dot: int, tick: int) -> dict[str, Any] | None:
    """Return which changes would have kept one of the customers that are drawn.

    Parameters
    ----------
    pool
        Where markets that have been run are kept.
    ask
        The run.
    dot
        Place of the customer in the sample.
    tick
        Tick of a departure.

    Returns
    -------
    dict or None
        ``firm`` (id), ``tick``, ``tried`` (runs) and ``found``: per lever that has it, the smallest change that keeps
        the customer through `STAYS` ticks more, and ``from``, the latest tick at which it does. None where the
        customer leaves nobody in that tick.
    """
    row = int(sample(ask.scenario.customers.count)[dot])
    first = max(0, tick - max(EARLIER) - 1)
    market = pool.market_at(ask, first)
    stands: dict[int, Watched] = {}
    left = 0
    while market.tick < tick:
        if market.tick in {max(0, tick - earlier - 1) for earlier in EARLIER}:
            stands[market.tick + 1] = market.branched(ask.scenario)
        left = int(market.columns.provider[row])
        market.step_once()
    if not left or not _leaves(market, row, left):
        return None
    firm = list(ask.scenario.firms)[left - 1]
    end = min(tick + STAYS, ask.scenario.horizon)
    before = stands[tick]
    found, tried = [], 0
    for sizes in remedies(before, ask.scenario.at(tick - 1), firm):
        for remedy, start in ((remedy, start) for remedy in sizes for start in sorted(stands, reverse=True)):
            twin = _changed(stands[start], ask.scenario, start, remedy)
            if twin is None or int(twin.columns.provider[row]) != left:
                continue
            tried += 1
            if _stays(twin, row, left, end):
                found.append({**_told(remedy), "from": start})
                break
    return {"firm": firm, "tick": tick, "tried": tried, "stays": end - tick, "found": found}


def fewer_leave(pool: Pool, ask: Ask, firm: str, tick: int) -> dict[str, Any]:
    """Return how many of those who left a firm in the last ticks each change would have kept, and at what cost.

    Counted are customers who were with the firm when the change takes effect: who comes later differs between the runs.

    Parameters
    ----------
    pool, ask
        As for `kept_by`; what `manageable` returns.
    firm
        Id of a firm.
    tick
        Last tick of the window.

    Returns
    -------
    dict
        ``firm``, ``market`` (all customers), ``from`` and ``tick`` (the window), ``customers`` (of the firm before
        it), ``lost`` (of those, in the window), ``tried`` (changes) and ``found``: per lever and way the change that
        keeps most of them, with ``kept``, ``others`` (who leave only in that run) and ``profit`` (what the window's
        profit differs by). Levers that keep no more than they lose are left out.
    """
    start = max(1, tick - WINDOW + 1)
    market = pool.market_at(ask, start - 1)
    stand = market.branched(ask.scenario)
    j = list(ask.scenario.firms).index(firm)
    cohort = np.flatnonzero(market.columns.provider == j + 1)
    left, profit = _leavers(market, cohort, j, tick)
    found, tried = [], 0
    for sizes in remedies(stand, ask.scenario.at(start - 1), firm):
        best: dict[str, Any] | None = None
        for remedy in sizes:
            twin = _changed(stand, ask.scenario, start, remedy)
            if twin is None:
                continue
            tried += 1
            still, earned = _leavers(twin, cohort, j, tick)
            kept, others = int((left & ~still).sum()), int((still & ~left).sum())
            if kept > others and (best is None or kept - others > best["kept"] - best["others"]):
                best = {**_told(remedy), "from": start, "kept": kept, "others": others, "profit": earned - profit}
        if best is not None:
            found.append(best)
    found.sort(key=lambda one: one["others"] - one["kept"])
    about = {"market": ask.scenario.customers.count, "customers": cohort.size, "lost": int(left.sum()), "tried": tried}
    return {"firm": firm, "from": start, "tick": tick, **about, "found": found}


def _changed(stand: Watched, scenario: Scenario, start: int, remedy: Remedy) -> Watched | None:
    """Return a market in which a change takes effect in the next tick; None where it is no scenario, or another kind.

    What the scenario itself changes later stays: a later move of the same lever takes the change back.
    """
    try:
        plan = scenario.move(start, {remedy.path: remedy.value})
    except ScenarioError:
        return None
    return stand.branched(plan) if alike(plan) == alike(scenario) else None


def _leaves(market: Watched, row: int, firm: int) -> bool:
    """Return whether a firm's customer has left it in the tick that has just ended, of their own accord or not."""
    columns = market.columns
    return int(columns.provider[row]) != firm or int(columns.exit[row]) != 0


def _stays(market: Watched, row: int, firm: int, end: int) -> bool:
    """Run a market on and return whether a customer stays with a firm to the end."""
    while market.tick < end:
        market.step_once()
        if _leaves(market, row, firm):
            return False
    return True


def _leavers(market: Watched, cohort: np.ndarray, j: int, end: int) -> tuple[np.ndarray, float]:
    """Run a market on; return which customers of firm `j` leave it meanwhile, and what the firm earns."""
    gone, profit = np.zeros(cohort.size, np.bool_), 0.0
    while market.tick < end:
        market.step_once()
        columns = market.columns
        gone |= (columns.provider[cohort] != j + 1) | (columns.exit[cohort] != 0)
        profit += float(market.recorder.measures["profit"][0, market.recorder.rows - 1, j])
    return gone, profit


def _told(remedy: Remedy) -> dict[str, Any]:
    """Return a change as plain data."""
    return {"path": remedy.path, "before": remedy.before, "value": remedy.value}

"""Comparing futures: the same customers with the same luck under several plans, over many seeds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from churnsim.causes import CAUSES
from churnsim.config.firms import Text
from churnsim.i18n import LANGUAGES, text
from churnsim.results.knowledge import knows, share_of
from churnsim.running import run
from churnsim.web.asks import RefusalError, check_size, read_scenario, whole
from churnsim.web.reporting import KINDS, key_of, report_of
from churnsim.web.watching import as_line

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from churnsim.results import Result
    from churnsim.scenario import Scenario
    from churnsim.web.app import Handler, Laboratory
    from churnsim.web.limits import Limits

PROFIT = "cumulative_profit"
FURTHER = ("churn", "customers", "satisfaction", "quality", "true_loyal")
"""Measures that are compared beside share and profit, at the horizon; churn and satisfaction as means over play."""

OVER_PLAY = frozenset({"churn", "satisfaction", "quality"})
MONEY = ("revenue", "service_cost", "relationship_cost", "profit")
QUANTILES = (5, 25, 50, 75, 95)
SEEDS = 30
AT_A_TIME = 2
"""Comparisons that are computed at the same time; more of them wait."""


def compare_routes(lab: Laboratory, post: Callable[[str, Handler], Route]) -> list[Route]:
    """Return the routes of the page that compares."""
    places = threading.BoundedSemaphore(AT_A_TIME)

    async def compare(request: Request, given: dict[str, Any], lang: str) -> Response:
        plans, seeds = await run_in_threadpool(read_comparison, given, lab, lang)
        if not places.acquire(blocking=False):
            raise RefusalError(429, "busy")
        return StreamingResponse(
            _computed(plans, seeds, places, lab),
            media_type="application/x-ndjson",
            headers={"cache-control": "no-store"},
        )

    async def report(request: Request, given: dict[str, Any], lang: str) -> Response:
        plans, seeds = await run_in_threadpool(read_comparison, given, lab, lang)
        kind, firm = given.get("kind"), given.get("firm")
        if not isinstance(kind, str) or kind not in KINDS:
            raise RefusalError(422, "kind", kinds=", ".join(KINDS))
        if firm is not None and (not isinstance(firm, str) or firm not in plans[0].firms):
            raise RefusalError(422, "no_firm")
        plan = given.get("plan")
        if plan is not None:
            plan = plans[whole(given, "plan", 1, 1, len(plans) - 1)].name
        made = await lab.computed(report_of, plans, seeds, firm, kind, lang, lab.kept, plan)
        # A report has styles and pictures of its own; it is saved, and never shown as one of these pages.
        headers = {"cache-control": "no-store", "content-disposition": f'attachment; filename="report.{kind}"'}
        return Response(made, media_type=KINDS[kind], headers=headers)

    return [post("/api/compare", compare), post("/api/compare/report", report)]


def read_comparison(given: dict[str, Any], lab: Laboratory, lang: str) -> tuple[list[Scenario], list[int]]:
    """Return the plans and seeds of a request: ``plans`` (each as for a run, with a ``name``) and ``seeds``."""
    limits = lab.limits
    wanted = given.get("plans")
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= limits.arms:
        raise RefusalError(422, "plans", most=limits.arms)
    seeds = list(range(1, whole(given, "seeds", SEEDS, 2, limits.seeds) + 1))
    plans = []
    for one in wanted:
        if not isinstance(one, dict):
            raise RefusalError(422, "plans", most=limits.arms)
        plan = read_scenario(one, lab.catalogue, limits, lang)
        check_size(plan, limits)
        plans.append(_titled(plan, bool(one.get("moves"))))
    names = [plan.name for plan in plans]
    plans = [
        plan if names.count(plan.name) == 1 else plan.named(f"{plan.name}_{place}")
        for place, plan in enumerate(plans, 1)
    ]
    _check_work(plans, len(seeds), limits)
    if len({tuple(plan.firms) for plan in plans}) > 1 or len({plan.horizon for plan in plans}) > 1:
        raise RefusalError(422, "unlike")
    return plans, seeds


def _titled(plan: Scenario, moved: bool) -> Scenario:
    """Return a plan by the name that reports call it: with a visitor's moves it is no longer the arm it was."""
    if not moved:
        return plan
    title = Text(**{lang: text("web.compare.mine", lang) for lang in LANGUAGES})
    return plan.named("mine").model_copy(update={"title": title})


def _check_work(plans: list[Scenario], seeds: int, limits: Limits) -> None:
    """Refuse a comparison that would take too long."""
    work = sum(plan.customers.count * (plan.burn_in + plan.horizon) for plan in plans) * seeds
    if work > limits.comparison:
        raise RefusalError(422, "comparison")


async def _computed(
    plans: list[Scenario], seeds: list[int], places: threading.BoundedSemaphore, lab: Laboratory
) -> AsyncIterator[bytes]:
    """Yield the progress of a comparison, then its outcome; stop computing when nobody listens any more."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    gone = threading.Event()

    def tell(line: bytes | None) -> None:
        loop.call_soon_threadsafe(lines.put_nowait, line)

    def progress(done: int, total: int) -> None:
        if gone.is_set():
            raise _GoneError
        tell(as_line({"k": "progress", "done": done, "total": total}))

    def work() -> None:
        try:
            result = run(plans, seeds, jobs=lab.limits.workers, progress=progress)
            lab.kept.keep(key_of(plans, seeds), result)
            tell(as_line({"k": "outcome", **outcome(result)}))
        except _GoneError:
            return
        except Exception:
            tell(as_line({"k": "failed"}))
        finally:
            places.release()
            tell(None)

    threading.Thread(target=work, name="churnsim-compare", daemon=True).start()
    try:
        while (line := await lines.get()) is not None:
            yield line
    finally:
        gone.set()


class _GoneError(Exception):
    """Nobody listens any more."""


def outcome(result: Result) -> dict[str, Any]:
    """Return what a comparison came to, as plain data.

    Parameters
    ----------
    result
        Runs of the plans, the baseline first.

    Returns
    -------
    dict
        ``share`` and ``goal`` (measures: of how much a firm has, and what plans are judged by: profit where that is
        known, else the share), ``values`` (per measure, plan and firm: mean, low and high: 5 and 95 % of runs),
        ``differences`` (paired by seed against the first plan: mean, 95 % interval, in how many seeds better),
        ``fans`` (quantiles per tick), ``causes`` (departures per run by cause), ``money`` (sums per run; None where
        profit is not known), ``outside`` (what of shares and of customers is with no firm, per plan: its value and,
        but for the first plan, its difference, as above), ``best`` (per firm: see `_best`), and ``firm`` and ``plan``
        (places of the firm whose decision it is and of the plan in the foreground, by the rule of
        ``churnsim report``).
    """
    from churnsim.report.decision import decided

    plans, firms = list(result.scenarios), list(result.ticks["firm"].cat.categories)
    horizon = result.horizon
    values, differences = {}, {}
    share = share_of(result)
    main = (share, PROFIT) if knows(result, PROFIT) else (share,)
    goal = main[-1]
    for measure in (*main, *FURTHER):
        at: Any = (1, horizon) if measure in OVER_PLAY else horizon
        table = result.summary(at=[at], measures=[measure]).set_index(["scenario", "firm"])
        values[measure] = [
            [[_number(table.loc[(plan, firm), column]) for column in ("mean", "low", "high")] for firm in firms]
            for plan in plans
        ]
        if len(plans) > 1:
            gaps = result.diff(plans[0], measure, at=at).set_index(["scenario", "firm"])
            differences[measure] = [
                [
                    [_number(gaps.loc[(plan, firm), column]) for column in ("mean", "low", "high", "better_in", "runs")]
                    for firm in firms
                ]
                for plan in plans[1:]
            ]
    about = decided(result, baseline=plans[0])
    reached = values[goal]
    return {
        "share": share,
        "goal": goal,
        "firms": firms,
        "horizon": horizon,
        "seeds": len(result.seeds),
        "values": values,
        "differences": differences,
        "fans": {measure: _fan(result, measure, plans, firms) for measure in (*main, "churn")},
        "causes": _causes(result, plans, firms),
        "money": _money(result, plans, firms) if goal == PROFIT else None,
        "outside": {measure: _outside(result, measure, plans) for measure in ("share", "customers")},
        "best": [
            _best(result, plans, firm, goal, [row[place][0] for row in reached]) for place, firm in enumerate(firms)
        ],
        "firm": list(result.scenarios[plans[0]].firms).index(about.firm),
        "plan": plans.index(about.main),
    }


def _best(result: Result, plans: list[str], firm: str, goal: str, reached: list[float | None]) -> dict[str, Any] | None:
    """Return by which plan a firm does best, and how it stands to the next; None where nothing can be told apart.

    Returns
    -------
    dict or None
        ``plan`` and ``next`` (places), ``reached`` (mean of what plans are judged by at the horizon), and ``gap``: the
        two plans' difference, paired by seed (mean, 95 % interval, in how many seeds the better one is better, and of
        how many).
    """
    known = sorted((-value, place) for place, value in enumerate(reached) if value is not None)
    if len(known) < 2:
        return None
    (_, first), (_, second) = known[:2]
    gaps = result.diff(plans[second], goal, at=result.horizon).set_index(["scenario", "firm"])
    gap = [_number(gaps.loc[(plans[first], firm), name]) for name in ("mean", "low", "high", "better_in", "runs")]
    return {"plan": first, "next": second, "reached": reached[first], "gap": gap}


def _outside(result: Result, measure: str, plans: list[str]) -> dict[str, Any] | None:
    """Return what firms' shares or customers leave at the horizon; None where they never leave anything."""
    ticks, market = (frame[frame["tick"] == result.horizon] for frame in (result.ticks, result.market))
    whole = market.set_index(["scenario", "seed"])
    if measure == "share":
        rest = whole["outside_share"]
    else:
        rest = whole["customers"] - ticks.groupby(["scenario", "seed"], observed=True)["customers"].sum()
    per_plan = rest.unstack("seed").loc[plans]
    if not (per_plan > 0).any(axis=None):
        return None
    rows = per_plan.to_numpy(np.float64)
    values = [[_number(one) for one in (row.mean(), *np.percentile(row, (5, 95)))] for row in rows]
    return {"values": values, "differences": [_gap(row - rows[0]) for row in rows[1:]]}


def _gap(gaps: np.ndarray) -> list[float | None]:
    """Return the mean of differences paired by seed, and its 95 % t interval."""
    from scipy.special import stdtrit

    half = stdtrit(len(gaps) - 1, 0.975) * gaps.std(ddof=1) / np.sqrt(len(gaps))
    return [_number(one) for one in (gaps.mean(), gaps.mean() - half, gaps.mean() + half)]


def _fan(result: Result, measure: str, plans: list[str], firms: list[str]) -> dict[str, Any]:
    """Return quantiles over the runs, per plan, firm, quantile and tick from 0 on."""
    frame = result.ticks[result.ticks["tick"] >= 0]
    table = frame.pivot_table(index=["scenario", "firm", "tick"], columns="seed", values=measure, observed=True)
    ticks = sorted(frame["tick"].unique())
    bands = np.nanpercentile(table.to_numpy(), QUANTILES, axis=1)
    rows = {key: place for place, key in enumerate(table.index)}

    def column(plan: str, firm: str, quantile: int) -> list[float | None]:
        keys = [(plan, firm, tick) for tick in ticks]
        return [_number(bands[quantile, rows[key]]) if key in rows else None for key in keys]

    series = [[[column(plan, firm, q) for q in range(len(QUANTILES))] for firm in firms] for plan in plans]
    return {"ticks": [int(tick) for tick in ticks], "series": series}


def _causes(result: Result, plans: list[str], firms: list[str]) -> list[list[list[float]]]:
    """Return departures during play by primary cause, mean of the runs, per plan, firm and cause."""
    frame = result.causes[result.causes["tick"] >= 1]
    sums = frame.groupby(["scenario", "firm", "cause"], observed=False)["primary"].sum() / len(result.seeds)
    return [[[float(sums.loc[(plan, firm, cause.name)]) for cause in CAUSES] for firm in firms] for plan in plans]


def _money(result: Result, plans: list[str], firms: list[str]) -> list[list[dict[str, float]]]:
    """Return sums of money during play, mean of the runs, per plan and firm; the rest of the cost is ``other_cost``."""
    frame = result.ticks[result.ticks["tick"] >= 1]
    sums = frame.groupby(["scenario", "firm"], observed=False)[list(MONEY)].sum() / len(result.seeds)
    found = []
    for plan in plans:
        row = []
        for firm in firms:
            one = {name: float(sums.loc[(plan, firm), name]) for name in MONEY}
            spent = one["revenue"] - one["service_cost"] - one["relationship_cost"] - one["profit"]
            row.append({**one, "other_cost": spent})
        found.append(row)
    return found


def _number(value: Any) -> float | None:
    """Return a number as JSON knows it."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None

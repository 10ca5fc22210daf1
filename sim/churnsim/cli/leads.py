"""When the lead in the market changes hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from churnsim.i18n import number, text

if TYPE_CHECKING:
    from churnsim.cli.session import Session
    from churnsim.results import Result

SMOOTHING = 12
"""Ticks over which shares are averaged first, so that one tick's luck is not a change of lead (assumed)."""

CLEAR = 0.9
"""Share of the runs in which the same firm must be ahead at the end (assumed, as the claims' default)."""


def lead_change(session: Session, result: Result, scenario: str) -> str:
    """Return a sentence: who leads at the end, since when, in how many runs."""
    ticks = result.ticks
    rows = ticks[(ticks["scenario"] == scenario) & (ticks["tick"] > 0)]
    table = rows.pivot(index=["seed", "tick"], columns="firm", values="share")
    ends = [_last_change(run.to_numpy()) for _, run in table.groupby(level="seed")]
    winners = np.array([winner for winner, _ in ends])
    winner = int(np.bincount(winners).argmax())
    changed = [tick for who, tick in ends if who == winner and tick is not None]
    plan = result.scenarios[scenario]
    firm = plan.firms[str(table.columns[winner])].name[session.lang]
    ahead = int((winners == winner).sum())
    tick = text(f"tick.{plan.tick}.name", session.lang).lower()
    if ahead < CLEAR * len(ends):
        return session.say("run.no_leader", firm=firm, runs=ahead, total=len(ends))
    if len(changed) * 2 < ahead:
        return session.say("run.leads_throughout", firm=firm, runs=ahead, total=len(ends))
    middle, low, high = (number(value) for value in np.quantile(changed, [0.5, 0.05, 0.95]))
    return session.say(
        "run.lead_changes", firm=firm, tick=tick, median=middle, low=low, high=high, runs=ahead, total=len(ends)
    )


def _last_change(shares: np.ndarray) -> tuple[int, int | None]:
    """Return the firm that leads at the end of a run and the tick since when; None if it always led.

    Parameters
    ----------
    shares : (T, J) float64
        Shares in the ticks 1 to T.
    """
    width = min(SMOOTHING, len(shares))
    sums = np.cumsum(np.vstack([np.zeros(shares.shape[1]), shares]), axis=0)
    leaders = (sums[width:] - sums[:-width]).argmax(axis=1)
    winner = int(leaders[-1])
    behind = np.flatnonzero(leaders != winner)
    return winner, None if len(behind) == 0 else int(behind[-1]) + 1 + width

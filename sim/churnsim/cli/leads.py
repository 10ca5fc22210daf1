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

LARGEST_WINDOW = 0.25
"""Share of the horizon that those ticks are at most (assumed)."""

CLEAR = 0.9
"""Share of the runs in which the same firm must be ahead at the end (assumed, as the claims' default)."""

FEW_SEEDS = 10
"""With fewer runs a lead is only spoken of where it is the same firm's in all runs, and clear (assumed)."""

FEW_SEEDS_MARGIN = 0.02
"""Market share by which it must then lead on average (assumed)."""

NOBODY = -1


def lead_change(session: Session, result: Result, scenario: str) -> str | None:
    """Return a sentence: who leads, by which shares, since when, in how many runs; None if so few runs cannot tell."""
    ticks = result.ticks
    rows = ticks[(ticks["scenario"] == scenario) & (ticks["tick"] > 0)]
    shares, trading = (rows.pivot(index=["seed", "tick"], columns="firm", values=name) for name in ("share", "open"))
    open_by_seed = dict(list(trading.groupby(level="seed")))
    ends = [
        _last_change(run.to_numpy(), open_by_seed[seed].to_numpy() > 0) for seed, run in shares.groupby(level="seed")
    ]
    total = session.count("run", len(ends))
    winners = np.array([winner for winner, _, _ in ends])
    few = len(ends) < FEW_SEEDS
    plan = result.scenarios[scenario]
    tick, width = text(f"tick.{plan.tick}.name", session.lang).lower(), window(shares.groupby(level="tick").ngroups)
    over = session.ticks(plan.tick, width)
    head = session.say("run.lead_each", tick=tick) if width == 1 else session.say("run.lead", window=over)

    def told(key: str, **values: object) -> str:
        return session.joined([head, session.say(f"run.{key}", **values)], "colon")

    if (winners == NOBODY).all():
        return None if few else told("nobody_leads")
    winner = int(np.bincount(winners[winners != NOBODY]).argmax())
    ahead = int((winners == winner).sum())
    margin = np.mean([by for who, _, by in ends if who == winner])
    if few and (ahead < len(ends) or margin <= FEW_SEEDS_MARGIN):
        return None
    firm = plan.firms[str(shares.columns[winner])].name[session.lang]
    if ahead < CLEAR * len(ends):
        return told("no_leader", firm=firm, runs=ahead, total=total)
    changed = [tick for who, tick, _ in ends if who == winner and tick is not None]
    if len(changed) * 2 < ahead:
        return told("leads_throughout", firm=firm, runs=ahead, total=total)
    median = float(np.median(changed))
    if median >= plan.horizon:
        return told("leads_at_end", firm=firm, runs=ahead, total=total)
    middle, low, high = (number(value) for value in (median, *np.quantile(changed, [0.05, 0.95])))
    return told("lead_changes", firm=firm, tick=tick, median=middle, low=low, high=high, runs=ahead, total=total)


def window(ticks: int) -> int:
    """Return over how many ticks shares are averaged in runs of so many: each tick with those before it."""
    return max(1, min(SMOOTHING, int(LARGEST_WINDOW * ticks)))


def _last_change(shares: np.ndarray, trading: np.ndarray) -> tuple[int, int | None, float]:
    """Return who leads at the end of a run, the tick since when (None if always), and by how much.

    Parameters
    ----------
    shares : (T, J) float64
        Shares in the ticks 1 to T; NaN where there is no market.
    trading : (T, J) bool
        Where a firm is open. One that has closed leads nobody, whatever its share was.
    """
    width = window(len(shares))
    means = np.lib.stride_tricks.sliding_window_view(shares, width, axis=0).mean(axis=-1)
    means = np.where(np.isfinite(means) & trading[width - 1 :], means, -np.inf)
    leaders = np.where(np.isfinite(means.max(axis=1)), means.argmax(axis=1), NOBODY)
    winner = int(leaders[-1])
    if winner == NOBODY:
        return NOBODY, None, 0.0
    behind = np.flatnonzero(leaders != winner)
    last = means[-1]
    margin = float(last[winner] - max(0.0, *np.delete(last, winner)))
    return winner, None if len(behind) == 0 else int(behind[-1]) + 1 + width, margin

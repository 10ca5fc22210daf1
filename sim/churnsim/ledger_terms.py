"""Terms of claims that speak of the ledger: ``survival.seller@12``, ``top_money.eton@10``, ``flagged.eton@96``.

The number after the @ counts what the measure is per (`churnsim.metrics.LEDGER_MEASURES`): ticks of tenure, the best
so many per cent of the buyers, or ticks. A window is reduced over it as over ticks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from churnsim.config.errors import Problem, ScenarioError
from churnsim.config.scenario import ScenarioRecord
from churnsim.economics.survival import retention_by_tenure, survivor_curve
from churnsim.expressions import DEFAULT_ARM, MARKET, Term
from churnsim.metrics import LEDGER_MEASURES

TABLE = {"tenure": "tenure", "percent": "concentration", "tick": "inactivity"}
"""Table of a result that a measure is read from, by what it is per."""


def is_of_ledger(term: Term) -> bool:
    """Return whether a term is read from a firm's ledger."""
    return term.firm != MARKET and term.measure in LEDGER_MEASURES


def keeps_ledger(scenario: ScenarioRecord, arm: str) -> bool:
    """Return whether the runs of an arm keep a ledger."""
    if arm == DEFAULT_ARM or arm not in scenario.arms:
        return scenario.ledger
    return bool(scenario.arms[arm].set.get("ledger", scenario.ledger))


def span(term: Term, low: int, high: int) -> tuple[int, int] | None:
    """Return the first and last number that may stand after a ledger term's @, or None for any other term.

    Parameters
    ----------
    term
        What an expression names.
    low, high
        First and last tick of the run.
    """
    if not is_of_ledger(term):
        return None
    per = LEDGER_MEASURES[term.measure].per
    return {"tenure": (0, high - low + 1), "percent": (1, 100), "tick": (1, high)}[per]


class LedgerValues:
    """Values of ledger terms in a result, as arrays over seeds and what the measure is per.

    Parameters
    ----------
    result
        Anything with the tidy frames ``tenure``, ``concentration`` and ``inactivity``.
    seeds : (n_seeds,) int64
        The seeds, in order.
    """

    def __init__(self, result: Any, seeds: np.ndarray) -> None:
        self.result = result
        self.seeds = seeds
        self._tables: dict[tuple[str, str, str], np.ndarray] = {}

    def __call__(self, arm: str, term: Term) -> np.ndarray:
        """Return a term's values in an arm, ``(n_seeds, last - first + 1) float64``; NaN where nobody has them."""
        key = (arm, term.measure, term.firm)
        if key not in self._tables:
            self._tables[key] = self._table(arm, term)
        known = self._tables[key]
        values = np.full((len(self.seeds), term.last + 1), np.nan)
        width = min(term.last + 1, known.shape[1])
        values[:, :width] = known[:, :width]
        return values[:, term.first :]

    def _table(self, arm: str, term: Term) -> np.ndarray:
        """Return a measure by seed and number, from 0 on."""
        per = LEDGER_MEASURES[term.measure].per
        books = getattr(self.result, "concentration", None)
        if books is None or not (books["scenario"] == arm).any():
            raise ScenarioError([Problem("no_result_ledger", (), {"found": term.arm})])
        frame = getattr(self.result, TABLE[per])
        rows = frame[(frame["scenario"] == arm) & (frame["firm"] == term.firm)]
        if per == "percent":
            by = term.measure.removeprefix("top_")
            rows = rows[rows["by"] == by]
            return self._pivot(rows, per, f"share_of_{by}")
        if per == "tick":
            flagged = self._pivot(rows, per, "flagged")
            if term.measure == "flagged":
                return flagged
            return self._pivot(rows, per, "false_alarms") / np.where(flagged > 0, flagged, np.nan)
        at_risk, lost = (np.nan_to_num(self._pivot(rows, per, name)) for name in ("at_risk", "lost"))
        return survivor_curve(at_risk, lost) if term.measure == "survival" else retention_by_tenure(at_risk, lost)

    def _pivot(self, rows: Any, per: str, name: str) -> np.ndarray:
        """Return a column by seed and number."""
        number = rows[per].to_numpy()
        table = np.full((len(self.seeds), int(number.max(initial=0)) + 1), np.nan)
        table[np.searchsorted(self.seeds, rows["seed"].to_numpy()), number] = rows[name].to_numpy(dtype=np.float64)
        return table

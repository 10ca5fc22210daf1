"""What one run leaves behind: plain arrays, filled by the engine, read by ``results``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


SILENCES = ("flagged", "truly_gone", "false_alarms", "missed", "delay")
"""What the rule of inactivity says each tick, in the order of `LedgerRecord.silences`."""

OBSERVABLES = (
    "customers", "repeat_purchases", "spend", "wallet_share", "rivals_resisted", "price_sensitivity", "repeat_rate",
    "comparing", "tolerance",
)  # fmt: skip
"""What a log says of a firm's customers, in the order of `LedgerRecord.observables`."""


@dataclass
class LedgerRecord:
    """What the ledger of one run says; ``K`` tenures, one more than there are customers of; ``P`` ticks of play.

    Attributes
    ----------
    at_risk, lost : (J, K) int64
        Customers by tenure at the start of a tick, and those of them gone at its end, summed over play.
    buyers : (J,) int64
        Customers who have bought at the firm in play.
    concentration : (2, J, 100, 2) float64
        By what buyers are sorted (``spending.SORTED_BY``), firm, and best 1 ... 100 %: shares of money and purchases.
    silences : (P, J, 5) float64
        The rule of inactivity, by `SILENCES`.
    observables : (J, 9) float64
        What the log says of the customers at the end, by `OBSERVABLES`.
    """

    at_risk: np.ndarray
    lost: np.ndarray
    buyers: np.ndarray
    concentration: np.ndarray
    silences: np.ndarray
    observables: np.ndarray


@dataclass
class RunRecord:
    """Everything measured in one run of one scenario with one seed.

    ``T`` is the number of ticks, ``J`` of firms, ``C`` of causes. Money is in the
    scenario's currency, for the whole simulated market.

    Attributes
    ----------
    scenario : str
        Name of the scenario (of the arm, where it is one).
    seed : int
        Seed of the run.
    ticks : (T,) int64
        Ticks in order, from ``-burn_in + 1`` to the horizon.
    firms : tuple of str
        Firms, in the engine's order.
    measures : dict of str to (T, J) float64
        One array per name in ``metrics.FIRM_MEASURES``; NaN where a firm has nobody to measure.
    market : dict of str to (T,) float64
        One array per name in ``metrics.MARKET_MEASURES``.
    primary : (T, J, C) int64
        Departures from the firm, by their primary cause, in the order of ``causes.CAUSES``.
    shares : (T, J, C) float64
        Departures split over all their causes; sums over causes to the departures.
    labels : (T, J, C) int64
        Departures that name the cause among their reasons.
    enablers : (T, J, 4) float64
        Money (currency) by which each barrier of ``causes.ENABLERS`` had worn off, summed over departures.
    flows : (T, J + 1, J + 1) int64
        Customers who went from (second axis) to (third axis); index 0 is outside, ``j + 1`` is firm ``j``.
    events : list of (int, str, str, float)
        ``(tick, firm, event, value)``.
    dealings : dict of str to (T, J) float64
        One array per name in ``metrics.DEALING_MEASURES``; empty where there are no dealings beyond the stay.
    departures : pandas.DataFrame or None
        One row per departure, where the run was asked to keep them.
    ledger : LedgerRecord or None
        What the books know of single customers, where the scenario keeps a ledger.
    """

    scenario: str
    seed: int
    ticks: np.ndarray
    firms: tuple[str, ...]
    measures: dict[str, np.ndarray]
    market: dict[str, np.ndarray]
    primary: np.ndarray
    shares: np.ndarray
    labels: np.ndarray
    enablers: np.ndarray
    flows: np.ndarray
    events: list[tuple[int, str, str, float]] = field(default_factory=list)
    dealings: dict[str, np.ndarray] = field(default_factory=dict)
    departures: pd.DataFrame | None = None
    ledger: LedgerRecord | None = None

"""What one run leaves behind: plain arrays, filled by the engine, read by ``results``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


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

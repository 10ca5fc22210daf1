"""The books of the NumPy twin: what is counted within a tick, and one row per tick of what is measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.twins.reasons import KNOWN_CAUSES, KNOWN_ENABLERS, among_all, among_all_enablers
from churnsim.records import RunRecord

SCALE = 2.0**20
"""Fractions are summed as whole numbers of 1 / SCALE, so that no order of adding matters."""

LABEL_SHARE = np.float32(0.2)
N_EXITS, N_ENABLERS = 4, len(KNOWN_ENABLERS)
N_CAUSES = len(KNOWN_CAUSES) - N_EXITS
OF_TRADING_FIRMS = ("price", "service", "training", "contacts", "quality", "crowding")
SUMMED = ("satisfaction", "expectation", "attachment", "belief", "reference")


class Record:
    """Counters of the running tick, and the measures of all ticks so far.

    Parameters
    ----------
    twin : NumpyTwin
        The run they belong to; its scenario and firms must be set.
    """

    def __init__(self, twin: Any) -> None:
        self.twin = twin
        J, ticks = len(twin.firms), twin.scenario.burn_in + twin.scenario.horizon
        self.rows = 0
        self.measures: dict[str, np.ndarray] = {}
        self.market: dict[str, np.ndarray] = {}
        self.primary = np.zeros((ticks, J, N_CAUSES + N_EXITS), np.int64)
        self.labels, self.shares = np.zeros_like(self.primary), np.zeros(self.primary.shape)
        self.enablers = np.zeros((ticks, J, N_ENABLERS))
        self.all_flows = np.zeros((ticks, J + 1, J + 1), np.int64)
        self.events: list[tuple[int, str, str, float]] = []
        self.money_unit = max(firm.config.price for firm in twin.firms) or 1.0
        self.money_scale = SCALE / self.money_unit

    def open_tick(self) -> None:
        """Set the counters to zero."""
        J = len(self.twin.firms)
        self.exits, self.flows = np.zeros((J + 1, 5), np.int64), np.zeros((J + 1, J + 1), np.int64)
        self.purchases, self.heads = np.zeros(J + 1, np.int64), np.zeros(J + 1, np.int64)
        self.returned, self.cohort_returned, self.knowers = (np.zeros(J, np.int64) for _ in range(3))
        self.sums = {name: np.zeros(J, np.int64) for name in SUMMED}
        self.loyalty = np.zeros((J, 4), np.int64)
        self.felt = 0

    def explained(self, j: int, primary: np.ndarray, shares: np.ndarray, barriers: np.ndarray) -> None:
        """Add this tick's departures from firm `j`.

        Parameters
        ----------
        j : int
            Number of the firm.
        primary : (m,)
            Place of the primary cause.
        shares : (causes, m) float32
        barriers : (enablers, m) float32
            Money by which each barrier had worn off.
        """
        row, unit = self.rows, self.money_unit
        self.primary[row, j, :N_CAUSES] = np.bincount(primary, minlength=N_CAUSES)
        self.labels[row, j, :N_CAUSES] = np.count_nonzero(shares >= LABEL_SHARE, axis=1)
        # A share times a power of two is exact in single precision, and so is what it rounds to.
        whole = np.rint(shares * np.float32(SCALE)).sum(axis=1, dtype=np.float64)
        self.shares[row, j, :N_CAUSES] = whole / SCALE
        worn = np.rint(barriers.astype(np.float64) / unit * SCALE).sum(axis=1)
        self.enablers[row, j] = worn / SCALE * unit

    def close_tick(self) -> None:
        """Write the row of the tick that just ended."""
        twin, row, size = self.twin, self.rows, float(self.twin.size)
        self.flows[:, 0] += self.exits.sum(axis=1)
        self.heads[0] = twin.size - self.heads.sum()
        heads, occasions = self.heads[1:], int(self.purchases.sum())
        lost, joined = self.flows[1:].sum(axis=1), self.flows[:, 1:].sum(axis=0)
        started = heads + lost - joined
        churn = np.where(started > 0, lost / np.maximum(started, 1), np.nan)

        def per_head(sums: np.ndarray, scale: float = 1.0) -> np.ndarray:
            """Return means over each firm's customers."""
            return np.where(heads > 0, sums * scale / np.maximum(heads, 1), np.nan)

        values = {
            "share": self.purchases[1:] / occasions if occasions else np.full(heads.size, np.nan),
            "customers": heads,
            "customer_share": heads / twin.size,
            "stays": self.purchases[1:],
            "joined": joined,
            "lost": lost,
            "churn": churn,
            "retention": 1 - churn,
            "returned": self.returned,
            "cohort_returned": self.cohort_returned,
            "lost_pool": self.knowers - heads,  # a firm's customers all know it
            **{name: per_head(self.sums[name], 1 / SCALE) for name in SUMMED[:-1]},
            "reference_price": per_head(self.sums["reference"], self.money_unit / SCALE),
        }
        for m, name in enumerate(("true_loyal", "spurious_loyal", "latent_loyal", "not_loyal")):
            values[name] = per_head(self.loyalty[:, m])
        of_firms = [self._of_firm(firm, size) for firm in twin.firms]
        values |= {name: np.array([mine[name] for mine in of_firms]) for name in of_firms[0]}
        market = {
            "occasions": occasions,
            "outside_share": self.purchases[0] / occasions if occasions else np.nan,
            "customers": twin.size,
            "experience": twin.market_mean,
            "newcomers": self.exits[:, 1].sum(),
        }
        for table, new in ((self.measures, values), (self.market, market)):
            for name, value in new.items():
                if name not in table:
                    table[name] = np.full((len(self.primary), *np.shape(value)), np.nan)
                table[name][row] = value
        for table in (self.primary, self.labels, self.shares):
            table[row, :, N_CAUSES:] = self.exits[1:, 1:]
        self.all_flows[row] = self.flows
        self.rows += 1

    def _of_firm(self, firm: Any, size: float) -> dict[str, float]:
        """Return the measures of one firm's books, and note its events."""
        tick = self.twin.tick
        if firm.failed:
            self.events.append((tick, firm.name, "insolvent", firm.cash))
        mine = {name: getattr(firm, name) for name in OF_TRADING_FIRMS}
        if not firm.open and not firm.failed:
            mine = dict.fromkeys(OF_TRADING_FIRMS, np.nan)
        for name in (
            "relationship_cost", "service_cost", "revenue", "profit", "cumulative_profit", "cash", "shortfall"
        ):  # fmt: skip
            mine[name] = getattr(firm, name) * size
        mine["open"] = float(firm.open)
        first = (firm.name, "first_shortfall")
        if firm.shortfall > 0 and tick >= 1 and not any(event[1:3] == first for event in self.events):
            self.events.append((tick, *first, firm.shortfall * size))
        return mine

    def record(self) -> RunRecord:
        """Return what has been recorded so far."""
        twin, rows = self.twin, self.rows
        return RunRecord(
            scenario=twin.scenario.name or twin.scenario.id,
            seed=twin.seed,
            ticks=np.arange(rows, dtype=np.int64) + 1 - twin.scenario.burn_in,
            firms=tuple(firm.name for firm in twin.firms),
            measures={name: column[:rows].copy() for name, column in self.measures.items()},
            market={name: column[:rows].copy() for name, column in self.market.items()},
            primary=among_all(self.primary[:rows]),
            shares=among_all(self.shares[:rows]),
            labels=among_all(self.labels[:rows]),
            enablers=among_all_enablers(self.enablers[:rows]),
            flows=self.all_flows[:rows].copy(),
            events=list(self.events),
        )

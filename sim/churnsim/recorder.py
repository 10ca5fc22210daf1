"""Recording a run: preallocated columns, filled once a tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from churnsim.causes import CAUSE_NAMES, CAUSES, ENABLERS, LABEL_SHARE, N_VALUE_CAUSES
from churnsim.engine.state import SCALE
from churnsim.mechanisms.involuntary import CLOSURE, CREDIT, LAPSE, NATURAL
from churnsim.metrics import FIRM_MEASURES, MARKET_MEASURES
from churnsim.records import RunRecord

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.engine.state import Counters
    from churnsim.model import ChurnModel

INVOLUNTARY = (NATURAL, LAPSE, CREDIT, CLOSURE)
"""Kinds of involuntary exit, in the order in which `causes.CAUSES` lists them after the terms of value."""

OF_TRADING_FIRMS = ("price", "service", "training", "contacts", "quality", "crowding")
"""Measures that a closed firm does not have."""

if tuple(CAUSE_NAMES[N_VALUE_CAUSES:]) != ("natural", "lapse", "credit", "closure"):
    raise AssertionError("causes.CAUSES and mechanisms.involuntary disagree on the involuntary exits")


class Recorder:
    """Measures of every tick of one run, in arrays that grow by doubling."""

    def __init__(self, model: ChurnModel, keep_departures: bool) -> None:
        self.model = model
        self.keep_departures = keep_departures
        self.rows = 0
        room = model.config.burn_in + model.config.horizon + 1
        firms = len(model.firms)
        self.measures = {name: np.full((room, firms), np.nan) for name in FIRM_MEASURES}
        self.market = {name: np.full(room, np.nan) for name in MARKET_MEASURES}
        self.primary = np.zeros((room, firms, len(CAUSES)), np.int64)
        self.labels = np.zeros_like(self.primary)
        self.shares = np.zeros(self.primary.shape)
        self.enablers = np.zeros((room, firms, len(ENABLERS)))
        self.flows = np.zeros((room, firms + 1, firms + 1), np.int64)
        self.events: list[tuple[int, str, str, float]] = []
        self.departures: list[dict[str, np.ndarray]] = []
        self._short: set[str] = set()

    def event(self, firm: str, name: str, value: float) -> None:
        """Note that something happened to a firm in this tick."""
        self.events.append((self.model.tick, firm, name, value))

    def explained(
        self,
        left: np.ndarray,
        taken: np.ndarray,
        who: np.ndarray,
        primary: np.ndarray,
        shares: np.ndarray,
        barriers: np.ndarray,
    ) -> None:
        """Add this tick's explained departures.

        Parameters
        ----------
        left, taken, who : (n,)
            Option left, option taken, and id of each customer who chose to leave.
        primary : (n,)
            Place of the primary cause.
        shares : (n, N_VALUE_CAUSES) float32
        barriers : (n, len(ENABLERS)) float32
            Money by which each barrier had worn off.
        """
        row, unit = self.rows, self.model.money_unit
        for firm in self.model.firms:
            mine = left == firm.index + 1
            self.primary[row, firm.index] += np.bincount(primary[mine], minlength=len(CAUSES))
            self.labels[row, firm.index, :N_VALUE_CAUSES] += (shares[mine] >= LABEL_SHARE).sum(axis=0)
            # Whole numbers, so that no order of adding can matter.
            whole = np.rint(shares[mine].astype(np.float64) * SCALE).astype(np.int64).sum(axis=0)
            self.shares[row, firm.index, :N_VALUE_CAUSES] += whole / SCALE
            whole = np.rint(barriers[mine].astype(np.float64) / unit * SCALE).astype(np.int64).sum(axis=0)
            self.enablers[row, firm.index] += whole / SCALE * unit
        if self.keep_departures:
            order = np.argsort(who)
            self.departures.append(
                {
                    "tick": np.full(left.size, self.model.tick),
                    "customer": who[order],
                    "from": left[order],
                    "to": taken[order],
                    "primary": primary[order],
                    "shares": shares[order],
                    "barriers": barriers[order],
                }
            )

    def close_tick(self, counters: Counters, newcomers: int) -> None:
        """Write the row of the tick that just ended."""
        model, row = self.model, self.rows
        size = float(model.config.customers.count)
        occasions = int(counters.purchases.sum())
        heads = counters.heads[1:]
        total_heads = int(counters.heads.sum())
        lost = counters.flows[1:].sum(axis=1)
        joined = counters.flows[:, 1:].sum(axis=0)
        started = heads + lost - joined
        unit = model.money_unit / SCALE

        def per_head(sums: np.ndarray, scale: float) -> np.ndarray:
            """Return means over each firm's customers; NaN where it has none."""
            return np.where(heads > 0, sums * scale / np.maximum(heads, 1), np.nan)

        churn = np.where(started > 0, lost / np.maximum(started, 1), np.nan)
        loyalty = counters.loyalty
        values = {
            "share": counters.purchases[1:] / occasions if occasions else np.full(heads.size, np.nan),
            "customers": heads,
            "customer_share": heads / total_heads,
            "stays": counters.purchases[1:],
            "joined": joined,
            "lost": lost,
            "churn": churn,
            "retention": 1 - churn,
            "returned": counters.returned,
            "cohort_returned": counters.cohort_returned,
            "lost_pool": counters.lost_pool,
            "satisfaction": per_head(counters.satisfaction, 1 / SCALE),
            "expectation": per_head(counters.expectation, 1 / SCALE),
            "attachment": per_head(counters.attachment, 1 / SCALE),
            "belief": per_head(counters.belief, 1 / SCALE),
            "reference_price": per_head(counters.reference, unit),
            "true_loyal": per_head(loyalty[:, 0], 1),
            "spurious_loyal": per_head(loyalty[:, 1], 1),
            "latent_loyal": per_head(loyalty[:, 2], 1),
            "not_loyal": per_head(loyalty[:, 3], 1),
        }
        for name, column in values.items():
            self.measures[name][row] = column
        for firm in model.firms:
            account = firm.account
            # A firm that closed in an earlier tick has no price or quality any more.
            trades = firm.open or any(event[:3] == (model.tick, firm.name, "insolvent") for event in self.events)
            mine = {
                "quality": firm.quality,
                "crowding": firm.crowding,
                "price": firm.price,
                "service": firm.service,
                "training": firm.training,
                "contacts": firm.contacts,
                "relationship_cost": account.relationship_cost * size,
                "service_cost": account.service_cost * size,
                "revenue": account.revenue * size,
                "profit": account.profit * size,
                "cumulative_profit": firm.cumulative_profit * size,
                "cash": firm.cash * size,
                "shortfall": account.shortfall * size,
                "open": float(firm.open),
            }
            for name, value in mine.items():
                gone = not trades and name in OF_TRADING_FIRMS
                self.measures[name][row, firm.index] = np.nan if gone else value
            firm.share = float(values["share"][firm.index])
            firm.churn = float(churn[firm.index])
            if account.shortfall > 0 and model.tick >= 1 and firm.name not in self._short:
                self._short.add(firm.name)
                self.event(firm.name, "first_shortfall", account.shortfall * size)
        market = {
            "occasions": occasions,
            "outside_share": counters.purchases[0] / occasions if occasions else np.nan,
            "customers": total_heads,
            "experience": model.market_mean,
            "newcomers": newcomers,
        }
        for name, value in market.items():
            self.market[name][row] = value
        first = N_VALUE_CAUSES
        kinds = counters.exits[1:, list(INVOLUNTARY)]
        self.primary[row, :, first:] = kinds
        self.labels[row, :, first:] = kinds
        self.shares[row, :, first:] = kinds
        self.flows[row] = counters.flows
        self.rows += 1
        if self.rows == self.flows.shape[0]:
            self._grow()

    def _grow(self) -> None:
        """Double the room, for models that are stepped past their horizon."""
        for table in (self.measures, self.market):
            for name, column in table.items():
                table[name] = np.concatenate([column, np.full_like(column, np.nan)])
        for name in ("primary", "labels", "shares", "enablers", "flows"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))

    def latest(self, name: str) -> float:
        """Return a measure of the market in the last tick."""
        return float(self.market[name][self.rows - 1]) if self.rows else float("nan")

    def record(self) -> RunRecord:
        """Return what has been recorded so far."""
        model, rows = self.model, self.rows
        return RunRecord(
            scenario=model.config.name or model.config.id,
            seed=model.seed,
            ticks=np.arange(rows, dtype=np.int64) + 1 - model.config.burn_in,
            firms=tuple(firm.name for firm in model.firms),
            measures={name: column[:rows].copy() for name, column in self.measures.items()},
            market={name: column[:rows].copy() for name, column in self.market.items()},
            primary=self.primary[:rows].copy(),
            shares=self.shares[:rows].copy(),
            labels=self.labels[:rows].copy(),
            enablers=self.enablers[:rows].copy(),
            flows=self.flows[:rows].copy(),
            events=list(self.events),
            departures=self._departures_frame() if self.keep_departures else None,
        )

    def _departures_frame(self) -> pd.DataFrame:
        """Return one row per explained departure, by tick and customer."""
        import pandas as pd

        options = np.array(["outside", *(firm.name for firm in self.model.firms)])
        frames = []
        for part in self.departures:
            frame = {
                "tick": part["tick"],
                "customer": part["customer"],
                "from": options[part["from"]],
                "to": options[part["to"]],
                "primary": np.array(CAUSE_NAMES)[part["primary"]],
            }
            frame |= {name: part["shares"][:, m] for m, name in enumerate(CAUSE_NAMES[:N_VALUE_CAUSES])}
            frame |= {name: part["barriers"][:, m] for m, name in enumerate(ENABLERS)}
            frames.append(pd.DataFrame(frame))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

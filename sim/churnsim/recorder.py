"""Recording a run: preallocated columns, filled once a tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from churnsim.causes import CAUSE_NAMES, CAUSES, ENABLERS, N_VALUE_CAUSES
from churnsim.dealing_measures import DEALING_MEASURES
from churnsim.engine.dealings.state import COUNTED, MONEY_COUNTED, SHARES_COUNTED
from churnsim.engine.levers import STOCKS
from churnsim.engine.state import SCALE
from churnsim.mechanisms.involuntary import CLOSURE, CREDIT, LAPSE, NATURAL, NEED_END
from churnsim.metrics import FIRM_MEASURES, MARKET_MEASURES
from churnsim.records import RunRecord

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.markets import Markets

INVOLUNTARY = [NATURAL, LAPSE, CREDIT, CLOSURE, NEED_END]
"""Kinds of involuntary exit, in the order in which `causes.CAUSES` lists them after the terms of value."""

OF_TRADING_FIRMS = ("price", "service", "training", "contacts", "quality", "crowding")
"""Measures that a closed firm does not have."""

MONEY = ("relationship_cost", "service_cost", "revenue", "profit", "cumulative_profit", "cash", "shortfall")
"""Amounts that the books hold per market customer."""

if tuple(CAUSE_NAMES[N_VALUE_CAUSES:]) != ("natural", "lapse", "credit", "closure", "need_end"):
    raise AssertionError("causes.CAUSES and mechanisms.involuntary disagree on the involuntary exits")


class Recorder:
    """Measures of every tick of a batch of markets, in arrays that grow by doubling.

    Arrays have axes (market, tick, firm, ...).
    """

    def __init__(self, markets: Markets, keep_departures: bool) -> None:
        self.markets = markets
        self.keep_departures = keep_departures
        self.rows = 0
        room = markets.bases[0].burn_in + markets.horizon + 1
        count, firms = markets.books.price.shape
        self.measures = {name: np.full((count, room, firms), np.nan) for name in FIRM_MEASURES}
        self.dealings = (
            {name: np.full((count, room, firms), np.nan) for name in DEALING_MEASURES} if markets.deals else {}
        )
        self.market = {name: np.full((count, room), np.nan) for name in MARKET_MEASURES}
        self.primary = np.zeros((count, room, firms, len(CAUSES)), np.int64)
        self.labels = np.zeros_like(self.primary)
        self.shares = np.zeros(self.primary.shape)
        self.enablers = np.zeros((count, room, firms, len(ENABLERS)))
        self.flows = np.zeros((count, room, firms + 1, firms + 1), np.int64)
        self.events: list[list[tuple[int, str, str, float]]] = [[] for _ in range(count)]
        self.departures: list[list[dict[str, np.ndarray]]] = [[] for _ in range(count)]
        self._short = np.zeros((count, firms), np.bool_)

    def itemised(
        self,
        r: int,
        left: np.ndarray,
        taken: np.ndarray,
        who: np.ndarray,
        primary: np.ndarray,
        shares: np.ndarray,
        barriers: np.ndarray,
    ) -> None:
        """Keep this tick's explained departures from market `r`, line by line.

        Parameters
        ----------
        r
            Place of the market in the batch.
        left, taken, who : (n,)
            Option left, option taken, and id of each customer who chose to leave.
        primary : (n,)
            Place of the primary cause.
        shares : (n, N_VALUE_CAUSES) float32
        barriers : (n, len(ENABLERS)) float32
            Money by which each barrier had worn off.
        """
        order = np.argsort(who)
        self.departures[r].append(
            {
                "tick": np.full(left.size, self.markets.tick),
                "customer": who[order],
                "from": left[order],
                "to": taken[order],
                "primary": primary[order],
                "shares": shares[order],
                "barriers": barriers[order],
            }
        )

    def close_tick(self) -> None:
        """Write the row of the tick that just ended."""
        markets, counters, row = self.markets, self.markets.totals, self.rows
        books, size = markets.books, markets.rules.size[:, np.newaxis]
        unit = (markets.batch.money_unit / SCALE)[:, np.newaxis]
        occasions = counters.purchases.sum(axis=1)
        heads = counters.heads[:, 1:]
        total_heads = counters.heads.sum(axis=1)
        lost = counters.flows[:, 1:].sum(axis=2)
        joined = counters.flows[:, :, 1:].sum(axis=1)
        started = heads + lost - joined
        present = np.where(heads > 0, heads, np.nan)
        with_occasion = np.where(occasions > 0, occasions, np.nan)
        share = counters.purchases[:, 1:] / with_occasion[:, np.newaxis]
        churn = lost / np.where(started > 0, started, np.nan)
        # A firm that closed in an earlier tick has no price or quality any more.
        gone = ~(books.open | markets.failed)
        values = {
            "share": share,
            "customers": heads,
            "customer_share": heads / total_heads[:, np.newaxis],
            "stays": counters.purchases[:, 1:],
            "joined": joined,
            "lost": lost,
            "churn": churn,
            "retention": 1 - churn,
            "returned": counters.returned,
            "cohort_returned": counters.cohort_returned,
            "lost_pool": counters.lost_pool,
            "satisfaction": counters.satisfaction * (1 / SCALE) / present,
            "expectation": counters.expectation * (1 / SCALE) / present,
            "attachment": counters.attachment * (1 / SCALE) / present,
            "belief": counters.belief * (1 / SCALE) / present,
            "reference_price": counters.reference * unit / present,
            "true_loyal": counters.loyalty[:, :, 0] / present,
            "spurious_loyal": counters.loyalty[:, :, 1] / present,
            "latent_loyal": counters.loyalty[:, :, 2] / present,
            "not_loyal": counters.loyalty[:, :, 3] / present,
            **{name: np.where(gone, np.nan, getattr(books, name)) for name in OF_TRADING_FIRMS},
            **{name: getattr(books, name) * size for name in MONEY},
            "open": books.open,
        }
        for name, column in values.items():
            self.measures[name][:, row] = column
        books.share[...], books.churn[...] = share, churn
        market = {
            "occasions": occasions,
            "outside_share": counters.purchases[:, 0] / with_occasion,
            "customers": total_heads,
            "experience": markets.market_mean,
            "newcomers": counters.exits[:, :, [NATURAL, NEED_END]].sum(axis=(1, 2)) + markets.entered,
        }
        for name, column in market.items():
            self.market[name][:, row] = column
        first = N_VALUE_CAUSES
        kinds = counters.exits[:, 1:, INVOLUNTARY]
        self.primary[:, row, :, :first], self.primary[:, row, :, first:] = counters.primary, kinds
        self.labels[:, row, :, :first], self.labels[:, row, :, first:] = counters.labels, kinds
        self.shares[:, row, :, :first], self.shares[:, row, :, first:] = counters.shares / SCALE, kinds
        self.enablers[:, row] = counters.barriers / SCALE * markets.batch.money_unit[:, np.newaxis, np.newaxis]
        self.flows[:, row] = counters.flows
        if markets.deals:
            self._note_dealings(counters.counted, size)
        self._note_events(size)
        self.rows += 1
        if self.rows == self.flows.shape[1]:
            self._grow()

    def _note_dealings(self, counted: np.ndarray, size: np.ndarray) -> None:
        """Write what dealings came to in the tick."""
        conduct, unit = self.markets.conduct, self.markets.batch.money_unit[:, np.newaxis] / SCALE
        for place, name in enumerate(COUNTED):
            column: np.ndarray = counted[:, :, place]
            if name in MONEY_COUNTED:
                column = column * unit
            elif name in SHARES_COUNTED:
                column = column / SCALE
            self.dealings[name][:, self.rows] = column
        for place, name in enumerate(STOCKS):
            if name in self.dealings:
                self.dealings[name][:, self.rows] = conduct.stocks[:, :, place]
        heads = self.measures["customers"][:, self.rows]
        self.dealings["referral_rate"][:, self.rows] = self.dealings["referrers"][:, self.rows] / np.where(
            heads > 0, heads, np.nan
        )
        self.dealings["dealing_cost"][:, self.rows] = self.markets.books.dealing_cost * size

    def _note_events(self, size: np.ndarray) -> None:
        """Note which firms closed, and which ran short of money for the first time in play."""
        markets = self.markets
        short = (markets.books.shortfall > 0) & ~self._short if markets.tick >= 1 else np.zeros_like(self._short)
        for name, happened, amount in (
            ("insolvent", markets.failed, markets.books.cash),
            ("first_shortfall", short, markets.books.shortfall * size),
        ):
            for r, j in np.argwhere(happened):
                self.events[r].append((markets.tick, markets.firm_names[r][j], name, float(amount[r, j])))
        self._short |= short

    def _grow(self) -> None:
        """Double the room, for models that are stepped past their horizon."""
        for table in (self.measures, self.market, self.dealings):
            for name, column in table.items():
                table[name] = np.concatenate([column, np.full_like(column, np.nan)], axis=1)
        for name in ("primary", "labels", "shares", "enablers", "flows"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)], axis=1))

    def latest(self, name: str, r: int = 0) -> float:
        """Return a measure of a market in the last tick."""
        return float(self.market[name][r, self.rows - 1]) if self.rows else float("nan")

    def record(self, r: int = 0) -> RunRecord:
        """Return what has been recorded so far of one market."""
        markets, rows = self.markets, self.rows
        config = markets.configs[r]
        return RunRecord(
            scenario=config.name or config.id,
            seed=markets.run_seeds[r],
            ticks=np.arange(rows, dtype=np.int64) + 1 - config.burn_in,
            firms=tuple(markets.firm_names[r]),
            measures={name: column[r, :rows].copy() for name, column in self.measures.items()},
            market={name: column[r, :rows].copy() for name, column in self.market.items()},
            dealings={name: column[r, :rows].copy() for name, column in self.dealings.items()},
            primary=self.primary[r, :rows].copy(),
            shares=self.shares[r, :rows].copy(),
            labels=self.labels[r, :rows].copy(),
            enablers=self.enablers[r, :rows].copy(),
            flows=self.flows[r, :rows].copy(),
            events=list(self.events[r]),
            departures=self._departures_frame(r) if self.keep_departures else None,
            ledger=markets.ledger.record(r) if markets.ledger and markets.bases[r].ledger else None,
        )

    def _departures_frame(self, r: int) -> pd.DataFrame:
        """Return one row per explained departure from a market, by tick and customer."""
        import pandas as pd

        options = np.array(["outside", *self.markets.firm_names[r]])
        frames = []
        for part in self.departures[r]:
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

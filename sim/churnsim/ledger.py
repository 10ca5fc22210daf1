"""The ledger: what firms' books know of every single customer, kept where the scenario asks (``ledger: true``).

It is read off the customers' columns and the books after every tick of play, with whole-array operations
over all markets of a batch, so it is the same for both engines and in any batch. It watches and changes nothing.
Everything in it is in the log of purchases, contracts, enquiries and failed stays; no belief or feeling is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.engine.state import NO_PURCHASE
from churnsim.mechanisms.involuntary import NATURAL
from churnsim.records import LedgerRecord
from churnsim.spending import concentration

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.markets import Markets
    from churnsim.model import ChurnModel

NEVER = 0
"""Stands for "not in play" in columns of ticks; play begins with tick 1."""


def purchase_size(markets: Markets) -> Any:
    """Return how much each customer buys at a time, in average purchases: (n,) or one number for all."""
    return markets.dealings.size if markets.deals else 1.0


@dataclass
class Accounts:
    """One account per firm and row; shapes (J, n), ticks and counts int32, money float64 in currency."""

    money: np.ndarray
    margin: np.ndarray
    """Money less what serving and looking after the customer cost, discounted to tick 0."""
    purchases: np.ndarray
    first: np.ndarray
    last: np.ndarray
    left: np.ndarray
    """Tick in which the customer last left the firm."""
    tempted: np.ndarray
    """Purchases while with the firm, in ticks in which a rival was cheaper or on promotion."""
    resisted: np.ndarray
    """Those of them that were made at the firm."""
    occasions: np.ndarray
    """Purchase occasions while with the firm."""
    compared: np.ndarray
    """Those of them on which the customer compared offers."""
    troubles: np.ndarray
    """First occasions after a stay that failed."""
    tolerated: np.ndarray
    """Those of them on which the customer bought from the firm again."""

    @classmethod
    def opened(cls, firms: int, rows: int) -> Accounts:
        """Return accounts with nothing in them."""
        kinds = {"money": np.float64, "margin": np.float64}
        return cls(**{field.name: np.zeros((firms, rows), kinds.get(field.name, np.int32)) for field in fields(cls)})


class Ledger:
    """Accounts, spells and silences of every customer of a batch of markets.

    When somebody leaves the market for good, the account is closed and another person begins in the row.

    Attributes
    ----------
    accounts : Accounts
        The open accounts, by firm and row.
    entered : (n,) int32
        Tick in which the person in the row came into the market; 0 for everybody there before tick 1.
    closed : list of dict
        Closed accounts, tick by tick.
    at_risk, lost : (R, J, K) int64
        Customers by whole ticks with the firm at the start of a tick, and those of them gone at its end.
    """

    def __init__(self, markets: Markets) -> None:
        self.markets = markets
        count, firms = markets.books.price.shape
        columns, rows = markets.columns, markets.columns.id.size
        self.firms = firms
        self.market = (np.searchsorted(markets.batch.first, np.arange(rows), side="right") - 1).astype(np.int32)
        self.provider, self.tenure = columns.provider.copy(), columns.tenure.copy()
        self.troubled = self._troubled()
        self.active = markets.batch.active.copy()
        self.window = np.array([base.customers.inactivity for base in markets.bases])
        self.discount = np.array([base.discount for base in markets.bases])
        self.accounts = Accounts.opened(firms, rows)
        self.entered = np.zeros(rows, np.int32)
        self.closed: list[dict[str, np.ndarray]] = []
        room = markets.bases[0].burn_in + markets.horizon + 1
        self.at_risk = np.zeros((count, firms, room), np.int64)
        self.lost = np.zeros_like(self.at_risk)
        self.silences: list[np.ndarray] = []
        # Persons who are no longer in the market are silent for good: found out already, or in which tick they will be.
        self._found_dead = np.zeros((count, firms), np.int64)
        self._missed_dead = np.zeros((count, firms), np.int64)
        self._due: dict[int, np.ndarray] = {}
        self._prices: list[np.ndarray] = []
        self._bought: list[np.ndarray] = []

    # ------------------------------------------------------------------ every tick

    def close_tick(self) -> None:
        """Enter what happened in the tick that just ended; who was where at its start is known from the last call."""
        markets = self.markets
        columns, tick = markets.columns, markets.tick
        self._make_room()
        rows = np.flatnonzero(self.provider > 0)
        home, market = self.provider[rows] - 1, self.market[rows]
        gone = columns.provider[rows] != self.provider[rows]
        self._count_spells(market, home, self.tenure[rows], gone)
        self._enter_occasions(rows, home)
        self._enter_purchases()
        self._charge_relationship(rows, home, market)
        self.accounts.left[home[gone], rows[gone]] = tick
        self._close_accounts(np.flatnonzero(columns.exit == NATURAL))
        self._watch_silence()
        self.provider[...], self.tenure[...] = columns.provider, columns.tenure
        self.troubled = self._troubled()

    def _troubled(self) -> np.ndarray:
        """Return whose last stay has failed, with no occasion since."""
        markets = self.markets
        return markets.dealings.pending > 0 if markets.deals else np.zeros(markets.columns.id.size, np.bool_)

    def _make_room(self) -> None:
        """Follow a growing market: newcomers enter, and there may be more rows than before."""
        markets = self.markets
        old, rows = self.entered.size, markets.columns.id.size
        if rows > old:
            wider = Accounts.opened(self.firms, rows)
            for field in fields(Accounts):
                getattr(wider, field.name)[:, :old] = getattr(self.accounts, field.name)
            self.accounts = wider
            for name in ("entered", "provider", "tenure", "market", "troubled"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros(rows - old, column.dtype)]))
        for r in np.flatnonzero(markets.batch.active > self.active):
            first = markets.batch.first[r]
            self.entered[first + self.active[r] : first + markets.batch.active[r]] = markets.tick
        self.active[...] = markets.batch.active

    def _count_spells(self, market: np.ndarray, home: np.ndarray, tenure: np.ndarray, gone: np.ndarray) -> None:
        """Count customers by tenure, and those lost."""
        longest = int(tenure.max(initial=0))
        if longest >= self.at_risk.shape[2]:
            wider = ((0, 0), (0, 0), (0, longest + 1))
            self.at_risk, self.lost = np.pad(self.at_risk, wider), np.pad(self.lost, wider)
        shape = self.at_risk.shape
        cells = np.ravel_multi_index((market, home.astype(np.intp), tenure.astype(np.intp)), shape)
        self.at_risk += np.bincount(cells, minlength=self.at_risk.size).reshape(shape)
        self.lost += np.bincount(cells[gone], minlength=self.lost.size).reshape(shape)

    def _enter_occasions(self, rows: np.ndarray, home: np.ndarray) -> None:
        """Enter which of the firms' customers had an occasion to buy, who compared, and who forgave a failed stay."""
        accounts, choice = self.accounts, self.markets.columns.choice[rows]
        had = choice != NO_PURCHASE
        accounts.occasions[home, rows] += had
        accounts.compared[home, rows] += self.markets.columns.looked[rows]
        after = had & self.troubled[rows]
        accounts.troubles[home, rows] += after
        accounts.tolerated[home, rows] += after & (choice == home + 1)

    def _enter_purchases(self) -> None:
        """Enter this tick's purchases, and whether a rival tempted those who made them."""
        markets, accounts, tick = self.markets, self.accounts, self.markets.tick
        books, choice = markets.books, markets.columns.choice
        buyers = np.flatnonzero(choice > 0)
        firm, market = choice[buyers] - 1, self.market[buyers]
        size = np.broadcast_to(np.asarray(purchase_size(markets), np.float64), choice.shape)[buyers]
        accounts.money[firm, buyers] += books.price[market, firm] * size
        worth = books.price - books.unit_cost - books.service - books.training
        accounts.margin[firm, buyers] += self._discounted(market) * worth[market, firm] * size
        accounts.purchases[firm, buyers] += 1
        accounts.last[firm, buyers] = tick
        began = accounts.first[firm, buyers] == NEVER
        accounts.first[firm[began], buyers[began]] = tick
        served = self.provider[buyers] > 0
        buyers, firm, market = buyers[served], firm[served], market[served]
        home = self.provider[buyers] - 1
        tempted = self._temptations()[market, home]
        accounts.tempted[home, buyers] += tempted
        accounts.resisted[home, buyers] += tempted & (firm == home)
        self._prices.append(np.where(markets.batch.open, books.price, np.nan))
        self._bought.append(np.packbits([choice == j + 1 for j in range(self.firms)], axis=1))

    def _temptations(self) -> np.ndarray:
        """Return, for every firm (R, J), whether an open rival is cheaper or on promotion."""
        books = self.markets.books
        cheaper = books.price[:, np.newaxis] < books.price[:, :, np.newaxis]
        lures = (cheaper | books.promotion[:, np.newaxis]) & self.markets.batch.open[:, np.newaxis]
        return (lures & ~np.eye(self.firms, dtype=np.bool_)).any(axis=2)

    def _discounted(self, market: np.ndarray) -> np.ndarray:
        """Return what a unit of money of this tick is worth at tick 0, by row."""
        return ((1 + self.discount) ** -self.markets.tick)[market]

    def _charge_relationship(self, rows: np.ndarray, home: np.ndarray, market: np.ndarray) -> None:
        """Charge relationship work to those it was for: everybody who was with the firm, alike."""
        books = self.markets.books
        places = np.ravel_multi_index((market, home.astype(np.intp)), books.price.shape)
        heads = np.bincount(places, minlength=books.price.size).reshape(books.price.shape)
        each = books.relationship_cost * self.markets.rules.size[:, np.newaxis] / np.maximum(heads, 1)
        self.accounts.margin[home, rows] -= self._discounted(market) * each[market, home]

    def _close_accounts(self, rows: np.ndarray) -> None:
        """Close the accounts of those who left the market, and open new ones in their rows."""
        if not rows.size:
            return
        accounts, tick, market = self.accounts, self.markets.tick, self.market[rows]
        held = {field.name: getattr(accounts, field.name)[:, rows] for field in fields(Accounts)}
        single = {"market": market, "id": self.markets.columns.id[rows], "entered": self.entered[rows]}
        self.closed.append({**single, **held, "gone": np.full(rows.size, tick, np.int32)})
        for j, (last, left) in enumerate(zip(held["last"], held["left"], strict=True)):
            found = last + self.window[market]
            known = last != NEVER
            np.add.at(self._found_dead[:, j], market[known & (found < tick)], 1)
            np.add.at(self._missed_dead[:, j], market[known & (found >= tick)], 1)
            waiting = np.flatnonzero(known & (found >= tick))
            for when in np.unique(found[waiting]):
                those = waiting[found[waiting] == when]
                due = self._due.setdefault(int(when), np.zeros((2, *self._found_dead.shape), np.int64))
                np.add.at(due[0, :, j], market[those], 1)
                np.add.at(due[1, :, j], market[those], when - left[those])
        for field in fields(Accounts):
            getattr(accounts, field.name)[:, rows] = 0
        self.entered[rows] = tick

    def _watch_silence(self) -> None:
        """Take customers for lost who have not bought for a while, and see who really is (course S22)."""
        accounts, tick, provider = self.accounts, self.markets.tick, self.markets.columns.provider
        count = len(self.window)
        found = np.zeros((count, self.firms, 5))
        delays = np.zeros((2, count, self.firms))
        if tick in self._due:
            due = self._due.pop(tick)
            self._missed_dead -= due[0]
            self._found_dead += due[0]
            delays += due
        window = self.window[self.market]
        for j in range(self.firms):
            bought = accounts.last[j] != NEVER
            silent = tick - accounts.last[j] - window
            gone = provider != j + 1
            flagged = bought & (silent >= 0)
            fresh = np.flatnonzero(flagged & gone & (silent == 0))
            found[:, j, 1] = self._by_market(flagged & gone) + self._found_dead[:, j]
            found[:, j, 2] = self._by_market(flagged & ~gone)
            found[:, j, 3] = self._by_market(bought & ~flagged & gone) + self._missed_dead[:, j]
            delays[0, :, j] += np.bincount(self.market[fresh], minlength=count)
            delays[1, :, j] += np.bincount(self.market[fresh], tick - accounts.left[j, fresh], count)
        found[:, :, 0] = found[:, :, 1] + found[:, :, 2]
        found[:, :, 4] = delays[1] / np.where(delays[0] > 0, delays[0], np.nan)
        self.silences.append(found)

    def _by_market(self, mask: np.ndarray) -> np.ndarray:
        """Return how many rows of each market are marked."""
        return np.bincount(self.market[mask], minlength=len(self.window))

    # ------------------------------------------------------------------ what it says

    def persons(self, r: int = 0) -> dict[str, np.ndarray]:
        """Return the accounts of everybody who has been in market `r` in play, closed ones last.

        Returns
        -------
        dict of str to array
            ``id``, ``entered``, ``gone`` (0: still there) and ``provider`` (option number), each (persons,);
            and the fields of `Accounts`, each (J, persons).
        """
        rows = self._rows(r)
        here = {field.name: getattr(self.accounts, field.name)[:, rows] for field in fields(Accounts)}
        who = {"id": self.markets.columns.id[rows], "entered": self.entered[rows], "provider": self.provider[rows]}
        parts = [{**who, "gone": np.zeros(len(who["id"]), np.int32), **here}]
        for part in self.closed:
            mine = part["market"] == r
            kept = {name: column[..., mine] for name, column in part.items() if name != "market"}
            parts.append({**kept, "provider": np.zeros(int(mine.sum()), np.int8)})
        return {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}

    def _rows(self, r: int) -> slice:
        """Return the rows of a market's customers."""
        first = int(self.markets.batch.first[r])
        return slice(first, first + int(self.active[r]))

    def record(self, r: int = 0) -> LedgerRecord:
        """Return the tables of one market as they stand."""
        persons = self.persons(r)
        buyers = persons["purchases"] > 0
        curves = [
            concentration(persons["money"][j, buyers[j]], persons["purchases"][j, buyers[j]]) for j in range(self.firms)
        ]
        used = self.at_risk[r].any(axis=0)
        # One more than the longest spell began with: that far the survivor curve is known.
        longest = used.size - int(np.argmax(used[::-1])) + 1 if used.any() else 0
        silences = [found[r] for found in self.silences]
        return LedgerRecord(
            at_risk=self.at_risk[r, :, :longest].copy(),
            lost=self.lost[r, :, :longest].copy(),
            buyers=buyers.sum(axis=1),
            concentration=np.stack(curves, axis=1),
            silences=np.stack(silences) if silences else np.zeros((0, self.firms, 5)),
            observables=np.array([self._observed(r, j) for j in range(self.firms)]),
        )

    def _observed(self, r: int, j: int) -> tuple[float, ...]:
        """Return what the log says of firm `j`'s present customers (course S32), by `records.OBSERVABLES`."""
        rows = self._rows(r)
        mine = self.provider[rows] == j + 1
        held = {field.name: getattr(self.accounts, field.name)[:, rows][:, mine] for field in fields(Accounts)}
        bought, everywhere = held["purchases"][j], held["purchases"].sum(axis=0)
        wallet = bought[everywhere > 0] / everywhere[everywhere > 0]
        return (
            float(mine.sum()),
            _mean(np.maximum(bought - 1, 0)),
            _mean(held["money"][j]),
            _mean(wallet),
            _ratio(held["resisted"][j], held["tempted"][j]),
            self._sensitivity(r, j, mine, held["first"][j]),
            _mean(bought[bought > 0] > 1),
            _ratio(held["compared"][j], held["occasions"][j]),
            _ratio(held["tolerated"][j], held["troubles"][j]),
        )

    def _sensitivity(self, r: int, j: int, mine: np.ndarray, first: np.ndarray) -> float:
        """Return by how much oftener the firm's customers buy when it is cheaper than on average than when dearer.

        Purchases per customer and tick, in the ticks after each customer's first purchase; NaN where the price never
        moved.
        """
        prices = np.array([price[r, j] for price in self._prices])
        traded = ~np.isnan(prices)
        if not traded.any():
            return float("nan")
        mean = prices[traded].mean()
        moved = traded & ~np.isclose(prices, mean, rtol=1e-9, atol=0)
        dearer = prices > mean
        bought, chances = np.zeros(2), np.zeros(2)
        begin, size = self._rows(r).start, mine.size
        for row in np.flatnonzero(moved):
            packed = self._bought[row][j, begin // 8 : (begin + size + 7) // 8]
            there = np.unpackbits(packed)[begin % 8 :][:size]
            # A market that has grown since has more rows now than it had then.
            there = np.pad(there, (0, size - there.size))[mine]
            able = (first != NEVER) & (first <= row)  # play begins with tick 1, rows with 0
            side = int(dearer[row])
            bought[side] += there[able].sum()
            chances[side] += able.sum()
        rate = bought / np.where(chances > 0, chances, np.nan)
        return float(rate[0] - rate[1])


def _ratio(some: np.ndarray, all_of_them: np.ndarray) -> float:
    """Return what share of a count some of it is; NaN where there is nothing to count."""
    total = all_of_them.sum()
    return float(some.sum() / total) if total else float("nan")


def _mean(values: np.ndarray) -> float:
    """Return a mean, NaN of nothing."""
    return float(values.mean()) if values.size else float("nan")


def accounts(model: ChurnModel) -> pd.DataFrame:
    """Return the accounts of everybody who has been in the market in play, one row per customer and firm.

    Parameters
    ----------
    model
        A model of a scenario with ``ledger: true``.

    Returns
    -------
    pandas.DataFrame
        customer (id), entered and gone (ticks of coming into the market and of leaving it for good; 0 is before play,
        and missing still there), provider (now), firm, money (currency), purchases, margin (currency: money less
        variable cost, service and an equal part of the relationship work, discounted to tick 0 at the scenario's
        ``discount``), first and last (ticks of the first and last purchase in play; missing where there is none).

    Raises
    ------
    ValueError
        If the model keeps no ledger.
    """
    ledger = model.ledger
    if ledger is None:
        raise ValueError("the model keeps no ledger; give its scenario ledger: true")
    return accounts_frame(ledger.persons(), model.firm_names[0])


def accounts_frame(persons: dict[str, np.ndarray], firms: list[str]) -> pd.DataFrame:
    """Return persons' accounts as a table, one row per customer and firm; see `accounts`."""
    import pandas as pd

    count, options = len(persons["id"]), ["outside", *firms]
    ticks = {name: persons[name].T.ravel() for name in ("first", "last")} | {
        "gone": np.repeat(persons["gone"], len(firms))
    }
    known = {name: pd.Series(column, dtype="Int64").where(column != NEVER) for name, column in ticks.items()}
    return pd.DataFrame(
        {
            "customer": np.repeat(persons["id"], len(firms)),
            "entered": np.repeat(persons["entered"], len(firms)),
            "gone": known["gone"],
            "provider": pd.Categorical.from_codes(np.repeat(persons["provider"], len(firms)), options),
            "firm": pd.Categorical.from_codes(np.tile(np.arange(len(firms)), count), firms),
            **{name: persons[name].T.ravel() for name in ("money", "purchases", "margin")},
            "first": known["first"],
            "last": known["last"],
        }
    )

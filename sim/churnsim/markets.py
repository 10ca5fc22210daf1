"""Markets that advance side by side, tick by tick: the schedule and its phases, written once for one or many.

A sweep runs thousands of small markets. Stepping them one by one would spend more time between the
kernels than in them; here every phase is one call for a whole batch, whose customers stand one market after
another in the same arrays. `churnsim.ChurnModel` is a batch of one, with Mesa's face.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.compiling import prepare
from churnsim.decisions import Decisions
from churnsim.engine.books import (
    crowd,
    draw_luck,
    fund,
    new_markets,
    new_rules,
    open_books,
    publish,
    renew,
    settle_books,
)
from churnsim.engine.compiled import Compiled
from churnsim.engine.conduct import (
    cultivate,
    fund_programmes,
    new_conduct,
    publish_conduct,
    settle_dealings,
)
from churnsim.engine.dealings.phases import begin
from churnsim.engine.dealings.state import Dealings, allocate_dealings
from churnsim.engine.hearsay import find_ties
from churnsim.engine.levers import MORALE
from churnsim.engine.population import populate
from churnsim.engine.state import SCALE, Columns, Parameters, Traits, allocate, new_counters, whole_of
from churnsim.ledger import Ledger
from churnsim.mechanisms.firm import morale_factor
from churnsim.randomness import Stream, name_code, stream_key
from churnsim.reading import open_market, read_market
from churnsim.recorder import Recorder

if TYPE_CHECKING:
    from churnsim.records import RunRecord
    from churnsim.scenario import Scenario

PHASES = (
    "make_moves", "decide_strategies", "fund_budgets", "renew_quality", "approach", "choose", "explain_departures",
    "serve", "listen", "close_books", "measure",
)  # fmt: skip
"""The phases of a tick, in order (docs/model.md, order of events)."""


def alike(scenario: Scenario) -> tuple[Any, ...]:
    """Return what scenarios must have in common to run in one batch."""
    return len(scenario.firms), scenario.burn_in, scenario.horizon, deals_in(scenario)


def deals_in(scenario: Scenario) -> bool:
    """Return whether a scenario ever has dealings beyond the stay."""
    return any(state.mechanisms.dealings for state in scenario.states)


class Markets:
    """A batch of markets, each with a scenario and a seed of its own.

    Parameters
    ----------
    scenarios
        One scenario per market; all with as many firms, burn-in ticks and ticks (`alike`).
    seeds
        One seed per market.
    engine
        What runs the customers' phases: `churnsim.engine.compiled.Compiled` or `churnsim.agents.Agents`.
    order : (n,) integers, optional
        A permutation: ids of the customers by row; for a single market.
    departures
        Whether to keep a line for every departure.

    Attributes
    ----------
    tick : int
        The tick that has just ended.
    columns : churnsim.engine.state.Columns
        Customers of all markets, one market after another.
    batch : churnsim.engine.state.Market
        What holds in each market this tick; arrays have a leading axis over markets.
    books : churnsim.engine.books.Books
        Every firm of every market.
    totals : churnsim.engine.state.Counters
        This tick's sums over customers.
    ledger : churnsim.ledger.Ledger or None
        What the books know of every single customer, where some scenario keeps a ledger.
    """

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        seeds: Sequence[int],
        *,
        engine: Any,
        order: np.ndarray | None = None,
        departures: bool = False,
    ) -> None:
        if len({alike(scenario) for scenario in scenarios}) != 1:
            raise ValueError("the markets of a batch have the same number of firms, burn-in ticks and ticks")
        self.engine = engine
        self.bases = list(scenarios)
        self.seeds = np.array([seed % 2**64 for seed in seeds], np.uint64)
        self.run_seeds = list(seeds)
        self.configs = [scenario.at(0) for scenario in scenarios]
        self.levers: list[dict[str, dict[str, Any]]] = [{} for _ in scenarios]
        self.first_tick = -self.bases[0].burn_in
        self.tick = self.first_tick
        self.horizon = self.bases[0].horizon
        self.firm_names = [list(config.firms) for config in self.configs]
        self.deals = deals_in(self.bases[0])
        if isinstance(engine, Compiled):
            prepare(deals=self.deals)
        self._changes: dict[int, list[int]] = {}
        self._openings: dict[int, list[tuple[int, int]]] = {}
        for r, scenario in enumerate(self.bases):
            for tick in {move.tick for move in scenario.moves}:
                self._changes.setdefault(tick, []).append(r)
            for j, firm in enumerate(scenario.firms.values()):
                if firm.opens:
                    self._openings.setdefault(firm.opens, []).append((r, j))
        count, firms = len(self.bases), len(self.firm_names[0])
        self.codes = np.array([[name_code(name) for name in names] for names in self.firm_names], np.uint64)
        # By name, so that the order in which a scenario lists its firms does not matter.
        self.by_name = np.array([np.argsort(names) for names in self.firm_names], np.int64).reshape(count, firms)
        self.parameter_sets: list[Parameters] = []
        self.sets: np.ndarray
        self.customs: np.ndarray
        self.trait_sets: Traits
        self.numbers: dict[Any, int] = {}
        self.all_traits: list[Traits] = []
        self.current = np.zeros(count, np.int64)
        self.books, self.rules, self.conduct = open_books(count, firms), new_rules(count), new_conduct(count, firms)
        self.seasons: list[tuple[float, ...]] = [(1.0,)] * count
        self.all_customs: list[dict[str, np.generic]] = []
        rows = self.bases[0].burn_in + self.horizon + 1
        self.batch = new_markets(count, firms, rows, max(base.customers.word_of_mouth.contacts for base in self.bases))
        for r in range(count):
            read_market(self, r)
            open_market(self, r)
        self.failed = np.zeros((count, firms), np.bool_)
        self.entered = np.zeros(count, np.int64)
        self.decisions = Decisions(self)
        self._populate(order)
        self.recorder = Recorder(self, departures)
        self.ledger: Ledger | None = None
        for _ in range(self.bases[0].burn_in):
            self.step_once()
        self._mark_lost()
        if any(scenario.ledger for scenario in self.bases):
            self.ledger = Ledger(self)

    # ------------------------------------------------------------------ the schedule

    def step_once(self) -> None:
        """Run the phases of one tick in order (docs/model.md, order of events).

        Shocks and moves; strategies decide; the budget arbiter funds; quality follows; customers
        exit, look around and choose (contacts and offers reach them here); departures are
        explained; stays are delivered and leave their mark; people talk; books are closed and
        the tick is measured. Within a phase everybody acts on the state at its start.
        """
        self.tick += 1
        self.make_moves()
        self.decide_strategies()
        self.fund_budgets()
        self.renew_quality()
        self.approach()
        self.choose()
        self.explain_departures()
        self.serve()
        self.listen()
        self.close_books()
        self.measure()

    def run_to_horizon(self) -> list[RunRecord]:
        """Step to the horizon and return every market's record."""
        while self.tick < self.horizon:
            self.step_once()
        return [self.recorder.record(r) for r in range(len(self.bases))]

    # ------------------------------------------------------------------ phases

    def make_moves(self) -> None:
        """Let dated changes take effect."""
        for r in self._changes.get(self.tick, ()):
            self.configs[r] = self.bases[r].at(self.tick)
            self.levers[r] = self.bases[r].levers_at(self.tick)
            read_market(self, r)
            self.decisions.forget()
        for r, j in self._openings.get(self.tick, ()):
            self.books.open[r, j] = True
            self.batch.opened[r, j] = self.tick - self.first_tick
            self.decisions.forget()
        row = self.tick - self.first_tick
        if row >= self.batch.prices.shape[1]:
            self._extend_history()
        self.batch.parameter_set[:, row] = self.current
        whole_of(self.totals).fill(0)

    def decide_strategies(self) -> None:
        """Let every firm set its levers, all on last tick's numbers."""
        draw_luck(self.books, self.seeds, self.codes, self.tick)
        self.decisions.take()

    def fund_budgets(self) -> None:
        """Let every firm's budget decide what its wishes come to."""
        fund(self.books, self.rules)
        if self.deals:
            fund_programmes(self.books, self.conduct, self.rules)

    def renew_quality(self) -> None:
        """Let quality follow spending, publish what holds for all customers this tick, and let the market grow."""
        morale = self.conduct.stocks[:, :, MORALE]
        if self.deals:
            cultivate(self.books, self.conduct, self.rules)
            morale = morale_factor(morale, self.conduct.usual_morale)
        renew(self.books, self.rules, morale)
        self._publish()
        self._admit()

    def approach(self) -> None:
        """Contacts, offers, employees and the calendar reach customers, where there are dealings beyond the stay."""
        if self.deals:
            self.engine.approach(self)

    def choose(self) -> None:
        """Involuntary exits, purchase occasions, attention, choice."""
        self.engine.choose(self)
        crowd(self.batch, self.books, self.rules, self.totals)

    def explain_departures(self) -> None:
        """Attribute every voluntary departure to its causes, before anything else changes."""
        self.engine.explain(self)
        if self.recorder.keep_departures:
            for r in range(len(self.bases)):
                self._itemise(r)

    def serve(self) -> None:
        """Deliver stays and contacts; customers learn, feel and remember."""
        self.engine.serve(self)
        if self.deals:
            self.engine.take_stock(self)

    def listen(self) -> None:
        """Let what was told reach those who hear it."""
        if any(config.mechanisms.word_of_mouth for config in self.configs):
            self.engine.listen(self)
        if self.deals and any(config.mechanisms.referral for config in self.configs):
            self.engine.pass_on(self)

    def close_books(self) -> None:
        """Close every firm's accounts and the market's memory of quality."""
        if self.deals:
            settle_dealings(self.books, self.conduct, self.rules, self.totals, self.batch.money_unit)
        settle_books(self.books, self.rules, self.totals, self.tick, self.failed)
        delivered = self.totals.purchases[:, 1:].sum(axis=1)
        mean = self.totals.stays_quality[:, 0] / SCALE / np.maximum(delivered, 1)
        self.market_mean += np.where(delivered > 0, self.rules.memory * (mean - self.market_mean), 0)

    def measure(self) -> None:
        """Take the census and record the tick."""
        self.engine.count(self)
        self.recorder.close_tick()
        if self.ledger is not None:
            self.ledger.close_tick()
        self.books.customers[...] = self.totals.heads[:, 1:] / self.rules.size[:, np.newaxis]

    def _publish(self) -> None:
        """Publish what holds for all customers in the tick that begins."""
        row = self.tick - self.first_tick
        self.batch.market_mean[...] = self.market_mean
        publish(self.batch, self.books, self.rules, self.seeds, self.codes, self.by_name, self.tick, row)
        if self.deals:
            weights = self.seasons
            self.batch.season[...] = [season[(self.tick - 1) % len(season)] for season in weights]
            publish_conduct(self.batch, self.books, self.conduct, self.rules, self.seeds, self.codes, self.tick, row)

    def _extend_history(self) -> None:
        """Double the room for history, for models that are stepped past their horizon."""
        names = (
            "parameter_set", "prices", "cues", "promotions", "contacts_then", "richness_then", "best_work",
            "best_quality", "contract_length", "contract_fee", "option_keys",
        )  # fmt: skip
        longer = {name: getattr(self.batch, name) for name in names}
        self.batch = self.batch._replace(
            **{name: np.concatenate([column, np.zeros_like(column)], axis=1) for name, column in longer.items()}
        )

    # ------------------------------------------------------------------ customers

    def _populate(self, order: np.ndarray | None) -> None:
        """Make the first customers, at the tick before the first."""
        batch, count = self.batch, len(self.bases)
        if order is not None and (count > 1 or self.bases[0].customers.growth):
            raise ValueError("order needs a single market that does not grow")
        sizes = np.array([base.customers.count for base in self.bases])
        # A model may be stepped past its horizon and makes room as it goes; a batch ends at it.
        room = sizes if count == 1 else np.array([self._target(r, self.horizon) for r in range(count)])
        batch.first[...] = np.cumsum(room) - room
        batch.active[...] = batch.ring[...] = sizes
        firms = batch.open.shape[1]
        self.columns: Columns = allocate(int(room.sum()), firms)
        self.dealings: Dealings = allocate_dealings(int(room.sum()) if self.deals else 0, firms)
        for r in range(count):
            rows = slice(batch.first[r], batch.first[r] + room[r])
            self.columns.id[rows] = np.arange(room[r], dtype=np.uint32) if order is None else order
        self.row_of = np.empty(0, np.uint32)
        if order is not None:
            self.row_of = np.empty(sizes[0], np.uint32)
            self.row_of[np.asarray(order)] = np.arange(sizes[0], dtype=np.uint32)
        self.totals = new_counters(count, firms)
        self.market_mean = np.array([math.fsum(quality) / firms for quality in self.books.quality.tolist()])
        batch.parameter_set[:, 0] = self.current
        self._publish()
        shares = np.array(
            [[self.firm_config(r, j).initial_share for j in self.by_name[r]] for r in range(count)], np.float64
        )
        keys = np.array([stream_key(int(seed), Stream.INITIAL_PROVIDER) for seed in self.seeds], np.uint64)
        everybody = np.stack([np.arange(count), batch.first, batch.first + sizes], axis=1)
        self._make(everybody, np.cumsum(shares, axis=1).astype(np.float32), keys)
        self._tie()

    def firm_config(self, r: int, j: int) -> Any:
        """Return what market `r`'s scenario says of firm `j`."""
        return self.configs[r].firms[self.firm_names[r][j]]

    def _make(self, spans: np.ndarray, shares: np.ndarray | None = None, keys: np.ndarray | None = None) -> None:
        """Make new customers in spans of rows, with providers drawn by shares or with none."""
        nobody = np.zeros((len(self.bases), 0), np.float32)
        populate(
            self.columns,
            self.trait_sets,
            self.batch,
            shares is not None,
            self.seeds if keys is None else keys,
            nobody if shares is None else shares,
            self.by_name,
            spans,
        )
        if self.deals:
            begin(self.columns, self.dealings, self.trait_sets, self.customs, self.batch, shares is not None, spans)

    def _tie(self) -> None:
        """Work out which ties of the network lead far away; they stay as they are."""
        ends = np.append(self.batch.first[1:], self.columns.id.size)
        spans = np.stack([np.arange(ends.size), self.batch.first, ends], axis=1)
        self.ties = find_ties(self.columns, self.batch, spans, self.batch.hearing_keys.shape[1])

    def _target(self, r: int, tick: int) -> int:
        """Return how many customers market `r` has in a tick."""
        customers = self.bases[r].customers
        # The small number keeps a size that is whole in decimals whole in binary.
        return int(customers.count * (1 + customers.growth) ** max(tick, 0) + 1e-6)

    def _admit(self) -> None:
        """Let growing markets grow: newcomers without history enter the rows set aside for them."""
        if self.tick < 1:
            return
        spans = []
        for r, base in enumerate(self.bases):
            if base.customers.growth:
                before, target = int(self.batch.active[r]), self._target(r, self.tick)
                if len(self.bases) == 1 and target > self.columns.id.size:
                    self._make_room(2 * target)
                spans.append((r, self.batch.first[r] + before, self.batch.first[r] + target))
                self.entered[r] = target - before
        if spans:
            self._make(np.array(spans, np.int64))
            for r, _, last in spans:
                self.batch.active[r] = last - self.batch.first[r]

    def _make_room(self, rows: int) -> None:
        """Set rows aside for newcomers of a single market; ids follow each other."""
        wider = allocate(rows, self.batch.open.shape[1])
        for old, new in zip(self.columns, wider, strict=True):
            new[..., : old.shape[-1]] = old
        wider.id[:] = np.arange(rows, dtype=np.uint32)
        self.columns = wider
        if self.deals:
            further = allocate_dealings(rows, self.batch.open.shape[1])
            for old, new in zip(self.dealings, further, strict=True):
                new[..., : old.shape[-1]] = old
            self.dealings = further
        self._tie()

    def _mark_lost(self) -> None:
        """Mark, at tick 0, whom each firm has lost so far."""
        columns = self.columns
        bits = np.where(columns.provider > 0, 1 << np.maximum(columns.provider.astype(np.int64) - 1, 0), 0)
        np.copyto(columns.lost_at_start, columns.known & ~bits.astype(np.uint8))

    def _itemise(self, r: int) -> None:
        """Keep a line for every departure of this tick from market `r`."""
        rows = slice(self.batch.first[r], self.batch.first[r] + self.batch.active[r])
        columns = self.columns
        provider = columns.provider[rows]
        gone = (columns.following[rows] != provider) & (provider > 0) & (columns.exit[rows] == 0)
        leavers = np.flatnonzero(gone) + self.batch.first[r]
        # Parameters differ between anchors only where a move has changed them meanwhile.
        sets = self.batch.parameter_set[r, columns.anchor_row[leavers]]
        for then in np.unique(sets):
            mine = leavers[sets == then]
            primary, shares, _, barriers = self.engine.itemise(self, r, mine, int(then))
            self.recorder.itemised(
                r, columns.provider[mine], columns.following[mine], columns.id[mine], primary, shares, barriers
            )

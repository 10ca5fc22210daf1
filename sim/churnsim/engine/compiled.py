"""Running the phases compiled, on one or more threads, for one market or many."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.engine.census import count
from churnsim.engine.choice import choose
from churnsim.engine.dealings.phases import approach, pass_on, take_stock
from churnsim.engine.departures import itemise
from churnsim.engine.hearsay import listen
from churnsim.engine.service import serve
from churnsim.engine.state import N_BARRIERS, N_TERMS, Counters, new_counters, whole_of

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 4096
"""Rows per thread come in whole blocks, so that threads do not share cache lines or split tiles."""


PARTS = 4
"""Parts of the work per thread: who is done early takes one more, so that nobody waits for a slow core."""


class Compiled:
    """The compiled engine: each phase is one kernel over spans of rows.

    Counters are whole numbers, so results do not depend on the number of threads.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._shape: tuple[int, ...] = ()
        self._counters: list[Counters] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> Compiled:
        """Copy without the threads, which belong to nobody's state."""
        return Compiled(self.threads)

    def __reduce__(self) -> tuple[type[Compiled], tuple[int]]:
        """Pickle without the threads."""
        return Compiled, (self.threads,)

    def spans(self, markets: Any) -> list[np.ndarray]:
        """Return the parts of a phase's work, each some spans of rows: market, first row, last row (excluded)."""
        first, active = markets.batch.first, markets.batch.active
        whole = np.stack([np.arange(first.size), first, first + active], axis=1)
        if self._pool is None or active.sum() < 2 * BLOCK:
            return [whole]
        if first.size > 1:
            return [part for part in np.array_split(whole, PARTS * self.threads) if part.size]
        size = int(-(-active[0] // (PARTS * self.threads) // BLOCK) * BLOCK)
        return [np.array([[0, low, min(low + size, int(active[0]))]]) for low in range(0, int(active[0]), size)]

    def _sweep(self, parts: list[np.ndarray], call: Callable[[int], None]) -> None:
        """Call a kernel for every part of the work."""
        if self._pool is None or len(parts) == 1:
            for place in range(len(parts)):
                call(place)
        else:
            list(self._pool.map(call, range(len(parts))))

    def _counters_for(self, parts: list[np.ndarray], firms: int) -> list[Counters]:
        """Return counters at zero for every part of the work; they are made once and used again."""
        shape = (*(part.shape[0] for part in parts), firms)
        if shape != self._shape:
            self._shape, self._counters = shape, [new_counters(part.shape[0], firms) for part in parts]
        for counters in self._counters:
            whole_of(counters).fill(0)
        return self._counters

    def _count(self, markets: Any, kernel: Callable[[Counters, np.ndarray], None]) -> None:
        """Run a kernel that counts, each part on counters of its own, and add them up."""
        parts = self.spans(markets)
        if len(parts) == 1:
            kernel(markets.totals, parts[0])
            return
        counted = self._counters_for(parts, markets.books.price.shape[1])
        self._sweep(parts, lambda place: kernel(counted[place], parts[place]))
        for part, counters in zip(parts, counted, strict=True):
            if part.shape[0] == markets.totals.flows.shape[0] == 1:
                total = whole_of(markets.totals)
                total += whole_of(counters)
            else:
                for sums, piece in zip(markets.totals, counters, strict=True):
                    sums[part[:, 0]] += piece

    def choose(self, m: Any) -> None:
        """Run the choice phase."""
        self._count(m, lambda counted, spans: choose(m.columns, m.dealings, m.sets, m.batch, counted, spans))

    def approach(self, m: Any) -> None:
        """Run the phase of contacts and offers."""
        self._count(
            m, lambda counted, spans: approach(m.columns, m.dealings, m.sets, m.customs, m.batch, counted, spans)
        )

    def take_stock(self, m: Any) -> None:
        """Let the tick leave its marks on dealings."""

        def call(counted: Counters, spans: np.ndarray) -> None:
            take_stock(m.columns, m.dealings, m.trait_sets, m.sets, m.customs, m.batch, counted, spans)

        self._count(m, call)

    def pass_on(self, m: Any) -> None:
        """Let referrals be heard."""

        def call(counted: Counters, spans: np.ndarray) -> None:
            pass_on(m.columns, m.dealings, m.row_of, m.sets, m.customs, m.batch, counted, spans)

        self._count(m, call)

    def explain(self, m: Any) -> None:
        """Do nothing: the choice phase has explained departures while the customers were at hand."""

    def itemise(self, m: Any, place: int, leavers: np.ndarray, then: int) -> tuple[np.ndarray, ...]:
        """Explain the departures of given rows of one market, one by one.

        Parameters
        ----------
        m
            The markets.
        place
            Which of them.
        leavers : (n,) int64
            Rows of customers who leave, whose anchors lie in ticks with the same parameters.
        then
            Number of that set of parameters.

        Returns
        -------
        primary (n,), shares (n, N_TERMS), terms (n, N_TERMS), barriers (n, N_BARRIERS)
        """
        primary = np.empty(leavers.size, np.int64)
        shares = np.empty((leavers.size, N_TERMS), np.float32)
        terms = np.empty((leavers.size, N_TERMS), np.float32)
        barriers = np.empty((leavers.size, N_BARRIERS), np.float32)
        itemise(m.columns, m.dealings, m.sets, then, m.batch, place, leavers, primary, shares, terms, barriers)
        return primary, shares, terms, barriers

    def serve(self, m: Any) -> None:
        """Run the service phase."""
        self._count(
            m, lambda counted, spans: serve(m.columns, m.dealings, m.trait_sets, m.sets, m.batch, counted, spans)
        )

    def listen(self, m: Any) -> None:
        """Run the word-of-mouth phase."""
        parts = self.spans(m)
        self._sweep(parts, lambda place: listen(m.columns, m.ties, m.row_of, m.sets, m.batch, parts[place]))

    def count(self, m: Any) -> None:
        """Take the census."""
        self._count(m, lambda counted, spans: count(m.columns, m.sets, m.batch, counted, spans))

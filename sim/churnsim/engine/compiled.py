"""Running the phases compiled, on one or more threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.engine.census import count
from churnsim.engine.choice import choose
from churnsim.engine.departures import N_BARRIERS, N_TERMS, attribute
from churnsim.engine.hearsay import listen
from churnsim.engine.service import serve
from churnsim.engine.state import Counters, new_counters

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 1024
"""Rows per thread come in whole blocks, so that threads do not share cache lines."""


class Compiled:
    """The compiled engine: each phase is one kernel over slices of rows.

    Counters are whole numbers, so results do not depend on the number of threads.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __deepcopy__(self, memo: dict[int, Any]) -> Compiled:
        """Copy without the threads, which belong to nobody's state."""
        return Compiled(self.threads)

    def __reduce__(self) -> tuple[type[Compiled], tuple[int]]:
        """Pickle without the threads."""
        return Compiled, (self.threads,)

    def _sweep(self, rows: int, call: Callable[[int, int], None]) -> None:
        """Call a kernel on slices that cover all rows."""
        if self._pool is None or rows < 2 * BLOCK:
            call(0, rows)
            return
        size = -(-rows // self.threads // BLOCK) * BLOCK
        list(self._pool.map(lambda low: call(low, min(low + size, rows)), range(0, rows, size)))

    def _count(self, model: Any, kernel: Callable[[Counters, int, int], None]) -> None:
        """Run a kernel that counts, each slice on counters of its own, and add them up."""
        parts: list[Counters] = []

        def call(low: int, high: int) -> None:
            part = new_counters(len(model.firms))
            parts.append(part)
            kernel(part, low, high)

        self._sweep(model.active_customers, call)
        for part in parts:
            for total, piece in zip(model.counters, part, strict=True):
                total += piece

    def choose(self, model: Any) -> None:
        """Run the choice phase."""
        self._count(
            model, lambda part, low, high: choose(model.columns, model.parameters, model.market, part, low, high)
        )

    def explain(self, model: Any, leavers: np.ndarray, then: Any) -> tuple[np.ndarray, ...]:
        """Explain the departures of the given rows, whose anchors lie in ticks with parameters `then`."""
        primary = np.empty(leavers.size, np.int64)
        shares = np.empty((leavers.size, N_TERMS), np.float32)
        terms = np.empty((leavers.size, N_TERMS), np.float32)
        barriers = np.empty((leavers.size, N_BARRIERS), np.float32)
        attribute(
            model.columns,
            model.parameters,
            then,
            model.history,
            model.market,
            leavers,
            primary,
            shares,
            terms,
            barriers,
        )
        return primary, shares, terms, barriers

    def serve(self, model: Any) -> None:
        """Run the service phase."""
        self._count(
            model,
            lambda part, low, high: serve(model.columns, model.traits, model.parameters, model.market, part, low, high),
        )

    def listen(self, model: Any) -> None:
        """Run the word-of-mouth phase."""
        network = model.network
        self._sweep(
            model.active_customers,
            lambda low, high: listen(
                model.columns,
                model.parameters,
                model.market,
                network.rewired,
                network.customers,
                network.row_of,
                low,
                high,
            ),
        )

    def count(self, model: Any) -> None:
        """Take the census."""
        self._count(
            model,
            lambda part, low, high: count(
                model.columns, model.parameters, model.market.open, model.money_scale, part, low, high
            ),
        )

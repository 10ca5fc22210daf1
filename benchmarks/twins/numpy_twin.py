"""A careful NumPy twin of the model: one run with whole arrays, written from docs/model.md and the scalar rules.

It is the engine's peer in the benchmark (`exact=False`: NumPy's own exponential and logarithm) and a check on it
(`exact=True`: the model's polynomials, and then every bit is the same). The dense parts of a tick run over slices;
what concerns few customers (movers, newcomers, tellers) runs over lists of rows. Customers of one provider are taken
together, so that most of the model's conditions become the choice of an array instead of a mask.

Three columns of the model are not kept, because they follow from others: tenure (the tick less the tick of joining),
sunk cost at joining (always 0), and the expectation of those who are with no firm (nobody reads it, so it may drift).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .numpy_choice import Choice
from .numpy_people import F, pick
from .numpy_record import SCALE
from .numpy_service import Service

REPEAT = 3
"""Ticks with one provider that make a loyal customer."""

CHUNK = 1 << 17
"""Rows of a slice: below it the number of calls costs more than the cache saves."""


class NumpyTwin(Choice, Service):
    """One run of a scenario; construction makes the population and runs the burn-in.

    Parameters
    ----------
    scenario : churnsim.Scenario
        What to run: 2 to 8 firms, no moves, no growth.
    seed : int
        Seed of all luck.
    exact : bool
        Whether exponential and logarithm are the model's polynomials instead of NumPy's.
    chunk : int
        Rows of a slice; results do not depend on it.

    Raises
    ------
    ValueError
        If the scenario uses something that the twin does not cover.
    """

    def __init__(self, scenario: Any, seed: int, exact: bool = False, chunk: int = CHUNK) -> None:
        super().__init__(scenario, seed, exact, chunk)
        self.step(scenario.burn_in)
        for j in range(len(self.firms)):
            np.logical_and(self.stranger[j] == 0, self.provider != j + 1, out=self.lost_at_start[j])

    # ------------------------------------------------------------------ the schedule

    def step(self, ticks: int = 1) -> None:
        """Advance some ticks.

        Parameters
        ----------
        ticks
            How many; not beyond the scenario's horizon.
        """
        if self.tick + ticks > self.scenario.horizon:
            raise ValueError(f"{ticks} more ticks lie beyond the horizon {self.scenario.horizon}")
        # Overflow to infinity and 0 / 0 below occur only where the result is then not used.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            for _ in range(ticks):
                self.tick += 1
                self._manage()
                self._choose()
                self._explain()
                self._serve()
                if self.on.word_of_mouth:
                    self._listen()
                for low in range(0, self.size, self.chunk):
                    self._count(low, slice(low, low + self.chunk))
                self._close_books()

    def record(self) -> Any:
        """Return what was recorded so far, as a `churnsim.records.RunRecord`."""
        return self.books.record()

    # ------------------------------------------------------------------ the end of a tick

    def _close_books(self) -> None:
        """Settle every firm's accounts, move the market's mean experience, and record the tick."""
        size, books = self.size, self.books
        for j, firm in enumerate(self.firms):
            firm.settle(float(books.purchases[j + 1]) / size, self.tick, self.on.insolvency and self.on.budget)
        delivered = int(books.purchases[1:].sum())
        if delivered:
            mean = int(books.felt) / SCALE / delivered
            self.market_mean += self.scenario.customers.experience.market_memory * (mean - self.market_mean)
        books.close_tick()
        for j, firm in enumerate(self.firms):
            firm.customers = int(books.heads[j + 1]) / size

    def _count(self, low: int, part: slice) -> None:
        """Add a slice of customers to the census."""
        p, books = self.rules, self.books
        liking = p.attachment_value * self.attachment[:, part]
        liking += self.quality_value[part] * self.belief[:, part]
        liking += self.taste[:, part]
        provider, repeat = self.provider[part], self.row - np.maximum(self.anchor_row[part], 1) + 1 >= REPEAT
        for j in range(len(self.firms)):
            rows = np.flatnonzero(provider == j + 1)
            best: Any = F(-np.inf)
            for k, is_open in enumerate(self.open):
                if is_open and k != j:
                    best = np.maximum(pick(liking[k], rows), best)
            likes, loyal = pick(liking[j], rows) > best, pick(repeat, rows)
            both = np.count_nonzero(likes & loyal)
            true, spurious = both, np.count_nonzero(loyal) - both
            latent = np.count_nonzero(likes) - both
            books.loyalty[j] += (true, spurious, latent, rows.size - true - spurious - latent)
            rows += low
            books.heads[j + 1] += rows.size
            for name, column in (
                ("satisfaction", self.satisfaction), ("expectation", self.expectation),
                ("attachment", self.attachment[j]), ("belief", self.belief[j]),
            ):  # fmt: skip
                books.sums[name][j] += int(np.trunc(pick(column, rows) * F(SCALE)).sum(dtype=np.float64))
            money = pick(self.reference[j], rows).astype(np.float64)
            money *= books.money_scale
            books.sums["reference"][j] += int(np.trunc(money, out=money).sum())
            books.knowers[j] += self.stranger[j, part].size - np.count_nonzero(self.stranger[j, part])

"""Markets that are watched: one line per tick for the browser, and snapshots that futures branch from.

What a line says is what the recorder has measured, digit for digit; beside it stand the states of a fixed sample of
customers, one byte each, and the causes of every departure among them.
"""

from __future__ import annotations

import base64
import copy
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from churnsim.causes import N_VALUE_CAUSES
from churnsim.engine.compiled import Compiled
from churnsim.engine.state import Columns
from churnsim.markets import Markets
from churnsim.mechanisms.involuntary import NATURAL, NEED_END
from churnsim.recorder import INVOLUNTARY
from churnsim.scenario import Scenario

DOTS = 600
"""Customers that are drawn."""

MOOD = 0.1
"""Satisfaction above or below the neutral level from which a customer is drawn as content or as dissatisfied."""

CONTENT, EVEN, DISSATISFIED = 0, 1, 2
NEWCOMER = 64
"""Bit of a state: the customer is new in the market since the last tick, in the place of one who left for good."""

LABEL_FROM = 0.05
"""Causes with a smaller share of a departure are left out of its line."""

CAUSE_OF_EXIT = {int(kind): N_VALUE_CAUSES + place for place, kind in enumerate(INVOLUNTARY)}
GONE_FOR_GOOD = [int(NATURAL), int(NEED_END)]


def sample(customers: int) -> np.ndarray:
    """Return the ids of the customers that are drawn.

    They stand at equal distances: customers whose ids follow each other know each other, and a row of them would be
    a clique rather than a sample.
    """
    count = min(DOTS, customers)
    return np.arange(count, dtype=np.int64) * customers // count


class Watched(Markets):
    """Markets whose sampled customers are watched.

    Parameters
    ----------
    scenarios, seeds
        One scenario and seed per market, as for `Markets`.
    """

    def __init__(self, scenarios: Sequence[Scenario], seeds: Sequence[int]) -> None:
        self.samples = [sample(scenario.customers.count) for scenario in scenarios]
        self.departures: list[list[list[Any]]] = [[] for _ in scenarios]
        self.arrivals = [np.zeros(len(ids), np.bool_) for ids in self.samples]
        super().__init__(scenarios, seeds, engine=Compiled())

    def explain_departures(self) -> None:
        """Explain every departure, and note those of the sample one by one."""
        super().explain_departures()
        if self.tick < 1:
            return
        for r, ids in enumerate(self.samples):
            rows = self.batch.first[r] + ids
            left, taken, kind = self.columns.provider[rows], self.columns.following[rows], self.columns.exit[rows]
            chose = np.flatnonzero((taken != left) & (left > 0) & (kind == 0))
            lines = self._explained(r, rows, chose)
            lines += [
                [int(dot), int(left[dot]), int(taken[dot]), CAUSE_OF_EXIT[int(kind[dot])], []]
                for dot in np.flatnonzero((kind > 0) & (left > 0))
            ]
            self.departures[r] = sorted(lines)
            self.arrivals[r] = (kind == NATURAL) | (kind == NEED_END)

    def _explained(self, r: int, rows: np.ndarray, chose: np.ndarray) -> list[list[Any]]:
        """Return a line per departure that the customer chose: dot, from, to, first cause, shares of the causes."""
        lines: list[list[Any]] = []
        sets = self.batch.parameter_set[r, self.columns.anchor_row[rows[chose]]]
        for then in np.unique(sets):
            dots = chose[sets == then]
            primary, shares, _, _ = self.engine.itemise(self, r, rows[dots], int(then))
            lines += _lines(dots, self.columns, rows[dots], primary, shares)
        return lines

    def branched(self, scenario: Scenario) -> Watched:
        """Return a copy that goes on under another scenario with the same past.

        Parameters
        ----------
        scenario
            Agrees with the single market's scenario in everything but moves after the present tick.
        """
        twin = copy.deepcopy(self)
        twin.bases = [scenario]
        twin._changes = {}
        for tick in {move.tick for move in scenario.moves}:
            twin._changes[tick] = [0]
        return twin

    def states(self, r: int) -> np.ndarray:
        """Return the state of every dot, uint8: provider in the low four bits, mood in the next two, newcomer."""
        rows = self.batch.first[r] + self.samples[r]
        neutral = self.configs[r].customers.satisfaction.neutral
        satisfaction = self.columns.satisfaction[rows]
        states = self.columns.provider[rows].astype(np.uint8)
        states[satisfaction < neutral + MOOD] += EVEN << 4
        states[satisfaction <= neutral - MOOD] += (DISSATISFIED - EVEN) << 4
        states[self.arrivals[r]] += NEWCOMER
        return states

    def _beginning(self, r: int) -> dict[str, Any]:
        """Return what is known before the first tick: who is with whom; nothing has been bought or earned yet."""
        first = self.batch.first[r]
        heads = np.bincount(
            self.columns.provider[first : first + self.batch.active[r]], minlength=self.books.price.shape[1] + 1
        )
        return {"customers": heads[1:].tolist(), "customer_share": (heads[1:] / heads.sum()).tolist()}

    def frame(self, r: int) -> dict[str, Any]:
        """Return what the browser is told of the tick that has just ended."""
        recorder, row = self.recorder, self.recorder.rows - 1
        if row < 0:
            return {"t": self.tick, "measures": self._beginning(r), "dots": packed(self.states(r))}
        columns = {**recorder.measures, **recorder.dealings}
        measures = dict(zip(columns, _listed([column[r, row] for column in columns.values()]), strict=True))
        return {
            "t": self.tick,
            "measures": measures,
            "market": dict(
                zip(recorder.market, _listed([column[r, row] for column in recorder.market.values()]), strict=True)
            ),
            "level": self.books.level[r].tolist(),
            "causes": recorder.primary[r, row].tolist(),
            "flows": recorder.flows[r, row].tolist(),
            "events": [[firm, event, value] for tick, firm, event, value in recorder.events[r] if tick == self.tick],
            "left": self.departures[r],
            "dots": packed(self.states(r)),
        }


def _lines(dots: np.ndarray, columns: Columns, rows: np.ndarray, primary: np.ndarray, shares: np.ndarray) -> list[Any]:
    """Return explained departures line by line, each with its causes from the largest share down."""
    named: list[list[tuple[float, int]]] = [[] for _ in range(dots.size)]
    of, cause = np.nonzero(shares >= LABEL_FROM)
    for line, m, part in zip(of.tolist(), cause.tolist(), shares[of, cause].tolist(), strict=True):
        named[line].append((-part, m))
    ends = zip(dots.tolist(), columns.provider[rows].tolist(), columns.following[rows].tolist(), strict=True)
    return [
        [dot, left, taken, first, [[m, round(-part, 3)] for part, m in sorted(parts)]]
        for (dot, left, taken), first, parts in zip(ends, primary.tolist(), named, strict=True)
    ]


def packed(states: np.ndarray) -> str:
    """Return states as text."""
    return base64.b64encode(states.tobytes()).decode("ascii")


def _listed(values: list[Any]) -> list[Any]:
    """Return numbers, or arrays of one length, as JSON knows them; what is undefined is None."""
    together = np.array(values, np.float64)
    listed: list[Any] = together.tolist()
    if np.isfinite(together).all():
        return listed
    if together.ndim == 1:
        return [value if math.isfinite(value) else None for value in listed]
    return [[value if math.isfinite(value) else None for value in row] for row in listed]


ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def as_line(value: dict[str, Any]) -> bytes:
    """Return one line of a stream."""
    return ENCODER.encode(value).encode() + b"\n"


def header(scenario: Scenario, seed: int) -> dict[str, Any]:
    """Return the first line of a stream: what is being run."""
    ids = sample(scenario.customers.count)
    return {
        "k": "run",
        "seed": seed,
        "customers": scenario.customers.count,
        "dots": len(ids),
        "ids": ids.tolist(),
        "horizon": scenario.horizon,
        "burn_in": scenario.burn_in,
        "tick": scenario.tick,
        "currency": scenario.currency,
        "unknown": scenario.unknown,
        "title": scenario.title.model_dump(),
        "firms": [{"id": firm, "name": content.name.model_dump()} for firm, content in scenario.firms.items()],
        "moves": [{"tick": move.tick, "changes": move.changes} for move in scenario.moves],
    }

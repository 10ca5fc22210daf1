"""Timing peers side by side: on small and noisy machines only ratios of neighbouring measurements can be trusted."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

Cost = Callable[[], float]
"""Does a piece of work and returns what it cost, per unit of work."""

Say = Callable[[str], None]
"""Tells whoever waits how far it is."""


class Pair(NamedTuple):
    """Two peers; their ratio is the first one's cost over the second one's.

    `every` says in which rounds they are measured: in all of them, every second ...
    """

    name: str
    first: Cost
    second: Cost
    every: int = 1


def seconds(work: Callable[[], Any]) -> float:
    """Return how long a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def nanoseconds(work: Callable[[], Any], customer_ticks: int) -> Cost:
    """Return a measurement of work, in nanoseconds per customer and tick."""
    return lambda: seconds(work) / customer_ticks * 1e9


def step(model: Any, ticks: int) -> None:
    """Advance a model or a batch of markets."""
    for _ in range(ticks):
        model.step_once()


def stepping(model: Any, ticks: int) -> Cost:
    """Return a measurement of a model's ticks, in nanoseconds per customer and tick."""
    return nanoseconds(lambda: step(model, ticks), ticks * model.active_customers)


def interleave(pairs: Iterable[Pair], rounds: int, say: Say) -> dict[str, list[tuple[float, float]]]:
    """Measure all pairs in turn, round after round.

    The two of a pair follow each other at once. Who goes first alternates, so that neither always
    finds the caches, or the processor's clock, as the other has left them.

    Returns
    -------
    dict
        By pair, the costs of the first and the second in every round.
    """
    pairs = list(pairs)
    costs: dict[str, list[tuple[float, float]]] = {pair.name: [] for pair in pairs}
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}")
        for pair in pairs:
            if turn % pair.every:
                continue
            if len(costs[pair.name]) % 2:
                second, first = pair.second(), pair.first()
            else:
                first, second = pair.first(), pair.second()
            costs[pair.name].append((first, second))
    return costs


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, lowest and highest."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}

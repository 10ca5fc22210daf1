"""How time and memory grow: with customers, firms, acquaintances, ticks and replications."""

from __future__ import annotations

import gc
import os
import statistics
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import churnsim
from benchmarks.sizes import Sizes, hotels
from benchmarks.timing import Cost, Say, seconds, spread, step
from churnsim.model import ChurnModel, simulate

WORK = 500_000
"""Customer-ticks that a measurement of a tick takes, if that is neither too few nor too many ticks."""

HORIZON = 120
"""Ticks that markets have room for in their records; measurements stay below it."""

BYTES_IN_HAND = 400
"""Memory wanted per customer before a market of that size is tried."""


class Curve(NamedTuple):
    """One thing that grows.

    Attributes
    ----------
    name
        What grows; also its unit.
    per
        What the time is the time of: ``tick``, ``run`` or ``sweep``.
    values
        How far it grows.
    prepare
        Makes the work at one value; its result does it and returns the seconds it took.
    begin
        Value from which on the exponent is fitted.
    """

    name: str
    per: str
    values: Sequence[int]
    prepare: Callable[[int], Cost]
    begin: int = 0


def ticking(scenario: Any) -> Cost:
    """Return a measurement of a scenario's tick, in seconds."""
    model = ChurnModel(scenario, rng=1)
    ticks = min(20, max(2, WORK // model.active_customers))
    return lambda: seconds(lambda: step(model, ticks)) / ticks


def doubling(end: int) -> list[int]:
    """Return five numbers, each twice the one before, up to `end`."""
    return [end >> k for k in range(4, -1, -1)]


def curves(sizes: Sizes) -> list[Curve]:
    """Return all curves."""
    size, few = sizes.curve_customers, max(100, sizes.curve_customers // 10)

    def customers(n: int) -> Cost:
        return ticking(hotels(n, burn_in=2, horizon=HORIZON))

    def firms(n: int) -> Cost:
        return ticking(hotels(size, burn_in=2, horizon=HORIZON, firms=n))

    def contacts(n: int) -> Cost:
        changes = {"customers.word_of_mouth.contacts": n}
        return ticking(hotels(size, burn_in=2, horizon=HORIZON, changes=changes))

    def ticks(n: int) -> Cost:
        scenario = hotels(few, burn_in=0, horizon=n)
        return lambda: seconds(lambda: simulate(scenario, 1))

    def replications(n: int) -> Cost:
        scenario = hotels(few // 10, burn_in=0, horizon=30)
        return lambda: seconds(lambda: churnsim.run(scenario, seeds=range(n), jobs=1, progress=False))

    room = memory_available() / BYTES_IN_HAND
    decades = [n for k in range(3, 8) for n in (10**k, 3 * 10**k) if n <= min(sizes.largest, room)]
    # Below ten thousand customers, what a tick costs whoever is in it hides what customers cost.
    begin = 10_000 if decades[-2] >= 10_000 else 0
    return [
        Curve("customers", "tick", decades, customers, begin),
        Curve("firms", "tick", range(2, 9), firms),
        Curve("acquaintances", "tick", (2, 4, 8, 16, 32), contacts),
        Curve("ticks", "run", doubling(sizes.longest), ticks),
        Curve("replications", "sweep", doubling(sizes.most_runs), replications),
    ]


def memory_available() -> float:
    """Return how many bytes of memory are free, or infinity where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        pass
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def peak_bytes(prepare: Callable[[], Cost]) -> int:
    """Return the most memory that arrays and objects take while work is prepared and done.

    Compiled code allocates nothing, so that Python's own count is all there is.
    """
    gc.collect()
    tracemalloc.start()
    try:
        prepare()()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def exponent(values: Sequence[float], costs: Sequence[float], begin: float = 0) -> float:
    """Return the power of `values` that `costs` grow with, by least squares of logarithms from `begin` on."""
    x, y = np.asarray(values, float), np.asarray(costs, float)
    fitted = x >= begin
    return float(np.polyfit(np.log(x[fitted]), np.log(y[fitted]), 1)[0])


def straight_line(values: Sequence[float], costs: Sequence[float]) -> dict[str, float]:
    """Return the straight line through costs: what is ``fixed``, what ``each`` adds, and how far costs lie ``off``.

    Least squares of relative errors; ``off`` is the largest of them. A fixed cost makes an exponent smaller than 1
    although every customer, firm or tick adds the same.
    """
    x, y = np.asarray(values, float), np.asarray(costs, float)
    terms = np.stack([np.ones_like(x), x], axis=1)
    (fixed, each), *_ = np.linalg.lstsq(terms / y[:, np.newaxis], np.ones_like(y), rcond=None)
    return {"fixed": float(fixed), "each": float(each), "off": float(np.abs((fixed + each * x) / y - 1).max())}


def measure_curve(curve: Curve, rounds: int) -> dict[str, Any]:
    """Measure one curve: all values in turn, round after round.

    Returns
    -------
    dict
        ``values``, ``seconds`` (medians, per tick, run or sweep as ``per`` says), ``bytes`` (peak), and the exponents
        ``time_exponent`` (median, low and high over rounds) and ``memory_exponent``, fitted from ``fitted_from`` on;
        ``time_line`` is the straight line through all medians.
    """
    curve.prepare(curve.values[0])()  # compiled code is loaded now
    memory = [peak_bytes(lambda value=value: curve.prepare(value)) for value in curve.values]
    works = [curve.prepare(value) for value in curve.values]
    took = [[work() for work in works] for _ in range(rounds)]
    medians = [statistics.median(times) for times in zip(*took, strict=True)]
    return {
        "per": curve.per,
        "values": list(curve.values),
        "seconds": medians,
        "bytes": memory,
        "fitted_from": max(curve.begin, min(curve.values)),
        "time_exponent": spread([exponent(curve.values, times, curve.begin) for times in took]),
        "memory_exponent": exponent(curve.values, memory, curve.begin),
        "time_line": straight_line(curve.values, medians),
    }


def measure_curves(sizes: Sizes, say: Say) -> dict[str, Any]:
    """Measure all curves, by name."""
    measured = {}
    for curve in curves(sizes):
        say(f"cost curve: {curve.name}")
        measured[curve.name] = measure_curve(curve, sizes.curve_rounds)
    return measured

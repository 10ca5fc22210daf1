"""What a customer-tick costs: compiled on one and two threads, and as Mesa agents.

``make bench`` runs it. Peers are timed in one interleaved run, because these machines are small and
noisy: only ratios of neighbouring measurements are kept, as medians with their spread.
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

import churnsim
from churnsim import load
from churnsim.engine.state import bytes_per_customer
from churnsim.model import ChurnModel

CUSTOMERS = 100_000
AGENTS = 2_000
TICKS = 12
ROUNDS = 7
PHASES = ("make_moves", "decide_strategies", "fund_budgets", "renew_quality", "choose", "explain_departures",
          "serve", "listen", "close_books", "measure")  # fmt: skip


def market(customers: int) -> churnsim.Scenario:
    """Return the two hotels with every mechanism of the default arm on."""
    return load("two_hotels").arm("case").set({"customers.count": customers, "burn_in": 2, "horizon": 10_000})


def cost(model: ChurnModel, ticks: int) -> float:
    """Return nanoseconds per customer and tick."""
    start = time.perf_counter()
    for _ in range(ticks):
        model.step_once()
    return (time.perf_counter() - start) / ticks / model.active_customers * 1e9


def phases(model: ChurnModel) -> dict[str, float]:
    """Return nanoseconds per customer and tick of each phase."""
    spent = dict.fromkeys(PHASES, 0.0)
    for _ in range(TICKS):
        model.tick += 1
        for name in PHASES:
            start = time.perf_counter()
            getattr(model, name)()
            spent[name] += time.perf_counter() - start
    return {name: seconds / TICKS / model.active_customers * 1e9 for name, seconds in spent.items()}


def spread(values: list[float]) -> dict[str, float]:
    """Return median, lowest and highest."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def main() -> None:
    """Time, print the table, write ``benchmarks/latest.json``."""
    one, two = (ChurnModel(market(CUSTOMERS), rng=1, threads=threads) for threads in (1, 2))
    agents = ChurnModel(market(AGENTS), rng=1, engine="agents")
    ratios: dict[str, list[float]] = {"two_threads_speedup": [], "mesa_vs_kernel": []}
    nanoseconds = []
    for _ in range(ROUNDS):
        single, double, slow = cost(one, TICKS), cost(two, TICKS), cost(agents, 1)
        nanoseconds.append(single)
        ratios["two_threads_speedup"].append(single / double)
        ratios["mesa_vs_kernel"].append(slow / single)
    by_phase = phases(one)
    report = {
        "machine": {"processor": platform.processor() or platform.machine(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("churnsim", "mesa", "numba", "numpy")},
        "customers": CUSTOMERS,
        "ratios": {name: statistics.median(values) for name, values in ratios.items()},
        "spread": {name: spread(values) for name, values in ratios.items()},
        "bytes_per_customer": bytes_per_customer(2),
        "ns_per_customer_tick": statistics.median(nanoseconds),
        "phases": by_phase,
    }
    print(f"{CUSTOMERS:,} customers, two firms, medians of {ROUNDS} interleaved rounds")
    print(f"  one customer-tick, one thread   {report['ns_per_customer_tick']:8.0f} ns")
    for name, values in report["spread"].items():
        print(f"  {name:28s} {values['median']:10.2f} x  ({values['low']:.2f} - {values['high']:.2f})")
    print(f"  bytes per customer           {report['bytes_per_customer']:10.0f}")
    for name, value in by_phase.items():
        print(f"  {name:28s} {value:10.1f} ns")
    Path(__file__).with_name("latest.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

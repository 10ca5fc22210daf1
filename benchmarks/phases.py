"""Where the time of a tick goes, phase by phase; ``make profile`` runs it."""

from __future__ import annotations

import argparse
import statistics
import time

from benchmarks.sizes import hotels
from churnsim.markets import PHASES
from churnsim.model import ChurnModel


def phase_costs(model: ChurnModel, ticks: int) -> dict[str, float]:
    """Return nanoseconds per customer and tick of each phase, medians over some ticks."""
    spent: dict[str, list[float]] = {name: [] for name in PHASES}
    for _ in range(ticks):
        model.tick += 1
        for name in PHASES:
            phase = getattr(model, name)
            start = time.perf_counter()
            phase()
            spent[name].append(time.perf_counter() - start)
    return {name: statistics.median(took) / model.active_customers * 1e9 for name, took in spent.items()}


def table(costs: dict[str, float]) -> str:
    """Return phases in the order of the tick: nanoseconds per customer-tick, and the share of the tick."""
    total = sum(costs.values())
    lines = [f"  {'phase':20s} {'ns per customer-tick':>20s} {'share':>8s}"]
    lines += [f"  {name:20s} {cost:20.2f} {cost / total:8.1%}" for name, cost in costs.items()]
    return "\n".join([*lines, f"  {'one tick':20s} {total:20.2f} {1:8.1%}"])


def main(words: list[str] | None = None) -> None:
    """Print the profile of one tick."""
    parser = argparse.ArgumentParser(prog="benchmarks.phases", description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--firms", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ticks", type=int, default=24, help="ticks measured; each phase's median counts")
    wish = parser.parse_args(words)
    market = hotels(wish.customers, burn_in=12, firms=wish.firms)
    model = ChurnModel(market, rng=1, threads=wish.threads)
    threads = "one thread" if wish.threads == 1 else f"{wish.threads} threads"
    print(f"One tick of {wish.customers:,} customers and {wish.firms} firms, {threads}, medians of {wish.ticks} ticks")
    print(table(phase_costs(model, wish.ticks)))


if __name__ == "__main__":
    main()

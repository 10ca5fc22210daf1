"""The largest market: ten million customers, two firms, 120 ticks; ``make bench-large`` runs it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import cores, machine, versions
from benchmarks.sizes import hotels
from benchmarks.timing import seconds
from churnsim.model import simulate

TARGET = Path(__file__).with_name("large.json")


def peak() -> int:
    """Return the most memory that this process has had resident, in bytes."""
    import resource  # not on Windows

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def measure(customers: int, ticks: int, threads: int) -> dict[str, Any]:
    """Run one market from construction to horizon and return its time and peak memory."""
    simulate(hotels(1000, burn_in=0, horizon=2), 1, threads=threads)  # compiled code is loaded now
    before = peak()
    took = seconds(lambda: simulate(hotels(customers, burn_in=0, horizon=ticks), 1, threads=threads))
    most = peak()
    return {
        "machine": machine(),
        "versions": versions(),
        "customers": customers,
        "firms": 2,
        "ticks": ticks,
        "threads": threads,
        "seconds": took,
        "ns_per_customer_tick": took / customers / ticks * 1e9,
        "peak_gib": most / 2**30,
        "peak_bytes_per_customer": (most - before) / customers,
    }


def main(words: list[str] | None = None) -> None:
    """Run the market, print what it took, write ``benchmarks/large.json``."""
    parser = argparse.ArgumentParser(prog="benchmarks.large", description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000_000)
    parser.add_argument("--ticks", type=int, default=120)
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--out", type=Path, default=TARGET)
    wish = parser.parse_args(words)
    found = measure(wish.customers, wish.ticks, wish.threads)
    wish.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(
        f"{wish.customers:,} customers, two firms, {wish.ticks} ticks, {wish.threads} threads, on {processor_of(found)}"
    )
    print(f"  time         {found['seconds']:8.1f} s, {found['ns_per_customer_tick']:.0f} ns per customer and tick")
    print(f"  peak memory  {found['peak_gib']:8.2f} GiB, {found['peak_bytes_per_customer']:.0f} bytes per customer")


def processor_of(found: dict[str, Any]) -> str:
    """Return the processor that a measurement was made on."""
    return str(found["machine"]["processor"])


if __name__ == "__main__":
    main()

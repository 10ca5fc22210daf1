"""The whole suite: ratios from one interleaved run, phases, firms and cost curves; ``make bench`` runs it."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.costs import lines_of, measure_costs
from benchmarks.curves import measure_curves
from benchmarks.figure import save_curves
from benchmarks.machine import machine, versions
from benchmarks.peers import CONTROL, kernel_pairs, switch_costs, switch_pairs
from benchmarks.phases import phase_costs
from benchmarks.report import LATEST, RATIOS, text
from benchmarks.sizes import FULL, QUICK, Sizes, hotels
from benchmarks.sweeps import sweep_pairs
from benchmarks.timing import Say, interleave, spread
from churnsim.engine.state import bytes_per_customer
from churnsim.model import ChurnModel

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "figures" / "cost_curves.png"


def clock() -> Say:
    """Return what tells on standard error how far the run is."""
    start = time.perf_counter()
    return lambda what: print(f"[{time.perf_counter() - start:4.0f} s] {what}", file=sys.stderr, flush=True)


def worst_switch(costs: dict[str, list[tuple[float, float]]]) -> tuple[dict[str, Any], dict[str, float]]:
    """Return what every mechanism adds when it is off, beside the clock's noise, and the spread of the largest."""
    added = switch_costs(costs)
    strayed = sorted(abs(share) for share in added[CONTROL])
    off = {name: spread(shares) for name, shares in added.items()}
    worst = max(off.keys() - {CONTROL}, key=lambda name: off[name]["median"])
    # Two models that are the same differ by no more in two rounds of three; for a normal error that is its deviation.
    return {**off, "noise": strayed[(2 * len(strayed) - 1) // 3], "worst": worst}, off[worst]


def measure(sizes: Sizes, say: Say) -> dict[str, Any]:
    """Run the suite.

    Returns
    -------
    dict
        What ``benchmarks/latest.json`` holds (shared contract, "Benchmarks"): ``ratios`` are medians, with
        ``spread`` beside them; ``skipped`` says why a ratio is missing.
    """
    skipped: dict[str, str] = {}
    say("making the markets")
    pairs = chain(kernel_pairs(sizes, skipped), switch_pairs(sizes), sweep_pairs(sizes, skipped))
    costs = interleave(pairs, sizes.rounds, say)
    mechanisms, worst = worst_switch(costs)
    spreads = {name: spread([a / b for a, b in costs[name]]) for name in RATIOS if name in costs}
    spreads["mechanism_off_cost"] = worst
    ours = [kernel for name in ("numpy_vs_kernel", "mesa_vs_kernel") for _, kernel in costs[name]]
    say("phases")
    phases = phase_costs(ChurnModel(hotels(sizes.customers, burn_in=sizes.burn_in), rng=1), 3 * sizes.ticks)
    dealings = measure_costs(sizes, say)
    curves = measure_curves(sizes, say)
    return {
        "machine": machine(),
        "versions": versions(),
        "customers": sizes.customers,
        "rounds": sizes.rounds,
        "sweep_rounds": len(costs["batch_overhead"]),
        "ratios": {name: values["median"] for name, values in spreads.items()},
        "spread": spreads,
        "skipped": skipped,
        "bytes_per_customer": bytes_per_customer(2),
        "ns_per_customer_tick": statistics.median(ours),
        "ns_per_customer_tick_by_firms": {
            str(firms): seconds / sizes.curve_customers * 1e9
            for firms, seconds in zip(curves["firms"]["values"], curves["firms"]["seconds"], strict=True)
        },
        "phases": phases,
        "mechanisms": mechanisms,
        "dealings": dealings,
        "curves": curves,
    }


def main(words: list[str] | None = None) -> None:
    """Run the suite, print the table, write ``benchmarks/latest.json`` and the figure of the cost curves."""
    parser = argparse.ArgumentParser(prog="benchmarks.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and markets of at most a million")
    parser.add_argument("--out", type=Path, default=LATEST)
    parser.add_argument("--figure", type=Path, default=FIGURE)
    wish = parser.parse_args(words)
    report = measure(QUICK if wish.quick else FULL, clock())
    wish.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    save_curves(report["curves"], wish.figure)
    print(text(report))
    print("\nWhat a mechanism of dealings that is on adds to a customer-tick, median (lowest to highest)")
    for name, added, span in lines_of(report["dealings"]):
        print(f"  {name:28s} {added:>9s}  ({span})")


# Worker processes of peers import this module again and must not start over.
if __name__ == "__main__":
    main()

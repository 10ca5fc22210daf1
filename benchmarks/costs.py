"""What a mechanism of dealings costs while it is on: time added to a customer-tick, against a market with none of them.

``python -m benchmarks.costs`` measures this part of the suite alone and writes benchmarks/costs.json and docs/costs.md;
with ``--page`` it only writes the page anew, from the numbers that are there.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, versions
from benchmarks.report import count, percent
from benchmarks.sizes import FULL, QUICK, Sizes, hotels
from benchmarks.timing import Pair, Say, interleave, spread, stepping
from churnsim.config.mechanisms import DEALINGS
from churnsim.engine.dealings.state import allocate_dealings
from churnsim.engine.state import bytes_per_customer
from churnsim.model import ChurnModel

KEPT = Path(__file__).with_name("costs.json")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "costs.md"
ALL, CONTROL = "all together", "none (noise)"

PULLED: dict[str, dict[str, Any]] = {
    "employees": {"staff.pay": 5}, "loyalty_card": {"card.points": 0.03, "card.club": 2},
    "acquisition": {"advertising.spend": 3}, "referral": {"referral.care": 0.2}, "reminders": {"reminders.spend": 1},
    "win_back": {"win_back.key": 0.5, "win_back.ordinary": 0.5, "win_back.small": 0.5},
    "save_offers": {"save.coverage": 0.3}, "innovation": {"innovation.spend": 2},
    "ethics": {"responsibility.spend": 1}, "promises": {"promise.level": 0.1}, "listening": {"listening.spend": 2},
    "life_cycle": {"listening.spend": 2}, "screening": {"screening.strictness": 0.5},
    "bargaining": {"bargaining.concession": 0.1}, "service_tiers": {"tiers.tilt": 0.2},
    "favours": {"favours.coverage": 0.1}, "buying_centre": {"enquiries.coverage": 2, "enquiries.alarm": 2},
    "contact_fatigue": {"relationship": "proactive"},
}  # fmt: skip
"""What firms do where a mechanism would hardly do anything without."""

USUAL: dict[str, dict[str, Any]] = {
    "acquisition": {"customers.acquisition.known": 0.9}, "calendar": {"customers.calendar.weights": [0.8, 1, 1.2]},
}  # fmt: skip
"""What customers are like, likewise."""


def changes(name: str) -> dict[str, Any]:
    """Return what switches a mechanism on and puts it to use."""
    levers = PULLED.get(name, {})
    used = {f"firms.{firm}.{lever}": value for firm in ("nanyuan", "eton") for lever, value in levers.items()}
    return {f"mechanisms.{name}": True, **USUAL.get(name, {}), **used}


def measure_costs(sizes: Sizes, say: Say) -> dict[str, dict[str, Any]]:
    """Measure every mechanism in turn, on and off side by side in every round.

    Returns
    -------
    dict
        By mechanism, by `ALL` and by `CONTROL`: ``ns``, time added to a customer-tick, and ``share``, the same as a
        share of the tick without any; each with median, low and high.
    """
    worlds = {CONTROL: {}, **{name: changes(name) for name in DEALINGS}}
    worlds[ALL] = {path: value for world in worlds.values() for path, value in world.items()}
    found = {}
    for name, world in worlds.items():
        # One at a time: state of dealings is several times that of the stay, and memory is not measured here.
        say(f"dealings: {name}")
        on, off = (hotels(sizes.customers, burn_in=sizes.burn_in, changes=changed) for changed in (world, {}))
        first, second = (stepping(ChurnModel(market, rng=1, threads=1), sizes.ticks) for market in (on, off))
        first(), second()
        rounds = interleave([Pair(name, first, second)], sizes.rounds, lambda _: None)[name]
        found[name] = {
            "ns": spread([a - b for a, b in rounds]),
            "share": spread([a / b - 1 for a, b in rounds]),
            "off_ns": statistics.median(b for _, b in rounds),
        }
    return found


def lines_of(costs: dict[str, dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Return name, share of a tick that is added, and its span; the cheapest first, all together last."""
    ordered = sorted(costs, key=lambda name: (name == ALL, name != CONTROL, costs[name]["share"]["median"]))
    spans = {name: costs[name]["share"] for name in ordered}
    return [
        (name, percent(span["median"]), f"{percent(span['low'])} to {percent(span['high'])}")
        for name, span in spans.items()
    ]


def page(report: dict[str, Any]) -> str:
    """Return the page of a report."""
    costs, where = report["dealings"], report["machine"]
    said = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    rows = [f"| `{name}` | {share} | {span} |" for name, share, span in lines_of(costs)]
    return "\n".join(
        [
            "# What dealings cost",
            "",
            "<!-- Made by `make bench-costs`; do not edit. -->",
            "",
            "What a mechanism that is off costs cannot be told from noise ([performance.md](performance.md), the line "
            "on switching off). What one costs that is on: the time that it adds to a customer-tick of the two hotels "
            "without any dealings, as a share of it, with firms that make use of it. "
            "The first mechanism pays for the two further passes over all customers in which all of them live; "
            "whatever is added to it costs less than alone, as the last line shows. Mechanisms also change what "
            "customers do, and so what there is to compute. Memory: "
            f"{report['bytes']['without']:.0f} bytes per customer without dealings, "
            f"{report['bytes']['with']:.0f} with.",
            "",
            "| mechanism | added to a customer-tick | lowest to highest |",
            "|---|---|---|",
            *rows,
            "",
            f"{count(report['customers'])} customers, one thread; medians of {report['rounds']} rounds in which a "
            f"market with it and one without were stepped in turn, on {where['cores']} cores of "
            f"{where['processor']}, Python {where['python']}, {said}. The first line compares two markets that are the "
            "same, and so shows the noise. Shares, not nanoseconds: the two of a pair meet the same machine, whatever "
            "else it is doing, and different mechanisms do not.",
            "",
        ]
    )


def main(words: list[str] | None = None) -> None:
    """Measure, write the numbers and the page."""
    parser = argparse.ArgumentParser(prog="benchmarks.costs", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--customers", type=int, help="customers of the market")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--out", type=Path, default=KEPT)
    parser.add_argument("--docs", type=Path, default=PAGE)
    wish = parser.parse_args(words)
    if not wish.page:
        sizes = QUICK if wish.quick else FULL
        sizes = replace(sizes, customers=wish.customers or sizes.customers)
        dealt = sum(column.nbytes for column in allocate_dealings(1, 2))
        report = {
            "machine": machine(),
            "versions": versions(),
            "customers": sizes.customers,
            "rounds": sizes.rounds,
            "bytes": {"without": bytes_per_customer(2), "with": bytes_per_customer(2) + dealt},
            "dealings": measure_costs(sizes, lambda what: print(what, file=sys.stderr, flush=True)),
        }
        wish.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    wish.docs.write_text(page(json.loads(wish.out.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()

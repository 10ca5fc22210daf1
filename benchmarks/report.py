"""The suite's numbers in words: a table for the terminal, and one in Markdown for docs/performance.md.

python benchmarks/report.py --markdown               the table of the last run, from benchmarks/latest.json
python benchmarks/report.py --markdown --published   the table of the run shown there, from benchmarks/published.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

LATEST = Path(__file__).with_name("latest.json")
PUBLISHED = Path(__file__).with_name("published.json")
"""The run whose table stands in docs/performance.md; `make bench` leaves it alone."""

LARGEST = Path(__file__).with_name("large.json")


class Ratio(NamedTuple):
    """What a ratio means, and what it should be: at most `most`, or at least `least`."""

    words: str
    most: float | None = None
    least: float | None = None


RATIOS = {
    "kernel_vs_c": Ratio("our time over plain C's (-O3 for this machine), one thread each", most=1.0),
    "numpy_vs_kernel": Ratio("a careful NumPy program's time over ours, one thread", least=8),
    "mesa_vs_kernel": Ratio("the same rules as Mesa agents over ours, per customer, one thread", least=500),
    "two_threads_speedup": Ratio("one thread over two, 1 000 000 customers", least=1.8),
    "batch_run_vs_sweep": Ratio("`mesa.batch_run` of Mesa agents over our sweep, 2 processes or jobs", least=200),
    "batch_run_compiled_vs_sweep": Ratio("`mesa.batch_run` of our compiled model over our sweep, 2 processes or jobs"),
    "joblib_vs_sweep": Ratio("a joblib loop over our compiled model over our sweep, 2 processes or jobs"),
    "study_vs_sweep": Ratio("the same runs as a study, worker processes and store, over our sweep in memory, 2 jobs"),
    "batch_overhead": Ratio("our sweep over its kernels alone, one job", most=1.5),
    "mechanism_off_cost": Ratio("what switching a mechanism off adds to a tick, the worst of all"),
}
"""The ratios by name, in the order they are shown in."""

NOTES = (
    "Sweeps are runs of 1 000 customers and 120 ticks. The batch_run of Mesa agents is one short run per process, "
    "scaled by ticks, without the time that processes and models take to start; the other batch_run is whole, "
    "start included; joblib's workers are warm, and a "
    "study's are measured from their first answer to the last commit.",
    "A switched-off mechanism changes what customers do, and so what there is to compute; noise is what two models "
    "that are the same differ by in the same run, in two rounds of three.",
)
HEAD = ("| what | goal | median | lowest to highest | met |", "|---|---|---|---|---|")
BYTES_GOAL = 200
EXPONENT_GOAL = (0.95, 1.05)
LINEAR = ("customers", "ticks", "firms")
"""Curves that have the goal of growing linearly."""

PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))


class Row(NamedTuple):
    """One line of the table: texts only."""

    name: str
    words: str
    goal: str
    median: str
    span: str
    met: str


def count(number: int) -> str:
    """Write a whole number with its thousands apart."""
    return f"{number:,}".replace(",", " ")


def written(value: float) -> str:
    """Write a ratio with three digits, or all that stand before the point."""
    if abs(value) >= 100:
        return count(round(value))
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def percent(value: float) -> str:
    """Write a share with its sign."""
    return f"{value:+.1%}".replace("%", " %")


def scaled(value: float, unit: str) -> str:
    """Write a number with a unit and its prefix: 0.002 s is 2 ms."""
    size, prefix = next(((size, prefix) for size, prefix in PREFIXES if abs(value) >= size), PREFIXES[-1])
    return f"{value / size:.3g} {prefix}{unit}".rstrip()


def yes(met: bool) -> str:
    """Say whether a goal is met."""
    return "yes" if met else "no"


def ratio_row(name: str, report: dict[str, Any]) -> Row | None:
    """Return the line of a ratio; none where the run does not know it."""
    ratio = RATIOS[name]
    if name in report.get("skipped", {}):
        return Row(name, ratio.words, goal_of(ratio), "skipped", report["skipped"][name], "")
    if name not in report["ratios"]:
        return None
    median, span = report["ratios"][name], report["spread"][name]
    if name == "mechanism_off_cost":
        noise, worst = report["mechanisms"]["noise"], report["mechanisms"]["worst"]
        return Row(
            name, f"{ratio.words} ({worst})", f"0 within {noise:.1%}".replace("%", " %"), percent(median),
            f"{percent(span['low'])} to {percent(span['high'])}", yes(median <= noise),
        )  # fmt: skip
    met = ""
    if ratio.most is not None:
        met = yes(median <= ratio.most)
    elif ratio.least is not None:
        met = yes(median >= ratio.least)
    return Row(
        name, ratio.words, goal_of(ratio), written(median), f"{written(span['low'])} to {written(span['high'])}", met
    )


def rounds_of(report: dict[str, Any]) -> str:
    """Say how often everything was measured."""
    return f"{report['rounds']} interleaved rounds ({report['sweep_rounds']} for sweeps)"


def goal_of(ratio: Ratio) -> str:
    """Write a goal."""
    if ratio.most is not None:
        return f"at most {ratio.most:g}"
    return "" if ratio.least is None else f"at least {ratio.least:g}"


def rows_of(report: dict[str, Any]) -> list[Row]:
    """Return the lines of the table: ratios, memory, exponents."""
    rows = [row for name in RATIOS if (row := ratio_row(name, report))]
    size = report["bytes_per_customer"]
    rows.append(
        Row("bytes_per_customer", "bytes of state per customer, two firms", f"at most {BYTES_GOAL}", f"{size:.0f}", "",
            yes(size <= BYTES_GOAL))
    )  # fmt: skip
    low, high = EXPONENT_GOAL
    for name, curve in report.get("curves", {}).items():
        power = curve["time_exponent"]
        goal, met = "", ""
        if name in LINEAR:
            goal, met = f"{low} to {high}", yes(low <= power["median"] <= high)
        words = f"time grows with {name} to the power of ({count(curve['values'][0])} to {count(curve['values'][-1])}"
        words += f", fitted from {count(curve['fitted_from'])})" if curve["fitted_from"] > curve["values"][0] else ")"
        rows.append(
            Row(f"{name} exponent", words, goal, f"{power['median']:.2f}",
                f"{power['low']:.2f} to {power['high']:.2f}", met)
        )  # fmt: skip
    return rows


def markdown(report: dict[str, Any], largest: dict[str, Any] | None = None) -> str:
    """Return the table for docs/performance.md: ratios only, because seconds say more about a machine than about us."""
    lines = [*HEAD]
    lines += [f"| {row.words} | {row.goal} | {row.median} | {row.span} | {row.met} |" for row in rows_of(report)]
    machine, versions = report["machine"], report["versions"]
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines += [
        "",
        f"Two firms, every mechanism on, {count(report['customers'])} customers where nothing else is said; medians of "
        f"{rounds_of(report)} (`make bench`) on {machine['cores']} cores of {machine['processor']}, "
        f"Python {machine['python']}, {said}. " + " ".join(NOTES),
    ]
    if largest:
        lines += [
            "",
            f"The largest market tried there (`make bench-large`): {count(largest['customers'])} customers, two firms, "
            f"{largest['ticks']} ticks, in {largest['peak_gib']:.1f} GiB.",
        ]
    return "\n".join(lines)


def text(report: dict[str, Any]) -> str:
    """Return everything that was measured, for a terminal."""
    machine = report["machine"]
    lines = [
        f"{count(report['customers'])} customers, two firms, every mechanism on; {machine['cores']} cores of "
        f"{machine['processor']}; medians of {rounds_of(report)}",
        "",
        f"  {'':28s} {'median':>9s}  {'lowest to highest':22s} {'goal':16s} {'met':4s} what it is",
    ]
    for row in rows_of(report):
        lines.append(f"  {row.name:28s} {row.median:>9s}  {row.span:22s} {row.goal:16s} {row.met:4s} {row.words}")
    lines += ["", *(f"  {note}" for note in NOTES), ""]
    lines.append(f"One customer-tick on one thread: {report['ns_per_customer_tick']:.0f} ns")
    firms = report["ns_per_customer_tick_by_firms"]
    lines.append("  by number of firms: " + ", ".join(f"{j}: {cost:.0f} ns" for j, cost in firms.items()))
    total = sum(report["phases"].values())
    lines += [f"  {name:28s} {cost:9.1f} ns {cost / total:7.1%}" for name, cost in report["phases"].items()]
    lines += ["", "What switching a mechanism off adds to a tick, median (lowest to highest)"]
    off = {name: cost for name, cost in report["mechanisms"].items() if isinstance(cost, dict)}
    for name, cost in sorted(off.items(), key=lambda item: item[1]["median"]):
        lines.append(f"  {name:28s} {percent(cost['median']):>9s}  ({percent(cost['low'])} to {percent(cost['high'])})")
    lines += ["", "Cost curves: time and peak memory at each value, and the power of it that they grow with"]
    for name, curve in report["curves"].items():
        time, memory = curve["time_exponent"]["median"], curve["memory_exponent"]
        fitted = f"(fitted from {count(curve['fitted_from'])} on)"
        lines.append(f"  {name}: time exponent {time:.2f}, memory exponent {memory:.2f} {fitted}")
        line = curve["time_line"]
        lines.append(
            f"    as a straight line: {scaled(line['fixed'], 's')} and {scaled(line['each'], 's')} for each, "
            f"within {line['off']:.0%}".replace("%", " %")
        )
        for value, took, size in zip(curve["values"], curve["seconds"], curve["bytes"], strict=True):
            lines.append(f"    {count(value):>12s} {took * 1e3:12.3f} ms per {curve['per']:5s} {size / 1e6:10.2f} MB")
    return "\n".join(lines)


def main(words: list[str]) -> None:
    """Print the table of the last run, or of the published one."""
    report = json.loads((PUBLISHED if "--published" in words else LATEST).read_text(encoding="utf-8"))
    if "--markdown" in words:
        largest = json.loads(LARGEST.read_text(encoding="utf-8")) if LARGEST.exists() else None
        print(markdown(report, largest))
    else:
        print(text(report))


if __name__ == "__main__":
    main(sys.argv[1:])

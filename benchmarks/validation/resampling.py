"""Whether a smaller error is more than chance: ``python -m benchmarks.validation.resampling [KIND] [--write]``.

``panel``: a split of the catsup panel holds out a few hundred to fourteen hundred choices of 300 households. All
methods forecast them; then the households, with what they chose and what was forecast for them, are drawn again with
replacement, and errors are taken from these samples (a bootstrap over households, Efron 1979, recalled).

``retention``: a subscription cohort of a thousand has lost, each year, as many as chance had it. The years seen are
drawn again with the published hazards (a parametric bootstrap), every method forecasts from each such table, and errors
are taken from the published curve.

``savings``: errors of neighbouring origins of one series hang together, since they forecast much the same months. Runs
of origins are drawn with replacement (moving blocks, Künsch 1989, recalled), and mean errors are taken from these.

Prints one line per split and error; ``--write`` also puts them into ``docs/calibration.md``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import churnsim as cs
from benchmarks.validation import panel
from benchmarks.validation.compare import put_into_page, subscriptions
from benchmarks.validation.robustness import split
from benchmarks.validation.rolling import AHEAD, EVERY, errors_of_tables, origins_of_real_tables
from churnsim.calibration.formats import Panel, read_panel

MARKS = {
    "panel": ("<!-- table: python -m benchmarks.validation.resampling panel --write -->", "<!-- end of households -->"),
    "retention": (
        "<!-- table: python -m benchmarks.validation.resampling retention --write -->",
        "<!-- end of redrawn tables -->",
    ),
    "savings": ("<!-- table: python -m benchmarks.validation.resampling savings --write -->", "<!-- end of blocks -->"),
}
REPLICATIONS, SAMPLES = 60, 1000
REDRAWN, YEARS, SEEN = 60, 12, (3, 4, 5, 7)
"""Tables drawn anew for each split, how far survival is forecast, and the years that are seen."""

BLOCK = -(-AHEAD // EVERY)
"""Origins whose forecasts share months, drawn together."""

SPLITS = (("1/2", 1 / 2), ("2/3", 2 / 3), ("3/4", 3 / 4))


@dataclass(frozen=True)
class Counts:
    """Choices by household, averaged over replications.

    Attributes
    ----------
    brands : (households, brands) float64
        How often each brand is bought.
    pairs : (households, brands, brands) float64
        How often each brand (column) follows each (row).
    runs, by_chance : (households,) float64
        Runs of equal choices, and how many there would be in random order.
    """

    brands: np.ndarray
    pairs: np.ndarray
    runs: np.ndarray
    by_chance: np.ndarray

    @classmethod
    def of(cls, future: Panel, choices: np.ndarray) -> Counts:
        """Count (replications, rows) choices."""
        homes, size = len(future.households), len(future.brands)
        home, same = future.household, np.diff(future.household) == 0
        many = np.bincount(home, minlength=homes)
        brands, pairs, by_chance = np.zeros((homes, size)), np.zeros((homes, size, size)), np.zeros(homes)
        for one in choices:
            count = np.zeros((homes, size))
            np.add.at(count, (home, one), 1)
            np.add.at(pairs, (home[1:][same], one[:-1][same], one[1:][same]), 1 / len(choices))
            brands += count / len(choices)
            by_chance += (1 + many - (count**2).sum(1) / many) / len(choices)
        kept = np.trace(pairs, axis1=1, axis2=2)
        return cls(brands, pairs, many - kept, by_chance)


def measures(times: np.ndarray, counts: Counts) -> tuple[np.ndarray, ...]:
    """Return shares, repeat rate, switching and run ratio where households count so many `times`."""
    brands, pairs = times @ counts.brands, np.tensordot(times, counts.pairs, 1)
    every = pairs.sum((1, 2))
    repeats = np.trace(pairs, axis1=1, axis2=2) / every
    switching = pairs / np.maximum(pairs.sum(2, keepdims=True), 1e-9)
    runs = (times @ counts.runs) / (times @ counts.by_chance)
    return brands / brands.sum(1, keepdims=True), repeats[:, None], switching.reshape(len(times), -1), runs[:, None]


def errors(times: np.ndarray, true: Counts, guess: Counts) -> np.ndarray:
    """Return (samples, measures) errors, in points and per cent, where households count so many `times`."""
    pairs = zip(measures(times, guess), measures(times, true), strict=True)
    return 100 * np.stack([np.abs(one - other).mean(1) for one, other in pairs], -1)


def cell(mean: float, samples: np.ndarray) -> str:
    """Return a difference with its 95 % interval, as the page tells it."""
    low, high = np.quantile(samples, [0.025, 0.975])
    return f"{mean:+.1f} ({low:+.1f} to {high:+.1f})".replace("-", "−")


def lines_of(table: pd.DataFrame, name: str, share: float, folder: Path) -> list[str]:
    """Return the lines of one split."""
    files = folder / "early.csv", folder / "late.csv"
    for part, file in zip(split(table, share), files, strict=True):
        part.to_csv(file, index=False)
    seen, future = read_panel(files[0]), read_panel(files[1])
    fitted = cs.fit("calibration_panel", files[0], "panel")
    cs.predict(fitted, marketing=files[1], replications=REPLICATIONS, out=folder / "choices.csv")
    chosen = pd.read_csv(folder / "choices.csv")["choice"].map({brand: k for k, brand in enumerate(future.brands)})
    # The file of choices is in the order of the marketing file, a panel in that of households and occasions.
    guesses = {"churnsim": chosen.to_numpy().reshape(REPLICATIONS, -1)[:, future.order]}
    guesses |= {
        method: forecast(seen, future, REPLICATIONS, 1)
        for method, forecast in (
            ("Markov", panel.markov),
            ("loyalty", panel.loyalty_logit),
            ("mixed", panel.mixed_logit),
        )
    }
    true = Counts.of(future, future.choice[None])
    homes = len(future.households)
    times = np.random.default_rng(1).multinomial(homes, np.full(homes, 1 / homes), SAMPLES).astype(float)
    off = {method: errors(times, true, Counts.of(future, choices)) for method, choices in guesses.items()}
    lines = []
    for k, measure in enumerate(panel.MEASURES):
        cells = []
        for method in list(off)[1:]:
            apart = (off["churnsim"] - off[method])[:, k]
            cells.append(cell(apart.mean(), apart))
        lines.append(f"| catsup, split at {name} | {measure} | {' | '.join(cells)} |")
    return lines


def redrawn(table: pd.DataFrame, seen: int, luck: np.random.Generator) -> pd.DataFrame:
    """Return the table with the losses of the years seen drawn anew, later years as they are.

    Parameters
    ----------
    table
        Segments with `period`, `at_risk` and `lost`.
    seen
        Last period that is drawn anew.
    luck
        Where the random numbers come from.
    """
    anew = table.reset_index(drop=True)
    for _, rows in anew.groupby("segment", sort=False):
        left = int(rows["at_risk"].iloc[0])
        for place in rows.index[rows["period"] <= seen]:
            gone = int(luck.binomial(left, anew.loc[place, "lost"] / anew.loc[place, "at_risk"]))
            anew.loc[place, ["at_risk", "lost"]] = left, gone
            left -= gone
    return anew


def lines_of_tables(table: pd.DataFrame) -> list[str]:
    """Return the lines of the subscription cohorts."""
    lines = []
    for seen in SEEN:
        luck = np.random.default_rng([3, seen])
        segments = list(dict.fromkeys(table["segment"]))
        off = [errors_of_tables(table, seen, YEARS, redrawn(table, seen, luck)) for _ in range(REDRAWN)]
        for place, segment in enumerate(segments):
            by_method = {name: np.array([one[place][name] for one in off]) for name in off[0][place]}
            ours = by_method["model"]
            cells = [f"{ours.mean():.1f}"]
            for method in ("sBG", "BdW", "hold last"):
                apart = ours - by_method[method]
                cells.append(cell(apart.mean(), apart))
            lines.append(f"| subscriptions, {segment} | 1-{seen} / {seen + 1}-{YEARS} | {' | '.join(cells)} |")
    return lines


def lines_of_savings(data: Path) -> list[str]:
    """Return the line of the savings contracts, over all origins."""
    found = [
        errors_of_tables(table, seen, until)[0]
        for name, table, seen, until in origins_of_real_tables(data)
        if name == "savings contracts"
    ]
    off = pd.DataFrame(found)
    luck, size = np.random.default_rng(4), len(off)
    starts = luck.integers(0, size, (SAMPLES, -(-size // BLOCK)))
    # Circular, so that all origins are drawn as often (Politis & Romano 1992, recalled).
    rows = (starts[:, :, None] + np.arange(BLOCK)).reshape(SAMPLES, -1)[:, :size] % size
    cells = [f"{off['model'].mean():.1f}"]
    for method in ("sBG", "BdW", "hold last"):
        apart = (off["model"] - off[method]).to_numpy()
        cells.append(cell(apart.mean(), apart[rows].mean(1)))
    return [f"| savings contracts | {size} origins, {AHEAD} months ahead | {' | '.join(cells)} |"]


def lines_of_catsup(data: Path) -> list[str]:
    """Return the lines of the catsup panel."""
    table = pd.read_csv(data / "panel_catsup.csv")
    with tempfile.TemporaryDirectory() as folder:
        return [line for name, share in SPLITS for line in lines_of(table, name, share, Path(folder))]


def main() -> None:
    """Print the lines, and write them into the page where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{' or '.join(MARKS)}; all where none is named")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/calibration.md")
    arguments = parser.parse_args()
    data = os.environ.get("CHURNSIM_DATA")
    if not data:
        parser.exit(2, "CHURNSIM_DATA names no folder with the data\n")
    if unknown := sorted(set(arguments.kinds) - set(MARKS)):
        parser.error(f"no such kind: {', '.join(unknown)}; there are {', '.join(MARKS)}")
    folder = Path(data)
    for kind in arguments.kinds or MARKS:
        if kind == "panel":
            head = ["| data | error | against Markov | against loyalty | against mixed |", "|---|---|---|---|---|"]
            lines = lines_of_catsup(folder)
        else:
            head = [
                "| data | seen / held out | churnsim, MAPE % | against sBG | against BdW | against hold last |",
                "|---|---|---|---|---|---|",
            ]
            lines = lines_of_savings(folder) if kind == "savings" else lines_of_tables(subscriptions(folder))
        print("\n".join(head + lines), flush=True)
        if arguments.write:
            put_into_page(*MARKS[kind], head, lines)


if __name__ == "__main__":
    main()

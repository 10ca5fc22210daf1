"""Whether a smaller error on catsup is more than chance: ``python -m benchmarks.validation.resampling [--write]``.

A split of the catsup panel holds out a few hundred to fourteen hundred choices of 300 households. All methods forecast
them; then the households, with what they chose and what was forecast for them, are drawn again with replacement, and
errors are taken from these samples (a bootstrap over households, Efron 1979, recalled). Prints one line per split and
error; ``--write`` also puts them into ``docs/calibration.md``.
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
from benchmarks.validation.compare import put_into_page
from benchmarks.validation.robustness import split
from churnsim.calibration.formats import Panel, read_panel

BEGIN, END = "<!-- table: python -m benchmarks.validation.resampling --write -->", "<!-- end of resampling -->"
REPLICATIONS, SAMPLES = 60, 1000
SPLITS = (("1/2", 1 / 2), ("2/3", 2 / 3), ("3/4", 3 / 4))
MEASURES = panel.MEASURES[:2]


@dataclass(frozen=True)
class Counts:
    """Choices by household, averaged over replications.

    Attributes
    ----------
    brands : (households, brands) float64
        How often each brand is bought.
    repeats : (households,) float64
        How often the brand bought last is bought again.
    """

    brands: np.ndarray
    repeats: np.ndarray

    @classmethod
    def of(cls, future: Panel, choices: np.ndarray) -> Counts:
        """Count (replications, rows) choices."""
        home, same = future.household, np.diff(future.household) == 0
        brands, repeats = np.zeros((len(future.households), len(future.brands))), np.zeros(len(future.households))
        for one in choices:
            np.add.at(brands, (home, one), 1 / len(choices))
            np.add.at(repeats, home[1:][same], (one[1:] == one[:-1])[same] / len(choices))
        return cls(brands, repeats)


def errors(times: np.ndarray, true: Counts, guess: Counts, pairs: np.ndarray) -> np.ndarray:
    """Return (samples, 2) errors of shares and repeat rate, in points, where households count so many `times`."""
    off = np.abs(times @ (guess.brands - true.brands)).mean(1) / (times @ true.brands).sum(1)
    return 100 * np.stack([off, np.abs(times @ (guess.repeats - true.repeats)) / (times @ pairs)], -1)


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
    pairs = np.bincount(future.household, minlength=len(future.households)) - 1.0
    homes = len(future.households)
    times = np.random.default_rng(1).multinomial(homes, np.full(homes, 1 / homes), SAMPLES).astype(float)
    off = {method: errors(times, true, Counts.of(future, choices), pairs) for method, choices in guesses.items()}
    lines = []
    for k, measure in enumerate(MEASURES):
        cells = []
        for method in list(off)[1:]:
            apart = (off["churnsim"] - off[method])[:, k]
            low, high = np.quantile(apart, [0.025, 0.975])
            cells.append(f"{apart.mean():+.1f} ({low:+.1f} to {high:+.1f})".replace("-", "−"))
        lines.append(f"| catsup, split at {name} | {measure} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Print the lines, and write them into the page where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/calibration.md")
    arguments = parser.parse_args()
    data = os.environ.get("CHURNSIM_DATA")
    if not data:
        parser.exit(2, "CHURNSIM_DATA names no folder with the data\n")
    table = pd.read_csv(Path(data) / "panel_catsup.csv")
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, share in SPLITS:
            lines += lines_of(table, name, share, Path(folder))
    head = ["| data | error | against Markov | against loyalty | against mixed |", "|---|---|---|---|---|"]
    print("\n".join(head + lines))
    if arguments.write:
        put_into_page(BEGIN, END, head, lines)


if __name__ == "__main__":
    main()

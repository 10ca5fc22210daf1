"""How panel forecasts fare on many splits and worlds: ``python -m benchmarks.validation.robustness``.

The catsup panel of the folder ``CHURNSIM_DATA``, split at one half, two thirds and three quarters of the households'
occasions and for halves of the households, and simulated panels of which it is known whether tastes, memory or neither
make repeat buying. Every method sees the first occasions only. Prints one table; with ``--write`` also puts it into
``docs/calibration.md``.
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
from churnsim.calibration.formats import read_panel

PAGE = Path(__file__).resolve().parents[2] / "docs" / "calibration.md"
BEGIN, END = "<!-- table: python -m benchmarks.validation.robustness --write -->", "<!-- end of robustness -->"
REPLICATIONS = 100
FLOOR = 0.5
"""Points added to both errors of a ratio: less is chance (assumed)."""

METHODS = ("churnsim", "Markov", "loyalty", "mixed")


@dataclass(frozen=True)
class World:
    """Households that choose by known rules, in units of choice noise.

    Attributes
    ----------
    name : str
        What the table calls it.
    brands, occasions : int
        How many brands, and occasions per household.
    taste : float
        Standard deviation of tastes.
    attachment, switching : float
        Memory; attachment carries over .7.
    faithful : float
        Share of households who like one brand by 4 more.
    coupons : float
        Share of purchases that are made, and recorded, a fifth cheaper.
    shown : bool
        Whether there are displays and features.
    chain : bool
        Whether prices count for nothing and the last brand for all.
    """

    name: str
    brands: int
    occasions: int
    taste: float = 0.0
    attachment: float = 0.0
    switching: float = 0.0
    faithful: float = 0.0
    coupons: float = 0.0
    shown: bool = False
    chain: bool = False

    def table(self, seed: int, households: int = 120) -> pd.DataFrame:
        """Return their choices as a panel."""
        luck, brands = np.random.default_rng([seed, self.brands, self.occasions]), self.brands
        worth, usual = np.linspace(1, -1, brands) + luck.normal(0, 0.2, brands), 2 + luck.normal(0, 0.3, brands)
        rows = []
        for home in range(households):
            taste = luck.normal(0, self.taste, brands) if self.taste else np.zeros(brands)
            if luck.random() < self.faithful:
                taste[luck.integers(brands)] += 4
            weight, attached, last = 0 if self.chain else 3 * luck.lognormal(-0.08, 0.4), np.zeros(brands), -1
            for occasion in range(1, max(2, luck.poisson(self.occasions)) + 1):
                cheap = luck.random(brands) < 0.2
                price = usual * np.where(cheap, 0.75, 1) * luck.normal(1, 0.05, brands)
                display, feature = luck.random(brands) < 0.1, cheap & (luck.random(brands) < 0.5)
                value = worth + taste - weight * price / 2 + self.attachment * attached
                value = value - self.switching * (np.arange(brands) != last) * (last >= 0)
                last = int((value + self.shown * (display + 0.8 * feature) + luck.gumbel(size=brands)).argmax())
                if luck.random() < self.coupons:
                    price[last] *= 0.8
                attached *= 0.7
                attached[last] += 0.3
                rows.append((home, occasion, f"b{last}", *price, *display * 1.0, *feature * 1.0))
        names = [f"{kind}_b{k}" for kind in ("price", "disp", "feat") for k in range(brands)]
        table = pd.DataFrame(rows, columns=["hh", "occ", "choice", *names])
        return table if self.shown else table.drop(columns=names[brands:])


WORLDS = (
    World("tastes only", 2, 12, taste=1.5),
    World("tastes only", 4, 24, taste=1.5),
    World("tastes only", 8, 12, taste=1.5),
    World("memory only", 2, 12, attachment=2.0, switching=0.5),
    World("memory only", 4, 24, attachment=2.0, switching=0.5),
    World("memory only", 8, 12, attachment=2.0, switching=0.5),
    World("both", 4, 5, taste=1.5, attachment=2.0, switching=0.5),
    World("both", 4, 30, taste=1.5, attachment=2.0, switching=0.5),
    World("both", 12, 15, taste=1.5, attachment=2.0, switching=0.5),
    World("both, displays and features", 4, 12, taste=1.5, attachment=2.0, switching=0.5, shown=True),
    World("both, coupons", 4, 12, taste=1.5, attachment=2.0, switching=0.5, coupons=0.3),
    World("both, coupons", 8, 12, taste=1.5, attachment=2.0, switching=0.5, coupons=0.3),
    World("a quarter faithful", 4, 12, taste=1.0, faithful=0.25),
    World("a Markov chain", 3, 12, switching=1.2, chain=True),
)


def split(table: pd.DataFrame, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return each household's first occasions and its others."""
    table = table.sort_values(["hh", "occ"], kind="stable")
    size, place = table.groupby("hh")["occ"].transform("size"), table.groupby("hh").cumcount()
    early = place < np.ceil(size * share)
    return table[early], table[~early]


def errors(table: pd.DataFrame, share: float, folder: Path) -> np.ndarray:
    """Return (methods, measures) errors on the occasions after a split."""
    files = folder / "early.csv", folder / "late.csv"
    for part, file in zip(split(table, share), files, strict=True):
        part.to_csv(file, index=False)
    seen = read_panel(files[0])
    future = read_panel(files[1])
    ours = cs.predict(cs.fit("calibration_panel", files[0], "panel"), marketing=files[1], replications=REPLICATIONS)
    guesses = [(np.array([*ours["shares"].values()]), ours["repeat_rate"], np.array(ours["switching"]), ours["run_ratio"])]  # fmt: skip # noqa: E501
    for method in (panel.markov, panel.loyalty_logit, panel.mixed_logit):
        guesses.append(panel.means(future, method(seen, future, REPLICATIONS, 1)))
    return np.array([panel.errors(future, guess) for guess in guesses])


def cases(data: Path | None) -> list[tuple[str, str, pd.DataFrame, float]]:
    """Return group, name, panel and share of the occasions seen."""
    found = []
    if data is not None:
        table = pd.read_csv(data / "panel_catsup.csv")
        found += [("catsup", f"split at {name}", table, share) for name, share in (("1/2", 1 / 2), ("2/3", 2 / 3), ("3/4", 3 / 4))]  # fmt: skip # noqa: E501
        order = np.random.default_rng(1).permutation(table["hh"].unique())
        for half in (0, 1):
            kept = table[table["hh"].isin(order[half::2])]
            found.append(("catsup", f"half {half + 1} of the households, split at 2/3", kept, 2 / 3))
    for seed, world in enumerate(WORLDS, 1):
        name = f"{world.name}: {world.brands} brands, {world.occasions} occasions"
        found.append(("simulated", name, world.table(seed), 2 / 3))
    return found


def summary(group: str, every: np.ndarray) -> list[str]:
    """Return lines of the table: mean errors, mean rank and ratio to the best of the others, by measure."""
    lines = []
    for k, measure in enumerate(panel.MEASURES):
        one = every[:, :, k]
        rank = 1 + (one[:, 1:] < one[:, :1]).sum(1)
        ratio = np.exp(np.log((one[:, 0] + FLOOR) / (one[:, 1:].min(1) + FLOOR)).mean())
        single = [np.exp(np.log((one[:, 0] + FLOOR) / (one[:, j] + FLOOR)).mean()) for j in range(1, len(METHODS))]
        errors = " | ".join(f"{value:.2f}" for value in one.mean(0))
        ratios = ", ".join(f"{value:.2f}" for value in single)
        lines.append(f"| {group} ({len(one)}) | {measure} | {errors} | {rank.mean():.1f} | {ratio:.2f} | {ratios} |\n")
    return lines


def main() -> None:
    """Print errors case by case and the table, and write the table into the page where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/calibration.md")
    arguments = parser.parse_args()
    data = os.environ.get("CHURNSIM_DATA")
    found: dict[str, list[np.ndarray]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for group, name, table, share in cases(Path(data) if data else None):
            found.setdefault(group, []).append(errors(table, share, Path(folder)))
            told = "; ".join(
                f"{method} {' '.join(f'{value:.2f}' for value in row)}"
                for method, row in zip(METHODS, found[group][-1], strict=True)
            )
            print(f"{group}, {name}: {told}", flush=True)
    table = (
        f"| panels | error | {' | '.join(METHODS)} | mean rank | ratio to the best other | to each other |\n"
        f"|---|---|{'---|' * (len(METHODS) + 3)}\n"
    )
    table += "".join(line for group, every in found.items() for line in summary(group, np.array(every)))
    print(table)
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()

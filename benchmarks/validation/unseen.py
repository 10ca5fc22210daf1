"""Data of your own against standard forecasts: ``python -m benchmarks.validation.unseen``.

``--table FILE``, ``--panel FILE`` and ``--log FILE`` are in the formats of ``churnsim fit``, each as often as you like.
Of a table every segment is forecast by itself from five origins, of a panel the last occasions of every household
after three splits, of a log the purchases from three origins. Prints one table; with ``--write`` also puts it into
``docs/calibration.md``, where lines about other files stay.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.validation import panel, robustness
from benchmarks.validation.compare import put_into_page
from benchmarks.validation.rolling import Errors, errors_of_logs, errors_of_tables
from churnsim.calibration.fitting import MOST_WEEKS
from churnsim.calibration.formats import WEEK, read_events, read_retention

BEGIN = "<!-- table: python -m benchmarks.validation.unseen --write --table FILE --panel FILE --log FILE -->"
END = "<!-- end of unseen -->"

SHARES_OF_TABLES = (0.15, 0.25, 0.35, 0.5, 0.65)
SHARES_OF_PANELS = (1 / 2, 2 / 3, 3 / 4)
SHARES_OF_LOGS = (0.3, 0.4, 0.5)
"""Shares of the periods, of a household's occasions and of the weeks that are seen."""

LEAST_SEEN, LEAST_AHEAD = 4, 3
"""Periods of a table that are seen and forecast at least."""


def of_tables(path: Path) -> Iterator[tuple[str, Errors]]:
    """Give errors of survival up to three times the periods seen."""
    for segment in read_retention(path):
        periods = np.arange(1, segment.last + 1)
        table = pd.DataFrame(
            {"segment": segment.name, "period": periods, "at_risk": segment.at_risk, "lost": segment.lost}
        )
        for seen in sorted({max(LEAST_SEEN, int(share * len(table))) for share in SHARES_OF_TABLES}):
            if len(table) >= seen + LEAST_AHEAD:
                for errors in errors_of_tables(table, seen, min(len(table), 3 * seen + 6)):
                    yield "survival, MAPE %", errors


def of_panels(path: Path) -> Iterator[tuple[str, Errors]]:
    """Give errors of the choices on each household's last occasions."""
    table = pd.read_csv(path)
    for share in SHARES_OF_PANELS:
        with tempfile.TemporaryDirectory() as folder:
            found = robustness.errors(table, share, Path(folder))
        for k, measure in enumerate(panel.MEASURES):
            yield measure, {"model": found[0, k], **dict(zip(robustness.METHODS[1:], found[1:, k], strict=True))}


def of_logs(path: Path) -> Iterator[tuple[str, Errors]]:
    """Give errors of new repeat purchases over as many weeks as were seen."""
    log = read_events(path)
    frame = pd.DataFrame({"id": np.array(log.ids)[log.customer], "day": log.day})
    weeks = log.days // WEEK
    for share in SHARES_OF_LOGS:
        seen = int(share * weeks)
        for errors in errors_of_logs(frame, seen, min(weeks, 2 * seen, MOST_WEEKS)):
            yield "new repeats, % off", errors


def lines_of(name: str, found: list[tuple[str, Errors]]) -> list[str]:
    """Return one line per measure: mean errors, and our mean rank."""
    lines = []
    for measure in dict.fromkeys(measure for measure, _ in found):
        table = pd.DataFrame([errors for one, errors in found if one == measure]).drop(
            columns="inside", errors="ignore"
        )
        others = table.drop(columns="model")
        rank = 1 + others.lt(table["model"], axis=0).sum(axis=1)
        means = table.mean()
        told = {key: f"**{value:.1f}**" if value == means.min() else f"{value:.1f}" for key, value in means.items()}
        rest = ", ".join(f"{key} {told[key]}" for key in others)
        lines.append(
            f"| {name} | {len(table)} | {measure} | {told['model']} | {rest} | {rank.mean():.1f} of {table.shape[1]} |"
        )
    return lines


def main() -> None:
    """Print the table, and write it into the page where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = {"table": of_tables, "panel": of_panels, "log": of_logs}
    for kind in kinds:
        parser.add_argument(f"--{kind}", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--write", action="store_true", help="put the table into docs/calibration.md")
    arguments = parser.parse_args()
    head = ["| data | forecasts | error | churnsim | others | mean rank |", "|---|---|---|---|---|---|"]
    lines = []
    for kind, errors_of in kinds.items():
        for path in getattr(arguments, kind):
            print(path.name, file=sys.stderr, flush=True)
            lines += lines_of(path.stem, list(errors_of(path)))
    print("\n".join(head + lines))
    if arguments.write:
        put_into_page(BEGIN, END, head, lines)


if __name__ == "__main__":
    main()

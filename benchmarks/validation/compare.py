"""Compare forecasts of the model with standard ones on data held out: ``python -m benchmarks.validation.compare``.

Reads the sets in the folder ``CHURNSIM_DATA``, splits each in time, and lets every method see the first part only. The
model's forecasts come from the commands ``churnsim fit`` and ``churnsim predict``. Prints one table; with ``--write``
also puts it into ``docs/calibration.md``. Of logs it tells on stderr how well each method explains the weeks seen.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.validation import events, panel, retention
from churnsim.calibration.formats import WEEK, read_events, read_panel, read_retention

PAGE = Path(__file__).resolve().parents[2] / "docs" / "calibration.md"
BEGIN, END = "<!-- table: python -m benchmarks.validation.compare --write -->", "<!-- end of table -->"
REPLICATIONS = 200
KINDS = ("retention", "events", "panel")
ROW = dict[str, str]


def churnsim(*words: object) -> dict:
    """Run a command and return what it says as JSON."""
    code = "from churnsim.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, words), "--json", "-q"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def row(data: str, split: str, measure: str, **errors: float) -> ROW:
    """Return one line: errors by method, the smallest in bold."""
    best = min(errors.values())
    told = {name: f"**{error:.2f}**" if error <= best * 1.005 else f"{error:.2f}" for name, error in errors.items()}
    methods = [f"{name} {value}" for name, value in told.items() if name != "model"]
    return {"data": data, "split": split, "measure": measure, "churnsim": told["model"], "others": ", ".join(methods)}


def compare_retention(name: str, table: pd.DataFrame, seen: int, until: int, folder: Path) -> list[ROW]:
    """Compare mean absolute percentage errors of survival after the split."""
    file = folder / "retention.csv"
    table[table["period"] <= seen].to_csv(file, index=False)
    churnsim("fit", "calibration_retention", "--data", file, "--format", "retention", "--out", folder / "r.yaml")
    ours = churnsim("predict", folder / "r.yaml", "--format", "retention", "--periods", until)["segments"]
    lines = []
    for segment in read_retention(file):
        rows = table[(table["segment"] == segment.name) & (table["period"] <= until)]
        true = np.cumprod(1 - (rows["lost"] / rows["at_risk"]).to_numpy())[seen:]
        guesses = {
            "model": np.array(ours[segment.name]["S"]),
            "sBG": retention.sbg(segment.at_risk, segment.lost, until),
            "BdW": retention.beta_discrete_weibull(segment.at_risk, segment.lost, until),
            "hold last": retention.hold_last_hazard(segment.at_risk, segment.lost, until),
        }
        errors = {key: 100 * float(np.mean(np.abs(guess[seen:] - true) / true)) for key, guess in guesses.items()}
        split = f"1-{seen} / {seen + 1}-{until}"
        lines.append(row(f"{name}, {segment.name}", split, "survival, MAPE %", **errors))
    return lines


def compare_events(name: str, log: pd.DataFrame, seen: int, until: int, folder: Path) -> list[ROW]:
    """Compare cumulative repeat purchases of the weeks after the split, and the share who buy in them."""
    file = folder / "events.csv"
    log[log["day"] < WEEK * seen].to_csv(file, index=False)
    fitted = churnsim("fit", "calibration_events", "--data", file, "--format", "events", "--out", folder / "e.yaml")
    ours = churnsim("predict", folder / "e.yaml", "--format", "events", "--weeks", until)
    data = read_events(file)
    x, t_x, T = events.summary(data)
    later = log[(log["day"] >= WEEK * seen) & (log["day"] < WEEK * until) & log["id"].astype(str).isin(data.ids)]
    later = later.drop_duplicates(["id", "day"])
    true = x.sum() + np.cumsum(np.bincount(later["day"] // WEEK - seen, minlength=until - seen))
    active = later["id"].nunique() / len(data.ids)
    forecasts = {
        "BG/NBD": events.bg_nbd(x, t_x, T, until - seen)[1],
        "Pareto/NBD": events.pareto_nbd(x, t_x, T, until - seen)[1],
    }
    likely = {"churnsim": fitted["fit"]["log_likelihood"]}
    likely |= {key: forecast.log_likelihood for key, forecast in forecasts.items()}
    told = ", ".join(f"{key} {value:.0f}" for key, value in likely.items())
    print(f"{name}, weeks 1-{seen}: log-likelihood, in days: {told}", file=sys.stderr, flush=True)
    paths = {"model": np.array(ours["cumulative_repeats"][seen:])}
    paths |= {key: x.sum() + forecast.cumulative for key, forecast in forecasts.items()}
    shares = {"model": ours["share_active"], **{key: forecast.share_active for key, forecast in forecasts.items()}}
    split = f"weeks 1-{seen} / {seen + 1}-{until}"
    off = {key: 100 * float(np.mean(np.abs(path - true) / true)) for key, path in paths.items()}
    end = {key: 100 * abs(float(path[-1] - true[-1])) / float(true[-1] - x.sum()) for key, path in paths.items()}
    buyers = {key: 100 * abs(share - active) for key, share in shares.items()}
    return [
        row(name, split, "repeats to date, MAPE %", **off),
        row(name, split, f"new repeats by week {until}, % off", **end),
        row(name, split, "share who buy again, points off", **buyers),
    ]


def compare_panel(name: str, table: pd.DataFrame, folder: Path, share: float = 2 / 3) -> list[ROW]:
    """Compare shares, repeat rate, switching and runs on each household's last occasions."""
    size, place = table.groupby("hh")["occ"].transform("size"), table.groupby("hh").cumcount()
    early = place < np.ceil(size * share)
    files = folder / "early.csv", folder / "late.csv"
    table[early].to_csv(files[0], index=False)
    table[~early].to_csv(files[1], index=False)
    seen, future = read_panel(files[0]), read_panel(files[1])
    order = [seen.brands.index(brand) for brand in future.brands]
    assert order == sorted(order)
    churnsim("fit", "calibration_panel", "--data", files[0], "--format", "panel", "--out", folder / "p.yaml")
    ours = churnsim(
        "predict", folder / "p.yaml", "--format", "panel", "--marketing", files[1], "--replications", REPLICATIONS,
        "--out", folder / "choices.csv",
    )  # fmt: skip
    guesses = {
        "Markov": panel.markov(seen, future, REPLICATIONS, 1),
        "loyalty": panel.loyalty_logit(seen, future, REPLICATIONS, 1),
        "mixed": panel.mixed_logit(seen, future, REPLICATIONS, 1),
    }
    means = {"model": (np.array(list(ours["shares"].values())), ours["repeat_rate"], np.array(ours["switching"]), ours["run_ratio"])}  # fmt: skip # noqa: E501
    means |= {key: panel.means(future, choices) for key, choices in guesses.items()}
    errors = {key: panel.errors(future, mean) for key, mean in means.items()}
    split = "first 2/3 of occasions / rest"
    return [
        row(name, split, measure, **{key: error[k] for key, error in errors.items()})
        for k, measure in enumerate(panel.MEASURES)
    ]


def subscriptions(data: Path) -> pd.DataFrame:
    """Return the two cohorts of Fader & Hardie, of 1 000 customers each as the source has them."""
    curves = pd.read_csv(data / "subscription_retention_fader_hardie.csv")
    parts = []
    for segment in ("high_end", "regular"):
        left = curves[f"{segment}_pct"].to_numpy() * 10
        rows = {"segment": segment, "period": curves["year"][1:], "at_risk": left[:-1], "lost": -np.diff(left)}
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts)


def savings(data: Path) -> pd.DataFrame:
    """Return the savings contracts."""
    table = pd.read_csv(data / "eu_unitlinked_monthly_hazard.csv").rename(columns={"events": "lost"})
    return table.assign(segment="savings")[["segment", "period", "at_risk", "lost"]]


def cdnow(data: Path) -> pd.DataFrame:
    """Return the purchases at CDNOW."""
    shop = pd.read_csv(data / "cdnow_sample.csv")
    days = pd.to_datetime(shop["date"])
    return pd.DataFrame({"id": shop["id"], "day": (days - days.min()).dt.days, "spend": shop["dollars"]})


def compare_all(data: Path, kinds: list[str]) -> list[ROW]:
    """Compare on every set and split of some kinds of data."""
    lines: list[ROW] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "retention" in kinds:
            for seen in (5, 7):
                lines += compare_retention("subscriptions", subscriptions(data), seen, 12, folder)
            for seen in (30, 48, 60):
                lines += compare_retention("savings contracts", savings(data), seen, min(seen + 24, 84), folder)
        if "events" in kinds:
            lines += compare_events("CDNOW", cdnow(data), 39, 78, folder)
            lines += compare_events("CDNOW", cdnow(data), 26, 52, folder)
        if "panel" in kinds:
            lines += compare_panel("catsup", pd.read_csv(data / "panel_catsup.csv"), folder)
    return lines


def put_into_page(begin: str, end: str, head: list[str], lines: list[str]) -> None:
    """Write a table between two marks of the page; lines about sets that were not run now stay as they are."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(begin)
    now, _, after = rest.partition(end)

    def subject(line: str) -> str:
        return line.split("|")[1].strip()

    run = {subject(line) for line in lines}
    old = [line for line in now.splitlines() if line.startswith("|") and subject(line) not in {"data", "---", *run}]
    table = "\n".join([*head, *sorted([*old, *lines], key=lambda line: KINDS.index(kind_of(subject(line))))])
    PAGE.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", encoding="utf-8")


def kind_of(subject: str) -> str:
    """Return the kind of data that a line of a table is about."""
    if subject.startswith(("subscriptions", "savings")):
        return "retention"
    if "NBD" in subject or "regular" in subject or subject == "CDNOW":
        return "events"
    return "retention" if subject.startswith("simulated") else "panel"


def main() -> None:
    """Print the table, and write it into the page where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", help="retention, events, panel (all by default)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/calibration.md")
    arguments = parser.parse_args()
    kinds = arguments.kinds or list(KINDS)
    folder = os.environ.get("CHURNSIM_DATA")
    if not folder:
        parser.exit(2, "CHURNSIM_DATA names no folder with the data\n")
    if not set(kinds) <= set(KINDS):
        parser.exit(2, f"{', '.join(KINDS)}, not {' '.join(kinds)}\n")
    head = ["| data | seen / held out | error | churnsim | others |", "|---|---|---|---|---|"]
    lines = [f"| {' | '.join(line.values())} |" for line in compare_all(Path(folder), kinds)]
    print("\n".join(head + lines))
    if arguments.write:
        put_into_page(BEGIN, END, head, lines)


if __name__ == "__main__":
    main()

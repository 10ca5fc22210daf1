"""Forecasts from every origin: ``python -m benchmarks.validation.rolling [retention] [events] [--write]``.

One split shows little: whoever forecasts the level of a quiet month looks good until the next regime. Here every method
forecasts from many origins of the sets in ``CHURNSIM_DATA`` and of tables and logs simulated by generators of several
kinds, most of them not this model's own. Without that folder only what is simulated is run. Prints one line per set;
``--write`` also puts them into ``docs/calibration.md``, where lines about sets that were not run stay as they are.

Retention: survival is forecast up to 24 periods ahead, from the draws that ``churnsim predict`` simulates, by the
hazards' own formula; the interval also holds the chance of those who are really there (Greenwood 1926). Logs: repeat
purchases and their intervals are those of ``churnsim predict``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import churnsim as cs
from benchmarks.validation import events, retention
from benchmarks.validation.compare import cdnow, put_into_page, savings, subscriptions
from churnsim.calibration.formats import WEEK, Segment, read_events
from churnsim.calibration.hazards import hazards
from churnsim.calibration.retention_scenario import fitted_retention, futures

BEGIN, END = "<!-- table: python -m benchmarks.validation.rolling --write -->", "<!-- end of origins -->"
AHEAD = 24
FEWEST = 30
"""Customers at risk below which the table's own survival says nothing."""

REPEATS = 8
"""Simulated tables of a kind."""

LOGS = 4
"""Simulated logs of a kind."""

EVERY = 3
"""Months from one origin of the savings contracts to the next."""

Errors = dict[str, float]
"""By method: error in per cent; ``inside``: whether the truth lay within our 95 % interval."""


# ---------------------------------------------------------------------- retention


def table_of(kind: str, luck: np.random.Generator) -> pd.DataFrame:
    """Simulate a cohort.

    Parameters
    ----------
    kind
        ``sBG``, ``BdW`` (hazards rise or fall as a Weibull's), ``constant``, ``stays`` and ``reverts`` (the hazard
        jumps, for good or for a while), ``contract`` (peaks of a cycle), ``wanders`` (random walk), ``noisy`` (shocks
        that pass).
    luck
        Where the random numbers come from.
    """
    customers = int(luck.choice([400, 3000, 30_000]))
    monthly = luck.random() < 0.5
    periods, mean = (48, luck.uniform(0.01, 0.05)) if monthly else (14, luck.uniform(0.05, 0.35))
    size = 1 / luck.uniform(0.02, 0.4) - 1
    hazard = luck.beta(mean * size, (1 - mean) * size, customers)
    t, weight = np.arange(1, periods + 1.0), np.ones(periods)
    if kind == "constant":
        hazard[:] = mean
    elif kind == "BdW":
        c = np.exp(luck.normal(0, 0.35))
        weight = t**c - (t - 1) ** c
    elif kind in ("stays", "reverts"):
        at = int(luck.integers(periods // 5, periods // 2 + 1))
        weight[at : None if kind == "stays" else at + max(2, periods // 6)] = np.exp(
            luck.choice([-1, 1]) * luck.uniform(0.4, 1.2)
        )
    elif kind == "contract":
        weight[t % (12 if monthly else 4) == 0] = luck.uniform(2, 5)
    elif kind == "wanders":
        weight = np.exp(np.cumsum(luck.normal(0, 0.08 if monthly else 0.15, periods)))
    elif kind == "noisy":
        weight = np.exp(luck.normal(0, 0.3, periods))
    rows = []
    for period, factor in zip(t, weight, strict=True):
        if hazard.size < FEWEST:
            break
        gone = luck.random(hazard.size) < np.minimum(1, factor * hazard)
        rows.append(("all", int(period), hazard.size, int(gone.sum())))
        hazard = hazard[~gone]
    return pd.DataFrame(rows, columns=["segment", "period", "at_risk", "lost"])


def origins_of_tables(data: Path | None) -> Iterator[tuple[str, pd.DataFrame, int, int]]:
    """Give name, table, last period seen and last period forecast; without a folder of data, of simulated ones."""
    if data is not None:
        yield from origins_of_real_tables(data)
    for k, kind in enumerate(("sBG", "BdW", "constant", "stays", "reverts", "contract", "wanders", "noisy")):
        for repeat in range(REPEATS):
            made = table_of(kind, np.random.default_rng([k, repeat]))
            if len(made) >= 8:
                for share in (0.35, 0.6):
                    seen = max(3, int(share * len(made)))
                    yield f"simulated: {kind}", made, seen, min(len(made), seen + AHEAD)


def origins_of_real_tables(data: Path) -> Iterator[tuple[str, pd.DataFrame, int, int]]:
    """Give the same of the real ones."""
    for seen in range(3, 10):
        # Three to five rows say little of a curve with two or three parameters.
        yield f"subscriptions, {'3-5' if seen <= 5 else '6-9'} years seen", subscriptions(data), seen, 12
    table = savings(data)
    for seen in range(12, 67, EVERY):
        yield "savings contracts", table, seen, min(seen + AHEAD, 96)


def errors_of_tables(table: pd.DataFrame, seen: int, until: int, shown: pd.DataFrame | None = None) -> list[Errors]:
    """Return mean absolute percentage errors of survival after the split, one entry per segment.

    Parameters
    ----------
    table
        What survival is compared with.
    seen, until
        The last periods that are seen, and forecast.
    shown
        Another table that the methods see instead.
    """
    early = table if shown is None else shown
    early = early[early["period"] <= seen]
    segments = tuple(
        Segment(str(name), 1, rows["at_risk"].to_numpy(float), rows["lost"].to_numpy(float))
        for name, rows in early.groupby("segment", sort=False)
    )
    fitted = fitted_retention(cs.load("calibration_retention"), segments, 1)
    found = []
    for place, segment in enumerate(segments):
        draws, weights = futures(fitted, place, until)
        forms = draws[["customers.opportunity.a", "customers.opportunity.b"]].to_numpy().T
        ours = np.cumprod(1 - hazards(*forms, weights), axis=1)
        rows = table[(table["segment"] == segment.name) & (table["period"] <= until)]
        rate = (rows["lost"] / rows["at_risk"]).to_numpy()
        true = np.cumprod(1 - rate)
        guesses = {
            "model": ours.mean(0),
            "sBG": retention.sbg(segment.at_risk, segment.lost, until),
            "BdW": retention.beta_discrete_weibull(segment.at_risk, segment.lost, until),
            "hold last": retention.hold_last_hazard(segment.at_risk, segment.lost, until),
        }
        errors = {name: 100 * float(np.mean(np.abs(one[seen:] / true[seen:] - 1))) for name, one in guesses.items()}
        ahead = np.clip(rate[seen:], 1e-9, 0.999)
        chance = np.sqrt((ahead / (1 - ahead) / rows["at_risk"].to_numpy()[seen:]).sum())
        end = np.log(np.maximum(ours[:, -1], 1e-9) / np.maximum(ours[:, seen - 1], 1e-9))
        z = chance * np.random.default_rng(1).standard_normal((40, 1))
        low, high = np.quantile(end + z, [0.025, 0.975])
        found.append({**errors, "inside": float(low <= np.log(true[-1] / true[seen - 1]) <= high)})
    return found


# ---------------------------------------------------------------------- logs


def log_of(kind: str, luck: np.random.Generator, customers: int = 700, weeks: int = 78) -> pd.DataFrame:
    """Simulate a log of purchases of customers who start in the first 12 weeks.

    Parameters
    ----------
    kind
        ``BG/NBD``, ``Pareto/NBD`` (around the estimates published for CDNOW, about twice the rates; how far around is
        assumed), or ``regular`` (Erlang-3 gaps, lifetimes as the latter).
    luck
        Where the random numbers come from.
    """
    pace, alike, fickle = luck.lognormal(np.log(2), 0.4), luck.lognormal(0.3, 0.4), luck.lognormal(0, 0.3)
    rows = []
    for i in range(customers):
        start = luck.uniform(0, 12)
        if kind == "BG/NBD":
            rate, leave, end = pace * luck.gamma(0.243 * alike, 1 / 4.414), luck.beta(0.793 * fickle, 2.426), np.inf
        else:
            rate, leave = pace * luck.gamma(0.553 * alike, 1 / 10.58), 0.0
            end = luck.exponential(1 / luck.gamma(0.606, fickle / 11.67))
        shape = 3 if kind == "regular" else 1
        t = 0.0
        rows.append((i, start))
        while rate > 0:
            t += luck.gamma(shape, 1 / (shape * rate))
            if t > end or start + t >= weeks:
                break
            rows.append((i, start + t))
            if luck.random() < leave:
                break
    log = pd.DataFrame(rows, columns=["id", "day"])
    log["day"] = (log["day"] * WEEK).astype(int)
    return log


def origins_of_logs(data: Path | None) -> Iterator[tuple[str, pd.DataFrame, int, int]]:
    """Give name, log, weeks seen and last week forecast; without a folder of data, of simulated logs."""
    if data is not None:
        shop = cdnow(data)
        for seen, until in ((20, 46), (26, 52), (30, 60), (39, 78), (45, 78), (52, 78)):
            yield "CDNOW", shop, seen, until
    for k, kind in enumerate(("BG/NBD", "Pareto/NBD", "regular")):
        for repeat in range(LOGS):
            made = log_of(kind, np.random.default_rng([9, k, repeat]))
            for seen in (26, 39):
                yield f"simulated: {kind}", made, seen, 2 * seen


def errors_of_logs(log: pd.DataFrame, seen: int, until: int) -> list[Errors]:
    """Return by how much the new repeat purchases are off."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "log.csv"
        log[log["day"] < WEEK * seen][["id", "day"]].to_csv(file, index=False)
        data = read_events(file)
        fitted = cs.fit("calibration_events", file, "events")
    ours = cs.predict(fitted, weeks=until)
    x, t_x, T = events.summary(data)
    later = log[(log["day"] >= WEEK * seen) & (log["day"] < WEEK * until) & log["id"].astype(str).isin(data.ids)]
    true = len(later.drop_duplicates(["id", "day"]))
    guesses = {
        "model": ours["cumulative_repeats"][-1] - x.sum(),
        "BG/NBD": events.bg_nbd(x, t_x, T, until - seen)[1].cumulative[-1],
        "Pareto/NBD": events.pareto_nbd(x, t_x, T, until - seen)[1].cumulative[-1],
    }
    inside = ours["low"][-1] - x.sum() <= true <= ours["high"][-1] - x.sum()
    return [{**{name: 100 * abs(guess / true - 1) for name, guess in guesses.items()}, "inside": float(inside)}]


# ---------------------------------------------------------------------- the table


def line(name: str, found: list[Errors]) -> str:
    """Return one line: mean errors, our mean rank and our mean ratio to the best of the others, and coverage."""
    table = pd.DataFrame(found)
    others = table.drop(columns=["model", "inside"])
    rank = 1 + others.lt(table["model"], axis=0).sum(axis=1)
    # A hundredth of a per cent is as good as none; ratios are averaged by their logarithms.
    ratio = np.exp(np.log((table["model"] + 0.01) / (others.min(axis=1) + 0.01)).mean())
    means = ", ".join(f"{key} {value:.1f}" for key, value in others.mean().items())
    return (
        f"| {name} | {len(table)} | {table['model'].mean():.1f} | {means} | {rank.mean():.1f} of {others.shape[1] + 1} "
        f"| {ratio:.2f} | {100 * table['inside'].mean():.0f} % |"
    )


def main() -> None:
    """Print the lines, and write them into the page where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", help="retention, events (both by default)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/calibration.md")
    arguments = parser.parse_args()
    kinds = arguments.kinds or ["retention", "events"]
    if not set(kinds) <= {"retention", "events"}:
        parser.exit(2, f"retention or events, not {' '.join(kinds)}\n")
    named = os.environ.get("CHURNSIM_DATA")
    folder = Path(named) if named else None
    if folder is None:
        print("CHURNSIM_DATA names no folder: subscriptions, savings contracts and CDNOW are left out", file=sys.stderr)
    elif not folder.is_dir():
        parser.exit(2, f"CHURNSIM_DATA names {folder}, which is no folder\n")
    found: dict[str, list[Errors]] = {}
    if "retention" in kinds:
        for name, table, seen, until in origins_of_tables(folder):
            found.setdefault(name, []).extend(errors_of_tables(table, seen, until))
            print(".", end="", file=sys.stderr, flush=True)
    if "events" in kinds:
        for name, log, seen, until in origins_of_logs(folder):
            found.setdefault(name, []).extend(errors_of_logs(log, seen, until))
            print(".", end="", file=sys.stderr, flush=True)
    head = [
        "| data | forecasts | churnsim, % off | others, % off | mean rank | ratio to the best other | inside 95 % |",
        "|---|---|---|---|---|---|---|",
    ]
    lines = [line(name, errors) for name, errors in found.items()]
    print("\n" + "\n".join(head + lines))
    if arguments.write:
        put_into_page(BEGIN, END, head, lines)


if __name__ == "__main__":
    main()

"""A store as tables: tidy frames, CSV and Parquet."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.studies.outcomes import Outcome

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.studies.store import Store


def frame_of(store: Store) -> pd.DataFrame:
    """Return one row per run that has ended; see `Store.frame`."""
    import pandas as pd

    plan, outcomes = store.plan, store.study.kept
    width = sum(outcome.width for outcome in outcomes)
    numbers, ok, keys, blobs = [], [], [], []
    for some, rows in store.rows():
        numbers.append(some)
        good = np.array([row[0] for row in rows], bool)
        ok.append(good)
        keys += [row[1].hex() for row in rows]
        values = np.full((len(rows), width), np.nan)
        values[good] = np.frombuffer(b"".join(row[2] for row in rows if row[0])).reshape(-1, width)
        blobs.append(values)
    number = np.concatenate(numbers) if numbers else np.zeros(0, np.int64)
    good = np.concatenate(ok) if ok else np.zeros(0, bool)
    values = np.concatenate(blobs) if blobs else np.zeros((0, width))
    point, arm, replication = plan.place(number)
    order = np.lexsort((replication, arm, point))
    number, good, values = number[order], good[order], values[order]
    point, arm, replication = point[order], arm[order], replication[order]
    columns: dict[str, Any] = {
        "run": np.array(keys, dtype=object)[order],
        "row": point,
        "arm": pd.Categorical.from_codes(arm, categories=list(plan.arms)),
        "replication": replication + 1,
        "seed": plan.seeds(number),
    }
    columns |= {path: _factor(store, path, point, arm) for path in plan.points.columns}
    columns |= _outcome_columns(outcomes, values, point * len(plan.arms) + arm)
    columns["status"] = _statuses(store, number, good)
    return pd.DataFrame(columns, index=pd.Index(number, name="number"))


def _factor(store: Store, path: str, point: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """Return a factor's values by run; missing where it does not apply."""
    points = store.plan.points
    values = points.labels(path, point)
    masks = [points.unset(path, name) for name in store.plan.arms]
    if all(mask is None for mask in masks):
        return values
    blank = np.zeros(len(point), bool)
    for place, mask in enumerate(masks):
        if mask is not None:
            blank |= (arm == place) & mask[point]
    values = values.astype(np.float64 if values.dtype.kind in "iuf" else object)
    values[blank] = np.nan if values.dtype.kind == "f" else None
    return values


def _outcome_columns(outcomes: tuple[Outcome, ...], values: np.ndarray, cell: np.ndarray) -> dict[str, np.ndarray]:
    """Return every outcome as a column, and of a mean after settling also when, and whether, the runs had settled."""
    columns: dict[str, np.ndarray] = {}
    place = 0
    for outcome in outcomes:
        part = values[:, place : place + outcome.width]
        place += outcome.width
        if outcome.form != "long_run":
            columns[outcome.name] = part[:, 0]
            continue
        mean, cut, steady = _settled(part, cell)
        columns |= {outcome.name: mean, f"{outcome.name}.warm_up": cut, f"{outcome.name}.steady": steady}
    return columns


def _settled(courses: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return per run the mean after the warm-up that all replications of its point agree on.

    Parameters
    ----------
    courses : (runs, T)
    cell : (runs,)
        Which runs belong together; equal numbers stand next to each other.

    Returns
    -------
    mean, cut, steady
        The mean is missing where the runs had not settled: it would be a number of the way, not of the long run.
    """
    from churnsim.studies.warmup import steady_state

    mean, cut, steady = np.full(len(cell), np.nan), np.full(len(cell), np.nan), np.zeros(len(cell), bool)
    bounds = np.append(np.flatnonzero(np.diff(cell, prepend=-1)), len(cell))
    for first, last in pairwise(bounds.tolist()):
        state = steady_state(courses[first:last])
        cut[first:last], steady[first:last] = state.cut, state.steady
        if state.steady:
            mean[first:last] = courses[first:last, state.cut :].mean(axis=1)
    return mean, cut, steady


def _statuses(store: Store, number: np.ndarray, good: np.ndarray) -> Any:
    """Return how every run ended."""
    import pandas as pd

    known = dict(
        store.connection.execute("SELECT failure.number, status FROM failure JOIN cause ON cause.id = failure.cause")
    )
    names = np.full(len(number), "ok", dtype=object)
    for place in np.flatnonzero(~good):
        names[place] = known.get(int(number[place]), "error")
    return pd.Categorical(names)


def failures_of(store: Store) -> pd.DataFrame:
    """Return one row per failed run; see `Store.failures`."""
    import pandas as pd

    plan = store.plan
    rows = store.connection.execute(
        "SELECT run.number, status, message, details, attempts, seconds FROM run JOIN failure USING (number) "
        "JOIN cause ON cause.id = failure.cause WHERE NOT ok ORDER BY run.number"
    ).fetchall()
    number = np.array([row[0] for row in rows], np.int64)
    point, arm, replication = plan.place(number)
    columns: dict[str, Any] = {
        "row": point,
        "arm": pd.Categorical.from_codes(arm, categories=list(plan.arms)),
        "replication": replication + 1,
        "seed": plan.seeds(number),
        **{path: _factor(store, path, point, arm) for path in plan.points.columns},
        **{name: [row[1 + place] for row in rows] for place, name in enumerate(("status", "message", "details"))},
        "attempts": [row[4] for row in rows],
        "seconds": [row[5] for row in rows],
        "command": [f"churnsim results rerun {shlex.quote(str(store.folder))} {row[0]}" for row in rows],
    }
    frame = pd.DataFrame(columns, index=pd.Index(number, name="number"))
    order = np.lexsort((replication, arm, point))
    return frame.iloc[order]


def write_csv(store: Store, file: Path) -> int:
    """Write `Store.frame` as CSV; return the number of rows."""
    frame = store.frame()
    frame.to_csv(file, index=False, encoding="utf-8", lineterminator="\n")
    return len(frame)


def write_parquet(store: Store, file: Path) -> int:
    """Write `Store.frame` as Parquet; return the number of rows."""
    frame = store.frame()
    frame.to_parquet(file, index=False, compression="zstd")
    return len(frame)

"""Studies to explore: tables of many runs, one row per run, from whatever store they lie in."""

from __future__ import annotations

import importlib
import importlib.util
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from churnsim.web.asks import RefusalError

if TYPE_CHECKING:
    from starlette.responses import Response

    from churnsim.web.app import Laboratory

NOT_FACTORS = frozenset(
    {"key", "row", "point", "replication", "seed", "scenario", "arm", "status", "version", "seconds"}
)
"""Columns of a study's table that are neither factors nor outcomes."""

MOST_ROWS = 200_000
"""Rows of a table that is shown."""

MOST_FILES = 200
SUFFIXES = (".csv", ".parquet")
STORES = ("*.sqlite", "*.db")


def read_table(path: Path) -> pd.DataFrame:
    """Return a study's table: one row per run.

    Parameters
    ----------
    path
        A CSV or Parquet file as ``churnsim results export`` writes it, or the folder of a study's store.
    """
    if path.is_dir():
        store = importlib.import_module("churnsim.studies.store").Store
        frame: pd.DataFrame = store(path).frame()
        return frame
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path)


def is_study(columns: list[str]) -> bool:
    """Return whether a table with these columns is one row per run of a study."""
    return {"seed", "replication"} <= set(columns) and any(is_outcome(name) for name in columns)


def is_outcome(column: str) -> bool:
    """Return whether a column is an outcome: a measure of a firm or the market, as in ``share.eton@96``."""
    from churnsim.dealing_measures import PER_FIRM
    from churnsim.metrics import MARKET_MEASURES

    head = column.partition("@")[0].partition(".")[0]
    return (head in PER_FIRM or head in MARKET_MEASURES) and column.partition(".")[0] not in ("firms", "customers")


class Sweeps:
    """The studies below a folder, found when they are asked for.

    Parameters
    ----------
    folder
        Where to look; None has no studies.
    """

    def __init__(self, folder: str | None) -> None:
        self.folder = Path(folder).resolve() if folder else None
        self._tables: dict[Path, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def any(self) -> bool:
        """Return whether there is anything to explore."""
        return bool(self._found())

    def _found(self) -> dict[str, Path]:
        """Return studies by id; ids are made here, so that no visitor can name a path."""
        if self.folder is None or not self.folder.is_dir():
            return {}
        files = [path for path in sorted(self.folder.rglob("*")) if path.suffix in SUFFIXES and path.is_file()]
        places = [path for path in files[:MOST_FILES] if self._looks_right(path)]
        if importlib.util.find_spec("churnsim.studies") is not None:
            places += sorted({path.parent for kind in STORES for path in self.folder.rglob(kind)})
        return {str(path.relative_to(self.folder)): path for path in places}

    @staticmethod
    def _looks_right(path: Path) -> bool:
        """Return whether a file is a study's table, judged by its columns alone."""
        try:
            if path.suffix == ".parquet":
                import pyarrow.parquet as pq

                return is_study(pq.read_schema(path).names)
            return is_study(list(pd.read_csv(path, nrows=0).columns))
        except (OSError, ValueError):
            return False

    def index(self) -> list[dict[str, str]]:
        """Return the studies there are."""
        return [{"id": name} for name in self._found()]

    def table(self, name: str) -> dict[str, Any]:
        """Return a study as columns, with what its columns are."""
        path = self._found().get(name)
        if path is None:
            raise RefusalError(404, "no_study", name=name[:80])
        changed = path.stat().st_mtime
        with self._lock:
            if path not in self._tables or self._tables[path][0] != changed:
                try:
                    self._tables[path] = (changed, as_columns(read_table(path)))
                except (OSError, ValueError, KeyError, ImportError):
                    raise RefusalError(422, "bad_study", name=name[:80]) from None
            return self._tables[path][1]


def as_columns(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a study's table as plain columns.

    Returns
    -------
    dict
        ``rows``, ``scenario`` (where the table says it), ``factors`` (name to values), ``outcomes``, ``seeds`` and
        ``replications``.
    """
    frame = frame.head(MOST_ROWS)
    if "status" in frame:
        frame = frame[frame["status"].isin(["ok", "done"])]
    outcomes = [name for name in frame.columns if is_outcome(str(name))]
    factors = [
        name for name in frame.columns if name not in NOT_FACTORS and name not in outcomes and frame[name].nunique() > 1
    ]
    scenario = str(frame["scenario"].iloc[0]) if "scenario" in frame and len(frame) else None
    return {
        "rows": len(frame),
        "scenario": scenario,
        "factors": {name: _plain(frame[name]) for name in factors},
        "outcomes": {name: _plain(frame[name]) for name in outcomes},
        "seed": _plain(frame["seed"]),
        "replication": _plain(frame["replication"]),
    }


def _plain(column: pd.Series) -> list[Any]:
    """Return a column's values as JSON knows them."""
    if column.dtype.kind in "fiub":
        values = column.to_numpy(dtype=float, na_value=np.nan)
        whole = column.dtype.kind in "iub"
        return [None if not np.isfinite(value) else (int(value) if whole else float(value)) for value in values]
    return [None if pd.isna(value) else str(value) for value in column]


def sweep_routes(lab: Laboratory) -> list[Route]:
    """Return the routes of the page that explores studies."""

    async def index(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(lab.sweeps.index))

    async def table(request: Request) -> Response:
        name = request.query_params.get("id", "")
        return JSONResponse(await run_in_threadpool(lab.sweeps.table, name))

    return [Route("/api/sweeps", index), Route("/api/sweep", table)]

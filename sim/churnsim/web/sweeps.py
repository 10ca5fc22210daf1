"""Studies to explore: tables of many runs, what stores say of them, and games that were played."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from churnsim.config.errors import ScenarioError
from churnsim.config.loading import builtin_names, load
from churnsim.studies.database import FILE
from churnsim.studies.errors import StoreError
from churnsim.studies.plan import Plan
from churnsim.studies.store import Store
from churnsim.web.analyses import GAME, analysis_of, described, game_of
from churnsim.web.asks import RefusalError

if TYPE_CHECKING:
    from starlette.responses import Response

    from churnsim.studies.study import Study
    from churnsim.web.app import Handler, Laboratory

NOT_FACTORS = frozenset(
    {"key", "run", "row", "point", "replication", "seed", "scenario", "status", "version", "seconds"}
)
"""Columns of a study's table that are neither factors nor outcomes."""

MOST_ROWS = 200_000
"""Rows of a table that is shown."""

MOST_FILES = 200
SUFFIXES = (".csv", ".parquet")


def read_table(path: Path) -> pd.DataFrame:
    """Return a study's table: one row per run.

    Parameters
    ----------
    path
        A CSV or Parquet file as ``churnsim results export`` writes it.
    """
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

    def _found(self) -> dict[str, Path]:
        """Return studies by id; ids are made here, so that no visitor can name a path."""
        if self.folder is None or not self.folder.is_dir():
            return {}
        files = [path for path in sorted(self.folder.rglob("*")) if path.suffix in SUFFIXES and path.is_file()]
        places = [path for path in files[:MOST_FILES] if self._looks_right(path)]
        places += [path.parent for path in sorted(self.folder.rglob(FILE))[:MOST_FILES] if _has_design(path.parent)]
        places += sorted(self.folder.rglob(GAME))[:MOST_FILES]
        return {str((path.parent if path.name == GAME else path).relative_to(self.folder)): path for path in places}

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
        changed = _written_at(path)
        with self._lock:
            if path not in self._tables or self._tables[path][0] != changed:
                try:
                    self._tables[path] = (changed, _read(path))
                except (OSError, ValueError, KeyError, TypeError, IndexError, StoreError):
                    raise RefusalError(422, "bad_study", name=name[:80]) from None
            return self._tables[path][1]

    def store(self, name: str) -> tuple[Path, float]:
        """Return the folder of a store by its id, and when it was written last."""
        path = self._found().get(name)
        if path is None or not path.is_dir():
            raise RefusalError(404, "no_study", name=name[:80])
        return path, _written_at(path)


def _has_design(folder: Path) -> bool:
    """Return whether a store's runs follow a design; those of a search or a tournament are no sample of anything."""
    try:
        with Store.open(folder) as store:
            return store.kind == Plan.kind
    except StoreError:
        return True  # is said to be damaged when it is opened


def _written_at(path: Path) -> float:
    """Return when a study was written last; what a store commits goes to its log first."""
    if not path.is_dir():
        return path.stat().st_mtime
    return max(file.stat().st_mtime for file in path.glob(f"{FILE}*"))


def _read(path: Path) -> dict[str, Any]:
    """Return what a study is, from wherever it lies."""
    if path.is_dir():
        return _of_store(path)
    if path.name == GAME:
        return game_of(path)
    table = as_columns(read_table(path))
    if table["scenario"] not in builtin_names():
        return table
    return {**table, **described(load(table["scenario"]), table["factors"])}


def _of_store(folder: Path) -> dict[str, Any]:
    """Return the table of a store, which knows what its columns are."""
    with Store.open(folder) as store:
        study = store.study
        names = {*study.factors, "arm"} if len(store.plan.arms) > 1 else set(study.factors)
        base = None if study.function is not None else next(iter(study.bases.values()))
        table = as_columns(store.frame(), names, set(study.outcomes), None if base is None else base.id)
        about: dict[str, Any] = {"design": study.design, "title": study.title and study.title.model_dump()}
        about["formulas"] = {one.name: one.text for one in study.kept if study.function is None}
        if base is not None:
            about |= described(base, study.factors)
            about["opens"] = opens = _openable(study)
            # An arm that the study itself has made bears the scenario's title, which tells nothing apart.
            about["arms"] = {}
            about["baseline"] = study.baseline or next(iter(study.bases))
            for arm, opened in opens.items():
                scenario = load(study.bases[arm].id)
                if opened in scenario.arms:
                    about["arms"][arm] = scenario.arms[opened].title.model_dump()
                elif opened == arm:  # the scenario itself
                    about["arms"][arm] = scenario.case.model_dump()
            about["set"] = {path: value for path, value in study.set.items() if isinstance(value, (int, float, str))}
        return {**table, **about}


def _openable(study: Study) -> dict[str, str]:
    """Return by arm which arm of its built-in scenario it is; arms that no page can open are left out."""
    found = {}
    for label, base in study.bases.items():
        if base.id in builtin_names():
            scenario = load(base.id)
            for arm in scenario.arm_names:
                with suppress(ScenarioError):
                    if scenario.arm(arm).set(study.set).key == base.key:
                        found[label] = arm
                        break
    return found


def as_columns(
    frame: pd.DataFrame, known: set[str] | None = None, measured: set[str] | None = None, scenario: str | None = None
) -> dict[str, Any]:
    """Return a study's table as plain columns.

    Parameters
    ----------
    frame
        One row per run.
    known, measured
        Names of its factors and outcomes; by default told by what they are called.
    scenario
        What is run, where the table does not say it.

    Returns
    -------
    dict
        ``kind`` (``table``), ``rows``, ``failed``, ``scenario`` (where the table says it), ``factors`` (name to
        values), ``outcomes``, ``seed`` and ``replication``.
    """
    frame = frame.head(MOST_ROWS)
    ended = len(frame)
    if "status" in frame:
        frame = frame[frame["status"].isin(["ok", "done"])]
    outcomes = [name for name in frame.columns if (is_outcome(str(name)) if measured is None else name in measured)]
    factors = [
        name
        for name in frame.columns
        if (name not in NOT_FACTORS if known is None else name in known)
        and name not in outcomes
        and frame[name].nunique() > 1
    ]
    if "scenario" in frame and len(frame):
        scenario = str(frame["scenario"].iloc[0])
    return {
        "kind": "table",
        "rows": len(frame),
        "failed": ended - len(frame),
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


def sweep_routes(lab: Laboratory, post: Callable[[str, Handler], Route]) -> list[Route]:
    """Return the routes of the page that explores studies."""

    async def index(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(lab.sweeps.index))

    async def table(request: Request) -> Response:
        name = request.query_params.get("id", "")
        return JSONResponse(await run_in_threadpool(lab.sweeps.table, name))

    async def analysis(request: Request, given: dict[str, Any], lang: str) -> Response:
        name, outcome, arm = given.get("id"), given.get("outcome"), given.get("arm")
        if not isinstance(name, str) or not isinstance(outcome, str):
            raise RefusalError(404, "no_study", name="")
        if arm is not None and not isinstance(arm, str):
            raise RefusalError(404, "no_arm", name="")
        folder, changed = await run_in_threadpool(lab.sweeps.store, name)
        key = ("analysis", folder, changed, outcome, arm)
        try:
            return JSONResponse(await lab.once.of(key, lambda: lab.computed(analysis_of, folder, outcome, arm)))
        except (OSError, ValueError, KeyError, StoreError):
            raise RefusalError(422, "bad_study", name=name[:80]) from None

    return [Route("/api/sweeps", index), Route("/api/sweep", table), post("/api/sweep/analysis", analysis)]

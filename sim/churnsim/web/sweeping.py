"""Small sweeps that are started from the page: bounded, one at a time, in the background, and stoppable.

Such a sweep is an ordinary study. Its file and its store lie in the folder of studies, so that the command line can
repeat it, go on with it, or enlarge it.
"""

from __future__ import annotations

import math
import re
import secrets
import shlex
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from churnsim.config.errors import ScenarioError
from churnsim.config.loading import builtin_names
from churnsim.i18n import number
from churnsim.studies.checks import checked_plan
from churnsim.studies.errors import StoreError
from churnsim.studies.study import Study, load_study
from churnsim.studies.sweeping import sweep
from churnsim.web.asks import RefusalError, check_size, read_scenario, refused, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from churnsim.scenario import Scenario
    from churnsim.web.app import Handler, Laboratory
    from churnsim.web.limits import Limits

MEASURES = ("share", "cumulative_profit", "customers")
"""What is kept of every firm at the horizon, besides all its departures: measures of a firm that has closed, too."""

FACTORS = 2
PREFIX = "page-"
SEEDS = 10


class _StoppedError(Exception):
    """Somebody wants the sweep to stop."""


@dataclass
class Started:
    """A sweep that was started from the page.

    Attributes
    ----------
    name : str
        Its study, and the id of its store among the studies.
    key : str
        What the browser that started it knows; only it may stop the sweep.
    state : str
        ``running``, ``done``, ``stopped`` or ``failed``.
    done, total : int
        Runs.
    command : str
        The command that repeats it, or goes on with it.
    """

    name: str
    key: str
    command: str
    state: str = "running"
    done: int = 0
    total: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def as_dict(self) -> dict[str, Any]:
        """Return what everybody may know of it."""
        return {name: getattr(self, name) for name in ("name", "command", "state", "done", "total")}


class SmallSweeps:
    """The sweeps that were started from the page.

    Parameters
    ----------
    folder
        Where studies lie; None starts none.
    limits
        How large they may be.
    """

    def __init__(self, folder: Path | None, limits: Limits) -> None:
        self.folder, self.limits = folder, limits
        self._started: dict[str, Started] = {}
        self._lock = threading.Lock()

    def begin(self, scenario: Scenario, named: str | None, factors: dict[str, list[Any]], seeds: int) -> Started:
        """Start a sweep.

        Parameters
        ----------
        scenario
            What is run.
        named
            How a study file may call it; None writes the scenario into a file of its own.
        factors
            Values by dotted path.
        seeds
            Runs per point.

        Raises
        ------
        RefusalError
            If another one is under way, there are too many already, or nothing can be written.
        ScenarioError
            If some point is no scenario.
        """
        if self.folder is None:
            raise RefusalError(409, "no_folder")
        with self._lock:
            if any(one.state == "running" for one in self._started.values()):
                raise RefusalError(429, "sweep_busy")
            if len(self._started) >= self.limits.sweeps:
                raise RefusalError(429, "sweeps", most=self.limits.sweeps)
            try:
                name = self._free_name(scenario)
                file = self._written(name, scenario, named, factors, seeds)
                try:
                    study = load_study(file)
                    checked_plan(study)
                except ScenarioError:
                    self._forget(name)
                    raise
            except OSError:
                raise RefusalError(409, "no_folder") from None
            out = self.folder / name
            command = f"churnsim sweep {shlex.quote(_told(file))} --out {shlex.quote(_told(out))}"
            started = self._started[name] = Started(name, secrets.token_urlsafe(16), command)
            started.total = seeds * math.prod(map(len, factors.values()))
        threading.Thread(target=self._run, args=(started, study, out), name="churnsim-sweep", daemon=True).start()
        return started

    def about(self, name: str) -> Started:
        """Return a sweep by name."""
        if name not in self._started:
            raise RefusalError(404, "no_study", name=name[:80])
        return self._started[name]

    def stop(self, name: str, key: Any) -> None:
        """Stop a sweep after the runs that are under way; what is done is kept."""
        started = self.about(name)
        if not isinstance(key, str) or not secrets.compare_digest(key.encode(), started.key.encode()):
            raise RefusalError(403, "not_yours")
        started.stop.set()

    def close(self) -> None:
        """Stop everything."""
        for started in self._started.values():
            started.stop.set()

    def _run(self, started: Started, study: Study, out: Path) -> None:
        """Run a study, in this process and beside the visitors' runs."""

        def progress(done: int, total: int) -> None:
            started.done, started.total = done, total
            if started.stop.is_set() and done < total:
                raise _StoppedError

        try:
            sweep(study, out, jobs=0, progress=progress, notice=lambda code, details: None).close()
            started.state = "done"
        except _StoppedError:
            started.state = "stopped"
        except (StoreError, OSError, ValueError, ArithmeticError, AssertionError):
            started.state = "failed"

    def _free_name(self, scenario: Scenario) -> str:
        """Return a name that nothing in the folder has."""
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        slug = re.sub(r"[^a-z0-9]+", "_", scenario.id.lower()).strip("_")[:40] or "study"
        for place in range(1, 10_000):
            name = f"{PREFIX}{slug}-{place}"
            if not any((self.folder / f"{name}{ending}").exists() for ending in ("", ".yaml", ".scenario.yaml")):
                return name
        raise OSError("no free name")

    def _forget(self, name: str) -> None:
        """Remove the files of a study that cannot be run."""
        assert self.folder is not None
        for ending in (".yaml", ".scenario.yaml"):
            (self.folder / f"{name}{ending}").unlink(missing_ok=True)

    def _written(
        self, name: str, scenario: Scenario, named: str | None, factors: dict[str, list[Any]], seeds: int
    ) -> Path:
        """Write the file of a study, and that of its scenario where it has no name; return the former."""
        from churnsim.config.writing import as_yaml

        assert self.folder is not None
        if named is None:
            named = f"{name}.scenario.yaml"
            (self.folder / named).write_text(scenario.to_yaml(), encoding="utf-8")
        names = [f"{measure}.{firm}" for measure in MEASURES if scenario.knows(measure) for firm in scenario.firms]
        outcomes = {name: f"{name}@{scenario.horizon}" for name in names}
        outcomes |= {f"lost.{firm}": f"sum(lost.{firm}@1-{scenario.horizon})" for firm in scenario.firms}
        content: dict[str, Any] = {
            "title": {lang: scenario.title[lang] for lang in ("en", "zh")},
            "scenario": named,
            "set": {"customers.count": scenario.customers.count},
            "arms": {"case": {}},
            "factors": {path: {"levels": values} for path, values in factors.items()},
            "design": "grid",
            "replications": seeds,
            "outcomes": outcomes,
        }
        file = self.folder / f"{name}.yaml"
        file.write_text(as_yaml(content), encoding="utf-8")
        return file


def _told(path: Path) -> str:
    """Return a path as a person in the server's folder would write it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def read_sweep(given: dict[str, Any], lab: Laboratory, lang: str) -> tuple[Scenario, str | None, dict[str, Any], int]:
    """Return what a request asks for: a scenario, its name where that says everything, factors and seeds.

    Raises
    ------
    RefusalError
        If it is not understood, or beyond `limits`.
    """
    limits = lab.limits
    scenario = read_scenario(given, lab.catalogue, limits, lang)
    check_size(scenario, limits)
    asked = given.get("factors")
    if not isinstance(asked, dict) or not 1 <= len(asked) <= FACTORS:
        raise RefusalError(422, "factors", most=FACTORS)
    factors: dict[str, list[Any]] = {}
    for path, values in asked.items():
        if not isinstance(values, list) or not 2 <= len(values) <= limits.levels:
            raise RefusalError(422, "levels", most=limits.levels)
        if not all(isinstance(value, (int, float, str)) and _is_short(value) for value in values):
            raise RefusalError(422, "values")
        factors[path] = values
    seeds = whole(given, "seeds", SEEDS, 1, limits.sweep_seeds)
    runs = seeds * math.prod(map(len, factors.values()))
    work = runs * scenario.customers.count * (scenario.burn_in + scenario.horizon)
    if work > limits.sweep:
        raise RefusalError(422, "sweep_size", runs=number(runs), work=number(work), most=number(limits.sweep))
    name = given["scenario"]
    plain = name in builtin_names() and name not in lab.catalogue.extra and not given.get("moves")
    plain = plain and set(given.get("set") or {}) <= {"customers.count"} and given.get("arm", "case") == "case"
    return scenario, name if plain else None, factors, seeds


def _is_short(value: Any) -> bool:
    """Return whether a level is a finite number or a short text."""
    return len(value) <= 60 if isinstance(value, str) else math.isfinite(value)


def sweeping_routes(lab: Laboratory, post: Callable[[str, Handler], Route]) -> list[Route]:
    """Return the routes of small sweeps."""

    async def begin(request: Request, given: dict[str, Any], lang: str) -> Response:
        scenario, named, factors, seeds = await run_in_threadpool(read_sweep, given, lab, lang)
        try:
            started = await run_in_threadpool(lab.small.begin, scenario, named, factors, seeds)
        except ScenarioError as error:
            raise refused(error, lang) from None
        return JSONResponse({**started.as_dict(), "key": started.key})

    async def about(request: Request) -> Response:
        started = lab.small.about(request.path_params["name"])
        return JSONResponse(started.as_dict(), headers={"cache-control": "no-store"})

    async def stop(request: Request, given: dict[str, Any], lang: str) -> Response:
        lab.small.stop(request.path_params["name"], given.get("key"))
        return JSONResponse({"ok": True})

    return [
        post("/api/sweeps", begin),
        Route("/api/sweeps/{name}", about),
        post("/api/sweeps/{name}/stop", stop),
    ]

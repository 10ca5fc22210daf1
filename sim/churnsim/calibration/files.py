"""The files of a calibrated scenario: five that belong together, written at once and known by their contents.

``FITTED.yaml`` (the scenario), ``FITTED.posterior.csv`` (draws from the posterior), ``FITTED.design.csv`` (the draws as
points of a study), ``FITTED.states.parquet`` (what every segment, household or customer is like in the data, by draw)
and ``FITTED.fit.json`` (what was fitted to what, diagnostics, warnings, and what the other files are known by).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from churnsim.calibration.bases import rebuilt
from churnsim.calibration.csv_files import no_file
from churnsim.calibration.errors import refuse
from churnsim.calibration.fitted import Fitted
from churnsim.calibration.formats import FORMATS
from churnsim.config.errors import ScenarioError
from churnsim.config.loading import load
from churnsim.scenario import Scenario
from churnsim.tables import parameters

LAYOUT = 6
"""Layout of the files; it goes up when an older churnsim could not read them, or this one not those written before."""

ENDINGS = (".posterior.csv", ".design.csv", ".fit.json", ".states.parquet")
"""How the names of the files beside a calibrated scenario end."""

ESTIMATED = ("customers.", "firms.", "mechanisms.")
"""Where the settings lie that a forecast depends on; others say how long and with how many to run."""


def beside(path: Path) -> tuple[Path, Path, Path, Path]:
    """Return where posterior, design, facts and states of a calibrated scenario lie."""
    posterior, design, facts, states = (path.with_suffix(ending) for ending in ENDINGS)
    return posterior, design, facts, states


def check_free(target: Path) -> None:
    """Refuse to write over a file that is not the calibrated scenario of an earlier fit.

    Raises
    ------
    DataError
        If there is such a file, and something in it.
    """
    if target.is_file() and target.stat().st_size and not any(file.is_file() for file in beside(target)):
        raise refuse("not_own", file=target)


def save_fitted(fitted: Fitted, path: str | Path) -> list[Path]:
    """Write a calibrated scenario and what belongs to it; return the files.

    Each file takes its place when all of them are complete. If the process is killed while they do, the files are of
    two fits, and `open_fitted` says so.
    """
    target = Path(path)
    if target.suffix.lower() not in (".yaml", ".yml"):
        raise refuse("not_yaml", file=path)
    check_free(target)
    named = re.sub(r"[^a-z0-9]+", "_", target.stem.lower()).strip("_")
    scenario = rebuilt(fitted.scenario, id=named) if re.fullmatch(r"[a-z][a-z0-9_]*", named) else fitted.scenario
    posterior, design, facts, states = beside(target)
    known: dict[str, str] = {}

    def facts_text() -> str:
        """Return what is written last: it knows the other files."""
        content = {
            "layout": LAYOUT, "format": fitted.format, "parameters": fitted.parameters, "fit": fitted.fit,
            "warnings": fitted.warned, "facts": fitted.facts,
            "files": {**known, "scenario": _estimates(scenario)},
        }  # fmt: skip
        return json.dumps(content, ensure_ascii=False, indent=1)

    written: list[tuple[Path, Callable[[Path], object]]] = [
        (posterior, lambda file: fitted.posterior.to_csv(file, index=False)),
        (design, lambda file: fitted.design().to_csv(file, index=False)),
        (states, lambda file: fitted.states.to_parquet(file, index=False)),
        (target, lambda file: file.write_text(scenario.to_yaml(), encoding="utf-8")),
        (facts, lambda file: file.write_text(facts_text(), encoding="utf-8")),
    ]
    drafts = []
    try:
        for file, write in written:
            _clear(file)
            draft = file.with_name(f".{file.name}.{os.getpid()}")
            drafts.append(draft)
            write(draft)
            if file in (posterior, states):
                known["posterior" if file == posterior else "states"] = _digest(draft)
        for draft, (file, _) in zip(drafts, written, strict=True):
            os.replace(draft, file)
    except OSError as error:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        raise refuse("not_written", file=file, reason=error.strerror or str(error)) from None
    return [posterior, design, facts, states, target]


def open_fitted(path: str | Path) -> Fitted:
    """Read a calibrated scenario from its files.

    Raises
    ------
    DataError
        If files are missing or do not belong together.
    """
    target = Path(path)
    posterior, _, facts, states = beside(target)
    read = (posterior, facts, states)
    fitted = any(file.is_file() for file in read)
    try:
        scenario = load(str(path))
    except ScenarioError:
        if not target.is_file():
            raise no_file(target) from None
        if fitted and target.suffix.lower() in (".yaml", ".yml"):
            raise
        # What is wrong with it as a scenario is beside the point: it is data, or one of the files beside a scenario.
        raise refuse("no_scenario", file=path) from None
    if not fitted:
        kind = next((kind for kind in FORMATS if kind in scenario.id), "|".join(FORMATS))
        base = scenario.id if kind in FORMATS else "calibration_retention|panel|events"
        raise refuse("never_fitted", file=path, scenario=base, format=kind, missing=", ".join(f.name for f in read))
    for file in read:
        if not file.is_file():
            raise refuse("not_fitted", file=path, missing=file.name)
    try:
        content = json.loads(facts.read_text(encoding="utf-8"))
        if content["layout"] != LAYOUT:
            raise refuse("newer" if content["layout"] > LAYOUT else "older", file=facts)
        known = content["files"]
        for file, name in ((posterior, "posterior"), (states, "states")):
            if _digest(file) != known[name]:
                raise refuse("mixed", file=file, facts=facts.name)
        edited = _estimates(scenario) != known["scenario"]
        return Fitted(
            scenario, content["format"], content["parameters"], content["fit"], content["warnings"],
            _draws(posterior), content["facts"], pd.read_parquet(states), edited,
        )  # fmt: skip
    except (KeyError, TypeError, json.JSONDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError):
        raise refuse("broken", file=facts) from None


def _draws(file: Path) -> pd.DataFrame:
    """Read draws from a posterior; segments are called as they are written, be it 007 or NA."""
    return pd.read_csv(file, dtype={"segment": str}, keep_default_na=False, na_values=[""])


def _digest(file: Path) -> str:
    """Return what a file is known by."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _estimates(scenario: Scenario) -> str:
    """Return what the settings of a scenario are known by that a forecast depends on."""
    settings = {path: value for path, value in parameters(scenario).items() if path.startswith(ESTIMATED)}
    settings.pop("customers.count", None)
    arms = {name: arm.model_dump(mode="json").get("set") for name, arm in scenario.arms.items()}
    return hashlib.sha256(json.dumps([settings, arms], sort_keys=True, default=str).encode()).hexdigest()


def _clear(file: Path) -> None:
    """Take away drafts that processes left which were killed while they wrote."""
    for draft in file.parent.glob(f".{file.name}.*"):
        ending = draft.name.rpartition(".")[2]
        if ending.isdecimal() and not _lives(int(ending)):
            draft.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    """Return whether there may be such a process; elsewhere than on Unix asking would end it."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

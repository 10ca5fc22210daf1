"""A calibrated scenario with what is known about its parameters, and the files it lives in.

``FITTED.yaml`` is a scenario like any other. Beside it lie ``FITTED.posterior.csv`` (one row per draw: parameters by
dotted path), ``FITTED.design.csv`` (those of them that a study can set), ``FITTED.fit.json`` (what was fitted to what,
diagnostics, warnings) and ``FITTED.states.parquet`` (what every segment, household or customer is like in the data, by
draw).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from churnsim.calibration.csv_files import no_file
from churnsim.calibration.errors import Warned, refuse
from churnsim.calibration.formats import FORMATS
from churnsim.calibration.posterior import interval
from churnsim.config.errors import ScenarioError
from churnsim.config.loading import load
from churnsim.i18n import has_text, text
from churnsim.scenario import Scenario

DRAWS = 200
"""Draws from the posterior that are kept: enough for a 95 % interval (assumed)."""

LAYOUT = 4
"""Layout of the files; it goes up when an older churnsim could not read them, or this one not those written before."""


@dataclass(frozen=True)
class Fitted:
    """A scenario calibrated to data.

    Attributes
    ----------
    scenario : Scenario
        With the most likely parameters.
    format : str
        Kind of data: ``retention``, ``panel`` or ``events``.
    parameters : dict
        By dotted path: mean, low and high (95 %).
    fit : dict
        Diagnostics.
    warned : list of dict
        Warnings as data; `warnings` tells them.
    posterior : pandas.DataFrame
        One row per draw (and segment): parameters by dotted path.
    facts : dict
        What `predict` needs beside that.
    states : pandas.DataFrame
        By draw: state of every household or customer at the end of the data; shocks of every period of a segment.
    """

    scenario: Scenario
    format: str
    parameters: dict[str, dict[str, float]]
    fit: dict[str, Any]
    warned: list[Warned]
    posterior: pd.DataFrame
    facts: dict[str, Any]
    states: pd.DataFrame

    @property
    def warnings(self) -> list[str]:
        """What to be careful about, in English."""
        return self.told("en")

    def told(self, lang: str) -> list[str]:
        """Return the warnings in ``en`` or ``zh``."""
        return [tell(warning, lang) for warning in self.warned]

    def design(self) -> pd.DataFrame:
        """Return the draws as the points of a study: those columns of the posterior that are paths of the scenario.

        Of several segments it is the first, which is the scenario itself.
        """
        table = self.posterior
        if "segment" in table:
            table = table[table["segment"] == table["segment"].iloc[0]]
        table = table.select_dtypes("number")
        return table[[name for name in table if self._is_path(str(name), float(table[name].iloc[0]))]]

    def _is_path(self, name: str, value: float) -> bool:
        """Return whether a column of the posterior is a number of the scenario."""
        try:
            self.scenario.set({name: value})
        except ScenarioError:
            return False
        return True

    def save(self, path: str | Path) -> list[Path]:
        """Write the scenario and what belongs to it; return the files. Each takes its place when it is complete."""
        target = Path(path)
        if target.suffix.lower() not in (".yaml", ".yml"):
            raise refuse("not_yaml", file=path)
        content = {
            "layout": LAYOUT,
            "format": self.format,
            "parameters": self.parameters,
            "fit": self.fit,
            "warnings": self.warned,
            "facts": self.facts,
        }
        posterior, facts, states = beside(target)
        design = self.design()
        written: list[tuple[Path, Callable[[Path], object]]] = [
            (posterior, lambda file: self.posterior.to_csv(file, index=False)),
            (target.with_suffix(".design.csv"), lambda file: design.to_csv(file, index=False)),
            (facts, lambda file: file.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")),
            (states, lambda file: self.states.to_parquet(file, index=False)),
            (target, lambda file: file.write_text(self.scenario.to_yaml(), encoding="utf-8")),
        ]
        for file, write in written:
            draft = file.with_name(f".{file.name}.{os.getpid()}")
            try:
                write(draft)
                os.replace(draft, file)
            except OSError as error:
                draft.unlink(missing_ok=True)
                raise refuse("not_written", file=file, reason=error.strerror or str(error)) from None
        return [file for file, _ in written]


def beside(path: Path) -> tuple[Path, Path, Path]:
    """Return where posterior, facts and states of a calibrated scenario lie."""
    return path.with_suffix(".posterior.csv"), path.with_suffix(".fit.json"), path.with_suffix(".states.parquet")


def tell(warning: Warned, lang: str) -> str:
    """Return a warning in ``en`` or ``zh``."""
    values = {key: f"{value:.2f}" if isinstance(value, float) else value for key, value in warning.items()}
    key = values.pop("key")
    values |= {name: _in_words(value, lang) for name, value in values.items() if isinstance(value, str)}
    return text(f"calibration.warning.{key}", lang, **values)


def _in_words(name: str, lang: str) -> str:
    """Return what a parameter of one segment or brand, ``a: spread``, is in words."""
    whose, colon, part = name.rpartition(": ")
    known = bool(colon) and has_text(f"calibration.part.{part}")
    return text(f"calibration.part.{part}", lang, whose=whose) if known else name


def open_fitted(path: str | Path) -> Fitted:
    """Read a calibrated scenario from its files.

    Raises
    ------
    DataError
        If files are missing or do not belong to a calibrated scenario.
    """
    target = Path(path)
    posterior, facts, states = beside(target)
    fitted = any(file.is_file() for file in (posterior, facts, states))
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
        raise refuse("never_fitted", file=path, scenario=base, format=kind)
    for file in (posterior, facts, states):
        if not file.is_file():
            raise refuse("not_fitted", file=path, missing=file.name)
    try:
        content = json.loads(facts.read_text(encoding="utf-8"))
        if content["layout"] != LAYOUT:
            raise refuse("newer" if content["layout"] > LAYOUT else "older", file=facts)
        return Fitted(
            scenario, content["format"], content["parameters"], content["fit"], content["warnings"],
            pd.read_csv(posterior), content["facts"], pd.read_parquet(states),
        )  # fmt: skip
    except (KeyError, TypeError, json.JSONDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError):
        raise refuse("broken", file=facts) from None


def intervals(posterior: pd.DataFrame, skip: tuple[str, ...] = ("draw", "segment")) -> dict[str, dict[str, float]]:
    """Return mean and 95 % interval of every column of a posterior sample."""
    return {str(name): interval(column.to_numpy(float)) for name, column in posterior.items() if str(name) not in skip}


def name_for(word: str, taken: set[str], prefix: str) -> str:
    """Return a plain identifier for a segment or brand, different from those taken.

    Parameters
    ----------
    word
        As in the data.
    taken
        Names given so far; the new one is added.
    prefix
        What to begin with where the word itself cannot stand.
    """
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in word.strip().lower()).strip(
        "_"
    )
    plain = plain if plain and plain[0].isalpha() and plain != "outside" else f"{prefix}_{plain}".rstrip("_")
    name, n = plain, 2
    while name in taken or name == "case":
        name, n = f"{plain}_{n}", n + 1
    taken.add(name)
    return name

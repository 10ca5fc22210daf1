"""A calibrated scenario with what is known about its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from churnsim.calibration.errors import Warned
from churnsim.calibration.posterior import interval
from churnsim.i18n import has_text, text
from churnsim.scenario import Scenario

DRAWS = 200
"""Draws from the posterior that are kept: enough for a 95 % interval (assumed)."""


@dataclass(frozen=True, repr=False)
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
    edited : bool
        Whether the scenario's file has been changed since: forecasts go by the draws.
    """

    scenario: Scenario
    format: str
    parameters: dict[str, dict[str, float]]
    fit: dict[str, Any]
    warned: list[Warned]
    posterior: pd.DataFrame
    facts: dict[str, Any]
    states: pd.DataFrame
    edited: bool = False

    @property
    def warnings(self) -> list[str]:
        """What to be careful about, in English."""
        return self.told("en")

    def told(self, lang: str) -> list[str]:
        """Return the warnings in ``en`` or ``zh``."""
        return [tell(warning, lang) for warning in self.warned]

    def design(self) -> pd.DataFrame:
        """Return the draws as the points of a study: every setting in which they differ, a column by its dotted path.

        Of several segments it is the first, which is the scenario itself.
        """
        if self.format == "retention":
            from churnsim.calibration.retention_scenario import retention_design

            return retention_design(self)
        if self.format == "panel":
            from churnsim.calibration.panel_scenario import panel_design

            return panel_design(self)
        return self.posterior.drop(columns="draw")

    def __repr__(self) -> str:
        """Say what was fitted to what; a notebook need not show all of it."""
        parameters, warnings = len(self.parameters), len(self.warned)
        return f"<Fitted {self.format}: {self.scenario.title.en}, parameters: {parameters}, warnings: {warnings}>"

    def save(self, path: str | Path) -> list[Path]:
        """Write the scenario and what belongs to it; return the files. Each takes its place when it is complete."""
        from churnsim.calibration.files import save_fitted

        return save_fitted(self, path)


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


def intervals(posterior: pd.DataFrame, skip: tuple[str, ...] = ("draw", "segment")) -> dict[str, dict[str, float]]:
    """Return mean and 95 % interval of every column of a posterior sample."""
    return {str(name): interval(column.to_numpy(float)) for name, column in posterior.items() if str(name) not in skip}


def held_as(posterior: pd.DataFrame, held: Iterable[str]) -> dict[str, dict[str, float]]:
    """Return what was not fitted, for the diagnostics: the values that all draws have."""
    values = {path: float(posterior[path].iloc[0]) for path in held}
    return {"held": values} if values else {}


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

"""What a study's store says beyond its table: which factors matter, and games that were played."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnsim.config.errors import ScenarioError
from churnsim.i18n import LANGUAGES, percent, text
from churnsim.scenario import BASE_ARM
from churnsim.studies.errors import StoreError
from churnsim.studies.figure_frames import sensitivity_frame
from churnsim.studies.labels import label_of, unit_of
from churnsim.studies.problems import StudyDataError
from churnsim.studies.sensitivity import METHODS, Analysis
from churnsim.studies.store import Store
from churnsim.web.asks import RefusalError

if TYPE_CHECKING:
    from churnsim.scenario import Scenario
    from churnsim.studies.indices import Sensitivity

SHOWN = ("sobol", "morris", "swings")
"""Methods that have a picture in the browser; the command line has them all."""

GAME = "tournament.json"
"""What ``churnsim tournament`` leaves beside its runs."""

LARGEST_GAME = 4_000_000
"""Bytes of such a file at most."""

MOST_STRATEGIES = 24
"""Strategies of a game that is drawn."""


def analysis_of(folder: Path, outcome: str, arm: str | None = None) -> dict[str, Any]:
    """Return what a store says an outcome depends on, in one arm.

    Parameters
    ----------
    folder
        Of the store.
    outcome
        One of the study's.
    arm
        One of the study's; by default its baseline, else its first.

    Returns
    -------
    dict
        ``arms`` (all of the study), ``arm`` (the one that is told of) and ``methods``: per method of the study's design
        that is drawn, ``rows`` (those of `sensitivity_frame`), ``runs`` (that it is worked out from), ``of`` (runs of
        the arm), ``confidence``, ``noise`` (share of luck in a single run, low, high; None where it cannot be told)
        and ``notes`` in both languages, or ``problem`` in both languages.
    """
    with Store.open(folder) as store:
        if outcome not in store.study.outcomes:
            raise RefusalError(404, "no_outcome", name=outcome[:80])
        arms = list(store.plan.arms)
        if arm is not None and arm not in arms:
            raise RefusalError(404, "no_arm", name=arm[:60])
        arm = arm or store.study.baseline or arms[0]
        told: dict[str, Any] = {"arms": arms, "arm": arm, "methods": []}
        if not store.study.factors:
            return told
        methods = [name for name in METHODS[store.study.design] if name in SHOWN]
        try:
            analysis = Analysis(store, arm)
        except StudyDataError as error:
            return {**told, "methods": [_problem(name, error) for name in methods[:1]]}
        return {**told, "methods": [_method(analysis, outcome, name) for name in methods]}


def _method(analysis: Analysis, outcome: str, method: str) -> dict[str, Any]:
    """Return what one method says, or why it says nothing."""
    try:
        found = analysis.of(outcome, method)
    except StudyDataError as error:
        return _problem(method, error)
    frame = sensitivity_frame(found)
    rows = frame.drop(columns=["outcome", "method", "runs", "confidence", "noise_share"]).to_dict("records")
    notes = {
        lang: [text(f"sensitivity.note.{code}", lang, **_written(details)) for code, details in found.notes()]
        for lang in LANGUAGES
    }
    return {
        "method": method,
        "rows": [{name: _plain(value) for name, value in row.items()} for row in rows],
        "runs": found.answer.runs,
        "of": int(analysis.values(outcome).size),
        "confidence": found.confidence,
        "noise": _noise(found),
        "notes": notes,
    }


def _noise(found: Sensitivity) -> list[float | None] | None:
    """Return the share of luck in a single run, with its interval where there is one."""
    share = found.noise_share
    if not math.isfinite(share):
        return None
    said = found.as_json()
    ends = [_plain(said.get(f"noise_share_{end}", math.nan)) for end in ("low", "high")]
    return [share, *ends]


def _written(details: dict[str, Any]) -> dict[str, Any]:
    """Return a note's numbers as texts."""

    def told(name: str, value: Any) -> Any:
        if not isinstance(value, float):
            return value
        return percent(value, 1) if name == "left" else f"{value:.3g}"

    return {name: told(name, value) for name, value in details.items()}


def _problem(method: str, error: StudyDataError) -> dict[str, Any]:
    """Return why a method says nothing, in both languages."""
    return {"method": method, "problem": {lang: error.told(lang) for lang in LANGUAGES}}


def described(base: Scenario, factors: Iterable[str]) -> dict[str, Any]:
    """Return what a scenario says of its studies' columns: labels and units of factors, firms, arms, currency, tick."""
    factors = list(factors)
    return {
        "labels": {path: {lang: label_of(base, path, lang) for lang in LANGUAGES} for path in factors},
        "units": {path: unit for path in factors if (unit := unit_of(base, path))},
        "firms": {firm: content.name.model_dump() for firm, content in base.firms.items()},
        "arms": {
            BASE_ARM: base.case.model_dump(),
            **{arm: content.title.model_dump() for arm, content in base.arms.items()},
        },
        "currency": base.currency,
        "tick": base.tick,
    }


def game_of(file: Path) -> dict[str, Any]:
    """Return a tournament's answer: firms, strategies, payoffs and equilibria, level by level.

    What the firms are called and the currency come from the runs, where they lie beside the answer.

    Raises
    ------
    ValueError
        If the file is no such answer.
    """
    if file.stat().st_size > LARGEST_GAME:
        raise ValueError(file.name)
    answer = json.loads(file.read_text(encoding="utf-8"))
    names = ("study", "firms", "strategies", "payoff", "replications", "symmetric")
    if not isinstance(answer, dict) or not all(name in answer for name in (*names, "payoffs")):
        raise ValueError(file.name)
    firms, strategies = answer["firms"], answer["strategies"]
    if len(firms) != 2 or not 1 <= len(strategies) <= MOST_STRATEGIES:
        raise ValueError(file.name)
    levels = answer.get("levels") or [{**answer, "level": None}]
    return {
        "kind": "game",
        **{name: answer[name] for name in names},
        "vary": answer.get("vary"),
        **_market_of(file.parent, answer.get("vary")),
        "levels": [_level(one, firms, len(strategies)) for one in levels],
    }


def _market_of(folder: Path, vary: str | None) -> dict[str, Any]:
    """Return title, currency and what firms and the varied setting are called; nothing where no store can be read."""
    try:
        with Store.open(folder) as store:
            base = next(iter(store.study.bases.values()))
            title = store.study.title
    except (StoreError, ScenarioError, OSError, StopIteration):
        return {}
    names = {firm: content.name.model_dump() for firm, content in base.firms.items()}
    called = {lang: label_of(base, vary, lang) for lang in LANGUAGES} if vary else None
    told = {"currency": base.currency, "tick": base.tick, "names": names, "vary_name": called}
    return {**told, "title": title and title.model_dump(), "vary_unit": unit_of(base, vary) if vary else None}


def _level(game: dict[str, Any], firms: list[str], count: int) -> dict[str, Any]:
    """Return one game: payoffs per firm, row (first firm) and column, each mean, low and high; and its equilibria."""
    payoffs = [
        [[[_plain(game["payoffs"][i][j]["firms"][firm][part]) for part in ("mean", "low", "high")]
          for j in range(count)] for i in range(count)]
        for firm in firms
    ]  # fmt: skip
    equilibria = [
        {"strategies": one["strategies"], "pure": one["pure"], "probability": _plain(one["probability"])}
        for one in game.get("equilibria", ())
    ]
    return {"level": game.get("level"), "payoffs": payoffs, "equilibria": equilibria}


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)

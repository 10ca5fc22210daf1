"""`fit` and `predict`: the two questions to data, whatever their kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import churnsim
from churnsim.calibration.bases import check_base, rebuilt
from churnsim.calibration.errors import refuse
from churnsim.calibration.files import ENDINGS, check_free, open_fitted
from churnsim.calibration.fitted import Fitted, tell
from churnsim.calibration.formats import (
    MOST_PERIODS,
    check_format,
    read_events,
    read_marketing,
    read_panel,
    read_retention,
)
from churnsim.calibration.held import held_values
from churnsim.calibration.steps import Progress
from churnsim.config.loading import load
from churnsim.i18n import LANGUAGES, text
from churnsim.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

REPLICATIONS, MOST_REPLICATIONS = 100, 10_000
MOST_WEEKS = 520
"""Weeks, at most, of a forecast."""

NEEDED = {"retention": "periods", "panel": "marketing", "events": "weeks"}
"""What a forecast needs to be given, by kind of data."""

BELONGS = {"periods": "retention", "marketing": "panel", "replications": "panel", "weeks": "events"}
"""Kind of data that an argument of `predict` is for."""


def fit(
    scenario: Scenario | str,
    data: str | Path | pd.DataFrame,
    format: str,
    *,
    out: str | Path | None = None,
    seed: int = 1,
    parameters: Collection[str] | None = None,
    hold: Mapping[str, float | None] | Collection[str] | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Calibrate a scenario to data.

    Parameters
    ----------
    scenario
        What the fitted parameters belong to: a scenario, a built-in name or a file. ``calibration_retention``,
        ``calibration_panel`` and ``calibration_events`` are made for this.
    data
        A CSV file, or a table with the same columns; see `churnsim.calibration.formats`.
    format
        ``retention`` (segment, period, at_risk, lost), ``panel`` (hh, occ, choice, price_<brand> ..., optionally
        disp_<brand>, feat_<brand>) or ``events`` (id, day, optionally spend).
    out
        Where to save it: a ``.yaml`` file, with its companions beside it.
    seed
        Seed of simulated households and of the posterior's draws; the same seed gives the same answer.
    parameters
        What to fit, by dotted path; everything where None. What is left out is held at the scenario's values
        (`churnsim.calibration.held`).
    hold
        The other way round: what not to fit. Paths, held at the scenario's values, or a value for each in its units:
        ``{"customers.attachment.value": 0}``.
    progress
        For panels and logs: called with the steps done and those in all.

    Raises
    ------
    DataError
        If the file or the scenario cannot be used, with every reason.
    ScenarioError
        If a value at which something is to be held is none that a scenario may have.
    """
    base = scenario if isinstance(scenario, Scenario) else load(scenario)
    fitted = checked_fit(base, data, format, out, seed, parameters, hold)(progress)
    if out is not None:
        fitted.save(out)
    return fitted


def checked_fit(
    base: Scenario,
    data: str | Path | pd.DataFrame,
    format: str,
    out: str | Path | None,
    seed: int,
    parameters: Collection[str] | None = None,
    hold: Mapping[str, float | None] | Collection[str] | None = None,
) -> Callable[[Progress | None], Fitted]:
    """Check everything that `fit` is given, and return what then fits: nothing heavy is imported before.

    Raises
    ------
    DataError
        If the file or the scenario cannot be used, with every reason.
    """
    check_format(format)
    if out is not None:
        check_target(out)
    check_base(base, format)
    held = held_values(base, format, parameters, hold)
    if format == "retention":
        segments = read_retention(data)

        def fitted(progress: Progress | None) -> Fitted:
            """Fit retention tables, which takes no steps worth telling."""
            from churnsim.calibration.retention_scenario import fitted_retention

            return named(fitted_retention(base, segments, seed, held), base, data)

    elif format == "panel":
        panel = read_panel(data)

        def fitted(progress: Progress | None) -> Fitted:
            """Fit a panel."""
            from churnsim.calibration.panel_scenario import fitted_panel

            return named(fitted_panel(base, panel, seed, progress, held), base, data)

    else:
        events = read_events(data)

        def fitted(progress: Progress | None) -> Fitted:
            """Fit a log."""
            from churnsim.calibration.events_scenario import fitted_events

            return named(fitted_events(base, events, seed, progress, held), base, data)

    return fitted


def named(fitted: Fitted, base: Scenario, data: str | Path | pd.DataFrame) -> Fitted:
    """Return a calibrated scenario that says what it was fitted to, in the place of what its base says of itself."""
    file = Path(data).name if isinstance(data, (str, Path)) else "DataFrame"
    told = {"file": file, "base": base.id, "version": churnsim.__version__}
    sources, title = (
        {lang: text(f"calibration.{key}", lang, **told) for lang in LANGUAGES} for key in ("sources", "title")
    )
    return replace(fitted, scenario=rebuilt(fitted.scenario, sources=(sources,), title=title))


def check_target(path: str | Path) -> None:
    """Refuse, before anything is computed, a file that could not be written."""
    target = Path(path)
    if target.suffix.lower() not in (".yaml", ".yml"):
        raise refuse("not_yaml", file=path)
    check_folder(target)
    check_free(target)


def check_folder(target: Path) -> None:
    """Refuse a file in a folder that is not there, or one that is a folder."""
    if not target.absolute().parent.is_dir():
        raise refuse("no_folder", file=target, folder=target.absolute().parent.name)
    if target.is_dir():
        raise refuse("is_folder", file=target)


def predict(
    fitted: Fitted | str | Path,
    *,
    format: str | None = None,
    periods: int | None = None,
    marketing: str | Path | pd.DataFrame | None = None,
    replications: int | None = None,
    out: str | Path | None = None,
    weeks: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Simulate a calibrated scenario forward.

    Parameters
    ----------
    fitted
        From `fit`, or its file.
    format
        The kind of data it was fitted to, to be checked where it is given.
    periods
        For retention: how far.
    marketing, replications, out
        For a panel: file or table of future occasions (hh, occ, price_<brand> ..., as the data), how often to simulate
        them (100 times otherwise), and where to write the simulated choices.
    weeks
        For events: weeks from the start of the data.
    progress
        For panels and logs: called with the replications or weeks done and those in all.

    Returns
    -------
    dict
        Retention: ``segments``. Panel: ``shares``, ``repeat_rate``, ``switching``, ``brands``. Events:
        ``cumulative_repeats``, ``share_active``. All with intervals.

    Raises
    ------
    DataError
        If something is missing, cannot be used, or would not be looked at.
    """
    known = fitted if isinstance(fitted, Fitted) else open_fitted(fitted)
    answer = checked_forecast(
        known, format=format, periods=periods, marketing=marketing, replications=replications, out=out, weeks=weeks
    )(progress)
    return told(answer, "en")


def told(answer: dict[str, Any], lang: str) -> dict[str, Any]:
    """Return a forecast with its warnings in words."""
    return {**answer, "warnings": [tell(one, lang) for one in answer["warnings"]]}


def checked_forecast(
    known: Fitted,
    *,
    format: str | None,
    periods: int | None,
    marketing: str | Path | pd.DataFrame | None,
    replications: int | None,
    out: str | Path | None,
    weeks: int | None,
) -> Callable[[Progress | None], dict[str, Any]]:
    """Check everything that `predict` is given, and return what then simulates: nothing heavy is imported before.

    Raises
    ------
    DataError
        If something is missing, cannot be used, or would not be looked at.
    """
    if format is not None:
        check_format(format)
        if format != known.format:
            raise refuse("other_format", found=format, fitted=known.format)
    given = {"periods": periods, "marketing": marketing, "weeks": weeks, "replications": replications}
    for name, kind in BELONGS.items():
        if given[name] is not None and kind != known.format:
            raise refuse("not_for", option=name, kind=kind, format=known.format)
    needed = NEEDED[known.format]
    if given[needed] is None:
        raise refuse("needs", format=known.format, option=needed)
    if out is not None:
        _check_table(Path(out), marketing)
    if known.format == "retention":
        horizon = _whole("periods", periods, MOST_PERIODS)

        def forecast(progress: Progress | None) -> dict[str, Any]:
            """Forecast survival, which takes no steps worth telling."""
            from churnsim.calibration.forecast_tables import save_table, survival
            from churnsim.calibration.retention_scenario import predict_retention

            answer = predict_retention(known, horizon)
            if out is not None:
                save_table(survival(answer), out)
            return answer

    elif known.format == "events":
        horizon = _whole("weeks", weeks, MOST_WEEKS)

        def forecast(progress: Progress | None) -> dict[str, Any]:
            """Forecast purchases."""
            from churnsim.calibration.events_scenario import predict_events
            from churnsim.calibration.forecast_tables import purchases, save_table

            answer = predict_events(known, horizon, progress)
            if out is not None:
                save_table(purchases(answer), out)
            return answer

    else:
        times = _whole("replications", REPLICATIONS if replications is None else replications, MOST_REPLICATIONS)
        assert marketing is not None
        facts = known.facts
        last = dict(zip(facts["households"], facts["last"], strict=True))
        future = read_marketing(marketing, tuple(facts["brands"]), facts["shown"], last)

        def forecast(progress: Progress | None) -> dict[str, Any]:
            """Forecast choices, and write them where asked to."""
            from churnsim.calibration.forecast_tables import save_table
            from churnsim.calibration.panel_forecast import predict_panel

            answer, choices = predict_panel(known, future, times, progress)
            if out is not None:
                save_table(choices, out)
            return answer

    def doubted(progress: Progress | None) -> dict[str, Any]:
        """Forecast, and add what the scenario itself leaves in doubt."""
        answer = forecast(progress)
        edited = [{"key": "edited"}] if known.edited else []
        return {**answer, "warnings": [*edited, *answer.get("warnings", ())]}

    return doubted


def _check_table(target: Path, marketing: Any) -> None:
    """Refuse a table that is none by its name, or would be written over one of the files that the forecast needs."""
    if target.suffix.lower() != ".csv":
        raise refuse("not_csv_name", file=target)
    check_folder(target)
    given = [Path(marketing)] if isinstance(marketing, (str, Path)) else []
    if target.name.endswith(ENDINGS) or any(target.resolve() == file.resolve() for file in given):
        raise refuse("needed", file=target)


def _whole(name: str, value: Any, high: int) -> int:
    """Return a whole number from 1 to `high`, or refuse it."""
    if not isinstance(value, Integral) or not 1 <= int(value) <= high:
        raise refuse("not_in_range", option=name, found=value, high=high)
    return int(value)

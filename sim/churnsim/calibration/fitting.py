"""`fit` and `predict`: the two questions to data, whatever their kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnsim.calibration.bases import check_base
from churnsim.calibration.errors import refuse
from churnsim.calibration.fitted import Fitted, open_fitted
from churnsim.calibration.formats import check_format, read_events, read_panel, read_retention
from churnsim.calibration.steps import Progress
from churnsim.config.loading import load
from churnsim.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd


def fit(
    scenario: Scenario | str,
    data: str | Path | pd.DataFrame,
    format: str,
    *,
    out: str | Path | None = None,
    seed: int = 1,
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
    progress
        For panels and logs: called with the steps done and those in all.

    Raises
    ------
    DataError
        If the file or the scenario cannot be used, with every reason.
    """
    check_format(format)
    if out is not None:
        check_target(out)
    base = scenario if isinstance(scenario, Scenario) else load(scenario)
    check_base(base, format)
    if format == "retention":
        from churnsim.calibration.retention_scenario import fitted_retention

        fitted = fitted_retention(base, read_retention(data), seed)
    elif format == "panel":
        from churnsim.calibration.panel_scenario import fitted_panel

        fitted = fitted_panel(base, read_panel(data), seed, progress)
    else:
        from churnsim.calibration.events_scenario import fitted_events

        fitted = fitted_events(base, read_events(data), seed, progress)
    if out is not None:
        fitted.save(out)
    return fitted


def check_target(path: str | Path) -> None:
    """Refuse, before anything is computed, a file that could not be written."""
    target = Path(path)
    if target.suffix.lower() not in (".yaml", ".yml"):
        raise refuse("not_yaml", file=path)
    check_folder(target)


def check_folder(target: Path) -> None:
    """Refuse a file in a folder that is not there."""
    if not target.absolute().parent.is_dir():
        raise refuse("no_folder", file=target, folder=target.absolute().parent.name)


def predict(
    fitted: Fitted | str | Path,
    *,
    format: str | None = None,
    periods: int | None = None,
    marketing: str | Path | pd.DataFrame | None = None,
    replications: int = 100,
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
        them, and where to write the simulated choices.
    weeks
        For events: weeks from the start of the data.
    progress
        For panels and logs: called with the replications or weeks done and those in all.

    Returns
    -------
    dict
        Retention: ``segments``. Panel: ``shares``, ``repeat_rate``, ``switching``, ``brands``. Events:
        ``cumulative_repeats``, ``share_active``. All with intervals.
    """
    known = fitted if isinstance(fitted, Fitted) else open_fitted(fitted)
    if format is not None:
        check_format(format)
        if format != known.format:
            raise refuse("other_format", found=format, fitted=known.format)
    needed = {"retention": ("periods", periods), "panel": ("marketing", marketing), "events": ("weeks", weeks)}
    name, value = needed[known.format]
    if value is None:
        raise refuse("needs", format=known.format, option=f"--{name}")
    if known.format == "retention":
        from churnsim.calibration.retention_scenario import predict_retention

        assert periods is not None
        return predict_retention(known, periods)
    if known.format == "events":
        from churnsim.calibration.events_scenario import predict_events

        assert weeks is not None
        return predict_events(known, weeks, progress)
    from churnsim.calibration.panel_forecast import predict_panel, save_choices

    assert marketing is not None
    if out is not None:
        check_folder(Path(out))
    future = read_panel(marketing, tuple(known.facts["brands"]))
    answer, choices = predict_panel(known, future, replications, progress)
    if out is not None:
        save_choices(choices, out)
    return answer

"""``churnsim predict``: simulate a calibrated scenario forward."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from churnsim.cli.session import BadInputError, Session, command, helped

MOST_ROWS = 24
"""Periods or weeks of a table; of a longer forecast every so many."""


FREE_RUN = ("free_run.free_run",)
"""What a forecast of a panel compiles."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "predict")(predict)


def predict(
    session: Session,
    fitted: Annotated[Path, typer.Argument(metavar="FITTED.yaml", help=helped("predict_fitted"), show_default=False)],
    format: Annotated[
        str | None, typer.Option("--format", metavar="retention|panel|events", help=helped("predict_format"))
    ] = None,
    periods: Annotated[int | None, typer.Option("--periods", metavar="N", help=helped("predict_periods"))] = None,
    marketing: Annotated[
        Path | None, typer.Option("--marketing", metavar="FILE", help=helped("predict_marketing"))
    ] = None,
    replications: Annotated[
        int | None, typer.Option("--replications", metavar="R", help=helped("predict_replications"))
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.csv", help=helped("predict_out"))] = None,
    weeks: Annotated[int | None, typer.Option("--weeks", metavar="N", help=helped("predict_weeks"))] = None,
) -> None:
    """Simulate a calibrated scenario forward, with intervals."""
    from churnsim.calibration.csv_files import no_file
    from churnsim.calibration.errors import DataError

    try:
        if not fitted.is_file():  # before anything heavy is imported
            raise no_file(fitted)
        from churnsim.calibration.files import open_fitted
        from churnsim.calibration.fitting import checked_forecast, told

        known = open_fitted(fitted)
        forecast = checked_forecast(
            known, format=format, periods=periods, marketing=marketing, replications=replications, out=out, weeks=weeks
        )
        from churnsim.calibration.events_scenario import whole_weeks
        from churnsim.cli.progress import watched
        from churnsim.engine.kernel import DEALINGS, LONGEST
        from churnsim.markets import deals_in

        # Households of a panel choose by a loop of their own; everything else runs the engine.
        kernels: tuple[str, ...] = FREE_RUN if known.format == "panel" else LONGEST
        compiling = "fit.compiling" if known.format == "panel" else "run.compiling"
        if known.format != "panel" and deals_in(known.scenario):
            kernels = (*kernels, *DEALINGS)
        if known.format == "events" and weeks is not None and weeks <= whole_weeks(known.facts):
            kernels = ()  # nothing is simulated
        with watched(session, f"predict.counted.{known.format}", kernels, compiling) as report:
            answer = told(forecast(report), session.lang)
    except DataError as error:
        raise BadInputError(error.told(session.lang, command=True)) from None
    if not session.quiet:
        {"retention": _print_retention, "panel": _print_panel, "events": _print_events}[known.format](session, answer)
    if known.format == "panel" and answer["households"]["new"]:
        session.note(session.say("predict.homes", **answer["households"]))
    if known.format == "events" and answer["share_active"] is None:
        session.note(session.say("predict.nothing_ahead", weeks=answer["data_weeks"]))
    for warning in answer["warnings"]:
        session.warn(warning)
    if out is not None:
        session.note(session.say("predict.saved", file=out))
    if session.json:
        session.emit(answer)


def _table(*heads: str) -> Any:
    """Return a table without lines; numbers stand to the right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(heads[0])
    for head in heads[1:]:
        table.add_column(head, justify="right")
    return table


def _heads(session: Session, *keys: str) -> list[str]:
    """Return the heads of a table that ends with the bounds of an interval."""
    return [session.say(key) for key in (*keys, "fit.low", "fit.high")]


def _shown(count: int) -> list[int]:
    """Return which of many rows are shown: evenly spread, with the last."""
    step = -(-count // MOST_ROWS)
    return sorted({*range(step - 1, count, step), count - 1})


def _print_retention(session: Session, answer: dict[str, Any]) -> None:
    """Print who is left after each period."""
    for name, segment in answer["segments"].items():
        session.print(session.say("predict.segment", segment=name), style="bold")
        table = _table(*_heads(session, "predict.period", "predict.left"))
        for t in _shown(len(segment["S"])):
            table.add_row(str(t + 1), *(f"{100 * segment[key][t]:.1f} %" for key in ("S", "low", "high")))
        session.print(table)
        first, last = answer["data_periods"][name]
        session.print(session.say("predict.data_periods", first=first, last=last), style="dim")


def _print_panel(session: Session, answer: dict[str, Any]) -> None:
    """Print shares and the switching matrix."""
    brands, between = answer["brands"], answer["intervals"]
    table = _table(*_heads(session, "predict.brand", "predict.share"))
    for brand in brands:
        table.add_row(brand, *(f"{100 * x:.1f} %" for x in (answer["shares"][brand], *between["shares"][brand])))
    session.print(table)
    low, high = between["repeat_rate"]
    if answer["repeat_rate"] == answer["repeat_rate"]:
        rate = [f"{100 * x:.1f} %" for x in (answer["repeat_rate"], low, high)]
        session.print(session.say("predict.repeat_rate", rate=rate[0], low=rate[1], high=rate[2]))
        matrix = _table(session.say("predict.from_to"), *brands)
        for brand, row in zip(brands, answer["switching"], strict=True):
            matrix.add_row(brand, *(f"{100 * x:.1f} %" for x in row))
        session.print(matrix)


def _print_events(session: Session, answer: dict[str, Any]) -> None:
    """Print repeat purchases to date, week by week."""
    table = _table(*_heads(session, "predict.week", "predict.repeats"))
    for w in _shown(len(answer["cumulative_repeats"])):
        table.add_row(str(w + 1), *(f"{answer[key][w]:.0f}" for key in ("cumulative_repeats", "low", "high")))
    session.print(table)
    if answer["data_weeks"]:
        session.print(session.say("predict.data_weeks", weeks=answer["data_weeks"]), style="dim")
    if answer["share_active"] is not None:
        names = ("share_active", "share_active_low", "share_active_high")
        rate, low, high = (f"{100 * answer[name]:.1f} %" for name in names)
        session.print(session.say("predict.active", share=rate, low=low, high=high))

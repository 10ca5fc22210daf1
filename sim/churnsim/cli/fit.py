"""``churnsim fit``: calibrate a scenario to data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnsim.cli.session import BadInputError, Session, command, helped

if TYPE_CHECKING:
    from churnsim.calibration.fitted import Fitted


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "fit")(fit)


def fit(
    session: Session,
    scenario: Annotated[str, typer.Argument(help=helped("fit_scenario"), show_default=False)],
    data: Annotated[Path, typer.Option("--data", metavar="FILE", help=helped("fit_data"), show_default=False)],
    format: Annotated[
        str, typer.Option("--format", metavar="retention|panel|events", help=helped("fit_format"), show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FITTED.yaml", help=helped("fit_out"), show_default=False)],
    seed: Annotated[int, typer.Option("--seed", min=0, help=helped("fit_seed"))] = 1,
) -> None:
    """Calibrate a scenario to data and write it with its uncertainty."""
    import churnsim as cs
    from churnsim.calibration.errors import DataError
    from churnsim.calibration.fitting import check_format, check_target

    try:
        check_format(format)
        check_target(out)
        base = cs.load(scenario, lang=session.lang)
        fitted = cs.fit(base, data, format, seed=seed)
        files = fitted.save(out)
    except DataError as error:
        raise BadInputError(error.told(session.lang)) from None
    if not session.quiet:
        _print(session, fitted, data)
    for warning in fitted.told(session.lang):
        session.warn(warning)
    session.note(session.say("fit.saved", files=", ".join(str(file) for file in files)))
    if not session.quiet:
        option = {"retention": "--periods 12", "panel": "--marketing FILE --out FILE.csv", "events": "--weeks 52"}
        session.note(session.say("fit.next", command=f"churnsim predict {out} --format {format} {option[format]}"))
    if session.json:
        session.emit({"parameters": fitted.parameters, "fit": fitted.fit, "warnings": fitted.told(session.lang)})


def _print(session: Session, fitted: Fitted, data: Path) -> None:
    """Print parameters with their intervals, then the diagnostics."""
    from rich.table import Table

    from churnsim.cli.verify import plain

    session.print(
        session.say("fit.heading", scenario=fitted.scenario.id, format=fitted.format, data=data), style="bold"
    )
    table = Table(box=None, pad_edge=False)
    table.add_column(session.say("fit.parameter"))
    for name in ("mean", "low", "high"):
        table.add_column(session.say(f"fit.{name}"), justify="right")
    for path, value in fitted.parameters.items():
        table.add_row(path, *(plain(value[name]) for name in ("mean", "low", "high")))
    session.print(table)
    for name, value in fitted.fit.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            session.print(f"{session.say(f'fit.diagnostic.{name}')}: {plain(float(value))}", style="dim")

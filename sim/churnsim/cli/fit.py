"""``churnsim fit``: calibrate a scenario to data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnsim.cli.session import BadInputError, Session, command, helped

if TYPE_CHECKING:
    from churnsim.calibration.fitted import Fitted
    from churnsim.scenario import Scenario


KERNELS = {"panel": ("likelihood.simulate",)}
"""What a fit compiles, by kind of data."""


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
    parameters: Annotated[
        list[str] | None, typer.Option("--parameter", metavar="PATH", help=helped("fit_parameter"))
    ] = None,
    hold: Annotated[list[str] | None, typer.Option("--hold", metavar="PATH[=VALUE]", help=helped("fit_hold"))] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help=helped("fit_seed"))] = 1,
) -> None:
    """Calibrate a scenario to data and write it with its uncertainty."""
    import churnsim as cs
    from churnsim.calibration.errors import DataError
    from churnsim.calibration.formats import check_format

    try:
        check_format(format)
        base = cs.load(scenario, lang=session.lang)
        from churnsim.calibration.fitting import checked_fit
        from churnsim.calibration.held import always_fitted
        from churnsim.cli.progress import watched

        # Before the optimiser is imported and anything is compiled, which takes seconds.
        fit_it = checked_fit(base, data, format, out, seed, parameters, hold or None)
        with watched(session, "fit.steps", KERNELS.get(format, ()), "fit.compiling") as report:
            fitted = fit_it(report)
        files = fitted.save(out)
    except DataError as error:
        raise BadInputError(error.told(session.lang, command=True)) from None
    if not session.quiet:
        _print(session, fitted, data)
    for warning in fitted.told(session.lang):
        session.warn(warning)
    session.note(session.say("fit.saved", files=", ".join(str(file) for file in files)))
    if not session.quiet:
        named = always_fitted(format, parameters)
        if named:
            session.note(session.say("fit.always", paths=", ".join(named)))
        _note_limits(session, fitted, base, out)
        option = {"retention": "--periods 12", "panel": "--marketing FILE --out FILE.csv", "events": "--weeks 52"}
        session.note(session.say("fit.next", command=f"churnsim predict {out} --format {format} {option[format]}"))
    if session.json:
        session.emit({"parameters": fitted.parameters, "fit": fitted.fit, "warnings": fitted.told(session.lang)})


def _print(session: Session, fitted: Fitted, data: Path) -> None:
    """Print parameters with their intervals, segment by segment, then the diagnostics."""
    from rich.table import Table

    from churnsim.cli.verify import plain

    session.print(
        session.say("fit.heading", scenario=fitted.scenario.id, format=fitted.format, data=data), style="bold"
    )
    for head, parameters in _parts(session, fitted):
        if head:
            session.print(head, style="bold")
        table = Table(box=None, pad_edge=False)
        table.add_column(session.say("fit.parameter"))
        for name in ("mean", "low", "high"):
            table.add_column(session.say(f"fit.{name}"), justify="right")
        # What is 0 by definition (worth and trend of the brand that others are compared with) says nothing.
        for path, value in parameters.items():
            if not any(value.values()):
                continue
            table.add_row(path, *(plain(value[name]) for name in ("mean", "low", "high")))
        session.print(table)
    held = fitted.fit.get("held", {})
    if held:
        values = ", ".join(f"{path} {plain(value)}" for path, value in held.items())
        session.print(session.say("fit.held", values=values))
    for name, value in fitted.fit.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            session.print(f"{session.say(f'fit.diagnostic.{name}')}: {plain(float(value))}", style="dim")


def _note_limits(session: Session, fitted: Fitted, base: Scenario, out: Path) -> None:
    """Say what the data did not decide: units, and of which of several segments the design for studies is."""
    from churnsim.calibration.held import MONEY
    from churnsim.cli.verify import plain
    from churnsim.i18n import text

    segments = list(fitted.facts.get("segments", {}))
    if len(segments) > 1:
        session.note(session.say("fit.design", file=out.with_suffix(".design.csv"), segment=segments[0]))
    if "compared_with" in fitted.fit:
        noise = plain(fitted.scenario.customers.choice.noise)
        session.note(session.say("fit.worth", brand=fitted.fit["compared_with"], noise=noise))
        brands = zip(fitted.facts["firms"], fitted.facts["brands"], strict=True)
        renamed = [f"{firm}: {brand}" for firm, brand in brands if firm != brand]
        if renamed:
            session.note(session.say("fit.names", names=", ".join(renamed)))
    before, after = (plain(one.customers.choice.noise) for one in (base, fitted.scenario))
    if before != after and any(path in MONEY for path in fitted.fit.get("held", {})):
        session.note(session.say("fit.held_noise", before=before, after=after, scenario=base.id))
    units = {"currency": fitted.scenario.currency, "scenario": base.id}
    if fitted.format != "events":
        tick = text(f"tick.{fitted.scenario.tick}.name", session.lang).lower()
        session.note(session.say("fit.units", tick=tick, **units))
    elif fitted.scenario.mechanisms.sizes:  # the log says what was spent
        session.note(session.say("fit.units_log", **units))


def _parts(session: Session, fitted: Fitted) -> list[tuple[str, dict[str, dict[str, float]]]]:
    """Return the parameters by segment, each with its heading: name in the data, and arm of the scenario that it is."""
    segments = fitted.facts.get("segments", {})
    if len(segments) < 2:
        return [("", fitted.parameters)]
    prefixes = {name: f"arms.{about['arm']}.set." for name, about in segments.items()}
    parts = []
    for name, prefix in prefixes.items():
        own = {path.removeprefix(prefix): value for path, value in fitted.parameters.items() if path.startswith(prefix)}
        # The first segment is the scenario itself.
        own = own or {path: value for path, value in fitted.parameters.items() if not path.startswith("arms.")}
        parts.append((session.say("fit.segment", segment=name, arm=segments[name]["arm"]), own))
    return parts

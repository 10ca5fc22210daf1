"""``churnsim generate``: data as a firm would see them, and the truth beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnsim.cli.folders import reason, why_not_writable
from churnsim.cli.session import BadInputError, FailedError, Session, command, helped

if TYPE_CHECKING:
    from churnsim.scenario import Scenario


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "generate")(generate)


def generate(
    session: Session,
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help=helped("scenario"), show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help=helped("generate_out"), show_default=False)],
    customers: Annotated[
        int | None, typer.Option("--customers", metavar="N", help=helped("generate_customers"))
    ] = None,
    firm: Annotated[str | None, typer.Option("--firm", metavar="FIRM", help=helped("generate_firm"))] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="SEED", min=0, help=helped("generate_seed"))] = None,
    snapshot: Annotated[
        int | None, typer.Option("--snapshot", metavar="TICK", help=helped("generate_snapshot"))
    ] = None,
    history: Annotated[int | None, typer.Option("--history", metavar="TICKS", help=helped("generate_history"))] = None,
    outcome: Annotated[int | None, typer.Option("--outcome", metavar="TICKS", help=helped("generate_outcome"))] = None,
    churn: Annotated[
        str | None, typer.Option("--churn", metavar="silent|visible", help=helped("generate_churn"))
    ] = None,
    inactivity: Annotated[
        int | None, typer.Option("--inactivity", metavar="TICKS", help=helped("generate_inactivity"))
    ] = None,
    surveyed: Annotated[float, typer.Option("--surveyed", metavar="SHARE", help=helped("generate_surveyed"))] = 0.1,
    noise: Annotated[float, typer.Option("--noise", metavar="POINTS", help=helped("generate_noise"))] = 1.0,
    treated: Annotated[float, typer.Option("--treated", metavar="SHARE", help=helped("generate_treated"))] = 0.5,
    targeting: Annotated[
        float, typer.Option("--targeting", metavar="LOG-ODDS", help=helped("generate_targeting"))
    ] = 0.0,
    treatment: Annotated[
        list[str] | None, typer.Option("--treatment", metavar="ARM|MOVE", help=helped("generate_treatment"))
    ] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help=helped("set"))] = None,
    moves: Annotated[list[str] | None, typer.Option("--move", metavar="TEXT", help=helped("move"))] = None,
    threads: Annotated[int, typer.Option("--threads", metavar="K", min=1, help=helped("threads"))] = 1,
) -> None:
    """Generate data with their ground truth."""
    import churnsim as cs
    from churnsim.cli import options
    from churnsim.cli.progress import shown
    from churnsim.ground_truth import GroundTruthError, plan_of
    from churnsim.ground_truth.generation import write
    from churnsim.ground_truth.writing import is_ours

    base = options.with_changes(
        session,
        cs.load(scenario, lang=session.lang),
        customers=None,
        horizon=None,
        settings=settings or (),
        moves=moves or (),
    )
    if not is_ours(out):
        raise BadInputError(session.say("generate.taken", folder=out))
    problem = why_not_writable(out.absolute().parent)
    if problem is not None:
        raise BadInputError(session.say("generate.not_writable", folder=out, reason=problem))
    try:
        plan = plan_of(
            base,
            customers=customers,
            firm=firm,
            seed=seed,
            snapshot=snapshot,
            history=history,
            outcome=outcome,
            churn=churn,
            inactivity=inactivity,
            surveyed=surveyed,
            noise=noise,
            treated=treated,
            targeting=targeting,
            treatments=_treatments(session, base, treatment or ()),
        )
        with shown(session, of="step") as report:
            found = write(plan, out, threads=threads, progress=report)
    except GroundTruthError as error:
        raise BadInputError(error.say(session.lang)) from None
    except OSError as error:
        raise FailedError(session.say("generate.not_saved", folder=out, reason=reason(error))) from None
    if not session.quiet:
        _print_tables(session, found.tables, out)
    if session.json:
        session.emit({"tables": found.tables, "out": str(out)})


def _treatments(session: Session, base: Scenario, written: Sequence[str]) -> dict[str, Scenario]:
    """Return treated worlds by name: arms of the scenario, or the scenario with a move."""
    from churnsim.cli import options

    worlds = {}
    for place, text in enumerate(written, start=1):
        if "=" in text:
            changed = options.with_changes(session, base, customers=None, horizon=None, settings=(), moves=(text,))
            worlds[f"move_{place}"] = changed
        else:
            worlds[text] = base.arm(text)
    return worlds


def _print_tables(session: Session, tables: dict[str, int], out: Path) -> None:
    """Say what was written."""
    from churnsim.i18n import number, text

    for name, rows in tables.items():
        meaning = text(f"ground_truth.table.{name.rpartition('/')[2]}", session.lang)
        session.print(f"{name:<20} {number(rows):>14}  {meaning}")
    session.note(session.say("generate.saved", folder=out))

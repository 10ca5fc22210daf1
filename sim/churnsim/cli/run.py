"""``churnsim run``: run a scenario's arms, show how they compare, save the result."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnsim.cli.session import FAILED, BadInputError, Session, command, helped

if TYPE_CHECKING:
    from churnsim.results import Result
    from churnsim.scenario import Scenario

DEFAULT_SEEDS = "30"
CASE = "case"
"""The arm that is the scenario itself."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "run")(run)


def run(
    session: Session,
    scenario: Annotated[str | None, typer.Argument(help=helped("scenario"), show_default=False)] = None,
    arm: Annotated[list[str] | None, typer.Option("--arm", help=helped("arm"))] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", metavar="N|A-B", help=helped("seeds"))] = None,
    customers: Annotated[int | None, typer.Option("--customers", min=1, help=helped("customers"))] = None,
    horizon: Annotated[int | None, typer.Option("--horizon", min=1, help=helped("horizon"))] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help=helped("set"))] = None,
    moves: Annotated[list[str] | None, typer.Option("--move", metavar="TEXT", help=helped("move"))] = None,
    engine: Annotated[str, typer.Option("--engine", metavar="compiled|agents", help=helped("engine"))] = "compiled",
    threads: Annotated[int, typer.Option("--threads", min=1, help=helped("threads"))] = 1,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help=helped("jobs"))] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help=helped("out"))] = None,
    source: Annotated[Path | None, typer.Option("--from", metavar="RESULT", help=helped("from"))] = None,
    no_plots: Annotated[bool, typer.Option("--no-plots", help=helped("no_plots"))] = False,
) -> None:
    """Run a scenario, or repeat a saved result."""
    import churnsim as cs
    from churnsim.cli import options, summary
    from churnsim.cli.progress import shown
    from churnsim.running import ENGINES

    if engine not in ENGINES:
        raise BadInputError(session.say("options.engine", written=engine, engines=", ".join(ENGINES)))
    saved = None
    if scenario is not None and source is None:
        base = options.with_changes(
            session,
            cs.load(scenario, lang=session.lang),
            customers=customers,
            horizon=horizon,
            settings=settings or (),
            moves=moves or (),
        )
        plans = [base.arm(name) for name in _arms(session, base, arm or ())]
        numbers = options.read_seeds(session, seeds or DEFAULT_SEEDS)
    elif source is not None and scenario is None:
        if arm or seeds or customers or horizon or settings or moves:
            raise BadInputError(session.say("run.from_alone"))
        saved = _opened(session, source)
        plans, numbers = list(saved.scenarios.values()), list(saved.seeds)
    else:
        raise BadInputError(session.say("run.scenario_or_result"))
    folder = summary.folder_name(plans, numbers)
    if out is not None:
        _check_free(session, out)
    if not session.quiet:
        session.print(summary.heading(session, plans, numbers), style="bold")
    with shown(session) as report:
        result = cs.run(plans, numbers, jobs=jobs, engine=engine, threads=threads, progress=report)
    if not session.quiet:
        summary.print_comparison(session, result)
    # A repeated result is already there; it is written again only where asked for.
    target = out or source or Path("results") / folder
    if target != source:
        _save(result, target, session.lang, figures=not no_plots)
    same = None if saved is None else summary.print_repeated(session, saved, result)
    summary.print_endings(session, result, target, written=target != source)
    if session.json:
        answer = summary.as_json(result, target) | ({} if same is None else {"identical": same})
        session.emit(answer)
    if same is False:
        raise typer.Exit(FAILED)


def _arms(session: Session, base: Scenario, wanted: Sequence[str]) -> list[str]:
    """Return the arms to run: those asked for, else the case and its controls."""
    if not wanted:
        return [name for name in base.arm_names if name == CASE or base.arms[name].control]
    if "all" in wanted:
        return list(base.arm_names)
    unknown = [name for name in wanted if name not in base.arm_names]
    if unknown:
        names = ", ".join(base.arm_names)
        raise BadInputError(session.say("run.unknown_arm", scenario=base.id, arms=", ".join(unknown), names=names))
    return list(dict.fromkeys(wanted))


def _opened(session: Session, folder: Path) -> Result:
    """Open a saved result."""
    import churnsim as cs
    from churnsim.storage import ResultFolderError

    if not (folder / "run.json").is_file():
        raise BadInputError(session.say("run.no_result", folder=folder))
    try:
        return cs.open(folder)
    except ResultFolderError as error:
        raise BadInputError(str(error)) from None


def _check_free(session: Session, folder: Path) -> None:
    """Refuse, before anything is run, a folder that the result could not be written to."""
    from churnsim.storage import ResultFolderError, read_run

    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        read_run(folder)
    except ResultFolderError:
        raise BadInputError(session.say("run.out_taken", folder=folder)) from None


def _save(result: Result, folder: Path, lang: str, *, figures: bool) -> None:
    """Write the tables, then the figures beside them."""
    result.save(folder)
    # An earlier result in this folder leaves its figures behind.
    shutil.rmtree(folder / "figures", ignore_errors=True)
    if figures:
        result.figures(folder / "figures", lang=lang)

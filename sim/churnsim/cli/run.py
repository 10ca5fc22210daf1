"""``churnsim run``: run a scenario's arms, show how they compare, save the result."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnsim.cli.folders import reason, why_not_writable
from churnsim.cli.session import FAILED, BadInputError, FailedError, Session, command, helped

if TYPE_CHECKING:
    from churnsim.results import Result
    from churnsim.scenario import Scenario

DEFAULT_SEEDS = "30"
ENGINES = ("compiled", "agents")
"""Those of `churnsim.running`, which is too heavy to be imported for a name."""

CASE = "case"
"""The arm that is the scenario itself."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "run")(run)


def run(
    session: Session,
    scenario: Annotated[
        str | None, typer.Argument(metavar="SCENARIO", help=helped("scenario"), show_default=False)
    ] = None,
    arm: Annotated[list[str] | None, typer.Option("--arm", metavar="ARM", help=helped("arm"))] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", metavar="N|A-B", help=helped("seeds"))] = None,
    customers: Annotated[int | None, typer.Option("--customers", metavar="N", min=1, help=helped("customers"))] = None,
    horizon: Annotated[int | None, typer.Option("--horizon", metavar="TICKS", min=1, help=helped("horizon"))] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help=helped("set"))] = None,
    moves: Annotated[list[str] | None, typer.Option("--move", metavar="TEXT", help=helped("move"))] = None,
    engine: Annotated[str, typer.Option("--engine", metavar="|".join(ENGINES), help=helped("engine"))] = "compiled",
    threads: Annotated[int, typer.Option("--threads", metavar="K", min=1, help=helped("threads"))] = 1,
    jobs: Annotated[int | None, typer.Option("--jobs", metavar="K", min=1, help=helped("jobs"))] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help=helped("out"))] = None,
    source: Annotated[Path | None, typer.Option("--from", metavar="RESULT", help=helped("from"))] = None,
    no_plots: Annotated[bool, typer.Option("--no-plots", help=helped("no_plots"))] = False,
) -> None:
    """Run a scenario, or repeat a saved result."""
    # What runs and draws is imported when everything that was typed is known to make sense: it takes seconds.
    import churnsim as cs
    from churnsim.cli import options

    if engine not in ENGINES:
        raise BadInputError(session.say("options.engine", written=engine, engines=", ".join(ENGINES)))
    saved = typed = None
    if scenario is not None and source is None:
        base = options.with_changes(
            session,
            cs.load(scenario, lang=session.lang),
            customers=customers,
            horizon=horizon,
            settings=settings or (),
            moves=moves or (),
        )
        typed = options.typed(
            scenario, customers=customers, horizon=horizon, settings=settings or (), moves=moves or ()
        )
        plans = [base.arm(name) for name in _arms(session, base, arm or ())]
        numbers = options.read_seeds(session, DEFAULT_SEEDS if seeds is None else seeds)
    elif source is not None and scenario is None:
        if arm or seeds is not None or customers or horizon or settings or moves:
            raise BadInputError(session.say("run.from_alone"))
        saved = _opened(session, source)
        plans, numbers = list(saved.scenarios.values()), list(saved.seeds)
    else:
        raise BadInputError(session.say("run.scenario_or_result"))
    from churnsim.cli import summary
    from churnsim.cli.progress import shown

    # A repeated result is already there; it is written again only where asked for.
    target = out or source or Path("results") / summary.folder_name(plans, numbers)
    if target != source:
        _check_target(session, target)
    if not session.quiet:
        session.print(summary.heading(session, plans, numbers), style="bold")
    if (settings or moves) and len(plans) > 1:
        # Whoever asks what if means the case; the arms that it is compared with are changed as well.
        session.note(session.say("run.all_changed", arms=", ".join(plan.name for plan in plans)))
    with shown(session, scenarios=plans) as report:
        result = cs.run(plans, numbers, jobs=jobs, engine=engine, threads=threads, progress=report)
    # Saved before anything is printed: whoever reads may leave early. What cannot be saved is at least shown.
    failure = None if target == source else _saved(session, result, target, figures=not no_plots)
    if not session.quiet:
        summary.print_comparison(session, result, scenario)
    if failure is not None:
        raise failure
    same = None if saved is None else summary.print_repeated(session, saved, result)
    summary.print_endings(session, target, typed if plans[0].claims else None, written=target != source)
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


def _check_target(session: Session, folder: Path) -> None:
    """Refuse, before anything is run, a folder that the result could not be written to."""
    from churnsim.storage import ResultFolderError, read_run

    try:
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            read_run(folder)
        # The result is made beside its folder and takes its place in one step.
        problem = why_not_writable(folder.resolve().parent)
    except ResultFolderError:
        raise BadInputError(session.say("run.out_taken", folder=folder)) from None
    except OSError as error:
        problem = reason(error)
    if problem is not None:
        raise BadInputError(session.say("run.out_not_writable", folder=folder, reason=problem))


def _saved(session: Session, result: Result, folder: Path, *, figures: bool) -> FailedError | None:
    """Write the tables, then the figures beside them; return what went wrong outside the program."""
    from churnsim.storage import ResultFolderError

    key = "run.not_saved"
    try:
        result.save(folder)
        key = "run.figures_not_saved"
        # An earlier result in this folder leaves its figures behind.
        shutil.rmtree(folder / "figures", ignore_errors=True)
        if figures:
            result.figures(folder / "figures", lang=session.lang)
    except (OSError, ResultFolderError) as error:
        path = getattr(error, "filename", None) or folder
        return FailedError(session.say(key, folder=folder, path=path, reason=reason(error)))
    return None

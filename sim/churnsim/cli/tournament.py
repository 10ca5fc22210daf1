"""``churnsim tournament``: let strategies play each other, and say what is in equilibrium and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.cli.session import PARTLY_FAILED, Session, command, helped
from churnsim.cli.study_options import (
    Dask,
    DaskLocal,
    Jobs,
    Out,
    Plot,
    Timeout,
    WithoutRuns,
    analysing,
    at_work,
    check_folders,
    noticed,
    one_way,
    print_causes,
    print_files,
    save_figures,
    saving,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from churnsim.studies.played import Played
    from churnsim.studies.tournament import Tournament

ANSWER = "tournament.json"
TABLE = "payoffs.csv"


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "tournament")(tournament)


def tournament(
    session: Session,
    study: Annotated[str, typer.Argument(metavar="STUDY", help=helped("tournament_study"), show_default=False)],
    out: Out = None,
    jobs: Jobs = None,
    dask: Dask = None,
    dask_local: DaskLocal = None,
    timeout: Timeout = None,
    dry_run: WithoutRuns = False,
    plot: Plot = None,
) -> None:
    """Play a tournament and show the game."""
    from churnsim.cli import game_answers
    from churnsim.cli.progress import shown
    from churnsim.studies.reading import read_record
    from churnsim.studies.sweeping import default_folder
    from churnsim.studies.tournament import Tournament, left_to_run, play

    where = one_way(session, jobs, dask, dask_local)
    asked = read_record(study, Tournament, session.lang)
    folder = out or default_folder(asked.study)
    check_folders(session, folder, plot)
    with at_work(session, folder), analysing(session):
        missing = left_to_run(asked, folder)
        if not session.quiet:
            game_answers.print_plan(session, asked, missing)
        if dry_run:
            if session.json:
                session.emit({"study": asked.name, "runs": asked.runs, "missing": missing, "out": str(folder)})
            return
        with shown(session) as report:
            games = play(asked, folder, jobs, report, dask=where, timeout=timeout, notice=noticed(session))
    answer = as_json(asked, games)
    with saving(session, folder):
        files = _saved(answer, games, folder)
    figures = [] if plot is None else save_figures(session, plot, _drawn(session, asked, games))
    if not session.quiet:
        game_answers.print_games(session, asked, games)
    failures = next((game.losses.failures for game in games if game.losses is not None), None)
    if failures is not None:
        print_causes(session, failures)
    print_files(session, folder, files, plot, figures)
    if session.json:
        session.emit({**answer, "out": str(folder)})
    if failures is not None:
        raise typer.Exit(PARTLY_FAILED)


def as_json(asked: Tournament, games: list[Played]) -> dict[str, Any]:
    """Return the answer as plain data: the first game at the top, all of them under ``levels`` where something varies.

    Notes
    -----
    ``payoffs`` is nested by the players' strategies in the order of ``firms``; a cell holds mean and 95 % interval of
    the first firm's payoff, and those of every firm under ``firms``.
    """
    parts = [_game(game) for game in games]
    answer = {
        "study": asked.name, "firms": list(asked.players), "payoff": asked.payoff,
        "replications": asked.replications, "symmetric": games[0].symmetric, **parts[0],
    }  # fmt: skip
    if asked.vary:
        answer["vary"] = next(iter(asked.vary))
        answer["levels"] = [{"level": game.level, **part} for game, part in zip(games, parts, strict=True)]
    return answer


def _game(game: Played) -> dict[str, Any]:
    """Return one game as plain data."""
    names = game.labels

    def mixes(supports: Any, profile: Any) -> dict[str, Any]:
        return {
            firm: {names[k]: None if profile is None else float(profile[i][k]) for k in support}
            for i, (firm, support) in enumerate(zip(game.players, supports, strict=True))
        }

    equilibria = []
    for one in game.equilibria:
        assert one.equilibrium is not None
        earned = game.earned(one.equilibrium.profile)
        better = game.better_for_all(one.equilibrium)
        equilibria.append({
            "pure": one.equilibrium.is_pure,
            "strategies": mixes(one.supports, one.equilibrium.profile),
            "payoffs": {f: _interval(e) for f, e in zip(game.players, earned, strict=True)},
            "probability": one.probability,
            "regret": {"mean": one.regret[0], "high": one.regret[1]},
            "exact": one.equilibrium.exact,
            "better_for_all": None if better is None else {
                "strategies": {f: names[k] for f, k in zip(game.players, better[0], strict=True)},
                "gains": {f: _interval(e) for f, e in zip(game.players, better[1], strict=True)},
            },
        })  # fmt: skip
    sure = game.certainty
    return {
        "strategies": list(names),
        "payoffs": _cells(game),
        "equilibria": equilibria,
        "elsewhere": [
            {"strategies": mixes(one.supports, None), "probability": one.probability}
            for one in sure.equilibria
            if one.equilibrium is None
        ],
        "dominated": [
            {"firm": game.players[d.player], "strategy": names[d.strategy], "round": d.round,
             "by": {names[k]: float(p) for k, p in enumerate(d.by) if p > 1e-9}}
            for d in game.dominated
        ],
        "weakly_dominated": [
            {"firm": game.players[d.player], "strategy": names[d.strategy], "round": d.round} for d in game.weakly
        ],
        "same": game.twins,
        "left_out": _left_out(game),
        "alpha_rank": {
            firm: {
                name: {"mass": mass[0][k], "low": mass[1][k], "high": mass[2][k], "first": ranks[k][0]}
                for k, name in enumerate(names)
            }
            for firm, mass, ranks in zip(game.players, sure.mass, sure.ranks, strict=True)
        },
        "replicate_next": [
            {"firm": game.players[d.player],
             "others": {f: names[k] for i, (f, k) in enumerate(zip(game.players, d.others, strict=True))
                        if i != d.player},
             "best": names[d.others[d.player]], "rival": names[d.rival],
             "difference": {"mean": d.gap[0], "low": d.gap[1], "high": d.gap[2]},
             "probability": d.probability, "replications": d.needed}
            for d in game.doubts
        ],
    }  # fmt: skip


def _left_out(game: Played) -> dict[str, Any]:
    """Return what failed runs have taken from a game, as plain data."""
    if game.losses is None:
        return {"strategies": [], "replications": 0}
    return {"strategies": list(game.losses.strategies), "replications": game.losses.replications}


def _interval(told: Any) -> dict[str, float]:
    """Return an interval as plain data."""
    return {"mean": told.value, "low": told.low, "high": told.high}


def _cells(game: Played, cell: tuple[int, ...] = ()) -> Any:
    """Return the payoffs, nested by the players' strategies."""
    if len(cell) < len(game.players):
        return [_cells(game, (*cell, k)) for k in range(len(game.labels))]
    firms = {firm: _interval(game.payoff(i, cell)) for i, firm in enumerate(game.players)}
    return {**firms[game.players[0]], "firms": firms}


def _saved(answer: dict[str, Any], games: list[Played], folder: Path) -> list[str]:
    """Write the answer and the table of payoffs beside the runs."""
    import pandas as pd

    from churnsim.studies.plain import write_json

    write_json(answer, folder / ANSWER)
    pd.concat([game.frame() for game in games], ignore_index=True).to_csv(folder / TABLE, index=False)
    return [ANSWER, TABLE]


def _drawn(session: Session, asked: Tournament, games: list[Played]) -> dict[str, Axes]:
    """Draw what the games look like; return the figures by name."""
    from churnsim.cli.game_answers import names_of
    from churnsim.plots import games as pictures
    from churnsim.studies.labels import label_of
    from churnsim.studies.played import path

    told: dict[str, Any] = {"lang": session.lang, "names": names_of(asked, session.lang)}
    axes = {}
    for place, game in enumerate(games):
        ending = "" if len(games) == 1 else f"_{place + 1}"
        for player in game.players[:1] if game.symmetric else game.players:
            whose = "" if game.symmetric else f"_{player}"
            if len(game.players) == 2:
                axes[f"payoffs{whose}{ending}"] = pictures.payoffs(
                    game.frame(), player, marks=game.pure_cells, measure=asked.payoff, about=asked.about, **told
                )
            axes[f"replicator{whose}{ending}"] = pictures.replicator(
                game.trajectories(), player, about=asked.about, **told
            )
    if len(games) > 1:
        axes["equilibria"] = pictures.equilibrium_path(
            path(games), label_of(asked.market, next(iter(asked.vary)), session.lang), runs=asked.replications, **told
        )
    return axes

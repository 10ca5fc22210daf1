"""``churnsim tournament``: let strategies play each other, and say what is in equilibrium and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.cli.folders import reason, why_not_writable
from churnsim.cli.session import INTERRUPTED, BadInputError, FailedError, Session, command, helped

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
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help=helped("tournament_out"))] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help=helped("jobs"))] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=helped("study_dry_run"))] = False,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="DIR", help=helped("plot"))] = None,
) -> None:
    """Play a tournament and show the game."""
    from churnsim.cli import game_answers
    from churnsim.cli.progress import shown
    from churnsim.running import RunError
    from churnsim.studies.errors import StoreError
    from churnsim.studies.tournament import Tournament, left_to_run, play
    from churnsim.studies.yaml_records import read_record

    asked = read_record(study, Tournament, session.lang)
    folder = out or Path("results") / asked.name
    for place in (folder, *([plot] if plot else [])):
        problem = why_not_writable(place)
        if problem is not None:
            raise BadInputError(session.say("run.out_not_writable", folder=place, reason=problem))
    try:
        missing = left_to_run(asked, folder)
        if not session.quiet:
            game_answers.print_plan(session, asked, missing)
        if dry_run:
            if session.json:
                session.emit({"study": asked.name, "runs": asked.runs, "missing": missing})
            return
        with shown(session) as report:
            games = play(asked, folder, jobs, report)
    except StoreError as error:
        kind = FailedError if error.code == "not_remembered" else BadInputError
        raise kind(error.told(session.lang)) from None
    except KeyboardInterrupt:
        session.note("\n" + session.say("tournament.stopped", folder=folder))
        raise typer.Exit(INTERRUPTED) from None
    except RunError as error:
        raise FailedError(str(error)) from None
    answer = as_json(asked, games)
    try:
        files = _saved(answer, games, folder)
        figures = [] if plot is None else _drawn(session, asked, games, plot)
    except OSError as error:
        raise FailedError(session.say("run.not_saved", folder=folder, path=folder, reason=reason(error))) from None
    if not session.quiet:
        game_answers.print_games(session, asked, games)
        session.print(session.say("tournament.saved", folder=f"{folder}/", files=" ".join(files)))
        if figures:
            session.print(session.say("tournament.figures", folder=f"{plot}/", files=" ".join(figures)))
    if session.json:
        session.emit({**answer, "out": str(folder)})


def as_json(asked: Tournament, games: list[Played]) -> dict[str, Any]:
    """Return the answer as plain data: the first game at the top, all of them under ``levels`` where something varies.

    Notes
    -----
    ``payoffs`` is nested by the players' strategies in the order of ``firms``; a cell holds mean and 95 % interval of
    the first firm's payoff, and those of every firm under ``firms``.
    """
    parts = [_game(game) for game in games]
    answer = {
        "study": asked.name, "firms": list(asked.players), "strategies": list(asked.labels), "payoff": asked.payoff,
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


def _drawn(session: Session, asked: Tournament, games: list[Played], folder: Path) -> list[str]:
    """Draw what the games look like; return the files' names."""
    from churnsim.plots import games as pictures
    from churnsim.studies.labels import label_of
    from churnsim.studies.played import path

    about, lang = asked.about, session.lang
    axes = {}
    for place, game in enumerate(games):
        ending = "" if len(games) == 1 else f"_{place + 1}"
        for player in game.players[:1] if game.symmetric else game.players:
            whose = "" if game.symmetric else f"_{player}"
            if len(game.players) == 2:
                axes[f"payoffs{whose}{ending}"] = pictures.payoffs(
                    game.frame(), player, marks=game.pure_cells, measure=asked.payoff, lang=lang, about=about
                )
            axes[f"replicator{whose}{ending}"] = pictures.replicator(
                game.trajectories(), player, lang=lang, about=about
            )
    if len(games) > 1:
        axes["equilibria"] = pictures.equilibrium_path(
            path(games), label_of(asked.market, next(iter(asked.vary)), lang), runs=asked.replications, lang=lang
        )
    return written(axes, folder)


def written(axes: dict[str, Axes], folder: Path) -> list[str]:
    """Write figures as PNG; return the files' names."""
    from churnsim.plots import png
    from churnsim.plots.style import figure_of

    folder.mkdir(parents=True, exist_ok=True)
    for name, ax in axes.items():
        (folder / f"{name}.png").write_bytes(png(figure_of(ax)))
    return [f"{name}.png" for name in axes]

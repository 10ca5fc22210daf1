"""What ``churnsim tournament`` prints: the matrix, the equilibria and how sure they are, the answer in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from churnsim.i18n import has_text, money, money_digits, number, percent, text

if TYPE_CHECKING:
    from churnsim.cli.session import Session
    from churnsim.studies.game_sampling import Supported
    from churnsim.studies.played import Played
    from churnsim.studies.tournament import Tournament

SURE = 0.95
"""Share of resamples from which a conclusion goes without a question mark."""
MOST_WIDE = 12
"""Columns up to which a matrix is printed; a larger one is in the saved table."""
MOST_NEEDED = 1000
"""Replications beyond which two strategies count as practically equal."""
MOST_LISTED = 64
"""Combinations up to which games of three and four are listed."""


def names_of(asked: Tournament, lang: str) -> dict[str, str]:
    """Return how people call the strategies, by label: a label that is its strategy's own name is translated."""
    return {
        label: text(f"strategy.{label}", lang)
        if strategy.get("name") == label and has_text(f"strategy.{label}")
        else label
        for label, strategy in asked.strategies.items()
    }


def writer(asked: Tournament, games: list[Played], lang: str) -> Callable[[float], str]:
    """Return how payoffs are written: money in one unit, shares in per cent."""
    from churnsim.dealing_measures import PER_FIRM

    measure = PER_FIRM.get(asked.payoff.partition("@")[0])
    if measure is not None and measure.unit.startswith("currency"):
        most = max(float(abs(game.means).max()) for game in games)
        return lambda value: money(value, asked.market.currency, lang, like=most, digits=money_digits(most, lang))
    if measure is not None and measure.is_rate:
        return lambda value: percent(value, 1)
    return lambda value: number(value, 3)


def print_plan(session: Session, asked: Tournament, missing: int) -> None:
    """Say what is played and how much of it is to be run."""
    from churnsim.studies.tournament import interchangeable

    title = asked.title[session.lang] if asked.title else asked.name
    firms = " ⇄ ".join(firm_names(asked, session.lang))
    session.print(
        session.say("tournament.heading", name=title, players=firms, strategies=len(asked.labels),
                    payoff=asked.payoff, replications=asked.replications),
        style="bold",
    )  # fmt: skip
    same = interchangeable(asked.at(asked.levels[0]), asked.players)
    session.print(session.say("tournament.symmetric" if same else "tournament.asymmetric"))
    if asked.vary:
        session.print(session.say("tournament.level_plan", path=next(iter(asked.vary)), levels=len(asked.levels)))
    cells = asked.runs // asked.replications
    session.print(session.say("tournament.plan", cells=cells, runs=session.count("run", asked.runs), missing=missing))


def firm_names(asked: Tournament, lang: str) -> list[str]:
    """Return the players' display names."""
    return [asked.market.firms[firm].name[lang] for firm in asked.players]


def print_games(session: Session, asked: Tournament, games: list[Played]) -> None:
    """Print every game, and where something varies how the equilibrium moves."""
    write = writer(asked, games, session.lang)
    for game in games:
        session.print("")
        if asked.vary:
            session.print(session.say("tournament.level", path=next(iter(asked.vary)), level=game.level), style="bold")
        if game.losses is not None:
            names = names_of(asked, session.lang)
            gone = session.joined((names[label] for label in game.losses.strategies), "enumeration")
            if gone:
                session.print(session.say("tournament.left_out", list=gone), style="red")
            counts = {"n": game.losses.replications, "of": asked.replications}
            session.print(session.say("tournament.lost", **counts), style="red")
        if not asked.vary or session.verbose:
            _print_details(session, asked, game, write)
        _print_equilibria(session, asked, game, write)
        session.print("")
        said = [session.say("tournament.answer"), answer(session, asked, game, write)]
        session.print(session.joined(said, "colon"), style="bold")
    session.print("")


def _print_details(session: Session, asked: Tournament, game: Played, write: Callable[[float], str]) -> None:
    """Print the payoffs, what is dominated, and the ranks."""
    lang = session.lang
    names = names_of(asked, lang)
    if len(game.players) == 2 and len(game.labels) <= MOST_WIDE:
        _print_matrix(session, asked, game, write)
    elif len(game.labels) ** len(game.players) <= MOST_LISTED:
        _print_combinations(session, asked, game, write)
    said = _dominated(session, asked, game)
    if said:
        session.print(session.say("tournament.dominated", list=said))
    else:
        session.print(session.say("tournament.dominated_none"))
    strictly = {(d.player, d.strategy) for d in game.dominated}
    weakly = [names[game.labels[d.strategy]] for d in game.weakly if (d.player, d.strategy) not in strictly]
    if weakly:
        session.print(session.say("tournament.weakly", list=session.joined(dict.fromkeys(weakly), "enumeration")))
    if game.twins:
        pairs = (session.say("tournament.twin", one=names[a], other=names[b]) for a, b in game.twins.items())
        session.print(session.say("tournament.twins", list=session.joined(pairs, "enumeration")))
    for player, firm in enumerate(firm_names(asked, lang)):
        mass = game.certainty.mass[player]
        order = sorted(range(len(game.labels)), key=lambda k, mass=mass: -mass[0][k])  # type: ignore[misc]
        told = session.joined(
            session.say("tournament.rank_one", strategy=names[game.labels[k]],
                        **{word: percent(mass[row][k]) for row, word in enumerate(("mass", "low", "high"))})
            for k in order if mass[2][k] >= 0.005
        )  # fmt: skip
        said = session.say("tournament.rank", list=told)
        session.print(said if game.symmetric else session.joined([firm, said], "colon"))
        if game.symmetric:
            break


def _print_matrix(session: Session, asked: Tournament, game: Played, write: Callable[[float], str]) -> None:
    """Print the payoffs of a game of two as a table."""
    from rich.table import Table

    lang = session.lang
    names = names_of(asked, lang)
    row, column = firm_names(asked, lang)
    key = "tournament.matrix" if game.symmetric else "tournament.matrix_both"
    session.print(session.say(key, player=row, rival=column))
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for k in range(len(game.labels)):
        table.add_column(f"({k + 1})", justify="right", no_wrap=True)
    widest = 0.0
    for i, own in enumerate(game.labels):
        cells = []
        for j in range(len(game.labels)):
            told = [game.payoff(player, (i, j)) for player in (0, 1)]
            widest = max(widest, *(one.half_width for one in told))
            marks = [_mark(game, player, (i, j)) for player in (0, 1)]
            shown = [f"{write(one.value)}{mark}" for one, mark in zip(told, marks, strict=True)]
            cells.append(shown[0] if game.symmetric else " / ".join(shown))
        table.add_row(f"({i + 1}) {names[own]}", *cells)
    session.print(table)
    session.print(session.say("tournament.matrix_half", half=write(widest)), style="dim")


def _mark(game: Played, player: int, cell: tuple[int, ...]) -> str:
    """Return the mark of a best reply."""
    chance = float(game.certainty.best[(player, *cell)])
    if game.means[(player, *cell)] < game.means[player].max(axis=player)[cell[:player] + cell[player + 1 :]]:
        return "\N{NO-BREAK SPACE}"
    return "*" if chance >= SURE else "?"


def _print_combinations(session: Session, asked: Tournament, game: Played, write: Callable[[float], str]) -> None:
    """Print the payoffs of a game of three or four, one line per combination."""
    import numpy as np
    from rich.table import Table

    names = names_of(asked, session.lang)
    session.print(session.say("tournament.combinations"))
    table = Table(box=None, pad_edge=False, header_style="dim")
    for firm in firm_names(asked, session.lang):
        table.add_column(firm)
    for _ in game.players:
        table.add_column("", justify="right", no_wrap=True)
    for cell in np.ndindex(*game.means.shape[1:]):
        earned = [f"{write(game.payoff(i, cell).value)}{_mark(game, i, cell)}" for i in range(len(game.players))]
        table.add_row(*(names[game.labels[k]] for k in cell), *earned)
    session.print(table)


def _dominated(session: Session, asked: Tournament, game: Played) -> str:
    """Return what is strictly dominated; of a symmetric game each strategy once."""
    names, firms = names_of(asked, session.lang), firm_names(asked, session.lang)
    said = []
    for d in game.dominated:
        by = " + ".join(names[game.labels[k]] for k, p in enumerate(d.by) if p > 1e-9)
        strategy = names[game.labels[d.strategy]]
        if game.symmetric:
            said.append(session.say("tournament.dominated_both", strategy=strategy, by=by))
        else:
            said.append(session.say("tournament.dominated_one", firm=firms[d.player], strategy=strategy, by=by))
    return session.joined(dict.fromkeys(said), "semicolon")


def profile_text(asked: Tournament, game: Played, supports: Any, profile: Any, lang: str) -> str:
    """Return who plays what, with probabilities where somebody mixes."""
    names = names_of(asked, lang)
    parts = []
    for i, firm in enumerate(firm_names(asked, lang)):
        mix = [
            names[game.labels[k]]
            if len(supports[i]) == 1 or profile is None
            else f"{percent(profile[i][k])} {names[game.labels[k]]}"
            for k in supports[i]
        ]
        parts.append(text("cli.colon", lang).join([firm, " + ".join(mix)]))
    return ("；" if lang == "zh" else ", ").join(parts)


def _print_equilibria(session: Session, asked: Tournament, game: Played, write: Callable[[float], str]) -> None:
    """Print the equilibria, what they pay, and how they stand up to resampling."""
    lang = session.lang
    session.print(session.say("tournament.equilibria"), style="bold")
    if not game.equilibria:
        session.print("  " + session.say("tournament.none"))
    for one in game.equilibria:
        assert one.equilibrium is not None
        told = profile_text(asked, game, one.supports, one.equilibrium.profile, lang)
        session.print(f"  {told} · {_support(session, one)}")
        earned = zip(firm_names(asked, lang), game.earned(one.equilibrium.profile), strict=True)
        lines = [
            session.say("tournament.earns", firm=firm, value=write(e.value), low=write(e.low), high=write(e.high))
            for firm, e in earned
        ]
        if one.regret[1] == one.regret[1]:
            lines.append(session.say("tournament.regret", mean=write(one.regret[0]), high=write(one.regret[1])))
        session.print("      " + session.joined(lines, "semicolon"), style="dim")
        dilemma = _dilemma(session, asked, game, one, write) if len(game.equilibria) > 1 else None
        if dilemma is not None:
            session.print(f"      {dilemma}", style="dim")
    others = [one for one in game.certainty.equilibria if one.equilibrium is None]
    if others:
        seldom = (
            session.say("tournament.rarely", share=percent(one.probability or 0),
                        profile=profile_text(asked, game, one.supports, None, lang))
            for one in others[:5]
        )  # fmt: skip
        session.print("  " + session.say("tournament.elsewhere", list=session.joined(seldom, "semicolon")))
    if game.is_degenerate:
        session.print("  " + session.say("tournament.degenerate"))
    if not game.is_exhaustive and game.attractors[1] > 0.01:
        session.print("  " + session.say("tournament.lost", share=percent(game.attractors[1])))
    _print_doubts(session, asked, game, write)


def _support(session: Session, one: Supported) -> str:
    """Return in how many resamples an equilibrium is one."""
    from churnsim.studies.game_sampling import SMALL

    if one.probability is None:
        return session.say("tournament.not_resampled", most=SMALL)
    return session.say("tournament.supported", share=percent(one.probability))


def _print_doubts(session: Session, asked: Tournament, game: Played, write: Callable[[float], str]) -> None:
    """Print which best replies more replications would settle."""
    names, firms = names_of(asked, session.lang), firm_names(asked, session.lang)
    told = []
    for d in game.doubts:
        if d.needed is None:
            continue
        others = session.joined(f"{firms[i]} {names[game.labels[k]]}" for i, k in enumerate(d.others) if i != d.player)
        told.append(
            session.say(
                "tournament.doubt" if d.needed <= MOST_NEEDED else "tournament.equal",
                firm=firms[d.player], others=others,
                best=names[game.labels[d.others[d.player]]], rival=names[game.labels[d.rival]],
                gap=write(d.gap[0]), low=write(d.gap[1]), high=write(d.gap[2]), needed=number(d.needed),
            )
        )  # fmt: skip
    if told:
        session.print("  " + session.say("tournament.doubts"))
        for line in told:
            session.print(f"    {line}", style="dim")


def answer(session: Session, asked: Tournament, game: Played, write: Callable[[float], str]) -> str:
    """Return the answer in one or two sentences."""
    lang = session.lang
    if not game.equilibria:
        return session.say("tournament.answer_none")
    best = game.equilibria[0]
    assert best.equilibrium is not None
    told = profile_text(asked, game, best.supports, best.equilibrium.profile, lang)
    share = percent(best.probability) if best.probability is not None else "?"
    if len(game.equilibria) > 1:
        said = session.say("tournament.answer_several", n=len(game.equilibria), profile=told, share=share)
    elif not best.equilibrium.is_pure:
        said = session.say("tournament.answer_mixed", profile=told)
    else:
        key = "answer_one" if (best.probability or 0) >= SURE else "answer_unsure"
        said = session.say(f"tournament.{key}", profile=told, share=share)
    dilemma = _dilemma(session, asked, game, best, write)
    between = "" if lang == "zh" else " "
    return f"{said}{between}{dilemma or session.say('tournament.no_dilemma')}"


def _dilemma(
    session: Session, asked: Tournament, game: Played, one: Supported, write: Callable[[float], str]
) -> str | None:
    """Return what would leave every firm better off than an equilibrium does, or None."""
    lang = session.lang
    assert one.equilibrium is not None
    better = game.better_for_all(one.equilibrium)
    if better is None:
        return None
    supports = tuple((k,) for k in better[0])
    firms = firm_names(asked, lang)
    gains = session.joined(f"{firm} +{write(e.value)}" for firm, e in zip(firms, better[1], strict=True))
    where = profile_text(asked, game, supports, None, lang)
    return session.say("tournament.dilemma", profile=where, gains=gains)

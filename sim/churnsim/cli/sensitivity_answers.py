"""What ``churnsim sensitivity`` prints for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.i18n import percent, text
from churnsim.studies.effects import Swings
from churnsim.studies.morris import MorrisEffects
from churnsim.studies.sobol import SobolIndices

if TYPE_CHECKING:
    from churnsim.cli.session import Session
    from churnsim.studies.indices import Sensitivity
    from churnsim.studies.screening import Screened


def print_sensitivity(session: Session, found: Sensitivity) -> None:
    """Print one outcome's table: how much is luck, what every factor does, and what to know besides."""
    from rich.table import Table

    answer = found.answer
    session.print("")
    session.print(
        session.say(
            f"sensitivity.heading.{found.method}", outcome=found.outcome, arm=found.arm,
            runs=session.count("run", answer.runs), confidence=percent(found.confidence),
        ),
        style="bold",
    )  # fmt: skip
    session.print(_noise_line(session, found))
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(session.say("sensitivity.factor"), no_wrap=True)
    for name in _columns(found):
        table.add_column(session.say(f"sensitivity.column.{name}"), justify="right")
    table.add_column("")
    for j in np.argsort(-found.importance, kind="stable"):
        mark = session.say("sensitivity.inert") if found.inert[j] else ""
        table.add_row(found.factors[j], *_cells(found, int(j)), mark, style="dim" if found.inert[j] else None)
    session.print(table)
    if isinstance(answer, SobolIndices) and answer.second is not None:
        _print_pairs(session, answer)
    for code, details in found.notes():
        session.print(session.say("sensitivity.note_line", note=_note(session, code, details)), style="dim")


def print_screening(session: Session, screened: Screened) -> None:
    """Say which factors a screening kept, and what it saved."""
    session.print("")
    key = "kept" if screened.kept else "kept_none"
    session.print(
        session.say(
            f"sensitivity.screening.{key}", kept=", ".join(screened.kept),
            n=len(screened.kept), of=len(screened.kept) + len(screened.left_out),
        ),
        style="bold",
    )  # fmt: skip
    if screened.left_out:
        session.print(session.say("sensitivity.screening.left_out", names=", ".join(screened.left_out)))
    runs = session.count("run", screened.runs)
    session.print(session.say("sensitivity.screening.cost", runs=runs, whole=session.count("run", screened.whole)))


def screening_json(screened: Screened) -> dict[str, Any]:
    """Return a screening as plain data."""
    return {
        "kept": list(screened.kept), "left_out": list(screened.left_out),
        "runs": screened.runs, "runs_without": screened.whole,
    }  # fmt: skip


def figures(value: float) -> str:
    """Write a number of any size with three figures."""
    from churnsim.cli.verify import plain

    if not np.isfinite(value):
        return "–"
    rounded = float(f"{value:.3g}")
    return plain(rounded) if rounded else "0"


def between(value: float, low: float, high: float, write: Any) -> str:
    """Write a value with its interval, ``0.31 [0.24, 0.38]``."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return write(value)
    return f"{write(value)} [{write(low)}, {write(high)}]"


def _index(value: float) -> str:
    """Write an index."""
    from churnsim.i18n import number

    return number(value, 3 if abs(value) < 0.0995 else 2)


def _noise_line(session: Session, found: Sensitivity) -> str:
    """Say how much of a single run's variance is luck."""
    if not np.isfinite(found.noise_share):
        return session.say("sensitivity.noise_unknown")
    said = percent(max(found.noise_share, 0.0))
    if isinstance(found.answer, SobolIndices):
        low, high = (percent(min(max(x, 0.0), 1.0)) for x in found.answer.noise[1:])
        said = f"{said} [{low}, {high}]"
    return session.say("sensitivity.noise", share=said)


def _columns(found: Sensitivity) -> tuple[str, ...]:
    """Return which columns a method's table has."""
    answer = found.answer
    if isinstance(answer, SobolIndices):
        return ("S1", "ST", "bounds") if answer.bounds is not None else ("S1", "ST")
    if isinstance(answer, MorrisEffects):
        return ("mu_star", "noise_floor", "mu", "sigma", "spread")
    return ("at_low", "at_high", "swing") if isinstance(answer, Swings) else tuple(answer.indices)


def _cells(found: Sensitivity, j: int) -> list[str]:
    """Return the cells of a factor's row."""
    answer = found.answer
    if isinstance(answer, SobolIndices):
        tables = (answer.first, answer.total)
        cells = [between(float(t["value"][j]), float(t["low"][j]), float(t["high"][j]), _index) for t in tables]
        if answer.bounds is not None:
            cells.append(f"[{', '.join(_index(float(x)) for x in answer.bounds['ST'][j])}]")
        return cells
    if isinstance(answer, MorrisEffects):
        star = between(float(answer.mu_star[j]), float(answer.mu_star_low[j]), float(answer.mu_star_high[j]), figures)
        return [star, *(figures(float(x[j])) for x in (answer.noise_floor, answer.mu, answer.sigma, answer.spread))]
    if isinstance(answer, Swings):
        ends = [
            f"{figures(float(at[j]))} ({_end(end)})"
            for at, end in zip((answer.at_low, answer.at_high), answer.ends[j], strict=True)
        ]
        return [*ends, between(float(answer.swing[j]), float(answer.low[j]), float(answer.high[j]), figures)]
    return [between(float(v[0, j]), float(v[1, j]), float(v[2, j]), _index) for v in answer.indices.values()]


def _end(value: Any) -> str:
    """Write what stands for an end of a factor."""
    return figures(float(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _print_pairs(session: Session, answer: SobolIndices) -> None:
    """Print the second-order indices that can be told from zero."""
    assert answer.second is not None
    value, low, high = (answer.second[k] for k in ("value", "low", "high"))
    pairs = [(i, j) for i, j in np.argwhere((low > 0) | (high < 0))]
    if not pairs:
        session.print(session.say("sensitivity.no_pairs"))
        return
    session.print(session.say("sensitivity.pairs"))
    for i, j in sorted(pairs, key=lambda pair: -abs(value[pair])):
        names = f"{answer.factors[i]} x {answer.factors[j]}"
        session.print(f"  {names}  {between(value[i, j], low[i, j], high[i, j], _index)}")


def _note(session: Session, code: str, details: dict[str, Any]) -> str:
    """Return a note with its shares and numbers written out."""
    shown = {
        key: percent(value) if key == "left" else _index(value) if isinstance(value, float) else value
        for key, value in details.items()
    }
    return text(f"sensitivity.note.{code}", session.lang, **shown)

"""A scenario in a notebook: three collapsible parts, with what was changed marked."""

from __future__ import annotations

from html import escape
from typing import Any

from churnsim.config.scenario import Move, ScenarioRecord
from churnsim.declarations import Declaration, walk


def scenario_html(scenario: ScenarioRecord, origin: ScenarioRecord | None = None) -> str:
    """Return a scenario as HTML without styles or scripts of its own.

    Parameters
    ----------
    scenario
        What to show.
    origin
        What it was made from; differing values are bold, with the old value struck through.
    """
    before = {path: value for path, value, _ in walk(origin)} if origin is not None else {}
    rows = [(path, value, about) for path, value, about in walk(scenario) if about is not None]
    firms = [_row(path, value, about, before) for path, value, about in rows if path.startswith("firms.")]
    customers = [_row(path, value, about, before) for path, value, about in rows if not path.startswith("firms.")]
    moves = [_move(move) for move in scenario.moves]
    return "".join(
        [
            f"<div><strong>{escape(scenario.title.en)}</strong> <code>{escape(repr(scenario))}</code>",
            _part("Firms", len(scenario.firms), firms),
            _part("Customers and mechanisms", len(customers), customers),
            _part("Moves", len(moves), moves),
            "</div>",
        ]
    )


def _part(title: str, count: int, rows: list[str]) -> str:
    """One collapsible table."""
    return f"<details><summary>{title} ({count})</summary><table><tbody>{''.join(rows)}</tbody></table></details>"


def _row(path: str, value: Any, about: Declaration, before: dict[str, Any]) -> str:
    """One parameter: path, value, unit, label."""
    shown = escape(_text(value))
    if before and before.get(path) != value:
        old = f" <s>{escape(_text(before[path]))}</s>" if path in before else ""
        shown = f"<strong>{shown}</strong>{old}"
    unit = "" if about.unit == "1" else escape(about.unit)
    cells = (f"<code>{escape(path)}</code>", shown, unit, escape(about.label["en"]))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _move(move: Move) -> str:
    """One move: tick, what changes, why."""
    changes = "<br>".join(
        f"<code>{escape(path)}</code> = {escape(_text(value))}" for path, value in move.changes.items()
    )
    note = escape(move.note.en) if move.note else ""
    return f"<tr><td>tick {move.tick}</td><td>{changes}</td><td>{note}</td></tr>"


def _text(value: Any) -> str:
    """Write a value in few characters."""
    return f"{value:g}" if isinstance(value, float) else str(value)

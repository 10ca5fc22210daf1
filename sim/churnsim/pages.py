"""Parts of pages that are made from the code: ``python -m churnsim.pages docs`` writes them anew.

A part stands between two comments, ``<!-- begin: name ... -->`` and ``<!-- end: name -->``; everything else on the page
is written by hand.
"""

from __future__ import annotations

import inspect
import itertools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def schedule() -> str:
    """Return the phases of a tick in the order in which the code runs them, with what each says of itself."""
    from churnsim.markets import PHASES, Markets

    rows = ["| | phase | what happens |", "|---|---|---|"]
    for place, name in enumerate(PHASES, start=1):
        about = inspect.getdoc(getattr(Markets, name))
        assert about is not None
        rows.append(f"| {place} | `{name}` | {about.splitlines()[0].rstrip('.')} |")
    return "\n".join(rows)


def state_variables() -> str:
    """Return the customers' state variables: name, type and what they are, as the code declares them."""
    from churnsim.engine import state
    from churnsim.engine.dealings import state as dealings

    rows = ["| variable | type | meaning |", "|---|---|---|"]
    for module, record in ((state, "Columns"), (dealings, "Dealings")):
        source = inspect.getsource(getattr(module, record))
        for name, note in re.findall(r"^    (\w+): np\.ndarray  # (.+)$", source, re.MULTILINE):
            kind, _, meaning = note.partition(",")
            # A shape such as (J, n) has a comma of its own.
            if "(" in kind and ")" not in kind:
                more, _, meaning = meaning.partition(")")
                kind, meaning = f"{kind},{more})", meaning.lstrip(",")
            rows.append(f"| `{name}` | {kind.strip()} | {_cell(meaning.strip())} |")
    return "\n".join(rows)


def streams() -> str:
    """Return the streams of the dealings beyond the stay, family by family, in the order in which they are numbered."""
    from churnsim.engine.dealings.state import FIRM_STREAMS, STREAMS, TRAIT_STREAMS
    from churnsim.randomness import Stream

    families = (
        (Stream.DEALINGS, STREAMS, "0"),
        (Stream.DEALINGS_OF_FIRM, FIRM_STREAMS, "code of the firm"),
        (Stream.DEALINGS_TRAIT, TRAIT_STREAMS, "0"),
    )
    rows = ["| Stream | Draw, in the order of the numbers | Part |", "|---|---|---|"]
    for first, names, part in families:
        drawn = ", ".join(name.replace("_", " ") for name in names)
        rows.append(f"| {int(first)}-{int(first) + len(names) - 1} | {drawn} | {part} |")
    return "\n".join(rows)


def parameters() -> str:
    """Return every parameter with its default, unit, bounds, plausible range and source, group by group."""
    return "\n\n".join(
        f"#### `{group}`\n\n| parameter | meaning | default | unit | bounds | plausible | source |\n"
        "|---|---|---|---|---|---|---|\n" + "\n".join(rows)
        for group, rows in _parameter_groups()
    )


def _parameter_groups() -> Iterator[tuple[str, list[str]]]:
    """Yield groups of parameters, each a row of a table; a firm's stand for every firm's."""
    from churnsim.config.firms import Firm, Text
    from churnsim.config.scenario import ScenarioRecord

    text = Text(en="", zh="")
    bare = ScenarioRecord(id="defaults", title=text, question=text, sources=(), firms={"FIRM": Firm(name=text)})
    for group, members in itertools.groupby(_declared(bare, ""), key=lambda item: _group(item[0])):
        rows = []
        for path, value, about in members:
            bounds = _range(about.low, about.high)
            plausible = _range(*about.plausible) if about.plausible else ""
            cells = (f"`{path}`", about.label["en"], _value(value), about.unit, bounds, plausible, about.source)
            rows.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
        yield group, rows


def _declared(record: Any, prefix: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, value and declaration of every parameter below a record; a distribution is one parameter."""
    from pydantic import BaseModel

    from churnsim.declarations import declaration

    for name, field in type(record).model_fields.items():
        value, about, path = getattr(record, name), declaration(field), f"{prefix}{name}"
        if about is not None and (not isinstance(value, BaseModel) or hasattr(value, "dist")):
            yield path, value, about
        elif isinstance(value, BaseModel):
            yield from _declared(value, f"{path}.")
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, BaseModel):
                    yield from _declared(item, f"{path}.{key}.")


def _group(path: str) -> str:
    """Return the group of parameters that a path belongs to."""
    parts = path.split(".")
    depth = {"customers": 2, "firms": 3}.get(parts[0], 1)
    return ".".join(parts[: min(depth, len(parts) - 1)]) or "the scenario itself"


def _value(value: Any) -> str:
    """Return a value as it is written in a scenario."""
    if hasattr(value, "dist"):
        numbers = [f"{name} {_value(number)}" for name, number in value if name != "dist"]
        return f"{value.dist}: {', '.join(numbers)}"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _range(low: float | None, high: float | None) -> str:
    """Return a range, open where it has no end."""
    if low is None and high is None:
        return ""
    return f"{'−∞' if low is None else f'{low:g}'} … {'∞' if high is None else f'{high:g}'}"


def _cell(text: str) -> str:
    """Return a text as a cell of a table."""
    return text.replace("|", "\\|") or "–"


def tables() -> str:
    """Return the tables of generated data, column by column."""
    from churnsim.ground_truth.tables import TABLES
    from churnsim.i18n import text

    parts = []
    for table in TABLES:
        rows = [f"### `{table.path}`", "", f"{text(f'ground_truth.table.{table.name}')}.", ""]
        rows += ["| column | type | unit | meaning |", "|---|---|---|---|"]
        seen = set()
        for column in table.columns:
            if column.family in seen:
                continue
            if column.family:
                seen.add(column.family)
            members = [other for other in table.columns if other.family == column.family] if column.family else [column]
            names = ", ".join(f"`{member.name}`" for member in members)
            kind = "string" if str(column.type).startswith("dictionary") else str(column.type)
            kind += " or missing" if column.missing else ""
            rows.append(f"| {names} | {kind} | {column.unit or '–'} | {_cell(text(column.text_key(table.name)))} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "model.md": {"schedule": schedule, "state": state_variables, "streams": streams, "parameters": parameters},
    "ground_truth.md": {"tables": tables},
}
"""What is made of the code, by page and name of the part."""


def renewed(page: str, name: str) -> str:
    """Return a page's text with its parts made anew.

    Raises
    ------
    ValueError
        If the page has no place for one of its parts.
    """
    for part, made in PARTS[name].items():
        found = re.search(rf"(<!-- begin: {part}\b[^>]*-->\n).*?(<!-- end: {part} -->)", page, re.DOTALL)
        if found is None:
            raise ValueError(f"{name} has no part '{part}'")
        page = f"{page[: found.start()]}{found[1]}{made()}\n{found[2]}{page[found.end() :]}"
    return page


def main() -> None:
    """Write the pages of a folder anew."""
    for name in PARTS:
        file = Path(sys.argv[1]) / name
        file.write_text(renewed(file.read_text(encoding="utf-8"), name), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

"""Runs that were done before: taken from other stores, and tried again before environments are mixed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from churnsim.config.errors import ScenarioError
from churnsim.studies.errors import StoreError
from churnsim.studies.keys import environment
from churnsim.studies.plan import Cell
from churnsim.studies.store import Store
from churnsim.studies.work import OK, Answer, Job, do, resolved
from churnsim.studies.writing import Writer

TRIED = 3
"""Stored runs of another environment that are done again before new ones are put beside them."""


Known = Mapping[bytes, tuple[bytes, float]]
"""Outcomes and seconds of finished runs, by key."""


def known_in(places: Iterable[str]) -> dict[bytes, tuple[bytes, float]]:
    """Return the finished runs of other stores; one of another version of the model has nothing with the same key."""
    known: dict[bytes, tuple[bytes, float]] = {}
    for place in places:
        with Store.open(Path(place).expanduser()) as store:
            for _, rows in store.rows():
                known |= {row[1]: (row[2], row[3]) for row in rows if row[0]}
    return known


def take_over(writer: Writer, job: Job, cells: Iterable[Cell], known: Known) -> int:
    """Take runs whose key is known already; return how many.

    Parameters
    ----------
    cells
        What is wanted.
    known
        What was run before, and elsewhere.
    """
    taken = 0
    for cell in cells:
        try:
            _, content = resolved(job, cell)
        except ScenarioError:
            continue
        answers = []
        for number, seed in cell.runs:
            key = job.key(content, seed, cell.source)
            if key in known:
                values, seconds = known[key]
                answers.append(Answer(number, OK, key, values, seconds))
        writer.add(answers)
        taken += len(answers)
    writer.commit()
    return taken


def try_again(writer: Writer, job: Job) -> None:
    """Do a few stored runs of every other environment again; raise StoreError where they give other numbers."""
    for number, details in writer.other_environments():
        rows = writer.connection.execute(
            "SELECT number, y FROM run WHERE ok AND environment = ? ORDER BY number LIMIT ?", (number, TRIED)
        ).fetchall()
        if not rows:
            continue
        wanted = np.zeros(len(writer.plan), bool)
        wanted[[row[0] for row in rows]] = True
        found = {answer.number: answer for some in do(job, list(writer.plan.work(wanted))) for answer in some}
        wrong = [row[0] for row in rows if found[row[0]].values != row[1]]
        if wrong:
            changed = ", ".join(_differences(json.loads(details), environment()))
            counts = {"number": len(wrong), "tried": len(rows)}
            raise StoreError("environment", folder=writer.folder, changed=changed or "?", **counts)
        writer.note(f"environment {number}: {len(rows)} runs gave the same numbers in environment {writer.environment}")


def _differences(then: dict[str, Any], now: dict[str, Any], above: str = "") -> list[str]:
    """Return what differs between two environments, in words."""
    found = []
    for name in sorted({*then, *now}):
        one, other = then.get(name), now.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            found += _differences(one, other, f"{name} ")
        elif one != other:
            found.append(f"{above}{name} {one} -> {other}")
    return found

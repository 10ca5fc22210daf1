"""Parts of a study that were run apart, put together: the store is the one that a single sweep would have written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from churnsim.studies.errors import StoreError
from churnsim.studies.plan import Plan
from churnsim.studies.store import Store
from churnsim.studies.work import OK, Answer
from churnsim.studies.writing import Writer


def merge(parts: Sequence[str | Path], out: str | Path) -> Store:
    """Put the runs of several stores of one study into one.

    Parameters
    ----------
    parts
        Folders of stores, as ``sweep(..., shard=(i, n))`` wrote them; they may overlap.
    out
        Folder of the whole; it may hold a part already.

    Raises
    ------
    StoreError
        If the parts are of different studies or versions of the model, or have different numbers for one run.
    """
    stores = [Store.open(part) for part in parts]
    for store in stores:
        if store.kind != Plan.kind:
            raise StoreError("merge_grows", folder=store.folder, kind=store.kind)
    first = max(stores, key=lambda store: store.study.replications.max)
    for store in stores:
        same = {name: store.meta[name] == first.meta[name] for name in ("id", "model")}
        if not all(same.values()):
            raise StoreError("merge_differs", folder=store.folder, id=store.meta["id"][:8], wanted=first.meta["id"][:8])
    plan = Plan(first.study, first.plan.points)
    modules = tuple(json.loads(first.meta["modules"]))
    writer = Writer(Path(out), plan, model=first.meta["model"], modules=modules, about=first.about)
    try:
        for store in stores:
            _copy(store, writer)
        sequential = first.study.replications.is_sequential
        writer.ask(int((writer.states != 0).sum()) if sequential else len(plan))
    finally:
        writer.close()
        for store in stores:
            store.close()
    return Store.open(out)


def _copy(store: Store, writer: Writer) -> None:
    """Copy a part's runs, each with the environment it was made in."""
    here = writer.environment
    environments = dict(store.connection.execute("SELECT id, details FROM environment"))
    causes = {
        number: texts
        for number, *texts in store.connection.execute(
            "SELECT failure.number, status, message, details FROM failure JOIN cause ON cause.id = failure.cause"
        )
    }
    for numbers, rows in store.rows():
        for number, (ok, key, values, seconds, attempts, environment) in zip(numbers.tolist(), rows, strict=True):
            if number >= len(writer.states) or (not ok and writer.states[number]):
                continue
            known = writer.stored(number)
            if ok and known is not None and known != values:
                raise StoreError("merge_conflict", number=number, folder=store.folder)
            if known is not None:
                continue
            status, message, details = (OK, "", "") if ok else causes.get(number, ("error", "", ""))
            writer.environment = writer.environment_of(environments[environment])
            writer.states[number] = 0  # a run that failed in another part is done here
            writer.add([Answer(number, status, key, values, seconds, message, details, attempts)])
        writer.commit()
    writer.environment = here

"""One run of a store, done again: to see what went wrong, or that nothing has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churnsim.studies.errors import StoreError
from churnsim.studies.sweeping import job_of
from churnsim.studies.work import OK, Answer, do

if TYPE_CHECKING:
    from churnsim.studies.store import Store


def repeat(store: Store, number: int) -> tuple[Answer, bool | None]:
    """Do one run again, in this process.

    Parameters
    ----------
    store
        Where it was run.
    number
        The run's number: the index of `Store.frame`.

    Returns
    -------
    answer : Answer
        How it ended now.
    same : bool or None
        Whether it gave the stored numbers, bit for bit; None where none are stored, or it failed.

    Raises
    ------
    StoreError
        If the plan has no such run.
    """
    plan = store.plan
    if not 0 <= number < len(plan):
        raise StoreError("no_run", number=number, last=len(plan) - 1)
    (answer,) = [answer for some in do(job_of(store.study), [plan.cell(number)]) for answer in some]
    row = store.connection.execute("SELECT ok, y FROM run WHERE number = ?", (number,)).fetchone()
    same = answer.values == row[1] if answer.status == OK and row is not None and row[0] else None
    return answer, same

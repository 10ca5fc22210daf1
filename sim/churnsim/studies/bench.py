"""Runs that are asked for lot after lot, as tournaments and searches do: in a store, by supervised workers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.studies.campaign import Campaign, Means, Notice, Progress, warned
from churnsim.studies.database import file_of
from churnsim.studies.errors import Interrupted
from churnsim.studies.growing import GrowingPlan, Task
from churnsim.studies.keys import model_hash
from churnsim.studies.sources import MAIN, modules_in, modules_of, refuse_main
from churnsim.studies.store import Store
from churnsim.studies.study import Study
from churnsim.studies.sweeping import job_of
from churnsim.studies.writing import Writer

if TYPE_CHECKING:
    import pandas as pd


class Bench:
    """A store that grows, and workers that do its runs; use it in a ``with`` block.

    Parameters
    ----------
    study
        Arms and outcomes of all runs.
    kind
        The command that asks: ``tournament`` or ``optimise``.
    content
        Plain data that names every strategy which setups may use besides those of the arms.
    out
        Folder of the store; None keeps nothing beyond the block.
    means
        With what runs are done.
    notice
        Called with what the user should know about an earlier store in the folder; by default a warning.

    Raises
    ------
    StoreError
        If the store belongs to another study, or somebody else is writing to it.
    """

    def __init__(
        self,
        study: Study,
        kind: str,
        content: Any = (),
        out: str | Path | None = None,
        means: Means = Means(),  # noqa: B008  a record that cannot change
        notice: Notice | None = None,
    ) -> None:
        self.study, self.kind, self.means = study, kind, means
        self.out = None if out is None else Path(out)
        self.notice = notice or warned
        self.modules = tuple(sorted({*modules_of(study), *modules_in(content)}))
        self._asked: list[int] = []
        self._stack = ExitStack()

    def __enter__(self) -> Bench:
        if not self.means.is_here:
            refuse_main(self.modules)
        from churnsim.provenance import provenance

        job = job_of(self.study)
        outside = [name for name in self.modules if name != MAIN]
        job = replace(job, common=job.model, model=model_hash(outside), modules=self.modules)
        with ExitStack() as stack:
            folder = self.out
            if folder is None:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="churnsim-")))
            self.folder, self.plan = folder, GrowingPlan(self.study, self.kind)
            self.writer = Writer(folder, self.plan, model=job.common or "", modules=self.modules, about=provenance())
            self.campaign = stack.enter_context(Campaign(self.writer, job, self.means))
            for code, details in self.writer.notices:
                self.notice(code, details)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    @property
    def made(self) -> int:
        """Runs that were really done."""
        return self.campaign.made

    def values(self, tasks: Sequence[Task], report: Progress) -> np.ndarray:
        """Return the outcomes of runs; does those that have not been done.

        Parameters
        ----------
        tasks
            The runs.
        report
            Called with the runs done and the runs in all, first with what was done before.

        Returns
        -------
        (runs, width) float64
            NaN where a run has failed: why is in `failures`.

        Raises
        ------
        Interrupted
            If it was asked to stop; everything that was finished is kept.
        StoreError
            If the disk is full, or the stored runs cannot be repeated here.
        """
        numbers = self.plan.ask(tasks)
        self._asked += numbers.tolist()
        self.writer.extend()
        wanted = np.zeros(len(self.plan), bool)
        wanted[numbers] = True
        self.writer.ask(len(self.plan))
        self.campaign.do(wanted, report)
        if self.campaign.is_stopped:
            raise Interrupted(self.folder)
        return self.writer.outcomes(numbers)

    def failures(self) -> pd.DataFrame:
        """Return one row per run that has been asked for here and has failed; see `Store.failures`."""
        self.writer.commit()
        with Store.open(self.folder) as store:
            frame = store.failures()
        return frame[frame.index.isin(self._asked)]


def left_of(study: Study, kind: str, tasks: Iterable[Task], out: Path) -> int:
    """Return how many of some runs a folder does not have yet; makes nothing."""
    tasks = {(setup.text, seed): (setup, seed) for setup, seed in tasks}.values()
    with _same_runs(study, kind, out) as store:
        if store is None:
            return len(tasks)
        plan, states = store.plan, store.states()
        assert isinstance(plan, GrowingPlan)
        return sum(number is None or not states[number] for number in plan.known(tasks))


def kept_of(study: Study, kind: str, out: Path) -> int:
    """Return how many runs of a study a folder has, whichever they are; makes nothing."""
    with _same_runs(study, kind, out) as store:
        return 0 if store is None else int(np.count_nonzero(store.states()))


@contextmanager
def _same_runs(study: Study, kind: str, out: Path) -> Iterator[Store | None]:
    """Open the store of a folder, if it holds runs of the same study by the same model; otherwise give None."""
    if not file_of(out).is_file():
        yield None
        return
    with Store.open(out) as store:
        same = {"id": study.key, "model": job_of(study).model, "kind": kind}
        yield None if any(store.meta.get(name) != value for name, value in same.items()) else store

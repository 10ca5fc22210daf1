"""Run scenarios over seeds, several at a time.

Small markets advance side by side in batches, so that a sweep spends its time in the kernels. The kernels
release Python's lock, so batches share one process: a thread per batch, no worker processes to
start, feed or lose. What comes back is the same for any number of jobs and threads, and in any batch.
"""

from __future__ import annotations

import operator
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from churnsim.compiling import cores
from churnsim.engine.compiled import Compiled
from churnsim.markets import Markets, alike
from churnsim.model import simulate
from churnsim.results import Result
from churnsim.scenario import Scenario

if TYPE_CHECKING:
    from churnsim.records import RunRecord

Progress = Callable[[int, int], None]
"""Called with (runs done, runs in all), first with 0 done."""

ENGINES = ("compiled", "agents")

BATCH_ROWS = 65_536
"""Customers of a batch, all its markets together: enough for the kernels to outweigh what lies between them."""

BATCH_MOST = 64
"""Markets of a batch: beyond that, what lies between the kernels weighs little."""

Task = tuple["Scenario", int]
"""A scenario and a seed."""


class RunError(RuntimeError):
    """A run failed; says which one, so that it can be repeated alone."""

    def __init__(self, scenario: str, seed: int, cause: BaseException) -> None:
        kind = type(cause).__name__
        reason = f"{kind}: {cause}" if str(cause) else kind
        super().__init__(f"the run of '{scenario}' with seed {seed} failed: {reason}")
        self.scenario = scenario
        self.seed = seed
        self.cause = cause
        self.__cause__ = cause


def run(
    scenarios: Scenario | Iterable[Scenario],
    seeds: Iterable[int],
    *,
    jobs: int | None = None,
    engine: str = "compiled",
    threads: int = 1,
    progress: bool | Progress | None = None,
    departures: bool = False,
) -> Result:
    """Run every scenario with every seed and gather the results.

    The same seed means the same customers with the same luck in every scenario, so
    differences between scenarios are due to the scenarios.

    Parameters
    ----------
    scenarios
        One scenario, or several with different names.
    seeds
        The seeds, such as ``range(50)``; different whole numbers, 0 or more.
    jobs
        Runs at a time; by default the machine's cores divided by `threads`.
    engine
        ``compiled`` (fast) or ``agents`` (the same rules in plain Python, one customer
        at a time). Both give the same numbers.
    threads
        Threads that share the customers of one run.
    progress
        True shows a bar, False shows nothing, a function is called with
        (done, total); None shows a bar in a terminal or notebook only.
    departures
        Whether to keep one row per departure (large).

    Returns
    -------
    Result
        Ordered by scenario and seed as given, whatever finished first.

    Raises
    ------
    RunError
        If a run fails; runs that have not begun are dropped.
    """
    plans = _scenarios(scenarios)
    numbers = _seeds(seeds)
    if engine not in ENGINES:
        raise ValueError(f"unknown engine '{engine}'; one of {', '.join(ENGINES)}")
    if threads < 1 or (jobs is not None and jobs < 1):
        raise ValueError("jobs and threads must be at least 1")
    jobs = jobs or max(1, cores() // threads)
    begun = time.perf_counter()
    tasks = [(plan, seed) for plan in plans for seed in numbers]
    alone = engine != "compiled" or threads > 1

    def work(batch: Sequence[Task]) -> list[RunRecord]:
        """Do the tasks of one batch."""
        if len(batch) > 1:
            scenarios, seeds = zip(*batch, strict=True)
            return Markets(scenarios, seeds, engine=Compiled(), departures=departures).run_to_horizon()
        plan, seed = batch[0]
        return [simulate(plan, seed, engine=engine, threads=threads, departures=departures)]

    batches = [[place] for place in range(len(tasks))] if alone else batches_of([plan for plan, _ in tasks], jobs)
    _say_what_is_slow([[tasks[place][0] for place in batch] for batch in batches])
    with reporter(progress) as report:
        records = _execute(tasks, batches, work, jobs, report)
    seconds = round(time.perf_counter() - begun, 3)
    return Result.from_records(plans, records, engine=engine, threads=threads, jobs=jobs, seconds=seconds)


def batches_of(scenarios: Sequence[Scenario], jobs: int) -> list[list[int]]:
    """Return the places of runs that share a batch.

    Parameters
    ----------
    scenarios
        The scenario of each run.
    jobs
        Batches at a time; runs are dealt out evenly, so that no job ends up idle.
    """
    kinds: dict[Any, list[int]] = {}
    for place, scenario in enumerate(scenarios):
        kinds.setdefault(alike(scenario), []).append(place)
    batches = []
    for places in kinds.values():
        rounds = -(-len(places) // (BATCH_MOST * jobs))
        most = -(-len(places) // (rounds * jobs))
        batch: list[int] = []
        rows = 0
        for place in places:
            size = scenarios[place].customers.count
            if batch and (rows + size > BATCH_ROWS or len(batch) == most):
                batches.append(batch)
                batch, rows = [], 0
            batch.append(place)
            rows += size
        batches.append(batch)
    return sorted(batches)


def _say_what_is_slow(batches: list[list[Scenario]]) -> None:
    """Warn of strategies that are asked market by market although their markets run in batches."""
    shared = [scenario for batch in batches if len(batch) > 1 for scenario in batch]
    strategies = [firm.strategy for scenario in shared for firm in scenario.firms.values()]
    for name in sorted({type(strategy).__name__ for strategy in strategies if not strategy.for_arrays}):
        warnings.warn(
            f"{name} is not written for arrays (Strategy.arrays), so it is asked market by market, which is slower",
            stacklevel=3,
        )


def _execute(
    tasks: Sequence[Task],
    batches: list[list[int]],
    work: Callable[[Sequence[Task]], list[RunRecord]],
    jobs: int,
    report: Progress,
) -> list[RunRecord]:
    """Do all tasks, `jobs` batches at a time; the order of the answers is that of the tasks."""
    report(0, len(tasks))
    answers: dict[int, RunRecord] = {}
    pool = ThreadPoolExecutor(max_workers=min(jobs, len(batches)), thread_name_prefix="churnsim")
    try:
        futures: dict[Future[list[RunRecord]], list[int]] = {
            pool.submit(work, [tasks[place] for place in batch]): batch for batch in batches
        }
        pending = set(futures)
        while pending:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in sorted(finished, key=futures.__getitem__):
                error = future.exception()
                if error is not None:
                    plan, seed = tasks[futures[future][getattr(error, "churnsim_market", 0)]]
                    raise RunError(plan.name, seed, error) from error
                answers.update(zip(futures[future], future.result(), strict=True))
            report(len(answers), len(tasks))
        return [answers[place] for place in range(len(tasks))]
    finally:
        # After an interrupt or a failure nothing new begins; the call does not wait for what is running.
        pool.shutdown(wait=False, cancel_futures=True)


def _scenarios(given: Scenario | Iterable[Scenario]) -> list[Scenario]:
    """Return the scenarios as a list of different names."""
    plans = [given] if isinstance(given, (Scenario, str, os.PathLike)) else list(given)
    if not plans:
        raise ValueError("no scenario to run")
    for plan in plans:
        if isinstance(plan, (str, os.PathLike)):
            raise TypeError(f"{os.fspath(plan)!r} is not a scenario; load it first: cs.load({os.fspath(plan)!r})")
        if not isinstance(plan, Scenario):
            raise TypeError(f"scenarios are Scenario objects, as load() returns them; got {plan!r}")
    names = [plan.name for plan in plans]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two scenarios are named '{name}'; give one another name with .named('...')")
    return plans


def _seeds(given: Iterable[int]) -> list[int]:
    """Return the seeds as a list of different whole numbers."""
    if isinstance(given, int):
        raise TypeError(f"seeds are several numbers: range({given}) means the seeds 0 to {given - 1}")
    numbers = [operator.index(seed) for seed in given]
    if not numbers:
        raise ValueError("no seed to run with")
    if len(set(numbers)) < len(numbers):
        raise ValueError("the seeds must differ from each other")
    if min(numbers) < 0 or max(numbers) >= 2**63:
        raise ValueError("a seed is a whole number from 0 to 2**63 - 1")
    return numbers


@contextmanager
def reporter(progress: bool | Progress | None) -> Iterator[Progress]:
    """Provide what to call with the progress: the given function, a bar, or nothing."""
    if callable(progress):
        yield progress
    elif progress or (progress is None and _interactive()):
        with progress_bar() as report:
            yield report
    else:
        yield lambda done, total: None


@contextmanager
def progress_bar(*, color: bool = True, label: str = "runs") -> Iterator[Progress]:
    """Show a bar on standard error (or in the notebook) while the block runs."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True, no_color=not color or None)
    columns = (MofNCompleteColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _interactive() -> bool:
    """Tell whether somebody is watching: a terminal, or a notebook."""
    from rich.console import Console

    console = Console(stderr=True)
    return console.is_terminal or console.is_jupyter

"""Run scenarios over seeds, several at a time.

The kernels release Python's lock, so runs share one process: a thread per run, no
worker processes to start, feed or lose. What comes back is the same for any number
of jobs and threads.
"""

from __future__ import annotations

import operator
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING

from churnsim.model import simulate
from churnsim.results import Result
from churnsim.scenario import Scenario

if TYPE_CHECKING:
    from churnsim.records import RunRecord

Progress = Callable[[int, int], None]
"""Called with (runs done, runs in all), first with 0 done."""

ENGINES = ("compiled", "agents")


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
    with _reporter(progress) as report:
        records = _execute(
            [(plan, seed) for plan in plans for seed in numbers],
            lambda plan, seed: simulate(plan, seed, engine=engine, threads=threads, departures=departures),
            jobs,
            report,
        )
    seconds = round(time.perf_counter() - begun, 3)
    return Result.from_records(plans, records, engine=engine, threads=threads, jobs=jobs, seconds=seconds)


def _execute(
    tasks: Sequence[tuple[Scenario, int]],
    work: Callable[[Scenario, int], RunRecord],
    jobs: int,
    report: Progress,
) -> list[RunRecord]:
    """Do all tasks with `jobs` threads; the order of the answers is that of the tasks."""
    report(0, len(tasks))
    pool = ThreadPoolExecutor(max_workers=min(jobs, len(tasks)), thread_name_prefix="churnsim")
    try:
        futures: dict[Future[RunRecord], int] = {pool.submit(work, *task): i for i, task in enumerate(tasks)}
        pending = set(futures)
        while pending:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in sorted(finished, key=futures.__getitem__):
                error = future.exception()
                if error is not None:
                    plan, seed = tasks[futures[future]]
                    raise RunError(plan.name, seed, error) from error
            report(len(tasks) - len(pending), len(tasks))
        return [future.result() for future in futures]
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


def cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _reporter(progress: bool | Progress | None) -> Iterator[Progress]:
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

"""A sweep of many small runs against its peers: Mesa's `batch_run`, a joblib loop, and the bare kernels."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from statistics import mean
from typing import Any

import mesa

import churnsim
from benchmarks.sizes import Sizes, hotels
from benchmarks.timing import Pair, seconds
from churnsim.engine.compiled import Compiled
from churnsim.markets import Markets
from churnsim.model import ChurnModel, simulate

BATCH = 64
"""Markets that the kernels alone are measured in; with 1 000 customers each, about what a sweep takes at a time."""


class Bounded(ChurnModel):
    """The model as `batch_run` needs it: it ends at its horizon, and reports how long its ticks took."""

    def __init__(self, config: Any, number: int, engine: str, rng: Any = None) -> None:
        # Some versions of Mesa pass a seed of their own as rng; the runs compared here have ours.
        super().__init__(config, rng=number, engine=engine)
        self.seconds = 0.0
        self.datacollector = mesa.DataCollector(model_reporters={"seconds": "seconds"})
        self.datacollector.collect(self)

    def step(self) -> None:
        """Advance one tick."""
        start = time.perf_counter()
        self.step_once()
        self.seconds += time.perf_counter() - start
        self.datacollector.collect(self)
        self.running = self.tick < self.horizon


def batch_run(scenario: Any, runs: int, engine: str, processes: int) -> list[dict[str, Any]]:
    """Run a scenario with Mesa's `batch_run`, one run per seed."""
    # A scenario could be taken for a list of parameters, so it comes in a list of its own.
    parameters = {"config": [scenario], "number": list(range(runs)), "engine": [engine]}
    return mesa.batch_run(Bounded, parameters, number_processes=processes, display_progress=False)


class Clocked:
    """An engine that adds up how long its phases take."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        phase = getattr(self.engine, name)
        if not callable(phase):
            return phase

        def clocked(*arguments: Any) -> Any:
            start = time.perf_counter()
            try:
                return phase(*arguments)
            finally:
                self.seconds += time.perf_counter() - start

        return clocked


def kernel_seconds(scenario: Any, runs: int) -> float:
    """Return how long the customers' phases of some runs take, in batches of a sweep's size."""
    clock = Clocked(Compiled())
    for first in range(0, runs, BATCH):
        seeds = range(runs)[first : first + BATCH]
        Markets([scenario] * len(seeds), seeds, engine=clock).run_to_horizon()
    return clock.seconds


def study_seconds(scenario: Any, runs: int, jobs: int) -> float:
    """Return how long a run of a study takes: worker processes and a store, from the first batch to the last commit.

    Where all runs come in one batch, the time that the processes take to start is in it.
    """
    study = churnsim.Study(name="bench", scenario=scenario, replications=4 * runs, outcomes=["share.eton"])
    seen: list[tuple[float, int]] = []

    def note(done: int, total: int) -> None:
        seen.append((time.perf_counter(), done))

    with tempfile.TemporaryDirectory() as folder:
        churnsim.sweep(study, folder, jobs, note).close()
    _, after = seen[-1]
    start, before = next(((at, done) for at, done in seen if 0 < done < after), seen[0])
    return (time.perf_counter() - start) / (after - before)


def sweep_pairs(sizes: Sizes, skipped: dict[str, str]) -> Iterator[Pair]:
    """Yield the peers of a sweep, in seconds per run; say in `skipped` which of them are not installed."""
    scenario = hotels(sizes.run_customers, burn_in=0, horizon=sizes.run_ticks)
    runs, jobs, every = sizes.runs, sizes.jobs, sizes.sweep_every

    def sweep(jobs: int = jobs) -> float:
        return seconds(lambda: churnsim.run(scenario, seeds=range(runs), jobs=jobs, progress=False)) / runs

    sweep()  # compiled code is loaded now
    if hasattr(mesa, "batch_run"):
        short = scenario.set({"horizon": sizes.peer_ticks})

        def agents() -> float:
            """One run per process, few ticks of it, scaled; starting processes and models is left out."""
            rows = batch_run(short, jobs, "agents", jobs)
            return mean(row["seconds"] for row in rows) / sizes.peer_ticks * sizes.run_ticks / jobs

        def compiled() -> float:
            return seconds(lambda: batch_run(scenario, runs, "compiled", jobs)) / runs

        yield Pair("batch_run_vs_sweep", agents, sweep, every)
        yield Pair("batch_run_compiled_vs_sweep", compiled, sweep, every)
    else:
        for name in ("batch_run_vs_sweep", "batch_run_compiled_vs_sweep"):
            skipped[name] = f"Mesa {mesa.__version__} has no batch_run"
    if find_spec("joblib"):
        from joblib import Parallel, delayed

        def loop(count: int) -> None:
            Parallel(n_jobs=jobs)(delayed(simulate)(scenario, seed) for seed in range(count))

        loop(2 * jobs)  # joblib keeps its workers, so they are started and warm now
        yield Pair("joblib_vs_sweep", lambda: seconds(lambda: loop(runs)) / runs, sweep, every)
    else:
        skipped["joblib_vs_sweep"] = "joblib is not installed: pip install -e '.[bench]'"
    yield Pair("study_vs_sweep", lambda: study_seconds(scenario, runs, jobs), sweep, every)
    yield Pair("batch_overhead", lambda: sweep(1), lambda: kernel_seconds(scenario, runs) / runs, every)

"""What a worker does: some cells of a plan, from their scenarios to their outcomes.

The same functions run in this process, in a pool's worker and on a cluster. They take and return plain data.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from churnsim.config.errors import ScenarioError
from churnsim.scenario import Scenario
from churnsim.studies.keys import run_key
from churnsim.studies.outcomes import Outcome
from churnsim.studies.plan import Cell
from churnsim.studies.study import digest
from churnsim.studies.watching import GlobalRandomnessError, global_randomness, independent, watched

OK, ERROR, INVALID, NOT_FINITE, RANDOM, MEMORY, CRASHED, TIMEOUT = (
    "ok", "error", "invalid", "not_finite", "random", "memory", "crashed", "timeout",
)  # fmt: skip
"""How a run may end: fine; an exception; a point that is no scenario; an outcome that is no number; use of the global
random state; out of memory; a worker that died; a run without end."""

ROWS_AT_ONCE, MARKETS_AT_ONCE = 65_536, 64
"""Customers and markets that advance side by side, as in `churnsim.running`."""

KEPT_SCENARIOS = 256
"""Scenarios that a worker remembers."""

TOLD_SECONDS = 0.2
"""Answers of a function are handed over at least so often."""

MOST_TEXT = 8_000
"""Characters of a message or traceback that are kept."""


class Answer(NamedTuple):
    """How one run ended.

    Attributes
    ----------
    number : int
        The run.
    status : str
        `OK` or why not.
    key : bytes
        The run's key; empty where it is not known.
    values : bytes
        Outcomes as float64, empty unless `status` is `OK`.
    seconds : float
        What the run took, or its part of what its batch took.
    message, details : str
        What went wrong, and where.
    attempts : int
        How often it was tried.
    environment : str
        Where it was done, as JSON, if that was not in this environment.
    """

    number: int
    status: str
    key: bytes = b""
    values: bytes = b""
    seconds: float = 0.0
    message: str = ""
    details: str = ""
    attempts: int = 1
    environment: str = ""


@dataclass
class Job:
    """Everything a worker needs to know of a study besides its cells.

    Attributes
    ----------
    arms : tuple of str
    bases : tuple of Scenario
        The scenario of each arm; empty for a function.
    outcomes : tuple of Outcome
    model : str
        `churnsim.studies.keys.model_hash` of everything that is run.
    function : str or None
    fixed : dict
        What a function gets besides its factors.
    modules : tuple of str
        Modules that define strategies, to be imported first.
    common : str or None
        `churnsim.studies.keys.model_hash` of what all runs have in common, where that is less: a run's key hashes this
        and the source of its own cell, so that a strategy that joins others leaves their runs what they are.
    """

    arms: tuple[str, ...]
    bases: tuple[Scenario, ...]
    outcomes: tuple[Outcome, ...]
    model: str
    function: str | None = None
    fixed: dict[str, Any] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    common: str | None = None

    def __post_init__(self) -> None:
        self.kept = json.dumps([[outcome.text.strip(), outcome.horizon, outcome.form] for outcome in self.outcomes])
        self._known: dict[str, Scenario] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the scenarios made so far."""
        return {**self.__dict__, "_known": {}}

    @property
    def width(self) -> int:
        """Numbers that are kept of every run."""
        return sum(outcome.width for outcome in self.outcomes)

    @property
    def side_by_side(self) -> int:
        """Runs that advance side by side: as many markets as fit a batch; a function is called once at a time."""
        if self.function is not None:
            return 1
        largest = max(base.customers.count for base in self.bases)
        return max(1, min(MARKETS_AT_ONCE, ROWS_AT_ONCE // largest))

    def scenario(self, cell: Cell) -> Scenario:
        """Return a cell's scenario; raise ScenarioError where there is none."""
        base = self.bases[cell.arm]
        if not cell.changes and not cell.moves:
            return base
        name = f"{cell.arm} {json.dumps([cell.changes, cell.moves], sort_keys=True, default=str)}"
        if name not in self._known:
            if len(self._known) >= KEPT_SCENARIOS:
                self._known.clear()
            self._known[name] = cell.made(base)
        return self._known[name]

    def key(self, content: str, seed: int, source: str) -> bytes:
        """Return a run's key, from the hash of its scenario, its seed, and the source of its cell."""
        return run_key(content, seed, self.kept, f"{self.common or self.model}{source}")


class Run(NamedTuple):
    """One run that is ready to go."""

    number: int
    seed: int
    key: bytes
    scenario: Any  # a Scenario, or a function's factors


Marker = Callable[[list[int]], None]
"""Called with the numbers of runs right before they begin."""


def do(job: Job, cells: Sequence[Cell], begin: Marker = lambda numbers: None) -> Iterator[list[Answer]]:
    """Do all runs of some cells, and yield how they ended, a few at a time.

    Never raises for what a run does: what goes wrong becomes an answer.
    """
    ready: list[Run] = []
    for cell in cells:
        numbers = [number for number, _ in cell.runs]
        if job.function is None:
            begin(numbers)  # a scenario's own checks may be what never ends
        try:
            scenario, content = resolved(job, cell)
        except ScenarioError as error:
            yield [Answer(number, INVALID, message=_short(str(error))) for number in numbers]
            continue
        except (Exception, SystemExit) as error:
            yield [_failed(number, b"", error) for number in numbers]
            continue
        ready += [Run(number, seed, job.key(content, seed, cell.source), scenario) for number, seed in cell.runs]
    if job.function is not None:
        yield from _call_all(job, ready, begin)
    else:
        yield from _simulate_all(job, ready, begin)


def resolved(job: Job, cell: Cell) -> tuple[Any, str]:
    """Return a cell's scenario, or a function's factors, and the hash of it."""
    if job.function is None:
        scenario = job.scenario(cell)
        return scenario, scenario.key
    factors = {**job.fixed, **cell.changes}
    return factors, digest([job.function, factors])


# ---------------------------------------------------------------------- scenarios


def _simulate_all(job: Job, runs: list[Run], begin: Marker) -> Iterator[list[Answer]]:
    """Advance markets side by side, as many as fit; find the culprit where a batch fails."""
    for batch in _batches(runs):
        begin([run.number for run in batch])
        yield _simulate(job, batch, begin)


def _batches(runs: list[Run]) -> Iterator[list[Run]]:
    """Put runs together that can share a batch."""
    from churnsim.markets import alike

    kinds: dict[Any, list[Run]] = {}
    for run in runs:
        kinds.setdefault(alike(run.scenario), []).append(run)
    for same in kinds.values():
        batch: list[Run] = []
        rows = 0
        for run in same:
            size = run.scenario.customers.count
            if batch and (rows + size > ROWS_AT_ONCE or len(batch) == MARKETS_AT_ONCE):
                yield batch
                batch, rows = [], 0
            batch.append(run)
            rows += size
        yield batch


def _simulate(job: Job, batch: list[Run], begin: Marker) -> list[Answer]:
    """Run a batch; if it fails, run its members one by one."""
    from churnsim.engine.compiled import Compiled
    from churnsim.markets import Markets

    def advance() -> list[Any]:
        markets = Markets([run.scenario for run in batch], [run.seed for run in batch], engine=Compiled())
        return markets.run_to_horizon()

    start = time.perf_counter()
    try:
        alone = partial(independent, advance, lambda records: _numbers_of(job, records[0]))
        records = alone() if len(batch) == 1 else watched(advance)
    except (Exception, SystemExit) as error:
        if len(batch) == 1:
            return [_failed(batch[0].number, batch[0].key, error, time.perf_counter() - start)]
    else:
        each = (time.perf_counter() - start) / len(batch)
        return [_kept(job, run, record, each) for run, record in zip(batch, records, strict=True)]
    answers = []
    for run in batch:
        begin([run.number])
        answers += _simulate(job, [run], begin)
    return answers


def _numbers_of(job: Job, record: Any) -> np.ndarray:
    """Return the outcomes of a record."""
    return np.concatenate([outcome.of(record) for outcome in job.outcomes])


def _kept(job: Job, run: Run, record: Any, seconds: float) -> Answer:
    """Take the outcomes from a record."""
    try:
        values = _numbers_of(job, record)
    except Exception as error:
        return _failed(run.number, run.key, error, seconds)
    return _checked(job, run, values, seconds)


def _checked(job: Job, run: Run, values: np.ndarray, seconds: float) -> Answer:
    """Refuse outcomes that are no numbers: they must not reach any estimate."""
    if not np.isfinite(values).all():
        place, missing = 0, []
        for outcome in job.outcomes:
            part = values[place : place + outcome.width]
            if not np.isfinite(part).all():
                missing.append(f"{outcome.name} = {part[~np.isfinite(part)][0]}")
            place += outcome.width
        return Answer(run.number, NOT_FINITE, run.key, b"", seconds, ", ".join(missing))
    return Answer(run.number, OK, run.key, values.astype(np.float64).tobytes(), seconds)


# ---------------------------------------------------------------------- functions


def _call_all(job: Job, runs: list[Run], begin: Marker) -> Iterator[list[Answer]]:
    """Call the function for every run, and watch the global random states over some runs at a time."""
    from churnsim.studies.functions import function_of

    function = function_of(str(job.function))
    while runs:
        answers: list[Answer] = []
        with global_randomness() as untouched:
            end = time.perf_counter() + TOLD_SECONDS
            for run in runs:
                begin([run.number])
                answers.append(_call(job, run, partial(function, dict(run.scenario), run.seed)))
                if time.perf_counter() > end:
                    break
        if not untouched():
            again = runs[: len(answers)]
            answers = []
            for run in again:
                begin([run.number])
                call = partial(function, dict(run.scenario), run.seed)
                answers.append(_call(job, run, partial(independent, call, partial(_numbers, job))))
        runs = runs[len(answers) :]
        yield answers


def _call(job: Job, run: Run, attempt: Callable[[], Any]) -> Answer:
    """Call the function once and return how that ended."""
    start = time.perf_counter()
    try:
        return _checked(job, run, _numbers(job, attempt()), time.perf_counter() - start)
    except (Exception, SystemExit) as error:
        return _failed(run.number, run.key, error, time.perf_counter() - start)


def _numbers(job: Job, given: Any) -> np.ndarray:
    """Return what a function answered as numbers, in the order of the outcomes."""
    if not isinstance(given, dict):
        raise TypeError(f"the function must return a dict of outcomes, not {type(given).__name__}")
    names = [outcome.name for outcome in job.outcomes]
    missing = [name for name in names if name not in given]
    if missing:
        raise ValueError(f"the function returned no {', '.join(missing)} (but {', '.join(map(str, given))})")
    values = []
    for name in names:
        if np.ndim(given[name]) != 0:
            raise TypeError(f"outcome {name} must be one number, not {type(given[name]).__name__}")
        values.append(float(given[name]))
    return np.array(values)


# ---------------------------------------------------------------------- what goes wrong


def _failed(number: int, key: bytes, error: BaseException, seconds: float = 0.0) -> Answer:
    """Put an exception into plain texts, whatever it is."""
    status = RANDOM if isinstance(error, GlobalRandomnessError) else ERROR
    if isinstance(error, MemoryError):
        status = MEMORY
    try:
        text = str(error)
        details = "".join(traceback.format_exception(error))
    except Exception:
        text = details = "(the error cannot be shown)"
    message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return Answer(number, status, key, b"", seconds, _short(message), _short(details))


def _short(text: str) -> str:
    """Cut a text to a bearable length, in the middle."""
    half = MOST_TEXT // 2
    return text if len(text) <= MOST_TEXT else f"{text[:half]}\n…\n{text[-half:]}"

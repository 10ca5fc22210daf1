"""Runs that visitors share: computed ahead once, streamed to everybody who asks for the same.

A run is known by the hash of everything that changes it. Runs that wait at the same moment advance together in one
batch, whose cost hardly grows with their number: that is what lets a whole class press the button at once. A run
that is alone leaves snapshots, and a later run that shares its past goes on from the latest of them. Batches take
turns: whoever asks for a small run while a large one is under way gets its first ticks at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from churnsim.markets import alike
from churnsim.web.asks import Ask, RefusalError
from churnsim.web.watching import Watched, as_line

if TYPE_CHECKING:
    from churnsim.scenario import Scenario
    from churnsim.web.limits import Limits

BATCH = 32
"""Runs of a batch at most."""

BATCH_ROWS = 131_072
"""Customers of a batch at most, all its markets together."""

ROWS_UNDER_WAY = 600_000
"""Customers of all batches that have begun and not ended: what takes turns stays in memory meanwhile."""

SNAPSHOT_EVERY = 16
"""Ticks from one snapshot to the next. Copying a market costs about what advancing it by two ticks does."""

TURN = 0.15
"""Seconds after which a batch lets others have their turn, where there are any."""

FAILED = {"k": "failed"}


class SharedRun:
    """One run, as far as it has come.

    Attributes
    ----------
    lines : list of bytes
        What has been computed: one line per tick from 0.
    done : bool
        Whether nothing will be added.
    readers : int
        Who has asked for the run and not gone away.
    """

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.lines: list[bytes] = []
        self.done = False
        self.readers = 0
        self.size = 0
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._lock = threading.Lock()

    def add(self, line: bytes, *, last: bool = False) -> None:
        """Add a line and wake whoever waits for it."""
        with self._lock:
            self.lines.append(line)
            self.size += len(line)
            self.done = self.done or last
            waiting = list(self._waiting)
        for loop, event in waiting:
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:  # the reader's loop has closed: nobody is waiting there any more
                continue

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the run's lines, those that are there and those to come."""
        event = asyncio.Event()
        waiter = (asyncio.get_running_loop(), event)
        with self._lock:
            self._waiting.add(waiter)
        at = 0
        try:
            while True:
                event.clear()
                done, lines = self.done, self.lines[at:]
                if lines:
                    at += len(lines)
                    yield b"".join(lines)
                elif done:
                    return
                else:
                    await event.wait()
        finally:
            with self._lock:
                self._waiting.discard(waiter)
                self.readers -= 1


@dataclass
class Batch:
    """Runs that advance together, and their markets once they have begun."""

    runs: list[SharedRun]
    markets: Watched | None = None

    @property
    def rows(self) -> int:
        """Customers of all its markets."""
        return sum(shared.ask.scenario.customers.count for shared in self.runs)


class Snapshots:
    """Markets as they stood, by everything that had happened to them."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: OrderedDict[tuple[str, int], tuple[Watched, int]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, past: str, markets: Watched) -> None:
        """Keep a copy of a single market; `past` says what had happened to it."""
        copy = markets.branched(markets.bases[0])
        size = sum(column.nbytes for column in (*copy.columns, *copy.dealings) if hasattr(column, "nbytes")) + 400_000
        with self._lock:
            self._kept[past, copy.tick] = (copy, size)
            while sum(size for _, size in self._kept.values()) > self._room:
                self._kept.popitem(last=False)

    def latest(self, pasts: dict[int, str]) -> Watched | None:
        """Return the latest snapshot whose tick and past are among `pasts`; not to be changed."""
        with self._lock:
            for tick in sorted(pasts, reverse=True):
                if (key := (pasts[tick], tick)) in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key][0]
        return None


def past_of(scenario: Scenario, seed: int, tick: int) -> str:
    """Return a hash of everything that can have mattered to a run up to a tick."""
    (past,) = pasts_of(scenario, seed, [tick]).values()
    return past


def pasts_of(scenario: Scenario, seed: int, ticks: list[int]) -> dict[int, str]:
    """Return that hash for several ticks."""
    kind = alike(scenario)  # what a later move switches on may need arrays from the start
    keys: dict[int, str] = {}
    found = {}
    for tick in ticks:
        moves = tuple(move for move in scenario.moves if move.tick <= tick)
        if len(moves) not in keys:
            keys[len(moves)] = scenario.model_copy(update={"moves": moves}).key
        about = (keys[len(moves)], seed, tick, kind)
        found[tick] = hashlib.blake2b(repr(about).encode(), digest_size=16).hexdigest()
    return found


class Pool:
    """The threads that compute, and the runs that they have computed.

    Parameters
    ----------
    limits
        How many threads there are and how much is kept.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.started = 0
        self.snapshots = Snapshots(limits.snapshots)
        self._runs: OrderedDict[str, SharedRun] = OrderedDict()
        self._queue: deque[SharedRun] = deque()
        self._begun: deque[Batch] = deque()
        self._under_way = self._rows = 0
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"churnsim-web-{n}", daemon=True) for n in range(limits.workers)
        ]
        for thread in self._threads:
            thread.start()

    def run(self, ask: Ask) -> SharedRun:
        """Return the run that is asked for, begun now if nobody has asked for it before."""
        with self._changed:
            shared = self._runs.get(ask.key)
            if shared is not None:
                self._runs.move_to_end(ask.key)
                shared.readers += 1
                return shared
            if len(self._queue) + self._under_way >= self.limits.waiting:
                raise RefusalError(429, "busy")
            shared = self._runs[ask.key] = SharedRun(ask)
            shared.readers = 1
            self.started += 1
            self._queue.append(shared)
            self._changed.notify()
            return shared

    def market_at(self, ask: Ask, tick: int) -> Watched:
        """Return a market of the caller's own as it stands at a tick: run on from a snapshot where one is kept."""
        ticks = list(range(0, tick + 1, SNAPSHOT_EVERY))
        snapshot = self.snapshots.latest(pasts_of(ask.scenario, ask.seed, ticks))
        market = Watched([ask.scenario], [ask.seed]) if snapshot is None else snapshot.branched(ask.scenario)
        while market.tick < tick:
            market.step_once()
        return market

    def close(self) -> None:
        """Let the threads end after the tick they are at."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # ------------------------------------------------------------------ in the threads

    def _work(self) -> None:
        """Give batches their turns until the pool closes."""
        while True:
            with self._changed:
                while (batch := self._next()) is None and not self._closed:
                    self._changed.wait()
                if self._closed or batch is None:
                    return
            over = True
            try:
                over = self._advance(batch)
            except Exception:
                self._fail(batch.runs)
            with self._changed:
                if over:
                    self._under_way -= len(batch.runs)
                    self._rows -= batch.rows
                    self._tidy()
                else:
                    self._begun.append(batch)
                self._changed.notify_all()

    def _next(self) -> Batch | None:
        """Return whose turn it is: a new batch, where there is room for it, else the one that has waited longest."""
        if self._queue:
            size = self._queue[0].ask.scenario.customers.count
            if not self._rows or self._rows + size <= ROWS_UNDER_WAY:
                batch = Batch(self._take())
                self._under_way += len(batch.runs)
                self._rows += batch.rows
                return batch
        return self._begun.popleft() if self._begun else None

    def _take(self) -> list[SharedRun]:
        """Take the next run off the queue, with those that can share its batch; leave other threads their part."""
        most = min(BATCH, -(-len(self._queue) // max(1, self.limits.workers)))
        first = self._queue.popleft()
        batch, rows = [first], first.ask.scenario.customers.count
        kind = alike(first.ask.scenario)
        left: deque[SharedRun] = deque()
        while self._queue:
            shared = self._queue.popleft()
            size = shared.ask.scenario.customers.count
            if len(batch) < most and rows + size <= BATCH_ROWS and alike(shared.ask.scenario) == kind:
                batch.append(shared)
                rows += size
            else:
                left.append(shared)
        self._queue.extend(left)
        self._changed.notify_all()
        return batch

    def _compute(self, runs: list[SharedRun]) -> None:
        """Run a batch to its horizon."""
        batch = Batch(runs)
        while not self._advance(batch):
            continue

    def _advance(self, batch: Batch) -> bool:
        """Run a batch on, line by line, for one turn; return whether it is over, or nobody listens any more."""
        runs, markets = batch.runs, batch.markets
        if markets is None:
            markets = self._resumed(runs[0]) if len(runs) == 1 else None
            if markets is None:
                markets = Watched([shared.ask.scenario for shared in runs], [shared.ask.seed for shared in runs])
                _tell(runs, markets)
                self._snapshot(runs, markets)
            batch.markets = markets
        end = time.monotonic() + TURN
        while markets.tick < markets.horizon:
            if self._closed or self._given_up(runs):
                return True
            markets.step_once()
            _tell(runs, markets)
            if markets.tick % SNAPSHOT_EVERY == 0:
                self._snapshot(runs, markets)
            if time.monotonic() >= end and (self._queue or self._begun):
                return markets.tick >= markets.horizon
        return True

    def _snapshot(self, batch: list[SharedRun], markets: Watched) -> None:
        """Keep a snapshot of a run that is alone."""
        if len(batch) == 1 and markets.tick < markets.horizon:
            ask = batch[0].ask
            self.snapshots.keep(past_of(ask.scenario, ask.seed, markets.tick), markets)

    def _resumed(self, shared: SharedRun) -> Watched | None:
        """Return a market to go on from, its past copied from a run that shares it; None where there is none."""
        scenario, seed = shared.ask.scenario, shared.ask.seed
        last = max((move.tick for move in scenario.moves), default=scenario.horizon) - 1
        ticks = list(range(0, min(last, scenario.horizon - 1) + 1, SNAPSHOT_EVERY))
        snapshot = self.snapshots.latest(pasts_of(scenario, seed, ticks))
        if snapshot is None:
            return None
        lines = self._past_lines(snapshot, seed)
        if lines is None:
            return None
        for line in lines[len(shared.lines) :]:
            shared.add(line)
        return snapshot.branched(scenario)

    def _past_lines(self, snapshot: Watched, seed: int) -> list[bytes] | None:
        """Return the lines up to a snapshot of the run that left it, where they are still kept."""
        with self._changed:
            origin = self._runs.get(Ask(snapshot.bases[0], seed).key)
        if origin is None or len(origin.lines) <= snapshot.tick:
            return None
        return origin.lines[: snapshot.tick + 1]

    def _given_up(self, batch: list[SharedRun]) -> bool:
        """Forget a batch that nobody waits for any more; whoever asks for its runs again begins anew."""
        with self._changed:
            if any(shared.readers > 0 for shared in batch):
                return False
            for shared in batch:
                self._runs.pop(shared.ask.key, None)
        return True

    def _fail(self, batch: list[SharedRun]) -> None:
        """Tell the readers that their run failed; one failing market must not take the others with it."""
        if len(batch) > 1:
            for shared in batch:
                try:
                    self._compute([shared])
                except Exception:
                    self._fail([shared])
            return
        with self._changed:
            self._runs.pop(batch[0].ask.key, None)
        batch[0].add(as_line(FAILED), last=True)

    def _tidy(self) -> None:
        """Forget the runs that were asked for longest ago, as far as room is needed."""
        total = sum(shared.size for shared in self._runs.values())
        for key in list(self._runs):
            if total <= self.limits.kept:
                return
            if self._runs[key].done:
                total -= self._runs.pop(key).size


def _tell(batch: list[SharedRun], markets: Watched) -> None:
    """Add the tick that has just ended to every run that does not have it yet."""
    for r, shared in enumerate(batch):
        if len(shared.lines) <= markets.tick:
            shared.add(as_line(markets.frame(r)), last=markets.tick >= markets.horizon)

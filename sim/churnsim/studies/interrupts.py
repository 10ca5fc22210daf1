"""Stopping on request: once to finish what is under way, twice to drop everything."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from churnsim.studies.dispatch import Queue

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM") if hasattr(signal, name))

ECHO = 0.5
"""Seconds in which a second signal is the same request: job managers signal a process and its group."""


class Stopper:
    """Whether somebody wants a sweep to stop.

    Attributes
    ----------
    asked : bool
        Whether it was asked to stop.
    """

    def __init__(self) -> None:
        self.asked = False
        self.since = 0.0
        self.queue: Queue | None = None

    def __call__(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Hand nothing out any more; asked again, drop what is under way."""
        now = time.monotonic()
        if self.asked and now - self.since > ECHO:
            raise KeyboardInterrupt
        if not self.asked:
            self.asked, self.since = True, now
        if self.queue is not None:
            self.queue.stopped = True


@contextmanager
def stoppable() -> Iterator[Stopper]:
    """Let Ctrl-C and the end of a cluster's job stop the block in good order; only the main thread can be stopped."""
    stopper = Stopper()
    if threading.current_thread() is not threading.main_thread():
        yield stopper
        return
    before = {number: signal.signal(number, stopper) for number in SIGNALS}
    try:
        yield stopper
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

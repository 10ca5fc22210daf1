"""Compiling the kernels before the first visitor waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

SMALL = {"customers.count": 50, "horizon": 2, "burn_in": 1}


class Warming:
    """Runs two tiny markets in a thread, one of each kind that the kernels are compiled for.

    Parameters
    ----------
    wanted
        Whether to do it at all.
    first, then
        What else to get ready, before and after.
    """

    def __init__(self, wanted: bool, first: Callable[[], object], then: Callable[[], object]) -> None:
        self._done = threading.Event()
        self._wanted = wanted
        self._begun: float | None = None
        self._first, self._then = first, then

    @property
    def ready(self) -> bool:
        """Whether runs begin without waiting for a compiler."""
        return self._done.is_set() or not self._wanted

    def progress(self) -> dict[str, Any] | None:
        """Return how far compiling has come: ``seconds`` since it began, and how many of the large kernels are there.

        None where nobody waits for it. Without a cache on disk nothing can be counted: ``done`` is then None.
        """
        if self.ready or self._begun is None:
            return None
        from churnsim.engine.kernel import CACHED, DEALINGS, LONGEST, warm

        large = (*LONGEST, *DEALINGS)
        done = sum(warm(name) for name in large) if CACHED else None
        return {"seconds": round(time.monotonic() - self._begun), "done": done, "of": len(large)}

    def begin(self) -> None:
        """Start compiling, if that is wanted and not begun."""
        if self._wanted and not self._done.is_set():
            self._begun = time.monotonic()
            threading.Thread(target=self._warm, name="churnsim-warm", daemon=True).start()

    def _warm(self) -> None:
        """Run the two hotels, then a market with dealings beyond the stay."""
        from churnsim.compiling import prepare
        from churnsim.config.loading import load
        from churnsim.web.watching import Watched

        try:
            self._first()
            prepare(deals=True)
            for name in ("two_hotels", "reminders"):
                markets = Watched([load(name).set(SMALL)], [1])
                while markets.tick < markets.horizon:
                    markets.step_once()
                    markets.frame(0)
        finally:
            self._done.set()
        self._then()

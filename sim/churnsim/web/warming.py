"""Compiling the kernels before the first visitor waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable

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
        self._first, self._then = first, then

    @property
    def ready(self) -> bool:
        """Whether runs begin without waiting for a compiler."""
        return self._done.is_set() or not self._wanted

    def begin(self) -> None:
        """Start compiling, if that is wanted and not begun."""
        if self._wanted and not self._done.is_set():
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

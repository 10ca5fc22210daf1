"""How far a fit or a forecast is, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], object]
"""Told how many steps are done, and how many there are in all."""


class Steps:
    """Count steps and tell.

    Parameters
    ----------
    report
        Who is told; nobody where None.
    total
        Steps in all.
    """

    def __init__(self, report: Progress | None = None, total: int = 0) -> None:
        self.report, self.total, self.done = report, total, 0
        self.reach(0)

    def reach(self, done: int) -> None:
        """Tell that so many steps are done: a search may need fewer than it was given."""
        self.done = done
        if self.report is not None:
            self.report(done, self.total)

    def one(self, *_: object) -> None:
        """Tell that one more is done."""
        self.reach(min(self.done + 1, self.total))

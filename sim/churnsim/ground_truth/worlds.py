"""Worlds side by side: the same customers with the same luck, without and with a treatment, watched as they go."""

from __future__ import annotations

from typing import Protocol

from churnsim.engine.compiled import Compiled
from churnsim.ground_truth.plan import Plan
from churnsim.markets import Markets


class Watcher(Protocol):
    """Who looks at the worlds in the middle of a tick; it changes nothing."""

    def before_approach(self, worlds: Worlds) -> None:
        """Look before firms reach customers."""

    def before_choice(self, worlds: Worlds) -> None:
        """Look at the state on which customers choose."""

    def after_choice(self, worlds: Worlds) -> None:
        """Look when choices are made, and nothing else has changed."""

    def after_service(self, worlds: Worlds) -> None:
        """Look when stays have left their marks."""

    def after_tick(self, worlds: Worlds) -> None:
        """Look when the tick is over."""


class Worlds(Markets):
    """A batch of markets, the untreated first, with a watcher called between the phases."""

    def __init__(self, plan: Plan, watcher: Watcher, *, threads: int = 1) -> None:
        self.watcher = watcher
        scenarios = [plan.scenario, *plan.treatments.values()]
        super().__init__(scenarios, [plan.seed] * len(scenarios), engine=Compiled(threads))

    def approach(self) -> None:
        """Contacts and offers reach customers."""
        self.watcher.before_approach(self)
        super().approach()

    def choose(self) -> None:
        """Let customers choose, watched before and after: the choice itself writes nothing else."""
        self.watcher.before_choice(self)
        super().choose()

    def explain_departures(self) -> None:
        """Attribute departures."""
        super().explain_departures()
        self.watcher.after_choice(self)

    def serve(self) -> None:
        """Deliver stays and contacts."""
        super().serve()
        self.watcher.after_service(self)

    def measure(self) -> None:
        """Take the census and record the tick."""
        super().measure()
        self.watcher.after_tick(self)

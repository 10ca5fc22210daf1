"""Strategies of one's own, in a module that is none of the package: one that behaves, and one that does not."""

from __future__ import annotations

import os
import time
from typing import Literal

from churnsim.strategies.base import Action, Strategy, View


class Steady(Strategy):
    """Holds its list price."""

    name: str = "own_steady"

    def decide(self, view: View) -> Action:
        """Leave everything as listed."""
        return Action()


class Poison(Strategy):
    """Does what it must not."""

    name: str = "own_poison"
    do: Literal["raise", "exit", "hang"] = "raise"

    def decide(self, view: View) -> Action:
        """Misbehave."""
        if self.do == "exit":
            os._exit(7)
        if self.do == "hang":
            time.sleep(3600)
        raise ValueError("poison")


KINDS = {kind.model_fields["name"].default: kind for kind in (Steady, Poison)}

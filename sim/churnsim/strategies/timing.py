"""When a strategy begins, and how often it reviews what it does; and programmes, which hold from their start on."""

from __future__ import annotations

from typing import Any, ClassVar

from churnsim.declarations import Record, declared
from churnsim.strategies.base import Action, View, where


class Started(Record):
    """What begins in some tick."""

    start: int = declared(1, en="First tick", zh="开始时间", unit="tick", low=1, high=100_000)

    def begun(self, view: View) -> Any:
        """Return whether the strategy acts."""
        return view.tick >= self.start


class Reviewed(Started):
    """What is looked at anew every few ticks (docs/model.md, E30)."""

    every: int = declared(
        3, en="Ticks between reviews", zh="决策周期", unit="ticks", low=1, high=1000, plausible=(3, 6),
        source="docs/model.md E30: every 3-6 ticks",
    )  # fmt: skip

    def due(self, view: View) -> Any:
        """Return whether this tick is one of review."""
        return (view.tick >= self.start) & ((view.tick - self.start) % self.every == 0)


class Programme(Started):
    """Levers of one family of a firm's dealings, set from a tick on; each parameter is named after its lever."""

    group: ClassVar[str]
    """Family of the levers: with the group ``card`` the parameter ``points`` is the lever ``card_points``."""

    def levers(self) -> dict[str, str]:
        """Return the parameter of each lever that the programme sets, by the lever's name in an action."""
        return {f"{self.group}_{name}": name for name in type(self).model_fields if name not in ("name", "start")}

    def decide(self, view: View) -> Action:
        """Set the programme's levers; leave all others to the list."""
        begun = self.begun(view)
        return Action().with_levers(
            {lever: where(begun, getattr(self, name), None) for lever, name in self.levers().items()}
        )

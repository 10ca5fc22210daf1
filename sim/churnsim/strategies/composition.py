"""Strategies made of other strategies."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, ClassVar, Literal

from pydantic import SerializeAsAny, field_validator

from churnsim.declarations import Record, declared
from churnsim.strategies.arithmetic import Notes, given, larger
from churnsim.strategies.base import Action, Strategy, View, read_strategy, where

UNDIVIDED = (
    "relationship", "win_back_kind", "win_back_matched", "referral_targeted", "enquiries_coverage", "enquiries_alarm",
    "contract_length",
)  # fmt: skip
"""Levers of which there is no half."""


class Member(Record):
    """A strategy among others, and how much it counts."""

    strategy: SerializeAsAny[Strategy] = declared(
        en="Strategy", zh="策略", factory=lambda: read_strategy("passive"), source="control"
    )
    weight: float = declared(1, en="Weight", zh="权重", low=1e-6, high=1e6, plausible=(0.1, 10))

    _strategy = field_validator("strategy", mode="before")(read_strategy)


def _as_member(value: Any) -> Any:
    """Read a strategy, or its name, as a member."""
    return {"strategy": value} if isinstance(value, (str, Strategy)) else value


def default_members() -> tuple[Member, ...]:
    """Return a small cut and relationship work, half and half."""
    return (
        Member(strategy={"name": "price_cut", "depth": 0.1}),
        Member(strategy="relationship_investment"),
    )


class Composed(Record):
    """What is made of other strategies."""

    members: tuple[Member, ...] = declared(
        en="Strategies and their weights", zh="成员策略及权重", factory=default_members
    )

    @field_validator("members", mode="before")
    @classmethod
    def _members(cls, value: Any) -> Any:
        """Take names of strategies, too; but at least one."""
        if not isinstance(value, (list, tuple)):
            return value
        if not value:
            raise ValueError("members must name at least one strategy")
        return tuple(_as_member(item) for item in value)

    @property
    def for_arrays(self) -> bool:
        """Whether every member decides for a batch of markets at once."""
        return all(member.strategy.for_arrays for member in self.members)

    def alike(self) -> tuple[Any, ...]:
        """Return what must be the same in one call: the kinds of the members."""
        return (type(self), *(member.strategy.alike() for member in self.members))

    def ask(self, view: View) -> list[Action]:
        """Return what each member wishes; each has notes of its own in the firm's memory."""
        actions = []
        for place, member in enumerate(self.members):
            prefix = f"{place}."
            own = {name.removeprefix(prefix): value for name, value in view.memory.items() if name.startswith(prefix)}
            actions.append(member.strategy.decide(replace(view, memory=own)))
            view.memory.update({f"{prefix}{name}": value for name, value in own.items()})
        return actions


class Portfolio(Composed, Strategy):
    """Follow several strategies at once.

    A lever that only one of them moves goes where that one wishes; where several do, it goes to the mean of their
    wishes by weight. Of what cannot be halved, such as a relationship level, the heaviest decides.

    Names (recalled): retention mix, marketing mix (Borden 1964), portfolio of measures.
    """

    name: Literal["portfolio"] = "portfolio"
    arrays: ClassVar[bool] = True

    def decide(self, view: View) -> Action:
        """Combine what the members wish."""
        actions = self.ask(view)
        levers: dict[str, Any] = {"promotion": False}
        for action in actions:
            levers["promotion"] = levers["promotion"] | action.promotion
        for lever in (found.name for found in fields(Action) if found.name != "promotion"):
            wishes = [
                (getattr(action, lever), member.weight)
                for action, member in zip(actions, self.members, strict=True)
                if getattr(action, lever) is not None
            ]
            if wishes:
                levers[lever] = _heaviest(wishes) if lever in UNDIVIDED else _mean(wishes)
        return Action(**levers)


def _mean(wishes: list[tuple[Any, Any]]) -> Any:
    """Return the weighted mean of the wishes that there are; one wish comes out as it is."""
    mean: Any = None
    total: Any = 0.0
    for wish, weight in wishes:
        there = given(wish)
        total = total + where(there, weight, 0.0)
        if mean is None:
            mean = wish
            continue
        both = where(there, mean + (wish - mean) * (weight / larger(total, 1e-9)), mean)
        mean = where(given(mean), both, wish)
    return mean


def _heaviest(wishes: list[tuple[Any, Any]]) -> Any:
    """Return the wish with most weight among those that there are; of equals the first."""
    chosen, most = wishes[0][0], where(given(wishes[0][0]), wishes[0][1], 0.0)
    for wish, weight in wishes[1:]:
        heavier = given(wish) & (weight > most)
        chosen, most = where(heavier, wish, chosen), where(heavier, weight, most)
    return chosen


class Lottery(Composed, Strategy):
    """Draw one of several strategies by luck, once or every few ticks, with chances in proportion to the weights.

    All members watch the market all the time; only the one drawn acts. One that learns from its profit should not be
    in a lottery, for the profit is another's while it is not drawn.

    Names (recalled): mixed strategy in the sense of game theory (von Neumann 1928); random promotions (Varian 1980;
    Narasimhan 1988).
    """

    name: Literal["lottery"] = "lottery"
    arrays: ClassVar[bool] = True
    every: int = declared(
        0, en="Ticks between draws (0: one draw for good)", zh="抽签周期", unit="ticks", low=0, high=1000,
        plausible=(0, 12),
    )  # fmt: skip

    def decide(self, view: View) -> Action:
        """Do what the member drawn wishes."""
        import numpy as np

        actions, notes = self.ask(view), Notes(view)
        drawn, every = notes.read("drawn", -1), notes.column(self.every)
        due = (drawn < 0) | ((every > 0) & ((view.tick - 1) % np.maximum(every, 1) == 0))
        weights = [notes.column(member.weight) for member in self.members]
        luck, below, fresh = notes.column(view.luck[2]) * sum(weights), np.zeros(notes.count), np.zeros(notes.count)
        for weight in weights[:-1]:
            below = below + weight
            fresh = fresh + (luck >= below)
        drawn = np.where(due, fresh.astype(np.int64), drawn)
        notes.keep(drawn=drawn)
        chosen = notes.answer(drawn)
        levers: dict[str, Any] = {}
        for lever in (found.name for found in fields(Action)):
            wish = getattr(actions[0], lever)
            for place, action in enumerate(actions[1:], 1):
                other = getattr(action, lever)
                wish = None if wish is None and other is None else where(chosen == place, other, wish)
            levers[lever] = wish
        return Action(**levers)

"""A scenario: a question as immutable data, from which variants are made."""

from __future__ import annotations

import bisect
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import PrivateAttr, ValidationError, field_validator, model_validator

from churnsim.config.errors import Keys, Problem, ScenarioError, nearest, plain_number
from churnsim.config.firms import LEVELS, Text
from churnsim.config.paths import immovable, plain, read, written
from churnsim.config.scenario import Move, ScenarioRecord
from churnsim.config.shape import ROOT, thawed
from churnsim.config.validation import prepared, translated
from churnsim.dealing_measures import PER_FIRM
from churnsim.i18n import LANGUAGES, text
from churnsim.strategies.base import DEALINGS_LEVERS

BASE_ARM = "case"
"""Name of the scenario itself among its arms."""

LEVERS = frozenset(
    {"price", "service", "training", "relationship", "relationship_budget", "contract_length", "contract_fee"}
    | set(DEALINGS_LEVERS)
)
"""What a firm decides every tick; ``card_points`` is the parameter ``card.points``."""

NOT_CONTENT = ("id", "name", "title", "case_title", "question", "sources", "money", "seed", "arms", "claims")
"""What does not change a run; the seed is named beside the scenario wherever a run is."""

OF_SIZE = frozenset({"customers.count", "horizon", "burn_in", "ledger", "discount"})
"""What makes a run larger or tells more of it; a scenario that differs in nothing else is called the same."""

OF_LEDGER: dict[str, set[str] | bool] = {"ledger": True, "discount": True, "customers": {"inactivity"}}
"""What is without effect unless a ledger is kept."""

LATER = (("taste", "homophily"), ("offers", "counted"), ("referral", "matching"))
"""Parameters of customers that came later, and at 0 leave every run what it was before."""

LATER_MECHANISMS = ("rhythm",)
"""Mechanisms that came later, each with parameters of customers under the same name."""


def drop_later_mechanisms(content: dict[str, Any]) -> None:
    """Leave out of a scenario's content what came later and is off: it is what it was before there was any."""
    for name in LATER_MECHANISMS:
        if not content["mechanisms"][name]:
            del content["mechanisms"][name], content["customers"][name]


class Scenario(ScenarioRecord):
    """Everything a run needs to know except its seed.

    Immutable and comparable; every method that changes something returns another
    scenario, already checked. Read one with `churnsim.load`.
    """

    _cache: dict[str, Any] = PrivateAttr(default_factory=dict)
    _origin: Any = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _named_by_id(cls, data: Any) -> Any:
        """Let a scenario without a name go by its id."""
        if isinstance(data, dict) and not data.get("name"):
            return {**data, "name": data.get("id", "")}
        return data

    @field_validator("relationship_levels")
    @classmethod
    def _levels_in_order(cls, value: dict[str, Any]) -> dict[str, Any]:
        """Keep the levels in their own order, not the file's."""
        return {level: value[level] for level in sorted(value, key=lambda level: (*LEVELS, level).index(level))}

    # ------------------------------------------------------------------ variants

    def set(self, changes: Mapping[str, Any]) -> Scenario:
        """Return a copy in which the dotted paths have new values.

        What lies beyond a shortened run (moves, and claims about it) is left out. What the scenario itself is called
        beside its arms is no longer said, unless only the size of the run changes.

        Parameters
        ----------
        changes
            New values by dotted path, such as ``{"firms.eton.price": 225}``; a mapping
            given for a group changes what it names.

        Raises
        ------
        ScenarioError
            If a path leads nowhere or a value is not allowed.
        """
        problems: list[Problem] = []
        data = written(self, changes, problems)
        if problems:
            raise ScenarioError(problems)
        if data is self:
            return self
        if {"horizon", "burn_in"} & set(changes):
            data = _cropped(data)
        changed = self._derived(data)
        untitled = self.case_title is None or changed.case_title != self.case_title
        if untitled or OF_SIZE.issuperset(changes) or changed.key == self.key:
            return changed
        kept = {name: value for name, value in changed._cache.items() if name != "identity"}
        changed = changed.model_copy(update={"case_title": None})
        changed._cache = kept
        return changed

    def move(
        self,
        tick: int,
        changes: Mapping[str, Any] | None = None,
        *,
        firm: str | None = None,
        note: str | None = None,
        **levers: Any,
    ) -> Scenario:
        """Return a copy with one more dated change.

        Parameters
        ----------
        tick
            First tick in which the new values hold.
        changes
            New values by dotted path.
        firm
            Firm whose parameters `levers` name.
        note
            Why, in a few words.
        **levers
            The firm's parameters, such as ``price=225, relationship="proactive"``.
        """
        prefix = f"firms.{firm}." if firm is not None else ""
        merged = {**(changes or {}), **{f"{prefix}{name}": value for name, value in levers.items()}}
        data = thawed(ROOT, self)
        data["moves"] = (*self.moves, {"tick": tick, "changes": merged, "note": note})
        return self._derived({**data, "case_title": None})

    def named(self, name: str) -> Scenario:
        """Return a copy under another name."""
        return self._derived({**thawed(ROOT, self), "name": name})

    def seeded(self, seed: int) -> Scenario:
        """Return a copy with another seed."""
        return self.set({"seed": seed})

    @property
    def arm_names(self) -> tuple[str, ...]:
        """Names of the arms, the scenario itself (``case``) first."""
        return (BASE_ARM, *self.arms)

    @property
    def case(self) -> Text:
        """What the scenario itself is called beside its arms."""
        return self.case_title or Text(**{lang: text("plot.the_case", lang) for lang in LANGUAGES})

    def arm(self, name: str) -> Scenario:
        """Return one arm as a scenario of its own; ``case`` is this scenario."""
        if name == BASE_ARM:
            return self.named(BASE_ARM)
        if name not in self.arms:
            details = {"found": name, "near": nearest(name, self.arm_names), "options": self.arm_names}
            raise ScenarioError([Problem("no_arm", ("arms", name), details)])
        scenario, problems = self.build_arm(name)
        if scenario is None:
            raise ScenarioError(problems)
        return scenario

    def build_arm(self, name: str) -> tuple[Scenario | None, list[Problem]]:
        """Return an arm, or what is wrong with it; places are counted from the whole scenario."""
        arm = self.arms[name]
        problems: list[Problem] = []
        at: Keys = ("arms", name)
        data = written(self, arm.set, problems, (*at, "set"))
        if problems:
            return None, problems
        if {"horizon", "burn_in"} & set(arm.set):
            data = _cropped(data)
        bare = {
            **thawed(ROOT, data), "arms": {}, "claims": (), "name": name, "title": arm.title, "case_title": None,
            "moves": (),
        }  # fmt: skip
        scenario, problems = build(bare)
        if scenario is None:
            return None, [_blamed(problem, arm.set, (*at, "set")) for problem in problems]
        kept = thawed(ROOT, data)["moves"]
        inherited = len(kept)
        scenario, problems = build({**thawed(ROOT, scenario), "moves": (*kept, *arm.moves)})
        if scenario is None:
            return None, [_in_arm(problem, at, inherited) for problem in problems]
        scenario._origin = self._origin or self
        return scenario, []

    def knows(self, measure: str) -> bool:
        """Return whether a firm measure means something here: amounts of money do where money is known."""
        return PER_FIRM[measure].is_known(self.money)

    @property
    def unknown(self) -> list[str]:
        """Firm measures that mean nothing here."""
        return [name for name in PER_FIRM if not self.knows(name)]

    # ------------------------------------------------------------------ in time

    def at(self, tick: int) -> Scenario:
        """Return the scenario as it stands in a tick: with the moves up to it made, and none left."""
        states = self._states()
        due = bisect.bisect_right([first for first, _ in states], tick)
        return states[max(due - 1, 0)][1]

    @property
    def states(self) -> list[Scenario]:
        """The scenario before all moves and after each tick that has some, in order."""
        return [state for _, state in self._states()]

    def _states(self) -> list[tuple[int, Scenario]]:
        """Return the scenario before all moves and after each tick that has some, in order."""
        if "states" not in self._cache:
            _, states, problems = _after_moves(self)
            if problems:
                raise ScenarioError(problems)
            self._cache["states"] = states
        return self._cache["states"]

    def levers_at(self, tick: int) -> dict[str, dict[str, Any]]:
        """Return, by firm, the levers that moves have set by a tick; they win over the strategy.

        A move that gives a firm another strategy, or changes its strategy's parameters, hands the levers
        back to the strategy.
        """
        levers: dict[str, dict[str, Any]] = {name: {} for name in self.firms}
        for move in self.moves:
            if move.tick > tick:
                continue
            for path in sorted(move.changes, key=lambda path: ".strategy" not in path):
                root, firm, *rest = path.split(".")
                if root == "firms" and rest[0] == "strategy":
                    levers[firm].clear()
                elif root == "firms" and (lever := "_".join(rest)) in LEVERS:
                    levers[firm][lever] = move.changes[path]
        return levers

    # ------------------------------------------------------------------ identity

    @property
    def key(self) -> str:
        """Hash of everything that changes a run, 32 hexadecimal digits."""
        if "key" not in self._cache:
            unread = {} if self.ledger else OF_LEDGER
            content = self.model_dump(mode="json", exclude={**dict.fromkeys(NOT_CONTENT, True), **unread})
            # Runs without these are what they were before there were any, so that those kept are still found.
            for group, name in LATER:
                if not content["customers"][group][name]:
                    del content["customers"][group][name]
            drop_later_mechanisms(content)
            for firm in content["firms"].values():
                del firm["name"]
            for move in content["moves"]:
                del move["note"]
            self._cache["key"] = _digest(content)
        return self._cache["key"]

    @property
    def id_hash(self) -> str:
        """Short form of `key`, for folder names and reports."""
        return self.key[:8]

    def _identity(self) -> str:
        """Hash of everything, texts and names included."""
        if "identity" not in self._cache:
            self._cache["identity"] = _digest(self.model_dump(mode="json"))
        return self._cache["identity"]

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, Scenario) else NotImplemented

    def __hash__(self) -> int:
        return int(self._identity()[:15], 16)

    def __getstate__(self) -> dict[Any, Any]:
        """Leave out what can be computed again."""
        state = super().__getstate__()
        return {**state, "__pydantic_private__": {"_cache": {}, "_origin": self._origin}}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Scenario:
        """Return a copy; see pydantic. The new values are not checked: prefer `set`."""
        copied = super().model_copy(update=update, deep=deep)
        copied._cache = {}
        return copied

    # ------------------------------------------------------------------ as text

    def to_yaml(self) -> str:
        """Return the scenario as a file: every value explicit, and equal to this one when loaded."""
        from churnsim.config.writing import to_yaml

        return to_yaml(self)

    def __repr__(self) -> str:
        firms, moves, customers = len(self.firms), len(self.moves), plain_number(self.customers.count)
        return (
            f"Scenario({self.name!r}, {firms} firm{'s' * (firms != 1)}, {customers} customers, "
            f"{self.horizon} {self.tick}s, {moves} move{'s' * (moves != 1)}, id {self.id_hash})"
        )

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """Three collapsible parts; what differs from the scenario it was made from is marked."""
        from churnsim.scenario_html import scenario_html

        return scenario_html(self, self._origin)

    def _derived(self, data: Any) -> Scenario:
        """Build a variant of this scenario."""
        scenario, problems = build(data)
        if scenario is None:
            raise ScenarioError(problems)
        scenario._origin = self._origin or self
        return scenario


# ---------------------------------------------------------------------- building


def build(data: Any) -> tuple[Scenario | None, list[Problem]]:
    """Build a scenario from plain data, or say everything that is wrong with it.

    Parameters
    ----------
    data
        Nested dicts and lists as read from a file; validated records may stand in
        the place of any part.
    """
    problems: list[Problem] = []
    data = prepared(ROOT, thawed(ROOT, data), problems)
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        seen = {problem.keys for problem in problems}
        return None, problems + [problem for problem in translated(error, data) if problem.keys not in seen]
    if problems:
        return None, problems
    moves, states, problems = _after_moves(scenario)
    if problems:
        return None, problems
    if moves:
        scenario = scenario.model_copy(update={"moves": moves})
    scenario._cache["states"] = states
    return scenario, []


def _after_moves(scenario: Scenario) -> tuple[tuple[Move, ...], list[tuple[int, Scenario]], list[Problem]]:
    """Make the moves one by one: return them with their values as read, the states they lead to, and problems."""
    state = scenario.model_copy(update={"moves": (), "arms": {}, "claims": ()})
    states, moves, problems = [(-scenario.burn_in, state)], [], []
    for index, move in sorted(enumerate(scenario.moves), key=lambda item: item[1].tick):
        after, found = _after_move(state, move, ("moves", index))
        problems += found
        if found:
            continue
        state = after
        values = {path: plain(read(state, path)) for path in sorted(move.changes)}
        moves.append(move.model_copy(update={"changes": values}))
        if states[-1][0] == move.tick:
            states.pop()
        states.append((move.tick, state))
    return tuple(moves), states, problems


def _after_move(state: Scenario, move: Move, at: Keys) -> tuple[Scenario, list[Problem]]:
    """Return the state after one move, or what is wrong with the move."""
    if move.tick > state.horizon:
        return state, [Problem("move_late", (*at, "tick"), {"found": move.tick, "high": state.horizon})]
    if not move.changes:
        return state, [Problem("no_change", at)]
    refused = {path: immovable(state, path, (*at, path)) for path in move.changes}
    problems = [problem for problem in refused.values() if problem is not None]
    data = written(state, {path: move.changes[path] for path in refused if refused[path] is None}, problems, at)
    if problems:
        return state, problems
    data = prepared(ROOT, data, problems)
    try:
        after = Scenario.model_validate(data)
    except ValidationError as error:
        problems += translated(error, data)
    if problems:
        return state, [_blamed(problem, move.changes, at) for problem in problems]
    return after, []


def _blamed(problem: Problem, changes: Mapping[str, Any], at: Keys) -> Problem:
    """Point a problem of the changed scenario at the change that brought it about."""
    path = problem.path
    for change in changes:
        if path == change or path.startswith(f"{change}.") or change.startswith(f"{path}."):
            return replace(problem, keys=(*at, change))
    group = problem.keys[:-1]
    for change in changes:
        if group and tuple(change.split(".")[: len(group)]) == group:
            return replace(problem, keys=(*at, change))
    return replace(problem, keys=at)


def _in_arm(problem: Problem, at: Keys, inherited: int) -> Problem:
    """Point a problem with an arm's moves at the arm; its own moves follow those of the scenario."""
    index = problem.keys[1] if problem.keys[:1] == ("moves",) else -1
    if isinstance(index, int) and index >= inherited:
        return replace(problem, keys=(*at, "moves", index - inherited, *problem.keys[2:]))
    return replace(problem, keys=at)


def _cropped(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a shortened run no longer reaches: later moves, and claims about other ticks."""
    from churnsim.claims import within

    horizon, burn_in = data["horizon"], data["burn_in"]
    if not isinstance(horizon, int) or not isinstance(burn_in, int):
        return data

    def kept(moves: tuple[Move, ...]) -> tuple[Move, ...]:
        return tuple(move for move in moves if move.tick <= horizon)

    arms = {name: arm.model_copy(update={"moves": kept(arm.moves)}) for name, arm in data["arms"].items()}
    claims = tuple(claim for claim in data["claims"] if within(claim, 1 - burn_in, horizon))
    return {**data, "moves": kept(data["moves"]), "arms": arms, "claims": claims}


def _digest(content: Any) -> str:
    """Hash of plain data; the order of mappings counts."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

"""What is optimised: the plan of one firm, its levers and limits, its objectives, and the futures it must stand in."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from churnsim.config.errors import Keys, Problem, nearest
from churnsim.config.firms import Text, as_text
from churnsim.config.paths import written
from churnsim.declarations import Record
from churnsim.expressions import ExpressionError
from churnsim.scenario import Scenario
from churnsim.studies.arms import about, market_of
from churnsim.studies.checks import FIXED_LENGTH
from churnsim.studies.conditions import Condition, read_condition
from churnsim.studies.errors import StudyError, StudyProblem
from churnsim.studies.factors import Factor
from churnsim.studies.growing import Setup
from churnsim.studies.keys import source_hash
from churnsim.studies.outcomes import Outcome, read_outcome
from churnsim.studies.plan import Cell
from churnsim.studies.sources import modules_in, modules_of
from churnsim.studies.study import Study
from churnsim.studies.translating import together

REQUIRED = re.compile(r"(?P<text>.+?)\s*(?P<sign><=|>=|<|>)\s*(?P<bound>[-+]?[\d.]+(?:e[-+]?\d+)?)\s*", re.DOTALL)
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
KIND = "optimise"
PLANNED, NOTHING, OWN = "plan", "nothing", "own"
"""Arms: a plan, and the two that every plan is compared with, doing nothing and what the scenario says."""

Plan = dict[str, Any]
"""Value of every lever."""


class Effort(Record):
    """How long is searched, and how the result is checked.

    Attributes
    ----------
    population, generations : int
        Candidates of a generation, and generations.
    futures : int
        Futures that every candidate faces, the same for all.
    finalists : int
        Candidates that are evaluated anew.
    fresh : int
        Futures, not seen before, on which the finalists are compared; and as many more on which the winner is measured.
    seed : int
        Of the search and of the futures.
    """

    population: int = Field(default=24, ge=5, le=10_000)
    generations: int = Field(default=10, ge=1, le=100_000)
    futures: int = Field(default=16, ge=2, le=100_000)
    finalists: int = Field(default=6, ge=1, le=1000)
    fresh: int = Field(default=60, ge=2, le=1_000_000)
    seed: int = Field(default=1, ge=0, le=2**31 - 1)


class Doubt(Record):
    """Looking for the futures in which the answer flips.

    Attributes
    ----------
    against : {'nothing', 'own'}
        The plan that the best one is compared with.
    futures : int
        Futures, spread evenly over what is uncertain.
    replications : int
        Runs of each plan in each of them, with common seeds.
    """

    against: Literal["nothing", "own"] = "nothing"
    futures: int = Field(default=200, ge=20, le=100_000)
    replications: int = Field(default=3, ge=1, le=1000)


class Optimisation(Record):
    """A study that looks for a firm's best plan.

    Attributes
    ----------
    name : str
        By default that of the file.
    title, question : Text or None
        For people.
    scenario : str or Scenario
        The market.
    set : dict
        Values for all runs, by dotted path.
    firm : str
        Whose plan it is.
    levers : dict of str to Factor
        What the firm chooses, by dotted path; or by a name of its own, which `moves` then use as ``$name``.
    moves : tuple of dict
        Dated changes: ``tick`` and values by dotted path, all of them numbers or ``$name``.
    constraints : tuple of str
        Conditions on levers that a plan fulfils (docs: `churnsim.studies.conditions`).
    maximise, minimise : dict of str to str
        The objectives, outcomes by name; one, or several for a Pareto front.
    require : dict of str to float
        Conditions on runs, such as ``open.nanyuan >= 1``, and the share of runs in which each must hold.
    futures : dict of str to Factor
        What nobody knows, by dotted path.
    robust : {'mean', 'worst_fifth'}
        What counts of a plan: its mean over futures, or the mean of its worst fifth of them.
    discover : Doubt or None
        Say in which futures the best plan is worse than another one.
    search : Effort
        How long is searched.
    """

    name: str = ""
    title: Text | None = None
    question: Text | None = None
    scenario: Any
    set: dict[str, Any] = Field(default_factory=dict)
    firm: str
    levers: dict[str, Factor] = Field(min_length=1)
    moves: tuple[dict[str, Any], ...] = ()
    constraints: tuple[str, ...] = ()
    maximise: dict[str, str] = Field(default_factory=dict)
    minimise: dict[str, str] = Field(default_factory=dict)
    require: dict[str, float] = Field(default_factory=dict)
    futures: dict[str, Factor] = Field(default_factory=dict)
    robust: Literal["mean", "worst_fifth"] = "mean"
    discover: Doubt | None = None
    search: Effort = Effort()

    command: ClassVar[str] = KIND
    places: ClassVar[dict[str, tuple[str, ...]]] = {
        "study_no_objective": ("maximise",),
        "study_objective_twice": ("minimise",),
        "study_no_futures": ("discover",),
        "study_require_share": ("require",),
    }
    _cache: dict[Any, Any] = PrivateAttr(default_factory=dict)
    _texts = field_validator("title", "question", mode="before")(as_text)

    @field_validator("scenario", mode="before")
    @classmethod
    def _one_scenario(cls, value: Any) -> Any:
        """Take a name, a file or a scenario."""
        if not isinstance(value, (str, Scenario)):
            raise PydanticCustomError("study_scenario", "scenario", {})
        return value

    @field_validator("maximise", "minimise", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        """Take one outcome or a list, too; each goes by its text."""
        if isinstance(value, str):
            value = [value]
        return {str(item): item for item in value} if isinstance(value, (list, tuple)) else value

    @field_validator("constraints", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        """Take a single one, too."""
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _sensible(self) -> Optimisation:
        """Refuse a search without an aim, and an aim that is named twice."""
        found: list[tuple[str, dict[str, Any]]] = []
        if not self.maximise and not self.minimise:
            found.append(("study_no_objective", {}))
        twice = next((name for name in self.maximise if name in self.minimise), None)
        if twice is not None:
            found.append(("study_objective_twice", {"found": twice}))
        if self.discover is not None and not self.futures:
            found.append(("study_no_futures", {}))
        if any(not 0 < share <= 1 for share in self.require.values()):
            found.append(("study_require_share", {}))
        together(found)
        return self

    # ------------------------------------------------------------------ what is run

    @property
    def market(self) -> Scenario:
        """The scenario with the study's settings: the firm's own plan."""
        if "market" not in self._cache:
            self._cache["market"] = market_of(self.scenario, self.set)
        return self._cache["market"]

    @property
    def objectives(self) -> dict[str, str]:
        """All objectives, those to be maximised first."""
        return {**self.maximise, **self.minimise}

    @property
    def signs(self) -> np.ndarray:
        """-1 for each objective to be maximised, 1 for each to be minimised."""
        return np.array([-1.0] * len(self.maximise) + [1.0] * len(self.minimise))

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What is kept of every run: the objectives, then the left sides of what is required."""
        return self.study.kept

    @property
    def study(self) -> Study:
        """The study whose store keeps the runs: the market with a plan, with the firm passive, and as it is."""
        if "study" not in self._cache:
            required = {f"require {text}": one.text for text, one in zip(self.require, self.required, strict=True)}
            idle = {f"firms.{self.firm}.strategy": "passive"}
            self._cache["study"] = Study(
                name=self.name or KIND, title=self.title, question=self.question, scenario=self.market,
                arms={PLANNED: {}, NOTHING: idle, OWN: {}}, outcomes=self.objectives | required,
            )  # fmt: skip
        return self._cache["study"]

    @property
    def required(self) -> tuple[Requirement, ...]:
        """What runs must fulfil."""
        return tuple(Requirement.read(text, share) for text, share in self.require.items())

    @property
    def most_runs(self) -> int:
        """Runs at most: plans that come up twice, or are not allowed, take none."""
        effort = self.search
        compared = effort.finalists + (3 if len(self.objectives) == 1 else 2)
        total = (effort.population * effort.generations + 1) * effort.futures + compared * effort.fresh
        return total + (0 if self.discover is None else 2 * self.discover.futures * self.discover.replications)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The constraints, read."""
        return tuple(read_condition(text) for text in self.constraints)

    def plan(self, point: np.ndarray) -> Plan:
        """Return the levers' values at a point of the unit cube."""
        return {
            name: _plain(factor.from_unit(np.array([u]))[0])
            for (name, factor), u in zip(self.levers.items(), point, strict=True)
        }

    def allowed(self, plan: Plan) -> bool:
        """Return whether a plan fulfils the constraints."""
        return all(condition.holds(plan, 1)[0] for condition in self.conditions)

    def setup(self, plan: Plan | str, future: Plan) -> Setup:
        """Return what a plan in a future is in the store; besides plans there are `NOTHING` and `OWN`."""
        if isinstance(plan, str):
            return Setup(plan, future)
        paths = {path: value for path, value in plan.items() if "." in path}
        moves = [
            {key: plan[value[1:]] if _is_name(value) else value for key, value in move.items()} for move in self.moves
        ]
        dated = tuple({**move, "tick": int(move["tick"])} for move in moves)
        if "source" not in self._cache:
            self._cache["source"] = source_hash(set(modules_in(self.choices)) - set(modules_of(self.study)))
        return Setup(PLANNED, {**future, **paths}, dated, self._cache["source"])

    def with_plan(self, plan: Plan | str, future: Plan) -> Scenario:
        """Return the market in a future with a plan, or with `NOTHING` or the firm's `OWN`."""
        setup = self.setup(plan, future)
        return Cell(0, setup.changes, [], setup.moves).made(self.study.bases[setup.arm])

    @property
    def choices(self) -> list[Any]:
        """Everything that plans may set which is no number, as plain data."""
        return [factor.levels for factor in self.levers.values() if factor.levels is not None] + list(self.moves)

    def future(self, point: np.ndarray) -> Plan:
        """Return what nobody knows at a point of the unit cube."""
        return {
            name: _plain(factor.from_unit(np.array([u]))[0])
            for (name, factor), u in zip(self.futures.items(), point, strict=True)
        }

    # ------------------------------------------------------------------ whether it fits

    def check(self) -> None:
        """Raise StudyError where the study does not fit the scenario."""
        market = self.market
        problems: list[Problem] = []
        if self.firm not in market.firms:
            options = tuple(market.firms)
            details = {"found": self.firm, "near": nearest(self.firm, options), "options": options}
            problems.append(StudyProblem("no_firm", ("firm",), details))
        if len(self.objectives) > 1 and find_spec("pymoo") is None:
            problems.append(StudyProblem("study_no_pymoo", ("maximise" if self.maximise else "minimise",)))
        problems += self._expression_problems()
        used = {str(value)[1:] for move in self.moves for value in move.values() if _is_name(value)}
        for name in sorted(used - set(self.levers)):
            options = tuple(self.levers)
            details = {"found": name, "near": nearest(name, options), "options": options}
            problems.append(StudyProblem("study_no_lever", ("moves",), details))
        for name in self.levers:
            if "." not in name and name not in used:
                problems.append(StudyProblem("study_idle_lever", ("levers", name), {"found": name}))
        for place, move in enumerate(self.moves):
            if "tick" not in move or len(move) < 2:
                problems.append(StudyProblem("study_move", ("moves", place)))
        for part, factors in (("levers", self.levers), ("futures", self.futures)):
            for path in FIXED_LENGTH & set(factors):
                problems.append(StudyProblem("fixed_length", (part, path), {"found": path}))
        both = next((path for path in self.futures if path in self.levers), None)
        if both is not None:
            problems.append(StudyProblem("twice", ("futures", both), {"found": both}))
        problems += self._end_problems({problem.keys[:2] for problem in problems})
        if problems:
            raise StudyError(problems)

    def _expression_problems(self) -> list[Problem]:
        """Return what is wrong with objectives, requirements and constraints."""
        from churnsim.claims import term_problems

        problems: list[Problem] = []
        horizon = self.market.horizon
        texts = [(("maximise", name), text) for name, text in self.maximise.items()]
        texts += [(("minimise", name), text) for name, text in self.minimise.items()]
        for text, share in self.require.items():
            one = Requirement.read(text, share) if REQUIRED.fullmatch(text) else None
            if one is None:
                problems.append(StudyProblem("study_require", ("require", text), {"found": text}))
            else:
                texts.append((("require", text), one.text))
        for at, text in texts:
            try:
                found = [p for t in read_outcome(text, horizon).terms for p in term_problems(t, self.market, at)]
                problems += found[:1]
            except ExpressionError as error:
                problems.append(StudyProblem("expression", at, {"found": text, "reason": str(error)}))
        for place, text in enumerate(self.constraints):
            try:
                unknown = sorted(read_condition(text).names - set(self.levers))
                if unknown:
                    options = tuple(self.levers)
                    details = {"found": unknown[0], "near": nearest(unknown[0], options), "options": options}
                    problems.append(StudyProblem("study_no_lever", ("constraints", place), details))
            except ExpressionError as error:
                details = {"found": text, "reason": str(error)}
                problems.append(StudyProblem("expression", ("constraints", place), details))
        return problems

    def _end_problems(self, told: Set[Keys]) -> list[Problem]:
        """Return what is wrong with the paths and the ends of levers and of what is uncertain, apart from what is told.

        Whole plans are only made where everything else is right; otherwise every setting is tried on its own.
        """
        problems: list[Problem] = []
        parts = {"levers": self.levers, "futures": self.futures}
        places = [(part, path) for part, factors in parts.items() for path in factors if "." in path]
        for part, path in places:
            # A parameter of a strategy that is a lever itself is one of some of its levels.
            if (part, path) not in told and not any(path.startswith(f"{other}.") for other in self.levers):
                lost: list[Problem] = []
                written(self.market, {path: None}, lost, (part,))
                problems += lost[:1]
        known = told | {problem.keys[:2] for problem in problems}
        if not known:
            return [p for part, path in self._factors() for p in self._refused(part, path, parts[part][path])]
        for part, path in places:
            if (part, path) not in known and ".strategy." not in path:
                problems += self._refused(part, path, parts[part][path], alone=True)
        return problems

    def _factors(self) -> list[tuple[str, str]]:
        """Return every lever and everything uncertain, with the part of the file that it stands in."""
        return [("levers", name) for name in self.levers] + [("futures", path) for path in self.futures]

    def _refused(self, part: str, name: str, factor: Factor, *, alone: bool = False) -> list[Problem]:
        """Return why the market does not take an end of a factor; the first end that is refused tells."""
        middle = self.plan(np.full(len(self.levers), 0.5))
        for end in factor.values or [_plain(factor.from_unit(np.array([u]))[0]) for u in (0.0, 1 - 1e-9)]:
            try:
                with about(part, name):
                    if alone:
                        self.market.set({name: end})
                    elif part == "levers":
                        self.with_plan({**middle, name: end}, {})
                    else:
                        self.with_plan(middle, {name: end})
            except StudyError as error:
                # Another lever's middle may be what is wrong: its own turn tells.
                own = [p for p in error.errors if not _of_another(p, name, self.levers)]
                if own:
                    return own
        return []


def _of_another(problem: Problem, name: str, levers: Mapping[str, Any]) -> bool:
    """Whether a problem that a lever's end has brought up is about another lever."""
    at = str(problem.keys[-1])
    return at != name and any(at == other or at.startswith(f"{other}.") for other in levers if other != name)


@dataclass(frozen=True)
class Requirement:
    """A condition on runs and how often it must hold.

    Attributes
    ----------
    text : str
        Outcome on the left side.
    sign : str
        Comparison.
    bound : float
        Number on the right side.
    share : float
        Share of runs in which it must hold.
    """

    text: str
    sign: str
    bound: float
    share: float

    @classmethod
    def read(cls, text: str, share: float) -> Requirement:
        """Read a comparison with a number; raise ExpressionError where it is none."""
        match = REQUIRED.fullmatch(text)
        if match is None:
            raise ExpressionError("a requirement is a comparison with a number, such as open.nanyuan >= 1")
        return cls(match["text"], match["sign"], float(match["bound"]), share)

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Return in which runs it holds."""
        return SIGNS[self.sign](values, self.bound)


def _is_name(value: Any) -> bool:
    """Whether a move's value stands for a lever."""
    return isinstance(value, str) and value.startswith("$")


def _plain(value: Any) -> Any:
    """Return one value of a factor without NumPy."""
    value = value.item() if hasattr(value, "item") else value
    return dict(value) if isinstance(value, Mapping) else value

"""A study: what is varied, how often it is run, and what is kept of every run. Plain, validated, immutable data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from churnsim.config.firms import Text, as_text
from churnsim.declarations import Record
from churnsim.scenario import BASE_ARM, Scenario
from churnsim.studies.errors import StudyError
from churnsim.studies.factors import Factor
from churnsim.studies.figures import Figure
from churnsim.studies.outcomes import Outcome, read_outcome
from churnsim.studies.translating import together, translated

if TYPE_CHECKING:
    from churnsim.studies.points import Points

DESIGNS = ("grid", "list", "lhs", "sobol", "morris", "radial", "fast", "fractional")
"""How a study's points are chosen; all but the first two are made by `churnsim.studies.designs`."""
WITH_SAMPLES = ("lhs", "sobol", "morris", "radial", "fast")
IN_BLOCKS = ("sobol", "morris", "radial")
"""Designs whose rows belong together in blocks; an analysis compares within a block."""
MOST_REPLICATIONS = 1_000_000

NOT_CONTENT = ("name", "title", "question", "replications", "reuse", "baseline", "figures")
"""What does not change a single run; more replications are more runs of the same study."""


class Replications(Record):
    """How often every point is run: a number, or between two numbers until a mean is known well enough.

    Attributes
    ----------
    min, max : int
        Fewest and most runs per point.
    half_width : float or None
        Stop at a point once half the confidence interval of `outcome` is no wider.
    relative : bool
        Whether `half_width` is a share of the mean.
    outcome : str or None
        Which outcome decides; by default the study's first.
    confidence : float
        Of the interval.
    """

    min: int = Field(default=1, ge=1, le=MOST_REPLICATIONS)
    max: int = Field(default=1, ge=1, le=MOST_REPLICATIONS)
    half_width: float | None = Field(default=None, gt=0)
    relative: bool = False
    outcome: str | None = None
    confidence: float = Field(default=0.95, gt=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        """Read a plain number; without one, what is found out sequentially begins with a pilot."""
        if isinstance(value, int) and not isinstance(value, bool):
            if not 1 <= value <= MOST_REPLICATIONS:
                raise PydanticCustomError("replications_range", "range", {"found": value, "high": MOST_REPLICATIONS})
            return {"min": value, "max": value}
        if isinstance(value, Mapping) and value.get("half_width") is not None:
            from churnsim.studies.stopping import PILOT, StoppingRule

            most = value.get("max", StoppingRule.most)
            return {"min": min(PILOT, most) if isinstance(most, int) else PILOT, "max": most, **value}
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Replications:
        """Refuse an empty range, and a range without a rule for stopping."""
        if self.min > self.max:
            raise PydanticCustomError("replications_order", "order", {"low": self.min, "high": self.max})
        if self.min < self.max and self.half_width is None:
            raise PydanticCustomError("replications_rule", "rule", {})
        return self

    @property
    def is_sequential(self) -> bool:
        """Whether runs decide how many runs there are."""
        return self.half_width is not None and self.min < self.max


class Study(Record):
    """What is varied, how often it is run, and what is kept.

    Immutable. Read one from a file with `load_study`, or make one with keywords of the same names as the file's; the
    values may be plain data, `Scenario` and `Factor` objects.

    Attributes
    ----------
    scenario : str, Scenario, or several of either
        What is run: a built-in name, a file, ``name/arm``, or scenarios.
    function : str or None
        Instead of a scenario: ``module:name`` of a Python function ``(factors: dict, seed: int) -> dict`` of outcomes.
    arms : dict or None
        Variants that are run at every point: of the scenario by name (None), or of the study's own (dotted paths).
    baseline : str or None
        The arm that the others are compared with.
    set : dict
        Values for all runs, by dotted path.
    factors : dict of str to Factor
        What is varied, by dotted path.
    constraints : tuple of str
        Conditions on factors that every point fulfils.
    design : str
        One of `DESIGNS`.
    samples : int or None
        Rows, blocks or trajectories of a sampled design.
    replications : Replications
        Runs per point.
    seeds : {'common', 'block'} or None
        Replication r has the same seed everywhere, or one per block of the design. By default blocks have their own
        where the design has blocks.
    first_seed : int
        Seed of the first replication.
    outcomes : dict of str to str
        What is kept, by name; see `churnsim.studies.outcomes`.
    reuse : tuple of str
        Stores to take finished runs from.
    figures : tuple of Figure
        What ``churnsim reproduce`` draws.
    """

    name: str = ""
    title: Text | None = None
    question: Text | None = None
    scenario: Any = None
    function: str | None = None
    arms: dict[str, dict[str, Any] | None] | None = None
    baseline: str | None = None
    set: dict[str, Any] = Field(default_factory=dict)
    factors: dict[str, Factor] = Field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    design: Literal[DESIGNS] = "grid"  # type: ignore[valid-type]
    samples: int | None = Field(default=None, ge=1, le=10_000_000)
    second_order: bool = False
    design_seed: int = Field(default=0, ge=0, le=2**63 - 1)
    replications: Replications = Replications()
    seeds: Literal["common", "block"] | None = None
    first_seed: int = Field(default=1, ge=0, le=2**63 - 1)
    outcomes: dict[str, str] = Field(min_length=1)
    reuse: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()

    command: ClassVar[str] = "sweep"
    _cache: dict[str, Any] = PrivateAttr(default_factory=dict)

    _texts = field_validator("title", "question", mode="before")(as_text)

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise StudyError(translated(error, type(self))) from None

    @field_validator("scenario", mode="before")
    @classmethod
    def _scenarios(cls, value: Any) -> Any:
        """Take one scenario or several, by name or as objects."""
        if value is None:
            return None
        items = tuple(value) if isinstance(value, (list, tuple)) else (value,)
        if not items or not all(isinstance(item, (str, Scenario)) for item in items):
            raise PydanticCustomError("study_scenario", "scenario", {})
        return items

    @field_validator("arms", mode="before")
    @classmethod
    def _arms_by_name(cls, value: Any) -> Any:
        """Take a list of the scenario's arms, too."""
        return dict.fromkeys(value) if isinstance(value, (list, tuple)) else value

    @field_validator("constraints", "reuse", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        """Take a single one, too."""
        return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value

    @field_validator("outcomes", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """Take a list of outcomes, too; each goes by its text."""
        if isinstance(value, str):
            value = [value]
        if isinstance(value, (list, tuple)):
            return {str(item).strip(): item for item in value}
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        """Refuse what contradicts itself whatever the scenario says."""
        together([*self._subject(), *self._designed(), *self._lists()])
        return self

    def _subject(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what is wrong with what is run, and with what ends it."""
        if (self.scenario is None) == (self.function is None):
            yield "study_subject", {}
        if self.function is not None:
            module, _, name = self.function.partition(":")
            if not module or not name:
                yield "study_function", {"found": self.function}
            if self.arms is not None:
                yield "study_function_arms", {}
        outcome = self.replications.outcome
        if outcome is not None and outcome not in self.outcomes:
            yield "study_stop_outcome", {"found": outcome, "options": ", ".join(self.outcomes)}

    def _designed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what the design does not go with."""
        if (self.samples is None) == (self.design in WITH_SAMPLES):
            yield "study_samples" if self.samples is None else "study_no_samples", {"design": self.design}
        if self.second_order and self.design != "sobol":
            yield "study_second_order", {}
        if self.constraints and self.design not in ("grid", "list", "lhs"):
            yield "study_constraints", {"design": self.design}
        if self.design in (*WITH_SAMPLES, "fractional") and not self.factors:
            yield "study_no_factors", {"design": self.design}

    def _lists(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield factors whose values do not make a grid or a list."""
        uneven = False
        for path, factor in self.factors.items():
            if self.design in ("grid", "list") and not factor.is_discrete:
                uneven = True
                yield "study_levels", {"path": path, "design": self.design}
            names = [json.dumps(value, sort_keys=True, default=str) for value in factor.levels or ()]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None and self.design != "list":
                yield "factor_twice", {"path": path, "found": twice}
        if self.design == "list" and not uneven:
            lengths = {len(factor.values) for factor in self.factors.values()}
            if len(lengths) > 1:
                yield "study_lengths", {"found": ", ".join(map(str, sorted(lengths)))}

    # ------------------------------------------------------------------ what is run

    @property
    def bases(self) -> dict[str, Scenario]:
        """The scenarios that points are made from, by arm; empty for a function.

        Raises
        ------
        ScenarioError
            If a scenario or an arm does not exist, or a setting is not allowed.
        """
        if "bases" not in self._cache:
            from churnsim.studies.arms import bases_of

            self._cache["bases"] = bases_of(self)
        return self._cache["bases"]

    @property
    def arm_names(self) -> tuple[str, ...]:
        """Names of the arms in order; a function has the one arm ``case``."""
        return tuple(self.bases) if self.function is None else (BASE_ARM,)

    @property
    def horizon(self) -> int:
        """Last tick of the runs; 0 for a function."""
        return next(iter(self.bases.values())).horizon if self.function is None else 0

    @property
    def kept(self) -> tuple[Outcome, ...]:
        """The outcomes, read."""
        if "kept" not in self._cache:
            items = self.outcomes.items()
            self._cache["kept"] = (
                tuple(Outcome(name, text, "function") for name, text in items)
                if self.function is not None
                else tuple(read_outcome(text, self.horizon, name) for name, text in items)
            )
        return self._cache["kept"]

    @property
    def shares_luck(self) -> str:
        """Which rows have the same seeds: all (``common``), or those of one block (``block``)."""
        return self.seeds or ("block" if self.design in IN_BLOCKS else "common")

    @property
    def points(self) -> Points:
        """The design's points."""
        if "points" not in self._cache:
            from churnsim.studies.points import points_of

            self._cache["points"] = points_of(self)
        return self._cache["points"]

    @property
    def groups(self) -> tuple[str, ...] | None:
        """Per factor its group, where any has one and the design knows groups; a factor without one is its own."""
        if self.design not in ("sobol", "morris") or not any(factor.group for factor in self.factors.values()):
            return None
        return tuple(factor.group or path for path, factor in self.factors.items())

    def check(self) -> None:
        """Raise StudyError where something is wrong with the study; see `churnsim.studies.checks`."""
        from churnsim.studies.checks import checked_plan

        checked_plan(self)

    # ------------------------------------------------------------------ identity

    def definition(self) -> dict[str, Any]:
        """Return the study as plain data; scenarios given as objects go by their names."""
        data = self.model_dump(mode="json", exclude={"scenario"}, exclude_defaults=True)
        if self.scenario is not None:
            data["scenario"] = [item if isinstance(item, str) else item.name for item in self.scenario]
        return data

    @property
    def key(self) -> str:
        """Hash of everything that decides what single runs are, 32 hexadecimal digits."""
        if "key" not in self._cache:
            content = {name: value for name, value in self.definition().items() if name not in NOT_CONTENT}
            content["scenario"] = {name: base.key for name, base in self.bases.items()}
            for name in ("set", "arms"):
                if self.function is None:
                    content.pop(name, None)  # part of what the bases are
            content["seeds"] = self.shares_luck
            self._cache["key"] = digest(content)
        return self._cache["key"]

    @property
    def id_hash(self) -> str:
        """Short form of `key`, for folder names."""
        return self.key[:8]

    def with_(self, **changes: Any) -> Study:
        """Return a copy with other values of the given fields, checked."""
        return Study(**{**{name: getattr(self, name) for name in self.model_fields_set}, **changes})

    def __hash__(self) -> int:
        return int(digest(self.definition())[:15], 16)

    def __getstate__(self) -> dict[Any, Any]:
        """Leave out what can be computed again."""
        return {**super().__getstate__(), "__pydantic_private__": {"_cache": {}}}

    def __repr__(self) -> str:
        subject = self.function or ", ".join(str(getattr(item, "name", item)) for item in self.scenario)
        return f"Study({self.name!r}, {subject}, {len(self.factors)} factors, {self.design}, id {self.id_hash})"

    __str__ = __repr__


def digest(content: Any) -> str:
    """Return a hash of plain data, 32 hexadecimal digits; the order of keys is of no matter."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    """Return what JSON does not know as what it knows."""
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{value!r} is not plain data")


def load_study(name_or_path: Any, lang: str | None = None) -> Study:
    """Read a study from a file, or a published one by its name; see `churnsim.studies.reading`."""
    from churnsim.studies.reading import read_study

    return read_study(name_or_path, lang)

"""What a lesson is made of, as plain, validated, immutable data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from churnsim.config.firms import Text, as_text
from churnsim.config.scenario import Arm, Claim
from churnsim.declarations import Record

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

CASE = "case"
Unit = Literal["percent", "points", "money", "number", "index"]
"""How a row is written: 0.3 as 30 %, 0.003 as 0.30 percentage points, money, a number, a number between 0 and 1."""


class Option(Record):
    """One answer that a class may give.

    Attributes
    ----------
    id : str
        Short name, part of links and of the record of a class.
    text : Text
        The answer.
    holds : str
        Comparison in the language of claims that is true in a run in which this answer is the right one.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    text: Text
    holds: str


class Line(Record):
    """A course over time that a class draws before it is run.

    Attributes
    ----------
    measure, firm : str
        A firm measure, and whose.
    arm : str
        Arm of the first experiment.
    low, high : float
        Ends of the axis that is drawn in, in the measure's unit; wide enough not to give the answer away.
    """

    measure: str
    firm: str
    arm: str = CASE
    low: float = 0.0
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Line:
        """Refuse an axis without room."""
        if not self.low < self.high:
            raise ValueError(f"an axis from {self.low:g} to {self.high:g} has no room to draw in")
        return self


class Prediction(Record):
    """The question that a class answers before anything is run.

    Attributes
    ----------
    prompt : Text
        The question.
    options : tuple of Option
        Answers, of which at most one is right in a run.
    answer : str
        The one that is right in most runs; the check of the lesson derives it anew and compares.
    line : Line or None
        What may be drawn besides; None where nothing has a course that is worth a guess.
    """

    prompt: Text
    options: tuple[Option, ...] = Field(min_length=2, max_length=6)
    answer: str
    line: Line | None = None

    @model_validator(mode="after")
    def _known_answer(self) -> Prediction:
        """Refuse an answer that is none of the options, and options of the same name."""
        names = [option.id for option in self.options]
        if self.answer not in names:
            raise ValueError(f"the answer '{self.answer}' is none of the options ({', '.join(names)})")
        if len(set(names)) < len(names):
            raise ValueError("two options have the same id")
        return self

    def option(self, name: str) -> Option:
        """Return an option by its id."""
        return next(option for option in self.options if option.id == name)


class Chart(Record):
    """What is drawn over time: a firm measure in the arms that are shown, of all firms or of some."""

    measure: str = "share"
    firms: tuple[str, ...] = ()


class Row(Record):
    """One line of the comparison: a quantity in the language of claims, with its name and how it is written."""

    label: Text
    value: str
    unit: Unit = "number"

    _label = field_validator("label", mode="before")(as_text)


class Experiment(Record):
    """What is run, what is looked at, and what must come out.

    Attributes
    ----------
    title : Text or None
        What this part of the lesson is about, where there are several.
    scenario : str
        Built-in scenario.
    set : dict
        Changes to it, by dotted path; smaller markets than the scenario's own are run faster.
    arms : dict of str to Arm
        Variants besides those that the scenario has.
    show : tuple of str
        Arms that the class sees, the first one first.
    seed : int
        Seed of the run that the class sees.
    stops : tuple of int
        Ticks at which playing pauses by itself.
    controls : tuple of str
        Dotted paths of the few settings to play with.
    chart, table
        What is compared.
    claims : tuple of Claim or str
        What must hold over many seeds; a text names a claim that the scenario itself makes.
    """

    title: Text | None = None
    scenario: str
    set: dict[str, Any] = Field(default_factory=dict)
    arms: dict[str, Arm] = Field(default_factory=dict)
    show: tuple[str, ...] = Field(default=(CASE,), min_length=1)
    seed: int = Field(default=1, ge=0)
    stops: tuple[int, ...] = ()
    controls: tuple[str, ...] = ()
    chart: Chart = Chart()
    table: tuple[Row, ...] = Field(min_length=1)
    claims: tuple[Claim | str, ...] = Field(min_length=1)

    _title = field_validator("title", mode="before")(as_text)

    _cache: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def plan(self) -> Scenario:
        """The scenario that is run, with the lesson's changes, arms and claims.

        Raises
        ------
        ScenarioError
            If a path, an arm or a claim does not fit the scenario.
        """
        from churnsim.lessons.loading import planned

        if "plan" not in self._cache:
            self._cache["plan"] = planned(self)
        return self._cache["plan"]

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Experiment:
        """Return a copy, which makes its own plan."""
        copied = super().model_copy(update=update, deep=deep)
        copied._cache = {}
        return copied

    def titles(self) -> dict[str, Text]:
        """Return what the arms that the class sees are called."""
        return {name: self.plan.case if name == CASE else self.plan.arms[name].title for name in self.show}


class Teacher(Record):
    """Notes for whoever teaches the lesson.

    Attributes
    ----------
    minutes : int
        Time that it takes in class.
    say, ask, caution : Text
        What to say when the result is on the screen; what to try next; where the model may be wrong or the course's
        numbers are slogans.
    """

    minutes: int = Field(ge=1, le=180)
    say: Text
    ask: Text
    caution: Text


class Lesson(Record):
    """One lesson: question, prediction, run, comparison, explanation.

    Attributes
    ----------
    id : str
        Name of its file.
    number : int
        Place in the course.
    title, course, question, explanation : Text
        `course` is what the course material says and where.
    concepts : tuple of str
        Concepts of the course that it is about (`churnsim concepts`).
    prediction : Prediction
    experiments : tuple of Experiment
        The first one answers the prediction.
    teacher : Teacher
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    number: int = Field(ge=1)
    title: Text
    course: Text
    concepts: tuple[str, ...]
    question: Text
    prediction: Prediction
    experiments: tuple[Experiment, ...] = Field(min_length=1)
    explanation: Text
    teacher: Teacher

    @property
    def main(self) -> Experiment:
        """The experiment that answers the prediction."""
        return self.experiments[0]

"""What is kept of every run: outcomes, written in the language of claims.

``share.eton`` is the value at the horizon, ``profit.nanyuan@85-96`` the mean over a window, and every expression of
`churnsim.expressions` that is a quantity works: ``max(share.eton@1-96)``, ``share.eton@24 - share.nanyuan@24``. Two
functions look at the course of a run: ``long_run(share.eton)`` is the mean once the run has settled, and
``crossover(share.nanyuan, share.eton)`` the first tick from which on the first stays ahead of the second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.expressions import DEFAULT_ARM, LOSS, MARKET, Expression, ExpressionError, Term, read_expression

if TYPE_CHECKING:
    from churnsim.records import RunRecord

_BARE = re.compile(r"(?<![\w.@\[])(?P<names>[^\W\d]\w*(?:\.[^\W\d]\w*){1,2})(?![\w.(@\[])")
"""A measure without a window."""
_LONG_RUN = re.compile(r"\s*long_run\s*\((?P<inner>[^()]*)\)\s*")
_CROSSOVER = re.compile(r"\s*crossover\s*\((?P<first>[^(),]*),(?P<second>[^(),]*)\)\s*")


@dataclass(frozen=True)
class Outcome:
    """One number that a study keeps of every run.

    Attributes
    ----------
    name : str
        Its column in tables: as written, or the name that the study gives it.
    text : str
        As written.
    form : {'value', 'long_run', 'crossover', 'function'}
        An expression; the mean after settling; the tick of a lasting lead; or what a function returns under that name.
    parts : tuple of Expression
        What is worked out: one expression, or the two that `crossover` compares.
    horizon : int
        Last tick of the runs.
    """

    name: str
    text: str
    form: str
    parts: tuple[Expression, ...] = ()
    horizon: int = 0

    @property
    def width(self) -> int:
        """How many numbers a run stores: one, or the whole course where settling is found out later."""
        return self.horizon if self.form == "long_run" else 1

    @property
    def terms(self) -> list[Term]:
        """Everything that is measured."""
        return [term for part in self.parts for term in part.terms.values()]

    def of(self, record: RunRecord) -> np.ndarray:
        """Return the numbers that a run stores, ``(width,) float64``."""
        values = _RecordValues(record)
        if self.form == "value":
            return np.atleast_1d(np.asarray(self.parts[0].evaluate(values), dtype=np.float64))
        courses = [_course(part, values) for part in self.parts]
        return courses[0] if self.form == "long_run" else np.array([float(lasting_lead(*courses))])


def lasting_lead(first: np.ndarray, second: np.ndarray) -> int:
    """Return the first tick of play from which on `first` stays above `second`.

    Parameters
    ----------
    first, second : (T,) float64
        Courses over ticks 1 to T; where either is missing nobody leads.

    Returns
    -------
    int
        T + 1 where the first does not lead at the end: the lead comes later than the run, if at all.
    """
    behind = np.flatnonzero(~(first > second))
    return int(behind[-1]) + 2 if behind.size else 1


def _course(expression: Expression, values: _RecordValues) -> np.ndarray:
    """Return an expression of single ticks as a course over ticks 1 to the horizon, ``(T,) float64``."""

    class OneTick:
        """Values with ticks in the place of seeds, so that an expression is worked out tick by tick."""

        def __call__(self, term: Term) -> np.ndarray:
            return values.between(term, 1, term.last).T

    return np.asarray(expression.evaluate(OneTick()), dtype=np.float64).reshape(-1)


class _RecordValues:
    """Values of terms in one run."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.first_tick = int(record.ticks[0])

    def __call__(self, term: Term) -> np.ndarray:
        """Return a term's values, ``(1, ticks)``."""
        return self.between(term, term.first, term.last)

    def between(self, term: Term, first: int, last: int) -> np.ndarray:
        """Return what a term measures over a window, ``(1, ticks)``."""
        rows = slice(first - self.first_tick, last - self.first_tick + 1)
        record = self.record
        if term.firm == MARKET:
            return record.market[term.measure][rows][np.newaxis]
        j = record.firms.index(term.firm)
        if term.measure == LOSS:
            from churnsim.causes import CAUSE_NAMES

            return record.primary[rows, j, CAUSE_NAMES.index(str(term.cause))].astype(np.float64)[np.newaxis]
        table = record.measures if term.measure in record.measures else record.dealings
        return np.asarray(table[term.measure][rows, j], dtype=np.float64)[np.newaxis]


def read_outcome(text: str, horizon: int, name: str | None = None) -> Outcome:
    """Read an outcome; raise ExpressionError where it is none.

    Parameters
    ----------
    text
        As written.
    horizon
        Last tick: the window of a measure that has none.
    name
        What to call it, by default the text.
    """
    label = name or text.strip()
    if match := _LONG_RUN.fullmatch(text):
        return Outcome(label, text, "long_run", (_tick_by_tick(match["inner"], horizon),), horizon)
    if match := _CROSSOVER.fullmatch(text):
        parts = tuple(_tick_by_tick(match[side], horizon) for side in ("first", "second"))
        return Outcome(label, text, "crossover", parts, horizon)
    expression = read_expression(_windowed(text, horizon))
    if expression.is_statement:
        raise ExpressionError("an outcome is a quantity, without a comparison")
    if not expression.terms:
        raise ExpressionError("an outcome measures something, such as share.eton or profit.eton@85-96")
    _refuse_arms(expression)
    return Outcome(label, text, "value", (expression,), horizon)


def _tick_by_tick(text: str, horizon: int) -> Expression:
    """Read what `long_run` and `crossover` follow through time: a quantity without windows and reductions."""
    if "@" in text:
        raise ExpressionError("long_run and crossover follow a measure through time; leave out the window (@)")
    expression = read_expression(_windowed(text, horizon))
    if expression.is_statement or not expression.terms or "(" in text:
        raise ExpressionError("long_run and crossover take a measure, such as share.eton")
    _refuse_arms(expression)
    return expression


def _windowed(text: str, horizon: int) -> str:
    """Give every measure without a window the horizon as its window."""
    return _BARE.sub(lambda match: f"{match['names']}@{horizon}", text)


def _refuse_arms(expression: Expression) -> None:
    """Refuse to compare arms: a run has one of them, and what compares them is worked out from the store."""
    for term in expression.terms.values():
        if term.arm != DEFAULT_ARM:
            raise ExpressionError("an outcome is measured within one run; arms are compared afterwards")


def vector_of(outcomes: Sequence[Outcome]) -> Callable[[Any], np.ndarray]:
    """Return a function that takes everything a study keeps from a record, one outcome after another."""
    return lambda record: np.concatenate([outcome.of(record) for outcome in outcomes])

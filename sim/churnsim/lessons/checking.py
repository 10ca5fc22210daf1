"""Running lessons: what the class sees, and whether the claims hold over many seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.claims import ResultValues, arms_of, check_claims
from churnsim.config.scenario import Claim
from churnsim.expressions import DEFAULT_ARM, Expression, read_expression

if TYPE_CHECKING:
    from churnsim.lessons.records import Experiment, Lesson
    from churnsim.results import Result

PREDICTION = "prediction"
"""Id of the claim that the lesson's answer is the right one."""

NEEDED = 0.9
"""Fraction of the seeds in which the answer must be the right one."""

SPREAD = (5, 95)
"""Percentiles over the runs that stand beside a mean."""


def compared(experiment: Experiment, result: Result) -> list[dict[str, Any]]:
    """Work out the comparison of an experiment on runs.

    Parameters
    ----------
    experiment
        Part of a lesson.
    result
        Runs of the arms that its table speaks of (`arms_compared`).

    Returns
    -------
    list of dict
        Per row: ``label`` (Text), ``unit``, ``mean``, ``low`` and ``high`` (5 and 95 % of the runs). What is undefined
        in some runs is left out of them; what is undefined in all is NaN.
    """
    values = ResultValues(result, experiment.plan.name)
    rows = []
    for row in experiment.table:
        found = np.broadcast_to(read_expression(row.value).evaluate(values), values.seeds.shape)
        known = found[np.isfinite(found)]
        low, high = np.percentile(known, SPREAD) if known.size else (np.nan, np.nan)
        mean = known.mean() if known.size else np.nan
        rows.append({"label": row.label, "unit": row.unit, "mean": float(mean), "low": float(low), "high": float(high)})
    return rows


def chosen(lesson: Lesson, result: Result) -> dict[str, float]:
    """Return in which fraction of the runs each answer to the prediction is the right one.

    Parameters
    ----------
    lesson
        The lesson.
    result
        Runs of its first experiment, of the arms that the answers speak of (`arms_compared`).
    """
    values = ResultValues(result, lesson.main.plan.name)
    return {
        option.id: float(np.broadcast_to(read_expression(option.holds).evaluate(values), values.seeds.shape).mean())
        for option in lesson.prediction.options
    }


def arms_compared(lesson: Lesson, experiment: Experiment, *, claims: bool = False) -> list[str]:
    """Return the arms of an experiment that its table, its prediction and (where asked) its claims speak of."""
    spoken = set(experiment.show)
    for row in experiment.table:
        spoken |= _arms(read_expression(row.value))
    if experiment is lesson.main:
        for option in lesson.prediction.options:
            spoken |= _arms(read_expression(option.holds))
    if claims:
        for claim in experiment.plan.claims:
            spoken |= arms_of(claim)
    return [name for name in experiment.plan.arm_names if name in spoken]


def _arms(expression: Expression) -> set[str]:
    """Return the arms that an expression speaks of."""
    return {term.arm for term in expression.terms.values()} or {DEFAULT_ARM}


def runs(
    lesson: Lesson,
    experiment: Experiment,
    seeds: Sequence[int],
    *,
    claims: bool = False,
    jobs: int | None = None,
    progress: bool | Callable[[int, int], None] | None = None,
) -> Result:
    """Run the arms that an experiment needs."""
    from churnsim.running import run

    plan = experiment.plan
    arms = [plan.arm(name) for name in arms_compared(lesson, experiment, claims=claims)]
    return run(arms, seeds, jobs=jobs, progress=progress)


def check(
    lesson: Lesson,
    seeds: Sequence[int] = range(1, 201),
    *,
    lang: str = "en",
    jobs: int | None = None,
    progress: bool | Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Run a lesson over many seeds and say which of its claims hold.

    Parameters
    ----------
    lesson
        The lesson.
    seeds
        Seeds of the runs.
    lang
        Language of the claims' texts.
    jobs, progress
        As for `churnsim.run`.

    Returns
    -------
    list of dict
        First the claim ``prediction``: that the lesson's answer is right in at least nine runs of ten, and none of the
        other answers more often. Then the claims of every experiment, as `churnsim.claims.check_claims` returns them.
    """
    verdicts: list[dict[str, Any]] = []
    for experiment in lesson.experiments:
        result = runs(lesson, experiment, seeds, claims=True, jobs=jobs, progress=progress)
        if experiment is lesson.main:
            verdicts.append(_predicted(lesson, result, lang))
        verdicts += check_claims(experiment.plan, result, lang)
    return verdicts


def _predicted(lesson: Lesson, result: Result, lang: str) -> dict[str, Any]:
    """Return whether the answer of the lesson is the right one in these runs."""
    answer = lesson.prediction.option(lesson.prediction.answer)
    fractions = chosen(lesson, result)
    claim = Claim(id=PREDICTION, text=answer.text, holds=answer.holds, needed=NEEDED)
    plan = lesson.main.plan.model_copy(update={"claims": (claim,)})
    (verdict,) = check_claims(plan, result, lang)
    best = max(fractions, key=fractions.__getitem__)
    return {**verdict, "holds": verdict["holds"] and best == answer.id}

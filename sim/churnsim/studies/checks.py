"""Whether a study can be run: every path, value, outcome and condition is looked at before anything runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from churnsim.claims import term_problems
from churnsim.config.errors import Keys, Problem, ScenarioError, nearest
from churnsim.config.paths import read, written
from churnsim.dealing_measures import PER_FIRM
from churnsim.expressions import ExpressionError
from churnsim.ledger_terms import is_of_ledger
from churnsim.scenario import Scenario
from churnsim.studies.conditions import read_condition
from churnsim.studies.errors import StudyError, StudyProblem
from churnsim.studies.factors import Factor
from churnsim.studies.outcomes import Outcome, read_outcome
from churnsim.studies.plan import Plan
from churnsim.studies.study import Study

RESOLVED_AT_ONCE = 400
"""Points and arms up to which every scenario is made before anything runs; of more, the corners are."""

FIXED_LENGTH = frozenset({"horizon", "burn_in"})
"""What gives a run its length, which all runs of a study share."""


def checked_plan(study: Study) -> Plan:
    """Return a study's plan; raise StudyError with everything that is wrong with the study.

    Raises
    ------
    StudyError
        If a path leads nowhere, a value is not allowed, an outcome is none, or some point is no scenario.
    """
    if "plan" not in study._cache:
        try:
            _ = study.bases
        except ScenarioError as error:
            raise StudyError([*error.errors, *_texts_problems(study)], error.sources) from None
        problems = list(study_problems(study))
        if problems:
            raise StudyError(problems)
        plan = Plan(study)
        problems = [] if study.function is not None else list(_point_problems(plan))
        if problems:
            raise StudyError(problems)
        study._cache["plan"] = plan
    return study._cache["plan"]


def study_problems(study: Study) -> Iterator[Problem]:
    """Yield what is wrong with a study whose scenarios can be made, apart from its single points."""
    bases = study.bases
    if study.function is not None:
        yield from _function_problems(study)
    paths = set(study.factors)
    for path, factor in study.factors.items():
        at: Keys = ("factors", path)
        yield from _factor_problems(path, factor, bases, at) if bases else ()
        for place, other in enumerate(factor.also):
            if other in paths:
                yield StudyProblem("also_factor", (*at, "also", place), {"found": other})
            elif study.function is None:
                yield from _factor_problems(other, factor, bases, (*at, "also", place))
        if factor.when is not None:
            yield from _condition_problems(factor.when, paths - {path}, study, (*at, "when"))
    for place, text in enumerate(study.constraints):
        yield from _condition_problems(text, paths, study, ("constraints", place))
    if study.function is None:
        for place, (name, text) in enumerate(study.outcomes.items()):
            yield from _outcome_problems(study, name, text, place)
    stop = study.replications.outcome or next(iter(study.outcomes))
    if study.replications.is_sequential and study.outcomes[stop].strip().startswith("long_run"):
        yield StudyProblem("stop_long_run", ("replications",), {"found": stop})


def _texts_problems(study: Study) -> Iterator[Problem]:
    """Tell of conditions that cannot be read, which needs no scenario."""
    texts: list[tuple[Keys, str]] = []
    texts += [(("factors", path, "when"), factor.when) for path, factor in study.factors.items() if factor.when]
    texts += [(("constraints", place), text) for place, text in enumerate(study.constraints)]
    for at, text in texts:
        try:
            read_condition(text)
        except ExpressionError as error:
            yield StudyProblem("expression", at, {"found": text, "reason": str(error)})


def _function_problems(study: Study) -> Iterator[Problem]:
    """Tell of a function that cannot be found."""
    from churnsim.studies.functions import FunctionError, function_of

    try:
        function_of(str(study.function))
    except FunctionError as error:
        yield StudyProblem("no_function", ("function",), {"found": study.function, "reason": str(error)})


def _factor_problems(path: str, factor: Factor, bases: dict[str, Scenario], at: Keys) -> Iterator[Problem]:
    """Tell of a path that leads nowhere, and of values that a setting cannot have."""
    if path in FIXED_LENGTH:
        yield StudyProblem("fixed_length", at, {"found": path})
        return
    for arm, base in bases.items():
        problems: list[Problem] = []
        written(base, {path: None}, problems, ("factors",))
        if problems and factor.when is not None and arm != next(iter(bases)):
            continue  # the condition may leave it out in this arm; its points are checked
        for problem in problems:
            told = replace(problem, keys=at)
            yield told if len(bases) == 1 else _in_arm(told, arm)
        if problems:
            return
        found = list(_value_problems(base, path, factor, at))
        yield from found
        if found:
            return


def _in_arm(problem: Problem, arm: str) -> Problem:
    """Say in which arm a path leads nowhere."""
    owner = problem.details.get("owner")
    return replace(problem, details={**problem.details, "owner": f"{owner}, arm {arm}" if owner else f"arm {arm}"})


def _value_problems(base: Scenario, path: str, factor: Factor, at: Keys) -> Iterator[Problem]:
    """Try a factor's outermost values, and levels that are no numbers, one by one."""
    for keys, value in _tried(factor):
        try:
            base.set({path: value})
        except ScenarioError as error:
            first = error.errors[0]
            if first.code != "rule" and (first.path == path or first.path.startswith(f"{path}.")):
                yield replace(first, keys=(*at, *keys))
            # Anything else is a contradiction with other settings, which the point itself may not have.


def _tried(factor: Factor) -> Iterator[tuple[Keys, Any]]:
    """Yield the values of a factor that are tried, with where they stand."""
    if factor.levels is None:
        low, high = factor.bounds
        count = len(getattr(factor, factor.form))
        whole = factor.integers is not None
        if factor.normal is not None:
            yield (factor.form,), low
            yield (factor.form,), high
        else:
            yield (factor.form, 0), int(low) if whole else low
            yield (factor.form, count - 1), int(high) if whole else high
        return
    if factor.is_number:
        places: Iterable[int] = sorted({factor.levels.index(bound) for bound in factor.bounds})
    else:
        places = range(len(factor.levels))
    for place in places:
        yield ("levels", place), factor.levels[place]


def _condition_problems(text: str, paths: set[str], study: Study, at: Keys) -> Iterator[Problem]:
    """Tell of a condition that cannot be read or speaks of what there is not."""
    try:
        condition = read_condition(text)
    except ExpressionError as error:
        yield StudyProblem("expression", at, {"found": text, "reason": str(error)})
        return
    for name in sorted(condition.names - paths - {"arm"}):
        if study.function is not None:
            if name not in study.set:
                options = (*sorted(paths), *study.set, "arm")
                yield StudyProblem("no_factor", at, {"found": name, "near": nearest(name, options), "options": options})
            continue
        for base in study.bases.values():
            try:
                value = read(base, name)
            except KeyError:
                options = (*sorted(paths), "arm")
                yield StudyProblem("no_factor", at, {"found": name, "near": nearest(name, options), "options": options})
                break
            value = getattr(value, "value", value)
            if not isinstance(value, (int, float, str)):
                yield StudyProblem("no_number", at, {"found": name})
                break


def _outcome_problems(study: Study, name: str, text: str, place: int) -> Iterator[Problem]:
    """Tell of an outcome that cannot be read or measures what there is not."""
    at: Keys = ("outcomes", name if name != text.strip() else place)
    try:
        outcome: Outcome = read_outcome(text, study.horizon, name)
    except ExpressionError as error:
        yield StudyProblem("expression", at, {"found": text, "reason": str(error)})
        return
    for arm, base in study.bases.items():
        found: list[Problem] = []
        for term in outcome.terms:
            if is_of_ledger(term):
                found.append(StudyProblem("ledger_outcome", at, {"found": term.measure}))
            elif term.measure in PER_FIRM and not base.knows(term.measure):
                found.append(StudyProblem("unknown_money", at, {"found": term.measure, "money": base.money}))
            else:
                found += [_plainer(problem, study.horizon) for problem in term_problems(term, base, at)]
        if found:
            yield from found if len(study.bases) == 1 or arm == next(iter(study.bases)) else found[:1]
            return


def _plainer(problem: Problem, horizon: int) -> Problem:
    """Leave the window out of advice where the horizon is meant."""
    instead = problem.details.get("instead")
    if isinstance(instead, str):
        return replace(problem, details={**problem.details, "instead": instead.removesuffix(f"@{horizon}")})
    return problem


def _point_problems(plan: Plan) -> Iterator[Problem]:
    """Make the scenarios of all points, or of the corners of a large design; tell of the first few that are none."""
    count = len(plan.points)
    if plan.cells <= RESOLVED_AT_ONCE:
        places = list(range(count))
    else:
        places = sorted({round(i * (count - 1) / 49) for i in range(50)} | set(_corners(plan)))
    told = 0
    for arm in plan.arms:
        base = plan.study.bases[arm]
        for point in places:
            changes = plan.points.changes(point, arm)
            if not changes:
                continue
            try:
                base.set(changes)
            except ScenarioError as error:
                first = error.errors[0]
                where = ", ".join(f"{path} = {value}" for path, value in changes.items())
                details = {"point": point, "arm": arm, "where": where, "reason": first}
                yield StudyProblem("point", _blamed(first, changes), details)
                told += 1
                if told == 5:
                    return


def _corners(plan: Plan) -> Iterator[int]:
    """Yield the points at which single factors are outermost."""
    for path in plan.points.columns:
        values = plan.points.columns[path]
        if len(values) and math.isfinite(float(values.min())):
            yield int(values.argmin())
            yield int(values.argmax())


def _blamed(problem: Problem, changes: dict[str, Any]) -> Keys:
    """Return the factor that a point's problem is about, as far as it is one."""
    path = next((path for path in changes if problem.path == path or problem.path.startswith(f"{path}.")), None)
    return ("factors",) if path is None else ("factors", path)

"""The arms of a study: the scenarios that its points are made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from churnsim.config.errors import Keys, Problem, ScenarioError
from churnsim.scenario import BASE_ARM, Scenario
from churnsim.studies.errors import StudyError, StudyProblem

if TYPE_CHECKING:
    from churnsim.studies.study import Study


def bases_of(study: Study) -> dict[str, Scenario]:
    """Return every arm as a scenario of its own, without arms and claims, in order; nothing for a function."""
    if study.function is not None:
        return {}
    given = [_parts(item) for item in study.scenario]
    bases: dict[str, Scenario] = {}
    problems: list[Problem] = []
    sources: dict[str, str] = {}
    for place, (item, arm) in enumerate(given):
        at: Keys = ("scenario",) if len(given) == 1 else ("scenario", place)
        with _collected(problems, sources):
            with about(*at):
                scenario = _loaded(item)
            with about("set"):
                scenario = scenario.set(study.set)
            wanted = {arm: None} if study.arms is None or arm != BASE_ARM else study.arms
            if study.arms is not None and arm != BASE_ARM:
                raise StudyError([StudyProblem("arm_twice", at, {"found": arm})])
            for name, changes in wanted.items():
                short = len(given) == 1 or (study.arms is None and _distinct(given))
                label = name if short else f"{scenario.id}/{name}"
                if label in bases:
                    raise StudyError([StudyProblem("arm_again", at, {"found": label})])
                with _collected(problems, sources):
                    bases[label] = _made(scenario, name, changes, ("arms", name) if study.arms is not None else at)
    if problems:
        raise StudyError(problems, sources)
    horizons = {base.horizon for base in bases.values()}
    if len(horizons) > 1:
        found = ", ".join(f"{name} {base.horizon}" for name, base in bases.items())
        raise StudyError([StudyProblem("horizons", ("scenario",), {"found": found})])
    if study.baseline is not None and study.baseline not in bases:
        from churnsim.config.errors import nearest

        options = tuple(bases)
        details = {"found": study.baseline, "near": nearest(study.baseline, options), "options": options}
        raise StudyError([StudyProblem("no_arm", ("baseline",), details)])
    return bases


def _parts(item: str | Scenario) -> tuple[str | Scenario, str]:
    """Split ``scenario/arm``; a path to a file keeps its slashes."""
    if isinstance(item, Scenario):
        return item, BASE_ARM
    head, slash, tail = item.rpartition("/")
    if slash and tail.isidentifier():
        return head, tail
    return item, BASE_ARM


def _distinct(given: list[tuple[str | Scenario, str]]) -> bool:
    """Tell whether arms of several scenarios can go by their own names."""
    names = [arm for _, arm in given]
    return len(set(names)) == len(names)


def _loaded(item: str | Scenario) -> Scenario:
    """Read a scenario, unless it is one."""
    if isinstance(item, Scenario):
        return item
    from churnsim.config.loading import load

    return load(item)


def _made(scenario: Scenario, name: str, changes: dict[str, Any] | None, at: Keys) -> Scenario:
    """Return one arm: the scenario's own, or the scenario with the study's changes."""
    with about(*at):
        made = scenario.arm(name) if changes is None else scenario.set(changes)
    return made.model_copy(update={"arms": {}, "claims": (), "name": name})


@contextmanager
def _collected(problems: list[Problem], sources: dict[str, str]) -> Iterator[None]:
    """Keep what is wrong with a part inside the block, and go on with the next part."""
    try:
        yield
    except StudyError as error:
        problems += error.errors
        sources |= error.sources


@contextmanager
def about(*keys: str | int) -> Iterator[None]:
    """Point what is wrong with a scenario inside the block at a place of the file that asked for it."""
    try:
        yield
    except ScenarioError as error:
        problems = [
            problem
            if problem.file is not None and problem.line is not None
            else replace(problem, keys=_kept(keys, problem))
            for problem in error.errors
        ]
        raise StudyError(problems, error.sources, error.lang) from None


def market_of(scenario: Scenario | str, settings: Mapping[str, Any]) -> Scenario:
    """Return a scenario with a file's settings, without arms and claims; problems point at ``scenario`` and ``set``."""
    with about("scenario"):
        loaded = _loaded(scenario)
    with about("set"):
        changed = loaded.set(settings)
    return changed.model_copy(update={"arms": {}, "claims": ()})


def _kept(keys: Keys, problem: Problem) -> Keys:
    """Return the place, and below it the dotted path, or the part of a strategy, that the problem is about."""
    if "strategy" in problem.keys and "strategies" in keys:
        return (*keys, *problem.keys[problem.keys.index("strategy") + 1 :])
    dotted = [key for key in problem.keys if isinstance(key, str) and "." in key] or [problem.path]
    return keys if dotted[-1] in ("", *keys) else (*keys, dotted[-1])

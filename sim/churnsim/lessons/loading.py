"""Reading lessons: the built-in ones by name, others from a file."""

from __future__ import annotations

import os
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from churnsim.config.errors import Keys, Problem, ScenarioError, nearest
from churnsim.config.yaml_lines import Source, read_source
from churnsim.lessons.records import Experiment, Lesson

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

SUFFIXES = (".yaml", ".yml")


def _folder() -> Path:
    """Return the folder of the built-in lessons."""
    return Path(str(resources.files("churnsim.lessons")))


@cache
def lesson_ids() -> tuple[str, ...]:
    """Return the names of the built-in lessons in the order of the course."""
    return tuple(lesson.id for lesson in sorted(map(_read, _folder().glob("*.yaml")), key=lambda one: one.number))


def load_lesson(name: str | os.PathLike[str]) -> Lesson:
    """Return a lesson.

    Parameters
    ----------
    name
        Name or number of a built-in lesson, or path of a ``.yaml`` file.

    Raises
    ------
    ScenarioError
        If there is no such lesson, or its file is not one; with line and column.
    """
    said = os.fspath(name)
    if said.lower().endswith(SUFFIXES):
        return _read(Path(said).expanduser())
    ids = lesson_ids()
    if said.isdecimal() and 1 <= int(said) <= len(ids):
        said = ids[int(said) - 1]
    if said not in ids:
        raise ScenarioError([Problem("no_lesson", (), {"found": said, "near": nearest(said, ids), "options": ids})])
    return _read(_folder() / f"{said}.yaml")


@cache
def _read(path: Path) -> Lesson:
    """Read a lesson's file."""
    source = read_source(path, path.name)
    data = {"id": path.stem, **source.data}
    try:
        return Lesson.model_validate(data)
    except ValidationError as error:
        problems = [_placed(_problem(item), source) for item in error.errors(include_url=False)]
        raise ScenarioError(problems, {source.file: source.text}) from None


def _problem(item: Any) -> Problem:
    """Return one of pydantic's findings as a problem."""
    keys: Keys = tuple(key for key in item["loc"] if key not in ("Claim", "str"))
    if item["type"] == "missing":
        return Problem("missing", keys, {"found": keys[-1]})
    if item["type"] == "extra_forbidden":
        return Problem("unknown", keys, {"found": keys[-1]})
    return Problem("rule", keys, {"reason": item["msg"].removeprefix("Value error, ")})


def _placed(problem: Problem, source: Source) -> Problem:
    """Give a problem the line and column of what it is about, or of what that stands in."""
    from dataclasses import replace

    for depth in range(len(problem.keys), -1, -1):
        keys = problem.keys[:depth]
        place = source.keys.get(keys) or source.values.get(keys)
        if place is not None:
            return replace(problem, file=place.file, line=place.line, column=place.column)
    return replace(problem, file=source.file, line=1, column=1)


def planned(experiment: Experiment) -> Scenario:
    """Return an experiment's scenario with its changes, arms and claims; see `Experiment.plan`."""
    from churnsim.claims import claim_problems
    from churnsim.config.loading import load
    from churnsim.scenario import build

    base = load(experiment.scenario)
    own = {claim.id: claim for claim in base.claims}
    problems: list[Problem] = []
    claims = []
    for place, claim in enumerate(experiment.claims):
        if isinstance(claim, str) and claim not in own:
            details = {"found": claim, "near": nearest(claim, own), "options": tuple(own)}
            problems.append(Problem("no_claim", ("claims", place), details))
        else:
            claims.append(own[claim] if isinstance(claim, str) else claim)
    changed = base.set(experiment.set)
    # What the scenario's other arms set may not fit the changes; whoever needs such an arm is told so below.
    inherited = {name: arm for name, arm in changed.arms.items() if not changed.build_arm(name)[1]}
    arms = {**inherited, **experiment.arms}
    content = {name: getattr(changed, name) for name in type(changed).model_fields}
    plan, found = build({**content, "arms": arms, "claims": tuple(claims)})
    problems += found
    if plan is not None:
        problems += claim_problems(plan)
        for name in plan.arms:
            problems += plan.build_arm(name)[1]
    if problems or plan is None:
        raise ScenarioError(problems)
    return plan

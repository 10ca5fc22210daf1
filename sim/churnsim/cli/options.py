"""Read what the command line says about seeds, settings and moves."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from churnsim.cli.session import BadInputError, Session
from churnsim.config.errors import Problem, ScenarioError
from churnsim.i18n import number

if TYPE_CHECKING:
    from churnsim.scenario import Scenario


MOST_SEEDS = 100_000
"""More runs than anyone waits for: more likely a slip of the finger."""


def read_seeds(session: Session, written: str) -> list[int]:
    """Return the seeds of ``50`` (1 to 50) or ``3-7``."""
    match = re.fullmatch(r"\s*(\d{1,19})\s*(?:-\s*(\d{1,19})\s*)?", written)
    if match is None:
        raise BadInputError(session.say("options.seeds", written=written))
    first, last = (1, int(match[1])) if match[2] is None else (int(match[1]), int(match[2]))
    if last < first or last >= 2**63:
        raise BadInputError(session.say("options.seeds", written=written))
    if last - first + 1 > MOST_SEEDS:
        raise BadInputError(session.say("options.too_many_seeds", written=written, most=number(MOST_SEEDS)))
    return list(range(first, last + 1))


def name_seeds(seeds: Sequence[int]) -> str:
    """Return seeds in the way that `read_seeds` reads, where they are consecutive."""
    if len(seeds) > 1 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]}-{seeds[-1]}"
    return ", ".join(str(seed) for seed in seeds)


def with_changes(
    session: Session,
    scenario: Scenario,
    *,
    customers: int | None,
    horizon: int | None,
    settings: Sequence[str],
    moves: Sequence[str],
) -> Scenario:
    """Return the scenario with the command line's settings and moves; all that is wrong with them at once."""
    changes = dict(_assignment(session, setting, "--set") for setting in settings)
    if customers is not None:
        changes["customers.count"] = customers
    if horizon is not None:
        changes["horizon"] = horizon
    dated = [_move(session, written) for written in moves]
    problems: list[Problem] = []
    changed = _tried(problems, scenario.set, changes)
    if changed is None:
        # A path that leads nowhere hides what is wrong with other values: each is tried alone as well.
        for path, value in changes.items():
            _tried(problems, scenario.set, {path: value})
    scenario = changed or scenario
    for tick, dated_changes, note in dated:
        scenario = _tried(problems, scenario.move, tick, dated_changes, note=note) or scenario
    if problems:
        raise ScenarioError(list({problem.line_in("en"): problem for problem in problems}.values()))
    return scenario


def typed(
    scenario: str,
    *,
    customers: int | None = None,
    horizon: int | None = None,
    settings: Sequence[str] = (),
    moves: Sequence[str] = (),
) -> str:
    """Return a scenario and its changes as they can be typed again behind a command."""
    changes = [*settings]
    changes += [] if customers is None else [f"customers.count={customers}"]
    changes += [] if horizon is None else [f"horizon={horizon}"]
    words = [scenario, *(word for change in changes for word in ("--set", change))]
    return shlex.join([*words, *(word for move in moves for word in ("--move", move))])


def _tried(problems: list[Problem], attempt: Callable[..., Scenario], *given: Any, **options: Any) -> Scenario | None:
    """Return what an attempt makes, or None and its problems added to the others."""
    try:
        return attempt(*given, **options)
    except ScenarioError as error:
        problems += error.errors
        return None


def _move(session: Session, written: str) -> tuple[int, dict[str, Any], str | None]:
    """Return tick, changes by dotted path, and note of a move written ``tick=8 firms.eton.price=225``."""
    try:
        words = shlex.split(written)
    except ValueError:
        raise BadInputError(session.say("options.move", written=written)) from None
    parts = dict(_assignment(session, word, "--move") for word in words)
    tick, firm, note = (parts.pop(name, None) for name in ("tick", "firm", "note"))
    if type(tick) is not int or not parts:
        raise BadInputError(session.say("options.move", written=written))
    changes = {(f"firms.{firm}.{path}" if firm else path): value for path, value in parts.items()}
    return tick, changes, None if note is None else str(note)


def _assignment(session: Session, written: str, option: str) -> tuple[str, Any]:
    """Split ``path=value``; the value is read as in a scenario file."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path, equals, value = written.partition("=")
    if not equals or not path.strip():
        raise BadInputError(session.say("options.assignment", option=option, written=written))
    try:
        return path.strip(), YAML(typ="safe", pure=True).load(value)
    except YAMLError:
        raise BadInputError(session.say("options.assignment", option=option, written=written)) from None

"""Reading what a browser asks for: plain data in, a checked scenario and a seed out.

Nothing of it is ever evaluated. Values reach a scenario only through its own validation, and what is wrong
comes back as sentences in the visitor's language.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from churnsim.config.errors import ScenarioError
from churnsim.i18n import LANGUAGES, number, text

if TYPE_CHECKING:
    from churnsim.scenario import Scenario
    from churnsim.web.catalogue import Catalogue
    from churnsim.web.limits import Limits

MOST_SEED = 2**53 - 1
"""Largest whole number that a browser can say exactly."""

LONGEST = 200
"""Characters of a text given as a value."""


class RefusalError(Exception):
    """A request that is not granted.

    Parameters
    ----------
    status
        HTTP status, 400 ... 499.
    key
        Text of `web.error`.
    **values
        What stands for its placeholders.
    """

    def __init__(self, status: int, key: str, /, **values: Any) -> None:
        super().__init__(key)
        self.status, self.key, self.values = status, key, values
        self.problems: list[dict[str, Any]] = []

    def as_dict(self, lang: str) -> dict[str, Any]:
        """Return what the browser is told."""
        return {
            "error": self.key,
            "message": text(f"web.error.{self.key}", lang, **self.values),
            "problems": self.problems,
        }


@dataclass(frozen=True)
class Ask:
    """One run that somebody asks for."""

    scenario: Scenario
    seed: int

    @property
    def key(self) -> str:
        """Hash of everything that changes the run."""
        return f"{self.scenario.key}-{self.seed}"


def read_json(body: bytes) -> dict[str, Any]:
    """Return a request's body, which must be one JSON object."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise RefusalError(400, "not_json") from None
    if not isinstance(value, dict):
        raise RefusalError(400, "not_json")
    return value


def _refuse_constant(name: str) -> Any:
    """Refuse NaN and infinities, which JSON does not know."""
    raise ValueError(name)


def language_of(value: Any) -> str:
    """Return the language of the answer."""
    return value if isinstance(value, str) and value in LANGUAGES else "en"


def read_ask(given: dict[str, Any], catalogue: Catalogue, limits: Limits, lang: str) -> Ask:
    """Return the run that a request describes.

    Parameters
    ----------
    given
        ``scenario`` (id), and where wanted ``arm``, ``set`` (values by dotted path), ``moves`` (a list of
        ``{"tick", "changes"}``) and ``seed``.
    catalogue
        What there is to run.
    limits
        What is granted.
    lang
        Language of the complaints.
    """
    scenario = read_scenario(given, catalogue, limits, lang)
    seed = given.get("seed", scenario.seed)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MOST_SEED:
        raise RefusalError(422, "seed", most=number(MOST_SEED))
    check_size(scenario, limits)
    return Ask(scenario, seed)


def read_scenario(given: dict[str, Any], catalogue: Catalogue, limits: Limits, lang: str) -> Scenario:
    """Return the scenario that a request describes."""
    name, arm = given.get("scenario"), given.get("arm", "case")
    if not isinstance(name, str) or not isinstance(arm, str):
        raise RefusalError(422, "no_scenario", name="")
    base = catalogue.scenario(name)
    changes = _changes(given.get("set", {}), limits)
    moves = given.get("moves", [])
    if not isinstance(moves, list) or len(moves) > limits.moves:
        raise RefusalError(422, "moves", most=limits.moves)
    # A market too large is refused by its number, before anything is made of it.
    count = changes.get("customers.count", 0)
    if isinstance(count, (int, float)) and count > limits.customers:
        raise RefusalError(422, "customers", most=number(limits.customers))
    try:
        plan = base.arm(arm) if arm in base.arm_names else _no_arm(arm)
        if changes:
            plan = plan.set(changes)
        for move in moves:
            if not isinstance(move, dict):
                raise RefusalError(422, "moves", most=limits.moves)
            tick = move.get("tick")
            if isinstance(tick, bool) or not isinstance(tick, int) or not 1 <= tick <= limits.ticks:
                raise RefusalError(422, "move_tick", most=limits.ticks)
            plan = plan.move(tick, _changes(move.get("changes"), limits))
    except ScenarioError as error:
        raise refused(error, lang) from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise RefusalError(422, "values") from None
    return plan


def refused(error: ScenarioError, lang: str) -> RefusalError:
    """Return a scenario's problems as a refusal."""
    refusal = RefusalError(422, "problems")
    refusal.problems = [{"path": problem.path, "message": problem.message_in(lang)} for problem in error.errors[:20]]
    return refusal


def _no_arm(arm: str) -> Scenario:
    """Refuse an arm that there is not."""
    raise RefusalError(422, "no_arm", name=arm[:60])


def _changes(given: Any, limits: Limits) -> dict[str, Any]:
    """Return values by dotted path: numbers, truth values and short texts."""
    if not isinstance(given, dict) or len(given) > limits.moves:
        raise RefusalError(422, "values")
    for path, value in given.items():
        if len(path) > LONGEST or not isinstance(value, (str, int, float, bool, type(None))):
            raise RefusalError(422, "values")
        if isinstance(value, str) and len(value) > LONGEST:
            raise RefusalError(422, "values")
        if isinstance(value, int) and abs(value) >= 2**63:
            raise RefusalError(422, "values")
    return dict(given)


def check_size(scenario: Scenario, limits: Limits) -> None:
    """Refuse a run that would take too long."""
    customers = int(scenario.customers.count * (1 + scenario.customers.growth) ** min(scenario.horizon, limits.ticks))
    ticks = scenario.burn_in + scenario.horizon
    if customers > limits.customers:
        raise RefusalError(422, "customers", most=number(limits.customers))
    if ticks > limits.ticks:
        raise RefusalError(422, "ticks", most=number(limits.ticks))
    if customers * ticks > limits.work:
        raise RefusalError(422, "work", most=number(limits.work))


def whole(given: dict[str, Any], name: str, default: int, low: int, high: int) -> int:
    """Return a whole number of a request, within bounds."""
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RefusalError(422, "number", name=name, low=number(low), high=number(high))
    return value

"""What there is to run, and every lever with what its declaration says about it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from churnsim.causes import CAUSES, ENABLERS
from churnsim.config.loading import builtin_names, load
from churnsim.config.paths import immovable
from churnsim.declarations import ASSUMED, Declaration, declaration
from churnsim.i18n import LANGUAGES, has_text, keys, text
from churnsim.i18n.sources import source_told
from churnsim.lessons import Lesson, lesson_ids, load_lesson
from churnsim.strategies import REGISTRY, Strategy
from churnsim.web.asks import RefusalError
from churnsim.web.ranges import money_of, reach

if TYPE_CHECKING:
    from pydantic import BaseModel

    from churnsim.scenario import Scenario

MAIN = ("price", "service", "training", "relationship")
"""Levers of a firm that are always in sight."""

GATES = {
    "contract": "termination", "recovery": "failure", "staff": "employees", "reminders": "reminders",
    "card": "loyalty_card", "win_back": "win_back", "save": "save_offers", "advertising": "acquisition",
    "referral": "referral", "innovation": "innovation", "responsibility": "ethics", "promise": "promises",
    "listening": "listening", "screening": "screening", "bargaining": "bargaining", "enquiries": "buying_centre",
    "tiers": "service_tiers",
}  # fmt: skip
"""Groups of a firm's levers, and the mechanism without which they do nothing."""

LESSON = "lesson:"
"""Begins the name of a lesson's scenario."""

BOOK = "book:"
"""Begins the names of the scenarios of a workbook: a hash of the file follows, and the place of the column."""

TRAITS = ("opportunity", "quality_value", "price_weight", "switching_cost", "transaction_cost")
"""Traits of customers whose level has a lever; it holds from the start."""

TEXTS = ("web", "cause", "enabler", "taxonomy", "tick", "unit", "currency", "strategy", "measure", "outside", "event")
"""Texts that the pages need."""


class Catalogue:
    """The scenarios of a server: the built-in ones and those it was started with.

    Parameters
    ----------
    extra
        Further scenarios, by id; they go before built-in ones of the same id.
    opened
        Finds the scenarios of workbooks that visitors have opened.
    """

    def __init__(
        self, extra: dict[str, Scenario] | None = None, opened: Callable[[str], Scenario] | None = None
    ) -> None:
        self.extra = dict(extra or {})
        self._opened = opened
        self._about: dict[str, dict[str, Any]] = {}
        self._index: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def scenario(self, name: str) -> Scenario:
        """Return a scenario by id; files are not reached from here."""
        if name in self.extra:
            return self.extra[name]
        if name.startswith(LESSON):
            return lesson_scenario(name)
        if name.startswith(BOOK) and self._opened is not None:
            return self._opened(name)
        if name not in builtin_names():
            raise RefusalError(404, "no_scenario", name=name[:60])
        return _builtin(name)

    def index(self) -> list[dict[str, Any]]:
        """Return all scenarios with title and question, those of the server first, then by title."""
        with self._lock:
            if not self._index:
                names = [*self.extra, *(name for name in builtin_names() if name not in self.extra)]
                self._index = [_entry(name, self.scenario(name)) for name in names]
            return self._index

    def about(self, name: str) -> dict[str, Any]:
        """Return everything the pages need to know of a scenario before it is run."""
        scenario = self.scenario(name)
        if name.startswith(BOOK):
            return about(name, scenario)  # forgotten with its workbook
        with self._lock:
            if name not in self._about:
                self._about[name] = about(name, scenario)
            return self._about[name]


@cache
def _builtin(name: str) -> Scenario:
    """Return a built-in scenario; reading its file once is enough."""
    return load(name)


def _entry(name: str, scenario: Scenario) -> dict[str, Any]:
    """Return a scenario's line in the list."""
    return {"id": name, "title": scenario.title.model_dump(), "question": scenario.question.model_dump()}


def about(name: str, scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as the pages know it."""
    arms = {
        arm: {"title": content.title.model_dump(), "control": content.control} for arm, content in scenario.arms.items()
    }
    return {
        **_entry(name, scenario),
        "hash": scenario.id_hash,
        "tick": scenario.tick,
        "burn_in": scenario.burn_in,
        "horizon": scenario.horizon,
        "currency": scenario.currency,
        "unknown": scenario.unknown,
        "customers": scenario.customers.count,
        "seed": scenario.seed,
        "sources": [source.model_dump() for source in scenario.sources],
        "firms": [{"id": firm, "name": content.name.model_dump()} for firm, content in scenario.firms.items()],
        "case": scenario.case.model_dump(),
        "arms": arms,
        "moves": [
            {"tick": move.tick, "changes": move.changes, "note": move.note.model_dump() if move.note else None}
            for move in scenario.moves
        ],
        "levers": levers(scenario),
        "causes": [{"id": cause.name, "course": cause.course, "type": cause.course_type} for cause in CAUSES],
        "enablers": list(ENABLERS),
    }


def levers(scenario: Scenario) -> list[dict[str, Any]]:
    """Return everything that a move may change, with label, unit, bounds, plausible range and source."""
    found: list[dict[str, Any]] = []
    money = money_of(scenario)
    for firm, content in scenario.firms.items():
        prefix = f"firms.{firm}"
        found.append(_strategy(prefix, firm, content.strategy))
        own = _settings(scenario, content.strategy, f"{prefix}.strategy", firm, "strategy", money)
        found += [lever for lever in own if not lever["path"].endswith(".name")]
        below = _settings(scenario, content, prefix, firm, "", money)
        found += [lever for lever in below if ".strategy" not in lever["path"]]
    found += _traits(scenario, money)
    found += _settings(scenario, scenario.customers, "customers", "customers", "", money)
    found += _settings(scenario, scenario.mechanisms, "mechanisms", "mechanisms", "", money)
    on = scenario.mechanisms
    costs = {name: level.cost for name, level in scenario.relationship_levels.items()}
    for lever in found:
        if lever["path"].endswith(".relationship"):
            lever["costs"] = costs
        lever["main"] = lever["path"].split(".")[2:] in [[name] for name in MAIN] and lever["owner"] in scenario.firms
        gate = GATES.get(lever["group"]) if lever["owner"] in scenario.firms else lever["group"]
        lever["works"] = bool(getattr(on, gate, True)) if gate else True
    return found


def _traits(scenario: Scenario, money: float) -> list[dict[str, Any]]:
    """Return the levels of the customers' traits: drawn when a run begins, so that changing one begins it anew."""
    found = []
    for name in TRAITS:
        said, drawn = declaration(type(scenario.customers).model_fields[name]), getattr(scenario.customers, name)
        level = next((part for part in ("mean", "value") if hasattr(drawn, part)), None)
        if said is None or level is None:
            continue
        value = getattr(drawn, level)
        lever = {"path": f"customers.{name}.{level}", "label": said.label, "unit": said.unit, "value": value}
        lever["source"] = None if said.source == ASSUMED else _in_both(said.source)
        bounds = reach(said if said.plausible else replace(said, plausible=(0, 2 * value or 1)), value, money)
        kind = {"kind": "number", "start": True, "owner": "customers", "group": ""}
        found.append({**lever, **(bounds or {}), "least": said.low, "most": said.high, **kind})
    return found


def _settings(
    scenario: Scenario, record: BaseModel, path: str, owner: str, group: str, money: float
) -> list[dict[str, Any]]:
    """Return the levers below a record."""
    from pydantic import BaseModel

    found = []
    for name, field in type(record).model_fields.items():
        value, below = getattr(record, name), f"{path}.{name}"
        about_it = declaration(field)
        if isinstance(value, BaseModel) and not isinstance(value, Strategy):
            found += _settings(scenario, value, below, owner, group or name, money)
        elif about_it is not None and immovable(scenario, below, ()) is None:
            lever = _lever(below, value, field.annotation, about_it, money)
            if lever is not None:
                found.append({**lever, "owner": owner, "group": group})
    return found


def _lever(path: str, value: Any, kind: Any, said: Declaration, money: float) -> dict[str, Any] | None:
    """Return one lever, or None where a page has no control for its kind of value."""
    lever: dict[str, Any] = {"path": path, "label": said.label, "unit": said.unit, "value": value}
    lever["source"] = None if said.source == ASSUMED else _in_both(said.source)
    kinds = [kind, *get_args(kind)]
    if isinstance(value, bool):
        return {**lever, "kind": "switch"}
    options = next((get_args(option) for option in kinds if get_origin(option) is Literal), None)
    if isinstance(value, str) and options:
        return {**lever, "kind": "choice", "options": list(options)}
    if (isinstance(value, (int, float)) or value is None) and (int in kinds or float in kinds):
        bounds = reach(said, value, money, whole=int in kinds and float not in kinds)
        if bounds is not None:
            return {**lever, "kind": "number", **bounds, "least": said.low, "most": said.high}
    return None


def _strategy(prefix: str, firm: str, strategy: Strategy) -> dict[str, Any]:
    """Return the choice of a firm's strategy."""
    names = sorted(name for name, kind in REGISTRY.items() if has_text(f"strategy.{name}"))
    if strategy.name not in names:
        names.append(strategy.name)
    return {
        "path": f"{prefix}.strategy",
        "label": {lang: text("web.lever.strategy", lang) for lang in LANGUAGES},
        "unit": "1",
        "source": None,
        "value": strategy.name,
        "kind": "strategy",
        "options": names,
        "owner": firm,
        "group": "strategy",
    }


def _in_both(source: str) -> dict[str, str]:
    """Return the source of a parameter by language."""
    return {lang: source_told(source, lang) for lang in LANGUAGES}


def texts(lang: str) -> dict[str, str]:
    """Return the texts of the pages by key."""
    return {key: text(key, lang) for key in keys(lang) if key.split(".")[0] in TEXTS}


def opened(path: str) -> dict[str, Scenario]:
    """Return the scenarios of a file, a built-in name, a lesson (``lesson:id``), or a saved result, by id."""
    folder = Path(path)
    if folder.is_dir():
        from churnsim.results import open as open_result

        result = open_result(folder)
        own = result.scenarios
        return {plan.id if name in ("case", plan.id) else name: plan for name, plan in own.items()}
    scenario = lesson_scenario(path) if path.startswith(LESSON) else load(path)
    return {scenario.id: scenario}


def lesson_of(name: str) -> Lesson:
    """Return a built-in lesson by id."""
    if name not in lesson_ids():
        raise RefusalError(404, "no_lesson", name=name[:60])
    return load_lesson(name)


@lru_cache(maxsize=64)
def lesson_scenario(name: str) -> Scenario:
    """Return the scenario of ``lesson:id`` or ``lesson:id:experiment``, with the seed that the class sees."""
    one, _, place = name.removeprefix(LESSON).partition(":")
    lesson = lesson_of(one)
    if place not in ("", *(str(number) for number in range(len(lesson.experiments)))):
        raise RefusalError(404, "no_lesson", name=name[:60])
    experiment = lesson.experiments[int(place or 0)]
    return experiment.plan.seeded(experiment.seed)

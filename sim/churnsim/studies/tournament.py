"""Tournaments: strategies that play each other in a market, and the game that their payoffs make."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from churnsim.config.errors import Keys, Problem, nearest
from churnsim.config.firms import Text, as_text
from churnsim.config.paths import written
from churnsim.declarations import Record
from churnsim.scenario import BASE_ARM, Scenario
from churnsim.strategies import REGISTRY
from churnsim.studies.arms import about, market_of
from churnsim.studies.bench import Bench, left_of
from churnsim.studies.campaign import Means, Notice, Progress
from churnsim.studies.checks import FIXED_LENGTH
from churnsim.studies.errors import StudyError, StudyProblem
from churnsim.studies.factors import label
from churnsim.studies.gaps import Losses, remaining
from churnsim.studies.growing import Setup, Task
from churnsim.studies.keys import source_hash
from churnsim.studies.missing import NoAnswerError
from churnsim.studies.outcomes import read_outcome
from churnsim.studies.plain import plain
from churnsim.studies.played import Played
from churnsim.studies.sources import modules_in, modules_of, told_shortly
from churnsim.studies.study import Study
from churnsim.studies.translating import together

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.plots import About
    from churnsim.studies.outcomes import Outcome

EVERY = "all"
MOST_PLAYERS = 4
KIND = "tournament"


class Tournament(Record):
    """Who plays whom, with which strategies, for what.

    Attributes
    ----------
    name : str
        By default that of the file.
    title, question : Text or None
        For people.
    scenario : str or Scenario
        The market: built-in name, file, or scenario.
    set : dict
        Values for all runs, by dotted path.
    firms : tuple of str
        The players, 2 to 4; by default all firms. The others keep their strategies.
    strategies : dict of str to mapping
        What each player may play, by label; a list goes by the strategies' names, ``all`` is every strategy there is
        with its default parameters.
    payoff : str
        A firm's measure, with a window where it is not the value at the horizon: ``cumulative_profit``,
        ``share@85-96``.
    replications : int
        Runs of every combination, with the same seeds throughout.
    first_seed : int
        Seed of the first replication.
    vary : dict of str to tuple
        One dotted path and its levels: a game is played at each of them.
    """

    name: str = ""
    title: Text | None = None
    question: Text | None = None
    scenario: Any
    set: dict[str, Any] = Field(default_factory=dict)
    firms: tuple[str, ...] = ()
    strategies: dict[str, dict[str, Any]]
    payoff: str = "cumulative_profit"
    replications: int = Field(default=20, ge=2, le=1_000_000)
    first_seed: int = Field(default=1, ge=0, le=2**62)
    vary: dict[str, tuple[Any, ...]] = Field(default_factory=dict)

    command: ClassVar[str] = KIND
    places: ClassVar[dict[str, tuple[str, ...]]] = {"study_few_strategies": ("strategies",), "study_vary": ("vary",)}
    _cache: dict[Any, Any] = PrivateAttr(default_factory=dict)
    _texts = field_validator("title", "question", mode="before")(as_text)

    @field_validator("scenario", mode="before")
    @classmethod
    def _one_scenario(cls, value: Any) -> Any:
        """Take a name, a file or a scenario."""
        if not isinstance(value, (str, Scenario)):
            raise PydanticCustomError("study_scenario", "scenario", {})
        return value

    @field_validator("strategies", mode="before")
    @classmethod
    def _labelled(cls, value: Any) -> Any:
        """Give every strategy a label."""
        if value == EVERY:
            return {name: {"name": name} for name in REGISTRY}
        if isinstance(value, (list, tuple)):
            labels = [str(item.get("name") if isinstance(item, Mapping) else item) for item in value]
            twice = next((word for word in labels if labels.count(word) > 1), None)
            if twice is not None:
                raise PydanticCustomError("study_strategy_twice", "twice", {"found": twice})
            value = dict(zip(labels, value, strict=True))
        if not isinstance(value, Mapping):
            raise PydanticCustomError("study_strategies", "strategies", {})
        return {str(key): dict(item) if isinstance(item, Mapping) else {"name": item} for key, item in value.items()}

    @model_validator(mode="after")
    def _playable(self) -> Tournament:
        """Refuse a game without a choice, and more than one thing varied."""
        found: list[tuple[str, dict[str, Any]]] = []
        if len(self.strategies) < 2:
            found.append(("study_few_strategies", {}))
        if len(self.vary) > 1 or any(len(levels) < 1 for levels in self.vary.values()):
            found.append(("study_vary", {}))
        together(found)
        return self

    # ------------------------------------------------------------------ what is run

    @property
    def market(self) -> Scenario:
        """The scenario with the study's settings."""
        if "market" not in self._cache:
            self._cache["market"] = market_of(self.scenario, self.set)
        return self._cache["market"]

    @property
    def players(self) -> tuple[str, ...]:
        """The firms that play."""
        return self.firms or tuple(self.market.firms)

    @property
    def labels(self) -> tuple[str, ...]:
        """The strategies' labels, in order."""
        return tuple(self.strategies)

    @property
    def levels(self) -> tuple[Any, ...]:
        """Levels of what is varied; one empty level where nothing is."""
        return next(iter(self.vary.values()), (None,))

    @property
    def seeds(self) -> range:
        """Seeds of the replications."""
        return range(self.first_seed, self.first_seed + self.replications)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every player's payoff."""
        return self.study.kept

    @property
    def study(self) -> Study:
        """The study whose store keeps the runs: the market, and a payoff of every player."""
        if "study" not in self._cache:
            payoffs = self._payoffs(self.players)
            self._cache["study"] = Study(
                name=self.name or KIND, title=self.title, question=self.question, scenario=self.market, outcomes=payoffs
            )
        return self._cache["study"]

    @property
    def about(self) -> About:
        """What figures say of the market: currency, names."""
        from churnsim.plots import About

        market = self.market
        names = {name: {"en": firm.name.en, "zh": firm.name.zh} for name, firm in market.firms.items()}
        return About(market.tick, market.currency, names)

    def check(self) -> None:
        """Raise StudyError where the study does not fit the scenario."""
        market = self.market
        problems: list[Problem] = []
        for place, firm in enumerate(self.firms):
            if firm not in market.firms:
                options = tuple(market.firms)
                details: dict[str, Any] = {"found": firm, "near": nearest(firm, options), "options": options}
                problems.append(StudyProblem("no_firm", ("firms", place), details))
        twice = next((firm for firm in self.firms if self.firms.count(firm) > 1), None)
        if twice is not None or not 2 <= len(self.players) <= MOST_PLAYERS:
            code = "study_players" if twice is None else "twice"
            details = {"found": twice if twice is not None else len(self.players), "high": MOST_PLAYERS}
            problems.append(StudyProblem(code, ("firms",), details))
        ruled = tuple(f"firms.{firm}.strategy" for firm in self.players)
        for path in self.vary:
            if path in FIXED_LENGTH:
                problems.append(StudyProblem("fixed_length", ("vary", path), {"found": path}))
            elif path.startswith(ruled):
                problems.append(StudyProblem("study_vary_strategy", ("vary", path), {"found": path}))
        problems += self._payoff_problems()
        player = next((firm for firm in self.players if firm in market.firms), None)
        for name in self.labels if player is not None else ():
            problems += _refused(market, {f"firms.{player}.strategy": self.strategies[name]}, ("strategies", name))
        told = {problem.keys for problem in problems}
        for path, levels in self.vary.items():
            lost: list[Problem] = []
            written(market, {path: None}, lost, ("vary",))
            if lost or ("vary", path) in told:
                problems += lost[:1]
                continue
            for place, level in enumerate(levels):
                problems += _refused(market, {path: level}, ("vary", path, place))
        if problems:
            raise StudyError(problems)

    def _payoff_problems(self) -> list[Problem]:
        """Return what is wrong with the payoff, once for all players."""
        from churnsim.claims import term_problems
        from churnsim.expressions import ExpressionError

        known = [firm for firm in self.players if firm in self.market.firms]
        try:
            outcomes = [read_outcome(text, self.market.horizon) for text in self._payoffs(known)]
        except ExpressionError as error:
            return [StudyProblem("expression", ("payoff",), {"found": self.payoff, "reason": str(error)})]
        found = [p for one in outcomes for term in one.terms for p in term_problems(term, self.market, ("payoff",))]
        return found[:1]

    def _payoffs(self, firms: Iterable[str]) -> list[str]:
        """Return the payoff of each of the firms as an outcome."""
        measure, at, window = self.payoff.partition("@")
        return [f"{measure}.{firm}{at}{window}" for firm in firms]

    def at(self, level: Any) -> Scenario:
        """Return the market at a level of what is varied."""
        return self.market.set({path: level for path in self.vary})

    def cell(self, level: Any, choice: tuple[int, ...]) -> Scenario:
        """Return the market in which every player has one of the strategies."""
        picked = {
            f"firms.{firm}.strategy": self.strategies[self.labels[i]]
            for firm, i in zip(self.players, choice, strict=True)
        }
        return self.at(level).set(picked)

    def choices(self, level: Any) -> list[tuple[int, ...]]:
        """Return the combinations that are run: where players may be exchanged, each set of strategies once."""
        count, players = len(self.labels), len(self.players)
        if interchangeable(self.at(level), self.players):
            return list(itertools.combinations_with_replacement(range(count), players))
        return list(itertools.product(range(count), repeat=players))

    def tasks(self) -> list[Task]:
        """Return every run: level by level, combination by combination, seed by seed."""
        return [
            (setup, seed)
            for level in self.levels
            for setup in (self.setup(level, choice) for choice in self.choices(level))
            for seed in self.seeds
        ]

    def setup(self, level: Any, choice: tuple[int, ...]) -> Setup:
        """Return what a combination is in the store: the same for the same market, however the file puts it."""
        at, played = self._set_by(level), [self._played(self.labels[i]) for i in choice]
        strategies = {f"firms.{firm}.strategy": data for firm, data in zip(self.players, played, strict=True)}
        return Setup(BASE_ARM, at | strategies, source=self._source(modules_in(played)))

    def _set_by(self, level: Any) -> dict[str, Any]:
        """Return what a level changes; nothing where the market has this value anyway."""
        key = "level", json.dumps(plain(level))
        if key not in self._cache:
            same = self.at(level).key == self.market.key
            self._cache[key] = {} if same else {path: plain(level) for path in self.vary}
        return self._cache[key]

    def _played(self, name: str) -> dict[str, Any]:
        """Return a strategy as plain data, without what it would be anyway."""
        if ("played", name) not in self._cache:
            firm = self.players[0]
            made = self.market.set({f"firms.{firm}.strategy": self.strategies[name]})
            self._cache["played", name] = told_shortly(made.firms[firm].strategy)
        return self._cache["played", name]

    def _source(self, modules: tuple[str, ...]) -> str:
        """Return the hash of modules outside the package, without those that the market needs itself."""
        if ("source", modules) not in self._cache:
            self._cache["source", modules] = source_hash(set(modules) - set(modules_of(self.study)))
        return self._cache["source", modules]

    @property
    def runs(self) -> int:
        """How many runs there are in all."""
        return sum(len(self.choices(level)) for level in self.levels) * self.replications


def _refused(market: Scenario, changes: dict[str, Any], at: Keys) -> list[Problem]:
    """Return why changes of a market are not allowed, as problems of the place that asks for them."""
    try:
        with about(*at):
            market.set(changes)
    except StudyError as error:
        return error.errors
    return []


def interchangeable(scenario: Scenario, firms: tuple[str, ...]) -> bool:
    """Return whether firms differ in nothing but their names and strategies, so that who is who does not matter.

    Nothing else in the scenario may name one of them: no move, no preference, no other firm's strategy.
    """
    data = scenario.model_dump(mode="json", exclude={"arms", "claims", "title", "case_title", "question", "sources"})
    bare = [{k: v for k, v in data["firms"].pop(firm).items() if k not in ("name", "strategy")} for firm in firms]
    return all(one == bare[0] for one in bare) and not any(_names(data, firm) for firm in firms)


def _names(value: Any, firm: str) -> bool:
    """Whether a firm is named anywhere in plain data, also as part of a dotted path."""
    if isinstance(value, Mapping):
        return any(_names(key, firm) or _names(item, firm) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return any(_names(item, firm) for item in value)
    return isinstance(value, str) and firm in value.split(".")


def left_to_run(tournament: Tournament, out: Path) -> int:
    """Return how many of a tournament's runs its folder does not have yet; makes no folder."""
    tournament.check()
    return left_of(tournament.study, KIND, tournament.tasks(), out)


def play(
    tournament: Tournament,
    out: str | Path | None = None,
    jobs: int | None = None,
    progress: bool | Progress | None = None,
    *,
    dask: str | int | None = None,
    timeout: float | None = None,
    notice: Notice | None = None,
) -> list[Played]:
    """Play a tournament; what has been run before is not run again.

    Parameters
    ----------
    tournament
        What is played.
    out
        Folder that keeps the runs; None keeps none.
    jobs, progress, dask, timeout, notice
        As of `churnsim.studies.sweeping.sweep`.

    Returns
    -------
    list of Played
        One game per level.

    Raises
    ------
    NoAnswerError
        If so many runs have failed that some level has no game; its ``failures`` say why.
    """
    from churnsim.running import reporter

    tournament.check()
    content = list(tournament.strategies.values())
    with Bench(tournament.study, KIND, content, out, Means(jobs, dask, timeout), notice) as bench:
        with reporter(progress) as report:
            values = bench.values(tournament.tasks(), report)
        failures = bench.failures() if np.isnan(values).any() else None
    played, start = [], 0
    for level in tournament.levels:
        choices = tournament.choices(level)
        rows = values[start : start + len(choices) * tournament.replications]
        start += len(rows)
        by_cell = rows.reshape(len(choices), tournament.replications, len(tournament.players))
        try:
            played.append(_remaining_game(tournament, level, choices, by_cell, failures))
        except NoAnswerError as error:
            error.failures = failures
            raise
    return played


def _remaining_game(
    tournament: Tournament,
    level: Any,
    choices: list[tuple[int, ...]],
    values: np.ndarray,
    failures: pd.DataFrame | None,
) -> Played:
    """Return the game of the strategies and replications that failed runs leave."""
    failed = np.isnan(values).any(axis=2)
    if failures is None or not failed.any():
        return _game(tournament, level, tournament.labels, choices, values)
    kept, whole = remaining(failed, choices, len(tournament.labels))
    rows = [place for place, choice in enumerate(choices) if set(choice) <= set(kept)]
    labels = tuple(tournament.labels[k] for k in kept)
    renamed = [tuple(kept.index(k) for k in choices[place]) for place in rows]
    gone = tuple(label for label in tournament.labels if label not in labels)
    losses = Losses(gone, int((~whole).sum()), failures)
    return _game(tournament, level, labels, renamed, values[rows][:, whole], losses)


def _game(
    tournament: Tournament,
    level: Any,
    labels: tuple[str, ...],
    choices: list[tuple[int, ...]],
    values: np.ndarray,
    losses: Losses | None = None,
) -> Played:
    """Put payoffs ``(cells, R, n)`` in their places; where players may be exchanged, each run fills several."""
    players, count = len(tournament.players), len(labels)
    full = count**players
    symmetric = players > 1 and len(choices) < full
    samples = np.zeros((values.shape[1], players, *[count] * players))
    filled = np.zeros((players, *[count] * players))
    # Customers may like one firm better in one replication, though not in expectation. Payoffs of different players
    # stay paired once what each earns beyond the mean where all play the same is taken off: 0 in expectation.
    own = {choice[0]: rows - rows.mean(axis=1, keepdims=True) for choice, rows in zip(choices, values, strict=True)
           if len(set(choice)) == 1}  # fmt: skip
    for choice, rows in zip(choices, values, strict=True):
        for order in itertools.permutations(range(players)) if symmetric else (tuple(range(players)),):
            at = tuple(choice[i] for i in order)
            for player, source in enumerate(order):
                luck = own[at[player]][:, source] if symmetric else 0.0
                cell: Any = (slice(None), player, *at)
                samples[cell] += rows[:, source] - luck
                filled[(player, *at)] += 1
    return Played(tournament.players, labels, label(level), samples / filled, symmetric, losses)

"""Firms' decisions in a batch of markets: one call of a strategy for all markets in which it acts alike."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from churnsim.config.firms import LEVELS as RELATIONSHIP_LEVELS
from churnsim.config.firms import Contract
from churnsim.config.firms import Firm as FirmConfig
from churnsim.dealings import about as about_dealings
from churnsim.declarations import declaration
from churnsim.engine.levers import OFFER_KINDS
from churnsim.strategies import Action, Strategy, View, combined
from churnsim.strategies.base import DEALINGS_LEVERS

if TYPE_CHECKING:
    from churnsim.markets import Markets

CONTRACT_LEVERS = ("contract_length", "contract_fee")

NUMBERS = ("price", "service", "training", "relationship_budget", *CONTRACT_LEVERS)
"""Levers that are amounts of money."""

LEVERS = {
    "price": "price", "promotion": "promotion", "service": "service", "training": "training", "relationship": "level",
    "relationship_budget": "budget", "contract_length": "contract_length", "contract_fee": "contract_fee",
}  # fmt: skip
"""Where the books keep each lever of an action."""

LEVEL_NAMES = np.array(RELATIONSHIP_LEVELS)

SURVEY_ERROR = 0.2
"""Largest error of a firm that does no research about its customers' mean satisfaction (assumed)."""


class Group(NamedTuple):
    """Markets in which a firm decides in one call."""

    firm: int
    places: np.ndarray
    strategy: Strategy


class StrategyError(ValueError):
    """A strategy returned something that is no action."""


def what_is_wrong(action: Any) -> str | None:
    """Return what makes an action impossible, in words, or None if it is fine.

    The bounds are those of the firm's own parameters. Levers may be arrays over markets.
    """
    if not isinstance(action, Action):
        return f"decide() must return an Action, not {type(action).__name__}"
    for lever in (*NUMBERS, *DEALINGS_LEVERS):
        value = getattr(action, lever)
        if value is None:
            continue
        about = _about(lever)
        if about is None:
            continue
        if lever == "win_back_kind":
            unknown = [kind for kind in np.unique(value) if kind and kind not in OFFER_KINDS]
            if unknown:
                return f"{lever} must be one of {', '.join(OFFER_KINDS)}, not {unknown[0]!r}"
            continue
        truth = about.high is None
        low, high = about.low or 0.0, 1.0 if truth else about.high or math.inf
        if isinstance(value, np.ndarray):
            outside = value[(value < low) | (value > high)]
            value = float(outside[0]) if outside.size else low
        wrong = isinstance(value, bool) and not truth
        if wrong or not isinstance(value, (int, float)) or not low <= value <= high:
            return f"{lever} must be between {low:g} and {high:g} ({about.unit}), not {value}"
    wished = action.relationship
    levels = [level for level in np.unique(wished) if level] if isinstance(wished, np.ndarray) else [wished]
    for level in levels:
        if level is not None and level not in RELATIONSHIP_LEVELS:
            return f"relationship must be one of {', '.join(RELATIONSHIP_LEVELS)}, not {level!r}"
    return None


def _about(lever: str) -> Any:
    """Return the declaration of a lever."""
    if lever in DEALINGS_LEVERS:
        return about_dealings(lever)
    if lever in CONTRACT_LEVERS:
        return declaration(Contract.model_fields[lever.removeprefix("contract_")])
    return declaration(FirmConfig.model_fields[lever])


class Decisions:
    """Asks every firm's strategy once a tick and sets its levers.

    Markets in which a firm has the same kind of strategy decide together: the view's fields are then arrays over
    these markets, and so are parameters in which their strategies differ. A strategy that is not written for
    arrays (`Strategy.arrays`) is asked market by market.
    """

    def __init__(self, markets: Markets) -> None:
        self.markets = markets
        self._groups: list[Group] | None = None
        firms = range(markets.books.price.shape[1])
        self.memory: list[list[dict[str, Any]]] = [[{} for _ in firms] for _ in markets.bases]
        self._followed: dict[tuple[int, int], Strategy] = {}
        self._research: np.ndarray | None = None
        # Levers of dealings are looked at only where some market has dealings.
        self._levers = (*LEVERS, *DEALINGS_LEVERS) if markets.rules.dealings.any() else tuple(LEVERS)

    def forget(self) -> None:
        """Forget who decides together and who does how much research, after a move."""
        self._groups = self._research = None

    def take(self) -> None:
        """Set the levers of every open firm: the strategy's, then those that a move has set."""
        markets = self.markets
        if markets.tick < 1:
            self._keep_to_the_list()
            return
        if self._groups is None:
            self._groups = self._who_decides_together()
        groups = self._groups if markets.books.open.all() else [
            part for group in self._groups for part in self._trading_parts(group)
        ]  # fmt: skip
        groups = [part for group in groups for part in self._with_like_notes(group)]
        actions = [self._ask(group) for group in groups]
        # All have decided on last tick's numbers; now the levers move.
        self._keep_to_the_list()
        for group, action in zip(groups, actions, strict=True):
            for lever in self._levers:
                value = getattr(action, lever)
                if value is not None:
                    self.set_lever(group.firm, group.places, lever, value)
        for r, levers in enumerate(markets.levers):
            for name, wishes in levers.items():
                j = markets.firm_names[r].index(name)
                if markets.books.open[r, j]:
                    for lever, value in wishes.items():
                        self.set_lever(j, np.array([r]), lever, value)

    def _keep_to_the_list(self) -> None:
        """Set the levers of the trading firms to their list."""
        books = self.markets.books
        for column in LEVERS.values():
            target = getattr(books, column)
            listed = getattr(books, f"list_{column}", False)
            np.copyto(target, listed, where=books.open)
        if self.markets.rules.dealings.any():
            conduct = self.markets.conduct
            np.copyto(conduct.levers, conduct.listed)

    def set_lever(self, j: int, places: np.ndarray, lever: str, value: Any) -> None:
        """Set a lever of firm `j` in some markets, to one value or an array; None, NaN and "" leave it to the list."""
        books = self.markets.books
        if lever in DEALINGS_LEVERS:
            self._set_dealing(j, places, DEALINGS_LEVERS.index(lever), value)
            return
        column = getattr(books, LEVERS[lever])
        if value is None:
            column[places, j] = getattr(books, f"list_{LEVERS[lever]}")[places, j]
        elif lever == "relationship":
            names = np.broadcast_to(np.asarray(value), places.shape)
            numbers = range(LEVEL_NAMES.size)
            column[places, j] = np.select([names == level for level in LEVEL_NAMES], numbers, column[places, j])
        elif lever == "promotion":
            column[places, j] = value
        else:
            wished = np.broadcast_to(np.asarray(value, np.float64), places.shape)
            given = ~np.isnan(wished)
            column[places[given], j] = wished[given]

    def _set_dealing(self, j: int, places: np.ndarray, lever: int, value: Any) -> None:
        """Set a lever of dealings; as `set_lever`."""
        conduct = self.markets.conduct
        if value is None:
            conduct.levers[places, j, lever] = conduct.listed[places, j, lever]
            return
        found = np.asarray(value)
        if found.dtype.kind in "UO":
            kinds = np.vectorize(lambda kind: OFFER_KINDS.index(kind) if kind else math.nan, otypes=[np.float64])
            found = kinds(found)
        wished = np.broadcast_to(found.astype(np.float64), places.shape)
        given = ~np.isnan(wished)
        conduct.levers[places[given], j, lever] = wished[given]

    # ------------------------------------------------------------------ who decides together

    def _who_decides_together(self) -> list[Group]:
        """Return the groups of markets that decide in one call."""
        markets = self.markets
        groups = []
        for j in range(markets.books.price.shape[1]):
            kinds: dict[Any, list[int]] = {}
            for r in range(len(markets.bases)):
                strategy = markets.firm_config(r, j).strategy
                if self._followed.setdefault((r, j), strategy) != strategy:
                    self.memory[r][j] = {}
                    self._followed[r, j] = strategy
                kinds.setdefault(strategy.alike() if strategy.for_arrays else (strategy.alike(), r), []).append(r)
            groups += [self._group(j, places) for places in kinds.values()]
        return groups

    def _group(self, j: int, places: list[int]) -> Group:
        """Return a group of markets in which firm `j` decides in one call."""
        members = [self.markets.firm_config(r, j).strategy for r in places]
        return Group(j, np.array(places), combined(members))

    def _trading_parts(self, group: Group) -> list[Group]:
        """Return the parts of a group in which the firm is open, those with the same open rivals together."""
        trading = self.markets.books.open
        patterns: dict[bytes, list[int]] = {}
        for r in group.places:
            if trading[r, group.firm]:
                patterns.setdefault(trading[r].tobytes(), []).append(int(r))
        return [self._group(group.firm, places) for places in patterns.values()]

    def _with_like_notes(self, group: Group) -> list[Group]:
        """Return the parts of a group in which the firm remembers things of the same names and shapes."""
        if not self._remembers(group.firm, group.places):
            return [group]
        kinds: dict[Any, list[int]] = {}
        for r in group.places.tolist():
            notes = self.memory[r][group.firm]
            kinds.setdefault(tuple(sorted((name, np.shape(note)) for name, note in notes.items())), []).append(r)
        return [group] if len(kinds) == 1 else [self._group(group.firm, places) for places in kinds.values()]

    def _ask(self, group: Group) -> Action:
        """Return what a strategy wishes for a firm in some markets."""
        markets, j, r = self.markets, group.firm, int(group.places[0])
        try:
            view = self.view(j, r if group.places.size == 1 else group.places)
            action = group.strategy.decide(view)
            wrong = what_is_wrong(action)
            if wrong:
                where = f"strategy '{group.strategy.name}' of firm '{markets.firm_names[r][j]}', tick {markets.tick}"
                raise StrategyError(f"{where}: {wrong}")
        except Exception as error:
            if group.strategy.arrays and group.places.size > 1 and not isinstance(error, StrategyError):
                where = f"strategy '{group.strategy.name}' of firm '{markets.firm_names[r][j]}', tick {markets.tick}"
                hint = "it says arrays = True, so conditions must go through churnsim.strategies.where"
                problem = StrategyError(f"{where}: {type(error).__name__}: {error} ({hint})")
                problem.churnsim_market = r  # type: ignore[attr-defined]
                raise problem from error
            error.churnsim_market = r  # type: ignore[attr-defined]
            raise
        if view.memory or self._remembers(j, group.places):
            self._remember(j, group.places, view.memory)
        return action

    # ------------------------------------------------------------------ what firms remember

    def _remembers(self, j: int, places: np.ndarray) -> bool:
        """Return whether firm `j` has notes in any of some markets; most strategies keep none."""
        return any(self.memory[r][j] for r in places.tolist())

    def _recalled(self, j: int, places: int | np.ndarray) -> dict[str, Any]:
        """Return a copy of firm `j`'s notes: of one market as they are, of several with an axis over them."""
        if isinstance(places, int):
            return copy.deepcopy(self.memory[places][j])
        notes = [self.memory[r][j] for r in places.tolist()]
        return {name: np.array([note[name] for note in notes]) for name in notes[0]}

    def _remember(self, j: int, places: np.ndarray, memory: dict[str, Any]) -> None:
        """Keep firm `j`'s notes, market by market."""
        if places.size == 1:
            self.memory[int(places[0])][j] = memory
            return
        for place, r in enumerate(places.tolist()):
            notes = self.memory[r][j] = {}
            for name, note in memory.items():
                if isinstance(note, np.ndarray) and note.shape[:1] == places.shape:
                    notes[name] = note[place].copy() if note.ndim > 1 else note[place].item()
                else:
                    notes[name] = copy.deepcopy(note)

    # ------------------------------------------------------------------ what firms know

    def view(self, j: int, places: int | np.ndarray) -> View:
        """Return what firm `j` knows when it decides, in one market (numbers) or several (arrays)."""
        books = self.markets.books
        one = isinstance(places, int)
        rivals = self._rivals(j, places)

        def of(column: np.ndarray, firm: Any = j) -> Any:
            found = column[places, firm]
            return found.item() if one else found

        def level_name(column: np.ndarray, firm: Any = j) -> Any:
            return RELATIONSHIP_LEVELS[int(of(column, firm))] if one else LEVEL_NAMES[of(column, firm)]

        luck = tuple(of(books.luck[..., n]) for n in range(books.luck.shape[2]))

        budget = of(books.list_budget)
        return View(
            tick=self.markets.tick,
            price=of(books.list_price),
            service=of(books.list_service),
            training=of(books.list_training),
            relationship=level_name(books.list_level),
            relationship_budget=None if one and math.isnan(budget) else budget,
            last_price=of(books.price),
            last_relationship=level_name(books.level),
            unit_cost=of(books.unit_cost),
            fixed_cost=of(books.fixed_cost),
            cash=of(books.cash),
            credit=of(books.credit),
            customers=of(books.customers),
            stays=of(books.stays),
            expected_stays=of(books.expected),
            capacity=of(books.capacity),
            share=of(books.share),
            churn=of(books.churn),
            quality=of(books.quality),
            profit=of(books.profit),
            satisfaction=self._surveyed(j, places, luck),
            rival_prices=tuple(of(books.price, k) for k in rivals),
            rival_shares=tuple(of(books.share, k) for k in rivals),
            rival_levels=tuple(level_name(books.level, k) for k in rivals),
            rival_promotions=tuple(of(books.promotion, k) for k in rivals),
            luck=luck,
            memory=self._recalled(j, places),
        )

    def _rivals(self, j: int, places: int | np.ndarray) -> list[Any]:
        """Return the numbers of firm `j`'s open rivals by name, as one number or one array over markets each."""
        trading = self.markets.books.open
        if isinstance(places, int):
            return [k for k in self.markets.by_name[places].tolist() if k != j and trading[places, k]]
        # In all of these markets the same firms trade, so that there are as many everywhere.
        order = self.markets.by_name[places]
        wanted = (order != j) & trading[places[:, np.newaxis], order]
        return list(order[wanted].reshape(places.size, -1).T)

    def _surveyed(self, j: int, places: int | np.ndarray, luck: tuple[Any, ...]) -> Any:
        """Return the mean satisfaction of firm `j`'s customers last tick, as its research finds it (course S77)."""
        markets, recorder = self.markets, self.markets.recorder
        if self._research is None:
            firms = range(markets.books.price.shape[1])
            self._research = np.array(
                [[markets.firm_config(r, k).research for k in firms] for r in range(len(markets.bases))]
            )
        if recorder.rows:
            found = recorder.measures["satisfaction"][places, recorder.rows - 1, j]
        else:
            found = np.full(np.shape(places), np.nan)
        true = np.where(np.isnan(found), 0.5, found)
        # The sum of four uniform numbers less its whole part is uniform too, and independent of any three of them.
        drawn = sum(luck)
        error = SURVEY_ERROR * (1 - self._research[places, j]) * (2 * (drawn - np.floor(drawn)) - 1)
        told = np.clip(true + error, 0.0, 1.0)
        return told.item() if isinstance(places, int) else told

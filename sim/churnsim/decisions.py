"""Firms' decisions in a batch of markets: one call of a strategy for all markets in which it acts alike."""

from __future__ import annotations

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
        # Levers of dealings are looked at only where some market has dealings.
        self._levers = (*LEVERS, *DEALINGS_LEVERS) if markets.rules.dealings.any() else tuple(LEVERS)

    def forget(self) -> None:
        """Forget who decides together, after a move."""
        self._groups = None

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
                kinds.setdefault(type(strategy) if strategy.arrays else (type(strategy), r), []).append(r)
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

    def _ask(self, group: Group) -> Action:
        """Return what a strategy wishes for a firm in some markets."""
        markets, j, r = self.markets, group.firm, int(group.places[0])
        try:
            action = group.strategy.decide(self.view(j, r if group.places.size == 1 else group.places))
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
        return action

    def view(self, j: int, places: int | np.ndarray) -> View:
        """Return what firm `j` knows when it decides, in one market (numbers) or several (arrays)."""
        books = self.markets.books
        one = isinstance(places, int)
        trading = books.open[places if isinstance(places, int) else places[0]]

        def of(column: np.ndarray, firm: int = j) -> Any:
            found = column[places, firm]
            return found.item() if one else found

        def level_name(column: np.ndarray) -> Any:
            return RELATIONSHIP_LEVELS[int(of(column))] if one else LEVEL_NAMES[of(column)]

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
            rival_prices=tuple(of(books.price, k) for k in range(trading.size) if k != j and trading[k]),
            luck=tuple(of(books.luck[..., n]) for n in range(books.luck.shape[2])),
        )

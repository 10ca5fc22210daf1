"""A firm as Mesa sees one: a view of its books, with its list and its strategy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mesa

from churnsim.config.firms import LEVELS
from churnsim.config.firms import Firm as FirmConfig
from churnsim.decisions import StrategyError
from churnsim.strategies import View

if TYPE_CHECKING:
    from churnsim.model import ChurnModel

__all__ = ["Account", "Firm", "StrategyError"]


@dataclass(frozen=True)
class Account:
    """One tick of a firm's books, per market customer and in currency."""

    revenue: float
    unit_cost: float
    service_cost: float
    relationship_cost: float
    fixed_cost: float
    profit: float
    shortfall: float


class Firm(mesa.Agent):
    """A firm among a few, an ordinary Mesa agent that holds no state of its own.

    Money and counts are held per market customer, so that behaviour does not depend on the size
    of the market; the recorder multiplies them out. Attributes can be read and set.

    Attributes
    ----------
    name : str
        Key of the firm in the scenario.
    index : int
        Number of the firm; its option number is ``index + 1``.
    price, service, training : float
        Levers in force this tick, in currency per stay; `service` and `training` as funded.
    promotion : bool
        Whether the price is announced as temporary.
    relationship : str
        Relationship level in force.
    relationship_budget : float or None
        Relationship money at most, in currency per customer and tick.
    contacts, richness : float
        Funded contacts per customer, and their richness.
    quality, cash, cumulative_profit, expected : float
        Stocks: quality (0 to 1), cash and profit so far (currency), expected stays.
    customers, stays, share, churn, crowding : float
        Outcome of the last tick.
    open : bool
        False once the firm is insolvent.
    """

    if TYPE_CHECKING:
        # Entries of the books, attached below.
        price: float
        promotion: bool
        service: float
        training: float
        contacts: float
        richness: float
        quality: float
        cash: float
        cumulative_profit: float
        expected: float
        customers: float
        stays: float
        share: float
        churn: float
        crowding: float
        open: bool

    def __init__(self, model: ChurnModel, name: str, index: int) -> None:
        super().__init__(model)
        self.name = name
        self.index = index

    @property
    def config(self) -> FirmConfig:
        """What the scenario says of this firm at present."""
        return self.model.config.firms[self.name]

    @property
    def relationship(self) -> str:
        """Relationship level in force."""
        return LEVELS[self.model.books.level[0, self.index]]

    @relationship.setter
    def relationship(self, level: str) -> None:
        self.model.books.level[0, self.index] = LEVELS.index(level)

    @property
    def relationship_budget(self) -> float | None:
        """Relationship money at most, in currency per customer and tick."""
        budget = float(self.model.books.budget[0, self.index])
        return None if math.isnan(budget) else budget

    @relationship_budget.setter
    def relationship_budget(self, budget: float | None) -> None:
        self.model.books.budget[0, self.index] = math.nan if budget is None else budget

    @property
    def account(self) -> Account:
        """The books of the last tick."""
        books = self.model.books
        columns = (books.revenue, books.unit_cost_paid, books.service_cost, books.relationship_cost,
                   books.fixed_cost_paid, books.profit, books.shortfall)  # fmt: skip
        return Account(*(float(column[0, self.index]) for column in columns))

    def view(self) -> View:
        """Return what the firm knows when it decides."""
        return self.model.decisions.view(self.index, 0)


def _entry(name: str) -> property:
    """Return the property through which a firm reads and writes one column of the books."""

    def get(self: Firm) -> Any:
        return getattr(self.model.books, name)[0, self.index].item()

    def put(self: Firm, value: Any) -> None:
        getattr(self.model.books, name)[0, self.index] = value

    return property(get, put, doc=f"Column ``{name}`` of `churnsim.engine.books.Books`, of this firm.")


for _name in ("price", "promotion", "service", "training", "contacts", "richness", "quality", "cash",
              "cumulative_profit", "expected", "customers", "stays", "share", "churn", "crowding", "open"):  # fmt: skip
    setattr(Firm, _name, _entry(_name))

"""A firm: its stocks, its levers, its budget and its accounts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mesa

from churnsim.config.firms import LEVELS
from churnsim.config.firms import Firm as FirmConfig
from churnsim.declarations import declaration
from churnsim.mechanisms.firm import expected_stays, funded, quality_after, quality_bought, spendable
from churnsim.randomness import firm_luck
from churnsim.strategies import Action, View

if TYPE_CHECKING:
    from churnsim.model import ChurnModel


class StrategyError(ValueError):
    """A strategy returned something that is no action."""


def what_is_wrong(action: Any) -> str | None:
    """Return what makes an action impossible, in words, or None if it is fine.

    The bounds are those of the firm's own parameters.
    """
    if not isinstance(action, Action):
        return f"decide() must return an Action, not {type(action).__name__}"
    for lever in ("price", "service", "training", "relationship_budget"):
        value = getattr(action, lever)
        about = declaration(FirmConfig.model_fields[lever])
        if value is None or about is None:
            continue
        low, high = about.low or 0.0, about.high or math.inf
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            return f"{lever} must be between {low:g} and {high:g} ({about.unit}), not {value}"
    if action.relationship is not None and action.relationship not in LEVELS:
        return f"relationship must be one of {', '.join(LEVELS)}, not {action.relationship!r}"
    return None


@dataclass
class Account:
    """One tick of a firm's books, per market customer and in currency unless said otherwise."""

    revenue: float = 0.0
    unit_cost: float = 0.0
    service_cost: float = 0.0
    relationship_cost: float = 0.0
    fixed_cost: float = 0.0
    profit: float = 0.0
    shortfall: float = 0.0


class Firm(mesa.Agent):
    """A firm among a few, an ordinary Mesa agent.

    Money and counts are held per market customer, so that behaviour does not depend on the size
    of the market; the recorder multiplies them out.

    Attributes
    ----------
    name : str
        Key of the firm in the scenario.
    index : int
        Number of the firm; its option number is ``index + 1``.
    price, service, training : float
        Levers in force this tick, in currency per stay; `service` and `training` as funded.
    relationship : str
        Relationship level in force.
    contacts, richness : float
        Funded contacts per customer, and their richness.
    quality, cash, expected : float
        Stocks: quality (0 to 1), cash (currency), expected stays.
    open : bool
        False once the firm is insolvent.
    """

    def __init__(self, model: ChurnModel, name: str, index: int, config: FirmConfig, opportunity: float) -> None:
        super().__init__(model)
        self.name = name
        self.index = index
        self.config = config
        self.price = config.price
        self.promotion = False
        self.service = config.service
        self.training = config.training
        self.relationship: str = config.relationship
        self.relationship_budget = config.relationship_budget
        self.contacts = 0.0
        self.richness = 0.0
        self.quality = quality_bought(config.service + config.training, config.quality.scale)
        self.cash = config.cash
        self.cumulative_profit = 0.0
        self.expected = config.initial_share * opportunity
        self.open = True
        self.customers = config.initial_share
        self.stays = self.expected
        self.share = 0.0
        self.churn = 0.0
        self.crowding = 0.0
        self.account = Account()

    def view(self) -> View:
        """Return what the firm knows when it decides."""
        config, model = self.config, self.model
        return View(
            tick=model.tick,
            price=config.price,
            service=config.service,
            training=config.training,
            relationship=config.relationship,
            relationship_budget=config.relationship_budget,
            last_price=self.price,
            last_relationship=self.relationship,
            unit_cost=config.unit_cost,
            fixed_cost=config.fixed_cost,
            cash=self.cash,
            credit=config.credit,
            customers=self.customers,
            stays=self.stays,
            expected_stays=self.expected,
            capacity=config.capacity,
            share=self.share,
            churn=self.churn,
            quality=self.quality,
            profit=self.account.profit,
            rival_prices=tuple(firm.price for firm in model.firms if firm is not self and firm.open),
            luck=firm_luck(model.seed, model.tick, self.name),
        )

    def decide(self) -> Action:
        """Return the levers wished for this tick: the strategy's, then those that a move has set."""
        if self.model.tick < 1:
            return Action()
        strategy = self.config.strategy
        action = strategy.decide(self.view())
        problem = what_is_wrong(action)
        if problem:
            where = f"strategy '{strategy.name}' of firm '{self.name}', tick {self.model.tick}"
            raise StrategyError(f"{where}: {problem}")
        return action.with_levers(self.model.levers.get(self.name, {}))

    def apply(self, action: Action) -> None:
        """Set the levers; what the action leaves open is as listed."""
        config = self.config
        self.price = config.price if action.price is None else float(action.price)
        self.promotion = action.promotion
        self.service = config.service if action.service is None else float(action.service)
        self.training = config.training if action.training is None else float(action.training)
        self.relationship = config.relationship if action.relationship is None else action.relationship
        budget = action.relationship_budget
        self.relationship_budget = config.relationship_budget if budget is None else float(budget)

    def fund(self, binding: bool) -> None:
        """Let the budget decide how much of the wishes comes true (E29); keep what was refused as shortfall.

        Parameters
        ----------
        binding
            Whether the budget binds at all.
        """
        if not self.open:
            self.service = self.training = self.contacts = 0.0
            self.account = Account()
            return
        config = self.config
        level = self.model.config.relationship_levels[self.relationship]
        spend = level.cost if self.relationship_budget is None else min(level.cost, self.relationship_budget)
        part = spend / level.cost if level.cost > 0 else 1.0
        wishes = {
            "service": (self.service + self.training) * self.expected,
            "relationship": spend * self.customers,
        }
        shares = dict.fromkeys(wishes, 1.0)
        if binding:
            available = spendable(
                self.price - config.unit_cost,
                self.expected,
                config.fixed_cost,
                self.cash,
                config.credit,
                config.budget.cash_use,
            )
            order = config.budget.priority
            shares = dict(zip(order, funded([wishes[name] for name in order], available), strict=True))
        self.service *= shares["service"]
        self.training *= shares["service"]
        self.contacts = level.contacts * part * shares["relationship"]
        self.richness = level.richness
        self.account = Account(
            relationship_cost=wishes["relationship"] * shares["relationship"],
            shortfall=sum(wish * (1 - shares[name]) for name, wish in wishes.items()),
        )

    def renew_quality(self, erodes: bool) -> None:
        """Let quality follow this tick's service money (E27)."""
        if erodes:
            target = quality_bought(self.service + self.training, self.config.quality.scale)
            self.quality = quality_after(self.quality, target, self.config.quality.adjustment)

    def settle(self, stays: float, binding: bool) -> None:
        """Close the tick's books; before tick 1 the owners take the profit and cash stands still.

        Parameters
        ----------
        stays
            Stays delivered, per market customer.
        binding
            Whether debt can close the firm.
        """
        config, account = self.config, self.account
        account.revenue = self.price * stays
        account.unit_cost = config.unit_cost * stays
        account.service_cost = (self.service + self.training) * stays
        account.fixed_cost = config.fixed_cost if self.open else 0.0
        account.profit = (
            account.revenue - account.unit_cost - account.service_cost - account.relationship_cost - account.fixed_cost
        )
        self.expected = expected_stays(self.expected, stays, config.budget.memory)
        self.stays = stays
        if self.model.tick >= 1:
            self.cash += account.profit
            self.cumulative_profit += account.profit
            limit = config.credit + config.budget.insolvency * config.fixed_cost
            if binding and self.open and self.cash < -limit:
                self.open = False
                self.model.recorder.event(self.name, "insolvent", self.cash)

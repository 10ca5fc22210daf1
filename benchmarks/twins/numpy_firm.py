"""A firm of the NumPy twin: levers, budget, quality and books, in double precision (there are few firms)."""

from __future__ import annotations

import math
from typing import Any

STRATEGIES = ("passive", "price_cut", "relationship_investment")


class TwinFirm:
    """One firm; money and counts are per market customer.

    Parameters
    ----------
    name : str
        Key of the firm in the scenario.
    config
        What the scenario says about it.
    levels
        Relationship levels by name.
    opportunity : float
        Mean purchase opportunity, for the first expected stays.
    """

    def __init__(self, name: str, config: Any, levels: Any, opportunity: float) -> None:
        if config.strategy.name not in STRATEGIES:
            raise ValueError(f"the twin knows the strategies {', '.join(STRATEGIES)}, not '{config.strategy.name}'")
        self.name, self.config, self.levels = name, config, levels
        self.open, self.failed = True, False
        self.service, self.training, self.contacts, self.richness = config.service, config.training, 0.0, 0.0
        self.promotion, self.price = False, config.price
        self.quality = self.sustained()
        self.cash, self.cumulative_profit = config.cash, 0.0
        self.customers = config.initial_share
        self.expected = config.initial_share * opportunity
        self.crowding = 0.0
        self.relationship_cost = self.shortfall = self.revenue = self.service_cost = self.profit = 0.0

    def sustained(self) -> float:
        """Return the quality that service and training money sustain (E27)."""
        return 1 - math.exp(-(self.service + self.training) / self.config.quality.scale)

    def decide(self, tick: int) -> None:
        """Set the levers: the strategy's, or the list's where it says nothing and during burn-in."""
        config, plan = self.config, self.config.strategy
        self.price, self.promotion = config.price, False
        self.service, self.training = config.service, config.training
        self.level, self.budget = config.relationship, config.relationship_budget
        if tick < 1 or plan.name == "passive" or tick < plan.start:
            return
        if plan.name == "relationship_investment":
            self.training, self.level = config.training + plan.training, plan.level
            self.budget = self.budget if plan.budget is None else plan.budget
        elif plan.restore is None or tick < plan.restore:
            self.price, self.promotion = config.price * (1 - plan.depth), plan.promotion

    def fund(self, binding: bool) -> None:
        """Cut the wishes down to the money there is, in order of priority (E29)."""
        self.relationship_cost = self.shortfall = 0.0
        if not self.open:
            self.service = self.training = self.contacts = 0.0
            return
        config, level = self.config, self.levels[self.level]
        spend = level.cost if self.budget is None else min(level.cost, self.budget)
        part = spend / level.cost if level.cost > 0 else 1.0
        wishes = {"service": (self.service + self.training) * self.expected, "relationship": spend * self.customers}
        shares = dict.fromkeys(wishes, 1.0)
        if binding:
            margin = max((self.price - config.unit_cost) * self.expected - config.fixed_cost, 0.0)
            money = margin + config.budget.cash_use * max(self.cash + config.credit, 0.0)
            for name in config.budget.priority:
                short = wishes[name] > money
                shares[name] = money / wishes[name] if short else 1.0
                money = 0.0 if short else money - wishes[name]
        self.service *= shares["service"]
        self.training *= shares["service"]
        self.contacts, self.richness = level.contacts * part * shares["relationship"], level.richness
        self.relationship_cost = wishes["relationship"] * shares["relationship"]
        self.shortfall = sum(wish * (1 - shares[name]) for name, wish in wishes.items())

    def renew(self) -> None:
        """Let quality follow spending (E27)."""
        self.quality = self.quality + self.config.quality.adjustment * (self.sustained() - self.quality)

    def settle(self, stays: float, tick: int, binding: bool) -> None:
        """Close the books; in play, profit goes to cash, and too much debt closes the firm."""
        config = self.config
        self.revenue = self.price * stays
        self.service_cost = (self.service + self.training) * stays
        fixed = config.fixed_cost if self.open else 0.0
        self.profit = self.revenue - config.unit_cost * stays - self.service_cost - self.relationship_cost - fixed
        self.expected = self.expected + config.budget.memory * (stays - self.expected)
        self.failed = False
        if tick >= 1:
            self.cash += self.profit
            self.cumulative_profit += self.profit
            limit = config.credit + config.budget.insolvency * config.fixed_cost
            self.failed = binding and self.open and self.cash < -limit
            self.open = self.open and not self.failed

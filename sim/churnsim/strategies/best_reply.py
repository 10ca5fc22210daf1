"""Best replies: the price that would pay best if rivals charged what one expects them to."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from churnsim.declarations import declared
from churnsim.strategies.arithmetic import Notes, each, larger, smaller
from churnsim.strategies.base import Action, Strategy, View, where
from churnsim.strategies.timing import Reviewed

LEAST_SHARE = 1e-6
"""Share that is taken for none at all, so that a logit can be fitted."""


def omega(number: float) -> float:
    """Return the x above 0 with ``x + ln(x) = number`` (the Wright omega function)."""
    x = number if number > 1 else math.exp(number if number < -1 else (number - 1) / 2)
    for _ in range(50):
        # Newton's method on x + ln x, in a form that stays above 0.
        following = x * (1 + number - math.log(x)) / (1 + x) if x > 1e-300 else x
        if abs(following - x) <= 1e-15 * x:
            break
        x = following
    return x


def best_price(odds: float, price: float, cost: float, noise: float) -> float:
    """Return the price that pays best for a firm of a logit market.

    It solves p = c + mu / (1 - s(p)), where the odds s / (1 - s) of being chosen fall by the factor exp(-d / mu) when
    the price rises by d.

    Parameters
    ----------
    odds
        Odds of being chosen at `price`.
    price, cost
        Price at which the odds hold, and cost of a sale.
    noise
        Noise scale mu of the logit, in currency.
    """
    return cost + noise * (1 + omega(math.log(odds) - (cost + noise - price) / noise))


class LocalLogit(Reviewed):
    """A logit of one's own fitted to last tick's shares, with an assumed noise scale."""

    noise: float = declared(
        75, en="Assumed noise of choice", zh="假定的选择噪声", unit="currency", low=1e-3, high=1e6,
        plausible=(50, 150), source="prototype of the two-hotel case: the model's own",
    )  # fmt: skip
    inertia: float = declared(
        0, en="How much of the old price is kept", zh="价格惯性", low=0, high=1, plausible=(0, 0.8)
    )
    highest: float = declared(
        3, en="Highest price", zh="最高价格", unit="times the list price", low=0, high=10, plausible=(1.5, 3),
        source="the logit is local: far away it says nothing; assumed",
    )  # fmt: skip

    def reply(self, view: View, expected: tuple[Any, ...]) -> Action:
        """Return the best reply to rivals' expected prices at a review, and the last price otherwise."""
        share = each(_proper, view.share)
        rest = 1 - share
        for price, held, foreseen in zip(view.rival_prices, view.rival_shares, expected, strict=True):
            rest = rest + each(_shift, held, price, foreseen, self.noise)
        cost = view.unit_cost + view.service + view.training
        best = each(best_price, share / larger(rest, LEAST_SHARE), view.last_price, cost, self.noise)
        best = smaller(view.last_price * self.inertia + best * (1 - self.inertia), self.highest * view.price)
        return Action(price=where(self.begun(view), where(self.due(view), best, view.last_price), None))


def _proper(share: float) -> float:
    """Return a share as a logit can have it."""
    return min(max(share, LEAST_SHARE), 1 - LEAST_SHARE) if share == share else LEAST_SHARE


def _shift(share: float, price: float, foreseen: float, noise: float) -> float:
    """Return by how much a rival's weight in the logit changes when it charges what is foreseen."""
    if foreseen == price or share != share:
        return 0.0
    return share * (math.exp(min(max((price - foreseen) / noise, -50.0), 50.0)) - 1)


class MyopicBestReply(LocalLogit, Strategy):
    """Charge what would pay best this tick if rivals charged what they charged in the last.

    Quality, attachment and switching costs are in the share that one has; that one's price of today moves tomorrow's
    customers is not thought of.

    Names (recalled): myopic best reply, Cournot adjustment in prices (Cournot 1838); its rest point is the logit
    Bertrand equilibrium (Anderson, de Palma & Thisse 1992).
    """

    name: Literal["myopic_best_reply"] = "myopic_best_reply"
    arrays: ClassVar[bool] = True

    def decide(self, view: View) -> Action:
        """Reply to last tick's prices."""
        return self.reply(view, view.rival_prices)


class FictitiousPlay(LocalLogit, Strategy):
    """Charge what would pay best if rivals charged the mean of all that they have charged so far.

    Names (recalled): fictitious play (Brown 1951), with ``recency`` weighted fictitious play (Cheung & Friedman
    1997).
    """

    name: Literal["fictitious_play"] = "fictitious_play"
    arrays: ClassVar[bool] = True
    recency: float = declared(
        0, en="Weight of the last tick (0: all ticks count alike)", zh="最近一期权重", low=0, high=1,
        plausible=(0, 0.5), source="1 is the myopic best reply; Cheung & Friedman 1997 (form)",
    )  # fmt: skip

    def decide(self, view: View) -> Action:
        """Add last tick's prices to the mean, and reply to that."""
        import numpy as np

        notes, rivals = Notes(view), len(view.rival_prices)
        if not rivals:
            return self.reply(view, ())
        now = np.stack([notes.column(price) for price in view.rival_prices], axis=1)
        mean, ticks = notes.read("mean", 0.0, (rivals,)), notes.read("ticks", np.zeros(rivals, np.int64), (rivals,)) + 1
        recency = notes.column(self.recency)[:, np.newaxis]
        mean = mean + (now - mean) * np.where((recency > 0) & (ticks > 1), recency, 1 / ticks)
        notes.keep(mean=mean, ticks=ticks)
        return self.reply(view, tuple(notes.answer(mean[:, k]) for k in range(rivals)))

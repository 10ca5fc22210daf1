"""What a strategy is: one frozen record of parameters with one method, `decide`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

from churnsim.declarations import Record

REGISTRY: dict[str, type[Strategy]] = {}
"""Every strategy by its name; defining a subclass of `Strategy` adds it."""


@dataclass(frozen=True)
class Action:
    """A firm's levers for one tick; None leaves a lever where the firm's list has it.

    Attributes
    ----------
    price : float or None
        Price charged, in currency per stay.
    promotion : bool
        Whether the price is announced as temporary: attribution, stocks and price sensitivity go by it.
    service, training : float or None
        Service and training money, in currency per stay.
    relationship : str or None
        Relationship level.
    relationship_budget : float or None
        Relationship money at most, in currency per customer and tick.
    contract_length, contract_fee : float or None
        Terms of contracts made from now on, in ticks and currency.

    Notes
    -----
    The other levers are the parameters of the firm's dealings (docs/scenarios.md) by group and name, so that
    ``card_points`` is ``card.points``; units and bounds are theirs. Each works only while its mechanism is on.
    """

    price: float | None = None
    promotion: bool = False
    service: float | None = None
    training: float | None = None
    relationship: str | None = None
    relationship_budget: float | None = None
    contract_length: float | None = None
    contract_fee: float | None = None
    recovery_resolution: float | None = None
    recovery_speed: float | None = None
    recovery_compensation: float | None = None
    recovery_courtesy: float | None = None
    recovery_consistency: float | None = None
    recovery_guarantee: float | None = None
    staff_pay: float | None = None
    reminders_spend: float | None = None
    card_points: float | None = None
    card_club: float | None = None
    card_perks: float | None = None
    win_back_key: float | None = None
    win_back_ordinary: float | None = None
    win_back_small: float | None = None
    win_back_worth: float | None = None
    win_back_kind: str | None = None
    win_back_matched: bool | None = None
    save_coverage: float | None = None
    save_worth: float | None = None
    save_threshold: float | None = None
    save_precision: float | None = None
    advertising_spend: float | None = None
    referral_reward: float | None = None
    referral_care: float | None = None
    referral_targeted: bool | None = None
    innovation_spend: float | None = None
    responsibility_spend: float | None = None
    promise_level: float | None = None
    listening_spend: float | None = None
    screening_strictness: float | None = None
    screening_prepayment: float | None = None
    screening_review: float | None = None
    bargaining_concession: float | None = None
    enquiries_coverage: int | None = None
    enquiries_alarm: int | None = None
    tiers_tilt: float | None = None
    favours_coverage: float | None = None
    favours_worth: float | None = None

    def with_levers(self, levers: dict[str, Any]) -> Action:
        """Return a copy in which the named levers have the given values."""
        return replace(self, **levers)


DEALINGS_LEVERS: tuple[str, ...] = tuple(
    lever.name for lever in fields(Action) if "_" in lever.name and lever.name not in (
        "relationship_budget", "contract_length", "contract_fee"
    )
)  # fmt: skip
"""Levers of dealings beyond the stay; the engine's places of them are in the same order."""


@dataclass(frozen=True)
class View:
    """What a firm may lawfully know when it decides.

    Its own list prices, accounts and counts, and what is public of its rivals in the
    last tick; nothing about any single customer's mind. Money and counts are per
    market customer, so that a strategy does not depend on the market's size.

    Attributes
    ----------
    tick : int
        The tick about to happen.
    price, service, training, relationship, relationship_budget
        The firm's list: what holds where the action says nothing.
    last_price, last_relationship
        The levers that were in force in the last tick.
    unit_cost : float
        Variable cost, in currency per stay.
    fixed_cost, cash, credit : float
        In currency per market customer.
    customers, stays, expected_stays, capacity : float
        Per market customer; `stays` of the last tick.
    share, churn, quality, profit : float
        Last tick's share of purchase occasions, churn rate, own quality, and profit
        in currency per market customer.
    satisfaction : float
        Last tick's mean satisfaction of its own customers as a survey finds it: the better the firm's research, the
        smaller the error; .5, and the error, where there was nobody to ask.
    rival_prices, rival_shares : tuple of float
        Prices the open rivals charged in the last tick, and their shares of purchase occasions. Rivals stand in the
        order of their names, here and below.
    rival_levels : tuple of str
        Their relationship levels in the last tick.
    rival_promotions : tuple of bool
        Whether they had announced their prices as temporary.
    luck : tuple of float
        Four uniform numbers of this firm and tick, for strategies that randomise.
    memory : dict
        The firm's own notes: empty at first; what `decide` puts there, it finds in the next tick. Numbers, texts and
        arrays may be kept by name. A move that changes the firm's strategy clears them.

    Notes
    -----
    For a strategy that says `Strategy.arrays`, every field but `tick` may be an array over markets; a budget that is
    None is then NaN. What it keeps in `memory` then has a leading axis over markets too, or is one value for all.
    """

    tick: int
    price: float
    service: float
    training: float
    relationship: str
    relationship_budget: float | None
    last_price: float
    last_relationship: str
    unit_cost: float
    fixed_cost: float
    cash: float
    credit: float
    customers: float
    stays: float
    expected_stays: float
    capacity: float
    share: float
    churn: float
    quality: float
    profit: float
    satisfaction: float
    rival_prices: tuple[float, ...]
    rival_shares: tuple[float, ...]
    rival_levels: tuple[str, ...]
    rival_promotions: tuple[bool, ...]
    luck: tuple[float, float, float, float]
    memory: dict[str, Any] = field(default_factory=dict)


class Strategy(Record):
    """A rule that sets a firm's levers once a tick.

    Subclass it, give ``name`` a default, declare parameters as fields and write
    `decide`: that registers the strategy under its name. Strategies act in play
    (ticks 1 and later); during burn-in every firm follows its list.
    """

    name: str = ""
    arrays: ClassVar[bool] = False
    """Whether `decide` also takes a view whose fields are arrays over markets, and gives an action of arrays.

    Such a strategy decides for a whole batch of markets at once. Its parameters may then be arrays too, with NaN
    for "none"; conditions on them go through `where`. Any other strategy is asked market by market, which is slower.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Register the subclass under the default of its ``name``."""
        super().__pydantic_init_subclass__(**kwargs)
        name = cls.model_fields["name"].default
        if not name:
            raise TypeError(f"{cls.__name__} needs a default for 'name'")
        holder = REGISTRY.get(name)
        if holder is not None and holder.__qualname__ != cls.__qualname__:
            raise TypeError(f"two strategies are named {name!r}: {holder.__qualname__} and {cls.__qualname__}")
        REGISTRY[name] = cls

    @property
    def for_arrays(self) -> bool:
        """Whether this strategy, with its parameters, decides for a batch of markets at once."""
        return type(self).arrays

    def alike(self) -> tuple[Any, ...]:
        """Return what strategies must have in common to decide in one call; by default, their class.

        Other parameters may differ between the markets of the call. Add those that must not, such as the size of a
        menu.
        """
        return (type(self),)

    def decide(self, view: View) -> Action:
        """Return the levers for the tick that `view` describes."""
        raise NotImplementedError(f"{type(self).__name__} has no decide()")


def where(condition: Any, yes: Any, no: Any) -> Any:
    """Return `yes` or `no`, for one market or, where the condition is an array, market by market.

    None leaves a lever as listed; in arrays it becomes NaN, or an empty text, which mean the same.
    """
    if not hasattr(condition, "shape") or condition.shape == ():
        return yes if condition else no
    import numpy as np  # strategies are read with every scenario, and most reading needs no arrays

    text = any(np.asarray(value).dtype.kind == "U" for value in (yes, no) if value is not None)
    none = "" if text else np.nan
    return np.where(condition, none if yes is None else yes, none if no is None else no)


def combined(strategies: list[Any]) -> Any:
    """Return strategies that are alike as one, whose parameters are arrays where theirs differ."""
    first = strategies[0]
    if all(strategy == first for strategy in strategies):
        return first
    names = type(first).model_fields
    return type(first).model_construct(
        **{name: _together([getattr(strategy, name) for strategy in strategies]) for name in names}
    )


def _together(found: list[Any]) -> Any:
    """Return one parameter of several strategies as one value, or as an array over them."""
    first = found[0]
    if first is not None and all(value == first for value in found):
        return first
    if isinstance(first, Record):
        return combined(found)
    if isinstance(first, tuple):
        return tuple(_together(list(items)) for items in zip(*found, strict=True))
    import numpy as np

    return np.array([np.nan if value is None else value for value in found])


def read_strategy(value: Any) -> Any:
    """Build a strategy from what a scenario file says: a name, or a mapping with ``name``."""
    if isinstance(value, Strategy):
        return value
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError("a strategy is a name, or a mapping with a name and parameters")
    if value["name"] not in REGISTRY:
        near = difflib.get_close_matches(value["name"], REGISTRY, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ValueError(f"unknown strategy '{value['name']}'{hint} ({', '.join(sorted(REGISTRY))})")
    return REGISTRY[value["name"]].model_validate(value)

"""The population as a set of Mesa agents: the AgentSet protocol over index arrays.

A million registered `mesa.Agent` objects cost 13 s and 800 MB before they do anything. A
`CustomerSet` holds rows; the agents in it are `Customer` views made on demand. What one types
of a `mesa.agent.AgentSet` works on it, and column arithmetic is there for speed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, MutableSet, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.agent import AgentSet

from churnsim.engine.state import Columns

try:  # Mesa 3.5 and later
    from mesa.agentset import AbstractAgentSet, GroupBy
except ImportError:  # Mesa 3.3 and 3.4
    from mesa.agent import GroupBy

    AbstractAgentSet = MutableSet

if TYPE_CHECKING:
    from churnsim.customers import Customer
    from churnsim.model import ChurnModel

_ARRAY_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {min: np.min, max: np.max, sum: np.sum, len: np.size}


TRIED = 64
"""Rows on which a condition is tried before it is evaluated on all."""


class _Column(np.lib.mixins.NDArrayOperatorsMixin):
    """A column in a condition: it can be compared and computed with, element by element, and nothing else.

    Whatever would mix customers (a maximum, a truth value, an index by another column) is refused,
    so that a condition either means the same on arrays as on one customer after another, or fails.
    """

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __getitem__(self, firm: Any) -> _Column:
        if self.values.ndim == 2 and isinstance(firm, (int, np.integer)):
            return _Column(self.values[firm])
        raise TypeError("a column has one entry per firm, or none")

    def __bool__(self) -> bool:
        raise TypeError("true of one customer at a time")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        return _Column(ufunc(*(part.values if isinstance(part, _Column) else part for part in inputs)))


class _Proxy:
    """Stands for all customers of a set at once, so that ``lambda c: c.satisfaction < 0.3`` is one comparison."""

    def __init__(self, customers: CustomerSet) -> None:
        self._customers = customers

    def __getattr__(self, name: str) -> _Column:
        if name in Columns._fields:
            return _Column(self._customers[name])
        raise AttributeError(name)


class CustomerSet(AbstractAgentSet, Sequence):
    """Customers of one model, in order, as Mesa's AgentSet would hold them.

    Parameters
    ----------
    model
        The model they belong to.
    rows : (n,) int64, optional
        Their rows; by default everybody in the market, as it grows.
    """

    def __init__(self, model: ChurnModel, rows: np.ndarray | None = None) -> None:
        self.model = model
        self._rows = rows

    @property
    def random(self) -> Random:
        """Mesa's generator of the model, for shuffling."""
        return self.model.random

    @property
    def rows(self) -> np.ndarray:
        """Rows of the customers, (n,) int64."""
        return np.arange(self.model.active_customers) if self._rows is None else self._rows

    def _view(self, row: int) -> Customer:
        return self.model.customer_class(self.model, int(row))

    def _new(self, rows: np.ndarray, inplace: bool = False) -> CustomerSet:
        """Return a set of other rows, or become it."""
        if inplace:
            self._rows = rows
            return self
        return CustomerSet(self.model, rows)

    # ------------------------------------------------------------------ container

    def __len__(self) -> int:
        return self.model.active_customers if self._rows is None else int(self._rows.size)

    def __iter__(self) -> Iterator[Customer]:
        return (self._view(row) for row in self.rows)

    def __contains__(self, agent: object) -> bool:
        from churnsim.customers import Customer

        return isinstance(agent, Customer) and agent.model is self.model and bool((self.rows == agent.row).any())

    def __getitem__(self, item: Any) -> Any:
        """Return a customer by position, a list of them by slice, or a column by name."""
        if isinstance(item, str):
            return getattr(self.model.columns, item)[..., self.rows]
        if isinstance(item, slice):
            return [self._view(row) for row in self.rows[item]]
        return self._view(self.rows[item])

    def __repr__(self) -> str:
        return f"<CustomerSet of {len(self)} customers>"

    def add(self, agent: Any) -> None:
        """Refuse: the market's own inflow brings customers."""
        raise NotImplementedError("customers enter through customers.growth and natural turnover, not through add()")

    def discard(self, agent: Any) -> None:
        """Refuse: customers leave through the model's own exits."""
        raise NotImplementedError("customers leave through hazards.natural, not through discard() or remove()")

    remove = discard

    def _update(self, agents: Iterable[Customer]) -> CustomerSet:
        """Become the set of other customers; Mesa's in-place operations call this."""
        return self._new(np.array([agent.row for agent in agents], np.int64), inplace=True)

    def to_list(self) -> list[Customer]:
        """Return the customers as a list of views."""
        return list(self)

    def copy(self) -> CustomerSet:
        """Return the same customers as an independent set."""
        return self._new(self.rows.copy())

    # ------------------------------------------------------------------ choosing among them

    def where(self, mask: np.ndarray) -> CustomerSet:
        """Return the customers for whom a boolean array is true."""
        return self._new(self.rows[np.asarray(mask, bool)])

    def select(
        self,
        filter_func: Callable[[Customer], bool] | None = None,
        at_most: int | float = float("inf"),
        inplace: bool = False,
        agent_type: type | None = None,
    ) -> CustomerSet:
        """Return the customers that satisfy a condition; see `mesa.agent.AgentSet.select`.

        A condition that is one comparison of columns is evaluated on all customers at once.
        """
        rows = self.rows
        if agent_type is not None and not issubclass(self.model.customer_class, agent_type):
            rows = rows[:0]
        if filter_func is not None:
            rows = rows[self._mask(filter_func, rows)]
        if isinstance(at_most, float) and at_most <= 1:
            at_most = int(len(self) * at_most)
        if at_most < rows.size:
            rows = rows[: int(at_most)]
        return self._new(rows, inplace)

    def _mask(self, condition: Callable[[Any], Any], rows: np.ndarray) -> np.ndarray:
        """Evaluate a condition, on arrays where it can be, on one customer after another otherwise."""
        # A few rows first: a condition that is not one comparison may build arrays of n by n.
        for tried in (rows[:TRIED].copy(), rows):
            mask = self._vectorised(condition, tried)
            # Conditions with luck or memory of their own are found out on the trial rows.
            if mask is None or (
                tried is not rows
                and any(bool(condition(self._view(row))) != found for row, found in zip(tried, mask, strict=True))
            ):
                one_by_one = (bool(condition(self._view(row))) for row in rows)
                return np.fromiter(one_by_one, np.bool_, rows.size)
        assert mask is not None
        return mask

    def _vectorised(self, condition: Callable[[Any], Any], rows: np.ndarray) -> np.ndarray | None:
        """Return a condition's value for all rows at once, or None if it does not work like that."""
        try:
            mask = getattr(condition(_Proxy(CustomerSet(self.model, rows))), "values", None)
        except Exception:
            # Conditions that need one customer at a time fail on arrays in their own ways.
            return None
        fits = isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == rows.shape
        return mask if fits else None

    def shuffle(self, inplace: bool = False) -> CustomerSet:
        """Return the customers in random order."""
        rows = self.rows.tolist()
        self.random.shuffle(rows)
        return self._new(np.array(rows, np.int64), inplace)

    def sort(self, key: str | Callable[[Customer], Any], ascending: bool = False, inplace: bool = False) -> CustomerSet:
        """Return the customers ordered by a column or a function of each."""
        if isinstance(key, str) and key in Columns._fields:
            values = self[key]
            # Sorting backwards from the back keeps ties in order.
            order = np.argsort(values, kind="stable")
            if not ascending:
                order = (values.size - 1 - np.argsort(values[::-1], kind="stable"))[::-1]
        else:
            of = operator.attrgetter(key) if isinstance(key, str) else key
            found = [of(customer) for customer in self]
            order = np.array(sorted(range(len(found)), key=found.__getitem__, reverse=not ascending), np.int64)
        return self._new(self.rows[order], inplace)

    def groupby(self, by: str | Callable[[Customer], Any], result_type: str = "agentset") -> GroupBy:
        """Return the customers grouped by a column or a function; see `mesa.agent.AgentSet.groupby`."""
        rows = self.rows
        if isinstance(by, str) and by in Columns._fields and (values := self[by]).ndim == 1:
            found = {value.item(): rows[values == value] for value in np.unique(values)}
        else:
            key = operator.attrgetter(by) if isinstance(by, str) else by
            members: dict[Any, list[int]] = {}
            for row in rows:
                members.setdefault(key(self._view(row)), []).append(row)
            found = {value: np.array(mine, np.int64) for value, mine in members.items()}
        groups: dict[Any, Any] = {value: self._new(mine) for value, mine in found.items()}
        if result_type != "agentset":
            groups = {value: group.to_list() for value, group in groups.items()}
        return GroupBy(groups)

    # ------------------------------------------------------------------ acting on them

    def do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> CustomerSet:
        """Call a method of each customer, or a function on each, in order."""
        for customer in self:
            if isinstance(method, str):
                getattr(customer, method)(*args, **kwargs)
            else:
                method(customer, *args, **kwargs)
        return self

    def shuffle_do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> CustomerSet:
        """Call a method of each customer, or a function on each, in random order."""
        self.shuffle().do(method, *args, **kwargs)
        return self

    def map(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Return what a method or function gives for each customer."""
        if isinstance(method, str):
            return [getattr(customer, method)(*args, **kwargs) for customer in self]
        return [method(customer, *args, **kwargs) for customer in self]

    def get(self, attr_names: str | list[str], handle_missing: str = "error", default_value: Any = None) -> list[Any]:
        """Return attributes of each customer; columns come out in one go."""
        if isinstance(attr_names, str):
            if attr_names in Columns._fields:
                column = self[attr_names]
                return list(column.T) if column.ndim > 1 else column.tolist()
            if handle_missing == "default":
                return [getattr(customer, attr_names, default_value) for customer in self]
            return [getattr(customer, attr_names) for customer in self]
        columns = [self.get(name, handle_missing, default_value) for name in attr_names]
        return [list(values) for values in zip(*columns, strict=True)]

    def set(self, attr_name: str, value: Any) -> CustomerSet:
        """Set an attribute of every customer, to one value or an array of them."""
        if attr_name in Columns._fields:
            getattr(self.model.columns, attr_name)[..., self.rows] = value
        else:
            raise AttributeError(f"customers have no column '{attr_name}'; views keep no state of their own")
        return self

    def agg(self, attribute: str, func: Callable[..., Any] | Iterable[Callable[..., Any]]) -> Any:
        """Return a statistic of a column, or several."""
        column = self[attribute] if attribute in Columns._fields else None
        functions = [func] if callable(func) else list(func)
        if column is None or column.ndim > 1:
            found = [one(self.get(attribute)) for one in functions]
        else:
            found = [_ARRAY_FUNCTIONS.get(one, one)(column) for one in functions]
        return found[0] if callable(func) else found

    def count(self, value: Any = None) -> int:
        """Return how many customers there are, or how often one occurs."""
        return len(self) if value is None else operator.countOf(self, value)


class Everybody(AbstractAgentSet, Sequence):
    """All agents of a model, or some of them, of several types: the firms, then the customers.

    Parameters
    ----------
    model
        The model they belong to.
    firms, customers
        The two parts of everybody.
    chosen : list, optional
        The agents of a subset, in order.
    """

    def __init__(
        self, model: ChurnModel, firms: AgentSet, customers: CustomerSet, chosen: list[Any] | None = None
    ) -> None:
        self.model = model
        self._firms = firms
        self._customers = customers
        self._chosen = chosen

    @property
    def random(self) -> Random:
        """Mesa's generator of the model, for shuffling."""
        return self.model.random

    def _new(self, chosen: list[Any], inplace: bool = False) -> Everybody:
        """Return a set of some agents, or become it."""
        if inplace:
            self._chosen = chosen
            return self
        return Everybody(self.model, self._firms, self._customers, chosen)

    def __len__(self) -> int:
        return len(self._firms) + len(self._customers) if self._chosen is None else len(self._chosen)

    def __iter__(self) -> Iterator[Any]:
        if self._chosen is not None:
            yield from self._chosen
            return
        yield from self._firms
        yield from self._customers

    def __contains__(self, agent: object) -> bool:
        if self._chosen is not None:
            return agent in self._chosen
        return agent in self._firms or agent in self._customers

    def __getitem__(self, item: Any) -> Any:
        """Return an agent by position, or a list of them by slice."""
        if self._chosen is None and isinstance(item, int):
            item = item + len(self) if item < 0 else item
            firms = list(self._firms)
            return firms[item] if item < len(firms) else self._customers[item - len(firms)]
        return list(self)[item]

    def __repr__(self) -> str:
        return f"<{len(self)} agents>"

    add = CustomerSet.add
    discard = CustomerSet.discard
    remove = CustomerSet.remove
    do = CustomerSet.do
    shuffle_do = CustomerSet.shuffle_do
    map = CustomerSet.map
    count = CustomerSet.count

    def _update(self, agents: Iterable[Any]) -> Everybody:
        """Become the set of other agents; Mesa's in-place operations call this."""
        return self._new(list(agents), inplace=True)

    def to_list(self) -> list[Any]:
        """Return the agents as a list."""
        return list(self)

    def copy(self) -> Everybody:
        """Return the same agents as an independent set."""
        return self._new(list(self))

    def select(
        self,
        filter_func: Callable[[Any], bool] | None = None,
        at_most: int | float = float("inf"),
        inplace: bool = False,
        agent_type: type | None = None,
    ) -> Any:
        """Return the agents that satisfy a condition; those of one type as that type's own set."""
        if self._chosen is None and agent_type is not None and not inplace:
            customers = issubclass(self.model.customer_class, agent_type)
            if not customers:
                return self._firms.select(filter_func, at_most=at_most, agent_type=agent_type)
            if not any(isinstance(firm, agent_type) for firm in self._firms):
                return self._customers.select(filter_func, at_most=at_most)
        chosen = [
            agent
            for agent in self
            if (agent_type is None or isinstance(agent, agent_type)) and (filter_func is None or filter_func(agent))
        ]
        limit = int(len(self) * at_most) if isinstance(at_most, float) and at_most <= 1 else at_most
        return self._new(chosen[: int(min(limit, len(chosen)))], inplace)

    def shuffle(self, inplace: bool = False) -> Everybody:
        """Return the agents in random order."""
        agents = list(self)
        self.random.shuffle(agents)
        return self._new(agents, inplace)

    def sort(self, key: str | Callable[[Any], Any], ascending: bool = False, inplace: bool = False) -> Everybody:
        """Return the agents ordered by an attribute or a function of each."""
        by = operator.attrgetter(key) if isinstance(key, str) else key
        return self._new(sorted(self, key=by, reverse=not ascending), inplace)

    def groupby(self, by: str | Callable[[Any], Any], result_type: str = "agentset") -> GroupBy:
        """Return the agents grouped by an attribute or a function; see `mesa.agent.AgentSet.groupby`."""
        key = operator.attrgetter(by) if isinstance(by, str) else by
        groups: dict[Any, Any] = {}
        for agent in self:
            groups.setdefault(key(agent), []).append(agent)
        if result_type == "agentset":
            groups = {value: self._new(agents) for value, agents in groups.items()}
        return GroupBy(groups)

    def get(self, attr_names: str | list[str], handle_missing: str = "error", default_value: Any = None) -> list[Any]:
        """Return attributes of each agent."""

        def one(agent: Any, name: str) -> Any:
            return getattr(agent, name, default_value) if handle_missing == "default" else getattr(agent, name)

        if isinstance(attr_names, str):
            return [one(agent, attr_names) for agent in self]
        return [[one(agent, name) for name in attr_names] for agent in self]

    def set(self, attr_name: str, value: Any) -> Everybody:
        """Set an attribute of every agent to one value."""
        for agent in self:
            setattr(agent, attr_name, value)
        return self

    def agg(self, attribute: str, func: Callable[..., Any] | Iterable[Callable[..., Any]]) -> Any:
        """Return a statistic of an attribute, or several."""
        values = self.get(attribute)
        return func(values) if callable(func) else [one(values) for one in func]

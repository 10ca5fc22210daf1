"""The model as Mesa sees it: one market."""

from __future__ import annotations

import warnings
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import mesa
import numpy as np

from churnsim.agents import Agents
from churnsim.customers import Customer
from churnsim.engine.compiled import Compiled
from churnsim.engine.state import Counters, Market, Parameters, Traits, one_of
from churnsim.firms import Firm
from churnsim.markets import Markets
from churnsim.population import CustomerSet, Everybody

if TYPE_CHECKING:
    from churnsim.records import RunRecord
    from churnsim.scenario import Scenario

MASK = (1 << 63) - 1

REPORTED = ("name", "share", "churn", "quality", "price", "cash", "cumulative_profit")
"""What the model's own DataCollector keeps of every firm, each tick."""


def _tick(model: ChurnModel) -> int:
    """Report the tick."""
    return model.tick


def _outside_share(model: ChurnModel) -> float:
    """Report the share of the last tick's purchase occasions that no firm got."""
    return model.recorder.latest("outside_share")


class Network(NamedTuple):
    """Who is acquainted with whom: a small world over all ids."""

    rewired: np.float32
    customers: int
    row_of: np.ndarray


def _seed(rng: Any, config: Scenario) -> int:
    """Return the seed as a whole number; without one, the scenario's own."""
    if rng is None:
        return config.seed
    if isinstance(rng, np.random.SeedSequence):
        return int(rng.generate_state(1, np.uint64)[0]) & MASK
    if isinstance(rng, (int, np.integer, str)):
        return int(rng)
    raise TypeError(f"rng must be a whole number or a SeedSequence, not {type(rng).__name__}")


class ChurnModel(Markets, mesa.Model):
    """Firms that compete for customers who may stay, defect, leave or come back.

    A `mesa.Model`. Construction makes the population and runs the burn-in, so that the model
    stands at tick 0; each `step` is one tick of play.

    Parameters
    ----------
    config : Scenario
        What is simulated; by default the two hotels.
    rng : int, optional
        Seed; by default the scenario's. 0 is a seed.
    engine : {'compiled', 'agents'}
        Compiled kernels, or `Customer` objects in plain Python. Both give the same bits.
    threads : int
        Threads of the compiled engine; results do not depend on it.
    order : (n,) integers, optional
        A permutation: ids of the customers by row. Results do not depend on it.
    customer : type, optional
        Subclass of `Customer` whose overridden rules replace the model's; needs the agents engine
        and switches to it.
    departures : bool
        Whether to keep a line for every departure.
    scenario : object, optional
        Ignored; Mesa passes its own scenario object here when its web page resets a model.

    Attributes
    ----------
    tick : int
        The tick that has just ended; 0 after construction.
    firms : list of Firm
        The firms, in the scenario's order.
    customers : CustomerSet
        Everybody in the market, by row.
    columns : churnsim.engine.state.Columns
        The customers' state as arrays.
    """

    market: Market
    counters: Counters

    def __init__(
        self,
        config: Scenario | None = None,
        *,
        rng: Any = None,
        engine: str = "compiled",
        threads: int = 1,
        order: np.ndarray | None = None,
        customer: type[Customer] = Customer,
        departures: bool = False,
        scenario: Any = None,
    ) -> None:
        if config is None:
            from churnsim.config.loading import load

            config = load("two_hotels")
        self.seed = _seed(rng, config)
        mesa.Model.__init__(self, rng=self.seed)
        self.customer_class = customer
        self.firms = [Firm(self, name, j) for j, name in enumerate(config.firms)]
        # Mesa 3.3 keeps every model that ever registered an agent; this is all it keeps it by.
        getattr(mesa.Agent, "_ids", {}).pop(self, None)
        Markets.__init__(
            self,
            [config],
            [self.seed],
            engine=self._engine(engine, threads, customer),
            order=order,
            departures=departures,
        )
        # Functions and getters, unlike strings and lambdas, can be pickled.
        self.datacollector = mesa.DataCollector(
            model_reporters={"tick": _tick, "outside_share": _outside_share},
            agenttype_reporters={Firm: {("firm" if name == "name" else name): attrgetter(name) for name in REPORTED}},
        )
        self.datacollector.collect(self)

    @staticmethod
    def _engine(name: str, threads: int, customer: type[Customer]) -> Any:
        """Return the engine asked for; overridden rules need the one that runs them."""
        if name not in ("compiled", "agents"):
            raise ValueError(f"engine must be 'compiled' or 'agents', not {name!r}")
        if name == "compiled" and customer is not Customer:
            warnings.warn(
                f"{customer.__name__} overrides rules of Customer, so engine='agents' runs: "
                "plain Python, several hundred times slower",
                stacklevel=3,
            )
            name = "agents"
        return Compiled(threads) if name == "compiled" else Agents()

    # ------------------------------------------------------------------ the schedule

    def step(self) -> None:
        """Advance one tick of play; the schedule is `Markets.step_once`."""
        self.step_once()
        if self.datacollector is not None:
            self.datacollector.collect(self)

    def make_moves(self) -> None:
        """Let dated changes take effect."""
        super().make_moves()
        self.counters = one_of(self.totals, 0)

    def renew_quality(self) -> None:
        """Let quality follow spending, publish what holds for all customers this tick, and let the market grow."""
        super().renew_quality()
        self.market = one_of(self.batch, 0)

    def run(self, ticks: int | None = None) -> RunRecord:
        """Step to the horizon, or `ticks` times, and return the record."""
        for _ in range(self.horizon - self.tick if ticks is None else ticks):
            self.step()
        return self.recorder.record()

    def run_model(self) -> None:
        """Step to the horizon; Mesa's own version would never end."""
        self.run()

    # ------------------------------------------------------------------ as Mesa sees it

    @property
    def base(self) -> Scenario:
        """The scenario as given."""
        return self.bases[0]

    @property
    def config(self) -> Scenario:
        """The scenario as moves have made it by now."""
        return self.configs[0]

    @property
    def parameters(self) -> Parameters:
        """The numbers of the customers' rules in force."""
        return self.parameter_sets[self.current[0]]

    @property
    def customs_in_force(self) -> Any:
        """The numbers of the customers' dealings in force."""
        return self.customs[self.batch.customs_set[0]]

    @property
    def traits(self) -> Traits:
        """The distributions that newcomers' traits are drawn from."""
        return one_of(self.trait_sets, self.batch.trait_set[0])

    @property
    def network(self) -> Network:
        """Who is acquainted with whom."""
        return Network(self.batch.rewired[0], int(self.batch.ring[0]), self.row_of)

    @property
    def active_customers(self) -> int:
        """How many customers are in the market."""
        return int(self.batch.active[0])

    @property
    def customers(self) -> CustomerSet:
        """Everybody in the market, as Mesa agents made on demand."""
        return CustomerSet(self)

    @property
    def agents(self) -> Everybody:
        """All agents: the firms, then the customers."""
        return Everybody(self, super().agents, self.customers)

    @property
    def agents_by_type(self) -> dict[type, Any]:
        """All agents by their type."""
        return {**super().agents_by_type, self.customer_class: self.customers}

    @property
    def agent_types(self) -> list[type]:
        """The types of agents."""
        return [*super().agent_types, self.customer_class]

    def close(self) -> None:
        """Give the memory of the customers back."""
        self.__dict__.pop("columns", None)

    def __enter__(self) -> ChurnModel:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def simulate(
    scenario: Scenario, seed: int, *, engine: str = "compiled", threads: int = 1, departures: bool = False
) -> RunRecord:
    """Run one scenario with one seed from burn-in to horizon.

    Parameters
    ----------
    scenario
        What to run.
    seed
        Seed of all luck.
    engine, threads
        How to run it; the record does not depend on either.
    departures
        Whether to keep a line for every departure.
    """
    with ChurnModel(scenario, rng=seed, engine=engine, threads=threads, departures=departures) as model:
        while model.tick < scenario.horizon:
            model.step_once()
        return model.recorder.record()

"""The model: the schedule, written once."""

from __future__ import annotations

import math
import warnings
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import mesa
import numpy as np

from churnsim.agents import Agents
from churnsim.conditions import Conditions
from churnsim.customers import Customer
from churnsim.engine.compiled import Compiled
from churnsim.engine.population import populate
from churnsim.engine.state import SCALE, Columns, Market, allocate, new_counters
from churnsim.firms import Firm
from churnsim.mechanisms.experience import crowding
from churnsim.mechanisms.rule import interpreted
from churnsim.parameters import parameters_of, traits_of
from churnsim.population import CustomerSet, Everybody
from churnsim.randomness import Stream, stream_key
from churnsim.recorder import Recorder

if TYPE_CHECKING:
    from churnsim.engine.departures import History
    from churnsim.records import RunRecord
    from churnsim.scenario import Scenario

MASK = (1 << 63) - 1

REPORTED = ("name", "share", "churn", "quality", "price", "cash", "cumulative_profit")
"""What the model's own DataCollector keeps of every firm, each tick."""

_crowding = interpreted(crowding)


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


class ChurnModel(mesa.Model):
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

    columns: Columns
    market: Market

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
        super().__init__(rng=self.seed)
        self.base = config
        self.config = config.at(0)
        self.levers: dict[str, dict[str, Any]] = {}
        self.customer_class = customer
        self.engine = self._engine(engine, threads, customer)
        self.tick = -config.burn_in
        self.parameters = parameters_of(self.config.customers, self.config.mechanisms)
        self._parameter_sets = [self.parameters]
        self._set_of_row = [0]
        self.traits = traits_of(self.config)
        opportunity = config.customers.opportunity.mean_value
        self.firms = [
            Firm(self, name, j, firm, opportunity) for j, (name, firm) in enumerate(self.config.firms.items())
        ]
        # Mesa 3.3 keeps every model that ever registered an agent; this is all it keeps it by.
        getattr(mesa.Agent, "_ids", {}).pop(self, None)
        self.money_unit = max(firm.config.price for firm in self.firms) or 1.0
        self.money_scale = SCALE / self.money_unit
        self._change_ticks = {move.tick for move in config.moves}
        self._populate(order)
        self.recorder = Recorder(self, departures)
        for _ in range(config.burn_in):
            self.step_once()
        self._mark_lost()
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
        """Advance one tick of play.

        Shocks and moves; strategies decide; the budget arbiter funds; quality follows; customers
        exit, look around and choose (contacts and offers reach them here); departures are
        explained; stays are delivered and leave their mark; people talk; books are closed and
        the tick is measured. Within a phase everybody acts on the state at its start.
        """
        self.step_once()
        if self.datacollector is not None:
            self.datacollector.collect(self)

    def step_once(self) -> None:
        """Run the phases of one tick in order (docs/model.md, order of events)."""
        self.tick += 1
        self.make_moves()
        self.decide_strategies()
        self.fund_budgets()
        self.renew_quality()
        self.choose()
        self.explain_departures()
        self.serve()
        self.listen()
        self.close_books()
        self.measure()

    def run(self, ticks: int | None = None) -> RunRecord:
        """Step to the horizon, or `ticks` times, and return the record."""
        for _ in range(self.base.horizon - self.tick if ticks is None else ticks):
            self.step()
        return self.recorder.record()

    def run_model(self) -> None:
        """Step to the horizon; Mesa's own version would never end."""
        self.run()

    # ------------------------------------------------------------------ as Mesa sees it

    @property
    def history(self) -> History:
        """What firms did in every tick so far."""
        return self.conditions.history

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

    # ------------------------------------------------------------------ phases

    def make_moves(self) -> None:
        """Let dated changes take effect, and let the market grow."""
        if self.tick in self._change_ticks:
            self.config = self.base.at(self.tick)
            self.levers = self.base.levers_at(self.tick)
            self.parameters = parameters_of(self.config.customers, self.config.mechanisms)
            self._parameter_sets.append(self.parameters)
            self.traits = traits_of(self.config)
            for firm in self.firms:
                firm.config = self.config.firms[firm.name]
        self._set_of_row.append(len(self._parameter_sets) - 1)
        self.counters = new_counters(len(self.firms))

    def decide_strategies(self) -> None:
        """Let every firm set its levers, all on last tick's numbers."""
        actions = [firm.decide() if firm.open else None for firm in self.firms]
        for firm, action in zip(self.firms, actions, strict=True):
            if action is not None:
                firm.apply(action)

    def fund_budgets(self) -> None:
        """Let every firm's budget decide what its wishes come to."""
        for firm in self.firms:
            firm.fund(self.config.mechanisms.budget)

    def renew_quality(self) -> None:
        """Let quality follow spending, and publish what holds for all customers this tick."""
        for firm in self.firms:
            if firm.open:
                firm.renew_quality(self.config.mechanisms.quality_erosion)
        self.market = self._publish()
        self._admit()

    def choose(self) -> None:
        """Involuntary exits, purchase occasions, attention, choice."""
        self.engine.choose(self)
        size = self.config.customers.count
        strength = self.config.customers.experience.crowding if self.config.mechanisms.crowding else 0.0
        for firm in self.firms:
            load = np.float32(self.counters.purchases[firm.index + 1] / size)
            crowd = _crowding(load, np.float32(firm.config.capacity), np.float32(strength))
            firm.crowding = float(crowd)
            self.market.crowding[firm.index] = crowd

    def explain_departures(self) -> None:
        """Attribute every voluntary departure to its causes, before anything else changes."""
        columns, rows = self.columns, self.active_customers
        provider = columns.provider[:rows]
        gone = (columns.following[:rows] != provider) & (provider > 0) & (columns.exit[:rows] == 0)
        leavers = np.flatnonzero(gone)
        # Parameters differ between anchors only where a move has changed them meanwhile.
        kinds = np.array(self._set_of_row)[columns.anchor_row[leavers]]
        for kind in np.unique(kinds):
            mine = leavers[kinds == kind]
            primary, shares, _, barriers = self.engine.explain(self, mine, self._parameter_sets[kind])
            self.recorder.explained(
                columns.provider[mine], columns.following[mine], columns.id[mine], primary, shares, barriers
            )

    def serve(self) -> None:
        """Deliver stays and contacts; customers learn, feel and remember."""
        self.engine.serve(self)

    def listen(self) -> None:
        """Let what was told reach those who hear it."""
        if self.config.mechanisms.word_of_mouth:
            self.engine.listen(self)

    def close_books(self) -> None:
        """Close every firm's accounts and the market's memory of quality."""
        size = self.config.customers.count
        stays = self.counters.purchases[1:]
        binding = self.config.mechanisms.insolvency and self.config.mechanisms.budget
        for firm in self.firms:
            firm.settle(float(stays[firm.index]) / size, binding)
        delivered = int(stays.sum())
        if delivered:
            mean = int(self.counters.stays_quality[0]) / SCALE / delivered
            self.market_mean += self.config.customers.experience.market_memory * (mean - self.market_mean)

    def measure(self) -> None:
        """Take the census and record the tick."""
        self.engine.count(self)
        newcomers = int(self.counters.exits[:, 1].sum()) + self.entered
        self.recorder.close_tick(self.counters, newcomers)
        size = self.config.customers.count
        for firm in self.firms:
            firm.customers = int(self.counters.heads[firm.index + 1]) / size

    # ------------------------------------------------------------------ making the market

    def _populate(self, order: np.ndarray | None) -> None:
        """Make the first customers, at the tick before the first."""
        size, firms = self.base.customers.count, len(self.firms)
        if self.base.customers.growth and order is not None:
            raise ValueError("order needs a market that does not grow")
        self.columns = allocate(size, firms)
        self.columns.id[:] = np.arange(size, dtype=np.uint32) if order is None else order
        row_of = np.empty(0, np.uint32)
        if order is not None:
            row_of = np.empty(size, np.uint32)
            row_of[np.asarray(order)] = np.arange(size, dtype=np.uint32)
        self.active_customers = size
        self.entered = 0
        self.network = Network(np.float32(self.base.customers.word_of_mouth.rewired), size, row_of)
        self.conditions = Conditions(self.base, self.seed, self.firms)
        self.market_mean = math.fsum(firm.quality for firm in self.firms) / firms
        self.counters = new_counters(firms)
        self.market = self._publish()
        # By name, so that the order in which a scenario lists its firms does not matter.
        by_name = np.argsort([firm.name for firm in self.firms])
        shares = np.cumsum([self.firms[j].config.initial_share for j in by_name]).astype(np.float32)
        provider_key = stream_key(self.seed, Stream.INITIAL_PROVIDER)
        populate(self.columns, self.traits, self.market, provider_key, shares, by_name, 0, size)

    def _publish(self) -> Market:
        """Return what holds for all customers in the tick that begins."""
        return self.conditions.publish(self.tick, self.config, self.parameters, self.market_mean)

    def _admit(self) -> None:
        """Let the market grow: newcomers without history enter the rows set aside for them."""
        growth = self.base.customers.growth
        if not growth or self.tick < 1:
            return
        before = self.active_customers
        # The small number keeps a size that is whole in decimals whole in binary.
        target = int(self.base.customers.count * (1 + growth) ** self.tick + 1e-6)
        if target > self.columns.id.size:
            self._make_room(2 * target)
        nobody, nowhere = np.empty(0, np.float32), np.empty(0, np.int64)
        populate(self.columns, self.traits, self.market, np.uint64(0), nobody, nowhere, before, target)
        self.active_customers = target
        self.entered = target - before

    def _make_room(self, rows: int) -> None:
        """Set rows aside for newcomers; ids follow each other."""
        wider = allocate(rows, len(self.firms))
        for old, new in zip(self.columns, wider, strict=True):
            new[..., : old.shape[-1]] = old
        wider.id[:] = np.arange(rows, dtype=np.uint32)
        self.columns = wider

    def _mark_lost(self) -> None:
        """Mark, at tick 0, whom each firm has lost so far."""
        columns = self.columns
        bits = np.where(columns.provider > 0, 1 << np.maximum(columns.provider.astype(np.int64) - 1, 0), 0)
        np.copyto(columns.lost_at_start, columns.known & ~bits.astype(np.uint8))


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

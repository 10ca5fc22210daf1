"""As Mesa sees it: what one types of a Mesa model works, on a population that is arrays."""

from __future__ import annotations

import copy
import gc
import operator
import pickle
import tracemalloc
import warnings
import weakref

import mesa
import numpy as np
import pytest
from mesa.agent import AgentSet

from churnsim import ChurnModel, Customer, CustomerSet, Firm, load, simulate
from churnsim.agents import Agents
from churnsim.engine.state import Columns, bytes_per_customer
from churnsim.population import TRIED

COUNT = 150


@pytest.fixture(scope="module")
def scenario():
    """Return a small, short case."""
    return load("two_hotels").arm("case").set({"customers.count": COUNT, "burn_in": 4, "horizon": 6})


@pytest.fixture
def model(scenario):
    """Return a fresh model at tick 0."""
    return ChurnModel(scenario, rng=1)


def state(model: ChurnModel) -> bytes:
    """Return all bits of the customers' state and of the measures so far."""
    columns = b"".join(np.ascontiguousarray(column).tobytes() for column in model.columns)
    record = model.recorder.record()
    return columns + b"".join(column.tobytes() for column in record.measures.values()) + record.flows.tobytes()


# ------------------------------------------------------------------ the model


def test_it_is_a_mesa_model(model):
    """Firms are registered agents; customers count as agents and are found by their type."""
    assert isinstance(model, mesa.Model)
    assert len(model.agents) == COUNT + 2
    assert sum(1 for _ in model.agents) == COUNT + 2
    assert set(model.agent_types) == {Firm, Customer} == set(model.agents_by_type)
    assert [firm.name for firm in model.agents_by_type[Firm]] == ["nanyuan", "eton"]
    assert type(model.agents_by_type[Firm]).__module__.startswith("mesa.")
    assert isinstance(model.agents_by_type[Customer], CustomerSet)
    assert len(model.agents_by_type[Customer]) == COUNT == len(model.customers)
    assert all(isinstance(agent, mesa.Agent) and agent.model is model for agent in model.agents)


def test_steps_are_ticks(model):
    """Mesa's counter of steps starts at 0 after construction and follows `step`."""
    assert (model.steps, model.tick) == (0, 0)
    for tick in (1, 2):
        model.step()
        assert (model.steps, model.tick) == (tick, tick)
    if hasattr(model, "run_for"):
        model.run_for(2)
        assert (model.time, model.tick) == (4, 4)


def test_run_goes_to_the_horizon_from_wherever_it_is(scenario):
    """Stepping first and running then is running."""
    stepped, ran = ChurnModel(scenario, rng=1), ChurnModel(scenario, rng=1)
    stepped.step()
    stepped.run(2)
    stepped.run()
    ran.run()
    assert stepped.tick == ran.tick == 6
    assert state(stepped) == state(ran)


def test_a_model_can_be_stepped_past_its_horizon(scenario):
    """What happens up to a tick does not depend on how long the run was planned to be."""
    short, long = ChurnModel(scenario.set({"horizon": 2}), rng=1), ChurnModel(scenario.set({"horizon": 40}), rng=1)
    short.run(30)
    long.run(30)
    assert state(short) == state(long)


@pytest.mark.parametrize(
    ("rng", "seed"), [(None, 9), (0, 0), (np.int64(5), 5), (np.uint8(5), 5), ("12", 12), (2**62, 2**62)]
)
def test_seeds_of_all_sorts(scenario, rng, seed):
    """Whole numbers of any type, also as text from a form; without one, the scenario's."""
    assert ChurnModel(scenario.set({"customers.count": 2, "burn_in": 0, "seed": 9}), rng=rng).seed == seed


def test_seed_sequences_and_generators(scenario):
    """A SeedSequence gives its own fixed seed; a generator, whose state is hidden, is refused."""
    tiny = scenario.set({"customers.count": 2, "burn_in": 0})
    a, b = np.random.SeedSequence(3).spawn(2)
    assert ChurnModel(tiny, rng=a).seed == ChurnModel(tiny, rng=np.random.SeedSequence(3).spawn(1)[0]).seed
    assert ChurnModel(tiny, rng=a).seed != ChurnModel(tiny, rng=b).seed
    with pytest.raises(TypeError, match="whole number or a SeedSequence, not Generator"):
        ChurnModel(tiny, rng=np.random.default_rng(3))


def test_mesas_own_scenario_argument_is_harmless(scenario):
    """Mesa's web page passes `scenario` along with `rng` when it resets a model."""
    assert state(ChurnModel(scenario, rng=1, scenario=object())) == state(ChurnModel(scenario, rng=1))


def test_unknown_engine(scenario):
    with pytest.raises(ValueError, match="engine must be 'compiled' or 'agents', not 'numba'"):
        ChurnModel(scenario, engine="numba")


# ------------------------------------------------------------------ views


@pytest.mark.parametrize("name", Columns._fields)
def test_attributes_are_columns(model, name):
    """Reading an attribute reads the array, writing it writes the array, at that customer only."""
    column = getattr(model.columns, name)
    customer = model.customers[7]
    np.testing.assert_array_equal(getattr(customer, name), column[..., 7])
    before = column.copy()
    value = np.ones_like(column[..., 7]) if before[..., 7].ravel()[0] != 1 else np.zeros_like(column[..., 7])
    setattr(customer, name, value)
    np.testing.assert_array_equal(column[..., 7], value)
    np.testing.assert_array_equal(np.delete(column, 7, axis=-1), np.delete(before, 7, axis=-1))


def test_one_firms_entry_can_be_written_through_a_view(model):
    model.customers[3].belief[1] = 0.125
    assert model.columns.belief[1, 3] == 0.125
    assert model.columns.belief[0, 3] != 0.125


def test_views_of_one_customer_are_equal(model, scenario):
    """Views are made on demand: identity is the row, not the object."""
    a, b = model.customers[5], list(model.customers)[5]
    assert a == b
    assert hash(a) == hash(b)
    assert len({a, b, model.customers[6]}) == 2
    assert a != ChurnModel(scenario, rng=1).customers[5]
    assert a in model.customers
    assert a in model.agents
    assert a not in model.customers.select(lambda c: c.id != 5)
    assert repr(a) == "<Customer 5>"


def test_a_view_knows_its_firm(model):
    for customer in model.customers:
        provider = customer.provider
        assert customer.firm is (None if provider == 0 else model.firms[provider - 1])
        assert [customer.knows(option) for option in (1, 2)] == [bool(customer.known & 1), bool(customer.known & 2)]


def test_what_a_customer_refuses(model):
    """Customers have no step of their own, keep their id, and leave through the model's exits only."""
    customer = model.customers[0]
    with pytest.raises(NotImplementedError, match=r"ChurnModel\.step"):
        customer.step()
    with pytest.raises(NotImplementedError, match=r"hazards\.natural"):
        customer.remove()
    with pytest.raises(AttributeError, match="fixed"):
        customer.unique_id = 4
    with pytest.raises(NotImplementedError, match=r"hazards\.natural"):
        model.customers.remove(customer)
    with pytest.raises(NotImplementedError, match=r"customers\.growth"):
        model.customers.add(customer)
    with pytest.raises(AttributeError, match="no column 'wealth'"):
        model.customers.set("wealth", 3)


def test_unique_ids_are_unique(model):
    """Mesa's frames tell agents apart by their id."""
    assert len({agent.unique_id for agent in model.agents}) == COUNT + 2


# ------------------------------------------------------------------ sets, against Mesa's own


class Twin(mesa.Agent):
    """A registered Mesa agent with a customer's attributes."""

    def __init__(self, model, customer):
        super().__init__(model)
        self.unique_id = customer.unique_id
        self.firm = customer.firm
        for name in ("id", "provider", "tenure", "satisfaction", "opportunity"):
            setattr(self, name, getattr(customer, name).item())
        self.belief = customer.belief.copy()


@pytest.fixture(scope="module")
def twins(scenario):
    """Return a model run for a while, and its customers as ordinary Mesa agents in an ordinary set."""
    model = ChurnModel(scenario, rng=3)
    model.run(3)
    home = mesa.Model()
    home.twins = [Twin(home, customer) for customer in model.customers]
    return model, home


def ids(agents) -> list[int]:
    """Return who is in a set, in order."""
    return [int(agent.id) for agent in agents]


def groups(grouped) -> dict:
    """Return who is in which group."""
    return {key: ids(agents) for key, agents in grouped}


OPERATIONS = {
    "len": len,
    "iterate": ids,
    "item": lambda s: ids([s[0], s[17], s[-1]]),
    "slice": lambda s: ids(s[3:20:4]),
    "to_list": lambda s: ids(list(s)),
    "index": lambda s: s.index(s[9]),
    "select": lambda s: ids(s.select(lambda a: a.satisfaction < 0.5)),
    "select_python_and": lambda s: ids(s.select(lambda a: a.satisfaction < 0.6 and a.tenure > 2)),
    "select_python_or": lambda s: ids(s.select(lambda a: a.provider == 1 or a.provider == 2)),
    "select_not": lambda s: ids(s.select(lambda a: not a.provider)),
    "select_in": lambda s: ids(s.select(lambda a: a.id in (3, 5, 140))),
    "select_chained": lambda s: ids(s.select(lambda a: 2 < a.tenure <= 5)),
    "select_ampersand": lambda s: ids(s.select(lambda a: (a.satisfaction < 0.6) & (a.tenure > 2))),
    "select_per_firm": lambda s: ids(s.select(lambda a: a.belief[1] > a.belief[0])),
    "select_any": lambda s: ids(s.select(lambda a: (a.belief > 0.8).any())),
    "select_own_firm": lambda s: ids(s.select(lambda a: a.provider > 0 and a.belief[a.provider - 1] > 0.75)),
    "select_own_firm_ampersand": lambda s: ids(
        s.select(lambda a: (a.provider > 0) & (a.belief[a.provider - 1] > 0.75))
    ),
    "select_number": lambda s: ids(s.select(lambda a: a.provider)),
    "select_constant": lambda s: ids(s.select(lambda a: True)),
    "select_property": lambda s: ids(s.select(lambda a: a.firm is not None and a.unique_id % 2 == 0)),
    "select_nobody": lambda s: ids(s.select(lambda a: a.tenure < 0)),
    "select_all": lambda s: ids(s.select()),
    "select_twice": lambda s: ids(s.select(lambda a: a.provider > 0).select(lambda a: a.satisfaction < 0.5)),
    "at_most": lambda s: ids(s.select(lambda a: a.provider > 0, at_most=5)),
    "at_most_share": lambda s: ids(s.select(lambda a: a.provider > 0, at_most=0.1)),
    "at_most_all": lambda s: ids(s.select(at_most=1.0)),
    "at_most_one": lambda s: ids(s.select(at_most=1)),
    "agent_type": lambda s: ids(s.select(agent_type=mesa.Agent)),
    "other_type": lambda s: ids(s.select(agent_type=Firm)),
    "sort_descending": lambda s: ids(s.sort("opportunity")),
    "sort_ascending": lambda s: ids(s.sort("opportunity", ascending=True)),
    "sort_by_function": lambda s: ids(s.sort(lambda a: -a.opportunity)),
    "sort_ties_ascending": lambda s: ids(s.sort("provider", ascending=True)),
    "sort_ties_descending": lambda s: ids(s.sort("provider")),
    "sort_property": lambda s: ids(s.sort("unique_id")),
    "sort_tuple": lambda s: ids(s.sort(lambda a: (a.provider, a.opportunity))),
    "sort_text": lambda s: ids(s.sort(lambda a: "out" if a.firm is None else a.firm.name)),
    "shuffle": lambda s: ids(s.shuffle()),
    "get": lambda s: s.get("tenure"),
    "get_several": lambda s: s.get(["id", "provider", "unique_id"]),
    "get_missing": lambda s: s.get("wealth", handle_missing="default", default_value=7),
    "get_some_missing": lambda s: s.get(["id", "wealth"], handle_missing="default"),
    "agg": lambda s: float(s.agg("satisfaction", np.mean)),
    "agg_builtin": lambda s: [float(x) for x in s.agg("tenure", [min, max, sum, len])],
    "agg_own_function": lambda s: float(s.agg("tenure", lambda values: sorted(values)[3])),
    "agg_per_firm": lambda s: s.agg("belief", len),
    "agg_property": lambda s: s.agg("unique_id", max),
    "groupby": lambda s: groups(s.groupby("provider")),
    "groupby_function": lambda s: groups(s.groupby(lambda a: "with" if a.provider else "without")),
    "groupby_count": lambda s: s.groupby("provider").count(),
    "groupby_agg": lambda s: {k: int(v) for k, v in s.groupby("provider").agg("tenure", max).items()},
    "groupby_list": lambda s: groups(s.groupby("provider", result_type="list")),
    "groupby_property": lambda s: s.groupby("firm").count(),
    "groupby_tuple": lambda s: s.groupby(lambda a: (int(a.provider), a.tenure > 3)).count(),
    "map": lambda s: [int(x) for x in s.map(lambda a, by: a.tenure + by, 3)],
    "map_keyword": lambda s: [int(x) for x in s.map(lambda a, by=0: a.tenure + by, by=4)],
}
"""What one does with a set of agents; both kinds of set must give the same."""


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_customer_set_does_what_an_agent_set_does(twins, name):
    """The same operation on views and on ordinary agents with the same attributes."""
    model, home = twins
    operation = OPERATIONS[name]
    model.random.seed(8)
    home.random.seed(8)
    found = operation(model.customers)
    expected = operation(AgentSet(home.twins, home.random))
    assert found == pytest.approx(expected) if isinstance(expected, float) else found == expected


def test_select_gives_the_same_vectorised_or_one_by_one(twins):
    """A comparison of columns runs on arrays, anything else on views; both find the same customers."""
    customers = twins[0].customers
    seen = []

    def on_arrays(c):
        seen.append(type(c))
        return c.satisfaction < 0.5

    def one_by_one(c):
        seen.append(type(c))
        return bool(c.satisfaction < 0.5)

    fast = customers.select(on_arrays)
    assert seen.count(Customer) <= TRIED, "a few customers one by one, to be sure"
    seen.clear()
    slow = customers.select(one_by_one)
    assert seen.count(Customer) == COUNT
    assert COUNT > TRIED
    assert 0 < len(fast) < COUNT
    np.testing.assert_array_equal(fast.rows, slow.rows)
    np.testing.assert_array_equal(fast.rows, customers.where(customers["satisfaction"] < 0.5).rows)


def test_a_condition_that_does_not_vectorise_costs_no_memory(scenario):
    """Indexing the firms' axis by each customer's own firm works one by one, so no array of n by n is made."""
    model = ChurnModel(scenario.set({"customers.count": 2000, "burn_in": 0}), rng=1)
    tracemalloc.start()
    chosen = model.customers.select(lambda c: c.belief[c.provider - 1] > 0.75)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0 < len(chosen) < 2000
    assert peak < 2_000_000


def test_errors_in_a_condition_come_out(twins):
    """A condition that is wrong for everybody raises its own error, not an empty set."""
    with pytest.raises(AttributeError, match="wealth"):
        twins[0].customers.select(lambda c: c.wealth > 3)
    with pytest.raises(AttributeError, match="wealth"):
        twins[0].customers.get("wealth")


@pytest.mark.parametrize("operation", ["select", "shuffle", "sort"])
def test_in_place(twins, operation):
    """In place the set itself changes; otherwise it stays as it was."""
    arguments = {"select": (lambda c: c.satisfaction < 0.5,), "shuffle": (), "sort": ("opportunity",)}[operation]
    model, _ = twins
    for inplace in (False, True):
        customers = model.customers.select(lambda c: c.provider > 0)
        before = ids(customers)
        result = getattr(customers, operation)(*arguments, inplace=inplace)
        assert (result is customers) == inplace
        assert (ids(customers) == before) == (not inplace)
    assert len(model.customers) == COUNT


def test_do_reaches_everybody_once_in_order(model):
    """`do` and `shuffle_do` call methods by name and functions, with arguments, on each customer once."""
    customers = model.customers.select(lambda c: c.provider > 0)
    seen: list[int] = []
    assert customers.do(lambda c, by: seen.append(int(c.id) + by), 1) is customers
    assert seen == [who + 1 for who in ids(customers)]
    for order in ("do", "shuffle_do"):
        seen.clear()
        getattr(model.customers, order)(lambda c: seen.append(int(c.id)))
        assert (seen == list(range(COUNT))) == (order == "do")
        assert sorted(seen) == list(range(COUNT))
    before = model.columns.tenure.copy()
    model.customers.do("move_to", 1)
    assert (model.columns.provider == 1).all()
    assert before.any() and not model.columns.tenure.any()


def test_set_writes_through(model):
    """One value, one per customer, one per firm and customer; nobody else changes."""
    chosen = model.customers.select(lambda c: c.provider == 1)
    others = model.customers.select(lambda c: c.provider != 1)
    before = others["belief"].copy(), others["tenure"].copy()
    assert chosen.set("tenure", np.arange(len(chosen))) is chosen
    assert chosen.get("tenure") == list(range(len(chosen)))
    chosen.set("belief", 0.25)
    assert (model.columns.belief[:, chosen.rows] == 0.25).all()
    np.testing.assert_array_equal(others["belief"], before[0])
    np.testing.assert_array_equal(others["tenure"], before[1])
    model.customers.groupby("provider").do("set", "satisfaction", 0.75)
    assert (model.columns.satisfaction == 0.75).all()


def test_copies_are_independent_sets_of_the_same_customers(model):
    customers = model.customers.select(lambda c: c.provider > 0)
    for twin in (customers.copy(), copy.copy(customers)):
        twin.select(lambda c: c.provider == 1, inplace=True)
        assert len(twin) < len(customers)
        twin[0].satisfaction = 0.5
        assert customers.model is twin.model


# ------------------------------------------------------------------ firms and customers together


def test_everybody_acts_firms_first(model):
    """`model.agents` holds both kinds; its do, get and select reach both."""
    names = [type(agent).__name__ for agent in model.agents]
    assert names == ["Firm"] * 2 + ["Customer"] * COUNT
    seen: list[str] = []
    model.agents.do(lambda agent: seen.append(type(agent).__name__))
    assert seen == names
    assert model.agents[0] is model.firms[0]
    assert model.agents[-1] == model.customers[-1]
    assert len(model.agents.select(lambda agent: isinstance(agent, Firm) or agent.provider == 1)) == 2 + len(
        model.customers.select(lambda c: c.provider == 1)
    )
    assert len(model.agents.select(agent_type=Customer)) == COUNT
    assert [firm.name for firm in model.agents.select(agent_type=Firm)] == ["nanyuan", "eton"]
    cheap = model.agents.select(lambda firm: firm.price < 300, agent_type=Firm)
    assert len(cheap) == 0
    assert len(model.agents.select(at_most=5)) == 5


MIXED = {
    "len": len,
    "items": lambda s: whom([s[0], s[1], s[2], s[-1], *s[1:4]]),
    "select": lambda s: whom(s.select(lambda a: getattr(a, "provider", 9) > 0)),
    "select_then_do": lambda s: whom(s.select(lambda a: a.unique_id < 3).do(lambda firm: None)),
    "select_every_agent": lambda s: whom(s.select(agent_type=mesa.Agent)),
    "select_firms": lambda s: whom(s.select(agent_type=Firm)),
    "select_at_most": lambda s: whom(s.select(at_most=0.1)),
    "select_chained": lambda s: whom(s.select(lambda a: a.unique_id > 1).select(lambda a: a.unique_id % 3 == 0)),
    "shuffle": lambda s: whom(s.shuffle()),
    "shuffle_do": lambda s: (seen := [], s.shuffle_do(lambda a: seen.append(a.unique_id)))[0],
    "do": lambda s: (seen := [], s.do(lambda a: seen.append(a.unique_id)))[0],
    "map": lambda s: s.map(lambda a: a.unique_id),
    "sort": lambda s: whom(s.sort("unique_id")),
    "sort_ascending": lambda s: whom(s.sort(lambda a: getattr(a, "provider", 9), ascending=True)),
    "groupby": lambda s: {key: whom(some) for key, some in s.groupby(lambda a: isinstance(a, Firm))},
    "groupby_count": lambda s: s.groupby(lambda a: hasattr(a, "price")).count(),
    "groupby_list": lambda s: {k: whom(some) for k, some in s.groupby(lambda a: isinstance(a, Firm), "list")},
    "get": lambda s: s.get("unique_id"),
    "get_missing": lambda s: s.get(["unique_id", "price"], handle_missing="default", default_value=-1),
    "agg": lambda s: s.agg("unique_id", [min, max, len]),
}
"""What one does with `model.agents`."""


def whom(agents) -> list[int]:
    """Return who is in a set, firms by their number, in order."""
    return [int(agent.unique_id) for agent in agents]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("name", MIXED)
def test_everybody_does_what_an_agent_set_does(twins, name):
    """Firms and customers together, against an ordinary set of the same firms and twins."""
    model, home = twins
    model.random.seed(8)
    home.random.seed(8)
    expected = MIXED[name](AgentSet([*model.firms, *home.twins], home.random))
    assert MIXED[name](model.agents) == expected


def test_copies_and_subsets_of_everybody(model):
    """A subset is a set of its own; changing it in place leaves the model alone."""
    some = model.agents.copy()
    assert some.select(lambda agent: agent.unique_id < 3, inplace=True) is some
    assert whom(some) == [1, 2]
    assert model.firms[1] in some
    assert model.customers[0] not in some
    assert len(model.agents) == COUNT + 2
    assert whom(some.shuffle(inplace=True)) in ([1, 2], [2, 1])


def test_agents_of_other_types_join_in(model):
    """A user's own registered agents count among everybody, and act."""

    class Regulator(mesa.Agent):
        def step(self):
            self.model.customers.set("switching_cost", 0)

    regulator = Regulator(model)
    assert regulator in model.agents
    assert len(model.agents) == COUNT + 3
    assert set(model.agent_types) == {Firm, Customer, Regulator}
    model.agents_by_type[Regulator].do("step")
    assert not model.columns.switching_cost.any()
    regulator.remove()
    assert len(model.agents) == COUNT + 2


# ------------------------------------------------------------------ data collection


def test_the_models_own_collector(scenario):
    """Row t is the state after t ticks, tick 0 included; firms' numbers are those of the recorder."""
    model = ChurnModel(scenario, rng=1)
    for _ in range(scenario.horizon):
        model.step()
    record = model.recorder.record()
    frame = model.datacollector.get_model_vars_dataframe()
    assert frame["tick"].tolist() == list(range(7))
    play = record.ticks >= 0
    np.testing.assert_array_equal(frame["outside_share"], record.market["outside_share"][play])
    firms = model.datacollector.get_agenttype_vars_dataframe(Firm)
    assert len(firms) == 7 * 2
    for j, name in enumerate(record.firms):
        rows = firms[firms["firm"] == name]
        for measure in ("share", "churn", "quality", "price"):
            np.testing.assert_array_equal(rows[measure], record.measures[measure][play, j], err_msg=measure)
        np.testing.assert_allclose(rows["cash"] * COUNT, record.measures["cash"][play, j])
        np.testing.assert_allclose(rows["cumulative_profit"] * COUNT, record.measures["cumulative_profit"][play, j])


def test_a_users_own_collector(model):
    """Reporters on customers: attributes and functions, next to those on firms and on the model."""
    collector = mesa.DataCollector(
        model_reporters={"mean": lambda m: m.customers.agg("satisfaction", np.mean), "tick": "tick"},
        agenttype_reporters={
            Customer: {"satisfaction": "satisfaction", "loyal": lambda c: bool(c.tenure > 3), "id": "id"},
            Firm: {"price": "price", "guests": lambda f: sum(c.firm is f for c in f.model.customers)},
        },
    )
    collector.collect(model)
    before = model.columns.satisfaction.copy()
    model.step()
    collector.collect(model)
    frame = collector.get_agenttype_vars_dataframe(Customer)
    assert len(frame) == 2 * COUNT
    by_step = frame.reset_index().sort_values(["Step", "AgentID"])
    assert by_step["id"].tolist() == [*range(COUNT), *range(COUNT)]
    now = model.columns.satisfaction
    np.testing.assert_array_equal(by_step["satisfaction"].to_numpy(np.float32), np.r_[before, now])
    np.testing.assert_array_equal(by_step["loyal"].to_numpy(bool)[COUNT:], model.columns.tenure > 3)
    assert collector.get_model_vars_dataframe()["mean"].tolist() == pytest.approx([before.mean(), now.mean()])
    firms = collector.get_agenttype_vars_dataframe(Firm)
    guests = np.bincount(model.columns.provider, minlength=3)[1:]
    assert firms["guests"].tolist()[-2:] == guests.tolist()
    assert firms["price"].tolist() == [300, 300, 300, 225]


# ------------------------------------------------------------------ branches, pickles, batches


@pytest.mark.parametrize("engine", ["compiled", "agents"])
def test_branches_continue_bit_for_bit(scenario, engine):
    """A deep copy in mid-run is a what-if: untouched it lives the same life, touched it alone changes."""
    model = ChurnModel(scenario.set({"customers.count": 60}), rng=2, engine=engine)
    model.step()
    same, other = copy.deepcopy(model), copy.deepcopy(model)
    assert same.columns.belief is not model.columns.belief
    assert all(agent.model is same for agent in same.agents)
    assert same.firms[0] in same.agents_by_type[Firm]
    assert same.firms[0] not in model.agents_by_type[Firm]
    other.customers.set("satisfaction", 0)
    for branch in (model, same, other):
        for _ in range(4):
            branch.step()
    assert state(same) == state(model) != state(other)
    assert same.datacollector.get_model_vars_dataframe().equals(model.datacollector.get_model_vars_dataframe())
    assert len(same.datacollector.get_model_vars_dataframe()) == 6
    assert (same.tick, same.steps) == (model.tick, model.steps) == (5, 5)


def test_pickles_continue_bit_for_bit(model):
    """A model can be put away and taken up again, also in another process."""
    model.step()
    twin = pickle.loads(pickle.dumps(model))
    for one in (model, twin):
        one.step()
        one.step()
    assert state(twin) == state(model)


@pytest.mark.parametrize("engine", ["compiled", "agents"])
def test_pickles_without_a_collector_continue_bit_for_bit(scenario, engine):
    """Everything but Mesa's collector can be pickled, threads included."""
    model = ChurnModel(scenario.set({"customers.count": 60}), rng=1, engine=engine, threads=2)
    model.datacollector = None
    model.run(1)
    twin = pickle.loads(pickle.dumps(model))
    model.run(3)
    twin.run(3)
    assert state(twin) == state(model)


def test_batch_run(scenario):
    """Mesa's own sweep tool gives what the model gives, whichever way it takes its seeds."""
    short = scenario.set({"customers.count": 40})
    arms = [short, short.set({"firms.eton.strategy": "passive"}).named("passive")]
    common = dict(number_processes=1, data_collection_period=1, max_steps=3, display_progress=False)
    by_argument = "rng" in mesa.batch_run.__code__.co_varnames[: mesa.batch_run.__code__.co_argcount]
    if by_argument:
        rows = mesa.batch_run(ChurnModel, {"config": arms}, rng=[5, 6], **common)
    else:
        rows = mesa.batch_run(ChurnModel, {"config": arms, "rng": [5, 6]}, **common)
    for arm in arms:
        for seed in (5, 6):
            mine = [row for row in rows if row["config"] == arm and row["rng"] == seed]
            # Newer Mesas give a row per firm and tick, with the firm's numbers in it.
            found = {row["tick"]: row["outside_share"] for row in mine}
            record = ChurnModel(arm, rng=seed).run(3)
            assert list(found) == [0, 1, 2, 3] == record.ticks[record.ticks >= 0].tolist()
            assert list(found.values()) == record.market["outside_share"][record.ticks >= 0].tolist()
            if "firm" in mine[0]:
                shares = [row["share"] for row in mine if row["firm"] == "eton"]
                assert shares == record.measures["share"][record.ticks >= 0, 1].tolist()


# ------------------------------------------------------------------ memory


def test_closing_frees_the_model(scenario):
    """Mesa 3.3 keeps every model for ever; `close`, `with` and `simulate` give it back."""
    model = ChurnModel(scenario, rng=1)
    column = weakref.ref(model.columns.satisfaction)
    model.close()
    gone = weakref.ref(model)
    assert column() is None
    del model
    gc.collect()
    assert gone() is None
    with ChurnModel(scenario, rng=1) as model:
        gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
    before = sum(isinstance(thing, ChurnModel) for thing in gc.get_objects())
    simulate(scenario, 1)
    gc.collect()
    assert sum(isinstance(thing, ChurnModel) for thing in gc.get_objects()) == before


def test_closing_twice_is_harmless(model):
    model.close()
    model.close()


def test_a_million_customers(scenario):
    """Views, selections and sums over a million customers, at 200 bytes each or less."""
    model = ChurnModel(scenario.set({"customers.count": 1_000_000, "burn_in": 0, "horizon": 2}), rng=1)
    held = sum(column.nbytes for column in model.columns) / 1_000_000
    assert held == bytes_per_customer(2) <= 200
    model.step()
    customers = model.customers
    assert len(model.agents) == 1_000_002
    assert customers[999_999].id == 999_999
    assert customers[999_999].unique_id - customers[0].unique_id == 999_999
    young = customers.select(lambda c: c.tenure <= 1)
    assert len(young) == (model.columns.tenure <= 1).sum()
    assert len(customers.select(lambda c: c.provider == 1, at_most=0.01)) == 10_000
    counts = customers.groupby("provider").count()
    assert counts == dict(enumerate(np.bincount(model.columns.provider)))
    assert customers.agg("tenure", [min, max, len]) == [0, 1, 1_000_000]
    young.set("satisfaction", 0.25)
    assert customers.select(lambda c: c.satisfaction == 0.25).agg("tenure", max) <= 1
    assert customers.sort("opportunity", ascending=True)[0].opportunity == model.columns.opportunity.min()
    some = young.select(at_most=3).to_list()
    assert [type(c) for c in some] == [Customer] * 3
    some[0].tenure = 9
    assert model.columns.tenure[some[0].row] == 9


# ------------------------------------------------------------------ other rules


class Homebody(Customer):
    """Never looks around."""

    def looks_around(self) -> bool:
        return False


class Plain(Customer):
    """Changes nothing."""


def test_overridden_rules_run_on_the_agents_engine(scenario):
    """One warning that names the class and the price; behaviour changes as written."""
    small = scenario.set({"customers.count": 80, "mechanisms.involuntary": False})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = ChurnModel(small, rng=1, customer=Homebody)
        record = model.run()
    (warning,) = caught
    assert "Homebody" in str(warning.message)
    assert "slower" in str(warning.message)
    assert warning.filename == __file__, "the warning points at the user's line"
    assert isinstance(model.engine, Agents)
    assert record.flows[:, range(3), range(3)].sum() == record.flows.sum() == 0
    assert ChurnModel(small, rng=1).run().flows.sum() > 0
    assert isinstance(model.customers[0], Homebody)
    assert set(model.agents_by_type) == {Firm, Homebody}
    assert len(model.agents.select(agent_type=Customer)) == 80


def test_asking_for_the_agents_engine_needs_no_warning(scenario):
    """A subclass that changes nothing gives the compiled engine's bits."""
    small = scenario.set({"customers.count": 60})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = ChurnModel(small, rng=1, customer=Plain, engine="agents")
        plain.run()
    compiled = ChurnModel(small, rng=1)
    compiled.run()
    assert state(plain) == state(compiled)


def test_a_rule_of_value_can_be_overridden(scenario):
    """Customers who love Eton beyond measure all end up there."""

    class Fan(Customer):
        def value_of(self, option):
            return super().value_of(option) + np.float32(5000 if option == 2 else 0)

        def looks_around(self):
            return True

    always = scenario.set({"customers.count": 60, "customers.opportunity": 1, "mechanisms.involuntary": False})
    model = ChurnModel(always, rng=1, customer=Fan, engine="agents")
    assert (model.columns.provider == 2).all()


def test_operators_of_sequences(twins):
    """Counting and reversing, as with any sequence."""
    customers = twins[0].customers
    assert customers.count() == COUNT
    assert customers.count(customers[4]) == 1 == operator.countOf(customers, customers[4])
    assert ids(reversed(customers)) == ids(customers)[::-1]


@pytest.mark.parametrize(
    "condition",
    [
        lambda c: c.belief.argmax() == c.provider - 1,
        lambda c: np.max(c.belief) > c.belief[0],
        lambda c: c.belief[0] == c.belief.max(),
        lambda c: abs(c.satisfaction - 0.5) < 0.1,
        lambda c: (c.satisfaction < 0.5) & (c.tenure > 2),
        lambda c: c.belief[1] > c.belief[0],
    ],
)
def test_a_condition_means_the_same_on_all_as_on_each(model, condition):
    """Whatever mixes customers when given arrays is evaluated one customer at a time."""
    found = model.customers.select(condition).rows.tolist()
    assert found == [customer.row for customer in model.customers if condition(customer)]


def test_a_condition_with_luck_is_asked_for_each(model):
    """One random number for everybody would select all or none of those alike."""
    model.random.seed(1)
    chosen = model.customers.select(lambda c: model.random.random() < c.opportunity + 0 * c.tenure)
    share = len(chosen) / COUNT
    assert 0.3 < share < 0.7

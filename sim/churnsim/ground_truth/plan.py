"""What is to be generated, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from churnsim.config.errors import nearest
from churnsim.i18n import text

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

SMALLEST, LARGEST = 1_000, 10_000_000
"""Customers in the market: fewer say little of a model's quality; more have not been tried."""

HISTORY, OUTCOME = 12, 6
"""Ticks of observation and ticks over which the label looks ahead (assumed)."""

SURVEYED = 0.1
"""Share of buyers who are asked and answer (assumed)."""

NOISE = 1.0
"""Standard deviation, in points of 10, of an answer about what it is meant to measure (assumed)."""

TREATED = 0.5
"""Share of customers who get a treatment, by lot (assumed)."""

TARGETING = 0.0
"""How much more the treatments go to those who spend much: by default a lot is drawn without regard of persons."""

UNTREATED = "none"
CONTACT = "contact"
"""The treatment where none is asked for: the firm looks after its customers at the highest relationship level."""

CHURN = ("silent", "visible")


class GroundTruthError(ValueError):
    """What was asked for cannot be generated; `say` tells it in a language."""

    def __init__(self, key: str, **values: object) -> None:
        self.key, self.values = key, values
        super().__init__(self.say("en"))

    def say(self, lang: str) -> str:
        """Return the message in ``en`` or ``zh``."""
        return text(f"ground_truth.error.{self.key}", lang, **self.values)


@dataclass(frozen=True)
class Plan:
    """What is to be generated.

    Attributes
    ----------
    scenario : Scenario
        The world as it is without treatment.
    treatments : dict of str to Scenario
        The same world with everybody treated, by name of the treatment.
    firm : str
        The firm whose data they are.
    seed : int
        Seed of all luck.
    snapshot : int
        Last tick of observation; treatments begin in the next.
    history, outcome : int
        Ticks of observation, and ticks after the snapshot.
    churn : str
        ``visible``: the firm is told when a customer leaves; ``silent``: it sees only that nobody buys.
    inactivity : int
        Ticks without a purchase after which a silent customer is no longer taken for one.
    surveyed, noise : float
        Share of buyers asked, and standard deviation of an answer in points of 10.
    treated : float
        Share of customers who are treated, in equal parts over the treatments.
    targeting : float
        Log-odds of being treated of the customer who spends most, less those of the one who spends least.
    """

    scenario: Scenario
    treatments: dict[str, Scenario]
    firm: str
    seed: int
    snapshot: int
    history: int
    outcome: int
    churn: str
    inactivity: int
    surveyed: float
    noise: float
    treated: float
    targeting: float

    @property
    def groups(self) -> list[str]:
        """Names of the treatment groups, the untreated first."""
        return [UNTREATED, *self.treatments]


def plan_of(
    scenario: Scenario,
    *,
    customers: int | None = None,
    firm: str | None = None,
    seed: int | None = None,
    snapshot: int | None = None,
    history: int | None = None,
    outcome: int | None = None,
    churn: str | None = None,
    inactivity: int | None = None,
    surveyed: float = SURVEYED,
    noise: float = NOISE,
    treated: float = TREATED,
    targeting: float = TARGETING,
    treatments: Mapping[str, Scenario] | Sequence[str] = (),
) -> Plan:
    """Return a checked plan; `churnsim.generate` explains the parameters.

    Raises
    ------
    GroundTruthError
        If anything cannot be done.
    ScenarioError
        If the scenario cannot have so many customers.
    """
    # Before the scenario is asked, which allows other numbers than this.
    _within("customers", scenario.customers.count if customers is None else customers, SMALLEST, LARGEST)
    if customers is not None:
        scenario = scenario.set({"customers.count": customers})
    firm = next(iter(scenario.firms)) if firm is None else firm
    if firm not in scenario.firms:
        names = ", ".join(scenario.firms)
        near = nearest(firm, list(scenario.firms))
        raise GroundTruthError("firm" if near is None else "firm_near", firm=firm, firms=names, near=near)
    # Only the books of single customers would need it, and they are kept here.
    scenario = scenario.set({"ledger": False})
    first, horizon = -scenario.burn_in + 1, scenario.horizon
    # A short scenario is observed for two thirds of its time.
    outcome = min(OUTCOME, max(horizon // 3, 1)) if outcome is None else outcome
    snapshot = min(HISTORY, horizon - outcome) if snapshot is None else snapshot
    history = max(min(HISTORY, snapshot, snapshot - first + 1), 1) if history is None else history
    _within("history", history, 1, scenario.burn_in + horizon - 1)
    _within("outcome", outcome, 1, horizon)
    _within("snapshot", snapshot, first + history - 1, horizon - outcome)
    contract = scenario.mechanisms.termination and scenario.at(snapshot).firms[firm].contract.length > 0
    churn = ("visible" if contract else "silent") if churn is None else churn
    if churn not in CHURN:
        raise GroundTruthError("churn", churn=churn, options=", ".join(CHURN))
    inactivity = scenario.customers.inactivity if inactivity is None else inactivity
    _within("inactivity", inactivity, 1, 1000)
    for name, share in (("surveyed", surveyed), ("treated", treated)):
        _within(name, share, 0, 1)
    _within("noise", noise, 0, 10)
    _within("targeting", targeting, -10, 10)
    worlds = _treatments(scenario, treatments, firm, snapshot)
    number = scenario.seed if seed is None else seed
    return Plan(
        scenario, worlds, firm, number, snapshot, history, outcome, churn, inactivity,
        surveyed, noise, treated, targeting,
    )  # fmt: skip


def _within(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside its range."""
    if not low <= value <= high:
        raise GroundTruthError("range", name=name, value=value, low=low, high=high)


def _treatments(
    scenario: Scenario, wanted: Mapping[str, Scenario] | Sequence[str], firm: str, snapshot: int
) -> dict[str, Scenario]:
    """Return the treated worlds, each the same as the untreated one up to the snapshot."""
    from churnsim.markets import alike, deals_in

    if not wanted:
        move = {f"firms.{firm}.relationship": "partnership"}
        wanted = {CONTACT: scenario.move(snapshot + 1, move)}
    elif not isinstance(wanted, Mapping):
        wanted = {name: scenario.arm(name) for name in wanted}
    if len(wanted) > 100:
        raise GroundTruthError("range", name="treatments", value=len(wanted), low=1, high=100)
    worlds = {}
    for name, treated in wanted.items():
        if name == UNTREATED:
            raise GroundTruthError("reserved", name=name)
        same = {"customers.count": scenario.customers.count, "ledger": False}
        treated = treated.set(same).named(name)
        if deals_in(treated) != deals_in(scenario):
            raise GroundTruthError("dealings", name=name)
        if alike(treated) != alike(scenario) or list(treated.firms) != list(scenario.firms):
            raise GroundTruthError("other_market", name=name)
        for tick in sorted({move.tick for s in (scenario, treated) for move in s.moves} | {snapshot}):
            if tick <= snapshot and _state(scenario, tick) != _state(treated, tick):
                raise GroundTruthError("early", name=name, snapshot=snapshot)
        if treated.key == scenario.key:
            raise GroundTruthError("no_effect", name=name)
        worlds[name] = treated
    return worlds


def _state(scenario: Scenario, tick: int) -> Any:
    """Return what identifies a market in a tick; strategies do nothing before play begins."""
    state = scenario.at(tick)
    if tick < 1:
        state = state.set({f"firms.{name}.strategy": "passive" for name in state.firms})
    return state.key

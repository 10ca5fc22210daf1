"""How much is measured: sizes of markets, ticks and rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from churnsim import Scenario, load


@dataclass(frozen=True)
class Sizes:
    """Sizes of one run of the suite; the default is the full run, some ten minutes on two cores.

    Attributes
    ----------
    customers
        Customers of the market that one customer-tick is measured in.
    crowd
        Customers where two threads are compared with one.
    agents
        Customers that Mesa activates one by one.
    ticks
        Ticks per measurement.
    agent_ticks
        Ticks per measurement of `agents`.
    rounds
        How often every pair of peers is measured.
    burn_in
        Ticks before anything is measured.
    run_customers, run_ticks
        Size of a run of a sweep.
    runs
        Runs of a sweep.
    peer_ticks
        Ticks of the two runs that stand for a sweep of Mesa agents.
    jobs
        Processes of a peer's sweep, and jobs of ours.
    sweep_every
        Sweeps are measured in every so many rounds, because they take long.
    curve_rounds
        How often every point of the cost curves is measured.
    largest
        Customers at the end of the cost curve, memory permitting.
    curve_customers
        Customers of the other cost curves.
    longest
        Ticks at the end of their cost curve.
    most_runs
        Replications at the end of theirs.
    """

    customers: int = 100_000
    crowd: int = 1_000_000
    agents: int = 2_000
    ticks: int = 8
    agent_ticks: int = 2
    rounds: int = 15
    burn_in: int = 12
    run_customers: int = 1_000
    run_ticks: int = 120
    runs: int = 128
    peer_ticks: int = 10
    jobs: int = 2
    sweep_every: int = 3
    curve_rounds: int = 5
    largest: int = 10_000_000
    curve_customers: int = 100_000
    longest: int = 960
    most_runs: int = 256


FULL = Sizes()
QUICK = Sizes(rounds=5, sweep_every=2, runs=64, curve_rounds=3, largest=1_000_000)


@cache
def case() -> Scenario:
    """Return the two hotels' default arm, read from its file once."""
    return load("two_hotels").arm("case")


def hotels(
    customers: int, *, burn_in: int, horizon: int = 10_000, firms: int = 2, changes: Mapping[str, Any] | None = None
) -> Scenario:
    """Return the two hotels' default arm, in which every mechanism is on, at another size.

    Parameters
    ----------
    customers, burn_in, horizon
        Size of the market and length of the run; by default longer than anything that is measured.
    firms
        Number of firms; more than two are copies of the two, and share demand, capacity and fixed cost with them.
    changes
        New values by dotted path.
    """
    size = {"customers.count": customers, "burn_in": burn_in, "horizon": horizon}
    plan = case().set({**size, **(changes or {})})
    if firms == 2:
        return plan
    originals = list(plan.firms.items())
    copies = {}
    for j in range(firms):
        name, firm = originals[j % 2]
        part = {
            field: getattr(firm, field) * 2 / firms for field in ("initial_share", "fixed_cost", "capacity", "cash")
        }
        copies[name if j < 2 else f"{name}_{j // 2 + 1}"] = firm.model_dump() | part
    return Scenario.model_validate({**plan.model_dump(), "firms": copies, "claims": [], "arms": {}})

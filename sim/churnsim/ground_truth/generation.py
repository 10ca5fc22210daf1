"""Generate data: run the worlds side by side and write what the firm sees, and the truth beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnsim.ground_truth.plan import (
    NOISE,
    SURVEYED,
    TARGETING,
    TREATED,
    GroundTruthError,
    Plan,
    plan_of,
)
from churnsim.ground_truth.tables import BY_NAME, TRUTH, dictionary
from churnsim.ground_truth.writing import (
    ABOUT_FILE,
    FORMAT,
    FORMAT_VERSION,
    Writers,
    draft_of,
    is_ours,
    write_json,
)

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.scenario import Scenario


@dataclass(frozen=True)
class Generated:
    """Where generated data lie.

    Attributes
    ----------
    out : Path
        The folder.
    tables : dict of str to int
        Rows of each table; the truth's have ``truth/`` before their names.
    """

    out: Path
    tables: dict[str, int]

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table, by its name with or without ``truth/``."""
        import pandas as pd

        return pd.read_parquet(self.out / BY_NAME[name.removeprefix(f"{TRUTH}/")].path)


def generate(
    scenario: Scenario,
    out: str | os.PathLike[str],
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
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Generated:
    """Write the data that a firm of a scenario would see and, in a folder ``truth``, what it never sees.

    Parameters
    ----------
    scenario
        What is simulated, without any treatment.
    out
        Folder to write, all at once at the end; earlier generated data there are replaced.
    customers
        Customers in the market, 1 000 to 10 000 000; by default the scenario's.
    firm
        Whose data they are; by default the first firm's.
    seed
        Seed of all luck; by default the scenario's.
    snapshot, history
        Last tick of observation, and how many ticks are observed up to it; by default 12 each.
    outcome
        How many ticks after the snapshot the labels and effects look at; by default 6. Where the scenario is too short
        for the defaults, they are shorter.
    churn
        ``visible``: the firm is told when a customer leaves, as under contract; ``silent``: it sees only that nobody
        buys, and labels by inactivity. By default visible where the firm has contracts.
    inactivity
        Ticks without a purchase after which somebody is no longer taken for a customer, where churn is silent; by
        default the scenario's ``customers.inactivity``.
    surveyed, noise
        Share of buyers who answer a survey, and standard deviation of the error of an answer, in points of 10.
    treated
        Share of customers who are treated by lot, in equal parts over the treatments.
    targeting
        By how much the log-odds of being treated of who spends most exceed those of who spends least, -10 to 10; 0 is a
        lot without regard of persons. ``effects`` has the propensities.
    treatments
        Scenarios by name, or names of the scenario's arms: the world in which everybody is treated. They must be the
        same as `scenario` up to the snapshot. By default the firm looks after its customers at the highest
        relationship level from then on.
    threads
        Threads of the compiled engine; the data do not depend on it.
    progress
        Called with (ticks done, ticks in all).

    Returns
    -------
    Generated
        The folder, and how many rows each table has.

    Raises
    ------
    GroundTruthError
        If what is asked for is out of range, or the folder holds something else.
    """
    plan = plan_of(
        scenario,
        customers=customers,
        firm=firm,
        seed=seed,
        snapshot=snapshot,
        history=history,
        outcome=outcome,
        churn=churn,
        inactivity=inactivity,
        surveyed=surveyed,
        noise=noise,
        treated=treated,
        targeting=targeting,
        treatments=treatments,
    )
    return write(plan, out, threads=threads, progress=progress)


def write(
    plan: Plan,
    out: str | os.PathLike[str],
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Generated:
    """Carry a plan out; parameters as for `generate`."""
    from churnsim.ground_truth.watching import Watch
    from churnsim.ground_truth.worlds import Worlds

    target = Path(out).resolve()
    if not is_ours(target):
        raise GroundTruthError("taken", folder=out)
    report = progress or (lambda done, total: None)
    first, last = -plan.scenario.burn_in, plan.snapshot + plan.outcome
    report(0, last - first)
    with draft_of(target) as draft:
        with Writers(draft) as writers:
            watch = Watch(plan, writers)
            worlds = Worlds(plan, watch, threads=threads)
            while worlds.tick < last:
                if worlds.tick > first:
                    report(worlds.tick - first, last - first)
                worlds.step_once()
            assert watch.outcomes is not None
            watch.outcomes.write(writers)
            _describe(plan, writers.rows, draft)
        report(last - first, last - first)
    return Generated(Path(out), writers.rows)


def _describe(plan: Plan, rows: dict[str, int], folder: Path) -> None:
    """Write where the data come from and what their columns mean."""
    from churnsim.provenance import provenance

    options: dict[str, Any] = {
        name: getattr(plan, name)
        for name in (
            "firm", "seed", "snapshot", "history", "outcome", "churn", "inactivity", "surveyed", "noise", "treated",
            "targeting",
        )
    }  # fmt: skip
    about = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "scenario": {"id": plan.scenario.id, "key": plan.scenario.key},
        "customers": plan.scenario.customers.count,
        **options,
        "treatments": {name: world.key for name, world in plan.treatments.items()},
        "tables": rows,
        **provenance(),
    }
    write_json(folder / ABOUT_FILE, about)
    write_json(folder / "schema.json", dictionary(plan.scenario.currency, plan.scenario.tick))
    scenarios = {"untreated": plan.scenario, **plan.treatments}
    for place, world in enumerate(scenarios.values()):
        # Numbered: a treatment may have any name.
        name = "untreated" if place == 0 else f"treatment_{place}"
        (folder / TRUTH / f"{name}.yaml").write_text(world.to_yaml(), encoding="utf-8", newline="\n")

"""Cohorts in the real engine: many small markets, each with a seed of its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import stats

from churnsim.engine.compiled import Compiled
from churnsim.markets import Markets
from churnsim.running import batches_of, cores
from churnsim.scenario import Scenario


def survivors(
    plans: Sequence[Scenario], shapes: np.ndarray, firm: str, *, first_seed: int, jobs: int | None = None
) -> np.ndarray:
    """Run scenarios, each with the next seed, and return (scenarios, horizon) customers of a firm after each tick.

    Seeds differ so that chance averages out over the scenarios, and every customer of a cohort has a quantile of the
    hazards' distribution to himself, so that chance concerns what happens and not who is there.

    Parameters
    ----------
    plans
        The scenarios, all with the same horizon.
    shapes : (scenarios, 2)
        Both shapes of the Beta distribution of each cohort's `customers.opportunity`.
    firm
        Whose customers they are.
    first_seed
        Seed of the first.
    jobs
        Batches at a time.
    """
    jobs = jobs or cores()
    found = np.empty((len(plans), plans[0].horizon))

    def work(places: list[int]) -> None:
        """Run one batch."""
        markets = Markets([plans[k] for k in places], [first_seed + k for k in places], engine=Compiled())
        for k, first in zip(places, markets.batch.first, strict=True):
            count = plans[k].customers.count
            luck = (np.arange(count) + 0.5) / count
            markets.columns.opportunity[first : first + count] = stats.beta.ppf(luck, *shapes[k])
        for place, record in zip(places, markets.run_to_horizon(), strict=True):
            played = record.ticks > 0
            found[place] = record.measures["customers"][played, record.firms.index(firm)]

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        list(pool.map(work, batches_of(list(plans), jobs)))
    return found

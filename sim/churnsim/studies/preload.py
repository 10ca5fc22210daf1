"""What every worker needs, imported once: workers are forked from a process that has this, and begin at once."""

from __future__ import annotations

import churnsim.markets
import churnsim.studies.worker


def _load_kernels() -> None:
    """Run a market of a few customers, so that compiled code is in memory before workers are forked."""
    from churnsim.config.loading import load
    from churnsim.engine.compiled import Compiled
    from churnsim.engine.kernel import LONGEST, warm

    if warm(*LONGEST):
        tiny = load("two_hotels").set({"customers.count": 20, "horizon": 1, "burn_in": 0})
        churnsim.markets.Markets([tiny], [1], engine=Compiled()).run_to_horizon()


_load_kernels()

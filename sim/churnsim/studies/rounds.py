"""How many replications: all at once, or in rounds until every point's mean is known well enough."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from churnsim.studies.stopping import StoppingRule
from churnsim.studies.writing import Writer

LEAST_STEP, STEP = 10, 0.25
"""Replications that a round adds: so many at least, or this share of those there are (assumed)."""


def rounds_of(writer: Writer, mine: np.ndarray) -> Iterator[np.ndarray]:
    """Yield which runs are wanted, round by round; a round is asked for when the one before is done.

    Parameters
    ----------
    writer
        The store that knows what is done.
    mine : (cells,) bool
        The cells that are to be run at all.

    Yields
    ------
    (runs,) bool
        All runs that are wanted so far, done or not.
    """
    plan = writer.plan
    asked = plan.study.replications
    count = np.where(mine, asked.min, 0)
    yield wanted(count, plan.replications)
    if not asked.is_sequential:
        return
    rule = StoppingRule(
        half_width=asked.half_width or 0.0,
        relative=asked.relative,
        confidence=asked.confidence,
        least=asked.min,
        most=asked.max,
    )
    going_on = mine.copy()
    while True:
        values = writer.values(asked.outcome or next(iter(plan.study.outcomes)), int(count.max(initial=0)))
        for cell in np.flatnonzero(going_on):
            going_on[cell] = not rule.decide(values[: count[cell], cell]).stop and count[cell] < asked.max
        if not going_on.any():
            return
        more = np.maximum(LEAST_STEP, np.ceil(STEP * count)).astype(np.int64)
        count = np.where(going_on, np.minimum(count + more, asked.max), count)
        yield wanted(count, plan.replications)


def wanted(count: np.ndarray, replications: int) -> np.ndarray:
    """Return which runs a number of replications per cell means, ``(runs,) bool``."""
    return (np.arange(replications)[:, np.newaxis] < count).reshape(-1)

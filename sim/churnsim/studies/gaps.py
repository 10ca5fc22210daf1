"""What a game loses where runs have failed: strategies that fail, and replications in which something failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from churnsim.studies.missing import MOST_MISSING, NoAnswerError

if TYPE_CHECKING:
    import pandas as pd

LEAST = 2
"""Strategies, and replications, below which there is no game."""


@dataclass(frozen=True, eq=False)
class Losses:
    """What failed runs have taken away.

    Attributes
    ----------
    strategies : tuple of str
        Labels of strategies that are left out.
    replications : int
        Replications that are left out in every combination, so that all of them keep the same customers and luck.
    failures : pandas.DataFrame
        The failed runs, as `churnsim.studies.store.Store.failures` has them.
    """

    strategies: tuple[str, ...]
    replications: int
    failures: pd.DataFrame


def remaining(failed: np.ndarray, choices: Sequence[tuple[int, ...]], count: int) -> tuple[list[int], np.ndarray]:
    """Return which strategies and which replications a game is made of where runs have failed.

    A strategy of whose runs more than 5 % have failed is left out, the worst first, since the runs that are left would
    be a selection. Of what remains, a replication counts if all combinations have it.

    Parameters
    ----------
    failed : (cells, R) bool
        By combination and replication.
    choices
        The strategies of each combination.
    count
        How many strategies there are.

    Returns
    -------
    strategies : list of int
    replications : (R,) bool

    Raises
    ------
    NoAnswerError
        If fewer than two strategies, or two replications, are left.
    """
    kept = list(range(count))
    while True:
        rows = [place for place, choice in enumerate(choices) if set(choice) <= set(kept)]
        share = {k: float(failed[[place for place in rows if k in choices[place]]].mean()) for k in kept}
        worst = max(kept, key=lambda k: share[k])
        if share[worst] <= MOST_MISSING:
            break
        kept.remove(worst)
        if len(kept) < LEAST:
            raise NoAnswerError("no_game", {"missing": int(failed.sum()), "of": failed.size})
    whole = np.asarray(~failed[rows].any(axis=0))
    if whole.sum() < LEAST:
        raise NoAnswerError("no_game", {"missing": int(failed.sum()), "of": failed.size})
    return kept, whole

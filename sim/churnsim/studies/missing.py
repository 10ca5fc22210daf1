"""Runs that have no outcome: how many there may be, and which one to name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from churnsim.studies.problems import StudyDataError

if TYPE_CHECKING:
    import pandas as pd

MOST_MISSING = 0.05
"""Share of failed runs above which nothing is computed; our measurement: up to it means stay where they are and
intervals keep their coverage, if failures have nothing to do with outcomes."""


def refuse_many(values: np.ndarray) -> None:
    """Refuse outcomes of which more than 5 % are missing, or of which one is infinite.

    Parameters
    ----------
    values : (m, N, C) or (m, n) float64
        Outcomes by replication, and block and column or row; NaN where a run failed.

    Raises
    ------
    StudyDataError
        With the number of failed runs, or the place of an infinite one.
    """
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        place = tuple(int(i) for i in infinite[0])
        raise StudyDataError(
            "infinite",
            {"replication": place[0] + 1, "place": ", ".join(str(i + 1) for i in place[1:]), "count": len(infinite)},
        )
    share = float(np.isnan(values).mean()) if values.size else 0.0
    if share > MOST_MISSING:
        raise StudyDataError(
            "many_missing",
            {"missing": int(np.isnan(values).sum()), "of": values.size, "share": round(100 * share, 1),
             "most": round(100 * MOST_MISSING)},
        )  # fmt: skip


class NoAnswerError(StudyDataError):
    """So many runs have failed that a question has no answer.

    Attributes
    ----------
    failures : pandas.DataFrame or None
        The failed runs, as `churnsim.studies.store.Store.failures` has them.
    """

    failures: pd.DataFrame | None = None

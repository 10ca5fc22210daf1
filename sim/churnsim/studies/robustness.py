"""Choosing an arm when nobody knows in which world it will have to work: regret and its relatives.

An arm is run at every point of the uncertain factors (*worlds*). All measures here are of its mean outcome per world;
none needs a probability of worlds, and each answers another question. Formulas as collected by McPhail et al. (2018,
doi:10.1002/2017EF000649).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from churnsim.studies.problems import StudyDataError

if TYPE_CHECKING:
    import pandas as pd

OPTIMISM = 0.5
"""Hurwicz' weight of the best world: half way between the pessimist and the optimist; our assumption."""


def robustness(
    values: np.ndarray,
    arms: Sequence[str],
    *,
    more_is_better: bool = True,
    threshold: float | None = None,
    optimism: float = OPTIMISM,
) -> pd.DataFrame:
    """Return the measures of robustness of every arm.

    Parameters
    ----------
    values : (W, k) or (R, W, k) float
        Outcome per world and arm, or per replication too: then arms are compared within a replication, so that regret
        is not the luck of the draw, and averaged.
    arms
        Names of the k arms.
    more_is_better
        Direction of the outcome.
    threshold
        Outcome from which a world counts as mastered, in the outcome's unit; without it there is no ``mastered``.
    optimism
        Hurwicz' weight of the best world, 0 to 1.

    Returns
    -------
    pandas.DataFrame
        Per arm: ``worst`` (Wald), ``best_world``, ``laplace`` (mean over worlds), ``hurwicz``, ``regret_max`` (Savage)
        and ``regret_90`` (90 % of worlds), ``wins`` (share of worlds in which the arm is the best one) and ``mastered``
        (Starr's domain criterion). Outcomes are in their unit; regret is how much better the best arm of that world is.
    """
    import pandas as pd

    table = np.asarray(values, dtype=np.float64)
    table = table[np.newaxis] if table.ndim == 2 else table
    if table.shape[2] < 2:
        raise StudyDataError("one_arm", {"found": arms[0] if len(arms) else ""})
    whole = np.isfinite(table).all(axis=2, keepdims=True)
    count = whole.sum(axis=0)
    if not (count > 0).any():
        raise StudyDataError("few_replications", {"found": 0, "least": 1})
    means = (np.where(whole, table, 0.0).sum(axis=0) / np.where(count > 0, count, 1))[count[:, 0] > 0]
    good = means if more_is_better else -means
    regret = good.max(axis=1, keepdims=True) - good
    first = regret == 0
    worst, best = good.min(axis=0), good.max(axis=0)
    sign = 1.0 if more_is_better else -1.0
    frame = {
        "arm": list(arms),
        "worst": sign * worst,
        "best_world": sign * best,
        "laplace": means.mean(axis=0),
        "hurwicz": sign * (optimism * best + (1 - optimism) * worst),
        "regret_max": regret.max(axis=0),
        "regret_90": np.quantile(regret, 0.9, axis=0),
        "wins": (first / first.sum(axis=1, keepdims=True)).mean(axis=0),
    }
    if threshold is not None:
        frame["mastered"] = (good >= sign * threshold).mean(axis=0)
    return pd.DataFrame(frame)

"""Tidy tables for the figures of studies: everything that a figure shows or names is a column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from churnsim.studies.effects import Swings
from churnsim.studies.morris import MorrisEffects
from churnsim.studies.problems import StudyDataError

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.studies.comparing import Comparison
    from churnsim.studies.indices import Sensitivity
    from churnsim.studies.sensitivity import Analysis
    from churnsim.studies.store import Store

MOST_LINES = 400
"""Design rows drawn as lines at most; more of them are a solid area."""

TOP = 0.1
"""Share of the design rows that counts as the best."""


def sensitivity_frame(found: Sensitivity) -> pd.DataFrame:
    """Return what the figure of a method shows, a row per factor (and index), the most important factor first.

    Returns
    -------
    pandas.DataFrame
        outcome, runs, confidence, noise_share, factor, inert, and: mu_star, low, high, sigma, noise_floor of Morris;
        at_low, at_high, end_low, end_high, mean, swing, low, high of swings; else index, value, low, high.
    """
    import pandas as pd

    answer = found.answer
    order = np.argsort(-found.importance, kind="stable")
    if isinstance(answer, MorrisEffects):
        frame = pd.DataFrame(
            {
                "factor": answer.factors, "mu_star": answer.mu_star, "low": answer.mu_star_low,
                "high": answer.mu_star_high, "sigma": answer.sigma, "noise_floor": answer.noise_floor,
                "inert": found.inert,
            }
        ).iloc[order]  # fmt: skip
    elif isinstance(answer, Swings):
        frame = pd.DataFrame(
            {
                "factor": answer.factors, "at_low": answer.at_low, "at_high": answer.at_high,
                "end_low": [end[0] for end in answer.ends], "end_high": [end[1] for end in answer.ends],
                "mean": answer.mean, "swing": answer.swing, "low": answer.low, "high": answer.high,
                "inert": found.inert,
            }
        ).iloc[order]  # fmt: skip
    else:
        frame = found.frame()[["factor", "index", "value", "low", "high", "inert"]]
    about = {
        "outcome": found.outcome, "method": found.method, "runs": answer.runs, "confidence": found.confidence,
        "noise_share": found.noise_share,
    }  # fmt: skip
    return frame.reset_index(drop=True).assign(**about)


def spread_frame(found: Comparison) -> pd.DataFrame:
    """Return a comparison's values, the best alternative first.

    Returns
    -------
    pandas.DataFrame
        outcome, alternative, replication, value, may_be_best.
    """
    import pandas as pd

    place = {name: i for i, name in enumerate(found.alternatives)}
    parts = []
    for name, may in zip(found.ranking.arms, found.ranking.candidates, strict=True):
        values = found.values[:, place[name]]
        parts.append(
            pd.DataFrame(
                {"alternative": name, "replication": np.arange(len(values)) + 1, "value": values, "may_be_best": may}
            )
        )
    return pd.concat(parts, ignore_index=True).assign(outcome=found.outcome)


def lines_frame(analysis: Analysis, outcome: str) -> pd.DataFrame:
    """Return the design rows with their mean outcome: every factor, value, top (among the best tenth), outcome.

    Of a Sobol design these are its independent rows; of many rows an even selection.
    """
    import pandas as pd

    rows = analysis.independent()
    rows = rows[:: max(1, -(-len(rows) // MOST_LINES))]
    means = np.nanmean(analysis.values(outcome)[:, rows], axis=0)
    columns = {path: analysis.points.labels(path, rows) for path in analysis.study.factors}
    cut = np.nanquantile(means, 1 - TOP)
    return pd.DataFrame({**columns, "value": means, "top": means >= cut, "outcome": outcome})


def phase_factors(store: Store) -> tuple[str, str] | None:
    """Return the two factors of a grid of two, which make a map; None of other studies."""
    study = store.study
    if study.design != "grid" or len(study.factors) != 2:
        return None
    first, second = study.factors
    return first, second


def phase_frame(store: Store, outcome: str, *, more_is_better: bool = True, confidence: float = 0.95) -> pd.DataFrame:
    """Return who wins at every point of a grid of two factors.

    Arms compete where the study has several; else firms do, in the outcomes of the same measure and window.

    Returns
    -------
    pandas.DataFrame
        x, y (the factors' values, under their own names in ``x_name`` and ``y_name``), winner, margin (mean lead over
        the next, in the outcome's unit), sure (whether its interval is above zero), outcome.

    Raises
    ------
    StudyDataError
        If the study is no grid of two factors, or nobody competes.
    """
    import pandas as pd

    from churnsim.studies.statistics import paired

    factors = phase_factors(store)
    if factors is None:
        raise StudyDataError("no_map", {"found": len(store.study.factors)})
    frame = store.frame()
    label = outcome
    if len(store.plan.arms) > 1:
        wide = frame.pivot(index=["row", "replication"], columns="arm", values=outcome)
    else:
        wide = frame.set_index(["row", "replication"])[list(rivals(store, outcome))]
        match = _SIMPLE.fullmatch(store.study.outcomes[outcome].strip())
        label = match["measure"] + (match["at"] or "") if match else outcome
    if wide.shape[1] < 2:
        raise StudyDataError("one_arm", {"found": outcome})
    rows = []
    for row, group in wide.groupby(level="row"):
        values = group.dropna().to_numpy()
        if len(values) == 0:
            continue
        order = np.argsort(values.mean(axis=0) * (-1 if more_is_better else 1), kind="stable")
        first, second = values[:, order[0]], values[:, order[1]]
        gap = paired(first, second, more_is_better=more_is_better, confidence=confidence)
        sure = gap.low > 0 or gap.high < 0
        name = str(wide.columns[order[0]])
        rows.append((int(row), name if len(store.plan.arms) > 1 else _firm(store, name), abs(gap.mean), sure))
    found = pd.DataFrame(rows, columns=["row", "winner", "margin", "sure"])
    points = store.plan.points
    for axis, path in zip(("x", "y"), factors, strict=True):
        found[axis] = points.labels(path)[found["row"].to_numpy()]
        found[f"{axis}_name"] = path
    return found.assign(outcome=label)


def rivals(store: Store, outcome: str) -> tuple[str, ...]:
    """Return the outcomes that are the same measure over the same window of different firms, this one among them."""
    texts = store.study.outcomes
    mine = _SIMPLE.fullmatch(texts[outcome].strip())
    if mine is None:
        return (outcome,)
    return tuple(
        name
        for name, text in texts.items()
        if (match := _SIMPLE.fullmatch(text.strip()))
        and (match["measure"], match["at"]) == (mine["measure"], mine["at"])
    )


_SIMPLE = re.compile(r"(?P<measure>\w+)\.(?P<firm>\w+)(?P<at>@[\d-]+)?")


def _firm(store: Store, outcome: str) -> str:
    """Return the firm that an outcome is of."""
    match = _SIMPLE.fullmatch(store.study.outcomes[outcome].strip())
    return match["firm"] if match else outcome

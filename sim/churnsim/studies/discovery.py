"""Scenario discovery: in which futures does something happen? Boxes of a few simple limits, found by PRIM.

The patient rule induction method (Friedman & Fisher 1999, doi:10.1023/A:1008894516817) peels thin slices off the space
of uncertain factors so that what is left has more and more cases of interest, then pastes back what was too much.
Bryant & Lempert 2010 (doi:10.1016/j.techfore.2009.08.002) use it to say which futures break a plan. (Both recalled.)
Cases are probabilities: the share of a point's replications in which it happens, not one noisy yes or no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

PEEL = 0.05
"""Share of the points left that a peel takes away (Friedman & Fisher 1999: .05 to .1)."""
PASTE = 0.05
"""Share of the points inside that a paste adds."""
LEAST_MASS = 0.05
"""Share of all points below which a box says nothing."""
HALVES = 20
"""Half-samples on which the search is repeated."""
FOLDS = 5
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Limit:
    """One side condition of a box.

    Attributes
    ----------
    name : str
        The factor.
    low, high : float or None
        Bounds, both inclusive; None where there is none.
    kept : tuple or None
        The values that remain, of a factor that is no number.
    quasi_p : float
        Chance of a density this high if the limit were of no use (binomial tail; Bryant & Lempert 2010).
    reproduced : float
        Share of half-samples in which the search limits this factor too.
    """

    name: str
    low: float | None = None
    high: float | None = None
    kept: tuple[Any, ...] | None = None
    quasi_p: float = np.nan
    reproduced: float = np.nan

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Return where it holds, ``(n,) bool``."""
        if self.kept is not None:
            return np.isin(np.asarray(values, dtype=object).astype(str), [str(item) for item in self.kept])
        values = np.asarray(values, dtype=np.float64)
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        return (values >= low) & (values <= high)


@dataclass(frozen=True)
class Box:
    """Part of the space of factors.

    Attributes
    ----------
    limits : tuple of Limit
        What must be true; a factor that is not named may have any value.
    coverage : float
        Share of all cases of interest that lie inside.
    density : float
        Share of the points inside that are cases of interest.
    mass : float
        Share of all points that lie inside.
    points : int
        Points inside.
    """

    limits: tuple[Limit, ...]
    coverage: float
    density: float
    mass: float
    points: int

    @property
    def balance(self) -> float:
        """Harmonic mean of coverage and density: high only if both are."""
        total = self.coverage + self.density
        return 2 * self.coverage * self.density / total if total > 0 else 0.0

    def holds(self, factors: Mapping[str, Any]) -> np.ndarray:
        """Return which points lie inside, ``(n,) bool``."""
        rows = len(next(iter(factors.values())))
        inside = np.ones(rows, dtype=bool)
        for limit in self.limits:
            inside &= limit.holds(np.asarray(factors[limit.name]))
        return inside


@dataclass(frozen=True)
class Discovery:
    """What a search has found.

    Attributes
    ----------
    boxes : list of Box
        From everything to the smallest box, peel by peel; the last one after pasting.
    chosen : Box
        The box with the best balance of coverage and density, without limits that are of no use.
    base : float
        Share of cases of interest among all points.
    honest : float
        Density of boxes found on four fifths of the points, measured on the others.
    found : bool
        Whether the chosen box says something: it has limits, all unlikely to be chance, and its honest density is above
        the base.
    """

    boxes: list[Box]
    chosen: Box
    base: float
    honest: float

    @property
    def found(self) -> bool:
        """Whether the chosen box says something."""
        useful = all(limit.quasi_p < SIGNIFICANT for limit in self.chosen.limits)
        return bool(self.chosen.limits) and useful and self.honest > self.base

    def frame(self) -> pd.DataFrame:
        """Return the trade-off: one row per box with coverage, density, mass, limits (their number), chosen."""
        rows = [
            {"coverage": box.coverage, "density": box.density, "mass": box.mass, "limits": len(box.limits),
             "chosen": False}
            for box in self.boxes
        ]  # fmt: skip
        chosen = {"coverage": self.chosen.coverage, "density": self.chosen.density, "mass": self.chosen.mass,
                  "limits": len(self.chosen.limits), "chosen": True}  # fmt: skip
        return pd.DataFrame([*rows, chosen])


def discover(factors: Mapping[str, Any], cases: Any, seed: int = 0, least_mass: float = LEAST_MASS) -> Discovery:
    """Find the box of factors in which cases of interest gather.

    Parameters
    ----------
    factors
        By name, one value per point: numbers, or anything else, which is then taken as a label.
    cases : (n,) float64
        Probability that a point is a case of interest, 0 to 1.
    seed
        Of the half-samples and folds.
    least_mass
        Share of all points below which a box is not considered.

    Raises
    ------
    ValueError
        If there are fewer than 20 points, a value is missing, or nothing distinguishes the cases.
    """
    y = np.asarray(cases, dtype=np.float64)
    table = {name: _column(values) for name, values in factors.items()}
    if not table or any(len(column) != len(y) for column in table.values()) or len(y) < 20:
        raise ValueError("scenario discovery takes at least 20 points, and one value of every factor for each")
    if not np.isfinite(y).all() or y.min() < 0 or y.max() > 1:
        raise ValueError("a case is a probability between 0 and 1")
    if any(column.dtype == float and not np.isfinite(column).all() for column in table.values()):
        raise ValueError("every factor has a value at every point")
    boxes = _trajectory(table, y, least_mass)
    chosen = _pruned(max(boxes, key=lambda box: (round(box.balance, 12), -len(box.limits))), table, y)
    rng = np.random.default_rng(seed)
    counts = dict.fromkeys(table, 0)
    for _ in range(HALVES):
        half = rng.permutation(len(y))[: len(y) // 2]
        again = _best({name: column[half] for name, column in table.items()}, y[half], least_mass)
        for limit in again.limits:
            counts[limit.name] += 1
    limits = tuple(replace(limit, reproduced=counts[limit.name] / HALVES) for limit in chosen.limits)
    order = rng.permutation(len(y))
    hits, inside = 0.0, 0
    for fold in range(FOLDS):
        out = order[fold::FOLDS]
        rest = np.setdiff1d(order, out)
        box = _best({name: column[rest] for name, column in table.items()}, y[rest], least_mass)
        held = box.holds({name: column[out] for name, column in table.items()})
        hits, inside = hits + float(y[out][held].sum()), inside + int(held.sum())
    honest = hits / inside if inside else float(y.mean())
    return Discovery(boxes, replace(chosen, limits=limits), float(y.mean()), honest)


def _column(values: Any) -> np.ndarray:
    """Return a factor as numbers, or as labels where it is none."""
    values = np.asarray(values)
    if values.dtype.kind in "iuf":
        return values.astype(np.float64)
    return np.array([str(value) for value in values.tolist()], dtype=object)


def _best(table: dict[str, np.ndarray], y: np.ndarray, least_mass: float) -> Box:
    """Return the box that a search would choose."""
    boxes = _trajectory(table, y, least_mass)
    return _pruned(max(boxes, key=lambda box: (round(box.balance, 12), -len(box.limits))), table, y)


def _trajectory(table: dict[str, np.ndarray], y: np.ndarray, least_mass: float) -> list[Box]:
    """Peel from everything down to the smallest box, then paste; return every box on the way."""
    inside = np.ones(len(y), dtype=bool)
    limits: dict[str, Limit] = {}
    boxes = [_box(limits, inside, y)]
    while True:
        options = [
            (float(y[left].mean()), float(left.sum()), limit, left)
            for limit, left in _peels(table, limits, inside)
            if left.sum() >= max(least_mass * len(y), 2)
        ]
        if not options:
            break
        density, _, limit, left = max(options, key=lambda option: option[:2])
        if density <= y[inside].mean() and density >= 1 - 1e-12:
            break
        limits, inside = {**limits, limit.name: limit}, left
        boxes.append(_box(limits, inside, y))
    pasted = _pasted(max(boxes, key=lambda box: round(box.balance, 12)), table, y)
    return [*boxes, pasted]


def _peels(table: dict[str, np.ndarray], limits: Mapping[str, Limit], inside: np.ndarray) -> list[Any]:
    """Return every thin slice that may go: the limit that it leaves behind, and what is left."""
    out = []
    for name, column in sorted(table.items()):
        here = column[inside]
        old = limits.get(name, Limit(name))
        if column.dtype == object:
            values = sorted(set(here))
            for gone in values if len(values) > 1 else ():
                limit = replace(old, kept=tuple(value for value in values if value != gone))
                out.append((limit, inside & (column != gone)))
            continue
        ranked = np.sort(here)
        count = max(1, int(PEEL * ranked.size))
        # Points with the same value go or stay together.
        above = ranked[np.searchsorted(ranked, ranked[count - 1], side="right") :]
        below = ranked[: np.searchsorted(ranked, ranked[-count], side="left")]
        if above.size:
            out.append((replace(old, low=float(above[0])), inside & (column >= above[0])))
        if below.size:
            out.append((replace(old, high=float(below[-1])), inside & (column <= below[-1])))
    return out


def _pasted(box: Box, table: dict[str, np.ndarray], y: np.ndarray) -> Box:
    """Give back what was peeled too much: widen one side at a time while that makes the box denser."""
    limits = {limit.name: limit for limit in box.limits}
    while True:
        inside = _inside(limits, table)
        density = y[inside].mean()
        best = None
        for name, limit in sorted(limits.items()):
            for wider in _wider(limit, limits, table):
                trial = {**limits, name: wider}
                held = _inside(trial, table)
                if (
                    held.sum() > inside.sum()
                    and y[held].mean() >= density
                    and (best is None or y[held].mean() > best[0])
                ):
                    best = (float(y[held].mean()), trial)
        if best is None:
            return _box(limits, inside, y)
        limits = best[1]


def _wider(limit: Limit, limits: Mapping[str, Limit], table: dict[str, np.ndarray]) -> list[Limit]:
    """Return a limit's next wider forms, given all others."""
    column = table[limit.name]
    others = _inside({name: other for name, other in limits.items() if name != limit.name}, table)
    if limit.kept is not None:
        missing = sorted(set(column[others]) - set(limit.kept))
        return [replace(limit, kept=(*limit.kept, value)) for value in missing]
    count = max(1, int(PASTE * (others & limit.holds(column)).sum()))
    out = []
    if limit.low is not None:
        lower = np.sort(column[others & (column < limit.low)])[::-1]
        if lower.size:
            out.append(replace(limit, low=float(lower[min(count, lower.size) - 1])))
    if limit.high is not None:
        higher = np.sort(column[others & (column > limit.high)])
        if higher.size:
            out.append(replace(limit, high=float(higher[min(count, higher.size) - 1])))
    return out


def _pruned(box: Box, table: dict[str, np.ndarray], y: np.ndarray) -> Box:
    """Drop limits that may well be chance, the worst first; give the others their quasi-p."""
    limits = {limit.name: limit for limit in box.limits}
    while limits:
        judged = {name: _quasi_p(name, limits, table, y) for name in limits}
        worst = max(judged, key=lambda name: judged[name])
        if judged[worst] < SIGNIFICANT:
            limits = {name: replace(limit, quasi_p=judged[name]) for name, limit in limits.items()}
            break
        del limits[worst]
    return _box(limits, _inside(limits, table), y)


def _quasi_p(name: str, limits: Mapping[str, Limit], table: dict[str, np.ndarray], y: np.ndarray) -> float:
    """Return the chance of so many cases inside if they were as frequent as without the limit."""
    from scipy.special import bdtrc

    inside = _inside(limits, table)
    without = _inside({other: limit for other, limit in limits.items() if other != name}, table)
    hits, count = int(np.floor(y[inside].sum() + 1e-9)), int(inside.sum())
    share = float(y[without].mean())
    return 1.0 if hits <= 0 else float(bdtrc(hits - 1, count, min(share, 1.0)))


def _inside(limits: Mapping[str, Limit], table: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the points that fulfil all limits."""
    inside = np.ones(len(next(iter(table.values()))), dtype=bool)
    for limit in limits.values():
        inside &= limit.holds(table[limit.name])
    return inside


def _box(limits: Mapping[str, Limit], inside: np.ndarray, y: np.ndarray) -> Box:
    """Measure a box."""
    total = float(y.sum())
    hits = float(y[inside].sum())
    count = int(inside.sum())
    return Box(
        tuple(limits.values()),
        hits / total if total > 0 else 0.0,
        hits / count if count else 0.0,
        count / len(y),
        count,
    )


def tidy(limits: Sequence[Limit]) -> list[dict[str, Any]]:
    """Return limits as plain data."""
    return [
        {"factor": one.name, "low": one.low, "high": one.high, "kept": None if one.kept is None else list(one.kept),
         "quasi_p": one.quasi_p, "reproduced": one.reproduced}
        for one in limits
    ]  # fmt: skip

"""The points of a design: one value per factor and point, kept as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.config.paths import read
from churnsim.studies.conditions import Condition, read_condition
from churnsim.studies.errors import StudyError, StudyProblem
from churnsim.studies.factors import label

if TYPE_CHECKING:
    from churnsim.studies.study import Study

MOST_POINTS = 20_000_000
"""More points than fit a plan of bounded memory: more likely a slip of the finger."""


@dataclass
class Points:
    """Every point of a study's design.

    Attributes
    ----------
    study : Study
        Whose design it is.
    columns : dict of str to (n,) array
        Per factor: the values of distributions, the places of levels.
    block, column : (n,) int64
        Which rows belong together, and as what (`churnsim.studies.designs.Design`).
    """

    study: Study
    columns: dict[str, np.ndarray]
    block: np.ndarray
    column: np.ndarray
    _unset: dict[tuple[str, str], np.ndarray | None] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.block)

    def values(self, path: str, rows: Any = slice(None)) -> np.ndarray:
        """Return a factor's values: numbers where all are numbers, else objects."""
        factor, column = self.study.factors[path], self.columns[path][rows]
        return column if factor.levels is None else factor.column(column)

    def labels(self, path: str, rows: Any = slice(None)) -> np.ndarray:
        """Return a factor's values as they stand in tables."""
        factor = self.study.factors[path]
        if factor.levels is None or factor.is_number:
            return self.values(path, rows)
        known = np.empty(len(factor.levels), dtype=object)
        known[:] = [label(level) for level in factor.levels]
        return known[self.columns[path][rows]]

    def unset(self, path: str, arm: str) -> np.ndarray | None:
        """Return where a factor does not apply in an arm, ``(n,) bool``; None where it always does."""
        when = self.study.factors[path].when
        if when is None:
            return None
        if (path, arm) not in self._unset:
            condition = read_condition(when)
            self._unset[path, arm] = ~condition.holds(known_columns(self, condition, arm), len(self))
        return self._unset[path, arm]

    def changes(self, point: int, arm: str) -> dict[str, Any]:
        """Return what a point sets in an arm, by dotted path, as plain values."""
        found: dict[str, Any] = {}
        for path in self.columns:
            unset = self.unset(path, arm)
            if unset is None or not unset[point]:
                value = self.values(path, slice(point, point + 1))[0]
                value = value.item() if hasattr(value, "item") else value
                found |= dict.fromkeys((path, *self.study.factors[path].also), value)
        return found


def points_of(study: Study) -> Points:
    """Return a study's points, without those that break a constraint.

    Raises
    ------
    StudyError
        If there are none, or more than can be handled.
    """
    columns, block, column = _sampled(study) if _is_sampled(study) else _listed(study)
    points = Points(study, columns, block, column)
    keep = np.ones(len(points), bool)
    for text in study.constraints:
        condition = read_condition(text)
        for arm in study.arm_names:
            keep &= condition.holds(known_columns(points, condition, arm), len(points))
    if not keep.any():
        raise StudyError([StudyProblem("no_points", ("constraints",))])
    if not keep.all():
        kept = {path: values[keep] for path, values in columns.items()}
        block = np.arange(int(keep.sum())) if study.design == "grid" else block[keep]
        points = Points(study, kept, block, column[keep])
    return points


def known_columns(points: Points, condition: Condition, arm: str) -> Mapping[str, Any]:
    """Return what a condition speaks of: columns of factors, the arm, and numbers that the scenario fixes."""
    study = points.study
    known: dict[str, Any] = {}
    for name in condition.names:
        if name in points.columns:
            known[name] = points.values(name)
        elif name == "arm":
            known[name] = arm
        else:
            known[name] = study.set[name] if study.function is not None else _fixed(study.bases[arm], name)
    return known


def _fixed(scenario: Any, path: str) -> Any:
    """Return the value of a setting that is not varied; a constant trait counts as a number."""
    value = read(scenario, path)
    return getattr(value, "value", value)


def _is_sampled(study: Study) -> bool:
    """Whether a sampler makes the points."""
    return study.design not in ("grid", "list")


def _listed(study: Study) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Points of a grid (the last factor changes fastest) or of a list."""
    lengths = [len(factor.values) for factor in study.factors.values()]
    if study.design == "list" or not lengths:
        count = lengths[0] if lengths else 1
        places = [np.arange(count)] * len(lengths)
    else:
        count = 1
        for length in lengths:
            count *= length
        if count > MOST_POINTS:
            raise StudyError([StudyProblem("many_points", ("factors",), {"found": count, "high": MOST_POINTS})])
        places = [axis.reshape(-1) for axis in np.indices(lengths, dtype=np.int32)]
    columns = {}
    for (path, factor), place in zip(study.factors.items(), places, strict=True):
        columns[path] = place if factor.levels is not None else np.array(factor.values)[place]
    return columns, np.arange(count), np.zeros(count, np.int64)


def _sampled(study: Study) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Points of a design on the unit cube."""
    from churnsim.studies.designs import unit_design
    from churnsim.studies.problems import StudyDataError

    options: dict[str, Any] = {"second_order": True} if study.second_order else {}
    if study.design == "morris" and any(factor.normal for factor in study.factors.values()):
        options["ends"] = False
    try:
        design = unit_design(
            study.design, len(study.factors), study.samples or 1, study.design_seed, study.groups, **options
        )
    except StudyDataError as error:
        raise StudyError([StudyProblem("design", ("design",), {"error": error})]) from None
    columns = {}
    for place, (path, factor) in enumerate(study.factors.items()):
        u = design.points[:, place]
        if factor.levels is None:
            columns[path] = factor.from_unit(u)
        else:
            count = len(factor.levels)
            columns[path] = np.minimum((u * count).astype(np.int32), count - 1)
    return columns, np.asarray(design.block), np.asarray(design.column)

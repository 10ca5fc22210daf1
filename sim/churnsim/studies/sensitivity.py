"""Sensitivity of a study's outcomes to its factors, from its store."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.studies.bootstrap import RESAMPLES
from churnsim.studies.designs import SEQUENCES, unit_design
from churnsim.studies.effects import swings
from churnsim.studies.given import fast_indices, sample_indices
from churnsim.studies.indices import Answer, Sensitivity
from churnsim.studies.morris import morris_effects
from churnsim.studies.problems import StudyDataError, known
from churnsim.studies.sobol import convergence, sobol_indices

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.studies.store import Store
    from churnsim.studies.study import Study

METHODS: dict[str, tuple[str, ...]] = {
    "sobol": ("sobol", "swings", "pawn"),
    "morris": ("morris",),
    "radial": ("morris",),
    "fast": ("fast",),
    "lhs": ("rbd_fast", "pawn", "swings"),
    "list": ("rbd_fast", "pawn", "swings"),
    "grid": ("swings", "pawn"),
    "fractional": ("swings",),
}
"""What can be worked out from each design, the usual one first."""

_TICK = re.compile(r"(?P<measure>.+)@(?P<tick>\d+)")


class Analysis:
    """Outcomes of a store as arrays, for one arm, and the sensitivities worked out from them.

    Parameters
    ----------
    store
        Where the runs are; all of them must have ended, one way or the other.
    arm
        By default the study's baseline, else its first arm.

    Raises
    ------
    StudyDataError
        If runs are still to be done, there is no such arm, or nothing is varied.
    """

    def __init__(self, store: Store, arm: str | None = None) -> None:
        store.check_design()
        self.store, self.study = store, store.study
        check(self.study, arm=arm)
        self.arm = arm or self.study.baseline or store.plan.arms[0]
        counts = store.counts()
        pending = counts["runs"] - counts["done"] - counts["failed"]
        if pending and not self.study.replications.is_sequential:
            raise StudyDataError("unfinished", {"pending": pending, "runs": counts["runs"]})
        self.points = store.plan.points
        frame = store.frame()
        self._rows = frame[frame["arm"] == self.arm]
        self.outcomes = tuple(self.study.outcomes)

    def values(self, outcome: str) -> np.ndarray:
        """Return an outcome as ``(replications, design rows)``, NaN where a run has no value."""
        rows = self._rows
        replications = int(rows["replication"].max()) if len(rows) else 0
        if self.study.replications.is_sequential:
            # Points have different numbers of replications; those that all have can be compared.
            replications = int(rows.groupby("row")["replication"].max().min()) if len(rows) else 0
            rows = rows[rows["replication"] <= replications]
        table = np.full((replications, len(self.points)), np.nan)
        table[rows["replication"].to_numpy() - 1, rows["row"].to_numpy()] = rows[outcome].to_numpy(np.float64)
        return table

    def of(
        self,
        outcome: str,
        method: str | None = None,
        *,
        confidence: float = 0.95,
        seed: int = 0,
        resamples: int = RESAMPLES,
    ) -> Sensitivity:
        """Return the sensitivity of one outcome.

        Parameters
        ----------
        outcome
            Its name.
        method
            One of `METHODS` for the study's design, by default the first.
        confidence
            Of the intervals.
        seed, resamples
            Of the bootstrap over blocks.

        Raises
        ------
        StudyDataError
            If the outcome or the method is not there, or the numbers do not allow it.
        """
        check(self.study, [outcome], method)
        method = method or METHODS[self.study.design][0]
        table = self.values(outcome)
        options: dict[str, Any] = {"confidence": confidence, "seed": seed}
        try:
            answer = self._answer(method, table, options, resamples)
        except StudyDataError as error:
            raise StudyDataError(error.code, {**error.details, "outcome": outcome}) from None
        return Sensitivity(
            method, outcome, self.arm, answer, int(np.isnan(table).sum()), confidence,
            is_current=method != "sobol" or self.is_current,
        )  # fmt: skip

    def all(
        self, outcomes: Iterable[str] | None = None, method: str | None = None, **options: Any
    ) -> list[Sensitivity]:
        """Return the sensitivity of several outcomes, by default all; parameters are those of `of`."""
        return [self.of(outcome, method, **options) for outcome in (self.outcomes if outcomes is None else outcomes)]

    def convergence(self, outcome: str, **options: Any) -> pd.DataFrame:
        """Return how the Sobol' indices of an outcome settle with the number of blocks."""
        if self.study.design != "sobol":
            raise StudyDataError("no_convergence", {"design": self.study.design})
        return convergence(self._in_blocks(self.values(outcome)), self._names(), **self._sobol_options(), **options)

    def families(self) -> dict[str, dict[int, str]]:
        """Return the measures that are kept at several ticks: per measure, tick and outcome."""
        found: dict[str, dict[int, str]] = {}
        for name in self.outcomes:
            match = _TICK.fullmatch(self.study.outcomes[name].strip())
            if match:
                found.setdefault(match["measure"], {})[int(match["tick"])] = name
        return {measure: dict(sorted(ticks.items())) for measure, ticks in found.items() if len(ticks) > 1}

    def over_time(self, measure: str, method: str | None = None, **options: Any) -> pd.DataFrame:
        """Return the indices of a measure tick by tick: as `Sensitivity.frame`, with a column ``tick``.

        Ticks at which nothing but luck differs have no rows: there is no variance to divide.
        """
        import pandas as pd

        parts = []
        for tick, outcome in self.families()[measure].items():
            try:
                parts.append(self.of(outcome, method, **options).frame().assign(tick=tick))
            except StudyDataError as error:
                if error.code not in ("constant", "only_noise"):
                    raise
        if not parts:
            raise StudyDataError("constant", {"value": measure, "outcome": measure})
        return pd.concat(parts, ignore_index=True)

    def _answer(self, method: str, table: np.ndarray, options: dict[str, Any], resamples: int) -> Answer:
        """Work out what a method says of an outcome."""
        study, names = self.study, self._names()
        if method == "sobol":
            return sobol_indices(self._in_blocks(table), names, resamples=resamples, **self._sobol_options(), **options)
        if method == "morris":
            points = self._unit_points().reshape(int(self.points.block.max()) + 1, -1, len(study.factors))
            return morris_effects(
                self._in_blocks(table), points, list(study.factors), groups=study.groups,
                confidence=options["confidence"],
            )  # fmt: skip
        factors = list(study.factors)
        if method == "fast":
            return fast_indices(table, factors, **options)
        rows = self.independent()
        if method == "swings":
            columns = {path: self.points.labels(path, rows) for path in factors}
            sampled = study.design in ("sobol", "lhs")
            return swings(table[:, rows], columns, sampled=sampled, confidence=options["confidence"])
        ranked = np.stack([np.asarray(self.points.columns[path][rows], dtype=np.float64) for path in factors], axis=1)
        return sample_indices(method, table[:, rows], ranked, factors, **options)

    def independent(self) -> np.ndarray:
        """Return the rows that methods for plain samples may take: of Saltelli's pattern A and B, else all."""
        if self.study.design != "sobol":
            return np.arange(len(self.points))
        return np.flatnonzero(np.isin(self.points.column, (0, len(self._names()) + 1)))

    def _sobol_options(self) -> dict[str, Any]:
        """Return what the estimators have to know of the design."""
        return {
            "second_order": self.study.second_order,
            "sequences": SEQUENCES if self.is_current else None,
            "luck": self.study.shares_luck,
        }

    @cached_property
    def is_current(self) -> bool:
        """Whether the points are those that this version makes, and so come from independent sequences."""
        made = self.study.points
        return all(
            np.array_equal(made.columns[path], column) for path, column in self.points.columns.items()
        ) and np.array_equal(made.block, self.points.block)

    def _names(self) -> tuple[str, ...]:
        """Return the factors, or the groups that move together."""
        return tuple(self.study.factors) if self.study.groups is None else tuple(dict.fromkeys(self.study.groups))

    def _in_blocks(self, table: np.ndarray) -> np.ndarray:
        """Return values as ``(replications, blocks, columns)``."""
        block, column = self.points.block, self.points.column
        out = np.full((len(table), int(block.max()) + 1, int(column.max()) + 1), np.nan)
        out[:, block, column] = table
        return out

    def _unit_points(self) -> np.ndarray:
        """Return the design on the unit cube; refuse one that is not what was run."""
        study = self.study
        options: dict[str, Any] = {}
        if study.design == "morris" and any(factor.normal for factor in study.factors.values()):
            options["ends"] = False
        design = unit_design(
            study.design, len(study.factors), study.samples or 1, study.design_seed, study.groups, **options
        )
        for place, (path, factor) in enumerate(study.factors.items()):
            if not np.array_equal(factor.from_unit(design.points[:, place]), self.points.values(path)):
                raise StudyDataError("design_changed", {"design": study.design, "factor": path})
        return design.points


def check(
    study: Study, outcomes: Iterable[str] | None = None, method: str | None = None, arm: str | None = None
) -> None:
    """Refuse a question that a study cannot answer, before anything is run for it.

    Raises
    ------
    StudyDataError
        If nothing is varied, or the study has no such outcome, method or arm.
    """
    if not study.factors:
        raise StudyDataError("nothing_varied", {})
    for outcome in outcomes or ():
        known("outcome", outcome, study.outcomes)
    if method is not None:
        known("method", method, METHODS[study.design], design=study.design)
    if arm is not None:
        known("arm", arm, study.arm_names)

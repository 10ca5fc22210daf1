"""Screening before measuring: Morris' trajectories find the factors that matter, Sobol' indices are spent on those."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from churnsim.studies.designs import rows_of
from churnsim.studies.indices import Sensitivity
from churnsim.studies.problems import StudyDataError
from churnsim.studies.study import Study

TRAJECTORIES = 16
"""Trajectories of a screening; 10 to 50 are advised (Campolongo et al. 2007, recalled)."""

NEGLIGIBLE = 0.05
"""Share of the largest mu* below which a factor is left out even if it is above the noise; our assumption."""

LEAST_REPLICATIONS = 2
"""Replications without which nothing can be told from luck."""


@dataclass(frozen=True)
class Screened:
    """What a screening leaves.

    Attributes
    ----------
    kept, left_out : tuple of str
        Factors or groups that are, and are not, worth measuring.
    study : Study or None
        The study of what is kept; None where nothing is.
    runs, whole : int
        Runs of screening and reduced study together, and of the study without screening.
    """

    kept: tuple[str, ...]
    left_out: tuple[str, ...]
    study: Study | None
    runs: int
    whole: int


def screening_of(study: Study, trajectories: int = TRAJECTORIES) -> Study:
    """Return the Morris study that comes before a Sobol study: the same factors, outcomes and seeds.

    Raises
    ------
    StudyDataError
        If the study is no Sobol study, or runs every point once.
    """
    if study.design != "sobol":
        raise StudyDataError("screen_design", {"design": study.design})
    if study.replications.max < LEAST_REPLICATIONS:
        raise StudyDataError("screen_once", {})
    changes = {"design": "morris", "samples": trajectories, "name": f"{study.name}_screening"}
    if study.second_order:
        changes["second_order"] = False
    return study.with_(**changes)


def screened(study: Study, found: Iterable[Sensitivity], screening: Study) -> Screened:
    """Return which factors are worth measuring, and the study that measures them.

    Parameters
    ----------
    study
        The Sobol study.
    found
        Morris' effects of every outcome that counts: a factor is kept if it matters for any of them.
    screening
        The Morris study that was run.
    """
    answers = list(found)
    names = answers[0].factors
    keep = np.zeros(len(names), dtype=bool)
    for answer in answers:
        # Of an outcome that nothing moves, the largest mu* is noise itself, and all are inert.
        keep |= ~answer.inert & (answer.importance >= NEGLIGIBLE * answer.importance.max())
    kept = tuple(name for name, is_kept in zip(names, keep, strict=True) if is_kept)
    left_out = tuple(name for name in names if name not in kept)
    reduced = _reduced(study, kept) if kept else None
    return Screened(
        kept, left_out, reduced,
        runs=_runs(screening) + (_runs(reduced) if reduced is not None else 0),
        whole=_runs(study),
    )  # fmt: skip


def _reduced(study: Study, kept: tuple[str, ...]) -> Study:
    """Return the study with the kept factors alone; the others stay at the scenario's value, or in the middle."""
    groups = study.groups or tuple(study.factors)
    stays = {path: factor for (path, factor), group in zip(study.factors.items(), groups, strict=True) if group in kept}
    fixed = dict(study.set)
    if study.function is not None:
        middle = np.array([0.5])
        fixed |= {path: factor.from_unit(middle)[0] for path, factor in study.factors.items() if path not in stays}
        fixed = {path: value.item() if hasattr(value, "item") else value for path, value in fixed.items()}
    if len({factor.group for factor in stays.values()}) == 1:
        # One group alone is no group: there must be something to tell it from.
        stays = {path: factor.model_copy(update={"group": None}) for path, factor in stays.items()}
    return study.with_(factors=stays, set=fixed, name=f"{study.name}_screened")


def _runs(study: Study) -> int:
    """Return how many runs a study has at most."""
    rows = rows_of(study.design, len(study.factors), study.samples or 1, study.groups, second_order=study.second_order)
    return rows * len(study.arm_names) * study.replications.max

"""One shape for the answer of every sensitivity method: rows for tables and figures, and an object for JSON."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.studies.effects import Swings
from churnsim.studies.given import SeedAveraged
from churnsim.studies.morris import MorrisEffects
from churnsim.studies.sobol import LEAST_COMMON, SobolIndices

if TYPE_CHECKING:
    import pandas as pd

Answer = SobolIndices | MorrisEffects | SeedAveraged | Swings

NOISE_LEFT = 0.1
"""Share of the means' variance that is still luck from which indices of means are called distorted; our assumption."""


ENOUGH_BLOCKS = 128
"""Samples from which 95 % intervals cover in 92 to 98 % of cases, whatever the function and the luck; with 64 the least
was 89 %, with 32 it was 86 % (our measurement, ``python -m benchmarks.coverage``)."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Which factors an outcome depends on.

    Attributes
    ----------
    method : str
        ``sobol``, ``morris``, ``fast``, ``rbd_fast``, ``pawn`` or ``swings``.
    outcome, arm : str
        Of what, and in which arm.
    answer : SobolIndices, MorrisEffects, SeedAveraged or Swings
        All that the method says.
    failed : int
        Runs without a value.
    confidence : float
        Of all intervals.
    is_current : bool
        Whether a Sobol design is what this version makes.
    """

    method: str
    outcome: str
    arm: str
    answer: Answer
    failed: int
    confidence: float
    is_current: bool = True

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors, or the groups that moved together."""
        return self.answer.factors

    @property
    def noise_share(self) -> float:
        """Share of a single run's variance that is luck; NaN where it cannot be told."""
        answer = self.answer
        return float(answer.noise[0]) if isinstance(answer, SobolIndices) else answer.noise

    @cached_property
    def inert(self) -> np.ndarray:
        """Which factors cannot be told from ones that do nothing, ``(D,) bool``."""
        answer = self.answer
        if not isinstance(answer, SeedAveraged):
            return answer.inert
        value, low, _ = answer.indices[_leading(self.method)]
        if answer.baseline is not None:
            return value <= answer.baseline[2]
        return ~(low > 0)

    @cached_property
    def importance(self) -> np.ndarray:
        """What factors are ranked by, ``(D,)``: total index, mu*, or how far the outcome swings."""
        answer = self.answer
        if isinstance(answer, SobolIndices):
            return answer.total["value"]
        if isinstance(answer, MorrisEffects):
            return answer.mu_star
        return np.abs(answer.swing) if isinstance(answer, Swings) else answer.indices[_leading(self.method)][0]

    def frame(self) -> pd.DataFrame:
        """Return the answer as rows, the most important factor first.

        Returns
        -------
        pandas.DataFrame
            outcome, arm, method, factor, index, value, low, high, inert.
        """
        import pandas as pd

        rows = []
        for j in np.argsort(-self.importance, kind="stable"):
            for index, value, low, high in self._numbers(int(j)):
                rows.append(
                    (self.outcome, self.arm, self.method, self.factors[j], index, value, low, high, self.inert[j])
                )
        columns = ["outcome", "arm", "method", "factor", "index", "value", "low", "high", "inert"]
        return pd.DataFrame(rows, columns=columns)

    def as_json(self) -> dict[str, Any]:
        """Return the answer as ``churnsim sensitivity --json`` prints it; ``…_conf`` is half of an interval's width."""
        factors: dict[str, dict[str, Any]] = {}
        for j, name in enumerate(self.factors):
            entry: dict[str, Any] = {}
            for index, value, low, high in self._numbers(j):
                entry[index] = value
                if np.isfinite(low) and np.isfinite(high):
                    entry |= {f"{index}_conf": (high - low) / 2, f"{index}_low": low, f"{index}_high": high}
            entry["inert"] = bool(self.inert[j])
            entry |= self._besides(j)
            factors[name] = entry
        answer = self.answer
        out: dict[str, Any] = {
            "method": self.method,
            "outcome": self.outcome,
            "arm": self.arm,
            "factors": factors,
            "noise_share": self.noise_share,
            "runs": answer.runs,
            "replications": answer.replications,
            "failed": self.failed,
            "confidence": self.confidence,
            "notes": [code for code, _ in self.notes()],
        }
        if isinstance(answer, SobolIndices):
            out["noise_share_low"], out["noise_share_high"] = float(answer.noise[1]), float(answer.noise[2])
            out["label"] = answer.label
            if answer.second is not None:
                out["second_order"] = _pairs(answer)
        return out

    def notes(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what a reader has to know beside the numbers: codes of ``sensitivity.note.*`` and their details."""
        answer = self.answer
        found: list[tuple[str, dict[str, Any]]] = []
        if answer.replications == 1:
            found.append(("seed_specific", {}))
        if self.failed:
            code = "failed_bounds" if isinstance(answer, SobolIndices) else "failed"
            found.append((code, {"failed": self.failed, "runs": answer.runs}))
        if isinstance(answer, SobolIndices):
            found += self._sobol_notes(answer)
        if isinstance(answer, SeedAveraged):
            found.append(("seed_averaged", {}))
            if answer.left > NOISE_LEFT:
                found.append(("noise_left", {"left": answer.left}))
            found.append((f"covers_{answer.covers}", {}))
            if answer.baseline is not None:
                found.append(("pawn_baseline", {"low": float(answer.baseline[1]), "high": float(answer.baseline[2])}))
        if isinstance(answer, Swings):
            covers = "both" if answer.sampled else "noise" if answer.replications > 1 else "nothing_once"
            found.append((f"covers_{covers}", {}))
        return found

    def _sobol_notes(self, answer: SobolIndices) -> list[tuple[str, dict[str, Any]]]:
        """Return what a reader has to know of the intervals of Sobol' indices."""
        found: list[tuple[str, dict[str, Any]]] = []
        if answer.enough is not None:
            found.append(("drowned", {"blocks": answer.blocks, "enough": answer.enough}))
        if answer.blocks < ENOUGH_BLOCKS:
            found.append(("few_blocks", {"blocks": answer.blocks, "least": ENOUGH_BLOCKS}))
        if answer.blocks & (answer.blocks - 1):
            found.append(("not_power", {"blocks": answer.blocks}))
        if not answer.covers_luck:
            found.append(("same_luck", {"replications": answer.replications, "least": LEAST_COMMON}))
        if not self.is_current:
            found.append(("other_points", {}))
        return found

    def _numbers(self, j: int) -> list[tuple[str, float, float, float]]:
        """Return index, value, low and high of a factor."""
        answer = self.answer
        if isinstance(answer, SobolIndices):
            tables = {"S1": answer.first, "ST": answer.total}
            return [(name, float(t["value"][j]), float(t["low"][j]), float(t["high"][j])) for name, t in tables.items()]
        if isinstance(answer, MorrisEffects):
            return [
                ("mu_star", float(answer.mu_star[j]), float(answer.mu_star_low[j]), float(answer.mu_star_high[j])),
                ("squared", float(answer.squared[j]), float(answer.squared_low[j]), float(answer.squared_high[j])),
            ]
        if isinstance(answer, Swings):
            return [("swing", float(answer.swing[j]), float(answer.low[j]), float(answer.high[j]))]
        return [(name, float(v[0, j]), float(v[1, j]), float(v[2, j])) for name, v in answer.indices.items()]

    def _besides(self, j: int) -> dict[str, Any]:
        """Return what else the method says of a factor."""
        answer = self.answer
        if isinstance(answer, SobolIndices):
            out: dict[str, Any] = {"first_in": float(answer.top[j])}
            if answer.bounds is not None:
                out |= {f"{index}_bounds": [float(x) for x in ends[j]] for index, ends in answer.bounds.items()}
            return out
        if isinstance(answer, MorrisEffects):
            names = ("mu", "sigma", "noise_floor", "spread")
            return {name: float(getattr(answer, name)[j]) for name in names}
        if isinstance(answer, Swings):
            return {
                "ends": list(answer.ends[j]),
                "at_low": float(answer.at_low[j]),
                "at_high": float(answer.at_high[j]),
            }
        return {}


def _leading(method: str) -> str:
    """Return the index of a given-data method that factors are ranked by."""
    return {"fast": "ST", "rbd_fast": "S1", "pawn": "median"}[method]


def _pairs(answer: SobolIndices) -> list[dict[str, Any]]:
    """Return second-order indices as a list of pairs."""
    assert answer.second is not None
    d = len(answer.factors)
    return [
        {
            "factors": [answer.factors[i], answer.factors[j]],
            **{
                name: float(answer.second[key][i, j])
                for name, key in (("S2", "value"), ("low", "low"), ("high", "high"))
            },
        }
        for i in range(d)
        for j in range(i + 1, d)
    ]

"""What a published figure asks of the model, and how an answer is judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from churnsim import Scenario, load, run
from churnsim.claims import ResultValues
from churnsim.expressions import Expression, read_expression

SEEDS = range(1, 11)
"""Seeds of every preset."""

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Line:
    """One number of a target.

    Attributes
    ----------
    text : str
        What the number is.
    of : str or callable
        An expression of `churnsim.expressions` on the preset, or a function of a seed that returns the number.
    low, high : float
        Band in which the number must lie; infinite where it is open.
    published : tuple of float
        The published number that the band is drawn around, or both ends of a published range; empty where only a
        direction, a ranking or an order of magnitude was published.
    exact : bool
        Whether the number is a closed form, which the model follows whatever its customers do: it counts for nothing,
        even where it lies within what was published.
    seeds : sequence of int
        Seeds over which a function is averaged; those of an expression are its target's.
    digits : int
        Digits behind the point.
    """

    text: str
    of: str | Callable[[int], float]
    low: float = -math.inf
    high: float = math.inf
    seeds: Sequence[int] = SEEDS
    digits: int = 3
    published: tuple[float, ...] = ()
    exact: bool = False

    def __post_init__(self) -> None:
        if not all(self.low <= number <= self.high for number in self.published):
            raise ValueError(f"{self.text}: the band {self.band} leaves out what was published, {self.published}")

    @property
    def kind(self) -> str:
        """Whether a quantity, only an order, or neither is asked for."""
        if math.isinf(self.low) and math.isinf(self.high):
            return "reported"
        return "closed form" if self.exact else "quantity" if self.published else "order"

    @property
    def band(self) -> str:
        """The band in words."""
        low, high = f"{self.low:g}", f"{self.high:g}"
        if math.isinf(self.low):
            return "reported" if math.isinf(self.high) else f"below {high}"
        return f"above {low}" if math.isinf(self.high) else f"{low} to {high}"


@dataclass(frozen=True)
class Target:
    """One published fact, its standing, and the preset on which it is looked for.

    Attributes
    ----------
    id, name : str
        Number and short name.
    fact : str
        What was published.
    source : str
        Where.
    standing : str
        ``checked``: read in the source; ``recalled``: cited from memory; or a mixture, in words.
    preset : str
        What is simulated, in words.
    lines : tuple of Line
        The numbers asked for; the target is met where all of them are.
    scenario : str
        Built-in scenario on which the lines' expressions are evaluated.
    settings : dict
        Values that differ from it.
    seeds : sequence of int
        Seeds of the runs on which expressions are evaluated.
    tuned : bool
        Whether the preset's parameters were chosen to meet the quantities.
    note : str
        What the answer does not say, or why it fails.
    """

    id: str
    name: str
    fact: str
    source: str
    standing: str
    preset: str
    lines: tuple[Line, ...]
    scenario: str = ""
    settings: dict[str, object] = field(default_factory=dict)
    seeds: Sequence[int] = SEEDS
    tuned: bool = False
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """What the model gives for a line: mean and 95 % interval over seeds."""

    line: Line
    value: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the whole interval lies in the band; what is only reported holds where there is a number."""
        return math.isfinite(self.value) and self.low >= self.line.low and self.high <= self.line.high


def found(target: Target) -> list[Finding]:
    """Run a target's preset and return a finding per line."""
    expressions = {line.of: read_expression(line.of) for line in target.lines if isinstance(line.of, str)}
    values = None
    if expressions:
        base = load(target.scenario).set(target.settings) if target.settings else load(target.scenario)
        values = ResultValues(run(_arms(base, list(expressions.values())), seeds=target.seeds, progress=False))
    findings = []
    for line in target.lines:
        if isinstance(line.of, str):
            assert values is not None
            sample = np.broadcast_to(expressions[line.of].evaluate(values), values.seeds.shape)
        else:
            sample = np.array([line.of(seed) for seed in line.seeds])
        findings.append(judged(line, sample))
    return findings


def _arms(base: Scenario, expressions: Sequence[Expression]) -> list[Scenario]:
    """Return the arms that expressions speak of."""
    names = {term.arm for expression in expressions for term in expression.terms.values()}
    return [base.arm(name) for name in base.arm_names if name in names]


def judged(line: Line, found_by_seed: Sequence[float] | np.ndarray) -> Finding:
    """Return the mean of a number over seeds with its t interval."""
    from scipy.special import stdtrit

    sample = np.asarray(found_by_seed, float)
    mean, n = float(sample.mean()), sample.size
    half = 0.0
    if n > 1:
        half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2) * sample.std(ddof=1) / math.sqrt(n))
    return Finding(line, mean, mean - half, mean + half)

"""Claims: what a scenario is said to show, checked against runs.

A claim either *holds* in enough of the seeds (a comparison, see
`churnsim.expressions`), or *estimates* a quantity whose 95 % interval over the seeds
must lie on one side of a bound, or is only reported.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from churnsim.config.errors import Keys, Problem, ScenarioError, nearest
from churnsim.config.scenario import Claim, ScenarioRecord
from churnsim.expressions import BY_CAUSE, DEFAULT_ARM, MARKET, Expression, ExpressionError, Term, read_expression
from churnsim.ledger_terms import LedgerValues, is_of_ledger, keeps_ledger, span
from churnsim.metrics import measures

CONFIDENCE = 0.95
"""Of the interval of an estimate."""
SPREAD = (5, 95)
"""Percentiles reported beside the mean of a comparison's gap."""


def form_of(claim: Claim) -> str:
    """Return which kind of claim it is: ``holds`` or ``estimate``."""
    return "holds" if claim.holds is not None else "estimate"


def expression_of(claim: Claim) -> Expression:
    """Read a claim's expression; raise ScenarioError where it is none."""
    form = form_of(claim)
    text = getattr(claim, form)
    try:
        expression = read_expression(text)
        if expression.is_statement != (form == "holds"):
            wanted = "a comparison, such as a > b" if form == "holds" else "a quantity, without a comparison"
            raise ExpressionError(f"'{form}' takes {wanted}")
    except ExpressionError as error:
        raise ScenarioError([Problem("expression", (form,), {"found": text, "reason": str(error)})]) from None
    return expression


def arms_of(claim: Claim) -> set[str]:
    """Return the arms whose runs a claim needs."""
    return {term.arm for term in expression_of(claim).terms.values()} or {DEFAULT_ARM}


def asks_ledger(claim: Claim) -> bool:
    """Return whether a claim reads the ledger, which not every run keeps."""
    return any(is_of_ledger(term) for term in expression_of(claim).terms.values())


def within(claim: Claim, low: int, high: int) -> bool:
    """Return whether all windows of a claim lie within ticks `low` to `high`, or what a run of them can have."""
    try:
        terms = expression_of(claim).terms.values()
    except ScenarioError:
        return True  # another error, to be told elsewhere
    spans = [(term, span(term, low, high) or (low, high)) for term in terms]
    return all(first <= term.first and term.last <= last for term, (first, last) in spans)


def claim_problems(scenario: ScenarioRecord) -> list[Problem]:
    """Return everything wrong with a scenario's claims."""
    problems: list[Problem] = []
    seen: set[str] = set()
    for index, claim in enumerate(scenario.claims):
        at: Keys = ("claims", index)
        if claim.id in seen:
            problems.append(Problem("twice", (*at, "id"), {"found": claim.id}))
        seen.add(claim.id)
        if claim.above is not None and claim.below is not None and claim.above >= claim.below:
            reason = f"above ({claim.above:g}) must be less than below ({claim.below:g})"
            problems.append(Problem("rule", (*at, "above"), {"reason": reason}))
        try:
            expression = expression_of(claim)
        except ScenarioError as error:
            problems += [Problem(problem.code, (*at, *problem.keys), problem.details) for problem in error.errors]
            continue
        for term in expression.terms.values():
            problems += term_problems(term, scenario, (*at, form_of(claim)))
    return problems


def term_problems(term: Term, scenario: ScenarioRecord, at: Keys) -> list[Problem]:
    """Return what is wrong with one term in the context of a scenario.

    Parameters
    ----------
    term
        What an expression names.
    scenario
        Gives the firms, the arms and the ticks there are.
    at
        Where the expression stands.
    """
    problems: list[Problem] = []
    arms, firms = (DEFAULT_ARM, *scenario.arms), tuple(scenario.firms)
    if term.arm not in arms:
        problems.append(Problem("no_arm", at, _unknown(term.arm, arms)))
    if term.firm != MARKET and term.firm not in firms:
        problems.append(Problem("no_firm", at, _unknown(term.firm, (*firms, MARKET))))
    else:
        problems += _measure_problems(term, firms, at)
    if is_of_ledger(term) and term.arm in arms and not keeps_ledger(scenario, term.arm):
        problems.append(Problem("no_ledger", at, {"found": term.text}))
    allowed = span(term, 1 - scenario.burn_in, scenario.horizon)
    if term.first > term.last:
        problems.append(Problem("window_order", at, {"found": f"{term.first}-{term.last}"}))
    elif allowed is not None:
        if term.first < allowed[0] or term.last > allowed[1]:
            details = {"what": measures("ledger")[term.measure].per, "low": allowed[0], "high": allowed[1]}
            problems.append(Problem("out_of_range", at, {"found": term.text, **details}))
    elif term.first <= -scenario.burn_in or term.last > scenario.horizon:
        found = f"{term.first}" if term.first == term.last else f"{term.first}-{term.last}"
        low, high = 1 - scenario.burn_in, scenario.horizon
        problems.append(Problem("window", at, {"found": f"@{found}", "low": low, "high": high}))
    return problems


def _measure_problems(term: Term, firms: tuple[str, ...], at: Keys) -> list[Problem]:
    """Check that a term's measure or cause exists, for a firm or for the market."""
    from churnsim.causes import CAUSE_NAMES
    from churnsim.dealing_measures import PER_FIRM
    from churnsim.metrics import measures

    if term.measure in BY_CAUSE:
        if term.firm == MARKET:
            instead = f"{term.measure}.{term.cause}.{firms[0]}"
            details = {"found": term.measure, "scope": "one firm", "instead": instead}
            return [Problem("scope", at, details)]
        return [] if term.cause in CAUSE_NAMES else [Problem("cause", at, _unknown(term.cause or "", CAUSE_NAMES))]
    here, there = {**PER_FIRM, **measures("ledger")}, measures("market")
    whose, instead = "the market", f"{term.measure}.{MARKET}"
    if term.firm == MARKET:
        here, there = there, here
        whose, instead = "one firm", f"{term.measure}.{firms[0]}"
    if term.measure in here:
        return []
    if term.measure in there:
        return [Problem("scope", at, {"found": term.measure, "scope": whose, "instead": instead})]
    return [Problem("measure", at, _unknown(term.measure, here))]


def _unknown(found: str, options: Iterable[str]) -> dict[str, Any]:
    """Details of a name that does not exist."""
    options = tuple(options)
    return {"found": found, "near": nearest(found, options), "options": options}


class ResultValues:
    """Values of terms in a result, as arrays over seeds and ticks.

    Parameters
    ----------
    result
        Anything with the tidy frames ``ticks``, ``market`` and ``causes``.
    base_name
        Name under which the result may hold the scenario itself instead of ``case``.
    """

    def __init__(self, result: Any, base_name: str = DEFAULT_ARM) -> None:
        self.result = result
        self.arms = set(result.ticks["scenario"].unique())
        self.base = base_name if DEFAULT_ARM not in self.arms and base_name in self.arms else DEFAULT_ARM
        self.seeds = np.unique(result.ticks["seed"].to_numpy())
        self.first_tick, self.last_tick = int(result.ticks["tick"].min()), int(result.ticks["tick"].max())
        self._blocks: dict[tuple[str, ...], tuple[Any, Any]] = {}
        self._pivots: dict[tuple[str, ...], np.ndarray] = {}
        self._ledger = LedgerValues(result, self.seeds)

    def __call__(self, term: Term) -> np.ndarray:
        """Return a term's values, ``(n_seeds, n_ticks) float64``."""
        arm = self.base if term.arm == DEFAULT_ARM else term.arm
        if arm not in self.arms:
            details = {"found": term.arm, "options": tuple(sorted(map(str, self.arms)))}
            raise ScenarioError([Problem("no_result_arm", (), details)])
        if is_of_ledger(term):
            return self._ledger(arm, term)
        if term.first < self.first_tick or term.last > self.last_tick:
            window = {"found": f"@{term.first}-{term.last}", "low": self.first_tick, "high": self.last_tick}
            raise ScenarioError([Problem("window", (), window)])
        pivot = self._pivot(arm, term)
        return pivot[:, term.first - self.first_tick : term.last - self.first_tick + 1]

    def _pivot(self, arm: str, term: Term) -> np.ndarray:
        """All ticks of one measure in one arm, ``(n_seeds, n_ticks) float64``."""
        key = (arm, term.measure, term.firm, term.cause or "")
        if key not in self._pivots:
            table = "causes" if term.cause else "market" if term.firm == MARKET else "ticks"
            block, cells = self._block(table, arm, term)
            blank = 0.0 if term.cause else np.nan
            pivot = np.full((len(self.seeds), self.last_tick - self.first_tick + 1), blank)
            pivot[cells] = block[BY_CAUSE.get(term.measure, term.measure)].to_numpy(dtype=np.float64)
            self._pivots[key] = pivot
        return self._pivots[key]

    def _block(self, table: str, arm: str, term: Term) -> tuple[Any, Any]:
        """Rows of one arm and firm (and cause), and the cells of the pivot they go to."""
        key = (table, arm, term.firm, term.cause or "")
        if key not in self._blocks:
            frame = getattr(self.result, table)
            mask = _equal(frame["scenario"], arm)
            if table != "market":
                mask = mask & _equal(frame["firm"], term.firm)
            if term.cause:
                mask = mask & _equal(frame["cause"], term.cause)
            block = frame[mask]
            rows = np.searchsorted(self.seeds, block["seed"].to_numpy())
            self._blocks[key] = block, (rows, block["tick"].to_numpy() - self.first_tick)
        return self._blocks[key]


def _equal(column: Any, name: str) -> np.ndarray:
    """Where a column of names has one name."""
    return (column == name).to_numpy(dtype=bool)


def check_claims(scenario: ScenarioRecord, result: Any, lang: str = "en") -> list[dict[str, Any]]:
    """Check every claim of a scenario against runs of its arms.

    Returns
    -------
    list of dict
        ``id``, ``text``, ``holds`` (bool), ``fraction`` (of seeds), ``needed``, and
        ``value``, ``low``, ``high``: for a single comparison mean and 5-95 % of left
        side minus right side, for an estimate its mean and 95 % t interval; else None.
        Statements also have ``measured``: every comparison in them as ``left``, ``left_value``,
        ``sign``, ``right``, ``right_value``, with means over the seeds.

    Raises
    ------
    ScenarioError
        If the result lacks an arm or ticks that a claim speaks of.
    """
    values = ResultValues(result, scenario.name)
    return [
        {"id": claim.id, "text": claim.text[lang], **_verdict(claim, expression_of(claim), values)}
        for claim in scenario.claims
    ]


def _verdict(claim: Claim, expression: Expression, values: ResultValues) -> dict[str, Any]:
    """Outcome of one claim."""
    per_seed = np.broadcast_to(expression.evaluate(values), values.seeds.shape)
    return _held(claim, expression, per_seed, values) if expression.is_statement else _estimated(claim, per_seed)


def _held(claim: Claim, expression: Expression, truth: np.ndarray, values: ResultValues) -> dict[str, Any]:
    """Outcome of a statement that must be true in enough seeds."""
    fraction = float(truth.mean())
    value = low = high = None
    gap = expression.difference()
    if gap is not None:
        gaps = np.broadcast_to(gap.evaluate(values), truth.shape)
        with np.errstate(invalid="ignore", over="ignore"):
            value = _finite(gaps.mean())
            low, high = (_finite(bound) for bound in np.percentile(gaps, SPREAD))
    holds = fraction >= claim.needed - 1e-12  # 0.9 of 10 seeds is nine of them
    said = {"holds": holds, "fraction": fraction, "needed": claim.needed, "value": value, "low": low, "high": high}
    return {**said, "measured": _measured(expression, values)}


def _measured(expression: Expression, values: ResultValues) -> list[dict[str, Any]]:
    """Return both sides of every comparison in a statement, as means over the seeds."""
    found = []
    for left, sign, right in expression.comparisons():
        sides = []
        for side in (left, right):
            with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
                sides.append(_finite(float(np.mean(np.broadcast_to(side.evaluate(values), values.seeds.shape)))))
        row = {"left": left.text, "left_value": sides[0], "sign": sign, "right": right.text, "right_value": sides[1]}
        found.append(row)
    return found


def _estimated(claim: Claim, sample: np.ndarray) -> dict[str, Any]:
    """Outcome of a quantity estimated over the seeds."""
    known = np.isfinite(sample)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = float(sample.mean())
        half = _half_width(sample)
    low, high = mean - half, mean + half
    # A quantity that some seed does not have (a firm closed, say) supports no claim.
    holds = bool(known.all()) and math.isfinite(mean) and (claim.above is None or low > claim.above)
    holds = holds and (claim.below is None or high < claim.below)
    beyond = known
    if claim.above is not None or claim.below is None:
        beyond = beyond & (sample > (claim.above or 0))
    if claim.below is not None:
        beyond = beyond & (sample < claim.below)
    return {
        "holds": bool(holds),
        "fraction": float(beyond.mean()),
        "needed": None,
        "value": _finite(mean),
        "low": _finite(low),
        "high": _finite(high),
    }


def _half_width(sample: np.ndarray) -> float:
    """Half the width of the t interval of a mean; NaN for a single run, of which nobody knows the spread."""
    from scipy.special import stdtrit

    n = len(sample)
    if n < 2:
        return math.nan
    return float(stdtrit(n - 1, (1 + CONFIDENCE) / 2) * sample.std(ddof=1) / math.sqrt(n))


def _finite(value: float) -> float | None:
    """Return a number for JSON, or None where there is none."""
    return float(value) if math.isfinite(value) else None

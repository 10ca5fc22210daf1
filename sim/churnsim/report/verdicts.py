"""What a scenario is said to show, and whether it does in the runs of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from churnsim.claims import arms_of, asks_ledger, check_claims, within
from churnsim.config.loading import builtin_names, load
from churnsim.dealing_measures import PER_FIRM
from churnsim.i18n import number, percent
from churnsim.report.quantities import PROFIT
from churnsim.scenario import BASE_ARM
from churnsim.studies.labels import measure_of

if TYPE_CHECKING:
    from churnsim.config.scenario import Claim
    from churnsim.report.answers import Findings
    from churnsim.scenario import Scenario

FIGURES = 3
"""Figures of a number that is neither money nor a share."""


@dataclass(frozen=True)
class Verdict:
    """One claim.

    Attributes
    ----------
    text : str
        What is claimed.
    key : str
        ``yes``, ``no`` or ``reported``.
    evidence : str
        In how many runs it held, or what was estimated, and what was needed.
    """

    text: str
    key: str
    evidence: str


@dataclass(frozen=True)
class Verdicts:
    """The claims of a report's scenario.

    Attributes
    ----------
    claims : tuple of Verdict
        Those that the runs can answer.
    left_out : int
        Claims that speak of scenarios or ticks that were not run, or of a ledger that was not kept.
    changed : bool
        Whether a built-in scenario was changed for the runs, which its claims were not made for.
    """

    claims: tuple[Verdict, ...]
    left_out: int
    changed: bool

    def remarks(self, found: Findings) -> list[str]:
        """Return what must be known beside the claims, in sentences."""
        said = [found.say("claims_changed")] if self.changed and self.claims else []
        return [*said, found.say("claims_left_out", n=number(self.left_out))] if self.left_out else said


def verdicts(found: Findings) -> Verdicts:
    """Check the claims of the scenario that the runs are of, as far as these can tell."""
    result = found.result
    whole = next((one for one in result.scenarios.values() if one.claims and one.id == found.first.id), None)
    if whole is None:
        return Verdicts((), 0, changed=False)
    # An arm of the same name may have come from elsewhere: results can be merged.
    names = {name for name, one in result.scenarios.items() if name in whole.arms and whole.arm(name).key == one.key}
    names |= {BASE_ARM} if {BASE_ARM, whole.name} & set(result.scenarios) else set()
    first = int(result.ticks["tick"].min())
    can = tuple(
        claim for claim in whole.claims
        if arms_of(claim) <= names and within(claim, first, result.horizon)
        and (whole.ledger or not asks_ledger(claim))
    )  # fmt: skip
    answers = check_claims(whole.model_copy(update={"claims": can}), result, found.lang)
    told = tuple(_verdict(found, claim, answer) for claim, answer in zip(can, answers, strict=True))
    return Verdicts(told, len(whole.claims) - len(can), changed=_is_changed(whole))


def _is_changed(whole: Scenario) -> bool:
    """Return whether a scenario is a built-in one with other settings."""
    return whole.id in builtin_names() and load(whole.id).key != whole.key


def _verdict(found: Findings, claim: Claim, answer: dict[str, Any]) -> Verdict:
    """Return what was found of one claim."""
    say = found.say
    if answer["needed"] is not None:
        held = round(answer["fraction"] * found.runs)
        evidence = say("claim_held", n=number(held), runs=number(found.runs), needed=percent(answer["needed"]))
    elif answer["value"] is None:
        evidence = say("claim_undefined")
    else:
        write = _writer(found, str(claim.estimate), answer)
        evidence = write(answer["value"])
        if answer["low"] is not None and answer["high"] is not None:
            evidence = say("claim_estimate", value=evidence, low=write(answer["low"]), high=write(answer["high"]))
        for side in ("above", "below"):
            bound = getattr(claim, side)
            if bound is not None:
                evidence += say("semicolon") + say(f"claim_{side}", bound=write(bound))
    key = "no" if not answer["holds"] else "reported" if claim.is_only_reported else "yes"
    return Verdict(answer["text"], key, evidence)


def _writer(found: Findings, estimate: str, answer: dict[str, Any]) -> Any:
    """Return how an estimate is written: money, a share, or a plain number."""
    measure = measure_of(estimate)
    largest = max(abs(answer[name] or 0.0) for name in ("value", "low", "high"))
    unit = PER_FIRM[measure].unit if measure else ""
    if unit == "currency" or measure == PROFIT:
        return lambda value: found.cash(value, largest)
    if unit == "1":
        return lambda value: percent(value, 1)
    digits = max(0, FIGURES - len(str(int(largest)))) if largest >= 1 else FIGURES
    return lambda value: number(value, digits)

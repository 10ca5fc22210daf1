"""How far the differences that a report tells of can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churnsim.i18n import number, text
from churnsim.results.html import FEW_SEEDS

if TYPE_CHECKING:
    from churnsim.report.answers import Findings


def certainty(found: Findings) -> list[str]:
    """Return how far the differences can be trusted, in sentences."""
    said = [found.say("sure_runs", runs=number(found.runs))]
    if found.runs < FEW_SEEDS:
        said.append(text("warning.one_seed" if found.runs == 1 else "warning.few_seeds", found.lang, runs=found.runs))
    told = [name for name in found.drawn if name in found.decision.references]
    for name in told:
        gap = found.differences[name, found.firm, found.goal]
        key, pair = "sure_yes" if gap.sign else "sure_no", (name, found.decision.references[name])
        # Choices go by what the firm does; where worlds are compared it does the same in both.
        named = found.called if set(pair) <= set(found.decision.worlds[0].names) else found.title
        scenario, reference = map(named, pair)
        said.append(
            found.say(
                key, scenario=scenario, baseline=reference,
                gap=found.change(found.goal, gap.mean, gap.largest), low=found.change(found.goal, gap.low, gap.largest),
                high=found.change(found.goal, gap.high, gap.largest), runs=number(gap.runs),
                better=number(gap.better_in or 0),
            )
        )  # fmt: skip
    rest = [
        found.differences[name, found.firm, found.goal].sign for name in found.decision.references if name not in told
    ]
    if len(rest) == 1:
        said.append(found.say("sure_rest_yes" if rest[0] else "sure_rest_no"))
    elif rest:
        said.append(found.say("sure_rest", n=number(len(rest)), told=number(sum(1 for sign in rest if sign))))
    if len(found.decision.references) > 1:
        said.append(found.say("sure_many"))
    return said

"""``churnsim verify``: run a scenario's claims over many seeds and say which of them hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.cli.session import FAILED, BadInputError, Session, command, helped

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

DEFAULT_SEEDS = "100"

MOST_MEASURED = 6
"""Comparisons of one claim that are written out."""

DIGITS, MOST_DIGITS = 4, 8
"""Figures of a number that are shown, and digits behind its point at most."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "verify")(verify)


def verify(
    session: Session,
    scenarios: Annotated[
        list[str] | None, typer.Argument(metavar="SCENARIO", help=helped("scenarios"), show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=helped("all"))] = False,
    seeds: Annotated[str, typer.Option("--seeds", metavar="N|A-B", help=helped("seeds_verify"))] = DEFAULT_SEEDS,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help=helped("set"))] = None,
    moves: Annotated[list[str] | None, typer.Option("--move", metavar="TEXT", help=helped("move"))] = None,
    threads: Annotated[int, typer.Option("--threads", metavar="K", min=1, help=helped("threads"))] = 1,
    jobs: Annotated[int | None, typer.Option("--jobs", metavar="K", min=1, help=helped("jobs"))] = None,
) -> None:
    """Check the claims of scenarios."""
    import churnsim as cs
    from churnsim.cli.options import read_seeds, with_changes

    if bool(scenarios) == everything:
        raise BadInputError(session.say("verify.either" if everything else "verify.which"))
    names = list(cs.builtin_names()) if everything else list(scenarios or ())
    numbers = read_seeds(session, seeds)
    # All are read before the first is run: a mistake in the last one costs no waiting.
    changes: dict[str, Sequence[str]] = {"settings": settings or (), "moves": moves or ()}
    plans = [
        with_changes(session, cs.load(name, lang=session.lang), customers=None, horizon=None, **changes)
        for name in names
    ]
    answers = [_verified(session, plan, numbers, jobs=jobs, threads=threads) for plan in plans]
    if session.json:
        session.emit(answers[0] if len(names) == 1 and not everything else {"scenarios": answers})
    if not all(claim["holds"] for answer in answers for claim in answer["claims"]):
        raise typer.Exit(FAILED)


def _verified(session: Session, plan: Scenario, seeds: list[int], *, jobs: int | None, threads: int) -> dict[str, Any]:
    """Run what a scenario's claims speak of, check them, print the answers and return them."""
    import churnsim as cs
    from churnsim.claims import arms_of, check_claims
    from churnsim.cli.options import name_seeds
    from churnsim.cli.progress import shown

    spoken_of = set().union(*(arms_of(claim) for claim in plan.claims)) if plan.claims else set()
    arms = [plan.arm(name) for name in plan.arm_names if name in spoken_of]
    if not session.quiet:
        session.print(
            session.say(
                "verify.heading",
                scenario=plan.id,
                title=plan.title[session.lang],
                claims=session.count("claim", len(plan.claims)),
                arms=session.count("arm", len(arms)),
                seeds=session.count("seed", len(seeds), n=name_seeds(seeds)),
            ),
            style="bold",
        )
    if not arms:
        session.note(session.say("verify.none"))
        return {"scenario": plan.id, "claims": []}
    with shown(session, scenarios=arms) as report:
        result = cs.run(arms, seeds, jobs=jobs, threads=threads, progress=report)
    claims = check_claims(plan, result, session.lang)
    for said, claim in zip(plan.claims, claims, strict=True):
        if not session.quiet or not claim["holds"]:
            reported = said.is_only_reported
            print_claim(session, claim, runs=len(seeds), reported=reported)
    return {"scenario": plan.id, "claims": claims}


def print_claim(session: Session, claim: dict[str, Any], *, runs: int, reported: bool) -> None:
    """Print one claim: whether it holds (or is only reported), in how many runs, and by how much."""
    from churnsim.i18n import percent

    holds = claim["holds"]
    verdict = session.say("verify.fails" if not holds else "verify.reported" if reported else "verify.holds")
    session.prose(f"{claim['id']}  {claim['text']}", None if holds else "red", lead=f"{verdict}  ")
    estimate = claim["needed"] is None
    details = []
    if not estimate:
        details.append(session.say("verify.runs", share=percent(claim["fraction"]), needed=percent(claim["needed"])))
    if claim["value"] is not None:
        key = "verify.estimate" if estimate else "verify.margin"
        if runs == 1 or claim["low"] is None or claim["high"] is None:
            details.append(session.say(f"{key}_one", value=plain(claim["value"])))
        else:
            details.append(session.say(key, **{name: plain(claim[name]) for name in ("value", "low", "high")}))
    elif estimate:
        details.append(session.say("verify.no_value"))
    if details:
        session.prose(session.joined(details, "semicolon"), "dim", lead=" " * 6)
    for row in claim.get("measured", ())[:MOST_MEASURED]:
        session.prose(measured(session, row), "dim", lead=" " * 6)


def measured(session: Session, row: dict[str, Any]) -> str:
    """Write a comparison with what was measured: a side that is a number stands for itself."""
    sides = []
    for side in ("left", "right"):
        value, said = row[f"{side}_value"], row[side]
        shown = session.say("verify.unknown") if value is None else plain(value)
        sides.append(session.say("verify.side", said=said, value=shown) if row_names(said) else shown)
    return session.say("verify.measured", left=sides[0], sign=row["sign"], right=sides[1])


def row_names(said: str) -> bool:
    """Whether one side of a comparison names something measured, rather than being a number."""
    return any(letter.isalpha() for letter in said)


def plain(value: float) -> str:
    """Write a number of any size to be read: four figures of a small one, every whole one of a large one."""
    from churnsim.i18n import number

    if not value or not math.isfinite(value):
        return number(value)
    digits = min(max(DIGITS - 1 - math.floor(math.log10(abs(value))), 0), MOST_DIGITS)
    whole, point, rest = number(value, digits).partition(".")
    return whole + (point + rest).rstrip("0").rstrip(".")

"""``churnsim verify``: run a scenario's claims over many seeds and say which of them hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.cli.session import FAILED, BadInputError, Session, command, helped

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

DEFAULT_SEEDS = "100"


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "verify")(verify)


def verify(
    session: Session,
    scenarios: Annotated[list[str] | None, typer.Argument(help=helped("scenarios"), show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help=helped("all"))] = False,
    seeds: Annotated[str, typer.Option("--seeds", metavar="N|A-B", help=helped("seeds_verify"))] = DEFAULT_SEEDS,
    threads: Annotated[int, typer.Option("--threads", min=1, help=helped("threads"))] = 1,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help=helped("jobs"))] = None,
) -> None:
    """Check the claims of scenarios."""
    import churnsim as cs
    from churnsim.cli.options import read_seeds

    if bool(scenarios) == everything:
        raise BadInputError(session.say("verify.which"))
    names = list(cs.builtin_names()) if everything else list(scenarios or ())
    numbers = read_seeds(session, seeds)
    # All are read before the first is run: a mistake in the last one costs no waiting.
    plans = [cs.load(name, lang=session.lang) for name in names]
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
                claims=len(plan.claims),
                arms=len(arms),
                seeds=name_seeds(seeds),
            ),
            style="bold",
        )
    if not arms:
        session.note(session.say("verify.none"))
        return {"scenario": plan.id, "claims": []}
    with shown(session) as report:
        result = cs.run(arms, seeds, jobs=jobs, threads=threads, progress=report)
    claims = check_claims(plan, result, session.lang)
    for claim in claims:
        if not session.quiet or not claim["holds"]:
            _print_claim(session, claim)
    return {"scenario": plan.id, "claims": claims}


def _print_claim(session: Session, claim: dict[str, Any]) -> None:
    """Print one claim: whether it holds, in how many runs, and by how much."""
    from churnsim.i18n import percent

    holds = claim["holds"]
    verdict = session.say("verify.holds" if holds else "verify.fails")
    session.print(f"{verdict}  {claim['id']}  {claim['text']}", style=None if holds else "red")
    details = []
    if claim["needed"] is not None:
        details.append(session.say("verify.runs", share=percent(claim["fraction"]), needed=percent(claim["needed"])))
    if claim["value"] is not None:
        numbers = {name: f"{claim[name]:.4g}" for name in ("value", "low", "high")}
        details.append(session.say("verify.margin" if claim["needed"] is not None else "verify.estimate", **numbers))
    if details:
        session.print(f"      {'; '.join(details)}", style="dim")

"""``churnsim play`` and ``churnsim replay``: the laboratory in a browser, and one run as a page of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnsim.cli.folders import reason, why_no_file
from churnsim.cli.lesson import unknown_lesson
from churnsim.cli.session import BadInputError, FailedError, Session, command, helped

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

DEFAULT_PORT = 8421


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "play")(play)
    command(app, "replay")(replay)


def play(
    session: Session,
    scenario: Annotated[
        str | None, typer.Argument(metavar="SCENARIO|RESULT", help=helped("play_scenario"), show_default=False)
    ] = None,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help=helped("host"))] = "127.0.0.1",
    port: Annotated[int | None, typer.Option("--port", metavar="PORT", min=0, max=65535, help=helped("port"))] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help=helped("no_browser"))] = False,
    studies: Annotated[Path, typer.Option("--studies", metavar="DIR", help=helped("play_studies"))] = Path("results"),
) -> None:
    """Serve the laboratory until Ctrl-C."""
    # First what is quickly found to be wrong: the server takes seconds to import.
    scenarios = {} if scenario is None else _opened(session, scenario)
    try:
        from churnsim.web import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("segno", "starlette", "uvicorn"):
            raise
        raise BadInputError(session.say("play.extra")) from None
    try:
        sock = server.listening(host, DEFAULT_PORT if port is None else port, insist=port is not None)
    except server.PortTakenError:
        raise BadInputError(session.say("play.taken", port=port or DEFAULT_PORT)) from None
    except (OSError, OverflowError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise BadInputError(session.say("play.no_host", host=host, reason=why)) from None
    found_at = server.address_of(host, sock.getsockname()[1])
    lab = server.Laboratory(scenarios, studies=str(studies), address=found_at, warm=True)
    address = f"{found_at}/#lang={session.lang}"

    def began() -> None:
        if session.json:
            session.emit({"address": address})
        else:
            session.print(session.say("play.address", address=address), style="bold")
            if not server.is_loopback(host):
                session.warn(session.say("play.open_to_all"))
            session.note(session.say("play.stop"))

    server.serve(lab, sock, host, browser=None if no_browser else address, began=began)
    session.note(session.say("play.ended"))


def _opened(session: Session, named: str) -> dict[str, Scenario]:
    """Return the scenarios of a file, a built-in name, a lesson or a saved result, by id."""
    from churnsim.web.asks import RefusalError
    from churnsim.web.catalogue import LESSON, opened

    if not Path(named).is_dir():
        try:
            return opened(named)
        except RefusalError:
            raise unknown_lesson(session, named.removeprefix(LESSON)) from None
    # Tables of results take long to import.
    from churnsim.storage import ResultFolderError

    try:
        return opened(named)
    except ResultFolderError as error:
        raise BadInputError(str(error)) from None


def replay(
    session: Session,
    source: Annotated[str, typer.Argument(metavar="SCENARIO|RESULT", help=helped("replay_source"), show_default=False)],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help=helped("replay_out"))] = Path("replay.html"),
    arm: Annotated[str, typer.Option("--arm", metavar="ARM", help=helped("replay_arm"))] = "case",
    seed: Annotated[int | None, typer.Option("--seed", metavar="SEED", min=0, help=helped("replay_seed"))] = None,
) -> None:
    """Write one run as a page that needs neither server nor network."""
    problem = why_no_file(out)
    if problem is not None:
        raise BadInputError(session.say("play.not_written", file=out, reason=problem))
    scenarios = _opened(session, source)
    plan = next(iter(scenarios.values()))
    if arm in scenarios:
        plan = scenarios[arm]
    elif arm in plan.arm_names:
        plan = plan.arm(arm)
    else:
        names = ", ".join(dict.fromkeys([*scenarios, *plan.arm_names]))
        raise BadInputError(session.say("run.unknown_arm", scenario=plan.id, arms=arm, names=names))
    from churnsim.web.replay import replay_html

    page = replay_html(plan, plan.seed if seed is None else seed, lang=session.lang)
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise FailedError(session.say("play.not_written", file=out, reason=reason(error))) from None
    size = len(page.encode())
    if session.json:
        session.emit({"file": str(out), "bytes": size})
    elif not session.quiet:
        session.print(session.say("play.written", file=out, kilobytes=round(size / 1024)))

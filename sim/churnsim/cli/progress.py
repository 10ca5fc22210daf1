"""Show how far the runs are: a bar in a terminal, one line per tenth elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from churnsim.cli.session import Session
    from churnsim.scenario import Scenario


def note_compiling(session: Session, kernels: Sequence[str], key: str = "run.compiling") -> bool:
    """Say that kernels have to be compiled first, where that is so; return whether it is."""
    from churnsim.engine.kernel import CACHED, warm

    if warm(*kernels):
        return False
    session.note(session.say(key if CACHED else "run.compiling_always"))
    return True


@contextmanager
def shown(
    session: Session, *, of: str = "run", scenarios: Sequence[Scenario] = ()
) -> Iterator[Callable[[int, int], None]]:
    """Provide the function to call with (runs done, runs in all); say so if the model has to be compiled first.

    `of` names what is counted: ``run``, or ``step`` for the ticks of one. `scenarios` are what is run: those with
    dealings need kernels that others do without.
    """
    if session.quiet:
        yield lambda done, total: None
        return
    from churnsim.engine.kernel import DEALINGS, LONGEST
    from churnsim.markets import deals_in

    deals = any(deals_in(scenario) for scenario in scenarios)
    compiling = note_compiling(session, (*LONGEST, *DEALINGS) if deals else LONGEST)
    if session.console(error=True).is_terminal:
        from churnsim.running import progress_bar

        label = session.say("run.runs" if of == "run" else "generate.steps")
        label = session.say("run.compiling_first", what=label) if compiling else label
        with progress_bar(color=session.color, label=label) as report:
            yield report
    else:
        yield _lines(session, of)


def _lines(session: Session, of: str) -> Callable[[int, int], None]:
    """Return a function that prints a line with the time whenever another tenth is done."""
    shown_tenths = -1

    def report(done: int, total: int) -> None:
        nonlocal shown_tenths
        tenths = 10 * done // total
        if not done:
            shown_tenths = -1  # one set of runs after another
        if tenths > shown_tenths:
            shown_tenths = tenths
            clock = time.strftime("%H:%M:%S")
            runs = session.count(of, total)
            session.note(session.say("run.progress", time=clock, percent=10 * tenths, done=done, total=runs))

    return report


@contextmanager
def watched(
    session: Session, key: str, kernels: Sequence[str] = (), compiling: str = "run.compiling"
) -> Iterator[Callable[[int, int], None] | None]:
    """Provide the function to call with (steps done, steps in all): a bar in a terminal, None where nobody watches.

    `key` names what is counted. Where one of `kernels` has to be compiled first, `compiling` says so.
    """
    if session.quiet:
        yield None
        return
    note_compiling(session, kernels, compiling)
    if not session.console(error=True).is_terminal:
        yield None
        return
    from churnsim.running import progress_bar

    with progress_bar(color=session.color, label=session.say(key)) as report:
        yield report

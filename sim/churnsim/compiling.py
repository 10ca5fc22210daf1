"""Compiling the kernels in several processes, once per installation: one by one the longest take a minute or more.

Numba compiles a kernel when it is first called, in one thread, and keeps the result on disk. Here a few processes find
out what a run calls with which types, without computing anything, and each compiles its share; a run then finds
everything on disk.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

from churnsim.engine import kernel

SECONDS = {
    "take_stock": 36, "choose": 22, "approach": 19, "serve": 18, "count": 6, "begin": 6, "listen": 5, "populate": 5,
    "publish": 4, "publish_conduct": 4, "itemise": 4,
}  # fmt: skip
"""Seconds that kernels took on one core, by which they are shared out; any other takes `FEW`."""

FEW = 2

MOST = 4
"""Processes at most: with more, the longest kernel still takes as long."""

_prepared: set[bool] = set()
_preparing = threading.Lock()


def prepare(*, deals: bool = False) -> None:
    """Have the kernels compiled in several processes, where they have not been and that saves time.

    What goes wrong here is left to the run itself, which compiles whatever it does not find.

    Parameters
    ----------
    deals
        Whether those for dealings beyond the stay are needed, too.
    """
    if kernel.stand_in is not None or deals in _prepared:
        return
    with _preparing:
        if deals not in _prepared and not kernel.warm(*kernel.LONGEST, *(kernel.DEALINGS if deals else ())):
            _share_out(deals)
        _prepared.add(deals)


def _share_out(deals: bool) -> None:
    """Let a few processes compile a share each, and wait for them."""
    processes = min(cores(), MOST)
    if not kernel.CACHED or processes < 2 or not sys.executable:
        return
    command = [sys.executable, "-m", __name__, "deals" if deals else "stays", str(processes)]
    quiet: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    shares: list[subprocess.Popen[bytes]] = []
    try:
        for share in range(processes):
            shares.append(subprocess.Popen([*command, str(share)], **quiet))
        for child in shares:
            child.wait()
    except OSError:
        pass
    finally:
        for child in shares:
            child.kill()  # if still there: the user does not want to wait
            child.wait()


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Noted:
    """Stands in for a kernel: notes with which types it is called, and computes nothing."""

    calls: dict[tuple[str, tuple[Any, ...]], Any] = {}
    """Kernels to compile, by name and types."""

    def __init__(self, dispatcher: Any) -> None:
        self.dispatcher = dispatcher

    def __call__(self, *arguments: Any) -> None:
        """Note the call."""
        from numba import typeof

        types = tuple(typeof(argument) for argument in arguments)
        self.calls.setdefault((self.dispatcher.__name__, types), self.dispatcher)


def note_calls(*, deals: bool) -> dict[tuple[str, tuple[Any, ...]], Any]:
    """Go through runs of every kind needed with kernels that note how they are called.

    It must be the first that the process does: kernels that are there already do not note anything.

    Returns
    -------
    dict
        Kernels by name and types.
    """
    from numba import types
    from numba.extending import typeof_impl

    # Where one kernel calls another, the compiler must see the kernel itself.
    @typeof_impl.register(Noted)
    def _(value: Noted, context: object) -> Any:
        return types.Dispatcher(value.dispatcher)

    kernel.stand_in = Noted
    from churnsim.config.loading import load
    from churnsim.engine.compiled import Compiled
    from churnsim.markets import Markets

    for name in ("two_hotels", "reminders")[: 2 if deals else 1]:
        small = load(name).set({"customers.count": 20, "horizon": 1, "burn_in": 0})
        Markets([small], [1], engine=Compiled()).run_to_horizon()
    return Noted.calls


def _compile_share(deals: bool, processes: int, share: int) -> None:
    """Compile one of several shares of equal length, the longest kernel first."""
    lengths = [0] * processes
    for (name, types), dispatcher in sorted(
        note_calls(deals=deals).items(), key=lambda one: -SECONDS.get(one[0][0], FEW)
    ):
        least = lengths.index(min(lengths))
        lengths[least] += SECONDS.get(name, FEW)
        if least == share:
            dispatcher.compile(types)


if __name__ == "__main__":
    _compile_share(sys.argv[1] == "deals", int(sys.argv[2]), int(sys.argv[3]))

"""One customer-tick of the engine against its peers: C, NumPy, Mesa agents, a second thread, and itself.

Every pair has models of its own, so that both peers stand at the same tick of the same market whenever they are
compared; only Mesa's market is smaller, and its agents cost the same in any market.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.sizes import Sizes, hotels
from benchmarks.timing import Pair, nanoseconds, stepping
from benchmarks.twins import c_twin
from benchmarks.twins.numpy_twin import NumpyTwin
from churnsim.model import ChurnModel

SWITCH = "off: "
"""What the names of pairs begin with that compare a switched-off mechanism with none."""

CONTROL = "control"
"""The pair of two models that are the same: what it shows is noise."""


def kernel_pairs(sizes: Sizes, skipped: dict[str, str]) -> Iterator[Pair]:
    """Yield the peers of a customer-tick; say in `skipped` which of them this machine does not have."""
    market, ticks = hotels(sizes.customers, burn_in=sizes.burn_in), sizes.ticks
    work = ticks * sizes.customers

    def kernel() -> ChurnModel:
        return ChurnModel(market, rng=1, threads=1)

    if c_twin.compiler() is None:
        skipped["kernel_vs_c"] = "no C compiler here: set $CC, or install gcc or clang"
    else:
        c = c_twin.CTwin(market, 1)
        yield Pair("kernel_vs_c", stepping(kernel(), ticks), nanoseconds(lambda: c.step(ticks), work))
    numpy = NumpyTwin(market, 1)
    yield Pair("numpy_vs_kernel", nanoseconds(lambda: numpy.step(ticks), work), stepping(kernel(), ticks))
    # Agents cost the same in every tick, so that two ticks of burn-in are enough for them.
    agents = ChurnModel(hotels(sizes.agents, burn_in=2), rng=1, engine="agents")
    yield Pair("mesa_vs_kernel", stepping(agents, sizes.agent_ticks), stepping(kernel(), ticks))
    one, two = (ChurnModel(hotels(sizes.crowd, burn_in=sizes.burn_in), rng=1, threads=threads) for threads in (1, 2))
    few = max(1, ticks // 3)
    yield Pair("two_threads_speedup", stepping(one, few), stepping(two, few))


def switch_pairs(sizes: Sizes) -> Iterator[Pair]:
    """Yield one pair per mechanism that is on, off against on, and the control that compares on with on."""
    market, ticks = hotels(sizes.customers, burn_in=sizes.burn_in), sizes.ticks

    def pair(name: str, first: ChurnModel) -> Pair:
        return Pair(name, stepping(first, ticks), stepping(ChurnModel(market, rng=1), ticks))

    yield pair(CONTROL, ChurnModel(market, rng=1))
    for name in (name for name, on in market.mechanisms if on):
        without = market.set({f"mechanisms.{name}": False})
        yield pair(SWITCH + name, ChurnModel(without, rng=1))


def switch_costs(costs: dict[str, list[tuple[float, float]]]) -> dict[str, list[float]]:
    """Return, by mechanism, what switching it off adds to a tick, as a share of it; and the control's."""
    return {
        name.removeprefix(SWITCH): [off / on - 1 for off, on in rounds]
        for name, rounds in costs.items()
        if name == CONTROL or name.startswith(SWITCH)
    }

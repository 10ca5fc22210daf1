"""What the figures of a report show, in a sentence with the numbers that stand out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from churnsim.i18n import number, percent, text

if TYPE_CHECKING:
    from churnsim.report.answers import Findings

LEAST = 0.5
"""Customers by which a cause must differ to be named."""


def stated(found: Findings, name: str) -> Iterator[str]:
    """Return the finding of a figure; nothing of figures whose finding stands beside them.

    Parameters
    ----------
    found
        What the report says.
    name
        The figure.
    """
    say = found.say
    if name == "taxonomy":
        yield found.reason(found.main)
    elif name == "loyalty":
        ticks = found.result.ticks
        last = ticks[(ticks["scenario"] == found.main) & (ticks["firm"] == found.firm)]
        last = last[last["tick"] == found.result.horizon]
        true, spurious = (float(last[kind].mean()) for kind in ("true_loyal", "spurious_loyal"))
        if true == true:  # a firm that has closed has no customers
            yield say("stated.loyalty", true=percent(true), spurious=percent(spurious))
    elif name == "balance":
        held = found.held.firms.set_index("firm").loc[found.firm]
        yield say("stated.balance", firm=found.firm_name(found.firm), love=percent(held["love"]),
                  lock_in=percent(held["lock_in"]))  # fmt: skip
    elif name == "cause_waterfall":
        yield from _causes(found)
    elif name == "profit_waterfall":
        yield from _money(found)


def _causes(found: Findings) -> Iterator[str]:
    """Say how many more or fewer leave, and which cause makes most of it."""
    before, after = (found.causes.get((name, found.firm)) for name in (found.baseline, found.main))
    if before is None or after is None:
        return
    gap = after["total"] - before["total"]
    if abs(gap) < LEAST:
        return
    causes = dict.fromkeys([*before["causes"], *after["causes"]])
    parts = {
        cause: after["causes"].get(cause, 0.0) * after["total"] - before["causes"].get(cause, 0.0) * before["total"]
        for cause in causes
    }
    top = max(parts, key=lambda cause: parts[cause] * (1 if gap > 0 else -1))
    yield found.say(
        "stated.more" if gap > 0 else "stated.fewer", n=number(abs(gap)), cause=text(f"cause.{top}", found.lang),
        part=number(abs(parts[top])), baseline=found.called(found.baseline),
    )  # fmt: skip


def _money(found: Findings) -> Iterator[str]:
    """Say what brings most and what costs most."""
    before, after = (found.money.get((name, found.firm)) for name in (found.baseline, found.main))
    if before is None or after is None:
        return
    gaps = {line: (1 if line == "revenue" else -1) * (after[line] - before[line]) for line in after if line != "profit"}
    best, worst = max(gaps, key=gaps.__getitem__), min(gaps, key=gaps.__getitem__)
    if gaps[best] > 0 > gaps[worst]:
        say, like = found.say, gaps[best]
        yield say(
            "stated.money", gain=say(f"money.{best}"), up=found.cash(gaps[best]), loss=say(f"money.{worst}"),
            down=found.cash(gaps[worst], like),
        )  # fmt: skip

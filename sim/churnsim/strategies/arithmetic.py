"""Arithmetic on one market's numbers or on arrays over markets, the same to the last bit, and notes on both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from churnsim.strategies.base import View, where


def larger(one: Any, other: Any) -> Any:
    """Return the larger of two numbers, market by market."""
    return where(one > other, one, other)


def smaller(one: Any, other: Any) -> Any:
    """Return the smaller of two numbers, market by market."""
    return where(one < other, one, other)


def within(value: Any, low: Any, high: Any) -> Any:
    """Return the value, or the bound that it lies beyond; `low` wins where the bounds contradict each other."""
    return larger(smaller(value, high), low)


def known(value: Any, otherwise: Any) -> Any:
    """Return the value, or `otherwise` where it is not known (NaN)."""
    return where(value == value, value, otherwise)


def ratio(one: Any, other: Any, otherwise: Any = 0.0) -> Any:
    """Return ``one / other``, or `otherwise` where the divisor is not positive."""
    positive = other > 0
    return where(positive, one / where(positive, other, 1.0), otherwise)


def each(function: Callable[..., Any], *values: Any) -> Any:
    """Return a function of plain numbers, market by market where some value is an array over markets.

    For what must not depend on how an array library computes it: the exponential, a search, a case by case rule.
    What is None for one market is NaN in an array.
    """
    if not any(hasattr(value, "shape") and value.shape for value in values):
        return function(*values)
    import numpy as np

    columns = np.broadcast_arrays(*[np.nan if value is None else value for value in values])
    return np.array([function(*row) for row in zip(*(column.tolist() for column in columns), strict=True)])


def given(value: Any) -> Any:
    """Return whether a lever or parameter is given, market by market: not None, NaN or an empty text."""
    if value is None:
        return False
    if not hasattr(value, "shape"):
        return value == value
    return value != "" if value.dtype.kind == "U" else value == value


class Notes:
    """A strategy's memory with a leading axis over markets, even where there is only one market.

    Parameters
    ----------
    view
        The view whose memory is read and written.

    Attributes
    ----------
    count : int
        How many markets there are.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        shape: Any = getattr(view.price, "shape", ())
        self.one = not shape
        self.count: int = 1 if self.one else len(view.price)  # type: ignore[arg-type]

    def column(self, value: Any) -> Any:
        """Return a number or an array over markets as an array over markets."""
        import numpy as np

        return np.broadcast_to(np.asarray(value), (self.count,))

    def read(self, name: str, start: Any, shape: tuple[int, ...] = ()) -> Any:
        """Return a copy of what was noted; `start` at first, and where what was noted has another shape."""
        import numpy as np

        found = self.view.memory.get(name)
        if found is not None:
            kept = np.array(found)[np.newaxis] if self.one else np.array(found)
            if kept.shape == (self.count, *shape):
                return kept
        return np.array(np.broadcast_to(np.asarray(start), (self.count, *shape)))

    def keep(self, **values: Any) -> None:
        """Note arrays over markets."""
        for name, value in values.items():
            self.view.memory[name] = (value[0] if value.ndim > 1 else value[0].item()) if self.one else value

    def answer(self, value: Any) -> Any:
        """Return an array over markets as an action holds it: for one market, its value, or None for NaN and ""."""
        if not self.one:
            return value
        if value.ndim > 1:
            return value[0]
        found = value[0].item()
        return None if found == "" or found != found else found

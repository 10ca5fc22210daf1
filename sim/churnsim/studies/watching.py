"""Whether a run uses the global random states of Python and NumPy, so that its numbers depend on what ran before."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

STATES = 4
"""Global states under which a run is done that is under suspicion."""

T = TypeVar("T")


class GlobalRandomnessError(Exception):
    """A run used Python's or NumPy's global random state."""

    def __str__(self) -> str:
        return (
            "the run drew from (or seeded) the global random state of random or numpy.random, so its numbers depend on "
            "what ran before it; draw from a generator made of the run's seed instead: numpy.random.default_rng(seed)"
        )


def watched(attempt: Callable[[], T]) -> T:
    """Do something and return what it gives; raise GlobalRandomnessError where a global state is not what it was."""
    with global_randomness() as untouched:
        given = attempt()
    if not untouched():
        raise GlobalRandomnessError
    return given


def independent(attempt: Callable[[], T], numbers: Callable[[T], np.ndarray]) -> T:
    """Do a run and return what it gives; raise GlobalRandomnessError where it uses the global random states.

    Other threads of the process may use them in the same moment, as Dask's do. So a run is only accused if its numbers
    differ under different states, or if different states are the same behind it, which means that it has seeded them.

    Parameters
    ----------
    attempt
        The run.
    numbers
        Returns the numbers of what it gives.
    """
    try:
        return watched(attempt)
    except GlobalRandomnessError:
        pass
    known: tuple[np.ndarray, Any, Any] | None = None
    with global_randomness():
        for state in range(STATES):
            random.seed(state)
            np.random.seed(state)  # noqa: NPY002  to see whether it matters
            given = attempt()
            after = numbers(given), random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
            if known is None:
                known = after
                continue
            same = np.array_equal(after[0], known[0], equal_nan=True)
            if not same or after[1] == known[1] or _equal(after[2], known[2]):
                raise GlobalRandomnessError
    return given


class global_randomness:  # noqa: N801  reads like a statement
    """Watch the global random states over a block; put them back as they were."""

    def __enter__(self) -> Callable[[], bool]:
        # Reading the state is not using it.
        self._before = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
        self._same = True
        return lambda: self._same

    def __exit__(self, *failure: object) -> None:
        python, numpy_state = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
        self._same = python == self._before[0] and _equal(numpy_state, self._before[1])
        if not self._same:
            random.setstate(self._before[0])
            np.random.set_state(self._before[1])  # noqa: NPY002


def _equal(one: Any, other: Any) -> bool:
    """Compare two states of NumPy's global generator."""
    return one[2] == other[2] and one[3:] == other[3:] and bool(np.array_equal(one[1], other[1]))

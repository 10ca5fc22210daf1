"""The one door to SALib, and what stands guard at it.

SALib 1.6 has good samplers and a few analyses that nothing else offers. It also has traps that a study
must not fall into, each of which a test of ours keeps shut:

* One NaN among thousands of outputs makes every index exactly 0, without a word: outputs are checked here
  first, and the run that is at fault is named.
* A constant output gives indices that are 0 or NaN: it is refused as constant.
* ``seed=0`` means "no seed" to it, and None means a different answer every time: seeds are mapped to
  positive ones.
* Several analyses reseed NumPy's global generator, replace ``warnings.formatwarning`` and change the warning
  filters: all of it is put back.
* Some calls write into the caller's ``problem``: each gets a copy.
* Analyses trust the order of the rows and guess the design from their number: shapes are checked here.
* A distribution without bounds sends the outermost Morris levels to infinity: samples are drawn in the unit
  cube alone, and `churnsim.studies.designs` offers levels that keep off its ends.
"""

from __future__ import annotations

import copy
import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from churnsim.studies.problems import StudyDataError

_SEEDS = (1 << 32) - 2
"""SALib hands some seeds to ``np.random.seed``, which takes 32 bits."""


def seed_of(seed: int) -> int:
    """Return SALib's seed for one of ours: positive, 32 bits, different for every purposeful difference.

    Parameters
    ----------
    seed
        Any whole number; 0 is a seed like any other.
    """
    code = hashlib.blake2b(str(int(seed)).encode(), digest_size=8).digest()
    return 1 + int.from_bytes(code, "little") % _SEEDS


def problem_of(names: Sequence[str], groups: Sequence[str] | None = None) -> dict[str, Any]:
    """Return SALib's description of factors on the unit cube."""
    problem: dict[str, Any] = {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
    if groups is not None:
        problem["groups"] = list(groups)
    return problem


@contextmanager
def untouched() -> Iterator[None]:
    """Put back NumPy's global random state and everything about warnings; keep warnings quiet meanwhile."""
    state = np.random.get_state()  # noqa: NPY002 - it is saved because SALib reseeds it, never drawn from
    written = warnings.formatwarning
    try:
        # Recorded besides being ignored: SALib puts filters of its own in front of ours.
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("ignore")
            yield
    finally:
        warnings.formatwarning = written
        np.random.set_state(state)  # noqa: NPY002


def sample(method: Callable[..., np.ndarray], problem: Mapping[str, Any], *args: Any, seed: int, **kwargs: Any) -> Any:
    """Call one of SALib's samplers on a copy of the problem, with a seed that it honours."""
    with untouched():
        return method(copy.deepcopy(dict(problem)), *args, seed=seed_of(seed), **kwargs)


def analyse(
    method: Callable[..., Any],
    problem: Mapping[str, Any],
    *arrays: np.ndarray,
    seed: int,
    runs: Sequence[str] | None = None,
    **kwargs: Any,
) -> dict[str, np.ndarray]:
    """Call one of SALib's analyses; the last of the arrays is the output.

    Parameters
    ----------
    method
        SALib's function.
    problem
        From `problem_of`.
    arrays
        Inputs, where the method takes any, of shape (n, d), then outputs of shape (n,).
    seed
        Ours.
    runs
        Names of the n runs, for the message if one of them has no value.

    Returns
    -------
    dict
        SALib's answer with arrays for lists.

    Raises
    ------
    StudyDataError
        If an output is missing, infinite or the same everywhere, or the shapes do not fit.
    """
    checked_output(arrays[-1], runs)
    for array in arrays[:-1]:
        if array.shape != (len(arrays[-1]), problem["num_vars"]):
            raise StudyDataError("shape", {"found": array.shape, "wanted": (len(arrays[-1]), problem["num_vars"])})
    copies = [np.array(array, dtype=np.float64, order="C") for array in arrays]
    with untouched():
        found = method(copy.deepcopy(dict(problem)), *copies, seed=seed_of(seed), **kwargs)
    return {key: np.asarray(value) for key, value in dict(found).items()}


def checked_output(values: np.ndarray, runs: Sequence[str] | None = None) -> None:
    """Refuse outputs that are missing, infinite or all the same.

    Raises
    ------
    StudyDataError
        With the first run at fault and how many there are.
    """
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        first = int(bad[0])
        raise StudyDataError(
            "not_finite",
            {
                "run": runs[first] if runs is not None else f"row {first + 1}",
                "value": str(values[first]),
                "count": int(bad.size),
                "of": int(values.size),
            },
        )
    if values.size and np.ptp(values) == 0:
        raise StudyDataError("constant", {"value": float(values[0])})

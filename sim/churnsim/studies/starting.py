"""Starting processes that do what they are told and nothing else."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager

ONE_THREAD = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Settings that keep libraries from starting threads in workers, of which there is one per core already."""


@contextmanager
def quiet_start() -> Iterator[None]:
    """Start processes that find the same modules, run on one thread, and do not run the caller's program again."""
    program = sys.modules["__main__"]
    path = os.pathsep.join(os.path.abspath(folder) for folder in sys.path)
    settings = {"PYTHONPATH": path, **dict.fromkeys(ONE_THREAD, "1")}
    before = {name: os.environ.get(name) for name in settings}
    sys.modules["__main__"] = types.ModuleType("__main__")
    os.environ.update(settings)
    try:
        yield
    finally:
        sys.modules["__main__"] = program
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

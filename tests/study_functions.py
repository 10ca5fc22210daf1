"""Functions that studies of the tests run: some answer, and some misbehave on purpose."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

WORDS = (
    "raise", "exit", "kill", "segfault", "loop", "memory", "unpicklable_error", "unpicklable_answer", "sys_exit",
    "print", "nan", "inf", "missing", "text", "many", "seed_numpy", "draw_random",
)  # fmt: skip
"""Every way of misbehaving; `print` is only rude."""


def sums(factors: dict, seed: int) -> dict[str, float]:
    """A known answer with noise from its own generator."""
    noise = np.random.default_rng(seed).normal()
    return {"total": sum(factors.values()) + noise, "first": next(iter(factors.values()))}


def slow(factors: dict, seed: int) -> dict[str, float]:
    """The same, taking five milliseconds of processor time."""
    end = time.process_time() + 0.005
    while time.process_time() < end:
        pass
    return sums(factors, seed)


def counted(factors: dict, seed: int) -> dict[str, float]:
    """The same, leaving a mark for every call in the file that STUDY_CALLS names."""
    with Path(os.environ["STUDY_CALLS"]).open("a") as stream:
        stream.write(f"{factors['a']} {seed}\n")
    return sums(factors, seed)


class _UnpicklableError(Exception):
    def __reduce__(self):
        raise TypeError("cannot be pickled")


def misbehaving(factors: dict, seed: int) -> dict[str, float]:
    """Do what the factor `do` says; `fine` is fine."""
    value = {"y": float(factors.get("x", 0)) + seed}
    match factors["do"]:
        case "raise":
            raise ValueError("poison")
        case "exit":
            os._exit(7)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            ctypes.string_at(0)
        case "loop":
            while True:
                pass
        case "memory":
            np.ones(10**10)
        case "unpicklable_error":
            raise _UnpicklableError("poison")
        case "unpicklable_answer":
            return {"y": lambda: 0}
        case "sys_exit":
            sys.exit(3)
        case "print":
            for _ in range(100):
                print("x" * 10**6)
        case "nan":
            return {"y": float("nan")}
        case "inf":
            return {"y": float("inf")}
        case "missing":
            return {"z": 1.0}
        case "text":
            return {"y": "many"}
        case "many":
            return {"y": np.ones(3)}
        case "seed_numpy":
            np.random.seed(seed)  # noqa: NPY002  that is what it is about
        case "draw_random":
            return {"y": random.random()}
    return value


def surroundings(factors: dict, seed: int) -> dict[str, float]:
    """Depend on what a run must not depend on: a variable of the environment."""
    return {"y": float(os.environ["STUDY_VALUE"])}


def nothing(factors: dict, seed: int) -> dict[str, float]:
    """Next to no work."""
    return {"y": factors["x"]}


def stopping(factors: dict, seed: int) -> dict[str, float]:
    """Stop the own process, as a full queue of a cluster may; somebody wakes it up."""
    place = Path(factors["file"])
    if not place.exists():
        place.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGSTOP)
    return {"total": 1.0, "first": 2.0}

"""What a benchmark ran on."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from importlib.metadata import PackageNotFoundError, version

from benchmarks.twins.c_twin import compiler

PACKAGES = ("churnsim", "mesa", "numba", "numpy", "joblib")


def processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict[str, object]:
    """Return the machine: processor, cores, system, Python."""
    return {
        "processor": processor(), "cores": cores(), "system": platform.system(), "python": platform.python_version()
    }  # fmt: skip


def versions() -> dict[str, str]:
    """Return the versions of what is compared, the C compiler's included."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            pass
    command = compiler()
    if command:
        said = subprocess.run([*shlex.split(command), "-dumpfullversion", "-dumpversion"], capture_output=True, text=True, check=False)  # fmt: skip # noqa: E501
        found[os.path.basename(shlex.split(command)[0])] = said.stdout.strip() or "unknown"
    return found

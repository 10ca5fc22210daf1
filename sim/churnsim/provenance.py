"""Where a result comes from: versions and the state of the source, for repeating it."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

import churnsim

PACKAGES = ("numpy", "pandas", "pyarrow", "numba", "mesa", "pydantic")
"""Packages whose version may move a number or a file."""


def provenance() -> dict[str, object]:
    """Return versions, platform and git state as plain data; it names no place on the machine."""
    return {
        "churnsim": churnsim.__version__,
        "git": git_state(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in PACKAGES},
    }


def git_state() -> dict[str, object] | None:
    """Return the source tree's commit and whether it has uncommitted changes; None outside a repository."""
    folder = Path(__file__).resolve().parent
    try:
        # Without this check an installed package would report the repository that its environment lies in.
        if _git(folder, "ls-files", "--error-unmatch", Path(__file__).name) is None:
            return None
        commit = _git(folder, "rev-parse", "HEAD")
        changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"commit": commit.strip(), "dirty": bool(changes)} if commit else None


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says, or None where it refuses."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    return done.stdout if done.returncode == 0 else None


def _version(package: str) -> str | None:
    """Return a package's version, None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None

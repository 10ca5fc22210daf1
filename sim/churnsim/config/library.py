"""Where the built-in scenarios are: in the installed package, or in the source tree beside it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def builtin_folder() -> Path | None:
    """Return the folder of built-in scenarios, or None where there is none."""
    inside = Path(str(resources.files("churnsim") / "scenarios"))
    beside = Path(__file__).resolve().parents[3] / "scenarios"
    return next((folder for folder in (inside, beside) if folder.is_dir()), None)


def builtin_names() -> tuple[str, ...]:
    """Return the names of the built-in scenarios, in alphabetical order."""
    folder = builtin_folder()
    return tuple(sorted(path.stem for path in folder.glob("*.yaml"))) if folder else ()

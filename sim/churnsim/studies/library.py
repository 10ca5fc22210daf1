"""Where the published studies are: in the installed package, or in the source tree beside it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def study_folder() -> Path | None:
    """Return the folder of published studies, or None where there is none."""
    inside = Path(str(resources.files("churnsim") / "experiments"))
    beside = Path(__file__).resolve().parents[3] / "experiments"
    return next((folder for folder in (inside, beside) if folder.is_dir()), None)


def study_names() -> tuple[str, ...]:
    """Return the names of the published studies, in alphabetical order."""
    folder = study_folder()
    return tuple(sorted(path.stem for path in folder.glob("*.yaml"))) if folder else ()

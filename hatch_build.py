"""Puts the published studies into the wheel: the files of ``experiments`` and their tables, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StudiesInWheel(BuildHookInterface):
    """Adds them to a wheel as ``churnsim/experiments``; an editable one finds them in the tree."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files; called by hatchling before a wheel is built."""
        if version == "standard":
            folder = Path(self.root, "experiments")
            for path in sorted([*folder.glob("*.yaml"), *folder.glob("published/*.csv")]):
                build_data["force_include"][str(path)] = f"churnsim/experiments/{path.relative_to(folder).as_posix()}"

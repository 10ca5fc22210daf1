"""Puts the published studies into the wheel: the YAML files of ``experiments``, and nothing else of that folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StudiesInWheel(BuildHookInterface):
    """Adds ``experiments/*.yaml`` to a wheel as ``churnsim/experiments``; an editable one finds them in the tree."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files; called by hatchling before a wheel is built."""
        if version == "standard":
            for path in sorted(Path(self.root, "experiments").glob("*.yaml")):
                build_data["force_include"][str(path)] = f"churnsim/experiments/{path.name}"

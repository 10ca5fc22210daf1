"""What is wrong with a data file or a calibrated scenario, told in either language."""

from __future__ import annotations

from typing import Any

from churnsim.config.errors import Problem
from churnsim.i18n import text

Problems = list[tuple[str, dict[str, Any]]]
"""Pairs of a text's key below ``calibration.error`` and what fills it in; ``alike`` tells kinds of one key apart."""

Warned = dict[str, Any]
"""A warning as data: ``key`` of its text below ``calibration.warning``, and what fills it in."""

TOLD = 4
"""Problems of one kind that are told; the rest are counted: one mistake in every line is one mistake."""

KINDS = 10
"""Kinds of problems of one file that are told."""


class DataError(ValueError):
    """Data that cannot be used; the message names the file, the lines and what would be right.

    Parameters
    ----------
    problems
        Pairs of the text's key below ``calibration.error`` and what fills it in.
    """

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        super().__init__(self.told("en"))

    def told(self, lang: str, *, command: bool = False) -> str:
        """Return the message, one problem a line, those of a kind together.

        Parameters
        ----------
        lang
            ``en`` or ``zh``.
        command
            Whether arguments are named as options of the command line (``--periods``) rather than as in Python.
        """
        kinds: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for key, values in self.problems:
            kinds.setdefault((key, str(values.get("alike", ""))), []).append(values)
        lines = []
        names = {"dash": "--" if command else "", "parameters": "--parameter" if command else "parameters"}
        for (key, _), alike in list(kinds.items())[:KINDS]:
            for values in alike[:TOLD]:
                known = {name: _in(lang, value) for name, value in values.items()}
                lines.append(text(f"calibration.error.{key}", lang, **{**names, **known}))
            if len(alike) > TOLD:
                lines.append(text("calibration.error.more_alike", lang, count=len(alike) - TOLD))
        left = sum(len(alike) for alike in list(kinds.values())[KINDS:])
        if left:
            lines.append(text("calibration.error.more", lang, count=left))
        return "\n".join(lines)


def _in(lang: str, value: Any) -> Any:
    """Return what a problem is filled in with: what is wrong with a scenario as its own words."""
    return value.line_in(lang) if isinstance(value, Problem) else value


def refuse(key: str, **values: Any) -> DataError:
    """Return the error for a single problem."""
    return DataError([(key, values)])

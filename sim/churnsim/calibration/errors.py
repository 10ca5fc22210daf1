"""What is wrong with a data file or a calibrated scenario, told in either language."""

from __future__ import annotations

from typing import Any

from churnsim.i18n import text

SHOWN = 10
"""Problems of one file that are told; the rest are counted."""


class DataError(ValueError):
    """Data that cannot be used; the message names the file, the lines and what would be right.

    Parameters
    ----------
    problems
        Pairs of the text's key below ``calibration.error`` and what fills it in.
    """

    def __init__(self, problems: list[tuple[str, dict[str, Any]]]) -> None:
        self.problems = problems
        super().__init__(self.told("en"))

    def told(self, lang: str) -> str:
        """Return the message in ``en`` or ``zh``, one problem a line."""
        lines = [text(f"calibration.error.{key}", lang, **values) for key, values in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(text("calibration.error.more", lang, count=len(self.problems) - SHOWN))
        return "\n".join(lines)


def refuse(key: str, **values: Any) -> DataError:
    """Return the error for a single problem."""
    return DataError([(key, values)])

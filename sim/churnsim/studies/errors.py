"""Problems of a study: as those of a scenario, with texts of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from churnsim.config.errors import Problem, ScenarioError
from churnsim.i18n import has_text, text


class StudyProblem(Problem):
    """One thing that is wrong with a study; texts are ``study.problem.*``, else those of scenarios."""

    def message_in(self, lang: str) -> str:
        """Return what is wrong, in ``en`` or ``zh``."""
        key = f"study.problem.{self.code}"
        if not has_text(key):
            return super().message_in(lang)
        return text(key, lang, **{"found": "", **{name: _told(value, lang) for name, value in self.details.items()}})


def _told(value: Any, lang: str) -> Any:
    """Return a detail that is a problem itself in a language."""
    if isinstance(value, Problem):
        return "; ".join(part for part in (value.message_in(lang), value.suggestion_in(lang)) if part)
    return value.told(lang) if hasattr(value, "told") else value


class StudyError(ScenarioError):
    """Something is wrong with a study; `errors` lists every problem found."""

    subject = {"en": "the study", "zh": "研究"}
    ending = "sweep.nothing_done"
    endings: ClassVar[Mapping[str, str]] = {
        command: f"{command}.nothing_done" for command in ("sweep", "tournament", "optimise")
    }
    """Text that ends the report and names the guide, by the command that takes such files."""


class StoreError(Exception):
    """A store that cannot be used; says why and what to do, in either language."""

    def __init__(self, code: str, **details: Any) -> None:
        self.code = code
        self.details = details
        super().__init__(self.told("en"))

    def told(self, lang: str) -> str:
        """Return the message in a language."""
        return text(f"study.store.{self.code}", lang, **self.details)


class DiskFullError(StoreError):
    """The disk is full; what was committed is kept."""


class Interrupted(KeyboardInterrupt):
    """A sweep was asked to stop; everything that was finished is in the store.

    Attributes
    ----------
    folder : Path
        Where the finished runs are.
    """

    def __init__(self, folder: Any) -> None:
        self.folder = folder
        super().__init__(f"interrupted; what was finished is in {folder}")

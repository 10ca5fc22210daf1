"""What can be wrong with a design or with the numbers of a study: a code and details, told in either language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from churnsim.i18n import text


class StudyDataError(ValueError):
    """A design that cannot be made, or numbers that cannot be analysed.

    Attributes
    ----------
    code : str
        Which text of ``study_data.*`` tells it.
    details : dict
        What the text needs; ``options`` and ``found`` where a name was not known.
    """

    def __init__(self, code: str, details: Mapping[str, Any] | None = None) -> None:
        self.code = code
        self.details = dict(details or {})
        super().__init__(self.told("en"))

    def told(self, lang: str) -> str:
        """Return the message in a language."""
        details = dict(self.details)
        if isinstance(details.get("options"), (list, tuple)):
            from churnsim.config.errors import Problem, nearest

            near = nearest(str(details.get("found", "")), details["options"])
            details["near"] = text("study_data.near", lang, near=near) if near else ""
            options = tuple(map(str, details["options"]))
            details["options"] = Problem("", (), {**self.details, "options": options}).options_in(lang)
        return text(f"study_data.{self.code}", lang, **details)


def known(what: str, name: str, options: Iterable[str], **details: Any) -> str:
    """Return a name, or raise StudyDataError with those that there are."""
    if name not in (allowed := list(options)):
        raise StudyDataError(f"unknown_{what}", {"found": name, "options": allowed, **details})
    return name

"""Which figures a study is published with: part of the study's file."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from churnsim.config.firms import Text, as_text
from churnsim.declarations import Record

KINDS = ("response", "map", "verdicts", "sensitivity", "spread")
NEEDS = {
    "response": ("outcome", "x"),
    "map": ("outcome", "x", "y"),
    "verdicts": ("x", "y", "tests"),
    "sensitivity": ("outcome",),
    "spread": ("outcome",),
}
"""What each kind of figure must say."""

TEXTS = ("title", "x_name", "y_name", "series_name")

CONTRAST = re.compile(
    r"\s*(?P<ours>[^\[\]]+)\[(?P<arm>[^\[\]]+)\]\s*-\s*(?P<theirs>[^\[\]]+)\[(?P<other>[^\[\]]+)\]\s*"
)
"""``outcome[arm] - outcome[arm]``: a difference that is paired by replication."""


class Figure(Record):
    """A figure of a study.

    Attributes
    ----------
    kind : {'response', 'map', 'verdicts', 'sensitivity', 'spread'}
        An outcome along a factor; which arm has most of it over two factors; which of several tests hold over two
        factors; what it depends on; how it spreads over replications.
    title : Text or None
        Its title; by default made from what it shows.
    outcome : str or None
        Name of an outcome of the study.
    x, y : str or None
        Paths of the factors along the axes.
    x_name, y_name, series_name : Text or None
        What the axes and lines are called; by default by the factors' labels.
    series : str or None
        Path of the factor that makes the lines of a response; by default the arms do.
    where : dict
        Values of other factors that are shown, by path.
    tests : dict of str to str
        Of `verdicts`: contrasts such as ``profit[invest] - profit[passive]`` by what it means that they are above zero.
    """

    kind: Literal[KINDS]  # type: ignore[valid-type]
    title: Text | None = None
    outcome: str | None = None
    x: str | None = None
    y: str | None = None
    series: str | None = None
    x_name: Text | None = None
    y_name: Text | None = None
    series_name: Text | None = None
    where: dict[str, Any] = Field(default_factory=dict)
    tests: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _with_title(cls, value: Any) -> Any:
        """Take texts in one language, too."""
        if not isinstance(value, dict):
            return value
        return {key: as_text(item) if key in TEXTS and item is not None else item for key, item in value.items()}

    @model_validator(mode="after")
    def _complete(self) -> Figure:
        """Refuse a figure that does not say what it shows."""
        missing = [name for name in NEEDS[self.kind] if not getattr(self, name)]
        if missing:
            raise PydanticCustomError("figure_needs", "needs", {"form": self.kind, "missing": ", ".join(missing)})
        for words in self.tests.values():
            if CONTRAST.fullmatch(words) is None:
                raise PydanticCustomError("figure_contrast", "contrast", {"found": words})
        return self

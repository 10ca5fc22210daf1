"""Every value of a scenario with what its declaration says about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from churnsim.declarations import walk
from churnsim.i18n import text
from churnsim.i18n.sources import source_told

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

NOT_PARAMETERS = ("id", "name", "title", "case_title", "question", "sources", "moves", "arms", "claims")
"""Fields that say what a scenario is about rather than what holds in it."""


@dataclass(frozen=True)
class Parameter:
    """One value of a scenario.

    Attributes
    ----------
    path : str
        Dotted path, as ``--set`` takes it.
    raw
        The value.
    unit, label, default_source : str
        From the parameter's declaration; empty where a field has none. The source is that of the declared default.
    given : bool
        Whether the scenario file says it (else it is the declared default).
    low, high, plausible
        Bounds and plausible range, None where there are none.
    """

    path: str
    raw: Any
    unit: str
    label: str
    default_source: str
    given: bool
    low: float | None
    high: float | None
    plausible: tuple[float, float] | None

    @property
    def origin_key(self) -> str:
        """Key of the text that says where the value comes from."""
        return "show.from_file" if self.given else "show.from_default"

    @property
    def source(self) -> str:
        """Where the value comes from, which of a value in a file only the file's own sources can tell."""
        return "" if self.given else self.default_source

    def as_dict(self) -> dict[str, Any]:
        """Return the parameter as plain data."""
        return {
            "path": self.path,
            "value": self.raw,
            "unit": self.unit,
            "label": self.label,
            "from": "file" if self.given else "default",
            "source": self.source,
            "default_source": self.default_source,
            "low": self.low,
            "high": self.high,
            "plausible": self.plausible,
        }


def source_of(row: Parameter, lang: str) -> str:
    """Return where a value comes from; of a value in a file, where the default that it stands for does."""
    told = source_told(row.default_source, lang)
    return text("cli.show.of_default", lang, source=told) if told and row.given else told


def parameters(scenario: Scenario, lang: str) -> Iterator[Parameter]:
    """Yield every value of a scenario in the order of its declaration."""
    for path, value, about in walk(scenario):
        if path.partition(".")[0] in NOT_PARAMETERS or path.endswith((".name.en", ".name.zh")):
            continue
        yield Parameter(
            path=path,
            raw=value,
            unit=about.unit if about else "",
            label=about.label[lang] if about else "",
            default_source=about.source if about else "",
            given=_given(scenario, path),
            low=about.low if about else None,
            high=about.high if about else None,
            plausible=about.plausible if about else None,
        )


def differences(one: Scenario, other: Scenario) -> list[tuple[str, Any, Any]]:
    """Return the paths whose values differ, with both values; None where a path is missing."""
    mine, theirs = ({path: value for path, value, _ in walk(plan)} for plan in (one, other))
    for values in (mine, theirs):
        for path in [path for path in values if path.partition(".")[0] in NOT_PARAMETERS]:
            del values[path]
    for values, plan in ((mine, one), (theirs, other)):
        for move in plan.moves:
            values |= {f"moves[{move.tick}].{path}": value for path, value in move.changes.items()}
    paths = dict.fromkeys((*mine, *theirs))
    return [(path, mine.get(path), theirs.get(path)) for path in paths if mine.get(path) != theirs.get(path)]


def shown(value: Any, *, digits: int | None = None) -> str:
    """Return a value as a scenario file would have it, rounded where a number of digits is given."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.{digits}g}" if digits else f"{value!r}".removesuffix(".0")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(shown(item, digits=digits) for item in value)}]"
    return str(value)


def _given(scenario: Scenario, path: str) -> bool:
    """Tell whether the scenario says a value itself."""
    node: Any = scenario
    for name in path.split("."):
        if isinstance(node, BaseModel):
            if name not in node.model_fields_set:
                return False
            node = getattr(node, name)
        else:
            node = node[name]
    return True

"""Modules outside the package that runs use: those of strategies of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from churnsim.studies.errors import StoreError

if TYPE_CHECKING:
    from churnsim.strategies import Strategy
    from churnsim.studies.study import Study

MAIN = "__main__"


def modules_of(study: Study) -> tuple[str, ...]:
    """Return the modules outside the package that define the strategies of a study's arms and factors."""
    firms = (firm for base in study.bases.values() for state in base.states for firm in state.firms.values())
    levels = [level for factor in study.factors.values() for level in factor.levels or ()]
    return modules_in([*(firm.strategy.model_dump() for firm in firms), *levels])


def modules_in(content: Any) -> tuple[str, ...]:
    """Return the modules outside the package that define the strategies which plain data name, however deep."""
    from churnsim.strategies import REGISTRY

    found = {REGISTRY[word].__module__ for word in _words(content) if word in REGISTRY}
    return tuple(sorted(name for name in found if not name.startswith("churnsim.")))


def _words(content: Any) -> Iterator[str]:
    """Yield every text among plain data."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for item in content.values():
            yield from _words(item)
    elif isinstance(content, (list, tuple)):
        for item in content:
            yield from _words(item)


def told_shortly(strategy: Strategy) -> dict[str, Any]:
    """Return a strategy as plain data: its name, and the parameters that are not those which it has anyway."""
    data = strategy.model_dump(mode="json")
    try:
        usual = type(strategy)().model_dump(mode="json")
    except ValidationError:  # some parameter must be given
        usual = {}
    return {name: value for name, value in data.items() if name == "name" or name not in usual or value != usual[name]}


def refuse_main(modules: Iterable[str]) -> None:
    """Refuse strategies that worker processes cannot find: those of the calling program itself."""
    if MAIN not in modules:
        return
    from churnsim.strategies import REGISTRY

    found = next(kind.__name__ for kind in REGISTRY.values() if kind.__module__ == MAIN)
    raise StoreError("main_strategy", found=found)

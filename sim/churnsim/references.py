"""References to parts of the project: written ``kind:name``, and looked up where they say they are.

Documents that are made from the code, such as the list of concepts, name what they speak of
in this form, so that a name that no longer exists is found.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnsim.config.errors import nearest

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

PACKAGE = Path(__file__).resolve().parent
TESTS = PACKAGE.parents[1] / "tests"
"""The tests of a source tree; an installed package has none beside it."""
ANY = "*"
"""Stands in a parameter's path for a name of the user's choice, such as a firm's."""
CHECKS = ("test", "claim")
"""Kinds of references that check something; all others embody it."""


@dataclass(frozen=True)
class Reference:
    """One part of the project, by kind and name.

    Attributes
    ----------
    kind : str
        ``parameter``, ``mechanism``, ``measure``, ``cause``, ``strategy``, ``lever``, ``rule``, ``function``,
        ``scenario``, ``arm``, ``claim`` or ``test``.
    name : str
        What it is called there: a dotted path of the scenario schema (``customers.attachment.growth``, with ``*``
        for a firm's name), a switch, a measure, a cause, a strategy, a field of ``Action``, a dotted import path,
        a scenario's name (followed by a dot and the name of its arm or claim), or ``tests/test_x.py::test_name``.
    """

    kind: str
    name: str

    @classmethod
    def read(cls, written: str) -> Reference:
        """Read ``kind:name``; raise ValueError where it is none."""
        kind, colon, name = written.partition(":")
        if not colon or not name or kind not in FINDERS:
            raise ValueError(f"'{written}' is no reference: a kind ({', '.join(FINDERS)}), a colon and a name")
        return cls(kind, name)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def checks(self) -> bool:
        """Whether the reference is to a check rather than to what is checked."""
        return self.kind in CHECKS

    def file(self) -> str | None:
        """Return the file of the source tree that it is in, from the tree's root; None where it is nowhere."""
        return _found(self).file

    def problem(self) -> str | None:
        """Return why the reference leads nowhere, or None where it leads somewhere."""
        return _found(self).problem


@dataclass(frozen=True)
class _Found:
    """What looking up a reference has shown."""

    file: str | None = None
    problem: str | None = None


@cache
def _found(reference: Reference) -> _Found:
    """Look up a reference, once."""
    try:
        return _Found(file=FINDERS[reference.kind](reference.name))
    except LookupError as error:
        return _Found(problem=f"{reference}: {error.args[0]}")


def _named(name: str, options: Iterable[str], kind: str) -> None:
    """Raise LookupError where a name is not among the options."""
    options = tuple(options)
    if name not in options:
        near = nearest(name, options)
        raise LookupError(f"there is no such {kind}" + (f"; did you mean '{near}'?" if near else ""))


def _file_of(module: str) -> str:
    """Return the source file of a module of ours, from the root of the source tree."""
    file = importlib.import_module(module).__file__ or ""
    return f"sim/{Path(file).resolve().relative_to(PACKAGE.parent).as_posix()}"


def _parameter(path: str) -> str:
    """Find a dotted path of the scenario schema."""
    from churnsim.config.scenario import ScenarioRecord
    from churnsim.config.shape import ROOT, child, settings_of

    kind, owner = ROOT, ScenarioRecord.__module__
    for key in path.split("."):
        below = child(kind, None, key)
        if below is None:
            near = nearest(key, settings_of(kind, None))
            raise LookupError(f"nothing is called '{key}' there" + (f"; did you mean '{near}'?" if near else ""))
        if kind.form == "mapping" and key != ANY:
            raise LookupError(f"'{key}' is a name of the user's choice; write '{ANY}'")
        if kind.record is not None:
            owner = kind.record.__module__
        kind = below
    return _file_of(owner)


def _mechanism(name: str) -> str:
    """Find a switch."""
    from churnsim.config.mechanisms import Mechanisms

    _named(name, Mechanisms.model_fields, "switch")
    return _file_of(Mechanisms.__module__)


def _measure(name: str) -> str:
    """Find a measure of a firm, of its dealings, of the ledger or of the market."""
    from churnsim import dealing_measures, metrics

    _named(name, {**metrics.MEASURES, **metrics.LEDGER_MEASURES, **dealing_measures.DEALING_MEASURES}, "measure")
    return _file_of((dealing_measures if name in dealing_measures.DEALING_MEASURES else metrics).__name__)


def _cause(name: str) -> str:
    """Find a cause of departure."""
    from churnsim.causes import CAUSE_NAMES, Cause

    _named(name, CAUSE_NAMES, "cause")
    return _file_of(Cause.__module__)


def _strategy(name: str) -> str:
    """Find a strategy of the library."""
    from churnsim.strategies import REGISTRY

    ours = {known: kind for known, kind in REGISTRY.items() if kind.__module__.startswith("churnsim.")}
    _named(name, ours, "strategy")
    return _file_of(ours[name].__module__)


def _lever(name: str) -> str:
    """Find a lever of a firm."""
    from churnsim.strategies import Action

    _named(name, [field.name for field in dataclasses.fields(Action)], "lever")
    return _file_of(Action.__module__)


def _function(path: str) -> str:
    """Find anything of ours that can be imported by its dotted path."""
    module, _, name = path.rpartition(".")
    if module.partition(".")[0] != "churnsim":
        raise LookupError("it must begin with 'churnsim.' and name a module and something in it")
    try:
        home: Any = importlib.import_module(module)
    except ModuleNotFoundError:
        raise LookupError(f"there is no module {module}") from None
    if not hasattr(home, name):
        near = nearest(name, dir(home))
        raise LookupError(f"{module} has no '{name}'" + (f"; did you mean '{near}'?" if near else ""))
    made_in = getattr(getattr(home, name), "__module__", None) or ""
    return _file_of(made_in if made_in.startswith("churnsim.") else module)


def _rule(path: str) -> str:
    """Find a rule of a mechanism."""
    file = _function(path)
    module, _, name = path.rpartition(".")
    if not path.startswith("churnsim.mechanisms.") or not callable(getattr(importlib.import_module(module), name)):
        raise LookupError("it is not a function of churnsim.mechanisms")
    return file


@cache
def _loaded(name: str) -> Scenario:
    """Return a built-in scenario."""
    from churnsim.config.loading import builtin_names, load

    _named(name, builtin_names(), "scenario")
    return load(name)


def _scenario(name: str) -> str:
    """Find a built-in scenario."""
    from churnsim.config.library import builtin_names

    _named(name, builtin_names(), "scenario")
    return f"scenarios/{name}.yaml"


def _arm(path: str) -> str:
    """Find an arm of a built-in scenario."""
    scenario, _, arm = path.partition(".")
    _named(arm, _loaded(scenario).arms, "arm")
    return _scenario(scenario)


def _claim(path: str) -> str:
    """Find a claim of a built-in scenario."""
    scenario, _, claim = path.partition(".")
    _named(claim, [known.id for known in _loaded(scenario).claims], "claim")
    return _scenario(scenario)


@cache
def _tests_in(file: str) -> frozenset[str]:
    """Return the test functions of one file, those of a class behind its name and two colons."""
    source = TESTS.parent / file
    if not source.is_file():
        raise LookupError("there is no such file")
    names = set()
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        names |= {prefix + item.name for item in inner if isinstance(item, ast.FunctionDef)}
    return frozenset(name for name in names if name.rpartition("::")[2].startswith("test"))


def _test(path: str) -> str:
    """Find a test; where there are no tests at all, as beside an installed package, believe that it exists."""
    file, _, name = path.partition("::")
    if TESTS.is_dir():
        _named(name, _tests_in(file), "test")
    return file


FINDERS: dict[str, Callable[[str], str]] = {
    "parameter": _parameter,
    "mechanism": _mechanism,
    "measure": _measure,
    "cause": _cause,
    "strategy": _strategy,
    "lever": _lever,
    "rule": _rule,
    "function": _function,
    "scenario": _scenario,
    "arm": _arm,
    "claim": _claim,
    "test": _test,
}
"""How a reference of each kind is looked up: its name in, its file out, LookupError where it leads nowhere."""

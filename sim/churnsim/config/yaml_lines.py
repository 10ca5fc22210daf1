"""Reading YAML 1.2 into plain data, remembering the line and column of everything.

The file is composed into nodes by ruamel.yaml and converted here, so that all
repeated keys are reported, aliases cannot grow without bound, and nothing but plain
values can come out.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from churnsim.config.errors import Keys, Problem, ScenarioError

MAX_BYTES = 256 * 1024
"""Largest scenario file; the longest built-in one has a few per cent of it."""
MAX_VALUES = 20_000
"""Most values in a file once aliases are expanded."""
MAX_DEPTH = 24
"""Deepest nesting; a scenario's own settings reach about six levels."""

_TAGS = ("null", "bool", "int", "float", "str")


@dataclass(frozen=True)
class Place:
    """Where something stands: file, and line and column counted from 1."""

    file: str
    line: int
    column: int


@dataclass
class Source:
    """One file as read.

    Attributes
    ----------
    file : str
        Name of the file, as problems show it.
    text : str
        Its text.
    data : dict
        Its plain content.
    keys, values : dict of keys to Place
        Where each key and each value stands.
    blank : set of keys
        Headings with nothing behind them, as opposed to a null that is spelled out.
    """

    file: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    keys: dict[Keys, Place] = field(default_factory=dict)
    values: dict[Keys, Place] = field(default_factory=dict)
    blank: set[Keys] = field(default_factory=set)


def read_source(path: Path, name: str) -> Source:
    """Read a YAML file; raise ScenarioError with everything wrong with its form."""
    text = _text_of(path, name)
    source = Source(name, text)
    node = _composed(source)
    if node is None:
        raise _error(source, Problem("empty", file=name, line=1, column=1))
    reader = _Reader(source)
    data = reader.convert(node, (), 0, ())
    if reader.problems:
        raise ScenarioError(reader.problems, {name: text})
    if not isinstance(data, dict):
        found = "a list" if isinstance(data, list) else "a single value"
        raise _error(source, Problem("empty" if data is None else "mapping", (), {"found": found}, name, 1, 1))
    source.data = data
    return source


def _error(source: Source, problem: Problem) -> ScenarioError:
    """One problem with the form of a file."""
    return ScenarioError([problem], {source.file: source.text})


def _text_of(path: Path, name: str) -> str:
    """Text of a file, if it is one that can be read."""
    try:
        if path.is_dir():
            raise ScenarioError([Problem("folder", file=name)])
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            found = math.ceil(path.stat().st_size / 1024)
            raise ScenarioError([Problem("too_large", (), {"found": found, "high": MAX_BYTES // 1024}, name)])
    except FileNotFoundError:
        raise ScenarioError([Problem("no_file", file=name)]) from None
    except OSError as error:
        raise ScenarioError([Problem("unreadable", (), {"reason": error.strerror or str(error)}, name)]) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScenarioError([Problem("not_text", file=name)]) from None
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        raise ScenarioError([Problem("not_text", file=name)])
    return text


def _composed(source: Source) -> Any:
    """Node tree of the text; raise ScenarioError where it is not YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)  # the round-trip loader marks folds inside texts
    name = source.file
    try:
        return yaml.compose(source.text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        lines = source.text.splitlines()
        code = "syntax"
        if line is not None and line <= len(lines) and re.match(r"\s*\t", lines[line - 1]):
            code, column = "tab", lines[line - 1].index("\t") + 1
        reason = " ".join(str(error.problem or error.context or error).split())
        end = line
        if line is None or line > len(lines):
            code, line, column = _never_closed(error, code, lines)
        elif reason.startswith("expected ',' or") and error.context_mark and error.context_mark.line + 1 < line:
            code, line, column = "unclosed_by", error.context_mark.line + 1, error.context_mark.column + 1
        opened = lines[line - 1][column - 1 : column] if line and column and line <= len(lines) else ""
        raise _error(
            source, Problem(code, (), {"reason": reason, "found": opened, "end": end}, name, line, column)
        ) from None
    except RecursionError:
        raise _error(source, Problem("too_deep", (), {"high": MAX_DEPTH}, name)) from None
    except (YAMLError, ValueError, AttributeError, KeyError, TypeError, IndexError, AssertionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise _error(source, Problem("syntax", (), {"reason": reason}, name)) from None


def _never_closed(error: Any, code: str, lines: list[str]) -> tuple[str, int, int]:
    """Return what to say of a file that ends too early, and where: at what was opened and never closed."""
    opened = error.context_mark
    if opened is not None and opened.line < len(lines):
        line, column = opened.line + 1, opened.column + 1
        found = lines[opened.line][opened.column : opened.column + 1]
        return ("unclosed" if found in "{[\"'" and found else code), line, column
    return code, max(1, len(lines)), 1


class _Reader:
    """Converts nodes to plain values and keeps track of places, problems and size."""

    def __init__(self, source: Source):
        self.source = source
        self.problems: list[Problem] = []
        self.count = 0

    def convert(self, node: Any, keys: Keys, depth: int, above: tuple[int, ...]) -> Any:
        """Return the plain value of a node that stands below the nodes with the ids `above`."""
        place = self._place(node)
        self.source.values.setdefault(keys, place)
        self.count += 1
        if self.count > MAX_VALUES:
            return self._stop("too_many", keys, place, {"high": MAX_VALUES})
        if id(node) in above:
            return self._stop("self_reference", keys, place, {})
        if depth > MAX_DEPTH:
            return self._stop("too_deep", keys, place, {"high": MAX_DEPTH})
        kind = type(node).__name__
        if kind == "MappingNode":
            return self._mapping(node, keys, depth, (*above, id(node)))
        if kind == "SequenceNode":
            inner = (*above, id(node))
            return [self.convert(item, (*keys, index), depth + 1, inner) for index, item in enumerate(node.value)]
        return self._scalar(node, keys, place)

    def _mapping(self, node: Any, keys: Keys, depth: int, above: tuple[int, ...]) -> dict[str, Any]:
        """Plain dict of a mapping; keys are texts."""
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if type(key_node).__name__ != "ScalarNode":
                self._note("mapping", keys, place, {"found": "a nested key"})
                continue
            key = str(key_node.value)
            here = (*keys, key)
            if key == "<<":
                self._note("merge_key", here, place, {})
                continue
            if key in result:
                self._note("duplicate", here, place, {"found": key, "first": self.source.keys[here].line})
                continue
            self.source.keys.setdefault(here, place)
            result[key] = self.convert(value_node, here, depth + 1, above)
        return result

    def _scalar(self, node: Any, keys: Keys, place: Place) -> Any:
        """Plain value of a scalar, by the rules of YAML 1.2."""
        tag = str(node.tag or "")
        text = node.value
        kind = tag.removeprefix("tag:yaml.org,2002:")
        if kind == "timestamp":
            return text
        if kind not in _TAGS:
            self._note("tag", keys, place, {"found": tag if tag.startswith("!") else f"!!{kind}"})
            return None
        if kind == "null":
            if not text:
                self.source.blank.add(keys)
                # Nothing has no place of its own: the parser puts it behind comments and empty lines.
                self.source.values[keys] = self.source.keys.get(keys, place)
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind in ("int", "float"):
            try:
                return _number(text, kind)
            except ValueError:
                return text
        return str(text)

    def _place(self, node: Any) -> Place:
        """Where a node starts."""
        return Place(self.source.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _note(self, code: str, keys: Keys, place: Place, details: dict[str, Any]) -> None:
        """Add a problem."""
        self.problems.append(Problem(code, keys, details, place.file, place.line, place.column))

    def _stop(self, code: str, keys: Keys, place: Place, details: dict[str, Any]) -> None:
        """Give up on the file: the rest cannot be read within bounds."""
        raise ScenarioError(
            [Problem(code, keys, details, place.file, place.line, place.column)],
            {self.source.file: self.source.text},
        )


def _number(text: str, kind: str) -> int | float:
    """Read the number of a plain scalar."""
    text = text.replace("_", "")
    if kind == "int":
        prefixed = re.fullmatch(r"([-+]?)(0[xob])([0-9a-fA-F]+)", text)
        return int(prefixed[1] + prefixed[3], {"0x": 16, "0o": 8, "0b": 2}[prefixed[2]]) if prefixed else int(text)
    special = re.fullmatch(r"([-+]?)\.(inf|nan)", text.lower())
    return float(special[1] + special[2]) if special else float(text)

"""Problems in a scenario: where, what was found, what is allowed, and what may have been meant.

A problem is data (a code and its details), so that it can be told in English or in
Chinese after the fact; `churnsim.config.messages` holds the templates.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from churnsim.config.messages import MESSAGES, RULES_ZH, SUGGESTIONS, UNITS_ZH, WHAT_ZH

MOST_NAMED = 12
"""Allowed names that a message lists; a wall of them hides what is wrong."""
LISTED = frozenset({"measure", "no_builtin", "no_study", "strategy"})
"""Codes, or kinds of options, of what ``churnsim list`` shows in full."""

Keys = tuple[str | int, ...]
"""Where a value stands in a scenario file: mapping keys and list positions."""


def nearest(word: str, options: Iterable[str]) -> str | None:
    """Return the option most like `word`, if any is like it."""
    close = difflib.get_close_matches(str(word), [str(option) for option in options], n=5, cutoff=0.6)

    def likeness(option: str) -> float:
        """Weigh a missing letter more than a wrong one: 'prise' is meant as 'price', not as 'promise'."""
        return difflib.SequenceMatcher(None, option, str(word)).ratio() - 0.05 * abs(len(option) - len(str(word)))

    return max(close, key=likeness) if close else None


def shown(value: Any, limit: int = 60) -> str:
    """Return a short text for a value found in a file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = f"'{value}'" if isinstance(value, str) else plain_number(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def plain_number(value: Any) -> str:
    """Return a number as people write it: no exponent for millions, spaces between thousands."""
    if not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, float) and not value.is_integer():
        return f"{value:g}"
    return f"{int(value):,}".replace(",", " ") if abs(value) < 10**15 else f"{float(value):g}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a scenario.

    Attributes
    ----------
    code : str
        Which template of `MESSAGES` tells it.
    keys : tuple
        Where it stands: mapping keys and list positions from the root.
    details : dict
        What the template needs; also ``near`` (a suggestion), ``options`` (what is
        allowed), ``low``, ``high`` and ``unit`` (the allowed range), ``percent``,
        ``hint`` (which of `SUGGESTIONS` to make).
    file, line, column
        Position in the source, counted from 1; None where there is no source.
    """

    code: str
    keys: Keys = ()
    details: dict[str, Any] = field(default_factory=dict)
    file: str | None = None
    line: int | None = None
    column: int | None = None

    @property
    def path(self) -> str:
        """Dotted path, list positions in brackets."""
        text = ""
        for key in self.keys:
            text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
        return text

    @property
    def message(self) -> str:
        """What is wrong, in English."""
        return self.message_in("en")

    @property
    def suggestion(self) -> str:
        """What may have been meant, in English; empty where nothing comes to mind."""
        return self.suggestion_in("en")

    @property
    def options(self) -> tuple[str, ...]:
        """Everything that would have been allowed here, where that is a short list."""
        return tuple(self.details.get("options", ()))

    def message_in(self, lang: str) -> str:
        """Return what is wrong, in ``en`` or ``zh``."""
        details = {"owner": "", "found": "", **self.details}
        details["range"] = _range_text(details, lang)
        if self.code in ("number", "whole") and details["range"]:
            details["range"] = f" {details['range']}" if lang == "en" else f"，{details['range']}"
        if lang == "zh":
            details |= {
                key: WHAT_ZH.get(str(details[key]), details[key])
                for key in ("what", "scope", "found")
                if key in details
            }
            details["unit"] = UNITS_ZH.get(details.get("unit", ""), details.get("unit"))
            if "reason" in details:
                details["reason"] = _rule_in_chinese(details["reason"])
            if details["owner"]:
                details["owner"] = f'"{details["owner"]}" '
        elif details["owner"]:
            details["owner"] = f" in {details['owner']}"
        return MESSAGES[self.code][lang].format(**details)

    def suggestion_in(self, lang: str) -> str:
        """Return what may have been meant, in ``en`` or ``zh``, or an empty text."""
        if self.details.get("hint"):
            hint = f"{self.details['hint']}{'_near' if self.details.get('near') else ''}"
            return SUGGESTIONS[hint][lang].format(near=self.details.get("near"))
        if self.details.get("near"):
            return SUGGESTIONS["near"][lang].format(near=self.details["near"])
        if self.details.get("percent") is not None:
            percent = self.details["percent"]
            return SUGGESTIONS["as_share"][lang].format(percent=f"{percent:g}", share=f"{percent / 100:g}")
        if self.code == "syntax":
            return SUGGESTIONS["quote"][lang].format()
        if self.options:
            return SUGGESTIONS["options"][lang].format(options=self.options_in(lang))
        return ""

    def options_in(self, lang: str, between: str = ", ") -> str:
        """Return what would have been allowed; of many, the most similar, how many more there are, and where."""
        if len(self.options) <= MOST_NAMED:
            return between.join(self.options)
        found = str(self.details.get("found", ""))
        ranked = set(difflib.get_close_matches(found, self.options, n=MOST_NAMED - 2, cutoff=0))
        rest = SUGGESTIONS["more"][lang].format(n=len(self.options) - len(ranked))
        listed = self.code in LISTED or self.details.get("what") in LISTED
        names = [option for option in self.options if option in ranked]
        return between.join(names) + rest + (SUGGESTIONS["list"][lang] if listed else "")

    def line_in(self, lang: str) -> str:
        """Return the whole problem as one line, with as much of its place as is known."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        parts = [part for part in (place, self.path) if part]
        text = "; ".join(part for part in (self.message_in(lang), self.suggestion_in(lang)) if part)
        if self.details.get("near") and self.options:
            text += f" ({self.options_in(lang)})"
        return ": ".join([*parts, text])

    def as_dict(self, lang: str = "en") -> dict[str, Any]:
        """Return what ``churnsim check --json`` prints for it."""
        return {
            "line": self.line,
            "column": self.column,
            "path": self.path,
            "message": self.message_in(lang),
            "suggestion": self.suggestion_in(lang),
        }


SUBJECT: Mapping[str, str] = {"en": "the scenario", "zh": "情景"}
"""What has problems that are in no file."""


class ScenarioError(ValueError):
    """Something is wrong with a scenario; `errors` lists every problem found.

    Attributes
    ----------
    errors : list of Problem
        The problems, in the order of the file.
    sources : dict of str to str
        Text of the files that the problems are in, for `render`.
    """

    subject: ClassVar[Mapping[str, str]] = SUBJECT
    ending: str = "nothing_done"
    """Text of the command line that ends the report."""

    def __init__(self, errors: Sequence[Problem], sources: Mapping[str, str] | None = None, lang: str = "en"):
        self.errors = list(errors)
        self.sources = dict(sources or {})
        self.lang = lang
        super().__init__(self.errors, self.sources, lang)

    def __str__(self) -> str:
        return "\n".join(problem.line_in(self.lang) for problem in self.errors)

    def render(self, lang: str | None = None) -> str:
        """Return the problems with the offending lines, as the command line shows them."""
        return format_problems(self.errors, self.sources, lang or self.lang, self.subject)


def format_problems(
    problems: Sequence[Problem],
    source_text: str | Mapping[str, str],
    lang: str = "en",
    subject: Mapping[str, str] = SUBJECT,
) -> str:
    """Lay out problems for a terminal: line number, the line, a caret, the reason, and what is allowed.

    Parameters
    ----------
    problems
        What to show; grouped by file, in the order given.
    source_text
        Text of the file, or texts by file name where there are several.
    lang
        ``en`` or ``zh``.
    subject
        What has the problems where that is no file, in both languages.
    """
    blocks = []
    for file in dict.fromkeys(problem.file for problem in problems):
        here = [problem for problem in problems if problem.file == file]
        text = source_text if isinstance(source_text, str) else source_text.get(file or "", "")
        blocks.append(_heading(file or subject[lang], len(here), lang))
        blocks += [_block(problem, text.splitlines(), lang) for problem in here]
    return "\n".join(blocks)


def _heading(name: str, count: int, lang: str) -> str:
    """First line of a file's problems."""
    if lang == "zh":
        return f"{name} 有 {count} 个问题\n"
    return f"{name} has {count} problem{'s' if count > 1 else ''}\n"


def _block(problem: Problem, lines: list[str], lang: str) -> str:
    """One problem with its line of the file."""
    suggestion = problem.suggestion_in(lang)
    listed = problem.options and (problem.details.get("near") or problem.details.get("percent") is not None)
    reason = problem.message_in(lang) + (f". {suggestion[0].upper()}{suggestion[1:]}" if suggestion else "")
    if lang == "zh":
        reason = problem.message_in(lang) + (f"。{suggestion}" if suggestion else "")
    tail = [f"      {SUGGESTIONS['options'][lang].format(options=problem.options_in(lang, ' '))}"] if listed else []
    if problem.line is None or not 0 < problem.line <= len(lines):
        return "\n".join([f"  {problem.path}: {reason}" if problem.path else f"  {reason}", *tail])
    column = problem.column or 1
    line, column = _window(lines[problem.line - 1].replace("\t", " "), column)
    pad = " " * sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line[: column - 1])
    return "\n".join([f"{problem.line:>4} | {line}", f"     | {pad}^ {reason}", *tail])


def _window(line: str, column: int, width: int = 110) -> tuple[str, int]:
    """Cut a long line around the column."""
    if len(line) <= width:
        return line, column
    start = max(0, min(column - width // 2, len(line) - width))
    return ("…" if start else "") + line[start : start + width] + "…", column - start + (1 if start else 0)


def _range_text(details: dict[str, Any], lang: str) -> str:
    """Put the allowed range with its unit in words."""
    low, high, unit = details.get("low"), details.get("high"), details.get("unit")
    if low is None and high is None:
        return ""
    a, b = (None if bound is None else plain_number(bound) for bound in (low, high))
    if lang == "zh":
        text = f"在 {a} 与 {b} 之间" if a and b else f"不小于 {a}" if a else f"不大于 {b}"
        return text + (f"（{UNITS_ZH.get(unit, unit)}）" if unit and unit != "1" else "")
    text = f"between {a} and {b}" if a and b else f"at least {a}" if a else f"at most {b}"
    return text + (f" ({unit})" if unit and unit != "1" else "")


def _rule_in_chinese(reason: str) -> str:
    """Chinese of a rule that a record states in English, where there is one."""
    for pattern, chinese in RULES_ZH:
        match = re.fullmatch(pattern, reason)
        if match:
            return chinese.format(*match.groups())
    return reason

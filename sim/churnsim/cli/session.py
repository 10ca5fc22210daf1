"""What every command shares: language, where text goes, and how errors end a command."""

from __future__ import annotations

import functools
import inspect
import json
import locale
import math
import os
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnsim.i18n import LANGUAGES, number, text

if TYPE_CHECKING:
    from rich.console import Console

FINE, FAILED, BAD_INPUT, PARTLY_FAILED, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141
"""Exit codes; 3 belongs to studies of many runs, 141 is what a shell reports of a reader that left early."""

PARTS = ("claim", "arm")
"""Parts of a scenario that a warning may name."""

PIPE_WIDTH = 100_000
"""Columns where neither a terminal nor ``COLUMNS`` sets them: a table in a file or pipe is as wide as it needs."""

NARROWEST_PROSE = 40
"""Columns below which sentences are not broken any narrower."""


class BadInputError(Exception):
    """Something on the command line cannot be done; the message says what and why."""


class FailedError(Exception):
    """Something outside the program went wrong (a full disk, say); the message says what and why."""


def language(wanted: str | None = None) -> str:
    """Return the language of a command: asked for, else ``CHURN_LANG``, else the locale's."""
    for name in (wanted, os.environ.get("CHURN_LANG")):
        if name and name.lower()[:2] in LANGUAGES:
            return name.lower()[:2]
    system = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), None)
    system = system or locale.getlocale()[0] or ""
    return "zh" if system.lower().startswith(("zh", "chinese")) else "en"


def _help_language() -> str:
    """Return the language of help texts, which are made before the options are parsed."""
    words = sys.argv[1:]
    for i, word in enumerate(words):
        if word.startswith("--lang"):
            return language(word.partition("=")[2] or "".join(words[i + 1 : i + 2]))
    return language()


def helped(key: str) -> str:
    """Return a help text."""
    return text(f"cli.help.{key}", _help_language())


@dataclass
class Session:
    """One command's way of talking to its user.

    Attributes
    ----------
    lang : str
        ``en`` or ``zh``.
    json : bool
        Standard output carries one JSON object; everything else goes to standard error.
    quiet, verbose, color : bool
        As asked for on the command line.
    """

    lang: str = "en"
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    color: bool = True
    _consoles: dict[bool, Console] = field(default_factory=dict, repr=False)

    def say(self, key: str, **values: object) -> str:
        """Return a text of the command line in the session's language."""
        return text(f"cli.{key}", self.lang, **values)

    def joined(self, parts: Iterable[str], mark: str = "comma") -> str:
        """Return texts in a row, with the mark of the language: comma, enumeration, semicolon or colon."""
        return self.say(mark).join(parts)

    def count(self, kind: str, n: int, /, **values: object) -> str:
        """Return a number of things, ``1 firm`` or ``2 firms``."""
        form = "one" if n == 1 else "many"
        return self.say(f"count.{kind}.{form}", **{"n": number(n), **values})

    def ticks(self, tick: str, n: int) -> str:
        """Return a number of ticks, ``1 month`` or ``2 months``."""
        name = text(f"tick.{tick}.name", self.lang).lower()
        plural = text(f"tick.{tick}.plural", self.lang)
        return self.count("tick", n, name=name if n == 1 and self.lang == "en" else plural)

    def console(self, *, error: bool = False) -> Console:
        """Return the console for results (or, for `error`, for everything else)."""
        from rich.console import Console

        class QuietConsole(Console):
            """Leaves it to `ended` what happens when nobody reads any more."""

            def on_broken_pipe(self) -> None:
                if not self.stderr:
                    raise BrokenPipeError
                to_nowhere(sys.stderr)

        to_stderr = error or self.json
        if to_stderr not in self._consoles:
            console = QuietConsole(stderr=to_stderr, no_color=True if not self.color else None, highlight=False)
            if not console.is_terminal and "COLUMNS" not in os.environ:
                console.width = PIPE_WIDTH
            self._consoles[to_stderr] = console
        return self._consoles[to_stderr]

    def print(self, thing: Any, style: str | None = None, *, error: bool = False) -> None:
        """Print a part of the result for people: a text, or a table so that no number of it is broken."""
        console = self.console(error=error)
        if isinstance(thing, str):
            console.print(thing, style=style, markup=False, soft_wrap=True)
            return
        from churnsim.cli.tables import fitted

        with nullcontext() if console.is_terminal else console.capture() as kept:
            for part in fitted(thing, console, self.say("colon")):
                console.print(part, style=style, markup=False, no_wrap=True, overflow="ignore", crop=False)
        if kept is not None:  # what fills columns up to their width is of no use in a file
            lines = (line.rstrip() for line in kept.get().splitlines())
            console.print("\n".join(lines), markup=False, soft_wrap=True)

    def prose(self, words: str, style: str | None = None, *, lead: str = "", width: int = PIPE_WIDTH) -> None:
        """Print sentences, broken only where their language allows it, to the width of the terminal.

        Parameters
        ----------
        words
            What to print.
        style
            As the console knows it.
        lead
            What stands before the first line; further lines stand in by as much.
        width
            Cells of a line at most.
        """
        from rich.cells import cell_len

        from churnsim.cli.tables import wrapped

        room = max(NARROWEST_PROSE, min(width, self.console().width)) - cell_len(lead)
        self.print(lead + ("\n" + " " * cell_len(lead)).join(wrapped(words, room)), style)

    def note(self, message: str, style: str | None = None) -> None:
        """Print something beside the result, on standard error."""
        self.console(error=True).print(message, style=style, markup=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        """Print a warning, on standard error."""
        self.note(message, style="yellow")

    def emit(self, value: dict[str, Any]) -> None:
        """Print the command's JSON object."""
        print(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False), flush=True)


def to_nowhere(stream: Any) -> None:
    """Let a stream that nobody reads any more lead nowhere, so that what is left in it does no harm."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        # The stream is not a file (it is a test's, say): there is nothing to lead elsewhere.
        return


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it: no NaN, no NumPy numbers, no records."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "model_dump"):
        return _plain(value.model_dump(mode="json"))
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _known(lang: str | None) -> str | None:
    """Refuse a language that there is no text in."""
    if lang is not None and lang not in LANGUAGES:
        raise typer.BadParameter(f"{lang} ({', '.join(LANGUAGES)})")
    return lang


_COMMON: tuple[tuple[str, Any, Any], ...] = (
    (
        "lang",
        Annotated[str | None, typer.Option("--lang", metavar="en|zh", callback=_known, help=helped("lang"))],
        None,
    ),
    ("json", Annotated[bool, typer.Option("--json", help=helped("json"))], False),
    ("quiet", Annotated[bool, typer.Option("-q", "--quiet", help=helped("quiet"))], False),
    ("verbose", Annotated[bool, typer.Option("-v", "--verbose", help=helped("verbose"))], False),
    ("no_color", Annotated[bool, typer.Option("--no-color", help=helped("no_color"))], False),
)
"""Options that may stand before and behind every command: name, declaration, default."""


def command(
    app: typer.Typer, name: str, help_key: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command; its first parameter is the `Session`, the common options are added.

    Its help text is that of its name, or of `help_key` where a command of a group has a name that is taken.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def entry(context: typer.Context, **options: Any) -> None:
            common = {option: options.pop(option) or context.obj[option] for option, _, _ in _COMMON}
            color = not common.pop("no_color") and not os.environ.get("NO_COLOR")
            session = Session(**common | {"lang": language(common["lang"]), "color": color})
            with ended(session):
                function(session, **options)

        said = helped(help_key or name)
        # Lists of commands say it whole, on as many lines as it takes, instead of cutting it off.
        app.command(name, help=said, short_help=said)(_with_common_options(entry, function))
        return function

    return register


def keep_common_options(app: typer.Typer, extra: inspect.Parameter) -> None:
    """Let the common options (and one more) stand before the command too."""

    def root(context: typer.Context, **options: Any) -> None:
        context.obj = options

    app.callback()(_with_common_options(root, lambda _: None, extra))


def _with_common_options(
    entry: Callable[..., None], function: Callable[..., None], *extra: inspect.Parameter
) -> Callable[..., None]:
    """Give `entry` the parameters that Typer reads: the function's own but for the first, then the common ones."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    common = [
        inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=about)
        for option, about, default in _COMMON
    ]
    parameters = [context, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *extra, *common]
    entry.__dict__.pop("__wrapped__", None)
    entry.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    entry.__annotations__ = {p.name: p.annotation for p in parameters}
    return entry


@contextmanager
def ended(session: Session) -> Iterator[None]:
    """Turn what goes wrong inside the block into a message and an exit code."""
    from churnsim.config.errors import ScenarioError

    try:
        with _warnings_noted(session):
            yield
    except (typer.Exit, typer.BadParameter):
        raise
    except BrokenPipeError:
        to_nowhere(sys.stdout)
        raise typer.Exit(PIPE_CLOSED) from None
    except FailedError as error:
        session.note(str(error), style="red")
        raise typer.Exit(FAILED) from None
    except ScenarioError as error:
        session.note(error.render(session.lang))
        session.note("\n" + session.say(error.ending))
        raise typer.Exit(BAD_INPUT) from None
    except BadInputError as error:
        session.note(str(error), style="red")
        raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt as stop:
        # A sweep that was stopped says where its finished runs are.
        kept = getattr(stop, "folder", None)
        session.note("\n" + (session.say("interrupted") if kept is None else session.say("sweep.stopped", folder=kept)))
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        _report_crash(session, error)
        raise typer.Exit(FAILED) from None


@contextmanager
def _warnings_noted(session: Session) -> Iterator[None]:
    """Print warnings about scenarios as one line each in the session's language, without lines of Python."""
    from churnsim.config.loading import ScenarioWarning

    noted: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", ScenarioWarning)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *about: Any, **options: Any) -> None:
            if not issubclass(category, ScenarioWarning):
                others(message, category, *about, **options)
            elif str(message) not in noted and not session.quiet:  # what was left out makes no result wrong
                noted.add(str(message))
                session.warn(session.say("note", message=_translated(session, str(message))))

        warnings.showwarning = show
        yield


def _translated(session: Session, message: str) -> str:
    """Return a warning about a scenario in the session's language, as far as it is known."""
    known = re.fullmatch(r"(.*?): left out what no longer fits the scenario it extends: (.*)", message, re.DOTALL)
    if known is None:
        return message
    parts = (part.split(" ", 1) for part in known[2].split(", "))
    names = [
        " ".join([session.say(f"part.{kind}"), *rest]) if kind in PARTS else " ".join([kind, *rest])
        for kind, *rest in parts
    ]
    return session.say("left_out", scenario=known[1], names=", ".join(names))


def _report_crash(session: Session, error: Exception) -> None:
    """Say in one sentence that something failed, and keep the details in a file."""
    details = "".join(traceback.format_exception(error))
    about = f"churnsim {' '.join(sys.argv[1:])}\npython {sys.version}\n\n"
    name = f"churnsim-crash-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    saved = None
    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        try:
            (folder / name).write_text(about + details, encoding="utf-8")
        except OSError:
            continue
        saved = folder / name
        break
    if session.verbose:
        session.note(details.rstrip())
    session.note(session.say("crash", error=f"{type(error).__name__}: {error}"), style="red")
    if saved is not None:
        session.note(session.say("crash_file", file=saved))

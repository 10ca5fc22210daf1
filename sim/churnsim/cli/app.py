"""The application: its commands, its version flag, and how the process ends."""

from __future__ import annotations

import inspect
import os
import sys
from typing import Annotated

import typer

from churnsim import __version__
from churnsim.cli import (
    compare,
    concepts,
    doctor,
    fit,
    generate,
    lesson,
    optimise,
    play,
    predict,
    report,
    reproduce,
    results,
    run,
    scenarios,
    sensitivity,
    sweep,
    tournament,
    verify,
)
from churnsim.cli.session import INTERRUPTED, helped, keep_common_options

app = typer.Typer(name="churnsim", help=helped("app"), no_args_is_help=True, rich_markup_mode=None)


def _show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(f"churnsim {__version__}")
        raise typer.Exit


_VERSION = inspect.Parameter(
    "version",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help=helped("version"))
    ],
)

keep_common_options(app, _VERSION)
for module in (
    scenarios,
    run,
    verify,
    report,
    sweep,
    results,
    sensitivity,
    compare,
    reproduce,
    tournament,
    optimise,
    fit,
    predict,
    generate,
    play,
    lesson,
    concepts,
    doctor,
):
    module.register(app)


def main() -> None:
    """Run the command line as a process: the entry point of ``churnsim``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show a character shows a question mark rather than a traceback.
            stream.reconfigure(errors="replace")
    try:
        app()
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED:
            sys.stdout.flush()
            sys.stderr.flush()
            # Runs that were under way live in threads; leaving the normal way would wait for them.
            os._exit(INTERRUPTED)
        raise

"""The command line: parse, call the public API, print.

Nothing here computes; heavy imports happen inside the commands, so that
``churnsim --help`` answers at once.
"""

from churnsim.cli.app import app, main

__all__ = ["app", "main"]

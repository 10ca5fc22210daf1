"""``python -m churnsim``: the command line, where the console script is not on the path."""

from churnsim.cli import main

main()

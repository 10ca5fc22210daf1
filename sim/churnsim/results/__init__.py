"""Results of runs: tables, summaries, folders."""

from churnsim.results.result import Result, open
from churnsim.storage import ResultFolderError

__all__ = ["Result", "ResultFolderError", "open"]

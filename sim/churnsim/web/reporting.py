"""Reports of a comparison: the page, the workbook and the slides of `churnsim.report`, of exactly what was compared."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from churnsim.report import MissingExtraError, findings, page, slides, workbook
from churnsim.running import run
from churnsim.web.asks import RefusalError

if TYPE_CHECKING:
    from churnsim.report import Findings
    from churnsim.results import Result
    from churnsim.scenario import Scenario

KINDS = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
"""What may be asked for, by the ending of its file."""

WRITING = threading.Lock()
"""One report at a time: drawing with matplotlib is not made for several threads."""

Key = tuple[tuple[str, ...], int]


class Kept:
    """Results of comparisons, so that a report needs not run them again.

    Parameters
    ----------
    room
        Bytes of tables that are kept; the latest comparison always is.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._kept: OrderedDict[Key, Result] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, key: Key, result: Result) -> None:
        """Keep a result, and forget others as far as room is needed."""
        with self._lock:
            self._kept[key] = result
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(map(_size, self._kept.values())) > self.room:
                self._kept.popitem(last=False)

    def get(self, key: Key) -> Result | None:
        """Return a result that is kept."""
        with self._lock:
            return self._kept.get(key)


def key_of(plans: list[Scenario], seeds: list[int]) -> Key:
    """Return what tells a comparison from others: its plans by everything in them and by name, and its seeds."""
    return tuple(f"{plan.key} {plan.name}" for plan in plans), len(seeds)


def _size(result: Result) -> int:
    """Return about how many bytes a result's largest tables take."""
    return int(result.ticks.memory_usage(index=False).sum() + result.causes.memory_usage(index=False).sum())


def report_of(
    plans: list[Scenario],
    seeds: list[int],
    firm: str | None,
    kind: str,
    lang: str,
    kept: Kept,
    main: str | None = None,
) -> bytes:
    """Return a report on a comparison, whose first plan is the baseline.

    Parameters
    ----------
    plans, seeds
        What was compared.
    firm
        Whom the report is about; by default whose decision it is, as `churnsim.report.decision` finds it.
    kind
        One of `KINDS`.
    lang
        Its language.
    kept
        Where the runs may lie.
    main
        Name of the plan in the foreground; by default as for ``churnsim report``.
    """
    key = key_of(plans, seeds)
    result = kept.get(key)
    if result is None:
        result = run(plans, seeds, progress=False)
        kept.keep(key, result)
    with WRITING:
        return _written(findings(result, lang=lang, firm=firm, baseline=plans[0].name, scenario=main), kind)


def _written(found: Findings, kind: str) -> bytes:
    """Return a report's file."""
    if kind == "html":
        return page(found).encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"report.{kind}"
        try:
            {"xlsx": workbook, "pptx": slides}[kind](found, file)
        except MissingExtraError as error:
            raise RefusalError(409, "extra", package=error.package, extra=error.extra) from None
        return file.read_bytes()

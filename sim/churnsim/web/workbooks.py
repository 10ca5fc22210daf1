"""Workbooks that visitors drop on the page: the inputs of a report, perhaps changed, become plans to run.

A file is looked at before it is opened, since a small one can hold a large one: how many parts it has, what they come
to unpacked, and how far down its sheets reach. Then the reader of ``churnsim new --inputs`` reads it.
"""

from __future__ import annotations

import hashlib
import io
import re
import tempfile
import threading
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from churnsim.config.errors import ScenarioError
from churnsim.config.yaml_lines import read_source
from churnsim.report.excel import SCENARIOS_SHEET
from churnsim.report.needs import MissingExtraError, needed
from churnsim.report.reading import WorkbookError, scenarios_in
from churnsim.web.asks import RefusalError, check_size, refused
from churnsim.web.catalogue import BOOK
from churnsim.web.guards import WORKBOOK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from churnsim.scenario import Scenario
    from churnsim.web.app import Laboratory
    from churnsim.web.limits import Limits

    Uploaded = Callable[[Request, bytes, str], Awaitable[Response]]

MOST_PARTS = 200
"""Files inside a workbook."""

UNPACKED = 20
"""Times the size that may be sent, which a workbook may come to unpacked."""

LOWEST = re.compile(rb' r="[A-Z]{0,3}[0-9]{6,}"')
"""A row below the 99 999th: no report writes one, and a reader would make every cell above it."""


class Workbooks:
    """The workbooks that visitors have opened, for as long as the server runs.

    Parameters
    ----------
    limits
        How many are kept; those opened longest ago are forgotten first.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._kept: OrderedDict[str, list[tuple[Scenario, int]]] = OrderedDict()
        self._lock = threading.Lock()

    def scenario(self, name: str) -> Scenario:
        """Return a column's scenario by its name."""
        book, _, place = name.removeprefix(BOOK).partition(":")
        with self._lock:
            columns = self._kept.get(book)
        if columns is None or not place.isdecimal() or int(place) >= len(columns):
            raise RefusalError(404, "no_workbook")
        return columns[int(place)][0]

    def plans(self, book: str) -> list[dict[str, Any]]:
        """Return the columns of a workbook: what each is asked for by, its title, its size and how much was changed."""
        with self._lock:
            columns = self._kept.get(book)
        if columns is None:
            raise RefusalError(404, "no_workbook")
        return [
            {
                "id": f"{BOOK}{book}:{place}",
                "title": plan.title.model_dump(),
                "customers": plan.customers.count,
                "changed": changed,
            }
            for place, (plan, changed) in enumerate(columns)
        ]

    def open(self, content: bytes, lang: str) -> dict[str, Any]:
        """Read a workbook and keep what it holds.

        Returns
        -------
        dict
            ``book`` (what it is asked for by), ``plans`` (as `plans`) and ``first`` (the place of the column to begin
            with: the first that was changed, else the last, which is not the baseline).

        Raises
        ------
        RefusalError
            If it is no workbook of a report, too large, or says what no scenario can be.
        """
        _check_parts(content, self.limits.workbook)
        found = _read(content)
        columns: list[tuple[Scenario, int]] = []
        for name, (scenario, changes) in found.items():
            try:
                plan = scenario.set(changes).named(name)
            except ScenarioError as error:
                raise refused(error, lang) from None
            check_size(plan, self.limits)
            columns.append((plan, len(changes)))
        if not columns:
            raise RefusalError(422, "bad_workbook")
        book = hashlib.blake2b(content, digest_size=6).hexdigest()
        with self._lock:
            self._kept[book] = columns
            self._kept.move_to_end(book)
            while len(self._kept) > self.limits.workbooks:
                self._kept.popitem(last=False)
        first = next((place for place, (_, changed) in enumerate(columns) if changed), len(columns) - 1)
        return {"book": book, "plans": self.plans(book), "first": first}


def _check_parts(content: bytes, most: int) -> None:
    """Refuse what is no workbook, or would be too large unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            entries = parts.infolist()
            if len(entries) > MOST_PARTS or sum(entry.file_size for entry in entries) > UNPACKED * most:
                raise RefusalError(413, "workbook_large", most=_megabytes(most))
            names = {entry.filename for entry in entries}
            if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
                raise RefusalError(422, "bad_workbook")
            if any(name.startswith("xl/worksheets/") and LOWEST.search(parts.read(name)) for name in names):
                raise RefusalError(413, "workbook_large", most=_megabytes(most))
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise RefusalError(422, "bad_workbook") from None


def _check_whole(file: Path) -> None:
    """Refuse scenarios that are not whole: a report writes all of one, and what a file extends lies on our disk."""
    book = needed("openpyxl", "openpyxl").load_workbook(file, read_only=True, data_only=True)
    if SCENARIOS_SHEET not in book.sheetnames:
        raise WorkbookError(SCENARIOS_SHEET)
    source = file.with_name("scenario.yaml")
    for row in book[SCENARIOS_SHEET].iter_rows(values_only=True):
        source.write_text("".join(str(piece) for piece in row[1:] if piece), encoding="utf-8")
        if "extends" in read_source(source, source.name).data:
            raise WorkbookError("extends")
    book.close()


def _megabytes(most: int) -> str:
    """Return a limit as a person reads it."""
    return f"{most / 1e6:g}"


def _read(content: bytes) -> dict[str, tuple[Scenario, dict[str, Any]]]:
    """Read a workbook's scenarios by the reader of the command line."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "inputs.xlsx"
        file.write_bytes(content)
        try:
            _check_whole(file)
            return scenarios_in(file)
        except MissingExtraError as error:
            raise RefusalError(409, "extra", package=error.package, extra=error.extra) from None
        except WorkbookError:
            raise RefusalError(422, "bad_workbook") from None
        except Exception:  # what a damaged file makes its reader do is not to be foreseen, and never our failure
            raise RefusalError(422, "bad_workbook") from None


def workbook_routes(lab: Laboratory, uploaded: Callable[[str, Uploaded], Route]) -> list[Route]:
    """Return the routes of workbooks.

    Parameters
    ----------
    lab
        The laboratory.
    uploaded
        Makes a route that takes a file.
    """

    async def opened(request: Request, content: bytes, lang: str) -> Response:
        return JSONResponse(await lab.computed(lab.books.open, content, lang), headers={"cache-control": "no-store"})

    async def about(request: Request) -> Response:
        found = await run_in_threadpool(lab.books.plans, request.path_params["book"])
        return JSONResponse({"plans": found}, headers={"cache-control": "no-store"})

    return [uploaded(WORKBOOK, opened), Route(f"{WORKBOOK}/{{book}}", about)]

"""Reading the inputs of a workbook again: what was changed in it becomes a scenario."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnsim.report.excel import SCENARIOS_SHEET
from churnsim.report.needs import needed
from churnsim.tables import parameters

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

HEAD_ROW, PATH_COLUMN, FIRST_COLUMN = 2, 1, 4
"""Row of the heads of the sheet of inputs, and columns of the paths and of the first scenario, counted from 1."""

INPUTS_PLACE = 3
"""Place of the sheet of inputs among the sheets, whatever it is called in the report's language, counted from 0."""


class WorkbookError(ValueError):
    """A file is not a workbook that a report wrote, or not one that can be read."""


def scenarios_in(path: Path) -> dict[str, tuple[Scenario, dict[str, Any]]]:
    """Return the scenarios that a workbook holds, and what has been changed in them on the sheet of inputs.

    Parameters
    ----------
    path
        An ``.xlsx`` file that `churnsim.report.workbook` wrote, perhaps changed by hand.

    Returns
    -------
    dict
        By name: the scenario as it was run, and the changed values by dotted path.

    Raises
    ------
    WorkbookError
        If it is no such file.
    MissingExtraError
        If the extra ``office`` is not installed.
    """
    book = _book(path)
    found = {}
    for row in book[SCENARIOS_SHEET].iter_rows(values_only=True):
        if row and row[0]:
            found[str(row[0])] = _scenario("".join(str(piece) for piece in row[1:] if piece), str(row[0]))
    sheet = book.worksheets[INPUTS_PLACE]
    heads = {str(cell.value): cell.column for cell in sheet[HEAD_ROW] if cell.value}
    return {name: (scenario, _changes(sheet, heads.get(name), scenario)) for name, scenario in found.items()}


def cells_in(path: Path, name: str) -> dict[str, tuple[str, str]]:
    """Return where the values of a scenario stand in a workbook that `scenarios_in` has read.

    Returns
    -------
    dict
        By dotted path: sheet and cell, such as ``("Inputs", "D12")``.
    """
    sheet = _book(path).worksheets[INPUTS_PLACE]
    column = next((cell.column_letter for cell in sheet[HEAD_ROW] if str(cell.value) == name), None)
    rows = range(HEAD_ROW + 1, sheet.max_row + 1)
    return {str(sheet.cell(row, PATH_COLUMN).value): (sheet.title, f"{column}{row}") for row in rows}


def _book(path: Path) -> Any:
    """Open a workbook that a report wrote."""
    openpyxl = needed("openpyxl", "openpyxl")
    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except (OSError, KeyError, zipfile.BadZipFile, openpyxl.utils.exceptions.InvalidFileException) as error:
        raise WorkbookError(str(error)) from None
    if SCENARIOS_SHEET not in book.sheetnames or len(book.sheetnames) <= INPUTS_PLACE:
        raise WorkbookError(f"no sheet '{SCENARIOS_SHEET}'")
    return book


def _scenario(written: str, name: str) -> Scenario:
    """Read a scenario from its text."""
    from churnsim.config.loading import load

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scenario.yaml"
        file.write_text(written, encoding="utf-8")
        return load(file).named(name)


def _changes(sheet: Any, column: int | None, scenario: Scenario) -> dict[str, Any]:
    """Return the values of one scenario's column that are others than those that were run."""
    if column is None:
        return {}
    before = parameters(scenario)
    changed: dict[str, Any] = {}
    for row in range(HEAD_ROW + 1, sheet.max_row + 1):
        path, value = sheet.cell(row, PATH_COLUMN).value, sheet.cell(row, column).value
        # An empty cell says nothing where there was nothing; where there was a value it has been taken out.
        if path is None or (value is None and before.get(path) is None):
            continue
        if path not in before or not _same(before[path], value):
            changed[str(path)] = value
    return changed


def _same(before: Any, now: Any) -> bool:
    """Whether a cell still says what was written to it; Excel knows no whole numbers and few digits more than 15."""
    if isinstance(before, bool) or isinstance(now, bool):
        return before is now or before == now
    if isinstance(before, (int, float)) and isinstance(now, (int, float)):
        return abs(before - now) <= 1e-12 * max(abs(before), abs(now))
    return str(before) == str(now)

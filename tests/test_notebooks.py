"""The tutorials run, and still print what is stored in them."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest

from conftest import ROOT

FOLDER = ROOT / "docs" / "notebooks"
QUICK = "teacher"
NAMES = [
    pytest.param(path.stem, marks=() if path.stem == QUICK else pytest.mark.slow)
    for path in sorted(FOLDER.glob("*.ipynb"))
]


def printed(book) -> list[str]:
    """What the cells printed or returned, as text; figures have none that stays the same."""
    found = []
    for cell in book.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if output["output_type"] == "stream":
                # What other packages warn of (no widgets, say) is the machine's, not the tutorial's.
                found += [output["text"]] if output["name"] == "stdout" else []
            elif "image/png" not in data and "text/html" not in data:
                found.append(data.get("text/plain", ""))
    return found


def test_there_are_three():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {"researcher", "teacher", "strategy_team"}


@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_still_says_what_is_stored(name, tmp_path, monkeypatch):
    stored = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    assert all(cell.execution_count for cell in stored.cells if cell.cell_type == "code"), "it was never executed"
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "sim"))
    fresh = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = nbclient.NotebookClient(
        fresh, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    assert printed(fresh) == printed(stored)
    pictures = [o for cell in fresh.cells for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
    assert pictures
    assert not list(Path(tmp_path).iterdir()), "a tutorial leaves nothing behind"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_tutorial_is_small_and_names_no_machine(path):
    written = path.read_text(encoding="utf-8")
    assert len(written) < 400_000
    assert "/home/" not in written and str(ROOT) not in written and "Traceback" not in written

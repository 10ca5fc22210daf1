"""Result folders: parquet tables, one scenario file per arm, a summary, and ``run.json``.

A folder is written beside its place and then renamed, so that there is never half a
result. The tables hold no times or versions: the same content is the same bytes.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

FORMAT = "churnsim-result"
FORMAT_VERSION = 1
RUN_FILE = "run.json"
SCENARIOS = "scenarios"
OPTIONAL = ("departures", "tenure", "value", "concentration", "inactivity", "observables")
"""Tables that a result has only where a run kept them: departures, and those of the ledger."""

TABLES = ("ticks", "market", "causes", "enablers", "flows", "events", "runs", *OPTIONAL)
"""Every table that a result may have."""

NOT_PROVENANCE = ("format", "format_version", "scenarios", "seeds", "units")
"""Parts of ``run.json`` that a result knows from elsewhere."""

_CATEGORIES = b"churnsim.categories"


class ResultFolderError(ValueError):
    """A folder that cannot be read as a result, or must not be overwritten."""


def write_folder(
    folder: str | Path,
    tables: dict[str, pd.DataFrame],
    scenarios: dict[str, Any],
    summary: pd.DataFrame,
    run: dict[str, Any],
) -> Path:
    """Write a result folder in one step.

    Parameters
    ----------
    folder
        Where to; an earlier result there is replaced, anything else is left alone.
    tables
        By name, of `TABLES`.
    scenarios
        By name; each has ``to_yaml()`` and ``id_hash``.
    summary
        Written as ``summary.csv``, with a byte order mark for spreadsheets.
    run
        What ``run.json`` says besides the format and the list of scenarios.
    """
    target = Path(folder).resolve()
    _refuse_foreign(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        draft.chmod(0o755)
        for name, frame in tables.items():
            write_table(frame, draft / f"{name}.parquet")
        files = _scenario_files(scenarios)
        (draft / SCENARIOS).mkdir()
        for name, scenario in scenarios.items():
            (draft / files[name]).write_text(scenario.to_yaml(), encoding="utf-8", newline="\n")
        summary.to_csv(draft / "summary.csv", index=False, encoding="utf-8-sig", lineterminator="\n")
        about = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "scenarios": [{"name": name, "id": s.id_hash, "file": files[name]} for name, s in scenarios.items()],
            **run,
        }
        text = json.dumps(about, ensure_ascii=False, indent=2) + "\n"
        (draft / RUN_FILE).write_text(text, encoding="utf-8", newline="\n")
        _swap(draft, target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return target


def read_folder(
    folder: str | Path,
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Read the tables of a result folder and what ``run.json`` says.

    Returns
    -------
    tables, run
        As `write_folder` was given them; `run` is the whole of ``run.json``.
    """
    source = Path(folder)
    run = read_run(source)
    tables = {name: read_table(source / f"{name}.parquet") for name in TABLES if (source / f"{name}.parquet").exists()}
    missing = [name for name in TABLES if name not in tables and name not in OPTIONAL]
    if missing:
        raise ResultFolderError(f"{source}: not a whole result, {', '.join(missing)} missing")
    return tables, run


def read_scenarios(folder: str | Path, load_scenario: Callable[[Path], Any]) -> dict[str, Any]:
    """Read the scenarios of a result folder, by name; raise where one was edited after the run."""
    source = Path(folder)
    scenarios = {}
    for entry in read_run(source)["scenarios"]:
        scenario = load_scenario(source / entry["file"])
        scenarios[entry["name"]] = scenario if scenario.name == entry["name"] else scenario.named(entry["name"])
        if scenarios[entry["name"]].id_hash != entry["id"]:
            raise ResultFolderError(
                f"{source / entry['file']}: the scenario was changed after the run (it was {entry['id']}, "
                f"it is {scenarios[entry['name']].id_hash}); run it again"
            )
    return scenarios


def read_run(folder: str | Path) -> dict[str, Any]:
    """Return ``run.json`` of a result folder, or say why the folder is not one."""
    file = Path(folder) / RUN_FILE
    if not file.is_file():
        raise ResultFolderError(f"{folder}: not a churnsim result (no {RUN_FILE})")
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ResultFolderError(f"{file}: not readable as JSON ({error})") from error
    if not isinstance(run, dict) or run.get("format") != FORMAT:
        raise ResultFolderError(f"{folder}: not a churnsim result ({RUN_FILE} has another format)")
    if run.get("format_version") != FORMAT_VERSION:
        raise ResultFolderError(
            f"{folder}: written in format {run.get('format_version')}; this version reads format {FORMAT_VERSION}"
        )
    return run


def write_table(frame: pd.DataFrame, file: Path) -> None:
    """Write a table so that equal frames are equal bytes; the order of categories is kept beside it."""
    arrays, categories = {}, {}
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            categories[name] = list(column.cat.categories)
            codes = pa.array(column.cat.codes.to_numpy(), mask=(column.cat.codes == -1).to_numpy())
            arrays[name] = pa.DictionaryArray.from_arrays(
                codes, pa.array(categories[name], type=pa.string())
            ).dictionary_decode()
        else:
            # Without from_pandas a NaN stays a NaN instead of becoming a missing value.
            arrays[name] = pa.array(column.to_numpy(), from_pandas=False)
    table = pa.table(arrays).replace_schema_metadata(
        {_CATEGORIES: json.dumps(categories, ensure_ascii=False).encode("utf-8")}
    )
    pq.write_table(table, file, compression="zstd")


def read_table(file: Path) -> pd.DataFrame:
    """Read a table that `write_table` wrote."""
    table = pq.read_table(file)
    categories = json.loads((table.schema.metadata or {}).get(_CATEGORIES, b"{}"))
    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = table.column(name)
        if name in categories:
            known = pd.Index(categories[name], dtype=object)
            columns[name] = _recoded(column, known)
        else:
            columns[name] = column.to_numpy()
    return pd.DataFrame(columns)


def _recoded(column: pa.ChunkedArray, categories: pd.Index) -> pd.Categorical:
    """Return a categorical with the stored order of categories, from a column of texts."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    # One slot more than there are names, so that "missing" (-1) finds a -1 in the last one.
    places = pd.Index([*categories.get_indexer(encoded.dictionary.to_pylist()), -1]).to_numpy()
    return pd.Categorical.from_codes(places[codes], categories=categories)


def _scenario_files(names: Iterable[str]) -> dict[str, str]:
    """Return a file for each scenario, relative to the folder; any name becomes a safe, distinct one."""
    files: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:60] or "scenario"
        slug, number = stem, 2
        # Compared without case: some file systems do not tell "A" from "a".
        while slug.lower() in taken:
            slug, number = f"{stem}_{number}", number + 1
        taken.add(slug.lower())
        files[name] = f"{SCENARIOS}/{slug}.yaml"
    return files


def _refuse_foreign(target: Path) -> None:
    """Raise unless the target is free, an empty folder, or an earlier result."""
    if target.is_dir():
        if any(target.iterdir()):
            try:
                read_run(target)
            except ResultFolderError as error:
                raise ResultFolderError(f"{error}; nothing was overwritten, choose another folder") from error
    elif target.exists():
        raise ResultFolderError(f"{target}: is a file; choose a folder")


def _swap(draft: Path, target: Path) -> None:
    """Put the draft in the target's place; what others keep in an old result's folder moves along."""
    if not target.exists():
        draft.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent)) / "result"
    target.rename(old)
    try:
        draft.rename(target)
    except OSError:
        old.rename(target)
        raise
    ours = {RUN_FILE, "summary.csv", SCENARIOS, *(f"{name}.parquet" for name in TABLES)}
    for entry in old.iterdir():
        if entry.name not in ours:
            entry.rename(target / entry.name)
    shutil.rmtree(old.parent, ignore_errors=True)

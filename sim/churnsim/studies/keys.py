"""What makes two runs the same run: the scenario, the seed, what is kept, and what the model means."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import platform
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import churnsim

NO_PART_OF_A_RUN = frozenset(
    {
        "cli", "i18n", "plots", "report", "web", "lessons", "studies", "results", "economics", "data", "calibration",
        "ground_truth", "claims.py", "concepts.py", "concepts_page.py", "pages.py", "scenario_html.py", "storage.py",
        "provenance.py", "tables.py", "running.py", "references.py", "reading.py", "__init__.py", "customer_value.py",
        "lock_in.py",
    }
)  # fmt: skip
"""Parts of the package that cannot change a number of a run; whatever is not listed here may."""

ALSO = ("studies/outcomes.py",)
"""What turns a run into outcomes."""


def model_hash(modules: Iterable[str] = (), function: str | None = None) -> str:
    """Return a hash of what the model means: its source without comments and docstrings, 32 hexadecimal digits.

    Parameters
    ----------
    modules
        Modules outside the package that a run uses: those of strategies of one's own.
    function
        ``module:name`` where a function is run in the place of the model.
    """
    total = hashlib.sha256()
    if function is None:
        total.update(_package_hash().encode())
    total.update(_meaning_of({*modules, *([function.partition(":")[0]] if function else [])}))
    return total.hexdigest()[:32]


def source_hash(modules: Iterable[str]) -> str:
    """Return a hash of what modules outside the package mean, 32 hexadecimal digits; empty where there are none."""
    names = {name for name in modules if name != "__main__"}
    return hashlib.sha256(_meaning_of(names)).hexdigest()[:32] if names else ""


def _meaning_of(modules: Iterable[str]) -> bytes:
    """Return names and meanings of modules whose source there is."""
    found = b""
    for name in sorted(modules):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin and spec.origin.endswith(".py"):
            found += name.encode() + meaning(Path(spec.origin).read_text(encoding="utf-8")).encode()
    return found


@cache
def _package_hash() -> str:
    """Return the hash of the package's own source."""
    root = Path(churnsim.__file__).resolve().parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        place = path.relative_to(root)
        if place.parts[0] in NO_PART_OF_A_RUN and place.as_posix() not in ALSO:
            continue
        total.update(place.as_posix().encode() + meaning(path.read_text(encoding="utf-8")).encode())
    return total.hexdigest()


def meaning(source: str) -> str:
    """Return a hash of what a source says: its syntax tree without docstrings; comments and layout do not count."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            # A text that stands alone, such as the note behind a constant, does nothing.
            node.body = [part for part in node.body if not _is_text(part)] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a text and nothing else."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def run_key(content: str, seed: int, outcomes: str, model: str) -> bytes:
    """Return the key of a run, 16 bytes.

    Parameters
    ----------
    content
        Hash of the resolved scenario, or of a function's name and factors.
    seed
        The run's seed.
    outcomes
        What is kept, as one text.
    model
        `model_hash`.
    """
    text = json.dumps([content, seed, outcomes, model], separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


@cache
def environment() -> dict[str, Any]:
    """Return what else may move the last bit of a number: versions, processor."""
    from importlib import metadata

    import llvmlite.binding as llvm

    versions = {name: metadata.version(name) for name in ("numpy", "numba", "llvmlite", "scipy")}
    return {
        "python": platform.python_version(),
        "packages": versions,
        "machine": platform.machine(),
        "system": platform.system(),
        "cpu": llvm.get_host_cpu_name(),
        "cpu_features": hashlib.blake2b(llvm.get_host_cpu_features().flatten().encode(), digest_size=4).hexdigest(),
    }

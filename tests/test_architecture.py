"""Who imports whom, read from the source."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from conftest import PACKAGE

MODULES = sorted(PACKAGE.rglob("*.py"))

# What a part of the package may import of ours, besides itself. A part is a folder or a module at the top.
LEAVES = {"declarations", "causes", "i18n"}
CONFIG = LEAVES | {"strategies", "config", "scenario", "scenario_html", "claims"}
OUTPUT = LEAVES | {"metrics", "dealing_measures", "records", "tables", "provenance", "storage", "spending", "economics"}
ALLOWED = {
    "randomness": {"mechanisms"},
    "mechanisms": set(),
    "economics": set(),
    "declarations": set(),
    "causes": {"mechanisms"},
    "strategies": {"declarations"},
    "engine": {"mechanisms", "randomness", "causes"},
    "plots": {"results", "lock_in", *OUTPUT},
    "results": {*OUTPUT, *CONFIG, "plots"},
    "lessons": {*CONFIG, "expressions", "running"},
    "report": {*OUTPUT, *CONFIG, "results", "plots", "lock_in", "model", "studies"},
}
FOREIGN = {
    "mesa": {"model", "customers", "firms", "population", "agents", "recorder"},
    "matplotlib": {"plots", "cli"},
    "SALib": {"studies"},
    "distributed": {"studies"},
    "pymoo": {"studies"},
    "starlette": {"web"},
    "uvicorn": {"web"},
    "segno": {"web"},
    "jinja2": {"report", "web"},
    "xlsxwriter": {"report"},
    "pptx": {"report"},
    "openpyxl": {"report"},
    "nashpy": set(),
    "sklearn": set(),
    "duckdb": set(),
}
"""Packages that only these parts may import."""


DISTRIBUTION = {
    "ruamel": "ruamel.yaml", "pptx": "python-pptx",
    "anyio": "starlette", "llvmlite": "numba", "pydantic_core": "pydantic",
}  # fmt: skip
"""Packages that are asked for under another name than they are imported by, or with another that is built on them."""

ALSO_WITHOUT = {"IPython"}
"""Imported only where they are running already."""


def part_of(module: str) -> str:
    """Name the part of the package that a module belongs to."""
    return module.split(".")[1] if "." in module else "churnsim"


def name_of(path: Path) -> str:
    """Return the dotted name of a source file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Return every module that a file imports, wherever in the file, but for annotations."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def ours(path: Path) -> set[str]:
    """Return the parts of the package that a file imports."""
    return {part_of(name) for name in imports_of(path) if name.startswith("churnsim.")}


def test_there_is_something_to_check():
    assert {part_of(name_of(path)) for path in MODULES} >= {"cli", "config", "engine", "mechanisms", "plots", "model"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_of_ours(path):
    part = part_of(name_of(path))
    if part in ALLOWED:
        assert ours(path) <= ALLOWED[part] | {part}


def test_every_import_is_asked_for():
    """What a module imports is a dependency, or in an extra for users: nothing else is there for everybody."""
    project = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [
        *project["dependencies"],
        *(line for name in extras if name not in ("dev", "bench") for line in extras[name]),
    ]
    names = {re.match(r"[\w.-]+", line)[0].lower() for line in asked}
    used = {name.partition(".")[0] for path in MODULES for name in imports_of(path)} - set(sys.stdlib_module_names)
    needed = {DISTRIBUTION.get(name, name).lower() for name in used - {"churnsim"} - ALSO_WITHOUT}
    assert needed - names == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_imports_the_command_line(path):
    if part_of(name_of(path)) != "cli" and path.name != "__main__.py":
        assert "cli" not in ours(path)
    if part_of(name_of(path)) not in ("cli", "web"):
        assert "web" not in ours(path)
    assert not {name.partition(".")[0] for name in imports_of(path)} & {"tests", "benchmarks"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_foreign_packages_stay_where_they_belong(path):
    part = part_of(name_of(path))
    used = {name.partition(".")[0] for name in imports_of(path)}
    assert {package for package in used & FOREIGN.keys() if part not in FOREIGN[package]} == set()


@pytest.mark.parametrize("path", sorted((PACKAGE / "economics").glob("*.py")), ids=name_of)
def test_economics_needs_numbers_alone(path):
    used = {name.partition(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names)
    assert used <= {"churnsim", "numpy", "scipy"}


def test_no_module_is_long():
    long = {name_of(path): n for path in MODULES if (n := len(path.read_text(encoding="utf-8").splitlines())) > 450}
    assert long == {}


def loaded_by(python, code: str) -> set[str]:
    """Return the top-level modules that code loads in a fresh interpreter."""
    return set(
        json.loads(python(f"{code}\nimport sys, json\nprint(json.dumps([m for m in sys.modules if '.' not in m]))"))
    )


def test_importing_the_package_loads_nothing_heavy(python):
    heavy = {"matplotlib", "SALib", "mesa", "numba", "numpy", "pandas", "scipy", "pydantic", "rich", "typer", "jinja2"}
    assert loaded_by(python, "import churnsim") & heavy == set()


def test_help_loads_nothing_heavy(python):
    lines = (
        "import json, sys",
        "sys.argv = ['churnsim', '--help']",
        "from churnsim.cli import main",
        "try: main()",
        "except SystemExit: pass",
        "print(end='\\x00')",
        "print(json.dumps(list(sys.modules)))",
    )
    names = json.loads(python("\n".join(lines)).rpartition("\x00")[2])
    heavy = {"matplotlib", "SALib", "mesa", "numba", "numpy", "pandas", "scipy", "pyarrow", "ruamel", "churnsim.model"}
    assert heavy & set(names) == set()
    # The time it takes grows with what it loads; the limit keeps `churnsim --help` under half a second.
    assert len(names) < 700


def test_running_a_model_loads_no_plotting(python):
    assert "matplotlib" not in loaded_by(python, "import churnsim as cs; cs.run; cs.load; cs.Result")


def test_economics_loads_nothing_heavy(python):
    parts = ", ".join(path.stem for path in (PACKAGE / "economics").glob("*.py") if path.stem != "__init__")
    heavy = {"matplotlib", "mesa", "numba", "pandas", "scipy", "pydantic"}
    assert loaded_by(python, f"from churnsim.economics import {parts}") & heavy == set()


def test_public_names(python):
    assert python("import churnsim as cs; print(all(hasattr(cs, name) for name in cs.__all__))").strip() == "True"
    assert set(json.loads(python("import churnsim as cs, json; print(json.dumps(dir(cs)))"))) >= {"load", "run", "open"}
    code = "import churnsim\ntry: churnsim.nonsense\nexcept AttributeError as e: print(e)"
    assert python(code).strip() == "module 'churnsim' has no attribute 'nonsense'"
    assert python("import churnsim as cs; print(sorted(set(cs.__all__) ^ {*cs._HOMES, '__version__'}))").strip() == "[]"

"""What is shipped: metadata that agrees, pinned versions, and a wheel that works anywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import churnsim as cs
from conftest import PACKAGE, ROOT

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="needs a source tree")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)==([0-9][0-9A-Za-z.]*)(; python_version (?:<|>=) \"3\.\d+\")?$")


def normal(name: str) -> str:
    """Return a distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned() -> set[str]:
    """Return the normalised names that constraints.txt pins; check every line."""
    names = set()
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            match = REQUIREMENT.match(line)
            assert match, line
            names.add(normal(match[1]))
    return names


def test_every_dependency_is_pinned():
    project = PROJECT["project"]
    wanted = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    assert {normal(re.match(r"[A-Za-z0-9_.-]+", item)[0]) for item in wanted} - {"churnsim"} <= pinned()


def test_no_registry_is_named():
    for name in ("pyproject.toml", "constraints.txt", "Makefile", ".ci/run"):
        written = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"index-url|https?://", written), name


def test_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {cs.__version__}\n" in citation
    assert re.fullmatch(r"\d+\.\d+\.\d+([ab]\d+|rc\d+)?", cs.__version__)


def test_changelog_has_a_results_heading():
    assert "### Results" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_package_is_typed():
    assert (PACKAGE / "py.typed").is_file()


@pytest.mark.parametrize("script", [".ci/run"])
def test_scripts_are_executable(script):
    assert os.access(ROOT / script, os.X_OK)


def test_makefile_names_its_targets():
    written = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "test", "test-all", "test-matrix", "docs", "lint", "clean"):
        assert re.search(rf"^{target}:", written, flags=re.MULTILINE), target


@pytest.mark.slow
def test_wheel_runs_in_any_folder(tmp_path):
    pytest.importorskip("hatchling")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, text=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = zipfile.ZipFile(wheel).namelist()
    for file in (
        "scenarios/two_hotels.yaml",
        "experiments/two_hotels_phase.yaml",
        "experiments/published/two_hotels_phase.csv",
        "report/templates/report.html",
        "web/static/index.html",
        "lessons/two_hotels.yaml",
        "i18n/en/cli.json",
        "i18n/zh/cli.json",
        "data/concepts.yaml",
        "py.typed",
        "cli/__init__.py",
    ):
        assert f"churnsim/{file}" in inside
    assert not [name for name in inside if name.startswith(("tests", "benchmarks", "sim/"))]
    assert not [name for name in inside if "experiments/" in name and not name.endswith((".yaml", ".csv"))]
    site, work = tmp_path / "site", tmp_path / "work"
    work.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        "import churnsim, sys\n"
        f"assert churnsim.__file__.startswith({str(site)!r}), churnsim.__file__\n"
        "from churnsim.cli import main\n"
        "sys.argv = ['churnsim', 'run', 'two_hotels', '--customers', '100', '--horizon', '6', '--seeds', '2']\n"
        "main()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(site), "CHURN_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=work, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "saved  results/two_hotels-" in done.stdout
    assert [path.name for path in Path(work).iterdir()] == ["results"]

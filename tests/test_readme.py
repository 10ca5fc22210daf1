"""Everything that the README and the guides show is executed as it stands, on smaller markets."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

import churnsim as cs
from churnsim.cli.app import app
from conftest import ROOT

GUIDES = ("README.md", "docs/cli.md", "docs/python.md", "docs/scenarios.md")
SMALL = {"customers.count": 200}


def blocks(guide: str, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    written = (ROOT / guide).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", written, flags=re.MULTILINE | re.DOTALL)


def commands(guide: str) -> list[list[str]]:
    """Return the words of every churnsim command that a guide shows."""
    lines = [line for block in blocks(guide, "console") for line in block.splitlines()]
    words = [shlex.split(line.removeprefix("$ ").replace(".venv/bin/", "")) for line in lines]
    return [line[1:] for line in words if line[0] == "churnsim"]


@pytest.fixture
def few_customers(monkeypatch, tmp_path):
    """Let ``cs.run`` take three seeds and few customers, in an empty folder."""
    run = cs.run

    def small(scenarios, seeds, **options):
        plans = [scenarios] if isinstance(scenarios, cs.Scenario) else list(scenarios)
        return run([plan.set(SMALL) for plan in plans], list(seeds)[:3], **options)

    monkeypatch.setattr(cs, "run", small)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("guide", ["README.md", "docs/python.md"])
def test_python_runs_as_shown(guide, few_customers, monkeypatch):
    registry = dict(cs.STRATEGIES)
    monkeypatch.setattr("churnsim.strategies.base.REGISTRY", registry)
    found = blocks(guide, "python")
    assert found
    names: dict[str, object] = {"__name__": "guide"}
    for block in found:
        exec(compile(block, guide, "exec", dont_inherit=True), names)


def test_readme_example_is_short():
    (example,) = blocks("README.md", "python")
    assert len([line for line in example.splitlines() if line]) <= 10


@pytest.mark.parametrize("guide", GUIDES)
def test_commands_run_as_shown(guide, cli):
    for words in commands(guide):
        if words[0] == "play":
            continue  # it serves pages until it is stopped
        small = ["--set", "customers.count=100", "--no-plots"] if words[0] == "run" and "--from" not in words else []
        if "--seeds" in words:
            words[words.index("--seeds") + 1] = "2"
        elif small:
            small += ["--seeds", "2"]
        if words[0] == "verify":
            words = ["check", words[1]]  # claims are about many seeds and the full market
        assert cli(*words, *small).code == 0, words


PAGES = ("README.md", *sorted(str(file.relative_to(ROOT)) for file in (ROOT / "docs").rglob("*.md")))


@pytest.mark.parametrize("guide", PAGES)
def test_every_command_that_a_page_names_exists(guide):
    written = (ROOT / guide).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^\$ |^ {4}|^)churnsim ([a-z]+)", written, flags=re.MULTILINE))
    assert named <= set(typer.main.get_command(app).commands)


def test_scenario_files_are_fine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = blocks("docs/scenarios.md", "yaml")
    assert found
    for block in found:
        name = re.match(r"# (\w+\.yaml)\n", block)[1]
        Path(name).write_text(block, encoding="utf-8")
        plan = cs.load(name)
        for arm in plan.arm_names:
            plan.arm(arm)


@pytest.mark.parametrize("guide", GUIDES)
def test_links_lead_somewhere(guide):
    written = (ROOT / guide).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", written):
        assert ((ROOT / guide).parent / target).exists(), target


def test_every_measure_in_the_guides_exists():
    written = (ROOT / "docs/scenarios.md").read_text(encoding="utf-8")
    used = {name for name in re.findall(r"\b(\w+)\.(?:eton|nanyuan)(?:\[\w+\])?@", written)}
    assert used - {"rival_price"} <= set(cs.MEASURES)

"""The guide to experiments and the published studies: everything that is shown is read and run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess

import pytest

from churnsim.studies.checks import checked_plan
from churnsim.studies.library import study_folder, study_names
from churnsim.studies.study import load_study
from conftest import ROOT

GUIDE = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
OURS = tuple(name for name in study_names() if not name.startswith(("tournament", "optimise")))
"""Studies that `churnsim sweep` takes."""


def blocks(language: str) -> list[str]:
    """Fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.MULTILINE | re.DOTALL)


def test_the_study_file_is_fine(write):
    first, stopping = blocks("yaml")
    study = load_study(write(first, "cut_and_care.yaml"))
    assert len(checked_plan(study)) == 2 * 3 * 2 * 4
    sequential = load_study(write(first.replace("replications: 4\n", stopping), "sequential.yaml"))
    assert sequential.replications.is_sequential and sequential.replications.min == 30


def test_python_runs_as_shown(tmp_path, monkeypatch):
    pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "guide"}
    for block in blocks("python"):
        exec(compile(block, "docs/experiments.md", "exec", dont_inherit=True), names)


def test_commands_exist(cli):
    for block in blocks("sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["churnsim"]:
                command = words[1:3] if words[1] == "results" else words[1:2]
                shown = cli(*command, "--help").out
                for option in (word for word in words if word.startswith("--")):
                    assert option in shown, line


@pytest.mark.skipif(os.name != "posix", reason="needs bash")
def test_job_scripts_are_bash():
    for block in blocks("sh"):
        subprocess.run(["bash", "-n"], input=block, text=True, check=True, capture_output=True)


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", GUIDE):
        assert (ROOT / "docs" / target).exists(), target


@pytest.mark.parametrize("name", OURS)
def test_published_studies_are_fine(name):
    assert len(checked_plan(load_study(name))) > 300


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
def test_published_studies_can_be_run_from_any_folder(name, cli):
    dry = cli("sweep", name, "--dry-run", "--jobs", 1, "--json", "-q")
    assert dry.code == 0 and dry.json["runs"] > 300
    assert (study_folder() / f"{name}.yaml").is_file()


@pytest.mark.parametrize(
    ("name", "command"), [("tournament_two_hotels", "tournament"), ("optimise_nanyuan", "optimise")]
)
def test_files_of_other_commands_say_so(name, command, cli):
    answer = cli("sweep", name)
    assert answer.code == 2
    assert f"churnsim {command} {name}" in answer.err
    assert "the study has 1 problem" in answer.err

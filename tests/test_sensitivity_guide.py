"""The guide to sensitivity does what it says."""

from __future__ import annotations

import re

from conftest import ROOT

GUIDE = ROOT / "docs" / "sensitivity.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_guides_example_gives_what_it_says(cli, tmp_path, capsys):
    text = GUIDE.read_text(encoding="utf-8")
    (tmp_path / "ishigami.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    (words,) = re.findall(r"\$ churnsim (sensitivity .*)", text)
    said = cli(*words.split(), "--json").json
    exact = re.findall(r"^\| (x\d|idle) \| ([\d.]+) \| ([\d.]+) \|$", text, re.MULTILINE)
    assert len(exact) == 4
    for name, first, total in exact:
        found = said["factors"][name]
        for index, truth in (("S1", float(first)), ("ST", float(total))):
            assert found[f"{index}_low"] - 0.01 <= truth <= found[f"{index}_high"] + 0.01
    assert said["noise_share_low"] <= 0.20 <= said["noise_share_high"]
    assert said["factors"]["idle"]["ST"] == 0 and said["factors"]["idle"]["inert"]
    (python,) = blocks("python")
    exec(compile(python, str(GUIDE), "exec"), {})
    assert "is luck" in capsys.readouterr().out


def test_every_option_that_the_guide_names_exists(cli):
    text = re.sub(r"<!--.*?-->|`python -m [^`]*`", "", GUIDE.read_text(encoding="utf-8"))  # other commands have others
    known = cli("sensitivity", "--help").out + cli("compare", "--help").out
    options = set(re.findall(r"--[a-z]+", text))
    assert options and {option for option in options if option not in known} == set()

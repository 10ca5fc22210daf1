"""Sources in Chinese: whatever is no name, no year and no formula is told in the reader's language."""

from __future__ import annotations

import re

import pytest

import churnsim as cs

pytest.importorskip("starlette", reason="the web extra is not installed")

from churnsim.web.catalogue import about, levers
from churnsim.web.provenance import source_told

LATIN = re.compile(r"[a-z]{3,}")
KEPT = {"two_hotels", "complaint_table", "zeta", "psi", "exp", "van", "den", "docs"}
"""Small letters of names of people, files, scenarios and symbols."""


def test_no_english_words_are_left_of_a_parameters_source():
    sources = [lever["source"] for lever in levers(cs.load("two_hotels")) if lever["source"]]
    assert len(sources) > 80
    left = {}
    for told in sources:
        small = re.sub(r"\w*[A-Z]\w*|\w+\.md|\w*[0-9]\w*", "", re.sub(r"et al\.", "", told["zh"]))
        words = {word for word in re.findall(r"[^\W\d]+", small) if LATIN.fullmatch(word)} - KEPT
        if words:
            left[told["en"]] = words
    assert left == {}


@pytest.mark.parametrize(
    ("source", "zh"),
    [
        ("Rao & Monroe 1989, recalled", "Rao & Monroe 1989，凭记忆引用"),
        ("course S102: niche clubs", "课程 S102：细分俱乐部"),
        ("Boulding et al. 1993 (sign); size assumed", "Boulding et al. 1993（符号）；数值为我们的假设"),
    ],
)  # fmt: skip
def test_citations_stay_as_published(source, zh):
    assert source_told(source) == {"en": source, "zh": zh}


def test_sources_of_a_scenario_are_those_of_its_file(write):
    plan = cs.load(write("extends: two_hotels\nsources: [Keaveney 1995, {en: 'Assumed: all', zh: 假设：全部}]\n"))
    assert about("mine", plan)["sources"] == [
        {"en": "Keaveney 1995", "zh": "Keaveney 1995"},
        {"en": "Assumed: all", "zh": "假设：全部"},
    ]

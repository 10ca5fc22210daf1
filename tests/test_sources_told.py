"""Sources in Chinese: whatever is no name, no year and no formula is told in the reader's language."""

from __future__ import annotations

import re

import pytest

import churnsim as cs
from churnsim.config.loading import builtin_names
from churnsim.declarations import walk
from churnsim.i18n.sources import source_told

LATIN = re.compile(r"[a-z]{3,}")
KEPT = {"two_hotels", "complaint_table", "zeta", "psi", "exp", "van", "den", "docs"}
"""Small letters of names of people, files, scenarios and symbols."""


def test_no_english_words_are_left_of_a_parameters_source():
    """Of every parameter of every scenario; a source is what its declaration says."""
    sources = {
        about.source: path
        for name in builtin_names()
        for path, _, about in walk(cs.load(name))
        if about is not None and about.source
    }
    assert len(sources) > 150
    left = {}
    for source, path in sources.items():
        told = source_told(source, "zh")
        small = re.sub(r"\w*[A-Z]\w*|\w+\.md|\w*[0-9]\w*", "", re.sub(r"et al\.", "", told))
        words = {word for word in re.findall(r"[^\W\d]+", small) if LATIN.fullmatch(word)} - KEPT
        if words:
            left[path] = (source, words)
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
    assert (source_told(source, "en"), source_told(source, "zh")) == (source, zh)


def test_sources_of_a_scenario_are_those_of_its_file(write):
    pytest.importorskip("starlette", reason="the web extra is not installed")
    from churnsim.web.catalogue import about

    plan = cs.load(write("extends: two_hotels\nsources: [Keaveney 1995, {en: 'Assumed: all', zh: 假设：全部}]\n"))
    assert about("mine", plan)["sources"] == [
        {"en": "Keaveney 1995", "zh": "Keaveney 1995"},
        {"en": "Assumed: all", "zh": "假设：全部"},
    ]

"""The concepts of the course: all are there, all are embodied and checked, and no reference leads nowhere."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from churnsim.concepts import NOT_SIMULATED, PARTLY_SIMULATED, Concept, _concept, load_concepts
from churnsim.concepts_page import page
from churnsim.references import FINDERS, Reference
from churnsim.strategies import REGISTRY
from conftest import ROOT

CONCEPTS = load_concepts()
BY_ID = {concept.id: concept for concept in CONCEPTS}


def test_all_concepts_are_there_once_in_their_order():
    assert [concept.id for concept in CONCEPTS] == [f"S{n}" for n in range(1, 118)]


def test_sections_are_those_of_the_catalogue():
    last = {concept.section.id: concept.id for concept in CONCEPTS}
    assert list(last) == [f"1.{n}" for n in range(1, 9)]
    assert list(last.values()) == "S23 S38 S48 S66 S77 S90 S110 S117".split()
    for section in {concept.section for concept in CONCEPTS}:
        assert section.title.en and re.search(r"[\u4e00-\u9fff]", section.title.zh)


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.id)
def test_names_and_sentences_are_in_both_languages(concept):
    texts = [concept.name, concept.says, *([concept.reason] if concept.reason else [])]
    for text in texts:
        assert text.en and not re.search(r"[\u4e00-\u9fff]", text.en)
        assert re.search(r"[\u4e00-\u9fff]", text.zh)
    assert len({other.name.en for other in CONCEPTS}) == len({other.name.zh for other in CONCEPTS}) == len(CONCEPTS)


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.id)
def test_references_are_live(concept):
    assert [problem for reference in (*concept.embodied, *concept.checked) if (problem := reference.problem())] == []


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.id)
def test_every_concept_is_embodied_and_checked_or_says_why_not(concept):
    assert concept.problems() == []


def test_reasons_are_given_for_what_the_catalogue_leaves_out_and_nothing_else():
    assert {concept.id for concept in CONCEPTS if concept.reason} == NOT_SIMULATED | PARTLY_SIMULATED


def test_the_page_is_up_to_date():
    assert (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8") == page(), "run: make docs"


def test_links_of_the_page_lead_somewhere():
    targets = set(re.findall(r"\]\(([^)]+)\)", page()))
    assert targets
    for target in targets:
        assert (ROOT / "docs" / target).is_file(), target


def test_the_page_names_every_concept():
    rows = re.findall(r"^\| (S\d+) \|", page(), flags=re.MULTILINE)
    assert rows == [concept.id for concept in CONCEPTS]


# ------------------------------------------------------------------ references


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ("parameter:customers.attachment.growth", "sim/churnsim/config/customers.py"),
        ("parameter:customers.quality_value", "sim/churnsim/config/customers.py"),
        ("parameter:firms.*.contract.fee", "sim/churnsim/config/firms.py"),
        ("parameter:relationship_levels.*.cost", "sim/churnsim/config/firms.py"),
        ("mechanism:crowding", "sim/churnsim/config/mechanisms.py"),
        ("measure:churn", "sim/churnsim/metrics.py"),
        ("cause:price", "sim/churnsim/causes.py"),
        ("strategy:price_cut", "sim/churnsim/strategies/pricing.py"),
        ("lever:price", "sim/churnsim/strategies/base.py"),
        ("rule:churnsim.mechanisms.value.transaction_utility", "sim/churnsim/mechanisms/value.py"),
        ("function:churnsim.results.Result", "sim/churnsim/results/result.py"),
        ("function:churnsim.causes.CAUSES", "sim/churnsim/causes.py"),
        ("scenario:two_hotels", "scenarios/two_hotels.yaml"),
        ("arm:two_hotels.both_passive", "scenarios/two_hotels.yaml"),
        ("claim:two_hotels.T1", "scenarios/two_hotels.yaml"),
        ("test:tests/test_concepts.py::test_what_exists_is_found", "tests/test_concepts.py"),
        ("test:tests/test_strategies.py::TestContract::test_decide_is_pure", "tests/test_strategies.py"),
    ],
)
def test_what_exists_is_found(written, file):
    reference = Reference.read(written)
    assert str(reference) == written
    assert reference.problem() is None
    assert reference.file() == file
    assert (ROOT / file).is_file()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("parameter:customers.attachment.grow", "nothing is called 'grow' there; did you mean 'growth'?"),
        ("parameter:customers.attachment.growth.more", "nothing is called 'more' there"),
        ("parameter:firms.eton.price", "'eton' is a name of the user's choice; write '*'"),
        ("mechanism:crowdin", "there is no such switch; did you mean 'crowding'?"),
        ("measure:churns", "there is no such measure; did you mean 'churn'?"),
        ("cause:fate", "there is no such cause"),
        ("strategy:price_cuts", "there is no such strategy; did you mean 'price_cut'?"),
        ("lever:prize", "there is no such lever; did you mean 'price'?"),
        ("rule:churnsim.mechanisms.value.no_rule", "churnsim.mechanisms.value has no 'no_rule'"),
        ("rule:churnsim.mechanisms.involuntary.NATURAL", "it is not a function of churnsim.mechanisms"),
        ("rule:churnsim.causes.taxonomy", "it is not a function of churnsim.mechanisms"),
        ("function:churnsim.nowhere.thing", "there is no module churnsim.nowhere"),
        ("function:numpy.mean", "it must begin with 'churnsim.'"),
        ("scenario:three_hotels", "there is no such scenario; did you mean 'two_hotels'?"),
        ("arm:two_hotels.both_active", "there is no such arm; did you mean 'both_passive'?"),
        ("arm:three_hotels.both_active", "there is no such scenario"),
        ("claim:two_hotels.T0", "there is no such claim"),
        ("test:tests/test_nothing.py::test_x", "there is no such file"),
        ("test:tests/test_concepts.py::test_nothing", "there is no such test"),
    ],
)
def test_what_does_not_exist_is_named(written, said):
    reference = Reference.read(written)
    assert reference.file() is None
    assert reference.problem().startswith(f"{written}: {said}")


@pytest.mark.parametrize("written", ["churn", "measures:churn", "measure:", ""])
def test_what_is_no_reference_is_refused(written):
    with pytest.raises(ValueError, match="is no reference"):
        Reference.read(written)


def test_every_kind_is_tried_above():
    tried = {mark.split(":")[0] for mark, _ in test_what_exists_is_found.pytestmark[0].args[1]}
    assert tried == set(FINDERS)


def test_users_own_strategies_are_no_part_of_ours(monkeypatch):
    monkeypatch.setitem(REGISTRY, "my_own_way", type("Mine", (), {"__module__": "mine"}))
    assert "there is no such strategy" in Reference("strategy", "my_own_way").problem()


# ------------------------------------------------------------------ what is missing is said


def concept(**changes: object) -> Concept:
    """Return a concept that is complete, with changes."""
    return replace(BY_ID["S25"], embodied=(Reference("measure", "churn"),), planned=(), reason=None, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"checked": ()}, "nothing is checked"),
        ({"checked": (Reference("measure", "churn"),)}, "measure:churn: a measure does not stand under 'checked'"),
        ({"checked": (Reference("claim", "two_hotels.T0"),)}, "claim:two_hotels.T0: there is no such claim"),
        ({"id": "S64"}, "no reason why it is not simulated"),
    ],
)
def test_a_problem_is_said(changes, said):
    (problem,) = concept(**changes).problems()
    assert problem.startswith(f"{changes.get('id', 'S25')} ")
    assert said in problem


def test_a_complete_concept_has_no_problem():
    assert concept().problems() == []


def test_plans_are_not_enough():
    planned = (Reference("mechanism", "telepathy"), Reference("measure", "churn"))
    missing, there = replace(concept(), planned=planned).problems()
    assert missing.endswith("mechanism:telepathy: planned")
    assert "measure:churn: planned, and exists by now" in there


def test_an_excuse_is_not_enough():
    excused = replace(concept(), checked=(), reason=BY_ID["S64"].reason)
    assert len(excused.problems()) == 2


def test_an_unknown_key_is_refused():
    with pytest.raises(ValueError, match="S1: unknown tested"):
        _concept("S1", BY_ID["S1"].section, {"tested": []})


# ------------------------------------------------------------------ the command


def test_the_command_lists_them_all(cli):
    found = cli("concepts", "--json").json
    assert [row["id"] for row in found["concepts"]] == list(BY_ID)
    assert found["of"] == len(CONCEPTS)
    assert found["complete"] == sum(row["complete"] for row in found["concepts"])
    hotels = found["concepts"][110]
    assert hotels["name"] == "The two hotels" and "scenario:two_hotels" in hotels["embodied"]
    told = cli("concepts").out
    assert "Attachment" in told and "mechanism:attachment" in told
    assert told.count("not simulated: ") == len(NOT_SIMULATED) and told.count("in part only: ") == len(PARTLY_SIMULATED)


def test_the_command_speaks_chinese(cli):
    assert cli("concepts", "--json", "--lang", "zh").json["concepts"][40]["name"] == "心理依附"
    assert "心理依附" in cli("concepts", "--lang", "zh").out

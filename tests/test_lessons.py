"""Lessons: every one is whole, in both languages, and shows what it says."""

from __future__ import annotations

import re

import numpy as np
import pytest
from rich.cells import cell_len

from churnsim.causes import CAUSE_NAMES
from churnsim.concepts import load_concepts
from churnsim.config.errors import ScenarioError
from churnsim.config.firms import Text
from churnsim.config.paths import read
from churnsim.dealing_measures import PER_FIRM
from churnsim.expressions import read_expression
from churnsim.lessons import check, chosen, compared, lesson_ids, load_lesson, written
from churnsim.lessons.checked import checked
from churnsim.lessons.checking import runs

IDS = lesson_ids()
CHINESE = re.compile(r"[\u4e00-\u9fff]")
QUICK = {"churn_rate": 6, "what_holds": 3}
"""Lessons that are run here over a few seeds; all of them, over 200, by the slow test."""


def texts(record, at=""):
    """Every text in both languages, with its place."""
    if type(record).__name__ == "Text":
        yield at, record
    elif hasattr(type(record), "model_fields"):
        for name in type(record).model_fields:
            yield from texts(getattr(record, name), f"{at}.{name}")
    elif isinstance(record, dict):
        for key, value in record.items():
            yield from texts(value, f"{at}.{key}")
    elif isinstance(record, (tuple, list)):
        for place, value in enumerate(record):
            yield from texts(value, f"{at}[{place}]")


def test_there_are_fourteen_in_the_order_of_the_course():
    assert [load_lesson(name).number for name in IDS] == list(range(1, 15))
    assert load_lesson("3").id == "two_hotels"


@pytest.mark.parametrize("name", IDS)
def test_both_languages_are_complete(name):
    lesson = load_lesson(name)
    found = dict(texts(lesson))
    assert len(found) >= 15
    for place, words in found.items():
        assert CHINESE.search(words.zh), f"{place}: no Chinese in {words.zh!r}"
        assert not CHINESE.search(words.en), f"{place}: Chinese in {words.en!r}"
        # Chinese sentences have Chinese punctuation.
        assert not re.search(r"[\u4e00-\u9fff][,;:?!]", words.zh), f"{place}: {words.zh!r}"
    assert len(lesson.explanation.en) > 200


def test_chinese_has_no_spaces_where_lines_were_folded():
    assert load_lesson("two_hotels").explanation.zh.count(" ") == 0
    assert Text(en="a b", zh="一，二。 三 b").zh == "一，二。三 b"


@pytest.mark.parametrize("name", IDS)
def test_what_is_told_of_a_check_belongs_to_the_lesson(name):
    """After a change of the lesson or its scenarios: ``python -m churnsim.lessons.checked LESSON``."""
    found = checked(load_lesson(name))
    assert found is not None, "the lesson was changed since its last check over 200 seeds"
    assert found.seeds == 200 and found.hold == found.claims and found.right >= 0.9


def test_a_changed_lesson_has_not_been_checked():
    lesson = load_lesson(IDS[0])
    assert checked(lesson) is not None
    assert checked(lesson.model_copy(update={"title": Text(en="Another", zh="另一课")})) is None


@pytest.mark.parametrize("name", IDS)
def test_a_lesson_fits_its_scenarios(name):
    lesson = load_lesson(name)
    known = {concept.id for concept in load_concepts()}
    assert set(lesson.concepts) <= known
    for experiment in lesson.experiments:
        plan = experiment.plan
        assert set(experiment.show) <= set(plan.arm_names)
        assert all(1 <= tick <= plan.horizon for tick in experiment.stops)
        assert experiment.chart.measure in PER_FIRM
        assert set(experiment.chart.firms) <= set(plan.firms)
        for path in experiment.controls:
            read(plan, path)
        for row in experiment.table:
            assert not read_expression(row.value).is_statement
        assert all(term.cause in (None, *CAUSE_NAMES) for row in experiment.table
                   for term in read_expression(row.value).terms.values())  # fmt: skip
    for option in lesson.prediction.options:
        assert read_expression(option.holds).is_statement


@pytest.mark.parametrize("name", IDS)
def test_every_claim_of_a_lesson_can_fail(name):
    """What is only reported is none of them, so that a lesson lists as many claims as its card counts."""
    lesson = load_lesson(name)
    claims = [claim for experiment in lesson.experiments for claim in experiment.plan.claims]
    assert [claim.id for claim in claims if claim.is_only_reported] == []
    assert len(claims) == checked(lesson).claims


@pytest.mark.parametrize("name", IDS)
def test_every_answer_can_be_checked_in_the_table(name):
    """What an answer compares has a row: the same measure of the same firm in the same arm."""
    lesson = load_lesson(name)

    def compared_in(expressions):
        return {
            (term.measure, term.cause, term.firm, term.arm)
            for expression in expressions
            for term in read_expression(expression).terms.values()
        }

    rows = compared_in(row.value for row in lesson.main.table)
    assert compared_in(option.holds for option in lesson.prediction.options) - rows == set()


@pytest.mark.parametrize("name", IDS)
def test_the_chart_of_a_lesson_is_not_the_one_that_stands_beside_it(name):
    """Beside the lesson's own chart the laboratory draws cumulative profit (`PREFERRED` in static/js/stage.js)."""
    assert load_lesson(name).main.chart.measure != "cumulative_profit"


@pytest.mark.parametrize("name", QUICK)
def test_claims_hold_on_a_few_seeds(name):
    verdicts = check(load_lesson(name), range(1, QUICK[name] + 1), progress=False)
    assert verdicts[0]["id"] == "prediction"
    assert [verdict["id"] for verdict in verdicts if not verdict["holds"]] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", IDS)
def test_claims_hold_over_200_seeds(name):
    verdicts = check(load_lesson(name), progress=False)
    assert [verdict["id"] for verdict in verdicts if not verdict["holds"]] == []


def test_the_comparison_is_what_the_table_says():
    lesson = load_lesson("churn_rate")
    result = runs(lesson, lesson.main, range(1, 5), progress=False)
    rows = compared(lesson.main, result)
    ticks = result.ticks
    left = ticks[(ticks["scenario"] == "case") & (ticks["tick"] == 36)]["customers"]
    assert rows[1]["mean"] == pytest.approx(left.mean())
    assert (rows[1]["low"], rows[1]["high"]) == pytest.approx(tuple(np.percentile(left, (5, 95))))
    assert chosen(lesson, result) == {"none": 0.0, "some": 1.0, "third": 0.0, "half": 0.0}


def test_a_wrong_answer_fails_the_check():
    lesson = load_lesson("churn_rate")
    wrong = lesson.model_copy(update={"prediction": lesson.prediction.model_copy(update={"answer": "half"})})
    verdicts = {verdict["id"]: verdict for verdict in check(wrong, range(1, 4), progress=False)}
    assert not verdicts["prediction"]["holds"]
    assert verdicts["prediction"]["fraction"] == 0
    assert verdicts["closed_form"]["holds"]


def test_faulty_files_are_told_with_their_place(write):
    path = write("number: 1\ntitle: {en: A, zh: 甲}\nconcept: []\n", "mine.yaml")
    with pytest.raises(ScenarioError) as caught:
        load_lesson(path)
    said = str(caught.value)
    assert "mine.yaml:3:1" in said and "concept" in said and "'question' is missing" in said
    with pytest.raises(ScenarioError, match="two_hotels"):
        load_lesson("twohotels")
    with pytest.raises(ScenarioError, match="no claim 'T99'"):
        experiment = load_lesson("two_hotels").main.model_copy(update={"claims": ("T99",)})
        _ = experiment.plan


def test_values_are_written():
    space = "\N{NO-BREAK SPACE}"
    assert written(0.031, "percent") == f"3.1{space}%"
    assert written(0.31, "percent") == f"31{space}%"
    assert written(0.0034, "points") == "0.34 points"
    assert written(0.0034, "points", lang="zh") == "0.34 个百分点"
    assert written(310_000, "money", "CNY", "zh") == f"¥31.0{space}万"
    assert written(12.4, "number") == "12" and written(2.44, "number") == "2.4"


def test_command_lists_shows_and_checks(cli):
    listed = cli("lesson")
    assert listed.code == 0 and all(name in listed.out for name in IDS)
    shown = cli("lesson", "churn_rate", "--seeds", 3)
    assert shown.code == 0
    for words in ("Predict first", "How many of the 1 000 are left", "Right in 100", "Say"):
        assert words in shown.out
    chinese = cli("lesson", 1, "--seeds", 2, "--lang", "zh")
    assert "先预测" in chinese.out and "Predict" not in chinese.out
    checked = cli("lesson", "churn_rate", "--check", "--seeds", 3, "--json")
    assert checked.code == 0
    (answer,) = checked.json["lessons"]
    assert answer["id"] == "churn_rate"
    assert {"id", "text", "holds", "fraction", "needed", "value", "low", "high"} <= set(answer["claims"][0])


def test_command_fails_where_a_claim_does(cli, monkeypatch):
    monkeypatch.setattr("churnsim.lessons.check", lambda *_, **__: [
        {"id": "x", "text": "x", "holds": False, "fraction": 0.1, "needed": 0.9, "value": None, "low": None,
         "high": None}
    ])  # fmt: skip
    failed = cli("lesson", "churn_rate", "--check", "--seeds", 2)
    assert failed.code == 1 and "FAILS" in failed.out


def test_command_names_the_nearest_lesson(cli):
    wrong = cli("lesson", "twohotels")
    assert wrong.code == 2 and "Did you mean two_hotels?" in wrong.err


def test_chinese_lessons_are_broken_and_aligned_as_chinese_is(cli, monkeypatch):
    """No line begins with a closing mark, none is too long, and numbers stand below each other by width in cells."""
    done = {}

    def once(lesson, experiment, seeds, **_):
        key = lesson.id, lesson.experiments.index(experiment)
        return done[key] if key in done else done.setdefault(key, runs(lesson, experiment, seeds))

    monkeypatch.setattr("churnsim.lessons.checking.runs", once)
    for width in (60, 80, 100):
        monkeypatch.setenv("COLUMNS", str(width))
        said = cli("lesson", "all", "--seeds", 1, "--lang", "zh").out
        lines = said.splitlines()
        assert [line for line in lines if re.match(r" *[，。；：、！？）》」』】”’%]", line)] == []
        assert [line for line in lines if cell_len(line) > width] == []
        tables = re.findall(r"^  对比：.*?\n((?:  .*\n)+)", said, re.MULTILINE)
        assert len(tables) == sum(len(load_lesson(name).experiments) for name in IDS)
        for rows in tables:
            columns = {cell_len(row[: row.rindex("  ")]) for row in rows.splitlines() if re.search(r"\S  +\S", row)}
            assert len(columns) == 1, rows

"""Workbooks that visitors open: what a report wrote becomes plans again; anything else is refused in one sentence."""

from __future__ import annotations

import io
import re
import warnings
import zipfile

import pytest

import churnsim as cs

pytest.importorskip("starlette", reason="the web extra is not installed")
pytest.importorskip("openpyxl", reason="the office extra is not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

import openpyxl

from churnsim.concepts import load_concepts
from churnsim.lessons import lesson_ids, load_lesson
from churnsim.report.excel import SCENARIOS_SHEET
from churnsim.web.app import Laboratory, application
from churnsim.web.glossary import glossary
from churnsim.web.guards import WORKBOOK, WORKBOOK_KIND
from churnsim.web.limits import Limits
from churnsim.web.reporting import Kept, report_of

HOME = "http://127.0.0.1"
KIND = {"content-type": WORKBOOK_KIND}
SMALL = {"customers.count": 120, "burn_in": 3, "horizon": 10}


@pytest.fixture(scope="module")
def plans():
    case = cs.load("two_hotels").set(SMALL)
    return [case, case.arm("both_passive")]


@pytest.fixture(scope="module")
def book(plans) -> bytes:
    """The workbook of a report on two plans, as Compare writes it."""
    return report_of(plans, [1, 2], None, "xlsx", "zh", Kept(10**8))


def edited(book: bytes, change) -> bytes:
    """Return a workbook after somebody has worked on it."""
    found = openpyxl.load_workbook(io.BytesIO(book))
    change(found)
    out = io.BytesIO()
    found.save(out)
    return out.getvalue()


def with_value(book: bytes, column: str, path: str, value) -> bytes:
    def change(found):
        sheet = found.worksheets[3]
        place = next(cell.column for cell in sheet[2] if cell.value == column)
        row = next(row for row in range(3, sheet.max_row + 1) if sheet.cell(row, 1).value == path)
        sheet.cell(row, place).value = value

    return edited(book, change)


@pytest.fixture
def lab():
    return Laboratory(limits=Limits(rate=1e6, burst=1e6, workbooks=2))


@pytest.fixture
def client(lab):
    with TestClient(application(lab), base_url=HOME, raise_server_exceptions=False) as one:
        yield one


def sent(client, content: bytes, lang: str = "en", kind: str = WORKBOOK_KIND):
    return client.post(f"{WORKBOOK}?lang={lang}", content=content, headers={"content-type": kind})


def test_a_report_that_nobody_changed_is_what_was_compared(client, lab, book, plans):
    said = sent(client, book).json()
    assert [plan["changed"] for plan in said["plans"]] == [0, 0] and said["first"] == 1
    assert [lab.catalogue.scenario(plan["id"]).key for plan in said["plans"]] == [plan.key for plan in plans]
    assert said["plans"][1]["title"]["zh"] == plans[1].title.zh
    assert client.get(f"{WORKBOOK}/{said['book']}").json()["plans"] == said["plans"]


def test_a_changed_value_is_run(client, lab, book, plans):
    changed = with_value(book, "two_hotels", "firms.nanyuan.price", 250)
    said = sent(client, changed).json()
    assert [plan["changed"] for plan in said["plans"]] == [1, 0] and said["first"] == 0
    mine = said["plans"][0]["id"]
    assert lab.catalogue.scenario(mine).key == plans[0].set({"firms.nanyuan.price": 250}).key
    about = client.get(f"/api/scenario/{mine}").json()
    assert about["id"] == mine and about["customers"] == 120
    asked = {"plans": [{"scenario": plan["id"]} for plan in said["plans"]], "seeds": 2}
    outcome = client.post("/api/compare", json=asked).text.splitlines()[-1]
    assert '"k":"outcome"' in outcome
    run = client.post("/api/run", json={"scenario": mine, "seed": 1}).text.splitlines()
    assert len(run) == 12


def test_only_so_many_are_kept_and_the_latest_are(client, book):
    asked = [sent(client, with_value(book, "two_hotels", "firms.nanyuan.price", 250 + k)).json() for k in range(3)]
    oldest = client.get(f"{WORKBOOK}/{asked[0]['book']}")
    assert oldest.status_code == 404 and oldest.json()["error"] == "no_workbook"
    assert client.post("/api/run", json={"scenario": asked[0]["plans"][0]["id"]}).json()["error"] == "no_workbook"
    for one in asked[1:]:
        assert client.get(f"{WORKBOOK}/{one['book']}").status_code == 200


@pytest.mark.parametrize("name", ["book:", "book:x", "book:../x:0", "book:0123:-1", "book:0123:9", "book:0123:²"])
def test_a_name_that_is_no_columns_is_refused(client, name):
    answer = client.post("/api/run", json={"scenario": name})
    assert answer.status_code == 404 and answer.json()["error"] == "no_workbook"


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as found:
        for name, content in parts.items():
            found.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return out.getvalue()


def repacked(book: bytes, name: str, content: bytes) -> bytes:
    """Return a workbook with one of its parts replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, content if entry == name else old.read(entry))
    return out.getvalue()


def plain() -> bytes:
    """A workbook that is no report's."""
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


def damage(book: bytes, kind: str) -> bytes:
    return {
        "text": b"hello",
        "empty": b"",
        "archive": zipped(readme_dot_txt=b"hello"),
        "cut": book[: len(book) // 2],
        "other": plain(),
        "broken": repacked(book, "xl/workbook.xml", b"<workbook><sheets>"),
        "no cells": repacked(book, "xl/worksheets/sheet4.xml", b"hello"),
    }[kind]


@pytest.mark.parametrize("kind", ["text", "empty", "archive", "cut", "other", "broken", "no cells"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_no_reports_workbook_is_refused_in_one_sentence(client, lab, book, kind, lang):
    answer = sent(client, damage(book, kind), lang)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"] == "bad_workbook" and answer.json()["problems"] == []
    assert ("工作簿" in answer.json()["message"]) == (lang == "zh")


def test_a_file_that_is_too_large_is_refused(client, lab):
    answer = sent(client, b"x" * (lab.limits.workbook + 1), "zh")
    assert answer.status_code == 413 and answer.json()["error"] == "workbook_large"
    assert f"{lab.limits.workbook / 1e6:g} MB" in answer.json()["message"] and "工作簿" in answer.json()["message"]


def test_what_grows_when_it_is_unpacked_is_refused_before_it_is(client, lab, book):
    bomb = repacked(book, "xl/worksheets/sheet2.xml", b" " * (lab.limits.workbook * 21))
    assert len(bomb) < lab.limits.workbook
    answer = sent(client, bomb)
    assert answer.status_code == 413 and answer.json()["error"] == "workbook_large"
    many = zipped(**{f"part{k}": b"" for k in range(300)})
    assert sent(client, many).status_code == 413


def test_a_sheet_that_reaches_far_down_is_refused(client, book):
    far = edited(book, lambda found: found.worksheets[3].cell(1_048_576, 1, "x"))
    answer = sent(client, far)
    assert answer.status_code == 413 and answer.json()["error"] == "workbook_large"


def test_values_that_no_scenario_takes_are_named(client, book):
    answer = sent(client, with_value(book, "two_hotels", "firms.nanyuan.price", -5), "zh")
    assert answer.status_code == 422 and answer.json()["error"] == "problems"
    (problem,) = answer.json()["problems"]
    assert problem["path"] == "firms.nanyuan.price" and re.search("[\u4e00-\u9fff]", problem["message"])


def test_a_market_too_large_for_the_page_is_refused(client, book):
    answer = sent(client, with_value(book, "two_hotels", "customers.count", 10_000_000))
    assert answer.status_code == 422 and answer.json()["error"] == "customers"


def test_no_workbook_makes_the_server_read_its_own_files(client, book, tmp_path):
    (tmp_path / "secret.yaml").write_text(cs.load("two_hotels").to_yaml(), encoding="utf-8")

    def change(found):
        found[SCENARIOS_SHEET].cell(1, 2).value = f"extends: {tmp_path}/secret.yaml\nid: mine\n"
        for column in range(3, found[SCENARIOS_SHEET].max_column + 1):
            found[SCENARIOS_SHEET].cell(1, column).value = None

    answer = sent(client, edited(book, change))
    assert answer.status_code == 422 and answer.json()["error"] == "bad_workbook"
    assert "secret" not in answer.text


def test_files_have_one_address_and_one_kind(client, book):
    assert sent(client, book, kind="application/json").status_code == 415
    assert sent(client, book, kind="text/plain").json()["error"] == "bad_workbook"
    assert client.post("/api/run", content=book, headers=KIND).status_code == 415
    other = {**KIND, "sec-fetch-site": "cross-site"}
    assert client.post(WORKBOOK, content=book, headers=other).status_code == 403
    assert (
        client.post("/api/run", content=b"x" * 70_000, headers={"content-type": "application/json"}).status_code == 413
    )


# ---------------------------------------------------------------------- concepts


def test_every_concept_is_told_in_both_languages():
    found = glossary()
    assert [one["id"] for one in found] == [concept.id for concept in load_concepts()]
    for one in found:
        for told in (one["name"], one["says"], one["section"]["title"], *(part["label"] for part in one["shown"])):
            assert set(told) == {"en", "zh"} and all(told.values())
            assert not re.search(r"\w_\w|\w\.\w+\.\w", told["en"] + told["zh"]), told


def test_lessons_and_concepts_name_each_other(client):
    found = {one["id"]: one for one in client.get("/api/concepts").json()}
    for lesson in map(load_lesson, lesson_ids()):
        assert lesson.concepts
        for concept in lesson.concepts:
            assert lesson.id in found[concept]["lessons"]
    causes = {reference for one in found.values() for reference in one["of"] if reference.startswith("cause:")}
    assert {"cause:price", "cause:rival_price", "cause:natural"} <= causes


def test_what_embodies_a_concept_goes_by_the_name_that_the_pages_give_it():
    shown = {f"{part['kind']}:{part['name']}": part["label"]["en"] for one in glossary() for part in one["shown"]}
    assert shown["cause:price"] == "Own price" and shown["lever:price"] == "List price"
    assert shown["parameter:customers.switching_cost"] == "Switching cost"
    assert shown["scenario:reminders"] == cs.load("reminders").title.en

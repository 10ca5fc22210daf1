"""Compare as a visitor sees it: words, table, reports."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette", reason="the web extra is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from web_visits import SET, address, browser, ready, studies, visit
from web_visits import pytestmark as pytestmark

__all__ = ["address", "browser", "studies", "visit"]


def compared(page, seeds: str = "10"):
    """Run the plans that are ticked."""
    page.wait_for_selector(".plan.on")
    page.locator(".toolbar label select").first.select_option(seeds)
    page.click("button.primary")
    page.wait_for_selector(".ribbon-table", timeout=60_000)


@pytest.mark.slow
def test_a_comparison_and_its_reports(visit, tmp_path):
    page = visit(f"#p=compare&s=two_hotels&{SET}&plans=case,both_passive&lang=en")
    compared(page)
    assert page.locator(".words p").count() == 3
    assert page.inner_text(".words p >> nth=0").startswith("Nanyuan earns most in")
    assert page.input_value(".about-whom select >> nth=0") == "0"  # Nanyuan, as for churnsim report
    page.select_option(".about-whom select >> nth=0", "1")
    assert page.inner_text(".words p >> nth=0").startswith("Eton earns most in")
    assert page.inner_text(".of-whom").startswith("Eton: ")
    assert page.locator("svg.figure").count() == 6
    assert "better in" in page.inner_text(".ribbon-table")
    for place, ending in enumerate(("html", "xlsx", "pptx")):
        with page.expect_download(timeout=60_000) as download:
            page.locator(".downloads button").nth(place).click()
        assert download.value.suggested_filename == f"two_hotels-report.{ending}"
        download.value.save_as(tmp_path / f"report.{ending}")
        assert (tmp_path / f"report.{ending}").stat().st_size > 20_000
    report = visit((tmp_path / "report.html").as_uri())
    report.wait_for_selector("figure svg")
    assert "Nobody does anything" in report.inner_text("body")


FRAME = "document.querySelector('.ribbons')"
WIDER = f"{FRAME}.scrollWidth > {FRAME}.clientWidth + 1"
MANY = "nanyuan_passive,case,both_passive,eton_restores,no_crowding,no_attachment"


@pytest.mark.slow
def test_many_plans_are_said_in_order_and_a_table_with_no_room_scrolls_in_its_own_frame(visit):
    page = visit(f"#p=compare&s=two_hotels&{SET}&plans={MANY}&lang=en")
    compared(page)
    # First where the firm earns most, then its own comparisons; the other firm's are folded.
    assert page.locator(".words p:visible").count() == 5
    assert all(
        "Nanyuan earns" in said or "for Nanyuan" in said for said in page.locator(".words p:visible").all_inner_texts()
    )
    page.click(".words summary")
    assert page.locator(".words p:visible").count() == 11
    assert not page.evaluate(WIDER) and not page.locator("text=scroll it sideways").is_visible()
    page.set_viewport_size({"width": 900, "height": 900})
    page.wait_for_selector("text=scroll it sideways")
    assert page.evaluate(WIDER) and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    whose = "document.querySelector('.ribbons tbody .who').getBoundingClientRect().left"
    before = page.evaluate(whose)
    page.evaluate(f"{FRAME}.scrollLeft = 9999")
    assert page.evaluate(f"{FRAME}.scrollLeft > 0 && {whose} === {before}")  # what a row is of stays in sight


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lang", "case", "none", "every"),
    [
        ("en", "Eton cuts and Nanyuan invests", "better in none of 10", "better in all 10"),
        ("zh", "伊顿降价，南苑投资关系", "10 个中没有一个更好", "10 个全都更好"),
    ],
)
def test_five_long_plans_fit_a_laptop_and_are_told_in_natural_words(visit, lang, case, none, every):
    page = visit(f"#p=compare&s=two_hotels&{SET}&plans={MANY.rpartition(',')[0]}&lang={lang}")
    page.set_viewport_size({"width": 1280, "height": 800})
    compared(page)
    assert not page.evaluate(WIDER) and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    table = page.inner_text(".ribbon-table")
    assert case in table and none in table and every in table
    body = page.inner_text("body")
    assert "中有 0 个" not in body and "in 0 of" not in body and "有 10 个" not in body and "in 10 of 10" not in body


@pytest.mark.slow
@pytest.mark.parametrize(("lang", "share", "profit"), [("en", "Market share", "rofit"), ("zh", "市场占有率", "利润")])
def test_money_that_nobody_knows_is_neither_played_nor_compared(visit, lang, share, profit):
    page = visit(f"#p=play&s=panel&t=30&lang={lang}")
    ready(page)
    for text in (page.inner_text("table.kpis"), *page.locator(".title-choice").all_inner_texts()):
        assert profit not in text and "¥" not in text
    page.click("button.stop")
    page.wait_for_selector("dialog .hint")
    page.wait_for_selector("dialog li, dialog p:not(.hint)")
    assert profit not in page.inner_text("dialog")
    page = visit(f"#p=compare&s=panel&lang={lang}")
    compared(page)
    results = page.inner_text(".results")
    assert share in page.inner_text(".words") and profit not in results and "¥" not in results
    assert page.locator("svg.figure").count() == 4  # the share of each brand, and causes

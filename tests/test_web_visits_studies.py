"""The page Sweeps as a visitor sees it: maps, lines, and a sweep that is started there."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette", reason="the web extra is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from web_visits import address, browser, studies, until, visit
from web_visits import pytestmark as pytestmark

__all__ = ["address", "browser", "studies", "visit"]


def test_map_and_lines_are_of_the_variant_that_is_chosen(visit):
    page = visit("#p=sweeps&study=arms.csv&lang=en")
    page.wait_for_selector(".map .cell")
    assert "factors: 2" in page.inner_text(".results") and "variants: 2" in page.inner_text(".results")
    variant = ".toolbar label:has(span:text-is('Variant')) select"
    assert page.locator(f"{variant} option").all_inner_texts() == ["eton passive", "eton cuts", "All variants together"]

    def cells() -> list[str]:
        return sorted(page.locator(".map .cell text").evaluate_all("(all) => all.map((one) => one.textContent)"))

    def told() -> str:
        return page.inner_text(".words") + "".join(page.locator(".pair .hint").all_inner_texts())

    percents = [
        [f"{value}.0\u00a0%" for value in some] for some in ((20, 25, 30, 35), (40, 45, 50, 55), (30, 35, 40, 45))
    ]
    assert cells() == percents[0]
    assert "between 22.5\u00a0% and 32.5\u00a0%" in told() and told().count("of the variant “eton passive”") == 2
    page.select_option(variant, "eton_cuts")
    assert cells() == percents[1] and "between 42.5\u00a0% and 52.5\u00a0%" in told()
    until(page, "location.hash.includes('variant=eton_cuts')")
    page.select_option(variant, "*")
    assert cells() == percents[2] and told().count("all variants together") == 2
    # Where variants are an axis, all of them are there, whichever is chosen.
    page.select_option(variant, "eton_passive")
    page.select_option(".toolbar label:has(span:text-is('Up')) select", "arm")
    assert cells() == ["22.5\u00a0%", "32.5\u00a0%", "42.5\u00a0%", "52.5\u00a0%"]


@pytest.mark.slow
def test_lines_of_a_study_are_picked_by_pointer_and_by_number(visit):
    page = visit("#p=sweeps&study=sobol&lang=en")
    page.wait_for_selector(".parallel")
    page.locator(".parallel").scroll_into_view_if_needed()
    hit = page.locator(".axis-hit").first.bounding_box()
    x = hit["x"] + hit["width"] / 2
    page.mouse.move(x, hit["y"] + 5)
    page.mouse.down()
    page.mouse.move(x, hit["y"] + hit["height"] / 2)
    page.mouse.up()
    out = page.locator(".parallel path.out").count()
    assert 0 < out < page.locator(".parallel path").count()
    page.click("text=Pick by number")
    low = page.locator(".bands input").nth(2)  # of the second factor
    low.fill("0")
    low.press("Enter")
    until(page, f"document.querySelectorAll('.parallel path.out').length > {out}")


@pytest.mark.slow
def test_a_small_sweep_from_its_form_to_the_run_behind_a_cell(visit):
    page = visit("#p=sweeps&lang=en")
    page.click(".starts summary")
    page.wait_for_selector(".factor")
    customers, seeds = page.locator(".sweep-form .toolbar input").all()
    customers.fill("200000")
    assert page.locator(".sweep-form .over").count() == 1 and page.locator(".sweep-form .primary").is_disabled()
    customers.fill("40")
    seeds.fill("1")
    for values in page.locator(".factor-ends label:last-child input").all():
        values.fill("2")
    page.click(".sweep-form .primary")
    page.wait_for_selector("text=Done: 4 runs.", timeout=60_000)
    assert "churnsim sweep" in page.inner_text(".sweep-form pre")
    page.wait_for_selector("text=How far does each factor move it?")
    until(page, "location.hash.includes('study=page-two_hotels-1')")
    page.locator(".figure .cell").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("table.kpis tbody td:not(:empty)")
    assert page.locator(".toolbar .count").input_value() == "40"

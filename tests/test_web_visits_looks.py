"""Every page in both languages, on a phone, in the dark, and with texts that stand out."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the web extra is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from web_visits import PLAY, SET, address, browser, ready, studies, until, visit
from web_visits import pytestmark as pytestmark

__all__ = ["address", "browser", "studies", "visit"]


PAGES = {
    "play": (PLAY, "table.kpis tbody td:not(:empty)"),
    "compare": (f"#p=compare&s=two_hotels&{SET}", ".plan.on"),
    "lessons": ("#p=lessons", ".lesson-card"),
    "lesson": ("#p=lessons&lesson=two_hotels&step=1", ".option"),
    "sheet": ("#p=sheet&lesson=two_hotels", ".board .real"),
    "sheet_without_line": ("#p=sheet&lesson=value_matrix", ".paper.of-teacher"),
    "sobol": ("#p=sweeps&study=sobol", ".sense .total-index"),
    "morris": ("#p=sweeps&study=morris", ".sense .dot-factor"),
    "game": ("#p=sweeps&study=prices", ".payoffs td b"),
    "about": ("#p=about", ".flow li"),
}


NAMED = """() => [...document.querySelectorAll('button, select, input, a, canvas, [role=img]')].filter((node) => {
  if (!node.checkVisibility() || node.parentElement.closest('[role=img]')) return false;
  const label = node.getAttribute('aria-label') || node.innerText || node.labels?.[0]?.innerText || node.title;
  return !label?.trim();
}).map((node) => node.outerHTML.slice(0, 120))"""


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_in_both_languages(visit, name, lang):
    link, there = PAGES[name]
    page = visit(f"{link}&lang={lang}")
    page.wait_for_selector(there)
    body = page.inner_text("body")
    assert "web." not in body and "undefined" not in body and "NaN" not in body
    assert ("客户流失实验室" in body) if lang == "zh" else ("Churn Lab" in body)
    assert page.evaluate("document.documentElement.lang") == ("zh-Hans" if lang == "zh" else "en")
    assert page.evaluate(NAMED) == []  # every control says what it is
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390  # nothing sticks out of a phone


@pytest.mark.slow
def test_reduced_motion_and_the_dark(visit):
    page = visit(PLAY + "&t=3&lang=en", reduced_motion="reduce", color_scheme="dark")
    ready(page)
    page.keyboard.press("Space")
    until(page, "Number(document.querySelector('.scrub').value) >= 5")
    page.keyboard.press("Space")
    assert page.evaluate("getComputedStyle(document.body).color") != "rgb(25, 28, 32)"


@pytest.mark.slow
def test_contrast_of_texts(visit):
    """Every text stands out from its ground by 4.5 to 1 or more (WCAG AA), in the light and in the dark."""
    code = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
    for scheme in ("light", "dark"):
        for link, there in (PAGES[name] for name in PAGES if name != "sheet_without_line"):
            page = visit(link + "&lang=en", color_scheme=scheme)
            page.wait_for_selector(there)
            assert page.evaluate(code) == [], (scheme, link)

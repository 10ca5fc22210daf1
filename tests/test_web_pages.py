"""What the pages offer beyond watching: what would stop departures, concepts, workbooks; and nothing is cut off."""

from __future__ import annotations

import base64

import pytest

pytest.importorskip("starlette", reason="the web extra is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from web_visits import PLAY, SET, address, browser, numbers, ready, seek, serving, studies, until, visit

__all__ = ["address", "browser", "studies", "visit"]
from web_visits import pytestmark as pytestmark

LEFT = "document.querySelector('.customer .story').innerText.includes('leaves')"


def test_what_would_stop_this_is_tried_as_a_move(visit):
    page = visit(PLAY + "&t=30&dot=4&lang=en")
    ready(page)
    page.wait_for_selector(".customer .story")
    for _ in range(40):  # somebody who has left a firm so far
        if page.evaluate(LEFT) and page.locator(".customer button.wide").count() == 2:
            break
        page.click('.customer button[aria-label="Next customer"]')
    ask = page.locator(".customer button.wide").first
    assert "what would have stopped this?" in ask.inner_text()
    ask.focus()
    page.keyboard.press("Enter")  # all of it by keyboard
    page.wait_for_selector(".stopped")
    assert page.evaluate("document.activeElement.className") == "stopped"
    assert "Tried:" in page.inner_text(".stopped")

    page.focus("button.stop")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog .hint:has-text('Tried:')")
    chosen = page.locator("dialog select")
    if not page.locator("dialog .remedies li").count():
        chosen.select_option("nanyuan" if chosen.input_value() == "eton" else "eton")
        page.wait_for_selector("dialog .remedies li")
    said = page.inner_text("dialog .remedies li >> nth=0")
    assert "instead of" in said and "keeps" in said and "profit over that time differs by" in said
    page.focus("dialog .remedies button >> nth=0")
    page.keyboard.press("Enter")
    page.wait_for_selector(".chip")
    assert not page.locator("dialog").count()
    until(page, "document.querySelector('.clock').innerText.includes('Month 18')")
    assert "Month 19" in page.inner_text(".chips")
    until(page, "/m=19~firms[.]\\w+[.]\\w+=/.test(location.hash)")
    page.wait_for_selector("text=thin lines")


def test_concepts_open_beside_what_embodies_them(visit):
    page = visit(PLAY + "&t=30&lang=zh")
    ready(page)
    page.locator("details.twin summary", has_text="具体原因").click()
    chip = page.locator(".causes ~ details .concept").first
    chip.wait_for()
    name = chip.inner_text()
    chip.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    assert page.inner_text("dialog h2") == name and "课程怎么说" in page.inner_text("dialog")
    page.keyboard.press("Space")  # the dialog has its own keys: nothing plays behind it
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('dialog')")
    assert page.evaluate("document.activeElement.className") == "concept"
    assert "第 30 月" in page.inner_text(".clock")
    chip.click()
    page.click("dialog a:has-text('全部课程概念')")
    page.wait_for_selector(".about details[open] .concept")
    assert name in page.locator(".about details[open] .concept").all_inner_texts()
    assert "concept=S" in page.evaluate("location.hash")


def test_a_link_that_leads_nowhere_says_so(visit):
    context = visit("#p=about&lang=zh")
    page = context.context.new_page()  # a refusal is an error in the console, rightly
    page.goto(context.url.split("#")[0] + "#p=play&s=book:0123:0&lang=zh")
    page.wait_for_selector(".stranded")
    assert "工作簿" in page.inner_text(".stranded")
    page.click(".stranded button")
    page.wait_for_selector("table.kpis tbody td:not(:empty)")


DROP = """([text, name]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
    document.body.dataset[kind] = document.querySelector(".drop-sign").hidden ? "no" : "yes";
  }
}"""


@pytest.mark.slow
def test_a_workbook_is_dropped_or_chosen(visit, tmp_path):
    pytest.importorskip("openpyxl", reason="the office extra is not installed")
    import churnsim as cs
    from churnsim.web.reporting import Kept, report_of
    from test_web_workbooks import SMALL, with_value

    case = cs.load("two_hotels").set(SMALL)
    book = report_of([case, case.arm("both_passive")], [1, 2], None, "xlsx", "en", Kept(10**8))
    book = with_value(book, "both_passive", "firms.eton.price", 250)
    page = visit(f"#p=compare&s=two_hotels&{SET}&lang=en")
    page.wait_for_selector(".plan")
    page.evaluate(DROP, [base64.b64encode(book).decode(), "report.xlsx"])
    signs = page.evaluate("({ ...document.body.dataset })")
    assert (signs["dragover"], signs["drop"]) == ("yes", "no")
    until(page, "location.hash.includes('s=book:')")
    until(page, "document.querySelectorAll('.plan').length === 2")
    assert "values changed: 1" in page.inner_text(".plan >> nth=1")
    page.click("text=Run")
    page.wait_for_selector(".ribbon-table")
    table = page.locator(".ribbon-table").inner_text()
    page.reload()  # the link opens the same plans, and they come to the same
    page.wait_for_selector(".plan >> nth=1")
    page.click("text=Run")
    page.wait_for_selector(".ribbon-table")
    assert page.locator(".ribbon-table").inner_text() == table

    file = tmp_path / "report.xlsx"
    file.write_bytes(book)
    play = visit(PLAY + "&lang=zh")
    ready(play)
    play.click(".menu summary")
    with play.expect_file_chooser() as chooser:
        play.locator(".menu-body button").last.press("Enter")
    chooser.value.set_files(file)
    until(play, "location.hash.includes('s=book:')")
    ready(play, 10)
    assert "双方都不行动" in play.inner_text(".toolbar")
    assert play.evaluate("document.querySelector('#lever-firms-eton-price').value") == "250"


CUT = """() => {
  const width = document.documentElement.clientWidth;
  const seen = (node) => !node.closest(".scroll-x, .visually-hidden, details:not([open]) > :not(summary)");
  const wide = [...document.querySelectorAll("main *")].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width && box.right > width + 1 && seen(node);
  }).map((node) => node.outerHTML.slice(0, 60));
  const texts = [...document.querySelectorAll("svg.figure text")].filter((text) => {
    const [box, frame] = [text.getBoundingClientRect(), text.closest("svg").getBoundingClientRect()];
    return box.width && seen(text) && (box.right > frame.right + 1.5 || box.left < frame.left - 1.5);
  }).map((text) => text.textContent);
  const page = document.documentElement.scrollWidth > width + 1 ? ["the page itself"] : [];
  // Only levers, of which there are many, scroll in a box of their own; numbers and causes are all in sight.
  const hidden = [...document.querySelectorAll(".side, .side > .card, .stage, .stage .card")].filter((node) => {
    return getComputedStyle(node).overflowY !== "visible" && node.scrollHeight > node.clientHeight + 2;
  }).map((node) => node.className);
  return [...page, ...wide.slice(0, 3), ...texts, ...hidden];
}"""
"""What reaches over the edge of the page or of its figure; what scrolls inside a box of its own may."""

PAGES = {
    "play": PLAY + "&t=20&dot=3",
    "compare": f"#p=compare&s=two_hotels&{SET}",
    "lessons": "#p=lessons",
    **{f"lesson {step}": f"#p=lessons&lesson=two_hotels&step={step}" for step in range(5)},
    **{f"study {name}": f"#p=sweeps&study={name}" for name in ("sobol", "morris", "prices")},
    "about": "#p=about",
}


@pytest.mark.slow
@pytest.mark.parametrize("widths", [(1280, 768), (390,)])  # figures are drawn once per kind of screen
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_cut_off(visit, lang, widths):
    found = {}
    page = visit(f"#p=about&lang={lang}")
    home = page.url.split("#")[0]
    for name, link in PAGES.items():
        page.set_viewport_size({"width": widths[0], "height": 844})
        page.goto("about:blank")
        page.goto(home + link + f"&lang={lang}")
        page.wait_for_selector("main .card")
        if name == "compare":
            page.click("button.primary")
            page.wait_for_selector(".ribbon-table")
        if name.startswith("study") and "prices" not in name:
            page.wait_for_selector(".sense svg")
        if name in ("play", "lesson 2"):
            page.wait_for_selector("table.kpis tbody td:not(:empty)")
        if name == "lesson 3":
            page.wait_for_selector(".lesson-table")
        for width in widths:
            page.set_viewport_size({"width": width, "height": 844})
            page.wait_for_timeout(200)
            if cut := page.evaluate(CUT):
                found[name, width] = cut
    assert found == {}


@pytest.mark.slow
def test_words_and_figures_of_a_study_say_the_same(visit):
    page = visit("#p=sweeps&study=sobol&lang=en")
    page.wait_for_selector(".sense svg")
    words = page.inner_text(".words")
    first = page.locator(".sense svg >> nth=0")
    bars = first.locator("title").all_text_contents()
    told = next(title for title in bars if title.startswith("x1") and "ST" in title)
    assert f"{float(told.split('ST ')[1].split()[0]):.0f}" in words
    assert "Luck is no part of these shares" in words


@pytest.mark.slow
def test_an_empty_folder_says_what_to_do(visit):
    import tempfile

    from churnsim.web.app import Laboratory

    with tempfile.TemporaryDirectory() as folder:
        for place in (folder, f"{folder}/none", None):
            with serving(Laboratory(studies=place)) as there:
                page = visit("#p=about&lang=en").context.new_page()
                page.goto(f"{there}#p=sweeps&lang=en")
                page.wait_for_selector("text=There is no study to explore yet")


def test_the_numbers_of_a_link_stay(visit):
    page = visit(PLAY + "&t=12&m=9~firms.eton.price=250&dot=3&lang=en")
    ready(page)
    seek(page, 20)
    until(page, "location.hash.includes('&t=20&')")
    said, link = numbers(page), page.evaluate("location.hash")
    again = visit(link)
    ready(again)
    assert numbers(again) == said and again.evaluate("location.hash") == link
    assert again.inner_text(".customer h2") == page.inner_text(".customer h2")

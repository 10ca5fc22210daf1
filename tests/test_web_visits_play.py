"""Play as a visitor sees it: playing, futures, links, keys, names and numbers however many firms there are."""

from __future__ import annotations

import pytest

import churnsim as cs

pytest.importorskip("starlette", reason="the web extra is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from web_visits import CROWDS, PLAY, address, browser, numbers, pull, ready, seek, studies, until, visit
from web_visits import pytestmark as pytestmark

__all__ = ["address", "browser", "studies", "visit"]


def test_playing_branching_scrubbing_and_the_link(visit):
    page = visit(PLAY + "&t=8&lang=en")
    ready(page)
    before = numbers(page)
    shares = cs.run(
        cs.load("two_hotels").set({"customers.count": 300, "burn_in": 6, "horizon": 30}), [2], progress=False
    )
    said = shares.ticks.query("tick == 8")["share"]
    assert before[:2] == [f"{100 * share:.1f}\u00a0%" for share in said]

    pull(page, "lever-firms-eton-price", 390)
    page.wait_for_selector(".chip")
    assert "Month 9 · Eton · List price · ¥390" in page.inner_text(".chips")
    page.wait_for_selector("text=thin lines: the other future")  # the old future is there as a ghost
    ready(page)
    assert [cell.split("\n")[0] for cell in numbers(page)] == before  # the present has not changed
    seek(page, 30)
    end = numbers(page)
    assert any("\n" in cell for cell in end)  # and the end has: differences to the ghost
    seek(page, 8)
    seek(page, 30)
    assert numbers(page) == end

    until(page, "location.hash.includes('m=9~firms.eton.price=390') && location.hash.includes('&t=30&')")
    again = visit(page.evaluate("location.hash"))
    ready(again)
    again.wait_for_selector("table.kpis .gap")
    assert numbers(again) == end  # differences to the other future and all
    again.click("text=Swap futures")
    until(again, "location.hash.includes('g=9~firms.eton.price=390') && !location.hash.includes('&m=')")
    again.click("text=Swap futures")
    until(again, "location.hash.includes('m=9~firms.eton.price=390') && location.hash.includes('&g=-')")
    assert numbers(again) == end
    again.keyboard.press("u")
    until(again, "!document.querySelector('.chip')")

    page.keyboard.press("u")
    until(page, "!document.querySelector('.chip')")


CUT = """() => [...document.querySelectorAll('table.kpis td')].filter((cell) => {
  const written = document.createRange();
  written.selectNodeContents(cell);
  const [text, own, box] = [written, cell, cell.closest('.scroll-x')].map((one) => one.getBoundingClientRect());
  return text.width && (text.left < own.left - 0.5 || text.right > own.right + 0.5 || text.right > box.right + 0.5);
}).map((cell) => cell.innerText)"""


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("count", CROWDS)
def test_numbers_are_whole_however_many_firms_there_are(visit, count, lang):
    """With the other future's differences and without, on a laptop and on a phone; and the charts stay in sight."""
    for ghost in ("", "&m=9~firms.firm_1.price=3000&g=-"):
        page = visit(f"#p=play&s=crowd_{count}&t=30&lang={lang}{ghost}")
        page.set_viewport_size({"width": 1280, "height": 800})
        ready(page)
        if ghost:
            page.wait_for_selector("table.kpis .gap")
        assert len([cell for cell in numbers(page) if any(map(str.isdigit, cell))]) >= 4 * count
        assert page.evaluate(CUT) == []
        charts = "document.querySelectorAll('.chart-card')"
        assert page.evaluate(f"Math.max(...[...{charts}].map((card) => card.getBoundingClientRect().bottom))") <= 800
        speed = "document.querySelector('.speed')"
        page.select_option(".speed", "16")
        assert page.evaluate(f"{speed}.scrollWidth <= {speed}.clientWidth")
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(200)
        assert page.evaluate(CUT) == [] and page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_link_holds_the_other_future_and_old_links_still_work(visit):
    page = visit("#p=about&lang=en")
    page.wait_for_selector("h1")
    code = (
        "async ([call, given]) => { const link = await import('/static/js/link.js');"
        " return call === 'write' ? link.writeLink(given) : link.readLink(given); }"
    )

    def again(link: dict) -> dict:
        return page.evaluate(code, ["read", page.evaluate(code, ["write", link])])

    move = {"tick": 9, "path": "firms.eton.price", "value": 390}
    settings = {"customers.quality_value.mean": 450}
    base = {"p": "play", "s": "two_hotels", "set": {}, "moves": []}
    for own, other in (([], [move]), ([move], []), ([move], [move]), ([], [])):
        for own_set, other_set in (({}, {}), (settings, settings), (settings, {}), ({}, settings)):
            link = {**base, "set": own_set, "moves": own, "ghost": {"moves": other, "set": other_set}}
            assert again(link) == link
    assert "ghost" not in page.evaluate(code, ["read", "#p=play&s=two_hotels&m=9~firms.eton.price=390&t=8"])
    # What would make an address too long to be sent is neither written nor read.
    long = [{**move, "tick": tick} for tick in range(1, 300)]
    assert "ghost" not in again({**base, "ghost": {"moves": long, "set": {}}})
    assert "ghost" not in page.evaluate(code, ["read", "#p=play&g=" + "9~firms.eton.price=390;" * 300])


def test_another_future_that_cannot_be_run_is_left_out(visit):
    page = visit(PLAY + "&t=8&lang=en&g=9~firms.eton.pricee=1")
    ready(page)
    until(page, "!location.hash.includes('&g=')")
    assert page.locator("table.kpis .gap").count() == 0 and "Swap" not in page.inner_text(".moves")
    assert visit.wrong.pop().startswith("Failed to load resource") and not visit.wrong  # the refusal


def test_two_visitors_never_meet(visit):
    one, other = visit(PLAY + "&t=8&lang=en"), visit(PLAY + "&t=8&lang=zh")
    ready(one)
    ready(other)
    before = numbers(other)
    pull(one, "lever-firms-eton-price", 390)
    one.wait_for_selector(".chip")
    ready(one)
    seek(one, 30)
    assert numbers(other) == before
    assert other.locator(".chip").count() == 0


def test_a_number_that_is_refused_is_taken_back(visit):
    page = visit(PLAY + "&lang=en")
    ready(page)
    held = page.locator("input.count").input_value()
    page.locator("input.count").fill("-5")
    page.keyboard.press("Enter")
    until(page, f"document.querySelector('input.count')?.value === '{held}'")
    ready(page)
    assert "-5" not in page.url
    lost = visit(
        PLAY.replace("customers.count%3D", "customers.count%3D-").replace("customers.count=", "customers.count=-")
    )
    until(lost, "document.querySelector('p.note')?.textContent.includes('customers.count')")
    # The browser itself tells of the two refusals.
    assert len(visit.wrong) == 2 and all("422" in said for said in visit.wrong)
    visit.wrong.clear()


def test_keys_and_the_customers_card(visit):
    page = visit(PLAY + "&lang=en")
    ready(page)
    page.keyboard.press("Space")
    until(page, "Number(document.querySelector('.scrub').value) >= 2")
    page.keyboard.press("Space")
    page.keyboard.press("End")
    assert "Month 30" in page.inner_text(".clock")
    page.keyboard.press("Shift+ArrowLeft")
    assert "Month 18" in page.inner_text(".clock")
    page.keyboard.press("c")
    page.wait_for_selector(".customer:not([hidden]) .story li")
    page.click("text=Why exactly?")
    page.wait_for_selector(".customer .in-full")
    page.keyboard.press("l")
    page.wait_for_selector("text=现场演示")
    ready(page)
    assert "第 18 月" in page.inner_text(".clock")
    until(page, "location.hash.includes('&t=18&') && location.hash.includes('lang=zh')")


KEY = "document.querySelector('.chart-key')"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lang", "name"), [("en", "Fitnessstudio-Nordrhein Number 3"), ("zh", "北方健身俱乐部第3分店")]
)
def test_names_with_no_room_at_the_ends_of_lines_stand_whole_above_the_charts(visit, lang, name):
    page = visit(f"#p=play&s=crowd_3&t=30&lang={lang}")
    ready(page)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(200)
        assert page.locator(f".chart-key span:has-text('{name}')").is_visible()
        boxes = page.evaluate(f"[...{KEY}.children].map((one) => one.getBoundingClientRect().toJSON())")
        assert len(boxes) == 3 and all(box["left"] >= 0 and box["right"] <= width for box in boxes)
        assert len({(box["left"], box["top"]) for box in boxes}) == 3
        assert page.evaluate(f"[...{KEY}.children].every((one) => one.scrollWidth <= one.clientWidth + 1)")
    page = visit(f"{PLAY}&t=30&lang={lang}")  # two short names stand in the charts
    ready(page)
    assert page.evaluate(f"{KEY}.hidden")


STICKS_OUT = """() => [...document.querySelectorAll('dialog li *, dialog p, dialog h2')].filter((node) => {
  const written = document.createRange();
  written.selectNodeContents(node);
  const [text, frame] = [written.getBoundingClientRect(), node.closest('dialog').getBoundingClientRect()];
  return text.width && (text.left < frame.left || text.right > Math.min(frame.right, innerWidth));
}).map((node) => node.innerText)"""


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_would_stop_this_is_whole_on_a_phone(visit, lang):
    page = visit(f"#p=play&s=crowd_2&set=customers.count=600&t=30&lang={lang}")
    page.set_viewport_size({"width": 390, "height": 844})
    ready(page, 30)
    page.click("button.stop")
    page.wait_for_selector("dialog .remedies li", timeout=60_000)
    assert page.evaluate(STICKS_OUT) == []
    assert page.evaluate(
        "[document, document.querySelector('dialog')].every((one) => "
        "(one.documentElement ?? one).scrollWidth <= (one.documentElement ?? one).clientWidth)"
    )
    # On a narrower one a sentence is broken rather than cut.
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate(STICKS_OUT) == []

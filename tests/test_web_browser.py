"""The laboratory as a visitor sees it, in a headless Chromium: pages, languages, branches, links, replays."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

import churnsim as cs

pytest.importorskip("starlette", reason="the web extra is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
    os.environ.get("CHURNSIM_CHROMIUM"),
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: install one, or name it in CHURNSIM_CHROMIUM")

SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
SET = "set=customers.count=300;burn_in=6;horizon=30"
PLAY = f"#p=play&s=two_hotels&{SET}&seed=2"
WAIT = 30_000


@pytest.fixture(scope="module")
def address():
    import uvicorn

    from churnsim.web.app import Laboratory, application
    from churnsim.web.limits import Limits

    lab = Laboratory(limits=Limits(rate=1e6, burst=1e6))
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(lab), log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{sock.getsockname()[1]}/"
    server.should_exit = True
    thread.join(10)
    lab.close()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield one
        one.close()


@pytest.fixture
def visit(browser, address):
    """Open a page that may talk to nobody but the server; complain of anything that goes wrong in it."""
    contexts, outside, wrong = [], [], []

    def call(link: str, **options):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))

        def request(route):
            url = route.request.url
            if url.startswith((address, "file:", "blob:", "data:")):
                route.continue_()
            else:
                outside.append(url)
                route.abort()

        page.route("**/*", request)
        page.goto(link if "://" in link else address + link)
        return page

    yield call
    for context in contexts:
        context.close()
    assert outside == []
    assert wrong == []


def until(page, code: str) -> None:
    """Wait until code is true in the page; Playwright's own way of waiting would need eval, which the pages forbid."""
    end = time.monotonic() + WAIT / 1000
    while not page.evaluate(f"() => {code}"):
        assert time.monotonic() < end, code
        page.wait_for_timeout(50)


def ready(page, tick: int = 30) -> None:
    """Wait until a run has arrived."""
    page.wait_for_selector("table.kpis tbody td:not(:empty)")
    until(page, f"Number(document.querySelector('.scrub').max) === {tick}")
    until(page, "document.querySelector('.scrub').style.getPropertyValue('--ready') === '100%'")


def numbers(page) -> list[str]:
    return page.locator("table.kpis tbody td").all_inner_texts()


def seek(page, tick: int) -> None:
    page.evaluate(
        "tick => { const s = document.querySelector('.scrub'); s.value = tick; s.dispatchEvent(new Event('input')); }",
        tick,
    )


def pull(page, lever: str, value: float) -> None:
    """Move a slider as a hand does: let go of it at a value."""
    page.evaluate(
        "([id, value]) => { const s = document.getElementById(id); s.value = value;"
        " s.dispatchEvent(new Event('input')); s.dispatchEvent(new Event('change')); }",
        [lever, value],
    )


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
    page.wait_for_selector("text=thin lines")  # the old future is there as a ghost
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
    assert [cell.split("\n")[0] for cell in numbers(again)] == [cell.split("\n")[0] for cell in end]

    page.keyboard.press("u")
    until(page, "!document.querySelector('.chip')")


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
    page.click(".customer button.wide")
    page.wait_for_selector(".customer .in-full")
    page.keyboard.press("l")
    page.wait_for_selector("text=现场演示")
    ready(page)
    assert "第 18 月" in page.inner_text(".clock")
    until(page, "location.hash.includes('&t=18&') && location.hash.includes('lang=zh')")


def test_a_replay_needs_no_server(visit, tmp_path: Path):
    from churnsim.web.replay import replay_html

    plan = cs.load("two_hotels").set({"customers.count": 700, "burn_in": 6, "horizon": 30})
    path = tmp_path / "replay.html"
    path.write_text(replay_html(plan, 2, lang="zh"), encoding="utf-8")
    page = visit(path.as_uri())
    ready(page)
    seek(page, 12)
    share = cs.run(plan, [2], progress=False).ticks.query("tick == 12")["share"]
    assert numbers(page)[:2] == [f"{100 * value:.1f}\u00a0%" for value in share]
    page.click("button.language")
    page.wait_for_selector("text=Market share")
    assert "Month 12" in page.inner_text(".clock")
    assert page.evaluate("document.querySelector('canvas.arena').width") > 0


def test_unpacking_agrees_with_zlib(visit):
    import base64
    import random
    import zlib

    page = visit("#p=about&lang=en")
    page.wait_for_selector("h1")
    luck = random.Random(5)
    for level, data in (
        (0, bytes(range(256)) * 300),
        (1, b"abcabc" * 999),
        (9, luck.randbytes(5000) + b"\0" * 70_000),
        (9, b"x"),
    ):
        packer = zlib.compressobj(level, zlib.DEFLATED, -15)
        packed = base64.b64encode(packer.compress(data) + packer.flush()).decode()
        code = (
            "async ([text, size]) => { const { inflate } = await import('/static/js/inflate.js');"
            " const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));"
            " let s = ''; for (const b of inflate(bytes, size)) s += String.fromCharCode(b); return btoa(s); }"
        )
        assert base64.b64decode(page.evaluate(code, [packed, len(data)])) == data


PAGES = {
    "play": (PLAY, "table.kpis tbody td:not(:empty)"),
    "compare": (f"#p=compare&s=two_hotels&{SET}", ".plan.on"),
    "lessons": ("#p=lessons", ".lesson-card"),
    "lesson": ("#p=lessons&lesson=two_hotels&step=1", ".option"),
    "sweeps": ("#p=sweeps", "h1"),
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
        for link, there in (PAGES["play"], PAGES["compare"], PAGES["lessons"], PAGES["about"]):
            page = visit(link + "&lang=en", color_scheme=scheme)
            page.wait_for_selector(there)
            assert page.evaluate(code) == [], (scheme, link)


@pytest.mark.slow
def test_a_comparison(visit):
    page = visit(f"#p=compare&s=two_hotels&{SET}&plans=case,both_passive&lang=en")
    page.wait_for_selector(".plan.on")
    page.select_option("label:has-text('Seeds') select", "10")
    page.click("button.primary")
    page.wait_for_selector(".ribbon-table", timeout=60_000)
    assert page.locator(".words p").count() == 2
    assert page.locator("svg.figure").count() == 6
    assert "better in" in page.inner_text(".ribbon-table")


@pytest.mark.slow
def test_a_class(visit):
    teacher = visit("#p=lessons&lesson=two_hotels&step=1&lang=en")
    teacher.click("text=Open a class")
    teacher.wait_for_selector(".room-code")
    code = teacher.inner_text(".room-code")
    students = [visit(f"c/{code}") for _ in range(3)]
    for place, student in enumerate(students):
        student.wait_for_selector(".option")
        student.locator(".option").nth(min(place, 1)).click()
        student.wait_for_selector('.option[aria-checked="true"]')
    until(teacher, "document.querySelector('.votes').innerText === '3'")
    assert students[0].locator(".histogram").count() == 0
    teacher.click("text=Show the class")
    students[0].wait_for_selector(".histogram")
    assert students[0].locator(".bin b").all_inner_texts() == ["1", "2", "0"]


@pytest.mark.slow
def test_every_lesson_opens_its_run(visit):
    from churnsim.lessons import lesson_ids, load_lesson

    for name in lesson_ids():
        page = visit(f"#p=lessons&lesson={name}&step=2&lang=en")
        page.wait_for_selector("table.kpis tbody td:not(:empty)", timeout=90_000)
        controls = load_lesson(name).main.controls
        page.wait_for_timeout(300)
        assert page.locator(".levers-card .lever").count() >= len(controls), name
        page.context.close()

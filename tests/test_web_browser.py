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
ARMS = {"eton_passive": 0.1, "eton_cuts": 0.3}
CROWDS = (1, 2, 3, 8)


@pytest.fixture(scope="module")
def studies(tmp_path_factory) -> Path:
    """A folder with a study of each kind that has pictures of its own."""
    import json

    from churnsim.studies.study import Study
    from churnsim.studies.sweeping import sweep
    from test_web_sweeps import ISHIGAMI, game

    folder = tmp_path_factory.mktemp("studies")
    for name, samples in (("sobol", 64), ("morris", 8)):
        sweep(Study(name=name, design=name, samples=samples, replications=2, **ISHIGAMI), folder / name, 0, False)
    rows = [
        f"{seed},0,{arm},{depth},{size},{share + depth + size}"
        for arm, share in ARMS.items()
        for depth in (0.1, 0.2)
        for size in (0, 0.05)
        for seed in (1, 2)
    ]
    head = "seed,replication,arm,depth,size,share.eton@6"
    (folder / "arms.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    (folder / "prices").mkdir()
    (folder / "prices" / "tournament.json").write_text(json.dumps(game()), encoding="utf-8")
    return folder


def crowd(count: int, folder: Path) -> cs.Scenario:
    """A market of so many firms with long names, which earns and loses large amounts."""
    firms = "".join(
        f"  firm_{k}: {{name: {{en: Fitnessstudio-Nordrhein Number {k}, zh: 北方健身俱乐部第{k}分店}}, price: 30000,"
        f" unit_cost: 9000, service: 8000, initial_share: {0.8 / count:.3f}, cash: -1}}\n"
        for k in range(1, count + 1)
    )
    (folder / f"crowd_{count}.yaml").write_text(
        f"id: crowd_{count}\ntitle: {{en: Crowd, zh: 多家}}\nquestion: {{en: Who?, zh: 谁？}}\n"
        "sources: [{en: Ours, zh: 自拟}]\n"
        f"tick: month\nburn_in: 6\nhorizon: 30\ncustomers: {{count: 3000, quality_value: 42000}}\nfirms:\n{firms}",
        encoding="utf-8",
    )
    return cs.load(folder / f"crowd_{count}.yaml")


@pytest.fixture(scope="module")
def address(studies):
    import uvicorn

    from churnsim.web.app import Laboratory, application
    from churnsim.web.limits import Limits

    scenarios = {"two_hotels": cs.load("two_hotels")} | {f"crowd_{count}": crowd(count, studies) for count in CROWDS}
    lab = Laboratory(scenarios, limits=Limits(rate=1e6, burst=1e6), studies=str(studies))
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

    call.wrong = wrong
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


def test_the_command_of_a_lesson_names_it_and_notes_stand_on_every_step(visit):
    page = visit("#p=lessons&lesson=churn_rate&step=0&lang=en")
    page.click("text=Teacher's notes")
    for step in range(5):
        page.click(f".steps button >> nth={step}")
        page.wait_for_selector(".teacher-note >> text=To say")
        assert page.locator(".teacher-note >> text=Try next").count() == (step > 2)
    assert "churnsim lesson churn_rate --check" in page.inner_text(".lesson-body")


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
    page.wait_for_selector(".kpis >> text=Market share")
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


@pytest.mark.slow
def test_a_comparison_and_its_reports(visit, tmp_path):
    page = visit(f"#p=compare&s=two_hotels&{SET}&plans=case,both_passive&lang=en")
    page.wait_for_selector(".plan.on")
    page.select_option("label:has-text('Seeds') select", "10")
    page.click("button.primary")
    page.wait_for_selector(".ribbon-table", timeout=60_000)
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


@pytest.mark.slow
def test_many_plans_are_said_in_order_and_their_table_scrolls_in_its_own_frame(visit):
    arms = "nanyuan_passive,case,both_passive,no_budget,no_crowding,no_attachment"
    page = visit(f"#p=compare&s=two_hotels&{SET}&plans={arms}&lang=en")
    page.select_option("label:has-text('Seeds') select", "10")
    page.click("button.primary")
    page.wait_for_selector(".ribbon-table", timeout=60_000)
    # First where the firm earns most, then its own comparisons; the other firm's are folded.
    assert page.locator(".words p:visible").count() == 5
    assert all(
        "Nanyuan earns" in said or "for Nanyuan" in said for said in page.locator(".words p:visible").all_inner_texts()
    )
    page.click(".words summary")
    assert page.locator(".words p:visible").count() == 11
    frame = "document.querySelector('.ribbons')"
    assert (
        page.evaluate(f"{frame}.scrollWidth > {frame}.clientWidth")
        and page.locator("text=scroll it sideways").is_visible()
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    whose = "document.querySelector('.ribbons tbody .who').getBoundingClientRect().left"
    before = page.evaluate(whose)
    page.evaluate(f"{frame}.scrollLeft = 9999")
    assert page.evaluate(f"{frame}.scrollLeft > 0 && {whose} === {before}")  # what a row is of stays in sight


def draw(page, ends: tuple[float, float]) -> None:
    """Draw a line with the pointer, from one height of the axes to another, and place it."""
    page.wait_for_selector(".sketch.open")
    page.locator(".sketch").scroll_into_view_if_needed()
    box = page.locator(".sketch").bounding_box()

    def at(part: float) -> tuple[float, float]:
        height = ends[0] + part * (ends[1] - ends[0])
        return box["x"] + box["width"] * (0.12 + 0.7 * part), box["y"] + box["height"] * height

    page.mouse.move(*at(0))
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(*at(step / 11))
    page.mouse.up()
    page.click(".sketch-tools button")
    page.wait_for_selector("text=Your line is taken")


def test_a_line_is_drawn_and_the_real_one_is_laid_over_it(visit):
    page = visit("#p=lessons&lesson=churn_rate&step=1&lang=en")
    page.wait_for_selector(".sketch.open")
    assert page.locator(".sketch-tools button").is_disabled()
    # By keyboard: every point is a slider of its own.
    page.click(".sketch-box summary")
    first = page.locator(".sketch-steps input").first
    first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    assert page.locator(".sketch-steps output").first.inner_text() == "550"
    assert first.get_attribute("aria-valuetext") == "550"
    draw(page, (0.1, 0.7))
    values = [float(one.evaluate("node => node.value")) for one in page.locator(".sketch-steps input").all()]
    assert values == sorted(values, reverse=True) and values[0] > 800
    page.locator(".option").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator('.option[aria-checked="true"]').count() == 1
    page.click(".steps button >> nth=3")
    page.wait_for_selector(".sketch .real")
    said = page.inner_text(".overlay-card")
    assert ("on average" in said and "In the end" in said) or "The end is about right" in said
    assert page.locator(".sketch .mine").count() == 2  # the line and its name


@pytest.mark.slow
def test_a_class(visit, tmp_path):
    teacher = visit("#p=lessons&lesson=two_hotels&step=0&lang=en")
    teacher.click("text=Open a class")
    teacher.wait_for_selector(".room-code")
    assert teacher.locator(".teacher-note").count() == 0  # what is on the projector is for the class
    code = teacher.inner_text(".room-code")
    assert teacher.evaluate("document.querySelector('.sign img').decode().then(() => true)")  # the sign is a picture
    assert teacher.inner_text(".sign-address").endswith(f"/c/{code}")
    students = [visit(f"c/{code}") for _ in range(3)]
    for place, student in enumerate(students):
        student.wait_for_selector(".option")
        draw(student, (0.3, 0.2 + 0.2 * place))
        student.locator(".option").nth(min(place, 1)).click()
        student.wait_for_selector('.option[aria-checked="true"]')
        assert student.locator(".steps button:disabled").count() == 3  # no answers while the class predicts
        assert student.locator("text=Teacher's notes").count() == 0
    until(teacher, "document.querySelector('.votes').innerText === '3'")
    until(teacher, "document.querySelector('.room .lines').innerText === '3'")
    assert students[0].locator(".histogram").count() == 0 and teacher.locator(".histogram").count() == 0
    teacher.click("text=Close the vote")
    until(teacher, "!document.querySelector('.sign')")  # nobody joins any more
    teacher.click(".steps button >> nth=3")
    teacher.wait_for_selector(".sketch .real")
    assert "not shown yet" in teacher.inner_text(".class-said")
    assert teacher.locator(".histogram, .sketch .other, path.median").count() == 0
    teacher.click(".steps button >> nth=1")
    teacher.click("text=Show the class")
    for page in (students[0], teacher):
        page.wait_for_selector(".histogram")
        assert page.locator(".bin b").all_inner_texts() == ["1", "2", "0"]
        until(page, "document.querySelectorAll('.sketch .other').length === 3")
        assert page.locator("path.median").count() == 1
    teacher.click(".steps button >> nth=3")
    teacher.wait_for_selector(".class-said b")
    assert teacher.inner_text(".class-said b") == "Eton after one year, Nanyuan after eight (2 of 3)"
    assert "You have not" not in teacher.inner_text("main")
    students[0].click(".steps button >> nth=3")
    students[0].wait_for_selector(".sketch .real")
    assert "The middle of the class" in students[0].inner_text(".overlay-card")
    with teacher.expect_download() as download:
        teacher.click("text=Save answers")
    download.value.save_as(tmp_path / "class.csv")
    rows = (tmp_path / "class.csv").read_bytes()
    assert rows.startswith("\ufeff".encode()) and len(rows.decode("utf-8-sig").splitlines()) == 4
    teacher.on("dialog", lambda dialog: dialog.accept())
    teacher.click("text=End the class")
    for page in (teacher, *students):
        until(page, "!document.querySelector('.room') && !location.hash.includes('room=')")
    assert teacher.locator("text=Teacher's notes").count() == 1
    for student in students:  # what is the teacher's does not fall to them
        student.reload()
        student.wait_for_selector(".lesson-tools")
        assert student.locator(".lesson-tools button").count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_print_sheet_is_two_pages_of_a4(visit, lang):
    import re

    from churnsim.lessons import lesson_ids, load_lesson

    for name in lesson_ids():
        page = visit(f"#p=sheet&lesson={name}&lang={lang}")
        page.wait_for_selector(".paper.of-teacher")
        if load_lesson(name).prediction.line is not None:
            page.wait_for_selector(".board .real", timeout=60_000)
        pdf = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2, name
        box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", pdf)
        assert [round(float(side)) for side in box.groups()] in ([595, 842], [594, 841], [595, 841], [594, 842])
        page.context.close()


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

"""A headless Chromium that visits the laboratory: what the tests of its pages share."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from contextlib import contextmanager
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


@contextmanager
def serving(lab):
    """Serve a laboratory on a free port of this machine, give its address, and close it afterwards."""
    import uvicorn

    from churnsim.web.app import application

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
def address(studies):
    from churnsim.web.app import Laboratory
    from churnsim.web.limits import Limits

    few = {"customers.count": 300, "horizon": 30}
    scenarios = {"two_hotels": cs.load("two_hotels"), "panel": cs.load("calibration_panel").set(few)}
    scenarios |= {f"crowd_{count}": crowd(count, studies) for count in CROWDS}
    with serving(Laboratory(scenarios, limits=Limits(rate=1e6, burst=1e6), studies=str(studies))) as there:
        yield there


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

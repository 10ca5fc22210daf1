"""A run as one page that needs no server."""

from __future__ import annotations

from pathlib import Path

import pytest

import churnsim as cs

pytest.importorskip("starlette", reason="the web extra is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from web_visits import address, browser, numbers, ready, seek, studies, visit
from web_visits import pytestmark as pytestmark

__all__ = ["address", "browser", "studies", "visit"]


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

"""A run as one page: scrubbable from a file, without server or network.

The page holds the laboratory's own modules, joined into one script, and the run: measures and causes as text, the
states of the dots as what changed from tick to tick, all deflated together.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim import __version__
from churnsim.causes import CAUSES
from churnsim.i18n import LANGUAGES
from churnsim.studies.labels import label_of
from churnsim.web.catalogue import texts
from churnsim.web.files import static_text
from churnsim.web.watching import Watched, header

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

MODULES = (
    "dom", "texts", "palette", "seats", "run", "arena", "charts", "panels", "player", "stage", "card", "inflate",
    "replay",
)  # fmt: skip
"""Modules of the page, each after those it needs."""

STYLES = ("vendor/uPlot.min.css", "css/base.css", "css/play.css")
MEASURES = (
    "share", "customer_share", "open", "customers", "churn", "satisfaction", "quality", "attachment", "price", "profit",
    "cumulative_profit", "cash", "shortfall", "true_loyal", "spurious_loyal", "lost", "joined",
)  # fmt: skip
DIGITS = 6
"""Significant digits of the measures; the pictures need no more."""

WORDS = ("web", "cause", "taxonomy", "tick", "measure")


def replay_html(scenario: Scenario, seed: int, *, lang: str = "en") -> str:
    """Run a scenario and return its replay.

    Parameters
    ----------
    scenario, seed
        The run.
    lang
        Language in which the page opens; it holds both.
    """
    about, states = recorded(scenario, seed, lang)
    written = json.dumps(about, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(written + states) + packer.flush()
    script = joined()
    scripts = (static_text("vendor/uPlot.iife.min.js"), script)
    allowed = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts
    )
    policy = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"
    style = "\n".join(static_text(path) for path in STYLES)
    title = scenario.title[lang].replace("&", "&amp;").replace("<", "&lt;")
    return f"""<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header class="bar" id="bar"></header>
<main id="main" tabindex="-1"></main>
<script type="text/plain" id="run" data-size="{len(written) + len(states)}" data-text="{len(written)}">
{base64.b64encode(packed).decode("ascii")}
</script>
<script>{scripts[0]}</script>
<script type="module">{script}</script>
<noscript>This page needs JavaScript. 本页面需要 JavaScript。</noscript>
</body>
</html>
"""


def recorded(scenario: Scenario, seed: int, lang: str) -> tuple[dict[str, Any], bytes]:
    """Return a run as plain data, and the states of the dots as what changed from tick to tick."""
    markets = Watched([scenario], [seed])
    frames, states = [markets.frame(0)], [markets.states(0)]
    while markets.tick < markets.horizon:
        markets.step_once()
        frames.append(markets.frame(0))
        states.append(markets.states(0))
    head = header(scenario, seed)
    moves = [
        {"tick": move.tick, "path": path, "value": value, "label": _label(scenario, path)}
        for move in scenario.moves
        for path, value in move.changes.items()
    ]
    about = {
        "lang": lang,
        "version": __version__,
        "hash": scenario.id_hash,
        "head": head,
        "question": scenario.question.model_dump(),
        "moves": moves,
        "causes": [{"id": cause.name, "course": cause.course, "type": cause.course_type} for cause in CAUSES],
        "measures": {name: [_short(frame["measures"].get(name)) for frame in frames] for name in MEASURES},
        "frames": [{name: frame.get(name) for name in ("causes", "left", "level")} for frame in frames],
        "texts": {language: _words(language) for language in LANGUAGES},
    }
    changed = np.stack(states)
    changed[1:] ^= changed[:-1].copy()
    return about, changed.tobytes()


def _label(scenario: Scenario, path: str) -> dict[str, str]:
    """Return what a moved parameter is called, by language."""
    return {lang: label_of(scenario, path, lang) for lang in LANGUAGES}


def _words(lang: str) -> dict[str, str]:
    """Return the texts that a replay needs."""
    needless = (
        "web.error.", "web.lesson.", "web.compare.", "web.about.", "web.sweep.", "web.lever.", "web.stop.",
        "web.concept.", "web.workbook.",
    )  # fmt: skip
    return {
        key: words for key, words in texts(lang).items() if key.split(".")[0] in WORDS and not key.startswith(needless)
    }


def _short(value: Any) -> Any:
    """Return numbers with as many digits as pictures need."""
    if isinstance(value, list):
        return [_short(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def joined() -> str:
    """Return the page's modules as one script: in order, without what they say to each other."""
    parts = []
    for name in MODULES:
        source = static_text(f"js/{name}.js")
        source = re.sub(r"^import .*?;\n", "", source, flags=re.MULTILINE)
        parts.append(re.sub(r"^export ", "", source, flags=re.MULTILINE))
    return "\n".join(parts).replace("</script", "<\\/script")

"""The report as one page: everything inside, opens without a network, prints on A4."""

from __future__ import annotations

import os
import re
import shlex
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import churnsim
from churnsim.config.writing import as_yaml
from churnsim.i18n import digits_in, money_unit, number
from churnsim.plots import Letters, usable_language
from churnsim.report.answers import Findings
from churnsim.report.figures import drawings
from churnsim.report.inputs import deeds, in_percent, of_every_firm, shown
from churnsim.report.overview import heads, others, sections
from churnsim.report.plans import deviation, scope
from churnsim.report.suggesting import suggestion
from churnsim.report.verdicts import verdicts

if TYPE_CHECKING:
    from churnsim.report.inputs import Input

BLOCKS = ("answer", "compared", "time", "causes", "money", "customers", "sure", "method")
"""The eight parts of a report, in order."""

OF_MARKETS = ("causes", "customers")
"""Parts that say nothing of a cohort in which nobody buys."""

MONEY_LINES = ("revenue", "sales", "service", "relationship", "programmes", "profit")


MOST_IN_UNIT = 1000
"""How many times smaller than the largest an amount may be and still decide the unit of the table of money."""


def page(found: Findings, *, command: str | None = None) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    found
        What the report says.
    command
        The command line that repeats the runs, where there is one.
    """
    import jinja2

    folder = resources.files("churnsim.report") / "templates"
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string((folder / "report.html").read_text(encoding="utf-8"))
    values, letters = found.inputs, Letters()
    same = [each for each in values if not each.differs]
    # Of many scenarios it is said in words in what they differ; a column each has no room.
    changed = [each for each in values if each.differs] if len(found.scenarios) == len(found.drawn) else []
    figures = drawings(found, letters)
    written: str = template.render(
        lang=found.lang,
        say=found.say,
        found=found,
        blocks=blocks(found),
        style=(folder / "report.css").read_text(encoding="utf-8"),
        figures=figures,
        letters=letters.element(),
        scope=scope(found),
        heads=heads(found),
        sections=sections(found),
        others=others(found),
        deeds=deeds(found),
        deviations=[(found.title(name), deviation(found, name)) for name in found.scenarios if name not in found.drawn],
        changed=[_row(found, each) for each in changed],
        unchanged=[_row(found, each) for each in of_every_firm(found, same)],
        unchanged_count=len(same),
        money=money_rows(found),
        verdicts=verdicts(found),
        study=None if found.doubts else suggested(found),
        provenance=provenance(found),
        command=command,
        made=datetime.now(UTC).strftime("%Y-%m-%d"),
        version=churnsim.__version__,
        fallback=found.lang == "zh" and usable_language("zh") != "zh",
    )
    # A line must not end between a sign and its amount.
    return re.sub("\N{MINUS SIGN}(?=[^\\s\\d<])|[+](?=[¥$€£])", "\\g<0>\N{WORD JOINER}", written)


def blocks(found: Findings) -> dict[str, str]:
    """Return the parts that a report has, with their titles: none of money where that is not known."""
    left_out = {*(() if found.earns else ("money",)), *(OF_MARKETS if found.is_cohort else ())}
    titles = {name: found.say(f"block.{name}") for name in BLOCKS if name not in left_out}
    return titles if found.earns else {**titles, "time": found.say("of_share.time")}


def suggested(found: Findings) -> dict[str, Any] | None:
    """Return a study that would tell what the answer hangs on: its file, the sentence about it, and the commands."""
    study = suggestion(found)
    if study is None:
        return None
    points, replications = study["samples"], study["replications"]
    said = found.say(
        "doubt.suggested", n=number(len(study["factors"])), points=number(points), replications=number(replications),
        runs=number(points * replications * len(study["arms"])),
    )  # fmt: skip
    folder = found.result.folder
    named = shlex.quote(os.path.relpath(folder)) if folder is not None else "RESULT"
    commands = ("churnsim sweep doubts.yaml --out doubts", f"churnsim report {named} doubts")
    written = as_yaml(study)
    return {"said": said, "commands": commands, "file": f"data:text/yaml;charset=utf-8,{quote(written)}"}


def money_rows(found: Findings) -> tuple[list[str], list[dict[str, Any]]]:
    """Return profit and loss of the report's firm: heads, and a row per scenario.

    All amounts are in one unit, so that they add up to the eye.
    """
    amounts = [abs(value) for line in MONEY_LINES for value in _lines(found, line)]
    largest = max(amounts, default=0.0)
    like = min((amount for amount in amounts if amount > largest / MOST_IN_UNIT), default=largest)
    digits = digits_in(found.lang, 0 if like >= 100 * money_unit(like, "en")[0] else 1, like)
    lines = [line for line in MONEY_LINES if line != "programmes" or any(_lines(found, line))]
    rows = []
    for name in found.scenarios:
        own = found.money.get((name, found.firm))
        signed = [None if own is None else own[line] * (1 if line in ("revenue", "profit") else -1) for line in lines]
        cells = ["" if value is None else found.cash(value, like, digits) for value in signed]
        rows.append({"title": found.title(name), "cells": cells, "main": name == found.main})
    return [found.say(f"money.{line}") for line in lines], rows


def _lines(found: Findings, line: str) -> list[float]:
    """Return a line of profit and loss in every scenario in which the firm exists."""
    return [found.money[name, found.firm][line] for name in found.scenarios if (name, found.firm) in found.money]


def provenance(found: Findings) -> list[tuple[str, str]]:
    """Return where the numbers come from, as pairs of words."""
    about, result = found.result.provenance, found.result
    git = about.get("git") or {}
    commit = str(git.get("commit", ""))[:12] if isinstance(git, dict) else ""
    seeds = result.seeds
    whole = seeds == list(range(seeds[0], seeds[-1] + 1))
    packages = about.get("packages") or {}
    rows = [
        ("version", f"churnsim {about.get('churnsim', '')}" + (f" ({commit})" if commit else "")),
        ("scenarios", ", ".join(f"{found.title(n)} [{s.id} {s.id_hash}]" for n, s in found.scenarios.items())),
        ("seeds", f"{seeds[0]}-{seeds[-1]}" if whole and len(seeds) > 1 else ", ".join(map(str, seeds))),
        ("customers", number(found.first.customers.count)),
        ("created", str(about.get("created", ""))[:10]),
        ("platform", f"Python {about.get('python', '')}, {about.get('platform', '')}"),
        ("packages", ", ".join(f"{name} {version}" for name, version in dict(packages).items())),
    ]
    return [(found.say(f"provenance.{key}"), value) for key, value in rows if value.strip()]


def _row(found: Findings, each: Input) -> dict[str, Any]:
    """Return one input as texts; shares of something are written as per cent of it."""
    unit, cells = each.unit, [shown(found, each.path, value) for value in each.values]
    whole = each.share_of
    if whole:
        unit = found.say("of_whole", whole=whole)
        cells = [
            in_percent(value) if isinstance(value, (int, float)) else said
            for value, said in zip(each.values, cells, strict=True)
        ]
    return {
        "path": each.path,
        "label": each.label or each.path.rsplit(".", 1)[-1].replace("_", " "),
        "unit": unit,
        "source": each.source,
        "cells": cells,
        "value": cells[-1],
    }

"""How people call what a study varies, and what it looks at."""

from __future__ import annotations

import re

from churnsim.config.shape import ROOT, child, settings_of, thawed
from churnsim.dealing_measures import PER_FIRM
from churnsim.i18n import text
from churnsim.scenario import Scenario

SIMPLE = re.compile(r"(?P<measure>\w+)\.(?P<firm>\w+)(?:@(?P<window>-?\d+(?:--?\d+)?))?")
"""An outcome that is one measure of one firm, at the horizon or in a window."""


def label_of(scenario: Scenario, path: str, lang: str) -> str:
    """Return the label of a dotted path: its declaration's, after the firm it belongs to; any other name stays.

    A part of a distribution follows the whole: ``customers.switching_cost.mean`` is the switching cost, mean.
    """
    kind, value, labels = ROOT, scenario, []
    keys = path.split(".")
    for key in keys:
        below = child(kind, value, key) if key in settings_of(kind, value) else None
        if below is None:
            return path
        kind, value = below, thawed(kind, value)[key]
        if kind.about is not None and kind.form != "strategy":
            labels.append(kind.about.label[lang])
    if not labels:
        return path
    words = ("，" if lang == "zh" else ", ").join([labels[0], *(word[:1].lower() + word[1:] for word in labels[1:])])
    if keys[0] == "firms":
        return f"{scenario.firms[keys[1]].name[lang]}{'：' if lang == 'zh' else ': '}{words}"
    return words


def unit_of(scenario: Scenario, path: str) -> str | None:
    """Return the declared unit of what lies at a dotted path; None where nothing is declared there."""
    kind, value = ROOT, scenario
    for key in path.split("."):
        below = child(kind, value, key) if key in settings_of(kind, value) else None
        if below is None:
            return None
        kind, value = below, thawed(kind, value)[key]
    return None if kind.about is None else kind.about.unit


def measure_of(written: str) -> str:
    """Return the one measure that an outcome is worked out from and has its unit of; empty where there are more."""
    found = set(re.findall(r"\b([a-z_]+)\.[a-z_]\w*", written)) & set(PER_FIRM)
    return found.pop() if len(found) == 1 and "/" not in written and "*" not in written else ""


def outcome_label(scenario: Scenario | None, name: str, written: str, lang: str) -> str:
    """Return what an outcome is called: its own name where the study gives it one, else measure, firm and window.

    Parameters
    ----------
    scenario
        The study's market; None where it runs a function.
    name, written
        The outcome's name in the study, and the expression that it stands for.
    lang
        ``en`` or ``zh``.
    """
    match = SIMPLE.fullmatch(written.strip())
    if scenario is None or name.strip() != written.strip() or match is None:
        return name
    if match["measure"] not in PER_FIRM or match["firm"] not in scenario.firms:
        return name
    label, firm = PER_FIRM[match["measure"]].label[lang], scenario.firms[match["firm"]].name[lang]
    said = text("plot.outcome.of", lang, label=label, firm=firm)
    if match["window"] is None:
        return said
    tick = text(f"tick.{scenario.tick}.name", lang)
    return text("plot.outcome.at", lang, outcome=said, tick=tick.lower(), window=match["window"])

"""How people call what a study varies."""

from __future__ import annotations

from churnsim.config.shape import ROOT, child, settings_of, thawed
from churnsim.scenario import Scenario


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

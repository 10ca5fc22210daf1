"""A scenario as a file: the full text of one, and the start of a new one."""

from __future__ import annotations

import io
from typing import Any

from churnsim.config.errors import plain_number
from churnsim.config.paths import plain
from churnsim.config.scenario import Move, ScenarioRecord
from churnsim.config.shape import ROOT, Kind, child, thawed

USUAL_LEVERS: tuple[str, ...] = (
    "horizon",
    "customers.count",
    "customers.choice.noise",
    "customers.switching_cost",
    "customers.attachment.value",
    "customers.reference_price.loss_aversion",
    "mechanisms.budget",
    "mechanisms.crowding",
)
"""Settings of the whole market that people change first."""

USUAL_OF_FIRM: tuple[str, ...] = ("price", "service", "relationship", "capacity", "cash", "strategy")
"""Settings of a firm that people change first."""


def to_yaml(scenario: ScenarioRecord) -> str:
    """Return a scenario as YAML with every value explicit; moves are written flat."""
    content = scenario.model_dump(mode="json")
    content["moves"] = [_flat(move) for move in scenario.moves]
    for name, arm in scenario.arms.items():
        content["arms"][name]["moves"] = [_flat(move) for move in arm.moves]
    for part in ("claims", "arms", "moves"):
        if not content[part]:
            del content[part]
    if "claims" in content:
        content["claims"] = [
            {key: value for key, value in claim.items() if value is not None} for claim in content["claims"]
        ]
    return _as_yaml(content)


def _as_yaml(content: Any) -> str:
    """Write plain data as YAML, in its own order, one setting a line."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 4096  # a folded line would be harder to compare
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()


def _flat(move: Move) -> dict[str, Any]:
    """Write a move as people do."""
    note = {"note": move.note.model_dump()} if move.note else {}
    return {"tick": move.tick, **move.changes, **note}


def template(name: str, base: ScenarioRecord, extends: str | None = None) -> str:
    """Return the start of a new scenario file: what it extends, and the usual settings as comments.

    Parameters
    ----------
    name
        Title of the new scenario.
    base
        The scenario it differs from; its values are the ones shown.
    extends
        How the file names that scenario; its id unless given.
    """
    lines = [
        f"# Say only what differs from {base.title.en}; everything else stays as it is there.",
        "# Remove the # in front of a setting to change it, and keep the spaces that indent it.",
        f"extends: {extends or base.id}",
        _as_yaml({"title": name}).rstrip(),
        "# question: What is it that you want to know?",
        "# sources: [where your numbers come from]",
        "",
        *_usual_settings(base),
        "",
        "firms:",
    ]
    for firm in base.firms:
        lines.append(f"  {firm}:")
        lines += [_comment(base, f"firms.{firm}.{setting}", 4) for setting in USUAL_OF_FIRM]
    first = next(iter(base.firms))
    lower = plain_number(base.firms[first].price * 0.9)
    lines += [
        "",
        "# Dated changes; from its tick on, a move holds until another move says otherwise.",
        "moves:",
        f"#  - {{tick: 12, firm: {first}, price: {lower}, note: why}}",
        "",
        "# Variants that are run on the same customers with the same luck.",
        "arms:",
        f"#  {first}_passive:",
        f"#    title: {base.firms[first].name.en} does nothing",
        f"#    set: {{firms.{first}.strategy: passive}}",
        "",
    ]
    return "\n".join(lines)


def _usual_settings(base: ScenarioRecord) -> list[str]:
    """List the market's usual settings, grouped under their headings."""
    lines: list[str] = []
    open_groups: tuple[str, ...] = ()
    for path in USUAL_LEVERS:
        *groups, _ = path.split(".")
        for depth, group in enumerate(groups):
            if open_groups[: depth + 1] != tuple(groups[: depth + 1]):
                lines.append(f"{'  ' * depth}{group}:")
        open_groups = tuple(groups)
        lines.append(_comment(base, path, 2 * len(groups)))
    return lines


def _comment(base: ScenarioRecord, path: str, indent: int) -> str:
    """One setting as a comment: its value, and what is known about it."""
    kind, value = ROOT, base
    for key in path.split("."):
        kind, value = child(kind, value, key), thawed(kind, value)[key]  # type: ignore[assignment]
    text = _as_yaml_value(value)
    return f"#{' ' * indent}{path.split('.')[-1]}: {text}  # {_what_is_known(kind)}"


def _as_yaml_value(value: Any) -> str:
    """Write a value on one line."""
    shown = plain(value)
    if isinstance(shown, dict):
        return (
            "{" + ", ".join(f"{key}: {_as_yaml_value(item)}" for key, item in shown.items() if item is not None) + "}"
        )
    if isinstance(shown, bool):
        return "true" if shown else "false"
    return "null" if shown is None else f"{shown:g}" if isinstance(shown, float) else str(shown)


def _what_is_known(kind: Kind) -> str:
    """Label, unit, and range of a setting."""
    about = kind.about
    if about is None:
        return ""
    parts = [about.label["en"]]
    if kind.is_number or kind.form == "distribution":
        parts.append(about.unit if about.unit != "1" else "pure number")
    if kind.choices:
        parts.append("one of " + ", ".join(kind.choices))
    if about.plausible is not None:
        parts.append("usually {} to {}".format(*(plain_number(bound) for bound in about.plausible)))
    elif about.low is not None and about.high is not None:
        parts.append(f"{plain_number(about.low)} to {plain_number(about.high)}")
    return "; ".join(parts)

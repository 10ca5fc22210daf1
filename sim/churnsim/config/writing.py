"""A scenario as a file."""

from __future__ import annotations

import io
from typing import Any

from churnsim.config.scenario import Move, ScenarioRecord


def to_yaml(scenario: ScenarioRecord) -> str:
    """Return a scenario as YAML with every value explicit; moves are written flat."""
    content = scenario.model_dump(mode="json")
    content["moves"] = [_flat(move) for move in scenario.moves]
    for name, arm in scenario.arms.items():
        content["arms"][name]["moves"] = [_flat(move) for move in arm.moves]
    for part in ("claims", "arms", "moves", "case_title"):
        if not content[part]:
            del content[part]
    if "claims" in content:
        content["claims"] = [
            {key: value for key, value in claim.items() if value is not None} for claim in content["claims"]
        ]
    return as_yaml(content)


def as_yaml(content: Any) -> str:
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

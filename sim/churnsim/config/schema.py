"""JSON Schema of a scenario file, for completion and checks in editors and forms."""

from __future__ import annotations

from typing import Any

from churnsim.config.scenario import ScenarioRecord
from churnsim.config.shape import RELATIVE_UNITS
from churnsim.strategies import REGISTRY

PERCENTAGE = {"type": "string", "pattern": r"^\s*[-+]?\d+(\.\d+)?\s*%\s*$"}


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a scenario file.

    Files that extend another say only what differs, so nothing is required beside a
    title, a question, sources and firms where there is no ``extends``.
    """
    schema = ScenarioRecord.model_json_schema()
    parts = schema["$defs"]
    for name, strategy in sorted(REGISTRY.items()):
        described, further = _strategy(name, strategy.model_json_schema())
        # Under a key of their own: a class of a user's may be called like any other record.
        parts[f"strategy.{name}"] = described
        parts |= {key: part for key, part in further.items() if key not in parts}
    parts["Strategy"] = {
        "title": "Strategy",
        "anyOf": [{"enum": sorted(REGISTRY)}, *({"$ref": f"#/$defs/strategy.{name}"} for name in sorted(REGISTRY))],
    }
    parts["Firm"]["properties"]["strategy"] = {"title": "Strategy", "$ref": "#/$defs/Strategy"}
    _allow_bare_strategies(parts)
    for part in parts.values():
        _allow_less(part)
    parts["Text"] = {"anyOf": [{"type": "string"}, {**parts["Text"], "required": ["en", "zh"]}]}
    parts["Move"] = _move()
    _allow_short_forms(schema)
    _allow_less(schema)
    schema["properties"]["extends"] = {
        "type": "string",
        "title": "Scenario that this one differs from",
        "description": "Name of a built-in scenario, or a path relative to this file",
    }
    schema["title"] = "churnsim scenario"
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["anyOf"] = [{"required": ["extends"]}, {"required": ["title", "question", "sources", "firms"]}]
    return schema


def _strategy(name: str, schema: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Describe one strategy as a mapping, whose name must be given, and the records that it needs."""
    further = schema.pop("$defs", {})
    further.pop("Strategy", None)
    schema["properties"]["name"] = {"const": name}
    return {**schema, "required": ["name"]}, further


def _allow_bare_strategies(parts: dict[str, Any]) -> None:
    """Where a list of strategies with weights is wanted, a name will do."""
    for part in parts.values():
        items = part.get("properties", {}).get("members", {}).get("items", {})
        if "$ref" in items:
            part["properties"]["members"]["items"] = {"anyOf": [{"enum": sorted(REGISTRY)}, items]}


def _allow_less(schema: dict[str, Any]) -> None:
    """Require nothing: a file that extends another need not repeat anything."""
    if schema.get("type") == "object" and "const" not in schema.get("properties", {}).get("name", {}):
        schema.pop("required", None)


def _move() -> dict[str, Any]:
    """Describe a move in its flat form, whose other keys are settings."""
    return {
        "type": "object",
        "title": "Move",
        "description": "From its tick on, settings have new values: {tick: 8, firm: eton, price: 225}",
        "required": ["tick"],
        "properties": {
            "tick": {"type": "integer", "minimum": 1},
            "firm": {"type": "string"},
            "note": {"$ref": "#/$defs/Text"},
        },
    }


def _is_relative(unit: Any) -> bool:
    """Whether a unit is that of a share or rate."""
    return isinstance(unit, str) and (unit in RELATIVE_UNITS or unit.startswith("share"))


def _allow_short_forms(node: Any) -> None:
    """Distributions may be plain numbers, shares may be percentages, and a firm may be dropped by null."""
    if isinstance(node, list):
        for item in node:
            _allow_short_forms(item)
        return
    if not isinstance(node, dict):
        return
    if "oneOf" in node and any("Constant" in str(option.get("$ref")) for option in node["oneOf"]):
        node["anyOf"] = [{"type": "number"}, PERCENTAGE, *node.pop("oneOf")]
        node.pop("discriminator", None)
    elif node.get("type") == "number" and _is_relative(node.get("unit")):
        bounds = {key: node.pop(key) for key in ("type", "minimum", "maximum") if key in node}
        node["anyOf"] = [bounds, PERCENTAGE]
        return
    for item in list(node.values()):
        _allow_short_forms(item)

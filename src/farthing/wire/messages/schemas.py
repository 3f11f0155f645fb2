"""JSON Schemas as this dialect's constrained decoding takes them.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations

An object must forbid other properties: what fits such a schema fits the one that was sent.
Bounds on numbers, strings and arrays are not taken: they move to the description, where the model
reads them, and are named.
"""

from __future__ import annotations

import json
from typing import Any

from farthing.wire.canon import JSON
from farthing.wire.crossing import Crossing
from farthing.wire.take import DEEPEST

KEPT = frozenset({"type", "enum", "const", "description", "title", "required", "default", "$ref"})
SCHEMAS = frozenset({"items"})
MAPS = frozenset({"properties", "$defs", "definitions"})
LISTS = {"anyOf": "anyOf", "allOf": "allOf", "oneOf": "anyOf"}
SILENT = frozenset({"$schema", "$id", "$comment", "examples", "additionalProperties"})
FORMATS = frozenset(
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"]
)


def narrow(schema: JSON, crossing: Crossing) -> JSON:
    """Return a schema that only admits what `schema` admits, but for what is named as lost."""
    narrowed: JSON = _narrow(schema, crossing, 0)
    return narrowed


def _narrow(schema: Any, crossing: Crossing, depth: int) -> Any:
    if not isinstance(schema, dict):
        return schema
    if depth > DEEPEST:
        crossing.lose("schema (too deep)", "meaning")
        return {}
    out: JSON = {}
    moved: JSON = {}
    for key, value in schema.items():
        if key in KEPT or _is_kept(key, value):
            out[key] = value
        elif key in SCHEMAS:
            out[key] = _narrow(value, crossing, depth + 1)
        elif key in MAPS and isinstance(value, dict):
            out[key] = {name: _narrow(one, crossing, depth + 1) for name, one in value.items()}
        elif key in LISTS and isinstance(value, list):
            out[LISTS[key]] = [_narrow(one, crossing, depth + 1) for one in value]
        elif key not in SILENT:
            moved[key] = value
    _describe(out, moved, crossing)
    _close(out, schema, crossing)
    return out


def _is_kept(key: str, value: Any) -> bool:
    if key == "format":
        return isinstance(value, str) and value in FORMATS
    return key == "minItems" and value in (0, 1)


def _describe(out: JSON, moved: JSON, crossing: Crossing) -> None:
    """Tell the model in words what is not enforced."""
    if not moved:
        return
    for key in moved:
        crossing.lose(f"schema `{key}`", "shape")
    try:
        told = json.dumps(moved, ensure_ascii=False)
    except (RecursionError, ValueError):
        return
    before = out.get("description")
    out["description"] = f"{before}\n\n{told}" if isinstance(before, str) else told


def _close(out: JSON, schema: JSON, crossing: Crossing) -> None:
    """Forbid other properties of an object."""
    ref = out.get("$ref")
    if isinstance(ref, str) and not ref.startswith("#"):
        crossing.lose("schema `$ref` to elsewhere", "meaning")
    if out.get("type") != "object" and "properties" not in out:
        return
    others = schema.get("additionalProperties", False)
    if others is not False and not out.get("properties"):
        crossing.lose("schema of any properties", "meaning")
    elif isinstance(others, dict):
        crossing.lose("schema `additionalProperties`", "shape")
    out["additionalProperties"] = False

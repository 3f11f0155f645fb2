"""Schemas: the API's own, OpenAPI-like with types in capitals, and JSON Schema.

`parameters` and `responseSchema` take the first, `parametersJsonSchema` and `responseJsonSchema`
the second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from farthing.wire.canon import JSON
from farthing.wire.take import DEEPEST

_TYPES = ("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
_LOWER = {name: name.lower() for name in _TYPES}
_UPPER = {name.lower(): name for name in _TYPES}
# The enumeration's numbers, for clients that send numbers; 7 is NULL.
_NUMBERED = dict(enumerate((name.lower() for name in _TYPES), start=1))

_MAPS = frozenset({"properties", "$defs", "defs", "definitions", "patternProperties"})
_LISTS = frozenset({"anyOf", "any_of", "oneOf", "allOf", "prefixItems", "prefix_items"})
_ONES = frozenset({"items", "additionalProperties", "additional_properties", "not"})

Change = Callable[[JSON], JSON]


def to_json_schema(schema: JSON) -> JSON:
    """Return one of the API's schemas as JSON Schema."""
    made: JSON = _walk(schema, _lowered, 0)
    return made


def from_json_schema(schema: JSON) -> JSON:
    """Return a JSON Schema as one of the API's: the inverse, where there is one."""
    made: JSON = _walk(schema, _raised, 0)
    return made


def _lowered(schema: JSON) -> JSON:
    """Change a schema's own keys, not its parts'."""
    kind = schema.get("type")
    if isinstance(kind, str):
        kind = _LOWER.get(kind, kind)
    elif isinstance(kind, int) and not isinstance(kind, bool):
        kind = _NUMBERED.get(kind, kind)
    if schema.get("nullable") is True and isinstance(kind, str):
        left = {key: value for key, value in schema.items() if key != "nullable"}
        return {**left, "type": [kind, "null"]}
    return {**schema, "type": kind} if "type" in schema else schema


def _raised(schema: JSON) -> JSON:
    kind = schema.get("type")
    if isinstance(kind, str):
        return {**schema, "type": _UPPER.get(kind, kind)}
    match kind:
        case [str(one), "null"]:
            return {**schema, "type": _UPPER.get(one, one), "nullable": True}
    return schema


def _walk(schema: Any, change: Change, depth: int) -> Any:
    """Change a schema and all schemas in it; names of properties are no keywords."""
    if not isinstance(schema, dict) or depth > DEEPEST:
        return schema
    deeper = depth + 1
    made = change(schema)
    return {key: _inside(key, value, change, deeper) for key, value in made.items()}


def _inside(key: str, value: Any, change: Change, depth: int) -> Any:
    if key in _ONES:
        return _walk(value, change, depth)
    if key in _MAPS and isinstance(value, dict):
        return {name: _walk(item, change, depth) for name, item in value.items()}
    if key in _LISTS and isinstance(value, list):
        return [_walk(item, change, depth) for item in value]
    return value

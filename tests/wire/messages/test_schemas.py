"""Schemas as constrained decoding takes them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.messages.crossings import into, lost

from farthing.wire.messages.schemas import narrow
from farthing.wire.take import DEEPEST

CASES: list[tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = [
    (
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}},
            "required": ["a"],
        },
        {
            "type": "object",
            "properties": {
                "a": {
                    "type": "object",
                    "properties": {"b": {"type": "string"}},
                    "additionalProperties": False,
                }
            },
            "required": ["a"],
            "additionalProperties": False,
        },
        {},
    ),
    (
        {"type": "integer", "minimum": 1, "description": "A number."},
        {"type": "integer", "description": 'A number.\n\n{"minimum": 1}'},
        {"schema `minimum`": "shape"},
    ),
    (
        {"type": "string", "format": "regex", "maxLength": 3},
        {"type": "string", "description": '{"format": "regex", "maxLength": 3}'},
        {"schema `format`": "shape", "schema `maxLength`": "shape"},
    ),
    ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}, {}),
    (
        {"type": "array", "minItems": 1, "items": {"oneOf": [{"type": "string"}, True]}},
        {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "string"}, True]}},
        {},
    ),
    (
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "additionalProperties": False},
        {"schema of any properties": "meaning"},
    ),
    (
        {"properties": {"a": {}}, "additionalProperties": {"type": "string"}},
        {"properties": {"a": {}}, "additionalProperties": False},
        {"schema `additionalProperties`": "shape"},
    ),
    (
        {"$ref": "https://a/schema.json"},
        {"$ref": "https://a/schema.json"},
        {"schema `$ref` to elsewhere": "meaning"},
    ),
    (
        {"$ref": "#/$defs/a", "$defs": {"a": {"enum": ["x", None]}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"enum": ["x", None]}}},
        {},
    ),
]


@pytest.mark.parametrize(("schema", "narrowed", "losses"), CASES)
def test_a_schema_is_narrowed(
    schema: dict[str, Any], narrowed: dict[str, Any], losses: dict[str, str]
) -> None:
    crossing = into()
    assert narrow(schema, crossing) == narrowed
    assert lost(crossing) == losses
    assert narrow(narrowed, into()) == narrowed


def test_a_deep_schema_is_a_loss() -> None:
    schema: dict[str, Any] = {}
    for _ in range(DEEPEST + 2):
        schema = {"type": "array", "items": schema}
    crossing = into()
    narrow(schema, crossing)
    assert lost(crossing) == {"schema (too deep)": "meaning"}

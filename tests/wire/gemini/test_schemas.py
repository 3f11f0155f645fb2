"""Schemas: the API's own and JSON Schema."""

from __future__ import annotations

from farthing.wire.canon import JSON
from farthing.wire.gemini.schemas import from_json_schema, to_json_schema

OURS: JSON = {
    "type": "OBJECT",
    "properties": {
        "type": {"type": "STRING", "nullable": True, "enum": ["STRING"]},
        "list": {"type": "ARRAY", "items": {"anyOf": [{"type": "INTEGER"}, {"type": "NULL"}]}},
    },
    "propertyOrdering": ["type"],
}
THEIRS: JSON = {
    "type": "object",
    "properties": {
        "type": {"type": ["string", "null"], "enum": ["STRING"]},
        "list": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
    },
    "propertyOrdering": ["type"],
}


def test_types_change_their_letters_and_names_do_not() -> None:
    assert to_json_schema(OURS) == THEIRS
    assert from_json_schema(THEIRS) == OURS


def test_types_may_be_numbers() -> None:
    assert to_json_schema({"type": 5, "items": {"type": 1}}) == {
        "type": "array",
        "items": {"type": "string"},
    }


def test_what_is_no_type_stays() -> None:
    odd: JSON = {"type": True, "properties": [1], "items": None, "anyOf": {}}
    assert to_json_schema(odd) == odd

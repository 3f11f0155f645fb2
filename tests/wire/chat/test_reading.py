"""Requests, read."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.golden import REQUESTS

from farthing.wire.canon import Format, Text
from farthing.wire.chat.reading import read_request

MEANINGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"model": "m", "stream": True}, {"model": "m", "stream": True}),
    ({"max_tokens": 5}, {"output_cap": 5}),
    ({"max_tokens": 5, "max_completion_tokens": 4}, {"output_cap": 5}),
    ({"stop": "x"}, {"stop": ["x"]}),
    ({"stop": ["x", "y"]}, {"stop": ["x", "y"]}),
    ({"stop": ["x", 1]}, {"stop": []}),
    ({"logprobs": True}, {"logprobs": 0}),
    ({"logprobs": True, "top_logprobs": 3}, {"logprobs": 3}),
    ({"logprobs": False, "top_logprobs": 3}, {"logprobs": None}),
    ({"random_seed": 3}, {"seed": 3}),
    ({"n": 2, "user": "u", "top_k": 1}, {"answers": 2, "user": "u", "top_k": 1}),
    ({"temperature": 1}, {"temperature": 1}),
    ({"metadata": {"a": "b"}}, {"metadata": {"a": "b"}}),
    ({"parallel_tool_calls": False}, {"parallel_calls": False}),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}},
        {"format": Format(kind="schema", schema={}, name="n", form="json_schema")},
    ),
    (
        {"response_format": {"type": "json_object", "schema": {}}},
        {"format": Format(kind="schema", schema={}, form="json_object")},
    ),
    ({"response_format": {"type": "grammar"}}, {"format": None}),
    ({"response_format": {"type": "json_schema"}}, {"format": None}),
]


@pytest.mark.parametrize(("told", "meaning"), MEANINGS)
def test_settings(told: dict[str, Any], meaning: dict[str, Any]) -> None:
    request = read_request(told)
    assert {key: getattr(request, key) for key in meaning} == meaning


def test_messages() -> None:
    request = read_request(REQUESTS["text"])
    assert request.dialect == "chat"
    assert request.turns[0].parts == [Text(text="Hello")]
    assert request.rest == {}


def test_what_is_not_understood_stays() -> None:
    told = {"service_tier": "flex", "n": None, "temperature": "hot", "messages": ["Hello"]}
    request = read_request(told)
    assert request.rest == told
    assert request.turns == []


def test_asking_for_usage_is_understood_and_other_stream_options_are_not() -> None:
    assert read_request({"stream_options": {"include_usage": True}}).rest == {}
    told = {"stream_options": {"include_usage": True, "include_obfuscation": False}}
    assert read_request(told).rest == told

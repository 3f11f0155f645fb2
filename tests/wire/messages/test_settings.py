"""Thinking and structured output."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.messages.crossings import into, lost

from farthing.wire.canon import (
    Format,
    Reasoning,
    Request,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from farthing.wire.messages.settings import read_settings, write_settings
from farthing.wire.take import Taker

SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}


def read(**fields: Any) -> tuple[Request, dict[str, Any]]:
    taker, request = Taker(fields), Request(dialect="messages")
    read_settings(taker, request)
    return request, taker.left


@pytest.mark.parametrize(
    ("fields", "thinking"),
    [
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2048, "display": "omitted"}},
            Thinking(enabled=True, budget=2048, summary="omitted", form="enabled"),
        ),
        ({"thinking": {"type": "disabled"}}, Thinking(enabled=False, form="disabled")),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
            Thinking(enabled=True, effort="max", form="adaptive"),
        ),
        ({"output_config": {"effort": "low"}}, Thinking(effort="low")),
        ({}, None),
    ],
)
def test_thinking_is_read(fields: dict[str, Any], thinking: Thinking | None) -> None:
    request, left = read(**fields)
    assert request.thinking == thinking
    assert not left


@pytest.mark.parametrize("where", ["output_format", "output_config"])
def test_a_format_is_read(where: str) -> None:
    told = {"type": "json_schema", "schema": SCHEMA}
    fields = {"output_format": told} if where == "output_format" else {where: {"format": told}}
    request, left = read(**fields)
    assert request.format is not None
    assert (request.format.kind, request.format.schema) == ("schema", SCHEMA)
    assert not left


def write(losses: dict[str, str], **fields: Any) -> dict[str, Any]:
    crossing = into()
    out: dict[str, Any] = {}
    write_settings(Request(dialect="chat", **fields), crossing, out)
    assert lost(crossing) == losses
    return out


ADAPTIVE = {"type": "adaptive"}
NAMED = ToolChoice(mode="named", name="f")
CALL = ToolCall(id="c", name="f")
RESULT = Turn(role="tool", parts=[ToolResult(call="c")])
SEALED = Reasoning(text="Hm.", signature=Signature(value="c2ln", vendor="messages"))


@pytest.mark.parametrize(
    ("thinking", "fields", "expected", "losses"),
    [
        (
            Thinking(effort="minimal"),
            {},
            {"thinking": ADAPTIVE, "output_config": {"effort": "low"}},
            {},
        ),
        (
            Thinking(effort="high", summary="auto"),
            {},
            {
                "thinking": {**ADAPTIVE, "display": "summarized"},
                "output_config": {"effort": "high"},
            },
            {},
        ),
        (Thinking(effort="none"), {}, {"thinking": {"type": "disabled"}}, {}),
        (Thinking(budget=0), {}, {"thinking": {"type": "disabled"}}, {}),
        (Thinking(effort="extreme"), {}, {"thinking": ADAPTIVE}, {"effort `extreme`": "shape"}),
        (Thinking(summary="auto"), {}, {}, {}),
        (Thinking(budget=-1), {}, {"thinking": ADAPTIVE}, {}),
        (
            Thinking(budget=4096),
            {"output_cap": 8192},
            {"thinking": {"type": "enabled", "budget_tokens": 4096}},
            {},
        ),
        (
            Thinking(budget=100),
            {},
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            {"thinking budget": "shape"},
        ),
        (
            Thinking(budget=4096),
            {"output_cap": 2000},
            {"thinking": {"type": "enabled", "budget_tokens": 1999}},
            {"thinking budget": "shape"},
        ),
        (Thinking(budget=4096), {"output_cap": 1024}, {}, {"thinking": "shape"}),
        (Thinking(enabled=True), {"choice": NAMED}, {}, {"thinking": "shape"}),
        (
            Thinking(budget=4096),
            {"turns": [Turn(role="assistant", parts=[CALL]), RESULT]},
            {},
            {"thinking": "shape"},
        ),
        (
            Thinking(budget=4096),
            {"turns": [Turn(role="assistant", parts=[SEALED, CALL]), RESULT]},
            {"thinking": {"type": "enabled", "budget_tokens": 4096}},
            {},
        ),
        (
            Thinking(budget=4096),
            {
                "turns": [
                    Turn(role="assistant", parts=[CALL]),
                    RESULT,
                    Turn(role="user", parts=[Text(text="Hi")]),
                ]
            },
            {"thinking": {"type": "enabled", "budget_tokens": 4096}},
            {},
        ),
    ],
)
def test_thinking_crosses(
    thinking: Thinking, fields: dict[str, Any], expected: dict[str, Any], losses: dict[str, str]
) -> None:
    assert write(losses, thinking=thinking, **fields) == expected


def test_a_format_crosses() -> None:
    told = Format(kind="schema", schema=SCHEMA, name="person", strict=True)
    expected = {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    assert write({}, format=told) == expected
    assert write({}, format=Format(kind="text")) == {}
    assert write({"JSON without a schema": "meaning"}, format=Format(kind="json")) == {}

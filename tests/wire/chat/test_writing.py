"""Requests of other dialects, written."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.crossings import into, lost, same
from tests.wire.chat.golden import call

from farthing.wire.canon import (
    Format,
    Media,
    Opaque,
    Reasoning,
    Request,
    Signature,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from farthing.wire.chat.writing import write_request


def written(**fields: Any) -> tuple[dict[str, Any], dict[str, str]]:
    crossing = into()
    told = write_request(Request(dialect="other", **fields), crossing)
    del told["messages"]
    return told, lost(crossing)


def test_a_whole_request() -> None:
    crossing = into()
    seal = Signature(value="S", vendor="other")
    request = Request(
        dialect="other",
        model="m",
        turns=[
            Turn(role="system", parts=[Text(text="Be brief.")]),
            Turn(
                role="user",
                parts=[Text(text="Where?"), Media(kind="image", data="AA", mime="image/png")],
            ),
            Turn(
                role="assistant",
                parts=[
                    Reasoning(text="hm", signature=seal),
                    ToolCall(id="c", name="f", arguments='{"a": 1}'),
                ],
            ),
            Turn(role="user", parts=[ToolResult(call="c", parts=[Text(text="There")])]),
        ],
        tools=[Tool(name="f", description="d", schema={"type": "object"})],
        choice=ToolChoice(mode="auto"),
        parallel_calls=False,
        thinking=Thinking(effort="low"),
        stream=True,
        output_cap=100,
        temperature=0.5,
        rest={"service_tier": "auto", "mcp_servers": [], "new": 1},
    )
    assert write_request(request, crossing) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Where?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
                ],
            },
            {"role": "assistant", "content": None, "tool_calls": [call("f", '{"a": 1}', "c")]},
            {"role": "tool", "tool_call_id": "c", "content": "There"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "f", "description": "d", "parameters": {"type": "object"}},
            }
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "reasoning_effort": "low",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 100,
        "temperature": 0.5,
    }
    assert lost(crossing) == {
        "reasoning": "hint",
        "service_tier": "hint",
        "mcp_servers": "meaning",
        "new": "shape",
    }


SETTINGS: list[tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = [
    ({"top_k": 5}, {}, {"top_k": "shape"}),
    ({"metadata": {"a": "b"}}, {}, {"metadata": "hint"}),
    ({"user": "u", "seed": 1, "answers": 2}, {"user": "u", "seed": 1, "n": 2}, {}),
    ({"stop": ["a"]}, {"stop": ["a"]}, {}),
    ({"logprobs": 0}, {"logprobs": True}, {}),
    ({"logprobs": 2}, {"logprobs": True, "top_logprobs": 2}, {}),
    ({"format": Format(kind="json")}, {"response_format": {"type": "json_object"}}, {}),
    ({"format": Format(kind="text")}, {"response_format": {"type": "text"}}, {}),
    (
        {"format": Format(kind="schema", schema={"type": "object"}, strict=True)},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
            }
        },
        {},
    ),
    ({"tools": [Opaque(type="computer")]}, {}, {"tool computer": "meaning"}),
    ({"choice": ToolChoice(mode="none"), "parallel_calls": True}, {}, {}),
]


@pytest.mark.parametrize(("fields", "told", "losses"), SETTINGS)
def test_settings(fields: dict[str, Any], told: dict[str, Any], losses: dict[str, str]) -> None:
    assert written(**fields) == (told, losses)


def test_another_dialect_s_form_is_not_this_one_s() -> None:
    assert written(form="max_tokens stop", output_cap=5, stop=["a"])[0] == {
        "max_completion_tokens": 5,
        "stop": ["a"],
    }


def test_a_change_of_what_was_read_here_is_written() -> None:
    request = Request(dialect="chat", model="new", form="max_tokens", output_cap=5, stop=["a", "b"])
    assert write_request(request, same()) == {
        "model": "new",
        "messages": [],
        "max_tokens": 5,
        "stop": ["a", "b"],
    }

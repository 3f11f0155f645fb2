"""Whole requests: what is read, and what another dialect's become."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.messages.crossings import into, lost
from tests.wire.messages.golden import REQUESTS, ask

from farthing.errors import Malformed
from farthing.wire.canon import (
    Format,
    Media,
    Reasoning,
    Request,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from farthing.wire.messages.requests import read_request, write_request

SCHEMA = {"type": "object", "properties": {"sky": {"type": "string"}}, "required": ["sky"]}


def write(losses: dict[str, str], **fields: Any) -> dict[str, Any]:
    crossing = into()
    out = write_request(Request(dialect="chat", **fields), crossing)
    assert lost(crossing) == losses
    return out


def test_settings_are_read() -> None:
    request = read_request(REQUESTS["sampling"])
    assert (request.model, request.output_cap, request.stream) == ("m", 9, False)
    assert (request.temperature, request.top_p, request.top_k) == (0.5, 1, 5)
    assert request.stop == ["."]
    assert request.rest == {"service_tier": "auto"}


def test_the_user_is_read() -> None:
    request = read_request(REQUESTS["user"])
    assert (request.user, request.rest) == ("u1", {"metadata": {"team": "x"}})


def test_what_is_not_understood_stays() -> None:
    assert read_request(REQUESTS["wrong types"]).rest == REQUESTS["wrong types"]
    assert read_request(REQUESTS["nulls"]).rest == dict.fromkeys(
        ["system", "tools", "tool_choice", "thinking", "temperature"]
    )


def test_a_tool_loop_crosses() -> None:
    city = '{"city": "Ulm"}'
    out = write(
        {"reasoning": "hint", "service_tier": "hint", "logit_bias": "shape"},
        model="m",
        output_cap=100,
        stream=True,
        rest={"service_tier": "flex", "logit_bias": {"1": 2}},
        form="theirs",
        turns=[
            Turn(role="system", parts=[Text(text="Be brief.")], form="theirs"),
            Turn(
                role="user",
                parts=[
                    Text(text="What sky?"),
                    Media(kind="image", data="iVBORw0KGgo=", mime="image/png"),
                ],
            ),
            Turn(
                role="assistant",
                parts=[
                    Reasoning(text="Hm."),
                    ToolCall(id="call_1", name="sky", arguments=city),
                    ToolCall(id="call_2", name="sky", arguments=""),
                ],
            ),
            Turn(role="tool", parts=[ToolResult(call="call_1", parts=[Text(text="Grey.")])]),
            Turn(role="tool", parts=[ToolResult(call="call_2", parts=[Text(text="Where?")])]),
        ],
        tools=[Tool(name="sky", description="The sky.", schema=SCHEMA)],
        choice=ToolChoice(mode="auto"),
        parallel_calls=True,
        format=Format(kind="schema", schema=SCHEMA, name="sky", strict=True),
        thinking=Thinking(effort="medium"),
    )
    assert out == {
        "model": "m",
        "max_tokens": 100,
        "stream": True,
        "system": "Be brief.",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What sky?"},
                    {
                        "type": "image",
                        "source": {
                            "type": "base64",
                            "media_type": "image/png",
                            "data": "iVBORw0KGgo=",
                        },
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "call_1", "name": "sky", "input": {"city": "Ulm"}},
                    {"type": "tool_use", "id": "call_2", "name": "sky", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "Grey."},
                    {"type": "tool_result", "tool_use_id": "call_2", "content": "Where?"},
                ],
            },
        ],
        "tools": [{"name": "sky", "description": "The sky.", "input_schema": SCHEMA}],
        "tool_choice": {"type": "auto"},
        "thinking": {"type": "adaptive"},
        "output_config": {
            "effort": "medium",
            "format": {
                "type": "json_schema",
                "schema": {**SCHEMA, "additionalProperties": False},
            },
        },
    }


def test_arguments_that_are_no_object_are_malformed() -> None:
    turn = Turn(role="assistant", parts=[ToolCall(id="c", name="f", arguments="{")])
    with pytest.raises(Malformed):
        write_request(Request(dialect="chat", turns=[turn]), into())


def test_what_cannot_be_said_is_named() -> None:
    losses = {
        "n": "shape",
        "seed": "shape",
        "logprobs": "shape",
        "frequency_penalty": "shape",
        "metadata": "hint",
        "user": "hint",
        "blank stop sequences": "shape",
        "web_search_options": "meaning",
    }
    out = write(
        losses,
        answers=2,
        seed=1,
        logprobs=0,
        frequency_penalty=0.5,
        presence_penalty=0,
        metadata={"a": "b"},
        user="u" * 999,
        stop=["\n", "."],
        rest={"web_search_options": {}, "store": None},
    )
    assert out == {"messages": [], "stop_sequences": ["."]}


def test_a_user_crosses() -> None:
    assert write({}, user="u1", answers=1)["metadata"] == {"user_id": "u1"}


THINKS = Thinking(effort="high")


@pytest.mark.parametrize(
    ("told", "expected", "losses"),
    [
        ({"temperature": 0.5, "top_k": 3}, {"temperature": 0.5, "top_k": 3}, []),
        ({"temperature": 1.5}, {"temperature": 1}, ["temperature"]),
        ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5}, ["top_p"]),
        ({"top_p": 0.9}, {"top_p": 0.9}, []),
        ({"temperature": 1, "thinking": THINKS}, {}, []),
        ({"temperature": 0, "top_k": 3, "thinking": THINKS}, {}, ["temperature", "top_k"]),
        ({"temperature": 0, "thinking": Thinking(effort="none")}, {"temperature": 0}, []),
    ],
)
def test_sampling_crosses(
    told: dict[str, Any], expected: dict[str, Any], losses: list[str]
) -> None:
    out = write(dict.fromkeys(losses, "shape"), **told)
    assert {key: out[key] for key in ("temperature", "top_p", "top_k") if key in out} == expected


def test_without_a_cap_none_is_written() -> None:
    request = read_request(ask())
    request.output_cap = None
    assert "max_tokens" not in write_request(request, into())

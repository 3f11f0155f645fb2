"""Requests: what is read of them, and what is written of other dialects'."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.converse.golden import PNG, REQUESTS

from farthing.errors import Malformed
from farthing.wire.canon import (
    JSON,
    CacheMark,
    Format,
    Media,
    Opaque,
    Part,
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
from farthing.wire.converse.requests import read_request, write_request
from farthing.wire.crossing import Crossing, Loss


def written(request: Request) -> tuple[JSON, set[tuple[str, str]]]:
    """Return the body, and what was lost on the way."""
    crossing = Crossing(request.dialect, "converse")
    body = write_request(request, crossing)
    return body, {(loss.what, loss.severity) for loss in crossing.losses}


def said(text: str) -> list[Turn]:
    return [Turn(role="user", parts=[Text(text=text)])]


def test_settings_are_read() -> None:
    request = read_request(REQUESTS["settings"])
    assert (request.output_cap, request.temperature, request.top_p) == (512, 0.5, 1)
    assert (request.top_k, request.stop, request.metadata) == (40, ["END"], {"team": "blue"})
    assert request.rest["additionalModelRequestFields"] == {"thinking": {"type": "enabled"}}
    assert request.rest["inferenceConfig"] == {"odd": True}
    assert (request.model, request.stream) == ("", False)


def test_system_is_the_first_turn_and_its_mark_is_on_the_text() -> None:
    request = read_request(REQUESTS["system"])
    system, user = request.turns
    assert (system.role, user.role) == ("system", "user")
    text, guard = system.parts
    assert isinstance(text, Text)
    assert (text.text, text.cache) == ("Be brief.", CacheMark())
    assert isinstance(guard, Opaque)
    assert guard.type == "guardContent"


def test_a_format_is_read() -> None:
    told = read_request(REQUESTS["format"]).format
    assert told is not None
    assert (told.kind, told.name, told.schema) == ("schema", "city", {"type": "object"})
    assert read_request(REQUESTS["broken format"]).format is None


def test_empty_sections_are_no_loss_elsewhere() -> None:
    request = read_request(REQUESTS["empty sections"])
    assert request.rest.keys() == {"requestMetadata"}


def test_no_object_is_malformed() -> None:
    with pytest.raises(Malformed):
        read_request([])  # type: ignore[arg-type]


def test_a_tool_loop() -> None:
    request = Request(
        dialect="chat",
        model="gpt",
        stream=True,
        turns=[
            Turn(role="system", parts=[Text(text="Be brief.", cache=CacheMark(ttl="1h"))]),
            Turn(role="developer", parts=[Text(text="In French.")]),
            Turn(role="user", parts=[Text(text="Weather in Rome and Oslo?")]),
            Turn(
                role="assistant",
                parts=[
                    Text(text=""),
                    ToolCall(id="call_1", name="weather", arguments='{"city": "Rome"}'),
                    ToolCall(id="call:2", name="weather", arguments=""),
                ],
            ),
            Turn(role="tool", parts=[ToolResult(call="call_1", parts=[Text(text="21 °C")])]),
            Turn(
                role="tool",
                parts=[ToolResult(call="call:2", parts=[Text(text="no city")], error=True)],
            ),
            Turn(role="user", parts=[Text(text="Well?")]),
        ],
        tools=[
            Tool(name="weather", description="Tells it", schema={"type": "object"}, strict=True),
            Tool(name="now", cache=CacheMark()),
        ],
        choice=ToolChoice(mode="required"),
        output_cap=100,
        temperature=0.1,
        stop=["END"],
    )
    body, losses = written(request)
    assert body == {
        "system": [
            {"text": "Be brief."},
            {"cachePoint": {"type": "default", "ttl": "1h"}},
            {"text": "In French."},
        ],
        "messages": [
            {"role": "user", "content": [{"text": "Weather in Rome and Oslo?"}]},
            {
                "role": "assistant",
                "content": [
                    {
                        "toolUse": {
                            "toolUseId": "call_1",
                            "name": "weather",
                            "input": {"city": "Rome"},
                        }
                    },
                    {"toolUse": {"toolUseId": "call_2", "name": "weather", "input": {}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "call_1", "content": [{"text": "21 °C"}]}},
                    {
                        "toolResult": {
                            "toolUseId": "call_2",
                            "content": [{"text": "no city"}],
                            "status": "error",
                        }
                    },
                    {"text": "Well?"},
                ],
            },
        ],
        "inferenceConfig": {"maxTokens": 100, "temperature": 0.1, "stopSequences": ["END"]},
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": "weather",
                        "description": "Tells it",
                        "inputSchema": {"json": {"type": "object"}},
                        "strict": True,
                    }
                },
                {
                    "toolSpec": {
                        "name": "now",
                        "inputSchema": {"json": {"type": "object", "properties": {}}},
                    }
                },
                {"cachePoint": {"type": "default"}},
            ],
            "toolChoice": {"any": {}},
        },
    }
    assert losses == set()


def test_an_image_and_a_document() -> None:
    parts: list[Part] = [
        Text(text="Compare."),
        Media(kind="image", data=PNG),
        Media(kind="document", data="JVBERi0x", mime="application/pdf", name="Q3 report.pdf"),
        Media(kind="document", data="JVBERi0y", mime="application/pdf", name="Q3 report.pdf"),
    ]
    body, losses = written(Request(dialect="chat", turns=[Turn(role="user", parts=parts)]))
    assert body["messages"][0]["content"] == [
        {"text": "Compare."},
        {"image": {"format": "png", "source": {"bytes": PNG}}},
        {"document": {"format": "pdf", "name": "Q3 report-pdf", "source": {"bytes": "JVBERi0x"}}},
        {"document": {"format": "pdf", "name": "Q3 report-pdf-2", "source": {"bytes": "JVBERi0y"}}},
    ]
    assert losses == set()


def test_structured_output() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    told = Format(kind="schema", schema=schema, name="city", strict=True, form="theirs")
    body, losses = written(Request(dialect="chat", turns=said("Hi"), format=told))
    assert body["outputConfig"] == {
        "textFormat": {
            "type": "json_schema",
            "structure": {
                "jsonSchema": {
                    "name": "city",
                    "schema": '{"type":"object","properties":{"city":{"type":"string"}}}',
                }
            },
        }
    }
    assert losses == set()


def test_reasoning_goes_back_to_its_vendor_alone() -> None:
    parts: list[Part] = [
        Reasoning(text="Hm.", signature=Signature(value="c2ln", vendor="converse")),
        Reasoning(text="Ho.", signature=Signature(value="eHg=", vendor="messages")),
        Text(text="Yes."),
    ]
    turns = [*said("Hi"), Turn(role="assistant", parts=parts)]
    body, losses = written(Request(dialect="messages", turns=turns))
    assert body["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
        {"text": "Yes."},
    ]
    assert losses == {("reasoning", "hint")}


LOST: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"seed": 7}, ("seed", "shape")),
    ({"top_k": 7}, ("top_k", "shape")),
    ({"answers": 2}, ("n", "shape")),
    ({"frequency_penalty": 0.5}, ("frequency_penalty", "shape")),
    ({"presence_penalty": 0.5}, ("presence_penalty", "shape")),
    ({"logprobs": 0}, ("logprobs", "shape")),
    ({"user": "u1"}, ("user", "hint")),
    ({"thinking": Thinking(effort="high")}, ("thinking", "shape")),
    ({"metadata": {"team": "é" * 10}}, ("metadata", "hint")),
    ({"tools": [Tool(name="t")], "parallel_calls": False}, ("parallel_tool_calls", "shape")),
    ({"tools": [Opaque(type="web_search")]}, ("tool web_search", "meaning")),
    ({"tools": [Tool(name="t", custom=True)]}, ("custom tool t", "meaning")),
    ({"choice": ToolChoice(mode="none")}, ("tool_choice none", "meaning")),
    ({"format": Format(kind="json")}, ("response_format json", "meaning")),
    ({"rest": {"service_tier": "flex"}}, ("service_tier", "hint")),
    ({"rest": {"modalities": ["text"]}}, ("modalities", "shape")),
]


@pytest.mark.parametrize(("fields", "loss"), LOST, ids=[loss[0] for _, loss in LOST])
def test_what_cannot_be_said_is_named(fields: dict[str, Any], loss: tuple[str, str]) -> None:
    body, losses = written(Request(dialect="chat", turns=said("Hi"), **fields))
    assert losses == {loss}
    extra = body.keys() - {"messages", "toolConfig"}
    assert not extra


SAID: list[dict[str, Any]] = [
    {"answers": 1},
    {"frequency_penalty": 0.0},
    {"parallel_calls": False},
    {"thinking": Thinking(enabled=False)},
    {"format": Format(kind="text")},
    {"rest": {"logit_bias": None}},
]


@pytest.mark.parametrize("fields", SAID, ids=[next(iter(fields)) for fields in SAID])
def test_what_means_nothing_is_no_loss(fields: dict[str, Any]) -> None:
    body, losses = written(Request(dialect="chat", turns=said("Hi"), **fields))
    assert losses == set()
    assert body == {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


def test_metadata_is_sent() -> None:
    body, losses = written(Request(dialect="chat", turns=said("Hi"), metadata={"team": "blue 1"}))
    assert body["requestMetadata"] == {"team": "blue 1"}
    assert losses == set()


def test_arguments_that_are_no_object_are_malformed() -> None:
    call = ToolCall(id="c", name="weather", arguments='"Rome"')
    turns = [Turn(role="assistant", parts=[call])]
    with pytest.raises(Malformed, match="weather"):
        written(Request(dialect="chat", turns=turns))


def test_a_changed_cap_replaces_the_client_s() -> None:
    request = read_request(REQUESTS["settings"])
    request.output_cap = 99
    body = write_request(request, Crossing("converse", "converse"))
    assert body["inferenceConfig"]["maxTokens"] == 99
    assert REQUESTS["settings"]["inferenceConfig"]["maxTokens"] == 512


def test_a_cap_that_cannot_be_read_is_overruled() -> None:
    request = read_request(REQUESTS["wrong types"])
    request.output_cap = 99
    body = write_request(request, Crossing("converse", "converse"))
    assert body["inferenceConfig"]["maxTokens"] == 99


def test_losses_elsewhere_are_by_name() -> None:
    crossing = Crossing("converse", "chat")
    request = read_request(REQUESTS["settings"])
    assert crossing.rest(request) == {}
    assert Loss("guardrailConfig", "shape") in crossing.losses

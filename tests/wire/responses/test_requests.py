"""Requests: what they mean, and how another dialect's are said."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.responses.cases import REQUESTS, SCHEMA

from farthing.wire.canon import Format, Opaque, Request, Text, Thinking, Tool, ToolChoice, Turn
from farthing.wire.crossing import Crossing, Loss
from farthing.wire.responses.requests import read_request, write_request


def test_settings_are_read() -> None:
    read = read_request(REQUESTS["settings"])
    assert (read.model, read.stream, read.output_cap) == ("m", True, 100)
    assert (read.temperature, read.top_p, read.logprobs) == (0, 0.5, 3)
    assert (read.user, read.metadata) == ("s1", {"team": "a"})
    assert read.format is not None
    assert (read.format.kind, read.format.name, read.format.schema) == ("schema", "city", SCHEMA)
    assert read.format.strict is True
    assert read.thinking is not None
    assert (read.thinking.effort, read.thinking.summary) == ("high", "auto")
    left = {"text", "truncation", "user", "service_tier", "prompt_cache_key"}
    assert read.rest.keys() == left
    assert read.rest["text"] == {"verbosity": "low"}


def test_instructions_and_a_string_are_turns() -> None:
    read = read_request(REQUESTS["instructions"])
    told = [(t.role, [p.text for p in t.parts if isinstance(p, Text)]) for t in read.turns]
    assert told == [("system", ["Be brief."]), ("user", ["Hello"])]


def test_a_conversation_that_is_not_sent_is_a_meaning() -> None:
    read = read_request(REQUESTS["state"])
    opaque = [p.type for turn in read.turns for p in turn.parts if isinstance(p, Opaque)]
    assert opaque == ["previous_response_id", "prompt"]


def test_what_is_odd_stays() -> None:
    read = read_request(REQUESTS["odd"])
    assert read.turns == []
    assert read.rest == {k: v for k, v in REQUESTS["odd"].items() if v is not None and v != []}


def test_other_dialects_are_told_of_no_handles() -> None:
    read = read_request(REQUESTS["tool loop"])
    assert [part.rest for t in read.turns for part in t.parts if not isinstance(part, Opaque)] == [
        {} for t in read.turns for part in t.parts if not isinstance(part, Opaque)
    ]


def test_a_changed_request_is_written_changed() -> None:
    read = read_request(REQUESTS["settings"])
    read.model, read.output_cap, read.stream = "other", 7, False
    written = write_request(read, Crossing("responses", "responses"))
    assert (written["model"], written["max_output_tokens"]) == ("other", 7)
    assert "stream" not in written


def away(**fields: Any) -> tuple[dict[str, Any], set[Loss]]:
    crossing = Crossing("messages", "responses")
    turns = [Turn(role="user", parts=[Text(text="Hello")])]
    request = Request(**{"dialect": "messages", "model": "m", "turns": turns, **fields})
    return write_request(request, crossing), crossing.losses


BARE = {
    "model": "m",
    "input": [{"type": "message", "role": "user", "content": "Hello"}],
    "store": False,
}


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({}, {}),
        ({"turns": []}, {"input": []}),
        ({"stream": True, "output_cap": 9}, {"stream": True, "max_output_tokens": 9}),
        ({"temperature": 0.0, "top_p": 1.0}, {"temperature": 0.0, "top_p": 1.0}),
        ({"parallel_calls": False}, {"parallel_tool_calls": False}),
        (
            {"logprobs": 2},
            {"top_logprobs": 2, "include": ["message.output_text.logprobs"]},
        ),
        ({"logprobs": 0}, {"include": ["message.output_text.logprobs"]}),
        ({"user": "u", "metadata": {"a": "b"}}, {"user": "u", "metadata": {"a": "b"}}),
        ({"format": Format(kind="json")}, {"text": {"format": {"type": "json_object"}}}),
        (
            {"format": Format(kind="schema", schema=SCHEMA, name="a b", strict=True)},
            {
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "a_b",
                        "schema": SCHEMA,
                        "strict": True,
                    }
                }
            },
        ),
        (
            {"format": Format(kind="schema", schema=SCHEMA)},
            {"text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA}}},
        ),
        (
            {"thinking": Thinking(effort="low", summary="summarized")},
            {"reasoning": {"effort": "low", "summary": "auto"}},
        ),
        (
            {"tools": [Tool(name="n", schema=SCHEMA)], "choice": ToolChoice(mode="none")},
            {
                "tools": [{"type": "function", "name": "n", "parameters": SCHEMA, "strict": False}],
                "tool_choice": "none",
            },
        ),
        ({"answers": 1, "frequency_penalty": 0.0}, {}),
    ],
)
def test_another_dialect_s_request_is_written(
    fields: dict[str, Any], written: dict[str, Any]
) -> None:
    assert away(**fields) == (BARE | written, set())


@pytest.mark.parametrize(
    ("fields", "written", "lost"),
    [
        ({"top_k": 3}, {}, Loss("top_k", "shape")),
        ({"seed": 0}, {}, Loss("seed", "shape")),
        ({"stop": ["x"]}, {}, Loss("stop", "shape")),
        ({"answers": 2}, {}, Loss("n", "shape")),
        ({"presence_penalty": 1.0}, {}, Loss("presence_penalty", "shape")),
        ({"user": "u" * 65}, {}, Loss("user", "hint")),
        ({"rest": {"service_tier": "x", "y": None}}, {}, Loss("service_tier", "shape")),
        (
            {"thinking": Thinking(enabled=True, budget=2000)},
            {"reasoning": {"effort": "low"}},
            Loss("thinking.budget", "hint"),
        ),
        (
            {"thinking": Thinking(enabled=True, budget=32000)},
            {"reasoning": {"effort": "high"}},
            Loss("thinking.budget", "hint"),
        ),
        ({"thinking": Thinking(enabled=False)}, {}, Loss("thinking", "hint")),
        ({"thinking": Thinking(effort="odd")}, {}, Loss("thinking.effort", "shape")),
    ],
)
def test_what_cannot_be_said_is_named(
    fields: dict[str, Any], written: dict[str, Any], lost: Loss
) -> None:
    assert away(**fields) == (BARE | written, {lost})

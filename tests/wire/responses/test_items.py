"""Items read as turns: what the model makes in a row is one turn."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.responses.cases import CALL, MESSAGE, REQUESTS, SEARCH, THOUGHT

from farthing.wire.canon import Opaque, Reasoning, Signature, Text, ToolCall, ToolResult
from farthing.wire.responses.items import read_item, read_turns


def test_a_tool_loop_is_turns() -> None:
    turns = read_turns(REQUESTS["tool loop"]["input"])
    assert [turn.role for turn in turns] == [
        "user", "assistant", "tool", "tool", "assistant", "tool", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert [type(part) for part in turns[1].parts] == [Reasoning, Text, ToolCall, ToolCall]
    assert [type(part) for part in turns[6].parts] == [Opaque, Opaque]


def test_a_call_and_its_result_are_read() -> None:
    (call,) = read_item(CALL)
    assert isinstance(call, ToolCall)
    assert (call.id, call.name, call.arguments) == ("c1", "weather", '{"city": "Rome"}')
    assert call.rest == {}
    (result,) = read_item({"type": "function_call_output", "call_id": "c1", "output": "sunny"})
    assert isinstance(result, ToolResult)
    assert result.call == "c1"
    assert [part.text for part in result.parts if isinstance(part, Text)] == ["sunny"]


def test_a_custom_call_is_read() -> None:
    (call,) = read_item({"type": "custom_tool_call", "call_id": "c", "name": "n", "input": "x"})
    assert isinstance(call, ToolCall)
    assert call.custom
    assert call.arguments == "x"


def test_reasoning_is_read() -> None:
    (thought,) = read_item(THOUGHT)
    assert isinstance(thought, Reasoning)
    assert (thought.text, thought.summary, thought.id) == ("Hm.", True, "rs_1")
    assert thought.encrypted == "gAAA"
    assert thought.signature == Signature(value="gAAA", vendor="responses")


def test_thoughts_go_before_their_summary() -> None:
    told = {**THOUGHT, "content": [{"type": "reasoning_text", "text": "Long."}]}
    (thought,) = read_item(told)
    assert isinstance(thought, Reasoning)
    assert (thought.text, thought.summary) == ("Long.", False)
    assert thought.rest == {"summary": THOUGHT["summary"]}


def test_pieces_of_a_summary_are_one_text() -> None:
    pieces = [{"type": "summary_text", "text": text} for text in ("a", "b")]
    (thought,) = read_item({"type": "reasoning", "summary": pieces})
    assert isinstance(thought, Reasoning)
    assert thought.text == "a\n\nb"


def test_a_message_is_its_parts() -> None:
    parts = read_item({**MESSAGE, "content": [*MESSAGE["content"], {"type": "odd"}], "x": 1})
    assert [type(part) for part in parts] == [Text, Opaque]
    assert parts[0].rest == {"message": {"x": 1}}


@pytest.mark.parametrize(
    "item",
    [
        {},
        SEARCH,
        {"type": ["message"]},
        {"type": "message", "role": "critic", "content": "x"},
        {**MESSAGE, "content": None},
        {**MESSAGE, "content": []},
        {**MESSAGE, "content": [{"type": "odd"}], "x": 1},
        {**CALL, "call_id": None},
        {**CALL, "arguments": {}},
        {"type": "function_call_output", "call_id": "c", "output": None},
    ],
)
def test_what_cannot_be_read_is_opaque_and_whole(item: dict[str, Any]) -> None:
    (read,) = read_item(item)
    assert isinstance(read, Opaque)
    assert read.rest == item

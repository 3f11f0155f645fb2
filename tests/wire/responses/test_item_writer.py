"""Items written from another dialect's turns."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.wire.canon import (
    CacheMark,
    Media,
    Opaque,
    Part,
    Reasoning,
    Role,
    Signature,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from farthing.wire.crossing import Crossing, Loss
from farthing.wire.responses.item_writer import ItemWriter

IMAGE = {"type": "input_image", "image_url": "https://h/a.png", "detail": "auto"}


def written(*turns: Turn) -> tuple[list[dict[str, Any]], set[Loss]]:
    crossing = Crossing("messages", "responses")
    writer = ItemWriter(crossing)
    for turn in turns:
        writer.turn(turn)
    return writer.items, crossing.losses


def test_a_tool_loop_is_written() -> None:
    items, losses = written(
        Turn(role="system", parts=[Text(text="Be brief.")]),
        Turn(role="user", parts=[Text(text="Weather?"), Media(kind="image", url="https://h/a.png")]),
        Turn(
            role="assistant",
            parts=[
                Reasoning(text="Hm.", signature=Signature(value="s", vendor="messages")),
                Text(text="Wait."),
                ToolCall(id="c1", name="weather", arguments='{"city": "Rome"}'),
                ToolCall(id="c2", name="now"),
            ],
        ),
        Turn(
            role="user",
            parts=[
                ToolResult(call="c1", parts=[Text(text="sunny")]),
                ToolResult(call="c2", parts=[Text(text="noon"), Media(kind="image", url="https://h/a.png")]),
                Text(text="Go on."),
            ],
        ),
        Turn(role="developer", parts=[Text(text="Be kind.")]),
    )  # fmt: skip
    assert items == [
        {"type": "message", "role": "system", "content": "Be brief."},
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Weather?"}, IMAGE],
        },
        {"type": "message", "role": "assistant", "content": "Wait."},
        {
            "type": "function_call",
            "call_id": "c1",
            "name": "weather",
            "arguments": '{"city": "Rome"}',
        },
        {"type": "function_call", "call_id": "c2", "name": "now", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
        {
            "type": "function_call_output",
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "noon"}, IMAGE],
        },
        {"type": "message", "role": "user", "content": "Go on."},
        {"type": "message", "role": "developer", "content": "Be kind."},
    ]
    assert losses == {Loss("reasoning", "hint")}


def test_a_custom_call_and_its_result_are_of_their_own_types() -> None:
    items, losses = written(
        Turn(role="assistant", parts=[ToolCall(id="c", name="sql", arguments="x", custom=True)]),
        Turn(role="tool", parts=[ToolResult(call="c")]),
    )
    assert items == [
        {"type": "custom_tool_call", "call_id": "c", "name": "sql", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": ""},
    ]
    assert not losses


def test_reasoning_that_this_dialect_sealed_goes_back() -> None:
    seal = Signature(value="gAAA", vendor="responses")
    thought = Reasoning(text="Hm.", summary=True, encrypted="gAAA", id="rs_1", signature=seal)
    items, losses = written(Turn(role="assistant", parts=[thought]))
    assert items == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "gAAA",
        }
    ]
    assert not losses


@pytest.mark.parametrize(
    ("part", "role", "loss"),
    [
        (Opaque(type="server_tool_use"), "assistant", Loss("server_tool_use", "meaning")),
        (ToolResult(call="c", error=True), "tool", Loss("is_error", "shape")),
        (ToolResult(call="c", cache=CacheMark()), "tool", Loss("cache mark", "hint")),
        (
            ToolResult(call="c", parts=[Opaque(type="x")]),
            "tool",
            Loss("part of a tool result", "meaning"),
        ),
        (ToolCall(id="c", name="n", cache=CacheMark()), "assistant", Loss("cache mark", "hint")),
        (
            ToolCall(id="c", name="n", signature=Signature(value="s", vendor="gemini")),
            "assistant",
            Loss("reasoning", "hint"),
        ),
        (ToolCall(id="c", name="n", rest={"caller": 1}), "assistant", Loss("caller", "shape")),
    ],
)
def test_what_cannot_be_said_is_named(part: Part, role: Role, loss: Loss) -> None:
    assert written(Turn(role=role, parts=[part]))[1] == {loss}


def test_a_name_is_lost() -> None:
    assert written(Turn(role="user", name="Ann"))[1] == {Loss("name", "hint")}

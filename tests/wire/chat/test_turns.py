"""Messages."""

from __future__ import annotations

from typing import Any

from tests.wire.chat.crossings import into, lost, same
from tests.wire.chat.golden import REQUESTS, call

from farthing.wire.canon import (
    CacheMark,
    Citation,
    Media,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from farthing.wire.chat.turns import read_turns, write_turns


def test_roles_stay_in_place() -> None:
    messages = [{"role": role, "content": "a"} for role in ("user", "system", "developer")]
    turns = read_turns(messages)
    assert [turn.role for turn in turns] == ["user", "system", "developer"]
    assert write_turns(turns, same()) == messages
    assert write_turns([Turn(role="system", parts=[Text(text="a")])], into()) == [messages[1]]


def test_a_result_names_its_call() -> None:
    (turn,) = read_turns([{"role": "tool", "tool_call_id": "c", "name": "f", "content": "1"}])
    assert turn.parts == [ToolResult(call="c", name="f", parts=[Text(text="1")])]


def test_older_calls_are_tied_to_their_results() -> None:
    messages: list[dict[str, Any]] = REQUESTS["the older spelling"]["messages"] * 2
    turns = read_turns(messages)
    ids = [
        part.id if isinstance(part, ToolCall) else part.call
        for turn in turns
        for part in turn.parts
        if isinstance(part, ToolCall | ToolResult)
    ]
    assert ids == ["function_call_1"] * 2 + ["function_call_2"] * 2
    assert write_turns(turns, same()) == messages


def test_an_unknown_role_is_opaque() -> None:
    (turn,) = read_turns([{"role": "critic"}])
    assert isinstance(turn.parts[0], Opaque)
    crossing = into()
    assert write_turns([turn], crossing) == []
    assert lost(crossing) == {"message": "meaning"}


def test_a_tool_loop_of_another_dialect() -> None:
    """Results come first, and what was said beside them after them all."""
    crossing = into()
    turns = [
        Turn(role="user", parts=[Text(text="Weather?")]),
        Turn(role="assistant", parts=[Reasoning(text="hm")]),
        Turn(role="assistant", parts=[Text(text="I'll look."), ToolCall(id="a", name="f")]),
        Turn(role="assistant", parts=[ToolCall(id="b", name="g", arguments='{"x":1}')]),
        Turn(
            role="user",
            parts=[
                ToolResult(call="a", parts=[Media(kind="image", url="u"), Text(text="Rain")]),
                Text(text="Go on."),
            ],
        ),
        Turn(role="tool", parts=[ToolResult(call="b", error=True, cache=CacheMark())]),
        Turn(role="assistant", parts=[Text(text="It rains.")]),
    ]
    assert write_turns(turns, crossing) == [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": "I'll look.",
            "tool_calls": [call("f", "{}", "a"), call("g", '{"x":1}', "b")],
        },
        {"role": "tool", "tool_call_id": "a", "content": "Rain"},
        {"role": "tool", "tool_call_id": "b", "content": ""},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "u"}},
                {"type": "text", "text": "Go on."},
            ],
        },
        {"role": "assistant", "content": "It rains."},
    ]
    assert lost(crossing) == {
        "reasoning": "hint",
        "media in tool results": "shape",
        "tool_result.is_error": "shape",
        "cache_control": "hint",
    }


def test_calls_alone_have_no_content() -> None:
    (message,) = write_turns([Turn(role="assistant", parts=[ToolCall(id="a", name="f")])], into())
    assert message["content"] is None


def test_what_an_assistant_cannot_have_said() -> None:
    crossing = into()
    parts: list[Part] = [
        Text(text="a", citations=[Citation(url="u")]),
        Media(kind="image", url="u"),
    ]
    told = write_turns([Turn(role="assistant", parts=parts, rest={"x": 1})], crossing)
    assert told == [{"role": "assistant", "content": "a"}]
    assert lost(crossing) == {
        "assistant image": "meaning",
        "citations": "shape",
        "messages.x": "shape",
    }

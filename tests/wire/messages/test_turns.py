"""System text and messages."""

from __future__ import annotations

from typing import Any

from tests.wire.messages.crossings import into, lost

from farthing.wire.canon import CacheMark, Media, Request, Text, ToolCall, ToolResult, Turn
from farthing.wire.messages.turns import read_turns, unsealed_loop, write_turns
from farthing.wire.take import Taker


def write(losses: dict[str, str], *turns: Turn) -> dict[str, Any]:
    crossing = into()
    out: dict[str, Any] = {}
    write_turns(Request(dialect="chat", turns=list(turns)), crossing, out)
    assert lost(crossing) == losses
    return out


def user(*parts: Any) -> Turn:
    return Turn(role="user", parts=list(parts) or [Text(text="Hi")])


def test_the_system_text_is_the_first_turn() -> None:
    body = {
        "system": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}],
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "system", "content": "C"},
            {"role": "assistant", "content": [{"type": "text", "text": "Ho"}]},
        ],
    }
    turns, keys = read_turns(Taker(body))
    assert [(turn.role, turn.form) for turn in turns] == [
        ("system", "field blocks"),
        ("user", "string"),
        ("system", "string"),
        ("assistant", "blocks"),
    ]
    assert turns[0].parts == [Text(text="A"), Text(text="B")]
    assert keys == ["messages"]


def test_leading_system_turns_become_the_field() -> None:
    system = Turn(role="system", parts=[Text(text="A")])
    developer = Turn(role="developer", parts=[Text(text="B", cache=CacheMark())])
    assert write({}, system, user()) == {
        "system": "A",
        "messages": [{"role": "user", "content": "Hi"}],
    }
    assert write({}, system, developer, user())["system"] == [
        {"type": "text", "text": "A"},
        {"type": "text", "text": "B", "cache_control": {"type": "ephemeral"}},
    ]


def test_a_later_system_turn_becomes_the_user_s() -> None:
    later = Turn(role="system", parts=[Text(text="A")])
    out = write({"system turn in place": "shape"}, user(), later)
    texts = [{"type": "text", "text": text} for text in ("Hi", "A")]
    assert out == {"messages": [{"role": "user", "content": texts}]}


def test_a_system_turn_takes_only_text() -> None:
    image = Media(kind="image", url="https://a")
    system = Turn(role="system", parts=[image])
    out = write({"image in system text": "meaning"}, system, user())
    assert "system" not in out


def test_results_come_first_in_one_message() -> None:
    out = write(
        {"name": "hint", "message.odd": "shape"},
        Turn(role="user", parts=[Text(text="Hi")], name="ann", rest={"odd": 1}),
        Turn(
            role="assistant",
            parts=[Text(text=""), ToolCall(id="a", name="f"), ToolCall(id="b", name="f")],
        ),
        Turn(role="tool", parts=[ToolResult(call="a", parts=[Text(text="1")])]),
        user(Text(text="So?")),
        Turn(role="tool", parts=[ToolResult(call="b", parts=[Text(text="2")])]),
    )
    assert out["messages"] == [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                {"type": "tool_use", "id": "b", "name": "f", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "1"},
                {"type": "tool_result", "tool_use_id": "b", "content": "2"},
                {"type": "text", "text": "So?"},
            ],
        },
    ]


def test_a_turn_that_says_nothing_is_no_message() -> None:
    empty = Turn(role="assistant", parts=[Text(text="")])
    texts = [{"type": "text", "text": "Hi"}] * 2
    assert write({}, user(), empty, user()) == {"messages": [{"role": "user", "content": texts}]}


def test_an_open_loop_ends_with_results() -> None:
    call = Turn(role="assistant", parts=[ToolCall(id="a", name="f")])
    result = Turn(role="user", parts=[ToolResult(call="a")])
    assert unsealed_loop(Request(dialect="chat", turns=[call, result]))
    assert not unsealed_loop(Request(dialect="chat", turns=[call, result, user()]))
    assert not unsealed_loop(Request(dialect="chat"))

"""Tool calls in messages."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.crossings import into, lost, same
from tests.wire.chat.golden import call

from farthing.wire.canon import CacheMark, Opaque, Signature, ToolCall
from farthing.wire.chat.calls import read_calls, write_calls
from farthing.wire.take import Taker

CUSTOM = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}


def test_calls_are_read() -> None:
    message = Taker({"tool_calls": [call("f", '{"a":1}', "c1", index=0), CUSTOM]})
    assert read_calls(message) == [
        ToolCall(id="c1", name="f", arguments='{"a":1}', form="indexed"),
        ToolCall(id="c", name="sql", arguments="select 1", custom=True),
    ]
    assert message.left == {}


@pytest.mark.parametrize(
    "one",
    [
        call("f", "{}"),
        call("f", "{}", index=0),
        call("f", "{}", index=5),
        CUSTOM,
        {"function": {"name": "f"}},
        {"type": "", "id": "", "function": {"name": "f", "arguments": {"a": 1}, "x": None}},
        {"type": "function", "function": None},
        call("f", "{}", cache_control={"type": "ephemeral"}),
        call("f", "{}", custom={"name": ""}),
    ],
)
def test_a_call_is_written_back(one: dict[str, Any]) -> None:
    told = {"tool_calls": [one]}
    assert write_calls(read_calls(Taker(told)), same()) == told


def test_a_call_of_another_kind_is_opaque() -> None:
    (read,) = read_calls(Taker({"tool_calls": [{"type": "mcp"}]}))
    assert isinstance(read, Opaque)


def test_the_older_spelling() -> None:
    told = {"function_call": {"name": "f", "arguments": "{}"}}
    (read,) = read_calls(Taker(told))
    assert (read.name, read.arguments) == ("f", "{}")  # type: ignore[union-attr]
    assert write_calls([read], same()) == told


def test_another_dialect_s_calls_are_sent() -> None:
    crossing = into()
    calls = [
        ToolCall(id="x", name="f", arguments='{"a": 1}', cache=CacheMark()),
        ToolCall(id="", name="g", signature=Signature(value="S", vendor="gemini")),
        ToolCall(id="z", name="sql", custom=True),
    ]
    assert write_calls(list(calls), crossing) == {
        "tool_calls": [
            {"id": "x", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
            {"id": "call_1", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            {"id": "z", "type": "custom", "custom": {"name": "sql", "input": ""}},
        ]
    }
    assert lost(crossing) == {"cache_control": "hint", "tool_calls.signature": "hint"}

"""What an assistant said."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.crossings import into, same
from tests.wire.chat.golden import call

from farthing.wire.canon import Media, Part, Reasoning, Refusal, Text, ToolCall
from farthing.wire.chat.said import read_said, write_said
from farthing.wire.take import Taker

MESSAGES: list[dict[str, Any]] = [
    {},
    {"content": ""},
    {"content": "a"},
    {"content": [], "tool_calls": [], "annotations": [], "reasoning_details": []},
    {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    {"reasoning": "", "reasoning_content": "", "refusal": ""},
    {"refusal": "no", "content": [{"type": "refusal", "refusal": "No"}]},
    {"content": "a", "audio": {"id": "x", "transcript": "t", "data": "AA"}},
    {"audio": {}},
    {"content": "a", "tool_calls": [call("f", "{}")], "cache_control": {"type": "ephemeral"}},
]


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_are_written_back(message: dict[str, Any]) -> None:
    taker = Taker(message)
    parts, words = read_said(taker)
    assert taker.left == {}
    assert write_said(parts, words, same()) == message


def test_the_parts_are_in_the_order_they_were_made() -> None:
    message = {"tool_calls": [call("f", "{}")], "content": "a", "reasoning": "hm", "refusal": "no"}
    parts, _ = read_said(Taker(message))
    assert [type(part) for part in parts] == [Reasoning, Text, Refusal, ToolCall]


def test_a_sound_has_its_words_beside_it() -> None:
    parts, _ = read_said(Taker({"audio": {"id": "x", "transcript": "t", "data": "AA"}}))
    assert [type(part) for part in parts] == [Text, Media]


def test_another_dialect_s_parts() -> None:
    parts: list[Part] = [
        Text(text="a"),
        Refusal(text="no", form="part"),
        ToolCall(id="c", name="f"),
    ]
    assert write_said(parts, [], into()) == {
        "content": "a",
        "refusal": "no",
        "tool_calls": [call("f", "{}", "c")],
    }

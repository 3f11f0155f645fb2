"""What is read of content blocks."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.messages.golden import CITATIONS, PNG

from farthing.wire.canon import (
    CacheMark,
    Citation,
    Media,
    Opaque,
    Part,
    Reasoning,
    Signature,
    Text,
    ToolCall,
    ToolResult,
)
from farthing.wire.messages.parts import lacking, overlay, read_part, word
from farthing.wire.take import Taker

SEAL = Signature(value="c2ln", vendor="messages")

CASES: list[tuple[dict[str, Any], Part]] = [
    (
        {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        Text(text="Hi", cache=CacheMark(ttl="1h")),
    ),
    (
        {"type": "text", "text": "Hi", "cache_control": {"type": "eternal"}},
        Text(text="Hi", rest={"cache_control": {"type": "eternal"}}),
    ),
    (
        {"type": "image", "source": PNG},
        Media(kind="image", mime="image/png", data=PNG["data"], form="base64"),
    ),
    (
        {"type": "document", "source": {"type": "file", "file_id": "f"}, "title": "T"},
        Media(kind="document", file="f", name="T", form="file"),
    ),
    (
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "W"}},
        Media(kind="document", mime="text/plain", data="W", form="text"),
    ),
    (
        {"type": "document", "source": {"type": "content", "content": "W"}},
        Media(
            kind="document",
            mime="text/plain",
            data="W",
            form="text",
            rest={"source": {"type": "content", "content": "W"}},
        ),
    ),
    (
        {"type": "tool_use", "id": "t", "name": "n", "input": {"ö": [1, 2.5]}},
        ToolCall(id="t", name="n", arguments='{"ö":[1,2.5]}'),
    ),
    (
        {"type": "tool_result", "tool_use_id": "t", "content": "No.", "is_error": True},
        ToolResult(call="t", parts=[Text(text="No.")], error=True, form="string"),
    ),
    (
        {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": PNG}]},
        ToolResult(
            call="t",
            parts=[Media(kind="image", mime="image/png", data=PNG["data"], form="base64")],
            form="blocks",
        ),
    ),
    (
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        Reasoning(text="Hm.", signature=SEAL),
    ),
    (
        {"type": "redacted_thinking", "data": "c2VjcmV0"},
        Reasoning(encrypted="c2VjcmV0", form="redacted"),
    ),
    (
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        Opaque(
            type="server_tool_use",
            rest={"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        ),
    ),
    ({"type": "text", "text": None}, Opaque(type="text", rest={"type": "text", "text": None})),
    (
        {"type": "tool_use", "id": "t"},
        Opaque(type="tool_use", rest={"type": "tool_use", "id": "t"}),
    ),
    ({"type": 5}, Opaque(type="", rest={"type": 5})),
]


@pytest.mark.parametrize(("block", "part"), CASES)
def test_a_block_is_read(block: dict[str, Any], part: Part) -> None:
    assert read_part(block) == part


def test_citations_are_read() -> None:
    part = read_part({"type": "text", "text": "So.", "citations": CITATIONS[:3]})
    assert isinstance(part, Text)
    web, place, found = part.citations
    assert (web.url, web.title, web.quoted) == ("https://a", "A", "Words.")
    assert (place.title, place.quoted, place.start) == ("D", "Words.", None)
    assert isinstance(found, Citation)
    assert found.rest["source"] == "https://a"


def test_a_result_in_a_result_is_opaque() -> None:
    inner = {"type": "tool_result", "tool_use_id": "t2", "content": []}
    part = read_part({"type": "tool_result", "tool_use_id": "t1", "content": [inner]})
    assert isinstance(part, ToolResult)
    assert part.parts == [Opaque(type="tool_result", rest=inner)]


def test_an_empty_word_stays() -> None:
    taker = Taker({"a": "", "b": "x", "c": 1})
    assert [word(taker, key) for key in "abcd"] == ["", "x", "", ""]
    assert taker.left == {"a": "", "c": 1}


def test_what_lacks_is_told() -> None:
    taker = Taker({"type": "message", "role": "user"})
    assert lacking(taker, {"type": "message", "role": "assistant", "content": []}) == "role content"
    assert taker.left == {"role": "user"}


def test_an_overlay_is_one_object_deep() -> None:
    out = overlay({"a": {"b": 1}, "c": 2}, {"a": {"d": 3}, "c": {"e": 4}})
    assert out == {"a": {"b": 1, "d": 3}, "c": {"e": 4}}

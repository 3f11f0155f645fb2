"""Content blocks: what is read of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.wire.converse.golden import BLOCKS, MARK, PNG

from farthing.errors import Malformed
from farthing.wire.canon import (
    CacheMark,
    Citation,
    Media,
    Opaque,
    Reasoning,
    Signature,
    Text,
    ToolCall,
    ToolResult,
)
from farthing.wire.converse.parts import read_mark, read_part, read_parts

READ: dict[str, Any] = {
    "text": Text(text="Hello"),
    "image": Media(kind="image", data=PNG, mime="image/png"),
    "tool use": ToolCall(id="tooluse_1", name="weather", arguments='{"city":"Łódź"}'),
    "tool use of no object": ToolCall(id="t", name="echo", arguments='["a",1]'),
    "tool use without input": ToolCall(id="t", name="now", form="bare typed"),
    "reasoning": Reasoning(
        text="Hm.", signature=Signature(value="c2ln", vendor="converse"), form="text"
    ),
    "redacted reasoning": Reasoning(encrypted="c2VjcmV0"),
    "tool result": ToolResult(call="tooluse_1", parts=[Text(text="7 °C")], form="content status"),
    "unknown": Opaque(type="hologram", rest={"hologram": {"depth": 3}}),
    "nothing": Opaque(type=""),
}


@pytest.mark.parametrize("name", READ)
def test_a_block_is_read(name: str) -> None:
    assert read_part(BLOCKS[name]) == READ[name]


def test_results_are_read_with_their_media_and_json() -> None:
    result = read_part(BLOCKS["tool result of all kinds"])
    assert isinstance(result, ToolResult)
    assert result.error
    told, image, document, video, search = result.parts
    assert told == Text(text='{"celsius":7.5,"rain":null}', form="json")
    assert isinstance(image, Media)
    assert isinstance(document, Media)
    assert isinstance(video, Media)
    assert (image.mime, document.mime, video.mime) == ("image/gif", "text/csv", "video/mp4")
    assert isinstance(search, Opaque)


def test_citations_are_read() -> None:
    text = read_part(BLOCKS["citations"])
    assert isinstance(text, Text)
    assert text.text == "Twenty days."
    first, second = text.citations
    assert (first.title, first.quoted) == ("Policy", "20 days of leave")
    assert first.rest["location"] == {"documentChar": {"documentIndex": 0, "start": 4, "end": 20}}
    assert (first.start, first.end) == (None, None), "a place in the source, not in the text"
    assert second == Citation(
        url="https://example.com/a", rest={"location": {"web": {"domain": "example.com"}}}
    )


def test_a_mark_is_on_the_part_before_it() -> None:
    hour = {"cachePoint": {"type": "default", "ttl": "1h"}}
    parts = read_parts([{"text": "a"}, hour, {"text": "b"}, MARK, MARK])
    assert parts == [
        Text(text="a", cache=CacheMark(ttl="1h")),
        Text(text="b", cache=CacheMark()),
        Opaque(type="cachePoint", rest=MARK),
    ]


def test_a_mark_without_a_part_stays_where_it_is() -> None:
    parts = read_parts([MARK, BLOCKS["redacted reasoning"], MARK])
    assert [type(part) for part in parts] == [Opaque, Reasoning, Opaque]


@pytest.mark.parametrize("block", [{}, {"cachePoint": 1}, {**MARK, "text": 1}])
def test_what_is_no_mark(block: dict[str, Any]) -> None:
    assert read_mark(block) is None


def test_what_stands_beside_a_part_is_kept_apart_from_what_is_within() -> None:
    call = read_part(BLOCKS["keys beside"])
    assert call.rest == {"odd": 1, "*": {"more": 2}}


def test_input_nested_too_deep_is_malformed() -> None:
    deep: Any = []
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(Malformed):
        read_part({"toolUse": {"input": deep}})
    while deep:
        deep = deep[0]


def test_reading_shares_no_defaults() -> None:
    first, second = read_part({"text": "a"}), read_part({"text": "b"})
    assert first.rest is not second.rest
    assert msgspec.structs.replace(first) == first

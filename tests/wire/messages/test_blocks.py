"""Parts of other dialects as content blocks."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.messages.crossings import into, lost

from farthing.errors import Malformed
from farthing.wire.canon import (
    CacheMark,
    Citation,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Signature,
    Text,
    ToolCall,
    ToolResult,
)
from farthing.wire.messages.blocks import Blocks, call_id, parse

OURS = Signature(value="c2ln", vendor="messages")
THEIRS = Signature(value="x", vendor="gemini")


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


# part, block, losses; in a request
CASES: list[tuple[Part, Any, dict[str, str]]] = [
    (Text(text="Hi", form="theirs"), text("Hi"), {}),
    (Text(text=" \n"), None, {}),
    (Text(text="Hi", rest={"odd": 1, "no": None}), text("Hi"), {"text.odd": "shape"}),
    (
        Text(text="Hi", cache=CacheMark(ttl="1h")),
        {**text("Hi"), "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {},
    ),
    (
        Text(text="Hi", cache=CacheMark(ttl="24h")),
        {**text("Hi"), "cache_control": {"type": "ephemeral"}},
        {"cache lifetime": "hint"},
    ),
    (Text(text="So.", citations=[Citation(url="u")]), text("So."), {"citations": "shape"}),
    (Text(text="So.", signature=THEIRS), text("So."), {"reasoning signature": "hint"}),
    (
        Media(kind="image", mime="image/png", data="iVBORw0KGgo=", detail="low", name="a.png"),
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
        },
        {"detail": "hint"},
    ),
    (
        Media(kind="image", data="/9j/4AAQ"),
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/4AAQ"},
        },
        {},
    ),
    (
        Media(kind="image", url="https://a/b.png", detail="auto"),
        {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
        {},
    ),
    (Media(kind="image", url="gs://a/b.png"), None, {"image (other source)": "meaning"}),
    (Media(kind="image", file="file_1"), None, {"image (file id)": "meaning"}),
    (Media(kind="image", data="AAAA", mime="image/bmp"), None, {"image (image/bmp)": "meaning"}),
    (
        Media(kind="document", data="JVBERi0xLjc=", name="a.pdf"),
        {
            "type": "document",
            "title": "a.pdf",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjc="},
        },
        {},
    ),
    (
        Media(kind="document", data="V29yZHM=", mime="text/csv"),
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Words"},
        },
        {},
    ),
    (
        Media(kind="document", data="Words", mime="text/plain", form="text"),
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Words"},
        },
        {},
    ),
    (
        Media(kind="document", data="/w==", mime="text/plain"),
        None,
        {"document (text/plain)": "meaning"},
    ),
    (Media(kind="audio", data="AA", mime="audio/wav"), None, {"audio (audio/wav)": "meaning"}),
    (Media(kind="video", url="https://a/b.mp4"), None, {"video (other source)": "meaning"}),
    (
        ToolCall(id="call_1", name="f", arguments='{"a": 1}', form="theirs"),
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
        {},
    ),
    (
        ToolCall(id="", name="f.g", arguments="", signature=THEIRS),
        {"type": "tool_use", "id": "toolu_f_g", "name": "f.g", "input": {}},
        {"reasoning signature": "hint"},
    ),
    (
        ToolCall(id="c", name="f", arguments="print", custom=True),
        None,
        {"call of a custom tool": "meaning"},
    ),
    (
        ToolResult(call="c", name="f", parts=[Text(text="A")]),
        {"type": "tool_result", "tool_use_id": "c", "content": "A"},
        {},
    ),
    (
        ToolResult(
            call="c",
            parts=[Text(text="A"), Media(kind="image", url="https://a")],
            error=True,
            cache=CacheMark(),
        ),
        {
            "type": "tool_result",
            "tool_use_id": "c",
            "content": [
                text("A"),
                {"type": "image", "source": {"type": "url", "url": "https://a"}},
            ],
            "is_error": True,
            "cache_control": {"type": "ephemeral"},
        },
        {},
    ),
    (ToolResult(call="c"), {"type": "tool_result", "tool_use_id": "c"}, {}),
    (
        ToolResult(call="c", parts=[Opaque(type="odd"), Reasoning(text="Hm.")]),
        {"type": "tool_result", "tool_use_id": "c"},
        {"odd in a tool's result": "meaning", "Reasoning in a tool's result": "meaning"},
    ),
    (
        Reasoning(text="Hm.", signature=OURS),
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {},
    ),
    (Reasoning(text="Hm.", signature=THEIRS), None, {"reasoning": "hint"}),
    (Reasoning(encrypted="x", form="redacted"), None, {"reasoning": "hint"}),
    (Refusal(text="No."), text("No."), {}),
    (Opaque(type="odd", rest={"type": "odd"}), None, {"part `odd`": "meaning"}),
]


@pytest.mark.parametrize(("part", "block", "losses"), CASES)
def test_a_part_of_a_request(part: Part, block: Any, losses: dict[str, str]) -> None:
    crossing = into()
    assert Blocks(crossing).write([part]) == ([] if block is None else [block])
    assert lost(crossing) == losses


ANSWERS: list[tuple[Part, Any, dict[str, str]]] = [
    (Text(text=""), text(""), {}),
    (Text(text="So.", cache=CacheMark()), text("So."), {}),
    (
        Text(text="So.", citations=[Citation(url="u", title="T", quoted="Q", start=0, end=3)]),
        {
            **text("So."),
            "citations": [
                {
                    "type": "web_search_result_location",
                    "url": "u",
                    "title": "T",
                    "cited_text": "Q",
                    "encrypted_index": "",
                }
            ],
        },
        {"the places of citations": "shape"},
    ),
    (Text(text="So.", citations=[Citation(title="T")]), text("So."), {"citations": "shape"}),
    (
        Reasoning(text="Hm.", signature=THEIRS),
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"reasoning signature": "hint"},
    ),
    (Reasoning(text="Hm."), {"type": "thinking", "thinking": "Hm.", "signature": ""}, {}),
    (Reasoning(encrypted="x"), None, {"reasoning": "hint"}),
]


@pytest.mark.parametrize(("part", "block", "losses"), ANSWERS)
def test_a_part_of_an_answer(part: Part, block: Any, losses: dict[str, str]) -> None:
    crossing = into()
    assert Blocks(crossing, answer=True).block(part) == block
    assert lost(crossing) == losses


def test_a_call_and_its_result_get_the_same_allowed_id() -> None:
    told = "functions.weather:0"
    written = call_id(told, "weather")
    assert written == call_id(told, "")
    assert written.startswith("functions_weather_0_")
    assert written != call_id("functions:weather.0", "weather")
    assert call_id("toolu_1-a", "weather") == "toolu_1-a"


@pytest.mark.parametrize("arguments", ["x", "[]", "null", '"a"', '{"a":', '{"a": NaN}', "[" * 9999])
def test_arguments_that_are_no_object_are_malformed(arguments: str) -> None:
    with pytest.raises(Malformed):
        parse(arguments)
    assert parse("") == {}

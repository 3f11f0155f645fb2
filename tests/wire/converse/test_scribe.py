"""Content blocks: what is written of other dialects' parts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.converse.golden import PNG

from farthing.errors import Malformed
from farthing.wire.canon import (
    CacheMark,
    Citation,
    Media,
    Part,
    Reasoning,
    Refusal,
    Signature,
    Text,
    ToolCall,
    ToolResult,
)
from farthing.wire.converse.scribe import Scribe, tool_id, write_mark
from farthing.wire.crossing import Crossing

THEIRS = Signature(value="eA==", vendor="gemini")


def write(*parts: Part, answering: bool = False) -> tuple[list[Any], set[tuple[str, str]]]:
    crossing = Crossing("chat", "converse")
    blocks = Scribe(crossing, answering=answering).blocks(list(parts))
    return blocks, {(loss.what, loss.severity) for loss in crossing.losses}


CASES: dict[str, tuple[Part, list[Any], set[tuple[str, str]]]] = {
    "text": (Text(text="a"), [{"text": "a"}], set()),
    "empty text": (Text(text=""), [], set()),
    "refusal": (Refusal(text="No."), [{"text": "No."}], set()),
    "signed text": (
        Text(text="a", signature=THEIRS),
        [{"text": "a"}],
        {("signature", "hint")},
    ),
    "cited text": (
        Text(text="a", citations=[Citation(url="https://example.com")]),
        [{"text": "a"}],
        {("citations", "shape")},
    ),
    "marked text": (
        Text(text="a", cache=CacheMark(ttl="30m")),
        [{"text": "a"}, {"cachePoint": {"type": "default"}}],
        {("cache lifetime", "hint")},
    ),
    "image by url": (
        Media(kind="image", url="https://example.com/a.png"),
        [],
        {("image by URL", "meaning")},
    ),
    "signed call": (
        ToolCall(id="c", name="n", arguments="{}", signature=THEIRS),
        [{"toolUse": {"toolUseId": "c", "name": "n", "input": {}}}],
        {("signature", "hint")},
    ),
    "custom call": (
        ToolCall(id="c", name="n", arguments="ls -l", custom=True),
        [{"toolUse": {"toolUseId": "c", "name": "n", "input": {"input": "ls -l"}}}],
        {("arguments of custom tool n", "meaning")},
    ),
    "result with an image": (
        ToolResult(call="c", parts=[Media(kind="image", data=PNG, cache=CacheMark())]),
        [
            {
                "toolResult": {
                    "toolUseId": "c",
                    "content": [{"image": {"format": "png", "source": {"bytes": PNG}}}],
                }
            }
        ],
        {("cache mark in a tool result", "hint")},
    ),
    "result with a call": (
        ToolResult(call="c", parts=[ToolCall(id="d", name="n")]),
        [{"toolResult": {"toolUseId": "c", "content": []}}],
        {("part of a tool result", "meaning")},
    ),
    "encrypted reasoning": (
        Reasoning(encrypted="eA=="),
        [],
        {("reasoning", "hint")},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_part_of_a_request(name: str) -> None:
    part, blocks, losses = CASES[name]
    assert write(part) == (blocks, losses)


def test_an_answer_shows_its_reasoning_and_its_citations() -> None:
    cited = Citation(title="T", url="https://example.com", quoted="q", start=0)
    blocks, losses = write(
        Reasoning(text="Hm.", signature=THEIRS),
        Reasoning(encrypted="eA=="),
        Text(text="a", citations=[cited]),
        answering=True,
    )
    assert blocks == [
        {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
        {
            "citationsContent": {
                "content": [{"text": "a"}],
                "citations": [
                    {
                        "title": "T",
                        "sourceContent": [{"text": "q"}],
                        "location": {"web": {"url": "https://example.com"}},
                    }
                ],
            }
        },
    ]
    assert losses == {
        ("reasoning", "hint"),
        ("signature", "hint"),
        ("place of a citation in the text", "shape"),
    }


def test_calls_without_ids_are_answered_in_order() -> None:
    blocks, _ = write(
        ToolCall(id="", name="a"),
        ToolCall(id="", name="b"),
        ToolResult(call=""),
        ToolResult(call=""),
        ToolResult(call=""),
    )
    ids = [block[key]["toolUseId"] for block in blocks for key in block]
    assert ids == ["tooluse_1", "tooluse_2", "tooluse_1", "tooluse_2", "tooluse_0"]


@pytest.mark.parametrize("arguments", ["[]", "{", '"text"', "null", "[" * 100_000])
def test_arguments_must_be_an_object(arguments: str) -> None:
    with pytest.raises(Malformed):
        write(ToolCall(id="c", name="n", arguments=arguments))


def test_a_mark_of_this_dialect() -> None:
    crossing = Crossing("converse", "converse")
    assert write_mark(CacheMark(ttl="2h", form="untyped"), crossing) == {
        "cachePoint": {"ttl": "2h"}
    }
    assert not crossing.losses


@given(st.text())
def test_ids_are_such_as_this_dialect_takes(told: str) -> None:
    name = tool_id(told)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{0,64}", name)
    assert bool(name) == bool(told)
    assert tool_id(name) == name


def test_long_ids_stay_apart() -> None:
    assert tool_id("a" * 65) != tool_id("a" * 66)
    assert tool_id("a" * 64) == "a" * 64

"""Pieces of tool calls."""

from __future__ import annotations

from typing import Any

from tests.wire.chat.golden import piece

from farthing.wire.canon import ToolCall
from farthing.wire.chat.pieces import read_pieces
from farthing.wire.chat.track import Track
from farthing.wire.events import Event, More, Open


def told(*pieces: Any) -> tuple[list[ToolCall], dict[int, str]]:
    """Return the calls, and the arguments of each part, of pieces that come one by one."""
    track, events = Track(0), list[Event]()
    for one in pieces:
        read_pieces({"tool_calls": [one]}, "p", track, events)
    calls = [e.content for e in events if isinstance(e, Open) and isinstance(e.content, ToolCall)]
    texts: dict[int, str] = {}
    for event in events:
        if isinstance(event, More):
            texts[event.part] = texts.get(event.part, "") + event.text
    return calls, texts


def ids(calls: list[ToolCall]) -> list[str]:
    return [call.id for call in calls]


def test_pieces_are_tied_by_index() -> None:
    calls, texts = told(
        piece(0, "f", id="a"), piece(1, "g", id="b"), piece(1, None, "y"), piece(0, None, "x")
    )
    assert ids(calls) == ["a", "b"]
    assert texts == {0: "x", 1: "y"}


def test_a_repeated_id_is_the_same_call() -> None:
    calls, texts = told(piece(0, "f", "{", id="a"), piece(0, "f", "}", id="a"))
    assert ids(calls) == ["a"]
    assert texts == {0: "{}"}


def test_a_new_id_and_name_at_the_same_index_are_a_new_call() -> None:
    calls, texts = told(piece(0, "f", "{}", id="a"), piece(0, "f", "{}", id="b"))
    assert ids(calls) == ["a", "b"]
    assert texts == {0: "{}", 1: "{}"}


def test_without_an_index_the_id_ties() -> None:
    calls, texts = told(
        piece(None, "f", "{", id="a"), piece(None, None, "}"), piece(None, "g", "{}", id="b")
    )
    assert ids(calls) == ["a", "b"]
    assert texts == {0: "{}", 1: "{}"}


def test_a_call_begins_with_its_name() -> None:
    calls, texts = told(piece(0, "", "{", id="a"), piece(0, "f", "}"))
    assert calls == [ToolCall(id="a", name="f")]
    assert texts == {0: "{}"}


def test_a_call_without_an_id_gets_one() -> None:
    calls, _ = told(piece(0, "f"))
    assert ids(calls) == ["call_0_0"]


def test_free_text() -> None:
    calls, texts = told({"index": 0, "id": "a", "custom": {"name": "sql", "input": "select"}})
    assert calls == [ToolCall(id="a", name="sql", custom=True)]
    assert texts == {0: "select"}


def test_the_older_spelling() -> None:
    track, events = Track(0), list[Event]()
    read_pieces({"function_call": {"name": "f", "arguments": "{}"}}, "p", track, events)
    assert events == [
        Open(answer=0, part=0, content=ToolCall(id="function_call", name="f")),
        More(answer=0, part=0, text="{}", form="p.function_call.arguments"),
    ]

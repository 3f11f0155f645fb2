"""Deltas."""

from __future__ import annotations

from typing import Any

from tests.wire.chat.golden import NOTE, TOKEN

from farthing.wire.canon import Opaque, Reasoning, Refusal, Signature, Text
from farthing.wire.chat.delta import read_delta
from farthing.wire.chat.track import Track
from farthing.wire.events import Event, More, Open, Shut


def told(*deltas: dict[str, Any], logprobs: object = None) -> list[Event]:
    track, events = Track(0), list[Event]()
    for one in deltas:
        read_delta(one, logprobs, "d", track, events)
    return events


def texts(events: list[Event]) -> list[tuple[int, str, str]]:
    return [(e.part, e.text, e.form) for e in events if isinstance(e, More)]


def test_text() -> None:
    assert told({"role": "assistant", "content": ""}, {"content": "a"}, {"content": "b"}) == [
        Open(answer=0, part=0, content=Text(text="")),
        More(answer=0, part=0, text="a", form="d.content"),
        More(answer=0, part=0, text="b", form="d.content"),
    ]


def test_a_part_ends_where_another_begins() -> None:
    events = told({"reasoning_content": "a"}, {"content": "b"}, {"refusal": "c"})
    parts = [e.content for e in events if isinstance(e, Open)]
    assert parts == [
        Reasoning(form="reasoning_content"),
        Text(text=""),
        Refusal(text=""),
    ]
    assert [e.part for e in events if isinstance(e, Shut)] == [0, 1]


def test_reasoning_that_is_told_twice_is_read_once() -> None:
    detail = {"type": "reasoning.text", "text": "a", "signature": "S"}
    events = told({"reasoning": "a", "reasoning_details": [detail]})
    assert texts(events)[0] == (0, "a", "d.reasoning_details.0.text d.reasoning")
    assert events[-1] == More(answer=0, part=0, signature=Signature(value="S", vendor="chat"))


def test_encrypted_reasoning_is_a_part_of_its_own() -> None:
    events = told({"reasoning_details": [{"type": "reasoning.encrypted", "data": "E"}]})
    assert events == [Open(answer=0, part=0, content=Reasoning(encrypted="E"))]


def test_content_that_is_an_array() -> None:
    thinking = {"type": "thinking", "thinking": [{"text": "a"}]}
    events = told({"content": [thinking, {"type": "text", "text": "b"}, {"type": "new"}]})
    assert texts(events) == [
        (0, "a", "d.content.0.thinking.0.text"),
        (1, "b", "d.content.1.text"),
    ]
    assert events[-1] == Open(answer=0, part=2, content=Opaque(type="new", rest={"type": "new"}))


def test_citations_go_to_the_open_text() -> None:
    assert [e for e in told({"annotations": [NOTE]}) if isinstance(e, More)] == []
    more = told({"content": "a", "annotations": [NOTE, 5]})[-1]
    assert isinstance(more, More)
    assert more.citation is not None
    assert more.citation.url == "https://e.x"


def test_log_probabilities_go_with_the_text() -> None:
    more = told({"content": "a"}, logprobs={"content": [TOKEN]})[-1]
    assert isinstance(more, More)
    assert [token.token for token in more.logprobs] == ["a"]
    assert told({}, logprobs={"content": [TOKEN]}) == []

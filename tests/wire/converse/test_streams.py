"""Streams, read."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.converse.golden import STREAMS, USAGE

from farthing.wire.canon import Opaque, Reasoning, Signature, Stop, Text, ToolCall
from farthing.wire.codec import WireEvent
from farthing.wire.converse.answers import read_response, write_response
from farthing.wire.converse.streams import ConverseStreamReader
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.fold import fold


def read(stream: list[tuple[str, Any]]) -> list[Event]:
    reader = ConverseStreamReader()
    return [event for name, data in stream for event in reader.read(WireEvent(data, name))]


def test_a_text() -> None:
    events = read(STREAMS["text"])
    assert [type(event) for event in events] == [
        Begin,
        Open,
        More,
        More,
        Shut,
        Finish,
        Count,
        End,
    ]
    assert [event.text for event in events if isinstance(event, More)] == ["Hel", "lo"]
    assert not [event for event in events if "p" in event.rest], "padding is no loss"


def test_a_stream_folds_into_the_answer_it_is() -> None:
    response = fold(read(STREAMS["tools"]))
    (answer,) = response.answers
    assert answer.stop == Stop(kind="tool_calls", told="tool_use")
    reasoning, text, weather, now = answer.parts
    seal = Signature(value="c2ln", vendor="converse")
    assert reasoning == Reasoning(text="Hm.", signature=seal)
    assert text == Text(text="Let me see.")
    assert weather == ToolCall(id="t1", name="weather", arguments='{"city":"Rome"}')
    assert isinstance(now, ToolCall)
    assert (now.id, now.arguments) == ("t2", "")
    assert response.tally is not None
    assert response.tally.usage == Usage(input=12, output=5)
    whole = write_response(response, Crossing("converse", "converse"))
    assert whole["usage"] == USAGE
    assert read_response(whole).answers[0].stop == answer.stop


def test_citations_are_of_their_text() -> None:
    (text,) = fold(read(STREAMS["citations"])).answers[0].parts
    assert isinstance(text, Text)
    assert text.text == "Twenty days."
    assert [(c.title, c.quoted) for c in text.citations] == [("Policy", "20 days")]


def test_redacted_reasoning() -> None:
    (part,) = fold(read(STREAMS["redacted"])).answers[0].parts
    assert part == Reasoning(encrypted="eA==")


def test_an_exception_breaks_the_stream_off() -> None:
    fault = read(STREAMS["broken off"])[-1]
    assert isinstance(fault, Fault)
    problem = fault.problem
    assert (problem.status, problem.kind) == (429, "throttlingException")
    assert problem.message == "Too many requests"


@pytest.mark.parametrize("name", STREAMS)
def test_the_grammar_holds(name: str) -> None:
    """Begin is first; parts are opened in order, once, and shut before Finish, which is once."""
    events = [event for event in read(STREAMS[name]) if not isinstance(event, Idle | Fault)]
    assert isinstance(events[0], Begin)
    assert sum(isinstance(event, Begin) for event in events) == 1
    opened, shut = 0, set()
    for event in events:
        if isinstance(event, Open):
            assert event.part == opened
            opened += 1
        elif isinstance(event, More | Shut):
            assert event.part < opened
            assert event.part not in shut
            shut |= {event.part} if isinstance(event, Shut) else set()
        elif isinstance(event, Finish):
            assert len(shut) == opened
    assert sum(isinstance(event, Finish) for event in events) <= 1


def test_every_event_says_something() -> None:
    for stream in STREAMS.values():
        reader = ConverseStreamReader()
        for name, data in stream:
            assert reader.read(WireEvent(data, name))


def test_a_delta_that_is_not_of_its_block_adds_nothing_to_it() -> None:
    events = read(STREAMS["odd"])
    first = fold(event for event in events if not isinstance(event, Fault)).answers[0].parts[0]
    assert first == Text(text="a")


def test_a_block_of_a_new_kind_is_opaque() -> None:
    opened = [event.content for event in read(STREAMS["odd"]) if isinstance(event, Open)]
    image = Opaque(type="image", rest={"start": {"image": {"format": "png"}}})
    assert image in opened


def test_the_end_is_once_and_needs_no_usage() -> None:
    bare: tuple[str, Any] = ("metadata", {"metrics": {}})
    assert [type(event) for event in read([STREAMS["text"][0], bare, bare])] == [
        Begin,
        Idle,
        End,
        Idle,
    ]

"""Streams as canonical events."""

from __future__ import annotations

from typing import Any

from tests.wire.messages.golden import BEGIN, STOP, STREAMS, delta, message_delta, start, stop

from farthing.wire.canon import Opaque, Problem, Reasoning, Signature, Stop, Tally, Text, ToolCall
from farthing.wire.codec import WireEvent
from farthing.wire.dialect import Usage
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.messages.stream_reader import Reader


def read(stream: list[Any]) -> list[Event]:
    reader = Reader()
    return [
        event
        for data in stream
        for event in reader.read(WireEvent(data=data, name=data["type"] if data else ""))
    ]


BEGUN = Begin(
    dialect="messages",
    id="msg_1",
    model="m-1",
    tally=Tally(usage=Usage(input=10, output=1), rest={"input_tokens": 10, "output_tokens": 1}),
    form="stop_details",  # it lacks those
)


def more(part: int, text: str, **fields: Any) -> More:
    return More(answer=0, part=part, text=text, **fields)


def ended(kind: Any, told: str) -> list[Event]:
    """The end of the golden streams: the last usage, with the input that the first one told."""
    tally = Tally(usage=Usage(input=10, output=20), rest={"output_tokens": 20})
    return [
        Finish(answer=0, stop=Stop(kind=kind, told=told), form="stop_sequence"),
        Count(tally=tally),
        End(),
    ]


def test_a_stream_of_calls_is_read() -> None:
    seal = Signature(value="c2ln", vendor="messages")
    assert read(STREAMS["calls"]) == [
        BEGUN,
        Open(answer=0, part=0, content=Reasoning(form="unsigned")),
        more(0, "Hm.", rest={"delta": {"estimated_tokens": 3}}),
        more(0, "", signature=seal),
        Shut(answer=0, part=0),
        Open(answer=0, part=1, content=Reasoning(encrypted="c2VjcmV0", form="redacted")),
        Shut(answer=0, part=1),
        Open(answer=0, part=2, content=ToolCall(id="t1", name="weather")),
        more(2, '{"city":'),
        more(2, '"Ö"}'),
        Shut(answer=0, part=2),
        Open(answer=0, part=3, content=ToolCall(id="t2", name="weather", arguments='{"city":"Ä"}')),
        Shut(answer=0, part=3),
        *ended("tool_calls", "tool_use"),
    ]


def test_text_is_read_with_its_citations() -> None:
    begun, opened, ping, first, second, cited, *_ = read(STREAMS["text"])
    assert begun == BEGUN
    assert opened == Open(answer=0, part=0, content=Text(text=""))
    assert ping == Idle(type="ping")
    assert [first, second] == [more(0, "Hel"), more(0, "")]
    assert isinstance(cited, More)
    assert cited.citation is not None
    assert cited.citation.url == "https://a"


def test_more_of_what_is_opaque_is_idle() -> None:
    _, opened, idle, *_ = read(STREAMS["provider's tools"][:4])
    assert isinstance(opened, Open)
    assert isinstance(opened.content, Opaque)
    assert isinstance(idle, Idle)


def test_an_error_breaks_off() -> None:
    problem = Problem(dialect="messages", status=529, message="Overloaded", kind="overloaded_error")
    assert read(STREAMS["broken off"])[-1] == Fault(problem=problem)


def test_parts_are_counted_whatever_their_index() -> None:
    _, opened, told, shut = read(
        [BEGIN, start(4, type="text", text=""), delta(4, type="text_delta", text="x"), stop(4)]
    )
    assert opened == Open(answer=0, part=0, content=Text(text=""), rest={"index": 4})
    assert told == more(0, "x", rest={"index": 4})
    assert shut == Shut(answer=0, part=0, rest={"index": 4})


def test_parts_are_shut_in_their_order() -> None:
    _, _, _, early, _, first, second, *_ = read(STREAMS["side by side"])
    assert isinstance(early, Idle)
    assert first == Shut(answer=0, part=0)
    assert second == Shut(answer=0, part=1, form="late")


def test_there_is_one_end() -> None:
    events = read([BEGIN, message_delta(None), message_delta("end_turn"), message_delta("x"), STOP])
    kinds = [type(event) for event in events]
    assert kinds == [Begin, Count, Finish, Count, Idle, End]


def test_names_are_remembered() -> None:
    reader = Reader()
    assert reader.read(WireEvent(data=BEGIN))[0].form == "stop_details unnamed"
    odd = reader.read(WireEvent(data=STOP, name="odd"))
    assert odd == [
        Idle(type="message_stop", form="raw", rest={"data": STOP, "name": "odd"}),
    ]
    assert reader.read(WireEvent(data="[DONE]")) == [
        Idle(form="raw", rest={"data": "[DONE]", "name": ""})
    ]

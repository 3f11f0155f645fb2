"""Streams, read."""

from __future__ import annotations

from typing import Any

from tests.wire.chat.golden import STREAMS, USAGE, chunk, delta

from farthing.wire.canon import Stop, Text
from farthing.wire.chat.hearing import Hearing
from farthing.wire.codec import WireEvent
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut


def heard(*stream: Any) -> list[list[Event]]:
    reader = Hearing()
    return [reader.read(WireEvent(data=data)) for data in stream]


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_stream_of_text() -> None:
    told = heard(*STREAMS["text"])
    assert [kinds(events) for events in told] == [
        ["Idle"],
        ["Begin"],
        ["Open", "More"],
        ["More"],
        ["More"],
        ["Shut", "Finish"],
        ["Count"],
        ["End"],
    ]
    begin, finish = told[1][0], told[5][1]
    assert isinstance(begin, Begin)
    assert (begin.id, begin.model, begin.created) == ("chatcmpl-1", "m", 1)
    assert finish == Finish(answer=0, stop=Stop(kind="end", told="stop"))


def test_a_chunk_like_the_last_repeats_nothing() -> None:
    (more,) = heard(*STREAMS["text"])[4]
    assert more == More(
        answer=0, part=0, text="!", form="choices.0.delta.content", rest={"chunk": None}
    )


def test_usage_is_counted_wherever_it_stands() -> None:
    told = heard(chunk(delta(content="a"), usage=USAGE), chunk(usage=None), chunk(usage=USAGE))
    counts = [event for events in told for event in events if isinstance(event, Count)]
    assert [count.tally.rest for count in counts] == [USAGE, USAGE]
    assert counts[0].tally.usage is not None


def test_several_answers_interleave() -> None:
    events = [event for told in heard(*STREAMS["two answers"]) for event in told]
    assert [e.answer for e in events if isinstance(e, Open)] == [0, 1, 1]
    stops = {e.answer: e.stop.kind for e in events if isinstance(e, Finish)}
    assert stops == {0: "end", 1: "length"}


def test_an_answer_whose_every_call_says_it_ends_ends_once() -> None:
    told = heard(*STREAMS["calls one by one, each ended"])
    assert [kinds(events) for events in told] == [
        ["Begin", "Open", "More"],
        ["Shut", "Open", "More"],
        ["Shut", "Finish"],
        ["End"],
    ]


def test_a_stream_that_only_stops_is_ended() -> None:
    told = heard(chunk(delta(content="a")), "[DONE]")
    assert kinds(told[1]) == ["Shut", "Finish", "End"]
    assert heard("[DONE]")[0][1:] == [End()]


def test_an_error_breaks_it_off() -> None:
    told = heard(chunk(delta(content="a")), {"error": {"message": "Over", "code": 429}})
    (fault,) = told[1]
    assert isinstance(fault, Fault)
    assert (fault.problem.status, fault.problem.message) == (429, "Over")
    _, fault = heard({"error": "Over", "choices": None})[0]
    assert isinstance(fault, Fault)
    assert (fault.problem.status, fault.problem.message) == (500, "Over")


def test_what_is_no_chunk_says_nothing() -> None:
    assert [kinds(events) for events in heard(5, None, "words", {})] == [["Idle"]] * 4
    assert heard("words")[0] == [Idle(type="chunk", rest={"data": "words"})]


def test_what_comes_after_the_end_says_nothing() -> None:
    assert kinds(heard("[DONE]", chunk(delta(content="a")), "[DONE]")[1]) == ["Idle"]


def test_text_after_the_stop_says_nothing() -> None:
    told = heard(chunk(delta(_stop="stop", content="a")), chunk(delta(content="b")))
    assert told[0][1:] == [
        Open(answer=0, part=0, content=Text(text="")),
        More(answer=0, part=0, text="a", form="choices.0.delta.content"),
        Shut(answer=0, part=0),
        Finish(answer=0, stop=Stop(kind="end", told="stop")),
    ]
    assert kinds(told[1]) == ["Idle"]

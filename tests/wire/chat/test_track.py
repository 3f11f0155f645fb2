"""Which parts are open."""

from __future__ import annotations

import pytest

from farthing.wire.canon import Stop, Text, ToolCall
from farthing.wire.chat.track import OpenPart, Track
from farthing.wire.events import Event, Finish, Open, Shut


@pytest.mark.parametrize(
    ("arguments", "complete"),
    [
        (None, True),
        ([], False),
        (['{"a"', ":1}"], True),
        (["{} "], True),
        (['{"a":{}'], False),
        (["}"], False),
        (["{" * 3 + "}"], False),
        (['{"a":' * 5000 + "}"], False),
    ],
)
def test_a_call_is_complete_when_its_arguments_are(
    arguments: list[str] | None, complete: bool
) -> None:
    assert OpenPart(number=0, key=None, arguments=arguments).complete() is complete


def test_parts_are_shut_in_the_order_they_were_opened() -> None:
    track, events = Track(0), list[Event]()
    first = track.begin("text", Text(text=""), events)
    assert track.current("text") is first
    call = track.begin(None, ToolCall(id="a", name="f"), events)
    track.begin("text", Text(text=""), events)  # while the call goes on
    assert call.arguments == []
    call.arguments.append("{}")
    track.begin(None, ToolCall(id="b", name="g"), events)
    track.stop = Stop(kind="end", told="stop")
    track.finish(events)
    track.finish(events)
    order = [(type(e), getattr(e, "part", None)) for e in events]
    assert order == [
        (Open, 0),
        (Shut, 0),
        (Open, 1),
        (Open, 2),
        (Shut, 1),
        (Shut, 2),
        (Open, 3),
        (Shut, 3),
        (Finish, None),
    ]


def test_an_answer_that_was_not_ended_ends_somehow() -> None:
    events: list[Event] = []
    Track(3).finish(events)
    assert events == [Finish(answer=3, stop=Stop(kind="other"))]

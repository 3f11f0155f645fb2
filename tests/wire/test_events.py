"""Stream events: each says one thing, and none shares what can be changed."""

from __future__ import annotations

from farthing.wire.canon import Stop, Text
from farthing.wire.events import End, Finish, Idle, More, Open


def test_an_event_says_where_it_belongs() -> None:
    assert (Open(answer=0, part=1, content=Text(text="")).part, More(answer=2, part=0).answer) == (
        1,
        2,
    )
    assert Finish(answer=0, stop=Stop(kind="end")).stop.kind == "end"


def test_events_are_equal_by_what_they_say() -> None:
    assert More(answer=0, part=0, text="x") == More(answer=0, part=0, text="x")
    assert More(answer=0, part=0, text="x") != More(answer=0, part=1, text="x")
    assert End() == End() and Idle(type="ping") != Idle()


def test_no_two_events_share_their_lists() -> None:
    one, two = More(answer=0, part=0), More(answer=0, part=0)
    assert one.logprobs is not two.logprobs
    assert one.rest is not two.rest

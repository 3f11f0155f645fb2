"""Server-sent events to decoded events and back, however the network cuts them."""

from __future__ import annotations

import pytest

from farthing.errors import Malformed
from farthing.wire import framing
from farthing.wire.framing import SseFraming, WireEvent

STREAM = (
    b'event: start\ndata: {"a":1}\n\n: a comment\n\ndata: {"b":[1,2]}\r\n\r\n'
    b"data: [DONE]\n\ndata: not json\n\n"
)
EVENTS = [
    WireEvent({"a": 1}, "start"),
    WireEvent({"b": [1, 2]}),
    WireEvent("[DONE]"),
    WireEvent("not json"),
]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_events_are_the_same_however_they_are_cut(size: int) -> None:
    cut = SseFraming()
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert [event for piece in pieces for event in cut.feed(piece)] == EVENTS
    assert cut.rest() == []


def test_the_last_event_may_lack_its_blank_line() -> None:
    cut = SseFraming()
    assert cut.feed(b"data: 1\n\ndata: 2") == [WireEvent(1)]
    assert cut.rest() == [WireEvent(2)]
    assert cut.rest() == []


def test_events_are_written_as_they_are_read() -> None:
    cut = SseFraming()
    written = b"".join(cut.write(event) for event in EVENTS)
    assert SseFraming().feed(written) == EVENTS
    assert written.startswith(b'event: start\ndata: {"a":1}\n\ndata: {"b"')


def test_an_event_without_end_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "EVENT_MOST", 10)
    cut = SseFraming()
    cut.feed(b"data: 1")
    with pytest.raises(Malformed):
        cut.feed(b"234567890")

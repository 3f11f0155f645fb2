"""Streams of this dialect, written back."""

from __future__ import annotations

import pytest
from tests.wire.messages.golden import STREAMS

from farthing.wire.codec import WireEvent
from farthing.wire.crossing import Crossing
from farthing.wire.messages.stream_crossing import ForeignWriter
from farthing.wire.messages.stream_reader import Reader
from farthing.wire.messages.stream_writer import SameWriter, stream_writer

SAME = Crossing("messages", "messages")


def test_the_writer_is_for_its_crossing() -> None:
    assert isinstance(stream_writer(SAME), SameWriter)
    assert isinstance(stream_writer(Crossing("chat", "messages")), ForeignWriter)


@pytest.mark.parametrize("name", STREAMS)
def test_unnamed_events_stay_unnamed(name: str) -> None:
    reader, writer = Reader(), stream_writer(SAME)
    for data in STREAMS[name]:
        event = WireEvent(data=data)
        assert writer.write(reader.read(event)) == [event]


def test_nothing_is_nothing() -> None:
    assert stream_writer(SAME).write([]) == []

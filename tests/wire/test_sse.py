"""Server-sent events: boundaries and data, held against the standard's own algorithm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.wire import sse

words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)
lines = st.one_of(
    words.map("data: {}".format),
    words.map("data:{}".format),
    words.map("event: {}".format),
    words.map("id: {}".format),
    words.map(": {}".format),
    st.just("retry: 10"),
)
streams = st.lists(st.lists(lines, min_size=1, max_size=4), max_size=6)


def dispatched(stream: bytes) -> list[bytes]:
    """Return the data of a stream's events, by the letter of the standard (section 9.2.6)."""
    found, data = [], list[bytes]()
    for line in re.split(rb"\r\n|\n|\r", stream.removeprefix(b"\xef\xbb\xbf"))[:-1]:
        field, _, value = line.partition(b":")
        if not line:
            if data:
                found.append(b"\n".join(data))
            data = []
        elif field == b"data":
            data.append(value.removeprefix(b" "))
    return found


def read(stream: bytes) -> list[bytes]:
    """Return the data of a stream's whole events, as farthing reads them."""
    whole = stream[: sse.complete_length(stream)]
    return [found for event in sse.events(whole) if b"data" in event and (found := sse.data(event))]


def end_lines(events: list[list[str]], end: str) -> bytes:
    return "".join("".join(line + end for line in event) + end for event in events).encode()


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@settings(deadline=None)
@given(streams)
def test_events_are_the_standard_s(end: str, events: list[list[str]]) -> None:
    stream = end_lines(events, end)
    assert read(stream) == [data for data in dispatched(stream) if data]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@settings(deadline=None)
@given(streams, st.integers(0, 400))
def test_an_event_that_is_cut_is_not_whole_yet(end: str, events: list[list[str]], cut: int) -> None:
    stream = end_lines(events, end)[:cut].removesuffix(b"\r")  # which may be half a line's end
    assert read(stream) == [data for data in dispatched(stream) if data]


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"\n", b"\r", b"data: x", b"y", b": z"]), max_size=12))
def test_splitting_a_block_loses_no_byte(pieces: list[bytes]) -> None:
    block = b"".join(pieces)
    assert b"".join(sse.events(block)) == block


@pytest.mark.parametrize(
    ("buffer", "length"),
    [
        (b"", 0),
        (b"data: x\n", 0),
        (b"data: x\n\n", 9),
        (b"data: x\n\ndata: y", 9),
        (b"data: x\n\ndata: y\n\n", 18),
        (b"data: x\r\n\r\n", 11),
        (b"data: x\r\n\r\ndata: y\r\n", 11),
        (b"\n\n", 2),
    ],
)
def test_the_whole_events_of_a_buffer_are_measured(buffer: bytes, length: int) -> None:
    assert sse.complete_length(buffer) == length


def test_each_event_keeps_the_blank_line_that_ends_it() -> None:
    assert list(sse.events(b"data: x\n\nevent: e\ndata: y\n\nrest")) == [
        b"data: x\n\n",
        b"event: e\ndata: y\n\n",
        b"rest",
    ]


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: x\n\n", b"x"),
        (b"data:x\n\n", b"x"),
        (b"data:  x\n\n", b" x"),
        (b"data: x \r\n\r\n", b"x "),
        (b"event: e\nid: 1\ndata: x\nretry: 3\n\n", b"x"),
        (b"data: x\ndata: y\n\n", b"x\ny"),
        (b"data: x\r\ndata: y\r\n\r\n", b"x\ny"),
        (b"data:\n\n", b""),
        (b"data: data: x\n\n", b"data: x"),
        (b": data: x\n\n", b""),
        (b"database: x\n\n", b""),
    ],
)
def test_the_data_of_an_event_is_its_data_lines(event: bytes, data: bytes) -> None:
    assert sse.data(event) == data


@pytest.mark.parametrize(
    "stream",
    [
        b"data: x\n\ndata: y\r\n\r\n",
        b"data: x\r\n\r\ndata: y\n\ndata: z\r\n\r\n",
        b"data: x\n\r\n",
    ],
)
def test_lines_may_end_in_different_ways_in_one_stream(stream: bytes) -> None:
    assert read(stream) == dispatched(stream)


@given(st.lists(st.sampled_from(["a: 1", "data: x", "", "data: \u00e9"]), min_size=1), st.data())
def test_the_event_around_a_place_is_the_one_that_splitting_finds(
    lines: list[str], data: st.DataObject
) -> None:
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    block = (end.join(["id: 0", *lines, "id: 9"]) + end).encode()
    places = [at for at, byte in enumerate(block) if byte not in b"\r\n"]
    place = data.draw(st.sampled_from(places))
    start, stop = sse.around(block, place)
    at, found = 0, b""
    for event in sse.events(block):
        if at <= place < at + len(event):
            found = event
        at += len(event)
    assert sse.data(block[start:stop]) == sse.data(found)

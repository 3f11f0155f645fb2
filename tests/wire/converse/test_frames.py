"""Frames: the published vectors, any chunking, and what is broken."""

from __future__ import annotations

import contextlib
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.errors import Malformed
from farthing.wire.converse import frames
from farthing.wire.converse.frames import (
    Decoder,
    Header,
    Message,
    encode,
    read_event,
    read_headers,
    write_event,
)
from farthing.wire.framing import WireEvent

PAYLOAD = b"{'foo':'bar'}"

# The test vectors that the AWS SDKs share.
VECTORS: dict[str, tuple[str, Message]] = {
    "empty message": ("00000010" "00000000" "05c248eb" "7d98c8ff", Message()),
    "payload, no headers": (
        "0000001d" "00000000" "fd528c5a" "7b27666f6f273a27626172277d" "c3653936",
        Message(payload=PAYLOAD),
    ),
    "a string header": (
        "0000003d" "00000020" "07fd8396"
        "0c636f6e74656e742d7479706507" "00106170706c69636174696f6e2f6a736f6e"
        "7b27666f6f273a27626172277d" "8d9c08b1",
        Message({"content-type": Header(frames.STRING, "application/json")}, PAYLOAD),
    ),
    "an int32 header": (
        "0000002d" "00000010" "41c424b8"
        "0a6576656e742d74797065" "04" "0000a00c"
        "7b27666f6f273a27626172277d" "36f480a0",
        Message({"event-type": Header(frames.INTEGER, 0xA00C)}, PAYLOAD),
    ),
}  # fmt: skip

WHOLE = bytes.fromhex(VECTORS["a string header"][0])

BROKEN: dict[str, bytes] = {
    "a header": WHOLE.replace(b"-type", b"+type"),
    "the headers' length": WHOLE[:6] + b"\x01" + WHOLE[7:],
    "the length": b"\x01" + WHOLE[1:],
    "the payload": WHOLE.replace(b"foo", b"fox"),
    "the last CRC": WHOLE[:-1] + b"\x00",
}


def framed(total: int, in_headers: int, rest: bytes = b"") -> bytes:
    """A message whose prelude is right, whatever it says."""
    prelude = total.to_bytes(4, "big") + in_headers.to_bytes(4, "big")
    whole = prelude + crc32(prelude).to_bytes(4, "big") + rest
    return whole + crc32(whole).to_bytes(4, "big")


def decoded(data: bytes, step: int) -> list[Message]:
    decoder = Decoder()
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    messages = [message for piece in pieces for message in decoder.feed(piece)]
    decoder.close()
    return messages


@pytest.mark.parametrize("name", VECTORS)
def test_the_published_vectors(name: str) -> None:
    data, message = bytes.fromhex(VECTORS[name][0]), VECTORS[name][1]
    assert decoded(data, len(data)) == [message]
    assert encode(message) == data


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_corrupted_is_malformed(name: str) -> None:
    decoder = Decoder()
    with pytest.raises(Malformed):
        decoder.feed(BROKEN[name])
    with pytest.raises(Malformed):
        decoder.feed(WHOLE)
    with pytest.raises(Malformed):
        decoder.close()


def integers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


headers = st.one_of(
    st.just(Header(frames.TRUE, True)),
    st.just(Header(frames.FALSE, False)),
    st.builds(Header, st.just(frames.BYTE), integers(8)),
    st.builds(Header, st.just(frames.SHORT), integers(16)),
    st.builds(Header, st.just(frames.INTEGER), integers(32)),
    st.builds(Header, st.sampled_from([frames.LONG, frames.TIMESTAMP]), integers(64)),
    st.builds(Header, st.just(frames.BYTES), st.binary(max_size=300)),
    st.builds(Header, st.just(frames.STRING), st.text(max_size=300)),
    st.builds(Header, st.just(frames.UUID), st.binary(min_size=16, max_size=16)),
)
names = st.text(min_size=1, max_size=60)
messages = st.builds(Message, st.dictionaries(names, headers, max_size=4), st.binary(max_size=200))


@given(st.lists(messages, max_size=4))
def test_cuts_change_nothing(told: list[Message]) -> None:
    data = b"".join(map(encode, told))
    for step in (1, 7, len(data) + 1):
        assert decoded(data, step) == told


@given(st.lists(messages, min_size=1, max_size=2), st.data())
def test_a_flipped_bit_is_always_noticed(told: list[Message], data: st.DataObject) -> None:
    whole = bytearray(b"".join(map(encode, told)))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Malformed):
        decoded(bytes(whole), 7)


def test_messages_before_the_break_are_returned() -> None:
    decoder = Decoder()
    assert len(decoder.feed(WHOLE + BROKEN["the payload"])) == 1
    with pytest.raises(Malformed):
        decoder.feed(b"")


def test_an_end_within_a_message_is_malformed() -> None:
    decoder = Decoder()
    assert decoder.feed(WHOLE[:-1]) == []
    with pytest.raises(Malformed, match="ends within"):
        decoder.close()


@pytest.mark.parametrize(
    ("total", "in_headers"),
    [(frames.MOST_BYTES + 1, 0), (2**32 - 1, 0), (2**20, frames.MOST_HEADERS + 1)],
)
def test_what_is_too_large_is_refused_by_its_prelude(total: int, in_headers: int) -> None:
    with pytest.raises(Malformed, match="too large"):
        Decoder().feed(framed(total, in_headers)[:12])


@pytest.mark.parametrize(("total", "in_headers"), [(0, 0), (15, 0), (16, 1), (40, 25)])
def test_lengths_must_fit_together(total: int, in_headers: int) -> None:
    with pytest.raises(Malformed, match="lengths"):
        Decoder().feed(framed(total, in_headers))


HEADERS: dict[str, bytes] = {
    "cut off in its name": b"\x05ab",
    "without a type": b"\x01a",
    "of an unknown type": b"\x01a\x0a",
    "cut off in a number": b"\x01a\x04\x00",
    "cut off in a length": b"\x01a\x07\x00",
    "cut off in a text": b"\x01a\x07\x00\x02b",
    "cut off in a UUID": b"\x01a\x09" + b"\x00" * 15,
    "that is no text": b"\x01a\x07\x00\x01\xff",
    "with a name that is no text": b"\x01\xff\x00",
    "without a name": b"\x00\x00",
    "twice": b"\x01a\x00\x01a\x01",
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header(name: str) -> None:
    with pytest.raises(Malformed):
        read_headers(HEADERS[name])


@given(st.binary())
def test_any_bytes_are_headers_or_malformed(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert isinstance(read_headers(data), dict)


UNFIT = [
    Header(frames.BYTE, 200),
    Header(frames.BYTE, "a"),
    Header(frames.STRING, "a" * 70_000),
    Header(frames.STRING, 7),
    Header(99, "a"),
]


@pytest.mark.parametrize("header", UNFIT, ids=str)
def test_a_header_that_cannot_be_written(header: Header) -> None:
    with pytest.raises(Malformed):
        encode(Message({"a": header}))


def test_a_message_that_no_decoder_would_take() -> None:
    with pytest.raises(Malformed, match="too large"):
        encode(Message(payload=bytes(frames.MOST_BYTES)))
    with pytest.raises(Malformed):
        encode(Message({"a" * 256: Header(frames.TRUE, True)}))


EVENTS = [
    WireEvent(data={"role": "assistant"}, name="messageStart"),
    WireEvent(data={"delta": {"text": "Łódź \ud800"}}, name="contentBlockDelta"),
    WireEvent(data={"message": "Too many"}, name="throttlingException"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_events_are_framed_and_read(event: WireEvent) -> None:
    (message,) = Decoder().feed(write_event(event))
    assert read_event(message) == event
    kind = "exception" if event.name.endswith("Exception") else "event"
    assert message.text(":message-type") == kind
    assert message.text(f":{kind}-type") == event.name


def said(payload: bytes = b"", **headers: str) -> Message:
    told = {f":{name.replace('_', '-')}": Header(frames.STRING, v) for name, v in headers.items()}
    return Message(told, payload)


READ: list[tuple[Message, Any]] = [
    (
        said(message_type="error", error_code="InternalFailure", error_message="Oh no"),
        WireEvent(data={"message": "Oh no"}, name="InternalFailureException"),
    ),
    (
        said(b'{"message":"x"}', message_type="exception"),
        WireEvent(data={"message": "x"}, name="Exception"),
    ),
    (said(message_type="event", event_type="ping"), WireEvent(data={}, name="ping")),
    (Message({":event-type": Header(frames.INTEGER, 4)}, b"1"), WireEvent(data=1, name="")),
]


@pytest.mark.parametrize(("message", "event"), READ)
def test_an_event_is_read(message: Message, event: WireEvent) -> None:
    assert read_event(message) == event


@pytest.mark.parametrize("payload", [b"{", b"\xff", b"[" * 100_000])
def test_a_payload_that_is_no_json(payload: bytes) -> None:
    with pytest.raises(Malformed, match="no JSON"):
        read_event(said(payload, message_type="event", event_type="a"))

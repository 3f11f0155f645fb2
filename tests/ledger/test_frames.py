"""Messages survive any cutting of the stream, and leave together."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.ledger import frames
from farthing.ledger.frames import FrameProtocol

Run = Callable[[Coroutine[Any, Any, None]], None]


class Wire(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed, "written after the end"
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed = True


class Kept(FrameProtocol):
    """Keeps the messages that come."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[bytes] = []
        self.wire = Wire()
        self.connection_made(self.wire)

    def message(self, data: bytes) -> None:
        self.messages.append(data)


def framed(messages: list[bytes]) -> bytes:
    return b"".join(struct.pack("<I", len(m)) + m for m in messages)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({p % (len(stream) + 1) for p in places}), len(stream)]
    return [stream[a:b] for a, b in pairwise(edges)]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_cutting_of_the_stream_gives_the_same_messages(
    messages: list[bytes], places: list[int]
) -> None:
    async def receive() -> None:
        kept = Kept()
        for piece in cut(framed(messages), places):
            kept.data_received(piece)
        assert kept.messages == messages

    asyncio.run(receive())


def test_a_stream_that_comes_byte_by_byte_gives_the_same_messages(run: Run) -> None:
    async def receive() -> None:
        kept, messages = Kept(), [b"", b"a", b"", b"bc" * 300]
        for byte in framed(messages):
            kept.data_received(bytes((byte,)))
        assert kept.messages == messages

    run(receive())


def test_a_message_is_not_given_before_it_is_whole(run: Run) -> None:
    async def receive() -> None:
        kept = Kept()
        kept.data_received(framed([b"whole", b"half"])[:-1])
        assert kept.messages == [b"whole"]

    run(receive())


def test_everything_sent_in_one_turn_leaves_in_one_write(run: Run) -> None:
    async def send() -> None:
        kept = Kept()
        kept.send(b"one")
        kept.send(b"two")
        assert kept.wire.writes == []
        await asyncio.sleep(0)
        kept.send(b"three")
        await asyncio.sleep(0)
        assert kept.wire.writes == [framed([b"one", b"two"]), framed([b"three"])]

    run(send())


def test_closing_lets_what_was_sent_leave_first(run: Run) -> None:
    async def send() -> None:
        kept = Kept()
        kept.send(b"last words")
        kept.close()
        assert kept.wire.closed
        assert kept.wire.writes == [framed([b"last words"])]
        await asyncio.sleep(0)

    run(send())


def test_a_message_as_long_as_allowed_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MESSAGE_MOST", 8)

    async def receive() -> None:
        kept = Kept()
        kept.data_received(framed([b"12345678"]))
        assert kept.messages == [b"12345678"] and not kept.wire.closed

    run(receive())


def test_a_longer_one_closes_the_connection_before_it_is_kept(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "MESSAGE_MOST", 8)

    async def receive() -> None:
        kept = Kept()
        kept.data_received(framed([b"good"]) + struct.pack("<I", 9))
        assert kept.wire.closed
        assert kept.messages == [b"good"]

    run(receive())


def test_what_is_sent_after_the_connections_end_is_dropped(run: Run) -> None:
    async def send() -> None:
        kept = Kept()
        kept.send(b"too late")
        kept.connection_lost(None)
        kept.send(b"later still")
        kept.close()
        await asyncio.sleep(0)
        assert kept.wire.writes == []
        assert not kept.wire.closed, "it is the transport that ended, there is nothing to close"

    run(send())


def test_one_who_takes_no_messages_says_so(run: Run) -> None:
    async def receive() -> None:
        with pytest.raises(NotImplementedError):
            FrameProtocol().data_received(framed([b"x"]))

    run(receive())

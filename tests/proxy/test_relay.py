"""The sink of one answer: gathered or passed on, paced by its client, bounded, ended once."""

from __future__ import annotations

from typing import cast

import pytest
from tests.support.application import FakeClient

from farthing.errors import Failed, Malformed
from farthing.proxy.head import Head
from farthing.proxy.relay import Relay
from farthing.proxy.server import ClientConnection
from farthing.proxy.upstream import UpstreamConnection
from farthing.wire.dialect import Answer

HEAD = Head(200, b"", b"", encoded=False)
BROKEN = Failed("upstream_reset", "it broke")


class FakeConnection:
    """What the relay does to the provider's connection, in words."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def pause(self) -> None:
        self.said.append("pause")

    def resume(self) -> None:
        self.said.append("resume")

    def abort(self) -> None:
        self.said.append("abort")


class UpperTap:
    """A tap that keeps dots to itself until the end, and shouts the rest."""

    def __init__(self) -> None:
        self.held = b""

    def feed(self, data: bytes) -> bytes:
        self.held += b"." * data.count(b".")
        return data.replace(b".", b"").upper()

    def rest(self) -> bytes:
        return self.held

    def answer(self) -> Answer:
        return Answer()


class Scene:
    """A relay between a client and a connection of the test's."""

    def __init__(self, most: int = 100, *, stream: bool = False) -> None:
        self.client = FakeClient()
        self.connection = FakeConnection()
        self.relay = Relay(
            cast(ClientConnection, self.client), cast(UpstreamConnection, self.connection), most
        )
        self.relay.head(HEAD)
        if stream:
            self.relay.stream(UpperTap(), 200, b"x: y\r\n")

    def read(self, *pieces: bytes) -> None:
        """Take what one read of the connection brought."""
        for piece in pieces:
            self.relay.body(piece)
        self.relay.flush()


# -- gathered -------------------------------------------------------------------------------------


def test_an_answer_is_gathered_and_the_client_sees_nothing_yet() -> None:
    scene = Scene()
    assert scene.relay.arrived.result() is HEAD
    scene.read(b"a", b"b")
    scene.read(b"c")
    done = [scene.relay.finished.done]
    scene.relay.complete()
    assert [*done, scene.relay.finished.done] == [False, True]
    assert (scene.relay.take_body(), scene.relay.take_body()) == (b"abc", b"")
    assert not scene.client.said
    assert not scene.relay.streaming


def test_the_first_byte_is_when_the_body_begins() -> None:
    scene = Scene()
    assert scene.relay.first_byte == 0
    scene.read(b"a")
    first = scene.relay.first_byte
    scene.read(b"b")
    assert 0 < first == scene.relay.first_byte


def test_an_answer_that_is_too_large_is_not_read_on() -> None:
    scene = Scene(most=4)
    scene.read(b"1234")
    assert not scene.relay.finished.done
    scene.read(b"5")
    assert scene.connection.said == ["abort"]
    with pytest.raises(Failed, match="larger than 4 bytes") as problem:
        scene.relay.finished.result()
    assert problem.value.code == "upstream_malformed"
    scene.relay.broken(BROKEN)  # as the connection's end will say
    with pytest.raises(Failed, match="larger than 4 bytes"):
        scene.relay.finished.result()


# -- streamed -------------------------------------------------------------------------------------


def test_a_stream_passes_through_its_tap_in_one_write_a_read() -> None:
    scene = Scene(stream=True)
    scene.read(b"ab", b"cd")
    assert (scene.client.said, scene.client.sent) == (["begin", "stream"], b"ABCD")
    scene.read(b"..")  # all of it held back: no empty write
    assert scene.client.said == ["begin", "stream"]
    scene.read(b"ef")
    assert scene.client.sent == b"ABCDEF"
    assert scene.client.headers == b"x: y\r\n"


def test_a_stream_has_no_bound_as_nothing_is_kept() -> None:
    scene = Scene(most=4, stream=True)
    for _ in range(10):
        scene.read(b"1234")
    assert not scene.relay.finished.done
    assert scene.relay.take_body() == b""


def test_the_last_piece_waits_for_the_settlement() -> None:
    """What came in the same read as the stream's end is left for whoever ends it."""
    scene = Scene(stream=True)
    scene.read(b"a.")
    scene.relay.body(b"last")
    scene.relay.complete()
    scene.relay.flush()
    assert scene.client.sent == b"A"
    assert scene.relay.take_rest() == b"LAST."


def test_the_last_piece_can_be_seen_before_it_is_passed_on() -> None:
    scene, copied = Scene(stream=True), list[bytes]()
    scene.relay.copy = copied.append
    scene.read(b"a.")
    scene.relay.body(b"last")
    scene.relay.complete()
    scene.relay.flush()
    assert copied == [b"A"] and scene.client.sent == b"A"
    assert scene.relay.last() == scene.relay.last() == b"LAST."
    assert scene.relay.take_rest() == b"LAST."


def test_what_a_broken_stream_held_back_is_not_lost() -> None:
    scene = Scene(stream=True)
    scene.relay.body(b"a.")
    scene.relay.broken(BROKEN)
    scene.relay.flush()
    assert scene.relay.take_rest() == b"A."
    with pytest.raises(Failed, match="it broke"):
        scene.relay.finished.result()
    assert scene.relay.arrived.result() is HEAD


def test_an_end_that_cannot_be_read_takes_nothing_of_what_came_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene(stream=True)
    scene.relay.body(b"a")
    scene.relay.complete()

    def unreadable(_: UpperTap) -> bytes:
        monkeypatch.undo()
        raise Malformed("invalid_json", "the last event is cut off")

    monkeypatch.setattr(UpperTap, "rest", unreadable)
    with pytest.raises(Malformed):
        scene.relay.take_rest()
    assert scene.relay.take_rest() == b"A"


# -- the client -----------------------------------------------------------------------------------


def test_a_slow_client_slows_its_provider_and_no_longer_than_it_is_slow() -> None:
    scene = Scene(stream=True)
    scene.read(b"a")
    assert not scene.connection.said
    scene.client.paused = True
    scene.read(b"b")
    assert scene.connection.said == ["pause"]
    scene.client.paused = False
    scene.client.reader.client_ready()
    assert scene.connection.said == ["pause", "resume"]


def test_a_client_that_left_does_not_stop_the_reading() -> None:
    """Its bill runs on, so the usage at the stream's end is wanted all the same."""
    scene = Scene(stream=True)
    scene.client.paused = True
    scene.read(b"a")
    scene.client.gone = True
    scene.client.reader.client_gone()
    scene.read(b"b")
    assert scene.connection.said == ["pause", "resume"]


@pytest.mark.parametrize("end", ["complete", "broken"])
def test_once_it_ended_a_client_no_longer_reaches_the_connection(end: str) -> None:
    """The connection may be another query's by then."""
    scene = Scene(stream=True)
    scene.relay.complete() if end == "complete" else scene.relay.broken(BROKEN)
    scene.relay.client_ready()
    scene.relay.client_gone()
    assert not scene.connection.said


def test_the_first_ending_counts() -> None:
    scene = Scene()
    scene.relay.complete()
    scene.relay.broken(BROKEN)
    assert scene.relay.finished.result() is None


def test_no_answer_at_all() -> None:
    client, connection = FakeClient(), FakeConnection()
    relay = Relay(cast(ClientConnection, client), cast(UpstreamConnection, connection), 9)
    relay.broken(BROKEN)
    for waited in (relay.arrived, relay.finished):
        with pytest.raises(Failed, match="it broke"):
            waited.result()


# -- chunks with their framing ----------------------------------------------------------------


class ChunkTap(UpperTap):
    """A tap that takes chunks, but for some."""

    def framed(self, data: bytes) -> bool:
        return b"secret" not in data


def relayed(client: FakeClient, *, copy: bool = False) -> Relay:
    """A relay of a stream that passes chunks."""
    connection = cast(UpstreamConnection, FakeConnection())
    relay = Relay(cast(ClientConnection, client), connection, 100)
    if copy:
        relay.copy = lambda _: None
    relay.stream(ChunkTap(), 200, b"")
    return relay


def test_chunks_pass_with_their_framing_at_once() -> None:
    client = FakeClient()
    relay = relayed(client)
    assert relay.framed(b"3\r\na.b\r\n") and relay.first_byte
    relay.flush()
    assert (client.said, client.sent) == (["begin", "pass on"], b"3\r\na.b\r\n")


def test_a_client_that_is_slow_to_take_chunks_slows_its_provider() -> None:
    client = FakeClient()
    relay = relayed(client)
    client.paused = True
    assert relay.framed(b"1\r\na\r\n")
    assert cast(FakeConnection, relay._connection).said == ["pause"]


def test_where_something_reads_or_changes_the_content_nothing_passes_framed() -> None:
    assert not relayed(FakeClient(), copy=True).framed(b"1\r\na\r\n")
    assert not relayed(FakeClient()).framed(b"6\r\nsecret\r\n")
    old = FakeClient()
    old.takes_chunks = lambda: False  # type: ignore[method-assign]
    assert not relayed(old).framed(b"1\r\na\r\n")
    whole = Scene()
    assert not whole.relay.framed(b"1\r\na\r\n")
    plain = Scene(stream=True)
    assert not plain.relay.framed(b"1\r\na\r\n") and "pass on" not in plain.client.said

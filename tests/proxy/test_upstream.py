"""Connections to providers, over real sockets: kept, dropped, and not confused."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.loopback import REQUEST, Link, Loopback, answering, http, jump, link, run, until

from farthing.errors import Failed
from farthing.flow import OneShot
from farthing.proxy.gather import Gathered
from farthing.proxy.pool import own_pool
from farthing.proxy.upstream import UpstreamConnection
from farthing.settings import HttpSettings
from farthing.wire.chunks import Chunks, unframed

# -- kept alive -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        http(),
        http(b""),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        http(b"slow down", 429),
    ],
)
def test_a_connection_is_used_again(answer: bytes) -> None:
    async def scene() -> None:
        async with link(answering(answer, answer, answer)) as it:
            first = await it.ask()
            assert [await it.ask(), await it.ask()] == [first, first]
            assert it.server.connections == 1

    run(scene())


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (http(b"hello", 200, b"connection: close"), b"hello"),
        (http().replace(b"HTTP/1.1", b"HTTP/1.0"), b"hello"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", b"hello"),
        (b"HTTP/1.0 200 OK\r\n\r\n", b""),
    ],
)
def test_an_answer_that_the_connection_s_end_ends(answer: bytes, body: bytes) -> None:
    async def scene() -> None:
        async with link(answering(answer, then_close=True)) as it:
            assert [await it.ask(), await it.ask()] == [body, body]
            assert it.server.connections == 2

    run(scene())


@pytest.mark.parametrize("answer", [http(b"x", 200, b"connection: close"), b"HTTP/1.0 200 X\r\n"])
def test_a_connection_that_must_not_be_used_again_is_closed_by_us_too(answer: bytes) -> None:
    async def scene() -> None:
        async with link(
            answering(answer.replace(b"X\r\n", b"X\r\ncontent-length: 0\r\n\r\n"))
        ) as it:
            await it.ask()
            await it.server.all_closed()

    run(scene())


def test_queries_at_once_each_have_a_connection_and_both_are_kept() -> None:
    async def scene() -> None:
        async with link(answering(http(), http(), http())) as it:
            assert list(await asyncio.gather(it.ask(), it.ask())) == [b"hello", b"hello"]
            assert list(await asyncio.gather(it.ask(), it.ask())) == [b"hello", b"hello"]
            assert it.server.connections == 2

    run(scene())


def test_a_connection_is_used_for_its_own_provider_only() -> None:
    async def scene() -> None:
        async with link(answering(http(b"one"))) as it, answering(http(b"two")) as other:
            await it.ask()
            it.provider = other.provider(name="other")
            assert await it.ask() == b"two"

    run(scene())


@pytest.mark.parametrize(
    ("line", "seconds", "reused"),
    [
        (b"x: y", 29, True),
        (b"x: y", 31, False),  # pool_idle_seconds
        (b"keep-alive: timeout=5, max=9", 3.5, True),
        (b"keep-alive: timeout=5, max=9", 4.5, False),  # a second is spared
        (b"Keep-Alive: max=9, Timeout=5", 4.5, False),
        (b"keep-alive: timeout=0", 0.5, False),
        (b"keep-alive: timeout=1000", 31, False),
        (b"keep-alive: timeout=soon", 29, True),
    ],
)
def test_how_long_a_connection_rests(line: bytes, seconds: float, reused: bool) -> None:
    async def scene() -> None:
        async with link(answering(http(b"", 200, line), http(), http())) as it:
            await it.ask()
            await jump(seconds)
            await it.ask()
            assert it.server.connections == (1 if reused else 2)

    run(scene())


def test_a_connection_that_is_given_out_no_longer_counts_as_resting() -> None:
    async def scene() -> None:
        async with link(answering(http(), http())) as it:
            await it.ask()
            connection = await it.connect()
            await jump(31)
            assert connection.transport is not None
            assert it.server.connections == 1

    run(scene())


def test_a_connection_that_the_provider_closed_as_it_rested_is_not_used() -> None:
    async def scene() -> None:
        async with link(answering(http(), then_close=True)) as it:
            connection, told = await it.send()
            await told.finished.in_task()
            await until(lambda: connection.transport is None)
            assert await it.ask() == b"hello"
            assert it.server.connections == 2

    run(scene())


def test_a_connection_that_closes_as_the_query_comes_says_that_it_may_be_billed() -> None:
    """It is not sent again: the provider may have taken it."""

    async def scene() -> None:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read(reader)
            writer.write(http())
            await server.read(reader)

        server = Loopback(script)
        async with link(server) as it:
            await it.ask()
            problem = await it.failure()
            assert problem.code == "upstream_reset"
            assert "may be billed" in problem.message
            assert len(server.requests) == 2

    run(scene())


def test_words_that_nobody_asked_for_answer_no_later_query() -> None:
    async def scene() -> None:
        go_on = asyncio.Event()

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read(reader)
            writer.write(http(b"asked for"))
            await go_on.wait()
            writer.write(http(b"not asked for"))
            await server.read(reader)

        server = Loopback(script)
        async with link(server) as it:
            first, told = await it.send()
            await told.finished.in_task()
            go_on.set()
            await until(lambda: first.transport is None)
            assert await it.ask() == b"asked for"
            assert server.connections == 2

    run(scene())


@pytest.mark.parametrize("stray", [http(b"two"), http(b"two")[:-3], b"HTTP/1.1 200 OK\r\n"])
def test_nor_do_words_that_come_with_an_answer(stray: bytes) -> None:
    async def scene() -> None:
        async with link(answering(http(b"one") + stray, http(b"three"))) as it:
            assert await it.ask() == b"one"
            assert list(await asyncio.gather(it.ask(), it.ask())) == [b"one", b"one"]
            assert it.server.connections == 3

    run(scene())


def rested_long_enough(connection: UpstreamConnection) -> None:
    connection.expired()


def provider_hangs_up(connection: UpstreamConnection) -> None:
    assert connection.transport is not None
    connection.transport.close()  # as the event loop does when the provider's end has come


@pytest.mark.parametrize(
    "close",
    [
        rested_long_enough,
        provider_hangs_up,
    ],
)
def test_a_connection_that_is_being_closed_is_not_given_out(
    close: Callable[[UpstreamConnection], None],
) -> None:
    async def scene() -> None:
        async with link(answering(http(), http())) as it:
            connection, told = await it.send()
            await told.finished.in_task()
            close(connection)
            assert await it.ask() == b"hello"

    run(scene())


def test_nor_is_one_that_was_closed_for_its_answer_s_sake() -> None:
    """An answer that is too large may be complete in the read that made it so."""

    async def scene() -> None:
        async with link(answering(http())) as it:
            connection, shots = await it.connect(), list[OneShot[UpstreamConnection]]()
            told = Gathered(lambda _: connection.abort())
            told.finished.then(lambda: shots.append(it.pool.connect(it.provider)))
            connection.send(REQUEST, told)
            await until(lambda: bool(shots))
            assert await shots[0].in_task() is not connection

    run(scene())


# -- the pool ------------------------------------------------------------------------------------


def test_a_pool_of_one_s_own_closes_everything() -> None:
    async def scene() -> None:
        async with answering(http(), http()) as server:
            with pytest.raises(KeyError):
                async with own_pool(HttpSettings()) as pool:
                    it = Link(pool, server, server.provider())
                    await asyncio.gather(it.ask(), it.ask())  # these rest
                    await asyncio.gather(it.connect(), it.connect(), it.connect())
                    assert server.connections == 3
                    raise KeyError
            await server.all_closed()
            resting = pool.sweeper.now
            await jump(60)
            assert pool.sweeper.now == resting, "its sweeper has stopped"

    run(scene())


# -- what came in one read --------------------------------------------------------------------


class Taking(Gathered):
    """A sink that takes framed chunks."""

    def __init__(self) -> None:
        super().__init__()
        self.framings: list[bytes] = []
        self.flushed = 0
        self.passes = self.framed

    def framed(self, data: bytes) -> bool:
        self.framings.append(data)
        self.content += unframed(data)
        return True

    def flush(self) -> None:
        self.flushed += 1


class Pipe:
    """A transport whose other end is the test."""

    closed = False

    def write(self, _: bytes) -> None:
        """The test knows what is asked."""

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True


def received(sink: Gathered, *reads: bytes) -> bool:
    """Let an answer come in these reads; return whether its connection can be used again."""

    async def scene() -> bool:
        async with own_pool(HttpSettings()) as pool:
            connection = UpstreamConnection(pool, answering().provider())
            connection.connection_made(Pipe())  # type: ignore[arg-type]
            connection.send((b"",), sink)
            for read in reads:
                connection.data_received(read)
            return pool.resting(connection.provider) is connection

    return asyncio.run(scene())


EVENT = b"9\r\ndata: 1\n\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"


def test_whole_chunks_are_offered_framed_but_for_the_last() -> None:
    sink = Taking()
    assert received(sink, STREAM + EVENT, EVENT, EVENT * 2, EVENT + b"0\r\n\r\n")
    assert sink.framings == [EVENT, EVENT * 2]
    assert sink.content == b"data: 1\n\n" * 5 and sink.finished.done


def test_events_whose_lines_end_in_carriage_returns_pass_framed_too() -> None:
    sink, event = Taking(), b"b\r\ndata: 1\r\n\r\n\r\n"
    assert received(sink, STREAM + event, event, event * 400 + b"0\r\n\r\n")
    assert sink.framings == [event, event * 398] and sink.finished.done
    assert sink.content == b"data: 1\r\n\r\n" * 402


def test_nothing_passes_the_short_way_but_what_is_whole() -> None:
    """Whatever a read begins and ends with, the content is the same, and the end is seen."""
    odd = b"%x\r\n%s\r\n" % (20, b"data: 1\n\n\r\ndata: 2\n\n")
    end = b"0\r\n\r\n"
    for reads in (
        (EVENT[:4], EVENT[4:], EVENT),
        (EVENT[:-1], EVENT[-1:] + EVENT[:-2], EVENT[-2:]),
        (EVENT, b"0\r\n\r\n"),
        (EVENT + b"0\r", b"\n\r\n"),
        (odd, odd),
    ):
        sink, body = Taking(), b"".join(reads)
        assert received(sink, STREAM + EVENT, *reads, *([] if body.endswith(end) else [end]))
        assert sink.content == b"data: 1\n\n" + Chunks().feed(body) and sink.finished.done


def test_a_sink_that_takes_nothing_framed_is_not_asked_for_each_event() -> None:
    sink = Gathered()
    asked = list[bytes]()

    def framed(data: bytes) -> bool:
        asked.append(data)
        return False

    sink.framed = framed  # type: ignore[method-assign]
    assert received(sink, STREAM + EVENT, EVENT, EVENT + b"0\r\n\r\n")
    assert sink.content == b"data: 1\n\n" * 3 and not asked


def test_chunks_that_a_read_cuts_are_not() -> None:
    sink = Taking()
    assert received(sink, STREAM + EVENT[:5], EVENT[5:], EVENT[:-1], EVENT[-1:] + b"0\r\n\r\n")
    assert not sink.framings and sink.content == b"data: 1\n\n" * 2


@given(st.lists(st.integers(1, 90), max_size=9), st.booleans(), st.booleans())
def test_an_answer_is_the_same_however_it_comes(
    cuts: list[int], chunked: bool, interim: bool
) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Id: 7\r\n"
    framing = b"transfer-encoding: chunked\r\n" if chunked else b"content-length: 18\r\n"
    body = EVENT * 2 + b"0\r\n\r\n" if chunked else b"data: 1\n\n" * 2
    first = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" if interim else b""
    answer = first + head + framing + b"\r\n" + body
    ends = sorted({0, len(answer), *(cut for cut in cuts if cut < len(answer))})
    sink = Taking()
    assert received(sink, *(answer[a:b] for a, b in itertools.pairwise(ends)))
    assert sink.content == b"data: 1\n\n" * 2 and sink.finished.done
    told = sink.arrived.result()
    assert (told.status, told.passed) == (200, b"x-id: 7\r\n")
    assert (told.chunked, told.length) == (chunked, None if chunked else 18)


def numbered(count: int) -> list[bytes]:
    return [b"d\r\ndata: %05d\n\n\r\n" % number for number in range(count)]


def test_of_a_stream_in_one_read_all_but_its_last_events_pass_framed() -> None:
    sink, events = Taking(), numbered(300)
    assert received(sink, STREAM + b"".join(events) + b"0\r\n\r\n")
    assert sink.framings == [b"".join(events[:-2])]
    assert sink.content == unframed(b"".join(events)) and sink.finished.done


def test_of_a_read_that_ends_within_a_chunk_what_is_whole_passes_framed() -> None:
    sink, events = Taking(), numbered(300)
    stream = b"".join(events)
    assert received(sink, STREAM, stream[:-5], stream[-5:] + b"0\r\n\r\n")
    assert sink.framings == [b"".join(events[:-1])]
    assert sink.content == unframed(stream)


def test_what_looks_like_the_end_of_a_chunk_and_is_none_is_not_passed_framed() -> None:
    content = b"data: 1\n\n\r\ndata: " + b"x" * 3000 + b"\n\n"
    sink = Taking()
    assert received(sink, STREAM, b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content))
    assert sink.content == content and not sink.framings


def test_a_chunk_that_only_seemed_to_end_breaks_the_stream_with_a_reason() -> None:
    """Its framing passed as it came; what follows cannot be told from the content."""
    sink, content = Taking(), b"data: 1\n\n\r\nmore: 2\n\n"
    framed = b"%x\r\n%s\r\n" % (len(content), content)
    assert not received(sink, STREAM + EVENT, framed[:15], framed[15:] + b"0\r\n\r\n")
    with pytest.raises(Failed, match="cannot be told"):
        sink.finished.result()


def test_what_comes_behind_the_last_chunk_is_not_passed_on() -> None:
    sink = Taking()
    assert not received(sink, STREAM + EVENT, EVENT + b"0\r\n\r\nand more\n\n\r\n")
    assert sink.content == b"data: 1\n\n" * 2 and sink.finished.done and not sink.framings


def test_trailers_are_no_headers() -> None:
    sink = Taking()
    trailer = b"0\r\nTransfer-Encoding: chunked\r\nFarthing-X: 1\r\n\r\n"
    assert received(sink, STREAM, EVENT[:7], EVENT[7:] + trailer)
    assert sink.content == b"data: 1\n\n" and sink.arrived.result().passed == b""


def test_a_name_of_a_header_means_the_same_in_any_letters() -> None:
    for name in (b"content-LENGTH", b"Content-Length"):
        sink = Taking()
        assert received(sink, b"HTTP/1.1 200 OK\r\n" + name + b": 2\r\n\r\nhi")
        assert sink.content == b"hi"

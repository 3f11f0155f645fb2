"""One connection to a provider: a query at a time, its answer read and handed on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

import httptools

from farthing.errors import Failed
from farthing.providers import Provider
from farthing.proxy.head import Head, read_head
from farthing.proxy.http import Message
from farthing.proxy.sweep import NEVER, Sweeper
from farthing.settings import HttpSettings
from farthing.wire.chunks import EVENT_ENDS, Chunks, whole_until

HEAD_END = b"\r\n\r\n"

# Less than this of a stream is not worth looking for what can pass as it came.
FEW_BYTES = 2048


class Sink(Protocol):
    """Where a provider's answer goes."""

    passes: Callable[[bytes], bool] | None
    """Does what `framed` does, for all that a read brings; None where, or while, nothing can."""

    def head(self, head: Head) -> None:
        """The head has come."""

    def body(self, data: bytes) -> None:
        """A piece of the body has come."""

    def framed(self, data: bytes) -> bool:
        """Take whole chunks of the body with their framing, and say so; or have them as `body`."""

    def flush(self) -> None:
        """All that came in one read has been told."""

    def complete(self) -> None:
        """The answer has ended."""

    def broken(self, problem: Failed) -> None:
        """The answer will not end."""


class Pool(Protocol):
    """Where a connection rests."""

    settings: HttpSettings
    sweeper: Sweeper

    def opened(self, connection: UpstreamConnection) -> None:
        """A connection is made."""

    def give_back(self, connection: UpstreamConnection) -> None:
        """A connection rests until it is needed again."""

    def forget(self, connection: UpstreamConnection) -> None:
        """A connection has ended."""


class UpstreamConnection(asyncio.Protocol):
    """One connection to a provider. Whoever has it sends one query; its end gives it back."""

    def __init__(self, pool: Pool, provider: Provider) -> None:
        # What each event of a stream needs stands together: thousands of streams fill no cache.
        self._sink: Sink | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._passes: Callable[[bytes], bool] | None = None
        """The sink's, while a read begins a chunk."""
        self._sweeper = pool.sweeper
        self._heard = 0.0
        """When something passed, which does not move the deadline."""
        self.deadline = NEVER
        self.provider = provider
        self.transport: asyncio.Transport | None = None
        self._pool, self._settings = pool, pool.settings
        self._reset()

    def _reset(self) -> None:
        self._begun = b""
        """What came of the head before this read."""
        self._interim = 0
        self._head_done = False
        self._status = 0
        """The answer's, until the sink is told of its head."""
        self._ended = False
        self._unasked = False
        """Whether something came behind the answer."""
        self._framed = False
        self._length: int | None = None
        self._chunks: Chunks | None = None
        self._keep_alive = False
        self._paused = False
        self._idle_seconds = self._settings.pool_idle_seconds

    @property
    def open(self) -> bool:
        """Whether a query can be sent on it."""
        return self.transport is not None and not self.transport.is_closing()

    def send(self, message: Message, sink: Sink) -> None:
        """Send a request; its answer goes to the sink."""
        assert self._sink is None, "one query at a time"
        if self.transport is None:
            sink.broken(self._problem("upstream_reset", "closed the connection as it was used"))
            return
        self._sink = sink
        self.deadline = self._pool.sweeper.now + self._settings.answer_seconds
        for piece in message:
            self.transport.write(piece)

    def pause(self) -> None:
        """Read no more until `resume`: the client is slower than the provider."""
        if self.transport is not None:
            self.transport.pause_reading()
            self._paused = True
            self.deadline = NEVER

    def resume(self) -> None:
        """Read on, if it was paused."""
        if self.transport is not None and self._paused:
            self.transport.resume_reading()
            self._paused = False
            self.deadline = self._pool.sweeper.now + self._settings.silence_seconds

    def expired(self) -> None:
        """The provider is silent for too long, or the connection has rested long enough."""
        heard = self._heard + self._settings.silence_seconds
        if self._passes is not None and heard > self._sweeper.now:
            self.deadline = heard
        elif self._sink is None:
            self.abort()
        else:
            self._break("upstream_timeout", "did not answer in time")

    def abort(self) -> None:
        """Close the connection now; nobody gets it from the pool any more."""
        if self.transport is not None:
            self._pool.forget(self)
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to watch the connection."""
        self.transport = cast(asyncio.Transport, transport)
        self._pool.opened(self)

    def data_received(self, data: bytes) -> None:
        """Check what came and hand it on.

        The parser finds the head, checks the framing and tells the end. The body is cut from the
        data here, in larger pieces than it would tell. Most reads of a stream that only passes
        are whole events in whole chunks: as little as possible is done for these.
        """
        if self._sink is None:  # nobody asked: whatever this is, it must not answer the next query
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._ended:
                self._break("upstream_malformed", f"sent what is not HTTP ({error})")
                return
            self._unasked = True
        passes = self._passes  # nothing, once the parser has told the end
        if passes is not None and data.endswith(EVENT_ENDS) and passes(data):
            self._heard = self._sweeper.now
        else:
            self._read(self._sink, data)

    def _read(self, sink: Sink, data: bytes) -> None:
        """Hand on what came: the head once it is whole, the content, the end."""
        if not self._head_done:
            self._begun += data
            if len(self._begun) > self._settings.max_header_bytes:
                self._break("upstream_malformed", "sent headers without end")
            return
        if self._status:
            head, data = self._parted(data)
            sink.head(head)
        if data and self._sink is sink:
            self._hand_on(sink, data)
        if self._sink is not sink:
            return
        if self._ended:
            self._finish(sink)
        elif not self._paused:
            self.deadline = self._sweeper.now + self._settings.silence_seconds
        sink.flush()

    def _parted(self, data: bytes) -> tuple[Head, bytes]:
        """Return the answer's head, and what came of the body with it; interim heads are gone."""
        data = self._begun + data if self._begun else data
        begin, end = 0, data.index(HEAD_END) + len(HEAD_END)
        for _ in range(self._interim):
            begin, end = end, data.index(HEAD_END, end) + len(HEAD_END)
        head = read_head(self._status, data[begin:end])
        self._status = 0
        self._framed, self._length = head.framed, head.length
        self._chunks = Chunks() if head.chunked else None
        self._idle_seconds = min(self._idle_seconds, head.rests)
        return head, data[end:]

    def _hand_on(self, sink: Sink, data: bytes) -> None:
        chunks, length = self._chunks, self._length
        if chunks is not None:
            if chunks.between and len(data) > FEW_BYTES:
                # Of an answer's end the last two events wait for the settlement.
                cut = whole_until(data, 2 if self._ended else 0)
                data = data[cut:] if cut and sink.framed(data[:cut]) else data
            try:
                data = chunks.feed(data)
            except ValueError:  # a piece passed framed did not end where its chunk did
                self._break("upstream_malformed", "sent chunks whose ends cannot be told")
                return
        elif length is not None:
            data = data[:length] if len(data) > length else data
            self._length = length - len(data)
        if data:
            sink.body(data)
        if chunks is not None:
            self._passes = sink.passes if chunks.between else None

    def on_message_begin(self) -> None:
        """Read no answer that nobody asked for: it must not answer the next query."""
        if self._ended:
            raise httptools.HttpParserError("an answer that nobody asked for")

    def on_headers_complete(self) -> None:
        """Notice a head's end, unless this is only an interim answer (1xx)."""
        self._status = status = self._parser.get_status_code()
        self._head_done = status >= 200
        # Only now does the parser say so; once the message is complete it always says no.
        self._keep_alive = self._parser.should_keep_alive()

    def on_message_complete(self) -> None:
        """Notice the answer's end."""
        if self._head_done:
            self._ended, self._passes = True, None
            return
        begun, interim = self._begun, self._interim
        self._reset()
        self._begun, self._interim = begun, interim + 1

    def _finish(self, sink: Sink) -> None:
        """Give the connection back, then tell the sink."""
        self._sink = None
        keep, idle = self._keep_alive and self._framed and not self._unasked, self._idle_seconds
        self._reset()
        if keep and self.open:
            self.deadline = self._pool.sweeper.now + idle
            self._pool.give_back(self)
        else:
            self.abort()
        sink.complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End an answer that only the connection's end could end; break any other."""
        self.transport = None
        self._pool.forget(self)
        sink, self._sink = self._sink, None
        if sink is None:
            return
        if self._head_done and not self._framed and exc is None:
            sink.complete()
        else:
            sink.broken(self._problem("upstream_reset", "closed the connection too early"))

    def _break(self, code: str, what: str) -> None:
        sink, self._sink = self._sink, None
        self.abort()
        if sink is not None:
            sink.broken(self._problem(code, what))

    def _problem(self, code: str, what: str) -> Failed:
        return Failed(
            code,
            f"{self.provider.name} {what}. The query was sent and may be billed: its cost stays "
            "held at the maximum until it is known.",
        )

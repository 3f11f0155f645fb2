"""The client's side: HTTP/1.1 in, bounded in size and time; answers out, whole or in chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

import httptools

from farthing import clock
from farthing.errors import FarthingError, Malformed
from farthing.proxy import unread
from farthing.proxy.http import CONTINUE, LAST_CHUNK, chunk, lowered, stream_head, whole
from farthing.proxy.request import Repeat, Request, repeat
from farthing.proxy.sweep import NEVER, Sweeper
from farthing.settings import HttpSettings

if TYPE_CHECKING:
    from farthing.proxy.relay import Relay

# After an early refusal a client may still be sending. Its bytes are read and dropped for this
# long, or it would see a reset connection instead of the answer (RFC 9112 §9.6).
LINGER_SECONDS = 5.0

# How many heads of a client are remembered in the hope that they come again, before that is given
# up: some clients' heads never do.
HOPES = 3


class Handler(Protocol):
    """What answers requests."""

    settings: HttpSettings
    sweeper: Sweeper

    def opened(self, client: ClientConnection) -> None:
        """A client has connected."""

    def closed(self, client: ClientConnection) -> None:
        """A client has left."""

    def request(self, client: ClientConnection, request: Request) -> None:
        """Answer a request, now or later."""

    def refuse(self, client: ClientConnection, request: Request, problem: FarthingError) -> None:
        """Answer a request that could not be read to its end."""


class ClientConnection(asyncio.Protocol):
    """One client. Requests are answered one after the other, in the order they came."""

    def __init__(self, handler: Handler) -> None:
        self.deadline = NEVER
        self.gone = self.paused = False
        self.reader: Relay | None = None
        self.pass_on: Callable[[bytes], None] = self._write
        """Sends pieces of a stream that have their framing already."""
        self._stream_head = b""
        """The head of a stream, until it goes with what is sent first."""
        self._handler = handler
        self._settings = handler.settings
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._waiting: list[Request] = []
        self._busy = self._lingering = self._closing = False
        self._request = Request()
        self._answering = self._request
        self._target = b""
        self._head_bytes = 0
        self._in_head = True
        self._body: list[bytes | memoryview] = []
        self._body_bytes = 0
        self._parsing = False
        """Whether the parser is within a request."""
        self._repeat: Repeat | None = None
        self._hopes = HOPES
        self._first = b""
        """The data that the present request began with, if it began with them."""
        self._missing = 0
        """How much is still to come of a body whose head was known."""

    # -- what handlers do ---------------------------------------------------------------------

    def respond(self, status: int, headers: bytes, body: bytes) -> None:
        """Send a whole answer and take the next request."""
        self._write(self._whole(status, headers, body, keep_alive=self._keeps_alive()))
        self._answered()

    def begin_stream(self, status: int, headers: bytes) -> bool:
        """Send the head of an answer that comes in pieces: with the first, or by `send_head`.

        Return whether pieces may be sent with the framing of HTTP/1.1.
        """
        if self._answering.http10:
            self._closing = True
        keep, chunked = self._keeps_alive(), not self._answering.http10
        self._stream_head = stream_head(status, headers, keep_alive=keep, chunked=chunked)
        self.pass_on = self._write
        return chunked

    def send_head(self) -> None:
        """Send the head of a stream, if nothing has taken it along yet."""
        if self._stream_head:
            self._write(b"")

    def stream(self, data: bytes) -> None:
        """Send a piece."""
        if data:
            self._write(data if self._answering.http10 else chunk(data))

    def end_stream(self, data: bytes = b"") -> None:
        """Send the last piece and take the next request."""
        last = b"" if self._answering.http10 else LAST_CHUNK
        if data:
            last = data if self._answering.http10 else chunk(data) + LAST_CHUNK
        self._write(last)
        self._answered()

    def close_after(self) -> None:
        """Close the connection once the present request is answered; at once if there is none."""
        self._closing = True
        if not self._busy and self._transport is not None:
            self._transport.close()

    # -- what the event loop does -------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Expect a request."""
        self._transport = cast(asyncio.Transport, transport)
        self.deadline = self._handler.sweeper.now + self._settings.head_seconds
        self._handler.sweeper.add(self)
        self._handler.opened(self)

    def data_received(self, data: bytes) -> None:
        """Take what came: a request with a head that is known, or something to parse."""
        if self._missing:
            self._read_on(data)
            return
        known = self._repeat
        if known is not None and not (self._busy or self._parsing or self._lingering):
            begin, missing = known.match(data)
            fits = len(data) - begin + missing <= self._settings.max_body_bytes
            if missing == 0 and fits:
                self._hopes = HOPES
                self._answer(known.request(data[begin:]))
                return
            if missing > 0 and fits:
                self._request, self._in_head = known.request(b""), False
                self._body = [memoryview(data)[begin:]]  # copied once, when it is whole
                self._missing = missing
                self.deadline = self._handler.sweeper.now + self._settings.body_seconds
                return
        if not self._lingering:
            self._parse(data)

    def _read_on(self, data: bytes) -> None:
        """Take more of a body whose head was known, and what comes behind it."""
        piece = data[: self._missing]
        self._body.append(piece)
        self._missing -= len(piece)
        if not self._missing:
            self.on_message_complete()
            if len(data) > len(piece):
                self.data_received(data[len(piece) :])

    def _parse(self, data: bytes) -> None:
        if self._in_head:
            if self._head_bytes == 0 and not self._busy:
                self.deadline = self._handler.sweeper.now + self._settings.head_seconds
            self._head_bytes += len(data)
        if self._hopes and not (self._busy or self._parsing):
            self._first = data
        if self._parser is None:
            self._parser = httptools.HttpRequestParser(self)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(unread.upgrading())
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, Malformed):
                raise
            self._fail(error.__context__)
        except httptools.HttpParserError as error:
            self._fail(unread.not_http(error))
        else:
            if self._in_head and self._head_bytes > self._settings.max_header_bytes:
                self._fail(unread.headers_too_large(self._settings.max_header_bytes))
            elif self._waiting and self._transport is not None:
                self._transport.pause_reading()  # until what waits is answered
            elif self._hopes and self._repeat is not None and not self._parsing:
                self._parser = None  # the next head is known; another one is a new parser's

    def on_message_begin(self) -> None:
        """A request begins."""
        self._parsing = True

    def on_url(self, url: bytes) -> None:
        """Take the request's target; it may come in pieces."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header. Two that could mean two things are refused."""
        name = lowered(name)
        headers = self._request.headers
        if name in headers and name in unread.SINGLE:
            raise unread.sent_twice(name)
        headers[name] = value

    def on_headers_complete(self) -> None:
        """Check the head before the body comes."""
        request, parser = self._request, self._parser
        request.method = parser.get_method()
        request.path, _, request.question = self._target.partition(b"?")
        request.http10 = parser.get_http_version() == "1.0"
        request.keep_alive = parser.should_keep_alive()
        self._in_head = False
        self._head_bytes = 0
        length = request.headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > self._settings.max_body_bytes:
            raise unread.body_too_large(self._settings.max_body_bytes)
        if not self._busy:
            self.deadline = self._handler.sweeper.now + self._settings.body_seconds
        if request.headers.get(b"expect", b"").lower() == b"100-continue":
            self._write(CONTINUE)

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body."""
        self._body_bytes += len(data)
        if self._body_bytes > self._settings.max_body_bytes:
            raise unread.body_too_large(self._settings.max_body_bytes)
        self._body.append(data)

    def on_message_complete(self) -> None:
        """A request is whole: answer it, or let it wait its turn."""
        if self._lingering:
            return
        request = self._request
        request.body = b"".join(self._body)
        request.received = clock.monotonic()
        if self._first:
            self._hopes -= 1
            self._repeat = repeat(self._first, request)
            self._first = b""
        self._begin_next()
        if self._busy:
            self._waiting.append(request)
        else:
            self._answer(request)

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        self.paused = True
        self.deadline = self._handler.sweeper.now + self._settings.stalled_seconds
        if self.reader is not None:
            self.reader.client_slow()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.paused = False
        self.deadline = NEVER
        if self.reader is not None:
            self.reader.client_ready()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left; whoever reads for it may want to read on."""
        self._transport = None
        self.pass_on = self._write
        self.gone = True
        self._handler.sweeper.remove(self)
        self._handler.closed(self)
        if self.reader is not None:
            self.reader.client_gone()

    def expired(self) -> None:
        """A deadline has passed: which one depends on what the connection is doing."""
        if self._transport is None:
            return
        if self._busy:
            self._transport.abort()
        elif self._lingering or (self._in_head and not self._head_bytes):
            self._transport.close()
        else:
            self._fail(unread.timed_out("headers" if self._in_head else "body"))

    # -- the rest -----------------------------------------------------------------------------

    def _begin_next(self) -> None:
        self._request = Request()
        self._parsing = False
        self._target = b""
        self._in_head = True
        self._head_bytes = 0
        self._body = []
        self._body_bytes = 0

    def _answer(self, request: Request) -> None:
        self._busy = True
        self._answering = request
        self.deadline = NEVER
        self._handler.request(self, request)

    def _answered(self) -> None:
        """Take the next request, or wait for one, or close."""
        self._busy = False
        self.reader = None
        if self._transport is None:
            return
        if not self._keeps_alive():
            self._lingering = True
            self._transport.close()
        elif self._waiting:
            request = self._waiting.pop(0)
            if not self._waiting:
                self._transport.resume_reading()
            self._answer(request)
        else:
            self.deadline = self._handler.sweeper.now + self._settings.idle_seconds

    def _whole(self, status: int, headers: bytes, body: bytes, *, keep_alive: bool) -> bytes:
        answer = whole(status, headers, body, keep_alive=keep_alive)
        # To HEAD the answer is the head of what GET would get (RFC 9110 §9.3.2).
        return answer[: len(answer) - len(body)] if self._answering.method == b"HEAD" else answer

    def _keeps_alive(self) -> bool:
        return self._answering.keep_alive and not self._closing

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            if self._stream_head:
                data, self._stream_head = self._stream_head + data, b""
                self.pass_on = self._transport.write
            self._transport.write(data)

    def _fail(self, problem: Malformed) -> None:
        """Refuse a request that cannot be read on, and take no other on this connection."""
        self._request.path = self._request.path or self._target.partition(b"?")[0]
        self._lingering = True
        self._closing = True
        if self._busy:  # an earlier request's answer is under way; it ends the connection
            return
        self._answering = self._request
        self._handler.refuse(self, self._request, problem)

    def linger(self, status: int, headers: bytes, body: bytes) -> None:
        """Send a last answer, and keep reading for a moment so that it arrives."""
        self._write(self._whole(status, headers, body, keep_alive=False))
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()
        self.deadline = self._handler.sweeper.now + LINGER_SECONDS

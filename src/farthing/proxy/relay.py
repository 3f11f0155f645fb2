"""One answer on its way from a provider to a client: gathered whole, or passed on as it comes.

A client that leaves does not stop the bill, so the answer is read to its end all the same, for
the usage it carries; the time-outs of the provider's connection bound how long.
"""

from __future__ import annotations

from collections.abc import Callable

from farthing import clock
from farthing.errors import Failed, Malformed
from farthing.flow import OneShot
from farthing.proxy.head import Head
from farthing.proxy.server import ClientConnection
from farthing.proxy.upstream import UpstreamConnection
from farthing.wire.dialect import Tap

UNKNOWN_COST = "The query's cost stays held at the maximum until it is known."


class Relay:
    """The sink of one answer."""

    first_byte = 0
    """When the body's first byte came, on the monotonic clock; 0 before."""
    streaming = False
    copy: Callable[[bytes], None] | None = None
    """What else takes the pieces of a stream."""
    passes: Callable[[bytes], bool] | None = None
    """Does what `framed` does, from a stream's first byte on; None where nothing passes framed."""
    _size = 0
    _tap: Tap | None = None
    _keep: Callable[[bytes], bool] | None = None
    """Takes pieces that can go on with the framing they came in."""

    def __init__(
        self, client: ClientConnection, connection: UpstreamConnection, most_bytes: int
    ) -> None:
        """`most_bytes` bounds an answer that is gathered whole."""
        self.arrived: OneShot[Head] = OneShot()
        self.finished: OneShot[None] = OneShot()
        self._client = client
        self._connection = connection
        self._most = most_bytes
        self._pieces: list[bytes] = []
        client.reader = self

    def stream(self, tap: Tap, status: int, headers: bytes) -> None:
        """Pass the body on from here as it comes, a copy through the tap."""
        self._tap = tap
        self.streaming = True
        chunked = self._client.begin_stream(status, headers)
        if self.copy is None and chunked:
            self._keep = getattr(tap, "framed", None)
        if self._client.paused:  # it has not read its last answer yet
            self.client_slow()

    def take_body(self) -> bytes:
        """Return the bytes gathered and not passed on."""
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def take_rest(self) -> bytes:
        """Return what of a stream is still to be passed on, at its end."""
        rest = self._tap.rest() if self._tap is not None else b""  # may raise, and takes nothing
        return self.take_body() + rest

    def last(self) -> bytes:
        """Return what `take_rest` will, before it is passed on."""
        rest = self.take_rest()
        self._tap, self._pieces = None, [rest]
        return rest

    # -- what the provider's connection does --------------------------------------------------

    def head(self, head: Head) -> None:
        """Let the query go on: it decides whether the body is passed on or gathered."""
        self.arrived.set(head)

    def body(self, data: bytes) -> None:
        """Take a piece of the body."""
        if not self.first_byte:
            self.first_byte = clock.monotonic()
            if self._keep is not None:  # from here on nothing is to be asked of each piece
                self.passes = _Passing(self._keep, self._client).take
        if self._tap is not None:
            try:
                data = self._tap.feed(data)
            except Malformed as problem:  # only a stream that is translated can be
                self._connection.abort()
                self.broken(Failed("upstream_malformed", f"{problem.message} {UNKNOWN_COST}"))
                return
        else:
            self._size += len(data)
        if data:
            self._pieces.append(data)
        if self._size > self._most:
            self._connection.abort()
            self.broken(
                Failed(
                    "upstream_malformed",
                    f"The answer is larger than {self._most} bytes, the most this gateway gathers. "
                    f"{UNKNOWN_COST}",
                )
            )

    def framed(self, data: bytes) -> bool:
        """Pass on whole chunks as they came, where nothing in them is read or changed."""
        if self._keep is None or not self._keep(data):
            return False
        if not self.first_byte:
            self.first_byte = clock.monotonic()
            self.passes = _Passing(self._keep, self._client).take
        self._client.pass_on(data)
        return True

    def flush(self) -> None:
        """Pass on what one read brought, in one write. The last piece waits for the settlement."""
        if self._tap is None or self.finished.done:
            return
        if not self._pieces:
            self._client.send_head()
            return
        pieces = self.take_body()
        if self.copy is not None:
            self.copy(pieces)
        self._client.stream(pieces)

    def complete(self) -> None:
        """The whole answer has come."""
        self.finished.set(None)

    def broken(self, problem: Failed) -> None:
        """The answer will not come, or not to its end."""
        self.arrived.fail(problem)
        self.finished.fail(problem)

    # -- what the client's connection does ----------------------------------------------------

    def client_slow(self) -> None:
        """Read no more of a stream for a while."""
        if self.streaming and not (self.finished.done or self._client.gone):
            self._connection.pause()

    def client_ready(self) -> None:
        """Read on."""
        if not self.finished.done:
            self._connection.resume()

    def client_gone(self) -> None:
        """Read on, for the usage's sake."""
        if not self.finished.done:
            self._connection.resume()


class _Passing:
    """What passes each event of a stream: of thousands of streams no two find it in a cache, so it
    is small."""

    __slots__ = ("_client", "_keep")

    def __init__(self, keep: Callable[[bytes], bool], client: ClientConnection) -> None:
        self._keep = keep
        self._client = client

    def take(self, data: bytes) -> bool:
        """Pass on what a read brought, and say so; or leave it."""
        keep = self._keep
        if keep(data):
            send = self._client.pass_on  # called in one step these would be looked up as methods
            send(data)
            return True
        return False

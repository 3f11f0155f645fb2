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
    _size = 0
    _tap: Tap | None = None
    _framed: Callable[[bytes], bool] | None = None
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
        self._client.begin_stream(status, headers)
        if self.copy is None and self._client.takes_chunks():
            self._framed = getattr(tap, "framed", None)

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
        if self._framed is None or not self._framed(data):
            return False
        if not self.first_byte:
            self.first_byte = clock.monotonic()
        self._client.pass_on(data)
        if self._client.paused and not self._client.gone:
            self._connection.pause()
        return True

    def flush(self) -> None:
        """Pass on what one read brought, in one write. The last piece waits for the settlement."""
        if self._tap is None or self.finished.done or not self._pieces:
            return
        pieces = self.take_body()
        if self.copy is not None:
            self.copy(pieces)
        self._client.stream(pieces)
        if self._client.paused and not self._client.gone:
            self._connection.pause()

    def complete(self) -> None:
        """The whole answer has come."""
        self.finished.set(None)

    def broken(self, problem: Failed) -> None:
        """The answer will not come, or not to its end."""
        self.arrived.fail(problem)
        self.finished.fail(problem)

    # -- what the client's connection does ----------------------------------------------------

    def client_ready(self) -> None:
        """Read on."""
        if not self.finished.done:
            self._connection.resume()

    def client_gone(self) -> None:
        """Read on, for the usage's sake."""
        if not self.finished.done:
            self._connection.resume()

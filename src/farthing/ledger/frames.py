"""Messages over a Unix socket: each a length (u32, little-endian) and that many bytes.

Everything sent in one turn of the event loop leaves in one write, so that a busy ledger answers
a whole commit's worth of queries with one system call.
"""

from __future__ import annotations

import asyncio
import struct
from typing import cast

LENGTH = struct.Struct("<I")

# A keys message holds about 150 bytes for each key; this bounds what a stranger can make us keep.
MESSAGE_MOST = 64 * 1024 * 1024


class FrameProtocol(asyncio.Protocol):
    """Cuts the stream into messages and joins messages into writes."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._outgoing: list[bytes] = []

    def message(self, data: bytes) -> None:
        """Take one message."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Cut what has come into messages; keep an unfinished one."""
        buffer = self._received + data if self._received else data
        start = 0
        while len(buffer) - start >= LENGTH.size:
            (length,) = LENGTH.unpack_from(buffer, start)
            if length > MESSAGE_MOST:
                self.close()
                return
            end = start + LENGTH.size + length
            if end > len(buffer):
                break
            self.message(buffer[start + LENGTH.size : end])
            start = end
        self._received = buffer[start:]

    def send(self, data: bytes) -> None:
        """Send a message, with all others of this turn of the loop."""
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(LENGTH.pack(len(data)))
        self._outgoing.append(data)

    def close(self) -> None:
        """Close the connection after what was sent."""
        if self.transport is not None:
            self._flush()
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the transport."""
        self.transport = None

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if outgoing and self.transport is not None:
            self.transport.write(b"".join(outgoing))

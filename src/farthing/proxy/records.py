"""Ask the follower process for a query's record."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from farthing.errors import Refused
from farthing.ledger.frames import LENGTH
from farthing.ledger.lookup import PATIENCE_SECONDS, Found, Lookup, decode_found, encode

ANSWER_SECONDS = PATIENCE_SECONDS + 8
AGAIN_SECONDS = 0.05


class RemoteRecords:
    """Looks queries up over the follower's Unix socket, one connection for each."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def look_up(self, query: str, key: str) -> dict[str, Any] | None:
        """Return a key's query.

        Raises:
            Refused: ledger_unavailable, when the follower does not answer.
        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return (await self._ask(Lookup(0, query, key))).record
        except (OSError, EOFError, TimeoutError, msgspec.DecodeError):
            raise Refused(
                "ledger_unavailable",
                "The records cannot be read at the moment; nothing is lost. Try again shortly.",
                retry_after=1,
            ) from None

    async def _ask(self, asked: Lookup) -> Found:
        reader, writer = await self._connect()
        try:
            message = encode(asked)
            writer.write(LENGTH.pack(len(message)) + message)
            (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
            return decode_found(await reader.readexactly(length))
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; a follower that is only coming up is given a moment."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_SECONDS
        while True:
            try:
                return await asyncio.open_unix_connection(str(self._path))
            except OSError:
                if loop.time() >= until:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)

"""A worker's side of a ledger in another process: it comes back, and loses no ending.

While the connection is down nothing is held, so nothing is sent; endings wait and are sent
again. A hold whose answer was lost with the connection is voided when it is back: its query was
refused and never sent.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from farthing import clock
from farthing.flow import OneShot, ready
from farthing.ledger.entry import Commitment, Ending, Hold, Refusal, Void
from farthing.ledger.frames import FrameProtocol
from farthing.ledger.ledger import Outcome as Shot
from farthing.ledger.protocol import (
    Append,
    Attach,
    Known,
    Outcome,
    decode_from_ledger,
    encode,
)
from farthing.ledger.registry import KeyState

log = logging.getLogger("farthing")

RETRY_SECONDS = 0.1

DOWN = Refusal("ledger_unavailable")


class RemoteLedger:
    """`LedgerPort` over a Unix socket."""

    def __init__(self, path: Path, worker: str) -> None:
        self.keys: dict[str, KeyState] = {}
        self.commitments: dict[str, Commitment] = {}
        self.ready = False
        self._path = path
        self._worker = worker
        self._connection: _Connection | None = None
        self._number = 0
        self._holds: dict[int, tuple[Hold, Shot]] = {}
        self._endings: dict[int, tuple[Ending, Shot]] = {}
        self._closing = False
        self._attached: asyncio.Event = asyncio.Event()
        self._emptied: asyncio.Event = asyncio.Event()

    async def connect(self) -> None:
        """Connect and wait for the keys."""
        self._attached.clear()
        await self._try_until_connected()
        await self._attached.wait()

    def hold(self, entry: Hold) -> Shot:
        """Ask for a hold; refused at once while there is no connection."""
        if self._connection is None or not self.ready:
            return ready(DOWN)
        shot: Shot = OneShot()
        self._number += 1
        self._holds[self._number] = (entry, shot)
        self._connection.send(encode(Append(self._number, entry)))
        return shot

    def end(self, entry: Ending) -> Shot:
        """Record an ending, now or when the ledger is back."""
        shot: Shot = OneShot()
        self._number += 1
        self._endings[self._number] = (entry, shot)
        if self._connection is not None:
            self._connection.send(encode(Append(self._number, entry)))
        else:
            shot.set(DOWN)
        return shot

    async def close(self, patience: float = 5.0) -> None:
        """Wait until every ending is recorded, as long as patience lasts; then hang up."""
        while self._endings:
            self._emptied.clear()
            try:
                await asyncio.wait_for(self._emptied.wait(), patience)
            except TimeoutError:
                log.error("%d endings could not be recorded; they stay held", len(self._endings))
                break
        self._closing = True
        if self._connection is not None:
            self._connection.close()

    def received(self, data: bytes) -> None:
        """Take one message of the ledger's."""
        told = decode_from_ledger(data)
        if isinstance(told, Outcome):
            self._outcome(told)
        elif isinstance(told, Known):
            self.keys.update({key.key.id: key for key in told.keys})
            self.commitments.update({each.id: each for each in told.commitments})
            if not self.ready:
                self.ready = True
                self._attached.set()

    def lost(self) -> None:
        """The connection ended: refuse what waits for a hold, keep the endings, come back."""
        self._connection = None
        self.ready = False
        waiting, self._holds = self._holds, {}
        for hold, _ in waiting.values():
            self._number += 1
            void = Void(at=clock.wall(), id=hold.id, reason="hold_not_acknowledged")
            self._endings[self._number] = (void, ready(None))
        for _, shot in [*waiting.values(), *self._endings.values()]:
            shot.set(DOWN)
        if not self._closing:
            log.error("the ledger is gone; queries are refused until it is back")
            self._task = asyncio.get_running_loop().create_task(self._try_until_connected())

    async def _try_until_connected(self) -> None:
        loop = asyncio.get_running_loop()
        while self._connection is None and not self._closing:
            try:
                _, self._connection = await loop.create_unix_connection(
                    lambda: _Connection(self), str(self._path)
                )
            except OSError:
                await asyncio.sleep(RETRY_SECONDS)
        if self._connection is not None:
            self._connection.send(encode(Attach(self._worker)))
            for number, (entry, _) in self._endings.items():
                self._connection.send(encode(Append(number, entry)))

    def _outcome(self, told: Outcome) -> None:
        _, shot = self._holds.pop(told.number, None) or self._endings.pop(told.number)
        if not self._endings:
            self._emptied.set()
        shot.set(told.told)


class _Connection(FrameProtocol):
    def __init__(self, ledger: RemoteLedger) -> None:
        super().__init__()
        self._ledger = ledger

    def message(self, data: bytes) -> None:
        """Hand a message over."""
        self._ledger.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand the loss over."""
        super().connection_lost(exc)
        self._ledger.lost()

"""The ledger's Unix socket: workers attach, hold and settle; the command line administers."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import msgspec

from farthing import clock
from farthing.flow import OneShot
from farthing.ledger.entry import Commitment, Hold, Refusal, Settle, Unresolved, Void, Warned
from farthing.ledger.frames import FrameProtocol
from farthing.ledger.ledger import Ledger
from farthing.ledger.protocol import (
    Append,
    AskStanding,
    Attach,
    Known,
    Outcome,
    decode_to_ledger,
    encode,
)
from farthing.ledger.registry import KeyState
from farthing.ledger.standing import standing

log = logging.getLogger("farthing")

# How long the workers of a ledger that died may take to come back to the next one.
GRACE_SECONDS = 5.0


# How often the unresolved queries are looked through for old ones.
EXPIRE_SECONDS = 3600.0

DAY = 24 * 3600 * clock.SECOND

# As a tuple, since a union that is made for each message takes longer than decoding it.
ENDINGS = (Settle, Void, Unresolved)


class LedgerServer:
    """Serves one ledger to the processes of one gateway."""

    def __init__(self, ledger: Ledger, own_worker: str = "") -> None:
        """`own_worker` is the worker that runs in the ledger's own process, if one does."""
        self.ledger = ledger
        self.attached: dict[str, _Connection] = {}
        self._own = own_worker
        self._server: asyncio.Server | None = None
        self._grace: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self.closed = False
        ledger.on_change.append(self._tell)

    async def listen(self, path: Path) -> None:
        """Listen, and give up the holds of workers that do not come back."""
        path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        previous = os.umask(0o177)
        try:
            self._server = await loop.create_unix_server(lambda: _Connection(self), str(path))
        finally:
            os.umask(previous)
        if self._own:
            self.give_up_strangers()
        else:
            self._grace = loop.call_later(GRACE_SECONDS, self.give_up_strangers)

    def give_up_strangers(self) -> None:
        """Mark the open holds of every worker that is not attached."""
        present = {self._own, *self.attached}
        lost = {h.worker for h in self.ledger.state.holds.values()} - present
        for worker in lost:
            self.worker_lost(worker)

    def expire(self, days: int) -> None:
        """Post queries that were left unresolved that many days ago, now and every hour."""
        count = self.ledger.expire(clock.wall() - days * DAY)
        if count:
            log.warning("%d queries were unresolved for %d days: posted at their most", count, days)
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(EXPIRE_SECONDS, self.expire, days)

    def worker_lost(self, worker: str) -> None:
        """Mark the open holds of a worker whose connection ended."""
        holds = self.ledger.state.open_holds(worker)
        if holds:
            log.warning("worker %s is gone; %d of its queries stay unresolved", worker, len(holds))
        self.ledger.give_up(holds, "worker_lost")

    def close(self) -> None:
        """Take nothing more; what was taken is still answered."""
        self.closed = True
        if self._server is not None:
            self._server.close()
        for timer in (self._grace, self._expiry):
            if timer is not None:
                timer.cancel()

    def _tell(self, changed: KeyState | Commitment) -> None:
        told = Known([changed], []) if isinstance(changed, KeyState) else Known([], [changed])
        for connection in self.attached.values():
            connection.send(encode(told))


class _Connection(FrameProtocol):
    """One worker, or one command."""

    def __init__(self, server: LedgerServer) -> None:
        super().__init__()
        self._server = server
        self._worker = ""

    def message(self, data: bytes) -> None:
        """Answer one message; one that cannot be read ends the connection."""
        if self._server.closed:
            return
        try:
            asked = decode_to_ledger(data)
        except msgspec.DecodeError:
            log.exception("a message to the ledger cannot be read; is another version running?")
            self.close()
            return
        if isinstance(asked, Append):
            self._append(asked)
        elif isinstance(asked, Attach):
            self._worker = asked.worker
            self._server.attached[asked.worker] = self
            ledger = self._server.ledger
            known = Known(list(ledger.keys.values()), list(ledger.commitments.values()))
            self.send(encode(known))
        elif isinstance(asked, AskStanding):
            self.send(encode(standing(self._server.ledger.state, clock.wall())))

    def _append(self, asked: Append) -> None:
        entry, ledger = asked.entry, self._server.ledger
        outcome: OneShot[Refusal | Warned | None]
        if isinstance(entry, Hold):
            outcome = ledger.hold(entry)
        elif isinstance(entry, ENDINGS):
            outcome = ledger.end(entry)
        else:
            outcome = ledger.record(entry)
        outcome.then(lambda: self.send(encode(Outcome(asked.number, outcome.result()))))

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up what the worker left open."""
        super().connection_lost(exc)
        if self._worker and self._server.attached.get(self._worker) is self:
            del self._server.attached[self._worker]
            if not self._server.closed:
                self._server.worker_lost(self._worker)

"""Group commit: everything that arrives while the disk works goes to it in one piece.

The event loop writes; a thread waits for the disk. With `durability = "power"` an entry counts
when it is on the disk, with "process" when it is written (and is on the disk a second later).
A loop that has nothing else to do waits for the disk itself: what arrives meanwhile waits in its
sockets, and two changes of threads for each group are saved.

When a segment of the journal is full, the thread begins the next one: nothing is written until it
has, and what arrives gathers as it does while the disk works, but the loop never waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

from farthing.ledger.journal import Journal, JournalFullError

log = logging.getLogger("farthing")

# The longest that durability = "process" leaves an entry to the operating system alone.
PROCESS_SYNC_SECONDS = 1.0
FULL_RETRY_SECONDS = 0.5


class Committer:
    """Appends entries to a journal in groups and calls back when they count."""

    def __init__(
        self,
        journal: Journal,
        durability: str,
        on_failure: Callable[[BaseException], None] | None = None,
        *,
        waits: Callable[[], bool] | None = None,
    ) -> None:
        """Must be made in a running event loop. `on_failure` is called if the disk fails.

        `waits`: whether the loop may wait for the disk now, as it has nothing else to do.
        """
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._power = durability == "power"
        self._waits = waits or _never
        self._on_failure = on_failure or _die
        self._entries: list[bytes] = []
        self._callbacks: list[Callable[[], None]] = []
        self._written: list[Callable[[], None]] = []
        self._scheduled = False
        self._syncing = False
        self._rolling = False
        self._failed = False
        self._turn: asyncio.Future[None] | None = None
        self.pending_bytes = 0
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._wait_for_disk, name="journal", daemon=True)
        self._thread.start()

    def append(self, entry: bytes, done: Callable[[], None]) -> None:
        """Append an encoded entry; call `done` when it counts."""
        self._entries.append(entry)
        self._callbacks.append(done)
        self.pending_bytes += len(entry)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        """Write what has gathered, unless the disk is still busy with the group before."""
        self._scheduled = False
        busy = self._rolling or (self._power and self._syncing)
        if self._failed or busy or not self._entries:
            return
        if self._journal.roll_due:
            self._rolling = True
            self._work.put(self._roll)
            return
        entries, self._entries = self._entries, []
        callbacks, self._callbacks = self._callbacks, []
        self.pending_bytes = 0
        try:
            self._journal.append(entries)
        except JournalFullError as error:
            self._wait_for_room(entries, callbacks, error)
            return
        except Exception as error:  # noqa: BLE001  (whatever it is, the ledger must stop)
            self._fail(error)
            return
        if self._power:
            self._written = callbacks
            self._sync()
            return
        if not self._syncing:
            self._sync_later()
        _call(callbacks)

    def _wait_for_room(
        self, entries: list[bytes], callbacks: list[Callable[[], None]], error: JournalFullError
    ) -> None:
        """Keep what was decided until the disk takes it: room is reserved, so this is rare."""
        log.error("%s; trying again", error)
        self._entries, self._callbacks = entries + self._entries, callbacks + self._callbacks
        self.pending_bytes = sum(map(len, self._entries))
        self._scheduled = True
        self._loop.call_later(FULL_RETRY_SECONDS, self._write)

    def _sync(self) -> None:
        self._syncing = True
        if self._waits():
            self._synced(_error_of(self._journal.sync))
        else:
            self._work.put(self._sync_now)

    def _sync_later(self) -> None:
        self._syncing = True
        self._loop.call_later(PROCESS_SYNC_SECONDS, self._work.put, self._sync_now)

    def _wait_for_disk(self) -> None:
        """The thread: one thing after the other, until told to end."""
        while work := self._work.get():
            work()

    def _sync_now(self) -> None:
        self._in_thread(self._journal.sync, self._synced)

    def _roll(self) -> None:
        self._in_thread(self._journal.roll, self._rolled)

    def _in_thread(
        self, work: Callable[[], None], done: Callable[[BaseException | None], None]
    ) -> None:
        error = _error_of(work)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is ending
            self._loop.call_soon_threadsafe(done, error)

    def _rolled(self, error: BaseException | None) -> None:
        self._rolling = False
        if error is not None:
            self._fail(error)
        elif not self._scheduled:
            self._write()  # what gathered meanwhile

    def _synced(self, error: BaseException | None) -> None:
        self._syncing = False
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)
        if error is not None:
            self._fail(error)
            return
        if not self._power and self._journal.durable < self._journal.position:
            self._sync_later()  # for what was written during the sync
        callbacks, self._written = self._written, []
        _call(callbacks)
        if self._entries and not self._scheduled:
            self._write()

    def _fail(self, error: BaseException) -> None:
        """Stop: after a failed write or sync nobody knows what is on the disk."""
        self._failed = True
        self._on_failure(error)

    async def close(self) -> None:
        """Write and sync what is left, then end the thread and close the journal."""
        while not self._failed and (self._entries or (self._power and self._syncing)):
            if self._syncing and self._power:
                self._turn = self._loop.create_future()
                await self._turn
            else:
                self._write()
                await asyncio.sleep(FULL_RETRY_SECONDS if self._entries else 0)
        self._work.put(None)
        self._thread.join()
        self._journal.close()


def _error_of(work: Callable[[], None]) -> BaseException | None:
    """Do something; return what went wrong."""
    try:
        work()
    except Exception as problem:  # noqa: BLE001  (handed to the loop, which stops)
        return problem
    return None


def _never() -> bool:
    return False


def _call(callbacks: list[Callable[[], None]]) -> None:
    for callback in callbacks:
        callback()


def _die(error: BaseException) -> None:
    log.critical("the journal cannot be written (%s); stopping, to read it again", error)
    os._exit(70)  # EX_SOFTWARE: no clean-up may pretend that what is in memory was recorded

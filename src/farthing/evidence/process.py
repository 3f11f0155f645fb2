"""The publisher process: keeps the transparency log behind the journal.

It is in nobody's way: when it must not sign, it says so and the gateway serves on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import uvloop

from farthing.errors import ConfigError
from farthing.evidence.identity import identity_of
from farthing.evidence.note import NoteError
from farthing.evidence.publish import ContradictionError, Publisher
from farthing.evidence.witnesses import Witnesses
from farthing.ledger.segments import JournalDamagedError
from farthing.paths import DataFolder, lock
from farthing.runtime import Runtime, give_way, log_as, read_told, say_ready, stop_event
from farthing.settings import Settings

T = TypeVar("T")

log = logging.getLogger("farthing")

# A checkpoint costs some ten syncs of the disk that the journal is on.
EVERY_SECONDS = 1.0
# After what fails, everything is read again; so it is tried ever more rarely.
LONGEST_PAUSE = 60.0
SAY_AGAIN_SECONDS = 600.0
# What came last is published before the process ends, if that is soon done.
LAST_SECONDS = 5.0


class Publishing:
    """Publishes a data folder's journal in turns, whatever happens."""

    def __init__(self, data: DataFolder, log_origin: str) -> None:
        self._data = data
        self._log_origin = log_origin
        self._publisher: Publisher | None = None
        self._lock: int | None = None
        self._pause = EVERY_SECONDS
        self.cosigned: deque[bytes] = deque()
        """Checkpoints that witnesses have cosigned, to be published."""
        self.refusal = ""
        """Why nothing is signed any more; empty while it is."""

    def turn(self) -> float:
        """Publish some; return how many seconds to wait before the next turn."""
        if self.refusal:
            log.critical("the transparency log stands still: %s", self.refusal)
            return SAY_AGAIN_SECONDS
        try:
            publisher = self._publisher or self._open()
            more = publisher is not None and publisher.publish()
            while publisher is not None and self.cosigned:
                publisher.show_cosigned(self.cosigned.popleft())
        except (ContradictionError, JournalDamagedError) as problem:
            self.refusal = str(problem)
            return self.turn()
        except (OSError, ConfigError) as problem:
            log.error("the log cannot be published (%s); trying again", problem)
            self._drop()
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            return self._pause
        self._pause = EVERY_SECONDS
        return 0 if more else EVERY_SECONDS

    def _open(self) -> Publisher | None:
        identity = identity_of(self._data, self._log_origin)
        if identity is None:
            return None
        folder = self._data.log
        folder.mkdir(exist_ok=True, mode=0o700)
        if self._lock is None:
            self._lock = lock(folder / "lock", "another process publishes it")
        self._publisher = Publisher(self._data.journal, folder, identity)
        return self._publisher

    def _drop(self) -> None:
        if self._publisher is not None:
            self._publisher.close()
        self._publisher = None

    def finish(self) -> None:
        """Publish what is left, if that is soon done, and close."""
        until = time.monotonic() + LAST_SECONDS
        while not self.refusal and self.turn() == 0 and time.monotonic() < until:
            pass
        self._drop()
        if self._lock is not None:
            os.close(self._lock)


async def _serve(runtime: Runtime) -> None:
    stop = stop_event()
    data = DataFolder(Path(runtime.data))
    publishing = Publishing(data, runtime.settings.log_origin)
    beside = [
        asyncio.create_task(_witness(data, runtime.settings, publishing)),
        asyncio.create_task(_stamp(data, runtime.settings)),
    ]
    say_ready()  # the gateway does not wait for its log
    while not stop.is_set():
        seconds = await asyncio.to_thread(publishing.turn)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
    for task in beside:
        task.cancel()
    await asyncio.to_thread(publishing.finish)


async def _witness(data: DataFolder, settings: Settings, publishing: Publishing) -> None:
    """Ask the witnesses now and then; publishing does not wait for them."""
    if not settings.witnesses:
        return
    witnesses = Witnesses(data.log, data.witnesses, settings.witnesses)
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        cosigned = await _aside(witnesses.round, "the witnesses cannot be asked")
        if cosigned is not None:
            publishing.cosigned.append(cosigned)
        await asyncio.sleep(max(0, began + settings.witness_seconds - loop.time()))


async def _stamp(data: DataFolder, settings: Settings) -> None:
    """Have the checkpoint stamped now and then; publishing does not wait for that."""
    if not settings.timestamp_url:
        return
    # Its library takes a tenth of a second to import, and few have an authority.
    from farthing.evidence.timestamps import AGAIN_SECONDS, Timestamps  # noqa: PLC0415

    stamps = Timestamps(data.log, data.timestamps, settings)
    while True:
        seconds = await _aside(stamps.round, "the log cannot be stamped")
        await asyncio.sleep(AGAIN_SECONDS if seconds is None else seconds)


async def _aside(work: Callable[[], T | None], failed: str) -> T | None:
    """Do a work in a thread that nobody waits for when the process ends; None if it failed."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T | None] = loop.create_future()

    def run() -> None:
        try:
            came = work()
        except (OSError, NoteError) as problem:
            log.error("%s (%s); trying again", failed, problem)
            came = None
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
            loop.call_soon_threadsafe(tell, came)

    def tell(came: T | None) -> None:
        if not done.done():
            done.set_result(came)

    threading.Thread(target=run, daemon=True).start()
    return await done


def main() -> None:
    """Run the publisher as a process of its own."""
    runtime = read_told(Runtime)
    log_as(runtime.name)
    give_way()
    uvloop.run(_serve(runtime))


if __name__ == "__main__":
    main()

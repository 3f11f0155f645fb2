"""The follower process: keeps records and snapshots behind the journal and answers look-ups.

It runs beside the gateway so that no SQL runs in a process that serves queries.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvloop

from farthing.ledger.database import reason, shown
from farthing.ledger.frames import FrameProtocol
from farthing.ledger.lookup import PATIENCE_SECONDS, Found, Lookup, decode_lookup, encode
from farthing.ledger.project import catch_up
from farthing.ledger.records import find, open_records
from farthing.ledger.search import ledger_in
from farthing.ledger.segments import JournalDamagedError
from farthing.ledger.snapshotter import Snapshotter
from farthing.ledger.state import State
from farthing.paths import DataFolder
from farthing.runtime import (
    Runtime,
    give_way,
    log_as,
    read_told,
    say_ready,
    spare_collections,
    stop_event,
)

log = logging.getLogger("farthing")

# How often the journal is looked at. Watching costs the ledger nothing this way; whoever looks
# a query up does not wait for it, as a look-up catches up first.
EVERY_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 0.02

# How long it rests after a try that failed. A look-up tries by itself, and says what came of it.
AWAY_SECONDS = 2.0


class Follower:
    """Projects the journal of a data folder, in turns, and looks queries up."""

    def __init__(self, data: DataFolder, database: str | None = None) -> None:
        self.data = data
        self.database = database
        self.engine: sa.Engine | None = None
        """None until the database was reached once."""
        self.snapshotter = Snapshotter(data.journal, State)
        self._turn = asyncio.Lock()
        self._away = False

    async def catch_up(self) -> None:
        """Project what is new."""
        async with self._turn:
            await asyncio.to_thread(self._catch_up)

    def _catch_up(self) -> None:
        if self.engine is None:
            self.engine = open_records(self.data, self.database)
        catch_up(self.engine, self.data.journal)

    async def look_up(self, asked: Lookup) -> dict[str, Any] | None:
        """Return a key's query; one that is open is given a moment to end."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_SECONDS
        while True:
            await self.catch_up()
            record = await asyncio.to_thread(self._find, asked.query)
            if record is None or record["key"] != asked.key:
                return None
            if record["status"] != "open" or loop.time() >= until:
                return record
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    def _find(self, query: str) -> dict[str, Any] | None:
        assert self.engine is not None, "a look-up catches up first"
        with self.engine.connect() as connection:
            return find(connection, ledger_in(self.data.journal), query)

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Listen for look-ups and follow the journal until told to stop."""
        path = self.data.socket("records")
        path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        previous = os.umask(0o177)
        try:
            server = await loop.create_unix_server(lambda: _Connection(self), str(path))
        finally:
            os.umask(previous)
        ready()
        try:
            # Side by side: a database that is away keeps nobody from writing snapshots.
            await asyncio.gather(self._project(stop), self._take_snapshots(stop))
        finally:
            server.close()
            self.snapshotter.close()
        await self._try_to_catch_up()

    async def _project(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            rest = EVERY_SECONDS if await self._try_to_catch_up() else AWAY_SECONDS
            await _wait(stop, rest)

    async def _take_snapshots(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not await asyncio.to_thread(self.snapshotter.follow):
                await _wait(stop, EVERY_SECONDS)

    async def _try_to_catch_up(self) -> bool:
        """Project what is new, or say why not: the journal is the record, the rows can wait."""
        where = shown(self.database)
        try:
            await self.catch_up()
        except sa.exc.DBAPIError as error:
            self._away = True
            log.error("%s: the records cannot be written (%s); trying again", where, reason(error))
            return False
        except JournalDamagedError as error:
            log.error("the journal cannot be followed: %s", error)
            return False
        if self._away:
            self._away = False
            log.info("%s: the records are written again", where)
        return True


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


class _Connection(FrameProtocol):
    def __init__(self, follower: Follower) -> None:
        super().__init__()
        self._follower = follower
        self._tasks: set[asyncio.Task[None]] = set()

    def message(self, data: bytes) -> None:
        """Answer a look-up."""
        task = asyncio.get_running_loop().create_task(self._answer(decode_lookup(data)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, asked: Lookup) -> None:
        try:
            record = await self._follower.look_up(asked)
        except sa.exc.DBAPIError as error:
            log.error("a look-up failed (%s)", reason(error))
            self.close()  # its caller says that the records cannot be read
            return
        except (sa.exc.SQLAlchemyError, JournalDamagedError):
            log.exception("a look-up failed")
            self.close()  # its caller says that the records cannot be read
            return
        self.send(encode(Found(asked.number, record)))


async def _serve(runtime: Runtime) -> None:
    stop = stop_event()
    follower = Follower(DataFolder(Path(runtime.data)), runtime.settings.database)
    spare_collections()
    await follower.run(stop, say_ready)


def main() -> None:
    """Run the follower as a process of its own."""
    runtime = read_told(Runtime)
    log_as(runtime.name)
    give_way()
    uvloop.run(_serve(runtime))


if __name__ == "__main__":
    main()

"""Open a data folder's ledger: inside a worker, or as a process of its own."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import msgspec
import uvloop

from farthing.errors import ConfigError
from farthing.ledger.commit import Committer
from farthing.ledger.journal import Journal
from farthing.ledger.ledger import Ledger, put_in_force, replay
from farthing.ledger.server import LedgerServer
from farthing.paths import DataFolder
from farthing.runtime import (
    Runtime,
    log_as,
    read_told,
    say_ready,
    spare_collections,
    stop_event,
)

log = logging.getLogger("farthing")


# While no more queries are open than this, nothing is late if the loop waits for the disk.
FEW = 2


class OpenLedger(msgspec.Struct):
    """A ledger and its socket."""

    ledger: Ledger
    server: LedgerServer

    async def close(self) -> None:
        """Stop listening, write what is left, close the journal."""
        self.server.close()
        await self.ledger.close()


async def open_ledger(runtime: Runtime, *, alone: bool = False) -> OpenLedger:
    """Recover the journal and serve it on the data folder's socket.

    `alone`: whether this process does nothing else.

    Raises:
        ConfigError: another process has it, or it is damaged.
    """
    data = DataFolder(Path(runtime.data))
    began = time.monotonic()
    journal = Journal(data.journal)
    state = replay(journal)
    seconds = time.monotonic() - began
    log.info("the ledger has %d entries, read in %.2f s", state.position, seconds)
    committer = Committer(
        journal, runtime.settings.durability, waits=lambda: alone or len(state.holds) <= FEW
    )
    ledger = Ledger(journal, state, committer)
    book = Path(runtime.price_book)
    put_in_force(ledger, runtime.config_digest, book.stem, runtime.price_source)
    server = LedgerServer(ledger, own_worker=runtime.worker)
    await server.listen(data.socket("ledger"))
    server.expire(runtime.settings.unresolved_days)
    return OpenLedger(ledger, server)


async def _serve(runtime: Runtime) -> None:
    stop = stop_event()
    opened = await open_ledger(runtime, alone=True)
    spare_collections()
    say_ready()
    await stop.wait()
    await opened.close()


def main() -> None:
    """Run the ledger as a process of its own."""
    runtime = read_told(Runtime)
    log_as(runtime.name)
    try:
        uvloop.run(_serve(runtime))
    except ConfigError as problem:
        log.critical("%s", problem)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()

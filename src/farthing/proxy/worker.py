"""A worker process: one event loop that serves queries on the gateway's port."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import uvloop

from farthing.errors import ConfigError
from farthing.ledger.client import RemoteLedger
from farthing.ledger.ledger import LedgerPort
from farthing.ledger.process import OpenLedger, open_ledger
from farthing.paths import DataFolder
from farthing.prices.book import PriceBook
from farthing.providers import Providers, load_providers
from farthing.providers.load import LOCAL
from farthing.proxy.app import App
from farthing.proxy.records import RemoteRecords
from farthing.proxy.server import ClientConnection
from farthing.route.plan import Router
from farthing.runtime import (
    Runtime,
    log_as,
    read_told,
    say_ready,
    spare_collections,
    stop_event,
)
from farthing.wire import families

if TYPE_CHECKING:
    from farthing.vault.drafts import Vault

log = logging.getLogger("farthing")

BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """Return a socket on an address that the gateway's other workers share."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    return listener


def usable_providers(runtime: Runtime) -> Providers:
    """Return the providers, with the embedded model's address if it runs."""
    providers = load_providers(runtime.settings, os.environ)
    if runtime.local is not None:
        providers[LOCAL] = msgspec.structs.replace(
            providers[LOCAL], base_url=runtime.local.base_url, key=runtime.local.secret
        )
    return providers


async def serve(runtime: Runtime) -> None:
    """Serve until told to stop, then let the open queries end."""
    stop = stop_event()
    data = DataFolder(Path(runtime.data))
    book = PriceBook(Path(runtime.price_book).read_bytes())
    providers = usable_providers(runtime)
    router = Router(providers, book, runtime.settings.models)
    ledger, opened = await _ledger(runtime, data)
    app = App(
        runtime.settings,
        ledger,
        router,
        book,
        RemoteRecords(data.socket("records")),
        data.pepper(),
        runtime.worker,
        data.log,
    )
    vault = app.vault = _vault(runtime, data)
    server = await asyncio.get_running_loop().create_server(
        lambda: ClientConnection(app), sock=bind(runtime.host, runtime.port), backlog=BACKLOG
    )
    say_ready()
    tls = any(provider.tls and provider.usable() for provider in providers.values())
    await asyncio.to_thread(_settle_in, app, tls=tls)
    await stop.wait()
    server.close()
    await app.drain()
    if vault is not None:
        await vault.close()
    await opened.close()


def _settle_in(app: App, *, tls: bool) -> None:
    """Do what the first query need not wait for, before there are many."""
    families.load()
    if tls:
        app.pool.load_tls()
    spare_collections()


def _vault(runtime: Runtime, data: DataFolder) -> Vault | None:
    """Open the vault, where a rule wants one: few do, and cryptography takes long to import."""
    if not runtime.settings.contents:
        return None
    from farthing.vault.drafts import open_vault  # noqa: PLC0415

    return open_vault(runtime.settings, data, runtime.worker)


async def _ledger(
    runtime: Runtime, data: DataFolder
) -> tuple[LedgerPort, OpenLedger | RemoteLedger]:
    if runtime.own_ledger:
        opened = await open_ledger(runtime)
        return opened.ledger, opened
    remote = RemoteLedger(data.socket("ledger"), runtime.worker)
    await remote.connect()
    return remote, remote


def raise_file_limit() -> None:
    """Allow as many connections as the system lets us: two descriptors for each open query."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    """Run a worker as a process of its own."""
    runtime = read_told(Runtime)
    log_as(runtime.name)
    raise_file_limit()
    try:
        uvloop.run(serve(runtime))
    except ConfigError as problem:
        log.critical("%s", problem)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()

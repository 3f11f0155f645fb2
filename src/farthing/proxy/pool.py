"""A worker's connections to providers: kept alive, and checked before they are made."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator

from farthing.errors import Failed
from farthing.flow import OneShot, ready
from farthing.providers import Provider
from farthing.proxy.sweep import NEVER, Sweeper
from farthing.proxy.upstream import UpstreamConnection
from farthing.settings import HttpSettings


class UpstreamPool:
    """All connections of a worker to all providers."""

    def __init__(self, settings: HttpSettings, sweeper: Sweeper) -> None:
        self.settings = settings
        self.sweeper = sweeper
        self._connections: set[UpstreamConnection] = set()
        self._idle: dict[str, list[UpstreamConnection]] = {}
        self._tls: ssl.SSLContext | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def resting(self, provider: Provider) -> UpstreamConnection | None:
        """Return a connection to a provider that rests, if there is one."""
        idle = self._idle.get(provider.name)
        while idle:
            connection = idle.pop()
            if connection.open:  # or its end has come and is not told yet
                connection.deadline = NEVER
                return connection
        return None

    def connect(self, provider: Provider) -> OneShot[UpstreamConnection]:
        """Return a connection to a provider: one that rests, or a new one.

        Raises (from the OneShot):
            Failed: upstream_unreachable; nothing was sent.
        """
        connection = self.resting(provider)
        if connection is not None:
            return ready(connection)
        shot: OneShot[UpstreamConnection] = OneShot()
        task = asyncio.get_running_loop().create_task(self._connect(provider, shot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return shot

    def give_back(self, connection: UpstreamConnection) -> None:
        """Let a connection rest until it is needed again."""
        self._idle.setdefault(connection.provider.name, []).append(connection)

    def opened(self, connection: UpstreamConnection) -> None:
        """Remember a connection and watch its deadlines."""
        self._connections.add(connection)
        self.sweeper.add(connection)

    def forget(self, connection: UpstreamConnection) -> None:
        """Drop a connection that has ended."""
        self._connections.discard(connection)
        self.sweeper.remove(connection)
        idle = self._idle.get(connection.provider.name, [])
        if connection in idle:
            idle.remove(connection)

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self._connections):
            connection.abort()

    async def _connect(self, provider: Provider, shot: OneShot[UpstreamConnection]) -> None:
        try:
            async with asyncio.timeout(self.settings.connect_seconds):
                shot.set(await self._open(provider))
        except TimeoutError:
            seconds = self.settings.connect_seconds
            shot.fail(_unreachable(provider, f"no connection within {seconds:g} seconds"))
        except Failed as problem:
            shot.fail(problem)
        except Exception as error:  # noqa: BLE001  (its query must not wait for ever)
            shot.fail(_unreachable(provider, str(error)))

    async def _open(self, provider: Provider) -> UpstreamConnection:
        """Resolve the host, check its addresses, and connect to one that was checked."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(provider.host, provider.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        if not provider.allow_private_address:
            addresses = [a for a in addresses if ipaddress.ip_address(a).is_global]
        if not addresses:
            raise _unreachable(
                provider,
                "its address is a private one; if that is meant, set allow_private_address = true "
                f"under [providers.{provider.name}] in farthing.toml",
            )
        problem: OSError = OSError("no address")
        for address in addresses:
            try:
                return await self._open_at(provider, address)
            except OSError as error:
                problem = error
        raise problem

    def load_tls(self) -> ssl.SSLContext:
        """Return the context for TLS. Reading the system's certificates takes some 30 ms, once."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    async def _open_at(self, provider: Provider, address: str) -> UpstreamConnection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: UpstreamConnection(self, provider),
            address,
            provider.port,
            ssl=self.load_tls() if provider.tls else None,
            server_hostname=provider.host if provider.tls else None,
        )
        return connection


@contextlib.asynccontextmanager
async def own_pool(settings: HttpSettings) -> AsyncIterator[UpstreamPool]:
    """Connections for a command of its own, closed when it is done."""
    sweeper = Sweeper()
    pool = UpstreamPool(settings, sweeper)
    try:
        yield pool
    finally:
        pool.close()
        sweeper.stop()
        await asyncio.sleep(0)  # lets the event loop see that they are closed


def _unreachable(provider: Provider, why: str) -> Failed:
    return Failed(
        "upstream_unreachable",
        f"{provider.name} cannot be reached at {provider.host}:{provider.port}: {why}. Nothing was "
        "sent, nothing is billed.",
    )

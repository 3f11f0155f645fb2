"""Connections to providers: kept alive, checked before they are made, one query at a time."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Protocol, cast

import httptools
import msgspec

from farthing.errors import Failed
from farthing.flow import OneShot, ready
from farthing.providers import Provider
from farthing.proxy.http import HOP_BY_HOP, keep_alive_seconds
from farthing.proxy.sweep import NEVER, Sweeper
from farthing.settings import HttpSettings


class Head(msgspec.Struct):
    """The head of a provider's answer."""

    status: int
    passed: bytes
    """The header lines that go on to the client."""
    content_type: bytes
    encoded: bool
    """Whether the body is compressed, although that was not asked for."""
    own: dict[bytes, bytes] = {}
    """The headers of a provider that is a farthing itself; they do not go on."""


class Sink(Protocol):
    """Where a provider's answer goes."""

    def head(self, head: Head) -> None:
        """The head has come."""

    def body(self, data: bytes) -> None:
        """A piece of the body has come."""

    def flush(self) -> None:
        """All that came in one read has been told."""

    def complete(self) -> None:
        """The answer has ended."""

    def broken(self, problem: Failed) -> None:
        """The answer will not end."""


class UpstreamConnection(asyncio.Protocol):
    """One connection to a provider. Whoever has it sends one query; its end gives it back."""

    def __init__(self, pool: UpstreamPool, provider: Provider) -> None:
        self.provider = provider
        self.deadline = NEVER
        self.transport: asyncio.Transport | None = None
        self._pool = pool
        self._settings = pool.settings
        self._sink: Sink | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reset()

    def _reset(self) -> None:
        self._head_bytes = 0
        self._head_done = False
        self._passed: list[bytes] = []
        self._own: dict[bytes, bytes] = {}
        self._content_type = b""
        self._encoded = False
        self._framed = False
        self._keep_alive = False
        self._paused = False
        self._idle_seconds = self._settings.pool_idle_seconds

    @property
    def open(self) -> bool:
        """Whether a query can be sent on it."""
        return self.transport is not None and not self.transport.is_closing()

    def send(self, request: bytes, sink: Sink) -> None:
        """Send a request; its answer goes to the sink."""
        assert self._sink is None, "one query at a time"
        if self.transport is None:
            sink.broken(self._problem("upstream_reset", "closed the connection as it was used"))
            return
        self._sink = sink
        self.deadline = self._pool.sweeper.now + self._settings.answer_seconds
        self.transport.write(request)

    def pause(self) -> None:
        """Read no more until `resume`: the client is slower than the provider."""
        if self.transport is not None:
            self.transport.pause_reading()
            self._paused = True
            self.deadline = NEVER

    def resume(self) -> None:
        """Read on, if it was paused."""
        if self.transport is not None and self._paused:
            self.transport.resume_reading()
            self._paused = False
            self.deadline = self._pool.sweeper.now + self._settings.silence_seconds

    def expired(self) -> None:
        """The provider is silent for too long, or the connection has rested long enough."""
        if self._sink is None:
            self.abort()
        else:
            self._break("upstream_timeout", "did not answer in time")

    def abort(self) -> None:
        """Close the connection now; nobody gets it from the pool any more."""
        if self.transport is not None:
            self._pool.forget(self)
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to watch the connection."""
        self.transport = cast(asyncio.Transport, transport)
        self._pool.opened(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came and hand it on."""
        sink = self._sink
        if sink is None:  # nobody asked: whatever this is, it must not answer the next query
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break("upstream_malformed", f"sent what is not HTTP ({error})")
            return
        if self._sink is None:
            pass  # the answer is complete, and the connection rests
        elif self._head_done:
            if not self._paused:
                self.deadline = self._pool.sweeper.now + self._settings.silence_seconds
        else:
            self._head_bytes += len(data)
            if self._head_bytes > self._settings.max_header_bytes:
                self._break("upstream_malformed", "sent headers without end")
                return
        sink.flush()

    def on_message_begin(self) -> None:
        """Hang up on an answer that nobody asked for: it must not answer the next query."""
        if self._sink is None:
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header of the answer."""
        name = name.lower()
        if name.startswith(b"farthing-"):  # those are ours to say to the client
            self._own[name] = value
        elif name not in HOP_BY_HOP:
            self._passed.append(b"%s: %s\r\n" % (name, value))
            if name == b"content-type":
                self._content_type = value.lower()
            elif name == b"content-encoding":
                self._encoded = value.lower() != b"identity"
        elif name in (b"content-length", b"transfer-encoding"):
            self._framed = True
        elif name == b"keep-alive":
            self._idle_seconds = min(self._idle_seconds, keep_alive_seconds(value))

    def on_headers_complete(self) -> None:
        """Tell the sink, unless this is only an interim answer (1xx)."""
        status = self._parser.get_status_code()
        self._head_done = status >= 200
        # Only now does the parser say so; once the message is complete it always says no.
        self._keep_alive = self._parser.should_keep_alive()
        if status in (204, 304):
            self._framed = True
        if self._head_done and self._sink is not None:
            passed = b"".join(self._passed)
            self._sink.head(Head(status, passed, self._content_type, self._encoded, self._own))

    def on_body(self, data: bytes) -> None:
        """Hand on a piece of the body."""
        if self._sink is not None:
            self._sink.body(data)

    def on_message_complete(self) -> None:
        """The answer has ended: give the connection back, then tell the sink."""
        if not self._head_done:
            self._reset()
            return
        sink, self._sink = self._sink, None
        keep, idle = self._keep_alive and self._framed, self._idle_seconds
        self._reset()
        if keep and self.open:
            self.deadline = self._pool.sweeper.now + idle
            self._pool.give_back(self)
        else:
            self.abort()
        if sink is not None:
            sink.complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End an answer that only the connection's end could end; break any other."""
        self.transport = None
        self._pool.forget(self)
        sink, self._sink = self._sink, None
        if sink is None:
            return
        if self._head_done and not self._framed and exc is None:
            sink.complete()
        else:
            sink.broken(self._problem("upstream_reset", "closed the connection too early"))

    def _break(self, code: str, what: str) -> None:
        sink, self._sink = self._sink, None
        self.abort()
        if sink is not None:
            sink.broken(self._problem(code, what))

    def _problem(self, code: str, what: str) -> Failed:
        return Failed(
            code,
            f"{self.provider.name} {what}. The query was sent and may be billed: its cost stays "
            "held at the maximum until it is known.",
        )


class UpstreamPool:
    """All connections of a worker to all providers."""

    def __init__(self, settings: HttpSettings, sweeper: Sweeper) -> None:
        self.settings = settings
        self.sweeper = sweeper
        self._connections: set[UpstreamConnection] = set()
        self._idle: dict[str, list[UpstreamConnection]] = {}
        self._tls: ssl.SSLContext | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, provider: Provider) -> OneShot[UpstreamConnection]:
        """Return a connection to a provider: one that rests, or a new one.

        Raises (from the OneShot):
            Failed: upstream_unreachable; nothing was sent.
        """
        idle = self._idle.get(provider.name)
        while idle:
            connection = idle.pop()
            if connection.open:  # or its end has come and is not told yet
                connection.deadline = NEVER
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

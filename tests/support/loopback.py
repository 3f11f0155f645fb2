"""Servers and clocks inside a test's own event loop: nothing waits for real time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest

from farthing.errors import Failed
from farthing.providers import Provider
from farthing.proxy.gather import Gathered
from farthing.proxy.pool import UpstreamPool, own_pool
from farthing.proxy.upstream import UpstreamConnection
from farthing.settings import HttpSettings

T = TypeVar("T")
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

# Nothing here takes this long unless it hangs.
PATIENCE = 20.0


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be put forward."""

    jumped = 0.0

    def time(self) -> float:
        return super().time() + self.jumped


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine on a clock that jumps; one that hangs is cancelled."""

    async def guarded() -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        guard = threading.Timer(PATIENCE, loop.call_soon_threadsafe, [task.cancel])
        guard.daemon = True
        guard.start()
        try:
            return await main
        finally:
            guard.cancel()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(guarded())


async def jump(seconds: float) -> None:
    """Put the clock forward and let what is due happen."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    loop.jumped += seconds
    for _ in range(3):
        await asyncio.sleep(0)


async def until(done: Callable[[], bool]) -> None:
    """Let the event loop work until something is so."""
    while not done():
        await asyncio.sleep(0)


class Loopback:
    """A provider whose script says byte for byte what it does with each connection."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0
        self._script = script
        self._tls = tls
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Loopback:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def all_closed(self) -> None:
        """Wait until every connection has ended."""
        await until(lambda: not self._tasks)

    def provider(self, **fields: Any) -> Provider:
        """Return this server as a provider of the gateway."""
        said: dict[str, Any] = {
            "base_url": f"http://127.0.0.1:{self.port}/v1",
            "dialects": {"chat": "/chat/completions", "messages": "/messages"},
            "name": "loop",
            "prices": "loop",
            "auth": "none",
            "allow_private_address": True,
        }
        return Provider(**{**said, **fields})

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """Read one request and remember it."""
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(n[15:]) for n in lines if n.startswith(b"content-length:")), 0)
        request = head + await reader.readexactly(length)
        self.requests.append(request)
        return request

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(EOFError, ConnectionError, asyncio.CancelledError):
            await self._script(reader, writer)
        writer.close()
        self._tasks.discard(task)


def answering(
    *answers: bytes, then_close: bool = False, tls: ssl.SSLContext | None = None
) -> Loopback:
    """Return a server that gives each connection these answers, one a request."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await server.read(reader)
            writer.write(answer)
            await writer.drain()
        if not then_close:
            await reader.read()

    server = Loopback(script, tls)
    return server


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST rather than FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def http(body: bytes = b"hello", status: int = 200, *lines: bytes) -> bytes:
    """Return a whole answer with a content-length."""
    headers = b"".join(line + b"\r\n" for line in lines)
    return b"HTTP/1.1 %d X\r\n%scontent-length: %d\r\n\r\n%s" % (status, headers, len(body), body)


REQUEST = (b"POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}",)


class Link:
    """A pool, the server behind it and the provider that it is."""

    def __init__(self, pool: UpstreamPool, server: Loopback, provider: Provider) -> None:
        self.pool = pool
        self.server = server
        self.provider = provider

    async def connect(self) -> UpstreamConnection:
        return await self.pool.connect(self.provider).in_task()

    async def send(self) -> tuple[UpstreamConnection, Gathered]:
        """Send a request; wait until the server has read it."""
        connection, told = await self.connect(), Gathered()
        sent = len(self.server.requests)
        connection.send(REQUEST, told)
        await until(lambda: told.finished.done or len(self.server.requests) > sent)
        return connection, told

    async def ask(self) -> bytes:
        """Send a request and return the answer's body."""
        _, told = await self.send()
        await told.finished.in_task()
        return bytes(told.content)

    async def failure(self) -> Failed:
        """Send a request that must fail."""
        with pytest.raises(Failed) as problem:
            await self.ask()
        return problem.value


@contextlib.asynccontextmanager
async def link(server: Loopback, **fields: Any) -> AsyncIterator[Link]:
    """Start a server, with a pool of connections to it."""
    async with server, own_pool(HttpSettings()) as pool:
        yield Link(pool, server, server.provider(**fields))

"""A worker's application in a test's own event loop: its ledger is a list, its port is real."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.support.loopback import until

from farthing.flow import OneShot, ready
from farthing.ledger.entry import Commitment, Ending, Hold, Refusal
from farthing.ledger.ledger import Outcome
from farthing.ledger.registry import KeyState
from farthing.policy.keys import make_key
from farthing.prices.book import DEAR_IMAGES as IMAGES
from farthing.prices.book import Book, Model, PriceBook, Row
from farthing.providers import Provider
from farthing.proxy.app import App
from farthing.proxy.server import ClientConnection
from farthing.route.plan import Router
from farthing.settings import Settings

PEPPER = b"p" * 32
NEW_KEY = make_key("a test", PEPPER, 1, "test")
KEY = NEW_KEY.text

# A dollar for a million tokens, which is 1000 nanodollars each; twice that with priority.
ROW = Row({"input": [(0, 10**9)], "output": [(0, 10**9)]})
PRIORITY = Row(
    {"input": [(0, 2 * 10**9)], "output": [(0, 2 * 10**9)]}, when={"service_tier": "priority"}
)

# A dollar for a million of each, but for images, of which those made cost ten.
ODD = [
    Model("painter", [Row({**ROW.prices, "output_image": [(0, 10**10)]})], None, [], None, IMAGES),
    Model("voice", [Row({"characters": [(0, 10**9)]})]),
    Model("ear", [Row({"audio_seconds": [(0, 10**9)]})]),
    Model("sorter", [Row({"input": [(0, 10**9)], "search_units": [(0, 10**9)]})]),
]
BOOK = PriceBook(
    Book("a test", {"loop": [*ODD, Model("m", [ROW], ("contains", "m"), [PRIORITY])]}).encoded()
)


class ListLedger:
    """A ledger that takes everything unless told otherwise, and remembers it."""

    def __init__(self) -> None:
        self.keys = {NEW_KEY.entry.id: KeyState(NEW_KEY.entry)}
        self.commitments: dict[str, Commitment] = {}
        self.ready = True
        self.refusal: Refusal | None = None
        """What becomes of holds."""
        self.outcome: Outcome = ready(None)
        """What becomes of endings."""
        self.holds: list[Hold] = []
        self.endings: list[Ending] = []

    def hold(self, entry: Hold) -> Outcome:
        if self.refusal is None:
            self.holds.append(entry)
        return ready(self.refusal)

    def end(self, entry: Ending) -> Outcome:
        self.endings.append(entry)
        return self.outcome

    def refuse_endings(self) -> None:
        self.outcome = ready(Refusal("not_open"))

    def keep_waiting(self) -> Outcome:
        """Record no ending until the OneShot is set."""
        self.outcome = OneShot()
        return self.outcome


class ListRecords:
    """Records of which a test says what they answer."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.found: dict[tuple[str, str], dict[str, Any]] = {}
        self.problem: Exception | None = None

    async def look_up(self, query: str, key: str) -> dict[str, Any] | None:
        self.asked.append((query, key))
        if self.problem is not None:
            raise self.problem
        return self.found.get((query, key))


def make_app(
    *providers: Provider,
    settings: Settings | None = None,
    aliases: dict[str, str] | None = None,
    log: Path | None = None,
) -> tuple[App, ListLedger, ListRecords]:
    """Make an application; its sweeper runs until it is drained."""
    ledger, records = ListLedger(), ListRecords()
    router = Router({p.name: p for p in providers}, BOOK, aliases or {})
    app = App(settings or Settings(), ledger, router, BOOK, records, PEPPER, "worker-1-x", log)
    return app, ledger, records


class Reply:
    """An answer as it came over the connection, to its end."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = self.head.decode().split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.lines = [(n.lower(), v) for n, _, v in (line.partition(": ") for line in lines[1:])]
        self.headers = dict(self.lines)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Application:
    """An application that serves on a port."""

    def __init__(self, app: App, ledger: ListLedger, records: ListRecords, port: int) -> None:
        self.app = app
        self.ledger = ledger
        self.records = records
        self.port = port

    async def raw(self, data: bytes) -> bytes:
        """Send bytes and return what comes back until the connection is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            return await reader.read()
        finally:
            writer.close()

    async def ask(
        self, method: str, path: str, body: Any = None, key: str = KEY, **headers: str
    ) -> Reply:
        """Send one request."""
        return Reply(await self.raw(request(method, path, body, key, close=True, **headers)))


def request(
    method: str, path: str, body: Any = None, key: str = KEY, close: bool = True, **headers: str
) -> bytes:
    """Return a request as bytes."""
    payload = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    lines = [f"{method} {path} HTTP/1.1", "host: x", f"content-length: {len(payload)}"]
    lines += [f"authorization: Bearer {key}"] if key else []
    lines += ["connection: close"] if close else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + payload


@contextlib.asynccontextmanager
async def application(
    *providers: Provider,
    settings: Settings | None = None,
    aliases: dict[str, str] | None = None,
    log: Path | None = None,
) -> AsyncIterator[Application]:
    """Serve an application on a free port."""
    app, ledger, records = make_app(*providers, settings=settings, aliases=aliases, log=log)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ClientConnection(app), "127.0.0.1", 0)
    try:
        yield Application(app, ledger, records, server.sockets[0].getsockname()[1])
    finally:
        server.close()
        app.pool.close()
        await app.drain()
        await until(lambda: not app._clients)


class FakeClient:
    """What a query does to its client, in words."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.sent = b""
        self.headers = b""
        self.status = 0
        self.paused = False
        self.gone = False
        self.chunked = True
        self.heads = 0
        self.reader: Any = None

    def respond(self, status: int, headers: bytes, body: bytes) -> None:
        self._say("respond", status, headers, body)

    def begin_stream(self, status: int, headers: bytes) -> bool:
        self._say("begin", status, headers)
        return self.chunked

    def send_head(self) -> None:
        self.heads += 1

    def stream(self, data: bytes) -> None:
        self._say("stream", data=data)

    def pass_on(self, data: bytes) -> None:
        self._say("pass on", data=data)

    def end_stream(self, data: bytes = b"") -> None:
        self._say("end", data=data)

    def close_after(self) -> None:
        self._say("close after")

    def _say(self, what: str, status: int = 0, headers: bytes = b"", data: bytes = b"") -> None:
        self.said.append(what)
        self.status = status or self.status
        self.headers += headers
        self.sent += data

"""Recorded real traffic through the gateway over HTTP: the provider's bytes are the client's."""

from __future__ import annotations

import asyncio
import base64
import json
import lzma
from collections import Counter
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from tests.proxy.test_crossing import CLIENT_PATHS, PROVIDER_PATHS, unchunked
from tests.support.application import KEY, Reply, request
from tests.support.application import make_app as make_application
from tests.support.loopback import Loopback, http, run
from tests.wire.test_corpus import CORPUS, compact
from tests.wire.test_corpus_crossing import SURFACES

from farthing.errors import Malformed
from farthing.prices.book import Book, Model, PriceBook, Row
from farthing.proxy.server import ClientConnection
from farthing.route.plan import Router
from farthing.wire import DIALECTS
from farthing.wire.dialect import Ask

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus")

PATHS = {"gemini": "/v1beta/models/{model}:{verb}", "converse": "/model/{model}/{verb}"}
METERS = ("input", "output", "input_audio", "output_audio", "web_searches")
ANYTHING = Model("any", [Row({meter: [(0, 10**9)] for meter in METERS})], ("contains", ""))
BOOK = PriceBook(Book("a test", {"loop": [ANYTHING]}).encoded())


def recorded(row: dict[str, Any]) -> tuple[bytes, bytes] | None:
    """Return a recorded answer's content type and bytes."""
    told = row["response"]
    if "eventstream_base64" in told:
        return DIALECTS["converse"].stream_type, base64.b64decode(told["eventstream_base64"])
    if told.get("sse"):
        return b"text/event-stream", told["sse"].encode()
    if isinstance(told.get("body"), dict):
        return b"application/json", compact(told["body"])
    return None


def expected(name: str, ask: Ask, kind: bytes, body: bytes) -> bytes:
    """Return what the client gets: the same, but for usage that only farthing asked for."""
    if kind == b"application/json" or ask.wants_usage:
        return body
    tap = DIALECTS[name].tap(ask)
    return tap.feed(body) + tap.rest()


async def replay(name: str, rows: list[dict[str, Any]], counts: Counter[str]) -> list[str]:
    """Send every recorded request of a dialect; return the ids of those that came out changed."""
    answer = b""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await server.read(reader)
            writer.write(answer)
            await writer.drain()

    server, wrong = Loopback(script), []
    async with server:
        bound = msgspec.structs.replace(server.provider().bound, image_tokens=1000)
        path = PROVIDER_PATHS.get(name, "/x")
        provider = server.provider(dialects={name: path}, bound=bound)
        app, ledger, _ = make_application(provider)
        app.book = BOOK
        app.router = Router({"loop": provider}, BOOK, {})
        loop = asyncio.get_running_loop()
        front = await loop.create_server(lambda: ClientConnection(app), "127.0.0.1", 0)
        port = front.sockets[0].getsockname()[1]
        for row in rows:
            found, body = recorded(row), (row.get("request") or {}).get("body")
            model = row["model"] or (body or {}).get("model") if isinstance(body, dict) else None
            if found is None or not isinstance(body, dict) or not model:
                continue
            kind, told = found
            answer = http(told, row["response"]["status"], b"content-type: " + kind)
            stream = kind != b"application/json"
            verb = DIALECTS[name].verbs[stream].partition("?")[0]
            target = PATHS.get(name, CLIENT_PATHS[name])
            target = target.format(model=quote(model, safe=""), verb=verb)
            sent = compact(body)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request("POST", target, sent, KEY))
            reply = Reply(await reader.read())
            writer.close()
            if "farthing-error" in reply.headers:
                counts[f"refused: {reply.headers['farthing-error']}"] += 1
                continue
            try:
                ask = DIALECTS[name].read_request(sent)
            except Malformed:
                continue
            chunked = reply.headers.get("transfer-encoding") == "chunked"
            got = unchunked(reply.body) if chunked else reply.body
            counts["streams" if stream else "answers"] += 1
            if got != expected(name, ask, kind, told):
                wrong.append(row["id"])
        front.close()
        await app.drain()
        assert len(ledger.holds) == len(ledger.endings)
        counts["held and ended"] += len(ledger.holds)
    return wrong


@pytest.mark.parametrize("name", SURFACES.values())
def test_recorded_answers_come_through_unchanged(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        every = [json.loads(line) for line in lines]
    rows = [row for row in every if SURFACES.get(row["surface"]) == name]
    counts: Counter[str] = Counter()
    wrong = run(replay(name, rows, counts))
    with capsys.disabled():
        told = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
        print(f"\n  corpus over HTTP | {name:9} | {told}")
    assert wrong == []
    assert counts["answers"] > 20

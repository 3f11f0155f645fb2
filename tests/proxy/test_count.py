"""Counting before a query is sent: at the provider's own path, or not at all."""

from __future__ import annotations

from tests.support.application import application
from tests.support.loopback import answering, http, run

from farthing.ledger.entry import Settle, Void

SILENT = http(b'{"totalTokens":3}', 200)
EMBEDDING = http(b'{"embedding":{"values":[1]}}', 200, b"content-type: application/json")
BODY = {"content": {"parts": [{"text": "x"}]}}
SAID = {
    "dialects": {"gemini-embeddings": "/models/{model}:embedContent"},
    "counts": {"gemini-embeddings": "/models/{model}:countTokens"},
}


def test_the_model_is_filled_in_where_the_path_says() -> None:
    async def scene() -> None:
        server = answering(SILENT, EMBEDDING)
        async with server, application(server.provider(**SAID)) as it:
            reply = await it.ask("POST", "/v1beta/models/m%3A0:embedContent", BODY)
            assert reply.status == 200
            assert server.requests[0].startswith(b"POST /v1/models/m%3A0:countTokens ")
            (ending,) = it.ledger.endings
            assert isinstance(ending, Settle) and ending.usage.input == 3

    run(scene())


def test_a_provider_without_such_a_path_is_not_asked() -> None:
    async def scene() -> None:
        server = answering(EMBEDDING)
        said = {**SAID, "counts": {"messages": "/count"}}
        async with server, application(server.provider(**said)) as it:
            await it.ask("POST", "/v1beta/models/m:embedContent", BODY)
            assert [r.split(b" ")[1] for r in server.requests] == [b"/v1/models/m:embedContent"]

    run(scene())


def test_a_count_that_breaks_off_sends_nothing() -> None:
    async def scene() -> None:
        server = answering(b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\n{", then_close=True)
        async with server, application(server.provider(**SAID)) as it:
            reply = await it.ask("POST", "/v1beta/models/m:embedContent", BODY)
            assert (reply.status, reply.headers["farthing-error"]) == (502, "upstream_reset")
            assert "not sent and nothing is billed" in reply.json["error"]["message"]
            assert isinstance(it.ledger.endings[0], Void)

    run(scene())

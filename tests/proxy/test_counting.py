"""Counting through the gateway: for anybody with a key, within any limit."""

from __future__ import annotations

from tests.support.application import application
from tests.support.loopback import answering, http, run

from farthing.ledger.entry import Settle

BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}]}


def test_tokens_are_counted_for_nothing() -> None:
    async def scene() -> None:
        server = answering(http(b'{"input_tokens":9}'))
        async with server, application(server.provider(dialects={"counting": "/c"})) as it:
            reply = await it.ask(
                "POST", "/v1/messages/count_tokens", BODY, farthing_max_cost_usd="0"
            )
            assert (reply.status, reply.json) == (200, {"input_tokens": 9})
            assert reply.headers["farthing-cost-usd"] == "0"
            assert b"\r\nanthropic-version: 2023-06-01\r\n" in server.requests[0]
            (hold,) = it.ledger.holds
            (ending,) = it.ledger.endings
            assert (hold.usd, hold.tokens) == (0, 0)
            assert isinstance(ending, Settle) and ending.usd == 0

    run(scene())


def test_nobody_counts_without_a_key() -> None:
    async def scene() -> None:
        server = answering()
        async with server, application(server.provider(dialects={"counting": "/c"})) as it:
            reply = await it.ask("POST", "/v1/messages/count_tokens", BODY, key="")
            assert (reply.status, reply.json["error"]["type"]) == (401, "authentication_error")

    run(scene())

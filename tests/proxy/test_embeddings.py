"""Embeddings through the gateway: held by their input, refused where nobody has them."""

from __future__ import annotations

from tests.support.application import application
from tests.support.loopback import answering, http, run

from farthing.ledger.entry import Settle
from farthing.wire.dialect import Usage

PATH = "/v1/embeddings"
BODY = {"model": "m", "input": "four farthings make a penny"}
ANSWER = http(b'{"data":[],"usage":{"prompt_tokens":6,"total_tokens":6}}')


def test_embeddings_are_held_and_settled_by_their_input() -> None:
    async def scene() -> None:
        server = answering(ANSWER)
        async with server, application(server.provider(dialects={"embeddings": "/e"})) as it:
            reply = await it.ask("POST", PATH, BODY)
            assert (reply.status, reply.headers["farthing-cost-usd"]) == (200, "0.000006")
            assert "farthing-output-cap-tokens" not in reply.headers
            assert b"max_tokens" not in server.requests[0]
            (hold,) = it.ledger.holds
            assert hold.output_cap == 0
            assert hold.tokens == hold.input_tokens
            (ending,) = it.ledger.endings
            assert isinstance(ending, Settle) and ending.usage == Usage(input=6)

    run(scene())


def test_a_price_cap_that_the_input_does_not_fit_refuses_them() -> None:
    async def scene() -> None:
        server = answering(ANSWER)
        async with server, application(server.provider(dialects={"embeddings": "/e"})) as it:
            reply = await it.ask("POST", PATH, BODY, farthing_max_cost_usd="0.000001")
            assert (reply.status, reply.headers["farthing-error"]) == (402, "max_cost")
            assert not it.ledger.holds and not server.requests

    run(scene())


def test_a_provider_without_them_is_named_with_what_to_write() -> None:
    async def scene() -> None:
        server = answering(ANSWER)
        async with server, application(server.provider(dialects={"chat": "/c"})) as it:
            reply = await it.ask("POST", PATH, BODY)
            assert (reply.status, reply.headers["farthing-error"]) == (501, "unsupported_crossing")
            assert "[providers.loop] dialects" in reply.json["error"]["message"]

    run(scene())


def test_a_provider_of_nothing_else_is_not_asked_to_chat() -> None:
    async def scene() -> None:
        server = answering(ANSWER)
        async with server, application(server.provider(dialects={"embeddings": "/e"})) as it:
            asked = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
            reply = await it.ask("POST", "/v1/chat/completions", asked)
            assert reply.headers["farthing-error"] == "unsupported_crossing"

    run(scene())

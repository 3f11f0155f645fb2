"""Counting through the gateway: for anybody with a key, within any limit, in any dialect."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from tests.support.application import application
from tests.support.loopback import answering, http, run

from farthing.ledger.entry import Settle
from farthing.wire.canon import Problem, Request, Text, Tool, Turn
from farthing.wire.codecs import CODECS
from farthing.wire.count.envelopes import ENVELOPES
from farthing.wire.crossing import Crossing

BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
CLIENT_PATHS = {
    "counting": "/v1/messages/count_tokens",
    "responses-counting": "/v1/responses/input_tokens",
    "gemini-counting": "/v1beta/models/m:countTokens",
    "converse-counting": "/model/m/count-tokens",
}
PROVIDER_PATHS = {
    "gemini-counting": "/models/{model}:countTokens",
    "converse-counting": "/model/{model}/count-tokens",
}
PAIRS = [(here, there) for here in ENVELOPES for there in ENVELOPES]
NAMES = [f"{here}-to-{there}" for here, there in PAIRS]
KIND = b"content-type: application/json"
TOOL = Tool(name="weather", description="d", schema={"type": "object", "properties": {}})
QUESTION = Request(
    dialect="none",
    model="m",
    turns=[
        Turn(role="system", parts=[Text(text="Be brief.")]),
        Turn(role="user", parts=[Text(text="How is the weather?")]),
    ],
    tools=[TOOL],
)


def asked(here: str) -> dict[str, Any]:
    """Return the question in a dialect's envelope."""
    envelope = ENVELOPES[here]
    told = CODECS[envelope.of].write_request(QUESTION, Crossing("none", envelope.of))
    told = {name: value for name, value in told.items() if name in (envelope.takes or told)}
    return envelope.wrap(told, "m")


def opened(there: str, body: bytes) -> Request:
    """Return what a provider was asked to count."""
    told, beside = ENVELOPES[there].open(json.loads(body))
    assert not beside
    return CODECS[ENVELOPES[there].of].read_request(told)


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


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=NAMES)
def test_any_provider_s_count_is_told_to_any_client(here: str, there: str) -> None:
    async def scene() -> None:
        told = json.dumps(ENVELOPES[there].write(1234)).encode()
        server = answering(http(told, 200, KIND))
        dialects = {there: PROVIDER_PATHS.get(there, "/x")}
        async with server, application(server.provider(dialects=dialects)) as it:
            body = msgspec.json.encode(asked(here))
            reply = await it.ask("POST", CLIENT_PATHS[here], body, farthing_max_cost_usd="0")
            assert (reply.status, reply.json) == (200, ENVELOPES[here].write(1234)), reply.body
            assert reply.headers["farthing-cost-usd"] == "0"
            (ending,) = it.ledger.endings
            assert isinstance(ending, Settle) and ending.usd == 0
            sent = server.requests[0].partition(b"\r\n\r\n")[2]
            found = opened(there, sent)
            texts = [p.text for t in found.turns for p in t.parts if isinstance(p, Text)]
            assert texts == ["Be brief.", "How is the weather?"]
            assert [tool.name for tool in found.tools if isinstance(tool, Tool)] == ["weather"]
            assert b"max_tokens" not in sent and b"maxTokens" not in sent
            if here == there:
                assert sent == body

    run(scene())


@pytest.mark.parametrize("here", ENVELOPES)
def test_a_provider_that_does_not_count_is_named(here: str) -> None:
    async def scene() -> None:
        server = answering()
        dialects = {"chat": "/c", "messages": "/m", "embeddings": "/e"}
        async with server, application(server.provider(dialects=dialects)) as it:
            reply = await it.ask("POST", CLIENT_PATHS[here], asked(here))
            assert (reply.status, reply.headers["farthing-error"]) == (501, "unsupported_crossing")
            assert f"nothing of that can be translated to {here}" in str(reply.json)
            assert not it.ledger.holds and not server.requests

    run(scene())


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=NAMES)
def test_an_error_is_told_in_the_client_s_dialect(here: str, there: str) -> None:
    async def scene() -> None:
        of_here, of_there = ENVELOPES[here].of, ENVELOPES[there].of
        problem = CODECS[of_there].write_problem(
            Problem(dialect="none", status=404, message="no such model"), Crossing("none", of_there)
        )
        server = answering(http(json.dumps(problem).encode(), 404, KIND))
        dialects = {there: PROVIDER_PATHS.get(there, "/x")}
        async with server, application(server.provider(dialects=dialects)) as it:
            reply = await it.ask("POST", CLIENT_PATHS[here], asked(here))
            assert reply.status == 404
            assert "no such model" in CODECS[of_here].read_problem(404, reply.json).message

    run(scene())


def test_what_cannot_be_counted_elsewhere_is_refused_by_name() -> None:
    async def scene() -> None:
        server = answering()
        async with server, application(server.provider(dialects={"counting": "/c"})) as it:
            body = {"input": {"invokeModel": {"body": "e30="}}}
            reply = await it.ask("POST", CLIENT_PATHS["converse-counting"], body)
            assert (reply.status, reply.headers["farthing-error"]) == (400, "lossy_crossing")
            assert "input.invokeModel" in reply.json["message"]

    run(scene())


def test_an_answer_without_a_count_is_none() -> None:
    async def scene() -> None:
        server = answering(http(b"{}", 200, KIND))
        async with server, application(server.provider(dialects={"counting": "/c"})) as it:
            reply = await it.ask("POST", CLIENT_PATHS["gemini-counting"], asked("gemini-counting"))
            assert (reply.status, reply.headers["farthing-error"]) == (502, "upstream_malformed")

    run(scene())


@pytest.mark.parametrize("here", ENVELOPES)
def test_an_alias_is_counted_under_the_provider_s_name(here: str) -> None:
    async def scene() -> None:
        server = answering(http(json.dumps(ENVELOPES[here].write(1)).encode(), 200, KIND))
        provider_path = {here: PROVIDER_PATHS.get(here, "/x")}
        async with server:
            provider = server.provider(dialects=provider_path)
            async with application(provider, aliases={"own": "loop/m-1"}) as it:
                body = json.loads(json.dumps(asked(here)).replace('"m"', '"own"'))
                body = json.loads(json.dumps(body).replace("models/m", "models/own"))
                path = CLIENT_PATHS[here].replace("/m:", "/own:").replace("/m/", "/own/")
                reply = await it.ask("POST", path, body)
                assert reply.status == 200, reply.body
                assert b"m-1" in server.requests[0] and b"own" not in server.requests[0]

    run(scene())

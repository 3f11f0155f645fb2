"""A dialect's versions through the gateway: said by clients, said to providers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.promises.test_clouds import CHATTED, MESSAGES, SAID, taken, whole
from tests.support.application import KEY, application
from tests.support.loopback import answering, http, run

from farthing.ledger.entry import Settle

NEWER = "2026-10-21"
ASKED: dict[str, Any] = {"model": "m", **MESSAGES}
CHAT: dict[str, Any] = {"model": "m", "messages": MESSAGES["messages"], "max_tokens": 9}


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
def test_on_the_diagonal_the_provider_reads_the_version_itself(path: str) -> None:
    async def scene() -> None:
        error = {"type": "error", "error": {"type": "invalid_request_error", "message": "No."}}
        server = answering(whole(error, 400))
        dialects = {"messages": "/messages", "counting": "/count"}
        async with server, application(server.provider(dialects=dialects)) as it:
            body = json.dumps({**ASKED, "temperature": 1}, separators=(",", ":")).encode()
            reply = await it.ask("POST", path, body, anthropic_version=NEWER)
            assert (reply.status, reply.json) == (400, error)
            assert server.requests[0].count(b"anthropic-version: 2026-10-21\r\n") == 1
            assert server.requests[0].endswith(body)

    run(scene())


@pytest.mark.parametrize("header", ["authorization", "x_api_key"])
def test_the_newer_libraries_send_their_key_as_a_bearer(header: str) -> None:
    async def scene() -> None:
        async with answering(whole(SAID)) as server, application(server.provider()) as it:
            sent = {header: f"Bearer {KEY}" if header == "authorization" else KEY}
            reply = await it.ask("POST", "/v1/messages", ASKED, "", anthropic_version=NEWER, **sent)
            assert (reply.status, reply.json) == (200, SAID)
            assert KEY.encode() not in server.requests[0]

    run(scene())


def test_a_removed_field_is_refused_where_the_provider_speaks_otherwise() -> None:
    async def scene() -> None:
        server = answering(whole(CHATTED))
        async with server, application(server.provider(dialects={"chat": "/c"})) as it:
            asked = {**ASKED, "temperature": 0.5}
            reply = await it.ask("POST", "/v1/messages", asked, anthropic_version=NEWER)
            assert (reply.status, reply.json["error"]["type"]) == (400, "invalid_request_error")
            assert it.ledger.holds == []
            reply = await it.ask("POST", "/v1/messages", asked, anthropic_version="2023-06-01")
            assert reply.json["content"][0]["text"] == "A penny."
            assert taken(server)[2]["temperature"] == 0.5

    run(scene())


def test_the_rest_of_a_newer_request_crosses() -> None:
    async def scene() -> None:
        server = answering(whole(CHATTED))
        async with server, application(server.provider(dialects={"chat": "/c"})) as it:
            reply = await it.ask("POST", "/v1/messages", ASKED, anthropic_version=NEWER)
            assert (reply.status, reply.json["stop_reason"]) == (200, "end_turn")
            assert "anthropic-version" not in taken(server)[1]

    run(scene())


def test_what_is_translated_is_said_in_the_older_version() -> None:
    async def scene() -> None:
        server = answering(whole(SAID))
        async with server, application(server.provider(dialects={"messages": "/m"})) as it:
            reply = await it.ask("POST", "/v1/chat/completions", {**CHAT, "temperature": 0.5})
            _, headers, body = taken(server)
            assert headers["anthropic-version"] == "2023-06-01"
            assert body["temperature"] == 0.5
            assert "farthing-losses" not in reply.headers

    run(scene())


def test_a_provider_may_be_spoken_to_in_the_newer_version() -> None:
    async def scene() -> None:
        server = answering(whole(SAID))
        said = {"messages": {"anthropic-version": NEWER}}
        spoken = {"dialects": {"messages": "/m"}, "headers": said}
        async with server, application(server.provider(**spoken)) as it:
            asked = {**CHAT, "temperature": 0.5, "top_p": 0.9}
            strict = await it.ask("POST", "/v1/chat/completions", asked, farthing_strict="true")
            assert strict.headers["farthing-error"] == "lossy_crossing"
            assert server.requests == []
            reply = await it.ask("POST", "/v1/chat/completions", asked)
            assert reply.status == 200, reply.body
            _, headers, body = taken(server)
            assert headers["anthropic-version"] == NEWER
            assert not {"temperature", "top_p"} & body.keys()
            assert reply.headers["farthing-losses"] == "shape temperature, shape top_p"
            (ending,) = it.ledger.endings
            assert isinstance(ending, Settle)
            assert ending.losses == "shape temperature, shape top_p"

    run(scene())


def test_a_client_s_own_version_comes_before_the_provider_s_usual() -> None:
    async def scene() -> None:
        said = {"messages": {"anthropic-version": NEWER}}
        server = answering(http(json.dumps(SAID).encode()), http(json.dumps(SAID).encode()))
        async with server, application(server.provider(headers=said)) as it:
            await it.ask("POST", "/v1/messages", ASKED, anthropic_version="2023-06-01")
            assert taken(server)[1]["anthropic-version"] == "2023-06-01"
            await it.ask("POST", "/v1/messages", ASKED)
            assert taken(server)[1]["anthropic-version"] == NEWER

    run(scene())

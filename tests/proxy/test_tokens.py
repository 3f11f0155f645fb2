"""Access tokens: fetched once for all who wait, kept until shortly before their end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from tests.support.loopback import Loopback, http, jump, run, until
from tests.support.service_accounts import granting, service_account

from farthing.errors import Failed
from farthing.providers import Provider
from farthing.providers.grants import read_grant
from farthing.proxy.pool import own_pool
from farthing.proxy.tokens import ANSWER_MOST, TOKEN_SECONDS, Tokens
from farthing.settings import HttpSettings


def provider(server: Loopback, **fields: Any) -> Provider:
    uri = f"http://127.0.0.1:{server.port}/token?x=1"
    grant, secret = read_grant(json.dumps(service_account(uri)))
    said: dict[str, Any] = {"grant": grant, "key": secret, "scope": "s", "key_from": "the-file"}
    return server.provider(name="cloud", auth="oauth", **{**said, **fields})


@contextlib.asynccontextmanager
async def kept(server: Loopback) -> AsyncIterator[Tokens]:
    async with server, own_pool(HttpSettings()) as pool:
        yield Tokens(pool)


async def failure(tokens: Tokens, asking: Provider) -> Failed:
    with pytest.raises(Failed) as problem:
        await tokens.fetch(asking).in_task()
    assert problem.value.code == "no_token"
    assert "Nothing was sent" in problem.value.message
    return problem.value


def test_a_token_is_asked_for_with_a_signed_form() -> None:
    async def scene() -> None:
        async with kept(server := granting()) as tokens:
            await tokens.fetch(provider(server)).in_task()
            assert tokens.line(provider(server)) == b"authorization: Bearer token-1\r\n"
            head = server.requests[0].partition(b"\r\n\r\n")[0]
            assert head.startswith(b"POST /token?x=1 HTTP/1.1\r\n")
            assert b"content-type: application/x-www-form-urlencoded\r\n" in head
            assert b"authorization" not in head.lower()

    run(scene())


def test_many_who_wait_share_one_token() -> None:
    async def scene() -> None:
        gate = asyncio.Event()
        async with kept(server := granting(wait=gate)) as tokens:
            asking = provider(server)
            shots = [tokens.fetch(asking) for _ in range(50)]
            await until(lambda: len(server.requests) == 1)
            shots += [tokens.fetch(asking) for _ in range(50)]
            gate.set()
            for shot in shots:
                await shot.in_task()
            assert len(server.requests) == 1

    run(scene())


def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    async def scene() -> None:
        async with kept(server := granting()) as tokens:
            asking = provider(server)
            await tokens.fetch(asking).in_task()
            await jump(3599 - 62)
            assert tokens.fetch(asking).done
            assert len(server.requests) == 1
            await jump(3)
            await tokens.fetch(asking).in_task()
            assert tokens.line(asking) == b"authorization: Bearer token-2\r\n"

    run(scene())


def test_a_short_token_is_used_for_half_of_its_time() -> None:
    async def scene() -> None:
        answer = http(b'{"access_token":"a","expires_in":40}')
        async with kept(server := granting(lambda _: answer)) as tokens:
            asking = provider(server)
            await tokens.fetch(asking).in_task()
            await jump(19)
            assert tokens.fetch(asking).done
            await jump(2)
            assert not tokens.fetch(asking).done
            await until(lambda: len(server.requests) == 2)

    run(scene())


def test_a_token_that_the_provider_does_not_know_is_forgotten() -> None:
    async def scene() -> None:
        async with kept(server := granting()) as tokens:
            asking = provider(server)
            await tokens.fetch(asking).in_task()
            tokens.refused(asking, 403)
            assert tokens.fetch(asking).done
            tokens.refused(asking, 401)
            await tokens.fetch(asking).in_task()
            assert len(server.requests) == 2

    run(scene())


GRANTED = http(b'{"access_token":"a","expires_in":9}')


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            http(b'{"error":"invalid_grant","error_description":"Account not found."}', 400),
            "invalid_grant Account not found.",
        ),
        (http(b"<html>", 500), "its answer is no JSON"),
        (http(b"{}"), "its answer has none"),
        (http(b'{"access_token":"a\\r\\nb: c"}'), "no header can carry"),
        (http(b'{"access_token":"a b"}'), "no header can carry"),
        (http(b'{"access_token":"a","expires_in":0}'), "its answer is no JSON"),
        (http(b'{"access_token":"%s"}' % (b"x" * ANSWER_MOST)), "did not come (upstream_malf"),
        (b"not HTTP at all\r\n\r\n", "did not come (upstream_malformed)"),
    ],
)
def test_without_a_token_it_says_why_and_the_next_query_asks_again(
    answer: bytes, words: str
) -> None:
    async def scene() -> None:
        def script(number: int) -> bytes:
            return answer if number == 1 else GRANTED

        async with kept(server := granting(script)) as tokens:
            asking = provider(server)
            problem = await failure(tokens, asking)
            assert words in problem.message
            assert "cloud got no access token from 127.0.0.1 with the-file" in problem.message
            assert "PRIVATE" not in problem.message
            await tokens.fetch(asking).in_task()

    run(scene())


def test_all_who_wait_are_told() -> None:
    async def scene() -> None:
        async with kept(server := granting(lambda _: http(b"{}", 400))) as tokens:
            asking = provider(server)
            shots = [tokens.fetch(asking) for _ in range(3)]
            for shot in shots:
                with pytest.raises(Failed):
                    await shot.in_task()
            assert len(server.requests) == 1

    run(scene())


def test_a_service_that_is_silent_is_not_waited_for_for_ever() -> None:
    async def scene() -> None:
        gate = asyncio.Event()
        async with kept(server := granting(wait=gate)) as tokens:
            waiting = asyncio.ensure_future(failure(tokens, provider(server)))
            await until(lambda: len(server.requests) == 1)
            await jump(TOKEN_SECONDS + 1)
            assert "did not answer within 20 seconds" in (await waiting).message
            gate.set()
            await server.all_closed()

    run(scene())


def test_a_private_address_is_refused_unless_the_provider_may_have_one() -> None:
    async def scene() -> None:
        async with kept(server := granting()) as tokens:
            problem = await failure(tokens, provider(server, allow_private_address=False))
            assert "allow_private_address = true under [providers.cloud]" in problem.message
            assert server.connections == 0

    run(scene())


def test_a_defect_reaches_those_who_wait() -> None:
    async def scene() -> None:
        async with kept(server := granting()) as tokens:
            asking = msgspec.structs.replace(provider(server), key="no key")
            problem = await failure(tokens, asking)
            assert "ConfigError" in problem.message and "no key" not in problem.message

    run(scene())


def test_two_providers_have_a_token_each() -> None:
    async def scene() -> None:
        async with kept(server := granting()) as tokens:
            one = provider(server)
            two = msgspec.structs.replace(one, name="other")
            await tokens.fetch(one).in_task()
            await tokens.fetch(two).in_task()
            assert tokens.line(one) != tokens.line(two)

    run(scene())

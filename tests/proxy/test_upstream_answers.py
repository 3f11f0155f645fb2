"""Answers of providers, over real sockets: whole, interim, cut short, late, and no HTTP at all."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.loopback import Loopback, answering, http, jump, link, reset, run, until

from farthing.errors import Failed
from farthing.proxy.head import Head
from farthing.settings import HttpSettings

SETTINGS = HttpSettings()


def test_interim_answers_are_passed_over() -> None:
    async def scene() -> None:
        interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
        async with link(answering(interim + http(), http(b"again"))) as it:
            _, told = await it.send()
            head = await told.arrived.in_task()
            await told.finished.in_task()
            assert (head.status, head.passed, bytes(told.content)) == (200, b"", b"hello")
            assert await it.ask() == b"again"
            assert it.server.connections == 1

    run(scene())


def test_what_of_an_answer_s_head_goes_on() -> None:
    async def scene() -> None:
        lines = (b"Content-Type: Text/Event-Stream", b"X-Id: 1", b"Set-Cookie: a=b", b"Server: x")
        async with link(answering(http(b"", 201, *lines))) as it:
            _, told = await it.send()
            passed = b"content-type: Text/Event-Stream\r\nx-id: 1\r\n"
            expected = Head(201, passed, b"text/event-stream", encoded=False, length=0, framed=True)
            assert await told.arrived.in_task() == expected

    run(scene())


@pytest.mark.parametrize(("encoding", "encoded"), [(b"gzip", True), (b"Identity", False)])
def test_an_answer_says_whether_it_is_compressed(encoding: bytes, encoded: bool) -> None:
    async def scene() -> None:
        async with link(answering(http(b"", 200, b"Content-Encoding: " + encoding))) as it:
            _, told = await it.send()
            assert (await told.arrived.in_task()).encoded is encoded

    run(scene())


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        http()[:-1],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
@pytest.mark.parametrize("hard", [True, False])
def test_a_connection_that_ends_before_the_answer(begun: bytes, hard: bool) -> None:
    async def scene() -> None:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read(reader)
            writer.write(begun)
            await writer.drain()
            if hard:
                reset(writer)

        server = Loopback(script)
        async with link(server) as it:
            problem = await it.failure()
            assert (problem.code, problem.status) == ("upstream_reset", 502)

    run(scene())


def test_a_reset_is_not_the_end_of_an_answer_without_a_length() -> None:
    async def scene() -> None:
        cut = asyncio.Event()

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read(reader)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello")
            await cut.wait()
            reset(writer)

        server = Loopback(script)
        async with link(server) as it:
            _, told = await it.send()
            await until(lambda: told.content == b"hello")
            cut.set()
            with pytest.raises(Failed, match="closed the connection too early"):
                await told.finished.in_task()

    run(scene())


@pytest.mark.parametrize(
    "raw",
    [
        b"220 mail.example.com ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x-filler: 0123456789\r\n" * 10_000,
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_not_http(raw: bytes) -> None:
    async def scene() -> None:
        async with link(answering(raw)) as it:
            assert (await it.failure()).code == "upstream_malformed"
            await it.server.all_closed()

    run(scene())


# -- time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begun", "seconds"),
    [(b"", SETTINGS.answer_seconds), (http()[:-1], SETTINGS.silence_seconds)],
)
def test_a_provider_that_falls_silent(begun: bytes, seconds: float) -> None:
    async def scene() -> None:
        async with link(answering(begun)) as it:
            _, told = await it.send()
            await until(lambda: not begun or told.arrived.done)
            await jump(seconds - 2)
            assert not told.finished.done
            await jump(4)
            with pytest.raises(Failed, match="did not answer in time") as problem:
                await told.finished.in_task()
            assert (problem.value.code, problem.value.status) == ("upstream_timeout", 504)
            await it.server.all_closed()

    run(scene())


def test_a_provider_is_not_blamed_for_a_slow_client() -> None:
    async def scene() -> None:
        go_on = asyncio.Event()

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read(reader)
            writer.write(http()[:-1])
            await go_on.wait()
            writer.write(b"o")
            await reader.read()

        server = Loopback(script)
        async with link(server) as it:
            connection, told = await it.send()
            await until(lambda: told.content == b"hell")
            connection.pause()
            go_on.set()
            await jump(10_000)
            assert not told.finished.done
            connection.resume()
            await told.finished.in_task()

    run(scene())


def test_what_was_already_read_does_not_end_a_pause() -> None:
    """TLS may hand on what it has decrypted after it was told to pause."""

    async def scene() -> None:
        async with link(answering(http()[:-2])) as it:
            connection, told = await it.send()
            await until(lambda: told.content == b"hel")
            connection.pause()
            connection.data_received(b"l")
            await jump(10_000)
            assert told.content == b"hell"
            assert not told.finished.done

    run(scene())


def test_a_provider_is_blamed_again_once_the_client_has_caught_up() -> None:
    async def scene() -> None:
        async with link(answering(http()[:-1])) as it:
            connection, told = await it.send()
            await until(lambda: told.arrived.done)
            connection.pause()
            connection.resume()
            await jump(SETTINGS.silence_seconds + 1)
            assert told.finished.done

    run(scene())


def test_a_client_that_leaves_early_does_not_shorten_the_provider_s_time() -> None:
    async def scene() -> None:
        async with link(answering(b"")) as it:
            connection, told = await it.send()
            connection.resume()
            await jump(SETTINGS.silence_seconds + 1)
            assert not told.finished.done

    run(scene())


def test_an_interim_answer_is_not_the_beginning_of_the_answer() -> None:
    async def scene() -> None:
        async with link(answering(b"HTTP/1.1 102 Processing\r\n\r\n")) as it:
            _, told = await it.send()
            for _ in range(100):  # long enough for it to be read
                await asyncio.sleep(0)
            await jump(SETTINGS.silence_seconds + 1)
            assert not told.finished.done

    run(scene())

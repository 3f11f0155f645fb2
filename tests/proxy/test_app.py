"""The application's paths, its errors in each dialect's shape, what is passed on, and stopping."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.support.application import KEY, NEW_KEY, Application, Reply, application, request
from tests.support.loopback import Loopback, answering, http, jump, run, until

from farthing.errors import Refused
from farthing.ledger.records import queries
from farthing.settings import HttpSettings, Settings

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
PATHS = [CHAT, MESSAGES]
BODY = {"model": "m", "max_tokens": 9, "messages": []}
USAGE = {
    "prompt_tokens": 3, "completion_tokens": 2, "input_tokens": 3, "output_tokens": 2,
}  # fmt: skip
ANSWER = http(json.dumps({"usage": USAGE}).encode(), 200, b"content-type: application/json")


def ask(server: Loopback, method: str, path: str, body: Any = None, **said: Any) -> Reply:
    """Ask an application in front of a provider one thing."""

    async def scene() -> Reply:
        async with server, application(server.provider()) as it:
            return await it.ask(method, path, body, **said)

    return run(scene())


def problem(path: str, reply: Reply, status: int, code: str) -> str:
    """Check an error in the shape of a path's dialect; return its sentence."""
    told = reply.json
    assert (reply.status, reply.headers["farthing-error"]) == (status, code)
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["farthing-request-id"] == told["request_id"]
    assert told["error"]["code"] == code
    if path == MESSAGES:
        assert told.keys() == {"type", "error", "request_id"} and told["type"] == "error"
        assert told["error"].keys() == {"type", "message", "code"}
    else:
        assert told.keys() == {"error", "request_id"}
        assert told["error"].keys() == {"message", "type", "param", "code"}
    message: str = told["error"]["message"]
    return message


# -- dialects that do not meet --------------------------------------------------------------------


def test_of_two_providers_the_one_that_speaks_the_dialect_is_asked() -> None:
    async def scene() -> None:
        async with answering(ANSWER) as one, answering(ANSWER) as two:
            chat = one.provider(dialects={"chat": "/c"}, models=("m",))
            messages = two.provider(name="other", dialects={"messages": "/m"}, models=("m",))
            async with application(chat, messages) as it:
                assert (await it.ask("POST", MESSAGES, BODY)).status == 200
                assert (await it.ask("POST", CHAT, BODY)).status == 200
                assert [r.split(b" ")[1] for r in (one.requests + two.requests)] == [
                    b"/v1/c",
                    b"/v1/m",
                ]

    run(scene())


# -- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/", "/?x=1"])
def test_the_root_says_that_somebody_is_there(method: str, path: str) -> None:
    reply = ask(answering(), method, path, key="")
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
def test_health_is_the_ledger_s(ready: bool, status: int) -> None:
    async def scene() -> None:
        async with application() as it:
            it.ledger.ready = ready
            reply = await it.ask("GET", "/healthz", key="")
            told = {"status": "ok" if ready else "ledger_unavailable"}
            assert (reply.status, reply.json) == (status, told)

    run(scene())


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/v1/models", CHAT])
def test_an_answer_to_head_has_no_body(path: str) -> None:
    async def scene() -> None:
        async with application() as it:
            raw = await it.raw(request("HEAD", path, close=False) + request("GET", "/"))
            _, _, rest = raw.partition(b"\r\n\r\n")
            assert rest.startswith(b"HTTP/1.1 200 ")

    run(scene())


def test_the_models_are_listed_in_either_shape() -> None:
    chat = ask(answering(), "GET", "/v1/models?limit=9").json
    assert chat["object"] == "list"
    messages = ask(answering(), "GET", "/v1/models", anthropic_version="2023-06-01").json
    assert messages["has_more"] is False
    for told in (chat, messages):
        assert [row["id"] for row in told["data"]] == ["loop/m"]
    for path, headers in (("/v1beta/models", {}), ("/v1/models", {"x_goog_api_key": KEY})):
        gemini = ask(answering(), "GET", path, **headers).json
        assert [row["name"] for row in gemini["models"]] == ["models/loop/m"]


@pytest.mark.parametrize("path", ["/v1/models", "/v1/queries/q1"])
@pytest.mark.parametrize(
    ("key", "code"),
    [("", "missing_key"), ("sk-x", "unknown_key"), (KEY + "x", "unknown_key")],
    ids=["none", "another's", "longer"],  # not the key: it is another one in each process
)
def test_pages_about_somebody_need_a_key(path: str, key: str, code: str) -> None:
    problem("", ask(answering(), "GET", path, key=key), 401, code)


@pytest.mark.parametrize("code", ["revoked_key", "expired_key"])
def test_a_key_that_no_longer_opens_opens_no_page(code: str) -> None:
    async def scene() -> None:
        async with application() as it:
            state = it.ledger.keys[NEW_KEY.entry.id]
            if code == "revoked_key":
                state.revoked_at = 1
            else:
                expired = type(state.key)(1, "test", state.key.id, "x", state.key.digest, expires=2)
                state.key = expired
            for path in ("/v1/models", "/v1/queries/q1"):
                problem("", await it.ask("GET", path), 401, code)
            assert not it.records.asked

    run(scene())


RECORD = dict.fromkeys(column.name for column in queries.columns) | {
    "id": "q1", "status": "settled", "provider": "p", "model": "m", "asked_model": "m",
    "answered_model": "m", "dialect": "chat", "stream": 0, "key": NEW_KEY.entry.id, "began": 1,
    "ended": 2, "cost": 2500, "held": 0, "input": None, "http_status": 200, "first_byte_us": 1,
    "total_us": 2, "upstream_id": "", "reason": "", "overrun": 0, "losses": "",
}  # fmt: skip


def test_a_query_is_looked_up_for_the_key_that_asks() -> None:
    async def scene() -> None:
        async with application() as it:
            it.records.found = {("q1", NEW_KEY.entry.id): RECORD, ("q2", "another"): RECORD}
            found = await it.ask("GET", "/v1/queries/q1")
            assert (found.status, found.json["cost_usd"]) == (200, "0.0000025")
            told = problem("", await it.ask("GET", "/v1/queries/q2"), 404, "unknown_query")
            assert "'q2'" in told
            await it.ask("GET", "/v1/queries/")
            assert it.records.asked == [(q, NEW_KEY.entry.id) for q in ("q1", "q2", "")]

    run(scene())


def test_records_that_cannot_answer() -> None:
    async def scene() -> None:
        async with application() as it:
            it.records.problem = Refused("ledger_unavailable", "Later.", retry_after=1)
            reply = await it.ask("GET", "/v1/queries/q1")
            assert problem("", reply, 503, "ledger_unavailable") == "Later."
            assert reply.headers["retry-after"] == "1"

    run(scene())


def test_a_defect_in_a_look_up_is_answered_too() -> None:
    async def scene() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        async with application() as it:
            it.records.problem = KeyError("cost")
            asking = asyncio.create_task(it.ask("GET", "/v1/queries/q1"))
            await until(lambda: bool(it.records.asked))
            for _ in range(100):
                await asyncio.sleep(0)
            answered = asking.done()
            asking.cancel()
            await asyncio.wait([asking])
            assert answered
            problem("", asking.result(), 500, "internal_error")

    run(scene())


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("GET", "/nowhere", 404, "not_found", None),
        ("GET", "/v1/queries", 404, "not_found", None),
        ("POST", CHAT + "/", 404, "not_found", None),
        ("POST", "/v1/models", 405, "method_not_allowed", "GET"),
        ("DELETE", "/v1/queries/q1", 405, "method_not_allowed", "GET"),
        ("POST", "/", 405, "method_not_allowed", "GET, HEAD"),
        ("GET", CHAT, 405, "method_not_allowed", "POST"),
        ("GET", MESSAGES, 405, "method_not_allowed", "POST"),
        ("POST", MESSAGES + "/others", 404, "not_found", None),
    ],
)
def test_what_is_not_there(
    method: str, path: str, status: int, code: str, allow: str | None
) -> None:
    reply = ask(answering(), method, path)
    told = problem(MESSAGES if path.startswith(MESSAGES) else "", reply, status, code)
    assert f"{method} {path!r}" in told
    assert reply.headers.get("allow") == allow


# -- headers --------------------------------------------------------------------------------------


def test_no_page_of_another_origin_may_read_an_answer() -> None:
    """A gateway on loopback must not be open to every web page of its machine's browser."""
    provided = ANSWER.replace(
        b"\r\n",
        b"\r\naccess-control-allow-origin: *\r\naccess-control-allow-credentials: true\r\n",
        1,
    )
    for method, path in [("POST", CHAT), ("OPTIONS", CHAT), ("GET", "/v1/models"), ("GET", "/x")]:
        reply = ask(answering(provided), method, path, BODY, origin="https://evil.example")
        assert not [name for name, _ in reply.lines if name.startswith("access-control")]
        assert reply.status == {CHAT: 200 if method == "POST" else 405, "/x": 404}.get(path, 200)


def test_the_provider_s_headers_go_on_beside_ours() -> None:
    provided = ANSWER.replace(b"\r\n", b"\r\nx-ratelimit: 9\r\nset-cookie: a=b\r\n", 1)
    reply = ask(answering(provided), "POST", CHAT, BODY)
    names = [name for name, _ in reply.lines]
    assert sorted(names) == sorted(set(names)), "none comes twice"
    assert "set-cookie" not in names
    assert reply.headers["x-ratelimit"] == "9"
    assert reply.headers["farthing-model"] == "loop/m"
    assert reply.headers["farthing-cost-usd"] == "0.000005"


@pytest.mark.parametrize("name", ["farthing-cost-usd", "farthing-request-id", "farthing-model"])
def test_what_farthing_says_only_farthing_says(name: str) -> None:
    provided = ANSWER.replace(b"\r\n", b"\r\n%s: forged\r\n" % name.encode(), 1)
    reply = ask(answering(provided), "POST", CHAT, BODY)
    assert [value for n, value in reply.lines if n == name and value != "forged"]
    assert "forged" not in reply.headers.values()
    assert b"forged" not in reply.head


def test_each_provider_gets_its_own_key_and_the_dialect_s_headers() -> None:
    async def scene() -> None:
        async with answering(ANSWER, ANSWER) as one, answering(ANSWER, ANSWER) as two:
            providers = [
                one.provider(auth="bearer", key="ONE", models=("a",)),
                two.provider(auth="x-api-key", key="TWO", models=("b",), name="two"),
            ]
            async with application(*providers) as it:
                for model in ("loop/m", "two/m"):
                    for path in PATHS:
                        body = {**BODY, "model": model}
                        await it.ask("POST", path, body, anthropic_beta="b-1", cookie="c")
        assert all(b"\r\nauthorization: Bearer ONE\r\n" in r for r in one.requests)
        assert all(b"\r\nx-api-key: TWO\r\n" in r for r in two.requests)
        for chat, messages in (one.requests, two.requests):
            assert b"anthropic" not in chat
            assert b"\r\nanthropic-version: 2023-06-01\r\nanthropic-beta: b-1\r\n" in messages
            for seen in (chat, messages):
                assert KEY.encode() not in seen and b"cookie" not in seen

    run(scene())


# -- too many, and the end ------------------------------------------------------------------------


def gated() -> tuple[Loopback, asyncio.Event]:
    """A provider that answers when the event is set."""
    gate = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await server.read(reader):
            await gate.wait()
            writer.write(ANSWER)

    server = Loopback(script)
    return server, gate


async def begun(it: Application, server: Loopback) -> asyncio.Task[Reply]:
    """Ask, and wait until the provider has the query."""
    asking, sent = asyncio.create_task(it.ask("POST", CHAT, BODY)), len(server.requests)
    await until(lambda: len(server.requests) > sent)
    return asking


@pytest.mark.parametrize("path", PATHS)
def test_more_queries_than_may_be_open_are_refused(path: str) -> None:
    async def scene() -> None:
        server, gate = gated()
        few = Settings(http=HttpSettings(max_open_requests=1))
        async with server, application(server.provider(), settings=few) as it:
            first = await begun(it, server)
            reply = await it.ask("POST", path, BODY)
            problem(path, reply, 503, "too_busy")
            assert reply.headers["retry-after"] == "1"
            assert (await it.ask("GET", "/healthz")).status == 200
            gate.set()
            assert (await first).status == 200
            assert (await it.ask("POST", path, BODY)).status == 200
            assert len(server.requests) == 2

    run(scene())


def test_stopping_waits_for_open_queries_and_takes_no_more() -> None:
    async def scene() -> None:
        server, gate = gated()
        async with server, application(server.provider()) as it:
            resting = asyncio.create_task(it.raw(b""))
            await until(lambda: len(it.app._clients) == 1)
            first = await begun(it, server)
            draining = asyncio.create_task(it.app.drain())
            for _ in range(100):  # at once, not when its own time is over
                await asyncio.sleep(0)
            assert resting.done() and resting.result() == b""
            assert await it.raw(request("POST", CHAT, BODY)) == b"", "a new connection is closed"
            assert not draining.done()
            gate.set()
            assert (await first).status == 200
            await draining
            await server.all_closed()

    run(scene())


def test_stopping_does_not_wait_for_ever() -> None:
    async def scene() -> None:
        server, _ = gated()
        async with server, application(server.provider()) as it:
            first = await begun(it, server)
            draining = asyncio.create_task(it.app.drain())
            await until(lambda: it.app.stopping)
            await jump(HttpSettings().drain_seconds - 1)
            assert not draining.done()
            await jump(2)
            await draining
            assert problem(CHAT, await first, 502, "upstream_reset")
            assert it.app.open_requests == 0

    run(scene())

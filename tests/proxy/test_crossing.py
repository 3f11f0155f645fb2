"""Every client's dialect to every provider's, through the gateway over HTTP, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest
from tests.support.application import Application, Reply, application
from tests.support.loopback import Loopback, answering, http, run

from farthing.ledger.entry import Settle
from farthing.wire import DIALECTS
from farthing.wire.canon import Answer, Request, Response, Stop, Tally, Text, Tool, ToolCall, Turn
from farthing.wire.codecs import CODECS
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.fold import fold, unfold

CLIENT_PATHS = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "gemini": "/v1beta/models/m:{verb}",
    "converse": "/model/m/{verb}",
}
PROVIDER_PATHS = {
    "gemini": "/models/{model}:{verb}",
    "converse": "/model/{model}/{verb}",
}
PAIRS = [(here, there) for here in CODECS for there in CODECS]
NAMES = [f"{here}-{there}" for here, there in PAIRS]
USAGE = Usage(input=11, cache_read=3, output=7)
CALL = ToolCall(id="call_1", name="weather", arguments='{"city":"Basel"}')
ANSWER = Response(
    dialect="none",
    id="id-1",
    model="m-1",
    created=1_800_000_000,
    answers=[Answer(parts=[Text(text="Let me see."), CALL], stop=Stop(kind="tool_calls"))],
    tally=Tally(usage=USAGE),
)
QUESTION = Request(
    dialect="none",
    model="m",
    turns=[
        Turn(role="system", parts=[Text(text="Be brief.")]),
        Turn(role="user", parts=[Text(text="How is the weather?")]),
    ],
    tools=[Tool(name="weather", description="d", schema={"type": "object", "properties": {}})],
    output_cap=100,
)


def asked(here: str, *, stream: bool) -> bytes:
    """Return the question in a client's dialect."""
    question = msgspec.structs.replace(QUESTION, stream=stream)
    return msgspec.json.encode(CODECS[here].write_request(question, Crossing("none", here)))


def whole(there: str) -> bytes:
    """Return the answer in a provider's dialect, as HTTP."""
    told = CODECS[there].write_response(ANSWER, Crossing("none", there))
    return http(msgspec.json.encode(told), 200, b"content-type: application/json")


def streamed(there: str) -> bytes:
    """Return the answer as a provider's stream."""
    writer = CODECS[there].stream_writer(Crossing("none", there))
    framing = DIALECTS[there].framing()
    events = [e for event in unfold(ANSWER) for e in writer.write([event])]
    body = b"".join(map(framing.write, events))
    return http(body, 200, b"content-type: %s" % DIALECTS[there].stream_type)


def content(response: Response) -> list[tuple[str, str]]:
    """Return what a response says, in any dialect."""
    found = []
    for part in response.answers[0].parts:
        if isinstance(part, Text):
            found.append(("text", part.text))
        elif isinstance(part, ToolCall):
            found.append((part.name, json.dumps(json.loads(part.arguments))))
    return found


def read_stream(here: str, raw: bytes) -> Response:
    framing, reader = DIALECTS[here].framing(), CODECS[here].stream_reader()
    events = [*framing.feed(raw), *framing.rest()]
    return fold(e for event in events for e in reader.read(event))


def unchunked(raw: bytes) -> bytes:
    """Return a chunked body's bytes."""
    body = b""
    while raw:
        size, _, rest = raw.partition(b"\r\n")
        body += rest[: int(size, 16)]
        raw = rest[int(size, 16) + 2 :]
    return body


async def through(
    here: str, there: str, script: Callable[[str], bytes], *, stream: bool
) -> tuple[Reply, Loopback, Application]:
    server = answering(script(there))
    async with server:
        path = PROVIDER_PATHS.get(there, "/x")
        said = {"dialects": {there: path}, "output_cap_field": "max_completion_tokens"}
        async with application(server.provider(**said)) as it:
            verb = DIALECTS[here].verbs[stream].partition("?")[0]
            target = CLIENT_PATHS[here].replace("{verb}", verb)
            reply = await it.ask("POST", target, asked(here, stream=stream))
            return reply, server, it


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=NAMES)
def test_a_whole_answer_keeps_text_calls_ending_and_usage(here: str, there: str) -> None:
    async def scene() -> None:
        reply, _, it = await through(here, there, whole, stream=False)
        assert reply.status == 200, reply.body
        found = CODECS[here].read_response(reply.json)
        assert content(found) == content(ANSWER)
        assert found.answers[0].stop is not None
        assert found.answers[0].stop.kind == "tool_calls"
        assert found.tally is not None and found.tally.usage == USAGE
        (ending,) = it.ledger.endings
        assert isinstance(ending, Settle) and ending.usage == USAGE
        assert reply.headers["farthing-cost-usd"]
        assert reply.headers["content-type"] == "application/json"

    run(scene())


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=NAMES)
def test_a_stream_keeps_text_calls_ending_and_usage(here: str, there: str) -> None:
    async def scene() -> None:
        reply, _, it = await through(here, there, streamed, stream=True)
        assert reply.status == 200, reply.body
        assert reply.headers["content-type"] == DIALECTS[here].stream_type.decode()
        found = read_stream(here, unchunked(reply.body))
        assert content(found) == content(ANSWER)
        assert found.answers[0].stop is not None
        assert found.answers[0].stop.kind == "tool_calls"
        (ending,) = it.ledger.endings
        assert isinstance(ending, Settle) and ending.usage == USAGE

    run(scene())


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=NAMES)
def test_the_provider_is_asked_the_same(here: str, there: str) -> None:
    async def scene() -> None:
        _, server, _ = await through(here, there, whole, stream=False)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        told = CODECS[there].read_request(json.loads(body))
        assert [turn.role for turn in told.turns] == ["system", "user"] or told.turns[0].parts
        assert [t.name for t in told.tools if isinstance(t, Tool)] == ["weather"]
        assert told.output_cap == 100
        texts = [p.text for turn in told.turns for p in turn.parts if isinstance(p, Text)]
        assert texts == ["Be brief.", "How is the weather?"]
        assert b"/m" in head or told.model == "m"

    run(scene())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", CODECS)
def test_on_the_diagonal_the_provider_s_bytes_are_the_client_s(name: str, stream: bool) -> None:
    async def scene() -> None:
        script = streamed if stream else whole
        reply, server, _ = await through(name, name, script, stream=stream)
        _, _, sent = script(name).partition(b"\r\n\r\n")
        got = unchunked(reply.body) if stream else reply.body
        assert got == sent
        assert server.requests[0].partition(b"\r\n\r\n")[2] == asked(name, stream=stream)

    run(scene())

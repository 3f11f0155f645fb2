"""Every client's dialect, every provider's, whole and streamed, with what clients send: a table."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from tests.proxy.test_crossing import (
    ANSWER,
    CLIENT_PATHS,
    PROVIDER_PATHS,
    QUESTION,
    content,
    read_stream,
    streamed,
    unchunked,
    whole,
)
from tests.support.application import Reply, application
from tests.support.loopback import answering, http, run

from farthing.wire import DIALECTS
from farthing.wire.canon import Format, Media, Problem, Request, Text, Thinking, Turn
from farthing.wire.codecs import CODECS
from farthing.wire.crossing import Crossing

IMAGE = Media(kind="image", data="iVBORw0KGgo=", mime="image/png")
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


def asking(**fields: object) -> Request:
    return msgspec.structs.replace(QUESTION, tools=[], **fields)


QUESTIONS: dict[str, Request] = {
    "text": asking(),
    "tools": QUESTION,
    "image": asking(turns=[Turn(role="user", parts=[Text(text="What is it?"), IMAGE])]),
    "reasoning": asking(thinking=Thinking(enabled=True, effort="low"), output_cap=4096),
    "structured": asking(format=Format(kind="schema", schema=SCHEMA, name="n", strict=True)),
    "error": asking(),
}


def refusing(there: str) -> bytes:
    """Return a provider's error, as HTTP."""
    problem = Problem(dialect="none", status=429, message="slow down")
    told = CODECS[there].write_problem(problem, Crossing("none", there))
    return http(msgspec.json.encode(told), 429, b"content-type: application/json")


def outcome(here: str, kind: str, reply: Reply, *, stream: bool) -> str:
    """Return what became of a query, having looked at its answer."""
    if reply.status == 400:
        assert reply.headers["farthing-error"] == "lossy_crossing", reply.body
        return "refused"
    if kind == "error":
        assert reply.status == 429
        problem = CODECS[here].read_problem(429, reply.json)
        assert "slow down" in problem.message
        return "pass"
    assert reply.status == 200, reply.body
    found = read_stream(here, unchunked(reply.body)) if stream else None
    found = found or CODECS[here].read_response(reply.json)
    assert content(found) == content(ANSWER)
    lost = reply.headers.get("farthing-losses", "")
    return "loss" if "shape" in lost or "meaning" in lost else "pass"


async def ask(here: str, there: str, kind: str, *, stream: bool) -> Reply:
    script = refusing(there) if kind == "error" else (streamed if stream else whole)(there)
    server = answering(script)
    question = msgspec.structs.replace(QUESTIONS[kind], stream=stream)
    body = msgspec.json.encode(CODECS[here].write_request(question, Crossing("none", here)))
    async with server:
        said = {"dialects": {there: PROVIDER_PATHS.get(there, "/x")}}
        bound = msgspec.structs.replace(server.provider().bound, image_tokens=1000)
        async with application(server.provider(**said, bound=bound)) as it:
            verb = DIALECTS[here].verbs[stream].partition("?")[0]
            return await it.ask("POST", CLIENT_PATHS[here].replace("{verb}", verb), body)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_matrix(stream: bool, capsys: pytest.CaptureFixture[str]) -> None:
    cells: dict[tuple[str, str], list[str]] = {}

    async def scene() -> None:
        for here in CODECS:
            for there in CODECS:
                for kind in QUESTIONS:
                    reply = await ask(here, there, kind, stream=stream)
                    told = outcome(here, kind, reply, stream=stream)
                    cells.setdefault((here, there), []).append(told)

    run(scene())
    with capsys.disabled():
        print(f"\n  {'streamed' if stream else 'whole':9} | {' | '.join(QUESTIONS)}")
        for (here, there), row in cells.items():
            padded = [told.ljust(len(kind)) for told, kind in zip(row, QUESTIONS, strict=True)]
            print(f"  {here:9} to {there:9} | {' | '.join(padded)}")
    counted = Counter(told for row in cells.values() for told in row)
    assert counted["pass"] > 100
    assert all(told == "pass" for name in CODECS for told in cells[name, name])

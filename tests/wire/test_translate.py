"""A query between two dialects: what is refused, what is named, how streams and errors cross."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.errors import Malformed, Refused
from farthing.wire import DIALECTS
from farthing.wire.codecs import CODECS
from farthing.wire.dialect import Answer, Ask, Usage
from farthing.wire.translate import Translation

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
CHUNK = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def ask(here: str = "chat", **fields: Any) -> Ask:
    return DIALECTS[here].read_request(json.dumps({**CHAT, **fields}).encode())


def data(value: Any) -> bytes:
    return b"data: %s\n\n" % (
        value.encode() if isinstance(value, str) else json.dumps(value).encode()
    )


def delta(finish: str | None = None, **said: Any) -> dict[str, Any]:
    return {**CHUNK, "choices": [{"index": 0, "delta": said, "finish_reason": finish}]}


USED = {**CHUNK, "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 6}}
STREAM = [
    delta(role="assistant", content="Hel"),
    delta(content="lo"),
    delta("stop"),
    USED,
    "[DONE]",
]


def names(raw: bytes) -> list[str]:
    return [line[7:].decode() for line in raw.split(b"\n") if line.startswith(b"event: ")]


# -- requests -------------------------------------------------------------------------------------


def test_a_hint_and_a_shape_are_dropped_and_named() -> None:
    translation = Translation("chat", "messages")
    told = json.loads(translation.request(ask(seed=3, max_tokens=9), strict=False))
    assert told["messages"] and "seed" not in told
    assert translation.losses() == ("shape seed",)


def test_a_strict_client_is_refused_a_shape_and_told_which() -> None:
    with pytest.raises(Refused) as refused:
        Translation("chat", "messages").request(ask(seed=3), strict=True)
    assert (refused.value.code, refused.value.status) == ("lossy_crossing", 400)
    assert "speaks messages, which cannot say `seed`" in refused.value.message
    assert "strict" in refused.value.message


def test_nobody_is_answered_another_question() -> None:
    tools = [{"type": "web_search", "depth": 3}]
    with pytest.raises(Refused, match="cannot say") as refused:
        Translation("chat", "messages").request(ask(tools=tools), strict=False)
    assert "strict" not in refused.value.message


@pytest.mark.parametrize("here", CODECS)
@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_request_is_malformed(here: str, body: bytes) -> None:
    there = "messages" if here == "chat" else "chat"
    with pytest.raises(Malformed):
        Translation(here, there).request(Ask(body, {}, "m"), strict=False)


# -- answers --------------------------------------------------------------------------------------


def test_an_error_is_told_in_the_client_s_dialect() -> None:
    body = json.dumps({"error": {"message": "slow down", "type": "rate_limit"}}).encode()
    told = json.loads(Translation("messages", "chat").problem(429, body))
    assert told["type"] == "error"
    assert told["error"]["type"] == "rate_limit_error"
    assert "slow down" in told["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b"null", b"[3]", b"\xff"])
@pytest.mark.parametrize("there", CODECS)
def test_an_error_that_is_none_of_the_dialect_s_is_told_too(there: str, body: bytes) -> None:
    for here in CODECS.keys() - {there}:
        assert isinstance(json.loads(Translation(here, there).problem(503, body)), dict)


@pytest.mark.parametrize("there", CODECS)
def test_an_answer_that_is_none_is_malformed_and_nothing_else(there: str) -> None:
    here = "messages" if there == "chat" else "chat"
    for body in (b"", b"[]", b"3", b"{", b"\xff"):
        with pytest.raises(Malformed):
            Translation(here, there).whole(body)


# -- streams --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_stream_says_the_same_however_it_is_cut(size: int) -> None:
    raw = b"".join(map(data, STREAM))
    tap = Translation("messages", "chat").tap(DIALECTS["chat"].tap(ask()), usage=True)
    pieces = [raw[start : start + size] for start in range(0, len(raw), size)]
    told = b"".join(tap.feed(piece) for piece in pieces) + tap.rest()
    assert names(told) == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 2,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert tap.answer() == Answer(Usage(input=5, output=6), "m", "x", finish="end")


def test_a_client_that_did_not_ask_for_usage_gets_none() -> None:
    events = b"".join(map(data, STREAM))
    back = Translation("messages", "chat").tap(DIALECTS["chat"].tap(ask()), usage=True)
    messages = back.feed(events) + back.rest()
    for usage in (True, False):
        seen = Ask(b"", {}, "m")
        tap = Translation("chat", "messages").tap(DIALECTS["messages"].tap(seen), usage=usage)
        told = tap.feed(messages) + tap.rest()
        assert (b'"usage":{' in told) is usage
        assert told.endswith(b"data: [DONE]\n\n")
        assert tap.answer().usage == Usage(input=5, output=6), "the ledger learns it all the same"


def test_a_stream_that_breaks_off_is_not_ended_as_if_it_had_not() -> None:
    tap = Translation("messages", "chat").tap(DIALECTS["chat"].tap(ask()), usage=True)
    told = tap.feed(b"".join(map(data, STREAM[:2]))) + tap.rest()
    assert "message_stop" not in names(told)


def test_a_stream_that_its_connection_ends_is_ended() -> None:
    event = {
        "candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3},
    }
    tap = Translation("messages", "gemini").tap(DIALECTS["gemini"].tap(ask()), usage=True)
    assert names(tap.feed(data(event)) + tap.rest())[-1] == "message_stop"


@pytest.mark.parametrize("there", CODECS)
def test_a_stream_of_nonsense_is_malformed_and_nothing_else(there: str) -> None:
    for here in CODECS.keys() - {there}:
        for raw in (b"data: {}\n\n", b"data: [3]\n\ndata: x\n\n", b"\xff" * 99, b"\n\n", b"{}"):
            tap = Translation(here, there).tap(DIALECTS[there].tap(ask()), usage=True)
            try:
                tap.feed(raw)
                tap.rest()
            except Malformed:
                continue

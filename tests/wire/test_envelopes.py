"""Envelopes: what goes in is the client's own, what comes out is the dialect's own."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from farthing.errors import Malformed
from farthing.wire import DIALECTS
from farthing.wire.converse.frames import STRING, Header, Message, encode, write_event
from farthing.wire.dialect import Changes, Usage
from farthing.wire.envelopes import ENVELOPES, INVOKE, PREDICT
from farthing.wire.framing import WireEvent

BODY = {
    "model": "m",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "é {\"model\":1}"}],
    "stream": True,
}  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start",
     "message": {"id": "msg_1", "model": "c", "usage": {"input_tokens": 5, "output_tokens": 1}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "é"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
    {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 5}},
]  # fmt: skip


def asked(betas: str = "", **fields: Any) -> Any:
    ask = DIALECTS["messages"].read_request(json.dumps({**BODY, **fields}).encode())
    ask.headers = {"anthropic-beta": betas} if betas else {}
    return ask


def invoked(betas: str = "", cap: int | None = None, **fields: Any) -> Any:
    return json.loads(INVOKE.write_request(asked(betas, **fields), Changes("x", cap)))


def framed(data: bytes) -> bytes:
    told = {"bytes": base64.b64encode(data).decode(), "p": "abcd"}
    return write_event(WireEvent(told, "chunk"))


def said(event: object) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def test_what_path_and_headers_say_is_not_in_an_invoked_body() -> None:
    assert invoked() == {
        "max_tokens": 9,
        "messages": BODY["messages"],
        "anthropic_version": "bedrock-2023-05-31",
    }


def test_a_lowered_cap_is_sent() -> None:
    assert invoked(cap=3)["max_tokens"] == 3
    assert json.loads(PREDICT.write_request(asked(), Changes("x", 3)))["max_tokens"] == 3


def test_a_client_s_own_version_of_the_envelope_gives_way() -> None:
    assert invoked(anthropic_version="x")["anthropic_version"] == "bedrock-2023-05-31"


@pytest.mark.parametrize(
    ("header", "field", "sent"),
    [
        ("", None, None),
        ("a, b ,", None, ["a", "b"]),
        ("a", ["b", "a"], ["a", "b"]),
        ("", ["b"], ["b"]),
        ("a", "not a list", "not a list"),
    ],
)
def test_betas_are_a_field_of_an_invoked_body(header: str, field: Any, sent: Any) -> None:
    fields = {} if field is None else {"anthropic_beta": field}
    assert invoked(header, **fields).get("anthropic_beta") == sent


def test_a_predicted_body_says_whether_to_stream() -> None:
    assert json.loads(PREDICT.write_request(asked("a"), Changes())) == {
        "max_tokens": 9,
        "messages": BODY["messages"],
        "stream": True,
        "anthropic_version": "vertex-2023-10-16",
    }
    assert PREDICT.passed_headers == ("anthropic-beta",)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_frames_become_the_events_that_they_carry(size: int) -> None:
    stream = b"".join(framed(said(event)) for event in EVENTS)
    tap = INVOKE.tap(asked())
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    got = b"".join(map(tap.feed, pieces)) + tap.rest()
    assert got == b"".join(
        b"event: %s\ndata: %s\n\n" % (str(event["type"]).encode(), said(event)) for event in EVENTS
    )
    answer = tap.answer()
    assert (answer.usage, answer.id, answer.model) == (Usage(input=5, output=7), "msg_1", "c")


def test_an_event_over_several_lines_stays_one() -> None:
    tap = INVOKE.tap(asked())
    assert tap.feed(framed(b'{\n "type": "ping"\n}')) == b'event: ping\ndata: {"type":"ping"}\n\n'


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("throttlingException", "rate_limit_error"),
        ("serviceUnavailableException", "overloaded_error"),
        ("internalServerException", "api_error"),
        ("validationException", "invalid_request_error"),
        ("modelTimeoutException", "timeout_error"),
        ("somethingNewException", "api_error"),
    ],
)
def test_an_exception_in_a_stream_is_an_error_event(name: str, kind: str) -> None:
    tap = INVOKE.tap(asked())
    got = tap.feed(framed(said(EVENTS[0])) + write_event(WireEvent({"message": "Too much."}, name)))
    last = got.split(b"\n\n")[-2]
    assert last.startswith(b"event: error\ndata: ")
    told = json.loads(last.partition(b"data: ")[2])
    assert told["error"] == {"type": kind, "message": "Too much."}
    assert tap.answer().usage is None, "nobody knows what was billed"


def test_a_kind_of_frame_that_is_unknown_says_nothing() -> None:
    tap = INVOKE.tap(asked())
    assert tap.feed(write_event(WireEvent({"x": 1}, "news"))) == b""


@pytest.mark.parametrize("payload", [b"{}", b'{"bytes":1}', b'{"bytes":"?"}', b'{"bytes":"eA=="}'])
def test_a_chunk_without_an_event_is_malformed(payload: bytes) -> None:
    headers = {":event-type": "chunk", ":message-type": "event"}
    frame = encode(Message({k: Header(STRING, v) for k, v in headers.items()}, payload))
    with pytest.raises(Malformed):
        INVOKE.tap(asked()).feed(frame)


def test_a_stream_that_breaks_off_within_a_frame_ends_in_an_error() -> None:
    tap = INVOKE.tap(asked())
    assert tap.feed(framed(said(EVENTS[0]))[:-1]) == b""
    assert tap.rest().startswith(b"event: error\n")


@pytest.mark.parametrize(
    ("name", "status", "body", "kind", "message"),
    [
        ("invoke", 429, {"message": "Slow."}, "rate_limit_error", "Slow."),
        ("invoke", 400, {"Message": "Bad."}, "invalid_request_error", "Bad."),
        ("predict", 403, {"error": {"code": 403, "message": "No."}}, "permission_error", "No."),
        ("predict", 404, [{"error": {"code": 404, "message": "?"}}], "not_found_error", "?"),
    ],
)
def test_a_cloud_s_error_is_the_dialect_s(
    name: str, status: int, body: Any, kind: str, message: str
) -> None:
    told = json.loads(ENVELOPES[name].reworded(status, json.dumps(body).encode()))
    assert told["type"] == "error"
    assert told["error"] == {"type": kind, "message": message}


@pytest.mark.parametrize("name", ENVELOPES)
def test_the_model_s_own_error_passes_as_it_is(name: str) -> None:
    body = b'{"type":"error", "error":{"type":"overloaded_error","message":"x"}}'
    assert ENVELOPES[name].reworded(529, body) == body


@pytest.mark.parametrize("name", ENVELOPES)
def test_an_error_that_is_no_json_is_told_all_the_same(name: str) -> None:
    told = json.loads(ENVELOPES[name].reworded(502, b"<html>"))
    assert told["error"]["type"] == "api_error"
